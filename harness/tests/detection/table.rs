//! `docs/detection.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use wsgrade_cases::id::CaseId;
use wsgrade_codec::Role;
use wsgrade_reference_server::deviant::{Area, Defect};

use super::processes::FOUND_BY;

/// What catches a defect in a role.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catches {
    /// In the order of the catalogue.
    pub(crate) cases: Vec<String>,
    /// Whether one of sections 1 to 13 is among them.
    pub(crate) by_numbered: bool,
}

impl Catches {
    pub(crate) fn add(&mut self, id: &CaseId, numbered: bool) {
        self.cases.push(id.to_string());
        self.by_numbered |= numbered;
    }
}

/// How many cases are named.
const NAMED: usize = 4;

/// Holds the page against what was found, or writes it.
pub(crate) fn compare(found: &BTreeMap<(Defect, Role), Catches>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/detection.md");
    let page = page(found);
    if std::env::var_os("WSGRADE_DETECTION").is_some_and(|value| value == "write") {
        std::fs::write(&path, page).expect("docs/detection.md can be written");
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = there.lines().zip(page.lines()).find(|(old, new)| old != new);
    assert!(
        there == page,
        "docs/detection.md is not what was found, first at\n  {}\nwhich would now be\n  {}\n\
         WSGRADE_DETECTION=write cargo test -p wsgrade --test detection writes it anew",
        differs.map_or("its end", |(old, _)| old),
        differs.map_or("longer or shorter", |(_, new)| new),
    );
}

fn page(found: &BTreeMap<(Defect, Role), Catches>) -> String {
    let caught = found.values().filter(|catches| !catches.cases.is_empty()).count();
    let numbered = found.values().filter(|catches| catches.by_numbered).count();
    let defects = Defect::ALL.iter().filter(|defect| !defect.needs_process()).count();
    let processes = Defect::ALL.len() - defects;
    let mut page = String::from(
        "# What the suite finds\n\n\
         Written by `harness/tests/detection.rs`; `WSGRADE_DETECTION=write cargo test -p wsgrade --test detection` \
         writes it anew.\n\n\
         `reference-server --defect NAME` and `reference-client --defect NAME` (feature `defects`) are an echo that is \
         strict but for one deviation. The test plays all cases against each of them, and fails if a defect is caught \
         by no case, or if any case finds something wrong without a defect.\n\n\
         | | defects | caught by all cases | by sections 1 to 13 alone |\n|---|---:|---:|---:|\n",
    );
    for (title, role) in
        [("of a server", Some(Role::Server)), ("of a client", Some(Role::Client)), ("together", None)]
    {
        let of = || found.iter().filter(|((_, found), _)| role.is_none_or(|role| role == *found));
        let all = of().count();
        let caught = of().filter(|(_, catches)| !catches.cases.is_empty()).count();
        let numbered = of().filter(|(_, catches)| catches.by_numbered).count();
        let _ = writeln!(page, "| {title} | {all} | {} | {} |", share(caught, all), share(numbered, all));
    }
    let _ = write!(
        page,
        "\n{defects} different defects, most of them in both roles: {} to find, of which {caught} are found, and {numbered} by \
         the cases that Autobahn|Testsuite has too. {processes} more show in memory, processor time or sockets only; \
         they are listed at the end.\n\n\
         A defect counts as caught where the verdict of a case is `fail` or `non-strict`, or the close breaks a MUST \
         or a SHOULD. Exchanges have two messages here. A case is left out where the endpoint was never at the point of decision \
         of the defect: it does the same there with it and without. Cases with more than 16 KiB on the wire are played \
         only where no other catches a defect, so the counts leave them out. That a section is said to catch a defect \
         of the opening handshake is because every case looks at the handshake before it plays.\n",
        found.len()
    );
    for area in AREAS {
        area_table(&mut page, area, found);
    }
    resilience(&mut page);
    page
}

const AREAS: [Area; 7] = [
    Area::Opening,
    Area::Negotiation,
    Area::Framing,
    Area::Messages,
    Area::Utf8,
    Area::Closing,
    Area::Deflate,
];

fn share(part: usize, all: usize) -> String {
    // Rounded down: what is not all is not 100 percent.
    format!("{part} ({} %)", part * 100 / all.max(1))
}

fn area_table(page: &mut String, area: Area, found: &BTreeMap<(Defect, Role), Catches>) {
    let _ = writeln!(
        page,
        "\n## {}\n\n| defect | rule | an endpoint that | as a server | as a client | by 1 to 13 |\n|---|---|---|---|---|---|",
        area.title()
    );
    for defect in Defect::ALL.iter().filter(|defect| defect.area() == area) {
        let of = |role| found.get(&(*defect, role));
        let known = defect.known().map(|known| format!(" ({known})")).unwrap_or_default();
        let numbered: Vec<_> = [("server", Role::Server), ("client", Role::Client)]
            .into_iter()
            .filter(|(_, role)| of(*role).is_some_and(|catches| catches.by_numbered))
            .map(|(name, _)| name)
            .collect();
        let numbered = if numbered.is_empty() { "no".to_owned() } else { numbered.join(", ") };
        let _ = writeln!(
            page,
            "| `{defect}` | {} | {}{known} | {} | {} | {numbered} |",
            defect.rule(),
            defect.does(),
            cell(of(Role::Server)),
            cell(of(Role::Client)),
        );
    }
}

fn cell(catches: Option<&Catches>) -> String {
    let Some(catches) = catches else { return "–".to_owned() };
    match catches.cases.as_slice() {
        [] => "**not caught**".to_owned(),
        cases if cases.len() <= NAMED => cases.join(", "),
        cases => format!("{}, … ({})", cases[..NAMED].join(", "), cases.len()),
    }
}

fn resilience(page: &mut String) {
    page.push_str(
        "\n## Resilience\n\nThese are servers, each a process of its own; `harness/tests/detection_processes.rs` tries them.\n\n\
         | defect | an endpoint that | as a server |\n|---|---|---|\n",
    );
    for (defect, cases) in FOUND_BY {
        let known = defect.known().map(|known| format!(" ({known})")).unwrap_or_default();
        let _ = writeln!(page, "| `{defect}` | {}{known} | {} |", defect.does(), cases.join(", "));
    }
}
