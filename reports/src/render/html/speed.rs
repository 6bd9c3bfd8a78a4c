//! What cases that measure time measured, as plots: an SVG for each section, and the numbers of it in a table.
//!
//! ```text
//! transcript ── Measure ── Plot ─┬─ ticks, columns, series    coordinates, in units of the view box
//!                                └─ rows                      the same for those who read
//! ```

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::page::{Link, href};
use super::scale::{Scale, bytes, rate, tenth, time};
use crate::grade::area;
use crate::record::{Behavior, CaseInfo, CaseRecord, Direction, FrameInfo, RoundTrips, RunReport, What};
use crate::render::text::{clipped, column, prose};
use crate::render::words;

/// The areas whose cases are there to be timed.
const AREAS: [&str; 2] = ["9", "P"];
/// The view box, and what is around the field with the points: units of SVG.
pub(super) const WIDTH: f64 = 420.0;
pub(super) const HEIGHT: f64 = 230.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 40.0;
/// How many labels an axis has at most.
const LABELS: usize = 7;
/// How far the points of two targets stand apart.
const APART: f64 = 5.0;
/// How many series have a sign and a colour of their own.
const SIGNS: usize = 6;

/// The section of the page.
#[derive(Debug, Serialize)]
pub(super) struct Plots {
    width: f64,
    height: f64,
    jobs: String,
    series: Vec<Legend>,
    plots: Vec<Plot>,
}

#[derive(Debug, Serialize)]
struct Legend {
    name: String,
    /// Which sign and colour: `0..SIGNS`.
    sign: usize,
}

#[derive(Debug, Serialize)]
struct Plot {
    id: String,
    title: String,
    /// What is measured: `median round trip`.
    what: &'static str,
    /// What sets one column apart from the other: `message of`.
    axis: &'static str,
    whiskers: bool,
    ticks: Vec<Tick>,
    columns: Vec<Tick>,
    series: Vec<Series>,
    rows: Vec<Row>,
    left: f64,
    right: f64,
    top: f64,
    floor: f64,
}

/// A line of the grid, or a column.
#[derive(Debug, Serialize)]
struct Tick {
    at: f64,
    label: String,
}

#[derive(Debug, Serialize)]
struct Series {
    sign: usize,
    name: String,
    /// The `d` of a path through its points.
    line: String,
    points: Vec<Point>,
}

#[derive(Debug, Serialize)]
struct Point {
    x: f64,
    y: f64,
    /// Where the fastest and the 99th of 100 are.
    whisker: Option<(f64, f64)>,
    text: String,
    href: String,
}

/// A line of the table.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    title: String,
    cells: Vec<Option<Link>>,
}

/// What one record says of speed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measure {
    value: Value,
    /// Bytes of a message, of its first frame, and of a write.
    sizes: [u64; 3],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Latency(RoundTrips),
    /// Of a message there and back: bytes of payload, and microseconds.
    Throughput(u64, u64),
}

/// A record, and what it measured.
type Timed<'a> = (&'a CaseRecord, Measure);
/// A case, and for each run what it measured there.
type Column<'a> = (&'a CaseInfo, Vec<Option<Timed<'a>>>);

/// What the columns of a plot are called, by which of [`Measure::sizes`] tells them apart.
const AXES: [&str; 3] = ["messages of", "in fragments of", "in writes of"];

