//! fuzzingclient: grades the servers of a spec file, one after another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::mpsc;
use tokio::time::Instant;
use wsgrade_cases::Catalogue;
use wsgrade_cases::model::{Need, Role, Scenario};
use wsgrade_reference_server::client::Url;
use wsgrade_reports::record::{Behavior, CaseRecord, CloseVerdict, RunReport, TargetReport};

use super::address::{Side, resolve};
use super::pattern::{AgentRule, CasePattern, excluded};
use super::select::select;
use super::spec::{self, Options, Server, Spec};
use super::{Wish, output, template, warn, words};
use crate::carrier::Trust;
use crate::cli::{Exit, Failure, Interrupts, LOCAL_JOBS, REMOTE_JOBS, print, watch};
use crate::engine::Limits;
use crate::plan::{Depth, Plan};
use crate::runner::{Facts, Gate, Prepared, Run, Settings, Staying, probe};
use crate::shell::word as shell_word;
use crate::target::{RequestOptions, Target};

/// Where the reports go unless told otherwise.
const OUTDIR: &str = "./reports/servers/";
/// The name of a server that gives none.
const NO_AGENT: &str = "UnknownServer";
/// How many ids a line names.
const NAMED: usize = 12;

/// Grades them all.
pub(super) async fn run(wish: &Wish) -> Result<Exit, Failure> {
    let spec = read_spec(wish)?;
    let catalogue = Arc::new(Catalogue::embedded().clone());
    let selected = plans(&picked(&spec, &catalogue, Role::Server)?);
    // All of them before the first is graded, which may take its time.
    let servers = servers(wish, &spec)?
        .into_iter()
        .map(|server| {
            let url = resolve(&server.url, Side::Grading(server.hostname.as_deref()))?;
            Ok((server, url))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let outdir = outdir(wish, &spec, OUTDIR);
    output::clear(&outdir).map_err(|error| {
        Failure::usage(format!("cannot remove the earlier report in {}: {error}", outdir.display()))
    })?;
    let session = Session {
        wish,
        spec: &spec,
        catalogue,
        selected,
        interrupted: Interrupts::watch().receiver(),
        seed: fastrand::u64(..),
        started: SystemTime::now(),
        began: Instant::now(),
    };
    let (reports, missing) = session.play_all(&servers).await;
    let report = session.whole(reports);
    if report.targets.is_empty() {
        return Err(Failure::inconclusive(format!(
            "none of {} was graded, and no report is written",
            counted(servers.len(), "server")
        )));
    }
    output::write(&report, &outdir).map_err(|error| {
        Failure::usage(format!("cannot write the report to {}: {error}", outdir.display()))
    })?;
    print(&format!("{}Report: {}\n", summary(&report), outdir.join("index.json").display()));
    Ok(exit(&report, missing, wish.gate))
}

/// What a session plays, and against whom.
struct Session<'a> {
    wish: &'a Wish,
    spec: &'a Spec,
    catalogue: Arc<Catalogue>,
    selected: Vec<Arc<Plan>>,
    interrupted: tokio::sync::watch::Receiver<bool>,
    seed: u64,
    started: SystemTime,
    began: Instant,
}

impl Session<'_> {
    /// What was found of each server that could be graded, and how many could not.
    async fn play_all(&self, servers: &[(Server, Url)]) -> (Vec<TargetReport>, usize) {
        let mut reports: Vec<TargetReport> = Vec::new();
        let mut missing = 0;
        for (server, url) in servers {
            if *self.interrupted.borrow() {
                missing += 1;
                continue;
            }
            match self.play(server, url).await {
                Ok(Some(report)) => {
                    if reports.iter().any(|earlier| earlier.name == report.name) {
                        warn(format!(
                            "there is more than one agent {:?}; of a case that both have played, the report has the later",
                            report.name
                        ));
                    }
                    reports.push(report);
                }
                Ok(None) => {}
                Err(failure) => {
                    failure.tell();
                    missing += 1;
                }
            }
        }
        (reports, missing)
    }

    /// Grades one server; `None` where everything is excluded for it.
    async fn play(&self, server: &Server, url: &Url) -> Result<Option<TargetReport>, Failure> {
        let request = RequestOptions {
            subprotocols: server.protocols.clone(),
            origin: server.origin.clone(),
            host: server.hostname.clone().filter(|_| url.is_secure()),
            // As the old tool: it looks at no certificate.
            trust: Trust::Anything,
            ..RequestOptions::default()
        };
        let mut target = Target::find(url.clone(), &request)
            .await
            .map_err(|error| Failure::inconclusive(format!("{url}: {error}")))?;
        let jobs = match self.wish.jobs {
            Some(jobs) => usize::from(jobs),
            None if target.is_local() => LOCAL_JOBS,
            None => REMOTE_JOBS,
        };
        let limits = limits(self.spec.options, server.options);
        let settings = Settings {
            jobs,
            limits,
            seed: self.seed,
            prelude: Arc::default(),
            depth: Depth::Full,
            gate: Gate::default(),
            may_stress: false,
            staying: Staying::default(),
            verbose: None,
        };
        let facts: Facts = probe(&mut target, &settings).await.map_err(Failure::inconclusive)?;
        let agent = server
            .agent
            .clone()
            .or_else(|| facts.agent.clone().filter(|agent| !agent.is_empty()))
            .unwrap_or_else(|| NO_AGENT.to_owned());
        let rules = &self.spec.exclude_agent;
        let selected: Vec<_> = self
            .selected
            .iter()
            .filter(|plan| !excluded(rules, &agent, plan.scenario.id.as_str()))
            .cloned()
            .collect();
        if selected.is_empty() {
            warn(format!("every selected case is excluded for the agent {agent:?}"));
            return Ok(None);
        }
        let repeat = repeat(server, &url.to_string(), self.seed);
        // The old tool knows no other endpoints than those that echo.
        let prepared = Prepared {
            target,
            facts,
            settings: settings.clone(),
            adapt: false,
            name: Some(agent),
            repeat,
            process: None,
            watched: None,
        };
        let (events, heard) = mpsc::unbounded_channel();
        let watcher = tokio::spawn(watch(heard));
        let run = Run {
            catalogue: Arc::clone(&self.catalogue),
            selected,
            part: None,
            settings,
            patterns: patterns(self.spec),
            events,
            interrupted: self.interrupted.clone(),
        };
        let echoes = prepared.facts.offers.contains(&Need::Echo);
        let mut report = run.play(&[prepared]).await;
        if !echoes {
            warn(format!("{url} does not send messages back: every case that asks for an echo has failed"));
            let asks = |id: &str| {
                let case = run.selected.iter().find(|plan| plan.scenario.id.as_str() == id);
                case.is_some_and(|plan| plan.scenario.needs.contains(&Need::Echo))
            };
            let records = report.targets.iter_mut().flat_map(|target| &mut target.cases);
            records.filter(|record| asks(&record.id)).for_each(fail_for_want_of_an_echo);
        }
        drop(run);
        // The display ends with its channel; it has nothing to say that could fail the run.
        let _ = watcher.await;
        Ok(report.targets.into_iter().next())
    }

    /// One record of all servers.
    fn whole(&self, targets: Vec<TargetReport>) -> RunReport {
        let jobs = self.wish.jobs.map_or(LOCAL_JOBS, usize::from);
        let settings = Settings {
            jobs,
            limits: limits(self.spec.options, Options::default()),
            seed: self.seed,
            prelude: Arc::default(),
            depth: Depth::Full,
            gate: Gate::default(),
            may_stress: false,
            staying: Staying::default(),
            verbose: None,
        };
        let run = Run {
            catalogue: Arc::clone(&self.catalogue),
            selected: self.selected.clone(),
            part: None,
            settings,
            patterns: patterns(self.spec),
            events: mpsc::unbounded_channel().0,
            interrupted: self.interrupted.clone(),
        };
        run.record(self.started, self.began.elapsed(), targets)
    }
}

