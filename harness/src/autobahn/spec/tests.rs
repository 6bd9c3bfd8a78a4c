//! What is said of spec files, literally, and what is made of them.

use super::*;

fn error(text: &str) -> String {
    read("spec.json", text).unwrap_err().to_string()
}

fn warnings(text: &str) -> String {
    read("spec.json", text).unwrap().1.join("\n")
}

#[test]
fn everything_a_fuzzing_mode_may_be_told() {
    let text = r##"{
        "outdir": "out", "url": "ws://h:1", "webport": 0, "protocols": ["a"], "key": "k.pem", "cert": "c.pem",
        "options": {"failByDrop": false, "version": 18, "openHandshakeTimeout": 1.5, "closeHandshakeTimeout": 0},
        "servers": [
            {"url": "ws://h:2", "agent": "A", "origin": "http://o", "protocols": ["x", "y"], "hostname": "n",
             "options": {"version": 13, "openHandshakeTimeout": 3}},
            {"url": "ws://h:3"}
        ],
        "cases": ["1.*"], "exclude-cases": [""], "exclude-agent-cases": {"A*": ["1.1.1", "1.2.*"], "_": "a comment"}
    }"##;
    let (spec, warnings) = read("spec.json", text).unwrap();
    assert_eq!(warnings, [""; 0]);
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let opening = |millis| Some(Duration::from_millis(millis));
    let expected = Spec {
        outdir: Some("out".to_owned()),
        url: Some("ws://h:1".to_owned()),
        webport: Some(0),
        protocols: texts(&["a"]),
        key: Some("k.pem".to_owned()),
        cert: Some("c.pem".to_owned()),
        options: Options { opening: opening(1500), close: opening(3_600_000) },
        servers: vec![
            Server {
                url: "ws://h:2".to_owned(),
                agent: Some("A".to_owned()),
                origin: Some("http://o".to_owned()),
                protocols: texts(&["x", "y"]),
                hostname: Some("n".to_owned()),
                options: Options { opening: opening(3000), close: None },
            },
            Server { url: "ws://h:3".to_owned(), ..Server::default() },
        ],
        cases: Some(vec![CasePattern::new("1.*")]),
        exclude: vec![CasePattern::new("")],
        exclude_agent: vec![AgentRule { agents: "A*".to_owned(), cases: texts(&["1.1.1", "1.2.*"]) }],
    };
    assert_eq!(spec, expected);
    assert_eq!(read("spec.json", "{}").unwrap(), (Spec::default(), Vec::new()));
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(read("spec.json", "\u{feff}{\"outdir\": \"x\"}").unwrap().0.outdir.as_deref(), Some("x"));
}

#[test]
fn what_is_not_json() {
    let broken = [
        "{\n  \"outdir\": \"x\",\n}",
        "{\n  // where it goes\n  \"outdir\": \"x\"\n}",
        "{\"cases\": [\"1.*\",]}",
        "{\"outdir\": 'x'}",
        "{\"outdir\": \"x\"",
        "",
        "# comment\n{}",
    ];
    let said: Vec<_> = broken.iter().map(|text| error(text)).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    spec.json:3:1: this is not JSON: trailing comma
      help: take away the comma behind the last entry
    spec.json:2:3: this is not JSON: key must be a string
      help: JSON has no comments; a key that begins with `_` can hold one
    spec.json:1:18: this is not JSON: trailing comma
      help: take away the comma behind the last entry
    spec.json:1:12: this is not JSON: expected value
      help: JSON has only double quotes
    spec.json:1:14: this is not JSON: EOF while parsing an object
    spec.json:1:1: this is not JSON: EOF while parsing a value
      help: the file is empty; without -s, one to begin with is created
    spec.json:1:1: this is not JSON: expected value
      help: JSON has no comments; a key that begins with `_` can hold one
    ");
}

