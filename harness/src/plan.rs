//! Cases made ready to be played: what is the same on every connection is computed once.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use wsgrade_cases::model::{Frame, Length, Scenario, Step};
use wsgrade_reports::record::PayloadInfo;

use crate::answer::{Answer, Pattern};
use crate::streams::Streams;

/// The mark of a probe whose pong is no answer of its own.
pub(crate) const SYNC: &str = "read so far";

/// A case, and what engine and judge need of it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The case.
    pub scenario: Arc<Scenario>,
    /// The answers of each accepted outcome, in their order.
    patterns: Vec<Pattern>,
    /// The payload bytes of all answers of the most that is accepted; those of exchanges are not among them.
    expected_bytes: u64,
    /// The number of answers, likewise.
    expected_answers: usize,
    /// The messages that exchanges send, compressed.
    streams: Arc<Streams>,
    /// Played before the steps of the case.
    prelude: Arc<[Step]>,
    /// Why messages of the peer are no answers, in one sentence, where they are none.
    adapted: Option<String>,
    /// What a pong can answer; `None` where bytes are sent that may be anything.
    pongs: Option<Arc<[PayloadInfo]>>,
}

impl Plan {
    /// Makes a case ready. What it compresses is shared with whoever uses the same streams.
    pub fn new(scenario: Arc<Scenario>, streams: Arc<Streams>) -> Self {
        let patterns: Vec<_> =
            scenario.accept.iter().map(|accept| Pattern::new(&scenario, &accept.saw, &streams)).collect();
        let of_each = || patterns.iter().filter_map(Pattern::events);
        let expected_bytes = of_each().map(|events| events.iter().map(Answer::len).sum()).max().unwrap_or(0);
        let expected_answers = of_each().map(<[_]>::len).max().unwrap_or(0);
        let pongs = pongs(&scenario, &streams);
        Self {
            scenario,
            patterns,
            expected_bytes,
            expected_answers,
            streams,
            prelude: Arc::default(),
            adapted: None,
            pongs,
        }
    }

    /// The same case after these steps on each connection, where it is one that opens it in an ordinary way.
    pub fn with_prelude(&self, prelude: &Arc<[Step]>) -> Self {
        // What goes out with the head leaves no time for a prelude, and where a refusal is right there is no connection.
        let no_time =
            self.scenario.opening.early || self.patterns.first().is_some_and(Pattern::is_of_opening);
        Self { prelude: if no_time { Arc::default() } else { Arc::clone(prelude) }, ..self.clone() }
    }

    /// This scenario instead, with no message of the peer counted as an answer; `why` in one sentence.
    pub fn without_echo(&self, scenario: Scenario, why: String) -> Self {
        let plan = Self::new(Arc::new(scenario), Arc::clone(&self.streams));
        Self { prelude: Arc::clone(&self.prelude), adapted: Some(why), ..plan }
    }

    /// A conversation of our own, which shares nothing.
    pub fn alone(scenario: Scenario) -> Arc<Self> {
        Arc::new(Self::new(Arc::new(scenario), Arc::default()))
    }

    /// Every one of these, no deeper than so many messages an exchange.
    pub fn all(scenarios: &[Arc<Scenario>], depth: Depth, streams: &Arc<Streams>) -> Vec<Arc<Self>> {
        let plan = |scenario: &Arc<Scenario>| {
            let scenario = match depth.messages() {
                Some(messages) => Arc::new(scenario.at_depth(messages)),
                None => Arc::clone(scenario),
            };
            Arc::new(Self::new(scenario, Arc::clone(streams)))
        };
        scenarios.iter().map(plan).collect()
    }

    /// The expected answers of the accepted outcomes, in their order.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// The steps before those of the case.
    pub fn prelude(&self) -> &[Step] {
        &self.prelude
    }

    /// A step by its number, where those of the prelude come first, and its number among those of the case.
    pub(crate) fn step(&self, at: usize) -> Option<(Option<usize>, &Step)> {
        match at.checked_sub(self.prelude.len()) {
            None => self.prelude.get(at).map(|step| (None, step)),
            Some(of_case) => self.scenario.steps.get(of_case).map(|step| (Some(of_case), step)),
        }
    }

