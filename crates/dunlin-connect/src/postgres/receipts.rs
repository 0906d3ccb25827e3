//! dunlin's bookkeeping in a target: schema `dunlin`, with a receipt for each part that was loaded and a note of
//! what was taken out of the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::{Loan, Pool};
use crate::{Committed, ConnectError, Receipt, Result};

/// Makes the bookkeeping. The lock keeps two processes from making it at once, which `IF NOT EXISTS` does not.
const PREPARE: &str = "BEGIN; SELECT pg_advisory_xact_lock(7235417104832); \
    CREATE SCHEMA IF NOT EXISTS dunlin; \
    CREATE TABLE IF NOT EXISTS dunlin.receipt (run text NOT NULL, tbl text NOT NULL, part text NOT NULL, \
        body text NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (run, tbl, part)); \
    CREATE TABLE IF NOT EXISTS dunlin.taken (tbl_schema text NOT NULL, tbl_name text NOT NULL, \
        kind text NOT NULL, name text NOT NULL, definition text NOT NULL, \
        PRIMARY KEY (tbl_schema, tbl_name, kind, name)); COMMIT";

/// How long a lost commit is looked for: the server may still be at it, or be starting again.
const LOOK_TIME: Duration = Duration::from_secs(30);

/// Makes the bookkeeping where it is missing.
pub(super) async fn prepare(session: &Loan) -> Result<()> {
    const ACT: &str = "make dunlin's bookkeeping";
    let exists =
        "SELECT to_regclass('dunlin.receipt') IS NOT NULL AND to_regclass('dunlin.taken') IS NOT NULL";
    let row = session.query_one(exists, &[]).await.map_err(|e| session.config().fail(ACT, &e))?;
    if row.get(0) {
        return Ok(());
    }
    let config = session.config();
    let grant = format!(
        "GRANT CREATE ON DATABASE {} TO {};",
        super::sql::ident(&config.database),
        super::sql::ident(&config.user)
    );
    if let Err(error) = session.batch_execute(PREPARE).await {
        let _ = session.batch_execute("ROLLBACK").await;
        return Err(config.fail_granting(ACT, &grant, &error));
    }
    Ok(())
}

/// All receipts of a run, in order of table and part.
pub(super) async fn of_run(session: &Loan, run: &str) -> Result<Vec<Receipt>> {
    const ACT: &str = "read the receipts";
    const SQL: &str = "SELECT run, tbl, part, body FROM dunlin.receipt WHERE run = $1 \
        ORDER BY tbl COLLATE \"C\", part COLLATE \"C\"";
    match session.query(SQL, &[&run]).await {
        Ok(rows) => Ok(rows
            .iter()
            .map(|r| Receipt { run: r.get(0), table: r.get(1), part: r.get(2), body: r.get(3) })
            .collect()),
        // Nobody has prepared it yet.
        Err(error) if error.code().is_some_and(|c| matches!(c.code(), "42P01" | "3F000")) => Ok(Vec::new()),
        Err(error) => Err(session.config().fail(ACT, &error)),
    }
}

async fn find(session: &Loan, receipt: &Receipt) -> Result<Option<Receipt>> {
    const SQL: &str = "SELECT body FROM dunlin.receipt WHERE run = $1 AND tbl = $2 AND part = $3";
    let rows = session
        .query(SQL, &[&receipt.run, &receipt.table, &receipt.part])
        .await
        .map_err(|e| session.config().fail("read a receipt", &e))?;
    Ok(rows.first().map(|r| Receipt { body: r.get(0), ..receipt.clone() }))
}

/// Writes the receipt of a part that has none yet; the transaction goes on.
pub(super) async fn write(pool: &Arc<Pool>, session: &Loan, receipt: &Receipt) -> Result<()> {
    const SQL: &str = "INSERT INTO dunlin.receipt (run, tbl, part, body) VALUES ($1, $2, $3, $4)";
    session
        .execute(SQL, &[&receipt.run, &receipt.table, &receipt.part, &receipt.body])
        .await
        .map_err(|e| pool.config.fail("write a receipt", &e))?;
    Ok(())
}

/// Writes the receipt and commits the transaction of `session`.
pub(super) async fn commit(pool: &Arc<Pool>, session: Loan, receipt: &Receipt) -> Result<Committed> {
    const ACT: &str = "write a receipt";
    const SQL: &str = "INSERT INTO dunlin.receipt (run, tbl, part, body) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (run, tbl, part) DO NOTHING";
    let written = session
        .execute(SQL, &[&receipt.run, &receipt.table, &receipt.part, &receipt.body])
        .await
        .map_err(|e| pool.config.fail(ACT, &e))?;
    if written == 0 {
        let known = find(&session, receipt).await?;
        session.run(ACT, "ROLLBACK").await?;
        session.give_back();
        return match known {
            Some(known) if known.body == receipt.body => Ok(Committed::Already(known)),
            _ => Err(differs(pool, receipt)),
        };
    }
    fail::fail_point!("connect::postgres.commit.before", |_| Err(interrupted(pool)));
    let outcome = session.batch_execute("COMMIT").await;
    fail::fail_point!("connect::postgres.commit.after", |_| Err(interrupted(pool)));
    match outcome {
        Ok(()) => {
            session.give_back();
            Ok(Committed::New)
        }
        Err(error) if error.as_db_error().is_some_and(|db| !db.code().code().starts_with("57P")) => {
            Err(pool.config.fail("commit", &error))
        }
        // Nobody answered: the commit may have happened.
        Err(error) => {
            drop(session);
            resolve(pool, receipt, pool.config.fail("commit", &error)).await
        }
    }
}

/// Looks whether a commit that got no answer happened. While the old backend may still be at work its receipt's key
/// is locked, so writing that key and taking it back waits for the outcome.
async fn resolve(pool: &Arc<Pool>, receipt: &Receipt, lost: ConnectError) -> Result<Committed> {
    let patience = Instant::now() + LOOK_TIME;
    while Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let Ok(session) = pool.get().await else { continue };
        const LOCK: &str = "INSERT INTO dunlin.receipt (run, tbl, part, body) VALUES ($1, $2, $3, '') \
            ON CONFLICT (run, tbl, part) DO NOTHING";
        session.run("look for a receipt", "BEGIN; SET LOCAL lock_timeout = '10s'").await?;
        let waited = session.execute(LOCK, &[&receipt.run, &receipt.table, &receipt.part]).await;
        let _ = session.batch_execute("ROLLBACK").await;
        if waited.is_err() {
            continue;
        }
        let known = find(&session, receipt).await?;
        session.give_back();
        return match known {
            Some(known) if known.body == receipt.body => Ok(Committed::New),
            Some(_) => Err(differs(pool, receipt)),
            None => Err(lost),
        };
    }
    Err(lost)
}

fn differs(pool: &Pool, receipt: &Receipt) -> ConnectError {
    ConnectError::ReceiptDiffers {
        store: pool.config.store.clone(),
        table: receipt.table.clone(),
        part: receipt.part.clone(),
    }
}

#[cfg(feature = "failpoints")]
fn interrupted(pool: &Pool) -> ConnectError {
    ConnectError::Store {
        store: pool.config.store.clone(),
        act: "commit".into(),
        code: "failpoint".into(),
        transient: true,
    }
}
