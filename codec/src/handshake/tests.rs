//! Each reason to refuse, on both sides.

use super::{
    Agreement, ClientHello, Extension, Limits, RequestError, RequestReader, ResponseError, ResponseReader,
    refuse,
};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: \
                       Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn request(text: &str) -> Result<super::Request, RequestError> {
    let (head, _) = RequestReader::default().push(text.as_bytes())?.expect("complete");
    head.validate()
}

/// The request with one text replaced by another.
fn changed(from: &str, to: &str) -> Result<super::Request, RequestError> {
    assert!(REQUEST.contains(from), "{from}");
    request(&REQUEST.replace(from, to))
}

#[test]
fn a_proper_request() {
    let request = changed(
        "Connection: Upgrade\r\n",
        "connection: keep-alive, upGRADE\r\nOrigin: http://a\r\nSec-WebSocket-Protocol: chat\r\n\
         Sec-WebSocket-Extensions: foo; a=1\r\nSec-WebSocket-Protocol: superchat\r\nSec-WebSocket-Extensions: bar\r\n",
    )
    .unwrap();
    assert_eq!((request.target.as_str(), request.host.as_str()), ("/chat", "server.example.com"));
    assert_eq!(request.origin.as_deref(), Some("http://a"));
    assert_eq!(request.subprotocols, ["chat", "superchat"]);
    assert_eq!(
        request.extensions,
        [Extension::new("foo").with("a", Some("1".into())), Extension::new("bar")]
    );
    assert!(changed("Upgrade: websocket", "Upgrade: h2c, WebSocket").is_ok());
    assert!(changed("server.example.com", "[::1]:8080").is_ok());
}

