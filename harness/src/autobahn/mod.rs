//! The face of Autobahn|Testsuite: its modes, its spec files and its outputs, so that what drives it can drive us.
//!
//! ```text
//! command line ─┬─ Wish ──┬─ fuzz_client   spec's servers ─▶ runner ─┐
//! spec file ────┘         ├─ fuzz_server   listen ──────────────────┴─▶ output: the old tree ─▶ words: the gate
//!   spec, template        ├─ peers         echo and testee, either role: the reference server and client
//!   pattern, select       ├─ broadcast     one client's message to all of them
//!                         └─ mass          many connections in batches
//!
//! address   where a URL leads
//! front     TLS in front of the reference server
//! door      a port with so many connections at once
//! web       plain HTTP: the reports, and the pages of the echo and broadcast servers
//! ```
//!
//! What the old tool leaves open is decided as the rest of `wsgrade` does: an empty run is an error, no key of a spec file is
//! passed over without a word, and what comes from the network has bounds.

mod address;
mod broadcast;
mod door;
mod front;
mod fuzz_client;
mod fuzz_server;
mod mass;
pub(crate) mod output;
pub(crate) mod pattern;
mod peers;
mod select;
mod spec;
mod template;
mod web;
pub(crate) mod words;

use std::path::PathBuf;

use wsgrade_cases::id::CaseId;

use crate::cli::{Exit, Failure};

/// A mode of the old tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum Mode {
    /// Grade servers: those of the spec file, or the one of -w
    FuzzingClient,
    /// Grade clients: they connect to us and ask for cases
    FuzzingServer,
    /// Send every message back
    EchoServer,
    /// Connect, and send every message back
    EchoClient,
    /// Send every message to all who are connected, and a tick each second
    BroadcastServer,
    /// Connect, say hello every two seconds, print what comes
    BroadcastClient,
    /// A server to be graded: the reference server
    TesteeServer,
    /// A client to be graded: the reference client, which plays all cases of a fuzzing server
    TesteeClient,
    /// Open many connections
    MassConnect,
}

impl Mode {
    /// As it is written.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::FuzzingClient => "fuzzingclient",
            Self::FuzzingServer => "fuzzingserver",
            Self::EchoServer => "echoserver",
            Self::EchoClient => "echoclient",
            Self::BroadcastServer => "broadcastserver",
            Self::BroadcastClient => "broadcastclient",
            Self::TesteeServer => "testeeserver",
            Self::TesteeClient => "testeeclient",
            Self::MassConnect => "massconnect",
        }
    }
}

/// What the command line asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) mode: Mode,
    /// The spec file.
    pub(crate) spec: Option<PathBuf>,
    /// The URL to connect to, or to listen on.
    pub(crate) url: Option<String>,
    /// The port for plain HTTP; 0 for none.
    pub(crate) webport: Option<u16>,
    /// What a testee calls itself.
    pub(crate) ident: Option<String>,
    /// What a server needs for TLS.
    pub(crate) identity: address::Identity,
    /// Where the reports go.
    pub(crate) outdir: Option<PathBuf>,
    /// Whether every case and every connection is told of.
    pub(crate) debug: bool,
    /// Whether a bad verdict is exit code 1.
    pub(crate) gate: bool,
    /// How many cases at once.
    pub(crate) jobs: Option<u16>,
}

impl Wish {
    /// For a mode, with nothing else asked.
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            spec: None,
            url: None,
            webport: None,
            ident: None,
            identity: address::Identity::default(),
            outdir: None,
            debug: false,
            gate: false,
            jobs: None,
        }
    }

    /// What a server needs for TLS, by the names of its files.
    pub(crate) fn with_identity(mut self, key: Option<PathBuf>, cert: Option<PathBuf>) -> Self {
        self.identity = address::Identity { key, cert };
        self
    }
}

/// Does what is asked.
pub(crate) async fn run(wish: &Wish) -> Result<Exit, Failure> {
    match wish.mode {
        Mode::FuzzingClient => fuzz_client::run(wish).await,
        Mode::FuzzingServer => fuzz_server::run(wish).await,
        Mode::EchoServer | Mode::TesteeServer => peers::server(wish).await,
        Mode::EchoClient => peers::echo_client(wish).await,
        Mode::TesteeClient => peers::testee_client(wish).await,
        Mode::BroadcastServer => broadcast::server(wish).await,
        Mode::BroadcastClient => broadcast::client(wish).await,
        Mode::MassConnect => mass::run(wish).await,
    }
}

/// Whether a case is one of the 517 of Autobahn|Testsuite: the first part of its id is a number.
pub(crate) fn is_case(id: &CaseId) -> bool {
    id.group().bytes().all(|byte| byte.is_ascii_digit())
}

/// A line for whoever watches, in front of which stands who speaks.
fn warn(text: impl std::fmt::Display) {
    eprintln!("wsgrade: warning: {text}");
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn cases_of_autobahn_begin_with_a_number() {
        for (id, is) in
            [("1.1.1", true), ("13.7.18", true), ("10.1.1", true), ("F.7", false), ("1a.1", false)]
        {
            assert_eq!(is_case(&id.parse().unwrap()), is, "{id}");
        }
    }

    #[test]
    fn modes_are_written_as_the_old_tool_does() {
        for mode in Mode::value_variants() {
            assert_eq!(mode.to_possible_value().unwrap().get_name(), mode.as_str());
        }
    }
}
