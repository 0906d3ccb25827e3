//! Sealed customer data and the only way to open it.
//!
//! It is: [`Sealed`], which keeps rows from being printed, serialised or indexed; [`Policy`], which decides
//! who may see what; [`open`], which writes the ledger's entry before the first value leaves; the masks; and
//! [`neutralise_cell`] for files that people open in a spreadsheet.
//!
//! It is not: the store of people, roles and grants, nor the place where entries become durable: that is
//! whoever implements [`AccessLog`].

mod cell;
mod mask;
mod open;
mod policy;
mod sealed;

pub use cell::neutralise_cell;
pub use mask::{Mask, mask, mask_value};
pub use open::{Opened, Refused, open};
pub use policy::{Ask, Decision, MaskedOnly, Policy, Shown};
pub use sealed::{ColumnInfo, Rows, Sealed};

/// Where an access becomes durable before data leaves. Implemented by dunlin's state.
#[async_trait::async_trait]
pub trait AccessLog: Send + Sync {
    /// Keeps a text typed by a person in the state and returns its salted hash, as lower-case hex.
    async fn keep_text(&self, text: &str) -> Result<String, LogFailed>;

    /// Keeps the names of the rows that somebody is about to see, encrypted, where the log can. What the ledger
    /// gets is their Merkle root alone.
    async fn keep_rows(&self, access: &str, names: &[String]) -> Result<(), LogFailed> {
        let _ = (access, names);
        Ok(())
    }

    /// Enters this; when it returns, the entry is durable.
    async fn enter(&self, actor: &dunlin_ledger::Actor, body: dunlin_ledger::Body) -> Result<(), LogFailed>;
}

/// The entry could not be made durable, so nothing may be shown. Says no more: the log's owner has said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access could not be entered into the ledger")]
pub struct LogFailed;
