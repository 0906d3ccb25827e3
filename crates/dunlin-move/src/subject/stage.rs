//! What customers have asked for, in flight: the operator between mapping and load that knows their rows by their marks.
//!
//! Rows of an erased customer end as `erased` (or go on emptied, where a law keeps them), those of one who restricted or
//! objected as `excluded`, those of one who corrected go on corrected. At each split's beginning the marks are looked at
//! anew, so a request that comes while a run is under way acts from the next split on. What the rows of a customer are
//! named by in other tables is remembered at once, so that children are known which no request has seen.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion_physical_plan::SendableRecordBatchStream;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use dunlin_connect::array_to_text;
use dunlin_plan::Plan;
use dunlin_store::{Effect, Fragments, Keyring, Mark, State, Workspace};
use futures::StreamExt;
use tokio::sync::Mutex;

use super::links::{Link, Links, TableLinks};
use super::marks::{Book, Form, Known, Outcome, outcome};
use super::values::{Correction, anonymised, corrected};
use crate::batch::{Lead, body, fate, lead, marker_of};
use crate::exec::Stage;
use crate::exec::read::{Sender, async_stream};
use crate::protect::Protector;
use crate::quarantine::unpack_fields;
use crate::spec::TableSpec;
use crate::{MoveError, Result};

/// What customers have asked for, shared by all tables of a run.
pub(crate) struct Subjects {
    state: State,
    keyring: Arc<Keyring>,
    sealed: Fragments,
    pub(crate) links: Links,
    kept: Mutex<Option<Arc<Asked>>>,
}

/// The marks as they were at some moment, and the corrections they name.
pub(crate) struct Asked {
    version: (i64, i64),
    pub(crate) book: Book,
    corrections: HashMap<String, Vec<Correction>>,
}

impl Asked {
    /// What these requests, in this order, want to stand in a row of a table.
    pub(crate) fn set(&self, requests: &[String], table: &str) -> BTreeMap<String, Option<String>> {
        let all = requests.iter().filter_map(|r| self.corrections.get(r)).flatten();
        let set = all.filter(|c| c.table == table).flat_map(|c| c.set.clone());
        set.collect()
    }
}

impl Subjects {
    /// What the plan says of customers; `None` where it says nothing.
    pub(crate) fn of(workspace: &Workspace, plan: &Plan, specs: &[Arc<TableSpec>]) -> Option<Arc<Subjects>> {
        Some(Arc::new(Subjects {
            state: workspace.state().clone(),
            keyring: workspace.keyring(),
            sealed: workspace.subjects(),
            links: Links::of(plan, specs)?,
            kept: Mutex::default(),
        }))
    }

    /// The marks as they are now.
    pub(crate) async fn asked(&self) -> Result<Arc<Asked>> {
        let mut kept = self.kept.lock().await;
        let version = self.state.marks_version().await?;
        if let Some(asked) = kept.as_ref().filter(|a| a.version == version) {
            return Ok(asked.clone());
        }
        let marks = self.state.marks().await?;
        let mut corrections = HashMap::new();
        for mark in marks.iter().filter(|m| m.effect == Effect::Correction) {
            if !corrections.contains_key(&mark.request) {
                corrections.insert(mark.request.clone(), Correction::open(&self.sealed, &mark.request)?);
            }
        }
        let asked = Arc::new(Asked { version, book: Book::new(&self.keyring, &marks)?, corrections });
        *kept = Some(asked.clone());
        Ok(asked)
    }

    /// Remembers marks that follow from rows.
    pub(crate) async fn remember(&self, marks: &[Mark]) -> Result<()> {
        if marks.is_empty() {
            return Ok(());
        }
        let mut tx = self.state.begin().await?;
        tx.insert_marks(marks).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The texts of the values that links of a table need, a column a position.
pub(crate) struct LinkTexts {
    target: BTreeMap<usize, Vec<Option<String>>>,
    source: BTreeMap<usize, Vec<Option<String>>>,
}

impl LinkTexts {
    /// Of the mapped columns, and of the source columns where there are any.
    pub(crate) fn of(links: &TableLinks, source: Option<&RecordBatch>, target: Option<&RecordBatch>) -> Self {
        let texts = |batch: Option<&RecordBatch>, places: Vec<usize>| {
            let Some(batch) = batch else { return BTreeMap::new() };
            let text = |place: usize| {
                let column = batch.column(place);
                (place, array_to_text(column, &dunlin_connect::ColumnType::TEXT))
            };
            places.into_iter().map(text).collect()
        };
        let all = || links.belongs.iter().chain(&links.offers);
        let sources = all().filter_map(|l| l.source.clone()).flatten().collect();
        Self {
            target: texts(target, all().flat_map(|l| l.columns.clone()).collect()),
            source: texts(source, sources),
        }
    }

    fn values<'a>(
        columns: &'a BTreeMap<usize, Vec<Option<String>>>,
        places: &[usize],
        row: usize,
    ) -> Vec<Option<&'a str>> {
        places.iter().map(|p| columns.get(p).and_then(|c| c[row].as_deref())).collect()
    }

