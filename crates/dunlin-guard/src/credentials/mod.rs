//! What people sign in with: passwords, one-time codes, recovery codes, passkeys.
//!
//! Not here: counting attempts (`limit`) and sessions (`session`).

mod breached;
mod factor;
mod passkey;
mod password;
mod pool;
mod recovery;
mod seal;
mod totp;

pub(crate) use breached::Breached;
pub use passkey::{Ceremony, PasskeyInfo};
pub(crate) use pool::HashPool;
pub use totp::TotpEnrolment;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod device_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
