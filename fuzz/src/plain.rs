//! Frames read from a whole stream at once, by hand, after the figure of RFC 6455 5.2: the oracle of the decoder. It
//! shares no code with the codec.

use wsgrade_codec::wire::{Header, LengthForm};

/// A header in plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainHeader {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) mask: Option<[u8; 4]>,
    pub(crate) length: u64,
    /// How many bytes hold the length beside the seven bits: 0, 2 or 8.
    pub(crate) length_bytes: usize,
}

impl From<Header> for PlainHeader {
    fn from(header: Header) -> Self {
        Self {
            fin: header.fin,
            rsv: header.rsv.value(),
            opcode: header.opcode.value(),
            mask: header.mask,
            length: header.length.value(),
            length_bytes: match header.length.form() {
                LengthForm::Bits7 => 0,
                LengthForm::Bits16 => 2,
                LengthForm::Bits64 => 8,
            },
        }
    }
}

/// What a stream of bytes holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frames {
    /// The complete ones, with their payload unmasked.
    pub(crate) whole: Vec<(PlainHeader, Vec<u8>)>,
    /// The last one, if some of its payload is missing.
    pub(crate) open: Option<(PlainHeader, Vec<u8>)>,
    /// What is there of a header that is not complete.
    pub(crate) rest: Vec<u8>,
}

/// All of the stream.
pub(crate) fn read(mut wire: &[u8]) -> Frames {
    let mut frames = Frames::default();
    while let Some((header, size)) = read_header(wire) {
        let rest = &wire[size..];
        let there = usize::try_from(header.length).map_or(rest.len(), |length| length.min(rest.len()));
        let (payload, later) = rest.split_at(there);
        let mut payload = payload.to_vec();
        unmask(header, &mut payload);
        if (there as u64) < header.length {
            frames.open = Some((header, payload));
            return frames;
        }
        frames.whole.push((header, payload));
        wire = later;
    }
    frames.rest = wire.to_vec();
    frames
}

/// The header at the beginning and its size, if it is all there.
pub(crate) fn read_header(wire: &[u8]) -> Option<(PlainHeader, usize)> {
    let (first, second) = (*wire.first()?, *wire.get(1)?);
    let length_bytes = match second & 0b0111_1111 {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let masked = second & 0b1000_0000 != 0;
    let size = 2 + length_bytes + if masked { 4 } else { 0 };
    let bytes = wire.get(2..size)?;
    let length = match length_bytes {
        0 => u64::from(second & 0b0111_1111),
        _ => bytes[..length_bytes].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    let mask = masked.then(|| [0, 1, 2, 3].map(|at| bytes[length_bytes + at]));
    let header = PlainHeader {
        fin: first & 0b1000_0000 != 0,
        rsv: first >> 4 & 0b111,
        opcode: first & 0b1111,
        mask,
        length,
        length_bytes,
    };
    Some((header, size))
}

/// The bytes of a header, whatever it says.
pub(crate) fn write_header(header: &PlainHeader) -> Vec<u8> {
    let mut bytes = vec![u8::from(header.fin) << 7 | header.rsv << 4 | header.opcode];
    let masked = u8::from(header.mask.is_some()) << 7;
    bytes.push(
        masked
            | match header.length_bytes {
                0 => header.length as u8,
                2 => 126,
                _ => 127,
            },
    );
    bytes.extend_from_slice(&header.length.to_be_bytes()[8 - header.length_bytes..]);
    bytes.extend(header.mask.into_iter().flatten());
    bytes
}

/// "transformed-octet-i = original-octet-i XOR masking-key-octet-j", with j = i MOD 4 (RFC 6455 5.3).
fn unmask(header: PlainHeader, payload: &mut [u8]) {
    if let Some(key) = header.mask {
        for (at, byte) in payload.iter_mut().enumerate() {
            *byte ^= key[at % 4];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, PlainHeader, read};

    /// The examples of RFC 6455 5.7, one after another, and an unfinished one.
    #[test]
    fn the_examples_of_the_rfc() {
        let mut wire = vec![0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
        wire.extend([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        wire.extend([0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f]);
        wire.extend([0x82, 0x7e, 0x01, 0x00]);
        wire.extend([0xaa; 256]);
        wire.extend([0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0, 0xbb]);
        let header = |fin, opcode, mask, length, length_bytes| PlainHeader {
            fin,
            rsv: 0,
            opcode,
            mask,
            length,
            length_bytes,
        };
        let expected = Frames {
            whole: vec![
                (header(true, 1, None, 5, 0), b"Hello".to_vec()),
                (header(true, 1, Some([0x37, 0xfa, 0x21, 0x3d]), 5, 0), b"Hello".to_vec()),
                (header(false, 1, None, 3, 0), b"Hel".to_vec()),
                (header(true, 0, None, 2, 0), b"lo".to_vec()),
                (header(true, 2, None, 256, 2), vec![0xaa; 256]),
            ],
            open: Some((header(true, 2, None, 65_536, 8), vec![0xbb])),
            rest: vec![],
        };
        assert_eq!(read(&wire), expected);
    }

    #[test]
    fn half_a_header_is_left_over() {
        let frames = read(&[0x89, 0x00, 0x81, 0xff, 0, 0]);
        assert_eq!((frames.whole.len(), frames.open, frames.rest), (1, None, vec![0x81, 0xff, 0, 0]));
    }
}
