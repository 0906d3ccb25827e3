//! Everything about a table besides its rows, where the plan takes it over as it is between two stores of one system
//! that can hand it over: made before the rows, completed after them, and held against the source at the end.
//!
//! Not here: tables that the plan changes, or that go under another name; they are made from what
//! [`dunlin_connect::Table`] has words for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dunlin_connect::{Definable, Definitions, Section, TableName, Thing, Unique};
use dunlin_store::Body;
use serde::{Deserialize, Serialize};

use crate::parts::rows_folder;
use crate::run::{Event, Run};
use crate::spec::TableSpec;
use crate::{MoveError, Result};

/// Something about a table that is not in the target as it is in the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftBehind {
    /// The table, as the store names it.
    pub table: String,
    /// What it is: `trigger audit`, `counter people_id_seq`.
    pub what: String,
}

impl LeftBehind {
    /// Whether it belongs to this table of the source; a name without a schema is any schema's.
    pub fn is_of(&self, table: &TableName) -> bool {
        self.table == table.to_string()
            || (table.schema.is_none() && self.table.rsplit('.').next() == Some(table.name.as_str()))
    }
}

/// Definitions as a run keeps them, so that it can go on.
#[derive(Serialize, Deserialize)]
struct Kept {
    definitions: Definitions,
    /// Whether what comes before the rows was made.
    made: bool,
    /// What lay in the target beside its tables before that; absent as long as nobody has looked.
    #[serde(default)]
    there: Option<Vec<Thing>>,
    /// What the run made there besides tables.
    #[serde(default)]
    things: Vec<Thing>,
    /// The large objects that the run made.
    #[serde(default)]
    objects: Vec<u32>,
}

/// The tables of one pair of stores that are taken over as they are.
struct Pair {
    from: Arc<dyn Definable>,
    to: Arc<dyn Definable>,
    to_name: String,
    specs: Vec<Arc<TableSpec>>,
    /// Names in the target that other tables of the plan have.
    besides: Vec<TableName>,
    /// Where the definitions are kept.
    file: PathBuf,
}

async fn pairs(run: &Run<'_>, id: &str, specs: &[Arc<TableSpec>]) -> Result<Vec<Pair>> {
    let mut pairs: BTreeMap<(String, String), Pair> = BTreeMap::new();
    for spec in specs.iter().filter(|s| s.carried) {
        let names = (spec.plan.from.store.clone(), spec.plan.to.store.clone());
        if let Some(pair) = pairs.get_mut(&names) {
            pair.specs.push(spec.clone());
            continue;
        }
        let (Some(from), Some(to)) = (run.source(spec)?.definable(), run.target(spec)?.definable()) else {
            continue;
        };
        // Names of stores may hold anything; the folder of rows knows how to write them.
        let safe = rows_folder(Path::new(""), id, &format!("{}>{}", names.0, names.1));
        let safe = safe.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = run.workspace.state_dir.join("definitions").join(format!("{id}-{safe}.json"));
        let mut besides = Vec::new();
        for other in run.resolved.specs.iter().filter(|s| !s.carried && s.plan.to.store == names.1) {
            besides.push(to.full_name(&other.target.name).await?);
        }
        let (to_name, specs) = (names.1.clone(), vec![spec.clone()]);
        pairs.insert(names, Pair { from, to, to_name, specs, besides, file });
    }
    Ok(pairs.into_values().collect())
}

impl Pair {
    fn kept(&self) -> Result<Option<Kept>> {
        match std::fs::read(&self.file) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(MoveError::file(&self.file, &error)),
        }
    }

    fn keep(&self, kept: &Kept) -> Result<()> {
        let fresh = self.file.with_extension("new");
        let failed = |e| MoveError::file(&self.file, &e);
        std::fs::write(&fresh, serde_json::to_vec(kept).unwrap_or_default()).map_err(failed)?;
        std::fs::rename(&fresh, &self.file).map_err(failed)
    }

    async fn opened(&self) -> Result<Kept> {
        let mut names: Vec<TableName> = self.specs.iter().map(|s| s.source.name.clone()).collect();
        names.sort();
        let before = self.kept()?.filter(|kept| kept.definitions.tables == names);
        let before = match before {
            Some(kept) if kept.definitions.archive.is_file() => return Ok(kept),
            other => other,
        };
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder).map_err(|e| MoveError::file(folder, &e))?;
        }
        let definitions = self.from.dump(&names, &self.besides, &self.file.with_extension("dump")).await?;
        // An archive that has served is gone, and asked for again when the run goes on after all.
        let mut kept =
            Kept { definitions, made: false, there: None, things: Vec::new(), objects: Vec::new() };
        if let Some(before) = before {
            let views = |view: &TableName| before.there.is_none() || before.definitions.views.contains(view);
            kept.definitions.views.retain(views);
            kept.definitions.filled_views.retain(views);
            kept = Kept { definitions: kept.definitions, ..before };
        }
        self.keep(&kept)?;
        Ok(kept)
    }
}

