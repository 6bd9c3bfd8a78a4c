//! Writes the reports of a few made-up runs in every format, to be looked at:
//! `cargo run -p wsgrade-reports --example sample_page -- DIR`. With `--pages` before it, only the pages that
//! `tests/browser` reads; with run records behind it, those of these: `… -- DIR wsgrade-report/run.json`.

#[path = "../tests/it/sample.rs"]
mod sample;

#[path = "../tests/it/realistic.rs"]
mod realistic;

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, io};

use wsgrade_reports::expect::{Expectation, Matching, apply};
use wsgrade_reports::record::{Behavior, RunReport};
use wsgrade_reports::render::html::{self, Baseline};
use wsgrade_reports::render::{self, Format};

fn main() -> io::Result<()> {
    let mut words = std::env::args().skip(1).peekable();
    let only_pages = words.next_if(|word| word == "--pages").is_some();
    let dir = PathBuf::from(words.next().unwrap_or_else(|| "wsgrade-samples".to_owned()));
    if words.peek().is_some() {
        return words.try_for_each(|path| {
            let report = RunReport::from_json(&fs::read_to_string(&path)?).map_err(io::Error::other)?;
            let name = PathBuf::from(&path).with_extension("html");
            write_page(&report, None, &dir.join(name.file_name().expect("it was read")))
        });
    }
    let (realistic, whole) = (realistic::run(), realistic::whole());
    write_page(&sample::small(), None, &dir.join("hostile.html"))?;
    write_page(&realistic, Some(&realistic::baseline(&realistic)), &dir.join("compared.html"))?;
    write_page(&whole, Some(&realistic::baseline(&whole)), &dir.join("whole.html"))?;
    write_page(&realistic::expected(), None, &dir.join("expected.html"))?;
    if only_pages {
        return Ok(());
    }
    let mut one = sample::small();
    one.targets.truncate(1);
    one.targets[0].name = "ws 8.18".to_owned();
    let mut clean = sample::large(1, 250, 2);
    clean.targets[0].name = "reference-server".to_owned();
    let runs: [(&str, RunReport); 7] = [
        ("known", known()),
        ("hostile", sample::small()),
        ("one", one),
        ("clean", clean),
        ("large", sample::large(5, 520, 4)),
        ("long", sample::large(5, 520, 60)),
        ("realistic", realistic.clone()),
    ];
    for (name, report) in runs {
        let began = Instant::now();
        for path in render::write_files(&render::only(&Format::ALL, &report), &dir.join(name))? {
            println!("{:>10} bytes  {}", path.metadata()?.len(), path.display());
        }
        println!("{:>10.0?}", began.elapsed());
    }
    for (name, report) in [("old", sample::small()), ("old-realistic", realistic)] {
        let began = Instant::now();
        let paths = render::autobahn::write_into(&report, &dir.join(name))?;
        let sizes =
            paths.iter().map(|path| path.metadata().map(|meta| meta.len())).sum::<io::Result<u64>>()?;
        println!("{sizes:>10} bytes  {} in {} files, {:.0?}", name, paths.len(), began.elapsed());
    }
    print!("{}", render::summary(&sample::small()));
    Ok(())
}

/// A run in which one thing is wrong that was known, and one was expected to be that is not.
fn known() -> RunReport {
    let mut report = sample::faultless();
    sample::record(&mut report, "2.5").behavior = Behavior::Fail;
    let new = |id: &str| {
        Expectation::new(
            vec![id.to_owned()],
            Behavior::Fail,
            None,
            "issue 12, to be mended in the next version",
        )
        .expect("a deviation")
    };
    let same = |pattern: &str, text: &str| pattern == text;
    let today = "2027-03-01".parse().expect("a day");
    apply(&mut report, &[new("2.5"), new("2.6")], today, &Matching { matches: &same, known: &[] });
    report
}

/// The page alone.
fn write_page(report: &RunReport, baseline: Option<&Baseline>, path: &Path) -> io::Result<()> {
    let began = Instant::now();
    for file in html::render_with(report, baseline) {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        fs::write(path, &file.contents)?;
        println!("{:>10} bytes  {} {:.0?}", file.contents.len(), path.display(), began.elapsed());
    }
    Ok(())
}
