//! The sample repository of `docs/examples/ci`: its gate is open, closed by a defect with the reason where a team looks for
//! it, and open again once the defect is expected for a reason.
//!
//! Its server is the example `sample`, which `cargo test` builds with the rest.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The defect that is seeded: messages without a payload are passed over. These cases send some and want them back.
const SEEDED: [&str; 7] = ["1.1.1", "1.2.1", "6.1.1", "6.1.2", "F.21.7", "F.22.16", "F.23.10"];
/// What tungstenite is known to do, with which the gate is open.
const KNOWN: &str = "tungstenite does not ask for Host, and nothing here depends on it";
/// What is written into the file in the end.
const REASON: &str = "empty messages mean nothing to our clients, <b>nobody</b> sends them";

/// A clone of the repository.
struct Clone(tempfile::TempDir);

impl Clone {
    fn new() -> Self {
        let clone = tempfile::tempdir().unwrap();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/ci");
        fs::copy(sample.join("wsgrade.toml"), clone.path().join("wsgrade.toml")).unwrap();
        Self(clone)
    }

    /// The step of the workflow: `wsgrade test`, in the clone, where GitHub offers a summary.
    fn gate(&self, defect: bool) -> (i32, String) {
        let _ = fs::remove_file(self.path("summary.md"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
        command.arg("test").current_dir(self.0.path()).env("NO_COLOR", "1").env("SERVER", server());
        command.env("GITHUB_STEP_SUMMARY", self.path("summary.md")).env_remove("SEED_DEFECT");
        if defect {
            command.env("SEED_DEFECT", "1");
        }
        let Output { status, stdout, stderr } = command.output().expect("the binary of this package starts");
        let said = String::from_utf8(stdout).expect("UTF-8") + &String::from_utf8_lossy(&stderr);
        (status.code().expect("no signal"), said)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}

fn server() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wsgrade")).with_file_name("examples").join("sample");
    assert!(path.is_file(), "cargo test --test sample needs `cargo build --examples` before");
    path
}

/// The test case of a case, with all that is in it.
fn junit<'a>(xml: &'a str, id: &str) -> &'a str {
    let tag = format!("<testcase name=\"{id} ");
    let at = xml.find(&tag).unwrap_or_else(|| panic!("{id} is not in junit.xml"));
    let end = xml[at..].find("</testcase>").unwrap_or_else(|| panic!("{id} has nothing in it"));
    &xml[at..at + end]
}

/// What SARIF says of a case.
fn sarif(log: &str, id: &str) -> Vec<serde_json::Value> {
    let log: serde_json::Value = serde_json::from_str(log).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let of_case = |result: &&serde_json::Value| result["message"]["text"].as_str().unwrap().contains(id);
    results.iter().filter(of_case).cloned().collect()
}

#[test]
fn open_closed_by_a_defect_and_open_by_an_expectation() {
    let clone = Clone::new();

    let (code, said) = clone.gate(false);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("gate met: no MUST is broken"), "{said}");
    assert!(said.contains("11 cases as expected aside"), "{said}");
    for file in [
        "wsgrade-report/junit.xml",
        "wsgrade-report/wsgrade.sarif",
        "summary.md",
        "wsgrade-report/index.html",
    ] {
        assert!(clone.read(file).contains(KNOWN), "{file} says why");
    }

    let (code, said) = clone.gate(true);
    assert_eq!(code, 1, "{said}");
    let reason = format!("gate not met: a MUST is broken in 7 cases of echo: {}", SEEDED.join(", "));
    assert!(said.contains(&reason), "{said}");
    let xml = clone.read("wsgrade-report/junit.xml");
    assert_eq!(xml.matches("<failure ").count(), SEEDED.len(), "those and no others");
    let log = clone.read("wsgrade-report/wsgrade.sarif");
    for id in SEEDED {
        assert!(junit(&xml, id).contains("<failure "), "{}", junit(&xml, id));
        assert!(junit(&xml, id).contains("RFC 6455"), "{}", junit(&xml, id));
        let results = sarif(&log, id);
        assert!(
            results.iter().any(|result| result["level"] == "error" && result.get("suppressions").is_none())
        );
    }
    let summary = clone.read("summary.md");
    assert!(summary.contains("6.1.1") && summary.contains("RFC 6455"), "{summary}");
    let page = clone.read("wsgrade-report/index.html");
    assert!(page.contains("Text without payload"));

    let mut file = clone.read("wsgrade.toml");
    file += &format!("\n[[expect]]\ncases = {SEEDED:?}\nbehavior = \"fail\"\nreason = \"{REASON}\"\n");
    fs::write(clone.path("wsgrade.toml"), file).unwrap();
    let (code, said) = clone.gate(true);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("18 cases as expected aside"), "{said}");
    let xml = clone.read("wsgrade-report/junit.xml");
    assert_eq!(xml.matches("<failure ").count(), 0);
    let log = clone.read("wsgrade-report/wsgrade.sarif");
    for id in SEEDED {
        assert!(junit(&xml, id).contains("<skipped "), "{}", junit(&xml, id));
        assert!(junit(&xml, id).contains("empty messages mean nothing"), "{}", junit(&xml, id));
        for result in sarif(&log, id).iter().filter(|result| result["level"] == "error") {
            assert_eq!(result["suppressions"][0]["justification"], REASON, "{result}");
        }
    }
    assert!(clone.read("summary.md").contains("empty messages mean nothing"));
    let page = clone.read("wsgrade-report/index.html");
    assert!(page.contains("empty messages mean nothing") && !page.contains("<b>nobody</b>"));

    // The defect is mended, and what was expected is not true any more: that is told, and the gate closes on it.
    let (code, said) = clone.gate(false);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("expects fail, but 1.1.1, 1.2.1, 6.1.1, 6.1.2, F.21.7, F.22.16, F.23.10 pass"),
        "{said}"
    );
}
