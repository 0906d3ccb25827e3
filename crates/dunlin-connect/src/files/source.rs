//! One table as a reader sees it: its files with their stamps, and a stretch of any of them as batches.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::csv::{self, Border, CsvRead, Shape};
use super::disk::{Stamp, failed, shown, stamp};
use super::jsonl::{self, JsonRead, Lines};
use super::location::{Files, Home, Location};
use super::parquet::{self, ParquetRead};
use super::parts::State;
use super::wide::{self, Narrow};
use crate::{BadRow, Bounds, ConnectError, FileFormat, ReadBatch, ReadRequest, Result, Table};

/// The batches of a stretch, read on a blocking thread.
pub(super) type Batches = Box<dyn Iterator<Item = Result<ReadBatch>> + Send>;

/// A split is cut at this size even where its rows are few.
const SPLIT_BYTES: u64 = 64 * 1024 * 1024;

/// A file of a table.
pub(super) struct SourceFile {
    /// Its name in split descriptors: relative to the store's folder.
    pub(super) name: String,
    /// Where it lies, as UTF-8 or another encoding that bytes can be looked for in.
    pub(super) path: PathBuf,
    /// Its length there.
    len: u64,
    /// Where the file itself lies.
    original: PathBuf,
    stamp: Stamp,
    /// Keeps what was turned into UTF-8.
    narrow: Option<Narrow>,
    /// A CSV file's outline.
    shape: Option<Shape>,
}

/// A table's files as they were when this view first met it.
pub(super) struct Source {
    store: String,
    home: Home,
    /// The files in the order in which they are read.
    pub(super) files: Vec<SourceFile>,
    /// Lines of borders that a scan has seen, by file and offset.
    lines: Mutex<HashMap<(String, u64), u64>>,
}

impl Source {
    /// Looks at the files of a table.
    pub(super) fn open(location: &Location, home: Home) -> Result<Self> {
        let store = location.store.clone();
        let paths = match &home.files {
            Files::Many(paths) => paths.clone(),
            Files::One(_) => {
                let state = State::read(&store, &home)?;
                state.map(|s| s.entries.into_iter().map(|e| e.path).collect()).unwrap_or_default()
            }
        };
        let mut files = Vec::new();
        for path in paths {
            let relative = path.strip_prefix(&location.root).unwrap_or(&path);
            let name = relative.to_string_lossy().into_owned();
            let stamp = stamp(&store, &path)?;
            let narrow = match home.format {
                FileFormat::Parquet => None,
                _ => wide::narrow(&store, &path, home.dialect.wide)?,
            };
            let (original, len) = (path.clone(), narrow.as_ref().map_or(stamp.len, |n| n.len));
            let path = narrow.as_ref().map_or(path, |n| n.path.clone());
            let shape = match home.format {
                FileFormat::Csv => Some(csv::shape(&store, &path, &shown(&original), &home.dialect)?),
                _ => None,
            };
            files.push(SourceFile { name, path, len, original, stamp, narrow, shape });
        }
        Ok(Self { store, home, files, lines: Mutex::default() })
    }

    /// The columns that the files themselves tell; all must tell the same.
    pub(super) fn columns(&self) -> Result<Vec<crate::Column>> {
        if self.home.format == FileFormat::Jsonl {
            let paths: Vec<_> = self.files.iter().map(|f| f.path.as_path()).collect();
            return jsonl::columns(&paths, &self.home.dialect)
                .map_err(|e| failed(&self.store, format!("read {}", self.home.name), &e));
        }
        let mut first: Option<(&SourceFile, Vec<crate::Column>)> = None;
        for file in &self.files {
            let columns: Vec<crate::Column> = match &file.shape {
                Some(shape) if shape.names.is_empty() => {
                    return Err(ConnectError::Unsupported {
                        store: self.store.clone(),
                        what: format!("{}, which is empty and so has no columns,", shown(&file.path)),
                        help: "add a header line".into(),
                    });
                }
                Some(shape) => {
                    let column = |n: &String| crate::Column::new(n, crate::ColumnType::TEXT);
                    shape.names.iter().map(column).collect()
                }
                None => parquet::outline(&self.store, &file.path)?.columns,
            };
            match &first {
                None => first = Some((file, columns)),
                Some((one, known)) => {
                    let same = known.len() == columns.len()
                        && known.iter().zip(&columns).all(|(a, b)| a.name == b.name && a.ty == b.ty);
                    if !same {
                        return Err(self.unlike(one, file));
                    }
                }
            }
        }
        Ok(first.map(|f| f.1).unwrap_or_default())
    }

