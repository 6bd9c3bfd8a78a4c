//! `wsgrade completions` and `wsgrade man`: what a shell and `man` want to know of the command line.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;
use super::exit::{Exit, Failure};

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Where the pages go, one for each command
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wsgrade", &mut script);
    super::print(&String::from_utf8_lossy(&script));
    Exit::Success
}

pub(super) fn man(args: &ManArgs) -> Exit {
    let dir = args.dir.display();
    let written =
        std::fs::create_dir_all(&args.dir).and_then(|()| clap_mangen::generate_to(Cli::command(), &args.dir));
    match written {
        Ok(()) => {
            super::print(&format!("Pages: {dir}\n"));
            Exit::Success
        }
        Err(error) => Failure::usage(format!("cannot write the pages to {dir}: {error}")).tell(),
    }
}
