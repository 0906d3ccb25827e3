//! SQLite's result codes in this crate's words. Its messages are never passed on.

use libsqlite3_sys as ffi;

use super::raw::Code;
use crate::{ConnectError, Reason};

/// Turns a result code into an error. `act` is a phrase such as `read customers`.
pub(super) fn failed(store: &str, act: &str, code: Code) -> ConnectError {
    let (store, act) = (store.to_owned(), act.to_owned());
    match code.primary() {
        ffi::SQLITE_FULL => ConnectError::Full { store, what: act },
        ffi::SQLITE_IOERR if matches!(code.0, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE) => {
            ConnectError::Full { store, what: act }
        }
        ffi::SQLITE_READONLY | ffi::SQLITE_PERM | ffi::SQLITE_AUTH => ConnectError::Permission {
            store,
            grant: format!("chmod u+rw on the database file and u+rwx on its folder, to {act}"),
            act,
        },
        ffi::SQLITE_CANTOPEN => ConnectError::Unreachable {
            store,
            message: format!("the database file could not be opened to {act}"),
            help: "check that the path names a file, and that it and its folder may be read".into(),
        },
        ffi::SQLITE_NOTADB => ConnectError::Unsupported {
            store,
            what: "a file that is not a SQLite 3 database (or is encrypted)".into(),
            help: "check the store's path; an encrypted database must be decrypted first".into(),
        },
        ffi::SQLITE_CORRUPT => ConnectError::Store { store, act, code: "corrupt".into(), transient: false },
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => ConnectError::Store {
            store,
            act,
            code: format!("{} (another program holds the database, or an open reader does)", code.0),
            transient: true,
        },
        primary => ConnectError::Store {
            store,
            act,
            code: code.0.to_string(),
            transient: primary == ffi::SQLITE_NOMEM,
        },
    }
}

/// The result code inside an error of sqlx.
pub(super) fn code(error: &sqlx::Error) -> Code {
    match error {
        sqlx::Error::Database(error) => {
            Code(error.code().and_then(|c| c.parse().ok()).unwrap_or(ffi::SQLITE_ERROR))
        }
        sqlx::Error::Io(_) => Code(ffi::SQLITE_IOERR),
        _ => Code(ffi::SQLITE_ERROR),
    }
}

/// [`failed`] for an error of sqlx.
pub(super) fn sqlx_failed<'a>(store: &'a str, act: &'a str) -> impl Fn(sqlx::Error) -> ConnectError + 'a {
    move |error| failed(store, act, code(&error))
}

/// Why SQLite would not take one row, where the failure concerns the row and not the database.
pub(super) fn row_reason(code: Code) -> Option<Reason> {
    let reason = match code.0 {
        ffi::SQLITE_CONSTRAINT_NOTNULL => Reason::NotNull,
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            Reason::Unique
        }
        ffi::SQLITE_CONSTRAINT_CHECK => Reason::Check,
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Reason::ForeignKey,
        ffi::SQLITE_CONSTRAINT_DATATYPE => Reason::WrongType,
        _ => match code.primary() {
            ffi::SQLITE_CONSTRAINT => Reason::Refused,
            ffi::SQLITE_MISMATCH => Reason::WrongType,
            ffi::SQLITE_TOOBIG => Reason::OutOfRange,
            _ => return None,
        },
    };
    Some(reason)
}

/// The columns of `table` that a constraint message names (`UNIQUE constraint failed: t.a, t.b`). Anything else in a
/// message is not passed on: the text of a check could hold literals.
pub(super) fn named_columns(message: &str, table: &str, known: &[String]) -> Vec<String> {
    let Some((_, mut rest)) = message.split_once(" constraint failed: ") else { return Vec::new() };
    let mut found = Vec::new();
    while let Some(tail) = rest.strip_prefix(table).and_then(|r| r.strip_prefix('.')) {
        // The longest known name that fits, because a name may itself contain `, `.
        let fits = |name: &&String| {
            tail.strip_prefix(name.as_str()).is_some_and(|r| r.is_empty() || r.starts_with(", "))
        };
        let Some(name) = known.iter().filter(fits).max_by_key(|n| n.len()) else { break };
        found.push(name.clone());
        rest = tail[name.len()..].strip_prefix(", ").unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_schema_leave_a_message() {
        let known = ["a".to_owned(), "b, c".to_owned()];
        let names = |message| named_columns(message, "t", &known);
        assert_eq!(names("NOT NULL constraint failed: t.a"), ["a"]);
        assert_eq!(names("UNIQUE constraint failed: t.a, t.b, c"), ["a", "b, c"]);
        assert!(names("CHECK constraint failed: status IN ('secret')").is_empty());
        assert!(names("UNIQUE constraint failed: index 'x'").is_empty());
    }
}
