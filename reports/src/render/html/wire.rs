//! A transcript made compact for the page.
//!
//! Five targets that are asked the same answer much the same, so the page says each thing once: an entry is the number
//! of its like in a table, and what sets it apart from its like. What is always new (masking keys, the keys and
//! the times in HTTP heads) has a hole in the table and is filled in by the entry.

use std::collections::HashMap;

use serde::Serialize;

use super::fold::{Caps, Part};
use super::island::json;
use crate::record::{
    CaseRecord, ClosedHow, Direction, FrameInfo, HttpMessage, MessageKind, PayloadInfo, What,
};
use crate::render::text::clipped;
use crate::render::words;

/// How many lines of an HTTP head, and how many characters of any text.
const LINES: usize = 80;
pub(super) const TEXT: usize = 2000;

/// Stands in a line for what the entry fills in. No line has it: [`clipped`] makes control characters visible.
const HOLE: char = '\0';
/// The header fields whose values are never the same twice.
const VOLATILE: [&str; 3] = ["sec-websocket-key", "sec-websocket-accept", "date"];

/// What the transcripts of a page have in common.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Hex: an echo has the same payload three times.
    blobs: Table,
    /// Lines of HTTP heads.
    lines: Table,
    /// Entries, each as JSON.
    things: Table,
}

/// Every text once.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) list: Vec<String>,
    index: HashMap<String, usize>,
}

impl Table {
    pub(super) fn number(&mut self, text: &str) -> usize {
        if let Some(&number) = self.index.get(text) {
            return number;
        }
        self.list.push(text.to_owned());
        self.index.insert(text.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }
}

/// One part of an entry's row.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Cell {
    Number(usize),
    /// Microseconds since the entry before.
    Later(i64),
    Hole(String),
}

/// What happened; `Gap` stands for entries the page leaves out.
#[derive(Debug, Serialize)]
#[serde(tag = "w", rename_all = "kebab-case")]
enum Kind {
    Connected,
    Http { d: Direction, l: Vec<usize>, more: usize },
    Opened { subprotocol: Option<String>, extensions: Option<String> },
    OpeningFailed { status: Option<u16>, text: String },
    Frame { d: Direction, f: Frame },
    Bytes { d: Direction, p: Payload },
    Message { kind: MessageKind, p: Payload },
    Exchanged { text: String, whole: bool },
    Declined { text: String },
    Violation { rule: String, text: String },
    StillOpen { text: String },
    TimedOut { text: String },
    EndOfStream,
    Reset,
    Closed { how: ClosedHow },
    Trouble { text: String },
    Measured { of: &'static str, text: String, good: bool },
    Folded { d: Direction, frames: u64, bytes: u64 },
    Gap { n: usize, text: String },
}

/// A frame but for its masking key, which is the hole of its entry.
#[derive(Debug, Serialize)]
struct Frame {
    op: u8,
    /// No FIN.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
    #[serde(skip_serializing_if = "is_zero")]
    rsv: u8,
    #[serde(skip_serializing_if = "is_zero")]
    lb: u8,
    /// The declared length, where the payload has another.
    #[serde(skip_serializing_if = "Option::is_none")]
    len: Option<Length>,
    p: Payload,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chops: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
}

/// Scripts read numbers of JSON as `f64`, which says the greater ones of these inexactly.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Length {
    Number(u64),
    Digits(String),
}

impl Length {
    fn of(length: u64) -> Self {
        if length <= 1 << f64::MANTISSA_DIGITS {
            Self::Number(length)
        } else {
            Self::Digits(length.to_string())
        }
    }
}

