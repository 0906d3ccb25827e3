//! Passkeys (WebAuthn): registration, and signing in with one, which is two factors in one since the device asks
//! for a finger or a PIN. The server's side of a ceremony lies sealed in the state and is used once.

use dunlin_store::{Tx, new_id};
use serde::Serialize;
use serde_json::Value;
use sqlx::Row;
use webauthn_rs::prelude::{
    AuthenticationResult, DiscoverableAuthentication, Passkey, PasskeyAuthentication, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, Uuid,
};

use crate::clock::seconds;
use crate::error::db;
use crate::limit::{Attempt, Gate, Settled};
use crate::people::person_in_tx;
use crate::session::{How, credential_changed};
use crate::token::{Secret, new_token, token_hash};
use crate::{Guard, GuardError, Origin, SignedIn, Stage, Who};

/// How long a ceremony may take.
const CEREMONY_S: u64 = 5 * 60;

/// A ceremony that has begun.
#[derive(Debug, Clone)]
pub struct Ceremony {
    /// Comes back with the browser's answer.
    pub handle: Secret,
    /// For `navigator.credentials.create` or `.get`.
    pub options: Value,
}

/// A passkey, without the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PasskeyInfo {
    /// Its id.
    pub id: String,
    /// The name its owner gave it.
    pub label: String,
    /// When it was added, microseconds since 1970 UTC.
    pub created_at: i64,
    /// When it was used last.
    pub last_used_at: Option<i64>,
}

impl Guard {
    /// Begins to add a passkey to one's own account.
    pub async fn begin_passkey(&self, who: &Who) -> Result<Ceremony, GuardError> {
        self.may_change_factors(who).await?;
        let id = Uuid::parse_str(&who.person).map_err(|_| GuardError::Internal("reading a person"))?;
        let known = self.keys_of(&who.person).await?;
        let exclude = known.iter().map(|(_, key)| key.cred_id().clone()).collect();
        let (challenge, state) = self
            .webauthn()?
            .start_passkey_registration(id, &who.email, &who.name, Some(exclude))
            .map_err(|_| GuardError::Internal("beginning a passkey"))?;
        let mut options = json(&challenge)?;
        // A key that the device keeps can be offered without an address typed first; where it cannot keep one, the
        // passkey still serves as second factor.
        options["publicKey"]["authenticatorSelection"]["residentKey"] = Value::from("preferred");
        self.begin_ceremony("add", Some(who), options, &json(&state)?).await
    }

