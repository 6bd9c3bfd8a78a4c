//! A document in the manner of PDF: numbered objects in text, and long streams that are compressed already.

use std::io::Write;

use super::UNITS;
use super::random::Random;

/// The longest stream but for the last.
const LONGEST: u32 = 9_000;

pub(super) fn generate() -> Vec<u8> {
    let mut random = Random::new(5);
    let mut out = Vec::with_capacity(UNITS);
    let mut places = Vec::new();
    out.extend_from_slice(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n");
    // As long as another round fits before the last stream and the table of places.
    while out.len() + 2 * LONGEST as usize + 8 * 1024 < UNITS {
        let number = places.len() + 1;
        places.push(out.len());
        match number % 4 {
            1 => page(&mut out, number),
            2 => font(&mut out, number, &mut random),
            _ => {
                let len = random.between(500, LONGEST) as usize;
                stream(&mut out, number, len, &mut random);
            }
        }
    }
    let number = places.len() + 1;
    places.push(out.len());
    // The last stream takes what is left: measured with one of no length.
    let mut empty = Vec::new();
    stream(&mut empty, number, 0, &mut random);
    let mut after = Vec::new();
    end(&mut after, &places, 0);
    let room = UNITS - out.len() - empty.len() - after.len();
    stream(&mut out, number, room, &mut random);
    let table = out.len();
    end(&mut out, &places, table);
    out
}

fn page(out: &mut Vec<u8>, number: usize) {
    put(
        out,
        format_args!(
            "{number} 0 obj\n<< /Type /Page /Parent 1 0 R /MediaBox [0 0 595 842] /Rotate 0\n/Resources << /Font << /F1 {} 0 R >> \
             /ProcSet [/PDF /Text /ImageC] >>\n/Contents [{} 0 R {} 0 R] >>\nendobj\n",
            number + 1,
            number + 2,
            number + 3,
        ),
    );
}

fn font(out: &mut Vec<u8>, number: usize, random: &mut Random) {
    put(
        out,
        format_args!(
            "{number} 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /ABCDEF+Made-Up-Roman /FirstChar 32 /LastChar 255\n/Widths ["
        ),
    );
    for n in 0..224 {
        let space = if n % 16 == 15 { "\n" } else { " " };
        put(out, format_args!("{}{space}", 250 + random.below(24) * 25));
    }
    put(out, format_args!("]\n/Encoding /WinAnsiEncoding >>\nendobj\n"));
}

fn stream(out: &mut Vec<u8>, number: usize, len: usize, random: &mut Random) {
    put(out, format_args!("{number} 0 obj\n<< /Filter /FlateDecode /Length {len:>6} >>\nstream\n"));
    random.fill(out, len);
    put(out, format_args!("\nendstream\nendobj\n"));
}

/// The table of places, and where it is.
fn end(out: &mut Vec<u8>, places: &[usize], table: usize) {
    put(out, format_args!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1));
    for place in places {
        put(out, format_args!("{place:010} 00000 n \n"));
    }
    put(
        out,
        format_args!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table:>8}\n%%EOF\n", places.len() + 1),
    );
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Nothing but memory can fail here.
    let _ = out.write_fmt(text);
}
