//! permessage-deflate (RFC 7692, 7).
//!
//! - `params`: [`Params`], what both sides agreed upon, and [`WindowBits`].
//! - `offer`: what a client asks for, [`Offer`]; how a server chooses, [`negotiate`]; how the client judges the
//!   answer, [`accept_response`].
//! - `compressor`: [`Compressor`], a message to its compressed payload.
//! - `decompressor`: [`Decompressor`], pieces of payload to a message, bounded while inflating.

mod compressor;
mod decompressor;
mod offer;
mod params;

pub use compressor::Compressor;
pub use decompressor::{Decompressor, InflateError};
pub use offer::{
    InvalidParam, InvalidResponse, Offer, Support, accept_response, negotiate, offer_extensions,
};
pub use params::{Params, WindowBits};

/// The name of the extension in `Sec-WebSocket-Extensions`.
pub const NAME: &str = "permessage-deflate";

/// What a sender removes from the end of a compressed message and a receiver puts back (RFC 7692, 7.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The window with which zlib is to be run for agreed window bits. Its raw DEFLATE knows no window of 256 bytes; with
/// 512 it refers at most 512 - 262 = 250 bytes back, so a compressor for 9 bits keeps to 8 as well.
const fn zlib_bits(bits: WindowBits) -> u8 {
    if bits.get() < 9 { 9 } else { bits.get() }
}
