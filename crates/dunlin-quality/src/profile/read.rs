//! A table from a store through the profile: its parts at the same time, each row once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dunlin_connect::{Bounds, ReadRequest, Reader, Store, Table};
use futures::StreamExt;
use tokio::task::JoinSet;

use super::{Profile, Profiler};
use crate::rules::Rules;

/// Rows of a part: enough to be worth a worker, few enough for several.
const PART_ROWS: u64 = 250_000;

/// How a table is profiled.
#[derive(Clone, Default)]
pub struct ProfileOptions {
    /// The name by which access to its values is asked for and entered, e.g. the plan's label; else the table's own.
    pub name: Option<String>,
    /// Only about so many rows, the first ones.
    pub sample: Option<u64>,
    /// Rules that every row is held against on the way.
    pub rules: Option<Arc<Rules>>,
}

/// Profiles a whole table, in one pass.
///
/// # Errors
/// Those of the store.
pub async fn profile_table(store: &dyn Store, table: Table) -> dunlin_connect::Result<Profile> {
    profile_table_with(store, table, ProfileOptions::default()).await
}

/// The same under another name, e.g. the plan's label: by that name the access to its values is asked for and entered.
///
/// # Errors
/// Those of the store.
pub async fn profile_table_as(
    store: &dyn Store,
    table: Table,
    name: &str,
) -> dunlin_connect::Result<Profile> {
    profile_table_with(
        store,
        table,
        ProfileOptions { name: Some(name.to_owned()), ..ProfileOptions::default() },
    )
    .await
}

/// Profiles a table, in one pass over it (its first rows are read twice: they tell the kinds).
///
/// # Errors
/// Those of the store.
pub async fn profile_table_with(
    store: &dyn Store,
    table: Table,
    options: ProfileOptions,
) -> dunlin_connect::Result<Profile> {
    let reader = store.reader().await?;
    let mut first = Profiler::new(&table);
    if let Some(name) = &options.name {
        first.table.clone_from(name);
    }
    let table = Arc::new(table);
    let mut parts = reader.splits(&table, PART_ROWS, &[]).await?;
    parts.reverse();
    told(reader.as_ref(), &table, &parts, &mut first).await?;
    let mut whole = first.beside();
    // A sample is the first rows, so its parts take turns.
    let workers = match options.sample {
        Some(_) => 1,
        None => std::thread::available_parallelism().map_or(2, usize::from).min(8),
    };
    let read = Arc::new(AtomicU64::new(0));
    let mut at_work = JoinSet::new();
    loop {
        while at_work.len() < workers
            && let Some(bounds) = parts.pop()
        {
            let (reader, options, read) = (reader.clone(), options.clone(), read.clone());
            let mut request = ReadRequest::all(table.clone(), bounds);
            if let Some(most) = options.sample {
                let left = most.saturating_sub(read.load(Ordering::Relaxed));
                if left == 0 {
                    parts.clear();
                    break;
                }
                request.batch_rows = request.batch_rows.min(usize::try_from(left).unwrap_or(usize::MAX));
            }
            let profiler = whole.beside();
            at_work.spawn(async move { part(reader.as_ref(), request, profiler, &options, &read).await });
        }
        match at_work.join_next().await {
            None => break,
            Some(Ok(profiler)) => whole.merge(profiler?),
            Some(Err(_)) => {
                return Err(dunlin_connect::ConnectError::Store {
                    store: store.name().to_owned(),
                    act: "profile a table".to_owned(),
                    code: "Panicked".to_owned(),
                    transient: false,
                });
            }
        }
    }
    let rules = options.rules.as_ref().map(|rules| whole.counted(rules)).unwrap_or_default();
    Ok(Profile { rules, ..whole.finish(store.name()) })
}

/// Lets the first rows tell the kinds.
async fn told(
    reader: &dyn Reader,
    table: &Arc<Table>,
    parts: &[Bounds],
    first: &mut Profiler,
) -> dunlin_connect::Result<()> {
    if let Some(bounds) = parts.last() {
        let request =
            ReadRequest { batch_rows: super::SAMPLE, ..ReadRequest::all(table.clone(), bounds.clone()) };
        let mut stream = reader.read(request).await?;
        while let Some(batch) = stream.next().await {
            first.push(&batch?);
            if !first.columns.is_empty() {
                return Ok(());
            }
        }
    }
    first.decide();
    Ok(())
}

async fn part(
    reader: &dyn Reader,
    request: ReadRequest,
    mut profiler: Profiler,
    options: &ProfileOptions,
    read: &AtomicU64,
) -> dunlin_connect::Result<Profiler> {
    let mut stream = reader.read(request).await?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        if let Some(rules) = &options.rules {
            profiler.hold_against(rules, &batch.rows);
        }
        profiler.push(&batch);
        let rows = batch.rows.num_rows() as u64;
        if options.sample.is_some_and(|most| read.fetch_add(rows, Ordering::Relaxed) + rows >= most) {
            break;
        }
    }
    Ok(profiler)
}
