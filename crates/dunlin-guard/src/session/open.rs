//! Opening sessions, giving them new tokens, and the token of their forms.

use dunlin_ledger::Body;
use dunlin_store::{Purpose, Tx, new_id};
use subtle::ConstantTimeEq;

use crate::clock::seconds;
use crate::error::db;
use crate::guard::enter;
use crate::people::person_in_tx;
use crate::session::Stage;
use crate::token::{Secret, new_token};
use crate::{Guard, GuardError, Moment, Origin, Person, Who};

/// What a sign-in, or a step of one, gives. The token goes into the cookie and nowhere else.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session's secret; any earlier one of the same session is void.
    pub token: Secret,
    /// The session's id.
    pub session: String,
    /// The person's id.
    pub person: String,
    /// What is still missing.
    pub stage: Stage,
    /// The second factors that the person has.
    pub factors: Factors,
}

/// Which second factors a person has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Factors {
    /// An app for one-time codes.
    pub totp: bool,
    /// Passkeys.
    pub passkeys: u32,
    /// Recovery codes that are left.
    pub recovery_codes: u32,
}

/// How somebody came in, for [`Guard::open_session`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct How<'a> {
    /// A code: `password`, `passkey`, `oidc`, ...
    pub method: &'a str,
    /// Whether it counts as two factors.
    pub two_factors: bool,
}

