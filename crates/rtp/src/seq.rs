//! Sequence numbers: sixteen bits as they travel, extended as they are compared.

/// A sequence number as it travels: 16 bits that wrap (RFC 3550 §5.1). It has no order; extend it first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Seq(pub u16);

impl Seq {
    /// The extended number with these low bits that lies nearest to `near` (the index estimate of RFC 3711 §3.3.1).
    /// `None` where that would lie before zero.
    pub const fn extend(self, near: SeqNo) -> Option<SeqNo> {
        let delta = self.0.wrapping_sub(near.0 as u16) as i16;
        match near.0.checked_add_signed(delta as i64) {
            Some(v) => Some(SeqNo(v)),
            None => None,
        }
    }

    /// The next number, wrapping.
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// An extended sequence number: the roll-over count above the 16 bits that travel. Ordered; the packet index of SRTP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SeqNo(pub u64);

impl SeqNo {
    /// The 16 bits that travel.
    pub const fn seq(self) -> Seq {
        Seq(self.0 as u16)
    }

    /// The roll-over counter of SRTP (RFC 3711 §3.3.1).
    pub const fn roc(self) -> u32 {
        (self.0 >> 16) as u32
    }

    /// This number moved forward; saturates.
    pub const fn plus(self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    /// The following number.
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// How many numbers lie from `earlier` to this; zero if it is not after.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn extends_across_the_wrap_in_both_directions() {
        assert_eq!(Seq(2).extend(SeqNo(0x1_fffe)), Some(SeqNo(0x2_0002)));
        assert_eq!(Seq(0xfffe).extend(SeqNo(0x2_0002)), Some(SeqNo(0x1_fffe)));
        assert_eq!(Seq(0xffff).extend(SeqNo(3)), None);
    }

    proptest! {
        #![proptest_config(crate::cases::cases(10_000))]

        #[test]
        fn extension_inverts_truncation(near in 0x1_0000_u64..1 << 48, delta in -0x7fff_i64..0x7fff) {
            let n = SeqNo(near.checked_add_signed(delta).unwrap());
            prop_assert_eq!(n.seq().extend(SeqNo(near)), Some(n));
        }
    }
}
