//! `wsgrade listen`: clients under test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;
use wsgrade_cases::Catalogue;
use wsgrade_cases::model::{Role, Scenario};
use wsgrade_reports::record::RunReport;

use super::args::{PlayArgs, Selection, acceptor};
use super::config::{ClientConfig, Config, ConfigArgs};
use super::daily::{DailyArgs, StayingArgs};
use super::display;
use super::exit::{Exit, Failure};
use super::gate::GateArgs;
use super::interrupt::Interrupts;
use super::servers::client_of;
use super::shard::ShardArgs;
use crate::autobahn;
use crate::listen::{Client, Listener};
use crate::runner::Run;
use crate::spawn::Guard;

/// Clients connect here and ask for cases, by the calls that drivers written for Autobahn|Testsuite use:
/// /getCaseCount, /getCaseInfo?case=N, /runCase?case=N&agent=NAME, /getCaseStatus?case=N&agent=NAME,
/// /updateReports?agent=NAME[&shutdownOnComplete=true] and /stopServer. On any other path it says by messages what is to be
/// sent to it. A browser sees the report at /.
///
/// Without -c, the cases are those of Autobahn|Testsuite; -c '*' is all there are.
#[derive(Clone, Debug, Args)]
pub(super) struct ListenArgs {
    /// Where to listen [default: 127.0.0.1:9001]
    #[arg(value_name = "ADDRESS:PORT")]
    address: Option<SocketAddr>,

    #[command(flatten)]
    config: ConfigArgs,

    /// The client of wsgrade.toml to start, by its name; there is no need to where it has one only
    #[arg(long = "target", value_name = "NAME", conflicts_with = "spawn")]
    target: Option<String>,

    /// Start the client by this command, with {url} for where we listen and {agent} for the name it is to give;
    /// the run is over when it ends, but for cases in which TLS fails: for each it is started once more, with another {url}
    #[arg(long, value_name = "COMMAND")]
    spawn: Option<String>,

    /// The name that {agent} stands for [default: client]
    #[arg(long, value_name = "NAME", requires = "spawn")]
    agent: Option<String>,

    /// Listen for TLS, as wss://, with the certificate in this PEM file, and its issuers behind it
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// The private key of that certificate, in a PEM file
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    #[command(flatten)]
    selection: Selection,

    #[command(flatten)]
    shard: ShardArgs,

    #[command(flatten)]
    gate: GateArgs,

    #[command(flatten)]
    daily: DailyArgs,

    #[command(flatten)]
    staying: StayingArgs,

    #[command(flatten)]
    play: PlayArgs,
}

/// Where to listen unless told otherwise.
pub(super) const ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9001);
/// What a client is called unless told otherwise.
pub(super) const AGENT: &str = "client";

pub(super) async fn run(args: &ListenArgs) -> Exit {
    match grade(args.clone()).await {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

async fn grade(mut args: ListenArgs) -> Result<Exit, Failure> {
    if args.selection.role() == Some(Role::Server) {
        return Err(Failure::usage("`wsgrade listen` grades clients; it has no cases for the role server"));
    }
    let config = args.config.load()?;
    args.fill(config.as_ref())?;
    let args = args;
    let tls = acceptor(args.cert.as_deref(), args.key.as_deref())?;
    let catalogue = Arc::new(args.selection.catalogue()?);
    let gate = Arc::new(args.gate.ready(&args.config, config.as_ref(), &catalogue)?);
    let mut selected = args.selection.select(&catalogue, Some(Role::Client))?;
    // What failed before is as good as asked for by its id.
    if args.selection.is_open() && !args.daily.is_narrowing() {
        // Drivers written for Autobahn|Testsuite count on its cases, by number; a user's own come beside them.
        let added = |scenario: &Scenario| Catalogue::embedded().get(&scenario.id).is_none();
        selected.retain(|scenario| autobahn::is_case(&scenario.id) || added(scenario));
    }
    if selected.is_empty() {
        return Err(Failure::usage("no case is selected: `wsgrade cases` lists what there is"));
    }
    let selected = args.daily.narrow(selected, Role::Client, args.play.base.out())?;
    let (selected, part) = args.shard.cut(args.play.plans(&selected), Role::Client)?;
    if args.daily.lists(&selected) {
        return Ok(Exit::Success);
    }
    let (events, heard) = mpsc::unbounded_channel();
    let watcher = tokio::spawn(display::watch(heard));
    let run = Run {
        catalogue,
        selected,
        part,
        settings: args.staying.watched(args.staying.settings(args.play.settings(1)), &events),
        patterns: args.selection.patterns(),
        events,
        interrupted: Interrupts::watch().receiver(),
    };
    let base = args.play.base.clone();
    let expecting = Arc::clone(&gate);
    let on_update = move |report: &RunReport| {
        let mut report = report.clone();
        expecting.expect(&mut report);
        if let Err(failure) = base.formats.write(&report, None, base.out()) {
            eprintln!("wsgrade: {failure}");
        }
    };
    let address = args.address.unwrap_or(ADDRESS);
    let mut listener = Listener::bind(address, run, tls, on_update)
        .await
        .map_err(|error| Failure::inconclusive(format!("cannot listen on {address}: {error}")))?;
    if let Some(client) = args.client() {
        listener = listener.with_client(client);
    }
    super::print(&format!("listening on {}/\n", listener.url()));
    let client = args.start(listener.url())?;
    let mut report = listener
        .serve(async {
            match &client {
                Some(client) => drop(client.0.death_within(Duration::MAX).await),
                None => std::future::pending().await,
            }
        })
        .await;
    if let Some(client) = client {
        for target in report.targets.iter_mut().filter(|target| target.name == args.agent()) {
            target.process = Some(client.0.info());
        }
    }
    // The display ends with its channel; it has nothing to say that could fail the run.
    let _ = watcher.await;
    if report.targets.is_empty() {
        return Err(Failure::inconclusive("no client ran a case"));
    }
    let exit = gate.finish(&mut report, args.play.base.out(), &args.play.base.formats)?;
    args.daily.capture(&report)?;
    Ok(exit)
}

impl ListenArgs {
    /// Takes what was not given from the file.
    fn fill(&mut self, config: Option<&Config>) -> Result<(), Failure> {
        if let Some(config) = config {
            self.selection.fill(config);
            self.play.fill(config);
        }
        if self.spawn.is_some() {
            return Ok(());
        }
        let Some(client) = client_of(config, self.target.as_slice())? else { return Ok(()) };
        let ClientConfig { name, spawn, listen, cert, key } = client;
        self.address = self.address.or(listen);
        self.spawn = spawn;
        self.agent = Some(name);
        if self.cert.is_none() {
            self.cert = cert;
            self.key = key;
        }
        Ok(())
    }

    fn agent(&self) -> &str {
        self.agent.as_deref().unwrap_or(AGENT)
    }

    /// The client, if we are to start it.
    fn client(&self) -> Option<Client> {
        let command = self.spawn.clone()?;
        Some(Client { command, agent: self.agent().to_owned() })
    }

    /// Starts it.
    fn start(&self, url: &str) -> Result<Option<Guard>, Failure> {
        let Some(client) = self.client() else { return Ok(None) };
        client.start(url).map(Some).map_err(Failure::inconclusive)
    }
}
