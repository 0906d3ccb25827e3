//! Which person an account at a provider is: linked before, of the same verified address, or new.

use dunlin_ledger::{Actor, Body};
use dunlin_plan::Role;
use dunlin_store::Tx;
use sqlx::Row;

use super::provider::Provider;
use super::{Claims, Oidc, OidcError};
use crate::error::db;
use crate::guard::enter;
use crate::people::{NewPerson, fold_email, person_in_tx};
use crate::{GuardError, Moment, Status};

impl Oidc {
    /// The person's id. Links, joins or makes the account; entries and changes are one transaction.
    pub(super) async fn join(&self, provider: &Provider, claims: &Claims) -> Result<String, OidcError> {
        let subject = claims.subject().ok_or(OidcError::BadToken)?;
        let role = claims.role(&provider.settings, &provider.roles);
        let mut tx = self.guard.state().begin().await.map_err(GuardError::from)?;
        let now = self.guard.clock().keep(&mut tx).await?;
        let id = &provider.settings.id;
        let (person, made) = match linked(&mut tx, id, subject).await? {
            Some(known) => known,
            None => {
                // Nothing but a verified address joins: else whoever writes an address into a profile would get
                // the account of its owner.
                let email = claims.verified_email(&provider.settings).ok_or(OidcError::EmailNotVerified)?;
                let email = fold_email(email)?;
                let found = by_email(&mut tx, &email).await?;
                let made = found.is_none();
                let person = match found {
                    Some(person) => person,
                    None => self.make(&mut tx, now, provider, claims, &email, role).await?,
                };
                accept(&mut tx, now, &person).await?;
                link(&mut tx, now, id, subject, &person, made).await?;
                (person, made)
            }
        };
        // An account that exists by its group alone goes with it.
        if made && role.is_none() {
            tx.rollback().await.map_err(GuardError::from)?;
            return Err(OidcError::NoAccount);
        }
        if let Some(role) = role {
            self.follow(&mut tx, now, &person, role).await?;
        }
        tx.commit().await.map_err(GuardError::from)?;
        Ok(person)
    }

    /// Makes an account for somebody whose group gives a role.
    async fn make(
        &self,
        tx: &mut Tx,
        now: Moment,
        provider: &Provider,
        claims: &Claims,
        email: &str,
        role: Option<Role>,
    ) -> Result<String, OidcError> {
        let (true, Some(role)) = (provider.settings.create, role) else { return Err(OidcError::NoAccount) };
        let person = NewPerson {
            email,
            verified: true,
            name: claims.name().unwrap_or(email),
            role,
            organisation: provider.settings.organisation.as_deref(),
            by_hand: false,
            status: Status::Active,
        };
        Ok(self.guard.add_in_tx(tx, now, &Actor::System, person).await?.id)
    }

    /// Gives the role that the groups say, unless a person has set one by hand or it would leave no owner.
    async fn follow(&self, tx: &mut Tx, now: Moment, id: &str, role: Role) -> Result<(), GuardError> {
        let person = person_in_tx(tx, id).await?;
        if person.role == role || person.role_by_hand {
            return Ok(());
        }
        match self.guard.set_role(tx, now, &Actor::System, id, role, false).await {
            Ok(()) | Err(GuardError::LastOwner) => Ok(()),
            Err(other) => Err(other),
        }
    }
}

/// Whose account at the provider this is, and whether dunlin made the person for it.
async fn linked(tx: &mut Tx, provider: &str, subject: &str) -> Result<Option<(String, bool)>, GuardError> {
    let failed = db("reading an account of a provider");
    let row = sqlx::query("select person, made from oidc_accounts where provider = $1 and subject = $2")
        .bind(provider)
        .bind(subject)
        .fetch_optional(tx.connection())
        .await
        .map_err(&failed)?;
    let read = |row: sqlx::sqlite::SqliteRow| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)? != 0));
    row.map(read).transpose().map_err(failed)
}

async fn by_email(tx: &mut Tx, email: &str) -> Result<Option<String>, GuardError> {
    let failed = db("reading a person");
    let row = sqlx::query("select id from people where email = $1")
        .bind(email)
        .fetch_optional(tx.connection())
        .await
        .map_err(&failed)?;
    row.map(|r| r.try_get(0)).transpose().map_err(failed)
}

async fn link(
    tx: &mut Tx,
    now: Moment,
    provider: &str,
    subject: &str,
    person: &str,
    made: bool,
) -> Result<(), GuardError> {
    sqlx::query(
        "insert into oidc_accounts (provider, subject, person, made, linked_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(provider)
    .bind(subject)
    .bind(person)
    .bind(i64::from(made))
    .bind(now.wall)
    .execute(tx.connection())
    .await
    .map_err(db("linking an account of a provider"))?;
    let actor = Actor::Person { id: person.to_owned() };
    let (person, credential) = (person.to_owned(), format!("oidc:{provider}"));
    enter(tx, now, &actor, Body::CredentialChanged { person, credential, change: "added".to_owned() }).await
}

/// An invited person who comes by their verified address has accepted.
async fn accept(tx: &mut Tx, now: Moment, person: &str) -> Result<(), GuardError> {
    let failed = db("accepting an invitation");
    let done = sqlx::query(
        "update people set status = 'active', email_verified_at = $2 where id = $1 and status = 'invited'",
    )
    .bind(person)
    .bind(now.wall)
    .execute(tx.connection())
    .await
    .map_err(&failed)?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    let rows = sqlx::query(
        "update invitations set accepted_at = $2 where person = $1 and accepted_at is null and withdrawn_at is null \
         and until_late > $3 returning id",
    )
    .bind(person)
    .bind(now.wall)
    .bind(now.late)
    .fetch_all(tx.connection())
    .await
    .map_err(&failed)?;
    // An invitation that was withdrawn or is too old is none, whatever the provider says.
    if rows.is_empty() {
        return Err(GuardError::SignInRefused);
    }
    for row in rows {
        let invitation = row.try_get(0).map_err(&failed)?;
        let actor = Actor::Person { id: person.to_owned() };
        let body = Body::InvitationAccepted { invitation, person: person.to_owned() };
        enter(tx, now, &actor, body).await?;
    }
    Ok(())
}
