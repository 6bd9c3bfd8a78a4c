//! Plain TCP.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;
use wsgrade_reports::record::Transcript;

use super::{Drop, drive};
use crate::engine::{Engine, Input};

/// The carrier's name in records.
pub const NAME: &str = "tcp";

/// How long to wait while connecting and while the peer reads nothing.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For TCP to connect.
    pub connect: Duration,
    /// For the peer to take any of what we write.
    pub write: Duration,
}

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
        .map_err(|error| failed(error.kind().to_string()))?;
    stream.set_nodelay(true).map_err(|error| failed(error.kind().to_string()))?;
    Ok(stream)
}

/// Plays an engine's case over a connection of its own.
pub async fn play(mut engine: Engine, addr: SocketAddr, patience: Patience) -> (Transcript, Duration) {
    let began = Instant::now();
    match connect(addr, patience.connect).await {
        Ok(mut stream) => {
            engine.handle(began.elapsed(), Input::Connected);
            play_on(&mut engine, &mut stream, began, patience.write).await;
        }
        Err(error) => engine.handle(began.elapsed(), Input::Trouble(error.to_string())),
    }
    (engine.into_transcript(), began.elapsed())
}

/// Plays an engine's case over a connection that is there, whoever made it; see [`drive`].
pub async fn play_on(engine: &mut Engine, stream: &mut TcpStream, began: Instant, stall: Duration) {
    match drive(engine, stream, began, stall).await {
        Drop::Plain => {}
        // A reset is what closing with a linger time of zero does; where that cannot be set the connection ends
        // plainly, and the peer's answer is judged all the same.
        Drop::Abort => {
            let _ = socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO));
        }
    }
}
