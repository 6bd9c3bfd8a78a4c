//! Steps: what we do, one after another.

use std::time::Duration;

use wsgrade_codec::Kind;
use wsgrade_codec::wire::{LengthForm, Opcode, Rsv};

use super::payload;
use crate::corpus::Corpus;
use crate::exchange::{Exchange, Source};
use crate::form::{Fields, Node, Problems, Value, hex, listed, nearest, number, text, word};
use crate::model::{Awaited, Chop, ChopAt, End, Expected, Frame, Length, Mask, Payload, Step};

/// The words after `send`.
const SENDS: [&str; 8] = ["continuation", "text", "binary", "close", "ping", "pong", "more", "raw"];
const KINDS: [&str; 8] = ["send", "exchange", "await", "probe", "pause", "read", "hold", "end"];
const FORMS: [(&str, LengthForm); 3] =
    [("7-bit", LengthForm::Bits7), ("16-bit", LengthForm::Bits16), ("64-bit", LengthForm::Bits64)];
const KINDS_OF_MESSAGES: [(&str, Kind); 2] = [("text", Kind::Text), ("binary", Kind::Binary)];
/// No exchange has more messages.
pub const MAX_MESSAGES: u32 = 100_000;
/// No frame is sent more often in a row, and no message is cut into more fragments.
const MAX_TIMES: u32 = 1 << 20;

/// Reads one step; a step with `fragment` becomes several.
pub(crate) fn read(problems: &mut Problems<'_>, node: &Node, steps: &mut Vec<Step>) {
    let Some(fields) = Fields::open(problems, node, "a step") else { return };
    let kinds: Vec<_> = KINDS.into_iter().filter(|kind| fields.has(kind)).collect();
    let kind = match kinds[..] {
        [kind] => kind,
        [] => {
            let help = fields.keys().find_map(|key| nearest(key, KINDS));
            problems.push(
                fields.at,
                format!("a step does something: {}", listed(&KINDS, "or")),
                help.map(|near| format!("did you mean `{near}`?")),
            );
            return;
        }
        _ => {
            problems.add(fields.at, format!("a step does one thing, and here are {}", listed(&kinds, "and")));
            return;
        }
    };
    match kind {
        "send" => send(problems, fields, steps),
        "exchange" => steps.extend(exchange(problems, fields).map(Step::Exchange)),
        "await" => steps.extend(awaiting(problems, fields)),
        "probe" => {
            let fields = fields.named("a `probe` step");
            fields.refuse_others(problems, &["probe"]);
            steps.extend(fields.text(problems, "probe").map(|mark| Step::Probe { mark: mark.to_owned() }));
        }
        "pause" => {
            let fields = fields.named("a `pause` step");
            fields.refuse_others(problems, &["pause", "mark"]);
            let mark = fields.text(problems, "mark").map(str::to_owned);
            steps.extend(fields.duration(problems, "pause").map(|time| Step::Pause { time, mark }));
        }
        "read" => {
            let fields = fields.named("a `read` step");
            fields.refuse_others(problems, &["read"]);
            steps.extend(fields.bool(problems, "read").map(Step::Read));
        }
        "hold" => {
            let fields = fields.named("a `hold` step");
            fields.refuse_others(problems, &["hold"]);
            steps.extend(fields.duration(problems, "hold").map(|within| Step::Hold { within }));
        }
        _ => {
            let fields = fields.named("an `end` step");
            fields.refuse_others(problems, &["end"]);
            let end = fields.word(problems, "end", &[("abort", End::Abort), ("half", End::Half)]);
            steps.extend(end.map(Step::End));
        }
    }
}

