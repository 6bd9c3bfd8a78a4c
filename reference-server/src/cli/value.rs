//! Durations and sizes as people write them.

use std::time::Duration;

/// `500ms`, `10s`, `1.5s`, `5m`, `1h`, or `0`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration like 500ms, 10s, 5m or 1h");
    let (number, unit) = split(text);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "" if number == "0" => 0.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())
}

/// A [`duration`], or `off`.
pub(crate) fn optional_duration(text: &str) -> Result<Option<Duration>, String> {
    if text == "off" {
        return Ok(None);
    }
    duration(text).map(Some).map_err(|error| format!("{error}, or off"))
}

/// `1024`, `64KiB`, `16MiB`, `1GiB`; the letters `iB` may be left out.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let wrong = || format!("{text:?} is not a size in bytes like 1024, 64KiB or 16MiB");
    let (number, unit) = split(text);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        _ => return Err(wrong()),
    };
    let number: usize = number.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

/// `00ff`, `00 ff` or `00:ff`.
pub(crate) fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !matches!(c, ' ' | ':'))
        .map(|c| {
            c.to_digit(16).map(|digit| digit as u8).ok_or_else(|| format!("{c:?} is not a hexadecimal digit"))
        })
        .collect::<Result<_, _>>()?;
    if !digits.len().is_multiple_of(2) {
        return Err(format!("{} hexadecimal digits do not make whole bytes", digits.len()));
    }
    Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// The number in front and the unit behind.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in
            [("500ms", 500), ("10s", 10_000), ("1.5s", 1500), ("5m", 300_000), ("1 h", 3_600_000), ("0", 0)]
        {
            assert_eq!(Ok(Duration::from_millis(millis)), duration(text), "{text}");
        }
        for text in ["", "10", "s", "-1s", "1d", "1.2.3s", "9999999999999999999999h", "off", "nan s"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(Ok(None), optional_duration("off"));
        assert_eq!(Ok(Some(Duration::from_secs(1))), optional_duration("1s"));
        assert!(optional_duration("on").unwrap_err().ends_with("or off"));
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("1024", 1024),
            ("64KiB", 65536),
            ("64k", 65536),
            ("16 MiB", 16 << 20),
            ("1g", 1 << 30),
        ] {
            assert_eq!(Ok(bytes), size(text), "{text}");
        }
        for text in ["", "-1", "1.5k", "1kB", "99999999999999999999", "99999999999999g"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hexadecimal() {
        assert_eq!(Ok(vec![0, 255, 26]), hex("00 fF:1a"));
        assert_eq!(Ok(vec![]), hex(""));
        assert!(hex("0").unwrap_err().contains("whole bytes"));
        assert!(hex("0x").unwrap_err().contains("'x'"));
    }
}
