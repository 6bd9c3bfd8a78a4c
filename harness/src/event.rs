//! What a run tells while it goes on. The record is the result; this is for whoever watches.

use wsgrade_reports::record::{Behavior, CloseVerdict, Entry};

/// Something happened in a run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEvent {
    /// A target was reached and will be played against.
    TargetStarted {
        /// Where it is.
        url: String,
        /// What it says it is.
        agent: Option<String>,
        /// How many cases will be played.
        cases: usize,
    },
    /// A case is judged.
    CaseFinished {
        /// Its id.
        id: String,
        /// Its title.
        title: String,
        /// What the peer did.
        behavior: Behavior,
        /// How the connection ended.
        close: CloseVerdict,
        /// The main reason, unless it is a plain pass.
        reason: Option<String>,
        /// Whether it will be played again alone before it is reported.
        provisional: bool,
    },
    /// Cases that failed beside others are played again alone.
    ConfirmingAlone {
        /// How many.
        cases: usize,
    },
    /// Something passed on the connection of a case that is being played.
    Passed {
        /// The case's id.
        id: String,
        /// What.
        entry: Box<Entry>,
    },
    /// A client had no connection.
    TurnedAway {
        /// Why, in one sentence.
        reason: String,
    },
    /// Nothing more will be played against this target.
    TargetFinished {
        /// Why it ended early, if it did.
        stopped: Option<String>,
    },
}
