//! How tables hang together: which keys, indexes and counters follow into tables that dunlin makes, and in which order
//! tables are loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dunlin_connect::{ForeignKey, Index, Sequence, Table, Unique};
use dunlin_plan::{Finding, Plan, Protect};

use crate::spec::{Mapped, SavedTable, TableSpec};
use crate::stores::Stores;

/// Gives the tables that dunlin makes the keys, indexes and counters of their sources, under their new names. A key
/// follows when each of its columns is taken over; a foreign key, when its parent moves to the same store as well.
/// Tables that a run has saved carry what it gave them.
pub fn relate(specs: &mut [TableSpec], stores: &Stores, saved: &BTreeMap<String, SavedTable>) {
    let fresh = |spec: &TableSpec| spec.created && !saved.contains_key(&spec.label);
    let related: Vec<Option<Table>> =
        specs.iter().map(|spec| fresh(spec).then(|| related(spec, specs, stores))).collect();
    for (spec, table) in specs.iter_mut().zip(related) {
        if let Some(table) = table {
            spec.target = Arc::new(table);
        }
    }
}

fn related(spec: &TableSpec, all: &[TableSpec], stores: &Stores) -> Table {
    let mut target = spec.target.as_ref().clone();
    if spec.carried {
        // It is the source table already. Foreign keys whose rows may have to be looked at are those within the plan.
        let kept = spec.source.foreign_keys.iter().filter_map(|key| {
            follow(spec, key, all).map(|followed| ForeignKey { name: key.name.clone(), ..followed })
        });
        target.foreign_keys = kept.collect();
        return target;
    }
    let system = |name: &str| stores.get(name).map(|s| s.system()).ok();
    let same_system = system(&spec.plan.from.store) == system(&spec.plan.to.store);
    for unique in &spec.source.uniques {
        if let Some(columns) = taken_over(spec, &unique.columns)
            && columns != target.primary_key
        {
            target.uniques.push(Unique { name: None, columns });
        }
    }
    for index in &spec.source.indexes {
        if let Some(columns) = taken_over(spec, &index.columns)
            && !columns.is_empty()
        {
            target.indexes.push(Index {
                name: format!("{}_{}_idx", target.name.name, columns.join("_")),
                columns: columns.clone(),
                unique: index.unique,
                definition: index.definition.clone().filter(|_| same_system && same_names(spec, index)),
            });
        }
    }
    distinct_index_names(&mut target.indexes);
    for key in &spec.source.foreign_keys {
        target.foreign_keys.extend(follow(spec, key, all));
    }
    for sequence in &spec.source.sequences {
        if let Some(mut columns) = taken_over(spec, std::slice::from_ref(&sequence.column))
            && let Some(column) = columns.pop()
        {
            target.sequences.push(Sequence { column, next: sequence.next });
        }
    }
    target
}

fn same_names(spec: &TableSpec, index: &Index) -> bool {
    spec.target.name.name == spec.source.name.name
        && taken_over(spec, &index.columns).as_deref() == Some(index.columns.as_slice())
}

fn distinct_index_names(indexes: &mut [Index]) {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for index in indexes {
        let count = seen.entry(index.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            index.name = format!("{}{}", index.name, count);
        }
    }
}

/// The target columns that take over these source columns, if each does.
pub(crate) fn taken_over(spec: &TableSpec, columns: &[String]) -> Option<Vec<String>> {
    let one = |column: &String| {
        let read = spec.mapping.read_schema.index_of(column).ok()?;
        let taking = spec.mapping.columns.iter().find(|m| m.from == Some(read) && m.protect.is_none());
        // A tokenised key stays a key: equal values have equal tokens.
        let tokens = || {
            use dunlin_plan::Protect::{Encrypt, Format, Hash, Tokenise};
            let keeps = |p| matches!(p, Some(Hash | Tokenise | Encrypt | Format));
            spec.mapping.columns.iter().find(|m| m.from == Some(read) && keeps(m.protect))
        };
        taking.or_else(tokens).map(|m| m.target.clone())
    };
    columns.iter().map(one).collect()
}

