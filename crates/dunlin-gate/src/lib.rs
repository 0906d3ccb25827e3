//! Sealed customer data and the only way to open it.
//!
//! It is: [`Sealed`], which keeps rows from being printed, serialised or indexed; [`Policy`], which decides column by
//! column who may see what; [`open`] and [`open_stream`], which write the ledger's entry before the first value leaves;
//! the masks; and [`neutralise_cell`] for files that people open in a spreadsheet.
//!
//! It is not: the store of people, roles and grants, nor the place where entries become durable: that is
//! whoever implements [`AccessLog`].

mod ask;
mod cell;
mod log;
mod mask;
mod open;
mod policy;
mod sealed;
mod stream;

pub use ask::{Act, Ask, Circumstances};
pub use cell::{neutralise_cell, people_csv, people_file_name};
pub use dunlin_plan::Class;
pub use log::{AccessLog, LogFailed, Opening};
pub use mask::{Mask, mask, mask_value};
pub use open::{Opened, Refused, open};
pub use policy::{ColumnDecision, Decision, Denial, MaskedOnly, Obligation, Permit, Policy, Question, Shown};
pub use sealed::{ColumnInfo, Rows, Sealed};
pub use stream::{Allowance, Batch, Ended, OpenedStream, SealedStream, SourceFailed, Stopped, open_stream};
