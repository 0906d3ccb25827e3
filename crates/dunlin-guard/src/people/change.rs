//! Changing what a person may do: role, organisation, second factor, limits, leaving and coming back.

use dunlin_ledger::{Actor, Body};
use dunlin_plan::Role;
use dunlin_store::Tx;

use crate::error::db;
use crate::guard::enter;
use crate::people::add::{clean_name, clean_organisation};
use crate::people::{Status, person_in_tx};
use crate::session::{Ends, end};
use crate::{Guard, GuardError, Moment};

/// To what a person is limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Limit {
    /// These tables (`store.table`) and no others; `None` for all that the role allows.
    pub tables: Option<Vec<String>>,
    /// Until then, microseconds since 1970 UTC; `None` for no end.
    pub until: Option<i64>,
}

impl Guard {
    /// Gives a person a role. Sessions end, so that nothing of the old role lives on; the person signs in again.
    pub async fn authorise(&self, by: &Actor, person: &str, role: Role) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        self.set_role(&mut tx, now, by, person, role, true).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn set_role(
        &self,
        tx: &mut Tx,
        now: Moment,
        by: &Actor,
        person: &str,
        role: Role,
        by_hand: bool,
    ) -> Result<(), GuardError> {
        let was = person_in_tx(tx, person).await?;
        if was.role == Role::Owner && role != Role::Owner {
            another_owner(tx, now, person).await?;
        }
        sqlx::query("update people set role = $2, role_by_hand = $3 where id = $1")
            .bind(person)
            .bind(role.as_str())
            .bind(i64::from(by_hand || was.role_by_hand))
            .execute(tx.connection())
            .await
            .map_err(db("changing a role"))?;
        if was.role == role {
            return Ok(());
        }
        changed(tx, now, by, person, format!("role:{role}")).await?;
        end(tx, now, by, Ends::AllOf { person, keep: None }, "role_changed").await?;
        Ok(())
    }

    /// Says for whom a person works: another company's name, or nothing for in-house.
    pub async fn set_organisation(
        &self,
        by: &Actor,
        person: &str,
        organisation: Option<&str>,
    ) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        self.set_organisation_in_tx(&mut tx, now, by, person, organisation, true).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn set_organisation_in_tx(
        &self,
        tx: &mut Tx,
        now: Moment,
        by: &Actor,
        person: &str,
        organisation: Option<&str>,
        by_hand: bool,
    ) -> Result<(), GuardError> {
        let was = person_in_tx(tx, person).await?;
        let organisation = clean_organisation(organisation)?;
        let word = if organisation.is_some() { "external" } else { "in_house" };
        sqlx::query("update people set organisation = $2, organisation_by_hand = $3 where id = $1")
            .bind(person)
            .bind(&organisation)
            .bind(i64::from(by_hand || was.organisation_by_hand))
            .execute(tx.connection())
            .await
            .map_err(db("changing an organisation"))?;
        changed(tx, now, by, person, format!("organisation:{word}")).await
    }

