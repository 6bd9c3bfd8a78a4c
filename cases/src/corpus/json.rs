//! Records as an API lists them.

use std::fmt::Write;

use super::UNITS;
use super::random::Random;

const FIRST: [&str; 24] = [
    "Ada", "Bram", "Chidi", "Dilan", "Elif", "Farid", "Greta", "Hana", "Imre", "Jorun", "Kofi", "Lena",
    "Mira", "Noor", "Olek", "Pia", "Quentin", "Rosa", "Sanne", "Tariq", "Uma", "Vito", "Wanda", "Yusuf",
];
const LAST: [&str; 24] = [
    "Abara",
    "Berg",
    "Castell",
    "Dvorak",
    "Eriksen",
    "Fontana",
    "Grau",
    "Hoshino",
    "Ivanov",
    "Jansen",
    "Keita",
    "Lindqvist",
    "Mbeki",
    "Novak",
    "Okafor",
    "Petrov",
    "Quist",
    "Romero",
    "Sato",
    "Tanaka",
    "Ueda",
    "Varga",
    "Weiss",
    "Zhang",
];
const CITIES: [&str; 16] = [
    "Aarhus", "Bilbao", "Cork", "Dakar", "Essen", "Fukuoka", "Ghent", "Hanoi", "Izmir", "Jaipur", "Krakow",
    "Lisbon", "Malmo", "Nairobi", "Oulu", "Porto",
];
const STREETS: [&str; 10] = [
    "Mill Lane",
    "Station Road",
    "Harbour Street",
    "Orchard Way",
    "North Quay",
    "Chapel Hill",
    "Linden Avenue",
    "Bridge Street",
    "Old Market",
    "Garden Row",
];
const TAGS: [&str; 16] = [
    "new",
    "priority",
    "trial",
    "newsletter",
    "wholesale",
    "vip",
    "returned",
    "beta",
    "overdue",
    "export",
    "gift",
    "seasonal",
    "partner",
    "internal",
    "manual-review",
    "loyalty",
];
const ITEMS: [&str; 14] = [
    "desk lamp",
    "office chair",
    "notebook A5",
    "usb cable 2m",
    "monitor arm",
    "water bottle",
    "backpack",
    "headphones",
    "whiteboard",
    "keyboard",
    "webcam",
    "power bank",
    "travel adapter",
    "coffee grinder",
];
const STATES: [&str; 5] = ["paid", "open", "shipped", "cancelled", "refunded"];

/// A list of customers. Whole records, and spaces where no other fits.
pub(super) fn generate() -> String {
    let mut random = Random::new(1);
    let mut out = String::with_capacity(UNITS);
    let end = "\n]}\n";
    out.push_str("{\"page\":1,\"sort\":\"id\",\"items\":[");
    for id in 1.. {
        let record = record(&mut random, id);
        if out.len() + record.len() + end.len() + 2 > UNITS {
            break;
        }
        out.push_str(if id == 1 { "\n" } else { ",\n" });
        out.push_str(&record);
    }
    let room = UNITS - end.len() - out.len();
    out.extend(std::iter::repeat_n(' ', room));
    out + end
}

fn record(random: &mut Random, id: u32) -> String {
    let (first, last) = (random.pick(&FIRST), random.pick(&LAST));
    let mut out = format!("{{\"id\":{},\"key\":\"{:08x}\",", 100_000 + id * 7, random.next() >> 32);
    put(
        &mut out,
        format_args!(
            "\"links\":{{\"self\":\"https://api.example/v1/customers/{id}\",\"orders\":\"https://api.example/v1/customers/{id}/orders\"}},"
        ),
    );
    let mail = format!("{first}.{last}{}@mail.example", random.below(100)).to_lowercase();
    put(&mut out, format_args!("\"name\":\"{first} {last}\",\"email\":\"{mail}\","));
    put(&mut out, format_args!("\"active\":{},\"created\":\"{}\",", !random.one_in(4), date(random)));
    let (street, city) = (random.pick(&STREETS), random.pick(&CITIES));
    put(
        &mut out,
        format_args!(
            "\"address\":{{\"street\":\"{street} {}\",\"city\":\"{city}\",\"zip\":\"{:05}\",\"geo\":[{}{}.{:04},{}.{:04}]}},",
            random.between(1, 180),
            random.below(100_000),
            if random.one_in(2) { "-" } else { "" },
            random.below(90),
            random.below(10_000),
            random.below(180),
            random.below(10_000),
        ),
    );
    let tags: Vec<_> = (0..random.below(4)).map(|_| format!("\"{}\"", random.pick(&TAGS))).collect();
    put(&mut out, format_args!("\"tags\":[{}],\"orders\":[", tags.join(",")));
    for n in 0..random.below(4) {
        let comma = if n == 0 { "" } else { "," };
        let (item, state, placed) = (random.pick(&ITEMS), random.pick(&STATES), date(random));
        put(
            &mut out,
            format_args!(
                "{comma}{{\"item\":\"{item}\",\"quantity\":{},\"price\":{}.{:02},\"state\":\"{state}\",\"placed\":\"{placed}\"}}",
                random.between(1, 12),
                random.below(400),
                random.below(100),
            ),
        );
    }
    match random.below(3) {
        0 => out.push_str("],\"note\":null}"),
        1 => out.push_str("],\"note\":\"\"}"),
        _ => put(
            &mut out,
            format_args!(
                "],\"note\":\"called on {}, asked for {}\"}}",
                &date(random)[..10],
                random.pick(&ITEMS)
            ),
        ),
    }
    out
}

fn date(random: &mut Random) -> String {
    format!(
        "20{:02}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        random.between(15, 25),
        random.between(1, 12),
        random.between(1, 28),
        random.below(24),
        random.below(60),
        random.below(60),
    )
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Nothing but memory can fail here.
    let _ = out.write_fmt(text);
}
