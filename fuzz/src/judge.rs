//! The judge, over any case and anything that may have happened.

use std::sync::Arc;

use wsgrade::judge::{self, Judgement};
use wsgrade::plan::Plan;
use wsgrade::streams::Streams;
use wsgrade_cases::Catalogue;
use wsgrade_cases::any::{self, Dice, maybe, pick, some};
use wsgrade_cases::model::{Role, Scenario, Step};
use wsgrade_codec::check::Rule;
use wsgrade_reports::record::{
    Behavior, Canary, CloseVerdict, ClosedHow, Direction, Entry, FrameInfo, Grown, HttpMessage, MessageKind,
    PayloadInfo, RoundTrips, Taken, Transcript, Unopened, What,
};

/// More would only be more of the same, and take longer.
const MOST_TIMES: u32 = 4;

/// A case, of the catalogue or drawn, and a transcript, drawn. Whatever they are
///
/// - there is a verdict, and the same one again;
/// - it does not depend on when things happened, as long as they happened in this order;
/// - it is inconclusive just where our side failed and nothing was seen beside it;
/// - what is not a plain pass has a reason, and reasons point into the transcript;
/// - one more violation by the peer is told, and never makes it better.
pub(crate) fn judge(data: &[u8]) {
    let dice = &mut Dice::new(data);
    let scenario = scenario(dice);
    let role = pick(dice, &[Role::Server, Role::Client]);
    let entries = usize::from(dice.byte()) % 32;
    let transcript = Transcript { entries: (0..entries).map(|at| entry(dice, at, &scenario)).collect() };
    let plan = Plan::new(Arc::new(scenario), Arc::new(Streams::default()));
    let judgement = judge::judge(&plan, role, &transcript);

    assert_eq!(judge::judge(&plan, role, &transcript), judgement);
    is_reasoned(&plan, &transcript, &judgement);
    let at_other_times = |time: fn(u64) -> u64| {
        let mut other = transcript.clone();
        for entry in &mut other.entries {
            entry.at_us = time(entry.at_us);
        }
        judge::judge(&plan, role, &other)
    };
    let times: [fn(u64) -> u64; 3] = [|us| us * 3, |us| us + 5_000_000, |us| us / 7 + 1];
    for time in times {
        assert_eq!(at_other_times(time), judgement, "at other times");
    }
    one_more_violation(dice, &plan, role, transcript, &judgement);
}

fn scenario(d: &mut Dice<'_>) -> Scenario {
    if d.flag() {
        let all = Catalogue::embedded().scenarios();
        return all[usize::from(d.short()) % all.len()].at_depth(2);
    }
    let mut scenario = any::scenario(d);
    for step in &mut scenario.steps {
        if let Step::Send(frame) = step {
            frame.times = frame.times.min(MOST_TIMES);
        }
    }
    scenario
}

fn is_reasoned(plan: &Plan, transcript: &Transcript, judgement: &Judgement) {
    let Judgement { behavior, close, close_code: _, findings, heard: _, by_peer: _ } = judgement;
    let trouble = judge::trouble(&plan.scenario, transcript).is_some();
    assert!(trouble || *behavior != Behavior::Inconclusive, "inconclusive without trouble");
    assert!(trouble || *close != CloseVerdict::Inconclusive, "inconclusive without trouble");
    let plain =
        *behavior == Behavior::Pass && matches!(close, CloseVerdict::Pass | CloseVerdict::Informational);
    assert!(plain || !findings.is_empty(), "{behavior} and {close} for no reason");
    for finding in findings {
        assert!(!finding.observed.is_empty() || !finding.expected.is_empty(), "{finding:?}");
        assert!(finding.entry.is_none_or(|at| at < transcript.entries.len()), "{finding:?}");
    }
}

fn one_more_violation(
    d: &mut Dice<'_>,
    plan: &Plan,
    role: Role,
    mut transcript: Transcript,
    before: &Judgement,
) {
    let rule = pick(d, Rule::ALL);
    let at = usize::from(d.byte()) % (transcript.entries.len() + 1);
    let time = transcript.entries.get(at).map_or(u64::MAX, |entry| entry.at_us);
    let detail = "drawn".to_owned();
    let what = What::Violation { rule: rule.id().to_owned(), detail };
    transcript.entries.insert(at, Entry { at_us: time, step: None, prelude: false, what });
    let after = judge::judge(plan, role, &transcript);
    if judge::trouble(&plan.scenario, &transcript).is_some() {
        assert_eq!(after.behavior, before.behavior, "trouble outweighs it");
        return;
    }
    assert!(after.behavior >= before.behavior, "{} became {}", before.behavior, after.behavior);
    assert!(after.findings.iter().any(|finding| finding.rule == rule.id()), "{} is not told", rule.id());
    let must = rule.level().starts_with("MUST");
    assert!(!must || after.behavior == Behavior::Fail, "{} is a {}", rule.id(), after.behavior);
}

fn entry(d: &mut Dice<'_>, at: usize, scenario: &Scenario) -> Entry {
    let what = what(d, scenario);
    let step = maybe(d, |d| usize::from(d.byte()) % 4);
    Entry { at_us: at as u64 * 1000 + u64::from(d.byte()), step, prelude: d.byte() > 240, what }
}

