//! The command lines of the two binaries, as a library, so that another program can offer them as its own.
//!
//! ```text
//! server  Args -> Config, run until a signal
//! client  Args -> ClientConfig + what to say; prints what it sees
//! defects one deviation, where the feature is on
//! limits  the sizes taken from a peer, the same flags for both
//! value   durations and sizes as people write them
//! ```
//!
//! Exit codes of both: 0 all went well, 1 it did not, 2 the command line is wrong.

pub mod client;
mod defects;
mod limits;
pub mod server;
mod value;

/// What a program should exit with.
pub(crate) const FAILURE: u8 = 1;
/// As clap does it.
pub(crate) const USAGE: u8 = 2;
