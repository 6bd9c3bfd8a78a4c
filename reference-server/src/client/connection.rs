//! An open connection, from the client's side.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, RandomState},
    io,
};

use bytes::{Bytes, BytesMut};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use wsgrade_codec::{
    Role,
    close::{CloseCode, CloseFrame, MAX_REASON_BYTES},
    deflate::Params,
    endpoint::{self, Endpoint, Event, Message, SendError},
};

use super::{
    config::{ClientConfig, ClientTimeouts},
    opening::ConnectError,
    outcome::{ClientEnd, Outcome},
};
use crate::{
    linger::end_tcp,
    session::{Session, Step},
};

/// What a server sent. Pings are answered by the connection itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A message.
    Message(Message),
    /// A ping, with its body.
    Ping(Bytes),
    /// A pong, with its body.
    Pong(Bytes),
}

impl Received {
    fn size(&self) -> usize {
        // So that a flood of empty messages is bounded as well.
        const OVERHEAD: usize = 64;
        match self {
            Self::Message(message) => message.payload().len() + OVERHEAD,
            Self::Ping(body) | Self::Pong(body) => body.len() + OVERHEAD,
        }
    }
}

/// Why something was not sent.
#[derive(Debug, Error)]
pub enum Over {
    /// The connection is over or closing; [`Connection::close`] tells how.
    #[error("the connection is over")]
    Closed,
    /// It cannot be sent on any connection.
    #[error(transparent)]
    Unsendable(SendError),
}

/// A connection to a server.
///
/// Nothing happens between calls: to answer pings and to notice the end, call [`recv`](Self::recv).
#[derive(Debug)]
pub struct Connection<S> {
    session: Session<S>,
    subprotocol: Option<String>,
    deflate: Option<Params>,
    timeouts: ClientTimeouts,
    receive_queue: usize,
    /// What came while something was sent.
    inbox: VecDeque<Received>,
    /// The sum of the sizes in `inbox`.
    inbox_size: usize,
    sent: Option<CloseFrame>,
    received: Option<CloseFrame>,
    /// Whether the server ended its direction of TCP.
    peer_ended: bool,
    state: State,
}

/// How far the end is.
#[derive(Debug)]
enum State {
    /// Messages are exchanged.
    Open,
    /// Our Close frame is queued, and not answered. The server has time from when it is written.
    Closing {
        until: Option<Instant>,
    },
    /// Both Close frames are queued or received; the server is to end TCP. It has time from when all is written.
    Closed {
        by_us: bool,
        until: Option<Instant>,
    },
    /// The server broke a rule. The Close frame that says so is to be written.
    Failed {
        end: ClientEnd,
    },
    Over {
        end: ClientEnd,
    },
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(
        stream: S,
        subprotocol: Option<String>,
        deflate: Option<Params>,
        leftover: BytesMut,
        config: &ClientConfig,
    ) -> Result<Self, ConnectError> {
        let settings = endpoint::Config {
            limits: config.limits,
            deflate: deflate.map(|params| kept_word(params, config)),
            compression_level: config.deflate.map_or(0, |deflate| deflate.level),
            ..endpoint::Config::new(Role::Client)
        };
        let mut endpoint = Endpoint::new(settings, masking_keys()?);
        endpoint.receive(&leftover);
        Ok(Self {
            session: Session::new(stream, endpoint, Instant::now()),
            subprotocol,
            deflate,
            timeouts: config.timeouts,
            receive_queue: config.receive_queue,
            inbox: VecDeque::new(),
            inbox_size: 0,
            sent: None,
            received: None,
            peer_ended: false,
            state: State::Open,
        })
    }

    /// The subprotocol which the server chose.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The parameters of permessage-deflate (RFC 7692), if the server agreed to it.
    #[must_use]
    pub fn deflate(&self) -> Option<Params> {
        self.deflate
    }

    /// What comes next; `None` when the connection is over, which includes that the server ended TCP or was given the
    /// time for it. May be dropped and called again; nothing is lost.
    pub async fn recv(&mut self) -> Option<Received> {
        loop {
            if let Some(received) = self.inbox.pop_front() {
                self.inbox_size -= received.size();
                return Some(received);
            }
            if let Some(received) = self.poll_event() {
                return Some(received);
            }
            if self.is_over() {
                return None;
            }
            self.step(true).await;
        }
    }

    /// Sends a message; returns when all of it is with the operating system. What comes in the meantime is kept for
    /// [`recv`](Self::recv). If the future is dropped, the rest is sent by the next call of any method.
    ///
    /// # Errors
    ///
    /// [`Over::Closed`] if the connection is over, or is before the message was written.
    pub async fn send(&mut self, message: Message) -> Result<(), Over> {
        self.session.endpoint.send(message).map_err(Over::from)?;
        self.flush().await
    }

