//! Descriptors over any structure: what is written is read back, and a patch changes what it names.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../src/cases.rs"]
mod cases;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use salon_rtp::SeqNo;
use salon_rtp::extension::descriptor::*;

/// The parts of a structure, owned.
#[derive(Clone, Debug)]
struct Parts {
    offset: u8,
    templates: Vec<(LayerIds, Dtis, Vec<u8>, ChainDiffs)>,
    protected_by: Vec<u8>,
    resolutions: Option<Vec<(u32, u32)>>,
}

impl Parts {
    fn structure(&self) -> Result<Structure, BadStructure> {
        let templates: Vec<_> = self
            .templates
            .iter()
            .map(|(layer, dtis, fdiffs, chains)| Template {
                layer: *layer,
                dtis: *dtis,
                fdiffs,
                chains: *chains,
            })
            .collect();
        Structure::new(self.offset, &templates, &self.protected_by, self.resolutions.as_deref())
    }
}

fn dtis(targets: usize) -> impl Strategy<Value = Dtis> {
    let dti = select(vec![Dti::NotPresent, Dti::Discardable, Dti::Switch, Dti::Required]);
    vec(dti, targets).prop_map(|l| Dtis::new(&l).unwrap())
}

/// Layers that ascend as the format can say it.
fn layers(steps: &[u8]) -> Vec<LayerIds> {
    let mut layer = LayerIds::default();
    let mut all = vec![layer];
    for step in steps {
        match step {
            1 if layer.temporal < 7 => layer.temporal += 1,
            2 if layer.spatial < 3 => layer = LayerIds { spatial: layer.spatial + 1, temporal: 0 },
            _ => {}
        }
        all.push(layer);
    }
    all
}

fn parts() -> impl Strategy<Value = Parts> {
    let shape = (1usize..=32).prop_flat_map(|t| (Just(t), prop_oneof![Just(0), 0..=t.min(4), 0..=t]));
    (shape, prop_oneof![vec(0u8..3, 0..10), vec(0u8..3, 0..64)], 0u8..64, any::<bool>()).prop_flat_map(
        |((targets, chains), steps, offset, sized)| {
            let layers = layers(&steps);
            let spatial = usize::from(layers.last().unwrap().spatial) + 1;
            let templates: Vec<_> = layers
                .into_iter()
                .map(|l| {
                    let diffs = vec(0u8..16, chains).prop_map(|c| ChainDiffs::new(&c).unwrap());
                    (Just(l), dtis(targets), vec(1u8..=16, 0..4), diffs)
                })
                .collect();
            let protected_by =
                if chains == 0 { Just(vec![]).boxed() } else { vec(0..chains as u8, targets).boxed() };
            let sizes = vec((1u32..=65_536, 1u32..=65_536), spatial);
            (Just(offset), templates, protected_by, sizes.prop_map(move |s| sized.then_some(s))).prop_map(
                |(offset, templates, protected_by, resolutions)| Parts {
                    offset,
                    templates,
                    protected_by,
                    resolutions,
                },
            )
        },
    )
}

#[derive(Clone, Debug)]
struct Frame {
    edges: (bool, bool),
    number: u16,
    template: Index,
    active: Option<u32>,
    dtis: Option<Vec<u8>>,
    fdiffs: Option<Vec<u16>>,
    chains: Option<Vec<u8>>,
}

fn frame() -> impl Strategy<Value = Frame> {
    let custom = (
        prop::option::of(any::<u32>()),
        prop::option::of(vec(0u8..4, 32)),
        prop::option::of(vec(prop_oneof![1u16..=16, 1u16..=256, 1u16..=4096], 0..6)),
        prop::option::of(vec(any::<u8>(), 32)),
    );
    (any::<(bool, bool)>(), any::<u16>(), any::<Index>(), custom).prop_map(
        |(edges, number, template, (active, dtis, fdiffs, chains))| Frame {
            edges,
            number,
            template,
            active,
            dtis,
            fdiffs,
            chains,
        },
    )
}

/// A frame's descriptor over a structure.
fn written(s: &Structure, f: &Frame, attach: bool) -> Vec<u8> {
    let all = [Dti::NotPresent, Dti::Discardable, Dti::Switch, Dti::Required];
    let dtis = f.dtis.as_ref().map(|l| {
        let l: Vec<_> = l.iter().take(s.targets().into()).map(|&d| all[usize::from(d)]).collect();
        Dtis::new(&l).unwrap()
    });
    let fields = DescriptorFields {
        start: f.edges.0,
        end: f.edges.1,
        frame: f.number,
        template: f.template.index(s.len()) as u8,
        attach,
        active: f.active.map(|m| m & s.all_targets()),
        dtis,
        fdiffs: f.fdiffs.as_deref(),
        chains: f.chains.as_ref().map(|c| &c[..usize::from(s.chains())]),
    };
    let mut out = vec![0x55; 4_000];
    let len = fields.write(s, &mut out).unwrap();
    out.truncate(len);
    out
}

