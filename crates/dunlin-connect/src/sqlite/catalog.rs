//! What tables there are and what they look like, from SQLite's table-valued pragmas.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::connection::{File, literal, quote};
use super::failure::sqlx_failed;
use super::types::column_type;
use crate::{
    Column, ColumnType, ForeignKey, Generated, Identity, Index, Result, Sequence, Table, TableName, Unique,
};

const ACT: &str = "read the catalog";

/// The user's tables, in the order of their names.
pub(super) async fn tables(file: &File, connection: &mut SqliteConnection) -> Result<Vec<TableName>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_dunlin\\_%' ESCAPE '\\' ORDER BY name";
    let rows = sqlx::query(sql).fetch_all(connection).await.map_err(sqlx_failed(&file.store, ACT))?;
    rows.iter().map(|row| Ok(TableName::bare(get::<String>(file, row, "name")?))).collect()
}

/// How a table is addressed and kept, beyond what [`Table`] says.
pub(super) struct Shape {
    /// Its name as the schema spells it.
    pub(super) name: String,
    /// The name under which its rowid can be asked for; none for views, virtual tables and `WITHOUT ROWID`.
    pub(super) rowid: Option<String>,
    /// The column that is the rowid, if one is.
    pub(super) rowid_column: Option<String>,
    /// Its `CREATE` statement.
    pub(super) sql: String,
}

/// Finds a table or view; SQLite's names do not depend on case.
pub(super) async fn shape(
    file: &File,
    connection: &mut SqliteConnection,
    name: &TableName,
) -> Result<Option<Shape>> {
    if name.schema.as_deref().is_some_and(|s| !s.eq_ignore_ascii_case("main")) {
        return Ok(None);
    }
    let sql = "SELECT l.name, l.type, l.wr, coalesce(s.sql, '') AS sql FROM pragma_table_list AS l \
               LEFT JOIN sqlite_schema AS s ON s.name = l.name AND s.type IN ('table', 'view') \
               WHERE l.schema = 'main' AND l.name = ?1 COLLATE NOCASE ORDER BY l.name = ?1 DESC LIMIT 1";
    let row = sqlx::query(sql).bind(&name.name).fetch_optional(&mut *connection).await;
    let Some(row) = row.map_err(sqlx_failed(&file.store, ACT))? else { return Ok(None) };
    let name: String = get(file, &row, "name")?;
    let plain = get::<String>(file, &row, "type")? == "table" && get::<i64>(file, &row, "wr")? == 0;
    let sql: String = get(file, &row, "sql")?;
    if !plain {
        return Ok(Some(Shape { name, rowid: None, rowid_column: None, sql }));
    }
    let columns = column_rows(file, connection, &name).await?;
    let has_index = has_primary_index(file, connection, &name).await?;
    let mut keys = columns.iter().filter(|c| c.key > 0);
    // The rowid has a column's name only for `INTEGER PRIMARY KEY`, for which SQLite keeps no index of its own.
    let rowid_column = match (keys.next(), keys.next()) {
        (Some(key), None) if key.declared.eq_ignore_ascii_case("integer") && !has_index => {
            Some(key.name.clone())
        }
        _ => None,
    };
    let free = |alias: &&str| !columns.iter().any(|c| c.name.eq_ignore_ascii_case(alias));
    let alias = ["rowid", "_rowid_", "oid"].iter().copied().find(free).map(str::to_owned);
    let rowid = alias.or_else(|| rowid_column.as_deref().map(quote));
    Ok(Some(Shape { name, rowid, rowid_column, sql }))
}

/// Describes a table or view.
pub(super) async fn table(
    file: &File,
    connection: &mut SqliteConnection,
    name: &TableName,
) -> Result<Option<Table>> {
    let Some(shape) = shape(file, connection, name).await? else { return Ok(None) };
    let rows = column_rows(file, connection, &shape.name).await?;
    let mut keys: Vec<&ColumnRow> = rows.iter().filter(|c| c.key > 0).collect();
    keys.sort_by_key(|c| c.key);
    let primary_key = keys.iter().map(|c| c.name.clone()).collect();
    let columns = rows.iter().map(|row| column(row, &shape)).collect();
    let mut table = Table::new(TableName::bare(&shape.name), columns);
    table.primary_key = primary_key;
    (table.uniques, table.indexes) = indexes(file, connection, &shape.name).await?;
    table.foreign_keys = foreign_keys(file, connection, &shape).await?;
    table.sequences = sequences(file, connection, &shape).await?;
    table.rows_estimate = estimate(file, connection, &shape).await?;
    Ok(Some(table))
}

