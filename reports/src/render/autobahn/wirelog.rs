//! The wire log of the old tool: rows, and counts of octets and frames.
//!
//! It logged what it wrote and read; the record has what that amounted to. So a chunk of octets here is a head or a
//! frame with its header as it was on the wire, and a long one is its beginning. Of its timers, the rows `CT`, `CTE`, `KL`,
//! `KLE`, `TI` and `WLM`, we have none: what is told is a wait that ended in vain, `TIE`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::record::{Direction, Entry, FrameInfo, HttpMessage, PayloadInfo, What};

/// How many bytes of a payload or chunk a row quotes.
const QUOTE: usize = 64;
/// For how many like frames in a row there is a row of the log each.
const LIKE: u32 = 100;

/// A transcript as the old tool had it.
#[derive(Debug, Default)]
pub(super) struct WireLog {
    pub(super) rows: Vec<Value>,
    pub(super) sent: Stats,
    pub(super) received: Stats,
}

/// How many there were, of each length and of each opcode.
#[derive(Debug, Default)]
pub(super) struct Stats {
    octets: BTreeMap<u64, u64>,
    frames: BTreeMap<u8, u64>,
}

impl Stats {
    pub(super) fn octets(&self) -> BTreeMap<String, u64> {
        self.octets.iter().map(|(len, n)| (len.to_string(), *n)).collect()
    }

    pub(super) fn frames(&self) -> BTreeMap<String, u64> {
        self.frames.iter().map(|(opcode, n)| (opcode.to_string(), *n)).collect()
    }
}

impl WireLog {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut log = Self::default();
        for entry in entries {
            log.add(&entry.what);
        }
        log
    }

    fn add(&mut self, what: &What) {
        match what {
            What::Http { dir, message } => {
                let head = text(message);
                self.octets(*dir, message.bytes, head.as_bytes(), 1);
            }
            What::Frame { dir, frame } => self.frame(*dir, frame),
            What::Bytes { dir, payload } => self.octets(*dir, payload.len, &bytes(&payload.hex), 1),
            What::TimedOut { .. } => self.rows.push(json!(["TIE"])),
            What::Connected
            | What::Opened { .. }
            | What::OpeningFailed { .. }
            | What::Message { .. }
            | What::Exchanged { .. }
            | What::Declined { .. }
            | What::Violation { .. }
            | What::Canary(_)
            | What::Resources { .. }
            | What::Crowd { .. }
            | What::Growth { .. }
            | What::StillOpen { .. }
            | What::EndOfStream
            | What::Reset
            | What::Closed { .. }
            | What::Trouble { .. }
            | What::Folded { .. } => {}
        }
    }

    fn stats(&mut self, dir: Direction) -> &mut Stats {
        match dir {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }

    /// So many like chunks, each of so many octets of which these are the first; one row.
    fn octets(&mut self, dir: Direction, len: u64, head: &[u8], times: u32) {
        *self.stats(dir).octets.entry(len).or_default() += u64::from(times);
        let quoted = json!([len, hex(head, len)]);
        self.rows.push(match dir {
            Direction::Sent => json!(["TO", quoted, false]),
            Direction::Received => json!(["RO", quoted]),
        });
    }

    fn frame(&mut self, dir: Direction, frame: &FrameInfo) {
        let FrameInfo { opcode, fin, rsv, mask, payload, times, .. } = frame;
        *self.stats(dir).frames.entry(*opcode).or_default() += u64::from(*times);
        let quoted = json!([payload.len, quote(payload)]);
        let (len, chunk) = on_the_wire(frame);
        let shown = (*times).min(LIKE);
        for n in 0..shown {
            // The counts of what has no row of its own go to the last.
            let times = if n + 1 == shown { times - n } else { 1 };
            match dir {
                Direction::Sent => {
                    self.rows.push(json!(["TF", quoted, opcode, fin, rsv, mask, null, null, false]));
                    self.octets(dir, len, &chunk, times);
                }
                Direction::Received => {
                    self.octets(dir, len, &chunk, times);
                    self.rows.push(json!(["RF", quoted, opcode, fin, rsv, mask.is_some(), mask]));
                }
            }
        }
    }
}

/// The head as it was on the wire, but for what is not UTF-8.
pub(super) fn text(message: &HttpMessage) -> String {
    let mut out = message.lines.join("\r\n");
    out += "\r\n\r\n";
    out
}

