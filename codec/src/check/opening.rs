//! What a head of the opening handshake can break: every sentence of it, not only the first.

use std::collections::HashSet;

use super::{Rule, Violation};
use crate::deflate::{self, InvalidResponse, Offer};
use crate::handshake::{
    Extension, RequestError, RequestHead, ResponseError, ResponseHead, accept_key, has_token, is_token,
    parse_extensions, parse_tokens,
};

/// What a request asked for, as far as the response has to answer it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// The value of `Sec-WebSocket-Key`.
    pub key: String,
    /// What else may be taken for the key where the field is there several times: each of the others, and all of them as the
    /// list that RFC 2616 4.2 makes of such a field. The request breaks RFC 6455 11.3.1, which does not say what is hashed then.
    pub other_keys: Vec<String>,
    /// The subprotocols wished for.
    pub subprotocols: Vec<String>,
    /// The extensions wished for.
    pub extensions: Vec<Extension>,
    /// Whether there is a list of extensions that cannot be read, so that nobody can say what it wishes for.
    pub unreadable_extensions: bool,
}

impl Asked {
    /// What a request asks for, lawful or not: the first key, and of the lists what can be read.
    #[must_use]
    pub fn of(head: &RequestHead) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = &head.headers;
        let mut keys: Vec<_> = headers.all("Sec-WebSocket-Key").map(text).collect();
        if keys.len() > 1 {
            keys.push(keys.join(", "));
        }
        let mut keys = keys.into_iter();
        Self {
            key: keys.next().unwrap_or_default(),
            other_keys: keys.collect(),
            subprotocols: headers
                .all("Sec-WebSocket-Protocol")
                .flat_map(|value| parse_tokens(value).unwrap_or_default())
                .collect(),
            extensions: headers
                .all("Sec-WebSocket-Extensions")
                .flat_map(|value| parse_extensions(value).unwrap_or_default())
                .collect(),
            unreadable_extensions: headers
                .all("Sec-WebSocket-Extensions")
                .any(|value| parse_extensions(value).is_err()),
        }
    }

    /// Whether `accept` is made of the key, or of something that may be taken for it.
    fn is_answered_by(&self, accept: &[u8]) -> bool {
        let mut keys = std::iter::once(&self.key).chain(&self.other_keys);
        keys.any(|key| accept == accept_key(key).as_bytes())
    }

    /// The offers of permessage-deflate that are valid (RFC 7692, 7.1).
    #[must_use]
    pub fn deflate_offers(&self) -> Vec<Offer> {
        let named = self.extensions.iter().filter(|offer| offer.name == deflate::NAME);
        named.filter_map(|offer| Offer::parse(offer).ok()).collect()
    }
}

/// "HTTP/1.1 defines the sequence CR LF as the end-of-line marker" (RFC 2616, 2.2). A recipient may take less, a sender may
/// not send it.
fn has_bare_line_feed(raw: &[u8]) -> bool {
    raw.first() == Some(&b'\n') || raw.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r')
}

