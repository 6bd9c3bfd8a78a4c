//! Messages, violations and limits, seen by a client that speaks in bytes.

mod support;

use std::sync::Arc;

use support::{BINARY, CLOSE, PING, PONG, Running, TEXT, close_frame, frame, frame_with, patiently};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wsgrade_reference_server::{
    Config, ConnectionReport, RateLimit, Server,
    codec::endpoint::{Limits, Message},
    config::{Handler, OnEnd},
};

#[tokio::test]
async fn text_comes_back_as_text_and_binary_as_binary() {
    let mut server = Running::start(Config::default());
    let mut raw = server.open().await;
    for (opcode, payload) in
        [(TEXT, &b"hello"[..]), (TEXT, b""), (BINARY, b"\xff\x00"), (BINARY, b""), (TEXT, "κόσμε".as_bytes())]
    {
        raw.send(frame(opcode, payload)).await;
        raw.expect(opcode, payload).await;
    }
    raw.close().await;
    let report = server.report().await;
    assert_eq!((5, 5), (report.received.messages, report.sent.messages));
    assert_eq!("closed by peer with 1000", report.end.to_string());
}

#[tokio::test]
async fn the_report_counts_what_was_on_the_wire() {
    let mut server = Running::start(Config { deflate: None, ..Config::default() });
    let mut raw = server.tcp().await;
    let head = raw.shake_hands("").await;
    raw.send(frame(TEXT, b"12345")).await;
    raw.expect(TEXT, b"12345").await;
    raw.close().await;
    let report = server.report().await;
    // Request, 6 + 5 bytes of text, 6 + 2 of the Close frame; without the four bytes of masks on the way back.
    assert_eq!((support::request("/", "").len() + 11 + 8) as u64, report.received.bytes);
    assert_eq!((head.len() + 7 + 4) as u64, report.sent.bytes);
}

#[tokio::test]
async fn fragments_are_put_together_and_pings_between_them_answered() {
    let server = Running::start(Config::default());
    let mut raw = server.open().await;
    let mask = Some([9, 8, 7, 6]);
    raw.send(frame_with(TEXT, mask, b"frag")).await;
    raw.send(frame(PING, b"now")).await;
    raw.expect(PONG, b"now").await;
    raw.send(frame_with(0x80, mask, b"ment")).await;
    raw.expect(TEXT, b"fragment").await;
    raw.close().await;
}

#[tokio::test]
async fn frames_may_come_byte_by_byte() {
    let server = Running::start(Config::default());
    let mut raw = server.open().await;
    for byte in frame(TEXT, "κόσμε".as_bytes()) {
        raw.send([byte]).await;
    }
    raw.expect(TEXT, "κόσμε".as_bytes()).await;
    raw.close().await;
}

#[tokio::test]
async fn ten_thousand_messages_in_one_go() {
    let mut server = Running::start(Config::default());
    let mut raw = server.open().await;
    let bytes: Vec<u8> = (0..10_000u32).flat_map(|i| frame(BINARY, &i.to_be_bytes())).collect();
    raw.send(bytes).await;
    for i in 0..10_000u32 {
        raw.expect(BINARY, &i.to_be_bytes()).await;
    }
    raw.close().await;
    assert_eq!(10_000, server.report().await.sent.messages);
}

