//! What our steps say, read as the peer reads it: up to the first thing that it must not take.

use wsgrade_cases::model::{
    ChopAt, DeflateWish, End, Expected, Frame, Length, Mask, Payload, Scenario, Step,
};
use wsgrade_codec::check::{Checker, Item, Negotiated, Rule};
use wsgrade_codec::deflate::{Params, WindowBits};
use wsgrade_codec::wire::{self, FrameDecoder, Header, Opcode};
use wsgrade_codec::{Kind, Role, mask};

/// The longest message that is looked at.
const MESSAGE_CAP: usize = 64 << 20;
/// The longest that is looked at where it is longer than all that is sent: a message that compression has made small.
const INFLATED_CAP: usize = 1 << 20;

/// The key of the masks that are left to us: no rule depends on it.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// What inflaters differ in. With the end of a block one may have given the whole message, and more to come is no news to it
/// (case D.7.18). Of the codes of a block RFC 1951 says how they are used, and not what comes of some that are never used.
const DOUBTFUL: [&str; 6] = [
    "the data ends inside a block",
    "is not a code",
    "a code which stands for nothing",
    "no code for the end of the block",
    "too many symbols in a block",
    "too many code lengths",
];

/// A conversation as the peer hears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Course {
    /// What it has to answer, in order: messages, pings and marks, up to the first breach, our Close or the end of TCP.
    pub(super) answers: Vec<Expected>,
    /// The first breach that a receiver has something to do with.
    pub(super) breach: Option<Breach>,
    /// Our lawful Close, before any breach.
    pub(super) close: Option<Close>,
    /// Whether anything was sent behind that Close.
    pub(super) behind_close: bool,
    /// Whether a Close frame is sent at all, as a step: it may be out before the peer's.
    pub(super) sends_close: bool,
    /// How our side ended, whatever was before. No step comes behind.
    pub(super) end: Option<End>,
    /// The marks of probes between the fragments of a message.
    pub(super) marks_inside: Vec<String>,
    /// The message that is not whole when all is sent.
    pub(super) unfinished: Option<Unfinished>,
    /// The frame that is not whole when all is sent: its declared length.
    pub(super) open_frame: Option<u64>,
    /// Whether bytes were sent as they are, behind which the engine sends no frame of its own.
    pub(super) raw: bool,
    /// How many pings were sent in a row, with nothing waited for among them, where that was the most.
    pub(super) pings_at_once: u32,
    /// The longest message.
    pub(super) longest: u64,
    /// Whether one is longer than anybody has to take. What it says is not known then, nor what comes behind.
    pub(super) too_big: bool,
    /// What is particular about it, as far as it is lawful.
    pub(super) features: Features,
}

/// A breach, and where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) rule: Rule,
    /// Whether the frame in which it is was sent to its end.
    pub(super) frame_is_whole: bool,
    /// Whether the message in which it is was sent to its end; `true` where it is in none.
    pub(super) message_is_whole: bool,
    /// Whether it is in what a message says: the RFC does not tell when a peer is to look at that, and one that does so
    /// when its application asks for the message has answered pings and the Close behind it before.
    pub(super) in_content: bool,
    /// Whether it is in compressed data of which inflaters differ in what they make of it.
    pub(super) doubtful: bool,
    /// Whether it is within a compressed message, whose content so far is known to a peer that inflates as it reads, and
    /// may be broken as well.
    pub(super) in_compressed: bool,
    /// What else is wrong with the same frame: which of it a peer sees first is not said.
    pub(super) beside: Vec<Rule>,
    /// What a peer may answer that looks late.
    pub(super) later: Vec<Expected>,
    /// The breaches behind that frame, in order: a peer that looks late notices one of these first.
    pub(super) next: Vec<Rule>,
}

/// A Close of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: Option<u16>,
    /// The message that it interrupts.
    pub(super) interrupts: Option<Unfinished>,
}

/// A message of which the end is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unfinished {
    /// What is wrong in it is known only at its end.
    pub(super) compressed: bool,
}

