use std::sync::Arc;

use arrow::array::{BinaryArray, Int64Array, RecordBatch, StringArray};
use dunlin_connect::{BadRow, Reason, TableName};
use insta::assert_snapshot;

use super::*;

fn column(name: &str, ty: ColumnType) -> dunlin_connect::Column {
    dunlin_connect::Column::new(name, ty)
}

fn table() -> Table {
    let columns = vec![
        column("id", ColumnType::Int64),
        column("email", ColumnType::TEXT),
        column("dob", ColumnType::TEXT),
        column("status", ColumnType::TEXT),
        column("photo", ColumnType::Binary),
    ];
    Table::new(TableName::bare("customers"), columns)
}

fn batch(from: i64) -> ReadBatch {
    let rows = 120usize;
    let email = |n: usize| match n {
        0 => None,
        1 => Some("n/a".to_owned()),
        2 => Some("canary@@broken".to_owned()),
        3 => Some(" canary3@example.com".to_owned()),
        n => Some(format!("canary{}@example.com", n as i64 + from)),
    };
    let dob = |n: usize| match n {
        0 => Some("31/02/1990".to_owned()),
        1 => Some("1900-01-01".to_owned()),
        2 => Some(String::new()),
        n => Some(format!("{:02}/01/1980", n % 28 + 1)),
    };
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(from..from + rows as i64)),
        Arc::new((0..rows).map(email).collect::<StringArray>()),
        Arc::new((0..rows).map(dob).collect::<StringArray>()),
        Arc::new(StringArray::from_iter_values((0..rows).map(|_| "active"))),
        Arc::new(BinaryArray::from_iter_values((0..rows).map(|n| [n as u8, 1]))),
    ];
    let bad = BadRow {
        position: 7,
        byte: None,
        reason: Reason::WrongType,
        column: Some(0),
        fields: vec![Some(b"canary".to_vec())],
    };
    let schema = table().arrow_schema();
    ReadBatch {
        rows: RecordBatch::try_new(schema, arrays).unwrap(),
        positions: (0..rows as u64).collect(),
        bad: vec![bad],
    }
}

fn profiles() -> Vec<ColumnProfile> {
    let mut profiler = Profiler::new(&table());
    for round in 0..10 {
        profiler.push(&batch(round * 1_000));
    }
    assert_eq!(profiler.bad_rows().get("wrong-type"), Some(&10));
    opened(profiler)
}

/// A log that takes everything.
struct Any;

#[async_trait::async_trait]
impl AccessLog for Any {
    async fn keep_text(&self, _: &str) -> Result<String, dunlin_gate::LogFailed> {
        Ok(String::new())
    }

    async fn enter(
        &self,
        _: &dunlin_ledger::Actor,
        _: dunlin_ledger::Body,
    ) -> Result<(), dunlin_gate::LogFailed> {
        Ok(())
    }
}

/// Through the gate, masked.
fn opened(profiler: Profiler) -> Vec<ColumnProfile> {
    let ask = Ask::masked(dunlin_ledger::Actor::System);
    let profile = profiler.finish("it");
    let opened = futures::executor::block_on(profile.open(&dunlin_gate::MaskedOnly, &Any, ask, "a1"));
    opened.map(|(columns, _)| columns).unwrap_or_else(|refused| panic!("{refused}"))
}

fn json(profile: &ColumnProfile) -> String {
    serde_json::to_string_pretty(profile).unwrap()
}