struct ColumnRow {
    name: String,
    declared: String,
    not_null: bool,
    default: Option<String>,
    key: i64,
    hidden: i64,
}

async fn column_rows(file: &File, connection: &mut SqliteConnection, name: &str) -> Result<Vec<ColumnRow>> {
    // Hidden 1 is a virtual table's own business; 2 and 3 are generated columns.
    let sql = "SELECT name, type, \"notnull\" AS not_null, dflt_value, pk, hidden FROM pragma_table_xinfo(?1) \
               WHERE hidden <> 1 ORDER BY cid";
    let rows = sqlx::query(sql).bind(name).fetch_all(connection).await;
    let rows = rows.map_err(sqlx_failed(&file.store, ACT))?;
    rows.iter()
        .map(|row| {
            Ok(ColumnRow {
                name: get(file, row, "name")?,
                declared: declared(get(file, row, "type")?),
                not_null: get::<i64>(file, row, "not_null")? != 0,
                default: get(file, row, "dflt_value")?,
                key: get(file, row, "pk")?,
                hidden: get(file, row, "hidden")?,
            })
        })
        .collect()
}

/// SQLite appends `GENERATED ALWAYS` to the declared type of a generated column that writes these words out.
fn declared(ty: String) -> String {
    let end = ty.len().saturating_sub("GENERATED ALWAYS".len());
    match ty.get(end..) {
        Some(tail) if tail.eq_ignore_ascii_case("GENERATED ALWAYS") => ty[..end].trim_end().to_owned(),
        _ => ty,
    }
}

fn column(row: &ColumnRow, shape: &Shape) -> Column {
    let is_rowid = shape.rowid_column.as_ref() == Some(&row.name);
    Column {
        name: row.name.clone(),
        ty: if is_rowid { ColumnType::Int64 } else { column_type(&row.declared) },
        declared: row.declared.clone(),
        nullable: !row.not_null && !is_rowid,
        default: row.default.clone(),
        identity: is_rowid.then_some(Identity::ByDefault),
        as_text: false,
        generated: match row.hidden {
            2 => Some(Generated::Virtual),
            3 => Some(Generated::Stored),
            _ => None,
        },
    }
}

async fn has_primary_index(file: &File, connection: &mut SqliteConnection, name: &str) -> Result<bool> {
    let sql = format!("SELECT count(*) FROM pragma_index_list({}) WHERE origin = 'pk'", literal(name));
    Ok(file.int(connection, ACT, sql).await?.unwrap_or(0) > 0)
}

