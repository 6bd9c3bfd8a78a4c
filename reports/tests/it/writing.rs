//! Files on the disk.

use std::fs;

use wsgrade_reports::render;

use crate::sample;

#[test]
fn a_report_is_three_files_and_replaces_the_one_before() {
    let base = std::env::temp_dir().join(format!("wsgrade-reports-{}", std::process::id()));
    let dir = base.join("deep/er");
    let mut report = sample::small();
    render::write_all(&report, &dir).expect("the directory is made");
    report.seed = 7;
    let paths = render::write_all(&report, &dir).expect("files are replaced");

    let names: Vec<_> =
        paths.iter().map(|path| path.file_name().expect("a file").to_string_lossy()).collect();
    assert_eq!(names, ["run.json", "index.html", "junit.xml"]);
    assert!(fs::read_to_string(&paths[0]).expect("it is there").contains("\"seed\":7"));
    assert_eq!(fs::read_dir(&dir).expect("it is there").count(), 3, "no draft is left");

    let error = render::write_all(&report, &paths[0]).expect_err("a file is no directory");
    assert!(error.to_string().contains("run.json"), "{error}");
    fs::remove_dir_all(&base).expect("it is ours");
}
