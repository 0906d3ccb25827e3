//! The index of quarantined rows.

use dunlin_store::{QuarantineFilter, QuarantineRow, QuarantineStatus, shape};

use super::Folders;
use super::runs::started;

fn row(run: &str, n: u32) -> QuarantineRow {
    QuarantineRow {
        run: run.to_owned(),
        table: "crm.customers".to_owned(),
        fragment: "00000".to_owned(),
        row: n,
        reason: if n.is_multiple_of(3) { "cast" } else { "adults only" }.to_owned(),
        column: n.is_multiple_of(3).then(|| "born_on".to_owned()),
        pattern: n.is_multiple_of(3).then(|| "99/99/9999".to_owned()),
        position: Some(u64::from(n) + 2),
        status: QuarantineStatus::Waiting,
    }
}

#[tokio::test]
async fn a_hundred_thousand_rows_are_quick_and_grouped() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let run = started(&workspace).await.id;
    let rows: Vec<_> = (0..100_000).map(|n| row(&run, n)).collect();
    let began = std::time::Instant::now();
    let mut tx = workspace.state().begin().await.unwrap();
    tx.insert_quarantine_rows(&rows).await.unwrap();
    // The same rows again, after a crash: nothing changes.
    tx.insert_quarantine_rows(&rows[..3000]).await.unwrap();
    tx.commit().await.unwrap();
    println!("100,000 rows in {:?}", began.elapsed());
    let groups = workspace.state().quarantine_groups(&QuarantineFilter::default()).await.unwrap();
    let seen: Vec<_> = groups.iter().map(|g| (g.reason.as_str(), g.pattern.as_deref(), g.rows)).collect();
    assert_eq!(seen, [("adults only", None, 66_666), ("cast", Some("99/99/9999"), 33_334)]);
    assert_eq!(groups[1].id, rows[0].group());
    assert_eq!(groups[1].id.len(), 12);
    let all: Vec<u32> = (0..100_000).collect();
    let mut tx = workspace.state().begin().await.unwrap();
    let status = QuarantineStatus::Discarded;
    let done = tx.decide_quarantine_rows(&run, "crm.customers", "00000", &all, status).await.unwrap();
    assert_eq!(done.rows, 100_000);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_decision_takes_the_waiting_rows_of_a_group_once() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let state = workspace.state();
    let run = started(&workspace).await.id;
    let rows: Vec<_> = (0..30).map(|n| row(&run, n)).collect();
    let mut tx = state.begin().await.unwrap();
    tx.insert_quarantine_rows(&rows).await.unwrap();
    let single = tx
        .decide_quarantine_rows(&run, "crm.customers", "00000", &[0, 1, 99], QuarantineStatus::Fixed)
        .await
        .unwrap();
    assert_eq!(single.rows, 2);
    let cast = QuarantineFilter { groups: vec![rows[0].group()], ..QuarantineFilter::default() };
    let group = tx.decide_quarantine(&cast, QuarantineStatus::Discarded).await.unwrap();
    assert_eq!((group.rows, group.root.len()), (9, 64));
    let again = tx.decide_quarantine(&cast, QuarantineStatus::Released).await.unwrap();
    assert_eq!(again.rows, 0, "what was decided stays decided");
    tx.commit().await.unwrap();

    let waiting = QuarantineFilter { status: Some(QuarantineStatus::Waiting), ..QuarantineFilter::default() };
    let left = state.quarantine_rows(&waiting, 100, 0).await.unwrap();
    assert_eq!(left.len(), 19);
    assert_eq!(left[0], rows[2]);
    let page = state.quarantine_rows(&waiting, 5, 17).await.unwrap();
    assert_eq!(page.len(), 2);
    let all = QuarantineFilter { run: Some(run.clone()), ..QuarantineFilter::default() };
    assert_eq!(state.quarantine_rows(&all, 100, 0).await.unwrap().len(), 30);
    let mut tx = state.begin().await.unwrap();
    assert_eq!(tx.remove_quarantine_fragment(&run, "crm.customers", "00000").await.unwrap(), 30);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_value_given_as_a_pattern_is_kept_as_a_shape() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let run = started(&workspace).await.id;
    let careless = QuarantineRow { pattern: Some(super::CANARY.to_owned()), ..row(&run, 0) };
    let mut tx = workspace.state().begin().await.unwrap();
    tx.insert_quarantine_rows(&[careless]).await.unwrap();
    tx.commit().await.unwrap();
    let rows = workspace.state().quarantine_rows(&QuarantineFilter::default(), 1, 0).await.unwrap();
    assert_eq!(rows[0].pattern.as_deref(), Some("AA9-AAAAAA-999999999"));
}

#[test]
fn shapes() {
    for (value, expected) in [
        ("31/02/1979", "99/99/9999"),
        ("Ávila 7ª", "AAAAA 9A"),
        ("a\nb\u{1f600}", "A?A?"),
        ("", ""),
        (&"x".repeat(90), &"A".repeat(60)),
    ] {
        assert_eq!(shape(value), expected);
    }
}
