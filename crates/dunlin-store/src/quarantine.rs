//! The index of quarantined rows: where each lies and why, grouped so that a person can decide on many at
//! once.
//!
//! Not here: the rows themselves, which are in encrypted fragments (`fragment`). A pattern is a shape
//! (`99/99/9999`), never a value.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::error::db;
use crate::{State, StoreError, Tx};

/// The longest pattern, in characters.
const PATTERN_MAX: usize = 60;

/// What became of a quarantined row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuarantineStatus {
    /// It waits for a person.
    Waiting,
    /// It was loaded as it is.
    Released,
    /// It was corrected and loaded.
    Fixed,
    /// It was left out for good.
    Discarded,
}

/// One quarantined row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineRow {
    /// The run.
    pub run: String,
    /// The table's label.
    pub table: String,
    /// The fragment that holds it.
    pub fragment: String,
    /// Its number in the fragment, from 0.
    pub row: u32,
    /// Why, as a code or a rule's name.
    pub reason: String,
    /// The column that is to blame, when one is.
    pub column: Option<String>,
    /// The shape of the value, see [`shape`]; cut to 60 characters.
    pub pattern: Option<String>,
    /// Where the row stood in the source: a line or an offset.
    pub position: Option<u64>,
    /// What became of it.
    pub status: QuarantineStatus,
}

/// Rows of one table in one run that wait for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineGroup {
    /// Twelve hex digits, the same each time for the same run, table, reason, column and pattern.
    pub id: String,
    /// The run.
    pub run: String,
    /// The table's label.
    pub table: String,
    /// Why.
    pub reason: String,
    /// The column that is to blame.
    pub column: Option<String>,
    /// The shape of the values.
    pub pattern: Option<String>,
    /// How many rows.
    pub rows: u64,
}

/// Which rows: every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuarantineFilter {
    /// Of this run.
    pub run: Option<String>,
    /// Of this table.
    pub table: Option<String>,
    /// Of one of these groups; empty for any.
    pub groups: Vec<String>,
    /// In this status.
    pub status: Option<QuarantineStatus>,
}

/// Rows that were decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// How many.
    pub rows: u64,
    /// A hash (hex) over their places: run, table, fragment and number of each, sorted.
    pub root: String,
}

impl QuarantineStatus {
    /// The word in the state and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            QuarantineStatus::Waiting => "waiting",
            QuarantineStatus::Released => "released",
            QuarantineStatus::Fixed => "fixed",
            QuarantineStatus::Discarded => "discarded",
        }
    }

    fn parse(text: &str) -> Result<QuarantineStatus, StoreError> {
        use QuarantineStatus::{Discarded, Fixed, Released, Waiting};
        let all = [Waiting, Released, Fixed, Discarded];
        all.into_iter().find(|s| s.as_str() == text).ok_or(StoreError::Damaged("a quarantined row's status"))
    }
}

/// The shape of a value: digits become `9`, letters `A`, the rest stays; at most 60 characters.
pub fn shape(value: &str) -> String {
    let one = |c: char| match c {
        c if c.is_numeric() => '9',
        c if c.is_alphabetic() => 'A',
        c if c.is_ascii_graphic() || c == ' ' => c,
        _ => '?',
    };
    value.chars().take(PATTERN_MAX).map(one).collect()
}

impl QuarantineRow {
    /// The pattern as it is kept: a shape even when the caller gave a value by mistake.
    fn kept_pattern(&self) -> Option<String> {
        self.pattern.as_deref().map(shape)
    }

    /// The id of the group that this row belongs to.
    pub fn group(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let pattern = self.kept_pattern();
        for part in [
            Some(self.run.as_str()),
            Some(&self.table),
            Some(&self.reason),
            self.column.as_deref(),
            pattern.as_deref(),
        ] {
            hasher.update(&[u8::from(part.is_some())]);
            hasher.update(&(part.map_or(0, str::len) as u64).to_le_bytes());
            hasher.update(part.unwrap_or_default().as_bytes());
        }
        hasher.finalize().to_hex()[..12].to_owned()
    }
}

