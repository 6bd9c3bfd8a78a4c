//! Every way in which a `wsgrade.toml` can be wrong, with what is said of it; and what is read of one that is right.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};
use wsgrade_cases::form::{self, Node, Problems, Value};
use wsgrade_reports::gate::FailOn;
use wsgrade_reports::grade::Grade;
use wsgrade_reports::record::{Behavior, CloseVerdict};
use wsgrade_reports::render::Format;

use super::*;

/// What is said of a file.
fn said(text: &str) -> String {
    match read_text(text) {
        Ok(config) => panic!("nothing is wrong with {text:?}: {config:?}"),
        Err(said) => said,
    }
}

const WHOLE: &str = r#"
[[target]]
name = "chat"
spawn = "./chat --port {port}"
url = "ws://127.0.0.1:{port}/chat"
spawn-timeout = "30s"
headers = ["Authorization: Bearer ${TOKEN}", "X: a"]
subprotocols = ["chat", "echo"]
origin = "https://${SITE}"
host = "chat.example"
resolve = ["chat.example:80:127.0.0.1"]
insecure = true
prelude = "login.toml"
has = ["echo"]
without = ["deflate"]

[[target]]
name = "bot"
role = "client"
spawn = "./bot {url} {agent}"
listen = "127.0.0.1:0"
cert = "cert.pem"
key = "key.pem"

[selection]
cases = ["1.*", "H.*"]
exclude = "9.*"
files = "own"
depth = 25

[limits]
timeout = "1s"
close-timeout = "500ms"
connect-timeout = "2s"
jobs = 3
memory = "64M"
max-connections = 8
rate = 100
stress = true
seed = 7

[gate]
fail-on = "non-strict"
min-grade = "B"
baseline = "base.txt"
stale-expectations = "warn"

[output]
dir = "out"
formats = ["json", "sarif"]

[[expect]]
cases = ["6.4.*", "7.1.5"]
behavior = "non-strict"
close = "dropped"
reason = "a reason"
until = 2027-03-01
target = "ch*"
"#;

#[test]
fn all_that_may_stand_in_it() {
    let environment = |name: &str| match name {
        "TOKEN" => Some("secret".to_owned()),
        "SITE" => Some("a.example".to_owned()),
        _ => None,
    };
    let config = read::read(FILE, WHOLE, Path::new("ci"), &environment).expect("it is right");
    let [server] = &config.servers[..] else { panic!("one server: {config:?}") };
    assert_eq!(server.name, "chat");
    assert_eq!(server.url.as_ref().map(Address::text), Some("ws://127.0.0.1:{port}/chat"));
    assert_eq!(server.spawn.as_deref(), Some("./chat --port {port}"));
    assert_eq!(server.spawn_timeout, Some(Duration::from_secs(30)));
    let headers: Vec<_> =
        server.request.headers.iter().map(|header| (header.name.as_str(), header.value.as_str())).collect();
    assert_eq!(headers, [("Authorization", "Bearer secret"), ("X", "a")]);
    let shown: Vec<_> = server.request.headers.iter().map(|header| header.shown.as_deref()).collect();
    assert_eq!(shown, [Some("Bearer ******"), None]);
    assert_eq!(server.request.subprotocols, ["chat", "echo"]);
    assert_eq!(server.request.origin.as_deref(), Some("https://a.example"));
    assert_eq!(server.request.host.as_deref(), Some("chat.example"));
    assert_eq!(server.request.resolve.len(), 1);
    assert!(server.request.insecure);
    assert_eq!(server.prelude.as_deref(), Some(Path::new("ci/login.toml")));
    assert_eq!((&server.has[..], &server.without[..]), (&[Capability::Echo][..], &[Capability::Deflate][..]));

    let [client] = &config.clients[..] else { panic!("one client: {config:?}") };
    assert_eq!((client.name.as_str(), client.spawn.as_deref()), ("bot", Some("./bot {url} {agent}")));
    assert_eq!(client.listen, "127.0.0.1:0".parse().ok());
    assert_eq!(client.cert.as_deref(), Some(Path::new("ci/cert.pem")));
    assert_eq!(client.key.as_deref(), Some(Path::new("ci/key.pem")));

    assert_eq!(config.selection.cases, ["1.*", "H.*"]);
    assert_eq!(config.selection.exclude, ["9.*"]);
    assert_eq!(config.selection.files.as_deref(), Some(Path::new("ci/own")));
    assert_eq!(config.selection.depth, Some(Depth::Messages(25)));

    let limits = &config.limits;
    let times = [limits.timeout, limits.close_timeout, limits.connect_timeout];
    assert_eq!(times, [1000, 500, 2000].map(|ms| Some(Duration::from_millis(ms))));
    assert_eq!((limits.jobs, limits.memory), (Some(3), Some(64 << 20)));
    assert_eq!((limits.max_connections, limits.rate), (Some(8), Some(100)));
    assert_eq!((limits.stress, limits.seed), (true, Some(7)));

    assert_eq!((config.gate.fail_on, config.gate.min_grade), (Some(FailOn::NonStrict), Some(Grade::B)));
    assert_eq!(config.gate.baseline.as_deref(), Some(Path::new("ci/base.txt")));
    assert_eq!(config.gate.stale, Stale::Warn);
    assert_eq!(config.output.dir.as_deref(), Some(Path::new("ci/out")));
    assert_eq!(config.output.formats, Some(vec![Format::Json, Format::Sarif]));

    let [expectation] = &config.expectations[..] else { panic!("one expectation: {config:?}") };
    assert_eq!(expectation.cases(), ["6.4.*", "7.1.5"]);
    assert_eq!(
        (expectation.behavior(), expectation.close()),
        (Behavior::NonStrict, Some(CloseVerdict::Dropped))
    );
    assert_eq!((expectation.reason(), expectation.target()), ("a reason", Some("ch*")));
    assert_eq!(expectation.last_day().map(|day| day.to_string()).as_deref(), Some("2027-03-01"));
}

