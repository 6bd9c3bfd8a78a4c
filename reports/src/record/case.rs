//! A case as the record keeps it: what it is, and how one target did.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Repeats;
use super::transcript::Transcript;

/// The role of the endpoint *under test*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It accepts connections; we are the client.
    Server,
    /// It connects to us; we are the server.
    Client,
}

impl Role {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Server, Self::Client];

    /// The word used in `run.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }

    /// The role of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What tells one record from another within a target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaseKey {
    /// The case's id, `6.4.1`.
    pub id: String,
    /// The role of the endpoint under test.
    pub role: Role,
    /// What carried the bytes: `tcp`, `tls`, `h2`, …
    pub carrier: String,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleText {
    /// The document: `RFC 6455`.
    pub source: String,
    /// The section in it: `5.5.1`.
    pub section: String,
    /// `MUST`, `MUST NOT`, `SHOULD`, `SHOULD NOT`, `MAY`; `NOTE` for advice without a key word.
    pub level: String,
    /// Whom it binds; absent in records before version 3, which do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binds: Option<Binds>,
    /// The sentence itself.
    pub sentence: String,
    /// Why no peer of an endpoint in that role can see it broken; nothing where one can.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unobservable: BTreeMap<Role, String>,
    /// Whether all that the peer sends is held against it, in whatever case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watched: bool,
}

/// Whom a rule binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binds {
    /// Both endpoints.
    Both,
    /// The client.
    Client,
    /// The server.
    Server,
    /// What stands between them, which is never under test.
    Intermediary,
}

impl Binds {
    /// The word used in `run.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Client => "client",
            Self::Server => "server",
            Self::Intermediary => "intermediary",
        }
    }

    /// Whether an endpoint in this role is bound.
    pub fn role(self, role: Role) -> bool {
        match self {
            Self::Both => true,
            Self::Client => role == Role::Client,
            Self::Server => role == Role::Server,
            Self::Intermediary => false,
        }
    }
}

impl fmt::Display for Binds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a case is, independent of any target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseInfo {
    /// The case's id.
    pub id: String,
    /// One line.
    pub title: String,
    /// Which rule it tests and why that matters, in a few sentences.
    pub why: String,
    /// The section it belongs to, `6.4`: everything before the last part of the id.
    pub section: String,
    /// What that section is called.
    pub section_title: String,
    /// Rule ids, the main one first; each is a key of `RunReport::rules`.
    pub rules: Vec<String>,
    /// The rules that only one of its accepted outcomes rests on: that such an outcome is not met says nothing of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcome_rules: Vec<String>,
    /// What is not ordinary beside the steps, in the opening handshake or in how often and beside what it is played, one
    /// line for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<String>,
    /// What is played, one line a step; [`Entry::step`](super::Entry::step) counts them.
    pub steps: Vec<String>,
    /// The accepted outcomes in the order they are tried, one line each.
    pub accepts: Vec<String>,
    /// How our judgement differs from Autobahn|Testsuite's, and by which sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differs: Option<String>,
}

/// What the peer did. Ordered from best to worst; `Inconclusive` stands outside and counts against nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behavior {
    /// What the rule asks for.
    Pass,
    /// A choice the RFC leaves open; shown, never counted against the target.
    Informational,
    /// The target lacks an optional feature that the case needs.
    Unimplemented,
    /// A `SHOULD` was broken.
    NonStrict,
    /// A `MUST` was broken.
    Fail,
    /// Our side or the network failed: nothing can be said of the target.
    Inconclusive,
}

impl Behavior {
    /// Every value, best first.
    pub const ALL: [Self; 6] = [
        Self::Pass,
        Self::Informational,
        Self::Unimplemented,
        Self::NonStrict,
        Self::Fail,
        Self::Inconclusive,
    ];

    /// The word used in `run.json` and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Informational => "informational",
            Self::Unimplemented => "unimplemented",
            Self::NonStrict => "non-strict",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// The behaviour of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|behavior| behavior.as_str() == word)
    }
}

