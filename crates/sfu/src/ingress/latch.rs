//! Which encoding an SSRC is.

use crate::limits::ENCODINGS_PER_PARTICIPANT;
use crate::verdict::DropReason;
use alloc::vec::Vec;
use core::time::Duration;
use salon_rtp::extension::{ExtensionKind, ExtensionMap};
use salon_rtp::{Mid, Packet, Pt, Rid, Ssrc, Time};

/// Media, or its repair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The packets as first sent.
    Media,
    /// Retransmissions (RFC 4588) under an SSRC of their own.
    Repair,
}

/// One encoding as its publisher declared it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Declared<E> {
    /// The caller's name for it.
    pub encoding: E,
    /// Its rid (RFC 8851), with simulcast.
    pub rid: Option<Rid>,
    /// Its SSRC, where the offer declared it (RFC 5576).
    pub ssrc: Option<Ssrc>,
    /// The SSRC of its repair stream, where the offer declared it.
    pub rtx_ssrc: Option<Ssrc>,
}

/// What a publisher declared in one media section.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a, E> {
    /// Its mid; foreign publishers have none.
    pub mid: Option<Mid>,
    /// The payload type of its media.
    pub pt: Pt,
    /// The payload type of its repair.
    pub rtx_pt: Option<Pt>,
    /// Its extension ids. In a bundle one id means one extension in all sections (RFC 8843 §9.1).
    pub extensions: ExtensionMap,
    /// Its encodings.
    pub encodings: &'a [Declared<E>],
}

/// A participant declares more than [`ENCODINGS_PER_PARTICIPANT`](crate::limits::ENCODINGS_PER_PARTICIPANT).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many encodings")]
pub struct TooManyEncodings;

/// What a packet changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum News {
    /// The first packet of this stream.
    First,
    /// Another SSRC took the stream over: numbers and timestamps start afresh.
    Restarted,
}

/// Whose a packet is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Bound<E> {
    /// The encoding.
    pub encoding: E,
    /// Media or repair.
    pub role: Role,
    /// What this packet changed.
    pub news: Option<News>,
}

/// How long the stragglers of a replaced SSRC are told apart from a second restart: longer than reordering lasts.
const RETIRED: Duration = Duration::from_secs(2);
/// A stream that changes its SSRC more often than this is broken or hostile. libwebrtc's own receiver also refuses a
/// second new SSRC within 500 ms.
const CHANGE_AT_MOST_EVERY: Duration = Duration::from_millis(500);
/// How long a stream must be silent before another SSRC that says nothing but its payload type may take it over: longer
/// than DTX pauses (400 ms), shorter than a person's patience.
const SILENT_BEFORE_GUESS: Duration = Duration::from_secs(1);

/// One direction of an encoding: media or repair.
#[derive(Clone, Copy, Debug)]
struct Line {
    ssrc: Option<Ssrc>,
    /// When its newest packet came; `None` while only declared.
    seen: Option<Time>,
    /// When the SSRC last changed.
    changed: Time,
    /// The SSRC before, and until when its stragglers are refused.
    retired: Option<(Ssrc, Time)>,
}

#[derive(Clone, Copy, Debug)]
struct Stream<E> {
    encoding: E,
    mid: Option<Mid>,
    rid: Option<Rid>,
    pt: Pt,
    rtx_pt: Option<Pt>,
    lines: [Line; 2],
}

impl<E> Stream<E> {
    /// Which line a payload type belongs to.
    fn role_of(&self, pt: Pt) -> Option<Role> {
        if pt == self.pt { Some(Role::Media) } else { (Some(pt) == self.rtx_pt).then_some(Role::Repair) }
    }
}

/// What a packet says about whose it is.
#[derive(Clone, Copy, Default)]
struct Named {
    mid: Option<Mid>,
    rid: Option<Rid>,
    /// The rid came as a repaired rid.
    repair: bool,
}

/// Binds the SSRCs of one participant to its encodings: by declaration (RFC 5576), else by the mid and rid that the first
/// packets carry (RFC 8843 §9.2, RFC 8852), else, for publishers that know neither, by an unambiguous payload type.
#[derive(Clone, Debug)]
pub struct Latch<E> {
    streams: Vec<Stream<E>>,
    /// SSRC, stream, role; sorted.
    ssrcs: Vec<(Ssrc, u8, Role)>,
    extensions: ExtensionMap,
}

