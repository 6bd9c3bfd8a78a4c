//! What is on the page without JavaScript: the grades, what cost the most, the whole matrix, and the statement.

use std::fmt::Write as _;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;
use sha1::{Digest, Sha1};

use super::baseline::{self, Baseline, Marks};
use super::fuzz::Panel;
use super::island::{self, Index, Wires};
use super::known;
use super::matrix;
use super::speed::Plots;
use super::statement::Statement;
use crate::grade::{Blame, Cost, Counts, Grade, NoGrade, TargetGrade, Weight};
use crate::record::{Behavior, CaseInfo, CaseKey, CaseRecord, RunReport, Severity, TargetReport};
use crate::render::autobahn::Table;
use crate::render::text::{clipped, column, prose, visible};
use crate::render::{File, words};

const TEMPLATE: &str = include_str!("../../../templates/index.html");
/// What only the scripts read, and the scripts.
const TAIL: &str = include_str!("../../../templates/tail.html");
/// What it includes.
const PARTS: [(&str, &str); 8] = [
    ("overview.html", include_str!("../../../templates/overview.html")),
    ("known.html", include_str!("../../../templates/known.html")),
    ("baseline.html", include_str!("../../../templates/baseline.html")),
    ("matrix.html", include_str!("../../../templates/matrix.html")),
    ("speed.html", include_str!("../../../templates/speed.html")),
    ("conformance.html", include_str!("../../../templates/conformance.html")),
    ("fuzz.html", include_str!("../../../templates/fuzz.html")),
    ("keys.html", include_str!("../../../templates/keys.html")),
];
/// In this order: what comes later has the last word.
const STYLES: [&str; 6] = [
    include_str!("../../../templates/page.css"),
    include_str!("../../../templates/matrix.css"),
    include_str!("../../../templates/speed.css"),
    include_str!("../../../templates/case.css"),
    include_str!("../../../templates/narrow.css"),
    include_str!("../../../templates/print.css"),
];
/// In the order they need each other.
const SCRIPTS: [&str; 10] = [
    include_str!("../../../templates/base.js"),
    include_str!("../../../templates/header.js"),
    include_str!("../../../templates/wire.js"),
    include_str!("../../../templates/lane.js"),
    include_str!("../../../templates/case.js"),
    include_str!("../../../templates/filter.js"),
    include_str!("../../../templates/matrix.js"),
    include_str!("../../../templates/open.js"),
    include_str!("../../../templates/keys.js"),
    include_str!("../../../templates/print.js"),
];

/// How large a page may be that still opens at once, in bytes.
const BYTES: usize = 4_800_000;
/// How many of the costs the page lists for one target alone, for one of several, and how many cases for each.
const COSTS: usize = 8;
const COSTS_OF_MANY: usize = 3;
const COST_CASES: usize = 24;

/// The page.
pub fn render(report: &RunReport) -> Vec<File> {
    render_with(report, None)
}

/// The page, with what changed since an earlier run: a panel, a filter, and a mark on each case that did.
pub fn render_with(report: &RunReport, baseline: Option<&Baseline>) -> Vec<File> {
    vec![File { name: "index.html".to_owned(), contents: page(report, baseline, None) }]
}

/// The page with the results in the words of Autobahn|Testsuite below.
pub(in crate::render) fn with_old(report: &RunReport, old: &Table) -> String {
    page(report, None, Some(old))
}

