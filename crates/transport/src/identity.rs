//! Who we are in a handshake.

use core::fmt;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use thiserror::Error;

use crate::Fingerprint;
use crate::dtls::Context;

/// A certificate with its private key: one per process, made at start and kept in memory only.
#[derive(Clone)]
pub struct Identity {
    context: Arc<Context>,
    fingerprint: Fingerprint,
}

/// No certificate could be made: the cipher library refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the cipher library could not make a certificate")]
pub struct IdentityError;

impl Identity {
    /// Makes a key on P-256, the curve that every WebRTC client must take (RFC 8827 §6.5), and a certificate signed by
    /// itself. Nobody looks at its names or dates, but for its fingerprint; its serial number follows from the key
    /// (Firefox takes no two certificates of one issuer with the same number).
    pub fn generate() -> Result<Self, IdentityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| IdentityError)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Salon");
        let certificate = params.self_signed(&key).map_err(|_| IdentityError)?;
        let fingerprint = Fingerprint::of(certificate.der());
        let context = Context::new(certificate.der().to_vec(), key.serialize_der()).ok_or(IdentityError)?;
        Ok(Self { context: Arc::new(context), fingerprint })
    }

    /// What `a=fingerprint` is to say.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What its handshakes share.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}
