//! Alerts in the state: raising, listing, closing.

use dunlin_ledger::{Actor, Body, Entry};
use dunlin_store::{State, Tx, new_id};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Evidence, Finding, Number, Severity, Source};
use crate::GuardError;
use crate::error::db;

/// Pieces of evidence that one alert keeps.
const EVIDENCE: usize = 200;

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// Its id.
    pub id: String,
    /// Code of its rule.
    pub rule: String,
    /// How grave it is.
    pub severity: Severity,
    /// The person whom it is about, by id; the one-call block blocks them.
    pub person: Option<String>,
    /// What happened.
    pub what: String,
    /// Why it is unusual.
    pub why: String,
    /// What to do.
    pub todo: String,
    /// The numbers, and what they were compared with.
    pub numbers: Vec<Number>,
    /// Entries and attempts that it rests on.
    pub evidence: Vec<Evidence>,
    /// How often it happened since.
    pub times: i64,
    /// When it was raised, in microseconds since 1970 UTC.
    pub raised_at: i64,
    /// When it last happened, likewise.
    pub last_at: i64,
    /// Whether it waits for somebody.
    pub open: bool,
    /// Who dealt with it.
    pub closed_by: Option<String>,
    /// When, likewise.
    pub closed_at: Option<i64>,
    /// How: `harmless`, `handled` or `blocked`.
    pub decision: Option<String>,
}

/// How an alert was dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was nothing.
    Harmless,
    /// Something was done.
    Handled,
    /// The person was blocked.
    Blocked,
}

impl Decision {
    /// Its code.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Harmless => "harmless",
            Decision::Handled => "handled",
            Decision::Blocked => "blocked",
        }
    }
}

/// Which alerts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertFilter {
    /// Only those that wait (true) or were dealt with (false).
    pub open: Option<bool>,
    /// Only those about this person.
    pub person: Option<String>,
    /// Only those of this rule.
    pub rule: Option<String>,
    /// Only those raised before this time, in microseconds: the next page.
    pub before: Option<i64>,
}

const COLUMNS: &str = "id, rule, severity, person, what, why, todo, numbers, evidence, times, raised_at, last_at, \
                       status, closed_by, closed_at, decision";

/// Keeps a finding: as a new alert, entered in the ledger, or counted into the one that is open about the same
/// subject. `None` when it was counted, or was kept before.
pub(super) async fn raise(
    tx: &mut Tx,
    finding: &Finding,
    name: &str,
    quiet_us: i64,
) -> Result<Option<Alert>, GuardError> {
    let key = format!("{}/{}", finding.rule.code(), source_key(&finding.source));
    if kept_before(tx, &key).await? || counted(tx, finding, quiet_us).await? {
        return Ok(None);
    }
    let alert = Alert {
        id: new_id(),
        rule: finding.rule.code().to_owned(),
        severity: finding.severity,
        person: finding.person.clone(),
        what: finding.what.replace("{who}", name),
        why: finding.why.replace("{who}", name),
        todo: finding.rule.todo().to_owned(),
        numbers: finding.numbers.clone(),
        evidence: finding.evidence.clone(),
        times: 1,
        raised_at: finding.at,
        last_at: finding.at,
        open: true,
        closed_by: None,
        closed_at: None,
        decision: None,
    };
    insert(tx, &alert, &finding.subject, &key).await?;
    let body = Body::AlertRaised {
        alert: alert.id.clone(),
        rule: alert.rule.clone(),
        severity: alert.severity.as_str().to_owned(),
        person: alert.person.clone(),
    };
    tx.enter(Entry { at: finding.at, actor: Actor::System, body }).await?;
    Ok(Some(alert))
}

fn source_key(source: &Source) -> String {
    match source {
        Source::Entry(index) => index.to_string(),
        Source::Attempt(id) => id.clone(),
    }
}

async fn kept_before(tx: &mut Tx, key: &str) -> Result<bool, GuardError> {
    let row = sqlx::query("select 1 from alerts where source = $1")
        .bind(key)
        .fetch_optional(tx.connection())
        .await
        .map_err(db("looking for an alert"))?;
    Ok(row.is_some())
}

/// Counts a finding into an open alert of the same rule and subject, when that is recent.
async fn counted(tx: &mut Tx, finding: &Finding, quiet_us: i64) -> Result<bool, GuardError> {
    let failed = db("counting an alert");
    let row = sqlx::query(
        "select id, evidence from alerts where rule = $1 and subject = $2 and status = 'open' and last_at > $3 \
         order by last_at desc limit 1",
    )
    .bind(finding.rule.code())
    .bind(&finding.subject)
    .bind(finding.at - quiet_us)
    .fetch_optional(tx.connection())
    .await
    .map_err(&failed)?;
    let Some(row) = row else { return Ok(false) };
    let id: String = row.try_get(0).map_err(&failed)?;
    let mut evidence: Vec<Evidence> = json(&row.try_get::<String, _>(1).map_err(&failed)?)?;
    for piece in &finding.evidence {
        if evidence.len() < EVIDENCE && !evidence.contains(piece) {
            evidence.push(piece.clone());
        }
    }
    sqlx::query("update alerts set times = times + 1, last_at = $1, evidence = $2 where id = $3")
        .bind(finding.at)
        .bind(text(&evidence)?)
        .bind(id)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(true)
}

