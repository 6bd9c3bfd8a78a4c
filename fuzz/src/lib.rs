//! The fuzz targets as plain functions: `cargo fuzz` calls them, and so do the tests, on stable.
//!
//! ```text
//! seeds ── the catalogue in the words of each target ─┐
//! fuzzer, tests ──────────────────────────────────────┴─ bytes ──> target ── an oracle says what must be seen
//! ```
//!
//! A target never asks only for "no panic": it holds what it sees against an oracle.
//!
//! - `tape`, `split`, `wire`: what inputs are made of. `plan`: one direction of a connection, as bytes say it.
//! - `plain`: frames read by hand, which shares no code with the codec.
//! - `peers`: what other people's codecs hear, and where they may differ from ours.
//! - `seeds`: inputs made from the catalogue.

mod cases;
mod decoder;
mod deflate;
mod endpoint;
mod handshake;
mod header;
mod judge;
mod pair;
mod peers;
mod plain;
mod plan;
mod scenario;
pub mod seeds;
mod split;
mod tape;
mod utf8;
mod wire;

pub use peers::{
    Exception, Excuse, TOKIO_WEBSOCKETS, TUNGSTENITE, They, excuse_of_tokio_websockets, excuse_of_tungstenite,
};

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: of the binary, of its folder of seeds, of its module.
    pub name: &'static str,
    /// Runs it over one input; panics where something does not hold.
    pub run: fn(&[u8]),
    /// How many fresh inputs the tests try: as many as take a second or two.
    pub fresh: u64,
}

/// Every target, in the order of the documentation.
pub const TARGETS: &[Target] = &[
    Target { name: "decoder", run: decoder::decoder, fresh: 1500 },
    Target { name: "header", run: header::header, fresh: 1000 },
    Target { name: "utf8", run: utf8::utf8, fresh: 3000 },
    Target { name: "deflate", run: deflate::deflate, fresh: 300 },
    Target { name: "handshake", run: handshake::handshake, fresh: 3000 },
    Target { name: "endpoint", run: endpoint::endpoint, fresh: 2000 },
    Target { name: "pair", run: pair::pair, fresh: 400 },
    Target { name: "tungstenite", run: peers::tungstenite, fresh: 2000 },
    Target { name: "tokio_websockets", run: peers::tokio_websockets, fresh: 2000 },
    Target { name: "cases", run: cases::cases, fresh: 300 },
    Target { name: "judge", run: judge::judge, fresh: 600 },
    Target { name: "scenario", run: scenario::scenario, fresh: 1000 },
];

/// The target of this name.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn target(name: &str) -> Target {
    *TARGETS.iter().find(|target| target.name == name).expect("a target of this name in the table")
}

/// Runs a target over the files named on the command line.
///
/// # Errors
///
/// A file that cannot be read.
pub fn replay(name: &str) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        (target(name).run)(&std::fs::read(&path)?);
        println!("{}: holds", path.display());
    }
    Ok(())
}
