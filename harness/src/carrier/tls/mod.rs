//! TLS over any other carrier.
//!
//! ```text
//! --ca ───────▶ pem ─ Roots ─▶ Trust ─▶ connect::Connector ─┐
//!                                                           ├─▶ stream::Stream, a Link
//! --cert, --key ──────────────▶ pem ──▶ accept::Acceptor ───┘
//! ```
//!
//! Versions 1.2 and 1.3, and of application protocols `http/1.1` only, on which WebSocket opens. No session is taken up
//! again: every case has a whole handshake of its own, so that what one case did to a peer is not in the way of another.

mod accept;
mod connect;
mod pem;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

pub use accept::{AcceptError, Acceptor};
pub use connect::{Connector, HandshakeError};
pub use pem::{Roots, TlsError};
pub use stream::Stream;

/// The carrier's name in records.
pub const NAME: &str = "tls";

/// What is negotiated by ALPN.
const HTTP_1_1: &[u8] = b"http/1.1";

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