fn page(report: &RunReport, baseline: Option<&Baseline>, old: Option<&Table>) -> String {
    let cases = described(report);
    let targets: Vec<_> = report.targets.iter().map(|target| Target::of(report, target)).collect();
    let marks = Marks::of(report, baseline);
    let sections = matrix::sections(report, &cases, &marks);
    let index = island::json(&Index::of(report, &cases, &marks));
    // Only the page's own script has it: whoever would smuggle one in would have to know the digest of what
    // they are part of.
    let nonce = Sha1::digest(&index).iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").expect("writing to a string never fails");
        out
    });
    let script = format!("(() => {{\n\"use strict\";\n{}\n}})();", SCRIPTS.join("\n"));

    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    env.set_syntax(syntax.expect("the usual delimiters are lawful"));
    for (name, part) in PARTS {
        env.add_template(name, part).expect("the template is part of the program and tested");
    }
    let page = context! {
        title => title(&targets),
        tool => visible(&report.tool.name),
        version => visible(&report.tool.version),
        started => column(&report.started, 40),
        duration => words::duration(report.duration_ms),
        seed => report.seed,
        selected => report.catalogue.selected,
        in_catalogue => report.catalogue.known,
        digest => column(&report.catalogue.digest, 12),
        fuzz => Panel::of(report).map(|panel| Value::from(Serde(panel))),
        shard => report.shard.map(|shard| format!("shard {} of {}", shard.index, shard.count)),
        patterns => patterns(report),
        settings => settings(report),
        targets => Value::from(Serde(&targets)),
        sections => Value::from(Serde(&sections)),
        statement => Value::from(Serde(&Statement::of(report))),
        legend => Value::from(Serde(legend(report))),
        known => known::Panel::of(report).map(|panel| Value::from(Serde(panel))),
        baseline => baseline.map(|baseline| Value::from(Serde(baseline::Panel::of(report, baseline)))),
        changes => Value::from(Serde(marks.legend())),
        speed => Plots::of(report, &cases).map(|plots| Value::from(Serde(plots))),
        style => Value::from_safe_string(STYLES.concat()),
        nonce => &nonce,
        old => old.map(|old| Value::from(Serde(old))),
    };
    let mut out = env.render_str(TEMPLATE, page).expect("the template is part of the program and tested");
    // What is left of the page belongs to the transcripts.
    let wires = Wires::of(report, BYTES.saturating_sub(out.len() + index.len() + script.len()));
    let tail = context! {
        index => Value::from_safe_string(index),
        wires => wires.targets.into_iter().map(Value::from_safe_string).collect::<Vec<_>>(),
        shared => Value::from_safe_string(wires.shared),
        script => Value::from_safe_string(script),
        nonce => nonce,
    };
    out += &env.render_str(TAIL, tail).expect("the template is part of the program and tested");
    out
}

/// Every case a record speaks of, in the order of the record; those it does not describe at the end.
fn described(report: &RunReport) -> Vec<CaseInfo> {
    let mut cases = report.cases.clone();
    let mut known: std::collections::HashSet<String> = cases.iter().map(|case| case.id.clone()).collect();
    for record in report.targets.iter().flat_map(|target| &target.cases) {
        if known.insert(record.id.clone()) {
            cases.push(CaseInfo {
                id: record.id.clone(),
                title: "(not described in this record)".to_owned(),
                why: String::new(),
                section: record
                    .id
                    .rsplit_once('.')
                    .map_or(record.id.as_str(), |(section, _)| section)
                    .to_owned(),
                section_title: String::new(),
                rules: Vec::new(),
                outcome_rules: Vec::new(),
                setup: Vec::new(),
                steps: Vec::new(),
                accepts: Vec::new(),
                differs: None,
            });
        }
    }
    cases
}

fn title(targets: &[Target]) -> String {
    let parts: Vec<_> = targets.iter().map(|target| format!("{} {}", target.letter, target.name)).collect();
    if parts.is_empty() {
        "no target · wsgrade".to_owned()
    } else {
        format!("{} · wsgrade", parts.join(", "))
    }
}

fn patterns(report: &RunReport) -> String {
    let options = &report.options;
    let flags = |flag: &str, patterns: &[String]| -> Vec<String> {
        patterns.iter().map(|pattern| format!("{flag} {}", column(pattern, 60))).collect()
    };
    [flags("-c", &options.cases), flags("-x", &options.exclude)].concat().join(" ")
}

