//! What a user would notice: records of one person come together, others stay apart, whatever the order of the rows.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::compare::LEVELS;
use super::distance::{Sketch, jaro_winkler, soundex, within};
use super::intern::mix;
use super::normal::normal;
use super::{Duplicates, FieldKind, Records, cluster};

const COLUMNS: [(&str, FieldKind); 6] = [
    ("first_name", FieldKind::GivenName),
    ("last_name", FieldKind::FamilyName),
    ("born", FieldKind::Date { day_first: false }),
    ("email", FieldKind::Email),
    ("phone", FieldKind::Phone),
    ("city", FieldKind::Word),
];

/// A key, the person it stands for, and the values.
type Row = (String, usize, Vec<String>);

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 += 1;
        (mix(self.0) % sides as u64) as usize
    }

    fn word(&mut self, syllables: usize) -> String {
        const SYLLABLES: [&str; 16] = [
            "ba", "der", "li", "mo", "ran", "su", "ti", "wen", "ka", "fo", "gu", "hel", "na", "po", "vi",
            "zor",
        ];
        (0..syllables).map(|_| SYLLABLES[self.roll(16)]).collect()
    }

    fn slip(&mut self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        if letters.len() < 4 {
            return text.to_owned();
        }
        let at = self.roll(letters.len() - 1);
        match self.roll(3) {
            0 => letters.swap(at, at + 1),
            1 => drop(letters.remove(at)),
            _ => letters[at] = char::from(b'a' + self.roll(26) as u8),
        }
        letters.into_iter().collect()
    }
}

/// People, some of them several times: with slips, short forms, gaps and names that have changed places.
fn people(persons: usize, seed: u64) -> Vec<Row> {
    const GIVEN: [(&str, &str); 8] = [
        ("William", "Bill"),
        ("Robert", "Bob"),
        ("Elizabeth", "Liz"),
        ("Margaret", "Peggy"),
        ("James", "Jim"),
        ("Katherine", "Kate"),
        ("Richard", "Dick"),
        ("José", "Pepe"),
    ];
    let mut dice = Dice(seed << 32);
    // As many namesakes in a small table as in a large one.
    let syllables = if persons < 500 { 2 } else { 3 };
    let families: Vec<String> = (0..persons / 3).map(|_| dice.word(syllables)).collect();
    let cities: Vec<String> = (0..25).map(|_| dice.word(3)).collect();
    let mut rows = Vec::new();
    for person in 0..persons {
        let (given, short) = GIVEN[dice.roll(8)];
        let family = families[dice.roll(families.len())].clone();
        let born = format!("{}-{:02}-{:02}", 1940 + dice.roll(60), 1 + dice.roll(12), 1 + dice.roll(28));
        let email = format!("{}.{family}{}@mail.example", given.to_lowercase(), dice.roll(100));
        let phone = format!("+34 6{:08}", dice.roll(100_000_000));
        let values = vec![given.to_owned(), family, born, email, phone, cities[dice.roll(25)].clone()];
        for entry in 0..[1, 1, 2, 3][dice.roll(4)] {
            let mut values = values.clone();
            if entry > 0 {
                match dice.roll(4) {
                    0 => values[0] = short.to_owned(),
                    1 => values.swap(0, 1),
                    _ => values[1] = dice.slip(&values[1]),
                }
                let slipped = 2 + dice.roll(4);
                values[slipped] = dice.slip(&values[slipped]);
                values[2 + dice.roll(4)].clear();
            }
            rows.push((format!("k{:05}", rows.len()), person, values));
        }
    }
    rows
}

fn records(rows: &[Row]) -> Records {
    let columns = COLUMNS.map(|(name, kind)| (name.to_owned(), kind));
    let mut records = Records::new(&columns);
    add(&mut records, rows);
    records
}

fn add(records: &mut Records, rows: &[Row]) {
    records.push_keys(rows.iter().enumerate().map(|(at, row)| (row.0.as_str(), at as u64)));
    for at in 0..COLUMNS.len() {
        records.push_values(at, rows.iter().map(|row| Some(row.2[at].as_str())));
    }
}

