//! Baselines, comparisons, the gate and shards, by the binary as a CI job runs it.

use std::path::Path;
use std::process::{Command, Output};

use insta::assert_snapshot;
use serde_json::{Value, json};

/// Runs in a folder of its own, so that printed paths are the same everywhere.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The exit code and what was printed, standard error last.
    fn run(&self, line: &str) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
        command.args(line.split(' ')).current_dir(self.0.path()).env("NO_COLOR", "1").env("COLUMNS", "100");
        let Output { status, stdout, stderr } = command.output().expect("the binary of this package starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (status.code().expect("no signal"), text(stdout) + &text(stderr))
    }

    /// Runs what has to end with this code.
    fn ends(&self, code: i32, line: &str) -> String {
        let (found, text) = self.run(line);
        assert_eq!(found, code, "$ wsgrade {line}\n{text}");
        text
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.path().join(file)).expect(file)
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.0.path().join(file), text).expect(file);
    }

    fn record(&self, dir: &str) -> Value {
        serde_json::from_str(&self.read(&format!("{dir}/run.json"))).expect("a record")
    }
}

/// The same of every run with one seed: no durations and no times, and on the wire what we sent, since what was received may
/// come in other pieces. The reference server is on a free port, which the head of a request names.
fn lasting(mut record: Value) -> Value {
    let is_sent = |entry: &Value| entry["dir"] == "sent" && entry["what"] == "frame";
    for target in record["targets"].as_array_mut().expect("targets") {
        target["url"] = Value::Null;
        for case in target["cases"].as_array_mut().expect("cases") {
            case["duration_ms"] = Value::Null;
            let entries = case["transcript"]["entries"].as_array_mut().expect("entries");
            entries.retain(is_sent);
            entries.iter_mut().for_each(|entry| entry["at_us"] = Value::Null);
        }
    }
    record["duration_ms"] = Value::Null;
    record["started"] = Value::Null;
    record
}

const SOME: &str = "-c 1.* -c 2.* -c 5.* -c 12.1.* --seed 7";

#[test]
fn shards_put_together_are_the_whole_run() {
    let place = Place::new();
    place.ends(0, &format!("test {SOME} -o whole"));
    let whole = place.record("whole");
    let cases = whole["targets"][0]["cases"].as_array().expect("cases").len();
    assert!(cases > 60, "{cases}");
    let shard = |k: u32, more: &str, out: &str| {
        place.ends(0, &format!("test {SOME} --shard {k}/3{more} -o {out}{k}"))
    };

    // By the hash of each case, and by how long they took.
    for (more, out) in [("", "a"), (" --durations whole/run.json", "b")] {
        let mut sizes = Vec::new();
        for k in 1..=3 {
            let text = shard(k, more, out);
            assert!(text.contains(&format!("shard {k} of 3")), "{text}");
            let record = place.record(&format!("{out}{k}"));
            assert_eq!(record["shard"], json!({ "index": k, "count": 3 }));
            assert!(record["cases"] == whole["cases"], "every shard knows what was selected");
            sizes.push(record["targets"][0]["cases"].as_array().expect("cases").len());
        }
        assert_eq!(sizes.iter().sum::<usize>(), cases, "{sizes:?}");
        assert!(sizes.iter().all(|size| *size > 0 && *size < cases), "{sizes:?}");
        let files = format!("{out}3/run.json {out}1/run.json {out}2/run.json");
        let text = place.ends(0, &format!("report merge {files} -o {out}-merged"));
        assert!(text.contains(&format!("gate met: no MUST is broken in {cases} cases\n")), "{text}");
        assert!(lasting(place.record(&format!("{out}-merged"))) == lasting(whole.clone()), "{out}");
        assert!(place.read(&format!("{out}-merged/index.html")).contains("Grade"), "the page is there too");
    }

    // Half of one cut and half of another.
    let (code, text) = place.run("report merge a1/run.json a2/run.json b3/run.json -o no");
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("the run was not cut alike; give every shard the same --durations file"), "{text}");
}