    /// Adds the passkey. The session is full from now on.
    pub async fn finish_passkey(
        &self,
        who: &Who,
        origin: &Origin,
        handle: &Secret,
        answer: &Value,
        label: &str,
    ) -> Result<SignedIn, GuardError> {
        self.may_change_factors(who).await?;
        let label: String = label.trim().chars().filter(|c| !c.is_control()).take(64).collect();
        let label = if label.is_empty() { origin.device() } else { label };
        let (mut tx, now) = self.change().await?;
        let state = self.end_ceremony(&mut tx, "add", Some(who), handle).await?;
        let state: PasskeyRegistration = parse(state)?;
        let answer: RegisterPublicKeyCredential = parse(answer.clone())?;
        let key = self.webauthn()?.finish_passkey_registration(&answer, &state);
        let key = key.map_err(|_| GuardError::FactorRefused)?;
        let id = new_id();
        let sealed = self.seal(&place(&who.person, &id), json(&key)?.to_string().as_bytes())?;
        let added = sqlx::query(
            "insert into passkeys (id, person, credential, label, sealed, created_at) values ($1, $2, $3, $4, $5, $6) \
             on conflict (credential) do nothing",
        )
        .bind(&id)
        .bind(&who.person)
        .bind(credential_hash(key.cred_id().as_ref()))
        .bind(label)
        .bind(sealed)
        .bind(now.wall)
        .execute(tx.connection())
        .await
        .map_err(db("keeping a passkey"))?;
        if added.rows_affected() == 0 {
            return Err(GuardError::Taken("passkey"));
        }
        credential_changed(&mut tx, now, &who.actor(), &who.person, "passkey", "added").await?;
        let signed_in = self.raise_session(&mut tx, now, who, origin, "passkey").await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Begins to sign in with a passkey, whosever it is.
    pub async fn begin_passkey_sign_in(&self) -> Result<Ceremony, GuardError> {
        let (mut challenge, state) = self
            .webauthn()?
            .start_discoverable_authentication()
            .map_err(|_| GuardError::Internal("beginning a passkey"))?;
        // The library makes it for the browser's own autofill; a button asks as well.
        challenge.mediation = None;
        self.begin_ceremony("sign_in", None, json(&challenge)?, &json(&state)?).await
    }

    /// Signs in with a passkey. Never locked; what is wrong is recorded.
    pub async fn finish_passkey_sign_in(
        &self,
        origin: &Origin,
        handle: &Secret,
        answer: &Value,
    ) -> Result<SignedIn, GuardError> {
        let (mut tx, now) = self.change().await?;
        let person = self.use_passkey(&mut tx, handle, answer).await?;
        let Some(id) = person else {
            // The ceremony is used up all the same.
            tx.commit().await?;
            return Err(GuardError::SignInRefused);
        };
        let person = person_in_tx(&mut tx, &id).await?;
        let attempt = Attempt {
            account: self.account_of(&person.email)?,
            person: Some(&id),
            credential: "passkey",
            origin,
            guess: None,
        };
        let mut reserved = self.reserve(&mut tx, now, &attempt).await?;
        reserved.gate = Gate::Go;
        if self.may_come_in(&person, now).is_err() {
            self.settle(&mut tx, now, &attempt, &reserved, Settled::Refused("not_active")).await?;
            tx.commit().await?;
            return Err(GuardError::SignInRefused);
        }
        self.settle(&mut tx, now, &attempt, &reserved, Settled::Accepted).await?;
        let how = How { method: "passkey", two_factors: true };
        let signed_in = self.open_session(&mut tx, now, &person, origin, how).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Begins to show one of one's own passkeys as a second factor.
    pub async fn begin_passkey_factor(&self, who: &Who) -> Result<Ceremony, GuardError> {
        self.need_session(who)?;
        let keys: Vec<Passkey> = self.keys_of(&who.person).await?.into_iter().map(|(_, key)| key).collect();
        if keys.is_empty() {
            return Err(GuardError::Unknown("passkey"));
        }
        let (challenge, state) = self
            .webauthn()?
            .start_passkey_authentication(&keys)
            .map_err(|_| GuardError::Internal("beginning a passkey"))?;
        self.begin_ceremony("factor", Some(who), json(&challenge)?, &json(&state)?).await
    }

    /// Shows one's passkey as the second factor of a sign-in, or to make a full session's factor fresh. Begun by
    /// [`Guard::begin_passkey_factor`], or by [`Guard::begin_passkey_sign_in`] where the device keeps the key.
    pub async fn show_passkey(
        &self,
        who: &Who,
        origin: &Origin,
        handle: &Secret,
        answer: &Value,
    ) -> Result<SignedIn, GuardError> {
        self.need_session(who)?;
        if who.stage == Stage::Enrol {
            return Err(GuardError::EnrolmentNeeded);
        }
        let (mut tx, now) = self.change().await?;
        let used = match self.end_ceremony(&mut tx, "factor", Some(who), handle).await {
            Ok(state) => self.use_own_passkey(&mut tx, state, answer).await?,
            Err(GuardError::LinkSpent) => self.use_passkey(&mut tx, handle, answer).await?,
            Err(other) => return Err(other),
        };
        if used.as_ref() != Some(&who.person) {
            // The ceremony is used up all the same.
            tx.commit().await?;
            return Err(GuardError::FactorRefused);
        }
        let signed_in = self.raise_session(&mut tx, now, who, origin, "passkey").await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// One's passkeys.
    pub async fn passkeys(&self, person: &str) -> Result<Vec<PasskeyInfo>, GuardError> {
        let failed = db("reading passkeys");
        let rows = sqlx::query(
            "select id, label, created_at, last_used_at from passkeys where person = $1 order by id",
        )
        .bind(person)
        .fetch_all(self.state().pool())
        .await
        .map_err(&failed)?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok(PasskeyInfo {
                id: row.try_get(0)?,
                label: row.try_get(1)?,
                created_at: row.try_get(2)?,
                last_used_at: row.try_get(3)?,
            })
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }

    /// Takes one of one's passkeys away.
    pub async fn remove_passkey(&self, who: &Who, passkey: &str) -> Result<(), GuardError> {
        self.may_change_factors(who).await?;
        let (mut tx, now) = self.change().await?;
        let done = sqlx::query("delete from passkeys where id = $1 and person = $2")
            .bind(passkey)
            .bind(&who.person)
            .execute(tx.connection())
            .await
            .map_err(db("removing a passkey"))?;
        if done.rows_affected() == 0 {
            return Err(GuardError::Unknown("passkey"));
        }
        credential_changed(&mut tx, now, &who.actor(), &who.person, "passkey", "removed").await?;
        Ok(tx.commit().await?)
    }

    /// Whose passkey has answered rightly. Uses the ceremony up, whatever the answer.
    async fn use_passkey(
        &self,
        tx: &mut Tx,
        handle: &Secret,
        answer: &Value,
    ) -> Result<Option<String>, GuardError> {
        let state: DiscoverableAuthentication = parse(self.end_ceremony(tx, "sign_in", None, handle).await?)?;
        let answer: PublicKeyCredential = parse(answer.clone())?;
        let Some(known) = self.known_key(tx, &answer).await? else { return Ok(None) };
        let result = self.webauthn()?.finish_discoverable_authentication_v2(&answer, state, &known.key);
        match result {
            Ok(result) => self.key_used(tx, &answer, known, &result).await,
            Err(_) => Ok(None),
        }
    }

    /// The same for a ceremony that named the keys to choose from.
    async fn use_own_passkey(
        &self,
        tx: &mut Tx,
        state: Value,
        answer: &Value,
    ) -> Result<Option<String>, GuardError> {
        let state: PasskeyAuthentication = parse(state)?;
        let answer: PublicKeyCredential = parse(answer.clone())?;
        let Some(known) = self.known_key(tx, &answer).await? else { return Ok(None) };
        match self.webauthn()?.finish_passkey_authentication(&answer, &state) {
            Ok(result) => self.key_used(tx, &answer, known, &result).await,
            Err(_) => Ok(None),
        }
    }

    async fn known_key(
        &self,
        tx: &mut Tx,
        answer: &PublicKeyCredential,
    ) -> Result<Option<KnownKey>, GuardError> {
        let row: Option<(String, String, Vec<u8>)> =
            sqlx::query_as("select id, person, sealed from passkeys where credential = $1")
                .bind(credential_hash(answer.get_credential_id()))
                .fetch_optional(tx.connection())
                .await
                .map_err(db("reading a passkey"))?;
        let Some((id, person, sealed)) = row else { return Ok(None) };
        let key = self.open_key(&person, &id, &sealed)?;
        Ok(Some(KnownKey { id, person, key }))
    }

    /// Keeps the key's counter; says whose it is. The device names the account as well: a key that answers for
    /// another one is refused, and so is an answer without a finger or a PIN.
    async fn key_used(
        &self,
        tx: &mut Tx,
        answer: &PublicKeyCredential,
        mut known: KnownKey,
        result: &AuthenticationResult,
    ) -> Result<Option<String>, GuardError> {
        let named = answer
            .get_user_unique_id()
            .is_none_or(|bytes| Uuid::from_slice(bytes).is_ok_and(|named| named.to_string() == known.person));
        if !named || !result.user_verified() {
            return Ok(None);
        }
        known.key.update_credential(result);
        let sealed = json(&known.key)?.to_string();
        sqlx::query("update passkeys set sealed = $2, last_used_at = $3 where id = $1")
            .bind(&known.id)
            .bind(self.seal(&place(&known.person, &known.id), sealed.as_bytes())?)
            .bind(self.now().wall)
            .execute(tx.connection())
            .await
            .map_err(db("using a passkey"))?;
        Ok(Some(known.person))
    }

    async fn keys_of(&self, person: &str) -> Result<Vec<(String, Passkey)>, GuardError> {
        let rows: Vec<(String, Vec<u8>)> =
            sqlx::query_as("select id, sealed from passkeys where person = $1")
                .bind(person)
                .fetch_all(self.state().pool())
                .await
                .map_err(db("reading passkeys"))?;
        rows.into_iter().map(|(id, sealed)| Ok((id.clone(), self.open_key(person, &id, &sealed)?))).collect()
    }

    fn open_key(&self, person: &str, id: &str, sealed: &[u8]) -> Result<Passkey, GuardError> {
        let clear = self.unseal(&place(person, id), sealed)?;
        serde_json::from_slice(&clear).map_err(|_| GuardError::Internal("reading a passkey"))
    }

    async fn begin_ceremony(
        &self,
        kind: &str,
        who: Option<&Who>,
        options: Value,
        state: &Value,
    ) -> Result<Ceremony, GuardError> {
        let handle = new_token()?;
        let hash = token_hash("ceremony", handle.expose());
        let (mut tx, now) = self.change().await?;
        sqlx::query(
            "insert into ceremonies (hash, kind, person, session, sealed, until_late) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&hash)
        .bind(kind)
        .bind(who.map(|w| w.person.as_str()))
        .bind(who.map(|w| w.via.id()))
        .bind(self.seal(&format!("ceremony/{hash}"), state.to_string().as_bytes())?)
        .bind(now.late.saturating_add(seconds(CEREMONY_S)))
        .execute(tx.connection())
        .await
        .map_err(db("beginning a passkey"))?;
        tx.commit().await?;
        Ok(Ceremony { handle, options })
    }

    /// The server's side of a ceremony; it can be asked for once, and by the session that began it.
    async fn end_ceremony(
        &self,
        tx: &mut Tx,
        kind: &str,
        who: Option<&Who>,
        handle: &Secret,
    ) -> Result<Value, GuardError> {
        let hash = token_hash("ceremony", handle.expose());
        let sealed: Option<Vec<u8>> = sqlx::query_scalar(
            "delete from ceremonies where hash = $1 and kind = $2 and until_late > $3 \
             and coalesce(session, '') = $4 returning sealed",
        )
        .bind(&hash)
        .bind(kind)
        .bind(self.now().late)
        .bind(who.map(|w| w.via.id()).unwrap_or_default())
        .fetch_optional(tx.connection())
        .await
        .map_err(db("finishing a passkey"))?;
        let clear = self.unseal(&format!("ceremony/{hash}"), &sealed.ok_or(GuardError::LinkSpent)?)?;
        serde_json::from_slice(&clear).map_err(|_| GuardError::Internal("finishing a passkey"))
    }
}

/// A passkey that the state knows.
struct KnownKey {
    id: String,
    person: String,
    key: Passkey,
}

fn place(person: &str, passkey: &str) -> String {
    format!("passkey/{person}/{passkey}")
}

fn credential_hash(id: &[u8]) -> String {
    blake3::hash(id).to_hex().to_string()
}

fn json<T: Serialize>(value: &T) -> Result<Value, GuardError> {
    serde_json::to_value(value).map_err(|_| GuardError::Internal("writing a passkey"))
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, GuardError> {
    let help = "send what the browser's `navigator.credentials` has given, as JSON";
    serde_json::from_value(value).map_err(|_| GuardError::Invalid { what: "the passkey's answer", help })
}
