//! Writing a descriptor.

use super::{Dtis, Structure};
use crate::TooSmall;
use crate::bits::BitWriter;

/// A descriptor to be written, over the structure that it refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DescriptorFields<'a> {
    /// The packet starts a frame.
    pub start: bool,
    /// The packet ends a frame.
    pub end: bool,
    /// The frame's number.
    pub frame: u16,
    /// The place of the frame's template in the structure.
    pub template: u8,
    /// Whether the structure travels with it.
    pub attach: bool,
    /// Which decode targets are active, if that is to be said: must be wherever the structure travels while some are not.
    pub active: Option<u32>,
    /// Indications that differ from the template's.
    pub dtis: Option<Dtis>,
    /// References that differ from the template's: 1 to 4096.
    pub fdiffs: Option<&'a [u16]>,
    /// Chain differences that differ from the template's.
    pub chains: Option<&'a [u8]>,
}

/// Why a descriptor was not written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorWriteError {
    /// The buffer is too small.
    #[error("the buffer is too small")]
    TooSmall,
    /// The structure has no such template.
    #[error("no such template")]
    Template,
    /// The indications are not for as many decode targets as the structure has, or the mask names others.
    #[error("decode targets that the structure does not have")]
    Targets,
    /// A frame difference of 0 or above 4096.
    #[error("frame difference outside 1 to 4096")]
    FrameDiff,
    /// The chain differences are not for as many chains as the structure has.
    #[error("chains that the structure does not have")]
    Chains,
}

impl From<TooSmall> for DescriptorWriteError {
    fn from(_: TooSmall) -> Self {
        Self::TooSmall
    }
}

impl DescriptorFields<'_> {
    /// Writes the shortest form (AV1 RTP specification §A.8.2), and says how long it is: 3 to 255 bytes fit a header
    /// extension, up to 16 fit its short form.
    pub fn write(&self, structure: &Structure, out: &mut [u8]) -> Result<usize, DescriptorWriteError> {
        self.check(structure)?;
        let mut w = BitWriter::new(out);
        w.flag(self.start)?;
        w.flag(self.end)?;
        w.bits(6, u32::from(structure.offset() + self.template) % 64)?;
        w.bits(16, self.frame.into())?;
        let flags = [
            self.attach,
            self.active.is_some(),
            self.dtis.is_some(),
            self.fdiffs.is_some(),
            self.chains.is_some(),
        ];
        if flags.contains(&true) {
            for flag in flags {
                w.flag(flag)?;
            }
        }
        if self.attach {
            structure.write(&mut w)?;
        }
        if let Some(mask) = self.active {
            w.bits(structure.targets().into(), mask)?;
        }
        for dti in self.dtis.iter().flat_map(|d| d.iter()) {
            w.bits(2, dti as u32)?;
        }
        if let Some(list) = self.fdiffs {
            for &diff in list {
                write_fdiff(&mut w, diff)?;
            }
            w.bits(2, 0)?;
        }
        for &diff in self.chains.unwrap_or(&[]) {
            w.bits(8, diff.into())?;
        }
        Ok(w.len())
    }

    fn check(&self, structure: &Structure) -> Result<(), DescriptorWriteError> {
        if usize::from(self.template) >= structure.len() {
            return Err(DescriptorWriteError::Template);
        }
        let targets = usize::from(structure.targets());
        if self.dtis.is_some_and(|d| d.len() != targets)
            || self.active.is_some_and(|mask| mask & !structure.all_targets() != 0)
        {
            return Err(DescriptorWriteError::Targets);
        }
        if self.fdiffs.unwrap_or(&[]).iter().any(|d| !(1..=4096).contains(d)) {
            return Err(DescriptorWriteError::FrameDiff);
        }
        if self.chains.is_some_and(|c| c.len() != usize::from(structure.chains())) {
            return Err(DescriptorWriteError::Chains);
        }
        Ok(())
    }
}

/// One frame difference in as many groups of four bits as it needs (§A.8.2, frame_fdiffs).
fn write_fdiff(w: &mut BitWriter<'_>, diff: u16) -> Result<(), TooSmall> {
    let less_one = u32::from(diff.saturating_sub(1));
    let size = match less_one {
        0..=0xf => 1,
        0x10..=0xff => 2,
        _ => 3,
    };
    w.bits(2, size)?;
    w.bits(4 * size, less_one)
}
