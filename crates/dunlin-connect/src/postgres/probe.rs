//! What works and what does not, for `dunlin doctor`. Every problem is told with the statement that mends it.

use std::sync::Arc;

use super::connection::{Loan, Pool};
use super::{catalog, ddl, sql};
use crate::{Probe, ProbeStatus, TableName};

fn probe(
    act: impl Into<String>,
    status: ProbeStatus,
    detail: impl Into<String>,
    help: Option<String>,
) -> Probe {
    Probe { act: act.into(), status, detail: detail.into(), help }
}

/// Tries everything a run would need.
pub(super) async fn run(pool: &Arc<Pool>, tables: &[TableName], write: bool) -> Vec<Probe> {
    let session = match pool.get().await {
        Ok(session) => session,
        Err(error) => return vec![probe("connect", ProbeStatus::Fail, error.to_string(), error.help())],
    };
    let mut out = vec![server(&session).await, encryption(&session).await];
    for table in tables {
        out.push(readable(&session, table).await);
        if write {
            out.extend(writable(&session, table).await);
        }
    }
    if write {
        out.push(bookkeeping(&session).await);
    }
    session.give_back();
    out
}

async fn server(session: &Loan) -> Probe {
    let version = format!("PostgreSQL {}.{}", session.version / 10_000, session.version % 10_000);
    let (status, help) = match session.version {
        0..120_000 => {
            (ProbeStatus::Fail, Some("upgrade the server: dunlin speaks to PostgreSQL 12 and newer".into()))
        }
        120_000..140_000 => (
            ProbeStatus::Warn,
            Some("tables without an integer key are read in one piece before PostgreSQL 14".into()),
        ),
        _ => (ProbeStatus::Ok, None),
    };
    probe("connect", status, version, help)
}

async fn encryption(session: &Loan) -> Probe {
    const SQL: &str = "SELECT coalesce((SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl), ''), \
        inet_server_addr() IS NULL";
    let act = "encryption";
    match catalog::query(session, SQL, &[]).await.as_deref() {
        Ok([row]) if !row.get::<_, &str>(0).is_empty() => {
            probe(act, ProbeStatus::Ok, row.get::<_, String>(0), None)
        }
        Ok([row]) if row.get(1) => probe(act, ProbeStatus::Ok, "a local socket needs none", None),
        Ok(_) => {
            let help = "add `?sslmode=verify-full` to the store's URL".to_owned();
            probe(act, ProbeStatus::Warn, "the connection is in the clear", Some(help))
        }
        Err(error) => probe(act, ProbeStatus::Warn, error.to_string(), None),
    }
}

/// Whether a table can be read as a whole: the right, and no policy that hides rows.
async fn readable(session: &Loan, name: &TableName) -> Probe {
    let relation = match catalog::relation(session, name).await {
        Ok(Some(relation)) => relation,
        Ok(None) => {
            return probe(format!("read {name}"), ProbeStatus::Warn, "there is no such table yet", None);
        }
        Err(error) => {
            return probe(format!("read {name}"), ProbeStatus::Fail, error.to_string(), error.help());
        }
    };
    const SQL: &str = "SELECT has_schema_privilege(c.relnamespace, 'USAGE'), has_table_privilege(c.oid, 'SELECT'), \
        row_security_active(c.oid) FROM pg_class c WHERE c.oid = $1";
    let act = format!("read {}", relation.name);
    let role = sql::ident(&session.config().user);
    let rows = catalog::query(session, SQL, &[&relation.oid]).await;
    match rows.as_deref() {
        Ok([row]) => {
            let (usage, select, policy): (bool, bool, bool) = (row.get(0), row.get(1), row.get(2));
            let mut grants = Vec::new();
            if !usage {
                let schema = relation.name.schema.as_deref().unwrap_or_default();
                grants.push(format!("GRANT USAGE ON SCHEMA {} TO {role};", sql::ident(schema)));
            }
            if !select {
                grants.push(format!("GRANT SELECT ON {} TO {role};", sql::table(&relation.name)));
            }
            if !grants.is_empty() {
                return probe(act, ProbeStatus::Fail, "a privilege is missing", Some(grants.join(" ")));
            }
            if policy {
                let help = format!("ALTER ROLE {role} BYPASSRLS;");
                return probe(act, ProbeStatus::Fail, "a row security policy hides rows", Some(help));
            }
            probe(act, ProbeStatus::Ok, "", None)
        }
        Ok(_) => probe(act, ProbeStatus::Fail, "the table vanished", None),
        Err(error) => probe(act, ProbeStatus::Fail, error.to_string(), error.help()),
    }
}

/// Whether rows can be written, or the table created where it is missing.
async fn writable(session: &Loan, name: &TableName) -> Option<Probe> {
    let role = sql::ident(&session.config().user);
    let Ok(Some(relation)) = catalog::relation(session, name).await else {
        let home = ddl::home(session, name);
        let schema = home.schema.clone().unwrap_or_default();
        const SQL: &str = "SELECT coalesce((SELECT has_schema_privilege(n.oid, 'CREATE') FROM pg_namespace n \
            WHERE n.nspname = $1::text), has_database_privilege(current_database(), 'CREATE'))";
        let rows = catalog::query(session, SQL, &[&schema]).await.ok()?;
        let may: bool = rows.first()?.get(0);
        let help = format!("GRANT USAGE, CREATE ON SCHEMA {} TO {role};", sql::ident(&schema));
        return Some(granted(format!("create {home}"), may, help));
    };
    const SQL: &str = "SELECT has_table_privilege($1, 'INSERT') AND has_table_privilege($1, 'DELETE'), \
        pg_has_role((SELECT relowner FROM pg_class WHERE oid = $1), 'USAGE')";
    let rows = catalog::query(session, SQL, &[&relation.oid]).await.ok()?;
    let (write, owner): (bool, bool) = (rows.first()?.get(0), rows.first()?.get(1));
    let table = sql::table(&relation.name);
    let act = format!("write {}", relation.name);
    if write && !owner {
        let help = format!("ALTER TABLE {table} OWNER TO {role};");
        let detail = "rows can be written, but keys, indexes and triggers belong to another role";
        return Some(probe(act, ProbeStatus::Warn, detail, Some(help)));
    }
    Some(granted(act, write, format!("GRANT SELECT, INSERT, DELETE ON {table} TO {role};")))
}

/// Whether the schema of receipts is there or can be made.
async fn bookkeeping(session: &Loan) -> Probe {
    const SQL: &str = "SELECT coalesce((SELECT has_schema_privilege(n.oid, 'CREATE') FROM pg_namespace n \
        WHERE n.nspname = 'dunlin'), has_database_privilege(current_database(), 'CREATE'))";
    let act = "keep receipts in schema dunlin";
    let help = format!(
        "GRANT CREATE ON DATABASE {} TO {};",
        sql::ident(&session.config().database),
        sql::ident(&session.config().user)
    );
    match catalog::query(session, SQL, &[]).await.as_deref() {
        Ok([row]) => granted(act.into(), row.get(0), help),
        Ok(_) => probe(act, ProbeStatus::Fail, "", None),
        Err(error) => probe(act, ProbeStatus::Fail, error.to_string(), error.help()),
    }
}

fn granted(act: String, may: bool, help: String) -> Probe {
    if may {
        probe(act, ProbeStatus::Ok, "", None)
    } else {
        probe(act, ProbeStatus::Fail, "a privilege is missing", Some(help))
    }
}
