//! `wsgrade test`: servers under test.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::{mpsc, watch};
use wsgrade_cases::Catalogue;
use wsgrade_cases::load::{LoadError, read_prelude};
use wsgrade_cases::model::{Role, Scenario, Step};
use wsgrade_cases::select::{Pattern, select};
use wsgrade_reference_server::client::Url;
use wsgrade_reference_server::{Config, Server, ServerHandle};
use wsgrade_reports::record::{Response, RunReport, TargetFacts};
use wsgrade_reports::render;

use super::daily::{DailyArgs, StayingArgs};
use super::display;
use super::exit::{Exit, Failure};
use super::gate::{Gate as RunGate, GateArgs};
use super::outputs::Formats;
use super::shard::ShardArgs;
use super::spawn::{Address, SpawnArgs, Spawned};
use super::stress::StressArgs;
use crate::carrier::{Trust, tls};
use crate::engine::Limits;
use crate::plan::{Depth, Plan};
use crate::runner::{DYING, Facts, Gate, Prepared, Run, Settings, Staying, probe, wait_for};
use crate::shell::word as shell_word;
use crate::spawn::Process;
use crate::streams::Streams;
use crate::target::{Header, RequestOptions, Resolve, Target, TargetError};

/// Cases at once against a target on this machine.
pub(crate) const LOCAL_JOBS: usize = 16;
/// Cases at once against any other, which others may be using.
pub(crate) const REMOTE_JOBS: usize = 4;

#[derive(Debug, Default, Args)]
pub(super) struct TestArgs {
    /// The servers to grade, such as ws://127.0.0.1:9001/ or wss://example.org/chat; several stand side by side in the report
    #[arg(value_name = "URL")]
    urls: Vec<Address>,

    #[command(flatten)]
    spawn: SpawnArgs,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    shard: ShardArgs,

    #[command(flatten)]
    passing: GateArgs,

    #[command(flatten)]
    daily: DailyArgs,

    #[command(flatten)]
    staying: StayingArgs,

    /// How many cases to play at once [default: 16 on this machine, 4 elsewhere]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// Steps to play on every connection before those of a case, such as a login: a TOML file with `steps = [ … ]`, in the
    /// language of the case files
    #[arg(long, value_name = "FILE")]
    prelude: Option<PathBuf>,

    #[command(flatten)]
    play: PlayArgs,

    #[command(flatten)]
    request: RequestArgs,

    #[command(flatten)]
    stress: StressArgs,
}

/// How cases are played, in either role.
#[derive(Debug, Args)]
pub(super) struct PlayArgs {
    #[command(flatten)]
    pub(super) base: BaseArgs,

    /// How many messages to send in each case of sections 12 and 13: default, full (1000) or a number
    #[arg(long, value_name = "DEPTH", default_value = "default", value_parser = depth)]
    depth: Depth,

    /// How much memory prepared messages may take, such as 512M or 2G
    #[arg(long, value_name = "SIZE", default_value = "512M", value_parser = bytes)]
    memory: usize,
}

/// What every way of playing has: where the report goes, how long to wait, and the seed.
#[derive(Clone, Debug, Args)]
pub(super) struct BaseArgs {
    /// Where the report goes
    #[arg(short, long, value_name = "DIR", default_value = DEFAULT_OUT)]
    pub(super) out: PathBuf,

    #[command(flatten)]
    pub(super) formats: Formats,

    /// How long to wait for an answer
    #[arg(long, value_name = "TIME", default_value = "4s", value_parser = duration)]
    timeout: Duration,

    /// How long to wait for the closing handshake and for the end of TCP
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    close_timeout: Duration,

    /// How long to wait for TCP and for the opening handshake
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    connect_timeout: Duration,

    /// Decides every random byte: mask keys, handshake keys [default: random]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Where a report goes unless told otherwise.
pub(super) const DEFAULT_OUT: &str = "wsgrade-report";

/// Which cases.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Selection {
    /// Only cases whose id matches, such as 6.4.1 or '6.*'; may be given several times
    #[arg(short, long = "case", value_name = "PATTERN")]
    case: Vec<String>,

    /// No cases whose id matches; may be given several times
    #[arg(short = 'x', long, value_name = "PATTERN")]
    exclude: Vec<String>,