    /// What is known of a row by its target values, and by its source values.
    pub(crate) fn known(&self, book: &Book, links: &TableLinks, row: usize) -> Vec<Known> {
        let mut known = Vec::new();
        let mut add = |found: Vec<Known>| {
            for one in found {
                if !known.contains(&one) {
                    known.push(one);
                }
            }
        };
        for link in &links.belongs {
            if !self.target.is_empty() {
                add(book.find(&link.domain, Form::Target, &Self::values(&self.target, &link.columns, row)));
            }
            if let (Some(places), false) = (&link.source, self.source.is_empty()) {
                add(book.find(&link.domain, Form::Source, &Self::values(&self.source, places, row)));
            }
        }
        known
    }

    /// The marks of what other tables name a known row by.
    pub(crate) fn offered(&self, book: &Book, links: &TableLinks, row: usize, known: &[Known]) -> Vec<Mark> {
        let mut marks = Vec::new();
        for link in &links.offers {
            let target = Self::values(&self.target, &link.columns, row);
            marks.extend(book.derive(&link.domain, Form::Target, &target, known));
            if let Some(places) = &link.source {
                let source = Self::values(&self.source, places, row);
                marks.extend(book.derive(&link.domain, Form::Source, &source, known));
            }
        }
        marks
    }
}

/// What is known of a row that could not be read, by its raw fields.
pub(crate) fn known_raw(book: &Book, links: &TableLinks, fields: &[Option<Vec<u8>>]) -> Vec<Known> {
    let texts: Vec<Option<String>> =
        fields.iter().map(|f| f.as_ref().map(|b| String::from_utf8_lossy(b).into_owned())).collect();
    known_fields(book, &links.belongs, &texts)
}

/// What is known of a row by its source values in text form.
pub(crate) fn known_fields(book: &Book, belongs: &[Link], fields: &[Option<String>]) -> Vec<Known> {
    let mut known = Vec::new();
    for link in belongs {
        let Some(places) = &link.source else { continue };
        let values: Vec<Option<&str>> =
            places.iter().map(|p| fields.get(*p).and_then(|f| f.as_deref())).collect();
        known.extend(book.find(&link.domain, Form::Source, &values));
    }
    known
}

/// Acts on the rows of one table.
pub(crate) struct SubjectStage {
    pub(crate) subjects: Arc<Subjects>,
    pub(crate) spec: Arc<TableSpec>,
    pub(crate) protector: Arc<Protector>,
    /// The schema that the mapper gives.
    pub(crate) schema: SchemaRef,
}

impl Stage for SubjectStage {
    fn name(&self) -> &'static str {
        "subjects"
    }

    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn run(&self, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let acting = Acting {
            subjects: self.subjects.clone(),
            spec: self.spec.clone(),
            protector: self.protector.clone(),
        };
        let stream = async_stream(move |send| act(input, acting, send));
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), stream))
    }
}

/// What the operator needs while it runs.
pub(crate) struct Acting {
    pub(crate) subjects: Arc<Subjects>,
    pub(crate) spec: Arc<TableSpec>,
    pub(crate) protector: Arc<Protector>,
}

async fn act(mut input: SendableRecordBatchStream, acting: Acting, send: Sender) -> Result<()> {
    let mut asked = acting.subjects.asked().await?;
    while let Some(batch) = input.next().await {
        let batch = batch.map_err(|e| MoveError::engine("map a split", e))?;
        match marker_of(&batch) {
            Some(fate::BEGIN) => {
                asked = acting.subjects.asked().await?;
                send.send(batch).await?;
            }
            Some(_) => send.send(batch).await?,
            None => {
                let (batch, marks) = acting.apply(&asked, batch)?;
                acting.subjects.remember(&marks).await?;
                send.send(batch).await?;
            }
        }
    }
    Ok(())
}

