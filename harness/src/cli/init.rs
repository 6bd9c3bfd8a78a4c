//! `wsgrade init`: a `wsgrade.toml` to begin with, after a look at the server.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use wsgrade_cases::write::string;
use wsgrade_reports::record::{Response, TargetFacts};

use super::args::{BaseArgs, RequestArgs};
use super::config::{Capability, FILE, SCHEMA};
use super::exit::{Exit, Failure};
use super::gate::today;
use super::interrupt::Interrupts;
use super::servers::{Given, LOCAL_JOBS};
use super::spawn::{Address, SpawnArgs};
use super::stress::StressArgs;
use crate::runner::Facts;

/// Looks at a server and writes down how to test it: a file with comments, to be changed by hand. Without a URL and without
/// --spawn the file has no target yet.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The server, such as ws://127.0.0.1:9001/
    #[arg(value_name = "URL")]
    url: Option<Address>,

    #[command(flatten)]
    spawn: SpawnArgs,

    /// What to call it [default: what it calls itself]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// The file to write, or - for standard output
    #[arg(long, value_name = "FILE", default_value = FILE)]
    config: PathBuf,

    /// Write over a file that is there
    #[arg(long)]
    force: bool,

    /// Print the JSON Schema of the file, for editors, and do nothing else
    #[arg(long)]
    schema: bool,

    /// Steps to play on every connection before those of a case: a TOML file with `steps = [ … ]`
    #[arg(long, value_name = "FILE")]
    prelude: Option<PathBuf>,

    #[command(flatten)]
    request: RequestArgs,
}

