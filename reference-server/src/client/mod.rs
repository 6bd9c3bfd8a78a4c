//! A strict client.
//!
//! - `url`: `ws://` addresses.
//! - `config`: what a client can be told, and the defaults.
//! - `opening`: TCP and the opening handshake.
//! - `connection`: messages and the closing handshake.
//! - `outcome`: how it ended.

mod config;
mod connection;
mod opening;
mod outcome;
mod url;

pub use config::{ClientConfig, ClientTimeouts};
pub use connection::{Connection, Over, Received};
pub use opening::{ConnectError, connect, connect_to, open};
pub use outcome::{ClientEnd, Outcome};
pub use url::{Url, UrlError};
