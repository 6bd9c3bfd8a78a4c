//! An endpoint in memory and in virtual time: what the fuzzer's own laws and the proof of the catalogue are played against.

use std::time::Duration;

use bytes::Bytes;
use wsgrade_reports::record::Transcript;

use crate::engine::{Action, Engine, Input};

/// How long a write takes to arrive.
const LATENCY: Duration = Duration::from_micros(10);
/// As a socket does it: what is read at once has a bound.
const READ_BYTES: usize = 64 << 10;
/// More actions than any case has. An engine that needs more never ends.
const ACTIONS: usize = 10_000_000;

/// The endpoint under test, as a function of what it is given.
pub trait Endpoint {
    /// It reads these bytes.
    fn receive(&mut self, bytes: &[u8]);

    /// We have ended our side of TCP, or both.
    fn end_of_stream(&mut self);

    /// What it does next; `None` until something more happens.
    fn poll(&mut self) -> Option<Said>;
}

/// Something that an endpoint does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It writes these bytes.
    Bytes(Bytes),
    /// It ends its side of TCP.
    EndOfStream,
    /// It resets TCP.
    Reset,
}

impl From<Said> for Input {
    fn from(said: Said) -> Self {
        match said {
            Said::Bytes(bytes) => Self::Received(bytes),
            Said::EndOfStream => Self::EndOfStream,
            Said::Reset => Self::Reset,
        }
    }
}

/// Plays an engine's case against an endpoint, to which it is connected already. What is offered is taken, and an
/// endpoint that is not read from keeps what it has to say.
///
/// # Panics
///
/// If the engine waits for a time that has passed, or never ends: faults of ours.
pub fn play(mut engine: Engine, endpoint: &mut impl Endpoint) -> Transcript {
    let mut now = Duration::ZERO;
    let mut reading = true;
    for _ in 0..ACTIONS {
        match engine.poll(now) {
            Action::Write(bytes) | Action::Offer(bytes, _) => {
                bytes.chunks(READ_BYTES).for_each(|read| endpoint.receive(read));
            }
            Action::Read(on) => reading = on,
            Action::Wait(until) => match reading.then(|| endpoint.poll()).flatten() {
                Some(said) => {
                    now += LATENCY;
                    engine.handle(now, said.into());
                }
                None => {
                    assert!(until > now, "waits for what has passed: {until:?} at {now:?}");
                    now = until;
                    engine.handle(now, Input::Tick);
                }
            },
            Action::ShutdownWrite => endpoint.end_of_stream(),
            Action::Abort | Action::Finish => {
                endpoint.end_of_stream();
                return engine.into_transcript();
            }
        }
    }
    panic!("the case never ends");
}
