//! Lists, structs and maps as JSON text.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::convert::texts;

/// Each value of a nested column as compact JSON.
pub(super) fn nested_json(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let mut out = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        if array.is_null(row) {
            out.push(None);
            continue;
        }
        let mut text = String::new();
        put(array, row, &mut text)?;
        out.push(Some(text));
    }
    Ok(Arc::new(StringArray::from(out)))
}

fn put(array: &ArrayRef, row: usize, out: &mut String) -> Result<(), ArrowError> {
    if array.is_null(row) {
        out.push_str("null");
        return Ok(());
    }
    match array.data_type() {
        DataType::List(_) => put_list(&array.as_list::<i32>().value(row), out),
        DataType::LargeList(_) => put_list(&array.as_list::<i64>().value(row), out),
        DataType::FixedSizeList(..) => put_list(&array.as_fixed_size_list().value(row), out),
        DataType::Struct(fields) => {
            out.push('{');
            for (i, (field, column)) in fields.iter().zip(array.as_struct().columns()).enumerate() {
                if i > 0 {
                    out.push(',');
                }
                put_text(field.name(), out);
                out.push(':');
                put(column, row, out)?;
            }
            out.push('}');
            Ok(())
        }
        DataType::Map(..) => put_map(array, row, out),
        DataType::Dictionary(_, value) => put(&cast(&array.slice(row, 1), value)?, 0, out),
        _ => put_leaf(array, row, out),
    }
}

fn put_list(values: &ArrayRef, out: &mut String) -> Result<(), ArrowError> {
    out.push('[');
    for i in 0..values.len() {
        if i > 0 {
            out.push(',');
        }
        put(values, i, out)?;
    }
    out.push(']');
    Ok(())
}

/// A map is an object; keys that are not text are written as their text.
fn put_map(array: &ArrayRef, row: usize, out: &mut String) -> Result<(), ArrowError> {
    let entries = array.as_map().value(row);
    let keys = texts(entries.column(0))?;
    out.push('{');
    for (i, key) in keys.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        put_text(key.as_deref().unwrap_or_default(), out);
        out.push(':');
        put(entries.column(1), i, out)?;
    }
    out.push('}');
    Ok(())
}

fn put_leaf(array: &ArrayRef, row: usize, out: &mut String) -> Result<(), ArrowError> {
    let ty = array.data_type();
    let text = texts(&array.slice(row, 1))?.into_iter().next().flatten().unwrap_or_default();
    let bare =
        matches!(ty, DataType::Boolean) || (ty.is_numeric() && text.parse::<f64>().is_ok_and(f64::is_finite));
    if bare {
        out.push_str(&text);
    } else {
        put_text(&text, out);
    }
    Ok(())
}

/// A JSON string.
fn put_text(text: &str, out: &mut String) {
    // Writing into a String cannot fail, and a string is always valid JSON.
    let _ = write!(out, "{}", serde_json::Value::from(text));
}
