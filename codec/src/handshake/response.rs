//! What a server says.

use std::fmt::Write as _;

use thiserror::Error;

use super::head::{HeadError, ResponseHead};
use super::key::accept_key;
use super::list::{Extension, ListError, format_extensions, has_token, is_token, parse_extensions};
use super::request::{ClientHello, InvalidField, check_extensions, check_token, check_value};

/// What a server adds when it accepts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreement {
    /// The subprotocol chosen from the client's list; `None` for none.
    pub subprotocol: Option<String>,
    /// The extensions agreed upon, with their parameters.
    pub extensions: Vec<Extension>,
    /// Further fields, sent behind all others.
    pub headers: Vec<(String, String)>,
}

/// The response with status 101 to a key.
pub(super) fn switching_protocols(key: &str, agreement: &Agreement) -> Result<Vec<u8>, InvalidField> {
    let mut text = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n",
        accept_key(key)
    );
    // Writing to a string does not fail.
    if let Some(name) = &agreement.subprotocol {
        check_token("Sec-WebSocket-Protocol", name)?;
        let _ = write!(text, "Sec-WebSocket-Protocol: {name}\r\n");
    }
    if !agreement.extensions.is_empty() {
        check_extensions(&agreement.extensions)?;
        let _ = write!(text, "Sec-WebSocket-Extensions: {}\r\n", format_extensions(&agreement.extensions));
    }
    for (name, value) in &agreement.headers {
        check_token("the name of a header field", name)?;
        check_value(name, value)?;
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text.push_str("\r\n");
    Ok(text.into_bytes())
}

/// The bytes of a response which does not open a connection: the status, these fields, `Connection: close`, and a line
/// of text as the body. Control characters in fields and text, line breaks among them, are replaced by spaces.
#[must_use]
pub fn refuse(status: u16, fields: &[(&str, &str)], reason: &str) -> Vec<u8> {
    // "field-content = <the OCTETs making up the field-value and consisting of either *TEXT or combinations of token,
    // separators, and quoted-string>", and TEXT is "any OCTET except CTLs" (RFC 2616, 4.2 and 2.2).
    let one_line = |text: &str| text.replace(|char: char| char.is_ascii_control(), " ");
    let phrase = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Refused",
    };
    let body = format!("{}\n", one_line(reason));
    let mut text = format!("HTTP/1.1 {status} {phrase}\r\n");
    for (name, value) in fields {
        // Writing to a string does not fail.
        let _ = write!(text, "{}: {}\r\n", one_line(name), one_line(value));
    }
    // A field that is named in Connection is spoken of to this hop only, as RFC 2616, 14.42 asks for Upgrade.
    let connection = if fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("Upgrade")) {
        "Upgrade, close"
    } else {
        "close"
    };
    let _ = write!(
        text,
        "Connection: {connection}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    text.into_bytes()
}

/// What a client learns from a proper response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// The subprotocol in use; `None` for none.
    pub subprotocol: Option<String>,
    /// The extensions in use. Their names were offered; their parameters are for the extension to judge, see
    /// [`deflate`](crate::deflate).
    pub extensions: Vec<Extension>,
}

/// Why a response does not open a connection.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResponseError {
    /// Not even a head.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// A status other than 101. "the client handles the response per HTTP [RFC2616] procedures" (4.1)
    #[error("the status is {0}, not 101")]
    Status(u16),
    /// HTTP/1.0.
    #[error("the version is HTTP/1.{0}, older than HTTP/1.1")]
    HttpVersion(u8),
    /// `Upgrade` is missing or not `websocket`.
    #[error("the Upgrade field is not \"websocket\"")]
    Upgrade,
    /// `Connection` is missing or has no token `Upgrade`.
    #[error("the Connection field does not contain the token \"Upgrade\"")]
    Connection,
    /// No proof.
    #[error("there is no Sec-WebSocket-Accept field")]
    NoAccept,
    /// Several proofs.
    #[error("there is more than one Sec-WebSocket-Accept field")]
    SeveralAccepts,
    /// Not the proof for our key.
    #[error("the Sec-WebSocket-Accept does not answer the key")]
    Accept,
    /// `Sec-WebSocket-Extensions` is not a list of extensions.
    #[error("the Sec-WebSocket-Extensions field is not a list of extensions: {0}")]
    Extensions(ListError),
    /// An extension that was not asked for.
    #[error("the extension {0:?} was not offered")]
    ExtensionNotOffered(String),
    /// `Sec-WebSocket-Protocol` occurs twice or is not one token.
    #[error("the Sec-WebSocket-Protocol field is not one token")]
    Subprotocol,
    /// A subprotocol that was not asked for.
    #[error("the subprotocol {0:?} was not offered")]
    SubprotocolNotOffered(String),
}

