//! What forwarding costs: the parts that each packet passes, and rooms in memory beside str0m's way of a packet.
#![allow(clippy::unwrap_used, missing_docs)]

mod settings;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use salon_benches::memory::Frames;
use salon_benches::{Memory, PlainMemory, Shape};
use salon_rtp::payload::vp8::{PictureId, Temporal, Vp8Descriptor, Vp8Fields, Vp8Patch};
use salon_rtp::{Codec, MediaKind, RtpTime, SeqNo, Time};
use salon_sfu::ingress::{Cache, CacheSize, Passed};
use salon_simulcast::{Facts, Forwarder, Input, SourceId, Target};

criterion_group! { name = forwarding; config = settings::settings(); targets = cache, facts, slot, rooms }
criterion_main!(forwarding);

/// Bytes of a payload.
const PICTURE: usize = 1_150;

/// The bytes of one encoding, once.
fn cache(c: &mut Criterion) {
    let mut group = c.benchmark_group("cache");
    group.throughput(Throughput::Elements(1));
    let mut cache =
        Cache::<u8>::new(CacheSize { bytes: 1 << 20, packets: 1_024, keep: Duration::from_secs(2) });
    let (payload, mut n) = (vec![0xa5; PICTURE], 0);
    group.bench_function("push", |b| {
        b.iter(|| {
            n += 1;
            cache.push(Time::from_millis(n), SeqNo(n), 0, Passed::default(), black_box(&payload)).unwrap();
        });
    });
    let mut back = 0;
    group.bench_function("get", |b| {
        b.iter(|| {
            back = (back + 7) % 500;
            cache.get(SeqNo(n - back)).unwrap().payload.len()
        });
    });
    group.finish();
}

/// A picture of two packets, whose temporal layer is every other one.
fn payload(picture: u64, start: bool, layered: bool) -> Vec<u8> {
    let layer = u8::from(layered && picture % 2 == 1);
    let fields = Vp8Fields {
        discardable: layer > 0,
        start,
        partition: 0,
        picture_id: Some(PictureId::Long(picture as u16 & 0x7fff)),
        tl0: Some((picture / 2) as u8),
        temporal: Some(Temporal { layer, sync: layer > 0 }),
        key_index: None,
    };
    let mut bytes = Vp8Descriptor::new(fields).as_bytes().to_vec();
    // RFC 6386 §9.1: a key frame's first byte is even; its start code and size follow.
    bytes.extend(if start && picture == 0 {
        &[0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02][..]
    } else {
        &[0x11, 0, 0]
    });
    bytes.resize(30, 0xa5);
    bytes
}

/// What a packet says of itself, read once.
fn facts(c: &mut Criterion) {
    let payload = payload(7, true, true);
    let mut group = c.benchmark_group("facts");
    group.throughput(Throughput::Elements(1));
    group.bench_function("VP8", |b| b.iter(|| Facts::read(Codec::Vp8, true, black_box(&payload))));
    group.finish();
}

fn input(codec: Codec, seq: u64, picture: u64, payload: &[u8], marker: bool) -> Input {
    let now = Time::from_millis(33 * picture);
    Input {
        source: SourceId(1),
        seq: SeqNo(seq),
        timestamp: RtpTime(3_000 * picture as u32),
        captured: now,
        marker,
        facts: Facts::read(codec, marker, payload),
        arrived: now,
        newest: true,
        padding_only: false,
    }
}