impl Plots {
    /// `None` where nothing was timed.
    pub(super) fn of(report: &RunReport, cases: &[CaseInfo]) -> Option<Self> {
        let mut measured: HashMap<(&str, usize), (&CaseRecord, Measure)> = HashMap::new();
        let mut runs: Vec<(usize, &str)> = Vec::new();
        for (at, target) in report.targets.iter().enumerate() {
            for record in &target.cases {
                let Some(measure) = Measure::of(record) else { continue };
                let run = (at, record.carrier.as_str());
                let number = runs.iter().position(|&known| known == run).unwrap_or_else(|| {
                    runs.push(run);
                    runs.len() - 1
                });
                measured.entry((&record.id, number)).or_insert((record, measure));
            }
        }
        let mut sections: Vec<(&CaseInfo, Vec<&CaseInfo>)> = Vec::new();
        for case in
            cases.iter().filter(|case| (0..runs.len()).any(|n| measured.contains_key(&(&*case.id, n))))
        {
            match sections.iter_mut().find(|(first, _)| first.section == case.section) {
                Some((_, cases)) => cases.push(case),
                None => sections.push((case, vec![case])),
            }
        }
        let many_carriers = runs.iter().any(|(_, carrier)| *carrier != runs[0].1);
        let name = |&(at, carrier): &(usize, &str)| {
            let name = clipped(&report.targets[at].name, 60);
            if many_carriers { format!("{name} ({})", column(carrier, 16)) } else { name }
        };
        let names: Vec<String> = runs.iter().map(name).collect();
        let plots: Vec<_> = sections
            .iter()
            .map(|(section, cases)| {
                let points = |case: &CaseInfo| {
                    let at = |n: usize| measured.get(&(case.id.as_str(), n)).copied();
                    (0..runs.len()).map(at).collect::<Vec<_>>()
                };
                let columns: Vec<_> = cases.iter().map(|case| (*case, points(case))).collect();
                Plot::of(section, &columns, &runs, &names)
            })
            .collect();
        let legend = |(n, name): (usize, String)| Legend { name, sign: n % SIGNS };
        (!plots.is_empty()).then(|| Self {
            width: WIDTH,
            height: HEIGHT,
            jobs: words::cases(report.options.jobs),
            series: names.into_iter().enumerate().map(legend).collect(),
            plots,
        })
    }
}

impl Plot {
    /// `columns` is not empty, and each has at least one measure.
    fn of(section: &CaseInfo, columns: &[Column<'_>], runs: &[(usize, &str)], names: &[String]) -> Self {
        let all: Vec<Measure> =
            columns.iter().flat_map(|(_, points)| points.iter().flatten().map(|(_, m)| *m)).collect();
        // A section measures one thing; what a case of it measures otherwise has no place on its axis.
        let is_latency = matches!(all[0].value, Value::Latency(_));
        let fits = |measure: &Measure| matches!(measure.value, Value::Latency(_)) == is_latency;
        let scale = Scale::around(
            all.iter().filter(|m| fits(m)).flat_map(|m| m.extent()),
            (HEIGHT - BOTTOM, TOP),
            if is_latency { time } else { rate },
        );
        let (axis, labels) = axis(columns);
        let step = (WIDTH - LEFT - RIGHT) / columns.len() as f64;
        let x = |column: usize| LEFT + step * (column as f64 + 0.5);
        let series = |(n, name): (usize, &String)| {
            let offset = (n as f64 - (names.len() - 1) as f64 / 2.0) * APART;
            let point = |(at, (case, points)): (usize, &Column<'_>)| {
                let (record, measure) = points[n].filter(|(_, measure)| fits(measure))?;
                let [low, mid, high] = measure.extent();
                Some(Point {
                    x: tenth(x(at) + offset.clamp(-step / 2.0, step / 2.0)),
                    y: tenth(scale.at(mid)),
                    whisker: is_latency.then(|| (tenth(scale.at(low)), tenth(scale.at(high)))),
                    text: format!("{name} · {} {}: {}", column(&case.id, 24), labels[at], measure.says()),
                    href: href(&record.id, runs[n].0, &record.carrier),
                })
            };
            let points: Vec<Point> = columns.iter().enumerate().filter_map(point).collect();
            let line = points.iter().enumerate().fold(String::new(), |mut d, (i, Point { x, y, .. })| {
                write!(d, "{}{x} {y}", if i == 0 { "M" } else { "L" })
                    .expect("writing to a string never fails");
                d
            });
            Series { sign: n % SIGNS, name: name.clone(), line, points }
        };
        let row = |(case, points): &Column<'_>| Row {
            id: column(&case.id, 24),
            title: prose(&case.title),
            cells: points
                .iter()
                .zip(runs)
                .map(|(point, run)| {
                    let (record, measure) = point.as_ref()?;
                    Some(Link::new(measure.says(), href(&record.id, run.0, &record.carrier)))
                })
                .collect(),
        };
        let every = columns.len().div_ceil(LABELS);
        let label = |(at, label): (usize, &String)| Tick {
            at: tenth(x(at)),
            label: if at % every == 0 { label.clone() } else { String::new() },
        };
        Self {
            id: column(&section.section, 24),
            title: prose(&section.section_title),
            what: if is_latency { "time there and back" } else { "payload there and back" },
            axis,
            whiskers: is_latency,
            ticks: scale.ticks().into_iter().map(|(at, label)| Tick { at: tenth(at), label }).collect(),
            columns: labels.iter().enumerate().map(label).collect(),
            series: names.iter().enumerate().map(series).filter(|s| !s.points.is_empty()).collect(),
            rows: columns.iter().map(row).collect(),
            left: LEFT,
            right: WIDTH - RIGHT,
            top: TOP,
            floor: HEIGHT - BOTTOM,
        }
    }
}

