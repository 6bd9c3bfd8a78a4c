//! Command mode: on any path that is no call, the client says by messages what is to be sent to it.
//!
//! ```text
//! ["sendframe", {"opcode": 1, "payload": "x", …}]   a frame, any part of which may be wrong
//! ["sendframes", [{…}, {…}]]                        several
//! ["echo", {"payload": "x", "payload_len": 100}]    a text message
//! ["close", {"code": 1000, "reason": "x"}]          a Close frame
//! ```
//!
//! `payload_len` repeats the payload to that many bytes, `chopsize` cuts the frame into writes of so many.

use std::io;

use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use wsgrade_codec::close::{CloseCode, CloseFrame, MAX_REASON_BYTES};
use wsgrade_codec::endpoint::{self, Endpoint, Event, Message};
use wsgrade_codec::wire::{Header, Opcode, Rsv};
use wsgrade_codec::{Kind, Role};

use crate::engine::Limits;

/// The longest command.
const MAX_COMMAND: usize = 1 << 20;
/// The most that one command makes us send.
const MAX_SENT: u64 = 64 << 20;
/// How much of a frame is made at a time.
const PIECE: usize = 64 << 10;

/// Something to send.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Command {
    Frames(Vec<Wanted>),
    Close(CloseFrame),
}

/// A frame as a client wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    header: Header,
    /// Repeated to the header's length; not empty, unless that is 0.
    payload: Vec<u8>,
    /// How many bytes go out by one write. `1 <= chop <= PIECE`.
    chop: usize,
}

/// Accepts a connection with this response and does what it asks until it is over. `rest` came with the request.
pub(super) async fn converse<S>(stream: &mut S, response: &[u8], rest: &[u8], limits: &Limits)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let settings = endpoint::Config {
        limits: endpoint::Limits {
            max_frame: MAX_COMMAND,
            max_message: MAX_COMMAND,
            ..endpoint::Limits::default()
        },
        ..endpoint::Config::new(Role::Server)
    };
    // A server masks nothing (RFC 6455 5.1): never called.
    let mut endpoint = Endpoint::new(settings, || [0; 4]);
    endpoint.receive(rest);
    let mut conversation = Conversation { stream, endpoint, limits };
    // An error is a client that is gone, or takes nothing: there is nobody to tell.
    let _ = conversation.run(response).await;
}

