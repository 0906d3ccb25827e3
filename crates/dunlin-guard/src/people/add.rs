//! Adding people, and making a person of the plan and an account one.

use dunlin_ledger::{Actor, Body};
use dunlin_plan::Role;
use dunlin_store::{Tx, new_id};

use crate::error::db;
use crate::guard::enter;
use crate::people::{Person, Status, fold_email, person_in_tx};
use crate::{Guard, GuardError, Moment};

/// Somebody who is to be added.
#[derive(Debug, Clone)]
pub struct NewPerson<'a> {
    /// The address.
    pub email: &'a str,
    /// Whether it is known to be theirs: an identity provider or the owner of the machine says so.
    pub verified: bool,
    /// The name.
    pub name: &'a str,
    /// The role.
    pub role: Role,
    /// The other company, or none when in-house.
    pub organisation: Option<&'a str>,
    /// Whether role and organisation were chosen for this person, so that the plan does not change them.
    pub by_hand: bool,
    /// `Invited` or `Active`.
    pub status: Status,
}

impl Guard {
    /// Adds a person: from a shell, an identity provider, or SCIM. Without a password they can come in by a
    /// recovery link or an identity provider.
    pub async fn add_person(&self, by: &Actor, new: NewPerson<'_>) -> Result<Person, GuardError> {
        let (mut tx, now) = self.change().await?;
        let person = self.add_in_tx(&mut tx, now, by, new).await?;
        tx.commit().await?;
        Ok(person)
    }

    pub(crate) async fn add_in_tx(
        &self,
        tx: &mut Tx,
        now: Moment,
        by: &Actor,
        new: NewPerson<'_>,
    ) -> Result<Person, GuardError> {
        let id = new_id();
        let name = clean_name(new.name)?;
        let done = sqlx::query(
            "insert into people (id, email, email_verified_at, name, role, organisation, role_by_hand, \
             organisation_by_hand, status, created_at) values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9) \
             on conflict (email) do nothing",
        )
        .bind(&id)
        .bind(fold_email(new.email)?)
        .bind(new.verified.then_some(now.wall))
        .bind(name)
        .bind(new.role.as_str())
        .bind(clean_organisation(new.organisation)?)
        .bind(i64::from(new.by_hand))
        .bind(new.status.as_str())
        .bind(now.wall)
        .execute(tx.connection())
        .await
        .map_err(db("adding a person"))?;
        if done.rows_affected() == 0 {
            return Err(GuardError::Taken("person with this address"));
        }
        let organisation = if new.organisation.is_some() { "external" } else { "in_house" };
        let body = Body::PersonAdded {
            person: id.clone(),
            role: new.role.as_str().to_owned(),
            organisation: organisation.to_owned(),
        };
        enter(tx, now, by, body).await?;
        person_in_tx(tx, &id).await
    }

    /// Takes the plan's word on its people: an account whose verified address the plan names gets the plan's role
    /// and organisation, unless a person has set them. Called when the plan is read or has changed.
    pub async fn adopt_plan(&self, people: &[dunlin_plan::Person]) -> Result<(), GuardError> {
        for planned in people {
            let Some(person) = self.person_by_email(&planned.email).await? else { continue };
            if person.email_verified_at.is_none() {
                continue;
            }
            let role = (!person.role_by_hand && person.role != planned.role).then_some(planned.role);
            let organisation = (!person.organisation_by_hand && person.organisation != planned.organisation)
                .then_some(planned.organisation.as_deref());
            if role.is_none() && organisation.is_none() {
                continue;
            }
            let (mut tx, now) = self.change().await?;
            if let Some(role) = role {
                // The plan cannot take the last owner away either; the account then keeps its role.
                match self.set_role(&mut tx, now, &Actor::System, &person.id, role, false).await {
                    Ok(()) | Err(GuardError::LastOwner) => {}
                    Err(other) => return Err(other),
                }
            }
            if let Some(organisation) = organisation {
                self.set_organisation_in_tx(&mut tx, now, &Actor::System, &person.id, organisation, false)
                    .await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

/// A name as it is kept: one line of at most 200 characters.
pub(crate) fn clean_name(name: &str) -> Result<String, GuardError> {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(200).collect();
    let help = "give at least one letter";
    if name.is_empty() { Err(GuardError::Invalid { what: "the name", help }) } else { Ok(name) }
}

pub(crate) fn clean_organisation(name: Option<&str>) -> Result<Option<String>, GuardError> {
    name.filter(|n| !n.trim().is_empty()).map(clean_name).transpose()
}
