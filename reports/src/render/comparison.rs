//! A comparison, for a terminal and as Markdown.

use std::fmt::Write as _;

use super::text::{column, prose, visible};
use super::words;
use crate::compare::{Change, Comparison, Delta, TargetComparison, Verdict};
use crate::record::{CaseKey, CloseVerdict, RunReport};

/// How many cases of one kind are listed in Markdown, which is read beside a change and not instead of the report.
const LISTED: usize = 20;
/// How wide a title gets at most, in characters.
const TITLE: usize = 44;

/// The comparison in plain text without colour codes. Titles are those of `report`, where there is one.
pub fn text(comparison: &Comparison, report: Option<&RunReport>) -> String {
    let mut out = String::new();
    write_text(comparison, report, &mut out).expect("writing to a string never fails");
    // A blank line stands between parts, not behind the last one.
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn write_text(comparison: &Comparison, report: Option<&RunReport>, out: &mut String) -> std::fmt::Result {
    for target in &comparison.targets {
        writeln!(out, "{}: {}", column(&target.name, 100), tally(target))?;
        for change in Change::ALL {
            let deltas: Vec<_> = target.of(change).collect();
            if deltas.is_empty() {
                continue;
            }
            writeln!(out, "\n  {change} ({}): {}", deltas.len(), meaning(change))?;
            let width = deltas.iter().map(|delta| name(&delta.key).chars().count()).max().unwrap_or(0);
            for delta in deltas {
                let title = title(report, &delta.key.id).map_or(String::new(), |title| format!("  {title}"));
                let id = name(&delta.key);
                writeln!(out, "    {id:width$}  {}{title}", told(delta))?;
            }
        }
        writeln!(out)?;
    }
    for unmatched in &comparison.unmatched {
        writeln!(out, "{unmatched}")?;
    }
    for note in &comparison.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

/// The comparison as a small table for a pull request: counts for each target, then what regressed, was fixed, changed or
/// became slower, folded where it is long.
pub fn markdown(comparison: &Comparison, report: Option<&RunReport>) -> String {
    let mut out = String::new();
    write_markdown(comparison, report, &mut out).expect("writing to a string never fails");
    out
}

fn write_markdown(comparison: &Comparison, report: Option<&RunReport>, out: &mut String) -> std::fmt::Result {
    let heads: Vec<_> = Change::ALL.iter().map(|change| change.as_str()).collect();
    writeln!(out, "| target | compared | {} |", heads.join(" | "))?;
    writeln!(out, "|---|--:|{}", "--:|".repeat(heads.len()))?;
    for target in &comparison.targets {
        let counts: Vec<_> =
            Change::ALL.iter().map(|change| target.of(*change).count().to_string()).collect();
        let name = escaped(&column(&target.name, 60));
        writeln!(out, "| {name} | {} | {} |", target.compared, counts.join(" | "))?;
    }
    for target in &comparison.targets {
        let listed = [Change::Regressed, Change::Fixed, Change::Changed, Change::Undecided, Change::Slower];
        let deltas: Vec<_> = listed.iter().flat_map(|change| target.of(*change)).collect();
        if deltas.is_empty() {
            continue;
        }
        writeln!(out, "\n**{}**\n", escaped(&column(&target.name, 60)))?;
        writeln!(out, "| | case | before | now | |")?;
        writeln!(out, "|---|---|---|---|---|")?;
        for change in listed {
            for (n, delta) in target.of(change).enumerate() {
                if n == LISTED {
                    let more = target.of(change).count() - LISTED;
                    writeln!(out, "| {change} | {more} more | | | |")?;
                    break;
                }
                let side =
                    |verdict: Option<Verdict>| verdict.map_or("–".to_owned(), |verdict| words_of(&verdict));
                let title = title(report, &delta.key.id).unwrap_or_default();
                let (before, mut now) = (side(delta.old), side(delta.new));
                if delta.slower {
                    write!(now, ", {}", times(delta))?;
                }
                writeln!(
                    out,
                    "| {change} | {} | {before} | {now} | {} |",
                    escaped(&name(&delta.key)),
                    escaped(&title)
                )?;
            }
        }
    }
    for unmatched in &comparison.unmatched {
        writeln!(out, "\n{}", escaped(&unmatched.to_string()))?;
    }
    for note in &comparison.notes {
        writeln!(out, "\nNote: {}", escaped(note))?;
    }
    Ok(())
}

/// `1 regressed, 2 fixed of 252 cases compared`.
fn tally(target: &TargetComparison) -> String {
    let counts: Vec<_> = Change::ALL
        .into_iter()
        .map(|change| (change, target.of(change).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(change, count)| format!("{count} {change}"))
        .collect();
    let compared = words::cases(target.compared);
    match counts.as_slice() {
        [] => format!("nothing is different in {compared}"),
        counts => format!("{} ({compared} compared)", counts.join(", ")),
    }
}

/// What a change means, for those who meet it for the first time.
fn meaning(change: Change) -> &'static str {
    match change {
        Change::Regressed => "worse than before",
        Change::Fixed => "better than before",
        Change::Changed => "as good as before, and not the same",
        Change::Undecided => "inconclusive on one side, so nothing can be said",
        Change::Slower => "more than twice as long, and more than 250 ms longer",
        Change::Added => "not there before",
        Change::Removed => "not there any more",
    }
}

/// What was and what is: `pass → fail, close unclean`.
fn told(delta: &Delta) -> String {
    let mut told = match (&delta.old, &delta.new) {
        (Some(old), Some(new)) if delta.change == Change::Slower && old.is_like(new) => words_of(new),
        (Some(old), Some(new)) => format!("{} → {}", words_of(old), words_of(new)),
        (Some(one), None) | (None, Some(one)) => words_of(one),
        (None, None) => String::new(),
    };
    if delta.slower {
        told += &format!(", {}", times(delta));
    }
    told
}

/// `3 ms → 1.20 s`.
fn times(delta: &Delta) -> String {
    let time = |verdict: &Option<Verdict>| {
        verdict.and_then(|verdict| verdict.duration_ms).map_or("?".to_owned(), words::duration)
    };
    format!("{} → {}", time(&delta.old), time(&delta.new))
}

/// A verdict in few words: the close axis only where it is no plain pass, the code where there was one.
/// A verdict in a few words.
pub(super) fn words_of(verdict: &Verdict) -> String {
    let mut words = verdict.behavior.to_string();
    match verdict.close {
        CloseVerdict::Pass | CloseVerdict::Informational | CloseVerdict::Inconclusive => {}
        CloseVerdict::Dropped
        | CloseVerdict::WrongCode
        | CloseVerdict::Unclean
        | CloseVerdict::WrongSide
        | CloseVerdict::FailedByPeer => words += &format!(", close {}", verdict.close),
    }
    if let Some(code) = verdict.close_code {
        words += &format!(" ({code})");
    }
    words
}

/// The id, and the carrier where it is not TCP.
fn name(key: &CaseKey) -> String {
    match key.carrier.as_str() {
        "tcp" => visible(&key.id).into_owned(),
        carrier => format!("{} [{}]", visible(&key.id), column(carrier, 16)),
    }
}

fn title(report: Option<&RunReport>, id: &str) -> Option<String> {
    let info = report?.cases.iter().find(|info| info.id == id)?;
    Some(column(&prose(&info.title), TITLE))
}

/// Text in which nothing is a mark of Markdown or of HTML, nor a cell's end, a link or a mention.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            ':' if rest.as_str().starts_with("//") => out.push_str("&#58;"),
            '.' if out.to_ascii_lowercase().ends_with("www") => out.push_str("&#46;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_text_is_markdown() {
        assert_eq!(
            escaped("a|b <img> `c` *d* [e](http://f) www.g @h &amp; \\"),
            "a\\|b &lt;img&gt; \\`c\\` \\*d\\* \\[e\\](http&#58;//f) www&#46;g &#64;h &amp;amp; \\\\"
        );
        assert_eq!(escaped("case 6.4.1: fail, close unclean"), "case 6.4.1: fail, close unclean");
    }
}
