//! Shards of one run, put together.
//!
//! ```text
//! run.json of shard 1 of 3 ─┐
//! run.json of shard 2 of 3 ─┼─ alike? all there? ─▶ the record of the whole run
//! run.json of shard 3 of 3 ─┘
//! ```
//!
//! Every shard lists all the cases that were selected, and has records of its own part. So the merged record is that of
//! the whole run, record for record, in the order of its cases. What can only be one of several is combined so:
//!
//! - `started` is the earliest, and `duration_ms` the longest: shards run side by side;
//! - `seed`, and what was found of a target before the first case, is that of the first shard, and so is the URL;
//! - of a process, memory is the most that a shard saw and processor time the sum; how processes ended by themselves is told
//!   for each;
//! - `stopped` is there where the run of any shard ended too early, and says which;
//! - of what was expected, which has to be the same for all, whatever any shard says is not true is told once.

use std::collections::{HashMap, HashSet};

use crate::record::{
    CaseKey, CaseRecord, ExpectationRecord, ProcessInfo, RunOptions, RunReport, Shard, TargetReport,
};
use crate::render::text::column;

/// The record of a shard, and the file it is from.
#[derive(Clone, Debug)]
pub struct Part {
    /// The name of the file, for errors.
    pub file: String,
    /// The record.
    pub report: RunReport,
}

/// Why records cannot be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is none.
    #[error("there is nothing to put together")]
    Nothing,
    /// One is no shard.
    #[error("{file} is no shard: its run was played without --shard, so there is nothing to add to it")]
    Whole {
        /// Its file.
        file: String,
    },
    /// One is of a fuzz run.
    #[error("{file} is the record of a fuzz run, which has no shards")]
    Fuzzed {
        /// Its file.
        file: String,
    },
    /// Two are the same part.
    #[error("{first} and {second} are both shard {index} of {count}: leave one of them out")]
    Twice {
        /// Which part.
        index: u32,
        /// Of how many.
        count: u32,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// Some are not there.
    #[error("{} of {count} {} missing: all shards are needed, since what was not played cannot be judged", shards(.missing), if .missing.len() == 1 { "is" } else { "are" })]
    Missing {
        /// Which, ascending.
        missing: Vec<u32>,
        /// Of how many.
        count: u32,
    },
    /// A number is none of a shard.
    #[error("{file} says that it is shard {index} of {count}, which cannot be")]
    Number {
        /// Its file.
        file: String,
        /// The number.
        index: u32,
        /// Of how many.
        count: u32,
    },
    /// They are parts of different runs.
    #[error(
        "{first} and {second} are not of one run: {what} {a} and {b}; play all shards with the same wsgrade and the same options"
    )]
    Unlike {
        /// One file.
        first: String,
        /// The other.
        second: String,
        /// What is not the same, as the subject of a sentence with its verb.
        what: &'static str,
        /// It in the first.
        a: String,
        /// It in the second.
        b: String,
    },
    /// They were not judged by the same expectations.
    #[error(
        "{first} and {second} were not judged by the same expectations: {what} {a} and {b}; play all shards with the same ones"
    )]
    Expectations {
        /// One file.
        first: String,
        /// The other.
        second: String,
        /// What is not the same, as the subject of a sentence with its verb.
        what: String,
        /// It in the first.
        a: String,
        /// It in the second.
        b: String,
    },
    /// A target is in one and not in the other.
    #[error("{target} is in {has} and not in {lacks}: play every shard against the same targets")]
    Target {
        /// The target, made visible.
        target: String,
        /// The file that has it.
        has: String,
        /// The file that has it not.
        lacks: String,
    },
    /// A case is in two shards.
    #[error(
        "case {case} is in {first} and in {second}: the run was not cut alike; give every shard the same --durations file, or none"
    )]
    Overlap {
        /// The case, made visible.
        case: String,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// A case is in no shard, though none was stopped.
    #[error(
        "case {case} is in no shard: the run was not cut alike; give every shard the same --durations file, or none"
    )]
    Gap {
        /// The case, made visible.
        case: String,
    },
}

/// `shard 2` or `shards 2 and 3`.
fn shards(missing: &[u32]) -> String {
    let numbers: Vec<_> = missing.iter().map(u32::to_string).collect();
    match numbers.split_last() {
        Some((last, [])) => format!("shard {last}"),
        Some((last, rest)) => format!("shards {} and {last}", rest.join(", ")),
        None => "no shard".to_owned(),
    }
}