fn groups(found: &Duplicates) -> BTreeSet<Vec<String>> {
    let keys = |records: &[(u32, f64)]| records.iter().map(|(r, _)| found.key(*r).to_owned()).collect();
    found.groups(0.5).iter().map(|group| keys(&group.records)).collect()
}

/// F1 over pairs.
fn f1(rows: &[Row], groups: &BTreeSet<Vec<String>>) -> f64 {
    let person: HashMap<&str, usize> = rows.iter().map(|row| (row.0.as_str(), row.1)).collect();
    let pairs = |n: usize| n * n.saturating_sub(1) / 2;
    let mut size: HashMap<usize, usize> = HashMap::new();
    rows.iter().for_each(|row| *size.entry(row.1).or_default() += 1);
    let truth: usize = size.into_values().map(pairs).sum();
    let (mut said, mut right) = (0, 0);
    for group in groups {
        let mut of: HashMap<usize, usize> = HashMap::new();
        group.iter().for_each(|key| *of.entry(person[key.as_str()]).or_default() += 1);
        said += pairs(group.len());
        right += of.into_values().map(pairs).sum::<usize>();
    }
    2.0 * right as f64 / (said + truth) as f64
}

#[test]
fn people_with_slips_short_forms_gaps_and_swapped_names_are_found() {
    for seed in [1, 2] {
        let rows = people(350, seed);
        let found = records(&rows).link();
        let score = f1(&rows, &groups(&found));
        assert!(score > 0.97, "F1 {score}");
    }
}

#[test]
fn blocking_loses_little_of_what_comparing_every_pair_finds() {
    // Enough rows that most pairs are never looked at.
    let rows = people(1_400, 3);
    let found = records(&rows).link();
    assert!(found.compared() * 4 < rows.len() * rows.len() / 2, "{} pairs", found.compared());
    let score = f1(&rows, &groups(&found));
    assert!(score > 0.96, "F1 {score}");
}

#[test]
fn the_order_of_the_rows_changes_nothing() {
    let rows = people(250, 4);
    let mut turned = rows.clone();
    turned.reverse();
    turned.rotate_left(rows.len() / 3);
    let (one, other) = (records(&rows).link(), records(&turned).link());
    assert_eq!(groups(&one), groups(&other));
    let weights = |found: &Duplicates| found.weights().iter().map(|w| format!("{w:?}")).collect::<Vec<_>>();
    assert_eq!(weights(&one), weights(&other));
    let pair = |found: &Duplicates| {
        let (a, b) = (found.find("k00001", false).unwrap(), found.find("k00002", false).unwrap());
        found.explain(a, b)
    };
    assert_eq!(pair(&one), pair(&other));
}

#[test]
fn namesakes_with_addresses_made_of_their_names_stay_apart() {
    // Every person alone; their e-mail addresses differ in a number only, as at a large mail provider.
    let mut dice = Dice(9);
    let rows: Vec<Row> = (0..900)
        .map(|at| {
            let (given, family) =
                (["Ana", "Luis", "Eva"][dice.roll(3)], ["Ruiz", "Sanz", "Gil", "Mora"][dice.roll(4)]);
            let born = format!("{}-{:02}-{:02}", 1940 + dice.roll(60), 1 + dice.roll(12), 1 + dice.roll(28));
            let email = format!("{given}.{family}{}@mail.example", 10 + dice.roll(90)).to_lowercase();
            let phone = format!("6{:08}", dice.roll(100_000_000));
            let values = vec![given.into(), family.into(), born, email, phone, dice.word(3)];
            (format!("k{at}"), at, values)
        })
        .collect();
    let mut twice = rows.clone();
    for at in 0..120 {
        let mut values = rows[at * 7].2.clone();
        values[4] = dice.slip(&values[4]);
        values[5] = dice.word(3);
        twice.push((format!("second{at}"), at * 7, values));
    }
    let score = f1(&twice, &groups(&records(&twice).link()));
    assert!(score > 0.95, "F1 {score}");
}

