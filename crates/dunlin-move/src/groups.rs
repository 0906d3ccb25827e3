//! How many rows of a de-identified copy share what still tells people apart: postcode, birth date, age, sex, country, each
//! in the form that the copy has. A row that shares it with nobody is one that somebody who knows the person may recognise
//! (k-anonymity: Sweeney 2002, "k-anonymity: a model for protecting privacy"; 45 CFR 164.514(b)(2)(ii)).
//!
//! Counted by keyed hashes: no value is kept. Not here: what a smallest group means for a rule of a pack.

use std::collections::{BTreeMap, HashMap};

use dunlin_store::Body;

use crate::Result;
use crate::run::Run;
use crate::spec::TableSpec;

/// What people are told apart by without being named.
const QUASI: [&str; 5] = ["postcode", "birth_date", "age", "gender", "country"];
/// From this confidence on a guess speaks where the plan is silent.
const SURE: f64 = 0.5;
/// So many groups are told apart; a row beyond them counts as alone.
const GROUPS_MAX: usize = 8_000_000;

/// The groups of a table's rows that look alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RowGroups {
    /// The table.
    pub table: String,
    /// The columns by which rows look alike.
    pub columns: Vec<String>,
    /// Rows in groups of one.
    pub alone: u64,
    /// Rows in groups of two to four.
    pub of_2_to_4: u64,
    /// Rows in groups of five to ten.
    pub of_5_to_10: u64,
    /// Rows in larger groups.
    pub of_more: u64,
    /// The rows of the smallest group; 0 for a table without rows.
    pub smallest: u64,
}

impl RowGroups {
    /// The ledger's word on it.
    pub(crate) fn entry(&self, run: &str) -> Body {
        let sizes =
            [("1", self.alone), ("2-4", self.of_2_to_4), ("5-10", self.of_5_to_10), ("more", self.of_more)];
        Body::CopyGrouped {
            run: run.to_owned(),
            table: self.table.clone(),
            columns: self.columns.clone(),
            rows: sizes.into_iter().map(|(size, rows)| (size.to_owned(), rows)).collect(),
            smallest: self.smallest,
        }
    }
}

/// Counts the groups of one table.
pub(crate) struct Grouping {
    table: String,
    /// The columns, and their places in the target table.
    columns: Vec<(String, usize)>,
    key: [u8; 32],
    groups: HashMap<u64, u32>,
    /// Rows for which there was no room.
    beyond: u64,
}

impl Grouping {
    /// The grouping of a table; none where nothing in it tells people apart.
    ///
    /// # Errors
    /// Those of the source, whose first rows say what columns hold of which the plan does not.
    pub(crate) async fn of(run: &Run<'_>, spec: &TableSpec) -> Result<Option<Self>> {
        let reader = run.source(spec)?.reader().await?;
        let looks = dunlin_quality::look(reader.as_ref(), &spec.source).await?;
        let by_name: BTreeMap<&str, _> =
            spec.source.columns.iter().map(|c| c.name.as_str()).zip(&looks).collect();
        let mut columns = Vec::new();
        for mapped in &spec.mapping.columns {
            let field = mapped.from.and_then(|at| spec.mapping.input_schema.fields().get(at));
            let look = field.and_then(|field| by_name.get(field.name().as_str()));
            let guess = look.and_then(|look| look.guess.as_ref()).filter(|guess| guess.confidence >= SURE);
            let kind = mapped.kind.map(|kind| kind.as_str().to_owned()).or(guess.map(|g| g.kind.clone()));
            if kind.is_some_and(|kind| QUASI.contains(&kind.as_str())) {
                columns.push((mapped.target.clone(), mapped.target_index));
            }
        }
        let table = spec.label.clone();
        let grouping = Self { table, columns, key: run.key, groups: HashMap::new(), beyond: 0 };
        Ok((!grouping.columns.is_empty()).then_some(grouping))
    }

    /// Takes in a batch of the copy, column by column.
    pub(crate) fn add(&mut self, batch: &[Vec<Option<String>>]) {
        let rows = batch.first().map_or(0, Vec::len);
        (0..rows).for_each(|row| self.add_row(batch, row));
    }

    fn add_row(&mut self, batch: &[Vec<Option<String>>], row: usize) {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for (_, place) in &self.columns {
            let value = batch[*place][row].as_deref();
            // NULL is one more value that rows may share; no text is as long as this says.
            let length = value.map_or(u64::MAX, |text| text.len() as u64);
            hasher.update(&length.to_le_bytes()).update(value.unwrap_or_default().as_bytes());
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        let name = u64::from_le_bytes(bytes);
        let full = self.groups.len() >= GROUPS_MAX;
        match self.groups.get_mut(&name) {
            Some(rows) => *rows = rows.saturating_add(1),
            None if full => self.beyond += 1,
            None => drop(self.groups.insert(name, 1)),
        }
    }

    /// What it came to.
    pub(crate) fn counted(self) -> RowGroups {
        let mut counted = RowGroups {
            table: self.table,
            columns: self.columns.into_iter().map(|(name, _)| name).collect(),
            alone: self.beyond,
            ..RowGroups::default()
        };
        for rows in self.groups.values().map(|rows| u64::from(*rows)) {
            *match rows {
                0 | 1 => &mut counted.alone,
                2..=4 => &mut counted.of_2_to_4,
                5..=10 => &mut counted.of_5_to_10,
                _ => &mut counted.of_more,
            } += rows;
        }
        let smallest = self.groups.values().copied().min().map_or(0, u64::from);
        counted.smallest = if self.beyond > 0 { 1 } else { smallest };
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(columns: &[&[Option<&str>]]) -> RowGroups {
        let places = (0..columns.len()).map(|at| (format!("c{at}"), at)).collect();
        let mut grouping =
            Grouping { table: "t".into(), columns: places, key: [7; 32], groups: HashMap::new(), beyond: 0 };
        let batch: Vec<Vec<Option<String>>> =
            columns.iter().map(|c| c.iter().map(|v| v.map(str::to_owned)).collect()).collect();
        grouping.add(&batch);
        grouping.counted()
    }

    #[test]
    fn rows_are_counted_by_how_many_look_like_them() {
        let zips: Vec<Option<&str>> =
            [vec![Some("902"); 11], vec![Some("036"); 5], vec![Some("606"); 2], vec![None]].concat();
        let found = counted(&[&zips]);
        assert_eq!((found.alone, found.of_2_to_4, found.of_5_to_10, found.of_more), (1, 2, 5, 11));
        assert_eq!(found.smallest, 1);
    }

    #[test]
    fn values_of_two_columns_do_not_run_together() {
        let found = counted(&[&[Some("1"), Some("12")], &[Some("23"), Some("3")]]);
        assert_eq!(found.alone, 2);
        let found = counted(&[&[None, Some("")]]);
        assert_eq!(found.alone, 2, "NULL is not the empty text");
        assert_eq!(counted(&[&[]]).smallest, 0);
    }
}