impl Acting {
    /// Acts on a mapped batch; gives it and the marks that follow from its rows.
    pub(crate) fn apply(&self, asked: &Asked, batch: RecordBatch) -> Result<(RecordBatch, Vec<Mark>)> {
        let Some(links) = self.subjects.links.tables.get(&self.spec.label) else {
            return Ok((batch, Vec::new()));
        };
        if asked.book.is_empty() || batch.num_rows() == 0 {
            return Ok((batch, Vec::new()));
        }
        let reads = self.spec.read.len();
        let source = body(&batch, 0, reads);
        let target = body(&batch, reads, batch.num_columns() - lead::COUNT);
        let texts = LinkTexts::of(links, Some(&source), Some(&target));
        let mut lead = Lead::of(&batch);
        let mut hits = Vec::new();
        let mut marks = Vec::new();
        for row in 0..batch.num_rows() {
            let mut known = texts.known(&asked.book, links, row);
            if let Some(raw) = lead.raw(row) {
                known.extend(known_raw(&asked.book, links, &unpack_fields(raw)));
            }
            if !known.is_empty() {
                marks.extend(texts.offered(&asked.book, links, row, &known));
                hits.push((row, known));
            }
        }
        if hits.is_empty() {
            return Ok((batch, marks));
        }
        let mut columns: Vec<ArrayRef> = target.columns().to_vec();
        self.change(asked, links, &hits, &mut lead, &mut columns)?;
        let mut arrays = lead.arrays();
        arrays.extend(source.columns().iter().cloned());
        arrays.extend(columns);
        let batch = RecordBatch::try_new(batch.schema(), arrays)
            .map_err(|_| crate::remap::engine("act on a customer's row"))?;
        Ok((batch, marks))
    }

    /// The rows of a mapped batch whose own customer was erased, whatever an erasure does with rows of this table, and the
    /// marks that follow from them.
    pub(crate) fn erased(&self, asked: &Asked, batch: &RecordBatch) -> (Vec<usize>, Vec<Mark>) {
        let (mut rows, mut marks) = (Vec::new(), Vec::new());
        let Some(links) = self.subjects.links.tables.get(&self.spec.label) else { return (rows, marks) };
        if asked.book.is_empty() {
            return (rows, marks);
        }
        let reads = self.spec.read.len();
        let source = body(batch, 0, reads);
        let target = body(batch, reads, reads + self.spec.mapping.columns.len());
        let texts = LinkTexts::of(links, Some(&source), Some(&target));
        for row in 0..batch.num_rows() {
            let mut known = texts.known(&asked.book, links, row);
            known.retain(|known| known.effect == Effect::Erased);
            if !known.is_empty() {
                marks.extend(texts.offered(&asked.book, links, row, &known));
                rows.push(row);
            }
        }
        (rows, marks)
    }

    fn change(
        &self,
        asked: &Asked,
        links: &TableLinks,
        hits: &[(usize, Vec<Known>)],
        lead: &mut Lead,
        columns: &mut [ArrayRef],
    ) -> Result<()> {
        let (mut emptied, mut set) = (Vec::new(), Vec::new());
        for (row, known) in hits {
            let goes_on = lead.fates[*row] == fate::ALIVE;
            match outcome(known, links) {
                Outcome::Stays => {}
                Outcome::Erased => lead.overrule(*row, fate::ERASED, None),
                Outcome::Anonymised if goes_on => emptied.push(*row),
                // What would wait in quarantine waits with everything that is in it.
                Outcome::Anonymised if lead.fates[*row] != fate::EXCLUDED => {
                    lead.overrule(*row, fate::ERASED, None);
                }
                Outcome::Anonymised => {}
                Outcome::Excluded(reason) => lead.overrule(*row, fate::EXCLUDED, Some(reason)),
                Outcome::Corrected(requests) if goes_on => {
                    set.push((*row, asked.set(&requests, &self.spec.label)));
                }
                Outcome::Corrected(_) => {}
            }
        }
        if !emptied.is_empty() {
            anonymised(columns, &self.spec, links, &emptied)?;
        }
        for (row, reason, place) in corrected(columns, &self.spec, &self.protector, &set)? {
            let column = self.spec.mapping.columns[place].target.as_str();
            lead.end(row, fate::QUARANTINED, reason.code().to_owned(), Some(column));
        }
        Ok(())
    }
}
