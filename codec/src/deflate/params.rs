//! What both sides agreed upon.

use std::fmt;

use crate::Role;

/// The base-2 logarithm of an LZ77 window, 8 to 15: windows of 256 to 32,768 bytes (RFC 7692, 7.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WindowBits(
    /// 8 <= bits <= 15
    u8,
);

impl WindowBits {
    /// 8, a window of 256 bytes.
    pub const MIN: Self = Self(8);
    /// 15, a window of 32,768 bytes, in force when nothing was said.
    pub const MAX: Self = Self(15);

    /// The window with this logarithm; `None` outside of 8 to 15.
    #[must_use]
    pub const fn new(bits: u8) -> Option<Self> {
        if bits >= 8 && bits <= 15 { Some(Self(bits)) } else { None }
    }

    /// The logarithm, 8 to 15.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The window in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        1 << self.0
    }

    /// "a decimal integer value without leading zeroes between 8 to 15, inclusive" (RFC 7692, 7.1.2.1)
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.starts_with('0') || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        text.parse().ok().and_then(Self::new)
    }
}

impl Default for WindowBits {
    fn default() -> Self {
        Self::MAX
    }
}

impl fmt::Display for WindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The "agreed parameters" of permessage-deflate (RFC 7692, 5): what the server's response says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Params {
    /// The server begins each message with an empty window (7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client begins each message with an empty window (7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The largest window of the server (7.1.2.1).
    pub server_max_window_bits: WindowBits,
    /// The largest window of the client (7.1.2.2).
    pub client_max_window_bits: WindowBits,
}

impl Params {
    /// Whether messages from this side begin with an empty window.
    #[must_use]
    pub const fn no_context_takeover(&self, sender: Role) -> bool {
        match sender {
            Role::Server => self.server_no_context_takeover,
            Role::Client => self.client_no_context_takeover,
        }
    }

    /// The largest window that this side may use to compress.
    #[must_use]
    pub const fn window_bits(&self, sender: Role) -> WindowBits {
        match sender {
            Role::Server => self.server_max_window_bits,
            Role::Client => self.client_max_window_bits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_bits_are_8_to_15_without_leading_zeroes() {
        for (text, bits) in [
            ("8", Some(8)),
            ("15", Some(15)),
            ("7", None),
            ("16", None),
            ("08", None),
            ("0", None),
            ("", None),
            ("+9", None),
            ("9 ", None),
            ("999999999999", None),
        ] {
            assert_eq!(WindowBits::parse(text).map(WindowBits::get), bits, "{text:?}");
        }
        assert_eq!((WindowBits::MIN.bytes(), WindowBits::MAX.bytes()), (256, 32_768));
    }
}
