//! What is taken out of the way of a load into tables that were there before: the owner's triggers, and foreign keys
//! of a cycle. Each is noted in `dunlin.taken` in the transaction that takes it, and put back by
//! [`put_back`] from that note, so that a run that died in between loses nothing.

use super::catalog;
use super::connection::Loan;
use super::sql;
use crate::{ForeignKey, Result, Table, TableName};

/// Takes triggers and cyclic foreign keys of these tables out of the way.
pub(super) async fn take(session: &Loan, tables: &[Table], cyclic: &[ForeignKey]) -> Result<()> {
    for table in tables {
        let Some(relation) = catalog::relation(session, &table.name).await? else { continue };
        let name = &relation.name;
        const TRIGGERS: &str = "SELECT tgname, tgenabled::text FROM pg_trigger \
            WHERE tgrelid = $1 AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY tgname";
        for row in catalog::query(session, TRIGGERS, &[&relation.oid]).await? {
            let (trigger, mode): (String, String) = (row.get(0), row.get(1));
            let statement = format!("DISABLE TRIGGER {}", sql::ident(&trigger));
            note(session, name, "trigger", &trigger, enable(&mode), &statement).await?;
        }
        const KEYS: &str = "SELECT c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c \
            WHERE c.conrelid = $1 AND c.contype = 'f' AND c.conname = ANY($2::text[]) AND c.conparentid = 0";
        let names: Vec<&str> = table
            .foreign_keys
            .iter()
            .filter(|k| cyclic.contains(k))
            .filter_map(|k| k.name.as_deref())
            .collect();
        for row in catalog::query(session, KEYS, &[&relation.oid, &names]).await? {
            let (key, definition): (String, String) = (row.get(0), row.get(1));
            let statement = format!("DROP CONSTRAINT {}", sql::ident(&key));
            note(session, name, "foreign key", &key, &definition, &statement).await?;
        }
    }
    Ok(())
}

fn enable(mode: &str) -> &'static str {
    match mode {
        "A" => "ENABLE ALWAYS",
        "R" => "ENABLE REPLICA",
        _ => "ENABLE",
    }
}

fn failing(session: &Loan, name: &TableName, error: &tokio_postgres::Error) -> crate::ConnectError {
    let grant = format!("ALTER TABLE {} OWNER TO {};", sql::table(name), sql::ident(&session.config().user));
    session.config().fail_granting(&format!("prepare {name} for a load"), &grant, error)
}

/// Notes how to put something back, and takes it away.
async fn note(
    session: &Loan,
    table: &TableName,
    kind: &str,
    name: &str,
    definition: &str,
    statement: &str,
) -> Result<()> {
    const SQL: &str = "INSERT INTO dunlin.taken (tbl_schema, tbl_name, kind, name, definition) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    session.run("begin", "BEGIN").await?;
    let alter = format!("ALTER TABLE {} {statement}", sql::table(table));
    let schema = table.schema.clone().unwrap_or_default();
    let outcome = match session.execute(SQL, &[&schema, &table.name, &kind, &name, &definition]).await {
        Ok(_) => session.batch_execute(&format!("{alter}; COMMIT")).await,
        Err(error) => Err(error),
    };
    if let Err(error) = outcome {
        let _ = session.batch_execute("ROLLBACK").await;
        return Err(failing(session, table, &error));
    }
    Ok(())
}

/// Puts back what was taken from a table.
pub(super) async fn put_back(session: &Loan, name: &TableName) -> Result<()> {
    const SQL: &str = "SELECT kind, name, definition FROM dunlin.taken \
        WHERE tbl_schema = $1 AND tbl_name = $2 ORDER BY kind, name";
    let schema = name.schema.clone().unwrap_or_default();
    let rows = match session.query(SQL, &[&schema, &name.name]).await {
        Ok(rows) => rows,
        Err(error) if error.code().is_some_and(|c| matches!(c.code(), "42P01" | "3F000")) => return Ok(()),
        Err(error) => return Err(failing(session, name, &error)),
    };
    for row in rows {
        let (kind, what, definition): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let act = match kind.as_str() {
            "trigger" => format!("{definition} TRIGGER {}", sql::ident(&what)),
            _ => format!("ADD CONSTRAINT {} {definition}", sql::ident(&what)),
        };
        let script = format!(
            "BEGIN; ALTER TABLE {} {act}; DELETE FROM dunlin.taken WHERE tbl_schema = {} AND tbl_name = {} \
             AND kind = {} AND name = {}; COMMIT",
            sql::table(name),
            sql::literal(&schema),
            sql::literal(&name.name),
            sql::literal(&kind),
            sql::literal(&what)
        );
        if let Err(error) = session.batch_execute(&script).await {
            let _ = session.batch_execute("ROLLBACK").await;
            return Err(failing(session, name, &error));
        }
    }
    Ok(())
}
