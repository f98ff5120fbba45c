//! Whatever the bytes, a reader is done in a time that grows as they do, and takes no memory that grows with them.
//!
//! What is counted is what a reader gives: packets, blocks, items, numbers, elements. Each costs a bounded number of steps, so
//! that a bound of them per byte is one of time. Nanoseconds per byte are the benches' (`worst_case`).
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod hostile;
mod lines;
#[allow(unreachable_pub)]
mod mutate;

use hostile::{Hostile, READERS, STATUSES};
use mutate::Dice;
use std::hint::black_box;

/// Things that a reader gives per byte, and some: four bytes of a NACK name 17 packets (RFC 4585 §6.2.1), two of
/// transport-wide feedback speak of fourteen (§3.1.3 of its draft).
const PER_BYTE: usize = 7;
/// Things that fewer bytes give: a structure's 64 templates take eight bits each at least, of which some are shared.
const AT_LEAST: usize = 64;
/// Bytes of one transport-wide feedback that claims 8,191 packets in a run: what is read of it, the reader bounds.
const SMALLEST_FEEDBACK: usize = 24;

fn bound(bytes: &[u8]) -> usize {
    AT_LEAST + PER_BYTE * bytes.len() + STATUSES * claims(bytes)
}

/// How many messages may be in it that claim more than their bytes say.
fn claims(bytes: &[u8]) -> usize {
    let feedback = bytes.windows(2).filter(|w| w[0] & 0x1f == 15 && w[1] == 205).count();
    feedback.min(bytes.len() / SMALLEST_FEEDBACK)
}

#[test]
fn what_is_written_to_keep_a_reader_busy_does_not() {
    let mut dearest = (0.0, "");
    for Hostile { name, bytes, read } in hostile::all(1_200) {
        let things = read(&bytes);
        println!("{name}: {} bytes, {things:?}", bytes.len());
        let things = things.unwrap_or(0);
        assert!(things <= bound(&bytes), "{name}: {things}");
        if claims(&bytes) == 0 {
            dearest = if things as f64 / bytes.len() as f64 > dearest.0 {
                (things as f64 / bytes.len() as f64, name)
            } else {
                dearest
            };
        }
    }
    println!("at most {:.2} per byte: {}", dearest.0, dearest.1);
    // Without a reader that is kept busy, this would say nothing.
    assert!(dearest.0 > 4.0, "{dearest:?}");
}

#[test]
fn fifty_times_the_bytes_are_fifty_times_the_things() {
    let mut grown = 0;
    for (small, large) in hostile::all(1_200).into_iter().zip(hostile::all(60_000)) {
        let (Some(few), Some(many)) = ((small.read)(&small.bytes), (large.read)(&large.bytes)) else {
            continue;
        };
        // In things per byte; a head of a few bytes weighs more in the smaller.
        let rate = |things: usize, bytes: usize| things as f64 / bytes as f64;
        let (before, after) = (rate(few, small.bytes.len()), rate(many, large.bytes.len()));
        assert!(after <= before * 1.1 + 0.01, "{}: {before} → {after}", small.name);
        grown += usize::from(many > 10 * few);
    }
    // Those of one size are not among them.
    assert!(grown >= 20, "{grown}");
}

#[test]
fn seeds_and_their_mutants_give_no_more() {
    let (mut read, mut most) = (0u32, 0.0f64);
    mutants(|bytes| {
        for (name, reader) in READERS {
            let Some(things) = reader(bytes) else { continue };
            read += 1;
            assert!(things <= bound(bytes), "{name}: {things} of {bytes:?}");
            most = most
                .max(things.saturating_sub(AT_LEAST + STATUSES * claims(bytes)) as f64 / bytes.len() as f64);
        }
    });
    println!("{read} times something was read; at most {most:.2} things per byte beyond {AT_LEAST}");
    assert!(read > 50_000, "{read}");
}

/// Bytes that reading may take from the heap for each byte that is read. None: every reader borrows.
const HEAP_PER_BYTE: u64 = 0;

#[test]
fn seeds_and_their_mutants_take_no_memory() {
    let mut measured = 0u32;
    let mut check = |bytes: &[u8]| {
        for (name, reader) in READERS {
            let info = allocation_counter::measure(|| _ = reader(bytes));
            assert!(info.bytes_total <= HEAP_PER_BYTE * bytes.len() as u64, "{name}: {info:?} for {bytes:?}");
            measured += 1;
        }
    };
    hostile::all(1_200).iter().for_each(|h| check(&h.bytes));
    mutants(&mut check);
    println!("{measured} times measured");
    // The counter counts.
    assert!(allocation_counter::measure(|| drop(black_box(vec![1u8; 9]))).bytes_total == 9);
}

/// Seeds, each whole and sixty times with bytes changed here and there.
fn mutants(mut read: impl FnMut(&[u8])) {
    let last = |text: &'static str, separator: char| {
        lines::of(text).map(move |l| lines::hex(l.rsplit_once(separator).map_or("", |(_, hex)| hex)))
    };
    let mut seeds: Vec<Vec<u8>> = last(include_str!("data/rtp_seeds.txt"), ' ').collect();
    seeds.extend(last(include_str!("data/rtcp_seeds.txt"), ' '));
    seeds.extend(last(include_str!("data/rtcp_verdicts.txt"), '|'));
    seeds.extend(last(include_str!("data/descriptor_seeds.txt"), ' '));
    seeds.extend(hostile::all(200).into_iter().map(|h| h.bytes));
    let mut dice = Dice::new(0x9e37_79b9_7f4a_7c15);
    for seed in &seeds {
        read(seed);
        for _ in 0..60 {
            let mut bytes = seed.clone();
            for _ in 0..=dice.below(4) {
                let other = dice.below(seeds.len());
                mutate::bytes(&mut dice, &mut bytes, &seeds[other]);
                bytes.truncate(4_000);
            }
            read(&bytes);
        }
    }
}
