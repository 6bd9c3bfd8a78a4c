//! What is written and said for others: files by their format, a CI service, a shell, `man`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn wsgrade(args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
    command.env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command.args(args).env("NO_COLOR", "1").env("COLUMNS", "100").envs(env.iter().copied());
    command.output().expect("the binary of this package starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("it is there").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A record of a few cases, one of which failed, played against somebody who calls himself a command.
fn failed(dir: &Path) -> String {
    let played = wsgrade(&["test", "-c", "1.1.*", "--format", "json", "-o", dir.to_str().unwrap()], &[]);
    assert_eq!(played.status.code(), Some(0), "{}", stderr(&played));
    let path = dir.join("run.json");
    let mut run: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    run["targets"][0]["cases"][0]["behavior"] = "fail".into();
    run["targets"][0]["name"] = "::error::it was me".into();
    fs::write(&path, run.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn only_what_is_asked_for_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("report");
    let out = out.to_str().unwrap();
    let played =
        wsgrade(&["test", "-c", "1.1.1", "--format", "sarif,badge", "--format", "tap", "-o", out], &[]);
    assert_eq!(played.status.code(), Some(0), "{}", stderr(&played));
    assert_eq!(names(Path::new(out)), ["badge.json", "badge.svg", "results.tap", "wsgrade.sarif"]);
    assert!(stdout(&played).ends_with(&format!("Report: {out}\n")), "{}", stdout(&played));
    let fuzz = dir.path().join("fuzz");
    let fuzz = fuzz.to_str().unwrap();
    let fuzzed = wsgrade(&["fuzz", "--runs", "20", "--format", "csv,gitlab-codequality", "-o", fuzz], &[]);
    assert_eq!(fuzzed.status.code(), Some(0), "{}", stderr(&fuzzed));
    assert_eq!(names(Path::new(fuzz)), ["cases.csv", "gl-code-quality-report.json"]);
}

#[test]
fn a_format_that_is_none() {
    let output = wsgrade(&["test", "--format", "json,sarrif"], &[]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&output), @r"
    error: invalid value 'sarrif' for '--format <NAME[,NAME…]>': there is no format `sarrif`; did you mean `sarif`?

    For more information, try '--help'.
    ");
}

#[test]
fn every_format_is_made_again_from_the_record() {
    let dir = tempfile::tempdir().unwrap();
    let run = failed(dir.path());
    let out = dir.path().join("all");
    let all = "json,html,junit,sarif,markdown,csv,tap,badge,github-annotations,gitlab-codequality";
    let made = wsgrade(&["report", &run, "--format", all, "-o", out.to_str().unwrap()], &[]);
    assert_eq!(made.status.code(), Some(1), "{}", stderr(&made));
    assert_eq!(names(&out).len(), 11);
    let page = format!("Report: {}\n", out.join("index.html").display());
    assert!(stdout(&made).ends_with(&page), "{}", stdout(&made));
    assert!(!stdout(&made).contains("::stop-commands"), "nobody there who takes commands");
}

#[test]
fn github_is_told_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let run = failed(dir.path());
    let summary = dir.path().join("summary.md");
    fs::write(&summary, "# before\n").unwrap();
    let env = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    let out = dir.path().join("report");
    let made = wsgrade(&["report", &run, "-o", out.to_str().unwrap()], &env);
    assert_eq!(made.status.code(), Some(1), "{}", stderr(&made));
    assert_eq!(names(&out), ["index.html", "junit.xml", "run.json"]);

    let text = stdout(&made);
    let token = text
        .strip_prefix("::stop-commands::")
        .and_then(|rest| rest.lines().next())
        .expect("they are stopped");
    let (result, annotations) = text.split_once(&format!("\n::{token}::\n")).expect("and go on");
    assert!(result.contains("\n::error::it was me\n"), "{result}");
    assert!(
        annotations.starts_with("::error title=wsgrade%3A %3A%3Aerror%3A%3Ait was me%3A MUST broken"),
        "{annotations}"
    );
    assert_eq!(annotations.lines().count(), 1);

    let summary = fs::read_to_string(&summary).unwrap();
    assert!(summary.starts_with("# before\n## wsgrade: grade "), "{summary}");
    assert!(summary.contains("- ✕ **1.1.1**"), "{summary}");

    // That it cannot be told fails nothing.
    let nowhere = dir.path().join("no/such/file");
    let env = [("GITHUB_STEP_SUMMARY", nowhere.to_str().unwrap())];
    let made = wsgrade(&["report", &run, "-o", out.to_str().unwrap()], &env);
    assert_eq!(made.status.code(), Some(1));
    assert!(stderr(&made).starts_with("wsgrade: warning: no summary of the step: "), "{}", stderr(&made));
    assert!(!stdout(&made).contains("::stop-commands"), "{}", stdout(&made));
}

#[test]
fn shells_and_man_are_told() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = wsgrade(&["completions", shell], &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).contains("wsgrade") && stdout(&output).contains("close-timeout"), "{shell}");
    }
    assert_eq!(wsgrade(&["completions", "csh"], &[]).status.code(), Some(2));

    let dir = tempfile::tempdir().unwrap();
    let pages = dir.path().join("man/man1");
    let output = wsgrade(&["man", pages.to_str().unwrap()], &[]);
    assert_eq!(stdout(&output), format!("Pages: {}\n", pages.display()));
    let names = names(&pages);
    for name in ["wsgrade.1", "wsgrade-test.1", "wsgrade-listen.1", "wsgrade-fuzz.1", "wsgrade-report.1"] {
        assert!(names.iter().any(|there| there == name), "{name}: {names:?}");
    }
    let page = fs::read_to_string(pages.join("wsgrade-test.1")).unwrap();
    assert!(page.contains(".TH wsgrade-test 1") && page.contains("\\-\\-close\\-timeout"), "{page}");
    // A file is no directory.
    let output = wsgrade(&["man", pages.join("wsgrade.1").to_str().unwrap()], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("wsgrade: cannot write the pages to "), "{}", stderr(&output));
}