/// Lengths and numbers of blobs.
#[derive(Debug, Serialize)]
struct Payload {
    n: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    h: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    t: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha1: Option<usize>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(n: &u8) -> bool {
    *n == 0
}

impl Shared {
    /// One record's transcript in one line of JSON: for each entry `[thing, later, step?, hole…]`. The
    /// step of what belongs to the prelude is -1.
    pub(super) fn line(&mut self, record: &CaseRecord, caps: &Caps) -> String {
        let mut before = 0;
        let mut rows = Vec::new();
        for part in caps.parts(record) {
            let mut holes = Vec::new();
            let (at_us, step, kind) = match part {
                Part::Entry(entry) => {
                    let step =
                        if entry.prelude { Some(Cell::Later(-1)) } else { entry.step.map(Cell::Number) };
                    (entry.at_us, step, self.kind(&entry.what, &mut holes))
                }
                Part::Digest(digest) => {
                    (digest.at_us, None, Kind::Gap { n: digest.entries, text: digest.text() })
                }
            };
            let thing = self.things.number(&json(&kind));
            let mut row = vec![Cell::Number(thing), Cell::Later(at_us.wrapping_sub(before).cast_signed())];
            row.extend(step);
            row.extend(holes.into_iter().map(Cell::Hole));
            rows.push(row);
            before = at_us;
        }
        json(&rows)
    }

    /// What all the lines refer to.
    pub(super) fn json(&self) -> String {
        let (blobs, lines) = (json(&self.blobs.list), json(&self.lines.list));
        format!("{{\"b\":{blobs},\"l\":{lines},\"t\":[{}]}}", self.things.list.join(",\n"))
    }

    fn kind(&mut self, what: &What, holes: &mut Vec<String>) -> Kind {
        let text = |text: &str| clipped(text, TEXT);
        let maybe = |value: &Option<String>| value.as_deref().map(text);
        match what {
            What::Connected => Kind::Connected,
            What::Http { dir, message: HttpMessage { lines, bytes: _ } } => Kind::Http {
                d: *dir,
                l: lines.iter().take(LINES).map(|line| self.http_line(line, holes)).collect(),
                more: lines.len().saturating_sub(LINES),
            },
            What::Opened { subprotocol, extensions } => {
                Kind::Opened { subprotocol: maybe(subprotocol), extensions: maybe(extensions) }
            }
            What::OpeningFailed { status, reason, how: _, versions: _ } => {
                Kind::OpeningFailed { status: *status, text: text(reason) }
            }
            What::Frame { dir, frame } => Kind::Frame { d: *dir, f: self.frame(frame, holes) },
            What::Bytes { dir, payload } => Kind::Bytes { d: *dir, p: self.payload(payload) },
            What::Message { kind, payload } => Kind::Message { kind: *kind, p: self.payload(payload) },
            What::Exchanged { messages, of, bytes, sent, received, compressed, round_trips } => {
                Kind::Exchanged {
                    text: words::exchanged(
                        (*messages, *of),
                        *bytes,
                        (*sent, *received),
                        *compressed,
                        *round_trips,
                    ),
                    whole: messages == of,
                }
            }
            What::Declined { extension } => Kind::Declined { text: text(extension) },
            What::Violation { rule, detail } => Kind::Violation { rule: text(rule), text: text(detail) },
            What::StillOpen { mark } => Kind::StillOpen { text: text(mark) },
            What::TimedOut { waited_for } => Kind::TimedOut { text: text(waited_for) },
            What::EndOfStream => Kind::EndOfStream,
            What::Reset => Kind::Reset,
            What::Closed { how } => Kind::Closed { how: *how },
            What::Trouble { reason } => Kind::Trouble { text: text(reason) },
            What::Canary(canary) => Kind::Measured {
                of: "canary",
                text: text(&words::canary(canary)),
                good: words::is_served(canary),
            },
            What::Resources { before, peak, after } => {
                Kind::Measured { of: "process", text: words::resources(before, peak, after), good: true }
            }
            What::Crowd { connections, opened } => {
                Kind::Measured { of: "crowd", text: words::crowd(*connections, *opened), good: true }
            }
            What::Growth { sizes } => {
                Kind::Measured { of: "growth", text: text(&words::growth(sizes)), good: true }
            }
            What::Folded { dir, frames, bytes } => Kind::Folded { d: *dir, frames: *frames, bytes: *bytes },
        }
    }

