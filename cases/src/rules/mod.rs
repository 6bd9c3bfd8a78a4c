//! The register of rules: the normative sentences of the RFCs, which cases test and findings quote.
//!
//! ```text
//! rules/*.toml ─ read ─> Register ── Rule ── Level, Binds, Hidden
//!                            └── coverage ─> Coverage      which cases cite a rule, role by role
//! ```
//!
//! A rule is here whether or not a case tests it. What no peer can see says why, so that a statement of conformance
//! tells what it leaves out.

mod coverage;
mod read;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use wsgrade_codec::check;

use crate::form::{Problem, Problems, nearest};
use crate::id::RuleId;
use crate::load::LoadError;
use crate::model::Role;

pub use coverage::{Coverage, cited};

/// By document and section.
const FILES: [(&str, &str); 9] = [
    ("rfc6455-opening.toml", include_str!("../../rules/rfc6455-opening.toml")),
    ("rfc6455-framing.toml", include_str!("../../rules/rfc6455-framing.toml")),
    ("rfc6455-control.toml", include_str!("../../rules/rfc6455-control.toml")),
    ("rfc6455-messages.toml", include_str!("../../rules/rfc6455-messages.toml")),
    ("rfc6455-closing.toml", include_str!("../../rules/rfc6455-closing.toml")),
    ("rfc6455-extensions.toml", include_str!("../../rules/rfc6455-extensions.toml")),
    ("rfc6455-security.toml", include_str!("../../rules/rfc6455-security.toml")),
    ("rfc7692-negotiation.toml", include_str!("../../rules/rfc7692-negotiation.toml")),
    ("rfc7692-messages.toml", include_str!("../../rules/rfc7692-messages.toml")),
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
    /// Whom it binds.
    pub binds: Binds,
    /// The sentence, word for word but for line breaks; `[…]` stands where words between were left out.
    pub sentence: String,
    /// Why no peer can see it broken, where none can.
    pub hidden: Hidden,
}

impl Rule {
    /// Whether a peer of an endpoint in this role can see the rule broken: it binds that role, and there is no
    /// reason against.
    pub fn is_observable(&self, role: Role) -> bool {
        self.binds.role(role) && self.hidden.of(role).is_none()
    }

    /// Whether all that a peer sends is held against this rule, in whatever case.
    pub fn is_watched(&self) -> bool {
        check::Rule::from_id(self.id.as_str()).is_some()
    }
}

/// The key word of a rule's sentence (RFC 2119). A definition which leaves no choice counts as [`Must`](Self::Must).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// MUST.
    Must,
    /// MUST NOT.
    MustNot,
    /// SHOULD, or RECOMMENDED.
    Should,
    /// SHOULD NOT.
    ShouldNot,
    /// MAY: leave to do so, and so a duty to put up with it.
    May,
    /// Advice without a key word.
    Note,
}

/// The words for the levels.
const LEVELS: [(&str, Level); 6] = [
    ("MUST", Level::Must),
    ("MUST NOT", Level::MustNot),
    ("SHOULD", Level::Should),
    ("SHOULD NOT", Level::ShouldNot),
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

/// Whom a rule binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binds {
    /// Both endpoints.
    Both,
    /// The client.
    Client,
    /// The server.
    Server,
    /// What stands between the endpoints, such as a proxy.
    Intermediary,
}

/// The words for whom a rule binds.
const BINDS: [(&str, Binds); 4] = [
    ("both", Binds::Both),
    ("client", Binds::Client),
    ("server", Binds::Server),
    ("intermediary", Binds::Intermediary),
];

impl Binds {
    /// The word for it in files of rules: `both`.
    pub fn as_str(self) -> &'static str {
        BINDS.iter().find(|(_, binds)| *binds == self).map_or("", |(word, _)| word)
    }

    /// Whether an endpoint in this role is bound.
    pub fn role(self, role: Role) -> bool {
        match self {
            Self::Both => true,
            Self::Client => role == Role::Client,
            Self::Server => role == Role::Server,
            Self::Intermediary => false,
        }
    }
}

impl fmt::Display for Binds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a peer cannot see a rule broken: nothing where it can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// By a client. For a rule that binds intermediaries the reason stands in both.
    pub client: Option<String>,
    /// By a server.
    pub server: Option<String>,
}

impl Hidden {
    /// Why the peer of an endpoint in this role cannot see it.
    pub fn of(&self, role: Role) -> Option<&str> {
        match role {
            Role::Client => self.client.as_deref(),
            Role::Server => self.server.as_deref(),
        }
    }
}

/// All the rules.
#[derive(Debug)]
pub struct Register {
    rules: BTreeMap<RuleId, Rule>,
    /// In the order of the files, which is that of the documents as far as sections go together.
    order: Vec<RuleId>,
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
        let mut rules: BTreeMap<RuleId, Rule> = BTreeMap::new();
        let mut order = Vec::new();
        let mut wrong = Vec::new();
        for (file, text) in files {
            let mut problems = Problems::new(file, text);
            for (rule, at) in read::rules(&mut problems, text) {
                let id = rule.id.clone();
                if let Some(first) = rules.insert(id.clone(), rule) {
                    problems.add(at, format!("rule `{}` is there twice", first.id));
                } else {
                    order.push(id);
                }
            }
            wrong.extend::<Vec<Problem>>(problems.into_list());
        }
        if wrong.is_empty() { Ok(Self { rules, order }) } else { Err(LoadError::Problems(wrong)) }
    }

    /// The rule of that id.
    pub fn get(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// Every rule, by document and section; those of one section as they stand in it.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        let mut rules: Vec<_> = self.order.iter().filter_map(|id| self.rules.get(id)).collect();
        rules.sort_by_cached_key(|rule| (rule.document.clone(), section_key(&rule.section)));
        rules.into_iter()
    }

    /// The id nearest to a mistyped one, if any is near.
    pub fn nearest(&self, id: &RuleId) -> Option<&RuleId> {
        let near = nearest(id.as_str(), self.rules.keys().map(RuleId::as_str))?;
        self.rules.keys().find(|rule| rule.as_str() == near)
    }
}

/// `5.10` stands after `5.9`.
fn section_key(section: &str) -> Vec<u32> {
    section.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect()
}
