//! What a conforming echo answers to the steps of a case.

use wsgrade_codec::wire::Opcode;

use crate::model::{Expected, Frame, Length, Payload, Scenario, Step};

impl Scenario {
    /// What a conforming echo answers to the steps: every message in its own kind when its last fragment is
    /// sent, every ping by its pong, every exchange as a whole. Frames that break a rule are not looked for; a case with
    /// unlawful frames lists its answers instead.
    pub fn answers(&self) -> Vec<Expected> {
        let mut state = State::default();
        for step in &self.steps {
            match step {
                Step::Send(frame) => state.send(frame),
                Step::More { payload, .. } => {
                    if let Some((_, parts)) = &mut state.unfinished {
                        parts.push(payload, 1);
                    }
                    state.complete();
                }
                Step::Exchange(exchange) => state.answers.push(Expected::Exchanged(exchange.messages)),
                Step::Raw { .. }
                | Step::Await { .. }
                | Step::Probe { .. }
                | Step::Pause { .. }
                | Step::Read(_)
                | Step::Hold { .. }
                | Step::End(_) => {}
            }
        }
        state.answers
    }
}

#[derive(Default)]
struct State<'a> {
    answers: Vec<Expected>,
    /// The message whose fragments are under way: its opcode, and what came of it.
    message: Option<(Opcode, Parts)>,
    /// The frame whose payload is under way, and what came of it.
    unfinished: Option<(&'a Frame, Parts)>,
}

impl<'a> State<'a> {
    fn send(&mut self, frame: &'a Frame) {
        let is_whole = match frame.length {
            Length::Declared { value, .. } => frame.payload.len() >= value,
            Length::Minimal | Length::Form(_) => true,
        };
        let is_fragment =
            !frame.fin && [Opcode::TEXT, Opcode::BINARY, Opcode::CONTINUATION].contains(&frame.opcode);
        if is_whole && is_fragment {
            // A message may have many thousands of alike fragments, and they are one part.
            self.unfinished = None;
            self.message
                .get_or_insert_with(|| (frame.opcode, Parts::default()))
                .1
                .push(&frame.payload, frame.times);
            return;
        }
        for _ in 0..frame.times {
            let mut parts = Parts::default();
            parts.push(&frame.payload, 1);
            self.unfinished = Some((frame, parts));
            self.complete();
        }
    }

    /// Where the unfinished frame has all that it declared: takes it, and adds the answer to what it completes.
    fn complete(&mut self) {
        let whole = |(frame, parts): &mut (&Frame, Parts)| match frame.length {
            Length::Declared { value, .. } => parts.0.iter().map(Payload::len).sum::<u64>() >= value,
            Length::Minimal | Length::Form(_) => true,
        };
        let Some((frame, parts)) = self.unfinished.take_if(whole) else { return };
        match frame.opcode {
            Opcode::PING => self.answers.push(Expected::Pong(parts.joined())),
            Opcode::TEXT | Opcode::BINARY | Opcode::CONTINUATION => {
                let message = self.message.get_or_insert_with(|| (frame.opcode, Parts::default()));
                parts.0.iter().for_each(|part| message.1.push(part, 1));
                if let Some((kind, parts)) = self.message.take_if(|_| frame.fin) {
                    self.answers.push(match kind {
                        Opcode::BINARY => Expected::Binary(parts.joined()),
                        _ => Expected::Text(parts.joined()),
                    });
                }
            }
            _ => {}
        }
    }
}

/// Payloads one after another, as few as will do.
#[derive(Default)]
struct Parts(Vec<Payload>);

impl Parts {
    /// Adds a payload so many times.
    fn push(&mut self, payload: &Payload, times: u32) {
        if self.0.last().is_some_and(Payload::is_empty) {
            self.0.clear();
        }
        if self.0.is_empty() {
            self.0.push(payload.clone());
        } else if !payload.is_empty() {
            self.add(payload);
        }
        if payload.is_empty() {
            return;
        }
        match (self.0.last_mut(), payload) {
            // Whole units over and over are more of the same.
            (Some(Payload::Repeat { len: all, .. }), Payload::Repeat { unit, len })
                if len.is_multiple_of(unit.len() as u64) =>
            {
                *all += len * u64::from(times - 1);
            }
            _ => (1..times).for_each(|_| self.0.push(payload.clone())),
        }
    }

    /// Adds a payload to others, within the last of them where it goes on with that.
    fn add(&mut self, payload: &Payload) {
        if let (Some(Payload::Repeat { unit: last, len: all }), Payload::Repeat { unit, len }) =
            (self.0.last_mut(), payload)
        {
            let turn = usize::try_from(*all % last.len() as u64).unwrap_or_default();
            let (head, tail) = last.split_at(turn);
            if last.len() == unit.len() && unit.starts_with(tail) && unit.ends_with(head) {
                *all += len;
                return;
            }
        }
        self.0.push(payload.clone());
    }

    /// The parts one after another; a single one as it is.
    fn joined(mut self) -> Payload {
        if self.0.len() == 1 { self.0.remove(0) } else { Payload::Join(self.0) }
    }
}