    /// A case file, or a folder of them, to add to the built-in catalogue
    #[arg(long = "cases", value_name = "PATH")]
    path: Option<PathBuf>,

    /// Only cases for this role of the endpoint under test
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Option<Role>,
}

/// What is asked of every opening handshake.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct RequestArgs {
    /// A header to add to every opening handshake, as 'Name: value'; may be given several times
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<Header>,

    /// A subprotocol to offer; may be given several times
    #[arg(long = "subprotocol", value_name = "NAME")]
    subprotocols: Vec<String>,

    /// The Origin header
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,

    /// The Host header, and the name that TLS asks for, instead of the URL's host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    /// The address to use for a host, as HOST:PORT:ADDRESS; may be given several times
    #[arg(long, value_name = "ENTRY")]
    resolve: Vec<Resolve>,

    /// Certificates to trust at wss:// URLs beside the built-in ones, a PEM file: a CA's, or the server's own; may be
    /// given several times
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Vec<tls::Roots>,

    /// Take any certificate at wss:// URLs
    #[arg(long)]
    pub(super) insecure: bool,
}

impl Default for PlayArgs {
    fn default() -> Self {
        Self { base: BaseArgs::default(), depth: Depth::Default, memory: Streams::DEFAULT_BUDGET }
    }
}

impl Default for BaseArgs {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            out: DEFAULT_OUT.into(),
            formats: Formats::default(),
            timeout: limits.answer,
            close_timeout: limits.close,
            connect_timeout: limits.opening,
            seed: None,
        }
    }
}

