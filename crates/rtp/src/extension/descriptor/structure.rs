//! The template dependency structure: what most frames of a stream have in common.

use super::{ChainDiffs, Dti, Dtis, LayerIds, Template};
use crate::bits::{BitReader, BitWriter};
use crate::{Error, TooSmall};

/// Templates for frames, decode targets and the chains that protect them (AV1 RTP specification §A.8.1). It comes with the
/// first packet of a coded video sequence; what follows refers to it.
///
/// It has a fixed size of some 2½ kB and no heap: keep one per stream that you read.
#[derive(Clone, Debug)]
pub struct Structure {
    offset: u8,
    targets: u8,
    chains: u8,
    len: u8,
    templates: [Compact; Self::MAX_TEMPLATES],
    /// The frame differences of all templates, one after the other.
    fdiffs: [u8; Self::MAX_FDIFFS],
    fdiff_len: u16,
    protected_by: [u8; Dtis::MAX],
    target_layers: [LayerIds; Dtis::MAX],
    max_spatial: u8,
    /// Width and height less one, of each spatial layer.
    resolutions: Option<[(u16, u16); 4]>,
}

/// What is there: a table's unused places are all the same, and most of it.
impl PartialEq for Structure {
    fn eq(&self, other: &Self) -> bool {
        let head =
            |s: &Self| (s.offset, s.targets, s.chains, s.len, s.fdiff_len, s.max_spatial, s.resolutions);
        head(self) == head(other)
            && self.templates.get(..usize::from(self.len)) == other.templates.get(..usize::from(other.len))
            && self.fdiffs.get(..usize::from(self.fdiff_len))
                == other.fdiffs.get(..usize::from(other.fdiff_len))
            && self.protected_by == other.protected_by
    }
}

impl Eq for Structure {}

/// A template as it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Compact {
    layer: LayerIds,
    dtis: Dtis,
    fdiff_at: u16,
    fdiff_len: u16,
    /// Four bits each.
    chains: [u8; Dtis::MAX / 2],
}

/// A structure that does not fit the format: the first template must be of layer 0/0 and each other of the same layer, the
/// next temporal layer or the next spatial layer; every template must speak of all targets and all chains; numbers must stay
/// in their ranges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a structure that the format can say")]
pub struct BadStructure;

impl Structure {
    /// Ids have six bits (AV1 RTP specification §A.8.2).
    pub const MAX_TEMPLATES: usize = 64;
    /// An element has at most 255 bytes, a frame difference takes five bits in it.
    const MAX_FDIFFS: usize = 255 * 8 / 5;

    const EMPTY: Self = Self {
        offset: 0,
        targets: 0,
        chains: 0,
        len: 0,
        templates: [Compact {
            layer: LayerIds { spatial: 0, temporal: 0 },
            dtis: Dtis::NONE,
            fdiff_at: 0,
            fdiff_len: 0,
            chains: [0; Dtis::MAX / 2],
        }; Self::MAX_TEMPLATES],
        fdiffs: [0; Self::MAX_FDIFFS],
        fdiff_len: 0,
        protected_by: [0; Dtis::MAX],
        target_layers: [LayerIds { spatial: 0, temporal: 0 }; Dtis::MAX],
        max_spatial: 0,
        resolutions: None,
    };

