//! Fragments of a description that carry ICE alone: what trickles in, and what a restart is answered with.

use crate::answer::{candidate, in_order};
use crate::lines::MediaLine;
use crate::transport::{PWD, UFRAG, fits};
use crate::{Local, Offer, limits};

/// An SDP fragment (RFC 8840 §9, `application/trickle-ice-sdpfrag`): to which ICE session its candidates belong.
///
/// The candidates themselves are not kept: a lite agent sends no checks (RFC 8445 §2.5), and learns where its peer is from
/// the peer's own. So one that cannot be used, or cannot even be read, disturbs nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Fragment {
    /// `a=ice-ufrag` and `a=ice-pwd`: another pair than before begins a new ICE session (RFC 8839 §4.4.1.1.1). `None` where
    /// the fragment names neither.
    pub credentials: Option<(String, String)>,
}

/// Why a fragment is refused. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FragmentError {
    /// See [`limits::OFFER_BYTES`].
    #[error("the fragment is larger than 256 KiB")]
    TooLarge,
    /// Not the grammar of RFC 8840 §9, or nothing at all.
    #[error("the fragment is not made of SDP lines")]
    Malformed,
    /// `a=ice-ufrag` without `a=ice-pwd`, or the other way round.
    #[error("the fragment has only one of ice-ufrag and ice-pwd")]
    HalfCredentials,
    /// Shorter or longer than RFC 8839 §5.4 allows, or not printable ASCII.
    #[error("the fragment's ice-ufrag or ice-pwd is too short, too long or not made of ICE characters")]
    BadIceCredentials,
}

impl Fragment {
    /// Reads a fragment. Never panics, whatever the text.
    ///
    /// # Errors
    /// [`FragmentError`].
    pub fn parse(text: &str) -> Result<Self, FragmentError> {
        if text.len() > limits::OFFER_BYTES {
            return Err(FragmentError::TooLarge);
        }
        let (mut ufrag, mut pwd, mut sections, mut any) = (None, None, 0, false);
        for line in text.split('\n').map(|line| line.trim_matches('\r')).filter(|line| !line.is_empty()) {
            any = true;
            match line.split_once('=') {
                // All sections of a bundle share one transport: the first pair is everybody's (RFC 9143 §7.1.3).
                Some(("a", value)) => {
                    if let Some(value) = value.strip_prefix("ice-ufrag:") {
                        ufrag = ufrag.or(Some(value.trim()));
                    } else if let Some(value) = value.strip_prefix("ice-pwd:") {
                        pwd = pwd.or(Some(value.trim()));
                    }
                }
                Some(("m", value)) => {
                    sections += 1;
                    if sections > limits::SECTIONS || MediaLine::parse(value).is_none() {
                        return Err(FragmentError::Malformed);
                    }
                }
                // Some clients send a whole description.
                Some((one, _)) if one.len() == 1 && one.bytes().all(|b| b.is_ascii_lowercase()) => {}
                _ => return Err(FragmentError::Malformed),
            }
        }
        let credentials = match (ufrag, pwd) {
            _ if !any => return Err(FragmentError::Malformed),
            (None, None) => None,
            (Some(ufrag), Some(pwd)) if fits(ufrag, UFRAG) && fits(pwd, PWD) => {
                Some((ufrag.to_owned(), pwd.to_owned()))
            }
            (Some(_), Some(_)) => return Err(FragmentError::BadIceCredentials),
            _ => return Err(FragmentError::HalfCredentials),
        };
        Ok(Self { credentials })
    }
}

impl Offer {
    /// What an ICE restart is answered with (RFC 9725 §4.3.3): our credentials and addresses, everything else as the answer to
    /// this offer had it.
    pub fn fragment(&self, local: &Local<'_>) -> String {
        // RFC 9725 §4.3.3: ice-lite and its like as in the answer.
        let mut lines = vec!["a=ice-lite".to_owned()];
        lines.extend(self.group().map(|group| format!("a=group:{group}")));
        let carries = self.bundle.first().and_then(|&first| self.sections.get(first));
        if let Some(section) = carries {
            let format = section.line.formats.first().map_or("0", String::as_str);
            lines.push(format!("m={} 9 {} {format}", section.line.media, section.line.protocol));
            lines.extend(section.mid.map(|mid| format!("a=mid:{mid}")));
        }
        lines.push(format!("a=ice-ufrag:{}", local.ufrag));
        lines.push(format!("a=ice-pwd:{}", local.pwd));
        lines.extend(
            in_order(local.candidates)
                .iter()
                .zip(0_u32..)
                .map(|(to, nth)| format!("a=candidate:{}", candidate(to, nth))),
        );
        lines.push("a=end-of-candidates\r\n".to_owned());
        lines.join("\r\n")
    }
}
