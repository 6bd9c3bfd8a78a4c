//! What the caller sees.

use std::collections::VecDeque;
use std::fmt;
use std::io::IoSlice;

use bytes::{Bytes, BytesMut};

use super::output::Output;
use super::receive::Receiver;
use super::{Config, Event, Failure, Message, SendError};
use crate::Role;
use crate::close::{CloseCode, CloseFrame};
use crate::deflate::Compressor;
use crate::wire::{Opcode, Rsv};

/// The first byte of an unfragmented frame of this opcode.
const fn first_byte(fin: bool, rsv: Rsv, opcode: Opcode) -> u8 {
    (fin as u8) << 7 | rsv.value() << 4 | opcode.value()
}

/// One end of an open WebSocket connection, without the connection.
///
/// # Order of calls
///
/// 1. Bytes from the peer: put them at the end of [`read_buffer`](Self::read_buffer), or copy them in with
///    [`receive`](Self::receive). When the peer has ended its side of TCP, call [`eof`](Self::eof).
/// 2. Call [`poll_event`](Self::poll_event) until it gives `None`. Its answer may change after 1., and only then.
/// 3. Between events call [`send`](Self::send), [`ping`](Self::ping), [`close`](Self::close) at will.
/// 4. While [`pending`](Self::pending) is not 0: [`io_slices`](Self::io_slices), write, [`advance`](Self::advance).
///    2. and 3. add to it. Nothing in here limits how much is queued: stop reading while `pending` is large.
/// 5. When [`should_end_tcp`](Self::should_end_tcp) says so, end TCP.
///
/// # What it does by itself
///
/// Pings are answered; a Close is answered with the same code; a violation, or a message beyond the limits, is answered
/// with a Close frame. UTF-8 is judged while a frame arrives, so a bad byte fails the connection before the frame is
/// complete. Memory is taken for bytes that came, not for lengths that were declared.
pub struct Endpoint {
    config: Config,
    keys: Box<dyn FnMut() -> [u8; 4] + Send>,
    receiver: Receiver,
    output: Output,
    compressor: Option<Compressor>,
    /// A Ping not answered because the queue was long.
    late_pong: Option<Bytes>,
    /// Events which came to be at once with another; while there are any, `is_deaf`.
    events: VecDeque<Event>,
    sent_close: bool,
    received_close: bool,
    failed: bool,
    eof: bool,
    /// Whether `Closed` was given, or waits in `events`.
    closed: bool,
}

