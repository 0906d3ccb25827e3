//! Deleting single rows by their rowids, and asking of each beforehand whether it is what was meant: since the look at a
//! row somebody may have deleted it, and its rowid may be another's.

use std::sync::Arc;

use super::connection::quote;
use super::failure::failed;
use super::raw::Raw;
use super::scan::Scan;
use crate::store::{Meant, not_meant};
use crate::{Bounds, ReadRequest, Result, Table};

/// Rows asked for and deleted by one statement.
const ROWS: usize = 500;

/// Rows of a table that shall go.
pub(super) struct Erasing {
    /// The table as the positions were read with it.
    pub(super) table: Arc<Table>,
    /// Its name as the database has it.
    pub(super) name: String,
    /// What its rowid is called.
    pub(super) rowid: String,
    /// The rowids.
    pub(super) positions: Vec<u64>,
}

impl Erasing {
    /// Deletes them in the transaction that is open, in which nobody else can write. Gives how many there were.
    pub(super) fn run(&self, raw: &mut Raw<'_>, store: &str, meant: &Meant) -> Result<u64> {
        let failed = |code| failed(store, &format!("delete rows of {}", self.name), code);
        let request = ReadRequest::all(Arc::clone(&self.table), Bounds::Whole);
        let mut deleted = 0;
        for some in self.positions.chunks(ROWS) {
            let rowids: Vec<String> = some.iter().map(|p| (*p as i64).to_string()).collect();
            let list = rowids.join(", ");
            let condition = format!("t.{} IN ({list})", self.rowid);
            let scan = Scan::filtered(request.clone(), &self.name, Some(&self.rowid), &condition);
            if !meant(&scan.now(raw).map_err(failed)?) {
                return Err(not_meant(store, &self.table.name));
            }
            let sql = format!("DELETE FROM {} WHERE {} IN ({list})", quote(&self.name), self.rowid);
            raw.run(&sql, &[]).map_err(failed)?;
            deleted += raw.changes();
        }
        Ok(deleted)
    }
}
