//! `wsgrade cases`: what can be played, and which rules it tests.

use clap::{Args, ValueEnum};
use serde::Serialize;
use wsgrade_cases::Register;
use wsgrade_cases::model::{Need, Scenario};
use wsgrade_cases::write;

use super::exit::{Exit, Failure};
use super::rules::Matrix;
use super::test::Selection;

#[derive(Debug, Args)]
pub(super) struct CasesArgs {
    #[command(flatten)]
    selection: Selection,

    /// How to list them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Every rule of the RFCs instead, with the cases that test it, as text or JSON
    #[arg(long)]
    rules: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One line a case
    Text,
    /// One JSON array
    Json,
    /// Case files, to begin your own from
    Toml,
}

/// A case as `--format json` has it.
#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    title: &'a str,
    section: String,
    rules: Vec<&'a str>,
    roles: Vec<&'static str>,
    needs: Vec<&'static str>,
}

impl<'a> Listed<'a> {
    fn of(scenario: &'a Scenario) -> Self {
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
    match list(args) {
        Ok(text) => {
            super::print(&text);
            Exit::Success
        }
        Err(failure) => failure.tell(),
    }
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
        Format::Text => {
            let width = selected.iter().map(|scenario| scenario.id.as_str().len()).max().unwrap_or(0);
            selected.iter().map(|scenario| format!("{:width$}  {}\n", scenario.id, scenario.title)).collect()
        }
        Format::Json => {
            let listed: Vec<_> = selected.iter().map(|scenario| Listed::of(scenario)).collect();
            serde_json::to_string_pretty(&listed).map_err(Failure::usage)? + "\n"
        }
        Format::Toml => write::scenarios(selected.iter().map(AsRef::as_ref)),
    })
}