    /// Why no message of the peer counts as an answer, in one sentence; `None` where they do.
    pub fn adapted(&self) -> Option<&str> {
        self.adapted.as_deref()
    }

    /// Whether this counts as an answer.
    pub fn counts(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Text(_) | Answer::Binary(_) => self.adapted.is_none(),
            // A step that only waits until what came before it was read.
            Answer::Open(mark) => mark != SYNC,
            // "A Pong frame MAY be sent unsolicited." (RFC 6455 5.5.3)
            Answer::Pong(payload) => self.pongs.as_ref().is_none_or(|solicited| solicited.contains(payload)),
            Answer::Exchanged { .. } | Answer::Declined | Answer::Unopened { .. } => true,
        }
    }

    pub(crate) fn expected_bytes(&self) -> u64 {
        self.expected_bytes
    }

    pub(crate) fn expected_answers(&self) -> usize {
        self.expected_answers
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }
}

/// What a pong can be the answer to: the payloads of all control frames, as a peer that answers a pong, say, is not to
/// pass for one that sends pongs of its own.
fn pongs(scenario: &Scenario, streams: &Streams) -> Option<Arc<[PayloadInfo]>> {
    if scenario.opening.knock {
        return None;
    }
    let mut payloads = Vec::new();
    for step in &scenario.steps {
        match step {
            Step::Send(Frame { length: Length::Declared { .. }, .. })
            | Step::More { .. }
            | Step::Raw { .. } => {
                return None;
            }
            Step::Send(frame) if frame.opcode.is_control() => {
                payloads.push(streams.describe(&frame.payload, &frame.payload.to_bytes()));
            }
            Step::Send(_)
            | Step::Await { .. }
            | Step::Probe { .. }
            | Step::Pause { .. }
            | Step::Exchange(_)
            | Step::Read(_)
            | Step::Hold { .. }
            | Step::End(_) => {}
        }
    }
    Some(payloads.into())
}

/// How many messages of each exchange are played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// As many as find what a thousand find, faults of endurance aside (`docs/performance.md`).
    #[default]
    Default,
    /// All of them.
    Full,
    /// So many.
    Messages(u32),
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.pad("default"),
            Self::Full => f.pad("full"),
            Self::Messages(messages) => messages.fmt(f),
        }
    }
}

impl FromStr for Depth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Self::Default),
            "full" => Ok(Self::Full),
            number => match number.parse() {
                Ok(messages @ 1..) => Ok(Self::Messages(messages)),
                Ok(0) | Err(_) => {
                    Err("a depth is `default`, `full` or a number of messages from 1".to_owned())
                }
            },
        }
    }
}

impl Depth {
    /// The number of messages at the default depth.
    pub const DEFAULT_MESSAGES: u32 = 10;

    /// The most messages of an exchange that is not timed; `None` for all.
    pub fn messages(self) -> Option<u32> {
        match self {
            Self::Default => Some(Self::DEFAULT_MESSAGES),
            Self::Full => None,
            Self::Messages(messages) => Some(messages),
        }
    }
}

#[cfg(test)]
mod tests {
    use wsgrade_cases::model::{Ending, Payload, Saw};
    use wsgrade_codec::wire::Opcode;

    use super::*;

    #[test]
    fn a_pong_counts_if_something_asked_for_it() {
        let plan = |steps| Plan::alone(Scenario::uncatalogued("a", steps, Saw::Answers, Ending::ordinary()));
        let send = |opcode| Step::Send(Frame::new(opcode, Payload::Text("Hi".to_owned())));
        let pong = |text: &str| Answer::Pong(PayloadInfo::of(text.as_bytes()));
        let pinged = plan(vec![send(Opcode::PING), send(Opcode::TEXT)]);
        assert!(pinged.counts(&pong("Hi")));
        assert!(!pinged.counts(&pong("")) && !pinged.counts(&pong("heartbeat")));
        assert!(!plan(vec![send(Opcode::TEXT)]).counts(&pong("Hi")));
        assert!(plan(vec![send(Opcode::PONG)]).counts(&pong("Hi")), "a pong is not to be answered");
        let raw = Step::Raw { payload: Payload::Hex(vec![0x89, 0]), chop: Default::default() };
        assert!(plan(vec![raw]).counts(&pong("heartbeat")), "who knows what the bytes are");
    }
}
