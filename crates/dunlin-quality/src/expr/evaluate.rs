//! Evaluates a compiled expression row by row where it has to: an error of one row must not cost the batch, and its
//! text is never looked at, because it quotes the value.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::{cast, concat};
use datafusion_common::cast::as_boolean_array;

use super::compile::Compiled;

/// The values of an expression over a batch.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// One value a row, of [`Compiled::data_type`]; NULL where the expression failed.
    pub array: ArrayRef,
    /// The rows on which it failed (a cast, an overflow, a division by zero), ascending.
    pub failed: Vec<usize>,
}

/// Evaluates an expression over a batch of the compiler's schema. The batch is evaluated whole; only when that fails
/// is it halved until the failing rows stand alone.
pub fn evaluate_rows(compiled: &Compiled, batch: &RecordBatch) -> Evaluated {
    let rows = batch.num_rows();
    let mut parts = Vec::new();
    let mut failed = Vec::new();
    halve(compiled, batch, 0, rows, &mut parts, &mut failed);
    let array = match parts.len() {
        0 => new_null_array(&compiled.data_type, 0),
        1 => parts.remove(0),
        _ => {
            let refs: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            match concat(&refs) {
                Ok(array) => array,
                // Offsets of more than 2 GiB of text: no row of such a batch can be handed on.
                Err(_) => return all_failed(compiled, rows),
            }
        }
    };
    Evaluated { array, failed }
}

fn all_failed(compiled: &Compiled, rows: usize) -> Evaluated {
    Evaluated { array: new_null_array(&compiled.data_type, rows), failed: (0..rows).collect() }
}

fn halve(
    compiled: &Compiled,
    batch: &RecordBatch,
    from: usize,
    rows: usize,
    parts: &mut Vec<ArrayRef>,
    failed: &mut Vec<usize>,
) {
    if rows == 0 {
        return;
    }
    if let Some(array) = whole(compiled, &batch.slice(from, rows)) {
        parts.push(array);
    } else if rows == 1 {
        parts.push(new_null_array(&compiled.data_type, 1));
        failed.push(from);
    } else {
        let left = rows / 2;
        halve(compiled, batch, from, left, parts, failed);
        halve(compiled, batch, from + left, rows - left, parts, failed);
    }
}

fn whole(compiled: &Compiled, batch: &RecordBatch) -> Option<ArrayRef> {
    let value = compiled.expr.evaluate(batch).ok()?;
    let array = value.into_array(batch.num_rows()).ok()?;
    if array.len() != batch.num_rows() {
        return None;
    }
    if *array.data_type() == compiled.data_type {
        Some(array)
    } else {
        cast(&array, &compiled.data_type).ok()
    }
}

/// The rows on which a condition says no: false, or failed to evaluate. NULL passes, as in SQL's CHECK.
pub fn failing_rows(evaluated: &Evaluated) -> Vec<usize> {
    let Ok(flags): Result<&BooleanArray, _> = as_boolean_array(&evaluated.array) else {
        return (0..evaluated.array.len()).collect();
    };
    let mut failed = evaluated.failed.iter().copied().peekable();
    let says_no = |row: &usize| {
        let broke = failed.next_if_eq(row).is_some();
        broke || (flags.is_valid(*row) && !flags.value(*row))
    };
    (0..flags.len()).filter(says_no).collect()
}
