//! What a client says.

use std::fmt::Write as _;

use thiserror::Error;

use super::head::{HeadError, RequestHead};
use super::key::{encode_nonce, is_key};
use super::list::{
    Extension, ListError, format_extensions, has_token, is_token, parse_extensions, parse_tokens,
};
use super::response::{Agreement, refuse, switching_protocols};

/// A value which cannot stand in a head, such as one with a line break.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field} cannot be sent: {value:?}")]
pub struct InvalidField {
    /// Which part of the head.
    pub field: String,
    /// The value.
    pub value: String,
}

/// Refuses what would break out of its line.
pub(super) fn check_value(field: &str, value: &str) -> Result<(), InvalidField> {
    if value.bytes().all(|byte| byte == b'\t' || (b' '..0x7F).contains(&byte) || byte >= 0x80) {
        Ok(())
    } else {
        Err(InvalidField { field: field.to_owned(), value: value.to_owned() })
    }
}

pub(super) fn check_token(field: &str, value: &str) -> Result<(), InvalidField> {
    if is_token(value) {
        Ok(())
    } else {
        Err(InvalidField { field: field.to_owned(), value: value.to_owned() })
    }
}

/// Checks an extension list before it is written.
pub(super) fn check_extensions(extensions: &[Extension]) -> Result<(), InvalidField> {
    for extension in extensions {
        check_token("Sec-WebSocket-Extensions", &extension.name)?;
        for param in &extension.params {
            check_token("Sec-WebSocket-Extensions", &param.name)?;
            if let Some(value) = &param.value {
                check_token("Sec-WebSocket-Extensions", value)?;
            }
        }
    }
    Ok(())
}

/// A client's opening handshake (RFC 6455, 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHello {
    /// The value of `Host`: the host, and the port if it is not the default one.
    pub host: String,
    /// The Request-URI, such as `/chat`.
    pub target: String,
    /// The nonce; the caller has to choose it at random for each connection.
    pub nonce: [u8; 16],
    /// The value of `Origin`; `None` to send none.
    pub origin: Option<String>,
    /// The subprotocols wished for, the best one first.
    pub subprotocols: Vec<String>,
    /// The extensions wished for, the best one first.
    pub extensions: Vec<Extension>,
    /// Further fields, sent behind all others.
    pub headers: Vec<(String, String)>,
}

