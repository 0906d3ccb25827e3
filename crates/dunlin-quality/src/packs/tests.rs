//! Every rule of every pack, with its examples; and what the packs say together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::rows::row_rule;
use super::*;
use crate::{Compiler, evaluate_rows, failing_rows};
use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, StringArray, new_null_array};
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema};

/// 2026-11-22.
const NOW_US: i64 = 1_795_305_600_000_000;

fn packs() -> Vec<&'static Pack> {
    FILES.iter().map(|(name, _)| pack(name).unwrap_or_else(|e| panic!("{e}"))).collect()
}

/// One row of an example; a column that it leaves out is NULL.
fn batch(table: &TableFacts, row: &BTreeMap<String, Cell>) -> RecordBatch {
    let (mut fields, mut arrays): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for column in &table.columns {
        let array: ArrayRef = match row.get(&column.name) {
            Some(Cell::Text(text)) if column.ty == "date" => {
                let date: jiff::civil::Date = text.parse().unwrap();
                let days = date.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days();
                Arc::new(Date32Array::from(vec![days]))
            }
            Some(Cell::Text(text)) => Arc::new(StringArray::from(vec![text.as_str()])),
            Some(Cell::Number(number)) => Arc::new(Int64Array::from(vec![*number])),
            Some(Cell::Truth(truth)) => Arc::new(BooleanArray::from(vec![*truth])),
            None => {
                let ty = match column.ty.as_str() {
                    "date" => DataType::Date32,
                    "number" => DataType::Int64,
                    "truth" => DataType::Boolean,
                    _ => DataType::Utf8,
                };
                new_null_array(&ty, 1)
            }
        };
        fields.push(Field::new(&column.name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).unwrap()
}

/// Whether the row of an example breaks its rule.
fn breaks(rule: &PackRule, facts: &Facts, row: &BTreeMap<String, Cell>) -> bool {
    let none = BTreeMap::new();
    let table = &facts.tables[0];
    let seen = RowTable { table, freeze: facts.freeze.as_deref(), otherwise: &none };
    let acts = row_rule(rule, seen).unwrap_or_else(|| panic!("{}: it does not act on its example", rule.id));
    let batch = batch(table, row);
    match acts.condition {
        RowCondition::Native(native) => !native.failing(&batch, NOW_US).is_empty(),
        RowCondition::Sql(sql) => {
            let compiled = Compiler::new(batch.schema(), NOW_US).compile_condition(&sql);
            let compiled = compiled.unwrap_or_else(|e| panic!("{}: {}: {sql}", rule.id, e.message));
            !failing_rows(&evaluate_rows(&compiled, &batch)).is_empty()
        }
    }
}

#[test]
fn every_rule_passes_and_fails_by_its_own_examples() {
    for pack in packs() {
        for rule in &pack.rules {
            for (example, state) in [(&rule.pass, State::Satisfied), (&rule.fail, State::Violated)] {
                let id = &rule.id;
                let mut facts = example.plan.clone();
                facts.today = "2026-11-22".to_owned();
                match &example.row {
                    Some(row) => {
                        assert_eq!(
                            breaks(rule, &facts, row),
                            state == State::Violated,
                            "{id}: the row of {state:?}"
                        );
                    }
                    None => {
                        let wanted = example.state.unwrap_or(state);
                        let outcome = check::outcome(rule, &facts);
                        assert_eq!(outcome.state, wanted, "{id}: {}", outcome.why);
                    }
                }
            }
        }
    }
}

#[test]
fn a_rule_says_everything_that_people_need() {
    let mut ids = BTreeSet::new();
    for pack in packs() {
        assert!(pack.notice.contains("no legal advice"), "{}", pack.pack);
        for rule in &pack.rules {
            assert!(ids.insert(rule.id.clone()), "{} stands twice", rule.id);
            for text in [&rule.title, &rule.checks, &rule.mend, &rule.reference] {
                assert!(text.len() > 8, "{}: `{text}`", rule.id);
            }
            assert!(rule.title.ends_with('.') && rule.mend.ends_with('.'), "{}", rule.id);
            assert!(!rule.level.is_empty(), "{}", rule.id);
        }
    }
    assert_eq!(ids.len(), 83);
}

#[test]
fn an_empty_plan_satisfies_no_rule_about_data_it_does_not_move() {
    for verdict in evaluate(&["gdpr", "pci"], &Facts::default()).unwrap() {
        let about_data = verdict.rule.starts_with("GDPR-09") || verdict.rule == "PCI-3.5.1";
        assert!(
            !about_data || verdict.state == State::NotApplicable,
            "{}: {:?}",
            verdict.rule,
            verdict.state
        );
        assert!(!verdict.why.is_empty(), "{}", verdict.rule);
    }
}

#[test]
fn a_statement_ends_with_its_day_and_reaches_only_its_column() {
    let column = |name: &str| ColumnFacts { name: name.into(), ty: "text".into(), ..Default::default() };
    let table = TableFacts {
        name: "atlas.people".into(),
        columns: vec![column("religion"), column("church")],
        ..Default::default()
    };
    let statement = StatementFacts {
        rule: "GDPR-09-3".into(),
        about: Some("atlas.people.religion".into()),
        ground: Some("d".into()),
        says: "a church's own members".into(),
        by: "ana@example.com".into(),
        until: Some("2026-12-31".into()),
    };
    let mut facts = Facts { today: "2026-11-22".into(), tables: vec![table], ..Default::default() };
    let places = |facts: &Facts| {
        let all = evaluate(&["gdpr"], facts).unwrap();
        let verdict = all.into_iter().find(|v| v.rule == "GDPR-09-3").unwrap();
        (verdict.state, verdict.places)
    };
    facts.statements = vec![statement];
    assert_eq!(places(&facts), (State::Violated, vec!["atlas.people.church".to_owned()]));
    facts.tables[0].columns.pop();
    assert_eq!(places(&facts).0, State::Satisfied);
    facts.today = "2027-01-01".into();
    assert_eq!(places(&facts).0, State::Violated);
    // A letter of Art. 9(2) is asked for, not a sentence alone.
    facts.today = "2026-11-22".into();
    facts.statements[0].ground = None;
    assert_eq!(places(&facts).0, State::Violated);
}

#[test]
fn every_list_has_its_day_and_its_source() {
    for (what, as_of, source) in dated_lists() {
        assert!(as_of.starts_with("20") && as_of.len() == 10, "{what}: {as_of}");
        assert!(source.len() > 20, "{what}");
    }
    assert!(small_zip3("036") && small_zip3("893") && !small_zip3("900"));
}

#[test]
fn what_the_plan_says_of_a_rule_goes_before_the_packs_word() {
    let column = ColumnFacts { name: "note".into(), ty: "text".into(), ..Default::default() };
    let table = TableFacts { name: "t".into(), columns: vec![column], ..Default::default() };
    let acting = |otherwise: &BTreeMap<String, String>| {
        let rules = row_rules(&["pci"], RowTable { table: &table, freeze: None, otherwise }).unwrap();
        rules.into_iter().map(|rule| (rule.id, rule.otherwise)).collect::<Vec<_>>()
    };
    let word = |word: &str| word.to_owned();
    let quarantine = [(word("PCI-3.3.1"), word("quarantine")), (word("PCI-LUHN"), word("quarantine"))];
    assert_eq!(acting(&BTreeMap::new()), quarantine);
    let warned = acting(&BTreeMap::from([(word("PCI-LUHN"), word("warn"))]));
    assert_eq!(warned[1], (word("PCI-LUHN"), word("warn")));
}

#[test]
fn safe_harbor_has_a_way_out_for_each_kind_that_it_lists() {
    let column = |name: &str, kind: Option<&str>, ty: &str, protect: Option<&str>| ColumnFacts {
        name: name.into(),
        kind: kind.map(Into::into),
        ty: ty.into(),
        protect: protect.map(Into::into),
        ..Default::default()
    };
    let way = |c: ColumnFacts| way_out(&c);
    assert_eq!(way(column("who", Some("person_name"), "text", None)), Some("fake"));
    assert_eq!(way(column("zip", Some("postcode"), "text", None)), Some("general"));
    assert_eq!(way(column("admitted", None, "date", None)), Some("general"));
    assert_eq!(way(column("email", Some("email"), "text", None)), Some("remove"));
    // Neither a token made of the number nor a shifted date is allowed.
    assert_eq!(way(column("ssn", Some("us_ssn"), "text", Some("format"))), Some("remove"));
    assert_eq!(way(column("born", Some("birth_date"), "date", Some("shift"))), Some("general"));
    assert_eq!(way(column("note", Some("free_text"), "text", None)), Some("remove"));
    assert_eq!(way(column("mrn", None, "text", None)), Some("remove"));
    assert_eq!(way(column("status", None, "text", None)), None);
    assert_eq!(identifier_rules("us_ssn", ""), ["HIPAA-SH-07"]);
    assert_eq!(identifier_rules("health_code", "us_npi"), ["HIPAA-SH-11"]);
}

fn ending(rule: &str, facts: &Facts) -> State {
    let all = evaluate(&["gdpr", "hipaa", "pci", "sox"], facts).unwrap();
    all.into_iter().find(|verdict| verdict.rule == rule).unwrap().state
}

#[test]
fn a_rule_that_lets_rows_pass_is_not_satisfied() {
    let column = ColumnFacts {
        name: "phone".into(),
        kind: Some("phone".into()),
        stated: true,
        ty: "text".into(),
        ..Default::default()
    };
    let table = TableFacts { name: "t".into(), columns: vec![column], ..Default::default() };
    let mut facts = Facts { tables: vec![table], ..Default::default() };
    let (form, track) = ("GDPR-05c", "PCI-3.3.1");
    assert_eq!(ending(form, &facts), State::Satisfied, "rows that break it wait");
    facts.otherwise = BTreeMap::from([(form.to_owned(), "warn".to_owned())]);
    assert_eq!(ending(form, &facts), State::NeedsPerson);
    let rules = BTreeMap::from([(form.to_owned(), 4)]);
    facts.tables[0].run = Some(TableRun { source: 9, loaded: 9, rules, ..Default::default() });
    assert_eq!(ending(form, &facts), State::Violated, "they were loaded");
    // No plan may wave through what lets no run load.
    assert_eq!(ending(track, &facts), State::Satisfied);
    facts.otherwise.insert(track.to_owned(), "warn".to_owned());
    assert_eq!(ending(track, &facts), State::Violated);
}

#[test]
fn an_approval_counts_only_while_it_holds_and_not_of_who_ran_or_wrote() {
    let approved = |voided| Approved { by: "nadia".into(), entry: 3, voided };
    let run =
        |by: &str, entry| RunFacts { by: by.into(), fingerprint: "ab".into(), entry, ..Default::default() };
    let facts = |voided, runs: Vec<RunFacts>, authors: &[&str]| Facts {
        past: Past {
            fingerprint: "ab".into(),
            approvals: vec![approved(voided)],
            runs,
            authors: authors.iter().map(|a| (*a).to_owned()).collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    let what_ran = |voided| ending("SOX-404-01", &facts(voided, vec![run("ben", 5)], &["ana"]));
    assert_eq!((what_ran(None), what_ran(Some(6))), (State::Satisfied, State::Satisfied));
    assert_eq!(what_ran(Some(4)), State::Violated);
    let apart = |runs, authors: &[&str]| ending("SOX-404-02", &facts(None, runs, authors));
    assert_eq!(apart(vec![run("ben", 5)], &["ana"]), State::Satisfied);
    assert_eq!(apart(vec![run("nadia", 5), run("ben", 6)], &["ana"]), State::Violated, "ran it once");
    assert_eq!(apart(vec![run("ben", 5)], &[]), State::NeedsPerson, "nobody knows who wrote it");
}

#[test]
fn stores_that_rows_are_filled_up_from_and_columns_of_advertising_are_looked_at() {
    let column = |name: &str, kind: Option<&str>| ColumnFacts {
        name: name.into(),
        kind: kind.map(Into::into),
        ty: "text".into(),
        ..Default::default()
    };
    let table = TableFacts {
        name: "t".into(),
        from: "crm".into(),
        to: "atlas".into(),
        enriched_from: vec!["side".into()],
        columns: vec![
            column("card", Some("card_number")),
            column("religion", None),
            column("marketing", None),
        ],
        ..Default::default()
    };
    let store = |name: &str, link| StoreFacts { name: name.into(), link, ..Default::default() };
    let stores = vec![store("crm", Link::Local), store("atlas", Link::Verified), store("side", Link::Clear)];
    let mut facts = Facts { tables: vec![table], stores, ..Default::default() };
    assert_eq!(ending("PCI-4.2.1", &facts), State::Violated);
    facts.stores[2].link = Link::Verified;
    assert_eq!(ending("PCI-4.2.1", &facts), State::Satisfied);
    assert_eq!(ending("GDPR-35", &facts), State::Violated, "a special category by its name");
    assert_eq!(ending("GDPR-07", &facts), State::Violated, "nothing proves the consent");
}
