//! A picture of 508 by 688 points in 24 bits each: a sky, hills before it, and the grain of film.

use super::UNITS;
use super::random::Random;

const WIDTH: u32 = 508;
const HEIGHT: u32 = 688;
/// Where the points begin: ten bytes after the two headers, so that all of it is as long as it has to be.
const POINTS: u32 = 64;

const _: () =
    assert!((POINTS + WIDTH * HEIGHT * 3) as usize == UNITS, "the picture has the length of a corpus");

pub(super) fn generate() -> Vec<u8> {
    let mut out = Vec::with_capacity(UNITS);
    out.extend_from_slice(b"BM");
    // The file's header, and BITMAPINFOHEADER.
    for word in
        [UNITS as u32, 0, POINTS, 40, WIDTH, HEIGHT, 1 | 24 << 16, 0, WIDTH * HEIGHT * 3, 2835, 2835, 0, 0]
    {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.resize(POINTS as usize, 0);
    let mut random = Random::new(2);
    // Rows go from the bottom up.
    for y in (0..HEIGHT).rev() {
        for x in 0..WIDTH {
            out.extend(point(&mut random, x, y));
        }
    }
    out
}

/// Blue, green and red of a point, counted from the upper left.
fn point(random: &mut Random, x: u32, y: u32) -> [u8; 3] {
    let far = 300 + wave(x, 190) / 2;
    let near = 430 + wave(x + 60, 310) / 3;
    let (colour, grain) = if y < far {
        ([210 - y / 8, 150 + y / 6, 90 + y / 5], 9)
    } else if y < near {
        let shade = (y - far) / 4;
        ([110 - shade.min(60), 120 - shade.min(50), 70 + shade / 2], 15)
    } else {
        let shade = (y - near) / 5;
        ([30 + shade / 2, 90 + shade, 40 + shade + wave(x + y, 40) / 4], 30)
    };
    // One grain darkens or lightens all three.
    let grains = random.below(grain);
    colour.map(|part| (part + grains + random.below(grain / 3)).min(255) as u8)
}

/// Up and down between 0 and half the length.
fn wave(x: u32, length: u32) -> u32 {
    let along = x % length;
    along.min(length - along)
}
