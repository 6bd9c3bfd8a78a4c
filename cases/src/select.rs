//! Which cases to play: globs over ids.

use std::fmt;

use crate::catalogue::Catalogue;
use crate::form::nearest;
use crate::model::Scenario;

/// A pattern of ids: `*` is any text, everything else is itself, and the whole id has to match. `6.*` is every case
/// of group 6, `6.4.1` is one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Any text is a pattern.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether an id is matched.
    pub fn matches(&self, id: &str) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else { return self.0 == id };
        let Some(mut left) = id.strip_prefix(head) else { return false };
        let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        // The earliest match of each middle part leaves the most for those after it.
        for part in middle.split('*').filter(|part| !part.is_empty()) {
            match left.find(part) {
                Some(at) => left = &left[at + part.len()..],
                None => return false,
            }
        }
        left.ends_with(tail)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A pattern that matches no case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no case matches `{pattern}`{}", .suggestion.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
pub struct NoMatch {
    /// The pattern.
    pub pattern: Pattern,
    /// One that would match and was perhaps meant.
    pub suggestion: Option<String>,
}

/// The cases of a run.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// The cases, in order.
    pub cases: Vec<&'a Scenario>,
    /// Exclusions that excluded nothing: harmless, since lists of exclusions outlive catalogues, but worth a word.
    pub idle: Vec<NoMatch>,
}

/// The cases that any pattern of `include` matches (all, where it is empty) and none of `exclude`.
///
/// A pattern of `include` that matches nothing is an error, whatever the others match: a run that was meant to test
/// something must not pass for lack of it.
pub fn select<'a>(
    catalogue: &'a Catalogue,
    include: &[Pattern],
    exclude: &[Pattern],
) -> Result<Selection<'a>, NoMatch> {
    for pattern in include {
        unmatched(catalogue, pattern).map_or(Ok(()), Err)?;
    }
    let idle = exclude.iter().filter_map(|pattern| unmatched(catalogue, pattern)).collect();
    let any = |patterns: &[Pattern], id: &str| patterns.iter().any(|pattern| pattern.matches(id));
    let cases = catalogue.scenarios().iter().filter(|scenario| {
        let id = scenario.id.as_str();
        (include.is_empty() || any(include, id)) && !any(exclude, id)
    });
    Ok(Selection { cases: cases.collect(), idle })
}

fn unmatched(catalogue: &Catalogue, pattern: &Pattern) -> Option<NoMatch> {
    let ids = || catalogue.scenarios().iter().map(|scenario| scenario.id.as_str());
    if ids().any(|id| pattern.matches(id)) {
        return None;
    }
    // `6`, `6.`, `6.4` and `f.*` are the likely slips.
    let text = pattern.0.trim().trim_end_matches(['.', '*']);
    let suggestion =
        [text.to_owned(), format!("{text}.*"), text.to_uppercase(), format!("{}.*", text.to_uppercase())]
            .into_iter()
            .filter(|_| !text.is_empty())
            .find(|other| ids().any(|id| Pattern::new(other.clone()).matches(id)))
            .or_else(|| nearest(text, ids()).map(str::to_owned));
    Some(NoMatch { pattern: pattern.clone(), suggestion })
}
