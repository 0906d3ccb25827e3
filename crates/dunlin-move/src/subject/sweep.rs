//! The search for everything of one customer: in sources, targets and quarantine, parents before children.
//!
//! Every table is read whole: what is nowhere named by its key cannot be asked for by it. Rows that are found tell by what
//! values other tables name them, so the search goes on into those. Not here: what is done with what is found.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use dunlin_connect::canon::{RowHash, hash_raw, hash_rows};
use dunlin_connect::{Bounds, ConnectError, array_to_text};
use dunlin_gate::ColumnInfo;
use dunlin_store::{FragmentRef, Mark};
use futures::StreamExt;

use super::links::{Links, TableLinks};
use super::marks::{Book, Known};
use super::stage::{LinkTexts, known_fields, known_raw};
use super::values::one_row;
use crate::address::mapped_columns;
use crate::batch::{Lead, body, fate, lead, marker_of};
use crate::quarantine::{Form, QuarantinedRow, unpack_fields};
use crate::remap::{engine, target_batch};
use crate::run::{Event, Run};
use crate::spec::TableSpec;
use crate::{MoveError, Result};

/// A row of a target. Customer data: no `Debug`.
pub(crate) struct TargetRow {
    /// Its address.
    pub(crate) position: u64,
    /// Its hash in target space.
    pub(crate) hash: RowHash,
    /// Its mapped columns.
    pub(crate) row: RecordBatch,
    /// All its columns.
    pub(crate) whole: RecordBatch,
    /// What is known of it.
    pub(crate) known: Vec<Known>,
}

/// A row of a source.
pub(crate) struct SourceRow {
    /// Its hash in source space.
    pub(crate) hash: RowHash,
    /// What it hashes to in the target, where it would move.
    pub(crate) expected: Option<RowHash>,
}

/// A row of a source with its place.
pub(crate) struct Addressed {
    /// Its address.
    pub(crate) position: u64,
    /// Its hash in source space.
    pub(crate) hash: RowHash,
    /// All its columns; empty where it cannot be read.
    pub(crate) row: RecordBatch,
}

/// What the values of a waiting row are called, where the plan of today does not say.
pub(crate) struct Named {
    /// The store that the row came from.
    pub(crate) store: String,
    /// The columns of its fields.
    pub(crate) columns: Vec<ColumnInfo>,
}

/// A row in a quarantine fragment.
pub(crate) struct WaitingRow {
    pub(crate) run: String,
    pub(crate) table: String,
    pub(crate) fragment: String,
    pub(crate) number: u32,
    pub(crate) row: QuarantinedRow,
    /// For a row of a table that the plan does not have: by the plan of the run that set it aside.
    pub(crate) left: Option<Arc<Named>>,
}

/// Everything of one customer, by table.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) target: BTreeMap<String, Vec<TargetRow>>,
    pub(crate) source: BTreeMap<String, Vec<SourceRow>>,
    pub(crate) quarantine: Vec<WaitingRow>,
    /// The customer's addresses, as the subject's rows have them.
    pub(crate) addresses: BTreeSet<String>,
}

impl Found {
    /// How many rows, by place: `target:STORE`, `source:STORE`, `quarantine`.
    pub(crate) fn places(&self, run: &Run<'_>) -> BTreeMap<String, u64> {
        let mut places = BTreeMap::new();
        for spec in &run.resolved.specs {
            let target = self.target.get(&spec.label).map_or(0, Vec::len) as u64;
            let source = self.source.get(&spec.label).map_or(0, Vec::len) as u64;
            *places.entry(format!("target:{}", spec.plan.to.store)).or_default() += target;
            *places.entry(format!("source:{}", spec.plan.from.store)).or_default() += source;
        }
        places.insert("quarantine".to_owned(), self.quarantine.len() as u64);
        places
    }

