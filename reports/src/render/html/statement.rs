//! The statement of conformance: every rule, and how each target stands to it.

use serde::Serialize;

use super::page::{Link, link};
use crate::conformance::{RuleResult, Standing, conformance, tally};
use crate::record::RunReport;
use crate::render::text::{clipped, column, prose};
use crate::render::words;

/// How many cases a result shows, for what broke a rule, for anything else, and for that beside other targets.
const BROKEN: usize = 12;
const OTHERS: usize = 4;
const OTHERS_OF_MANY: usize = 2;

/// The section of the page.
#[derive(Debug, Serialize)]
pub(super) struct Statement {
    /// Whether the record holds the whole register. A statement drawn from less would claim more than it can.
    complete: bool,
    targets: Vec<Target>,
    documents: Vec<Document>,
}

/// The counts of one target.
#[derive(Debug, Serialize)]
struct Target {
    name: String,
    role: String,
    counts: Vec<Count>,
}

/// So many rules of a standing.
#[derive(Debug, Serialize)]
struct Count {
    n: usize,
    #[serde(flatten)]
    sign: Sign,
}

/// How a standing is shown.
#[derive(Clone, Copy, Debug, Serialize)]
struct Sign {
    word: &'static str,
    symbol: &'static str,
    /// Of the behaviour that looks like it.
    class: &'static str,
    meaning: &'static str,
}

#[derive(Debug, Serialize)]
struct Document {
    name: String,
    n: usize,
    /// For each target, so many of a kind that matters.
    broken: Vec<Count>,
    sections: Vec<Section>,
}

#[derive(Debug, Serialize)]
struct Section {
    id: String,
    /// Where it can be read, if it is a section of an RFC.
    href: Option<String>,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize)]
struct Rule {
    id: String,
    level: String,
    /// Where it is not both.
    binds: Option<&'static str>,
    watched: bool,
    sentence: String,
    groups: Vec<Group>,
}

/// The targets that stand alike to a rule, where no cases tell them apart.
#[derive(Debug, Serialize)]
struct Group {
    #[serde(flatten)]
    sign: Sign,
    /// Whose result it is; none where it is that of every target.
    who: Option<String>,
    reason: Option<String>,
    cases: Vec<Link>,
    more: usize,
}

impl Statement {
    pub(super) fn of(report: &RunReport) -> Self {
        // Where only what is wrong is recorded, a rule that is not broken would pass for one that nothing was seen of.
        let shown = if report.fuzz.is_some() { &[][..] } else { &report.targets };
        let results: Vec<Vec<RuleResult<'_>>> =
            shown.iter().map(|target| conformance(report, target)).collect();
        let targets = shown.iter().zip(&results).map(|(target, results)| Target {
            name: clipped(&target.name, 120),
            role: target.role.to_string(),
            counts: tally(results).into_iter().map(count).collect(),
        });
        Self {
            complete: report.schema.has_register(),
            targets: targets.collect(),
            documents: documents(report, &results),
        }
    }
}

/// Every target has a result for each rule, all in the same order: that of the documents.
fn documents(report: &RunReport, results: &[Vec<RuleResult<'_>>]) -> Vec<Document> {
    let mut documents: Vec<Document> = Vec::new();
    let rules = results.first().map_or(0, Vec::len);
    for at in 0..rules {
        let row: Vec<_> = results.iter().map(|results| &results[at]).collect();
        let text = row[0].text;
        let name = prose(&text.source);
        if documents.last().is_none_or(|document| document.name != name) {
            documents.push(Document { name, n: 0, broken: Vec::new(), sections: Vec::new() });
        }
        let Some(document) = documents.last_mut() else { continue };
        let id = column(&text.section, 24);
        if document.sections.last().is_none_or(|section| section.id != id) {
            let href = words::href(text);
            document.sections.push(Section { id, href, rules: Vec::new() });
        }
        document.n += 1;
        if let Some(section) = document.sections.last_mut() {
            section.rules.push(Rule::of(report, &row));
        }
        let worst = row.iter().map(|result| result.standing).min().filter(|standing| is_broken(*standing));
        if let Some(standing) = worst {
            match document.broken.iter_mut().find(|count| count.sign.word == standing.as_str()) {
                Some(count) => count.n += 1,
                None => document.broken.push(count((standing, 1))),
            }
        }
    }
    documents
}

impl Rule {
    /// From the results of every target.
    fn of(report: &RunReport, row: &[&RuleResult<'_>]) -> Self {
        let text = row[0].text;
        let mut groups: Vec<(Standing, Option<&str>, Vec<usize>)> = Vec::new();
        for (target, result) in row.iter().enumerate() {
            let alike = groups.iter_mut().find(|(standing, reason, members)| {
                let same = (*standing, *reason) == (result.standing, result.reason);
                same && result.cases.is_empty() && row[members[0]].cases.is_empty()
            });
            match alike {
                Some((_, _, members)) => members.push(target),
                None => groups.push((result.standing, result.reason, vec![target])),
            }
        }
        let group = |(standing, reason, members): (Standing, Option<&str>, Vec<usize>)| {
            let cases = &row[members[0]].cases;
            let room = match row.len() {
                _ if is_broken(standing) => BROKEN,
                0..=2 => OTHERS,
                _ => OTHERS_OF_MANY,
            };
            let names = members.iter().map(|&target| clipped(&report.targets[target].name, 40));
            Group {
                sign: sign(standing),
                who: (members.len() < row.len()).then(|| names.collect::<Vec<_>>().join(", ")),
                reason: reason.map(prose),
                cases: cases.iter().take(room).map(|key| link(key, members[0])).collect(),
                more: cases.len().saturating_sub(room),
            }
        };
        Self {
            id: column(row[0].rule, 80),
            level: column(&text.level, 16),
            binds: text
                .binds
                .filter(|binds| *binds != crate::record::Binds::Both)
                .map(|binds| binds.as_str()),
            watched: text.watched,
            sentence: prose(&text.sentence),
            groups: groups.into_iter().map(group).collect(),
        }
    }
}

fn is_broken(standing: Standing) -> bool {
    matches!(standing, Standing::MustBroken | Standing::ShouldBroken)
}

fn count((standing, n): (Standing, usize)) -> Count {
    Count { n, sign: sign(standing) }
}

fn sign(standing: Standing) -> Sign {
    let (symbol, class) = words::standing_sign(standing);
    Sign { word: standing.as_str(), symbol, class, meaning: words::standing(standing) }
}
