//! Invitations: a link that makes its holder the person it names, once, until it expires or is withdrawn.

use dunlin_ledger::{Actor, Body};
use dunlin_plan::Role;
use dunlin_store::{Tx, new_id};
use serde::Serialize;
use sqlx::Row;

use crate::clock::seconds;
use crate::error::db;
use crate::guard::enter;
use crate::people::{NewPerson, Status, person_in_tx};
use crate::session::How;
use crate::token::{Secret, new_token, token_hash};
use crate::{Guard, GuardError, Mail, Moment, Origin, SignedIn};

/// Whom to invite.
#[derive(Debug, Clone)]
pub struct Invite<'a> {
    /// The address.
    pub email: &'a str,
    /// The name.
    pub name: &'a str,
    /// The role.
    pub role: Role,
    /// The other company, or none when in-house.
    pub organisation: Option<&'a str>,
    /// Seconds until it expires; `None` for the setting's.
    pub life_s: Option<u64>,
}

/// An invitation that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvitationInfo {
    /// Its id.
    pub id: String,
    /// The person it is for.
    pub person: String,
    /// The address.
    pub email: String,
    /// The name.
    pub name: String,
    /// The role.
    pub role: String,
    /// The other company, or none when in-house.
    pub organisation: Option<String>,
    /// When it was made, microseconds since 1970 UTC.
    pub created_at: i64,
    /// When it expires.
    pub until: i64,
}

impl Guard {
    /// Invites somebody: makes the person, and a link that is mailed where mail is set up. The link's token is
    /// returned as well, to be handed over in person. Inviting the same address again voids the earlier link.
    pub async fn invite(
        &self,
        by: &Actor,
        invite: Invite<'_>,
    ) -> Result<(InvitationInfo, Secret), GuardError> {
        let token = new_token()?;
        let known = self.person_by_email(invite.email).await?;
        let (mut tx, now) = self.change().await?;
        let person = match known {
            Some(person) => {
                let person = person_in_tx(&mut tx, &person.id).await?;
                if person.status != Status::Invited {
                    return Err(GuardError::Taken("person with this address"));
                }
                self.set_role(&mut tx, now, by, &person.id, invite.role, true).await?;
                self.withdraw_all(&mut tx, now, by, &person.id).await?;
                person_in_tx(&mut tx, &person.id).await?
            }
            None => {
                let new = NewPerson {
                    email: invite.email,
                    verified: false,
                    name: invite.name,
                    role: invite.role,
                    organisation: invite.organisation,
                    by_hand: true,
                    status: Status::Invited,
                };
                self.add_in_tx(&mut tx, now, by, new).await?
            }
        };
        let id = new_id();
        let life = invite.life_s.unwrap_or(self.settings().lifetimes.invitation_s);
        let until = now.late.saturating_add(seconds(life));
        sqlx::query(
            "insert into invitations (id, hash, person, role, organisation, invited_by, created_at, until_late) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&id)
        .bind(token_hash("invitation", token.expose()))
        .bind(&person.id)
        .bind(person.role.as_str())
        .bind(&person.organisation)
        .bind(by.to_string())
        .bind(now.wall)
        .bind(until)
        .execute(tx.connection())
        .await
        .map_err(db("keeping an invitation"))?;
        let body = Body::Invited { invitation: id.clone(), role: person.role.as_str().to_owned() };
        enter(&mut tx, now, by, body).await?;
        tx.commit().await?;
        let info = InvitationInfo {
            id,
            person: person.id,
            email: person.email,
            name: person.name,
            role: person.role.as_str().to_owned(),
            organisation: person.organisation,
            created_at: now.wall,
            until,
        };
        if let Ok(link) = self.link(&format!("/invitation/{}", token.expose())) {
            let subject = "You are invited to dunlin".to_owned();
            let text = format!(
                "{},\n\nyou are invited to work on a data migration. Set your password here:\n\n{link}\n\nThe link works once.\n",
                info.name
            );
            self.send(Mail { to: info.email.clone(), subject, text });
        }
        Ok((info, token))
    }

    /// The invitation that a link names, while it is good.
    pub async fn invitation(&self, token: &Secret) -> Result<InvitationInfo, GuardError> {
        let found = self.waiting("i.hash = $2", &token_hash("invitation", token.expose())).await?;
        found.into_iter().next().ok_or(GuardError::LinkSpent)
    }

    /// The invitations that wait.
    pub async fn invitations(&self) -> Result<Vec<InvitationInfo>, GuardError> {
        self.waiting("$2 = ''", "").await
    }

    async fn waiting(&self, condition: &'static str, value: &str) -> Result<Vec<InvitationInfo>, GuardError> {
        let failed = db("reading invitations");
        let query = sqlx::AssertSqlSafe(format!(
            "select i.id, p.id, p.email, p.name, i.role, i.organisation, i.created_at, i.until_late from invitations i \
             join people p on p.id = i.person where i.accepted_at is null and i.withdrawn_at is null \
             and i.until_late > $1 and p.status = 'invited' and {condition} order by i.id"
        ));
        let rows = sqlx::query(query).bind(self.now().late).bind(value).fetch_all(self.state().pool()).await;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok(InvitationInfo {
                id: row.try_get(0)?,
                person: row.try_get(1)?,
                email: row.try_get(2)?,
                name: row.try_get(3)?,
                role: row.try_get(4)?,
                organisation: row.try_get(5)?,
                created_at: row.try_get(6)?,
                until: row.try_get(7)?,
            })
        };
        rows.map_err(&failed)?.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }

