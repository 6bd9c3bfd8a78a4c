//! A frame header, to bytes and back.

use std::fmt;
use std::ops::Deref;

use super::{Length, LengthForm, Opcode, Rsv};

/// The longest header: two bytes, a 64-bit length, a masking key.
pub const MAX_HEADER_BYTES: usize = 14;

/// Everything a frame says before its payload (RFC 6455, 5.2). Any combination can be represented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Whether this is the last fragment of its message.
    pub fin: bool,
    /// The reserved bits.
    pub rsv: Rsv,
    /// What the payload is.
    pub opcode: Opcode,
    /// The masking key; `None` if the MASK bit is not set.
    pub mask: Option<[u8; 4]>,
    /// The payload length and its form.
    pub length: Length,
}

/// What [`Header::parse`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// A complete header, and the number of bytes it took.
    Header(Header, usize),
    /// Not all bytes of the header are there.
    Incomplete {
        /// How many bytes, counted from the first of the header, are needed at least before it makes sense to try
        /// again. Exact once two bytes are there.
        needed: usize,
    },
}

impl Header {
    /// A header with the FIN bit set, no reserved bits and the length in its shortest form.
    #[must_use]
    pub const fn new(opcode: Opcode, mask: Option<[u8; 4]>, length: u64) -> Self {
        Self { fin: true, rsv: Rsv::NONE, opcode, mask, length: Length::minimal(length) }
    }

    /// How many bytes the header takes on the wire, 2 to 14.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        2 + self.length.form().extra_bytes() + if self.mask.is_some() { 4 } else { 0 }
    }

    /// The header's bytes.
    #[must_use]
    #[inline]
    pub fn encode(&self) -> EncodedHeader {
        let mut bytes = [0; MAX_HEADER_BYTES];
        bytes[0] = u8::from(self.fin) << 7 | self.rsv.value() << 4 | self.opcode.value();
        let mask_bit = u8::from(self.mask.is_some()) << 7;
        let value = self.length.value();
        let mut end = match self.length.form() {
            LengthForm::Bits7 => {
                bytes[1] = mask_bit | value as u8;
                2
            }
            // "Multibyte length quantities are expressed in network byte order." (5.2)
            LengthForm::Bits16 => {
                bytes[1] = mask_bit | 126;
                bytes[2..4].copy_from_slice(&(value as u16).to_be_bytes());
                4
            }
            LengthForm::Bits64 => {
                bytes[1] = mask_bit | 127;
                bytes[2..10].copy_from_slice(&value.to_be_bytes());
                10
            }
        };
        if let Some(key) = self.mask {
            bytes[end..end + 4].copy_from_slice(&key);
            end += 4;
        }
        EncodedHeader { bytes, len: end as u8 }
    }

    /// Reads a header from the beginning of `bytes`. There is no error: any bytes are some header.
    #[must_use]
    #[inline]
    pub fn parse(bytes: &[u8]) -> Parsed {
        let [first, second, rest @ ..] = bytes else {
            return Parsed::Incomplete { needed: 2 };
        };
        let form = match second & 0x7F {
            126 => LengthForm::Bits16,
            127 => LengthForm::Bits64,
            _ => LengthForm::Bits7,
        };
        let masked = second & 0x80 != 0;
        let needed = 2 + form.extra_bytes() + if masked { 4 } else { 0 };
        if bytes.len() < needed {
            return Parsed::Incomplete { needed };
        }
        let value = match form {
            LengthForm::Bits7 => u64::from(second & 0x7F),
            LengthForm::Bits16 => u64::from(u16::from_be_bytes([rest[0], rest[1]])),
            LengthForm::Bits64 => {
                u64::from_be_bytes([rest[0], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], rest[7]])
            }
        };
        let mask =
            masked.then(|| [bytes[needed - 4], bytes[needed - 3], bytes[needed - 2], bytes[needed - 1]]);
        // The value was read from this form, so it fits into it; `minimal` is never taken.
        let length = Length::with_form(value, form).unwrap_or(Length::minimal(value));
        let header = Self {
            fin: first & 0x80 != 0,
            rsv: Rsv::from_first_byte(*first),
            opcode: Opcode::from_first_byte(*first),
            mask,
            length,
        };
        Parsed::Header(header, needed)
    }
}