#[test]
fn reasons_to_refuse_a_request() {
    use RequestError as E;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    let cases: Vec<(&str, String, E, u16)> = vec![
        ("GET", "POST".into(), E::Method("POST".into()), 405),
        ("HTTP/1.1", "HTTP/1.0".into(), E::HttpVersion(0), 400),
        ("Host: server.example.com\r\n", String::new(), E::NoHost, 400),
        ("Host: server.example.com\r\n", "Host: a\r\nHost: b\r\n".into(), E::Host, 400),
        ("server.example.com", "a b".into(), E::Host, 400),
        ("server.example.com", "a:port".into(), E::Host, 400),
        ("server.example.com", "[::1".into(), E::Host, 400),
        ("Upgrade: websocket\r\n", String::new(), E::NoUpgrade, 426),
        ("Upgrade: websocket", "Upgrade: websockets".into(), E::Upgrade, 400),
        ("Connection: Upgrade\r\n", String::new(), E::Connection, 400),
        ("Connection: Upgrade", "Connection: keep-alive".into(), E::Connection, 400),
        (key, String::new(), E::NoKey, 400),
        (key, key.repeat(2), E::SeveralKeys, 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==".into(), E::Key, 400),
        (version, String::new(), E::NoVersion, 400),
        (version, version.repeat(2), E::SeveralVersions, 400),
        ("Version: 13", "Version: 8".into(), E::Version("8".into()), 426),
        ("Version: 13", "Version: 013".into(), E::Version("013".into()), 426),
        (
            version,
            format!("{version}Sec-WebSocket-Protocol: a, b, a\r\n"),
            E::SubprotocolTwice("a".into()),
            400,
        ),
    ];
    for (from, to, error, status) in cases {
        let found = changed(from, &to).unwrap_err();
        assert_eq!(found, error, "{from} {to}");
        assert_eq!(found.status(), status, "{found}");
        assert!(!found.rule().0.is_empty() && found.rule().1.ends_with('.'));
    }
    let bad_list = |name: &str, value: &str| changed(version, &format!("{version}{name}: {value}\r\n"));
    assert!(matches!(bad_list("Sec-WebSocket-Protocol", "a b"), Err(E::Subprotocols(_))));
    assert!(matches!(bad_list("Sec-WebSocket-Protocol", ""), Err(E::Subprotocols(_))));
    assert!(matches!(bad_list("Sec-WebSocket-Extensions", "a; b=\"c"), Err(E::Extensions(_))));
    assert!(matches!(request("GET\r\n\r\n"), Err(E::Head(_))));
}

#[test]
fn answers_of_refusal_are_literal() {
    let text = String::from_utf8(RequestError::Version("8".into()).response()).unwrap();
    assert_eq!(
        text,
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade, \
         close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 41\r\n\r\nthe Sec-WebSocket-Version is \
         \"8\", not 13\n"
    );
    let text = String::from_utf8(refuse(403, &[("X", "a\r\nb\0c")], "no")).unwrap();
    assert!(text.starts_with("HTTP/1.1 403 Forbidden\r\nX: a  b c\r\nConnection: close\r\n"), "{text}");
    let text = String::from_utf8(RequestError::Method("PUT".into()).response()).unwrap();
    assert!(text.contains("\r\nAllow: GET\r\n"));
}

#[test]
fn a_request_is_literal() {
    let mut hello = ClientHello::new("a:81", "/x?y", *b"the sample nonce");
    hello.origin = Some("http://a".into());
    hello.subprotocols = vec!["chat".into(), "superchat".into()];
    hello.extensions = vec![Extension::new("foo").with("bits", Some("9".into()))];
    hello.headers = vec![("Cookie".into(), "a=b".into())];
    assert_eq!(
        String::from_utf8(hello.encode().unwrap()).unwrap(),
        "GET /x?y HTTP/1.1\r\nHost: a:81\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: \
         dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://a\r\nSec-WebSocket-Protocol: chat, \
         superchat\r\nSec-WebSocket-Extensions: foo; bits=9\r\nCookie: a=b\r\n\r\n"
    );
}

#[test]
fn nothing_breaks_out_of_its_line() {
    let hello = ClientHello::new("a", "/", [0; 16]);
    for wrong in [
        ClientHello { host: "a\r\nX: y".into(), ..hello.clone() },
        ClientHello { target: "/ HTTP/1.1".into(), ..hello.clone() },
        ClientHello { target: String::new(), ..hello.clone() },
        ClientHello { origin: Some("\n".into()), ..hello.clone() },
        ClientHello { subprotocols: vec!["a b".into()], ..hello.clone() },
        ClientHello { extensions: vec![Extension::new("a;b")], ..hello.clone() },
        ClientHello { headers: vec![("a:".into(), "b".into())], ..hello.clone() },
        ClientHello { headers: vec![("a".into(), "b\0".into())], ..hello.clone() },
    ] {
        assert!(wrong.encode().is_err(), "{wrong:?}");
    }
    assert!(hello.encode().is_ok());
    let request = request(REQUEST).unwrap();
    let wrong = Agreement { subprotocol: Some("a\r\n".into()), ..Agreement::default() };
    assert!(request.accept(&wrong).is_err());
}

fn hello() -> ClientHello {
    let mut hello = ClientHello::new("a", "/", *b"the sample nonce");
    hello.subprotocols = vec!["chat".into()];
    hello.extensions = vec![Extension::new("foo")];
    hello
}

const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: \
                        Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn response(from: &str, to: &str) -> Result<super::Agreed, ResponseError> {
    assert!(RESPONSE.contains(from), "{from}");
    let text = RESPONSE.replace(from, to);
    let (head, _) = ResponseReader::new(Limits::default()).push(text.as_bytes())?.expect("complete");
    head.validate(&hello())
}

#[test]
fn a_response_is_literal_and_accepted() {
    let agreement = Agreement {
        subprotocol: Some("chat".into()),
        extensions: vec![Extension::new("foo").with("a", None)],
        headers: vec![("X".into(), "y".into())],
    };
    let wire = request(REQUEST).unwrap().accept(&agreement).unwrap();
    assert_eq!(
        std::str::from_utf8(&wire).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \
         s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: foo; a\r\nX: \
         y\r\n\r\n"
    );
    let (head, _) = ResponseReader::default().push(&wire).unwrap().unwrap();
    let agreed = head.validate(&hello()).unwrap();
    assert_eq!((agreed.subprotocol, agreed.extensions), (agreement.subprotocol, agreement.extensions));
    assert!(response("Upgrade: websocket", "upgrade: WebSocket").is_ok());
}

#[test]
fn reasons_to_refuse_a_response() {
    use ResponseError as E;
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let cases: Vec<(&str, String, E)> = vec![
        ("101 Switching Protocols", "200 OK".into(), E::Status(200)),
        ("HTTP/1.1", "HTTP/1.0".into(), E::HttpVersion(0)),
        ("Upgrade: websocket\r\n", String::new(), E::Upgrade),
        ("Upgrade: websocket", "Upgrade: websocket2".into(), E::Upgrade),
        ("Connection: Upgrade", "Connection: close".into(), E::Connection),
        (accept, String::new(), E::NoAccept),
        (accept, accept.repeat(2), E::SeveralAccepts),
        ("s3pP", "S3pP".into(), E::Accept),
        (accept, format!("{accept}Sec-WebSocket-Extensions: bar\r\n"), E::ExtensionNotOffered("bar".into())),
        (
            accept,
            format!("{accept}Sec-WebSocket-Protocol: Chat\r\n"),
            E::SubprotocolNotOffered("Chat".into()),
        ),
        (accept, format!("{accept}Sec-WebSocket-Protocol: chat, chat\r\n"), E::Subprotocol),
        (accept, format!("{accept}{}", "Sec-WebSocket-Protocol: chat\r\n".repeat(2)), E::Subprotocol),
    ];
    for (from, to, error) in cases {
        let found = response(from, &to).unwrap_err();
        assert_eq!(found, error, "{from} {to}");
        assert!(!found.rule().0.is_empty() && found.rule().1.ends_with('.'));
    }
    let bad = format!("{accept}Sec-WebSocket-Extensions: foo;;\r\n");
    assert!(matches!(response(accept, &bad), Err(E::Extensions(_))));
    assert!(response(accept, &format!("{accept}Sec-WebSocket-Protocol: chat\r\n")).is_ok());
}
