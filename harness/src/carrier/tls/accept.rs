//! Our side of TLS towards clients under test.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::NoServerSessionStorage;
use tokio_rustls::rustls::{AlertDescription, Error, InvalidMessage, ServerConfig};

use super::connect::{alert, tls_error};
use super::pem::{self, TlsError};
use super::{HTTP_1_1, Stream, provider};

/// Our side of TLS towards clients.
#[derive(Clone)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
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

impl Acceptor {
    /// Speaks as the owner of the first certificate in a PEM file, with its issuers behind it, and of the key in
    /// another.
    ///
    /// # Errors
    ///
    /// Which file is wrong, what is wrong with it, and how to mend it.
    pub fn from_pem_files(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = pem::certificates(cert)?;
        let secret = pem::key(key)?;
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
        Ok(Self { config: Arc::new(config), cert: cert.to_owned(), key: key.to_owned() })
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
            Some(Error::AlertReceived(description)) => {
                AcceptError::Failed(format!("it sent the alert {}", alert(*description)))
            }
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
