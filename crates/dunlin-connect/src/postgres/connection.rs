//! Connections: how one is set up, and a small pool of idle ones. Not a limit: whoever asks for work limits it.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::AbortHandle;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::config::Config;
use super::tls;
use crate::Result;

/// So many idle connections are kept.
const IDLE_MAX: usize = 16;

/// What every session of ours starts with. Values are read and written in one form whatever the server or the role
/// prefers; names are looked up in `pg_catalog` alone, so that nobody can slip in a function of their own; a policy
/// that would hide rows is an error instead of a loss. Plain reads and writes gain nothing from being compiled.
const SESSION: &str = "SELECT pg_catalog.array_to_json(pg_catalog.current_schemas(false)), \
    pg_catalog.current_setting('server_version_num'); \
    SET search_path = pg_catalog; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; \
    SET extra_float_digits = 1; SET timezone = 'UTC'; SET bytea_output = 'hex'; SET xmlbinary = 'base64'; \
    SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET row_security = off; \
    SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
    SET client_min_messages = error; SET synchronous_commit = on; SET default_transaction_read_only = off; \
    SET jit = off; \
    SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings \
    WHERE name IN ('idle_session_timeout', 'transaction_timeout')";

/// One connection.
pub(super) struct Session {
    client: Client,
    /// The task that speaks to the server.
    task: AbortHandle,
    /// The schemas in which this role looks for a table that has none in its name.
    pub(super) path: Vec<String>,
    /// `server_version_num`, e.g. 150004.
    pub(super) version: u32,
}

impl Deref for Session {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

/// The connections of one store.
pub(super) struct Pool {
    /// Whose.
    pub(super) config: Config,
    idle: Mutex<Vec<Session>>,
}

/// A connection on loan. Dropped, it is closed; [`Loan::give_back`] keeps it for the next.
pub(super) struct Loan {
    session: Option<Session>,
    pool: Arc<Pool>,
}

impl Deref for Loan {
    type Target = Session;
    fn deref(&self) -> &Session {
        // Only `give_back` takes it, and that consumes the loan.
        self.session.as_ref().expect("a loan holds its session")
    }
}

impl Pool {
    /// A pool with nothing in it.
    pub(super) fn new(config: Config) -> Self {
        Self { config, idle: Mutex::new(Vec::new()) }
    }

    /// An idle connection, or a new one.
    pub(super) async fn get(self: &Arc<Self>) -> Result<Loan> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(session) = idle else { break };
            if !session.is_closed() {
                return Ok(Loan { session: Some(session), pool: self.clone() });
            }
        }
        Ok(Loan { session: Some(connect(&self.config).await?), pool: self.clone() })
    }
}

impl Loan {
    /// Puts the connection back. Call it only when no transaction is open.
    pub(super) fn give_back(mut self) {
        let Some(session) = self.session.take() else { return };
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !session.is_closed() && idle.len() < IDLE_MAX {
            idle.push(session);
        }
    }

    /// Closes the connection at once, in the middle of whatever it does. Just dropped, it would first read all that
    /// the server still has to say, which may be a table.
    pub(super) fn cut(self) {
        self.task.abort();
    }

    /// Another connection to the same store.
    pub(super) async fn another(&self) -> Result<Self> {
        self.pool.get().await
    }

    /// The store's settings, for errors.
    pub(super) fn config(&self) -> &Config {
        &self.pool.config
    }

    /// Runs statements without results.
    pub(super) async fn run(&self, act: &str, sql: &str) -> Result<()> {
        self.batch_execute(sql).await.map_err(|e| self.config().fail(act, &e))
    }
}

/// Opens a connection and sets it up.
pub(super) async fn connect(config: &Config) -> Result<Session> {
    let (client, connection) =
        config.driver.connect(tls::connector(config)?).await.map_err(|e| config.fail("connect", &e))?;
    // The task ends with the connection: the driver closes it when its client is dropped.
    let task = tokio::spawn(connection).abort_handle();
    let answer = client.simple_query(SESSION).await.map_err(|e| config.fail("set up the session", &e))?;
    let row = answer.iter().find_map(|m| match m {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let row = row.ok_or_else(|| config.broken("set up the session"))?;
    let path = row.get(0).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let version = row.get(1).and_then(|v| v.parse().ok()).unwrap_or_default();
    Ok(Session { client, task, path, version })
}
