//! `index.html`: one page for a person, offline, in one file.
//!
//! ```text
//! page     what is there without JavaScript: grades, what cost the most, the matrix
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

mod fold;
mod fuzz;
mod island;
mod page;
mod statement;
mod wire;

pub use page::render;
pub(in crate::render) use page::{href, with_old};
