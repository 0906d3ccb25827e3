//! Cutting a table into splits: by its integer key, else by its blocks, else not at all.

use super::catalog::{self, Relation};
use super::connection::Loan;
use super::reader::read_failure;
use super::sql;
use crate::{Bounds, ColumnType, Result, Table};

/// Above this size a table that was never analysed is not counted; its rows are guessed from its bytes.
const COUNT_BYTES_MAX: u64 = 1 << 30;
/// The guess: bytes of a row.
const ROW_BYTES_GUESS: u64 = 100;
/// Nobody wants more splits of one table than this.
const SPLITS_MAX: u64 = 10_000;

/// Cuts a table.
pub(super) async fn cut(
    session: &Loan,
    relation: &Relation,
    table: &Table,
    rows_per_split: u64,
    previous: &[Bounds],
) -> Result<Vec<Bounds>> {
    if let Some(column) = key_column(relation, table) {
        return by_key(session, relation, table, column, rows_per_split, previous).await;
    }
    // Before 14 the server reads the whole table for each range of blocks.
    if relation.has_blocks() && session.version >= 140_000 {
        return by_blocks(session, relation, table, rows_per_split, previous).await;
    }
    Ok(vec![Bounds::Whole])
}

fn key_column<'a>(relation: &Relation, table: &'a Table) -> Option<&'a str> {
    let [column] = table.primary_key.as_slice() else { return None };
    let ty = &table.column(column)?.ty;
    let integer = matches!(ty, ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64);
    (integer && matches!(relation.kind, 'r' | 'p')).then_some(column)
}

async fn row_estimate(session: &Loan, relation: &Relation, table: &Table) -> Result<u64> {
    // The table's own numbers may be old; the catalog's cost one query.
    let fresh = catalog::table_estimates(session, relation).await?;
    match (fresh.0.or(table.rows_estimate), fresh.1) {
        (Some(rows), _) => Ok(rows),
        (None, Some(bytes)) if bytes > COUNT_BYTES_MAX => Ok(bytes / ROW_BYTES_GUESS),
        _ => {
            let row = one(session, relation, &format!("SELECT count(*) FROM {}", relation.source())).await?;
            Ok(row.get::<_, i64>(0).unsigned_abs())
        }
    }
}

async fn one(session: &Loan, relation: &Relation, query: &str) -> Result<tokio_postgres::Row> {
    match session.query_one(query, &[]).await {
        Ok(row) => Ok(row),
        Err(error) => Err(read_failure(session, &relation.name, &error).await),
    }
}

async fn by_key(
    session: &Loan,
    relation: &Relation,
    table: &Table,
    column: &str,
    rows_per_split: u64,
    previous: &[Bounds],
) -> Result<Vec<Bounds>> {
    let name = sql::ident(column);
    let mut borders: Vec<i64> = Vec::new();
    let kept = previous_keys(previous, column);
    if let Some(kept) = &kept {
        borders.clone_from(kept);
    }
    let open = borders.last().copied();
    let condition = open.map(|from| format!(" WHERE {name} >= {from}")).unwrap_or_default();
    let range = format!("SELECT min({name})::int8, max({name})::int8 FROM {}{condition}", relation.source());
    let row = one(session, relation, &range).await?;
    if let (Some(low), Some(high)) = (row.get::<_, Option<i64>>(0), row.get::<_, Option<i64>>(1)) {
        if kept.is_some() {
            let count = format!("SELECT count(*) FROM {}{condition}", relation.source());
            let rows = one(session, relation, &count).await?.get::<_, i64>(0).unsigned_abs();
            // A little growth is no reason for a sliver of a split.
            if rows > rows_per_split + rows_per_split / 2 {
                borders.extend(even(low, high, rows.div_ceil(rows_per_split)));
            }
        } else {
            let parts = row_estimate(session, relation, table).await?.div_ceil(rows_per_split);
            if parts > 1 {
                let histogram = histogram(session, relation, column).await?;
                borders = match histogram.len() {
                    0..3 => even(low, high, parts),
                    _ => quantiles(&histogram, parts),
                };
            }
        }
    }
    borders.sort_unstable();
    borders.dedup();
    Ok(key_splits(column, &borders))
}

/// The borders of earlier splits by this column.
fn previous_keys(previous: &[Bounds], column: &str) -> Option<Vec<i64>> {
    if previous.is_empty() {
        return None;
    }
    let mut borders = Vec::new();
    for bounds in previous {
        match bounds {
            Bounds::Key { column: c, from, .. } if c == column => borders.extend(*from),
            _ => return None,
        }
    }
    borders.sort_unstable();
    Some(borders)
}

