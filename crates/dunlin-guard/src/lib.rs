//! Who may touch customer data, who is in it now, and what they did.

mod policy;

pub use policy::{Action, Resource, Subject, Verdict};
