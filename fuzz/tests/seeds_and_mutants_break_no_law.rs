//! Every target on the stable toolchain: its seeds, and mutants of them, the same each time.
#![allow(clippy::unwrap_used, clippy::panic)]

use salon_fuzz::mutate::{self, Dice};
use salon_fuzz::{TARGETS, Target, differential, target};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Mutants of each target's seeds. Where one input is a whole negotiation or hundreds of calls, fewer.
fn mutants(name: &str) -> u32 {
    match name {
        "srtp_open" | "stun" | "sdp_answer" | "room" => 20_000,
        _ => 100_000,
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/seeds")).join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    files.iter().map(|f| std::fs::read(f).unwrap()).collect()
}

fn mutant(target: &Target, seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(4) {
        let other = &seeds[dice.below(seeds.len())];
        let change = if target.text && dice.below(8) > 0 { mutate::text } else { mutate::bytes };
        change(dice, &mut bytes, other);
    }
    bytes.truncate(16_000);
    bytes
}

/// How many seeds and mutants the target read as what they should be, of how many.
fn replay(name: &str) {
    let target = target(name).unwrap();
    let seeds = seeds(name);
    let read = seeds.iter().filter(|s| (target.body)(s)).count();
    let (mut dice, mut taken, count) = (Dice::new(0x9e37_79b9_7f4a_7c15), 0, mutants(name));
    for _ in 0..count {
        taken += u32::from((target.body)(&mutant(&target, &seeds, &mut dice)));
    }
    println!("{name}: {read} of {} seeds and {taken} of {count} mutants are read", seeds.len());
    // A mutator that breaks everything, or nothing, would test nothing.
    assert!(read > 1 && taken > count / 100 && taken < count, "{name}: {read} {taken}");
}

macro_rules! replays {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*

        #[test]
        fn every_target_has_its_test_and_its_seeds() {
            let names: Vec<_> = TARGETS.iter().map(|t| t.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
            let seeds: BTreeSet<_> = (std::fs::read_dir(folder.join("seeds")).unwrap())
                .map(|f| f.unwrap().file_name().into_string().unwrap())
                .filter(|f| f != "README.md")
                .collect();
            assert_eq!(seeds, names.iter().map(|n| (*n).to_owned()).collect());
        }
    };
}

replays! {
    rtp rtp_rewrite extensions rtcp feedback stun sdp_offer sdp_answer vp8 vp9 h26x av1 red_rtx srtp_open message room
}

#[test]
fn each_known_difference_to_other_readers_still_shows_and_stands_in_the_table_of_the_readme() {
    let mut seen = BTreeSet::new();
    seeds("rtp").iter().for_each(|s| seen.extend(differential::rtp(s)));
    seeds("rtcp").iter().for_each(|s| seen.extend(differential::rtcp(s)));
    let rows = || differential::TABLE.iter().copied().flatten().enumerate();
    let never: Vec<_> = rows().filter(|(at, _)| !seen.contains(at)).collect();
    assert!(never.is_empty(), "no seed shows {never:#?}");
    let readme = include_str!("../README.md");
    // Where a row is for all kinds of packet, it says so.
    let of = |row: &differential::Row| {
        if row.of.len() > 9 { "all".to_owned() } else { row.of.join(", ") }
    };
    if std::env::var_os("SALON_PRINT_TABLE").is_some() {
        for (_, row) in rows() {
            println!("| {} | {} | {:?} | {:?} | {} |", row.who, of(row), row.ours, row.theirs, row.why);
        }
    }
    for (_, row) in rows() {
        let line = format!("| {} | {} | {:?} | {:?} | {} |", row.who, of(row), row.ours, row.theirs, row.why);
        assert!(readme.contains(&line), "README.md lacks:\n{line}");
    }
}
