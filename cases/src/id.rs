//! Ids: of cases and of rules.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A case's id: `6.4.1`, `10.1.1`, `F.3`. Ordered by its parts, numbers by value, numbers before letters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CaseId(String);

/// Why a text is no case id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no case id: parts of letters and digits, joined by dots, such as `6.4.1` or `F.3`")]
pub struct InvalidCaseId(String);

impl CaseId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// All but the last part: `6.4` of `6.4.1`, `F` of `F.3`.
    pub fn section(&self) -> String {
        self.0.rsplit_once('.').map_or_else(|| self.0.clone(), |(section, _)| section.to_owned())
    }

    /// The first part: `6` of `6.4.1`, `F` of `F.3`.
    pub fn group(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

impl FromStr for CaseId {
    type Err = InvalidCaseId;

    fn from_str(text: &str) -> Result<Self, InvalidCaseId> {
        let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if text.len() <= 64 && text.split('.').all(part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCaseId(text.to_owned()))
        }
    }
}

impl Ord for CaseId {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (self.0.split('.'), other.0.split('.'));
        loop {
            let order = match (a.next(), b.next()) {
                (None, None) => return self.0.cmp(&other.0),
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(x), Some(y)) => match (x.parse::<u64>(), y.parse::<u64>()) {
                    (Ok(x), Ok(y)) => x.cmp(&y),
                    (Ok(_), Err(_)) => Ordering::Less,
                    (Err(_), Ok(_)) => Ordering::Greater,
                    (Err(_), Err(_)) => x.cmp(y),
                },
            };
            if order != Ordering::Equal {
                return order;
            }
        }
    }
}

impl PartialOrd for CaseId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A rule's id: `rfc6455-5.5-control-length`. That it names a rule of the register is checked by the linter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(String);

impl RuleId {
    /// Takes any text; whether such a rule exists is the register's to say.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> CaseId {
        text.parse().expect(text)
    }

    #[test]
    fn order_is_numeric_part_by_part() {
        let mut ids = ["10.1.1", "2.10", "2.9", "F.2", "2.1", "F.10", "6.4.1", "6.4"].map(id);
        ids.sort();
        let sorted: Vec<_> = ids.iter().map(CaseId::as_str).collect();
        assert_eq!(sorted, ["2.1", "2.9", "2.10", "6.4", "6.4.1", "10.1.1", "F.2", "F.10"]);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", ".", "6.", "6..1", "6 1", "6/1", "6.*"] {
            assert!(text.parse::<CaseId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn section_and_group() {
        assert_eq!(id("6.4.1").section(), "6.4");
        assert_eq!(id("6.4.1").group(), "6");
        assert_eq!(id("F.3").section(), "F");
        assert_eq!(id("F.3").group(), "F");
    }
}
