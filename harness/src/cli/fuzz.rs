//! `wsgrade fuzz`: scenarios that nobody wrote.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use tokio::sync::mpsc;
use wsgrade_reports::record::Severity;

use super::args::{BaseArgs, RequestArgs};
use super::config::Config;
use super::exit::{Exit, Failure};
use super::place::{Chosen, PlaceArgs, Ready};
use super::servers::{LOCAL_JOBS, REMOTE_JOBS};
use super::spawn::Address;
use super::tide;
use crate::fuzz::campaign::{Campaign, Options, Summary};
use crate::fuzz::confirm::Budget;
use crate::fuzz::corpus::Corpus;
use crate::fuzz::finding::Replay;
use crate::fuzz::player::Player;
use crate::fuzz::record::{self, Against, How};
use crate::fuzz::schedule::Schedule;
use crate::fuzz::words;
use crate::generate::Brief;
use crate::runner::{Gate, Settings};

/// Where findings go, below the report.
const FINDINGS: &str = "findings";
/// How long a campaign takes unless told otherwise.
const TIME: Duration = Duration::from_secs(60);
/// No campaign takes longer.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);
/// How many new connections in a second a target elsewhere has to bear unless told otherwise.
const RATE: u16 = 50;

/// Plays scenarios that a program makes up, and looks again at what goes wrong: alone, with patience, and with ever simpler
/// scenarios. What is left is a case file for each finding, and the command that plays it again.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing found, 1 something found, 2 the command line is wrong, 3 the target cannot be \
    reached or nothing was played."
)]
pub(super) struct FuzzArgs {
    /// The server, such as ws://127.0.0.1:9001/; without one, those of wsgrade.toml or else the built-in reference server;
    /// several are compared with each other
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

pub(super) async fn run(args: FuzzArgs) -> Exit {
    match fuzz(args).await {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

async fn fuzz(given: FuzzArgs) -> Result<Exit, Failure> {
    let started = SystemTime::now();
    let config = given.place.load()?;
    let args = &given.clone().filled(config.as_ref());
    let settings = args.base.settings(1);
    let rate_elsewhere = config.as_ref().and_then(|config| config.limits.rate).unwrap_or(RATE);
    let gate = |local| match (args.rate, local) {
        (Some(rate), _) => Gate::bounded_everywhere(u16::MAX, rate),
        (None, true) => Gate::default(),
        (None, false) => Gate::bounded(u16::MAX, rate_elsewhere),
    };
    let chosen = args.place.choose(&args.urls, &args.request, config.as_ref())?;
    if let Chosen::Servers(servers) = &chosen
        && servers.len() > 1
    {
        return super::fuzz_several::compare(&given, args, servers, &settings, started, gate).await;
    }
    let ready = chosen.ready(&settings, gate, "give one URL").await?;
    let Ready { place, facts, prelude, interrupted, local, built_in } = ready;
    let settings = Settings { prelude, ..settings };
    let brief =
        Brief { role: place.role(), deflate: facts.found.deflate.is_some(), openings: !args.no_openings };
    let corpus = match &args.corpus {
        Some(dir) => Corpus::load(dir, brief.role).map_err(Failure::usage)?,
        None => Corpus::default(),
    };
    let jobs = args.jobs(local);
    let options =
        Options { jobs, replay: given.replay(chosen.called(), settings.seed), ..args.options(settings.seed) };
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
    /// With what the file says where nothing was given.
    fn filled(mut self, config: Option<&Config>) -> Self {
        if let Some(config) = config {
            self.base.fill(config);
            self.jobs = self.jobs.or(config.limits.jobs);
        }
        self
    }

    /// The command that plays a finding again, of these arguments as they were given, with what a target is called: by the
    /// file and by the user.
    pub(super) fn replay(&self, called: (Option<&str>, Option<&str>), seed: u64) -> Replay {
        Replay {
            before: "wsgrade replay".to_owned(),
            behind: self.place.words(called, &self.request, &self.base, seed),
        }
    }

    /// How a campaign is run, one scenario at a time.
    pub(super) fn options(&self, seed: u64) -> Options {
        Options {
            seed,
            runs: self.runs,
            time: self.time.or(self.runs.is_none().then_some(TIME)),
            max_findings: self.max_findings.map(|most| most as usize),
            jobs: 1,
            findings: self.findings.clone().unwrap_or_else(|| self.base.out().join(FINDINGS)),
            replay: Replay::default(),
            budget: Budget::default(),
        }
    }

    /// How many at once.
    pub(super) fn jobs(&self, local: bool) -> usize {
        self.jobs.map_or(if local { LOCAL_JOBS } else { REMOTE_JOBS }, usize::from)
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let form = "a time is written 90s, 10m or 2h";
    let time = humantime::parse_duration(text).map_err(|error| format!("{error}: {form}"))?;
    if time.is_zero() || time > LONGEST {
        return Err(format!("it must be more than nothing and at most 30 days: {form}"));
    }
    Ok(time)
}
