//! The opening handshake, seen by a client that speaks in bytes.

mod support;

use support::{ACCEPT, Running, TEXT, frame, request};
use wsgrade_reference_server::{Config, ConnectionCaps, OriginPolicy};

/// Sends a request, and gives the answer up to the end of TCP, which must come although our direction stays open.
async fn refused(config: Config, request: &str) -> (String, String) {
    let mut server = Running::start(config);
    let mut raw = server.tcp().await;
    raw.send(request).await;
    let answer = raw.rest().await;
    drop(raw);
    let end = server.end().await;
    server.handle.shutdown().await;
    (answer, end)
}

fn status(answer: &str) -> &str {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or(answer)
}

/// The answer of a refusal must say why, how long it is, and that this is the end.
fn assert_refusal(answer: &str, code: &str, says: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no body: {answer:?}"));
    assert_eq!(code, status(answer), "{answer}");
    let head = head.to_ascii_lowercase();
    let connection = head.lines().find_map(|line| line.strip_prefix("connection: ")).unwrap_or_default();
    assert!(connection.split(", ").any(|token| token == "close"), "{head}");
    assert!(head.contains("\r\ncontent-type: text/plain"), "{head}");
    assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())), "{head}");
    assert!(body.to_lowercase().contains(says), "{body:?} should say {says:?}");
}

#[tokio::test]
async fn any_path_is_served() {
    let mut server = Running::start(Config::default());
    for path in ["/", "/a/b/c?d=e&f", "/%20"] {
        let mut raw = server.tcp().await;
        raw.send(request(path, "")).await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT), "{head}");
        raw.close().await;
        let report = server.report().await;
        assert_eq!(Some(path), report.path.as_deref());
        assert_eq!("closed by peer with 1000", report.end.to_string());
    }
}

