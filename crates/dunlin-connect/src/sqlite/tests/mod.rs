//! Tests against real files, because what SQLite does to a value is only seen in one.

mod bending;
mod dirty;
#[cfg(feature = "failpoints")]
mod failing;
mod loading;
mod names;
mod round_trip;
mod splits;

use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::StreamExt;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use super::connection::File;
use crate::{
    BadRow, Bounds, LoadColumn, LoadSpec, OpenOptions, ReadRequest, ReadStream, Reader, Receipt, Store,
    Table, TableName, text,
};

/// A store on a file that lives as long as this.
struct Fixture {
    folder: TempDir,
    store: Arc<dyn Store>,
}

impl Fixture {
    /// A store whose file does not exist yet.
    async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = OpenOptions { base: folder.path().to_owned(), ..OpenOptions::default() };
        let store = crate::open("crm", "sqlite:data/crm.db", &options).await.unwrap();
        Self { folder, store }
    }

    /// A store whose file these statements made.
    async fn with(sql: &str) -> Self {
        let fixture = Self::empty().await;
        fixture.run(sql).await;
        fixture
    }

    fn file(&self) -> File {
        File { store: "crm".into(), path: self.folder.path().join("data/crm.db") }
    }

    /// Runs statements as another program would.
    async fn run(&self, sql: &str) {
        let mut connection = self.file().write().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
    }

    async fn table(&self, name: &str) -> Arc<Table> {
        Arc::new(self.store.table(&TableName::bare(name)).await.unwrap().expect("the table is there"))
    }

    async fn reader(&self) -> Arc<dyn Reader> {
        self.store.reader().await.unwrap()
    }

    /// The whole table.
    async fn read(&self, name: &str) -> Read {
        let request = ReadRequest::all(self.table(name).await, Bounds::Whole);
        collect(self.reader().await.read(request).await.unwrap()).await
    }
}

/// What a stream gave.
#[derive(Default)]
struct Read {
    batches: Vec<RecordBatch>,
    positions: Vec<u64>,
    bad: Vec<BadRow>,
}

impl Read {
    fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// One line a row, `|` between values, `~` for NULL; the rows that could not be read after them.
    fn show(&self) -> String {
        let mut out = String::new();
        for batch in &self.batches {
            for row in 0..batch.num_rows() {
                let values: Vec<String> = batch
                    .columns()
                    .iter()
                    .map(|c| {
                        let mut value = String::new();
                        if text::write_value(c.as_ref(), row, &mut value) { value } else { "~".into() }
                    })
                    .collect();
                out.push_str(&values.join("|"));
                out.push('\n');
            }
        }
        for bad in &self.bad {
            let fields: Vec<String> = bad
                .fields
                .iter()
                .map(|f| f.as_ref().map_or("~".into(), |f| f.escape_ascii().to_string()))
                .collect();
            let column = bad.column.map_or("-".into(), |c| c.to_string());
            out.push_str(&format!(
                "bad {} {} {column} {}\n",
                bad.position,
                bad.reason.code(),
                fields.join("|")
            ));
        }
        // A NUL in a snapshot would make a binary file of the source.
        out.replace('\0', "\\0")
    }
}

async fn collect(mut stream: ReadStream) -> Read {
    let mut read = Read::default();
    while let Some(batch) = stream.next().await {
        let batch = batch.unwrap();
        assert_eq!(batch.rows.num_rows(), batch.positions.len());
        read.positions.extend(batch.positions);
        read.batches.push(batch.rows);
        read.bad.extend(batch.bad);
    }
    read
}

/// A load of every column of a table.
fn spec(table: &Arc<Table>, part: &str) -> LoadSpec {
    LoadSpec {
        run: "r1".into(),
        label: table.name.to_string(),
        part: part.into(),
        table: Arc::clone(table),
        columns: (0..table.columns.len()).map(|index| LoadColumn { index, as_text: false }).collect(),
    }
}

fn receipt(table: &str, part: &str, body: &str) -> Receipt {
    Receipt { run: "r1".into(), table: table.into(), part: part.into(), body: body.into() }
}
