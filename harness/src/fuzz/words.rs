//! What is printed of a campaign.

use std::fmt::Write as _;

use wsgrade_cases::Register;
use wsgrade_cases::id::RuleId;

use super::campaign::Summary;
use super::differ::Difference;
use super::finding::{Finding, one_line};

/// One block for each difference, those that are lawful last.
pub fn differences(differences: &[Difference]) -> String {
    let mut out = String::new();
    for Difference { told, .. } in differences {
        let kind = if told.lawful { "lawful" } else { "differs" };
        let _ = writeln!(out, "{}: {kind}: {}", told.case, one_line(&told.verdict));
        for seen in &told.seen {
            let _ = writeln!(out, "  {}", one_line(seen));
        }
        let flaky = if told.replayed < told.tries { " (flaky)" } else { "" };
        let _ = writeln!(out, "  shown     again {} of {} times{flaky}", told.replayed, told.tries);
        let _ = writeln!(out, "  file      {}", told.file);
        let _ = writeln!(out, "  replay    {}\n", told.replay);
    }
    out
}

/// One block for each finding, then one line of totals.
pub fn summary(summary: &Summary) -> String {
    let mut out = String::new();
    for finding in &summary.findings {
        block(&mut out, finding);
    }
    if let Some(reason) = &summary.stopped {
        let _ = writeln!(out, "Ended early: {}", one_line(reason));
    }
    let _ = writeln!(out, "{}", totals(summary));
    out
}

fn block(out: &mut String, finding: &Finding) {
    let _ = writeln!(out, "{}: {}", finding.id(), one_line(&finding.kind.in_words()));
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "  {name:<10}{}", one_line(text));
    };
    line("rule", &rule(finding).unwrap_or_else(|| "none".to_owned()));
    if let Some(seen) = finding.record.findings.first() {
        line("expected", &seen.expected);
        line("observed", &seen.observed);
    }
    line("steps", &format!("{} as it was found, {} now", finding.steps_found, finding.steps()));
    let seen = match finding.seen {
        1 => "1 scenario".to_owned(),
        seen => format!("{seen} scenarios"),
    };
    line("shown", &format!("by {seen}; again {}", finding.replayed_in_words()));
    line("file", &finding.file.display().to_string());
    line("replay", &finding.replay);
    out.push('\n');
}

/// The sentence that a finding rests on.
fn rule(finding: &Finding) -> Option<String> {
    let rule = Register::embedded().get(&RuleId::new(finding.rule()?))?;
    Some(format!("{} {}, {}: {}", rule.document, rule.section, rule.level, rule.sentence))
}

fn totals(summary: &Summary) -> String {
    let Summary { scenarios, took, played, corpus, behaviours, findings, cured, left, restarts, .. } =
        summary;
    let rate = *scenarios as f64 / played.as_secs_f64().max(0.001);
    let mut text = format!(
        "{scenarios} scenarios in {:.1} s, {rate:.0} a second; {behaviours} behaviors, {corpus} scenarios in the corpus",
        took.as_secs_f64()
    );
    let flaky = findings.iter().filter(|finding| finding.is_flaky()).count();
    match (findings.len(), flaky) {
        (0, _) => text += "; nothing found",
        (1, 0) => text += "; 1 finding",
        (1, _) => text += "; 1 finding, flaky",
        (all, 0) => _ = write!(text, "; {all} findings"),
        (all, flaky) => _ = write!(text, "; {all} findings, {flaky} of them flaky"),
    }
    if *cured > 0 {
        let _ = write!(text, "; {cured} times late under load and right when alone");
    }
    if *left > 0 {
        let _ = write!(text, "; {left} more looked wrong and were not looked at again for want of time");
    }
    if *restarts > 0 {
        let _ = write!(text, "; started again {restarts} times");
    }
    text
}