impl Guard {
    /// Opens a session for a person in a transaction; the person has proved who they are.
    pub(crate) async fn open_session(
        &self,
        tx: &mut Tx,
        now: Moment,
        person: &Person,
        origin: &Origin,
        how: How<'_>,
    ) -> Result<SignedIn, GuardError> {
        let (id, token) = (new_id(), new_token()?);
        let stage = self.stage_of(person, how.two_factors);
        let mfa = how.two_factors.then_some(now);
        sqlx::query(
            "insert into sessions (id, person, token, method, stage, created_at, created_late, seen_at, seen_late, \
             ends_late, mfa_late, mfa_at, device, device_hash, address, network) \
             values ($1, $2, $3, $4, $5, $6, $7, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(&id)
        .bind(&person.id)
        .bind(self.session_hash(&token)?)
        .bind(how.method)
        .bind(stage.as_str())
        .bind(now.wall)
        .bind(now.late)
        .bind(now.late.saturating_add(seconds(self.settings().lifetimes.absolute_s)))
        .bind(mfa.map(|m| m.late))
        .bind(mfa.map(|m| m.wall))
        .bind(origin.device())
        .bind(self.device_hash(&person.id, origin)?)
        .bind(origin.address.to_string())
        .bind(origin.network())
        .execute(tx.connection())
        .await
        .map_err(db("opening a session"))?;
        if stage != Stage::SecondFactor {
            self.came_in(tx, now, &person.id, &id, how.method, origin).await?;
        }
        let factors = factors_in_tx(tx, &person.id).await?;
        Ok(SignedIn { token, session: id, person: person.id.clone(), stage, factors })
    }

    /// What is still missing for a person who has shown one factor, or two.
    pub(crate) fn stage_of(&self, person: &Person, two_factors: bool) -> Stage {
        match (two_factors, person.mfa_enrolled, self.needs_factor(person)) {
            (true, _, _) => Stage::Full,
            (false, true, _) => Stage::SecondFactor,
            (false, false, true) => Stage::Enrol,
            (false, false, false) => Stage::Full,
        }
    }

    /// The second factor was shown: the session is full, and gets a new token. `factor` is its code.
    pub(crate) async fn raise_session(
        &self,
        tx: &mut Tx,
        now: Moment,
        who: &Who,
        origin: &Origin,
        factor: &str,
    ) -> Result<SignedIn, GuardError> {
        let token = new_token()?;
        let failed = db("raising a session");
        let method: String = sqlx::query_scalar(
            "update sessions set token = $2, stage = 'full', mfa_late = $3, mfa_at = $4, seen_at = $4, seen_late = $3, \
             method = case when stage = 'second_factor' then method || '.' || $5 else method end \
             where id = $1 and ended_at is null returning method",
        )
        .bind(who.via.id())
        .bind(self.session_hash(&token)?)
        .bind(now.late)
        .bind(now.wall)
        .bind(factor)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(GuardError::NotSignedIn)?;
        if who.stage == Stage::SecondFactor {
            self.came_in(tx, now, &who.person, who.via.id(), &method, origin).await?;
        }
        self.signed_in(tx, &who.person, who.via.id(), token, Stage::Full).await
    }

    /// Gives a session a new token: what it may do has changed.
    pub(crate) async fn renew_session(&self, tx: &mut Tx, who: &Who) -> Result<SignedIn, GuardError> {
        let token = new_token()?;
        let done = sqlx::query("update sessions set token = $2 where id = $1 and ended_at is null")
            .bind(who.via.id())
            .bind(self.session_hash(&token)?)
            .execute(tx.connection())
            .await
            .map_err(db("renewing a session"))?;
        if done.rows_affected() == 0 {
            return Err(GuardError::NotSignedIn);
        }
        self.signed_in(tx, &who.person, who.via.id(), token, who.stage).await
    }

    async fn signed_in(
        &self,
        tx: &mut Tx,
        person: &str,
        session: &str,
        token: Secret,
        stage: Stage,
    ) -> Result<SignedIn, GuardError> {
        let factors = factors_in_tx(tx, person).await?;
        Ok(SignedIn { token, session: session.to_owned(), person: person.to_owned(), stage, factors })
    }

    /// Somebody is in: enters it, and remembers the network as one they come from.
    async fn came_in(
        &self,
        tx: &mut Tx,
        now: Moment,
        person: &str,
        session: &str,
        method: &str,
        origin: &Origin,
    ) -> Result<(), GuardError> {
        sqlx::query("update people set last_seen_at = $2 where id = $1")
            .bind(person)
            .bind(now.wall)
            .execute(tx.connection())
            .await
            .map_err(db("noting a sign-in"))?;
        sqlx::query(
            "insert into known_networks (person, network, last_served) values ($1, $2, $3) \
             on conflict (person, network) do update set last_served = $3",
        )
        .bind(person)
        .bind(origin.network())
        .bind(now.served)
        .execute(tx.connection())
        .await
        .map_err(db("noting a network"))?;
        let actor = dunlin_ledger::Actor::Person { id: person.to_owned() };
        let (person, session, method) = (person.to_owned(), session.to_owned(), method.to_owned());
        enter(tx, now, &actor, Body::SignedIn { person, session, method }).await
    }

    /// Opens a session for somebody whom an identity provider has signed in; `two_factors` when its word on that
    /// is trusted. Refused, without saying why, for who may not come in.
    pub async fn sign_in_federated(
        &self,
        origin: &Origin,
        person: &str,
        method: &str,
        two_factors: bool,
    ) -> Result<SignedIn, GuardError> {
        let (mut tx, now) = self.change().await?;
        let person = person_in_tx(&mut tx, person).await?;
        if self.may_come_in(&person, now).is_err() {
            self.refused(&mut tx, now, &person.id, "not_active").await?;
            tx.commit().await?;
            return Err(GuardError::SignInRefused);
        }
        let how = How { method, two_factors };
        let signed_in = self.open_session(&mut tx, now, &person, origin, how).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// The hash under which a session's token is kept.
    pub(crate) fn session_hash(&self, token: &Secret) -> Result<String, GuardError> {
        self.mac(Purpose::Session, &[b"session", token.expose().as_bytes()])
    }

    /// Tells one person's browsers apart.
    pub(crate) fn device_hash(&self, person: &str, origin: &Origin) -> Result<String, GuardError> {
        self.mac(Purpose::Attempt, &[b"device", person.as_bytes(), origin.agent.as_bytes()])
    }

    /// The token that every form of this session carries.
    pub fn form_token(&self, token: &Secret) -> Result<String, GuardError> {
        self.mac(Purpose::Session, &[b"form", token.expose().as_bytes()])
    }

    /// Refuses a form that was made for another session.
    pub fn check_form_token(&self, token: &Secret, sent: &str) -> Result<(), GuardError> {
        let right = self.form_token(token)?;
        if bool::from(right.as_bytes().ct_eq(sent.as_bytes())) {
            Ok(())
        } else {
            Err(GuardError::FormRefused)
        }
    }
}

/// The second factors of a person.
pub(crate) async fn factors_in_tx(tx: &mut Tx, person: &str) -> Result<Factors, GuardError> {
    read_factors(tx.connection(), person).await
}

pub(crate) async fn read_factors(
    connection: &mut sqlx::SqliteConnection,
    person: &str,
) -> Result<Factors, GuardError> {
    let (totp, passkeys, codes): (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from totp where person = $1 and confirmed_at is not null), \
         (select count(*) from passkeys where person = $1), \
         (select count(*) from recovery_codes where person = $1 and used_at is null)",
    )
    .bind(person)
    .fetch_one(connection)
    .await
    .map_err(db("reading second factors"))?;
    let number = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Factors { totp: totp > 0, passkeys: number(passkeys), recovery_codes: number(codes) })
}
