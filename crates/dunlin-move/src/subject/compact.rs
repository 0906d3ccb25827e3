//! The row indexes forget erased rows. An index holds no value, only keyed hashes; but who has the workspace's key and
//! knows a customer's row could tell that it was there, so it goes too.
//!
//! An index is written anew under another name, then the state names that one, then the old one is removed: a process
//! that dies in between leaves a file that nobody names, which the next erasure removes.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use dunlin_connect::canon::RowHash;
use dunlin_store::{RunStatus, State, Workspace};

use super::links::Links;
use crate::accounting::FileRef;
use crate::parts::{StoredPart, rows_folder};
use crate::rowindex::{IndexEntry, IndexReader, IndexWriter};
use crate::run::Run;
use crate::spec::TableSpec;
use crate::{MoveError, Result};

/// Where a stored receipt lies.
enum Place {
    Split(u32),
    Amendment(u32),
}

/// A stored receipt of a table.
struct Kept {
    run: String,
    place: Place,
    part: StoredPart,
}

/// The rows that erasures have taken out of a table.
#[derive(Default)]
struct Gone {
    keys: HashSet<[u8; 16]>,
    rows: HashSet<([u8; 16], RowHash)>,
}

impl Gone {
    fn has(&self, entry: &IndexEntry) -> bool {
        self.keys.contains(&entry.key) || self.rows.contains(&(entry.row, entry.source))
    }
}

/// Takes erased rows out of the indexes of every run, table by table.
pub(crate) async fn rows(run: &Run<'_>, links: &Links) -> Result<()> {
    for spec in run.resolved.specs.iter().filter(|s| links.tables.contains_key(&s.label)) {
        table(run.workspace, spec).await?;
    }
    Ok(())
}

async fn table(workspace: &Workspace, spec: &TableSpec) -> Result<()> {
    let label = spec.label.as_str();
    let mut kept = kept(workspace.state(), label).await?;
    let mut gone = Gone::default();
    for k in &kept {
        let receipt = &k.part.receipt;
        // An amendment that did nothing but erase; one that corrected rows as well keeps its entries.
        let only = receipt.dispositions.erased.rows == receipt.expected_taken.rows;
        if let Some(taken) = receipt.index_taken.as_ref().filter(|_| only) {
            for entry in IndexReader::open(&folder(workspace, k, label), taken)? {
                let entry = entry?;
                gone.rows.insert((entry.row, entry.source));
                if !spec.key.is_empty() {
                    gone.keys.insert(entry.key);
                }
            }
        }
    }
    let done = done(workspace.state()).await?;
    if gone.rows.is_empty() {
        return sweep(workspace, label, &kept, &done);
    }
    let mut written: BTreeMap<(String, String), Option<FileRef>> = BTreeMap::new();
    let mut changed = Vec::new();
    for k in &mut kept {
        let folder = folder(workspace, k, label);
        let origin = k.part.origin.clone().unwrap_or_else(|| k.run.clone());
        let mut touched = false;
        for reference in [&mut k.part.receipt.index, &mut k.part.receipt.index_taken] {
            let Some(before) = reference.clone() else { continue };
            let file = (origin.clone(), before.name.clone());
            if !written.contains_key(&file) {
                let Some(new) = without(&folder, &before, &gone)? else { continue };
                written.insert(file.clone(), new);
            }
            if let Some(new) = written.get(&file) {
                *reference = new.clone();
                touched = true;
            }
        }
        changed.push(touched);
    }
    fail::fail_point!("move::subject.compacted", |_| Err(MoveError::failpoint("move::subject.compacted")));
    let mut tx = workspace.state().begin().await?;
    for (k, _) in kept.iter().zip(&changed).filter(|(_, touched)| **touched) {
        let value = serde_json::to_value(&k.part).unwrap_or_default();
        match k.place {
            Place::Split(split) => tx.rewrite_split(&k.run, label, split, &value).await?,
            Place::Amendment(n) => tx.rewrite_amendment(&k.run, label, n, &value).await?,
        }
    }
    let names: Vec<[u8; 16]> = gone.keys.iter().copied().collect();
    tx.forget_duplicates(label, &names).await?;
    tx.commit().await?;
    sweep(workspace, label, &kept, &done)
}

fn folder(workspace: &Workspace, kept: &Kept, label: &str) -> std::path::PathBuf {
    rows_folder(&workspace.state_dir, kept.part.origin.as_deref().unwrap_or(&kept.run), label)
}

/// Every receipt of a table that the state keeps, of every run.
async fn kept(state: &State, label: &str) -> Result<Vec<Kept>> {
    let mut all = Vec::new();
    for run in state.runs().await? {
        for split in state.splits(&run.id, label).await? {
            let part = split.receipt.and_then(|r| serde_json::from_value(r).ok());
            all.extend(part.map(|part| Kept { run: run.id.clone(), place: Place::Split(split.split), part }));
        }
        for amendment in state.amendments(&run.id, label).await? {
            let part = serde_json::from_value(amendment.receipt).ok();
            let place = Place::Amendment(amendment.amendment);
            all.extend(part.map(|part| Kept { run: run.id.clone(), place, part }));
        }
    }
    Ok(all)
}

/// An index without the rows that are gone: `None` where it has none of them, else what is named from now on, if any row
/// is left.
#[allow(clippy::option_option)]
fn without(folder: &Path, reference: &FileRef, gone: &Gone) -> Result<Option<Option<FileRef>>> {
    // A file that a run left and `finish` or a person has removed since names nobody.
    if !folder.join(&reference.name).exists() {
        return Ok(None);
    }
    let mut left = Vec::new();
    let mut some = false;
    for entry in IndexReader::open(folder, reference)? {
        let entry = entry?;
        if gone.has(&entry) {
            some = true;
        } else {
            left.push(entry);
        }
    }
    if !some {
        return Ok(None);
    }
    if left.is_empty() {
        return Ok(Some(None));
    }
    let stem = reference.name.trim_end_matches(".idx").split(".e").next().unwrap_or_default().to_owned();
    let mut writer = IndexWriter::create(&folder.join(format!("{stem}.e{}.idx", dunlin_store::new_id())))?;
    for entry in left {
        writer.push(entry)?;
    }
    Ok(Some(Some(writer.finish()?)))
}

/// The runs that came to their end: the state knows every receipt of theirs.
async fn done(state: &State) -> Result<HashSet<String>> {
    let runs = state.runs().await?.into_iter();
    Ok(runs.filter(|r| r.status == RunStatus::Done).map(|r| r.id).collect())
}

/// Removes index files of finished runs that no receipt names: the older forms of those that were written anew.
fn sweep(workspace: &Workspace, label: &str, kept: &[Kept], done: &HashSet<String>) -> Result<()> {
    let mut named: HashSet<std::path::PathBuf> = HashSet::new();
    let mut folders: HashSet<std::path::PathBuf> = HashSet::new();
    for k in kept {
        let folder = folder(workspace, k, label);
        let receipt = &k.part.receipt;
        named.extend(receipt.index.iter().chain(&receipt.index_taken).map(|r| folder.join(&r.name)));
        if done.contains(k.part.origin.as_ref().unwrap_or(&k.run)) {
            folders.insert(folder);
        }
    }
    for folder in folders {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_file() && !named.contains(&path) {
                std::fs::remove_file(&path).map_err(|e| MoveError::file(&path, &e))?;
            }
        }
    }
    Ok(())
}