    /// Sends a ping with a body of at most 125 bytes.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`Over::Unsendable`] if the body is too long.
    pub async fn ping(&mut self, body: impl Into<Bytes>) -> Result<(), Over> {
        self.session.endpoint.ping(&body.into()).map_err(Over::from)?;
        self.flush().await
    }

    /// Closes the connection, waits for the server's Close frame and its end of TCP, both within the times of the
    /// configuration, and tells how it went. What still comes before that is dropped. If the connection is over already,
    /// it only tells.
    ///
    /// A reason which does not fit into a Close frame (123 bytes) is cut; a code that must not be sent is replaced
    /// by 1000.
    pub async fn close(self, code: CloseCode, reason: &str) -> Outcome {
        let code = if code.is_valid_on_wire() { code } else { CloseCode::NORMAL };
        let mut end = reason.len().min(MAX_REASON_BYTES);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        self.close_with(CloseFrame::new(code, &reason[..end])).await
    }

    /// As [`close`](Self::close), with a Close frame that has no code.
    pub async fn close_without_code(self) -> Outcome {
        self.close_with(CloseFrame::default()).await
    }

    async fn close_with(mut self, frame: CloseFrame) -> Outcome {
        // Anything that came before and was not asked for must not keep the server's Close from being seen.
        self.inbox.clear();
        if matches!(self.state, State::Open) && self.session.endpoint.close(frame.code, &frame.reason).is_ok()
        {
            self.sent = Some(frame);
            self.state = State::Closing { until: None };
        }
        self.finish().await
    }

    /// Sends every message back until the connection is over.
    pub async fn echo(mut self) -> Outcome {
        while let Some(received) = self.recv().await {
            if let Received::Message(message) = received {
                // An error means that the connection is over, which `recv` will find, too.
                let _ = self.send(message).await;
            }
        }
        self.finish().await
    }

    async fn finish(mut self) -> Outcome {
        loop {
            while self.poll_event().is_some() {}
            if let State::Over { end } = self.state {
                return Outcome { received: self.received, sent: self.sent, end };
            }
            self.step(true).await;
        }
    }

    async fn flush(&mut self) -> Result<(), Over> {
        loop {
            while self.inbox_size < self.receive_queue
                && let Some(received) = self.poll_event()
            {
                self.inbox_size += received.size();
                self.inbox.push_back(received);
            }
            if self.is_over() || matches!(self.state, State::Failed { .. }) {
                return Err(Over::Closed);
            }
            if self.session.is_flushed() {
                return Ok(());
            }
            self.step(self.inbox_size < self.receive_queue).await;
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over { .. })
    }

    /// The next event that is for the caller; the others change the state.
    fn poll_event(&mut self) -> Option<Received> {
        loop {
            match self.session.endpoint.poll_event()? {
                Event::Message(message) => return Some(Received::Message(message)),
                Event::Ping(body) => return Some(Received::Ping(body)),
                Event::Pong(body) => return Some(Received::Pong(body)),
                Event::Close(frame) => self.on_close(frame),
                Event::Failed { failure, code } => self.on_failure(&failure, code),
                Event::Closed { clean: _ } => self.on_closed(),
            }
        }
    }

    fn on_close(&mut self, frame: CloseFrame) {
        let by_us = match self.state {
            State::Open => {
                // The endpoint has answered with the same code.
                self.sent = Some(CloseFrame { code: frame.code, reason: String::new() });
                false
            }
            State::Closing { .. } => true,
            // It comes too late to change the reason.
            State::Closed { .. } | State::Failed { .. } | State::Over { .. } => {
                self.received = Some(frame);
                return;
            }
        };
        self.received = Some(frame);
        self.state = State::Closed { by_us, until: None };
    }

    fn on_failure(&mut self, failure: &endpoint::Failure, code: CloseCode) {
        if self.is_over() {
            return;
        }
        if self.sent.is_none() {
            self.sent = Some(CloseFrame::new(code, ""));
        }
        let end = ClientEnd::Violation { code: code.value(), detail: failure.to_string() };
        self.state = State::Failed { end };
    }

    /// Comes after a Close or a failure, which have changed the state already, or else when the server ended TCP.
    fn on_closed(&mut self) {
        match self.state {
            State::Open => self.state = State::Over { end: ClientEnd::Dropped },
            State::Closing { .. } => self.state = State::Over { end: ClientEnd::NotAnswered },
            State::Closed { .. } | State::Failed { .. } | State::Over { .. } => {}
        }
    }

