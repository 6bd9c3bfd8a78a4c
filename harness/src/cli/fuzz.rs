//! `wsgrade fuzz`: scenarios that nobody wrote.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use tokio::sync::{mpsc, watch};
use wsgrade_cases::model::Step;
use wsgrade_reference_server::ServerHandle;
use wsgrade_reports::record::{Severity, TargetFacts};

use super::args::{BaseArgs, RequestArgs};
use super::exit::{Exit, Failure};
use super::interrupt::Interrupts;
use super::servers::{LOCAL_JOBS, REMOTE_JOBS, no_target, probe_spawned, start_reference_server};
use super::spawn::{Address, SpawnArgs};
use super::tide;
use crate::carrier::tls::Acceptor;
use crate::fuzz::campaign::{Campaign, Options, Summary};
use crate::fuzz::confirm::Budget;
use crate::fuzz::corpus::Corpus;
use crate::fuzz::finding::Replay;
use crate::fuzz::guests::Guests;
use crate::fuzz::place::{Dial, Place, Server, Start};
use crate::fuzz::player::Player;
use crate::fuzz::record::{self, Against, How};
use crate::fuzz::schedule::Schedule;
use crate::fuzz::words;
use crate::generate::Brief;
use crate::listen::Client;
use crate::runner::{Facts, Gate, Settings, probe};
use crate::shell::word as shell_word;
use crate::target::Target;

/// Where findings go, below the report.
const FINDINGS: &str = "findings";
/// Where clients are met unless told otherwise.
const LISTEN: &str = "127.0.0.1:9001";
/// How long a campaign takes unless told otherwise.
const TIME: Duration = Duration::from_secs(60);
/// No campaign takes longer.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);
/// How many new connections in a second a target elsewhere has to bear unless told otherwise.
const RATE: u16 = 50;

/// Plays scenarios that a program makes up, and looks again at what goes wrong: alone, with patience, and with ever simpler
/// scenarios. What is left is a case file for each finding, and the command that plays it again.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing found, 1 something found, 2 the command line is wrong, 3 the target cannot be \
    reached or nothing was played."
)]
pub(super) struct FuzzArgs {
    /// The server, such as ws://127.0.0.1:9001/; without one, the built-in reference server; several are compared with
    /// each other
    #[arg(value_name = "URL", conflicts_with = "listen")]
    pub(super) urls: Vec<Address>,

    #[command(flatten)]
    pub(super) place: PlaceArgs,

    /// How long to go on [default: 60s, or until --runs are done]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,

    /// How many scenarios to play at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,

    /// End after so many findings
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_findings: Option<u32>,

    /// How many to play at once [default: 16 on this machine, 4 elsewhere]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// How many new connections in a second the target has to bear [default: any on this machine, 50 elsewhere]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rate: Option<u16>,

    /// A folder of scenarios to go on from, to which those are added that show something new
    #[arg(long, value_name = "DIR")]
    pub(super) corpus: Option<PathBuf>,

    /// Where the case files of findings go [default: findings/ below the report]
    #[arg(long, value_name = "DIR")]
    findings: Option<PathBuf>,

    /// Make scenarios from nothing but the RFCs' grammar, and none from the cases of the catalogue
    #[arg(long)]
    pub(super) no_catalogue: bool,

    /// Leave the opening handshake as it is, where something stands before the target that answers it
    #[arg(long)]
    pub(super) no_openings: bool,

    /// What makes the exit code 1
    #[arg(long, value_name = "LEVEL", default_value = "fail")]
    pub(super) fail_on: FailOn,

    #[command(flatten)]
    pub(super) base: BaseArgs,

    #[command(flatten)]
    pub(super) request: RequestArgs,
}

/// Where scenarios are played: what `fuzz` and `replay` have in common.
#[derive(Clone, Debug, Args)]
pub(super) struct PlaceArgs {
    /// Meet clients here, instead of a server: whatever connection one makes, a scenario is played on it
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, default_missing_value = LISTEN)]
    pub(super) listen: Option<SocketAddr>,

    #[command(flatten)]
    pub(super) spawn: SpawnArgs,

    /// The name that {agent} stands for in the command of --spawn, with --listen
    #[arg(long, value_name = "NAME", default_value = "client", requires = "listen")]
    agent: String,

    /// Listen for TLS, as wss://, with the certificate in this PEM file, and its issuers behind it
    #[arg(long, value_name = "FILE", requires_all = ["key", "listen"])]
    cert: Option<PathBuf>,

    /// The private key of that certificate, in a PEM file
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// Steps to play on every connection before those of a scenario, such as a login: a TOML file with `steps = [ … ]`, in
    /// the language of the case files
    #[arg(long, value_name = "FILE", conflicts_with = "listen")]
    prelude: Option<PathBuf>,
}

/// What counts as something found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// A MUST that is broken, and a process that dies
    Fail,
    /// A SHOULD that is broken as well
    NonStrict,
    /// Anything at which several targets differ as well, lawful or not
    Difference,
}

