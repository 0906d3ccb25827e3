//! The program as its users run it: a process, a workspace of its own, real stores. One binary for all, because each
//! costs a link.

mod crash;
mod equation;
mod again;
mod moves;
mod quarantine;
mod read_back;
mod scene;
mod soak;
mod support;
