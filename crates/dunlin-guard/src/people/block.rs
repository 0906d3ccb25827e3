//! Blocking, unblocking, notes.

use dunlin_ledger::{Actor, Body};
use dunlin_plan::Role;
use dunlin_store::new_id;

use crate::error::db;
use crate::guard::enter;
use crate::people::change::{another_owner, set_status};
use crate::people::{Status, person_in_tx};
use crate::{Guard, GuardError};

/// Why: a category for the ledger, a text for people. The ledger holds the text's salted hash.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Reason {
    /// A code, e.g. `suspected_breach`.
    pub category: String,
    /// What somebody typed.
    pub text: String,
}

impl Guard {
    /// Blocks a person: sessions and tokens end in the same transaction, and with the next request nothing of
    /// theirs works. The last active owner cannot be blocked.
    pub async fn block(&self, by: &Actor, person: &str, reason: &Reason) -> Result<(), GuardError> {
        let (category, text) = checked(reason)?;
        let (mut tx, now) = self.change().await?;
        let was = person_in_tx(&mut tx, person).await?;
        match was.status {
            Status::Blocked => return Err(GuardError::WrongStatus("blocked already")),
            Status::Left => return Err(GuardError::WrongStatus("gone already")),
            Status::Active if was.role == Role::Owner => another_owner(&mut tx, now, person).await?,
            Status::Active | Status::Invited => {}
        }
        let reason_hash = tx.keep_text(text).await?;
        sqlx::query("update people set status = 'blocked', blocked_at = $2, block_category = $3, block_reason = $4 where id = $1")
            .bind(person)
            .bind(now.wall)
            .bind(category)
            .bind(&reason_hash)
            .execute(tx.connection())
            .await
            .map_err(db("blocking a person"))?;
        let (person_id, reason_category) = (person.to_owned(), category.to_owned());
        enter(&mut tx, now, by, Body::PersonBlocked { person: person_id, reason_category, reason_hash })
            .await?;
        self.shut_out(&mut tx, now, by, person, "blocked").await?;
        Ok(tx.commit().await?)
    }

    /// Lets a blocked person come back; old sessions and tokens stay ended.
    pub async fn unblock(&self, by: &Actor, person: &str, reason: &Reason) -> Result<(), GuardError> {
        let (category, text) = checked(reason)?;
        let (mut tx, now) = self.change().await?;
        if person_in_tx(&mut tx, person).await?.status != Status::Blocked {
            return Err(GuardError::WrongStatus("not blocked"));
        }
        let reason_hash = tx.keep_text(text).await?;
        set_status(&mut tx, person, Status::Active).await?;
        sqlx::query(
            "update people set blocked_at = null, block_category = null, block_reason = null where id = $1",
        )
        .bind(person)
        .execute(tx.connection())
        .await
        .map_err(db("unblocking a person"))?;
        let (person, reason_category) = (person.to_owned(), category.to_owned());
        enter(&mut tx, now, by, Body::PersonUnblocked { person, reason_category, reason_hash }).await?;
        Ok(tx.commit().await?)
    }

    /// Adds a note to a person's investigation; says its id.
    pub async fn note(&self, by: &Actor, person: &str, text: &str) -> Result<String, GuardError> {
        let text = text.trim();
        if text.is_empty() || text.len() > 10_000 {
            return Err(GuardError::Invalid { what: "the note", help: "write 1 to 10,000 bytes" });
        }
        let (mut tx, now) = self.change().await?;
        person_in_tx(&mut tx, person).await?;
        let note_hash = tx.keep_text(text).await?;
        let id = new_id();
        sqlx::query("insert into person_notes (id, person, author, note, at) values ($1, $2, $3, $4, $5)")
            .bind(&id)
            .bind(person)
            .bind(author(by))
            .bind(&note_hash)
            .bind(now.wall)
            .execute(tx.connection())
            .await
            .map_err(db("adding a note"))?;
        enter(&mut tx, now, by, Body::PersonNoted { person: person.to_owned(), note_hash }).await?;
        tx.commit().await?;
        Ok(id)
    }
}

/// Who did it, as the state has it: a person's id, `local:<user>` or `dunlin`.
fn author(by: &Actor) -> String {
    match by {
        Actor::Person { id } => id.clone(),
        Actor::Local { user } => format!("local:{user}"),
        Actor::System => "dunlin".to_owned(),
    }
}

fn checked(reason: &Reason) -> Result<(&str, &str), GuardError> {
    let code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.:-".contains(c);
    let category = reason.category.as_str();
    if category.is_empty() || category.len() > 64 || !category.chars().all(code) {
        let help = "use a code of a-z 0-9 _ . : -, e.g. `suspected_breach`";
        return Err(GuardError::Invalid { what: "the reason's category", help });
    }
    let text = reason.text.trim();
    if text.is_empty() || text.len() > 10_000 {
        return Err(GuardError::Invalid { what: "the reason", help: "say why, in 1 to 10,000 bytes" });
    }
    Ok((category, text))
}
