//! `wsgrade autobahn`: the command line of Autobahn|Testsuite.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use crate::autobahn::{self, Mode, Wish};

/// What `wstest` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "fuzzingclient, fuzzingserver and massconnect read the spec file of -s, or else ./MODE.json, which \
    is created if it is not there.\n\n\
    Exit codes: 0 it was done, whatever the verdicts; 1 with --gate, a verdict is bad (and massconnect got fewer connections \
    than asked, or a client's connection did not end cleanly); 2 the command line or the spec file is wrong, or no case is \
    selected; 3 a target is not there or is gone, or nothing was played."
)]
pub(super) struct AutobahnArgs {
    /// What to do
    #[arg(short, long, value_enum, value_name = "MODE")]
    mode: Mode,

    /// The spec file
    #[arg(short, long, value_name = "SPEC.JSON")]
    spec: Option<PathBuf>,

    /// The URL to connect to or to listen on; for fuzzingclient where the spec file has no `servers`. By default
    /// ws://127.0.0.1:9000, and ws://127.0.0.1:9001 for fuzzingserver and testeeclient
    #[arg(short, long, value_name = "URL")]
    wsuri: Option<String>,

    /// The port for plain HTTP, which has the reports of a fuzzingserver and a page of an echoserver or broadcastserver;
    /// 0 for none [default: the spec file's, or 8080]
    #[arg(short = 'u', long, value_name = "PORT")]
    webport: Option<u16>,

    /// What testeeserver, testeeclient and the other peers call themselves
    #[arg(short, long, value_name = "NAME")]
    ident: Option<String>,

    /// The file of the private key, for wss:// [default: the spec file's]
    #[arg(short, long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// The file of the certificate, for wss:// [default: the spec file's]
    #[arg(short, long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// Where the reports go [default: the spec file's, or ./reports/servers/ and ./reports/clients/]
    #[arg(short, long, value_name = "DIR")]
    outdir: Option<PathBuf>,

    /// Tell of every connection of an echoserver, testeeserver or broadcastserver
    #[arg(short, long)]
    debug: bool,

    /// Exit with 1 if any case has a `behavior` or a `behaviorClose` other than OK, INFORMATIONAL, NON-STRICT or
    /// UNIMPLEMENTED, and with 3 if a client did not play all of its cases
    #[arg(long)]
    gate: bool,

    /// How many cases fuzzingclient plays at once [default: 16 on this machine, 4 elsewhere]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

pub(super) async fn run(args: &AutobahnArgs) -> Exit {
    let AutobahnArgs { mode, spec, wsuri, webport, ident, key, cert, outdir, debug, gate, jobs } = args;
    let wish = Wish {
        spec: spec.clone(),
        url: wsuri.clone(),
        webport: *webport,
        ident: ident.clone(),
        outdir: outdir.clone(),
        debug: *debug,
        gate: *gate,
        jobs: *jobs,
        ..Wish::new(*mode)
    }
    .with_identity(key.clone(), cert.clone());
    autobahn::run(&wish).await.unwrap_or_else(|failure| failure.tell())
}
