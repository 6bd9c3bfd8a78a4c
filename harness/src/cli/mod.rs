//! The command line: what can be asked, and which exit code answers.

mod args;
mod autobahn;
mod cases;
mod compare;
mod config;
mod daily;
mod display;
mod exit;
mod frames;
mod fuzz;
mod fuzz_several;
mod gate;
mod init;
mod interrupt;
mod listen;
mod outputs;
mod place;
mod propose;
mod replay;
mod report;
mod rules;
mod servers;
mod shard;
mod shell;
mod show;
mod spawn;
mod stress;
mod test;
mod tide;

use std::io::Write as _;

use clap::{Parser, Subcommand};

pub(crate) use display::watch;
pub use exit::Exit;
pub(crate) use exit::Failure;
pub(crate) use interrupt::Interrupts;
pub(crate) use servers::{LOCAL_JOBS, REMOTE_JOBS};

/// Prints the result. Whoever closed standard output does not want the rest, and that is no failure.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Grades WebSocket endpoints by the sentences of RFC 6455.
#[derive(Debug, Parser)]
#[command(name = "wsgrade", version, about, long_about = None, propagate_version = true)]
#[command(after_help = "Without a command, `wsgrade test` grades the built-in reference server.\n\n\
    Exit codes: 0 the gate is met, 1 it is not, 2 the command line or a case file is wrong or no case is \
    selected, 3 the target cannot be reached or results are inconclusive.")]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Grade servers; without a URL, the built-in reference server
    Test(Box<test::TestArgs>),
    /// Write a wsgrade.toml for a server, after a look at it
    Init(Box<init::InitArgs>),
    /// Grade clients, which connect to us and ask for cases
    Listen(Box<listen::ListenArgs>),
    /// Play scenarios that nobody wrote against a server or a client, and keep those in which something is wrong
    Fuzz(Box<fuzz::FuzzArgs>),
    /// Play a case file again: what `fuzz` has found
    Replay(Box<replay::ReplayArgs>),
    /// The modes of Autobahn|Testsuite, with its options, spec files and reports
    Autobahn(Box<autobahn::AutobahnArgs>),
    /// List the cases, or explain some
    Cases(cases::CasesArgs),
    /// Make the report anew from a run.json, put shards together, or make a baseline
    Report(Box<report::ReportArgs>),
    /// Say what is different between two runs
    Compare(compare::CompareArgs),
    /// Print what a shell needs to complete our options
    Completions(shell::CompletionsArgs),
    /// Write the manual pages
    Man(shell::ManArgs),
}

impl Cli {
    /// Does what was asked.
    pub async fn run(self) -> Exit {
        let command = self.command.unwrap_or_else(|| Command::Test(Box::default()));
        match command {
            Command::Test(args) => test::run(*args).await,
            Command::Init(args) => init::run(&args).await,
            Command::Listen(args) => listen::run(&args).await,
            Command::Fuzz(args) => fuzz::run(*args).await,
            Command::Replay(args) => replay::run(*args).await,
            Command::Autobahn(args) => autobahn::run(&args).await,
            Command::Cases(args) => cases::run(&args),
            Command::Report(args) => report::run(&args),
            Command::Compare(args) => compare::run(&args),
            Command::Completions(args) => shell::completions(&args),
            Command::Man(args) => shell::man(&args),
        }
    }
}
