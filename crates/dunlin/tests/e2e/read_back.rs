//! The rows of a target as text, read without dunlin: fields joined by `|`, NULL as `∅`.

use std::path::Path;

use arrow::array::Array;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row};

/// Runs SQL in a SQLite file, which is made if need be.
pub async fn sql_into(path: &Path, sql: &str) {
    let mut db = sqlite(path).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

async fn sqlite(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).foreign_keys(false);
    options.connect().await.unwrap()
}

/// The one text column of a query.
pub async fn sqlite_rows(path: &Path, sql: String) -> Vec<String> {
    let mut db = sqlite(path).await;
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut db).await.unwrap();
    db.close().await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The rows of a CSV file; NULL is empty here, as the reader does not tell it from an empty text.
pub fn csv_rows(path: &Path) -> Vec<String> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.records().map(|row| row.unwrap().iter().collect::<Vec<_>>().join("|"));
    rows.collect()
}

/// The rows of a Parquet file.
pub fn parquet_rows(path: &Path) -> Vec<String> {
    use arrow::util::display::array_value_to_string;
    let file = std::fs::File::open(path).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let field = |column: &dyn Array| {
                if column.is_null(row) {
                    "∅".to_owned()
                } else {
                    array_value_to_string(column, row).unwrap()
                }
            };
            let fields: Vec<String> = batch.columns().iter().map(|c| field(c)).collect();
            rows.push(fields.join("|"));
        }
    }
    rows
}