impl ClientHello {
    /// A handshake without origin, subprotocols, extensions or further fields.
    #[must_use]
    pub fn new(host: impl Into<String>, target: impl Into<String>, nonce: [u8; 16]) -> Self {
        Self {
            host: host.into(),
            target: target.into(),
            nonce,
            origin: None,
            subprotocols: Vec::new(),
            extensions: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// The value of `Sec-WebSocket-Key`.
    #[must_use]
    pub fn key(&self) -> String {
        encode_nonce(self.nonce)
    }

    /// The bytes of the request.
    ///
    /// # Errors
    ///
    /// If a value would not stay in its place: a line break in a header, a space in the target, a subprotocol that is
    /// no token.
    pub fn encode(&self) -> Result<Vec<u8>, InvalidField> {
        if self.target.is_empty() || !self.target.bytes().all(|byte| byte > b' ' && byte != 0x7F) {
            return Err(InvalidField { field: "the request target".into(), value: self.target.clone() });
        }
        check_value("Host", &self.host)?;
        let mut text = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: \
             {}\r\nSec-WebSocket-Version: 13\r\n",
            self.target,
            self.host,
            self.key()
        );
        // Writing to a string does not fail.
        if let Some(origin) = &self.origin {
            check_value("Origin", origin)?;
            let _ = write!(text, "Origin: {origin}\r\n");
        }
        if !self.subprotocols.is_empty() {
            for name in &self.subprotocols {
                check_token("Sec-WebSocket-Protocol", name)?;
            }
            let _ = write!(text, "Sec-WebSocket-Protocol: {}\r\n", self.subprotocols.join(", "));
        }
        if !self.extensions.is_empty() {
            check_extensions(&self.extensions)?;
            let _ = write!(text, "Sec-WebSocket-Extensions: {}\r\n", format_extensions(&self.extensions));
        }
        for (name, value) in &self.headers {
            check_token("the name of a header field", name)?;
            check_value(name, value)?;
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
        Ok(text.into_bytes())
    }
}

/// A request which is a proper opening handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The Request-URI.
    pub target: String,
    /// The value of `Host`.
    pub host: String,
    /// The value of `Sec-WebSocket-Key`.
    pub key: String,
    /// The value of `Origin`, if there is one and it is text.
    pub origin: Option<String>,
    /// The subprotocols wished for, the best one first.
    pub subprotocols: Vec<String>,
    /// The extensions wished for, the best one first.
    pub extensions: Vec<Extension>,
}

/// Why a request is not a proper opening handshake. [`status`](Self::status) is what to answer, and
/// [`response`](Self::response) the whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// Not even a head.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// Another method.
    #[error("the method is {0:?}, not GET")]
    Method(String),
    /// HTTP/1.0.
    #[error("the version is HTTP/1.{0}, older than HTTP/1.1")]
    HttpVersion(u8),
    /// A target that is neither a path nor an absolute URI.
    #[error("the request target {0:?} is no resource name")]
    Target(String),
    /// No `Host`.
    #[error("there is no Host field")]
    NoHost,
    /// More than one `Host`, or one that is no host.
    #[error("the Host field is not one host")]
    Host,
    /// No `Upgrade`.
    #[error("there is no Upgrade field")]
    NoUpgrade,
    /// `Upgrade` without `websocket`.
    #[error("the Upgrade field does not contain \"websocket\"")]
    Upgrade,
    /// `Connection` is missing or has no token `Upgrade`.
    #[error("the Connection field does not contain the token \"Upgrade\"")]
    Connection,
    /// No key.
    #[error("there is no Sec-WebSocket-Key field")]
    NoKey,
    /// Several keys.
    #[error("there is more than one Sec-WebSocket-Key field")]
    SeveralKeys,
    /// The key is not 16 bytes in base64.
    #[error("the Sec-WebSocket-Key is not 16 bytes in base64")]
    Key,
    /// No version.
    #[error("there is no Sec-WebSocket-Version field")]
    NoVersion,
    /// Several versions.
    #[error("there is more than one Sec-WebSocket-Version field")]
    SeveralVersions,
    /// A version other than 13.
    #[error("the Sec-WebSocket-Version is {0:?}, not 13")]
    Version(String),
    /// `Sec-WebSocket-Protocol` is not a list of tokens.
    #[error("the Sec-WebSocket-Protocol field is not a list of tokens: {0}")]
    Subprotocols(ListError),
    /// A subprotocol is named twice.
    #[error("the subprotocol {0:?} is named twice")]
    SubprotocolTwice(String),
    /// `Sec-WebSocket-Extensions` is not a list of extensions.
    #[error("the Sec-WebSocket-Extensions field is not a list of extensions: {0}")]
    Extensions(ListError),
}

