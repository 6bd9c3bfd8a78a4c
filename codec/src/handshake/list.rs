//! Lists in header fields.

use std::fmt::{self, Write as _};

use thiserror::Error;

/// An element of `Sec-WebSocket-Extensions` (RFC 6455, 9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The name, a token.
    pub name: String,
    /// The parameters in their order.
    pub params: Vec<Param>,
}

/// A parameter of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// The name, a token.
    pub name: String,
    /// The value without quotes, a token; `None` if there is none.
    pub value: Option<String>,
}

impl Extension {
    /// An extension without parameters.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), params: Vec::new() }
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: Option<String>) -> Self {
        self.params.push(Param { name: name.into(), value });
        self
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for Param { name, value } in &self.params {
            write!(f, "; {name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

/// The value of a header field for these extensions.
#[must_use]
pub fn format_extensions(extensions: &[Extension]) -> String {
    let mut text = String::new();
    for (at, extension) in extensions.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(text, "{}{extension}", if at == 0 { "" } else { ", " });
    }
    text
}

/// Where a list does not follow its grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what} at byte {position}")]
pub struct ListError {
    /// The byte of the field's value, counted from 0.
    pub position: usize,
    /// What was expected or found.
    pub what: &'static str,
}

/// Whether a byte may be in a token: a CHAR except controls and separators (RFC 2616, 2.2).
const fn is_token_byte(byte: u8) -> bool {
    byte > 0x20
        && byte < 0x7F
        && !matches!(
            byte,
            b'(' | b')'
                | b'<'
                | b'>'
                | b'@'
                | b','
                | b';'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'='
                | b'{'
                | b'}'
        )
}

/// Whether this is a token of RFC 2616: not empty, no controls, spaces or separators.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether a comma-separated header value has this token, in any case. Linear, and does not judge the other elements.
#[must_use]
pub fn has_token(value: &[u8], token: &str) -> bool {
    value
        .split(|byte| *byte == b',')
        .any(|element| element.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// A position in a header value. Each byte is looked at a fixed number of times.
struct Cursor<'a> {
    value: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn error(&self, what: &'static str) -> ListError {
        ListError { position: self.at, what }
    }

    fn peek(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Takes `byte` and the spaces behind it, if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
            self.skip_space();
        }
        found
    }

    fn token(&mut self) -> Result<String, ListError> {
        let rest = &self.value[self.at..];
        let len = rest.iter().position(|byte| !is_token_byte(*byte)).unwrap_or(rest.len());
        if len == 0 {
            return Err(self.error("expected a token"));
        }
        self.at += len;
        let token = rest[..len].iter().map(|byte| char::from(*byte)).collect();
        self.skip_space();
        Ok(token)
    }

    /// The value of a parameter. "When using the quoted-string syntax variant, the value after quoted-string unescaping
    /// MUST conform to the 'token' ABNF." (RFC 6455, 9.1)
    fn param_value(&mut self) -> Result<String, ListError> {
        if self.peek() != Some(b'"') {
            return self.token();
        }
        self.at += 1;
        let mut value = String::new();
        loop {
            let byte = match self.peek() {
                None => return Err(self.error("a quoted value without its closing quote")),
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    self.peek().ok_or_else(|| self.error("a quoted value without its closing quote"))?
                }
                Some(byte) => byte,
            };
            if !is_token_byte(byte) {
                return Err(self.error("a quoted value which is not a token"));
            }
            value.push(char::from(byte));
            self.at += 1;
        }
        if value.is_empty() {
            return Err(self.error("an empty value"));
        }
        self.at += 1;
        self.skip_space();
        Ok(value)
    }

    /// `1#element`: at least one element, separated by commas; between commas there may be nothing (RFC 2616, 2.1).
    fn list<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, ListError>,
    ) -> Result<Vec<T>, ListError> {
        let mut elements = Vec::new();
        self.skip_space();
        loop {
            while self.take(b',') {}
            if self.peek().is_none() {
                break;
            }
            elements.push(element(self)?);
            if self.peek().is_some_and(|byte| byte != b',') {
                return Err(self.error("expected a comma"));
            }
        }
        if elements.is_empty() { Err(self.error("an empty list")) } else { Ok(elements) }
    }
}

