//! Protection against attacks on sign-in: every attempt is counted, durably, *before* it is verified, so that no
//! number of parallel guesses gets past a limit, nor a restart, nor another clock.
//!
//! What counts together: one credential of one account from one network (soft lock); one credential of one account
//! from all networks that the person has not come from before; one network (an address, or a /64); and all
//! together, to see stuffing. A passkey is recorded and never locked. Unknown accounts count like known ones.
//!
//! Not here: the HTTP server's own rate limits.

mod counter;
mod origin;
mod reserve;
mod settle;
mod unlock;

pub(crate) use counter::{Counter, Owner, read as read_counter, write as write_counter};
pub use origin::{Network, Origin};
pub(crate) use reserve::{Attempt, Gate, Reserved};
pub(crate) use settle::Settled;
pub use unlock::{AttemptInfo, Lock};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
