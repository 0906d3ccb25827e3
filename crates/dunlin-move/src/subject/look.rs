//! A customer's own look: everything that is there of one customer, without a request, and who they are by an address.
//! What is found leaves under seal. Not here: who may look.

use std::sync::Arc;

use dunlin_plan::Plan;
use dunlin_store::{Effect, RequestRecord, Workspace};

use super::export::{Part, parts};
use super::request::{by_email, first_marks, named, of, subject_of};
use super::scene::{Stand, scene};
use super::sweep::Sweep;
use super::values::Correction;
use crate::Result;
use crate::finished::Access;
use crate::run::{Observer, RunOptions};

/// The keys of the customers with this address, in the target or on their way into it; none where nobody has it.
///
/// # Errors
/// When the plan does not say which column holds an address, and those of the stores.
pub async fn customers_with(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
    email: &str,
) -> Result<Vec<String>> {
    let scene = scene(workspace, plan).await?;
    let stand = Stand::open(workspace, &scene, options, observer, Access::Read).await?;
    let subjects = of(stand.run())?;
    by_email(stand.run(), &subjects.links, email).await
}

/// Everything of the customer with this key; nothing where nobody has it.
///
/// # Errors
/// Those of the stores and the state.
pub async fn look(
    workspace: &Workspace,
    plan: &Plan,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
    key: &str,
) -> Result<Vec<Part>> {
    let scene = scene(workspace, plan).await?;
    let stand = Stand::open(workspace, &scene, options, observer, Access::Read).await?;
    let run = stand.run();
    let subjects = of(run)?;
    let marks = first_marks(run, &subjects.links, key, ("", Effect::Restricted, ""))?;
    let mut sweep = Sweep::new(run, &subjects.links, &marks)?;
    sweep.complete = false;
    let found = sweep.all().await?;
    parts(run, &subjects, &sweep, &found).await
}

/// What the customer with this key has asked for, the newest first.
///
/// # Errors
/// Those of the state and the keys.
pub async fn asked_by(workspace: &Workspace, key: &str) -> Result<Vec<RequestRecord>> {
    let mut found = Vec::new();
    for record in workspace.state().requests().await? {
        if subject_of(workspace, &record.key_id, key)? == record.subject {
            found.push(record);
        }
    }
    found.sort_by_key(|r| std::cmp::Reverse((r.opened_at, r.id.clone())));
    Ok(found)
}

/// The columns that a request corrects, as table and column: what whoever decides may see of it.
///
/// # Errors
/// Those of the sealed files.
pub fn corrects(workspace: &Workspace, request: &str) -> Result<Vec<(String, String)>> {
    let corrections = Correction::open(&workspace.subjects(), request)?;
    let columns = |c: Correction| c.set.into_keys().map(move |column| (c.table.clone(), column));
    Ok(corrections.into_iter().flat_map(columns).collect())
}

/// The key of the customer whom a request is about; nothing once it is answered, for then nobody knows.
///
/// # Errors
/// Those of the sealed files.
pub fn whose(workspace: &Workspace, request: &str) -> Result<Option<String>> {
    named(workspace, request)
}
