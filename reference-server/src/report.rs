//! What is told about a connection when it is over.

use std::{
    fmt::{self, Write as _},
    net::SocketAddr,
    ops::AddAssign,
    time::Duration,
};

/// The story of one connection. Its `Display` is the log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionReport {
    /// Who was connected.
    pub peer: SocketAddr,
    /// The request target, if a request was understood.
    pub path: Option<String>,
    /// The subprotocol agreed on.
    pub subprotocol: Option<String>,
    /// Whether permessage-deflate (RFC 7692) was agreed on.
    pub deflate: bool,
    /// From accept to the end of TCP.
    pub duration: Duration,
    /// What came from the peer.
    pub received: Traffic,
    /// What was given to the socket for the peer. Messages count when they are queued, bytes when they are written.
    pub sent: Traffic,
    /// Why it is over.
    pub end: ConnectionEnd,
}

impl ConnectionReport {
    /// Of a connection on which nothing has happened yet.
    pub(crate) fn new(peer: SocketAddr, end: ConnectionEnd) -> Self {
        Self {
            peer,
            path: None,
            subprotocol: None,
            deflate: false,
            duration: Duration::ZERO,
            received: Traffic::default(),
            sent: Traffic::default(),
            end,
        }
    }
}

/// How much went in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Complete data messages.
    pub messages: u64,
    /// Bytes on the wire: handshake, frame headers and (compressed) payload.
    pub bytes: u64,
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, more: Self) {
        self.messages += more.messages;
        self.bytes += more.bytes;
    }
}

/// Why a connection ended.
///
/// The first reason wins: when a violation is answered with Close 1002 and the peer then vanishes, the violation is
/// what is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// The peer began the closing handshake and it was completed (RFC 6455, section 7.1.4: cleanly).
    ClosedByPeer {
        /// The status code of the peer's Close frame, if it had one.
        code: Option<u16>,
    },
    /// This side began the closing handshake for the reason given.
    ClosedByUs {
        /// Why.
        why: CloseReason,
        /// Whether the peer answered with a Close frame in time.
        answered: bool,
    },
    /// The peer broke a rule of the protocol or a size limit, and was told so with a Close frame.
    Violation {
        /// The status code in our Close frame: 1002, 1003, 1007, 1008, 1009 or 1010.
        code: u16,
        /// The rule and what was seen.
        detail: String,
    },
    /// The opening handshake was refused.
    Refused {
        /// The HTTP status of the answer.
        status: u16,
        /// The sentence in its body.
        reason: String,
    },
    /// The peer ended TCP before its request was complete.
    NoRequest,
    /// A ping was not followed by a single byte in time.
    PongTimeout,
    /// The peer did not read what was sent to it.
    WriteTimeout,
    /// The peer ended TCP without a Close frame (status 1006 to an application).
    EndedByPeer,
    /// Reading or writing failed, for instance with "connection reset by peer".
    Failed {
        /// The operating system's word on it.
        error: String,
    },
    /// The server was dropped, or the grace time of its shutdown was over.
    Aborted,
}

/// Why this side began the closing handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The server is shutting down: 1001.
    GoingAway,
    /// No message in either direction for the idle time: 1001.
    Idle,
    /// More messages than the rate limit allows: 1008.
    RateLimit,
    /// More was sent to everybody than this peer took in time: 1008.
    TooSlow,
}

impl CloseReason {
    /// The status code of the Close frame (RFC 6455, section 7.4.1).
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::GoingAway | Self::Idle => 1001,
            Self::RateLimit | Self::TooSlow => 1008,
        }
    }

    /// The text in the Close frame.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::GoingAway => "server is shutting down",
            Self::Idle => "no message for too long",
            Self::RateLimit => "too many messages per second",
            Self::TooSlow => "too slow for what is sent to everybody",
        }
    }
}

impl fmt::Display for ConnectionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedByPeer { code: Some(code) } => write!(f, "closed by peer with {code}"),
            Self::ClosedByPeer { code: None } => write!(f, "closed by peer without a code"),
            Self::ClosedByUs { why, answered } => {
                write!(f, "closed with {}: {}", why.code(), why.text())?;
                if *answered { Ok(()) } else { write!(f, " (peer did not answer)") }
            }
            Self::Violation { code, detail } => write!(f, "failed with {code}: {}", OneLine(detail)),
            Self::Refused { status, reason } => write!(f, "refused with {status}: {}", OneLine(reason)),
            Self::NoRequest => write!(f, "peer left before its request was complete"),
            Self::PongTimeout => write!(f, "peer did not answer a ping"),
            Self::WriteTimeout => write!(f, "peer did not read"),
            Self::EndedByPeer => write!(f, "peer ended TCP without a Close frame"),
            Self::Failed { error } => write!(f, "connection failed: {error}"),
            Self::Aborted => write!(f, "cut off by the end of the server"),
        }
    }
}