    /// Changes a person's name.
    pub async fn rename(&self, by: &Actor, person: &str, name: &str) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        person_in_tx(&mut tx, person).await?;
        sqlx::query("update people set name = $2 where id = $1")
            .bind(person)
            .bind(clean_name(name)?)
            .execute(tx.connection())
            .await
            .map_err(db("changing a name"))?;
        changed(&mut tx, now, by, person, "name".to_owned()).await?;
        Ok(tx.commit().await?)
    }

    /// Requires a second factor of a person, or leaves it to the role again. Open sessions without one may do
    /// nothing else from now on.
    pub async fn require_mfa(&self, by: &Actor, person: &str, required: bool) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        person_in_tx(&mut tx, person).await?;
        sqlx::query("update people set mfa_required = $2 where id = $1")
            .bind(person)
            .bind(i64::from(required))
            .execute(tx.connection())
            .await
            .map_err(db("requiring a second factor"))?;
        let word = if required { "mfa:required" } else { "mfa:by_role" };
        changed(&mut tx, now, by, person, word.to_owned()).await?;
        Ok(tx.commit().await?)
    }

    /// Takes all second factors of a person away who has lost them; sessions and recovery codes end too. The next
    /// sign-in sets up a new one.
    pub async fn reset_factors(&self, by: &Actor, person: &str) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        person_in_tx(&mut tx, person).await?;
        for query in [
            "delete from totp where person = $1",
            "delete from passkeys where person = $1",
            "delete from recovery_codes where person = $1",
        ] {
            let done = sqlx::query(query).bind(person).execute(tx.connection()).await;
            done.map_err(db("removing second factors"))?;
        }
        crate::session::credential_changed(&mut tx, now, by, person, "second_factors", "removed").await?;
        end(&mut tx, now, by, Ends::AllOf { person, keep: None }, "factors_reset").await?;
        Ok(tx.commit().await?)
    }

    /// Limits a person to tables, until a date, to both, or to nothing again. A date that has passed ends sessions
    /// at once.
    pub async fn limit(&self, by: &Actor, person: &str, limit: &Limit) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        let was = person_in_tx(&mut tx, person).await?;
        if limit.until.is_some() && was.role == Role::Owner {
            another_owner(&mut tx, now, person).await?;
        }
        let named =
            |t: &String| (3..=256).contains(&t.len()) && t.contains('.') && !t.contains(char::is_control);
        if limit.tables.as_ref().is_some_and(|tables| !tables.iter().all(named)) {
            return Err(GuardError::Invalid { what: "a table", help: "it is named `store.table`" });
        }
        let tables = limit.tables.as_ref().map(serde_json::to_string).transpose();
        sqlx::query("update people set limit_tables = $2, limit_until_late = $3 where id = $1")
            .bind(person)
            .bind(tables.map_err(|_| GuardError::Internal("writing a limit"))?)
            .bind(limit.until)
            .execute(tx.connection())
            .await
            .map_err(db("limiting a person"))?;
        let word = match (&limit.tables, limit.until) {
            (None, None) => "limit:none",
            (Some(_), None) => "limit:tables",
            (None, Some(_)) => "limit:until",
            (Some(_), Some(_)) => "limit:tables_until",
        };
        changed(&mut tx, now, by, person, word.to_owned()).await?;
        if limit.until.is_some_and(|until| until <= now.late) {
            end(&mut tx, now, by, Ends::AllOf { person, keep: None }, "limit_reached").await?;
        }
        Ok(tx.commit().await?)
    }

    /// A person has gone: sessions, tokens and invitations end; the record stays.
    pub async fn leave(&self, by: &Actor, person: &str) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        let was = person_in_tx(&mut tx, person).await?;
        if was.status == Status::Left {
            return Ok(());
        }
        if was.role == Role::Owner && was.status == Status::Active {
            another_owner(&mut tx, now, person).await?;
        }
        set_status(&mut tx, person, Status::Left).await?;
        changed(&mut tx, now, by, person, "status:left".to_owned()).await?;
        self.shut_out(&mut tx, now, by, person, "left").await?;
        Ok(tx.commit().await?)
    }

    /// Somebody who had left is back, with role and credentials as they were.
    pub async fn come_back(&self, by: &Actor, person: &str) -> Result<(), GuardError> {
        let (mut tx, now) = self.change().await?;
        match person_in_tx(&mut tx, person).await?.status {
            Status::Active => return Ok(()),
            Status::Blocked => return Err(GuardError::WrongStatus("blocked: unblock with a reason instead")),
            Status::Left | Status::Invited => {}
        }
        set_status(&mut tx, person, Status::Active).await?;
        changed(&mut tx, now, by, person, "status:active".to_owned()).await?;
        Ok(tx.commit().await?)
    }

    /// Ends everything by which a person could act: sessions, tokens, grants, links, invitations, device requests.
    pub(crate) async fn shut_out(
        &self,
        tx: &mut Tx,
        now: Moment,
        by: &Actor,
        person: &str,
        reason: &str,
    ) -> Result<(), GuardError> {
        end(tx, now, by, Ends::AllOf { person, keep: None }, reason).await?;
        self.revoke_all(tx, now, by, person, reason).await?;
        crate::grants::close_of_person(tx, by, person, reason, now).await?;
        self.withdraw_all(tx, now, by, person).await?;
        crate::grants::close_of_person(tx, by, person, reason, now).await?;
        for query in [
            "update links set spent_at = $2 where person = $1 and spent_at is null",
            "update device_requests set status = 'denied' where person = $1 and status = 'approved' and $2 > 0",
        ] {
            let done = sqlx::query(query).bind(person).bind(now.wall).execute(tx.connection()).await;
            done.map_err(db("ending a person's links"))?;
        }
        Ok(())
    }
}

/// Refuses what would leave nobody who can sign in as an owner.
pub(crate) async fn another_owner(tx: &mut Tx, now: Moment, but: &str) -> Result<(), GuardError> {
    let others: i64 = sqlx::query_scalar(
        "select count(*) from people where role = 'owner' and status = 'active' and id <> $1 \
         and (limit_until_late is null or limit_until_late > $2)",
    )
    .bind(but)
    .bind(now.late)
    .fetch_one(tx.connection())
    .await
    .map_err(db("counting owners"))?;
    if others == 0 { Err(GuardError::LastOwner) } else { Ok(()) }
}

pub(crate) async fn set_status(tx: &mut Tx, person: &str, status: Status) -> Result<(), GuardError> {
    sqlx::query("update people set status = $2 where id = $1")
        .bind(person)
        .bind(status.as_str())
        .execute(tx.connection())
        .await
        .map_err(db("changing a person's status"))?;
    Ok(())
}

pub(crate) async fn changed(
    tx: &mut Tx,
    now: Moment,
    by: &Actor,
    person: &str,
    change: String,
) -> Result<(), GuardError> {
    enter(tx, now, by, Body::PersonChanged { person: person.to_owned(), change }).await
}