pub(super) async fn run(args: TestArgs) -> Exit {
    match grade(args).await {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

async fn grade(args: TestArgs) -> Result<Exit, Failure> {
    if args.selection.role == Some(Role::Client) {
        return Err(Failure::usage("`wsgrade test` grades servers; it has no cases for the role client"));
    }
    let catalogue = Arc::new(args.selection.catalogue()?);
    let passing = args.passing.ready()?;
    let selected = args.selection.select(&catalogue, Some(Role::Server))?;
    let selected = args.daily.narrow(selected, Role::Server, &args.play.base.out)?;
    let (selected, part) = args.shard.cut(args.play.plans(&selected), Role::Server)?;
    if args.daily.lists(&selected) {
        return Ok(Exit::Success);
    }

    let watched = args.stress.watched(args.urls.len())?;
    let spawned = match args.spawn.command() {
        Some(command) => Some(args.spawn.start(command, &args.urls, &args.request.options()).await?),
        None => None,
    };
    let built_in =
        if spawned.is_none() && args.urls.is_empty() { Some(start_reference_server()?) } else { None };
    let targets = match (&spawned, &built_in) {
        (Some(spawned), _) => vec![spawned.target.clone()],
        (None, Some(server)) => {
            let url: Url = server.url().parse().map_err(Failure::inconclusive)?;
            vec![Target::find(url, &args.request.options()).await.map_err(Failure::inconclusive)?]
        }
        (None, None) => find_all(&args).await?,
    };
    let jobs = match args.jobs {
        Some(jobs) => usize::from(jobs),
        None if targets.iter().all(Target::is_local) => LOCAL_JOBS,
        None => REMOTE_JOBS,
    };
    let settings = Settings {
        prelude: prelude(args.prelude.as_deref())?,
        gate: args.stress.gate(spawned.is_some()),
        may_stress: args.stress.may_stress(),
        ..args.staying.settings(args.play.settings(jobs))
    };
    if args.request.insecure {
        for target in targets.iter().filter(|target| target.tls.is_some()) {
            eprintln!("wsgrade: warning: {}: not verifying who answers there (--insecure)", target.url);
        }
    }

    let mut prepared = Vec::new();
    for mut target in targets {
        let url = target.url.to_string();
        let facts = match &spawned {
            Some(spawned) => probe_spawned(spawned, &mut target, &settings).await?,
            None => probe(&mut target, &settings).await.map_err(Failure::inconclusive)?,
        };
        let url = match &spawned {
            Some(_) => args.urls.first().map(|address| address.text().to_owned()),
            None => built_in.is_none().then_some(url),
        };
        if let Some(hint) = hint(&facts) {
            eprintln!("wsgrade: note: {}: {hint}", target.url);
        }
        let repeat = args.repeat(url, settings.seed);
        let name = built_in.is_some().then(|| "reference server".to_owned());
        let process = spawned.as_ref().map(|spawned| Arc::clone(&spawned.process.0));
        let watched = process.as_ref().map(|process| process.watched()).or(watched);
        prepared.push(Prepared { target, facts, adapt: true, name, repeat, process, watched });
    }

    let (events, listener) = mpsc::unbounded_channel();
    let watcher = tokio::spawn(display::watch(listener));
    let run = Run {
        catalogue,
        selected,
        part,
        settings: args.staying.watched(settings, &events),
        patterns: args.selection.patterns(),
        events,
        interrupted: spawned.as_ref().map_or_else(|| interrupts(None), |spawned| spawned.interrupted.clone()),
    };
    let report = run.play(&prepared).await;
    drop(spawned);
    drop(run);
    // The display ends with its channel; it has nothing to say that could fail the run.
    let _ = watcher.await;
    if let Some(server) = built_in {
        server.shutdown().await;
    }
    args.daily.capture(&report)?;
    finish(&report, &args.play.base, &passing)
}

/// Writes the report, prints the result and says whether it passes the gate.
pub(super) fn finish(report: &RunReport, base: &BaseArgs, gate: &RunGate) -> Result<Exit, Failure> {
    finish_in(report, &base.out, &base.formats, gate)
}

/// The same, of a record that was made before.
pub(super) fn finish_in(
    report: &RunReport,
    out: &Path,
    formats: &Formats,
    gate: &RunGate,
) -> Result<Exit, Failure> {
    let passed = gate.pass(report);
    let result = format!("{}\n{}", render::summary(report), passed.text);
    formats.finish(report, passed.baseline.as_ref(), out, &result)?;
    Ok(passed.exit)
}

pub(super) fn start_reference_server() -> Result<ServerHandle, Failure> {
    Server::bind(Config::default()).map(Server::spawn).map_err(|error| {
        Failure::inconclusive(format!("cannot start the built-in reference server: {error}"))
    })
}

/// Whether it died says more than that nobody answers.
pub(super) async fn probe_spawned(
    spawned: &Spawned,
    target: &mut Target,
    settings: &Settings,
) -> Result<Facts, Failure> {
    let mut interrupted = spawned.interrupted.clone();
    let unreachable = tokio::select! {
        probed = probe(target, settings) => match probed {
            Ok(facts) => return Ok(facts),
            Err(unreachable) => unreachable,
        },
        () = wait_for(&mut interrupted) => return Err(Failure::inconclusive("interrupted")),
    };
    let process = &spawned.process.0;
    Err(match process.death_within(DYING).await {
        Some(death) => Failure::inconclusive(process.died_unserved(death)),
        None => Failure::inconclusive(unreachable),
    })
}

/// What a user might do so that more can be seen of a target.
pub(super) fn hint(facts: &Facts) -> Option<&'static str> {
    let TargetFacts { text, binary, talks, .. } = &facts.found;
    let either = |response| *text == response || *binary == response;
    if *text == Response::Ends && *binary == Response::Ends {
        Some(
            "it ends the connection at any message; if it wants a login or a subprotocol first, give --prelude FILE or \
             --subprotocol NAME",
        )
    } else if *talks && either(Response::Echo) {
        Some(
            "it says things unasked, so its echoes are not judged; if it only greets, await that in a --prelude FILE",
        )
    } else {
        None
    }
}

async fn find_all(args: &TestArgs) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::new();
    for address in &args.urls {
        let url = address.url()?;
        let target = Target::find(url.clone(), &args.request.options()).await;
        targets.push(target.map_err(|error| no_target(&url, &error))?);
    }
    Ok(targets)
}

/// Why there is nothing to grade at a URL.
pub(super) fn no_target(url: &Url, error: &TargetError) -> Failure {
    let message = format!("{url}: {error}");
    match error {
        TargetError::NoAddress { .. } => Failure::inconclusive(message),
        TargetError::Tls(_) => Failure::usage(message),
    }
}

