//! People: who they are, their role, and whether they may come in.
//!
//! Each action is one call and one transaction with its entry. Who may do it is for the policies to say; what would
//! leave the workspace without an owner is refused here, whoever asks.
//!
//! Not here: what they sign in with (`credentials`), sessions (`session`), what a role may do (`policy`).

mod add;
mod address;
mod block;
mod change;
mod person;
mod record;
mod setup;

pub use add::NewPerson;
pub(crate) use add::clean_name;
pub use block::Reason;
pub use change::Limit;
pub(crate) use change::changed;
pub(crate) use person::{COLUMNS as PERSON_COLUMNS, fold_email, in_tx as person_in_tx, read as read_person};
pub use person::{Person, Status};
pub use record::{AccessedClass, DataTouched, GrantHeld, Investigation, Note, PersonRecord};
pub use setup::SetUp;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
