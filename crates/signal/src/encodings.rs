//! The encodings of a section that sends: rid and simulcast (RFC 8851, RFC 8853), or SSRCs (RFC 5576).

use salon_rtp::{Pt, Rid, Ssrc};

use crate::attributes::{decimal, payload_type, ssrc_group};
use crate::lines::Attributes;
use crate::{Encoding, Rejection, limits};

/// At least one encoding, in the order of the offer. `pt` is the payload type of the codec that was chosen, `repaired`
/// whether it has an RTX beside it, `by_rid` whether packets can say their rid.
pub(crate) fn read(a: &Attributes, pt: Pt, repaired: bool, by_rid: bool) -> Result<Vec<Encoding>, Rejection> {
    let mut encodings = by_name(a, pt)?;
    let sources = Sources::read(a);
    if encodings.is_empty() {
        let first = sources.primary.iter().take(sources.layers);
        encodings = first.map(|&ssrc| Encoding { ssrc: Some(ssrc), ..Encoding::default() }).collect();
        if encodings.is_empty() {
            encodings.push(Encoding::default());
        }
    } else if encodings.len() == 1 || !by_rid {
        // Not where packets say their rid: that SSRCs stand in the order of the rids is custom, not law.
        for (encoding, &ssrc) in encodings.iter_mut().zip(&sources.primary) {
            encoding.ssrc = Some(ssrc);
        }
    }
    if encodings.len() > 1 && !by_rid && encodings.iter().any(|e| e.ssrc.is_none()) {
        return Err(Rejection::NoRidExtension);
    }
    if repaired {
        for encoding in &mut encodings {
            let pair = sources.repairs.iter().find(|(of, _)| Some(*of) == encoding.ssrc);
            encoding.rtx_ssrc = pair.map(|&(_, by)| by);
        }
    }
    Ok(encodings)
}

/// The rids that `a=simulcast` lists; without such a line the first rid, because the others are alternatives to it.
fn by_name(a: &Attributes, pt: Pt) -> Result<Vec<Encoding>, Rejection> {
    let mut rids: Vec<(Rid, bool)> = Vec::new();
    for value in a.all("rid").take(limits::RIDS) {
        let mut words = value.split_whitespace();
        let (Some(name), Some("send")) = (words.next(), words.next()) else { continue };
        let rid = Rid::new(name.as_bytes()).map_err(|_| Rejection::RidMismatch)?;
        if rids.iter().any(|(r, _)| *r == rid) {
            return Err(Rejection::RidMismatch);
        }
        rids.push((rid, words.next().is_none_or(|w| allows(w, pt))));
    }
    let Some(list) = a.value("simulcast").and_then(send_list) else {
        let usable = rids.iter().filter(|(_, usable)| *usable).take(1);
        return Ok(usable.map(|&(rid, _)| Encoding { rid: Some(rid), ..Encoding::default() }).collect());
    };
    let mut encodings: Vec<Encoding> = Vec::new();
    for stream in list.split(';') {
        let mut chosen = None;
        for alternative in stream.split(',') {
            let (name, paused) = alternative.strip_prefix('~').map_or((alternative, false), |n| (n, true));
            let &(rid, usable) =
                rids.iter().find(|(r, _)| r.as_str() == name).ok_or(Rejection::RidMismatch)?;
            if usable && chosen.is_none() {
                chosen = Some(Encoding { rid: Some(rid), paused, ..Encoding::default() });
            }
        }
        let Some(chosen) = chosen else { continue };
        if encodings.iter().any(|e| e.rid == chosen.rid) {
            return Err(Rejection::RidMismatch);
        }
        if encodings.len() < limits::ENCODINGS {
            encodings.push(chosen);
        }
    }
    Ok(encodings)
}

/// The list after `send` in `send a;b recv c`; `rid=` stood before it in early drafts of RFC 8853.
fn send_list(value: &str) -> Option<&str> {
    let mut words = value.split_whitespace();
    words.find(|w| *w == "send")?;
    words.next().map(|list| list.strip_prefix("rid=").unwrap_or(list))
}

/// Whether the restrictions of a rid, `pt=96,97;max-width=…` (RFC 8851 §5), leave it this payload type.
fn allows(restrictions: &str, pt: Pt) -> bool {
    let only = restrictions.split(';').find_map(|r| r.strip_prefix("pt="));
    only.is_none_or(|list| list.split(',').any(|p| payload_type(p) == Some(pt)))
}

/// The SSRCs of a section.
struct Sources {
    /// Those that carry media, in order.
    primary: Vec<Ssrc>,
    /// How many of them are encodings of the one track: those of a SIM group, else one.
    layers: usize,
    /// Media and its repair (RFC 5576 §4.2, FID as RFC 4588 §9 uses it).
    repairs: Vec<(Ssrc, Ssrc)>,
}

impl Sources {
    fn read(a: &Attributes) -> Self {
        let groups = || a.all("ssrc-group").take(limits::SSRCS);
        let pairs = groups().filter_map(|v| ssrc_group(v, "FID", 2));
        let repairs: Vec<(Ssrc, Ssrc)> = pairs
            .filter_map(|p| <[Ssrc; 2]>::try_from(p).ok())
            .filter(|[of, by]| of != by && by.0 != 0)
            .map(|[of, by]| (of, by))
            .collect();
        if let Some(mut layers) = groups().find_map(|v| ssrc_group(v, "SIM", limits::ENCODINGS))
            && !layers.is_empty()
        {
            let mut seen = Vec::new();
            layers.retain(|s| {
                !seen.contains(s) && {
                    seen.push(*s);
                    true
                }
            });
            return Self { layers: layers.len(), primary: layers, repairs };
        }
        let mut primary = Vec::new();
        for value in a.all("ssrc") {
            let Some(ssrc) = value.split_whitespace().next().and_then(decimal).map(Ssrc) else { continue };
            let repair = repairs.iter().any(|(_, by)| *by == ssrc);
            if !repair && !primary.contains(&ssrc) && primary.len() < limits::SSRCS {
                primary.push(ssrc);
            }
        }
        Self { primary, layers: 1, repairs }
    }
}
