//! The only way out of a seal: ask the policy, make the entry durable, then hand the rows over.
//!
//! Not here: what the policy decides and how an entry becomes durable.

use std::collections::BTreeMap;

use dunlin_ledger::{Actor, Body};

use crate::{AccessLog, Ask, ColumnInfo, Decision, LogFailed, Mask, Policy, Rows, Sealed, Shown};

/// Why rows stay under seal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The policy says no.
    #[error("{reason}; {help}")]
    Denied {
        /// Why not.
        reason: &'static str,
        /// What to do about it.
        help: &'static str,
    },
    /// The entry could not be made durable.
    #[error(transparent)]
    Log(#[from] LogFailed),
}

/// Rows that somebody may see, in the form that was decided. It has no `Debug`.
pub struct Opened {
    /// The access's id, as it stands in the ledger.
    pub access: String,
    /// The store's name in the plan.
    pub store: String,
    /// The table's label.
    pub table: String,
    /// The columns.
    pub columns: Vec<ColumnInfo>,
    /// How the values are shown.
    pub shown: Shown,
    /// The values, masked or clear; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    actor: Actor,
}

/// Opens sealed rows: the policy decides, `access_opened` and `access_rows` are durable, then the rows leave.
///
/// `access` is a new id for this access; the caller ends with [`Opened::close`] once the rows are shown.
pub async fn open(
    sealed: Sealed<Rows>,
    policy: &dyn Policy,
    log: &dyn AccessLog,
    ask: &Ask,
    access: &str,
) -> Result<Opened, Refused> {
    let shown = match policy.decide(ask).await {
        Decision::Allow(shown) => shown,
        Decision::Deny { reason, help } => return Err(Refused::Denied { reason, help }),
    };
    let mut rows = sealed.break_seal();
    let limit = ask.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    rows.rows.truncate(limit);
    let names = &ask.row_names[..ask.row_names.len().min(rows.rows.len())];
    enter_opened(&rows, shown, log, ask, access).await?;
    let count = rows.rows.len() as u64;
    if !names.is_empty() {
        log.keep_rows(access, names).await?;
    }
    let leaving = Body::AccessRows { access: access.to_owned(), count, root: dunlin_ledger::root_of(names) };
    log.enter(&ask.actor, leaving).await?;
    if shown == Shown::Masked {
        mask_rows(&mut rows);
    }
    Ok(Opened {
        access: access.to_owned(),
        store: rows.store,
        table: rows.table,
        columns: rows.columns,
        shown,
        rows: rows.rows,
        actor: ask.actor.clone(),
    })
}

/// Enters `access_opened`: once, or several times under the same id when a table has so many columns that their
/// names do not fit into one entry.
async fn enter_opened(
    rows: &Rows,
    shown: Shown,
    log: &dyn AccessLog,
    ask: &Ask,
    access: &str,
) -> Result<(), LogFailed> {
    let purpose_hash = match &ask.purpose_text {
        Some(text) => log.keep_text(text).await?,
        None => String::new(),
    };
    for columns in chunks(&rows.columns) {
        let masks: BTreeMap<String, String> = match shown {
            Shown::Clear => BTreeMap::new(),
            Shown::Masked => {
                columns.iter().map(|c| (c.name.clone(), mask_of(c).as_str().to_owned())).collect()
            }
        };
        let opened = Body::AccessOpened {
            access: access.to_owned(),
            purpose_category: ask.purpose_category.clone().unwrap_or_else(|| "inspection".to_owned()),
            purpose_hash: purpose_hash.clone(),
            store: rows.store.clone(),
            table: rows.table.clone(),
            columns: columns.iter().map(|c| c.name.clone()).collect(),
            masks,
            limit: ask.limit,
        };
        log.enter(&ask.actor, opened).await?;
    }
    Ok(())
}

