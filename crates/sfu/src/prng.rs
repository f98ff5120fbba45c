//! The room's own randomness: a stream of numbers that its seed decides.

use salon_rtp::Ssrc;

/// xoshiro256++ (Blackman and Vigna, 2018): small, quick, and reproducible. Not for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Prng {
    state: [u64; 4],
    /// Counts SSRCs; [`Prng::ssrc`] permutes it.
    named: u32,
    salt: u32,
}

impl Prng {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let mut state = [0; 4];
        for (to, from) in state.iter_mut().zip(seed.chunks_exact(8)) {
            *to = from.iter().fold(0, |n, &b| n << 8 | u64::from(b));
        }
        if state == [0; 4] {
            // The one state that the generator never leaves.
            state = [0x9e37_79b9_7f4a_7c15; 4];
        }
        let mut prng = Self { state, named: 0, salt: 0 };
        prng.salt = prng.next() as u32;
        prng
    }

    pub(crate) fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// An SSRC that this room never gave before (RFC 3550 §8.1): a permutation of a counter, so that there is nothing to remember
    /// and nothing to collide with for 2³² of them.
    pub(crate) fn ssrc(&mut self) -> Ssrc {
        loop {
            self.named = self.named.wrapping_add(1);
            // Each step can be undone: a sum, products with odd numbers, shifts folded in.
            let mut x = self.named.wrapping_add(self.salt);
            x = (x ^ x >> 16).wrapping_mul(0x85eb_ca6b);
            x = (x ^ x >> 13).wrapping_mul(0xc2b2_ae35);
            x ^= x >> 16;
            // Some tools take 0 for "no SSRC".
            if x != 0 {
                return Ssrc(x);
            }
        }
    }

    /// A first sequence number below 2¹⁵, so that no packet can be lost across the wrap before the receiver's cipher has
    /// seen one (RFC 3711 §3.3.1 has the receiver guess the roll-over count as 0).
    pub(crate) fn first_number(&mut self) -> u64 {
        self.next() >> 49
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ssrcs_do_not_repeat_and_first_numbers_are_low() {
        let mut prng = Prng::new([7; 32]);
        let mut seen = HashSet::new();
        for _ in 0..100_000 {
            assert!(seen.insert(prng.ssrc()));
            assert!(prng.first_number() < 1 << 15);
        }
    }

    #[test]
    fn a_seed_of_zeros_still_varies() {
        let mut prng = Prng::new([0; 32]);
        assert_ne!(prng.next(), prng.next());
    }
}
