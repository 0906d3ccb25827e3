//! Rows that stand against a key which is to be added, found by query before the server would only say no.

use std::sync::Arc;

use super::catalog::{self, Relation};
use super::connection::{Loan, Pool};
use super::{reader, sql};
use crate::{Bounds, ForeignKey, ReadRequest, Reason, Result, Table, Unique, Violation};

/// All but the first row of each group of equals. NULLs are equal to nothing, so a row with one is not among them.
pub(super) async fn unique(pool: &Arc<Pool>, table: &Table, unique: &Unique) -> Result<Violation> {
    let (session, relation) = open(pool, table).await?;
    let columns = sql::idents(&unique.columns);
    let present = all(&unique.columns, |c| format!("{} IS NOT NULL", sql::ident(c)));
    let source = relation.source();
    let condition = format!(
        "(t.tableoid, t.ctid) IN (SELECT d.o, d.c FROM (SELECT tableoid AS o, ctid AS c, row_number() OVER \
         (PARTITION BY {columns} ORDER BY tableoid, ctid) AS n FROM {source} WHERE {present}) d WHERE d.n > 1)"
    );
    let constraint =
        unique.name.clone().unwrap_or_else(|| format!("{}({})", table.name, unique.columns.join(", ")));
    let rows = rows(session, &relation, table, &condition).await?;
    Ok(Violation { reason: Reason::Unique, constraint, columns: unique.columns.clone(), rows })
}

/// The rows whose reference leads nowhere. A reference with a NULL in it refers to nothing and is in order.
pub(super) async fn foreign_key(pool: &Arc<Pool>, table: &Table, key: &ForeignKey) -> Result<Violation> {
    let (session, relation) = open(pool, table).await?;
    let parent = catalog::expect_relation(&session, &key.parent).await?;
    let parent_columns = if key.parent_columns.is_empty() {
        catalog::table(&session, &parent).await?.primary_key
    } else {
        key.parent_columns.clone()
    };
    let present = all(&key.columns, |c| format!("t.{} IS NOT NULL", sql::ident(c)));
    let pairs: Vec<_> = key.columns.iter().zip(&parent_columns).collect();
    let equal = all(&pairs, |(child, parent)| format!("p.{} = t.{}", sql::ident(parent), sql::ident(child)));
    let condition = format!("{present} AND NOT EXISTS (SELECT FROM {} p WHERE {equal})", parent.source());
    // Types of extensions have operators of their own, which are not found without the role's search path.
    if !session.path.is_empty() {
        let path = format!("SET LOCAL search_path = pg_catalog, {}", sql::idents(&session.path));
        session.run("look for lost references", &path).await?;
    }
    let constraint =
        key.name.clone().unwrap_or_else(|| format!("{}({})", table.name, key.columns.join(", ")));
    let rows = rows(session, &relation, table, &condition).await?;
    Ok(Violation { reason: Reason::ForeignKey, constraint, columns: key.columns.clone(), rows })
}

fn all<T>(items: &[T], part: impl Fn(&T) -> String) -> String {
    items.iter().map(part).collect::<Vec<_>>().join(" AND ")
}

async fn open(pool: &Arc<Pool>, table: &Table) -> Result<(Loan, Relation)> {
    let session = pool.get().await?;
    session.run("look for rows that break a key", "BEGIN READ ONLY").await?;
    let relation = catalog::expect_relation(&session, &table.name).await?;
    Ok((session, relation))
}

async fn rows(
    session: Loan,
    relation: &Relation,
    table: &Table,
    condition: &str,
) -> Result<crate::ReadStream> {
    let request = ReadRequest::all(Arc::new(table.clone()), Bounds::Whole);
    let (prefix, address) = reader::address(&session, relation).await?;
    let select = format!(
        "SELECT {prefix}{} FROM {} t WHERE {condition}",
        reader::select_list(&request),
        relation.source()
    );
    reader::copy_out(session, &relation.name, &select, &request, address).await
}
