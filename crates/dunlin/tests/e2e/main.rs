//! The program as its users run it: a process, a workspace of its own, real stores. One binary for all, because each
//! costs a link.
#![allow(clippy::unwrap_used)]

mod again;
mod canary;
mod crash;
mod crash_after;
mod customers;
mod duplicates;
mod equation;
mod faults;
mod fuzz;
mod laws;
mod lossless;
mod lossless_more;
mod merged_after;
mod merging;
mod moves;
mod nasty;
mod notice;
mod outcome;
mod packs;
mod pairs;
mod plan_errors;
mod profiles;
mod quarantine;
mod read_back;
mod scene;
mod sending;
mod serve;
mod sets;
mod settling;
mod shapes;
mod soak;
mod subjects;
mod subjects_beside;
mod support;
mod there;
mod totals;
mod verifying;
