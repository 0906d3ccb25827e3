//! Loading: refused rows, receipts, repeated commits.

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use dunlin_connect::{Committed, ConnectError, Reason};

use super::*;

fn people(ids: &[i32], emails: &[Option<String>]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new(Int32Array::from(ids.to_vec())) as ArrayRef, true),
        ("email", Arc::new(StringArray::from(emails.to_vec())) as ArrayRef, true),
    ])
    .unwrap()
}

const PEOPLE: &str = "CREATE TABLE team (id int PRIMARY KEY); INSERT INTO team VALUES (1);
    CREATE TABLE people (id int PRIMARY KEY CHECK (id >= 0), email varchar(20) NOT NULL UNIQUE)";

#[tokio::test]
async fn refused_rows_are_found_and_the_others_stay() {
    let Some(scene) = scene("refused", PEOPLE).await else { return };
    let table = scene.table("people").await;
    let target = scene.target().await;
    let spec = spec(&table, "0");
    let mut load = target.begin(spec.clone()).await.unwrap();
    let mut ids: Vec<i32> = (0..20_000).collect();
    let mut emails: Vec<_> = ids.iter().map(|i| Some(format!("p{i}@x"))).collect();
    ids[7_000] = -7;
    emails[9] = None;
    emails[10] = Some("nul\0byte".into());
    emails[11] = Some("longer than twenty characters".into());
    emails[12_345] = Some("p1@x".into());
    ids[19_999] = 5;
    for start in (0..20_000).step_by(5_000) {
        load.write(people(&ids[start..start + 5_000], &emails[start..start + 5_000])).await.unwrap();
    }
    let refused = load.settle().await.unwrap();
    let seen: Vec<_> =
        refused.iter().map(|r| (r.ordinal, r.reason, r.column.as_deref(), r.constraint.as_deref())).collect();
    assert_eq!(
        seen,
        [
            (9, Reason::NotNull, Some("email"), None),
            (10, Reason::NulByte, Some("email"), None),
            (11, Reason::WouldChange, Some("email"), None),
            (7_000, Reason::Check, None, Some("people_id_check")),
            (12_345, Reason::Unique, None, Some("people_email_key")),
            (19_999, Reason::Unique, None, Some("people_pkey")),
        ]
    );
    // A later chunk of the same load is settled on its own.
    load.write(people(&[50_000, 50_001], &[Some("late@x".into()), None])).await.unwrap();
    let later = load.settle().await.unwrap();
    assert_eq!(later.iter().map(|r| r.ordinal).collect::<Vec<_>>(), [20_001]);
    assert_eq!(load.commit(&receipt(&spec, "{}")).await.unwrap(), Committed::New);
    assert_eq!(scene.number("SELECT count(*) FROM people").await, 20_000 - 6 + 1);
}

#[tokio::test]
async fn a_chunk_of_mostly_bad_rows_ends() {
    let Some(scene) = scene("mostly_bad", PEOPLE).await else { return };
    let table = scene.table("people").await;
    let target = scene.target().await;
    let mut load = target.begin(spec(&table, "0")).await.unwrap();
    let ids: Vec<i32> = (0..600).map(|i| if i % 3 == 0 { i } else { -1 }).collect();
    let emails: Vec<_> = (0..600).map(|i| Some(format!("p{i}@x"))).collect();
    load.write(people(&ids, &emails)).await.unwrap();
    assert_eq!(load.settle().await.unwrap().len(), 400);
    load.abort().await.unwrap();
    assert_eq!(scene.number("SELECT count(*) FROM people").await, 0);
}

#[tokio::test]
async fn lost_references_are_refused_by_row() {
    let setup = "CREATE TABLE team (id int PRIMARY KEY); INSERT INTO team SELECT generate_series(0, 9);
        CREATE TABLE people (id int REFERENCES team DEFERRABLE INITIALLY DEFERRED, email text)";
    let Some(scene) = scene("references", setup).await else { return };
    let table = scene.table("people").await;
    let target = scene.target().await;
    let spec = spec(&table, "0");
    let mut load = target.begin(spec.clone()).await.unwrap();
    let ids: Vec<i32> = (0..1_000).map(|i| if i == 137 || i == 900 { 10 } else { i % 10 }).collect();
    load.write(people(&ids, &vec![None; 1_000])).await.unwrap();
    let refused = load.settle().await.unwrap();
    let seen: Vec<_> = refused.iter().map(|r| (r.ordinal, r.reason)).collect();
    assert_eq!(seen, [(137, Reason::ForeignKey), (900, Reason::ForeignKey)]);
    load.commit(&receipt(&spec, "{}")).await.unwrap();
    assert_eq!(scene.number("SELECT count(*) FROM people").await, 998);
}

#[tokio::test]
async fn a_part_is_committed_once() {
    let Some(scene) = scene("receipts", "CREATE TABLE people (id int, email text)").await else { return };
    let table = scene.table("people").await;
    let target = scene.target().await;
    let spec = spec(&table, "7");
    assert!(target.receipts("run1").await.unwrap().is_empty());
    let mut outcomes = Vec::new();
    for body in ["{\"rows\":1}", "{\"rows\":1}", "{\"rows\":2}"] {
        let mut load = target.begin(spec.clone()).await.unwrap();
        load.write(people(&[1], &[None])).await.unwrap();
        assert!(load.settle().await.unwrap().is_empty());
        outcomes.push(load.commit(&receipt(&spec, body)).await);
    }
    assert!(matches!(outcomes[0], Ok(Committed::New)));
    assert!(matches!(&outcomes[1], Ok(Committed::Already(r)) if r.body == "{\"rows\":1}"));
    assert!(matches!(outcomes[2], Err(ConnectError::ReceiptDiffers { .. })));
    assert_eq!(scene.number("SELECT count(*) FROM people").await, 1);
    let receipts = target.receipts("run1").await.unwrap();
    assert_eq!(receipts.iter().map(|r| r.part.as_str()).collect::<Vec<_>>(), ["7"]);
}

#[tokio::test]
async fn errors_carry_no_values() {
    let Some(scene) = scene("canary", "CREATE TABLE people (id int, email text)").await else { return };
    let table = scene.table("people").await;
    let target = scene.target().await;
    // The table's owner adds a rule of their own that quotes the row.
    let rule = "CREATE FUNCTION quote() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.email = 'canary' THEN RAISE EXCEPTION 'no %', NEW.email; END IF; RETURN NEW; END $$";
    scene.sql.batch_execute(rule).await.unwrap();
    let trigger = "CREATE TRIGGER q BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION quote()";
    scene.sql.batch_execute(trigger).await.unwrap();
    let mut load = target.begin(spec(&table, "0")).await.unwrap();
    load.write(people(&[1, 2], &[Some("canary".into()), Some("fine".into())])).await.unwrap();
    let refused = load.settle().await.unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].ordinal, refused[0].reason), (0, Reason::Refused));
    assert!(!format!("{refused:?}").contains("canary"));
}
