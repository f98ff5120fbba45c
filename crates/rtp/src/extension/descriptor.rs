//! The dependency descriptor: which frame a packet is of, what that frame needs, and who needs it, readable where the
//! payload is encrypted (AV1 RTP specification, appendix A).
//!
//! ```
//! use salon_rtp::SeqNo;
//! use salon_rtp::extension::descriptor::{DescriptorPatch, DescriptorReader, Dti};
//! // One key frame of one layer with its structure, then a packet that refers to it.
//! let key = [0x80, 0x00, 0x01, 0x80, 0x00, 0x3a, 0x41, 0x01, 0x80, 0xef, 0x80, 0x86, 0x80];
//! let mut reader = DescriptorReader::default();
//! let d = reader.read(SeqNo(1), &key)?;
//! assert!(d.start && d.attached() && d.dtis().get(0) == Dti::Switch);
//! assert_eq!(d.structure().resolution(0), Some((480, 270)));
//! let d = reader.read(SeqNo(2), &[0x40, 0x00, 0x01])?;
//! // As it leaves for a receiver whose frames are numbered otherwise.
//! let mut out = [0; 16];
//! let len = d.patched(&DescriptorPatch { frame: Some(7), ..Default::default() }, &mut out)?;
//! assert_eq!(out[..len], [0x40, 0x00, 0x07]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dti;
mod fields;
mod reader;
mod structure;
mod template;

pub use dti::{Dti, Dtis};
pub use fields::{DescriptorFields, DescriptorWriteError};
pub use reader::DescriptorReader;
pub use structure::{BadStructure, Structure};
pub use template::{ChainDiffs, LayerIds, Template};

use crate::bits::{BitReader, BitWriter};
use crate::{Error, TooSmall};

/// Why a descriptor cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorError {
    /// Its bytes are not a descriptor.
    #[error("malformed: {0}")]
    Malformed(#[from] Error),
    /// No structure has come so far, or not the one that the value itself carries.
    #[error("its structure is not known")]
    NoStructure,
    /// Its template is not one of the structure: the packet with the new structure was lost (§A.8.3).
    #[error("a template that the structure does not have")]
    UnknownTemplate,
    /// It is of a time before the structure that is known.
    #[error("older than the structure that is known")]
    Stale,
}

/// What a descriptor says without the structure that it refers to (§A.8.2, mandatory_descriptor_fields).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DescriptorHead {
    /// The packet starts a frame.
    pub start: bool,
    /// The packet ends a frame.
    pub end: bool,
    /// The id of the frame's template: 0 to 63.
    pub template_id: u8,
    /// The frame's number; wraps.
    pub frame: u16,
    /// A structure travels with it: the first packet of a coded video sequence, hence of a key frame.
    pub attached: bool,
}

impl DescriptorHead {
    /// Reads the first bytes: [`Error::TooShort`] below three.
    pub const fn read(value: &[u8]) -> Result<Self, Error> {
        let [first, f0, f1, rest @ ..] = value else { return Err(Error::TooShort) };
        let attached = matches!(rest, [flags, ..] if *flags & 0x80 != 0);
        Ok(Self {
            start: *first & 0x80 != 0,
            end: *first & 0x40 != 0,
            template_id: *first & 0x3f,
            frame: u16::from_be_bytes([*f0, *f1]),
            attached,
        })
    }
}

/// Bit of template_dependency_structure_present_flag, and of the flag for active decode targets after it.
const FLAGS: usize = 24;
/// Bit of template_id_offset in a value that carries its structure.
const OFFSET: usize = FLAGS + 5;

/// A dependency descriptor with the structure that it refers to. Every field was checked; no accessor can fail.
#[derive(Clone, Copy, Debug)]
pub struct DependencyDescriptor<'a> {
    /// The packet starts a frame.
    pub start: bool,
    /// The packet ends a frame; the picture ends where the packet's marker says so.
    pub end: bool,
    /// The frame's number, in the order of decoding; wraps.
    pub frame: u16,
    value: &'a [u8],
    structure: &'a Structure,
    template: Template<'a>,
    index: u8,
    attached: bool,
    active: Option<u32>,
    /// Bit after the structure, where the mask of active targets stands or would.
    mask_at: u16,
    /// Bit after the last that means something.
    len: u16,
    dtis: Option<Dtis>,
    /// Where custom frame differences begin.
    fdiffs: Option<BitReader<'a>>,
    chains: Option<ChainDiffs>,
}

impl<'a> DependencyDescriptor<'a> {
    /// The longest value that an element can carry (RFC 8285 §4.3).
    pub const MAX: usize = 255;

