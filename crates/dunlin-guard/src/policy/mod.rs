//! Who may do what, decided by Cedar policies: the API's actions and every look at customer data.
//!
//! Not here: who somebody is (`session`), and making an access durable (`presence`).

mod action;
mod authority;
mod error;
mod facts;
mod gate;
mod policies;
mod resource;
#[cfg(test)]
pub(crate) mod tests;
mod verdict;
mod view;

pub use action::{Action, Subject};
pub use authority::Authority;
pub use error::{AccessError, PolicyError};
pub use facts::party;
pub use gate::{ColumnView, GuardPolicy, WouldSee};
pub use policies::Sentence;
pub use resource::Resource;
pub use verdict::Verdict;
