//! Options that several commands have: where the report goes, how long to wait, which cases, what is asked of every opening
//! handshake.
//!
//! What was not given on the command line is taken from `wsgrade.toml` (`fill`), and what is not there either has a default.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use wsgrade_cases::Catalogue;
use wsgrade_cases::load::{LoadError, read_prelude};
use wsgrade_cases::model::{Role, Scenario, Step};
use wsgrade_cases::select::{Pattern, select};

use super::config::Config;
use super::exit::Failure;
use super::outputs::Formats;
use crate::carrier::{Trust, tls};
use crate::engine::Limits;
use crate::plan::{Depth, Plan};
use crate::runner::{Gate, Settings, Staying};
use crate::streams::Streams;
use crate::target::{Header, RequestOptions, Resolve};

/// How cases are played, in either role.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct PlayArgs {
    #[command(flatten)]
    pub(super) base: BaseArgs,

    /// How many messages to send in each case of sections 12 and 13: default, full (1000) or a number [default: default]
    #[arg(long, value_name = "DEPTH")]
    depth: Option<Depth>,

    /// How much memory prepared messages may take, such as 512M or 2G [default: 512M]
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    memory: Option<usize>,
}

/// What every way of playing has: where the report goes, how long to wait, and the seed.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct BaseArgs {
    /// Where the report goes [default: wsgrade-report]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    pub(super) formats: Formats,

    /// How long to wait for an answer [default: 4s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,

    /// How long to wait for the closing handshake and for the end of TCP [default: 2s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    close_timeout: Option<Duration>,

    /// How long to wait for TCP and for the opening handshake [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    connect_timeout: Option<Duration>,

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
    pub(super) headers: Vec<Header>,

    /// A subprotocol to offer; may be given several times
    #[arg(long = "subprotocol", value_name = "NAME")]
    pub(super) subprotocols: Vec<String>,

    /// The Origin header
    #[arg(long, value_name = "ORIGIN")]
    pub(super) origin: Option<String>,

    /// The Host header, and the name that TLS asks for, instead of the URL's host
    #[arg(long, value_name = "HOST")]
    pub(super) host: Option<String>,

    /// The address to use for a host, as HOST:PORT:ADDRESS; may be given several times
    #[arg(long, value_name = "ENTRY")]
    pub(super) resolve: Vec<Resolve>,

    /// Certificates to trust at wss:// URLs beside the built-in ones, a PEM file: a CA's, or the server's own; may be
    /// given several times
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(super) ca: Vec<tls::Roots>,

    /// Take any certificate at wss:// URLs
    #[arg(long)]
    pub(super) insecure: bool,
}

impl PlayArgs {
    /// Takes what was not given from the file.
    pub(super) fn fill(&mut self, config: &Config) {
        self.base.fill(config);
        self.depth = self.depth.or(config.selection.depth);
        self.memory = self.memory.or(config.limits.memory);
    }

    /// With this many cases at once.
    pub(super) fn settings(&self, jobs: usize) -> Settings {
        Settings { depth: self.depth(), ..self.base.settings(jobs) }
    }

    /// How deep cases are played.
    pub(super) fn depth(&self) -> Depth {
        self.depth.unwrap_or_default()
    }

    /// The cases made ready.
    pub(super) fn plans(&self, selected: &[Arc<Scenario>]) -> Vec<Arc<Plan>> {
        let memory = self.memory.unwrap_or(Streams::DEFAULT_BUDGET);
        Plan::all(selected, self.depth(), &Arc::new(Streams::with_budget(memory)))
    }
}

impl BaseArgs {
    /// Takes what was not given from the file.
    pub(super) fn fill(&mut self, config: &Config) {
        let Config { limits, output, .. } = config;
        self.out = self.out.take().or_else(|| output.dir.clone());
        self.formats.fill(output.formats.as_deref());
        self.timeout = self.timeout.or(limits.timeout);
        self.close_timeout = self.close_timeout.or(limits.close_timeout);
        self.connect_timeout = self.connect_timeout.or(limits.connect_timeout);
        self.seed = self.seed.or(limits.seed);
    }

