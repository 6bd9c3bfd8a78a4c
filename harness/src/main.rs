//! The `wsgrade` binary.

use clap::Parser;
use wsgrade::cli::{Cli, Exit};

#[tokio::main]
async fn main() -> Exit {
    Cli::parse().run().await
}
