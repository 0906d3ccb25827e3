//! Tokens of programs: scoped, expiring, owned by a person, kept as hashes. Blocking the person ends them.
//!
//! Not here: making random texts (`token`), the device flow that gives one to `dunlin login` (`device`).

use dunlin_ledger::{Actor, Body};
use dunlin_store::{Tx, new_id};
use serde::Serialize;
use sqlx::Row;

use crate::clock::seconds;
use crate::error::db;
use crate::guard::enter;
use crate::people::person_in_tx;
use crate::token::{Secret, new_service_token, token_hash};
use crate::{Guard, GuardError, Moment, Who};

/// A token, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenInfo {
    /// Its id.
    pub id: String,
    /// Whose.
    pub person: String,
    /// What its owner calls it.
    pub label: String,
    /// Codes of actions it is good for; `people.*` stands for all of `people`.
    pub scopes: Vec<String>,
    /// `service` or `device`.
    pub kind: String,
    /// When it was made, microseconds since 1970 UTC.
    pub created_at: i64,
    /// When it ends.
    pub until: i64,
    /// When it was used last, to the minute.
    pub last_used_at: Option<i64>,
}

/// A token that is to be made.
pub(crate) struct NewToken<'a> {
    pub person: &'a str,
    pub label: &'a str,
    pub scopes: &'a [String],
    pub kind: &'a str,
    pub life_s: u64,
    pub mfa_late: Option<i64>,
}

impl Guard {
    /// Makes a token for oneself; shown once. `life_s` is cut to what the settings allow. Needs a fresh second
    /// factor where there is one; a token cannot make tokens.
    pub async fn issue_token(
        &self,
        who: &Who,
        label: &str,
        scopes: &[String],
        life_s: u64,
    ) -> Result<(TokenInfo, Secret), GuardError> {
        self.need_session(who)?;
        who.need_full()?;
        if self.factors(&who.person).await?.any() {
            who.need_fresh_factor(self.settings().lifetimes.fresh_factor_s)?;
        }
        let new = NewToken {
            person: &who.person,
            label,
            scopes,
            kind: "service",
            life_s: life_s.min(self.settings().lifetimes.token_s),
            // A program shows no second factor: what asks for a fresh one is not for it.
            mfa_late: None,
        };
        let (mut tx, now) = self.change().await?;
        let issued = self.put_token(&mut tx, now, &who.actor(), new).await?;
        tx.commit().await?;
        Ok(issued)
    }