/// How many bytes the frame took, and the first of them: the header, and the payload under its mask.
fn on_the_wire(frame: &FrameInfo) -> (u64, Vec<u8>) {
    let FrameInfo { opcode, fin, rsv, mask, length_bytes, declared, payload, .. } = frame;
    let mask = mask.as_deref().map(bytes);
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut out = vec![(u8::from(*fin) << 7) | (rsv << 4) | opcode];
    let length = declared.to_be_bytes();
    match length_bytes {
        0 => out.push(masked | (length[7] & 0x7f)),
        2 => out.extend([masked | 126, length[6], length[7]]),
        _ => {
            out.push(masked | 127);
            out.extend(length);
        }
    }
    let key = mask.unwrap_or_default();
    out.extend(&key);
    let header = out.len() as u64;
    let keys = key.iter().copied().chain(std::iter::repeat_n(0, usize::from(key.is_empty()))).cycle();
    out.extend(bytes(&payload.hex).into_iter().zip(keys).map(|(byte, key)| byte ^ key));
    (header + payload.len, out)
}

/// Bytes in hex, a long row of them by its beginning.
fn hex(head: &[u8], len: u64) -> String {
    let mut out: String = head.iter().take(QUOTE).map(|byte| format!("{byte:02x}")).collect();
    if len > QUOTE as u64 {
        out += " ...";
    }
    out
}

/// A payload as text where it is some, else in hex, and a long one by its beginning.
pub(super) fn quote(payload: &PayloadInfo) -> String {
    let mut head = bytes(&payload.hex);
    head.truncate(QUOTE);
    let is_cut = payload.len > head.len() as u64;
    let whole_chars = match std::str::from_utf8(&head) {
        Ok(text) => Some(text),
        // Cut within a character.
        Err(e) if is_cut && e.error_len().is_none() => std::str::from_utf8(&head[..e.valid_up_to()]).ok(),
        Err(_) => None,
    };
    match whole_chars {
        Some(text) if is_cut => format!("{text} ..."),
        Some(text) => text.to_owned(),
        None => format!("0x{}", hex(&head, payload.len)),
    }
}

/// The bytes of a hex string; what is no hex ends it.
pub(super) fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    hex.as_bytes().chunks_exact(2).map_while(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(mask: Option<&str>, payload: &[u8]) -> FrameInfo {
        FrameInfo {
            opcode: 1,
            fin: true,
            rsv: 0,
            mask: mask.map(str::to_owned),
            length_bytes: if payload.len() < 126 { 0 } else { 2 },
            declared: payload.len() as u64,
            payload: PayloadInfo::of(payload),
            close_code: None,
            chops: None,
            times: 1,
        }
    }

    /// The two examples of RFC 6455 5.7, and a length in 16 bits.
    #[test]
    fn a_frame_is_put_together_again() {
        assert_eq!(on_the_wire(&frame(None, b"Hello")), (7, bytes("810548656c6c6f")));
        assert_eq!(on_the_wire(&frame(Some("37fa213d"), b"Hello")), (11, bytes("818537fa213d7f9f4d5158")));
        let (len, chunk) = on_the_wire(&frame(None, &[0; 256]));
        assert_eq!((len, &chunk[..4]), (260, &[0x81, 0x7e, 0x01, 0x00][..]));
    }

    #[test]
    fn payloads_are_quoted_as_text_or_hex() {
        assert_eq!(quote(&PayloadInfo::of("κόσμε".as_bytes())), "κόσμε");
        assert_eq!(quote(&PayloadInfo::of(&[0xff, 0])), "0xff00");
        assert_eq!(quote(&PayloadInfo::of(&[b'*'; 65])), format!("{} ...", "*".repeat(64)));
        // 64 bytes end within the 22nd of these.
        assert_eq!(quote(&PayloadInfo::of("日".repeat(30).as_bytes())), format!("{} ...", "日".repeat(21)));
        assert_eq!(quote(&PayloadInfo::of(&[0xff; 300])), format!("0x{} ...", "ff".repeat(64)));
        assert_eq!(quote(&PayloadInfo::default()), "");
    }

    #[test]
    fn like_frames_are_all_counted() {
        let mut log = WireLog::default();
        log.frame(Direction::Sent, &FrameInfo { times: 5000, ..frame(Some("00000000"), b"x") });
        assert_eq!(log.rows.len(), 2 * LIKE as usize);
        assert_eq!(log.sent.frames(), BTreeMap::from([("1".to_owned(), 5000)]));
        assert_eq!(log.sent.octets(), BTreeMap::from([("7".to_owned(), 5000)]));
        log.frame(Direction::Received, &frame(None, b"x"));
        assert_eq!(log.received.octets(), BTreeMap::from([("3".to_owned(), 1)]));
    }
}
