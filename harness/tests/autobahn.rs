//! `wsgrade autobahn` as whoever used `wstest` meets it: spec files in the shapes of the field, and the scripts that read
//! the reports.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tokio::runtime::Runtime;
use wsgrade_reference_server::client::{ClientConfig, Received, connect};
use wsgrade_reference_server::codec::endpoint::Message;
use wsgrade_reference_server::{Config, ConnectionCaps, Server, ServerHandle};

/// A server to grade, for as long as this lives.
struct Target {
    handle: ServerHandle,
    runtime: Runtime,
}

impl Target {
    fn start(config: Config) -> Self {
        let runtime = Runtime::new().unwrap();
        let handle = runtime.block_on(async { Server::bind(config).unwrap().spawn() });
        Self { handle, runtime }
    }

    fn strict() -> Self {
        Self::start(Config { server_name: Some("strict/1".to_owned()), ..Config::default() })
    }

    /// Loses a byte of messages of one length.
    fn defective() -> Self {
        let handler = |message: Message| match message.payload().len() {
            126 => Some(Message::text("x".repeat(125))),
            _ => Some(message),
        };
        Self::start(Config { handler: Arc::new(handler), ..Config::default() })
    }

    fn url(&self) -> String {
        self.handle.url()
    }
}

/// A folder for a spec file and its reports.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    /// A spec file of the tests' folder, with these words in place of those marked in it.
    fn spec(&self, name: &str, words: &[(&str, String)]) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/autobahn").join(name);
        let mut text = std::fs::read_to_string(path).unwrap();
        let out = self.out().display().to_string().replace('\\', "\\\\");
        text = text.replace("__OUT__", &out);
        for (mark, word) in words {
            text = text.replace(mark, word);
        }
        self.write(name, &text)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(&self, mode: &str, args: &[&str]) -> Output {
        self.command(mode, args).output().expect("the binary of this package starts")
    }

    fn command(&self, mode: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
        command.args(["autobahn", "-m", mode]).args(args).current_dir(self.dir.path()).env("NO_COLOR", "1");
        command.stdin(Stdio::null());
        command
    }

    /// A mode that serves, and what it said on its first line.
    fn serve(&self, mode: &str, args: &[&str]) -> (Served, String) {
        let child = self.command(mode, args).stdout(Stdio::piped()).spawn().unwrap();
        let mut served = Served { child, stdout: None };
        let mut stdout = BufReader::new(served.child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        served.stdout = Some(stdout);
        (served, line)
    }

    fn index(&self) -> Index {
        let text = std::fs::read_to_string(self.out().join("index.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// A process that ends with this.
struct Served {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
}

impl Served {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line
    }

    fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `index.json`.
type Index = BTreeMap<String, BTreeMap<String, Value>>;

fn ids(index: &Index, agent: &str) -> Vec<String> {
    let mut ids: Vec<_> = index[agent].keys().cloned().collect();
    ids.sort_by_key(|id| id.split('.').map(|part| part.parse::<u32>().unwrap()).collect::<Vec<_>>());
    ids
}

/// What most scripts do: every word of a list of good ones, and at least one case.
fn accepts(index: &Index, key: &str, good: &[&str]) -> bool {
    let words = || index.values().flat_map(BTreeMap::values).map(|case| case[key].as_str().unwrap());
    words().count() > 0 && words().all(|word| good.contains(&word))
}

/// What `jq 'del(.. | .duration?)'` leaves.
fn without_durations(index: &Index) -> Index {
    let mut index = index.clone();
    for case in index.values_mut().flat_map(BTreeMap::values_mut) {
        case.as_object_mut().unwrap().remove("duration");
    }
    index
}

/// What `grep -l case_failed *.html` finds.
fn html_with_failures(dir: &Path) -> BTreeSet<PathBuf> {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("case_failed"))
        .collect()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

const GOOD: [&str; 3] = ["OK", "INFORMATIONAL", "NON-STRICT"];

/// Grades a strict server by a spec file; gives what was said and the index.
fn grade(spec: &str) -> (String, Index) {
    let (target, bench) = (Target::strict(), Bench::new());
    let spec = bench.spec(spec, &[("__URL__", target.url())]);
    let output = bench.run("fuzzingclient", &["-s", &spec]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let index = bench.index();
    assert!(accepts(&index, "behavior", &GOOD), "{index:?}");
    assert!(accepts(&index, "behaviorClose", &GOOD), "{index:?}");
    assert!(accepts(&index, "behavior", &["OK", "INFORMATIONAL", "UNIMPLEMENTED"]), "{index:?}");
    assert_eq!(html_with_failures(&bench.out()), BTreeSet::new());
    (said(&output), index)
}

#[test]
fn a_plain_file() {
    let (said, index) = grade("plain-client.json");
    assert_eq!(ids(&index, "Plain Server").len(), 16 + 11 + 7);
    assert!(said.contains("no case matches `11.*` in `cases`\n"), "{said}");
    let case = &index["Plain Server"]["1.1.1"];
    assert!(case["duration"].is_u64() && case["remoteCloseCode"] == 1000, "{case}");
    assert_eq!(case["reportfile"], "plain_server_case_1_1_1.json");
    assert!(said.contains("Plain Server: 34 cases: "), "{said}");
}

#[test]
fn the_old_templates_shape_with_a_byte_order_mark() {
    let (said, index) = grade("template-client.json");
    assert_eq!(ids(&index, "AutobahnPython"), ["4.1.1", "7.1.1", "7.1.2", "7.1.3", "7.1.4", "7.1.5"]);
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn several_servers_and_what_is_not_for_each() {
    let (said, index) = grade("many-servers.json");
    let agents: Vec<_> = index.keys().map(String::as_str).collect();
    assert_eq!(agents, ["driver cruby-2.2.2", "driver jruby-1.9 puma", "driver node-v0.10.38"]);
    assert_eq!(ids(&index, "driver cruby-2.2.2"), ["6.4.1"]);
    assert_eq!(ids(&index, "driver jruby-1.9 puma").len(), 8);
    assert_eq!(ids(&index, "driver node-v0.10.38").len(), 9);
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn a_server_without_a_name_is_called_by_its_header() {
    let (said, index) = grade("no-agent.json");
    assert_eq!(ids(&index, "strict/1"), ["2.10", "2.11"]);
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn odd_keys_are_told_of_and_do_no_harm() {
    let (said, index) = grade("with-odd-keys.json");
    assert_eq!(ids(&index, "odd"), ["5.1"]);
    for line in [
        "with-odd-keys.json: `enable-ssl` is ignored: whether there is TLS is said by the URL: wss://",
        "with-odd-keys.json: `exclude_cases` is not known and ignored; did you mean `exclude-cases`?",
        "with-odd-keys.json: `server` is not known and ignored; did you mean `servers`?",
        "with-odd-keys.json: `servers[0].agnet` is not known and ignored; did you mean `agent`?",
        "no case matches `6.4.111` in `cases`; did you mean `6.4.1`?",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
}

/// The whole index but for the durations is as it was stored: what the old tool said of npm ws, which does here what
/// the reference server does.
#[test]
fn an_index_as_a_project_stores_it() {
    let (_, index) = grade("ci-client.json");
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/autobahn/ci-expected.json");
    let stored: Index = serde_json::from_str(&std::fs::read_to_string(stored).unwrap()).unwrap();
    let seen = without_durations(&index);
    assert!(seen == stored, "{}", serde_json::to_string_pretty(&seen).unwrap());
}

#[test]
fn a_url_needs_no_file() {
    let (target, bench) = (Target::start(Config::default()), Bench::new());
    let output =
        bench.run("fuzzingclient", &["-w", &target.url(), "-o", "reports", "--jobs", "1", "-d", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    let spec = bench.write("s.json", r#"{"cases": ["1.1.1"]}"#);
    let output =
        bench.run("fuzzingclient", &["-w", &target.url(), "-s", &spec, "-o", "reports", "--jobs", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let index = std::fs::read_to_string(bench.dir.path().join("reports/index.json")).unwrap();
    assert!(
        index.starts_with("{\n   \"UnknownServer\": {\n      \"1.1.1\": {\n         \"behavior\": \"OK\","),
        "{index}"
    );
}

#[test]
fn the_gate() {
    let (target, bench) = (Target::defective(), Bench::new());
    let text = format!(
        r#"{{"servers": [{{"agent": "bad", "url": "{}"}}], "cases": ["1.1.*"], "outdir": "out"}}"#,
        target.url()
    );
    let spec = bench.write("s.json", &text);
    let red = bench.run("fuzzingclient", &["-s", &spec, "--gate"]);
    assert_eq!(red.status.code(), Some(1), "{}", said(&red));
    assert!(said(&red).contains("bad: 8 cases: 1 FAILED, 7 OK\n  1.1.3: FAILED, close "), "{}", said(&red));
    let index = bench.index();
    assert_eq!(index["bad"]["1.1.3"]["behavior"], "FAILED");
    assert!(!accepts(&index, "behavior", &GOOD));
    let names = |bench: &Bench| -> Vec<String> {
        let pages = html_with_failures(&bench.out());
        pages.iter().map(|page| page.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names(&bench), ["bad_case_1_1_3.html", "index.html"]);
    // As the old tool did, which knew no gate.
    assert_eq!(bench.run("fuzzingclient", &["-s", &spec]).status.code(), Some(0));

    let bench = Bench::new();
    let spec = bench.write("s.json", &text.replace("1.1.*", "1.1.2"));
    assert_eq!(bench.run("fuzzingclient", &["-s", &spec, "--gate"]).status.code(), Some(0));
    assert!(bench.out().join("bad_case_1_1_2.html").exists() && bench.out().join("index.html").exists());
    assert_eq!(names(&bench), [""; 0]);
}

/// To the old tool every server is an echo, and one that is none fails.
#[test]
fn a_server_that_is_no_echo() {
    let (target, bench) =
        (Target::start(Config { handler: Arc::new(|_| None), ..Config::default() }), Bench::new());
    let text =
        r#"{"servers": [{"agent": "mute", "url": "URL"}], "cases": ["1.1.*", "3.1"], "outdir": "out"}"#;
    let spec = bench.write("s.json", &text.replace("URL", &target.url()));
    let output = bench.run("fuzzingclient", &["-s", &spec, "--gate"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("does not send messages back"), "{}", said(&output));
    let case = |id: &str| bench.index()["mute"][id]["behavior"].clone();
    assert_eq!((case("1.1.1"), case("3.1")), (Value::from("FAILED"), Value::from("OK")));
}

/// Of servers that are not there nothing is written, and no earlier report is left to be taken for this run's.
#[test]
fn a_server_that_is_not_there() {
    let (target, bench) = (Target::strict(), Bench::new());
    let gone = format!("ws://127.0.0.1:{}/", free_port());
    std::fs::create_dir(bench.out()).unwrap();
    std::fs::write(bench.out().join("index.json"), "{}").unwrap();
    let spec = bench.spec("plain-client.json", &[("__URL__", gone.clone())]);
    let output = bench.run("fuzzingclient", &["-s", &spec, "--gate"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("connection refused; is the server running there?"), "{}", said(&output));
    assert!(!bench.out().join("index.json").exists());

    let servers = format!(
        r#"{{"servers": [{{"agent": "gone", "url": "{gone}"}}, {{"agent": "here", "url": "{}"}}],
            "cases": ["1.1.1"], "outdir": "out"}}"#,
        target.url()
    );
    let spec = bench.write("two.json", &servers);
    assert_eq!(bench.run("fuzzingclient", &["-s", &spec]).status.code(), Some(3));
    assert_eq!(bench.index().keys().collect::<Vec<_>>(), ["here"]);
}

#[test]
fn what_cannot_be_done() {
    let bench = Bench::new();
    let url = format!("ws://127.0.0.1:{}/", free_port());
    let spec = |cases: &str| format!(r#"{{"servers": [{{"url": "{url}"}}], {cases}, "outdir": "out"}}"#);
    for (mode, text, word) in [
        ("fuzzingclient", spec(r#""cases": []"#), "no case is selected"),
        ("fuzzingclient", spec(r#""cases": ["F.*"]"#), "no case is selected"),
        ("fuzzingclient", spec(r#""exclude-cases": ["*"]"#), "no case is selected"),
        ("fuzzingclient", r#"{"cases": ["*"]}"#.to_owned(), "there is no server to grade"),
        ("fuzzingclient", r#"{"cases": ["*"],}"#.to_owned(), "s.json:1:17: this is not JSON: trailing comma"),
        ("fuzzingclient", spec(r#""cases": "*""#), "`cases` must be a list of texts, not the text \"*\""),
        ("fuzzingclient", r#"{"servers": [{"url": "http://h"}]}"#.to_owned(), "must begin with ws://"),
        ("fuzzingserver", r#"{"url": "wss://127.0.0.1:9001"}"#.to_owned(), "needs --key and --cert"),
        ("massconnect", "{}".to_owned(), "`servers` is missing"),
    ] {
        let spec = bench.write("s.json", &text);
        let output = bench.run(mode, &["-s", &spec]);
        assert_eq!(output.status.code(), Some(2), "{text}: {}", said(&output));
        assert!(said(&output).contains(word), "{word}\n{}", said(&output));
    }
    assert_eq!(bench.run("fuzzingclient", &["-s", "none.json"]).status.code(), Some(2));
    assert_eq!(bench.run("wampserver", &[]).status.code(), Some(2));
    assert_eq!(bench.run("echoserver", &["-k", "key.pem"]).status.code(), Some(2));
}

fn get(addr: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Connects to a call and gives the text that comes.
fn ask(runtime: &Runtime, url: &str) -> Option<String> {
    runtime.block_on(async {
        let mut connection = connect(url, ClientConfig::default()).await.unwrap();
        let mut said = None;
        while let Some(received) = connection.recv().await {
            if let Received::Message(message) = received {
                said = message.as_text().map(str::to_owned);
            }
        }
        said
    })
}

/// The one face against the other: a testee plays all, a second one some, and the reports are on the web port.
#[test]
fn a_fuzzing_server_and_its_testees() {
    let (bench, runtime) = (Bench::new(), Runtime::new().unwrap());
    let (port, webport) = (free_port(), free_port());
    let spec =
        bench.spec("server.json", &[("__PORT__", port.to_string()), ("__WEBPORT__", webport.to_string())]);
    let (mut server, line) = bench.serve("fuzzingserver", &["-s", &spec]);
    assert_eq!(line, format!("listening on ws://127.0.0.1:{port}/ with 17 cases\n"));
    assert_eq!(server.line(), format!("reports on http://127.0.0.1:{webport}/\n"));
    let url = format!("ws://127.0.0.1:{port}");
    let web = SocketAddr::from(([127, 0, 0, 1], webport));
    assert!(get(web, "/index.json").starts_with("HTTP/1.1 404 "));

    let testee = bench.run("testeeclient", &["-w", &url, "-i", "wsgrade testee"]);
    assert_eq!(testee.status.code(), Some(0), "{}", said(&testee));
    let index = bench.index();
    assert!(accepts(&index, "behavior", &GOOD) && accepts(&index, "behaviorClose", &GOOD), "{index:?}");
    let played = ids(&index, "wsgrade testee");
    assert_eq!((played.len(), played.contains(&"2.3".to_owned())), (16, false));
    assert!(get(web, "/index.json").contains("wsgrade testee"));

    assert_eq!(ask(&runtime, &format!("{url}/getCaseCount")).as_deref(), Some("17"));
    runtime.block_on(async {
        let refused = connect(&format!("{url}/runCase?case=1"), ClientConfig::default()).await;
        assert!(refused.err().unwrap().to_string().contains("500"));
        connect(&format!("{url}/runCase?case=1&agent=2nd"), ClientConfig::default())
            .await
            .unwrap()
            .echo()
            .await;
    });
    ask(&runtime, &format!("{url}/updateReports?agent=2nd"));
    assert_eq!(bench.index().keys().collect::<Vec<_>>(), ["2nd", "wsgrade testee"]);
    ask(&runtime, &format!("{url}/stopServer"));
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn a_fuzzing_server_that_stops_when_it_is_done() {
    let (bench, runtime) = (Bench::new(), Runtime::new().unwrap());
    let port = free_port();
    let spec = bench.spec("server-short.json", &[("__PORT__", port.to_string())]);
    let (mut server, line) = bench.serve("fuzzingserver", &["-s", &spec, "--gate"]);
    assert_eq!(line, format!("listening on ws://127.0.0.1:{port}/ with 1 cases\n"));
    let url = format!("ws://127.0.0.1:{port}");
    runtime.block_on(async {
        connect(&format!("{url}/runCase?casetuple=2.1&agent=a"), ClientConfig::default())
            .await
            .unwrap()
            .echo()
            .await;
    });
    ask(&runtime, &format!("{url}/updateReports?agent=a&shutdownOnComplete=true"));
    assert_eq!(server.exit_code(), Some(0));
    assert_eq!(ids(&bench.index(), "a"), ["2.1"]);

    let (mut server, _) = bench.serve("fuzzingserver", &["-s", &spec]);
    ask(&runtime, &format!("{url}/stopServer"));
    assert_eq!(server.exit_code(), Some(3), "nobody played anything");
    assert!(!bench.out().join("index.json").exists());
}

/// Without -c, drivers count the cases of Autobahn alone.
#[test]
fn listen_counts_the_cases_of_autobahn() {
    let (bench, runtime) = (Bench::new(), Runtime::new().unwrap());
    let listed = Command::new(env!("CARGO_BIN_EXE_wsgrade"))
        .args(["cases", "--role", "client", "--format", "json"])
        .output()
        .unwrap();
    let listed: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    let numbered = |case: &&Value| case["id"].as_str().unwrap().starts_with(|c: char| c.is_ascii_digit());
    let numbered = listed.iter().filter(numbered).count();
    assert!(numbered < listed.len());
    let areas: BTreeSet<_> =
        listed.iter().filter_map(|case| case["id"].as_str()?.split('.').next()).collect();
    let lettered: Vec<_> = areas
        .into_iter()
        .filter(|area| area.parse::<u8>().is_err())
        .flat_map(|area| ["-c".to_owned(), format!("{area}.*")])
        .collect();
    let lettered: Vec<_> = lettered.iter().map(String::as_str).collect();
    for (args, count) in
        [(&[][..], numbered), (&["-c", "*"], listed.len()), (&lettered[..], listed.len() - numbered)]
    {
        let child = Command::new(env!("CARGO_BIN_EXE_wsgrade"))
            .args(["listen", "127.0.0.1:0"])
            .args(args)
            .current_dir(bench.dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Served { child, stdout: None };
        server.stdout = server.child.stdout.take().map(BufReader::new);
        let line = server.line();
        let url = line.trim().trim_start_matches("listening on ").trim_end_matches('/');
        assert_eq!(ask(&runtime, &format!("{url}/getCaseCount")), Some(count.to_string()), "{args:?}");
    }
}

#[test]
fn echo_servers() {
    let (bench, runtime) = (Bench::new(), Runtime::new().unwrap());
    for mode in ["echoserver", "testeeserver"] {
        let url = format!("ws://127.0.0.1:{}/", free_port());
        let web = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let args = ["-w", &url, "-u", &web.port().to_string(), "--ident", "my server/2"];
        let (mut server, line) = bench.serve(mode, &args);
        assert_eq!(line, format!("listening on {url}\n"));
        runtime.block_on(async {
            let mut connection = connect(&url, ClientConfig::default()).await.unwrap();
            connection.send(Message::text("hello")).await.unwrap();
            assert_eq!(connection.recv().await, Some(Received::Message(Message::text("hello"))));
        });
        if mode == "echoserver" {
            assert_eq!(server.line(), format!("a page for browsers is on http://{web}/\n"));
            assert!(get(web, "/").contains("new WebSocket("));
        }
        let spec = bench.write("s.json", r#"{"cases": ["1.1.1"], "outdir": "out"}"#);
        let graded = bench.run("fuzzingclient", &["-w", &url, "-s", &spec, "--gate"]);
        assert_eq!(graded.status.code(), Some(0), "{}", said(&graded));
        assert_eq!(bench.index().keys().collect::<Vec<_>>(), ["my server/2"]);
    }
}

#[test]
fn an_echo_client_plays_one_case() {
    let (bench, port) = (Bench::new(), free_port());
    let spec = bench.spec("server-short.json", &[("__PORT__", port.to_string())]);
    let (_server, _) = bench.serve("fuzzingserver", &["-s", &spec]);
    let url = format!("ws://127.0.0.1:{port}/runCase?case=1&agent=echo");
    let echo = bench.run("echoclient", &["-w", &url]);
    assert_eq!(echo.status.code(), Some(0), "{}", said(&echo));
    assert!(said(&echo).contains("closed cleanly by the server"), "{}", said(&echo));
    let gone = bench.run("echoclient", &["-w", &format!("ws://127.0.0.1:{}/", free_port())]);
    assert_eq!(gone.status.code(), Some(3), "{}", said(&gone));
}

#[test]
fn a_broadcast_reaches_its_clients() {
    let (bench, url) = (Bench::new(), format!("ws://127.0.0.1:{}/", free_port()));
    let (_server, line) = bench.serve("broadcastserver", &["-w", &url, "-u", "0"]);
    assert_eq!(line, format!("listening on {url}\n"));
    let (mut one, _) = bench.serve("broadcastclient", &["-w", &url]);
    let (mut two, connected) = bench.serve("broadcastclient", &["-w", &url]);
    assert_eq!(connected, format!("connected to {url}\n"));
    // Its own first hello, that of the other one, and a tick of the server; in which order is open.
    let hellos = |client: &mut Served| {
        let (mut hellos, mut ticks) = (0, 0);
        while hellos < 2 || ticks < 1 {
            let line = client.line();
            assert!(line.starts_with("received: "), "{line}");
            hellos += usize::from(line.starts_with("received: hello #"));
            ticks += usize::from(line.starts_with("received: tick "));
        }
    };
    hellos(&mut one);
    hellos(&mut two);
}

#[test]
fn many_connections() {
    let bench = Bench::new();
    let run = |url: &str| {
        let spec = format!(
            r#"{{"options": {{"connections": 50, "batchsize": 20, "batchdelay": 1, "retrydelay": 1}},
                "servers": [{{"name": "mine", "uri": "{url}"}}]}}"#
        );
        // The file that is read without -s.
        bench.write("massconnect.json", &spec);
        bench.run("massconnect", &[])
    };
    let target = Target::strict();
    let all = run(&target.url());
    assert_eq!(all.status.code(), Some(0), "{}", said(&all));
    for line in [
        "mine: batch 1: 20 of 20 in ",
        "; 20 of 50\n",
        "mine: batch 3: 10 of 10 in ",
        "mine: connected 50 of 50 to ",
    ] {
        assert!(said(&all).contains(line), "{line}: {}", said(&all));
    }
    assert!(said(&all).contains(", 0 retries, 0 lost\n"), "{}", said(&all));

    let capped =
        Target::start(Config { caps: ConnectionCaps { total: 30, per_address: 30 }, ..Config::default() });
    let some = run(&capped.url());
    assert_eq!(some.status.code(), Some(1), "{}", said(&some));
    assert!(said(&some).contains("mine: connected 30 of 50 to "), "{}", said(&some));
    drop(capped.runtime);

    let none = run(&format!("ws://127.0.0.1:{}/", free_port()));
    assert_eq!(none.status.code(), Some(3), "{}", said(&none));
}
