//! Protection against attacks on sign-in: every attempt is counted before it is verified.

mod origin;

pub use origin::{Network, Origin};
