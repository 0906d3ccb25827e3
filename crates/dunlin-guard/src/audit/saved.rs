//! Searches that a person keeps.

use dunlin_store::new_id;
use serde::Serialize;
use sqlx::Row;

use super::{Auditor, Filter};
use crate::error::db;
use crate::{GuardError, Who};

/// Searches that one person may keep.
const MOST: i64 = 100;

/// A search that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SavedSearch {
    /// Its id.
    pub id: String,
    /// Its name, one for each person.
    pub name: String,
    /// The search.
    pub filter: Filter,
    /// When it was kept, in microseconds since 1970 UTC.
    pub at: i64,
}

impl Auditor {
    /// Keeps a search under a name; one of that name is replaced. These are a person's own bookmarks, so no entry
    /// tells of them.
    pub async fn save_search(
        &self,
        who: &Who,
        name: &str,
        filter: &Filter,
    ) -> Result<SavedSearch, GuardError> {
        filter.check()?;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
            return Err(GuardError::Invalid { what: "the name", help: "1 to 80 characters" });
        }
        let failed = db("keeping a search");
        let (id, at) = (new_id(), dunlin_store::now_us());
        let text = serde_json::to_string(filter).map_err(|_| GuardError::Internal("writing a search"))?;
        let mut tx = self.state().begin().await?;
        let row = sqlx::query("select count(*) from saved_searches where person = $1 and name <> $2")
            .bind(&who.person)
            .bind(name)
            .fetch_one(tx.connection())
            .await
            .map_err(&failed)?;
        if row.try_get::<i64, _>(0).map_err(&failed)? >= MOST {
            return Err(GuardError::Invalid {
                what: "the search",
                help: "delete one first: 100 are the most",
            });
        }
        let row = sqlx::query(
            "insert into saved_searches (id, person, name, filter, at) values ($1, $2, $3, $4, $5) \
             on conflict (person, name) do update set filter = $4, at = $5 returning id",
        )
        .bind(&id)
        .bind(&who.person)
        .bind(name)
        .bind(text)
        .bind(at)
        .fetch_one(tx.connection())
        .await
        .map_err(&failed)?;
        let id = row.try_get(0).map_err(&failed)?;
        tx.commit().await?;
        Ok(SavedSearch { id, name: name.to_owned(), filter: filter.clone(), at })
    }

    /// A person's searches by name.
    pub async fn saved_searches(&self, who: &Who) -> Result<Vec<SavedSearch>, GuardError> {
        let failed = db("reading searches");
        let rows =
            sqlx::query("select id, name, filter, at from saved_searches where person = $1 order by name")
                .bind(&who.person)
                .fetch_all(self.state().pool())
                .await
                .map_err(&failed)?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let filter: String = row.try_get(2).map_err(&failed)?;
            Ok(SavedSearch {
                id: row.try_get(0).map_err(&failed)?,
                name: row.try_get(1).map_err(&failed)?,
                filter: serde_json::from_str(&filter)
                    .map_err(|_| GuardError::Internal("reading a search"))?,
                at: row.try_get(3).map_err(&failed)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Deletes a person's own search.
    pub async fn delete_search(&self, who: &Who, id: &str) -> Result<(), GuardError> {
        let mut tx = self.state().begin().await?;
        let done = sqlx::query("delete from saved_searches where id = $1 and person = $2")
            .bind(id)
            .bind(&who.person)
            .execute(tx.connection())
            .await
            .map_err(db("deleting a search"))?;
        tx.commit().await?;
        if done.rows_affected() == 0 { Err(GuardError::Unknown("search")) } else { Ok(()) }
    }
}
