//! Signing in with e-mail and password. Whether the account is unknown, locked, blocked or the password wrong: the
//! answer is the same, and so is the work done for it.

use dunlin_ledger::Actor;
use sqlx::Row;

use crate::error::db;
use crate::guard::enter;
use crate::limit::{Attempt, Gate, Reserved, Settled};
use crate::people::person_in_tx;
use crate::session::open::How;
use crate::session::{Ends, end};
use crate::token::Secret;
use crate::{Guard, GuardError, Origin, SignedIn};

/// Longer passwords are none: hashing them would be work for nothing.
pub(crate) const PASSWORD_MAX: usize = 1024;

impl Guard {
    /// First step of a sign-in. What is still missing is in [`SignedIn::stage`].
    pub async fn sign_in(
        &self,
        origin: &Origin,
        email: &str,
        password: &Secret,
    ) -> Result<SignedIn, GuardError> {
        let account = self.account_of(email)?;
        let (mut tx, now) = self.change().await?;
        let (person, stored) = known(&mut tx, email).await?;
        let guess = Some(password);
        let attempt = Attempt { account, person: person.as_deref(), credential: "password", origin, guess };
        let reserved = self.reserve(&mut tx, now, &attempt).await?;
        tx.commit().await?;
        if let Gate::Throttled(retry_after_s) = reserved.gate {
            return Err(GuardError::Throttled { retry_after_s });
        }

        // No transaction is held while this works. A locked account costs as much as an open one.
        let fits = password.expose().len() <= PASSWORD_MAX;
        let usable = stored.as_deref().filter(|_| reserved.gate == Gate::Go && fits);
        let short = Secret::new(password.expose().chars().take(PASSWORD_MAX).collect::<String>());
        let verified = match self.look_at(&short, usable).await {
            Ok(verified) => verified,
            Err(error) => {
                let (mut tx, now) = self.change().await?;
                self.settle(&mut tx, now, &attempt, &reserved, Settled::Abandoned).await?;
                tx.commit().await?;
                return Err(error);
            }
        };
        self.conclude(&attempt, &reserved, verified, stored.as_deref()).await
    }

    /// Whether a password is right; with a new hash of it when the old one was made with other parameters.
    async fn look_at(&self, password: &Secret, stored: Option<&str>) -> Result<Looked, GuardError> {
        let verified = self.pool().verify(password, stored).await?;
        let renew = verified.right && verified.stale;
        let renewed = if renew { Some(self.pool().hash(password).await?) } else { None };
        Ok(Looked { right: verified.right, renewed })
    }

    /// Settles a sign-in: a session, or the answer that all failures share.
    async fn conclude(
        &self,
        attempt: &Attempt<'_>,
        reserved: &Reserved,
        looked: Looked,
        stored: Option<&str>,
    ) -> Result<SignedIn, GuardError> {
        let (mut tx, now) = self.change().await?;
        let reason = match (attempt.person, looked.right) {
            (None, _) => Some("unknown"),
            (Some(_), false) => Some("wrong"),
            (Some(id), true) => self.why_not(&mut tx, id, stored).await?,
        };
        if let (Some(id), None) = (attempt.person, reason) {
            self.settle(&mut tx, now, attempt, reserved, Settled::Accepted).await?;
            if let Some(hash) = looked.renewed {
                self.put_hash(&mut tx, id, &hash, None).await?;
            }
            let person = person_in_tx(&mut tx, id).await?;
            let how = How { method: "password", two_factors: false };
            let signed_in = self.open_session(&mut tx, now, &person, attempt.origin, how).await?;
            tx.commit().await?;
            return Ok(signed_in);
        }
        let refused = Settled::Refused(reason.unwrap_or("wrong"));
        let locks = self.settle(&mut tx, now, attempt, reserved, refused).await?;
        tx.commit().await?;
        if let (true, Some(id)) = (locks, attempt.person) {
            self.mail_unlock(id);
        }
        Err(GuardError::SignInRefused)
    }

    /// Why somebody with the right password may not come in, as the transaction sees it now.
    async fn why_not(
        &self,
        tx: &mut dunlin_store::Tx,
        person: &str,
        verified: Option<&str>,
    ) -> Result<Option<&'static str>, GuardError> {
        let now: Option<String> = sqlx::query_scalar("select hash from passwords where person = $1")
            .bind(person)
            .fetch_optional(tx.connection())
            .await
            .map_err(db("reading a password"))?;
        if now.as_deref() != verified {
            // The password was changed while we looked at the old one.
            return Ok(Some("wrong"));
        }
        let record = person_in_tx(tx, person).await?;
        let moment = self.now();
        Ok(match (record.status, self.may_come_in(&record, moment)) {
            (_, Ok(())) => None,
            (crate::Status::Blocked, _) => Some("blocked"),
            _ => Some("not_active"),
        })
    }

    /// Ends the session of this token, if there is one.
    pub async fn sign_out(&self, token: &Secret) -> Result<(), GuardError> {
        let found: Option<(String, String)> =
            sqlx::query_as("select id, person from sessions where token = $1 and ended_at is null")
                .bind(self.session_hash(token)?)
                .fetch_optional(self.state().pool())
                .await
                .map_err(db("reading a session"))?;
        let Some((session, person)) = found else { return Ok(()) };
        let (mut tx, now) = self.change().await?;
        end(&mut tx, now, &Actor::Person { id: person }, Ends::One(&session), "signed_out").await?;
        Ok(tx.commit().await?)
    }
}

/// What a look at a password has shown.
struct Looked {
    right: bool,
    renewed: Option<String>,
}

/// Who has this address, and the hash of the password, as far as there are any.
async fn known(
    tx: &mut dunlin_store::Tx,
    email: &str,
) -> Result<(Option<String>, Option<String>), GuardError> {
    let failed = db("reading a password");
    let row = sqlx::query(
        "select p.id, w.hash from people p left join passwords w on w.person = p.id where p.email = $1",
    )
    .bind(email.trim().to_lowercase())
    .fetch_optional(tx.connection())
    .await
    .map_err(&failed)?;
    let Some(row) = row else { return Ok((None, None)) };
    Ok((Some(row.try_get(0).map_err(&failed)?), row.try_get(1).map_err(&failed)?))
}

/// Enters that a credential changed.
pub(crate) async fn credential_changed(
    tx: &mut dunlin_store::Tx,
    now: crate::Moment,
    by: &Actor,
    person: &str,
    credential: &str,
    change: &str,
) -> Result<(), GuardError> {
    let body = dunlin_ledger::Body::CredentialChanged {
        person: person.to_owned(),
        credential: credential.to_owned(),
        change: change.to_owned(),
    };
    enter(tx, now, by, body).await
}
