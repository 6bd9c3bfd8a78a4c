//! `wsgrade cases show`: cases explained.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use wsgrade_cases::explain::explain;
use wsgrade_cases::model::Scenario;
use wsgrade_cases::rules::cited;
use wsgrade_cases::select::{Pattern, select};
use wsgrade_cases::{Catalogue, Register, describe, write};

use super::cases::{Format, Listed};
use super::exit::Failure;
use super::rules::Cited;

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The cases, such as 6.4.1 or '6.4.*'
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,

    /// A case file, or a folder of them, to add to the built-in catalogue
    #[arg(long = "cases", value_name = "PATH")]
    path: Option<PathBuf>,

    /// How to show them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// A case as `--format json` has it: as in the list, and what else there is to know.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    listed: Listed<'a>,
    section_title: Option<&'a str>,
    why: &'a str,
    /// Every rule that the case or an outcome of it cites, the main one first.
    cites: Vec<Cited<'a>>,
    setup: Vec<String>,
    steps: Vec<String>,
    /// In order; the first that matches decides.
    accepts: Vec<String>,
    ending: String,
    catches: &'a [String],
    differs: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(scenario: &'a Scenario, catalogue: &'a Catalogue, register: &'a Register) -> Self {
        let accept = |accept| describe::accept(scenario, accept);
        Self {
            listed: Listed::of(scenario),
            section_title: catalogue.section_title(&scenario.section()),
            why: &scenario.why,
            cites: cited(scenario).into_iter().filter_map(|id| register.get(id)).map(Cited::of).collect(),
            setup: describe::setup(scenario),
            steps: scenario.steps.iter().map(describe::step).collect(),
            accepts: scenario.accept.iter().map(accept).collect(),
            ending: describe::ending(&scenario.ending),
            catches: &scenario.catches,
            differs: scenario.differs.as_deref(),
        }
    }
}

/// What is printed.
pub(super) fn show(args: &ShowArgs) -> Result<String, Failure> {
    let catalogue = match &args.path {
        Some(path) => Catalogue::with_path(path).map_err(Failure::usage)?,
        None => Catalogue::embedded().clone(),
    };
    let register = Register::embedded();
    let patterns: Vec<_> = args.ids.iter().map(Pattern::new).collect();
    let cases = select(&catalogue, &patterns, &[]).map_err(Failure::usage)?.cases;
    Ok(match args.format {
        Format::Text => {
            let pages: Vec<_> =
                cases.iter().map(|scenario| explain(scenario, &catalogue, register)).collect();
            pages.join("\n\n")
        }
        Format::Json => {
            let shown: Vec<_> =
                cases.iter().map(|scenario| Shown::of(scenario, &catalogue, register)).collect();
            serde_json::to_string_pretty(&shown).map_err(Failure::usage)? + "\n"
        }
        Format::Toml => write::scenarios(cases.iter().copied()),
    })
}
