//! Grades WebSocket endpoints.
//!
//! ```text
//! pure   engine  plays one case, without I/O and without a clock
//!        answer  what the peer answered, compared with what it should
//!        plan    cases made ready to be played
//!        adapt   cases fitted to a target that is no echo
//!        streams compressed messages, prepared once
//!        oracle  what a conforming peer may do in answer to a scenario that nobody wrote
//!        generate scenarios that nobody wrote, from bytes or from other scenarios
//!        shrink  to the shortest scenario that shows the same
//!        behaviour what was seen of a peer, so far that two scenarios can be said to have shown the same
//!        signature what went wrong, so far that two findings can be said to be one
//!        judge   from scenario and transcript to a verdict
//!        event   what a run tells while it goes on
//!        shard   which part of a selection a machine plays
//! I/O    carrier moves bytes between an engine and a connection
//!        target  where the endpoint under test is
//!        listen  clients under test: they connect, and ask for cases
//!        spawn   starts the endpoint under test by its command, watches and ends it
//!        runner  plays a selection against targets and makes the record
//!        fuzz    plays scenarios that nobody wrote, and keeps those in which something is wrong
//! face   cli     the command line
//!        autobahn the modes, spec files and outputs of Autobahn|Testsuite
//! ```

pub mod adapt;
pub mod answer;
mod autobahn;
pub mod behaviour;
pub mod carrier;
pub mod cli;
pub mod engine;
pub mod event;
pub mod fuzz;
pub mod generate;
pub mod judge;
pub mod listen;
pub mod oracle;
pub mod plan;
pub mod runner;
pub mod shard;
mod shell;
pub mod shrink;
pub mod signature;
#[cfg(test)]
mod simulated;
pub mod spawn;
pub mod streams;
pub mod target;
