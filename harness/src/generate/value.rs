//! Values of the fields of an opening handshake: as the grammar has them, and a little beside it.

use arbitrary::{Result, Unstructured};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::dice::Dice;

/// One of these.
pub(super) fn choose<'a>(u: &mut Unstructured<'_>, from: &[&'a str]) -> Result<&'a str> {
    u.choose(from).copied()
}

/// The same word in other cases.
pub(super) fn cased(u: &mut Unstructured<'_>, word: &str) -> Result<String> {
    Ok(match u.int_in_range(0..=3)? {
        0 => word.to_lowercase(),
        1 => word.to_uppercase(),
        2 => word.chars().map(swapped).collect(),
        _ => {
            let at = u.int_in_range(0..=word.len().saturating_sub(1))?;
            word.char_indices().map(|(i, c)| if i == at { swapped(c) } else { c }).collect()
        }
    })
}

fn swapped(c: char) -> char {
    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
}

/// A character of each kind that a reader may mind.
fn character(u: &mut Unstructured<'_>) -> Result<char> {
    let kinds = [
        'a', 'Z', '0', '9', ' ', '\t', ',', ';', '=', '"', '/', ':', '-', '+', '.', '@', '\0', '\u{7f}', 'é',
    ];
    // What is not in an ordinary head is rarer.
    if u.ratio(3, 4)? { u.choose(&kinds[..4]).copied() } else { u.choose(&kinds).copied() }
}

/// A value that is near this one: in another case, in a list, with something before, in or behind it.
pub(super) fn varied(u: &mut Unstructured<'_>, usual: &str) -> Result<String> {
    // What stands for a word is not taken apart.
    let whole = usual.starts_with('<');
    let other = token(u)?;
    Ok(match u.int_in_range(0..=13)? {
        0..=2 if !whole => cased(u, usual)?,
        3 => format!("{other}, {usual}"),
        4 => format!("{usual}, {other}"),
        5 => format!("{other},{usual}"),
        6 => format!("keep-alive, {usual}"),
        7 => String::new(),
        8 => other,
        9 => format!("{usual}{}", character(u)?),
        10 => format!("{}{usual}", character(u)?),
        11 if !whole && !usual.is_empty() => usual[..usual.len() - 1].to_owned(),
        12 if !whole && !usual.is_empty() => {
            let at = u.int_in_range(0..=usual.len() - 1)?;
            let new = character(u)?;
            usual.char_indices().map(|(i, c)| if i == at { new } else { c }).collect()
        }
        _ => format!("\t {usual}  "),
    })
}

/// A name that nobody knows.
fn token(u: &mut Unstructured<'_>) -> Result<String> {
    const PARTS: [&str; 8] = ["a", "Chat", "v1", "one", "B.c", "two", "x+y", "0"];
    let mut token = "x-wsgrade".to_owned();
    for _ in 0..u.int_in_range(0..=2)? {
        token = format!("{token}-{}", choose(u, &PARTS)?);
    }
    Ok(token)
}

/// A list of names, mostly well-formed.
pub(super) fn tokens(u: &mut Unstructured<'_>) -> Result<String> {
    let mut names = Vec::new();
    for _ in 0..u.int_in_range(1..=3)? {
        names.push(token(u)?);
    }
    let list = names.join(choose(u, &[", ", ", ", ",", " , "])?);
    Ok(match u.int_in_range(0..=7)? {
        0 => varied(u, &list)?,
        1 => {
            let at = u.int_in_range(0..=list.len())?;
            let (start, end) = list.split_at(at);
            format!("{start}{}{end}", choose(u, &[" ", "/", "\"", ",", "é", "(", "@", "\u{7f}"])?)
        }
        _ => list,
    })
}

/// Extensions and their parameters, mostly of permessage-deflate and mostly well-formed.
pub(super) fn extensions(u: &mut Unstructured<'_>) -> Result<String> {
    let mut list = Vec::new();
    let count = if u.one_in(4) { 2 } else { 1 };
    for _ in 0..count {
        let mut extension = if u.one_in(6) { token(u)? } else { "permessage-deflate".to_owned() };
        for _ in 0..u.int_in_range(0..=3)? {
            let between = if u.one_in(8) { choose(u, &[";", " ; ", ";;", " "])? } else { "; " };
            extension = format!("{extension}{between}{}", parameter(u)?);
        }
        list.push(extension);
    }
    let list = list.join(if u.one_in(8) { "," } else { ", " });
    Ok(match u.int_in_range(0..=19)? {
        0 => varied(u, &list)?,
        1 => format!("{list}{}", choose(u, &[";", ",", "=", "; =1", "; a=\"b c\"", "; a=\""])?),
        _ => list,
    })
}

/// What agrees to every offer of permessage-deflate, in one of its spellings.
pub(super) fn agreement(u: &mut Unstructured<'_>) -> Result<String> {
    let mut params = vec!["server_no_context_takeover", "server_max_window_bits"];
    if u.arbitrary()? {
        params.push("client_no_context_takeover");
    }
    let (semicolon, equals) = (choose(u, &["; ", ";", " ; "])?, choose(u, &["=", "=", " = "])?);
    let bits = choose(u, &["8", "\"8\""])?;
    let mut agreement = "permessage-deflate".to_owned();
    while !params.is_empty() {
        let param = params.swap_remove(u.int_in_range(0..=params.len() - 1)?);
        let value = if param.ends_with("bits") { format!("{equals}{bits}") } else { String::new() };
        agreement = format!("{agreement}{semicolon}{param}{value}");
    }
    Ok(agreement)
}

fn parameter(u: &mut Unstructured<'_>) -> Result<String> {
    let flag =
        |u: &mut Unstructured<'_>| choose(u, &["server_no_context_takeover", "client_no_context_takeover"]);
    let window = |u: &mut Unstructured<'_>| choose(u, &["server_max_window_bits", "client_max_window_bits"]);
    Ok(match u.int_in_range(0..=17)? {
        0..=3 => flag(u)?.to_owned(),
        4 => format!("{}={}", flag(u)?, choose(u, &["1", "0", "true", "8"])?),
        5..=6 => window(u)?.to_owned(),
        7..=11 => format!("{}={}", window(u)?, u.int_in_range(8..=15)?),
        12 => format!("{}=\"{}\"", window(u)?, u.int_in_range(8..=15)?),
        13..=15 => format!("{}={}", window(u)?, number(u)?),
        16 => format!("{}={}", token(u)?, number(u)?),
        _ => token(u)?,
    })
}

/// A number as it is written, or not quite.
pub(super) fn number(u: &mut Unstructured<'_>) -> Result<String> {
    let small = if u.arbitrary()? { u.int_in_range(0..=20)? } else { u32::from(u.arbitrary::<u8>()?) };
    Ok(match u.int_in_range(0..=12)? {
        0..=6 => small.to_string(),
        7 => u.arbitrary::<u32>()?.to_string(),
        8..=9 => format!("0{}", u.int_in_range(8..=15)?),
        10 => format!("{small}, {}", u.int_in_range(7..=13)?),
        11 => format!("{}{small}", choose(u, &["-", "+", "0x", "v", ""])?),
        _ => varied(u, &small.to_string())?,
    })
}

/// Bytes in base64, or not quite: of any length about the right one.
pub(super) fn key(u: &mut Unstructured<'_>) -> Result<String> {
    let length = match u.int_in_range(0..=3)? {
        0 => u.int_in_range(0..=40)?,
        _ => 16,
    };
    let key = STANDARD.encode(u.bytes(length.min(u.len()))?);
    Ok(match u.int_in_range(0..=7)? {
        0 => key.trim_end_matches('=').to_owned(),
        1 => key.replace('+', "-").replace('/', "_"),
        2 => {
            let at = u.int_in_range(0..=key.len())?;
            let (start, end) = key.split_at(at);
            format!("{start}{}{end}", character(u)?)
        }
        3 => key.chars().map(|c| if c.is_ascii_digit() { '!' } else { c }).collect(),
        4 => varied(u, "<key>")?,
        _ => key,
    })
}

/// A proof, or what is like one.
pub(super) fn accept(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0..=7)? {
        0 => "<accept-unpadded>".to_owned(),
        1 => "<accept-swapped>".to_owned(),
        2 => "<accept-of-key>".to_owned(),
        3 => "<accept-of-bytes>".to_owned(),
        4 => "<key>".to_owned(),
        5 => STANDARD.encode(u.bytes(20.min(u.len()))?),
        _ => varied(u, "<accept>")?,
    })
}

