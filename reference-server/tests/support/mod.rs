//! A client that speaks in bytes, so that nothing here is right or wrong for the same reason as the code under test.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of this")]

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
    net::TcpStream,
    sync::mpsc,
};
use wsgrade_reference_server::{Config, ConnectionReport, Server, ServerHandle};

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// Longer than anything takes on a machine under load: a test that waits for it is going to fail.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server and what it says about its connections.
pub struct Running {
    pub handle: ServerHandle,
    pub reports: mpsc::UnboundedReceiver<ConnectionReport>,
}

impl Running {
    pub fn start(mut config: Config) -> Self {
        let (tell, reports) = mpsc::unbounded_channel();
        config.on_end = Some(Arc::new(move |report: &ConnectionReport| {
            let _ = tell.send(report.clone());
        }));
        Self { handle: Server::bind(config).unwrap().spawn(), reports }
    }

    pub async fn tcp(&self) -> Raw<TcpStream> {
        Raw::new(TcpStream::connect(self.handle.local_addr()).await.unwrap())
    }

    /// A connection with the opening handshake done.
    pub async fn open(&self) -> Raw<TcpStream> {
        let mut raw = self.tcp().await;
        raw.shake_hands("").await;
        raw
    }

    pub async fn report(&mut self) -> ConnectionReport {
        patiently(self.reports.recv()).await.unwrap()
    }

    /// How the next connection ended, as the log says it.
    pub async fn end(&mut self) -> String {
        self.report().await.end.to_string()
    }
}

pub async fn patiently<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("this should have happened long ago")
}

/// One frame as it was on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub first: u8,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn opcode(&self) -> u8 {
        self.first & 0x0f
    }
}

/// A frame with FIN, masked.
pub fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    frame_with(0x80 | opcode, Some([0x12, 0x34, 0x56, 0x78]), payload)
}

pub fn frame_with(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let bit = if mask.is_some() { 0x80 } else { 0 };
    match payload.len() {
        len @ 0..=125 => bytes.push(bit | len as u8),
        len @ 126..=0xffff => {
            bytes.push(bit | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(bit | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    match mask {
        Some(key) => {
            bytes.extend(key);
            bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        }
        None => bytes.extend(payload),
    }
    bytes
}

pub fn close_frame(code: u16) -> Vec<u8> {
    frame(CLOSE, &code.to_be_bytes())
}

/// A correct request with room for more headers.
pub fn request(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
    )
}

/// The answer to the key above (RFC 6455, section 1.3).
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub struct Raw<S> {
    pub stream: S,
    /// Read and not looked at yet.
    seen: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, seen: Vec::new() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        patiently(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Reads more; false at the end of the stream or when it was reset.
    async fn more(&mut self) -> bool {
        let mut buffer = [0; 64 << 10];
        match self.stream.read(&mut buffer).await {
            Ok(0) | Err(_) => false,
            Ok(n) => {
                self.seen.extend(&buffer[..n]);
                true
            }
        }
    }

    /// The head of a response.
    pub async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.seen.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.seen.split_off(end + 4);
                return String::from_utf8(std::mem::replace(&mut self.seen, rest)).unwrap();
            }
            assert!(
                self.more().await,
                "the stream ended inside the head: {:?}",
                String::from_utf8_lossy(&self.seen)
            );
        }
    }

    /// Everything up to the end of TCP.
    pub async fn rest(&mut self) -> String {
        while self.more().await {}
        String::from_utf8(std::mem::take(&mut self.seen)).unwrap()
    }

    pub async fn shake_hands(&mut self, headers: &str) -> String {
        self.send(request("/", headers)).await;
        let head = self.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains(ACCEPT), "{head}");
        head
    }

    /// The next frame; `None` if TCP ended before its first byte.
    pub async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, len)) = parse(&self.seen) {
                self.seen.drain(..len);
                return Some(frame);
            }
            if !self.more().await {
                assert!(self.seen.is_empty(), "the stream ended inside a frame: {:?}", self.seen);
                return None;
            }
        }
    }

    pub async fn expect(&mut self, opcode: u8, payload: &[u8]) {
        let frame = self.frame().await.expect("a frame");
        assert_eq!(0x80 | opcode, frame.first);
        assert!(
            frame.payload == payload,
            "another payload of {} bytes, not {}",
            frame.payload.len(),
            payload.len()
        );
    }

    /// A Close frame with this code, and after it the end of TCP, while our own direction is still open.
    pub async fn expect_close(&mut self, code: u16) -> String {
        let frame = self.frame().await.expect("a Close frame");
        assert_eq!(0x80 | CLOSE, frame.first, "{frame:?}");
        assert_eq!(code.to_be_bytes(), frame.payload[..2], "{:?}", String::from_utf8_lossy(&frame.payload));
        String::from_utf8(frame.payload[2..].to_vec()).unwrap()
    }

    pub async fn expect_end(&mut self) {
        assert_eq!(None, self.frame().await);
    }

    /// The closing handshake, begun here.
    pub async fn close(mut self) {
        self.send(close_frame(1000)).await;
        self.expect_close(1000).await;
        self.expect_end().await;
    }
}

fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (&first, rest) = bytes.split_first()?;
    let (&second, rest) = rest.split_first()?;
    assert_eq!(0, second & 0x80, "a server does not mask");
    let (len, rest) = match second {
        126 => {
            let (len, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*len) as usize, rest)
        }
        len => (usize::from(len), rest),
    };
    let payload = rest.get(..len)?.to_vec();
    Some((Frame { first, payload }, bytes.len() - rest.len() + len))
}

/// Both ends of a connection in memory, for virtual time.
pub fn pipe(size: usize) -> (DuplexStream, Raw<DuplexStream>) {
    let (ours, theirs) = tokio::io::duplex(size);
    (ours, Raw::new(theirs))
}
