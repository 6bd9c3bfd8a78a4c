//! Defects that show in a process only, and the cases that have to find them.

use wsgrade_reference_server::deviant::Defect;

/// Each of them with the cases of which one has to find it; without a defect all have to pass. Where a time is measured there
/// are several, for on a busy machine one may be told nothing by it.
pub(crate) const FOUND_BY: [(Defect, &[&str]); 9] = [
    (Defect::AllocatesDeclared, &["R.2.4"]),
    (Defect::NoFragmentLimit, &["R.3.3"]),
    (Defect::NoInflateLimit, &["R.5.4"]),
    (Defect::OneRequestAtATime, &["R.1.2"]),
    (Defect::QuadraticHead, &["R.9.1", "R.9.2", "R.9.6"]),
    (Defect::LeaksOnPong, &["R.4.3"]),
    (Defect::SpinsAfterHalfClose, &["R.7.21"]),
    (Defect::LeaksSocket, &["R.7.8"]),
    (Defect::CrashesOnLength, &["R.2.5"]),
];
