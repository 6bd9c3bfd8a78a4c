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

/// [`clipped`] for Markdown, where it stands as it is: no markup, no HTML, no link, no mention, in a table neither.
/// Every service makes links and mentions of its own from plain text, so what comes from the network belongs into
/// [`code`].
pub(crate) fn markdown(text: &str, max: usize) -> String {
    escape_markdown(&clipped(text, max))
}

/// [`markdown`] set as code, in which nobody looks for mentions, issue numbers and smileys. A code span of Markdown's own
/// would end at a backtick, and in a table at a bar.
pub(crate) fn code(text: &str, max: usize) -> String {
    format!("<code>{}</code>", markdown(text, max))
}

/// A character reference is never taken for markup, whatever stands beside it.
fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut last = ' ';
    for c in text.chars() {
        match c {
            // What looks for these looks in the text after references are resolved, but not across elements.
            '@' | '$' => {
                write!(out, "<span>&#{};</span>", u32::from(c)).expect("writing to a string never fails")
            }
            // `www.` begins a link.
            '.' if !last.eq_ignore_ascii_case(&'w') => out.push(c),
            ',' | '-' | '/' | ';' | '%' | '?' => out.push(c),
            c if c.is_ascii_punctuation() => {
                write!(out, "&#{};", u32::from(c)).expect("writing to a string never fails");
            }
            c => out.push(c),
        }
        last = c;
    }
    // A dash would be an item of a list or a line under a heading, where it begins a line.
    match out.strip_prefix('-') {
        Some(rest) => format!("&#45;{rest}"),
        None => out,
    }
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

    #[test]
    fn markdown_has_no_markup_of_others() {
        assert_eq!(markdown("plain, 1.1.1 - words/ἀρχή; 50%", 99), "plain, 1.1.1 - words/ἀρχή; 50%");
        assert_eq!(
            markdown("- [a](http://b) `c` | *d* <e> &f; \\g #1", 99),
            "&#45; &#91;a&#93;&#40;http&#58;//b&#41; &#96;c&#96; &#124; &#42;d&#42; &#60;e&#62; &#38;f; &#92;g &#35;1"
        );
        assert_eq!(
            markdown("@me $x$ www.a.b", 99),
            "<span>&#64;</span>me <span>&#36;</span>x<span>&#36;</span> www&#46;a.b"
        );
        assert_eq!(code("a\nb", 99), "<code>a&#92;nb</code>");
        assert_eq!(code("abc", 2), "<code>ab … &#40;1 more characters in run.json&#41;</code>");
    }
}
