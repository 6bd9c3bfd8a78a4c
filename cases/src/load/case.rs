//! Cases: from a table to a [`Scenario`].

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::{payload, step};
use crate::form::{Fields, Node, Problems, Value, list, listed, number, text, word};
use crate::id::{CaseId, RuleId};
use crate::model::{
    Accept, BadTls, By, DeflateWish, Ending, Expected, HeaderEdit, Need, Opening, Order, Outcome, Role, Saw,
    Scenario, Status, Stress,
};

/// The keys of a case.
pub(crate) const KEYS: [&str; 13] = [
    "id", "title", "why", "rules", "roles", "needs", "opening", "steps", "stress", "accept", "ending",
    "catches", "differs",
];
/// No case is played by more connections.
const MAX_CONNECTIONS: u64 = 10_000;
pub(crate) const ROLES: [(&str, Role); 2] = [("server", Role::Server), ("client", Role::Client)];
pub(crate) const VERDICTS: [(&str, Outcome); 5] = [
    ("pass", Outcome::Pass),
    ("informational", Outcome::Informational),
    ("unimplemented", Outcome::Unimplemented),
    ("non-strict", Outcome::NonStrict),
    ("fail", Outcome::Fail),
];
pub(crate) const BY: [(&str, By); 3] = [("us", By::Us), ("peer", By::Peer), ("either", By::Either)];
pub(crate) const BAD_TLS: [(&str, BadTls); 3] =
    [("untrusted", BadTls::Untrusted), ("misnamed", BadTls::Misnamed), ("broken", BadTls::Broken)];
pub(crate) const ORDERS: [(&str, Order); 5] = [
    ("exact", Order::Exact),
    ("any", Order::Any),
    ("latest-pong", Order::LatestPong),
    ("apart", Order::Apart),
    ("up-to", Order::UpTo),
];

/// Reads one case. Its scenario where nothing is wrong with it, and the offset of its id.
pub(crate) fn read(problems: &mut Problems<'_>, node: &Node) -> Option<(Scenario, usize)> {
    let before = problems.count();
    let fields = Fields::new(problems, node, "a case", &KEYS)?;

    let id_node = fields.need(problems, "id");
    let id = id_node.and_then(|node| case_id(problems, node));
    let title = fields.need_text(problems, "title");
    let why = fields.need_text(problems, "why");
    let rules =
        fields.need(problems, "rules").map(|node| strings(problems, "rules", node)).unwrap_or_default();
    let roles = match fields.get("roles") {
        None => ROLES.map(|(_, role)| role).into(),
        Some(node) => words(problems, "roles", node, &ROLES),
    };
    let needs = match fields.get("needs") {
        None => BTreeSet::new(),
        Some(node) => words(problems, "needs", node, &Need::ALL.map(|need| (need.as_str(), need))),
    };
    for (key, is_empty) in [("rules", rules.is_empty()), ("roles", roles.is_empty())] {
        if let Some(node) = fields.get(key)
            && is_empty
            && matches!(&node.value, Value::Array(items) if items.is_empty())
        {
            problems.add(node.at, format!("`{key}` is empty, expected at least one"));
        }
    }
    let opening = fields.get("opening").map(|node| opening(problems, node)).unwrap_or_default();
    let mut steps = Vec::new();
    for node in fields.list(problems, "steps") {
        step::read(problems, node, &mut steps);
    }
    let stress = fields.get("stress").and_then(|node| stress(problems, node));
    let accept = match fields.get("accept") {
        None => {
            vec![Accept { verdict: Outcome::Pass, saw: Saw::Answers, ending: None, rule: None, note: None }]
        }
        Some(node) => {
            let entries = list(problems, "accept", node);
            if entries.is_empty() {
                problems.add(node.at, "`accept` is empty, expected at least one outcome");
            }
            entries.iter().filter_map(|entry| accept(problems, entry)).collect()
        }
    };
    let ending = fields.get("ending").map_or_else(Ending::ordinary, |node| ending(problems, node));
    let catches = fields.get("catches").map(|node| strings(problems, "catches", node)).unwrap_or_default();
    let differs = fields.text(problems, "differs").map(str::to_owned);

    if problems.count() > before {
        return None;
    }
    let scenario = Scenario {
        id: id?,
        title: title?.to_owned(),
        why: why?.to_owned(),
        rules: rules.into_iter().map(RuleId::new).collect(),
        roles,
        needs,
        opening,
        steps,
        stress,
        accept,
        ending,
        catches,
        differs,
    };
    Some((scenario, id_node?.at))
}

fn case_id(problems: &mut Problems<'_>, node: &Node) -> Option<CaseId> {
    match text(problems, "id", node)?.parse() {
        Ok(id) => Some(id),
        Err(error) => {
            problems.add(node.at, format!("{error}"));
            None
        }
    }
}

fn strings(problems: &mut Problems<'_>, key: &str, node: &Node) -> Vec<String> {
    let items = list(problems, key, node);
    items.iter().filter_map(|item| text(problems, key, item).map(str::to_owned)).collect()
}

