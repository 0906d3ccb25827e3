//! Amounts added up month by month: of single rows, of a part of a table, of a whole. Figures of a company, none of a
//! customer by name; but a month with one row shows that row's amount.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Exact;

/// The month of a row: months since year 0, or [`NO_MONTH`].
pub(crate) type Month = i32;
/// A row without a date, or a table without periods.
pub(crate) const NO_MONTH: Month = i32::MIN;
/// What [`NO_MONTH`] is called.
const NO_MONTH_WORD: &str = "none";

/// One amount of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// NULL.
    None,
    /// A number.
    Of(Exact),
    /// Something that is no number, or one of too many digits.
    Unread,
}

/// The amounts of the rows of one batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowAmounts {
    pub(crate) months: Vec<Month>,
    /// By column, then by row.
    pub(crate) amounts: Vec<Vec<Amount>>,
}

impl RowAmounts {
    /// Keeps some of the rows.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        fn kept<T>(values: &mut Vec<T>, keep: &[bool]) {
            let mut keep = keep.iter();
            values.retain(|_| keep.next().copied().unwrap_or(false));
        }
        kept(&mut self.months, keep);
        self.amounts.iter_mut().for_each(|column| kept(column, keep));
    }
}

/// What one column of a month comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Figure {
    /// Rows with an amount.
    pub rows: u64,
    /// Their sum.
    pub sum: Exact,
    /// Rows whose value is no number, or has too many digits to be added.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Figure {
    fn add(&mut self, amount: Amount) {
        match amount {
            Amount::None => {}
            Amount::Of(number) => match self.sum.plus(number) {
                Some(sum) => (self.rows, self.sum) = (self.rows + 1, sum),
                None => self.unread += 1,
            },
            Amount::Unread => self.unread += 1,
        }
    }

    fn join(&mut self, other: &Self) {
        self.unread += other.unread;
        match self.sum.plus(other.sum) {
            Some(sum) => (self.rows, self.sum) = (self.rows + other.rows, sum),
            None => self.unread += other.rows,
        }
    }

    fn take(&mut self, other: &Self) {
        self.unread = self.unread.saturating_sub(other.unread);
        match self.sum.minus(other.sum) {
            Some(sum) => (self.rows, self.sum) = (self.rows.saturating_sub(other.rows), sum),
            None => self.unread += other.rows,
        }
    }
}

/// Figures by month, each with one figure a column.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Vec<Figure>>", into = "BTreeMap<String, Vec<Figure>>")]
pub struct Totals {
    months: BTreeMap<Month, Vec<Figure>>,
}

impl Totals {
    /// Adds one row of a batch.
    pub(crate) fn add(&mut self, rows: &RowAmounts, row: usize) {
        let figures = self.of(rows.months[row], rows.amounts.len());
        figures.iter_mut().zip(&rows.amounts).for_each(|(figure, column)| figure.add(column[row]));
    }

    /// Adds all rows of a batch.
    pub(crate) fn add_all(&mut self, rows: &RowAmounts) {
        (0..rows.months.len()).for_each(|row| self.add(rows, row));
    }

    /// Adds another part.
    pub(crate) fn join(&mut self, other: &Self) {
        for (month, theirs) in &other.months {
            self.of(*month, theirs.len()).iter_mut().zip(theirs).for_each(|(mine, theirs)| mine.join(theirs));
        }
    }

    /// Takes a part away.
    pub(crate) fn take(&mut self, other: &Self) {
        for (month, theirs) in &other.months {
            self.of(*month, theirs.len()).iter_mut().zip(theirs).for_each(|(mine, theirs)| mine.take(theirs));
        }
    }

    /// The months there are.
    pub(crate) fn months(&self) -> impl Iterator<Item = Month> {
        self.months.keys().copied()
    }

    /// What a column of a month comes to.
    pub(crate) fn figure(&self, month: Month, column: usize) -> Figure {
        self.months.get(&month).and_then(|figures| figures.get(column)).copied().unwrap_or_default()
    }

    /// What a column of all months comes to.
    pub(crate) fn whole(&self, column: usize) -> Figure {
        let mut whole = Figure::default();
        self.months.values().filter_map(|figures| figures.get(column)).for_each(|figure| whole.join(figure));
        whole
    }

    fn of(&mut self, month: Month, columns: usize) -> &mut Vec<Figure> {
        let figures = self.months.entry(month).or_default();
        if figures.len() < columns {
            figures.resize(columns, Figure::default());
        }
        figures
    }
}

/// A month as `2026-01`.
pub(crate) fn month_word(month: Month) -> Option<String> {
    (month != NO_MONTH).then(|| format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1))
}

/// Months since year 0 of a year and a month from 1 to 12.
pub(crate) fn month_of(year: i32, month: i32) -> Month {
    year * 12 + month - 1
}

impl From<Totals> for BTreeMap<String, Vec<Figure>> {
    fn from(totals: Totals) -> Self {
        let word = |month| month_word(month).unwrap_or_else(|| NO_MONTH_WORD.to_owned());
        totals.months.into_iter().map(|(month, figures)| (word(month), figures)).collect()
    }
}

impl From<BTreeMap<String, Vec<Figure>>> for Totals {
    fn from(months: BTreeMap<String, Vec<Figure>>) -> Self {
        let month = |word: &str| {
            let (year, month) = word.rsplit_once('-')?;
            Some(month_of(year.parse().ok()?, month.parse().ok()?))
        };
        let read = |(word, figures): (String, _)| (month(&word).unwrap_or(NO_MONTH), figures);
        Self { months: months.into_iter().map(read).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_and_taken_is_as_before_and_survives_being_kept() {
        let amount = |text: &str| text.parse().map_or(Amount::Unread, Amount::Of);
        let rows = RowAmounts {
            months: vec![month_of(2026, 1), month_of(2026, 12), NO_MONTH, month_of(2026, 1)],
            amounts: vec![vec![amount("1.10"), amount("2"), Amount::None, amount("x")]],
        };
        let mut totals = Totals::default();
        totals.add_all(&rows);
        let january = totals.figure(month_of(2026, 1), 0);
        assert_eq!((january.rows, january.sum.to_string(), january.unread), (1, "1.10".to_owned(), 1));
        let kept: Totals = serde_json::from_value(serde_json::to_value(&totals).unwrap()).unwrap();
        assert_eq!(kept, totals);
        let mut twice = totals.clone();
        twice.join(&totals);
        twice.take(&totals);
        assert_eq!(twice, totals);
        let words: Vec<_> = totals.months().map(month_word).collect();
        assert_eq!(words, [None, Some("2026-01".to_owned()), Some("2026-12".to_owned())]);
    }

    #[test]
    fn years_before_the_first_have_months_too() {
        let kept: Totals = serde_json::from_str(r#"{"-044-03":[{"rows":1,"sum":"1"}]}"#).unwrap();
        assert_eq!(kept.months().map(month_word).collect::<Vec<_>>(), [Some("-044-03".to_owned())]);
    }
}
