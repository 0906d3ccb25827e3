//! A grant as the state has it, and what it reaches.

use dunlin_gate::{Act, Class};
use dunlin_store::Tx;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

use crate::GuardError;
use crate::error::db;

/// Somebody who stands for a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// The person's id.
    pub person: String,
    /// The group that the person answered for, see [`crate::party`].
    pub party: String,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
}

/// A person may do more than the role says, on one table, for one task. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The id, UUIDv7.
    pub id: String,
    /// The id of the person who has it.
    pub person: String,
    /// The task that it is for.
    pub task: String,
    /// `read`, `update` or `export`.
    pub action: String,
    /// The store's name in the plan.
    pub store: String,
    /// The table's label.
    pub table: String,
    /// The columns that it reaches; without: every one that is not secret.
    pub columns: Option<Vec<String>>,
    /// When it ends by itself.
    pub until: Option<i64>,
    /// Why, as a code.
    pub purpose_category: String,
    /// Salted hash of the words; the state has them.
    pub purpose_hash: String,
    /// Who opened it: a person's id.
    pub opened_by: String,
    /// When.
    pub opened_at: i64,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// Why, as a code.
    pub closed_reason: Option<String>,
    /// Who stands for it.
    pub agreements: Vec<Agreement>,
}

impl Grant {
    /// Whether it reaches this column. A secret one must be named.
    pub fn reaches(&self, column: &str, class: Class) -> bool {
        match &self.columns {
            Some(columns) => columns.iter().any(|c| c == column),
            None => class < Class::Secret,
        }
    }

    /// Whether two people of two groups stand for it, none of them the one who has it.
    pub fn two_parties(&self) -> bool {
        let others: Vec<&Agreement> = self.agreements.iter().filter(|a| a.person != self.person).collect();
        others.iter().any(|a| others.iter().any(|b| a.person != b.person && a.party != b.party))
    }

    /// Whether it holds at this moment (of [`crate::Moment::late`]), closed or not by then.
    pub fn holds(&self, late: i64) -> bool {
        self.closed_at.is_none() && self.until.is_none_or(|until| until > late)
    }

    /// Whether it is for this act on this table. The same table may be spoken of by either store of a move: its label
    /// names the store.
    pub fn is_for(&self, act: Act, store: &str, table: &str) -> bool {
        let same_store = self.store == store || self.table.starts_with(&format!("{}.", self.store));
        self.action == act.as_str() && self.table == table && same_store
    }
}

const COLUMNS: &str = "id, person, task, action, store, label, columns, until, purpose_category, purpose_hash, \
     opened_by, opened_at, closed_at, closed_reason";

/// Which grants.
pub(super) enum Which<'a> {
    Id(&'a str),
    OfPerson(&'a str),
    OfTask(&'a str),
    Open,
    All,
}

/// Grants with their agreements, the newest first.
pub(super) async fn select<'e, E>(connection: E, which: Which<'_>) -> Result<Vec<Grant>, GuardError>
where
    E: SqliteExecutor<'e>,
{
    let failed = db("reading grants");
    let (filter, value) = match which {
        Which::Id(id) => ("id = $1", id),
        Which::OfPerson(id) => ("person = $1", id),
        Which::OfTask(task) => ("task = $1 and closed_at is null", task),
        Which::Open => ("closed_at is null and $1 = ''", ""),
        Which::All => ("$1 = ''", ""),
    };
    let agreements = "(select json_group_array(json_object('person', a.person, 'party', a.party, 'at', a.at)) \
         from grant_agreements a where a.grant_id = grants.id) as agreements";
    let query =
        format!("select {COLUMNS}, {agreements} from grants where {filter} order by id desc limit 1000");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(value).fetch_all(connection).await;
    rows.map_err(failed)?.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<Grant, GuardError> {
    let failed = db("reading a grant");
    let damaged = |_| GuardError::Internal("reading a grant");
    let text = |name: &str| row.try_get::<String, _>(name).map_err(&failed);
    let columns: Option<String> = row.try_get("columns").map_err(&failed)?;
    let agreements: Vec<serde_json::Value> = serde_json::from_str(&text("agreements")?).map_err(damaged)?;
    let word = |v: &serde_json::Value, name: &str| v[name].as_str().unwrap_or_default().to_owned();
    Ok(Grant {
        id: text("id")?,
        person: text("person")?,
        task: text("task")?,
        action: text("action")?,
        store: text("store")?,
        table: text("label")?,
        columns: columns.map(|c| serde_json::from_str(&c).map_err(damaged)).transpose()?,
        until: row.try_get("until").map_err(&failed)?,
        purpose_category: text("purpose_category")?,
        purpose_hash: text("purpose_hash")?,
        opened_by: text("opened_by")?,
        opened_at: row.try_get("opened_at").map_err(&failed)?,
        closed_at: row.try_get("closed_at").map_err(&failed)?,
        closed_reason: row.try_get("closed_reason").map_err(&failed)?,
        agreements: agreements
            .iter()
            .map(|a| Agreement {
                person: word(a, "person"),
                party: word(a, "party"),
                at: a["at"].as_i64().unwrap_or_default(),
            })
            .collect(),
    })
}

/// One grant as this transaction sees it.
pub(super) async fn in_tx(tx: &mut Tx, id: &str) -> Result<Grant, GuardError> {
    select(&mut *tx.connection(), Which::Id(id)).await?.pop().ok_or(GuardError::Unknown("grant"))
}