fn words<T: Copy + Ord>(
    problems: &mut Problems<'_>,
    key: &str,
    node: &Node,
    known: &[(&'static str, T)],
) -> BTreeSet<T> {
    list(problems, key, node).iter().filter_map(|item| word(problems, key, item, known)).collect()
}

fn accept(problems: &mut Problems<'_>, node: &Node) -> Option<Accept> {
    let known = ["verdict", "saw", "order", "ending", "rule", "note"];
    let fields = Fields::new(problems, node, "an accepted outcome", &known)?;
    let verdict =
        fields.need(problems, "verdict").and_then(|node| word(problems, "verdict", node, &VERDICTS));
    let order = fields.word(problems, "order", &ORDERS);
    let saw = match fields.need(problems, "saw") {
        Some(Node { value: Value::Array(items), .. }) => {
            let events = items.iter().filter_map(|item| expected(problems, item)).collect();
            Some(Saw::Events { events, order: order.unwrap_or_default() })
        }
        Some(node @ Node { value: Value::Text(_), .. }) => {
            if fields.has("order") {
                problems.add(node.at, "`order` is for a list of answers, and `saw` is none");
            }
            match word(problems, "saw", node, &[("answers", true), ("anything", false)]) {
                Some(true) => Some(Saw::Answers),
                Some(false) => Some(Saw::Anything),
                None => None,
            }
        }
        Some(node) => {
            let expected = "expected \"answers\", \"anything\" or a list of answers";
            problems.add(node.at, format!("`saw` is {}, {expected}", node.kind()));
            None
        }
        None => None,
    };
    let ending = fields.get("ending").map(|node| ending(problems, node));
    let rule = fields.text(problems, "rule").map(RuleId::new);
    let note = fields.text(problems, "note").map(str::to_owned);
    Some(Accept { verdict: verdict?, saw: saw?, ending, rule, note })
}

fn expected(problems: &mut Problems<'_>, node: &Node) -> Option<Expected> {
    let kinds =
        ["text", "binary", "pong", "open", "exchanged", "declined", "refused", "dropped", "unanswered"];
    let known: Vec<_> = kinds.into_iter().chain(["versions"]).collect();
    let fields = Fields::new(problems, node, "an answer", &known)?;
    let mut entries = fields.entries().iter().filter(|entry| entry.key != "versions");
    let (Some(entry), None) = (entries.next(), entries.next()) else {
        let message = format!("an answer is one of {}", listed(&kinds, "or"));
        problems.add_with_help(fields.at, message, "such as { text = \"Hello\" }");
        return None;
    };
    if let Some(node) = fields.get("versions")
        && entry.key != "refused"
    {
        problems.add(node.at, "`versions` goes with `refused` only");
    }
    match entry.key.as_str() {
        "text" => Some(Expected::Text(payload::from_node(problems, &entry.node))),
        "binary" => Some(Expected::Binary(payload::from_node(problems, &entry.node))),
        "pong" => Some(Expected::Pong(payload::from_node(problems, &entry.node))),
        "open" => fields.text(problems, "open").map(|mark| Expected::Open(mark.to_owned())),
        "exchanged" => {
            let messages = fields.number(problems, "exchanged", (1, step::MAX_MESSAGES.into()));
            messages.and_then(|messages| u32::try_from(messages).ok()).map(Expected::Exchanged)
        }
        "declined" => {
            let extension = fields.word(problems, "declined", &[("permessage-deflate", ())]);
            extension.map(|()| Expected::Declined)
        }
        "refused" => {
            let nodes = list(problems, "refused", &entry.node);
            if nodes.is_empty() {
                problems.add(entry.node.at, "`refused` is empty, expected statuses such as 400 or \"4xx\"");
            }
            let statuses = nodes.iter().filter_map(|node| status(problems, node)).collect();
            Some(Expected::Refused { statuses, versions: fields.bool(problems, "versions").unwrap_or(false) })
        }
        "dropped" => fields.word(problems, "dropped", &[("tcp", ())]).map(|()| Expected::Dropped),
        "unanswered" => {
            fields.word(problems, "unanswered", &[("opening", ())]).map(|()| Expected::Unanswered)
        }
        _ => None,
    }
}

/// `400`, or `"4xx"` for every status that begins so.
fn status(problems: &mut Problems<'_>, node: &Node) -> Option<Status> {
    if let Value::Text(word) = &node.value {
        let digit = word.strip_suffix("xx").and_then(|digit| digit.parse().ok());
        let class = digit.filter(|digit| (1..=5).contains(digit)).map(Status::Class);
        if class.is_none() {
            problems
                .add(node.at, format!("`refused` holds {word:?}, expected a status such as 400 or \"4xx\""));
        }
        return class;
    }
    let number = number(problems, "refused", node, (100, 999))?;
    u16::try_from(number).ok().map(Status::Is)
}

fn ending(problems: &mut Problems<'_>, node: &Node) -> Ending {
    let Some(fields) = Fields::new(problems, node, "an ending", &["by", "codes", "clean", "bare"]) else {
        return Ending::ordinary();
    };
    let by = fields.need(problems, "by").and_then(|node| word(problems, "by", node, &BY)).unwrap_or(By::Us);
    let codes = fields.list(problems, "codes").iter();
    let codes = codes.filter_map(|code| number(problems, "codes", code, (0, 65_535)));
    let codes = codes.filter_map(|code| u16::try_from(code).ok()).collect();
    let clean = fields.bool(problems, "clean").unwrap_or(by == By::Us);
    Ending { by, codes, clean, bare: fields.bool(problems, "bare").unwrap_or(false) }
}

fn opening(problems: &mut Problems<'_>, node: &Node) -> Opening {
    let known = [
        "method",
        "target",
        "version",
        "status",
        "headers",
        "extensions",
        "deflate",
        "raw",
        "newline",
        "unfinished",
        "early",
        "knock",
        "tls",
        "chop",
        "chop_pause",
    ];
    let Some(fields) = Fields::new(problems, node, "an opening", &known) else { return Opening::default() };
    let status = fields.number(problems, "status", (100, 999)).and_then(|status| u16::try_from(status).ok());
    let headers = fields.list(problems, "headers").iter();
    let wishes = fields.list(problems, "deflate").iter();
    Opening {
        method: fields.text(problems, "method").map(str::to_owned),
        target: fields.text(problems, "target").map(str::to_owned),
        version: fields.text(problems, "version").map(str::to_owned),
        status,
        headers: headers.filter_map(|node| header_edit(problems, node)).collect(),
        extensions: fields
            .get("extensions")
            .map(|node| strings(problems, "extensions", node))
            .unwrap_or_default(),
        deflate: wishes.filter_map(|node| deflate_wish(problems, node)).collect(),
        raw: fields.get("raw").map(|node| payload::from_node(problems, node)),
        newline: fields.text(problems, "newline").map(str::to_owned),
        unfinished: fields.bool(problems, "unfinished").unwrap_or(false),
        early: fields.bool(problems, "early").unwrap_or(false),
        knock: fields.bool(problems, "knock").unwrap_or(false),
        tls: fields.word(problems, "tls", &BAD_TLS),
        chop: step::chop(problems, &fields),
    }
}

fn stress(problems: &mut Problems<'_>, node: &Node) -> Option<Stress> {
    let known = ["connections", "growth", "memory", "cpu", "files", "kept"];
    let fields = Fields::new(problems, node, "a `stress`", &known)?;
    let connections = fields.number(problems, "connections", (1, MAX_CONNECTIONS));
    let files = fields.number(problems, "files", (0, u64::from(u32::MAX)));
    Some(Stress {
        connections: connections
            .and_then(|count| NonZeroU32::new(u32::try_from(count).ok()?))
            .unwrap_or(NonZeroU32::MIN),
        growth: fields.bool(problems, "growth").unwrap_or(false),
        memory: fields.number(problems, "memory", (0, i64::MAX.unsigned_abs())),
        cpu: fields.duration(problems, "cpu"),
        files: files.and_then(|files| u32::try_from(files).ok()),
        kept: fields.number(problems, "kept", (0, i64::MAX.unsigned_abs())),
    })
}

fn deflate_wish(problems: &mut Problems<'_>, node: &Node) -> Option<DeflateWish> {
    let known = ["no_context_takeover", "max_window_bits", "our_context_takeover", "our_window_bits"];
    let fields = Fields::new(problems, node, "a wish for permessage-deflate", &known)?;
    let mut bits = |key| fields.number(problems, key, (8, 15)).and_then(|bits| u8::try_from(bits).ok());
    let (max_window_bits, our_window_bits) = (bits("max_window_bits"), bits("our_window_bits"));
    Some(DeflateWish {
        no_context_takeover: fields.bool(problems, "no_context_takeover").unwrap_or(false),
        max_window_bits,
        our_context_takeover: fields.bool(problems, "our_context_takeover"),
        our_window_bits,
    })
}

fn header_edit(problems: &mut Problems<'_>, node: &Node) -> Option<HeaderEdit> {
    const KINDS: [&str; 4] = ["set", "add", "remove", "raw"];
    let fields = Fields::new(problems, node, "a header edit", &["set", "add", "remove", "raw", "value"])?;
    let kinds: Vec<_> = KINDS.into_iter().filter(|kind| fields.has(kind)).collect();
    let [kind] = kinds[..] else {
        let message = format!("a header edit is one of {}", listed(&KINDS, "or"));
        problems.add_with_help(
            fields.at,
            message,
            "such as { set = \"Origin\", value = \"https://a.example\" }",
        );
        return None;
    };
    if kind == "remove" || kind == "raw" {
        if let Some(value) = fields.get("value") {
            problems.add(value.at, format!("`{kind}` says it all, without a `value`"));
        }
        if kind == "raw" {
            return fields.get("raw").map(|node| HeaderEdit::Raw(payload::from_node(problems, node)));
        }
        return fields.text(problems, "remove").map(|name| HeaderEdit::Remove(name.to_owned()));
    }
    let name = fields.text(problems, kind)?.to_owned();
    let value = fields.need(problems, "value")?;
    let value = payload::from_node(problems, value);
    Some(if kind == "set" { HeaderEdit::Set(name, value) } else { HeaderEdit::Add(name, value) })
}
