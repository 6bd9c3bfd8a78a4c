//! Cases in words: one readable line for each step, outcome and ending.

use wsgrade_codec::Kind;
use wsgrade_codec::wire::{LengthForm, Rsv};

use crate::model::{
    Accept, Awaited, BadTls, By, Chop, ChopAt, Corpus, DeflateWish, End, Ending, Exchange, Expected, Frame,
    HeaderEdit, Length, Mask, Opening, Order, Payload, Saw, Scenario, Source, Status, Step, Stress,
};
use crate::write::{duration, hex};

/// A payload's text or bytes are shown up to here.
const SHOWN: usize = 32;

/// A step: `send text, 13 bytes "Hello, world!", FIN, RSV1`.
pub fn step(step: &Step) -> String {
    match step {
        Step::Send(frame) => format!("send {}", self::frame(frame)),
        Step::More { payload, chop } => {
            with_chop(format!("send the frame's payload on, {}", self::payload(payload)), chop)
        }
        Step::Raw { payload, chop } => with_chop(format!("send raw bytes, {}", self::payload(payload)), chop),
        Step::Await { event, within } => {
            let mut line = match event {
                Awaited::Answer(Expected::Open(mark)) => format!("wait for mark {mark}"),
                Awaited::Answer(answer) => format!("wait for {}", expected(answer)),
                Awaited::Any => "wait for any message or pong".to_owned(),
                Awaited::Close => "wait for the end of the connection".to_owned(),
            };
            if let Some(time) = within {
                line += &format!(", for {} at most", duration(*time));
            }
            line
        }
        Step::Probe { mark } => format!("ask by a ping whether the connection is open (mark {mark})"),
        Step::Pause { time, mark: None } => format!("wait {}", duration(*time)),
        Step::Pause { time, mark: Some(mark) } => {
            format!("wait {}, then note whether the connection is open (mark {mark})", duration(*time))
        }
        Step::Exchange(exchange) => self::exchange(exchange),
        Step::Read(false) => "stop reading".to_owned(),
        Step::Read(true) => "go on reading".to_owned(),
        Step::Hold { within } => {
            format!("hold on until the canary was answered, for {} at most", duration(*within))
        }
        Step::End(End::Abort) => "reset the connection".to_owned(),
        Step::End(End::Half) => "end our sending side".to_owned(),
    }
}

/// An exchange: `exchange 1000 text messages of 4096 code points from the JSON corpus, compressed, in frames of 256 bytes,
/// one at a time`.
pub fn exchange(exchange: &Exchange) -> String {
    let Exchange { kind, source, size, messages, compressed, fragment, timed } = exchange;
    let of = match (source, kind) {
        _ if *size == 0 => "no bytes".to_owned(),
        (Source::Corpus(corpus), Kind::Text) => {
            let unit = if *size == 1 { "code point" } else { "code points" };
            format!("{size} {unit} from the {} corpus", corpus_words(*corpus))
        }
        (Source::Corpus(corpus), Kind::Binary) => {
            format!("{} from the {} corpus", bytes(u64::from(*size)), corpus_words(*corpus))
        }
        (Source::Repeat(unit), Kind::Text | Kind::Binary) => {
            payload(&Payload::Repeat { unit: unit.clone(), len: u64::from(*size) })
        }
    };
    let plural = if *messages == 1 { "message" } else { "messages" };
    let mut line = format!("exchange {messages} {} {plural} of {of}", kind.as_str());
    if *compressed {
        line += ", compressed";
    }
    if let Some(size) = fragment {
        line += &format!(", in frames of {}", bytes(u64::from(*size)));
    }
    line += ", one at a time";
    if *timed {
        line += ", by the clock";
    }
    line
}

fn corpus_words(corpus: Corpus) -> &'static str {
    match corpus {
        Corpus::Json => "JSON",
        Corpus::Bitmap => "bitmap",
        Corpus::Prose => "prose",
        Corpus::Html => "HTML",
        Corpus::Document => "document",
    }
}

