//! Facts read from the transcripts of a probe.

use std::time::Duration;

use wsgrade_codec::Kind;
use wsgrade_reports::record::{Direction, MessageKind, PayloadInfo, Refused, Response, Transcript, What};

/// What was found of the sizes of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Largest {
    pub(super) takes: Option<u64>,
    pub(super) refuses: Option<Refused>,
}

/// What came of a message.
pub(crate) fn response(transcript: &Transcript, kind: Kind, sent: &[u8]) -> Response {
    let sent = PayloadInfo::of(sent);
    let came: Vec<_> = messages(transcript).collect();
    let same = match kind {
        Kind::Text => MessageKind::Text,
        Kind::Binary => MessageKind::Binary,
    };
    if peer_ended(transcript) {
        Response::Ends
    } else if came.contains(&(same, &sent)) {
        Response::Echo
    } else if came.iter().any(|(_, payload)| **payload == sent) {
        Response::OtherKind
    } else if came.is_empty() {
        Response::Nothing
    } else {
        Response::Other
    }
}

/// Whether any message came but this one.
pub(crate) fn says_anything(transcript: &Transcript, but: &[u8]) -> bool {
    let but = PayloadInfo::of(but);
    messages(transcript).any(|(_, payload)| but.len == 0 || *payload != but)
}

fn messages(transcript: &Transcript) -> impl Iterator<Item = (MessageKind, &PayloadInfo)> {
    let entries = transcript.entries.iter().filter(|entry| !entry.prelude);
    entries.filter_map(|entry| {
        let What::Message { kind, payload } = &entry.what else { return None };
        Some((*kind, payload))
    })
}

/// Whether the connection was open at this mark.
pub(crate) fn marked(transcript: &Transcript, mark: &str) -> bool {
    transcript.entries.iter().any(|entry| matches!(&entry.what, What::StillOpen { mark: at } if at == mark))
}

/// How long after our first frame the connection was open at this mark.
pub(crate) fn taken(transcript: &Transcript, mark: &str) -> Option<Duration> {
    let mut entries = transcript.entries.iter().filter(|entry| !entry.prelude);
    let sent = entries.find(|entry| matches!(entry.what, What::Frame { dir: Direction::Sent, .. }))?;
    let open = entries.find(|entry| matches!(&entry.what, What::StillOpen { mark: at } if at == mark))?;
    Some(Duration::from_micros(open.at_us.saturating_sub(sent.at_us)))
}

/// How a message was refused, if it was.
pub(crate) fn refused(transcript: &Transcript, bytes: u64) -> Option<Refused> {
    let code = transcript.entries.iter().find_map(|entry| {
        let What::Frame { dir: Direction::Received, frame } = &entry.what else { return None };
        frame.close_code
    });
    peer_ended(transcript).then_some(Refused { bytes, code })
}

const CLOSE: u8 = wsgrade_codec::wire::Opcode::CLOSE.value();

/// Whether the peer began to end the connection.
fn peer_ended(transcript: &Transcript) -> bool {
    let theirs = |what: &What| match what {
        What::Frame { dir, frame } => *dir == Direction::Received && frame.opcode == CLOSE,
        what => matches!(what, What::EndOfStream | What::Reset),
    };
    let ours = |what: &What| {
        matches!(what, What::Frame { dir: Direction::Sent, frame } if frame.opcode == CLOSE)
            || matches!(what, What::Closed { .. })
    };
    let first = transcript.entries.iter().find(|entry| theirs(&entry.what) || ours(&entry.what));
    first.is_some_and(|entry| theirs(&entry.what))
}

/// The subprotocol that the target chose.
pub(crate) fn subprotocol(transcript: &Transcript) -> Option<String> {
    transcript.entries.iter().find_map(|entry| {
        let What::Opened { subprotocol, .. } = &entry.what else { return None };
        subprotocol.clone()
    })
}

/// What it agreed to of permessage-deflate.
pub(crate) fn deflate(transcript: &Transcript) -> Option<String> {
    let extensions = transcript.entries.iter().find_map(|entry| {
        let What::Opened { extensions, .. } = &entry.what else { return None };
        extensions.clone()
    });
    extensions.filter(|agreed| agreed.contains("permessage-deflate"))
}
