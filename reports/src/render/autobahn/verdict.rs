//! Our verdicts in the old words.

use crate::record::{Behavior, CaseRecord, CloseVerdict};

/// What the peer did. The old tool has no word for `inconclusive`: passing it would lie, and so would leaving it out,
/// so it is `FAILED` and the case's `result` says what it is.
pub fn behavior(behavior: Behavior) -> &'static str {
    match behavior {
        Behavior::Pass => "OK",
        Behavior::Informational => "INFORMATIONAL",
        Behavior::Unimplemented => "UNIMPLEMENTED",
        Behavior::NonStrict => "NON-STRICT",
        Behavior::Fail | Behavior::Inconclusive => "FAILED",
    }
}

/// How the connection ended. The old tool accepts it where a peer that has to fail the connection drops TCP: no code at
/// all is never a wrong one, and nothing there has to be clean. A case that was not played for want of an extension
/// closed well.
pub fn close(record: &CaseRecord) -> &'static str {
    if record.behavior == Behavior::Unimplemented {
        return "OK";
    }
    match record.close {
        CloseVerdict::Pass | CloseVerdict::Dropped => "OK",
        CloseVerdict::Informational => "INFORMATIONAL",
        CloseVerdict::WrongCode => "WRONG CODE",
        CloseVerdict::Unclean => "UNCLEAN",
        CloseVerdict::FailedByPeer => "FAILED BY CLIENT",
        CloseVerdict::WrongSide | CloseVerdict::Inconclusive => "FAILED",
    }
}

/// The class in the old tool's HTML, by which gates find a failure, and what its cell says.
pub(super) fn behavior_cell(behavior: Behavior) -> (&'static str, &'static str) {
    match behavior {
        Behavior::Pass => ("case_ok", "Pass"),
        Behavior::Informational => ("case_info", "Info"),
        Behavior::Unimplemented => ("case_unimplemented", "Unimplemented"),
        Behavior::NonStrict => ("case_non_strict", "Non-Strict"),
        Behavior::Fail => ("case_failed", "Fail"),
        Behavior::Inconclusive => ("case_failed", "Fail (inconclusive)"),
    }
}

/// The same for the end of the connection; what has no words of its own shows the code.
pub(super) fn close_cell(close: CloseVerdict) -> (&'static str, Option<&'static str>) {
    match close {
        CloseVerdict::Pass | CloseVerdict::Dropped => ("case_ok", None),
        CloseVerdict::Informational => ("case_info", None),
        CloseVerdict::WrongCode => ("case_non_strict", None),
        CloseVerdict::FailedByPeer => ("case_almost", None),
        CloseVerdict::Unclean => ("case_failed", Some("Unclean")),
        CloseVerdict::WrongSide | CloseVerdict::Inconclusive => ("case_failed", Some("Fail")),
    }
}
