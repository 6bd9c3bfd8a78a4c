//! Progress of a campaign, on standard error: one line that changes on a terminal, a line now and then in a log.

use std::io::{IsTerminal, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Duration, Instant};

use crate::fuzz::campaign::{Progress, Told};
use crate::fuzz::finding::one_line;

/// How often a log has a line.
const SELDOM: Duration = Duration::from_secs(10);

/// Shows what happens until nothing more can.
pub(super) async fn watch(mut told: UnboundedReceiver<Told>) {
    let terminal = std::io::stderr().is_terminal();
    let bar = if terminal { spinner() } else { ProgressBar::hidden() };
    let mut last = Instant::now();
    while let Some(told) = told.recv().await {
        let line = match told {
            Told::Progress(progress) if terminal => {
                bar.set_message(in_words(&progress));
                bar.tick();
                continue;
            }
            Told::Progress(_) if last.elapsed() < SELDOM => continue,
            Told::Progress(progress) => {
                last = Instant::now();
                in_words(&progress)
            }
            Told::Found(what) => format!("found: {}", one_line(&what)),
            Told::Note(what) => one_line(&what),
        };
        // Whoever closed standard error does not want to know. The bar makes way meanwhile.
        bar.suspend(|| {
            let _ = writeln!(std::io::stderr(), "{line}");
        });
    }
    bar.finish_and_clear();
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar
}

fn in_words(progress: &Progress) -> String {
    let Progress { scenarios, per_second, corpus, findings } = progress;
    format!("{scenarios} scenarios, {per_second:.0} a second, {corpus} in the corpus, {findings} found")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line() {
        let progress = Progress { scenarios: 1200, per_second: 99.6, corpus: 7, findings: 1 };
        insta::assert_snapshot!(in_words(&progress), @"1200 scenarios, 100 a second, 7 in the corpus, 1 found");
    }
}