/// Becomes `true` at the first Ctrl-C; the second ends the program at once, and a process that we started with it.
pub(crate) fn interrupts(process: Option<Arc<Process>>) -> watch::Receiver<bool> {
    let (stop, interrupted) = watch::channel(false);
    #[cfg(unix)]
    if let Some(process) = process.clone() {
        tokio::spawn(end_with_us(process));
    }
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            eprintln!(
                "wsgrade: ending; the report will hold what was played so far (once more to stop at once)"
            );
            let _ = stop.send(true);
            if tokio::signal::ctrl_c().await.is_ok() {
                if let Some(process) = process {
                    process.kill();
                }
                std::process::exit(i32::from(Exit::Inconclusive.code()));
            }
        }
    });
    interrupted
}

/// A process that we started would outlive us when we are told to end: it does not hear of it.
#[cfg(unix)]
async fn end_with_us(process: Arc<Process>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hang_up)) =
        (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    process.end();
    std::process::exit(i32::from(Exit::Inconclusive.code()));
}

impl PlayArgs {
    /// With this many cases at once.
    pub(super) fn settings(&self, jobs: usize) -> Settings {
        Settings { depth: self.depth, ..self.base.settings(jobs) }
    }

    /// The cases made ready.
    pub(super) fn plans(&self, selected: &[Arc<Scenario>]) -> Vec<Arc<Plan>> {
        Plan::all(selected, self.depth, &Arc::new(Streams::with_budget(self.memory)))
    }
}

impl BaseArgs {
    /// With this many at once.
    pub(super) fn settings(&self, jobs: usize) -> Settings {
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        Settings {
            jobs,
            limits: self.limits(),
            seed,
            prelude: Arc::default(),
            depth: Depth::Default,
            gate: Gate::default(),
            may_stress: false,
            staying: Staying::default(),
            verbose: None,
        }
    }

    /// The times that are not the usual ones, as words for a shell.
    pub(super) fn times(&self) -> Vec<String> {
        let usual = Self::default();
        let times = [
            ("--timeout", self.timeout, usual.timeout),
            ("--close-timeout", self.close_timeout, usual.close_timeout),
            ("--connect-timeout", self.connect_timeout, usual.connect_timeout),
        ];
        let unusual = times.into_iter().filter(|(_, time, usual)| time != usual);
        let word = |time| humantime::format_duration(time).to_string().replace(' ', "");
        unusual.flat_map(|(name, time, _)| [name.to_owned(), word(time)]).collect()
    }

    fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            answer: self.timeout,
            close: self.close_timeout,
            opening: self.connect_timeout,
            whole: default.whole.max(self.timeout.saturating_mul(4)),
            silence: default.silence.min(self.timeout / 4),
            excess_bytes: default.excess_bytes,
        }
    }
}

/// The steps before those of a case, where there is a file of them.
pub(super) fn prelude(path: Option<&Path>) -> Result<Arc<[Step]>, Failure> {
    let Some(path) = path else { return Ok(Arc::default()) };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read the prelude from {name}: {error}")))?;
    let steps =
        read_prelude(&name, &text).map_err(|problems| Failure::usage(LoadError::Problems(problems)))?;
    Ok(steps.into())
}

impl TestArgs {
    /// The command that repeats one case, up to its id.
    fn repeat(&self, url: Option<String>, seed: u64) -> String {
        let mut words = vec!["wsgrade".to_owned(), "test".to_owned()];
        words.extend(self.spawn.repeat());
        words.extend(url);
        words.extend(self.request.words());
        let mut option = |name: &str, value: String| words.extend([format!("--{name}"), value]);
        self.prelude.iter().for_each(|path| option("prelude", path.display().to_string()));
        self.selection.path.iter().for_each(|path| option("cases", path.display().to_string()));
        if self.play.depth != Depth::Default {
            option("depth", self.play.depth.to_string());
        }
        option("seed", seed.to_string());
        words.extend(self.stress.repeat());
        words.extend(self.request.insecure.then(|| "--insecure".to_owned()));
        let words: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
        format!("{} -c ", words.join(" "))
    }
}

impl RequestArgs {
    /// As words for a shell, all but `--insecure`.
    pub(super) fn words(&self) -> Vec<String> {
        let Self { headers, subprotocols, origin, host, resolve, ca, insecure: _ } = self;
        let mut words = Vec::new();
        let mut option = |name: &str, value: String| words.extend([format!("--{name}"), value]);
        for header in headers {
            option("header", format!("{}: {}", header.name, header.value));
        }
        for name in subprotocols {
            option("subprotocol", name.clone());
        }
        origin.iter().for_each(|value| option("origin", value.clone()));
        host.iter().for_each(|value| option("host", value.clone()));
        for entry in resolve {
            option("resolve", format!("{}:{}:{}", entry.host, entry.port, entry.address));
        }
        ca.iter().for_each(|roots| option("ca", roots.path().display().to_string()));
        words
    }

