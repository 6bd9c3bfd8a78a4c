//! The engine: plays one case on one connection, without I/O and without a clock.
//!
//! ```text
//!            Input                          Action
//! carrier ───────────▶ Engine::handle   Engine::poll ───────────▶ carrier
//!                          │
//!        opening ─▶ playing ─▶ settling ─▶ closing ─▶ draining ─▶ done ─▶ Transcript
//!                   steps      outcome     our Close  TCP's end
//!                              unknown     answered?
//! ```
//!
//! Time is an argument, so tests run in virtual time. The carrier's loop is: `poll` until it answers `Wait`,
//! then wait for the first of bytes, a finished write or the deadline, `handle` that, and begin again. `poll`
//! never answers `Wait` with a deadline in the past twice: each call at or after the deadline makes progress.

mod accepted;
mod close;
mod exchange;
#[cfg(test)]
mod exchange_tests;
mod flood;
#[cfg(test)]
mod flood_tests;
mod knock;
pub(crate) mod lines;
mod log;
mod machine;
mod opening;
mod prelude;
mod receive;
mod send;
mod settle;
mod steps;
mod template;
#[cfg(test)]
mod tests;
mod witness;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;

pub use accepted::Accepted;
pub use machine::Engine;
pub(crate) use opening::http_message;
pub use opening::{Request, Secret};
pub use witness::Witness;

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The transport is connected.
    Connected,
    /// Bytes came.
    Received(Bytes),
    /// The peer ended its sending side.
    EndOfStream,
    /// The peer reset the connection, or writing to it failed because it is gone.
    Reset,
    /// The peer has taken none of the bytes of the last write for [`Limits::answer`].
    WriteStalled,
    /// These of the bytes that were offered were not taken in time.
    Untaken(Bytes),
    /// Our side or the network failed, in one sentence.
    Trouble(String),
    /// Nothing but time passed.
    Tick,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Write these bytes, all of them, by a write of their own. Reading goes on meanwhile.
    Write(Bytes),
    /// Write as many of these bytes as the peer takes before this time. Reading goes on meanwhile.
    Offer(Bytes, Duration),
    /// Read what the peer sends, or leave it where it is.
    Read(bool),
    /// Nothing to do before this time, unless something happens.
    Wait(Duration),
    /// End our sending side.
    ShutdownWrite,
    /// Reset the connection.
    Abort,
    /// The case is over; drop the connection.
    Finish,
}

/// How often a connection that does nothing but ping was answered, and a new one with it: what a case that holds on waits
/// for. Counted by whoever plays the canary.
#[derive(Debug, Default)]
pub struct Pulse(AtomicU64);

impl Pulse {
    /// Both were answered once more.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How often so far.
    pub fn beats(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long to wait, and how much to take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For an answer; begins anew with every answer and with every bit of a message that comes.
    pub answer: Duration,
    /// For the peer's Close, and again for its end of TCP.
    pub close: Duration,
    /// For the opening handshake.
    pub opening: Duration,
    /// For the whole case.
    pub whole: Duration,
    /// How long the peer may be silent, where it has to fail the connection, before we ask with a ping whether
    /// it is still there.
    pub silence: Duration,
    /// Bytes the peer may send beyond what the case expects.
    pub excess_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(4),
            close: Duration::from_secs(2),
            opening: Duration::from_secs(5),
            whole: Duration::from_secs(60),
            silence: Duration::from_millis(300),
            excess_bytes: 4 << 20,
        }
    }
}