impl fmt::Display for Behavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CloseVerdict {
    /// As it must.
    Pass,
    /// The case does not judge it.
    Informational,
    /// The peer ended TCP without a Close frame where it SHOULD have sent one (RFC 6455 7.1.7).
    Dropped,
    /// The peer's Close carried a status code that is not one of the right ones.
    WrongCode,
    /// The closing handshake was due and was not completed (RFC 6455 5.5.1).
    Unclean,
    /// The wrong side began to close.
    WrongSide,
    /// The closing handshake was done, but the server did not end TCP in time and we had to (RFC 6455 7.1.1).
    FailedByPeer,
    /// The connection was never established, or our side failed.
    Inconclusive,
}

impl CloseVerdict {
    /// Every value.
    pub const ALL: [Self; 8] = [
        Self::Pass,
        Self::Informational,
        Self::Dropped,
        Self::WrongCode,
        Self::Unclean,
        Self::WrongSide,
        Self::FailedByPeer,
        Self::Inconclusive,
    ];

    /// The word used in `run.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Informational => "informational",
            Self::Dropped => "dropped",
            Self::WrongCode => "wrong-code",
            Self::Unclean => "unclean",
            Self::WrongSide => "wrong-side",
            Self::FailedByPeer => "failed-by-peer",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// The verdict of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|close| close.as_str() == word)
    }

    /// How much it weighs: the closing code and the order of TCP's end rest on `SHOULD`s, the closing handshake
    /// itself on a `MUST`.
    pub fn severity(self) -> Severity {
        match self {
            Self::Pass => Severity::Good,
            Self::Informational | Self::Inconclusive => Severity::Neutral,
            Self::Dropped | Self::WrongCode | Self::FailedByPeer => Severity::Minor,
            Self::Unclean | Self::WrongSide => Severity::Major,
        }
    }
}

impl fmt::Display for CloseVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much a verdict weighs, on either axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// As asked.
    Good,
    /// Says nothing for or against.
    Neutral,
    /// A `SHOULD` was broken.
    Minor,
    /// A `MUST` was broken.
    Major,
}

impl Behavior {
    /// How much it weighs.
    pub fn severity(self) -> Severity {
        match self {
            Self::Pass => Severity::Good,
            Self::Informational | Self::Unimplemented | Self::Inconclusive => Severity::Neutral,
            Self::NonStrict => Severity::Minor,
            Self::Fail => Severity::Major,
        }
    }
}

/// One thing the judge has to say of a case: which sentence, what it asks, what was there instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule it rests on; a key of `RunReport::rules`.
    pub rule: String,
    /// What a conforming peer does.
    pub expected: String,
    /// What this one did.
    pub observed: String,
    /// Where to look: an index into the transcript's entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<usize>,
}

/// One case played against one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// The case's id; its description is in `RunReport::cases`.
    pub id: String,
    /// The role of the endpoint under test.
    pub role: Role,
    /// What carried the bytes.
    pub carrier: String,
    /// What the peer did.
    pub behavior: Behavior,
    /// How the connection ended.
    pub close: CloseVerdict,
    /// The status code of the peer's Close frame, where it sent one with a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_code: Option<u16>,
    /// From the first connect to the end, in milliseconds.
    pub duration_ms: f64,
    /// Why it is not a plain pass (or, for a pass, what is worth knowing).
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// What the same case gave while others were running, where it was played again alone and gave something
    /// else. The record as a whole is that of the second run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_busy: Option<Behavior>,
    /// What came of each time, where it was asked to be played more than once. The record as a whole is then that of the
    /// worst; of the worst while nothing else ran, where it was played again alone, and those before are counted as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Repeats>,
    /// How the case was judged for want of an echo, in one sentence: by pongs and by the end of the connection, the
    /// target's messages aside. Absent where it was judged as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapted: Option<String>,
    /// The place in `RunReport::expectations` of the one that this record meets: it deviates as it was known to. Absent where it
    /// meets none. A record of others may hold any number: ask [`RunReport::expectation_of`](super::RunReport::expectation_of).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<usize>,
    /// The command that repeats just this case.
    pub repeat: String,
    /// What was on the wire.
    pub transcript: Transcript,
}

impl CaseRecord {
    /// What tells this record from the others of its target.
    pub fn key(&self) -> CaseKey {
        CaseKey { id: self.id.clone(), role: self.role, carrier: self.carrier.clone() }
    }

    /// The heavier of the two axes.
    pub fn severity(&self) -> Severity {
        self.behavior.severity().max(self.close.severity())
    }
}
