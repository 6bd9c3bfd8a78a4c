//! Rule by rule, what a run shows of one target: a statement of conformance.
//!
//! ```text
//! RunReport ── rules ── RuleText ─┐
//!     ├── cases ── which cite it ─┼─▶ RuleResult { Standing, the cases it rests on }
//!     └── target ── CaseRecord ───┘
//! ```
//!
//! A rule is held by what passed and broken by what a finding says of it, never by a case that merely cites it
//! and failed for another reason.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use crate::record::{
    Behavior, CaseInfo, CaseKey, CaseRecord, Role, RuleText, RunReport, Severity, TargetReport,
};

/// How one target stands to one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleResult<'a> {
    /// The rule's id; a key of `RunReport::rules`.
    pub rule: &'a str,
    /// What it says.
    pub text: &'a RuleText,
    /// What was found.
    pub standing: Standing,
    /// The records that this rests on, in the order of the record; for [`Standing::NotShown`] those that could have
    /// shown it. Empty for the other standings that rest on none.
    pub cases: Vec<CaseKey>,
    /// Why it cannot be observed, for [`Standing::Unobservable`].
    pub reason: Option<&'a str>,
}

/// What is known of a rule. The worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// A finding rests on it that counts as a MUST.
    MustBroken,
    /// A finding rests on it that counts as a SHOULD at most.
    ShouldBroken,
    /// The target made a choice that the rule, or another, leaves open.
    Permitted,
    /// Cases that cite it passed, and nothing speaks against it.
    Held,
    /// Cases cite it, and none of them passed: they failed by another rule, were inconclusive or not implemented.
    NotShown,
    /// No case of this run cites it.
    NotTested,
    /// No peer can see it broken.
    Unobservable,
    /// It binds the other role, or what stands between the endpoints.
    BindsOthers,
}