    pub(crate) async fn put_token(
        &self,
        tx: &mut Tx,
        now: Moment,
        by: &Actor,
        new: NewToken<'_>,
    ) -> Result<(TokenInfo, Secret), GuardError> {
        check_scopes(new.scopes)?;
        let person = person_in_tx(tx, new.person).await?;
        self.may_come_in(&person, now)?;
        let (id, token) = (new_id(), new_service_token()?);
        let until = now.late.saturating_add(seconds(new.life_s.max(1)));
        let info = TokenInfo {
            id: id.clone(),
            person: person.id,
            label: crate::people::clean_name(new.label)?,
            scopes: new.scopes.to_vec(),
            kind: new.kind.to_owned(),
            created_at: now.wall,
            until,
            last_used_at: None,
        };
        sqlx::query(
            "insert into tokens (id, person, hash, label, scopes, kind, created_at, until_late, mfa_late) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&info.id)
        .bind(&info.person)
        .bind(token_hash("token", token.expose()))
        .bind(&info.label)
        .bind(serde_json::to_string(&info.scopes).map_err(|_| GuardError::Internal("writing scopes"))?)
        .bind(&info.kind)
        .bind(info.created_at)
        .bind(until)
        .bind(new.mfa_late)
        .execute(tx.connection())
        .await
        .map_err(db("keeping a token"))?;
        // In the ledger a scope is a code; `*` is none.
        let scopes = info.scopes.iter().map(|s| s.replace('*', "all")).collect();
        let body = Body::TokenIssued { token: id, person: info.person.clone(), scopes, until };
        enter(tx, now, by, body).await?;
        Ok((info, token))
    }

    /// The tokens that are good: one person's, or everybody's.
    pub async fn tokens(&self, person: Option<&str>) -> Result<Vec<TokenInfo>, GuardError> {
        let failed = db("reading tokens");
        let rows = sqlx::query(
            "select id, person, label, scopes, kind, created_at, until_late, last_used_at from tokens \
             where revoked_at is null and until_late > $1 and (person = $2 or $2 is null) order by id",
        )
        .bind(self.now().late)
        .bind(person)
        .fetch_all(self.state().pool())
        .await
        .map_err(&failed)?;
        let mut tokens = Vec::with_capacity(rows.len());
        for row in rows {
            let scopes: String = row.try_get(3).map_err(&failed)?;
            tokens.push(TokenInfo {
                id: row.try_get(0).map_err(&failed)?,
                person: row.try_get(1).map_err(&failed)?,
                label: row.try_get(2).map_err(&failed)?,
                scopes: serde_json::from_str(&scopes).map_err(|_| GuardError::Internal("reading scopes"))?,
                kind: row.try_get(4).map_err(&failed)?,
                created_at: row.try_get(5).map_err(&failed)?,
                until: row.try_get(6).map_err(&failed)?,
                last_used_at: row.try_get(7).map_err(&failed)?,
            });
        }
        Ok(tokens)
    }

    /// Takes a token back; `reason` is a code. One that is gone already stays as it is.
    pub async fn revoke_token(&self, by: &Actor, token: &str, reason: &str) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        self.revoke_where(&mut tx, now, by, "id = $3 and $4 = 0", token, 0, reason).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn revoke_all(
        &self,
        tx: &mut Tx,
        now: Moment,
        by: &Actor,
        person: &str,
        reason: &str,
    ) -> Result<(), GuardError> {
        self.revoke_where(tx, now, by, "person = $3 and $4 = 0", person, 0, reason).await
    }

    /// Ends the tokens whose time is over.
    pub(crate) async fn expire_tokens(&self, tx: &mut Tx, now: Moment) -> Result<(), GuardError> {
        let over = "until_late <= $4 and $3 = ''";
        self.revoke_where(tx, now, &Actor::System, over, "", now.late, "expired").await
    }

    #[allow(clippy::too_many_arguments)] // private; the condition and its two values
    async fn revoke_where(
        &self,
        tx: &mut Tx,
        now: Moment,
        by: &Actor,
        condition: &'static str,
        text: &str,
        number: i64,
        reason: &str,
    ) -> Result<(), GuardError> {
        let query = sqlx::AssertSqlSafe(format!(
            "update tokens set revoked_at = $1, revoke_reason = $2 where revoked_at is null and {condition} returning id"
        ));
        let ended: Vec<String> = sqlx::query_scalar(query)
            .bind(now.wall)
            .bind(reason)
            .bind(text)
            .bind(number)
            .fetch_all(tx.connection())
            .await
            .map_err(db("revoking tokens"))?;
        for token in ended {
            enter(tx, now, by, Body::TokenRevoked { token, reason_code: reason.to_owned() }).await?;
        }
        Ok(())
    }
}

/// Scopes are codes of actions, or all of a kind: `people.*`.
pub(crate) fn check_scopes(scopes: &[String]) -> Result<(), GuardError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    let good = |scope: &String| {
        let stem = scope.strip_suffix(".*").unwrap_or(scope);
        (1..=60).contains(&stem.len()) && stem.chars().all(plain)
    };
    if !scopes.is_empty() && scopes.len() <= 64 && scopes.iter().all(good) {
        Ok(())
    } else {
        Err(GuardError::Invalid {
            what: "the scopes",
            help: "name actions such as `run.start` or `people.*`",
        })
    }
}
