//! Somebody in a call.

use crate::feedback::FeedbackLog;
use crate::{CameraSource, Datagram, Link, LinkConfig, Outbox, VideoReceiver, VoiceListener, VoiceSource};
use salon_rtp::extension::ExtensionMap;
use salon_rtp::rtcp::Compound;
use salon_rtp::{Packet, Ssrc, Time};

/// A participant: what it sends, what it hears and sees, and the path between it and its server.
///
/// The server takes what [`uplink`](Self::uplink) gives and gives what it sends to [`downlink`](Self::downlink);
/// [`poll`](Self::poll) does the rest.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its microphone.
    pub voice: Option<VoiceSource>,
    /// Its cameras and screens.
    pub cameras: Vec<CameraSource>,
    /// What it hears, by stream.
    pub ears: Vec<(Ssrc, VoiceListener)>,
    /// What it sees.
    pub eyes: Vec<VideoReceiver>,
    /// What it is told about what it sends.
    pub feedback: FeedbackLog,
    /// From it to the server.
    pub up: Link<Datagram>,
    /// From the server to it.
    pub down: Link<Datagram>,
    /// RTP packets of no stream that it knows.
    pub strangers: u64,
    outbox: Outbox,
}

impl Peer {
    /// A participant who sends and sees nothing so far. The extensions are those of what it sends.
    pub fn new(seed: u64, extensions: ExtensionMap, up: LinkConfig, down: LinkConfig) -> Self {
        let outbox = Outbox::new(extensions, seed as u16);
        let mut feedback = FeedbackLog::default();
        feedback.sent(&outbox);
        Self {
            voice: None,
            cameras: Vec::new(),
            ears: Vec::new(),
            eyes: Vec::new(),
            feedback,
            up: Link::new(seed.wrapping_mul(2), up),
            down: Link::new(seed.wrapping_mul(2) + 1, down),
            strangers: 0,
            outbox,
        }
    }

    /// What reaches the server by now: to be asked until it gives nothing.
    pub fn uplink(&mut self, now: Time) -> Option<Datagram> {
        self.up.pop(now)
    }

    /// What the server sends.
    pub fn downlink(&mut self, now: Time, datagram: Datagram) {
        self.down.push(now, datagram);
    }

    /// Takes what has arrived and sends what is due: to be called every millisecond or so.
    pub fn poll(&mut self, now: Time) {
        while let Some(datagram) = self.down.pop(now) {
            match datagram {
                Datagram::Rtp(bytes) => self.handle_rtp(now, &bytes),
                Datagram::Rtcp(bytes) => self.handle_rtcp(now, &bytes),
            }
        }
        if let Some(voice) = &mut self.voice {
            voice.poll(now, &mut self.outbox);
        }
        for camera in &mut self.cameras {
            camera.poll(now, &mut self.outbox);
        }
        for eye in &mut self.eyes {
            eye.poll(now, &mut self.outbox);
        }
        self.feedback.sent(&self.outbox);
        for datagram in self.outbox.drain() {
            self.up.push(now, datagram);
        }
    }

    fn handle_rtp(&mut self, now: Time, bytes: &[u8]) {
        let Ok(packet) = Packet::parse(bytes) else {
            self.strangers += 1;
            return;
        };
        if let Some(eye) = self.eyes.iter_mut().find(|e| e.is_mine(&packet)) {
            eye.handle_rtp(now, bytes);
        } else if let Some((_, ear)) = self.ears.iter_mut().find(|(ssrc, _)| *ssrc == packet.ssrc()) {
            ear.push(now, &packet);
        } else {
            self.strangers += 1;
        }
    }

    fn handle_rtcp(&mut self, now: Time, bytes: &[u8]) {
        self.feedback.handle_rtcp(now, bytes);
        for camera in &mut self.cameras {
            camera.handle_rtcp(now, bytes, &mut self.outbox);
        }
        for eye in &mut self.eyes {
            eye.handle_rtcp(now, bytes);
        }
        if let Ok(compound) = Compound::parse(bytes) {
            for (ssrc, ear) in &mut self.ears {
                ear.handle_rtcp(*ssrc, &compound);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CameraConfig, ReceiverConfig, VoiceConfig, WallClock};

    /// Two people whose server passes on everything as it is.
    #[test]
    fn two_people_hear_and_see_each_other() {
        let clocks = [WallClock::off_by(-3_600), WallClock { drift_ppm: 80, ..WallClock::off_by(3_600) }];
        let mut peers: Vec<_> = (0..2u32)
            .map(|i| {
                let mut peer =
                    Peer::new(i.into(), ExtensionMap::EMPTY, LinkConfig::default(), LinkConfig::default());
                let clock = clocks[i as usize];
                let talks = vec![Time::ZERO..Time::from_millis(20_000)];
                let voice =
                    VoiceConfig { source: i, ssrc: Ssrc(10 + i), clock, talks, ..VoiceConfig::default() };
                peer.voice = Some(VoiceSource::new(i.into(), voice));
                let camera = CameraConfig { clock, ..CameraConfig::simulcast(10 + i, 100 + 10 * i) };
                let camera = CameraConfig { encodings: camera.encodings[..1].to_vec(), ..camera };
                peer.cameras.push(CameraSource::new(i.into(), camera));
                let other = 1 - i;
                peer.ears.push((Ssrc(10 + other), VoiceListener::default()));
                let media = Ssrc(100 + 10 * other);
                let config = ReceiverConfig::new(Ssrc(1_000 + i), media, Some(Ssrc(media.0 + 1)));
                peer.eyes.push(VideoReceiver::new(config));
                peer
            })
            .collect();
        for ms in 0..20_000 {
            let now = Time::from_millis(ms);
            for i in 0..2 {
                peers[i].poll(now);
                while let Some(datagram) = peers[i].uplink(now) {
                    peers[1 - i].downlink(now, datagram);
                }
            }
        }
        for (i, peer) in peers.iter_mut().enumerate() {
            assert_eq!(peer.strangers, 0);
            let report = peer.eyes[0].finish();
            assert_eq!((report.broken_law(), report.undecodable), (None, 0));
            assert!(report.decoded > 290);
            let ear = &mut peer.ears[0].1;
            let stream = ear.finish();
            assert!(stream.packets > 990 && stream.holes == 0);
            // Sound and picture of one moment have one moment on the sender's clock, whatever that clock shows.
            let (heard, line) = (std::iter::from_fn(|| ear.pop()).last().unwrap(), ear.line());
            let seen = std::iter::from_fn(|| peer.eyes[0].decoder().pop()).last().unwrap();
            let off = |moment: Option<i64>, captured: Time| {
                moment.unwrap() - (clocks[1 - i].at_zero + captured.as_micros()) as i64
            };
            let sound = off(line.moment(heard.timestamp), heard.tag.captured);
            let picture = off(peer.eyes[0].line().moment(seen.timestamp), seen.tag.captured);
            assert!((sound - picture).abs() < 100, "{sound} {picture}");
            assert!(line.reports() >= 4 && line.worst() < core::time::Duration::from_micros(100));
        }
    }
}
