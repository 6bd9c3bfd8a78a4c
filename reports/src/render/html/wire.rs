//! A transcript made compact for the page.

use std::collections::HashMap;

use serde::Serialize;

use crate::record::{
    CaseRecord, ClosedHow, Direction, FrameInfo, HttpMessage, MessageKind, PayloadInfo, RunReport, Severity,
    Transcript, What,
};
use crate::render::text::{clipped, visible};

/// How many entries of a transcript the page shows.
///
/// So many from the start and so many to the end, and those around what a finding points at. `run.json` has
/// the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cap {
    first: usize,
    last: usize,
}

/// The most generous first.
const CAPS: [Cap; 4] = [
    Cap { first: 160, last: 60 },
    Cap { first: 40, last: 20 },
    Cap { first: 16, last: 8 },
    Cap { first: 6, last: 4 },
];
/// How many entries the page shows in all, of passes and of all others.
const BUDGET: usize = 64_000;

/// The caps of one page: the more there is in all, the less of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caps {
    /// For records that are a plain pass.
    passes: Cap,
    /// For those that somebody will want to look into.
    others: Cap,
}

impl Caps {
    pub(super) fn of(report: &RunReport) -> Self {
        let records = || report.targets.iter().flat_map(|target| &target.cases);
        let fitting = |is_pass: bool| {
            let fits = |cap: &Cap| {
                let shown = |record: &CaseRecord| record.transcript.entries.len().min(cap.first + cap.last);
                records().filter(|record| is_plain_pass(record) == is_pass).map(shown).sum::<usize>()
                    <= BUDGET
            };
            CAPS.into_iter().find(fits).unwrap_or(CAPS[CAPS.len() - 1])
        };
        Self { passes: fitting(true), others: fitting(false) }
    }

    fn cap(&self, record: &CaseRecord) -> Cap {
        if is_plain_pass(record) { self.passes } else { self.others }
    }
}

fn is_plain_pass(record: &CaseRecord) -> bool {
    record.severity() == Severity::Good && record.findings.is_empty()
}

/// How many entries to each side of what a finding points at.
const AROUND: usize = 4;
/// How many findings may add entries.
const FINDINGS: usize = 16;
/// How many lines of an HTTP head, and how many characters of any text.
const LINES: usize = 80;
pub(super) const TEXT: usize = 2000;

/// One record's transcript, in one line of JSON.
#[derive(Debug, Serialize)]
pub(super) struct Wire<'a> {
    /// Hex that entries refer to by index: an echo has the same payload three times.
    #[serde(rename = "b")]
    blobs: Vec<&'a str>,
    #[serde(rename = "e")]
    entries: Vec<Row<'a>>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    /// The index in the record's transcript, which findings point at.
    i: usize,
    /// Microseconds.
    t: u64,
    /// The step.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<usize>,
    #[serde(flatten)]
    kind: Kind<'a>,
}

/// What happened; `Gap` stands for entries the page leaves out.
#[derive(Debug, Serialize)]
#[serde(tag = "w", rename_all = "kebab-case")]
enum Kind<'a> {
    Connected,
    Http { d: Direction, lines: Vec<String>, more: usize, bytes: u64 },
    Opened { subprotocol: Option<String>, extensions: Option<String> },
    OpeningFailed { status: Option<u16>, text: String },
    Frame { d: Direction, f: Frame<'a> },
    Bytes { d: Direction, p: Payload },
    Message { kind: MessageKind, p: Payload },
    Violation { rule: String, text: String },
    StillOpen { text: String },
    TimedOut { text: String },
    EndOfStream,
    Reset,
    Closed { how: ClosedHow },
    Trouble { text: String },
    Folded { d: Direction, frames: u64, bytes: u64 },
    Gap { n: usize },
}

#[derive(Debug, Serialize)]
struct Frame<'a> {
    op: u8,
    fin: bool,
    #[serde(skip_serializing_if = "is_zero")]
    rsv: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask: Option<std::borrow::Cow<'a, str>>,
    #[serde(skip_serializing_if = "is_zero")]
    lb: u8,
    len: u64,
    p: Payload,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chops: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
}

/// Lengths and indices into [`Wire::blobs`].
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

impl<'a> Wire<'a> {
    pub(super) fn of(record: &'a CaseRecord, caps: &Caps) -> Self {
        let Cap { first, last } = caps.cap(record);
        let Transcript { entries } = &record.transcript;
        let mut blobs = Blobs::default();
        let mut rows = Vec::new();
        let pointed: Vec<usize> = record.findings.iter().filter_map(|f| f.entry).take(FINDINGS).collect();
        let shown = |i: usize| {
            i < first || i + last >= entries.len() || pointed.iter().any(|&p| p.abs_diff(i) <= AROUND)
        };
        for (i, entry) in entries.iter().enumerate() {
            if shown(i) {
                rows.push(Row { i, t: entry.at_us, s: entry.step, kind: Kind::of(&entry.what, &mut blobs) });
            } else if let Some(Row { kind: Kind::Gap { n }, .. }) = rows.last_mut() {
                *n += 1;
            } else {
                rows.push(Row { i, t: entry.at_us, s: None, kind: Kind::Gap { n: 1 } });
            }
        }
        Self { blobs: blobs.list, entries: rows }
    }
}

