//! One part on its way into a table of files. The order that makes it safe: data written, fsynced, renamed to its
//! content's name; then the receipt written, fsynced, renamed. That last rename is the commit.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::filter_record_batch;
use async_trait::async_trait;
use tokio::sync::Mutex;

use super::cells::batch as whole_batch;
use super::disk::{nonce, read_json, remove, rename, stage_json};
use super::location::Home;
use super::part::{PartWriter, Written, count};
use super::parts::{Data, RECEIPT, Replaced, State, StoredReceipt, file_piece};
use super::reader::blocking;
use crate::{
    Committed, ConnectError, Load, LoadSpec, Reason, Receipt, Refused, Result, Table, text_to_array,
};

/// The lock of a table's folder. It holds the number of the next receipt, where it is known.
pub(super) type Lock = Arc<Mutex<Option<u64>>>;

/// The rows of a batch that cannot be written: the column and why.
type Wrong = BTreeMap<usize, (usize, Reason)>;

/// A load of one part.
pub(super) struct FileLoad {
    store: String,
    lock: Lock,
    inner: Option<Box<Inner>>,
}

struct Inner {
    store: String,
    home: Home,
    spec: LoadSpec,
    /// The table as the folder has it.
    table: Arc<Table>,
    folder: PathBuf,
    staged: PathBuf,
    writer: PartWriter,
    ordinal: u64,
    refused: Vec<Refused>,
    rewritten: Vec<Rewritten>,
}

/// A new version of an earlier file.
struct Rewritten {
    of: Option<(String, String)>,
    /// The file it was made from: if that is not the current one at commit, another load was faster.
    was: PathBuf,
    staged: PathBuf,
    written: Written,
}

impl FileLoad {
    /// Starts a part. `lock` guards the table's folder in this process.
    pub(super) fn start(
        store: &str,
        lock: Lock,
        home: Home,
        folder: PathBuf,
        table: Arc<Table>,
        spec: LoadSpec,
    ) -> Result<Self> {
        let staged = folder.join(format!("{}.tmp-{}", file_piece(&spec.part), nonce()));
        let writer = PartWriter::create(store, &home, &table, &staged)?;
        let inner = Inner {
            store: store.to_owned(),
            home,
            spec,
            table,
            folder,
            staged,
            writer,
            ordinal: 0,
            refused: Vec::new(),
            rewritten: Vec::new(),
        };
        Ok(Self { store: store.to_owned(), lock, inner: Some(Box::new(inner)) })
    }

    fn inner(&mut self) -> Result<Box<Inner>> {
        self.inner.take().ok_or_else(|| ConnectError::Store {
            store: self.store.clone(),
            act: "go on with a load that failed".into(),
            code: "Aborted".into(),
            transient: false,
        })
    }

    async fn work<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut inner = self.inner()?;
        let store = self.store.clone();
        let (inner, result) = blocking(&store, move || {
            let result = work(&mut inner);
            Ok((inner, result))
        })
        .await?;
        self.inner = Some(inner);
        result
    }
}

#[async_trait]
impl Load for FileLoad {
    async fn delete(&mut self, positions: &[u64]) -> Result<u64> {
        let mut positions = positions.to_vec();
        positions.sort_unstable();
        positions.dedup();
        self.work(move |inner| inner.delete(&positions)).await
    }

    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.work(move |inner| inner.write(&batch)).await
    }

    async fn settle(&mut self) -> Result<Vec<Refused>> {
        self.work(|inner| Ok(std::mem::take(&mut inner.refused))).await
    }

    async fn also(self: Box<Self>, _receipt: &Receipt, spec: LoadSpec) -> Result<Box<dyn Load>> {
        let store = self.store.clone();
        self.abort().await?;
        Err(ConnectError::Unsupported {
            store,
            what: format!("writing {} and another table in one transaction", spec.table.name),
            help: "files have no such transactions: run the plan instead".into(),
        })
    }

    async fn commit(mut self: Box<Self>, receipt: &Receipt) -> Result<Committed> {
        let inner = self.inner()?;
        let receipt = receipt.clone();
        let mut guard = self.lock.clone().lock_owned().await;
        blocking(&self.store, move || {
            // Forgotten on an error: the next commit looks again.
            let known = guard.take();
            let (committed, next) = inner.commit(receipt, known)?;
            *guard = next;
            Ok(committed)
        })
        .await
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        let inner = self.inner()?;
        blocking(&self.store, move || inner.discard()).await
    }
}

