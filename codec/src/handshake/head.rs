//! HTTP heads, read in pieces.

use bytes::{Bytes, BytesMut};
use thiserror::Error;

/// How much of a head is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes from the first one to the empty line and with it. Default: 16 KiB.
    pub max_bytes: usize,
    /// The most header fields. Default: 100.
    pub max_headers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 16 * 1024, max_headers: 100 }
    }
}

/// Why bytes are not an HTTP head.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeadError {
    /// No empty line within the limit.
    #[error("the head has more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// More header fields than the limit.
    #[error("the head has more than {limit} header fields")]
    TooManyHeaders {
        /// The limit.
        limit: usize,
    },
    /// Not the syntax of HTTP/1.
    #[error("the head is not HTTP: {0}")]
    Syntax(String),
}

impl HeadError {
    /// The status with which a server answers: 431 for what is too large, 400 otherwise.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::TooLarge { .. } | Self::TooManyHeaders { .. } => 431,
            Self::Syntax(_) => 400,
        }
    }
}

/// Header fields in their order. Names are compared in any case, as RFC 2616 asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(String, Bytes)>);

impl Headers {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a field at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Bytes>) {
        self.0.push((name.into(), value.into()));
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    /// The values of all fields with this name, in order, without surrounding white space.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_ascii())
    }

    /// The value of the first field with this name.
    #[must_use]
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// The method, `GET` for a handshake.
    pub method: String,
    /// The Request-URI as it stands.
    pub target: String,
    /// The minor version: 1 for HTTP/1.1. The major version is 1.
    pub minor_version: u8,
    /// The header fields.
    pub headers: Headers,
    /// The bytes of the head, with the empty line.
    pub raw: Bytes,
}

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// The status code, 101 for a handshake.
    pub status: u16,
    /// The reason phrase, which may be empty.
    pub reason: String,
    /// The minor version: 1 for HTTP/1.1. The major version is 1.
    pub minor_version: u8,
    /// The header fields.
    pub headers: Headers,
    /// The bytes of the head, with the empty line.
    pub raw: Bytes,
}

impl RequestHead {
    /// Parses a complete head.
    ///
    /// # Errors
    ///
    /// If it is not one, or has too many fields.
    pub fn parse(raw: Bytes, limits: &Limits) -> Result<Self, HeadError> {
        let mut fields = vec![httparse::EMPTY_HEADER; limits.max_headers];
        let mut request = httparse::Request::new(&mut fields);
        complete(request.parse(&raw), limits)?;
        Ok(Self {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            minor_version: request.version.unwrap_or_default(),
            headers: headers(&raw, request.headers),
            raw,
        })
    }
}

impl ResponseHead {
    /// Parses a complete head.
    ///
    /// # Errors
    ///
    /// If it is not one, or has too many fields.
    pub fn parse(raw: Bytes, limits: &Limits) -> Result<Self, HeadError> {
        let mut fields = vec![httparse::EMPTY_HEADER; limits.max_headers];
        let mut response = httparse::Response::new(&mut fields);
        complete(response.parse(&raw), limits)?;
        Ok(Self {
            status: response.code.unwrap_or_default(),
            reason: response.reason.unwrap_or_default().to_owned(),
            minor_version: response.version.unwrap_or_default(),
            headers: headers(&raw, response.headers),
            raw,
        })
    }
}

fn complete(result: httparse::Result<usize>, limits: &Limits) -> Result<(), HeadError> {
    match result {
        Ok(httparse::Status::Complete(_)) => Ok(()),
        Ok(httparse::Status::Partial) => Err(HeadError::Syntax("the head is not complete".into())),
        Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooManyHeaders { limit: limits.max_headers }),
        Err(error) => Err(HeadError::Syntax(error.to_string())),
    }
}

fn headers(raw: &Bytes, fields: &[httparse::Header<'_>]) -> Headers {
    // An empty value is not a slice of `raw` that can be counted on.
    let value = |value: &[u8]| if value.is_empty() { Bytes::new() } else { raw.slice_ref(value) };
    Headers(fields.iter().map(|field| (field.name.to_owned(), value(field.value))).collect())
}

/// Finds the end of a head; each byte is looked at once however the head is split.
#[derive(Debug, Default)]
struct HeadBuffer {
    limits: Limits,
    buffer: BytesMut,
    /// scanned <= buffer.len()
    scanned: usize,
    /// Where the line being read begins. line_start <= scanned
    line_start: usize,
    /// Whether a line that is not empty was seen. Empty lines before the first are passed over (RFC 2616, 4.1).
    begun: bool,
}

impl HeadBuffer {
    fn push(&mut self, bytes: &[u8]) -> Result<Option<Bytes>, HeadError> {
        self.buffer.extend_from_slice(bytes);
        while let Some(length) = self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n') {
            let end = self.scanned + length + 1;
            if end > self.limits.max_bytes {
                break;
            }
            let line = &self.buffer[self.line_start..end];
            let empty = matches!(line, b"\n" | b"\r\n");
            self.scanned = end;
            self.line_start = end;
            if empty && self.begun {
                return Ok(Some(self.buffer.split_to(end).freeze()));
            }
            self.begun |= !empty;
        }
        if self.buffer.len() >= self.limits.max_bytes {
            return Err(HeadError::TooLarge { limit: self.limits.max_bytes });
        }
        self.scanned = self.buffer.len();
        Ok(None)
    }
}