/// At least one chunk; the names of each, which stand in an entry twice, fit into it.
fn chunks(columns: &[ColumnInfo]) -> Vec<&[ColumnInfo]> {
    const NAME_BYTES_MAX: usize = 16 * 1024;
    let mut chunks = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, column) in columns.iter().enumerate() {
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

impl Opened {
    /// Enters the end of this access. Without it the ledger shows an access that never ended.
    pub async fn close(self, log: &dyn AccessLog) -> Result<(), LogFailed> {
        let rows = self.rows.len() as u64;
        log.enter(&self.actor, Body::AccessClosed { access: self.access, rows }).await
    }
}

fn mask_of(column: &ColumnInfo) -> Mask {
    Mask::for_kind(column.kind.as_deref())
}

fn mask_rows(rows: &mut Rows) {
    // A value beyond the known columns has no kind; it is masked whole rather than trusted.
    let masks: Vec<Mask> = rows.columns.iter().map(mask_of).collect();
    for row in &mut rows.rows {
        for (at, value) in row.iter_mut().enumerate() {
            if let Some(value) = value {
                *value = masks.get(at).copied().unwrap_or(Mask::Whole).apply(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::executor::block_on;

    use super::*;
    use crate::MaskedOnly;

    /// A log that works `good` times.
    struct Flaky {
        good: usize,
        seen: Mutex<Vec<String>>,
    }

    impl Flaky {
        fn note(&self, what: &str) -> Result<(), LogFailed> {
            let mut seen = self.seen.lock().unwrap();
            if seen.len() == self.good {
                return Err(LogFailed);
            }
            seen.push(what.to_owned());
            Ok(())
        }
    }

    #[async_trait::async_trait]
    impl AccessLog for Flaky {
        async fn keep_text(&self, _: &str) -> Result<String, LogFailed> {
            self.note("text").map(|()| "00".to_owned())
        }

        async fn keep_rows(&self, _: &str, names: &[String]) -> Result<(), LogFailed> {
            self.note(&format!("{} names", names.len()))
        }

        async fn enter(&self, _: &Actor, body: Body) -> Result<(), LogFailed> {
            match body {
                Body::AccessOpened { limit, .. } => self.note(&format!("opened {limit:?}")),
                Body::AccessRows { count, .. } => self.note(&format!("rows {count}")),
                _ => self.note("closed"),
            }
        }
    }

    #[test]
    fn nothing_leaves_unless_everything_was_entered_before() {
        let column = ColumnInfo { name: "email".into(), kind: Some("email".into()) };
        let mut ask = Ask::clear(Actor::Local { user: "ana".into() }, "support_case", "ticket 1");
        ask.limit = Some(2);
        ask.row_names = vec!["n1".into(), "n2".into(), "n3".into()];
        for good in 0..=4 {
            let rows = vec![vec![Some("a@b.co".into())]; 3];
            let rows = Rows { store: "s".into(), table: "t".into(), columns: vec![column.clone()], rows };
            let log = Flaky { good, seen: Mutex::default() };
            let opened = block_on(open(Sealed::seal(rows), &MaskedOnly, &log, &ask, "a1"));
            let seen = log.seen.into_inner().unwrap();
            assert_eq!(seen, ["text", "opened Some(2)", "2 names", "rows 2"][..good]);
            match opened {
                Ok(opened) => assert_eq!((good, opened.rows.len()), (4, 2)),
                Err(refused) => assert_eq!(refused, Refused::Log(LogFailed)),
            }
        }
    }

    #[test]
    fn a_value_without_a_known_column_is_masked_whole() {
        let rows = Rows {
            store: "s".into(),
            table: "t".into(),
            columns: Vec::new(),
            rows: vec![vec![Some("value".into())]],
        };
        let log = Flaky { good: 9, seen: Mutex::default() };
        let ask = Ask::masked(Actor::System);
        let opened = block_on(open(Sealed::seal(rows), &MaskedOnly, &log, &ask, "a1"));
        let rows = opened.map(|o| o.rows).unwrap_or_default();
        assert_eq!(rows, [[Some("•••".to_owned())]]);
    }
}
