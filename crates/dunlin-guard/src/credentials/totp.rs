//! One-time codes of an app (RFC 6238). A code counts once: the step it belongs to is remembered in the
//! transaction that accepts it.

use dunlin_store::Tx;
use sqlx::Row;
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use crate::error::db;
use crate::session::credential_changed;
use crate::token::{Secret, fold_code, random};
use crate::{Guard, GuardError, Moment, Origin, SignedIn, Who};

/// What an app needs to make codes; shown once.
#[derive(Debug, Clone)]
pub struct TotpEnrolment {
    /// The secret in base32, to be typed.
    pub secret: Secret,
    /// The `otpauth://` address, for a QR code.
    pub url: Secret,
}

fn place(person: &str) -> String {
    format!("totp/{person}")
}

fn build(secret: &[u8], email: &str) -> Result<Totp, GuardError> {
    // A colon would part the label of the address in two.
    let account = email.replace(':', "");
    let builder = Builder::new().with_secret(secret.to_vec()).with_account_name(account);
    builder.with_issuer(Some("dunlin")).build().map_err(|_| GuardError::Internal("making one-time codes"))
}

impl Guard {
    /// Begins to set up an app. Counts only once a code has shown that it works ([`Guard::confirm_totp`]).
    pub async fn begin_totp(&self, who: &Who) -> Result<TotpEnrolment, GuardError> {
        self.may_change_factors(who).await?;
        let secret = Zeroizing::new(random::<20>()?);
        let totp = build(&secret[..], &who.email)?;
        let (mut tx, now) = self.change().await?;
        let done = sqlx::query(
            "insert into totp (person, sealed, created_at) values ($1, $2, $3) on conflict (person) do update \
             set sealed = $2, created_at = $3, last_step = 0 where totp.confirmed_at is null",
        )
        .bind(&who.person)
        .bind(self.seal(&place(&who.person), &secret[..])?)
        .bind(now.wall)
        .execute(tx.connection())
        .await
        .map_err(db("keeping one-time codes"))?;
        if done.rows_affected() == 0 {
            return Err(GuardError::Taken("app for one-time codes"));
        }
        tx.commit().await?;
        let url = totp.to_url().map_err(|_| GuardError::Internal("making one-time codes"))?;
        Ok(TotpEnrolment {
            secret: Secret::new(totp_rs::Secret::from(secret.to_vec()).to_base32()),
            url: url.into(),
        })
    }

    /// Shows that the app works: from now on it counts, and the session is full. Recovery codes come with the first
    /// factor ([`Guard::new_recovery_codes`]).
    pub async fn confirm_totp(
        &self,
        who: &Who,
        origin: &Origin,
        code: &Secret,
    ) -> Result<SignedIn, GuardError> {
        self.may_change_factors(who).await?;
        let folded = fold_code(code.expose());
        let (mut tx, now) = self.change().await?;
        let Some(step) = self.totp_step(&mut tx, now, &who.person, &folded, false).await? else {
            return Err(GuardError::FactorRefused);
        };
        sqlx::query(
            "update totp set confirmed_at = $2, last_step = $3 where person = $1 and confirmed_at is null",
        )
        .bind(&who.person)
        .bind(now.wall)
        .bind(step)
        .execute(tx.connection())
        .await
        .map_err(db("keeping one-time codes"))?;
        credential_changed(&mut tx, now, &who.actor(), &who.person, "totp", "added").await?;
        let signed_in = self.raise_session(&mut tx, now, who, origin, "totp").await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Takes one's app away.
    pub async fn remove_totp(&self, who: &Who) -> Result<(), GuardError> {
        self.may_change_factors(who).await?;
        let (mut tx, now) = self.change().await?;
        let done = sqlx::query("delete from totp where person = $1")
            .bind(&who.person)
            .execute(tx.connection())
            .await
            .map_err(db("removing one-time codes"))?;
        if done.rows_affected() == 0 {
            return Err(GuardError::Unknown("app for one-time codes"));
        }
        credential_changed(&mut tx, now, &who.actor(), &who.person, "totp", "removed").await?;
        Ok(tx.commit().await?)
    }

    /// Whether a code is right and new; uses its step up.
    pub(crate) async fn use_totp(
        &self,
        tx: &mut Tx,
        now: Moment,
        person: &str,
        code: &str,
    ) -> Result<bool, GuardError> {
        let Some(step) = self.totp_step(tx, now, person, code, true).await? else { return Ok(false) };
        let done = sqlx::query("update totp set last_step = $2 where person = $1 and last_step < $2")
            .bind(person)
            .bind(step)
            .execute(tx.connection())
            .await
            .map_err(db("using a one-time code"))?;
        Ok(done.rows_affected() == 1)
    }

    /// The step that a code belongs to, when it is right and none of that step or a later one was used. Goes by the
    /// wall clock, as the app does.
    async fn totp_step(
        &self,
        tx: &mut Tx,
        now: Moment,
        person: &str,
        code: &str,
        confirmed: bool,
    ) -> Result<Option<i64>, GuardError> {
        let failed = db("reading one-time codes");
        let row = sqlx::query(
            "select sealed, last_step from totp where person = $1 and (confirmed_at is not null) = ($2 = 1)",
        )
        .bind(person)
        .bind(i64::from(confirmed))
        .fetch_optional(tx.connection())
        .await
        .map_err(&failed)?;
        let Some(row) = row else { return Ok(None) };
        let sealed: Vec<u8> = row.try_get(0).map_err(&failed)?;
        let last: i64 = row.try_get(1).map_err(&failed)?;
        let secret = self.unseal(&place(person), &sealed)?;
        let time = u64::try_from(now.wall / 1_000_000).unwrap_or(0);
        let step = build(&secret, "")?.check(code, time).and_then(|s| i64::try_from(s).ok());
        Ok(step.filter(|s| *s > last))
    }
}
