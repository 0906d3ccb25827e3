//! The equation: every source row in exactly one disposition, as counts and as multiset hashes.
//!
//! `source_hash` is summed where rows are read; the five dispositions are summed where rows end. A row that was lost or
//! doubled on the way between the two makes the sides differ, whatever lost it.

use std::collections::BTreeMap;
use std::ops::{AddAssign, SubAssign};

use dunlin_connect::canon::RowHash;
use dunlin_store::Folded;
use serde::{Deserialize, Serialize};

/// A number of rows and the multiset hash of these rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// How many rows.
    pub rows: u64,
    /// Their multiset hash.
    pub hash: RowHash,
}

impl Tally {
    /// Adds one row.
    pub fn add(&mut self, hash: RowHash) {
        self.rows += 1;
        self.hash += hash;
    }

    /// Whether it is of no rows.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes one row away.
    pub fn take(&mut self, hash: RowHash) {
        self.rows -= 1;
        self.hash -= hash;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.hash += other.hash;
    }
}

impl SubAssign for Tally {
    fn sub_assign(&mut self, other: Self) {
        self.rows -= other.rows;
        self.hash -= other.hash;
    }
}

/// Where a source row ended. The order is the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// It is in the target.
    Loaded,
    /// It was a duplicate and lives on in a survivor.
    Merged,
    /// It waits for a person.
    Quarantined,
    /// The plan says it does not move.
    Excluded,
    /// The customer asked that it be gone.
    Erased,
}

/// The five dispositions, in source space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dispositions {
    /// Rows that are in the target.
    pub loaded: Tally,
    /// Duplicates that live on in a survivor.
    pub merged: Tally,
    /// Rows that wait for a person.
    pub quarantined: Tally,
    /// Rows that the plan leaves behind.
    pub excluded: Tally,
    /// Rows whose customer asked that they be gone.
    pub erased: Tally,
}

impl Dispositions {
    /// The sum of all five.
    pub fn total(&self) -> Tally {
        let mut sum = self.loaded;
        sum += self.merged;
        sum += self.quarantined;
        sum += self.excluded;
        sum += self.erased;
        sum
    }

    /// The tally of one disposition.
    pub fn of(&mut self, disposition: Disposition) -> &mut Tally {
        match disposition {
            Disposition::Loaded => &mut self.loaded,
            Disposition::Merged => &mut self.merged,
            Disposition::Quarantined => &mut self.quarantined,
            Disposition::Excluded => &mut self.excluded,
            Disposition::Erased => &mut self.erased,
        }
    }
}

impl AddAssign for Dispositions {
    fn add_assign(&mut self, other: Self) {
        self.loaded += other.loaded;
        self.merged += other.merged;
        self.quarantined += other.quarantined;
        self.excluded += other.excluded;
        self.erased += other.erased;
    }
}

/// What one part of a table (a split, or an amendment) did. It is what the target keeps as the receipt's body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartReceipt {
    /// Rows as read by this part; nothing for an amendment, whose rows a split has read already.
    pub source: Tally,
    /// Where these rows ended. An amendment carries what it moved *to* a disposition here …
    pub dispositions: Dispositions,
    /// … and what it took *from* one here.
    #[serde(default)]
    pub taken: Dispositions,
    /// The loaded rows as the target will give them back.
    pub expected: Tally,
    /// What an amendment took away from `expected`.
    #[serde(default)]
    pub expected_taken: Tally,
    /// Rows by reason (`where`, `retain`, `rule:NAME`, a reason's code), for the report.
    pub reasons: BTreeMap<String, u64>,
    /// Rows by rule that were let through (`warn`) or mended (`fix`).
    pub noted: BTreeMap<String, u64>,
    /// Bytes of the loaded rows in Arrow form.
    pub bytes: u64,
    /// Time spent, in microseconds.
    pub micros: u64,
    /// The quarantine fragment that belongs to it, if any row was quarantined.
    pub fragment: Option<FileRef>,
    /// The row index that belongs to it, if any row was loaded.
    pub index: Option<FileRef>,
    /// For an amendment: the index of the rows it took out of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_taken: Option<FileRef>,
    /// For an amendment that releases or discards: the quarantined rows it settles, by fragment (`run/name`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settles: BTreeMap<String, Vec<u32>>,
    /// For an amendment that a person decided on: what was decided. It stands in the receipt so that the ledger hears of
    /// it also when the process dies after the target's commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<dunlin_store::Decision>,
    /// The hash of the crosswalks it was loaded by, where duplicates concern its rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crosswalk: Option<String>,
    /// For an amendment that follows from a decision on pairs: what changes in the run's crosswalk of this table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refolded: Option<Refolded>,
    /// Erased rows that were deleted in the source since: who reads the source again does not meet them.
    #[serde(default, skip_serializing_if = "Tally::is_empty")]
    pub gone: Tally,
    /// For a split of a table with control totals: what it added up in the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<crate::totals::PartTotals>,
    /// Rows that stood in the target before the run and had to leave, in target space …
    #[serde(default, skip_serializing_if = "Tally::is_empty")]
    pub preexisting_taken: Tally,
    /// … and what stands there instead.
    #[serde(default, skip_serializing_if = "Tally::is_empty")]
    pub preexisting_added: Tally,
}