impl Endpoint {
    /// An endpoint of a connection whose opening handshake is done.
    ///
    /// `keys` gives a masking key for each frame of a client: "the masking key MUST be derived from a strong source of
    /// entropy" (RFC 6455, 5.3). A server never calls it.
    #[must_use]
    pub fn new(config: Config, keys: impl FnMut() -> [u8; 4] + Send + 'static) -> Self {
        let compressor = config
            .deflate
            .map(|params| Compressor::with_level(&params, config.role, config.compression_level));
        Self {
            config,
            keys: Box::new(keys),
            receiver: Receiver::new(&config),
            output: Output::default(),
            compressor,
            late_pong: None,
            events: VecDeque::new(),
            sent_close: false,
            received_close: false,
            failed: false,
            eof: false,
            closed: false,
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    // --- bytes in

    /// The buffer to read from the socket into, with room for about [`read_chunk`](Config::read_chunk) bytes. Only append
    /// to it: what is there belongs to the endpoint.
    #[inline]
    pub fn read_buffer(&mut self) -> &mut BytesMut {
        self.receiver.read_buffer(self.config.read_chunk)
    }

    /// Takes bytes from the peer by copying them.
    #[inline]
    pub fn receive(&mut self, bytes: &[u8]) {
        self.receiver.receive(bytes);
    }

    /// The peer has ended its side of TCP; nothing more comes. What came before can still be polled.
    pub fn eof(&mut self) {
        self.eof = true;
    }

    // --- events out

    /// The next event, in the order in which things happened; `None` if more bytes are needed, and for ever after
    /// [`Event::Closed`].
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event> {
        if !self.is_deaf() {
            let event = self.receiver.whole_message();
            if event.is_some() {
                return event;
            }
        }
        self.poll_slowly()
    }

    fn poll_slowly(&mut self) -> Option<Event> {
        if !self.events.is_empty() {
            return self.events.pop_front();
        }
        if self.is_deaf() {
            // "a peer discards any further data received" (RFC 6455, 1.4)
            self.receiver.discard();
        } else {
            match self.receiver.next() {
                Ok(None) => {}
                Ok(Some(event)) => return Some(self.handle(event)),
                Err(failure) => return Some(self.fail(failure)),
            }
        }
        if self.eof && !self.closed {
            // "_The WebSocket Connection Close Code_ is considered to be 1006" (RFC 6455, 7.1.5) when no Close came.
            self.closed = true;
            return Some(Event::Closed { clean: self.received_close && self.sent_close && !self.failed });
        }
        None
    }

    /// Whether what the peer sends is not looked at any more.
    fn is_deaf(&self) -> bool {
        self.received_close || self.failed
    }

    fn handle(&mut self, event: Event) -> Event {
        match &event {
            Event::Ping(body) => self.answer_ping(body.clone()),
            Event::Close(frame) => self.answer_close(frame),
            Event::Message(_) | Event::Pong(_) | Event::Failed { .. } | Event::Closed { .. } => {}
        }
        event
    }

    fn answer_ping(&mut self, body: Bytes) {
        // "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it already received a
        // Close frame." (RFC 6455, 5.5.2) After our own Close we send nothing: "After sending a control frame
        // indicating the connection should be closed, a peer does not send any further data" (1.4).
        if self.sent_close {
            return;
        }
        // "If an endpoint receives a Ping frame and has not yet sent Pong frame(s) in response to previous Ping
        // frame(s), the endpoint MAY elect to send a Pong frame for only the most recently processed Ping frame."
        // (RFC 6455, 5.5.3)
        if self.output.pending() > self.config.limits.max_queue_for_pongs {
            self.late_pong = Some(body);
        } else {
            self.control(Opcode::PONG, &body);
        }
    }

    fn answer_close(&mut self, frame: &CloseFrame) {
        self.received_close = true;
        // "If an endpoint receives a Close frame and did not previously send a Close frame, the endpoint MUST send a
        // Close frame in response.  (When sending a Close frame in response, the endpoint typically echos the status
        // code it received.)" (RFC 6455, 5.5.1)
        if !self.sent_close {
            let body = frame.code.map(|code| code.value().to_be_bytes());
            self.send_close(body.as_ref().map_or(&[], |body| &body[..]));
        }
        self.finish(true);
    }

    /// "To do so, the client MUST _Close the WebSocket Connection_ [...] the endpoint SHOULD send a Close frame with an
    /// appropriate status code (Section 7.4) before proceeding" (RFC 6455, 7.1.7)
    #[cold]
    fn fail(&mut self, failure: Failure) -> Event {
        let code = failure.code();
        self.failed = true;
        if !self.sent_close {
            self.send_close(&code.value().to_be_bytes());
        }
        self.finish(false);
        // "An endpoint MUST NOT continue to attempt to process data (including a responding Close frame) from the remote
        // endpoint after being instructed to _Fail the WebSocket Connection_." (RFC 6455, 7.1.7)
        self.receiver.discard();
        Event::Failed { failure, code }
    }

    fn finish(&mut self, clean: bool) {
        if !self.closed {
            self.closed = true;
            self.events.push_back(Event::Closed { clean });
        }
    }

    // --- what to send

    /// Queues a message, compressed if that was agreed upon and it is long enough.
    ///
    /// # Errors
    ///
    /// [`SendError::Closing`] after a Close frame was sent or the connection failed: "The application MUST NOT send any
    /// more data frames after sending a Close frame." (RFC 6455, 5.5.1)
    #[inline]
    pub fn send(&mut self, message: Message) -> Result<(), SendError> {
        self.check_open()?;
        let opcode = Opcode::of(message.kind());
        let (payload, rsv) = self.compressed(message.into_payload());
        let key = self.key();
        self.output.frame(first_byte(true, rsv, opcode), key, payload);
        Ok(())
    }

    /// Queues a message in frames of at most `size` bytes.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`SendError::EmptyFragments`] if `size` is 0.
    pub fn send_fragmented(&mut self, message: Message, size: usize) -> Result<(), SendError> {
        self.check_open()?;
        if size == 0 {
            return Err(SendError::EmptyFragments);
        }
        let mut opcode = Opcode::of(message.kind());
        let (mut payload, mut rsv) = self.compressed(message.into_payload());
        loop {
            let piece = payload.split_to(size.min(payload.len()));
            let key = self.key();
            self.output.frame(first_byte(payload.is_empty(), rsv, opcode), key, piece);
            if payload.is_empty() {
                return Ok(());
            }
            // "followed by zero or more frames with the FIN bit clear and the opcode set to 0" (RFC 6455, 5.4);
            // "An endpoint MUST NOT set the "Per-Message Compressed" bit of [...] non-first fragments" (RFC 7692, 6.1)
            opcode = Opcode::CONTINUATION;
            rsv = Rsv::NONE;
        }
    }

    /// Queues a Ping.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`SendError::ControlTooLong`] for more than 125 bytes.
    pub fn ping(&mut self, body: &[u8]) -> Result<(), SendError> {
        self.check_control(body)?;
        self.control(Opcode::PING, body);
        Ok(())
    }

    /// Queues a Pong nobody asked for. Pings are answered without it.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    pub fn pong(&mut self, body: &[u8]) -> Result<(), SendError> {
        self.check_control(body)?;
        self.control(Opcode::PONG, body);
        Ok(())
    }

    /// Begins the closing handshake: queues a Close frame. Messages which the peer sends before its own Close are still
    /// delivered.
    ///
    /// # Errors
    ///
    /// [`SendError::Closing`] if one was sent before, [`SendError::CloseCode`] for a code that must not be sent, and
    /// [`SendError::Close`] for a reason that does not fit.
    pub fn close(&mut self, code: Option<CloseCode>, reason: &str) -> Result<(), SendError> {
        self.check_open()?;
        if let Some(code) = code
            && !code.is_valid_on_wire()
        {
            return Err(SendError::CloseCode(code));
        }
        let body = CloseFrame { code, reason: reason.to_owned() }.encode()?;
        self.send_close(&body);
        Ok(())
    }

    fn check_open(&self) -> Result<(), SendError> {
        if self.sent_close || self.failed || self.closed { Err(SendError::Closing) } else { Ok(()) }
    }

    fn check_control(&self, body: &[u8]) -> Result<(), SendError> {
        self.check_open()?;
        // "All control frames MUST have a payload length of 125 bytes or less" (RFC 6455, 5.5)
        if body.len() > 125 { Err(SendError::ControlTooLong { len: body.len() }) } else { Ok(()) }
    }

    #[inline]
    fn compressed(&mut self, payload: Bytes) -> (Bytes, Rsv) {
        match &mut self.compressor {
            Some(compressor) if payload.len() >= self.config.compress_from => {
                (compressor.message(&payload).into(), Rsv::RSV1)
            }
            Some(_) | None => (payload, Rsv::NONE),
        }
    }

    /// "the client MUST pick a fresh masking key from the set of allowed 32-bit values" (RFC 6455, 5.3) for each frame;
    /// "A server MUST NOT mask any frames that it sends to the client." (5.1)
    #[inline]
    fn key(&mut self) -> Option<[u8; 4]> {
        match self.config.role {
            Role::Server => None,
            Role::Client => Some((self.keys)()),
        }
    }

    fn control(&mut self, opcode: Opcode, body: &[u8]) {
        let key = self.key();
        self.output.small(first_byte(true, Rsv::NONE, opcode), key, body);
    }

    fn send_close(&mut self, body: &[u8]) {
        self.send_late_pong();
        self.sent_close = true;
        self.control(Opcode::CLOSE, body);
    }

    fn send_late_pong(&mut self) {
        if let Some(body) = self.late_pong.take() {
            self.control(Opcode::PONG, &body);
        }
    }

    // --- bytes out

    /// How many bytes wait to be sent.
    #[must_use]
    #[inline]
    pub fn pending(&self) -> usize {
        self.output.pending()
    }

    /// Fills `slices` with the bytes to send next, for a vectored write; gives how many slices were filled. Say with
    /// [`advance`](Self::advance) how many bytes were written.
    #[inline]
    pub fn io_slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.output.io_slices(slices)
    }

