//! The output tree of Autobahn|Testsuite.

use std::collections::{BTreeSet, HashMap};
use std::fs;

use serde_json::{Value, json};
use wsgrade_reports::record::{Behavior, CaseRecord, CloseVerdict, Role, RunReport, What};
use wsgrade_reports::render::{self, autobahn};

use crate::sample;

/// The small sample under tame names.
fn tame() -> RunReport {
    let mut report = sample::small();
    report.targets[0].name = "ws 8.18.3".to_owned();
    report
}

fn files(report: &RunReport) -> HashMap<String, String> {
    let files = autobahn::render(report);
    let count = files.len();
    let files: HashMap<_, _> = files.into_iter().map(|file| (file.name, file.contents)).collect();
    assert_eq!(files.len(), count, "no file replaces another");
    files
}

fn parsed(files: &HashMap<String, String>, name: &str) -> Value {
    serde_json::from_str(files.get(name).expect(name)).expect("it is JSON")
}

/// The record with this id in the first target's `<agent>_case_….json`.
fn case(report: &RunReport, id: &str) -> Value {
    parsed(&files(report), &format!("ws_8_18_3_case_{}.json", id.replace('.', "_")))
}

#[test]
fn the_index() {
    insta::assert_snapshot!(files(&tame())["index.json"]);
}

/// As gates in the field read it: the whole index but for the durations.
#[test]
fn the_index_equals_a_stored_expectation() {
    let mut report = tame();
    report.targets.truncate(1);
    report.targets[0].cases.truncate(5);
    let mut index = parsed(&files(&report), "index.json");
    for case in index["ws 8.18.3"].as_object_mut().expect("the agent's cases").values_mut() {
        let duration = case.as_object_mut().and_then(|case| case.remove("duration"));
        assert!(duration.is_some_and(|ms| ms.is_u64()));
    }
    let passed = |file: &str| {
        json!({
            "behavior": "OK", "behaviorClose": "OK", "remoteCloseCode": 1000,
            "reportfile": format!("ws_8_18_3_case_{file}.json"),
        })
    };
    let expected = json!({
        "ws 8.18.3": {
            "1.1.1": passed("1_1_1"),
            "1.1.2": passed("1_1_2"),
            "1.1.3": passed("1_1_3"),
            "1.1.4": passed("1_1_4"),
            "2.5": {
                "behavior": "FAILED", "behaviorClose": "UNCLEAN", "remoteCloseCode": null,
                "reportfile": "ws_8_18_3_case_2_5.json",
            },
        }
    });
    assert_eq!(index, expected);
}

#[test]
fn every_verdict_has_its_old_word() {
    let mut report = tame();
    report.targets.truncate(1);
    let record = |id: String, behavior, close| CaseRecord { behavior, close, ..sample::passed(&id, "tcp") };
    report.targets[0].cases = Behavior::ALL
        .into_iter()
        .flat_map(|b| CloseVerdict::ALL.map(|c| record(format!("{b}.{c}"), b, c)))
        .collect();
    let index = parsed(&files(&report), "index.json");
    for behavior in Behavior::ALL {
        for close in CloseVerdict::ALL {
            let entry = &index["ws 8.18.3"][format!("{behavior}.{close}")];
            let old = match behavior {
                Behavior::Pass => "OK",
                Behavior::Informational => "INFORMATIONAL",
                Behavior::Unimplemented => "UNIMPLEMENTED",
                Behavior::NonStrict => "NON-STRICT",
                Behavior::Fail | Behavior::Inconclusive => "FAILED",
            };
            let old_close = match close {
                _ if behavior == Behavior::Unimplemented => "OK",
                CloseVerdict::Pass | CloseVerdict::Dropped => "OK",
                CloseVerdict::Informational => "INFORMATIONAL",
                CloseVerdict::WrongCode => "WRONG CODE",
                CloseVerdict::Unclean => "UNCLEAN",
                CloseVerdict::FailedByPeer => "FAILED BY CLIENT",
                CloseVerdict::WrongSide | CloseVerdict::Inconclusive => "FAILED",
            };
            assert_eq!((&entry["behavior"], &entry["behaviorClose"]), (&json!(old), &json!(old_close)));
        }
    }
}