    /// Moves bytes, and the state with them.
    async fn step(&mut self, reading: bool) {
        let now = Instant::now();
        if self.session.is_flushed() {
            match &mut self.state {
                State::Closing { until } => _ = until.get_or_insert(now + self.timeouts.close),
                State::Closed { by_us, until: _ } if self.peer_ended => {
                    let end = ClientEnd::Closed { by_us: *by_us, tcp_ended: true };
                    self.state = State::Over { end };
                    return;
                }
                State::Closed { by_us: _, until } => _ = until.get_or_insert(now + self.timeouts.end),
                State::Failed { end: _ } => return self.hang_up().await,
                State::Open | State::Over { .. } => {}
            }
        }
        let deadline = self.deadline(now);
        // Looked at here and not only when nothing comes: who goes on talking gains no time.
        if deadline.is_some_and(|deadline| deadline <= now) {
            return self.on_deadline();
        }
        // After a failure nothing is read, and what is queued still written.
        let reading =
            reading && !self.peer_ended && !matches!(self.state, State::Failed { .. } | State::Over { .. });
        match self.session.step(reading, deadline).await {
            Ok(Step::Moved | Step::Deadline) => {}
            Ok(Step::PeerEnded) => self.peer_ended = true,
            Err(error) => self.on_error(&error),
        }
    }

    /// Ends TCP from our side: "the client MUST _Close the WebSocket Connection_" (RFC 6455, section 7.1.7).
    async fn hang_up(&mut self) {
        end_tcp(&mut self.session.stream, self.timeouts.end, std::future::pending()).await;
        if let State::Failed { end } = &self.state {
            self.state = State::Over { end: end.clone() };
        }
    }

    fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let stalled = self.session.stalled_since(now).map(|since| since + self.timeouts.write);
        match self.state {
            // Set when all is written, so that there is nothing that could stall.
            State::Closing { until } | State::Closed { by_us: _, until } => until.or(stalled),
            State::Open | State::Failed { end: _ } | State::Over { end: _ } => stalled,
        }
    }

    fn on_deadline(&mut self) {
        let end = match &self.state {
            State::Closing { until: Some(_) } => ClientEnd::NotAnswered,
            State::Closed { by_us, until: Some(_) } => ClientEnd::Closed { by_us: *by_us, tcp_ended: false },
            State::Open | State::Closing { until: None } | State::Closed { by_us: _, until: None } => {
                ClientEnd::WriteTimeout
            }
            State::Failed { end } | State::Over { end } => end.clone(),
        };
        self.state = State::Over { end };
    }

    fn on_error(&mut self, error: &io::Error) {
        let end = match &self.state {
            State::Open | State::Closing { until: _ } => ClientEnd::Failed { error: error.to_string() },
            // Nothing was left to be said.
            State::Closed { by_us, until: _ } => ClientEnd::Closed { by_us: *by_us, tcp_ended: true },
            State::Failed { end } | State::Over { end } => end.clone(),
        };
        self.state = State::Over { end };
    }
}

impl From<SendError> for Over {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closing => Self::Closed,
            SendError::ControlTooLong { .. }
            | SendError::CloseCode(_)
            | SendError::Close(_)
            | SendError::EmptyFragments => Self::Unsendable(error),
        }
    }
}

/// What our offer announced about our own side holds even where the answer does not repeat it: "a client informs the
/// peer server of a hint that even if the server doesn't include the [...] parameter in the corresponding extension
/// negotiation response to the offer, the client is not going to use context takeover" (RFC 7692, section 7.1.1.2; the
/// same for the window in 7.1.2.2).
fn kept_word(mut agreed: Params, config: &ClientConfig) -> Params {
    if let Some(offer) = config.deflate.map(|deflate| deflate.offer()) {
        agreed.client_no_context_takeover |= offer.client_no_context_takeover;
        if let Some(Some(bits)) = offer.client_max_window_bits {
            agreed.client_max_window_bits = agreed.client_max_window_bits.min(bits);
        }
    }
    agreed
}

/// A masking key for each frame: "The masking key needs to be unpredictable; thus, the masking key MUST be derived from
/// a strong source of entropy" (RFC 6455, section 5.3). The system is asked for many at a time.
fn masking_keys() -> Result<impl FnMut() -> [u8; 4] + Send + 'static, getrandom::Error> {
    let mut pool = [0; 1024];
    getrandom::fill(&mut pool)?;
    let mut used = 0;
    Ok(move || {
        if used == pool.len() {
            // It has worked before; should it fail now, the keys of the standard library's hash maps are random as well.
            if getrandom::fill(&mut pool).is_err() {
                for chunk in pool.chunks_mut(8) {
                    chunk.copy_from_slice(&RandomState::new().hash_one(used).to_ne_bytes());
                }
            }
            used = 0;
        }
        let key = [pool[used], pool[used + 1], pool[used + 2], pool[used + 3]];
        used += 4;
        key
    })
}
