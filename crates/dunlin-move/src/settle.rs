//! After the load: rows that stand against keys which are added now move from the target to quarantine, then the keys
//! are added.
//!
//! A row that has to leave may be the parent of others; so this goes on until nothing more stands against any key.
//! Nothing acts in the target meanwhile: a foreign key that cascades, or a trigger, would take rows with it that nobody
//! accounts for. So unique keys and indexes come first, and foreign keys and triggers when every row has its place.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use dunlin_connect::canon::{RowHash, hash_raw, hash_rows};
use dunlin_connect::{
    BadRow, Bounds, ColumnType, Committed, ForeignKey, ReadRequest, Reader, Reason, Receipt, System,
    TableName, Target, Unique, Violation,
};
use futures::StreamExt;

#[cfg(feature = "failpoints")]
use crate::MoveError;
use crate::accounting::PartReceipt;
use crate::address::{Wanted, mapped_columns};
use crate::carry::load_spec;
use crate::parts::{account, live_entries, parts_of, rows_folder};
use crate::quarantine::{Form, InWire, QuarantinedRow, rows_as_text};
use crate::rowindex::{IndexEntry, IndexWriter};
use crate::run::{Event, Run};
use crate::sets::{self, Asked};
use crate::spec::TableSpec;
use crate::{Result, definitions, recover};

/// Rows of one amendment: bounds its memory.
const AMEND_ROWS: usize = 50_000;

type Targets = BTreeMap<String, Arc<dyn Target>>;

/// Settles the keys of all tables.
pub async fn keys(run: &Run<'_>, id: &str, specs: &[Arc<TableSpec>], targets: &Targets) -> Result<()> {
    definitions::keys(run, id, specs).await?;
    let mut left = 0;
    for spec in specs {
        let target = &targets[&spec.plan.to.store];
        for unique in uniques(spec) {
            run.observer
                .event(Event::Step { table: Some(&spec.label), step: "look for rows with equal keys" });
            let there = match spec.carried {
                true => definitions::has_unique(run, spec, &unique).await?,
                false => target.try_unique(&spec.target, &unique).await?,
            };
            if there {
                continue;
            }
            loop {
                let violators = target.unique_violators(&spec.target, &unique).await?;
                let moved = move_out(run, id, spec, target, violators, Why::default()).await?;
                left += moved;
                if moved == 0 {
                    break;
                }
            }
        }
        for (set, asked) in sets::held_back(run, spec) {
            if !matches!(asked, Asked::Unique(_)) {
                continue;
            }
            loop {
                let violators = asked.violators(spec, target).await?;
                let why = Why { rule: Some(&set.name), parents: None };
                if move_out(run, id, spec, target, violators, why).await? == 0 {
                    break;
                }
                left += 1;
            }
        }
    }
    if left > 0 {
        definitions::keys(run, id, specs).await?;
    }
    loop {
        let mut moved = 0;
        for spec in specs {
            let target = &targets[&spec.plan.to.store];
            for key in checked_keys(run, id, specs, spec).await? {
                run.observer.event(Event::Step {
                    table: Some(&spec.label),
                    step: "look for references that lead nowhere",
                });
                let parents = quarantined_parents(run, id, specs, spec, &key).await?;
                let violation = target.foreign_key_violators(&spec.target, &key).await?;
                let why = Why { rule: None, parents: Some((&key, &parents)) };
                moved += move_out(run, id, spec, target, violation, why).await?;
            }
            for (set, asked) in sets::held_back(run, spec) {
                let Asked::Refers(key) = &asked else { continue };
                let parents = quarantined_parents(run, id, specs, spec, key).await?;
                let why = Why { rule: Some(&set.name), parents: Some((key, &parents)) };
                let violation = asked.violators(spec, target).await?;
                moved += move_out(run, id, spec, target, violation, why).await?;
            }
        }
        if moved == 0 {
            break;
        }
    }
    definitions::after(run, id, specs).await?;
    fail::fail_point!("move::complete.before", |_| Err(MoveError::failpoint("move::complete.before")));
    for spec in specs {
        run.observer.event(Event::Step { table: Some(&spec.label), step: "add keys and indexes" });
        targets[&spec.plan.to.store].complete(&made(spec)).await?;
    }
    for spec in specs {
        targets[&spec.plan.to.store].connect_keys(&made(spec)).await?;
    }
    Ok(())
}

/// A table that was there keeps its own keys and indexes; only its counters may have to move on.
fn made(spec: &TableSpec) -> dunlin_connect::Table {
    spec.target.as_ref().clone()
}

