//! What a process wrote to standard output and standard error: the last of it, in the order it came.

use std::collections::VecDeque;
use std::io::{PipeWriter, Read as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::lock;

/// How much is kept.
const KEPT: usize = 64 << 10;
/// How much of it the record gets.
const RECORDED: usize = 8 << 10;
/// How many lines a message quotes, and how much of each, in characters.
const LINES: usize = 6;
const LINE: usize = 160;
/// What stands in the line that says what went wrong, above the calls that led there, in the languages that servers are written in.
const TELLING: [&str; 9] =
    ["panicked at", "panic:", "Error:", "error:", "Exception", "exception:", "Assertion", "fatal", "FATAL"];

/// The last bytes of the output.
#[derive(Debug)]
pub(super) struct Output {
    kept: Mutex<VecDeque<u8>>,
    /// Becomes `true` when nobody can write any more.
    done: watch::Receiver<bool>,
}

impl Output {
    /// A pipe for the process to write to, which is read from now on.
    pub(super) fn open() -> std::io::Result<(Arc<Self>, PipeWriter)> {
        let (mut reader, writer) = std::io::pipe()?;
        let (end, done) = watch::channel(false);
        let output = Arc::new(Self { kept: Mutex::default(), done });
        let keeper = Arc::clone(&output);
        std::thread::Builder::new().name("output".to_owned()).spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                match reader.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => keeper.push(&buffer[..count]),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            end.send_replace(true);
        })?;
        Ok((output, writer))
    }

    fn push(&self, bytes: &[u8]) {
        let mut kept = lock(&self.kept);
        kept.extend(bytes);
        let excess = kept.len().saturating_sub(KEPT);
        kept.drain(..excess);
    }

    /// Waits until nobody can write any more, but no longer than this: what left the group may hold the pipe for ever.
    pub(super) async fn wait_for_end(&self, patience: Duration) {
        let _ = timeout(patience, self.done.clone().wait_for(|done| *done)).await;
    }

    /// The last of it for the record, beginning with a line, where it is not one line alone.
    pub(super) fn tail(&self) -> Option<String> {
        let kept = lock(&self.kept);
        let from = kept.len().saturating_sub(RECORDED);
        let mut bytes: Vec<u8> = kept.iter().skip(from).copied().collect();
        drop(kept);
        if from > 0
            && let Some(end) = bytes.iter().position(|&byte| byte == b'\n')
            && end + 1 < bytes.len()
        {
            bytes.drain(..=end);
        }
        (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The last lines for a message, which must not move a terminal. Where what went wrong stands further up, that line is
    /// the first of them.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let text = self.tail().unwrap_or_default();
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let above = lines.len().saturating_sub(LINES);
        let first = match lines.iter().rposition(|line| tells(line)) {
            Some(at) if at < above => Some(lines[at]),
            Some(_) | None => None,
        };
        let last = &lines[above + usize::from(first.is_some())..];
        first.iter().chain(last).map(|line| quoted(line)).collect()
    }
}

/// Of the last lines of an output the one that says most likely what went wrong.
pub(crate) fn telling(lines: &[String]) -> Option<&str> {
    lines.iter().rfind(|line| tells(line)).or(lines.last()).map(String::as_str)
}

fn tells(line: &str) -> bool {
    TELLING.iter().any(|word| line.contains(word))
}

fn quoted(line: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    match line.char_indices().nth(LINE) {
        None => line.chars().map(shown).collect(),
        Some((end, _)) => line[..end].chars().map(shown).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn the_last_of_it_is_kept_and_harmless() {
        let (output, mut writer) = Output::open().unwrap();
        for number in 0..20_000 {
            writeln!(writer, "line {number}").unwrap();
        }
        write!(writer, "\n\x1b[2J {}", "x".repeat(300)).unwrap();
        drop(writer);
        output.wait_for_end(Duration::from_secs(60)).await;
        assert_eq!(lock(&output.kept).len(), KEPT);
        let tail = output.tail().unwrap();
        assert!(tail.len() <= RECORDED && tail.starts_with("line "), "{tail}");
        let lines = output.last_lines();
        assert_eq!((lines.len(), lines[4].as_str()), (LINES, "line 19999"));
        assert!(lines[5].starts_with("\u{fffd}[2J xxx") && lines[5].ends_with("x…"), "{}", lines[5]);
        assert_eq!(lines[5].chars().count(), LINE + 1);
    }

    /// Such as what node writes, whose last line is its version.
    #[tokio::test]
    async fn what_went_wrong_is_said_above_the_calls_that_led_there() {
        let said = async |text: &str| {
            let (output, mut writer) = Output::open().unwrap();
            write!(writer, "{text}").unwrap();
            drop(writer);
            output.wait_for_end(Duration::from_secs(60)).await;
            output.last_lines()
        };
        let calls: String = (0..10).map(|n| format!("    at call {n}\n")).collect();
        let lines = said(&format!("listening\nTypeError: no mask\n{calls}\nNode.js v20\n")).await;
        let wanted = [
            "TypeError: no mask",
            "    at call 6",
            "    at call 7",
            "    at call 8",
            "    at call 9",
            "Node.js v20",
        ];
        assert_eq!(lines, wanted);
        assert_eq!(telling(&lines), Some("TypeError: no mask"));
        // It is not said twice, and where nothing is said the last line stands for it.
        let lines = said("thread 'main' panicked at src/main.rs:1:1:\nno mask\n").await;
        assert_eq!(lines, ["thread 'main' panicked at src/main.rs:1:1:", "no mask"]);
        assert_eq!(telling(&lines), Some("thread 'main' panicked at src/main.rs:1:1:"));
        let lines = said(&calls).await;
        assert_eq!((lines.len(), telling(&lines)), (LINES, Some("    at call 9")));
        assert_eq!(telling(&[]), None);
    }

    #[tokio::test]
    async fn nothing_is_nothing() {
        let (output, writer) = Output::open().unwrap();
        output.wait_for_end(Duration::from_millis(1)).await;
        drop(writer);
        assert_eq!((output.tail(), output.last_lines()), (None, Vec::new()));
    }
}
