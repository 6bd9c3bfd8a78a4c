//! A baseline as text.

use std::fmt::Write as _;

use super::{Baseline, BaselineTarget, FormatVersion};
use crate::compare::{Pace, Verdict};
use crate::record::CaseKey;
use crate::render::text::is_invisible;

/// What a file begins with.
const HEAD: &str = "\
# Verdicts that later runs are compared with: wsgrade test --baseline FILE. One line a case, sorted.
# Columns: id, carrier, behavior, close, status code of the Close frame or -, and perhaps the time it took.
# Written by `wsgrade report baseline RUN.JSON`; a line may also be changed by hand.
";

pub(super) fn write(baseline: &Baseline) -> String {
    let mut sorted = baseline.clone();
    sorted.sort();
    let mut out = HEAD.to_owned();
    lines(&sorted, &mut out).expect("writing to a string never fails");
    out
}

fn lines(baseline: &Baseline, out: &mut String) -> std::fmt::Result {
    writeln!(out, "wsgrade-baseline {}", FormatVersion::CURRENT.0)?;
    writeln!(out, "catalogue {}", word(&baseline.catalogue))?;
    match baseline.pace {
        Some(Pace(Some(depth))) => writeln!(out, "depth {depth}")?,
        Some(Pace(None)) => writeln!(out, "depth full")?,
        None => {}
    }
    for target in &baseline.targets {
        let BaselineTarget { name, role, cases } = target;
        writeln!(out, "\ntarget {} {role}", quoted(name))?;
        for (key, verdict) in cases {
            writeln!(out, "{}", line(key, verdict))?;
        }
    }
    Ok(())
}

fn line(key: &CaseKey, verdict: &Verdict) -> String {
    let Verdict { behavior, close, close_code, duration_ms } = verdict;
    let code = close_code.map_or("-".to_owned(), |code| code.to_string());
    // What is no whole number of milliseconds was rounded to one before it came here.
    let time = duration_ms.map_or(String::new(), |ms| format!("{}ms", ms.max(0.0) as u64));
    let line = format!(
        "{:<12} {:<5} {behavior:<14} {close:<15} {code:<5} {time}",
        word(&key.id),
        word(&key.carrier)
    );
    line.trim_end().to_owned()
}

/// As it is, where that can be told from everything else; else in quotes.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let keyword = matches!(text, "target" | "catalogue" | "depth" | "wsgrade-baseline");
    if !text.is_empty() && text.chars().all(plain) && !keyword { text.to_owned() } else { quoted(text) }
}

/// A string of JSON on one line, in which everything that does not show is written out.
fn quoted(text: &str) -> String {
    let json = serde_json::to_string(text).expect("a string is JSON");
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_invisible(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("writing to a string never fails");
            }
        } else {
            out.push(c);
        }
    }
    out
}
