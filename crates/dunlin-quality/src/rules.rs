//! Rules that a table is held against while it is profiled, from a file of their own: a condition over one row, or that
//! a value stands in one row only. They count; nothing is moved and nobody is stopped.

use std::collections::HashSet;
use std::sync::Mutex;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::profile::hash;
use crate::{Compiled, Compiler, ExprError, evaluate_rows, failing_rows};

/// So many different values are told apart; beyond, a `unique` rule says that it cannot answer.
const DIFFERENT_MAX: usize = 24_000_000;
/// Parts of the set of values, each with its own lock.
const SHARDS: usize = 16;

/// One rule, as its file spells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, for the answer.
    pub name: String,
    /// A condition over the source's columns; a row for which it is false, or fails, breaks the rule. NULL passes.
    #[serde(default)]
    pub check: Option<String>,
    /// Columns whose values together stand in one row only; rows in which one is NULL are left out.
    #[serde(default)]
    pub unique: Option<Vec<String>>,
}

/// How many rows break a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    /// The table.
    pub table: String,
    /// The rule's name.
    pub rule: String,
    /// The rows that were held against it.
    pub rows: u64,
    /// The rows that break it: false or failed; for `unique` those that repeat an earlier row's value. `None` where the
    /// table has more different values than can be told apart.
    pub broken: Option<u64>,
}

/// Why a rule cannot be counted.
#[derive(Debug, thiserror::Error)]
#[error("rule `{rule}`: {message}")]
pub struct RuleError {
    /// The rule.
    pub rule: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

enum Check {
    Rows(Compiled),
    Unique { columns: Vec<usize>, seen: Vec<Mutex<HashSet<u64>>> },
}

/// The rules of one table, compiled; shared by all who count.
pub struct Rules {
    rules: Vec<(String, Check)>,
}

/// What one part of the table adds to the counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Broken {
    counts: Vec<u64>,
    rows: u64,
}

impl Rules {
    /// Compiles rules over the columns that a read gives.
    ///
    /// # Errors
    /// Says which rule is wrong and how: SQL, an unknown column, neither or both of `check` and `unique`.
    pub fn compile(rules: &[Rule], schema: &SchemaRef, now_us: i64) -> Result<Self, RuleError> {
        let compiler = Compiler::new(schema.clone(), now_us);
        let one = |rule: &Rule| {
            let wrong =
                |message: String, help: Option<String>| RuleError { rule: rule.name.clone(), message, help };
            let check = match (&rule.check, &rule.unique) {
                (Some(sql), None) => Check::Rows(
                    compiler
                        .compile_condition(sql)
                        .map_err(|e: ExprError| wrong(e.message.clone(), e.help.clone()))?,
                ),
                (None, Some(names)) if !names.is_empty() => {
                    let place = |name: &String| {
                        schema.index_of(name).map_err(|_| {
                            wrong(
                                format!("there is no column `{name}` here"),
                                Some("check its spelling".to_owned()),
                            )
                        })
                    };
                    let columns = names.iter().map(place).collect::<Result<_, _>>()?;
                    Check::Unique { columns, seen: (0..SHARDS).map(|_| Mutex::default()).collect() }
                }
                _ => {
                    let help = "write `check = \"…\"` or `unique = [\"column\"]`".to_owned();
                    return Err(wrong(
                        "it needs either a `check` or `unique` columns".to_owned(),
                        Some(help),
                    ));
                }
            };
            Ok((rule.name.clone(), check))
        };
        Ok(Self { rules: rules.iter().map(one).collect::<Result<_, _>>()? })
    }

    /// Holds a batch against the rules.
    pub(crate) fn count(&self, batch: &RecordBatch, broken: &mut Broken) {
        broken.counts.resize(self.rules.len(), 0);
        broken.rows += batch.num_rows() as u64;
        for ((_, check), count) in self.rules.iter().zip(&mut broken.counts) {
            *count += match check {
                Check::Rows(compiled) => failing_rows(&evaluate_rows(compiled, batch)).len() as u64,
                Check::Unique { columns, seen } => repeated(batch, columns, seen),
            };
        }
    }

    /// The counts of all parts together.
    pub(crate) fn counted(&self, table: &str, broken: &Broken) -> Vec<RuleCount> {
        let count = |(at, (name, check)): (usize, &(String, Check))| {
            let full = match check {
                Check::Rows(_) => false,
                Check::Unique { seen, .. } => {
                    seen.iter().any(|s| s.lock().is_ok_and(|s| s.len() >= DIFFERENT_MAX / SHARDS))
                }
            };
            let broken_rows = broken.counts.get(at).copied().unwrap_or_default();
            RuleCount {
                table: table.to_owned(),
                rule: name.clone(),
                rows: broken.rows,
                broken: (!full).then_some(broken_rows),
            }
        };
        self.rules.iter().enumerate().map(count).collect()
    }
}

