//! Instructions of the paths that matter most, counted under valgrind: a figure that does not depend on what else the machine does.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use salon_benches::memory::Frames;
use salon_benches::samples::{self, Reports};
use salon_benches::{Memory, Shape};
use salon_rtp::Packet;
use salon_rtp::extension::Values;
use salon_rtp::rtcp::Compound;

#[library_benchmark]
#[bench::five_extensions(samples::rtp())]
fn rtp(bytes: Vec<u8>) -> (usize, usize) {
    let packet = Packet::parse(black_box(&bytes)).unwrap();
    (packet.payload().len(), packet.extensions().map(|(id, value)| usize::from(id.get()) + value.len()).sum())
}

#[library_benchmark]
#[bench::five_extensions(samples::rtp())]
fn rtp_values(bytes: Vec<u8>) -> bool {
    let packet = Packet::parse(black_box(&bytes)).unwrap();
    Values::read(&packet, &samples::map()).mid.is_some()
}

#[library_benchmark]
#[bench::six(Reports::six())]
fn rtcp(bytes: Vec<u8>) -> usize {
    Compound::parse(black_box(&bytes)).unwrap().iter().count()
}

#[library_benchmark]
#[bench::five_extensions(samples::elements())]
fn header(elements: salon_rtp::OutExtensions<'static>) -> usize {
    samples::outgoing(elements, 7, &[]).write_header(black_box(&mut [0; 100])).unwrap()
}

// A frame of nine packets: divide by what leaves.
#[library_benchmark]
#[bench::to_50_plain(ready(false))]
#[bench::to_50_sealed(ready(true))]
fn frame((mut room, mut frames): (Memory, Frames)) -> (usize, Memory) {
    (room.forward(&mut frames), room)
}

fn ready(encrypted: bool) -> (Memory, Frames) {
    let mut room = Memory::new(50, Shape::CAMERA, encrypted);
    let frames = room.record(1);
    (room, frames)
}

library_benchmark_group!(name = paths, benchmarks = [rtp, rtp_values, rtcp, header, frame]);
main!(library_benchmark_groups = paths);
