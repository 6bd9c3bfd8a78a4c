//! Messages that go there and come back, one at a time.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wsgrade_cases::model::Exchange;
use wsgrade_codec::wire::Header;
use wsgrade_codec::{Kind, deflate};
use wsgrade_reports::record::{RoundTrips, What};

use super::machine::{Engine, Flow, Phase};
use super::receive::Heard;
use super::send::{Outgoing, Sender};
use crate::streams::Stream;

/// The frames of so many round trips stay in the transcript; of the others only if something was wrong with them.
const SHOWN: u32 = 2;
/// How many bytes of frames may come back for each byte of a message, and how many besides: as one-byte fragments
/// they would be more, but then there are few.
const ECHO_FACTOR: u64 = 4;
const ECHO_EXCESS: u64 = 1024;

/// An exchange as it goes on.
#[derive(Debug)]
pub(super) struct Exchanging {
    kind: Kind,
    /// The messages as they go out, where they are compressed.
    stream: Option<Arc<Stream>>,
    /// How many there are to be.
    of: u32,
    /// The message whose echo is awaited.
    asked: Option<Asked>,
    /// Another answer came than the echo that was awaited.
    failed: bool,
    /// How long each round trip took, in microseconds: as many as there were right echoes.
    times: Vec<u32>,
    /// Payload bytes of these messages.
    bytes: u64,
    /// How many of these echoes came compressed.
    compressed: u32,
    /// What was sent and received before it began.
    before: (u64, u64),
}

#[derive(Debug)]
struct Asked {
    payload: Cow<'static, [u8]>,
    /// When its first byte was handed out.
    at: Duration,
    /// When everything was.
    written: Option<Duration>,
    /// What of this round trip is not in the transcript, in case that it has to be.
    untold: Option<Untold>,
}

/// A round trip that will be forgotten if all is well.
#[derive(Debug)]
struct Untold {
    /// What was sent: the headers of its frames, and their payloads one after another.
    headers: Vec<Header>,
    payload: Bytes,
    /// What came, and when.
    heard: Vec<(Duration, Heard)>,
}

impl Engine {
    /// Goes on with an exchange.
    pub(super) fn play_exchange(&mut self, now: Duration, exchange: &Exchange) -> Flow {
        self.sender.flush();
        if !self.sender.is_idle() {
            return Flow::Again;
        }
        let Some(going) = &mut self.exchange else { return self.begin_exchange(now, exchange) };
        match &mut going.asked {
            _ if going.failed => self.leave_exchange(now),
            Some(asked) => {
                let written = *asked.written.get_or_insert(now);
                let until = self.progress.max(written).saturating_add(self.limits.answer);
                if now < until {
                    return Flow::Wait(until);
                }
                let waited_for = format!("the echo of message {} of {}", going.times.len() + 1, going.of);
                self.tell_round_trip();
                self.log.push(What::TimedOut { waited_for });
                self.leave_exchange(now)
            }
            None if going.times.len() < going.of as usize => self.ask(now, exchange),
            None => {
                self.end_exchange();
                self.progress = now;
                self.next_step();
                Flow::Again
            }
        }
    }

    fn begin_exchange(&mut self, now: Duration, exchange: &Exchange) -> Flow {
        let stream = match (exchange.compressed, &self.negotiated.deflate) {
            (false, _) => None,
            (true, Some(params)) => Some(self.plan.streams().of(exchange, params, self.role.peer())),
            (true, None) => {
                self.tell(now, What::Declined { extension: deflate::NAME.to_owned() });
                return self.leave_exchange(now);
            }
        };
        self.exchange = Some(Exchanging {
            kind: exchange.kind,
            stream,
            of: exchange.messages,
            asked: None,
            failed: false,
            times: Vec::new(),
            bytes: 0,
            compressed: 0,
            before: (self.sender.queued_bytes(), self.received_bytes),
        });
        self.ask(now, exchange)
    }

