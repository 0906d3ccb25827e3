//! A thin, safe cover over the few SQLite calls of the hot path: prepare, bind, step, read a column. All `unsafe` of
//! this folder is here. It is not a driver: opening, pragmas and the catalog go through sqlx.

use std::ffi::{CStr, c_int};
use std::marker::PhantomData;
use std::ptr;

use libsqlite3_sys as ffi;
use sqlx::Connection;
use sqlx::sqlite::{LockedSqliteHandle, SqliteConnection};
use tokio::runtime::Handle;

/// SQLite's extended result code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) i32);

impl Code {
    /// The primary code, e.g. 19 for every kind of constraint.
    pub(super) fn primary(self) -> i32 {
        self.0 & 0xff
    }
}

/// A connection's handle, locked away from sqlx's worker. Only for blocking threads.
pub(super) struct Raw<'c> {
    locked: LockedSqliteHandle<'c>,
}

impl<'c> Raw<'c> {
    /// Takes the handle. Call it on a thread that may block.
    pub(super) fn lock(runtime: &Handle, connection: &'c mut SqliteConnection) -> Result<Self, Code> {
        let locked = runtime.block_on(async {
            // Whoever locks again before sqlx's worker has come back for the lock takes it past the worker, and leaves
            // it one more command to do. A hundred quick locks fill its queue: then each waits for the other for ever.
            // An answered ping says that the worker is back and its queue empty.
            connection.ping().await?;
            connection.lock_handle().await
        });
        let locked = locked.map_err(|_| Code(ffi::SQLITE_MISUSE))?;
        Ok(Self { locked })
    }

    fn ptr(&mut self) -> *mut ffi::sqlite3 {
        self.locked.as_raw_handle().as_ptr()
    }

    /// Prepares one statement.
    pub(super) fn prepare(&mut self, sql: &str) -> Result<Statement<'_>, Code> {
        let database = self.ptr();
        let length = c_int::try_from(sql.len()).map_err(|_| Code(ffi::SQLITE_TOOBIG))?;
        let mut statement = ptr::null_mut();
        // SAFETY: the handle is open and locked for as long as `self` lives; the text and its length belong together.
        let code = unsafe {
            ffi::sqlite3_prepare_v2(database, sql.as_ptr().cast(), length, &mut statement, ptr::null_mut())
        };
        if code != ffi::SQLITE_OK || statement.is_null() {
            return Err(extended(database, code));
        }
        // SAFETY: the statement was prepared just now.
        let columns = unsafe { ffi::sqlite3_column_count(statement) };
        Ok(Statement { statement, database, columns, life: PhantomData })
    }

    /// Runs one statement that gives no rows.
    pub(super) fn run(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<(), Code> {
        self.prepare(sql)?.run(binds)
    }

    /// The rows that the last statement inserted, changed or deleted.
    pub(super) fn changes(&mut self) -> u64 {
        // SAFETY: the handle is open and locked.
        unsafe { ffi::sqlite3_changes64(self.ptr()) }.unsigned_abs()
    }
}

fn extended(database: *mut ffi::sqlite3, code: c_int) -> Code {
    // SAFETY: the caller's handle is open and locked.
    let extended = unsafe { ffi::sqlite3_extended_errcode(database) };
    Code(if extended & 0xff == code & 0xff { extended } else { code })
}

