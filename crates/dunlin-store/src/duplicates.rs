//! Which rows of a run were folded into which, the pairs that wait for a person, and what people decided on them.
//!
//! Not here: how duplicates are found and what a name is (`dunlin-move`). Rows are names, keyed hashes of keys.

use std::collections::BTreeSet;

use dunlin_ledger::Actor;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::error::db;
use crate::{State, StoreError, Tx};

/// A row that was folded into another, by their names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Folded {
    /// The row that does not move by itself.
    pub loser: [u8; 16],
    /// The row that stands for it.
    pub survivor: [u8; 16],
    /// How sure the weakest join of its cluster is, from 0 to 1.
    pub probability: f64,
}

/// Which rows of a table fold into which, in one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Crosswalk {
    /// BLAKE3 over the pairs, hex.
    pub hash: String,
    /// The pairs, by loser.
    pub folded: Vec<Folded>,
}

/// Two rows that may stand for one.
#[derive(Debug, Clone, PartialEq)]
pub struct DuplicatePair {
    /// A hash of both names, hex: what people call the pair.
    pub pair: String,
    /// The rows.
    pub rows: ([u8; 16], [u8; 16]),
    /// How likely they are one, from 0 to 1.
    pub probability: f64,
    /// What speaks for it, and against it, a column each; empty where nobody has kept it.
    pub evidence: Vec<PairEvidence>,
}

/// How far two rows agree in a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairEvidence {
    /// The target column.
    pub column: String,
    /// A code: `same`, `near`, …, `different`, or `missing` where one of them has no value.
    pub level: String,
    /// What that weighs for their being one, in bits; below 0 where it speaks against it.
    pub bits: f64,
}

/// What a person said of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are one.
    Merge,
    /// They are two.
    Keep,
}

/// What a person said of a pair, for this run and later ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairDecision {
    /// A hash of both names, hex.
    pub pair: String,
    /// The rows.
    pub rows: ([u8; 16], [u8; 16]),
    /// What was said.
    pub verdict: Verdict,
    /// Who said it; `None` for what was said before that was kept.
    pub by: Option<Actor>,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
}

impl Verdict {
    /// The word in the state and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Merge => "merge",
            Verdict::Keep => "keep",
        }
    }

    fn read(text: &str) -> Result<Verdict, StoreError> {
        let all = [Verdict::Merge, Verdict::Keep];
        all.into_iter().find(|v| v.as_str() == text).ok_or(StoreError::Damaged("a decision on a pair"))
    }
}

/// Rows of one statement.
const CHUNK: usize = 1_000;

impl Tx {
    /// Forgets what a run found among the rows of a table: what folds into what, and the pairs for people. What people have
    /// decided stays.
    pub async fn forget_matching(&mut self, run: &str, label: &str) -> Result<(), StoreError> {
        self.forget(&["crosswalks", "crosswalk", "duplicate_pairs"], run, label).await
    }

    async fn forget(&mut self, tables: &[&str], run: &str, label: &str) -> Result<(), StoreError> {
        for table in tables {
            let sql = format!("delete from {table} where run = $1 and label = $2");
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(run).bind(label);
            query.execute(self.connection()).await.map_err(db("forgetting duplicates"))?;
        }
        Ok(())
    }

    /// Remembers which rows of a table fold into which; what was remembered of this run and table before goes.
    pub async fn put_crosswalk(
        &mut self,
        run: &str,
        label: &str,
        crosswalk: &Crosswalk,
    ) -> Result<(), StoreError> {
        let failed = db("keeping a crosswalk");
        self.forget(&["crosswalks", "crosswalk"], run, label).await?;
        sqlx::query("insert into crosswalks (run, label, hash) values ($1, $2, $3)")
            .bind(run)
            .bind(label)
            .bind(&crosswalk.hash)
            .execute(self.connection())
            .await
            .map_err(&failed)?;
        for chunk in crosswalk.folded.chunks(CHUNK) {
            let mut query: QueryBuilder<Sqlite> =
                QueryBuilder::new("insert into crosswalk (run, label, loser, survivor, probability) ");
            query.push_values(chunk, |mut row, folded| {
                row.push_bind(run.to_owned())
                    .push_bind(label.to_owned())
                    .push_bind(folded.loser.to_vec())
                    .push_bind(folded.survivor.to_vec())
                    .push_bind(folded.probability);
            });
            query.build().execute(self.connection()).await.map_err(&failed)?;
        }
        Ok(())
    }

