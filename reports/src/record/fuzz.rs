//! What is recorded of a run that plays scenarios nobody wrote.

use serde::{Deserialize, Serialize};

/// A campaign: how much was played, and what it came to. The findings are cases of the record as well, each with its
/// transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FuzzReport {
    /// How many scenarios were played, those of confirming and shrinking aside.
    pub scenarios: u64,
    /// How many in a second, as long as nothing was confirmed.
    pub per_second: f64,
    /// How many scenarios the corpus holds at the end.
    pub corpus: u64,
    /// How many different behaviours were seen.
    pub behaviors: u64,
    /// How many were played at once.
    pub jobs: usize,
    /// Whether scenarios were made from the cases of the catalogue too.
    pub catalogue: bool,
    /// How often something looked wrong that was right once it was played alone and with patience.
    pub cured: u64,
    /// How often the target was started again.
    pub restarts: u64,
    /// What was found, in the order it was.
    pub findings: Vec<FuzzFinding>,
    /// Where the targets differ, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<FuzzDifference>,
}

/// Something that is wrong, with the simplest scenario that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuzzFinding {
    /// The id of its case; a key of `RunReport::cases`.
    pub case: String,
    /// The target's place in `RunReport::targets`.
    pub target: usize,
    /// What went wrong, so far that two findings can be said to be one.
    pub signature: String,
    /// How much it weighs: `fail`, or `non-strict` where only a SHOULD was broken or a bound of ours passed.
    pub level: String,
    /// Where its case file was written.
    pub file: String,
    /// The command that plays it again.
    pub replay: String,
    /// In how many of the tries it showed again.
    pub replayed: u32,
    /// How many tries there were.
    pub tries: u32,
    /// How many scenarios showed it.
    pub seen: u64,
    /// The number of the first that did.
    pub scenario: u64,
    /// How many steps that one had.
    pub steps_found: usize,
    /// How many steps are left of it.
    pub steps: usize,
}

/// A scenario at which targets differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuzzDifference {
    /// The id of its case; a key of `RunReport::cases`.
    pub case: String,
    /// Who is right, in a sentence.
    pub verdict: String,
    /// Whether all of them are.
    pub lawful: bool,
    /// What each target did, in the order of the targets.
    pub seen: Vec<String>,
    /// Where its case file was written.
    pub file: String,
    /// The command that plays it again, against the first target.
    pub replay: String,
    /// In how many of the tries they differed again.
    pub replayed: u32,
    /// How many tries there were.
    pub tries: u32,
}
