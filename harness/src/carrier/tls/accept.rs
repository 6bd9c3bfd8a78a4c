//! Our side of TLS towards clients under test.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::{NoServerSessionStorage, ParsedCertificate};
use tokio_rustls::rustls::{AlertDescription, Error, InvalidMessage, ServerConfig};

use super::connect::{alert, tls_error};
use super::pem::{self, TlsError};
use super::{HTTP_1_1, Stream, provider};

/// A certificate and its key, which anybody may know.
const UNTRUSTED: &[u8] = include_bytes!("untrusted.pem");

/// Our side of TLS towards clients.
#[derive(Clone)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    /// The first certificate, which is our own.
    own: Option<CertificateDer<'static>>,
    cert: PathBuf,
    key: PathBuf,
}

/// Why a client has no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// It never said anything, or stopped.
    #[error("a client did not complete the TLS handshake within {0:?}")]
    Timeout(Duration),
    /// It wants none of TLS.
    #[error("a client does not speak TLS; its URL must begin with wss://")]
    NotTls,
    /// Our certificate does not please it.
    #[error("a client does not trust our certificate (TLS alert: {alert}); let it trust {}, or not verify", cert.display())]
    Untrusted {
        /// What it says.
        alert: String,
        /// The file of our certificate.
        cert: PathBuf,
    },
    /// It broke the handshake off.
    #[error("the TLS handshake of a client failed: it sent the alert {0}")]
    Alert(String),
    /// It went.
    #[error("a client ended the connection during the TLS handshake; does it trust our certificate, {}?", cert.display())]
    Ended {
        /// The file of our certificate.
        cert: PathBuf,
    },
    /// Anything else.
    #[error("the TLS handshake of a client failed: {0}")]
    Failed(String),
}

impl AcceptError {
    /// What the client did, if it was the client that ended the handshake.
    pub fn by_client(&self) -> Option<String> {
        match self {
            Self::Untrusted { alert, cert: _ } | Self::Alert(alert) => {
                Some(format!("the client broke the TLS handshake off with the alert {alert}"))
            }
            Self::Ended { cert: _ } => Some("the client ended TCP during the TLS handshake".to_owned()),
            Self::Timeout(_) | Self::NotTls | Self::Failed(_) => None,
        }
    }
}

impl Acceptor {
    /// Speaks as the owner of the first certificate in a PEM file, with its issuers behind it, and of the key in
    /// another.
    ///
    /// # Errors
    ///
    /// Which file is wrong, what is wrong with it, and how to mend it.
    pub fn from_pem_files(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        Self::speaking_as(pem::certificates(cert)?, pem::key(key)?, [cert, key])
    }

    /// Speaks as nobody whom a client can trust: as `wrong.example`, by a certificate that has signed itself.
    ///
    /// # Errors
    ///
    /// [`TlsError::Setup`] if the library refuses to be set up.
    pub fn untrusted() -> Result<Self, TlsError> {
        let path = Path::new("untrusted.pem");
        let (chain, key) = (pem::certificates_in(path, UNTRUSTED)?, pem::key_in(path, UNTRUSTED)?);
        Self::speaking_as(chain, key, [path; 2])
    }

    /// With a chain and a key that come from these files.
    fn speaking_as(
        chain: Vec<CertificateDer<'static>>,
        secret: PrivateKeyDer<'static>,
        [cert, key]: [&Path; 2],
    ) -> Result<Self, TlsError> {
        let own = chain.first().cloned();
        let bad_key = |error: Error| TlsError::BadKey { path: key.to_owned(), reason: pem::words(&error) };
        let provider = provider();
        // Read beforehand, so that a certificate and a key that are wrong can be told apart.
        provider.key_provider.load_private_key(secret.clone_key()).map_err(bad_key)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(|error| match error {
                Error::InconsistentKeys(_) => {
                    TlsError::Mismatch { cert: cert.to_owned(), key: key.to_owned() }
                }
                error => TlsError::BadCertificate { path: cert.to_owned(), reason: pem::words(&error) },
            })?;
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        // A client that ends TCP with a ticket unread resets the connection, and would be judged for it.
        config.send_tls13_tickets = 0;
        Ok(Self { config: Arc::new(config), own, cert: cert.to_owned(), key: key.to_owned() })
    }

    /// Whether our certificate is for this address.
    pub fn is_for(&self, ip: IpAddr) -> bool {
        let own = self.own.as_ref().and_then(|own| ParsedCertificate::try_from(own).ok());
        own.is_some_and(|own| verify_server_name(&own, &ServerName::from(ip)).is_ok())
    }

    /// The files of certificate and key.
    pub fn files(&self) -> [&Path; 2] {
        [&self.cert, &self.key]
    }

    /// The handshake with a client, within this time.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub async fn accept<S>(&self, stream: S, patience: Duration) -> Result<Stream<S>, AcceptError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let accepting = TlsAcceptor::from(Arc::clone(&self.config)).accept(stream);
        match tokio::time::timeout(patience, accepting).await {
            Ok(Ok(stream)) => Ok(Stream::new(stream)),
            Ok(Err(error)) => Err(self.explain(&error)),
            Err(_) => Err(AcceptError::Timeout(patience)),
        }
    }

    fn explain(&self, error: &io::Error) -> AcceptError {
        match tls_error(error) {
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => AcceptError::NotTls,
            Some(Error::AlertReceived(description)) if is_about_trust(*description) => {
                AcceptError::Untrusted { alert: alert(*description), cert: self.cert.clone() }
            }
            Some(Error::AlertReceived(description)) => AcceptError::Alert(alert(*description)),
            Some(error) => AcceptError::Failed(error.to_string()),
            None => AcceptError::Ended { cert: self.cert.clone() },
        }
    }
}

fn is_about_trust(description: AlertDescription) -> bool {
    matches!(
        description,
        AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::UnsupportedCertificate
    )
}
