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
mod fuzz;
mod lossless;
mod merging;
mod moves;
mod notice;
mod plan_errors;
mod quarantine;
mod read_back;
mod scene;
mod sending;
mod serve;
mod shapes;
mod soak;
mod subjects;
mod subjects_beside;
mod support;