fn uniques(spec: &TableSpec) -> Vec<Unique> {
    if !spec.created {
        return Vec::new();
    }
    let primary = (!spec.target.primary_key.is_empty())
        .then(|| Unique { name: None, columns: spec.target.primary_key.clone() });
    let indexes = spec.target.indexes.iter().filter(|i| i.unique && !i.columns.is_empty());
    let indexes = indexes.map(|i| Unique { name: Some(i.name.clone()), columns: i.columns.clone() });
    primary.into_iter().chain(spec.target.uniques.iter().cloned()).chain(indexes).collect()
}

/// The foreign keys nobody has checked while loading. One that is NOT VALID stays so, and its rows stay.
async fn checked_keys(
    run: &Run<'_>,
    id: &str,
    specs: &[Arc<TableSpec>],
    spec: &TableSpec,
) -> Result<Vec<ForeignKey>> {
    // Only a PostgreSQL server looks at the rows itself, when it takes a key over and ever after. A key that stands
    // aside, because of a cycle or of a parent that could not be loaded, is not there.
    let there = match run.target(spec)?.system() {
        System::Postgres => run.target(spec)?.table(&spec.target.name).await?,
        _ => None,
    };
    let there = there.map(|t| t.foreign_keys).unwrap_or_default();
    let taken = |k: &ForeignKey| there.iter().any(|t| t.columns == k.columns && t.parent == k.parent);
    let mut open = Vec::new();
    for key in spec.target.foreign_keys.iter().filter(|k| k.validated && !taken(k)) {
        // The source holds this very key: rows of one moment stand against it only where rows of the parent are missing.
        let held = spec.carried && run.one_moment && parent_is_whole(run, id, specs, spec, key).await?;
        if !held {
            open.push(key.clone());
        }
    }
    Ok(open)
}

/// Whether every row that was read of a key's parent is in the target.
async fn parent_is_whole(
    run: &Run<'_>,
    id: &str,
    specs: &[Arc<TableSpec>],
    child: &TableSpec,
    key: &ForeignKey,
) -> Result<bool> {
    let Some(parent) = parent_of(specs, child, key).filter(|p| p.carried) else { return Ok(false) };
    let account = account(&parts_of(run.workspace.state(), id, &parent.label).await?);
    Ok(account.dispositions.loaded.rows == account.source.rows)
}

fn parent_of<'a>(
    specs: &'a [Arc<TableSpec>],
    child: &TableSpec,
    key: &ForeignKey,
) -> Option<&'a Arc<TableSpec>> {
    specs.iter().find(|s| s.plan.to.store == child.plan.to.store && is_parent(&s.target.name, &key.parent))
}

/// Whether a foreign key means this table; a name without a schema is any schema's.
pub(crate) fn is_parent(table: &TableName, named: &TableName) -> bool {
    let elsewhere = matches!((&table.schema, &named.schema), (Some(a), Some(b)) if a != b);
    table.name == named.name && !elsewhere
}

/// The key values (as text) of parent rows that wait in quarantine, where they can be told.
async fn quarantined_parents(
    run: &Run<'_>,
    id: &str,
    specs: &[Arc<TableSpec>],
    child: &TableSpec,
    key: &ForeignKey,
) -> Result<HashSet<Vec<Option<String>>>> {
    let mut found = HashSet::new();
    let Some(parent) = parent_of(specs, child, key) else { return Ok(found) };
    let mapped: Vec<_> = key
        .parent_columns
        .iter()
        .filter_map(|c| parent.mapping.columns.iter().position(|m| m.target == *c))
        .collect();
    if mapped.len() != key.parent_columns.len() {
        return Ok(found);
    }
    for part in parts_of(run.workspace.state(), id, &parent.label).await? {
        let Some(fragment) = &part.receipt.fragment else { continue };
        for payload in run.workspace.fragments().open(&part.origin, &parent.label, &fragment.name)? {
            let Some(row) = QuarantinedRow::unpack(&payload?) else { continue };
            let field = |place: &usize| match row.form {
                Form::Target => row.fields.get(*place).cloned(),
                Form::Source => {
                    parent.mapping.columns[*place].from.and_then(|from| row.fields.get(from).cloned())
                }
                Form::Raw => {
                    let from = parent.mapping.columns[*place].from;
                    from.and_then(|from| row.raw_fields().get(from).cloned().flatten())
                        .map(|bytes| Some(String::from_utf8_lossy(&bytes).into_owned()))
                }
            };
            found.extend(mapped.iter().map(field).collect::<Option<Vec<_>>>());
        }
    }
    Ok(found)
}

type Parents<'a> = (&'a ForeignKey, &'a HashSet<Vec<Option<String>>>);

