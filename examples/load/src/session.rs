//! A session by HTTP: WHIP (RFC 9725) to send, WHEP (draft-ietf-wish-whep) to receive. An offer is posted, 201 answers it
//! and says where the session lives; deleting that ends it.

use crate::Url;
use crate::http::{Exchange, Response};
use crate::signal::Said;
use crate::wire::Wire;
use mio::{Registry, Token};
use rustls::ClientConfig;
use std::sync::Arc;

/// Redirections that one request follows.
const HOPS: u8 = 3;

/// One client's session.
#[derive(Debug)]
pub(crate) struct Session {
    access: Access,
    offer: String,
    /// Whether somebody who sends was there before.
    company: bool,
    hops: u8,
    state: State,
}

/// How the server is reached.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) url: Url,
    pub(crate) bearer: Option<String>,
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) token: Token,
}

#[derive(Debug)]
enum State {
    Posting(Exchange),
    Open(Url),
    Deleting(Exchange),
    Over,
}

impl Access {
    fn request(
        &self,
        method: &str,
        url: &Url,
        sdp: Option<&str>,
        registry: &Registry,
    ) -> Result<Exchange, String> {
        let address = url.resolve().map_err(|error| error.to_string())?;
        let wire = Wire::connect(url, address, &self.config, registry, self.token);
        let wire = wire.map_err(|error| format!("no connection to {url}: {error}"))?;
        Ok(Exchange::new(wire, method, url, self.bearer.as_deref(), sdp))
    }
}

impl Session {
    /// Posts an offer.
    pub(crate) fn begin(
        access: Access,
        offer: String,
        company: bool,
        registry: &Registry,
    ) -> Result<Self, String> {
        let posting = access.request("POST", &access.url, Some(&offer), registry)?;
        Ok(Self { access, offer, company, hops: HOPS, state: State::Posting(posting) })
    }

    pub(crate) fn drive(&mut self, registry: &Registry, said: &mut Vec<Said>) {
        match &mut self.state {
            State::Posting(exchange) => match exchange.drive() {
                Ok(Some(response)) => {
                    if let Err(why) = self.answered(response, registry, said) {
                        self.fail(why, said);
                    }
                }
                Ok(None) => {}
                Err(error) => self.fail(format!("POST {}: {error}", self.access.url), said),
            },
            State::Deleting(exchange) => {
                if !matches!(exchange.drive(), Ok(None)) {
                    self.state = State::Over;
                    said.push(Said::Left);
                }
            }
            State::Open(_) | State::Over => {}
        }
    }

    pub(crate) fn leave(&mut self, registry: &Registry, said: &mut Vec<Said>) {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Open(url) => match self.access.request("DELETE", &url, None, registry) {
                Ok(exchange) => State::Deleting(exchange),
                Err(_) => State::Over,
            },
            _ => State::Over,
        };
        if matches!(self.state, State::Over) {
            said.push(Said::Left);
        }
    }

    fn fail(&mut self, why: String, said: &mut Vec<Said>) {
        self.state = State::Over;
        said.push(Said::Failed(why));
    }

    fn answered(
        &mut self,
        response: Response,
        registry: &Registry,
        said: &mut Vec<Said>,
    ) -> Result<(), String> {
        let url = self.access.url.clone();
        let location = response.header("location").map(|l| url.join(l).map_err(|error| error.to_string()));
        match (response.status, location) {
            (201, location) => {
                // RFC 9725 §4.2: a session has a URL; a server that gives none cannot be told of the end.
                self.state = location.transpose()?.map_or(State::Over, State::Open);
                said.push(Said::Answer { sdp: response.body, company: self.company });
                Ok(())
            }
            // RFC 9725 §4.5: the server may send us to another one.
            (307 | 308, Some(to)) if self.hops > 0 => {
                self.hops -= 1;
                self.access.url = to?;
                let again = self.access.request("POST", &self.access.url, Some(&self.offer), registry)?;
                self.state = State::Posting(again);
                Ok(())
            }
            (status, _) => {
                let body: String = response.body.chars().take(200).collect();
                Err(format!("POST {url}: {status} {}", body.trim()))
            }
        }
    }
}
