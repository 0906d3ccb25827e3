//! The plan through the server: read, edited under rules, written so that the file and the ledger agree.
//!
//! Not here: what a plan means (`dunlin-plan`) and who may edit it (the policies).

mod edit;
mod file;
mod rules;

pub(crate) use edit::{Step, apply};
pub(crate) use file::{PLAN_FILE, PlanFile, edited, etag, finish_pending, read};
pub(crate) use rules::{Allowed, authorises, changed_stores, check};