/// Text of the peer's making within a line of ours: what would break the line is escaped.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            let breaks = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
            if breaks { write!(f, "{}", c.escape_default()) } else { f.write_char(c) }
        })
    }
}

/// No more of a request target than this goes into a log line.
const PATH_SHOWN: usize = 200;

impl fmt::Display for ConnectionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.peer)?;
        match &self.path {
            Some(path) => {
                // Escaped and cut: whoever connects must not be able to write lines of its own into the log.
                match path.char_indices().nth(PATH_SHOWN) {
                    Some((end, _)) => write!(f, "{}…", OneLine(&path[..end]))?,
                    None => write!(f, "{}", OneLine(path))?,
                }
            }
            None => write!(f, "-")?,
        }
        write!(
            f,
            " {:.3}s in={}/{}B out={}/{}B",
            self.duration.as_secs_f64(),
            self.received.messages,
            self.received.bytes,
            self.sent.messages,
            self.sent.bytes
        )?;
        if let Some(subprotocol) = &self.subprotocol {
            write!(f, " subprotocol={subprotocol}")?;
        }
        if self.deflate {
            write!(f, " deflate")?;
        }
        write!(f, ": {}", self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(path: Option<&str>, end: ConnectionEnd) -> ConnectionReport {
        ConnectionReport {
            peer: "127.0.0.1:5000".parse().unwrap(),
            path: path.map(str::to_owned),
            subprotocol: None,
            deflate: false,
            duration: Duration::from_micros(1_234_567),
            received: Traffic { messages: 3, bytes: 420 },
            sent: Traffic { messages: 2, bytes: 300 },
            end,
        }
    }

    #[test]
    fn every_end_has_its_sentence() {
        let ends = [
            ConnectionEnd::ClosedByPeer { code: Some(1000) },
            ConnectionEnd::ClosedByPeer { code: None },
            ConnectionEnd::ClosedByUs { why: CloseReason::GoingAway, answered: true },
            ConnectionEnd::ClosedByUs { why: CloseReason::Idle, answered: false },
            ConnectionEnd::ClosedByUs { why: CloseReason::RateLimit, answered: true },
            ConnectionEnd::Violation { code: 1002, detail: "frame is not masked".into() },
            ConnectionEnd::Refused { status: 403, reason: "origin \"x\"\nis not allowed".into() },
            ConnectionEnd::NoRequest,
            ConnectionEnd::PongTimeout,
            ConnectionEnd::WriteTimeout,
            ConnectionEnd::EndedByPeer,
            ConnectionEnd::Failed { error: "connection reset by peer".into() },
            ConnectionEnd::Aborted,
        ];
        let lines: Vec<String> = ends.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        closed by peer with 1000
        closed by peer without a code
        closed with 1001: server is shutting down
        closed with 1001: no message for too long (peer did not answer)
        closed with 1008: too many messages per second
        failed with 1002: frame is not masked
        refused with 403: origin "x"\nis not allowed
        peer left before its request was complete
        peer did not answer a ping
        peer did not read
        peer ended TCP without a Close frame
        connection failed: connection reset by peer
        cut off by the end of the server
        "#);
    }

    #[test]
    fn a_connection_is_one_line() {
        let mut full = report(Some("/chat?x=1"), ConnectionEnd::ClosedByPeer { code: Some(1000) });
        full.subprotocol = Some("chat.v1".into());
        full.deflate = true;
        let bare = report(None, ConnectionEnd::NoRequest);
        insta::assert_snapshot!(format!("{full}\n{bare}"), @r"
        127.0.0.1:5000 /chat?x=1 1.235s in=3/420B out=2/300B subprotocol=chat.v1 deflate: closed by peer with 1000
        127.0.0.1:5000 - 1.235s in=3/420B out=2/300B: peer left before its request was complete
        ");
    }

    #[test]
    fn a_path_cannot_forge_a_line_nor_fill_the_disk() {
        let line = report(Some(&format!("/a\n{}", "x".repeat(5000))), ConnectionEnd::NoRequest).to_string();
        assert!(!line.contains('\n'));
        assert!(line.contains(r"/a\nxxx"));
        assert!(line.len() < 400, "{line}");
    }
}
