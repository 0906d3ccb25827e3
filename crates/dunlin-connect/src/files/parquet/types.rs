//! From a Parquet file's columns to ours. No values pass here.

use arrow::datatypes::{DataType, Field, TimeUnit};
use parquet::basic::LogicalType;
use parquet::schema::types::Type;

use super::TYPE_KEY;
use crate::{Column, ColumnType};

/// The column that a field of a file is.
pub(super) fn column_of(field: &Field, root: &Type) -> Column {
    let ty = kept(field).unwrap_or_else(|| natural(field.data_type(), root));
    let mut column = Column::new(field.name(), ty);
    column.nullable = field.is_nullable();
    column
}

/// The type dunlin wrote beside the field, if the field still is what it was.
fn kept(field: &Field) -> Option<ColumnType> {
    let ty: ColumnType = serde_json::from_str(field.metadata().get(TYPE_KEY)?).ok()?;
    same_storage(&ty.arrow_type(), field.data_type()).then_some(ty)
}

/// Zones are instants in UTC whatever they are called.
fn same_storage(ours: &DataType, theirs: &DataType) -> bool {
    match (ours, theirs) {
        (DataType::Timestamp(a, Some(_)), DataType::Timestamp(b, Some(_))) => a == b,
        (a, b) => a == b,
    }
}

/// The nearest of our types that can hold every value of theirs.
fn natural(ty: &DataType, root: &Type) -> ColumnType {
    let logical = root.get_basic_info().logical_type_ref();
    match ty {
        DataType::Boolean => ColumnType::Bool,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => ColumnType::Int16,
        DataType::Int32 | DataType::UInt16 => ColumnType::Int32,
        DataType::Int64 | DataType::UInt32 => ColumnType::Int64,
        DataType::UInt64 => ColumnType::Decimal { precision: 20, scale: 0 },
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s)
            if *p <= 38 && *s >= 0 && (*s as u8) <= *p =>
        {
            ColumnType::Decimal { precision: *p, scale: *s }
        }
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => ColumnType::Numeric,
        DataType::Float16 | DataType::Float32 => ColumnType::Float32,
        DataType::Float64 => ColumnType::Float64,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if logical == Some(&LogicalType::Json) => {
            ColumnType::Json
        }
        DataType::FixedSizeBinary(16) if logical == Some(&LogicalType::Uuid) => ColumnType::Uuid,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            ColumnType::Binary
        }
        DataType::Date32 => ColumnType::Date,
        DataType::Time32(_) | DataType::Time64(_) => ColumnType::Time,
        DataType::Timestamp(_, Some(_)) => ColumnType::TimestampTz,
        DataType::Timestamp(_, None) | DataType::Date64 => ColumnType::Timestamp,
        DataType::Dictionary(_, value) => natural(value, root),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..) => ColumnType::Json,
        // Text, and what is rare (intervals, durations, nothing but NULL): its text.
        _ => ColumnType::TEXT,
    }
}

/// How many of one unit make a second.
pub(super) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}
