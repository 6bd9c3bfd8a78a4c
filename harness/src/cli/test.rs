//! `wsgrade test`: servers under test.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::sync::mpsc;
use wsgrade_cases::model::Role;
use wsgrade_reports::record::RunReport;

use super::args::{PlayArgs, RequestArgs, Selection};
use super::config::{Config, ConfigArgs};
use super::daily::{DailyArgs, StayingArgs};
use super::display;
use super::exit::{Exit, Failure};
use super::gate::GateArgs;
use super::interrupt::Interrupts;
use super::servers::{Given, LOCAL_JOBS, REMOTE_JOBS, Started, Wanted};
use super::shard::ShardArgs;
use super::spawn::{Address, SpawnArgs};
use super::stress::StressArgs;
use crate::plan::Depth;
use crate::runner::{Run, Settings};
use crate::shell::word as shell_word;

#[derive(Clone, Debug, Default, Args)]
pub(super) struct TestArgs {
    /// The servers to grade, such as ws://127.0.0.1:9001/ or wss://example.org/chat; several stand side by side in the report
    #[arg(value_name = "URL")]
    urls: Vec<Address>,

    #[command(flatten)]
    config: ConfigArgs,

    /// Only targets of wsgrade.toml whose name matches; may be given several times
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,

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

pub(super) async fn run(args: TestArgs) -> Exit {
    match grade(args).await {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

async fn grade(given: TestArgs) -> Result<Exit, Failure> {
    if given.selection.role() == Some(Role::Client) {
        return Err(Failure::usage("`wsgrade test` grades servers; it has no cases for the role client"));
    }
    let config = given.config.load()?;
    let args = given.clone().filled(config.as_ref());
    let wanted = args.given().wanted(config.as_ref())?;
    let catalogue = Arc::new(args.selection.catalogue()?);
    let gate = args.passing.ready(&args.config, config.as_ref(), &catalogue)?;
    let selected = args.selection.select(&catalogue, Some(Role::Server))?;
    let selected = args.daily.narrow(selected, Role::Server, args.play.base.out())?;
    let (selected, part) = args.shard.cut(args.play.plans(&selected), Role::Server)?;
    if args.daily.lists(&selected) {
        return Ok(Exit::Success);
    }

    let dialled = if wanted.iter().all(Wanted::is_dialled) { wanted.len() } else { 0 };
    let watched = args.stress.watched(dialled)?;
    let interrupts = Interrupts::watch();
    let mut started = Vec::new();
    for server in &wanted {
        started.push(server.start(&interrupts).await?);
    }
    let (events, listener) = mpsc::unbounded_channel();
    let jobs = |local: bool| match args.jobs {
        Some(jobs) => usize::from(jobs),
        None if local => LOCAL_JOBS,
        None => REMOTE_JOBS,
    };
    // What a run has one of, such as its seed, is every target's.
    let settings = args.staying.settings(args.play.settings(jobs(started.iter().all(Started::is_local))));
    let settings = args.staying.watched(settings, &events);
    let mut prepared = Vec::new();
    for (server, started) in wanted.iter().zip(&started) {
        let its = Settings { jobs: jobs(started.is_local()), ..settings.clone() };
        let repeat = |name: Option<&str>, url: Option<&str>| match name {
            Some(name) => given.repeat_by_name(name, settings.seed),
            None => args.repeat(url, settings.seed),
        };
        prepared.push(server.prepare(started, &its, &args.stress, watched, &interrupts, repeat).await?);
    }

    let watcher = tokio::spawn(display::watch(listener));
    let run = Run {
        catalogue,
        selected,
        part,
        settings,
        patterns: args.selection.patterns(),
        events,
        interrupted: interrupts.receiver(),
    };
    let mut report: RunReport = run.play(&prepared).await;
    drop(prepared);
    drop(run);
    // The display ends with its channel; it has nothing to say that could fail the run.
    let _ = watcher.await;
    for server in started {
        server.end().await;
    }
    let exit = gate.finish(&mut report, args.play.base.out(), &args.play.base.formats)?;
    args.daily.capture(&report)?;
    Ok(exit)
}

impl TestArgs {
    /// With what the file says where nothing was given.
    fn filled(mut self, config: Option<&Config>) -> Self {
        if let Some(config) = config {
            self.selection.fill(config);
            self.play.fill(config);
            self.stress.fill(&config.limits);
            self.jobs = self.jobs.or(config.limits.jobs);
        }
        self
    }

    fn given(&self) -> Given<'_> {
        Given {
            urls: &self.urls,
            targets: &self.targets,
            spawn: &self.spawn,
            request: &self.request,
            prelude: self.prelude.as_ref(),
        }
    }

    /// The command that repeats one case, up to its id.
    fn repeat(&self, url: Option<&str>, seed: u64) -> String {
        let mut words = vec!["wsgrade".to_owned(), "test".to_owned()];
        words.extend(self.spawn.repeat());
        words.extend(url.map(str::to_owned));
        self.finished(words, seed)
    }

    /// The same for a target of the file, of these arguments as they were given: what else there is to know stands in the file,
    /// and secrets are not told.
    fn repeat_by_name(&self, name: &str, seed: u64) -> String {
        let mut words = vec!["wsgrade".to_owned(), "test".to_owned()];
        words.extend(self.config.words());
        words.extend(["--target".to_owned(), name.to_owned()]);
        self.finished(words, seed)
    }

    fn finished(&self, mut words: Vec<String>, seed: u64) -> String {
        words.extend(self.request.words());
        let mut option = |name: &str, value: String| words.extend([format!("--{name}"), value]);
        self.prelude.iter().for_each(|path| option("prelude", path.display().to_string()));
        self.selection.path().iter().for_each(|path| option("cases", path.display().to_string()));
        if self.play.depth() != Depth::Default {
            option("depth", self.play.depth().to_string());
        }
        option("seed", seed.to_string());
        words.extend(self.stress.repeat());
        words.extend(self.request.insecure.then(|| "--insecure".to_owned()));
        let words: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
        format!("{} -c ", words.join(" "))
    }
}