/// A descriptor that was read, written anew.
fn rewritten(d: &DependencyDescriptor<'_>) -> Vec<u8> {
    let (dtis, fdiffs, chains) = d.custom();
    let list: Vec<_> = d.fdiffs().collect();
    let all = d.attached().then(|| d.structure().all_targets());
    let fields = DescriptorFields {
        start: d.start,
        end: d.end,
        frame: d.frame,
        template: d.template_index(),
        attach: d.attached(),
        active: d.active_targets().filter(|a| Some(*a) != all),
        dtis: dtis.then(|| d.dtis()),
        fdiffs: fdiffs.then_some(&list[..]),
        chains: chains.then(|| d.chains()),
    };
    let mut out = vec![0x55; 300];
    let len = fields.write(d.structure(), &mut out).unwrap();
    out.truncate(len);
    out
}

/// All that a descriptor says, but for what a patch may change.
fn meaning(d: &DependencyDescriptor<'_>) -> impl PartialEq + std::fmt::Debug + use<> {
    let edges = [d.start, d.end, d.attached()];
    (
        d.fdiffs().collect::<Vec<_>>(),
        d.chains().to_vec(),
        d.dtis(),
        d.layer(),
        edges,
        d.template_index(),
        d.custom(),
    )
}

proptest! {
    #![proptest_config(cases::cases(10_000))]

    #[test]
    fn what_is_written_is_read_back(parts in parts(), frame in frame(), later in frame()) {
        let s = parts.structure().unwrap();
        prop_assert_eq!(s.len(), parts.templates.len());
        let value = written(&s, &frame, true);
        if value.len() > DependencyDescriptor::MAX {
            // Longer than any element: the format can say it, a packet cannot carry it.
            prop_assert!(DependencyDescriptor::parse(&value, Some(&s)).is_err());
            return Ok(());
        }
        let mut reader = DescriptorReader::default();
        let d = reader.read(SeqNo(5), &value).unwrap();
        prop_assert_eq!(d.structure(), &s);
        prop_assert_eq!((d.start, d.end, d.frame), (frame.edges.0, frame.edges.1, frame.number));
        prop_assert_eq!(d.active_targets(), Some(frame.active.map_or(s.all_targets(), |m| m & s.all_targets())));
        let (layer, dtis, fdiffs, chains) = &parts.templates[frame.template.index(s.len())];
        prop_assert_eq!(d.layer(), *layer);
        prop_assert!(frame.dtis.is_some() || d.dtis() == *dtis);
        let expected = frame.fdiffs.clone().unwrap_or(fdiffs.iter().map(|&d| d.into()).collect());
        prop_assert_eq!(d.fdiffs().collect::<Vec<_>>(), expected);
        let expected = frame.chains.as_ref().map_or(chains.as_slice(), |c| &c[..s.chains().into()]);
        prop_assert_eq!(d.chains(), expected);
        prop_assert_eq!(d.resolution(), parts.resolutions.as_ref().map(|r| r[usize::from(layer.spatial)]));
        for t in 0..s.targets() {
            let own = parts.templates.iter().filter(|p| p.1.get(t) != Dti::NotPresent);
            let highest = own.fold(LayerIds::default(), |h, p| LayerIds {
                spatial: h.spatial.max(p.0.spatial), temporal: h.temporal.max(p.0.temporal),
            });
            prop_assert_eq!(s.target_layer(t), Some(highest));
        }
        // Then one without the structure, cut at every place: what remains is never a panic, and below three bytes an error.
        let value = written(&s, &later, false);
        prop_assert_eq!(reader.read(SeqNo(6), &value).unwrap().frame, later.number);
        for n in 0..value.len() {
            prop_assert!(reader.read(SeqNo(6), &value[..n]).is_err() || n >= 3);
        }
    }

    #[test]
    fn a_patch_changes_what_it_names(
        parts in parts(), frame in frame(), attach: bool,
        number: Option<u16>, offset in prop::option::of(0u8..64), mask: Option<u32>, trailing in vec(any::<u8>(), 0..3),
    ) {
        let s = parts.structure().unwrap();
        let mut value = written(&s, &frame, attach);
        if value.len() > 3 {
            value.extend(&trailing);
        }
        if value.len() > 240 {
            return Ok(());
        }
        let d = DependencyDescriptor::parse(&value, Some(&s)).unwrap();
        let patch = DescriptorPatch { frame: number, template_id_offset: offset, active: mask };
        let mut out = [0xaa; 300];
        let len = d.patched(&patch, &mut out).unwrap();
        prop_assert_eq!(len, d.patched_len(&patch));
        let out = &out[..len];
        let moved = s.clone().with_offset(offset.unwrap_or(s.offset()));
        let p = DependencyDescriptor::parse(out, Some(&moved)).unwrap();
        prop_assert_eq!(meaning(&p), meaning(&d));
        prop_assert_eq!(p.frame, number.unwrap_or(d.frame));
        let active = mask.map(|m| m & s.all_targets()).or(d.active_targets());
        prop_assert_eq!(p.active_targets(), active);
        if attach {
            prop_assert_eq!(&DependencyDescriptor::attached_structure(out).unwrap(), &moved);
        }
        // What is named as it was changes nothing, and a patch is undone by its opposite.
        let nothing = DescriptorPatch {
            frame: Some(d.frame),
            template_id_offset: Some(s.offset()),
            active: frame.active.map(|m| m & s.all_targets()),
        };
        let mut same = [0; 300];
        let len = d.patched(&nothing, &mut same).unwrap();
        prop_assert_eq!(&same[..len], &value[..]);
        let len = d.patched(&DescriptorPatch::default(), &mut same).unwrap();
        prop_assert_eq!(&same[..len], &value[..]);
        if mask.is_none() || frame.active.is_some() {
            let len = p.patched(&nothing, &mut same).unwrap();
            prop_assert_eq!(&same[..len], &value[..]);
        }
        prop_assert!(d.patched(&patch, &mut [0; 300][..out.len() - 1]).is_err());
    }

    #[test]
    fn any_value_over_any_structure(
        parts in parts(), first in frame(), bytes in vec(any::<u8>(), 0..260), seqs: [u8; 4],
    ) {
        let s = parts.structure().unwrap();
        let mut reader = DescriptorReader::default();
        let _ = reader.read(SeqNo(seqs[0].into()), &written(&s, &first, true));
        for (seq, value) in seqs.iter().zip(bytes.chunks(70)) {
            let Ok(d) = reader.read(SeqNo((*seq).into()), value) else { continue };
            prop_assert!(d.fdiffs().count() <= value.len() * 2 && d.chains().len() <= 32);
            let mut out = [0; 300];
            let patch = DescriptorPatch { frame: Some(1), template_id_offset: Some(9), active: Some(5) };
            let len = d.patched(&patch, &mut out).unwrap();
            prop_assert!(len <= value.len() + 5);
            // Written anew it takes its shortest form, says the same, and stays as it is.
            let normal = rewritten(&d);
            prop_assert!(normal.len() <= value.len());
            let read = DependencyDescriptor::parse(&normal, Some(d.structure())).unwrap();
            prop_assert_eq!((read.frame, meaning(&read)), (d.frame, meaning(&d)));
            prop_assert_eq!(read.active_targets(), d.active_targets());
            prop_assert_eq!(rewritten(&read), normal);
        }
        let _ = DependencyDescriptor::attached_structure(&bytes);
    }
}