    /// What each source row is in the target.
    pub(crate) fn expected(&self) -> HashMap<RowHash, RowHash> {
        self.source.values().flatten().filter_map(|r| Some((r.hash, r.expected?))).collect()
    }
}

/// A search under way.
pub(crate) struct Sweep<'a> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) links: &'a Links,
    /// What is looked for; grows with what is found.
    pub(crate) book: Book,
    /// The marks that what was found has added.
    pub(crate) marks: Vec<Mark>,
    /// Whether quarantined rows that nobody can read any more are an error, not a gap: for whoever proves something.
    pub(crate) complete: bool,
    /// The customer's addresses, as far as rows have told them.
    addresses: BTreeSet<String>,
}

impl<'a> Sweep<'a> {
    /// A search for what these marks know.
    pub(crate) fn new(run: &'a Run<'a>, links: &'a Links, marks: &[Mark]) -> Result<Self> {
        let book = Book::new(run.workspace.keys(), marks)?;
        Ok(Self { run, links, book, marks: Vec::new(), complete: true, addresses: BTreeSet::new() })
    }

    /// Searches everything.
    pub(crate) async fn all(&mut self) -> Result<Found> {
        let mut found = self.targets(true).await?;
        found.quarantine = self.quarantine(&found).await?;
        Ok(found)
    }

    /// Searches the targets, and where `sources` the sources too.
    pub(crate) async fn targets(&mut self, sources: bool) -> Result<Found> {
        let run = self.run;
        // Where tables refer to each other in a circle, what a later one tells may concern an earlier one.
        let rounds = if self.links.cyclic { 3 } else { 1 };
        let mut found = Found::default();
        for _ in 0..rounds {
            let before = self.marks.len();
            for spec in run.resolved.specs.iter().filter(|s| self.links.tables.contains_key(&s.label)) {
                run.observer.event(Event::Step { table: Some(&spec.label), step: "look for the customer" });
                run.options.pause.check()?;
                if sources {
                    found.source.insert(spec.label.clone(), self.source(spec).await?);
                }
                found.target.insert(spec.label.clone(), self.target(spec).await?);
            }
            if self.marks.len() == before {
                break;
            }
        }
        found.addresses.clone_from(&self.addresses);
        Ok(found)
    }

