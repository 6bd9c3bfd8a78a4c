//! Files that people write, in TOML: read so that all that is wrong is found at once, each with its line, what was
//! expected there, and what was probably meant.
//!
//! ```text
//! text ─ node ─> tree with places ─ fields ─> typed values
//!                        every stage adds to Problems
//! ```
//!
//! Case files, preludes and the register of rules are read with it, and so is whatever else a user writes for us.

mod fields;
mod node;
mod problem;

pub use fields::{Fields, hex, list, number, text, word};
pub use node::{Entry, Node, Value, parse};
pub use problem::{Place, Problem, Problems, listed, nearest};