impl RequestError {
    /// The HTTP status to answer with: 400, 405, 426 or 431.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Head(error) => error.status(),
            Self::Method(_) => 405,
            // "send an appropriate HTTP error code (such as 426 Upgrade Required) and a |Sec-WebSocket-Version| header
            // field indicating the version(s) the server is capable of understanding" (RFC 6455, 4.2.2)
            Self::Version(_) | Self::NoUpgrade => 426,
            Self::HttpVersion(_)
            | Self::Target(_)
            | Self::NoHost
            | Self::Host
            | Self::Upgrade
            | Self::Connection
            | Self::NoKey
            | Self::SeveralKeys
            | Self::Key
            | Self::NoVersion
            | Self::SeveralVersions
            | Self::Subprotocols(_)
            | Self::SubprotocolTwice(_)
            | Self::Extensions(_) => 400,
        }
    }

    /// The sentence of RFC 6455 that the request breaks, with its section.
    #[must_use]
    pub const fn rule(&self) -> (&'static str, &'static str) {
        match self {
            Self::Head(_) => ("4.1", "The handshake MUST be a valid HTTP request as specified by [RFC2616]."),
            Self::Method(_) | Self::HttpVersion(_) => {
                ("4.1", "The method of the request MUST be GET, and the HTTP version MUST be at least 1.1.")
            }
            Self::Target(_) => (
                "4.2.1",
                "An HTTP/1.1 or higher GET request, including a \"Request-URI\" [RFC2616] that should be interpreted as \
                 a /resource name/ defined in Section 3 (or an absolute HTTP/HTTPS URI containing the /resource name/).",
            ),
            Self::NoHost | Self::Host => {
                ("4.2.1", "A |Host| header field containing the server's authority.")
            }
            Self::NoUpgrade | Self::Upgrade => (
                "4.2.1",
                "An |Upgrade| header field containing the value \"websocket\", treated as an ASCII case-insensitive \
                 value.",
            ),
            Self::Connection => (
                "4.2.1",
                "A |Connection| header field that includes the token \"Upgrade\", treated as an ASCII \
                 case-insensitive value.",
            ),
            Self::NoKey | Self::Key => (
                "4.2.1",
                "A |Sec-WebSocket-Key| header field with a base64-encoded (see Section 4 of [RFC4648]) value that, \
                 when decoded, is 16 bytes in length.",
            ),
            Self::SeveralKeys => (
                "11.3.1",
                "The |Sec-WebSocket-Key| header field MUST NOT appear more than once in an HTTP request.",
            ),
            Self::NoVersion | Self::Version(_) => {
                ("4.2.1", "A |Sec-WebSocket-Version| header field, with a value of 13.")
            }
            Self::SeveralVersions => (
                "11.3.5",
                "However, the |Sec-WebSocket-Version| header field MUST NOT appear more than once in an HTTP request.",
            ),
            Self::Subprotocols(_) | Self::SubprotocolTwice(_) => (
                "4.1",
                "The elements that comprise this value MUST be non-empty strings with characters in the range U+0021 \
                 to U+007E not including separator characters as defined in [RFC2616] and MUST all be unique strings.",
            ),
            Self::Extensions(_) => (
                "9.1",
                "If a value is received by either the client or the server during negotiation that does not conform \
                 to the ABNF below, the recipient of such malformed data MUST immediately _Fail the WebSocket \
                 Connection_.",
            ),
        }
    }

    /// The whole answer: status, the fields which go with it, the reason as text, and the end of the connection.
    #[must_use]
    pub fn response(&self) -> Vec<u8> {
        let fields: &[(&str, &str)] = match self.status() {
            405 => &[("Allow", "GET")],
            426 => &[("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")],
            _ => &[],
        };
        refuse(self.status(), fields, &self.to_string())
    }
}

