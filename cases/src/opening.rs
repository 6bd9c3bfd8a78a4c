//! The HTTP side of a case: the opening handshake, every byte of which can be overridden, and the statuses that answer it.

use std::fmt;

use wsgrade_codec::Role;
use wsgrade_codec::deflate::Params;

use crate::model::{Chop, Payload};

/// Overrides of the opening handshake. The default is a lawful handshake for our role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The request method, `GET` unless given.
    pub method: Option<String>,
    /// The request target, that of the target's URL unless given.
    pub target: Option<String>,
    /// The version in the start line, `HTTP/1.1` unless given.
    pub version: Option<String>,
    /// The status of our response (client under test), 101 unless given.
    pub status: Option<u16>,
    /// Header edits, applied in order to the ordinary headers.
    pub headers: Vec<HeaderEdit>,
    /// `Sec-WebSocket-Extensions`: as a client what we offer, as a server what we agree to where the client offers
    /// extensions of these names. None unless given.
    pub extensions: Vec<String>,
    /// permessage-deflate, by what is asked of the peer; not negotiated unless given. Not together with `extensions`.
    ///
    /// As a client we offer one for each wish, in this order, with `client_no_context_takeover` and
    /// `client_max_window_bits` unless the wish says otherwise of our own compression. As a server we agree to the
    /// first wish that the client's offers allow. Where none is granted, a case that needs permessage-deflate is not
    /// played any further ([`Expected::Declined`]).
    pub deflate: Vec<DeflateWish>,
    /// The whole head, instead of all the above.
    pub raw: Option<Payload>,
    /// What ends a line, CRLF unless given.
    pub newline: Option<String>,
    /// The head is never finished: the empty line at its end is not sent.
    pub unfinished: bool,
    /// The frames of the steps before the first that waits go out with the head: as a client before there is a
    /// response, as a server in the same write. As a client, an end of the connection right behind them comes before
    /// there is a response as well.
    pub early: bool,
    /// After a refusal a ping on the same connection shows whether frames are read there all the same.
    pub knock: bool,
    /// How TLS fails that a client needs before it can ask (RFC 6455 4.1). Nothing else is played then: what is seen is
    /// whether it asks all the same ([`Expected::Dropped`], if it does not).
    pub tls: Option<BadTls>,
    /// How the head is cut into writes.
    pub chop: Chop,
}

/// What is wrong with our TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadTls {
    /// Our certificate vouches for itself and is for another name.
    Untrusted,
    /// Our certificate is the trusted one, which is not for the address where we are.
    Misnamed,
    /// We answer the client's hello with a fatal alert.
    Broken,
}

/// How the peer is to compress what it sends (RFC 7692 7.1), and what a case has to know of our own compression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeflateWish {
    /// Each message by itself.
    pub no_context_takeover: bool,
    /// With a window of at most so many bits, 8 to 15.
    pub max_window_bits: Option<u8>,
    /// Whether our messages may refer back to earlier ones: as the peer likes unless given, else just so.
    pub our_context_takeover: Option<bool>,
    /// The window of our compression in bits, 8 to 15: as the peer likes unless given, else just this one.
    pub our_window_bits: Option<u8>,
}

impl DeflateWish {
    /// Whether these agreed parameters grant what the wish says of our own compression; `us` is our role. What it
    /// asks of the peer's is in every response that answers the offer, and is not looked at.
    pub fn is_granted(&self, agreed: &Params, us: Role) -> bool {
        let context = self.our_context_takeover.is_none_or(|kept| kept != agreed.no_context_takeover(us));
        let window = self.our_window_bits.is_none_or(|bits| bits == agreed.window_bits(us).get());
        context && window
    }
}

/// One change to the ordinary headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Replaces every header of that name (any case) by one of the name as it is here, or adds it.
    Set(String, Payload),
    /// Adds one more.
    Add(String, Payload),
    /// Removes every header of that name (any case).
    Remove(String),
    /// Bytes behind the headers before, as they are: a line that is none, or ten thousand. Their line ends are among them.
    Raw(Payload),
}

/// Statuses of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// This one.
    Is(u16),
    /// Every status with this first digit.
    Class(u8),
}

impl Status {
    /// Whether this status is among them.
    pub fn holds(self, status: u16) -> bool {
        match self {
            Self::Is(one) => one == status,
            Self::Class(digit) => status / 100 == u16::from(digit),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(status) => write!(f, "{status}"),
            Self::Class(digit) => write!(f, "{digit}xx"),
        }
    }
}
