//! What may be done to a target, and what it is watched by.

use clap::Args;

use super::exit::Failure;
use crate::runner::Gate;
use crate::spawn::Watched;

#[derive(Clone, Debug, Args)]
pub(super) struct StressArgs {
    /// Play the cases of resilience (R) against targets elsewhere too; those on this machine, and one of --spawn, are
    /// played them anyway
    #[arg(long)]
    i_am_allowed_to_stress_this_target: bool,

    /// How many connections at once a target elsewhere has to bear
    #[arg(long, value_name = "N", default_value_t = Self::CONNECTIONS, value_parser = clap::value_parser!(u16).range(4..))]
    max_connections: u16,

    /// How many new connections in a second a target elsewhere has to bear
    #[arg(long, value_name = "N", default_value_t = Self::RATE, value_parser = clap::value_parser!(u16).range(1..))]
    rate: u16,

    /// The process that serves, to watch the memory, processor time and open files that it takes, with all that it started
    #[arg(long, value_name = "PID", conflicts_with = "spawn")]
    pid: Option<u32>,
}

impl Default for StressArgs {
    fn default() -> Self {
        Self {
            i_am_allowed_to_stress_this_target: false,
            max_connections: Self::CONNECTIONS,
            rate: Self::RATE,
            pid: None,
        }
    }
}

impl StressArgs {
    const CONNECTIONS: u16 = 16;
    const RATE: u16 = 50;

    /// Whether targets elsewhere may be stressed.
    pub(super) fn may_stress(&self) -> bool {
        self.i_am_allowed_to_stress_this_target
    }

    /// What connections pass; a server that we started has no limits.
    pub(super) fn gate(&self, spawned: bool) -> Gate {
        if spawned { Gate::default() } else { Gate::bounded(self.max_connections, self.rate) }
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
            if *value != default {
                words.extend([name.to_owned(), value.to_string()]);
            }
        }
        words
    }
}