    /// The first `count` of the pending bytes were sent.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        self.output.advance(count);
        if self.late_pong.is_some() && self.output.pending() <= self.config.limits.max_queue_for_pongs {
            self.send_late_pong();
        }
    }

    /// Appends all pending bytes to `wire` and counts them as sent.
    pub fn drain_into(&mut self, wire: &mut Vec<u8>) {
        while self.pending() > 0 {
            let count = self.pending();
            self.output.for_each_slice(|slice| {
                wire.extend_from_slice(slice);
                true
            });
            self.advance(count);
        }
    }

    // --- state

    /// Whether messages can be sent: no Close was sent, nothing failed, nothing ended.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.check_open().is_ok()
    }

    /// Whether [`Event::Closed`] was given or is about to be: the WebSocket connection is over, one way or another.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the peer's Close frame was seen.
    #[must_use]
    pub fn received_close(&self) -> bool {
        self.received_close
    }

    /// Whether our Close frame was queued.
    #[must_use]
    pub fn sent_close(&self) -> bool {
        self.sent_close
    }

    /// Whether it is time to end TCP, from our side.
    ///
    /// "The server MUST close the underlying TCP connection immediately; the client SHOULD wait for the server to close
    /// the connection but MAY close the connection at any time after sending and receiving a Close message"
    /// (RFC 6455, 5.5.1). So after a clean closing handshake a server says yes once all is sent, and a client when the
    /// peer has ended its side; how long to wait for that is the caller's business. After a failure both say yes once
    /// all is sent.
    #[must_use]
    pub fn should_end_tcp(&self) -> bool {
        if self.eof {
            return self.closed;
        }
        self.closed && self.pending() == 0 && (self.failed || self.config.role == Role::Server)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("role", &self.config.role)
            .field("pending", &self.pending())
            .field("sent_close", &self.sent_close)
            .field("received_close", &self.received_close)
            .field("failed", &self.failed)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