/// Everything that a client's request breaks (RFC 6455, 4.1); whether its nonce is fresh only other connections tell.
#[must_use]
pub fn request(head: &RequestHead) -> Vec<Violation> {
    let mut broken = Vec::new();
    if has_bare_line_feed(&head.raw) {
        broken.push(Violation::new(Rule::RequestSyntax, "a line of the request ends in a line feed alone"));
    }
    let mut add = |rule, error: RequestError| broken.push(Violation::new(rule, error.to_string()));
    let headers = &head.headers;
    if head.method != "GET" {
        add(Rule::RequestMethod, RequestError::Method(head.method.clone()));
    }
    if head.minor_version < 1 {
        add(Rule::RequestHttpVersion, RequestError::HttpVersion(head.minor_version));
    }
    if !crate::handshake::is_target(&head.target) {
        add(Rule::RequestTarget, RequestError::Target(head.target.clone()));
    }
    match headers.all("Host").collect::<Vec<_>>()[..] {
        [] => add(Rule::RequestHost, RequestError::NoHost),
        [host] if std::str::from_utf8(host).is_ok_and(crate::handshake::is_host) => {}
        _ => add(Rule::RequestHost, RequestError::Host),
    }
    if headers.get("Upgrade").is_none() {
        add(Rule::RequestUpgrade, RequestError::NoUpgrade);
    } else if !headers.all("Upgrade").any(|value| has_token(value, "websocket")) {
        add(Rule::RequestUpgrade, RequestError::Upgrade);
    }
    if !headers.all("Connection").any(|value| has_token(value, "upgrade")) {
        add(Rule::RequestConnection, RequestError::Connection);
    }
    match headers.all("Sec-WebSocket-Version").collect::<Vec<_>>()[..] {
        [] => add(Rule::RequestVersionMissing, RequestError::NoVersion),
        [b"13"] => {}
        [other] => {
            let version = String::from_utf8_lossy(other).into_owned();
            add(Rule::RequestVersion, RequestError::Version(version));
        }
        _ => add(Rule::RequestVersionOnce, RequestError::SeveralVersions),
    }
    match headers.all("Sec-WebSocket-Key").collect::<Vec<_>>()[..] {
        [] => add(Rule::RequestKeyMissing, RequestError::NoKey),
        [key] if std::str::from_utf8(key).is_ok_and(crate::handshake::is_key) => {}
        [_] => add(Rule::RequestKey, RequestError::Key),
        _ => add(Rule::RequestKeyOnce, RequestError::SeveralKeys),
    }
    let mut names = HashSet::new();
    for value in headers.all("Sec-WebSocket-Protocol") {
        match parse_tokens(value) {
            Ok(tokens) => {
                for name in tokens {
                    if !names.insert(name.clone()) {
                        add(Rule::RequestSubprotocolTwice, RequestError::SubprotocolTwice(name));
                    }
                }
            }
            Err(error) => add(Rule::RequestSubprotocols, RequestError::Subprotocols(error)),
        }
    }
    let mut offers = Vec::new();
    for value in headers.all("Sec-WebSocket-Extensions") {
        match parse_extensions(value) {
            Ok(extensions) => offers.extend(extensions),
            Err(error) => add(Rule::ExtensionSyntax, RequestError::Extensions(error)),
        }
    }
    for offer in offers.iter().filter(|offer| offer.name == deflate::NAME) {
        if let Err(error) = Offer::parse(offer) {
            broken.push(Violation::new(Rule::ExtensionParams, format!("the offer {offer}: {error}")));
        }
    }
    broken
}

