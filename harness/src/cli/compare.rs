//! `wsgrade compare`: what is different between two runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use wsgrade_reports::compare::{Change, Comparison};
use wsgrade_reports::render::comparison;

use super::exit::{Exit, Failure};
use super::gate::{side, side_and_report};

/// Each side is a run.json, a baseline, or an index.json of Autobahn|Testsuite. Exit code 1 says that something regressed,
/// 3 that there was nothing to compare.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// What to compare with
    old: PathBuf,

    /// What to compare
    new: PathBuf,

    /// As text for a terminal, or as a table in Markdown
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    #[default]
    Text,
    Markdown,
}

pub(super) fn run(args: &CompareArgs) -> Exit {
    match compare(args) {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

fn compare(args: &CompareArgs) -> Result<Exit, Failure> {
    let old = side(&args.old)?;
    let (new, report) = side_and_report(&args.new)?;
    let found = Comparison::of(&old, &new);
    super::print(&match args.format {
        Format::Text => comparison::text(&found, report.as_ref()),
        Format::Markdown => comparison::markdown(&found, report.as_ref()),
    });
    Ok(if found.count(Change::Regressed) > 0 {
        Exit::GateNotMet
    } else if found.targets.iter().all(|target| target.compared == 0) {
        Exit::Inconclusive
    } else {
        Exit::Success
    })
}
