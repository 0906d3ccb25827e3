//! Grants: a person may do more than the role says, on one table, for one task, until it ends. Opened, agreed to by a
//! second person for secret columns, and closed by hand, with the task, or when their time is over.
//!
//! Not here: what a grant allows, which the policies say; and tasks themselves, which are ids here.

mod grant;
#[cfg(test)]
mod tests;

use dunlin_gate::Act;
use dunlin_ledger::{Actor, Body};
use dunlin_store::{Tx, new_id};

pub use grant::{Agreement, Grant};
use grant::{Which, in_tx, select};

use crate::error::db;
use crate::guard::enter;
use crate::policy::{AccessError, Action, Authority, Resource, party};
use crate::{Guard, GuardError, Moment, Status, Who};

/// A grant that somebody wants to open.
#[derive(Clone)]
pub struct GrantRequest {
    /// The id of the person who gets it.
    pub person: String,
    /// The task that it is for.
    pub task: String,
    /// `Read` (clear values), `Update` or `Export`; masks need none.
    pub action: Act,
    /// The store's name in the plan.
    pub store: String,
    /// The table's label.
    pub table: String,
    /// The columns that it reaches; without: every one that is not secret. Secret ones must be named.
    pub columns: Option<Vec<String>>,
    /// When it ends by itself, in microseconds since 1970 UTC.
    pub until: Option<i64>,
    /// Why, as a code of `[a-z0-9_.:-]`.
    pub purpose_category: String,
    /// Why, in words.
    pub purpose_text: String,
}

impl Guard {
    /// Opens a grant. Whoever opens it for somebody else stands for it.
    pub async fn open_grant(
        &self,
        by: &Who,
        authority: &Authority,
        request: &GrantRequest,
    ) -> Result<Grant, AccessError> {
        let now = self.now();
        check(request, now)?;
        let resource = Resource::Grant {
            person: request.person.clone(),
            stood_by: Vec::new(),
            secret: request.columns.is_some(),
        };
        authority.may(by, Action::GrantsOpen, &resource).demand()?;
        let (mut tx, now) = self.change().await?;
        let person = crate::people::person_in_tx(&mut tx, &request.person).await?;
        if person.status != Status::Active {
            return Err(GuardError::WrongStatus(person.status.as_str()).into());
        }
        let id = new_id();
        let purpose_hash = tx.keep_text(&request.purpose_text).await?;
        insert(&mut tx, &id, by, request, &purpose_hash, now).await?;
        let body = Body::GrantOpened {
            grant: id.clone(),
            person: request.person.clone(),
            task: request.task.clone(),
            action: request.action.as_str().to_owned(),
            store: request.store.clone(),
            table: request.table.clone(),
            columns: request.columns.clone().unwrap_or_default(),
            until: request.until,
            purpose_category: request.purpose_category.clone(),
            purpose_hash,
        };
        enter(&mut tx, now, &by.actor(), body).await?;
        if by.person != request.person {
            agree_in(&mut tx, &id, by, now).await?;
        }
        let grant = in_tx(&mut tx, &id).await?;
        tx.commit().await?;
        Ok(grant)
    }

    /// Stands for a grant as its second person.
    pub async fn agree_grant(&self, by: &Who, authority: &Authority, id: &str) -> Result<Grant, AccessError> {
        let (mut tx, now) = self.change().await?;
        let grant = in_tx(&mut tx, id).await?;
        authority.may(by, Action::GrantsAgree, &resource(&grant)).demand()?;
        if !grant.holds(now.late) {
            return Err(AccessError::refused("grant_closed", "This grant has ended; open a new one."));
        }
        if grant.agreements.iter().any(|a| a.person == by.person) {
            return Err(GuardError::Taken("agreement").into());
        }
        agree_in(&mut tx, id, by, now).await?;
        let grant = in_tx(&mut tx, id).await?;
        tx.commit().await?;
        Ok(grant)
    }

    /// Closes a grant by hand. Accesses that rest on it end within a second. Closing a closed one changes nothing.
    pub async fn close_grant(&self, by: &Who, authority: &Authority, id: &str) -> Result<(), AccessError> {
        let (mut tx, now) = self.change().await?;
        let grant = in_tx(&mut tx, id).await?;
        // Whoever has it may give it back.
        if grant.person != by.person {
            authority.may(by, Action::GrantsClose, &resource(&grant)).demand()?;
        }
        close_in(&mut tx, &by.actor(), &grant, "by_hand", now).await?;
        Ok(tx.commit().await?)
    }

    /// Closes the open grants of a task that has ended. How many there were.
    pub async fn close_grants_of_task(&self, actor: &Actor, task: &str) -> Result<usize, GuardError> {
        let (mut tx, now) = self.change().await?;
        let grants = select(&mut *tx.connection(), Which::OfTask(task)).await?;
        for grant in &grants {
            close_in(&mut tx, actor, grant, "task_ended", now).await?;
        }
        tx.commit().await?;
        Ok(grants.len())
    }

    /// Closes the grants whose time is over. They have allowed nothing since; this enters it. How many there were.
    pub async fn sweep_grants(&self) -> Result<usize, GuardError> {
        let late = self.now().late;
        let over = |grants: Vec<Grant>| grants.into_iter().filter(|g| !g.holds(late)).collect::<Vec<_>>();
        if over(select(self.state().pool(), Which::Open).await?).is_empty() {
            return Ok(0);
        }
        let (mut tx, now) = self.change().await?;
        let grants = over(select(&mut *tx.connection(), Which::Open).await?);
        for grant in &grants {
            close_in(&mut tx, &Actor::System, grant, "expired", now).await?;
        }
        tx.commit().await?;
        Ok(grants.len())
    }