/// A frame: `ping, 125 bytes of fe, FIN, in writes of 1 byte`.
pub fn frame(frame: &Frame) -> String {
    let Frame { opcode, fin, rsv, mask, length, payload, chop, times, lasting } = frame;
    let mut parts = vec![opcode.to_string(), self::payload(payload)];
    parts.push(if *fin { "FIN".to_owned() } else { "no FIN".to_owned() });
    for (bit, name) in [(Rsv::RSV1, "RSV1"), (Rsv::RSV2, "RSV2"), (Rsv::RSV3, "RSV3")] {
        if rsv.value() & bit.value() != 0 {
            parts.push(name.to_owned());
        }
    }
    match mask {
        Mask::RoleDefault => {}
        Mask::Wrong => parts.push("masked the wrong way".to_owned()),
        Mask::Key(key) => parts.push(format!("masked with {}", hex(key))),
    }
    match length {
        Length::Minimal => {}
        Length::Form(form) => parts.push(format!("length in {}", form_words(*form))),
        Length::Declared { value, form } => {
            let form = form.map(|form| format!(" in {}", form_words(form))).unwrap_or_default();
            parts.push(format!("declared as {}{form}", declared(*value)));
        }
    }
    let mut line = with_chop(parts.join(", "), chop);
    match lasting {
        Some(time) => {
            line += &format!(", over and over for {}, {times} times at most", duration(*time));
        }
        None if *times != 1 => line += &format!(", {times} times"),
        None => {}
    }
    line
}

fn declared(value: u64) -> String {
    if i64::try_from(value).is_ok() { bytes(value) } else { format!("{value:#x} bytes") }
}

fn form_words(form: LengthForm) -> &'static str {
    match form {
        LengthForm::Bits7 => "7 bits",
        LengthForm::Bits16 => "16 bits",
        LengthForm::Bits64 => "64 bits",
    }
}

fn with_chop(mut line: String, chop: &Chop) -> String {
    match &chop.at {
        ChopAt::Together => {}
        ChopAt::Alone => line += ", in a write of its own",
        ChopAt::Every(size) => line += &format!(", in writes of {}", bytes(u64::from(*size))),
        ChopAt::Sizes(sizes) => {
            let sizes: Vec<_> = sizes.iter().map(u32::to_string).collect();
            line += &format!(", in writes of {} bytes and the rest", sizes.join(", "));
        }
    }
    if !chop.pause.is_zero() {
        line += &format!(" with {} between", duration(chop.pause));
    }
    line
}

fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

/// A payload: `13 bytes "Hello, world!"`.
pub fn payload(payload: &Payload) -> String {
    let len = payload.len();
    match payload {
        _ if len == 0 => "empty".to_owned(),
        Payload::Text(text) => format!("{} {}", bytes(len), quoted(text)),
        Payload::Hex(raw) => format!("{} {}", bytes(len), hex_shown(raw)),
        Payload::Repeat { unit, .. } => match std::str::from_utf8(unit) {
            Ok(text) if text.chars().all(|c| c.is_ascii_graphic()) => {
                format!("{} of {}", bytes(len), quoted(text))
            }
            _ => format!("{} of {}", bytes(len), hex_shown(unit)),
        },
        Payload::Close { code, reason } if reason.is_empty() => format!("code {code}"),
        Payload::Close { code, reason } => format!("code {code}, reason {}", self::payload(reason)),
        Payload::Join(parts) if len <= SHOWN as u64 * 4 => {
            let joined = parts.iter().flat_map(Payload::to_bytes).collect();
            match String::from_utf8(joined) {
                Ok(text) => format!("{} {}", bytes(len), quoted(&text)),
                Err(error) => format!("{} {}", bytes(len), hex_shown(error.as_bytes())),
            }
        }
        Payload::Join(parts) => format!("{} in {} parts", bytes(len), parts.len()),
    }
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{:?}…", &text[..cut]),
        None => format!("{text:?}"),
    }
}

fn hex_shown(raw: &[u8]) -> String {
    match raw.get(..SHOWN) {
        Some(head) if raw.len() > SHOWN => format!("{}…", hex(head)),
        _ => hex(raw),
    }
}

/// An expected answer: `pong, 4 bytes "ping"`.
pub fn expected(expected: &Expected) -> String {
    match expected {
        Expected::Text(text) => format!("text, {}", payload(text)),
        Expected::Binary(binary) => format!("binary, {}", payload(binary)),
        Expected::Pong(pong) => format!("pong, {}", payload(pong)),
        Expected::Open(mark) => format!("open at {mark}"),
        Expected::Exchanged(1) => "1 message exchanged".to_owned(),
        Expected::Exchanged(messages) => format!("{messages} messages exchanged"),
        Expected::Declined => "permessage-deflate not agreed to".to_owned(),
        Expected::Refused { statuses, versions } => {
            let statuses: Vec<_> = statuses.iter().map(Status::to_string).collect();
            let statuses = match statuses.split_last() {
                Some((last, [])) => last.clone(),
                Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
                None => "no status".to_owned(),
            };
            let with = if *versions { " that names version 13" } else { "" };
            format!("the opening handshake refused with {statuses}{with}")
        }
        Expected::Dropped => "TCP ended instead of an answer to the opening handshake".to_owned(),
        Expected::Unanswered => "no answer to the opening handshake".to_owned(),
    }
}

