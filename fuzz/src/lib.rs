//! The fuzz targets as plain functions: `cargo fuzz` calls them, and so do the tests, on stable.
//!
//! ```text
//! bytes ── input ── wire ──┬── as one piece ──> what must be seen
//!             └── plan ────┤                        ‖
//!                          └── split, split, … ──> what is seen
//! ```
//!
//! A target never asks only for "no panic": it holds what it sees against an oracle.

mod decoder;
mod endpoint;
mod judge;
mod plain;
mod plan;
mod split;

pub use decoder::decoder;

/// Runs a target over the files named on the command line.
///
/// # Errors
///
/// A file that cannot be read.
pub fn replay(target: fn(&[u8])) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        target(&std::fs::read(&path)?);
        println!("{}: holds", path.display());
    }
    Ok(())
}
