//! Whatever comes: no panic, bounded state, no number twice, no allocation.
#![allow(clippy::unwrap_used)]

mod model;

use std::collections::HashSet;

use model::{Shape, Slot, Source, sound, sound_slot, voice};
use proptest::prelude::*;
use salon_rtp::payload::vp8::{PictureId, Vp8Descriptor, Vp8Fields};
use salon_rtp::payload::vp9::Vp9Descriptor;
use salon_rtp::{Codec, MediaKind, RtpTime, SeqNo, Time};
use salon_simulcast::{Facts, Forwarder, Ids, Input, Layer, SourceId, Target};

/// Numbers that are near each other, and any.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 70_000u64..70_300, 1 => any::<u64>(), 1 => 60_000u64..80_000]
}

fn ids() -> impl Strategy<Value = Ids> {
    let id = || {
        prop_oneof![
            any::<u16>().prop_map(PictureId::Long),
            (0u16..30).prop_map(PictureId::Long),
            any::<u8>().prop_map(PictureId::Short)
        ]
    };
    let o = |s| prop::option::of(s);
    prop_oneof![
        Just(Ids::None),
        (o(id().boxed()), prop::option::of(any::<u8>()), prop::option::of(any::<u8>())).prop_map(
            |(picture_id, tl0, key_index)| {
                Ids::Vp8(Vp8Descriptor::new(Vp8Fields { picture_id, tl0, key_index, ..Vp8Fields::default() }))
            }
        ),
        prop::collection::vec(any::<u8>(), 80)
            .prop_map(|bytes| Vp9Descriptor::parse(&bytes).map_or(Ids::None, |d| Ids::Vp9(d.head()))),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let time = || prop_oneof![4 => 1_000_000u64..9_000_000, 1 => any::<u64>()].prop_map(Time::from_micros);
    let flags = prop::collection::vec(any::<bool>(), 8);
    (0u32..3, number(), number(), (time(), time()), flags, (any::<u8>(), 0u8..5), ids()).prop_map(
        |(source, seq, timestamp, (captured, arrived), f, (spatial, temporal), ids)| Input {
            source: SourceId(source),
            seq: SeqNo(seq),
            timestamp: RtpTime(timestamp as u32),
            captured,
            marker: f[0],
            facts: Facts {
                key: f[1] && f[2],
                frame_start: f[3],
                frame_end: f[0],
                layer: Layer { spatial, temporal },
                switch_up: f[4],
                discardable: f[5],
                ids,
            },
            arrived,
            newest: f[6],
            padding_only: f[7] && f[5],
        },
    )
}

proptest! {
    /// Laws 1, 18 and 20 for anything at all, aimed anywhere.
    #[test]
    fn anything_may_come(
        video: bool,
        steps in prop::collection::vec((input(), 0u8..40), 1..300),
    ) {
        let (kind, rate) = if video { (MediaKind::Video, 90_000) } else { (MediaKind::Audio, 48_000) };
        let mut slot = Forwarder::new(kind, rate, SeqNo(1), 5);
        let mut given = HashSet::new();
        for (input, what) in steps {
            let target = Target { source: input.source, temporal: what, codec: Codec::Vp8 };
            match what {
                0 => slot.aim(None),
                1..=6 => slot.aim(Some(target)),
                7 => slot.source_gone(input.source),
                8 => slot.source_restarted(input.source),
                _ => {}
            }
            if let Ok(out) = slot.push(&input) {
                prop_assert!(given.insert(out.index));
                let (prefix, replaced) = out.patch.get();
                let most = match input.facts.ids {
                    Ids::Vp8(d) => d.len(),
                    Ids::Vp9(_) => 5,
                    _ => 0,
                };
                prop_assert!(replaced <= most && (replaced..=replaced + 1).contains(&prefix.as_slice().len()));
                prop_assert_eq!(out.patch.is_none(), prefix.as_slice().is_empty());
            }
            let _ = (slot.current(), slot.wants_key(), slot.target(), slot.clock(input.arrived));
        }
        // Law 9 of §2: the roll-over count must stay certain, so the numbers never leap.
        let mut given: Vec<_> = given.into_iter().collect();
        given.sort();
        for pair in given.windows(2) {
            prop_assert!(pair[1].since(pair[0]) < 1 << 15);
        }
    }

    #[test]
    fn any_payload_can_be_read(payload in prop::collection::vec(any::<u8>(), 0..64), marker: bool) {
        use salon_rtp::H264Profile::High;
        for codec in [Codec::Vp8, Codec::Vp9(0), Codec::H264(High), Codec::Opus] {
            let facts = Facts::read(codec, marker, &payload);
            prop_assert_eq!(facts.frame_end, marker || codec == Codec::Opus);
            prop_assert!(!facts.key || facts.layer.temporal == 0);
        }
    }
}

/// Law 18, measured: nothing is allocated per packet, whatever is dropped, lost, late or switched.
#[test]
fn no_packet_allocates() {
    let mut sources = [Source::new(1, Shape::Full), Source::new(2, Shape::Narrow)];
    let mut wires = Vec::new();
    let mut now = Time::from_millis(1_000);
    for n in 0..3_000 {
        now = now.plus(core::time::Duration::from_millis(16));
        let mut picture = sources[n / 500 % 2].picture(now, 3, n % 100 == 0);
        if n % 5 == 0 {
            picture.swap(0, 2);
        }
        if n % 7 == 0 {
            picture.pop();
        }
        wires.extend(picture.into_iter().map(|w| (n, w.input(now, true))));
    }
    let mut slot = Slot::new().forwarder;
    let mut forwarded = 0;
    let counted = allocation_counter::measure(|| {
        for (n, input) in &wires {
            let (source, temporal) = (SourceId(1 + (n / 500 % 2) as u32), (n / 250 % 3) as u8);
            slot.aim(Some(Target { source, temporal, codec: Codec::Vp8 }));
            forwarded += usize::from(slot.push(input).is_ok());
        }
    });
    assert_eq!(counted.count_total, 0);
    assert!(forwarded > 3_000, "{forwarded}");

    let mut voices = sound_slot();
    let counted = allocation_counter::measure(|| {
        for n in 0..10_000u64 {
            voices.aim(voice((n / 100) as u32));
            let _ = voices.push(&sound((n / 100) as u32, n, n as u32 * 960, Time::from_millis(n * 20)));
        }
    });
    assert_eq!(counted.count_total, 0);
}

/// One slot with all that it owns, so that the cost of a hundred slots per receiver is known.
#[test]
fn a_slot_is_small() {
    let bytes = allocation_counter::measure(|| drop(Slot::new())).bytes_max;
    assert!(size_of::<Forwarder>() <= 1_536, "{}", size_of::<Forwarder>());
    assert!(bytes <= 8_192, "{bytes}");
    let sound = allocation_counter::measure(|| drop(sound_slot())).bytes_max;
    assert!(sound <= 2_048, "{sound}");
}
