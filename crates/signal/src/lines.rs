//! From text to lines: the `sdp` crate behind bounds.
//!
//! The crate refuses a whole description for one kind of media or one protocol that it does not know, where RFC 3264 §6
//! wants one section rejected, and reads any amount. So `m=` lines are read here first, counted, and given to it with
//! words that it knows.

use sdp::description::common::Attribute;
use sdp::description::session::SessionDescription;

use crate::{SdpError, limits};

/// The `m=` line as offered (RFC 8866 §5.14); a rejected one goes back into the answer as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MediaLine {
    pub(crate) media: String,
    pub(crate) port: u16,
    pub(crate) protocol: String,
    /// At least one.
    pub(crate) formats: Vec<String>,
}

/// A description split into lines, all sizes checked.
pub(crate) struct Description {
    pub(crate) session: Attributes,
    pub(crate) sections: Vec<(MediaLine, Attributes)>,
}

/// The `a=` lines of one level, in order.
pub(crate) struct Attributes(Vec<Attribute>);

impl Attributes {
    /// Whether there is such a line, with or without a value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|a| a.key == key)
    }

    /// The value of the first such line.
    pub(crate) fn value(&self, key: &'static str) -> Option<&str> {
        self.all(key).next()
    }

    /// The values of all such lines.
    pub(crate) fn all(&self, key: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |a| a.key == key).filter_map(|a| a.value.as_deref()).map(str::trim)
    }

    /// The names of all lines.
    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().map(|a| a.key.as_str())
    }
}

/// Words of an `m=` line that are read: a section cannot use more payload types than there are.
const WORDS: usize = 3 + 128;

/// What the `sdp` crate is given in place of an `m=` line: it parses any description with this one.
const NEUTRAL: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 0";

impl Description {
    pub(crate) fn parse(text: &str) -> Result<Self, SdpError> {
        if text.len() > limits::OFFER_BYTES {
            return Err(SdpError::TooLarge);
        }
        let mut lines = Vec::new();
        let mut neutral = String::with_capacity(text.len());
        for line in text.split('\n') {
            let line = line.trim_matches('\r');
            if let Some(value) = line.strip_prefix("m=") {
                if lines.len() == limits::SECTIONS {
                    return Err(SdpError::TooManySections);
                }
                lines.push(MediaLine::parse(value).ok_or(SdpError::Malformed)?);
                neutral.push_str(NEUTRAL);
            } else {
                neutral.push_str(line);
            }
            neutral.push_str("\r\n");
        }
        let parsed = SessionDescription::try_from(neutral).map_err(|_| SdpError::Malformed)?;
        if parsed.media_descriptions.len() != lines.len() {
            return Err(SdpError::Malformed);
        }
        let attributes = parsed.media_descriptions.into_iter().map(|m| Attributes(m.attributes));
        Ok(Self {
            session: Attributes(parsed.attributes),
            sections: lines.into_iter().zip(attributes).collect(),
        })
    }
}

impl MediaLine {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let words: Vec<&str> = value.split_whitespace().take(WORDS).collect();
        if !words.iter().all(|w| w.len() <= limits::WORD && w.bytes().all(|b| b.is_ascii_graphic())) {
            return None;
        }
        let [media, port, protocol, formats @ ..] = words.as_slice() else { return None };
        if formats.is_empty() {
            return None;
        }
        // `<port>/<number of ports>` is for RTP without rtcp-mux; the number is not needed to reject it.
        let port = port.split('/').next()?.parse().ok()?;
        let owned = |w: &&str| (*w).to_owned();
        Some(Self {
            media: owned(media),
            port,
            protocol: owned(protocol),
            formats: formats.iter().map(owned).collect(),
        })
    }
}
