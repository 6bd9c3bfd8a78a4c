//! What was seen of a peer, so far that two scenarios can be said to have shown the same: what is new here is worth to be
//! changed further.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use wsgrade_reports::record::{Behavior, CloseVerdict, Direction, MessageKind, Transcript, What};

use crate::judge::Judgement;

/// So many different answers in a row are looked at: of long conversations each is another.
const ANSWERS: usize = 5;
/// Who answers later than this took its time.
const QUICK_US: u64 = 50_000;

/// What a peer did, in short. Two that are equal differ in nothing that promises more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Behaviour {
    /// Its answers, of a row of like ones the first; no more than the first few.
    pub answers: Vec<Seen>,
    /// Whether there were more.
    pub more: bool,
    /// Which rules it broke in what it sent, each once, in order of their names.
    pub broke: Vec<String>,
    /// Who ended the connection, and how.
    pub end: End,
    /// The code in its Close.
    pub code: Option<u16>,
    /// How long it took.
    pub pace: Pace,
    /// What the judge says of it.
    pub verdict: (Behavior, CloseVerdict),
}

/// An answer, without what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Seen {
    /// A text, and whether it is empty.
    Text(bool),
    /// A binary message, and whether it is empty.
    Binary(bool),
    /// A pong that answers no probe, and whether it is empty.
    Pong(bool),
    /// A ping of its own.
    Ping,
    /// It was alive at a mark.
    Open,
    /// It did not agree to what the steps need.
    Declined,
    /// It opened no connection; with its status, where there was one.
    Unopened(Option<u16>),
}

/// Who began to end a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// We did, and it answered.
    Answered,
    /// We did, and it ended TCP.
    Unanswered,
    /// It sent a Close.
    Closed,
    /// It ended TCP.
    Dropped,
    /// It reset TCP.
    Reset,
    /// Nobody did, or we gave up.
    Nobody,
}

/// How long a peer took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pace {
    /// Everything came at once.
    Quick,
    /// Something took its time.
    Slow,
    /// Something did not come in time.
    TimedOut,
}

impl Behaviour {
    /// The same for the same behaviour, in this build.
    pub fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// Whether there was a connection.
    pub fn opened(&self) -> bool {
        !self.answers.iter().any(|seen| matches!(seen, Seen::Unopened(_)))
    }

    /// What a transcript shows of a peer, and what was said of it.
    pub fn of(transcript: &Transcript, judgement: &Judgement) -> Self {
        let mut answers = Vec::new();
        let mut more = false;
        let mut broke = Vec::new();
        let mut end = End::Nobody;
        let mut pace = Pace::Quick;
        let mut waiting_since = None;
        for entry in transcript.entries.iter().filter(|entry| !entry.prelude) {
            if from_peer(&entry.what) {
                let waited = waiting_since.take().map_or(0, |since| entry.at_us.saturating_sub(since));
                if waited > QUICK_US {
                    pace = pace.max(Pace::Slow);
                }
            } else if matches!(entry.what, What::Frame { dir: Direction::Sent, .. }) {
                waiting_since.get_or_insert(entry.at_us);
            }
            if let Some(seen) = seen(&entry.what)
                && answers.last() != Some(&seen)
            {
                match answers.len() < ANSWERS {
                    true => answers.push(seen),
                    false => more = true,
                }
            }
            match &entry.what {
                What::Violation { rule, .. } if !broke.contains(rule) => broke.push(rule.clone()),
                What::TimedOut { .. } => pace = Pace::TimedOut,
                what => end = end.after(what),
            }
        }
        broke.sort();
        let verdict = (judgement.behavior, judgement.close);
        Self { answers, more, broke, end, code: judgement.close_code, pace, verdict }
    }
}

