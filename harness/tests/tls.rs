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
        wsgrade(&[&["test", &url, "-c", "1.1.*", "--out", out.to_str().unwrap()], args].concat())
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
    let case = &record["targets"][0]["cases"][0];
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
