//! Files of rules.

use super::{BINDS, Binds, Hidden, LEVELS, Rule};
use crate::form::{self, Fields, Problems};
use crate::id::RuleId;
use crate::model::Role;

/// The rules of one file, each with its place.
pub(super) fn rules(problems: &mut Problems<'_>, text: &str) -> Vec<(Rule, usize)> {
    let root = form::parse(problems, text);
    let Some(file) = Fields::new(problems, &root, "a file of rules", &["document", "rule"]) else {
        return Vec::new();
    };
    let document = file.need_text(problems, "document").unwrap_or_default();
    file.list(problems, "rule").iter().filter_map(|node| rule(problems, document, node)).collect()
}

fn rule(problems: &mut Problems<'_>, document: &str, node: &form::Node) -> Option<(Rule, usize)> {
    let known = ["id", "section", "level", "binds", "sentence", "unobservable", "unobservable_of"];
    let fields = Fields::new(problems, node, "a rule", &known)?;
    fields.need(problems, "level");
    let (id, section, level, binds, sentence) = (
        fields.need_text(problems, "id"),
        fields.need_text(problems, "section"),
        fields.word(problems, "level", &LEVELS),
        fields.word(problems, "binds", &BINDS).unwrap_or(Binds::Both),
        fields.need_text(problems, "sentence"),
    );
    let hidden = hidden(problems, &fields, binds);
    let rule = Rule {
        id: RuleId::new(id?),
        document: document.to_owned(),
        section: section?.to_owned(),
        level: level?,
        binds,
        sentence: sentence?.split_whitespace().collect::<Vec<_>>().join(" "),
        hidden,
    };
    Some((rule, fields.at))
}

/// Why no peer can see it: of every role that is bound, or of one.
fn hidden(problems: &mut Problems<'_>, fields: &Fields<'_>, binds: Binds) -> Hidden {
    let all = fields.text(problems, "unobservable").map(str::to_owned);
    let bound = |role| binds.role(role) || binds == Binds::Intermediary;
    if let (Binds::Intermediary, None) = (binds, &all) {
        problems
            .add(fields.at, "a rule that binds intermediaries without `unobservable`: none is under test");
    }
    let mut hidden = Hidden {
        client: all.clone().filter(|_| bound(Role::Client)),
        server: all.clone().filter(|_| bound(Role::Server)),
    };
    let Some(node) = fields.get("unobservable_of") else { return hidden };
    let Some(of) = Fields::new(problems, node, "`unobservable_of`", &["client", "server"]) else {
        return hidden;
    };
    // With one role bound, or a reason for both, it would say the same in more words.
    if binds != Binds::Both || all.is_some() || (of.has("client") && of.has("server")) {
        problems.add_with_help(
            of.at,
            "`unobservable_of` is for one of the two roles that a rule binds",
            "say `unobservable` where it is no matter which".to_owned(),
        );
    }
    hidden.client = hidden.client.or(of.text(problems, "client").map(str::to_owned));
    hidden.server = hidden.server.or(of.text(problems, "server").map(str::to_owned));
    hidden
}