async fn indexes(
    file: &File,
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<(Vec<Unique>, Vec<Index>)> {
    let sql = "SELECT l.name, l.\"unique\" AS is_unique, l.origin, l.partial, s.sql FROM pragma_index_list(?1) AS l \
               LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name \
               WHERE l.origin <> 'pk' ORDER BY l.seq DESC";
    let rows = sqlx::query(sql).bind(name).fetch_all(&mut *connection).await;
    let (mut uniques, mut indexes) = (Vec::new(), Vec::new());
    for row in rows.map_err(sqlx_failed(&file.store, ACT))? {
        let name: String = get(file, &row, "name")?;
        let columns = index_columns(file, connection, &name).await?;
        if get::<String>(file, &row, "origin")? == "u" {
            uniques.push(Unique { name: None, columns: columns.unwrap_or_default() });
            continue;
        }
        // A partial index over plain columns is not the index over these columns: only its statement says it.
        let partial = get::<i64>(file, &row, "partial")? != 0;
        indexes.push(Index {
            name,
            columns: columns.filter(|_| !partial).unwrap_or_default(),
            unique: get::<i64>(file, &row, "is_unique")? != 0,
            definition: get(file, &row, "sql")?,
        });
    }
    Ok((uniques, indexes))
}

/// The columns of an index; `None` where one part is an expression.
async fn index_columns(
    file: &File,
    connection: &mut SqliteConnection,
    index: &str,
) -> Result<Option<Vec<String>>> {
    let sql = "SELECT name FROM pragma_index_info(?1) ORDER BY seqno";
    let rows = sqlx::query(sql).bind(index).fetch_all(connection).await;
    let rows = rows.map_err(sqlx_failed(&file.store, ACT))?;
    rows.iter().map(|row| get::<Option<String>>(file, row, "name")).collect()
}

async fn foreign_keys(
    file: &File,
    connection: &mut SqliteConnection,
    shape: &Shape,
) -> Result<Vec<ForeignKey>> {
    let sql = "SELECT id, \"table\" AS parent, \"from\" AS child, \"to\" AS parent_column, on_update, on_delete \
               FROM pragma_foreign_key_list(?1) ORDER BY id DESC, seq";
    let rows = sqlx::query(sql).bind(&shape.name).fetch_all(&mut *connection).await;
    // The pragma does not tell; a table whose keys differ in this is taken as if all could wait.
    let deferrable = shape.sql.to_ascii_uppercase().contains("DEFERRABLE INITIALLY DEFERRED");
    let mut keys: BTreeMap<i64, ForeignKey> = BTreeMap::new();
    for row in rows.map_err(sqlx_failed(&file.store, ACT))? {
        let id: i64 = get(file, &row, "id")?;
        let parent: String = get(file, &row, "parent")?;
        let key = keys.entry(-id).or_insert_with(|| ForeignKey {
            name: None,
            columns: Vec::new(),
            parent: TableName::bare(parent),
            parent_columns: Vec::new(),
            on_delete: String::new(),
            on_update: String::new(),
            deferrable,
            validated: true,
        });
        key.columns.push(get(file, &row, "child")?);
        key.parent_columns.extend(get::<Option<String>>(file, &row, "parent_column")?);
        key.on_delete = get(file, &row, "on_delete")?;
        key.on_update = get(file, &row, "on_update")?;
    }
    let mut keys: Vec<ForeignKey> = keys.into_values().collect();
    for key in keys.iter_mut().filter(|k| k.parent_columns.is_empty()) {
        let mut parent = column_rows(file, connection, &key.parent.name).await?;
        parent.retain(|c| c.key > 0);
        parent.sort_by_key(|c| c.key);
        key.parent_columns = parent.into_iter().map(|c| c.name).collect();
    }
    Ok(keys)
}

async fn sequences(file: &File, connection: &mut SqliteConnection, shape: &Shape) -> Result<Vec<Sequence>> {
    let Some(column) = &shape.rowid_column else { return Ok(Vec::new()) };
    let rowid = quote(column);
    let sql = format!("SELECT max({rowid}) FROM {}", quote(&shape.name));
    let largest = file.int(connection, ACT, sql).await?.unwrap_or(0);
    let counted = counter(file, connection, &shape.name).await?.unwrap_or(0);
    Ok(vec![Sequence { column: column.clone(), next: largest.max(counted).max(0).saturating_add(1) }])
}

/// The last number that `AUTOINCREMENT` gave.
pub(super) async fn counter(
    file: &File,
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<i64>> {
    let kept = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'".to_owned();
    if file.int(connection, ACT, kept).await? != Some(1) {
        return Ok(None);
    }
    let sql = format!("SELECT seq FROM sqlite_sequence WHERE name = {}", literal(name));
    file.int(connection, ACT, sql).await
}

/// More rows than a SQLite file of the largest size has, at a page for some hundred of them.
const ROWS_MAX: u64 = 1 << 40;

async fn estimate(file: &File, connection: &mut SqliteConnection, shape: &Shape) -> Result<Option<u64>> {
    let kept = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'".to_owned();
    if file.int(connection, ACT, kept).await? == Some(1) {
        let sql = format!(
            "SELECT CAST(stat AS INTEGER) FROM sqlite_stat1 WHERE tbl = {} LIMIT 1",
            literal(&shape.name)
        );
        if let Some(rows) = file.int(connection, ACT, sql).await? {
            return Ok(Some(rows.max(0).unsigned_abs()));
        }
    }
    let Some(rowid) = &shape.rowid else { return Ok(None) };
    let name = quote(&shape.name);
    // Asked for apart, because SQLite reads only the ends of the tree for one of them and the whole for both.
    let low = file.int(connection, ACT, format!("SELECT min({rowid}) FROM {name}")).await?;
    let high = file.int(connection, ACT, format!("SELECT max({rowid}) FROM {name}")).await?;
    let (Some(low), Some(high)) = (low, high) else { return Ok(Some(0)) };
    let numbers = high.abs_diff(low).saturating_add(1);
    // Numbers far apart say nothing about how many rows there are.
    Ok(Some(numbers).filter(|n| *n <= ROWS_MAX))
}

fn get<'r, T>(file: &File, row: &'r SqliteRow, column: &str) -> Result<T>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(sqlx_failed(&file.store, ACT))
}
