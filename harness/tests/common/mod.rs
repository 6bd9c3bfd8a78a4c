//! What the tests that grade other people's servers and clients share.
//!
//! ```text
//! servers ── an address ──> grade ── verdicts by case ──> deviations ── every difference from the table
//! clients <── our address ──┘
//! ```

pub(crate) mod clients;
pub(crate) mod deviations;
pub(crate) mod grade;
pub(crate) mod servers;
