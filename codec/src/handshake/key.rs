//! The nonce and its proof.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha1::{Digest, Sha1};

/// What is appended to the key before hashing (RFC 6455, 4.2.2).
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of `Sec-WebSocket-Key` for a nonce: 24 characters of base64. "The nonce MUST be selected randomly for
/// each connection." (RFC 6455, 4.1)
#[must_use]
pub fn encode_nonce(nonce: [u8; 16]) -> String {
    STANDARD.encode(nonce)
}

/// The value of `Sec-WebSocket-Accept` which answers a key: 28 characters of base64.
///
/// "constructed by concatenating /key/ [...] with the string "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", taking the SHA-1
/// hash of this concatenated value to obtain a 20-byte value and base64-encoding [...] this 20-byte hash"
/// (RFC 6455, 4.2.2)
#[must_use]
pub fn accept_key(key: &str) -> String {
    let hash = Sha1::new().chain_update(key.as_bytes()).chain_update(GUID.as_bytes()).finalize();
    STANDARD.encode(hash)
}

/// Decodes what the RFC itself gives as an example, "AQIDBAUGBwgJCgsMDQ4PEC==" (4.1), whose last character has bits
/// that belong to no byte.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Whether this is a key: "a base64-encoded [...] value that, when decoded, is 16 bytes in length" (RFC 6455, 4.2.1).
pub(crate) fn is_key(value: &str) -> bool {
    value.len() == 24 && LENIENT.decode(value).is_ok_and(|nonce| nonce.len() == 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_section_1_3() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn keys_are_sixteen_bytes() {
        let counting = std::array::from_fn(|i| i as u8 + 1);
        assert_eq!(encode_nonce(counting), "AQIDBAUGBwgJCgsMDQ4PEA==");
        // As the RFC prints it.
        assert!(is_key("AQIDBAUGBwgJCgsMDQ4PEC=="));
        assert!(is_key("dGhlIHNhbXBsZSBub25jZQ=="));
        for wrong in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25j",
            "!GhlIHNhbXBsZSBub25jZQ==",
            "AAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(!is_key(wrong), "{wrong}");
        }
    }
}
