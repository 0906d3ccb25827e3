//! Which rows of the target a second run replaces, and which split deletes them.
//!
//! Not here: what is carried over instead ([`crate::carry`]), and the deleting, which the split's load does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use dunlin_connect::{Bounds, System};
use dunlin_store::{SplitRecord, SplitStatus};

use crate::address::{Wanted, walk};
use crate::carry::{is_carried, lines_up, previous};
use crate::error::rows;
use crate::parts::{Part, live_entries, parts_of};
use crate::run::Run;
use crate::spec::TableSpec;
use crate::{MoveError, Result, recover};

/// The addresses of the rows that an earlier run loaded and that this one loads again, by the split that deletes them.
///
/// Where a row cannot have moved to another split ([`stays`]), each split deletes what it replaces, in the transaction
/// that loads it: nobody sees the target without those rows. Elsewhere the first split that was not carried over deletes
/// them all. Splits that delete have to be through before any other begins, or a row that is now in another split than
/// before would stand against its own older self.
pub async fn replaced(
    run: &Run<'_>,
    id: &str,
    spec: &Arc<TableSpec>,
    splits: &[SplitRecord],
) -> Result<BTreeMap<u32, Vec<u64>>> {
    let before = previous(run, id, spec).await?;
    let Some(first) = splits.iter().find(|s| !is_carried(s)) else { return Ok(BTreeMap::new()) };
    if before.run.is_empty() {
        return Ok(BTreeMap::new());
    }
    let parts = parts_of(run.workspace.state(), &before.run, &spec.label).await?;
    let bounds: Vec<Bounds> =
        splits.iter().filter_map(|s| serde_json::from_value(s.descriptor.clone()).ok()).collect();
    let whole = !before.same_plan || !lines_up(&before, &bounds) || !before.amendments.is_empty();
    let apart = !whole && stays(run, spec, &bounds)?;
    // Where a split is loaded already, what it replaces went with it.
    let planned = |split: u32| splits.iter().any(|s| s.split == split && s.status == SplitStatus::Planned);
    let again = |split: u32| splits.iter().any(|s| s.split == split && !is_carried(s));
    let owner = |part: &Part| -> Option<u32> {
        let split = part.name.parse().ok();
        let goes = whole || split.is_some_and(again);
        let owner = if apart { split? } else { first.split };
        (goes && planned(owner)).then_some(owner)
    };
    let owners: Vec<Option<u32>> = parts.iter().map(owner).collect();
    if owners.iter().all(Option::is_none) {
        return Ok(BTreeMap::new());
    }
    let mut wanted = Wanted::new();
    live_entries(&run.workspace.state_dir, &spec.label, &parts, |place, entry| {
        if let Some(split) = owners[place] {
            wanted.add(entry.row, split);
        }
    })?;
    let mut found: HashMap<u32, Vec<u64>> = HashMap::new();
    if wanted.left() > 0 {
        let reader = run.target(spec)?.reader().await?;
        let as_loaded = if before.same_plan { spec.clone() } else { spec_of(run, &before.run, spec).await? };
        walk(reader.as_ref(), &as_loaded, &run.key, |position, hash| {
            if let Some(split) = wanted.take(&hash) {
                found.entry(split).or_default().push(position);
            }
        })
        .await?;
    }
    if wanted.left() > 0 {
        return Err(MoveError::Refused {
            code: "target-changed",
            message: format!(
                "{} of {} {} changed in the target since {} loaded",
                rows(wanted.left() as u64),
                spec.label,
                if wanted.left() == 1 { "was" } else { "were" },
                if wanted.left() == 1 { "it was" } else { "they were" },
            ),
            help: "`dunlin verify` names them; put them back, or set `replace = true` to load the table anew"
                .to_owned(),
        });
    }
    Ok(found.into_iter().collect())
}

/// Whether a row stays in its split from run to run, and two rows of different splits can never stand against each
/// other: splits are ranges of a key column, which every unique constraint of the target holds. The addresses of a
/// database's rows stay as well when others are deleted; those of a file's rows do not, but there nobody sees anything
/// before the parts are joined.
fn stays(run: &Run<'_>, spec: &TableSpec, bounds: &[Bounds]) -> Result<bool> {
    if run.target(spec)?.system() == System::Files {
        return Ok(false);
    }
    let mut columns: BTreeSet<Option<&str>> = BTreeSet::new();
    for bounds in bounds {
        columns.insert(match bounds {
            Bounds::Key { column, .. } => Some(column.as_str()),
            _ => None,
        });
    }
    let mut columns = columns.into_iter();
    let (Some(Some(column)), None) = (columns.next(), columns.next()) else { return Ok(false) };
    let column = rowid_column(run, spec)?.filter(|_| column == "rowid").unwrap_or(column);
    let Some(read) = spec.mapping.read_schema.index_of(column).ok() else { return Ok(false) };
    let mapped: Vec<&str> = spec
        .mapping
        .columns
        .iter()
        .filter(|m| m.from == Some(read) && m.protect.is_none())
        .map(|m| m.target.as_str())
        .collect();
    let target = &spec.target;
    let primary = (!target.primary_key.is_empty()).then_some(&target.primary_key);
    let indexes = target.indexes.iter().filter(|i| i.unique).map(|i| &i.columns);
    let uniques = target.uniques.iter().map(|u| &u.columns);
    let mut constraints = primary.into_iter().chain(uniques).chain(indexes);
    Ok(constraints.all(|columns| columns.iter().any(|c| mapped.contains(&c.as_str()))))
}

/// The column that is the rowid of a SQLite source: its only key column, where that is declared as just `INTEGER`.
fn rowid_column<'a>(run: &Run<'_>, spec: &'a TableSpec) -> Result<Option<&'a str>> {
    let [key] = spec.source.primary_key.as_slice() else { return Ok(None) };
    let declared = spec.source.column(key).is_some_and(|c| c.declared.eq_ignore_ascii_case("integer"));
    Ok((declared && run.source(spec)?.system() == System::Sqlite).then_some(key.as_str()))
}

/// The table as an earlier run, with an earlier form of the plan, resolved it: by that its rows are found again.
async fn spec_of(run: &Run<'_>, before: &str, spec: &TableSpec) -> Result<Arc<TableSpec>> {
    let record = run.workspace.state().run(before).await?;
    let saved = recover::saved_tables(run.workspace, before).await?;
    let lost = || MoveError::Refused {
        code: "earlier-plan",
        message: format!("the plan of run {before} cannot be read any more with the stores of this one"),
        help: format!("take the earlier run back first: dunlin undo --run {before}"),
    };
    let plan = dunlin_plan::load(&record.plan_text, &record.plan_file).map_err(|_| lost())?;
    let resolved = crate::resolve::resolve(&plan, &run.stores, record.started_at, &saved).await?;
    resolved.specs.iter().find(|s| s.label == spec.label).cloned().ok_or_else(lost)
}
