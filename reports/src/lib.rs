//! The run record of wsgrade, and every report derived from it.
//!
//! ```text
//! record   what was played, seen and judged; `run.json` is this and nothing else
//!   │
//!   ├── conformance   rule by rule, what a run shows of a target
//!   ├── compare  what is different between two records, baselines or indexes of the old tool
//!   │   baseline the verdicts of a run as a small file for version control
//!   ├── merge    the shards of a run as one record
//!   ├── expect   known deviations with their reasons, and whether they are still true
//!   ├── gate     whether a run may pass, and why
//!   ├── grade    a pure function of the record: letters, counts, what cost the most
//!   └── render   pure functions of the record: run.json, index.html, junit.xml, text for a terminal
//! ```
//!
//! Nothing here knows of sockets, codecs or scenarios, so a record written today renders for ever. Whatever a
//! record quotes from the network is hostile until [`render`] has made it visible and escaped it.

pub mod baseline;
pub mod compare;
pub mod conformance;
pub mod expect;
pub mod gate;
pub mod grade;
pub mod merge;
mod near;
mod order;
pub mod record;
pub mod render;
