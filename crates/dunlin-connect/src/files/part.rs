//! Writes one data file of a table in its format: rows of Arrow, or records copied from another file as they stand.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::csv::{self, CsvWrite};
use super::disk::{failed, shown};
use super::jsonl::{self, JsonWrite, Lines};
use super::location::Home;
use super::parquet::{self, ParquetWrite};
use crate::{ConnectError, FileFormat, Reason, Result, Table};

/// A row that was not written: its place in the batch, the column, why.
pub(super) type NotWritten = (usize, usize, Reason);

/// A file that hashes what it is given.
struct Hashed {
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    len: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

enum Body {
    Csv(CsvWrite, Hashed),
    Json(Box<JsonWrite>, Hashed),
    Parquet(Box<ParquetWrite<Hashed>>),
}

/// A data file that is being written.
pub(super) struct PartWriter {
    store: String,
    home: Home,
    table: Arc<Table>,
    body: Body,
    buffer: Vec<u8>,
    rows: u64,
}

/// A data file that is written, but not yet durable.
pub(super) struct Written {
    file: File,
    store: String,
    /// BLAKE3 of its bytes, as hex.
    pub(super) blake3: String,
    /// Its size in bytes.
    pub(super) len: u64,
    /// Its rows.
    pub(super) rows: u64,
}

impl Written {
    /// Makes the content durable.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|e| failed(&self.store, "make a data file durable", &e))
    }
}

impl PartWriter {
    /// Starts a file.
    pub(super) fn create(store: &str, home: &Home, table: &Arc<Table>, path: &Path) -> Result<Self> {
        if let Some(encoding) = home.dialect.wide {
            return Err(ConnectError::Unsupported {
                store: store.to_owned(),
                what: format!("writing {}", encoding.name()),
                help: "leave `encoding` at UTF-8; files in UTF-16 can be read".into(),
            });
        }
        let file = File::create(path).map_err(|e| failed(store, format!("write {}", shown(path)), &e))?;
        let out = Hashed { file: BufWriter::new(file), hasher: blake3::Hasher::new(), len: 0 };
        let mut buffer = Vec::new();
        let body = match home.format {
            FileFormat::Csv => {
                let csv = CsvWrite::new(&home.dialect);
                if !csv.header(table.columns.iter().map(|c| c.name.as_str()), &mut buffer) {
                    return Err(ConnectError::Unsupported {
                        store: store.to_owned(),
                        what: "a column name that the file's encoding does not have".into(),
                        help: "leave `encoding` at UTF-8 or rename the column".into(),
                    });
                }
                Body::Csv(csv, out)
            }
            FileFormat::Jsonl => Body::Json(Box::new(JsonWrite::new(&home.dialect, table)), out),
            FileFormat::Parquet => Body::Parquet(Box::new(ParquetWrite::new(store, table, out)?)),
        };
        let (store, home, table) = (store.to_owned(), home.clone(), table.clone());
        let mut writer = Self { store, home, table, body, buffer, rows: 0 };
        writer.drain()?;
        Ok(writer)
    }

    /// Writes rows of all the table's columns; tells those that this format cannot hold unchanged.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<Vec<NotWritten>> {
        let refused = match &mut self.body {
            Body::Csv(csv, _) => csv.rows(batch, &mut self.buffer),
            Body::Json(json, _) => json.rows(batch, &mut self.buffer),
            Body::Parquet(parquet) => {
                parquet.rows(batch)?;
                Vec::new()
            }
        };
        self.drain()?;
        self.rows += (batch.num_rows() - refused.len()) as u64;
        Ok(refused)
    }

    /// Copies the records of a file of the same table that `keep` wants (asked for every record in order).
    pub(super) fn copy(&mut self, from: &Path, keep: &mut dyn FnMut() -> bool) -> Result<()> {
        match self.home.format {
            FileFormat::Csv => self.copy_csv(from, keep),
            FileFormat::Jsonl => self.copy_lines(from, keep),
            FileFormat::Parquet => {
                let Body::Parquet(parquet) = &mut self.body else { return Ok(()) };
                self.rows += parquet::copy(&self.store, from, &self.table, keep, parquet)?;
                Ok(())
            }
        }
    }

    fn copy_csv(&mut self, from: &Path, keep: &mut dyn FnMut() -> bool) -> Result<()> {
        let store = self.store.clone();
        let failed = |e: io::Error| failed(&store, format!("read {}", shown(from)), &e);
        let shape = csv::shape(&self.store, from, &shown(from), &self.home.dialect)?;
        let refuse = |what: &str| ConnectError::Unsupported {
            store: store.clone(),
            what: format!("adding to {}, {what},", shown(from)),
            help: "mend the file first, or load into a new one".into(),
        };
        if shape.carriage_returns() {
            return Err(refuse("whose lines end with CR alone"));
        }
        let mut records = shape.records(from, 0, None, u64::MAX).map_err(failed)?;
        while records.advance().map_err(failed)? {
            if shape.skips_blank() && records.blank() {
                continue;
            }
            if !keep() {
                continue;
            }
            // An open quote would swallow the rows that come behind it.
            if records.malformed() {
                return Err(refuse("which has lines with broken quotes"));
            }
            self.push_record(records.bytes())?;
        }
        self.drain()
    }

    fn copy_lines(&mut self, from: &Path, keep: &mut dyn FnMut() -> bool) -> Result<()> {
        let store = self.store.clone();
        let failed = |e: io::Error| failed(&store, format!("read {}", shown(from)), &e);
        let mut lines = Lines::open(from, 0, Some(1), u64::MAX).map_err(failed)?;
        while lines.advance().map_err(failed)? {
            if keep() {
                self.push_record(lines.bytes())?;
            }
        }
        self.drain()
    }

    fn push_record(&mut self, record: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(record);
        if !record.ends_with(b"\n") {
            self.buffer.push(b'\n');
        }
        self.rows += 1;
        if self.buffer.len() > 1024 * 1024 { self.drain() } else { Ok(()) }
    }

    fn drain(&mut self) -> Result<()> {
        if let Body::Csv(_, out) | Body::Json(_, out) = &mut self.body {
            out.write_all(&self.buffer).map_err(|e| failed(&self.store, "write a data file", &e))?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Ends the file; it is not durable before [`Written::sync`].
    pub(super) fn finish(self) -> Result<Written> {
        let store = self.store;
        let out = match self.body {
            Body::Csv(_, out) | Body::Json(_, out) => out,
            Body::Parquet(parquet) => parquet.finish()?,
        };
        let file = out.file.into_inner().map_err(|e| failed(&store, "write a data file", e.error()))?;
        let blake3 = out.hasher.finalize().to_hex().to_string();
        Ok(Written { file, store, blake3, len: out.len, rows: self.rows })
    }
}

/// Counts the records of a file as [`PartWriter::copy`] meets them.
pub(super) fn count(store: &str, home: &Home, path: &Path) -> Result<u64> {
    let failed = |e: io::Error| failed(store, format!("read {}", shown(path)), &e);
    let cut = (u64::MAX, u64::MAX);
    match home.format {
        FileFormat::Csv => {
            let shape = csv::shape(store, path, &shown(path), &home.dialect)?;
            Ok(csv::scan(path, &shape, u64::MAX, cut, &[]).map_err(failed)?.1)
        }
        FileFormat::Jsonl => Ok(jsonl::scan(path, u64::MAX, cut, &[]).map_err(failed)?.1),
        FileFormat::Parquet => Ok(parquet::outline(store, path)?.rows),
    }
}
