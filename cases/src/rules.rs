//! The register of rules: the sentences of the RFCs that cases rest on and findings quote.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use crate::id::RuleId;
use crate::load::fields::Fields;
use crate::load::{LoadError, Problem, Problems, nearest, node};
use crate::model::Role;

const FILES: [(&str, &str); 3] = [
    ("rfc6455.toml", include_str!("../rules/rfc6455.toml")),
    ("rfc6455-opening.toml", include_str!("../rules/rfc6455-opening.toml")),
    ("rfc7692.toml", include_str!("../rules/rfc7692.toml")),
];

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Such as `rfc6455-5.5-control-length`.
    pub id: RuleId,
    /// The document: `RFC 6455`.
    pub document: String,
    /// The section in it: `5.5`.
    pub section: String,
    /// How much it asks for.
    pub level: Level,
    /// Whom it binds; `None` is both.
    pub binds: Option<Role>,
    /// The sentence, word for word but for line breaks.
    pub sentence: String,
}

/// The key word of a rule's sentence (RFC 2119). A definition which leaves no choice counts as [`Must`](Self::Must).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// MUST.
    Must,
    /// MUST NOT.
    MustNot,
    /// SHOULD.
    Should,
    /// MAY.
    May,
    /// Advice without a key word.
    Note,
}

/// The words for the levels.
const LEVELS: [(&str, Level); 5] = [
    ("MUST", Level::Must),
    ("MUST NOT", Level::MustNot),
    ("SHOULD", Level::Should),
    ("MAY", Level::May),
    ("NOTE", Level::Note),
];

impl Level {
    /// The key word: `MUST NOT`.
    pub fn as_str(self) -> &'static str {
        LEVELS.iter().find(|(_, level)| *level == self).map_or("", |(word, _)| word)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// All the rules.
#[derive(Debug)]
pub struct Register {
    rules: BTreeMap<RuleId, Rule>,
}

impl Register {
    /// The register that is built in.
    pub fn embedded() -> &'static Self {
        static REGISTER: LazyLock<Register> = LazyLock::new(|| match Register::read(&FILES) {
            Ok(register) => register,
            Err(error) => unreachable!("a test reads the embedded rules: {error}"),
        });
        &REGISTER
    }

    /// Reads files of rules: pairs of name and text.
    pub fn read(files: &[(&str, &str)]) -> Result<Self, LoadError> {
        let mut rules = BTreeMap::new();
        let mut wrong = Vec::new();
        for (file, text) in files {
            let mut problems = Problems::new(file, text);
            for rule in read(&mut problems, text) {
                if let Some(first) = rules.insert(rule.0.id.clone(), rule.0) {
                    problems.add(rule.1, format!("rule `{}` is there twice", first.id));
                }
            }
            wrong.extend::<Vec<Problem>>(problems.into_list());
        }
        if wrong.is_empty() { Ok(Self { rules }) } else { Err(LoadError::Problems(wrong)) }
    }

    /// The rule of that id.
    pub fn get(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// Every rule, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// The id nearest to a mistyped one, if any is near.
    pub fn nearest(&self, id: &RuleId) -> Option<&RuleId> {
        let near = nearest(id.as_str(), self.rules.keys().map(RuleId::as_str))?;
        self.rules.keys().find(|rule| rule.as_str() == near)
    }
}

fn read(problems: &mut Problems<'_>, text: &str) -> Vec<(Rule, usize)> {
    let root = node::parse(problems, text);
    let Some(file) = Fields::new(problems, &root, "a file of rules", &["document", "rule"]) else {
        return Vec::new();
    };
    let document = file.need_text(problems, "document").unwrap_or_default();
    let mut rules = Vec::new();
    for node in file.list(problems, "rule") {
        let known = ["id", "section", "level", "binds", "sentence"];
        let Some(fields) = Fields::new(problems, node, "a rule", &known) else { continue };
        let binds = [("both", None), ("client", Some(Role::Client)), ("server", Some(Role::Server))];
        fields.need(problems, "level");
        let (Some(id), Some(section), Some(level), binds, Some(sentence)) = (
            fields.need_text(problems, "id"),
            fields.need_text(problems, "section"),
            fields.word(problems, "level", &LEVELS),
            fields.word(problems, "binds", &binds),
            fields.need_text(problems, "sentence"),
        ) else {
            continue;
        };
        let rule = Rule {
            id: RuleId::new(id),
            document: document.to_owned(),
            section: section.to_owned(),
            level,
            binds: binds.flatten(),
            sentence: sentence.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        rules.push((rule, fields.at));
    }
    rules
}