#[test]
fn a_dirty_column_of_addresses() {
    assert_snapshot!(json(&profiles()[1]), @r#"{
  "table": "customers",
  "column": "email",
  "type": "text",
  "rows": 1210,
  "nulls": 10,
  "unknowns": 10,
  "distinct": 1164,
  "min": " •••@e•••.com",
  "max": "c•••@b•••",
  "length": {
    "min": 3,
    "mean": 21.6,
    "max": 22
  },
  "top": [
    {
      "text": " •••@e•••.com",
      "rows": 10
    },
    {
      "text": "c•••@b•••",
      "rows": 10
    },
    {
      "text": "n•••",
      "rows": 10
    }
  ],
  "patterns": [
    {
      "text": "AAAAAA9999@AAAAAAA.AAA",
      "rows": 1044
    },
    {
      "text": "AAAAAA99@AAAAAAA.AAA",
      "rows": 90
    },
    {
      "text": "AAAAAA999@AAAAAAA.AAA",
      "rows": 20
    },
    {
      "text": " AAAAAA9@AAAAAAA.AAA",
      "rows": 10
    },
    {
      "text": "A/A",
      "rows": 10
    }
  ],
  "kind": "email",
  "class": "personal",
  "confidence": 0.99,
  "evidence": [
    "the name says `email`",
    "199 of 200 sampled values agree",
    "199 of 200 sampled values have the form of `email`"
  ],
  "findings": [
    {
      "code": "white-space",
      "rows": 10,
      "message": "10 values begin or end with white space"
    },
    {
      "code": "invalid-email",
      "rows": 10,
      "message": "10 values do not have the form of `email`"
    },
    {
      "code": "sentinel",
      "rows": 10,
      "message": "10 values stand for \"unknown\""
    }
  ]
}"#);
}

#[test]
fn dates_constants_and_bytes() {
    let profiles = profiles();
    let brief = |p: &ColumnProfile| {
        let codes: Vec<String> = p.findings.iter().map(|f| format!("{} {}", f.code, f.rows)).collect();
        let top = p.top.first().map(|t| format!("{} {}", t.text, t.rows));
        format!("{} {:?} {} unknown, top {top:?}, {}", p.column, p.kind, p.unknowns, codes.join(", "))
    };
    assert_snapshot!(brief(&profiles[0]), @"id None 0 unknown, top None,");
    assert_snapshot!(brief(&profiles[2]), @r#"dob Some("birth_date") 20 unknown, top Some("1980 50"), impossible-date 10, sentinel 10"#);
    assert_snapshot!(brief(&profiles[3]), @r#"status None 0 unknown, top Some("a••• 1200"), near-constant 1200"#);
    assert_snapshot!(brief(&profiles[4]), @"photo None 0 unknown, top None,");
    assert_eq!(profiles[0].bad.get("wrong-type"), Some(&10));
}

#[test]
fn nothing_that_leaves_shows_a_value() {
    let all: String = profiles().iter().map(json).collect();
    assert!(!all.contains("canary") && !all.contains("31/02"));
}

#[test]
fn before_the_gate_there_is_no_value_at_all() {
    let mut profiler = Profiler::new(&table());
    profiler.push(&batch(0));
    for column in profiler.finish("it").columns {
        assert_eq!((column.min, column.max), (None, None));
        assert!(column.top.iter().all(|top| top.text.is_empty()), "{}", column.column);
    }
}

#[test]
fn an_empty_table_has_a_profile() {
    let profiles = opened(Profiler::new(&table()));
    assert_eq!(profiles.len(), 5);
    assert_eq!(profiles[1].kind.as_deref(), Some("email"));
}

#[test]
fn parts_together_say_what_one_pass_says() {
    let mut whole = Profiler::new(&table());
    (0..12).for_each(|round| whole.push(&batch(round * 1_000)));
    let mut first = Profiler::new(&table());
    (0..9).for_each(|round| first.push(&batch(round * 1_000)));
    // The kinds are told by now, and go along.
    let mut second = first.beside();
    (9..12).for_each(|round| second.push(&batch(round * 1_000)));
    first.merge(second);
    for (one, two) in opened(whole).iter().zip(&opened(first)) {
        assert_eq!(
            (one.rows, one.nulls, one.unknowns, one.distinct, &one.min, &one.max, one.length),
            (two.rows, two.nulls, two.unknowns, two.distinct, &two.min, &two.max, two.length)
        );
        assert_eq!(
            (&one.findings, &one.kind, &one.bad),
            (&two.findings, &two.kind, &two.bad),
            "{}",
            one.column
        );
    }
}

#[test]
fn numbers_of_nobody_are_described_and_rounded() {
    let profiles = profiles();
    let numbers = profiles[0].numbers.as_ref().unwrap();
    assert_eq!(numbers.histogram.len(), 20);
    let middle = numbers.quantiles.iter().find(|q| q.at == 0.5).unwrap();
    assert!(middle.value.ends_with('0'), "{}", middle.value);
    // Days of birth are a person's, and so are not.
    assert_eq!(profiles[2].numbers, None);
}