fn send(problems: &mut Problems<'_>, fields: Fields<'_>, steps: &mut Vec<Step>) {
    let Some(what) = fields.get("send") else { return };
    if let Value::Text(word) = &what.value
        && (word == "more" || word == "raw")
    {
        let fields = fields.named("a `send` step without a header");
        let mut known = vec!["send", "chop", "chop_pause"];
        known.extend(payload::KEYS);
        fields.refuse_others(problems, &known);
        let payload = payload::from_fields(problems, &fields);
        let chop = chop(problems, &fields);
        steps.push(if word == "more" { Step::More { payload, chop } } else { Step::Raw { payload, chop } });
        return;
    }
    let fields = fields.named("a `send` step");
    let mut known = vec![
        "send",
        "fin",
        "rsv",
        "mask",
        "length",
        "declared",
        "chop",
        "chop_pause",
        "times",
        "for",
        "fragment",
    ];
    known.extend(payload::KEYS);
    fields.refuse_others(problems, &known);
    let Some(opcode) = opcode(problems, what) else { return };
    let rsv = fields.number(problems, "rsv", (0, 7)).and_then(|n| Rsv::new(u8::try_from(n).ok()?));
    let times = fields.number(problems, "times", (1, MAX_TIMES.into())).and_then(|n| u32::try_from(n).ok());
    let lasting = fields.duration(problems, "for");
    if let Some(node) = fields.get("for") {
        for other in ["chop", "chop_pause"] {
            if fields.has(other) {
                problems.add(node.at, format!("`for` cannot go with `{other}`"));
            }
        }
    }
    let frame = Frame {
        fin: fields.bool(problems, "fin").unwrap_or(true),
        rsv: rsv.unwrap_or(Rsv::NONE),
        mask: mask(problems, &fields),
        length: length(problems, &fields),
        chop: chop(problems, &fields),
        times: times.unwrap_or(if lasting.is_some() { MAX_TIMES } else { 1 }),
        lasting,
        ..Frame::new(opcode, payload::from_fields(problems, &fields))
    };
    match fields.get("fragment") {
        None => steps.push(Step::Send(frame)),
        Some(node) => {
            for other in ["times", "for", "length", "declared"] {
                if fields.has(other) {
                    problems.add(node.at, format!("`fragment` cannot go with `{other}`"));
                }
            }
            if opcode.is_control() {
                problems.add(node.at, "`fragment` is for messages: a control frame cannot be fragmented");
            }
            let most = payload::MAX_PAYLOAD;
            let Some(size) = number(problems, "fragment", node, (1, most)) else { return };
            if frame.payload.len() / size > MAX_TIMES.into() {
                problems.add(node.at, format!("more than {MAX_TIMES} fragments"));
                return;
            }
            steps.extend(fragments(&frame, size).into_iter().map(Step::Send));
        }
    }
}

/// Frames of `size` bytes each, then one with the rest and the FIN bit: empty where nothing is left. Like frames in
/// a row are one with `times`.
fn fragments(whole: &Frame, size: u64) -> Vec<Frame> {
    let len = whole.payload.len();
    // Of whole units over and over, all full fragments after the first are alike, and need not be made one by one.
    let alike =
        matches!(&whole.payload, Payload::Repeat { unit, .. } if size.is_multiple_of(unit.len() as u64));
    let mut frames: Vec<Frame> = Vec::new();
    let mut start = 0;
    loop {
        let rest = len - start;
        let times = if alike && start > 0 { (rest / size).max(1) } else { 1 };
        let frame = Frame {
            opcode: if start == 0 { whole.opcode } else { Opcode::CONTINUATION },
            rsv: if start == 0 { whole.rsv } else { Rsv::NONE },
            fin: whole.fin && rest < size,
            payload: payload::slice(&whole.payload, start, rest.min(size)),
            times: u32::try_from(times).unwrap_or(u32::MAX),
            ..whole.clone()
        };
        match frames.last_mut() {
            Some(last) if (Frame { times: frame.times, ..last.clone() }) == frame => {
                last.times += frame.times
            }
            _ => frames.push(frame),
        }
        if rest < size {
            return frames;
        }
        start += size * times;
    }
}

