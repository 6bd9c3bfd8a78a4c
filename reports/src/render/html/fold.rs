//! Which entries of a transcript the page shows, and what it says of the others.
//!
//! The log of a case that passed is folded when it is long, or an exchange: nobody reads a thousand equal echoes.
//! That of any other case is whole, unless there is so much in all that the page would no longer open at once.

use crate::record::{CaseRecord, Direction, Entry, FrameInfo, PayloadInfo, RunReport, Severity, What};
use crate::render::words;

/// How many entries of a transcript the page shows: all of them where there are at most `whole`, else so many from
/// the start and so many to the end, landmarks, and those around what a finding points at. `run.json` has the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cap {
    /// `first + last < whole`
    whole: usize,
    first: usize,
    last: usize,
}

/// The most generous first.
const OF_PASSES: [Cap; 3] = [
    Cap { whole: 48, first: 7, last: 5 },
    Cap { whole: 24, first: 7, last: 5 },
    Cap { whole: 13, first: 7, last: 5 },
];
const OF_OTHERS: [Cap; 6] = [
    Cap { whole: usize::MAX, first: 600, last: 400 },
    Cap { whole: 1001, first: 600, last: 400 },
    Cap { whole: 221, first: 160, last: 60 },
    Cap { whole: 61, first: 40, last: 20 },
    Cap { whole: 25, first: 16, last: 8 },
    Cap { whole: 11, first: 6, last: 4 },
];
/// Up to how many entries the log of an exchange that passed is shown whole.
const EXCHANGE: usize = 13;
/// How many entries to each side of what a finding points at.
const AROUND: usize = 4;
/// How many findings may add entries, and how many landmarks.
const FINDINGS: usize = 16;
const LANDMARKS: usize = 64;

/// The caps of one page: the more there is in all, the less of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caps {
    passes: Cap,
    others: Cap,
}

/// What becomes of one entry, or of some in a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part<'a> {
    /// Shown.
    Entry(&'a Entry),
    /// Left out: what the page says instead of them.
    Digest(Digest),
}

/// What entries that are left out amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digest {
    /// How many entries there are.
    pub(super) entries: usize,
    /// When the first of them happened.
    pub(super) at_us: u64,
    /// Frames, and their payload bytes.
    sent: (u64, u64),
    received: (u64, u64),
    messages: u64,
}

impl Caps {
    /// What is shown in any case.
    pub(super) const STRICTEST: Self =
        Self { passes: OF_PASSES[OF_PASSES.len() - 1], others: OF_OTHERS[OF_OTHERS.len() - 1] };

    /// From the most generous on, down to those above [`STRICTEST`](Self::STRICTEST). What passed is folded as far as
    /// it goes before anything else is cut.
    pub(super) fn ladder() -> impl Iterator<Item = Self> {
        let passes = OF_PASSES.into_iter().map(|passes| Self { passes, others: OF_OTHERS[0] });
        let others = OF_OTHERS.into_iter().skip(1).map(|others| Self { others, ..Self::STRICTEST });
        passes.chain(others).take(OF_PASSES.len() + OF_OTHERS.len() - 2)
    }

    /// How many entries of a run are shown, give or take landmarks.
    pub(super) fn entries(&self, report: &RunReport) -> usize {
        let records = report.targets.iter().flat_map(|target| &target.cases);
        let shown = |record: &CaseRecord| {
            let cap = self.cap(record);
            let len = record.transcript.entries.len();
            if len <= cap.whole { len } else { cap.first + cap.last }
        };
        records.map(shown).sum()
    }

    fn cap(&self, record: &CaseRecord) -> Cap {
        let is_exchange = |entry: &Entry| matches!(entry.what, What::Exchanged { .. });
        match is_pass(record) {
            true if record.transcript.entries.iter().any(is_exchange) => {
                Cap { whole: EXCHANGE.min(self.passes.whole), ..self.passes }
            }
            true => self.passes,
            false => self.others,
        }
    }

    /// The record's transcript as the page shows it.
    pub(super) fn parts<'a>(&self, record: &'a CaseRecord) -> Vec<Part<'a>> {
        let Cap { whole, first, last } = self.cap(record);
        let entries = &record.transcript.entries;
        let pointed: Vec<usize> = record.findings.iter().filter_map(|f| f.entry).take(FINDINGS).collect();
        let mut landmarks = 0;
        let mut is_shown = |(i, entry): (usize, &Entry)| {
            let inside = i >= first && i + last < entries.len() && entries.len() > whole;
            let is_shown = !inside || pointed.iter().any(|&p| p.abs_diff(i) <= AROUND);
            if is_shown || landmarks == LANDMARKS || !is_landmark(&entry.what) {
                return is_shown;
            }
            landmarks += 1;
            true
        };
        let shown: Vec<bool> = entries.iter().enumerate().map(&mut is_shown).collect();
        // In place of a single entry a digest would take as much room and say less.
        let is_alone = |i: usize| i > 0 && shown[i - 1] && shown.get(i + 1).is_none_or(|&shown| shown);
        let mut parts = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            if shown[i] || is_alone(i) {
                parts.push(Part::Entry(entry));
            } else if let Some(Part::Digest(digest)) = parts.last_mut() {
                digest.add(entry);
            } else {
                let mut digest = Digest { at_us: entry.at_us, ..Digest::default() };
                digest.add(entry);
                parts.push(Part::Digest(digest));
            }
        }
        parts
    }
}