impl ResponseError {
    /// The sentence of RFC 6455 that the response breaks, with its section.
    #[must_use]
    pub const fn rule(&self) -> (&'static str, &'static str) {
        match self {
            Self::Head(_) | Self::HttpVersion(_) => (
                "4.2.2",
                "If the server chooses to accept the incoming connection, it MUST reply with a valid HTTP response \
                 indicating the following.",
            ),
            Self::Status(_) => (
                "4.1",
                "If the status code received from the server is not 101, the client handles the response per HTTP \
                 [RFC2616] procedures.",
            ),
            Self::Upgrade => (
                "4.1",
                "If the response lacks an |Upgrade| header field or the |Upgrade| header field contains a value that \
                 is not an ASCII case-insensitive match for the value \"websocket\", the client MUST _Fail the \
                 WebSocket Connection_.",
            ),
            Self::Connection => (
                "4.1",
                "If the response lacks a |Connection| header field or the |Connection| header field doesn't contain a \
                 token that is an ASCII case-insensitive match for the value \"Upgrade\", the client MUST _Fail the \
                 WebSocket Connection_.",
            ),
            Self::NoAccept | Self::Accept => (
                "4.1",
                "If the response lacks a |Sec-WebSocket-Accept| header field or the |Sec-WebSocket-Accept| contains a \
                 value other than the base64-encoded SHA-1 of the concatenation of the |Sec-WebSocket-Key| (as a \
                 string, not base64-decoded) with the string \"258EAFA5-E914-47DA-95CA-C5AB0DC85B11\" but ignoring \
                 any leading and trailing whitespace, the client MUST _Fail the WebSocket Connection_.",
            ),
            Self::SeveralAccepts => (
                "11.3.3",
                "The |Sec-WebSocket-Accept| header MUST NOT appear more than once in an HTTP response.",
            ),
            Self::Extensions(_) => (
                "9.1",
                "If a value is received by either the client or the server during negotiation that does not conform \
                 to the ABNF below, the recipient of such malformed data MUST immediately _Fail the WebSocket \
                 Connection_.",
            ),
            Self::ExtensionNotOffered(_) => (
                "4.1",
                "If the response includes a |Sec-WebSocket-Extensions| header field and this header field indicates \
                 the use of an extension that was not present in the client's handshake (the server has indicated an \
                 extension not requested by the client), the client MUST _Fail the WebSocket Connection_.",
            ),
            Self::Subprotocol => (
                "11.3.4",
                "However, the |Sec-WebSocket-Protocol| header field MUST NOT appear more than once in an HTTP response.",
            ),
            Self::SubprotocolNotOffered(_) => (
                "4.1",
                "If the response includes a |Sec-WebSocket-Protocol| header field and this header field indicates the \
                 use of a subprotocol that was not present in the client's handshake (the server has indicated a \
                 subprotocol not requested by the client), the client MUST _Fail the WebSocket Connection_.",
            ),
        }
    }
}

impl ResponseHead {
    /// Reads the head as the answer to `hello` (RFC 6455, 4.1).
    ///
    /// # Errors
    ///
    /// "If the server's response does not conform to the requirements for the server's handshake as defined in this
    /// section and in Section 4.2.2, the client MUST _Fail the WebSocket Connection_." (RFC 6455, 4.1)
    pub fn validate(&self, hello: &ClientHello) -> Result<Agreed, ResponseError> {
        let headers = &self.headers;
        // "If the status code received from the server is not 101, the client handles the response per HTTP"
        if self.status != 101 {
            return Err(ResponseError::Status(self.status));
        }
        if self.minor_version < 1 {
            return Err(ResponseError::HttpVersion(self.minor_version));
        }
        // "If the response lacks an |Upgrade| header field or the |Upgrade| header field contains a value that is not
        // an ASCII case-insensitive match for the value "websocket", the client MUST _Fail the WebSocket Connection_."
        let mut upgrades = headers.all("Upgrade").peekable();
        if upgrades.peek().is_none() || !upgrades.all(|value| value.eq_ignore_ascii_case(b"websocket")) {
            return Err(ResponseError::Upgrade);
        }
        // "If the response lacks a |Connection| header field or the |Connection| header field doesn't contain a token
        // that is an ASCII case-insensitive match for the value "Upgrade", the client MUST _Fail [...]"
        if !headers.all("Connection").any(|value| has_token(value, "upgrade")) {
            return Err(ResponseError::Connection);
        }
        // "If the response lacks a |Sec-WebSocket-Accept| header field or the |Sec-WebSocket-Accept| contains a value
        // other than the base64-encoded SHA-1 [...]"
        let mut accepts = headers.all("Sec-WebSocket-Accept");
        let accept = accepts.next().ok_or(ResponseError::NoAccept)?;
        if accepts.next().is_some() {
            return Err(ResponseError::SeveralAccepts);
        }
        if accept != accept_key(&hello.key()).as_bytes() {
            return Err(ResponseError::Accept);
        }
        // "this header field indicates the use of an extension that was not present in the client's handshake"
        let mut extensions = Vec::new();
        for value in headers.all("Sec-WebSocket-Extensions") {
            extensions.extend(parse_extensions(value).map_err(ResponseError::Extensions)?);
        }
        if let Some(Extension { name, .. }) =
            extensions.iter().find(|found| !hello.extensions.iter().any(|offered| offered.name == found.name))
        {
            return Err(ResponseError::ExtensionNotOffered(name.clone()));
        }
        // "this header field indicates the use of a subprotocol that was not present in the client's handshake"
        let mut names = headers.all("Sec-WebSocket-Protocol");
        let name = names.next();
        if names.next().is_some() {
            return Err(ResponseError::Subprotocol);
        }
        let subprotocol = match name {
            None => None,
            Some(name) => {
                let name = std::str::from_utf8(name)
                    .ok()
                    .filter(|name| is_token(name))
                    .ok_or(ResponseError::Subprotocol)?;
                // Subprotocol names are compared exactly: "MUST be [...] strings" without a word on case.
                if !hello.subprotocols.iter().any(|offered| offered == name) {
                    return Err(ResponseError::SubprotocolNotOffered(name.to_owned()));
                }
                Some(name.to_owned())
            }
        };
        Ok(Agreed { subprotocol, extensions })
    }
}
