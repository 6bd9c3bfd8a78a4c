//! What the peer answered, what it should have answered, and how the two compare.
//!
//! The engine asks while a case runs (is the outcome known?), the judge asks afterwards (which outcome is it?);
//! both ask here, so they cannot disagree.

use wsgrade_cases::model::{Expected, Order, Payload, Saw, Scenario};
use wsgrade_codec::handshake::parse_tokens;
use wsgrade_reports::record::{Direction, MessageKind, PayloadInfo, Transcript, Unopened, What};

use crate::plan::Plan;
use crate::streams::Streams;

/// What the payload of every probe begins with; its pong is no answer.
pub const PROBE: &str = "wsgrade?";

/// [`PROBE`] as the transcript has it.
const PROBE_HEX: &str = "777367726164653f";

/// Whether a pong answers a probe of ours.
pub(crate) fn is_probe(payload: &PayloadInfo) -> bool {
    payload.hex.starts_with(PROBE_HEX)
}

/// One thing the peer did that counts as an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A whole text message.
    Text(PayloadInfo),
    /// A whole binary message.
    Binary(PayloadInfo),
    /// A pong that answers no probe.
    Pong(PayloadInfo),
    /// The connection was open at a mark.
    Open(String),
    /// An exchange ended after so many right echoes.
    Exchanged {
        /// How many echoes were right. `1 <= messages <= of`.
        messages: u32,
        /// How many there were to be.
        of: u32,
    },
    /// The peer did not agree to what the steps need.
    Declined,
    /// The opening handshake opened no connection.
    Unopened {
        /// In which way.
        how: Unopened,
        /// The HTTP status, where there was one.
        status: Option<u16>,
        /// Whether the response names version 13.
        versions: bool,
    },
}

impl Answer {
    /// The answer a case expects, with its payload described the way the transcript describes payloads.
    pub fn expected(expected: &Expected, streams: &Streams) -> Self {
        let describe = |payload: &Payload| streams.describe(payload, &payload.to_bytes());
        match expected {
            Expected::Text(payload) => Self::Text(describe(payload)),
            Expected::Binary(payload) => Self::Binary(describe(payload)),
            Expected::Pong(payload) => Self::Pong(describe(payload)),
            Expected::Open(mark) => Self::Open(mark.clone()),
            Expected::Exchanged(messages) => Self::Exchanged { messages: *messages, of: *messages },
            Expected::Declined => Self::Declined,
            // Which of these it is decides [`Pattern::fit`], which looks at the statuses.
            Expected::Refused { statuses: _, versions } => {
                Self::Unopened { how: Unopened::Refused, status: None, versions: *versions }
            }
            Expected::Dropped => Self::Unopened { how: Unopened::Dropped, status: None, versions: false },
            Expected::Unanswered => {
                Self::Unopened { how: Unopened::Unanswered, status: None, versions: false }
            }
        }
    }

    /// The answer in a transcript's entry, where it holds one. A row of like pongs is one entry and as many
    /// answers, hence the count.
    pub fn in_entry(what: &What) -> Option<(Self, u32)> {
        match what {
            What::Message { kind: MessageKind::Text, payload } => Some((Self::Text(payload.clone()), 1)),
            What::Message { kind: MessageKind::Binary, payload } => Some((Self::Binary(payload.clone()), 1)),
            What::Frame { dir: Direction::Received, frame }
                if frame.opcode == 0xA && !is_probe(&frame.payload) =>
            {
                Some((Self::Pong(frame.payload.clone()), frame.times))
            }
            What::StillOpen { mark } => Some((Self::Open(mark.clone()), 1)),
            What::Exchanged { messages: 0, .. } => None,
            What::Exchanged { messages, of, .. } => {
                Some((Self::Exchanged { messages: *messages, of: *of }, 1))
            }
            What::Declined { .. } => Some((Self::Declined, 1)),
            What::OpeningFailed { status, how: Some(how), versions, reason: _ } => {
                let versions = versions.as_ref().is_some_and(|list| names_13(list));
                Some((Self::Unopened { how: *how, status: *status, versions }, 1))
            }
            What::Connected
            | What::Http { .. }
            | What::Opened { .. }
            | What::OpeningFailed { how: None, .. }
            | What::Frame { .. }
            | What::Bytes { .. }
            | What::Violation { .. }
            | What::TimedOut { .. }
            | What::Canary(_)
            | What::Resources { .. }
            | What::Crowd { .. }
            | What::Growth { .. }
            | What::EndOfStream
            | What::Reset
            | What::Closed { .. }
            | What::Trouble { .. }
            | What::Folded { .. } => None,
        }
    }

