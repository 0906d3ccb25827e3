//! CSV as found in the wild: own record splitter, own decoding, so that every line is read or told as bad with its
//! number. Types are never guessed; a file's columns are text unless the table says otherwise.

mod read;
mod record;
mod records;
mod shape;
mod write;

pub(super) use read::CsvRead;
pub(super) use shape::{Border, Shape, scan, shape};
pub(super) use write::CsvWrite;