fn exchange(problems: &mut Problems<'_>, fields: Fields<'_>) -> Option<Exchange> {
    let fields = fields.named("an `exchange` step");
    let known = ["exchange", "corpus", "repeat", "size", "messages", "compressed", "fragment", "timed"];
    fields.refuse_others(problems, &known);
    let kind = fields.word(problems, "exchange", &KINDS_OF_MESSAGES);
    let source = match (fields.get("corpus"), fields.get("repeat")) {
        (Some(node), None) => {
            let corpora = Corpus::ALL.map(|corpus| (corpus.as_str(), corpus));
            word(problems, "corpus", node, &corpora).map(Source::Corpus)
        }
        (None, Some(node)) => Some(Source::Repeat(payload::unit(problems, node))),
        (Some(_), Some(node)) => {
            problems.add(node.at, "messages are made in one way, and here are `corpus` and `repeat`");
            None
        }
        (None, None) => {
            problems.add_with_help(
                fields.at,
                "an `exchange` step without `corpus` or `repeat`",
                "such as corpus = \"json\", or repeat = \"2a\"",
            );
            None
        }
    };
    let size = fields.need(problems, "size");
    let size = size.and_then(|node| number(problems, "size", node, (0, payload::MAX_PAYLOAD)));
    let messages = fields.need(problems, "messages");
    let messages = messages.and_then(|node| number(problems, "messages", node, (1, MAX_MESSAGES.into())));
    let compressed = fields.bool(problems, "compressed").unwrap_or(false);
    let fragment = fields.number(problems, "fragment", (1, payload::MAX_PAYLOAD));
    let timed = fields.bool(problems, "timed").unwrap_or(false);
    Some(Exchange {
        kind: kind?,
        source: source?,
        size: u32::try_from(size?).ok()?,
        messages: u32::try_from(messages?).ok()?,
        compressed,
        fragment: fragment.and_then(|size| u32::try_from(size).ok()),
        timed,
    })
}

fn opcode(problems: &mut Problems<'_>, node: &Node) -> Option<Opcode> {
    let found = match &node.value {
        Value::Integer(number) => u8::try_from(*number).ok().and_then(Opcode::new),
        Value::Text(word) => match word.as_str() {
            "continuation" => Some(Opcode::CONTINUATION),
            "text" => Some(Opcode::TEXT),
            "binary" => Some(Opcode::BINARY),
            "close" => Some(Opcode::CLOSE),
            "ping" => Some(Opcode::PING),
            "pong" => Some(Opcode::PONG),
            _ => None,
        },
        Value::Bool(_) | Value::Array(_) | Value::Table(_) | Value::Date(_) | Value::Fraction => None,
    };
    if found.is_none() {
        let expected = format!("expected an opcode from 0 to 15 or one of {}", listed(&SENDS, "and"));
        let (given, help) = match &node.value {
            Value::Text(word) => (format!("{word:?}"), nearest(word, SENDS)),
            Value::Integer(number) => (number.to_string(), None),
            Value::Bool(_) | Value::Array(_) | Value::Table(_) | Value::Date(_) | Value::Fraction => {
                (node.kind().to_owned(), None)
            }
        };
        let help = help.map(|near| format!("did you mean \"{near}\"?"));
        problems.push(node.at, format!("`send` is {given}, {expected}"), help);
    }
    found
}

fn mask(problems: &mut Problems<'_>, fields: &Fields<'_>) -> Mask {
    let Some(node) = fields.get("mask") else { return Mask::RoleDefault };
    match text(problems, "mask", node) {
        Some("role-default") | None => Mask::RoleDefault,
        Some("wrong") => Mask::Wrong,
        Some(other) => {
            let is_key = other.len() == 8 && other.bytes().all(|b| b.is_ascii_hexdigit());
            match is_key.then(|| hex(problems, "mask", node)).flatten().and_then(|key| key.try_into().ok()) {
                Some(key) => Mask::Key(key),
                None => {
                    let expected = "expected \"role-default\", \"wrong\" or a key of 8 hex digits";
                    problems.add(node.at, format!("`mask` is {other:?}, {expected}"));
                    Mask::RoleDefault
                }
            }
        }
    }
}

