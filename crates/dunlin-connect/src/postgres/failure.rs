//! From the driver's error to ours. The server's own text is read for codes and names and goes no further.

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use super::config::Config;
use crate::{ConnectError, Reason};

impl Config {
    /// What an error of the server means, while doing `act`.
    pub(super) fn fail(&self, act: &str, error: &Error) -> ConnectError {
        self.fail_granting(act, "GRANT the missing privilege to this user", error)
    }

    /// As [`Config::fail`], with the statement that would give the missing privilege.
    pub(super) fn fail_granting(&self, act: &str, grant: &str, error: &Error) -> ConnectError {
        let store = self.store.clone();
        let Some(db) = error.as_db_error() else { return self.lost(act, error) };
        let code = db.code();
        match code.code() {
            "28P01" | "28000" => ConnectError::Login { store, user: self.user.clone() },
            "3D000" => ConnectError::Missing {
                store,
                what: format!("database `{}`", self.database),
                help: format!("create it, or check the name behind {}/", self.address),
            },
            "42501" => ConnectError::Permission { store, act: act.to_owned(), grant: grant.to_owned() },
            "53100" => ConnectError::Full { store, what: act.to_owned() },
            "42P01" | "3F000" => ConnectError::Missing {
                store,
                what: format!("a table or schema needed to {act}"),
                help: "check the plan's names against the store; `dunlin check` lists them".into(),
            },
            text => ConnectError::Store {
                store,
                act: act.to_owned(),
                code: text.to_owned(),
                transient: is_transient(code),
            },
        }
    }

    fn lost(&self, act: &str, error: &Error) -> ConnectError {
        let store = self.store.clone();
        // The driver keeps the kind of its errors to itself; its fixed texts tell them apart and hold no data.
        let text = error.to_string();
        if text.starts_with("error serializing") || text.starts_with("error deserializing") {
            return self.broken(act);
        }
        let (message, help) = if text.starts_with("error performing TLS handshake") {
            (
                format!("{} and this machine found no common TLS", self.address),
                "check `sslmode` and `sslrootcert`; the server may speak no TLS, or its certificate may not \
                 come from the authority or name the host you gave",
            )
        } else if text.starts_with("authentication error") || text.starts_with("invalid configuration") {
            return ConnectError::Login { store, user: self.user.clone() };
        } else if text.starts_with("error connecting") || text.starts_with("timeout") {
            (
                format!("nobody answers at {}", self.address),
                "check host, port, firewall, and that the server runs",
            )
        } else {
            (format!("the connection to {} broke", self.address), "run again: it goes on where it stopped")
        };
        ConnectError::Unreachable { store, message, help: help.to_owned() }
    }

    /// An answer that makes no sense: a broken stream, a missing row.
    pub(super) fn broken(&self, act: &str) -> ConnectError {
        ConnectError::Store {
            store: self.store.clone(),
            act: act.to_owned(),
            code: "protocol".into(),
            transient: false,
        }
    }
}

/// Whether the same statement may succeed later.
fn is_transient(code: &SqlState) -> bool {
    let text = code.code();
    matches!(text, "40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" | "57014")
        || text.starts_with("08")
        || text.starts_with("53")
        || text.starts_with("58")
}

/// Why the server would not take a row, or `None` when the error is not about a row.
pub(super) fn row_reason(error: &DbError) -> Option<Reason> {
    let code = error.code().code();
    Some(match code {
        "23502" => Reason::NotNull,
        "23505" | "23P01" => Reason::Unique,
        "23503" | "23001" => Reason::ForeignKey,
        "23514" | "44000" => Reason::Check,
        "22021" | "22P05" => Reason::NulByte,
        "22001" | "22026" => Reason::WouldChange,
        "22003" | "22008" | "22007" | "22015" | "22009" => Reason::OutOfRange,
        "22P02" | "22P03" | "22030" | "22032" | "2200N" | "2200M" => Reason::WrongType,
        _ if code.starts_with("22") || code.starts_with("23") => Reason::Refused,
        // A trigger or a function of the table's owner said no; 54000 is a row too large for its page or index.
        "P0001" | "P0004" | "54000" => Reason::Refused,
        _ => return None,
    })
}

/// The line of a COPY that failed, from 1, if the server's context can be understood. Only a hint.
pub(super) fn copy_line(error: &DbError) -> Option<usize> {
    let context = error.where_()?;
    let start = context.find(", line ")? + ", line ".len();
    let digits: String = context[start..].chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|line| *line > 0)
}

/// The column a COPY failed in, if the server's context names it: `COPY t, line 3, column email: …`. What follows
/// the colon is customer data and stays behind, so a name that holds a colon is given up.
pub(super) fn copy_column<'a>(error: &DbError, columns: &'a [String]) -> Option<&'a str> {
    if let Some(column) = error.column() {
        return columns.iter().find(|c| *c == column).map(String::as_str);
    }
    let context = error.where_()?;
    let rest = &context[context.find(", column ")? + ", column ".len()..];
    // Only a name that we gave ourselves is believed.
    columns
        .iter()
        .filter(|c| rest.strip_prefix(c.as_str()).is_some_and(|r| r.is_empty() || r.starts_with(':')))
        .max_by_key(|c| c.len())
        .map(String::as_str)
}
