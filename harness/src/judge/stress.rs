//! What a case of resilience asks of a target beyond its own connection: that others stay served, and that the process
//! stays within bounds.
//!
//! RFC 6455 10.4: "Implementations that have implementation- and/or platform-specific limitations regarding the frame
//! size or total message size after reassembly from multiple frames MUST protect themselves against exceeding those
//! limits." Which limits those are is the target's to say; that others go down with them is not. "Such an implementation SHOULD
//! impose a limit on frame sizes and the total message size": how much a process may take is a figure of ours, so one that
//! takes more is non-strict at most.

use std::time::Duration;

use wsgrade_cases::model::{Scenario, Stress};
use wsgrade_reports::record::{Canary, Direction, Entry, Finding, Grown, Taken, Transcript, What};

/// What a time has to grow by to be told from noise.
const NOTICEABLE_US: u64 = 100_000;
/// From twice to four times the size the time grows by twice as much as from once to twice where it is linear, by four
/// times as much where it is quadratic.
const LINEAR: u64 = 3;
/// The most that a frame's header has.
const HEADER: u64 = 14;

/// What a process that takes more than the case allows has broken.
pub(crate) const IMPOSE_LIMIT: &str = "rfc6455-10.4-impose-limit";

/// Everything that speaks against the target, with the entry where it is seen.
pub(super) fn findings(scenario: &Scenario, transcript: &Transcript) -> Vec<Finding> {
    let Some(stress) = &scenario.stress else { return Vec::new() };
    let main = scenario.rules.first().map(ToString::to_string).unwrap_or_default();
    let mut findings = kept(stress, transcript);
    for (at, entry) in transcript.entries.iter().enumerate() {
        let of_process = matches!(entry.what, What::Resources { .. });
        let rule = if of_process { IMPOSE_LIMIT } else { main.as_str() };
        let seen = match &entry.what {
            What::Canary(canary) => unserved(canary).into_iter().collect(),
            What::Resources { before, peak, after } => {
                exceeded(stress, before, peak, after, sent(transcript))
            }
            What::Growth { sizes } => superlinear(sizes).into_iter().collect(),
            What::Connected
            | What::Http { .. }
            | What::Opened { .. }
            | What::OpeningFailed { .. }
            | What::Frame { .. }
            | What::Bytes { .. }
            | What::Message { .. }
            | What::Exchanged { .. }
            | What::Declined { .. }
            | What::Violation { .. }
            | What::Crowd { .. }
            | What::StillOpen { .. }
            | What::TimedOut { .. }
            | What::EndOfStream
            | What::Reset
            | What::Closed { .. }
            | What::Trouble { .. }
            | What::Folded { .. } => Vec::new(),
        };
        findings.extend(seen.into_iter().map(|(expected, observed)| Finding {
            rule: rule.to_owned(),
            expected,
            observed,
            entry: Some(at),
        }));
    }
    findings
}

/// What was expected, and what was seen instead.
type Seen = (String, String);

fn unserved(canary: &Canary) -> Option<Seen> {
    let Canary { before_us: _, slowest_us, answered: _, newcomer_us, bound_us, lost, unserved } = canary;
    let bound = time(*bound_us);
    let observed = if let Some(how) = lost {
        format!("a connection that did nothing but ping was lost: {how}")
    } else if let Some(why) = unserved {
        format!("once the case was over no new connection was served: {why}")
    } else if slowest_us > bound_us {
        format!("a ping on another connection was not answered within {bound}")
    } else if newcomer_us.is_some_and(|us| us > *bound_us) {
        format!("a new connection was not served within {bound}")
    } else {
        return None;
    };
    Some((format!("other connections are served within {bound} whatever one peer does"), observed))
}

fn exceeded(stress: &Stress, before: &Taken, peak: &Taken, after: &Taken, sent: u64) -> Vec<Seen> {
    let mut seen = Vec::new();
    if let (Some(limit), Some(before), Some(peak)) = (stress.memory, before.rss_bytes, peak.rss_bytes) {
        let (limit, grown) = (limit.saturating_add(sent.saturating_mul(2)), peak.saturating_sub(before));
        if grown > limit {
            seen.push((
                format!("the process holds no more than {limit} bytes beyond what it held before"),
                format!("it held {grown} bytes more, for {sent} bytes that were sent to it"),
            ));
        }
    }
    if let (Some(limit), Some(before), Some(after)) = (stress.cpu, before.cpu_ms, after.cpu_ms) {
        let taken = (after - before).max(0.0);
        if taken > limit.as_secs_f64() * 1e3 {
            seen.push((
                format!(
                    "the process takes no more than {} of processor time",
                    humantime::format_duration(limit)
                ),
                format!("it took {taken:.0} ms"),
            ));
        }
    }
    if let (Some(more), Some(before), Some(after)) = (stress.files, before.files, after.files)
        && after > before + u64::from(more)
    {
        seen.push((
            format!("the process has no more than {more} more files open once the connections are gone"),
            format!("it had {before} open before, and {after} afterwards"),
        ));
    }
    seen
}