/// Why rows leave, besides what the target says.
#[derive(Clone, Copy, Default)]
struct Why<'a> {
    /// The plan's rule that they stand against; else it is a key of the target.
    rule: Option<&'a str>,
    /// The key that leads to their parents, and which of these wait in quarantine.
    parents: Option<Parents<'a>>,
}

impl Why<'_> {
    /// The reason's code.
    fn code(&self, spec: &TableSpec, fields: &[Option<String>], otherwise: Reason) -> String {
        match (self.parents, self.rule) {
            (Some((key, quarantined)), _) if refers(spec, key, fields, quarantined) => {
                Reason::ParentQuarantined.code().to_owned()
            }
            (_, Some(rule)) => format!("rule:{rule}"),
            (_, None) => otherwise.code().to_owned(),
        }
    }
}

/// A row on its way out.
struct Leaving {
    position: u64,
    hash: RowHash,
    fields: Vec<Option<String>>,
    /// Its bytes, where its text does not say everything.
    wire: Option<Vec<u8>>,
    reason: String,
    column: Option<String>,
}

/// Moves rows from target to quarantine: of the first that are ours at most [`AMEND_ROWS`] and a batch; returns how many.
async fn move_out(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    target: &Arc<dyn Target>,
    mut violation: Violation,
    why: Why<'_>,
) -> Result<u64> {
    let constraint = violation.constraint.clone();
    // It is asked once more after its end.
    violation.rows = Box::pin(violation.rows.fuse());
    // What is not ours was in the target before dunlin came, or others wrote it: not ours to move, however many they are.
    let ours = loop {
        let leaving = leaving(run, spec, &mut violation, why).await?;
        if leaving.is_empty() {
            return Ok(0);
        }
        let ours = loaded(run, id, spec, leaving).await?;
        if !ours.is_empty() {
            break ours;
        }
    };
    // The query that found them is over before they go.
    drop(violation);
    let moved = ours.len() as u64;
    amend(run, id, spec, target, ours, &constraint).await?;
    Ok(moved)
}

/// Those of some rows of the target that dunlin has loaded, with their entries.
async fn loaded(
    run: &Run<'_>,
    id: &str,
    spec: &TableSpec,
    rows: Vec<Leaving>,
) -> Result<Vec<(Leaving, IndexEntry)>> {
    let mut wanted = Wanted::new();
    rows.into_iter().for_each(|row| wanted.add(row.hash.short(), row));
    let parts = parts_of(run.workspace.state(), id, &spec.label).await?;
    let mut ours: Vec<(Leaving, IndexEntry)> = Vec::new();
    live_entries(&run.workspace.state_dir, &spec.label, &parts, |_, entry| {
        if let Some(row) = wanted.take(&entry.row) {
            ours.push((row, entry));
        }
    })?;
    Ok(ours)
}

/// How many rows that stand against a rule dunlin has loaded, and are as it loaded them.
pub(crate) async fn ours(run: &Run<'_>, id: &str, spec: &TableSpec, mut violation: Violation) -> Result<u64> {
    let mut ours = 0;
    violation.rows = Box::pin(violation.rows.fuse());
    loop {
        let some = leaving(run, spec, &mut violation, Why::default()).await?;
        if some.is_empty() {
            return Ok(ours);
        }
        ours += loaded(run, id, spec, some).await?.len() as u64;
    }
}

/// The next rows of those that stand against a key or a rule: at most [`AMEND_ROWS`] and a batch.
async fn leaving(
    run: &Run<'_>,
    spec: &TableSpec,
    violation: &mut Violation,
    why: Why<'_>,
) -> Result<Vec<Leaving>> {
    let types: Vec<ColumnType> = spec.mapping.columns.iter().map(|m| m.load_type.clone()).collect();
    let column = match violation.columns.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    let otherwise = violation.reason;
    let mut out = Vec::new();
    // Only few tables have rows that need it.
    let mut reader: Option<Arc<dyn Reader>> = None;
    while let Some(batch) = violation.rows.next().await {
        let batch = batch?;
        let rows = mapped_columns(spec, &batch.rows)?;
        let hashes = hash_rows(&run.key, &rows);
        let all: Vec<usize> = (0..rows.num_rows()).collect();
        for (row, fields) in rows_as_text(&rows, &types, &all).into_iter().enumerate() {
            let reason = why.code(spec, &fields, otherwise);
            let (position, hash, column) = (batch.positions[row], hashes[row], column.clone());
            out.push(Leaving { position, hash, fields, wire: None, reason, column });
        }
        for bad in &batch.bad {
            let reader = match &mut reader {
                Some(reader) => &*reader,
                none => &*none.insert(run.target(spec)?.reader().await?),
            };
            let Some(mut row) = beyond_arrow(run, spec, reader.as_ref(), bad)? else { continue };
            row.reason = why.code(spec, &row.fields, otherwise);
            row.column.clone_from(&column);
            out.push(row);
        }
        if out.len() >= AMEND_ROWS {
            break;
        }
    }
    Ok(out)
}