/// One slot's decision on a packet with the numbers that it leaves under, and the descriptor rewritten by it.
fn slot(c: &mut Criterion) {
    let mut group = c.benchmark_group("slot");
    group.throughput(Throughput::Elements(1));
    group.bench_function("sound", |b| {
        let mut slot = aimed(MediaKind::Audio, Codec::Opus, u8::MAX);
        let sound = |n| input(Codec::Opus, n, n, &[0xfc], false);
        b.iter_custom(|packets| pushed(&mut slot, packets, sound));
    });
    // Numbers run through, and nothing is skipped.
    group.bench_function("picture", |b| {
        let mut slot = aimed(MediaKind::Video, Codec::Vp8, u8::MAX);
        b.iter_custom(|packets| pushed(&mut slot, packets, |n| picture(n, false)));
    });
    // Every other picture is skipped: the map of numbers has as many gaps as it keeps.
    group.bench_function("picture of one layer", |b| {
        let mut slot = aimed(MediaKind::Video, Codec::Vp8, 0);
        b.iter_custom(|packets| pushed(&mut slot, packets, |n| picture(n, true)));
    });
    // Packets of a while ago, sought among the gaps: each has left, and is refused.
    group.bench_function("late packet among gaps", |b| {
        let mut slot = aimed(MediaKind::Video, Codec::Vp8, 0);
        pushed(&mut slot, 400, |n| picture(n, true));
        b.iter_custom(|packets| pushed(&mut slot, packets, |n| picture(280 + n % 28 * 4, true)));
    });
    group.bench_function("patch", |b| {
        let descriptor = Vp8Descriptor::parse(&payload(4, true, true)).unwrap();
        let patch =
            Vp8Patch { picture_id: Some(PictureId::Long(0x1234)), tl0: Some(7), ..Vp8Patch::default() };
        b.iter(|| black_box(&descriptor).patched(black_box(&patch)));
    });
    group.finish();
}

/// A packet of a picture of two.
fn picture(n: u64, layered: bool) -> Input {
    input(Codec::Vp8, n, n / 2, &payload(n / 2, n.is_multiple_of(2), layered), n % 2 == 1)
}

/// How long it takes to push packets, which are made beforehand and go on from one call to the next.
fn pushed((slot, next): &mut (Forwarder, u64), packets: u64, make: impl Fn(u64) -> Input) -> Duration {
    let (mut took, mut left) = (Duration::ZERO, packets);
    while left > 0 {
        let some = left.min(256);
        let inputs: Vec<_> = (*next..*next + some).map(&make).collect();
        let begin = Instant::now();
        for input in &inputs {
            let _ = black_box(slot.push(input));
        }
        took += begin.elapsed();
        (*next, left) = (*next + some, left - some);
    }
    took
}

/// A slot, and the number of the packet that it is given next.
fn aimed(kind: MediaKind, codec: Codec, temporal: u8) -> (Forwarder, u64) {
    let mut slot = Forwarder::new(kind, codec.clock_rate(), SeqNo(1_000), 0);
    slot.aim(Some(Target { source: SourceId(1), temporal, codec }));
    (slot, 0)
}

/// Packets that are made ready before the clock runs: a few frames, so that they lie where received packets do.
const FRAMES: u64 = 7;

/// One camera of 2.5 Mbit/s, frame by frame, to so many: what leaves.
fn rooms(c: &mut Criterion) {
    let mut group = c.benchmark_group("forward");
    for viewers in [1, 10, 50, 200] {
        let shape = Shape::CAMERA;
        group.throughput(Throughput::Elements(u64::from(shape.packets) * viewers as u64));
        for (name, encrypted) in [("salon", true), ("salon plain", false)] {
            let mut room = Memory::new(viewers, shape, encrypted);
            let mut work = |frames: &mut Work<'_>| match frames {
                Work::Make(n, out) => **out = room.record(*n),
                Work::Take(frames) => assert_eq!(room.forward(frames), frames.len() * 9 * viewers),
            };
            measure(&mut group, name, viewers, &mut work);
        }
        let mut plain = PlainMemory::new(viewers, shape);
        let mut work = |frames: &mut Work<'_>| match frames {
            Work::Make(n, out) => **out = plain.record(*n),
            Work::Take(frames) => assert_eq!(plain.forward(frames), frames.len() * 9 * viewers),
        };
        measure(&mut group, "str0m", viewers, &mut work);
    }
    group.finish();
}

/// What is asked of a forwarder: packets to be measured with, and what is measured.
enum Work<'a> {
    Make(usize, &'a mut Frames),
    Take(&'a mut Frames),
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    viewers: usize,
    work: &mut dyn FnMut(&mut Work<'_>),
) {
    group.bench_function(BenchmarkId::new(name, viewers), |b| {
        b.iter_custom(|frames| {
            let (mut left, mut took, mut ready) = (frames, Duration::ZERO, Frames::new());
            while left > 0 {
                let some = left.min(FRAMES);
                work(&mut Work::Make(some as usize, &mut ready));
                let begin = Instant::now();
                work(&mut Work::Take(&mut ready));
                took += begin.elapsed();
                left -= some;
            }
            took
        });
    });
}
