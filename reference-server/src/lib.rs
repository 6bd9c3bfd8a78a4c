//! A strict WebSocket echo server and client, on the wsgrade codec and tokio.
//!
//! ```text
//!           accept                                              connect
//! server ------------> opening ---> connection        client ------------> opening ---> connection
//!   | caps (503)         | 101, 4xx      \                                     |          /
//!   | phase (shutdown)   | linger         +------ session: bytes between a stream and the codec's Endpoint
//!   v                    v
//! report: one line per connection with the reason it ended
//! ```
//!
//! - [`config`]: what a server can be told; all limits and their defaults.
//! - [`broadcast`]: what one client says, to all of them, instead of an echo.
//! - [`Server`], [`ServerHandle`]: listening, accepting, graceful shutdown.
//! - [`serve_stream`]: one connection over any stream, without listening.
//! - [`report`]: [`ConnectionReport`] and [`ConnectionEnd`].
//! - [`client`]: [`connect`](client::connect), and what the client tells about a server.
//! - `deviant` (feature `defects`): a second endpoint, strict but for one defect, to prove test suites on.
//! - [`cli`]: the two command lines.
//!
//! ```
//! use wsgrade_reference_server::{Config, Server, client};
//! use wsgrade_reference_server::codec::endpoint::Message;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::bind(Config::default())?.spawn();
//! let mut connection = client::connect(&server.url(), client::ClientConfig::default()).await?;
//! connection.send(Message::text("hello")).await?;
//! # Ok(()) }
//! ```

pub mod broadcast;
mod bucket;
mod caps;
pub mod cli;
pub mod client;
pub mod config;
mod connection;
#[cfg(feature = "defects")]
pub mod deviant;
mod linger;
mod opening;
mod phase;
pub mod report;
mod server;
mod session;

/// The codec whose types occur in this interface.
pub use wsgrade_codec as codec;

pub use broadcast::Broadcast;
pub use bucket::RateLimit;
pub use caps::ConnectionCaps;
pub use config::{Config, DeflateConfig, OriginPolicy, Timeouts};
pub use connection::serve_stream;
pub use report::{ConnectionEnd, ConnectionReport};
pub use server::{Server, ServerHandle};
