//! A server in memory and in virtual time, lawful but for one quirk: what the engine and the judge are tested
//! against on both sides.

pub(crate) mod deflate;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wsgrade_cases::Catalogue;
use wsgrade_cases::model::Scenario;
use wsgrade_codec::check::{Checker, Item, Negotiated, Rule};
use wsgrade_codec::deflate::{Support, negotiate};
use wsgrade_codec::handshake::{Agreement, Extension, Limits as HeadLimits, RequestError, RequestReader};
use wsgrade_codec::wire::{FrameDecoder, Header, Opcode};
use wsgrade_codec::{Kind, Role, mask};
use wsgrade_reports::record::Transcript;

use crate::engine::{Action, Engine, Input, Limits, Request};
use crate::judge::{Judgement, judge};
use crate::plan::Plan;

/// What a server does otherwise than it must (or, where it may, otherwise than most).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quirk {
    None,
    /// Agrees to permessage-deflate, and compresses nothing itself (RFC 7692 6).
    Inflates,
    /// The same, and asks for messages each by itself.
    InflatesAlone,
    /// Agrees to permessage-deflate, passes over what breaks a rule, and changes one byte of each message.
    InflatesCarelessly,
    /// Breaches of the rules by the client are passed over.
    IgnoresViolations,
    /// Fails the connection by ending TCP, without a Close.
    DropsOnViolation,
    /// Fails the connection with this code, whatever the reason.
    FailsWith(u16),
    /// Answers no ping.
    NoPong,
    /// Answers only the last ping of those that arrive together.
    LatestPongOnly,
    /// Answers pings with other data.
    WrongPong,
    /// Does not answer Close; ends TCP.
    NoCloseReply,
    /// Answers Close, but leaves TCP open.
    LeavesTcpOpen,
    /// Answers every Close with this code.
    RepliesWith(u16),
    /// Masks what it sends.
    Masks,
    /// Sends text back as binary.
    EchoesBinary,
    /// Changes one byte of each message.
    CorruptsEcho,
    /// Sends each message back twice.
    EchoesTwice,
    /// Sends messages back in fragments: of one byte, or some thousands of them.
    FragmentsEcho,
    /// Sends no message back.
    Reads,
    /// Sends no message back, and one unasked each time there is nothing else to do.
    Talks,
    /// Closes with this code at each message.
    ClosesAtText(u16),
    /// Says nothing after the opening handshake, and reads on.
    Silent,
    /// Sends pings without end, and heeds nothing.
    FloodsPings,
    /// Sends a message without end, one frame at a time.
    EndlessMessage,
    /// Closes with 1011 as soon as it is open.
    ClosesAtOnce,
    /// Ends TCP as soon as it is open.
    EndsAtOnce,
    /// Answers the opening handshake with 503.
    Refuses,
    /// Never answers the opening handshake.
    NeverOpens,
    /// Answers with what is no HTTP.
    NotHttp,
    /// Computes the accept key wrongly.
    WrongAccept,
}

/// The server's side of one connection.
pub(crate) struct SimulatedServer {
    quirk: Quirk,
    opening: Option<RequestReader>,
    decoder: FrameDecoder,
    checker: Checker,
    over: bool,
    /// How many messages it sent unasked.
    said: u32,
    out: VecDeque<Input>,
}