impl<'a> Kind<'a> {
    fn of(what: &'a What, blobs: &mut Blobs<'a>) -> Self {
        let text = |text: &str| clipped(text, TEXT);
        let maybe = |value: &Option<String>| value.as_deref().map(text);
        match what {
            What::Connected => Self::Connected,
            What::Http { dir, message: HttpMessage { lines, bytes } } => Self::Http {
                d: *dir,
                lines: lines.iter().take(LINES).map(|line| text(line)).collect(),
                more: lines.len().saturating_sub(LINES),
                bytes: *bytes,
            },
            What::Opened { subprotocol, extensions } => {
                Self::Opened { subprotocol: maybe(subprotocol), extensions: maybe(extensions) }
            }
            What::OpeningFailed { status, reason } => {
                Self::OpeningFailed { status: *status, text: text(reason) }
            }
            What::Frame { dir, frame } => Self::Frame { d: *dir, f: Frame::of(frame, blobs) },
            What::Bytes { dir, payload } => Self::Bytes { d: *dir, p: blobs.payload(payload) },
            What::Message { kind, payload } => Self::Message { kind: *kind, p: blobs.payload(payload) },
            What::Violation { rule, detail } => Self::Violation { rule: text(rule), text: text(detail) },
            What::StillOpen { mark } => Self::StillOpen { text: text(mark) },
            What::TimedOut { waited_for } => Self::TimedOut { text: text(waited_for) },
            What::EndOfStream => Self::EndOfStream,
            What::Reset => Self::Reset,
            What::Closed { how } => Self::Closed { how: *how },
            What::Trouble { reason } => Self::Trouble { text: text(reason) },
            What::Folded { dir, frames, bytes } => Self::Folded { d: *dir, frames: *frames, bytes: *bytes },
        }
    }
}

impl<'a> Frame<'a> {
    fn of(frame: &'a FrameInfo, blobs: &mut Blobs<'a>) -> Self {
        let FrameInfo { opcode, fin, rsv, mask, length_bytes, declared, payload, close_code, chops, times } =
            frame;
        Self {
            op: *opcode,
            fin: *fin,
            rsv: *rsv,
            mask: mask.as_deref().map(visible),
            lb: *length_bytes,
            len: *declared,
            p: blobs.payload(payload),
            code: *close_code,
            chops: *chops,
            times: (*times != 1).then_some(*times),
        }
    }
}

/// Every hex string once.
#[derive(Debug, Default)]
struct Blobs<'a> {
    list: Vec<&'a str>,
    index: HashMap<&'a str, usize>,
}

impl<'a> Blobs<'a> {
    fn payload(&mut self, payload: &'a PayloadInfo) -> Payload {
        let PayloadInfo { len, hex, tail, sha1 } = payload;
        let h = (!hex.is_empty()).then(|| self.blob(hex));
        let t = tail.as_deref().map(|tail| self.blob(tail));
        let sha1 = sha1.as_deref().map(|sha1| self.blob(sha1));
        Payload { n: *len, h, t, sha1 }
    }

    /// A record may come from elsewhere: what is no hex, or too much of it, the page does not need.
    fn blob(&mut self, hex: &'a str) -> usize {
        let digits = hex.bytes().take(2 * PayloadInfo::INLINE).take_while(u8::is_ascii_hexdigit).count();
        let hex = &hex[..digits];
        *self.index.entry(hex).or_insert_with(|| {
            self.list.push(hex);
            self.list.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Behavior, CloseVerdict, Entry, Finding, Role};

    const GENEROUS: Caps = Caps { passes: CAPS[0], others: CAPS[0] };

    fn record(entries: usize, pointed: Option<usize>) -> CaseRecord {
        let entry = |i| Entry { at_us: i as u64, step: None, what: What::EndOfStream };
        CaseRecord {
            id: "1.1.1".to_owned(),
            role: Role::Server,
            carrier: "tcp".to_owned(),
            behavior: Behavior::Fail,
            close: CloseVerdict::Pass,
            close_code: None,
            duration_ms: 1.0,
            findings: vec![Finding {
                rule: String::new(),
                expected: String::new(),
                observed: String::new(),
                entry: pointed,
            }],
            when_busy: None,
            repeat: String::new(),
            transcript: Transcript { entries: (0..entries).map(entry).collect() },
        }
    }

    #[test]
    fn a_short_transcript_is_shown_whole() {
        let record = record(220, None);
        let wire = Wire::of(&record, &GENEROUS);
        assert_eq!(wire.entries.len(), 220);
        assert!(wire.entries.iter().enumerate().all(|(i, row)| row.i == i));
    }

    #[test]
    fn a_long_one_has_gaps_and_what_a_finding_points_at() {
        let record = record(10_000, Some(5_000));
        let wire = Wire::of(&record, &GENEROUS);
        assert_eq!(wire.entries.len(), 160 + 1 + 2 * AROUND + 1 + 1 + 60);
        assert!(wire.entries.iter().any(|row| row.i == 5_000));
        let left_out: usize =
            wire.entries.iter().map(|row| if let Kind::Gap { n } = row.kind { n } else { 0 }).sum();
        assert_eq!(left_out + wire.entries.len() - 2, 10_000);
    }

    #[test]
    fn like_payloads_are_kept_once_and_odd_hex_is_cut() {
        let mut blobs = Blobs::default();
        let payload = |hex: &str| PayloadInfo { len: 2, hex: hex.to_owned(), tail: None, sha1: None };
        let (a, b, none, odd) =
            (payload("6869"), payload("6869"), PayloadInfo::default(), payload("68</script>"));
        assert_eq!(blobs.payload(&a).h, blobs.payload(&b).h);
        assert_eq!(blobs.payload(&none).h, None);
        assert_eq!(blobs.blob(&odd.hex), 1);
        assert_eq!(blobs.list, ["6869", "68"]);
    }
}
