//! A logarithmic axis: from values to places, and the lines of its grid.

/// More lines than this, and only those at powers of ten are left.
const LINES: usize = 6;

/// An axis from a bottom to a top, in units of SVG, where the top is the lesser number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// The values at both ends: `0 < low < high`.
    low: f64,
    high: f64,
    bottom: f64,
    top: f64,
    label: fn(f64) -> String,
}

impl Scale {
    /// The axis that just holds all the values, each above zero, and ends at lines of its grid.
    pub(super) fn around(
        values: impl IntoIterator<Item = f64>,
        (bottom, top): (f64, f64),
        label: fn(f64) -> String,
    ) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values {
            (low, high) = (low.min(value), high.max(value));
        }
        if !low.is_finite() {
            (low, high) = (1.0, 10.0);
        }
        let mut axis = Self { low: line_below(low), high: line_above(high), bottom, top, label };
        if axis.lines().len() > LINES {
            (axis.low, axis.high) =
                (10_f64.powf(axis.low.log10().floor()), 10_f64.powf(axis.high.log10().ceil()));
        }
        axis
    }

    /// Where a value is.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        self.bottom - share * (self.bottom - self.top)
    }

    /// The lines of the grid, the lowest first.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let mut lines = self.lines();
        if lines.len() > LINES {
            lines.retain(|value| is_power(*value));
        }
        let every = lines.len().div_ceil(LINES + 1);
        lines.into_iter().step_by(every).map(|value| (self.at(value), (self.label)(value))).collect()
    }

    fn lines(&self) -> Vec<f64> {
        let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let all = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(decade)));
        // What is on a line may be a rounding error beside it.
        all.filter(|value| *value > self.low * 0.999 && *value < self.high * 1.001).collect()
    }
}

fn is_power(value: f64) -> bool {
    (value.log10() - value.log10().round()).abs() < 1e-6
}

/// The nearest of 1, 2 and 5 times a power of ten that is no more than the value.
fn line_below(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    [5.0, 2.0, 1.0]
        .map(|step| step * decade)
        .into_iter()
        .find(|line| *line <= value * 1.001)
        .unwrap_or(decade)
}

/// The nearest that is more.
fn line_above(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|step| step * decade)
        .into_iter()
        .find(|line| *line > value * 1.001)
        .unwrap_or(decade * 10.0)
}

/// A place, as exact as anybody can see.
pub(super) fn tenth(at: f64) -> f64 {
    (at * 10.0).round() / 10.0
}

/// Microseconds, as on an axis.
pub(super) fn time(us: f64) -> String {
    match us {
        us if us < 999.5 => format!("{} µs", figures(us)),
        us if us < 999_500.0 => format!("{} ms", figures(us / 1e3)),
        us => format!("{} s", figures(us / 1e6)),
    }
}

/// Bytes in a microsecond, which is megabytes in a second.
pub(super) fn rate(megabytes: f64) -> String {
    match megabytes {
        rate if rate < 0.9995 => format!("{} kB/s", figures(rate * 1e3)),
        rate if rate < 999.5 => format!("{} MB/s", figures(rate)),
        rate if rate < 999_500.0 => format!("{} GB/s", figures(rate / 1e3)),
        rate => format!("{} TB/s", figures(rate / 1e6)),
    }
}

/// A number of bytes that is likely a round one.
pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1024 => format!("{n} B"),
        _ if n.is_multiple_of(1 << 20) => format!("{} MiB", n >> 20),
        _ if n.is_multiple_of(1 << 10) => format!("{} KiB", n >> 10),
        _ => format!("{n} B"),
    }
}

/// Three figures, or two where the second is all there is to say.
fn figures(value: f64) -> String {
    let text = match value {
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    };
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(values: &[f64], label: fn(f64) -> String) -> Vec<String> {
        let axis = Scale::around(values.iter().copied(), (100.0, 0.0), label);
        axis.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn an_axis_ends_at_lines() {
        assert_eq!(ticks(&[23.0, 41.0, 120.0], time), ["20 µs", "50 µs", "100 µs", "200 µs"]);
        assert_eq!(ticks(&[1_000.0], time), ["1 ms", "2 ms"]);
        assert_eq!(ticks(&[0.4, 3.0], rate), ["200 kB/s", "500 kB/s", "1 MB/s", "2 MB/s", "5 MB/s"]);
        // Over many powers of ten only these are left, and of many only some.
        assert_eq!(ticks(&[3.0, 4e6], time), ["1 µs", "100 µs", "10 ms", "1 s"]);
        assert_eq!(ticks(&[], time), ["1 µs", "2 µs", "5 µs", "10 µs", "20 µs"]);
    }

    #[test]
    fn every_value_is_within() {
        for values in [vec![1.0], vec![1.0, u64::MAX as f64], vec![9.99, 10.0, 10.01], vec![1e-12, 5.0]] {
            let axis = Scale::around(values.iter().copied(), (100.0, 10.0), time);
            for value in values {
                let at = axis.at(value);
                assert!((10.0..=100.2).contains(&at), "{value} is at {at} of {axis:?}");
            }
            assert!(axis.ticks().len() <= 2 * LINES, "{axis:?}");
            assert!(axis.ticks().windows(2).all(|pair| pair[0].0 > pair[1].0), "{axis:?}");
        }
    }

    #[test]
    fn numbers_read_well() {
        for (us, text) in
            [(1.0, "1 µs"), (41.0, "41 µs"), (999.6, "1 ms"), (12_340.0, "12.3 ms"), (2e6, "2 s")]
        {
            assert_eq!(time(us), text);
        }
        for (megabytes, text) in
            [(0.0123, "12.3 kB/s"), (1.0, "1 MB/s"), (123.4, "123 MB/s"), (1_500.0, "1.5 GB/s")]
        {
            assert_eq!(rate(megabytes), text);
        }
        for (n, text) in
            [(0, "0 B"), (125, "125 B"), (1300, "1300 B"), (65_536, "64 KiB"), (4 << 20, "4 MiB")]
        {
            assert_eq!(bytes(n), text);
        }
    }
}