/// Elsewhere, a target that is no echo lacks a feature. Here it has to be one, and gates in the field take what is
/// unimplemented for good.
fn fail_for_want_of_an_echo(record: &mut CaseRecord) {
    if record.behavior == Behavior::Unimplemented {
        record.behavior = Behavior::Fail;
        record.close = CloseVerdict::Unclean;
    }
}

/// The spec file: the one of `-s`, or else `./MODE.json`, which is made if it is not there. A URL on the command line
/// needs no file.
pub(super) fn read_spec(wish: &Wish) -> Result<Spec, Failure> {
    let path = match &wish.spec {
        Some(path) => path.clone(),
        None => {
            let path = PathBuf::from(format!("{}.json", wish.mode.as_str()));
            if !path.exists() {
                if wish.url.is_some() {
                    return Ok(Spec::default());
                }
                template::create(wish.mode, &path)?;
            }
            eprintln!("wsgrade: the spec file is {}", path.display());
            path
        }
    };
    let text = spec::load(&path).map_err(Failure::usage)?;
    let (spec, warnings) = spec::read(&path.display().to_string(), &text).map_err(Failure::usage)?;
    warnings.iter().for_each(warn);
    Ok(spec)
}

/// The cases that a spec file picks for a role.
pub(super) fn picked(spec: &Spec, catalogue: &Catalogue, role: Role) -> Result<Vec<Arc<Scenario>>, Failure> {
    let all = [CasePattern::new("*")];
    let cases = spec.cases.as_deref().unwrap_or(&all);
    let picked = select(catalogue, role, cases, &spec.exclude, &spec.exclude_agent);
    picked.warnings.iter().for_each(warn);
    if picked.cases.is_empty() {
        return Err(Failure::usage(
            "no case is selected: `cases` of the spec file less its `exclude-cases` leaves none; \
             `wsgrade cases` lists what there is",
        ));
    }
    Ok(picked.cases)
}

