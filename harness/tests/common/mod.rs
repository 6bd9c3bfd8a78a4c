//! What the tests that grade other people's servers share.
//!
//! ```text
//! servers ── an address ──> grade ── verdicts by case ──> deviations ── every difference from the table
//! ```

pub(crate) mod deviations;
pub(crate) mod grade;
pub(crate) mod servers;
