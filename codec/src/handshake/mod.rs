//! The opening handshake (RFC 6455, 4), both sides, on bytes.
//!
//! - `key`: the nonce, and the proof that the server read it.
//! - `head`: HTTP heads, read in pieces of any size within [`Limits`]; parsed once, when complete.
//! - `list`: the lists in `Sec-WebSocket-Extensions` and `Sec-WebSocket-Protocol`, and header tokens.
//! - `request`: what a client says, built and judged.
//! - `response`: what a server says, built and judged.
//!
//! ```
//! use wsgrade_codec::handshake::{Agreement, ClientHello, RequestReader, ResponseReader};
//!
//! let hello = ClientHello::new("example.org", "/chat", [7; 16]);
//! let wire = hello.encode()?;
//!
//! // The server's side.
//! let mut reader = RequestReader::default();
//! let (head, leftover) = reader.push(&wire)?.expect("the head is complete");
//! let request = head.validate()?;
//! let answer = request.accept(&Agreement::default())?;
//!
//! // The client's side.
//! let (head, _) = ResponseReader::default().push(&answer)?.expect("the head is complete");
//! let agreed = head.validate(&hello)?;
//! assert!(leftover.is_empty() && agreed.extensions.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod head;
mod key;
mod list;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use head::{HeadError, Headers, Limits, RequestHead, RequestReader, ResponseHead, ResponseReader};
pub(crate) use key::is_key;
pub use key::{GUID, accept_key, encode_nonce};
pub use list::{
    Extension, ListError, Param, format_extensions, has_token, is_token, parse_extensions, parse_tokens,
};
pub use request::{ClientHello, InvalidField, Request, RequestError};
pub(crate) use request::{is_host, is_target};
pub use response::{Agreed, Agreement, ResponseError, refuse};

/// The one version of the protocol that RFC 6455 defines.
pub const VERSION: u8 = 13;
