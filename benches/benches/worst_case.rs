//! What a byte costs that was written to keep a reader busy: everything that reads bytes of others, over what busies it most.
//!
//! The inputs are those of the test `reading_is_linear` of `salon-rtp`, in the size of a datagram.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../crates/rtp/tests/hostile/mod.rs"]
mod hostile;
mod settings;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

criterion_group! { name = worst_case; config = settings::settings(); targets = readers }
criterion_main!(worst_case);

fn readers(c: &mut Criterion) {
    let mut group = c.benchmark_group("worst case");
    for input in hostile::all(1_200) {
        group.throughput(Throughput::Bytes(input.bytes.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(input.name), |b| {
            b.iter(|| (input.read)(black_box(&input.bytes)));
        });
    }
    group.finish();
}
