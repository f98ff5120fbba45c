//! Randomness of the operating system, for names and tokens.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// `N` random bytes.
///
/// # Errors
/// When the operating system has none to give, which on a machine that runs at all does not happen.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// A secret of 128 random bits as 32 hexadecimal digits.
///
/// # Errors
/// As [`bytes`].
pub(crate) fn token() -> Result<String, NoRandomness> {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(32);
    for byte in bytes::<16>()? {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// The operating system gave no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random numbers")]
pub struct NoRandomness;