#[tokio::test]
async fn eight_mebibytes_come_back() {
    let server = Running::start(Config::default());
    let mut raw = server.open().await;
    let payload: Vec<u8> = (0..8u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    raw.send(frame(BINARY, &payload)).await;
    raw.expect(BINARY, &payload).await;
    raw.close().await;
}

/// Sends bytes after the handshake; the answer must be Close with this code and the end of TCP, with our direction open.
async fn fails_with(config: Config, bytes: &[u8], code: u16) -> String {
    let mut server = Running::start(config);
    let mut raw = server.open().await;
    raw.send(bytes).await;
    raw.expect_close(code).await;
    raw.expect_end().await;
    drop(raw);
    let end = server.end().await;
    assert!(end.starts_with(&format!("failed with {code}: ")), "{end}");
    server.handle.shutdown().await;
    end
}

#[tokio::test]
async fn violations_get_their_code_before_tcp_ends() {
    let violations: [(&[u8], u16); 8] = [
        (&frame_with(0x81, None, b"not masked"), 1002),
        (&frame(3, b"reserved opcode"), 1002),
        (&frame_with(0xc0 | PING, Some([0; 4]), b"RSV1 on a ping"), 1002),
        (&frame_with(PING, Some([0; 4]), b"fragmented ping"), 1002),
        (&frame(0, b"continues nothing"), 1002),
        (&frame(PING, &[0; 126]), 1002),
        (&frame(TEXT, b"\xff\xfe"), 1007),
        (&frame(CLOSE, b"\x03"), 1002),
    ];
    for (bytes, code) in violations {
        fails_with(Config::default(), bytes, code).await;
    }
    fails_with(Config::default(), &close_frame(1005), 1002).await;
}

#[tokio::test]
async fn a_violation_does_not_eat_the_answers_before_it() {
    let server = Running::start(Config::default());
    let mut raw = server.open().await;
    let mut bytes = frame(TEXT, b"good");
    bytes.extend(frame(3, b"bad"));
    bytes.extend(frame(TEXT, b"too late"));
    raw.send(bytes).await;
    raw.expect(TEXT, b"good").await;
    raw.expect_close(1002).await;
    raw.expect_end().await;
}

#[tokio::test]
async fn a_close_frame_is_not_lost_when_the_peer_goes_on_talking() {
    let server = Running::start(Config::default());
    let raw = server.open().await;
    let (mut read, mut write) = raw.stream.into_split();
    write.write_all(&frame_with(0x81, None, b"not masked")).await.unwrap();
    // Much more than the buffers of both kernels hold; a RST would show as an error here or in the reading below.
    let talk = async {
        for _ in 0..256 {
            write.write_all(&[0x55; 64 << 10]).await.unwrap();
        }
        write.shutdown().await.unwrap();
    };
    let listen = async {
        let mut answer = Vec::new();
        read.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let ((), answer) = patiently(async { tokio::join!(talk, listen) }).await;
    assert_eq!(&[0x88, answer[1], 0x03, 0xea], &answer[..4], "Close 1002");
}

#[tokio::test]
async fn close_codes_are_answered_and_reported() {
    let mut server = Running::start(Config::default());
    for code in [1000, 1001, 1011, 3000, 4999] {
        let mut raw = server.open().await;
        raw.send(close_frame(code)).await;
        raw.expect_close(code).await;
        raw.expect_end().await;
        drop(raw);
        assert_eq!(format!("closed by peer with {code}"), server.end().await);
    }
    let mut raw = server.open().await;
    raw.send(frame(CLOSE, b"")).await;
    raw.expect(CLOSE, b"").await;
    raw.expect_end().await;
    drop(raw);
    assert_eq!("closed by peer without a code", server.end().await);
}

#[tokio::test]
async fn the_end_of_tcp_without_a_close_frame_is_reported() {
    let mut server = Running::start(Config::default());
    let mut raw = server.open().await;
    raw.send(frame(TEXT, b"last words")).await;
    raw.stream.shutdown().await.unwrap();
    raw.expect(TEXT, b"last words").await;
    raw.expect_end().await;
    assert_eq!("peer ended TCP without a Close frame", server.end().await);
}

fn limited(change: impl FnOnce(&mut Limits)) -> Config {
    let mut config = Config::default();
    change(&mut config.limits);
    config
}

#[tokio::test]
async fn the_rate_limit_serves_the_burst_and_refuses_with_1008() {
    let rate = Some(RateLimit { per_second: 1, burst: 3 });
    let mut server = Running::start(Config { rate, ..Config::default() });
    let mut raw = server.open().await;
    let four: Vec<u8> = [b"1", b"2", b"3", b"4"].into_iter().flat_map(|text| frame(TEXT, text)).collect();
    raw.send(four).await;
    for text in [b"1", b"2", b"3"] {
        raw.expect(TEXT, text).await;
    }
    raw.expect_close(1008).await;
    raw.send(close_frame(1008)).await;
    raw.expect_end().await;
    drop(raw);
    assert_eq!("closed with 1008: too many messages per second", server.end().await);
}

#[tokio::test]
async fn pings_count_for_the_rate_limit() {
    let rate = Some(RateLimit { per_second: 1, burst: 2 });
    let server = Running::start(Config { rate, ..Config::default() });
    let mut raw = server.open().await;
    raw.send([frame(PING, b"1"), frame(PING, b"2"), frame(PING, b"3")].concat()).await;
    let mut last = raw.frame().await.unwrap();
    // Only the latest of several pings has to be answered (RFC 6455, section 5.5.3).
    while last.opcode() == PONG {
        last = raw.frame().await.unwrap();
    }
    assert_eq!((CLOSE, 1008u16.to_be_bytes().to_vec()), (last.opcode(), last.payload[..2].to_vec()));
}

#[tokio::test]
async fn a_shutdown_says_1001_to_everybody_and_waits_for_them() {
    let mut server = Running::start(Config::default());
    let mut connections = [server.open().await, server.open().await, server.open().await];
    let address = server.handle.local_addr();
    let shutdown = tokio::spawn(server.handle.shutdown());
    for raw in &mut connections {
        raw.expect_close(1001).await;
    }
    assert!(!shutdown.is_finished(), "it waits for the answers");
    for raw in &mut connections {
        raw.send(close_frame(1001)).await;
        raw.expect_end().await;
    }
    drop(connections);
    patiently(shutdown).await.unwrap();
    for _ in 0..3 {
        assert_eq!(
            "closed with 1001: server is shutting down",
            server.reports.recv().await.unwrap().end.to_string()
        );
    }
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_shutdown_ends_after_the_grace_time() {
    let mut server =
        Running::start(Config { shutdown_grace: std::time::Duration::from_millis(50), ..Config::default() });
    let mut silent = server.open().await;
    let mut no_request = server.tcp().await;
    no_request.send("GET /").await;
    patiently(server.handle.shutdown()).await;
    silent.expect_close(1001).await;
    silent.expect_end().await;
    // Nothing may come if the request was not yet being read.
    let answer = no_request.rest().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let end = server.reports.recv().await.unwrap().end.to_string();
    assert!(end.contains("server is shutting down"), "{end}");
}

#[tokio::test]
async fn a_frame_at_the_limit_is_served_and_above_it_is_refused() {
    let config = || limited(|limits| limits.max_frame = 1000);
    let server = Running::start(config());
    let mut raw = server.open().await;
    raw.send(frame(BINARY, &[7; 1000])).await;
    raw.expect(BINARY, &[7; 1000]).await;
    raw.close().await;
    fails_with(config(), &frame(BINARY, &[7; 1001]), 1009).await;
    // The header alone is enough.
    fails_with(config(), &[0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 1009).await;
}

#[tokio::test]
async fn a_message_at_the_limit_is_served_and_above_it_is_refused() {
    let config = || limited(|limits| limits.max_message = 1000);
    let mask = Some([1, 2, 3, 4]);
    let half = frame_with(BINARY, mask, &[7; 500]);
    let server = Running::start(config());
    let mut raw = server.open().await;
    raw.send([half.clone(), frame_with(0x80, mask, &[7; 500])].concat()).await;
    raw.expect(BINARY, &[7; 1000]).await;
    raw.close().await;
    fails_with(config(), &[half, frame_with(0x80, mask, &[7; 501])].concat(), 1009).await;
}

#[tokio::test]
async fn as_many_fragments_as_allowed_are_served_and_one_more_is_refused() {
    let config = || limited(|limits| limits.max_fragments = 3);
    let mask = Some([1, 2, 3, 4]);
    let two = [frame_with(TEXT, mask, b"a"), frame_with(0, mask, b"b")].concat();
    let server = Running::start(config());
    let mut raw = server.open().await;
    raw.send([two.clone(), frame_with(0x80, mask, b"c")].concat()).await;
    raw.expect(TEXT, b"abc").await;
    raw.close().await;
    fails_with(config(), &[two, frame_with(0, mask, b"c"), frame_with(0x80, mask, b"d")].concat(), 1009)
        .await;
}

/// "Hello" of RFC 7692, section 7.2.3.1, and the same again with context takeover of section 7.2.3.2.
const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
const HELLO_AGAIN: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];

#[tokio::test]
async fn compressed_messages_refer_to_the_ones_before() {
    let server = Running::start(Config::default());
    let mut raw = server.tcp().await;
    let head =
        raw.shake_hands("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n").await;
    assert!(head.contains("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"), "{head}");
    for payload in [HELLO, HELLO_AGAIN] {
        raw.send(frame_with(0xc1, Some([1, 2, 3, 4]), payload)).await;
        // Too short to be worth compressing.
        raw.expect(TEXT, b"Hello").await;
    }
    // 100 bytes of no content in a stored block are worth it.
    let stored = [&[0x00, 100, 0, 155, 255][..], &[b'x'; 100], &[0x00]].concat();
    raw.send(frame_with(0xc1, Some([1, 2, 3, 4]), &stored)).await;
    let first = raw.frame().await.unwrap();
    raw.send(frame_with(0xc1, Some([1, 2, 3, 4]), &stored)).await;
    let second = raw.frame().await.unwrap();
    assert_eq!((0xc1, 0xc1), (first.first, second.first));
    assert!(second.payload.len() <= first.payload.len() && first.payload.len() < 30, "{first:?} {second:?}");
    raw.close().await;
}

#[tokio::test]
async fn a_message_that_inflates_beyond_the_limit_is_refused() {
    let config = || limited(|limits| limits.max_inflated = 5);
    let server = Running::start(config());
    let mut raw = server.tcp().await;
    raw.shake_hands("Sec-WebSocket-Extensions: permessage-deflate\r\n").await;
    raw.send(frame_with(0xc1, Some([1, 2, 3, 4]), HELLO)).await;
    raw.expect(TEXT, b"Hello").await;
    let six = [0x00, 6, 0, 249, 255, b'a', b'b', b'c', b'd', b'e', b'f', 0x00];
    raw.send(frame_with(0xc1, Some([1, 2, 3, 4]), &six)).await;
    raw.expect_close(1009).await;
    raw.expect_end().await;
}

#[tokio::test]
async fn declined_compression_is_a_violation() {
    let server = Running::start(Config { deflate: None, ..Config::default() });
    let mut raw = server.tcp().await;
    let head = raw.shake_hands("Sec-WebSocket-Extensions: permessage-deflate\r\n").await;
    assert!(!head.contains("permessage-deflate"), "{head}");
    raw.send(frame_with(0xc1, Some([1, 2, 3, 4]), HELLO)).await;
    raw.expect_close(1002).await;
}

#[tokio::test]
async fn dropping_the_handle_is_a_shutdown() {
    let mut server = Running::start(Config::default());
    let mut raw = server.open().await;
    drop(server.handle);
    raw.expect_close(1001).await;
    raw.send(close_frame(1001)).await;
    raw.expect_end().await;
    drop(raw);
    let report = patiently(server.reports.recv()).await.unwrap();
    assert_eq!("closed with 1001: server is shutting down", report.end.to_string());
}

#[tokio::test]
async fn dropping_the_running_server_cuts_everybody_off() {
    let (tell, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let on_end: OnEnd = Arc::new(move |report: &ConnectionReport| {
        let _ = tell.send(report.end.to_string());
    });
    let server = Server::bind(Config { on_end: Some(on_end), ..Config::default() }).unwrap();
    let address = server.local_addr();
    let running = tokio::spawn(server.run(std::future::pending()));
    let mut raw = support::Raw::new(tokio::net::TcpStream::connect(address).await.unwrap());
    raw.shake_hands("").await;
    running.abort();
    raw.expect_end().await;
    assert_eq!("cut off by the end of the server", patiently(reports.recv()).await.unwrap());
}

#[tokio::test]
async fn a_handler_may_answer_otherwise_or_not_at_all() {
    let handler: Handler = Arc::new(|message: Message| {
        let text = message.as_text()?.to_uppercase();
        Some(Message::text(text))
    });
    let mut server = Running::start(Config { handler, ..Config::default() });
    let mut raw = server.open().await;
    raw.send([frame(BINARY, b"ignored"), frame(TEXT, b"loud")].concat()).await;
    raw.expect(TEXT, b"LOUD").await;
    raw.close().await;
    let report = server.report().await;
    assert_eq!((2, 1), (report.received.messages, report.sent.messages));
}
