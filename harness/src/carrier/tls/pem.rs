//! Certificates and keys from files that the user gives.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::{self, PemObject, SectionKind};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore};

use crate::carrier::os_words;

/// More than any bundle of certificates has.
const MAX_BYTES: u64 = 16 << 20;

/// Why TLS cannot be spoken as the user asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// A file is not PEM, or broken.
    #[error("{} is no good PEM: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no certificate in a file.
    #[error("there is no certificate in {}: {hint}", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
        /// What to do.
        hint: &'static str,
    },
    /// A certificate to trust is none.
    #[error("certificate {number} in {} cannot be trusted: {reason}", path.display())]
    BadRoot {
        /// The file.
        path: PathBuf,
        /// Which in the file, from 1.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// There is no key in a file.
    #[error("there is no private key in {}: {hint}", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What to do.
        hint: &'static str,
    },
    /// The key is of no use with the certificate.
    #[error(
        "the key in {} cannot be used: {reason}; RSA of 2048 to 8192 bits, ECDSA on P-256 or P-384 and Ed25519 can",
        path.display()
    )]
    BadKey {
        /// The file of the key.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key do not belong together.
    #[error(
        "the key in {} is not that of the first certificate in {}; the server's own must come first, before its issuers",
        key.display(), cert.display()
    )]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The certificate is no good.
    #[error("the certificate in {} cannot be used: {reason}", path.display())]
    BadCertificate {
        /// The file of the certificate.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// TLS asks for a server by a name or an address, and this is neither.
    #[error("TLS cannot ask for a server called `{0}`; give the name in its certificate by --host")]
    Name(String),
    /// The library for TLS refuses to be set up.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// Certificates to trust beside those that are built in.
#[derive(Clone, Debug)]
pub struct Roots {
    path: PathBuf,
    pub(super) certificates: Arc<[CertificateDer<'static>]>,
}

impl Roots {
    /// Reads them from a PEM file.
    ///
    /// # Errors
    ///
    /// Which file is wrong and how.
    pub fn from_pem_file(path: &Path) -> Result<Self, TlsError> {
        let certificates = certificates(path)?;
        let mut store = RootCertStore::empty();
        for (at, certificate) in certificates.iter().enumerate() {
            store.add(certificate.clone()).map_err(|error| TlsError::BadRoot {
                path: path.to_owned(),
                number: at + 1,
                reason: words(&error),
            })?;
        }
        Ok(Self { path: path.to_owned(), certificates: certificates.into() })
    }

    /// Where they were read from.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl FromStr for Roots {
    type Err = TlsError;

    fn from_str(path: &str) -> Result<Self, TlsError> {
        Self::from_pem_file(Path::new(path))
    }
}

/// Every certificate in a file, of which there is one at least.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    certificates_in(path, &read(path)?)
}

/// Every certificate in a text, of which there is one at least; errors say that it is the file's.
pub(super) fn certificates_in(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let mut found = Vec::new();
    let mut has_key = false;
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
        let (kind, der) = section.map_err(|error| broken(path, &error))?;
        match kind {
            SectionKind::Certificate => found.push(CertificateDer::from(der)),
            SectionKind::RsaPrivateKey | SectionKind::PrivateKey | SectionKind::EcPrivateKey => {
                has_key = true
            }
            // Not ours to list: the library knows more kinds, and may learn of others.
            _ => {}
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let hint = if has_key {
        "it has a private key; are the two files the wrong way round?"
    } else {
        "it should have lines `-----BEGIN CERTIFICATE-----` (of a binary one, `openssl x509 -inform der -in FILE` makes such)"
    };
    Err(TlsError::NoCertificate { path: path.to_owned(), hint })
}

/// The first key in a file.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    key_in(path, &read(path)?)
}

/// The first key in a text; errors say that it is the file's.
pub(super) fn key_in(path: &Path, text: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    let no_key = |hint| TlsError::NoKey { path: path.to_owned(), hint };
    let has = |word: &str| text.windows(word.len()).any(|window| window == word.as_bytes());
    if has("ENCRYPTED") {
        return Err(no_key("the one it has is encrypted; `openssl pkey -in FILE` takes the password off"));
    }
    match PrivateKeyDer::pem_slice_iter(text).next() {
        Some(Ok(key)) => Ok(key),
        Some(Err(error)) => Err(broken(path, &error)),
        None if has("BEGIN CERTIFICATE") => {
            Err(no_key("it has a certificate; are the two files the wrong way round?"))
        }
        None => {
            Err(no_key("it should have a line `-----BEGIN PRIVATE KEY-----`, or the same with RSA or EC"))
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut text = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text)).map_err(|error| {
        TlsError::Unreadable {
            path: path.to_owned(),
            reason: match error.kind() {
                io::ErrorKind::NotFound => "there is no such file".to_owned(),
                // Ours to word is only what is common.
                _ => os_words(&error),
            },
        }
    })?;
    Ok(text)
}

fn broken(path: &Path, error: &pem::Error) -> TlsError {
    let reason = match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end; is it cut off?".to_owned(),
        pem::Error::IllegalSectionStart { line } => {
            format!("the line `{}` begins no section", String::from_utf8_lossy(line).escape_debug())
        }
        pem::Error::Base64Decode(_) => "what is between its lines is not base64".to_owned(),
        // Theirs to name: of any other kind the library has words of its own.
        other => other.to_string(),
    };
    TlsError::Broken { path: path.to_owned(), reason }
}

/// What the library for TLS says of a certificate or a key.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::BadEncoding) => "it is no X.509 certificate".to_owned(),
        Error::General(reason) => reason.clone(),
        // Theirs to name.
        other => other.to_string(),
    }
}
