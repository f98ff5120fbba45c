use super::*;
use crate::{CameraConfig, CameraSource, Datagram, Link, LinkConfig, TemporalLayers};

/// A camera and a receiver with nobody between them but two links.
struct Call {
    camera: CameraSource,
    receiver: VideoReceiver,
    there: Link<Datagram>,
    back: Link<Datagram>,
    outbox: Outbox,
    rtx_bytes: u64,
}

impl Call {
    fn new(seed: u64, camera: CameraConfig, there: LinkConfig, back: LinkConfig) -> Self {
        let encoding = camera.encodings[0];
        Self {
            camera: CameraSource::new(seed, camera),
            receiver: VideoReceiver::new(ReceiverConfig {
                remb: Some(Bitrate::from_kbps(500)),
                reorder: Duration::from_millis(10),
                rtt: Duration::from_millis(150),
                ..ReceiverConfig::new(Ssrc(9), encoding.ssrc, encoding.rtx)
            }),
            there: Link::new(seed + 1, there),
            back: Link::new(seed + 2, back),
            outbox: Outbox::default(),
            rtx_bytes: 0,
        }
    }

    fn run(&mut self, ms: core::ops::Range<u64>) {
        for t in ms {
            let now = Time::from_millis(t);
            self.camera.poll(now, &mut self.outbox);
            while let Some(d) = self.back.pop(now) {
                self.camera.handle_rtcp(now, d.as_ref(), &mut self.outbox);
            }
            for d in self.outbox.drain() {
                if Packet::parse(d.as_ref()).is_ok_and(|p| Some(p.ssrc()) == self.receiver.config().rtx) {
                    self.rtx_bytes += d.as_ref().len() as u64;
                }
                self.there.push(now, d);
            }
            while let Some(d) = self.there.pop(now) {
                match d {
                    Datagram::Rtp(bytes) => self.receiver.handle_rtp(now, &bytes),
                    Datagram::Rtcp(bytes) => self.receiver.handle_rtcp(now, &bytes),
                }
            }
            self.receiver.poll(now, &mut self.outbox);
            for d in self.outbox.drain() {
                self.back.push(now, d);
            }
        }
    }
}

fn lossy(loss: f64) -> LinkConfig {
    LinkConfig {
        loss,
        delay: Duration::from_millis(40),
        jitter: Duration::from_millis(30),
        ..LinkConfig::default()
    }
}

#[test]
fn what_is_lost_is_asked_for_and_comes() {
    let camera = CameraConfig { fps: 30, layers: TemporalLayers::L1T3, ..CameraConfig::default() };
    let mut call = Call::new(1, camera, lossy(0.05), lossy(0.05));
    call.run(0..60_000);
    call.camera.set_enabled(false);
    call.run(60_000..62_000);
    let (lost, counts) = (call.there.counts().lost, call.receiver.counts());
    let report = call.receiver.finish();
    assert_eq!(report.broken_law(), None, "{report:?}");
    assert!(report.stream.holes * 1_000 < report.stream.packets, "{report:?}");
    assert!(report.undecodable * 100 < report.complete, "{report:?} {counts:?}");
    assert!(counts.recovered * 10 > lost * 8, "{counts:?} of {lost}");
    let sent = call.camera.counts();
    assert!(call.rtx_bytes * 100 < (sent.bytes * 5 / 100) * 150, "{} of {}", call.rtx_bytes, sent.bytes);
    assert!(counts.sender_reports > 50);
}

#[test]
fn reports_tell_loss_round_trip_and_jitter() {
    let mut call = Call::new(3, CameraConfig::default(), lossy(0.1), LinkConfig::default());
    let mut seen = Vec::new();
    for second in 0..30 {
        call.run(second * 1_000..(second + 1) * 1_000);
        let mut outbox = Outbox::default();
        let mut copy = call.receiver.clone();
        copy.next_report = Time::ZERO;
        copy.poll(Time::from_millis((second + 1) * 1_000), &mut outbox);
        let Some(Datagram::Rtcp(bytes)) = outbox.drain().next() else { panic!() };
        for p in &Compound::parse(&bytes).unwrap() {
            match p {
                RtcpPacket::ReceiverReport(r) => seen.extend(r.blocks.iter()),
                RtcpPacket::Remb(r) => assert_eq!(r.bitrate.as_bps() / 1_000, 500),
                _ => {}
            }
        }
    }
    let last = seen.last().unwrap();
    let lost = f64::from(last.cumulative_lost) / f64::from(last.highest - 0xff80 + 1);
    assert!((0.05..0.15).contains(&lost), "{lost}");
    // Delay varies by up to 30 ms, evenly: its mean change is a third of that.
    assert!((300..2_000).contains(&last.jitter), "{}", last.jitter);
    assert!(last.last_report != 0 && last.delay < 2 * 65_536);
}

#[test]
fn who_comes_late_asks_for_a_key_frame_once_and_gets_it() {
    let mut call = Call::new(4, CameraConfig::default(), LinkConfig::default(), LinkConfig::default());
    // The first second passes him by.
    let mut nobody = Outbox::default();
    (0..1_000).for_each(|t| call.camera.poll(Time::from_millis(t), &mut nobody));
    call.run(1_000..3_000);
    assert_eq!(call.receiver.counts().plis, 1);
    assert_eq!(call.camera.counts().keys, 2);
    let first = call.receiver.decoder().pop().unwrap();
    assert!(first.tag.key && first.at < Time::from_millis(1_350), "{first:?}");
}

#[test]
fn a_long_outage_ends_with_a_key_frame_and_not_with_a_flood_of_requests() {
    let camera = CameraConfig { fps: 30, packet_bytes: 150, ..CameraConfig::default() };
    let mut call = Call::new(5, camera, LinkConfig::default(), LinkConfig::default());
    call.run(0..5_000);
    call.there.configure(LinkConfig { loss: 1.0, ..LinkConfig::default() });
    call.run(5_000..20_000);
    call.there.configure(LinkConfig::default());
    call.run(20_000..22_000);
    assert!(call.receiver.missing() == 0, "{}", call.receiver.missing());
    assert!((1..8).contains(&call.receiver.counts().plis), "{:?}", call.receiver.counts());
    let last = call.receiver.decoder().last_decoded().unwrap();
    assert!(last > Time::from_millis(21_900));
    assert_eq!(call.receiver.finish().corrupt, 0);
}

#[test]
fn a_narrow_link_drops_and_the_receiver_says_so() {
    let narrow = LinkConfig { rate: Some(Bitrate::from_kbps(150)), ..LinkConfig::default() };
    let mut call = Call::new(6, CameraConfig::default(), narrow, LinkConfig::default());
    call.run(0..20_000);
    assert!(call.there.counts().overflowed > 100);
    assert!(call.receiver.counts().nacks > 10);
    assert_eq!(call.receiver.finish().broken_law(), None);
}
