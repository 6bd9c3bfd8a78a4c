//! From what was said to the outcomes that are right.

use std::collections::BTreeSet;

use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::{Accept, By, End, Ending, Expected, Need, Order, Outcome, Role, Saw, Scenario};
use wsgrade_codec::check::Rule;

use super::Expectation;
use super::course::{Breach, Close, Course, Features, is_of_content};

/// A peer may call a message too big that is longer than this. Smaller ones a peer on the open internet has to take.
const MAY_BE_TOO_BIG: u64 = 16 << 10;

/// More pings at once than this a peer may take for an attack, and end the connection: `ws` answers 60.
const MAY_BE_TOO_MANY: u32 = 32;

/// The codes of a peer that inflates as it reads and does not take what came of a message so far. What that is nobody can
/// say before the message is whole.
const INFLATING: &[u16] = &[1002, 1003, 1007, 1009];

/// The main rule of a scenario with such a message.
pub(super) const BEYOND_LIMITS: &str = "rfc6455-10.4-limits";

/// What a receiver does about a breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    /// It must fail the connection.
    Fail,
    /// The sentence binds the sender, and of the receiver only that it validates what comes in (RFC 6455 10.7): who takes it
    /// is not strict.
    Validate,
    /// As it likes.
    Nothing,
}

/// What a receiver does about a breach of this rule, by which of its own rules, and with which codes.
fn demand(rule: Rule, role: Role) -> (Demand, &'static str, &'static [u16]) {
    match rule {
        Rule::UnmaskedByClient => (Demand::Fail, "rfc6455-5.1-server-fails-unmasked", &[1002]),
        Rule::MaskedByServer => (Demand::Fail, "rfc6455-5.1-client-fails-masked", &[1002]),
        Rule::ReservedBits => (Demand::Fail, "rfc6455-5.2-fail-on-reserved-bits", &[1002]),
        Rule::Rsv1NotNegotiated => (Demand::Fail, "rfc6455-5.2-rsv1-not-negotiated", &[1002]),
        Rule::ReservedOpcode => (Demand::Fail, "rfc6455-5.2-reserved-opcode", &[1002]),
        Rule::MinimalLength => (Demand::Validate, "rfc6455-5.2-minimal-length", &[1002]),
        // Read as it stands, such a frame is larger than anything.
        Rule::LengthTopBit => (Demand::Validate, "rfc6455-5.2-length-top-bit", &[1002, 1009]),
        Rule::ContinuationWithoutStart => (Demand::Fail, "rfc6455-5.4-continuation-without-start", &[1002]),
        Rule::InterleavedMessage => (Demand::Fail, "rfc6455-5.4-interleaved-message", &[1002]),
        Rule::ControlLength => (Demand::Fail, "rfc6455-5.5-control-length", &[1002]),
        Rule::ControlFragmented => (Demand::Fail, "rfc6455-5.5-control-fragmented", &[1002]),
        Rule::CloseBodyOneByte => (Demand::Fail, "rfc6455-5.5.1-close-body-length", &[1002]),
        Rule::TextUtf8 => (Demand::Fail, "rfc6455-8.1-fail-on-invalid-utf8", &[1007]),
        Rule::CloseCodeReserved => (Demand::Fail, "rfc6455-7.4.1-close-code-reserved", &[1002]),
        Rule::CloseCodeUnused => (Demand::Fail, "rfc6455-7.4.2-close-code-unused", &[1002]),
        Rule::CloseCodeUnregistered => (Demand::Fail, "rfc6455-7.4.2-close-code-unregistered", &[1002]),
        // "The RFC has ranges for codes up to 4999 and says nothing of how to take those above" (case 7.13).
        Rule::CloseCodeOutOfRange => (Demand::Nothing, "rfc6455-5.5.1-close-code-defined", &[]),
        Rule::CloseReasonUtf8 => (Demand::Fail, "rfc6455-8.1-close-reason-utf8", &[1002, 1007]),
        Rule::Rsv1OnControl => (Demand::Fail, "rfc7692-6.1-rsv1-on-control", &[1002]),
        Rule::Rsv1OnContinuation => (Demand::Fail, "rfc7692-6.1-rsv1-on-continuation", &[1002]),
        Rule::DeflateData => (Demand::Fail, "rfc7692-6.2-decompress", &[1002, 1003, 1007]),
        Rule::ClientWindowExceeded | Rule::ServerWindowExceeded => {
            (Demand::Nothing, window_rule(role), &[1002, 1003, 1007])
        }
        Rule::ClientContextTakenOver | Rule::ServerContextTakenOver => {
            (Demand::Nothing, window_rule(role), &[1002, 1003, 1007])
        }
        // A new rule of frames has to be thought of here; until then nothing is asked.
        _ => (Demand::Nothing, "rfc6455-10.7-validate", &[]),
    }
}

