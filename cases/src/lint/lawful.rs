//! Whether the steps of a case are a lawful conversation, so that what a conforming echo answers is known.

use wsgrade_codec::Role;
use wsgrade_codec::close::CloseCode;
use wsgrade_codec::wire::{Opcode, Rsv};

use crate::model::{Frame, Length, Mask, Need, Payload, Scenario, Step};

/// The first thing in a case that is unlawful, or after which nothing has to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlawful {
    /// The step, from 1.
    pub step: usize,
    /// What it does, as a predicate: `sends a ping of 126 bytes`.
    pub reason: String,
}

/// Finds it. Compressed payloads are taken for good, and so are the messages of an exchange, of which the linter says
/// more.
pub fn first_unlawful(scenario: &Scenario) -> Option<Unlawful> {
    let mut state = State { scenario, message: None, unfinished: None, closed: false };
    for (step, action) in (1..).zip(&scenario.steps) {
        let result = match action {
            Step::Send(frame) if frame.lasting.is_some() => {
                Err("sends a frame for as long as the peer takes it".to_owned())
            }
            Step::Send(frame) => (0..frame.times).try_for_each(|_| state.send(frame)),
            Step::More { payload, .. } => state.more(payload),
            Step::Exchange(_) => state.exchange(),
            Step::Raw { .. } => Err("sends raw bytes".to_owned()),
            Step::End(_) => Err("ends the connection".to_owned()),
            Step::Read(false) => Err("stops reading".to_owned()),
            Step::Await { .. }
            | Step::Probe { .. }
            | Step::Pause { .. }
            | Step::Read(true)
            | Step::Hold { .. } => Ok(()),
        };
        if let Err(reason) = result {
            return Some(Unlawful { step, reason });
        }
    }
    let step = scenario.steps.len();
    state.unfinished.map(|_| Unlawful { step, reason: "leaves a frame unfinished".to_owned() })
}

struct State<'a> {
    scenario: &'a Scenario,
    /// The message whose fragments are under way.
    message: Option<Message>,
    /// The frame whose payload is under way, what came of it, and how much it lacks.
    unfinished: Option<(Frame, Vec<Payload>, u64)>,
    closed: bool,
}

struct Message {
    /// Whether its bytes are to be UTF-8, and those so far.
    text: Option<Vec<u8>>,
}

impl State<'_> {
    fn send(&mut self, frame: &Frame) -> Result<(), String> {
        if self.unfinished.is_some() {
            return Err("sends a frame inside an unfinished one".to_owned());
        }
        if self.closed {
            return Err("sends a frame after a Close".to_owned());
        }
        let compressed = frame.rsv == Rsv::RSV1
            && self.scenario.needs.contains(&Need::Deflate)
            && (frame.opcode == Opcode::TEXT || frame.opcode == Opcode::BINARY);
        if frame.opcode.is_reserved() {
            return Err(format!("sends a frame with {}", frame.opcode));
        }
        if frame.rsv != Rsv::NONE && !compressed {
            return Err("sets a reserved bit".to_owned());
        }
        match frame.mask {
            Mask::RoleDefault => {}
            Mask::Wrong => return Err("masks its frame the wrong way".to_owned()),
            // Where a client is under test we are the server, which masks nothing.
            Mask::Key(_) if self.scenario.roles.contains(&Role::Client) => {
                return Err("masks its frame whatever the role".to_owned());
            }
            Mask::Key(_) => {}
        }
        let len = frame.payload.len();
        let (declared, form) = match frame.length {
            Length::Minimal => (len, None),
            Length::Form(form) => (len, Some(form)),
            Length::Declared { value, form } => (value, form),
        };
        let minimal = wsgrade_codec::wire::Length::minimal(declared);
        if minimal.has_top_bit() {
            return Err("declares a length with the top bit set".to_owned());
        }
        if form.is_some_and(|form| form != minimal.form()) {
            return Err("writes its length in another form than the shortest".to_owned());
        }
        if frame.opcode.is_control() {
            if declared > 125 {
                return Err(format!("sends a {} of {declared} bytes", frame.opcode));
            }
            if !frame.fin {
                return Err(format!("fragments a {}", frame.opcode));
            }
        }
        match declared.checked_sub(len) {
            None => Err("sends more payload than it declares".to_owned()),
            Some(0) => self.complete(frame, std::slice::from_ref(&frame.payload)),
            Some(rest) => {
                self.unfinished = Some((frame.clone(), vec![frame.payload.clone()], rest));
                Ok(())
            }
        }
    }

    fn more(&mut self, payload: &Payload) -> Result<(), String> {
        let Some((frame, mut parts, rest)) = self.unfinished.take() else {
            return Err("goes on with a frame that lacks nothing".to_owned());
        };
        parts.push(payload.clone());
        match rest.checked_sub(payload.len()) {
            None => Err("sends more payload than it declares".to_owned()),
            Some(0) => self.complete(&frame, &parts),
            Some(rest) => {
                self.unfinished = Some((frame, parts, rest));
                Ok(())
            }
        }
    }

    fn exchange(&self) -> Result<(), String> {
        if self.unfinished.is_some() {
            return Err("exchanges messages inside an unfinished frame".to_owned());
        }
        if self.message.is_some() {
            return Err("exchanges messages within another".to_owned());
        }
        if self.closed {
            return Err("exchanges messages after a Close".to_owned());
        }
        Ok(())
    }

    /// A frame is whole.
    fn complete(&mut self, frame: &Frame, parts: &[Payload]) -> Result<(), String> {
        match frame.opcode {
            Opcode::PING | Opcode::PONG => return Ok(()),
            Opcode::CLOSE => {
                self.closed = true;
                return close_body(&parts.iter().flat_map(Payload::to_bytes).collect::<Vec<_>>());
            }
            Opcode::CONTINUATION if self.message.is_none() => {
                return Err("continues a message that was not begun".to_owned());
            }
            Opcode::CONTINUATION => {}
            opcode => {
                if self.message.is_some() {
                    return Err("begins a message within another".to_owned());
                }
                let is_text = opcode == Opcode::TEXT && frame.rsv == Rsv::NONE;
                self.message = Some(Message { text: is_text.then(Vec::new) });
            }
        }
        if let Some(Message { text: Some(text) }) = &mut self.message {
            parts.iter().for_each(|part| text.extend(sample(part)));
        }
        if frame.fin
            && let Some(Message { text: Some(text) }) = self.message.take()
            && std::str::from_utf8(&text).is_err()
        {
            return Err("completes a text that is not UTF-8".to_owned());
        }
        Ok(())
    }
}

/// The bytes of a part as far as UTF-8 is concerned: of an ASCII unit over and over, one will do.
fn sample(payload: &Payload) -> Vec<u8> {
    match payload {
        Payload::Repeat { unit, len } if *len > 0 && unit.is_ascii() => vec![unit[0]],
        other => other.to_bytes(),
    }
}

fn close_body(body: &[u8]) -> Result<(), String> {
    match body {
        [] => Ok(()),
        [_] => Err("sends a Close with a body of 1 byte".to_owned()),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !CloseCode::new(code).is_valid_on_wire() {
                return Err(format!("sends a Close with code {code}"));
            }
            match std::str::from_utf8(reason) {
                Ok(_) => Ok(()),
                Err(_) => Err("sends a Close whose reason is not UTF-8".to_owned()),
            }
        }
    }
}
