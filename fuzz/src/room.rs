//! A room to which anything happens, call by call, as the bytes say.

use core::time::Duration;
use salon_rtp::extension::{ExtId, ExtensionKind, ExtensionMap};
use salon_rtp::rtcp::Compound;
use salon_rtp::{Codec, Egress, MediaKind, Mid, Packet, Pt, Rid, Ssrc, Time};
use salon_sfu::{
    Config, Constraint, EncodingSpec, Feedback, ParticipantId, Room, SlotId, SlotPayload, SlotSpec, Source,
    TrackId, TrackSpec, View,
};

/// People at most: enough for slots to be fought for.
const PEOPLE: usize = 5;
/// Calls at most, for an input must end.
const CALLS: usize = 400;

/// The calls are records: what, who, how, length, then so many bytes. After each the room's invariants hold.
pub(crate) fn room(bytes: &[u8]) -> bool {
    let mut play = Play {
        room: Room::new(Config { participants: PEOPLE, ..Config::default() }, [7; 32]),
        now: Time::from_millis(1),
        people: Vec::new(),
        sent: 0,
    };
    let mut rest = bytes;
    for _ in 0..CALLS {
        let Some((&[what, who, how, len], after)) = rest.split_first_chunk() else { break };
        let (data, after) = after.split_at_checked(len.into()).unwrap_or((after, &[]));
        rest = after;
        play.call(what, who.into(), how, data);
        play.room.check().unwrap();
        play.drain();
        play.room.check().unwrap();
    }
    while let Some(person) = play.people.pop() {
        play.room.leave(play.now, person.id).unwrap();
        play.room.check().unwrap();
    }
    play.sent > 0
}

struct Play {
    room: Room,
    now: Time,
    people: Vec<Person>,
    sent: usize,
}

struct Person {
    id: ParticipantId,
    tracks: Vec<TrackId>,
    slots: Vec<SlotId>,
}

impl Play {
    fn call(&mut self, what: u8, who: usize, how: u8, data: &[u8]) {
        let now = self.now;
        if what.is_multiple_of(16) {
            return self.join();
        }
        if self.people.is_empty() {
            return;
        }
        let who = who % self.people.len();
        let id = self.people[who].id;
        match what % 16 {
            1 => _ = self.room.connected(now, id, how & 1 == 0),
            2 => self.publish(who, how),
            3 => self.subscribe(who, how),
            4 => self.constrain(who, how, data.first().copied().unwrap_or(0)),
            5 => {
                if let Some(&track) = self.people[who].tracks.first() {
                    self.room.set_muted(now, id, track, how & 1 == 1).unwrap();
                }
            }
            6 if how > 200 => {
                let person = self.people.swap_remove(who);
                self.room.leave(now, person.id).unwrap();
            }
            6 if how > 150 => {
                if let Some(track) = self.people[who].tracks.pop() {
                    self.room.unpublish(now, id, track).unwrap();
                }
            }
            6 if how > 100 => {
                if let Some(slot) = self.people[who].slots.pop() {
                    self.room.unsubscribe(now, id, slot).unwrap();
                }
            }
            7 => self.wait(how),
            8 | 9 => _ = self.room.handle_rtcp(now, id, data),
            10 => self.feedback(who, how, data),
            _ => self.media(who, how, data),
        }
    }

    fn join(&mut self) {
        let Ok(id) = self.room.join(self.now) else {
            assert_eq!(self.people.len(), PEOPLE);
            return;
        };
        self.room.connected(self.now, id, true).unwrap();
        self.people.push(Person { id, tracks: Vec::new(), slots: Vec::new() });
    }

    /// A microphone, a camera of one encoding or of two; each participant's SSRCs are known by where it stands.
    fn publish(&mut self, who: usize, how: u8) {
        let (source, codec, pt) = match how % 6 {
            0 | 1 => (Source::Microphone, Codec::Opus, 111),
            2 => (Source::Screen, Codec::Vp9(0), 98),
            3 => (Source::Camera, Codec::Av1(0), 45),
            _ => (Source::Camera, Codec::Vp8, 96),
        };
        let encoding = |n: u32| EncodingSpec {
            rid: (how & 8 != 0).then(|| Rid::new(if n == 0 { b"l" } else { b"h" }).unwrap()),
            ssrc: (how & 16 == 0).then(|| ssrc(who, u32::from(pt) + n)),
            rtx_ssrc: (how & 16 == 0).then(|| ssrc(who, 1_000 + u32::from(pt) + n)),
        };
        let spec = TrackSpec {
            mid: Mid::new(&[b'a' + how % 8]).ok(),
            source,
            codec,
            pt: Pt::new(pt).unwrap(),
            rtx_pt: Pt::new(pt + 1).filter(|_| pt != 111),
            encodings: (0..if how & 8 != 0 { 2 } else { 1 }).map(encoding).collect(),
            extensions: extensions(),
            feedback: ALL,
        };
        if let Ok(track) = self.room.publish(self.now, self.people[who].id, spec) {
            self.people[who].tracks.push(track);
        }
    }

