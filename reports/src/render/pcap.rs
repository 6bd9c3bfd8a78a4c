//! What was on the wire as a capture file, for Wireshark and its like.
//!
//! ```text
//! RunReport ── CaseRecord ── one TCP connection: SYN, the opening handshake, frames, FIN or RST
//! ```
//!
//! The bytes are those of the record; Ethernet, IP and TCP around them are made up, and so are addresses and ports: we are
//! 192.0.2.1, the n-th target is 198.51.100.n, and the port of whoever is the server is 80, by which Wireshark knows HTTP.
//! Under TLS it is what was in it. The record does not say when a case began, so they stand one after another.
//!
//! What the record does not hold is not made up. Of a payload that it has only the ends of, the packets hold the beginning
//! and say how long they were, as one that was cut when it was captured; of a row of like frames the first is whole. What it
//! folds ([`What::Folded`], and the later messages of a [`What::Exchanged`]) is missing.

mod packet;

use crate::record::{
    CaseRecord, ClosedHow, Direction, Entry, FrameInfo, HttpMessage, PayloadInfo, Role, RunReport, What,
};

use packet::{Conversation, Flags, Stream};

/// A capture file: the classic format, with times in microseconds and Ethernet packets. The n-th record of the report is the
/// n-th TCP stream, so that `tcp.stream eq 0` is the first case.
pub fn render(report: &RunReport) -> Vec<u8> {
    let mut out = packet::file_header();
    let mut clock = seconds(&report.started).unwrap_or(0) * 1_000_000;
    let mut number = 0;
    for (n, target) in report.targets.iter().enumerate() {
        for record in &target.cases {
            if record.transcript.entries.is_empty() {
                continue;
            }
            let ends = Conversation::new(n, number, record.role == Role::Server);
            number += 1;
            clock = one_case(record, Stream::new(&mut out, ends), clock);
        }
    }
    out
}

/// Writes one connection; gives the time when it was over.
fn one_case(record: &CaseRecord, mut stream: Stream<'_>, began: u64) -> u64 {
    let mut now = began;
    for Entry { at_us, step: _, prelude: _, what } in &record.transcript.entries {
        now = now.max(began.saturating_add(*at_us));
        match what {
            What::Connected => stream.open(now),
            What::Http { dir, message } => http(&mut stream, now, *dir, message),
            What::Frame { dir, frame } => self::frame(&mut stream, now, *dir, frame),
            What::Bytes { dir, payload } => stream.data(now, *dir, &held(payload), payload.len),
            What::EndOfStream => stream.flag(now, Direction::Received, Flags::FIN),
            What::Reset => stream.flag(now, Direction::Received, Flags::RST),
            What::Closed { how } => {
                let flags = match how {
                    ClosedHow::Normal | ClosedHow::GaveUp | ClosedHow::Half => Flags::FIN,
                    ClosedHow::Abort => Flags::RST,
                };
                stream.flag(now, Direction::Sent, flags);
            }
            What::Opened { .. }
            | What::OpeningFailed { .. }
            | What::Message { .. }
            | What::Exchanged { .. }
            | What::Declined { .. }
            | What::Violation { .. }
            | What::StillOpen { .. }
            | What::TimedOut { .. }
            | What::Trouble { .. }
            | What::Canary(_)
            | What::Resources { .. }
            | What::Crowd { .. }
            | What::Growth { .. }
            | What::Folded { .. } => {}
        }
    }
    now + 1
}

fn http(stream: &mut Stream<'_>, now: u64, dir: Direction, message: &HttpMessage) {
    let HttpMessage { lines, bytes } = message;
    let mut head = lines.join("\r\n").into_bytes();
    let whole = head.len() as u64 + 4;
    if *bytes >= whole || lines.is_empty() {
        head.extend_from_slice(b"\r\n\r\n");
    }
    let len = (*bytes).max(head.len() as u64);
    stream.data(now, dir, &head, len);
}

fn frame(stream: &mut Stream<'_>, now: u64, dir: Direction, frame: &FrameInfo) {
    let FrameInfo { opcode, fin, rsv, mask, length_bytes, declared, payload, close_code: _, chops: _, times } =
        frame;
    let key = mask.as_deref().map(bytes_of);
    let mut wire = vec![u8::from(*fin) << 7 | (rsv & 7) << 4 | opcode & 0xF];
    let masked = u8::from(key.is_some()) << 7;
    let declared = declared.to_be_bytes();
    match length_bytes {
        2 => {
            wire.push(masked | 126);
            wire.extend_from_slice(&declared[6..]);
        }
        8 => {
            wire.push(masked | 127);
            wire.extend_from_slice(&declared);
        }
        _ => wire.push(masked | declared[7] & 0x7F),
    }
    let mut bytes = held(payload);
    if let Some(key) = key.filter(|key| !key.is_empty()) {
        wire.extend_from_slice(&key);
        bytes.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    }
    let len = wire.len() as u64 + payload.len;
    wire.extend_from_slice(&bytes);
    stream.data(now, dir, &wire, len);
    // Those like it have keys of their own, which nobody wrote down.
    stream.data(now, dir, &[], len.saturating_mul(u64::from(*times).saturating_sub(1)));
}

/// The beginning of a payload, as far as the record goes.
fn held(payload: &PayloadInfo) -> Vec<u8> {
    bytes_of(&payload.hex)
}

/// What is no hex, which a record never has, ends it.
fn bytes_of(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    hex.as_bytes().chunks_exact(2).map_while(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// The seconds from 1970 to a time in UTC as the record has it, `2026-11-30T18:44:07Z`.
fn seconds(time: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| time.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1970..).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    // Years begin in March here, so that the day which some have more is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day.checked_sub(1)?;
    // From 1 March of the year 0 to 1 January 1970.
    let days = days.checked_sub(719_468)?;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}
