//! What an endpoint is told at its beginning.

use crate::Role;
use crate::deflate::Params;

/// How much is taken from the peer. What exceeds a limit fails the connection with code 1009, before it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of payload in one frame. Default: 16 MiB.
    pub max_frame: usize,
    /// The most bytes of payload in one message, over all its frames, as they are on the wire. Default: 64 MiB.
    pub max_message: usize,
    /// The most bytes of one message when inflated, looked at while inflating. Default: 64 MiB.
    pub max_inflated: usize,
    /// The most frames of one message; without it, a message of empty fragments has no end. Default: 131,072.
    pub max_fragments: usize,
    /// From how many bytes in the output queue on only the latest Ping is answered, when the queue is shorter again.
    /// Default: 64 KiB.
    pub max_queue_for_pongs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: 16 << 20,
            max_message: 64 << 20,
            max_inflated: 64 << 20,
            max_fragments: 131_072,
            max_queue_for_pongs: 64 << 10,
        }
    }
}

/// What an endpoint is told at its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Whose endpoint this is.
    pub role: Role,
    /// How much is taken from the peer.
    pub limits: Limits,
    /// The agreed parameters of permessage-deflate; `None` if it is not in use.
    pub deflate: Option<Params>,
    /// Messages shorter than this, in bytes, are sent uncompressed. Default: 64.
    pub compress_from: usize,
    /// The level of compression, 0 to 9. Default: 6.
    pub compression_level: u32,
    /// About how many bytes of room [`read_buffer`](super::Endpoint::read_buffer) makes; there is at least half of it,
    /// unless fewer bytes are missing of a frame. Default: 16 KiB.
    pub read_chunk: usize,
}

impl Config {
    /// The defaults for a role, without extensions.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            limits: Limits::default(),
            deflate: None,
            compress_from: 64,
            compression_level: 6,
            read_chunk: 16 << 10,
        }
    }
}
