//! The seeds of libwebrtc's fuzzers, whole, cut and with each length field changed, through everything that reads bytes.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../src/cases.rs"]
mod cases;

mod lines;
mod readers;

use proptest::prelude::*;
use readers::{read_payload, read_rtcp, read_rtp};

/// Names and bytes.
fn seeds(text: &str) -> Vec<(&str, Vec<u8>)> {
    lines::of(text).map(|l| l.split_once(' ').unwrap()).map(|(name, hex)| (name, lines::hex(hex))).collect()
}

/// How many of them are what they should be, each said by name.
fn count(seeds: &[(&str, Vec<u8>)], read: impl Fn(&[u8]) -> bool) -> usize {
    let said = |(name, bytes): &&(&str, Vec<u8>)| {
        let yes = read(bytes);
        println!("{}  {name}", if yes { "read" } else { "refused" });
        yes
    };
    seeds.iter().filter(said).count()
}

/// Each byte set to 0, 1, 127, 255 and moved by one, then each prefix.
fn mutations(seed: &[u8], mut read: impl FnMut(&[u8])) {
    for at in 0..seed.len() {
        for value in [0, 1, 127, 255, seed[at].wrapping_add(1), seed[at].wrapping_sub(1)] {
            let mut bytes = seed.to_vec();
            bytes[at] = value;
            read(&bytes);
        }
        read(&seed[..at]);
    }
}

#[test]
fn seeds_of_rtp() {
    let seeds = seeds(include_str!("data/rtp_seeds.txt"));
    // As many as we take today: a change of this number is a change of what we accept.
    assert_eq!((seeds.len(), count(&seeds, read_rtp)), (37, 24));
    println!(
        "vectors: seeds (rtp): 37 of 39, 24 of them packets; the other two are 261,774 bytes long, more than a datagram holds"
    );
    for (_, seed) in &seeds {
        mutations(seed, |b| _ = read_rtp(b));
    }
}

#[test]
fn large_seeds_of_rtp() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors/seeds/rtp");
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("skipped: the two large seeds are not here (half a megabyte, not kept with the source)");
        return;
    };
    let seeds: Vec<_> = files.map(|f| std::fs::read(f.unwrap().path()).unwrap()).collect();
    println!("{} seeds, {} of them are packets", seeds.len(), seeds.iter().filter(|s| read_rtp(s)).count());
    assert_eq!(seeds.len(), 39);
}

#[test]
fn seeds_of_rtcp() {
    let seeds = seeds(include_str!("data/rtcp_seeds.txt"));
    assert_eq!((seeds.len(), count(&seeds, |s| read_rtcp(s) > 0)), (77, 58));
    println!("vectors: seeds (rtcp): 77 of 77, 58 of them compounds");
    for (_, seed) in &seeds {
        mutations(seed, |b| _ = read_rtcp(b));
    }
}

#[test]
fn verdicts_mutated() {
    for line in lines::of(include_str!("data/rtcp_verdicts.txt")) {
        let (_, hex) = line.rsplit_once('|').unwrap();
        mutations(&lines::hex(hex), |b| _ = read_rtcp(b));
    }
}

proptest! {
    #![proptest_config(cases::cases(10_000))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_rtp(&bytes);
        read_rtcp(&bytes);
        read_payload(&bytes);
    }

    /// Random bytes behind a header that makes some reader look at them.
    #[test]
    fn random_bodies(
        body in prop::collection::vec(any::<u8>(), 0..200), first in 0x80u8..=0xff, kind in 199u8..=207,
        profile in prop::sample::select(vec![0xbedeu16, 0x1000]),
    ) {
        let words = (body.len() / 4) as u16;
        let body = &body[..body.len() / 4 * 4];
        let rtcp = [&[first, kind][..], &words.to_be_bytes(), body].concat();
        read_rtcp(&rtcp);
        let rtp = [
            &[0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3][..], &profile.to_be_bytes(), &(words / 2).to_be_bytes(), body,
        ].concat();
        prop_assert!(read_rtp(&rtp));
    }
}
