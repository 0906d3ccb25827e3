//! Who may do what, decided by Cedar policies: the API's actions and every look at customer data.
//!
//! Not here: who somebody is (`session`), and making an access durable (`presence`).

mod action;
mod resource;
mod verdict;

pub use action::{Action, Subject};
pub use resource::Resource;
pub use verdict::Verdict;
