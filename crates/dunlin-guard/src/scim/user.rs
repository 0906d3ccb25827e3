//! A user: as a provider wants it, and as the state has it.

use std::str::FromStr;

use dunlin_ledger::{Actor, Body};
use dunlin_plan::Role;
use dunlin_store::now_us;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::Row;

use super::{ScimError, ScimSettings};
use crate::error::db;
use crate::guard::enter;
use crate::people::fold_email;
use crate::{Guard, GuardError, Person, Status};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The most users of one page.
const MOST: usize = 200;

/// A user as a provider wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) email: String,
    pub(super) name: String,
    pub(super) external_id: Option<String>,
    pub(super) active: bool,
    pub(super) role: Option<Role>,
    given: Option<String>,
    family: Option<String>,
}

/// `true`, or `"True"` as Entra writes it.
pub(super) fn as_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

impl User {
    /// Reads the body of a `POST` or `PUT`. Attributes that dunlin does not keep are ignored.
    pub(super) fn parse(body: &Value, settings: &ScimSettings) -> Result<User, ScimError> {
        let text = |path: &str| body.pointer(path).and_then(Value::as_str).filter(|t| !t.trim().is_empty());
        let email =
            text("/userName").ok_or_else(|| ScimError::value("`userName` is missing: it is the e-mail"))?;
        let (given, family) = (text("/name/givenName"), text("/name/familyName"));
        let both = [given, family].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let named = text("/displayName").or_else(|| text("/name/formatted")).map(str::to_owned);
        let name = named.or_else(|| Some(both).filter(|b| !b.is_empty())).unwrap_or_else(|| email.to_owned());
        let active = match body.get("active") {
            None | Some(Value::Null) => true,
            Some(value) => as_bool(value).ok_or_else(|| ScimError::value("`active` is true or false"))?,
        };
        let mut user = User {
            email: String::new(),
            name,
            external_id: text("/externalId").map(str::to_owned),
            active,
            role: None,
            given: given.map(str::to_owned),
            family: family.map(str::to_owned),
        };
        user.set_email(email)?;
        if let Some(roles) = body.get("roles") {
            user.set_roles(roles, settings);
        }
        Ok(user)
    }

    pub(super) fn set_email(&mut self, email: &str) -> Result<(), ScimError> {
        self.email =
            fold_email(email).map_err(|_| ScimError::value("`userName` must be an e-mail address"))?;
        Ok(())
    }

    pub(super) fn set_name(&mut self, name: &str) {
        self.name = name.to_owned();
    }

    pub(super) fn set_given(&mut self, given: &str) {
        self.given = Some(given.to_owned());
        self.join_names();
    }

    pub(super) fn set_family(&mut self, family: &str) {
        self.family = Some(family.to_owned());
        self.join_names();
    }

    /// The state has one name: where only one half comes, the other is kept from it.
    fn join_names(&mut self) {
        let (first, rest) = self.name.split_once(' ').unwrap_or((self.name.as_str(), ""));
        let given = self.given.as_deref().unwrap_or(first);
        let family = self.family.as_deref().unwrap_or(rest);
        self.name = format!("{given} {family}").trim().to_owned();
    }

    /// Takes the first role that the settings know, from a text, or a list of texts or of `{value}`.
    pub(super) fn set_roles(&mut self, value: &Value, settings: &ScimSettings) {
        let one =
            |v: &Value| v.as_str().or_else(|| v.get("value").and_then(Value::as_str)).map(str::to_owned);
        let given: Vec<String> = match value {
            Value::Array(items) => items.iter().filter_map(one).collect(),
            other => one(other).into_iter().collect(),
        };
        let fits = |(name, _): &&(String, Role)| given.contains(name);
        self.role = settings.roles.iter().find(fits).map(|(_, role)| *role);
    }

    /// Whether another user has this external id.
    pub(super) async fn external_id_taken(
        &self,
        guard: &Guard,
        but: Option<&str>,
    ) -> Result<bool, GuardError> {
        let Some(external) = &self.external_id else { return Ok(false) };
        let row =
            sqlx::query("select person from scim_accounts where external_id = $1 and deleted_at is null")
                .bind(external)
                .fetch_optional(guard.state().pool())
                .await
                .map_err(db("reading SCIM users"))?;
        let owner: Option<String> =
            row.map(|r| r.try_get(0)).transpose().map_err(db("reading SCIM users"))?;
        Ok(owner.is_some_and(|owner| Some(owner.as_str()) != but))
    }
}

