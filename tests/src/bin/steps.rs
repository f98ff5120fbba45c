//! Random steps in rooms: `cargo run --release -p salon-tests --bin steps -- 10000000 [seed]`. With `1 SEED` it plays one
//! scenario again.
#![allow(clippy::panic)] // A command that was called wrongly ends.

use salon_tests::steps;
use std::time::Instant;

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |name: &str, default: u64| {
        args.next().map_or(default, |a| a.parse().unwrap_or_else(|_| panic!("{name} is not a number: {a}")))
    };
    let (count, seed) = (number("the number of steps", 1_000_000), number("the seed", 1));
    let begun = Instant::now();
    let outcome = steps::play(count, seed, |scenario, sum| {
        if sum.scenarios % 50 == 0 {
            println!("after seed {scenario}: {} steps, {:.0} s", sum.steps, begun.elapsed().as_secs_f64());
        }
    });
    println!("seed {seed}: all laws hold: {outcome:?}; {:.0} s", begun.elapsed().as_secs_f64());
}
