//! What stands for TLS where it is not built in: nothing of it can be made, and [`TlsError`] says how to get it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::Trust;

/// The carrier's name in records.
pub const NAME: &str = "tls";

/// TLS is not built in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this wsgrade was built without TLS; build it with its feature `tls`, which is on unless --no-default-features"
)]
pub struct TlsError;

impl TlsError {
    /// Nothing: no client ever got so far.
    pub fn by_client(&self) -> Option<String> {
        None
    }
}

/// Certificates to trust.
#[derive(Clone, Debug)]
pub struct Roots(Infallible);

impl FromStr for Roots {
    type Err = TlsError;

    fn from_str(_: &str) -> Result<Self, TlsError> {
        Err(TlsError)
    }
}

impl Roots {
    /// Where they were read from.
    pub fn path(&self) -> &Path {
        match self.0 {}
    }
}

/// Our side of TLS towards a server.
#[derive(Clone, Debug)]
pub struct Connector(Infallible);

impl Connector {
    /// Fails always.
    pub fn new(_: &str, _: &Trust) -> Result<Self, TlsError> {
        Err(TlsError)
    }

    /// Cannot be called.
    pub async fn connect(&self, _: TcpStream, _: Duration) -> Result<TcpStream, TlsError> {
        match self.0 {}
    }
}

/// Our side of TLS towards clients.
#[derive(Clone, Debug)]
pub struct Acceptor(Infallible);

impl Acceptor {
    /// Fails always.
    pub fn from_pem_files(_: &Path, _: &Path) -> Result<Self, TlsError> {
        Err(TlsError)
    }

    /// Fails always.
    pub fn untrusted() -> Result<Self, TlsError> {
        Err(TlsError)
    }

    /// Cannot be called.
    pub async fn accept(&self, _: TcpStream, _: Duration) -> Result<TcpStream, TlsError> {
        match self.0 {}
    }

    /// Cannot be called.
    pub fn is_for(&self, _: IpAddr) -> bool {
        match self.0 {}
    }

    /// Cannot be called.
    pub fn files(&self) -> [&Path; 2] {
        match self.0 {}
    }
}