/// What occurs in a lawful conversation, for the rule that it is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Features {
    pub(super) text: bool,
    pub(super) binary: bool,
    pub(super) ping: bool,
    pub(super) pong: bool,
    pub(super) fragments: bool,
    pub(super) between_fragments: bool,
    pub(super) chopped: bool,
    pub(super) beyond_ascii: bool,
    pub(super) compressed: bool,
    pub(super) long_length: bool,
}

/// Reads the steps of a scenario whose opening succeeds. `role` is that of the peer.
pub(super) fn run(scenario: &Scenario, role: Role) -> Course {
    let us = role.peer();
    let negotiated = Negotiated { deflate: agreed(&scenario.opening.deflate, us) };
    let cap = if sent(scenario) < INFLATED_CAP as u64 { INFLATED_CAP } else { MESSAGE_CAP };
    let mut reader = Reader {
        us,
        decoder: FrameDecoder::new(),
        checker: Checker::with_cap(us, negotiated, cap),
        mask: None,
        sent: 0,
        message: None,
        inflating: false,
        frames: 0,
        broken_in: 0,
        pings: 0,
        course: Course::default(),
    };
    for step in &scenario.steps {
        reader.step(step);
    }
    reader.finish()
}

/// What was agreed on, as far as the case knows: where it leaves something to the peer, the least that we may do.
pub(crate) fn agreed(wishes: &[DeflateWish], us: Role) -> Option<Params> {
    let wish = wishes.first()?;
    let fresh = wish.our_context_takeover != Some(true) || wishes.len() > 1;
    let window = wish.our_window_bits.filter(|_| wishes.len() == 1).and_then(WindowBits::new);
    let window = window.unwrap_or(WindowBits::MIN);
    let mut params = Params::default();
    match us {
        Role::Client => {
            params.client_no_context_takeover = fresh;
            params.client_max_window_bits = window;
        }
        Role::Server => {
            params.server_no_context_takeover = fresh;
            params.server_max_window_bits = window;
        }
    }
    Some(params)
}

/// How many bytes of payload the steps have.
fn sent(scenario: &Scenario) -> u64 {
    let of = |step: &Step| match step {
        Step::Send(frame) => frame.payload.len().saturating_mul(u64::from(frame.times)),
        Step::More { payload, .. } | Step::Raw { payload, .. } => payload.len(),
        Step::Await { .. }
        | Step::Probe { .. }
        | Step::Pause { .. }
        | Step::Exchange(_)
        | Step::Read(_)
        | Step::Hold { .. }
        | Step::End(_) => 0,
    };
    scenario.steps.iter().map(of).fold(0, u64::saturating_add)
}

struct Reader {
    us: Role,
    decoder: FrameDecoder,
    checker: Checker,
    /// The mask of the frame that `more` goes on with.
    mask: Option<[u8; 4]>,
    /// How much of its payload is sent.
    sent: usize,
    /// The message that is under way, and whether it is compressed.
    message: Option<bool>,
    /// Whether a compressed message was under way before what comes now.
    inflating: bool,
    /// How many frames were begun.
    frames: u64,
    /// The number of that in which the breach was.
    broken_in: u64,
    /// How many pings were sent since something was waited for.
    pings: u32,
    course: Course,
}

impl Reader {
    fn step(&mut self, step: &Step) {
        if waits(step) {
            self.pings = 0;
        }
        match step {
            Step::Send(frame) => self.frame(frame),
            Step::More { payload, chop } => {
                self.course.features.chopped |= chop.at != ChopAt::Together;
                let mut bytes = payload.to_bytes();
                if let Some(key) = self.mask {
                    mask::apply(key, self.sent % 4, &mut bytes);
                }
                self.sent += bytes.len();
                self.push(&bytes);
            }
            Step::Raw { payload, chop } => {
                self.course.features.chopped |= chop.at != ChopAt::Together;
                self.course.raw = true;
                self.push(&payload.to_bytes());
            }
            Step::Probe { mark } => self.mark(mark),
            Step::Pause { time: _, mark } => {
                if let Some(mark) = mark {
                    self.mark(mark);
                }
            }
            Step::Exchange(exchange) => self.answer(Expected::Exchanged(exchange.messages)),
            Step::End(end) => self.course.end = Some(*end),
            Step::Await { .. } | Step::Read(_) | Step::Hold { .. } => {}
        }
    }

