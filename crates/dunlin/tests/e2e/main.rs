//! The program as its users run it: a process, a workspace of its own, real stores. One binary for all, because each
//! costs a link.

mod crash;
mod moves;
mod scene;
mod soak;
mod support;
