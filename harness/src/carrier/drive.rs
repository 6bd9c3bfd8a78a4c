//! The loop between an engine and a stream.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::Instant;

use crate::engine::{Action, Engine, Input};

/// How much is read at once: little at first, as most that is said is short, and more where there was more.
const READ_BYTES: (usize, usize) = (4 << 10, 64 << 10);

/// How the engine wants the connection dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// As the transport does it.
    Plain,
    /// By a reset.
    Abort,
}

/// Plays an engine's case over a stream that is connected. `began` is when the case began; `stall` is how long
/// the peer may take none of what we write.
pub async fn drive<S>(engine: &mut Engine, stream: &mut S, began: Instant, stall: Duration) -> Drop
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (reader, writer) = tokio::io::split(stream);
    let mut connection = Connection {
        reader,
        writer,
        began,
        stall,
        buffer: BytesMut::new(),
        room: READ_BYTES.0,
        readable: true,
        reading: true,
    };
    loop {
        match engine.poll(began.elapsed()) {
            Action::Write(bytes) => connection.write(engine, bytes, None).await,
            Action::Offer(bytes, until) => connection.write(engine, bytes, Some(began + until)).await,
            Action::Read(on) => connection.reading = on,
            Action::Wait(until) => {
                let input = connection.read_until(began + until).await;
                engine.handle(began.elapsed(), input);
            }
            Action::ShutdownWrite => connection.shutdown(engine).await,
            Action::Abort => return Drop::Abort,
            Action::Finish => return Drop::Plain,
        }
    }
}

struct Connection<'a, S> {
    reader: ReadHalf<&'a mut S>,
    writer: WriteHalf<&'a mut S>,
    began: Instant,
    stall: Duration,
    buffer: BytesMut,
    /// How much is read at once now.
    room: usize,
    /// Whether the peer may still send.
    readable: bool,
    /// Whether we want to know what it sends.
    reading: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    /// Writes it all, reading meanwhile: a peer that answers before it has read everything must not block us.
    /// What is only offered is given up at its time.
    async fn write(&mut self, engine: &mut Engine, mut bytes: Bytes, offered: Option<Instant>) {
        let mut stalled_at = offered.unwrap_or_else(|| Instant::now() + self.stall);
        loop {
            let flushing = !bytes.has_remaining();
            self.buffer.reserve(self.room);
            let input = tokio::select! {
                read = self.reader.read_buf(&mut self.buffer), if self.readable && self.reading => self.input_of(read),
                written = put(&mut self.writer, bytes.chunk()) => match written {
                    Ok(_) if flushing => return,
                    Ok(0) => Input::Reset,
                    Ok(count) => {
                        bytes.advance(count);
                        stalled_at = offered.unwrap_or_else(|| Instant::now() + self.stall);
                        continue;
                    }
                    // What the peer sent before it went is still there to be read.
                    Err(_) if self.readable => {
                        self.reading = true;
                        let input = self.read_until(stalled_at).await;
                        engine.handle(self.began.elapsed(), input);
                        return;
                    }
                    Err(_) => Input::Reset,
                },
                () = tokio::time::sleep_until(stalled_at) => match offered {
                    Some(_) => Input::Untaken(bytes.clone()),
                    None => Input::WriteStalled,
                },
            };
            let over =
                matches!(input, Input::Reset | Input::WriteStalled | Input::Untaken(_) | Input::EndOfStream);
            engine.handle(self.began.elapsed(), input);
            // Who answers an endless head before its end, say, may read no more of it.
            if over || engine.is_over() {
                return;
            }
        }
    }

    /// Ends our direction, reading meanwhile: TLS has something to write first. Where that cannot be done, a peer that
    /// is gone shows itself by what is read next, and for one that reads nothing the engine has its own patience.
    async fn shutdown(&mut self, engine: &mut Engine) {
        let stalled_at = Instant::now() + self.stall;
        loop {
            self.buffer.reserve(self.room);
            let input = tokio::select! {
                biased;
                _ = self.writer.shutdown() => return,
                read = self.reader.read_buf(&mut self.buffer), if self.readable => self.input_of(read),
                () = tokio::time::sleep_until(stalled_at) => return,
            };
            engine.handle(self.began.elapsed(), input);
        }
    }

    async fn read_until(&mut self, deadline: Instant) -> Input {
        self.buffer.reserve(self.room);
        tokio::select! {
            read = self.reader.read_buf(&mut self.buffer), if self.readable && self.reading => self.input_of(read),
            () = tokio::time::sleep_until(deadline) => Input::Tick,
        }
    }

    fn input_of(&mut self, read: io::Result<usize>) -> Input {
        match read {
            Ok(0) => {
                self.readable = false;
                Input::EndOfStream
            }
            Ok(count) => {
                if count >= self.room {
                    self.room = READ_BYTES.1;
                }
                Input::Received(self.buffer.split().freeze())
            }
            Err(_) => {
                self.readable = false;
                Input::Reset
            }
        }
    }
}

/// Writes some of these bytes, or, where there are none left, what the stream still holds back (TLS does).
async fn put(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<usize> {
    if bytes.is_empty() { writer.flush().await.map(|()| 0) } else { writer.write(bytes).await }
}