pub(super) fn method(u: &mut Unstructured<'_>) -> Result<String> {
    let methods = ["POST", "PUT", "HEAD", "OPTIONS", "FETCH"];
    if u.one_in(3) { cased(u, "GET") } else { Ok(choose(u, &methods)?.to_owned()) }
}

pub(super) fn http_version(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0..=5)? {
        0 => choose(u, &["ICY/1.1", "HTTPS/1.1", "WS/13", "H/1.1"])?.to_owned(),
        1 => format!("HTTP/{}.{}", u.int_in_range(0..=2)?, u.int_in_range(0..=2)?),
        _ => format!("HTTP/1.{}", u.int_in_range(0..=2)?),
    })
}

pub(super) fn target(u: &mut Unstructured<'_>) -> Result<String> {
    let word = token(u)?;
    Ok(match u.int_in_range(0..=7)? {
        0 => "*".to_owned(),
        1 => word,
        2 => "http://<host><target>".to_owned(),
        3 => "<host>".to_owned(),
        4 => format!("<target>#{word}"),
        5 => format!("/{word}?{word}=%41"),
        6 => format!("/{word}{}{word}", character(u)?),
        _ => format!("<target>?{word}"),
    })
}

pub(super) fn host(u: &mut Unstructured<'_>) -> Result<String> {
    let word = token(u)?;
    Ok(match u.int_in_range(0..=7)? {
        0 => format!("{word}.example"),
        1 => format!("<host>/{word}"),
        2 => format!("{word}:{word}"),
        3 => "[::1".to_owned(),
        4 => "[::1]:80".to_owned(),
        5 => format!("{word}@<host>"),
        _ => varied(u, "<host>")?,
    })
}

