//! Searching and exporting the ledger. Whoever looks is entered in it too.
//!
//! Not here: whether they may (the server asks the policies first).

use dunlin_ledger::{Body, Entry};
use dunlin_store::{State, now_us};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::Row;

use super::{Filter, LedgerReader, Product, ocsf};
use crate::error::db;
use crate::{GuardError, Who};

/// Entries read at a time.
const BATCH: usize = 1_024;
/// Entries looked through for one page before it is given back short: a rare search must not hold a request.
const MOST_READ: u64 = 200_000;
/// The longest page.
const MOST_FOUND: usize = 500;
/// Turning pages of one search within this time is one look, in microseconds.
const LOOK_US: i64 = 15 * 60 * 1_000_000;

/// An entry that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Its index.
    pub index: u64,
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
}

/// A page, the newest entry first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// What was found.
    pub entries: Vec<Found>,
    /// Where the next page goes on: pass it as `before`. `None` at the end.
    pub before: Option<u64>,
    /// Entries of the whole ledger.
    pub size: u64,
}

/// An export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// One OCSF event a line.
    pub lines: String,
    /// Events.
    pub entries: u64,
    /// SHA-256 (hex) of the lines, as entered.
    pub sha256: String,
}

/// The auditor's view of a ledger. Cheap to clone.
#[derive(Clone)]
pub struct Auditor {
    state: State,
    reader: LedgerReader,
}

impl Auditor {
    /// Over this ledger.
    pub fn new(state: State, reader: LedgerReader) -> Auditor {
        Auditor { state, reader }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn reader(&self) -> &LedgerReader {
        &self.reader
    }

    /// Entries that fit, the newest first, older than index `before`; at most `limit`, which is at most 500.
    /// That somebody searched is entered before anything is given out, once for each search and quarter of an
    /// hour.
    pub async fn search(
        &self,
        who: &Who,
        filter: &Filter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, GuardError> {
        filter.check()?;
        let size = self.reader.size().await?;
        let start = before.unwrap_or(size).min(size);
        let (found, reached) = self.backwards(filter, start, limit.clamp(1, MOST_FOUND)).await?;
        self.looked(who, filter, found.len() as u64).await?;
        let before = (reached > 0).then_some(reached);
        Ok(Page { entries: found, before, size })
    }

    /// Everything that fits, the oldest first, as OCSF events; entered with the export's hash.
    pub async fn export_ocsf(
        &self,
        who: &Who,
        filter: &Filter,
        product: &Product,
    ) -> Result<Export, GuardError> {
        filter.check()?;
        let size = self.reader.size().await?;
        let (mut lines, mut entries, mut next) = (String::new(), 0, 0);
        while next < size {
            let batch = self.reader.entries(next, BATCH).await?;
            let Some((last, _)) = batch.last() else { break };
            next = last + 1;
            for (index, entry) in batch {
                let Some(entry) = entry.filter(|e| index < size && filter.fits(e)) else { continue };
                lines.push_str(&ocsf::event(index, &entry, product).to_string());
                lines.push('\n');
                entries += 1;
            }
        }
        let sha256 = hex::encode(Sha256::digest(lines.as_bytes()));
        let body = Body::LedgerExported { sha256: sha256.clone(), entries };
        self.state.enter(who.actor(), body).await?;
        Ok(Export { lines, entries, sha256 })
    }

    /// Walks back from `start`; says what was found and down to which index everything was looked at.
    async fn backwards(
        &self,
        filter: &Filter,
        start: u64,
        limit: usize,
    ) -> Result<(Vec<Found>, u64), GuardError> {
        let (mut found, mut end) = (Vec::new(), start);
        while end > 0 && start - end < MOST_READ {
            let from = end.saturating_sub(BATCH as u64);
            let batch = self.reader.entries(from, (end - from) as usize).await?;
            for (index, entry) in batch.into_iter().rev() {
                if let Some(entry) = entry.filter(|e| filter.fits(e)) {
                    found.push(Found { index, entry });
                    if found.len() == limit {
                        return Ok((found, index));
                    }
                }
            }
            end = from;
        }
        Ok((found, end))
    }

    /// Enters that somebody searched.
    async fn looked(&self, who: &Who, filter: &Filter, entries: u64) -> Result<(), GuardError> {
        let failed = db("noting a search of the ledger");
        let text = serde_json::to_string(filter).map_err(|_| GuardError::Internal("writing a search"))?;
        let key = hex::encode(Sha256::digest(text.as_bytes()));
        let now = now_us();
        let mut tx = self.state.begin().await?;
        let row = sqlx::query("select at from ledger_looks where reader = $1 and filter = $2")
            .bind(&who.person)
            .bind(&key)
            .fetch_optional(tx.connection())
            .await
            .map_err(&failed)?;
        let last: Option<i64> = row.map(|r| r.try_get(0)).transpose().map_err(&failed)?;
        if last.is_some_and(|at| (0..LOOK_US).contains(&(now - at))) {
            return Ok(tx.rollback().await?);
        }
        sqlx::query(
            "insert into ledger_looks (reader, filter, at) values ($1, $2, $3) \
             on conflict (reader, filter) do update set at = $3",
        )
        .bind(&who.person)
        .bind(&key)
        .bind(now)
        .execute(tx.connection())
        .await
        .map_err(&failed)?;
        // The hash is salted and the text kept: without the state the entry does not tell whom somebody suspects.
        let filter = tx.keep_text(&text).await?;
        tx.enter(Entry { at: now, actor: who.actor(), body: Body::LedgerRead { filter, entries } }).await?;
        Ok(tx.commit().await?)
    }
}
