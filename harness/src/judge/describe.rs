//! What was seen, in words.

use wsgrade_reports::record::{PayloadInfo, Transcript, Unopened, What};

use super::ending::Facts;
use crate::answer::Answer;

/// More answers than this are counted instead of listed.
const LISTED: usize = 6;
/// Longer payloads are not quoted.
const QUOTED: u64 = 40;

/// What the peer answered and how the connection ended, in one line.
pub(super) fn observed(answers: &[Answer], facts: &Facts, transcript: &Transcript) -> String {
    let mut words: Vec<_> = answers.iter().take(LISTED).map(answer).collect();
    if answers.len() > LISTED {
        words.push(format!("{} more", answers.len() - LISTED));
    }
    let mut line = if words.is_empty() { "no answer".to_owned() } else { words.join(", ") };
    let timeouts = transcript.entries.iter().filter_map(|entry| {
        if let What::TimedOut { waited_for } = &entry.what { Some(waited_for.as_str()) } else { None }
    });
    for waited_for in timeouts.take(2) {
        line.push_str(&format!("; waited in vain for {waited_for}"));
    }
    let unopened = answers.iter().any(|answer| matches!(answer, Answer::Unopened { .. }));
    if unopened { line } else { format!("{line}; then the peer {}", facts.in_words()) }
}

/// What became of a client whose TLS failed, in the words of who watched it.
pub(super) fn failing(transcript: &Transcript) -> Option<String> {
    transcript.entries.iter().find_map(|entry| {
        if let What::OpeningFailed { reason, .. } = &entry.what { Some(reason.clone()) } else { None }
    })
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Text(payload) => format!("text of {}", bytes(payload)),
        Answer::Binary(payload) => format!("binary of {}", bytes(payload)),
        Answer::Pong(payload) => format!("pong of {}", bytes(payload)),
        Answer::Open(mark) => format!("still open at {mark}"),
        Answer::Exchanged { messages, of } if messages == of => format!("all of {of} echoes"),
        Answer::Exchanged { messages, of } => format!("{messages} of {of} echoes"),
        Answer::Declined => "did not agree to permessage-deflate".to_owned(),
        Answer::Unopened { how, status, versions } => match (how, status) {
            (Unopened::Refused, Some(status)) if *versions => {
                format!("the opening handshake refused with {status}, naming version 13")
            }
            (Unopened::Refused, Some(status)) => format!("the opening handshake refused with {status}"),
            (Unopened::Refused | Unopened::Unreadable, _) => {
                "an answer to the opening handshake that cannot be read".to_owned()
            }
            (Unopened::Dropped, _) => "TCP ended instead of an answer to the opening handshake".to_owned(),
            (Unopened::Unanswered, _) => "no answer to the opening handshake".to_owned(),
        },
    }
}

fn bytes(payload: &PayloadInfo) -> String {
    let count = match payload.len {
        1 => "1 byte".to_owned(),
        n => format!("{n} bytes"),
    };
    match readable(payload) {
        Some(text) => format!("{count} {text:?}"),
        None if payload.len > 0 && payload.len <= QUOTED / 2 => format!("{count} {}", payload.hex),
        None => count,
    }
}

/// The payload as text, where it is short and all printable.
fn readable(payload: &PayloadInfo) -> Option<String> {
    if payload.len == 0 || payload.len > QUOTED || !payload.is_whole() {
        return None;
    }
    let bytes: Option<Vec<u8>> = payload
        .hex
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    let text = String::from_utf8(bytes?).ok()?;
    text.chars().all(|c| !c.is_control()).then_some(text)
}
