//! A page of a magazine: articles, links, pictures and tables.

use std::fmt::Write;

use super::UNITS;
use super::random::Random;

const WORDS: [&str; 112] = [
    "about",
    "across",
    "after",
    "again",
    "almost",
    "along",
    "answer",
    "around",
    "autumn",
    "basket",
    "because",
    "before",
    "between",
    "bridge",
    "bright",
    "café",
    "candle",
    "carried",
    "castle",
    "century",
    "chapter",
    "church",
    "coast",
    "corner",
    "could",
    "country",
    "crowd",
    "curtain",
    "danger",
    "distant",
    "during",
    "early",
    "east",
    "empty",
    "engine",
    "evening",
    "every",
    "façade",
    "famous",
    "farmer",
    "field",
    "flour",
    "forest",
    "found",
    "garden",
    "glass",
    "gradually",
    "grain",
    "harbour",
    "heavy",
    "hidden",
    "history",
    "house",
    "hundred",
    "island",
    "journey",
    "kitchen",
    "ladder",
    "letter",
    "light",
    "listen",
    "little",
    "market",
    "memory",
    "merchant",
    "mirror",
    "morning",
    "mountain",
    "museum",
    "naïve",
    "narrow",
    "never",
    "notebook",
    "ocean",
    "often",
    "orchard",
    "painted",
    "paper",
    "people",
    "perhaps",
    "piano",
    "pocket",
    "quarter",
    "quiet",
    "railway",
    "remember",
    "river",
    "road",
    "schedule",
    "season",
    "seldom",
    "shadow",
    "silver",
    "simple",
    "soup",
    "spring",
    "station",
    "stone",
    "story",
    "street",
    "summer",
    "thousand",
    "through",
    "tower",
    "travel",
    "under",
    "village",
    "voyage",
    "water",
    "window",
    "winter",
    "yesterday",
];
const SMALL: [&str; 24] = [
    "the", "the", "the", "a", "of", "of", "and", "and", "to", "in", "in", "was", "it", "on", "with", "for",
    "as", "had", "at", "by", "not", "from", "is", "but",
];
const CLASSES: [&str; 12] = [
    "lead",
    "wide",
    "muted",
    "note",
    "card",
    "card card-large",
    "teaser",
    "pull-quote",
    "byline",
    "small",
    "highlight",
    "archive",
];
const SECTIONS: [&str; 8] =
    ["travel", "kitchen", "letters", "science", "books", "gardens", "music", "small-towns"];

/// A whole page. Whole blocks, and spaces where no other fits.
pub(super) fn generate() -> String {
    let mut random = Random::new(4);
    let end = "</main>\n</body>\n</html>\n";
    let mut out = String::with_capacity(UNITS + UNITS / 32);
    out.push_str(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>The Long Page — all articles</title>\n\
         <link rel=\"stylesheet\" href=\"/static/style.css\">\n</head>\n<body class=\"archive\">\n<main>\n",
    );
    let mut count = out.chars().count();
    for number in 1.. {
        let article = article(&mut random, number);
        let more = article.chars().count();
        if count + more + end.len() > UNITS {
            break;
        }
        out.push_str(&article);
        count += more;
    }
    out.extend(std::iter::repeat_n(' ', UNITS - end.len() - count));
    out + end
}

fn article(random: &mut Random, number: u32) -> String {
    let section = random.pick(&SECTIONS);
    let title = sentence(random, 3, 7);
    let slug = title.trim_end_matches(['.', '?']).to_lowercase().replace(',', "").replace(' ', "-");
    let mut out = format!(
        "<article id=\"a{number}\" class=\"{}\" data-section=\"{section}\" data-words=\"{}\">\n<h2><a href=\"/{section}/{}/{slug}\">{title}</a></h2>\n",
        random.pick(&CLASSES),
        random.between(120, 2400),
        random.between(1990, 2025),
    );
    for _ in 0..random.between(2, 6) {
        match random.below(8) {
            0 => figure(random, &mut out),
            1 => table(random, &mut out),
            2 => list(random, section, &mut out),
            _ => paragraph(random, section, &mut out),
        }
    }
    put(
        &mut out,
        format_args!(
            "<footer class=\"tools\"><a href=\"#top\">Top</a> · <a href=\"/share?article={number}\" rel=\"nofollow\">Share</a> · <a href=\"/print?article={number}\" rel=\"nofollow\">Print</a></footer>\n</article>\n"
        ),
    );
    out
}

fn paragraph(random: &mut Random, section: &str, out: &mut String) {
    put(out, format_args!("<p class=\"{}\">", random.pick(&CLASSES)));
    for n in 0..random.between(2, 6) {
        out.push_str(if n == 0 { "" } else { " " });
        match random.below(6) {
            0 => put(out, format_args!("“{}”", sentence(random, 4, 10))),
            1 => put(
                out,
                format_args!(
                    "<a href=\"/{section}/{}.html\" title=\"{}\">{}</a>",
                    random.pick(&WORDS),
                    random.pick(&WORDS),
                    sentence(random, 2, 5)
                ),
            ),
            2 => put(out, format_args!("<em>{}</em> — {}", random.pick(&WORDS), sentence(random, 5, 14))),
            _ => out.push_str(&sentence(random, 5, 16)),
        }
    }
    out.push_str("</p>\n");
}

fn figure(random: &mut Random, out: &mut String) {
    let (width, height) = (random.between(20, 90) * 10, random.between(20, 60) * 10);
    put(
        out,
        format_args!(
            "<figure>\n<img src=\"/images/{:06x}.jpg\" width=\"{width}\" height=\"{height}\" alt=\"{}\" loading=\"lazy\">\n<figcaption>{} © {}</figcaption>\n</figure>\n",
            random.below(1 << 24),
            random.pick(&WORDS),
            sentence(random, 4, 9),
            random.between(1990, 2025),
        ),
    );
}

fn table(random: &mut Random, out: &mut String) {
    out.push_str("<table class=\"figures\">\n<thead><tr><th>Place</th><th>Visitors</th><th>Fare</th></tr></thead>\n<tbody>\n");
    for _ in 0..random.between(3, 8) {
        put(
            out,
            format_args!(
                "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}.{:02} €</td></tr>\n",
                random.pick(&WORDS),
                random.between(10, 9000),
                random.below(90),
                random.below(100),
            ),
        );
    }
    out.push_str("</tbody>\n</table>\n");
}

fn list(random: &mut Random, section: &str, out: &mut String) {
    out.push_str("<ul class=\"links\">\n");
    for _ in 0..random.between(3, 7) {
        put(
            out,
            format_args!(
                "<li><a href=\"/{section}/{}-{}\">{}</a></li>\n",
                random.pick(&WORDS),
                random.below(1000),
                sentence(random, 2, 6)
            ),
        );
    }
    out.push_str("</ul>\n");
}

fn sentence(random: &mut Random, least: u32, most: u32) -> String {
    let mut out = String::new();
    for n in 0..random.between(least, most) {
        let word = if random.one_in(2) { random.pick(&SMALL) } else { random.pick(&WORDS) };
        if n == 0 {
            let mut letters = word.chars();
            out.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            out.push_str(letters.as_str());
        } else {
            out.push_str(if random.one_in(16) { ", " } else { " " });
            out.push_str(word);
        }
    }
    out.push_str(if random.one_in(9) { "?" } else { "." });
    out
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Nothing but memory can fail here.
    let _ = out.write_fmt(text);
}