    /// Accepts an invitation: sets name and password and signs in. Of several at once one succeeds.
    pub async fn accept_invitation(
        &self,
        origin: &Origin,
        token: &Secret,
        name: &str,
        password: &Secret,
    ) -> Result<SignedIn, GuardError> {
        let open = self.invitation(token).await?;
        self.check_password(password, &[name, &open.email]).await?;
        let name = crate::people::clean_name(name)?;
        let hash = self.pool().hash(password).await?;
        let (mut tx, now) = self.change().await?;
        let failed = db("accepting an invitation");
        let spent = sqlx::query(
            "update invitations set accepted_at = $2 where hash = $1 and accepted_at is null and withdrawn_at is null \
             and until_late > $3",
        )
        .bind(token_hash("invitation", token.expose()))
        .bind(now.wall)
        .bind(now.late)
        .execute(tx.connection())
        .await
        .map_err(&failed)?;
        let activated = sqlx::query(
            "update people set status = 'active', name = $2, email_verified_at = $3 where id = $1 and status = 'invited'",
        )
        .bind(&open.person)
        .bind(name)
        .bind(now.wall)
        .execute(tx.connection())
        .await
        .map_err(&failed)?;
        if spent.rows_affected() == 0 || activated.rows_affected() == 0 {
            return Err(GuardError::LinkSpent);
        }
        let by = Actor::Person { id: open.person.clone() };
        let body = Body::InvitationAccepted { invitation: open.id, person: open.person.clone() };
        enter(&mut tx, now, &by, body).await?;
        self.put_hash(&mut tx, &open.person, &hash, Some((now, &by))).await?;
        let person = person_in_tx(&mut tx, &open.person).await?;
        let how = How { method: "invitation", two_factors: false };
        let signed_in = self.open_session(&mut tx, now, &person, origin, how).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Withdraws an invitation; the person counts as gone.
    pub async fn withdraw_invitation(&self, by: &Actor, invitation: &str) -> Result<(), GuardError> {
        let open = self.waiting("i.id = $2", invitation).await?;
        let open = open.into_iter().next().ok_or(GuardError::Unknown("open invitation"))?;
        let (mut tx, now) = self.change().await?;
        self.withdraw_all(&mut tx, now, by, &open.person).await?;
        let done = sqlx::query("update people set status = 'left' where id = $1 and status = 'invited'")
            .bind(&open.person)
            .execute(tx.connection())
            .await
            .map_err(db("withdrawing an invitation"))?;
        if done.rows_affected() == 0 {
            return Err(GuardError::Unknown("open invitation"));
        }
        crate::people::changed(&mut tx, now, by, &open.person, "status:left".to_owned()).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn withdraw_all(
        &self,
        tx: &mut Tx,
        now: Moment,
        by: &Actor,
        person: &str,
    ) -> Result<(), GuardError> {
        let ended: Vec<String> = sqlx::query_scalar(
            "update invitations set withdrawn_at = $2 where person = $1 and accepted_at is null and withdrawn_at is null \
             returning id",
        )
        .bind(person)
        .bind(now.wall)
        .fetch_all(tx.connection())
        .await
        .map_err(db("withdrawing invitations"))?;
        for invitation in ended {
            enter(tx, now, by, Body::InvitationWithdrawn { invitation }).await?;
        }
        Ok(())
    }
}