    fn http_line(&mut self, line: &str, holes: &mut Vec<String>) -> usize {
        let is_volatile = |name: &str| VOLATILE.iter().any(|volatile| name.eq_ignore_ascii_case(volatile));
        match line.split_once(": ") {
            Some((name, value)) if is_volatile(name) => {
                holes.push(clipped(value, TEXT));
                self.lines.number(&format!("{name}: {HOLE}"))
            }
            Some(_) | None => self.lines.number(&clipped(line, TEXT)),
        }
    }

    fn frame(&mut self, frame: &FrameInfo, holes: &mut Vec<String>) -> Frame {
        let FrameInfo { opcode, fin, rsv, mask, length_bytes, declared, payload, close_code, chops, times } =
            frame;
        holes.extend(mask.as_deref().map(|mask| clipped(mask, TEXT)));
        Frame {
            op: *opcode,
            more: !*fin,
            rsv: *rsv,
            lb: *length_bytes,
            len: (*declared != payload.len).then(|| Length::of(*declared)),
            p: self.payload(payload),
            code: *close_code,
            chops: *chops,
            times: (*times != 1).then_some(*times),
        }
    }

    fn payload(&mut self, payload: &PayloadInfo) -> Payload {
        let PayloadInfo { len, hex, tail, sha1 } = payload;
        let h = (!hex.is_empty()).then(|| self.blob(hex));
        let t = tail.as_deref().map(|tail| self.blob(tail));
        let sha1 = sha1.as_deref().map(|sha1| self.blob(sha1));
        Payload { n: *len, h, t, sha1 }
    }

    /// A record may come from elsewhere: what is no hex, or too much of it, the page does not need.
    fn blob(&mut self, hex: &str) -> usize {
        let digits = hex.bytes().take(2 * PayloadInfo::INLINE).take_while(u8::is_ascii_hexdigit).count();
        self.blobs.number(&hex[..digits])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_payloads_are_kept_once_and_odd_hex_is_cut() {
        let mut shared = Shared::default();
        let payload = |hex: &str| PayloadInfo { len: 2, hex: hex.to_owned(), tail: None, sha1: None };
        let (a, b, none, odd) =
            (payload("6869"), payload("6869"), PayloadInfo::default(), payload("68</script>"));
        assert_eq!(shared.payload(&a).h, shared.payload(&b).h);
        assert_eq!(shared.payload(&none).h, None);
        assert_eq!(shared.blob(&odd.hex), 1);
        assert_eq!(shared.blobs.list, ["6869", "68"]);
    }

    #[test]
    fn what_is_always_new_in_a_head_is_a_hole() {
        let mut shared = Shared::default();
        let mut holes = Vec::new();
        let a = shared.http_line("Sec-WebSocket-Key: abc==", &mut holes);
        assert_eq!(shared.http_line("Sec-WebSocket-Key: def==", &mut holes), a);
        assert_ne!(shared.http_line("sec-websocket-key: \0", &mut holes), a, "the name is as it was sent");
        assert_ne!(shared.http_line("Host: \0", &mut holes), a);
        assert_eq!(holes, ["abc==", "def==", "\\u{0}"]);
        assert_eq!(
            shared.lines.list,
            ["Sec-WebSocket-Key: \0", "sec-websocket-key: \0", "Host: \\u{0}"],
            "a line of the record has no hole of its own"
        );
    }

    #[test]
    fn a_frame_differs_from_its_like_by_its_key_only() {
        let mut shared = Shared::default();
        let mut holes = Vec::new();
        let frame = |mask: Option<&str>| FrameInfo {
            opcode: 1,
            fin: true,
            rsv: 0,
            mask: mask.map(str::to_owned),
            length_bytes: 0,
            declared: 2,
            payload: PayloadInfo::of(b"hi"),
            close_code: None,
            chops: None,
            times: 1,
        };
        let texts = [Some("01020304"), Some("05060708"), None]
            .map(|mask| json(&shared.frame(&frame(mask), &mut holes)));
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        assert_eq!(holes, ["01020304", "05060708"]);
    }
}
