//! From scenarios to text: `load(write(s)) == s`. The same scenario always gives the same text, whatever file it
//! came from, so that a digest of the text is a digest of the cases.

use std::fmt::Write;
use std::time::Duration;

use wsgrade_codec::wire::{LengthForm, Opcode, Rsv};

use crate::model::{
    Accept, Awaited, BadTls, By, Chop, ChopAt, DeflateWish, End, Ending, Exchange, Expected, Frame,
    HeaderEdit, Length, Mask, Opening, Order, Payload, Role, Saw, Scenario, Source, Status, Step, Stress,
};

/// One scenario as a `[[case]]`.
pub fn scenario(scenario: &Scenario) -> String {
    // Every field has its line, and nothing may be forgotten here.
    let Scenario {
        id,
        title,
        why,
        rules,
        roles,
        needs,
        opening,
        steps,
        stress,
        accept,
        ending,
        catches,
        differs,
    } = scenario;
    let mut out = String::from("[[case]]\n");
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(out, "{key} = {value}");
    };
    line("id", &string(id.as_str()));
    line("title", &string(title));
    line("why", &string(why));
    line("rules", &list(rules.iter().map(|rule| string(rule.as_str()))));
    if roles.len() < 2 {
        line("roles", &list(roles.iter().map(|role| string(role_word(*role)))));
    }
    if !needs.is_empty() {
        line("needs", &list(needs.iter().map(|need| string(need.as_str()))));
    }
    if *opening != Opening::default() {
        line("opening", &table(&opening_entries(opening)));
    }
    line("steps", &lines(steps.iter().map(|step| table(&step_entries(step)))));
    if let Some(stress) = stress {
        line("stress", &table(&stress_entries(stress)));
    }
    line("accept", &lines(accept.iter().map(|accept| table(&accept_entries(accept)))));
    line("ending", &table(&ending_entries(ending)));
    if !catches.is_empty() {
        line("catches", &list(catches.iter().map(|name| string(name))));
    }
    if let Some(differs) = differs {
        line("differs", &string(differs));
    }
    out
}

/// Many scenarios, as a case file.
pub fn scenarios<'a>(all: impl IntoIterator<Item = &'a Scenario>) -> String {
    all.into_iter().map(scenario).collect::<Vec<_>>().join("\n")
}

/// A section's title.
pub fn section(id: &str, title: &str) -> String {
    format!("[[section]]\nid = {}\ntitle = {}\n", string(id), string(title))
}

