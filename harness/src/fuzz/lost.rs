//! What was under way when a target was lost that we cannot start again: nobody knows yet what it died of, so it is no finding, and
//! nothing of it may be lost.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use wsgrade_cases::model::Scenario;
use wsgrade_cases::write;

use super::finding::{Origin, one_line};

/// The name of the file.
pub(super) const FILE: &str = "lost.toml";
/// The section of its cases, which are no findings.
const SECTION: &str = "lost";

/// Writes the last scenarios, given newest first, as cases.
///
/// # Errors
///
/// The folder or the file cannot be written.
pub(super) fn save(scenarios: &[(u64, Arc<Scenario>)], file: &Path, origin: &Origin) -> io::Result<()> {
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(file, text(scenarios, origin))
}

fn text(scenarios: &[(u64, Arc<Scenario>)], origin: &Origin) -> String {
    let Origin { target, seed } = origin;
    let mut out = String::new();
    let _ = writeln!(out, "# The target stopped serving while these were played, the newest first.");
    let _ = writeln!(out, "# target    {}", one_line(target));
    let _ = writeln!(out, "# seed      {seed}\n");
    let named: Vec<_> =
        (1_u32..).zip(scenarios).map(|(n, (number, scenario))| named(n, *number, scenario, *seed)).collect();
    out + &write::section(SECTION, "Under way when the target was lost") + "\n" + &write::scenarios(&named)
}

fn named(n: u32, number: u64, scenario: &Scenario, seed: u64) -> Scenario {
    Scenario {
        // Letters and a number.
        id: format!("{SECTION}.{n}").parse().unwrap_or_else(|_| scenario.id.clone()),
        title: format!("Scenario {number}"),
        why: format!(
            "`wsgrade fuzz` with the seed {seed} lost the target while this was played or soon after."
        ),
        ..scenario.clone()
    }
}

#[cfg(test)]
mod tests {
    use wsgrade_cases::load;
    use wsgrade_codec::Role;

    use super::*;
    use crate::generate::{Brief, generate};

    #[test]
    fn a_case_file() {
        let brief = Brief { role: Role::Server, deflate: true, openings: true };
        let scenarios: Vec<_> =
            (0..40_u8).map(|n| (u64::from(n), Arc::new(generate(&brief, &[n; 64])))).collect();
        let origin = Origin { target: "ws://a\n[[case]]".to_owned(), seed: 7 };
        let text = text(&scenarios, &origin);
        let read = load::read("lost.toml", &text).unwrap();
        let ids: Vec<_> = read.scenarios.iter().map(|(scenario, _)| scenario.id.to_string()).collect();
        assert_eq!((ids.len(), ids[0].as_str(), ids[39].as_str()), (40, "lost.1", "lost.40"));
        assert_eq!(read.scenarios[39].0.steps, scenarios[39].1.steps);
    }
}
