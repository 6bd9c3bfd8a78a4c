//! One thing in a head that is not as usual.

use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::Outcome;
use wsgrade_codec::handshake::is_token;

use crate::engine::lines::{Fault, Lines};

/// What a peer has to do about a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// It is lawful: the connection opens.
    Taken,
    /// It is lawful, and who does not understand it is not strict.
    Understood,
    /// As the peer likes.
    Nothing,
    /// Readers differ in what such a line says, and so in all that the head says. Who opens all the same deserves this verdict.
    Syntax(Outcome),
    /// It is not to be taken, and who does all the same deserves this verdict.
    Tolerated(Outcome),
    /// It asks for another version of the protocol.
    OtherVersion,
    /// It asks for no WebSocket at all: as a plain request of HTTP it may get any plain answer.
    Plain,
    /// It must not be taken.
    Refused,
}

/// The rule of a version that is a draft's, which some servers understand beside the final one.
pub(super) const DRAFT: &str = "rfc6455-4.4-all-versions";

/// A point, by the rule that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) asks: Asks,
    pub(super) rule: &'static str,
    /// What it means where it is not the first outcome that matches.
    pub(super) note: &'static str,
}

/// The points of a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Points(pub(super) Vec<Point>);

impl Points {
    pub(super) fn add(&mut self, asks: Asks, rule: &'static str, note: &'static str) {
        self.0.push(Point { asks, rule, note });
    }

    /// Of the lines that are none, in a request or a response of which this is the rule.
    pub(super) fn add_faults(&mut self, lines: &Lines, rule: &'static str, malformed: Outcome) {
        for fault in &lines.faults {
            let (verdict, note) = match fault {
                Fault::NoColon => (malformed, "a line that is no header is passed over"),
                Fault::Name => (malformed, "a name that is no token is passed over"),
                Fault::Control => (Outcome::NonStrict, "a control character in a header is passed over"),
                Fault::Folded => (Outcome::Informational, "folding is understood, as RFC 2616 had it"),
                Fault::BareLineFeed => {
                    (Outcome::Informational, "a line feed alone ends a line, as RFC 7230 allows")
                }
            };
            self.add(Asks::Syntax(verdict), rule, note);
        }
    }

    pub(super) fn any(&self, is: impl Fn(Asks) -> bool) -> bool {
        self.0.iter().any(|point| is(point.asks))
    }

    /// The first that asks for so much.
    pub(super) fn first(&self, is: impl Fn(Asks) -> bool) -> Option<&Point> {
        self.0.iter().find(|point| is(point.asks))
    }

    /// The rules of all of them, those first that are hard to understand, and this one behind them.
    pub(super) fn rules(&self, behind: &'static str) -> Vec<RuleId> {
        let hard = |point: &&Point| point.asks == Asks::Understood;
        let (hard, others) = (self.0.iter().filter(hard), self.0.iter());
        once(hard.chain(others).map(|point| point.rule).chain([behind]))
    }

    /// The rules of those that ask for a refusal, and this one behind them. First comes what nobody puts up with; where that
    /// may be put up with too, the worst of what is.
    pub(super) fn rules_of_breaches(&self, behind: &'static str) -> Vec<RuleId> {
        let breaches = || self.0.iter().filter(|point| point.asks.must_not_open());
        let tolerated = |point: &&Point| matches!(point.asks, Asks::Syntax(_) | Asks::Tolerated(_));
        let (worst, others) = (breaches().filter(|point| !tolerated(point)), breaches().filter(tolerated));
        let decides = self.tolerated().map(|(_, point)| point);
        once(decides.into_iter().chain(worst).chain(others).map(|point| point.rule).chain([behind]))
    }

    /// What who opens all the same deserves, and the point by which: the worst of those that put up with it. `None` where one
    /// does not. Where lines are no lines, what they say is too doubtful for anything else to weigh.
    pub(super) fn tolerated(&self) -> Option<(Outcome, &Point)> {
        let doubtful = self.any(|asks| matches!(asks, Asks::Syntax(_)));
        let verdict = |point: &Point| match point.asks {
            Asks::Syntax(verdict) | Asks::Tolerated(verdict) => Some(verdict),
            Asks::OtherVersion if point.rule == DRAFT => Some(Outcome::Informational),
            Asks::Taken
            | Asks::Understood
            | Asks::Nothing
            | Asks::OtherVersion
            | Asks::Plain
            | Asks::Refused => None,
        };
        if !doubtful && self.0.iter().any(|point| point.asks.must_not_open() && verdict(point).is_none()) {
            return None;
        }
        let all = self.0.iter().filter_map(|point| Some((verdict(point)?, point)));
        all.reduce(|worst, one| if one.0 > worst.0 { one } else { worst })
    }
}

/// Each rule once, where it comes first.
fn once(rules: impl Iterator<Item = &'static str>) -> Vec<RuleId> {
    let mut found = Vec::new();
    for rule in rules.map(RuleId::new) {
        if !found.contains(&rule) {
            found.push(rule);
        }
    }
    found
}

impl Asks {
    /// Whether a strict peer opens no connection.
    pub(super) fn must_not_open(self) -> bool {
        match self {
            Self::Taken | Self::Understood | Self::Nothing => false,
            Self::Syntax(_) | Self::Tolerated(_) | Self::OtherVersion | Self::Plain | Self::Refused => true,
        }
    }
}

/// Whether a list has elements that are empty, or one of them twice: lawful, and seldom seen.
pub(super) fn is_odd_list(value: &[u8]) -> bool {
    let mut elements: Vec<_> =
        value.split(|byte| *byte == b',').map(|element| element.trim_ascii().to_ascii_lowercase()).collect();
    let count = elements.len();
    elements.sort_unstable();
    elements.dedup();
    elements.len() < count || elements.iter().any(Vec::is_empty)
}

/// Whether a value has this word beside what is no part of a token: it may be read otherwise than as a list of tokens.
pub(super) fn has_word(value: &[u8], word: &str) -> bool {
    let value = String::from_utf8_lossy(value).to_ascii_lowercase();
    value.split(|c: char| !is_token(c.encode_utf8(&mut [0; 4]))).any(|part| part == word)
}

/// A list of tokens of `Connection`, all of which are those that every peer knows.
pub(super) fn is_known_connection(value: &[u8]) -> bool {
    value
        .split(|byte| *byte == b',')
        .map(|element| element.trim_ascii().to_ascii_lowercase())
        .all(|element| matches!(&element[..], b"upgrade" | b"keep-alive"))
}

/// Whether a field of this name means nothing to a handshake, for whoever reads it.
pub(super) fn is_unknown(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // What proxies and frameworks act upon.
    let special = ["forward", "http", "method", "original", "real", "rewrite", "url", "proxy", "auth"];
    let unknown = name.strip_prefix("x-").or(name.strip_prefix("sec-websocket-unknown"));
    unknown.is_some_and(|rest| !special.iter().any(|word| rest.contains(word)))
        || matches!(name.as_str(), "pragma" | "cache-control" | "user-agent" | "accept-language" | "dnt")
}
