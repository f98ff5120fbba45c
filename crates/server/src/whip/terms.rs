//! What an offer must be: all of it usable, in one direction.

use super::Kind;
use super::refused::{Reason, Refused};
use crate::keys::Role;
use crate::messages::Sections;
use crate::proposal::{Proposal, sentence};
use salon_rtp::{Codec, MediaKind};
use salon_signal::{Offer, Plan, SdpError};

/// Reads an offer of which every section can be served, or refuses it as a whole: a session of which half works misleads
/// whoever looks at it (RFC 9725 §4.4.3).
pub(crate) fn read(kind: Kind, text: &str) -> Result<Offer, Refused> {
    let mut offer = Offer::parse(text).map_err(unreadable)?;
    let (mut sounds, mut pictures) = (0, 0);
    for section in &mut offer.sections {
        let no =
            |why: &str| Refused::saying(Reason::NotAcceptable, format!("Section {}: {why}.", section.index));
        let plan = std::mem::replace(&mut section.plan, Plan::Rejected(salon_signal::Rejection::Stopped));
        section.plan = match (kind, plan) {
            (_, Plan::Rejected(reason)) => return Err(no(&reason.to_string())),
            // RFC 9725 §4.2: a publisher offers `sendonly` or `sendrecv`, and the answer is `recvonly`; WHEP is its mirror.
            (Kind::Publish, Plan::Send(send) | Plan::SendReceive(send, _)) => {
                let count = if send.kind == MediaKind::Audio { &mut sounds } else { &mut pictures };
                *count += 1;
                // RFC 9725 §4.4.2.
                if *count > 1 {
                    return Err(no("one sound and one picture are the most that a session publishes"));
                }
                Plan::Send(send)
            }
            (Kind::Play, Plan::Receive(receive) | Plan::SendReceive(_, receive)) => Plan::Receive(receive),
            (Kind::Publish, _) => return Err(no("a publisher's sections send")),
            (Kind::Play, _) => return Err(no("a player's sections receive")),
        };
    }
    Ok(offer)
}

/// Puts the codec that is shown now before the others: some players can set up the first of an answer only.
pub(crate) fn prefer(offer: &mut Offer, shown: Codec) {
    for section in &mut offer.sections {
        if let Plan::Receive(receive) = &mut section.plan {
            receive.payloads.sort_by_key(|payload| match payload.codec {
                codec if codec == shown => 0,
                codec if codec.decodes(shown) => 1,
                _ => 2,
            });
        }
    }
}

/// What it asks of the room.
pub(crate) fn propose(offer: Offer, role: Role) -> Result<Proposal, Refused> {
    Ok(Proposal::of(offer, &Sections::default(), role)?)
}

fn unreadable(error: SdpError) -> Refused {
    let reason = match error {
        SdpError::TooLarge => Reason::TooLarge,
        // Well-formed, and nothing that we could serve: two lite agents would wait for each other (RFC 9725 §4.4.5).
        SdpError::IceLite | SdpError::NothingAccepted | SdpError::TooManySections => Reason::NotAcceptable,
        _ => Reason::Malformed,
    };
    Refused::saying(reason, sentence(&error.to_string()))
}
