//! Messages to compressed payloads.

use std::fmt;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::{Params, TAIL, zlib_bits};
use crate::Role;

/// Compresses the messages of one direction, one after the other (RFC 7692, 7.2.1).
pub struct Compressor {
    /// Made with the first message: it takes a quarter of a megabyte, and most that may compress never do.
    inner: Option<Compress>,
    /// As zlib counts it.
    level: u32,
    /// As zlib has it.
    window_bits: u8,
    /// Whether each message begins with an empty window.
    fresh: bool,
    /// Whether a message was compressed since the window was empty.
    used: bool,
}

impl Compressor {
    /// A compressor for what `sender` sends, with zlib's default level.
    #[must_use]
    pub fn new(params: &Params, sender: Role) -> Self {
        Self::with_level(params, sender, 6)
    }

    /// A compressor with a level from 0, no compression, to 9, the best. Levels above 9 count as 9.
    #[must_use]
    pub fn with_level(params: &Params, sender: Role, level: u32) -> Self {
        Self {
            inner: None,
            level: level.min(9),
            // "the client MUST NOT use an LZ77 sliding window longer than the w-th power of 2 bytes to compress messages to
            // send" (RFC 7692, 7.2.1), and the same for the server.
            window_bits: zlib_bits(params.window_bits(sender)),
            fresh: params.no_context_takeover(sender),
            used: false,
        }
    }

    /// The compressed payload of one message, without the four bytes that the receiver puts back. It can be split over
    /// frames anywhere.
    #[must_use]
    pub fn message(&mut self, payload: &[u8]) -> Vec<u8> {
        // "an empty uncompressed DEFLATE block can be built and used for this purpose as follows: 0x00"
        // (RFC 7692, 7.2.3.6); zlib gives nothing if asked to flush twice.
        if payload.is_empty() {
            return vec![0];
        }
        let inner = self.inner.get_or_insert_with(|| {
            Compress::new_with_window_bits(Compression::new(self.level), false, self.window_bits)
        });
        // "MUST start compressing each new message with an empty LZ77 sliding window" (RFC 7692, 7.2.1)
        if self.fresh && self.used {
            inner.reset();
        }
        self.used = true;
        let mut out = Vec::with_capacity(payload.len() / 2 + 64);
        let mut rest = payload;
        loop {
            let before = inner.total_in();
            let status = inner.compress_vec(rest, &mut out, FlushCompress::Sync);
            rest = &rest[(inner.total_in() - before) as usize..];
            match status {
                Ok(Status::Ok | Status::BufError) => {}
                // Neither is possible while nobody asks for the end of the stream.
                Ok(Status::StreamEnd) | Err(_) => break,
            }
            // With room left in `out` the flush is complete.
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
            if out.len() == out.capacity() {
                out.reserve(out.len().max(64));
            }
        }
        // "Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end." (RFC 7692, 7.2.1)
        debug_assert!(out.ends_with(&TAIL));
        out.truncate(out.len().saturating_sub(TAIL.len()));
        out
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("fresh", &self.fresh)
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}
