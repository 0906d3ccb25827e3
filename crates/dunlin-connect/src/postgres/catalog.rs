//! Reading the catalog: which tables there are and what they are made of.

use tokio_postgres::Row;
use tokio_postgres::types::Oid;

use super::connection::Loan;
use super::sql;
use super::types::CatalogType;
use crate::{
    Column, ColumnType, ConnectError, ForeignKey, Generated, Identity, Index, Result, Sequence, Table,
    TableName, Unique,
};

const READ_CATALOG: &str = "read the catalog";

/// A table as the catalog knows it.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// Its object number.
    pub(super) oid: Oid,
    /// Its full name.
    pub(super) name: TableName,
    /// `r` table, `p` partitioned, `v` view, `m` materialised view, `f` foreign.
    pub(super) kind: char,
}

impl Relation {
    /// What to read from. Children of an inheriting table are tables of their own, partitions are not.
    pub(super) fn source(&self) -> String {
        let only = if self.kind == 'r' { "ONLY " } else { "" };
        format!("{only}{}", sql::table(&self.name))
    }

    /// Whether rows have an address in the table itself.
    pub(super) fn has_blocks(&self) -> bool {
        matches!(self.kind, 'r' | 'm')
    }
}

/// The user's tables, without partitions and without dunlin's own.
pub(super) async fn tables(session: &Loan) -> Result<Vec<TableName>> {
    const SQL: &str = "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND c.relpersistence <> 't' \
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'dunlin') \
        AND n.nspname !~ '^pg_(temp|toast_temp)_' \
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid \
            AND d.deptype = 'e') \
        ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";
    let rows = query(session, SQL, &[]).await?;
    Ok(rows.iter().map(|r| TableName { schema: Some(r.get(0)), name: r.get(1) }).collect())
}

/// Finds a table by name; one without a schema is looked for where this role looks.
pub(super) async fn relation(session: &Loan, name: &TableName) -> Result<Option<Relation>> {
    const SQL: &str = "SELECT c.oid, n.nspname, c.relname, c.relkind::text FROM pg_class c \
        JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE c.relname = $1::text AND n.nspname = ANY($2::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
        ORDER BY array_position($2::text[], n.nspname::text) LIMIT 1";
    let schemas = name.schema.as_ref().map_or_else(|| session.path.clone(), |s| vec![s.clone()]);
    let rows = query(session, SQL, &[&name.name, &schemas]).await?;
    Ok(rows.first().map(|r| Relation {
        oid: r.get(0),
        name: TableName { schema: Some(r.get(1)), name: r.get(2) },
        kind: letter(r, 3),
    }))
}

/// As [`relation`], with an error where there is none.
pub(super) async fn expect_relation(session: &Loan, name: &TableName) -> Result<Relation> {
    relation(session, name).await?.ok_or_else(|| ConnectError::Missing {
        store: session.config().store.clone(),
        what: format!("table {name}"),
        help: "check the name and its schema; upper and lower case count".into(),
    })
}

/// Everything about a table.
pub(super) async fn table(session: &Loan, relation: &Relation) -> Result<Table> {
    let mut table = Table::new(relation.name.clone(), Vec::new());
    let mut sequences = Vec::new();
    for row in query(session, COLUMNS, &[&relation.oid]).await? {
        let (column, sequence) = column(&row);
        if let Some(sequence) = sequence {
            sequences.push((column.name.clone(), sequence));
        }
        table.columns.push(column);
    }
    for (column, sequence) in sequences {
        if let Some(next) = next_number(session, sequence).await? {
            table.sequences.push(Sequence { column, next });
        }
    }
    constraints(session, relation, &mut table).await?;
    indexes(session, relation, &mut table).await?;
    estimates(session, relation, &mut table).await?;
    Ok(table)
}

/// Domains are followed to their base type. An empty `tsquery` is not taken back by the server in the binary form in
/// which it gave it, so these travel as text as well. `portable` says whether the binary form travels (see [`CatalogType`]).
const COLUMNS: &str = "SELECT a.attname, format_type(a.atttypid, a.atttypmod), \
    t.typname, t.typnamespace = 'pg_catalog'::regnamespace, t.typtype::text, b.modifier, \
    format_type(t.oid, NULL), a.attnotnull OR b.required, a.attidentity::text, a.attgenerated::text, \
    pg_get_expr(d.adbin, d.adrelid), \
    coalesce((SELECT s.refobjid FROM pg_depend s JOIN pg_class q ON q.oid = s.refobjid AND q.relkind = 'S' \
        WHERE s.classid = 'pg_attrdef'::regclass AND s.objid = d.oid AND s.refclassid = 'pg_class'::regclass \
        LIMIT 1), \
     (SELECT s.objid FROM pg_depend s WHERE s.classid = 'pg_class'::regclass AND s.deptype = 'i' \
        AND s.refclassid = 'pg_class'::regclass AND s.refobjid = a.attrelid AND s.refobjsubid = a.attnum \
        AND a.attidentity <> '' LIMIT 1)), \
    t.typsend <> 0 AND t.typtype <> 'c' \
        AND NOT ((t.typname LIKE 'reg%' OR t.typname = 'tsquery') AND t.oid < 16384) \
        AND NOT (t.typcategory = 'A' AND (e.oid >= 16384 OR e.typsend = 0 OR e.typname LIKE 'reg%' \
            OR e.typname = 'tsquery')), \
    (SELECT quote_ident(n.nspname) FROM pg_namespace n WHERE n.oid = t.typnamespace) || '.' || quote_ident(t.typname), \
    t.typtype = 'e' OR t.typname = 'citext' OR \
        t.oid IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'json'::regtype, 'xml'::regtype) \
    FROM pg_attribute a \
    CROSS JOIN LATERAL (WITH RECURSIVE up(type, modifier, depth, required) AS ( \
        SELECT a.atttypid, a.atttypmod, 0, false UNION ALL \
        SELECT t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE up.modifier END, depth + 1, \
            required OR t.typnotnull FROM up JOIN pg_type t ON t.oid = up.type WHERE t.typtype = 'd') \
        SELECT * FROM up ORDER BY depth DESC LIMIT 1) b \
    JOIN pg_type t ON t.oid = b.type \
    LEFT JOIN pg_type e ON e.oid = t.typelem \
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