    /// Sends the next message.
    fn ask(&mut self, now: Duration, exchange: &Exchange) -> Flow {
        let Some(going) = &mut self.exchange else { return Flow::Again };
        let k = u32::try_from(going.times.len()).unwrap_or(u32::MAX);
        let payload = exchange.message(k);
        let compressed = going.stream.as_ref().map(|stream| stream.message(exchange, k));
        self.bytes_allowed =
            self.bytes_allowed.saturating_add(payload.len() as u64 * ECHO_FACTOR + ECHO_EXCESS);
        self.frames_allowed = self.frames_allowed.saturating_add(payload.len() as u64 + 1);
        let outgoing = Outgoing {
            kind: exchange.kind,
            payload: compressed.as_deref().unwrap_or(&payload),
            compressed: compressed.is_some(),
            fragment: exchange.fragment,
        };
        let told = k < SHOWN;
        let headers = self.sender.message(&outgoing, told, self.log.step);
        self.receiver.keep(!told);
        let untold = (!told).then(|| Untold {
            headers,
            payload: compressed.unwrap_or_else(|| Bytes::copy_from_slice(&payload)),
            heard: Vec::new(),
        });
        going.asked = Some(Asked { payload, at: now, written: None, untold });
        Flow::Again
    }

    /// Looks at what came; gives back what is not settled by that.
    pub(super) fn hear_in_exchange(&mut self, now: Duration, heard: Heard) -> Option<Heard> {
        let Some(going) = &mut self.exchange else { return Some(heard) };
        match heard {
            Heard::Message { kind, ref payload, compressed, described: _ } => {
                let right = |asked: &mut Asked| kind == going.kind && *asked.payload == **payload;
                match going.asked.take_if(right) {
                    Some(asked) => {
                        let time = now.saturating_sub(asked.at).as_micros();
                        going.times.push(u32::try_from(time).unwrap_or(u32::MAX));
                        going.bytes += payload.len() as u64;
                        going.compressed += u32::from(compressed);
                        self.progress = now;
                        None
                    }
                    None => {
                        going.failed = true;
                        self.tell_round_trip();
                        Some(heard)
                    }
                }
            }
            Heard::Frame(frame, None) => match going.asked.as_mut().and_then(|asked| asked.untold.as_mut()) {
                Some(untold) => {
                    untold.heard.push((now, Heard::Frame(frame, None)));
                    None
                }
                None => Some(Heard::Frame(frame, None)),
            },
            Heard::Frame(_, Some(_)) | Heard::Other(_) => {
                // A message too long to be kept is told as a wait in vain, and is not the echo.
                going.failed |= matches!(heard, Heard::Other(What::TimedOut { .. }));
                self.tell_round_trip();
                Some(heard)
            }
        }
    }

    /// What is going on has to be in the transcript after all.
    fn tell_round_trip(&mut self) {
        let Some(asked) = self.exchange.as_mut().and_then(|going| going.asked.as_mut()) else { return };
        let at = asked.at;
        let Some(Untold { headers, payload, heard }) = asked.untold.take() else { return };
        self.receiver.keep(false);
        for what in Sender::tell_late(&headers, &payload) {
            self.log.push_late(at, what);
        }
        for (at, heard) in heard {
            self.log.push_late(at, heard.what());
        }
    }

    /// The exchange cannot go on, and nothing behind it can be played.
    fn leave_exchange(&mut self, now: Duration) -> Flow {
        self.end_exchange();
        self.log.step = None;
        self.progress = now;
        self.phase = Phase::Settling { since: now };
        Flow::Again
    }

    /// Writes down what came of the exchange, if there is one.
    pub(super) fn end_exchange(&mut self) {
        self.tell_round_trip();
        self.receiver.keep(false);
        let Some(going) = self.exchange.take() else { return };
        let messages = u32::try_from(going.times.len()).unwrap_or(u32::MAX);
        let what = What::Exchanged {
            messages,
            of: going.of,
            bytes: going.bytes,
            sent: self.sender.queued_bytes() - going.before.0,
            received: self.received_bytes - going.before.1,
            compressed: going.compressed,
            round_trips: round_trips(going.times),
        };
        self.tell(self.progress, what);
    }
}

/// What so many times, in microseconds, come to.
fn round_trips(mut times: Vec<u32>) -> Option<RoundTrips> {
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    Some(RoundTrips {
        min_us: times.first().copied()?.into(),
        median_us: at(50)?.into(),
        p99_us: at(99)?.into(),
        max_us: times.last().copied()?.into(),
        total_us: times.iter().copied().map(u64::from).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_times_come_to() {
        assert_eq!(round_trips(Vec::new()), None);
        let one = round_trips(vec![7]).unwrap();
        assert_eq!((one.min_us, one.median_us, one.p99_us, one.max_us, one.total_us), (7, 7, 7, 7, 7));
        let many = round_trips((1..=200).rev().collect()).unwrap();
        assert_eq!((many.min_us, many.median_us, many.p99_us, many.max_us), (1, 100, 198, 200));
        assert_eq!(many.total_us, 20_100);
    }
}