/// Puts shards together, in whatever order they are given.
///
/// # Errors
///
/// Where they are not all the shards of one run; each names the files.
pub fn merge(mut parts: Vec<Part>) -> Result<RunReport, MergeError> {
    in_order(&mut parts)?;
    let Some((first, others)) = parts.split_first() else { return Err(MergeError::Nothing) };
    for other in others {
        alike(first, other)?;
    }
    let matched = matched(&parts)?;
    let places: HashMap<&str, usize> =
        first.report.cases.iter().enumerate().map(|(at, case)| (case.id.as_str(), at)).collect();
    let mut targets = Vec::new();
    for (n, target) in first.report.targets.iter().enumerate() {
        let slices: Vec<_> = parts
            .iter()
            .zip(&matched)
            .map(|(part, places)| (part, &part.report.targets[places[n]]))
            .collect();
        let whole = TargetReport {
            stopped: stopped(&slices),
            process: process(&slices),
            cases: records(&slices, &places)?,
            ..target.clone()
        };
        if whole.stopped.is_none() {
            complete(&first.report, &whole)?;
        }
        targets.push(whole);
    }
    let reports = || parts.iter().map(|part| &part.report);
    Ok(RunReport {
        // All are in UTC and of one form, so that their order is that of time.
        started: reports().map(|report| report.started.clone()).min().unwrap_or_default(),
        duration_ms: reports().map(|report| report.duration_ms).fold(0.0, f64::max),
        shard: None,
        targets,
        expectations: expectations(&parts),
        ..first.report.clone()
    })
}

/// Sorts the shards by their number, once it is sure that each is there, and once.
fn in_order(parts: &mut [Part]) -> Result<(), MergeError> {
    let mut count = None;
    for part in &*parts {
        let file = || part.file.clone();
        if part.report.fuzz.is_some() {
            return Err(MergeError::Fuzzed { file: file() });
        }
        let Some(shard) = part.report.shard else { return Err(MergeError::Whole { file: file() }) };
        if shard.index == 0 || shard.index > shard.count || shard.count > Shard::MOST {
            return Err(MergeError::Number { file: file(), index: shard.index, count: shard.count });
        }
        let (first, of) = *count.get_or_insert((part, shard.count));
        if of != shard.count {
            let (a, b) = (of.to_string(), shard.count.to_string());
            return Err(unlike(first, part, "how many shards there are is", a, b));
        }
    }
    let count = count.map_or(0, |(_, count)| count);
    let number = |part: &Part| part.report.shard.map_or(0, |shard| shard.index);
    parts.sort_by_key(number);
    if let Some(pair) = parts.windows(2).find(|pair| number(&pair[0]) == number(&pair[1])) {
        let (index, first, second) = (number(&pair[0]), pair[0].file.clone(), pair[1].file.clone());
        return Err(MergeError::Twice { index, count, first, second });
    }
    let missing: Vec<u32> =
        (1..=count).filter(|index| !parts.iter().any(|part| number(part) == *index)).collect();
    if missing.is_empty() { Ok(()) } else { Err(MergeError::Missing { missing, count }) }
}

fn unlike(first: &Part, second: &Part, what: &'static str, a: String, b: String) -> MergeError {
    MergeError::Unlike {
        first: first.file.clone(),
        second: second.file.clone(),
        what,
        a: column(&a, 100),
        b: column(&b, 100),
    }
}

/// Whether two shards can be of one run, as far as all targets go.
fn alike(first: &Part, second: &Part) -> Result<(), MergeError> {
    let (one, other) = (&first.report, &second.report);
    let check = |what: &'static str, a: String, b: String| {
        if a == b { Ok(()) } else { Err(unlike(first, second, what, a, b)) }
    };
    let tool = |report: &RunReport| format!("{} {}", report.tool.name, report.tool.version);
    check("they were made by", tool(one), tool(other))?;
    check("the catalogues are", one.catalogue.digest.clone(), other.catalogue.digest.clone())?;
    for ((what, a), (_, b)) in options(&one.options).into_iter().zip(options(&other.options)) {
        check(what, a, b)?;
    }
    let selected = |report: &RunReport| format!("{} cases", report.cases.len());
    check("what was selected is", selected(one), selected(other))?;
    if let Some((a, b)) = one.cases.iter().zip(&other.cases).find(|(a, b)| a != b) {
        let id = |id: &str| format!("case {id}");
        return Err(unlike(first, second, "what was selected holds", id(&a.id), id(&b.id)));
    }
    expected_alike(first, second)
}