    /// Where the report goes.
    pub(super) fn out(&self) -> &Path {
        self.out.as_deref().unwrap_or(Path::new(DEFAULT_OUT))
    }

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
        let usual = Limits::default();
        let times = [
            ("--timeout", self.timeout, usual.answer),
            ("--close-timeout", self.close_timeout, usual.close),
            ("--connect-timeout", self.connect_timeout, usual.opening),
        ];
        let unusual = times.into_iter().filter_map(|(name, time, usual)| {
            let time = time.filter(|time| *time != usual)?;
            Some([name.to_owned(), humantime::format_duration(time).to_string().replace(' ', "")])
        });
        unusual.flatten().collect()
    }

    fn limits(&self) -> Limits {
        let default = Limits::default();
        let answer = self.timeout.unwrap_or(default.answer);
        Limits {
            answer,
            close: self.close_timeout.unwrap_or(default.close),
            opening: self.connect_timeout.unwrap_or(default.opening),
            whole: default.whole.max(answer.saturating_mul(4)),
            silence: default.silence.min(answer / 4),
            excess_bytes: default.excess_bytes,
        }
    }
}

/// Our side of TLS towards clients, where there is a certificate and its key.
pub(super) fn acceptor(cert: Option<&Path>, key: Option<&Path>) -> Result<Option<tls::Acceptor>, Failure> {
    match (cert, key) {
        (Some(cert), Some(key)) => tls::Acceptor::from_pem_files(cert, key).map(Some).map_err(Failure::usage),
        (Some(_), None) | (None, Some(_)) | (None, None) => Ok(None),
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

impl RequestArgs {
    /// Takes what was not given from what is asked of a target in the file.
    pub(super) fn over(&self, file: Self) -> Self {
        let or = |given: &[Header], file| if given.is_empty() { file } else { given.to_vec() };
        Self {
            headers: or(&self.headers, file.headers),
            subprotocols: if self.subprotocols.is_empty() {
                file.subprotocols
            } else {
                self.subprotocols.clone()
            },
            origin: self.origin.clone().or(file.origin),
            host: self.host.clone().or(file.host),
            resolve: if self.resolve.is_empty() { file.resolve } else { self.resolve.clone() },
            ca: if self.ca.is_empty() { file.ca } else { self.ca.clone() },
            insecure: self.insecure || self.ca.is_empty() && file.insecure,
        }
    }

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
    /// Takes what was not given from the file: patterns on the command line stand in the place of those there.
    pub(super) fn fill(&mut self, config: &Config) {
        if self.case.is_empty() {
            self.case.clone_from(&config.selection.cases);
        }
        if self.exclude.is_empty() {
            self.exclude.clone_from(&config.selection.exclude);
        }
        self.path = self.path.take().or_else(|| config.selection.files.clone());
    }

    pub(super) fn catalogue(&self) -> Result<Catalogue, Failure> {
        match &self.path {
            Some(path) => Catalogue::with_path(path).map_err(Failure::usage),
            None => Ok(Catalogue::embedded().clone()),
        }
    }

    /// Where a user's own cases are.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
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

/// A number of bytes with a unit of 1024, or without one.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
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

/// A time of a run: more than nothing, and at most an hour.
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
    fn times() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for text in ["", "4", "0s", "2h", "-1s", "soon"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes("512M"), Ok(512 << 20));
        assert_eq!(bytes("12"), Ok(12));
        for text in ["", "M", "1T", "-1", "99999999999999999999G", "1.5G"] {
            assert!(bytes(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_defaults_in_the_help_are_those_of_the_engine() {
        let usual = Limits::default();
        assert_eq!(
            [usual.answer, usual.close, usual.opening],
            [4, 2, 5].map(Duration::from_secs),
            "the help says so"
        );
        assert_eq!(Streams::DEFAULT_BUDGET, 512 << 20);
    }
}
