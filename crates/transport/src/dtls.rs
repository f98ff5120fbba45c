//! The wall before the DTLS library: the only file that names it.
//!
//! It speaks DTLS 1.2: as a server of 1.2 the library takes the SRTP profile in its own order (AES-256-GCM first), as one
//! of 1.3 it takes the client's first, which for Chromium is counter mode at six times the cost per packet. The cookie
//! exchange is off: a check has proved the address before the first handshake message is looked at.

use std::sync::Arc;
use std::time::Instant;

use dimpl::{Config, Dtls, DtlsCertificate, Output, SrtpProfile};
use salon_srtp::{MasterKey, Profile};

use crate::limits::{CONNECT_WITHIN, DTLS_MTU, FLIGHT_RETRIES, FLIGHT_TIMEOUT, MAX_DTLS_QUEUE};
use crate::{Fingerprint, GoneReason};

/// Our role in the handshake (`a=setup`, RFC 5763 §5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Setup {
    /// We are the client, because the peer's offer said `passive`.
    Active,
    /// We are the server: what an answer should choose where it can.
    Passive,
}

/// What all handshakes of an identity share.
pub(crate) struct Context {
    config: Arc<Config>,
    certificate: DtlsCertificate,
}

/// One peer's DTLS connection.
pub(crate) struct Session {
    dtls: Dtls,
    setup: Setup,
    expected: Fingerprint,
    verified: bool,
    keys: Option<Keys>,
}

/// The two directions' SRTP keys.
pub(crate) struct Keys {
    pub(crate) ours: MasterKey,
    pub(crate) theirs: MasterKey,
}

/// What came of a step.
pub(crate) enum Step {
    /// Nothing to tell; a timer is due at the instant, if there is one.
    Wait(Option<Instant>),
    /// The handshake is done, the peer is who the signalling said, and these are its keys.
    Done(Keys, Option<Instant>),
    /// It is over.
    Over(GoneReason),
}

impl Context {
    /// `None` where the library refuses its ciphers or our settings. The certificate must fit the key, a PKCS #8 one.
    pub(crate) fn new(certificate: Vec<u8>, private_key: Vec<u8>) -> Option<Self> {
        let config = Config::builder()
            .use_server_cookie(false)
            .require_client_certificate(true)
            .mtu(DTLS_MTU)
            .max_queue_rx(MAX_DTLS_QUEUE)
            .flight_start_rto(FLIGHT_TIMEOUT)
            .flight_retries(FLIGHT_RETRIES)
            .handshake_timeout(CONNECT_WITHIN)
            .build()
            .ok()?;
        let certificate = DtlsCertificate { certificate, private_key };
        Some(Self { config: Arc::new(config), certificate })
    }
}

impl Session {
    pub(crate) fn new(context: &Context, setup: Setup, expected: Fingerprint, now: Instant) -> Self {
        let mut dtls = Dtls::new_12(Arc::clone(&context.config), context.certificate.clone(), now);
        if setup == Setup::Active {
            dtls.set_active(true);
        }
        Self { dtls, setup, expected, verified: false, keys: None }
    }

    /// Lets time pass: begins a client's handshake, sends a lost flight again.
    pub(crate) fn tick(&mut self, now: Instant, scratch: &mut [u8], send: &mut dyn FnMut(&[u8])) -> Step {
        let result = self.dtls.handle_timeout(now);
        self.drain(now, result.is_ok(), scratch, send)
    }

    /// Takes a datagram.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        datagram: &[u8],
        scratch: &mut [u8],
        send: &mut dyn FnMut(&[u8]),
    ) -> Step {
        let result = self.dtls.handle_timeout(now).and_then(|()| self.dtls.handle_packet(datagram));
        self.drain(now, result.is_ok(), scratch, send)
    }

    /// Says farewell.
    pub(crate) fn close(&mut self, now: Instant, scratch: &mut [u8], send: &mut dyn FnMut(&[u8])) {
        if self.dtls.close().is_ok() {
            self.drain(now, true, scratch, send);
        }
    }

    /// Polls until the library wants to wait. `scratch` holds whatever it can have to say (see `limits`): it panics
    /// where a certificate does not fit.
    fn drain(&mut self, now: Instant, alive: bool, scratch: &mut [u8], send: &mut dyn FnMut(&[u8])) -> Step {
        let mut over = (!alive).then_some(GoneReason::HandshakeFailed);
        let mut done = false;
        let due = loop {
            match self.dtls.poll_output(scratch) {
                Output::Packet(datagram) => send(datagram),
                // What RFC 8122 §6.2 asks for, before anything is done with keys.
                Output::PeerCert(certificate) => {
                    self.verified = Fingerprint::of(certificate) == self.expected;
                    if !self.verified {
                        over = over.or(Some(GoneReason::WrongFingerprint));
                    }
                }
                Output::KeyingMaterial(material, profile) => self.keys = self.split(&material, profile),
                Output::Connected => done = true,
                Output::CloseNotify => over = over.or(Some(GoneReason::Closed)),
                Output::Timeout(due) => break due,
                // No data is carried yet.
                Output::ApplicationData(_) => {}
                // More than the scratch holds: nothing that a handshake has to say.
                _ => break now,
            }
        };
        if let Some(reason) = over {
            self.keys = None;
            return Step::Over(reason);
        }
        // When nothing is under way the library wants to be asked again in some years.
        let due = Some(due).filter(|d| d.saturating_duration_since(now) <= 2 * CONNECT_WITHIN);
        if !done {
            return Step::Wait(due);
        }
        match self.keys.take() {
            Some(keys) if self.verified => Step::Done(keys, due),
            _ => Step::Over(GoneReason::NoSrtpProfile),
        }
    }

    /// Whose keys are whose: the client's come first (RFC 5764 §4.2).
    fn split(&self, material: &[u8], profile: SrtpProfile) -> Option<Keys> {
        let profile = match profile {
            SrtpProfile::AEAD_AES_128_GCM => Profile::AeadAes128Gcm,
            SrtpProfile::AEAD_AES_256_GCM => Profile::AeadAes256Gcm,
            SrtpProfile::AES128_CM_SHA1_80 => Profile::Aes128CmHmacSha1_80,
            _ => return None,
        };
        let (client, server) = MasterKey::from_keying_material(profile, material).ok()?;
        Some(match self.setup {
            Setup::Active => Keys { ours: client, theirs: server },
            Setup::Passive => Keys { ours: server, theirs: client },
        })
    }
}
