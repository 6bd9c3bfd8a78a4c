//! The run record: what was played, what was seen and how it was judged.
//!
//! ```text
//! RunReport ── cases ── CaseInfo        what a case is, once, whatever the number of targets
//!     │    └── rules ── RuleText        every sentence of the RFCs that binds somebody
//!     ├── expectations ── ExpectationRecord    known deviations, and what is not true of them
//!     └── targets ── TargetReport ── CaseRecord ── Finding
//!                                        └── Transcript ── Entry
//! ```
//!
//! `run.json` is this structure and nothing else; every other output is a pure function of it. It depends on
//! no socket, codec or scenario, so a record written today renders for ever.

mod case;
mod expected;
mod facts;
mod fuzz;
mod payload;
mod read;
mod repeats;
mod stress;
mod transcript;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use case::{
    Behavior, Binds, CaseInfo, CaseKey, CaseRecord, CloseVerdict, Finding, Role, RuleText, Severity,
};
pub use expected::ExpectationRecord;
pub use facts::{Refused, Response, TargetFacts};
pub use fuzz::{FuzzDifference, FuzzFinding, FuzzReport};
pub use payload::PayloadDigest;
pub use read::ReadError;
pub use repeats::{Repeated, Repeats};
pub use stress::{Canary, Grown, Taken};
pub use transcript::{
    ClosedHow, Direction, Entry, FrameInfo, HttpMessage, MessageKind, PayloadInfo, RoundTrips, Transcript,
    Unopened, What,
};

/// The version of the `run.json` format.
///
/// A writer writes [`SchemaVersion::CURRENT`] only. A reader accepts every version up to its own: fields are
/// added with a default and never change their meaning; anything else is a new version with a conversion.
/// A record of a later version is refused with a sentence that says so.
///
/// - 1: the first.
/// - 2: a transcript may hold [`What::Exchanged`] and [`What::Declined`], which a reader of version 1 cannot know.
///   A record of version 1 is one of version 2 as it stands.
/// - 3: `rules` holds every rule of the register, and says whom each binds; before, it held those that were cited. The
///   opening handshake may be what is tested, and [`What::OpeningFailed`] an answer; a transcript may hold
///   [`What::Canary`], [`What::Resources`], [`What::Crowd`] and [`What::Growth`]. A case may have been judged without an
///   echo ([`CaseRecord::adapted`]), and entries of a transcript may be those of a prelude.
/// - 4: a run may be one of scenarios that nobody wrote ([`RunReport::fuzz`]), which has no grade. A record of version 3 is one
///   of version 4 as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SchemaVersion(pub u32);

impl SchemaVersion {
    /// What this build writes.
    pub const CURRENT: Self = Self(4);

    /// Whether a record of this version holds the whole register of rules, and not only those that it cites.
    pub fn has_register(self) -> bool {
        self >= Self(3)
    }
}

/// One whole run: every target, every case played against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The format of this record.
    pub schema: SchemaVersion,
    /// The program that made it.
    pub tool: Tool,
    /// When the run began, RFC 3339 in UTC.
    pub started: String,
    /// Wall time of the whole run in milliseconds.
    pub duration_ms: f64,
    /// The seed of everything random in the run (mask keys, handshake keys, probe payloads).
    pub seed: u64,
    /// Which catalogue was played.
    pub catalogue: CatalogueInfo,
    /// The part of the selection that this record covers, where a run was split over machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// How the run was set up.
    pub options: RunOptions,
    /// Every rule of the register, by id, and so the sentences that the cases rest on.
    pub rules: BTreeMap<String, RuleText>,
    /// What each case is, in catalogue order. A shard has those of the whole selection, whatever part of them it played.
    pub cases: Vec<CaseInfo>,
    /// What was found, target by target.
    pub targets: Vec<TargetReport>,
    /// Deviations that were known before, each with its reason; [`CaseRecord::expected`] is a place in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<ExpectationRecord>,
    /// How it was found, where scenarios were played that nobody wrote: the cases are then those in which something is
    /// wrong and no others, so the run says nothing of what is right, and has no grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuzz: Option<FuzzReport>,
}

/// The program that made a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `wsgrade`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Which catalogue was played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueInfo {
    /// SHA-1 over the canonical text of all cases known to the run, selected or not: two records with the same
    /// digest can be merged and compared case by case.
    pub digest: String,
    /// How many cases the catalogue holds.
    pub known: usize,
    /// How many of them this run selected, all shards together.
    pub selected: usize,
}

/// Part `index` of `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// `1 <= index <= count`.
    pub index: u32,
    /// How many shards make the whole run.
    pub count: u32,
}

/// How the run was set up: what a reader needs to understand a duration or a missing case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOptions {
    /// How many cases were played at once.
    pub jobs: usize,
    /// How long a case waited for an answer, in milliseconds.
    pub timeout_ms: u64,
    /// How long it waited for the closing handshake and for the end of TCP, in milliseconds.
    pub close_timeout_ms: u64,
    /// How long it waited for TCP and for the opening handshake, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How many messages each exchange had at most, those that measure time aside; absent for as many as the case has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// The `-c` patterns.
    #[serde(default)]
    pub cases: Vec<String>,
    /// The `-x` patterns.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// What was played on every connection before the steps of the case, one line a step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prelude: Vec<String>,
}

impl Shard {
    /// The most shards that a run is cut into.
    pub const MOST: u32 = 10_000;
}

/// One endpoint under test and all that was found of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetReport {
    /// What the page calls it: a name given by the user, the agent it announced, or the URL.
    pub name: String,
    /// Where it was reached (server under test), or where we listened (client under test).
    pub url: String,
    /// The role of the endpoint under test.
    pub role: Role,
    /// What it announced of itself (`Server` or `User-Agent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What was found of it before the first case; absent for a client, and in records of older builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<TargetFacts>,
    /// Why the run against it ended before its last case, in one sentence; absent when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// The process that served, where we started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessInfo>,
    /// One record per case played, in catalogue order.
    pub cases: Vec<CaseRecord>,
}

impl TargetReport {
    /// What it is called from one run to the next: its name, but where that is only its URL and we started it, the command
    /// that did. The port was then free by chance.
    pub fn lasting_name(&self) -> &str {
        match &self.process {
            Some(process) if self.name == self.url => &process.command,
            Some(_) | None => &self.name,
        }
    }
}

/// A process that we started, with all that it started: what it took and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessInfo {
    /// The command as the user wrote it.
    pub command: String,
    /// The most memory that its processes were seen to hold together, each at its own peak, in bytes. Memory that
    /// they share is counted for each. Absent where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rss_bytes: Option<u64>,
    /// The processor time that they took together, in milliseconds. Absent where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<f64>,
    /// How it ended, such as `exit status 1`; absent when it served until we ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<String>,
    /// The last of what it wrote to standard output and standard error; absent when that was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tail: Option<String>,
}