/// Makes the tables that are taken over as they are, with everything they need. One that could not be made that way is
/// left to [`dunlin_connect::Target::create`].
pub(crate) async fn before(run: &Run<'_>, id: &str, specs: &[Arc<TableSpec>]) -> Result<()> {
    for pair in pairs(run, id, specs).await? {
        run.observer.event(Event::Step { table: None, step: "make types, functions and tables" });
        let mut kept = pair.opened().await?;
        if kept.made {
            continue;
        }
        if kept.there.is_none() {
            // What was there before is nobody's to refresh, to compare or to take back.
            let mut own = Vec::new();
            for view in std::mem::take(&mut kept.definitions.views) {
                if run.target(&pair.specs[0])?.table(&view).await?.is_none() {
                    own.push(view);
                    continue;
                }
                let (table, message) = (view.to_string(), "was there before and is left as it is");
                run.observer.event(Event::Warning { table: &table, message });
            }
            kept.definitions.filled_views.retain(|view| own.contains(view));
            kept.definitions.views = own;
            kept.there = Some(pair.to.things().await?);
            pair.keep(&kept)?;
        }
        pair.to.restore(&kept.definitions, Section::BeforeRows, run.options.jobs).await?;
        kept.things = made(&kept, pair.from.things().await?, pair.to.things().await?);
        kept.made = true;
        pair.keep(&kept)?;
    }
    Ok(())
}

/// What the run has made: what is there now, was not there before, and is in the source.
fn made(kept: &Kept, source: Vec<Thing>, now: Vec<Thing>) -> Vec<Thing> {
    let source: BTreeSet<Thing> = source.into_iter().collect();
    let before: BTreeSet<&Thing> = kept.there.iter().flatten().collect();
    now.into_iter().filter(|thing| source.contains(thing) && !before.contains(thing)).collect()
}

/// Makes primary keys, unique constraints and indexes. What rows stand against is not made now: the rows are looked for,
/// and this is asked for again.
pub(crate) async fn keys(run: &Run<'_>, id: &str, specs: &[Arc<TableSpec>]) -> Result<()> {
    restore(run, id, specs, Section::Keys, "add keys and indexes").await
}

/// Makes foreign keys, triggers and all else that comes once no row has to leave any more.
pub(crate) async fn after(run: &Run<'_>, id: &str, specs: &[Arc<TableSpec>]) -> Result<()> {
    restore(run, id, specs, Section::AfterRows, "add foreign keys and triggers").await
}

async fn restore(
    run: &Run<'_>,
    id: &str,
    specs: &[Arc<TableSpec>],
    section: Section,
    step: &str,
) -> Result<()> {
    for pair in pairs(run, id, specs).await? {
        run.observer.event(Event::Step { table: None, step });
        let kept = pair.opened().await?;
        pair.to.restore(&kept.definitions, section, run.options.jobs).await?;
    }
    Ok(())
}

