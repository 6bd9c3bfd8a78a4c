//! The client, against a server that speaks in bytes, in virtual time.

mod support;

use std::time::Duration;

use support::{BINARY, CLOSE, PING, PONG, TEXT, frame_with};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::TcpListener,
    task::JoinHandle,
    time::Instant,
};
use wsgrade_reference_server::{
    Config, DeflateConfig,
    client::{self, ClientConfig, ClientEnd, ConnectError, Connection, Outcome, Received, Url},
    codec::{Kind, close::CloseCode, endpoint::Message, handshake::accept_key},
};

/// The server's side of a connection.
struct Peer {
    stream: DuplexStream,
    seen: Vec<u8>,
}

impl Peer {
    async fn more(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let n = self.stream.read(&mut buffer).await.unwrap();
        self.seen.extend(&buffer[..n]);
        n > 0
    }

    /// The client's request.
    async fn request(&mut self) -> String {
        while !self.seen.ends_with(b"\r\n\r\n") {
            assert!(self.more().await);
        }
        String::from_utf8(std::mem::take(&mut self.seen)).unwrap()
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The next frame: its first byte and its payload; `None` at the end of the stream. It must be masked.
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let [first, second, rest @ ..] = &self.seen[..] {
                assert_eq!(0x80, second & 0x80, "a client masks");
                let len = usize::from(second & 0x7f);
                assert!(len < 126, "these tests use short frames");
                if rest.len() >= 4 + len {
                    let (key, rest) = rest.split_at(4);
                    let payload =
                        rest[..len].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
                    let first = *first;
                    self.seen.drain(..6 + len);
                    return Some((first, payload));
                }
            }
            if !self.more().await {
                assert!(self.seen.is_empty());
                return None;
            }
        }
    }

    async fn expect(&mut self, opcode: u8, payload: &[u8]) {
        assert_eq!(Some((0x80 | opcode, payload.to_vec())), self.frame().await);
    }

    async fn expect_close(&mut self, code: u16) {
        let (first, payload) = self.frame().await.unwrap();
        assert_eq!((0x80 | CLOSE, &code.to_be_bytes()[..]), (first, &payload[..2]));
    }
}

fn plain(opcode: u8, payload: &[u8]) -> Vec<u8> {
    frame_with(0x80 | opcode, None, payload)
}

fn url() -> Url {
    "ws://example.org/chat?x=1".parse().unwrap()
}

fn key(request: &str) -> &str {
    request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap()
}

fn response(request: &str, headers: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n{headers}\r\n",
        accept_key(key(request))
    )
}

/// What the client makes of a response that is made of its request.
async fn answered(
    config: ClientConfig,
    respond: impl FnOnce(&str) -> String,
) -> Result<(Connection<DuplexStream>, Peer), ConnectError> {
    let (ours, theirs) = duplex(4096);
    let mut peer = Peer { stream: theirs, seen: Vec::new() };
    let url = url();
    let serve = async {
        let request = peer.request().await;
        peer.send(respond(&request)).await;
        peer
    };
    let (connection, peer) = tokio::join!(client::open(ours, &url, config), serve);
    Ok((connection?, peer))
}

async fn open() -> (Connection<DuplexStream>, Peer) {
    answered(ClientConfig::default(), |request| response(request, "")).await.unwrap()
}

/// Lets the client receive until it is over.
fn receive(mut connection: Connection<DuplexStream>) -> JoinHandle<(Vec<Received>, Outcome)> {
    tokio::spawn(async move {
        let mut all = Vec::new();
        while let Some(received) = connection.recv().await {
            all.push(received);
        }
        (all, connection.close(CloseCode::NORMAL, "").await)
    })
}

