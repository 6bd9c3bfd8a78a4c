//! `-v`: what passes on a connection, a line for each thing.
//!
//! The arrows are those of the network panel of browsers, the rest is as Wireshark says it:
//! `↑ Text [FIN] [MASKED] 13 bytes "Hello, world!"`.

use wsgrade_reports::record::{ClosedHow, Direction, Entry, FrameInfo, HttpMessage, PayloadInfo, What};

/// How many characters of a payload a line shows.
const SHOWN: usize = 48;
/// The opcodes by name.
const OPCODES: [(u8, &str); 6] =
    [(0, "Continuation"), (1, "Text"), (2, "Binary"), (8, "Close"), (9, "Ping"), (10, "Pong")];

/// A line for what happened, with the time since the case began in seconds; nothing where it only sums up what was told before.
/// Nothing in it moves a terminal.
pub(crate) fn line(entry: &Entry) -> Option<String> {
    let Entry { at_us, step: _, prelude, what } = entry;
    let words = words(what)?;
    let prelude = if *prelude { " (prelude)" } else { "" };
    Some(format!("{:>3}.{:06} {words}{prelude}", at_us / 1_000_000, at_us % 1_000_000))
}

fn words(what: &What) -> Option<String> {
    Some(match what {
        What::Connected => "  connected".to_owned(),
        What::Http { dir, message } => format!("{} HTTP {}", arrow(*dir), http(message)),
        What::Opened { subprotocol, extensions } => {
            let agreed = [("subprotocol", subprotocol), ("extensions", extensions)];
            let agreed = agreed.into_iter().filter_map(|(name, value)| {
                value.as_ref().map(|value| format!(", {name} {}", value.escape_debug()))
            });
            format!("  open{}", agreed.collect::<String>())
        }
        What::OpeningFailed { status: _, reason, how: _, versions: _ } => {
            format!("  not opened: {}", reason.escape_debug())
        }
        What::Frame { dir, frame } => format!("{} {}", arrow(*dir), self::frame(frame)),
        What::Bytes { dir, payload } => {
            format!("{} no frame, {}", arrow(*dir), self::payload(payload, false))
        }
        What::Declined { extension } => format!("  did not agree to {}", extension.escape_debug()),
        What::Violation { rule, detail } => format!("! {rule}: {}", detail.escape_debug()),
        What::TimedOut { waited_for } => format!("  waited in vain for {}", waited_for.escape_debug()),
        What::EndOfStream => "↓ the end of TCP".to_owned(),
        What::Reset => "↓ a reset of TCP".to_owned(),
        What::Closed { how } => match how {
            ClosedHow::Normal => "↑ the end of TCP".to_owned(),
            ClosedHow::GaveUp => "↑ the end of TCP, which was the peer's to send".to_owned(),
            ClosedHow::Half => "↑ the end of our sending side".to_owned(),
            ClosedHow::Abort => "↑ a reset of TCP".to_owned(),
        },
        What::Trouble { reason } => format!("! {}", reason.escape_debug()),
        What::Exchanged { messages, of, .. } => format!("  {messages} of {of} messages exchanged"),
        What::Message { .. }
        | What::StillOpen { .. }
        | What::Canary(_)
        | What::Resources { .. }
        | What::Crowd { .. }
        | What::Growth { .. }
        | What::Folded { .. } => return None,
    })
}

fn arrow(dir: Direction) -> &'static str {
    match dir {
        Direction::Sent => "↑",
        Direction::Received => "↓",
    }
}

/// The start line, and how much there is behind it.
fn http(message: &HttpMessage) -> String {
    let start = message.lines.first().map(String::as_str).unwrap_or_default();
    let start: String = start.chars().take(2 * SHOWN).collect();
    format!("{} ({} bytes)", start.escape_debug(), message.bytes)
}

fn frame(frame: &FrameInfo) -> String {
    let FrameInfo { opcode, fin, rsv, mask, length_bytes, declared, payload, close_code, chops: _, times } =
        frame;
    let name = OPCODES.iter().find(|(number, _)| number == opcode).map(|(_, name)| (*name).to_owned());
    let mut parts = vec![name.unwrap_or_else(|| format!("Opcode {opcode}"))];
    let flags = [
        (*fin, "[FIN]"),
        (rsv & 4 != 0, "[RSV1]"),
        (rsv & 2 != 0, "[RSV2]"),
        (rsv & 1 != 0, "[RSV3]"),
        (mask.is_some(), "[MASKED]"),
    ];
    parts.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag.to_owned()));
    // A compressed text is no text yet.
    let is_text = *opcode == 1 && rsv & 4 == 0;
    parts.push(self::payload(payload, is_text));
    parts.extend(close_code.map(|code| format!("code {code}")));
    if *declared != payload.len {
        parts.push(format!("declared as {declared}"));
    }
    let shortest = match declared {
        0..126 => 0,
        126..65_536 => 2,
        65_536.. => 8,
    };
    if *length_bytes != shortest {
        parts.push(format!("length in {} bits", if *length_bytes == 0 { 7 } else { length_bytes * 8 }));
    }
    if *times > 1 {
        parts.push(format!("{times} times"));
    }
    parts.join(" ")
}

