//! The WebSocket protocol (RFC 6455, RFC 7692) without I/O.
//!
//! Bytes go in, facts come out; there is no socket, no runtime, no clock and no global randomness in here.
//!
//! ```text
//!            bytes                                            bytes
//!              |                                                |
//!   handshake  v   HTTP heads, both sides                       v
//!             wire  any frame header, legal or not        endpoint  strict: stops at the first violation
//!              | pieces                                     uses mask, utf8, close, deflate
//!              v
//!            check  violations by rule, messages; never stops
//! ```
//!
//! - [`wire`]: every frame header that can exist can be said and read here.
//! - [`mask`], [`utf8`], [`close`], [`deflate`]: the parts.
//! - [`handshake`]: the opening handshake of both sides.
//! - [`check`]: what one side of a connection did, judged sentence by sentence.
//! - [`endpoint`]: a strict endpoint for either role.

pub mod check;
pub mod close;
pub mod deflate;
pub mod endpoint;
pub mod handshake;
pub mod mask;
mod role;
pub mod utf8;
pub mod wire;

pub use role::{Kind, Role};