fn settings(report: &RunReport) -> String {
    let options = &report.options;
    let depth = match options.depth {
        Some(depth) => format!(", at most {depth} messages an exchange"),
        None => String::new(),
    };
    format!(
        "{} at once, waiting {} for an answer, {} for the end, {} for the opening{depth}",
        words::cases(options.jobs),
        words::duration(options.timeout_ms as f64),
        words::duration(options.close_timeout_ms as f64),
        words::duration(options.connect_timeout_ms as f64),
    )
}

/// One target's card.
#[derive(Debug, Serialize)]
struct Target {
    name: String,
    url: String,
    role: String,
    agent: Option<String>,
    /// What was found of it before the first case.
    facts: Option<String>,
    /// How many cases were judged without an echo.
    adapted: Option<String>,
    stopped: Option<String>,
    process: Option<Process>,
    /// `A+`, or a dash.
    letter: &'static str,
    class: &'static str,
    /// Why that letter, in a sentence.
    verdict: String,
    played: usize,
    counts: Vec<Tally>,
    /// How many records deviate as it was known.
    known: usize,
    areas: Vec<Area>,
    costs: Vec<CostLine>,
    more_costs: usize,
}

/// The process that we started, and what it took.
#[derive(Debug, Serialize)]
struct Process {
    command: String,
    facts: String,
}

/// So many of a behaviour.
#[derive(Debug, Serialize)]
pub(super) struct Tally {
    pub(super) word: &'static str,
    symbol: &'static str,
    meaning: &'static str,
    n: usize,
}

#[derive(Debug, Serialize)]
struct Area {
    name: String,
    /// To its cases.
    href: String,
    letter: &'static str,
    class: &'static str,
    verdict: String,
}

#[derive(Debug, Serialize)]
struct CostLine {
    place: String,
    level: String,
    sentence: String,
    word: &'static str,
    percent: String,
    n: usize,
    cases: Vec<Link>,
    more: usize,
}

/// To a case's place on the page.
#[derive(Debug, Serialize)]
pub(super) struct Link {
    text: String,
    href: String,
}

pub(super) fn link(key: &CaseKey, target: usize) -> Link {
    Link::new(column(&key.id, 24), href(&key.id, target, &key.carrier))
}

impl Link {
    pub(super) fn new(text: String, href: String) -> Self {
        Self { text, href }
    }
}

impl Target {
    fn of(report: &RunReport, target: &TargetReport) -> Self {
        let result = TargetGrade::of(report, target);
        let number = report.targets.iter().position(|other| std::ptr::eq(other, target)).unwrap_or(0);
        let (letter, class) = letter(result.grade);
        let areas = result.areas.iter().map(|area| {
            let (letter, class) = self::letter(area.grade);
            let mut href = "#cases?area=".to_owned();
            encode(&area.area, &mut href);
            let verdict = verdict(area.grade, &area.counts);
            Area { name: column(&area.area, 16), href, letter, class, verdict }
        });
        let listed = if report.targets.len() == 1 { COSTS } else { COSTS_OF_MANY };
        let costs = result.costs.iter().take(listed);
        Self {
            name: clipped(&target.name, 120),
            url: clipped(&target.url, 300),
            role: target.role.to_string(),
            agent: target.agent.as_deref().map(|agent| clipped(agent, 300)),
            facts: target.facts.as_ref().map(words::facts),
            adapted: words::adapted(target),
            stopped: target.stopped.as_deref().map(|reason| clipped(reason, 600)),
            process: target.process.as_ref().map(|process| Process {
                command: clipped(&process.command, 300),
                facts: words::process(process),
            }),
            letter,
            class,
            verdict: verdict(result.grade, &result.counts),
            played: target.cases.len(),
            counts: tallies(&result.counts),
            known: known::count(report, target),
            areas: areas.collect(),
            costs: costs.map(|cost| CostLine::of(report, number, cost, &result.counts)).collect(),
            more_costs: result.costs.len().saturating_sub(listed),
        }
    }
}

