//! What other people's codecs hear in the same bytes, and where they may differ from ours.

mod exceptions;
mod tokio;
mod tungstenite;

use bytes::Bytes;
use wsgrade_codec::Kind;
use wsgrade_codec::check::Rule;
use wsgrade_codec::close::CloseFrame;
use wsgrade_codec::endpoint::{Config, Endpoint, Event, Failure, Limits};

use crate::plain;
use crate::plan::Input;
use crate::split::splits;
pub use exceptions::{Exception, Excuse, TOKIO_WEBSOCKETS, TUNGSTENITE, They};

/// The largest frame and message, in each of the codecs.
const CAP: usize = 1 << 16;

/// What was said, in words that all of them have.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Message(Kind, Bytes),
    Ping(Bytes),
    Pong(Bytes),
    Close(CloseFrame),
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// A Close came, and is the last that was said.
    Closed,
    /// The bytes were over before.
    Open,
    /// The connection is failed; by the rule that was broken, where it says so.
    Failed(Option<Rule>),
}

/// All that a receiver made of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Heard {
    said: Vec<Said>,
    end: End,
}

/// `tungstenite` hears the same messages and control frames in the same bytes, and fails where our strict endpoint does, but
/// for the exceptions listed. The input is that of `decoder`, without permessage-deflate.
pub(crate) fn tungstenite(data: &[u8]) {
    excuse_of_tungstenite(data);
}

/// `tokio-websockets` likewise.
pub(crate) fn tokio_websockets(data: &[u8]) {
    excuse_of_tokio_websockets(data);
}

/// By what `tungstenite` is excused for this input, if it needs to be.
///
/// # Panics
///
/// If it differs from our endpoint and no exception says so.
pub fn excuse_of_tungstenite(data: &[u8]) -> Option<Excuse> {
    differs(data, tungstenite::hears, TUNGSTENITE)
}

/// By what `tokio-websockets` is excused for this input, if it needs to be.
///
/// # Panics
///
/// As [`excuse_of_tungstenite`].
pub fn excuse_of_tokio_websockets(data: &[u8]) -> Option<Excuse> {
    differs(data, tokio::hears, TOKIO_WEBSOCKETS)
}

fn differs(
    data: &[u8],
    hears: fn(&Input, &[&[u8]]) -> Heard,
    exceptions: &'static [Exception],
) -> Option<Excuse> {
    let input = Input::new(data)?;
    let ours = our_own(&input);
    let theirs = hears(&input, &[&input.wire]);
    let uneven = splits(&input.wire).last().expect("there are always some");
    assert_eq!(hears(&input, &uneven), theirs, "it depends on the reads, which were {uneven:02x?}");
    if is_alike(&ours, &theirs) {
        return None;
    }
    let frames = plain::read(&input.wire);
    let excuse = exceptions.iter().find_map(|exception| exception.excuses(&ours, &theirs, &frames));
    assert!(excuse.is_some(), "ours {ours:02x?}\ntheirs {theirs:02x?}\nof {:02x?}", input.wire);
    excuse
}

/// The rule is for the exceptions; that it fails is the verdict.
fn is_alike(ours: &Heard, theirs: &Heard) -> bool {
    let failed = |end: &End| matches!(end, End::Failed(_));
    ours.said == theirs.said && (ours.end == theirs.end || failed(&ours.end) && failed(&theirs.end))
}

fn our_own(input: &Input) -> Heard {
    let limits = Limits {
        max_frame: CAP,
        max_message: CAP,
        max_inflated: CAP,
        max_fragments: usize::MAX,
        ..Limits::default()
    };
    let config = Config { limits, ..Config::new(input.sender.peer()) };
    let mut endpoint = Endpoint::new(config, || [1, 2, 3, 4]);
    endpoint.receive(&input.wire);
    endpoint.eof();
    let mut heard = Heard { said: Vec::new(), end: End::Open };
    for event in std::iter::from_fn(|| endpoint.poll_event()) {
        match event {
            Event::Message(message) => heard.said.push(Said::Message(message.kind(), message.into_payload())),
            Event::Ping(body) => heard.said.push(Said::Ping(body)),
            Event::Pong(body) => heard.said.push(Said::Pong(body)),
            Event::Close(frame) => {
                heard.said.push(Said::Close(frame));
                heard.end = End::Closed;
            }
            Event::Failed { failure: Failure::Violation(violation), code: _ } => {
                heard.end = End::Failed(Some(violation.rule));
            }
            Event::Failed {
                failure:
                    Failure::FrameTooBig { .. }
                    | Failure::MessageTooBig { .. }
                    | Failure::InflatedTooBig { .. }
                    | Failure::TooManyFragments { .. },
                code: _,
            } => heard.end = End::Failed(None),
            Event::Closed { .. } => {}
        }
    }
    heard
}
