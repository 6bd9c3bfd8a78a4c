//! The heads of the cases that test the opening handshake, without what only a connection knows.

use wsgrade_cases::model::{HeaderEdit, Opening, Payload, Role, Scenario};
use wsgrade_codec::handshake::accept_key;

use super::{Seeds, short};
use crate::handshake::hello;

/// Requests, responses, and the values in them.
pub(super) fn all(all: &[Scenario]) -> Seeds {
    let mut found = Seeds::new();
    for scenario in all.iter().filter(|scenario| scenario.tests_opening()) {
        for role in &scenario.roles {
            let (kind, head) = match role {
                Role::Server => (0, request(&scenario.opening)),
                Role::Client => (1, response(&scenario.opening)),
            };
            let Some(head) = head else { continue };
            found.push((format!("{}-to-{role}", scenario.id), [&[kind], &head[..]].concat()));
        }
        for (name, value) in values(&scenario.opening) {
            if name.to_ascii_lowercase().starts_with("sec-websocket-") {
                found.push((format!("{}-{name}", scenario.id), [&[2], &value[..]].concat()));
            }
        }
    }
    found
}

fn filled(payload: &Payload) -> Option<Vec<u8>> {
    let key = hello().key();
    let text = String::from_utf8(short(payload)?).ok()?;
    let filled = text
        .replace("<host>", "example.org")
        .replace("<target>", "/")
        .replace("<accept>", &accept_key(&key))
        .replace("<key>", &key)
        .replace("<protocol>", "chat");
    Some(filled.into_bytes())
}

fn values(opening: &Opening) -> Vec<(String, Vec<u8>)> {
    let values = opening.headers.iter().filter_map(|edit| match edit {
        HeaderEdit::Set(name, value) | HeaderEdit::Add(name, value) => Some((name.clone(), filled(value)?)),
        HeaderEdit::Remove(_) | HeaderEdit::Raw(_) => None,
    });
    let offers = opening.extensions.iter();
    values
        .chain(offers.map(|text| ("Sec-WebSocket-Extensions".to_owned(), text.clone().into_bytes())))
        .collect()
}

pub(super) fn request(opening: &Opening) -> Option<Vec<u8>> {
    let hello = hello();
    let method = opening.method.as_deref().unwrap_or("GET");
    let target = opening.target.as_deref().unwrap_or("/");
    let version = opening.version.as_deref().unwrap_or("HTTP/1.1");
    let start = format!("{method} {target} {version}");
    let headers = [
        ("Host", hello.host.clone()),
        ("Upgrade", "websocket".to_owned()),
        ("Connection", "Upgrade".to_owned()),
        ("Sec-WebSocket-Key", hello.key()),
        ("Sec-WebSocket-Version", "13".to_owned()),
    ];
    head(opening, &start, &headers)
}

pub(super) fn response(opening: &Opening) -> Option<Vec<u8>> {
    let version = opening.version.as_deref().unwrap_or("HTTP/1.1");
    let start = format!("{version} {} Switching Protocols", opening.status.unwrap_or(101));
    let headers = [
        ("Upgrade", "websocket".to_owned()),
        ("Connection", "Upgrade".to_owned()),
        ("Sec-WebSocket-Accept", accept_key(&hello().key())),
    ];
    head(opening, &start, &headers)
}

fn head(opening: &Opening, start: &str, headers: &[(&str, String)]) -> Option<Vec<u8>> {
    if let Some(raw) = &opening.raw {
        return filled(raw);
    }
    // A line of its own, or bytes as they are.
    let mut lines: Vec<(Option<String>, Vec<u8>)> =
        headers.iter().map(|(name, value)| (Some((*name).to_owned()), value.clone().into_bytes())).collect();
    for edit in &opening.headers {
        match edit {
            HeaderEdit::Set(name, value) => {
                lines.retain(|(old, _)| !old.as_ref().is_some_and(|old| old.eq_ignore_ascii_case(name)));
                lines.push((Some(name.clone()), filled(value)?));
            }
            HeaderEdit::Add(name, value) => lines.push((Some(name.clone()), filled(value)?)),
            HeaderEdit::Remove(name) => {
                lines.retain(|(old, _)| !old.as_ref().is_some_and(|old| old.eq_ignore_ascii_case(name)));
            }
            HeaderEdit::Raw(bytes) => lines.push((None, filled(bytes)?)),
        }
    }
    let newline = opening.newline.as_deref().unwrap_or("\r\n").as_bytes();
    let mut bytes = [start.as_bytes(), newline].concat();
    for (name, value) in lines {
        match name {
            Some(name) => bytes.extend([name.as_bytes(), b": ", &value, newline].concat()),
            None => bytes.extend(value),
        }
    }
    if !opening.unfinished {
        bytes.extend_from_slice(newline);
    }
    Some(bytes)
}
