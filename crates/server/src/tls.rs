//! The certificate of the HTTPS side: given as PEM, or made here and kept on disk.

use crate::candidates::machine_addresses;
use crate::state::{self, StateError};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// What the HTTPS side needs.
#[derive(Clone)]
pub struct Tls(pub(crate) Arc<ServerConfig>);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// Why there is no certificate. Each text is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] StateError),
    /// A file holds no PEM of the expected kind.
    #[error(
        "{path} holds no {what} in PEM form: give --tls-cert the certificate chain and --tls-key its private key"
    )]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// Certificate and key do not belong together, or are of a kind that TLS cannot use.
    #[error("the certificate cannot be used ({0}): give --tls-cert and --tls-key files that belong together")]
    Unusable(String),
}

/// How long a certificate of our own is valid: what Apple's systems take at most is 825 days, browsers' custom 398.
const VALID: Duration = Duration::days(397);
/// When a new one is made: a conference does not last a month.
const RENEW: Duration = Duration::days(367);

const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";
const NAMES: &str = "certificate.names";

impl Tls {
    /// A certificate chain and its key from PEM files.
    ///
    /// # Errors
    /// When a file cannot be read, holds something else, or the two do not fit together.
    pub fn from_pem(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| StateError { path: path.into(), what: "read", source })
        };
        let chain = chain(&read(certificate)?);
        if chain.is_empty() {
            return Err(TlsError::Pem { path: certificate.into(), what: "certificate" });
        }
        let key_der = PrivateKeyDer::from_pem_slice(&read(key)?)
            .map_err(|_| TlsError::Pem { path: key.into(), what: "private key" })?;
        Self::new(chain, key_der)
    }

    /// A self-signed certificate for this machine's names and addresses, kept in `directory` (made if it is not there, for this user only), and
    /// made anew when it nears its end or an address is missing in it. Without a directory it lives as long as the process.
    ///
    /// # Errors
    /// When the directory or its files cannot be read or written.
    pub fn own(directory: Option<&Path>, extra: &[IpAddr]) -> Result<Self, TlsError> {
        let names = names(extra);
        let Some(directory) = directory else {
            let (certificate, key) = make(&names)?;
            return Self::from_text(&certificate, &key);
        };
        let now = OffsetDateTime::now_utc();
        if let Some(kept) = kept(directory, &names, now) {
            return Ok(kept);
        }
        let (certificate, key) = make(&names)?;
        for (name, text) in [
            (KEY, key.as_str()),
            (CERTIFICATE, certificate.as_str()),
            (NAMES, &format!("{}\n{}\n", now.unix_timestamp(), names.join("\n"))),
        ] {
            state::write(directory, name, text)?;
        }
        Self::from_text(&certificate, &key)
    }

    fn from_text(certificate: &str, key: &str) -> Result<Self, TlsError> {
        let key =
            PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|e| TlsError::Unusable(e.to_string()))?;
        Self::new(chain(certificate.as_bytes()), key)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        let unusable = |e: rustls::Error| TlsError::Unusable(e.to_string());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(unusable)?;
        // WebSockets start from HTTP/1.1 (RFC 6455 §4.1), and a page of this size gains nothing by HTTP/2.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

fn chain(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect()
}

/// The names that the certificate speaks for, sorted.
fn names(extra: &[IpAddr]) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(host_name());
    names.extend(machine_addresses().iter().chain(extra).map(IpAddr::to_string));
    names.sort();
    names.dedup();
    names
}

/// The machine's name, where the system keeps it in a file or in the environment.
fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| fs::read_to_string("/etc/hostname"))
        .ok()
        .or_else(|| std::env::var("COMPUTERNAME").ok())?;
    let name = name.trim().to_ascii_lowercase();
    let is_name = (1..=253).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    is_name.then_some(name)
}

/// A certificate and its key, PEM.
fn make(names: &[String]) -> Result<(String, String), TlsError> {
    let unusable = |e: rcgen::Error| TlsError::Unusable(e.to_string());
    let key = KeyPair::generate().map_err(unusable)?;
    let mut params = CertificateParams::new(names.to_vec()).map_err(unusable)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Salon");
    let now = OffsetDateTime::now_utc();
    // Clocks of neighbours may be behind ours.
    params.not_before = now - Duration::days(1);
    params.not_after = now + VALID;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key).map_err(unusable)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// What is on disk, if it is ours, young enough and has all the names. Names that went away do no harm: a laptop that changes
/// networks daily would otherwise show its neighbours a new certificate every day.
fn kept(directory: &Path, names: &[String], now: OffsetDateTime) -> Option<Tls> {
    let text = fs::read_to_string(directory.join(NAMES)).ok()?;
    let mut lines = text.lines();
    let made = OffsetDateTime::from_unix_timestamp(lines.next()?.parse().ok()?).ok()?;
    let known: Vec<&str> = lines.collect();
    let age = now - made;
    if age < Duration::ZERO || age > RENEW || !names.iter().all(|name| known.contains(&name.as_str())) {
        return None;
    }
    Tls::from_pem(&directory.join(CERTIFICATE), &directory.join(KEY)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("salon-tls-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn it_is_made_once_and_the_key_is_for_its_owner_only() {
        let directory = place("once").join("deeper");
        Tls::own(Some(&directory), &[]).unwrap();
        let first = fs::read(directory.join(CERTIFICATE)).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(directory.join(KEY)).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        }
        Tls::own(Some(&directory), &[]).unwrap();
        assert_eq!(fs::read(directory.join(CERTIFICATE)).unwrap(), first);
        Tls::own(Some(&directory), &["203.0.113.7".parse().unwrap()]).unwrap();
        assert_ne!(fs::read(directory.join(CERTIFICATE)).unwrap(), first, "an address was missing");
        fs::remove_dir_all(directory.parent().unwrap()).unwrap();
    }

    #[test]
    fn an_old_or_spoilt_one_is_made_anew() {
        let directory = place("old");
        Tls::own(Some(&directory), &[]).unwrap();
        let names = names(&[]);
        let now = OffsetDateTime::now_utc();
        assert!(kept(&directory, &names, now).is_some());
        assert!(kept(&directory, &names, now + Duration::days(368)).is_none());
        assert!(kept(&directory, &names, now - Duration::days(1)).is_none(), "from the future");
        fs::write(directory.join(KEY), "").unwrap();
        assert!(kept(&directory, &names, now).is_none());
        Tls::own(Some(&directory), &[]).unwrap();
        assert!(kept(&directory, &names, now).is_some());
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn files_that_are_something_else_are_named() {
        let directory = place("pem");
        Tls::own(Some(&directory), &[]).unwrap();
        let (certificate, key) = (directory.join(CERTIFICATE), directory.join(KEY));
        assert!(Tls::from_pem(&certificate, &key).is_ok());
        let message = |result: Result<Tls, TlsError>| result.unwrap_err().to_string();
        assert!(message(Tls::from_pem(&key, &key)).contains("holds no certificate"));
        assert!(message(Tls::from_pem(&certificate, &certificate)).contains("holds no private key"));
        assert!(message(Tls::from_pem(&directory.join("x"), &key)).contains("cannot be read"));
        fs::remove_dir_all(&directory).unwrap();
    }
}
