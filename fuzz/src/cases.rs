//! Case files: any text, and any case.

use wsgrade_cases::any::{self, Dice};
use wsgrade_cases::form::{Place, Problem};
use wsgrade_cases::load::{self, CaseFile};
use wsgrade_cases::model::{Accept, Scenario};
use wsgrade_cases::{Catalogue, Register, describe, lint, write};

/// The name of the file that is read.
const NAME: &str = "fuzz.toml";

/// The first byte says what the rest is: with bit 0 a case to be drawn from random bytes, else the text of a case file.
///
/// - A text is read, or every problem with it has a place in it and words; it is read as a prelude with the same care.
/// - What is read, and what is drawn, is written and read again the same, and written again the same.
/// - It can be linted and described, with words for each of its parts.
pub(crate) fn cases(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    if kind & 1 == 1 {
        one(&any::scenario(&mut Dice::new(rest)));
        return;
    }
    // The files that users give us are read as UTF-8 before we see them.
    let text = String::from_utf8_lossy(rest);
    match load::read(NAME, &text) {
        Ok(file) => is_read(&text, &file),
        Err(problems) => are_located(&text, &problems),
    }
    if let Err(problems) = load::read_prelude(NAME, &text) {
        are_located(&text, &problems);
    }
}

fn is_read(text: &str, file: &CaseFile) {
    for (scenario, place) in &file.scenarios {
        is_in(text, place);
        // What a family makes of many rows takes long, and each is like the others.
        if file.scenarios.len() <= 20 {
            one(scenario);
        }
    }
    for (id, _, place) in &file.sections {
        is_in(text, place);
        assert!(place.line > 1 || place.column > 0, "{id}");
    }
    let all = file.scenarios.iter().map(|(scenario, _)| scenario);
    let again = write::scenarios(all.clone());
    let again = load::read(NAME, &again).expect("what was written is well formed");
    assert!(again.scenarios.iter().map(|(scenario, _)| scenario).eq(all), "another file");
    // A catalogue asks more: ids that are unique, sections for all, and what the linter wants.
    if let Ok(catalogue) = Catalogue::read(&[(NAME, text)]) {
        assert_eq!(catalogue.scenarios().len(), file.scenarios.len());
        for scenario in catalogue.scenarios() {
            assert_eq!(catalogue.get(&scenario.id), Some(scenario));
            assert_eq!(lint::check(scenario, Register::embedded()), []);
        }
    }
}

fn are_located(text: &str, problems: &[Problem]) {
    assert!(!problems.is_empty(), "refused for nothing");
    for problem in problems {
        is_in(text, &problem.place);
        assert!(!problem.message.trim().is_empty(), "{problem:?}");
        assert!(problem.help.as_ref().is_none_or(|help| !help.trim().is_empty()), "{problem:?}");
        assert!(problem.to_string().starts_with(&problem.place.to_string()));
    }
}

/// Whether it is a place in this text, or just behind it.
fn is_in(text: &str, place: &Place) {
    assert_eq!(place.file, NAME);
    let line = text.split('\n').nth(place.line.checked_sub(1).expect("lines count from 1"));
    let line = line.unwrap_or_else(|| panic!("{place} of {} lines", text.split('\n').count()));
    assert!((1..=line.chars().count() + 1).contains(&place.column), "{place}: {line:?}");
}

fn one(scenario: &Scenario) {
    let text = write::scenario(scenario);
    let again = load::read(NAME, &text).unwrap_or_else(|problems| panic!("{problems:?} in\n{text}"));
    let [(again, _)] = &again.scenarios[..] else { panic!("{} cases", again.scenarios.len()) };
    assert_eq!(again, scenario, "{text}");
    assert_eq!(write::scenario(again), text);
    let first = lint::check(scenario, Register::embedded());
    assert!(first.iter().all(|finding| !finding.message.trim().is_empty()), "{first:?}");
    assert_eq!(lint::check(again, Register::embedded()), first);
    let mut lines: Vec<_> = scenario.steps.iter().map(describe::step).collect();
    lines.extend(scenario.accept.iter().map(|accept: &Accept| describe::accept(scenario, accept)));
    lines.push(describe::ending(&scenario.ending));
    lines.extend(describe::opening(&scenario.opening));
    assert!(lines.iter().all(|line| !line.trim().is_empty()), "{lines:?}");
}

#[cfg(test)]
mod tests {
    use super::{NAME, Place, is_in};

    fn place(line: usize, column: usize) -> Place {
        Place { file: NAME.to_owned(), line, column }
    }

    #[test]
    fn a_place_is_in_a_line_or_just_behind_it() {
        is_in("a\nzwölf\n", &place(2, 6));
        is_in("a\nzwölf\n", &place(3, 1));
        is_in("", &place(1, 1));
    }

    #[test]
    #[should_panic(expected = "2:7")]
    fn no_column_is_further_out() {
        is_in("a\nzwölf\n", &place(2, 7));
    }

    #[test]
    #[should_panic(expected = "of 3 lines")]
    fn no_line_is_further_down() {
        is_in("a\nzwölf\n", &place(4, 1));
    }
}
