//! Opening handshakes: the ordinary head, with one thing in it changed, seldom more.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use wsgrade_cases::model::{
    Chop, ChopAt, End, Ending, Frame, HeaderEdit, Opening, Payload, Saw, Scenario, Step,
};
use wsgrade_codec::Role;
use wsgrade_codec::wire::Opcode;

use super::dice::Dice;
use super::value::{self, choose};
use super::{Brief, ID};

/// What an ordinary request has, and an ordinary response: the name, and what stands there.
const REQUEST: [(&str, &str); 5] = [
    ("Host", "<host>"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "<key>"),
    ("Sec-WebSocket-Version", "13"),
];
const RESPONSE: [(&str, &str); 3] =
    [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", "<accept>")];

pub(super) fn sketch(brief: &Brief, u: &mut Unstructured<'_>) -> Scenario {
    // Bytes that are too few for an opening leave what there is of it.
    let mut opening = Opening::default();
    let _ = change(brief.role, u, &mut opening);
    let steps = steps(&mut opening, u).unwrap_or_else(|_| vec![probe()]);
    Scenario { opening, ..Scenario::uncatalogued(ID, steps, Saw::Anything, Ending::ordinary()) }
}

fn probe() -> Step {
    Step::Probe { mark: "open".to_owned() }
}

/// Mostly one change, sometimes two or three.
fn change(role: Role, u: &mut Unstructured<'_>, opening: &mut Opening) -> Result<()> {
    let changes = match u.int_in_range(0..=15)? {
        0..=11 => 1,
        12..=14 => 2,
        _ => 3,
    };
    for _ in 0..changes {
        match role {
            Role::Server => change_request(u, opening)?,
            Role::Client => change_response(u, opening)?,
        }
    }
    opening.knock |= role == Role::Server && u.one_in(4);
    Ok(())
}

fn change_request(u: &mut Unstructured<'_>, opening: &mut Opening) -> Result<()> {
    match u.int_in_range(0..=31)? {
        0 => opening.method = Some(value::method(u)?),
        1 => opening.target = Some(value::target(u)?),
        2 => opening.version = Some(value::http_version(u)?),
        3..=5 => set(opening, "Sec-WebSocket-Version", value::number(u)?),
        6..=8 => set(opening, "Sec-WebSocket-Key", value::key(u)?),
        9..=10 => set(opening, "Host", value::host(u)?),
        11..=13 => put(opening, u, "Sec-WebSocket-Protocol", value::tokens)?,
        14..=18 => match u.one_in(3) {
            true => put(opening, u, "Sec-WebSocket-Extensions", value::extensions)?,
            false => opening.extensions.push(value::extensions(u)?),
        },
        19 => {
            let (name, value) = value::other_field(u)?;
            opening.headers.push(HeaderEdit::Add(name, payload(value)));
        }
        20 => order(u, &REQUEST, opening)?,
        _ => change_fields(u, &REQUEST, opening)?,
    }
    Ok(())
}

fn change_response(u: &mut Unstructured<'_>, opening: &mut Opening) -> Result<()> {
    match u.int_in_range(0..=31)? {
        0..=3 => {
            let status = value::status(u)?;
            opening.status = Some(status);
            // Without a length the body of such a response ends with the connection.
            if status >= 200 {
                opening.headers.push(HeaderEdit::Set("Content-Length".to_owned(), payload("0".to_owned())));
            }
        }
        4 => opening.version = Some(value::http_version(u)?),
        5..=8 => set(opening, "Sec-WebSocket-Accept", value::accept(u)?),
        9..=12 => put(opening, u, "Sec-WebSocket-Protocol", value::tokens)?,
        13..=19 => match u.int_in_range(0..=5)? {
            // What the client offers is agreed to so, and nothing else.
            0 => opening.extensions.push(value::extensions(u)?),
            1 => opening.extensions.push(value::agreement(u)?),
            _ => put(opening, u, "Sec-WebSocket-Extensions", value::extensions)?,
        },
        20 => {
            let (name, value) = value::other_field(u)?;
            opening.headers.push(HeaderEdit::Add(name, payload(value)));
        }
        21 => order(u, &RESPONSE, opening)?,
        _ => change_fields(u, &RESPONSE, opening)?,
    }
    Ok(())
}

/// A change that either head can have.
fn change_fields(u: &mut Unstructured<'_>, fields: &[(&str, &str)], opening: &mut Opening) -> Result<()> {
    let (name, usual) = *u.choose(fields)?;
    match u.int_in_range(0..=11)? {
        0 => opening.headers.push(HeaderEdit::Remove(name.to_owned())),
        1 => {
            let value = if u.arbitrary()? { usual.to_owned() } else { value::varied(u, usual)? };
            opening.headers.push(HeaderEdit::Add(name.to_owned(), payload(value)));
        }
        2 => {
            let styled = value::cased(u, name)?;
            set(opening, &styled, usual.to_owned());
        }
        3 => {
            let upper = u.arbitrary()?;
            for (name, usual) in fields {
                let name = if upper { name.to_uppercase() } else { name.to_lowercase() };
                set(opening, &name, (*usual).to_owned());
            }
        }
        4 => {
            let line = value::broken_line(u, name, usual)?;
            // Where a line has the name of an ordinary field it stands for it.
            if line
                .to_ascii_lowercase()
                .windows(name.len())
                .any(|part| part == name.to_ascii_lowercase().as_bytes())
            {
                opening.headers.push(HeaderEdit::Remove(name.to_owned()));
            }
            opening.headers.push(HeaderEdit::Raw(bytes(line)));
        }
        5 => {
            let spaced = choose(u, &["", "  ", "\t", " \t "])?;
            let line = format!("{name}:{spaced}{usual}{spaced}\r\n");
            opening.headers.push(HeaderEdit::Remove(name.to_owned()));
            opening.headers.push(HeaderEdit::Raw(payload(line)));
        }
        6 => {
            let at = match u.int_in_range(0..=3)? {
                0 => ChopAt::Every(u.int_in_range(1..=16)?),
                1 => ChopAt::Sizes(vec![u.int_in_range(1..=200)?, u.int_in_range(1..=60)?]),
                _ => ChopAt::Sizes(vec![u.int_in_range(1..=200)?]),
            };
            opening.chop = Chop { at, pause: Duration::from_micros(u.int_in_range(0..=1000)?) };
        }
        7 if u.one_in(4) => opening.newline = Some("\n".to_owned()),
        _ => set(opening, name, value::varied(u, usual)?),
    }
    Ok(())
}

/// The fields in another order.
fn order(u: &mut Unstructured<'_>, fields: &[(&str, &str)], opening: &mut Opening) -> Result<()> {
    let mut left = fields.to_vec();
    let mut added = Vec::new();
    while !left.is_empty() {
        let (name, usual) = left.swap_remove(u.int_in_range(0..=left.len() - 1)?);
        opening.headers.push(HeaderEdit::Remove(name.to_owned()));
        added.push(HeaderEdit::Add(name.to_owned(), payload(usual.to_owned())));
    }
    opening.headers.extend(added);
    Ok(())
}

fn set(opening: &mut Opening, name: &str, value: String) {
    opening.headers.push(HeaderEdit::Set(name.to_owned(), payload(value)));
}

/// A list that an ordinary head does not have, in one field or two.
fn put(
    opening: &mut Opening,
    u: &mut Unstructured<'_>,
    name: &str,
    list: fn(&mut Unstructured<'_>) -> Result<String>,
) -> Result<()> {
    set(opening, name, list(u)?);
    if u.one_in(4) {
        opening.headers.push(HeaderEdit::Add(name.to_owned(), payload(list(u)?)));
    }
    Ok(())
}

fn payload(value: String) -> Payload {
    Payload::Text(value)
}

fn bytes(value: Vec<u8>) -> Payload {
    match String::from_utf8(value) {
        Ok(text) => Payload::Text(text),
        Err(error) => Payload::Hex(error.into_bytes()),
    }
}

/// What is said behind the head: mostly a probe alone.
fn steps(opening: &mut Opening, u: &mut Unstructured<'_>) -> Result<Vec<Step>> {
    let message = Step::Send(Frame::new(Opcode::TEXT, Payload::Text("opened".to_owned())));
    Ok(match u.int_in_range(0..=31)? {
        0..=3 => vec![message, probe()],
        4..=5 => {
            opening.early = true;
            vec![message]
        }
        // Nobody waits for the rest of a head that does not come.
        6 => {
            opening.early = true;
            opening.unfinished = true;
            vec![Step::End(if u.arbitrary()? { End::Abort } else { End::Half })]
        }
        _ => vec![probe()],
    })
}
