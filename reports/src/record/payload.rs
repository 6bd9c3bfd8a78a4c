//! How many bytes become few: the description of a payload.

use std::collections::VecDeque;

use sha1::{Digest, Sha1};

use super::transcript::PayloadInfo;

impl PayloadInfo {
    /// The description of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut digest = PayloadDigest::new();
        digest.push(bytes);
        digest.finish()
    }
}

/// Describes a payload that arrives in pieces, in memory that does not grow with it.
///
/// [`push`](Self::push) the pieces in order, then [`finish`](Self::finish). How the bytes are cut into pieces
/// makes no difference.
#[derive(Clone, Debug, Default)]
pub struct PayloadDigest {
    /// How many bytes came.
    len: u64,
    /// The first of them: `head.len() == min(len, INLINE)`.
    head: Vec<u8>,
    /// The last of them: `tail.len() == min(len - INLINE, EDGE)` once there are more than `head` holds; what is
    /// missing to [`PayloadInfo::EDGE`] is at the end of `head`.
    tail: VecDeque<u8>,
    /// Over all of them; absent while `head` still holds every byte.
    sha1: Option<Sha1>,
}

impl PayloadDigest {
    /// Of no bytes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes came so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether none came so far.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        let room = PayloadInfo::INLINE - self.head.len();
        let (first, rest) = bytes.split_at(bytes.len().min(room));
        self.head.extend_from_slice(first);
        if rest.is_empty() {
            return;
        }
        let head = &self.head;
        self.sha1.get_or_insert_with(|| Sha1::new_with_prefix(head)).update(rest);
        let last = &rest[rest.len().saturating_sub(PayloadInfo::EDGE)..];
        let surplus = (self.tail.len() + last.len()).saturating_sub(PayloadInfo::EDGE);
        self.tail.drain(..surplus);
        self.tail.extend(last);
    }

    /// The description of all that came.
    pub fn finish(self) -> PayloadInfo {
        let Some(sha1) = self.sha1 else {
            return PayloadInfo { len: self.len, hex: hex(&self.head), tail: None, sha1: None };
        };
        let missing = PayloadInfo::EDGE - self.tail.len();
        let mut tail = hex(&self.head[self.head.len() - missing..]);
        tail.push_str(&hex(&Vec::from(self.tail)));
        PayloadInfo {
            len: self.len,
            hex: hex(&self.head[..PayloadInfo::EDGE]),
            tail: Some(tail),
            sha1: Some(hex(&sha1.finalize())),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    // Each payload of each transcript passes here, so there is no formatter between.
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xF)]).collect()
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    fn counting(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn few_bytes_are_kept_whole() {
        for len in [0, 1, PayloadInfo::INLINE - 1, PayloadInfo::INLINE] {
            let bytes = counting(len);
            let info = PayloadInfo::of(&bytes);
            assert!(info.is_whole(), "{len}");
            assert_eq!(info, PayloadInfo { len: len as u64, hex: hex(&bytes), tail: None, sha1: None });
        }
    }

    #[test]
    fn many_bytes_keep_their_edges_and_their_digest() {
        for len in [PayloadInfo::INLINE + 1, PayloadInfo::INLINE + PayloadInfo::EDGE, 1_000_000] {
            let bytes = counting(len);
            let info = PayloadInfo::of(&bytes);
            assert!(!info.is_whole(), "{len}");
            assert_eq!(info.len, len as u64);
            assert_eq!(info.hex, hex(&bytes[..PayloadInfo::EDGE]));
            assert_eq!(info.tail, Some(hex(&bytes[len - PayloadInfo::EDGE..])));
            assert_eq!(info.sha1, Some(hex(&Sha1::digest(&bytes))));
        }
    }

    #[test]
    fn the_digest_is_the_published_one() {
        // FIPS 180, a million times `a`.
        let info = PayloadInfo::of(&vec![b'a'; 1_000_000]);
        assert_eq!(info.sha1.as_deref(), Some("34aa973cd4c4daa4f61eeb2bdbad27316534016f"));
    }

    #[test]
    fn memory_does_not_grow_with_the_payload() {
        let mut digest = PayloadDigest::new();
        for _ in 0..1000 {
            digest.push(&[7; 1000]);
            assert!(digest.head.len() <= PayloadInfo::INLINE && digest.tail.len() <= PayloadInfo::EDGE);
        }
        assert_eq!(digest.len(), 1_000_000);
        assert!(!digest.is_empty() && PayloadDigest::new().is_empty());
    }

    quickcheck! {
        fn pieces_make_no_difference(len: u16, cuts: Vec<u16>) -> bool {
            let bytes = counting(usize::from(len % 1024));
            let mut digest = PayloadDigest::new();
            let mut rest = bytes.as_slice();
            for cut in cuts {
                let (piece, after) = rest.split_at(usize::from(cut % 400).min(rest.len()));
                digest.push(piece);
                rest = after;
            }
            digest.push(rest);
            digest.finish() == PayloadInfo::of(&bytes)
        }
    }
}