fn key_splits(column: &str, borders: &[i64]) -> Vec<Bounds> {
    let edge = |i: usize| borders.get(i).copied();
    (0..=borders.len())
        .map(|i| Bounds::Key {
            column: column.to_owned(),
            from: i.checked_sub(1).and_then(edge),
            to: edge(i),
        })
        .collect()
}

/// Borders that cut `low..=high` into equal pieces of the number line.
fn even(low: i64, high: i64, parts: u64) -> Vec<i64> {
    let parts = i128::from(parts.min(SPLITS_MAX));
    let width = i128::from(high) - i128::from(low) + 1;
    (1..parts)
        .map(|i| (i128::from(low) + width * i / parts) as i64)
        .filter(|b| *b > low && *b <= high)
        .collect()
}

/// Borders that cut a column into equal numbers of rows, from the server's histogram of it.
fn quantiles(histogram: &[i64], parts: u64) -> Vec<i64> {
    let parts = parts.min(SPLITS_MAX) as i128;
    let last = histogram.len() as i128 - 1;
    (1..parts)
        .map(|i| {
            let at = (last * i / parts) as usize;
            let (low, high) = (i128::from(histogram[at]), i128::from(histogram[at + 1]));
            (low + (high - low) * (last * i % parts) / parts) as i64
        })
        .filter(|b| *b > histogram[0])
        .collect()
}

async fn histogram(session: &Loan, relation: &Relation, column: &str) -> Result<Vec<i64>> {
    const SQL: &str = "SELECT histogram_bounds::text::int8[] FROM pg_stats \
        WHERE schemaname = $1::text AND tablename = $2::text AND attname = $3::text AND inherited = $4";
    let name = &relation.name;
    let rows =
        catalog::query(session, SQL, &[&name.schema, &name.name, &column, &(relation.kind == 'p')]).await?;
    Ok(rows.first().and_then(|r| r.get::<_, Option<Vec<i64>>>(0)).unwrap_or_default())
}

async fn by_blocks(
    session: &Loan,
    relation: &Relation,
    table: &Table,
    rows_per_split: u64,
    previous: &[Bounds],
) -> Result<Vec<Bounds>> {
    const SQL: &str = "SELECT pg_relation_size($1::oid::regclass) / current_setting('block_size')::int8";
    let rows = catalog::query(session, SQL, &[&relation.oid]).await?;
    let blocks = rows.first().map_or(0, |r| r.get::<_, i64>(0)).unsigned_abs();
    let estimate = row_estimate(session, relation, table).await?;
    let per_split = match estimate.div_ceil(rows_per_split) {
        0 | 1 => blocks.max(1),
        parts => blocks.div_ceil(parts.min(SPLITS_MAX)).max(1),
    };
    let mut borders = previous_blocks(previous).unwrap_or_default();
    let start = borders.last().copied().unwrap_or(0);
    let mut next = u64::from(start) + per_split;
    // As with keys: the last piece may be half as large again.
    while next + per_split / 2 < blocks {
        borders.push(u32::try_from(next).unwrap_or(u32::MAX));
        next += per_split;
    }
    let edge = |i: usize| borders.get(i).copied();
    Ok((0..=borders.len())
        .map(|i| Bounds::Blocks { from: i.checked_sub(1).and_then(edge).unwrap_or(0), to: edge(i) })
        .collect())
}

fn previous_blocks(previous: &[Bounds]) -> Option<Vec<u32>> {
    let mut borders = Vec::new();
    for bounds in previous {
        match bounds {
            Bounds::Blocks { from, .. } => borders.push(*from),
            _ => return None,
        }
    }
    borders.retain(|b| *b > 0);
    borders.sort_unstable();
    Some(borders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_rise_and_cover() {
        assert_eq!(even(1, 100, 4), [26, 51, 76]);
        assert_eq!(even(5, 6, 10), [6, 6, 6, 6, 6]);
        assert!(even(i64::MIN, i64::MAX, 3).is_sorted());
        assert_eq!(quantiles(&[0, 10, 1000], 2), [10]);
        assert_eq!(quantiles(&[0, 10, 1000], 4), [5, 10, 505]);
        let splits = key_splits("id", &[10, 20]);
        let key = |from, to| Bounds::Key { column: "id".into(), from, to };
        assert_eq!(splits, [key(None, Some(10)), key(Some(10), Some(20)), key(Some(20), None)]);
        assert_eq!(previous_keys(&splits, "id"), Some(vec![10, 20]));
        assert_eq!(previous_keys(&splits, "other"), None);
    }
}
