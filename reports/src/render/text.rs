//! Making hostile text harmless to the eye and to the format.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with everything that does not show, or that changes how its neighbours show, written out:
/// control characters, bidirectional overrides, zero-width characters, noncharacters. What comes out is also
/// lawful in XML 1.0 and without effect on a terminal.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_invisible(c) => {
                write!(out, "\\u{{{:x}}}", u32::from(c)).expect("writing to a string never fails");
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// [`visible`], no longer than `max` characters: what is cut off is counted, never silently lost.
pub(crate) fn clipped(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => visible(text).into_owned(),
        Some((at, _)) => {
            let more = text[at..].chars().count();
            format!("{} … ({more} more characters in run.json)", visible(&text[..at]))
        }
    }
}

/// [`clipped`] for a column of a table: the cut is only an ellipsis.
pub(crate) fn column(text: &str, max: usize) -> String {
    let text = visible(text);
    match text.char_indices().nth(max) {
        None => text.into_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Prose from a case file, where a line break is a space.
pub(crate) fn prose(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// Whether a character shows as nothing, or as something else than itself.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_is_written_out() {
        assert_eq!(
            visible("a\0b\x1b[31m\u{202e}c\u{200b}\u{feff}\u{fffe}\u{85}\u{10ffff}"),
            "a\\u{0}b\\u{1b}[31m\\u{202e}c\\u{200b}\\u{feff}\\u{fffe}\\u{85}\\u{10ffff}"
        );
        assert_eq!(visible("one\r\n\ttwo"), "one\\r\\n\\ttwo");
    }

    #[test]
    fn what_shows_is_left_alone() {
        let text = "plain, ἀρχή, 日本語, 🙂 <b>&\"'";
        assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn cuts_are_told() {
        assert_eq!(clipped("αβγδ", 2), "αβ … (2 more characters in run.json)");
        assert_eq!(clipped("αβ", 2), "αβ");
        assert_eq!(column("αβγδ", 3), "αβ…");
        assert_eq!(column("αβγ", 3), "αβγ");
        assert_eq!(prose(" one\n  two\0 "), "one two\\u{0}");
    }
}
