//! `wsgrade replay`: the cases of a file again.

use std::path::PathBuf;

use clap::Args;

use super::args::{BaseArgs, RequestArgs};
use super::exit::{Exit, Failure};
use super::place::{PlaceArgs, Ready};
use super::spawn::Address;
use crate::fuzz::player::Player;
use crate::fuzz::replay::{self, Replayed};
use crate::runner::Gate;

/// Plays the cases of a file several times: what `wsgrade fuzz` has found, or any other case file.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing is wrong, 1 something is, 2 the command line or the file is wrong, 3 the target \
    cannot be reached, or none of the cases can be played against it."
)]
pub(super) struct ReplayArgs {
    /// The case file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The server, such as ws://127.0.0.1:9001/; without one, that of wsgrade.toml or else the built-in reference server
    #[arg(value_name = "URL", conflicts_with = "listen")]
    url: Option<Address>,

    #[command(flatten)]
    place: PlaceArgs,

    /// How many times to play each case
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    repeat: u32,

    #[command(flatten)]
    base: BaseArgs,

    #[command(flatten)]
    request: RequestArgs,
}

pub(super) async fn run(args: ReplayArgs) -> Exit {
    match play(&args).await {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

async fn play(args: &ReplayArgs) -> Result<Exit, Failure> {
    let scenarios = replay::read(&args.file).map_err(Failure::usage)?;
    let config = args.place.load()?;
    let mut base = args.base.clone();
    config.iter().for_each(|config| base.fill(config));
    let settings = base.settings(1);
    let chosen = args.place.choose(args.url.as_slice(), &args.request, config.as_ref())?;
    let several = "a finding is played against one target: pick it by --target NAME, or give its URL";
    let ready = chosen.ready(&settings, |_| Gate::default(), several).await?;
    let Ready { place, facts, prelude, mut interrupted, built_in, .. } = ready;
    let role = place.role();
    let scenarios: Vec<_> = scenarios.into_iter().filter(|scenario| scenario.roles.contains(&role)).collect();
    if scenarios.is_empty() {
        return Err(Failure::usage(format!("{}: no case for the role {role}", args.file.display())));
    }
    let player = Player::new(place, facts.found, settings.limits.clone()).with_prelude(prelude);
    let mut all = Vec::new();
    for scenario in &scenarios {
        tokio::select! {
            replayed = replay::replay(&player, scenario, settings.seed, args.repeat) => all.push(replayed),
            () = crate::runner::wait_for(&mut interrupted) => break,
        }
    }
    drop(player);
    if let Some(server) = built_in {
        server.shutdown().await;
    }
    super::print(&replay::words(&all));
    Ok(if all.iter().any(|replayed| replayed.wrong() > 0) {
        Exit::GateNotMet
    } else if all.is_empty() || !all.iter().any(Replayed::is_judged) {
        Exit::Inconclusive
    } else {
        Exit::Success
    })
}