/// What the case expects, now and then, or else anything.
fn payload(d: &mut Dice<'_>, scenario: &Scenario) -> PayloadInfo {
    use wsgrade_cases::model::Expected;
    let answers = scenario.answers();
    let mut wanted = answers.iter().filter_map(|answer| match answer {
        Expected::Text(payload) | Expected::Binary(payload) | Expected::Pong(payload) => Some(payload),
        Expected::Open(_)
        | Expected::Exchanged(_)
        | Expected::Declined
        | Expected::Refused { .. }
        | Expected::Dropped
        | Expected::Unanswered => None,
    });
    match d.byte() {
        0x80.. => wanted
            .next_back()
            .map_or_else(PayloadInfo::default, |payload| PayloadInfo::of(&payload.to_bytes())),
        length => PayloadInfo::of(d.string().repeat(usize::from(length)).as_bytes()),
    }
}

fn frame(d: &mut Dice<'_>, scenario: &Scenario) -> FrameInfo {
    let opcode = pick(d, &[1, 2, 8, 9, 10, 0, 3]);
    let payload = payload(d, scenario);
    FrameInfo {
        opcode,
        fin: d.byte() < 0xf0,
        rsv: if d.byte() < 0xf0 { 0 } else { 4 },
        mask: maybe(d, |d| format!("{:08x}", d.number())),
        length_bytes: pick(d, &[0, 2, 8]),
        declared: payload.len + u64::from(d.byte() / 0xf0),
        payload,
        close_code: maybe(d, |d| pick(d, &[1000, 1001, 1002, 1007, 1009, 1011, 3000]))
            .filter(|_| opcode == 8),
        chops: maybe(d, Dice::number),
        times: 1 + d.number() % MOST_TIMES,
    }
}

/// Any kind of entry.
fn what(d: &mut Dice<'_>, scenario: &Scenario) -> What {
    let dir = pick(d, &[Direction::Received, Direction::Sent]);
    match d.byte() % 32 {
        0 => What::Connected,
        1 => What::Http { dir, message: HttpMessage { lines: some(d, 0, Dice::string), bytes: d.long() } },
        2 => What::Opened { subprotocol: maybe(d, Dice::string), extensions: maybe(d, Dice::string) },
        3 => What::OpeningFailed {
            status: maybe(d, |d| pick(d, &[200, 400, 401, 426, 500])),
            reason: d.string(),
            how: maybe(d, |d| {
                pick(d, &[Unopened::Refused, Unopened::Dropped, Unopened::Unanswered, Unopened::Unreadable])
            }),
            versions: maybe(d, |d| pick(d, &["13".to_owned(), "13, 8".to_owned(), "8".to_owned()])),
        },
        4 => What::Bytes { dir, payload: payload(d, scenario) },
        5..=9 => What::Message {
            kind: pick(d, &[MessageKind::Text, MessageKind::Binary]),
            payload: payload(d, scenario),
        },
        10 => exchanged(d),
        11 => What::Declined { extension: "permessage-deflate".to_owned() },
        12 => What::Violation { rule: pick(d, Rule::ALL).id().to_owned(), detail: d.string() },
        13 => What::StillOpen { mark: pick(d, &["A".to_owned(), "B".to_owned()]) },
        14 => What::TimedOut { waited_for: d.string() },
        15 | 16 => What::EndOfStream,
        17 => What::Reset,
        18 => What::Closed {
            how: pick(d, &[ClosedHow::Normal, ClosedHow::GaveUp, ClosedHow::Abort, ClosedHow::Half]),
        },
        19 => What::Trouble { reason: d.string() },
        20 => What::Canary(Canary {
            before_us: d.long() >> 40,
            slowest_us: d.long() >> 40,
            answered: d.number(),
            newcomer_us: maybe(d, |d| d.long() >> 40),
            bound_us: d.long() >> 40,
            lost: maybe(d, Dice::string),
            unserved: maybe(d, Dice::string),
        }),
        21 => What::Resources { before: taken(d), peak: taken(d), after: taken(d) },
        22 => What::Crowd { connections: d.number(), opened: d.number() },
        23 => What::Growth {
            sizes: some(d, 0, |d| Grown { bytes: d.long() >> 40, us: d.long() >> 40, answer: d.string() }),
        },
        24 => What::Folded { dir, frames: d.long() >> 40, bytes: d.long() >> 40 },
        _ => What::Frame { dir, frame: frame(d, scenario) },
    }
}

fn exchanged(d: &mut Dice<'_>) -> What {
    let of = 1 + d.number() % 4;
    What::Exchanged {
        messages: d.number() % (of + 1),
        of,
        bytes: d.long(),
        sent: d.long(),
        received: d.long(),
        compressed: d.number(),
        round_trips: maybe(d, |d| RoundTrips {
            min_us: d.long(),
            median_us: d.long(),
            p99_us: d.long(),
            max_us: d.long(),
            total_us: d.long(),
        }),
    }
}

fn taken(d: &mut Dice<'_>) -> Taken {
    Taken {
        rss_bytes: maybe(d, |d| d.long() >> 30),
        cpu_ms: maybe(d, |d| f64::from(d.number())),
        files: maybe(d, |d| u64::from(d.byte())),
    }
}