/// What has to be seen for an accepted outcome of a case: `text, 5 bytes "Hello"; pong, empty`.
pub fn saw(scenario: &Scenario, saw: &Saw) -> String {
    match saw {
        Saw::Answers => answers(&scenario.answers()),
        // Where TLS fails it is the client's turn, and there is nothing to answer yet.
        Saw::Events { events, order: _ }
            if scenario.opening.tls.is_some() && *events == [Expected::Dropped] =>
        {
            "the connection ended, and no request".to_owned()
        }
        Saw::Events { events, order: _ }
            if scenario.opening.tls.is_some() && *events == [Expected::Unanswered] =>
        {
            "no request, and TCP left open".to_owned()
        }
        Saw::Events { events, order } => {
            let order = match order {
                Order::Exact => "",
                Order::Any => " (in any order)",
                Order::LatestPong => " (pongs to earlier pings may be missing)",
                Order::Apart => {
                    " (messages and pongs each in their order; pongs to earlier pings may be missing)"
                }
                Order::UpTo => " (or as much of it as was answered before)",
            };
            format!("{}{order}", answers(events))
        }
        Saw::Anything => "anything".to_owned(),
    }
}

fn answers(events: &[Expected]) -> String {
    // A run of many alike answers is one item.
    let mut items: Vec<(String, usize)> = Vec::new();
    for event in events {
        let item = expected(event);
        match items.last_mut() {
            Some((last, count)) if *last == item => *count += 1,
            _ => items.push((item, 1)),
        }
    }
    let items: Vec<_> = items
        .into_iter()
        .map(|(item, count)| if count == 1 { item } else { format!("{item}, {count} times") })
        .collect();
    if items.is_empty() { "no answer".to_owned() } else { items.join("; ") }
}

/// An accepted outcome: `pass: no answer; the peer ends it, code 1002`.
pub fn accept(scenario: &Scenario, accept: &Accept) -> String {
    let mut line = format!("{}: {}", accept.verdict, saw(scenario, &accept.saw));
    if let Some(ending) = &accept.ending {
        line += &format!("; {}", self::ending(ending));
    }
    if let Some(note) = &accept.note {
        line += &format!(" — {note}");
    }
    line
}

/// The codes that are right at an ending: `code 1000 or 1001`.
pub(crate) fn codes(ending: &Ending) -> String {
    let codes: Vec<_> = ending.codes.iter().map(u16::to_string).collect();
    match codes.split_last() {
        None => "any code".to_owned(),
        Some((only, [])) => format!("code {only}"),
        Some((last, rest)) => format!("code {} or {last}", rest.join(", ")),
    }
}

/// An ending: `we close, and the peer answers with code 1000`.
pub fn ending(ending: &Ending) -> String {
    let codes = codes(ending);
    if ending.bare && ending.by == By::Peer {
        return "the peer ends TCP, with or without a Close".to_owned();
    }
    match (ending.by, ending.clean) {
        (By::Us, true) => format!("we close, and the peer answers with {codes}"),
        (By::Us, false) => format!("we close, and the peer answers with {codes} or drops the connection"),
        (By::Peer, true) => format!("the peer closes with {codes}, and cleanly"),
        (By::Peer, false) => format!("the peer closes with {codes} or drops the connection"),
        (By::Either, _) => "either side ends it, in any way".to_owned(),
    }
}

/// What is there before the steps: what is not ordinary in the opening handshake, and how the peer is pressed, one line for
/// each.
pub fn setup(scenario: &Scenario) -> Vec<String> {
    let opening = self::opening(&scenario.opening).into_iter().map(|line| format!("opening: {line}"));
    opening.chain(scenario.stress.as_ref().map(stress).unwrap_or_default()).collect()
}