/// Whether the peer did it.
fn from_peer(what: &What) -> bool {
    match what {
        What::Http { dir, .. } | What::Frame { dir, .. } | What::Bytes { dir, .. } => {
            *dir == Direction::Received
        }
        What::EndOfStream | What::Reset | What::Message { .. } => true,
        What::Connected
        | What::Opened { .. }
        | What::OpeningFailed { .. }
        | What::Violation { .. }
        | What::Canary(_)
        | What::Resources { .. }
        | What::Crowd { .. }
        | What::Growth { .. }
        | What::StillOpen { .. }
        | What::TimedOut { .. }
        | What::Closed { .. }
        | What::Trouble { .. }
        | What::Exchanged { .. }
        | What::Declined { .. }
        | What::Folded { .. } => false,
    }
}

/// The answer in an entry, where it holds one.
fn seen(what: &What) -> Option<Seen> {
    match what {
        What::Message { kind: MessageKind::Text, payload } => Some(Seen::Text(payload.len == 0)),
        What::Message { kind: MessageKind::Binary, payload } => Some(Seen::Binary(payload.len == 0)),
        What::Frame { dir: Direction::Received, frame } => match frame.opcode {
            0x9 => Some(Seen::Ping),
            0xA if !crate::answer::is_probe(&frame.payload) => Some(Seen::Pong(frame.payload.len == 0)),
            _ => None,
        },
        What::StillOpen { .. } => Some(Seen::Open),
        What::Declined { .. } => Some(Seen::Declined),
        What::OpeningFailed { status, .. } => Some(Seen::Unopened(*status)),
        What::Connected
        | What::Http { .. }
        | What::Opened { .. }
        | What::Frame { dir: Direction::Sent, .. }
        | What::Bytes { .. }
        | What::Violation { .. }
        | What::Canary(_)
        | What::Resources { .. }
        | What::Crowd { .. }
        | What::Growth { .. }
        | What::TimedOut { .. }
        | What::EndOfStream
        | What::Reset
        | What::Closed { .. }
        | What::Trouble { .. }
        | What::Exchanged { .. }
        | What::Folded { .. } => None,
    }
}