#[test]
fn between_two_sources_each_has_one_partner() {
    let rows = people(500, 5);
    let mut seen = BTreeSet::new();
    let (first, second): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| seen.insert(row.1));
    let mut once = BTreeSet::new();
    let second: Vec<Row> = second.into_iter().filter(|row| once.insert(row.1)).collect();
    let mut both = records(&first);
    both.second_source();
    add(&mut both, &second);
    let found = both.link();
    for group in found.groups(0.5) {
        let sides: Vec<bool> = group.records.iter().map(|(r, _)| found.is_second(*r)).collect();
        assert_eq!(sides, [false, true]);
    }
    let all: Vec<Row> = first.into_iter().chain(second).collect();
    let score = f1(&all, &groups(&found));
    assert!(score > 0.97, "F1 {score}");
}

#[test]
fn a_pair_is_explained_by_what_its_columns_add() {
    let rows = people(250, 6);
    let found = records(&rows).link();
    let group = found.groups(0.5).into_iter().next().unwrap();
    let explained = found.explain(group.records[0].0, group.records[1].0);
    let sum: f64 = explained.columns.iter().map(|c| c.bits + c.rarity).sum();
    assert!((explained.start + sum - explained.bits).abs() < 1e-6);
    assert!(explained.start < 0.0 && explained.columns.len() == COLUMNS.len());
    assert!(explained.columns.iter().any(|c| c.bits > 3.0));
}

#[test]
fn a_column_that_repeats_others_is_counted_once() {
    let rows = people(120, 7);
    let mut columns: Vec<(String, FieldKind)> = COLUMNS.map(|(name, kind)| (name.to_owned(), kind)).into();
    columns.push(("full_name".to_owned(), FieldKind::PersonName));
    let mut records = Records::new(&columns);
    add(&mut records, &rows);
    let full: Vec<String> = rows.iter().map(|row| format!("{} {}", row.2[0], row.2[1])).collect();
    records.push_values(COLUMNS.len(), full.iter().map(|name| Some(name.as_str())));
    let found = records.link();
    let names: Vec<&str> = found.columns().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["born", "email", "phone", "city", "full_name"]);
}

#[test]
fn a_chain_of_likely_pairs_is_cut_where_its_ends_disagree() {
    // 0-1 and 2-3 are sure, 1-2 is likely, all others speak against it.
    let weigh = |a: u32, b: u32| match (a.min(b), a.max(b)) {
        (0, 1) | (2, 3) => 9.0,
        (1, 2) => 2.0,
        _ => -8.0,
    };
    let edge = |a, b| cluster::Edge { a, b, bits: weigh(a, b) as f32 };
    let found = cluster::within(4, &[edge(0, 1), edge(1, 2), edge(2, 3)], 0.0, &weigh);
    let found: Vec<Vec<u32>> = found.into_iter().map(|c| c.records).collect();
    assert_eq!(found, [vec![0, 1], vec![2, 3]]);
}

#[test]
fn thousands_of_equal_rows_are_one_group_and_the_others_are_found_as_before() {
    let rows = people(1_000, 7);
    let alone = groups(&records(&rows).link());
    let mut with = rows.clone();
    let (key, person, values) = rows[0].clone();
    with.extend((0..1_000).map(|n| (format!("{key}-{n:05}"), person, values.clone())));
    let found = groups(&records(&with).link());
    let large: Vec<&Vec<String>> = found.iter().filter(|g| g.len() >= 1_001).collect();
    assert_eq!(large.len(), 1, "the equal rows are one group");
    assert!(large[0].contains(&key));
    let kept = alone.iter().filter(|g| !g.contains(&key) && found.contains(*g)).count();
    assert!(kept * 100 >= (alone.len() - 1) * 97, "{kept} of {} groups are found beside them", alone.len());
}

