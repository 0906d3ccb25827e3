//! What people sign in with: passwords, one-time codes, recovery codes, passkeys.
//!
//! Not here: counting attempts (`limit`) and sessions (`session`).

mod breached;
mod pool;

pub(crate) use breached::Breached;
pub(crate) use pool::HashPool;
