//! What is new about how an endpoint behaves: the order of its answers, how it ended, and the verdict. What passed in
//! which message and when is no part of it.

use std::hash::{DefaultHasher, Hash, Hasher};

use wsgrade_reports::record::{Direction, Transcript, What};

use crate::judge::Judgement;

/// The same for the same behaviour.
pub(super) fn of(transcript: &Transcript, judgement: &Judgement) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut before = None;
    for word in transcript.entries.iter().filter_map(|entry| word(&entry.what)) {
        // How many alike stand in a row is nothing new.
        if before.as_ref() != Some(&word) {
            word.hash(&mut hasher);
            before = Some(word);
        }
    }
    (judgement.behavior, judgement.close, judgement.close_code).hash(&mut hasher);
    hasher.finish()
}

/// What the peer did, in a word that can be compared.
fn word(what: &What) -> Option<String> {
    let received = Direction::Received;
    Some(match what {
        What::Frame { dir, frame } if *dir == received => format!(
            "frame {} {} {} {} {:?}",
            frame.opcode,
            frame.fin,
            frame.rsv,
            length_class(frame.declared),
            frame.close_code
        ),
        What::Message { kind, payload } => format!("message {kind:?} {}", length_class(payload.len)),
        What::Opened { subprotocol, extensions } => format!("opened {subprotocol:?} {extensions:?}"),
        What::OpeningFailed { status, how, .. } => format!("unopened {status:?} {how:?}"),
        What::Declined { extension } => format!("declined {extension}"),
        What::Violation { rule, .. } => format!("violation {rule}"),
        What::TimedOut { waited_for } => format!("waited for {waited_for}"),
        What::EndOfStream => "end".to_owned(),
        What::Reset => "reset".to_owned(),
        What::Closed { how } => format!("closed {how:?}"),
        What::StillOpen { .. } => "open".to_owned(),
        What::Frame { .. }
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

/// The form of the length field, and whether there is anything.
fn length_class(len: u64) -> u8 {
    match len {
        0 => 0,
        1..=125 => 1,
        126..=65_535 => 2,
        65_536.. => 3,
    }
}
