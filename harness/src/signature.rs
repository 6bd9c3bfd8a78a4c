//! What went wrong, so far that two scenarios can be said to have found the same.

use std::fmt;

use wsgrade_cases::model::{By, Expected, Saw, Scenario};
use wsgrade_reports::record::{Behavior, CloseVerdict};

use crate::judge::Judgement;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature {
    /// What the verdict rests on.
    pub broken: Broken,
    /// The verdict on what the peer did.
    pub behavior: Behavior,
    /// The verdict on how the connection ended.
    pub close: CloseVerdict,
    /// The code in the peer's Close.
    pub code: Option<u16>,
}

/// What a verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Broken {
    /// The peer itself broke this rule in what it sent.
    Sent(String),
    /// We broke what this rule asks of us, or it leaves the peer a choice, and the peer did what it must not.
    Took(String),
    /// The conversation was lawful, and was not answered as it should.
    Conversation,
}

impl Signature {
    /// That of a judgement; `None` where nothing went wrong.
    pub fn of(scenario: &Scenario, judgement: &Judgement) -> Option<Self> {
        let Judgement { behavior, close, close_code, findings } = judgement;
        let behaves = match behavior {
            Behavior::Pass | Behavior::Informational | Behavior::Unimplemented | Behavior::Inconclusive => {
                true
            }
            Behavior::NonStrict | Behavior::Fail => false,
        };
        let closes = match close {
            CloseVerdict::Pass | CloseVerdict::Informational | CloseVerdict::Inconclusive => true,
            CloseVerdict::Dropped
            | CloseVerdict::WrongCode
            | CloseVerdict::Unclean
            | CloseVerdict::WrongSide
            | CloseVerdict::FailedByPeer => false,
        };
        if behaves && closes || *behavior == Behavior::Inconclusive {
            return None;
        }
        let named = |rule: &str| {
            let outcomes = scenario.accept.iter().filter_map(|accept| accept.rule.as_ref());
            scenario.rules.iter().chain(outcomes).any(|known| known.as_str() == rule)
        };
        // Findings about what the peer sent stand first, each with the sentence that it breaks.
        let sent = findings.first().filter(|finding| !behaves && !named(&finding.rule));
        let broken = match sent {
            Some(finding) => Broken::Sent(finding.rule.clone()),
            None if asks_to_fail(scenario) => {
                Broken::Took(scenario.rules.first().map(ToString::to_string).unwrap_or_default())
            }
            None => Broken::Conversation,
        };
        Some(Self { broken, behavior: *behavior, close: *close, code: *close_code })
    }

    /// A short name for it, the same on every machine.
    pub fn id(&self) -> String {
        let hash = self
            .to_string()
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        format!("{hash:08x}")
    }
}

/// Whether a scenario asks the peer to fail the connection, or to open none.
fn asks_to_fail(scenario: &Scenario) -> bool {
    let Some(first) = scenario.accept.first() else { return false };
    let refusal = match &first.saw {
        Saw::Events { events, .. } => events.iter().any(Expected::is_of_opening),
        Saw::Answers | Saw::Anything => false,
    };
    let ending = first.ending.as_ref().unwrap_or(&scenario.ending);
    refusal || ending.by == By::Peer || ending.by == By::Us && !ending.clean
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { broken, behavior, close, code } = self;
        write!(f, "{behavior}")?;
        match broken {
            Broken::Sent(rule) => write!(f, ", sent against {rule}")?,
            Broken::Took(rule) => write!(f, ", took against {rule}")?,
            Broken::Conversation => write!(f, ", a lawful conversation")?,
        }
        write!(f, ", close {close}")?;
        match code {
            Some(code) => write!(f, " {code}"),
            None => Ok(()),
        }
    }
}