fn window_rule(role: Role) -> &'static str {
    match role {
        Role::Server => "rfc7692-7.2.2-client-full-window",
        Role::Client => "rfc7692-7.2.2-server-full-window",
    }
}

/// What is right for a course. `role` is that of the peer.
pub(super) fn of(scenario: &Scenario, course: &Course, role: Role) -> Expectation {
    let (rule, mut accept, ending) = match (&course.breach, course.close, course.end) {
        (_, _, Some(End::Abort)) => reset(),
        _ if course.too_big => beyond_limits(),
        (Some(breach), _, None) => broken(course, breach, role),
        (None, Some(close), None) => closed(course, close, role),
        (breach, _, Some(End::Half)) => half_closed(course, breach.as_ref()),
        (None, None, None) => lawful(course),
    };
    if course.longest > MAY_BE_TOO_BIG {
        let note = "the message is too big for the peer, which says so";
        // Ours may be out before the peer's.
        let ours = course.sends_close.then_some(By::Us);
        for by in ours.into_iter().chain([By::Peer]) {
            let ending = Ending { by, codes: vec![1009], clean: false, bare: false };
            accept.push(
                ended_so(Outcome::Informational, up_to(course), ending).noted("rfc6455-10.4-limits", note),
            );
        }
    }
    if course.pings_at_once > MAY_BE_TOO_MANY {
        accept.extend(too_many_pings(course, role));
    }
    let mut needs = BTreeSet::new();
    let echoes = |answer: &Expected| {
        matches!(answer, Expected::Text(_) | Expected::Binary(_) | Expected::Exchanged(_))
    };
    if course.answers.iter().any(echoes) {
        needs.insert(Need::Echo);
    }
    if !scenario.opening.deflate.is_empty() {
        let note = "the peer did not agree to permessage-deflate, or not so that the scenario can be played";
        let declined = Saw::Events { events: vec![Expected::Declined], order: Order::Exact };
        // Last: the engine plays by the ending of the first outcome.
        accept.push(
            ended_so(Outcome::Unimplemented, declined, Ending::ordinary()).noted("rfc7692-5-declined", note),
        );
    }
    let mut rules = vec![RuleId::new(rule)];
    let also = RuleId::new("rfc6455-7.1.7-send-close");
    if ending.by == By::Peer && !rules.contains(&also) {
        rules.push(also);
    }
    Expectation { rules, accept, ending, needs }
}

/// "Servers MAY close the WebSocket connection whenever desired. Clients SHOULD NOT close the WebSocket connection
/// arbitrarily." (RFC 6455 7.3)
fn too_many_pings(course: &Course, role: Role) -> [Accept; 2] {
    let (verdict, rule) = match role {
        Role::Server => (Outcome::Informational, "rfc6455-7.3-server-closes"),
        Role::Client => (Outcome::NonStrict, "rfc6455-7.3-client-does-not-close"),
    };
    // One pong may have stood for all, so that our Close is out. Who defends itself owes nobody a Close.
    [By::Peer, By::Us].map(|by| {
        let ending = Ending { by, codes: vec![1008], clean: false, bare: true };
        let note = "so many pings at once are taken for an attack";
        ended_so(verdict, up_to(course), ending).noted(rule, note)
    })
}

/// Everything was lawful, and we close once it is answered.
fn lawful(course: &Course) -> (&'static str, Vec<Accept>, Ending) {
    let rule = rule_of(&course.features);
    if course.open_frame.is_some() || course.raw {
        // No frame of ours can follow, so the connection is left as it is.
        let either = Ending { by: By::Either, codes: Vec::new(), clean: false, bare: false };
        let mut accept = vec![ended_so(Outcome::Pass, apart(course), either.clone())];
        if course.open_frame.is_some() {
            let note = "the peer does not wait for the rest of the frame";
            accept.push(
                ended_so(Outcome::Informational, up_to(course), Ending::failed_with(&[]))
                    .noted("rfc6455-10.4-limits", note),
            );
        }
        return (rule, accept, either);
    }
    let mut accept = vec![ended_so(Outcome::Pass, apart(course), Ending::ordinary())];
    if !course.marks_inside.is_empty() {
        let inside =
            |answer: &Expected| matches!(answer, Expected::Open(mark) if course.marks_inside.contains(mark));
        let events = course.answers.iter().filter(|answer| !inside(answer)).cloned().collect();
        let note = "the peer answers pings within a message only when the message is whole";
        accept.push(
            ended_so(Outcome::NonStrict, Saw::Events { events, order: Order::Apart }, Ending::ordinary())
                .noted("rfc6455-5.5.2-pong-soon", note),
        );
    }
    if let Some(unfinished) = course.unfinished {
        accept.push(interrupted(course));
        if unfinished.compressed {
            let ours = Ending { by: By::Us, ..Ending::failed_with(INFLATING) };
            accept.push(inflating(course, ours));
            accept.push(inflating(course, Ending::failed_with(INFLATING)));
        }
    }
    (rule, accept, Ending::ordinary())
}