/// References whose two ends are hidden in different ways: a value on one end is never what stands on the other. Looked at
/// are keys of tables that dunlin makes, and `subject`; call it once [`relate`] has given the keys.
pub(crate) fn unlike(specs: &[TableSpec], plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut hold = |spec: &TableSpec, parent: &TableSpec, column: usize, parent_column: usize| {
        let (mine, theirs) = (&spec.mapping.columns[column], &parent.mapping.columns[parent_column]);
        let Some(message) = parted(mine, theirs, &parent.label) else { return };
        let help = "give both columns the same `protect`, and for `format` the same `kind`";
        // Where one end is in the clear, rows that refer wait in quarantine, and all is told. A copy for a rehearsal may hide
        // a key by its kind and not what refers to it.
        let finding = match (mine.protect, theirs.protect) {
            (Some(_), Some(_)) => Finding::error("move-reference-protect", spec.plan.span, message),
            _ => Finding::warning("move-reference-protect", spec.plan.span, message),
        };
        let finding = finding.help(help);
        findings.push(finding.in_table(&spec.label).in_column(&mine.target));
    };
    let place = |spec: &TableSpec, name: &String| spec.mapping.columns.iter().position(|m| m.target == *name);
    for spec in specs {
        for key in spec.target.foreign_keys.iter().filter(|_| spec.created) {
            let Some(parent) = position(specs, spec, key).map(|parent| &specs[parent]) else { continue };
            for (column, parent_column) in key.columns.iter().zip(&key.parent_columns) {
                if let (Some(column), Some(theirs)) = (place(spec, column), place(parent, parent_column)) {
                    hold(spec, parent, column, theirs);
                }
            }
        }
        let (Some(name), Some(subject)) = (&spec.plan.subject, &plan.subject) else { continue };
        let parent = specs.iter().find(|p| p.plan.to == subject.table && p.label != spec.label);
        let Some((parent, theirs)) = parent.and_then(|p| Some((p, place(p, &subject.id)?))) else { continue };
        // A target column, or the source column that one takes over.
        let taking = || taken_over(spec, std::slice::from_ref(name)).and_then(|t| place(spec, t.first()?));
        if let Some(column) = place(spec, name).or_else(taking) {
            hold(spec, parent, column, theirs);
        }
    }
    findings
}

/// In what two ends of a reference are hidden differently.
fn parted(mine: &Mapped, theirs: &Mapped, parent: &str) -> Option<String> {
    let (column, other) = (&mine.target, &theirs.target);
    if mine.protect != theirs.protect {
        let word = |protect: Option<Protect>| match protect {
            Some(protect) => format!("protected by `{protect}`"),
            None => "not protected".to_owned(),
        };
        let (mine, theirs) = (word(mine.protect), word(theirs.protect));
        return Some(format!(
            "`{column}` refers to `{other}` of {parent} and is {mine}, while that is {theirs}: they never agree"
        ));
    }
    (mine.protect == Some(Protect::Format) && mine.kind != theirs.kind).then(|| {
        format!(
            "`{column}` refers to `{other}` of {parent}, both protected by `format`, and their kinds differ: the stand-in \
             depends on the kind, and they never agree"
        )
    })
}

fn follow(spec: &TableSpec, key: &ForeignKey, all: &[TableSpec]) -> Option<ForeignKey> {
    let columns = taken_over(spec, &key.columns)?;
    let parent = all.iter().find(|p| {
        let same_source = p.plan.from.store == spec.plan.from.store && p.source.name.name == key.parent.name;
        same_source
            && key.parent.schema.is_none_or_eq(p.source.name.schema.as_ref())
            && p.plan.to.store == spec.plan.to.store
    })?;
    let parent_columns = taken_over(parent, &key.parent_columns)?;
    Some(ForeignKey {
        name: None,
        columns,
        parent: parent.target.name.clone(),
        parent_columns,
        on_delete: key.on_delete.clone(),
        on_update: key.on_update.clone(),
        deferrable: key.deferrable,
        validated: key.validated,
    })
}

/// A name without a schema matches any.
trait NoneOrEq {
    fn is_none_or_eq(&self, other: Option<&String>) -> bool;
}

impl NoneOrEq for Option<String> {
    fn is_none_or_eq(&self, other: Option<&String>) -> bool {
        match (self, other) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        }
    }
}

