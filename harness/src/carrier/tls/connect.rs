//! Our side of TLS towards servers under test.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, InvalidMessage,
    RootCertStore, SignatureScheme,
};

use super::pem::TlsError;
use super::{HTTP_1_1, Stream, provider};
use crate::carrier::{Trust, os_words};

/// How many of a certificate's names are told, and how much of each.
const NAMES_TOLD: usize = 4;
/// See [`NAMES_TOLD`].
const NAME_CHARS: usize = 80;

/// Our side of TLS towards one server.
#[derive(Clone, Debug)]
pub struct Connector {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// Why there is no connection under TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// It took too long.
    #[error("the server did not complete the TLS handshake within {0:?}")]
    Timeout(Duration),
    /// It does not speak TLS.
    #[error("what answers there does not speak TLS; if it is not to, give the URL as ws://")]
    NotTls,
    /// The certificate does not show that it is the server asked for.
    #[error("the certificate of {name} is not trusted: {why}; {mend}")]
    Certificate {
        /// The server asked for.
        name: String,
        /// What is wrong with it.
        why: String,
        /// What to do.
        mend: &'static str,
    },
    /// It told us that it will not.
    #[error("the server broke off the TLS handshake with the alert {0}")]
    Alert(String),
    /// It went.
    #[error("the server ended the connection during the TLS handshake; does it speak TLS there?")]
    Ended,
    /// Anything else.
    #[error("the TLS handshake failed: {0}")]
    Failed(String),
}

impl Connector {
    /// Asks for the server of this name or address.
    ///
    /// # Errors
    ///
    /// The name is none, or the certificates to trust cannot be.
    pub fn new(name: &str, trust: &Trust) -> Result<Self, TlsError> {
        let name = ServerName::try_from(name.to_owned()).map_err(|_| TlsError::Name(name.to_owned()))?;
        let provider = provider();
        let verifier: Arc<dyn ServerCertVerifier> = match trust {
            Trust::Roots { extra } => {
                let given = extra.iter().flat_map(|roots| roots.certificates.iter().cloned()).collect();
                Arc::new(Known::new(given, &provider)?)
            }
            Trust::Anything => Arc::new(Anyone(Arc::clone(&provider))),
        };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(setup)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), name })
    }

    /// The handshake with the server at the other end of a stream, within this time.
    ///
    /// # Errors
    ///
    /// Why there is no connection under TLS.
    pub async fn connect<S>(&self, stream: S, patience: Duration) -> Result<Stream<S>, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connecting = TlsConnector::from(Arc::clone(&self.config)).connect(self.name.clone(), stream);
        match tokio::time::timeout(patience, connecting).await {
            Ok(Ok(stream)) => Ok(Stream::new(stream)),
            Ok(Err(error)) => Err(self.explain(&error)),
            Err(_) => Err(HandshakeError::Timeout(patience)),
        }
    }

    fn explain(&self, error: &io::Error) -> HandshakeError {
        match tls_error(error) {
            Some(Error::InvalidCertificate(error)) => {
                let (why, mend) = certificate(error);
                HandshakeError::Certificate { name: self.name.to_str().into_owned(), why, mend }
            }
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => HandshakeError::NotTls,
            Some(Error::AlertReceived(description)) => HandshakeError::Alert(alert(*description)),
            Some(error) => HandshakeError::Failed(error.to_string()),
            None => match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => HandshakeError::Ended,
                // The operating system's to name.
                _ => HandshakeError::Failed(os_words(error)),
            },
        }
    }
}

/// What the library for TLS has to say of an error, if it is of TLS and not of the stream below.
pub(super) fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// The alert's name.
pub(super) fn alert(description: AlertDescription) -> String {
    format!("{description:?}")
}

fn setup(error: impl fmt::Display) -> TlsError {
    TlsError::Setup(error.to_string())
}

/// What is wrong with a certificate, and what to do.
fn certificate(error: &CertificateError) -> (String, &'static str) {
    match error {
        CertificateError::UnknownIssuer => {
            ("unknown issuer".to_owned(), "give its CA by --ca FILE, or --insecure")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("it has expired".to_owned(), "renew it, or give --insecure")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("it is not valid yet".to_owned(), "compare the clocks, or give --insecure")
        }
        CertificateError::NotValidForName => ("it is for another name".to_owned(), OTHER_NAME),
        CertificateError::NotValidForNameContext { presented, .. } => {
            (format!("it is for another name: {}", names(presented)), OTHER_NAME)
        }
        // This is how the library says of a certificate that signs itself that it is a CA's.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            ("it is that of a CA and nobody vouches for it".to_owned(), "give it by --ca FILE, or --insecure")
        }
        // The library's to name.
        other => (other.to_string(), "mend it, or give --insecure"),
    }
}

const OTHER_NAME: &str = "give its name by --host, or --insecure";

fn names(presented: &[String]) -> String {
    // The library writes `DnsName("example.org")` and `IpAddress(127.0.0.1)`.
    let bare = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
        inner.trim_matches('"').escape_debug().take(NAME_CHARS).collect::<String>()
    };
    let mut told: Vec<_> = presented.iter().take(NAMES_TOLD).map(bare).collect();
    match presented.len().saturating_sub(NAMES_TOLD) {
        _ if presented.is_empty() => "it has none".to_owned(),
        0 => told.join(", "),
        more => {
            told.push(format!("{more} more"));
            told.join(", ")
        }
    }
}

/// Takes those whom a CA vouches for, and those whose own certificate the user gave.
#[derive(Debug)]
struct Known {
    vouched: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl Known {
    fn new(given: Vec<CertificateDer<'static>>, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for certificate in &given {
            roots.add(certificate.clone()).map_err(setup)?;
        }
        let vouched = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        Ok(Self { vouched: vouched.build().map_err(setup)?, given })
    }
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // What `openssl req -x509` makes is a CA's certificate, which no server may have by the rules of the web. Who
        // gives just this one by --ca means it.
        if self.given.iter().any(|given| given == end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        self.vouched.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.vouched.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.vouched.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.vouched.supported_verify_schemes()
    }
}

/// Takes everyone, whatever their certificate: not even that it is theirs is looked at, as it may be of a kind that
/// cannot be read.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
