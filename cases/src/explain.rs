//! A case explained to people: all that is known of it on a page of text, its steps as a sequence diagram.
//!
//! ```text
//!    us                             peer
//!    │◀─ the opening handshake ───────▶│
//!    │─ ping, empty, FIN ─────────────▶│   what we send
//!    │◀┄ pong, empty ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│   what a peer sends for the first accepted outcome
//! ```

use std::fmt::{self, Write as _};

use wsgrade_codec::wire::Opcode;

use crate::Catalogue;
use crate::describe::{self, codes};
use crate::model::{Accept, Awaited, By, End, Ending, Expected, Opening, Role, Saw, Scenario, Step};
use crate::rules::{Register, cited};
use crate::write::duration;

/// How wide a line of text gets, in characters.
const COLUMNS: usize = 100;
/// How wide what stands on an arrow gets before it takes another line.
const LABEL: usize = 64;
/// How many answers of a kind that no step waits for are drawn one by one.
const DRAWN: usize = 6;

/// All that is to be known of a case. It ends with a line feed, and what is no printable character in it is escaped.
///
/// The catalogue knows the title of its section, the register the sentences of its rules.
pub fn explain(scenario: &Scenario, catalogue: &Catalogue, register: &Register) -> String {
    let mut page = Page::default();
    page.write(scenario, catalogue, register).expect("writing to a string never fails");
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn write(&mut self, scenario: &Scenario, catalogue: &Catalogue, register: &Register) -> fmt::Result {
        let Scenario {
            id,
            title,
            why,
            rules: _,
            roles,
            needs,
            opening: _,
            steps: _,
            stress: _,
            accept,
            ending,
            catches,
            differs,
        } = scenario;
        self.hanging(&format!("{id}  "), "", title)?;
        let section = scenario.section();
        let of = catalogue.section_title(&section).map(|of| format!(", {of}")).unwrap_or_default();
        self.paragraph("", &format!("section {section}{of}"))?;

        self.heading("Why")?;
        self.paragraph("  ", why)?;

        self.heading("Rules")?;
        self.rules(scenario, register)?;

        self.heading("Played")?;
        let roles: Vec<_> = roles.iter().map(|role| format!("{role}s")).collect();
        self.paragraph("  ", &format!("against {}", roles.join(" and ")))?;
        let needs: Vec<_> = needs.iter().map(|need| need.as_str()).collect();
        if !needs.is_empty() {
            self.paragraph("  ", &format!("where there is: {}", needs.join(", ")))?;
        }

        let setup = describe::setup(scenario);
        if !setup.is_empty() {
            self.heading("Setup")?;
            setup.iter().try_for_each(|line| self.paragraph("  ", line))?;
        }

        self.heading("Steps (── what we do, ┄┄ what the peer does in the first accepted outcome)")?;
        self.0 += &Diagram::of(scenario).text();

        self.heading(
            "Accepted outcomes (the first that matches decides, and what matches none is a failure)",
        )?;
        for (n, accept) in accept.iter().enumerate() {
            let by = accept.rule.as_ref().map(|rule| format!(" (by {rule})")).unwrap_or_default();
            self.item(&format!("{}. ", n + 1), &format!("{}{by}", describe::accept(scenario, accept)))?;
        }

        self.heading("End of the connection")?;
        self.paragraph("  ", &describe::ending(ending))?;

        if !catches.is_empty() {
            self.heading("Known defects that it catches")?;
            catches.iter().try_for_each(|defect| self.item("- ", defect))?;
        }
        if let Some(differs) = differs {
            self.heading("How it differs from Autobahn|Testsuite")?;
            self.paragraph("  ", differs)?;
        }
        Ok(())
    }

    fn rules(&mut self, scenario: &Scenario, register: &Register) -> fmt::Result {
        for id in cited(scenario) {
            match register.get(id) {
                Some(rule) => {
                    let place = format!("{} section {}", rule.document, rule.section);
                    let level = rule.level;
                    self.paragraph("  ", &format!("{id}: {place}, {level}, binds {}", rule.binds))?;
                    self.paragraph("    ", &format!("\"{}\"", rule.sentence))?;
                }
                None => self.paragraph("  ", &format!("{id}: not in the register"))?,
            }
        }
        Ok(())
    }

    fn heading(&mut self, text: &str) -> fmt::Result {
        writeln!(self.0, "\n{text}")
    }

    fn paragraph(&mut self, indent: &str, text: &str) -> fmt::Result {
        self.hanging(indent, indent, text)
    }

    /// With a mark before its first line.
    fn item(&mut self, mark: &str, text: &str) -> fmt::Result {
        let rest = " ".repeat(2 + mark.len());
        self.hanging(&format!("  {mark}"), &rest, text)
    }

    fn hanging(&mut self, first: &str, rest: &str, text: &str) -> fmt::Result {
        for (n, line) in wrapped(&visible(text), COLUMNS - rest.len()).iter().enumerate() {
            let indent = if n == 0 { first } else { rest };
            writeln!(self.0, "{}", format!("{indent}{line}").trim_end())?;
        }
        Ok(())
    }
}