impl Inner {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let (rows, mut wrong) = self.complete(batch)?;
        let mut places: Vec<usize> = (0..batch.num_rows()).collect();
        let mut kept = rows;
        if !wrong.is_empty() {
            places.retain(|row| !wrong.contains_key(row));
            let mask: BooleanArray = (0..batch.num_rows()).map(|r| Some(!wrong.contains_key(&r))).collect();
            kept = filter_record_batch(&kept, &mask).map_err(|_| self.misfit())?;
        }
        for (row, column, reason) in self.writer.write(&kept)? {
            wrong.insert(places[row], (column, reason));
        }
        self.refused.extend(wrong.into_iter().map(|(row, (column, reason))| Refused {
            ordinal: self.ordinal + row as u64,
            reason,
            column: Some(self.table.columns[column].name.clone()),
            constraint: None,
        }));
        self.ordinal += batch.num_rows() as u64;
        Ok(())
    }

    /// The batch with all of the table's columns in their own types, and the rows that do not fit.
    fn complete(&self, batch: &RecordBatch) -> Result<(RecordBatch, Wrong)> {
        let mut wrong = Wrong::new();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.table.columns.len());
        for (c, column) in self.table.columns.iter().enumerate() {
            let want = column.ty.arrow_type();
            let Some(at) = self.spec.columns.iter().position(|l| l.index == c) else {
                arrays.push(new_null_array(&want, batch.num_rows()));
                continue;
            };
            let mut array = batch.column(at).clone();
            if *array.data_type() != want {
                let texts = array.as_string_opt::<i32>().ok_or_else(|| self.misfit())?;
                let texts: Vec<Option<&str>> = texts.iter().collect();
                let (read, misfits) = text_to_array(&texts, &column.ty);
                for (row, reason) in misfits {
                    wrong.entry(row).or_insert((c, reason));
                }
                array = read;
            }
            if !column.nullable && batch.column(at).null_count() > 0 {
                for row in (0..batch.num_rows()).filter(|r| batch.column(at).is_null(*r)) {
                    wrong.entry(row).or_insert((c, Reason::NotNull));
                }
            }
            arrays.push(array);
        }
        Ok((whole_batch(&self.table.arrow_schema(), arrays, batch.num_rows()), wrong))
    }

    fn misfit(&self) -> ConnectError {
        ConnectError::Store {
            store: self.store.clone(),
            act: format!("write {}", self.table.name),
            code: "columns of another type".into(),
            transient: false,
        }
    }

    /// Writes new versions of the files in which these rows stand.
    fn delete(&mut self, positions: &[u64]) -> Result<u64> {
        let Some(state) = State::read(&self.store, &self.home)? else { return Ok(0) };
        let (mut first, mut deleted) = (0, 0);
        for entry in state.entries {
            let rows = match entry.rows {
                Some(rows) => rows,
                None => count(&self.store, &self.home, &entry.path)?,
            };
            let below = |end: u64| positions.partition_point(|p| *p < end);
            let hit = (below(first + rows) - below(first)) as u64;
            if hit > 0 {
                let staged = self.folder.join(format!("rewritten.tmp-{}", nonce()));
                let mut writer = PartWriter::create(&self.store, &self.home, &self.table, &staged)?;
                let mut next = first;
                writer.copy(&entry.path, &mut || {
                    next += 1;
                    positions.binary_search(&(next - 1)).is_err()
                })?;
                let written = writer.finish()?;
                written.sync()?;
                self.rewritten.push(Rewritten { of: entry.of, was: entry.path, staged, written });
                deleted += hit;
            }
            first += rows;
        }
        Ok(deleted)
    }

    /// Commits; also gives the number of the receipt after this one, where it is known now.
    fn commit(self, receipt: Receipt, next: Option<u64>) -> Result<(Committed, Option<u64>)> {
        let store = self.store.clone();
        let name = format!("{}.{}{RECEIPT}", file_piece(&receipt.run), file_piece(&receipt.part));
        let path = self.folder.join(name);
        if let Some(before) = read_json::<StoredReceipt>(&store, &path)? {
            let before = before.receipt;
            self.discard()?;
            if before == receipt {
                return Ok((Committed::Already(before), next));
            }
            return Err(ConnectError::ReceiptDiffers { store, table: before.table, part: before.part });
        }
        let sequence = match next {
            Some(sequence) if self.rewritten.is_empty() => sequence,
            _ => self.current_sequence()?,
        };
        let (data, replaces) = self.place(&receipt.part)?;
        let stored = StoredReceipt { receipt, sequence, data, replaces };
        let staged = stage_json(&store, &path, &stored)?;
        fail::fail_point!("connect::files.receipt.before_rename", |_| Err(injected(&store)));
        rename(&store, &staged, &path)?;
        fail::fail_point!("connect::files.receipt.after_rename", |_| Err(injected(&store)));
        Ok((Committed::New, Some(sequence + 1)))
    }

    /// Looks at the folder: the next receipt's number, and whether what was rewritten still is what it was.
    fn current_sequence(&self) -> Result<u64> {
        let Some(state) = State::read(&self.store, &self.home)? else { return Err(self.misfit()) };
        let stands = |r: &Rewritten| state.entries.iter().any(|e| e.of == r.of && e.path == r.was);
        if self.rewritten.iter().all(stands) {
            return Ok(state.next_sequence());
        }
        Err(ConnectError::Store {
            store: self.store.clone(),
            act: format!("delete rows of {}", self.table.name),
            code: "Conflict".into(),
            transient: true,
        })
    }

    /// Makes the data durable under its final names. Nobody reads it before a receipt names it.
    fn place(self, part: &str) -> Result<(Option<Data>, Vec<Replaced>)> {
        let written = self.writer.finish()?;
        fail::fail_point!("connect::files.part.before_fsync", |_| Err(injected(&self.store)));
        written.sync()?;
        fail::fail_point!("connect::files.part.after_fsync", |_| Err(injected(&self.store)));
        let namer = Namer { store: &self.store, folder: &self.folder, home: &self.home };
        let data = namer.place(&self.staged, &written, &file_piece(part))?;
        let mut replaces = Vec::new();
        for rewritten in self.rewritten {
            let prefix = rewritten.of.as_ref().map_or_else(|| "before".to_owned(), |(_, p)| file_piece(p));
            let by = namer.place(&rewritten.staged, &rewritten.written, &prefix)?;
            replaces.push(Replaced { of: rewritten.of, by });
        }
        Ok((data, replaces))
    }

    fn discard(self) -> Result<()> {
        drop(self.writer);
        remove(&self.store, &self.staged)?;
        for rewritten in &self.rewritten {
            remove(&self.store, &rewritten.staged)?;
        }
        Ok(())
    }
}

/// Gives a written file its content's name.
struct Namer<'a> {
    store: &'a str,
    folder: &'a std::path::Path,
    home: &'a Home,
}

impl Namer<'_> {
    /// `None`, and the file removed, where it has no rows.
    fn place(&self, staged: &std::path::Path, written: &Written, prefix: &str) -> Result<Option<Data>> {
        if written.rows == 0 {
            remove(self.store, staged)?;
            return Ok(None);
        }
        let ending = self.home.ending();
        let file = format!("{prefix}-{}.{ending}", &written.blake3[..16]);
        rename(self.store, staged, &self.folder.join(&file))?;
        Ok(Some(Data { file, blake3: written.blake3.clone(), rows: written.rows }))
    }
}

/// What a failpoint answers.
#[cfg_attr(not(feature = "failpoints"), allow(dead_code))]
pub(super) fn injected(store: &str) -> ConnectError {
    ConnectError::Store {
        store: store.to_owned(),
        act: "go past a failpoint".into(),
        code: "Injected".into(),
        transient: true,
    }
}
