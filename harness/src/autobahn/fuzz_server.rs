//! fuzzingserver: grades the clients that connect and ask for cases.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;
use wsgrade_cases::Catalogue;
use wsgrade_cases::model::Role;

use super::address::{Identity, Side, resolve, to_listen_on};
use super::fuzz_client::{exit, limits, outdir, patterns, picked, plans, read_spec, summary};
use super::pattern::excluded;
use super::peers::terminated;
use super::web::{self, Site};
use super::{Wish, output, warn};
use crate::cli::{Exit, Failure, Interrupts, print, watch};
use crate::listen::{Face, Listener, Refusals};
use crate::plan::Depth;
use crate::runner::{Gate, Run, Settings, Staying};

/// Where the reports go unless told otherwise.
const OUTDIR: &str = "./reports/clients/";
/// Where to listen unless told otherwise.
const URL: &str = "ws://127.0.0.1:9001";
/// The port for plain HTTP unless told otherwise.
const WEBPORT: u16 = 8080;

/// Serves until a client or the user says stop.
pub(super) async fn run(wish: &Wish) -> Result<Exit, Failure> {
    let spec = read_spec(wish)?;
    let catalogue = Arc::new(Catalogue::embedded().clone());
    let selected = picked(&spec, &catalogue, Role::Client)?;
    let outdir = outdir(wish, &spec, OUTDIR);
    let identity = Identity {
        key: wish.identity.key.clone().or_else(|| spec.key.as_ref().map(Into::into)),
        cert: wish.identity.cert.clone().or_else(|| spec.cert.as_ref().map(Into::into)),
    };
    let url = wish.url.as_deref().or(spec.url.as_deref()).unwrap_or(URL);
    let url = resolve(url, Side::Listening(&identity))?;
    let tls = identity.acceptor(&url)?;
    let addr = to_listen_on(&url).await?;
    output::clear(&outdir).map_err(|error| {
        Failure::usage(format!("cannot remove the earlier report in {}: {error}", outdir.display()))
    })?;

    let (events, heard) = mpsc::unbounded_channel();
    let watcher = tokio::spawn(watch(heard));
    let cases = selected.len();
    let run = Run {
        catalogue,
        selected: plans(&selected),
        part: None,
        settings: Settings {
            jobs: 1,
            limits: limits(spec.options, spec.options),
            seed: fastrand::u64(..),
            prelude: Arc::default(),
            depth: Depth::Full,
            gate: Gate::default(),
            may_stress: false,
            staying: Staying::default(),
            verbose: None,
        },
        patterns: patterns(&spec),
        events,
        interrupted: Interrupts::watch().receiver(),
    };
    let rules = spec.exclude_agent.clone();
    let face = Face {
        refusals: Refusals::Mute,
        excluded: Box::new(move |agent, id| excluded(&rules, agent, id.as_str())),
        subprotocols: spec.protocols.clone(),
    };
    let folder = outdir.clone();
    let on_update = move |report: &_| {
        if let Err(failure) = write(report, &folder) {
            failure.tell();
        }
    };
    let listener = Listener::bind(addr, run, tls, on_update)
        .await
        .map_err(|error| Failure::inconclusive(format!("cannot listen on {addr}: {error}")))?
        .with_face(face);
    // Bound before the line below, so that whoever reads it finds both ports open.
    let site = Site::Reports(outdir.clone());
    let web = start_web(wish.webport.or(spec.webport), addr, site).await?;
    print(&format!("listening on {}/ with {cases} cases\n", listener.url()));
    if let Some((web, _)) = &web {
        print(&format!("reports on http://{web}/\n"));
    }
    let report = listener.serve(terminated()).await;
    if let Some((_, serving)) = web {
        serving.abort();
    }
    // The display ends with its channel; it has nothing to say that could fail the run.
    let _ = watcher.await;
    if report.targets.is_empty() {
        return Err(Failure::inconclusive("no client ran a case"));
    }
    write(&report, &outdir)?;
    print(&format!("{}Report: {}\n", summary(&report), outdir.join("index.json").display()));
    let ran = exit(&report, 0, wish.gate);
    // Drivers choose which cases they play; only the gate asks for all of them.
    Ok(if ran == Exit::Inconclusive && !wish.gate { Exit::Success } else { ran })
}

fn write(report: &wsgrade_reports::record::RunReport, outdir: &Path) -> Result<(), Failure> {
    output::write(report, outdir)
        .map_err(|error| Failure::usage(format!("cannot write the report to {}: {error}", outdir.display())))
}

/// Serves a site beside the WebSocket port, on the same address; port 0 is none. The port that nobody asked for may be
/// taken by somebody else.
pub(super) async fn start_web(
    port: Option<u16>,
    beside: SocketAddr,
    site: Site,
) -> Result<Option<(SocketAddr, tokio::task::JoinHandle<()>)>, Failure> {
    if port == Some(0) {
        return Ok(None);
    }
    let addr = SocketAddr::new(beside.ip(), port.unwrap_or(WEBPORT));
    match web::serve(addr, site).await {
        Ok((addr, serving)) => Ok(Some((addr, tokio::spawn(serving)))),
        Err(error) => {
            let message =
                format!("cannot listen on {addr} for HTTP: {error}; -u gives another port, or 0 for none");
            if port.is_some() {
                return Err(Failure::inconclusive(message));
            }
            warn(message);
            Ok(None)
        }
    }
}
