//! A customer in the copies that rehearsals have made. A copy has no equation any more: rows are deleted, and that is all.
//!
//! A copy may be de-identified: then the customer is in it under tokens, which are what the customer's values become
//! under the workspace's key. So each copy is searched by the plan it was made with, from the customer's key and from
//! that key's token.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use dunlin_connect::{ColumnType, ConnectError};
use dunlin_plan::{Plan, Protect};
use dunlin_store::{Effect, Mark, RehearsalCopy, Workspace};

use super::links::Links;
use super::marks::{Book, Form, Known};
use super::meant;
use super::sweep::{Found, Sweep};
use crate::fit::fit;
use crate::run::{Observer, Run, RunOptions};
use crate::spec::TableSpec;
use crate::stores::{Stores, open_store};
use crate::{MoveError, Result, recover};

/// What is known of one copy.
pub(crate) struct Copied {
    /// The rehearsal.
    pub(crate) run: String,
    /// Rows of the customer in it; `None` where the copy is not there any more.
    pub(crate) rows: Option<u64>,
}

/// Searches every copy, and deletes what is found where `erase`.
pub(crate) async fn search(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: &Arc<dyn Observer>,
    (key, marks): (Option<&str>, &[Mark]),
    erase: bool,
) -> Result<Vec<Copied>> {
    let mut all = Vec::new();
    for copy in workspace.state().rehearsal_copies().await? {
        let rows = one(workspace, plan, options, observer, &copy, (key, marks), erase).await?;
        all.push(Copied { run: copy.run, rows });
    }
    Ok(all)
}

async fn one(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: &Arc<dyn Observer>,
    copy: &RehearsalCopy,
    (key, marks): (Option<&str>, &[Mark]),
    erase: bool,
) -> Result<Option<u64>> {
    let record = workspace.state().run(&copy.run).await?;
    let mut then = dunlin_plan::load(&record.plan_text, &record.plan_file).unwrap_or_else(|_| plan.clone());
    if then.subject.is_none() {
        then.subject = plan.subject.clone();
    }
    let mut stores = Stores::open(&then, &options.base).await?;
    let names: std::collections::BTreeSet<String> = then.tables.iter().map(|t| t.to.store.clone()).collect();
    for name in names {
        let Some(store) = then.stores.get(&name) else { continue };
        let url = recover::parse_url(&copy.url)?;
        let copied = dunlin_plan::StorePlan { url, ..store.clone() };
        match open_store(&copied, &options.base).await {
            Ok(opened) => stores.replace(&name, opened),
            Err(MoveError::Connect(ConnectError::Missing { .. })) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let saved = recover::saved_tables(workspace, &copy.run).await?;
    let resolved = match crate::resolve::resolve(&then, &stores, record.started_at, &saved).await {
        Err(MoveError::Connect(ConnectError::Missing { .. })) => return Ok(None),
        other => other?,
    };
    let quiet = RunOptions { rehearsal: None, ..options.clone() };
    let run = Run::new(workspace, stores, &then, &quiet, observer.clone(), resolved)?;
    let Some(links) = Links::of(&then, &run.resolved.specs) else { return Ok(Some(0)) };
    let mut marks = marks.to_vec();
    if let Some(key) = key {
        marks.extend(tokens(&run, &links, key)?);
    }
    let mut sweep = Sweep::new(&run, &links, &marks)?;
    let found = sweep.targets(false).await?;
    let rows = found.target.values().map(Vec::len).sum::<usize>() as u64;
    if erase && rows > 0 {
        leave(&run, &found).await?;
    }
    Ok(Some(rows))
}

/// The marks of the customer's key as a de-identified copy holds it.
fn tokens(run: &Run<'_>, links: &Links, key: &str) -> Result<Vec<Mark>> {
    let root = run.resolved.specs.iter().find(|s| s.label == links.root);
    let Some(mapped) = root.and_then(|s| Some(&s.mapping.columns[*links.id.columns.first()?])) else {
        return Ok(Vec::new());
    };
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some(key)]));
    let clear = fit(&text, &ColumnType::TEXT, &mapped.clear_type).array;
    let hidden = run.protector.apply(Protect::Tokenise, mapped, &clear, None);
    let hidden = hidden.as_string::<i32>().iter().next().flatten().map(str::to_owned);
    let known = Known {
        effect: Effect::Erased,
        purpose: String::new(),
        request: String::new(),
        at: dunlin_store::now_us(),
    };
    let book = Book::new(run.workspace.keys(), &[])?;
    let derive = |value: Option<&str>| {
        book.derive(&links.id.domain, Form::Target, &[value], std::slice::from_ref(&known))
    };
    Ok([derive(Some(key)), derive(hidden.as_deref())].concat())
}

async fn leave(run: &Run<'_>, found: &Found) -> Result<()> {
    let mut touched: BTreeMap<&str, Vec<dunlin_connect::TableName>> = BTreeMap::new();
    let concerned = |spec: &&Arc<TableSpec>| found.target.get(&spec.label).is_some_and(|r| !r.is_empty());
    for spec in run.resolved.specs.iter().rev().filter(concerned) {
        let rows = &found.target[&spec.label];
        let positions: Vec<u64> = rows.iter().map(|r| r.position).collect();
        let meant = meant::in_target(run, spec, rows.iter().map(|r| (r.position, r.hash)));
        run.target(spec)?.target().await?.erase(&spec.target, &positions, &meant).await?;
        touched.entry(&spec.plan.to.store).or_default().push(spec.target.name.clone());
    }
    for (store, tables) in touched {
        run.stores.get(store)?.target().await?.scrub(&tables).await?;
    }
    Ok(())
}