    fn frame(&mut self, frame: &Frame) {
        let features = &mut self.course.features;
        features.chopped |= frame.chop.at != ChopAt::Together;
        self.course.sends_close |= frame.opcode == Opcode::CLOSE;
        let body = frame.payload.to_bytes();
        let header = header(frame, body.len() as u64, self.us);
        let mut bytes = header.encode().to_vec();
        let start = bytes.len();
        bytes.extend_from_slice(&body);
        if let Some(key) = header.mask {
            mask::apply(key, 0, &mut bytes[start..]);
        }
        self.mask = header.mask;
        self.sent = body.len();
        for _ in 0..frame.times {
            self.push(&bytes);
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.course.behind_close |= self.course.close.is_some() && !bytes.is_empty();
        self.decoder.push(bytes);
        while let Some(piece) = self.decoder.next() {
            let header = match &piece {
                wire::Piece::Header(header) => Some(*header),
                wire::Piece::Payload { .. } | wire::Piece::End => None,
            };
            self.inflating = self.message == Some(true);
            self.checker.push(piece);
            if let Some(header) = header {
                self.begins(&header);
            }
            while let Some(item) = self.checker.next() {
                self.item(item);
            }
            if self.checker.in_message().is_none() {
                self.message = None;
                if let Some(breach) = &mut self.course.breach {
                    breach.message_is_whole = true;
                }
            }
        }
    }

    /// Takes note of what a frame is by its header.
    fn begins(&mut self, header: &Header) {
        self.frames += 1;
        if header.opcode == Opcode::PING {
            self.pings = self.pings.saturating_add(1);
            self.course.pings_at_once = self.course.pings_at_once.max(self.pings);
        }
        let features = &mut self.course.features;
        let length = header.length.value();
        features.long_length |= length > 125;
        // A peer that sets a limit may do so by what is declared, or by what came of a message so far.
        self.course.longest = self.course.longest.max(length);
        let inside = self.message.is_some();
        if header.opcode.kind().is_some() {
            self.message = Some(header.rsv.contains(wire::Rsv::RSV1));
            features.compressed |= header.rsv.contains(wire::Rsv::RSV1);
            features.fragments |= !header.fin;
        } else if header.opcode.is_control() {
            features.between_fragments |= inside;
        }
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Violation(violation) => {
                let doubtful = DOUBTFUL.iter().any(|detail| violation.detail.ends_with(detail));
                self.violation(violation.rule, doubtful);
            }
            Item::Message { kind, payload, compressed: _, fragments: _ } => {
                self.course.longest = self.course.longest.max(payload.len() as u64);
                let features = &mut self.course.features;
                match kind {
                    Kind::Text => features.text = true,
                    Kind::Binary => features.binary = true,
                }
                features.beyond_ascii |= kind == Kind::Text && !payload.is_ascii();
                self.answer(match kind {
                    Kind::Text => Expected::Text(described(&payload)),
                    Kind::Binary => Expected::Binary(described(&payload)),
                });
            }
            Item::Ping(body) => {
                self.course.features.ping = true;
                self.answer(Expected::Pong(described(&body)));
            }
            Item::Pong(_) => self.course.features.pong = true,
            Item::Close { body: _, frame } => {
                let close = Close {
                    code: frame.and_then(|frame| frame.code).map(|code| code.value()),
                    interrupts: self.unfinished(),
                };
                if !self.is_over() {
                    self.course.close = Some(close);
                }
            }
            Item::TooBig { .. } => self.course.too_big |= !self.is_over(),
        }
    }

    fn violation(&mut self, rule: Rule, doubtful: bool) {
        match rule {
            // What comes behind a Close is discarded, whatever it is.
            Rule::DataAfterClose | Rule::ControlAfterClose => return,
            // "Note that this status code is not used by the server": a note, and the client answers such a Close.
            Rule::CloseCodeRole => return,
            _ => {}
        }
        if let Some(breach) = &mut self.course.breach {
            let of_the_frame = self.broken_in == self.frames;
            if of_the_frame { &mut breach.beside } else { &mut breach.next }.push(rule);
        }
        if self.is_over() {
            return;
        }
        self.course.breach = Some(Breach {
            rule,
            frame_is_whole: false,
            message_is_whole: self.checker.in_message().is_none(),
            in_content: is_of_content(rule),
            doubtful,
            in_compressed: self.inflating,
            beside: Vec::new(),
            later: Vec::new(),
            next: Vec::new(),
        });
        self.broken_in = self.frames;
    }