impl End {
    /// What is to be said of the end, after one thing more.
    fn after(self, what: &What) -> Self {
        let received = |what: &What| match what {
            What::Frame { dir, frame } if frame.opcode == 0x8 => Some(*dir == Direction::Received),
            _ => None,
        };
        match (self, received(what), what) {
            (Self::Nobody, Some(true), _) => Self::Closed,
            (Self::Nobody, Some(false), _) => Self::Unanswered,
            (Self::Unanswered, Some(true), _) => Self::Answered,
            (Self::Nobody, None, What::EndOfStream) => Self::Dropped,
            (Self::Nobody, None, What::Reset) => Self::Reset,
            (before, _, _) => before,
        }
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answers, more, broke, end, code, pace, verdict } = self;
        for seen in answers {
            write!(f, "{seen}, ")?;
        }
        if *more {
            write!(f, "…, ")?;
        }
        match end {
            End::Answered => write!(f, "answered our Close")?,
            End::Unanswered => write!(f, "did not answer our Close")?,
            End::Closed => write!(f, "closed")?,
            End::Dropped => write!(f, "ended TCP")?,
            End::Reset => write!(f, "reset TCP")?,
            End::Nobody => write!(f, "stayed")?,
        }
        if let Some(code) = code {
            write!(f, " with {code}")?;
        }
        match pace {
            Pace::Quick => {}
            Pace::Slow => write!(f, ", slowly")?,
            Pace::TimedOut => write!(f, ", too late")?,
        }
        for rule in broke {
            write!(f, ", against {rule}")?;
        }
        let (behavior, close) = verdict;
        write!(f, ": {behavior}, close {close}")
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(false) => write!(f, "text"),
            Self::Text(true) => write!(f, "empty text"),
            Self::Binary(false) => write!(f, "binary"),
            Self::Binary(true) => write!(f, "empty binary"),
            Self::Pong(false) => write!(f, "pong"),
            Self::Pong(true) => write!(f, "empty pong"),
            Self::Ping => write!(f, "ping"),
            Self::Open => write!(f, "open"),
            Self::Declined => write!(f, "declined"),
            Self::Unopened(Some(status)) => write!(f, "refused with {status}"),
            Self::Unopened(None) => write!(f, "opened nothing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use wsgrade_reports::record::{Entry, FrameInfo, PayloadInfo};

    use super::*;
    use crate::answer::Heard;

    fn judgement() -> Judgement {
        Judgement {
            behavior: Behavior::Pass,
            close: CloseVerdict::Pass,
            close_code: Some(1000),
            findings: Vec::new(),
            heard: Heard::AsAsked,
            by_peer: false,
        }
    }

    fn frame(dir: Direction, opcode: u8, body: &[u8]) -> What {
        let frame = FrameInfo {
            opcode,
            fin: true,
            rsv: 0,
            mask: None,
            length_bytes: 1,
            declared: body.len() as u64,
            payload: PayloadInfo::of(body),
            close_code: None,
            chops: None,
            times: 1,
        };
        What::Frame { dir, frame }
    }

    fn text(body: &[u8]) -> What {
        What::Message { kind: MessageKind::Text, payload: PayloadInfo::of(body) }
    }

    fn of(story: Vec<(u64, What)>) -> Behaviour {
        let entry = |(at_us, what)| Entry { at_us, step: None, prelude: false, what };
        Behaviour::of(&Transcript { entries: story.into_iter().map(entry).collect() }, &judgement())
    }

    const SENT: Direction = Direction::Sent;
    const GOT: Direction = Direction::Received;

    #[test]
    fn what_promises_nothing_more_is_the_same() {
        let one = of(vec![
            (0, frame(SENT, 1, b"a")),
            (9, text(b"a")),
            (9, frame(SENT, 8, b"")),
            (12, frame(GOT, 8, b"")),
        ]);
        let row = of(vec![
            (0, frame(SENT, 1, b"b")),
            (40, text(b"b")),
            (41, text(b"cc")),
            (50, frame(SENT, 8, b"")),
            (60, frame(GOT, 8, b"")),
        ]);
        assert_eq!(one, row);
        assert_eq!(one.to_string(), "text, answered our Close with 1000: pass, close pass");
    }

    #[test]
    fn what_is_new_is_told_apart() {
        let closing = || vec![(9, frame(SENT, 8, b"")), (12, frame(GOT, 8, b""))];
        let with = |more: Vec<(u64, What)>| of(more.into_iter().chain(closing()).collect());
        let rule = || What::Violation { rule: "r".to_owned(), detail: String::new() };
        let all = [
            with(vec![]),
            with(vec![(1, text(b"a"))]),
            with(vec![(1, text(b""))]),
            with(vec![(1, frame(GOT, 0xA, b"a"))]),
            with(vec![(1, frame(GOT, 0x9, b"a"))]),
            with(vec![(1, rule())]),
            with(vec![(1, What::TimedOut { waited_for: String::new() })]),
            with(vec![(1, frame(SENT, 1, b"a")), (QUICK_US + 2, text(b"a"))]),
            of(vec![(1, frame(GOT, 8, b""))]),
            of(vec![(1, frame(SENT, 8, b"")), (2, What::EndOfStream)]),
            of(vec![(1, What::EndOfStream)]),
            of(vec![(1, What::Reset)]),
            of(vec![]),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "{all:#?}");
        // The pong to a probe is none.
        assert_eq!(with(vec![(1, frame(GOT, 0xA, crate::answer::PROBE.as_bytes()))]), with(vec![]));
    }

    #[test]
    fn of_long_conversations_the_beginning_counts() {
        let talk = |turns: usize| {
            of((0..turns).flat_map(|_| [(1, text(b"a")), (1, frame(GOT, 0xA, b"a"))]).collect())
        };
        assert_eq!(talk(3), talk(30));
        assert_ne!(talk(2), talk(3));
        assert!(talk(3).more && talk(3).answers.len() == ANSWERS);
    }
}