    /// Builds a structure: the id of the first template (0 to 63), the templates, which chain protects each decode target
    /// (empty without chains), and width and height of each spatial layer, 1 to 65,536, if they are to be said.
    pub fn new(
        offset: u8,
        templates: &[Template<'_>],
        protected_by: &[u8],
        resolutions: Option<&[(u32, u32)]>,
    ) -> Result<Self, BadStructure> {
        let first = templates.first().ok_or(BadStructure)?;
        let (targets, chains) = (first.dtis.len(), first.chains.as_slice().len());
        let protected = if chains == 0 { 0 } else { targets };
        let fits = offset < 64
            && templates.len() <= Self::MAX_TEMPLATES
            && (1..=Dtis::MAX).contains(&targets)
            // The count of chains is at most that of targets (§A.8.2, template_chains).
            && chains <= targets
            && protected_by.len() == protected
            && protected_by.iter().all(|&c| usize::from(c) < chains);
        if !fits {
            return Err(BadStructure);
        }
        let mut out = Self { offset, targets: targets as u8, chains: chains as u8, ..Self::EMPTY };
        for t in templates {
            let follows = match out.last() {
                None => t.layer == LayerIds::default(),
                Some(last) => next_layer(last, t.layer).is_some(),
            };
            if !follows || t.dtis.len() != targets || t.chains.as_slice().len() != chains {
                return Err(BadStructure);
            }
            let mut compact = Compact { layer: t.layer, dtis: t.dtis, ..Compact::default() };
            compact.fdiff_at = out.fdiff_len;
            compact.fdiff_len = t.fdiffs.len() as u16;
            for &d in t.fdiffs {
                out.push_fdiff(d).ok_or(BadStructure)?;
            }
            for (i, &d) in t.chains.as_slice().iter().enumerate() {
                compact.set_chain(i, Some(d).filter(|d| *d < 16).ok_or(BadStructure)?);
            }
            out.push_template(compact);
        }
        if let Some(to) = out.protected_by.get_mut(..protected) {
            to.copy_from_slice(protected_by);
        }
        if let Some(list) = resolutions {
            if list.len() != usize::from(out.max_spatial) + 1 {
                return Err(BadStructure);
            }
            let mut all = [(0, 0); 4];
            for (to, &(w, h)) in all.iter_mut().zip(list) {
                let less_one =
                    |px: u32| px.checked_sub(1).and_then(|v| u16::try_from(v).ok()).ok_or(BadStructure);
                *to = (less_one(w)?, less_one(h)?);
            }
            out.resolutions = Some(all);
        }
        out.find_target_layers();
        Ok(out)
    }

    /// template_dependency_structure() (§A.8.2).
    pub(super) fn read(reader: &mut BitReader<'_>) -> Result<Self, Error> {
        let mut out = Self::EMPTY;
        out.offset = reader.bits(6)? as u8;
        out.targets = reader.bits(5)? as u8 + 1;
        out.read_layers(reader)?;
        for t in out.templates.iter_mut().take(usize::from(out.len)) {
            for _ in 0..out.targets {
                t.dtis.push(reader.bits(2)?);
            }
        }
        for i in 0..usize::from(out.len) {
            let at = out.fdiff_len;
            while reader.flag()? {
                // As many as fit an element have room: a longer value was refused before.
                out.push_fdiff(reader.bits(4)? as u8 + 1).ok_or(Error::Descriptor)?;
            }
            if let Some(t) = out.templates.get_mut(i) {
                (t.fdiff_at, t.fdiff_len) = (at, out.fdiff_len - at);
            }
        }
        out.chains = reader.below(u32::from(out.targets) + 1)? as u8;
        if out.chains > 0 {
            for c in out.protected_by.iter_mut().take(usize::from(out.targets)) {
                *c = reader.below(u32::from(out.chains))? as u8;
            }
            for t in out.templates.iter_mut().take(usize::from(out.len)) {
                for i in 0..usize::from(out.chains) {
                    t.set_chain(i, reader.bits(4)? as u8);
                }
            }
        }
        if reader.flag()? {
            let mut all = [(0, 0); 4];
            for to in all.iter_mut().take(usize::from(out.max_spatial) + 1) {
                *to = (reader.bits(16)? as u16, reader.bits(16)? as u16);
            }
            out.resolutions = Some(all);
        }
        out.find_target_layers();
        Ok(out)
    }

    /// template_layers(): each template's layer follows from the one before it (table A.2).
    fn read_layers(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        let mut layer = LayerIds::default();
        loop {
            if usize::from(self.len) == Self::MAX_TEMPLATES {
                return Err(Error::Value);
            }
            self.push_template(Compact { layer, ..Compact::default() });
            match reader.bits(2)? {
                0 => {}
                1 => layer.temporal += 1,
                2 => layer = LayerIds { spatial: layer.spatial + 1, temporal: 0 },
                _ => return Ok(()),
            }
            if layer.spatial > 3 || layer.temporal > 7 {
                return Err(Error::Value);
            }
        }
    }

    pub(super) fn write(&self, writer: &mut BitWriter<'_>) -> Result<(), TooSmall> {
        let templates = self.templates.get(..usize::from(self.len)).unwrap_or(&[]);
        writer.bits(6, self.offset.into())?;
        writer.bits(5, u32::from(self.targets) - 1)?;
        for pair in templates.windows(2) {
            writer.bits(2, next_layer(pair[0].layer, pair[1].layer).unwrap_or(0))?;
        }
        writer.bits(2, 3)?;
        for dti in templates.iter().flat_map(|t| t.dtis.iter()) {
            writer.bits(2, dti as u32)?;
        }
        for i in 0..self.len {
            for &d in self.template(i).map_or(&[][..], |t| t.fdiffs) {
                writer.bits(5, 0x10 | u32::from(d - 1))?;
            }
            writer.flag(false)?;
        }
        writer.below(u32::from(self.targets) + 1, self.chains.into())?;
        if self.chains > 0 {
            for &c in self.protected_by.iter().take(usize::from(self.targets)) {
                writer.below(self.chains.into(), c.into())?;
            }
            for t in templates {
                for i in 0..usize::from(self.chains) {
                    writer.bits(4, t.chain(i).into())?;
                }
            }
        }
        writer.flag(self.resolutions.is_some())?;
        for &(w, h) in self.resolutions.iter().flatten().take(usize::from(self.max_spatial) + 1) {
            writer.bits(16, w.into())?;
            writer.bits(16, h.into())?;
        }
        Ok(())
    }

    /// The id that the first template travels with: 0 to 63.
    pub const fn offset(&self) -> u8 {
        self.offset
    }

    /// The same structure under other ids.
    pub fn with_offset(mut self, offset: u8) -> Self {
        self.offset = offset % 64;
        self
    }

    /// The offset for a structure that follows this one, so that their ids do not overlap (§A.8.3, template_id_offset).
    pub const fn offset_after(&self) -> u8 {
        (self.offset + self.len) % 64
    }

    /// How many templates: 1 to 64.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Never: there is always a first template.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// How many decode targets: 1 to 32.
    pub const fn targets(&self) -> u8 {
        self.targets
    }

    /// A mask of all decode targets.
    pub const fn all_targets(&self) -> u32 {
        u32::MAX >> (32 - self.targets as u32)
    }

    /// How many chains: 0, or up to the number of decode targets.
    pub const fn chains(&self) -> u8 {
        self.chains
    }

    /// Which chain protects a decode target; `None` without chains, and for a target that does not exist.
    pub fn protected_by(&self, target: u8) -> Option<u8> {
        (self.chains > 0 && target < self.targets)
            .then(|| self.protected_by.get(usize::from(target)).copied())?
    }

    /// The highest layers among the frames of a decode target (§A.8.2, decode_target_layers); `None` for a target that does
    /// not exist.
    pub fn target_layer(&self, target: u8) -> Option<LayerIds> {
        (target < self.targets).then(|| self.target_layers.get(usize::from(target)).copied())?
    }

    /// The highest spatial layer: 0 to 3.
    pub const fn max_spatial(&self) -> u8 {
        self.max_spatial
    }

    /// Width and height of a spatial layer at most, 1 to 65,536, if the structure says them.
    pub fn resolution(&self, spatial: u8) -> Option<(u32, u32)> {
        if spatial > self.max_spatial {
            return None;
        }
        let &(w, h) = self.resolutions.as_ref()?.get(usize::from(spatial))?;
        Some((u32::from(w) + 1, u32::from(h) + 1))
    }

    /// A template by its place.
    pub fn template(&self, index: u8) -> Option<Template<'_>> {
        let t = self.templates.get(..usize::from(self.len))?.get(usize::from(index))?;
        let mut chains = ChainDiffs { diffs: [0; Dtis::MAX], len: self.chains };
        for (i, d) in chains.diffs.iter_mut().enumerate() {
            *d = t.chain(i);
        }
        let at = usize::from(t.fdiff_at);
        let fdiffs = self.fdiffs.get(at..at + usize::from(t.fdiff_len)).unwrap_or(&[]);
        Some(Template { layer: t.layer, dtis: t.dtis, fdiffs, chains })
    }