/// What the process keeps of connections that are over: more than its bound after every round of them, and not ever less, as one
/// that is still warming up.
fn kept(stress: &Stress, transcript: &Transcript) -> Vec<Finding> {
    let Some(limit) = stress.kept else { return Vec::new() };
    let connections = u64::from(stress.connections.get());
    let round = |(at, entry): (usize, &Entry)| {
        let What::Resources { before, peak: _, after } = &entry.what else { return None };
        Some((at, after.rss_bytes?.saturating_sub(before.rss_bytes?) / connections))
    };
    let rounds: Vec<_> = transcript.entries.iter().enumerate().filter_map(round).collect();
    let Some((at, least)) = rounds.iter().min_by_key(|(_, bytes)| *bytes).copied() else { return Vec::new() };
    let levels_off =
        rounds.first().zip(rounds.last()).is_some_and(|((_, first), (_, last))| *last < first / 2);
    if least <= limit || levels_off {
        return Vec::new();
    }
    let each: Vec<_> = rounds.iter().map(|(_, bytes)| bytes.to_string()).collect();
    vec![Finding {
        rule: IMPOSE_LIMIT.to_owned(),
        expected: format!("the process keeps no more than {limit} bytes of a connection that is over"),
        observed: format!("it kept {} bytes of each of {connections}, round by round", each.join(", ")),
        entry: Some(at),
    }]
}

/// What was sent to the target on all connections, at most.
fn sent(transcript: &Transcript) -> u64 {
    let mut connections = 1;
    let mut bytes: u64 = 0;
    for entry in &transcript.entries {
        if let What::Crowd { connections: all, opened: _ } = &entry.what {
            connections = u64::from(*all);
        }
        bytes = bytes.saturating_add(match &entry.what {
            What::Http { dir: Direction::Sent, message } => message.bytes,
            What::Frame { dir: Direction::Sent, frame } => {
                (frame.payload.len + HEADER).saturating_mul(u64::from(frame.times))
            }
            What::Bytes { dir: Direction::Sent, payload } => payload.len,
            What::Folded { dir: Direction::Sent, frames, bytes } => {
                bytes.saturating_add(frames.saturating_mul(HEADER))
            }
            What::Exchanged { sent, .. } => *sent,
            What::Connected
            | What::Http { dir: Direction::Received, .. }
            | What::Opened { .. }
            | What::OpeningFailed { .. }
            | What::Frame { dir: Direction::Received, .. }
            | What::Bytes { dir: Direction::Received, .. }
            | What::Message { .. }
            | What::Declined { .. }
            | What::Violation { .. }
            | What::Canary(_)
            | What::Resources { .. }
            | What::Crowd { .. }
            | What::Growth { .. }
            | What::StillOpen { .. }
            | What::TimedOut { .. }
            | What::EndOfStream
            | What::Reset
            | What::Closed { .. }
            | What::Trouble { .. }
            | What::Folded { dir: Direction::Received, .. } => 0,
        });
    }
    bytes.saturating_mul(connections)
}

/// Where the answers are not the same a limit lies between the sizes, and times say nothing.
fn superlinear(sizes: &[Grown]) -> Option<Seen> {
    let [one, two, four] = sizes else { return None };
    if one.answer != two.answer || two.answer != four.answer {
        return None;
    }
    let first = two.us.saturating_sub(one.us);
    let second = four.us.saturating_sub(two.us);
    if second < NOTICEABLE_US || second <= first.saturating_mul(LINEAR) {
        return None;
    }
    let times = [one, two, four].map(|size| format!("{} bytes in {}", size.bytes, time(size.us)));
    Some((
        "the time that an opening handshake takes grows no faster than its size".to_owned(),
        format!("it took {}", times.join(", ")),
    ))
}

