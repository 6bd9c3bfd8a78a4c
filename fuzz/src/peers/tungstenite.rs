//! `tungstenite`, given a stream in memory.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use tungstenite::error::Error;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};
use wsgrade_codec::Kind;
use wsgrade_codec::close::{CloseCode, CloseFrame};

use super::{CAP, End, Heard, Said};
use crate::plan::Input;

/// Reads one after another, and then the end of TCP. What is written goes nowhere.
struct Stream<'a>(VecDeque<&'a [u8]>);

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(read) = self.0.front_mut() {
            if !read.is_empty() {
                return read.read(buffer);
            }
            // An empty read would be the end.
            self.0.pop_front();
        }
        Ok(0)
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn hears(input: &Input, reads: &[&[u8]]) -> Heard {
    let role = match input.sender.peer() {
        wsgrade_codec::Role::Server => Role::Server,
        wsgrade_codec::Role::Client => Role::Client,
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_frame_size(Some(CAP))
        .max_message_size(Some(CAP));
    let stream = Stream(reads.iter().copied().collect());
    let mut socket = WebSocket::from_raw_socket(stream, role, Some(config));
    let mut said = Vec::new();
    loop {
        said.push(match socket.read() {
            Ok(Message::Text(text)) => Said::Message(Kind::Text, text.into()),
            Ok(Message::Binary(payload)) => Said::Message(Kind::Binary, payload),
            Ok(Message::Ping(body)) => Said::Ping(body),
            Ok(Message::Pong(body)) => Said::Pong(body),
            Ok(Message::Close(frame)) => {
                let frame =
                    frame.map(|frame| CloseFrame::new(CloseCode::new(frame.code.into()), &*frame.reason));
                said.push(Said::Close(frame.unwrap_or_default()));
                return Heard { said, end: End::Closed };
            }
            Ok(Message::Frame(frame)) => panic!("it does not hand out frames: {frame}"),
            Err(error) => return Heard { said, end: end(&error) },
        });
    }
}

/// The end of TCP, or something that it takes for a violation.
fn end(error: &Error) -> End {
    use tungstenite::error::ProtocolError::ResetWithoutClosingHandshake;
    match error {
        Error::Protocol(ResetWithoutClosingHandshake) => End::Open,
        Error::Protocol(_) | Error::Capacity(_) | Error::Utf8(_) => End::Failed(None),
        other => panic!("a stream in memory does not end so: {other}"),
    }
}
