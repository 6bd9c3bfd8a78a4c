//! What may be done to a target, and what it is watched by.

use clap::Args;

use super::config::LimitsConfig;
use super::exit::Failure;
use crate::runner::Gate;
use crate::spawn::Watched;

#[derive(Clone, Debug, Default, Args)]
pub(super) struct StressArgs {
    /// Play the cases of resilience (R) against targets elsewhere too; those on this machine, and one of --spawn, are
    /// played them anyway
    #[arg(long)]
    i_am_allowed_to_stress_this_target: bool,

    /// How many connections at once a target elsewhere has to bear [default: 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(4..))]
    max_connections: Option<u16>,

    /// How many new connections in a second a target elsewhere has to bear [default: 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rate: Option<u16>,

    /// The process that serves, to watch the memory, processor time and open files that it takes, with all that it started
    #[arg(long, value_name = "PID", conflicts_with = "spawn")]
    pid: Option<u32>,
}

impl StressArgs {
    const CONNECTIONS: u16 = 16;
    const RATE: u16 = 50;

    /// Takes what was not given from the file.
    pub(super) fn fill(&mut self, limits: &LimitsConfig) {
        self.i_am_allowed_to_stress_this_target |= limits.stress;
        self.max_connections = self.max_connections.or(limits.max_connections);
        self.rate = self.rate.or(limits.rate);
    }

    /// Whether targets elsewhere may be stressed.
    pub(super) fn may_stress(&self) -> bool {
        self.i_am_allowed_to_stress_this_target
    }

    /// What connections pass; a server that we started has no limits.
    pub(super) fn gate(&self, spawned: bool) -> Gate {
        if spawned {
            return Gate::default();
        }
        Gate::bounded(self.max_connections.unwrap_or(Self::CONNECTIONS), self.rate.unwrap_or(Self::RATE))
    }

    /// The process of `--pid`, which is one target's.
    pub(super) fn watched(&self, targets: usize) -> Result<Option<Watched>, Failure> {
        let Some(pid) = self.pid else { return Ok(None) };
        if targets != 1 {
            return Err(Failure::usage("--pid is the process of one server: give its URL, and no other"));
        }
        Watched::tree(pid).map(Some).map_err(|error| Failure::usage(format!("--pid {pid}: {error}")))
    }

    /// The options as words for a shell. A process may be another one by then.
    pub(super) fn repeat(&self) -> Vec<String> {
        let Self { i_am_allowed_to_stress_this_target: allowed, max_connections, rate, pid: _ } = self;
        let mut words = Vec::new();
        words.extend(allowed.then(|| "--i-am-allowed-to-stress-this-target".to_owned()));
        for (name, value, default) in
            [("--max-connections", max_connections, Self::CONNECTIONS), ("--rate", rate, Self::RATE)]
        {
            if let Some(value) = value.filter(|value| *value != default) {
                words.extend([name.to_owned(), value.to_string()]);
            }
        }
        words
    }
}
