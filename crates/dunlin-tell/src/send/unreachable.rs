//! Rows of an audience that no letter can go to: read anew and under seal for whoever mends them, and what is still
//! without a task. Nothing of these rows is kept but how many they are.
//!
//! Not here: the task (`dunlin-server`), and the right to see the rows, which the gate asks for.

use std::collections::BTreeMap;

use dunlin_connect::Store;
use dunlin_gate::{ColumnInfo, Rows, Sealed};
use dunlin_store::State;
use futures::StreamExt;
use sqlx::Row;

use super::address::Address;
use super::audience::{Audience, Field};
use super::error::{SendError, db};

/// A message some of whose people can be written to by nobody, and of which no task says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// The notice.
    pub notice: String,
    /// Its version.
    pub version: u32,
    /// Which of its messages, e.g. `before:30`.
    pub message: String,
    /// The tables of the audience, e.g. `atlas.people`; none of a message that an older dunlin began.
    pub audience: Option<String>,
    /// Rows, by reason.
    pub by_reason: BTreeMap<String, u64>,
}

impl Unreached {
    /// How many rows.
    pub fn rows(&self) -> u64 {
        self.by_reason.values().sum()
    }
}

/// The first message whose recipients are fixed, with rows that nobody has a task for. A message that went into an outbox
/// and then by mail is one.
///
/// # Errors
/// The state.
pub async fn unreached(state: &State) -> Result<Option<Unreached>, SendError> {
    let failed = db("reading whom nobody can write to");
    let rows = sqlx::query(
        "select m.notice, m.version, m.message, m.audience, i.reason, i.rows_read from tell_messages m \
         join tell_invalid i on i.message = m.id where m.id = (select m.id from tell_messages m \
         join tell_invalid i on i.message = m.id where m.state <> 'gathering' and i.rows_read > 0 and not exists \
         (select 1 from tell_unreached u where u.notice = m.notice and u.version = m.version \
         and u.message = m.message) order by m.created_at, m.id limit 1) order by i.reason",
    )
    .fetch_all(state.pool())
    .await
    .map_err(&failed)?;
    let Some(first) = rows.first() else { return Ok(None) };
    let version: i64 = first.try_get(1).map_err(&failed)?;
    let mut found = Unreached {
        notice: first.try_get(0).map_err(&failed)?,
        version: u32::try_from(version).unwrap_or_default(),
        message: first.try_get(2).map_err(&failed)?,
        audience: first.try_get(3).map_err(&failed)?,
        by_reason: BTreeMap::new(),
    };
    for row in &rows {
        let count: i64 = row.try_get(5).map_err(&failed)?;
        found.by_reason.insert(row.try_get(4).map_err(&failed)?, count.max(0) as u64);
    }
    Ok(Some(found))
}

/// Notes the task that says so: there is no other for that message from now on, also when somebody deletes it.
///
/// # Errors
/// The state.
pub async fn unreached_told(state: &State, of: &Unreached, task: &str) -> Result<(), SendError> {
    let mut tx = state.begin().await?;
    sqlx::query(
        "insert into tell_unreached (notice, version, message, task) values ($1, $2, $3, $4) on conflict do nothing",
    )
    .bind(&of.notice)
    .bind(i64::from(of.version))
    .bind(&of.message)
    .bind(task)
    .execute(tx.connection())
    .await
    .map_err(db("noting a task about unreachable people"))?;
    tx.commit().await?;
    Ok(())
}

/// The rows of an audience, as its tables are now, that no letter can go to; at most `limit` of them. Their columns are
/// those of the audience and `why`.
///
/// # Errors
/// The store.
pub async fn unreachable(
    audience: &Audience,
    store: &dyn Store,
    limit: usize,
) -> Result<Sealed<Rows>, SendError> {
    let email = audience.fields().iter().position(|field| *field == Field::Email);
    let locale = audience.fields().iter().position(|field| *field == Field::Locale);
    let mut columns: Vec<ColumnInfo> = audience.fields().iter().map(|field| field.info()).collect();
    columns.push(ColumnInfo { name: "why".to_owned(), kind: Some("none".to_owned()) });
    let mut found = Vec::new();
    let mut batches = audience.bare(store).await?;
    while let Some(batch) = batches.next().await {
        for mut row in batch? {
            let address = email.and_then(|at| row.get(at)?.as_deref()).unwrap_or_default();
            if let Err(why) = address.parse::<Address>() {
                if let Some(said) = locale.and_then(|at| row.get_mut(at)) {
                    *said = said.take().filter(|text| is_language(text));
                }
                row.push(Some(why.as_str().to_owned()));
                found.push(row);
            }
            if found.len() >= limit {
                break;
            }
        }
        if found.len() >= limit {
            break;
        }
    }
    let (store, table) = (audience.store().to_owned(), audience.label());
    Ok(Sealed::seal(Rows { store, table, columns, rows: found }))
}

/// Whether a text reads as a language tag (`de`, `pt-BR`, `zh_Hant_TW`). The column is shown in clear, and an audience's
/// SQL can put anything under its name.
fn is_language(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let language = parts.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_language_stands_in_the_clear() {
        for text in ["de", "pt-BR", "zh_Hant_TW", "es-419", "ast"] {
            assert!(is_language(text), "{text}");
        }
        for text in ["", "d", "Ruiz", "ana@example.com", "de-", "de-1", "de-DE ", "4111-1111", "Ana Ruiz"] {
            assert!(!is_language(text), "{text}");
        }
    }
}
