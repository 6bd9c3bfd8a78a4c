//! The language and the catalogue, from the outside.

mod answers;
mod arbitrary;
mod catalogue;
mod describe;
mod errors;
mod exchanges;
mod facts;
mod identity;
mod lint;
mod prelude;
mod rules;
mod select;

use wsgrade_cases::load::{self, LoadError};
use wsgrade_cases::model::Scenario;

/// The only case of a text without problems of form.
fn one(text: &str) -> Scenario {
    let file = load::read("a.toml", text).unwrap_or_else(|wrong| panic!("{}", LoadError::Problems(wrong)));
    assert_eq!(file.scenarios.len(), 1);
    file.scenarios.into_iter().next().expect("one").0
}

/// A whole case around the given lines.
fn case(lines: &str) -> String {
    format!(
        "[[case]]\nid = \"X.1\"\ntitle = \"A case\"\nwhy = \"For a test.\"\nrules = [\"rfc6455-5.6-text\"]\n{lines}\n"
    )
}

/// A case with the given steps.
fn with_steps(steps: &str) -> Scenario {
    one(&case(&format!("steps = [{steps}]")))
}
