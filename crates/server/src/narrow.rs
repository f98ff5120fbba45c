//! Whether a link is too narrow for what its person looks at. That little is sent over it says nothing: small pictures cost little, and a
//! receiver's estimate (REMB) follows what comes.

use salon_host::MemberReport;
use salon_host::sfu::{EmptyReason, EncodingReport, SlotReport, TrackReport};
use salon_rtp::{Bitrate, MediaKind};

/// What a slot's picture is, and what it would be on a link without bounds.
struct Picture<'a> {
    sent: Option<&'a EncodingReport>,
    fitting: &'a EncodingReport,
}

/// Whether a picture pauses, or is smaller than its tile, because the link does not carry more. `height`: for how many lines a slot (by its mid) was asked.
pub(crate) fn is_narrow(report: &MemberReport, height: impl Fn(&str) -> Option<u16>) -> bool {
    let Some(budget) = report.participant.budget else { return false };
    let slots = report.participant.slots.iter().filter(|slot| slot.kind == MediaKind::Video);
    let pictures: Vec<Picture<'_>> =
        slots.clone().filter_map(|slot| picture(slot, &report.watched, &height)).collect();
    let smaller = |p: &Picture<'_>| p.sent.is_some_and(|sent| sent.height < p.fitting.height);
    // While a larger picture is only awaited (its key frame), there is room for it.
    let wanted = pictures.iter().fold(Bitrate::ZERO, |sum, p| sum.plus(p.fitting.rate));
    let no_room = wanted > budget.percent(100 - HEADROOM);
    slots.clone().any(|slot| slot.empty == Some(EmptyReason::NoBandwidth))
        || (no_room && pictures.iter().any(smaller))
}

/// What the media core leaves free when a picture becomes larger, in percent (`salon_simulcast::allocate::HEADROOM`).
const HEADROOM: u64 = 10;

fn picture<'a>(
    slot: &SlotReport,
    watched: &'a [TrackReport],
    height: impl Fn(&str) -> Option<u16>,
) -> Option<Picture<'a>> {
    let track = watched.iter().find(|track| Some(track.id) == slot.shows)?;
    let lines = slot.mid.as_deref().and_then(height).filter(|lines| *lines > 0)?;
    Some(Picture {
        sent: slot.encoding.and_then(|at| track.encodings.get(usize::from(at))),
        fitting: fitting(track, lines)?,
    })
}

/// Of those that come, the least encoding that is tall enough for a tile, else the tallest. An eighth less is enough, as it is for the media core.
fn fitting(track: &TrackReport, lines: u16) -> Option<&EncodingReport> {
    // One whose height is not known has sent no key frame yet: nobody can be shown it.
    let come = || track.encodings.iter().filter(|e| e.live).filter_map(|e| Some((e.height?, e)));
    let enough = come().filter(|(height, _)| u32::from(*height) * 8 >= u32::from(lines) * 7);
    let best = enough.min_by_key(|(height, _)| *height).or_else(|| come().max_by_key(|(height, _)| *height));
    best.map(|(_, encoding)| encoding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use salon_host::sfu::{ParticipantId, ParticipantReport, SlotId, Source, TrackId};
    use salon_host::{PeerReport, Spent};
    use salon_rtp::Codec;
    use std::time::Duration;

    /// A camera of three encodings, of 90, 180 and 360 lines at 80, 200 and 500 kbit/s, of which these come.
    fn camera(live: [bool; 3]) -> TrackReport {
        let encoding = |n: usize| EncodingReport {
            rid: None,
            live: live[n],
            rate: Bitrate::from_kbps([80, 200, 500][n]),
            height: Some([90, 180, 360][n]),
            received: 0,
            lost: 0,
            jitter_us: 0,
            viewers: 1,
        };
        TrackReport {
            id: TrackId::default(),
            source: Source::Camera,
            codec: Codec::Vp8,
            muted: false,
            viewers: 1,
            encodings: (0..3).map(encoding).collect(),
        }
    }

    /// Somebody whose link is thought to carry `budget` kbit/s, and who is sent these encodings of such cameras.
    fn viewer(budget: Option<u64>, sent: &[u8], camera: TrackReport) -> MemberReport {
        let slot = |(at, encoding): (usize, &u8)| SlotReport {
            id: SlotId::default(),
            mid: Some(at.to_string()),
            kind: MediaKind::Video,
            shows: Some(TrackId::default()),
            encoding: Some(*encoding),
            empty: None,
            sent: 0,
            repaired: 0,
            loss: None,
        };
        let participant = ParticipantReport {
            id: ParticipantId::default(),
            connected: true,
            speaking: false,
            budget: budget.map(Bitrate::from_kbps),
            estimate: None,
            rtt_ms: None,
            tracks: Vec::new(),
            slots: sent.iter().enumerate().map(slot).collect(),
        };
        let peer = PeerReport {
            participant: participant.id,
            label: 1,
            path: None,
            unheard: Duration::ZERO,
            spent: Spent::default(),
        };
        MemberReport { participant, watched: vec![camera], peer }
    }

    const ALL: [bool; 3] = [true; 3];

    #[test]
    fn small_tiles_need_little_and_an_estimate_that_follows_them_limits_nothing() {
        let one = viewer(Some(90), &[0], camera(ALL));
        assert!(!is_narrow(&one, |_| Some(90)), "what is sent is what the tile wants");
        let three = viewer(Some(170), &[0, 0, 0], camera(ALL));
        assert!(!is_narrow(&three, |_| Some(100)), "an eighth less is enough");
        assert!(!is_narrow(&three, |_| Some(0)), "nobody looks");
        assert!(!is_narrow(&three, |_| None), "nobody has said what is looked at");
    }

    #[test]
    fn a_tile_that_gets_less_than_it_wants_for_want_of_room_is_told_of() {
        assert!(is_narrow(&viewer(Some(300), &[1], camera(ALL)), |_| Some(360)));
        let beside = |mid: &str| Some(if mid == "0" { 360 } else { 90 });
        assert!(is_narrow(&viewer(Some(560), &[1, 0], camera(ALL)), beside), "all of them count");
        assert!(!is_narrow(&viewer(None, &[1], camera(ALL)), |_| Some(360)), "nothing bounds it");
        assert!(
            !is_narrow(&viewer(Some(900), &[1], camera(ALL)), |_| Some(360)),
            "it fits, and is on its way"
        );
    }

    #[test]
    fn a_camera_that_sends_no_more_makes_no_link_narrow() {
        assert!(!is_narrow(&viewer(Some(220), &[1], camera([true, true, false])), |_| Some(720)));
    }

    #[test]
    fn a_picture_that_pauses_for_want_of_room_is_told_of() {
        let mut report = viewer(Some(60), &[0, 0], camera(ALL));
        report.participant.slots[1].empty = Some(EmptyReason::NoBandwidth);
        assert!(is_narrow(&report, |_| Some(90)));
        report.participant.slots[1].empty = Some(EmptyReason::Waiting);
        report.participant.budget = Some(Bitrate::from_kbps(200));
        assert!(!is_narrow(&report, |_| Some(90)));
    }
}
