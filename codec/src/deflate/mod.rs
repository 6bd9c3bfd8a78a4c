//! permessage-deflate (RFC 7692, 7).
//!
//! - `params`: [`Params`], what both sides agreed upon, and [`WindowBits`].

mod params;

pub use params::{Params, WindowBits};

/// The name of the extension in `Sec-WebSocket-Extensions`.
pub const NAME: &str = "permessage-deflate";
