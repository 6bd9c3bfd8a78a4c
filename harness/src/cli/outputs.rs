//! Where a result goes: files, standard output, and the CI service that runs us, where there is one.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use wsgrade_reports::record::RunReport;
use wsgrade_reports::render::html::{self, Baseline};
use wsgrade_reports::render::{self, Format};

use super::exit::Failure;

/// What GitHub takes as the summary of one step; beyond that it shows none of it.
const SUMMARY: u64 = 1 << 20;

/// Which files a report has.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Formats {
    /// What to write into the report: json, html, junit, sarif, markdown, csv, tap, badge, github-annotations,
    /// gitlab-codequality [default: json,html,junit]
    #[arg(long = "format", value_name = "NAME[,NAME…]", value_delimiter = ',')]
    formats: Option<Vec<Format>>,
}

impl Formats {
    /// Takes those of the file, where none were given.
    pub(super) fn fill(&mut self, formats: Option<&[Format]>) {
        if self.formats.is_none() {
            self.formats = formats.map(<[Format]>::to_vec);
        }
    }

    fn all(&self) -> &[Format] {
        self.formats.as_deref().unwrap_or(&Format::DEFAULT)
    }

    /// Writes the files; the page with what changed since an earlier run, where there is one to compare with.
    pub(super) fn write(
        &self,
        report: &RunReport,
        baseline: Option<&Baseline>,
        out: &Path,
    ) -> Result<(), Failure> {
        let file = |format: &Format| match (format, baseline) {
            (Format::Html, Some(_)) => html::render_with(report, baseline),
            _ => render::render(*format, report),
        };
        let files: Vec<_> = self.all().iter().flat_map(file).collect();
        render::write_files(&files, out)
            .map(drop)
            .map_err(|error| Failure::usage(format!("cannot write the report to {}: {error}", out.display())))
    }

    /// Writes the files and prints the result, with a line on where the page is.
    pub(super) fn finish(
        &self,
        report: &RunReport,
        baseline: Option<&Baseline>,
        out: &Path,
        result: &str,
    ) -> Result<(), Failure> {
        self.write(report, baseline, out)?;
        let place = match self.all().contains(&Format::Html) {
            true => out.join("index.html"),
            false => out.to_owned(),
        };
        tell(report, &format!("{result}Report: {}\n", place.display()), &Service::of_environment());
        Ok(())
    }
}

/// What the CI service that runs us offers.
#[derive(Debug, Default)]
struct Service {
    /// The file for the summary of the step: `GITHUB_STEP_SUMMARY`.
    summary: Option<PathBuf>,
    /// Whether it makes annotations of lines that are printed: `GITHUB_ACTIONS`.
    annotates: bool,
}

impl Service {
    fn of_environment() -> Self {
        Self {
            summary: std::env::var_os("GITHUB_STEP_SUMMARY")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            annotates: std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
        }
    }
}

/// Prints the result. That a service cannot be told is no reason to fail a gate.
fn tell(report: &RunReport, result: &str, service: &Service) {
    if service.annotates {
        let annotations = text(Format::GithubAnnotations, report);
        super::print(&guarded(result, &annotations, fastrand::u128(..)));
    } else {
        super::print(result);
    }
    if let Some(path) = &service.summary
        && let Err(error) = append(path, &text(Format::Markdown, report))
    {
        eprintln!("wsgrade: warning: no summary of the step: {}: {error}", path.display());
    }
}

/// The only file of a format.
fn text(format: Format, report: &RunReport) -> String {
    render::render(format, report).into_iter().map(|file| file.contents).collect()
}

/// The annotations behind the result, in which no line is taken for a command: it quotes what targets call themselves.
fn guarded(result: &str, annotations: &str, token: u128) -> String {
    format!("::stop-commands::{token:032x}\n{result}::{token:032x}::\n{annotations}")
}

/// Puts the summary behind what other commands of the step wrote, unless the whole would then not be shown.
fn append(path: &Path, summary: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    let whole = file.metadata()?.len() + summary.len() as u64 + 1;
    if whole > SUMMARY {
        let reason = format!("with it the file would have {whole} bytes, of which GitHub takes {SUMMARY}");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    file.write_all(format!("{summary}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_format_and_the_defaults() {
        #[derive(clap::Parser)]
        struct Only {
            #[command(flatten)]
            formats: Formats,
        }
        let help = <Only as clap::CommandFactory>::command().render_help().to_string().replace('\n', " ");
        let help: Vec<_> = help.split(|c: char| !c.is_ascii_lowercase() && c != '-').collect();
        for format in Format::ALL {
            assert!(help.contains(&format.as_str()), "{format}: {help:?}");
        }
        let given = |words: &[&str]| <Only as clap::Parser>::parse_from(words).formats.all().to_vec();
        assert_eq!(given(&["wsgrade"]), Format::DEFAULT);
        assert_eq!(given(&["wsgrade", "--format", "tap,csv"]), [Format::Tap, Format::Csv]);
    }

    #[test]
    fn commands_are_stopped_while_the_result_is_printed() {
        assert_eq!(
            guarded("::error::I am a server\n", "::error title=x::y\n", 0xab),
            "::stop-commands::000000000000000000000000000000ab\n::error::I am a server\n\
             ::000000000000000000000000000000ab::\n::error title=x::y\n"
        );
    }

    #[test]
    fn a_summary_goes_behind_others_as_long_as_it_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("summary");
        append(&path, "one\n").unwrap();
        append(&path, "two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n\ntwo\n\n");
        let error = append(&path, &"x".repeat(1 << 20)).unwrap_err().to_string();
        assert_eq!(error, "with it the file would have 1048587 bytes, of which GitHub takes 1048576");
        assert_eq!(fs::read_to_string(&path).unwrap().len(), 10, "and nothing was written");
        append(&path, &"x".repeat((1 << 20) - 11)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 1 << 20);
        assert!(append(&dir.path().join("no/such"), "x").is_err());
    }
}
