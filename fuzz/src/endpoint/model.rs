//! What an endpoint has to send, and what state it is in, after its documentation.

use bytes::Bytes;
use wsgrade_codec::Role;
use wsgrade_codec::check::Item;
use wsgrade_codec::close::{CloseCode, CloseFrame};
use wsgrade_codec::endpoint::{Config, Event, Message};

use crate::decoder::first_broken;

/// Told of every call and every event.
pub(super) struct Model {
    config: Config,
    /// What the checker has to find in the bytes sent.
    sent: Vec<Item>,
    /// The body of a Ping that is answered when the queue is shorter.
    late: Option<Bytes>,
    pub(super) sent_close: bool,
    pub(super) received_close: bool,
    failed: bool,
    pub(super) closed: bool,
    /// The peer ended its side of TCP.
    pub(super) eof: bool,
}

impl Model {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            sent: Vec::new(),
            late: None,
            sent_close: false,
            received_close: false,
            failed: false,
            closed: false,
            eof: false,
        }
    }

    /// "Whether messages can be sent: no Close was sent, nothing failed, nothing ended."
    pub(super) fn is_open(&self) -> bool {
        !self.sent_close && !self.failed && !self.closed
    }

    /// "The server MUST close the underlying TCP connection immediately; the client SHOULD wait for the server to close the
    /// connection" (RFC 6455 5.5.1).
    pub(super) fn should_end_tcp(&self, all_is_sent: bool) -> bool {
        let ours = self.failed || self.config.role == Role::Server;
        self.closed && (self.eof || all_is_sent && ours)
    }

    pub(super) fn message(&mut self, message: Message, size: Option<usize>) {
        let payload = message.payload().clone();
        let compressed = self.config.deflate.is_some() && payload.len() >= self.config.compress_from;
        // Into how many frames a compressed message is cut depends on how well it was compressed.
        let fragments = match size {
            Some(_) if compressed => 0,
            Some(size) => payload.len().div_ceil(size).max(1) as u64,
            None => 1,
        };
        self.sent.push(Item::Message { kind: message.kind(), payload, compressed, fragments });
    }

    pub(super) fn control(&mut self, body: &[u8], pong: bool) {
        let body = Bytes::copy_from_slice(body);
        self.sent.push(if pong { Item::Pong(body) } else { Item::Ping(body) });
    }

    pub(super) fn close(&mut self, code: Option<CloseCode>, reason: &str) {
        // A Ping that waits for its answer gets it before.
        self.sent.extend(self.late.take().map(Item::Pong));
        let frame = CloseFrame { code, reason: reason.to_owned() };
        let mut body = Vec::new();
        body.extend(code.into_iter().flat_map(|code| code.value().to_be_bytes()));
        body.extend_from_slice(reason.as_bytes());
        self.sent.push(Item::Close { body: body.into(), frame: Some(frame) });
        self.sent_close = true;
    }

    /// `waiting` bytes waited to be sent before the event, or before there was none.
    pub(super) fn heard(&mut self, event: Option<&Event>, waiting: usize) {
        match event {
            Some(Event::Ping(body)) => self.answer(body, waiting),
            Some(Event::Close(frame)) => {
                assert!(!self.received_close, "a second Close");
                if !self.sent_close {
                    self.close(frame.code, "");
                }
                self.received_close = true;
                self.closed = true;
            }
            Some(Event::Failed { failure: _, code }) => {
                if !self.sent_close {
                    self.close(Some(*code), "");
                }
                self.failed = true;
                self.closed = true;
            }
            Some(Event::Closed { clean }) => {
                assert!(self.closed || self.eof, "closed for no reason");
                assert_eq!(*clean, self.received_close && self.sent_close && !self.failed);
                self.closed = true;
            }
            Some(Event::Message(_) | Event::Pong(_)) | None => {}
        }
    }

    /// "an endpoint MUST send a Pong frame in response, unless it already received a Close frame" (RFC 6455 5.5.2), "MAY elect
    /// to send a Pong frame for only the most recently processed Ping frame" (5.5.3); and nothing follows our own Close.
    fn answer(&mut self, body: &Bytes, waiting: usize) {
        if self.sent_close {
            return;
        }
        if waiting > self.config.limits.max_queue_for_pongs {
            self.late = Some(body.clone());
        } else {
            self.sent.push(Item::Pong(body.clone()));
        }
    }

    /// Of `waiting` bytes, so many were sent.
    pub(super) fn drained(&mut self, waiting: usize, count: usize) {
        if waiting - count <= self.config.limits.max_queue_for_pongs {
            self.sent.extend(self.late.take().map(Item::Pong));
        }
    }

    /// Whether this is what was to be sent, no more and no less.
    pub(super) fn sent_just(&self, items: &[Item]) {
        assert_eq!(first_broken(items), None, "the endpoint itself broke it");
        let mut found = items.to_vec();
        found.retain(|item| !matches!(item, Item::Violation(_)));
        for (item, expected) in found.iter_mut().zip(&self.sent) {
            if let (Item::Message { fragments, .. }, Item::Message { fragments: 0, .. }) = (item, expected) {
                *fragments = 0;
            }
        }
        assert_eq!(found, self.sent, "what was sent is not what was to be sent");
    }
}
