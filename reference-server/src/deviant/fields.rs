//! Header fields, mended so that what is wrong with them is not seen.

use bytes::Bytes;
use wsgrade_codec::handshake::{Headers, parse_extensions};

use super::defect::Nature;
use super::table::Defect;

/// Without any field of this name.
pub(super) fn without(headers: &Headers, name: &str) -> Headers {
    kept(headers, |found| !found.eq_ignore_ascii_case(name))
}

/// With one field of this name, which has this value.
pub(super) fn with(headers: &Headers, name: &str, value: &str) -> Headers {
    let mut headers = without(headers, name);
    headers.push(name, Bytes::copy_from_slice(value.as_bytes()));
    headers
}

/// With the first field of this name only.
pub(super) fn first_of(headers: &Headers, name: &str) -> Headers {
    let mut seen = false;
    kept(headers, |found| !found.eq_ignore_ascii_case(name) || !std::mem::replace(&mut seen, true))
}

fn kept(headers: &Headers, mut keeps: impl FnMut(&str) -> bool) -> Headers {
    let mut kept = Headers::new();
    for (name, value) in headers.iter().filter(|(name, _)| keeps(name)) {
        kept.push(name, Bytes::copy_from_slice(value));
    }
    kept
}

/// Whether the fields are refused although they are lawful.
pub(super) fn refuses(headers: &Headers, nature: &Nature) -> bool {
    let any = |name: &'static str, is: fn(&[u8]) -> bool| headers.all(name).any(is);
    let whole = any("Connection", |value| value.contains(&b','));
    let connection_case = !any("Connection", |value| contains(value, b"Upgrade"));
    let upgrade_case = any("Upgrade", |value| value != b"websocket");
    // As the RFC writes them, and many a client.
    let names = [
        "Host",
        "Upgrade",
        "Connection",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Accept",
    ];
    let names_case = headers
        .iter()
        .any(|(found, _)| names.iter().any(|name| name.eq_ignore_ascii_case(found) && *name != found));
    let quoted = any("Sec-WebSocket-Extensions", |value| value.contains(&b'"'));
    let refused = [
        (whole, Defect::ComparesConnectionWhole),
        (connection_case, Defect::ComparesConnectionCase),
        (upgrade_case, Defect::ComparesUpgradeCase),
        (names_case, Defect::ComparesNamesCase),
        (quoted, Defect::RefusesQuotedValue),
    ];
    refused.into_iter().any(|(applies, defect)| applies && nature.has(defect))
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window == part)
}

/// Only the first `Sec-WebSocket-Extensions` of several, for who reads no other, and none for who passes over what is
/// no list.
pub(super) fn extensions_as_read(headers: &Headers, nature: &Nature) -> Headers {
    let name = "Sec-WebSocket-Extensions";
    if headers.all(name).count() > 1 && nature.has(Defect::ReadsFirstExtensionsFieldOnly) {
        return first_of(headers, name);
    }
    if headers.all(name).any(|value| parse_extensions(value).is_err())
        && nature.has(Defect::TakesBadExtensions)
    {
        return without(headers, name);
    }
    headers.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        lines.iter().for_each(|(name, value)| headers.push(*name, Bytes::copy_from_slice(value.as_bytes())));
        headers
    }

    #[test]
    fn fields_are_replaced_whatever_their_case() {
        let two = headers(&[("A", "1"), ("b", "2"), ("B", "3")]);
        let shown = |headers: Headers| {
            headers
                .iter()
                .map(|(n, v)| format!("{n}={}", String::from_utf8_lossy(v)))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(shown(without(&two, "B")), "A=1");
        assert_eq!(shown(with(&two, "a", "x")), "b=2 B=3 a=x");
        assert_eq!(shown(first_of(&two, "B")), "A=1 b=2");
    }

    #[test]
    fn lawful_spellings_are_refused_by_a_defect_alone() {
        for (name, value, defect) in [
            ("Connection", "keep-alive, Upgrade", Defect::ComparesConnectionWhole),
            ("Connection", "upgrade", Defect::ComparesConnectionCase),
            ("Upgrade", "WebSocket", Defect::ComparesUpgradeCase),
            ("upgrade", "websocket", Defect::ComparesNamesCase),
        ] {
            let found = headers(&[("Connection", "Upgrade"), (name, value)]);
            let found = if name == "Connection" { headers(&[(name, value)]) } else { found };
            assert!(refuses(&found, &Nature::new(Some(defect))), "{name}: {value}");
            assert!(!refuses(&found, &Nature::new(None)), "{name}: {value}");
        }
        let ordinary = headers(&[("Upgrade", "websocket"), ("Connection", "Upgrade")]);
        assert!(!refuses(&ordinary, &Nature::new(Some(Defect::ComparesUpgradeCase))));
    }
}