struct Conversation<'a, S> {
    stream: &'a mut S,
    endpoint: Endpoint,
    limits: &'a Limits,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<'_, S> {
    async fn run(&mut self, response: &[u8]) -> io::Result<()> {
        self.write(response).await?;
        // Only commands keep a connection alive, and not for ever.
        let mut deadline = Instant::now() + self.limits.whole;
        loop {
            while let Some(event) = self.endpoint.poll_event() {
                match event {
                    Event::Message(message) => {
                        timeout(self.limits.whole, self.obey(&message)).await??;
                        deadline = Instant::now() + self.limits.whole;
                    }
                    // The endpoint has answered what wants an answer.
                    Event::Ping(_) | Event::Pong(_) => {}
                    Event::Close(_) | Event::Failed { .. } | Event::Closed { .. } => return self.end().await,
                }
            }
            self.flush().await?;
            if self.endpoint.sent_close() {
                deadline = deadline.min(Instant::now() + self.limits.close);
            }
            let read = self.stream.read_buf(self.endpoint.read_buffer());
            match timeout_at(deadline, read).await {
                Ok(Ok(0)) => return self.end().await,
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    // Fails only where a Close was sent before.
                    let _ = self.endpoint.close(Some(CloseCode::GOING_AWAY), "no command for too long");
                    return self.end().await;
                }
            }
        }
    }

    async fn obey(&mut self, message: &Message) -> io::Result<()> {
        let command = match message.kind() {
            Kind::Text => parse(message.as_text().unwrap_or_default()),
            Kind::Binary => {
                let _ = self.endpoint.close(Some(CloseCode::UNSUPPORTED_DATA), "a command is a text message");
                return Ok(());
            }
        };
        match command {
            Ok(Command::Frames(frames)) => {
                // What the endpoint has to say came first.
                self.flush().await?;
                for frame in &frames {
                    self.send(frame).await?;
                }
            }
            Ok(Command::Close(frame)) => {
                if self.endpoint.close(frame.code, &frame.reason).is_err() {
                    // What the endpoint would not say is what a fuzzing client asks for.
                    self.flush().await?;
                    self.send(&Wanted::close(&frame)).await?;
                }
            }
            Err(reason) => {
                let _ = self.endpoint.close(Some(CloseCode::POLICY), cut(&reason));
            }
        }
        Ok(())
    }

    async fn send(&mut self, frame: &Wanted) -> io::Result<()> {
        let head = frame.header.encode();
        let mut piece = head.to_vec();
        let mut at = 0;
        let len = frame.header.length.value();
        loop {
            while piece.len() < frame.chop && at < len {
                piece.push(frame.byte(at));
                at += 1;
            }
            let more = piece.split_off(piece.len().min(frame.chop));
            if piece.is_empty() {
                return Ok(());
            }
            self.write(&piece).await?;
            piece = more;
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        let mut wire = Vec::new();
        self.endpoint.drain_into(&mut wire);
        self.write(&wire).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(self.limits.answer, async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await?
    }

    /// Says what is left to say, and ends TCP when the client has, or after a while.
    async fn end(&mut self) -> io::Result<()> {
        self.flush().await?;
        let mut sink = [0; 4096];
        timeout(self.limits.close, async {
            self.stream.shutdown().await?;
            while self.stream.read(&mut sink).await? > 0 {}
            Ok(())
        })
        .await?
    }
}

impl Wanted {
    /// The byte of the payload at a place, as it goes out.
    fn byte(&self, at: u64) -> u8 {
        // Both indexes are less than a length in memory.
        let byte = self.payload[(at % self.payload.len() as u64) as usize];
        self.header.mask.map_or(byte, |key| byte ^ key[(at % 4) as usize])
    }

    fn close(frame: &CloseFrame) -> Self {
        let mut payload = frame.code.map(|code| code.value().to_be_bytes().to_vec()).unwrap_or_default();
        payload.extend_from_slice(frame.reason.as_bytes());
        let header = Header::new(Opcode::CLOSE, None, payload.len() as u64);
        Self { header, payload, chop: PIECE }
    }
}

/// As much of a reason as a Close frame holds.
fn cut(reason: &str) -> &str {
    let mut end = reason.len().min(MAX_REASON_BYTES);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

/// Reads a command; what is wrong with it is said in a sentence.
fn parse(text: &str) -> Result<Command, String> {
    let command: Value = serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}"))?;
    let form = "a command is [\"sendframe\" | \"sendframes\" | \"echo\" | \"close\", {…}]";
    let [Value::String(name), argument] = command.as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err(form.to_owned());
    };
    let object = |value: &Value| {
        value.as_object().cloned().ok_or_else(|| format!("{name}: an object {{…}} is expected"))
    };
    let frames = match name.as_str() {
        "sendframe" => vec![frame(&object(argument)?, None)?],
        "sendframes" => {
            let list = argument.as_array().ok_or("sendframes: a list of objects is expected")?;
            list.iter().map(|one| frame(&object(one)?, None)).collect::<Result<_, _>>()?
        }
        "echo" => vec![frame(&object(argument)?, Some(Opcode::TEXT))?],
        "close" => return close(&object(argument)?).map(Command::Close),
        _ => return Err(form.to_owned()),
    };
    let sent: u64 = frames.iter().map(|frame| frame.header.length.value()).fold(0, u64::saturating_add);
    if sent > MAX_SENT {
        return Err(format!("one command sends at most {MAX_SENT} bytes, not {sent}"));
    }
    Ok(Command::Frames(frames))
}

fn frame(object: &Map<String, Value>, opcode: Option<Opcode>) -> Result<Wanted, String> {
    let number = |key: &str, most: u64| match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().filter(|number| *number <= most);
            number.map(Some).ok_or_else(|| format!("{key} is a number from 0 to {most}"))
        }
    };
    let small = |key: &str, most: u8| {
        number(key, u64::from(most)).map(|number| number.and_then(|number| u8::try_from(number).ok()))
    };
    let opcode = match opcode {
        Some(opcode) => opcode,
        None => {
            small("opcode", 15)?.and_then(Opcode::new).ok_or("opcode is missing: a number from 0 to 15")?
        }
    };
    let payload = match object.get("payload") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(_) => return Err("payload is a text".to_owned()),
    };
    let len = match number("payload_len", MAX_SENT)? {
        Some(1..) if payload.is_empty() => {
            return Err("payload_len repeats a payload, and there is none".to_owned());
        }
        Some(len) => len,
        None => payload.len() as u64,
    };
    let fin = match object.get("fin") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(fin)) => *fin,
        Some(value) => value.as_u64().ok_or("fin is true or false")? != 0,
    };
    let chop = match number("chopsize", MAX_SENT)? {
        None => PIECE,
        Some(0) => return Err("chopsize is a number from 1".to_owned()),
        Some(chop) => usize::try_from(chop).unwrap_or(PIECE).min(PIECE),
    };
    let rsv = small("rsv", 7)?.and_then(Rsv::new).unwrap_or(Rsv::NONE);
    let header = Header { fin, rsv, ..Header::new(opcode, mask(object.get("mask"))?, len) };
    Ok(Wanted { header, payload, chop })
}