async fn insert(tx: &mut Tx, alert: &Alert, subject: &str, key: &str) -> Result<(), GuardError> {
    sqlx::query(
        "insert into alerts (id, rule, severity, person, subject, what, why, todo, numbers, evidence, source, \
         times, raised_at, last_at, status) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12, 'open')",
    )
    .bind(&alert.id)
    .bind(&alert.rule)
    .bind(alert.severity.as_str())
    .bind(&alert.person)
    .bind(subject)
    .bind(&alert.what)
    .bind(&alert.why)
    .bind(&alert.todo)
    .bind(text(&alert.numbers)?)
    .bind(text(&alert.evidence)?)
    .bind(key)
    .bind(alert.raised_at)
    .execute(tx.connection())
    .await
    .map_err(db("keeping an alert"))?;
    Ok(())
}

/// Alerts, the newest first.
pub(super) async fn list(state: &State, filter: &AlertFilter, limit: u32) -> Result<Vec<Alert>, GuardError> {
    let failed = db("reading alerts");
    let status = filter.open.map(|open| if open { "open" } else { "closed" });
    let sql = format!(
        "select {COLUMNS} from alerts where ($1 is null or status = $1) and ($2 is null or person = $2) \
         and ($3 is null or rule = $3) and raised_at < $4 order by raised_at desc, id desc limit $5"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(status)
        .bind(&filter.person)
        .bind(&filter.rule)
        .bind(filter.before.unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(state.pool())
        .await
        .map_err(failed)?;
    rows.iter().map(read).collect()
}

/// One alert.
pub(super) async fn one(state: &State, id: &str) -> Result<Alert, GuardError> {
    let sql = format!("select {COLUMNS} from alerts where id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .fetch_optional(state.pool())
        .await
        .map_err(db("reading an alert"))?;
    read(&row.ok_or(GuardError::Unknown("alert"))?)
}

/// Closes an open alert in a transaction, and enters that.
pub(super) async fn close(
    tx: &mut Tx,
    id: &str,
    actor: &Actor,
    decision: Decision,
    note: &str,
    now: i64,
) -> Result<(), GuardError> {
    let note_hash = if note.is_empty() { None } else { Some(tx.keep_text(note).await?) };
    let by = match actor {
        Actor::Person { id } => id.clone(),
        other => other.to_string(),
    };
    let done = sqlx::query(
        "update alerts set status = 'closed', closed_at = $1, closed_by = $2, decision = $3, note_hash = $4 \
         where id = $5 and status = 'open'",
    )
    .bind(now)
    .bind(by)
    .bind(decision.as_str())
    .bind(note_hash)
    .bind(id)
    .execute(tx.connection())
    .await
    .map_err(db("closing an alert"))?;
    if done.rows_affected() == 0 {
        return Err(GuardError::Unknown("open alert"));
    }
    let body = Body::AlertClosed { alert: id.to_owned(), decision: decision.as_str().to_owned() };
    Ok(tx.enter(Entry { at: now, actor: actor.clone(), body }).await?)
}

fn read(row: &SqliteRow) -> Result<Alert, GuardError> {
    let failed = db("reading an alert");
    let string = |at: usize| row.try_get::<String, _>(at).map_err(&failed);
    Ok(Alert {
        id: string(0)?,
        rule: string(1)?,
        severity: Severity::parse(&string(2)?).ok_or(GuardError::Internal("reading an alert"))?,
        person: row.try_get(3).map_err(&failed)?,
        what: string(4)?,
        why: string(5)?,
        todo: string(6)?,
        numbers: json(&string(7)?)?,
        evidence: json(&string(8)?)?,
        times: row.try_get(9).map_err(&failed)?,
        raised_at: row.try_get(10).map_err(&failed)?,
        last_at: row.try_get(11).map_err(&failed)?,
        open: string(12)? == "open",
        closed_by: row.try_get(13).map_err(&failed)?,
        closed_at: row.try_get(14).map_err(&failed)?,
        decision: row.try_get(15).map_err(&failed)?,
    })
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, GuardError> {
    serde_json::from_str(text).map_err(|_| GuardError::Internal("reading an alert"))
}

fn text<T: Serialize>(value: &T) -> Result<String, GuardError> {
    serde_json::to_string(value).map_err(|_| GuardError::Internal("writing an alert"))
}