/// How dunlin would carry a type without length or precision.
pub(super) async fn type_of(session: &Loan, oid: Oid) -> Result<Option<ColumnType>> {
    // The query over columns, asked about a table that consists of one column of that type.
    let one = COLUMNS
        .replace(
            "FROM pg_attribute a ",
            "FROM (SELECT 'x'::name AS attname, $1::oid AS atttypid, -1 AS atttypmod, \
            false AS attnotnull, ''::text AS attidentity, ''::text AS attgenerated, 0::oid AS attrelid, \
            1::int2 AS attnum, false AS attisdropped) a ",
        )
        .replace("WHERE a.attrelid = $1 AND", "WHERE");
    let rows = query(session, &one, &[&oid]).await?;
    Ok(rows.first().map(|row| column(row).0.ty))
}

/// A column as a load has to know it.
pub(super) struct Wire {
    /// The column.
    pub(super) column: Column,
    /// The full name of its base type, without length or precision.
    pub(super) type_name: String,
    /// Whether its binary form is its text.
    pub(super) takes_text: bool,
    /// The counter that feeds it.
    pub(super) sequence: Option<Oid>,
}

/// The columns of a table, as a load has to know them.
pub(super) async fn wires(session: &Loan, relation: Oid) -> Result<Vec<Wire>> {
    let rows = query(session, COLUMNS, &[&relation]).await?;
    Ok(rows
        .iter()
        .map(|row| {
            let (column, sequence) = column(row);
            Wire { column, type_name: row.get(13), takes_text: row.get(14), sequence }
        })
        .collect())
}

/// The name of a table by its object number.
pub(super) async fn name_of(session: &Loan, relation: Oid) -> Result<TableName> {
    const SQL: &str = "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE c.oid = $1";
    let rows = query(session, SQL, &[&relation]).await?;
    let row = rows.first().ok_or_else(|| session.config().broken(READ_CATALOG))?;
    Ok(TableName { schema: Some(row.get(0)), name: row.get(1) })
}

fn column(row: &Row) -> (Column, Option<Oid>) {
    let catalog = CatalogType {
        name: row.get(2),
        builtin: row.get(3),
        kind: letter(row, 4),
        modifier: row.get(5),
        formatted: row.get(6),
        portable: row.get::<_, Option<bool>>(12).unwrap_or(false),
    };
    let mut column = Column::new(row.get::<_, String>(0), catalog.column_type());
    column.declared = row.get(1);
    column.nullable = !row.get::<_, bool>(7);
    column.default = row.get(10);
    column.identity = match letter(row, 8) {
        'a' => Some(Identity::Always),
        'd' => Some(Identity::ByDefault),
        _ => None,
    };
    column.generated = match letter(row, 9) {
        's' => Some(Generated::Stored),
        'v' => Some(Generated::Virtual),
        _ => None,
    };
    let sequence: Option<Oid> = row.get(11);
    let serial = column.default.as_deref().is_some_and(|d| d.starts_with("nextval("));
    if serial && sequence.is_some() {
        column.identity = Some(Identity::ByDefault);
        column.default = None;
    }
    (column, sequence)
}