fn payload(payload: &PayloadInfo, is_text: bool) -> String {
    let PayloadInfo { len, hex, tail: _, sha1: _ } = payload;
    let count = if *len == 1 { "1 byte".to_owned() } else { format!("{len} bytes") };
    if *len == 0 {
        return "empty".to_owned();
    }
    let bytes: Vec<u8> = hex
        .as_bytes()
        .chunks_exact(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    // What was cut within a character is text up to there.
    let valid = match std::str::from_utf8(&bytes) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok(),
        Err(_) => None,
    };
    match valid.filter(|_| is_text) {
        Some(text) => {
            let shown: String = text.chars().take(SHOWN).collect();
            let more = if shown.len() as u64 == *len { "" } else { "…" };
            format!("{count} {shown:?}{more}")
        }
        None => {
            let shown = hex.get(..SHOWN).unwrap_or(hex);
            let more = if shown.len() as u64 == 2 * *len { "" } else { "…" };
            format!("{count} {shown}{more}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(what: What) -> String {
        line(&Entry { at_us: 1_000_230, step: None, prelude: false, what }).unwrap_or_default()
    }

    fn text(bytes: &[u8]) -> FrameInfo {
        FrameInfo {
            opcode: 1,
            fin: true,
            rsv: 0,
            mask: Some("37fa213d".to_owned()),
            length_bytes: 0,
            declared: bytes.len() as u64,
            payload: PayloadInfo::of(bytes),
            close_code: None,
            chops: None,
            times: 1,
        }
    }

    #[test]
    fn frames_as_people_know_them() {
        let sent = |frame| told(What::Frame { dir: Direction::Sent, frame });
        let close = FrameInfo { opcode: 8, mask: None, close_code: Some(1000), ..text(&[3, 232]) };
        let long = FrameInfo { length_bytes: 2, fin: false, ..text(&[b'*'; 300]) };
        let odd = FrameInfo { opcode: 11, rsv: 7, times: 3, length_bytes: 8, declared: 9, ..text(&[0xFF]) };
        let lines = [
            sent(text(b"Hello")),
            sent(text("evil \u{1b}[2J \u{202e}".as_bytes())),
            sent(text(&[0xC3, 0x28])),
            told(What::Frame { dir: Direction::Received, frame: close }),
            sent(long),
            sent(odd),
            sent(FrameInfo { opcode: 9, ..text(b"") }),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        1.000230 ↑ Text [FIN] [MASKED] 5 bytes "Hello"
        1.000230 ↑ Text [FIN] [MASKED] 13 bytes "evil \u{1b}[2J \u{202e}"
        1.000230 ↑ Text [FIN] [MASKED] 2 bytes c328
        1.000230 ↓ Close [FIN] 2 bytes 03e8 code 1000
        1.000230 ↑ Text [MASKED] 300 bytes "************************************************"…
        1.000230 ↑ Opcode 11 [FIN] [RSV1] [RSV2] [RSV3] [MASKED] 1 byte ff declared as 9 length in 64 bits 3 times
        1.000230 ↑ Ping [FIN] [MASKED] empty
        "#);
    }

    #[test]
    fn what_else_happens() {
        let lines = vec!["GET /\u{7} HTTP/1.1".to_owned(), "Host: h".to_owned()];
        let message = HttpMessage { lines, bytes: 40 };
        let lines = [
            told(What::Connected),
            told(What::Http { dir: Direction::Sent, message }),
            told(What::Opened { subprotocol: None, extensions: Some("permessage-deflate".to_owned()) }),
            told(What::Bytes { dir: Direction::Received, payload: PayloadInfo::of(b"\x1b") }),
            told(What::Violation { rule: "rfc6455-5.2-rsv".to_owned(), detail: "RSV1\n".to_owned() }),
            told(What::TimedOut { waited_for: "a pong".to_owned() }),
            told(What::EndOfStream),
            told(What::Closed { how: ClosedHow::Normal }),
            told(What::StillOpen { mark: "A".to_owned() }),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        1.000230   connected
        1.000230 ↑ HTTP GET /\u{7} HTTP/1.1 (40 bytes)
        1.000230   open, extensions permessage-deflate
        1.000230 ↓ no frame, 1 byte 1b
        1.000230 ! rfc6455-5.2-rsv: RSV1\n
        1.000230   waited in vain for a pong
        1.000230 ↓ the end of TCP
        1.000230 ↑ the end of TCP
        "#);
    }
}
