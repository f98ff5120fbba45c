//! What a frame means to a decode target.

/// Decode target indication (AV1 RTP specification, table A.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum Dti {
    /// `-`: the frame is not part of it.
    #[default]
    NotPresent = 0,
    /// `D`: part of it, and nothing in it refers to the frame.
    Discardable = 1,
    /// `S`: if the frame can be decoded, so can all that follow in it.
    Switch = 2,
    /// `R`: neither.
    Required = 3,
}

impl Dti {
    const fn from_bits(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::NotPresent,
            1 => Self::Discardable,
            2 => Self::Switch,
            _ => Self::Required,
        }
    }
}

/// The indications for all decode targets, at most 32.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Dtis {
    /// Two bits each, target 0 lowest.
    bits: u64,
    len: u8,
}

impl Dtis {
    /// For no target.
    pub(super) const NONE: Self = Self { bits: 0, len: 0 };
}

impl Dtis {
    /// As many decode targets as a structure can have (AV1 RTP specification §A.8.2, dt_cnt_minus_one).
    pub const MAX: usize = 32;

    /// The indications of targets 0, 1 …; `None` for more than [`MAX`](Self::MAX).
    pub fn new(list: &[Dti]) -> Option<Self> {
        let mut dtis = Self::default();
        (list.len() <= Self::MAX).then(|| {
            list.iter().for_each(|&d| dtis.push(d as u32));
            dtis
        })
    }

    /// Appends an indication of two bits; the caller counts.
    pub(super) fn push(&mut self, bits: u32) {
        if usize::from(self.len) < Self::MAX {
            self.bits |= u64::from(bits & 3) << (2 * self.len);
            self.len += 1;
        }
    }

    /// For how many targets.
    pub const fn len(self) -> usize {
        self.len as usize
    }

    /// Whether it speaks of none.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The indication for a target; a target that does not exist has no frames.
    pub const fn get(self, target: u8) -> Dti {
        if target < self.len { Dti::from_bits(self.bits >> (2 * target)) } else { Dti::NotPresent }
    }

    /// The indications, target 0 first.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Dti> {
        (0..self.len).map(move |t| self.get(t))
    }

    /// The targets that the frame is part of, as a mask.
    pub fn present(self) -> u32 {
        (0..self.len).filter(|&t| self.get(t) != Dti::NotPresent).fold(0, |mask, t| mask | 1 << t)
    }
}
