//! `wsgrade report`: renders a record again, puts shards together, and makes a baseline.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use wsgrade_cases::Catalogue;
use wsgrade_reports::baseline::{Baseline, Durations};
use wsgrade_reports::merge::{self, Part};
use wsgrade_reports::render::{File, write_files};

use super::args::DEFAULT_OUT;
use super::config::ConfigArgs;
use super::exit::{Exit, Failure};
use super::gate::{GateArgs, record};
use super::outputs::Formats;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ReportArgs {
    #[command(subcommand)]
    command: Option<ReportCommand>,

    /// The record of a run
    #[arg(value_name = "RUN.JSON", default_value = RECORD)]
    run: PathBuf,

    /// Where the report goes [default: beside the record]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    formats: Formats,

    #[command(flatten)]
    config: ConfigArgs,

    #[command(flatten)]
    gate: GateArgs,
}

/// Where a record is unless told otherwise.
const RECORD: &str = "wsgrade-report/run.json";

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// Put the shards of one run together
    Merge(MergeArgs),
    /// Make a baseline of a run: a small file for version control, one line a case
    Baseline(BaselineArgs),
}

#[derive(Debug, Args)]
struct MergeArgs {
    /// The records of all shards, in any order
    #[arg(value_name = "RUN.JSON", required = true)]
    runs: Vec<PathBuf>,

    /// Where the report goes
    #[arg(short, long, value_name = "DIR", default_value = DEFAULT_OUT)]
    out: PathBuf,

    #[command(flatten)]
    formats: Formats,

    #[command(flatten)]
    config: ConfigArgs,

    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Debug, Args)]
struct BaselineArgs {
    /// The record of a run
    #[arg(value_name = "RUN.JSON", default_value = RECORD)]
    run: PathBuf,

    /// The file to write, or - for standard output
    #[arg(short, long, value_name = "FILE", default_value = "wsgrade-baseline.txt")]
    out: PathBuf,

    /// Also how long each case took: to find what becomes slower, and for `--durations`; the file then changes with every run
    #[arg(long)]
    durations: bool,
}

pub(super) fn run(args: &ReportArgs) -> Exit {
    let done = match &args.command {
        Some(ReportCommand::Merge(merge)) => put_together(merge),
        Some(ReportCommand::Baseline(baseline)) => keep(baseline),
        None => remake(args),
    };
    match done {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

fn remake(args: &ReportArgs) -> Result<Exit, Failure> {
    let config = args.config.load()?;
    let gate = args.gate.ready(&args.config, config.as_ref(), Catalogue::embedded())?;
    let mut report = record(&args.run)?;
    let beside = args.run.parent().map(PathBuf::from).unwrap_or_default();
    let out = args.out.clone().unwrap_or(beside);
    gate.finish(&mut report, &out, &args.formats)
}

fn put_together(args: &MergeArgs) -> Result<Exit, Failure> {
    let config = args.config.load()?;
    let gate = args.gate.ready(&args.config, config.as_ref(), Catalogue::embedded())?;
    let part = |path: &PathBuf| Ok(Part { file: path.display().to_string(), report: record(path)? });
    let parts = args.runs.iter().map(part).collect::<Result<Vec<_>, Failure>>()?;
    let mut report = merge::merge(parts).map_err(Failure::usage)?;
    gate.finish(&mut report, &args.out, &args.formats)
}

fn keep(args: &BaselineArgs) -> Result<Exit, Failure> {
    let durations = if args.durations { Durations::Keep } else { Durations::Leave };
    let report = record(&args.run)?;
    let baseline = Baseline::from_report(&report, durations)
        .map_err(|error| Failure::usage(format!("{}: {error}", args.run.display())))?;
    let contents = baseline.to_text();
    if args.out.as_os_str() == "-" {
        super::print(&contents);
        return Ok(Exit::Success);
    }
    let named = args.out.file_name().map(|name| name.to_string_lossy().into_owned());
    let Some(name) = named else {
        return Err(Failure::usage(format!("{} is no name of a file", args.out.display())));
    };
    let dir = args.out.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.map_or_else(|| PathBuf::from("."), PathBuf::from);
    write_files(&[File { name, contents }], &dir).map_err(Failure::usage)?;
    let cases: usize = baseline.targets.iter().map(|target| target.cases.len()).sum();
    super::print(&format!("Baseline: {} ({cases} verdicts)\n", args.out.display()));
    Ok(Exit::Success)
}
