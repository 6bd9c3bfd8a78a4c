//! What was found, and the case file that shows it again.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wsgrade_cases::Register;
use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::Scenario;
use wsgrade_cases::write;
use wsgrade_reports::record::{CaseRecord, Severity};

use super::growth::Resource;
use crate::shell;
use crate::signature::{Broken, Symptom, hashed};
use crate::spawn::{Death, telling};

/// The section of all findings, and the beginning of their ids.
pub const SECTION: &str = "found";
/// What the section is called.
pub const SECTION_TITLE: &str = "Found by fuzzing";
/// No title of a case is longer, in characters.
const LONGEST_TITLE: usize = 100;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A scenario was not answered as it must, or as it should.
    Verdict(Symptom),
    /// The process that serves ended.
    Died {
        /// How, such as `signal 11 (SIGSEGV)`.
        exit: String,
        /// The line in which it said what went wrong, or its last one, numbers aside.
        last_words: String,
    },
    /// The process that serves took more and more.
    Grew {
        /// Of what.
        what: Resource,
    },
}

impl Kind {
    /// That of a death.
    pub fn of_death(death: &Death) -> Self {
        let line = telling(&death.output).unwrap_or_default();
        // Addresses, ports and times are another each time.
        let last_words = line.chars().filter(|c| !c.is_ascii_digit()).collect();
        Self::Died { exit: death.exit.clone(), last_words }
    }

    /// A short name, the same on every machine.
    pub fn id(&self) -> String {
        match self {
            Self::Verdict(symptom) => symptom.id(),
            Self::Died { exit, last_words } => hashed(&format!("died {exit} {last_words}")),
            Self::Grew { what } => hashed(&format!("grew {what}")),
        }
    }

    /// In words, on one line.
    pub fn in_words(&self) -> String {
        match self {
            Self::Verdict(symptom) => symptom.to_string(),
            Self::Died { exit, .. } => format!("the process died with {exit}"),
            Self::Grew { what } => format!("the process {what}"),
        }
    }

    /// How much it weighs. A process that dies serves nobody; the bounds to what one may take are ours.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Verdict(symptom) => symptom.signature.severity(),
            Self::Died { .. } => Severity::Major,
            Self::Grew { .. } => Severity::Minor,
        }
    }

    fn title(&self, rule: &str) -> String {
        let title = match self {
            Self::Verdict(symptom) => match &symptom.signature.broken {
                Broken::Sent(rule) => format!("Sends what it must not: {rule}"),
                Broken::Took(rule) => format!("Takes what it must not: {rule}"),
                Broken::Failing => format!("Fails the connection otherwise than it should: {rule}"),
                Broken::Conversation => format!("Goes wrong in a lawful conversation: {rule}"),
            },
            Self::Died { .. } => "Ends the process that serves".to_owned(),
            Self::Grew { what } => format!("The process {what}"),
        };
        title.chars().take(LONGEST_TITLE).collect()
    }
}

/// Something that is wrong, with the simplest scenario that shows it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// The scenario, under a name of its own; several where it is not known which one it was.
    pub scenarios: Vec<Arc<Scenario>>,
    /// How it went the last time, and what the report says of it.
    pub record: CaseRecord,
    /// The number of the scenario that first showed it.
    pub number: u64,
    /// How many steps that one had.
    pub steps_found: usize,
    /// In how many of how many tries the scenario showed it again.
    pub replayed: (u32, u32),
    /// How many scenarios of the campaign showed it.
    pub seen: u64,
    /// Where the case file is.
    pub file: PathBuf,
    /// The command that plays it again.
    pub replay: String,
}

impl Finding {
    /// Whether it did not show every time.
    pub fn is_flaky(&self) -> bool {
        self.replayed.0 < self.replayed.1
    }

    /// The id of its case.
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// How many steps its scenario has.
    pub fn steps(&self) -> usize {
        self.scenarios.first().map_or(0, |scenario| scenario.steps.len())
    }

    /// How often it showed, in words.
    pub fn replayed_in_words(&self) -> String {
        let (shown, tries) = self.replayed;
        let flaky = if self.is_flaky() { " (flaky)" } else { "" };
        format!("{shown} of {tries} times{flaky}")
    }

    /// The rule that it rests on, which may be none.
    pub fn rule(&self) -> Option<&str> {
        self.record.findings.first().map(|finding| finding.rule.as_str()).filter(|rule| !rule.is_empty())
    }
}

/// The command that plays a file again, but for the file.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// What stands before the file, such as `wsgrade replay`.
    pub before: String,
    /// What stands behind it: the target and how it is played, in a shell's words.
    pub behind: String,
}

impl Replay {
    /// The command for this file.
    pub fn of(&self, file: &Path) -> String {
        let file = shell::word(&file.display().to_string());
        format!("{} {file} {}", self.before, self.behind).trim_end().to_owned()
    }
}

/// The scenario as a case of its own name. `n` tells several of one finding apart.
pub fn named(kind: &Kind, scenario: &Scenario, rule: &str, why: &str, n: Option<usize>) -> Scenario {
    let n = n.map(|n| format!("-{n}")).unwrap_or_default();
    let id = format!("{SECTION}.{}{n}", kind.id());
    Scenario {
        // A hash and a number are letters and digits.
        id: id.parse().unwrap_or_else(|_| scenario.id.clone()),
        title: kind.title(rule),
        why: why.to_owned(),
        ..scenario.clone()
    }
}

/// What the header of a case file says beside what the finding does.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The target.
    pub target: String,
    /// The seed of the campaign.
    pub seed: u64,
}

/// The case file of a finding.
pub fn file_text(finding: &Finding, origin: &Origin) -> String {
    let mut out = String::new();
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "# {name:<10}{}", one_line(text));
    };
    line("found by", &format!("wsgrade {}, `wsgrade fuzz`", env!("CARGO_PKG_VERSION")));
    line("target", &origin.target);
    line("seed", &format!("{}, scenario {}", origin.seed, finding.number));
    line("signature", &finding.kind.in_words());
    if let Some(rule) = finding.rule().and_then(|rule| Register::embedded().get(&RuleId::new(rule))) {
        line("rule", &format!("{} {}, {}: {}", rule.document, rule.section, rule.level, rule.sentence));
    }
    for seen in finding.record.findings.iter().take(3) {
        line("expected", &seen.expected);
        line("observed", &seen.observed);
    }
    line("steps", &format!("{}, {} as it was found", finding.steps(), finding.steps_found));
    line("replayed", &finding.replayed_in_words());
    line("replay", &finding.replay);
    let _ = write!(
        out,
        "\n{}\n{}",
        write::section(SECTION, SECTION_TITLE),
        write::scenarios(finding.scenarios.iter().map(AsRef::as_ref))
    );
    out
}

/// Writes the case file, where the finding says.
///
/// # Errors
///
/// The folder or the file cannot be written.
pub fn save(finding: &Finding, origin: &Origin) -> io::Result<()> {
    if let Some(dir) = finding.file.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(&finding.file, file_text(finding, origin))
}

/// What came from the network may hold anything; a comment ends with its line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
