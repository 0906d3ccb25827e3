//! The side of an enrichment, made searchable.
//!
//! Up to [`MEMORY_MAX_BYTES`] it is a hash map. Beyond, rows go to 256 bucket files by the first byte of the key's hash;
//! each bucket is then sorted and written out, and a lookup is a binary search in one bucket. The sort needs one bucket
//! in memory at a time, the search none: the operating system's cache does the rest. The folder is 0700 and is
//! removed with the lookup; its rows are encrypted by nothing but that, like the engine's own spill files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use dunlin_connect::{ReadRequest, Reader, Table, array_to_text};
use futures::StreamExt;

use crate::{MoveError, Result};

/// A side up to this many bytes is held in memory.
pub const MEMORY_MAX_BYTES: usize = 64 << 20;

/// Bytes of an entry of a bucket's index: key hash, offset and length of the row.
const ENTRY: usize = 16 + 8 + 4;

type Row = Arc<[Option<String>]>;

/// A searchable side.
pub struct Lookup {
    /// The input column whose value is looked up.
    pub on: usize,
    /// How many columns are added.
    pub width: usize,
    /// Rows of the side that could not be read; what they would have added stays NULL.
    pub skipped: u64,
    rows: Rows,
}

enum Rows {
    Memory(HashMap<[u8; 16], Row>),
    Disk(Disk),
}

struct Disk {
    data: File,
    /// Where each bucket's entries begin in the index, and how many there are.
    buckets: Vec<(u64, u64)>,
    index: File,
    last: Mutex<Option<([u8; 16], Option<Row>)>>,
    _folder: tempfile::TempDir,
}

fn hash(key: &str) -> [u8; 16] {
    let mut out = [0u8; 16];
    out.copy_from_slice(&blake3::hash(key.trim().as_bytes()).as_bytes()[..16]);
    out
}

impl Lookup {
    /// Reads the side of an enrichment. `key` and `add` are columns of `table`; `scratch` is where a large side goes.
    ///
    /// # Errors
    /// Stores that cannot be read, and a key that occurs twice.
    pub async fn read(
        reader: &dyn Reader,
        table: Arc<Table>,
        key: usize,
        add: &[usize],
        on: usize,
        scratch: &Path,
        memory_max: usize,
    ) -> Result<Self> {
        let mut build = Build::new(scratch, memory_max);
        let mut skipped = 0;
        for bounds in reader.splits(&table, 1_000_000, &[]).await? {
            let mut request = ReadRequest::all(table.clone(), bounds);
            request.columns = std::iter::once(key)
                .chain(add.iter().copied())
                .map(|index| {
                    let as_text =
                        matches!(table.columns[index].ty, dunlin_connect::ColumnType::Opaque { .. });
                    dunlin_connect::ReadColumn { index, as_text }
                })
                .collect();
            let types: Vec<_> = request
                .columns
                .iter()
                .map(|c| {
                    if c.as_text {
                        dunlin_connect::ColumnType::TEXT
                    } else {
                        table.columns[c.index].ty.clone()
                    }
                })
                .collect();
            let mut stream = reader.read(request).await?;
            while let Some(batch) = stream.next().await {
                let batch = batch?;
                skipped += batch.bad.len() as u64;
                let columns: Vec<_> =
                    batch.rows.columns().iter().zip(&types).map(|(c, t)| array_to_text(c, t)).collect();
                for row in 0..batch.rows.num_rows() {
                    if let Some(key) = &columns[0][row] {
                        build.push(
                            hash(key),
                            columns[1..].iter().map(|c| c[row].clone()).collect(),
                            &table,
                        )?;
                    }
                }
            }
        }
        Ok(Self { on, width: add.len(), skipped, rows: build.finish(&table)? })
    }

    /// The row of this key.
    ///
    /// # Errors
    /// When the spilled side cannot be read.
    pub fn find(&self, key: &str) -> Result<Option<Row>> {
        let key = hash(key);
        match &self.rows {
            Rows::Memory(rows) => Ok(rows.get(&key).cloned()),
            Rows::Disk(disk) => disk.find(key),
        }
    }
}