/// A compressed message is not whole.
fn inflating(course: &Course, ending: Ending) -> Accept {
    let note = "the peer inflates as it reads, and does not take what came of the message";
    ended_so(Outcome::Informational, up_to(course), ending).noted("rfc7692-6.2-decompress", note)
}

/// Our Close stands in a message.
fn interrupted(course: &Course) -> Accept {
    let note = "the peer took a message that is never completed for an error";
    let ending = Ending { clean: false, codes: vec![1002, 1007], ..Ending::ordinary() };
    ended_so(Outcome::Informational, up_to(course), ending)
        .noted("rfc6455-5.4-continuation-without-start", note)
}

/// We close, lawfully, among the steps.
fn closed(course: &Course, close: Close, role: Role) -> (&'static str, Vec<Accept>, Ending) {
    let mut codes = vec![1000];
    codes.extend(close.code.filter(|code| *code != 1000));
    let by = if course.sends_close { By::Us } else { By::Either };
    let ending = Ending { by, codes, clean: true, bare: false };
    let mut accept = vec![ended_so(Outcome::Pass, up_to(course), ending.clone())];
    let lax = |codes: &[u16]| Ending { by, codes: codes.to_vec(), clean: false, bare: false };
    if course.behind_close {
        let note = "the peer looked at what came behind the Close, which the sender must not send";
        // Where it ended TCP before it had read that, TCP is reset, and its Close may be lost with it.
        let ending = Ending { bare: true, ..lax(&[]) };
        accept.push(
            ended_so(Outcome::Informational, up_to(course), ending)
                .noted("rfc6455-5.5.1-data-after-close", note),
        );
    }
    if matches!(close.code, Some(1010 | 1012..=1014)) {
        let note = match (close.code, role) {
            (Some(1010), Role::Client) => {
                "1010 was taken for a protocol error, as a server has no use for it"
            }
            _ => "the peer knows the codes of RFC 6455 alone",
        };
        accept.push(
            ended_so(Outcome::Informational, up_to(course), lax(&[1002]))
                .noted("rfc6455-7.4.1-close-code-role", note),
        );
    }
    if close.interrupts.is_some() && !course.behind_close {
        accept.push(interrupted(course));
    }
    if close.interrupts.is_some_and(|message| message.compressed) {
        accept.push(inflating(course, lax(INFLATING)));
        accept.push(inflating(course, Ending::failed_with(INFLATING)));
    }
    ("rfc6455-5.5.1-answer-close", accept, ending)
}

/// We reset TCP: what was answered before may never have arrived, a Close as little as a pong.
fn reset() -> (&'static str, Vec<Accept>, Ending) {
    let either = Ending { by: By::Either, codes: Vec::new(), clean: false, bare: false };
    ("rfc6455-6.2-message-received", vec![ended_so(Outcome::Pass, Saw::Anything, either.clone())], either)
}

/// A message inflates to more than anybody has to take, and who takes it may take its time.
fn beyond_limits() -> (&'static str, Vec<Accept>, Ending) {
    let either = Ending { by: By::Either, codes: Vec::new(), clean: false, bare: false };
    (BEYOND_LIMITS, vec![ended_so(Outcome::Pass, Saw::Anything, either.clone())], either)
}

/// Our side of TCP ended, perhaps behind a Close or a breach. A peer that learns of the end before it has read the rest may
/// take the connection for closed, and has nobody then to send a Close to.
fn half_closed(course: &Course, breach: Option<&Breach>) -> (&'static str, Vec<Accept>, Ending) {
    let either = Ending { by: By::Either, codes: Vec::new(), clean: false, bare: false };
    let saw = match breach {
        None => up_to(course),
        Some(_) => Saw::Anything,
    };
    ("rfc6455-6.2-message-received", vec![ended_so(Outcome::Pass, saw, either.clone())], either)
}

