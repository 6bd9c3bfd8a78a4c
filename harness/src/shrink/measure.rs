//! How simple a scenario is. What is offered has less, so a search comes to its end.

use wsgrade_cases::model::{
    Chop, ChopAt, DeflateWish, Frame, HeaderEdit, Length, Mask, Opening, Payload, Scenario, Step,
};
use wsgrade_codec::wire::Opcode;

/// How much there is of a scenario. The parts before count more than those behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Measure {
    steps: usize,
    /// What is not as it would be unless said otherwise: bits, masks, chops, headers.
    odd: u64,
    /// Bytes of payload.
    bytes: u64,
    /// Bytes that are no `a`: what is easier to read is simpler.
    strange: u64,
}

impl Measure {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let mut measure = Self { steps: scenario.steps.len(), odd: 0, bytes: 0, strange: 0 };
        measure.opening(&scenario.opening);
        for step in &scenario.steps {
            measure.step(step);
        }
        measure
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Send(frame) => self.frame(frame),
            Step::More { payload, chop } | Step::Raw { payload, chop } => {
                self.odd += 8;
                self.chop(chop);
                self.payload(payload, 1);
            }
            Step::Await { .. } | Step::Probe { .. } | Step::Read(_) | Step::Hold { .. } | Step::End(_) => {
                self.odd += 1;
            }
            Step::Pause { time, .. } => self.odd += 1 + u64::from(!time.is_zero()),
            Step::Exchange(exchange) => self.odd += u64::from(exchange.messages),
        }
    }

    fn frame(&mut self, frame: &Frame) {
        let Frame { opcode, fin, rsv, mask, length, payload, chop, times, lasting } = frame;
        self.odd += match *opcode {
            Opcode::TEXT => 0,
            Opcode::BINARY => 1,
            Opcode::PING | Opcode::PONG | Opcode::CLOSE => 2,
            Opcode::CONTINUATION => 3,
            _ => 4,
        };
        self.odd += u64::from(!fin) + 2 * u64::from(rsv.value().count_ones());
        self.odd += match mask {
            Mask::RoleDefault => 0,
            Mask::Wrong => 2,
            Mask::Key(_) => 3,
        };
        self.odd += match length {
            Length::Minimal => 0,
            Length::Form(_) => 2,
            Length::Declared { .. } => 3,
        };
        self.odd += u64::from(*times - 1) + u64::from(lasting.is_some());
        self.chop(chop);
        self.payload(payload, u64::from(*times));
    }

    fn chop(&mut self, chop: &Chop) {
        self.odd += match &chop.at {
            ChopAt::Together => 0,
            ChopAt::Alone => 1,
            ChopAt::Every(_) => 2,
            ChopAt::Sizes(sizes) => 2 + sizes.len() as u64,
        };
        self.odd += u64::from(!chop.pause.is_zero());
    }

    fn payload(&mut self, payload: &Payload, times: u64) {
        self.bytes += payload.len() * times;
        self.strange += strange(payload);
    }

    fn opening(&mut self, opening: &Opening) {
        let Opening {
            method,
            target,
            version,
            status,
            headers,
            extensions,
            deflate,
            raw,
            newline,
            unfinished,
            early,
            knock,
            tls,
            chop,
        } = opening;
        let said =
            [method.is_some(), target.is_some(), version.is_some(), status.is_some(), newline.is_some()];
        let more = [*unfinished, *early, *knock, tls.is_some()];
        self.odd += 4 * said.into_iter().chain(more).filter(|is| *is).count() as u64;
        for edit in headers {
            self.odd += 4;
            match edit {
                HeaderEdit::Set(name, value) | HeaderEdit::Add(name, value) => {
                    self.bytes += name.len() as u64;
                    self.payload(value, 1);
                }
                HeaderEdit::Remove(name) => self.bytes += name.len() as u64,
                HeaderEdit::Raw(bytes) => self.payload(bytes, 1),
            }
        }
        self.odd += 4 * extensions.len() as u64;
        self.bytes += extensions.iter().map(|extension| extension.len() as u64).sum::<u64>();
        for wish in deflate {
            let DeflateWish { no_context_takeover, max_window_bits, our_context_takeover, our_window_bits } =
                wish;
            self.odd += 4 + 2 * u64::from(*no_context_takeover) + 2 * u64::from(max_window_bits.is_some());
            self.odd += u64::from(our_context_takeover.is_some()) + u64::from(our_window_bits.is_some());
        }
        if let Some(raw) = raw {
            self.odd += 8;
            self.payload(raw, 1);
        }
        self.chop(chop);
    }
}

/// How many of its bytes are no `a`; of those that come again and again the unit counts.
fn strange(payload: &Payload) -> u64 {
    let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte != b'a').count() as u64;
    match payload {
        Payload::Text(text) => count(text.as_bytes()),
        // Not to be read as text, by whatever there is in it.
        Payload::Hex(bytes) => count(bytes) + u64::from(!bytes.is_empty()),
        Payload::Repeat { unit, len: _ } => count(unit),
        Payload::Close { code, reason } => u64::from(*code != 1000) + strange(reason),
        Payload::Join(parts) => 1 + parts.iter().map(strange).sum::<u64>(),
    }
}
