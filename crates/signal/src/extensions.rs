//! Header extensions: what is offered, what is accepted (RFC 8285).

use salon_rtp::MediaKind;
use salon_rtp::extension::{ExtId, ExtensionKind, ExtensionMap};

use crate::Rejection;
use crate::attributes::decimal;
use crate::lines::Attributes;

/// One line of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct AnsweredExtension {
    pub(crate) id: ExtId,
    pub(crate) kind: ExtensionKind,
    /// As the answer says it, already turned round (RFC 8285 §6).
    pub(crate) direction: Option<&'static str>,
}

/// An extension of the offer that we know by name.
#[derive(Clone, Copy)]
struct OfferedExtension {
    id: ExtId,
    kind: ExtensionKind,
    /// Whether it may stand in what the client sends, and in what it receives.
    sent: bool,
    received: bool,
}

/// The extensions of a section.
pub(crate) struct Offered(Vec<OfferedExtension>);

impl Offered {
    /// Those of the section, then those of the session level.
    pub(crate) fn read(session: &Attributes, section: &Attributes) -> Result<Self, Rejection> {
        let mut uris: [Option<&str>; 256] = [None; 256];
        let mut known: Vec<OfferedExtension> = Vec::new();
        for value in section.all("extmap").chain(session.all("extmap")) {
            let Some((head, rest)) = value.split_once(char::is_whitespace) else { continue };
            let (number, direction) = head.split_once('/').map_or((head, None), |(n, d)| (n, Some(d)));
            // 4096 and above are proposals without an id yet (RFC 8285 §5); we make no counter-proposal.
            let Some(id) = decimal::<u8>(number).and_then(ExtId::new) else { continue };
            let uri = rest.split_whitespace().next().unwrap_or_default();
            match uris.get_mut(usize::from(id.get())) {
                Some(Some(before)) if *before != uri => return Err(Rejection::DuplicateExtmap),
                Some(slot) => *slot = Some(uri),
                None => {}
            }
            let Some(kind) = ExtensionKind::from_uri(uri) else { continue };
            let (sent, received) = match direction {
                None | Some("sendrecv") => (true, true),
                Some("sendonly") => (true, false),
                Some("recvonly") => (false, true),
                Some(_) => continue,
            };
            if known.iter().all(|k| k.kind != kind && k.id != id) {
                known.push(OfferedExtension { id, kind, sent, received });
            }
        }
        Ok(Self(known))
    }

    /// Forgets those whose id means something else in another section of the bundle (RFC 9143 §9.2): left out of the
    /// answer, they are not sent.
    pub(crate) fn keep(&mut self, mut wanted: impl FnMut(ExtId, ExtensionKind) -> bool) {
        self.0.retain(|o| wanted(o.id, o.kind));
    }

    /// Whether the client can send this extension.
    pub(crate) fn sends(&self, kind: ExtensionKind) -> bool {
        self.0.iter().any(|o| o.kind == kind && o.sent)
    }

    /// What the client's packets may carry. Never the video orientation: a Firefox viewer, who does not know it, would
    /// see a phone's picture sideways; without it the phone turns the picture itself.
    pub(crate) fn sent(&self, media: MediaKind, rids: bool, rtx: bool, twcc: bool) -> ExtensionMap {
        self.pick(|o| {
            o.sent
                && match o.kind {
                    ExtensionKind::Mid | ExtensionKind::AbsSendTime => true,
                    ExtensionKind::Twcc => twcc,
                    ExtensionKind::AudioLevel => media == MediaKind::Audio,
                    ExtensionKind::Rid => rids,
                    ExtensionKind::RepairedRid => rids && rtx,
                    _ => false,
                }
        })
    }

    /// What we may put into the packets that the client receives. The transport-wide number comes with our bandwidth
    /// estimator. Ids above 14 would cost the longer form on each packet (RFC 8285 §4.3).
    pub(crate) fn received(&self, media: MediaKind) -> ExtensionMap {
        self.pick(|o| {
            o.received
                && o.id.get() <= 14
                && match o.kind {
                    ExtensionKind::Mid => true,
                    ExtensionKind::AudioLevel => media == MediaKind::Audio,
                    _ => false,
                }
        })
    }

    fn pick(&self, wanted: impl Fn(&OfferedExtension) -> bool) -> ExtensionMap {
        let mut map = ExtensionMap::EMPTY;
        self.0.iter().filter(|o| wanted(o)).for_each(|o| map.set(o.kind, o.id));
        map
    }

    /// The lines of the answer for what has been picked in either direction.
    pub(crate) fn answer(&self, maps: &[&ExtensionMap]) -> Vec<AnsweredExtension> {
        let picked = self.0.iter().filter(|o| maps.iter().any(|m| m.id(o.kind) == Some(o.id)));
        picked
            .map(|o| AnsweredExtension {
                id: o.id,
                kind: o.kind,
                direction: match (o.sent, o.received) {
                    (true, true) => None,
                    (true, false) => Some("recvonly"),
                    (false, _) => Some("sendonly"),
                },
            })
            .collect()
    }
}
