//! JSON Lines: one object a line. Tokens are kept as they stand in the file, so no digit changes.

mod lines;
mod read;
mod scan;
mod write;

pub(super) use lines::Lines;
pub(super) use read::JsonRead;
pub(super) use scan::{columns, scan};
pub(super) use write::JsonWrite;
