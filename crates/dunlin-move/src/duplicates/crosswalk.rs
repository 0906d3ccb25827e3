//! Which row of a table folds into which, ready to act on rows: the survivors in the form in which they are loaded, and by
//! what others may refer to them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::Schema;
use dunlin_connect::canon::hash_rows;
use dunlin_connect::{ColumnType, array_to_text};
use dunlin_store::Folded;

use super::Among;
use super::find::Cluster;
use super::rows::{Name, RowsOf, key_texts, pick};
use super::survivor::{Candidates, Survivor};
use super::there::There;
use crate::Result;
use crate::remap::engine;
use crate::spec::TableSpec;

/// What a row is in the crosswalk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It stays; its loaded form stands in this row of `survivors`.
    Survivor {
        /// The row.
        row: usize,
        /// Whether it takes anything over from others.
        changed: bool,
    },
    /// It folds into the survivor whose loaded form stands in this row.
    Loser {
        /// The row.
        row: usize,
    },
}

/// The crosswalk of one table.
pub(crate) struct Crosswalk {
    /// What [`Crosswalk::settled`] was when it was found, hex: binds receipts to it.
    pub(crate) hash: String,
    /// BLAKE3 over [`Crosswalk::folded`] and what survivors take over by the source as it is now, hex.
    pub(crate) settled: String,
    /// The pairs, by loser.
    pub(crate) folded: Vec<Folded>,
    /// The rows of all clusters as they would be loaded without it.
    members: RecordBatch,
    of_name: HashMap<Name, usize>,
    /// The survivors as they are loaded.
    pub(crate) survivors: RecordBatch,
    standing: HashMap<Name, Standing>,
    /// The columns that a survivor takes over from another row, by its row in `survivors`.
    taken: HashSet<(usize, usize)>,
}