/// Cases made ready, with all their messages: whoever comes from the old tool compares with it.
pub(super) fn plans(selected: &[Arc<Scenario>]) -> Vec<Arc<Plan>> {
    Plan::all(selected, Depth::Full, &Arc::default())
}

/// Where the reports go.
pub(super) fn outdir(wish: &Wish, spec: &Spec, otherwise: &str) -> PathBuf {
    let of_spec = || spec.outdir.as_ref().map(PathBuf::from);
    wish.outdir.clone().or_else(of_spec).unwrap_or_else(|| Path::new(otherwise).to_owned())
}

/// The patterns, for the record.
pub(super) fn patterns(spec: &Spec) -> (Vec<String>, Vec<String>) {
    let texts =
        |patterns: &[CasePattern]| patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect();
    (spec.cases.as_deref().map_or_else(|| vec!["*".to_owned()], texts), texts(&spec.exclude))
}

/// How long to wait: what the spec file says for all, and for one server.
pub(super) fn limits(all: Options, one: Options) -> Limits {
    let default = Limits::default();
    let opening = one.opening.or(all.opening).unwrap_or(default.opening);
    let close = one.close.or(all.close).unwrap_or(default.close);
    Limits { opening: opening.min(default.whole), close: close.min(default.whole), ..default }
}

/// Rules of `exclude-agent-cases` that no agent meets are likely to be mistakes; with what the agents are called, they are
/// easily found.
fn idle_rules<'a>(rules: &'a [AgentRule], agents: &[&str]) -> Vec<&'a str> {
    let idle = |rule: &&AgentRule| !agents.iter().any(|agent| rule.is_for(agent));
    rules.iter().filter(idle).map(|rule| rule.agents.as_str()).collect()
}

/// The servers of the spec file, or the one of the command line.
fn servers(wish: &Wish, spec: &Spec) -> Result<Vec<Server>, Failure> {
    match (&wish.url, spec.servers.as_slice()) {
        (Some(url), []) => Ok(vec![Server { url: url.clone(), ..Server::default() }]),
        (None, []) => Err(Failure::usage(
            "there is no server to grade: give a URL by -w, or `servers` in the spec file",
        )),
        (given, servers) => {
            if given.is_some() {
                warn("-w is not used: the spec file has `servers`");
            }
            let named: Vec<&str> = servers.iter().filter_map(|server| server.agent.as_deref()).collect();
            // Where an agent is named by its Server header, nobody knows yet which rule will meet it.
            if named.len() == servers.len() {
                for agents in idle_rules(&spec.exclude_agent, &named) {
                    warn(format!("no agent matches `{agents}` in `exclude-agent-cases`"));
                }
            }
            Ok(servers.to_vec())
        }
    }
}

