//! The walk over an extension block.

use super::ExtId;

/// Profile of the one-byte form (RFC 8285 §4.2).
const ONE_BYTE: u16 = 0xbede;
/// Profile of the two-byte form without its four application bits (RFC 8285 §4.3).
const TWO_BYTE: u16 = 0x1000;

/// The elements of a header extension block, in order. It never fails: an element that runs past the block, or id 15
/// of the one-byte form, ends it (RFC 8285 §4.2).
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    two_byte: bool,
    rest: &'a [u8],
    /// Nothing was stepped over but padding.
    whole: bool,
}

impl<'a> Elements<'a> {
    /// The elements of a block's body; none under a profile that is not RFC 8285's.
    #[inline]
    pub fn new(profile: u16, body: &'a [u8]) -> Self {
        match profile {
            ONE_BYTE => Self { two_byte: false, rest: body, whole: true },
            p if p & 0xfff0 == TWO_BYTE => Self { two_byte: true, rest: body, whole: true },
            _ => Self { two_byte: false, rest: &[], whole: body.is_empty() },
        }
    }

    /// Whether the walk is at the end of the block and has given all that stood in it: no element ran past the end, none was
    /// stepped over, the profile is RFC 8285's.
    #[inline]
    pub const fn is_whole(&self) -> bool {
        self.whole && self.rest.is_empty()
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (ExtId, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (&first, after) = self.rest.split_first()?;
            if first == 0 {
                // A padding byte stands alone in both forms.
                self.rest = after;
                continue;
            }
            let (id, len, after) = if self.two_byte {
                let Some((&len, after)) = after.split_first() else { return self.broken() };
                (first, usize::from(len), after)
            } else {
                (first >> 4, usize::from(first & 0x0f) + 1, after)
            };
            let Some((value, after)) = after.split_at_checked(len) else { return self.broken() };
            self.rest = after;
            match ExtId::new(id) {
                Some(id) if self.two_byte || id.get() < 15 => return Some((id, value)),
                // Id 15 is reserved: stop here (RFC 8285 §4.2).
                Some(_) => return self.broken(),
                // One-byte id 0 with a length: RFC 8285 §4.2 says to skip its data.
                None => self.whole = false,
            }
        }
    }
}

impl Elements<'_> {
    /// Ends the walk before the block's end.
    fn broken<T>(&mut self) -> Option<T> {
        (self.rest, self.whole) = (&[], false);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn ids(profile: u16, body: &[u8]) -> Vec<(u8, usize)> {
        Elements::new(profile, body).map(|(id, v)| (id.get(), v.len())).collect()
    }

    #[test]
    fn one_byte_form_stops_at_fifteen_and_at_overruns() {
        assert_eq!(ids(0xbede, &[0x10, 1, 0, 0x21, 2, 2, 0xf0, 9, 0x30, 3]), [(1, 1), (2, 2)]);
        assert_eq!(ids(0xbede, &[0x10, 1, 0x2f, 2]), [(1, 1)]);
        assert_eq!(ids(0xbede, &[0x01, 9, 9, 0x30, 3]), [(3, 1)]);
    }

    #[test]
    fn a_walk_says_whether_it_gave_all() {
        let whole = |profile, body: &[u8]| {
            let mut elements = Elements::new(profile, body);
            elements.by_ref().for_each(drop);
            elements.is_whole()
        };
        assert!(
            whole(0xbede, &[0x10, 1, 0, 0, 0x21, 2, 2, 0])
                && whole(0x1000, &[15, 0, 0, 0])
                && whole(0xbede, &[])
        );
        // Id 15, an overrun in either form, an id of 0 with data, another profile.
        for (profile, body) in [
            (0xbede, &[0x10, 1, 0xf0, 0][..]),
            (0xbede, &[0x10, 1, 0x2f, 2]),
            (0xbede, &[0x01, 9, 9, 0]),
            (0x1000, &[1, 1, 5, 7]),
            (0x1000, &[1, 2, 5, 0, 1, 200]),
            (0x1234, &[0, 0, 0, 0]),
        ] {
            assert!(!whole(profile, body), "{profile:x} {body:?}");
        }
        assert!(!Elements::new(0xbede, &[0x10, 1]).is_whole(), "not walked yet");
    }

    #[test]
    fn two_byte_form_has_empty_elements_and_id_fifteen() {
        assert_eq!(ids(0x1000, &[15, 0, 0, 200, 2, 7, 7, 3]), [(15, 0), (200, 2)]);
        assert_eq!(ids(0x100f, &[1, 1, 5]), [(1, 1)]);
        assert_eq!(ids(0x1010, &[1, 1, 5]), []);
    }
}
