//! How a client's connection ended.

use std::fmt;

use wsgrade_codec::close::CloseFrame;

use crate::report::OneLine;

/// What is known when a connection is over. Its `Display` is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The server's Close frame.
    pub received: Option<CloseFrame>,
    /// Our Close frame, if one was queued; it may not have been written.
    pub sent: Option<CloseFrame>,
    /// Why it is over.
    pub end: ClientEnd,
}

/// Why a client's connection is over. The first reason wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEnd {
    /// Both Close frames were exchanged.
    Closed {
        /// Whether ours was the first.
        by_us: bool,
        /// Whether the server ended TCP in time, as it must (RFC 6455, section 7.1.1).
        tcp_ended: bool,
    },
    /// The server did not answer our Close frame, in time or at all.
    NotAnswered,
    /// The server broke a rule of the protocol or a size limit.
    Violation {
        /// The status code in our Close frame.
        code: u16,
        /// The rule and what was seen.
        detail: String,
    },
    /// The server ended TCP without a Close frame.
    Dropped,
    /// The server did not read what was sent to it.
    WriteTimeout,
    /// Reading or writing failed.
    Failed {
        /// The operating system's word on it.
        error: String,
    },
}

impl Outcome {
    /// "If the TCP connection is closed after the WebSocket closing handshake is completed, the WebSocket connection is
    /// said to have been closed _cleanly_." (RFC 6455, section 7.1.4)
    #[must_use]
    pub fn is_clean(&self) -> bool {
        match self.end {
            ClientEnd::Closed { .. } => true,
            ClientEnd::NotAnswered
            | ClientEnd::Violation { .. }
            | ClientEnd::Dropped
            | ClientEnd::WriteTimeout
            | ClientEnd::Failed { .. } => false,
        }
    }

    /// Whether we began a closing handshake that was completed.
    #[must_use]
    pub fn begun_by_us(&self) -> bool {
        matches!(self.end, ClientEnd::Closed { by_us: true, tcp_ended: _ })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.end {
            ClientEnd::Closed { by_us, tcp_ended } => {
                let who = if *by_us { "us" } else { "the server" };
                write!(f, "closed cleanly by {who}, the server said {}", said(self.received.as_ref()))?;
                if *tcp_ended { Ok(()) } else { write!(f, " and did not end TCP") }
            }
            ClientEnd::NotAnswered => write!(f, "the server did not answer our Close frame"),
            ClientEnd::Violation { code, detail } => {
                write!(f, "failed with {code}: {}", OneLine(detail))
            }
            ClientEnd::Dropped => write!(f, "the server ended TCP without a Close frame"),
            ClientEnd::WriteTimeout => write!(f, "the server did not read"),
            ClientEnd::Failed { error } => write!(f, "connection failed: {error}"),
        }
    }
}

fn said(frame: Option<&CloseFrame>) -> String {
    match frame.map(|frame| (frame.code, frame.reason.as_str())) {
        None => "nothing".to_owned(),
        Some((None, _)) => "no code".to_owned(),
        Some((Some(code), "")) => code.to_string(),
        Some((Some(code), reason)) => format!("{code} {reason:?}"),
    }
}

#[cfg(test)]
mod tests {
    use wsgrade_codec::close::CloseCode;

    use super::*;

    #[test]
    fn every_end_has_its_sentence() {
        let closed = |by_us, tcp_ended, received| Outcome {
            received,
            sent: None,
            end: ClientEnd::Closed { by_us, tcp_ended },
        };
        let not_clean = |end| Outcome { received: None, sent: None, end };
        let frame = |reason: &str| Some(CloseFrame::new(CloseCode::NORMAL, reason));
        let outcomes = [
            closed(true, true, frame("")),
            closed(false, true, frame("a\nb")),
            closed(false, false, Some(CloseFrame::default())),
            not_clean(ClientEnd::NotAnswered),
            not_clean(ClientEnd::Violation { code: 1002, detail: "frame is masked".into() }),
            not_clean(ClientEnd::Dropped),
            not_clean(ClientEnd::WriteTimeout),
            not_clean(ClientEnd::Failed { error: "connection reset by peer".into() }),
        ];
        let lines: Vec<String> = outcomes.iter().map(|o| format!("{} {o}", u8::from(o.is_clean()))).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        1 closed cleanly by us, the server said 1000 (normal closure)
        1 closed cleanly by the server, the server said 1000 (normal closure) "a\nb"
        1 closed cleanly by the server, the server said no code and did not end TCP
        0 the server did not answer our Close frame
        0 failed with 1002: frame is masked
        0 the server ended TCP without a Close frame
        0 the server did not read
        0 connection failed: connection reset by peer
        "#);
    }
}
