//! The machines between the cipher and the slots take their memory when they are made, and none per packet.
//!
//! A file of its own, because the counting allocator is the program's.

use salon_rtp::{Bitrate, MediaKind, NtpTime, Packet, Pt, RtpTime, Seq, Ssrc, Time};
use salon_sfu::audible::Audible;
use salon_sfu::ingress::{
    Arrival, Cache, CacheSize, CaptureClock, Declared, KeyframeThrottle, Latch, NackGenerator, Origin,
    Passed, PublisherClock, Section, TwccRecorder,
};
use salon_sfu::speaker::Speaker;

#[test]
fn a_lossy_minute_of_sound_and_picture() {
    let mut latch = Latch::new();
    let declared = [Declared { encoding: 0u8, rid: None, ssrc: Some(Ssrc(7)), rtx_ssrc: None }];
    let section = Section {
        mid: None,
        pt: Pt::new(96).unwrap(),
        rtx_pt: None,
        extensions: Default::default(),
        encodings: &declared,
    };
    latch.publish(&section).unwrap();
    let mut arrival = Arrival::new(90_000);
    let (mut clock, mut publisher) = (CaptureClock::new(90_000), PublisherClock::new());
    let mut cache = Cache::new(CacheSize::of(MediaKind::Video, Bitrate::from_kbps(2_500)));
    let mut nack = NackGenerator::new(MediaKind::Video);
    let mut twcc = TwccRecorder::new();
    // The first packet takes the memory.
    twcc.push(Time::from_millis(995), Seq(u16::MAX));
    let mut keys = KeyframeThrottle::new();
    let (mut audible, mut speaker) = (Audible::new(), Speaker::new());
    let voices: Vec<_> = (0..10).map(|k| audible.add(k).unwrap()).collect();
    voices.iter().for_each(|&v| speaker.add(v));
    let mut bytes = [0x55; 1100];
    bytes[..12].copy_from_slice(&[0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);

    let counted = allocation_counter::measure(|| {
        let (mut asked, mut told, mut changes) = (0, 0, 0);
        for n in 0..12_000u64 {
            let now = Time::from_millis(1000 + 5 * n);
            let frame = n / 6;
            // One in eleven is lost; one in five of these comes again later.
            let number = match (n % 11, n % 55) {
                (3, 3) if n > 22 => n - 22,
                (3, _) => continue,
                _ => n,
            };
            bytes[2..4].copy_from_slice(&(number as u16).to_be_bytes());
            let packet = Packet::parse(&bytes).unwrap();
            let bound = latch.bind(now, &packet).unwrap();
            assert_eq!(latch.ssrc(bound.encoding), Some(Ssrc(7)));
            let timestamp = RtpTime((number / 6 * 2700) as u32);
            if n % 200 == 0 {
                let ntp = NtpTime::from_micros(3_900_000_000_000_000 + 5_000 * n);
                clock.sender_report(now, ntp, timestamp, &mut publisher);
                arrival.report(now);
            }
            let origin = if number < n { Origin::Repair } else { Origin::Media };
            twcc.push(now, Seq(n as u16));
            if let Ok(a) = arrival.push(now, Seq(number as u16), timestamp, 1100, origin) {
                clock.captured(now, timestamp, &publisher);
                cache.push(now, a.seq, timestamp, Passed::default(), packet.payload()).unwrap();
                assert!(cache.get(a.seq).is_some());
                nack.arrived(now, a, origin == Origin::Repair);
                keys.packet(now, frame % 100 == 0);
            }
            if nack.take_hopeless() {
                keys.request(now);
            }
            keys.poll(now);
            asked += nack.poll(now).len();
            while let Some(arrivals) = twcc.poll(now) {
                told += arrivals.iter().count();
            }
            if n % 4 == 0 {
                audible.handle_timeout(now);
                speaker.handle_timeout(now);
                for (k, &voice) in voices.iter().enumerate() {
                    let level = if (n / 400) as usize % 10 == k { 27 } else { 92 };
                    let heard = audible.push(now, voice, Some(level), 80);
                    speaker.push(now, voice, heard.level);
                    changes += usize::from(heard.changed);
                }
                while audible.poll_speaking().is_some() {}
            }
        }
        assert!(asked > 500 && told > 10_000 && changes > 20, "{asked} {told} {changes}");
    });
    assert_eq!(counted.count_total, 0);
}
