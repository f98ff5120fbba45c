//! The values of single attributes, as offered.

use salon_rtp::{Pt, Ssrc};

/// `<payload type> <rest>`: how `rtpmap`, `fmtp` and `rtcp-fb` begin. `None` where the first word is no payload type.
pub(crate) fn with_pt(value: &str) -> Option<(Pt, &str)> {
    let (pt, rest) = value.split_once(char::is_whitespace)?;
    Some((payload_type(pt)?, rest.trim()))
}

/// A decimal number up to 127.
pub(crate) fn payload_type(word: &str) -> Option<Pt> {
    canonical(word).and_then(Pt::new)
}

/// A decimal number without leading zeros (RFC 8866 §9, `integer`), so that what is answered is what was offered.
fn canonical<T: core::str::FromStr>(word: &str) -> Option<T> {
    (word == "0" || !word.starts_with('0')).then(|| decimal(word)).flatten()
}

/// A decimal number without sign.
pub(crate) fn decimal<T: core::str::FromStr>(word: &str) -> Option<T> {
    word.bytes().all(|b| b.is_ascii_digit()).then(|| word.parse().ok()).flatten()
}

/// `a=rtpmap` without the payload type (RFC 8866 §6.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RtpMap<'a> {
    pub(crate) name: &'a str,
    pub(crate) clock_rate: u32,
    /// 1 where nothing is said.
    pub(crate) channels: u8,
}

impl<'a> RtpMap<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('/');
        let name = parts.next()?;
        let clock_rate = canonical(parts.next()?)?;
        let channels = parts.next().map_or(Some(1), canonical)?;
        Some(Self { name, clock_rate, channels })
    }

    pub(crate) fn is(&self, name: &str, clock_rate: u32, channels: u8) -> bool {
        self.name.eq_ignore_ascii_case(name) && self.clock_rate == clock_rate && self.channels == channels
    }
}

/// The values of a parameter in the `a=fmtp` lines of one payload type, `key=value;key=value`.
pub(crate) fn parameters<'a>(fmtp: &'a [&'a str], key: &'a str) -> impl Iterator<Item = &'a str> {
    fmtp.iter()
        .flat_map(|line| line.split(';'))
        .filter_map(|p| p.split_once('='))
        .filter(move |(k, _)| k.trim().eq_ignore_ascii_case(key))
        .map(|(_, v)| v.trim())
}

/// `a=ssrc-group:<semantics> <ssrc> …` (RFC 5576 §4.2), as much as is bounded by `most`.
pub(crate) fn ssrc_group(value: &str, semantics: &str, most: usize) -> Option<Vec<Ssrc>> {
    let mut words = value.split_whitespace();
    words.next().filter(|w| *w == semantics)?;
    words.take(most).map(|w| decimal(w).map(Ssrc)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_no_sign_and_a_payload_type_seven_bits() {
        assert_eq!(payload_type("127"), Pt::new(127));
        for bad in ["128", "256", "+1", "-1", "", " 1", "1 ", "9999999999999999999999", "x", "٣", "00", "096"]
        {
            assert_eq!(payload_type(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn maps_read_channels_as_one_where_none_is_said() {
        assert!(RtpMap::parse("OPUS/48000/2").unwrap().is("opus", 48_000, 2));
        assert!(RtpMap::parse("VP8/90000").unwrap().is("vp8", 90_000, 1));
        assert_eq!(RtpMap::parse("VP8"), None);
        for bad in ["VP8/90000/x", "opus/048000/2", "opus/48000/02", "opus/+48000/2"] {
            assert_eq!(RtpMap::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn parameters_are_found_in_any_case_and_spacing() {
        let lines = ["a=1; Apt = 96", "apt=97"];
        assert_eq!(parameters(&lines, "apt").collect::<Vec<_>>(), ["96", "97"]);
    }
}