    /// How many payload bytes it stands for; of an exchange none, whose messages are counted as they are sent.
    pub fn len(&self) -> u64 {
        match self {
            Self::Text(payload) | Self::Binary(payload) | Self::Pong(payload) => payload.len,
            Self::Open(_) | Self::Exchanged { .. } | Self::Declined | Self::Unopened { .. } => 0,
        }
    }

    /// Whether it has no payload.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whether a `Sec-WebSocket-Version` header lists the version of RFC 6455.
fn names_13(list: &str) -> bool {
    parse_tokens(list.as_bytes()).is_ok_and(|versions| versions.iter().any(|version| version == "13"))
}

/// Every answer in a transcript that counts in this plan, in order. Those of a prelude never do.
pub fn answers_in(plan: &Plan, transcript: &Transcript) -> Vec<Answer> {
    transcript
        .entries
        .iter()
        .filter(|entry| !entry.prelude)
        .filter_map(|entry| Answer::in_entry(&entry.what))
        .filter(|(answer, _)| plan.counts(answer))
        .flat_map(|(answer, times)| std::iter::repeat_n(answer, times as usize))
        .collect()
}

/// How what came so far compares with what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is what was expected.
    Match,
    /// It may become so.
    Possible,
    /// It cannot become so any more.
    No,
}

/// What came, beside what was asked for, however the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// All the messages that were asked for, and nothing else.
    AsAsked,
    /// As much as came of them was right.
    InPart,
    /// More than was asked for.
    Beyond,
    /// Another message where one was asked for.
    Otherwise,
    /// No connection was opened where one had to be.
    Unopened,
}

/// The expected answers of one accepted outcome, ready to be compared.
#[derive(Clone, Debug)]
pub struct Pattern {
    events: Option<Vec<Answer>>,
    order: Order,
    /// The end of an opening handshake, where that is all that is expected.
    unopened: Option<Expected>,
}

impl Pattern {
    /// Prepares an outcome's expected answers.
    pub fn new(scenario: &Scenario, saw: &Saw, streams: &Streams) -> Self {
        let (events, order) = match saw {
            Saw::Answers => (Some(scenario.answers()), Order::Exact),
            Saw::Events { events, order } => (Some(events.clone()), *order),
            Saw::Anything => (None, Order::Any),
        };
        let unopened = events.as_ref().and_then(|events| events.iter().find(|event| event.is_of_opening()));
        Self {
            unopened: unopened.cloned(),
            events: events
                .map(|events| events.iter().map(|event| Answer::expected(event, streams)).collect()),
            order,
        }
    }

    /// The answers one by one; `None` where anything will do.
    pub fn events(&self) -> Option<&[Answer]> {
        self.events.as_deref()
    }

    /// Whether it is about an opening handshake that opens no connection. It cannot match once one is open.
    pub fn is_of_opening(&self) -> bool {
        self.unopened.is_some()
    }

    /// Says what came beside what is expected, whatever is still to come.
    pub fn heard(&self, answers: &[Answer]) -> Heard {
        if self.is_of_opening() {
            return Heard::AsAsked;
        }
        if answers.iter().any(|answer| matches!(answer, Answer::Unopened { .. })) {
            return Heard::Unopened;
        }
        let Some(events) = &self.events else { return Heard::AsAsked };
        let ([messages, _, marks], [came, _, marked]) = (apart(events), apart(answers));
        let differ =
            |asked: &[&Answer], came: &[&Answer]| asked.iter().zip(came).any(|(asked, came)| asked != came);
        if differ(&messages, &came) || differ(&marks, &marked) {
            Heard::Otherwise
        } else if !fit_up_to(events, answers) {
            Heard::Beyond
        } else if came.len() < messages.len() {
            Heard::InPart
        } else {
            Heard::AsAsked
        }
    }

    /// Compares.
    pub fn fit(&self, answers: &[Answer]) -> Fit {
        if let Some(expected) = &self.unopened {
            return match answers {
                [] => Fit::Possible,
                [Answer::Unopened { how, status, versions }]
                    if ended_so(expected, *how, *status, *versions) =>
                {
                    Fit::Match
                }
                _ => Fit::No,
            };
        }
        let Some(events) = &self.events else {
            // Whatever came, but for a peer with which nothing was played.
            return if answers.contains(&Answer::Declined) { Fit::No } else { Fit::Match };
        };
        match self.order {
            Order::Exact => fit_exact(events, answers),
            Order::Any => fit_any(events, answers),
            Order::LatestPong => fit_latest_pong(events, answers),
            Order::Apart => fit_apart(events, answers),
            Order::UpTo => match fit_up_to(events, answers) {
                true => Fit::Match,
                false => Fit::No,
            },
        }
    }
}