impl SimulatedServer {
    pub(crate) fn new(quirk: Quirk) -> Self {
        Self {
            quirk,
            opening: Some(RequestReader::new(HeadLimits::default())),
            decoder: FrameDecoder::new(),
            checker: Checker::new(Role::Client, Negotiated::default()),
            over: false,
            said: 0,
            out: VecDeque::new(),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        if let Some(reader) = &mut self.opening {
            let heard = match reader.push(bytes) {
                Ok(Some((head, rest))) => Ok((head, rest)),
                Ok(None) => return,
                Err(error) => Err(RequestError::Head(error)),
            };
            let heard = heard.and_then(|(head, rest)| Ok((head.validate()?, rest)));
            self.opening = None;
            if let Err(error) = &heard {
                self.out.push_back(Input::Received(Bytes::from(error.response())));
                self.end();
            }
            if let Ok((request, rest)) = heard {
                let agreement = self.agree(&request.extensions);
                let mut response = request.accept(&agreement).expect("the extension is well-formed");
                match self.quirk {
                    Quirk::Refuses => {
                        response = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n".to_vec();
                    }
                    Quirk::NeverOpens => return,
                    Quirk::NotHttp => response = b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec(),
                    Quirk::WrongAccept => {
                        let at = response.windows(7).position(|w| w == b"Accept:").unwrap() + 9;
                        response[at] = if response[at] == b'A' { b'B' } else { b'A' };
                    }
                    _ => {}
                }
                self.out.push_back(Input::Received(Bytes::from(response)));
                match self.quirk {
                    Quirk::ClosesAtOnce => self.close(1011),
                    Quirk::EndsAtOnce => self.end(),
                    _ => {}
                }
                self.frames(&rest);
            }
            return;
        }
        self.frames(bytes);
    }

    fn agree(&mut self, offered: &[Extension]) -> Agreement {
        let client_no_context_takeover = match self.quirk {
            Quirk::Inflates | Quirk::InflatesCarelessly => false,
            Quirk::InflatesAlone => true,
            _ => return Agreement::default(),
        };
        let agreed = negotiate(offered, &Support { client_no_context_takeover, ..Support::default() });
        self.checker =
            Checker::new(Role::Client, Negotiated { deflate: agreed.as_ref().map(|(params, _)| *params) });
        Agreement {
            extensions: agreed.map(|(_, extension)| extension).into_iter().collect(),
            ..Agreement::default()
        }
    }

    fn frames(&mut self, bytes: &[u8]) {
        if matches!(self.quirk, Quirk::Silent | Quirk::FloodsPings | Quirk::EndlessMessage) {
            return;
        }
        self.decoder.push(bytes);
        let mut last_ping = None;
        while let Some(piece) = self.decoder.next() {
            self.checker.push(piece);
            while let Some(item) = self.checker.next() {
                if self.over {
                    return;
                }
                match (item, self.quirk) {
                    (Item::Ping(body), Quirk::LatestPongOnly) => last_ping = Some(body),
                    (item, _) => self.react(item),
                }
            }
        }
        if let Some(body) = last_ping {
            self.send(Opcode::PONG, true, &body);
        }
    }

    fn react(&mut self, item: Item) {
        match item {
            Item::Violation(violation) => match self.quirk {
                Quirk::IgnoresViolations | Quirk::InflatesCarelessly => {}
                Quirk::DropsOnViolation => self.end(),
                Quirk::FailsWith(code) => self.close(code),
                _ if matches!(violation.rule, Rule::TextUtf8 | Rule::CloseReasonUtf8) => self.close(1007),
                _ => self.close(1002),
            },
            Item::Message { kind, payload, .. } => self.echo(kind, &payload),
            Item::Ping(body) => match self.quirk {
                Quirk::NoPong => {}
                Quirk::WrongPong => self.send(Opcode::PONG, true, b"other"),
                _ => self.send(Opcode::PONG, true, &body),
            },
            Item::Close { body, .. } => match self.quirk {
                Quirk::NoCloseReply => self.end(),
                Quirk::RepliesWith(code) => self.close(code),
                _ => {
                    self.send(Opcode::CLOSE, true, &body[..body.len().min(2)]);
                    if self.quirk != Quirk::LeavesTcpOpen {
                        self.end();
                    }
                    self.over = true;
                }
            },
            Item::Pong(_) | Item::TooBig { .. } => {}
        }
    }

    fn echo(&mut self, kind: Kind, payload: &[u8]) {
        let opcode = Opcode::of(kind);
        match self.quirk {
            Quirk::Reads | Quirk::Talks => {}
            Quirk::ClosesAtText(code) => self.close(code),
            Quirk::EchoesBinary => self.send(Opcode::BINARY, true, payload),
            Quirk::CorruptsEcho | Quirk::InflatesCarelessly => {
                let mut payload = payload.to_vec();
                match payload.first_mut() {
                    Some(byte) => *byte ^= 1,
                    None => payload.push(b'?'),
                }
                self.send(opcode, true, &payload);
            }
            Quirk::EchoesTwice => {
                self.send(opcode, true, payload);
                self.send(opcode, true, payload);
            }
            Quirk::FragmentsEcho if payload.len() > 1 => {
                let pieces = payload.chunks(payload.len().div_ceil(3000));
                let last = pieces.len() - 1;
                for (at, piece) in pieces.enumerate() {
                    let opcode = if at == 0 { opcode } else { Opcode::CONTINUATION };
                    self.send(opcode, at == last, piece);
                }
            }
            _ => self.send(opcode, true, payload),
        }
    }

    fn send(&mut self, opcode: Opcode, fin: bool, body: &[u8]) {
        let key = (self.quirk == Quirk::Masks).then_some([1, 2, 3, 4]);
        let header = Header { fin, ..Header::new(opcode, key, body.len() as u64) };
        let mut bytes = header.encode().to_vec();
        let start = bytes.len();
        bytes.extend_from_slice(body);
        if let Some(key) = key {
            mask::apply(key, 0, &mut bytes[start..]);
        }
        self.out.push_back(Input::Received(Bytes::from(bytes)));
    }

    fn close(&mut self, code: u16) {
        self.send(Opcode::CLOSE, true, &code.to_be_bytes());
        self.end();
    }

    fn end(&mut self) {
        self.out.push_back(Input::EndOfStream);
        self.over = true;
    }
}

/// The server's side of one connection, in memory.
pub(crate) trait Serve {
    /// Takes what the client wrote.
    fn receive(&mut self, bytes: &[u8]);