#[test]
fn what_has_the_wrong_type() {
    let wrong = [
        "[]",
        r#"{"outdir": 3}"#,
        r#"{"webport": 80800}"#,
        r#"{"webport": "8080"}"#,
        r#"{"cases": "1.*"}"#,
        r#"{"exclude-cases": ["1.1.1", 2]}"#,
        r#"{"servers": {"url": "ws://h"}}"#,
        r#"{"servers": [{"url": "ws://h"}, {"agent": "x"}]}"#,
        r#"{"servers": [{"url": "ws://h", "options": {"openHandshakeTimeout": -1}}]}"#,
        r#"{"exclude-agent-cases": ["1.*"]}"#,
        r#"{"exclude-agent-cases": {"A": "1.*"}}"#,
        r#"{"options": {"failByDrop": "no"}}"#,
    ];
    let said: Vec<_> = wrong.iter().map(|text| error(text)).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    spec.json: the whole of it must be an object {…}, not a list
    spec.json: `outdir` must be a text, not 3
    spec.json: `webport` must be a whole number from 0 to 65535, not 80800
    spec.json: `webport` must be a whole number from 0 to 65535, not the text "8080"
    spec.json: `cases` must be a list of texts, not the text "1.*"
    spec.json: `exclude-cases[1]` must be a text, not 2
    spec.json: `servers` must be a list […], not an object
    spec.json: `servers[1].url` is missing: a URL such as ws://…
    spec.json: `servers[0].options.openHandshakeTimeout` must be seconds, from 0 to 3600, not -1
    spec.json: `exclude-agent-cases` must be an object {…}, not a list
    spec.json: `exclude-agent-cases["A"]` must be a list of texts, not the text "1.*"
    spec.json: `options.failByDrop` must be true or false, not the text "no"
    "#);
}

#[test]
fn what_is_not_known() {
    insta::assert_snapshot!(warnings(r#"{
        "excludecases": [], "exclude_cases": [], "server": [], "zzz": 1, "enable-ssl": false, "webdir": "/x",
        "_comment": "none", "//": "none",
        "options": {"failByDrop": true, "version": 8, "tcpNoDelay": true, "failbydrop": false},
        "servers": [{"url": "ws://h", "agnet": "x"}]
    }"#), @r"
    spec.json: `options.failByDrop` is ignored: a connection is failed with a Close frame, as RFC 6455 7.1.7 says
    spec.json: `options.version` is ignored: version 13 of the protocol is spoken, that of RFC 6455
    spec.json: `options.tcpNoDelay` is ignored: it sets what a case itself decides, or what the old tool's network layer does
    spec.json: `options.failbydrop` is not known and ignored; did you mean `failByDrop`?
    spec.json: `servers[0].agnet` is not known and ignored; did you mean `agent`?
    spec.json: `enable-ssl` is ignored: whether there is TLS is said by the URL: wss://
    spec.json: `webdir` is ignored: the web port serves the reports
    spec.json: `exclude_cases` is not known and ignored; did you mean `exclude-cases`?
    spec.json: `excludecases` is not known and ignored; did you mean `exclude-cases`?
    spec.json: `server` is not known and ignored; did you mean `servers`?
    spec.json: `zzz` is not known and ignored
    ");
}

#[test]
fn massconnect() {
    let text = r#"{
        "options": {"connections": 5, "batchsize": 2, "batchdelay": 0, "retrydelay": 7},
        "servers": [{"name": "A", "uri": "ws://h:1", "desc": "a server"}, {"uri": "ws://h:2"}]
    }"#;
    let (mass, warnings) = read_mass("mass.json", text).unwrap();
    assert_eq!(warnings, [""; 0]);
    let pair = |name: &str, uri: &str| (name.to_owned(), uri.to_owned());
    let expected = Mass {
        connections: 5,
        batch: 2,
        batch_delay: Duration::ZERO,
        retry_delay: Duration::from_millis(7),
        servers: vec![pair("A", "ws://h:1"), pair("ws://h:2", "ws://h:2")],
    };
    assert_eq!(mass, expected);
    let said: Vec<_> = [
        "{}",
        r#"{"servers": [{"name": "x"}]}"#,
        r#"{"options": {"connections": 0}, "servers": [{"uri": "ws://h"}]}"#,
    ]
    .iter()
    .map(|text| read_mass("mass.json", text).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    mass.json: `servers` is missing: a list of servers, each with a `uri`
    mass.json: `servers[0].uri` is missing: a URL such as ws://…
    mass.json: `options.connections` must be a whole number from 1 to 1000000, not 0
    ");
}

#[test]
fn files_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spec.json");
    assert!(load(&path).unwrap_err().to_string().contains("cannot read the spec file"));
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(MAX_BYTES + 1).unwrap();
    assert!(load(&path).unwrap_err().to_string().contains("at most"));
}
