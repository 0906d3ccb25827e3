//! Rows as one long `INSERT` after the other: half a million rows in a few seconds, even in an unoptimised build,
//! because SQLite does the work. Only for text that this program makes up itself.

use std::fmt::Write as _;

use sqlx::sqlite::SqliteConnection;

use super::DemoError;

/// A statement is sent when it is about this long, in bytes.
const STATEMENT_BYTES: usize = 128 * 1024;

/// The rows of one table on their way into SQLite.
pub(super) struct Inserts<'a> {
    connection: &'a mut SqliteConnection,
    table: &'static str,
    sql: String,
    first_in_row: bool,
    /// Rows written so far.
    pub(super) rows: u64,
}

impl<'a> Inserts<'a> {
    pub(super) fn new(connection: &'a mut SqliteConnection, table: &'static str) -> Inserts<'a> {
        let sql = String::with_capacity(STATEMENT_BYTES + 4096);
        Inserts { connection, table, sql, first_in_row: true, rows: 0 }
    }

    pub(super) fn begin_row(&mut self) {
        if self.sql.is_empty() {
            self.sql.push_str("insert into ");
            self.sql.push_str(self.table);
            self.sql.push_str(" values (");
        } else {
            self.sql.push_str(",(");
        }
        self.first_in_row = true;
    }

    pub(super) async fn end_row(&mut self) -> Result<(), DemoError> {
        self.sql.push(')');
        self.rows += 1;
        if self.sql.len() >= STATEMENT_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Sends what is left.
    pub(super) async fn flush(&mut self) -> Result<(), DemoError> {
        if self.sql.is_empty() {
            return Ok(());
        }
        let sql = std::mem::replace(&mut self.sql, String::with_capacity(STATEMENT_BYTES + 4096));
        super::execute(self.connection, sql).await
    }

    fn comma(&mut self) {
        if !self.first_in_row {
            self.sql.push(',');
        }
        self.first_in_row = false;
    }

    pub(super) fn integer(&mut self, value: u64) {
        self.comma();
        // Writing to a String cannot fail.
        let _ = write!(self.sql, "{value}");
    }

    pub(super) fn null(&mut self) {
        self.comma();
        self.sql.push_str("null");
    }

    pub(super) fn text(&mut self, value: &str) {
        self.comma();
        self.sql.push('\'');
        if value.contains('\'') {
            self.sql.push_str(&value.replace('\'', "''"));
        } else {
            self.sql.push_str(value);
        }
        self.sql.push('\'');
    }

    /// The text, or NULL when it is empty.
    pub(super) fn text_or_null(&mut self, value: &str) {
        if value.is_empty() { self.null() } else { self.text(value) }
    }

    /// The text as a program of 1998 wrote it: one byte a character, which is not UTF-8 beyond ASCII.
    pub(super) fn latin1(&mut self, value: &str) {
        self.comma();
        self.sql.push_str("cast(x'");
        for byte in super::words::latin1(value) {
            let _ = write!(self.sql, "{byte:02x}");
        }
        self.sql.push_str("' as text)");
    }
}
