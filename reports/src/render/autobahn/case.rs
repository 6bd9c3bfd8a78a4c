//! The files of one record.

use minijinja::HtmlEscape;
use serde_json::{Map, Value, json};

use super::names::{Agent, Case};
use super::verdict;
use super::wirelog::{self, WireLog};
use crate::grade::area;
use crate::record::{
    Behavior, CaseInfo, CaseRecord, CloseVerdict, ClosedHow, Direction, Entry, FrameInfo, HttpMessage,
    MessageKind, Role, RunReport, What,
};
use crate::render::text::{clipped, prose, visible};
use crate::render::{html, words};

/// The longest text of a finding, in characters.
const TEXT: usize = 2000;

/// How long it took in whole milliseconds; what is no duration counts as none.
pub(super) fn milliseconds(record: &CaseRecord) -> u64 {
    // A cast from a float saturates, and makes nothing of what is no number.
    record.duration_ms.round() as u64
}

/// A page that leads to the case on ours.
pub(super) fn html(agent: &Agent<'_>, case: &Case<'_>) -> String {
    let record = case.record;
    let (class, text) = verdict::behavior_cell(record.behavior);
    let name = clipped(&agent.name, 120);
    let (name, id) = (HtmlEscape(&name), visible(&record.id));
    let id = HtmlEscape(&id);
    // Percent-encoded: nothing in it ends an attribute.
    let href = format!("index.html{}", html::href(&record.id, agent.target, &record.carrier));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={href}\">\n\
         <title>{name}, case {id}</title>\n</head>\n<body>\n\
         <p class=\"case {class}\">{name}, case {id}: {text}. <a href=\"{href}\">All of it is in the report.</a></p>\n\
         </body>\n</html>\n"
    )
}

/// What the old tool told of a case, with all the keys it had, sorted.
pub(super) fn json(report: &RunReport, agent: &Agent<'_>, case: &Case<'_>) -> Value {
    let record = case.record;
    let at = report.cases.iter().position(|info| info.id == record.id);
    let info = at.map(|at| &report.cases[at]);
    let entries = &record.transcript.entries;
    let ends = Ends::of(record);
    let log = WireLog::of(entries);
    let (request, response) = heads(record);
    let area = area(&record.id);
    sorted(json!({
        "agent": agent.name,
        // From 1, as its clients had to count.
        "case": at.map_or(0, |at| at + 1),
        "id": visible(&record.id),
        "description": info.map_or_else(String::new, |info| format!("{}: {}", prose(&info.title), prose(&info.why))),
        "expectation": info.map_or_else(String::new, expectation),
        // The record has no time for each case: that of the run.
        "started": started(&report.started),
        "duration": milliseconds(record),
        "behavior": verdict::behavior(record.behavior),
        "behaviorClose": verdict::close(record),
        "result": result(record),
        "resultClose": words::close(record.close),
        "expected": expected(info),
        "received": received(entries),
        "expectedClose": {
            // What was expected is known by how it was judged: so that the old rule comes to the same.
            "closedByMe": ends.closed_by_me() != (record.close == CloseVerdict::WrongSide),
            "closeCode": match record.close {
                CloseVerdict::WrongCode => None,
                CloseVerdict::Pass
                | CloseVerdict::Informational
                | CloseVerdict::Dropped
                | CloseVerdict::Unclean
                | CloseVerdict::WrongSide
                | CloseVerdict::FailedByPeer
                | CloseVerdict::Inconclusive => record.close_code,
            }.into_iter().collect::<Vec<u16>>(),
            "requireClean": record.close == CloseVerdict::Unclean || ends.was_clean(record.role),
        },
        "closedByMe": ends.closed_by_me(),
        "failedByMe": ends.closed_by_me() && ends.violation,
        "droppedByMe": ends.dropped_by == Some(Direction::Sent),
        "wasClean": ends.was_clean(record.role),
        "wasNotCleanReason": ends.not_clean(record.role),
        "wasServerConnectionDropTimeout":
            record.role == Role::Server && ends.local.is_some() && ends.remote.is_some() && ends.gave_up,
        "wasOpenHandshakeTimeout": !ends.opened && ends.timed_out,
        "wasCloseHandshakeTimeout":
            ends.closed_by_me() && ends.remote.is_none() && (ends.gave_up || ends.timed_out),
        "localCloseCode": ends.local.as_ref().and_then(|close| close.code),
        "localCloseReason": ends.local.as_ref().and_then(|close| close.reason.clone()),
        "remoteCloseCode": record.close_code,
        "remoteCloseReason": ends.remote.as_ref().and_then(|close| close.reason.clone()),
        // Of us, not of the endpoint under test.
        "isServer": record.role == Role::Client,
        // In these sections the old tool showed times, and how well was compressed.
        "reportTime": matches!(area, "9" | "12" | "13"),
        "reportCompressionRatio": matches!(area, "12" | "13"),
        "httpRequest": request,
        "httpResponse": response,
        "createStats": true,
        "rxOctetStats": log.received.octets(),
        "rxFrameStats": log.received.frames(),
        "txOctetStats": log.sent.octets(),
        "txFrameStats": log.sent.frames(),
        "trafficStats": traffic(entries),
        "createWirelog": true,
        "wirelog": log.rows,
    }))
}

