//! The queue of bytes to send.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

use crate::mask;
use crate::wire::{Header, MAX_HEADER_BYTES, Opcode};

/// Payloads of more than this many bytes are not copied behind their header but kept as they are.
const COPY: usize = 512;

/// A payload that needs a mask has to be copied anyway; up to this many bytes behind its header.
const COPY_MASKED: usize = 64 * 1024;

/// What of a larger one is copied and masked at once: it stays in the fastest cache.
const BLOCK: usize = 8192;

/// The room that is kept for the next frames when all is sent.
const KEEP: usize = 256 * 1024;

/// The room that is made first.
const FIRST: usize = 4096;

/// Headers and small frames in one buffer, large payloads beside it.
///
/// ```text
///   inline:  [sent | h1 p1 h2 p2 h3 | h4 p4 h5 | h6 p6 | room]
///   large:                         P3         P5
/// ```
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Initialised up to its length, which is the room there is and only grows while anything is queued.
    inline: Vec<u8>,
    /// 0 <= sent <= end
    sent: usize,
    /// sent <= end <= inline.len()
    end: usize,
    /// Large payloads, each with the number of unsent inline bytes between it and the one before it.
    large: VecDeque<(usize, Bytes)>,
    /// The unsent inline bytes behind the last large payload.
    tail: usize,
    /// All unsent bytes.
    pending: usize,
}

impl Output {
    #[inline]
    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// Queues a frame; the first byte holds FIN, RSV and opcode.
    #[inline]
    pub(super) fn frame(&mut self, first: u8, key: Option<[u8; 4]>, payload: Bytes) {
        let copied = if key.is_some() { COPY_MASKED } else { COPY };
        if payload.len() <= copied {
            self.small(first, key, &payload);
        } else {
            self.header(first, key, payload.len(), 0);
            let payload = match key {
                None => payload,
                Some(key) => masked(key, payload),
            };
            self.pending += payload.len();
            self.large.push_back((std::mem::take(&mut self.tail), payload));
        }
    }

    /// Queues a frame by copying its payload.
    #[inline]
    pub(super) fn small(&mut self, first: u8, key: Option<[u8; 4]>, payload: &[u8]) {
        self.header(first, key, payload.len(), payload.len());
        let target = &mut self.inline[self.end..self.end + payload.len()];
        match key {
            None => target.copy_from_slice(payload),
            Some(key) => mask::copy(key, payload, target),
        }
        self.added(payload.len());
    }

    /// Queues a header, and makes room for it and `more` bytes.
    #[inline]
    fn header(&mut self, first: u8, key: Option<[u8; 4]>, len: usize, more: usize) {
        if self.inline.len() - self.end < MAX_HEADER_BYTES + more {
            self.make_room(MAX_HEADER_BYTES + more);
        }
        let target = &mut self.inline[self.end..self.end + MAX_HEADER_BYTES];
        // The two commonest forms first.
        let size = match key {
            None if len <= 125 => {
                target[..2].copy_from_slice(&[first, len as u8]);
                2
            }
            Some([a, b, c, d]) if len <= 125 => {
                target[..6].copy_from_slice(&[first, 0x80 | len as u8, a, b, c, d]);
                6
            }
            key => {
                let mut header = Header::new(Opcode::TEXT, key, len as u64).encode();
                header.set_first(first);
                target[..header.len()].copy_from_slice(&header);
                header.len()
            }
        };
        self.added(size);
    }

    #[cold]
    fn make_room(&mut self, more: usize) {
        let room = (self.end + more).next_power_of_two().max(FIRST);
        self.inline.resize(room, 0);
    }

    #[inline]
    fn added(&mut self, inline: usize) {
        self.end += inline;
        self.tail += inline;
        self.pending += inline;
    }

    /// Fills `slices` from the front of the queue; gives how many were filled.
    #[inline]
    pub(super) fn io_slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut places = slices.iter_mut();
        let mut filled = 0;
        self.for_each_slice(|slice| {
            let Some(place) = places.next() else { return false };
            *place = IoSlice::new(slice);
            filled += 1;
            true
        });
        filled
    }

    /// Calls `take` with all unsent bytes in order, in pieces that are not empty, until it says that it has enough.
    #[inline]
    pub(super) fn for_each_slice<'a>(&'a self, mut take: impl FnMut(&'a [u8]) -> bool) {
        let mut at = self.sent;
        for (inline, payload) in &self.large {
            if *inline > 0 && !take(&self.inline[at..at + inline]) || !take(payload) {
                return;
            }
            at += inline;
        }
        if self.tail > 0 {
            take(&self.inline[at..at + self.tail]);
        }
    }

    /// The first `count` bytes were sent. More than there are counts as all.
    #[inline]
    pub(super) fn advance(&mut self, count: usize) {
        if count >= self.pending {
            self.large.clear();
            (self.sent, self.end, self.tail, self.pending) = (0, 0, 0, 0);
            if self.inline.len() > KEEP {
                self.inline = Vec::new();
            }
        } else {
            self.advance_partly(count);
        }
    }

    fn advance_partly(&mut self, mut count: usize) {
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
        // Moving only when more was sent than is left costs one copy per byte in the long run.
        if self.sent > KEEP && self.sent > self.end / 2 {
            self.inline.copy_within(self.sent..self.end, 0);
            self.end -= self.sent;
            self.sent = 0;
        }
    }
}

/// The payload with its mask on: in place if nobody else holds it, else on a copy.
fn masked(key: [u8; 4], payload: Bytes) -> Bytes {
    match payload.try_into_mut() {
        Ok(mut payload) => {
            mask::apply(key, 0, &mut payload);
            payload.freeze()
        }
        Err(payload) => {
            let mut copy = BytesMut::with_capacity(payload.len());
            // The copy of a block is still in the cache when its mask is put on.
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
        let mut bytes = Vec::new();
        output.for_each_slice(|slice| {
            assert!(!slice.is_empty());
            bytes.extend_from_slice(slice);
            true
        });
        bytes
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
            expected.extend_from_slice(&[0x82, 126, 0x02, 0x01]);
            expected.extend_from_slice(&large);
        }
        output.small(0x8A, None, b"end");
        expected.extend_from_slice(b"\x8a\x03end");
        assert_eq!((all(&output), output.pending()), (expected.clone(), expected.len()));
        let mut slices = [IoSlice::new(&[]); 16];
        assert_eq!(output.io_slices(&mut slices), 7);
        assert_eq!(output.io_slices(&mut slices[..2]), 2);
        for step in [1, 2, 3, 600, 4, 1, 800] {
            output.advance(step);
            expected.drain(..step.min(expected.len()));
            assert_eq!((all(&output), output.pending()), (expected.clone(), expected.len()));
        }
        output.small(0x81, None, b"x");
        output.advance(usize::MAX);
        assert_eq!((output.pending(), all(&output).len()), (0, 0));
    }

    #[test]
    fn masks_are_put_on_private_copies() {
        let key = [1, 2, 3, 4];
        let payload = Bytes::from(vec![0; COPY_MASKED + 5]);
        let kept = payload.clone();
        let mut output = Output::default();
        output.frame(0x82, Some(key), payload);
        assert!(kept.iter().all(|byte| *byte == 0));
        let wire = all(&output);
        assert_eq!(wire[..14], [0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 5, 1, 2, 3, 4]);
        assert!(wire[14..].iter().enumerate().all(|(i, byte)| *byte == key[i % 4]));
        drop(output);
        let mut output = Output::default();
        output.frame(0x82, Some(key), kept);
        assert_eq!(all(&output), wire);
    }
}
