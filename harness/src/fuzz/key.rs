//! What is new about how an endpoint behaves: the order of its answers, how it ended, and the verdict. What passed in
//! which message and when is no part of it.

use std::hash::{DefaultHasher, Hash, Hasher};

use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{Direction, Transcript, What};

use crate::behaviour::Behaviour;
use crate::judge::Judgement;

/// The same for the same behaviour.
pub(super) fn of(transcript: &Transcript, judgement: &Judgement) -> u64 {
    let mut hasher = DefaultHasher::new();
    Behaviour::of(transcript, judgement).hash(&mut hasher);
    hasher.finish()
}

/// How TCP ended, by whose doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    /// There was no connection to end.
    Unopened,
    /// The peer sent a Close of its own, or answered ours.
    Closed,
    /// The peer ended TCP, or reset it, without a Close.
    Dropped,
    /// The peer did nothing.
    Ours,
}

/// How it ended.
pub(super) fn end(transcript: &Transcript) -> End {
    let mut end = End::Ours;
    for entry in &transcript.entries {
        if matches!(entry.what, What::OpeningFailed { .. }) {
            return End::Unopened;
        }
        if let What::Frame { dir: Direction::Received, frame } = &entry.what
            && frame.opcode == CLOSE
        {
            return End::Closed;
        }
        if matches!(entry.what, What::EndOfStream | What::Reset) {
            end = End::Dropped;
        }
    }
    end
}

/// The opcode of a Close.
const CLOSE: u8 = Opcode::CLOSE.value();

/// What the peer did, in a line.
pub(super) fn in_words(transcript: &Transcript) -> String {
    let mut words: Vec<(String, u32)> = Vec::new();
    for word in transcript.entries.iter().filter_map(|entry| told(&entry.what)) {
        match words.last_mut() {
            Some((last, times)) if *last == word => *times += 1,
            Some(_) | None => words.push((word, 1)),
        }
    }
    let word = |(word, times): (String, u32)| if times == 1 { word } else { format!("{times} × {word}") };
    words.into_iter().map(word).collect::<Vec<_>>().join(", ")
}

/// For a person, where the peer did anything.
fn told(what: &What) -> Option<String> {
    Some(match what {
        What::Frame { dir: Direction::Received, frame } => {
            match (Opcode::new(frame.opcode), frame.close_code) {
                (Some(Opcode::CLOSE), Some(code)) => format!("Close {code}"),
                (Some(Opcode::CLOSE), None) => "Close".to_owned(),
                (Some(opcode), _) => {
                    let fin = if frame.fin { "" } else { " without FIN" };
                    format!("{opcode}{fin} of {} bytes", frame.declared)
                }
                (None, _) => return None,
            }
        }
        What::OpeningFailed { reason, .. } => format!("no connection ({reason})"),
        What::Declined { extension } => format!("declined {extension}"),
        What::TimedOut { waited_for } => format!("kept us waiting for {waited_for}"),
        What::EndOfStream => "ended TCP".to_owned(),
        What::Reset => "reset TCP".to_owned(),
        What::Frame { .. }
        | What::Opened { .. }
        | What::Message { .. }
        | What::Violation { .. }
        | What::Closed { .. }
        | What::StillOpen { .. }
        | What::Connected
        | What::Http { .. }
        | What::Bytes { .. }
        | What::Exchanged { .. }
        | What::Trouble { .. }
        | What::Canary(_)
        | What::Resources { .. }
        | What::Crowd { .. }
        | What::Growth { .. }
        | What::Folded { .. } => return None,
    })
}
