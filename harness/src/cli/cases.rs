//! `wsgrade cases`: what can be played, and which rules it tests. `show` is in a file of its own.

use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use wsgrade_cases::Register;
use wsgrade_cases::model::{Need, Scenario};
use wsgrade_cases::write;

use super::args::Selection;
use super::exit::{Exit, Failure};
use super::rules::Matrix;
use super::show::{self, ShowArgs};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct CasesArgs {
    #[command(subcommand)]
    command: Option<CasesCommand>,

    #[command(flatten)]
    selection: Selection,

    /// How to list them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Every rule of the RFCs instead, with the cases that test it, as text or JSON
    #[arg(long)]
    rules: bool,
}

#[derive(Debug, Subcommand)]
enum CasesCommand {
    /// Explain cases: why they are there, by which sentences they judge, what is sent and what is accepted
    Show(ShowArgs),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// One JSON array
    Json,
    /// Case files, to begin your own from
    Toml,
}

/// A case as `--format json` has it.
#[derive(Serialize)]
pub(super) struct Listed<'a> {
    id: &'a str,
    title: &'a str,
    section: String,
    rules: Vec<&'a str>,
    roles: Vec<&'static str>,
    needs: Vec<&'static str>,
}

impl<'a> Listed<'a> {
    pub(super) fn of(scenario: &'a Scenario) -> Self {
        Self {
            id: scenario.id.as_str(),
            title: &scenario.title,
            section: scenario.section(),
            rules: scenario.rules.iter().map(|rule| rule.as_str()).collect(),
            roles: scenario.roles.iter().map(|role| role.as_str()).collect(),
            needs: scenario.needs.iter().map(|need: &Need| need.as_str()).collect(),
        }
    }
}

pub(super) fn run(args: &CasesArgs) -> Exit {
    let text = match &args.command {
        Some(CasesCommand::Show(args)) => show::show(args),
        None => list(args),
    };
    match text {
        Ok(text) => {
            super::print(&text);
            Exit::Success
        }
        Err(failure) => failure.tell(),
    }
}

/// One line for each, with its id and title.
pub(super) fn lines(cases: &[Arc<Scenario>]) -> String {
    let width = cases.iter().map(|scenario| scenario.id.as_str().len()).max().unwrap_or(0);
    cases.iter().map(|scenario| format!("{:width$}  {}\n", scenario.id, scenario.title)).collect()
}

fn list(args: &CasesArgs) -> Result<String, Failure> {
    let catalogue = args.selection.catalogue()?;
    let selected = args.selection.select(&catalogue, None)?;
    if args.rules {
        let cases = selected.iter().map(AsRef::as_ref);
        let matrix = Matrix::new(Register::embedded(), cases, args.selection.role());
        return match args.format {
            Format::Text => Ok(matrix.text()),
            Format::Json => matrix.json().map_err(Failure::usage),
            Format::Toml => {
                Err(Failure::usage("rules are listed as text or json: case files do not hold them"))
            }
        };
    }
    Ok(match args.format {
        Format::Text => lines(&selected),
        Format::Json => {
            let listed: Vec<_> = selected.iter().map(|scenario| Listed::of(scenario)).collect();
            serde_json::to_string_pretty(&listed).map_err(Failure::usage)? + "\n"
        }
        Format::Toml => write::scenarios(selected.iter().map(AsRef::as_ref)),
    })
}