#[test]
fn what_is_not_all_of_one_run_is_not_put_together() {
    let place = Place::new();
    for k in 1..=3 {
        place.ends(0, &format!("test -c 1.1.* --seed 7 --shard {k}/3 -o {k}"));
    }
    place.ends(0, "test -c 1.1.1 -o whole");
    let mut unlike = place.record("2");
    let digest = unlike["catalogue"]["digest"].as_str().expect("a digest").to_owned();
    unlike["catalogue"]["digest"] = json!("0123456789abcdef");
    place.write("unlike.json", &unlike.to_string());
    let said = [
        "report merge 1/run.json 3/run.json",
        "report merge 2/run.json",
        "report merge 1/run.json unlike.json 3/run.json",
        "report merge 1/run.json 2/run.json 3/run.json 2/run.json",
        "report merge 1/run.json whole/run.json",
        "report merge 1/run.json gone.json",
        "report baseline 1/run.json",
    ]
    .map(|line| format!("$ wsgrade {line}\n{}", place.ends(2, line)).replace(&digest, "(ours)"));
    assert_snapshot!(said.join("\n"), @"
    $ wsgrade report merge 1/run.json 3/run.json
    wsgrade: shard 2 of 3 is missing: all shards are needed, since what was not played cannot be judged

    $ wsgrade report merge 2/run.json
    wsgrade: shards 1 and 3 of 3 are missing: all shards are needed, since what was not played cannot be judged

    $ wsgrade report merge 1/run.json unlike.json 3/run.json
    wsgrade: 1/run.json and unlike.json are not of one run: the catalogues are (ours) and 0123456789abcdef; play all shards with the same wsgrade and the same options

    $ wsgrade report merge 1/run.json 2/run.json 3/run.json 2/run.json
    wsgrade: 2/run.json and 2/run.json are both shard 2 of 3: leave one of them out

    $ wsgrade report merge 1/run.json whole/run.json
    wsgrade: whole/run.json is no shard: its run was played without --shard, so there is nothing to add to it

    $ wsgrade report merge 1/run.json gone.json
    wsgrade: gone.json: No such file or directory (os error 2)

    $ wsgrade report baseline 1/run.json
    wsgrade: 1/run.json: this is shard 1 of 3: put the shards together first, by `wsgrade report merge`
    ");
    assert!(!place.0.path().join("wsgrade-report").exists(), "nothing was written");
}

/// Runs what has to end with this code against a server with one defect. The command is the same whatever the defect, and so
/// is the server's name.
#[cfg(unix)]
fn spawned(place: &Place, code: i32, defect: &str, line: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_wsgrade")).parent().unwrap();
    let deviant = binary.join("examples/deviant");
    assert!(
        deviant.is_file(),
        "{} is not there; `cargo build --example deviant` makes it",
        deviant.display()
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
    command.args(["test", "--spawn", "exec $SERVER --port {port} --defect $DEFECT"]).args(line.split(' '));
    command.env("SERVER", deviant).env("DEFECT", defect);
    command.current_dir(place.0.path()).env("NO_COLOR", "1").env("COLUMNS", "100");
    let Output { status, stdout, stderr } = command.output().expect("the binary of this package starts");
    let text = String::from_utf8(stdout).expect("UTF-8") + &String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(code), "{defect} {line}\n{text}");
    text
}

/// What a team does: keep a baseline, and be told what is worse than it.
#[cfg(unix)]
#[test]
fn a_regression_is_red_with_its_reason() {
    let place = Place::new();
    let some = "-c 1.1.* -c 2.*";
    spawned(&place, 0, "none", &format!("{some} -o good"));
    let text = place.ends(0, "report baseline good/run.json");
    assert_snapshot!(text, @"Baseline: wsgrade-baseline.txt (19 verdicts)");
    let baseline = place.read("wsgrade-baseline.txt");
    assert!(baseline.contains("\n2.5          tcp   pass"), "{baseline}");
    assert_eq!(place.ends(0, "report baseline good/run.json -o -"), baseline);
    assert!(place.ends(0, "report baseline good/run.json --durations -o -").contains("\ndepth 10\n"));

    // As before.
    let gate = "--baseline wsgrade-baseline.txt --fail-on regression";
    let text = spawned(&place, 0, "none", &format!("{some} {gate} -o again"));
    assert!(text.contains("nothing is different in 19 cases\n"), "{text}");
    assert!(text.contains("gate met: nothing regressed in 19 cases\n"), "{text}");

    // Worse.
    let text = spawned(&place, 1, "takes-long-ping", &format!("{some} {gate} -o bad"));
    let (_, text) = text.split_once("Compared with the baseline\n").expect("it was compared");
    let (text, _) = text.split_once("Report:").expect("the report comes last");
    assert_snapshot!(text.trim(), @"
    exec $SERVER --port {port} --defect $DEFECT: 1 regressed (19 cases compared)

      regressed (1): worse than before
        2.5  pass (1002) → fail, close wrong-side (1001)  Ping of 126 bytes, one too long

    gate not met: 1 case of exec $SERVER --port {port} --defect $DEFECT regressed against the baseline: 2.5
    ");
    // So does the page.
    let page = place.read("bad/index.html");
    assert!(
        page.contains("wsgrade-baseline.txt") && page.contains("pass (1002)"),
        "the page knows the baseline"
    );
    assert!(!place.read("good/index.html").contains("pass (1002)"));
    let text = place.ends(1, "compare wsgrade-baseline.txt bad/run.json --format markdown");
    assert_snapshot!(text, @r"
    | target | compared | regressed | fixed | changed | undecided | slower | added | removed |
    |---|--:|--:|--:|--:|--:|--:|--:|--:|
    | exec \$SERVER --port {port} --defect \$DEFECT | 19 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |

    **exec \$SERVER --port {port} --defect \$DEFECT**

    | | case | before | now | |
    |---|---|---|---|---|
    | regressed | 2.5 | pass (1002) | fail, close wrong-side (1001) | Ping of 126 bytes, one too long |
    ");
    assert!(place.ends(0, "compare bad/run.json wsgrade-baseline.txt").contains("fixed (1)"));

    // What was bad already is no regression, and still no pass by the usual gate.
    place.ends(0, "report baseline bad/run.json -o bad.txt");
    let text = spawned(
        &place,
        0,
        "takes-long-ping",
        &format!("{some} --baseline bad.txt --fail-on regression -o worse"),
    );
    assert!(text.contains("gate met: nothing regressed"), "{text}");
    let text = spawned(&place, 1, "takes-long-ping", &format!("{some} --baseline bad.txt -o worse"));
    assert!(text.contains("gate not met: a MUST is broken in 1 case of "), "{text}");
}

/// The record of a run can be held against a gate later, as after a merge.
#[test]
fn a_gate_on_a_record() {
    let place = Place::new();
    place.ends(0, "test -c 1.1.* --min-grade A+ -o run");
    let mut record = place.record("run");
    record["targets"][0]["cases"][2]["behavior"] = json!("non-strict");
    place.write("run.json", &record.to_string());
    let said = [
        (0, "report run.json -o out"),
        (1, "report run.json -o out --fail-on non-strict"),
        (1, "report run.json -o out --min-grade A+"),
        (0, "report run.json -o out --min-grade B"),
        (1, "report run.json -o out --baseline run/run.json --fail-on regression"),
        (0, "report run/run.json -o out --baseline run.json --fail-on regression"),
    ]
    .map(|(code, line)| {
        let text = place.ends(code, line);
        let ruling = text.lines().find(|line| line.starts_with("gate ")).expect("a ruling");
        format!("$ wsgrade {line}\n{ruling}")
    });
    assert_snapshot!(said.join("\n"), @"
    $ wsgrade report run.json -o out
    gate met: no MUST is broken in 8 cases
    $ wsgrade report run.json -o out --fail-on non-strict
    gate not met: a SHOULD is broken in 1 case of reference server: 1.1.3
    $ wsgrade report run.json -o out --min-grade A+
    gate not met: the grade of reference server is B, and A+ is asked for
    $ wsgrade report run.json -o out --min-grade B
    gate met: no MUST is broken in 8 cases, and no grade is below B
    $ wsgrade report run.json -o out --baseline run/run.json --fail-on regression
    gate not met: 1 case of reference server regressed against the baseline: 1.1.3
    $ wsgrade report run/run.json -o out --baseline run.json --fail-on regression
    gate met: nothing regressed in 8 cases
    ");
}

/// The cases of TLS, against a server without.
#[test]
fn a_run_in_which_nothing_was_judged_never_passes() {
    let place = Place::new();
    let text = place.ends(3, "test -c S.4.1 -o run");
    assert!(text.contains("gate undecided: nothing was judged of reference server\n"), "{text}");
    place.ends(0, "report baseline run/run.json");
    let gate = "--baseline wsgrade-baseline.txt --fail-on regression";
    let text = place.ends(3, &format!("test -c S.4.1 {gate} -o run"));
    assert!(text.contains("gate undecided: nothing was judged of reference server\n"), "{text}");
    place.ends(3, "test -c S.4.1 --fail-on non-strict -o run");
    place.ends(3, "test -c S.4.1 --min-grade F -o run");
}

/// Whatever is wrong with the command line or a file is exit code 2 and a sentence, before anything is played.
#[test]
fn what_is_wrong_is_said_before_anything_is_played() {
    let place = Place::new();
    place.write(
        "bad.txt",
        "wsgrade-baseline 1\ncatalogue abc\ntarget \"ws\" server\n1.1.1 tcp pas pass 1000\n",
    );
    place.write(
        "good.txt",
        "wsgrade-baseline 1\ncatalogue abc\ntarget \"ws\" server\n1.1.1 tcp pass pass 1000\n",
    );
    let said = [
        "test --fail-on regression",
        "test --fail-on never",
        "test --min-grade E",
        "test --baseline gone.txt",
        "test --baseline bad.txt",
        "listen --baseline bad.txt",
        "test --shard 4/3",
        "test --shard 1/20000",
        "test --durations good.txt",
        "test --shard 1/3 --durations good.txt",
        "test -c 1.1.1 --shard 1/2",
        "test -c 1.1.1 --shard 2/2",
        "compare good.txt bad.txt",
        "compare good.txt",
        "report --fail-on regression",
    ]
    .into_iter()
    .filter_map(|line| match place.run(line) {
        // Of two shards of one case one is not empty.
        (0, _) if line.ends_with("/2") => None,
        (code, text) => {
            assert_eq!(code, 2, "$ wsgrade {line}\n{text}");
            Some(format!("$ wsgrade {line}\n{text}"))
        }
    });
    assert_snapshot!(said.collect::<Vec<_>>().join("\n"), @"
    $ wsgrade test --fail-on regression
    wsgrade: --fail-on regression wants something to compare with: give --baseline FILE, or `baseline` under [gate] of wsgrade.toml; `wsgrade report baseline` writes one

    $ wsgrade test --fail-on never
    error: invalid value 'never' for '--fail-on <WHAT>'
      [possible values: fail, non-strict, regression]

    For more information, try '--help'.

    $ wsgrade test --min-grade E
    error: invalid value 'E' for '--min-grade <GRADE>'
      [possible values: A+, A, B, C, D, F]

    For more information, try '--help'.

    $ wsgrade test --baseline gone.txt
    wsgrade: gone.txt: No such file or directory (os error 2)

    $ wsgrade test --baseline bad.txt
    wsgrade: bad.txt:4: unknown behavior `pas`
      help: did you mean `pass`?

    $ wsgrade listen --baseline bad.txt
    wsgrade: bad.txt:4: unknown behavior `pas`
      help: did you mean `pass`?

    $ wsgrade test --shard 4/3
    error: invalid value '4/3' for '--shard <K/N>': a shard is written K/N, such as 1/3, 2/3 or 3/3

    For more information, try '--help'.

    $ wsgrade test --shard 1/20000
    error: invalid value '1/20000' for '--shard <K/N>': there are 10000 shards at most

    For more information, try '--help'.

    $ wsgrade test --durations good.txt
    error: the following required arguments were not provided:
      --shard <K/N>

    Usage: wsgrade test --shard <K/N> --durations <FILE> [URL]...

    For more information, try '--help'.

    $ wsgrade test --shard 1/3 --durations good.txt
    wsgrade: good.txt: no case of the role server has a time there; give a run.json, or write the baseline with --durations

    $ wsgrade test -c 1.1.1 --shard 2/2
    wsgrade: shard 2 of 2 has none of the one selected case: cut them into fewer shards

    $ wsgrade compare good.txt bad.txt
    wsgrade: bad.txt:4: unknown behavior `pas`
      help: did you mean `pass`?

    $ wsgrade compare good.txt
    error: the following required arguments were not provided:
      <NEW>

    Usage: wsgrade compare <OLD> <NEW>

    For more information, try '--help'.

    $ wsgrade report --fail-on regression
    wsgrade: --fail-on regression wants something to compare with: give --baseline FILE, or `baseline` under [gate] of wsgrade.toml; `wsgrade report baseline` writes one
    ");
}

/// Two files that have nothing in common are no success.
#[test]
fn nothing_compared_is_not_nothing_different() {
    let place = Place::new();
    let file = |name: &str, case: &str| {
        place.write(
            name,
            &format!("wsgrade-baseline 1\ncatalogue abc\ntarget \"ws\" server\n{case} tcp pass pass 1000\n"),
        );
    };
    file("a.txt", "1.1.1");
    file("b.txt", "1.1.2");
    let text = place.ends(3, "compare a.txt b.txt");
    assert_snapshot!(text, @"
    ws: 1 added, 1 removed (0 cases compared)

      added (1): not there before
        1.1.2  pass (1000)

      removed (1): not there any more
        1.1.1  pass (1000)
    ");
    place.ends(0, "compare a.txt a.txt");
}
