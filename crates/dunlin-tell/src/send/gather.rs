//! Reads an audience through the gate: who gets a letter, who gets none and why, and who stands there twice.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use dunlin_connect::Store;
use dunlin_gate::{AccessLog, Allowance, Ask, Ended, Policy, open_stream};
use dunlin_ledger::point;

use super::address::{Address, Invalid, Recipient, Recipients, Sealable};
use super::audience::{Audience, Field};
use super::error::{SendError, db};
use super::message::MessageKey;
use super::queue::{Queue, add};

/// How many of the rows without an address are shown, masked.
const SAMPLES: usize = 20;

/// What an audience is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Rows that the query gave.
    pub rows: u64,
    /// Rows whose address had come before, in whatever spelling.
    pub duplicates: u64,
    /// Everybody who gets a letter, or would.
    pub recipients: u64,
    /// Those of them whom the stream no longer reaches.
    pub suppressed: u64,
    /// Recipients by the language of their letter.
    pub by_locale: BTreeMap<String, u64>,
    /// Rows without an address to write to, by reason. rows = recipients + duplicates + invalid.
    pub invalid: BTreeMap<&'static str, u64>,
    /// Some of them.
    pub samples: Vec<Sample>,
}

/// A row that cannot be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its place in the audience, from 1.
    pub row: u64,
    /// Why not.
    pub reason: &'static str,
    /// What stands there, masked.
    pub masked: String,
}

impl Gathered {
    /// Rows without an address to write to.
    pub fn invalid_rows(&self) -> u64 {
        self.invalid.values().sum()
    }
}

/// A shell's right to read lasts as long as its command.
struct AtTheShell;

#[async_trait]
impl Allowance for AtTheShell {
    async fn check(&self) -> Result<(), Ended> {
        Ok(())
    }

    async fn ended(&self) -> Ended {
        std::future::pending().await
    }
}

/// What is needed to read an audience.
pub struct Reading<'a> {
    /// The audience.
    pub audience: &'a Audience,
    /// Its store.
    pub store: &'a dyn Store,
    /// Who may see it.
    pub policy: &'a dyn Policy,
    /// Where the access is entered.
    pub log: Arc<dyn AccessLog>,
    /// Who asks for it, and what for.
    pub ask: &'a Ask,
    /// The language of the letter that somebody gets whose row says this language, or none.
    pub locale: &'a (dyn Fn(Option<&str>) -> String + Sync),
}

struct Row {
    address: Result<Address, Invalid>,
    name: Option<String>,
    locale: String,
}

/// Counts an audience; keeps nothing.
///
/// # Errors
/// The store, the gate.
pub async fn count(
    reading: &Reading<'_>,
    queue: &Queue,
    stream: crate::Stream,
) -> Result<Gathered, SendError> {
    let mut found = Gathered::default();
    let mut seen = HashSet::new();
    let silenced = queue.silenced(stream).await?;
    let mut rows = Rows::open(reading).await?;
    while let Some(batch) = rows.next(&mut found).await? {
        for row in batch {
            let recipient = queue.recipients.recipient(&row.0);
            if !seen.insert(recipient) {
                found.duplicates += 1;
                continue;
            }
            found.recipients += 1;
            found.suppressed += u64::from(silenced.contains(&recipient));
            *found.by_locale.entry(row.2).or_default() += 1;
        }
    }
    Ok(found)
}

/// Reads an audience into the state as a message that waits for its release ([`Queue::release`]). One that was left
/// half-read is read anew. Gives its id as well.
///
/// # Errors
/// The store, the gate, the state.
pub async fn gather(
    reading: &Reading<'_>,
    queue: &Queue,
    key: &MessageKey,
) -> Result<(String, Gathered), SendError> {
    if let Some(left) = queue.find(key).await? {
        queue.forget(&left.id).await?;
    }
    let id = queue.begin(key, &reading.audience.tables().collect::<Vec<_>>().join(" + ")).await?;
    match fill(reading, queue, key, &id).await {
        Ok(found) => Ok((id, found)),
        Err(error) => {
            // What stopped it is told; what was read goes with the next try at the latest.
            let _ = queue.forget(&id).await;
            Err(error)
        }
    }
}

async fn fill(
    reading: &Reading<'_>,
    queue: &Queue,
    key: &MessageKey,
    id: &str,
) -> Result<Gathered, SendError> {
    let mut found = Gathered::default();
    // By this a Message-ID is the same at every try, and another in another message or by another way.
    let named = format!("{}\n{}\n{}\n{}", key.notice, key.version, key.message, key.transport);
    let mut rows = Rows::open(reading).await?;
    while let Some(batch) = rows.next(&mut found).await? {
        let count = batch.len() as u64;
        let kept = keep(&queue.recipients, &named, batch)?;
        let mut tx = queue.state.begin().await?;
        let new = add(&mut tx, id, kept).await?;
        tx.commit().await?;
        found.recipients += new;
        found.duplicates += count - new;
    }
    let stopped = |_| SendError::Defect;
    point("tell::gather.before_ready").map_err(stopped)?;
    finish(queue, key, id, &mut found).await?;
    Ok(found)
}

