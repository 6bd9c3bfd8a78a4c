//! The queue of bytes to send.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

use crate::mask;
use crate::wire::{Header, Opcode};

/// Payloads up to this many bytes are copied behind their header; longer ones are kept as they are.
const COPY: usize = 4096;

/// What is copied and masked at once: it stays in the fastest cache.
const BLOCK: usize = 8192;

/// The room that is kept for the next frames when all is sent.
const KEEP: usize = 64 * 1024;

/// Headers and small frames in one buffer, large payloads beside it.
///
/// ```text
///   inline:  [sent | h1 p1 h2 p2 h3 | h4 p4 h5 | h6 p6]
///   large:                         P3         P5
/// ```
#[derive(Debug, Default)]
pub(super) struct Output {
    inline: Vec<u8>,
    /// 0 <= sent <= inline.len()
    sent: usize,
    /// Large payloads, each with the number of unsent inline bytes between it and the one before it.
    large: VecDeque<(usize, Bytes)>,
    /// The unsent inline bytes behind the last large payload.
    tail: usize,
    /// All unsent bytes.
    pending: usize,
}

impl Output {
    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// Queues a frame; the first byte holds FIN, RSV and opcode.
    #[inline]
    pub(super) fn frame(&mut self, first: u8, key: Option<[u8; 4]>, payload: Bytes) {
        if payload.len() <= COPY {
            self.small(first, key, &payload);
        } else {
            self.header(first, key, payload.len());
            self.shared(match key {
                None => payload,
                Some(key) => masked(key, payload),
            });
        }
    }

    /// Queues a frame by copying its payload.
    #[inline]
    pub(super) fn small(&mut self, first: u8, key: Option<[u8; 4]>, payload: &[u8]) {
        self.header(first, key, payload.len());
        let start = self.inline.len();
        self.inline.extend_from_slice(payload);
        if let Some(key) = key {
            mask::apply(key, 0, &mut self.inline[start..]);
        }
        self.added(payload.len());
    }

    #[inline]
    fn header(&mut self, first: u8, key: Option<[u8; 4]>, len: usize) {
        let before = self.inline.len();
        if self.sent == before && before > 0 && self.large.is_empty() {
            self.inline.clear();
            self.sent = 0;
        }
        let before = self.inline.len();
        match key {
            // The two commonest forms, in a single store each.
            None if len <= 125 => self.inline.extend_from_slice(&[first, len as u8]),
            Some([a, b, c, d]) if len <= 125 => {
                self.inline.extend_from_slice(&[first, 0x80 | len as u8, a, b, c, d]);
            }
            key => {
                let mut header = Header::new(Opcode::TEXT, key, len as u64).encode();
                header.set_first(first);
                self.inline.extend_from_slice(&header);
            }
        }
        self.added(self.inline.len() - before);
    }

    #[inline]
    fn added(&mut self, inline: usize) {
        self.tail += inline;
        self.pending += inline;
    }

    fn shared(&mut self, payload: Bytes) {
        self.pending += payload.len();
        self.large.push_back((std::mem::take(&mut self.tail), payload));
    }

    /// Fills `slices` from the front of the queue; gives how many were filled.
    pub(super) fn io_slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for slice in self.slices() {
            let Some(place) = slices.get_mut(filled) else { break };
            *place = IoSlice::new(slice);
            filled += 1;
        }
        filled
    }

    /// All unsent bytes in order, in pieces that are not empty.
    pub(super) fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let mut at = self.sent;
        let large = self.large.iter().map(|(before, payload)| (*before, payload.as_ref()));
        large
            .chain(std::iter::once((self.tail, &[][..])))
            .flat_map(move |(inline, payload)| {
                let start = at;
                at += inline;
                [&self.inline[start..at], payload]
            })
            .filter(|slice| !slice.is_empty())
    }

    /// The first `count` bytes were sent. More than there are counts as all.
    pub(super) fn advance(&mut self, count: usize) {
        let mut count = count.min(self.pending);
        self.pending -= count;
        while count > 0 {
            let Some((before, payload)) = self.large.front_mut() else {
                self.tail -= count;
                self.sent += count;
                break;
            };
            let inline = count.min(*before);
            *before -= inline;
            self.sent += inline;
            count -= inline;
            let shared = count.min(payload.len());
            payload.advance(shared);
            count -= shared;
            if payload.is_empty() {
                self.large.pop_front();
            }
        }
        if self.pending == 0 {
            self.inline.clear();
            self.sent = 0;
            self.inline.shrink_to(KEEP);
        } else if self.sent > KEEP && self.sent > self.inline.len() / 2 {
            self.inline.drain(..self.sent);
            self.sent = 0;
        }
    }
}

/// The payload with its mask on: in place if nobody else holds it, else a copy made block by block.
fn masked(key: [u8; 4], payload: Bytes) -> Bytes {
    match payload.try_into_mut() {
        Ok(mut payload) => {
            mask::apply(key, 0, &mut payload);
            payload.freeze()
        }
        Err(payload) => {
            let mut copy = BytesMut::with_capacity(payload.len());
            for block in payload.chunks(BLOCK) {
                let start = copy.len();
                copy.extend_from_slice(block);
                // BLOCK is a multiple of four, so each block begins with the first byte of the key.
                mask::apply(key, 0, &mut copy[start..]);
            }
            copy.freeze()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(output: &Output) -> Vec<u8> {
        output.slices().flatten().copied().collect()
    }

    #[test]
    fn small_and_large_frames_stay_in_order() {
        let mut output = Output::default();
        let large = Bytes::from(vec![7; COPY + 1]);
        let mut expected = Vec::new();
        for round in 0..3u8 {
            output.small(0x81, None, &[round]);
            expected.extend_from_slice(&[0x81, 1, round]);
            output.frame(0x82, None, large.clone());
            expected.extend_from_slice(&[0x82, 126, 0x10, 0x01]);
            expected.extend_from_slice(&large);
        }
        output.small(0x8A, None, b"end");
        expected.extend_from_slice(b"\x8a\x03end");
        assert_eq!((all(&output), output.pending()), (expected.clone(), expected.len()));
        let mut slices = [IoSlice::new(&[]); 16];
        assert_eq!(output.io_slices(&mut slices), 7);
        assert_eq!(output.io_slices(&mut slices[..2]), 2);
        for step in [1, 2, 3, 5000, 4, 1, 7000] {
            output.advance(step);
            expected.drain(..step.min(expected.len()));
            assert_eq!((all(&output), output.pending()), (expected.clone(), expected.len()));
        }
        output.small(0x81, None, b"x");
        output.advance(usize::MAX);
        assert_eq!((output.pending(), output.slices().count()), (0, 0));
    }

    #[test]
    fn masks_are_put_on_private_copies() {
        let key = [1, 2, 3, 4];
        let payload = Bytes::from(vec![0; 3 * BLOCK + 5]);
        let kept = payload.clone();
        let mut output = Output::default();
        output.frame(0x82, Some(key), payload);
        assert!(kept.iter().all(|byte| *byte == 0));
        let wire = all(&output);
        assert_eq!(wire[..8], [0x82, 0xFE, 0x60, 0x05, 1, 2, 3, 4]);
        assert!(wire[8..].iter().enumerate().all(|(i, byte)| *byte == key[i % 4]));
        drop(output);
        let mut output = Output::default();
        output.frame(0x82, Some(key), kept);
        assert_eq!(all(&output), wire);
    }
}