/// Whether an opening handshake ended as expected.
fn ended_so(expected: &Expected, how: Unopened, status: Option<u16>, versions: bool) -> bool {
    match expected {
        Expected::Refused { statuses, versions: asked } => {
            how == Unopened::Refused
                && status.is_some_and(|status| statuses.iter().any(|one| one.holds(status)))
                && (versions || !asked)
        }
        Expected::Dropped => how == Unopened::Dropped,
        Expected::Unanswered => how == Unopened::Unanswered,
        Expected::Text(_)
        | Expected::Binary(_)
        | Expected::Pong(_)
        | Expected::Open(_)
        | Expected::Exchanged(_)
        | Expected::Declined => false,
    }
}

fn fit_exact(events: &[Answer], answers: &[Answer]) -> Fit {
    match events.strip_prefix(answers) {
        Some([]) => Fit::Match,
        Some(_) => Fit::Possible,
        None => Fit::No,
    }
}

fn fit_any(events: &[Answer], answers: &[Answer]) -> Fit {
    let mut left: Vec<_> = events.iter().collect();
    for answer in answers {
        match left.iter().position(|event| *event == answer) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => return Fit::No,
        }
    }
    if left.is_empty() { Fit::Match } else { Fit::Possible }
}

fn fit_latest_pong(events: &[Answer], answers: &[Answer]) -> Fit {
    let mut left = events.iter();
    for answer in answers {
        loop {
            match left.next() {
                Some(event) if event == answer => break,
                Some(Answer::Pong(_)) => {}
                Some(
                    Answer::Text(_)
                    | Answer::Binary(_)
                    | Answer::Open(_)
                    | Answer::Exchanged { .. }
                    | Answer::Declined
                    | Answer::Unopened { .. },
                )
                | None => return Fit::No,
            }
        }
    }
    if left.next().is_none() { Fit::Match } else { Fit::Possible }
}

/// A list of answers as three: the messages and what else has its place among them, the pongs, the marks.
fn apart(answers: &[Answer]) -> [Vec<&Answer>; 3] {
    let mut lists = [Vec::new(), Vec::new(), Vec::new()];
    for answer in answers {
        let list = match answer {
            Answer::Text(_)
            | Answer::Binary(_)
            | Answer::Exchanged { .. }
            | Answer::Declined
            | Answer::Unopened { .. } => 0,
            Answer::Pong(_) => 1,
            Answer::Open(_) => 2,
        };
        lists[list].push(answer);
    }
    lists
}

fn fit_apart(events: &[Answer], answers: &[Answer]) -> Fit {
    if !fit_up_to(events, answers) {
        return Fit::No;
    }
    let ([messages, pongs, marks], [came, ponged, marked]) = (apart(events), apart(answers));
    // A mark is set by a ping as well. "If an endpoint receives a Ping frame and has not yet sent Pong frame(s) in response
    // to previous Ping frame(s), the endpoint MAY elect to send a Pong frame for only the most recently processed Ping
    // frame." (RFC 6455 5.5.3)
    let asked_later = events.iter().rposition(|event| matches!(event, Answer::Open(_)))
        > events.iter().rposition(|event| matches!(event, Answer::Pong(_)));
    let ponged = asked_later || pongs.last() == ponged.last();
    let all = messages.len() == came.len() && marks.len() == marked.len() && ponged;
    if all { Fit::Match } else { Fit::Possible }
}

fn fit_up_to(events: &[Answer], answers: &[Answer]) -> bool {
    let ([messages, pongs, marks], [came, ponged, marked]) = (apart(events), apart(answers));
    let mut left = pongs.iter();
    messages.starts_with(&came)
        && marks.starts_with(&marked)
        && ponged.iter().all(|pong| left.any(|one| one == pong))
}

#[cfg(test)]
mod tests {
    use wsgrade_cases::model::{Ending, Status};

    use super::*;

    fn pong(text: &str) -> Answer {
        Answer::Pong(PayloadInfo::of(text.as_bytes()))
    }