    /// What it does unasked, each time the engine waits.
    fn idle(&mut self) {}

    /// What goes to the client.
    fn out(&mut self) -> &mut VecDeque<Input>;
}

impl Serve for SimulatedServer {
    fn receive(&mut self, bytes: &[u8]) {
        self.take(bytes);
    }

    fn idle(&mut self) {
        match self.quirk {
            Quirk::Talks
                if self.opening.is_none() && !self.over && self.out.is_empty() && self.said < 300 =>
            {
                self.said += 1;
                self.send(Opcode::TEXT, true, b"tick");
            }
            Quirk::FloodsPings => self.send(Opcode::PING, true, &[7; 125]),
            Quirk::EndlessMessage => self.send(Opcode::CONTINUATION, false, &[7; 60_000]),
            _ => {}
        }
    }

    fn out(&mut self) -> &mut VecDeque<Input> {
        &mut self.out
    }
}

/// What a play came to.
pub(crate) struct Played {
    pub(crate) transcript: Transcript,
    pub(crate) judgement: Judgement,
    /// When it was over.
    pub(crate) took: Duration,
}

/// Plays a scenario against a simulated server.
pub(crate) fn play(scenario: Arc<Scenario>, quirk: Quirk) -> Played {
    let plan = Arc::new(Plan::new(scenario, Arc::default()));
    play_with(&plan, &mut SimulatedServer::new(quirk))
}

/// Plays a case against any server in memory.
pub(crate) fn play_with(plan: &Arc<Plan>, server: &mut impl Serve) -> Played {
    let request = Request { host: "test".to_owned(), target: "/".to_owned(), ..Request::default() };
    let limits = Limits { excess_bytes: 1 << 20, ..Limits::default() };
    let mut engine = Engine::connecting(Arc::clone(plan), request, limits, 7);
    let mut now = Duration::ZERO;
    engine.handle(now, Input::Connected);
    for _ in 0..1_000_000 {
        match engine.poll(now) {
            Action::Write(bytes) => server.receive(&bytes),
            Action::Offer(bytes, _) => {
                server.receive(&bytes);
                now += Duration::from_millis(1);
            }
            Action::Read(_) => {}
            Action::Wait(until) => {
                server.idle();
                match server.out().pop_front() {
                    Some(input) => {
                        now += Duration::from_micros(10);
                        engine.handle(now, input);
                    }
                    None => {
                        assert!(until > now, "waits for what has passed: {until:?} at {now:?}");
                        now = until;
                        engine.handle(now, Input::Tick);
                    }
                }
            }
            Action::ShutdownWrite => server.out().push_back(Input::EndOfStream),
            Action::Abort | Action::Finish => {
                let transcript = engine.into_transcript();
                let judgement = judge(plan, Role::Server, &transcript);
                return Played { transcript, judgement, took: now };
            }
        }
    }
    panic!("{} never ends", plan.scenario.id);
}

/// Plays a case of the built-in catalogue.
pub(crate) fn play_case(id: &str, quirk: Quirk) -> Played {
    let scenario = Catalogue::embedded().get(&id.parse().unwrap()).unwrap_or_else(|| panic!("no case {id}"));
    play(Arc::new(scenario.clone()), quirk)
}
