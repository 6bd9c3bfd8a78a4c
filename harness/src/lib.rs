//! Grades WebSocket endpoints.
//!
//! ```text
//! pure   engine  plays one case, without I/O and without a clock
//!        answer  what the peer answered, compared with what it should
//!        plan    cases made ready to be played
//!        adapt   cases fitted to a target that is no echo
//!        streams compressed messages, prepared once
//!        judge   from scenario and transcript to a verdict
//!        event   what a run tells while it goes on
//! I/O    carrier moves bytes between an engine and a connection
//!        target  where the endpoint under test is
//!        listen  clients under test: they connect, and ask for cases
//!        spawn   starts the endpoint under test by its command, watches and ends it
//!        runner  plays a selection against targets and makes the record
//! face   cli     the command line
//!        autobahn the modes, spec files and outputs of Autobahn|Testsuite
//! ```

pub mod adapt;
pub mod answer;
mod autobahn;
pub mod carrier;
pub mod cli;
pub mod engine;
pub mod event;
pub mod judge;
pub mod listen;
pub mod plan;
pub mod runner;
mod shell;
#[cfg(test)]
mod simulated;
pub mod spawn;
pub mod streams;
pub mod target;
