//! UTF-8 which arrives in pieces, refused at the first byte that cannot be right.

use thiserror::Error;

/// The stream is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not UTF-8 after {valid_up_to} valid bytes")]
pub struct InvalidUtf8 {
    /// How many bytes of the stream, counted from its beginning, are complete and valid characters.
    pub valid_up_to: u64,
}

/// Checks a stream of bytes piece by piece.
///
/// "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a valid
/// UTF-8 stream, that endpoint MUST _Fail the WebSocket Connection_." (RFC 6455, 8.1)
///
/// The error comes with the byte that makes it sure, even in the middle of a character: after `F4 90` no third byte
/// can help. Call [`push`](Self::push) for each piece and [`finish`](Self::finish) at the end; after an error the
/// validator is of no further use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Validator {
    /// Bytes in complete, valid characters.
    valid: u64,
    /// The beginning of a character that a later piece may complete.
    tail: [u8; 4],
    /// 0 <= tail_len <= 3
    tail_len: u8,
}

impl Validator {
    /// A validator at the beginning of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self { valid: 0, tail: [0; 4], tail_len: 0 }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    ///
    /// If no continuation of what was pushed so far can be UTF-8.
    #[inline]
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), InvalidUtf8> {
        if self.tail_len > 0 {
            bytes = self.complete_tail(bytes)?;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        // The fast validator says only yes or no, so the unfinished character at the end is set aside before.
        let (whole, tail) = bytes.split_at(bytes.len() - unfinished(bytes));
        if simdutf8::basic::from_utf8(whole).is_err() {
            return Err(self.locate(bytes));
        }
        self.valid += whole.len() as u64;
        if !tail.is_empty() {
            self.keep_tail(tail)?;
        }
        Ok(())
    }

    /// The stream ends here.
    ///
    /// # Errors
    ///
    /// If it ends in the middle of a character.
    pub const fn finish(&self) -> Result<(), InvalidUtf8> {
        if self.tail_len == 0 { Ok(()) } else { Err(InvalidUtf8 { valid_up_to: self.valid }) }
    }

    /// How many bytes were pushed, if none was refused.
    #[must_use]
    pub const fn pushed(&self) -> u64 {
        self.valid + self.tail_len as u64
    }

    /// Moves bytes to the character begun before until it is complete; gives back the rest.
    fn complete_tail<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], InvalidUtf8> {
        while let Some((byte, rest)) = bytes.split_first() {
            bytes = rest;
            let len = usize::from(self.tail_len);
            self.tail[len] = *byte;
            match std::str::from_utf8(&self.tail[..=len]) {
                Ok(_) => {
                    self.valid += len as u64 + 1;
                    self.tail_len = 0;
                    return Ok(bytes);
                }
                // A character is over after four bytes, so `len` cannot reach four here.
                Err(error) if error.error_len().is_none() => self.tail_len += 1,
                Err(_) => return Err(InvalidUtf8 { valid_up_to: self.valid }),
            }
        }
        Ok(bytes)
    }

    #[cold]
    fn locate(&self, bytes: &[u8]) -> InvalidUtf8 {
        let good = simdutf8::compat::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
        InvalidUtf8 { valid_up_to: self.valid + good as u64 }
    }

    fn keep_tail(&mut self, tail: &[u8]) -> Result<(), InvalidUtf8> {
        match std::str::from_utf8(tail) {
            Err(error) if error.error_len().is_none() => {
                self.tail[..tail.len()].copy_from_slice(tail);
                self.tail_len = tail.len() as u8;
                Ok(())
            }
            // `unfinished` gives only beginnings, so what is left are those which cannot be continued.
            Ok(_) | Err(_) => Err(InvalidUtf8 { valid_up_to: self.valid }),
        }
    }
}

/// How many bytes at the end of `bytes` look like the beginning of a character which is not complete: 0 to 3.
#[inline]
fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        // A continuation byte: the first byte of its character is further ahead.
        if byte & 0xC0 == 0x80 {
            continue;
        }
        let width = match byte {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
            _ => 1,
        };
        return if width > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the standard library says of the stream so far: refused, or possible.
    fn refused(bytes: &[u8]) -> Option<u64> {
        match std::str::from_utf8(bytes) {
            Err(error) if error.error_len().is_some() => Some(error.valid_up_to() as u64),
            _ => None,
        }
    }

    #[test]
    fn a_text_in_single_bytes() {
        let text = "κόσμε — Hello-µ@ßöäüàá-UTF-8!! 𝄞 \u{10FFFF}";
        let mut validator = Validator::new();
        for byte in text.as_bytes() {
            validator.push(&[*byte]).unwrap();
        }
        validator.finish().unwrap();
        assert_eq!(validator.pushed(), text.len() as u64);
    }

    #[test]
    fn all_of_three_bytes_fail_when_the_standard_library_is_sure() {
        for a in [0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF] {
            for b in 0..=255 {
                for c in [0x00, 0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC3, 0xF0, 0xFF] {
                    let bytes = [a, b, c];
                    let mut validator = Validator::new();
                    for end in 1..=3 {
                        let result = validator.push(&bytes[end - 1..end]);
                        let expected = refused(&bytes[..end]);
                        assert_eq!(result.err().map(|e| e.valid_up_to), expected, "{bytes:02x?} {end}");
                        let at_once = Validator::new().push(&bytes[..end]);
                        assert_eq!(at_once.err().map(|e| e.valid_up_to), expected, "{bytes:02x?} {end}");
                        if expected.is_some() {
                            break;
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_end_in_the_middle_of_a_character_is_refused() {
        let mut validator = Validator::new();
        validator.push(b"ab\xE2\x82").unwrap();
        assert_eq!(validator.finish(), Err(InvalidUtf8 { valid_up_to: 2 }));
        validator.push(b"\xAC").unwrap();
        assert_eq!(validator.finish(), Ok(()));
    }

    #[test]
    fn a_long_stream_tells_the_position() {
        let mut validator = Validator::new();
        let mut bytes = "ä".repeat(500).into_bytes();
        validator.push(&bytes).unwrap();
        bytes[301] = b'x';
        assert_eq!(validator.push(&bytes), Err(InvalidUtf8 { valid_up_to: 1300 }));
        assert_eq!(InvalidUtf8 { valid_up_to: 7 }.to_string(), "not UTF-8 after 7 valid bytes");
    }
}