impl Tx {
    /// Remembers quarantined rows; many at once are fast. Rows that are already known stay as they are, so
    /// that a crash between this and the commit can be repeated.
    pub async fn insert_quarantine_rows(&mut self, rows: &[QuarantineRow]) -> Result<(), StoreError> {
        for chunk in rows.chunks(2000) {
            let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
                "insert into quarantine (run, label, fragment, row_number, reason, column_name, pattern, position, \
                 status, group_id) ",
            );
            query.push_values(chunk, |mut values, row| {
                values
                    .push_bind(row.run.clone())
                    .push_bind(row.table.clone())
                    .push_bind(row.fragment.clone())
                    .push_bind(i64::from(row.row))
                    .push_bind(row.reason.clone())
                    .push_bind(row.column.clone())
                    .push_bind(row.kept_pattern())
                    .push_bind(row.position.map(|p| i64::try_from(p).unwrap_or(i64::MAX)))
                    .push_bind(row.status.as_str())
                    .push_bind(row.group());
            });
            query.push(" on conflict do nothing");
            query.build().execute(self.connection()).await.map_err(db("inserting quarantined rows"))?;
        }
        Ok(())
    }

    /// Decides on every waiting row that matches. The caller enters `QuarantineDecided` with the answer.
    pub async fn decide_quarantine(
        &mut self,
        filter: &QuarantineFilter,
        status: QuarantineStatus,
    ) -> Result<Decided, StoreError> {
        let failed = db("deciding on quarantined rows");
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("update quarantine set status = ");
        query.push_bind(status.as_str());
        let waiting = QuarantineFilter { status: Some(QuarantineStatus::Waiting), ..filter.clone() };
        push_filter(&mut query, &waiting);
        query.push(" returning run, label, fragment, row_number");
        let rows = query.build().fetch_all(self.connection()).await.map_err(&failed)?;
        decided(&rows).map_err(failed)
    }

    /// Decides on single rows of one fragment, when they wait.
    pub async fn decide_quarantine_rows(
        &mut self,
        run: &str,
        table: &str,
        fragment: &str,
        rows: &[u32],
        status: QuarantineStatus,
    ) -> Result<Decided, StoreError> {
        let failed = db("deciding on quarantined rows");
        let mut changed = Vec::new();
        for chunk in rows.chunks(5000) {
            let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("update quarantine set status = ");
            query.push_bind(status.as_str()).push(" where run = ").push_bind(run.to_owned());
            query.push(" and label = ").push_bind(table.to_owned());
            query.push(" and fragment = ").push_bind(fragment.to_owned());
            query.push(" and status = 'waiting' and row_number in (");
            let mut numbers = query.separated(", ");
            for row in chunk {
                numbers.push_bind(i64::from(*row));
            }
            query.push(") returning run, label, fragment, row_number");
            changed.extend(query.build().fetch_all(self.connection()).await.map_err(&failed)?);
        }
        decided(&changed).map_err(failed)
    }

    /// Forgets the rows of a fragment that is gone, e.g. one without a receipt. Returns how many.
    pub async fn remove_quarantine_fragment(
        &mut self,
        run: &str,
        table: &str,
        fragment: &str,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query("delete from quarantine where run = $1 and label = $2 and fragment = $3")
            .bind(run)
            .bind(table)
            .bind(fragment)
            .execute(self.connection())
            .await
            .map_err(db("removing quarantined rows"))?;
        Ok(done.rows_affected())
    }
}

impl State {
    /// The groups of the rows that match, the largest first.
    pub async fn quarantine_groups(
        &self,
        filter: &QuarantineFilter,
    ) -> Result<Vec<QuarantineGroup>, StoreError> {
        let failed = db("reading quarantine groups");
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "select group_id, run, label, reason, column_name, pattern, count(*) from quarantine",
        );
        push_filter(&mut query, filter);
        query.push(" group by group_id, run, label, reason, column_name, pattern order by 7 desc, 1");
        let rows = query.build().fetch_all(&self.pool).await.map_err(&failed)?;
        let read = |row: &SqliteRow| {
            Ok(QuarantineGroup {
                id: row.try_get(0)?,
                run: row.try_get(1)?,
                table: row.try_get(2)?,
                reason: row.try_get(3)?,
                column: row.try_get(4)?,
                pattern: row.try_get(5)?,
                rows: row.try_get::<i64, _>(6)? as u64,
            })
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }

    /// The rows that match, in the order of their places, `limit` of them from `offset` on.
    pub async fn quarantine_rows(
        &self,
        filter: &QuarantineFilter,
        limit: u32,
        offset: u64,
    ) -> Result<Vec<QuarantineRow>, StoreError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "select run, label, fragment, row_number, reason, column_name, pattern, position, status \
             from quarantine",
        );
        push_filter(&mut query, filter);
        query.push(" order by run, label, fragment, row_number limit ").push_bind(i64::from(limit));
        query.push(" offset ").push_bind(i64::try_from(offset).unwrap_or(i64::MAX));
        let rows = query.build().fetch_all(&self.pool).await.map_err(db("reading quarantined rows"))?;
        rows.iter().map(read_row).collect()
    }
}

fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &QuarantineFilter) {
    let status = filter.status.map(|s| s.as_str().to_owned());
    let wanted =
        [(" run = ", filter.run.clone()), (" label = ", filter.table.clone()), (" status = ", status)];
    let mut joint = " where";
    for (test, value) in wanted {
        if let Some(value) = value {
            query.push(joint).push(test).push_bind(value);
            joint = " and";
        }
    }
    if !filter.groups.is_empty() {
        query.push(joint).push(" group_id in (");
        let mut list = query.separated(", ");
        for group in &filter.groups {
            list.push_bind(group.clone());
        }
        query.push(")");
    }
}

fn decided(rows: &[SqliteRow]) -> Result<Decided, sqlx::Error> {
    let mut places = Vec::with_capacity(rows.len());
    for row in rows {
        let (run, table, fragment): (String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        places.push(format!("{run}\0{table}\0{fragment}\0{:010}\n", row.try_get::<i64, _>(3)?));
    }
    places.sort();
    let mut hasher = blake3::Hasher::new();
    for place in &places {
        hasher.update(place.as_bytes());
    }
    Ok(Decided { rows: places.len() as u64, root: hasher.finalize().to_hex().to_string() })
}

fn read_row(row: &SqliteRow) -> Result<QuarantineRow, StoreError> {
    let failed = db("reading a quarantined row");
    let position: Option<i64> = row.try_get(7).map_err(&failed)?;
    let number: i64 = row.try_get(3).map_err(&failed)?;
    Ok(QuarantineRow {
        run: row.try_get(0).map_err(&failed)?,
        table: row.try_get(1).map_err(&failed)?,
        fragment: row.try_get(2).map_err(&failed)?,
        row: u32::try_from(number).map_err(|_| StoreError::Damaged("a quarantined row's number"))?,
        reason: row.try_get(4).map_err(&failed)?,
        column: row.try_get(5).map_err(&failed)?,
        pattern: row.try_get(6).map_err(&failed)?,
        position: position.and_then(|p| u64::try_from(p).ok()),
        status: QuarantineStatus::parse(&row.try_get::<String, _>(8).map_err(&failed)?)?,
    })
}
