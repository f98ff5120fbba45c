//! Dependency descriptors that others made: what they say, and that they are written back as they came.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod lines;

use salon_rtp::SeqNo;
use salon_rtp::extension::descriptor::*;

/// What a descriptor says, in the words of `data/descriptors.txt`.
fn rendered(d: &DependencyDescriptor<'_>) -> String {
    let s = d.structure();
    let yes = |yes: bool, word: &'static str| if yes { word } else { "-" };
    let (start, end) = (yes(d.start, "start"), yes(d.end, "end"));
    let mut out = vec![format!("{start} {end} frame {} template {}", d.frame, d.template_index())];
    // All are active where a structure comes without a mask: that is implied, not said.
    if let Some(mask) = d.active_targets().filter(|_| !d.attached()) {
        out.push(format!("active {mask:x}"));
    }
    out.push(line(d.layer(), d.dtis(), d.fdiffs(), d.chains()));
    if d.attached() {
        let protected = (0..s.targets()).filter_map(|t| s.protected_by(t).map(u32::from));
        let sizes = (0..=s.max_spatial()).filter_map(|l| s.resolution(l)).map(|(w, h)| format!("{w}x{h}"));
        let sizes = sizes.collect::<Vec<_>>().join(",");
        out.push(format!("offset {} protected {} sizes [{sizes}]", s.offset(), list(protected)));
        for i in 0..s.len() {
            let t = s.template(i as u8).unwrap();
            out.push(line(t.layer, t.dtis, t.fdiffs.iter().map(|&d| d.into()), t.chains.as_slice()));
        }
    }
    out.join("; ")
}

fn line(layer: LayerIds, dtis: Dtis, fdiffs: impl Iterator<Item = u16>, chains: &[u8]) -> String {
    let dtis: String = dtis.iter().map(|d| ['-', 'D', 'S', 'R'][d as usize]).collect();
    let (fdiffs, chains) = (list(fdiffs.map(u32::from)), list(chains.iter().map(|&c| c.into())));
    format!("{}/{} {dtis} {fdiffs} {chains}", layer.spatial, layer.temporal)
}

fn list(numbers: impl Iterator<Item = u32>) -> String {
    format!("[{}]", numbers.map(|n| n.to_string()).collect::<Vec<_>>().join(","))
}

/// Writes anew what was read.
fn rewritten(d: &DependencyDescriptor<'_>) -> Vec<u8> {
    let fdiffs: Vec<u16> = d.fdiffs().collect();
    let (dtis, custom_fdiffs, chains) = d.custom();
    let fields = DescriptorFields {
        start: d.start,
        end: d.end,
        frame: d.frame,
        template: d.template_index(),
        attach: d.attached(),
        active: d.active_targets().filter(|&a| !d.attached() || a != d.structure().all_targets()),
        dtis: dtis.then(|| d.dtis()),
        fdiffs: custom_fdiffs.then_some(&fdiffs),
        chains: chains.then(|| d.chains()),
    };
    let mut out = [0xaa; 300];
    let len = fields.write(d.structure(), &mut out).unwrap();
    assert_eq!(fields.write(d.structure(), &mut out[..len - 1]), Err(DescriptorWriteError::TooSmall));
    out[..len].to_vec()
}

#[test]
fn every_descriptor_says_what_another_decoder_reads() {
    let vectors: Vec<Vec<&str>> =
        lines::of(include_str!("data/descriptors.txt")).map(|l| l.split('|').collect()).collect();
    let mut agreed = 0;
    for v in &vectors {
        let [name, hex, after, expected] = v[..] else { panic!("{v:?}") };
        let mut reader = DescriptorReader::default();
        let value = lines::hex(hex);
        if let Some(first) = vectors.iter().find(|w| w[0] == after) {
            // Without its structure it says nothing.
            assert_eq!(reader.read(SeqNo(1), &value).unwrap_err(), DescriptorError::NoStructure);
            reader.read(SeqNo(0), &lines::hex(first[1])).unwrap();
        }
        let d = reader.read(SeqNo(1), &value).unwrap();
        assert_eq!(rendered(&d), expected, "{name}");
        // All of them stand in the shortest form: what is written anew are the same bytes.
        assert_eq!(rewritten(&d), value, "{name}");
        println!("ok  {name}");
        agreed += 1;
    }
    assert_eq!(agreed, 11);
    println!("vectors: av1_dependency_descriptors: {agreed} of 11");
}

/// The machine of libwebrtc's fuzzer: values behind their lengths, over one structure.
#[test]
fn as_many_seeds_are_descriptors_as_another_decoder_finds() {
    let (mut seeds, mut all) = (0, 0);
    for line in lines::of(include_str!("data/descriptor_seeds.txt")) {
        let [name, expected, hex] = line.split(' ').collect::<Vec<_>>()[..] else { panic!() };
        let (mut reader, bytes) = (DescriptorReader::default(), lines::hex(hex));
        let (mut rest, mut read, mut values) = (&bytes[..], 0, 0);
        while let Some((&len, after)) = rest.split_first() {
            let (value, after) = after.split_at(usize::from(len).min(after.len()));
            rest = after;
            values += 1;
            let Ok(d) = reader.read(SeqNo(values), value) else { continue };
            read += 1;
            let (before, new) = (rendered(&d), rewritten(&d));
            // Not longer than what was read, and it says the same.
            assert!(new.len() <= value.len(), "{name}");
            let again = DependencyDescriptor::parse(&new, Some(d.structure())).unwrap();
            assert_eq!(rendered(&again), before, "{name}");
        }
        assert_eq!(format!("{read}/{values}"), expected, "{name}");
        println!("{expected}  {name}");
        seeds += 1;
        all += read;
    }
    assert_eq!((seeds, all), (17, 26));
    println!("vectors: seeds (dependency_descriptor): {seeds} of 17, in which {all} descriptors are read");
}