impl Broken {
    /// Adds another part's counts.
    pub(crate) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, theirs)| *count += theirs);
    }
}

/// The rows whose values in these columns some row had before.
fn repeated(batch: &RecordBatch, columns: &[usize], seen: &[Mutex<HashSet<u64>>]) -> u64 {
    let texts: Vec<Vec<Option<String>>>;
    let arrays: Vec<&ArrayRef> = columns.iter().map(|at| batch.column(*at)).collect();
    let plain: Option<Vec<&StringArray>> = arrays.iter().map(|a| a.as_string_opt::<i32>()).collect();
    let mut by_shard: Vec<Vec<u64>> = vec![Vec::new(); seen.len()];
    let mut put = |hash: u64| by_shard[(hash >> 60) as usize % seen.len()].push(hash);
    let join = |one: u64, next: &str| {
        hash(next.as_bytes()) ^ one.rotate_left(23).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    };
    match plain {
        Some(arrays) => {
            for row in (0..batch.num_rows()).filter(|row| arrays.iter().all(|a| a.is_valid(*row))) {
                put(arrays.iter().fold(1, |hash, a| join(hash, a.value(row))));
            }
        }
        None => {
            // Types travel in one text form each, so the same values give the same texts.
            let ty = dunlin_connect::ColumnType::TEXT;
            texts = arrays.iter().map(|a| dunlin_connect::array_to_text(a, &ty)).collect();
            for row in 0..batch.num_rows() {
                let values: Option<Vec<&String>> = texts.iter().map(|t| t[row].as_ref()).collect();
                if let Some(values) = values {
                    put(values.iter().fold(1, |hash, v| join(hash, v)));
                }
            }
        }
    }
    let mut repeats = 0;
    for (shard, hashes) in seen.iter().zip(by_shard) {
        // A poisoned lock means that another part has failed; its counts are not used.
        let Ok(mut shard) = shard.lock() else { continue };
        for hash in hashes {
            let full = shard.len() >= DIFFERENT_MAX / SHARDS;
            repeats += u64::from(if full { shard.contains(&hash) } else { !shard.insert(hash) });
        }
    }
    repeats
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn schema() -> SchemaRef {
        let fields = vec![Field::new("id", DataType::Int64, true), Field::new("email", DataType::Utf8, true)];
        Schema::new(fields).into()
    }

    fn batch(ids: &[i64], emails: &[Option<&str>]) -> RecordBatch {
        let ids: ArrayRef = Arc::new(Int64Array::from(ids.to_vec()));
        let emails: ArrayRef = Arc::new(StringArray::from(emails.to_vec()));
        RecordBatch::try_new(schema(), vec![ids, emails]).unwrap()
    }

    fn rule(check: Option<&str>, unique: Option<&[&str]>) -> Rule {
        let unique = unique.map(|u| u.iter().map(|c| (*c).to_owned()).collect());
        Rule { name: "r".to_owned(), check: check.map(str::to_owned), unique }
    }

    #[test]
    fn conditions_and_repeats_are_counted_over_batches() {
        let rules = [
            rule(Some("email like '%@%'"), None),
            rule(Some("email is not null"), None),
            rule(None, Some(&["id"])),
            rule(None, Some(&["email"])),
            rule(None, Some(&["id", "email"])),
        ];
        let rules = Rules::compile(&rules, &schema(), 0).unwrap();
        let mut broken = Broken::default();
        rules.count(&batch(&[1, 2, 2], &[Some("a@b"), None, Some("x")]), &mut broken);
        let mut other = Broken::default();
        rules.count(&batch(&[1, 3], &[Some("a@b"), None]), &mut other);
        broken.add(&other);
        let counts: Vec<Option<u64>> = rules.counted("t", &broken).into_iter().map(|c| c.broken).collect();
        assert_eq!(counts, [Some(1), Some(2), Some(2), Some(1), Some(1)]);
    }

    #[test]
    fn a_wrong_rule_is_told_before_a_row_is_read() {
        for (rule, said) in [
            (rule(Some("emial = 'x'"), None), "there is no column `emial` here"),
            (rule(Some("email"), None), "this gives Utf8, not true or false"),
            (rule(None, Some(&["nid"])), "there is no column `nid` here"),
            (rule(None, None), "it needs either a `check` or `unique` columns"),
        ] {
            let error = Rules::compile(&[rule], &schema(), 0).err().unwrap();
            assert_eq!(error.message, said);
        }
    }
}