impl<E: Copy + PartialEq> Latch<E> {
    /// Nothing declared.
    pub const fn new() -> Self {
        Self { streams: Vec::new(), ssrcs: Vec::new(), extensions: ExtensionMap::EMPTY }
    }

    /// Declares a media section. An SSRC that it declares was never anybody else's.
    pub fn publish(&mut self, section: &Section<'_, E>) -> Result<(), TooManyEncodings> {
        if self.streams.len() + section.encodings.len() > ENCODINGS_PER_PARTICIPANT {
            return Err(TooManyEncodings);
        }
        for (kind, id) in section.extensions.iter() {
            self.extensions.set(kind, id);
        }
        for d in section.encodings {
            for ssrc in [d.ssrc, d.rtx_ssrc].into_iter().flatten() {
                for line in self.streams.iter_mut().flat_map(|s| &mut s.lines) {
                    if line.ssrc == Some(ssrc) {
                        (line.ssrc, line.seen) = (None, None);
                    }
                }
            }
            // The same SSRC for both would make the role ambiguous: the media keeps it.
            let rtx_ssrc = d.rtx_ssrc.filter(|_| d.rtx_ssrc != d.ssrc);
            let line = |ssrc| Line { ssrc, seen: None, changed: Time::ZERO, retired: None };
            self.streams.push(Stream {
                encoding: d.encoding,
                mid: section.mid,
                rid: d.rid,
                pt: section.pt,
                rtx_pt: section.rtx_pt,
                lines: [line(d.ssrc), line(rtx_ssrc)],
            });
        }
        self.index();
        Ok(())
    }

    /// Forgets the encodings of which `gone` is true, and their SSRCs.
    pub fn unpublish(&mut self, gone: impl Fn(E) -> bool) {
        self.streams.retain(|s| !gone(s.encoding));
        self.index();
    }

    /// Whose `packet` is. Binds its SSRC if it says so itself; then a line's new SSRC replaces the old one, so that there
    /// are never more SSRCs than lines.
    pub fn bind(&mut self, now: Time, packet: &Packet<'_>) -> Result<Bound<E>, DropReason> {
        let (ssrc, pt) = (packet.ssrc(), packet.pt());
        if let Ok(at) = self.ssrcs.binary_search_by_key(&ssrc, |e| e.0) {
            let (_, stream, role) = self.ssrcs[at];
            let stream = &mut self.streams[usize::from(stream)];
            if stream.role_of(pt) != Some(role) {
                return Err(DropReason::WrongPayloadType);
            }
            let line = &mut stream.lines[role as usize];
            let news = line.seen.is_none().then_some(News::First);
            line.seen = Some(now);
            return Ok(Bound { encoding: stream.encoding, role, news });
        }
        self.learn(now, packet)
    }

    /// The SSRC of an encoding's media, once a packet of it has come: what reports, NACKs and key frame requests may
    /// name. (A sender stops saying mid and rid at the first report on an SSRC, so nothing else may be reported on.)
    pub fn ssrc(&self, encoding: E) -> Option<Ssrc> {
        let media = &self.streams.iter().find(|s| s.encoding == encoding)?.lines[Role::Media as usize];
        media.seen.and(media.ssrc)
    }

    /// Which encoding has an SSRC for its media: whose sender reports and goodbyes name it.
    pub fn encoding(&self, ssrc: Ssrc) -> Option<E> {
        let at = self.ssrcs.binary_search_by_key(&ssrc, |e| e.0).ok()?;
        let (_, stream, role) = self.ssrcs[at];
        (role == Role::Media).then(|| self.streams[usize::from(stream)].encoding)
    }

    /// An unknown SSRC: what the packet says beside.
    fn learn(&mut self, now: Time, packet: &Packet<'_>) -> Result<Bound<E>, DropReason> {
        let (ssrc, pt) = (packet.ssrc(), packet.pt());
        let straggler = |l: &Line| matches!(l.retired, Some((old, until)) if old == ssrc && now < until);
        if self.streams.iter().any(|s| s.lines.iter().any(straggler)) {
            return Err(DropReason::RetiredSsrc);
        }
        let named = self.named(packet);
        let guess = named.mid.is_none() && named.rid.is_none();
        let (at, role) = if guess { self.guess(now, pt)? } else { self.find(&named, pt)? };
        let stream = &mut self.streams[at];
        let line = &mut stream.lines[role as usize];
        let news = match (line.ssrc, line.seen) {
            (Some(_), Some(_)) if now.since(line.changed) < CHANGE_AT_MOST_EVERY => {
                return Err(DropReason::SsrcTooSoon);
            }
            (Some(old), Some(_)) => {
                line.retired = Some((old, now.plus(RETIRED)));
                News::Restarted
            }
            _ => News::First,
        };
        (line.ssrc, line.seen, line.changed) = (Some(ssrc), Some(now), now);
        let encoding = stream.encoding;
        self.index();
        Ok(Bound { encoding, role, news: Some(news) })
    }