    fn mark(&mut self, mark: &str) {
        if self.checker.in_message().is_some() {
            self.course.marks_inside.push(mark.to_owned());
        }
        self.answer(Expected::Open(mark.to_owned()));
    }

    fn answer(&mut self, answer: Expected) {
        let over = self.is_over();
        match (&mut self.course.breach, &answer) {
            (Some(breach), Expected::Pong(_) | Expected::Open(_)) if breach.in_content => {
                breach.later.push(answer)
            }
            (Some(_), _) => {}
            (None, _) if over => {}
            (None, _) => self.course.answers.push(answer),
        }
    }

    /// Whether nothing that comes now is answered.
    fn is_over(&self) -> bool {
        self.course.breach.is_some() || self.course.close.is_some() || self.course.end.is_some()
    }

    fn finish(mut self) -> Course {
        let open = self.decoder.in_frame().map(|(header, _)| header.length.value());
        let cut = open.is_some() || self.decoder.buffered() > 0;
        if let Some(breach) = &mut self.course.breach {
            breach.frame_is_whole = !cut;
        } else {
            self.course.open_frame = if cut { Some(open.unwrap_or(0)) } else { None };
            self.course.unfinished = self.unfinished();
        }
        self.course
    }

    /// The message that is under way.
    fn unfinished(&self) -> Option<Unfinished> {
        self.checker.in_message().map(|_| Unfinished { compressed: self.message.unwrap_or_default() })
    }
}

/// Whether a breach of this rule is in what a message says, and not in a frame.
pub(super) fn is_of_content(rule: Rule) -> bool {
    matches!(rule, Rule::TextUtf8 | Rule::DeflateData)
}

/// Whether we go on only when something has come from the peer.
fn waits(step: &Step) -> bool {
    match step {
        Step::Await { .. } | Step::Probe { .. } | Step::Exchange(_) | Step::Hold { .. } => true,
        Step::Send(_)
        | Step::More { .. }
        | Step::Raw { .. }
        | Step::Pause { .. }
        | Step::Read(_)
        | Step::End(_) => false,
    }
}

/// The header that the engine gives such a frame.
fn header(frame: &Frame, len: u64, us: Role) -> Header {
    let mask = match frame.mask {
        Mask::Key(key) => Some(key),
        Mask::RoleDefault => (us == Role::Client).then_some(KEY),
        Mask::Wrong => (us == Role::Server).then_some(KEY),
    };
    let length = match frame.length {
        Length::Minimal => None,
        Length::Form(form) => wire::Length::with_form(len, form),
        Length::Declared { value, form } => Some(
            form.and_then(|form| wire::Length::with_form(value, form))
                .unwrap_or_else(|| wire::Length::minimal(value)),
        ),
    };
    let length = length.unwrap_or_else(|| wire::Length::minimal(len));
    Header { fin: frame.fin, rsv: frame.rsv, opcode: frame.opcode, mask, length }
}

/// Longer payloads are looked at for a unit that comes again and again.
const WORTH_FOLDING: usize = 32;
/// The longest unit that is looked for.
const LONGEST_UNIT: usize = 16;

/// Bytes in the words of a case file, as few as will do.
fn described(bytes: &[u8]) -> Payload {
    if bytes.len() > WORTH_FOLDING {
        let unit = (1..=LONGEST_UNIT).find(|unit| bytes[*unit..] == bytes[..bytes.len() - unit]);
        if let Some(unit) = unit {
            return Payload::Repeat { unit: bytes[..unit].to_vec(), len: bytes.len() as u64 };
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => Payload::Text(text.to_owned()),
        Ok(_) | Err(_) => Payload::Hex(bytes.to_vec()),
    }
}