/// A place that can be played in.
pub(super) struct Ready {
    pub(super) place: Place,
    pub(super) facts: Facts,
    pub(super) interrupted: watch::Receiver<bool>,
    /// Whether it is on this machine.
    pub(super) local: bool,
    /// Ends when this goes out of scope.
    pub(super) built_in: Option<ServerHandle>,
}

pub(super) async fn run(args: FuzzArgs) -> Exit {
    match fuzz(&args).await {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

async fn fuzz(args: &FuzzArgs) -> Result<Exit, Failure> {
    let started = SystemTime::now();
    let settings = Settings { prelude: args.place.prelude()?, ..args.base.settings(1) };
    let gate = |local| match (args.rate, local) {
        (Some(rate), _) => Gate::bounded_everywhere(u16::MAX, rate),
        (None, true) => Gate::default(),
        (None, false) => Gate::bounded(u16::MAX, RATE),
    };
    if args.urls.len() > 1 {
        return super::fuzz_several::compare(args, &settings, started, gate).await;
    }
    let ready = args.place.ready(&args.urls, &args.request, &settings, gate).await?;
    let Ready { place, facts, interrupted, local, built_in } = ready;
    let brief =
        Brief { role: place.role(), deflate: facts.found.deflate.is_some(), openings: !args.no_openings };
    let corpus = match &args.corpus {
        Some(dir) => Corpus::load(dir, brief.role).map_err(Failure::usage)?,
        None => Corpus::default(),
    };
    let url =
        built_in.is_none().then(|| args.urls.first().map(|address| address.text().to_owned())).flatten();
    let jobs = args.jobs(local);
    let options = args.options(url, settings.seed, jobs);
    eprintln!("{}: fuzzing with --seed {}", place.url(), settings.seed);
    let schedule = Schedule::new(brief, settings.seed, !args.no_catalogue);
    let player = Player::new(place.clone(), facts.found.clone(), settings.limits.clone())
        .with_prelude(Arc::clone(&settings.prelude));
    let (tell, told) = mpsc::unbounded_channel();
    let watcher = tokio::spawn(tide::watch(told));
    let campaign = Campaign::new(options, schedule, player, corpus, tell, interrupted);
    let summary = campaign.run().await;
    // The display ends with its channel; it has nothing to say that could fail the run.
    let _ = watcher.await;
    let url = place.url();
    let name = match (&built_in, &facts.agent) {
        (Some(_), _) => "reference server".to_owned(),
        (None, Some(agent)) => agent.clone(),
        (None, None) => url.clone(),
    };
    let against = Against {
        name,
        url,
        role: brief.role,
        agent: facts.agent.clone(),
        facts: facts.found.clone(),
        process: place.process_info(),
        summary: &summary,
    };
    drop(place);
    let how = How { settings: &Settings { jobs, ..settings }, catalogue: !args.no_catalogue, started };
    let report = record::report(&how, &[against], Vec::new());
    args.base.formats.finish(&report, None, args.base.out(), &words::summary(&summary))?;
    if let Some(server) = built_in {
        server.shutdown().await;
    }
    Ok(exit_of(&summary, args.fail_on))
}

pub(super) fn exit_of(summary: &Summary, fail_on: FailOn) -> Exit {
    let least = match fail_on {
        FailOn::Fail => Severity::Major,
        FailOn::NonStrict | FailOn::Difference => Severity::Minor,
    };
    if summary.findings.iter().any(|finding| finding.kind.severity() >= least) {
        Exit::GateNotMet
    } else if summary.scenarios == 0
        || summary.stopped.as_deref().is_some_and(|reason| reason != "interrupted")
    {
        Exit::Inconclusive
    } else {
        Exit::Success
    }
}

impl FuzzArgs {
    /// How a campaign is run against a URL.
    pub(super) fn options(&self, url: Option<String>, seed: u64, jobs: usize) -> Options {
        Options {
            seed,
            runs: self.runs,
            time: self.time.or(self.runs.is_none().then_some(TIME)),
            max_findings: self.max_findings.map(|most| most as usize),
            jobs,
            findings: self.findings.clone().unwrap_or_else(|| self.base.out().join(FINDINGS)),
            replay: Replay {
                before: "wsgrade replay".to_owned(),
                behind: self.place.words(url, &self.request, &self.base, seed),
            },
            budget: Budget::default(),
        }
    }

    /// How many at once.
    pub(super) fn jobs(&self, local: bool) -> usize {
        self.jobs.map_or(if local { LOCAL_JOBS } else { REMOTE_JOBS }, usize::from)
    }
}

impl PlaceArgs {
    /// The steps before those of a scenario.
    pub(super) fn prelude(&self) -> Result<Arc<[Step]>, Failure> {
        super::args::prelude(self.prelude.as_deref())
    }

    /// Starts what is to be started, reaches it and asks what it does.
    pub(super) async fn ready(
        &self,
        urls: &[Address],
        request: &RequestArgs,
        settings: &Settings,
        gate: impl Fn(bool) -> Gate,
    ) -> Result<Ready, Failure> {
        if let Some(addr) = self.listen {
            return self.listening(addr, settings).await;
        }
        self.spawn.check()?;
        let options = request.options();
        let Some(command) = self.spawn.command() else {
            return dialling(urls, request, settings, gate).await;
        };
        let interrupts = Interrupts::watch();
        let spawned = self.spawn.start(command, urls, &options, &interrupts).await?;
        let mut target = spawned.target.clone();
        let facts = probe_spawned(&spawned, &mut target, settings, &interrupts).await?;
        let (command, spawn, urls) = (command.to_owned(), self.spawn.clone(), urls.to_vec());
        let start: Start = Box::new(move || {
            let (command, spawn, urls, options) =
                (command.clone(), spawn.clone(), urls.clone(), options.clone());
            Box::pin(async move {
                spawn.start_again(&command, &urls, &options).await.map_err(|failure| failure.to_string())
            })
        });
        let settings = Settings { gate: gate(true), ..settings.clone() };
        let server = Server::new(spawned.process, start);
        let dial = Dial::new(target, facts.clone(), settings, Some(server));
        let interrupted = interrupts.receiver();
        Ok(Ready { place: Place::Dial(Arc::new(dial)), facts, interrupted, local: true, built_in: None })
    }

    async fn listening(&self, addr: SocketAddr, settings: &Settings) -> Result<Ready, Failure> {
        let tls = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Some(Acceptor::from_pem_files(cert, key).map_err(Failure::usage)?),
            (Some(_), None) | (None, Some(_)) | (None, None) => None,
        };
        let client = self
            .spawn
            .command()
            .map(|command| Client { command: command.to_owned(), agent: self.agent.clone() });
        let mut interrupted = Interrupts::watch().receiver();
        let guests = Guests::bind(addr, tls, settings.limits.clone(), client)
            .await
            .map_err(|error| Failure::inconclusive(format!("cannot listen on {addr}: {error}")))?;
        super::print(&format!("listening on {}/\n", guests.url()));
        let found: TargetFacts = tokio::select! {
            found = guests.learn() => found.map_err(Failure::inconclusive)?,
            () = crate::runner::wait_for(&mut interrupted) => return Err(Failure::inconclusive("interrupted")),
        };
        let facts = Facts { found, ..Facts::default() };
        let place = Place::Accept(Arc::new(guests));
        Ok(Ready { place, facts, interrupted, local: true, built_in: None })
    }

    /// The target and how it is played, as a shell takes it: what stands behind the file in the command of a replay.
    fn words(&self, url: Option<String>, request: &RequestArgs, base: &BaseArgs, seed: u64) -> String {
        let Self { listen, spawn, agent, cert, key, prelude } = self;
        let mut words = Vec::new();
        words.extend(url);
        if let Some(addr) = listen {
            words.extend(["--listen".to_owned(), addr.to_string()]);
        }
        words.extend(spawn.repeat());
        if listen.is_some() && spawn.command().is_some_and(|command| command.contains("{agent}")) {
            words.extend(["--agent".to_owned(), agent.clone()]);
        }
        for (name, file) in [("--cert", cert), ("--key", key), ("--prelude", prelude)] {
            words.extend(file.iter().flat_map(|file| [name.to_owned(), file.display().to_string()]));
        }
        words.extend(request.words());
        words.extend(base.times());
        words.extend(request.insecure.then(|| "--insecure".to_owned()));
        words.extend(["--seed".to_owned(), seed.to_string()]);
        let words: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
        words.join(" ")
    }
}

/// A server that runs already, or the built-in one.
pub(super) async fn dialling(
    urls: &[Address],
    request: &RequestArgs,
    settings: &Settings,
    gate: impl Fn(bool) -> Gate,
) -> Result<Ready, Failure> {
    let built_in = if urls.is_empty() { Some(start_reference_server()?) } else { None };
    let url = match (urls, &built_in) {
        ([], Some(server)) => server.url().parse().map_err(Failure::inconclusive)?,
        ([address], _) => address.url()?,
        _ => return Err(Failure::usage("give one URL")),
    };
    let mut target =
        Target::find(url.clone(), &request.options()).await.map_err(|error| no_target(&url, &error))?;
    if request.insecure && target.tls.is_some() {
        eprintln!("wsgrade: warning: {url}: not verifying who answers there (--insecure)");
    }
    let local = target.is_local();
    let facts = probe(&mut target, settings).await.map_err(Failure::inconclusive)?;
    let settings = Settings { gate: gate(local), ..settings.clone() };
    let dial = Dial::new(target, facts.clone(), settings, None);
    let place = Place::Dial(Arc::new(dial));
    Ok(Ready { place, facts, interrupted: Interrupts::watch().receiver(), local, built_in })
}

fn duration(text: &str) -> Result<Duration, String> {
    let form = "a time is written 90s, 10m or 2h";
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}: {form}"))?;
    if time.is_zero() || time > LONGEST {
        return Err(format!("it must be more than nothing and at most 30 days: {form}"));
    }
    Ok(time)
}
