//! `badge.svg` and `badge.json`: the grade in a few pixels, as a picture and for the endpoint badge of shields.io.

use serde_json::json;

use super::File;
use crate::grade::{Grade, RunGrade};
use crate::record::RunReport;

/// What is on the left.
const LABEL: &str = "wsgrade";
/// Beside each text, in pixels.
const MARGIN: u32 = 6;

/// The badge in both forms. It tells the grade of the worst target.
pub fn render(report: &RunReport) -> Vec<File> {
    let badge = Badge::of(report);
    vec![
        File { name: "badge.svg".to_owned(), contents: badge.svg() },
        File { name: "badge.json".to_owned(), contents: badge.json() },
    ]
}

/// What is on the right, in letters of our own only.
#[derive(Debug, PartialEq, Eq)]
struct Badge {
    message: String,
    /// As shields.io names it, and what that looks like.
    color: (&'static str, &'static str),
    /// Whether nothing is known.
    is_error: bool,
}

const BRIGHT_GREEN: (&str, &str) = ("brightgreen", "#3a7d0a");
const GREEN: (&str, &str) = ("green", "#4b7a12");
const YELLOW_GREEN: (&str, &str) = ("yellowgreen", "#6b6f10");
const YELLOW: (&str, &str) = ("yellow", "#86690b");
const ORANGE: (&str, &str) = ("orange", "#a8530f");
const RED: (&str, &str) = ("red", "#b3362b");
const GREY: (&str, &str) = ("lightgrey", "#6a6a6a");

impl Badge {
    fn of(report: &RunReport) -> Self {
        let of = |message: String, color| Self { message, color, is_error: false };
        let stopped = report.targets.iter().any(|target| target.stopped.is_some());
        if let Some(fuzz) = report.fuzz.as_ref().filter(|fuzz| fuzz.scenarios > 0 && !stopped) {
            return match fuzz.findings.len() {
                0 => of(format!("nothing found in {}", fuzz.scenarios), BRIGHT_GREEN),
                found => of(format!("{found} found"), RED),
            };
        }
        match RunGrade::of(report).grade {
            None => Self { message: "no grade".to_owned(), color: GREY, is_error: true },
            Some(grade) => of(
                grade.to_string(),
                match grade {
                    Grade::APlus => BRIGHT_GREEN,
                    Grade::A => GREEN,
                    Grade::B => YELLOW_GREEN,
                    Grade::C => YELLOW,
                    Grade::D => ORANGE,
                    Grade::F => RED,
                },
            ),
        }
    }

    fn json(&self) -> String {
        let Self { message, color: (color, _), is_error } = self;
        let endpoint = json!({
            "schemaVersion": 1,
            "label": LABEL,
            "message": message,
            "color": color,
            "isError": is_error,
        });
        format!("{endpoint}\n")
    }

    fn svg(&self) -> String {
        let Self { message, color: (_, color), is_error: _ } = self;
        let (left, right) = (width(LABEL), width(message));
        let (split, whole) = (left + 2 * MARGIN, left + right + 4 * MARGIN);
        let rest = whole - split;
        let at = split + MARGIN;
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label="{LABEL}: {message}">
<title>{LABEL}: {message}</title>
<clipPath id="r"><rect width="{whole}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{split}" height="20" fill="#444"/><rect x="{split}" width="{rest}" height="20" fill="{color}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">
<text x="{MARGIN}" y="14" textLength="{left}">{LABEL}</text>
<text x="{at}" y="14" textLength="{right}">{message}</text>
</g>
</svg>
"##
        )
    }
}

/// About how wide a text is in Verdana at 11 pixels; where it is not, the picture stretches it to that.
fn width(text: &str) -> u32 {
    let tenths = |c: char| match c {
        'i' | 'j' | 'l' => 30,
        ' ' | 'f' | 'r' | 't' => 43,
        'w' | 'm' | 'A'..='Z' | '+' => 85,
        _ => 68,
    };
    text.chars().map(tenths).sum::<u32>().div_ceil(10)
}
