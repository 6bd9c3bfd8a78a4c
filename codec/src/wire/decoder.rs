//! Bytes in, pieces of frames out.

use bytes::{Buf, Bytes, BytesMut};

use super::{Header, Parsed};
use crate::mask;

/// What [`FrameDecoder`] hands out. A frame is one `Header`, any number of `Payload`s in order, one `End`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A frame begins.
    Header(Header),
    /// Some of its payload, never empty, as far as it arrived.
    Payload {
        /// The bytes with the mask removed.
        bytes: Bytes,
        /// Where in the frame's payload the first of them belongs.
        offset: u64,
    },
    /// The frame is complete.
    End,
}

/// Takes bytes however they are split and hands out frames piece by piece.
///
/// It never fails: any bytes are some frame. A header is parsed once, and kept; the declared length is never used to
/// reserve memory, so a frame of 2^63 bytes costs what was received of it. Call [`push`](Self::push) with what
/// arrived, then `next` (this is an iterator) until it gives `None`; after more bytes it may give `Some` again.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    /// What was pushed and not yet handed out.
    buffer: BytesMut,
    /// The frame whose `End` was not handed out yet.
    frame: Option<Frame>,
}

#[derive(Debug)]
struct Frame {
    header: Header,
    /// received <= header.length.value()
    received: u64,
}

impl FrameDecoder {
    /// A decoder at the beginning of a frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A decoder which begins with bytes at hand, such as those which came behind a handshake.
    #[must_use]
    pub fn with_buffer(buffer: BytesMut) -> Self {
        Self { buffer, frame: None }
    }

    /// Takes bytes as they arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The number of bytes which were pushed but not handed out: what follows the last piece, once `next` has given
    /// `None` an unfinished header.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The bytes counted by [`buffered`](Self::buffered).
    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    /// The frame which is not complete yet, and how many bytes of its payload were handed out.
    #[must_use]
    pub fn in_frame(&self) -> Option<(Header, u64)> {
        self.frame.as_ref().map(|frame| (frame.header, frame.received))
    }
}

impl Iterator for FrameDecoder {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let Some(frame) = &mut self.frame else {
            let Parsed::Header(header, size) = Header::parse(&self.buffer) else { return None };
            self.buffer.advance(size);
            self.frame = Some(Frame { header, received: 0 });
            return Some(Piece::Header(header));
        };
        let missing = frame.header.length.value() - frame.received;
        if missing == 0 {
            self.frame = None;
            return Some(Piece::End);
        }
        if self.buffer.is_empty() {
            return None;
        }
        let size =
            usize::try_from(missing).map_or(self.buffer.len(), |missing| missing.min(self.buffer.len()));
        let mut bytes = self.buffer.split_to(size);
        let offset = frame.received;
        if let Some(key) = frame.header.mask {
            // The key has a period of four bytes, so the low bits of the offset are all that counts.
            mask::apply(key, (offset & 3) as usize, &mut bytes);
        }
        frame.received += size as u64;
        Some(Piece::Payload { bytes: bytes.freeze(), offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Length, LengthForm, Opcode};

    #[test]
    fn a_masked_hello_byte_by_byte() {
        let wire = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let mut decoder = FrameDecoder::new();
        let mut text = Vec::new();
        let mut ends = 0;
        for (at, byte) in wire.iter().enumerate() {
            decoder.push(&[*byte]);
            for piece in decoder.by_ref() {
                match piece {
                    Piece::Header(header) => {
                        assert_eq!(at, 5);
                        assert_eq!(header, Header::new(Opcode::TEXT, Some([0x37, 0xfa, 0x21, 0x3d]), 5));
                    }
                    Piece::Payload { bytes, offset } => {
                        assert_eq!(offset, text.len() as u64);
                        text.extend_from_slice(&bytes);
                    }
                    Piece::End => ends += 1,
                }
            }
            assert_eq!(decoder.in_frame().is_some(), (5..10).contains(&at));
        }
        assert_eq!((text.as_slice(), ends, decoder.buffered()), (&b"Hello"[..], 1, 0));
    }

    #[test]
    fn an_empty_frame_has_a_header_and_an_end() {
        let mut decoder = FrameDecoder::new();
        decoder.push(&[0x89, 0x00, 0x8a]);
        assert_eq!(decoder.next(), Some(Piece::Header(Header::new(Opcode::PING, None, 0))));
        assert_eq!(decoder.next(), Some(Piece::End));
        assert_eq!(decoder.next(), None);
        assert_eq!((decoder.buffered(), decoder.in_frame()), (1, None));
    }

    #[test]
    fn the_declared_length_reserves_nothing() {
        let header = Header {
            length: Length::with_form(u64::MAX, LengthForm::Bits64).unwrap(),
            ..Header::new(Opcode::BINARY, None, 0)
        };
        let mut decoder = FrameDecoder::new();
        decoder.push(&header.encode());
        decoder.push(b"abc");
        assert_eq!(decoder.next(), Some(Piece::Header(header)));
        assert_eq!(decoder.next(), Some(Piece::Payload { bytes: Bytes::from_static(b"abc"), offset: 0 }));
        assert_eq!(decoder.next(), None);
        assert_eq!(decoder.in_frame(), Some((header, 3)));
        assert!(decoder.buffer.capacity() < 1024);
    }
}
