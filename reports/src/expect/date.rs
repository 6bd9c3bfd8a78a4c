//! A day.

use std::fmt;
use std::str::FromStr;

/// A day of the calendar, `2027-03-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    // In the order of their weight, so that days are ordered as they come.
    year: u16,
    /// `1 <= month <= 12`
    month: u8,
    /// From 1 to the length of the month.
    day: u8,
}

/// Why a text is no day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no day: write it as year, month and day, such as 2027-03-01")]
pub struct NoDate(String);

impl Date {
    /// This day, if there is one.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        let length = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        (year <= 9999 && (1..=length).contains(&day)).then_some(Self { year, month, day })
    }
}

impl FromStr for Date {
    type Err = NoDate;

    /// Reads `2027-03-01`, with all its digits.
    fn from_str(text: &str) -> Result<Self, NoDate> {
        let number = |range, dash: Option<usize>| {
            let digits: &str = text.get(range)?;
            let parted = dash.is_none_or(|at| text.as_bytes().get(at) == Some(&b'-'));
            (parted && digits.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| digits.parse::<u16>().ok())?
        };
        let date = || {
            let (year, month, day) = (number(0..4, None)?, number(5..7, Some(4))?, number(8..10, Some(7))?);
            let short = |number: u16| u8::try_from(number).ok();
            Self::new(year, short(month)?, short(day)?).filter(|_| text.len() == 10)
        };
        date().ok_or_else(|| NoDate(crate::render::text::column(text, 40)))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    #[test]
    fn days_that_are_none() {
        for text in [
            "",
            "2027",
            "2027-3-1",
            "2027-13-01",
            "2027-00-01",
            "2027-02-29",
            "2028-02-30",
            "2100-02-29",
            "2027-04-31",
            "2027-01-00",
            "27-01-01",
            "2027/01/01",
            "2027-01-01T00:00",
            "2027-01-+1",
            "１027-01-01",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert_eq!(
            "tomorrow".parse::<Date>().expect_err("no day").to_string(),
            "`tomorrow` is no day: write it as year, month and day, such as 2027-03-01"
        );
    }

    #[test]
    fn days_in_their_order() {
        let days = ["2024-02-29", "2027-02-28", "2027-03-01", "2027-12-31", "2028-01-01", "2400-02-29"];
        let read = days.map(|day| day.parse::<Date>().expect(day));
        assert!(read.is_sorted());
        assert_eq!(read.map(|day| day.to_string()), days);
    }

    quickcheck! {
        fn what_is_written_is_read_again(year: u16, month: u8, day: u8) -> bool {
            let month = month % 14;
            let day = day % 33;
            Date::new(year, month, day).is_none_or(|date| date.to_string().parse() == Ok(date))
        }

        fn no_text_is_too_odd(text: String) -> bool {
            text.parse::<Date>().is_err() || text.len() == 10
        }
    }
}
