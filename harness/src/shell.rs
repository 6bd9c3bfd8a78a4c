//! Words as a shell takes them, for commands that are shown to be repeated.

/// A word as a POSIX shell takes it.
pub(crate) fn word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(word("ws://127.0.0.1:9001/"), "ws://127.0.0.1:9001/");
        assert_eq!(word("X: it's"), r"'X: it'\''s'");
        assert_eq!(word("ws://h/?a=1&b=2"), "'ws://h/?a=1&b=2'");
        assert_eq!(word(""), "''");
    }
}