impl CostLine {
    fn of(report: &RunReport, target: usize, cost: &Cost, counts: &Counts) -> Self {
        let (place, level, sentence) = match &cost.blame {
            Blame::Close(close) => {
                (format!("Closing: {close}"), String::new(), words::close(*close).to_owned())
            }
            Blame::Rule(id) => match report.rules.get(id) {
                Some(rule) => (
                    format!("{} §{}", prose(&rule.source), prose(&rule.section)),
                    prose(&rule.level),
                    format!("“{}”", prose(&rule.sentence)),
                ),
                None => (clipped(id, 80), String::new(), String::new()),
            },
        };
        Self {
            place,
            level,
            sentence,
            word: if cost.weight == Weight::Major { "fail" } else { "non-strict" },
            percent: percent(cost.percent_of(counts.counted)),
            n: cost.cases.len(),
            cases: cost.cases.iter().take(COST_CASES).map(|key| link(key, target)).collect(),
            more: cost.cases.len().saturating_sub(COST_CASES),
        }
    }
}

/// Never rounded to nothing.
fn percent(percent: f64) -> String {
    if percent < 0.1 { format!("{percent:.2}") } else { format!("{percent:.1}") }
}

fn letter(grade: Result<Grade, NoGrade>) -> (&'static str, &'static str) {
    match grade {
        Ok(Grade::APlus) => ("A+", "a"),
        Ok(Grade::A) => ("A", "a"),
        Ok(Grade::B) => ("B", "b"),
        Ok(Grade::C) => ("C", "c"),
        Ok(Grade::D) => ("D", "d"),
        Ok(Grade::F) => ("F", "f"),
        Err(NoGrade::NothingCounted | NoGrade::Stopped | NoGrade::Inconclusive | NoGrade::Fuzzed) => {
            ("—", "none")
        }
    }
}

fn verdict(grade: Result<Grade, NoGrade>, counts: &Counts) -> String {
    let of = format!("{} that count", words::cases(counts.counted));
    let broken = match (counts.major, counts.minor) {
        (0, 0) if counts.counted == 0 => String::new(),
        (0, 0) => format!("nothing broken in {of}"),
        (0, minor) => format!("a SHOULD broken in {minor} of {of}, no MUST in any"),
        (major, 0) => format!("a MUST broken in {major} of {of}"),
        (major, minor) => format!("a MUST broken in {major} of {of}, a SHOULD in {minor}"),
    };
    match grade {
        Ok(_) => broken,
        // Of what is right there is no record, so there is nothing to count it against.
        Err(NoGrade::Fuzzed) => format!("no grade: {}", NoGrade::Fuzzed),
        Err(none) if broken.is_empty() => format!("no grade: {none}"),
        Err(none) => format!("no grade: {none}; {broken}"),
    }
}

pub(super) fn tallies(counts: &Counts) -> Vec<Tally> {
    let tally = |b: Behavior| Tally {
        word: b.as_str(),
        symbol: words::symbol(b),
        meaning: words::behavior(b),
        n: counts.behavior(b),
    };
    Behavior::ALL.into_iter().filter(|&b| counts.behavior(b) > 0).map(tally).collect()
}

/// The verdicts that occur, for the legend and the filter.
fn legend(report: &RunReport) -> Vec<Tally> {
    tallies(&Counts::of(report.targets.iter().flat_map(|target| &target.cases)))
}

/// Whether the end of the connection broke a rule, in a case that counts at all.
pub(super) fn close_counts(record: &CaseRecord) -> bool {
    record.close.severity() > Severity::Neutral && Weight::of(record) != Weight::Uncounted
}

/// Where the details of a record are on the page; targets are counted from 1 there.
pub(in crate::render) fn href(id: &str, target: usize, carrier: &str) -> String {
    let mut out = String::from("#case/");
    encode(id, &mut out);
    write!(out, "/{}", target + 1).expect("writing to a string never fails");
    if carrier != "tcp" {
        out.push('/');
        encode(carrier, &mut out);
    }
    out
}

/// Percent-encodes all that is not plain in a fragment.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a string never fails");
        }
    }
}