/// A row of the target that Arrow cannot hold, which only the short way has loaded: with its text and its bytes.
fn beyond_arrow(
    run: &Run<'_>,
    spec: &TableSpec,
    reader: &dyn Reader,
    row: &BadRow,
) -> Result<Option<Leaving>> {
    let raw: Option<Vec<Option<Vec<u8>>>> =
        spec.mapping.columns.iter().map(|c| row.fields.get(c.target_index).cloned()).collect();
    let Some((wire, raw)) = raw.and_then(|raw| Some((reader.rewire(&raw)?, raw))) else { return Ok(None) };
    let (table, columns) = (Arc::clone(&spec.target), spec.read_back());
    let request = ReadRequest { table, columns, bounds: Bounds::Whole, batch_rows: 1 };
    if reader.wire(&request).is_none() {
        return Ok(None);
    }
    // The short way hashes such a row by its bytes.
    let (hash, fields) = (hash_raw(&run.key, &raw), reader.unwire(&request, &wire)?.fields);
    let (position, reason) = (row.position, row.reason.code().to_owned());
    Ok(Some(Leaving { position, hash, fields, wire: Some(wire), reason, column: None }))
}

fn refers(
    spec: &TableSpec,
    key: &ForeignKey,
    fields: &[Option<String>],
    quarantined: &HashSet<Vec<Option<String>>>,
) -> bool {
    let place = |c: &String| spec.mapping.columns.iter().position(|m| m.target == *c);
    let values: Option<Vec<Option<String>>> =
        key.columns.iter().map(|c| place(c).map(|place| fields[place].clone())).collect();
    values.is_some_and(|values| quarantined.contains(&values))
}

/// The three steps of durability for rows that leave: fragment and index, one target transaction, one state transaction.
async fn amend(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    target: &Arc<dyn Target>,
    rows: Vec<(Leaving, IndexEntry)>,
    constraint: &str,
) -> Result<()> {
    let state = run.workspace.state();
    let number =
        state.amendments(id, &spec.label).await?.iter().map(|a| a.amendment).max().map_or(1, |n| n + 1);
    let part = format!("amend-{number}");
    let mut receipt = PartReceipt::default();
    let mut fragment = run.workspace.fragments().create(id, &spec.label, &part)?;
    let folder = rows_folder(&run.workspace.state_dir, id, &spec.label);
    let mut index = IndexWriter::create(&folder.join(format!("{part}.idx")))?;
    for (leaving, entry) in &rows {
        let row = QuarantinedRow {
            split: 0,
            position: leaving.position,
            byte: None,
            reason: leaving.reason.clone(),
            column: leaving.column.clone(),
            constraint: Some(constraint.to_owned()),
            // The shape of a key says nothing about why it stands against a constraint.
            pattern: None,
            form: Form::Target,
            fields: leaving.fields.clone(),
            wire: leaving.wire.as_ref().map(|bytes| InWire::new(bytes, entry.key)),
            source: entry.source,
        };
        fragment.push(&row.pack())?;
        index.push(*entry)?;
        receipt.dispositions.quarantined.add(entry.source);
        receipt.taken.loaded.add(entry.source);
        receipt.expected_taken.add(leaving.hash);
        *receipt.reasons.entry(row.reason).or_default() += 1;
    }
    let info = fragment.finish()?;
    receipt.fragment =
        Some(crate::accounting::FileRef { name: info.name, blake3: info.blake3, rows: info.rows.into() });
    receipt.index_taken = Some(index.finish()?);
    let positions: Vec<u64> = rows.iter().map(|(leaving, _)| leaving.position).collect();
    fail::fail_point!("move::amend.before_commit", |_| Err(MoveError::failpoint(
        "move::amend.before_commit"
    )));
    let mut load = target.begin(load_spec(spec, id, &part)).await?;
    load.delete(&positions).await?;
    let body = serde_json::to_string(&receipt).unwrap_or_default();
    let (run_id, table) = (id.to_owned(), spec.label.clone());
    let committed = load.commit(&Receipt { run: run_id, table, part, body }).await?;
    debug_assert_eq!(committed, Committed::New);
    fail::fail_point!("move::amend.after_commit", |_| Err(MoveError::failpoint("move::amend.after_commit")));
    recover::record_amendment(run.workspace, &run.options.actor, id, &spec.label, number, receipt).await
}
