//! What is written to the old tool's output folder.

use std::io;
use std::path::Path;

use wsgrade_reports::record::RunReport;
use wsgrade_reports::render::autobahn;

/// The file that every script in the field reads.
const INDEX: &str = "index.json";

/// Writes the reports of a run.
pub(crate) fn write(report: &RunReport, dir: &Path) -> io::Result<()> {
    autobahn::write_into(report, dir).map(drop)
}

/// Removes the index of an earlier run: whatever reads it must not take that for this run's.
pub(crate) fn clear(dir: &Path) -> io::Result<()> {
    match std::fs::remove_file(dir.join(INDEX)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_index_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        assert!(clear(&dir.path().join("not-there")).is_ok());
        for file in [INDEX, "other.json"] {
            std::fs::write(dir.path().join(file), "{}").unwrap();
        }
        clear(dir.path()).unwrap();
        assert!(!dir.path().join(INDEX).exists() && dir.path().join("other.json").exists());
    }
}