    /// Remembers the pairs of a table that are to be looked at, in place of those of this run before.
    pub async fn put_duplicate_pairs(
        &mut self,
        run: &str,
        label: &str,
        pairs: &[DuplicatePair],
    ) -> Result<(), StoreError> {
        let failed = db("keeping pairs to look at");
        sqlx::query("delete from duplicate_pairs where run = $1 and label = $2")
            .bind(run)
            .bind(label)
            .execute(self.connection())
            .await
            .map_err(&failed)?;
        for chunk in pairs.chunks(CHUNK) {
            let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
                "insert into duplicate_pairs (run, label, pair, one, other, probability, evidence) ",
            );
            let damaged = |_| StoreError::Damaged("what speaks for a pair");
            let evidence = chunk.iter().map(|pair| serde_json::to_string(&pair.evidence).map_err(damaged));
            let evidence = evidence.collect::<Result<Vec<String>, _>>()?;
            query.push_values(chunk.iter().zip(evidence), |mut row, (pair, evidence)| {
                row.push_bind(run.to_owned())
                    .push_bind(label.to_owned())
                    .push_bind(pair.pair.clone())
                    .push_bind(pair.rows.0.to_vec())
                    .push_bind(pair.rows.1.to_vec())
                    .push_bind(pair.probability)
                    .push_bind(evidence);
            });
            query.build().execute(self.connection()).await.map_err(&failed)?;
        }
        Ok(())
    }

    /// Remembers what a person said of a pair, in place of what was said before.
    pub async fn put_pair_decision(
        &mut self,
        label: &str,
        decision: &PairDecision,
    ) -> Result<(), StoreError> {
        let by = decision.by.as_ref().map(serde_json::to_string).transpose();
        let by = by.map_err(|_| StoreError::Damaged("who decided on a pair"))?;
        sqlx::query(
            "insert into duplicate_decisions (label, pair, one, other, decision, at, actor) \
             values ($1, $2, $3, $4, $5, $6, $7) \
             on conflict (label, pair) do update \
             set decision = excluded.decision, at = excluded.at, actor = excluded.actor",
        )
        .bind(label)
        .bind(&decision.pair)
        .bind(decision.rows.0.to_vec())
        .bind(decision.rows.1.to_vec())
        .bind(decision.verdict.as_str())
        .bind(decision.at)
        .bind(by)
        .execute(self.connection())
        .await
        .map_err(db("keeping a decision on a pair"))?;
        Ok(())
    }

    /// Takes back what was said of a pair.
    pub async fn remove_pair_decision(&mut self, label: &str, pair: &str) -> Result<(), StoreError> {
        sqlx::query("delete from duplicate_decisions where label = $1 and pair = $2")
            .bind(label)
            .bind(pair)
            .execute(self.connection())
            .await
            .map_err(db("taking a decision on a pair back"))?;
        Ok(())
    }
}

impl Tx {
    /// Forgets everything about rows of a table that were erased, in every run: what they fold into, and what folds into
    /// them. Rows that were folded into an erased one lived on in it alone, and are forgotten with it.
    pub async fn forget_duplicates(&mut self, label: &str, names: &[[u8; 16]]) -> Result<(), StoreError> {
        const FORGET: [&str; 3] = [
            "delete from crosswalk where label = $1 and (loser = $2 or survivor = $2)",
            "delete from duplicate_pairs where label = $1 and (one = $2 or other = $2)",
            "delete from duplicate_decisions where label = $1 and (one = $2 or other = $2)",
        ];
        let mut forgotten: BTreeSet<[u8; 16]> = names.iter().copied().collect();
        for survivor in names {
            let sql = "select distinct loser from crosswalk where label = $1 and survivor = $2";
            let query = sqlx::query(sql).bind(label).bind(survivor.to_vec());
            let losers = query.fetch_all(self.connection()).await.map_err(db("forgetting an erased row"))?;
            for loser in &losers {
                forgotten.insert(name(loser, 0)?);
            }
        }
        for name in &forgotten {
            for sql in FORGET {
                let query = sqlx::query(sql).bind(label).bind(name.to_vec());
                query.execute(self.connection()).await.map_err(db("forgetting an erased row"))?;
            }
        }
        Ok(())
    }
}