/// One row of the diagram.
#[derive(Debug, PartialEq, Eq)]
enum Row {
    /// From us to the peer.
    Ours(String),
    /// From the peer to us.
    Theirs(String),
    /// To and fro.
    Both(String),
    /// Nothing on the wire.
    Note(String),
}

#[derive(Debug, Default)]
struct Diagram(Vec<Row>);

impl Diagram {
    fn of(scenario: &Scenario) -> Self {
        let mut diagram = Self::default();
        let Some(first) = scenario.accept.first() else { return diagram };
        let opened = diagram.opening(scenario, first);
        let mut left = answers(scenario, first);
        for step in &scenario.steps {
            diagram.step(step, first, &mut left);
        }
        diagram.answers(&left);
        if opened {
            diagram.ending(scenario, first.ending.as_ref().unwrap_or(&scenario.ending));
        }
        diagram
    }

    /// The opening handshake; whether the first outcome is one of a connection that was opened.
    fn opening(&mut self, scenario: &Scenario, first: &Accept) -> bool {
        let saw = || describe::saw(scenario, &first.saw);
        let refused = match &first.saw {
            Saw::Events { events, order: _ } => events.iter().any(Expected::is_of_opening),
            Saw::Answers | Saw::Anything => false,
        };
        let as_set_up = if scenario.opening == Opening::default() { "" } else { ", as set up" };
        if scenario.opening.tls.is_some() {
            self.0.push(Row::Ours(format!("the TLS handshake{as_set_up}")));
            self.0.push(Row::Theirs(saw()));
            return false;
        }
        match (scenario.roles.contains(&Role::Server), scenario.roles.contains(&Role::Client)) {
            (true, false) => {
                self.0.push(Row::Ours(format!("the opening handshake{as_set_up}")));
                if refused {
                    self.0.push(Row::Theirs(saw()));
                } else if !scenario.opening.unfinished {
                    self.0.push(Row::Theirs("101, the connection is open".to_owned()));
                }
            }
            (false, true) => {
                self.0.push(Row::Theirs("the opening handshake".to_owned()));
                self.0.push(Row::Ours(format!("our response{as_set_up}")));
                if refused {
                    self.0.push(Row::Theirs(saw()));
                }
            }
            (true, true) | (false, false) => {
                self.0.push(Row::Both(format!("the opening handshake{as_set_up}")));
                if refused {
                    self.0.push(Row::Theirs(saw()));
                }
            }
        }
        !refused
    }

    fn step(&mut self, step: &Step, first: &Accept, left: &mut Vec<Expected>) {
        let words = describe::step(step);
        let after = |prefix| words.strip_prefix(prefix).unwrap_or(&words).to_owned();
        match step {
            Step::Send(frame) => self.0.push(Row::Ours(describe::frame(frame))),
            Step::More { .. } => {
                self.0.push(Row::Ours(format!("on with it: {}", after("send the frame's payload on, "))));
            }
            Step::Raw { .. } => self.0.push(Row::Ours(after("send "))),
            Step::Await { event, within } => {
                let most = within.map(|time| format!(" for {} at most", duration(time))).unwrap_or_default();
                self.0.push(match event {
                    Awaited::Answer(Expected::Open(_)) => Row::Note(words),
                    Awaited::Answer(answer) => {
                        if let Some(at) = left.iter().position(|other| other == answer) {
                            left.remove(at);
                        }
                        Row::Theirs(format!("{}, awaited{most}", describe::expected(answer)))
                    }
                    Awaited::Any => Row::Theirs(format!("any message or pong, awaited{most}")),
                    Awaited::Close => Row::Theirs(format!("the end of the connection, awaited{most}")),
                });
            }
            Step::Probe { mark } => {
                self.0.push(Row::Ours("ping: is the connection open?".to_owned()));
                self.0.push(if is_open(first, mark) {
                    Row::Theirs(format!("its pong sets mark {mark}"))
                } else {
                    Row::Note(format!("no pong, mark {mark} is not set"))
                });
            }
            Step::Exchange(_) => {
                self.0.push(Row::Ours(after("exchange ")));
                self.0.push(Row::Theirs("the echo of each, before we send the next".to_owned()));
            }
            Step::Pause { .. } | Step::Read(_) | Step::Hold { .. } => self.0.push(Row::Note(words)),
            Step::End(End::Abort) => self.0.push(Row::Ours("a reset of TCP".to_owned())),
            Step::End(End::Half) => self.0.push(Row::Ours("the end of our sending side".to_owned())),
        }
    }

