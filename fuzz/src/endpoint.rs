//! The strict endpoint, driven by any operations in any order.

mod model;
mod traffic;

use std::io::IoSlice;

use wsgrade_codec::check::Negotiated;
use wsgrade_codec::close::{CloseCode, UnsendableClose};
use wsgrade_codec::deflate::Params;
use wsgrade_codec::endpoint::{Config, Endpoint, Event, Limits, Message, SendError};
use wsgrade_codec::{Kind, Role};

use crate::decoder::{agrees_with_the_checker, judge};
use crate::deflate;
use crate::plain;
use crate::tape::Tape;
use model::Model;
use traffic::Traffic;

/// The largest message where limits are low.
const SMALL_CAP: usize = 300;

/// The largest message that the checker keeps, above all that the endpoint takes.
const KEPT: usize = 4 << 20;

/// The first three bytes say how the endpoint is set up, the rest is operations, each a byte and what it needs:
///
/// | byte | |
/// |---|---|
/// | 0 | bit 0: it is a client; 1: permessage-deflate; 2: low limits; 3: few bytes queued before only the latest Ping is answered; 4: short messages are compressed too |
/// | 1 | the windows of server and client, where deflate was agreed upon |
/// | 2 | bits 0, 1: who takes no context over; bits 2 to 5: the level; bit 6: reads go through `read_buffer`; bit 7: what is heard is copied, and nothing held of the buffer |
///
/// Whatever is sent, received, polled and drained in which order:
///
/// - a call is refused for the reason its documentation names and for no other, and what it says of its state is what
///   happened;
/// - the bytes it sends are, to the checker, lawful, and just the messages and control frames that were asked for, with the
///   answers due in their places;
/// - the events are what the checker finds in the bytes received, up to the first violation;
/// - what waits to be sent is the same whichever way it is looked at.
pub(crate) fn endpoint(data: &[u8]) {
    let mut tape = Tape::new(data);
    let (flags, windows, more) = (tape.byte(), tape.byte(), tape.byte());
    let role = if flags & 1 == 0 { Role::Server } else { Role::Client };
    let deflate = (flags & 2 != 0).then(|| deflate::params(more, windows));
    let config = Config {
        limits: limits(flags),
        deflate,
        compress_from: if flags & 16 == 0 { 64 } else { 0 },
        compression_level: u32::from(more >> 2 & 15),
        read_chunk: 64,
        ..Config::new(role)
    };
    let mut key = 0_u32;
    let keys = move || {
        key = key.wrapping_mul(0x9e37_79b1).wrapping_add(1);
        key.to_be_bytes()
    };
    let endpoint = Endpoint::new(config, keys);
    assert_eq!(*endpoint.config(), config);
    let mut run = Run {
        model: Model::new(config),
        traffic: Traffic::new(role.peer(), deflate),
        endpoint,
        through_buffer: more & 64 != 0,
        copies: more & 128 != 0,
        received: Vec::new(),
        events: Vec::new(),
        sent: Vec::new(),
    };
    while !tape.is_over() {
        run.operate(&mut tape);
        run.state_is_known();
    }
    run.ends();
}

fn limits(flags: u8) -> Limits {
    let low = flags & 4 != 0;
    let most = if low { SMALL_CAP } else { 1 << 20 };
    Limits {
        max_frame: most,
        max_message: most,
        max_inflated: most,
        max_fragments: if low { 8 } else { usize::MAX },
        max_queue_for_pongs: if flags & 8 == 0 { 64 << 10 } else { 40 },
    }
}

struct Run {
    endpoint: Endpoint,
    model: Model,
    traffic: Traffic,
    through_buffer: bool,
    copies: bool,
    /// Everything that came before the end of the peer's TCP.
    received: Vec<u8>,
    events: Vec<Event>,
    /// Everything that was drained.
    sent: Vec<u8>,
}

impl Run {
    fn operate(&mut self, tape: &mut Tape<'_>) {
        let operation = tape.byte();
        let (high, low) = (operation >> 4, operation & 15);
        match low {
            0 => self.send(Message::text(tape.text()), None),
            1 => self.send(Message::binary(tape.block()), None),
            2 => {
                let kind = if high & 1 == 0 { Kind::Binary } else { Kind::Text };
                let Ok(message) = Message::new(kind, tape.block()) else { return };
                let size = if high & 2 == 0 { tape.size(message.payload().len()) } else { 0 };
                self.send(message, Some(size));
            }
            3 => self.ping_or_pong(&tape.block(), false),
            4 => self.ping_or_pong(&tape.block(), true),
            5 => self.close(tape),
            6 => {
                let bytes = tape.long();
                self.receive(bytes, 1 << high);
            }
            7..=10 => {
                let bytes = self.traffic.write(low - 7, high, tape);
                self.receive(&bytes, usize::MAX);
            }
            11 => self.drain_all(),
            12 => self.drain_some(usize::from(high) + 1, usize::from(tape.number())),
            13 => {
                self.poll();
            }
            14 => while self.poll() {},
            _ => {
                self.endpoint.eof();
                self.model.eof = true;
            }
        }
    }

    fn send(&mut self, message: Message, size: Option<usize>) {
        let result = match size {
            None => self.endpoint.send(message.clone()),
            Some(size) => self.endpoint.send_fragmented(message.clone(), size),
        };
        let expected = match size {
            _ if !self.model.is_open() => Err(SendError::Closing),
            Some(0) => Err(SendError::EmptyFragments),
            Some(_) | None => Ok(()),
        };
        assert_eq!(result, expected);
        if result.is_ok() {
            self.model.message(message, size);
        }
    }