#[tokio::test(start_paused = true)]
async fn the_request_says_what_was_asked_for() {
    let config = ClientConfig {
        origin: Some("https://example.org".into()),
        subprotocols: vec!["a".into(), "b".into()],
        headers: vec![("X-Test".into(), "yes".into())],
        ..ClientConfig::default()
    };
    let (connection, _peer) = answered(config, |request| {
        for line in [
            "GET /chat?x=1 HTTP/1.1",
            "Host: example.org",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Origin: https://example.org",
            "Sec-WebSocket-Protocol: a, b",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
            "X-Test: yes",
        ] {
            assert!(request.lines().any(|one| one == line), "{line} is missing in {request}");
        }
        response(request, "Sec-WebSocket-Protocol: b\r\nSec-WebSocket-Extensions: permessage-deflate\r\n")
    })
    .await
    .unwrap();
    assert_eq!(Some("b"), connection.subprotocol());
    assert!(connection.deflate().is_some());
}

#[tokio::test(start_paused = true)]
async fn every_key_is_another() {
    let (mut one, mut two) = (String::new(), String::new());
    for text in [&mut one, &mut two] {
        let _ = answered(ClientConfig::default(), |request| {
            *text = key(request).to_owned();
            response(request, "")
        })
        .await;
    }
    assert_ne!(one, two);
}