/// Whether two shards were judged by the same expectations, whatever each had to say of them.
fn expected_alike(first: &Part, second: &Part) -> Result<(), MergeError> {
    let (one, other) = (&first.report.expectations, &second.report.expectations);
    let check = |what: String, a: String, b: String| match a == b {
        true => Ok(()),
        false => Err(MergeError::Expectations {
            first: first.file.clone(),
            second: second.file.clone(),
            what,
            a: column(&a, 100),
            b: column(&b, 100),
        }),
    };
    check("how many there are is".to_owned(), one.len().to_string(), other.len().to_string())?;
    for (n, (a, b)) in (1..).zip(one.iter().zip(other)) {
        for ((what, a), (_, b)) in entry(a).into_iter().zip(entry(b)) {
            check(format!("{what} of expectation {n} is"), a, b)?;
        }
    }
    Ok(())
}

/// An expectation, as subjects of sentences and in words.
fn entry(expectation: &ExpectationRecord) -> Vec<(&'static str, String)> {
    let ExpectationRecord { cases, behavior, close, reason, until, target, complaints: _ } = expectation;
    let said = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
    vec![
        ("`cases`", format!("{cases:?}")),
        ("`behavior`", behavior.to_string()),
        ("`close`", said(close.map(|close| close.to_string()))),
        ("`reason`", format!("{reason:?}")),
        ("`until`", said(until.as_ref().map(|day| format!("{day:?}")))),
        ("`target`", said(target.as_ref().map(|pattern| format!("{pattern:?}")))),
    ]
}

/// What was expected, with what any shard says is not true of it: what all say, such as that an entry matches nothing, once,
/// and what each says of its own cases in the order of the shards.
fn expectations(parts: &[Part]) -> Vec<ExpectationRecord> {
    let Some((first, others)) = parts.split_first() else { return Vec::new() };
    let mut all = first.report.expectations.clone();
    for part in others {
        for (entry, more) in all.iter_mut().zip(&part.report.expectations) {
            for complaint in &more.complaints {
                if !entry.complaints.contains(complaint) {
                    entry.complaints.push(complaint.clone());
                }
            }
        }
    }
    all
}

/// The options of a run, as subjects of sentences and in words.
fn options(options: &RunOptions) -> Vec<(&'static str, String)> {
    let RunOptions { jobs, timeout_ms, close_timeout_ms, connect_timeout_ms, depth, cases, exclude, prelude } =
        options;
    let listed = |list: &[String]| if list.is_empty() { "nothing".to_owned() } else { list.join(" ") };
    vec![
        ("--case is", listed(cases)),
        ("--exclude is", listed(exclude)),
        ("--depth is", depth.map_or("full".to_owned(), |depth| depth.to_string())),
        ("--jobs is", jobs.to_string()),
        ("--timeout in milliseconds is", timeout_ms.to_string()),
        ("--close-timeout in milliseconds is", close_timeout_ms.to_string()),
        ("--connect-timeout in milliseconds is", connect_timeout_ms.to_string()),
        ("the prelude is", listed(prelude)),
    ]
}