/// One layer, one target, one chain; a key frame and what follows it.
fn single(offset: u8, size: u32) -> Structure {
    let dtis = Dtis::new(&[Dti::Switch]).unwrap();
    let chain = |d| ChainDiffs::new(&[d]).unwrap();
    let layer = LayerIds::default();
    let templates = [
        Template { layer, dtis, fdiffs: &[], chains: chain(0) },
        Template { layer, dtis, fdiffs: &[1], chains: chain(1) },
    ];
    Structure::new(offset, &templates, &[0], Some(&[(size, size)])).unwrap()
}

fn value(s: &Structure, attach: bool, active: Option<u32>) -> Vec<u8> {
    let mut out = [0; 40];
    let fields = DescriptorFields { template: u8::from(!attach), attach, active, ..Default::default() };
    let len = fields.write(s, &mut out).unwrap();
    out[..len].to_vec()
}

#[test]
fn a_late_packet_is_not_read_by_a_structure_that_came_after_it() {
    let (old, new) = (single(0, 100), single(2, 200));
    assert_eq!(old.offset_after(), new.offset());
    let mut reader = DescriptorReader::default();
    reader.read(SeqNo(10), &value(&old, true, None)).unwrap();
    // The same structure again, at the next key frame: what came between refers to it as well.
    reader.read(SeqNo(20), &value(&old, true, None)).unwrap();
    reader.read(SeqNo(15), &value(&old, false, None)).unwrap();
    // A packet with the new one was lost.
    let lost = reader.read(SeqNo(31), &value(&new, false, None)).unwrap_err();
    assert_eq!(lost, DescriptorError::UnknownTemplate);
    reader.read(SeqNo(30), &value(&new, true, None)).unwrap();
    reader.read(SeqNo(31), &value(&new, false, None)).unwrap();
    for late in [value(&old, true, None), value(&old, false, None)] {
        assert_eq!(reader.read(SeqNo(16), &late).unwrap_err(), DescriptorError::Stale);
    }
    assert_eq!(reader.structure(), Some(&new));
    reader.read(SeqNo(32), &value(&new, false, None)).unwrap();
}

