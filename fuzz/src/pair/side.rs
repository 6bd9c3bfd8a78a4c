//! One of two endpoints, and what it said and heard.

use std::io::IoSlice;

use wsgrade_codec::Role;
use wsgrade_codec::check::Negotiated;
use wsgrade_codec::close::{CloseCode, CloseFrame};
use wsgrade_codec::deflate::Params;
use wsgrade_codec::endpoint::{Config, Endpoint, Event, Message};

use crate::decoder::{first_broken, judge};

/// Bodies of Pings begin with this byte, those of Pongs that nobody asked for do not.
const ASKED: u8 = b'?';
const UNASKED: u8 = b'!';

#[derive(Debug)]
pub(super) struct Side {
    role: Role,
    deflate: Option<Params>,
    endpoint: Endpoint,
    messages: Vec<Message>,
    pings: Vec<Vec<u8>>,
    pongs: Vec<Vec<u8>>,
    close: Option<CloseFrame>,
    /// The last Ping that it heard before it sent a Close.
    owed: Option<Vec<u8>>,
    events: Vec<Event>,
    /// Everything it wrote.
    wire: Vec<u8>,
    /// It ended TCP.
    ended: bool,
    /// It ended TCP before it heard that the other did.
    ended_unasked: bool,
    /// It heard that the other ended TCP.
    heard_end: bool,
}

impl Side {
    pub(super) fn new(role: Role, deflate: Option<Params>) -> Self {
        let mut key = 0_u32;
        let keys = move || {
            key = key.wrapping_mul(0x9e37_79b1).wrapping_add(1);
            key.to_be_bytes()
        };
        let config = Config { deflate, compress_from: 10, ..Config::new(role) };
        Self {
            role,
            deflate,
            endpoint: Endpoint::new(config, keys),
            messages: Vec::new(),
            pings: Vec::new(),
            pongs: Vec::new(),
            close: None,
            owed: None,
            events: Vec::new(),
            wire: Vec::new(),
            ended: false,
            ended_unasked: false,
            heard_end: false,
        }
    }

    pub(super) fn send(&mut self, message: Message, size: Option<usize>) {
        // A payload that nobody else holds is masked where it lies.
        let own = Message::new(message.kind(), message.payload().to_vec()).expect("a message again");
        let sent = match size {
            None => self.endpoint.send(own),
            Some(size) => self.endpoint.send_fragmented(own, size),
        };
        if sent.is_ok() {
            self.messages.push(message);
        }
    }

    pub(super) fn ping(&mut self, body: u8) {
        let body = vec![ASKED, body, self.pings.len() as u8];
        if self.endpoint.ping(&body).is_ok() {
            self.pings.push(body);
        }
    }

    pub(super) fn pong(&mut self, body: u8) {
        let body = vec![UNASKED, body];
        if self.endpoint.pong(&body).is_ok() {
            self.pongs.push(body);
        }
    }

    pub(super) fn close(&mut self, code: Option<CloseCode>, reason: &str) {
        let open = self.endpoint.is_open();
        let closed = self.endpoint.close(code, reason);
        assert_eq!(closed.is_ok(), open);
        if open {
            self.close = Some(CloseFrame { code, reason: reason.to_owned() });
        }
    }

    /// At most so many bytes of what waits, in at most three slices; `None` if nothing does.
    pub(super) fn writes(&mut self, most: usize) -> Option<Vec<u8>> {
        if self.ended || self.endpoint.pending() == 0 {
            return None;
        }
        let mut slices = [IoSlice::new(&[]); 3];
        let filled = self.endpoint.io_slices(&mut slices);
        let mut bytes: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
        bytes.truncate(most);
        assert!(!bytes.is_empty(), "there are pending bytes, and none to write");
        self.endpoint.advance(bytes.len());
        self.wire.extend_from_slice(&bytes);
        Some(bytes)
    }

    /// Whether it ends TCP now.
    pub(super) fn ends_tcp(&mut self) -> bool {
        let now = !self.ended && self.endpoint.should_end_tcp();
        self.ended |= now;
        self.ended_unasked |= now && !self.heard_end;
        now
    }

    pub(super) fn receives(&mut self, bytes: &[u8]) {
        self.endpoint.read_buffer().extend_from_slice(bytes);
        self.polls();
    }

    pub(super) fn hears_the_end(&mut self) {
        if !self.heard_end {
            self.heard_end = true;
            self.endpoint.eof();
            self.polls();
        }
    }

    fn polls(&mut self) {
        while let Some(event) = self.endpoint.poll_event() {
            match &event {
                Event::Ping(body) if !self.endpoint.sent_close() => self.owed = Some(body.to_vec()),
                Event::Ping(_)
                | Event::Message(_)
                | Event::Pong(_)
                | Event::Close(_)
                | Event::Failed { .. }
                | Event::Closed { .. } => {}
            }
            self.events.push(event);
        }
    }

    /// Both sides of TCP have ended, as far as it knows.
    pub(super) fn is_over(&self) -> bool {
        self.heard_end && (self.ended || self.endpoint.should_end_tcp())
    }

    pub(super) fn ended_first(&self, other: &Self) -> bool {
        self.ended_unasked && !other.ended_unasked
    }

    /// What it heard is what the other said: all of it, if the connection was whole to its end.
    pub(super) fn heard(&self, other: &Self, whole: bool) {
        let (mut messages, mut pings, mut answers, mut pongs) = (vec![], vec![], vec![], vec![]);
        let (mut closes, mut cleans) = (vec![], vec![]);
        for event in &self.events {
            match event {
                Event::Message(message) => messages.push(message.clone()),
                Event::Ping(body) => pings.push(body.to_vec()),
                Event::Pong(body) if body.first() == Some(&ASKED) => answers.push(body.to_vec()),
                Event::Pong(body) => pongs.push(body.to_vec()),
                Event::Close(frame) => closes.push(frame.clone()),
                Event::Failed { failure, code: _ } => panic!("the {} failed: {failure}", self.role),
                Event::Closed { clean } => cleans.push(*clean),
            }
        }
        let role = other.role;
        assert!(other.messages.starts_with(&messages), "messages of the {role}");
        assert!(other.pings.starts_with(&pings) && other.pongs.starts_with(&pongs), "controls of the {role}");
        let mut asked = self.pings.iter();
        assert!(answers.iter().all(|answer| asked.any(|ping| ping == answer)), "answers of the {role}");
        assert_eq!(cleans.len(), 1, "it is closed once");
        let clean = closes.len() == 1 && self.endpoint.sent_close();
        assert_eq!(cleans[0], clean);
        if whole {
            assert!(clean, "the {} saw no clean end", self.role);
            assert_eq!((messages.len(), pings.len()), (other.messages.len(), other.pings.len()));
            assert_eq!(pongs.len(), other.pongs.len());
            // "When sending a Close frame in response, the endpoint typically echos the status code it received." (5.5.1)
            let echoed =
                self.close.as_ref().map(|frame| CloseFrame { code: frame.code, ..CloseFrame::default() });
            assert_eq!(Some(&closes[0]), other.close.as_ref().or(echoed.as_ref()));
            assert_eq!(answers.last(), other.owed.as_ref(), "the last Ping is answered");
        }
        let negotiated = Negotiated { deflate: self.deflate };
        let items = judge(self.role, negotiated, 8 << 20, &[&self.wire]);
        assert_eq!(first_broken(&items), None, "the {} itself broke it", self.role);
    }
}