    fn table(&self, spec: &TableSpec) -> Result<&'a TableLinks> {
        self.links.tables.get(&spec.label).ok_or_else(|| engine("find a customer's rows"))
    }

    /// Notes the address in a row of the subject's table, given as its mapped columns.
    fn note_address(&mut self, spec: &TableSpec, row: &RecordBatch) {
        let Some(place) = self.links.email.filter(|_| spec.label == self.links.root) else { return };
        let text = array_to_text(row.column(place), &spec.mapping.columns[place].load_type);
        self.addresses.extend(text.into_iter().flatten());
    }

    fn learn(&mut self, marks: Vec<Mark>) {
        for mark in marks {
            if self.book.add(&mark) {
                self.marks.push(mark);
            }
        }
    }

    async fn target(&mut self, spec: &Arc<TableSpec>) -> Result<Vec<TargetRow>> {
        let links = self.table(spec)?;
        let store = self.run.target(spec)?;
        if !is_there(store.table(&spec.target.name).await)? {
            return Ok(Vec::new());
        }
        let mut stream = store.reader().await?.read_addressed(Arc::clone(&spec.target)).await?;
        let mut found = Vec::new();
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            if self.complete && !batch.bad.is_empty() {
                return Err(MoveError::Broken {
                    message: format!(
                        "{} in {} hold values that cannot be read here, and nobody can tell whose they are",
                        crate::error::rows(batch.bad.len() as u64),
                        spec.target.name
                    ),
                    help: "mend those values in the target (`NaN`, dates beyond the year 294246, texts in columns \
                           of numbers), then try again"
                        .to_owned(),
                });
            }
            let rows = mapped_columns(spec, &batch.rows)?;
            let texts = LinkTexts::of(links, None, Some(&rows));
            for row in 0..rows.num_rows() {
                let known = texts.known(&self.book, links, row);
                if known.is_empty() {
                    continue;
                }
                self.learn(texts.offered(&self.book, links, row, &known));
                let one = one_row(&rows, row);
                self.note_address(spec, &one);
                let one = RecordBatch::try_new(spec.mapping.target_schema.clone(), one.columns().to_vec());
                let one = one.map_err(|_| engine("read a customer's row"))?;
                let hash = hash_rows(&self.run.key, &one)[0];
                let whole = one_row(&batch.rows, row);
                found.push(TargetRow { position: batch.positions[row], hash, row: one, whole, known });
            }
        }
        Ok(found)
    }

    async fn source(&mut self, spec: &Arc<TableSpec>) -> Result<Vec<SourceRow>> {
        let links = self.table(spec)?;
        let run = self.run;
        let store = run.source(spec)?;
        if !is_there(store.table(&spec.source.name).await)? {
            return Ok(Vec::new());
        }
        let reader = store.reader().await?;
        let mut pipeline = run.pipeline(spec, &reader).await?;
        // The search must see the rows as they are, not as the customer wants them.
        pipeline.subjects = None;
        let bounds = reader.splits(&spec.source, 250_000, &[]).await?;
        let splits: Vec<(u32, Bounds)> = bounds.into_iter().enumerate().map(|(i, b)| (i as u32, b)).collect();
        let mut found = Vec::new();
        let reads = spec.read.len();
        pipeline
            .for_each(&splits, |batch| {
                if marker_of(batch).is_some() {
                    return Ok(());
                }
                let lead = Lead::of(batch);
                let source = body(batch, 0, reads);
                let target = body(batch, reads, batch.num_columns() - lead::COUNT);
                let texts = LinkTexts::of(links, Some(&source), Some(&target));
                for row in 0..batch.num_rows() {
                    let mut known = texts.known(&self.book, links, row);
                    if let Some(raw) = lead.raw(row) {
                        known.extend(known_raw(&self.book, links, &unpack_fields(raw)));
                    }
                    if known.is_empty() {
                        continue;
                    }
                    self.learn(texts.offered(&self.book, links, row, &known));
                    let alive = lead.fates[row] == fate::ALIVE;
                    let one = one_row(&target, row);
                    self.note_address(spec, &one);
                    let one =
                        RecordBatch::try_new(spec.mapping.target_schema.clone(), one.columns().to_vec());
                    let one = one.map_err(|_| engine("map a customer's row"))?;
                    let expected = alive.then(|| hash_rows(&run.key, &one)[0]);
                    found.push(SourceRow { hash: lead.hashes[row], expected });
                }
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// The customer's source rows by their addresses, with all columns; and how many were not met again.
    pub(crate) async fn addressed(
        &self,
        spec: &Arc<TableSpec>,
        rows: &[SourceRow],
    ) -> Result<(Vec<Addressed>, u64)> {
        let mut wanted: HashMap<RowHash, u64> = HashMap::new();
        rows.iter().for_each(|r| *wanted.entry(r.hash).or_default() += 1);
        let mut found = Vec::new();
        if wanted.is_empty() {
            return Ok((found, 0));
        }
        let indices: Vec<usize> = spec.read.iter().map(|c| c.index).collect();
        let mut take = |hash: &RowHash| match wanted.get_mut(hash) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        };
        let reader = self.run.source(spec)?.reader().await?;
        let mut stream = reader.read_addressed(Arc::clone(&spec.source)).await?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let read = batch.rows.project(&indices).map_err(|_| engine("read a customer's row"))?;
            for (row, hash) in hash_rows(&self.run.key, &read).iter().enumerate() {
                if take(hash) {
                    let (position, row) = (batch.positions[row], one_row(&batch.rows, row));
                    found.push(Addressed { position, hash: *hash, row });
                }
            }
            for bad in batch.bad {
                let fields = super::meant::read_fields(spec, &indices, bad.fields);
                let hash = hash_raw(&self.run.key, &fields);
                if take(&hash) {
                    let row = RecordBatch::new_empty(batch.rows.schema());
                    found.push(Addressed { position: bad.position, hash, row });
                }
            }
        }
        Ok((found, wanted.values().sum()))
    }

    /// The customer's rows in quarantine, of every run.
    pub(crate) async fn quarantine(&self, found: &Found) -> Result<Vec<WaitingRow>> {
        let fragments = self.run.workspace.fragments();
        let (mut rows, mut left) = (Vec::new(), Vec::new());
        for folder in folders(&self.run.workspace.state_dir.join("quarantine"))? {
            for at in fragments.list(&folder)? {
                let Some(spec) = self.run.resolved.specs.iter().find(|s| s.label == at.table) else {
                    left.push(at);
                    continue;
                };
                let Some(links) = self.links.tables.get(&spec.label) else { continue };
                let sources = found.source.get(&spec.label).map(Vec::as_slice);
                rows.extend(rows_of(self.run, &self.book, spec, links, &at, sources)?);
            }
        }
        if !left.is_empty() {
            match super::left::waiting(self, left).await {
                Ok(found) => rows.extend(found),
                Err(MoveError::Broken { .. }) if !self.complete => {}
                Err(error) => return Err(error),
            }
        }
        Ok(rows)
    }
}

