//! Reading `index.json` of Autobahn|Testsuite.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::side::{Judge, Pace, Side, SideTarget};
use super::verdict::Verdict;
use crate::order;
use crate::record::{Behavior, CaseKey, CloseVerdict, Role};
use crate::render::text::column;

/// Why a text is no `index.json`.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It has another shape.
    #[error("this is neither a run record nor an index.json of Autobahn|Testsuite: {0}")]
    Shape(#[from] serde_json::Error),
    /// A verdict is none that the old tool has.
    #[error("{agent}, case {case}: `{word}` is no {what} of Autobahn|Testsuite: it has {known}")]
    Word {
        /// Whose.
        agent: String,
        /// Of which case.
        case: String,
        /// The word.
        word: String,
        /// `behavior` or `behaviorClose`.
        what: &'static str,
        /// The words there are.
        known: String,
    },
    /// It holds no agent at all, as the old tool writes it where it could not connect.
    #[error("this index.json is empty: Autobahn|Testsuite writes that where it could not connect")]
    Empty,
}

/// The words for what the peer did.
const BEHAVIORS: [(&str, Behavior); 5] = [
    ("OK", Behavior::Pass),
    ("INFORMATIONAL", Behavior::Informational),
    ("UNIMPLEMENTED", Behavior::Unimplemented),
    ("NON-STRICT", Behavior::NonStrict),
    ("FAILED", Behavior::Fail),
];

/// The words for how the connection ended: [`crate::render::autobahn::close`] the other way round, where several of ours
/// share a word the most usual. The last two our renderer never writes, but the old tool may.
const CLOSES: [(&str, CloseVerdict); 8] = [
    ("OK", CloseVerdict::Pass),
    ("INFORMATIONAL", CloseVerdict::Informational),
    ("WRONG CODE", CloseVerdict::WrongCode),
    ("UNCLEAN", CloseVerdict::Unclean),
    ("FAILED BY CLIENT", CloseVerdict::FailedByPeer),
    ("FAILED", CloseVerdict::WrongSide),
    ("UNIMPLEMENTED", CloseVerdict::Informational),
    ("NON-STRICT", CloseVerdict::WrongCode),
];

/// What it says of a case. A wire log and whatever else a fork adds is no matter.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    behavior: String,
    behavior_close: String,
    #[serde(default)]
    duration: Option<f64>,
    #[serde(default)]
    remote_close_code: Option<u16>,
}

/// Reads it.
pub(super) fn read(text: &str) -> Result<Side, IndexError> {
    let agents: BTreeMap<String, BTreeMap<String, Entry>> = serde_json::from_str(text)?;
    if agents.is_empty() {
        return Err(IndexError::Empty);
    }
    let mut targets = Vec::new();
    for (name, entries) in agents {
        let mut cases = Vec::new();
        for (id, entry) in entries {
            let verdict = Verdict {
                behavior: word(&BEHAVIORS, "behavior", &entry.behavior, &name, &id)?,
                close: word(&CLOSES, "behaviorClose", &entry.behavior_close, &name, &id)?,
                close_code: entry.remote_close_code,
                duration_ms: entry.duration,
            };
            let verdict = in_old_words(&verdict);
            cases.push((CaseKey { id, role: Role::Server, carrier: "tcp".to_owned() }, verdict));
        }
        cases.sort_by(|(a, _), (b, _)| order::keys(a, b));
        targets.push(SideTarget { name, role: None, cases });
    }
    Ok(Side { judge: Judge::Autobahn, catalogue: None, shard: None, pace: Some(Pace(None)), targets })
}

fn word<T: Copy>(
    words: &[(&str, T)],
    what: &'static str,
    word: &str,
    agent: &str,
    case: &str,
) -> Result<T, IndexError> {
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value).ok_or_else(|| IndexError::Word {
        agent: column(agent, 60),
        case: column(case, 30),
        word: column(word, 30),
        what,
        known: words.iter().map(|(known, _)| format!("`{known}`")).collect::<Vec<_>>().join(", "),
    })
}

/// What is left of a verdict of ours in the old words, so that it can be compared with one of the old tool. What is
/// inconclusive stays so: the old tool has no word for it.
pub(super) fn in_old_words(verdict: &Verdict) -> Verdict {
    let close = match (verdict.behavior, verdict.close) {
        (Behavior::Unimplemented, _) | (_, CloseVerdict::Pass | CloseVerdict::Dropped) => CloseVerdict::Pass,
        (_, CloseVerdict::Inconclusive | CloseVerdict::WrongSide) => CloseVerdict::WrongSide,
        (
            _,
            close @ (CloseVerdict::Informational
            | CloseVerdict::WrongCode
            | CloseVerdict::Unclean
            | CloseVerdict::FailedByPeer),
        ) => close,
    };
    Verdict { close, ..*verdict }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{CaseRecord, Transcript};
    use crate::render::autobahn;

    /// The renderer has the words in one direction, this file in the other.
    #[test]
    fn what_is_written_is_read_again() {
        for behavior in Behavior::ALL {
            for close in CloseVerdict::ALL {
                let record = CaseRecord {
                    id: "1".to_owned(),
                    role: Role::Server,
                    carrier: "tcp".to_owned(),
                    behavior,
                    close,
                    close_code: None,
                    duration_ms: 1.0,
                    findings: Vec::new(),
                    when_busy: None,
                    repeats: None,
                    adapted: None,
                    expected: None,
                    repeat: String::new(),
                    transcript: Transcript::default(),
                };
                let ours = in_old_words(&Verdict::of(&record));
                let read = word(&CLOSES, "behaviorClose", autobahn::close(&record), "a", "1");
                assert_eq!(read.expect("a word of the old tool"), ours.close, "{behavior} {close}");
                let read = word(&BEHAVIORS, "behavior", autobahn::behavior(behavior), "a", "1");
                let read = read.expect("a word of the old tool");
                assert!(read == behavior || behavior == Behavior::Inconclusive, "{behavior}");
            }
        }
    }
}
