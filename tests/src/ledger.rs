//! The laws of what leaves a room, checked packet by packet at its door.

use crate::shape;
use core::time::Duration;
use salon_rtp::payload::rtx::Rtx;
use salon_rtp::payload::vp8::Vp8Descriptor;
use salon_rtp::rtcp::{Compound, RtcpPacket};
use salon_rtp::{Outgoing, Packet, Ssrc, Time};
use salon_sfu::{SlotStreams, limits};
use salon_sim::{Datagram, Tag};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// What a room took and gave, and whether that was lawful. The first broken law stays in [`broken`](Self::broken).
#[derive(Default)]
pub struct Ledger {
    /// The first law that was broken.
    pub broken: Option<String>,
    /// Sums.
    pub totals: Totals,
    /// When the kernel last took nothing.
    pub blocked: Option<Time>,
    /// Everything that left, in one number: two runs of one seed agree in it.
    pub trace: u64,
    /// What each media packet brought, by what it truly is.
    came: HashMap<Tag, Brought>,
    order: VecDeque<Tag>,
    streams: BTreeMap<Ssrc, Stream>,
    /// When a key frame was last asked for, by stream.
    keys: BTreeMap<Ssrc, Time>,
    /// Payload bytes of media and of repair, by receiver.
    accounts: BTreeMap<usize, (u64, u64)>,
}

/// Sums of a room's output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Media packets that left.
    pub media: u64,
    /// Repair packets that left.
    pub repair: u64,
    /// Compounds that left.
    pub reports: u64,
    /// Key frames asked for.
    pub keys: u64,
    /// The most by which a packet grew before the tag, in bytes.
    pub growth: i64,
    /// The largest datagram that left, tag included, in bytes.
    pub largest: usize,
}

#[derive(Clone, Copy)]
struct Brought {
    body: u64,
    len: usize,
}

/// One stream that leaves.
struct Stream {
    to: usize,
    video: bool,
    /// Of the media that it repairs.
    repairs: Option<Ssrc>,
    /// Paused since then.
    paused: bool,
    /// Indices that have left.
    first: Option<u64>,
    newest: Option<u64>,
    seen: Vec<u64>,
    /// Repair streams number without a hole.
    last: Option<u64>,
    /// The encoding whose packets go out, and the number of its newest.
    shows: Option<((u32, u8, u8), u64)>,
    /// By the last sixteen bits: what left, for comparison with its repair.
    sent: HashMap<u16, Sent>,
}

#[derive(Clone, Copy)]
struct Sent {
    payload: u64,
    timestamp: u32,
    marker: bool,
    at: Time,
    repeats: u32,
}

/// Media packets whose content is remembered.
const REMEMBERED: usize = 100_000;
/// Bytes that the cipher adds.
const TAG: usize = 16;

impl Ledger {
    /// Somebody negotiated a stream.
    pub fn open(&mut self, to: usize, streams: SlotStreams, video: bool) {
        let stream = |repairs| Stream {
            to,
            video,
            repairs,
            paused: false,
            first: None,
            newest: None,
            seen: Vec::new(),
            last: None,
            shows: None,
            sent: HashMap::new(),
        };
        let taken = self.streams.insert(streams.ssrc, stream(None)).is_some();
        let rtx = streams.rtx.is_some_and(|r| self.streams.insert(r, stream(Some(streams.ssrc))).is_some());
        if taken || rtx {
            self.fail("an SSRC is given twice");
        }
    }

    /// A stream is paused, or goes on.
    pub fn pause(&mut self, streams: SlotStreams, paused: bool) {
        for ssrc in [Some(streams.ssrc), streams.rtx].into_iter().flatten() {
            if let Some(stream) = self.streams.get_mut(&ssrc) {
                stream.paused = paused;
            }
        }
    }