fn twice(table: &Table) -> MoveError {
    MoveError::Refused {
        code: "enrich-duplicate-key",
        message: format!("`{}` holds a key twice: enriching from it would multiply rows", table.name),
        help: "make the key unique there, or enrich from a table that has one row a key".to_owned(),
    }
}

fn scratch_failed(path: &Path) -> impl Fn(std::io::Error) -> MoveError + '_ {
    move |e| MoveError::file(path, &e)
}

/// A side on its way into memory or onto disk.
struct Build<'a> {
    scratch: &'a Path,
    memory_max: usize,
    bytes: usize,
    memory: HashMap<[u8; 16], Row>,
    spill: Option<Spill>,
}

struct Spill {
    folder: tempfile::TempDir,
    data: BufWriter<File>,
    offset: u64,
    buckets: Vec<BufWriter<File>>,
}

impl<'a> Build<'a> {
    fn new(scratch: &'a Path, memory_max: usize) -> Self {
        Self { scratch, memory_max, bytes: 0, memory: HashMap::new(), spill: None }
    }

    fn push(&mut self, key: [u8; 16], row: Vec<Option<String>>, table: &Table) -> Result<()> {
        if let Some(spill) = &mut self.spill {
            return spill.push(key, &row);
        }
        self.bytes += 64 + row.iter().flatten().map(|t| t.len() + 24).sum::<usize>();
        if self.memory.insert(key, row.into()).is_some() {
            return Err(twice(table));
        }
        if self.bytes > self.memory_max {
            let mut spill = Spill::new(self.scratch)?;
            for (key, row) in self.memory.drain() {
                spill.push(key, &row)?;
            }
            self.spill = Some(spill);
        }
        Ok(())
    }

    fn finish(self, table: &Table) -> Result<Rows> {
        match self.spill {
            None => Ok(Rows::Memory(self.memory)),
            Some(spill) => Ok(Rows::Disk(spill.finish(table)?)),
        }
    }
}

impl Spill {
    fn new(scratch: &Path) -> Result<Self> {
        let failed = scratch_failed(scratch);
        std::fs::create_dir_all(scratch).map_err(&failed)?;
        let folder = tempfile::Builder::new().prefix("enrich-").tempdir_in(scratch).map_err(&failed)?;
        let make =
            |name: String| File::create_new(folder.path().join(name)).map(BufWriter::new).map_err(&failed);
        let data = make("data".to_owned())?;
        let buckets = (0..256).map(|b| make(format!("bucket-{b}"))).collect::<Result<_>>()?;
        Ok(Self { folder, data, offset: 0, buckets })
    }

    fn push(&mut self, key: [u8; 16], row: &[Option<String>]) -> Result<()> {
        let failed = scratch_failed(self.folder.path());
        let bytes = serde_json::to_vec(row).unwrap_or_default();
        self.data.write_all(&bytes).map_err(&failed)?;
        let bucket = &mut self.buckets[key[0] as usize];
        bucket.write_all(&key).map_err(&failed)?;
        bucket.write_all(&self.offset.to_le_bytes()).map_err(&failed)?;
        bucket.write_all(&(bytes.len() as u32).to_le_bytes()).map_err(&failed)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn finish(mut self, table: &Table) -> Result<Disk> {
        let path = self.folder.path().to_owned();
        let failed = scratch_failed(&path);
        self.data.flush().map_err(&failed)?;
        let index_path = path.join("index");
        let mut index = BufWriter::new(File::create_new(&index_path).map_err(&failed)?);
        let mut buckets = Vec::with_capacity(256);
        let mut at = 0u64;
        for (b, mut bucket) in self.buckets.into_iter().enumerate() {
            bucket.flush().map_err(&failed)?;
            let bytes = std::fs::read(path.join(format!("bucket-{b}"))).map_err(&failed)?;
            let mut entries: Vec<&[u8]> = bytes.chunks_exact(ENTRY).collect();
            entries.sort_unstable_by(|a, b| a[..16].cmp(&b[..16]));
            if entries.windows(2).any(|w| w[0][..16] == w[1][..16]) {
                return Err(twice(table));
            }
            for entry in &entries {
                index.write_all(entry).map_err(&failed)?;
            }
            buckets.push((at, entries.len() as u64));
            at += entries.len() as u64;
            std::fs::remove_file(path.join(format!("bucket-{b}"))).map_err(&failed)?;
        }
        index.flush().map_err(&failed)?;
        drop(index);
        let index = File::open(&index_path).map_err(&failed)?;
        let data = File::open(path.join("data")).map_err(&failed)?;
        Ok(Disk { data, buckets, index, last: Mutex::new(None), _folder: self.folder })
    }
}

impl Disk {
    fn find(&self, key: [u8; 16]) -> Result<Option<Row>> {
        let remembered = self.last.lock().ok().and_then(|last| last.clone().filter(|(k, _)| *k == key));
        if let Some((_, row)) = remembered {
            return Ok(row);
        }
        let found = self.search(key)?;
        if let Ok(mut last) = self.last.lock() {
            *last = Some((key, found.clone()));
        }
        Ok(found)
    }