/// Parents before children. Foreign keys that close a cycle in tables which already exist are named by store: they must
/// stand aside while loading. A table that refers to itself is a cycle of one.
pub fn load_order(specs: Vec<TableSpec>) -> (Vec<TableSpec>, BTreeMap<String, Vec<ForeignKey>>) {
    let parents: Vec<BTreeSet<usize>> = specs
        .iter()
        .map(|spec| spec.target.foreign_keys.iter().filter_map(|key| position(&specs, spec, key)).collect())
        .collect();
    let mut order: Vec<usize> = Vec::with_capacity(specs.len());
    let mut cyclic: BTreeMap<String, Vec<ForeignKey>> = BTreeMap::new();
    let mut left: BTreeSet<usize> = (0..specs.len()).collect();
    while !left.is_empty() {
        let ready: Vec<usize> = left
            .iter()
            .copied()
            .filter(|i| parents[*i].iter().all(|p| p == i || !left.contains(p)))
            .collect();
        // In a cycle, go on with the table that waits for the fewest others.
        let next = if ready.is_empty() {
            let fewest = left.iter().copied().min_by_key(|i| parents[*i].intersection(&left).count());
            fewest.into_iter().collect()
        } else {
            ready
        };
        for i in next {
            left.remove(&i);
            order.push(i);
        }
    }
    let place: BTreeMap<usize, usize> = order.iter().enumerate().map(|(place, i)| (*i, place)).collect();
    for (i, spec) in specs.iter().enumerate().filter(|(_, s)| !s.created) {
        for key in &spec.target.foreign_keys {
            if position(&specs, spec, key).is_some_and(|p| place[&p] >= place[&i]) {
                cyclic.entry(spec.plan.to.store.clone()).or_default().push(key.clone());
            }
        }
    }
    let mut slots: Vec<Option<TableSpec>> = specs.into_iter().map(Some).collect();
    (order.into_iter().filter_map(|i| slots[i].take()).collect(), cyclic)
}

fn position(specs: &[TableSpec], child: &TableSpec, key: &ForeignKey) -> Option<usize> {
    specs.iter().position(|p| {
        p.plan.to.store == child.plan.to.store
            && p.target.name.name == key.parent.name
            && key.parent.schema.is_none_or_eq(p.target.name.schema.as_ref())
    })
}

#[cfg(test)]
mod tests {
    use dunlin_connect::ColumnType;
    use dunlin_plan::Kind;

    use super::*;
    use crate::spec::Value;

    fn column(protect: Option<Protect>, kind: Option<Kind>) -> Mapped {
        Mapped {
            target: "customer".to_owned(),
            target_index: 0,
            value: Value::Column(0),
            natural: ColumnType::TEXT,
            clear_type: ColumnType::TEXT,
            load_type: ColumnType::TEXT,
            as_text: false,
            nullable: true,
            protect,
            kind,
            from: Some(0),
            run_year: 2026,
        }
    }

    #[test]
    fn two_ends_of_a_reference_have_to_be_hidden_alike() {
        use dunlin_plan::Word;
        let told = |mine: (Option<Protect>, Option<&str>), theirs: (Option<Protect>, Option<&str>)| {
            let of = |(protect, kind): (Option<Protect>, Option<&str>)| {
                column(protect, kind.and_then(Kind::from_word))
            };
            parted(&of(mine), &of(theirs), "people")
        };
        let (format, hash) = (Some(Protect::Format), Some(Protect::Hash));
        let (email, phone) = (Some("email"), Some("phone"));
        assert_eq!(told((None, email), (None, phone)), None);
        assert_eq!(told((hash, email), (hash, phone)), None, "a hash does not depend on the kind");
        assert_eq!(told((format, email), (format, email)), None);
        assert!(told((format, email), (format, phone)).is_some_and(|t| t.contains("kinds differ")));
        assert!(told((format, None), (format, phone)).is_some());
        assert!(told((hash, None), (format, None)).is_some_and(|t| t.contains("`hash`")));
        assert!(told((hash, None), (None, None)).is_some_and(|t| t.contains("not protected")));
    }
}