#[test]
fn a_value_with_its_structure_is_read_by_no_other() {
    let (its, other) = (single(0, 100), single(0, 200));
    let bytes = value(&its, true, None);
    assert!(DependencyDescriptor::parse(&bytes, Some(&its)).is_ok());
    assert_eq!(DependencyDescriptor::parse(&bytes, Some(&other)).unwrap_err(), DescriptorError::NoStructure);
    assert_eq!(
        DependencyDescriptor::attached_structure(&value(&its, false, None)),
        Err(DescriptorError::NoStructure)
    );
}

#[test]
fn active_targets_are_what_the_newest_packet_said() {
    let s = single(0, 100);
    let mut reader = DescriptorReader::default();
    let mut say = |seq, attach, active| {
        reader.read(SeqNo(seq), &value(&s, attach, active)).unwrap();
        reader.active_targets()
    };
    assert_eq!(say(1, true, None), 1);
    assert_eq!(say(3, false, Some(0)), 0);
    assert_eq!(say(2, false, Some(1)), 0, "older");
    assert_eq!(say(4, false, None), 0, "says nothing");
    assert_eq!(say(5, true, None), 1, "a structure without a mask is one of all");
}

#[test]
fn a_frame_outside_all_active_chains_may_be_lost() {
    let s = single(0, 100);
    let bytes = value(&s, true, None);
    let d = DependencyDescriptor::parse(&bytes, Some(&s)).unwrap();
    assert!(d.is_in_chain(0, 1) && !d.is_in_chain(0, 0) && !d.is_in_chain(1, 1));
    let mut out = [0; 40];
    let discardable =
        DescriptorFields { template: 1, dtis: Dtis::new(&[Dti::Discardable]), ..Default::default() };
    let len = discardable.write(&s, &mut out).unwrap();
    assert!(!DependencyDescriptor::parse(&out[..len], Some(&s)).unwrap().is_in_chain(0, 1));
}

#[test]
fn structures_that_the_format_cannot_say_are_refused() {
    let dtis = Dtis::new(&[Dti::Switch]).unwrap();
    let chains = ChainDiffs::new(&[0]).unwrap();
    let base = Template { layer: LayerIds::default(), dtis, fdiffs: &[], chains };
    let at = |spatial, temporal| Template { layer: LayerIds { spatial, temporal }, ..base };
    let build = |templates: &[Template<'_>]| Structure::new(0, templates, &[0], None);
    assert!(build(&[base, at(0, 1), at(1, 0), at(1, 0)]).is_ok());
    let none = ChainDiffs::new(&[]).unwrap();
    for wrong in [
        &[][..],
        &[at(0, 1)],
        &[base, at(0, 2)],
        &[base, at(1, 1)],
        &[base, at(0, 1), base],
        &[base, at(1, 0), at(2, 0), at(3, 0), at(4, 0)],
        &[Template { fdiffs: &[0], ..base }],
        &[Template { fdiffs: &[17], ..base }],
        &[Template { chains: ChainDiffs::new(&[16]).unwrap(), ..base }],
        &[Template { chains: ChainDiffs::new(&[0, 0]).unwrap(), ..base }],
        &[base, Template { chains: none, ..base }],
        &[base; 65],
    ] {
        assert_eq!(build(wrong), Err(BadStructure), "{wrong:?}");
    }
    assert_eq!(Structure::new(64, &[base], &[0], None), Err(BadStructure));
    assert_eq!(Structure::new(0, &[base], &[1], None), Err(BadStructure));
    assert_eq!(Structure::new(0, &[base], &[0], Some(&[(0, 1)])), Err(BadStructure));
    assert_eq!(Structure::new(0, &[base], &[0], Some(&[(1, 65_537)])), Err(BadStructure));
}