/// Whether there is nothing to look into: all was as asked, on both axes.
fn is_pass(record: &CaseRecord) -> bool {
    record.severity() == Severity::Good
}

/// What is told even where all around it is left out; of frames, bytes and messages there may be thousands.
fn is_landmark(what: &What) -> bool {
    match what {
        What::Frame { .. } | What::Bytes { .. } | What::Message { .. } => false,
        What::Connected
        | What::Http { .. }
        | What::Opened { .. }
        | What::OpeningFailed { .. }
        | What::Exchanged { .. }
        | What::Declined { .. }
        | What::Violation { .. }
        | What::Canary(_)
        | What::Resources { .. }
        | What::Crowd { .. }
        | What::Growth { .. }
        | What::StillOpen { .. }
        | What::TimedOut { .. }
        | What::EndOfStream
        | What::Reset
        | What::Closed { .. }
        | What::Trouble { .. }
        | What::Folded { .. } => true,
    }
}

impl Digest {
    fn add(&mut self, entry: &Entry) {
        self.entries += 1;
        match &entry.what {
            What::Frame { dir, frame: FrameInfo { times, payload: PayloadInfo { len, .. }, .. } } => {
                self.count(*dir, u64::from(*times), u64::from(*times).saturating_mul(*len));
            }
            What::Folded { dir, frames, bytes } => self.count(*dir, *frames, *bytes),
            What::Message { .. } => self.messages += 1,
            What::Connected
            | What::Http { .. }
            | What::Opened { .. }
            | What::OpeningFailed { .. }
            | What::Bytes { .. }
            | What::Exchanged { .. }
            | What::Declined { .. }
            | What::Violation { .. }
            | What::Canary(_)
            | What::Resources { .. }
            | What::Crowd { .. }
            | What::Growth { .. }
            | What::StillOpen { .. }
            | What::TimedOut { .. }
            | What::EndOfStream
            | What::Reset
            | What::Closed { .. }
            | What::Trouble { .. } => {}
        }
    }

    fn count(&mut self, dir: Direction, frames: u64, bytes: u64) {
        let (all_frames, all_bytes) = match dir {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        };
        *all_frames = all_frames.saturating_add(frames);
        *all_bytes = all_bytes.saturating_add(bytes);
    }