pub(super) async fn run(args: &InitArgs) -> Exit {
    match init(args).await {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

async fn init(args: &InitArgs) -> Result<Exit, Failure> {
    if args.schema {
        super::print(SCHEMA);
        return Ok(Exit::Success);
    }
    let to_stdout = args.config.as_os_str() == "-";
    let name = args.config.display();
    if !to_stdout && !args.force && args.config.exists() {
        return Err(Failure::usage(format!("{name} is there already: change it by hand, or give --force")));
    }
    let found = match (&args.url, args.spawn.command()) {
        (None, None) => None,
        (Some(_), _) | (None, Some(_)) => Some(look(args).await?),
    };
    let text = text(args, found.as_ref());
    if to_stdout {
        super::print(&text);
        return Ok(Exit::Success);
    }
    let failed = |error| Failure::usage(format!("cannot write {name}: {error}"));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    if !args.force {
        options.create_new(true);
    }
    let mut file = options.open(&args.config).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(failed)?;
    let next = match found {
        Some(_) => "look through it, then run `wsgrade test`",
        None => "write your server into it, then run `wsgrade test`",
    };
    super::print(&format!("{name} is written: {next}\n"));
    Ok(Exit::Success)
}

async fn look(args: &InitArgs) -> Result<Facts, Failure> {
    let urls = args.url.as_slice();
    let given = Given {
        urls,
        targets: &[],
        spawn: &args.spawn,
        request: &args.request,
        prelude: args.prelude.as_ref(),
    };
    let interrupts = Interrupts::watch();
    let [wanted] = &given.wanted(None)?[..] else { return Err(Failure::usage("give one URL")) };
    let started = wanted.start(&interrupts).await?;
    let settings = BaseArgs::default().settings(LOCAL_JOBS);
    let stress = StressArgs::default();
    let prepared =
        wanted.prepare(&started, &settings, &stress, None, &interrupts, |_, _| String::new()).await?;
    started.end().await;
    Ok(prepared.facts)
}

/// The file.
fn text(args: &InitArgs, found: Option<&Facts>) -> String {
    let mut out = String::new();
    write_text(&mut out, args, found).expect("writing to a string never fails");
    out
}

fn write_text(out: &mut String, args: &InitArgs, found: Option<&Facts>) -> std::fmt::Result {
    writeln!(
        out,
        "# What wsgrade tests here, and what has to come of it: `wsgrade test` reads this file, and flags override it.\n\
         # What else may stand in it: docs/config.md of https://github.com/wsgrade/wsgrade\n"
    )?;
    match found {
        Some(found) => target(out, args, found)?,
        None => writeln!(
            out,
            "# The server under test: `spawn` starts it, with {{port}} for a port that is free; `url` says where one runs.\n\
             #[[target]]\n\
             #name = \"my server\"\n\
             #spawn = \"./my-server --port {{port}}\"\n\
             #url = \"ws://127.0.0.1:{{port}}/\""
        )?,
    }
    writeln!(
        out,
        "\n# A client under test, for `wsgrade listen`: it asks for cases as drivers written for Autobahn|Testsuite do.\n\
         #[[target]]\n\
         #name = \"my client\"\n\
         #role = \"client\"\n\
         #spawn = \"./my-client {{url}} {{agent}}\"\n\
         \n\
         # Which cases; all of them, where nothing is said. `wsgrade cases` lists them.\n\
         #[selection]\n\
         #cases = [\"1.*\", \"H.*\"]\n\
         #exclude = [\"9.*\"]\n\
         #files = \"cases\"       # a folder with cases of your own\n\
         #depth = \"full\"        # 1000 messages in each case of sections 12 and 13\n\
         \n\
         [gate]\n\
         # fail: no MUST is broken. non-strict: nor a SHOULD. regression: nothing is worse than in the baseline.\n\
         fail-on = \"fail\"\n\
         #min-grade = \"A\"\n\
         #baseline = \"wsgrade-baseline.txt\"     # `wsgrade report baseline` writes it\n\
         #stale-expectations = \"warn\"           # what is expected below and not true any more fails the gate otherwise\n\
         \n\
         [output]\n\
         dir = \"wsgrade-report\"\n\
         formats = [\"json\", \"html\", \"junit\"] # also sarif, markdown, csv, tap, badge, github-annotations, gitlab-codequality\n\
         \n\
         #[limits]\n\
         #timeout = \"4s\"\n\
         #jobs = 16\n\
         \n\
         # A deviation that you know of and put up with, with its reason. `wsgrade test --update-expectations` proposes entries.\n\
         #[[expect]]\n\
         #cases = \"6.4.*\"\n\
         #behavior = \"non-strict\"\n\
         #reason = \"invalid UTF-8 is seen at the end of a message only; issue 123\"\n\
         #until = 2027-03-01"
    )
}

fn target(out: &mut String, args: &InitArgs, Facts { agent, found, .. }: &Facts) -> std::fmt::Result {
    let name = args.name.clone().or_else(|| agent.clone()).map(|name| one_line(&name));
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "my server".to_owned());
    writeln!(out, "[[target]]\nname = {}", string(&name))?;
    if let Some(command) = args.spawn.command() {
        writeln!(out, "spawn = {}", string(command))?;
    }
    if let Some(address) = &args.url {
        writeln!(out, "url = {}", string(address.text()))?;
    }
    writeln!(out, "# What it did on {}: {}.", today(), did(found).join("; "))?;
    let has: Vec<_> = Capability::ALL
        .into_iter()
        .filter(|capability| match capability {
            Capability::Echo => found.is_echo(),
            Capability::Deflate => found.deflate.is_some(),
        })
        .map(|capability| string(capability.as_str()))
        .collect();
    if has.is_empty() {
        writeln!(
            out,
            "#has = [\"echo\"]           # what it has to do, or the run is not begun: echo, deflate"
        )?;
    } else {
        writeln!(out, "# Where it no longer does these, no case is played and the gate is not met:")?;
        writeln!(out, "has = [{}]", has.join(", "))?;
    }
    writeln!(
        out,
        "#without = [\"deflate\"]    # what is passed over, whether it does it or not: echo, deflate"
    )?;
    let RequestArgs { headers, subprotocols, origin, host, resolve, ca, insecure } = &args.request;
    if headers.is_empty() {
        writeln!(
            out,
            "#headers = [\"Authorization: Bearer ${{TOKEN}}\"]   # TOKEN is taken from the environment"
        )?;
    } else {
        writeln!(out, "# A secret is better written ${{NAME}}, which is taken from the environment.")?;
        let lines = headers.iter().map(|header| string(&format!("{}: {}", header.name, header.value)));
        writeln!(out, "headers = [{}]", lines.collect::<Vec<_>>().join(", "))?;
    }
    if subprotocols.is_empty() {
        writeln!(out, "#subprotocols = [\"chat\"]")?;
    } else {
        let names: Vec<_> = subprotocols.iter().map(|name| string(name)).collect();
        writeln!(out, "subprotocols = [{}]", names.join(", "))?;
    }
    for (key, value) in [("origin", origin), ("host", host)] {
        if let Some(value) = value {
            writeln!(out, "{key} = {}", string(value))?;
        }
    }
    if !resolve.is_empty() {
        let entries: Vec<_> = resolve
            .iter()
            .map(|entry| string(&format!("{}:{}:{}", entry.host, entry.port, entry.address)))
            .collect();
        writeln!(out, "resolve = [{}]", entries.join(", "))?;
    }
    if !ca.is_empty() {
        let paths: Vec<_> = ca.iter().map(|roots| string(&roots.path().display().to_string())).collect();
        writeln!(out, "ca = [{}]", paths.join(", "))?;
    }
    if *insecure {
        writeln!(out, "insecure = true")?;
    }
    match &args.prelude {
        Some(path) => writeln!(out, "prelude = {}", string(&path.display().to_string())),
        None => writeln!(out, "#prelude = \"login.toml\"   # steps before those of every case"),
    }
}

/// What was found, in clauses.
fn did(found: &TargetFacts) -> Vec<String> {
    let TargetFacts { text, binary, pongs, talks, subprotocol, deflate, takes, refuses: _ } = found;
    let of = |response: Response| match response {
        Response::Nothing => "is answered by nothing",
        Response::Echo => "comes back",
        Response::OtherKind => "comes back as the other kind",
        Response::Other => "is answered by something else",
        Response::Ends => "ends the connection",
    };
    let mut did = vec![format!("text {}", of(*text)), format!("binary {}", of(*binary))];
    did.push(if *pongs { "pings are answered" } else { "pings are not answered" }.to_owned());
    if *talks {
        did.push("it says things unasked".to_owned());
    }
    if let Some(subprotocol) = subprotocol {
        did.push(format!("it chose the subprotocol {}", one_line(subprotocol)));
    }
    did.push(match deflate {
        Some(agreed) => format!("it agreed to {}", one_line(agreed)),
        None => "it does not compress".to_owned(),
    });
    if let Some(takes) = takes {
        did.push(format!("it takes messages of {takes} bytes"));
    }
    did
}

/// What a server says of itself, as one line of no great length.
fn one_line(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::config;
    use super::*;

    #[derive(Debug, Parser)]
    struct Only {
        #[command(flatten)]
        args: InitArgs,
    }

    fn written(words: &[&str], found: Option<&Facts>) -> String {
        let words = std::iter::once("wsgrade").chain(words.iter().copied());
        text(&Only::parse_from(words).args, found)
    }

    fn an_echo() -> Facts {
        let found = TargetFacts {
            text: Response::Echo,
            binary: Response::Echo,
            pongs: true,
            deflate: Some("permessage-deflate".to_owned()),
            takes: Some(1 << 22),
            ..TargetFacts::default()
        };
        Facts { agent: Some("echo \"1\"\n[gate]".to_owned()), found, ..Facts::default() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let url = "ws://127.0.0.1:{port}/a?b=\"c\"";
        let all = [
            url,
            "--spawn",
            "./server --port {port}",
            "--header",
            "A: \"b\"",
            "--subprotocol",
            "chat",
            "--origin",
            "https://a.example",
            "--host",
            "b.example",
            "--resolve",
            "a:80:127.0.0.1",
            "--insecure",
            "--prelude",
            "login.toml",
        ];
        for words in [&all[..], &["ws://h/"], &[]] {
            let found = an_echo();
            let text = written(words, (!words.is_empty()).then_some(&found));
            let config = config::read_text(&text).unwrap_or_else(|problems| panic!("{text}\n{problems}"));
            assert_eq!(config.servers.len(), usize::from(!words.is_empty()));
            assert_eq!(config.output.dir, Some(PathBuf::from("wsgrade-report")));
        }
    }

    /// What is offered in comments is right once the `#` is gone.
    #[test]
    fn what_stands_in_comments_could_be_read() {
        let all: String = written(&[], None)
            .lines()
            .filter(|line| !line.starts_with("# "))
            .map(|line| format!("{}\n", line.strip_prefix('#').unwrap_or(line)))
            .collect();
        let config = config::read_text(&all).unwrap_or_else(|problems| panic!("{all}\n{problems}"));
        assert_eq!((config.servers.len(), config.clients.len(), config.expectations.len()), (1, 1, 1));
    }

    #[test]
    fn a_server_by_its_url() {
        let text = written(&["ws://127.0.0.1:9001/"], Some(&an_echo()));
        let text = text.replace(&today().to_string(), "2026-11-30");
        let target = text.split("\n\n").nth(1).expect("behind the first comment");
        insta::assert_snapshot!(target, @r#"
        [[target]]
        name = "echo \"1\"?[gate]"
        url = "ws://127.0.0.1:9001/"
        # What it did on 2026-11-30: text comes back; binary comes back; pings are answered; it agreed to permessage-deflate; it takes messages of 4194304 bytes.
        # Where it no longer does these, no case is played and the gate is not met:
        has = ["echo", "deflate"]
        #without = ["deflate"]    # what is passed over, whether it does it or not: echo, deflate
        #headers = ["Authorization: Bearer ${TOKEN}"]   # TOKEN is taken from the environment
        #subprotocols = ["chat"]
        #prelude = "login.toml"   # steps before those of every case
        "#);
    }
}