fn length(problems: &mut Problems<'_>, fields: &Fields<'_>) -> Length {
    let form = fields.word(problems, "length", &FORMS);
    match (fields.get("declared"), form) {
        (Some(node), form) => {
            let value = match &node.value {
                Value::Text(digits) => {
                    let value = digits.strip_prefix("0x").filter(|digits| !digits.starts_with('+'));
                    let value = value.and_then(|digits| u64::from_str_radix(digits, 16).ok());
                    if value.is_none() {
                        let expected = "expected a number, or hex digits such as \"0x8000000000000000\"";
                        problems.add(node.at, format!("`declared` is {digits:?}, {expected}"));
                    }
                    value
                }
                _ => number(problems, "declared", node, (0, i64::MAX.unsigned_abs())),
            };
            Length::Declared { value: value.unwrap_or_default(), form }
        }
        (None, Some(form)) => Length::Form(form),
        (None, None) => Length::Minimal,
    }
}

pub(crate) fn chop(problems: &mut Problems<'_>, fields: &Fields<'_>) -> Chop {
    let piece = (1, u64::from(u32::MAX));
    let at = match fields.get("chop") {
        None => ChopAt::Together,
        Some(node) => match &node.value {
            Value::Text(_) => match word(problems, "chop", node, &[("together", false), ("alone", true)]) {
                Some(true) => ChopAt::Alone,
                Some(false) | None => ChopAt::Together,
            },
            Value::Array(items) => {
                if items.is_empty() {
                    problems.add(node.at, "`chop` is an empty list, expected the sizes of the pieces");
                }
                let sizes = items.iter().filter_map(|item| number(problems, "chop", item, piece));
                ChopAt::Sizes(sizes.filter_map(|size| u32::try_from(size).ok()).collect())
            }
            Value::Integer(_) => {
                let size = number(problems, "chop", node, piece).and_then(|size| u32::try_from(size).ok());
                size.map_or(ChopAt::Together, ChopAt::Every)
            }
            Value::Bool(_) | Value::Table(_) | Value::Date(_) | Value::Fraction => {
                let expected = "expected \"alone\", a number of bytes or a list of such numbers";
                problems.add(node.at, format!("`chop` is {}, {expected}", node.kind()));
                ChopAt::Together
            }
        },
    };
    Chop { at, pause: fields.duration(problems, "chop_pause").unwrap_or(Duration::ZERO) }
}

fn awaiting(problems: &mut Problems<'_>, fields: Fields<'_>) -> Option<Step> {
    #[derive(Clone, Copy)]
    enum What {
        Text,
        Binary,
        Pong,
        Open,
        Any,
        Close,
    }
    let fields = fields.named("an `await` step");
    let kinds = [
        ("text", What::Text),
        ("binary", What::Binary),
        ("pong", What::Pong),
        ("open", What::Open),
        ("any", What::Any),
        ("close", What::Close),
    ];
    let kind = fields.word(problems, "await", &kinds);
    let mut known = vec!["await", "within"];
    match kind {
        Some(What::Text | What::Binary | What::Pong) | None => known.extend(payload::KEYS),
        Some(What::Open) => known.push("mark"),
        Some(What::Any | What::Close) => {}
    }
    fields.refuse_others(problems, &known);
    let within = fields.duration(problems, "within");
    let event = match kind? {
        What::Text => Awaited::Answer(Expected::Text(payload::from_fields(problems, &fields))),
        What::Binary => Awaited::Answer(Expected::Binary(payload::from_fields(problems, &fields))),
        What::Pong => Awaited::Answer(Expected::Pong(payload::from_fields(problems, &fields))),
        What::Open => Awaited::Answer(Expected::Open(fields.need_text(problems, "mark")?.to_owned())),
        What::Any => Awaited::Any,
        What::Close => Awaited::Close,
    };
    Some(Step::Await { event, within })
}