impl fmt::Display for Header {
    /// One line for a person: `text, 5 bytes, masked`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} bytes", self.opcode, self.length.value())?;
        if !self.fin {
            f.write_str(", not final")?;
        }
        if !self.rsv.is_empty() {
            write!(f, ", {}", self.rsv)?;
        }
        f.write_str(if self.mask.is_some() { ", masked" } else { ", unmasked" })?;
        match self.length.form() {
            LengthForm::Bits16 if !self.length.is_minimal() => f.write_str(", length in 16 bits"),
            LengthForm::Bits64 if !self.length.is_minimal() => f.write_str(", length in 64 bits"),
            LengthForm::Bits7 | LengthForm::Bits16 | LengthForm::Bits64 => Ok(()),
        }
    }
}

/// The bytes of a header, kept inline.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EncodedHeader {
    bytes: [u8; MAX_HEADER_BYTES],
    /// 2 <= len <= 14
    len: u8,
}

impl EncodedHeader {
    /// Replaces FIN, RSV and opcode by a byte which is made already.
    pub(crate) fn set_first(&mut self, byte: u8) {
        self.bytes[0] = byte;
    }
}

impl Deref for EncodedHeader {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl AsRef<[u8]> for EncodedHeader {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for EncodedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", &**self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_section_5_7() {
        let hello = Header::new(Opcode::TEXT, None, 5);
        assert_eq!(&*hello.encode(), [0x81, 0x05]);
        let masked = Header::new(Opcode::TEXT, Some([0x37, 0xfa, 0x21, 0x3d]), 5);
        assert_eq!(&*masked.encode(), [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d]);
        let first = Header { fin: false, ..Header::new(Opcode::TEXT, None, 3) };
        assert_eq!(&*first.encode(), [0x01, 0x03]);
        assert_eq!(&*Header::new(Opcode::CONTINUATION, None, 2).encode(), [0x80, 0x02]);
        assert_eq!(&*Header::new(Opcode::BINARY, None, 256).encode(), [0x82, 0x7E, 1, 0]);
        assert_eq!(
            &*Header::new(Opcode::BINARY, None, 65_536).encode(),
            [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]
        );
    }

    #[test]
    fn what_is_missing_is_told() {
        assert_eq!(Header::parse(&[]), Parsed::Incomplete { needed: 2 });
        assert_eq!(Header::parse(&[0x81]), Parsed::Incomplete { needed: 2 });
        assert_eq!(Header::parse(&[0x81, 0x85]), Parsed::Incomplete { needed: 6 });
        assert_eq!(Header::parse(&[0x81, 126]), Parsed::Incomplete { needed: 4 });
        assert_eq!(Header::parse(&[0x81, 255, 0]), Parsed::Incomplete { needed: 14 });
    }

    #[test]
    fn an_illegal_header_is_a_header() {
        let header = Header {
            fin: false,
            rsv: Rsv::RSV2 | Rsv::RSV3,
            opcode: Opcode::from_first_byte(0xD),
            mask: Some([1, 2, 3, 4]),
            length: Length::with_form(u64::MAX, LengthForm::Bits64).unwrap(),
        };
        assert_eq!(Header::parse(&header.encode()), Parsed::Header(header, 14));
        assert_eq!(
            header.to_string(),
            "reserved 0xd, 18446744073709551615 bytes, not final, RSV2+RSV3, masked"
        );
        let wide = Header {
            length: Length::with_form(5, LengthForm::Bits16).unwrap(),
            ..Header::new(Opcode::TEXT, None, 0)
        };
        assert_eq!(&*wide.encode(), [0x81, 126, 0, 5]);
        assert_eq!(wide.to_string(), "text, 5 bytes, unmasked, length in 16 bits");
    }

    #[test]
    fn the_encoded_length_is_what_encode_gives() {
        for mask in [None, Some([9; 4])] {
            for length in [0, 125, 126, 65_535, 65_536, u64::MAX] {
                let header = Header::new(Opcode::PING, mask, length);
                assert_eq!(header.encode().len(), header.encoded_len());
            }
        }
    }
}