/// The next number of a sequence, if this role may look.
async fn next_number(session: &Loan, sequence: Oid) -> Result<Option<i64>> {
    const NAME: &str = "SELECT n.nspname, c.relname, s.seqincrement FROM pg_sequence s \
        JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE s.seqrelid = $1 AND has_sequence_privilege($1, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')";
    let rows = query(session, NAME, &[&sequence]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let name = TableName { schema: Some(row.get(0)), name: row.get(1) };
    let state =
        query(session, &format!("SELECT last_value, is_called FROM {}", sql::table(&name)), &[]).await?;
    let Some(state) = state.first() else { return Ok(None) };
    let last: i64 = state.get(0);
    Ok(Some(if state.get(1) { last.saturating_add(row.get(2)) } else { last }))
}

/// Constraints that partitions inherit have a parent and are left out.
async fn constraints(session: &Loan, relation: &Relation, table: &mut Table) -> Result<()> {
    const SQL: &str = "SELECT c.contype::text, c.conname, \
        (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k(num, n) \
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num), \
        n.nspname, p.relname, \
        (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k(num, n) \
            JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num), \
        c.confdeltype::text, c.confupdtype::text, c.condeferrable, c.convalidated \
        FROM pg_constraint c LEFT JOIN pg_class p ON p.oid = c.confrelid \
        LEFT JOIN pg_namespace n ON n.oid = p.relnamespace \
        WHERE c.conrelid = $1 AND c.contype IN ('p', 'u', 'f') AND c.conparentid = 0 \
        ORDER BY c.conname COLLATE \"C\"";
    for row in query(session, SQL, &[&relation.oid]).await? {
        let name: String = row.get(1);
        let columns: Vec<String> = row.get::<_, Option<_>>(2).unwrap_or_default();
        match letter(&row, 0) {
            'p' => table.primary_key = columns,
            'u' => table.uniques.push(Unique { name: Some(name), columns }),
            _ => table.foreign_keys.push(ForeignKey {
                name: Some(name),
                columns,
                parent: TableName {
                    schema: row.get(3),
                    name: row.get::<_, Option<_>>(4).unwrap_or_default(),
                },
                parent_columns: row.get::<_, Option<_>>(5).unwrap_or_default(),
                on_delete: action(letter(&row, 6)).to_owned(),
                on_update: action(letter(&row, 7)).to_owned(),
                deferrable: row.get(8),
                validated: row.get(9),
            }),
        }
    }
    Ok(())
}

fn action(letter: char) -> &'static str {
    match letter {
        'r' => "RESTRICT",
        'c' => "CASCADE",
        'n' => "SET NULL",
        'd' => "SET DEFAULT",
        _ => "NO ACTION",
    }
}

/// Columns are told only for an index that is over plain columns of all rows: who builds one of its own from them
/// must not forbid more than the source did.
async fn indexes(session: &Loan, relation: &Relation, table: &mut Table) -> Result<()> {
    const SQL: &str = "SELECT c.relname, i.indisunique, i.indexprs IS NULL AND i.indpred IS NULL, \
        pg_get_indexdef(i.indexrelid), \
        (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(num, n) \
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num WHERE k.n <= i.indnkeyatts) \
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
        WHERE i.indrelid = $1 AND i.indisvalid AND NOT i.indisprimary \
        AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')) \
        ORDER BY c.relname COLLATE \"C\"";
    for row in query(session, SQL, &[&relation.oid]).await? {
        let plain: bool = row.get(2);
        table.indexes.push(Index {
            name: row.get(0),
            columns: if plain { row.get::<_, Option<_>>(4).unwrap_or_default() } else { Vec::new() },
            unique: row.get(1),
            definition: Some(row.get(3)),
        });
    }
    Ok(())
}

async fn estimates(session: &Loan, relation: &Relation, table: &mut Table) -> Result<()> {
    (table.rows_estimate, table.bytes_estimate) = table_estimates(session, relation).await?;
    Ok(())
}

/// The server's guess of rows and bytes, partitions summed up.
pub(super) async fn table_estimates(
    session: &Loan,
    relation: &Relation,
) -> Result<(Option<u64>, Option<u64>)> {
    if matches!(relation.kind, 'v' | 'f') {
        return Ok((None, None));
    }
    const SQL: &str = "SELECT sum(c.reltuples)::float8, min(c.reltuples)::float8, \
        sum(pg_relation_size(c.oid))::int8 \
        FROM pg_class c WHERE c.relkind <> 'p' AND (c.oid = $1 OR $2 AND c.oid IN \
            (SELECT relid FROM pg_partition_tree($1::oid::regclass) WHERE isleaf))";
    let rows = query(session, SQL, &[&relation.oid, &(relation.kind == 'p')]).await?;
    let Some(row) = rows.first() else { return Ok((None, None)) };
    let bytes = row.get::<_, Option<i64>>(2).unwrap_or(0).unsigned_abs();
    let (total, least): (Option<f64>, Option<f64>) = (row.get(0), row.get(1));
    // Never analysed: -1 since PostgreSQL 14, 0 before.
    let known = least.is_some_and(|n| n > 0.0) || (bytes == 0 && least.is_some());
    Ok((total.filter(|_| known).map(|n| n.max(0.0) as u64), Some(bytes)))
}

/// The first letter of a catalog column of type `"char"`, read as text; a blank where it is empty.
fn letter(row: &Row, index: usize) -> char {
    row.get::<_, Option<&str>>(index).and_then(|s| s.chars().next()).unwrap_or(' ')
}

/// Runs a catalog query.
pub(super) async fn query(
    session: &Loan,
    text: &str,
    values: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<Vec<Row>> {
    session.query(text, values).await.map_err(|e| session.config().fail(READ_CATALOG, &e))
}
