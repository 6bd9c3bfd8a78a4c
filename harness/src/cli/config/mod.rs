//! `wsgrade.toml`: what a team asks of its endpoints, written down beside their code.
//!
//! ```text
//! wsgrade.toml ─ read ─▶ Config ─┬─ selection, limits, output ─▶ what was not given on the command line
//!                                ├─ target ─▶ servers for `test`, the client for `listen`
//!                                └─ gate, expect ─▶ Gate
//! ```
//!
//! Flags override it. What is written in it is told in `docs/config.md`, and to editors by a JSON Schema ([`SCHEMA`]).

mod expect;
mod read;
mod target;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use wsgrade_cases::form::Problem;
use wsgrade_reports::expect::Expectation;
use wsgrade_reports::gate::FailOn;
use wsgrade_reports::grade::Grade;
use wsgrade_reports::render::Format;

use super::args::RequestArgs;
use super::exit::Failure;
use super::spawn::Address;
use crate::plan::Depth;

/// What the file is called where none is named.
pub(super) const FILE: &str = "wsgrade.toml";

/// The JSON Schema of the file.
pub(super) const SCHEMA: &str = include_str!("../../../schema/wsgrade.schema.json");

/// Which file.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ConfigArgs {
    /// The file that says what is tested and what it has to be; flags override it [default: wsgrade.toml, where there is one]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,

    /// Read no wsgrade.toml
    #[arg(long)]
    no_config: bool,
}

/// What the file says. What it does not say is absent.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// The file.
    pub(super) path: PathBuf,
    pub(super) selection: SelectionConfig,
    pub(super) limits: LimitsConfig,
    pub(super) gate: GateConfig,
    pub(super) output: OutputConfig,
    pub(super) servers: Vec<ServerConfig>,
    pub(super) clients: Vec<ClientConfig>,
    pub(super) expectations: Vec<Expectation>,
}

/// `[selection]`.
#[derive(Debug, Default)]
pub(super) struct SelectionConfig {
    pub(super) cases: Vec<String>,
    pub(super) exclude: Vec<String>,
    pub(super) files: Option<PathBuf>,
    pub(super) depth: Option<Depth>,
}

/// `[limits]`.
#[derive(Debug, Default)]
pub(super) struct LimitsConfig {
    pub(super) timeout: Option<Duration>,
    pub(super) close_timeout: Option<Duration>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) jobs: Option<u16>,
    /// In bytes.
    pub(super) memory: Option<usize>,
    pub(super) max_connections: Option<u16>,
    /// In connections a second.
    pub(super) rate: Option<u16>,
    pub(super) stress: bool,
    pub(super) seed: Option<u64>,
}

/// `[gate]`.
#[derive(Debug, Default)]
pub(super) struct GateConfig {
    pub(super) fail_on: Option<FailOn>,
    pub(super) min_grade: Option<Grade>,
    pub(super) baseline: Option<PathBuf>,
    pub(super) stale: Stale,
}

/// What comes of an expectation that is not true any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stale {
    /// The gate is not met.
    #[default]
    Fail,
    /// It is told, and no more.
    Warn,
}

/// `[output]`.
#[derive(Debug, Default)]
pub(super) struct OutputConfig {
    pub(super) dir: Option<PathBuf>,
    pub(super) formats: Option<Vec<Format>>,
}

/// A `[[target]]` that is a server.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerConfig {
    pub(super) name: String,
    pub(super) url: Option<Address>,
    pub(super) spawn: Option<String>,
    pub(super) spawn_timeout: Option<Duration>,
    pub(super) request: RequestArgs,
    pub(super) prelude: Option<PathBuf>,
    /// What it has to do, or the run is not begun.
    pub(super) has: Vec<Capability>,
    /// What is passed over, whether it does it or not.
    pub(super) without: Vec<Capability>,
}

/// A `[[target]]` that is a client.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientConfig {
    pub(super) name: String,
    pub(super) spawn: Option<String>,
    pub(super) listen: Option<SocketAddr>,
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

/// What a server may do or leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capability {
    /// Messages come back.
    Echo,
    /// It agrees to permessage-deflate.
    Deflate,
}

impl Capability {
    /// Every value.
    pub(super) const ALL: [Self; 2] = [Self::Echo, Self::Deflate];

    /// The word in the file.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Deflate => "deflate",
        }
    }
}

impl ConfigArgs {
    /// Reads the file, where there is one.
    pub(super) fn load(&self) -> Result<Option<Config>, Failure> {
        let path = match &self.config {
            Some(path) => path.clone(),
            None if self.no_config || !Path::new(FILE).exists() => return Ok(None),
            None => PathBuf::from(FILE),
        };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
        let dir = path.parent().unwrap_or(Path::new(""));
        let environment = |name: &str| std::env::var(name).ok();
        let config = read::read(&name, &text, dir, &environment).map_err(|problems| wrong(&problems))?;
        Ok(Some(Config { path, ..config }))
    }

    /// Where expectations are to be written.
    pub(super) fn path(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| PathBuf::from(FILE))
    }

    /// The options as words for a shell, where they are not the usual ones.
    pub(super) fn words(&self) -> Vec<String> {
        let file = self.config.iter().flat_map(|path| ["--config".to_owned(), path.display().to_string()]);
        file.chain(self.no_config.then(|| "--no-config".to_owned())).collect()
    }
}

/// What is wrong with a file, all of it.
fn wrong(problems: &[Problem]) -> Failure {
    Failure::usage(problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))
}

/// Reads a text that is no file's, with an empty environment.
#[cfg(test)]
pub(super) fn read_text(text: &str) -> Result<Config, String> {
    read::read(FILE, text, Path::new(""), &|_| None).map_err(|problems| wrong(&problems).to_string())
}
