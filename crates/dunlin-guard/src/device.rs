//! The device flow (RFC 8628): `dunlin login` shows a short code, a signed-in person types it in the browser and
//! agrees, and the device gets a token. The device's own code is long; the short one is kept as a keyed hash, lives
//! for minutes, and can only be tried by somebody who is signed in, within the limits.

use dunlin_store::{Purpose, new_id};
use serde::Serialize;
use sqlx::Row;

use crate::clock::seconds;
use crate::error::db;
use crate::limit::{Attempt, Gate, Settled};
use crate::service_token::{NewToken, check_scopes};
use crate::token::{Secret, fold_code, new_token, token_hash, typed_code};
use crate::{Guard, GuardError, Origin, TokenInfo, Who};

/// Seconds between two polls.
const INTERVAL_S: u64 = 5;

/// What a device gets when it asks.
#[derive(Debug, Clone)]
pub struct DeviceGrant {
    /// For the device alone.
    pub device_code: Secret,
    /// For the person to type.
    pub user_code: Secret,
    /// Seconds until both end.
    pub expires_s: u64,
    /// Seconds between two polls.
    pub interval_s: u64,
}

/// A request as the person sees it before agreeing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceRequest {
    /// Its id.
    pub id: String,
    /// What the device calls itself; not checked.
    pub client: String,
    /// What it asks for.
    pub scopes: Vec<String>,
    /// From where it asked.
    pub address: String,
    /// When, microseconds since 1970 UTC.
    pub created_at: i64,
}

/// The answer to a poll; the errors of RFC 8628, section 3.5.
#[derive(Debug, Clone)]
pub enum Poll {
    /// Nobody has decided yet (`authorization_pending`).
    Pending,
    /// The device asks too often (`slow_down`); the interval is now longer.
    SlowDown,
    /// The person said no (`access_denied`).
    Denied,
    /// Unknown, used or too old (`expired_token`).
    Expired,
    /// Here is the token, once.
    Granted(TokenInfo, Secret),
}

impl Guard {
    /// A device asks for a token. Limited by network.
    pub async fn begin_device(
        &self,
        origin: &Origin,
        client: &str,
        scopes: &[String],
    ) -> Result<DeviceGrant, GuardError> {
        check_scopes(scopes)?;
        let client = crate::people::clean_name(client)?;
        let (device_code, user_code) = (new_token()?, typed_code(2)?);
        let (mut tx, now) = self.change().await?;
        self.take_link_turn(&mut tx, now, origin).await?;
        let life = self.settings().lifetimes.device_request_s;
        sqlx::query(
            "insert into device_requests (id, device_hash, user_hash, client, scopes, address, created_at, until_late, \
             interval_s, status) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending')",
        )
        .bind(new_id())
        .bind(token_hash("device", device_code.expose()))
        .bind(self.user_hash(&user_code)?)
        .bind(client)
        .bind(serde_json::to_string(scopes).map_err(|_| GuardError::Internal("writing scopes"))?)
        .bind(origin.address.to_string())
        .bind(now.wall)
        .bind(now.late.saturating_add(seconds(life)))
        .bind(INTERVAL_S as i64)
        .execute(tx.connection())
        .await
        .map_err(db("keeping a device's request"))?;
        tx.commit().await?;
        Ok(DeviceGrant { device_code, user_code, expires_s: life, interval_s: INTERVAL_S })
    }

    /// The request that a person's code names, to look at before agreeing. Wrong codes count against the person.
    pub async fn device_request(
        &self,
        who: &Who,
        origin: &Origin,
        user_code: &Secret,
    ) -> Result<DeviceRequest, GuardError> {
        self.need_session(who)?;
        who.need_full()?;
        let attempt = Attempt {
            account: self.account_of(&who.email)?,
            person: Some(&who.person),
            credential: "device_code",
            origin,
            guess: None,
        };
        let hash = self.user_hash(user_code)?;
        let (mut tx, now) = self.change().await?;
        let reserved = self.reserve(&mut tx, now, &attempt).await?;
        if let Gate::Throttled(retry_after_s) = reserved.gate {
            return Err(GuardError::Throttled { retry_after_s });
        }
        let failed = db("reading a device's request");
        let row = sqlx::query(
            "select id, client, scopes, address, created_at from device_requests \
             where user_hash = $1 and status = 'pending' and until_late > $2",
        )
        .bind(hash)
        .bind(now.late)
        .fetch_optional(tx.connection())
        .await
        .map_err(&failed)?
        .filter(|_| reserved.gate == Gate::Go);
        let how = if row.is_some() { Settled::Accepted } else { Settled::Refused("device_code") };
        self.settle(&mut tx, now, &attempt, &reserved, how).await?;
        tx.commit().await?;
        let row = row.ok_or(GuardError::LinkSpent)?;
        let scopes: String = row.try_get(2).map_err(&failed)?;
        Ok(DeviceRequest {
            id: row.try_get(0).map_err(&failed)?,
            client: row.try_get(1).map_err(&failed)?,
            scopes: serde_json::from_str(&scopes).map_err(|_| GuardError::Internal("reading scopes"))?,
            address: row.try_get(3).map_err(&failed)?,
            created_at: row.try_get(4).map_err(&failed)?,
        })
    }