macro_rules! reader {
    ($(#[$doc:meta])* $reader:ident, $head:ident) => {
        $(#[$doc])*
        ///
        /// Call [`push`](Self::push) with what arrived until it gives a head. Memory is bounded by the limits, time by
        /// the number of bytes.
        #[derive(Debug, Default)]
        pub struct $reader {
            inner: HeadBuffer,
        }

        impl $reader {
            /// A reader with these limits.
            #[must_use]
            pub fn new(limits: Limits) -> Self {
                Self { inner: HeadBuffer { limits, ..HeadBuffer::default() } }
            }

            /// Takes bytes as they arrived. Gives the head when it is complete, with the bytes that came behind it.
            ///
            /// # Errors
            ///
            /// If the head is larger than the limits or not HTTP. After an error or a head the reader is of no use.
            pub fn push(&mut self, bytes: &[u8]) -> Result<Option<($head, BytesMut)>, HeadError> {
                let Some(raw) = self.inner.push(bytes)? else { return Ok(None) };
                let head = $head::parse(raw, &self.inner.limits)?;
                Ok(Some((head, std::mem::take(&mut self.inner.buffer))))
            }

            /// What arrived so far of a head which is not complete.
            #[must_use]
            pub fn buffered(&self) -> &[u8] {
                &self.inner.buffer
            }
        }
    };
}

reader! {
    /// Reads the head of a request, on the server's side.
    RequestReader, RequestHead
}

reader! {
    /// Reads the head of a response, on the client's side.
    ResponseReader, ResponseHead
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_in_single_bytes_and_what_follows() {
        let mut reader = RequestReader::default();
        let wire = b"\r\nGET /chat HTTP/1.1\r\nHost: a\r\nX-Empty:\r\n\r\n";
        for byte in &wire[..wire.len() - 1] {
            assert_eq!(reader.push(&[*byte]).unwrap(), None);
        }
        let (head, rest) = reader.push(b"\n\x81\x05").unwrap().unwrap();
        assert_eq!((head.method.as_str(), head.target.as_str(), head.minor_version), ("GET", "/chat", 1));
        assert_eq!(head.headers.get("HOST"), Some(&b"a"[..]));
        assert_eq!(head.headers.get("x-empty"), Some(&b""[..]));
        assert_eq!(head.headers.get("y"), None);
        assert_eq!(&rest[..], b"\x81\x05");
        assert_eq!(head.raw, &wire[..]);
    }

    #[test]
    fn the_limits_hold_at_their_boundary() {
        let wire = b"GET / HTTP/1.1\r\nA: b\r\n\r\n";
        let exact = Limits { max_bytes: wire.len(), max_headers: 1 };
        let mut trailing = wire.to_vec();
        trailing.extend_from_slice(&[0; 100]);
        let (_, rest) = RequestReader::new(exact).push(&trailing).unwrap().unwrap();
        assert_eq!(rest.len(), 100);
        let short = Limits { max_bytes: wire.len() - 1, max_headers: 1 };
        let error = RequestReader::new(short).push(wire).unwrap_err();
        assert_eq!((error.status(), error.to_string().as_str()), (431, "the head has more than 23 bytes"));
        let few = Limits { max_bytes: 1000, max_headers: 0 };
        assert_eq!(RequestReader::new(few).push(wire).unwrap_err(), HeadError::TooManyHeaders { limit: 0 });
        let mut endless = RequestReader::new(Limits { max_bytes: 64, max_headers: 1 });
        assert!((0..64).any(|_| endless.push(b"x").is_err()));
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for wire in
            ["GET\r\n\r\n", "\u{1}\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\r\nA b\r\n\r\n"]
        {
            let error = RequestReader::default().push(wire.as_bytes()).unwrap_err();
            assert_eq!(error.status(), 400, "{wire:?}");
        }
        assert!(ResponseReader::default().push(b"HTTP/1.1 abc\r\n\r\n").is_err());
        let (head, _) = ResponseReader::default().push(b"HTTP/1.1 101 Any Thing\r\n\r\n").unwrap().unwrap();
        assert_eq!((head.status, head.reason.as_str()), (101, "Any Thing"));
    }
}
