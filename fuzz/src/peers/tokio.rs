//! `tokio-websockets`, given a stream in memory, and polled by hand.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_websockets::{ClientBuilder, Error, Limits, Message, ServerBuilder, WebSocketStream};
use wsgrade_codec::close::CloseFrame;
use wsgrade_codec::{Kind, Role};

use super::{CAP, End, Heard, Said};
use crate::plan::Input;

/// Reads one after another, each of them announced by a read that has to wait, and then the end of TCP. What is written
/// goes nowhere.
struct Stream {
    reads: VecDeque<Vec<u8>>,
    waited: bool,
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.waited = !self.waited;
        if self.waited {
            return Poll::Pending;
        }
        if let Some(read) = self.reads.front_mut() {
            let count = read.len().min(buffer.remaining());
            buffer.put_slice(&read[..count]);
            read.drain(..count);
            if read.is_empty() {
                self.reads.pop_front();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

pub(super) fn hears(input: &Input, reads: &[&[u8]]) -> Heard {
    let reads = reads.iter().filter(|read| !read.is_empty()).map(|read| read.to_vec()).collect();
    let stream = Stream { reads, waited: false };
    let limits = Limits::default().max_payload_len(Some(CAP));
    let mut socket = match input.sender.peer() {
        Role::Server => ServerBuilder::new().limits(limits).serve(stream),
        Role::Client => ClientBuilder::new().limits(limits).take_over(stream),
    };
    let mut said = Vec::new();
    loop {
        let message = match next(&mut socket) {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Heard { said, end: end(&error) },
            None => return Heard { said, end: End::Open },
        };
        // Its text is taken as bytes: that it calls itself valid is not to be relied on, see the exceptions.
        let payload = message.as_payload().to_vec();
        let close = message.is_close();
        said.push(as_said(&message, payload));
        if close {
            return Heard { said, end: End::Closed };
        }
    }
}

fn next(socket: &mut WebSocketStream<Stream>) -> Option<Result<Message, Error>> {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(item) = socket.poll_next_unpin(&mut context) {
            return item;
        }
    }
}

fn as_said(message: &Message, payload: Vec<u8>) -> Said {
    if message.is_text() {
        Said::Message(Kind::Text, payload.into())
    } else if message.is_binary() {
        Said::Message(Kind::Binary, payload.into())
    } else if message.is_ping() {
        Said::Ping(payload.into())
    } else if message.is_pong() {
        Said::Pong(payload.into())
    } else {
        Said::Close(CloseFrame::parse(&payload).expect("a body that it took"))
    }
}

/// The end of TCP, or something that it takes for a violation.
fn end(error: &Error) -> End {
    match error {
        // What is left of a frame that was cut.
        Error::Io(_) => End::Open,
        Error::Protocol(_) | Error::PayloadTooLong { .. } => End::Failed(None),
        other => panic!("a stream in memory does not end so: {other}"),
    }
}