type Kept = (Recipient, String, String, Vec<u8>);

fn keep(
    recipients: &Recipients,
    named: &str,
    batch: Vec<(Address, Option<String>, String)>,
) -> Result<Vec<Kept>, SendError> {
    let mut kept = Vec::with_capacity(batch.len());
    for (address, name, locale) in batch {
        let recipient = recipients.recipient(&address);
        let what = Sealable { address: address.clear().to_owned(), name };
        let sealed = recipients.seal(recipient, &what)?;
        kept.push((recipient, recipients.letter(named, recipient), locale, sealed));
    }
    Ok(kept)
}

/// The counts, and who is silent from the beginning.
async fn finish(queue: &Queue, key: &MessageKey, id: &str, found: &mut Gathered) -> Result<(), SendError> {
    use crate::Word;
    use sqlx::Row;
    let failed = db("finishing the recipients");
    let mut tx = queue.state.begin().await?;
    sqlx::query("update tell_messages set rows_read = $1, duplicates = $2 where id = $3")
        .bind(found.rows as i64)
        .bind(found.duplicates as i64)
        .bind(id)
        .execute(tx.connection())
        .await
        .map_err(&failed)?;
    for (reason, rows) in &found.invalid {
        sqlx::query("insert into tell_invalid (message, reason, rows_read) values ($1, $2, $3)")
            .bind(id)
            .bind(*reason)
            .bind(*rows as i64)
            .execute(tx.connection())
            .await
            .map_err(&failed)?;
    }
    let silent = sqlx::query(
        "update tell_deliveries set state = 'suppressed', sealed = null, ended_at = $1 where message = $2 \
         and recipient in (select recipient from tell_suppressed where stream = $3)",
    )
    .bind(dunlin_store::now_us())
    .bind(id)
    .bind(key.stream.as_str())
    .execute(tx.connection())
    .await
    .map_err(&failed)?;
    found.suppressed = silent.rows_affected();
    let rows = sqlx::query("select locale, count(*) from tell_deliveries where message = $1 group by locale")
        .bind(id)
        .fetch_all(tx.connection())
        .await
        .map_err(&failed)?;
    for row in &rows {
        let count: i64 = row.try_get(1).map_err(&failed)?;
        found.by_locale.insert(row.try_get(0).map_err(&failed)?, count.max(0) as u64);
    }
    tx.commit().await?;
    Ok(())
}

/// The rows of an audience as they come through the gate.
struct Rows<'a> {
    opened: dunlin_gate::OpenedStream,
    places: [Option<usize>; 3],
    locale: &'a (dyn Fn(Option<&str>) -> String + Sync),
}

impl<'a> Rows<'a> {
    async fn open(reading: &Reading<'a>) -> Result<Rows<'a>, SendError> {
        let sealed = reading.audience.rows(reading.store).await?;
        let access = dunlin_store::new_id();
        let allowance = Arc::new(AtTheShell);
        let opened =
            open_stream(sealed, reading.policy, reading.log.clone(), allowance, reading.ask, &access).await?;
        let masked = opened.columns.iter().any(|(_, shown)| *shown != dunlin_gate::Shown::Clear);
        if masked || !opened.hidden.is_empty() {
            let _ = opened.close().await;
            return Err(SendError::Message {
                message: "the policy shows the addresses masked, so nobody can be written to".to_owned(),
                help: "whoever sends needs the right to read them in clear",
            });
        }
        let fields = reading.audience.fields();
        let place = |field| fields.iter().position(|f| *f == field);
        let places = [Field::Email, Field::Locale, Field::Name].map(place);
        Ok(Rows { opened, places, locale: reading.locale })
    }

    /// The next rows that have an address; the others are counted.
    async fn next(
        &mut self,
        found: &mut Gathered,
    ) -> Result<Option<Vec<(Address, Option<String>, String)>>, SendError> {
        let Some(batch) = self.opened.next().await else { return Ok(None) };
        let mut good = Vec::new();
        for mut values in batch? {
            found.rows += 1;
            let mut value = |at: Option<usize>| at.and_then(|at| values.get_mut(at)?.take());
            let [email, locale, name] = self.places.map(&mut value);
            let email = email.unwrap_or_default();
            let row = Row {
                address: email.parse(),
                name: name.map(|name| one_line(&name)).filter(|name| !name.is_empty()),
                locale: (self.locale)(locale.as_deref()),
            };
            match row.address {
                Ok(address) => good.push((address, row.name, row.locale)),
                Err(reason) => {
                    *found.invalid.entry(reason.as_str()).or_default() += 1;
                    if found.samples.len() < SAMPLES && reason != Invalid::Missing {
                        let masked = dunlin_gate::mask(Some("email"), &one_line(&email));
                        found.samples.push(Sample { row: found.rows, reason: reason.as_str(), masked });
                    }
                }
            }
        }
        Ok(Some(good))
    }
}

/// A name on one line and of a length that a header can have.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect()
}