impl RequestHead {
    /// Reads the head as a client's opening handshake (RFC 6455, 4.2.1).
    ///
    /// # Errors
    ///
    /// "If the server, while reading the handshake, finds that the client did not send a handshake that matches the
    /// description below [...] the server MUST stop processing the client's handshake and return an HTTP response with
    /// an appropriate error code (such as 400 Bad Request)." (RFC 6455, 4.2.1)
    pub fn validate(&self) -> Result<Request, RequestError> {
        let headers = &self.headers;
        // "An HTTP/1.1 or higher GET request"
        if self.method != "GET" {
            return Err(RequestError::Method(self.method.clone()));
        }
        if self.minor_version < 1 {
            return Err(RequestError::HttpVersion(self.minor_version));
        }
        // "a "Request-URI" [...] that should be interpreted as a /resource name/ [...] (or an absolute HTTP/HTTPS URI
        // containing the /resource name/)"
        if !is_target(&self.target) {
            return Err(RequestError::Target(self.target.clone()));
        }
        // "A |Host| header field containing the server's authority."
        let mut hosts = headers.all("Host");
        let host = hosts.next().ok_or(RequestError::NoHost)?;
        let host = std::str::from_utf8(host).ok().filter(|host| is_host(host)).ok_or(RequestError::Host)?;
        if hosts.next().is_some() {
            return Err(RequestError::Host);
        }
        // "An |Upgrade| header field containing the value "websocket", treated as an ASCII case-insensitive value."
        if headers.get("Upgrade").is_none() {
            return Err(RequestError::NoUpgrade);
        }
        if !headers.all("Upgrade").any(|value| has_token(value, "websocket")) {
            return Err(RequestError::Upgrade);
        }
        // "A |Connection| header field that includes the token "Upgrade", treated as an ASCII case-insensitive value."
        if !headers.all("Connection").any(|value| has_token(value, "upgrade")) {
            return Err(RequestError::Connection);
        }
        // The version comes before the key: another version may have other keys.
        // "A |Sec-WebSocket-Version| header field, with a value of 13."
        let mut versions = headers.all("Sec-WebSocket-Version");
        let version = versions.next().ok_or(RequestError::NoVersion)?;
        if versions.next().is_some() {
            return Err(RequestError::SeveralVersions);
        }
        if version != b"13" {
            return Err(RequestError::Version(String::from_utf8_lossy(version).into_owned()));
        }
        // "A |Sec-WebSocket-Key| header field with a base64-encoded [...] value that, when decoded, is 16 bytes in
        // length."
        let mut keys = headers.all("Sec-WebSocket-Key");
        let key = keys.next().ok_or(RequestError::NoKey)?;
        if keys.next().is_some() {
            return Err(RequestError::SeveralKeys);
        }
        let key = std::str::from_utf8(key).ok().filter(|key| is_key(key)).ok_or(RequestError::Key)?;

        let mut subprotocols: Vec<String> = Vec::new();
        for value in headers.all("Sec-WebSocket-Protocol") {
            subprotocols.extend(parse_tokens(value).map_err(RequestError::Subprotocols)?);
        }
        // "and MUST all be unique strings" (RFC 6455, 4.1)
        let mut sorted: Vec<&String> = subprotocols.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(RequestError::SubprotocolTwice(pair[0].clone()));
        }
        let mut extensions = Vec::new();
        for value in headers.all("Sec-WebSocket-Extensions") {
            extensions.extend(parse_extensions(value).map_err(RequestError::Extensions)?);
        }
        let text = |value: &[u8]| std::str::from_utf8(value).ok().map(str::to_owned);
        Ok(Request {
            target: self.target.clone(),
            host: host.to_owned(),
            key: key.to_owned(),
            origin: headers.get("Origin").and_then(text),
            subprotocols,
            extensions,
        })
    }
}

impl Request {
    /// The bytes of the answer which accepts the connection (RFC 6455, 4.2.2).
    ///
    /// # Errors
    ///
    /// If a value of the agreement would not stay in its place.
    pub fn accept(&self, agreement: &Agreement) -> Result<Vec<u8>, InvalidField> {
        switching_protocols(&self.key, agreement)
    }
}

/// Whether this can be the target of a handshake: a path, or an absolute http or https URI.
pub(crate) fn is_target(value: &str) -> bool {
    let starts =
        |scheme: &str| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    value.starts_with('/') || starts("http://") || starts("https://")
}

/// Whether this can be a host and port: the characters of an authority without user information, not empty, and a port
/// of digits.
pub(crate) fn is_host(value: &str) -> bool {
    let (host, port) = match value.rfind(':') {
        // A colon inside of brackets belongs to an address.
        Some(at) if !value[at..].contains(']') => (&value[..at], &value[at + 1..]),
        _ => (value, ""),
    };
    let name = host.strip_prefix('[').map_or(host, |inner| inner.strip_suffix(']').unwrap_or(""));
    let in_brackets = host.starts_with('[');
    !name.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte) || in_brackets && byte == b':'
        })
}
