//! Descriptors one after the other.

use super::{DependencyDescriptor, DescriptorError, DescriptorHead, Structure};
use crate::SeqNo;

/// Reads the descriptors of one stream in the order in which they come, which need not be the order in which they were sent:
/// remembers the structure that they refer to and which decode targets are active.
///
/// It never guesses: a packet whose structure did not come, or has been replaced, is said to be so
/// ([`DescriptorError::NoStructure`], [`UnknownTemplate`](DescriptorError::UnknownTemplate),
/// [`Stale`](DescriptorError::Stale)). After the first two only a key frame helps.
#[derive(Clone, Debug, Default)]
pub struct DescriptorReader {
    known: Option<Structure>,
    /// The packet that said these contents first, and the newest that did.
    first: SeqNo,
    newest: SeqNo,
    active: u32,
    /// The packet that said so.
    active_from: SeqNo,
}

impl DescriptorReader {
    /// Reads the descriptor of packet `seq`. An error changes nothing.
    pub fn read<'a>(
        &'a mut self,
        seq: SeqNo,
        value: &'a [u8],
    ) -> Result<DependencyDescriptor<'a>, DescriptorError> {
        let head = DescriptorHead::read(value)?;
        let mut end = None;
        if head.attached {
            let (attached, ends) = DependencyDescriptor::attachment(value)?;
            self.take(seq, attached)?;
            end = Some(ends);
        } else if self.known.is_some() && seq < self.first {
            // It may mean the structure before: its ids prove nothing.
            return Err(DescriptorError::Stale);
        }
        let descriptor = DependencyDescriptor::parse_after(value, self.known.as_ref(), end)?;
        if let Some(active) = descriptor.active_targets().filter(|_| seq >= self.active_from) {
            (self.active, self.active_from) = (active, seq);
        }
        Ok(descriptor)
    }

    /// Takes over a structure whose packet is well formed.
    fn take(&mut self, seq: SeqNo, attached: Structure) -> Result<(), DescriptorError> {
        match &self.known {
            Some(known) if *known == attached => self.newest = self.newest.max(seq),
            Some(_) if seq < self.newest => return Err(DescriptorError::Stale),
            _ => (self.known, self.first, self.newest) = (Some(attached), seq, seq),
        }
        Ok(())
    }

    /// The structure that descriptors refer to now.
    pub const fn structure(&self) -> Option<&Structure> {
        self.known.as_ref()
    }

    /// The decode targets that the sender makes now, as the newest packet that spoke of them said: a mask, target 0 lowest.
    pub const fn active_targets(&self) -> u32 {
        self.active
    }
}
