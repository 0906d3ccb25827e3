//! Who survives does not depend on the order of rows, and the plan's words are understood or told.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt32Array};
use dunlin_connect::ColumnType;
use dunlin_store::{DuplicatePair, Folded};
use proptest::prelude::*;

use super::crosswalk::hash_of;
use super::find::{Cluster, Looked, lines, pair_id};
use super::rows::pick;
use super::survivor::{Candidates, Survivor, words};
use crate::spec::{Mapped, Mapping, Value};

fn mapping() -> Mapping {
    let source = source(&[(0, None, None, "")]);
    let mapped = mapped(&[(0, None, None, "")]);
    let column = |name: &str, ty: ColumnType, from: usize| Mapped {
        target: name.to_owned(),
        target_index: from,
        value: Value::Column(from),
        natural: ty.clone(),
        clear_type: ty.clone(),
        load_type: ty,
        as_text: false,
        nullable: true,
        protect: None,
        kind: None,
        from: Some(from),
        run_year: 2026,
    };
    Mapping {
        read_schema: source.schema(),
        input_schema: source.schema(),
        input_types: vec![ColumnType::Int64, ColumnType::TEXT, ColumnType::Int64, ColumnType::TEXT],
        target_schema: mapped.schema(),
        keep: None,
        retain: None,
        columns: vec![column("id", ColumnType::Int64, 0), column("name", ColumnType::TEXT, 1)],
        subject: None,
        hops: Vec::new(),
    }
}

/// Id, name, when it was changed, which system it is from.
type Row = (i64, Option<String>, Option<i64>, &'static str);

fn source(rows: &[Row]) -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(rows.iter().map(|r| r.0).collect::<Int64Array>())),
        ("name", Arc::new(rows.iter().map(|r| r.1.clone()).collect::<StringArray>())),
        ("changed", Arc::new(rows.iter().map(|r| r.2).collect::<Int64Array>())),
        ("system", Arc::new(rows.iter().map(|r| Some(r.3)).collect::<StringArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).expect("source")
}

fn mapped(rows: &[Row]) -> RecordBatch {
    let source = source(rows);
    source.project(&[0, 1]).expect("mapped")
}

/// The survivor's id, and the id of the row that its name comes from.
fn settled(words: &str, rows: &[Row], order: &[u32]) -> (i64, i64) {
    let mapping = mapping();
    let rules = Survivor::of(words, &mapping, &[0]).expect("words");
    let order = UInt32Array::from(order.to_vec());
    let (source, mapped) =
        (pick(&source(rows), &order).expect("rows"), pick(&mapped(rows), &order).expect("rows"));
    let ids: Vec<i64> = order.values().iter().map(|at| rows[*at as usize].0).collect();
    let keys: Vec<String> = ids.iter().map(i64::to_string).collect();
    let candidates = Candidates::new(&rules, &mapping.columns, &source, &mapped, &keys).expect("candidates");
    let members: Vec<usize> = (0..rows.len()).collect();
    let survivor = candidates.survivor(&members).expect("a row");
    let name = candidates.sources(&members, survivor).first().map_or(survivor, |(_, from)| *from);
    (ids[survivor], ids[name])
}

fn rows() -> Vec<Row> {
    let name = |n: &str| Some(n.to_owned());
    vec![
        (7, name("Ana"), Some(2020), "shop"),
        (12, None, Some(2024), "web"),
        (3, name("Ana Ruiz"), None, "old"),
    ]
}

#[test]
fn each_rule_picks_the_row_that_it_names() {
    let told = |words: &str| settled(words, &rows(), &[0, 1, 2]);
    assert_eq!(told("latest changed"), (12, 12));
    assert_eq!(told("earliest changed"), (7, 7));
    // Both have a name; the lower key, as a number.
    assert_eq!(told(""), (3, 3));
    assert_eq!(told("trusted system in web, shop"), (12, 12));
    assert_eq!(told("latest changed; name: longest"), (12, 3));
    assert_eq!(told("latest changed; name: filled"), (12, 7));
    assert_eq!(told("latest changed; *: trusted system in old"), (12, 3));
}

