//! What is loaded reads back as it was.

use arrow::array::ArrayRef;

use super::*;
use crate::canon::{RowHash, hash_rows};
use crate::{Column, ColumnType, Committed, text_to_array};

/// Every type with values at its edges.
fn edges() -> Vec<(ColumnType, Vec<&'static str>)> {
    let wide = "12345678901234567890123456.123456789012";
    vec![
        (ColumnType::Bool, vec!["true", "false"]),
        (ColumnType::Int64, vec!["0", "-1", "9223372036854775807", "-9223372036854775808"]),
        (
            ColumnType::Decimal { precision: 15, scale: 2 },
            vec!["0.00", "-0.99", "12.00", "9999999999999.99", "0.10"],
        ),
        (ColumnType::Decimal { precision: 38, scale: 12 }, vec!["0.000000000001", wide, "-1.000000000000"]),
        (ColumnType::Decimal { precision: 18, scale: 0 }, vec!["999999999999999999", "-1"]),
        (ColumnType::Decimal { precision: 10, scale: 10 }, vec!["0.0000000001", "-0.9999999999"]),
        (
            ColumnType::Numeric,
            vec!["1.50", "0.000", "NaN", "-Infinity", "123456789012345678901234567890.00100"],
        ),
        (
            ColumnType::Float64,
            vec!["0", "0.1", "-1e-300", "NaN", "Infinity", "-Infinity", "1e16", "3", "5e-324"],
        ),
        (ColumnType::TEXT, vec!["", "007", "1e5", "žluťoučký 🐦", "a\0b", " 12 ", "NULL", "'"]),
        (ColumnType::Text { max: Some(5) }, vec!["12345", "+1", "0x10"]),
        (ColumnType::Binary, vec!["\\x", "\\x00ff", "\\x3132"]),
        (
            ColumnType::Date,
            vec!["2024-02-29", "-0044-03-15", "+12024-01-01", "infinity", "-infinity", "0001-01-01"],
        ),
        (ColumnType::Time, vec!["00:00:00", "24:00:00", "23:59:59.999999"]),
        (ColumnType::Timestamp, vec!["2024-02-29 10:00:00.5", "-0001-12-31 23:59:59", "infinity"]),
        (
            ColumnType::TimestampTz,
            vec!["2024-02-29 10:00:00+00:00", "+20000-01-01 00:00:00+00:00", "-infinity"],
        ),
        (
            ColumnType::Uuid,
            vec!["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "12345678-1234-1234-1234-123456789012"],
        ),
        (ColumnType::Json, vec!["1", "1.50", "1e3", "\"x\"", "{\"a\" : 1}", "null", " 7"]),
    ]
}

/// A table of all types, a row for each value, NULL elsewhere.
fn all_types() -> (Table, RecordBatch) {
    let edges = edges();
    let columns =
        edges.iter().enumerate().map(|(i, (ty, _))| Column::new(format!("c{i}"), ty.clone())).collect();
    let table = Table::new(TableName::bare("all types"), columns);
    let rows: usize = edges.iter().map(|(_, values)| values.len()).sum();
    let mut start = 0;
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (ty, values) in &edges {
        let mut texts = vec![None; rows];
        for (i, value) in values.iter().enumerate() {
            texts[start + i] = Some(*value);
        }
        start += values.len();
        let (array, bad) = text_to_array(&texts, ty);
        assert_eq!(bad, [], "{ty}");
        arrays.push(array);
    }
    let batch = RecordBatch::try_new(table.arrow_schema(), arrays).unwrap();
    (table, batch)
}

fn hash(batches: &[RecordBatch]) -> RowHash {
    batches.iter().flat_map(|b| hash_rows(&[7; 32], b)).sum()
}

#[tokio::test]
async fn every_type_comes_back_the_same() {
    let fixture = Fixture::empty().await;
    let target = fixture.store.target().await.unwrap();
    target.prepare().await.unwrap();
    let (table, batch) = all_types();
    target.create(&table).await.unwrap();
    assert!(target.create(&table).await.is_err(), "it exists");
    let made = fixture.table("all types").await;
    for (made, asked) in made.columns.iter().zip(&table.columns) {
        assert_eq!(made.ty, asked.ty, "{}", made.declared);
        assert_eq!(target.nearest_type(&asked.ty), asked.ty);
    }
    let mut load = target.begin(spec(&made, "0")).await.unwrap();
    load.write(batch.clone()).await.unwrap();
    assert_eq!(load.settle().await.unwrap(), []);
    assert_eq!(load.commit(&receipt("all types", "0", "{}")).await.unwrap(), Committed::New);
    let read = fixture.read("all types").await;
    assert!(read.bad.is_empty(), "{}", read.show());
    for (column, (back, given)) in read.batches[0].columns().iter().zip(batch.columns()).enumerate() {
        assert_eq!(back.to_data(), given.to_data(), "{}", table.columns[column].ty);
    }
    assert_eq!(hash(&read.batches), hash(&[batch]));
}

#[tokio::test]
async fn the_schema_comes_back() {
    let fixture = Fixture::with(
        "CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL DEFAULT 'none' UNIQUE, \
                              born DATE, UNIQUE (email, born)); \
         CREATE TABLE orders (a INTEGER, b INTEGER, person INTEGER REFERENCES people ON DELETE CASCADE, \
                              PRIMARY KEY (b, a)); \
         CREATE INDEX orders_person ON orders (person); \
         CREATE INDEX orders_open ON orders (a) WHERE b > 0; \
         CREATE INDEX people_lower ON people (lower(email)); \
         INSERT INTO people (email) VALUES ('x'), ('y'); DELETE FROM people WHERE email = 'y'",
    )
    .await;
    let copy = Fixture::empty().await;
    let target = copy.store.target().await.unwrap();
    for name in ["people", "orders"] {
        let table = fixture.table(name).await;
        target.create(&table).await.unwrap();
        target.complete(&table).await.unwrap();
        target.complete(&table).await.unwrap();
        target.connect_keys(&table).await.unwrap();
        let mut made = Table::clone(copy.table(name).await.as_ref());
        made.rows_estimate = table.rows_estimate;
        for index in &mut made.indexes {
            index.definition =
                table.indexes.iter().find(|i| i.name == index.name).unwrap().definition.clone();
        }
        assert_eq!(&made, table.as_ref());
    }
    let people = copy.table("people").await;
    assert_eq!(people.sequences[0].next, 3);
    let orders = copy.table("orders").await;
    assert_eq!(orders.primary_key, ["b", "a"]);
    assert_eq!(orders.foreign_keys[0].parent_columns, ["id"]);
    assert_eq!(orders.foreign_keys[0].on_delete, "CASCADE");
}