    fn text(text: &str) -> Answer {
        Answer::Text(PayloadInfo::of(text.as_bytes()))
    }

    fn pattern(events: &[Answer], order: Order) -> Pattern {
        Pattern { events: Some(events.to_vec()), order, unopened: None }
    }

    #[test]
    fn a_refusal_is_compared_by_its_status_and_its_versions() {
        let refused = |statuses: &[Status], versions| {
            let events = vec![Expected::Refused { statuses: statuses.to_vec(), versions }];
            let saw = Saw::Events { events, order: Order::Exact };
            let scenario = Scenario::uncatalogued("x", Vec::new(), saw.clone(), Ending::ordinary());
            Pattern::new(&scenario, &saw, &Streams::default())
        };
        let came =
            |status, versions| Answer::Unopened { how: Unopened::Refused, status: Some(status), versions };
        let wanted = refused(&[Status::Is(426), Status::Class(5)], false);
        assert!(wanted.is_of_opening());
        assert_eq!(wanted.fit(&[]), Fit::Possible);
        assert_eq!(wanted.fit(&[came(426, false)]), Fit::Match);
        assert_eq!(wanted.fit(&[came(503, true)]), Fit::Match);
        assert_eq!(wanted.fit(&[came(400, true)]), Fit::No, "another status");
        assert_eq!(wanted.fit(&[came(426, false), pong("a")]), Fit::No, "frames after a refusal");
        let dropped = Answer::Unopened { how: Unopened::Dropped, status: None, versions: false };
        assert_eq!(wanted.fit(std::slice::from_ref(&dropped)), Fit::No, "no response at all");
        let wanted = refused(&[Status::Is(426)], true);
        assert_eq!(wanted.fit(&[came(426, false)]), Fit::No, "it does not say which versions");
        assert_eq!(wanted.fit(&[came(426, true)]), Fit::Match);
        assert!(names_13("13, 8") && names_13("7,13") && !names_13("8") && !names_13("130"));
        assert_eq!(pattern(&[], Order::Exact).fit(&[dropped]), Fit::No, "a refusal is an answer");
    }

    #[test]
    fn exact_wants_the_same_list() {
        let wanted = pattern(&[pong("a"), text("b")], Order::Exact);
        assert_eq!(wanted.fit(&[]), Fit::Possible);
        assert_eq!(wanted.fit(&[pong("a")]), Fit::Possible);
        assert_eq!(wanted.fit(&[pong("a"), text("b")]), Fit::Match);
        assert_eq!(wanted.fit(&[text("b")]), Fit::No, "out of order");
        assert_eq!(wanted.fit(&[pong("a"), text("x")]), Fit::No, "other content");
        assert_eq!(wanted.fit(&[pong("a"), text("b"), text("b")]), Fit::No, "one too many");
    }

    #[test]
    fn what_came_is_told_from_what_was_asked_for() {
        let wanted = pattern(&[text("a"), pong("1"), text("b")], Order::UpTo);
        assert_eq!(wanted.heard(&[pong("1"), text("a"), text("b")]), Heard::AsAsked);
        assert_eq!(wanted.heard(&[text("a"), text("b")]), Heard::AsAsked, "pongs are soon too late");
        assert_eq!(wanted.heard(&[pong("1"), text("a")]), Heard::InPart);
        assert_eq!(wanted.heard(&[]), Heard::InPart);
        assert_eq!(wanted.heard(&[text("a"), text("b"), text("c")]), Heard::Beyond);
        assert_eq!(wanted.heard(&[pong("1"), pong("1")]), Heard::Beyond, "nobody asked for the second");
        assert_eq!(wanted.heard(&[text("b")]), Heard::Otherwise);
        assert_eq!(wanted.heard(&[text("a"), text("B"), text("c")]), Heard::Otherwise);
        let unopened = Answer::Unopened { how: Unopened::Dropped, status: None, versions: false };
        assert_eq!(wanted.heard(std::slice::from_ref(&unopened)), Heard::Unopened);
        let refusal = Pattern { unopened: Some(Expected::Unanswered), ..pattern(&[], Order::Exact) };
        assert_eq!(refusal.heard(&[unopened]), Heard::AsAsked, "what is asked for is that none is opened");
        let anything = Pattern { events: None, order: Order::Any, unopened: None };
        assert_eq!(anything.heard(&[text("b")]), Heard::AsAsked);
    }