    /// A packet is given to the room.
    pub fn came(&mut self, datagram: &Datagram) {
        let Datagram::Rtp(bytes) = datagram else { return };
        let Ok(packet) = Packet::parse(bytes) else { return };
        let (mut payload, mut len) = (packet.payload(), bytes.len());
        let repair = packet.pt() == shape::pt(shape::RTX);
        if let (true, Ok(rtx)) = (repair, Rtx::parse(payload)) {
            (payload, len) = (rtx.payload, len - 2);
        }
        let tag = Tag::of_vp8(payload).map(|t| (t, true)).or(Tag::of_opus(payload).map(|t| (t, false)));
        let Some((tag, video)) = tag else { return };
        let brought = Brought { body: body(payload, video), len };
        // What repair brings again stands in another header: the media packet's own is what may grow.
        if self.came.insert(tag, brought).is_none() {
            self.order.push_back(tag);
            if self.order.len() > REMEMBERED
                && let Some(old) = self.order.pop_front()
            {
                self.came.remove(&old);
            }
        }
    }

    /// A packet leaves the room; its bytes.
    pub fn leaves(&mut self, now: Time, to: usize, packet: &Outgoing<'_>) -> Vec<u8> {
        let (head, body_len) = (packet.header_len(), packet.body_len());
        let mut bytes = vec![0; head + body_len];
        let (header, rest) = bytes.split_at_mut(head);
        packet.write_header(header).unwrap();
        packet.write_body(rest).unwrap();
        self.trace = digest(self.trace ^ to as u64 ^ now.as_micros(), &bytes);
        if let Err(law) = self.check(now, to, packet, &bytes) {
            let tag = Packet::parse(&bytes)
                .ok()
                .and_then(|p| Tag::of_vp8(p.payload()).or(Tag::of_opus(p.payload())));
            let shows = self.streams.get(&packet.ssrc).and_then(|s| s.shows);
            self.fail(&format!(
                "{law}: {} {:?} at {now:?}; {tag:?} after {shows:?}",
                packet.ssrc.0, packet.index
            ));
        }
        bytes
    }

    fn check(
        &mut self,
        now: Time,
        to: usize,
        packet: &Outgoing<'_>,
        bytes: &[u8],
    ) -> Result<(), &'static str> {
        let parsed = Packet::parse(bytes).map_err(|_| "a packet that cannot be read")?;
        let (mut payload, timestamp, marker) = (parsed.payload(), parsed.timestamp().0, parsed.marker());
        let size = bytes.len() + TAG;
        self.totals.largest = self.totals.largest.max(size);
        let stream = self.streams.get_mut(&packet.ssrc).ok_or("a stream that nobody negotiated")?;
        ensure(stream.to == to, "somebody else's stream")?;
        ensure(stream.note(packet.index.0), "law 1: an index leaves twice")?;
        // What lies further ahead begins anew; a receiver loses the roll-over count at 2¹⁵ (RFC 3711 §3.3.1).
        let jump = stream.newest.map_or(0, |n| packet.index.0.saturating_sub(n));
        stream.newest = stream.newest.max(Some(packet.index.0));
        ensure(jump <= 3_100, "law 1: the numbers leap")?;
        let (video, repairs) = (stream.video, stream.repairs);
        if let Some(media) = repairs {
            self.totals.repair += 1;
            let dense = stream.last.replace(packet.index.0).is_none_or(|l| l + 1 == packet.index.0);
            ensure(dense, "law 11: a repair stream with a hole")?;
            let rtx = Rtx::parse(payload).map_err(|_| "law 11: repair without a number")?;
            payload = rtx.payload;
            let media = self.streams.get_mut(&media).ok_or("repair of no stream")?;
            let sent = media.sent.get_mut(&rtx.original.0).ok_or("law 11: repair of what never left")?;
            ensure(sent.payload == digest(0, payload), "law 11: repair with another payload")?;
            ensure(
                (sent.timestamp, sent.marker) == (timestamp, marker),
                "law 11: repair with another header",
            )?;
            let since = now.since(sent.at);
            ensure(sent.repeats == 0 || since >= Duration::from_millis(10), "law 11: repair too often")?;
            (sent.at, sent.repeats) = (now, sent.repeats + 1);
            ensure(sent.repeats <= u32::from(limits::REPEATS), "law 11: repair more than four times")?;
            // A quarter of what was sent to this receiver, and what it had to begin with.
            let account = self.accounts.entry(to).or_default();
            account.1 += payload.len() as u64;
            ensure(
                account.1 <= account.0 / 4 + limits::REPAIR_START + 1_500,
                "law 11: repair beyond its budget",
            )?;
        } else {
            self.totals.media += 1;
            self.accounts.entry(to).or_default().0 += payload.len() as u64;
            ensure(!stream.paused, "law 16: a packet of a paused slot")?;
            let sent = Sent { payload: digest(0, payload), timestamp, marker, at: now, repeats: 0 };
            stream.sent.insert(parsed.seq().0, sent);
        }
        let tag = if video { Tag::of_vp8(payload) } else { Tag::of_opus(payload) };
        let Some(tag) = tag else {
            // Sound without sound in it carries no tag.
            return ensure(!video, "a picture that came from nowhere");
        };
        if video && repairs.is_none() {
            self.streams.get_mut(&packet.ssrc).map_or(Ok(()), |s| s.follows(&tag, packet.index.0))?;
        }
        let Some(brought) = self.came.get(&tag) else { return Ok(()) };
        ensure(brought.body == body(payload, video), "law 9: a patch touched more than it may")?;
        let growth = bytes.len() as i64 - brought.len as i64;
        self.totals.growth = self.totals.growth.max(growth);
        ensure(growth <= 16, "a packet grows by more than 16 bytes")?;
        ensure(brought.len > 1_200 || size <= limits::DATAGRAM, "1,200 bytes leave as more than 1,232")
    }

    /// A compound leaves the room.
    pub fn reports(&mut self, now: Time, to: usize, bytes: &[u8]) {
        self.trace = digest(self.trace ^ to as u64 ^ now.as_micros(), bytes);
        self.totals.reports += 1;
        let Ok(compound) = Compound::parse(bytes) else {
            self.fail("a compound that cannot be read");
            return;
        };
        let mut asked = Vec::new();
        for packet in &compound {
            match packet {
                RtcpPacket::Pli(p) => asked.push(p.media),
                RtcpPacket::Fir(f) => asked.extend(f.entries().map(|e| e.media)),
                _ => {}
            }
        }
        for media in asked {
            self.totals.keys += 1;
            let last = self.keys.insert(media, now);
            // What waited for the kernel leaves at once with what came after it.
            let late = self.blocked.is_some_and(|b| now.since(b) < Duration::from_secs(1));
            if !late && last.is_some_and(|l| now.since(l) < Duration::from_millis(200)) {
                self.fail(&format!("law 12: key frames of {} asked for at {last:?} and {now:?}", media.0));
            }
        }
    }

    fn fail(&mut self, law: &str) {
        self.broken.get_or_insert_with(|| law.to_owned());
    }
}