impl Standing {
    /// Every value.
    pub const ALL: [Self; 8] = [
        Self::MustBroken,
        Self::ShouldBroken,
        Self::Permitted,
        Self::Held,
        Self::NotShown,
        Self::NotTested,
        Self::Unobservable,
        Self::BindsOthers,
    ];

    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MustBroken => "MUST broken",
            Self::ShouldBroken => "SHOULD broken",
            Self::Permitted => "permitted choice",
            Self::Held => "held",
            Self::NotShown => "not shown",
            Self::NotTested => "not tested",
            Self::Unobservable => "cannot be observed",
            Self::BindsOthers => "binds others",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How one target stands to every rule that the record names, by document and section.
///
/// Complete for records that hold the whole register ([`SchemaVersion::has_register`]). An older one has only the rules
/// that its cases cite and does not say whom they bind, so none of them is called held.
///
/// [`SchemaVersion::has_register`]: crate::record::SchemaVersion::has_register
pub fn conformance<'a>(report: &'a RunReport, target: &'a TargetReport) -> Vec<RuleResult<'a>> {
    let evidence = Evidence::of(report, target);
    let mut results: Vec<_> =
        report.rules.iter().map(|(id, text)| evidence.result(id, text, target.role)).collect();
    results.sort_by_cached_key(|result| place(result.text));
    results
}

/// How many rules there are of each standing, those without any left out.
pub fn tally(results: &[RuleResult<'_>]) -> Vec<(Standing, usize)> {
    let count = |standing| results.iter().filter(|result| result.standing == standing).count();
    Standing::ALL.into_iter().map(|standing| (standing, count(standing))).filter(|(_, n)| *n > 0).collect()
}

/// Where a rule stands: `5.10` after `5.9`, and in a section by id.
fn place(text: &RuleText) -> (&str, Vec<u32>, &str) {
    let parts = text.section.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect();
    (&text.source, parts, &text.section)
}

/// What records say of each rule.
#[derive(Debug, Default)]
struct Evidence<'a> {
    by_standing: BTreeMap<(&'a str, Standing), Vec<CaseKey>>,
}

impl<'a> Evidence<'a> {
    fn of(report: &'a RunReport, target: &'a TargetReport) -> Self {
        let infos: HashMap<&str, &CaseInfo> =
            report.cases.iter().map(|case| (case.id.as_str(), case)).collect();
        let mut evidence = Self::default();
        for record in &target.cases {
            let mut named = BTreeSet::new();
            for (at, finding) in record.findings.iter().enumerate() {
                if let Some(standing) = broken(report, record, at)
                    && named.insert(finding.rule.as_str())
                {
                    evidence.add(&finding.rule, standing, record);
                }
            }
            let Some(info) = infos.get(record.id.as_str()) else { continue };
            for (rule, alone) in cited(info) {
                if !named.contains(rule) {
                    let standing =
                        if !alone && is_held(record) { Standing::Held } else { Standing::NotShown };
                    evidence.add(rule, standing, record);
                }
            }
        }
        evidence
    }

    fn add(&mut self, rule: &'a str, standing: Standing, record: &CaseRecord) {
        self.by_standing.entry((rule, standing)).or_default().push(record.key());
    }

    fn result(&self, rule: &'a str, text: &'a RuleText, role: Role) -> RuleResult<'a> {
        let result = |standing, cases: &[CaseKey], reason| RuleResult {
            rule,
            text,
            standing,
            cases: cases.to_vec(),
            reason,
        };
        // Nobody breaks what does not bind him.
        if text.binds.is_some_and(|binds| !binds.role(role)) {
            return result(Standing::BindsOthers, &[], None);
        }
        let found =
            |standing| self.by_standing.get(&(rule, standing)).map(|cases| result(standing, cases, None));
        if let Some(broken) = found(Standing::MustBroken).or_else(|| found(Standing::ShouldBroken)) {
            return broken;
        }
        if let Some(reason) = text.unobservable.get(&role) {
            return result(Standing::Unobservable, &[], Some(reason.as_str()));
        }
        let (held, permitted) = (found(Standing::Held), found(Standing::Permitted));
        // Where a choice is left open, having made it is the news; elsewhere, having held the rule.
        let best = match text.level.as_str() {
            "MAY" | "NOTE" => permitted.or(held),
            _ => held.or(permitted),
        };
        // Whether it binds this role at all is not known of an older record, and so not whether it was held.
        let best = best.map(|best| {
            let unknown = text.binds.is_none() && best.standing == Standing::Held;
            RuleResult { standing: if unknown { Standing::NotShown } else { best.standing }, ..best }
        });
        best.or_else(|| found(Standing::NotShown)).unwrap_or_else(|| result(Standing::NotTested, &[], None))
    }
}

/// The rules that a case cites, once each, and whether only an outcome rests on it.
fn cited(info: &CaseInfo) -> impl Iterator<Item = (&str, bool)> {
    let named: BTreeSet<&str> = info.rules.iter().map(String::as_str).collect();
    let outcome: BTreeSet<&str> = info.outcome_rules.iter().map(String::as_str).collect();
    let alone: Vec<_> = outcome.difference(&named).map(|rule| (*rule, true)).collect();
    named.into_iter().map(|rule| (rule, false)).chain(alone)
}

/// Whether a record shows that what its case cites was kept.
fn is_held(record: &CaseRecord) -> bool {
    record.behavior == Behavior::Pass && record.close.severity() <= Severity::Neutral
}

/// What a finding says of its rule; nothing where the record says nothing of the target.
pub(crate) fn broken(report: &RunReport, record: &CaseRecord, at: usize) -> Option<Standing> {
    match record.behavior {
        Behavior::Inconclusive | Behavior::Unimplemented => return None,
        Behavior::Pass | Behavior::Informational | Behavior::NonStrict | Behavior::Fail => {}
    }
    let most = record.severity();
    let of_level = |rule: &str| match report.rules.get(rule).map(|text| text.level.as_str()) {
        Some("MAY" | "NOTE") => Severity::Neutral,
        Some("SHOULD" | "SHOULD NOT") => Severity::Minor,
        Some(_) | None => Severity::Major,
    };
    // The judge weighs the whole case. Where no rule among the findings is as heavy as that, the first one is what the
    // case turned on: a peer that does not put up with what a MAY allows has broken it.
    let accounted = record.findings.iter().any(|finding| of_level(&finding.rule) >= most);
    let weight = match accounted || at > 0 {
        true => of_level(&record.findings[at].rule).min(most),
        false => most,
    };
    Some(match weight {
        Severity::Major => Standing::MustBroken,
        Severity::Minor => Standing::ShouldBroken,
        Severity::Good | Severity::Neutral => Standing::Permitted,
    })
}