/// The keys of a case file and what each may be.
const KEYS: [(&str, &str); 38] = [
    ("agent", "string"),
    ("behavior", "string"),
    ("behaviorClose", "string"),
    ("case", "number"),
    ("closedByMe", "bool"),
    ("createStats", "bool"),
    ("createWirelog", "bool"),
    ("description", "string"),
    ("droppedByMe", "bool"),
    ("duration", "number"),
    ("expectation", "string"),
    ("expected", "object"),
    ("expectedClose", "object"),
    ("failedByMe", "bool"),
    ("httpRequest", "string"),
    ("httpResponse", "string"),
    ("id", "string"),
    ("isServer", "bool"),
    ("localCloseCode", "number?"),
    ("localCloseReason", "string?"),
    ("received", "array"),
    ("remoteCloseCode", "number?"),
    ("remoteCloseReason", "string?"),
    ("reportCompressionRatio", "bool"),
    ("reportTime", "bool"),
    ("result", "string"),
    ("resultClose", "string"),
    ("rxFrameStats", "object"),
    ("rxOctetStats", "object"),
    ("started", "string"),
    ("trafficStats", "object?"),
    ("txFrameStats", "object"),
    ("txOctetStats", "object"),
    ("wasClean", "bool"),
    ("wasCloseHandshakeTimeout", "bool"),
    ("wasNotCleanReason", "string?"),
    ("wasOpenHandshakeTimeout", "bool"),
    ("wasServerConnectionDropTimeout", "bool"),
];

#[test]
fn every_case_file_has_all_keys() {
    let report = sample::small();
    let files = files(&report);
    let cases: Vec<_> =
        files.iter().filter(|(name, _)| name.ends_with(".json") && *name != "index.json").collect();
    assert_eq!(cases.len(), report.targets.iter().map(|target| target.cases.len()).sum::<usize>());
    for (name, text) in cases {
        let case: Value = serde_json::from_str(text).expect("it is JSON");
        let keys: BTreeSet<_> = case.as_object().expect("an object").keys().map(String::as_str).collect();
        let expected: BTreeSet<_> = KEYS.iter().map(|(key, _)| *key).chain(["wirelog"]).collect();
        assert_eq!(keys, expected, "{name}");
        assert!(case["wirelog"].is_array());
        for (key, kind) in KEYS {
            let value = &case[key];
            let is = match kind.trim_end_matches('?') {
                "string" => value.is_string(),
                "number" => value.is_u64(),
                "bool" => value.is_boolean(),
                "object" => value.is_object(),
                "array" => value.is_array(),
                other => panic!("{other} is no kind"),
            };
            assert!(is || (kind.ends_with('?') && value.is_null()), "{name}: {key} is {value}");
        }
        let order: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("   \"")).map(|line| line.to_owned()).collect();
        assert!(order.is_sorted(), "{name}: the keys are sorted");
    }
}

#[test]
fn a_case_file() {
    let mut report = tame();
    let ids: Vec<_> = report.targets[0].cases.iter().map(|record| record.id.clone()).collect();
    assert!(ids.contains(&"6.3.1".to_owned()));
    report.duration_ms = 1.0;
    insta::assert_snapshot!(files(&report)["ws_8_18_3_case_6_3_1.json"]);
}

