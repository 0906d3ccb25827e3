//! The judge: reads the ledger on from its cursor, shows it to the engine, keeps what was found, and tells.
//!
//! Cursor, memory, alerts, their entries and their messages are one transaction: after a crash the next round
//! begins where the last whole one ended. Two processes cannot judge the same entry: the one whose cursor is
//! behind gives up its round.

use std::path::PathBuf;
use std::time::Duration;

use dunlin_ledger::{Actor, Body, Entry};
use dunlin_store::Tx;
use sqlx::Row;
use tokio::sync::{broadcast, watch};

use super::tell::{Tell, messages};
use super::{
    Alert, AlertFilter, Decision, Engine, Finding, Memory, Places, Seen, Severity, Source, Thresholds,
};
use super::{kept, source};
use crate::audit::LedgerReader;
use crate::error::db;
use crate::outgoing::outbox::Outbox;
use crate::{Guard, GuardError, Reason, Who};

/// Entries, and attempts, of one round.
const BATCH: usize = 500;
const VERIFIER_SETTING: &str = "alerts_verifier";

/// What alerts are raised by and whom they are told.
#[derive(Debug, Clone, Default)]
pub struct AlertsSettings {
    /// The numbers.
    pub thresholds: Thresholds,
    /// A GeoIP file.
    pub geoip: Option<PathBuf>,
    /// E-mail addresses to tell.
    pub mail_to: Vec<String>,
    /// Names of webhooks to tell.
    pub webhooks: Vec<String>,
    /// From which severity on mail is sent; medium when not given.
    pub mail_from: Option<Severity>,
}

/// Alerts of a workspace. Cheap to clone.
#[derive(Clone)]
pub struct Alerts {
    guard: Guard,
    reader: LedgerReader,
    outbox: Outbox,
    tell: Tell,
    engine: std::sync::Arc<tokio::sync::Mutex<Judge>>,
    raised: broadcast::Sender<Alert>,
}

struct Judge {
    engine: Engine,
    /// The cursor that the engine's memory belongs to; `None` until read.
    next: Option<u64>,
}

impl Alerts {
    /// Reads the GeoIP file; nothing else yet.
    pub fn new(
        guard: Guard,
        reader: LedgerReader,
        outbox: Outbox,
        settings: AlertsSettings,
    ) -> Result<Alerts, GuardError> {
        let places = settings.geoip.as_deref().map(Places::open).transpose().map_err(|error| {
            tracing::error!(%error, "the GeoIP file cannot be used");
            GuardError::Invalid {
                what: "the GeoIP file",
                help: "give a MaxMind file or a CSV with network, latitude and longitude",
            }
        })?;
        let engine = Engine::new(settings.thresholds, places, Memory::default());
        let tell =
            Tell { mail_to: settings.mail_to, webhooks: settings.webhooks, mail_from: settings.mail_from };
        let judge = Judge { engine, next: None };
        let raised = broadcast::channel(256).0;
        let engine = std::sync::Arc::new(tokio::sync::Mutex::new(judge));
        Ok(Alerts { guard, reader, outbox, tell, engine, raised })
    }

    /// New alerts as they are raised, for live pages.
    pub fn subscribe(&self) -> broadcast::Receiver<Alert> {
        self.raised.subscribe()
    }

