//! A customer's rows leave quarantine: first the state and the ledger know it, then the sealed row is overwritten.
//!
//! The row's place in its fragment stays, blank, because other rows are named by their numbers. A fragment's hash in an
//! old receipt and ledger entry is that of the fragment as it was written; nothing compares it any more.

use std::collections::BTreeMap;

use dunlin_store::Workspace;

use super::act::run_of;
use super::sweep::WaitingRow;
use crate::accounting::PartReceipt;
use crate::parts::parts_of;
use crate::quarantine::{Form, QuarantinedRow};
use crate::run::Run;
use crate::{Result, recover};

/// The reason of a row that was overwritten.
pub(crate) const BLANK: &str = "erased";

/// Takes rows out of quarantine; gives how many. `id` is the run whose equation they stand in.
pub(crate) async fn leave(run: &Run<'_>, id: Option<&str>, rows: &[WaitingRow]) -> Result<u64> {
    let mut places: BTreeMap<(&str, &str, &str), Vec<&WaitingRow>> = BTreeMap::new();
    for row in rows {
        places.entry((&row.table, &row.run, &row.fragment)).or_default().push(row);
    }
    for ((table, origin, fragment), rows) in &places {
        let numbers: Vec<u32> = rows.iter().map(|r| r.number).collect();
        let spec = run.resolved.specs.iter().find(|s| s.label == *table);
        let of = match (id, spec) {
            (Some(id), Some(spec)) => Some(run_of(run, spec, id).await?),
            _ => None,
        };
        account(run, of.as_deref(), table, (origin, fragment), rows).await?;
        fail::fail_point!("move::subject.quarantine", |_| Err(crate::MoveError::failpoint(
            "move::subject.quarantine"
        )));
        blank(run.workspace, origin, table, fragment, &numbers)?;
    }
    Ok(rows.len() as u64)
}

/// Forgets the rows' places; those that waited in this run's equation are `erased` from now on.
async fn account(
    run: &Run<'_>,
    id: Option<&str>,
    table: &str,
    (origin, fragment): (&str, &str),
    rows: &[&WaitingRow],
) -> Result<()> {
    let state = run.workspace.state();
    let mine = match id {
        Some(id) => parts_of(state, id, table)
            .await?
            .iter()
            .any(|p| p.origin == origin && p.receipt.fragment.as_ref().is_some_and(|f| f.name == fragment)),
        None => false,
    };
    let numbers: Vec<u32> = rows.iter().map(|r| r.number).collect();
    let number = match id {
        Some(id) => state.amendments(id, table).await?.iter().map(|a| a.amendment).max().map_or(1, |n| n + 1),
        None => 0,
    };
    let mut tx = state.begin().await?;
    let waited = tx.erase_quarantine_rows(origin, table, fragment, &numbers).await?;
    if let (Some(id), true) = (id, mine && !waited.is_empty()) {
        let mut receipt = PartReceipt::default();
        for row in rows.iter().filter(|r| waited.contains(&r.number)) {
            receipt.dispositions.erased.add(row.row.source);
            receipt.taken.quarantined.add(row.row.source);
        }
        recover::enter_amendment(&mut tx, &run.options.actor, id, table, number, receipt).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Writes a fragment anew without what these rows held.
fn blank(workspace: &Workspace, run: &str, table: &str, fragment: &str, rows: &[u32]) -> Result<()> {
    let fragments = workspace.fragments();
    let mut writer = fragments.create(run, table, fragment)?;
    for (number, payload) in fragments.open(run, table, fragment)?.enumerate() {
        let payload = payload?;
        if rows.contains(&(number as u32)) {
            let empty = QuarantinedRow {
                split: 0,
                position: 0,
                byte: None,
                reason: BLANK.to_owned(),
                column: None,
                constraint: None,
                pattern: None,
                form: Form::Source,
                fields: Vec::new(),
                wire: None,
                source: dunlin_connect::canon::RowHash::EMPTY,
            };
            writer.push(&empty.pack())?;
        } else {
            writer.push(&payload)?;
        }
    }
    writer.finish()?;
    Ok(())
}