/// The customer's rows in one fragment: those that were read from one of these source rows, and those that the book knows.
pub(crate) fn rows_of(
    run: &Run<'_>,
    book: &Book,
    spec: &TableSpec,
    links: &TableLinks,
    at: &FragmentRef,
    sources: Option<&[SourceRow]>,
) -> Result<Vec<WaitingRow>> {
    let mut rows = Vec::new();
    let payloads = run.workspace.fragments().open(&at.run, &at.table, &at.name)?;
    for (number, payload) in payloads.enumerate() {
        let Some(row) = QuarantinedRow::unpack(&payload?) else { continue };
        if row.reason == super::quarantine::BLANK {
            continue;
        }
        let read = sources.is_some_and(|s| s.iter().any(|s| s.hash == row.source));
        if read || knows(book, spec, links, &row)? {
            let (run, table, fragment) = (at.run.clone(), at.table.clone(), at.name.clone());
            rows.push(WaitingRow { run, table, fragment, number: number as u32, row, left: None });
        }
    }
    Ok(rows)
}

fn knows(book: &Book, spec: &TableSpec, links: &TableLinks, row: &QuarantinedRow) -> Result<bool> {
    Ok(match row.form {
        Form::Source => !known_fields(book, &links.belongs, &row.fields).is_empty(),
        Form::Raw => !known_raw(book, links, &row.raw_fields()).is_empty(),
        // Not all of it is a value of Arrow's; its columns are those of the source, under their own names.
        Form::Target if row.wire.is_some() => !known_fields(book, &links.belongs, &row.fields).is_empty(),
        Form::Target => {
            let batch = target_batch(spec, &[row.fields.as_slice()])?;
            !LinkTexts::of(links, None, Some(&batch)).known(book, links, 0).is_empty()
        }
    })
}

/// Whether a table was found. A database file that is not there yet holds none.
fn is_there(found: dunlin_connect::Result<Option<dunlin_connect::Table>>) -> Result<bool> {
    match found {
        Ok(found) => Ok(found.is_some()),
        Err(ConnectError::Missing { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The names of the folders in a folder; none where it is not there.
pub(crate) fn folders(folder: &std::path::Path) -> Result<Vec<String>> {
    let listed = match std::fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(MoveError::file(folder, &e)),
    };
    let mut names = Vec::new();
    for entry in listed {
        let entry = entry.map_err(|e| MoveError::file(folder, &e))?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
