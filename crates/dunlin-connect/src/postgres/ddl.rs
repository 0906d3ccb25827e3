//! Making tables, keys and indexes in a target.

use std::collections::HashSet;

use super::catalog::{self, Wire};
use super::connection::Loan;
use super::types::{needs_cast, sql_type};
use super::{index, sql};
use crate::{
    Column, ColumnType, ConnectError, ForeignKey, Generated, Identity, Result, Table, TableName, Unique,
};

/// Where a table without a schema is made and looked for first.
pub(super) fn home(session: &Loan, name: &TableName) -> TableName {
    match &name.schema {
        Some(_) => name.clone(),
        None => TableName { schema: session.path.first().cloned(), name: name.name.clone() },
    }
}

fn create_grant(session: &Loan, name: &TableName) -> String {
    let role = sql::ident(&session.config().user);
    match &name.schema {
        Some(schema) => format!("GRANT USAGE, CREATE ON SCHEMA {} TO {role};", sql::ident(schema)),
        None => format!("GRANT CREATE ON DATABASE {} TO {role};", sql::ident(&session.config().database)),
    }
}

fn owner_grant(session: &Loan, name: &TableName) -> String {
    format!("ALTER TABLE {} OWNER TO {};", sql::table(name), sql::ident(&session.config().user))
}

/// Runs one statement. Never several: parts of it may come from another system's catalog.
async fn single(session: &Loan, act: &str, grant: &str, statement: &str) -> Result<()> {
    match session.execute(statement, &[]).await {
        Ok(_) => Ok(()),
        Err(error) => Err(session.config().fail_granting(act, grant, &error)),
    }
}

/// Creates a table: columns, nullability, identities, portable defaults. Keys come after the load, see [`complete`].
pub(super) async fn create(session: &Loan, table: &Table) -> Result<()> {
    let name = home(session, &table.name);
    let act = format!("create {name}");
    if let Some(schema) = &name.schema {
        let known = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1::text)";
        let row = session.query_one(known, &[schema]).await.map_err(|e| session.config().fail(&act, &e))?;
        if !row.get::<_, bool>(0) {
            let grant = format!(
                "GRANT CREATE ON DATABASE {} TO {};",
                sql::ident(&session.config().database),
                sql::ident(&session.config().user)
            );
            single(session, &act, &grant, &format!("CREATE SCHEMA {}", sql::ident(schema))).await?;
        }
    }
    let mut columns = Vec::new();
    for column in &table.columns {
        let key = table.primary_key.contains(&column.name);
        columns.push(column_sql(session, column, key).await);
    }
    let statement = format!("CREATE TABLE {} ({})", sql::table(&name), columns.join(", "));
    single(session, &act, &create_grant(session, &name), &statement).await
}

async fn column_sql(session: &Loan, column: &Column, key: bool) -> String {
    let mut text = format!("{} {}", sql::ident(&column.name), type_sql(session, column).await);
    let integer = matches!(column.ty, ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64);
    match (column.generated, &column.default) {
        (Some(Generated::Stored | Generated::Virtual), Some(expression)) => {
            text.push_str(&format!(" GENERATED ALWAYS AS ({expression}) STORED"));
        }
        (None, _) if integer && column.identity.is_some() => {
            let how = if column.identity == Some(Identity::Always) { "ALWAYS" } else { "BY DEFAULT" };
            text.push_str(&format!(" GENERATED {how} AS IDENTITY"));
        }
        (None, Some(default)) if is_portable_default(default) => {
            text.push_str(&format!(" DEFAULT {default}"))
        }
        _ => {}
    }
    if !column.nullable || key {
        text.push_str(" NOT NULL");
    }
    text
}

/// The declared type where this server has it and means the same by it, else the nearest. A text column takes on only
/// types that somebody made (enums, domains): `name` or `timestamp`, as another system may write it, would change what
/// is stored.
async fn type_sql(session: &Loan, column: &Column) -> String {
    let opaque = matches!(column.ty, ColumnType::Opaque { .. });
    if opaque || needs_cast(column) {
        match declared_type(session, &column.declared).await {
            Some((ty, made)) if ty == column.ty && (opaque || made) => return column.declared.clone(),
            _ => {}
        }
    }
    match &column.ty {
        ColumnType::Opaque { name } => match declared_type(session, name).await {
            Some((ty, _)) if ty == column.ty => name.clone(),
            _ => "text".to_owned(),
        },
        ty => sql_type(ty),
    }
}

/// How dunlin would carry a type that is written like this, if this server knows it, and whether somebody made it
/// (numbers below 16384 are the server's own). That it parses as a type also says that it is nothing else, so that it
/// can stand in a statement.
async fn declared_type(session: &Loan, declared: &str) -> Option<(ColumnType, bool)> {
    let row = session.query_one("SELECT to_regtype($1)::oid", &[&declared]).await.ok()?;
    let oid: u32 = row.get::<_, Option<u32>>(0)?;
    Some((catalog::type_of(session, oid).await.ok().flatten()?, oid >= 16_384))
}

