//! What a lawful peer sends.

use wsgrade_codec::deflate::{Compressor, Params};
use wsgrade_codec::wire::{Opcode, Rsv};
use wsgrade_codec::{Kind, Role};

use crate::tape::Tape;
use crate::wire::Pen;

/// A peer that breaks no rule, as long as nobody else writes between its frames.
pub(super) struct Traffic {
    pen: Pen,
    compressor: Option<Compressor>,
}

impl Traffic {
    pub(super) fn new(sender: Role, deflate: Option<Params>) -> Self {
        Self { pen: Pen::new(sender), compressor: deflate.map(|params| Compressor::new(&params, sender)) }
    }

    /// What a tape says of a frame or a message: 0 a message, 1 a Ping, 2 a Pong, 3 a Close; `bits` are four.
    pub(super) fn write(&mut self, what: u8, bits: u8, tape: &mut Tape<'_>) -> Vec<u8> {
        let mut wire = Vec::new();
        match what {
            0 => self.message(bits, tape, &mut wire),
            1 | 2 => {
                let mut body = tape.block();
                body.truncate(125);
                let opcode = if what == 1 { Opcode::PING } else { Opcode::PONG };
                self.pen.frame(true, Rsv::NONE, opcode, &body, &mut wire);
            }
            _ => {
                const CODES: [u16; 4] = [1000, 1001, 3000, 4999];
                let mut body = CODES[usize::from(bits & 3)].to_be_bytes().to_vec();
                body.extend(tape.text().chars().take(30).collect::<String>().bytes());
                self.pen.frame(true, Rsv::NONE, Opcode::CLOSE, &body, &mut wire);
            }
        }
        wire
    }

    fn message(&mut self, bits: u8, tape: &mut Tape<'_>, wire: &mut Vec<u8>) {
        let kind = if bits & 1 == 0 { Kind::Text } else { Kind::Binary };
        let payload = match kind {
            Kind::Text => tape.text().into_bytes(),
            Kind::Binary => tape.block(),
        };
        let (payload, mut rsv) = match &mut self.compressor {
            Some(compressor) if bits & 2 == 0 => (compressor.message(&payload), Rsv::RSV1),
            Some(_) | None => (payload, Rsv::NONE),
        };
        let size = if bits & 4 == 0 { payload.len().max(1) } else { tape.size(payload.len()) };
        let mut opcode = Opcode::of(kind);
        let mut pieces = payload.chunks(size).peekable();
        loop {
            let piece = pieces.next().unwrap_or_default();
            let last = pieces.peek().is_none();
            self.pen.frame(last, rsv, opcode, piece, wire);
            if last {
                return;
            }
            (opcode, rsv) = (Opcode::CONTINUATION, Rsv::NONE);
            if bits & 8 != 0 {
                self.pen.frame(true, Rsv::NONE, Opcode::PING, b"between", wire);
            }
        }
    }
}
