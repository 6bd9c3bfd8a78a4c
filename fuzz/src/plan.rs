//! What the fuzzer's bytes mean: a direction of a connection, and what is known of it beforehand.
//!
//! The first byte says how the rest is to be taken, so that a file in `seeds/` or a crash can be read by eye:
//!
//! | bit | 0 | 1 |
//! |---|---|---|
//! | 0 | the client sends | the server sends |
//! | 1 | no extension | permessage-deflate was agreed upon |
//! | 2 | messages up to 64 MiB | messages up to 128 bytes, of up to 8 frames |
//! | 3, 4 | 0 the rest is the wire itself | 1 it describes frames, 2 a lawful conversation |

use arbitrary::{Arbitrary, Unstructured};
use wsgrade_codec::check::{DEFAULT_MESSAGE_CAP, Item};
use wsgrade_codec::close::{CloseCode, CloseFrame, MAX_REASON_BYTES};
use wsgrade_codec::wire::{Header, Length, LengthForm, Opcode, Rsv};
use wsgrade_codec::{Kind, Role};

use crate::plain::Frames;
use crate::wire::{Pen, append};

/// The largest message where limits are low. No control frame is larger.
const SMALL_CAP: usize = 128;

/// One direction of a connection.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) sender: Role,
    pub(crate) deflate: bool,
    /// The largest message to keep.
    pub(crate) cap: usize,
    pub(crate) wire: Vec<u8>,
    pub(crate) known: Known,
}

/// What has to be seen, where the wire was made from a description.
#[derive(Debug)]
pub(crate) enum Known {
    Nothing,
    /// These frames.
    Frames(Frames),
    /// No violation, and these items.
    Items(Vec<Item>),
}

impl Input {
    /// `None` where there is no first byte, or too few to describe anything.
    pub(crate) fn new(data: &[u8]) -> Option<Self> {
        let (flags, rest) = data.split_first()?;
        let sender = if flags & 1 == 0 { Role::Client } else { Role::Server };
        let (wire, known) = match flags >> 3 & 3 {
            1 => Loose::arbitrary_take_rest(Unstructured::new(rest)).ok()?.write(),
            2 => Conversation::arbitrary_take_rest(Unstructured::new(rest)).ok()?.write(sender),
            _ => (rest.to_vec(), Known::Nothing),
        };
        let lawful = matches!(known, Known::Items(_));
        let cap = if flags & 4 == 0 || lawful { DEFAULT_MESSAGE_CAP } else { SMALL_CAP };
        Some(Self { sender, deflate: flags & 2 != 0, cap, wire, known })
    }

    /// Whether limits are low.
    pub(crate) fn is_small(&self) -> bool {
        self.cap == SMALL_CAP
    }
}

/// Frames of any kind.
#[derive(Arbitrary, Debug)]
struct Loose {
    frames: Vec<LooseFrame>,
    /// One more, declared this much longer than what comes of it.
    open: Option<(LooseFrame, u64)>,
}

/// One frame, any part of which may break a rule.
#[derive(Arbitrary, Debug)]
struct LooseFrame {
    fin: bool,
    rsv: u8,
    opcode: u8,
    mask: Option<[u8; 4]>,
    /// Raised to a form that can hold the length.
    form: u8,
    payload: Vec<u8>,
}

impl Loose {
    fn write(self) -> (Vec<u8>, Known) {
        let mut wire = Vec::new();
        let mut frames = Frames::default();
        for frame in self.frames {
            let header = frame.write(0, &mut wire);
            frames.whole.push((header.into(), frame.payload));
        }
        if let Some((frame, missing)) = self.open {
            let header = frame.write(missing, &mut wire);
            if missing == 0 {
                frames.whole.push((header.into(), frame.payload));
            } else {
                frames.open = Some((header.into(), frame.payload));
            }
        }
        (wire, Known::Frames(frames))
    }
}