pub(super) fn status(u: &mut Unstructured<'_>) -> Result<u16> {
    let known = [100, 102, 103, 200, 201, 202, 204, 301, 302, 304, 400, 401, 403, 404, 426, 429, 500, 503];
    if u.ratio(3, 4)? { u.choose(&known).copied() } else { u.int_in_range(100..=599) }
}

/// A field that an ordinary head does not have.
pub(super) fn other_field(u: &mut Unstructured<'_>) -> Result<(String, String)> {
    let word = token(u)?;
    let (name, value) = match u.int_in_range(0..=7)? {
        0 => ("Origin", choose(u, &["https://other.example", "null", "http://<host>"])?.to_owned()),
        1..=2 => ("Cookie", "a=1; b=2".to_owned()),
        3 => ("Authorization", "Basic YTpi".to_owned()),
        4 => ("Date", "Thu, 01 Jan 1970 00:00:00 GMT".to_owned()),
        5 => ("Set-Cookie", "a=1".to_owned()),
        6 => ("X-Wsgrade", varied(u, &word)?),
        _ => ("Pragma", "no-cache".to_owned()),
    };
    Ok((name.to_owned(), value))
}

/// A line that is no field, or not quite.
pub(super) fn broken_line(u: &mut Unstructured<'_>, name: &str, usual: &str) -> Result<Vec<u8>> {
    let word = token(u)?;
    let line = match u.int_in_range(0..=9)? {
        0 => word,
        1 => format!(": {word}"),
        2 => format!("{word} {word}: {word}"),
        3 => format!("{name} : {usual}"),
        4 => format!("X-Wsgrade : {word}"),
        5 => format!("{word}\u{1}: {word}"),
        6 => format!("X-Wsgrade: {word}{}{word}", choose(u, &["\0", "\r", "\u{7f}", "\u{b}"])?),
        7 => format!("X-Wsgrade: {word}\r\n {word}"),
        8 => format!("{name}:\r\n {usual}"),
        _ => return Ok([b"X-Wsgrade: \xff\x80", word.as_bytes(), b"\r\n"].concat()),
    };
    Ok(format!("{line}\r\n").into_bytes())
}