type Entries = Vec<(&'static str, String)>;

fn table(entries: &Entries) -> String {
    let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn lines(items: impl Iterator<Item = String>) -> String {
    let items: String = items.map(|item| format!("  {item},\n")).collect();
    if items.is_empty() { "[]".to_owned() } else { format!("[\n{items}]") }
}

/// A string as TOML has it.
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_invisible(c) => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Characters that an editor would not show, or show somewhere else.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{ffff}' | '\u{e000}'..='\u{f8ff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Lower-case hex digits, as the case files have them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A time as the case files have it.
pub(crate) fn duration(time: Duration) -> String {
    let nanos = time.as_nanos();
    if nanos.is_multiple_of(1_000_000_000) {
        format!("{}s", time.as_secs())
    } else if nanos.is_multiple_of(1_000_000) {
        format!("{}ms", time.as_millis())
    } else if nanos.is_multiple_of(1_000) {
        format!("{}us", time.as_micros())
    } else {
        format!("{nanos}ns")
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Server => "server",
        Role::Client => "client",
    }
}

/// The word for a length's form.
pub(crate) fn form_word(form: LengthForm) -> &'static str {
    match form {
        LengthForm::Bits7 => "7-bit",
        LengthForm::Bits16 => "16-bit",
        LengthForm::Bits64 => "64-bit",
    }
}

fn payload_entries(payload: &Payload) -> Entries {
    match payload {
        Payload::Text(text) => vec![("text", string(text))],
        Payload::Hex(bytes) => vec![("hex", string(&hex(bytes)))],
        Payload::Repeat { unit, len } => vec![("repeat", string(&hex(unit))), ("len", len.to_string())],
        Payload::Close { code, reason } => {
            let mut entries = vec![("code", code.to_string())];
            if **reason != Payload::default() {
                entries.push(("reason", payload_value(reason)));
            }
            entries
        }
        Payload::Join(parts) => vec![("join", list(parts.iter().map(payload_value)))],
    }
}

/// A payload as a value of its own.
fn payload_value(payload: &Payload) -> String {
    match payload {
        Payload::Text(text) => string(text),
        Payload::Hex(_) | Payload::Repeat { .. } | Payload::Close { .. } | Payload::Join(_) => {
            table(&payload_entries(payload))
        }
    }
}

fn step_entries(step: &Step) -> Entries {
    match step {
        Step::Send(frame) => frame_entries(frame),
        Step::More { payload, chop } => bytes_entries("more", payload, chop),
        Step::Raw { payload, chop } => bytes_entries("raw", payload, chop),
        Step::Await { event, within } => {
            let mut entries = match event {
                Awaited::Answer(Expected::Text(payload)) => await_entries("text", payload),
                Awaited::Answer(Expected::Binary(payload)) => await_entries("binary", payload),
                Awaited::Answer(Expected::Pong(payload)) => await_entries("pong", payload),
                Awaited::Answer(Expected::Open(mark)) => {
                    vec![("await", string("open")), ("mark", string(mark))]
                }
                // No case file says so, and no engine has to wait for them.
                Awaited::Answer(Expected::Exchanged(_)) => vec![("await", string("exchanged"))],
                Awaited::Answer(Expected::Declined) => vec![("await", string("declined"))],
                Awaited::Answer(Expected::Refused { .. } | Expected::Dropped | Expected::Unanswered) => {
                    vec![("await", string("refused"))]
                }
                Awaited::Any => vec![("await", string("any"))],
                Awaited::Close => vec![("await", string("close"))],
            };
            entries.extend(within.map(|time| ("within", string(&duration(time)))));
            entries
        }
        Step::Probe { mark } => vec![("probe", string(mark))],
        Step::Pause { time, mark } => {
            let mut entries = vec![("pause", string(&duration(*time)))];
            entries.extend(mark.as_ref().map(|mark| ("mark", string(mark))));
            entries
        }
        Step::Exchange(exchange) => exchange_entries(exchange),
        Step::Read(on) => vec![("read", on.to_string())],
        Step::Hold { within } => vec![("hold", string(&duration(*within)))],
        Step::End(End::Abort) => vec![("end", string("abort"))],
        Step::End(End::Half) => vec![("end", string("half"))],
    }
}

fn frame_entries(frame: &Frame) -> Entries {
    let Frame { opcode, fin, rsv, mask, length, payload, chop, times, lasting } = frame;
    let mut entries = vec![("send", opcode_value(*opcode))];
    if *payload != Payload::default() {
        entries.extend(payload_entries(payload));
    }
    if !fin {
        entries.push(("fin", "false".to_owned()));
    }
    if *rsv != Rsv::NONE {
        entries.push(("rsv", rsv.value().to_string()));
    }
    match mask {
        Mask::RoleDefault => {}
        Mask::Wrong => entries.push(("mask", string("wrong"))),
        Mask::Key(key) => entries.push(("mask", string(&hex(key)))),
    }
    let form = match length {
        Length::Minimal => None,
        Length::Form(form) => Some(*form),
        Length::Declared { value, form } => {
            let in_toml = i64::try_from(*value).is_ok();
            entries.push(("declared", if in_toml { value.to_string() } else { format!("\"{value:#x}\"") }));
            *form
        }
    };
    entries.extend(form.map(|form| ("length", string(form_word(form)))));
    entries.extend(chop_entries(chop));
    // With `for`, one time is not what is meant where none is said.
    if *times != 1 || lasting.is_some() {
        entries.push(("times", times.to_string()));
    }
    entries.extend(lasting.map(|time| ("for", string(&duration(time)))));
    entries
}

fn stress_entries(stress: &Stress) -> Entries {
    let Stress { connections, growth, memory, cpu, files, kept } = stress;
    let mut entries = Vec::new();
    if connections.get() != 1 {
        entries.push(("connections", connections.to_string()));
    }
    if *growth {
        entries.push(("growth", "true".to_owned()));
    }
    entries.extend(memory.map(|bytes| ("memory", bytes.to_string())));
    entries.extend(cpu.map(|time| ("cpu", string(&duration(time)))));
    entries.extend(files.map(|files| ("files", files.to_string())));
    entries.extend(kept.map(|bytes| ("kept", bytes.to_string())));
    entries
}

fn exchange_entries(exchange: &Exchange) -> Entries {
    let Exchange { kind, source, size, messages, compressed, fragment, timed } = exchange;
    let source = match source {
        Source::Corpus(corpus) => ("corpus", string(corpus.as_str())),
        Source::Repeat(unit) => ("repeat", string(&hex(unit))),
    };
    let mut entries = vec![("exchange", string(kind.as_str())), source];
    entries.extend([("size", size.to_string()), ("messages", messages.to_string())]);
    if *compressed {
        entries.push(("compressed", "true".to_owned()));
    }
    entries.extend(fragment.map(|size| ("fragment", size.to_string())));
    if *timed {
        entries.push(("timed", "true".to_owned()));
    }
    entries
}

fn opcode_value(opcode: Opcode) -> String {
    let word = match opcode {
        Opcode::CONTINUATION => "continuation",
        Opcode::TEXT => "text",
        Opcode::BINARY => "binary",
        Opcode::CLOSE => "close",
        Opcode::PING => "ping",
        Opcode::PONG => "pong",
        reserved => return reserved.value().to_string(),
    };
    string(word)
}

fn bytes_entries(word: &str, payload: &Payload, chop: &Chop) -> Entries {
    let mut entries = vec![("send", string(word))];
    entries.extend(payload_entries(payload));
    entries.extend(chop_entries(chop));
    entries
}

fn await_entries(word: &str, payload: &Payload) -> Entries {
    let mut entries = vec![("await", string(word))];
    entries.extend(payload_entries(payload));
    entries
}

fn chop_entries(chop: &Chop) -> Entries {
    let mut entries = match &chop.at {
        ChopAt::Together => vec![],
        ChopAt::Alone => vec![("chop", string("alone"))],
        ChopAt::Every(size) => vec![("chop", size.to_string())],
        ChopAt::Sizes(sizes) => vec![("chop", list(sizes.iter().map(u32::to_string)))],
    };
    if !chop.pause.is_zero() {
        entries.push(("chop_pause", string(&duration(chop.pause))));
    }
    entries
}

fn accept_entries(accept: &Accept) -> Entries {
    let Accept { verdict, saw, ending, rule, note } = accept;
    let mut entries = vec![("verdict", string(&verdict.to_string()))];
    match saw {
        Saw::Answers => entries.push(("saw", string("answers"))),
        Saw::Anything => entries.push(("saw", string("anything"))),
        Saw::Events { events, order } => {
            entries.push(("saw", list(events.iter().map(expected_value))));
            match order {
                Order::Exact => {}
                Order::Any => entries.push(("order", string("any"))),
                Order::LatestPong => entries.push(("order", string("latest-pong"))),
                Order::Apart => entries.push(("order", string("apart"))),
                Order::UpTo => entries.push(("order", string("up-to"))),
            }
        }
    }
    entries.extend(ending.as_ref().map(|ending| ("ending", table(&ending_entries(ending)))));
    entries.extend(rule.as_ref().map(|rule| ("rule", string(rule.as_str()))));
    entries.extend(note.as_ref().map(|note| ("note", string(note))));
    entries
}

fn expected_value(expected: &Expected) -> String {
    match expected {
        Expected::Text(payload) => table(&vec![("text", payload_value(payload))]),
        Expected::Binary(payload) => table(&vec![("binary", payload_value(payload))]),
        Expected::Pong(payload) => table(&vec![("pong", payload_value(payload))]),
        Expected::Open(mark) => table(&vec![("open", string(mark))]),
        Expected::Exchanged(messages) => table(&vec![("exchanged", messages.to_string())]),
        Expected::Declined => table(&vec![("declined", string("permessage-deflate"))]),
        Expected::Refused { statuses, versions } => {
            let status = |status: &Status| match status {
                Status::Is(status) => status.to_string(),
                Status::Class(_) => string(&status.to_string()),
            };
            let mut entries = vec![("refused", list(statuses.iter().map(status)))];
            if *versions {
                entries.push(("versions", "true".to_owned()));
            }
            table(&entries)
        }
        Expected::Dropped => table(&vec![("dropped", string("tcp"))]),
        Expected::Unanswered => table(&vec![("unanswered", string("opening"))]),
    }
}

fn ending_entries(ending: &Ending) -> Entries {
    let Ending { by, codes, clean, bare } = ending;
    let word = match by {
        By::Us => "us",
        By::Peer => "peer",
        By::Either => "either",
    };
    let mut entries = vec![("by", string(word))];
    if !codes.is_empty() {
        entries.push(("codes", list(codes.iter().map(u16::to_string))));
    }
    if *clean != (*by == By::Us) {
        entries.push(("clean", clean.to_string()));
    }
    if *bare {
        entries.push(("bare", bare.to_string()));
    }
    entries
}

fn opening_entries(opening: &Opening) -> Entries {
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
    let mut entries = Vec::new();
    entries.extend(method.as_ref().map(|method| ("method", string(method))));
    entries.extend(target.as_ref().map(|target| ("target", string(target))));
    entries.extend(version.as_ref().map(|version| ("version", string(version))));
    entries.extend(status.map(|status| ("status", status.to_string())));
    if !headers.is_empty() {
        entries.push(("headers", list(headers.iter().map(header_value))));
    }
    if !extensions.is_empty() {
        entries.push(("extensions", list(extensions.iter().map(|offer| string(offer)))));
    }
    if !deflate.is_empty() {
        entries.push(("deflate", list(deflate.iter().map(wish_value))));
    }
    entries.extend(raw.as_ref().map(|raw| ("raw", payload_value(raw))));
    entries.extend(newline.as_ref().map(|newline| ("newline", string(newline))));
    for (key, set) in [("unfinished", unfinished), ("early", early), ("knock", knock)] {
        entries.extend(set.then(|| (key, "true".to_owned())));
    }
    entries.extend(tls.map(|flaw| ("tls", string(bad_tls_word(flaw)))));
    entries.extend(chop_entries(chop));
    entries
}

fn bad_tls_word(flaw: BadTls) -> &'static str {
    match flaw {
        BadTls::Untrusted => "untrusted",
        BadTls::Misnamed => "misnamed",
        BadTls::Broken => "broken",
    }
}

fn wish_value(wish: &DeflateWish) -> String {
    let DeflateWish { no_context_takeover, max_window_bits, our_context_takeover, our_window_bits } = wish;
    let mut entries = Vec::new();
    if *no_context_takeover {
        entries.push(("no_context_takeover", "true".to_owned()));
    }
    entries.extend(max_window_bits.map(|bits| ("max_window_bits", bits.to_string())));
    entries.extend(our_context_takeover.map(|kept| ("our_context_takeover", kept.to_string())));
    entries.extend(our_window_bits.map(|bits| ("our_window_bits", bits.to_string())));
    table(&entries)
}

fn header_value(edit: &HeaderEdit) -> String {
    match edit {
        HeaderEdit::Set(name, value) => table(&vec![("set", string(name)), ("value", payload_value(value))]),
        HeaderEdit::Add(name, value) => table(&vec![("add", string(name)), ("value", payload_value(value))]),
        HeaderEdit::Raw(bytes) => table(&vec![("raw", payload_value(bytes))]),
        HeaderEdit::Remove(name) => table(&vec![("remove", string(name))]),
    }
}
