//! `index.html`: one page for a person, offline, in one file.
//!
//! ```text
//! page     what is there without JavaScript: grades, and what cost the most
//! matrix   every case by section, and how each target did
//! baseline what changed since an earlier run
//! speed    what was timed, as plots; scale is their axis
//! statement  rule by rule, how each target stands to it
//! island   what the scripts read: the cases and verdicts, and one line of transcript for each record
//! wire     a transcript made compact for the page, what several have in common told once
//! fuzz     what is said of a run of scenarios that nobody wrote
//! fold     which entries of a transcript are shown, with a cap on everything
//! templates/*.html, *.css, *.js
//! ```
//!
//! Whatever a record quotes from the network is hostile. Three walls, each enough: text is made visible and
//! escaped here, the scripts only ever set `textContent`, and a content security policy lets nothing run but
//! the page's own script and lets nothing be fetched at all.

mod baseline;
mod fold;
mod fuzz;
mod island;
mod matrix;
mod page;
mod scale;
mod speed;
mod statement;
mod wire;

pub use baseline::{Baseline, Change, ChangeKind};
pub(in crate::render) use page::{href, with_old};
pub use page::{render, render_with};
