//! The accept value, and the ways to get it wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use wsgrade_codec::handshake::GUID;

use super::defect::Nature;
use super::table::Defect;

/// The accept value for a key, as it is sent.
pub(super) fn misproved(lawful: &str, key: &str, nature: &Nature) -> String {
    let hashed = |parts: &[&[u8]]| {
        let hash = parts.iter().fold(Sha1::new(), |hash, part| hash.chain_update(part));
        STANDARD.encode(hash.finalize())
    };
    if nature.has(Defect::AcceptWithoutGuid) {
        return hashed(&[key.as_bytes()]);
    }
    if nature.has(Defect::AcceptGuidLowerCase) {
        return hashed(&[key.as_bytes(), GUID.to_lowercase().as_bytes()]);
    }
    if nature.has(Defect::AcceptOfDecodedKey) {
        let decoded = STANDARD.decode(key).unwrap_or_default();
        return hashed(&[&decoded, GUID.as_bytes()]);
    }
    if nature.has(Defect::AcceptLowerCase) {
        return lawful.to_lowercase();
    }
    if nature.has(Defect::AcceptConstant) {
        return "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned();
    }
    if nature.has(Defect::AcceptUnpadded) {
        return lawful.trim_end_matches('=').to_owned();
    }
    if nature.has(Defect::AcceptIsKey) {
        return key.to_owned();
    }
    lawful.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_lawful_but_for_the_defect() {
        let (key, lawful) = ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let sent = |defect| misproved(lawful, key, &Nature::new(defect));
        assert_eq!(sent(None), lawful);
        assert_eq!(sent(Some(Defect::AcceptIsKey)), key);
        assert_eq!(sent(Some(Defect::AcceptUnpadded)), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo");
        for defect in [Defect::AcceptWithoutGuid, Defect::AcceptGuidLowerCase, Defect::AcceptOfDecodedKey] {
            assert_ne!(sent(Some(defect)), lawful, "{defect}");
            assert_eq!(sent(Some(defect)).len(), lawful.len(), "{defect}");
        }
    }
}