/// Defaults that mean the same everywhere and do nothing but give a value.
fn is_portable_default(default: &str) -> bool {
    let value = default.split_once("::").map_or(default, |(value, cast)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '(' | ')' | ',');
        if cast.chars().all(plain) { value } else { "" }
    });
    let quoted = value.len() >= 2
        && value.starts_with('\'')
        && value.ends_with('\'')
        && !value[1..value.len() - 1].replace("''", "").contains(['\'', '\\']);
    let number = !value.is_empty() && value.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'));
    let known = ["true", "false", "null", "current_timestamp", "current_date", "now()", "gen_random_uuid()"];
    quoted || (number && value.parse::<f64>().is_ok()) || known.contains(&value.to_ascii_lowercase().as_str())
}

/// The names of all types of this server, as [`ColumnType::Opaque`] spells them.
pub(super) async fn type_names(session: &Loan) -> Result<HashSet<String>> {
    const SQL: &str = "SELECT format_type(oid, NULL) FROM pg_type WHERE typtype IN ('b', 'r', 'm', 'e', 'c')";
    Ok(catalog::query(session, SQL, &[]).await?.iter().map(|r| r.get(0)).collect())
}

/// Builds a key, which says on its own whether rows stand against it. Only the primary key and named constraints of the
/// table are tried: an index may have a form of its own, which [`complete`] knows.
pub(super) async fn try_unique(session: &Loan, table: &Table, unique: &Unique) -> Result<bool> {
    let relation = catalog::expect_relation(session, &table.name).await?;
    let there = catalog::table(session, &relation).await?;
    let name = &relation.name;
    let primary = unique.name.is_none() && unique.columns == table.primary_key;
    if primary && there.primary_key == unique.columns {
        return Ok(true);
    }
    let constraint = table.uniques.iter().any(|u| u.name == unique.name && u.columns == unique.columns);
    if !primary && !constraint {
        return Ok(false);
    }
    let alter = format!("ALTER TABLE {}", sql::table(name));
    let statement = if primary {
        format!("{alter} ADD PRIMARY KEY ({})", sql::idents(&unique.columns))
    } else {
        if there.uniques.iter().any(|u| u.columns == unique.columns) {
            return Ok(true);
        }
        let label = free_name(session, name, unique.name.as_deref()).await?;
        let label = label.map(|n| format!("CONSTRAINT {} ", sql::ident(n))).unwrap_or_default();
        format!("{alter} ADD {label}UNIQUE ({})", sql::idents(&unique.columns))
    };
    match session.batch_execute(&statement).await {
        Ok(()) => Ok(true),
        // 23505: rows with equal keys.
        Err(error) if error.code().is_some_and(|c| c.code() == "23505") => Ok(false),
        Err(error) => {
            let act = format!("add the keys of {name}");
            Err(session.config().fail_granting(&act, &owner_grant(session, name), &error))
        }
    }
}

/// After the load: primary key, unique constraints, indexes, statistics. What is there already stays.
pub(super) async fn complete(session: &Loan, table: &Table) -> Result<()> {
    let relation = catalog::expect_relation(session, &table.name).await?;
    let there = catalog::table(session, &relation).await?;
    let name = &relation.name;
    let act = format!("add the keys of {name}");
    let grant = owner_grant(session, name);
    let alter = format!("ALTER TABLE {}", sql::table(name));
    if there.primary_key.is_empty() && !table.primary_key.is_empty() {
        let statement = format!("{alter} ADD PRIMARY KEY ({})", sql::idents(&table.primary_key));
        single(session, &act, &grant, &statement).await?;
    }
    for unique in &table.uniques {
        if there.uniques.iter().any(|u| u.columns == unique.columns) {
            continue;
        }
        let label = free_name(session, name, unique.name.as_deref()).await?;
        let label = label.map(|n| format!("CONSTRAINT {} ", sql::ident(n))).unwrap_or_default();
        let statement = format!("{alter} ADD {label}UNIQUE ({})", sql::idents(&unique.columns));
        single(session, &act, &grant, &statement).await?;
    }
    for wanted in &table.indexes {
        // Named as before, or alike: a run that goes on must not build it twice.
        let alike =
            |i: &crate::Index| index::statement(i, name, None) == index::statement(wanted, name, None);
        if there.indexes.iter().any(alike) {
            continue;
        }
        let label = free_name(session, name, Some(&wanted.name)).await?;
        let Some(statement) = index::statement(wanted, name, label) else {
            return Err(ConnectError::Unsupported {
                store: session.config().store.clone(),
                what: format!("index {} of {name}, which is over expressions of another system", wanted.name),
                help: "create it by hand after the run".into(),
            });
        };
        single(session, &act, &grant, &statement).await?;
    }
    // Autovacuum gathers statistics within a minute of such a load; where it is off nobody else would.
    let row = catalog::query(session, "SELECT current_setting('autovacuum') = 'on'", &[]).await?;
    if row.first().is_some_and(|r| r.get(0)) {
        return Ok(());
    }
    single(session, &act, &grant, &format!("ANALYZE {}", sql::table(name))).await
}