impl Stream {
    /// Whether a packet of a picture may follow those before it.
    fn follows(&mut self, tag: &Tag, index: u64) -> Result<(), &'static str> {
        match self.shows {
            Some((stream, _)) if stream == tag.stream() => {}
            // A source that restarts a little ahead of where it was looks like one that lost what lies between.
            Some(((source, encoding, _), newest))
                if (source, encoding) == (tag.source, tag.encoding) && index != newest + 1 => {}
            Some((_, newest)) if index < newest => return Err("law 4: a late packet of another encoding"),
            _ => ensure(tag.key && tag.packet == 0, "law 3: a switch without the start of a key frame")?,
        }
        let newest = self.shows.map_or(0, |s| s.1);
        self.shows = Some((tag.stream(), index.max(newest)));
        Ok(())
    }

    /// Notes an index; whether it is new.
    fn note(&mut self, index: u64) -> bool {
        // A late packet of the beginning may have less than the first.
        let first = *self.first.get_or_insert(index.saturating_sub(10_000));
        let Some(at) = index.checked_sub(first) else { return false };
        let (word, bit) = ((at / 64) as usize, 1u64 << (at % 64));
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        let new = self.seen[word] & bit == 0;
        self.seen[word] |= bit;
        new
    }
}

/// What no forwarder may touch: all but the descriptor of a picture.
fn body(payload: &[u8], video: bool) -> u64 {
    let skip = if video { Vp8Descriptor::parse(payload).map_or(0, |d| d.len()) } else { 0 };
    digest(0, payload.get(skip..).unwrap_or_default())
}

/// A quick digest (FNV's constants, eight bytes at a time).
fn digest(seed: u64, bytes: &[u8]) -> u64 {
    let mut h = seed ^ 0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        h = (h ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }
    h
}

fn ensure(holds: bool, otherwise: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(otherwise) }
}
