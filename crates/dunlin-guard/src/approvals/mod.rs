//! Approvals of a plan's fingerprint for these very stores: given by somebody who did not write it, counted for a run
//! that somebody else starts, void with the next edit, over after some days.
//!
//! Not here: the run itself, which asks the state for approvals that hold; and the plan's file.

mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use dunlin_ledger::{Actor, Body};
use dunlin_store::{Approval, Tx, new_id};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

pub use rules::{ApprovalRecord, ApprovalRules, NotApproved, authors, may_approve, may_start};

use crate::error::db;
use crate::guard::enter;
use crate::policy::{AccessError, Action, Authority, Resource};
use crate::{Guard, GuardError, Moment, Who};

impl From<NotApproved> for AccessError {
    fn from(why: NotApproved) -> AccessError {
        AccessError::refused(why.code(), &format!("{}.", capital(&why.to_string())))
    }
}

impl Guard {
    /// Approves a plan for these stores. `fingerprint` is what the person has read, `current` what the plan is now.
    pub async fn approve(
        &self,
        by: &Who,
        authority: &Authority,
        rules: &ApprovalRules,
        fingerprint: &str,
        current: &str,
        stores: &BTreeMap<String, String>,
    ) -> Result<(), AccessError> {
        if fingerprint != current {
            return Err(NotApproved::Edited.into());
        }
        let (mut tx, now) = self.change().await?;
        let wrote = authors_in(&mut tx, fingerprint).await?;
        may_approve(rules, &by.person, by.role, &wrote)?;
        authority.may(by, Action::PlanApprove, &Resource::Plan { authors: wrote }).demand()?;
        let approval = Approval {
            fingerprint: fingerprint.to_owned(),
            stores: stores.clone(),
            by: by.person.clone(),
            at: now.wall,
        };
        let until = now.late.saturating_add(rules.lasts_us);
        if !tx.insert_approval_until(&approval, Some(by.role.as_str()), until, now.late).await? {
            return Ok(tx.rollback().await?);
        }
        let body = Body::PlanApproved {
            fingerprint: fingerprint.to_owned(),
            stores: stores.clone(),
            by: by.person.clone(),
        };
        enter(&mut tx, now, &by.actor(), body).await?;
        Ok(tx.commit().await?)
    }

    /// The plan's file was changed through the server: enters it, remembers who wrote it, and, when the fingerprint
    /// changed, voids every approval that still holds, also that of the form which it becomes.
    pub async fn plan_edited(&self, by: &Actor, previous: &str, fingerprint: &str) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        self.plan_edited_in(&mut tx, by, previous, fingerprint, now).await?;
        Ok(tx.commit().await?)
    }

    /// The same in a transaction of the caller's, who writes the file before committing it.
    pub async fn plan_edited_in(
        &self,
        tx: &mut Tx,
        by: &Actor,
        previous: &str,
        fingerprint: &str,
        now: Moment,
    ) -> Result<(), GuardError> {
        let author = match by {
            Actor::Person { id } => id.clone(),
            other => other.to_string(),
        };
        sqlx::query(
            "insert into plan_edits (id, author, previous, fingerprint, at) values ($1, $2, $3, $4, $5)",
        )
        .bind(new_id())
        .bind(author)
        .bind(previous)
        .bind(fingerprint)
        .bind(now.wall)
        .execute(tx.connection())
        .await
        .map_err(db("entering an edit"))?;
        let body = Body::PlanEdited { fingerprint: fingerprint.to_owned(), previous: previous.to_owned() };
        enter(tx, now, by, body).await?;
        if previous == fingerprint {
            // What was edited does not decide the move: a telephone number voids nothing.
            return Ok(());
        }
        void(tx, by, "edited", now, "1 = 1", "").await
    }

    /// Withdraws the approvals of a fingerprint.
    pub async fn void_approvals(
        &self,
        by: &Who,
        authority: &Authority,
        fingerprint: &str,
    ) -> Result<(), AccessError> {
        authority.may(by, Action::PlanVoid, &Resource::plan()).demand()?;
        let (mut tx, now) = self.change().await?;
        void(&mut tx, &by.actor(), "withdrawn", now, "fingerprint = $1", fingerprint).await?;
        Ok(tx.commit().await?)
    }

    /// Enters the end of approvals whose time is over. They have counted for nothing since.
    pub async fn sweep_approvals(&self) -> Result<(), GuardError> {
        let late = self.now().late;
        let over =
            sqlx::query("select 1 from approvals where voided_at is null and expires_at <= $1 limit 1")
                .bind(late)
                .fetch_optional(self.state().pool())
                .await
                .map_err(db("reading approvals"))?;
        if over.is_none() {
            return Ok(());
        }
        let (mut tx, now) = self.change().await?;
        void(&mut tx, &Actor::System, "expired", now, "expires_at <= cast($1 as bigint)", &late.to_string())
            .await?;
        Ok(tx.commit().await?)
    }

    /// The approvals of a fingerprint, the oldest first, whether they hold or not.
    pub async fn approvals_of(&self, fingerprint: &str) -> Result<Vec<ApprovalRecord>, GuardError> {
        select(self.state().pool(), "fingerprint = $1", fingerprint).await
    }

    /// Whether this person may start a run of this plan against these stores, when one of them is protected.
    pub async fn may_start_run(
        &self,
        starter: &Who,
        fingerprint: &str,
        stores: &BTreeMap<String, String>,
    ) -> Result<(), AccessError> {
        let mut approvals = self.approvals_of(fingerprint).await?;
        // A word from a shell names whoever the machine says it was: it counts at a shell, and not here.
        approvals.retain(|approval| approval.role.is_some());
        Ok(may_start(&approvals, stores, &starter.person, self.now().late)?)
    }

    /// The people who wrote the plan of this fingerprint since it was last approved, as far as they are known: an edit
    /// outside the server has no author.
    pub async fn plan_authors(&self, fingerprint: &str) -> Result<Vec<String>, GuardError> {
        let mut tx = self.state().begin().await?;
        let authors = authors_in(&mut tx, fingerprint).await?;
        tx.rollback().await?;
        Ok(authors)
    }
}