/// For each shard where it has the targets of the first one.
///
/// What a target is called, its role and what it announced have to be the same; a target that is called by its URL, where a
/// port may have been free by chance, is the next of its role that is.
fn matched(parts: &[Part]) -> Result<Vec<Vec<usize>>, MergeError> {
    let Some((first, _)) = parts.split_first() else { return Ok(Vec::new()) };
    let same =
        |a: &TargetReport, b: &TargetReport| (&a.name, a.role, &a.agent) == (&b.name, b.role, &b.agent);
    let nameless = |a: &TargetReport, b: &TargetReport| {
        a.name == a.url && b.name == b.url && (a.role, &a.agent) == (b.role, &b.agent)
    };
    let lack = |target: &TargetReport, has: &Part, lacks: &Part| MergeError::Target {
        target: match &target.agent {
            Some(agent) => format!("{} ({}, {})", column(&target.name, 100), target.role, column(agent, 60)),
            None => format!("{} ({})", column(&target.name, 100), target.role),
        },
        has: has.file.clone(),
        lacks: lacks.file.clone(),
    };
    let mut matched = Vec::new();
    for part in parts {
        let targets = &part.report.targets;
        let mut free: Vec<usize> = (0..targets.len()).collect();
        let mut places: Vec<Option<usize>> = vec![None; first.report.targets.len()];
        for like in [&same as &dyn Fn(&TargetReport, &TargetReport) -> bool, &nameless] {
            for (place, target) in places.iter_mut().zip(&first.report.targets) {
                if place.is_none() {
                    let found = free.iter().position(|&at| like(target, &targets[at]));
                    *place = found.map(|found| free.remove(found));
                }
            }
        }
        let all: Option<Vec<usize>> = places.iter().copied().collect();
        let Some(all) = all else {
            let lost = places.iter().position(Option::is_none).unwrap_or_default();
            return Err(lack(&first.report.targets[lost], first, part));
        };
        if let Some(&more) = free.first() {
            return Err(lack(&targets[more], part, first));
        }
        matched.push(all);
    }
    Ok(matched)
}

/// The parts of one target, each beside the shard it is from.
type Slices<'a> = [(&'a Part, &'a TargetReport)];

/// The records of all shards in the order of the cases.
fn records(slices: &Slices<'_>, places: &HashMap<&str, usize>) -> Result<Vec<CaseRecord>, MergeError> {
    let mut known: HashMap<CaseKey, &Part> = HashMap::new();
    let mut records = Vec::new();
    for (part, target) in slices {
        for record in &target.cases {
            if let Some(before) = known.insert(record.key(), part)
                && before.file != part.file
            {
                return Err(MergeError::Overlap {
                    case: column(&record.id, 60),
                    first: before.file.clone(),
                    second: part.file.clone(),
                });
            }
            records.push(record.clone());
        }
    }
    // What the record does not describe comes last, in the order it came.
    records.sort_by_key(|record| places.get(record.id.as_str()).copied().unwrap_or(usize::MAX));
    Ok(records)
}

/// Whether no case was forgotten.
fn complete(report: &RunReport, target: &TargetReport) -> Result<(), MergeError> {
    let played: HashSet<&str> = target.cases.iter().map(|record| record.id.as_str()).collect();
    match report.cases.iter().find(|case| !played.contains(case.id.as_str())) {
        Some(case) => Err(MergeError::Gap { case: column(&case.id, 60) }),
        None => Ok(()),
    }
}

/// Why the run against a target ended too early, where it did in any shard.
fn stopped(slices: &Slices<'_>) -> Option<String> {
    told(slices, |target| target.stopped.as_deref(), |index, reason| format!("in shard {index}: {reason}"))
}

/// The processes of all shards as one.
fn process(slices: &Slices<'_>) -> Option<ProcessInfo> {
    let all = || slices.iter().filter_map(|(_, target)| target.process.as_ref());
    let first = all().next()?;
    let ended = all().find(|process| process.exit.is_some());
    Some(ProcessInfo {
        command: first.command.clone(),
        peak_rss_bytes: all().filter_map(|process| process.peak_rss_bytes).max(),
        cpu_ms: all().filter_map(|process| process.cpu_ms).reduce(|sum, ms| sum + ms),
        exit: told(
            slices,
            |target| target.process.as_ref()?.exit.as_deref(),
            |index, exit| format!("{exit} in shard {index}"),
        ),
        // What was written before an end says more than what goes on.
        output_tail: ended
            .and_then(|process| process.output_tail.clone())
            .or_else(|| all().find_map(|process| process.output_tail.clone())),
    })
}

/// What some shards have to say of a target, each with its number.
fn told<'a>(
    slices: &'a Slices<'_>,
    what: impl Fn(&'a TargetReport) -> Option<&'a str>,
    say: impl Fn(u32, &str) -> String,
) -> Option<String> {
    let said = slices.iter().filter_map(|(part, target)| {
        let index = part.report.shard.map_or(0, |shard| shard.index);
        what(target).map(|text| say(index, text))
    });
    let said: Vec<_> = said.collect();
    if said.is_empty() { None } else { Some(said.join("; ")) }
}