#[test]
fn what_happened_is_told() {
    let report = tame();
    let passed = case(&report, "1.1.1");
    assert_eq!(passed["closedByMe"], true);
    assert_eq!((&passed["wasClean"], &passed["wasNotCleanReason"]), (&json!(true), &Value::Null));
    assert_eq!(passed["droppedByMe"], false);
    assert_eq!((&passed["localCloseCode"], &passed["remoteCloseCode"]), (&json!(1000), &json!(1000)));
    assert_eq!(passed["started"], "2026-01-02T03:04:05.000Z");
    assert_eq!((&passed["case"], &passed["isServer"]), (&json!(1), &json!(false)));
    assert_eq!(passed["received"][0][0], "message");
    assert_eq!(passed["received"][0][2], false);
    assert_eq!(passed["expected"]["OK"], json!([["outcome", "the same message comes back"]]));
    assert_eq!(passed["rxFrameStats"], json!({"1": 1, "8": 1}));
    assert!(passed["httpRequest"].as_str().is_some_and(|head| head.starts_with("GET / HTTP/1.1\r\n")));
    assert!(passed["httpResponse"].as_str().is_some_and(|head| head.ends_with("\r\n\r\n")));
    let kinds: Vec<_> =
        passed["wirelog"].as_array().expect("rows").iter().filter_map(|row| row[0].as_str()).collect();
    assert_eq!(kinds, ["TO", "RO", "TF", "TO", "RO", "RF", "TF", "TO", "RO", "RF"]);

    let failed = case(&report, "2.5");
    assert_eq!((&failed["wasClean"], &failed["closedByMe"]), (&json!(false), &json!(false)));
    assert_eq!(failed["expectedClose"]["requireClean"], true);
    assert_eq!(failed["remoteCloseReason"], "going away");
    assert_eq!(failed["trafficStats"]["incomingWebSocketMessages"], 412);
    assert_eq!(failed["received"][0][0], "pong");

    let wrong_side = case(&report, "3.1");
    assert_ne!(wrong_side["expectedClose"]["closedByMe"], wrong_side["closedByMe"]);
    // Characters beyond ASCII are escaped in the file and whole when read.
    let bytes = failed["wirelog"].to_string();
    assert!(bytes.contains("κόσμε"), "{bytes}");

    let inconclusive = case(&report, "F.1");
    assert_eq!(inconclusive["behavior"], "FAILED");
    assert!(inconclusive["result"].as_str().is_some_and(|result| result.starts_with("inconclusive")));
}

#[test]
fn of_a_client_we_are_the_server() {
    let mut report = tame();
    report.targets.truncate(1);
    report.targets[0].role = Role::Client;
    for record in &mut report.targets[0].cases {
        record.role = Role::Client;
    }
    let case = case(&report, "1.1.1");
    assert_eq!(case["isServer"], true);
    // Who sent the request changed, the text in the sample did not.
    assert!(case["httpResponse"].as_str().is_some_and(|head| head.starts_with("GET")));
    assert_eq!(case["wasClean"], false, "it is for the server to end TCP");
    assert_eq!(case["wasNotCleanReason"], "it was not the server that ended TCP");
}

#[test]
fn classes_are_there_only_for_cases_that_have_them() {
    let mut report = tame();
    let page = &files(&report)["index.html"];
    for class in
        ["case_ok", "case_failed", "case_non_strict", "case_info", "case_almost", "case_unimplemented"]
    {
        assert!(
            page.contains(&format!("class=\"{class}")) || page.contains(&format!("close {class}")),
            "{class}"
        );
    }
    // The other target's are all passes.
    report.targets.remove(0);
    let all = files(&report);
    for class in ["case_failed", "case_non_strict", "case_info", "case_almost", "case_unimplemented"] {
        assert!(all.values().all(|text| !text.contains(class)), "{class}");
    }
    assert!(all["index.html"].contains("<td class=\"case_ok\">"));
    // Our own page knows nothing of them.
    let ours = render::html::render(&report).remove(0).contents;
    assert!(!ours.contains("case_ok") && !ours.contains("<details class=\"old\">"));
    // How a connection ended is a failure of its own there.
    report.targets[0].cases[0].close = CloseVerdict::Unclean;
    assert!(files(&report)["index.html"].contains("<td class=\"close case_failed\">"));
}

