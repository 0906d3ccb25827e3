//! What the stores say of the plan's tables without a row being read: their columns, and those that have no fate.

use std::collections::BTreeMap;

use dunlin_connect::Table;
use dunlin_move::{MoveError, Stores, find_table, try_resolve};
use dunlin_server::Surveyed;
use dunlin_store::now_us;
use sha2::{Digest, Sha256};

use crate::workspace::PlanFile;

/// The rule under which the mover names a source column that has no fate.
const WITHOUT_FATE: &str = "move-column-without-fate";

/// Asks the stores of a plan.
pub async fn survey(plan: &PlanFile) -> Result<Vec<Surveyed>, MoveError> {
    let stores = Stores::open(&plan.plan, &plan.dir).await?;
    let (_, findings) = try_resolve(&plan.plan, &stores, now_us(), &BTreeMap::new()).await?;
    let mut all = Vec::new();
    for table in &plan.plan.tables {
        let label = table.label();
        let source = find_table(stores.get(&table.from.store)?.as_ref(), &table.from).await?;
        let target = find_table(stores.get(&table.to.store)?.as_ref(), &table.to).await?;
        let of_table =
            findings.iter().filter(|f| f.rule == WITHOUT_FATE && f.table.as_deref() == Some(&label));
        let mut undecided: Vec<String> = of_table.filter_map(|f| f.column.clone()).collect();
        undecided.sort();
        undecided.dedup();
        let mut hasher = Sha256::new();
        columns(&mut hasher, source.as_ref());
        // A target that the move itself will make, or has made, is no change of anybody's schema.
        let rows = source.and_then(|t| t.rows_estimate);
        if table.into != dunlin_plan::IntoMode::Empty {
            columns(&mut hasher, target.as_ref());
        }
        all.push(Surveyed { label, schema: hex::encode(hasher.finalize()), undecided, rows });
    }
    Ok(all)
}

/// Names and types, in the store's order.
fn columns(hasher: &mut Sha256, table: Option<&Table>) {
    for column in table.iter().flat_map(|t| &t.columns) {
        let text = format!("{}\u{1f}{:?}\u{1e}", column.name, column.ty);
        hasher.update(text.as_bytes());
    }
    hasher.update(b"\x1d");
}
