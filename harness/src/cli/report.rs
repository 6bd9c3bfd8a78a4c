//! `wsgrade report`: renders a record again.

use std::path::PathBuf;

use clap::Args;
use wsgrade_reports::record::RunReport;
use wsgrade_reports::render;

use super::exit::{Exit, Failure};
use super::outputs::Formats;

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The record of a run
    #[arg(value_name = "RUN.JSON", default_value = "wsgrade-report/run.json")]
    run: PathBuf,

    /// Where the report goes [default: beside the record]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    formats: Formats,
}

pub(super) fn run(args: &ReportArgs) -> Exit {
    match remake(args) {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

fn remake(args: &ReportArgs) -> Result<Exit, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", args.run.display()));
    let text = std::fs::read_to_string(&args.run).map_err(|error| failed(&error))?;
    let report = RunReport::from_json(&text).map_err(|error| failed(&error))?;
    let beside = args.run.parent().map(PathBuf::from).unwrap_or_default();
    let out = args.out.clone().unwrap_or(beside);
    args.formats.finish(&report, &out, &render::summary(&report))?;
    Ok(Exit::of_run(&report))
}