    /// The extensions that identify.
    fn named(&self, packet: &Packet<'_>) -> Named {
        let mut named = Named::default();
        for (id, value) in packet.extensions() {
            match self.extensions.kind(id) {
                Some(ExtensionKind::Mid) => named.mid = Mid::new(value).ok().or(named.mid),
                Some(ExtensionKind::Rid) if !named.repair => named.rid = Rid::new(value).ok().or(named.rid),
                Some(ExtensionKind::RepairedRid) => {
                    if let Ok(rid) = Rid::new(value) {
                        (named.rid, named.repair) = (Some(rid), true);
                    }
                }
                _ => {}
            }
        }
        named
    }

    /// The one line that mid and rid name.
    fn find(&self, named: &Named, pt: Pt) -> Result<(usize, Role), DropReason> {
        let of_mid = |s: &Stream<E>| named.mid.is_none() || s.mid == named.mid;
        let of_rid = |s: &Stream<E>| named.rid.is_none() || s.rid == named.rid;
        let mut reason = DropReason::UnknownMid;
        let mut found = None;
        for (at, s) in self.streams.iter().enumerate().filter(|(_, s)| of_mid(s) && of_rid(s)) {
            match s.role_of(pt) {
                // A repaired rid on the media's payload type contradicts itself (RFC 8852 §2.2).
                Some(Role::Media) if named.repair => reason = DropReason::WrongPayloadType,
                Some(_) if found.is_some() => return Err(DropReason::MissingRid),
                Some(role) => found = Some((at, role)),
                None => reason = DropReason::WrongPayloadType,
            }
        }
        found.ok_or(reason)
    }

    /// The one line that a payload type can mean, if it is free.
    fn guess(&self, now: Time, pt: Pt) -> Result<(usize, Role), DropReason> {
        let mut fits = self.streams.iter().enumerate().filter_map(|(at, s)| Some((at, s.role_of(pt)?)));
        let (at, role) = fits.next().ok_or(DropReason::UnknownSsrc)?;
        let taken = |seen| now.since(seen) < SILENT_BEFORE_GUESS;
        if fits.next().is_some() || self.streams[at].lines[role as usize].seen.is_some_and(taken) {
            return Err(DropReason::UnknownSsrc);
        }
        Ok((at, role))
    }

    fn index(&mut self) {
        self.ssrcs.clear();
        for (at, stream) in self.streams.iter().enumerate() {
            for role in [Role::Media, Role::Repair] {
                if let Some(ssrc) = stream.lines[role as usize].ssrc {
                    self.ssrcs.push((ssrc, at as u8, role));
                }
            }
        }
        self.ssrcs.sort_unstable_by_key(|e| e.0);
        self.ssrcs.dedup_by_key(|e| e.0);
    }
}