#[test]
fn words_that_are_not_understood_are_told() {
    for wrong in ["newest", "latest", "longest", "latest a; earliest b", "name: newest", "trusted system"] {
        let told = words(wrong).expect_err(wrong);
        assert!(!told.help.is_empty());
    }
    let told = |words: &str| Survivor::of(words, &mapping(), &[0]).expect_err(words);
    assert_eq!(told("latest chnged").help, "did you mean `changed`?");
    assert_eq!(told("nme: longest").help, "did you mean `name`?");
    assert!(told("id: longest").message.contains("key column"), "a survivor keeps its key");
}

#[test]
fn lines_of_match_are_columns_joined_by_plus() {
    let told = lines(&["email".to_owned(), "full_name + \"born on\"".to_owned()]);
    assert_eq!(told, [vec!["email"], vec!["full_name", "born on"]]);
}

#[test]
fn a_pair_is_called_the_same_from_both_sides() {
    assert_eq!(pair_id([1; 16], [2; 16]), pair_id([2; 16], [1; 16]));
    assert_ne!(pair_id([1; 16], [2; 16]), pair_id([1; 16], [3; 16]));
}

#[test]
fn the_hash_of_a_crosswalk_binds_what_survivors_take_over() {
    let folded = [Folded { loser: [1; 16], survivor: [2; 16], probability: 0.9 }];
    let settled = |row| BTreeMap::from([([2; 16], [row; 16])]);
    let (plain, one, other) =
        (hash_of(&folded, &BTreeMap::new()), hash_of(&folded, &settled(3)), hash_of(&folded, &settled(4)));
    assert_ne!(plain, one);
    assert_ne!(one, other, "a loser's value has changed");
    assert_eq!(one, hash_of(&folded, &settled(3)));
    assert_ne!(one, hash_of(&[], &settled(3)));
}

#[test]
fn an_erased_row_is_nobodys_duplicate_unless_all_of_them_are() {
    let cluster =
        |members: &[u8]| Cluster { members: members.iter().map(|n| [*n; 16]).collect(), probability: 0.99 };
    let pair = |one: u8, other: u8| DuplicatePair {
        pair: pair_id([one; 16], [other; 16]),
        rows: ([one; 16], [other; 16]),
        probability: 0.9,
        evidence: Vec::new(),
    };
    let mut looked = Looked {
        clusters: vec![cluster(&[1, 2, 3]), cluster(&[4, 5]), cluster(&[6, 7]), cluster(&[8, 9])],
        pairs: vec![pair(2, 20), pair(1, 20), pair(21, 7)],
    };
    looked.without(&[2, 4, 6, 7].map(|n| [n; 16]).into_iter().collect());
    let left: Vec<Vec<u8>> =
        looked.clusters.iter().map(|c| c.members.iter().map(|name| name[0]).collect()).collect();
    assert_eq!(left, [vec![1, 3], vec![6, 7], vec![8, 9]]);
    assert_eq!(looked.pairs, [pair(1, 20)]);
}

fn some_rows() -> impl Strategy<Value = Vec<Row>> {
    let system = prop::sample::select(vec!["web", "shop", "old"]);
    let row = (prop::option::of("[a-c]{0,3}"), prop::option::of(0i64..4), system);
    prop::collection::vec(row, 1..8).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(id, (name, changed, system))| (id as i64, name, changed, system))
            .collect()
    })
}

proptest! {
    #[test]
    fn who_survives_does_not_depend_on_the_order_of_rows(
        (rows, order) in some_rows().prop_flat_map(|rows| {
            let order: Vec<u32> = (0..rows.len() as u32).collect();
            (Just(rows), Just(order).prop_shuffle())
        }),
        words in prop::sample::select(vec![
            "", "latest changed", "earliest changed; name: longest", "most complete; *: filled",
            "trusted system in web, old; name: latest changed",
        ]),
    ) {
        let straight: Vec<u32> = (0..rows.len() as u32).collect();
        prop_assert_eq!(settled(words, &rows, &straight), settled(words, &rows, &order));
    }
}
