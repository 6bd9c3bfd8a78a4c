//! Carriers move bytes between an engine and a connection, and know nothing of what the bytes mean.
//!
//! ```text
//! play ─ tcp::connect ─┬─ ws:// ───────────────────────▶ play_on ─ drive ─▶ Engine
//!                      └─ wss:// ─ tls::Connector ─ Link ──▲
//! memory::play ─ an endpoint without I/O, in virtual time ──▶ Engine
//! listen ─ accept ─────┬─ plain ────────────────── Link ──┤
//!                      └─ tls::Acceptor ────────── Link ──┘
//! ```

mod drive;
pub mod memory;
pub mod tcp;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
pub mod tls;
mod trust;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};
use wsgrade_reports::record::Transcript;

use crate::engine::{Engine, Input};

pub use drive::{Drop, drive};
pub use trust::Trust;

/// How long the last words of a carrier may take to be written: they fit in a socket's buffer, or the peer reads
/// nothing any more.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A connection of some carrier.
pub trait Link: AsyncRead + AsyncWrite + Unpin {
    /// The carrier's name in records.
    const CARRIER: &'static str;

    /// Makes dropping it a reset of the transport, whatever is layered above.
    fn reset_when_dropped(&self);

    /// The server name in the TLS hello of a client that reached us (RFC 6066 3), if it named one; `None` without TLS.
    fn server_name(&self) -> Option<Option<&str>> {
        None
    }
}

/// How long to wait while connecting and while the peer reads nothing.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For TCP to connect, and then for TLS.
    pub connect: Duration,
    /// For the peer to take any of what we write.
    pub write: Duration,
}

/// The name in records of the carrier that a connection with or without TLS is.
pub fn name(tls: Option<&tls::Connector>) -> &'static str {
    if tls.is_some() { tls::NAME } else { tcp::NAME }
}

/// Plays an engine's case over a connection of its own.
pub async fn play(
    mut engine: Engine,
    addr: SocketAddr,
    tls: Option<&tls::Connector>,
    patience: Patience,
) -> (Transcript, Duration) {
    let began = Instant::now();
    if let Err(reason) = connect_and_play(&mut engine, addr, tls, patience, began).await {
        engine.handle(began.elapsed(), Input::Trouble(reason));
    }
    (engine.into_transcript(), began.elapsed())
}

/// Fails in one sentence if there is no connection.
async fn connect_and_play(
    engine: &mut Engine,
    addr: SocketAddr,
    tls: Option<&tls::Connector>,
    patience: Patience,
    began: Instant,
) -> Result<(), String> {
    fn words(error: impl fmt::Display) -> String {
        error.to_string()
    }
    let mut stream = tcp::connect(addr, patience.connect).await.map_err(words)?;
    match tls {
        None => {
            engine.handle(began.elapsed(), Input::Connected);
            play_on(engine, &mut stream, began, patience.write).await;
        }
        Some(connector) => {
            let mut stream = connector.connect(stream, patience.connect).await.map_err(words)?;
            engine.handle(began.elapsed(), Input::Connected);
            play_on(engine, &mut stream, began, patience.write).await;
        }
    }
    Ok(())
}

/// Plays an engine's case over a connection that is there, whoever made it; see [`drive`].
pub async fn play_on<L: Link>(engine: &mut Engine, link: &mut L, began: Instant, stall: Duration) {
    match drive(engine, link, began, stall).await {
        // So that a peer can tell the end from a connection that broke; TCP alone would end by being dropped.
        Drop::Plain => {
            let _ = timeout(LAST_WORDS, link.shutdown()).await;
        }
        Drop::Abort => link.reset_when_dropped(),
    }
}

/// As an operating system tells it: the kind says it in words that are the same everywhere.
fn os_words(error: &io::Error) -> String {
    error.kind().to_string()
}
