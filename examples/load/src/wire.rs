//! A byte stream to a server, plain or by TLS, that never blocks.

use crate::{Error, Url};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned,
};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where systems keep the certificates that they trust, in one file.
const BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Whose certificates are good.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Trust {
    /// Those of the system.
    #[default]
    System,
    /// Those that the authorities in a PEM file signed.
    File(PathBuf),
    /// Anybody's: for a server that made its own.
    Anybody,
}

impl Trust {
    /// What rustls needs to know.
    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Trust(error.to_string()))?;
        let file = match self {
            Self::Anybody => {
                let verifier = Arc::new(Credulous(provider));
                return Ok(Arc::new(
                    builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth(),
                ));
            }
            Self::File(path) => Some(path.as_path()),
            Self::System => BUNDLES.iter().map(Path::new).find(|path| path.exists()),
        };
        let mut roots = RootCertStore::empty();
        if let Some(path) = file {
            let sorry =
                |error: rustls::pki_types::pem::Error| Error::Trust(format!("{}: {error}", path.display()));
            let certificates = CertificateDer::pem_file_iter(path).map_err(sorry)?;
            roots.add_parsable_certificates(certificates.collect::<Result<Vec<_>, _>>().map_err(sorry)?);
        }
        if roots.is_empty() && *self != Self::System {
            return Err(Error::Trust("the file holds none".to_owned()));
        }
        Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
    }
}

/// The stream.
#[derive(Debug)]
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    /// Begins to connect; events come with `token`.
    pub(crate) fn connect(
        url: &Url,
        address: SocketAddr,
        config: &Arc<ClientConfig>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let mut tcp = TcpStream::connect(address)?;
        tcp.set_nodelay(true)?;
        registry.register(&mut tcp, token, Interest::READABLE | Interest::WRITABLE)?;
        if !url.tls {
            return Ok(Self::Plain(tcp));
        }
        let name = ServerName::try_from(url.host.clone()).map_err(io::Error::other)?;
        let tls = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(tls, tcp))))
    }

    /// Whether the connection stands; an error is why it never will.
    pub(crate) fn is_connected(&self) -> io::Result<bool> {
        let tcp = match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref(),
        };
        if let Some(error) = tcp.take_error()? {
            return Err(error);
        }
        match tcp.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buf),
            Self::Tls(tls) => tls.read(buf),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(buf),
            Self::Tls(tls) => tls.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// Believes that everybody is who they say: signatures are checked, names and authorities are not.
#[derive(Debug)]
struct Credulous(Arc<CryptoProvider>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