/// How a case presses its peer, and what that may cost, one line for each; never none.
pub fn stress(stress: &Stress) -> Vec<String> {
    let Stress { connections, growth, memory, cpu, files, kept } = stress;
    let mut lines = vec![match connections.get() {
        1 => "played beside a canary connection".to_owned(),
        count => format!("played by {count} connections beside a canary connection"),
    }];
    if *growth {
        lines.push(
            "the opening at once, twice and four times its size: the time must grow no faster".to_owned(),
        );
    }
    lines.extend(memory.map(|limit| {
        format!("the process may hold {} more than before, beyond twice what was sent", bytes(limit))
    }));
    lines.extend(cpu.map(|time| format!("the process may take {} of processor time", duration(time))));
    lines.extend(files.map(|files| format!("the process may have {files} more files open afterwards")));
    lines.extend(kept.map(|limit| {
        format!(
            "played four times; the process may keep {} of each connection of the last three",
            bytes(limit)
        )
    }));
    lines
}

/// What is not ordinary in an opening handshake, one line for each; nothing where all is.
pub fn opening(opening: &Opening) -> Vec<String> {
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
    let mut lines = Vec::new();
    lines.extend(method.as_ref().map(|method| format!("method {method:?}")));
    lines.extend(target.as_ref().map(|target| format!("request target {target:?}")));
    lines.extend(version.as_ref().map(|version| format!("version {version:?}")));
    lines.extend(status.map(|status| format!("status {status}")));
    lines.extend(headers.iter().map(|edit| match edit {
        HeaderEdit::Set(name, value) => format!("header {name}: {}", header_value(value)),
        HeaderEdit::Add(name, value) => format!("one more header {name}: {}", header_value(value)),
        HeaderEdit::Remove(name) => format!("no header {name}"),
        HeaderEdit::Raw(bytes) => format!("among the headers {}", payload(bytes)),
    }));
    lines.extend(extensions.iter().map(|offer| format!("extension {offer}")));
    lines.extend(deflate.iter().enumerate().map(|(n, wish)| {
        let or = if n == 0 { "" } else { "or else " };
        format!("{or}{}", self::wish(wish))
    }));
    lines.extend(raw.as_ref().map(|raw| format!("the whole head, {}", payload(raw))));
    lines.extend(newline.as_ref().map(|newline| format!("lines ended by {newline:?}")));
    if *unfinished {
        lines.push("the head is never finished".to_owned());
    }
    if *early {
        lines.push("frames go out with the head".to_owned());
    }
    if *knock {
        lines.push("after a refusal, a ping on the same connection".to_owned());
    }
    lines.extend(tls.map(|flaw| match flaw {
        BadTls::Untrusted => "a certificate that vouches for itself and is for another name".to_owned(),
        BadTls::Misnamed => "the trusted certificate, at an address that it is not for".to_owned(),
        BadTls::Broken => "a fatal alert to the TLS hello".to_owned(),
    }));
    if *chop != Chop::default() {
        lines.push(with_chop("the head".to_owned(), chop));
    }
    lines
}

/// A header's value, as it is where it is short text.
fn header_value(value: &Payload) -> String {
    match value {
        Payload::Text(text) if text.len() <= SHOWN * 4 => text.clone(),
        Payload::Text(_)
        | Payload::Hex(_)
        | Payload::Repeat { .. }
        | Payload::Close { .. }
        | Payload::Join(_) => payload(value),
    }
}

/// A wish: `permessage-deflate, the peer compressing each message by itself, with a window of at most 2^9 bytes`.
fn wish(wish: &DeflateWish) -> String {
    let DeflateWish { no_context_takeover, max_window_bits, our_context_takeover, our_window_bits } = wish;
    let mut how = Vec::new();
    if *no_context_takeover {
        how.push("each message by itself".to_owned());
    }
    how.extend(max_window_bits.map(|bits| format!("with a window of at most 2^{bits} bytes")));
    if how.is_empty() {
        how.push("as it likes".to_owned());
    }
    let mut ours = Vec::new();
    ours.extend(our_context_takeover.map(|kept| match kept {
        true => "with references to earlier messages".to_owned(),
        false => "each message by itself".to_owned(),
    }));
    ours.extend(our_window_bits.map(|bits| format!("with a window of 2^{bits} bytes")));
    let ours = if ours.is_empty() { String::new() } else { format!(", we {}", ours.join(" and ")) };
    format!("permessage-deflate, the peer compressing {}{ours}", how.join(" and "))
}