    /// Agrees to a device's request, or refuses it. Agreeing needs a second factor that is fresh; a person who has
    /// none, and whose role needs none, agrees without.
    pub async fn decide_device(
        &self,
        who: &Who,
        origin: &Origin,
        user_code: &Secret,
        agree: bool,
    ) -> Result<DeviceRequest, GuardError> {
        if agree && self.factors(&who.person).await?.any() {
            who.need_fresh_factor(self.settings().lifetimes.fresh_factor_s)?;
        }
        let request = self.device_request(who, origin, user_code).await?;
        let (mut tx, now) = self.change().await?;
        let done = sqlx::query(
            "update device_requests set status = $2, person = $3, mfa_late = $4 where id = $1 and status = 'pending' \
             and until_late > $5",
        )
        .bind(&request.id)
        .bind(if agree { "approved" } else { "denied" })
        .bind(&who.person)
        .bind(who.mfa_late)
        .bind(now.late)
        .execute(tx.connection())
        .await
        .map_err(db("deciding on a device's request"))?;
        if done.rows_affected() == 0 {
            return Err(GuardError::LinkSpent);
        }
        let word = if agree { "agreed" } else { "refused" };
        crate::session::credential_changed(&mut tx, now, &who.actor(), &who.person, "device", word).await?;
        tx.commit().await?;
        Ok(request)
    }

    /// A device asks whether somebody has agreed.
    pub async fn poll_device(&self, device_code: &Secret) -> Result<Poll, GuardError> {
        let hash = token_hash("device", device_code.expose());
        let failed = db("reading a device's request");
        let (mut tx, now) = self.change().await?;
        let row = sqlx::query(
            "select id, status, polled_late, interval_s, person, client, scopes, mfa_late from device_requests \
             where device_hash = $1 and until_late > $2",
        )
        .bind(hash)
        .bind(now.late)
        .fetch_optional(tx.connection())
        .await
        .map_err(&failed)?;
        let Some(row) = row else { return Ok(Poll::Expired) };
        let id: String = row.try_get(0).map_err(&failed)?;
        let status: String = row.try_get(1).map_err(&failed)?;
        let polled: Option<i64> = row.try_get(2).map_err(&failed)?;
        let interval: i64 = row.try_get(3).map_err(&failed)?;
        let early = polled.is_some_and(|at| now.late - at < interval.saturating_mul(1_000_000));
        let answer = match status.as_str() {
            _ if early => Poll::SlowDown,
            "pending" => Poll::Pending,
            "denied" => Poll::Denied,
            "approved" => {
                let person: String = row.try_get(4).map_err(&failed)?;
                let client: String = row.try_get(5).map_err(&failed)?;
                let scopes: String = row.try_get(6).map_err(&failed)?;
                let scopes: Vec<String> =
                    serde_json::from_str(&scopes).map_err(|_| GuardError::Internal("reading scopes"))?;
                let new = NewToken {
                    person: &person,
                    label: &client,
                    scopes: &scopes,
                    kind: "device",
                    life_s: self.settings().lifetimes.device_token_s,
                    mfa_late: row.try_get(7).map_err(&failed)?,
                };
                let by = dunlin_ledger::Actor::Person { id: person.clone() };
                let (info, token) = self.put_token(&mut tx, now, &by, new).await?;
                Poll::Granted(info, token)
            }
            _ => Poll::Expired,
        };
        let status = if matches!(answer, Poll::Granted(..)) { "spent" } else { &status };
        sqlx::query("update device_requests set status = $2, polled_late = $3, interval_s = interval_s + $4 where id = $1")
            .bind(&id)
            .bind(status)
            .bind(now.late)
            .bind(if early { 5i64 } else { 0 })
            .execute(tx.connection())
            .await
            .map_err(&failed)?;
        tx.commit().await?;
        Ok(answer)
    }

    fn user_hash(&self, user_code: &Secret) -> Result<String, GuardError> {
        self.mac(Purpose::Credential, &[b"device", fold_code(user_code.expose()).as_bytes()])
    }
}
