//! Why somebody could not come in, or could not change what they send and receive.

use salon_sfu::Refused;
use salon_transport::Refused as PeerRefused;

use crate::NoEntropy;

/// The member (or its slot or track) is not there any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this participant has left")]
pub struct Stale;

/// Why somebody could not join, or could not change what they send and receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The room holds as many as [`HostConfig::room`](crate::HostConfig) allows.
    #[error("the room is full")]
    RoomFull,
    /// The host holds as many rooms as [`HostConfig::max_rooms`](crate::HostConfig) allows.
    #[error("this host has no place for another room")]
    TooManyRooms,
    /// The host holds as many participants as [`HostConfig::max_participants`](crate::HostConfig) allows.
    #[error("this host has no place for another participant")]
    TooManyParticipants,
    /// The shard holds as many peers as its transport allows.
    #[error("this host has no place for another peer")]
    TooManyPeers,
    /// The client's ICE credentials have a forbidden length or characters (RFC 8839 §5.4): the client must mend that.
    #[error("malformed ICE credentials")]
    BadCredentials,
    /// The ICE user name fragment that was drawn for this client is another one's, by chance: ask again.
    #[error("the ufrag that was drawn is in use")]
    UfragInUse,
    /// A track or a slot that the core refuses.
    #[error("refused: {0}")]
    Refused(#[from] Refused),
    /// There is no randomness for keys: whoever looks after the machine must see to it.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The room failed by a fault of ours, and has ended: ask again for a new one.
    #[error("the room failed")]
    RoomFailed,
    /// The command queue is full, or the host is stopping.
    #[error("the host is too busy")]
    Busy,
    /// The member has left.
    #[error(transparent)]
    Stale(#[from] Stale),
}

impl JoinError {
    /// The names of all, for counters.
    pub const NAMES: &'static [&'static str] = &[
        "room-full",
        "too-many-rooms",
        "too-many-participants",
        "too-many-peers",
        "bad-credentials",
        "ufrag-in-use",
        "refused",
        "no-entropy",
        "room-failed",
        "busy",
        "stale",
    ];

    /// One word for it.
    pub const fn name(self) -> &'static str {
        let at = match self {
            Self::RoomFull => 0,
            Self::TooManyRooms => 1,
            Self::TooManyParticipants => 2,
            Self::TooManyPeers => 3,
            Self::BadCredentials => 4,
            Self::UfragInUse => 5,
            Self::Refused(_) => 6,
            Self::NoEntropy(_) => 7,
            Self::RoomFailed => 8,
            Self::Busy => 9,
            Self::Stale(_) => 10,
        };
        Self::NAMES[at]
    }
}

impl From<PeerRefused> for JoinError {
    fn from(refused: PeerRefused) -> Self {
        match refused {
            PeerRefused::TooManyPeers => Self::TooManyPeers,
            PeerRefused::UfragInUse => Self::UfragInUse,
            PeerRefused::BadCredentials => Self::BadCredentials,
            PeerRefused::NoSuchPeer => Self::Stale(Stale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_refusal_of_the_transport_keeps_its_name() {
        let all = [
            PeerRefused::TooManyPeers,
            PeerRefused::UfragInUse,
            PeerRefused::BadCredentials,
            PeerRefused::NoSuchPeer,
        ];
        let names: Vec<_> = all.map(|refused| JoinError::from(refused).name()).into();
        assert_eq!(names, ["too-many-peers", "ufrag-in-use", "bad-credentials", "stale"]);
        assert_eq!(JoinError::NAMES.iter().collect::<HashSet<_>>().len(), JoinError::NAMES.len());
    }
}