/// What changes in the crosswalk of a table, rows by their names in hex: it stands in the receipt so that the state hears of
/// it also when the process dies after the target's commit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Refolded {
    /// The hash of the crosswalk afterwards.
    pub hash: String,
    /// Rows that fold into no other any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Rows that fold into another, or into another one than before: loser, survivor, parts in a million of how sure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<(String, String, u32)>,
}

impl Refolded {
    /// What leads from one crosswalk to another whose hash this is.
    pub(crate) fn between(before: &[Folded], after: &[Folded], hash: &str) -> Self {
        let by_loser = |folded: &[Folded]| -> BTreeMap<[u8; 16], Folded> {
            folded.iter().map(|pair| (pair.loser, *pair)).collect()
        };
        let (before, after) = (by_loser(before), by_loser(after));
        let removed = before.keys().filter(|loser| !after.contains_key(*loser)).map(hex::encode).collect();
        let other = |pair: &&Folded| before.get(&pair.loser).map(|b| b.survivor) != Some(pair.survivor);
        let parts = |p: f64| (p.clamp(0.0, 1.0) * 1e6) as u32;
        let added = after.values().filter(other);
        let added = added.map(|p| (hex::encode(p.loser), hex::encode(p.survivor), parts(p.probability)));
        Self { hash: hash.to_owned(), removed, added: added.collect() }
    }

    /// The crosswalk after it.
    pub(crate) fn applied(&self, before: Vec<Folded>) -> Vec<Folded> {
        let name = |text: &String| -> Option<[u8; 16]> { hex::decode(text).ok()?.try_into().ok() };
        let mut folded: BTreeMap<[u8; 16], Folded> = before.into_iter().map(|p| (p.loser, p)).collect();
        for loser in self.removed.iter().filter_map(name) {
            folded.remove(&loser);
        }
        for (loser, survivor, parts) in &self.added {
            if let (Some(loser), Some(survivor)) = (name(loser), name(survivor)) {
                folded.insert(loser, Folded { loser, survivor, probability: f64::from(*parts) / 1e6 });
            }
        }
        folded.into_values().collect()
    }
}

/// A file that a receipt names by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// Its name inside the run's folder.
    pub name: String,
    /// BLAKE3 of its bytes, hex.
    pub blake3: String,
    /// Rows in it.
    pub rows: u64,
}

/// The whole account of a table: all its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Account {
    /// Rows as read.
    pub source: Tally,
    /// Where they ended.
    pub dispositions: Dispositions,
    /// The loaded rows as the target will give them back.
    pub expected: Tally,
    /// Rows by reason.
    pub reasons: BTreeMap<String, u64>,
    /// Rows by rule that warned or mended.
    pub noted: BTreeMap<String, u64>,
    /// Bytes loaded.
    pub bytes: u64,
    /// Erased rows that the source does not hold any more.
    #[serde(default)]
    pub gone: Tally,
    /// What left of the rows that stood in the target before, and what came instead.
    #[serde(default)]
    pub preexisting_taken: Tally,
    /// See `preexisting_taken`.
    #[serde(default)]
    pub preexisting_added: Tally,
}

impl Account {
    /// The rows that stood in the target before, without those that a customer's request took away since.
    pub fn preexisting(&self, before: Tally) -> Tally {
        let mut left = before;
        left += self.preexisting_added;
        left -= self.preexisting_taken;
        left
    }

    /// Adds a part.
    pub fn add(&mut self, part: &PartReceipt) {
        self.source += part.source;
        self.dispositions += part.dispositions;
        let taken = part.taken;
        self.dispositions.loaded -= taken.loaded;
        self.dispositions.merged -= taken.merged;
        self.dispositions.quarantined -= taken.quarantined;
        self.dispositions.excluded -= taken.excluded;
        self.dispositions.erased -= taken.erased;
        self.expected += part.expected;
        self.expected -= part.expected_taken;
        for (reason, rows) in &part.reasons {
            *self.reasons.entry(reason.clone()).or_default() += rows;
        }
        for (rule, rows) in &part.noted {
            *self.noted.entry(rule.clone()).or_default() += rows;
        }
        self.bytes += part.bytes;
        self.gone += part.gone;
        self.preexisting_taken += part.preexisting_taken;
        self.preexisting_added += part.preexisting_added;
    }

    /// Whether the equation holds: the source's rows are the dispositions' rows, by count and by hash.
    pub fn balances(&self) -> bool {
        self.source == self.dispositions.total()
    }
}

impl<'a> FromIterator<&'a PartReceipt> for Account {
    fn from_iter<I: IntoIterator<Item = &'a PartReceipt>>(parts: I) -> Self {
        let mut account = Self::default();
        // Splits first: an amendment takes from what a split has put.
        let (splits, amendments): (Vec<_>, Vec<_>) = parts
            .into_iter()
            .partition(|p| p.taken == Dispositions::default() && p.expected_taken == Tally::default());
        for part in splits.into_iter().chain(amendments) {
            account.add(part);
        }
        account
    }
}
