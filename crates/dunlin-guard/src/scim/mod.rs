//! SCIM 2.0 (RFC 7643, RFC 7644) for users: an identity provider adds, changes and removes people.
//!
//! A user's `userName` is the e-mail. `active: false` and `DELETE` make the person leave: sessions, tokens and
//! invitations end in the same transaction. `active: true` brings somebody back who had left, never somebody whom
//! a person has blocked. The record and its history stay.
//!
//! Not here: groups, bulk and sorting, which the service provider's configuration says; authentication and routes,
//! which are the server's.

mod documents;
mod error;
mod filter;
mod patch;
#[cfg(test)]
mod tests;
mod user;

pub use documents::{resource_types, schemas, service_provider_config};
pub use error::ScimError;
pub use user::ListQuery;

use dunlin_ledger::Actor;
use dunlin_plan::Role;
use serde_json::Value;

use user::User;

use crate::{Guard, GuardError, NewPerson, Status};

/// What SCIM may do here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimSettings {
    /// The role of people who come without one that is known.
    pub default_role: Role,
    /// Values of a user's `roles` and the role that each gives; the first that fits counts.
    pub roles: Vec<(String, Role)>,
    /// The organisation of people who are added; none is in-house.
    pub organisation: Option<String>,
}

impl Default for ScimSettings {
    /// Whoever is added may do nothing until somebody gives them a role.
    fn default() -> ScimSettings {
        ScimSettings { default_role: Role::Guest, roles: Vec::new(), organisation: None }
    }
}

/// SCIM over the guard. Cheap to clone.
#[derive(Clone)]
pub struct Scim {
    guard: Guard,
    settings: ScimSettings,
    /// Where the server has it, e.g. `https://dunlin.example/scim/v2`.
    base: String,
}

impl Scim {
    /// Over this guard; `base` is the address under which the server serves it.
    pub fn new(guard: Guard, settings: ScimSettings, base: &str) -> Scim {
        Scim { guard, settings, base: base.trim_end_matches('/').to_owned() }
    }

    /// Adds a user (`POST /Users`), or brings one back who was deleted there.
    pub async fn create(&self, by: &Actor, body: &Value) -> Result<Value, ScimError> {
        let wanted = User::parse(body, &self.settings)?;
        if wanted.external_id_taken(&self.guard, None).await? {
            return Err(ScimError::uniqueness());
        }
        let found = self.guard.person_by_email(&wanted.email).await?;
        let id = match found {
            Some(person) if user::is_deleted(&self.guard, &person.id).await? => {
                self.apply(by, &person.id, &wanted, true).await?;
                user::link(&self.guard, &person.id, wanted.external_id.as_deref()).await?;
                person.id
            }
            Some(_) => return Err(ScimError::uniqueness()),
            None => {
                let new = NewPerson {
                    email: &wanted.email,
                    verified: true,
                    name: &wanted.name,
                    role: wanted.role.unwrap_or(self.settings.default_role),
                    organisation: self.settings.organisation.as_deref(),
                    by_hand: false,
                    status: Status::Active,
                };
                let added = self.guard.add_person(by, new).await;
                let person = added.map_err(|error| match error {
                    GuardError::Taken(_) => ScimError::uniqueness(),
                    other => other.into(),
                })?;
                user::link(&self.guard, &person.id, wanted.external_id.as_deref()).await?;
                if !wanted.active {
                    self.guard.leave(by, &person.id).await?;
                }
                person.id
            }
        };
        self.read(&id).await
    }

    /// One user (`GET /Users/ID`).
    pub async fn read(&self, id: &str) -> Result<Value, ScimError> {
        user::one(&self.guard, id).await?.map(|u| u.to_json(&self.base)).ok_or(ScimError::not_found())
    }

    /// Users (`GET /Users`), with a filter of the form `attribute eq "value"`.
    pub async fn list(&self, query: &ListQuery) -> Result<Value, ScimError> {
        let filter = query.filter.as_deref().map(filter::parse).transpose()?;
        let mut users = user::all(&self.guard).await?;
        users.retain(|u| filter.as_ref().is_none_or(|f| f.fits(u)));
        Ok(query.page(&users, &self.base))
    }

    /// Replaces a user (`PUT /Users/ID`).
    pub async fn replace(&self, by: &Actor, id: &str, body: &Value) -> Result<Value, ScimError> {
        let wanted = User::parse(body, &self.settings)?;
        self.change(by, id, wanted).await
    }

    /// Changes a user (`PATCH /Users/ID`). All of the operations hold, or none does.
    pub async fn patch(&self, by: &Actor, id: &str, body: &Value) -> Result<Value, ScimError> {
        let mut wanted = user::one(&self.guard, id).await?.ok_or(ScimError::not_found())?.wanted();
        patch::apply(&mut wanted, body, &self.settings)?;
        self.change(by, id, wanted).await
    }

    /// Deletes a user (`DELETE /Users/ID`): the person leaves.
    pub async fn delete(&self, by: &Actor, id: &str) -> Result<(), ScimError> {
        user::one(&self.guard, id).await?.ok_or(ScimError::not_found())?;
        self.leave(by, id).await?;
        Ok(user::delete(&self.guard, id).await?)
    }

    async fn change(&self, by: &Actor, id: &str, wanted: User) -> Result<Value, ScimError> {
        user::one(&self.guard, id).await?.ok_or(ScimError::not_found())?;
        if wanted.external_id_taken(&self.guard, Some(id)).await? {
            return Err(ScimError::uniqueness());
        }
        self.apply(by, id, &wanted, false).await?;
        user::link(&self.guard, id, wanted.external_id.as_deref()).await?;
        self.read(id).await
    }

    /// Makes a person what is wanted. Who is to go goes first: whatever else fails, nothing of theirs works.
    async fn apply(&self, by: &Actor, id: &str, wanted: &User, back: bool) -> Result<(), ScimError> {
        let was = self.guard.person(id).await?;
        if !wanted.active {
            self.leave(by, id).await?;
        }
        if was.email != wanted.email {
            user::change_email(&self.guard, by, id, &wanted.email).await?;
        }
        if was.name != wanted.name {
            self.guard.rename(by, id, &wanted.name).await?;
        }
        if let Some(role) = wanted.role.filter(|role| *role != was.role && !was.role_by_hand) {
            user::change_role(&self.guard, by, id, role).await?;
        }
        if wanted.active && (was.status == Status::Left || back) {
            match self.guard.come_back(by, id).await {
                Err(GuardError::WrongStatus(_)) => return Err(ScimError::blocked()),
                other => other?,
            }
        }
        // Somebody whom a person has blocked is not active, whatever the provider says.
        if wanted.active && was.status == Status::Blocked {
            return Err(ScimError::blocked());
        }
        Ok(())
    }

    /// Lets a person leave. Whom a person has blocked stays blocked: else leaving and coming back, which a
    /// provider may do, would open the block.
    async fn leave(&self, by: &Actor, id: &str) -> Result<(), ScimError> {
        if self.guard.person(id).await?.status == Status::Blocked {
            return Ok(());
        }
        match self.guard.leave(by, id).await {
            Err(GuardError::LastOwner) => Err(ScimError::last_owner()),
            other => Ok(other?),
        }
    }
}