/// What tells the columns apart: the first of the sizes that is another in each; else their ids.
fn axis(columns: &[Column<'_>]) -> (&'static str, Vec<String>) {
    let first = |points: &[Option<Timed<'_>>]| points.iter().flatten().map(|(_, m)| *m).next();
    for (size, axis) in AXES.into_iter().enumerate() {
        let sizes: Option<Vec<u64>> =
            columns.iter().map(|(_, points)| first(points).map(|m| m.sizes[size])).collect();
        let Some(sizes) = sizes else { continue };
        let mut sorted = sizes.clone();
        sorted.sort_unstable();
        if sorted.windows(2).all(|pair| pair[0] != pair[1]) {
            return (axis, sizes.into_iter().map(bytes).collect());
        }
    }
    ("case", columns.iter().map(|(case, _)| column(&case.id, 12)).collect())
}

/// When a message of ours began, and its first frame.
fn first_frame(at_us: u64, what: &What) -> Option<(u64, &FrameInfo)> {
    match what {
        What::Frame { dir: Direction::Sent, frame } if matches!(frame.opcode, 1 | 2) => Some((at_us, frame)),
        _ => None,
    }
}

impl Measure {
    /// What a record measured; `None` where it is of another kind, or did not pass.
    fn of(record: &CaseRecord) -> Option<Self> {
        if record.behavior != Behavior::Pass || !AREAS.contains(&area(&record.id)) {
            return None;
        }
        let entries = || record.transcript.entries.iter().filter(|entry| !entry.prelude);
        let exchange = entries().find_map(|entry| match entry.what {
            What::Exchanged { messages, bytes, round_trips: Some(times), .. } if messages > 0 => {
                let size = bytes / u64::from(messages);
                Some(Self { value: Value::Latency(times), sizes: [size; 3] })
            }
            _ => None,
        });
        exchange.or_else(|| {
            let (began, frame) = entries().find_map(|entry| first_frame(entry.at_us, &entry.what))?;
            let (ended, len) = entries().find_map(|entry| match &entry.what {
                What::Message { payload, .. } if entry.at_us >= began => Some((entry.at_us, payload.len)),
                _ => None,
            })?;
            let piece = frame.payload.len / u64::from(frame.chops.unwrap_or(1).max(1));
            let value = Value::Throughput(len, (ended - began).max(1));
            (len > 0).then_some(Self { value, sizes: [len, frame.payload.len, piece] })
        })
    }

    /// The least, the middle and the most of it, all above zero.
    fn extent(&self) -> [f64; 3] {
        match self.value {
            Value::Latency(RoundTrips { min_us, median_us, p99_us, max_us: _, total_us: _ }) => {
                [min_us, median_us, p99_us].map(|us| us.max(1) as f64)
            }
            Value::Throughput(bytes, us) => [bytes as f64 / us as f64; 3],
        }
    }

    fn says(&self) -> String {
        match self.value {
            Value::Latency(RoundTrips { min_us, median_us, p99_us, max_us: _, total_us: _ }) => format!(
                "{} ({} to {})",
                words::instant(median_us),
                words::instant(min_us),
                words::instant(p99_us)
            ),
            Value::Throughput(_, us) => {
                format!("{} ({})", rate(self.extent()[1]), words::instant(us))
            }
        }
    }
}
