//! Makes one file of a table's parts, and clears away what is not needed any more. Every step can be repeated after a
//! crash between any two.

use std::path::Path;
use std::sync::Arc;

use super::disk::{list, nonce, remove, remove_dir, rename, shown, sync_dir, write_json};
use super::location::Home;
use super::part::PartWriter;
use super::parts::{Entry, Join, Joins, RECEIPT, State};
use crate::{ConnectError, Result, Table};

/// Joins the parts of a table into the file that the URL names.
pub(super) fn join(store: &str, home: &Home, table: &Table, run: &str, parts: &[String]) -> Result<()> {
    let Some(state) = State::read(store, home)? else { return Ok(()) };
    for part in parts {
        if state.receipt(run, part).is_none() {
            return Err(ConnectError::Missing {
                store: store.to_owned(),
                what: format!("the receipt of part {part} of {}", table.name),
                help: "run again: it loads what is missing".into(),
            });
        }
    }
    if state.table.is_none() || (state.file.is_file() && state.receipts.is_empty()) {
        return Ok(());
    }
    if !state.is_joined() {
        write_joined(store, home, table, run, parts, &state)?;
    }
    sweep(store, home)
}

fn write_joined(
    store: &str,
    home: &Home,
    table: &Table,
    run: &str,
    parts: &[String],
    state: &State,
) -> Result<()> {
    let table = Arc::new(state.table.as_ref().map_or_else(|| table.clone(), |t| t.table.clone()));
    let staged = state.folder.join(format!("joined.tmp-{}", nonce()));
    let mut writer = PartWriter::create(store, home, &table, &staged)?;
    for entry in in_order(&state.entries, run, parts) {
        writer.copy(&entry.path, &mut || true)?;
    }
    let written = writer.finish()?;
    written.sync()?;
    let join =
        Join { blake3: written.blake3, len: written.len, through: state.through(), run: run.to_owned() };
    let record = state.folder.join("joined.json");
    let intent = Joins { done: state.joins.done.clone(), intent: Some(join.clone()) };
    write_json(store, &record, &intent)?;
    fail::fail_point!("connect::files.join.before_rename", |_| Err(super::load::injected(store)));
    rename(store, &staged, &state.file)?;
    fail::fail_point!("connect::files.join.after_rename", |_| Err(super::load::injected(store)));
    write_json(store, &record, &Joins { done: Some(join), intent: None })
}

/// What was there before, then earlier parts, then the run's parts as they are named.
fn in_order<'a>(entries: &'a [Entry], run: &str, parts: &[String]) -> Vec<&'a Entry> {
    let place = |e: &Entry| match &e.of {
        Some((r, part)) if r == run => parts.iter().position(|p| p == part).map_or(0, |at| at + 1),
        _ => 0,
    };
    let mut entries: Vec<&Entry> = entries.iter().collect();
    // A stable sort: what has no place keeps the order of the receipts.
    entries.sort_by_key(|e| (e.of.is_some(), place(e)));
    entries
}

/// Removes what a crash left: unfinished files, data that no receipt names, data that is joined.
pub(super) fn sweep(store: &str, home: &Home) -> Result<()> {
    let Some(state) = State::read(store, home)? else { return Ok(()) };
    remove_dir(store, &leaving(&state.folder))?;
    if !state.folder.is_dir() {
        return Ok(());
    }
    if state.joins.done.is_some() {
        // What was only intended may be known as done by now.
        write_json(store, &state.folder.join("joined.json"), &state.joins)?;
    }
    for path in list(store, &state.folder)? {
        let name = shown(&path);
        let kept = name == "table.json"
            || name == "joined.json"
            || name.ends_with(RECEIPT)
            || state.entries.iter().any(|e| e.path == path);
        if !kept {
            remove(store, &path)?;
        }
    }
    Ok(())
}

/// Removes a table's bookkeeping once its file holds everything.
pub(super) fn finish(store: &str, home: &Home) -> Result<()> {
    let Some(state) = State::read(store, home)? else { return Ok(()) };
    remove_dir(store, &leaving(&state.folder))?;
    if !state.folder.is_dir() {
        return Ok(());
    }
    let unjoined = !state.receipts.is_empty() && !state.is_joined();
    if unjoined || (!state.file.is_file() && state.table.as_ref().is_some_and(|t| t.created)) {
        let table = state.table.as_ref().map_or_else(|| home.name.clone(), |t| t.table.name.to_string());
        return Err(ConnectError::Store {
            store: store.to_owned(),
            act: format!("remove the bookkeeping of {table} before its parts are joined"),
            code: "NotJoined".into(),
            transient: false,
        });
    }
    discard(store, &state.folder)
}

/// Takes a parts folder away at once: a half-removed one would tell a wrong story.
pub(super) fn discard(store: &str, folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let leaving = leaving(folder);
    remove_dir(store, &leaving)?;
    rename(store, folder, &leaving)?;
    remove_dir(store, &leaving)?;
    match folder.parent() {
        Some(parent) => sync_dir(store, parent),
        None => Ok(()),
    }
}

fn leaving(folder: &Path) -> std::path::PathBuf {
    folder.with_file_name(format!(".{}.leaving", shown(folder)))
}
