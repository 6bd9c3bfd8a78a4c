//! What went wrong, so far that two scenarios can be said to have found the same.

use std::fmt;

use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::{By, Ending, Expected, Saw, Scenario};
use wsgrade_cases::{Register, rules::Rule};
use wsgrade_reports::record::{Behavior, CloseVerdict, Finding, Severity};

use crate::answer::Heard;
use crate::judge::{Judgement, rules};

/// What went wrong. It is coarse, so that it stays the same while a scenario is made simpler: of what a lawful conversation
/// was about, and of how the connection ended where that follows from the rest, it says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature {
    /// What the verdict rests on.
    pub broken: Broken,
    /// The verdict on what the peer did.
    pub behavior: Behavior,
    /// How the connection ended, as far as that is what went wrong.
    pub ended: Ended,
}

/// What a verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Broken {
    /// The peer itself broke this rule in what it sent.
    Sent(String),
    /// We broke what this rule asks of us, or it leaves the peer a choice, and the peer did what it must not, once it had answered
    /// what was lawful before.
    Took(String),
    /// The peer failed the connection as it must or may, over whichever rule, but not in the way in which it should.
    Failing,
    /// What was lawful was not answered as it should, whatever came behind it.
    Conversation,
}

/// What is to be said of the end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ended {
    /// Nothing: it is not what went wrong, or follows from that.
    Anyhow,
    /// The peer began to end it, with this code, where that was not what it had to do.
    ByPeer(Option<u16>),
    /// What the peer did was right, but for this; with its code, where that is what was wrong.
    So(CloseVerdict, Option<u16>),
}

impl Signature {
    /// That of a judgement; `None` where nothing went wrong.
    pub fn of(scenario: &Scenario, judgement: &Judgement) -> Option<Self> {
        let Judgement { behavior, close, close_code, findings, heard, by_peer: peer } = judgement;
        let behaves = match behavior {
            Behavior::Pass | Behavior::Informational | Behavior::Unimplemented => true,
            Behavior::Inconclusive => return None,
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
        if behaves && closes {
            return None;
        }
        let sent = findings.iter().find(|finding| !behaves && is_of_peer(finding));
        let (broken, ended) = match sent {
            Some(finding) if finding.rule.starts_with(KEYS) => {
                (Broken::Sent(ENTROPY.to_owned()), Ended::Anyhow)
            }
            Some(finding) => (Broken::Sent(finding.rule.clone()), Ended::Anyhow),
            None => {
                let rule = || scenario.rules.first().map(ToString::to_string).unwrap_or_default();
                let by_peer = peer_began(scenario, *close);
                let ended = match (behaves, heard) {
                    (true, _) if *close == CloseVerdict::WrongCode => Ended::So(*close, *close_code),
                    (true, _) => Ended::So(*close, None),
                    // Behind a wrong answer it ended over what came next, or because we ended it.
                    (false, Heard::Otherwise | Heard::Beyond | Heard::Unopened) => Ended::Anyhow,
                    (false, Heard::InPart) if by_peer || *close == CloseVerdict::WrongCode => {
                        Ended::ByPeer(*close_code)
                    }
                    (false, Heard::AsAsked) if by_peer => Ended::ByPeer(*close_code),
                    (false, Heard::InPart | Heard::AsAsked) => Ended::Anyhow,
                };
                // Whether it went wrong before there was anything to fail the connection over: by a wrong answer, or instead of one.
                let before = match heard {
                    Heard::Otherwise | Heard::Unopened => true,
                    Heard::InPart => matches!(ended, Ended::ByPeer(_)),
                    Heard::AsAsked | Heard::Beyond => false,
                };
                let broken = match (asks_to_fail(scenario), behaves) {
                    (true, false) if !before => Broken::Took(rule()),
                    (true, true) => Broken::Failing,
                    // It may fail the connection, and should say so.
                    (false, true) if *close == CloseVerdict::Dropped && *peer => Broken::Failing,
                    (true, false) | (false, _) => Broken::Conversation,
                };
                (broken, ended)
            }
        };
        // How it fails a connection is one fault, whether it had to or might.
        let behavior = if broken == Broken::Failing { Behavior::Pass } else { *behavior };
        Some(Self { broken, behavior, ended })
    }

    /// The same, with what the scenario that shows it is about.
    pub fn within(&self, scenario: &Scenario) -> Symptom {
        let about = match self.broken {
            Broken::Conversation => scenario.rules.first().map(ToString::to_string),
            Broken::Sent(_) | Broken::Took(_) | Broken::Failing => None,
        };
        Symptom { signature: self.clone(), about }
    }

    /// How much it weighs.
    pub fn severity(&self) -> Severity {
        let close = match self.ended {
            Ended::Anyhow | Ended::ByPeer(_) => CloseVerdict::Informational,
            Ended::So(verdict, _) => verdict,
        };
        self.behavior.severity().max(close.severity())
    }
}

/// A signature, and the rule that a lawful conversation is about. In the simplest scenario that shows it the rule tells
/// apart what the signature alone does not: findings with equal symptoms are one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symptom {
    /// What went wrong.
    pub signature: Signature,
    /// The main rule of the scenario, where that is lawful.
    pub about: Option<String>,
}

