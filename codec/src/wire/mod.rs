//! Frames as they are on the wire (RFC 6455, 5.2), legal or not.
//!
//! Nothing in here judges. A reserved opcode, a length written in more bytes than needed, a control frame of four
//! gigabytes: each is a [`Header`], can be encoded, and is decoded to the same value again. The judging is done in
//! [`check`](crate::check) and [`endpoint`](crate::endpoint).
//!
//! - `opcode`: [`Opcode`] and [`Rsv`], the first byte.
//! - `length`: [`Length`], the value and the form in which it is written.
//! - `header`: [`Header`], encode and parse.
//! - `decoder`: [`FrameDecoder`], bytes in, [`Piece`]s out.

mod decoder;
mod header;
mod length;
mod opcode;

pub use decoder::{FrameDecoder, Piece};
pub use header::{EncodedHeader, Header, MAX_HEADER_BYTES, Parsed};
pub use length::{Length, LengthForm};
pub use opcode::{Opcode, Rsv};