    fn unlike(&self, one: &SourceFile, other: &SourceFile) -> ConnectError {
        ConnectError::Unsupported {
            store: self.store.clone(),
            what: format!(
                "{}, whose columns are not those of {},",
                shown(&other.original),
                shown(&one.original)
            ),
            help: "all files of a glob need the same columns in the same order; narrow the glob".into(),
        }
    }

    /// The rows as far as they are known without reading them.
    pub(super) fn rows_estimate(&self) -> Option<u64> {
        if self.home.format != FileFormat::Parquet {
            return None;
        }
        self.files.iter().map(|f| parquet::outline(&self.store, &f.path).map(|o| o.rows).ok()).sum()
    }

    /// All bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|f| f.stamp.len).sum()
    }

    /// Counts the rows of one file.
    pub(super) fn count_file(&self, file: &SourceFile) -> Result<u64> {
        if let FileFormat::Parquet = self.home.format {
            return Ok(parquet::outline(&self.store, &file.path)?.rows);
        }
        Ok(self.scan(file, (u64::MAX, u64::MAX), &[])?.1)
    }

    fn scan(&self, file: &SourceFile, cut: (u64, u64), keep: &[u64]) -> Result<(Vec<Border>, u64)> {
        let scanned = match &file.shape {
            Some(shape) => csv::scan(&file.path, shape, file.len, cut, keep),
            None => jsonl::scan(&file.path, file.len, cut, keep),
        };
        let found = scanned.map_err(|e| failed(&self.store, format!("read {}", file.name), &e))?;
        if let Ok(mut lines) = self.lines.lock() {
            lines.extend(found.0.iter().map(|b| ((file.name.clone(), b.offset), b.line)));
        }
        Ok(found)
    }

    /// Cuts the table; borders of `previous` stay where they still are borders.
    pub(super) fn splits(&self, rows_per_split: u64, previous: &[Bounds]) -> Result<Vec<Bounds>> {
        if self.files.is_empty() {
            return Ok(vec![Bounds::Whole]);
        }
        let mut out = Vec::new();
        for file in &self.files {
            match self.home.format {
                FileFormat::Parquet => self.split_groups(file, rows_per_split.max(1), previous, &mut out)?,
                _ => self.split_bytes(file, rows_per_split.max(1), previous, &mut out)?,
            }
        }
        Ok(out)
    }

    fn split_bytes(
        &self,
        file: &SourceFile,
        rows: u64,
        previous: &[Bounds],
        out: &mut Vec<Bounds>,
    ) -> Result<()> {
        let mut keep: Vec<u64> = previous
            .iter()
            .filter_map(|b| match b {
                Bounds::Bytes { file: f, from, .. } if *f == file.name && *from > 0 => Some(*from),
                _ => None,
            })
            .collect();
        keep.sort_unstable();
        let (borders, _) = self.scan(file, (rows, SPLIT_BYTES), &keep)?;
        let mut from = 0;
        for border in borders {
            out.push(Bounds::Bytes { file: file.name.clone(), from, to: Some(border.offset) });
            from = border.offset;
        }
        out.push(Bounds::Bytes { file: file.name.clone(), from, to: None });
        Ok(())
    }

    fn split_groups(
        &self,
        file: &SourceFile,
        rows: u64,
        previous: &[Bounds],
        out: &mut Vec<Bounds>,
    ) -> Result<()> {
        let groups = parquet::groups(&self.store, &file.path)?;
        let keep: Vec<usize> = previous
            .iter()
            .filter_map(|b| match b {
                Bounds::Groups { file: f, from, .. } if *f == file.name => Some(*from),
                _ => None,
            })
            .collect();
        let last_kept = keep.iter().copied().max().unwrap_or(0);
        let (mut from, mut since) = (0, 0);
        for (group, count) in groups.iter().enumerate() {
            let full = since > 0 && since + count > rows;
            if group > from && (keep.contains(&group) || (full && group > last_kept)) {
                out.push(Bounds::Groups { file: file.name.clone(), from, to: Some(group) });
                (from, since) = (group, 0);
            }
            since += count;
        }
        out.push(Bounds::Groups { file: file.name.clone(), from, to: None });
        Ok(())
    }

    /// The batches of one split.
    pub(super) fn read(self: &Arc<Self>, request: ReadRequest) -> Result<Batches> {
        let of = |name: &str| {
            self.files
                .iter()
                .find(|f| f.name == name)
                .ok_or_else(|| self.changed(&request.table, format!("the file {name} is not there any more")))
        };
        match request.bounds.clone() {
            Bounds::Whole => self.read_whole(request),
            Bounds::Bytes { file, from, to } => {
                let file = of(&file)?;
                self.watched(file, self.read_bytes(file, request, from, to)?)
            }
            Bounds::Groups { file, from, to } => {
                let file = of(&file)?;
                self.watched(file, Box::new(ParquetRead::open(&self.store, &file.path, request, from, to)?))
            }
            Bounds::Key { .. } | Bounds::Blocks { .. } => Err(ConnectError::Unsupported {
                store: self.store.clone(),
                what: "a split of a database in a file store".into(),
                help: "cut the table with this store's own reader".into(),
            }),
        }
    }

    fn read_whole(self: &Arc<Self>, request: ReadRequest) -> Result<Batches> {
        let this = self.clone();
        let mut next = 0;
        let mut current: Option<Batches> = None;
        Ok(Box::new(std::iter::from_fn(move || {
            loop {
                if let Some(batch) = current.as_mut().and_then(Iterator::next) {
                    return Some(batch);
                }
                current = None;
                let file = this.files.get(next)?;
                next += 1;
                let opened = match this.home.format {
                    FileFormat::Parquet => {
                        ParquetRead::open(&this.store, &file.path, request.clone(), 0, None)
                            .map(|r| Box::new(r) as Batches)
                    }
                    _ => this.read_bytes(file, request.clone(), 0, None),
                };
                match opened.and_then(|batches| this.watched(file, batches)) {
                    Ok(batches) => current = Some(batches),
                    Err(error) => return Some(Err(error)),
                }
            }
        })))
    }

    fn read_bytes(
        &self,
        file: &SourceFile,
        request: ReadRequest,
        from: u64,
        to: Option<u64>,
    ) -> Result<Batches> {
        let line = self.lines.lock().ok().and_then(|l| l.get(&(file.name.clone(), from)).copied());
        let failed = |e| failed(&self.store, format!("read {}", file.name), &e);
        let Some(shape) = &file.shape else {
            let lines = Lines::open(&file.path, from, line, file.len).map_err(failed)?;
            return Ok(Box::new(JsonRead::new(
                &self.store,
                lines,
                &self.home.dialect,
                request,
                to,
                file.narrow.is_none(),
            )));
        };
        let width = request.table.columns.len();
        let named = || shape.names.iter().eq(request.table.columns.iter().map(|c| &c.name));
        if shape.names.is_empty() {
            return Ok(Box::new(std::iter::empty()));
        }
        if shape.names.len() != width || (self.home.dialect.header && !named()) {
            return Err(self.changed(&request.table, format!("{} has another header", file.name)));
        }
        let records = shape.records(&file.path, from, line, file.len).map_err(failed)?;
        Ok(Box::new(CsvRead::new(
            &self.store,
            records,
            &self.home.dialect,
            request,
            width,
            to,
            file.narrow.is_none(),
        )))
    }

    /// Reads on, and at the end makes sure that the file is still the one that was cut into splits.
    fn watched(self: &Arc<Self>, file: &SourceFile, mut batches: Batches) -> Result<Batches> {
        let (this, path, was) = (self.clone(), file.original.clone(), file.stamp);
        let check = move || {
            let now = stamp(&this.store, &path)?;
            if now == was {
                return Ok(());
            }
            Err(ConnectError::Changed {
                store: this.store.clone(),
                table: this.home.name.clone(),
                what: format!("{} had {} bytes and has {}", shown(&path), was.len, now.len),
            })
        };
        check()?;
        let mut ended = false;
        Ok(Box::new(std::iter::from_fn(move || {
            if ended {
                return None;
            }
            batches.next().or_else(|| {
                ended = true;
                check().err().map(Err)
            })
        })))
    }

    fn changed(&self, table: &Table, what: String) -> ConnectError {
        ConnectError::Changed { store: self.store.clone(), table: table.name.to_string(), what }
    }
}

/// Gives every row, bad ones too, its ordinal in the whole table, from 0.
pub(super) fn addressed(batches: Batches) -> Batches {
    let mut next = 0;
    Box::new(batches.map(move |batch| {
        let mut batch = batch?;
        // Within a batch positions rise, so merging good and bad rows gives the order of the file.
        let mut bad: Vec<&mut BadRow> = batch.bad.iter_mut().collect();
        bad.sort_by_key(|b| b.position);
        let mut bad = bad.into_iter().peekable();
        for position in &mut batch.positions {
            while let Some(row) = bad.next_if(|b| b.position < *position) {
                row.position = next;
                next += 1;
            }
            *position = next;
            next += 1;
        }
        for row in bad {
            row.position = next;
            next += 1;
        }
        Ok(batch)
    }))
}