/// Reads one value of `Sec-WebSocket-Extensions`; a field which occurs several times is read value by value. Takes
/// time in proportion to its length.
///
/// # Errors
///
/// If the value does not follow the grammar of RFC 6455, 9.1.
pub fn parse_extensions(value: &[u8]) -> Result<Vec<Extension>, ListError> {
    Cursor { value, at: 0 }.list(|cursor| {
        let mut extension = Extension::new(cursor.token()?);
        while cursor.take(b';') {
            let name = cursor.token()?;
            let value = if cursor.take(b'=') { Some(cursor.param_value()?) } else { None };
            extension.params.push(Param { name, value });
        }
        Ok(extension)
    })
}

/// Reads one value of a field which is a list of tokens, such as `Sec-WebSocket-Protocol`.
///
/// # Errors
///
/// If the value is not `1#token` (RFC 6455, 4.3).
pub fn parse_tokens(value: &[u8]) -> Result<Vec<String>, ListError> {
    Cursor { value, at: 0 }.list(Cursor::token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_section_9_1() {
        let list = parse_extensions(b"mux; max-channels=4; flow-control,\tdeflate-stream").unwrap();
        assert_eq!(
            list,
            [
                Extension::new("mux").with("max-channels", Some("4".into())).with("flow-control", None),
                Extension::new("deflate-stream"),
            ]
        );
        assert_eq!(format_extensions(&list), "mux; max-channels=4; flow-control, deflate-stream");
        assert_eq!(parse_extensions(b"foo").unwrap(), [Extension::new("foo")]);
    }

    #[test]
    fn quoted_values_lose_their_quotes() {
        let ten = [Extension::new("permessage-foo").with("x", Some("10".into()))];
        for text in ["permessage-foo; x=10", "permessage-foo ;x = \"10\"", "permessage-foo;x=\"\\1\\0\" , "] {
            assert_eq!(parse_extensions(text.as_bytes()).unwrap(), ten, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_list_is_located() {
        for (text, position) in [
            ("", 0),
            (" , ,", 4),
            ("a b", 2),
            ("a;", 2),
            ("a;b=", 4),
            ("a;b=\"\"", 5),
            ("a;b=\"c", 6),
            ("a;b=\"c\\", 7),
            ("a;b=\"c d\"", 6),
            ("a;;b", 2),
            ("=", 0),
            ("a, \u{e4}", 3),
        ] {
            assert_eq!(parse_extensions(text.as_bytes()).map_err(|e| e.position), Err(position), "{text:?}");
        }
        let error = parse_extensions(b"a b").unwrap_err();
        assert_eq!(error.to_string(), "expected a comma at byte 2");
    }

    #[test]
    fn token_lists() {
        assert_eq!(parse_tokens(b"chat,  superchat,,x").unwrap(), ["chat", "superchat", "x"]);
        assert!(parse_tokens(b"a;b").is_err());
        assert!(parse_tokens(b"").is_err());
        assert!(has_token(b"keep-alive, uPGRADE", "upgrade"));
        assert!(!has_token(b"keep-alive, upgraded", "upgrade"));
        assert!(is_token("a-b.c") && !is_token("a b") && !is_token("") && !is_token("a/b"));
    }

    #[test]
    fn a_long_hostile_value_is_read_once() {
        let spaces = [b"a".as_slice(), &vec![b' '; 1 << 20], b"b"].concat();
        assert_eq!(parse_tokens(&spaces).map_err(|e| e.position), Err((1 << 20) + 1));
        let escapes = [b"a; b=\"".as_slice(), &b"\\c".repeat(1 << 19)].concat();
        assert!(parse_extensions(&escapes).is_err());
    }
}
