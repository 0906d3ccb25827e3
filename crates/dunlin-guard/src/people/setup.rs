//! The first owner of a workspace: made by whoever has the secret that the server printed when it began, once.

use dunlin_ledger::Actor;
use dunlin_plan::Role;
use dunlin_store::Tx;

use crate::error::db;
use crate::people::{NewPerson, Status};
use crate::session::How;
use crate::token::{Secret, new_token, token_hash};
use crate::{Guard, GuardError, Origin, SignedIn};

/// What the first owner says.
#[derive(Debug, Clone)]
pub struct SetUp<'a> {
    /// The secret.
    pub secret: &'a Secret,
    /// The name.
    pub name: &'a str,
    /// The address.
    pub email: &'a str,
    /// The password.
    pub password: &'a Secret,
}

impl Guard {
    /// Whether the workspace still waits for its first owner.
    pub async fn needs_set_up(&self) -> Result<bool, GuardError> {
        let owners: i64 = sqlx::query_scalar("select count(*) from people where role = 'owner'")
            .fetch_one(self.state().pool())
            .await
            .map_err(db("counting owners"))?;
        Ok(owners == 0)
    }

    /// A new secret for the first owner, to be printed where only the operator reads; any earlier one is void.
    /// `None` where there has been an owner.
    pub async fn set_up_secret(&self) -> Result<Option<Secret>, GuardError> {
        let secret = new_token()?;
        let (mut tx, now) = self.change().await?;
        if has_owner(&mut tx).await? {
            return Ok(None);
        }
        sqlx::query(
            "insert into setup_secret (id, hash, created_at, spent_at) values (1, $1, $2, null) \
             on conflict (id) do update set hash = $1, created_at = $2, spent_at = null",
        )
        .bind(token_hash("set_up", secret.expose()))
        .bind(now.wall)
        .execute(tx.connection())
        .await
        .map_err(db("keeping the set-up secret"))?;
        tx.commit().await?;
        Ok(Some(secret))
    }

    /// Makes the first owner and signs them in. Of several at once with the same secret one succeeds.
    pub async fn set_up(&self, origin: &Origin, first: SetUp<'_>) -> Result<SignedIn, GuardError> {
        let hash = token_hash("set_up", first.secret.expose());
        let open: i64 =
            sqlx::query_scalar("select count(*) from setup_secret where hash = $1 and spent_at is null")
                .bind(&hash)
                .fetch_one(self.state().pool())
                .await
                .map_err(db("reading the set-up secret"))?;
        if open == 0 {
            return Err(GuardError::LinkSpent);
        }
        self.check_password(first.password, &[first.name, first.email]).await?;
        let password = self.pool().hash(first.password).await?;
        let (mut tx, now) = self.change().await?;
        let spent = sqlx::query("update setup_secret set spent_at = $2 where hash = $1 and spent_at is null")
            .bind(&hash)
            .bind(now.wall)
            .execute(tx.connection())
            .await
            .map_err(db("spending the set-up secret"))?;
        if spent.rows_affected() == 0 || has_owner(&mut tx).await? {
            return Err(GuardError::LinkSpent);
        }
        let new = NewPerson {
            email: first.email,
            verified: true,
            name: first.name,
            role: Role::Owner,
            organisation: None,
            by_hand: true,
            status: Status::Active,
        };
        let person = self.add_in_tx(&mut tx, now, &Actor::System, new).await?;
        let actor = Actor::Person { id: person.id.clone() };
        self.put_hash(&mut tx, &person.id, &password, Some((now, &actor))).await?;
        let how = How { method: "set_up", two_factors: false };
        let signed_in = self.open_session(&mut tx, now, &person, origin, how).await?;
        tx.commit().await?;
        Ok(signed_in)
    }
}

async fn has_owner(tx: &mut Tx) -> Result<bool, GuardError> {
    let owners: i64 = sqlx::query_scalar("select count(*) from people where role = 'owner'")
        .fetch_one(tx.connection())
        .await
        .map_err(db("counting owners"))?;
    Ok(owners > 0)
}