impl<E: Copy + PartialEq> Default for Latch<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use salon_rtp::extension::ExtId;
    use std::vec::Vec;

    const MID: u8 = 4;
    const RID: u8 = 10;
    const REPAIRED: u8 = 11;

    fn pt(v: u8) -> Pt {
        Pt::new(v).unwrap()
    }

    fn packet(ssrc: u32, pt: u8, elements: &[(u8, &str)]) -> Vec<u8> {
        let mut p = std::vec![0x80, pt, 0, 1, 0, 0, 0, 0];
        p.extend(ssrc.to_be_bytes());
        if !elements.is_empty() {
            let mut body = Vec::new();
            for (id, text) in elements {
                body.push(id << 4 | (text.len() - 1) as u8);
                body.extend(text.bytes());
            }
            body.resize(body.len().next_multiple_of(4), 0);
            p[0] |= 0x10;
            p.extend([0xbe, 0xde, 0, (body.len() / 4) as u8]);
            p.extend(body);
        }
        p.push(1);
        p
    }

    fn map() -> ExtensionMap {
        let mut map = ExtensionMap::EMPTY;
        for (kind, id) in
            [(ExtensionKind::Mid, MID), (ExtensionKind::Rid, RID), (ExtensionKind::RepairedRid, REPAIRED)]
        {
            map.set(kind, ExtId::new(id).unwrap());
        }
        map
    }

    fn declared(encoding: u32, rid: Option<&str>, ssrc: Option<u32>, rtx: Option<u32>) -> Declared<u32> {
        Declared {
            encoding,
            rid: rid.map(|r| Rid::new(r.as_bytes()).unwrap()),
            ssrc: ssrc.map(Ssrc),
            rtx_ssrc: rtx.map(Ssrc),
        }
    }

    /// Mid 0: Opus 111, undeclared. Mid 1: VP8 96/97, rids q, h, f. Mid 2: VP8 96/97, declared 20, repair 21.
    fn browser() -> Latch<u32> {
        let mut latch = Latch::new();
        let rids = [Some("q"), Some("h"), Some("f")];
        let camera: Vec<_> = (1..).zip(rids).map(|(e, r)| declared(e, r, None, None)).collect();
        for (mid, media, repair, encodings) in [
            ("0", 111, None, &[declared(0, None, None, None)][..]),
            ("1", 96, Some(97), &camera),
            ("2", 96, Some(97), &[declared(4, None, Some(20), Some(21))]),
        ] {
            let mid = Some(Mid::new(mid.as_bytes()).unwrap());
            let section =
                Section { mid, pt: pt(media), rtx_pt: repair.map(pt), extensions: map(), encodings };
            latch.publish(&section).unwrap();
        }
        latch
    }

    fn bind(latch: &mut Latch<u32>, ms: u64, p: &[u8]) -> Result<Bound<u32>, DropReason> {
        latch.bind(Time::from_millis(ms), &Packet::parse(p).unwrap())
    }

    #[test]
    fn declared_ssrcs_need_no_extension_and_report_once_seen() {
        let mut latch = browser();
        assert_eq!(latch.ssrc(4), None);
        let b = bind(&mut latch, 0, &packet(20, 96, &[])).unwrap();
        assert_eq!(b, Bound { encoding: 4, role: Role::Media, news: Some(News::First) });
        assert_eq!(latch.ssrc(4), Some(Ssrc(20)));
        assert_eq!(latch.encoding(Ssrc(20)), Some(4));
        let b = bind(&mut latch, 0, &packet(21, 97, &[])).unwrap();
        assert_eq!((b.encoding, b.role), (4, Role::Repair));
        assert_eq!(latch.encoding(Ssrc(21)), None);
        assert_eq!(bind(&mut latch, 0, &packet(20, 97, &[])), Err(DropReason::WrongPayloadType));
    }

    #[test]
    fn a_binding_by_rid_outlives_the_extensions_that_made_it() {
        let mut latch = browser();
        let b = bind(&mut latch, 0, &packet(7, 96, &[(MID, "1"), (RID, "h")])).unwrap();
        assert_eq!(b, Bound { encoding: 2, role: Role::Media, news: Some(News::First) });
        let b = bind(&mut latch, 1, &packet(7, 96, &[])).unwrap();
        assert_eq!(b, Bound { encoding: 2, role: Role::Media, news: None });
        let b = bind(&mut latch, 1, &packet(8, 97, &[(MID, "1"), (REPAIRED, "h")])).unwrap();
        assert_eq!((b.encoding, b.role), (2, Role::Repair));
        let b = bind(&mut latch, 1, &packet(9, 111, &[(MID, "0")])).unwrap();
        assert_eq!((b.encoding, b.role), (0, Role::Media));
    }

    #[test]
    fn repair_may_come_before_its_media() {
        let mut latch = browser();
        let b = bind(&mut latch, 0, &packet(8, 97, &[(MID, "1"), (REPAIRED, "f")])).unwrap();
        assert_eq!((b.encoding, b.role), (3, Role::Repair));
        assert_eq!(latch.ssrc(3), None);
    }

    #[test]
    fn what_names_nobody_is_refused_by_name() {
        let mut latch = browser();
        for (p, reason) in [
            (packet(5, 96, &[(MID, "9")]), DropReason::UnknownMid),
            (packet(5, 96, &[(MID, "1"), (RID, "x")]), DropReason::UnknownMid),
            (packet(5, 96, &[(MID, "1")]), DropReason::MissingRid),
            (packet(5, 100, &[(MID, "1"), (RID, "q")]), DropReason::WrongPayloadType),
            (packet(5, 96, &[(MID, "1"), (REPAIRED, "q")]), DropReason::WrongPayloadType),
            // 96 is used by two sections: no guess.
            (packet(5, 96, &[]), DropReason::UnknownSsrc),
            (packet(5, 3, &[]), DropReason::UnknownSsrc),
        ] {
            assert_eq!(bind(&mut latch, 0, &p), Err(reason));
        }
    }

    // JA#3444, and a browser that restarts its encoder with another SSRC.
    #[test]
    fn a_new_ssrc_for_a_bound_rid_is_a_restart_and_stragglers_are_none() {
        let mut latch = browser();
        let ids = [(MID, "1"), (RID, "q")];
        bind(&mut latch, 0, &packet(7, 96, &ids)).unwrap();
        assert_eq!(bind(&mut latch, 100, &packet(8, 96, &ids)), Err(DropReason::SsrcTooSoon));
        let b = bind(&mut latch, 1000, &packet(8, 96, &ids)).unwrap();
        assert_eq!(b.news, Some(News::Restarted));
        assert_eq!(bind(&mut latch, 1700, &packet(7, 96, &ids)), Err(DropReason::RetiredSsrc));
        assert_eq!(latch.ssrc(1), Some(Ssrc(8)));
    }

    // ffmpeg and others: no mid, no extension, no declaration.
    #[test]
    fn a_foreign_publisher_is_known_by_its_payload_type() {
        let mut latch = Latch::new();
        for (e, media) in [(0, 111), (1, 102)] {
            let encodings = [declared(e, None, None, None)];
            let extensions = ExtensionMap::EMPTY;
            let s = Section { mid: None, pt: pt(media), rtx_pt: None, extensions, encodings: &encodings };
            latch.publish(&s).unwrap();
        }
        assert_eq!(bind(&mut latch, 0, &packet(1, 111, &[])).unwrap().encoding, 0);
        assert_eq!(bind(&mut latch, 0, &packet(2, 102, &[])).unwrap().encoding, 1);
        // Somebody else with the same payload type does not take over what is alive.
        assert_eq!(bind(&mut latch, 900, &packet(3, 111, &[])), Err(DropReason::UnknownSsrc));
        assert_eq!(bind(&mut latch, 1500, &packet(3, 111, &[])).unwrap().news, Some(News::Restarted));
    }

    #[test]
    fn what_is_unpublished_is_unknown() {
        let mut latch = browser();
        bind(&mut latch, 0, &packet(20, 96, &[])).unwrap();
        latch.unpublish(|e| e == 4);
        assert_eq!(latch.encoding(Ssrc(20)), None);
        // Now 97 and 96 belong to the camera alone, which has three encodings.
        assert_eq!(bind(&mut latch, 0, &packet(20, 96, &[])), Err(DropReason::UnknownSsrc));
    }

    #[test]
    fn a_participant_declares_a_bounded_number() {
        let mut latch = browser();
        let many: Vec<_> = (0..40).map(|e| declared(100 + e, None, None, None)).collect();
        let section = Section { mid: None, pt: pt(98), rtx_pt: None, extensions: map(), encodings: &many };
        assert_eq!(latch.publish(&section), Err(TooManyEncodings));
    }

    proptest! {
        // JVB#2428: 2³² SSRCs from one peer.
        #[test]
        fn state_is_bounded_and_each_ssrc_has_one_meaning(
            packets in prop::collection::vec((0u32..40, 90u8..112, 0usize..6, 0usize..6, 0u64..400), 0..200),
        ) {
            let mut latch = browser();
            let mut now = 0;
            for (ssrc, pt, mid, rid, wait) in packets {
                now += wait;
                let mut ids = Vec::new();
                if let Some(m) = ["0", "1", "2", "7"].get(mid) { ids.push((MID, *m)); }
                if let Some(r) = ["q", "h", "f", "z"].get(rid) {
                    ids.push((if pt == 97 { REPAIRED } else { RID }, *r));
                }
                if let Ok(b) = bind(&mut latch, now, &packet(ssrc, pt, &ids)) {
                    if b.role == Role::Media {
                        prop_assert_eq!(latch.ssrc(b.encoding), Some(Ssrc(ssrc)));
                        prop_assert_eq!(latch.encoding(Ssrc(ssrc)), Some(b.encoding));
                    }
                }
                prop_assert!(latch.ssrcs.len() <= 2 * latch.streams.len());
                prop_assert!(latch.ssrcs.windows(2).all(|w| w[0].0 < w[1].0));
            }
        }
    }
}