#[test]
fn nothing_and_one_row_have_no_duplicates() {
    for rows in [&[][..], &people(9, 8)[..1]] {
        let found = records(rows).link();
        assert!(found.groups(0.5).is_empty() && found.review(0.1, &[]).is_empty());
    }
}

#[test]
fn values_written_in_many_ways_have_one_form() {
    let form = |kind, value: &str| {
        let mut out = Vec::new();
        normal(kind, value, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    };
    let day = FieldKind::Date { day_first: true };
    for date in
        ["1970-03-04", "04/03/1970", "4.3.1970", "19700304", "1970-03-04T00:00:00Z", "1970-03-04 12:30"]
    {
        assert_eq!(form(day, date), "19700304", "{date}");
    }
    assert_eq!(form(FieldKind::Date { day_first: false }, "03/04/1970"), "19700304");
    assert_eq!(
        form(FieldKind::FamilyName, "  O’BRIEN-Müller "),
        form(FieldKind::FamilyName, "obrien muller")
    );
    assert_eq!(form(FieldKind::Phone, "+34 600 11-22"), form(FieldKind::Phone, "0034600 1122"));
    assert_eq!(form(FieldKind::Postcode, "KW1 4YN"), form(FieldKind::Postcode, "kw14yn"));
    assert_eq!(form(FieldKind::Email, " Ana@Example.COM"), "ana@example.com");
    assert_eq!(soundex(b"robert"), soundex(b"rupert"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn distances_are_those_of_the_books(a in "[a-e]{0,12}", b in "[a-e]{0,12}") {
        let (x, y) = (a.as_bytes(), b.as_bytes());
        for most in 0..3 {
            prop_assert_eq!(within(x, y, most), strsim::osa_distance(&a, &b) <= most);
        }
        // The oracle's Jaro; Winkler's prefix on top of it, as he published it.
        let jaro = strsim::jaro(&a, &b);
        let prefix = x.iter().zip(y).take(4).take_while(|(x, y)| x == y).count() as f64;
        prop_assert!((jaro_winkler(x, y) - (jaro + prefix * 0.1 * (1.0 - jaro))).abs() < 1e-9);
    }

    #[test]
    fn a_sketch_rules_out_only_what_is_out(a in "[a-z0-9]{1,14}", b in "[a-z0-9]{1,14}") {
        let (x, y) = (Sketch::of(a.as_bytes()), Sketch::of(b.as_bytes()));
        prop_assert!(x.most_similar(y) + 1e-9 >= jaro_winkler(a.as_bytes(), b.as_bytes()));
        for most in 1..3_usize {
            prop_assert!(x.may_be_within(y, most as u32) || !within(a.as_bytes(), b.as_bytes(), most));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn shares_stay_inside_zero_and_one_and_clusters_are_apart(
        table in prop::collection::vec(prop::collection::vec("[a-c]{0,3}|[0-9]{0,8}|[a-b]@[a-b]", 6), 0..40)
    ) {
        let row = |(at, values): (usize, Vec<String>)| (format!("k{at:03}"), at, values);
        let rows: Vec<Row> = table.into_iter().enumerate().map(row).collect();
        let found = records(&rows).link();
        for (m, u) in found.model.m.iter().zip(&found.model.u) {
            for level in 1..LEVELS {
                prop_assert!(m[level] > 0.0 && m[level] < 1.0, "m {}", m[level]);
                prop_assert!(u[level] > 0.0 && u[level] < 1.0, "u {}", u[level]);
            }
        }
        prop_assert!(found.model.prior.is_finite() && found.model.prior < 0.0);
        // An equivalence: each record in one group at most, none alone.
        let mut seen = BTreeSet::new();
        for group in found.groups(0.5) {
            prop_assert!(group.records.len() > 1);
            prop_assert!(group.probability.is_finite());
            for (record, p) in group.records {
                prop_assert!(seen.insert(record));
                prop_assert!((0.0..=1.0).contains(&p));
            }
        }
    }
}
