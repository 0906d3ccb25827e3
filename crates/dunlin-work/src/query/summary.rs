//! Numbers and days over all that was found.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::json;

use super::Summary;
use super::cell::{Cell, Key};
use crate::board::Row;

/// What a summary has gathered so far.
#[derive(Default)]
struct Gathered {
    summary: Summary,
    numbers: Option<(f64, f64, f64, usize)>,
    days: Option<(Date, Date)>,
}

/// The summaries of all these fields in one pass: a task is fetched from memory once.
pub(super) fn summed(keys: Vec<(String, Key)>, found: &[&Row]) -> BTreeMap<String, Summary> {
    let mut all: Vec<(String, Key, Gathered)> =
        keys.into_iter().map(|(name, key)| (name, key, Gathered::default())).collect();
    for row in found {
        for (_, key, gathered) in &mut all {
            gathered.add(key.cell(&row.task));
        }
    }
    all.into_iter().map(|(name, _, gathered)| (name, gathered.done())).collect()
}

impl Gathered {
    fn add(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Number(n) => {
                self.summary.filled += 1;
                let (sum, min, max, count) = self.numbers.unwrap_or((0.0, n, n, 0));
                self.numbers = Some((sum + n, min.min(n), max.max(n), count + 1));
            }
            Cell::Day(day) => {
                self.summary.filled += 1;
                let (min, max) = self.days.unwrap_or((day, day));
                self.days = Some((min.min(day), max.max(day)));
            }
            cell if cell.is_empty() => self.summary.empty += 1,
            _ => self.summary.filled += 1,
        }
    }

    fn done(self) -> Summary {
        let mut summary = self.summary;
        if let Some((sum, min, max, count)) = self.numbers {
            summary.sum = Some(sum);
            summary.mean = Some(sum / count as f64);
            (summary.min, summary.max) = (Some(json!(min)), Some(json!(max)));
        }
        if let Some((min, max)) = self.days {
            (summary.min, summary.max) = (Some(json!(min.to_string())), Some(json!(max.to_string())));
        }
        summary
    }
}