    /// The place of the template that travels as `id`; `None` if it is not one of this structure's.
    pub fn index_of(&self, id: u8) -> Option<u8> {
        let index = (id & 63).wrapping_sub(self.offset) & 63;
        (index < self.len).then_some(index)
    }

    fn last(&self) -> Option<LayerIds> {
        let last = usize::from(self.len).checked_sub(1)?;
        Some(self.templates.get(last)?.layer)
    }

    /// The caller has counted.
    fn push_template(&mut self, template: Compact) {
        if let Some(slot) = self.templates.get_mut(usize::from(self.len)) {
            *slot = template;
            self.len += 1;
            self.max_spatial = self.max_spatial.max(template.layer.spatial);
        }
    }

    fn push_fdiff(&mut self, diff: u8) -> Option<()> {
        let slot = self.fdiffs.get_mut(usize::from(self.fdiff_len)).filter(|_| (1..=16).contains(&diff))?;
        *slot = diff;
        self.fdiff_len += 1;
        Some(())
    }

    fn find_target_layers(&mut self) {
        let templates = self.templates.get(..usize::from(self.len)).unwrap_or(&[]);
        for (target, layer) in (0..self.targets).zip(&mut self.target_layers) {
            for t in templates.iter().filter(|t| t.dtis.get(target) != Dti::NotPresent) {
                layer.spatial = layer.spatial.max(t.layer.spatial);
                layer.temporal = layer.temporal.max(t.layer.temporal);
            }
        }
    }
}

impl Compact {
    fn chain(&self, i: usize) -> u8 {
        let pair = self.chains.get(i / 2).copied().unwrap_or(0);
        if i % 2 == 0 { pair >> 4 } else { pair & 0x0f }
    }

    fn set_chain(&mut self, i: usize, diff: u8) {
        if let Some(pair) = self.chains.get_mut(i / 2) {
            *pair |= if i % 2 == 0 { diff << 4 } else { diff };
        }
    }
}

/// next_layer_idc (table A.2) from one template to the next; `None` where it cannot say the step.
fn next_layer(from: LayerIds, to: LayerIds) -> Option<u32> {
    let up = LayerIds { temporal: from.temporal + 1, ..from };
    let above = LayerIds { spatial: from.spatial + 1, temporal: 0 };
    match to {
        _ if to.spatial > 3 || to.temporal > 7 => None,
        _ if to == from => Some(0),
        _ if to == up => Some(1),
        _ if to == above => Some(2),
        _ => None,
    }
}
