//! Compressed payloads to messages.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};
use thiserror::Error;

use super::{Params, TAIL, WindowBits, zlib_bits};
use crate::Role;

/// The least that is made free at once for what is inflated, in bytes.
const STEP: usize = 1024;

/// Why a message cannot be inflated. The decompressor is of no further use then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InflateError {
    /// The data is not DEFLATE.
    #[error("the data is not DEFLATE")]
    Corrupt,
    /// More came out than the limit allows.
    #[error("the message has more than {limit} bytes when inflated")]
    TooBig {
        /// The limit in bytes.
        limit: usize,
    },
}

/// Inflates the messages of one direction (RFC 7692, 7.2.2).
///
/// Give it the payload of a message piece by piece with [`push`](Self::push), which gives back what more of the message
/// is there, and end it with [`finish`](Self::finish). Memory grows with what is inflated, never past the limit.
pub struct Decompressor {
    inner: Decompress,
    /// Whether each message begins with an empty window.
    fresh: bool,
    /// The message so far. message.len() <= limit + 1
    message: Vec<u8>,
    /// The end of the messages before, kept because zlib forgets its window at a block with BFINAL set.
    history: Vec<u8>,
    limit: usize,
}

impl Decompressor {
    /// A decompressor for what `sender` sends, with a limit in bytes for each inflated message.
    #[must_use]
    pub fn new(params: &Params, sender: Role, limit: usize) -> Self {
        Self {
            inner: Decompress::new_with_window_bits(false, zlib_bits(params.window_bits(sender))),
            fresh: params.no_context_takeover(sender),
            message: Vec::new(),
            history: Vec::new(),
            limit,
        }
    }

    /// Takes the next piece of the payload; gives the bytes of the message which it brought.
    ///
    /// # Errors
    ///
    /// If it is not DEFLATE, or the message exceeds the limit.
    pub fn push(&mut self, payload: &[u8]) -> Result<&[u8], InflateError> {
        let start = self.message.len();
        self.inflate(payload)?;
        Ok(&self.message[start..])
    }

    /// Ends the message; gives the bytes which only now came out, and the whole message.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), and if the message ends within a block of DEFLATE.
    pub fn finish(&mut self) -> Result<(usize, Vec<u8>), InflateError> {
        let start = self.message.len();
        // "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message." (RFC 7692, 7.2.2)
        self.inflate(&TAIL)?;
        self.end()?;
        let message = std::mem::take(&mut self.message);
        self.inner.reset(false);
        // Otherwise it "MAY decompress each new message with an empty LZ77 sliding window" (RFC 7692, 7.2.2).
        if !self.fresh {
            self.remember(&message);
            let recent = self.history.len().saturating_sub(WindowBits::MAX.bytes());
            self.inner.set_dictionary(&self.history[recent..]).map_err(|_| InflateError::Corrupt)?;
        }
        Ok((start, message))
    }

    /// Asks whether a block is under way, which zlib does not say: behind a whole one an empty block with BFINAL ends
    /// the stream, and within one it is more of its data.
    fn end(&mut self) -> Result<(), InflateError> {
        const LAST: [u8; 5] = [0x01, 0x00, 0x00, 0xff, 0xff];
        let mut nothing = [0; 1];
        let (consumed, produced) = (self.inner.total_in(), self.inner.total_out());
        let status = self.inner.decompress(&LAST, &mut nothing, FlushDecompress::None);
        let whole = matches!(status, Ok(Status::StreamEnd))
            && self.inner.total_in() - consumed == LAST.len() as u64
            && self.inner.total_out() == produced;
        if whole { Ok(()) } else { Err(InflateError::Corrupt) }
    }

    /// How many bytes of the present message are inflated.
    #[must_use]
    pub fn inflated(&self) -> usize {
        self.message.len()
    }

    /// What is inflated of the present message, from byte `start` to one byte over the limit. After an error of
    /// [`push`](Self::push): what came before the error.
    #[must_use]
    pub fn inflated_from(&self, start: usize) -> &[u8] {
        let end = self.message.len().min(self.limit.saturating_add(1));
        self.message.get(start..end).unwrap_or_default()
    }

    fn inflate(&mut self, mut payload: &[u8]) -> Result<(), InflateError> {
        loop {
            if self.message.len() == self.message.capacity() {
                // One byte over the limit is enough to see that it is exceeded.
                let room = self.limit.saturating_add(1) - self.message.len();
                let wish = payload.len().saturating_mul(2).max(self.message.len()).max(STEP);
                self.message.reserve_exact(wish.min(room));
            }
            let before = self.inner.total_in();
            let status = self.inner.decompress_vec(payload, &mut self.message, FlushDecompress::None);
            payload = &payload[(self.inner.total_in() - before) as usize..];
            if self.message.len() > self.limit {
                return Err(InflateError::TooBig { limit: self.limit });
            }
            match status {
                Ok(Status::Ok | Status::BufError) => {
                    // With room left, what is missing is input.
                    if self.message.len() < self.message.capacity() {
                        return if payload.is_empty() { Ok(()) } else { Err(InflateError::Corrupt) };
                    }
                }
                // "An endpoint MAY use both DEFLATE blocks with the "BFINAL" bit set to 0 and DEFLATE blocks with the
                // "BFINAL" bit set to 1." (RFC 7692, 7.2.1)
                Ok(Status::StreamEnd) => {
                    self.restart()?;
                    if payload.is_empty() {
                        return Ok(());
                    }
                }
                Err(_) => return Err(InflateError::Corrupt),
            }
        }
    }

