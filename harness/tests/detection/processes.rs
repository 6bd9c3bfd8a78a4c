//! Defects that show in a process only, and the cases that have to find them.

use wsgrade_reference_server::deviant::Defect;

/// Each of them with a case that it has to fail. The reference has to pass them all.
pub(crate) const FOUND_BY: [(Defect, &str); 9] = [
    (Defect::AllocatesDeclared, "R.2.4"),
    (Defect::NoFragmentLimit, "R.3.3"),
    (Defect::NoInflateLimit, "R.5.4"),
    (Defect::OneRequestAtATime, "R.1.2"),
    (Defect::QuadraticHead, "R.9.1"),
    (Defect::LeaksOnPong, "R.4.3"),
    (Defect::SpinsAfterHalfClose, "R.7.21"),
    (Defect::LeaksSocket, "R.7.8"),
    (Defect::CrashesOnLength, "R.2.5"),
];