    /// Judges once a second until `stop` becomes true.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        if let Err(error) = self.check_key().await {
            tracing::warn!(code = error.code(), "the ledger's key could not be compared");
        }
        while !*stop.borrow() {
            if let Err(error) = self.judge_all().await {
                tracing::warn!(code = error.code(), "the alerts could not be judged");
            }
            tokio::select! {
                _ = tokio::time::sleep(Duration::from_secs(1)) => {}
                changed = stop.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Enters it when the ledger is signed with another key than the state remembers.
    pub async fn check_key(&self) -> Result<(), GuardError> {
        let now = hex_of(self.reader.verifier().as_str());
        let mut tx = self.guard.state().begin().await?;
        match tx.setting(VERIFIER_SETTING).await? {
            Some(known) if known == now => return Ok(tx.rollback().await?),
            Some(previous) => {
                let body = Body::LedgerKeyChanged { previous, verifier: now.clone() };
                tx.enter(Entry { at: self.guard.now().wall, actor: Actor::System, body }).await?;
            }
            None => {}
        }
        tx.set_setting(VERIFIER_SETTING, &now).await?;
        Ok(tx.commit().await?)
    }

    /// Judges everything that is there now. Returns the new alerts.
    pub async fn judge_all(&self) -> Result<Vec<Alert>, GuardError> {
        let mut all = Vec::new();
        loop {
            let (mut alerts, more) = self.judge_some().await?;
            all.append(&mut alerts);
            if !more {
                return Ok(all);
            }
        }
    }

    /// One round: at most a batch of entries and attempts. Whether there is more.
    async fn judge_some(&self) -> Result<(Vec<Alert>, bool), GuardError> {
        let mut judge = self.engine.lock().await;
        if judge.next.is_none() {
            self.remember(&mut judge).await?;
        }
        let from = judge.next.unwrap_or(0);
        let burst_us = judge.engine.thresholds().burst_us();
        let (seen, next, more) = self.gather(from, burst_us).await?;
        if seen.is_empty() && next == from {
            return Ok((Vec::new(), false));
        }
        let findings: Vec<Finding> = seen.iter().flat_map(|s| judge.engine.see(s)).collect();
        // Until the transaction is through, the engine knows more than the state: any failure reads it anew.
        judge.next = None;
        let alerts = self.keep(&mut judge.engine, from, next, &seen, &findings).await?;
        let Some(alerts) = alerts else { return Ok((Vec::new(), true)) };
        judge.next = Some(next);
        drop(judge);
        for alert in &alerts {
            let _ = self.raised.send(alert.clone());
        }
        if !alerts.is_empty() {
            self.outbox.wake();
        }
        Ok((alerts, more))
    }

    /// Reads cursor and memory from the state.
    async fn remember(&self, judge: &mut Judge) -> Result<(), GuardError> {
        let failed = db("reading the alerts' memory");
        // One transaction, so that cursor and memory are of the same round.
        let mut tx = self.guard.state().begin().await?;
        let cursor = sqlx::query("select next_index from alert_cursor where id = 1")
            .fetch_one(tx.connection())
            .await
            .map_err(&failed)?;
        let rows = sqlx::query("select subject, body from alert_memory order by subject")
            .fetch_all(tx.connection())
            .await
            .map_err(&failed)?;
        tx.rollback().await?;
        let row = |r: &sqlx::sqlite::SqliteRow| Ok((r.try_get(0)?, r.try_get(1)?));
        let rows: Vec<(String, String)> =
            rows.iter().map(row).collect::<Result<_, sqlx::Error>>().map_err(&failed)?;
        judge.engine.memory = Memory::from_rows(rows);
        judge.next = Some(cursor.try_get::<i64, _>(0).map_err(&failed)? as u64);
        Ok(())
    }

    /// What is to be judged, in the order of time; the next cursor; whether there is more.
    async fn gather(&self, from: u64, burst_us: i64) -> Result<(Vec<Seen>, u64, bool), GuardError> {
        let state = self.guard.state();
        let entries = self.reader.entries(from, BATCH).await?;
        let next = entries.last().map_or(from, |(index, _)| index + 1);
        let mut seen = source::attempts(state, self.guard.now().wall, BATCH as i64).await?;
        let more = entries.len() == BATCH || seen.len() == BATCH;
        for (index, entry) in entries {
            // Our own entries are not judged, nor are those of a newer dunlin.
            let Some(entry) = entry else { continue };
            if !matches!(entry.body, Body::AlertRaised { .. } | Body::AlertClosed { .. }) {
                seen.push(source::entry(state, index, entry, burst_us).await?);
            }
        }
        seen.sort_by(|a, b| (a.at, &a.source).cmp(&(b.at, &b.source)));
        Ok((seen, next, more))
    }

    /// Keeps a round. `None` when another process was faster.
    async fn keep(
        &self,
        engine: &mut Engine,
        from: u64,
        next: u64,
        seen: &[Seen],
        findings: &[Finding],
    ) -> Result<Option<Vec<Alert>>, GuardError> {
        let failed = db("keeping alerts");
        let quiet_us = i64::from(engine.thresholds().quiet_hours) * super::memory::HOUR_US;
        let mut tx = self.guard.state().begin().await?;
        let moved = sqlx::query("update alert_cursor set next_index = $1 where id = 1 and next_index = $2")
            .bind(next as i64)
            .bind(from as i64)
            .execute(tx.connection())
            .await
            .map_err(&failed)?;
        let fresh = judged(&mut tx, seen).await?;
        if moved.rows_affected() == 0 || !fresh {
            tx.rollback().await?;
            return Ok(None);
        }
        let at = seen.last().map_or(0, |s| s.at);
        for (subject, body) in engine.memory.take_changed() {
            sqlx::query(
                "insert into alert_memory (subject, body, last_at) values ($1, $2, $3) \
                 on conflict (subject) do update set body = $2, last_at = $3",
            )
            .bind(subject)
            .bind(body)
            .bind(at)
            .execute(tx.connection())
            .await
            .map_err(&failed)?;
        }
        let mut alerts = Vec::new();
        for finding in findings {
            let name = name_of(&mut tx, finding).await?;
            if let Some(alert) = kept::raise(&mut tx, finding, &name, quiet_us).await? {
                self.tell(&mut tx, &alert).await?;
                alerts.push(alert);
            }
        }
        tx.commit().await?;
        Ok(Some(alerts))
    }

    /// Puts an alert's messages into the outbox.
    async fn tell(&self, tx: &mut Tx, alert: &Alert) -> Result<(), GuardError> {
        let link = self.guard.link(&format!("/alerts/{}", alert.id)).ok();
        for message in messages(alert, &self.tell, link.as_deref()) {
            self.outbox.put(tx, &message, Some(&alert.id), alert.raised_at).await?;
        }
        Ok(())
    }

    /// Alerts, the newest first; at most 500.
    pub async fn list(&self, filter: &AlertFilter, limit: u32) -> Result<Vec<Alert>, GuardError> {
        kept::list(self.guard.state(), filter, limit.clamp(1, 500)).await
    }

    /// One alert.
    pub async fn one(&self, id: &str) -> Result<Alert, GuardError> {
        kept::one(self.guard.state(), id).await
    }

    /// Blocks the person whom an alert is about and closes it: sessions, tokens and open reads of theirs end with
    /// the block. Should the second step fail, the person is blocked and the alert waits to be closed.
    pub async fn block(&self, who: &Who, id: &str, text: &str) -> Result<(), GuardError> {
        let alert = self.one(id).await?;
        let person =
            alert.person.ok_or(GuardError::Invalid { what: "the alert", help: "it is about no person" })?;
        let reason = Reason { category: format!("alert_{}", alert.rule), text: text.to_owned() };
        match self.guard.block(&who.actor(), &person, &reason).await {
            // Somebody was faster, or it is asked for again.
            Ok(()) | Err(GuardError::WrongStatus("blocked already")) => {}
            Err(other) => return Err(other),
        }
        self.close(who, id, Decision::Blocked, text).await
    }

    /// Closes an alert; the note is kept in the state, its salted hash stands with the alert.
    pub async fn close(&self, who: &Who, id: &str, decision: Decision, note: &str) -> Result<(), GuardError> {
        let mut tx = self.guard.state().begin().await?;
        kept::close(&mut tx, id, &who.actor(), decision, note, self.guard.now().wall).await?;
        Ok(tx.commit().await?)
    }
}

/// Marks the attempts of a round as judged; false when one of them was already.
async fn judged(tx: &mut Tx, seen: &[Seen]) -> Result<bool, GuardError> {
    for thing in seen {
        let Source::Attempt(id) = &thing.source else { continue };
        let done =
            sqlx::query("insert into judged_attempts (attempt, at) values ($1, $2) on conflict do nothing")
                .bind(id)
                .bind(thing.at)
                .execute(tx.connection())
                .await
                .map_err(db("keeping alerts"))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The name that stands for `{who}`.
async fn name_of(tx: &mut Tx, finding: &Finding) -> Result<String, GuardError> {
    let Some(person) = &finding.person else {
        let local = finding.subject.split([':']).take(2).collect::<Vec<_>>().join(":");
        return Ok(if local.starts_with("local:") { local } else { "Somebody".to_owned() });
    };
    let failed = db("reading a person's name");
    let row = sqlx::query("select name from people where id = $1")
        .bind(person)
        .fetch_optional(tx.connection())
        .await
        .map_err(&failed)?;
    row.map_or(Ok("A person who is gone".to_owned()), |r| r.try_get(0).map_err(failed))
}

/// SHA-256 (hex) of a verifier's text.
fn hex_of(text: &str) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(text.as_bytes()))
}