/// We broke a rule.
fn broken(course: &Course, breach: &Breach, role: Role) -> (&'static str, Vec<Accept>, Ending) {
    let (demand, rule, codes) = match demand(breach.rule, role) {
        (_, rule, codes) if breach.doubtful => (Demand::Nothing, rule, codes),
        demanded => demanded,
    };
    // Which of two things that are wrong with a frame is told is not said.
    let mut codes = codes.to_vec();
    for beside in &breach.beside {
        add_codes(&mut codes, self::demand(*beside, role).2);
    }
    let codes = &codes;
    let either = Ending { by: By::Either, codes: Vec::new(), clean: false, bare: false };
    if demand == Demand::Nothing {
        return (rule, vec![ended_so(Outcome::Pass, Saw::Anything, either.clone())], either);
    }
    let mut accept = Vec::new();
    let mut failing = |outcome, saw: Saw, codes: &[u16]| {
        // Ours may be out before the peer's.
        if course.sends_close {
            let ending = Ending { by: By::Us, codes: codes.to_vec(), clean: false, bare: false };
            accept.push(ended_so(outcome, saw.clone(), ending));
        }
        accept.push(ended_so(outcome, saw, Ending::failed_with(codes)));
    };
    failing(Outcome::Pass, up_to(course), codes);
    let mut late = course.answers.clone();
    late.extend(breach.later.iter().cloned());
    let late = Saw::Events { events: late, order: Order::UpTo };
    if breach.in_content && (!breach.later.is_empty() || !breach.next.is_empty() || course.sends_close) {
        let mut codes = codes.clone();
        for next in &breach.next {
            let (demand, _, more) = self::demand(*next, role);
            add_codes(&mut codes, more);
            // So far it comes, and no further.
            if demand == Demand::Fail && !is_of_content(*next) {
                break;
            }
        }
        failing(Outcome::Informational, late.clone(), &codes);
    }
    if breach.in_compressed && !breach.in_content {
        failing(Outcome::Informational, up_to(course), INFLATING);
    }
    if breach.in_content && course.sends_close {
        let note = "the Close was answered before the message was looked at";
        let ending = Ending { by: By::Us, codes: Vec::new(), clean: true, bare: false };
        accept.push(ended_so(Outcome::Informational, late.clone(), ending).noted(rule, note));
    }
    // What a frame is can be seen in the frame; what a message says, when it is whole.
    let waits = !breach.frame_is_whole || breach.in_content && !breach.message_is_whole;
    match demand {
        Demand::Fail if waits => {
            let note = "the peer waits for the rest of the frame, or of the message";
            accept.push(ended_so(Outcome::Informational, late, either).noted(rule, note));
        }
        Demand::Fail => {}
        Demand::Validate if breach.rule == Rule::LengthTopBit => {
            let note = "the peer waits for a payload that cannot come";
            accept.push(
                ended_so(Outcome::NonStrict, up_to(course), either).noted("rfc6455-10.7-validate", note),
            );
        }
        Demand::Validate => {
            let note = "the frame was taken as if its length were in the shortest form";
            accept.push(
                ended_so(Outcome::NonStrict, Saw::Anything, either).noted("rfc6455-10.7-validate", note),
            );
        }
        Demand::Nothing => {}
    }
    let ending = match course.sends_close {
        true => Ending { by: By::Us, codes: codes.clone(), clean: false, bare: false },
        false => Ending::failed_with(codes),
    };
    (rule, accept, ending)
}

/// Each code once.
fn add_codes(codes: &mut Vec<u16>, more: &[u16]) {
    for code in more {
        if !codes.contains(code) {
            codes.push(*code);
        }
    }
}

fn apart(course: &Course) -> Saw {
    Saw::Events { events: course.answers.clone(), order: Order::Apart }
}

fn up_to(course: &Course) -> Saw {
    Saw::Events { events: course.answers.clone(), order: Order::UpTo }
}

fn ended_so(verdict: Outcome, saw: Saw, ending: Ending) -> Accept {
    Accept { verdict, saw, ending: Some(ending), rule: None, note: None }
}

/// What an outcome rests on, where it is not the main rule.
trait Noted {
    fn noted(self, rule: &str, note: &str) -> Self;
}

impl Noted for Accept {
    fn noted(self, rule: &str, note: &str) -> Self {
        Self { rule: Some(RuleId::new(rule)), note: Some(note.to_owned()), ..self }
    }
}

/// The rule that a lawful conversation is about: what is most particular in it.
fn rule_of(features: &Features) -> &'static str {
    let Features {
        text,
        binary,
        ping,
        pong,
        fragments,
        between_fragments,
        chopped,
        beyond_ascii,
        compressed,
        long_length,
    } = *features;
    let table = [
        (compressed, "rfc7692-6.2-decompress"),
        (between_fragments, "rfc6455-5.4-control-between-fragments"),
        (fragments, "rfc6455-5.4-support-fragments"),
        (beyond_ascii, "rfc6455-5.6-text"),
        (long_length, "rfc6455-5.2-payload-length"),
        (chopped, "rfc6455-6.2-parse-frames"),
        (text && !binary, "rfc6455-5.6-text"),
        (binary && !text, "rfc6455-5.6-binary"),
        (text || binary, "rfc6455-6.2-message-received"),
        (ping, "rfc6455-5.5.2-pong-answers-ping"),
        (pong, "rfc6455-5.5.3-unsolicited-pong"),
    ];
    table.iter().find(|(is, _)| *is).map_or("rfc6455-5.5.1-answer-close", |(_, rule)| rule)
}
