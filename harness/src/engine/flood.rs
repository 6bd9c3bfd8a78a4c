//! One frame over and over: how often it goes out, and what that allows the peer to send.
//!
//! A million frames are neither a million entries of the transcript nor a queue of a million writes: they are made in
//! bursts, each when the one before has been taken, and a burst is one entry.

use std::time::Duration;

use wsgrade_cases::model::Frame;
use wsgrade_codec::wire::MAX_HEADER_BYTES;

use super::machine::{Engine, Flow};

/// More often in a row than this a frame is sent in bursts.
const ROW: u32 = 4096;
/// How many bytes make a burst.
const BURST: usize = 64 << 10;

/// Whether a frame is sent in bursts.
pub(super) fn is_flood(frame: &Frame) -> bool {
    frame.lasting.is_some() || frame.times > ROW
}

/// A step that sends in bursts, as far as it has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flood {
    /// How many frames are left.
    left: u32,
    /// When it ends, whatever is left.
    until: Option<Duration>,
}

impl Engine {
    /// Sends the next burst; everything before it has been written.
    pub(super) fn play_flood(&mut self, now: Duration, frame: &Frame, step: usize) -> Flow {
        self.sender.flush();
        if !self.sender.is_idle() {
            return Flow::Again;
        }
        let begin = || Flood { left: frame.times, until: frame.lasting.map(|time| now.saturating_add(time)) };
        let Flood { left, until } = self.flood.take().unwrap_or_else(begin);
        if left == 0 || until.is_some_and(|until| now >= until) {
            self.next_step();
            return Flow::Again;
        }
        let body = frame.payload.to_bytes();
        let each = body.len() + MAX_HEADER_BYTES;
        let count = u32::try_from(BURST / each).unwrap_or(u32::MAX).clamp(1, left);
        self.sender.burst(frame, &body, &self.plan, count, until, step);
        // Each of them may be answered.
        let all = each as u64 * u64::from(count);
        self.bytes_allowed = self.bytes_allowed.saturating_add(all);
        self.frames_allowed = self.frames_allowed.saturating_add(u64::from(count));
        self.answers_allowed = self.answers_allowed.saturating_add(count as usize);
        self.flood = Some(Flood { left: left - count, until });
        Flow::Again
    }
}
