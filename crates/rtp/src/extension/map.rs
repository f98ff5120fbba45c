//! Which id means which extension, in one direction of one media section.

use core::fmt;
use core::num::NonZeroU8;

/// The id of a header extension element: 1 to 14 in the one-byte form, 1 to 255 in the two-byte form (RFC 8285 §4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExtId(NonZeroU8);

impl ExtId {
    /// `None` for 0, which is padding.
    #[inline]
    pub const fn new(v: u8) -> Option<Self> {
        match NonZeroU8::new(v) {
            Some(v) => Some(Self(v)),
            None => None,
        }
    }

    /// 1 to 255.
    #[inline]
    pub const fn get(self) -> u8 {
        self.0.get()
    }
}

impl fmt::Display for ExtId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $uri:literal,)*) => {
        /// The header extensions that we know by name.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum ExtensionKind { $($(#[$doc])* $name,)* }

        impl ExtensionKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The URI that `a=extmap` names it by (RFC 8285 §5).
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$name => $uri,)* }
            }

            /// The extension that a URI names.
            pub fn from_uri(uri: &str) -> Option<Self> {
                match uri { $($uri => Some(Self::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    /// RFC 6464.
    AudioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    /// 24 bits of 6.18 fixed-point seconds, at the moment of sending.
    AbsSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    /// draft-holmer-rmcat-transport-wide-cc-extensions-01.
    Twcc = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    /// RFC 9143.
    Mid = "urn:ietf:params:rtp-hdrext:sdes:mid",
    /// RFC 8852.
    Rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    /// RFC 8852.
    RepairedRid = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    /// 3GPP TS 26.114 §7.4.5.
    VideoOrientation = "urn:3gpp:video-orientation",
    /// Dependency descriptor of the AV1 RTP specification, appendix A.
    DependencyDescriptor = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    /// Colour space and HDR metadata.
    ColorSpace = "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
    /// Minimum and maximum playout delay.
    PlayoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    /// When it was captured.
    CaptureTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
    /// Which layers the sender makes, and for which rates.
    LayersAllocation = "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
}

/// Which id means which extension (`a=extmap`, RFC 8285 §5). Both ways in constant time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExtensionMap {
    ids: [Option<ExtId>; ExtensionKind::ALL.len()],
    /// The other way round, for the ids of the one-byte form (and 0 and 15): what browsers use.
    short: [Option<ExtensionKind>; 16],
}

impl ExtensionMap {
    /// Nothing negotiated.
    pub const EMPTY: Self = Self { ids: [None; ExtensionKind::ALL.len()], short: [None; 16] };

    /// Sets an extension's id; what the id meant before is forgotten.
    pub fn set(&mut self, kind: ExtensionKind, id: ExtId) {
        if let Some(before) = self.kind(id) {
            self.remove(before);
        }
        self.remove(kind);
        self.ids[kind as usize] = Some(id);
        if let Some(short) = self.short.get_mut(usize::from(id.get())) {
            *short = Some(kind);
        }
    }

    /// Forgets an extension.
    pub fn remove(&mut self, kind: ExtensionKind) {
        let id = self.ids[kind as usize].take();
        if let Some(short) = id.and_then(|id| self.short.get_mut(usize::from(id.get()))) {
            *short = None;
        }
    }

    /// The id of an extension, if negotiated.
    #[inline]
    pub fn id(&self, kind: ExtensionKind) -> Option<ExtId> {
        self.ids[kind as usize]
    }

    /// The extension of an id, if negotiated.
    #[inline]
    pub fn kind(&self, id: ExtId) -> Option<ExtensionKind> {
        match self.short.get(usize::from(id.get())) {
            Some(kind) => *kind,
            None => {
                let at = self.ids.iter().position(|&i| i == Some(id))?;
                ExtensionKind::ALL.get(at).copied()
            }
        }
    }

    /// All that are negotiated.
    pub fn iter(&self) -> impl Iterator<Item = (ExtensionKind, ExtId)> + '_ {
        ExtensionKind::ALL.iter().filter_map(|&k| Some((k, self.id(k)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_means_one_extension() {
        let mut map = ExtensionMap::EMPTY;
        let id = |v| ExtId::new(v).unwrap();
        map.set(ExtensionKind::Mid, id(4));
        map.set(ExtensionKind::Rid, id(4));
        assert_eq!(map.kind(id(4)), Some(ExtensionKind::Rid));
        assert_eq!(map.id(ExtensionKind::Mid), None);
        // Another id for the same, in the long form and back.
        for v in [200, 14] {
            map.set(ExtensionKind::Rid, id(v));
            assert_eq!((map.kind(id(v)), map.kind(id(4))), (Some(ExtensionKind::Rid), None));
            assert_eq!(map.iter().collect::<std::vec::Vec<_>>(), [(ExtensionKind::Rid, id(v))]);
        }
        map.remove(ExtensionKind::Rid);
        assert_eq!(map, ExtensionMap::EMPTY);
        for &k in ExtensionKind::ALL {
            assert_eq!(ExtensionKind::from_uri(k.uri()), Some(k));
        }
    }
}
