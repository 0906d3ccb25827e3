//! Who is connected to the database, from `pg_stat_activity`.
//!
//! A role without `pg_read_all_stats` is not told where others come from and what they do; that they are there, and under
//! which name, it is.

use super::catalog;
use super::connection::Loan;
use crate::{Connection, Result};

/// Sessions of clients in this database, and whatever replicates the cluster: both read rows without dunlin.
const SQL: &str = "SELECT coalesce(usename::text, ''), host(client_addr), coalesce(application_name, ''), \
    (extract(epoch FROM backend_start) * 1000000)::bigint, \
    CASE WHEN backend_type = 'walsender' THEN 'replication' ELSE coalesce(state, 'hidden') END, \
    usename = current_user AND (application_name = $1 OR starts_with(application_name, 'dunlin')) \
    FROM pg_stat_activity \
    WHERE (datname = current_database() AND coalesce(backend_type, 'client backend') = 'client backend') \
    OR backend_type = 'walsender' ORDER BY backend_start, pid";

/// How far the standby that is furthest behind is behind, where the role is told: without `pg_monitor` it is not.
pub(super) async fn lag(session: &Loan) -> Result<Option<std::time::Duration>> {
    const LAG: &str = "SELECT extract(epoch FROM max(replay_lag))::float8 FROM pg_stat_replication";
    let rows = catalog::query(session, LAG, &[]).await?;
    let seconds = rows.first().and_then(|row| row.get::<_, Option<f64>>(0));
    Ok(seconds.and_then(|s| std::time::Duration::try_from_secs_f64(s).ok()))
}

/// The connections; `name` is what dunlin's own call themselves.
pub(super) async fn connections(session: &Loan, name: &str) -> Result<Vec<Connection>> {
    let rows = catalog::query(session, SQL, &[&name]).await?;
    let connection = |row: &tokio_postgres::Row| Connection {
        user: row.get(0),
        client: row.get(1),
        application: row.get(2),
        since: row.get(3),
        state: row.get(4),
        own: row.get::<_, Option<bool>>(5).unwrap_or(false),
    };
    Ok(rows.iter().map(connection).collect())
}
