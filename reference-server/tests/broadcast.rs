//! A server that sends what one client says to all of them.

mod support;

use std::time::Duration;

use support::{BINARY, CLOSE, Raw, Running, TEXT, frame, pipe, request};
use tokio::{io::DuplexStream, task::JoinHandle};
use wsgrade_reference_server::codec::endpoint::Message;
use wsgrade_reference_server::{Broadcast, Config, ConnectionReport, Timeouts, serve_stream};

/// A connection without a socket, of which so many bytes fit into each direction.
async fn open(config: &Config, size: usize) -> (Raw<DuplexStream>, JoinHandle<ConnectionReport>) {
    let (ours, mut raw) = pipe(size);
    let (config, peer) = (config.clone(), "192.0.2.1:1".parse().unwrap());
    let serving = tokio::spawn(async move { serve_stream(ours, peer, &config).await });
    raw.send(request("/", "")).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    (raw, serving)
}

fn config(queue: usize, send_queue: usize) -> (Broadcast, Config) {
    let broadcast = Broadcast::new(queue);
    let timeouts = Timeouts { ping_interval: None, ..Timeouts::default() };
    (broadcast.clone(), Config { broadcast: Some(broadcast), send_queue, timeouts, ..Config::default() })
}

#[tokio::test]
async fn everybody_gets_everything() {
    let broadcast = Broadcast::default();
    let config = Config {
        broadcast: Some(broadcast.clone()),
        server_name: Some("mine/1".into()),
        ..Config::default()
    };
    let running = Running::start(config);
    let mut one = running.tcp().await;
    assert!(one.shake_hands("").await.contains("\r\nServer: mine/1\r\n"));
    let mut two = running.open().await;
    one.send(frame(TEXT, b"a")).await;
    for client in [&mut one, &mut two] {
        client.expect(TEXT, b"a").await;
    }
    two.send(frame(BINARY, b"b")).await;
    broadcast.send(&Message::text("from outside"));
    for client in [&mut one, &mut two] {
        let mut got = [client.frame().await.unwrap().payload, client.frame().await.unwrap().payload];
        got.sort();
        assert_eq!(got, [b"b".to_vec(), b"from outside".to_vec()]);
    }
    one.close().await;
    support::patiently(async {
        while broadcast.members() > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    two.send(frame(TEXT, b"alone")).await;
    two.expect(TEXT, b"alone").await;
    two.close().await;
}

/// Who does not read is closed with 1008 when its queue is full; nobody else misses anything, and nothing piles up.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_closed() {
    let (broadcast, config) = config(64 << 10, 4096);
    let (mut slow, slow_serving) = open(&config, 4096).await;
    let (mut quick, _quick_serving) = open(&config, 4096).await;
    assert_eq!(broadcast.members(), 2);
    let message = [b'x'; 1000];
    for _ in 0..200 {
        quick.send(frame(TEXT, &message)).await;
        quick.expect(TEXT, &message).await;
    }
    // It reads at last: what was written before, and then why there is no more.
    let mut seen = 0;
    let close = loop {
        let frame = slow.frame().await.expect("a Close frame");
        if frame.opcode() == CLOSE {
            break frame;
        }
        assert_eq!(frame.payload, message);
        seen += 1;
    };
    assert!((1..70).contains(&seen), "{seen}");
    assert_eq!(&close.payload[..2], 1008_u16.to_be_bytes());
    slow.send(support::close_frame(1008)).await;
    let end = slow_serving.await.unwrap().end.to_string();
    assert!(end.contains("too slow"), "{end}");
    assert_eq!(broadcast.members(), 1);
    quick.send(frame(TEXT, b"still here")).await;
    quick.expect(TEXT, b"still here").await;
}

/// Who never reads again does not hold its place for ever.
#[tokio::test(start_paused = true)]
async fn a_dead_reader_is_given_up() {
    let (broadcast, config) = config(1024, 1024);
    let (_dead, serving) = open(&config, 256).await;
    for _ in 0..100 {
        broadcast.send(&Message::text("x".repeat(100)));
        tokio::task::yield_now().await;
    }
    let report = tokio::time::timeout(Duration::from_secs(120), serving).await.unwrap().unwrap();
    assert!(report.duration >= Config::default().timeouts.write, "{report}");
    assert_eq!(broadcast.members(), 0);
}
