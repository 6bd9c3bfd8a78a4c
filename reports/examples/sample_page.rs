//! Writes the reports of a few made-up runs in every format, to be looked at: `cargo run -p wsgrade-reports --example sample_page -- DIR`.

#[path = "../tests/it/sample.rs"]
mod sample;

#[path = "../tests/it/realistic.rs"]
mod realistic;

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use wsgrade_reports::record::RunReport;
use wsgrade_reports::render::{self, Format};

fn main() -> io::Result<()> {
    let dir = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "wsgrade-samples".to_owned()));
    let mut one = sample::small();
    one.targets.truncate(1);
    one.targets[0].name = "ws 8.18".to_owned();
    let mut clean = sample::large(1, 250, 2);
    clean.targets[0].name = "reference-server".to_owned();
    let runs: [(&str, RunReport); 6] = [
        ("hostile", sample::small()),
        ("one", one),
        ("clean", clean),
        ("large", sample::large(5, 520, 4)),
        ("long", sample::large(5, 520, 60)),
        ("realistic", realistic::run()),
    ];
    for (name, report) in runs {
        let began = Instant::now();
        for path in render::write_files(&render::only(&Format::ALL, &report), &dir.join(name))? {
            println!("{:>10} bytes  {}", path.metadata()?.len(), path.display());
        }
        println!("{:>10.0?}", began.elapsed());
    }
    for (name, report) in [("old", sample::small()), ("old-realistic", realistic::run())] {
        let began = Instant::now();
        let paths = render::autobahn::write_into(&report, &dir.join(name))?;
        let sizes =
            paths.iter().map(|path| path.metadata().map(|meta| meta.len())).sum::<io::Result<u64>>()?;
        println!("{sizes:>10} bytes  {} in {} files, {:.0?}", name, paths.len(), began.elapsed());
    }
    print!("{}", render::summary(&sample::small()));
    Ok(())
}
