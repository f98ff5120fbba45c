//! Randomness: from the operating system, here and nowhere below.

use salon_transport::IceCredentials;

/// The characters of ICE credentials (RFC 8839 §5.4, `ice-char`): 64 of them, so that six bits choose one.
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The system has no random numbers to give: nothing safe can be started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the operating system gives no random numbers")]
pub struct NoEntropy;

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut b = [0; N];
    getrandom::fill(&mut b).map_err(|_| NoEntropy)?;
    Ok(b)
}

/// Fresh ICE credentials. The first character of the ufrag names the shard, so that a check from an unknown address
/// finds it; 42 random bits follow. The password has 144 bits (RFC 8445 §5.3 asks for 128).
pub(crate) fn ice_credentials(shard: usize) -> Result<IceCredentials, NoEntropy> {
    let random: [u8; 31] = bytes()?;
    let mut text = [0u8; 32];
    text[0] = ICE_CHARS[shard % 64];
    for (to, from) in text[1..].iter_mut().zip(random) {
        *to = ICE_CHARS[usize::from(from & 63)];
    }
    let (ufrag, pwd) = text.split_at(8);
    Ok(IceCredentials { ufrag: ascii(ufrag), pwd: ascii(pwd) })
}

/// The shard that the first character of a ufrag names: what is no `ice-char` names none.
pub(crate) fn shard_of(first: u8) -> Option<usize> {
    ICE_CHARS.iter().position(|&c| c == first)
}

fn ascii(chars: &[u8]) -> String {
    chars.iter().map(|&b| char::from(b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ufrag_names_its_shard() {
        for shard in 0..crate::limits::SHARDS {
            let credentials = ice_credentials(shard).unwrap();
            assert!(credentials.is_valid());
            assert_eq!(shard_of(credentials.ufrag.as_bytes()[0]), Some(shard));
        }
        assert_eq!(shard_of(b':'), None);
    }
}
