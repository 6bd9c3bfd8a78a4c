//! Putting a report on the disk.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::File;
use crate::record::RunReport;

/// Writes [`all`](super::all) the files of the report into a directory, which is made if need be; gives their
/// paths.
///
/// # Errors
///
/// See [`write_files`].
pub fn write_all(report: &RunReport, dir: &Path) -> io::Result<Vec<PathBuf>> {
    write_files(&super::all(report), dir)
}

/// Writes files into a directory, which is made if need be; gives their paths.
///
/// Each file is written beside its place and then moved there: a reader sees the old one or the new one whole,
/// never a half.
///
/// # Errors
///
/// What the disk says, with the path it says it of.
pub fn write_files(files: &[File], dir: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(dir).map_err(|e| located(dir, &e))?;
    files.iter().map(|file| write(file, dir)).collect()
}

fn write(file: &File, dir: &Path) -> io::Result<PathBuf> {
    let path = dir.join(&file.name);
    // Two runs may write to the same directory at once.
    let draft = dir.join(format!(".{}.{}.part", file.name, std::process::id()));
    let written = fs::File::create(&draft)
        .and_then(|mut out| out.write_all(file.contents.as_bytes()))
        .and_then(|()| fs::rename(&draft, &path));
    match written {
        Ok(()) => Ok(path),
        Err(e) => {
            // The error that matters is the first; a draft that was never made cannot be removed.
            let _ = fs::remove_file(&draft);
            Err(located(&path, &e))
        }
    }
}

fn located(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
}