async fn authors_in(tx: &mut Tx, fingerprint: &str) -> Result<Vec<String>, GuardError> {
    let failed = db("reading who wrote the plan");
    // Ids are UUIDv7: they sort by time also within a microsecond.
    let rows =
        sqlx::query("select author, previous, fingerprint from plan_edits order by id desc limit 10000")
            .fetch_all(tx.connection())
            .await
            .map_err(&failed)?;
    let edit = |r: &SqliteRow| Ok((r.try_get(0)?, r.try_get(1)?, r.try_get(2)?));
    let edits: Vec<(String, String, String)> =
        rows.iter().map(edit).collect::<Result<_, sqlx::Error>>().map_err(&failed)?;
    let rows = sqlx::query("select distinct fingerprint from approvals").fetch_all(tx.connection()).await;
    let approved = rows.map_err(&failed)?.iter().map(|r| r.try_get(0)).collect::<Result<Vec<String>, _>>();
    Ok(authors(&edits, &approved.map_err(failed)?, fingerprint))
}

/// Voids the approvals that are not yet void and fit the filter, each with its entry (one a fingerprint).
async fn void(
    tx: &mut Tx,
    actor: &Actor,
    reason: &str,
    now: Moment,
    filter: &str,
    value: &str,
) -> Result<(), GuardError> {
    let failed = db("voiding approvals");
    let query = format!(
        "update approvals set voided_at = $2, voided_reason = $3 where voided_at is null and $1 = $1 and {filter} \
         returning fingerprint"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(value)
        .bind(now.wall)
        .bind(reason)
        .fetch_all(tx.connection())
        .await
        .map_err(&failed)?;
    let mut voided: Vec<String> =
        rows.iter().map(|r| r.try_get(0)).collect::<Result<_, _>>().map_err(failed)?;
    voided.sort();
    voided.dedup();
    for fingerprint in voided {
        enter(tx, now, actor, Body::ApprovalVoided { fingerprint, reason_code: reason.to_owned() }).await?;
    }
    Ok(())
}

async fn select<'e, E: SqliteExecutor<'e>>(
    connection: E,
    filter: &str,
    value: &str,
) -> Result<Vec<ApprovalRecord>, GuardError> {
    let failed = db("reading approvals");
    let query = format!(
        "select fingerprint, stores, approved_by, role, at, expires_at, voided_at, voided_reason from approvals \
         where {filter} order by at"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(value).fetch_all(connection).await;
    let read = |row: &SqliteRow| {
        let stores: String = row.try_get(1).map_err(&failed)?;
        Ok(ApprovalRecord {
            fingerprint: row.try_get(0).map_err(&failed)?,
            stores: serde_json::from_str(&stores).map_err(|_| GuardError::Internal("reading an approval"))?,
            by: row.try_get(2).map_err(&failed)?,
            role: row.try_get(3).map_err(&failed)?,
            at: row.try_get(4).map_err(&failed)?,
            expires_at: row.try_get(5).map_err(&failed)?,
            voided_at: row.try_get(6).map_err(&failed)?,
            voided_reason: row.try_get(7).map_err(&failed)?,
        })
    };
    rows.map_err(&failed)?.iter().map(read).collect()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}