#[tokio::test]
async fn what_is_no_websocket_request_is_told_why() {
    let good = request("/", "");
    for (bad, code, says) in [
        (good.replace("GET ", "POST "), "405", "get"),
        (good.replace("Upgrade: websocket\r\n", ""), "426", "upgrade"),
        (good.replace("Connection: Upgrade\r\n", ""), "400", "connection"),
        (good.replace("Version: 13", "Version: 8"), "426", "version"),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="), "400", "key"),
        (good.replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), "400", "key"),
        (good.replace("Host: localhost\r\n", ""), "400", "host"),
        (good.replace("HTTP/1.1", "HTTP/1.0"), "400", "http"),
        (good.replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\nhello"), "400", "body"),
        (good.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n"), "400", "body"),
        (good.replace("\r\n\r\n", "\r\nOrigin: a\r\nOrigin: b\r\n\r\n"), "400", "origin"),
        ("this is not HTTP\r\n\r\n".into(), "400", ""),
        ("\x16\x03\x01\x02 a TLS hello".into(), "400", "tls"),
    ] {
        let (answer, end) = refused(Config::default(), &bad).await;
        assert_refusal(&answer, code, says);
        assert!(end.starts_with(&format!("refused with {code}: ")), "{end}");
    }
}

#[tokio::test]
async fn another_version_is_told_which_one_there_is() {
    let (answer, _) =
        refused(Config::default(), &request("/", "").replace("Version: 13", "Version: 777")).await;
    assert_refusal(&answer, "426", "13");
    assert!(answer.to_ascii_lowercase().contains("\r\nsec-websocket-version: 13\r\n"), "{answer}");
}

#[tokio::test]
async fn another_method_is_told_which_one_there_is() {
    let (answer, _) = refused(Config::default(), &request("/", "").replace("GET ", "DELETE ")).await;
    assert!(answer.to_ascii_lowercase().contains("\r\nallow: get\r\n"), "{answer}");
}

#[tokio::test]
async fn a_foreign_origin_is_forbidden() {
    let config = || Config {
        origins: OriginPolicy { allowed: Some(vec!["https://example.org".into()]), allow_absent: true },
        ..Config::default()
    };
    let (answer, end) = refused(config(), &request("/", "Origin: https://evil.example\r\n")).await;
    assert_refusal(&answer, "403", "origin");
    assert!(end.contains("evil.example"), "{end}");

    let server = Running::start(config());
    for headers in ["Origin: https://example.org\r\n", ""] {
        let mut raw = server.tcp().await;
        raw.shake_hands(headers).await;
        raw.close().await;
    }
}

#[tokio::test]
async fn an_origin_that_cannot_be_read_is_not_an_absent_one() {
    let origins = OriginPolicy { allowed: Some(vec!["https://example.org".into()]), allow_absent: true };
    let server = Running::start(Config { origins, ..Config::default() });
    let mut raw = server.tcp().await;
    let mut bytes = request("/", "Origin: ?\r\n").into_bytes();
    let at = bytes.iter().rposition(|byte| *byte == b'?').unwrap();
    bytes[at] = 0xff;
    raw.send(bytes).await;
    assert_refusal(&raw.rest().await, "403", "origin");
}

#[tokio::test]
async fn a_missing_origin_can_be_refused() {
    let config = Config { origins: OriginPolicy { allowed: None, allow_absent: false }, ..Config::default() };
    let (answer, _) = refused(config, &request("/", "")).await;
    assert_refusal(&answer, "403", "origin");
}

#[tokio::test]
async fn the_server_chooses_the_subprotocol() {
    let mut server =
        Running::start(Config { subprotocols: vec!["b".into(), "a".into()], ..Config::default() });
    for (offer, answer) in [
        ("Sec-WebSocket-Protocol: a, b\r\n", Some("b")),
        ("Sec-WebSocket-Protocol: x\r\nSec-WebSocket-Protocol: a\r\n", Some("a")),
        ("Sec-WebSocket-Protocol: A, x\r\n", None),
        ("", None),
    ] {
        let mut raw = server.tcp().await;
        let head = raw.shake_hands(offer).await.to_ascii_lowercase();
        let line = head.lines().find_map(|line| line.strip_prefix("sec-websocket-protocol: "));
        assert_eq!(answer, line, "{offer:?}");
        raw.close().await;
        assert_eq!(answer, server.report().await.subprotocol.as_deref());
    }
}

#[tokio::test]
async fn a_head_of_any_size_below_the_limit_is_read_and_an_endless_one_is_not() {
    let server = Running::start(Config::default());
    let mut raw = server.tcp().await;
    raw.shake_hands(&format!("X-Long: {}\r\n", "x".repeat(4000))).await;
    raw.close().await;

    let mut raw = server.tcp().await;
    raw.send("GET / HTTP/1.1\r\nHost: x\r\n").await;
    // Never ends. The server answers and stops reading, so writing fails sooner or later.
    let (mut read, mut write) = raw.stream.into_split();
    let flood = async {
        use tokio::io::AsyncWriteExt;
        while write.write_all(b"X-Header: and another one of these, and so on for ever\r\n").await.is_ok() {}
    };
    let answer = async {
        use tokio::io::AsyncReadExt;
        let mut answer = [0; 12];
        read.read_exact(&mut answer).await.unwrap();
        String::from_utf8(answer.to_vec()).unwrap()
    };
    let answer = support::patiently(async {
        tokio::select! { answer = answer => answer, () = flood => panic!("reset before the answer could be read") }
    });
    assert_eq!("HTTP/1.1 431", answer.await);
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let many: String = (0..2000).map(|i| format!("A{i}: b\r\n")).collect();
    let (answer, _) = refused(Config::default(), &request("/", &many)).await;
    assert_refusal(&answer, "431", "");
}

#[tokio::test]
async fn frames_may_come_in_the_same_segment_as_the_request() {
    let server = Running::start(Config::default());
    let mut raw = server.tcp().await;
    let mut bytes = request("/", "").into_bytes();
    bytes.extend(frame(TEXT, b"early"));
    bytes.extend(frame(TEXT, b"bird"));
    raw.send(bytes).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    raw.expect(TEXT, b"early").await;
    raw.expect(TEXT, b"bird").await;
    raw.close().await;
}

#[tokio::test]
async fn the_total_cap_refuses_politely_and_the_place_comes_back() {
    let caps = ConnectionCaps { total: 1, per_address: 9 };
    let mut server = Running::start(Config { caps, ..Config::default() });
    let first = server.open().await;
    assert_eq!(1, server.handle.connections());

    let mut second = server.tcp().await;
    second.send(request("/", "")).await;
    assert_refusal(&second.rest().await, "503", "connections");
    drop(second);
    assert_eq!("refused with 503", &server.end().await[..16]);

    first.close().await;
    server.report().await;
    assert_eq!(0, server.handle.connections());
    server.open().await.close().await;
}

#[tokio::test]
async fn the_cap_per_address_refuses_politely() {
    let caps = ConnectionCaps { total: 9, per_address: 2 };
    let server = Running::start(Config { caps, ..Config::default() });
    let (one, two) = (server.open().await, server.open().await);
    let mut three = server.tcp().await;
    three.send(request("/", "")).await;
    assert_refusal(&three.rest().await, "503", "address");

    // Another address of this machine is another address.
    if cfg!(target_os = "linux") {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let stream = socket.connect(server.handle.local_addr()).await.unwrap();
        let mut other = support::Raw::new(stream);
        other.shake_hands("").await;
        other.close().await;
    }
    one.close().await;
    two.close().await;
}

#[tokio::test]
async fn a_peer_that_leaves_before_its_request_is_only_noted() {
    let mut server = Running::start(Config::default());
    let mut raw = server.tcp().await;
    raw.send("GET / HT").await;
    drop(raw);
    assert_eq!("peer left before its request was complete", server.end().await);
}

#[tokio::test]
async fn several_acceptors_share_the_port() {
    let mut server = Running::start(Config { acceptors: 3, ..Config::default() });
    for _ in 0..20 {
        server.open().await.close().await;
        assert_eq!("closed by peer with 1000", server.end().await);
    }
    server.handle.shutdown().await;
}