/// The command that repeats a case, up to its id.
fn repeat(server: &Server, url: &str, seed: u64) -> String {
    let mut words = vec!["wsgrade".to_owned(), "test".to_owned(), url.to_owned()];
    if let Some(origin) = &server.origin {
        words.extend(["--origin".to_owned(), origin.clone()]);
    }
    for name in &server.protocols {
        words.extend(["--subprotocol".to_owned(), name.clone()]);
    }
    if url.starts_with("wss:") {
        words.push("--insecure".to_owned());
    }
    words.extend(["--depth".to_owned(), "full".to_owned(), "--seed".to_owned(), seed.to_string()]);
    let words: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
    format!("{} -c ", words.join(" "))
}

/// A line for each agent, and under it the cases that a gate does not take.
pub(super) fn summary(report: &RunReport) -> String {
    let mut lines = String::new();
    for target in &report.targets {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for record in &target.cases {
            *counts.entry(words::behavior(record.behavior)).or_default() += 1;
        }
        let counts: Vec<_> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let bad: Vec<_> = target.cases.iter().filter(|record| !words::passes(record)).collect();
        lines += &format!(
            "{}: {}: {}\n",
            printable(&target.name),
            counted(target.cases.len(), "case"),
            counts.join(", ")
        );
        for record in bad.iter().take(NAMED) {
            let (behavior, close) = (words::behavior(record.behavior), words::close(record));
            lines += &format!("  {}: {behavior}, close {close}\n", record.id);
        }
        if bad.len() > NAMED {
            lines += &format!("  and {} more\n", bad.len() - NAMED);
        }
        if let Some(stopped) = &target.stopped {
            lines += &format!("  {}\n", printable(stopped));
        }
    }
    lines
}

/// How the program ends. `missing` is how many servers were not there.
pub(super) fn exit(report: &RunReport, missing: usize, gate: bool) -> Exit {
    let records = || report.targets.iter().flat_map(|target| &target.cases);
    if gate && records().any(|record| !words::passes(record)) {
        return Exit::GateNotMet;
    }
    let broke_off = report.targets.iter().any(|target| target.stopped.is_some());
    if missing > 0 || broke_off || records().next().is_none() { Exit::Inconclusive } else { Exit::Success }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A name may come from the network; a terminal must not be told to do what it says.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Mode;
    use super::*;

    #[test]
    fn the_nearer_option_wins_and_nothing_lasts_for_ever() {
        let all = Options { opening: Some(Duration::from_secs(1)), close: Some(Duration::from_secs(3600)) };
        let one = Options { opening: Some(Duration::from_secs(2)), close: None };
        let limits = limits(all, one);
        assert_eq!((limits.opening, limits.close), (Duration::from_secs(2), Limits::default().whole));
        let none = super::limits(Options::default(), Options::default());
        assert_eq!((none.opening, none.close), (Limits::default().opening, Limits::default().close));
    }

    #[test]
    fn rules_that_meet_nobody() {
        let rule = |agents: &str| AgentRule { agents: agents.to_owned(), cases: Vec::new() };
        assert_eq!(idle_rules(&[rule("a*"), rule("b"), rule("c")], &["abc", "c"]), ["b"]);
    }

    #[test]
    fn the_command_line_and_the_file() {
        let server = |url: &str| Server { url: url.to_owned(), ..Server::default() };
        let urls = |wish: &Wish, spec: &Spec| {
            servers(wish, spec).map(|found| found.into_iter().map(|server| server.url).collect::<Vec<_>>())
        };
        let filled = Spec { servers: vec![server("ws://a"), server("ws://b")], ..Spec::default() };
        let given = Wish { url: Some("ws://c".to_owned()), ..Wish::new(Mode::FuzzingClient) };
        assert_eq!(urls(&given, &filled).unwrap(), ["ws://a", "ws://b"]);
        assert_eq!(urls(&given, &Spec::default()).unwrap(), ["ws://c"]);
        assert!(
            urls(&Wish::new(Mode::FuzzingClient), &Spec::default()).unwrap_err().to_string().contains("-w")
        );
    }
}