    /// Reads a value. `structure` is what it refers to: its own where it carries one
    /// ([`attached_structure`](Self::attached_structure); another is [`DescriptorError::NoStructure`]), the newest of the
    /// stream otherwise. ([`DescriptorReader`] does both.) Bytes after what is meant are ignored, as §A.8.3 wants it
    /// (zero_padding).
    pub fn parse(value: &'a [u8], structure: Option<&'a Structure>) -> Result<Self, DescriptorError> {
        Self::parse_after(value, structure, None)
    }

    /// The same, where the bit is known at which the structure ends that the value carries, and that it is `structure`.
    fn parse_after(
        value: &'a [u8],
        structure: Option<&'a Structure>,
        end: Option<usize>,
    ) -> Result<Self, DescriptorError> {
        let head = DescriptorHead::read(value)?;
        let structure = structure.ok_or(DescriptorError::NoStructure)?;
        let mut reader = Self::reader(value)?;
        let extended = value.len() > 3;
        let mut flag = || if extended { reader.flag() } else { Ok(false) };
        let [attached, has_mask, has_dtis, has_fdiffs, has_chains] =
            [flag()?, flag()?, flag()?, flag()?, flag()?];
        match end {
            Some(end) => reader.skip_to(end),
            None if attached && Structure::read(&mut reader)? != *structure => {
                return Err(DescriptorError::NoStructure);
            }
            None => {}
        }
        let mask_at = reader.position() as u16;
        let active = if has_mask { Some(reader.bits(structure.targets().into())?) } else { None };
        let index = structure.index_of(head.template_id).ok_or(DescriptorError::UnknownTemplate)?;
        let template = structure.template(index).ok_or(DescriptorError::UnknownTemplate)?;
        let dtis = if has_dtis { Some(read_dtis(&mut reader, structure.targets())?) } else { None };
        let fdiffs = has_fdiffs.then_some(reader);
        if has_fdiffs {
            while read_fdiff(&mut reader)?.is_some() {}
        }
        let chains =
            if has_chains { Some(ChainDiffs::read(&mut reader, structure.chains(), 8)?) } else { None };
        let len = reader.position() as u16;
        let DescriptorHead { start, end, frame, .. } = head;
        Ok(Self {
            start,
            end,
            frame,
            value,
            structure,
            template,
            index,
            attached,
            active,
            mask_at,
            len,
            dtis,
            fdiffs,
            chains,
        })
    }

    /// The structure that a value carries, if all of the value is well formed; [`DescriptorError::NoStructure`] if it carries
    /// none.
    pub fn attached_structure(value: &[u8]) -> Result<Structure, DescriptorError> {
        Self::attachment(value).map(|(structure, _)| structure)
    }

    /// The same with the bit at which it ends.
    fn attachment(value: &[u8]) -> Result<(Structure, usize), DescriptorError> {
        if !DescriptorHead::read(value)?.attached {
            return Err(DescriptorError::NoStructure);
        }
        let mut reader = Self::reader(value)?;
        reader.bits(5)?;
        let structure = Structure::read(&mut reader)?;
        let end = reader.position();
        DependencyDescriptor::parse_after(value, Some(&structure), Some(end))?;
        Ok((structure, end))
    }