    #[test]
    fn nothing_is_a_list_too() {
        let nothing = pattern(&[], Order::Exact);
        assert_eq!(nothing.fit(&[]), Fit::Match);
        assert_eq!(nothing.fit(&[pong("")]), Fit::No);
    }

    #[test]
    fn anything_is_not_that_nothing_was_played() {
        let anything = Pattern { events: None, order: Order::Any, unopened: None };
        assert_eq!(anything.fit(&[]), Fit::Match);
        assert_eq!(anything.fit(&[pong("a"), text("b")]), Fit::Match);
        assert_eq!(anything.fit(&[Answer::Declined]), Fit::No);
    }

    #[test]
    fn any_order_counts_copies() {
        let wanted = pattern(&[pong("a"), text("b"), text("b")], Order::Any);
        assert_eq!(wanted.fit(&[text("b"), pong("a")]), Fit::Possible);
        assert_eq!(wanted.fit(&[text("b"), text("b"), pong("a")]), Fit::Match);
        assert_eq!(wanted.fit(&[pong("a"), pong("a")]), Fit::No);
    }

    #[test]
    fn earlier_pongs_may_be_missing_but_not_the_last() {
        let wanted = pattern(&[pong("1"), pong("2"), text("m"), pong("3")], Order::LatestPong);
        assert_eq!(wanted.fit(&[text("m"), pong("3")]), Fit::Match);
        assert_eq!(wanted.fit(&[pong("2"), text("m")]), Fit::Possible, "the last is still due");
        assert_eq!(wanted.fit(&[pong("3")]), Fit::No, "a message may not be missing");
        assert_eq!(wanted.fit(&[text("m"), pong("3"), pong("2")]), Fit::No, "out of order");
    }

    #[test]
    fn messages_and_pongs_each_have_an_order_of_their_own() {
        let events = [pong("1"), text("a"), pong("2"), text("b")];
        let wanted = pattern(&events, Order::Apart);
        assert_eq!(wanted.fit(&[text("a"), pong("1"), text("b"), pong("2")]), Fit::Match);
        assert_eq!(wanted.fit(&[text("a"), pong("2"), text("b")]), Fit::Match);
        assert_eq!(wanted.fit(&[pong("2"), text("a")]), Fit::Possible, "a message is due");
        assert_eq!(wanted.fit(&[text("a"), text("b"), pong("1")]), Fit::Possible, "the last pong is due");
        assert_eq!(wanted.fit(&[text("b"), text("a"), pong("2")]), Fit::No, "messages out of order");
        assert_eq!(wanted.fit(&[pong("2"), pong("1")]), Fit::No, "pongs out of order");
        assert_eq!(wanted.fit(&[pong("2"), pong("2")]), Fit::No, "one pong too many");
        let wanted = pattern(&events, Order::UpTo);
        assert_eq!(wanted.fit(&[]), Fit::Match);
        assert_eq!(wanted.fit(&[pong("2"), text("a")]), Fit::Match);
        assert_eq!(wanted.fit(&[text("b")]), Fit::No, "a message before it is missing");
        assert_eq!(wanted.fit(&[text("a"), text("b"), text("b")]), Fit::No, "one too many");
    }

    #[test]
    fn the_pong_to_a_probe_is_no_answer() {
        let frame = |payload: &[u8]| What::Frame {
            dir: Direction::Received,
            frame: wsgrade_reports::record::FrameInfo {
                opcode: 0xA,
                fin: true,
                rsv: 0,
                mask: None,
                length_bytes: 0,
                declared: payload.len() as u64,
                payload: PayloadInfo::of(payload),
                close_code: None,
                chops: None,
                times: 2,
            },
        };
        assert_eq!(Answer::in_entry(&frame(format!("{PROBE}00000000").as_bytes())), None);
        assert_eq!(Answer::in_entry(&frame(b"wsgrade")), Some((pong("wsgrade"), 2)));
    }

    #[test]
    fn a_long_payload_is_compared_by_its_digest() {
        let long = vec![b'*'; 70_000];
        let mut other = long.clone();
        other[35_000] = b'+';
        let wanted = pattern(&[Answer::Binary(PayloadInfo::of(&long))], Order::Exact);
        assert_eq!(wanted.fit(&[Answer::Binary(PayloadInfo::of(&long))]), Fit::Match);
        assert_eq!(wanted.fit(&[Answer::Binary(PayloadInfo::of(&other))]), Fit::No);
        assert_eq!(wanted.fit(&[Answer::Text(PayloadInfo::of(&long))]), Fit::No, "other kind");
    }
}
