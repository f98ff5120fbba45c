//! Templates: what frames have in common.

use super::Dtis;
use crate::Error;
use crate::bits::BitReader;

/// One template.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Template<'a> {
    /// The layer of its frames.
    pub layer: LayerIds,
    /// What its frames mean to each decode target.
    pub dtis: Dtis,
    /// How many frames before it each frame stands that it refers to: 1 to 16.
    pub fdiffs: &'a [u8],
    /// How many frames before it the last frame of each chain stands: 0 to 15, 0 where the chain begins anew.
    pub chains: ChainDiffs,
}

/// Spatial and temporal layer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LayerIds {
    /// 0 to 3.
    pub spatial: u8,
    /// 0 to 7.
    pub temporal: u8,
}

/// How many frames back the last frame of each chain stands, at most 32 chains.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ChainDiffs {
    pub(super) diffs: [u8; Dtis::MAX],
    pub(super) len: u8,
}

impl ChainDiffs {
    /// The differences of chains 0, 1 …; `None` for more than 32.
    pub fn new(list: &[u8]) -> Option<Self> {
        let mut diffs = [0; Dtis::MAX];
        diffs.get_mut(..list.len())?.copy_from_slice(list);
        Some(Self { diffs, len: list.len() as u8 })
    }

    /// The differences, chain 0 first.
    pub fn as_slice(&self) -> &[u8] {
        self.diffs.get(..usize::from(self.len)).unwrap_or(&[])
    }

    pub(super) fn read(reader: &mut BitReader<'_>, chains: u8, width: u32) -> Result<Self, Error> {
        let mut diffs = [0; Dtis::MAX];
        for d in diffs.iter_mut().take(usize::from(chains)) {
            *d = reader.bits(width)? as u8;
        }
        Ok(Self { diffs, len: chains })
    }
}