    fn ping_or_pong(&mut self, body: &[u8], pong: bool) {
        let result = if pong { self.endpoint.pong(body) } else { self.endpoint.ping(body) };
        let expected = if !self.model.is_open() {
            Err(SendError::Closing)
        } else if body.len() > 125 {
            Err(SendError::ControlTooLong { len: body.len() })
        } else {
            Ok(())
        };
        assert_eq!(result, expected);
        if result.is_ok() {
            self.model.control(body, pong);
        }
    }

    fn close(&mut self, tape: &mut Tape<'_>) {
        let code = Some(CloseCode::new(tape.number())).filter(|code| code.value() != 0);
        let reason = tape.text();
        let result = self.endpoint.close(code, &reason);
        let expected = match code {
            _ if !self.model.is_open() => Err(SendError::Closing),
            Some(code) if !code.is_valid_on_wire() => Err(SendError::CloseCode(code)),
            _ if reason.len() > 123 => Err(UnsendableClose::ReasonTooLong { len: reason.len() }.into()),
            None if !reason.is_empty() => Err(UnsendableClose::ReasonWithoutCode.into()),
            Some(_) | None => Ok(()),
        };
        assert_eq!(result, expected);
        if result.is_ok() {
            self.model.close(code, &reason);
        }
    }

    fn receive(&mut self, bytes: &[u8], size: usize) {
        if self.model.eof {
            return;
        }
        self.received.extend_from_slice(bytes);
        for piece in bytes.chunks(size) {
            if self.through_buffer {
                self.endpoint.read_buffer().extend_from_slice(piece);
            } else {
                self.endpoint.receive(piece);
            }
            // What is received in pieces is looked at in pieces.
            if size < bytes.len() {
                while self.poll() {}
            }
        }
    }

    /// Whether there was an event.
    fn poll(&mut self) -> bool {
        let waiting = self.endpoint.pending();
        let event = self.endpoint.poll_event();
        self.model.heard(event.as_ref(), waiting);
        let some = event.is_some();
        self.events.extend(event.map(|event| if self.copies { copy(event) } else { event }));
        some
    }

    fn drain_all(&mut self) {
        let before = self.sent.len();
        let waiting = self.endpoint.pending();
        self.endpoint.drain_into(&mut self.sent);
        self.model.drained(waiting, waiting);
        assert_eq!(self.endpoint.pending(), 0);
        assert!(self.sent.len() - before >= waiting, "what waited was sent");
    }

    /// As a vectored write of `slices` slices would that takes at most `most` bytes.
    fn drain_some(&mut self, slices: usize, most: usize) {
        let waiting = self.endpoint.pending();
        let mut filled = vec![IoSlice::new(&[]); slices];
        let count = self.endpoint.io_slices(&mut filled);
        assert!(filled[..count].iter().all(|slice| !slice.is_empty()), "an empty slice");
        let mut bytes: Vec<u8> = filled[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        assert!(bytes.len() <= waiting && (count == slices || bytes.len() == waiting), "all that waits");
        bytes.truncate(most);
        self.endpoint.advance(bytes.len());
        self.model.drained(waiting, bytes.len());
        self.sent.extend(bytes);
    }

    fn state_is_known(&self) {
        let Self { endpoint, model, .. } = self;
        assert_eq!(endpoint.is_open(), model.is_open());
        assert_eq!(endpoint.is_closed(), model.closed);
        assert_eq!(endpoint.sent_close(), model.sent_close);
        assert_eq!(endpoint.received_close(), model.received_close);
        assert_eq!(endpoint.should_end_tcp(), model.should_end_tcp(endpoint.pending() == 0));
    }

    fn ends(mut self) {
        let Config { role, deflate, .. } = *self.endpoint.config();
        while self.poll() {}
        self.endpoint.eof();
        self.model.eof = true;
        while self.poll() {}
        self.drain_all();
        self.state_is_known();
        assert!(
            matches!(self.events.last(), Some(Event::Closed { .. })),
            "the last event is that it is closed"
        );
        assert!(self.endpoint.is_closed() && self.endpoint.should_end_tcp());
        let debug = format!("{:?}", self.endpoint);
        assert!(debug.contains("pending: 0") && debug.contains("closed: true"), "{debug}");

        let sent = judged(role, deflate, &self.sent);
        self.model.sent_just(&sent);
        let received = judged(role.peer(), deflate, &self.received);
        let frames = plain::read(&self.received);
        agrees_with_the_checker(deflate.is_some(), &self.events, &received, &frames);
    }
}

/// The same in memory of its own.
fn copy(event: Event) -> Event {
    match event {
        Event::Message(message) => {
            let own = message.payload().to_vec();
            Event::Message(Message::new(message.kind(), own).expect("a message again"))
        }
        Event::Ping(body) => Event::Ping(body.to_vec().into()),
        Event::Pong(body) => Event::Pong(body.to_vec().into()),
        other @ (Event::Close(_) | Event::Failed { .. } | Event::Closed { .. }) => other,
    }
}

fn judged(sender: Role, deflate: Option<Params>, wire: &[u8]) -> Vec<wsgrade_codec::check::Item> {
    judge(sender, Negotiated { deflate }, KEPT, &[wire])
}
