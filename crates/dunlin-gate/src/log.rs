//! Where an access becomes durable before data leaves. Not here: how, which is dunlin's state and its guard.

use std::collections::BTreeMap;

use dunlin_ledger::{Actor, Body};
use dunlin_plan::Class;

use crate::{Ask, ColumnInfo, Mask, Shown};

/// An access that is about to begin, as it was decided.
pub struct Opening<'a> {
    /// The access's id.
    pub access: &'a str,
    /// The question that was granted.
    pub ask: &'a Ask,
    /// The store's name in the plan.
    pub store: &'a str,
    /// The table's label.
    pub table: &'a str,
    /// The columns that are shown, each with its form. Hidden ones are not among them.
    pub columns: &'a [(ColumnInfo, Shown)],
    /// Salted hash of the purpose's words; empty without any.
    pub purpose_hash: &'a str,
    /// At most this many rows.
    pub limit: Option<u64>,
    /// Whether rows will leave in batches, until the stream ends or is dropped; otherwise they all leave at once.
    pub streamed: bool,
}

impl Opening<'_> {
    /// The purpose's category; `inspection` when none was given.
    pub fn purpose_category(&self) -> &str {
        self.ask.purpose_category.as_deref().unwrap_or("inspection")
    }

    /// The highest class among the columns that are shown.
    pub fn class(&self) -> Class {
        self.columns.iter().map(|(c, _)| c.class()).max().unwrap_or(Class::Public)
    }

    /// The highest class among the columns that are shown in clear, if any is.
    pub fn clear_class(&self) -> Option<Class> {
        self.columns.iter().filter(|(_, shown)| *shown == Shown::Clear).map(|(c, _)| c.class()).max()
    }

    /// The entries of it: one, or several under the same id when a table has so many columns that their names do not
    /// fit into one.
    pub fn entries(&self) -> Vec<Body> {
        let entry = |columns: &[(ColumnInfo, Shown)]| {
            let masked = columns.iter().filter(|(_, shown)| *shown == Shown::Masked);
            let masks: BTreeMap<String, String> =
                masked.map(|(c, _)| (c.name.clone(), mask_of(c).as_str().to_owned())).collect();
            Body::AccessOpened {
                access: self.access.to_owned(),
                purpose_category: self.purpose_category().to_owned(),
                purpose_hash: self.purpose_hash.to_owned(),
                store: self.store.to_owned(),
                table: self.table.to_owned(),
                columns: columns.iter().map(|(c, _)| c.name.clone()).collect(),
                masks,
                limit: self.limit,
            }
        };
        chunks(self.columns).into_iter().map(entry).collect()
    }
}

pub(crate) fn mask_of(column: &ColumnInfo) -> Mask {
    Mask::for_kind(column.kind.as_deref())
}

/// At least one chunk; the names of each, which stand in an entry twice, fit into it.
fn chunks(columns: &[(ColumnInfo, Shown)]) -> Vec<&[(ColumnInfo, Shown)]> {
    const NAME_BYTES_MAX: usize = 16 * 1024;
    let mut chunks = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, (column, _)) in columns.iter().enumerate() {
        // What JSON and the mask's name add.
        let more = column.name.len() + 16;
        if at > start && bytes + more > NAME_BYTES_MAX {
            chunks.push(&columns[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += more;
    }
    chunks.push(&columns[start..]);
    chunks
}

/// Where an access becomes durable before data leaves. Implemented by dunlin's state, and by the guard, which also
/// remembers who is in the data now.
#[async_trait::async_trait]
pub trait AccessLog: Send + Sync {
    /// Keeps a text typed by a person in the state and returns its salted hash, as lower-case hex.
    async fn keep_text(&self, text: &str) -> Result<String, LogFailed>;

    /// Keeps the names of the rows that somebody is about to see, encrypted, where the log can. `part` counts the
    /// batches of an access from 0. What the ledger gets is their Merkle root alone.
    async fn keep_rows(&self, access: &str, part: u32, names: &[String]) -> Result<(), LogFailed> {
        let _ = (access, part, names);
        Ok(())
    }

    /// Enters this; when it returns, the entry is durable.
    async fn enter(&self, actor: &Actor, body: Body) -> Result<(), LogFailed>;

    /// Enters the beginning of an access.
    async fn opening(&self, opening: &Opening<'_>) -> Result<(), LogFailed> {
        for body in opening.entries() {
            self.enter(&opening.ask.actor, body).await?;
        }
        Ok(())
    }

    /// Enters that a question was refused.
    async fn denied(&self, ask: &Ask, body: Body) -> Result<(), LogFailed> {
        self.enter(&ask.actor, body).await
    }

    /// Enters the end of an access; `reason` is a code: `done`, or why it was stopped.
    async fn closing(&self, actor: &Actor, access: &str, rows: u64, reason: &str) -> Result<(), LogFailed> {
        let _ = reason;
        self.enter(actor, Body::AccessClosed { access: access.to_owned(), rows }).await
    }

    /// Told when a stream of rows was dropped before its end, from where nothing can wait. Whoever remembers open
    /// accesses enters its end soon after.
    fn dropped(&self, actor: &Actor, access: &str, rows: u64) {
        let _ = (actor, access, rows);
    }
}

/// The entry could not be made durable, so nothing may be shown. Says no more: the log's owner has said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access could not be entered into the ledger")]
pub struct LogFailed;
