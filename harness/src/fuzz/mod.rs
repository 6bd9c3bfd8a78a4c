//! Plays scenarios that nobody wrote against an endpoint, until something is wrong or the time is over.
//!
//! ```text
//! schedule ── n-th scenario, from seed, n and corpus ──▶ player ── place: dials, or lets clients in (guests)
//!    ▲                                                     │
//!    └── corpus ◀── behaviour that is new ◀────────────────┤
//!                                                          └── something is wrong ──▶ confirm: alone, patiently, shrunk
//!                      finding ── a case file, and the command that plays it again ◀──────┘
//! campaign  the workers and the budget          death  which scenario ends the process that serves
//! serving   whether it still does, and if not   growth what the process takes and does not give back
//! differ    the same scenario against several   lost   what was under way when nobody can start it again
//! record    what the report says of it          replay a case file again
//! ```
//!
//! The same seed gives the same scenarios, however many are played at once, as long as the target answers the same: which
//! scenario comes when hangs on what came long before it, in the order of the numbers and not of the clock.

mod board;
pub mod campaign;
pub mod confirm;
pub mod corpus;
mod death;
pub mod differ;
pub mod finding;
pub mod growth;
pub mod guests;
mod lost;
pub mod place;
pub mod player;
pub mod record;
pub mod replay;
pub mod schedule;
mod serving;
#[cfg(test)]
mod tests;
pub mod words;
