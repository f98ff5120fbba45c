//! One HTTP request and its answer, over a stream that never blocks (RFC 9112).

use crate::wire::Wire;
use crate::{Error, Trust, Url};
use mio::{Events, Poll, Token};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::time::{Duration, Instant};

/// An answer longer than this is none of ours: metrics are some 10 kB, an SDP at most 256 KiB.
const MOST: usize = 4 << 20;
/// Header lines of an answer.
const HEADERS: usize = 64;

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Exchange {
    wire: Wire,
    out: Vec<u8>,
    written: usize,
    input: Vec<u8>,
    ended: bool,
}

impl Exchange {
    /// Sends a request when the connection stands. With `token`, as a bearer's (RFC 6750 §2.1).
    pub(crate) fn new(wire: Wire, method: &str, url: &Url, token: Option<&str>, sdp: Option<&str>) -> Self {
        let mut head = format!(
            "{method} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nUser-Agent: salon-load\r\n",
            url.path,
            url.authority()
        );
        if let Some(token) = token {
            head += &format!("Authorization: Bearer {token}\r\n");
        }
        if let Some(sdp) = sdp {
            head += &format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n", sdp.len());
        }
        let out = format!("{head}\r\n{}", sdp.unwrap_or_default()).into_bytes();
        Self { wire, out, written: 0, input: Vec::new(), ended: false }
    }

    /// Goes on as far as it goes without waiting; the answer, when it is whole.
    pub(crate) fn drive(&mut self) -> io::Result<Option<Response>> {
        if !self.wire.is_connected()? {
            return Ok(None);
        }
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.wire.write(rest) {
                Ok(n) => self.written += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let mut buffer = [0; 16 * 1024];
        while !self.ended {
            match self.wire.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(n) => self.input.extend(buffer.get(..n).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // TLS that ends without saying so: what came before may still be whole.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => self.ended = true,
                Err(error) => return Err(error),
            }
            if self.input.len() > MOST {
                return Err(io::Error::other("the answer is too long"));
            }
        }
        match read(&self.input, self.ended) {
            Ok(None) if self.ended => Err(io::Error::other("the answer ends too early")),
            result => result,
        }
    }
}

/// Reads an answer; none while it is not whole.
fn read(input: &[u8], ended: bool) -> io::Result<Option<Response>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let body = match head.parse(input).map_err(io::Error::other)? {
        httparse::Status::Complete(at) => input.get(at..).unwrap_or_default(),
        httparse::Status::Partial => return Ok(None),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut response = Response {
        status: head.code.unwrap_or_default(),
        headers: head.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect(),
        body: String::new(),
    };
    let chunked = response.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
    // RFC 9112 §6.3: 204 and 304 have no body; chunks go before a length; without either it lasts until the end.
    let whole = if matches!(response.status, 204 | 304) {
        Some(Vec::new())
    } else if chunked {
        unchunk(body)?
    } else {
        match response.header("content-length").and_then(|v| v.trim().parse::<usize>().ok()) {
            Some(length) => body.get(..length).map(<[u8]>::to_vec),
            None => ended.then(|| body.to_vec()),
        }
    };
    Ok(whole.map(|body| {
        response.body = text(&body);
        response
    }))
}

/// The bytes of a chunked body (RFC 9112 §7.1); none while it is not whole.
fn unchunk(mut rest: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let (at, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(io::Error::other("a chunk has no size")),
        };
        if size == 0 {
            return Ok(Some(body));
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let Some((chunk, after)) = rest.get(at..).and_then(|r| r.split_at_checked(size)) else {
            return Ok(None);
        };
        body.extend(chunk);
        match after.strip_prefix(b"\r\n") {
            Some(after) => rest = after,
            None => return Ok(None),
        }
    }
}

/// Asks for a page and waits for it, at most for `patience`.
pub(crate) fn fetch(
    url: &Url,
    token: Option<&str>,
    trust: &Trust,
    patience: Duration,
) -> Result<Response, Error> {
    let sorry = |error: io::Error| Error::Figures(url.to_string(), error.to_string());
    let config = trust.config()?;
    let address = url.resolve()?;
    let mut poll = Poll::new().map_err(sorry)?;
    let wire = Wire::connect(url, address, &config, poll.registry(), Token(0)).map_err(sorry)?;
    let mut exchange = Exchange::new(wire, "GET", url, token, None);
    let mut events = Events::with_capacity(8);
    let until = Instant::now() + patience;
    loop {
        if let Some(response) = exchange.drive().map_err(sorry)? {
            return Ok(response);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Figures(url.to_string(), "no answer".to_owned()));
        }
        match poll.poll(&mut events, Some(left)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(sorry(error)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_by_its_length_its_chunks_or_its_end() {
        let created = "HTTP/1.1 201 Created\r\nLocation: /s/1\r\n";
        for (rest, ended) in [
            ("Content-Length: 3\r\n\r\nv=0", false),
            ("Transfer-Encoding: chunked\r\n\r\n1\r\nv\r\n2;x=y\r\n=0\r\n0\r\n\r\n", false),
            ("\r\nv=0", true),
        ] {
            let bytes = format!("{created}{rest}").into_bytes();
            let whole = read(&bytes, ended).unwrap().unwrap();
            assert_eq!(
                (whole.status, whole.body.as_str(), whole.header("location")),
                (201, "v=0", Some("/s/1"))
            );
            for cut in 0..bytes.len().saturating_sub(8) {
                assert_eq!(read(&bytes[..cut], false).unwrap(), None, "{cut} of {rest}");
            }
        }
        assert_eq!(read(b"HTTP/1.1 204 No Content\r\n\r\n", false).unwrap().unwrap().status, 204);
        assert!(read(b"SSH-2.0-OpenSSH\r\n", false).is_err());
    }
}
