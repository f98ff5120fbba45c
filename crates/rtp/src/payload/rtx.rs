//! Retransmissions in their own stream (RFC 4588).

use crate::{Error, Prefix, Seq};

/// The payload of a retransmission: the original's sequence number, then the original's payload (RFC 4588 §4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rtx<'a> {
    /// OSN: the sequence number that the original had in its own stream.
    pub original: Seq,
    /// The original's payload.
    pub payload: &'a [u8],
}

impl<'a> Rtx<'a> {
    /// Reads a retransmission's payload (its padding already gone). A packet with less than two bytes is a probe that
    /// repairs nothing: an [`Error::Descriptor`] that callers should count apart from noise.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Error> {
        let (&osn, payload) = payload.split_first_chunk().ok_or(Error::Descriptor)?;
        Ok(Self { original: Seq(u16::from_be_bytes(osn)), payload })
    }

    /// The prefix of a retransmission of `original`, whose first bytes as first sent were `first`. `None` if `first` is
    /// longer than a [`Prefix`] can hold beside the number.
    pub fn prefix(original: Seq, first: &Prefix) -> Option<Prefix> {
        let mut prefix = Prefix::EMPTY;
        (prefix.push(&original.0.to_be_bytes()) && prefix.push(first.as_slice())).then_some(prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn what_is_written_is_read_back(
            number: u16, first in prop::collection::vec(any::<u8>(), 0..=Prefix::MAX), rest in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let Some(prefix) = Rtx::prefix(Seq(number), &Prefix::new(&first).unwrap()) else {
                prop_assert!(first.len() + 2 > Prefix::MAX);
                return Ok(());
            };
            let payload = [prefix.as_slice(), &rest].concat();
            let r = Rtx::parse(&payload).unwrap();
            prop_assert_eq!((r.original, r.payload), (Seq(number), &[first, rest].concat()[..]));
        }
    }

    #[test]
    fn a_probe_without_payload_repairs_nothing() {
        assert_eq!(Rtx::parse(&[]), Err(Error::Descriptor));
        assert_eq!(Rtx::parse(&[1]), Err(Error::Descriptor));
        let p = Rtx::prefix(Seq(0x0102), &Prefix::new(&[7, 8]).unwrap()).unwrap();
        let r = Rtx::parse(p.as_slice()).unwrap();
        assert_eq!(r, Rtx { original: Seq(0x0102), payload: &[7, 8] });
        assert_eq!(Rtx::prefix(Seq(0), &Prefix::new(&[0; 22]).unwrap()), None);
    }
}
