//! A head read line by line, whatever is wrong with the lines: where a strict reader gives up, a lax one goes on, and this
//! is what it finds.

/// What is wrong with a line of a head. Readers differ in what they make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A line without a colon.
    NoColon,
    /// A name that is no token: empty, with a space before the colon, with a control character.
    Name,
    /// A control character in a value.
    Control,
    /// A value that goes on in the next line.
    Folded,
    /// A line that ends in a line feed alone.
    BareLineFeed,
}

/// A head, line by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    /// Empty lines before the first that is not.
    pub(crate) empty_before: usize,
    /// The first line, without its end.
    pub(crate) start: Vec<u8>,
    /// Names and values without white space around them, of whatever can be taken for a field.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) faults: Vec<Fault>,
    /// The bytes up to the empty line at the end, and with it; `None` where there is none.
    pub(crate) len: Option<usize>,
}

impl Lines {
    pub(crate) fn of(head: &[u8]) -> Self {
        let mut lines = Self::default();
        let mut at = 0;
        while let Some(length) = head[at..].iter().position(|byte| *byte == b'\n') {
            let line = &head[at..at + length];
            at += length + 1;
            let line = line.strip_suffix(b"\r").unwrap_or_else(|| {
                lines.faults.push(Fault::BareLineFeed);
                line
            });
            match (line, lines.start.is_empty()) {
                ([], true) => lines.empty_before += 1,
                (_, true) => lines.start = line.to_vec(),
                ([], false) => {
                    lines.len = Some(at);
                    break;
                }
                (_, false) => lines.field(line),
            }
        }
        lines
    }

    fn field(&mut self, line: &[u8]) {
        if let [b' ' | b'\t', ..] = line {
            self.faults.push(Fault::Folded);
            if let Some((_, value)) = self.fields.last_mut() {
                if !value.is_empty() {
                    value.push(b' ');
                }
                value.extend_from_slice(line.trim_ascii());
            }
            return;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return self.faults.push(Fault::NoColon);
        };
        let (name, value) = (String::from_utf8_lossy(&line[..colon]), &line[colon + 1..]);
        if !wsgrade_codec::handshake::is_token(&name) {
            self.faults.push(Fault::Name);
        }
        if value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            self.faults.push(Fault::Control);
        }
        let name: String = name.chars().filter(|c| c.is_ascii_graphic()).collect();
        self.fields.push((name, value.trim_ascii().to_vec()));
    }

    /// The values of the fields with this name, in any case.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lax_reader_finds_is_found() {
        let head =
            b"\r\nGET / HTTP/1.1\r\nHost : a\r\nno field\r\n: none\r\nX: 1\r\n 2\nY:\tb\0c \r\n\r\nrest";
        let lines = Lines::of(head);
        assert_eq!((lines.empty_before, &lines.start[..]), (1, &b"GET / HTTP/1.1"[..]));
        let field = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        assert_eq!(
            lines.fields,
            [field("Host", b"a"), field("", b"none"), field("X", b"1 2"), field("Y", b"b\0c")]
        );
        let faults =
            [Fault::Name, Fault::NoColon, Fault::Name, Fault::BareLineFeed, Fault::Folded, Fault::Control];
        assert_eq!(lines.faults, faults);
        assert_eq!(lines.len, Some(head.len() - 4));
        assert_eq!(lines.all("host").collect::<Vec<_>>(), [b"a"]);
    }

    #[test]
    fn an_ordinary_head_has_no_fault_and_an_unfinished_one_no_end() {
        let lines = Lines::of(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(lines.faults.is_empty() && lines.len.is_some());
        assert_eq!(Lines::of(b"GET / HTTP/1.1\r\nHost: a\r\n").len, None);
        assert_eq!(Lines::of(b"\r\n\r\n").len, None);
    }
}
