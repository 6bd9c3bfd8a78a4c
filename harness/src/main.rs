//! The `wsgrade` binary.

use clap::Parser;
use wsgrade::cli::{Cli, Exit};

/// A campaign makes and forgets a few hundred small things for each scenario: a fifth more of them in a second than with glibc's
/// (`docs/performance.md`).
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Exit {
    Cli::parse().run().await
}