/// The last step: counters, large objects, filled views; then both catalogs are held against each other.
pub(crate) async fn finish(run: &Run<'_>, id: &str, specs: &[Arc<TableSpec>]) -> Result<Vec<LeftBehind>> {
    let mut left = Vec::new();
    for pair in pairs(run, id, specs).await? {
        run.observer.event(Event::Step { table: None, step: "compare definitions" });
        let mut kept = pair.opened().await?;
        let definitions = kept.definitions.clone();
        let counters = pair.from.counters(&definitions.counters).await?;
        let lost = pair.to.set_counters(&counters).await?;
        left.extend(
            lost.iter().map(|name| LeftBehind { table: name.to_string(), what: "counter".to_owned() }),
        );
        let mut objects = 0;
        for spec in &pair.specs {
            // Only what rows that have arrived point to: an erased or excluded row's object does not move.
            let arrived = pair.to.pointed(&spec.target).await?;
            let there = pair.from.objects(&spec.source).await?;
            let moving: Vec<u32> = there.into_iter().filter(|o| arrived.binary_search(o).is_ok()).collect();
            let personal = run.subjects.as_ref().is_some_and(|s| s.links.tables.contains_key(&spec.label));
            if personal && !moving.is_empty() {
                // Outside of every table nobody finds them again: an erasure could not prove that they are gone.
                let what = format!("{} large objects, which no erasure could follow", moving.len());
                left.push(LeftBehind { table: spec.source.name.to_string(), what });
                continue;
            }
            let there = pair.to.objects_there(&moving).await?;
            kept.objects.extend(moving.iter().filter(|o| there.binary_search(o).is_err()));
            // Before the first of them is made, so that a run that dies knows its own.
            pair.keep(&kept)?;
            for object in moving {
                run.options.pause.check()?;
                pair.to.copy_object(object, pair.from.as_ref()).await?;
                objects += 1;
            }
        }
        for view in pair.to.fill_views(&definitions).await? {
            left.push(LeftBehind { table: view.to_string(), what: "rows of a materialised view".to_owned() });
        }
        let before = left.len();
        for missing in pair.to.missing(&definitions).await? {
            let table = missing.table.to_string();
            match missing.needs.filter(|needs| !definitions.parts.iter().any(|p| p.table == *needs)) {
                // The plan leaves the other table behind, and says so itself.
                Some(needs) => run.observer.event(Event::Warning {
                    table: &table,
                    message: &format!("{} stays behind: {needs} is not in the plan", missing.what),
                }),
                None => left.push(LeftBehind { table, what: missing.what }),
            }
        }
        for gone in &left[before..] {
            let message = format!("{} is not in the target as it is in the source", gone.what);
            run.observer.event(Event::Warning { table: &gone.table, message: &message });
        }
        let body = Body::DefinitionsMoved {
            run: id.to_owned(),
            store: pair.to_name.clone(),
            tables: pair.specs.len() as u64,
            parts: definitions.parts.len() as u64,
            missing: (left.len() - before) as u64,
            objects,
        };
        run.workspace.state().enter(run.options.actor.clone(), body).await?;
        // The archive has served; what is left names things and holds hashes.
        let _ = std::fs::remove_file(pair.file.with_extension("dump"));
    }
    Ok(left)
}

/// Whether this key is in the target already.
pub(crate) async fn has_unique(run: &Run<'_>, spec: &TableSpec, unique: &Unique) -> Result<bool> {
    let Some(there) = run.target(spec)?.table(&spec.target.name).await? else { return Ok(false) };
    let index = |i: &dunlin_connect::Index| i.unique && i.columns == unique.columns;
    Ok(there.primary_key == unique.columns
        || there.uniques.iter().any(|u| u.columns == unique.columns)
        || there.indexes.iter().any(index))
}

/// Drops tables that were taken over as they are, after their rows were taken back, then what came with them and nothing
/// else uses; says what stays.
pub(crate) async fn drop_tables(run: &Run<'_>, id: &str, specs: &[Arc<TableSpec>]) -> Result<()> {
    for pair in pairs(run, id, specs).await? {
        let Some(kept) = pair.kept()? else { continue };
        let names: Vec<TableName> = pair.specs.iter().map(|s| s.target.name.clone()).collect();
        pair.to.drop_tables(&names, &kept.definitions).await?;
        let objects = pair.to.drop_objects(&kept.objects).await?;
        let mut stays: Vec<String> = pair.to.drop_things(&kept.things).await?.iter().map(told).collect();
        if !objects.is_empty() {
            stays.push(format!("{} large objects", objects.len()));
        }
        if !stays.is_empty() {
            let message =
                format!("came with the run and is in use elsewhere, so it stays: {}", stays.join(", "));
            run.observer.event(Event::Warning { table: &pair.to_name, message: &message });
        }
        let _ = std::fs::remove_file(pair.file.with_extension("dump"));
    }
    Ok(())
}

/// A thing by kind and name, for people.
fn told(thing: &Thing) -> String {
    format!("{} {}", thing.kind, thing.name)
}
