//! Changes of bytes such as a broken or a hostile sender makes, reproducible from a number.

/// Numbers that anybody gets again (xorshift64*, Vigna 2016).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// From a seed; 0 would stay 0 for ever and counts as 1.
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// Any number.
    pub fn throw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// 0 to `n` - 1; 0 for none.
    pub fn below(&mut self, n: usize) -> usize {
        (self.throw() >> 33) as usize % n.max(1)
    }

    /// A piece of a list: any beginning, and at most 40 long.
    fn piece(&mut self, len: usize) -> core::ops::Range<usize> {
        let at = self.below(len + 1);
        at..len.min(at + self.below(40))
    }
}

/// One change of bytes: of bits, of bytes that matter, of numbers that count something, of the order and number of parts.
pub fn bytes(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    let len = bytes.len();
    // Half of all changes go where headers stand.
    let at = if dice.below(2) == 0 { dice.below(len.min(16)) } else { dice.below(len) };
    match dice.below(10) {
        0 if len > 0 => bytes[at] ^= 1 << dice.below(8),
        1 if len > 0 => bytes[at] = [0, 1, 0x7f, 0x80, 0xfe, 0xff][dice.below(6)],
        2 if len > 0 => bytes[at] = bytes[at].wrapping_add([1, 255, 16, 240][dice.below(4)]),
        // A count or a length of sixteen bits, in bytes or in words: right, one off, or absurd.
        3 if len > 1 => {
            let at = at.min(len - 2);
            let right =
                [len, len / 4, (len / 4).saturating_sub(1), len - at, (len - at) / 2, 0, 0xffff, 0x4001];
            let number = (right[dice.below(8)] as u16).wrapping_add([0, 1, 0xffff][dice.below(3)]);
            bytes[at..at + 2].copy_from_slice(&number.to_be_bytes());
        }
        4 if len > 0 => bytes[at] = (len - at) as u8,
        5 => bytes.truncate(at),
        6 => bytes.extend((0..dice.below(9)).map(|i| (i as u8).wrapping_mul(37))),
        7 => {
            let piece = bytes[dice.piece(len)].to_vec();
            bytes.splice(at..at, piece);
        }
        8 => drop(bytes.drain(dice.piece(len))),
        _ => {
            let piece = other[dice.piece(other.len())].to_vec();
            let place = dice.piece(len);
            bytes.splice(place, piece);
        }
    }
}
