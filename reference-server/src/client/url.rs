//! `ws` and `wss` addresses (RFC 6455, section 3).

use std::{fmt, net::Ipv6Addr, str::FromStr};

use thiserror::Error;

/// A parsed `ws://host[:port]/path[?query]`, or `wss://`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether it is `wss`.
    secure: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// Path and query, beginning with `/`.
    resource: String,
}

/// Why a text is not a usable `ws` address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UrlError {
    /// The scheme is missing or neither `ws` nor `wss`.
    #[error("the address must begin with ws:// or wss://")]
    Scheme,
    /// Whoever is to connect there speaks no TLS.
    #[error("wss:// needs TLS, which is not built in")]
    Tls,
    /// "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used on these URIs."
    #[error("a WebSocket address cannot have a fragment (#); write %23 for the character")]
    Fragment,
    /// `user:password@host`.
    #[error("a WebSocket address cannot have a user name")]
    User,
    /// There is nothing between `://` and the path.
    #[error("the host is missing")]
    NoHost,
    /// The host has characters that cannot be in one.
    #[error("the host is not a name or an address")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// Spaces, control characters or letters beyond ASCII in path or query.
    #[error("the path has characters that must be percent-encoded")]
    Path,
}

impl Url {
    /// Whether TLS is spoken there: "wss" instead of "ws".
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The name or address to connect to.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What stands in the request line: path and query.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The value of the `Host` header: the port is only there if it is not the default (section 4.1, item 4).
    #[must_use]
    pub fn host_header(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == default_port(self.secure) { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.host_header(), self.resource)
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let secure = scheme.eq_ignore_ascii_case("wss");
        if !secure && !scheme.eq_ignore_ascii_case("ws") {
            return Err(UrlError::Scheme);
        }
        if rest.contains('#') {
            return Err(UrlError::Fragment);
        }
        let (authority, resource) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') {
            return Err(UrlError::User);
        }
        let (host, port) = split_port(authority, default_port(secure))?;
        if !resource.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(UrlError::Path);
        }
        // "If the path component is empty, it is /" (section 3, resource-name).
        let slash = if resource.starts_with('/') { "" } else { "/" };
        Ok(Self { secure, host: host.to_owned(), port, resource: format!("{slash}{resource}") })
    }
}

/// "The port component is OPTIONAL; the default for "ws" is port 80, while the default for "wss" is port 443."
fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

fn split_port(authority: &str, default: u16) -> Result<(&str, u16), UrlError> {
    let (host, port) = if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']').ok_or(UrlError::Host)?;
        host.parse::<Ipv6Addr>().map_err(|_| UrlError::Host)?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(UrlError::Host),
        }
    } else {
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        if host.is_empty() {
            return Err(UrlError::NoHost);
        }
        if !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)) {
            return Err(UrlError::Host);
        }
        (host, port)
    };
    let port = match port {
        None => default,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
            Ok(port @ 1..) => port,
            Ok(0) | Err(_) => return Err(UrlError::Port),
        },
        Some(_) => return Err(UrlError::Port),
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, u16, String, String) {
        let url: Url = text.parse().unwrap();
        (url.host().to_owned(), url.port(), url.resource().to_owned(), url.host_header())
    }

    fn expect(text: &str, host: &str, port: u16, resource: &str, header: &str) {
        assert_eq!((host.to_owned(), port, resource.to_owned(), header.to_owned()), parts(text), "{text}");
    }

    #[test]
    fn addresses_are_taken_apart() {
        expect("ws://example.org", "example.org", 80, "/", "example.org");
        expect("WS://example.org:80/", "example.org", 80, "/", "example.org");
        expect("ws://127.0.0.1:9001/a/b?c=d/e", "127.0.0.1", 9001, "/a/b?c=d/e", "127.0.0.1:9001");
        expect("ws://localhost:1?x", "localhost", 1, "/?x", "localhost:1");
        expect("ws://[::1]:9001/", "::1", 9001, "/", "[::1]:9001");
        expect("ws://[::1]", "::1", 80, "/", "[::1]");
        expect("wss://example.org", "example.org", 443, "/", "example.org");
        expect("WSS://example.org:443/", "example.org", 443, "/", "example.org");
        expect("wss://example.org:80/", "example.org", 80, "/", "example.org:80");
        expect("ws://example.org:443/", "example.org", 443, "/", "example.org:443");
    }

    #[test]
    fn they_are_written_as_they_were_read() {
        for text in
            ["ws://example.org/", "wss://example.org/", "wss://[::1]:9001/a?b", "ws://example.org:443/"]
        {
            let url: Url = text.parse().unwrap();
            assert_eq!(text, url.to_string());
            assert_eq!(text.starts_with("wss"), url.is_secure());
        }
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for (text, error) in [
            ("localhost:9001", UrlError::Scheme),
            ("http://localhost/", UrlError::Scheme),
            ("wsss://localhost/", UrlError::Scheme),
            ("ws://localhost/#top", UrlError::Fragment),
            ("ws://me:secret@localhost/", UrlError::User),
            ("ws:///path", UrlError::NoHost),
            ("ws://:9001/", UrlError::NoHost),
            ("ws://a b/", UrlError::Host),
            ("ws://[::1/", UrlError::Host),
            ("ws://[::1]x/", UrlError::Host),
            ("ws://[localhost]/", UrlError::Host),
            ("ws://localhost:/", UrlError::Port),
            ("ws://localhost:0/", UrlError::Port),
            ("ws://localhost:+1/", UrlError::Port),
            ("ws://localhost:65536/", UrlError::Port),
            ("ws://localhost/a b", UrlError::Path),
            ("ws://localhost/a\r\nX: y", UrlError::Path),
            ("ws://localhost/ä", UrlError::Path),
        ] {
            assert_eq!(Err(error), text.parse::<Url>(), "{text}");
        }
    }
}