/// The wanted name for an index, if nothing in that schema has it yet.
async fn free_name<'a>(
    session: &Loan,
    table: &TableName,
    wanted: Option<&'a str>,
) -> Result<Option<&'a str>> {
    let Some(wanted) = wanted else { return Ok(None) };
    const SQL: &str = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE n.nspname = $1::text AND c.relname = $2::text)";
    let rows = catalog::query(session, SQL, &[&table.schema, &wanted]).await?;
    Ok(rows.first().is_some_and(|r| !r.get::<_, bool>(0)).then_some(wanted))
}

/// After all tables are complete: foreign keys and sequence positions.
pub(super) async fn connect_keys(session: &Loan, table: &Table) -> Result<()> {
    let relation = catalog::expect_relation(session, &table.name).await?;
    let there = catalog::table(session, &relation).await?;
    let name = &relation.name;
    for key in &table.foreign_keys {
        let parent = match catalog::relation(session, &key.parent).await? {
            Some(parent) => parent.name,
            None => home(session, &key.parent),
        };
        let same = |k: &ForeignKey| k.columns == key.columns && k.parent == parent;
        if there.foreign_keys.iter().any(same) {
            continue;
        }
        let taken = there.foreign_keys.iter().any(|k| k.name == key.name);
        let label = key.name.as_ref().filter(|_| !taken);
        let statement = format!(
            "ALTER TABLE {} ADD {}{}",
            sql::table(name),
            label.map(|n| format!("CONSTRAINT {} ", sql::ident(n))).unwrap_or_default(),
            foreign_key_sql(key, &parent)
        );
        let act = format!("add the foreign keys of {name}");
        let role = sql::ident(&session.config().user);
        let grant =
            format!("{} GRANT REFERENCES ON {} TO {role};", owner_grant(session, name), sql::table(&parent));
        single(session, &act, &grant, &statement).await?;
    }
    let wires = catalog::wires(session, relation.oid).await?;
    for sequence in &table.sequences {
        move_sequence(session, name, &wires, sequence).await?;
    }
    Ok(())
}

fn foreign_key_sql(key: &ForeignKey, parent: &TableName) -> String {
    let action = |text: &str| match text.to_ascii_uppercase().as_str() {
        "CASCADE" => "CASCADE",
        "SET NULL" => "SET NULL",
        "SET DEFAULT" => "SET DEFAULT",
        "RESTRICT" => "RESTRICT",
        _ => "NO ACTION",
    };
    let parent_columns = if key.parent_columns.is_empty() {
        String::new()
    } else {
        format!(" ({})", sql::idents(&key.parent_columns))
    };
    format!(
        "FOREIGN KEY ({}) REFERENCES {}{parent_columns} ON DELETE {} ON UPDATE {}{}{}",
        sql::idents(&key.columns),
        sql::table(parent),
        action(&key.on_delete),
        action(&key.on_update),
        if key.deferrable { " DEFERRABLE" } else { "" },
        if key.validated { "" } else { " NOT VALID" },
    )
}

/// Lets a column's own counter go on behind the largest number given.
async fn move_sequence(
    session: &Loan,
    name: &TableName,
    wires: &[Wire],
    wanted: &crate::Sequence,
) -> Result<()> {
    let counter = wires.iter().find(|w| w.column.name == wanted.column).and_then(|w| w.sequence);
    let Some(counter) = counter else { return Ok(()) };
    // A number at the counter's end leaves none to give: the counter stays there, and says so when it is asked.
    let statement = format!(
        "SELECT setval($1::oid::regclass, least(greatest($2::int8::numeric, (SELECT max({})::numeric + 1 FROM {}), 1), \
         (SELECT seqmax FROM pg_sequence WHERE seqrelid = $1::oid))::int8, false)",
        sql::ident(&wanted.column),
        sql::table(name)
    );
    let grant = owner_grant(session, name);
    let act = format!("move the counter of {name}.{}", wanted.column);
    let moved = session.query(&statement, &[&counter, &wanted.next]).await;
    moved.map(|_| ()).map_err(|e| session.config().fail_granting(&act, &grant, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_defaults_travel() {
        for good in [
            "'new'::text",
            "0",
            "-1.5",
            "true",
            "NULL",
            "now()",
            "CURRENT_TIMESTAMP",
            "'it''s'",
            "''::character varying",
        ] {
            assert!(is_portable_default(good), "{good}");
        }
        for bad in [
            "public.f()",
            "0; DROP TABLE x",
            "'a' || 'b'",
            "nextval('s')",
            "",
            "'",
            "'a'::x'",
            "E'\\n'",
            "--",
        ] {
            assert!(!is_portable_default(bad), "{bad}");
        }
    }
}