#[tokio::test(start_paused = true)]
async fn wrong_responses_open_nothing() {
    let subprotocol = || ClientConfig { subprotocols: vec!["a".into()], ..ClientConfig::default() };
    let wrong = [
        (ClientConfig::default(), response("Sec-WebSocket-Key: x", ""), "Accept"),
        (ClientConfig::default(), "HTTP/1.1 200 OK\r\n\r\nhello\n".into(), "status 200: hello"),
        (ClientConfig::default(), "nonsense\r\n\r\n".into(), "not HTTP"),
    ];
    for (config, text, says) in wrong {
        let error = answered(config, |_| text).await.err().unwrap().to_string();
        assert!(error.contains(says), "{error} should say {says}");
    }
    for (config, header, says) in [
        (ClientConfig::default(), "Sec-WebSocket-Protocol: a\r\n", "\"a\" was not offered"),
        (subprotocol(), "Sec-WebSocket-Protocol: b\r\n", "\"b\" was not offered"),
        (ClientConfig::default(), "Sec-WebSocket-Extensions: x\r\n", "\"x\" was not offered"),
        (
            ClientConfig { deflate: None, ..ClientConfig::default() },
            "Sec-WebSocket-Extensions: permessage-deflate\r\n",
            "was not offered",
        ),
        (
            ClientConfig::default(),
            "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=20\r\n",
            "server_max_window_bits",
        ),
    ] {
        let error = answered(config, |request| response(request, header)).await.err().unwrap().to_string();
        assert!(error.contains(says), "{error} should say {says}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_given_up() {
    let (ours, _theirs) = duplex(4096);
    let start = Instant::now();
    let error = client::open(ours, &url(), ClientConfig::default()).await.err().unwrap();
    assert!(matches!(error, ConnectError::Timeout(_)), "{error}");
    assert_eq!(10, start.elapsed().as_secs());
}

#[tokio::test]
async fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = client::connect(&format!("ws://{free}/"), ClientConfig::default()).await.err().unwrap();
    assert!(error.to_string().starts_with(&format!("cannot connect to {free}: ")), "{error}");
}

#[tokio::test(start_paused = true)]
async fn messages_pings_and_pongs() {
    let (mut connection, mut peer) = open().await;
    connection.send(Message::text("hello")).await.unwrap();
    connection.send(Message::binary(vec![0xff])).await.unwrap();
    connection.ping("are you there").await.unwrap();
    peer.expect(TEXT, b"hello").await;
    peer.expect(BINARY, b"\xff").await;
    peer.expect(PING, b"are you there").await;
    peer.send([plain(TEXT, b"hi"), plain(PING, b"and you"), plain(PONG, b"yes")].concat()).await;
    match connection.recv().await {
        Some(Received::Message(message)) => {
            assert_eq!((Kind::Text, &b"hi"[..]), (message.kind(), &message.payload()[..]))
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(Some(Received::Ping("and you".into())), connection.recv().await);
    assert_eq!(Some(Received::Pong("yes".into())), connection.recv().await);
    let closed = tokio::spawn(connection.close(CloseCode::NORMAL, "bye"));
    peer.expect(PONG, b"and you").await;
    peer.expect(CLOSE, b"\x03\xe8bye").await;
    peer.send(plain(CLOSE, b"\x03\xe8")).await;
    drop(peer);
    let outcome = closed.await.unwrap();
    assert_eq!(ClientEnd::Closed { by_us: true, tcp_ended: true }, outcome.end);
    assert!(outcome.is_clean() && outcome.begun_by_us());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_is_answered_and_awaited() {
    let (connection, mut peer) = open().await;
    let over = receive(connection);
    peer.send([plain(TEXT, b"last"), plain(CLOSE, b"\x03\xe9bye")].concat()).await;
    peer.expect_close(1001).await;
    drop(peer);
    let (all, outcome) = over.await.unwrap();
    assert_eq!(vec![Received::Message(Message::text("last"))], all);
    assert_eq!(ClientEnd::Closed { by_us: false, tcp_ended: true }, outcome.end);
    assert_eq!("bye", outcome.received.unwrap().reason);
    assert_eq!(Some(CloseCode::GOING_AWAY), outcome.sent.unwrap().code);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_end_tcp_is_left_after_a_while() {
    let (connection, mut peer) = open().await;
    let start = Instant::now();
    let over = receive(connection);
    peer.send(plain(CLOSE, b"\x03\xe8")).await;
    let (_, outcome) = over.await.unwrap();
    assert_eq!(2, start.elapsed().as_secs());
    assert_eq!(ClientEnd::Closed { by_us: false, tcp_ended: false }, outcome.end);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_our_close_is_left_after_a_while() {
    let (connection, mut peer) = open().await;
    let start = Instant::now();
    let closed = tokio::spawn(connection.close(CloseCode::NORMAL, ""));
    peer.expect_close(1000).await;
    peer.send(plain(TEXT, b"what?")).await;
    let outcome = closed.await.unwrap();
    assert_eq!((ClientEnd::NotAnswered, 5), (outcome.end.clone(), start.elapsed().as_secs()));
    assert!(!outcome.is_clean());
}

#[tokio::test(start_paused = true)]
async fn violations_of_a_server_get_their_code() {
    for (bytes, code) in [
        (frame_with(0x81, Some([1, 2, 3, 4]), b"masked"), 1002),
        (plain(3, b"reserved"), 1002),
        (frame_with(0xc1, None, b"RSV1 without deflate"), 1002),
        (plain(TEXT, b"\xff"), 1007),
        (plain(CLOSE, b"\x03"), 1002),
    ] {
        let (connection, mut peer) = open().await;
        let over = receive(connection);
        peer.send(&bytes).await;
        peer.expect_close(code).await;
        assert_eq!(None, peer.frame().await, "the client ends the connection");
        drop(peer);
        let (all, outcome) = over.await.unwrap();
        assert!(all.is_empty());
        assert!(
            matches!(outcome.end, ClientEnd::Violation { code: is, .. } if is == code),
            "{:?}",
            outcome.end
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_above_the_limit_gets_1009() {
    let mut config = ClientConfig::default();
    config.limits.max_message = 10;
    let (connection, mut peer) = answered(config, |request| response(request, "")).await.unwrap();
    let over = receive(connection);
    peer.send([plain(BINARY, &[1; 10]), plain(BINARY, &[1; 11])].concat()).await;
    peer.expect_close(1009).await;
    drop(peer);
    let (all, outcome) = over.await.unwrap();
    assert_eq!(1, all.len());
    assert!(matches!(outcome.end, ClientEnd::Violation { code: 1009, .. }));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_tcp_without_a_close_frame_is_not_clean() {
    let (mut connection, peer) = open().await;
    drop(peer);
    assert_eq!(None, connection.recv().await);
    assert!(connection.send(Message::text("x")).await.is_err());
    let outcome = connection.close(CloseCode::NORMAL, "").await;
    assert_eq!(ClientEnd::Dropped, outcome.end);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_is_given_up() {
    let (mut connection, _peer) = open().await;
    let start = Instant::now();
    assert!(connection.send(Message::binary(vec![7; 100_000])).await.is_err());
    assert_eq!(30, start.elapsed().as_secs());
    assert_eq!(ClientEnd::WriteTimeout, connection.close(CloseCode::NORMAL, "").await.end);
}

#[tokio::test(start_paused = true)]
async fn receiving_can_be_interrupted_at_any_byte() {
    let (mut connection, mut peer) = open().await;
    for byte in plain(TEXT, b"slowly") {
        peer.send([byte]).await;
        let waited = tokio::time::timeout(Duration::from_millis(1), connection.recv()).await;
        if let Ok(received) = waited {
            assert_eq!(Some(Received::Message(Message::text("slowly"))), received);
            return;
        }
    }
    panic!("the message never came");
}

#[tokio::test(start_paused = true)]
async fn masks_differ_from_frame_to_frame() {
    let (mut connection, mut peer) = open().await;
    for _ in 0..3 {
        connection.send(Message::text("same")).await.unwrap();
    }
    while peer.seen.len() < 30 {
        assert!(peer.more().await);
    }
    let keys: Vec<&[u8]> = peer.seen.chunks(10).map(|frame| &frame[2..6]).collect();
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2], "{keys:?}");
}

/// Our own two sides, with everything there is to agree on.
#[tokio::test]
async fn our_client_and_our_server_with_every_kind_of_compression() {
    for bits in [8, 9, 12, 15] {
        for no_context in [false, true] {
            let deflate = Some(DeflateConfig {
                server_max_window_bits: bits,
                client_max_window_bits: bits,
                server_no_context_takeover: no_context,
                client_no_context_takeover: no_context,
                level: 6,
            });
            let mut server = support::Running::start(Config { deflate, ..Config::default() });
            let mut connection =
                client::connect(&server.handle.url(), ClientConfig::default()).await.unwrap();
            let params = connection.deflate().unwrap();
            assert_eq!(
                (bits, bits),
                (params.server_max_window_bits.get(), params.client_max_window_bits.get())
            );
            assert_eq!(
                (no_context, no_context),
                (params.server_no_context_takeover, params.client_no_context_takeover)
            );
            let text = "the same words again and again, ".repeat(2000);
            for _ in 0..3 {
                connection.send(Message::text(text.as_str())).await.unwrap();
                assert_eq!(Some(Received::Message(Message::text(text.as_str()))), connection.recv().await);
            }
            assert!(connection.close(CloseCode::NORMAL, "").await.is_clean());
            let report = server.report().await;
            assert!(report.deflate);
            assert!(report.sent.bytes < 10_000, "{} bytes are not compressed", report.sent.bytes);
        }
    }
}

#[tokio::test]
async fn a_client_that_sends_much_and_reads_late_does_not_block_itself() {
    let server = support::Running::start(Config { send_queue: 4096, ..Config::default() });
    let config = ClientConfig { deflate: None, ..ClientConfig::default() };
    let mut connection = client::connect(&server.handle.url(), config).await.unwrap();
    // Far more than the buffers between the two hold; the echo must be taken in while sending.
    for i in 0..12u8 {
        support::patiently(connection.send(Message::binary(vec![i; 1 << 20]))).await.unwrap();
    }
    for i in 0..12u8 {
        match support::patiently(connection.recv()).await {
            Some(Received::Message(message)) => assert!(message.payload()[..] == vec![i; 1 << 20]),
            other => panic!("{other:?}"),
        }
    }
    assert!(connection.close(CloseCode::NORMAL, "").await.is_clean());
}
