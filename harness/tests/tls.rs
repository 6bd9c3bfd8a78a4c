//! The binary against servers behind TLS: what it says, how it exits.
#![cfg(feature = "tls")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tokio::runtime::Runtime;
use wsgrade_reference_server::{Config, serve_stream};

#[path = "common/certificates.rs"]
mod certificates;

use certificates::{Authority, listen, self_signed, server_config};

fn wsgrade(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
    command.args(args).env("NO_COLOR", "1").env("COLUMNS", "100");
    command.output().expect("the binary of this package starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn put(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_server_behind_tls_is_graded() {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let ca = put(dir.path(), "ca.pem", &authority.pem());
    let config = server_config(&authority.issue(&["localhost"]));
    let addr = runtime.block_on(listen(config, |stream| async {
        serve_stream(stream, "127.0.0.1:1".parse().unwrap(), &Config::default()).await;
    }));
    let url = format!("wss://localhost:{}/", addr.port());
    let out = dir.path().join("report");
    let test = |args: &[&str]| {
        wsgrade(
            &[&["test", &url, "-c", "1.1.*", "-c", "S.4.*", "--out", out.to_str().unwrap()], args].concat(),
        )
    };
    let resolve = format!("localhost:{}:127.0.0.1", addr.port());
    let resolve = ["--resolve", resolve.as_str()];

    let distrusted = test(&resolve);
    assert_eq!(distrusted.status.code(), Some(3));
    insta::assert_snapshot!(stderr(&distrusted).replace(&url, "URL"), @"wsgrade: URL: the certificate of localhost is not trusted: unknown issuer; give its CA by --ca FILE, or --insecure");

    let ca = ca.to_str().unwrap();
    let trusted = test(&[&resolve[..], &["--ca", ca]].concat());
    assert_eq!(trusted.status.code(), Some(0), "{}", stderr(&trusted));
    assert!(!stderr(&trusted).contains("warning"), "{}", stderr(&trusted));
    let record = std::fs::read_to_string(out.join("run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let cases = record["targets"][0]["cases"].as_array().unwrap();
    let of_tls = cases.iter().filter(|case| case["id"].as_str().is_some_and(|id| id.starts_with("S.4.")));
    let of_tls: Vec<_> = of_tls.map(|case| (case["id"].as_str(), case["behavior"].as_str())).collect();
    // How TLS fails is for clients to notice.
    assert_eq!(of_tls, [(Some("S.4.1"), Some("pass")), (Some("S.4.2"), Some("pass"))]);
    let case = &cases[0];
    assert_eq!(case["carrier"], "tls");
    let repeat = case["repeat"].as_str().unwrap();
    assert!(repeat.contains(&format!("test {url} ")) && repeat.contains(&format!(" --ca {ca} ")), "{repeat}");

    let insecure = test(&[&resolve[..], &["--insecure"]].concat());
    assert_eq!(insecure.status.code(), Some(0), "{}", stderr(&insecure));
    let said = stderr(&insecure).replace(&url, "URL");
    assert!(
        said.starts_with("wsgrade: warning: URL: not verifying who answers there (--insecure)\n"),
        "{said}"
    );
    assert!(std::fs::read_to_string(out.join("run.json")).unwrap().contains(" --insecure -c 1.1.1"));
}

/// Whatever is wrong with the command line or a file is exit code 2 and a sentence.
#[test]
fn what_is_wrong_with_the_command_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let issued = self_signed(&["localhost"]);
    let cert = put(dir.path(), "cert.pem", &issued.cert);
    let key = put(dir.path(), "key.pem", &issued.key);
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let said = [
        vec!["test", "wss://localhost/", "--ca", key],
        vec!["test", "wss://localhost/", "--ca", cert, "--insecure"],
        vec!["test", "wss://localhost/", "--host", "a b"],
        vec!["listen", "--cert", cert],
        vec!["listen", "--cert", key, "--key", cert],
    ]
    .map(|args| {
        let output = wsgrade(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        let said = format!("$ wsgrade {}\n{}", args.join(" "), stderr(&output));
        said.replace(&format!("{}{}", dir.path().display(), std::path::MAIN_SEPARATOR), "")
    });
    insta::assert_snapshot!(said.join("\n"), @r"
    $ wsgrade test wss://localhost/ --ca key.pem
    error: invalid value 'key.pem' for '--ca <FILE>': there is no certificate in key.pem: it has a private key; are the two files the wrong way round?

    For more information, try '--help'.

    $ wsgrade test wss://localhost/ --ca cert.pem --insecure
    error: the argument '--ca <FILE>' cannot be used with '--insecure'

    Usage: wsgrade test --ca <FILE> <URL>...

    For more information, try '--help'.

    $ wsgrade test wss://localhost/ --host a b
    wsgrade: wss://localhost/: TLS cannot ask for a server called `a b`; give the name in its certificate by --host

    $ wsgrade listen --cert cert.pem
    error: the following required arguments were not provided:
      --key <FILE>

    Usage: wsgrade listen --cert <FILE> --key <FILE> [ADDRESS:PORT]

    For more information, try '--help'.

    $ wsgrade listen --cert key.pem --key cert.pem
    wsgrade: there is no certificate in key.pem: it has a private key; are the two files the wrong way round?
    ");
}

/// Clients that a command starts, and what they do where TLS fails. They are `examples/tls_client.rs`, which `cargo test` builds
/// with the rest. Where 127.0.0.2 is an address of ours without further ado: S.4.5 asks for it.
#[cfg(target_os = "linux")]
mod clients {
    use serde_json::Value;

    use super::{Authority, Output, put, stderr, wsgrade};

    /// Runs the client under test, with the cases of these patterns; gives the record besides.
    fn grade(how: &str, cases: &[&str], command: &str) -> (Output, Value) {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let issued = authority.issue(&["localhost", "127.0.0.1"]);
        let path = |name: &str, text: &str| put(dir.path(), name, text).to_str().unwrap().to_owned();
        let (ca, cert) = (path("ca.pem", &authority.pem()), path("cert.pem", &issued.cert));
        let (key, out) = (path("key.pem", &issued.key), dir.path().join("report"));
        let client =
            std::path::Path::new(env!("CARGO_BIN_EXE_wsgrade")).with_file_name("examples/tls_client");
        assert!(client.is_file(), "cargo test --test tls needs `cargo build --example tls_client` before");
        let command =
            command.replace("CLIENT", client.to_str().unwrap()).replace("CA", &ca).replace("HOW", how);
        let cases = cases.iter().flat_map(|case| ["-c", case]);
        let mut args = vec!["listen", "127.0.0.1:0", "--cert", &cert, "--key", &key, "--agent", "one"];
        args.extend(["--timeout", "1s", "--spawn", &command, "--out", out.to_str().unwrap()]);
        args.extend(cases);
        let output = wsgrade(&args);
        let record = std::fs::read_to_string(out.join("run.json")).unwrap_or_else(|_| "{}".to_owned());
        let record = record.replace(dir.path().to_str().unwrap(), "DIR");
        (output, serde_json::from_str(&record).unwrap())
    }

    const COMMAND: &str = "CLIENT {url} {agent} CA HOW";

    fn case<'a>(record: &'a Value, id: &str) -> &'a Value {
        let cases = record["targets"][0]["cases"].as_array().expect("a target");
        cases.iter().find(|case| case["id"] == id).unwrap_or_else(|| panic!("{id} is not in the record"))
    }

    /// Verdict, what was seen, and the transcript but for its times.
    fn told(record: &Value, id: &str) -> String {
        let case = case(record, id);
        let findings = case["findings"].as_array().unwrap().iter();
        let findings: Vec<_> =
            findings.map(|found| format!("{} {}", found["rule"], found["observed"])).collect();
        let entries = case["transcript"]["entries"].as_array().unwrap().iter();
        let entries: Vec<_> = entries
            .map(|entry| {
                let said = ["reason", "detail"].iter().find_map(|key| entry[*key].as_str());
                let said = said.map(str::to_owned).or_else(|| Some(entry["message"]["lines"][0].to_string()));
                format!("  {} {}", entry["what"], said.unwrap_or_default())
            })
            .collect();
        let told =
            [vec![format!("{id} {} {}", case["behavior"], case["carrier"])], findings, entries].concat();
        without_ports(&told.join("\n"))
    }

    fn without_ports(text: &str) -> String {
        let mut parts =
            text.split_inclusive("127.0.0.1:").flat_map(|part| part.split_inclusive("localhost:"));
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            out += "PORT";
            out += part.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        out
    }

    #[test]
    fn one_that_verifies_passes() {
        let (output, record) = grade("verifying", &["S.4.*", "1.1.1"], COMMAND);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        insta::assert_snapshot!(told(&record, "S.4.3"), @r#"
        S.4.3 "pass" "tls"
          "opening-failed" the client broke the TLS handshake off with the alert UnknownCA
          "end-of-stream" null
        "#);
        insta::assert_snapshot!(told(&record, "S.4.4"), @r#"
        S.4.4 "pass" "tls"
          "opening-failed" the client ended the connection behind our alert
          "end-of-stream" null
        "#);
        insta::assert_snapshot!(told(&record, "S.4.5"), @r#"
        S.4.5 "pass" "tls"
          "opening-failed" the client broke the TLS handshake off with the alert BadCertificate
          "end-of-stream" null
        "#);
        for id in ["S.4.1", "S.4.2", "1.1.1"] {
            assert_eq!(case(&record, id)["behavior"], "pass", "{id}");
            assert_eq!(case(&record, id)["close"], "pass", "{id}");
        }
        let repeat = case(&record, "S.4.3")["repeat"].as_str().unwrap();
        assert!(
            repeat.contains(" --cert DIR/cert.pem ") && repeat.ends_with(" --agent one -c S.4.3"),
            "{repeat}"
        );
        assert!(repeat.contains("{url} {agent} DIR/ca.pem verifying'"), "{repeat}");
    }

    #[test]
    fn one_that_takes_any_certificate_fails() {
        let (output, record) = grade("careless", &["S.4.*"], COMMAND);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        insta::assert_snapshot!(told(&record, "S.4.3"), @r#"
        S.4.3 "fail" "tls"
        "rfc6455-4.1-tls-failure" "the client sent \"GET /getCaseCount HTTP/1.1\" through TLS, where the certificate is self-signed and for wrong.example"
          "http" "GET /getCaseCount HTTP/1.1"
          "violation" the client sent "GET /getCaseCount HTTP/1.1" through TLS, where the certificate is self-signed and for wrong.example
        "#);
        assert_eq!(case(&record, "S.4.4")["behavior"], "pass");
        assert_eq!(case(&record, "S.4.5")["behavior"], "fail");
        insta::assert_snapshot!(without_ports(&stderr(&output)), @r#"
        fail one: S.4.3 A certificate that nobody vouches for, for another name: the client sent "GET /getCaseCount HTTP/1.1" through TLS, where the certificate is self-signed and for wrong.example
        fail one: S.4.5 A certificate for another address: the client sent "GET /getCaseCount HTTP/1.1" through TLS, where the certificate, that of --cert, is not for 127.0.0.2
        "#);
    }

    #[test]
    fn one_that_falls_back_to_plain_text_fails() {
        let (output, record) = grade("falling", &["S.4.*"], COMMAND);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        insta::assert_snapshot!(told(&record, "S.4.3"), @r#"
        S.4.3 "fail" "tls"
        "rfc6455-4.1-tls-failure" "the client sent \"GET /getCaseCount HTTP/1.1\" in plain text, where the certificate is self-signed and for wrong.example"
          "http" "GET /getCaseCount HTTP/1.1"
          "violation" the client sent "GET /getCaseCount HTTP/1.1" in plain text, where the certificate is self-signed and for wrong.example
        "#);
        insta::assert_snapshot!(told(&record, "S.4.4"), @r#"
        S.4.4 "fail" "tls"
        "rfc6455-4.1-tls-failure" "the client sent \"GET /getCaseCount HTTP/1.1\" in plain text, where the TLS handshake was answered with the alert handshake_failure"
          "http" "GET /getCaseCount HTTP/1.1"
          "violation" the client sent "GET /getCaseCount HTTP/1.1" in plain text, where the TLS handshake was answered with the alert handshake_failure
        "#);
    }

    /// Somebody vouches for the certificate, but not that it is that of 127.0.0.2. In its hello it names whom it asks for.
    #[test]
    fn one_that_does_not_look_at_the_address_fails() {
        let (output, record) = grade("naming", &["S.4.*"], COMMAND);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        insta::assert_snapshot!(told(&record, "S.4.5"), @r#"
        S.4.5 "fail" "tls"
        "rfc6455-4.1-tls-failure" "the client sent \"GET /getCaseCount HTTP/1.1\" through TLS, where the certificate, that of --cert, is not for 127.0.0.2"
          "http" "GET /getCaseCount HTTP/1.1"
          "violation" the client sent "GET /getCaseCount HTTP/1.1" through TLS, where the certificate, that of --cert, is not for 127.0.0.2
        "#);
        for id in ["S.4.1", "S.4.2", "S.4.3", "S.4.4"] {
            assert_eq!(case(&record, id)["behavior"], "pass", "{id}");
        }
    }

    /// Who never comes has shown nothing.
    #[test]
    fn one_that_keeps_away_is_not_judged() {
        let (_, record) = grade("elsewhere", &["S.4.*"], COMMAND);
        insta::assert_snapshot!(told(&record, "S.4.3"), @r#"
        S.4.3 "inconclusive" "tls"
        "rfc6455-4.1-tls-failure" "the client did not connect to wss://127.0.0.1:PORT, where the certificate is self-signed and for wrong.example"
          "trouble" the client did not connect to wss://127.0.0.1:PORT, where the certificate is self-signed and for wrong.example
        "#);
        let (_, record) = grade("verifying", &["S.4.3"], "CLIENT wss://127.0.0.1:9 {agent} CA HOW; true");
        assert!(record["targets"].is_null(), "{record}");
    }

    /// "Clients MUST use the Server Name Indication extension in the TLS handshake" (RFC 6455 4.1).
    #[test]
    fn one_that_names_no_server_is_told() {
        let (output, record) = grade("nameless", &["S.4.1", "1.1.1"], COMMAND);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        for id in ["S.4.1", "1.1.1"] {
            let finding = &case(&record, id)["findings"][0];
            assert_eq!(finding["rule"], "rfc6455-4.1-tls-server-name", "{id}");
        }
        let seen = case(&record, "S.4.1")["findings"][0]["observed"].as_str().unwrap();
        insta::assert_snapshot!(without_ports(seen), @r#"the TLS hello names no server, and Host is "localhost:PORT""#);
        // And who names it is not: `one_that_does_not_look_at_the_address_fails`.
    }
}