    fn search(&self, key: [u8; 16]) -> Result<Option<Row>> {
        let failed = |e: std::io::Error| MoveError::file(Path::new("the spilled side of an enrichment"), &e);
        let (start, count) = self.buckets[key[0] as usize];
        let (mut low, mut high) = (0u64, count);
        let mut entry = [0u8; ENTRY];
        while low < high {
            let middle = (low + high) / 2;
            self.index.read_exact_at(&mut entry, (start + middle) * ENTRY as u64).map_err(failed)?;
            match entry[..16].cmp(&key[..]) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let mut offset = [0u8; 8];
                    offset.copy_from_slice(&entry[16..24]);
                    let mut length = [0u8; 4];
                    length.copy_from_slice(&entry[24..]);
                    let mut bytes = vec![0u8; u32::from_le_bytes(length) as usize];
                    self.data.read_exact_at(&mut bytes, u64::from_le_bytes(offset)).map_err(failed)?;
                    let row: Vec<Option<String>> = serde_json::from_slice(&bytes).unwrap_or_default();
                    return Ok(Some(row.into()));
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dunlin_connect::TableName;

    fn lookup(rows: usize, memory_max: usize) -> Result<Lookup> {
        let scratch = tempfile::tempdir().expect("folder");
        let table = Table::new(TableName::bare("side"), Vec::new());
        let mut build = Build::new(scratch.path(), memory_max);
        for i in 0..rows {
            build.push(hash(&i.to_string()), vec![Some(format!("value {i}")), None], &table)?;
        }
        let rows = build.finish(&table)?;
        // The spilled files stay readable through their handles when the scratch folder goes.
        Ok(Lookup { on: 0, width: 2, skipped: 0, rows })
    }

    #[test]
    fn a_spilled_side_answers_as_one_in_memory() {
        let memory = lookup(3_000, usize::MAX).expect("memory");
        let disk = lookup(3_000, 1_000).expect("disk");
        assert!(matches!(disk.rows, Rows::Disk(_)));
        for key in ["0", " 17 ", "2999", "3000", "x", ""] {
            assert_eq!(memory.find(key).expect("memory"), disk.find(key).expect("disk"), "{key:?}");
        }
        assert_eq!(disk.find("17").expect("disk").expect("row")[0].as_deref(), Some("value 17"));
    }

    #[test]
    fn a_key_that_occurs_twice_is_refused_in_memory_and_on_disk() {
        let table = Table::new(TableName::bare("side"), Vec::new());
        let scratch = tempfile::tempdir().expect("folder");
        for memory_max in [usize::MAX, 0] {
            let mut build = Build::new(scratch.path(), memory_max);
            let outcome = build
                .push(hash("1"), vec![None], &table)
                .and_then(|()| build.push(hash(" 1"), vec![None], &table))
                .and_then(|()| build.finish(&table).map(|_| ()));
            assert!(matches!(outcome, Err(MoveError::Refused { code: "enrich-duplicate-key", .. })));
        }
    }
}
