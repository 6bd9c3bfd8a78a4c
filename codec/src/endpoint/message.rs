//! What goes in and out of an endpoint.

use std::fmt;

use bytes::Bytes;
use thiserror::Error;

use crate::Kind;
use crate::check::{Rule, Violation};
use crate::close::{CloseCode, CloseFrame, UnsendableClose};

/// A whole message. Text is UTF-8: it can be made from strings only, or after a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    kind: Kind,
    /// UTF-8 if kind is Text
    payload: Bytes,
}

/// The payload given for a text message is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a text message has to be UTF-8")]
pub struct NotUtf8;

impl Message {
    /// A text message.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: Kind::Text, payload: Bytes::from(text.into()) }
    }

    /// A binary message.
    #[must_use]
    pub fn binary(payload: impl Into<Bytes>) -> Self {
        Self { kind: Kind::Binary, payload: payload.into() }
    }

    /// A message of either kind.
    ///
    /// # Errors
    ///
    /// If it is to be text and the payload is not UTF-8.
    pub fn new(kind: Kind, payload: impl Into<Bytes>) -> Result<Self, NotUtf8> {
        let payload = payload.into();
        if kind == Kind::Text && simdutf8::basic::from_utf8(&payload).is_err() {
            return Err(NotUtf8);
        }
        Ok(Self { kind, payload })
    }

    /// For payloads which were validated on their way in.
    pub(super) fn trusted(kind: Kind, payload: Bytes) -> Self {
        Self { kind, payload }
    }

    /// Text or binary.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The payload. For text it is UTF-8.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The payload, by value.
    #[must_use]
    pub fn into_payload(self) -> Bytes {
        self.payload
    }

    /// The text of a text message; `None` for binary. Looks at the bytes again, as safe code has to.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self.kind {
            Kind::Text => simdutf8::basic::from_utf8(&self.payload).ok(),
            Kind::Binary => None,
        }
    }
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message is complete.
    Message(Message),
    /// A Ping came. Its Pong is in the output queue already, or will be.
    Ping(Bytes),
    /// A Pong came, asked for or not.
    Pong(Bytes),
    /// A proper Close frame came. If it was the peer who began, the answer is in the output queue already.
    Close(CloseFrame),
    /// We fail the connection: the peer broke a rule or exceeded a limit. A Close frame with the code is in the output
    /// queue, unless one was sent before. Nothing the peer sends is processed any more.
    Failed {
        /// What the peer did.
        failure: Failure,
        /// The code we close with.
        code: CloseCode,
    },
    /// The last event. Flush the output queue, then look at [`should_end_tcp`](super::Endpoint::should_end_tcp).
    Closed {
        /// Whether both sides sent a Close frame, and nobody failed (RFC 6455, 7.1.4).
        clean: bool,
    },
}

/// Why an endpoint fails the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// A rule was broken.
    Violation(Violation),
    /// A frame declares more than [`max_frame`](super::Limits::max_frame) bytes.
    FrameTooBig {
        /// The declared length in bytes.
        declared: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// The frames of a message declare more than [`max_message`](super::Limits::max_message) bytes together.
    MessageTooBig {
        /// The limit in bytes.
        limit: usize,
    },
    /// A message inflates to more than [`max_inflated`](super::Limits::max_inflated) bytes.
    InflatedTooBig {
        /// The limit in bytes.
        limit: usize,
    },
    /// A message has more than [`max_fragments`](super::Limits::max_fragments) frames.
    TooManyFragments {
        /// The limit.
        limit: usize,
    },
}

impl Failure {
    /// The code to close with (RFC 6455, 7.4.1).
    #[must_use]
    pub fn code(&self) -> CloseCode {
        match self {
            Self::Violation(violation) => match violation.rule {
                // "1007 indicates that an endpoint is terminating the connection because it has received data within
                // a message that was not consistent with the type of the message (e.g., non-UTF-8 [RFC3629] data
                // within a text message)."
                Rule::TextUtf8 | Rule::CloseReasonUtf8 | Rule::DeflateData => CloseCode::INVALID_DATA,
                // "1002 indicates that an endpoint is terminating the connection due to a protocol error."
                _ => CloseCode::PROTOCOL_ERROR,
            },
            // "1009 indicates that an endpoint is terminating the connection because it has received a message that is
            // too big for it to process."
            Self::FrameTooBig { .. }
            | Self::MessageTooBig { .. }
            | Self::InflatedTooBig { .. }
            | Self::TooManyFragments { .. } => CloseCode::TOO_BIG,
        }
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => violation.fmt(f),
            Self::FrameTooBig { declared, limit } => {
                write!(f, "a frame of {declared} bytes, at most {limit} are taken")
            }
            Self::MessageTooBig { limit } => write!(f, "a message of more than {limit} bytes"),
            Self::InflatedTooBig { limit } => write!(f, "a message of more than {limit} bytes when inflated"),
            Self::TooManyFragments { limit } => write!(f, "a message of more than {limit} frames"),
        }
    }
}

/// Why something cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    /// A Close frame was sent, or the connection failed or ended.
    #[error("the connection is closing")]
    Closing,
    /// The body of a Ping or Pong is longer than 125 bytes.
    #[error("the body of a control frame has {len} bytes, at most 125 fit")]
    ControlTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A code that must not be in a Close frame.
    #[error("the code {0} must not be sent")]
    CloseCode(CloseCode),
    /// The reason does not fit.
    #[error(transparent)]
    Close(#[from] UnsendableClose),
    /// Fragments of no bytes do not get a message across.
    #[error("a fragment needs at least one byte")]
    EmptyFragments,
}
