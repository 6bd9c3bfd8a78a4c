//! Payloads: `text`, `hex`, `repeat` with `len`, `join`, or `code` with `reason`.

use crate::form::{Fields, Node, Problems, Value, hex, list, listed, number};
use crate::model::Payload;

/// No payload is longer, so that a case file cannot ask for more memory than a machine has.
pub const MAX_PAYLOAD: u64 = 64 << 20;

/// The keys that make a payload.
pub(crate) const KEYS: [&str; 7] = ["text", "hex", "repeat", "len", "join", "code", "reason"];

/// A payload as a value of its own: a string is its text, a table says it in another way.
pub(crate) fn from_node(problems: &mut Problems<'_>, node: &Node) -> Payload {
    match &node.value {
        Value::Text(text) => Payload::Text(text.clone()),
        Value::Table(_) => match Fields::new(problems, node, "a payload", &KEYS) {
            Some(fields) => from_fields(problems, &fields),
            None => Payload::default(),
        },
        Value::Integer(_) | Value::Bool(_) | Value::Array(_) | Value::Date(_) | Value::Fraction => {
            let message = format!("a payload is expected to be a string or a table, not {}", node.kind());
            problems.add_with_help(node.at, message, "such as \"Hello\", or { hex = \"00ff\" }");
            Payload::default()
        }
    }
}

/// A payload whose keys stand in a table beside others. Empty where there are none.
pub(crate) fn from_fields(problems: &mut Problems<'_>, fields: &Fields<'_>) -> Payload {
    let given: Vec<_> =
        ["text", "hex", "repeat", "join", "code"].into_iter().filter(|key| fields.has(key)).collect();
    if given.len() > 1 {
        let message = format!("a payload is given in one way, and here are {}", listed(&given, "and"));
        problems.add_with_help(fields.at, message, "put parts together with `join`");
    }
    for (key, companion) in [("len", "repeat"), ("reason", "code")] {
        if let Some(node) = fields.get(key)
            && !fields.has(companion)
        {
            problems.add(node.at, format!("`{key}` without `{companion}`"));
        }
    }
    if let Some(text) = fields.get("text") {
        return crate::form::text(problems, "text", text)
            .map_or_else(Payload::default, |t| Payload::Text(t.to_owned()));
    }
    if let Some(node) = fields.get("hex") {
        return Payload::Hex(hex(problems, "hex", node).unwrap_or_default());
    }
    if let Some(node) = fields.get("repeat") {
        let unit = unit(problems, node);
        let len = fields.need(problems, "len").and_then(|len| number(problems, "len", len, (0, MAX_PAYLOAD)));
        return Payload::Repeat { unit, len: len.unwrap_or_default() };
    }
    if let Some(node) = fields.get("join") {
        return Payload::Join(
            list(problems, "join", node).iter().map(|part| from_node(problems, part)).collect(),
        );
    }
    if let Some(code) = fields.number(problems, "code", (0, 65_535)) {
        let reason = fields.get("reason").map(|node| from_node(problems, node)).unwrap_or_default();
        let code = u16::try_from(code).unwrap_or_default();
        return Payload::Close { code, reason: Box::new(reason) };
    }
    Payload::default()
}

/// What is repeated: at least one byte.
pub(crate) fn unit(problems: &mut Problems<'_>, node: &Node) -> Vec<u8> {
    let unit = hex(problems, "repeat", node);
    if unit.as_ref().is_some_and(Vec::is_empty) {
        problems.add(node.at, "`repeat` is empty, expected at least one byte in hex");
    }
    // What goes on reading counts on one.
    unit.filter(|unit| !unit.is_empty()).unwrap_or_else(|| vec![0])
}

/// A part of a payload.
pub(crate) fn slice(payload: &Payload, start: u64, len: u64) -> Payload {
    match payload {
        Payload::Repeat { unit, .. } => {
            let turn = usize::try_from(start % unit.len() as u64).unwrap_or_default();
            let mut unit = unit.clone();
            unit.rotate_left(turn);
            Payload::Repeat { unit, len }
        }
        Payload::Text(_) | Payload::Hex(_) | Payload::Close { .. } | Payload::Join(_) => {
            let bytes = payload.to_bytes();
            let from = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
            let to = from.saturating_add(usize::try_from(len).unwrap_or(usize::MAX)).min(bytes.len());
            match (payload, std::str::from_utf8(&bytes[from..to])) {
                (Payload::Text(_), Ok(text)) => Payload::Text(text.to_owned()),
                _ => Payload::Hex(bytes[from..to].to_vec()),
            }
        }
    }
}