impl Symptom {
    /// A short name for it, the same on every machine.
    pub fn id(&self) -> String {
        hashed(&self.to_string())
    }
}

impl fmt::Display for Symptom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.about {
            Some(rule) => write!(f, "{} about {rule}", self.signature),
            None => self.signature.fmt(f),
        }
    }
}

/// FNV-1a in hex: a name that is the same on every machine.
pub(crate) fn hashed(text: &str) -> String {
    let hash =
        text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

/// The rules of masking keys, of which the judge finds in the whole conversation what no single frame shows.
const KEYS: &str = "rfc6455-5.3-";
/// The one of them that stands for all: which it is depends on how many keys were seen.
const ENTROPY: &str = "rfc6455-5.3-strong-entropy";

/// Whether a finding is about what the peer itself sent, and more than a note: it expects the sentence that this breaks, and
/// not what the scenario does.
fn is_of_peer(finding: &Finding) -> bool {
    let rule = Register::embedded().get(&RuleId::new(finding.rule.as_str()));
    let broken = |rule: &Rule| {
        rule.sentence == finding.expected && rules::weight(rule.level) > Behavior::Informational
    };
    rule.is_some_and(broken) || finding.rule.starts_with(KEYS)
}

/// The ending by which a connection is judged of which no outcome matched.
fn asked(scenario: &Scenario) -> &Ending {
    scenario.accept.first().and_then(|accept| accept.ending.as_ref()).unwrap_or(&scenario.ending)
}

/// Whether it was the peer that began to end a connection of which no outcome matched, as far as the verdict tells.
fn peer_began(scenario: &Scenario, close: CloseVerdict) -> bool {
    match close {
        CloseVerdict::WrongSide => asked(scenario).by == By::Us,
        CloseVerdict::Pass
        | CloseVerdict::Dropped
        | CloseVerdict::WrongCode
        | CloseVerdict::Unclean
        | CloseVerdict::FailedByPeer => asked(scenario).by == By::Peer,
        CloseVerdict::Informational | CloseVerdict::Inconclusive => false,
    }
}

/// Whether a scenario asks the peer to fail the connection, or to open none.
fn asks_to_fail(scenario: &Scenario) -> bool {
    let Some(first) = scenario.accept.first() else { return false };
    let refusal = match &first.saw {
        Saw::Events { events, .. } => events.iter().any(Expected::is_of_opening),
        Saw::Answers | Saw::Anything => false,
    };
    let ending = asked(scenario);
    refusal || ending.by == By::Peer || ending.by == By::Us && !ending.clean
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { broken, behavior, ended } = self;
        write!(f, "{behavior}")?;
        match broken {
            Broken::Sent(rule) => write!(f, ", sent against {rule}")?,
            Broken::Took(rule) => write!(f, ", took against {rule}")?,
            Broken::Failing => write!(f, ", failing the connection")?,
            Broken::Conversation => write!(f, ", a lawful conversation")?,
        }
        match ended {
            Ended::Anyhow => Ok(()),
            Ended::ByPeer(Some(code)) => write!(f, ", and closed with {code}"),
            Ended::ByPeer(None) => write!(f, ", and closed without a code"),
            Ended::So(verdict, Some(code)) => write!(f, ", close {verdict} {code}"),
            Ended::So(verdict, None) => write!(f, ", close {verdict}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use wsgrade_cases::model::{Frame, Payload, Step};
    use wsgrade_codec::Role;
    use wsgrade_codec::wire::Opcode;

    use super::*;
    use crate::oracle;

    fn scenario(steps: Vec<Step>) -> Scenario {
        let sketch = Scenario::uncatalogued("x", steps, Saw::Anything, Ending::ordinary());
        oracle::complete(&sketch, Role::Server)
    }

    fn send(opcode: Opcode) -> Step {
        let payload =
            if opcode == Opcode::CLOSE { Payload::Hex(vec![0x0B, 0xB8]) } else { Payload::default() };
        Step::Send(Frame::new(opcode, payload))
    }

    fn reserved() -> Step {
        send(Opcode::new(3).unwrap())
    }

    fn judged(behavior: Behavior, close: CloseVerdict, code: u16, finding: (&str, &str)) -> Judgement {
        let (rule, expected) = finding;
        let finding = Finding {
            rule: rule.to_owned(),
            expected: expected.to_owned(),
            observed: String::new(),
            entry: Some(1),
        };
        Judgement {
            behavior,
            close,
            close_code: Some(code),
            findings: vec![finding],
            heard: Heard::AsAsked,
            by_peer: false,
        }
    }

    const OPCODE: &str = "rfc6455-5.2-reserved-opcode";

    fn of(steps: Vec<Step>, behavior: Behavior, close: CloseVerdict, code: u16) -> Option<Signature> {
        Signature::of(&scenario(steps), &judged(behavior, close, code, (OPCODE, "what was expected")))
    }

    #[test]
    fn where_nothing_went_wrong_there_is_none() {
        let steps = || vec![send(Opcode::TEXT)];
        assert_eq!(of(steps(), Behavior::Pass, CloseVerdict::Pass, 1000), None);
        assert_eq!(of(steps(), Behavior::Informational, CloseVerdict::Informational, 1000), None);
        assert_eq!(of(steps(), Behavior::Inconclusive, CloseVerdict::Inconclusive, 1000), None);
        assert!(of(steps(), Behavior::Fail, CloseVerdict::Pass, 1000).is_some());
        assert!(of(steps(), Behavior::Pass, CloseVerdict::Dropped, 1000).is_some());
    }

    /// The Close at the end changes who is asked to begin, and the code of the answer; what was found is the same.
    #[test]
    fn it_stays_the_same_without_what_has_nothing_to_do_with_it() {
        let long = of(
            vec![reserved(), send(Opcode::PING), send(Opcode::CLOSE)],
            Behavior::Fail,
            CloseVerdict::WrongCode,
            3000,
        );
        let short = of(vec![reserved()], Behavior::Fail, CloseVerdict::WrongSide, 1001);
        assert_eq!(long, short);
        assert_eq!(short.unwrap().broken, Broken::Took(OPCODE.to_owned()));
    }

    /// One fault of an echo is not another finding for each breach that may stand behind it.
    #[test]
    fn a_wrong_answer_is_one_finding_whatever_comes_behind_it() {
        let of = |steps, close, code, heard| {
            let judged = judged(Behavior::Fail, close, code, (OPCODE, "what was expected"));
            Signature::of(&scenario(steps), &Judgement { heard, ..judged }).unwrap()
        };
        let lawful = of(vec![send(Opcode::TEXT)], CloseVerdict::Pass, 1000, Heard::Otherwise);
        let behind = || vec![send(Opcode::TEXT), reserved()];
        assert_eq!(of(behind(), CloseVerdict::Pass, 1002, Heard::Otherwise), lawful);
        assert_eq!(of(behind(), CloseVerdict::WrongSide, 1002, Heard::Otherwise), lawful);
        assert_eq!(of(behind(), CloseVerdict::Informational, 0, Heard::Unopened), lawful);
        // Instead of an answer it failed the connection.
        let failed = of(vec![send(Opcode::TEXT)], CloseVerdict::WrongSide, 1007, Heard::InPart);
        assert_eq!(of(behind(), CloseVerdict::WrongCode, 1007, Heard::InPart), failed);
        let closing = vec![send(Opcode::TEXT), send(Opcode::CLOSE)];
        assert_eq!(of(closing, CloseVerdict::WrongCode, 1007, Heard::InPart), failed);
        assert_eq!((failed.broken, failed.ended), (Broken::Conversation, Ended::ByPeer(Some(1007))));
        // What is answered right so far is another matter, and so is what is answered behind the breach.
        let failed = of(behind(), CloseVerdict::WrongCode, 1007, Heard::AsAsked);
        assert_eq!(failed.broken, Broken::Took(OPCODE.to_owned()));
        assert_eq!(failed.ended, Ended::ByPeer(Some(1007)));
        let took = of(behind(), CloseVerdict::WrongCode, 1007, Heard::Beyond);
        assert_eq!(took, of(behind(), CloseVerdict::WrongSide, 1001, Heard::Beyond));
        assert_eq!((took.broken, took.ended), (Broken::Took(OPCODE.to_owned()), Ended::Anyhow));
    }

    #[test]
    fn what_is_not_the_same_is_told_apart() {
        let took = of(vec![reserved()], Behavior::Fail, CloseVerdict::WrongSide, 1001);
        let wrong_code = of(vec![reserved()], Behavior::Fail, CloseVerdict::WrongCode, 1003);
        assert_eq!(wrong_code.as_ref().unwrap().ended, Ended::ByPeer(Some(1003)));
        // As well where our Close was to follow.
        let steps = vec![reserved(), send(Opcode::CLOSE)];
        assert_eq!(of(steps, Behavior::Fail, CloseVerdict::WrongSide, 1003), wrong_code);
        let lawful = of(vec![send(Opcode::TEXT)], Behavior::Fail, CloseVerdict::Pass, 1000);
        let failed = of(vec![send(Opcode::TEXT)], Behavior::Fail, CloseVerdict::WrongSide, 1002);
        let dropped = of(vec![reserved()], Behavior::Pass, CloseVerdict::Dropped, 0);
        let all = [took, wrong_code, lawful, failed, dropped];
        let ids: std::collections::BTreeSet<_> = all.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(ids.len(), all.len(), "{all:?}");
    }

    #[test]
    fn what_the_peer_broke_itself_counts_before_what_we_broke() {
        let sentence = &Register::embedded().get(&RuleId::new(OPCODE)).unwrap().sentence;
        let judged = |expected| judged(Behavior::Fail, CloseVerdict::WrongSide, 1002, (OPCODE, expected));
        let of = |steps, expected| Signature::of(&scenario(steps), &judged(expected)).unwrap().broken;
        let sent = Broken::Sent(OPCODE.to_owned());
        assert_eq!(of(vec![send(Opcode::TEXT)], sentence), sent);
        assert_eq!(of(vec![reserved()], sentence), sent);
        assert_eq!(of(vec![reserved()], "the peer fails the connection"), Broken::Took(OPCODE.to_owned()));
    }

    /// Whatever it fails over, a peer that never sends a Close has one fault.
    #[test]
    fn how_a_connection_is_failed_is_one_finding() {
        let of = |frame| of(vec![frame], Behavior::Pass, CloseVerdict::Dropped, 0).unwrap();
        assert_eq!(of(reserved()), of(send(Opcode::CONTINUATION)));
        assert_eq!(of(reserved()).broken, Broken::Failing);
        // Such as a limit in a lawful conversation; but not an answer to our Close.
        let lawful = |by_peer| {
            let judged = judged(Behavior::Informational, CloseVerdict::Dropped, 0, (OPCODE, ""));
            Signature::of(&scenario(vec![send(Opcode::TEXT)]), &Judgement { by_peer, ..judged }).unwrap()
        };
        assert_eq!(lawful(true), of(reserved()));
        assert_eq!(lawful(false).broken, Broken::Conversation);
    }

    #[test]
    fn a_note_is_not_what_went_wrong() {
        let note = RuleId::new("rfc6455-7.4.1-close-code-role");
        let sentence = &Register::embedded().get(&note).unwrap().sentence;
        let judged = judged(Behavior::Fail, CloseVerdict::WrongSide, 1010, (note.as_str(), sentence));
        let found = Signature::of(&scenario(vec![reserved()]), &judged).unwrap();
        assert_eq!(found.broken, Broken::Took(OPCODE.to_owned()));
    }

    /// How many keys there were decides which rule of them is the one that shows.
    #[test]
    fn bad_keys_are_one_finding() {
        let of = |rule| {
            let judged = judged(
                Behavior::Fail,
                CloseVerdict::Pass,
                1000,
                (rule, "masking keys that nobody can foresee"),
            );
            Signature::of(&scenario(vec![send(Opcode::TEXT)]), &judged).unwrap()
        };
        assert_eq!(of("rfc6455-5.3-fresh-key"), of("rfc6455-5.3-key-unpredictable"));
        assert_eq!(of("rfc6455-5.3-fresh-key").broken, Broken::Sent(ENTROPY.to_owned()));
    }

    #[test]
    fn of_the_simplest_scenario_the_rule_is_part_of_the_name() {
        let found = of(vec![send(Opcode::TEXT)], Behavior::Fail, CloseVerdict::Pass, 1000).unwrap();
        let (text, ping) = (scenario(vec![send(Opcode::TEXT)]), scenario(vec![send(Opcode::PING)]));
        assert_ne!(found.within(&text).id(), found.within(&ping).id());
        assert_eq!(found.within(&text).id(), found.within(&text).id());
    }

    #[test]
    fn it_says_in_words_what_went_wrong() {
        let took = of(vec![reserved()], Behavior::Fail, CloseVerdict::WrongCode, 1003).unwrap();
        assert_eq!(took.to_string(), "fail, took against rfc6455-5.2-reserved-opcode, and closed with 1003");
        let dropped = of(vec![reserved()], Behavior::Pass, CloseVerdict::Dropped, 0).unwrap();
        assert_eq!(dropped.to_string(), "pass, failing the connection, close dropped");
    }
}