    /// What is answered and no step waits for.
    fn answers(&mut self, left: &[Expected]) {
        let mut items: Vec<(String, usize)> = Vec::new();
        for answer in left.iter().map(describe::expected) {
            match items.last_mut() {
                Some((last, count)) if *last == answer => *count += 1,
                _ => items.push((answer, 1)),
            }
        }
        let more = items.len().saturating_sub(DRAWN);
        for (answer, count) in items.into_iter().take(DRAWN) {
            self.0.push(Row::Theirs(if count == 1 { answer } else { format!("{answer}, {count} times") }));
        }
        if more > 0 {
            self.0.push(Row::Theirs(format!("and {more} more, as under the accepted outcomes")));
        }
    }

    fn ending(&mut self, scenario: &Scenario, ending: &Ending) {
        let we_closed = scenario
            .steps
            .iter()
            .any(|step| matches!(step, Step::Send(frame) if frame.opcode == Opcode::CLOSE));
        let or = if ending.clean { "" } else { ", or the end of TCP" };
        let close = format!("close, {}{or}", codes(ending));
        match ending.by {
            By::Us => {
                if !we_closed {
                    self.0.push(Row::Ours("close".to_owned()));
                }
                self.0.push(Row::Theirs(close));
            }
            By::Peer if ending.bare => {
                self.0.push(Row::Theirs("the end of TCP, with or without a close".to_owned()));
            }
            By::Peer => {
                self.0.push(Row::Theirs(close));
                if ending.clean {
                    self.0.push(Row::Ours("close".to_owned()));
                }
            }
            By::Either => self.0.push(Row::Note("either side ends it, in any way".to_owned())),
        }
    }

    fn text(&self) -> String {
        let labels: Vec<_> = self.0.iter().map(|row| wrapped(&visible(&row.label()), LABEL)).collect();
        let widest = labels.iter().flatten().map(|line| width(line)).max().unwrap_or(0).max(24);
        // The label, a piece of arrow and a space before it, and no less behind it.
        let inner = widest + 6;
        let mut out = format!("    us{}peer\n", " ".repeat(inner - 3));
        for (row, lines) in self.0.iter().zip(&labels) {
            let Some((last, before)) = lines.split_last() else { continue };
            for line in before {
                out += &format!("    │   {line}{}│\n", " ".repeat(inner - 3 - width(line)));
            }
            let fill = inner - 3 - width(last);
            out += &match row {
                Row::Ours(_) => format!("    │── {last} {}▶│\n", "─".repeat(fill - 2)),
                Row::Theirs(_) => format!("    │◀┄ {last} {}│\n", "┄".repeat(fill - 1)),
                Row::Both(_) => format!("    │◀─ {last} {}▶│\n", "─".repeat(fill - 2)),
                Row::Note(_) => format!("    │   {last}{}│\n", " ".repeat(fill)),
            };
        }
        out
    }
}

impl Row {
    fn label(&self) -> String {
        match self {
            Self::Ours(text) | Self::Theirs(text) | Self::Both(text) => text.clone(),
            Self::Note(text) => format!("({text})"),
        }
    }
}

/// The answers of an outcome that a diagram shows behind the steps: neither marks nor exchanges, which have rows of their
/// own, nor what the opening handshake came to.
fn answers(scenario: &Scenario, first: &Accept) -> Vec<Expected> {
    let mut answers = match &first.saw {
        Saw::Answers => scenario.answers(),
        Saw::Events { events, order: _ } => events.clone(),
        Saw::Anything => Vec::new(),
    };
    answers.retain(|answer| match answer {
        Expected::Text(_) | Expected::Binary(_) | Expected::Pong(_) | Expected::Declined => true,
        Expected::Open(_) | Expected::Exchanged(_) => false,
        Expected::Refused { .. } | Expected::Dropped | Expected::Unanswered => false,
    });
    answers
}

/// Whether the connection is open at a mark, as far as an outcome says.
fn is_open(outcome: &Accept, mark: &str) -> bool {
    let sets = |event: &Expected| matches!(event, Expected::Open(open) if open == mark);
    match &outcome.saw {
        Saw::Events { events, order: _ } => events.iter().any(sets),
        Saw::Answers | Saw::Anything => true,
    }
}

/// A user's file may hold anything; a terminal must not be told to do it.
fn visible(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if c.is_control() && c != '\n' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        out
    })
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Lines of so many characters at most, cut between words, and within those that are longer.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    // Spaces in a row may be what a case is about.
    for word in text.split([' ', '\n']) {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let line = lines.last_mut().expect("there is always one");
            let taken = width(line);
            let gap = usize::from(taken > 0);
            if taken + gap + word.len() <= most {
                line.extend(" ".repeat(gap).chars().chain(word));
                break;
            }
            if taken == 0 {
                line.extend(word.drain(..most));
            }
            lines.push(String::new());
        }
    }
    lines
}

#[cfg(test)]
mod tests;
