//! `index.html`: one page for a person, offline, in one file.
//!
//! ```text
//! page     what is there without JavaScript: grades, and what cost the most
//! matrix   every case by section, and how each target did
//! known    what was expected, and what is not true of it
//! baseline what changed since an earlier run
//! speed    what was timed, as plots; scale is their axis
//! statement  rule by rule, how each target stands to it
//! island   what the scripts read: the cases and verdicts, and one line of transcript for each record
//! wire     a transcript made compact for the page, what several have in common told once
//! fuzz     what is said of a run of scenarios that nobody wrote
//! fold     which entries of a transcript are shown, with a cap on everything
//! templates/*.html, *.css, *.js
//!
//! base.js      the data, and how elements are made        filter.js  what is asked for, and the address that keeps it
//! header.js    the header of a frame, bit by bit          matrix.js  folding, and showing what is asked for
//! wire.js      a transcript, entry by entry               open.js    one case open, by the address
//! lane.js      the same as a drawing along the time       keys.js    the keyboard; the last, which sets it all going
//! case.js      all that is said of a case                 print.js   paper
//! ```
//!
//! Whatever a record quotes from the network is hostile. Three walls, each enough: text is made visible and
//! escaped here, the scripts only ever set `textContent`, and a content security policy lets nothing run but
//! the page's own script and lets nothing be fetched at all.

mod baseline;
mod fold;
mod fuzz;
mod island;
mod known;
mod matrix;
mod page;
mod scale;
mod speed;
mod statement;
mod wire;

pub use baseline::{Baseline, Change, ChangeKind};
pub(in crate::render) use page::{href, with_old};
pub use page::{render, render_with};
