//! Random steps: 10⁵ here, 10⁷ by `cargo run --release -p salon-tests --bin steps -- 10000000 [seed]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use salon_tests::steps;

#[test]
fn a_hundred_thousand_random_steps_break_no_law() {
    // Two seeds that never change, so that a failure is the change's.
    for seed in [1, 2026] {
        let outcome = steps::play(60_000, seed, |_, _| {});
        println!("show 6: seed {seed}: {outcome:?}");
        assert!(outcome.steps >= 60_000 && outcome.decoded > 1_000 && outcome.repair > 100);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in [7, 8, 9] {
        let (a, b) = (steps::scenario(seed), steps::scenario(seed));
        assert_eq!(
            (a.trace, a.steps, a.media, a.decoded),
            (b.trace, b.steps, b.media, b.decoded),
            "seed {seed}"
        );
    }
    assert_ne!(steps::scenario(7).trace, steps::scenario(8).trace);
}
