//! People: who they are, their role, and whether they may come in.
//!
//! Not here: what they sign in with (`credentials`), sessions (`session`), what a role may do (`policy`).

mod person;

pub use person::{Person, Status};