/// Everything that a server's response with status 101 breaks (RFC 6455, 4.2.2; RFC 7692, 5 and 7), read as the answer to
/// what was asked.
#[must_use]
pub fn response(head: &ResponseHead, asked: &Asked) -> Vec<Violation> {
    let mut broken = Vec::new();
    if has_bare_line_feed(&head.raw) {
        broken.push(Violation::new(Rule::ResponseSyntax, "a line of the response ends in a line feed alone"));
    }
    let mut add = |rule, error: ResponseError| broken.push(Violation::new(rule, error.to_string()));
    let headers = &head.headers;
    if head.minor_version < 1 {
        add(Rule::ResponseSyntax, ResponseError::HttpVersion(head.minor_version));
    }
    let upgrades: Vec<_> = headers.all("Upgrade").collect();
    if upgrades.is_empty() || !upgrades.iter().all(|value| value.eq_ignore_ascii_case(b"websocket")) {
        add(Rule::ResponseUpgrade, ResponseError::Upgrade);
    }
    if !headers.all("Connection").any(|value| has_token(value, "upgrade")) {
        add(Rule::ResponseConnection, ResponseError::Connection);
    }
    match headers.all("Sec-WebSocket-Accept").collect::<Vec<_>>()[..] {
        [] => add(Rule::ResponseAccept, ResponseError::NoAccept),
        [accept] if asked.is_answered_by(accept) => {}
        [_] => add(Rule::ResponseAccept, ResponseError::Accept),
        _ => add(Rule::ResponseAcceptOnce, ResponseError::SeveralAccepts),
    }
    match headers.all("Sec-WebSocket-Protocol").collect::<Vec<_>>()[..] {
        [] => {}
        [name] => match std::str::from_utf8(name).ok().filter(|name| is_token(name)) {
            None => add(Rule::ResponseSubprotocol, ResponseError::Subprotocol),
            Some(name) if !asked.subprotocols.iter().any(|offered| offered == name) => {
                add(Rule::ResponseSubprotocol, ResponseError::SubprotocolNotOffered(name.to_owned()));
            }
            Some(_) => {}
        },
        _ => add(Rule::ResponseSubprotocolOnce, ResponseError::Subprotocol),
    }
    let mut extensions: Vec<Extension> = Vec::new();
    for value in headers.all("Sec-WebSocket-Extensions") {
        match parse_extensions(value) {
            Ok(found) => extensions.extend(found),
            Err(error) => add(Rule::ExtensionSyntax, ResponseError::Extensions(error)),
        }
    }
    for Extension { name, .. } in &extensions {
        let offered = asked.extensions.iter().any(|offered| offered.name == *name);
        if !offered && !asked.unreadable_extensions {
            add(Rule::ResponseExtension, ResponseError::ExtensionNotOffered(name.clone()));
        }
    }
    let fields = headers.all("Sec-WebSocket-Extensions").count();
    if fields > 1 {
        let detail = format!("there are {fields} Sec-WebSocket-Extensions fields");
        broken.push(Violation::new(Rule::ResponseExtensionsOnce, detail));
    }
    // What was never offered at all is said already.
    let offered = asked.extensions.iter().any(|offer| offer.name == deflate::NAME);
    if offered && let Err(error) = deflate::accept_response(&extensions, &asked.deflate_offers()) {
        let rule = match error {
            InvalidResponse::Param(_) => Rule::ExtensionParams,
            InvalidResponse::SeveralTimes | InvalidResponse::NotOffered(_) => Rule::ResponseDeflate,
        };
        broken.push(Violation::new(rule, error.to_string()));
    }
    broken
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::handshake::Limits;

    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: example.com:80\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

    fn of_request(text: &str) -> Vec<Rule> {
        let head = RequestHead::parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::default()).unwrap();
        request(&head).into_iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn every_line_of_a_request_is_looked_at() {
        assert_eq!(of_request(REQUEST), []);
        for (from, to, rule) in [
            ("GET /chat", "POST /chat", Rule::RequestMethod),
            ("HTTP/1.1", "HTTP/1.0", Rule::RequestHttpVersion),
            ("/chat", "*", Rule::RequestTarget),
            ("HTTP/1.1\r\n", "HTTP/1.1\n", Rule::RequestSyntax),
            ("Host: example.com:80\r\n", "", Rule::RequestHost),
            ("example.com:80", "example.com:80\r\nHost: b", Rule::RequestHost),
            ("Upgrade: websocket\r\n", "", Rule::RequestUpgrade),
            ("Upgrade: websocket", "Upgrade: h2c", Rule::RequestUpgrade),
            ("Connection: Upgrade", "Connection: close", Rule::RequestConnection),
            ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", Rule::RequestKeyMissing),
            ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j", Rule::RequestKey),
            (
                "dGhlIHNhbXBsZSBub25jZQ==",
                "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: x",
                Rule::RequestKeyOnce,
            ),
            ("Version: 13", "Version: 8", Rule::RequestVersion),
            ("Sec-WebSocket-Version: 13\r\n", "", Rule::RequestVersionMissing),
            ("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 13", Rule::RequestVersionOnce),
            ("a, b", "a, a", Rule::RequestSubprotocolTwice),
            ("a, b", "a b", Rule::RequestSubprotocols),
            ("client_max_window_bits", "=", Rule::ExtensionSyntax),
            ("client_max_window_bits", "client_max_window_bits=7", Rule::ExtensionParams),
        ] {
            assert_eq!(of_request(&REQUEST.replacen(from, to, 1)), [rule], "{from} -> {to}");
        }
        let several = REQUEST.replacen("GET", "PUT", 1).replacen("Connection: Upgrade", "Connection: x", 1);
        assert_eq!(of_request(&several), [Rule::RequestMethod, Rule::RequestConnection]);
    }

    #[test]
    fn every_line_of_a_response_is_looked_at() {
        const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: b\r\n\
            Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        let asked = Asked {
            key: "dGhlIHNhbXBsZSBub25jZQ==".to_owned(),
            other_keys: Vec::new(),
            subprotocols: vec!["a".to_owned(), "b".to_owned()],
            extensions: vec![Extension::new(deflate::NAME)],
            unreadable_extensions: false,
        };
        let of = |text: &str| -> Vec<Rule> {
            let head =
                ResponseHead::parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::default()).unwrap();
            response(&head, &asked).into_iter().map(|violation| violation.rule).collect()
        };
        assert_eq!(of(RESPONSE), []);
        for (from, to, rule) in [
            ("HTTP/1.1", "HTTP/1.0", Rule::ResponseSyntax),
            ("upgrade\r\n", "upgrade\n", Rule::ResponseSyntax),
            ("Upgrade: WebSocket\r\n", "", Rule::ResponseUpgrade),
            ("Upgrade: WebSocket", "Upgrade: h2c", Rule::ResponseUpgrade),
            ("Connection: upgrade", "Connection: close", Rule::ResponseConnection),
            ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "", Rule::ResponseAccept),
            ("s3pPLM", "S3pPLM", Rule::ResponseAccept),
            ("xOo=", "xOo=\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Rule::ResponseAcceptOnce),
            ("Protocol: b", "Protocol: c", Rule::ResponseSubprotocol),
            ("Protocol: b", "Protocol: B", Rule::ResponseSubprotocol),
            ("Protocol: b", "Protocol: a, b", Rule::ResponseSubprotocol),
            ("Protocol: b", "Protocol: b\r\nSec-WebSocket-Protocol: b", Rule::ResponseSubprotocolOnce),
            ("permessage-deflate", "permessage-deflate, x-other", Rule::ResponseExtension),
            ("permessage-deflate", "permessage-deflate;", Rule::ExtensionSyntax),
            ("permessage-deflate", "permessage-deflate; client_max_window_bits=9", Rule::ResponseDeflate),
            ("permessage-deflate", "permessage-deflate, permessage-deflate", Rule::ResponseDeflate),
            ("permessage-deflate", "permessage-deflate; server_max_window_bits=16", Rule::ExtensionParams),
            (
                "permessage-deflate",
                "permessage-deflate\r\nSec-WebSocket-Extensions: ",
                Rule::ResponseExtensionsOnce,
            ),
        ] {
            let found = of(&RESPONSE.replacen(from, to, 1));
            assert!(found.contains(&rule), "{from} -> {to}: {found:?}");
        }
    }
    #[test]
    fn of_several_keys_any_one_may_be_answered_or_all_as_a_list() {
        let second = REQUEST.replacen("\r\n\r\n", "\r\nSec-WebSocket-Key: AAAA\r\n\r\n", 1);
        let asked = |text: &str| {
            let head =
                RequestHead::parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::default()).unwrap();
            Asked::of(&head)
        };
        let (once, twice) = (asked(REQUEST), asked(&second));
        let list = format!("{}, AAAA", once.key);
        assert!(once.is_answered_by(accept_key(&once.key).as_bytes()));
        assert!(!once.is_answered_by(accept_key("AAAA").as_bytes()));
        assert!(!once.is_answered_by(accept_key("").as_bytes()));
        for key in [once.key.as_str(), "AAAA", list.as_str()] {
            assert!(twice.is_answered_by(accept_key(key).as_bytes()), "{key}");
        }
        assert!(!twice.is_answered_by(accept_key("BBBB").as_bytes()));
    }
    #[test]
    fn what_a_list_that_cannot_be_read_offers_is_not_known() {
        let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: x-other\r\n\r\n";
        let answer = ResponseHead::parse(Bytes::from_static(answer.as_bytes()), &Limits::default()).unwrap();
        let broken = |offer: &str| -> Vec<Rule> {
            let request = REQUEST.replacen("permessage-deflate; client_max_window_bits", offer, 1);
            let head = RequestHead::parse(Bytes::from(request), &Limits::default()).unwrap();
            response(&answer, &Asked::of(&head)).into_iter().map(|violation| violation.rule).collect()
        };
        assert_eq!(broken("x-other"), []);
        assert_eq!(broken("x-unlike"), [Rule::ResponseExtension]);
        assert_eq!(broken("x-other;"), []);
    }
}
