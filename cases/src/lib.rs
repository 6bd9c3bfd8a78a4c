//! The scenarios wsgrade plays, and the language they are written in.
//!
//! ```text
//! catalogue/*.toml ─ load ─> Scenario ─ lint ─> Catalogue ─ select ─> the cases of a run
//! rules/*.toml ─ rules ─> Register       │
//!                                        ├─ describe ─> lines for people ─ explain ─> a page
//!                                        ├─ exchange ─> many messages, cut from a corpus
//!                                        └─ write ─> TOML, of which the digest is taken
//! ```
//!
//! How to write a case is told in this crate's `README.md`.

mod answers;
#[cfg(feature = "any")]
pub mod any;
pub mod catalogue;
pub mod corpus;
pub mod describe;
pub mod exchange;
pub mod explain;
pub mod form;
pub mod id;
pub mod lint;
pub mod load;
pub mod model;
pub mod opening;
pub mod rules;
pub mod schema;
pub mod select;
pub mod stress;
pub mod write;

pub use catalogue::Catalogue;
pub use rules::Register;