/// A user as the state has it.
pub(super) struct Known {
    pub(super) person: Person,
    pub(super) external_id: Option<String>,
    version: i64,
    changed_at: i64,
}

impl Known {
    /// Whether the person may come in, or will be able to when they accept their invitation.
    pub(super) fn active(&self) -> bool {
        matches!(self.person.status, Status::Active | Status::Invited)
    }

    /// The user as it is, to be changed.
    pub(super) fn wanted(&self) -> User {
        User {
            email: self.person.email.clone(),
            name: self.person.name.clone(),
            external_id: self.external_id.clone(),
            active: self.active(),
            role: None,
            given: None,
            family: None,
        }
    }

    /// The resource.
    pub(super) fn to_json(&self, base: &str) -> Value {
        let p = &self.person;
        let (given, family) = p.name.split_once(' ').unwrap_or((p.name.as_str(), ""));
        let mut user = json!({
            "schemas": [CORE],
            "id": p.id,
            "userName": p.email,
            "displayName": p.name,
            "name": { "formatted": p.name, "givenName": given, "familyName": family },
            "emails": [{ "value": p.email, "type": "work", "primary": true }],
            "active": self.active(),
            "roles": [{ "value": p.role.as_str(), "primary": true }],
            "meta": {
                "resourceType": "User",
                "created": time(p.created_at),
                "lastModified": time(self.changed_at.max(p.created_at)),
                "location": format!("{base}/Users/{}", p.id),
                "version": format!("W/\"{}\"", self.version),
            },
        });
        if let Some(external) = &self.external_id {
            user["externalId"] = external.as_str().into();
        }
        user
    }
}

fn time(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).unwrap_or_default().to_string()
}

/// The query of a list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListQuery {
    /// The filter.
    pub filter: Option<String>,
    /// The first user, counted from 1.
    pub start_index: Option<i64>,
    /// Users of a page; at most 200.
    pub count: Option<i64>,
}

impl ListQuery {
    pub(super) fn page(&self, users: &[Known], base: &str) -> Value {
        // RFC 7644, 3.4.2.4: less than 1 is 1, and a negative count is 0.
        let start = usize::try_from(self.start_index.unwrap_or(1).max(1)).unwrap_or(usize::MAX);
        let count = usize::try_from(self.count.unwrap_or(MOST as i64).max(0)).unwrap_or(MOST).min(MOST);
        let page: Vec<Value> = users.iter().skip(start - 1).take(count).map(|u| u.to_json(base)).collect();
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": users.len(),
            "startIndex": start,
            "itemsPerPage": page.len(),
            "Resources": page,
        })
    }
}

type Link = (Option<String>, i64, i64, bool);

async fn links(
    guard: &Guard,
    id: Option<&str>,
) -> Result<std::collections::HashMap<String, Link>, GuardError> {
    let failed = db("reading SCIM users");
    let rows = sqlx::query(
        "select person, external_id, version, changed_at, deleted_at is not null from scim_accounts \
         where $1 is null or person = $1",
    )
    .bind(id)
    .fetch_all(guard.state().pool())
    .await
    .map_err(&failed)?;
    let read = |r: &sqlx::sqlite::SqliteRow| {
        Ok((r.try_get(0)?, (r.try_get(1)?, r.try_get(2)?, r.try_get(3)?, r.try_get::<i64, _>(4)? != 0)))
    };
    rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
}

fn known(person: Person, link: Option<&Link>) -> Option<Known> {
    match link {
        Some((.., true)) => None,
        Some((external_id, version, changed_at, _)) => Some(Known {
            person,
            external_id: external_id.clone(),
            version: *version,
            changed_at: *changed_at,
        }),
        None => Some(Known { person, external_id: None, version: 0, changed_at: 0 }),
    }
}