impl State {
    /// Which rows of a table fold into which in a run; `None` where the run has not looked yet.
    pub async fn crosswalk(&self, run: &str, label: &str) -> Result<Option<Crosswalk>, StoreError> {
        let failed = db("reading a crosswalk");
        let found = sqlx::query("select hash from crosswalks where run = $1 and label = $2")
            .bind(run)
            .bind(label)
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?;
        let Some(found) = found else { return Ok(None) };
        let rows = sqlx::query(
            "select loser, survivor, probability from crosswalk where run = $1 and label = $2 order by loser",
        )
        .bind(run)
        .bind(label)
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        let folded = rows.iter().map(|row| {
            Ok(Folded {
                loser: name(row, 0)?,
                survivor: name(row, 1)?,
                probability: row.try_get(2).map_err(&failed)?,
            })
        });
        let folded = folded.collect::<Result<_, StoreError>>()?;
        Ok(Some(Crosswalk { hash: found.try_get(0).map_err(&failed)?, folded }))
    }

    /// The pairs of a table that a run left to be looked at, the likeliest first; decided ones among them.
    pub async fn duplicate_pairs(&self, run: &str, label: &str) -> Result<Vec<DuplicatePair>, StoreError> {
        let failed = db("reading pairs to look at");
        let rows = sqlx::query(
            "select pair, one, other, probability, evidence from duplicate_pairs where run = $1 and label = $2 \
             order by probability desc, pair",
        )
        .bind(run)
        .bind(label)
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        let pairs = rows.iter().map(|row| {
            let evidence: Option<String> = row.try_get(4).map_err(&failed)?;
            let evidence = evidence.map_or(Ok(Vec::new()), |text| serde_json::from_str(&text));
            Ok(DuplicatePair {
                pair: row.try_get(0).map_err(&failed)?,
                rows: (name(row, 1)?, name(row, 2)?),
                probability: row.try_get(3).map_err(&failed)?,
                evidence: evidence.map_err(|_| StoreError::Damaged("what speaks for a pair"))?,
            })
        });
        pairs.collect()
    }

    /// What people said of pairs of a table, in the order in which they said it.
    pub async fn pair_decisions(&self, label: &str) -> Result<Vec<PairDecision>, StoreError> {
        let failed = db("reading decisions on pairs");
        let rows = sqlx::query(
            "select pair, one, other, decision, actor, at from duplicate_decisions where label = $1 order by at, pair",
        )
        .bind(label)
        .fetch_all(&self.pool)
        .await
        .map_err(&failed)?;
        let decisions = rows.iter().map(|row| {
            let by: Option<String> = row.try_get(4).map_err(&failed)?;
            let by = by.map(|text| serde_json::from_str(&text)).transpose();
            Ok(PairDecision {
                pair: row.try_get(0).map_err(&failed)?,
                rows: (name(row, 1)?, name(row, 2)?),
                verdict: Verdict::read(&row.try_get::<String, _>(3).map_err(&failed)?)?,
                by: by.map_err(|_| StoreError::Damaged("who decided on a pair"))?,
                at: row.try_get(5).map_err(&failed)?,
            })
        });
        decisions.collect()
    }
}

fn name(row: &SqliteRow, column: usize) -> Result<[u8; 16], StoreError> {
    let bytes: Vec<u8> = row.try_get(column).map_err(db("reading a row's name"))?;
    bytes.try_into().map_err(|_| StoreError::Damaged("a row's name"))
}
