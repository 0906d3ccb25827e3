//! Sessions and who is behind them.
//!
//! A session is a row of our own table and a random token in the browser. Nothing about it is cached: each request
//! asks the table, so that a session that was ended in any process is over with the next request.
//!
//! Not here: how people prove who they are (`credentials`), tokens of programs (`tokens`).

mod check;
mod list;
mod open;
mod sign_in;
mod who;

pub use list::SessionInfo;
pub(crate) use list::{Ends, end};
pub use open::{Factors, SignedIn};
pub(crate) use open::{How, read_factors};
pub(crate) use sign_in::{PASSWORD_MAX, credential_changed};
pub use who::{Stage, Via, Who};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