    /// What the page says instead of the entries.
    pub(super) fn text(&self) -> String {
        let Self { entries, at_us: _, sent, received, messages } = *self;
        let counted = |n: u64, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        let frames = |(n, bytes): (u64, u64), which: &str| {
            let frames = counted(n, "frame", "frames");
            (n > 0).then(|| format!("{frames} {which} with {} of payload", words::size(bytes)))
        };
        let parts = [
            frames(sent, "sent"),
            frames(received, "received"),
            (messages > 0).then(|| counted(messages, "message", "messages")),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let folded = counted(entries as u64, "entry", "entries");
        match parts.is_empty() {
            true => format!("{folded} folded here; run.json has every one"),
            false => format!("{folded} folded here: {}; run.json has every one", parts.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Behavior, CloseVerdict, Finding, MessageKind, Role, Transcript};

    const GENEROUS: Caps = Caps { passes: OF_PASSES[0], others: OF_OTHERS[0] };

    fn record(behavior: Behavior, entries: Vec<What>) -> CaseRecord {
        let entry = |(i, what)| Entry { at_us: i as u64, step: None, prelude: false, what };
        CaseRecord {
            id: "1.1.1".to_owned(),
            role: Role::Server,
            carrier: "tcp".to_owned(),
            behavior,
            close: CloseVerdict::Pass,
            close_code: None,
            duration_ms: 1.0,
            findings: Vec::new(),
            when_busy: None,
            repeats: None,
            adapted: None,
            expected: None,
            repeat: String::new(),
            transcript: Transcript { entries: entries.into_iter().enumerate().map(entry).collect() },
        }
    }

    fn message() -> What {
        What::Message { kind: MessageKind::Text, payload: PayloadInfo::of(b"x") }
    }

    fn pointing_at(entry: usize, record: CaseRecord) -> CaseRecord {
        let finding = Finding {
            rule: String::new(),
            expected: String::new(),
            observed: String::new(),
            entry: Some(entry),
        };
        CaseRecord { findings: vec![finding], ..record }
    }

    /// How many parts are entries, and how many entries the digests stand for.
    fn counts(parts: &[Part<'_>]) -> (usize, Vec<usize>) {
        let mut shown = 0;
        let mut folded = Vec::new();
        for part in parts {
            match part {
                Part::Entry(_) => shown += 1,
                Part::Digest(digest) => folded.push(digest.entries),
            }
        }
        (shown, folded)
    }

    #[test]
    fn what_did_not_pass_is_whole() {
        for behavior in [Behavior::Fail, Behavior::NonStrict, Behavior::Informational, Behavior::Inconclusive]
        {
            let record = record(behavior, vec![message(); 3000]);
            assert_eq!(counts(&GENEROUS.parts(&record)), (3000, vec![]));
        }
    }

    #[test]
    fn what_passed_is_folded_where_it_is_long() {
        assert_eq!(counts(&GENEROUS.parts(&record(Behavior::Pass, vec![message(); 48]))), (48, vec![]));
        let long = record(Behavior::Pass, vec![message(); 49]);
        assert_eq!(counts(&GENEROUS.parts(&long)), (12, vec![37]));
        // An end that broke a rule is no pass.
        let badly_ended = CaseRecord { close: CloseVerdict::Unclean, ..long.clone() };
        assert_eq!(counts(&GENEROUS.parts(&badly_ended)), (49, vec![]));
        // What a finding points at stays, with what is around it.
        let noted = pointing_at(25, long);
        assert_eq!(counts(&GENEROUS.parts(&noted)), (12 + 2 * AROUND + 1, vec![14, 14]));
    }

    #[test]
    fn an_exchange_is_folded_around_its_result() {
        let mut entries = vec![message(); 30];
        entries[20] = What::Exchanged {
            messages: 9,
            of: 9,
            bytes: 9,
            sent: 63,
            received: 27,
            compressed: 0,
            round_trips: None,
        };
        let passed = record(Behavior::Pass, entries.clone());
        assert_eq!(counts(&GENEROUS.parts(&passed)), (13, vec![13, 4]));
        assert_eq!(counts(&GENEROUS.parts(&record(Behavior::Fail, entries))), (30, vec![]));
    }

    #[test]
    fn a_single_entry_is_not_folded() {
        let mut entries = vec![message(); 60];
        entries[40] = What::Reset;
        entries[42] = What::Reset;
        assert_eq!(counts(&GENEROUS.parts(&record(Behavior::Pass, entries))), (12 + 3, vec![33, 12]));
    }

    #[test]
    fn landmarks_are_bounded() {
        let record = record(Behavior::Pass, vec![What::EndOfStream; 1000]);
        assert_eq!(counts(&GENEROUS.parts(&record)), (12 + LANDMARKS, vec![1000 - 12 - LANDMARKS]));
    }

    #[test]
    fn too_much_in_all_is_cut() {
        let cut = Caps { passes: OF_PASSES[2], others: OF_OTHERS[2] };
        let record = pointing_at(5_000, record(Behavior::Fail, vec![message(); 10_000]));
        let (shown, folded) = counts(&cut.parts(&record));
        assert_eq!(shown, 160 + 2 * AROUND + 1 + 60);
        assert_eq!(shown + folded.iter().sum::<usize>(), 10_000);
    }

    #[test]
    fn the_ladder_folds_passes_before_it_cuts_others() {
        let ladder: Vec<_> = Caps::ladder().chain([Caps::STRICTEST]).collect();
        assert_eq!(ladder.len(), OF_PASSES.len() + OF_OTHERS.len() - 1);
        for pair in ladder.windows(2) {
            let narrower = |a: Cap, b: Cap| b.whole < a.whole || a == b;
            assert!(narrower(pair[0].passes, pair[1].passes) && narrower(pair[0].others, pair[1].others));
            assert!(pair[1].others == OF_OTHERS[0] || pair[0].passes == pair[1].passes);
        }
    }

    #[test]
    fn every_cap_leaves_something_to_fold() {
        for Cap { whole, first, last } in OF_PASSES.into_iter().chain(OF_OTHERS) {
            assert!(first + last < whole);
        }
    }

    #[test]
    fn a_digest_says_what_it_stands_for() {
        let mut digest = Digest::default();
        digest.add(&Entry { at_us: 0, step: None, prelude: false, what: message() });
        assert_eq!(digest.text(), "1 entry folded here: 1 message; run.json has every one");
        digest.count(Direction::Sent, 2, 2_500_000);
        digest.count(Direction::Received, 1, 125);
        digest.entries += 3;
        assert_eq!(
            digest.text(),
            "4 entries folded here: 2 frames sent with 2.5 MB of payload, \
             1 frame received with 125 bytes of payload, 1 message; run.json has every one"
        );
        let silent = Digest { entries: 2, ..Digest::default() };
        assert_eq!(silent.text(), "2 entries folded here; run.json has every one");
    }
}
