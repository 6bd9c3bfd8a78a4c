//! Words in a case's head that stand for what only the connection knows.
//!
//! `<host>`, `<target>`, `<key>` in a request; `<key>`, `<protocol>` (the first that the client offers) and `<accept>` in a
//! response, with the ways to get the last one wrong: `<accept-unpadded>`, `<accept-swapped>` (in the other case),
//! `<accept-of-key>` (without the GUID), `<accept-of-bytes>` (of the decoded key).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use wsgrade_codec::check::opening::Asked;
use wsgrade_codec::handshake::{GUID, accept_key};

/// Words and what they stand for.
pub(super) struct Template(Vec<(&'static str, String)>);

impl Template {
    pub(super) fn of_request(host: &str, target: &str, key: &str) -> Self {
        Self(vec![("<host>", host.to_owned()), ("<target>", target.to_owned()), ("<key>", key.to_owned())])
    }

    pub(super) fn of_response(asked: &Asked) -> Self {
        let key = &asked.key;
        let accept = accept_key(key);
        let swap =
            |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        let hash = |bytes: &[u8]| STANDARD.encode(Sha1::digest(bytes));
        let mut decoded = STANDARD.decode(key).unwrap_or_default();
        decoded.extend_from_slice(GUID.as_bytes());
        Self(vec![
            ("<key>", key.clone()),
            ("<protocol>", asked.subprotocols.first().cloned().unwrap_or_default()),
            ("<accept-unpadded>", accept.trim_end_matches('=').to_owned()),
            ("<accept-swapped>", accept.chars().map(swap).collect()),
            ("<accept-of-key>", hash(key.as_bytes())),
            ("<accept-of-bytes>", hash(&decoded)),
            ("<accept>", accept),
        ])
    }

    /// Puts what they stand for in their places.
    pub(super) fn fill(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = Cow::Borrowed(bytes);
        if bytes.contains(&b'<') {
            for (word, value) in &self.0 {
                if let Some(filled) = replace(&bytes, word.as_bytes(), value.as_bytes()) {
                    bytes = Cow::Owned(filled);
                }
            }
        }
        bytes.into_owned()
    }
}

/// Every occurrence replaced; `None` where there is none.
fn replace(bytes: &[u8], word: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(word.len()).position(|window| window == word) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(value);
        rest = &rest[at + word.len()..];
    }
    if rest.len() == bytes.len() {
        return None;
    }
    out.extend_from_slice(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_and_nothing_else() {
        let template = Template::of_request("example.com", "/chat", "KEY");
        let filled =
            template.fill(b"GET <target> HTTP/1.1\r\nHost: <host>, <host>\r\nK: <key>\r\nX: <b>\xff<accept>");
        assert_eq!(
            filled,
            b"GET /chat HTTP/1.1\r\nHost: example.com, example.com\r\nK: KEY\r\nX: <b>\xff<accept>"
        );
    }

    #[test]
    fn the_ways_to_get_the_accept_wrong_differ() {
        let asked = Asked {
            key: "dGhlIHNhbXBsZSBub25jZQ==".to_owned(),
            subprotocols: vec!["chat".to_owned()],
            ..Asked::default()
        };
        let template = Template::of_response(&asked);
        let of = |word: &str| String::from_utf8(template.fill(word.as_bytes())).unwrap();
        assert_eq!(of("<accept>"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(of("<accept-unpadded>"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo");
        assert_eq!(of("<accept-swapped>"), "S3PplmbItXAq9KygZZHzrBk+XoO=");
        assert_eq!(of("<protocol>;<key>"), "chat;dGhlIHNhbXBsZSBub25jZQ==");
        let wrong = ["<accept-of-key>", "<accept-of-bytes>"].map(of);
        assert!(wrong.iter().all(|accept| accept.len() == 28 && *accept != of("<accept>")), "{wrong:?}");
        assert_ne!(wrong[0], wrong[1]);
    }
}