/// The hash of a crosswalk, hex: its pairs, and the settled forms of the survivors that take something over, so that a
/// survivor is loaded anew where a value changes that it has from another row.
pub(crate) fn hash_of(folded: &[Folded], settled: &BTreeMap<Name, [u8; 16]>) -> String {
    let mut pairs = blake3::Hasher::new();
    for pair in folded {
        pairs.update(&pair.loser);
        pairs.update(&pair.survivor);
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(pairs.finalize().as_bytes());
    for (name, row) in settled {
        hasher.update(name);
        hasher.update(row);
    }
    hasher.finalize().to_hex().to_string()
}

/// The clusters of a crosswalk that was kept: survivors first.
pub(crate) fn clusters_of(folded: &[Folded]) -> Vec<Cluster> {
    let mut by_survivor: std::collections::BTreeMap<Name, Cluster> = std::collections::BTreeMap::new();
    for pair in folded {
        let cluster = by_survivor
            .entry(pair.survivor)
            .or_insert_with(|| Cluster { members: vec![pair.survivor], probability: pair.probability });
        cluster.members.push(pair.loser);
    }
    by_survivor.into_values().collect()
}

/// Rows of clusters, as they were read and as each would be loaded alone.
pub(crate) struct Members {
    /// Their names, in the order in which they were read.
    pub(crate) names: Vec<Name>,
    /// Their source columns.
    source: RecordBatch,
    /// Their mapped columns.
    pub(crate) mapped: RecordBatch,
    /// From this one on they stood in the target before. Of these nothing is known of source columns.
    stood_from: usize,
}

impl Members {
    /// Reads the rows of these names.
    pub(crate) async fn read(among: &Among, wanted: &HashSet<Name>) -> Result<Self> {
        let Among { pipeline, splits, there } = among;
        let spec = &pipeline.spec;
        let (mut names, mut sources, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        if !wanted.is_empty() {
            pipeline
                .for_each(splits, |batch| {
                    let Some(found) = RowsOf::batch(&pipeline.key, spec, batch)? else { return Ok(()) };
                    let picked: Vec<u32> = (0..found.names.len())
                        .filter(|row| wanted.contains(&found.names[*row]))
                        .map(|row| row as u32)
                        .collect();
                    if !picked.is_empty() {
                        let (source, mapped) = found.only(&picked)?;
                        names.extend(picked.iter().map(|row| found.names[*row as usize]));
                        sources.push(source);
                        rows.push(mapped);
                    }
                    Ok(())
                })
                .await?;
        }
        let joined = |schema, batches: &[RecordBatch]| {
            concat_batches(schema, batches).map_err(|_| engine("put rows of clusters together"))
        };
        let source_schema =
            sources.first().map_or_else(|| spec.mapping.read_schema.clone(), RecordBatch::schema);
        let source = joined(&source_schema, &sources)?;
        let mapped_schema =
            rows.first().map_or_else(|| spec.mapping.target_schema.clone(), RecordBatch::schema);
        let mapped = joined(&mapped_schema, &rows)?;
        let mapped = RecordBatch::try_new(spec.mapping.target_schema.clone(), mapped.columns().to_vec())
            .map_err(|_| engine("put rows of clusters together"))?;
        let moving = Self { stood_from: names.len(), names, source, mapped };
        match there {
            Some(there) => moving.with(there, wanted).await,
            None => Ok(moving),
        }
    }

    /// With those rows of these names that stood in the target before.
    async fn with(mut self, there: &There, wanted: &HashSet<Name>) -> Result<Self> {
        let here: HashSet<&Name> = self.names.iter().collect();
        let missing: HashSet<Name> = wanted.iter().filter(|name| !here.contains(name)).copied().collect();
        if missing.is_empty() {
            return Ok(self);
        }
        let (names, found) = there.only(&missing).await?;
        let failed = |_| engine("put rows of clusters together");
        let fields = self
            .source
            .schema()
            .fields()
            .iter()
            .map(|f| f.as_ref().clone().with_nullable(true))
            .collect::<Vec<_>>();
        let schema = Arc::new(Schema::new(fields));
        let source = RecordBatch::try_new(schema.clone(), self.source.columns().to_vec()).map_err(failed)?;
        let nothing = schema.fields().iter().map(|f| new_null_array(f.data_type(), names.len())).collect();
        let unknown = RecordBatch::try_new(schema.clone(), nothing).map_err(failed)?;
        self.source = concat_batches(&schema, [&source, &unknown]).map_err(failed)?;
        let schema = self.mapped.schema();
        self.mapped = concat_batches(&schema, std::iter::once(&self.mapped).chain(&found)).map_err(failed)?;
        self.names.extend(names);
        Ok(self)
    }

    /// Whether a row stood in the target before.
    pub(crate) fn stood(&self, row: usize) -> bool {
        row >= self.stood_from
    }

    /// The row of a cluster that stays: one that stood in the target before, where there is one.
    pub(crate) fn survivor(&self, candidates: &Candidates, rows: &[usize]) -> Option<usize> {
        let stood: Vec<usize> = rows.iter().copied().filter(|row| self.stood(*row)).collect();
        candidates.survivor(if stood.is_empty() { rows } else { &stood })
    }

    /// The plan's rules, and the rows as these prefer them.
    pub(crate) fn candidates(&self, spec: &TableSpec) -> Result<(Survivor, Candidates)> {
        let words = spec.plan.duplicates.as_ref().and_then(|d| d.survivor.as_ref());
        let words = words.map(|sql| sql.text.as_str()).unwrap_or_default();
        let rules = Survivor::of(words, &spec.mapping, &spec.key).map_err(|_| engine("tell who survives"))?;
        let keys = key_texts(spec, &self.mapped);
        let candidates = Candidates::new(&rules, &spec.mapping.columns, &self.source, &self.mapped, &keys)?;
        Ok((rules, candidates))
    }
}

impl Crosswalk {
    /// Reads the rows of clusters and settles who survives, and in which form. `kept` tells that the clusters were
    /// decided before: then the first member of each survives, and the hash stays that of then.
    pub(crate) async fn gather(among: &Among, clusters: &[Cluster], kept: Option<String>) -> Result<Self> {
        let wanted = clusters.iter().flat_map(|c| c.members.iter().copied()).collect();
        let members = Members::read(among, &wanted).await?;
        Self::settle(&among.pipeline.spec, &among.pipeline.key, members, clusters, kept)
    }

    fn settle(
        spec: &TableSpec,
        key: &dunlin_connect::canon::HashKey,
        found: Members,
        clusters: &[Cluster],
        kept: Option<String>,
    ) -> Result<Self> {
        let (_, candidates) = found.candidates(spec)?;
        let of_name: HashMap<Name, usize> =
            found.names.iter().enumerate().map(|(row, name)| (*name, row)).collect();
        let names = &found.names;
        let mut folded = Vec::new();
        let mut standing = HashMap::new();
        let mut stay: Vec<usize> = Vec::new();
        let mut takes: Vec<(usize, usize, usize)> = Vec::new();
        for cluster in clusters {
            // A row that is not there any more, or goes another way by now, is nobody's duplicate.
            let rows: Vec<usize> = cluster.members.iter().filter_map(|n| of_name.get(n).copied()).collect();
            let survivor = match kept {
                Some(_) => cluster.members.first().and_then(|n| of_name.get(n).copied()),
                None => found.survivor(&candidates, &rows),
            };
            // Rows that stood in the target before fold into nothing.
            let folds = |row: usize, survivor| row != survivor && !found.stood(row);
            let Some(survivor) = survivor.filter(|s| rows.iter().any(|row| folds(*row, *s))) else {
                continue;
            };
            let place = stay.len();
            stay.push(survivor);
            // Nor does one that stood there take anything over, or come along with the rows that move.
            if !found.stood(survivor) {
                let sources = candidates.sources(&rows, survivor);
                let taken = sources.into_iter().filter(|(_, from)| *from != survivor);
                takes.extend(taken.map(|(column, from)| (place, column, from)));
                standing.insert(names[survivor], Standing::Survivor { row: place, changed: false });
            }
            for row in rows.into_iter().filter(|row| folds(*row, survivor)) {
                standing.insert(names[row], Standing::Loser { row: place });
                let (loser, survivor) = (names[row], names[survivor]);
                folded.push(Folded { loser, survivor, probability: cluster.probability });
            }
        }
        folded.sort_by_key(|pair| pair.loser);
        let members = found.mapped.clone();
        let survivors = composed(&members, &stay, &takes)?;
        let before = pick(&members, &indices(&stay))?;
        let after = hash_rows(key, &survivors);
        let changed: Vec<bool> =
            hash_rows(key, &before).iter().zip(&after).map(|(before, after)| before != after).collect();
        let settled: BTreeMap<Name, [u8; 16]> = (0..stay.len())
            .filter(|place| changed[*place])
            .map(|place| (names[stay[place]], after[place].short()))
            .collect();
        for entry in standing.values_mut() {
            if let Standing::Survivor { row, changed: to } = entry {
                *to = changed[*row];
            }
        }
        let settled = hash_of(&folded, &settled);
        let hash = kept.unwrap_or_else(|| settled.clone());
        let taken = takes.into_iter().map(|(place, column, _)| (place, column)).collect();
        Ok(Self { hash, settled, folded, members, of_name, survivors, standing, taken })
    }

    /// Whether no row folds into another.
    pub(crate) fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }

    /// What a row is, by its name.
    pub(crate) fn standing(&self, name: &Name) -> Option<Standing> {
        self.standing.get(name).copied()
    }

    /// Whether the survivor in this row of [`Crosswalk::survivors`] has this column from another row.
    pub(crate) fn takes(&self, row: usize, column: usize) -> bool {
        self.taken.contains(&(row, column))
    }

    /// How many rows fold into the row of this name.
    pub(crate) fn folded_into(&self, name: &Name) -> u64 {
        self.folded.iter().filter(|pair| pair.survivor == *name).count() as u64
    }

    /// For values of these columns by which others refer to a loser: the values of its survivor. And for those by which they
    /// refer to a survivor that takes such a column over: the values it has then.
    pub(crate) fn moved(&self, columns: &[usize]) -> HashMap<Vec<String>, Vec<String>> {
        let texts = |batch: &RecordBatch| -> Vec<Vec<Option<String>>> {
            columns.iter().map(|c| array_to_text(batch.column(*c), &ColumnType::TEXT)).collect()
        };
        let (before, after) = (texts(&self.members), texts(&self.survivors));
        let values = |texts: &[Vec<Option<String>>], row: usize| -> Option<Vec<String>> {
            texts.iter().map(|column| column[row].clone()).collect()
        };
        let survivors: BTreeSet<Name> = self.folded.iter().map(|pair| pair.survivor).collect();
        let losers = self.folded.iter().map(|pair| pair.loser);
        let moves = survivors.into_iter().chain(losers).filter_map(|name| {
            let row = match self.standing(&name)? {
                Standing::Survivor { row, changed: true } | Standing::Loser { row } => row,
                Standing::Survivor { changed: false, .. } => return None,
            };
            let from = values(&before, *self.of_name.get(&name)?)?;
            let to = values(&after, row)?;
            (from != to).then_some((from, to))
        });
        moves.collect()
    }
}

fn indices(rows: &[usize]) -> UInt32Array {
    UInt32Array::from(rows.iter().map(|row| *row as u32).collect::<Vec<u32>>())
}

/// The survivors with what they take over: (survivor's place, column, row it comes from).
fn composed(members: &RecordBatch, stay: &[usize], takes: &[(usize, usize, usize)]) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(members.num_columns());
    for (at, column) in members.columns().iter().enumerate() {
        let mut rows = stay.to_vec();
        for (place, _, from) in takes.iter().filter(|(_, column, _)| *column == at) {
            rows[*place] = *from;
        }
        columns.push(take(column, &indices(&rows), None).map_err(|_| engine("put a survivor together"))?);
    }
    RecordBatch::try_new(members.schema(), columns).map_err(|_| engine("put a survivor together"))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};

    use super::*;

    fn rows(rows: &[(i64, &str)]) -> RecordBatch {
        let ids: ArrayRef = Arc::new(rows.iter().map(|r| Some(r.0)).collect::<Int64Array>());
        let emails: ArrayRef = Arc::new(rows.iter().map(|r| Some(r.1)).collect::<StringArray>());
        RecordBatch::try_from_iter([("id", ids), ("email", emails)]).expect("rows")
    }

    /// Row 7 folds into row 3, which has its address from there.
    fn crosswalk() -> Crosswalk {
        let (loser, survivor) = ([7; 16], [3; 16]);
        Crosswalk {
            hash: String::new(),
            settled: String::new(),
            folded: vec![Folded { loser, survivor, probability: 0.99 }],
            members: rows(&[(7, "ana@example.com"), (3, "ana@example.org")]),
            of_name: HashMap::from([(loser, 0), (survivor, 1)]),
            survivors: rows(&[(3, "ana@example.com")]),
            standing: HashMap::from([
                (loser, Standing::Loser { row: 0 }),
                (survivor, Standing::Survivor { row: 0, changed: true }),
            ]),
            taken: HashSet::from([(0, 1)]),
        }
    }

    #[test]
    fn references_follow_a_loser_and_what_a_survivor_takes_over() {
        let crosswalk = crosswalk();
        let one = |from: &str, to: &str| HashMap::from([(vec![from.to_owned()], vec![to.to_owned()])]);
        assert_eq!(crosswalk.moved(&[0]), one("7", "3"));
        // Who refers to the loser by its address is right already.
        assert_eq!(crosswalk.moved(&[1]), one("ana@example.org", "ana@example.com"));
    }

    #[test]
    fn a_survivor_keeps_the_columns_that_it_has_by_itself() {
        let crosswalk = crosswalk();
        assert!(crosswalk.takes(0, 1));
        assert!(!crosswalk.takes(0, 0));
        assert_eq!(crosswalk.folded_into(&[3; 16]), 1);
        assert_eq!(crosswalk.folded_into(&[7; 16]), 0);
    }
}