/// A value for a statement's parameter.
#[derive(Clone, Copy)]
pub(super) enum Bind<'a> {
    Null,
    Int(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// A value as SQLite holds it, by its storage class. Text may be anything, not only UTF-8.
#[derive(Clone, Copy)]
pub(super) enum Stored<'a> {
    Null,
    Int(i64),
    Real(f64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

/// A prepared statement; finalised when dropped.
pub(super) struct Statement<'r> {
    statement: *mut ffi::sqlite3_stmt,
    database: *mut ffi::sqlite3,
    columns: c_int,
    life: PhantomData<&'r mut ()>,
}

impl Statement<'_> {
    /// Binds, runs to the end, and makes the statement ready for the next row. Nothing of `binds` is kept.
    pub(super) fn run(&mut self, binds: &[Bind<'_>]) -> Result<(), Code> {
        let bound = binds.iter().enumerate().try_for_each(|(i, bind)| self.bind(i + 1, *bind));
        let result = bound.and_then(|()| {
            while self.step()? {}
            Ok(())
        });
        // SAFETY: the statement is alive; after this it holds no pointer into `binds`.
        unsafe {
            ffi::sqlite3_reset(self.statement);
            ffi::sqlite3_clear_bindings(self.statement);
        }
        result
    }

    /// Binds integers, which need no memory of ours.
    pub(super) fn bind_ints(&mut self, values: &[i64]) -> Result<(), Code> {
        values.iter().enumerate().try_for_each(|(i, value)| self.bind(i + 1, Bind::Int(*value)))
    }

    fn bind(&mut self, index: usize, bind: Bind<'_>) -> Result<(), Code> {
        let at = index as c_int;
        let length = |bytes: usize| c_int::try_from(bytes).map_err(|_| Code(ffi::SQLITE_TOOBIG));
        // SAFETY: the statement is alive. Texts and blobs are bound without a copy (a destructor of `None` is
        // SQLITE_STATIC); `run`, the only caller that passes them, clears them before it returns.
        let code = unsafe {
            match bind {
                Bind::Null => ffi::sqlite3_bind_null(self.statement, at),
                Bind::Int(value) => ffi::sqlite3_bind_int64(self.statement, at, value),
                Bind::Real(value) => ffi::sqlite3_bind_double(self.statement, at, value),
                Bind::Text(text) => {
                    let bytes = length(text.len())?;
                    ffi::sqlite3_bind_text(self.statement, at, text.as_ptr().cast(), bytes, None)
                }
                Bind::Blob(blob) => {
                    let bytes = length(blob.len())?;
                    ffi::sqlite3_bind_blob(self.statement, at, blob.as_ptr().cast(), bytes, None)
                }
            }
        };
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(extended(self.database, code)) }
    }

    /// Goes to the next row; false at the end.
    pub(super) fn step(&mut self) -> Result<bool, Code> {
        // SAFETY: the statement is alive.
        match unsafe { ffi::sqlite3_step(self.statement) } {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            code => Err(extended(self.database, code)),
        }
    }

    /// A column of the row stepped to. It lives until the next step, which the borrow enforces.
    pub(super) fn column(&self, index: usize) -> Stored<'_> {
        let at = index as c_int;
        assert!(at < self.columns, "a statement has the columns it was prepared with");
        // SAFETY: a row was stepped to and the column exists. SQLite keeps the bytes until the next step, reset or
        // type conversion; we convert nothing but UTF-16 text, and take the length after that.
        unsafe {
            match ffi::sqlite3_column_type(self.statement, at) {
                ffi::SQLITE_INTEGER => Stored::Int(ffi::sqlite3_column_int64(self.statement, at)),
                ffi::SQLITE_FLOAT => Stored::Real(ffi::sqlite3_column_double(self.statement, at)),
                ffi::SQLITE_TEXT => {
                    let text = ffi::sqlite3_column_text(self.statement, at);
                    Stored::Text(bytes(text, ffi::sqlite3_column_bytes(self.statement, at)))
                }
                ffi::SQLITE_BLOB => {
                    let blob = ffi::sqlite3_column_blob(self.statement, at);
                    Stored::Blob(bytes(blob.cast(), ffi::sqlite3_column_bytes(self.statement, at)))
                }
                _ => Stored::Null,
            }
        }
    }

    /// An integer column; 0 where it is none.
    pub(super) fn int(&self, index: usize) -> i64 {
        match self.column(index) {
            Stored::Int(value) => value,
            _ => 0,
        }
    }

    /// SQLite's message about the last failure. It names tables, columns and constraints of the schema; callers
    /// take such names out of it and show nothing else.
    pub(super) fn message(&self) -> String {
        // SAFETY: the handle is open and locked; the message ends with NUL and is copied at once.
        let text = unsafe { ffi::sqlite3_errmsg(self.database) };
        if text.is_null() {
            return String::new();
        }
        // SAFETY: as above.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: the statement is finalised once, here.
        unsafe { ffi::sqlite3_finalize(self.statement) };
    }
}

/// # Safety
/// `start` is null or points at `length` bytes that live as long as the result is used.
unsafe fn bytes<'a>(start: *const u8, length: c_int) -> &'a [u8] {
    if start.is_null() || length <= 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(start, length as usize) }
}