    /// The grants of a person, the newest first; open and closed.
    pub async fn grants_of(&self, person: &str) -> Result<Vec<Grant>, GuardError> {
        select(self.state().pool(), Which::OfPerson(person)).await
    }

    /// Every grant, the newest thousand first.
    pub async fn grants(&self) -> Result<Vec<Grant>, GuardError> {
        select(self.state().pool(), Which::All).await
    }

    /// One grant.
    pub async fn grant(&self, id: &str) -> Result<Grant, GuardError> {
        select(self.state().pool(), Which::Id(id)).await?.pop().ok_or(GuardError::Unknown("grant"))
    }

    /// The grants that hold now for this person, act and table.
    pub async fn open_grants(
        &self,
        person: &str,
        act: Act,
        store: &str,
        table: &str,
    ) -> Result<Vec<Grant>, GuardError> {
        let late = self.now().late;
        let mut grants = self.grants_of(person).await?;
        grants.retain(|g| g.holds(late) && g.is_for(act, store, table));
        Ok(grants)
    }
}

fn resource(grant: &Grant) -> Resource {
    Resource::Grant {
        person: grant.person.clone(),
        stood_by: grant.agreements.iter().map(|a| a.person.clone()).collect(),
        secret: grant.columns.is_some(),
    }
}

fn check(request: &GrantRequest, now: Moment) -> Result<(), GuardError> {
    let invalid = |what, help| Err(GuardError::Invalid { what, help });
    if request.action == Act::ReadMasked {
        return invalid("the action", "`read`, `update` or `export`; masked values need no grant");
    }
    if request.task.trim().is_empty() || request.task.len() > 200 {
        return invalid("the task", "name the task that it is for, in at most 200 characters");
    }
    if request.store.is_empty() || request.table.is_empty() {
        return invalid("the table", "name the store and the table as the plan does");
    }
    if request.columns.as_ref().is_some_and(|c| c.is_empty() || c.len() > 500) {
        return invalid("the columns", "name 1 to 500 columns, or none for all that are not secret");
    }
    if request.until.is_some_and(|until| until <= now.late) {
        return invalid("the end", "it must be in the future");
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.:-".contains(c);
    let category = &request.purpose_category;
    if !(1..=64).contains(&category.len()) || !category.chars().all(plain) {
        return invalid("the purpose's category", "a code of 1 to 64 characters of a-z 0-9 _ . : -");
    }
    if request.purpose_text.trim().is_empty() || request.purpose_text.len() > 2_000 {
        return invalid("the purpose", "say in a few words what it is for");
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    id: &str,
    by: &Who,
    request: &GrantRequest,
    purpose_hash: &str,
    now: Moment,
) -> Result<(), GuardError> {
    let columns = request.columns.as_ref().map(serde_json::to_string).transpose();
    let columns = columns.map_err(|_| GuardError::Internal("opening a grant"))?;
    sqlx::query(
        "insert into grants (id, person, task, action, store, label, columns, until, purpose_category, \
         purpose_hash, opened_by, opened_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(id)
    .bind(&request.person)
    .bind(&request.task)
    .bind(request.action.as_str())
    .bind(&request.store)
    .bind(&request.table)
    .bind(columns)
    .bind(request.until)
    .bind(&request.purpose_category)
    .bind(purpose_hash)
    .bind(&by.person)
    .bind(now.wall)
    .execute(tx.connection())
    .await
    .map_err(db("opening a grant"))?;
    Ok(())
}

async fn agree_in(tx: &mut Tx, id: &str, by: &Who, now: Moment) -> Result<(), GuardError> {
    let party = party(by.role);
    sqlx::query("insert into grant_agreements (grant_id, person, party, at) values ($1, $2, $3, $4)")
        .bind(id)
        .bind(&by.person)
        .bind(party)
        .bind(now.wall)
        .execute(tx.connection())
        .await
        .map_err(db("agreeing to a grant"))?;
    let body = Body::GrantAgreed { grant: id.to_owned(), group: party.to_owned() };
    enter(tx, now, &by.actor(), body).await
}

async fn close_in(
    tx: &mut Tx,
    actor: &Actor,
    grant: &Grant,
    reason: &str,
    now: Moment,
) -> Result<(), GuardError> {
    let query = "update grants set closed_at = $2, closed_reason = $3 where id = $1 and closed_at is null";
    let done = sqlx::query(query).bind(&grant.id).bind(now.wall).bind(reason).execute(tx.connection()).await;
    if done.map_err(db("closing a grant"))?.rows_affected() == 0 {
        return Ok(());
    }
    let body = Body::GrantClosed { grant: grant.id.clone(), reason_code: reason.to_owned() };
    enter(tx, now, actor, body).await
}

/// Closes a person's open grants in the transaction that blocks the person or lets them go.
pub(crate) async fn close_of_person(
    tx: &mut Tx,
    actor: &Actor,
    person: &str,
    reason: &str,
    now: Moment,
) -> Result<(), GuardError> {
    let grants = select(&mut *tx.connection(), Which::OfPerson(person)).await?;
    for grant in grants.iter().filter(|g| g.closed_at.is_none()) {
        close_in(tx, actor, grant, reason, now).await?;
    }
    Ok(())
}