#[test]
fn an_empty_file_says_nothing() {
    let config = read_text("").expect("nothing is wrong");
    assert!(config.servers.is_empty() && config.clients.is_empty() && config.expectations.is_empty());
    assert_eq!(config.gate.stale, Stale::Fail);
    assert!(!config.limits.stress);
}

#[test]
fn a_depth_by_its_word() {
    let depth = |text: &str| read_text(&format!("selection.depth = {text}")).expect(text).selection.depth;
    assert_eq!(depth("\"full\""), Some(Depth::Full));
    assert_eq!(depth("\"default\""), Some(Depth::Default));
    assert_eq!(depth("\"12\""), Some(Depth::Messages(12)));
}

#[test]
fn keys_that_are_none() {
    insta::assert_snapshot!(said("[selections]\ncases = []"), @"
    wsgrade.toml:1:2: unknown key `selections` in wsgrade.toml
      help: did you mean `selection`?
    ");
    insta::assert_snapshot!(said("frobnicate = 1"), @"
    wsgrade.toml:1:1: unknown key `frobnicate` in wsgrade.toml
      help: it may have `target`, `selection`, `expect`, `gate`, `output` and `limits`
    ");
    insta::assert_snapshot!(said("[selection]\ncase = []"), @"
    wsgrade.toml:2:1: unknown key `case` in [selection]
      help: did you mean `cases`?
    ");
    insta::assert_snapshot!(said("[limits]\ntime-out = \"1s\""), @"
    wsgrade.toml:2:1: unknown key `time-out` in [limits]
      help: did you mean `timeout`?
    ");
    insta::assert_snapshot!(said("[gate]\nfail_on = \"fail\""), @"
    wsgrade.toml:2:1: unknown key `fail_on` in [gate]
      help: did you mean `fail-on`?
    ");
    insta::assert_snapshot!(said("[output]\nformat = [\"json\"]"), @"
    wsgrade.toml:2:1: unknown key `format` in [output]
      help: did you mean `formats`?
    ");
    insta::assert_snapshot!(said("[[target]]\nname = \"a\"\nurl = \"ws://a/\"\nheader = \"A: b\""), @"
    wsgrade.toml:4:1: unknown key `header` in a server
      help: did you mean `headers`?
    ");
    insta::assert_snapshot!(said("[[target]]\nname = \"a\"\nrole = \"client\"\nurl = \"ws://a/\""), @"
    wsgrade.toml:4:1: unknown key `url` in a client
      help: it may have `name`, `role`, `spawn`, `listen`, `cert` and `key`
    ");
    insta::assert_snapshot!(
        said("[[expect]]\ncases = \"1.1\"\nbehaviour = \"fail\"\nbehavior = \"fail\"\nreason = \"x\""),
        @"
    wsgrade.toml:3:1: unknown key `behaviour` in an expectation
      help: did you mean `behavior`?
    "
    );
}

#[test]
fn what_is_no_toml() {
    insta::assert_snapshot!(said("[gate\n"), @"wsgrade.toml:1:6: not TOML: unclosed table, expected `]`");
    insta::assert_snapshot!(said("[gate]\nfail-on = fail"), @"wsgrade.toml:2:11: not TOML: invalid boolean, expected `false`");
    insta::assert_snapshot!(said("[gate]\nfail-on = \"fail\"\nfail-on = \"fail\""), @"wsgrade.toml:3:1: not TOML: duplicate key");
}

#[test]
fn values_of_another_kind() {
    insta::assert_snapshot!(said("target = 1"), @"wsgrade.toml:1:10: `target` is a number, expected a list");
    insta::assert_snapshot!(said("[target]\nname = \"a\""), @"wsgrade.toml:1:1: one `target` in brackets, expected two: [[target]]");
    insta::assert_snapshot!(said("[expect]\ncases = \"1.1\""), @"wsgrade.toml:1:1: one `expect` in brackets, expected two: [[expect]]");
    insta::assert_snapshot!(said("selection = \"1.*\""), @"wsgrade.toml:1:13: [selection] is expected to be a table, not a string");
    insta::assert_snapshot!(said("selection.cases = 1.1"), @"wsgrade.toml:1:19: `cases` is a fraction, expected a list");
    insta::assert_snapshot!(said("selection.cases = [\"1.1\", 2]"), @"wsgrade.toml:1:27: `cases` is a number, expected a string");
    insta::assert_snapshot!(said("selection.files = \"\""), @"wsgrade.toml:1:19: `files` is empty, expected a path");
    insta::assert_snapshot!(said("selection.depth = 0"), @r#"wsgrade.toml:1:19: `depth` is "0": a depth is `default`, `full` or a number of messages from 1"#);
    insta::assert_snapshot!(said("selection.depth = \"deep\""), @r#"wsgrade.toml:1:19: `depth` is "deep": a depth is `default`, `full` or a number of messages from 1"#);
    insta::assert_snapshot!(said("selection.depth = true"), @"wsgrade.toml:1:19: `depth` is a boolean, expected a string");
    insta::assert_snapshot!(said("limits.timeout = 4"), @"wsgrade.toml:1:18: `timeout` is a number, expected a string");
    insta::assert_snapshot!(said("limits.timeout = \"4\""), @r#"wsgrade.toml:1:18: `timeout` is "4": time unit needed, for example 4sec or 4ms: a time is written 500ms, 4s or 1m"#);
    insta::assert_snapshot!(said("limits.timeout = \"2h\""), @r#"wsgrade.toml:1:18: `timeout` is "2h": it must be more than nothing and at most an hour: a time is written 500ms, 4s or 1m"#);
    insta::assert_snapshot!(said("limits.jobs = 0"), @"wsgrade.toml:1:15: `jobs` is 0, expected 1 to 1024");
    insta::assert_snapshot!(said("limits.jobs = \"many\""), @"wsgrade.toml:1:15: `jobs` is a string, expected a number");
    insta::assert_snapshot!(said("limits.memory = \"1T\""), @r#"wsgrade.toml:1:17: `memory` is "1T": a size is written 512M, 2G or in bytes"#);
    insta::assert_snapshot!(said("limits.max-connections = 1"), @"wsgrade.toml:1:26: `max-connections` is 1, expected 4 to 65535");
    insta::assert_snapshot!(said("limits.rate = 70000"), @"wsgrade.toml:1:15: `rate` is 70000, expected 1 to 65535");
    insta::assert_snapshot!(said("limits.stress = \"yes\""), @"wsgrade.toml:1:17: `stress` is a string, expected true or false");
    insta::assert_snapshot!(said("limits.seed = -1"), @"wsgrade.toml:1:15: `seed` is -1, expected 0 to 9223372036854775807");
    insta::assert_snapshot!(said("gate.fail-on = \"nonstrict\""), @r#"
    wsgrade.toml:1:16: `fail-on` is "nonstrict", expected `fail`, `non-strict` or `regression`
      help: did you mean "non-strict"?
    "#);
    insta::assert_snapshot!(said("gate.min-grade = \"E\""), @r#"wsgrade.toml:1:18: `min-grade` is "E", expected `A+`, `A`, `B`, `C`, `D` or `F`"#);
    insta::assert_snapshot!(said("gate.stale-expectations = \"ignore\""), @r#"wsgrade.toml:1:27: `stale-expectations` is "ignore", expected `fail` or `warn`"#);
    insta::assert_snapshot!(said("output.formats = []"), @"wsgrade.toml:1:18: `formats` is empty, so there would be no report");
    insta::assert_snapshot!(said("output.formats = [\"json\", \"xml\"]"), @r#"wsgrade.toml:1:27: `formats` is "xml", expected `json`, `html`, `junit`, `sarif`, `markdown`, `csv`, `tap`, `badge`, `github-annotations` or `gitlab-codequality`"#);
    insta::assert_snapshot!(said("output.dir = 1"), @"wsgrade.toml:1:14: `dir` is a number, expected a string");
}

#[test]
fn targets_that_cannot_be_tested() {
    let server = |rest: &str| said(&format!("[[target]]\nname = \"a\"\n{rest}"));
    insta::assert_snapshot!(said("[[target]]\nurl = \"ws://a/\""), @"wsgrade.toml:1:1: a server without `name`");
    insta::assert_snapshot!(said("[[target]]\nname = \" \"\nurl = \"ws://a/\""), @"wsgrade.toml:2:8: `name` is not one line of text");
    insta::assert_snapshot!(said("[[target]]\nname = \"a\\nb\"\nurl = \"ws://a/\""), @"wsgrade.toml:2:8: `name` is not one line of text");
    insta::assert_snapshot!(server("url = \"ws://a/\"\n[[target]]\nname = \"a\"\nrole = \"client\""), @"wsgrade.toml:5:8: there is another target `a`");
    insta::assert_snapshot!(server(""), @r#"
    wsgrade.toml:1:1: a server with neither `url` nor `spawn`
      help: url = "ws://…" for a server that runs, spawn = "./server --port {port}" to have it started
    "#);
    insta::assert_snapshot!(server("role = \"proxy\"\nurl = \"ws://a/\""), @r#"wsgrade.toml:3:8: `role` is "proxy", expected `server` or `client`"#);
    insta::assert_snapshot!(server("url = \"http://a/\""), @r#"wsgrade.toml:3:7: `url` is "http://a/": the address must begin with ws:// or wss://"#);
    insta::assert_snapshot!(server("url = \"ws://a:{port}/\""), @"wsgrade.toml:3:7: `url` has {port}, which is only known with `spawn`");
    insta::assert_snapshot!(server("url = \"ws://a/\"\nspawn-timeout = \"1s\""), @"wsgrade.toml:4:17: `spawn-timeout` without `spawn`");
    insta::assert_snapshot!(server("url = \"ws://a/\"\nheaders = [\"Authorization\"]"), @r#"wsgrade.toml:4:12: `headers` is "Authorization": a header is written `Name: value`"#);
    insta::assert_snapshot!(server("url = \"ws://a/\"\nheaders = [\"A: ${TOKEN}\"]"), @r#"
    wsgrade.toml:4:12: the environment has no "TOKEN"
      help: set it before wsgrade is started, as in TOKEN=… wsgrade test
    "#);
    insta::assert_snapshot!(server("url = \"ws://a/\"\nheaders = [\"A: ${TOKEN\"]"), @"
    wsgrade.toml:4:12: `${` without `}`
      help: a variable of the environment is written ${NAME}
    ");
    insta::assert_snapshot!(server("url = \"ws://a/\"\norigin = \"${SITE}\""), @r#"
    wsgrade.toml:4:10: the environment has no "SITE"
      help: set it before wsgrade is started, as in SITE=… wsgrade test
    "#);
    insta::assert_snapshot!(server("url = \"ws://a/\"\nresolve = [\"a:80\"]"), @r#"wsgrade.toml:4:12: `resolve` is "a:80": an address is given as `HOST:PORT:ADDRESS`, such as `example.com:80:127.0.0.1`"#);
    insta::assert_snapshot!(server("url = \"ws://a/\"\nhas = [\"compression\"]"), @r#"wsgrade.toml:4:8: `has` is "compression", expected `echo` or `deflate`"#);
    insta::assert_snapshot!(server("url = \"ws://a/\"\nhas = \"echo\""), @"wsgrade.toml:4:7: `has` is a string, expected a list");
    insta::assert_snapshot!(server("url = \"ws://a/\"\nhas = [\"echo\"]\nwithout = [\"echo\"]"), @r#"wsgrade.toml:5:11: `has` and `without` both name "echo""#);
    insta::assert_snapshot!(server("role = \"client\"\nlisten = \"9001\""), @r#"wsgrade.toml:4:10: `listen` is "9001": expected an address and a port, such as 127.0.0.1:9001"#);
    insta::assert_snapshot!(server("role = \"client\"\ncert = \"a.pem\""), @"wsgrade.toml:4:8: `cert` without `key`");
    insta::assert_snapshot!(server("role = \"client\"\nkey = \"a.pem\""), @"wsgrade.toml:4:7: `key` without `cert`");
}

#[cfg(feature = "tls")]
#[test]
fn certificates_that_cannot_be_read() {
    let server = |rest: &str| said(&format!("[[target]]\nname = \"a\"\nurl = \"wss://a/\"\n{rest}"));
    insta::assert_snapshot!(server("ca = [\"no/such.pem\"]"), @r#"wsgrade.toml:4:7: `ca` is "no/such.pem": cannot read no/such.pem: there is no such file"#);
    insta::assert_snapshot!(server("ca = []\ninsecure = true"), @"wsgrade.toml:1:1: `insecure` takes any certificate, so `ca` says nothing");
}

#[test]
fn expectations_that_are_none() {
    let expect = |rest: &str| said(&format!("[[expect]]\n{rest}"));
    insta::assert_snapshot!(expect(""), @"
    wsgrade.toml:1:1: an expectation without `cases`
    wsgrade.toml:1:1: an expectation without `behavior`
    wsgrade.toml:1:1: an expectation without `reason`
      help: say in a sentence why this deviation is put up with, and where that is tracked
    ");
    insta::assert_snapshot!(expect("cases = \"1.1\"\nbehavior = \"fail\""), @"
    wsgrade.toml:1:1: an expectation without `reason`
      help: say in a sentence why this deviation is put up with, and where that is tracked
    ");
    insta::assert_snapshot!(expect("cases = \"1.1\"\nbehavior = \"fail\"\nreason = \"\""), @"wsgrade.toml:4:10: an expectation wants a reason: say in a sentence why this deviation is put up with");
    insta::assert_snapshot!(expect("cases = \"1.1\"\nbehavior = \"fail\"\nreason = \" \""), @"wsgrade.toml:4:10: an expectation wants a reason: say in a sentence why this deviation is put up with");
    insta::assert_snapshot!(expect("cases = []\nbehavior = \"fail\"\nreason = \"x\""), @"wsgrade.toml:2:9: an expectation has to name cases, such as `6.4.1` or `6.4.*`");
    insta::assert_snapshot!(expect("cases = \"\"\nbehavior = \"fail\"\nreason = \"x\""), @"wsgrade.toml:2:9: an expectation has to name cases, such as `6.4.1` or `6.4.*`");
    insta::assert_snapshot!(expect("cases = \"1.1\"\nbehavior = \"nonstrict\"\nreason = \"x\""), @r#"
    wsgrade.toml:3:12: `behavior` is "nonstrict", expected `pass`, `informational`, `unimplemented`, `non-strict`, `fail` or `inconclusive`
      help: did you mean "non-strict"?
    "#);
    insta::assert_snapshot!(expect("cases = \"1.1\"\nbehavior = \"pass\"\nreason = \"x\""), @"wsgrade.toml:3:12: `pass` is no deviation: delete the entry, or say by `close` how the connection ends against the rules");
    insta::assert_snapshot!(expect("cases = \"1.1\"\nbehavior = \"inconclusive\"\nreason = \"x\""), @"wsgrade.toml:3:12: `inconclusive` says nothing of the target, so nobody can expect it");
    insta::assert_snapshot!(
        expect("cases = \"1.1\"\nbehavior = \"fail\"\nclose = \"uncleen\"\nreason = \"x\""),
        @r#"
    wsgrade.toml:4:9: `close` is "uncleen", expected `pass`, `informational`, `dropped`, `wrong-code`, `unclean`, `wrong-side`, `failed-by-peer` or `inconclusive`
      help: did you mean "unclean"?
    "#
    );
    insta::assert_snapshot!(
        expect("cases = \"1.1\"\nbehavior = \"fail\"\nreason = \"x\"\nuntil = \"soon\""),
        @"wsgrade.toml:5:9: `soon` is no day: write it as year, month and day, such as 2027-03-01"
    );
    insta::assert_snapshot!(expect("cases = \"1.1\"\nbehavior = \"fail\"\nreason = \"x\"\nuntil = 2027"), @"wsgrade.toml:5:9: `until` is no day: write it as year, month and day, such as 2027-03-01");
    insta::assert_snapshot!(
        expect("cases = \"1.1\"\nbehavior = \"fail\"\nreason = \"x\"\nuntil = 2027-03-01T12:00:00Z"),
        @"wsgrade.toml:5:9: `2027-03-01T12:00:00Z` is no day: write it as year, month and day, such as 2027-03-01"
    );
    insta::assert_snapshot!(
        expect("cases = \"1.1\"\nbehavior = \"fail\"\nreason = \"x\"\nuntil = \"2027-02-30\""),
        @"wsgrade.toml:5:9: `2027-02-30` is no day: write it as year, month and day, such as 2027-03-01"
    );
    insta::assert_snapshot!(expect("cases = \"1.1\"\nbehavior = \"fail\"\nreason = \"x\"\ntarget = 1"), @"wsgrade.toml:5:10: `target` is a number, expected a string");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    insta::assert_snapshot!(said("[gates]\n[[target]]\nurl = \"x\"\n[[expect]]\ncases = \"1.1\""), @r#"
    wsgrade.toml:1:2: unknown key `gates` in wsgrade.toml
      help: did you mean `gate`?
    wsgrade.toml:2:1: a server without `name`
    wsgrade.toml:3:7: `url` is "x": the address must begin with ws:// or wss://
    wsgrade.toml:4:1: an expectation without `behavior`
    wsgrade.toml:4:1: an expectation without `reason`
      help: say in a sentence why this deviation is put up with, and where that is tracked
    "#);
}

/// Whatever is in the file, there is a place in it for each complaint.
#[test]
fn any_text_is_read_or_has_problems() {
    fn one(text: String) -> bool {
        let lines = text.split('\n').count();
        match read::read(FILE, &text, Path::new(""), &|_| None) {
            Ok(_) => true,
            Err(problems) => {
                !problems.is_empty()
                    && problems.iter().all(|problem| (1..=lines).contains(&problem.place.line))
            }
        }
    }
    quickcheck::quickcheck(one as fn(String) -> bool);
    // Of a right one, all that it is without some of its characters.
    for at in WHOLE.char_indices().map(|(at, _)| at) {
        assert!(one(WHOLE[..at].to_owned()), "{at}");
        assert!(one(format!("{}{}", &WHOLE[..at], &WHOLE[at + 1..])), "{at}");
    }
}

/// The schema allows what is read, and says no to the slips that an editor can know.
#[test]
fn the_schema_says_the_same() {
    let schema: Json = serde_json::from_str(SCHEMA).expect("it is JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("it is a schema");
    assert_eq!(schema.validate(&as_json(WHOLE)).map_err(|error| error.to_string()), Ok(()));
    assert!(schema.is_valid(&json!({})));
    for wrong in [
        "[selections]",
        "[selection]\ncase = []",
        "limits.jobs = 0",
        "limits.timeout = 4",
        "gate.fail-on = \"nonstrict\"",
        "gate.min-grade = \"E\"",
        "output.formats = []",
        "[[target]]\nname = \"a\"",
        "[[target]]\nurl = \"ws://a/\"",
        "[[target]]\nname = \"a\"\nrole = \"client\"\nurl = \"ws://a/\"",
        "[[target]]\nname = \"a\"\nrole = \"client\"\ncert = \"a.pem\"",
        "[[target]]\nname = \"a\"\nurl = \"ws://a/\"\nhas = [\"compression\"]",
        "[[expect]]\ncases = \"1.1\"\nbehavior = \"fail\"",
        "[[expect]]\ncases = \"1.1\"\nbehavior = \"fail\"\nreason = \"\"",
        "[[expect]]\ncases = \"1.1\"\nbehavior = \"fail\"\nreason = \"x\"\nuntil = \"soon\"",
    ] {
        assert!(read_text(wrong).is_err(), "{wrong:?} is wrong");
        assert!(!schema.is_valid(&as_json(wrong)), "{wrong:?} is not taken by the schema");
    }
}

/// What is a word in the code is one in the schema, and the other way round.
#[test]
fn the_schema_knows_the_same_words() {
    let schema: Json = serde_json::from_str(SCHEMA).expect("it is JSON");
    let words = |pointer: &str| -> BTreeSet<String> {
        let list = schema.pointer(pointer).and_then(Json::as_array).unwrap_or_else(|| panic!("{pointer}"));
        list.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
    };
    let known = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    let expect = "/properties/expect/items/properties";
    let judged = |word: &&str| *word != "inconclusive";
    let behaviors: Vec<_> = Behavior::ALL.iter().map(|word| word.as_str()).filter(judged).collect();
    assert_eq!(words(&format!("{expect}/behavior/enum")), known(&behaviors));
    let closes: Vec<_> = CloseVerdict::ALL.iter().map(|word| word.as_str()).filter(judged).collect();
    assert_eq!(words(&format!("{expect}/close/enum")), known(&closes));
    let gate = "/properties/gate/properties";
    assert_eq!(words(&format!("{gate}/fail-on/enum")), known(&FailOn::ALL.map(FailOn::as_str)));
    assert_eq!(words(&format!("{gate}/min-grade/enum")), known(&Grade::ALL.map(Grade::as_str)));
    let formats = "/properties/output/properties/formats/items/enum";
    assert_eq!(words(formats), known(&Format::ALL.map(Format::as_str)));
    assert_eq!(words("/$defs/capabilities/items/enum"), known(&Capability::ALL.map(Capability::as_str)));
}

/// A file as an editor hands it to a schema.
fn as_json(text: &str) -> Json {
    fn of(node: &Node) -> Json {
        match &node.value {
            Value::Text(text) | Value::Date(text) => json!(text),
            Value::Integer(number) => json!(number),
            Value::Bool(yes) => json!(yes),
            Value::Array(items) => items.iter().map(of).collect(),
            Value::Table(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.clone(), of(&entry.node))).collect())
            }
            Value::Fraction => json!(0.5),
        }
    }
    let mut problems = Problems::new(FILE, text);
    of(&form::parse(&mut problems, text))
}
