//! The strict endpoint: the same events whatever the split, agreed with the checker, and never a wrong byte of its own.

use bytes::Bytes;
use wsgrade_codec::Kind;
use wsgrade_codec::check::{Item, Rule};
use wsgrade_codec::close::CloseFrame;
use wsgrade_codec::endpoint::{Config, Endpoint, Event, Failure, Limits};

use crate::decoder::checker::{first_broken, judge, negotiated};
use crate::plain::Frames;
use crate::plan::Input;
use crate::split::splits;

/// What the endpoint made of a stream.
#[derive(Debug, PartialEq, Eq)]
struct Played {
    events: Vec<Event>,
    sent: Vec<u8>,
}

/// What a peer said, as far as the endpoint and the checker use the same words.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Message(Kind, Bytes),
    Ping(Bytes),
    Pong(Bytes),
    Close(CloseFrame),
}

/// `items` is what the checker gives for the stream, `frames` what is in it.
pub(crate) fn holds(input: &Input, items: &[Item], frames: &Frames) {
    let expected = play(input, &[&input.wire], Drain::AtTheEnd);
    agrees_with_the_checker(input.deflate, &expected.events, items, frames);
    let own = judge(input.sender.peer(), negotiated(input), input.cap, &[&expected.sent]);
    assert_eq!(first_broken(&own), None, "the endpoint itself sent {:02x?}", expected.sent);
    for reads in splits(&input.wire) {
        for drain in [Drain::AtTheEnd, Drain::AfterEachRead] {
            assert_eq!(play(input, &reads, drain), expected, "the reads were {reads:02x?}");
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Drain {
    AtTheEnd,
    AfterEachRead,
}

fn play(input: &Input, reads: &[&[u8]], drain: Drain) -> Played {
    let limits = Limits {
        max_frame: input.cap,
        max_message: input.cap,
        max_inflated: input.cap,
        // Every frame of an input counts fewer bytes than it has.
        max_fragments: if input.is_small() { 8 } else { usize::MAX },
        ..Limits::default()
    };
    let config = Config { limits, deflate: negotiated(input).deflate, ..Config::new(input.sender.peer()) };
    let mut endpoint = Endpoint::new(config, || [1, 2, 3, 4]);
    let (mut events, mut sent) = (Vec::new(), Vec::new());
    for read in reads {
        endpoint.receive(read);
        events.extend(std::iter::from_fn(|| endpoint.poll_event()));
        if drain == Drain::AfterEachRead {
            endpoint.drain_into(&mut sent);
        }
    }
    endpoint.eof();
    events.extend(std::iter::from_fn(|| endpoint.poll_event()));
    endpoint.drain_into(&mut sent);
    assert!(matches!(events.last(), Some(Event::Closed { .. })), "the last event is that it is closed");
    assert!(endpoint.is_closed() && endpoint.should_end_tcp() && endpoint.pending() == 0);
    Played { events, sent }
}

/// The endpoint stops where the checker finds the first violation, and until then both heard the same.
pub(crate) fn agrees_with_the_checker(deflate: bool, events: &[Event], items: &[Item], frames: &Frames) {
    let mut heard = Vec::new();
    let mut failure = None;
    for event in events {
        match event {
            Event::Message(message) => heard.push(Said::Message(message.kind(), message.payload().clone())),
            Event::Ping(body) => heard.push(Said::Ping(body.clone())),
            Event::Pong(body) => heard.push(Said::Pong(body.clone())),
            Event::Close(frame) => heard.push(Said::Close(frame.clone())),
            Event::Failed { failure: found, code } => {
                assert_eq!(found.code(), *code);
                let line = found.to_string();
                assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
                failure = Some(found);
            }
            Event::Closed { clean } => {
                let closed = matches!(heard.last(), Some(Said::Close(_)));
                assert_eq!(*clean, closed && failure.is_none(), "clean is a Close and no failure");
            }
        }
    }
    let (judged, first) = until_the_first_violation(items);
    match failure {
        None => {
            assert_eq!(first, None, "a violation went unnoticed");
            assert_eq!(heard, judged);
        }
        Some(Failure::Violation(violation)) => {
            assert!(judged.starts_with(&heard), "{judged:?} was said, {heard:?} was heard");
            // The endpoint looks inside what is not complete, and inflates as it goes; the checker waits for the end
            // of a frame, or of a compressed message.
            let early = deflate && matches!(violation.rule, Rule::TextUtf8 | Rule::DeflateData);
            let complete = frames.open.is_none() && frames.rest.is_empty();
            // That a control frame has one of the longer forms is enough for the endpoint; the checker reads on, and
            // tells a frame that is too long from a length that is written too long.
            let form = violation.rule == Rule::ControlLength && first == Some(Rule::MinimalLength);
            if !early && !form && (complete || first.is_some()) {
                assert_eq!(Some(violation.rule), first, "{violation:?}");
                assert_eq!(heard, judged);
            }
        }
        Some(
            Failure::FrameTooBig { .. }
            | Failure::MessageTooBig { .. }
            | Failure::InflatedTooBig { .. }
            | Failure::TooManyFragments { .. },
        ) => assert!(judged.starts_with(&heard), "{judged:?} was said, {heard:?} was heard"),
    }
}

/// What was said before the first violation, or up to the Close, or until something was too big to be kept.
fn until_the_first_violation(items: &[Item]) -> (Vec<Said>, Option<Rule>) {
    let mut said = Vec::new();
    for item in items {
        match item {
            // A server that says 1010 is odd, and no reason to fail: "this status code is not used by the server".
            Item::Violation(violation) if violation.rule == Rule::CloseCodeRole => {}
            Item::Violation(violation) => return (said, Some(violation.rule)),
            Item::Message { kind, payload, compressed: _, fragments: _ } => {
                said.push(Said::Message(*kind, payload.clone()));
            }
            Item::Ping(body) => said.push(Said::Ping(body.clone())),
            Item::Pong(body) => said.push(Said::Pong(body.clone())),
            Item::Close { body: _, frame } => {
                said.extend(frame.clone().map(Said::Close));
                return (said, None);
            }
            Item::TooBig { .. } => return (said, None),
        }
    }
    (said, None)
}
