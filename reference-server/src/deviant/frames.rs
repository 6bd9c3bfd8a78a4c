//! Bytes to frames, where lengths and masks can be misread.

use bytes::{Buf, Bytes, BytesMut};
use wsgrade_codec::mask;
use wsgrade_codec::wire::{Header, Length, LengthForm, Parsed, Piece};

use super::defect::Nature;
use super::table::Defect;

/// The codec's `FrameDecoder` with the points at which one can go wrong.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: BytesMut,
    /// The frame that is not complete, and how much of its payload was handed out.
    frame: Option<(Header, u64)>,
}

impl Frames {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether what is left is the beginning of a header.
    pub(super) fn in_header(&self) -> bool {
        self.frame.is_none() && !self.buffer.is_empty()
    }

    /// Whether more than what was handed out was pushed.
    pub(super) fn has_more(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Forgets what was pushed and not handed out.
    pub(super) fn forget(&mut self) {
        self.buffer.clear();
    }

    pub(super) fn next(&mut self, nature: &Nature) -> Option<Piece> {
        let Some((header, received)) = &mut self.frame else {
            let Parsed::Header(header, size) = Header::parse(&self.buffer) else { return None };
            self.buffer.advance(size);
            let header = misread(header, nature);
            self.frame = Some((header, 0));
            return Some(Piece::Header(header));
        };
        let missing = header.length.value() - *received;
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
        let offset = *received;
        *received += size as u64;
        if let Some(key) = header.mask {
            let mut at = (offset & 3) as usize;
            // "Octet i of the transformed data is the XOR of octet i of the original data with octet at index i modulo
            // 4 of the masking key" (RFC 6455, 5.3): of the payload, however it is read.
            if at != 0 && nature.has(Defect::UnmasksEachReadAnew) {
                at = 0;
            }
            mask::apply(key, at, &mut bytes);
        }
        Some(Piece::Payload { bytes: Bytes::from(bytes), offset })
    }
}

/// The header as it is taken.
fn misread(header: Header, nature: &Nature) -> Header {
    let value = header.length.value();
    let form = header.length.form();
    let off_by_one = [
        (125, Defect::Misreads125, 126),
        (126, Defect::Misreads126, 125),
        (127, Defect::Misreads127, 128),
        (65_535, Defect::Misreads65535, 65_534),
        (65_536, Defect::Misreads65536, 65_535),
    ];
    for (length, defect, read) in off_by_one {
        if value == length && nature.has(defect) {
            return Header {
                length: Length::with_form(read, form).unwrap_or(Length::minimal(read)),
                ..header
            };
        }
    }
    if form == LengthForm::Bits64 {
        // What else is wrong with the length is not seen by who reads only a part of it.
        if value > u64::from(u32::MAX) && nature.has(Defect::ReadsLow32Bits) {
            return Header { length: Length::minimal(value & u64::from(u32::MAX)), ..header };
        }
        if header.length.has_top_bit() && nature.has(Defect::TakesTopBit) {
            return Header { length: Length::minimal(value & (u64::MAX >> 1)), ..header };
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use wsgrade_codec::wire::{FrameDecoder, Opcode};

    fn lengths(bytes: &[u8], defect: Option<Defect>) -> Vec<u64> {
        let nature = Nature::new(defect);
        let mut frames = Frames::default();
        frames.push(bytes);
        let mut lengths = Vec::new();
        while let Some(piece) = frames.next(&nature) {
            if let Piece::Header(header) = piece {
                lengths.push(header.length.value());
            }
        }
        lengths
    }

    #[test]
    fn without_a_defect_it_is_the_codecs_decoder() {
        let wire = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58, 0x89, 0x00, 0x8a];
        for chop in 1..wire.len() {
            let (mut frames, mut decoder) = (Frames::default(), FrameDecoder::new());
            let nature = Nature::new(None);
            for piece in wire.chunks(chop) {
                frames.push(piece);
                decoder.push(piece);
                let ours: Vec<_> = std::iter::from_fn(|| frames.next(&nature)).collect();
                assert_eq!(ours, decoder.by_ref().collect::<Vec<_>>());
            }
            assert!(frames.in_header());
        }
    }

    #[test]
    fn lengths_are_misread_by_their_defect_only() {
        for (length, defect, read) in [
            (126, Defect::Misreads126, 125),
            (65_536, Defect::Misreads65536, 65_535),
            (1 << 32 | 5, Defect::ReadsLow32Bits, 5),
            (1 << 63 | 5, Defect::TakesTopBit, 5),
        ] {
            let wire = Header::new(Opcode::BINARY, None, length).encode().to_vec();
            assert_eq!(lengths(&wire, Some(defect)), [read]);
            assert_eq!(lengths(&wire, None), [length]);
        }
        assert_eq!(lengths(&[0x82, 0x05], Some(Defect::TakesTopBit)), [5]);
    }
}
