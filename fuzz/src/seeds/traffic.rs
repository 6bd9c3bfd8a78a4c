//! The frames of a case on the wire.

use wsgrade_cases::model::{self, Frame, Mask, Scenario, Step};
use wsgrade_codec::Role;
use wsgrade_codec::wire::{Header, Length, LengthForm, Opcode};

use super::{LONGEST, frame_of, short};
use crate::wire::{Pen, append};

/// More of the same frame are left out.
const MOST_TIMES: u32 = 3;

pub(super) fn frames(scenario: &Scenario) -> impl Iterator<Item = &Frame> {
    scenario.steps.iter().filter_map(frame_of)
}

/// All that the steps send, where there is something and not too much of it.
pub(super) fn wire(scenario: &Scenario, sender: Role) -> Option<Vec<u8>> {
    let mut pen = Pen::new(sender);
    let mut wire = Vec::new();
    let mut open: Option<([u8; 4], usize)> = None;
    for step in &scenario.steps {
        match step {
            Step::Send(frame) => {
                let payload = short(&frame.payload)?;
                for _ in 0..frame.times.min(MOST_TIMES) {
                    let header = header(frame, &mut pen, payload.len() as u64);
                    append(header, &payload, &mut wire);
                    open = header.mask.map(|key| (key, payload.len()));
                }
            }
            Step::More { payload, chop: _ } => {
                let start = wire.len();
                wire.extend(short(payload)?);
                if let Some((key, at)) = &mut open {
                    for byte in &mut wire[start..] {
                        *byte ^= key[*at % 4];
                        *at += 1;
                    }
                }
            }
            Step::Raw { payload, chop: _ } => wire.extend(short(payload)?),
            Step::Await { .. }
            | Step::Probe { .. }
            | Step::Pause { .. }
            | Step::Exchange(_)
            | Step::Read(_)
            | Step::Hold { .. }
            | Step::End(_) => {}
        }
        if wire.len() > LONGEST {
            return None;
        }
    }
    (!wire.is_empty()).then_some(wire)
}

fn header(frame: &Frame, pen: &mut Pen, length: u64) -> Header {
    let masks = pen.sender.masks();
    let mask = match frame.mask {
        Mask::RoleDefault => masks.then(|| pen.key()),
        Mask::Wrong => (!masks).then(|| pen.key()),
        Mask::Key(key) => Some(key),
    };
    let written =
        |value: u64, form: LengthForm| Length::with_form(value, form).unwrap_or(Length::minimal(value));
    let length = match frame.length {
        model::Length::Minimal => Length::minimal(length),
        model::Length::Form(form) => written(length, form),
        model::Length::Declared { value, form } => {
            form.map_or(Length::minimal(value), |form| written(value, form))
        }
    };
    Header { fin: frame.fin, rsv: frame.rsv, opcode: frame.opcode, mask, length }
}

/// Its messages as a conversation of two, who take turns.
pub(super) fn pair(scenario: &Scenario) -> Option<Vec<u8>> {
    let mut input = vec![1, 0, 7, 7, 10, 0, 200];
    let mut side = 0;
    for frame in frames(scenario) {
        let act = match frame.opcode {
            Opcode::TEXT => 0,
            Opcode::BINARY => 2,
            Opcode::PING => 5,
            Opcode::PONG => 6,
            _ => continue,
        };
        input.extend([act | side, 3]);
        let mut payload = short(&frame.payload)?;
        payload.truncate(0xef);
        if act > 2 {
            input.push(payload.len() as u8);
        } else {
            input.push(payload.len() as u8);
            input.extend(payload);
        }
        side ^= 32;
    }
    (input.len() > 7).then_some(input)
}