fn time(us: u64) -> String {
    let time = Duration::from_micros(us);
    let short = if us < 10_000 { time } else { Duration::from_millis(us / 1000) };
    humantime::format_duration(short).to_string()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use wsgrade_cases::model::{Ending, Saw};
    use wsgrade_codec::Role;
    use wsgrade_reports::record::{Behavior, HttpMessage};

    use super::*;
    use crate::judge::judge;
    use crate::plan::Plan;

    /// What is said of a case in which this was seen, line by line, and the verdict.
    fn judged(stress: Stress, whats: Vec<What>) -> (Behavior, Vec<String>) {
        let scenario = Scenario {
            stress: Some(stress),
            ..Scenario::uncatalogued(
                "R",
                Vec::new(),
                Saw::Anything,
                Ending { by: wsgrade_cases::model::By::Either, ..Ending::ordinary() },
            )
        };
        let entries =
            whats.into_iter().map(|what| Entry { at_us: 0, step: None, prelude: false, what }).collect();
        let judgement = judge(&Plan::alone(scenario), Role::Server, &Transcript { entries });
        (judgement.behavior, judgement.findings.into_iter().map(|finding| finding.observed).collect())
    }

    fn canary() -> Canary {
        Canary {
            before_us: 80,
            slowest_us: 2_000_000,
            answered: 9,
            newcomer_us: Some(2_000_000),
            bound_us: 2_000_000,
            ..Canary::default()
        }
    }

    #[test]
    fn a_canary_has_to_be_served() {
        let seen = |canary| judged(Stress::default(), vec![What::Connected, What::Canary(canary)]);
        assert_eq!(seen(canary()), (Behavior::Pass, vec![]));
        let late = Canary { slowest_us: 2_000_001, ..canary() };
        assert_eq!(
            seen(late),
            (Behavior::Fail, vec!["a ping on another connection was not answered within 2s".to_owned()])
        );
        let newcomer = Canary { newcomer_us: Some(2_000_001), ..canary() };
        assert_eq!(
            seen(newcomer),
            (Behavior::Fail, vec!["a new connection was not served within 2s".to_owned()])
        );
        let none = Canary { newcomer_us: None, ..canary() };
        assert_eq!(seen(none), (Behavior::Pass, vec![]));
        let unserved = Canary { unserved: Some("connection refused".to_owned()), ..canary() };
        assert_eq!(
            seen(unserved).1,
            ["once the case was over no new connection was served: connection refused"]
        );
        let lost = Canary { lost: Some("the peer ended TCP".to_owned()), ..canary() };
        assert_eq!(
            seen(lost.clone()).1,
            ["a connection that did nothing but ping was lost: the peer ended TCP"]
        );

        // Trouble is for the case's own connection to have, and excuses nobody from serving others.
        let trouble = || What::Trouble { reason: "connection refused".to_owned() };
        assert_eq!(judged(Stress::default(), vec![trouble(), What::Canary(lost)]).0, Behavior::Fail);
        assert_eq!(
            judged(Stress::default(), vec![trouble(), What::Canary(canary())]).0,
            Behavior::Inconclusive
        );
    }

    #[test]
    fn what_is_no_case_of_resilience_has_no_canary() {
        let scenario = Scenario::uncatalogued("R", Vec::new(), Saw::Anything, Ending::ordinary());
        let what = What::Canary(Canary { lost: Some("gone".to_owned()), ..canary() });
        let transcript = Transcript { entries: vec![Entry { at_us: 0, step: None, prelude: false, what }] };
        assert!(findings(&scenario, &transcript).is_empty());
    }

    fn taken(rss: u64, cpu: f64, files: u64) -> Taken {
        Taken { rss_bytes: Some(rss), cpu_ms: Some(cpu), files: Some(files) }
    }

    #[test]
    fn a_process_has_bounds_where_it_is_known() {
        let stress = || Stress {
            memory: Some(1000),
            cpu: Some(Duration::from_millis(500)),
            files: Some(5),
            ..Stress::default()
        };
        let head = || What::Http { dir: Direction::Sent, message: HttpMessage { lines: vec![], bytes: 100 } };
        let seen = |stress, peak: Taken, after: Taken| {
            judged(stress, vec![head(), What::Resources { before: taken(5000, 100.0, 10), peak, after }])
        };
        let fine = taken(6200, 600.0, 15);
        assert_eq!(seen(stress(), fine, fine), (Behavior::Pass, vec![]));
        assert_eq!(
            seen(stress(), taken(6201, 601.0, 99), taken(5000, 601.0, 16)),
            (
                Behavior::NonStrict,
                vec![
                    "it held 1201 bytes more, for 100 bytes that were sent to it".to_owned(),
                    "it took 501 ms".to_owned(),
                    "it had 10 open before, and 16 afterwards".to_owned(),
                ]
            )
        );
        let much = taken(1 << 40, 1e9, 1 << 20);
        assert_eq!(seen(Stress::default(), much, much).0, Behavior::Pass, "no bounds, no finding");
        assert_eq!(
            seen(stress(), Taken::default(), Taken::default()).0,
            Behavior::Pass,
            "not known, not judged"
        );
        // What a crowd sent is allowed for each of them.
        let crowd = What::Crowd { connections: 10, opened: 10 };
        let resources = |rss| What::Resources {
            before: taken(5000, 0.0, 0),
            peak: taken(rss, 0.0, 0),
            after: taken(0, 0.0, 0),
        };
        let many = Stress { connections: NonZeroU32::new(10).unwrap(), ..stress() };
        assert_eq!(judged(many.clone(), vec![head(), crowd.clone(), resources(8000)]).0, Behavior::Pass);
        assert_eq!(judged(many, vec![head(), crowd, resources(8001)]).0, Behavior::NonStrict);
    }

    /// A process that warms up grows once or twice, one that forgets nothing each time.
    #[test]
    fn what_is_kept_of_connections_that_are_over() {
        let stress =
            || Stress { connections: NonZeroU32::new(100).unwrap(), kept: Some(10), ..Stress::default() };
        let round = |before: u64, after: u64| What::Resources {
            before: taken(before, 0.0, 0),
            peak: taken(1 << 40, 0.0, 0),
            after: taken(after, 0.0, 0),
        };
        let grows = vec![round(0, 9000), round(9000, 10_100), round(10_100, 20_000)];
        assert_eq!(
            judged(stress(), grows),
            (Behavior::NonStrict, vec!["it kept 90, 11, 99 bytes of each of 100, round by round".to_owned()])
        );
        let warms_up = vec![round(0, 9000), round(9000, 10_000), round(10_000, 20_000)];
        assert_eq!(judged(stress(), warms_up), (Behavior::Pass, vec![]));
        let levels_off = vec![round(0, 9000), round(9000, 14_000), round(14_000, 18_000)];
        assert_eq!(judged(stress(), levels_off), (Behavior::Pass, vec![]));
        assert_eq!(judged(stress(), vec![round(9000, 0)]), (Behavior::Pass, vec![]));
        assert_eq!(judged(stress(), vec![]), (Behavior::Pass, vec![]), "not known, not judged");
        assert_eq!(judged(Stress::default(), vec![round(0, 9000)]), (Behavior::Pass, vec![]));
    }

    #[test]
    fn time_may_grow_as_the_size_does() {
        let grown = |times: [u64; 3], answers: [&str; 3]| {
            let sizes = [1000, 2000, 4000].iter().zip(times).zip(answers);
            let sizes =
                sizes.map(|((bytes, us), answer)| Grown { bytes: *bytes, us, answer: answer.to_owned() });
            judged(
                Stress { growth: true, ..Stress::default() },
                vec![What::Growth { sizes: sizes.collect() }],
            )
        };
        let same = ["101"; 3];
        assert_eq!(grown([50_000, 200_000, 800_000], same).0, Behavior::Fail, "quadratic");
        assert_eq!(
            grown([50_000, 200_000, 800_000], same).1,
            ["it took 1000 bytes in 50ms, 2000 bytes in 200ms, 4000 bytes in 800ms"]
        );
        assert_eq!(grown([100_000, 200_000, 400_000], same).0, Behavior::Pass, "linear, however slow");
        assert_eq!(grown([900_000, 900_100, 900_400], same).0, Behavior::Pass, "slow for another reason");
        assert_eq!(grown([100, 400, 99_000], same).0, Behavior::Pass, "too short to tell");
        assert_eq!(
            grown([50_000, 200_000, 800_000], ["101", "101", "431"]).0,
            Behavior::Pass,
            "a limit between"
        );
        assert_eq!(judged(Stress::default(), vec![What::Growth { sizes: vec![] }]).0, Behavior::Pass);
    }
}
