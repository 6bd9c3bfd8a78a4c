//! Close codes and the body of a Close frame (RFC 6455, 5.5.1 and 7.4).

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

/// The longest reason, in bytes: a control frame holds 125 and the code takes two of them.
pub const MAX_REASON_BYTES: usize = 123;

/// A status code as in a Close frame. All 65,536 can be represented.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

/// One table for all codes which have a name: constant, number, name, whether it is registered for use in a frame.
macro_rules! close_codes {
    ($($(#[$doc:meta])* $constant:ident = $value:literal, $name:literal;)*) => {
        impl CloseCode {
            $($(#[$doc])* pub const $constant: Self = Self($value);)*

            /// The name of the code in the IANA registry or in RFC 6455; `None` for all others.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

close_codes! {
    /// 1000: the purpose for which the connection was established has been fulfilled.
    NORMAL = 1000, "normal closure";
    /// 1001: the endpoint is going away.
    GOING_AWAY = 1001, "going away";
    /// 1002: a protocol error.
    PROTOCOL_ERROR = 1002, "protocol error";
    /// 1003: data of a type which cannot be accepted.
    UNSUPPORTED_DATA = 1003, "unsupported data";
    /// 1004: reserved, not to be sent.
    RESERVED = 1004, "reserved";
    /// 1005: stands for "no code was there"; not to be sent.
    NO_STATUS = 1005, "no status received";
    /// 1006: stands for "the connection ended without a Close frame"; not to be sent.
    ABNORMAL = 1006, "abnormal closure";
    /// 1007: data within a message which is not consistent with its type.
    INVALID_DATA = 1007, "invalid frame payload data";
    /// 1008: a message that violates the policy.
    POLICY = 1008, "policy violation";
    /// 1009: a message that is too big.
    TOO_BIG = 1009, "message too big";
    /// 1010: the client expected an extension which the server did not agree to.
    MANDATORY_EXTENSION = 1010, "mandatory extension";
    /// 1011: an unexpected condition at the endpoint.
    INTERNAL_ERROR = 1011, "internal error";
    /// 1012: the service is restarted (registered after RFC 6455).
    SERVICE_RESTART = 1012, "service restart";
    /// 1013: try again later (registered after RFC 6455).
    TRY_AGAIN_LATER = 1013, "try again later";
    /// 1014: a gateway got a bad response (registered after RFC 6455).
    BAD_GATEWAY = 1014, "bad gateway";
    /// 1015: stands for "the TLS handshake failed"; not to be sent.
    TLS_HANDSHAKE = 1015, "TLS handshake";
    /// 3000: unauthorized (registered).
    UNAUTHORIZED = 3000, "unauthorized";
    /// 3003: forbidden (registered).
    FORBIDDEN = 3003, "forbidden";
    /// 3008: timeout (registered).
    TIMEOUT = 3008, "timeout";
}

impl CloseCode {
    /// The code with this number.
    #[must_use]
    pub const fn new(value: u16) -> Self {
        Self(value)
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0
    }

    /// Whether a Close frame may contain this code (7.4): 1000 to 1003, 1007 to 1014, 3000 to 4999.
    ///
    /// 1012 to 1014 were registered with IANA after RFC 6455; the rest of 1000 to 2999 is reserved.
    #[must_use]
    pub const fn is_valid_on_wire(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// Whether the code is in the IANA registry with a meaning that may be sent.
    #[must_use]
    pub const fn is_registered(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000 | 3003 | 3008)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl From<u16> for CloseCode {
    fn from(value: u16) -> Self {
        Self(value)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

/// The body of a Close frame: nothing, a code, or a code and a reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CloseFrame {
    /// The status code; `None` for a Close frame without a body.
    pub code: Option<CloseCode>,
    /// The reason, empty if there is none. Without a code there cannot be one.
    pub reason: String,
}

/// Why the body of a Close frame is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidClose {
    /// One byte is too short for a code.
    #[error("a body of one byte cannot hold a status code")]
    OneByte,
    /// The reason is not UTF-8.
    #[error("the reason is not UTF-8 after {valid_up_to} valid bytes")]
    Reason {
        /// How many bytes of the reason are valid.
        valid_up_to: usize,
    },
}

/// The reason has more than [`MAX_REASON_BYTES`], or there is a reason and no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnsendableClose {
    /// The reason does not fit into a control frame.
    #[error("the reason has {len} bytes, at most 123 fit")]
    ReasonTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A reason can only stand behind a code.
    #[error("a reason needs a status code before it")]
    ReasonWithoutCode,
}

impl CloseFrame {
    /// A Close frame with this code and reason.
    #[must_use]
    pub fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        Self { code: Some(code), reason: reason.into() }
    }

    /// Reads the body of a Close frame. Whether the code may be there is not asked: see
    /// [`CloseCode::is_valid_on_wire`].
    ///
    /// # Errors
    ///
    /// For a body of one byte, and for a reason which is not UTF-8 (5.5.1).
    pub fn parse(body: &[u8]) -> Result<Self, InvalidClose> {
        match body {
            [] => Ok(Self::default()),
            // "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer (in network
            // byte order) representing a status code with value /code/ defined in Section 7.4." (5.5.1)
            [_] => Err(InvalidClose::OneByte),
            // "Following the 2-byte integer, the body MAY contain UTF-8-encoded data with value /reason/" (5.5.1)
            [high, low, reason @ ..] => match std::str::from_utf8(reason) {
                Ok(reason) => Ok(Self::new(CloseCode(u16::from_be_bytes([*high, *low])), reason)),
                Err(error) => Err(InvalidClose::Reason { valid_up_to: error.valid_up_to() }),
            },
        }
    }

    /// The body's bytes.
    ///
    /// # Errors
    ///
    /// If the reason is longer than [`MAX_REASON_BYTES`] or stands without a code.
    pub fn encode(&self) -> Result<Bytes, UnsendableClose> {
        if self.reason.len() > MAX_REASON_BYTES {
            return Err(UnsendableClose::ReasonTooLong { len: self.reason.len() });
        }
        let Some(code) = self.code else {
            return if self.reason.is_empty() {
                Ok(Bytes::new())
            } else {
                Err(UnsendableClose::ReasonWithoutCode)
            };
        };
        let mut body = BytesMut::with_capacity(2 + self.reason.len());
        body.put_u16(code.0);
        body.put_slice(self.reason.as_bytes());
        Ok(body.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_that_may_be_sent() {
        for (range, valid) in [
            (0..=999, false),
            (1000..=1003, true),
            (1004..=1006, false),
            (1007..=1014, true),
            (1015..=2999, false),
            (3000..=4999, true),
            (5000..=u16::MAX, false),
        ] {
            for value in range {
                assert_eq!(CloseCode::new(value).is_valid_on_wire(), valid, "{value}");
            }
        }
        assert!(CloseCode::BAD_GATEWAY.is_registered());
        assert!(!CloseCode::new(4000).is_registered());
        assert!(!CloseCode::NO_STATUS.is_registered());
    }

    #[test]
    fn codes_are_printed_with_their_names() {
        assert_eq!(CloseCode::PROTOCOL_ERROR.to_string(), "1002 (protocol error)");
        assert_eq!(CloseCode::new(4711).to_string(), "4711");
        assert_eq!(CloseCode::new(4711).name(), None);
    }

    #[test]
    fn bodies_there_and_back() {
        for (body, frame) in [
            (&b""[..], CloseFrame::default()),
            (&[3, 232], CloseFrame::new(CloseCode::NORMAL, "")),
            (b"\x03\xeabad", CloseFrame::new(CloseCode::PROTOCOL_ERROR, "bad")),
            (&[0, 0], CloseFrame::new(CloseCode::new(0), "")),
        ] {
            assert_eq!(CloseFrame::parse(body), Ok(frame.clone()));
            assert_eq!(frame.encode().unwrap(), body);
        }
    }

    #[test]
    fn bodies_that_are_none() {
        assert_eq!(CloseFrame::parse(&[3]), Err(InvalidClose::OneByte));
        assert_eq!(CloseFrame::parse(b"\x03\xe8ab\xff"), Err(InvalidClose::Reason { valid_up_to: 2 }));
        let long = CloseFrame::new(CloseCode::NORMAL, "x".repeat(124));
        assert_eq!(long.encode(), Err(UnsendableClose::ReasonTooLong { len: 124 }));
        let codeless = CloseFrame { code: None, reason: "x".into() };
        assert_eq!(codeless.encode(), Err(UnsendableClose::ReasonWithoutCode));
        assert_eq!(CloseFrame::new(CloseCode::NORMAL, "x".repeat(123)).encode().unwrap().len(), 125);
    }
}