    pub(super) fn options(&self) -> RequestOptions {
        RequestOptions {
            headers: self.headers.clone(),
            subprotocols: self.subprotocols.clone(),
            origin: self.origin.clone(),
            host: self.host.clone(),
            resolve: self.resolve.clone(),
            trust: if self.insecure { Trust::Anything } else { Trust::Roots { extra: self.ca.clone() } },
        }
    }
}

impl Selection {
    pub(super) fn catalogue(&self) -> Result<Catalogue, Failure> {
        match &self.path {
            Some(path) => Catalogue::with_path(path).map_err(Failure::usage),
            None => Ok(Catalogue::embedded().clone()),
        }
    }

    /// The patterns, for the record.
    pub(super) fn patterns(&self) -> (Vec<String>, Vec<String>) {
        (self.case.clone(), self.exclude.clone())
    }

    /// Whether no case was asked for by its id.
    pub(super) fn is_open(&self) -> bool {
        self.case.is_empty()
    }

    /// The role asked for.
    pub(super) fn role(&self) -> Option<Role> {
        self.role
    }

    /// The cases asked for, for one role or any.
    pub(super) fn select(
        &self,
        catalogue: &Catalogue,
        role: Option<Role>,
    ) -> Result<Vec<Arc<Scenario>>, Failure> {
        let patterns = |texts: &[String]| texts.iter().map(Pattern::new).collect::<Vec<_>>();
        let found =
            select(catalogue, &patterns(&self.case), &patterns(&self.exclude)).map_err(Failure::usage)?;
        for idle in &found.idle {
            eprintln!("wsgrade: warning: excluding nothing: {idle}");
        }
        let role = self.role.or(role);
        let selected: Vec<_> = found
            .cases
            .into_iter()
            .filter(|scenario| role.is_none_or(|role| scenario.roles.contains(&role)))
            .cloned()
            .map(Arc::new)
            .collect();
        if selected.is_empty() {
            return Err(Failure::usage("no case is selected: `wsgrade cases` lists what there is"));
        }
        Ok(selected)
    }
}

fn depth(text: &str) -> Result<Depth, String> {
    match text {
        "default" => Ok(Depth::Default),
        "full" => Ok(Depth::Full),
        number => match number.parse() {
            Ok(messages @ 1..) => Ok(Depth::Messages(messages)),
            Ok(0) | Err(_) => Err("a depth is `default`, `full` or a number of messages from 1".to_owned()),
        },
    }
}

/// A number of bytes with a unit of 1024, or without one.
fn bytes(text: &str) -> Result<usize, String> {
    let (number, unit) = match text.strip_suffix(['K', 'M', 'G']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, ""),
    };
    let factor: usize = match unit {
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => 1,
    };
    let number: Option<usize> = number.parse().ok();
    number
        .and_then(|number| number.checked_mul(factor))
        .ok_or("a size is written 512M, 2G or in bytes".to_owned())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let form = "a time is written 500ms, 4s or 1m";
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}: {form}"))?;
    if time.is_zero() || time > Duration::from_secs(3600) {
        return Err(format!("it must be more than nothing and at most an hour: {form}"));
    }
    Ok(time)
}

fn role(text: &str) -> Result<Role, String> {
    match text {
        "server" => Ok(Role::Server),
        "client" => Ok(Role::Client),
        _ => Err("a role is `server` or `client`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_for_those_of_whom_more_could_be_seen() {
        let of = |text, binary, talks| {
            let found = TargetFacts { text, binary, talks, ..TargetFacts::default() };
            hint(&Facts { found, ..Facts::default() }).is_some()
        };
        assert!(of(Response::Ends, Response::Ends, false));
        assert!(of(Response::Echo, Response::Ends, true));
        assert!(!of(Response::Echo, Response::Echo, false));
        assert!(!of(Response::Echo, Response::Ends, false));
        assert!(!of(Response::Nothing, Response::Nothing, true));
    }

    #[test]
    fn times() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for text in ["", "4", "0s", "2h", "-1s", "soon"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }
}
