//! Everything that has to do with time, in virtual time: the clock jumps to the next timer when nobody has work.

mod support;

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use support::{BINARY, CLOSE, PING, PONG, Raw, TEXT, close_frame, frame, pipe, request};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf},
    task::JoinHandle,
    time::{Instant, sleep},
};
use wsgrade_reference_server::{Config, ConnectionReport, Timeouts, serve_stream};

const SECOND: Duration = Duration::from_secs(1);

/// No timeout but the ones of the closing; each test sets the one it is about.
fn patient(change: impl FnOnce(&mut Timeouts)) -> Config {
    let mut timeouts = Timeouts { idle: None, ping_interval: None, ..Timeouts::default() };
    change(&mut timeouts);
    Config { timeouts, ..Config::default() }
}

/// A connection without a socket. `size`: how many bytes fit into each direction.
fn serve(config: Config, size: usize) -> (Raw<DuplexStream>, JoinHandle<ConnectionReport>) {
    let (ours, theirs) = pipe(size);
    let peer = "192.0.2.1:1".parse().unwrap();
    (theirs, tokio::spawn(async move { serve_stream(ours, peer, &config).await }))
}

async fn open(config: Config, size: usize) -> (Raw<DuplexStream>, JoinHandle<ConnectionReport>) {
    let (mut raw, served) = serve(config, size);
    raw.shake_hands("").await;
    (raw, served)
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_gets_408() {
    let (mut raw, served) = serve(patient(|_| {}), 4096);
    let start = Instant::now();
    assert!(raw.rest().await.starts_with("HTTP/1.1 408 "));
    assert_eq!(10 * SECOND, start.elapsed());
    drop(raw);
    assert!(served.await.unwrap().end.to_string().starts_with("refused with 408: "));
}

#[tokio::test(start_paused = true)]
async fn a_trickling_request_gets_408_and_does_not_gain_time_by_trickling() {
    let (mut raw, served) = serve(patient(|_| {}), 4096);
    let start = Instant::now();
    for byte in request("/", "").bytes().take(9) {
        raw.send([byte]).await;
        sleep(SECOND).await;
    }
    assert!(!served.is_finished());
    assert!(raw.rest().await.starts_with("HTTP/1.1 408 "));
    assert_eq!(10 * SECOND, start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_slow_request_that_makes_it_is_served() {
    let (mut raw, served) = serve(patient(|_| {}), 4096);
    let request = request("/", "");
    let step = 9 * SECOND / request.len() as u32;
    for byte in request.bytes() {
        raw.send([byte]).await;
        sleep(step).await;
    }
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    raw.close().await;
    assert_eq!("closed by peer with 1000", served.await.unwrap().end.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_a_ping_is_dropped_at_the_deadline() {
    let config = patient(|times| {
        times.ping_interval = Some(20 * SECOND);
        times.pong = 7 * SECOND;
    });
    let (mut raw, served) = open(config, 4096).await;
    let start = Instant::now();
    assert_eq!(PING, raw.frame().await.unwrap().opcode());
    assert_eq!(20 * SECOND, start.elapsed());
    raw.expect_end().await;
    assert_eq!(27 * SECOND, start.elapsed());
    assert_eq!("peer did not answer a ping", served.await.unwrap().end.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_pings_stays() {
    let config = patient(|times| times.ping_interval = Some(20 * SECOND));
    let (mut raw, served) = open(config, 4096).await;
    let start = Instant::now();
    for _ in 0..100 {
        let ping = raw.frame().await.unwrap();
        assert_eq!(PING, ping.opcode());
        sleep(19 * SECOND).await;
        raw.send(frame(PONG, &ping.payload)).await;
    }
    assert!(start.elapsed() > 3800 * SECOND);
    raw.close().await;
    assert_eq!("closed by peer with 1000", served.await.unwrap().end.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_peer_in_the_middle_of_a_large_frame_is_alive() {
    let config = patient(|times| times.ping_interval = Some(20 * SECOND));
    let (mut raw, served) = open(config, 4096).await;
    let bytes = frame(BINARY, &[7; 100]);
    for byte in bytes {
        raw.send([byte]).await;
        sleep(5 * SECOND).await;
    }
    raw.expect(BINARY, &[7; 100]).await;
    raw.close().await;
    assert_eq!("closed by peer with 1000", served.await.unwrap().end.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_messages_gets_1001() {
    let config = patient(|times| {
        times.idle = Some(30 * SECOND);
        times.ping_interval = Some(20 * SECOND);
    });
    let (mut raw, served) = open(config, 4096).await;
    let start = Instant::now();
    let ping = raw.frame().await.unwrap();
    raw.send(frame(PONG, &ping.payload)).await;
    raw.expect_close(1001).await;
    assert_eq!(30 * SECOND, start.elapsed(), "a pong is not a message");
    raw.send(close_frame(1001)).await;
    raw.expect_end().await;
    drop(raw);
    assert_eq!("closed with 1001: no message for too long", served.await.unwrap().end.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_message_now_and_then_keeps_a_connection() {
    let (mut raw, served) = open(patient(|times| times.idle = Some(30 * SECOND)), 4096).await;
    for _ in 0..10 {
        sleep(29 * SECOND).await;
        raw.send(frame(TEXT, b"still here")).await;
        raw.expect(TEXT, b"still here").await;
    }
    raw.close().await;
    assert_eq!("closed by peer with 1000", served.await.unwrap().end.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_trickles_does_not_keep_a_connection() {
    let (mut raw, served) = open(patient(|times| times.idle = Some(30 * SECOND)), 4096).await;
    raw.send(frame(TEXT, &[b'x'; 100])[..50].to_vec()).await;
    for _ in 0..29 {
        sleep(SECOND).await;
        raw.send([0x20]).await;
    }
    assert!(!served.is_finished());
    raw.expect_close(1001).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_our_close_is_left_after_the_close_timeout() {
    let config = patient(|times| times.idle = Some(30 * SECOND));
    let (mut raw, served) = open(config, 4096).await;
    let start = Instant::now();
    raw.expect_close(1001).await;
    raw.expect_end().await;
    assert_eq!(35 * SECOND, start.elapsed());
    drop(raw);
    let end = served.await.unwrap().end.to_string();
    assert_eq!("closed with 1001: no message for too long (peer did not answer)", end);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_goes_on_talking_after_our_close_gains_no_time() {
    let config = patient(|times| times.idle = Some(30 * SECOND));
    let (mut raw, served) = open(config, 4096).await;
    raw.expect_close(1001).await;
    let start = Instant::now();
    for _ in 0..4 {
        sleep(SECOND).await;
        raw.send(frame(TEXT, b"nobody listens")).await;
    }
    raw.expect_end().await;
    assert_eq!(5 * SECOND, start.elapsed());
    drop(raw);
    served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_end_tcp_is_left_after_the_linger_time() {
    let (mut raw, served) = open(patient(|_| {}), 4096).await;
    let start = Instant::now();
    raw.send(close_frame(1000)).await;
    raw.expect_close(1000).await;
    raw.expect_end().await;
    assert_eq!(Duration::ZERO, start.elapsed(), "the server ends TCP first, and at once");
    assert_eq!("closed by peer with 1000", served.await.unwrap().end.to_string());
    assert_eq!(2 * SECOND, start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_stops_being_read_and_is_dropped() {
    let config = Config { send_queue: 64 << 10, ..patient(|_| {}) };
    let (mut raw, served) = open(config, 4096).await;
    let start = Instant::now();
    let message = frame(BINARY, &[7; 1000]);
    let mut taken = 0;
    while raw.stream.write_all(&message).await.is_ok() {
        taken += message.len();
        assert!(taken < 1 << 20, "the server reads on and on although its answers are not taken");
    }
    assert!(taken > 64 << 10, "below the limit messages are taken: {taken}");
    assert_eq!("peer did not read", served.await.unwrap().end.to_string());
    assert_eq!(30 * SECOND, start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_gets_everything() {
    let config = Config { send_queue: 16 << 10, ..patient(|_| {}) };
    let (raw, served) = open(config, 1024).await;
    let payload: Vec<u8> = (0..100_000).map(|i| i as u8).collect();
    let (mut read, mut write) = tokio::io::split(raw.stream);
    let bytes = [frame(BINARY, &payload), frame(BINARY, &payload), close_frame(1000)].concat();
    let send = async {
        write.write_all(&bytes).await.unwrap();
    };
    let receive = async {
        let mut seen = Vec::new();
        let mut buffer = [0; 1000];
        loop {
            // Much slower than the write timeout allows for the whole, and always a little progress.
            sleep(20 * SECOND).await;
            match read.read(&mut buffer).await.unwrap() {
                0 => return seen,
                n => seen.extend(&buffer[..n]),
            }
        }
    };
    let ((), seen) = tokio::join!(send, receive);
    let expected = [&[0x82, 127, 0, 0, 0, 0, 0, 1, 0x86, 0xa0], &payload[..]].concat().repeat(2);
    assert!(seen[..expected.len()] == expected);
    assert_eq!([0x80 | CLOSE, 2, 0x03, 0xe8], seen[expected.len()..]);
    assert_eq!("closed by peer with 1000", served.await.unwrap().end.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_its_refusal_is_dropped() {
    let (mut raw, served) = serve(patient(|_| {}), 16);
    let start = Instant::now();
    raw.send("not a request\r\n\r\n").await;
    assert!(served.await.unwrap().end.to_string().starts_with("refused with 400: "));
    assert!(start.elapsed() <= 40 * SECOND, "{:?}", start.elapsed());
}

/// Counts how often bytes are written.
struct Counting {
    inner: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_in_one_read_is_answered_in_one_write() {
    let (inner, mut raw) = pipe(1 << 20);
    let writes = Arc::new(AtomicUsize::new(0));
    let stream = Counting { inner, writes: Arc::clone(&writes) };
    let served =
        tokio::spawn(
            async move { serve_stream(stream, "192.0.2.1:1".parse().unwrap(), &patient(|_| {})).await },
        );
    raw.shake_hands("").await;
    let before = writes.load(Ordering::SeqCst);
    // Small ones are copied together, large ones are pieces of a vectored write.
    let mut bytes = Vec::new();
    for i in 0..100 {
        bytes.extend(frame(BINARY, &[i; 50]));
    }
    bytes.extend(frame(BINARY, &[1; 5000]));
    bytes.extend(frame(PING, b"and this"));
    raw.send(bytes).await;
    for i in 0..100 {
        raw.expect(BINARY, &[i; 50]).await;
    }
    raw.expect(BINARY, &[1; 5000]).await;
    raw.expect(PONG, b"and this").await;
    assert_eq!(1, writes.load(Ordering::SeqCst) - before);
    raw.close().await;
    served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_pings_is_idle_all_the_same() {
    let (mut raw, served) = open(patient(|times| times.idle = Some(30 * SECOND)), 1 << 20).await;
    let start = Instant::now();
    // Never a moment without something to read.
    let burst = frame(PING, b"still here").repeat(100);
    while !served.is_finished() && start.elapsed() < 40 * SECOND {
        raw.send(&burst).await;
        for _ in 0..100 {
            let answer = raw.frame().await.unwrap();
            if answer.opcode() == CLOSE {
                assert!((30 * SECOND..31 * SECOND).contains(&start.elapsed()), "{:?}", start.elapsed());
                return;
            }
            assert_eq!(PONG, answer.opcode());
        }
        sleep(SECOND / 10).await;
    }
    panic!("the connection was never closed");
}
