//! Parquet: Arrow's own reader and writer, with our types on top. Row groups are the splits.

mod convert;
mod nested;
mod read;
mod types;
mod write;

#[cfg(test)]
pub(super) use convert::texts;
pub(super) use read::{ParquetRead, groups, outline};
pub(super) use write::{ParquetWrite, copy};

/// The field metadata under which dunlin keeps a column's own type.
const TYPE_KEY: &str = "dunlin.type";