/// The keys of every object in their order, whichever way the map keeps them.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// RFC 3339 with milliseconds, as it always had.
fn started(time: &str) -> String {
    let time = visible(time);
    match time.strip_suffix('Z') {
        Some(seconds) if !seconds.contains('.') => format!("{seconds}.000Z"),
        Some(_) | None => time.into_owned(),
    }
}

fn result(record: &CaseRecord) -> String {
    let verdict = words::behavior(record.behavior);
    let says = match record.behavior {
        Behavior::Inconclusive => format!("inconclusive, which the old words do not know: {verdict}"),
        Behavior::Pass
        | Behavior::Informational
        | Behavior::Unimplemented
        | Behavior::NonStrict
        | Behavior::Fail => verdict.to_owned(),
    };
    match record.findings.first() {
        Some(finding) => format!(
            "{says}; expected {}; saw {}",
            clipped(&finding.expected, TEXT),
            clipped(&finding.observed, TEXT)
        ),
        None => says,
    }
}

fn expectation(info: &CaseInfo) -> String {
    let lines: Vec<_> = info.accepts.iter().map(|line| prose(line)).collect();
    lines.join("\n")
}

/// What was accepted, by the old word for it. The record has it in words, so that is what the event says.
fn expected(info: Option<&CaseInfo>) -> Value {
    let mut expected = Map::new();
    for line in info.map_or(&[][..], |info| &info.accepts) {
        let Some((word, outcome)) = line.split_once(": ") else { continue };
        let Some(behavior) = Behavior::ALL.into_iter().find(|behavior| behavior.as_str() == word) else {
            // The line that says how the connection has to end.
            continue;
        };
        let events = expected.entry(verdict::behavior(behavior)).or_insert_with(|| json!([]));
        if let Value::Array(events) = events {
            events.push(json!(["outcome", prose(outcome)]));
        }
    }
    Value::Object(expected)
}

/// Messages, pongs and waits in vain; pings were answered and not told.
fn received(entries: &[Entry]) -> Vec<Value> {
    let event = |entry: &Entry| match &entry.what {
        What::Message { kind, payload } => {
            Some(json!(["message", wirelog::quote(payload), *kind == MessageKind::Binary]))
        }
        What::Frame { dir: Direction::Received, frame } if frame.opcode == 10 => {
            Some(json!(["pong", wirelog::quote(&frame.payload)]))
        }
        What::TimedOut { waited_for } => Some(json!(["timeout", clipped(waited_for, TEXT)])),
        What::Connected
        | What::Http { .. }
        | What::Opened { .. }
        | What::OpeningFailed { .. }
        | What::Frame { .. }
        | What::Bytes { .. }
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
        | What::Folded { .. } => None,
    };
    entries.iter().filter_map(event).collect()
}

/// The heads that went this way.
fn heads_of(entries: &[Entry], wanted: Direction) -> impl Iterator<Item = &HttpMessage> {
    entries.iter().filter_map(move |entry| {
        if let What::Http { dir, message } = &entry.what { (*dir == wanted).then_some(message) } else { None }
    })
}

/// Request and response, whoever sent which; empty where there was none.
fn heads(record: &CaseRecord) -> (String, String) {
    let entries = &record.transcript.entries;
    let head = |wanted| heads_of(entries, wanted).next().map(wirelog::text).unwrap_or_default();
    match record.role {
        Role::Server => (head(Direction::Sent), head(Direction::Received)),
        Role::Client => (head(Direction::Received), head(Direction::Sent)),
    }
}