/// Everybody but those who were deleted, the oldest first.
pub(super) async fn all(guard: &Guard) -> Result<Vec<Known>, GuardError> {
    let links = links(guard, None).await?;
    let people = guard.people().await?;
    Ok(people
        .into_iter()
        .filter_map(|p| {
            let link = links.get(&p.id);
            known(p, link)
        })
        .collect())
}

/// One, unless deleted.
pub(super) async fn one(guard: &Guard, id: &str) -> Result<Option<Known>, GuardError> {
    match guard.person(id).await {
        Ok(person) => Ok(known(person, links(guard, Some(id)).await?.get(id))),
        Err(GuardError::Unknown(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Whether this person was deleted by the provider.
pub(super) async fn is_deleted(guard: &Guard, id: &str) -> Result<bool, GuardError> {
    Ok(links(guard, Some(id)).await?.get(id).is_some_and(|(.., deleted)| *deleted))
}

/// Notes that the provider keeps this person, and under which id of its own.
pub(super) async fn link(guard: &Guard, id: &str, external: Option<&str>) -> Result<(), GuardError> {
    let mut tx = guard.state().begin().await?;
    sqlx::query(
        "insert into scim_accounts (person, external_id, version, created_at, changed_at) values ($1, $2, 1, $3, $3) \
         on conflict (person) do update set external_id = $2, version = scim_accounts.version + 1, changed_at = $3, \
         deleted_at = null",
    )
    .bind(id)
    .bind(external)
    .bind(now_us())
    .execute(tx.connection())
    .await
    .map_err(db("keeping a SCIM user"))?;
    Ok(tx.commit().await?)
}

/// Notes that the provider has deleted this person; the external id is free again.
pub(super) async fn delete(guard: &Guard, id: &str) -> Result<(), GuardError> {
    let mut tx = guard.state().begin().await?;
    sqlx::query(
        "insert into scim_accounts (person, version, created_at, changed_at, deleted_at) values ($1, 1, $2, $2, $2) \
         on conflict (person) do update set external_id = null, version = scim_accounts.version + 1, \
         changed_at = $2, deleted_at = $2",
    )
    .bind(id)
    .bind(now_us())
    .execute(tx.connection())
    .await
    .map_err(db("deleting a SCIM user"))?;
    Ok(tx.commit().await?)
}

/// Gives a person another address, which the provider vouches for.
pub(super) async fn change_email(guard: &Guard, by: &Actor, id: &str, email: &str) -> Result<(), ScimError> {
    let (mut tx, now) = guard.change().await?;
    let done = sqlx::query(
        "update people set email = $2, email_verified_at = $3 where id = $1 \
         and not exists (select 1 from people where email = $2 and id <> $1)",
    )
    .bind(id)
    .bind(email)
    .bind(now.wall)
    .execute(tx.connection())
    .await
    .map_err(db("changing an address"))?;
    if done.rows_affected() == 0 {
        return Err(ScimError::uniqueness());
    }
    let body = Body::PersonChanged { person: id.to_owned(), change: "email".to_owned() };
    enter(&mut tx, now, by, body).await?;
    Ok(tx.commit().await.map_err(GuardError::from)?)
}

/// Gives a person the role that the provider says; the last owner stays one.
pub(super) async fn change_role(guard: &Guard, by: &Actor, id: &str, role: Role) -> Result<(), ScimError> {
    let (mut tx, now) = guard.change().await?;
    match guard.set_role(&mut tx, now, by, id, role, false).await {
        Err(GuardError::LastOwner) => return Err(ScimError::last_owner()),
        other => other?,
    }
    Ok(tx.commit().await.map_err(GuardError::from)?)
}

/// A role by its word, for settings.
impl ScimSettings {
    /// Adds a role of the provider and the role that it gives here.
    pub fn with_role(mut self, theirs: &str, ours: &str) -> Result<ScimSettings, GuardError> {
        let role = Role::from_str(ours).map_err(|_| GuardError::Invalid {
            what: "a role of SCIM",
            help: "owner, lead, engineer, steward, writer, approver, auditor or guest",
        })?;
        self.roles.push((theirs.to_owned(), role));
        Ok(self)
    }
}