impl LooseFrame {
    fn write(&self, missing: u64, wire: &mut Vec<u8>) -> Header {
        let declared = (self.payload.len() as u64).saturating_add(missing);
        let forms = [LengthForm::Bits7, LengthForm::Bits16, LengthForm::Bits64];
        let length = forms[usize::from(self.form) % 3..]
            .iter()
            .find_map(|form| Length::with_form(declared, *form))
            .expect("64 bits hold every length");
        let header = Header {
            fin: self.fin,
            rsv: Rsv::new(self.rsv & 0b111).expect("three bits"),
            opcode: Opcode::new(self.opcode & 0b1111).expect("four bits"),
            mask: self.mask,
            length,
        };
        append(header, &self.payload, wire);
        header
    }
}

/// What one side lawfully sends.
#[derive(Arbitrary, Debug)]
struct Conversation {
    turns: Vec<Turn>,
    close: Option<(u8, String)>,
}

#[derive(Arbitrary, Debug)]
enum Turn {
    Text(String, Vec<Fragment>),
    Binary(Vec<u8>, Vec<Fragment>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

/// A fragment before the last one of a message.
#[derive(Arbitrary, Debug)]
struct Fragment {
    /// How much of what is left of the message; which may cut a character.
    size: u8,
    /// A ping between it and the next.
    ping: Option<Vec<u8>>,
}

impl Conversation {
    fn write(self, sender: Role) -> (Vec<u8>, Known) {
        let mut writer = Writer { pen: Pen::new(sender), wire: Vec::new(), items: Vec::new() };
        for turn in self.turns {
            match turn {
                Turn::Text(text, fragments) => writer.message(Kind::Text, text.as_bytes(), fragments),
                Turn::Binary(payload, fragments) => writer.message(Kind::Binary, &payload, fragments),
                Turn::Ping(body) => writer.ping(body),
                Turn::Pong(body) => {
                    let body = writer.control(Opcode::PONG, body);
                    writer.items.push(Item::Pong(body.into()));
                }
            }
        }
        if let Some((code, mut reason)) = self.close {
            const CODES: [u16; 12] = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 3000, 4000, 4999];
            while reason.len() > MAX_REASON_BYTES {
                reason.pop();
            }
            let frame = CloseFrame::new(CloseCode::new(CODES[usize::from(code) % CODES.len()]), reason);
            let body = frame.encode().expect("a registered code and a short reason");
            writer.frame(true, Opcode::CLOSE, &body);
            writer.items.push(Item::Close { body, frame: Some(frame) });
        }
        (writer.wire, Known::Items(writer.items))
    }
}

struct Writer {
    pen: Pen,
    wire: Vec<u8>,
    items: Vec<Item>,
}

impl Writer {
    fn message(&mut self, kind: Kind, payload: &[u8], fragments: Vec<Fragment>) {
        let mut opcode = Opcode::of(kind);
        let mut rest = payload;
        let count = fragments.len() as u64 + 1;
        for fragment in fragments {
            let (now, later) = rest.split_at(usize::from(fragment.size).min(rest.len()));
            self.frame(false, opcode, now);
            (opcode, rest) = (Opcode::CONTINUATION, later);
            if let Some(body) = fragment.ping {
                self.ping(body);
            }
        }
        self.frame(true, opcode, rest);
        self.items.push(Item::Message {
            kind,
            payload: payload.to_vec().into(),
            compressed: false,
            fragments: count,
        });
    }

    fn ping(&mut self, body: Vec<u8>) {
        let body = self.control(Opcode::PING, body);
        self.items.push(Item::Ping(body.into()));
    }

    /// The body as it was sent.
    fn control(&mut self, opcode: Opcode, mut body: Vec<u8>) -> Vec<u8> {
        body.truncate(125);
        self.frame(true, opcode, &body);
        body
    }

    fn frame(&mut self, fin: bool, opcode: Opcode, payload: &[u8]) {
        self.pen.frame(fin, Rsv::NONE, opcode, payload, &mut self.wire);
    }
}
