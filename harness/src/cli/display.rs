//! Progress, on standard error: a bar on a terminal, plain lines in a log.

use std::io::{IsTerminal, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc::UnboundedReceiver;
use wsgrade_reports::record::{Behavior, CloseVerdict, Severity};

use super::frames;
use crate::event::RunEvent;

/// Shows what happens until nothing more can.
pub(crate) async fn watch(mut events: UnboundedReceiver<RunEvent>) {
    let mut shown = Shown::new(std::io::stderr().is_terminal());
    while let Some(event) = events.recv().await {
        for line in shown.take(&event) {
            // Whoever closed standard error does not want to know. The bar makes way meanwhile.
            shown.bar.suspend(|| {
                let _ = writeln!(std::io::stderr(), "{line}");
            });
        }
    }
}

/// What is on the screen.
struct Shown {
    terminal: bool,
    bar: ProgressBar,
    done: usize,
    total: usize,
}

impl Shown {
    fn new(terminal: bool) -> Self {
        Self { terminal, bar: ProgressBar::hidden(), done: 0, total: 0 }
    }

    /// Takes note; gives the lines to print.
    fn take(&mut self, event: &RunEvent) -> Vec<String> {
        match event {
            RunEvent::TargetStarted { url, agent, cases } => {
                (self.done, self.total) = (0, *cases);
                if self.terminal {
                    self.bar = bar(*cases, url);
                }
                let agent =
                    agent.as_ref().map(|agent| format!(" ({})", printable(agent))).unwrap_or_default();
                vec![format!("{url}{agent}: {cases} cases")]
            }
            RunEvent::CaseFinished { id, title, behavior, close, reason, provisional } => {
                let worth_a_line = behavior.severity().max(close.severity()) >= Severity::Minor
                    || *behavior == Behavior::Inconclusive;
                if self.done < self.total {
                    self.done += 1;
                    self.bar.inc(1);
                }
                if self.terminal || !worth_a_line || *provisional {
                    return Vec::new();
                }
                let reason =
                    reason.as_ref().map(|reason| format!(": {}", printable(reason))).unwrap_or_default();
                // A client names itself, and the name stands before the id.
                vec![format!("{} {} {title}{reason}", verdict(*behavior, *close), printable(id))]
            }
            RunEvent::ConfirmingAlone { cases } => {
                self.bar.finish_and_clear();
                vec![format!("playing {cases} of them again, one by one, to confirm what failed")]
            }
            RunEvent::Passed { id, entry } => {
                frames::line(entry).map(|line| format!("{} {line}", printable(id))).into_iter().collect()
            }
            RunEvent::TurnedAway { reason } => vec![printable(reason)],
            RunEvent::TargetFinished { stopped } => {
                self.bar.finish_and_clear();
                stopped.iter().map(|reason| printable(reason)).collect()
            }
        }
    }
}

fn bar(cases: usize, url: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(cases as u64), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(url.to_owned());
    bar
}

fn verdict(behavior: Behavior, close: CloseVerdict) -> String {
    if behavior.severity() >= close.severity() { behavior.to_string() } else { format!("close {close}") }
}

/// What came from the network may hold anything; a terminal must not be told to do it.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(behavior: Behavior, close: CloseVerdict, provisional: bool) -> RunEvent {
        RunEvent::CaseFinished {
            id: "\u{7}agent: 1.1.1".to_owned(),
            title: "A title".to_owned(),
            behavior,
            close,
            reason: Some("evil \u{1b}[2J".to_owned()),
            provisional,
        }
    }

    #[test]
    fn the_lines_of_a_log() {
        let mut shown = Shown::new(false);
        let mut lines = Vec::new();
        for event in [
            RunEvent::TargetStarted { url: "ws://h/".to_owned(), agent: Some("x\n".to_owned()), cases: 3 },
            finished(Behavior::Pass, CloseVerdict::Pass, false),
            finished(Behavior::Fail, CloseVerdict::Pass, true),
            finished(Behavior::NonStrict, CloseVerdict::Unclean, false),
            RunEvent::ConfirmingAlone { cases: 1 },
            finished(Behavior::Fail, CloseVerdict::Pass, false),
            RunEvent::TurnedAway { reason: "a client does not \u{7}".to_owned() },
            RunEvent::TargetFinished { stopped: Some("gone".to_owned()) },
        ] {
            lines.extend(shown.take(&event));
        }
        insta::assert_snapshot!(lines.join("\n"), @r"
        ws://h/ (x�): 3 cases
        close unclean �agent: 1.1.1 A title: evil �[2J
        playing 1 of them again, one by one, to confirm what failed
        fail �agent: 1.1.1 A title: evil �[2J
        a client does not �
        gone
        ");
    }
}