/// What an exchange moved; null where there was none. Its bytes are known with the headers of frames, so the ratios are
/// a little larger than without, and what only the payload alone would tell is null.
fn traffic(entries: &[Entry]) -> Value {
    let exchange = entries.iter().rev().find_map(|entry| {
        if let What::Exchanged { messages, bytes, sent, received, .. } = &entry.what {
            Some((*messages, *bytes, *sent, *received))
        } else {
            None
        }
    });
    let Some((messages, bytes, sent, received)) = exchange else { return Value::Null };
    let preopen = |wanted| heads_of(entries, wanted).map(|head| head.bytes).sum::<u64>();
    let ratio = |wire: u64| (bytes > 0).then(|| wire as f64 / bytes as f64);
    json!({
        "outgoingOctetsWireLevel": sent,
        "outgoingOctetsWebSocketLevel": null,
        "outgoingOctetsAppLevel": bytes,
        "outgoingCompressionRatio": ratio(sent),
        "outgoingWebSocketOverhead": null,
        "outgoingWebSocketFrames": null,
        "outgoingWebSocketMessages": messages,
        "preopenOutgoingOctetsWireLevel": preopen(Direction::Sent),
        "incomingOctetsWireLevel": received,
        "incomingOctetsWebSocketLevel": null,
        "incomingOctetsAppLevel": bytes,
        "incomingCompressionRatio": ratio(received),
        "incomingWebSocketOverhead": null,
        "incomingWebSocketFrames": null,
        "incomingWebSocketMessages": messages,
        "preopenIncomingOctetsWireLevel": preopen(Direction::Received),
    })
}

/// How the connection ended, read off the transcript.
#[derive(Debug, Default)]
struct Ends {
    opened: bool,
    /// Who sent a Close frame first.
    closed_by: Option<Direction>,
    local: Option<Close>,
    remote: Option<Close>,
    /// Who ended TCP first: `Sent` is us.
    dropped_by: Option<Direction>,
    gave_up: bool,
    timed_out: bool,
    violation: bool,
    /// Why there was no opening, or what failed on our side.
    trouble: Option<String>,
}

/// A Close frame.
#[derive(Debug)]
struct Close {
    code: Option<u16>,
    reason: Option<String>,
}

impl Close {
    fn of(frame: &FrameInfo) -> Self {
        let bytes = wirelog::bytes(&frame.payload.hex);
        let reason = bytes.get(2..).filter(|reason| !reason.is_empty());
        let reason = reason.map(|reason| visible(&String::from_utf8_lossy(reason)).into_owned());
        Self { code: frame.close_code, reason }
    }
}

impl Ends {
    fn of(record: &CaseRecord) -> Self {
        let mut ends = Self::default();
        for entry in &record.transcript.entries {
            match &entry.what {
                What::Opened { .. } => ends.opened = true,
                What::Frame { dir, frame } if frame.opcode == 8 => {
                    ends.closed_by.get_or_insert(*dir);
                    let side = match dir {
                        Direction::Sent => &mut ends.local,
                        Direction::Received => &mut ends.remote,
                    };
                    side.get_or_insert_with(|| Close::of(frame));
                }
                What::EndOfStream | What::Reset => {
                    ends.dropped_by.get_or_insert(Direction::Received);
                }
                What::Closed { how } => match how {
                    ClosedHow::Normal | ClosedHow::Abort => {
                        ends.dropped_by.get_or_insert(Direction::Sent);
                    }
                    ClosedHow::GaveUp => {
                        ends.dropped_by.get_or_insert(Direction::Sent);
                        ends.gave_up = true;
                    }
                    ClosedHow::Half => {}
                },
                What::TimedOut { .. } => ends.timed_out = true,
                What::Violation { .. } => ends.violation = true,
                What::OpeningFailed { reason, .. } | What::Trouble { reason } => {
                    ends.trouble.get_or_insert_with(|| clipped(reason, TEXT));
                }
                What::Connected
                | What::Http { .. }
                | What::Frame { .. }
                | What::Bytes { .. }
                | What::Message { .. }
                | What::Exchanged { .. }
                | What::Declined { .. }
                | What::Canary(_)
                | What::Resources { .. }
                | What::Crowd { .. }
                | What::Growth { .. }
                | What::StillOpen { .. }
                | What::Folded { .. } => {}
            }
        }
        ends
    }

    fn closed_by_me(&self) -> bool {
        self.closed_by == Some(Direction::Sent)
    }

    /// Close frames went both ways, and the server ended TCP.
    fn was_clean(&self, under_test: Role) -> bool {
        let server = match under_test {
            Role::Server => Direction::Received,
            Role::Client => Direction::Sent,
        };
        self.local.is_some() && self.remote.is_some() && self.dropped_by == Some(server)
    }

    fn not_clean(&self, under_test: Role) -> Option<String> {
        if self.was_clean(under_test) {
            return None;
        }
        let trouble = self.trouble.clone();
        Some(trouble.unwrap_or_else(|| {
            let reason = match (&self.local, &self.remote) {
                (_, None) => "the peer sent no Close frame",
                (None, Some(_)) => "we did not answer the peer's Close frame",
                (Some(_), Some(_)) => "it was not the server that ended TCP",
            };
            reason.to_owned()
        }))
    }
}