    fn subscribe(&mut self, who: usize, how: u8) {
        let kind = if how & 1 == 0 { MediaKind::Audio } else { MediaKind::Video };
        let payload = |codec, pt| SlotPayload { codec, pt: Pt::new(pt).unwrap(), rtx_pt: Pt::new(pt + 1) };
        let payloads = match kind {
            MediaKind::Audio => vec![SlotPayload { rtx_pt: None, ..payload(Codec::Opus, 109) }],
            MediaKind::Video => {
                vec![payload(Codec::Vp8, 100), payload(Codec::Vp9(0), 102), payload(Codec::Av1(0), 104)]
            }
        };
        let spec = SlotSpec {
            mid: Mid::new(&[b's', b'a' + how % 16]).ok(),
            kind,
            payloads,
            extensions: extensions(),
            feedback: ALL,
        };
        if self.people[who].slots.len() < 8
            && let Ok(slot) = self.room.subscribe(self.now, self.people[who].id, spec)
        {
            self.people[who].slots.push(slot);
        }
    }

    fn constrain(&mut self, who: usize, how: u8, height: u8) {
        let slots = &self.people[who].slots;
        let Some(&slot) = slots.get(usize::from(how) % slots.len().max(1)) else { return };
        let other = &self.people[usize::from(how >> 2) % self.people.len()];
        let view = match (how & 3, other.tracks.first()) {
            (0, Some(&track)) => View::Track(track),
            (1, _) => View::Participant(other.id),
            _ => View::Auto,
        };
        let wish = Constraint { view, height: u16::from(height) * 4 };
        let _ = self.room.constrain(self.now, self.people[who].id, slot, wish);
    }

    /// Time passes: a few microseconds to some seconds.
    fn wait(&mut self, how: u8) {
        self.now = self.now.plus(Duration::from_micros(1 << (how % 23)));
        for _ in 0..64 {
            let Some(due) = self.room.poll_timeout().filter(|t| *t <= self.now) else { break };
            self.room.handle_timeout(due.max(self.now));
            self.room.check().unwrap();
        }
    }

    /// Media of a stream that was announced: a header that fits, and the rest as it comes.
    fn media(&mut self, who: usize, how: u8, data: &[u8]) {
        if how == 255 {
            _ = self.room.handle_rtp(self.now, self.people[who].id, data);
            return;
        }
        let pt = [111, 96, 98, 45, 97, 99, 46, 111][usize::from(how & 7)];
        let Some((&[n0, n1, t], payload)) = data.split_first_chunk() else { return };
        let repair = matches!(pt, 97 | 99 | 46);
        let source = ssrc(who, if repair { 999 } else { 0 } + u32::from(pt) + u32::from(how >> 3 & 1)).0;
        let head =
            [&[0x80 | how >> 3 & 0x10, pt | how & 0x80, n0, n1, 0, t, 0, 0], &source.to_be_bytes()[..]];
        let packet = [&head.concat(), payload].concat();
        _ = self.room.handle_rtp(self.now, self.people[who].id, &packet);
    }

    /// Feedback on a stream that somebody really is sent.
    fn feedback(&mut self, who: usize, how: u8, data: &[u8]) {
        let slots = &self.people[who].slots;
        let streams = slots.get(usize::from(how) % slots.len().max(1)).and_then(|s| self.room.streams(*s));
        let Some(streams) = streams else { return };
        let (kind, format) = [(205, 1), (206, 1), (206, 4), (206, 15), (205, 15)][usize::from(how >> 3) % 5];
        let data = &data[..data.len() & !3];
        let words = (2 + data.len() / 4) as u16;
        let media = streams.ssrc.0.to_be_bytes();
        let packet = [&[0x80 | format, kind], &words.to_be_bytes()[..], &[0, 0, 0, 7], &media, data].concat();
        _ = self.room.handle_rtcp(self.now, self.people[who].id, &packet);
    }

    /// Takes what is due; each packet can be written and read again.
    fn drain(&mut self) {
        let mut out = [0; 2_000];
        for _ in 0..1_000 {
            let Some(mut burst) = self.room.poll_transmit(self.now) else { break };
            let to = burst.to();
            assert!(self.people.iter().any(|p| p.id == to), "a packet for nobody");
            while let Some(egress) = burst.next() {
                match egress {
                    Egress::Rtp(p) => {
                        let head = p.write_header(&mut out).unwrap();
                        let body = p.write_body(&mut out[head..]).unwrap();
                        let read = Packet::parse(&out[..head + body]).unwrap();
                        assert_eq!((read.ssrc(), read.seq()), (p.ssrc, p.index.seq()));
                        self.sent += 1;
                    }
                    Egress::Rtcp(bytes) => assert!(Compound::parse(bytes).is_ok()),
                }
            }
        }
        while self.room.poll_event().is_some() {}
        assert!(self.room.poll_transmit(self.now).is_none(), "no end of packets");
    }
}

const ALL: Feedback = Feedback { nack: true, pli: true, fir: true, twcc: true, remb: true };

fn ssrc(who: usize, n: u32) -> Ssrc {
    Ssrc(100_000 * (who as u32 + 1) + n)
}

fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::EMPTY;
    for (id, kind) in (1..).zip([
        ExtensionKind::Mid,
        ExtensionKind::AudioLevel,
        ExtensionKind::Twcc,
        ExtensionKind::Rid,
        ExtensionKind::RepairedRid,
        ExtensionKind::AbsSendTime,
        ExtensionKind::DependencyDescriptor,
    ]) {
        map.set(kind, ExtId::new(id).unwrap());
    }
    map
}
