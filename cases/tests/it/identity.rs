//! What is written is read again, and no text whatever makes the reader panic.

use quickcheck::quickcheck;
use wsgrade_cases::{Catalogue, Register, catalogue, describe, lint, load, write};

use crate::arbitrary::Any;
use crate::one;

quickcheck! {
    fn what_is_written_is_read_again(any: Any) -> bool {
        let text = write::scenario(&any.0);
        one(&text) == any.0 && write::scenario(&one(&text)) == text
    }

    fn every_case_can_be_linted_and_described(any: Any) -> bool {
        let scenario = any.0;
        lint::check(&scenario, Register::embedded());
        let mut lines: Vec<_> = scenario.steps.iter().map(describe::step).collect();
        lines.extend(scenario.accept.iter().map(|accept| describe::accept(&scenario, accept)));
        lines.push(describe::ending(&scenario.ending));
        lines.iter().all(|line| !line.is_empty())
    }

    fn no_text_makes_the_reader_panic(text: String) -> bool {
        let _ = load::read("a.toml", &text);
        true
    }

    fn no_change_to_a_file_makes_the_reader_panic(file: usize, at: usize, length: usize, put: String) -> bool {
        let (name, text) = catalogue::FILES[file % catalogue::FILES.len()];
        let mut chars: Vec<char> = text.chars().collect();
        let from = at % chars.len();
        let to = (from + length % 40).min(chars.len());
        chars.splice(from..to, put.chars().take(8));
        let changed: String = chars.into_iter().collect();
        let _ = Catalogue::read(&[(name, &changed)]);
        true
    }
}

#[test]
fn the_whole_catalogue_is_read_again_as_it_was() {
    let all = Catalogue::embedded().scenarios();
    let text = write::scenarios(all);
    let again = load::read("all.toml", &text).expect("what was written is well formed");
    assert!(again.scenarios.iter().map(|(scenario, _)| scenario).eq(all));
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    for open in ["[", "{ a = ", "{ join = ["] {
        let text = format!("case = {}", open.repeat(100_000));
        assert!(load::read("a.toml", &text).is_err());
    }
}