#[test]
fn a_case_page_leads_to_the_case() {
    let files = files(&tame());
    let page = &files["ws_8_18_3_case_2_5.html"];
    assert!(page.contains("content=\"0; url=index.html#case/2.5/1\""), "{page}");
    assert!(page.contains("<p class=\"case case_failed\">ws 8.18.3, case 2.5: Fail."), "{page}");
    assert!(files["reference_server_case_2_5.html"].contains("#case/2.5/2"));
}

#[test]
fn hostile_text_stays_text() {
    let report = sample::small();
    for (name, text) in files(&report) {
        assert!(name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'.'), "{name}");
        assert!(!name.contains(".."), "{name}");
        if name.ends_with(".html") {
            assert!(!text.contains("<img"), "{name}");
        }
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{name}");
        assert!(!text.contains('\u{202e}'), "{name}");
        assert!(!name.ends_with(".json") || text.is_ascii(), "{name}");
    }
}

#[test]
fn agents_of_one_name_are_told_apart() {
    let mut report = tame();
    report.targets[1].name = "WS 8/18/3".to_owned();
    let mut third = report.targets[1].clone();
    third.cases[1].carrier = "h2".to_owned();
    report.targets.push(third);
    let files = files(&report);
    let index = parsed(&files, "index.json");
    let agents: Vec<_> = index.as_object().expect("agents").keys().collect();
    assert_eq!(agents, ["WS 8/18/3", "WS 8/18/3 (2)", "WS 8/18/3 (h2)", "ws 8.18.3"]);
    for (agent, file) in [
        ("ws 8.18.3", "ws_8_18_3_case_1_1_1.json"),
        ("WS 8/18/3", "ws_8_18_3_2_case_1_1_1.json"),
        ("WS 8/18/3 (2)", "ws_8_18_3__2_case_1_1_1.json"),
    ] {
        assert_eq!(index[agent]["1.1.1"]["reportfile"], file);
        assert_eq!(parsed(&files, file)["agent"], agent);
    }
    let over_h2 = &index["WS 8/18/3 (h2)"];
    assert_eq!(over_h2.as_object().map(serde_json::Map::len), Some(1));
    assert!(files["ws_8_18_3__h2_case_1_1_2.html"].contains("#case/1.1.2/3/h2"));
}

#[test]
fn an_empty_run_is_empty_and_says_so() {
    let mut report = tame();
    report.targets.truncate(1);
    report.targets[0].cases.clear();
    let files = files(&report);
    assert_eq!(parsed(&files, "index.json"), json!({"ws 8.18.3": {}}));
    assert_eq!(files.len(), 2);
}

#[test]
fn odd_durations_and_payloads_are_no_harm() {
    let mut report = tame();
    report.targets[0].cases[0].duration_ms = f64::NAN;
    report.targets[0].cases[1].duration_ms = -3.0;
    let What::Frame { frame, .. } = &mut report.targets[0].cases[0].transcript.entries[4].what else {
        panic!("entry 4 is the frame")
    };
    (frame.opcode, frame.rsv, frame.length_bytes) = (255, 255, 77);
    frame.payload.hex = "zz".to_owned();
    frame.mask = Some("no hex".to_owned());
    frame.times = u32::MAX;
    let index = parsed(&files(&report), "index.json");
    assert_eq!(index["ws 8.18.3"]["1.1.1"]["duration"], 0);
    assert_eq!(index["ws 8.18.3"]["1.1.2"]["duration"], 0);
}

#[test]
fn it_is_written_where_it_is_wanted() {
    let dir = std::env::temp_dir().join(format!("wsgrade-autobahn-{}", std::process::id()));
    let paths = autobahn::write_into(&tame(), &dir).expect("the directory is made");
    assert_eq!(fs::read_dir(&dir).expect("it is there").count(), paths.len());
    assert!(dir.join("index.json").exists() && dir.join("reference_server_case_1_1_1.json").exists());
    assert!(!dir.join("run.json").exists() && !dir.join("junit.xml").exists());
    fs::remove_dir_all(&dir).expect("it is ours");
}