    /// A reader after the mandatory fields.
    fn reader(value: &[u8]) -> Result<BitReader<'_>, Error> {
        if value.len() > Self::MAX {
            return Err(Error::Descriptor);
        }
        let mut reader = BitReader::new(value);
        reader.bits(FLAGS as u32)?;
        Ok(reader)
    }

    /// The structure that it refers to.
    pub const fn structure(&self) -> &'a Structure {
        self.structure
    }

    /// Whether the structure travels with it: the first packet of a coded video sequence (§A.8.3).
    pub const fn attached(&self) -> bool {
        self.attached
    }

    /// The place of its template in the structure.
    pub const fn template_index(&self) -> u8 {
        self.index
    }

    /// The frame's layer.
    pub const fn layer(&self) -> LayerIds {
        self.template.layer
    }

    /// Which decode targets the value says are active: those that it names, all where a structure comes without naming any,
    /// `None` where it says nothing and what was said before still holds (§A.8.2).
    pub fn active_targets(&self) -> Option<u32> {
        self.active.or(self.attached.then(|| self.structure.all_targets()))
    }

    /// What the frame means to each decode target.
    pub fn dtis(&self) -> Dtis {
        self.dtis.unwrap_or(self.template.dtis)
    }

    /// How many frames before this one the frames stand that it refers to: 1 to 4096 each; none for a key frame.
    pub fn fdiffs(&self) -> impl Iterator<Item = u16> + 'a {
        let template = if self.fdiffs.is_some() { &[][..] } else { self.template.fdiffs };
        let mut custom = self.fdiffs;
        let custom = core::iter::from_fn(move || read_fdiff(custom.as_mut()?).ok().flatten());
        template.iter().map(|&d| u16::from(d)).chain(custom)
    }

    /// How many frames before this one the last frame of each chain stands; 0 where the chain begins anew with this frame.
    pub fn chains(&self) -> &[u8] {
        self.chains.as_ref().unwrap_or(&self.template.chains).as_slice()
    }

    /// Whether the frame's indications, references, chain differences are its own, not its template's.
    pub const fn custom(&self) -> (bool, bool, bool) {
        (self.dtis.is_some(), self.fdiffs.is_some(), self.chains.is_some())
    }

    /// Width and height of the frame at most, if the structure says them.
    pub fn resolution(&self) -> Option<(u32, u32)> {
        self.structure.resolution(self.layer().spatial)
    }

    /// Whether the frame is part of a chain that protects one of the active decode targets (§A.6): losing it breaks them.
    pub fn is_in_chain(&self, chain: u8, active: u32) -> bool {
        let protected = |t: &u8| self.structure.protected_by(*t) == Some(chain);
        let mut targets = (0..self.structure.targets()).filter(protected);
        let essential = |t: u8| matches!(self.dtis().get(t), Dti::Switch | Dti::Required);
        targets.clone().any(|t| active >> t & 1 == 1) && targets.all(essential)
    }

    /// The value as it was given.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.value
    }

    /// Bytes of [`patched`](Self::patched).
    pub fn patched_len(&self, patch: &DescriptorPatch) -> usize {
        if patch.active.is_none() || self.active.is_some() {
            return self.value.len();
        }
        // The mask is put in; a value of three bytes gets its five flags too.
        let len = usize::from(self.len).max(FLAGS + 5);
        (len + usize::from(self.structure.targets())).div_ceil(8)
    }

    /// Writes the value with some fields changed, and says how long it is. What the patch does not name stays as it was,
    /// bit by bit; only where a mask is put in, bytes after what is meant are left out.
    pub fn patched(&self, patch: &DescriptorPatch, out: &mut [u8]) -> Result<usize, TooSmall> {
        let len = self.patched_len(patch);
        let out = out.get_mut(..len).ok_or(TooSmall)?;
        let targets = u32::from(self.structure.targets());
        let mut rest = BitReader::new(self.value);
        match patch.active {
            Some(mask) if self.active.is_none() => {
                out.fill(0);
                let mut writer = BitWriter::new(out);
                let before = usize::from(self.mask_at).min(8 * self.value.len());
                writer.copy(&mut rest, before)?;
                if before == FLAGS {
                    writer.bits(5, 0)?;
                }
                writer.bits(targets, mask)?;
                writer.copy(&mut rest, usize::from(self.len).saturating_sub(before))?;
                set(out, FLAGS + 1, 1, 1);
            }
            Some(mask) => {
                out.copy_from_slice(self.value);
                set(out, self.mask_at.into(), targets, mask);
            }
            None => out.copy_from_slice(self.value),
        }
        if let Some(offset) = patch.template_id_offset {
            set(out, 2, 6, u32::from(offset) + u32::from(self.index));
            if self.attached {
                set(out, OFFSET, 6, offset.into());
            }
        }
        if let Some(frame) = patch.frame {
            set(out, 8, 16, frame.into());
        }
        Ok(len)
    }
}

/// What to change in a descriptor on its way to a receiver. References and chains are relative, and stay.
///
/// New fields come with a default: write `..DescriptorPatch::default()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DescriptorPatch {
    /// The frame's number as the receiver counts: the same shift for all frames between two structures, or references break.
    pub frame: Option<u16>,
    /// The offset under which the receiver knows the structure ([`Structure::offset_after`] the one before), modulo 64: the
    /// template's id, and the structure's offset where it travels along, move there.
    pub template_id_offset: Option<u8>,
    /// Which decode targets the receiver gets: bits beyond the structure's targets are ignored. It grows a value that names
    /// none by as many bits.
    pub active: Option<u32>,
}

/// Overwrites `n` bits at bit `at`, both inside.
fn set(out: &mut [u8], at: usize, n: u32, value: u32) {
    for (i, bit) in (0..n).rev().zip(at..) {
        if let Some(byte) = out.get_mut(bit / 8) {
            let mask = 0x80 >> (bit % 8);
            *byte = if value >> i & 1 == 1 { *byte | mask } else { *byte & !mask };
        }
    }
}

fn read_dtis(reader: &mut BitReader<'_>, targets: u8) -> Result<Dtis, Error> {
    let mut dtis = Dtis::default();
    for _ in 0..targets {
        dtis.push(reader.bits(2)?);
    }
    Ok(dtis)
}

/// One custom frame difference; `None` where they end (§A.8.2, frame_fdiffs).
fn read_fdiff(reader: &mut BitReader<'_>) -> Result<Option<u16>, Error> {
    Ok(match reader.bits(2)? {
        0 => None,
        size => Some(reader.bits(4 * size)? as u16 + 1),
    })
}
