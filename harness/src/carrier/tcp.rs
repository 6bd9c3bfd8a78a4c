//! Plain TCP.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::{Link, os_words};

/// The carrier's name in records.
pub const NAME: &str = "tcp";

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot connect to {addr}: {reason}")]
pub struct ConnectError {
    /// Where to.
    pub addr: SocketAddr,
    /// Why not.
    pub reason: String,
}

/// Connects, with small writes going out at once.
pub async fn connect(addr: SocketAddr, patience: Duration) -> Result<TcpStream, ConnectError> {
    let failed = |reason: String| ConnectError { addr, reason };
    let stream = tokio::time::timeout(patience, TcpStream::connect(addr))
        .await
        .map_err(|_| failed(format!("no answer within {patience:?}")))?
        .map_err(|error| failed(os_words(&error)))?;
    stream.set_nodelay(true).map_err(|error| failed(os_words(&error)))?;
    Ok(stream)
}

impl Link for TcpStream {
    const CARRIER: &'static str = NAME;

    fn reset_when_dropped(&self) {
        // A reset is what closing with a linger time of zero does; where that cannot be set the connection ends
        // plainly, and the peer's answer is judged all the same.
        let _ = socket2::SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}
