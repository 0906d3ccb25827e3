//! How the numbers of a column lie: rounded, so that no single row's value shows.

use serde::Serialize;

use super::digest::Digest;

/// Bars of a histogram.
const BARS: usize = 20;

/// Quantiles and a histogram of a column of numbers or days. Everything is rounded to three digits, a day to its month:
/// a description of many, not the value of one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Numbers {
    /// The values at 1, 5, 25, 50, 75, 95 and 99 per cent.
    pub quantiles: Vec<Quantile>,
    /// Rows a bar, about, between the first and the last per cent; the bars are of one width.
    pub histogram: Vec<u64>,
}

/// One quantile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quantile {
    /// The share of the values at or below, from 0 to 1.
    pub at: f64,
    /// The value, rounded; a month as `2024-02`.
    pub value: String,
}

impl Numbers {
    /// What a digest of numbers, or of days, says.
    pub(super) fn of(digest: &mut Digest, days: bool) -> Self {
        let shares = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
        let shown = |number: f64| if days { month(number) } else { rounded(number) };
        let quantile = |at: f64, digest: &mut Digest| {
            digest.quantile(at).map(|number| Quantile { at, value: shown(number) })
        };
        let quantiles = shares.into_iter().filter_map(|at| quantile(at, digest)).collect();
        let (low, high) = (digest.quantile(0.01).unwrap_or(0.0), digest.quantile(0.99).unwrap_or(0.0));
        let count = digest.count() as f64;
        let mut histogram = Vec::new();
        if high > low {
            let step = (high - low) / BARS as f64;
            let mut before = digest.share_below(low);
            for bar in 1..=BARS {
                let share = digest.share_below(low + step * bar as f64);
                histogram.push(((share - before).max(0.0) * count).round() as u64);
                before = share;
            }
        }
        Self { quantiles, histogram }
    }
}

/// Three digits, the rest zeros.
fn rounded(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scale = 10f64.powi(2 - number.abs().log10().floor() as i32);
    let digits = if scale > 1.0 { (scale.log10().round() as usize).min(12) } else { 0 };
    let text = format!("{:.digits$}", (number * scale).round() / scale);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// The month of a day numbered as the column numbers them: 372 a year, 31 a month.
fn month(day: f64) -> String {
    let day = day.max(0.0) as u32;
    format!("{:04}-{:02}", day / 372, day % 372 / 31 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_days_are_months() {
        assert_eq!(rounded(123_456.0), "123000");
        assert_eq!(rounded(-0.012_345), "-0.0123");
        assert_eq!(rounded(99.95), "100");
        assert_eq!(rounded(12.0), "12");
        assert_eq!(month(f64::from(2024 * 372 + 31 + 28)), "2024-02");
    }
}