    /// Goes on behind a block with BFINAL set: a new stream for zlib, with the window of the old one.
    fn restart(&mut self) -> Result<(), InflateError> {
        const WINDOW: usize = WindowBits::MAX.bytes();
        self.inner.reset(false);
        let recent = &self.message[self.message.len().saturating_sub(WINDOW)..];
        let mut window = self.history[self.history.len().saturating_sub(WINDOW - recent.len())..].to_vec();
        window.extend_from_slice(recent);
        if window.is_empty() {
            return Ok(());
        }
        self.inner.set_dictionary(&window).map(|_| ()).map_err(|_| InflateError::Corrupt)
    }

    /// Keeps the end of a message for [`restart`](Self::restart).
    fn remember(&mut self, message: &[u8]) {
        const WINDOW: usize = WindowBits::MAX.bytes();
        if message.len() >= WINDOW {
            self.history.clear();
            self.history.extend_from_slice(&message[message.len() - WINDOW..]);
        } else {
            // Moving only when twice the window is full costs one copy per byte in the long run.
            if self.history.len() + message.len() > 2 * WINDOW {
                let old = self.history.len() - WINDOW;
                self.history.drain(..old);
            }
            self.history.extend_from_slice(message);
        }
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor")
            .field("fresh", &self.fresh)
            .field("inflated", &self.message.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::Compressor;

    const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

    fn whole(decompressor: &mut Decompressor, payload: &[u8]) -> Result<Vec<u8>, InflateError> {
        decompressor.push(payload)?;
        Ok(decompressor.finish()?.1)
    }

    fn new(limit: usize) -> Decompressor {
        Decompressor::new(&Params::default(), Role::Client, limit)
    }

    #[test]
    fn the_examples_of_section_7_2_3() {
        for payload in [
            &HELLO[..],
            b"\x00\x05\x00\xfa\xffHello\x00",
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ] {
            let mut decompressor = new(5);
            assert_eq!(whole(&mut decompressor, payload).unwrap(), b"Hello");
            // The window lives on, over BFINAL too.
            assert_eq!(whole(&mut decompressor, &[0xf2, 0x00, 0x11, 0x00, 0x00]).unwrap(), b"Hello");
            assert_eq!(whole(&mut decompressor, &[0x00]).unwrap(), b"");
        }
    }

    #[test]
    fn single_bytes_give_what_is_there() {
        let mut decompressor = new(100);
        let mut text = Vec::new();
        for byte in HELLO {
            text.extend_from_slice(decompressor.push(&[byte]).unwrap());
        }
        let (start, message) = decompressor.finish().unwrap();
        assert_eq!((message.as_slice(), start), (&b"Hello"[..], text.len()));
    }

    #[test]
    fn the_limit_holds_while_inflating() {
        let bomb = Compressor::new(&Params::default(), Role::Client).message(&vec![0; 10 << 20]);
        let mut decompressor = new(1 << 16);
        assert_eq!(whole(&mut decompressor, &bomb), Err(InflateError::TooBig { limit: 1 << 16 }));
        assert!(decompressor.message.capacity() <= (1 << 16) + 1);
        assert_eq!(whole(&mut new(4), &HELLO), Err(InflateError::TooBig { limit: 4 }));
        assert!(whole(&mut new(10 << 20), &bomb).is_ok());
    }

    #[test]
    fn without_context_each_message_stands_alone() {
        let params = Params { client_no_context_takeover: true, ..Params::default() };
        let mut decompressor = Decompressor::new(&params, Role::Client, 100);
        assert_eq!(whole(&mut decompressor, &HELLO).unwrap(), b"Hello");
        assert_eq!(whole(&mut decompressor, &[0xf2, 0x00, 0x11, 0x00, 0x00]), Err(InflateError::Corrupt));
        let mut compressor = Compressor::new(&params, Role::Client);
        assert_eq!(compressor.message(b"Hello"), HELLO);
        assert_eq!(compressor.message(b"Hello"), HELLO);
        let mut compressor = Compressor::new(&Params::default(), Role::Client);
        assert_eq!(compressor.message(b"Hello"), HELLO);
        assert_eq!(compressor.message(b"Hello"), [0xf2, 0x00, 0x11, 0x00, 0x00]);
        assert_eq!(compressor.message(b""), [0x00]);
    }

    #[test]
    fn corrupt_data_is_refused() {
        assert_eq!(whole(&mut new(100), &[0x07]), Err(InflateError::Corrupt));
        assert_eq!(whole(&mut new(100), b"\x00\x05\x00\x00\x00Hello\x00"), Err(InflateError::Corrupt));
    }

    #[test]
    fn what_ends_within_a_block_is_refused() {
        for cut in 0..HELLO.len() {
            assert_eq!(whole(&mut new(100), &HELLO[..cut]), Err(InflateError::Corrupt), "{cut}");
        }
        assert_eq!(whole(&mut new(100), b"\x00\x0a\x00\xf5\xffHello"), Err(InflateError::Corrupt));
        let with_tail = [&HELLO[..], &TAIL].concat();
        assert_eq!(whole(&mut new(100), &with_tail), Err(InflateError::Corrupt));
        assert_eq!(whole(&mut new(100), &HELLO).unwrap(), b"Hello");
    }
}
