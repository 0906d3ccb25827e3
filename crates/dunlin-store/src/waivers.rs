//! Rules of packs that were set aside, by a command or in the plan. Not here: what a waiver makes of a rule's verdict.

use dunlin_ledger::{Actor, Body, Entry};
use sqlx::Row;

use crate::error::db;
use crate::{State, StoreError, Tx, new_id, now_us};

/// A rule set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleWaiver {
    /// UUIDv7.
    pub id: String,
    /// The rule's id, as its pack writes it.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub by: String,
    /// The last day it holds, as `2027-06-30`.
    pub until: Option<String>,
    /// When it was entered, in microseconds since 1970 UTC.
    pub at: i64,
    /// Whether it stands in the plan.
    pub in_plan: bool,
}

/// A waiver that is to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewWaiver<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Who answers for it.
    pub by: &'a str,
    /// The last day it holds.
    pub until: Option<&'a str>,
    /// For one that stands in the plan: what tells it from others, so that it is entered once.
    pub plan_mark: Option<&'a str>,
}

impl Tx {
    /// Keeps a waiver and enters it. Gives its id; `None` where one of the plan is known already.
    ///
    /// # Errors
    /// Those of the state.
    pub async fn waive(&mut self, actor: Actor, new: NewWaiver<'_>) -> Result<Option<String>, StoreError> {
        if let Some(mark) = new.plan_mark {
            let known = sqlx::query("select 1 from rule_waivers where plan_mark = $1")
                .bind(mark)
                .fetch_optional(self.connection())
                .await
                .map_err(db("looking for a waiver"))?;
            if known.is_some() {
                return Ok(None);
            }
        }
        let (waiver, at) = (new_id(), now_us());
        let reason_hash = self.keep_text(new.reason).await?;
        sqlx::query(
            "insert into rule_waivers (id, rule, reason, waived_by, until_day, at, plan_mark) \
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&waiver)
        .bind(new.rule)
        .bind(&reason_hash)
        .bind(new.by)
        .bind(new.until)
        .bind(at)
        .bind(new.plan_mark)
        .execute(self.connection())
        .await
        .map_err(db("keeping a waiver"))?;
        let body = Body::RuleWaived {
            rule: new.rule.to_lowercase(),
            waiver: waiver.clone(),
            reason_hash,
            until: new.until.map(str::to_owned),
        };
        self.enter(Entry { at, actor, body }).await?;
        Ok(Some(waiver))
    }

    /// Takes a waiver back that was given by a command; whether there was one.
    ///
    /// # Errors
    /// Those of the state.
    pub async fn withdraw_waiver(&mut self, actor: Actor, id: &str) -> Result<bool, StoreError> {
        let at = now_us();
        let row = sqlx::query(
            "update rule_waivers set withdrawn_at = $2 \
             where id = $1 and withdrawn_at is null and plan_mark is null returning rule",
        )
        .bind(id)
        .bind(at)
        .fetch_optional(self.connection())
        .await
        .map_err(db("taking a waiver back"))?;
        let Some(row) = row else { return Ok(false) };
        let rule: String = row.try_get(0).map_err(db("taking a waiver back"))?;
        let body = Body::WaiverWithdrawn { waiver: id.to_owned(), rule: rule.to_lowercase() };
        self.enter(Entry { at, actor, body }).await?;
        Ok(true)
    }
}

impl State {
    /// The waivers that were not taken back, the oldest first. Those of the plan are what it said when they were entered.
    ///
    /// # Errors
    /// Those of the state.
    pub async fn rule_waivers(&self) -> Result<Vec<RuleWaiver>, StoreError> {
        let failed = db("reading waivers");
        let rows = sqlx::query(
            "select id, rule, reason, waived_by, until_day, at, plan_mark is not null from rule_waivers \
             where withdrawn_at is null order by at, id",
        )
        .fetch_all(self.pool())
        .await
        .map_err(&failed)?;
        let mut waivers = Vec::with_capacity(rows.len());
        for row in rows {
            let reason: String = row.try_get(2).map_err(&failed)?;
            waivers.push(RuleWaiver {
                id: row.try_get(0).map_err(&failed)?,
                rule: row.try_get(1).map_err(&failed)?,
                reason: self.text(&reason).await?.unwrap_or_default(),
                by: row.try_get(3).map_err(&failed)?,
                until: row.try_get(4).map_err(&failed)?,
                at: row.try_get(5).map_err(&failed)?,
                in_plan: row.try_get(6).map_err(&failed)?,
            });
        }
        Ok(waivers)
    }
}