/// A key of four characters, or of eight hex digits, or any.
fn mask(value: Option<&Value>) -> Result<Option<[u8; 4]>, String> {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        Some(Value::Bool(true)) => Ok(Some(fastrand::u32(..).to_be_bytes())),
        Some(Value::String(text)) => {
            let characters =
                || text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<Vec<_>>>();
            let digits =
                || u32::from_str_radix(text, 16).ok().filter(|_| text.len() == 8).map(u32::to_be_bytes);
            let key = characters().and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).or_else(digits);
            key.map(Some).ok_or_else(|| "mask is four characters or eight hex digits".to_owned())
        }
        Some(Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err("mask is four characters or eight hex digits".to_owned())
        }
    }
}

fn close(object: &Map<String, Value>) -> Result<CloseFrame, String> {
    let code = match object.get("code") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let code = value.as_u64().and_then(|code| u16::try_from(code).ok());
            Some(CloseCode::new(code.ok_or("code is a number from 0 to 65535")?))
        }
    };
    match object.get("reason") {
        None | Some(Value::Null) => Ok(CloseFrame { code, reason: String::new() }),
        Some(Value::String(_)) if code.is_none() => {
            Err("a reason stands behind a code, and there is none".to_owned())
        }
        Some(Value::String(reason)) => Ok(CloseFrame { code, reason: reason.clone() }),
        Some(_) => Err("reason is a text".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands() {
        let Ok(Command::Frames(frames)) = parse(
            r#"["sendframes", [{"opcode": 1}, {"opcode": 9, "payload": "ab", "payload_len": 5, "fin": false, "rsv": 5,
                "mask": "abcd", "chopsize": 1, "sync": true}, {"opcode": 2, "mask": "01020304"}]]"#,
        ) else {
            panic!("three frames")
        };
        assert_eq!(frames[0].header, Header::new(Opcode::TEXT, None, 0));
        let second = &frames[1];
        assert_eq!((second.header.fin, second.header.rsv.value(), second.chop), (false, 5, 1));
        let bytes: Vec<u8> = (0..5).map(|at| second.byte(at)).collect();
        assert_eq!(bytes, [0, 0, b'a' ^ b'c', b'b' ^ b'd', 0]);
        assert_eq!(frames[2].header.mask, Some([1, 2, 3, 4]));

        let echo = parse(r#"["echo", {"payload": "x", "payload_len": 3}]"#);
        let Ok(Command::Frames(frames)) = echo else { panic!("one frame") };
        assert_eq!((frames[0].header.opcode, frames[0].header.length.value()), (Opcode::TEXT, 3));

        let bye = CloseFrame { code: Some(CloseCode::new(1005)), reason: "bye".to_owned() };
        assert_eq!(parse(r#"["close", {"code": 1005, "reason": "bye"}]"#), Ok(Command::Close(bye)));
        assert_eq!(
            parse(r#"["close", {}]"#),
            Ok(Command::Close(CloseFrame { code: None, reason: String::new() }))
        );
    }

    #[test]
    fn what_is_no_command() {
        let said: Vec<_> = [
            "x",
            "{}",
            r#"["sendframe"]"#,
            r#"["shout", {}]"#,
            r#"["sendframe", 3]"#,
            r#"["sendframe", {"payload": "x"}]"#,
            r#"["sendframe", {"opcode": 16}]"#,
            r#"["sendframe", {"opcode": 1, "payload_len": 3}]"#,
            r#"["sendframe", {"opcode": 1, "payload": "x", "payload_len": 99999999999}]"#,
            r#"["sendframe", {"opcode": 1, "rsv": 8}]"#,
            r#"["sendframe", {"opcode": 1, "mask": "abc"}]"#,
            r#"["sendframe", {"opcode": 1, "chopsize": 0}]"#,
            r#"["sendframe", {"opcode": 1, "payload": 7}]"#,
            r#"["sendframes", [{"opcode": 1, "payload": "x", "payload_len": 40000000}, {"opcode": 1, "payload": "x", "payload_len": 40000000}]]"#,
            r#"["close", {"code": 70000}]"#,
            r#"["close", {"reason": "x"}]"#,
        ]
        .iter()
        .map(|text| parse(text).unwrap_err())
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        this is not JSON: expected value at line 1 column 1
        a command is ["sendframe" | "sendframes" | "echo" | "close", {…}]
        a command is ["sendframe" | "sendframes" | "echo" | "close", {…}]
        a command is ["sendframe" | "sendframes" | "echo" | "close", {…}]
        sendframe: an object {…} is expected
        opcode is missing: a number from 0 to 15
        opcode is a number from 0 to 15
        payload_len repeats a payload, and there is none
        payload_len is a number from 0 to 67108864
        rsv is a number from 0 to 7
        mask is four characters or eight hex digits
        chopsize is a number from 1
        payload is a text
        one command sends at most 67108864 bytes, not 80000000
        code is a number from 0 to 65535
        a reason stands behind a code, and there is none
        "#);
    }
}
