//! The crash matrix at every named point: after an error there, doing the step again gives the one right result.
//! Failpoints belong to the process, so this runs under `cargo nextest`, which gives each test its own.

use super::targets::{folder, formats, load, people, receipt, rows_of, spec, text_batch};
use super::*;
use crate::Committed;

#[tokio::test]
async fn a_failure_at_any_point_is_mended_by_trying_again() {
    let points: Vec<&str> =
        crate::FAILPOINTS.iter().copied().filter(|p| p.starts_with("connect::files.")).collect();
    assert_eq!(points.len(), 6);
    let scenario = fail::FailScenario::setup();
    for (ending, format) in formats() {
        for point in &points {
            let dir = tempfile::tempdir().unwrap();
            let store = folder(dir.path(), format).await;
            let target = store.target().await.unwrap();
            let table = people();
            target.create(&table).await.unwrap();
            load(&*target, &table, "0", &[&[Some("1"), Some("a")]]).await;

            fail::cfg(*point, "return").unwrap();
            let mut failing = target.begin(spec(&table, "1", true)).await.unwrap();
            failing.write(text_batch(&table, &[&[Some("2"), None]])).await.unwrap();
            let broken = failing.commit(&receipt("1")).await.is_err();
            assert_eq!(broken, !point.contains(".join."), "{point}");
            fail::cfg(*point, "off").unwrap();
            let committed = broken && !point.ends_with("receipt.after_rename");
            let visible = rows_of(&*store).await.len();
            assert_eq!(visible, if committed { 1 } else { 2 }, "{ending} {point}");

            let target = store.target().await.unwrap();
            target.prepare().await.unwrap();
            let again = load(&*target, &table, "1", &[&[Some("2"), None]]).await;
            assert_eq!(again == Committed::New, committed, "{ending} {point}");

            let parts = ["0".to_owned(), "1".into()];
            fail::cfg(*point, "return").unwrap();
            let broken = target.join("r.1", &table, &parts).await.is_err();
            assert_eq!(broken, point.contains(".join."), "{point}");
            fail::cfg(*point, "off").unwrap();
            assert_eq!(rows_of(&*store).await, ["1|a", "2|-"], "{ending} {point}");
            let target = store.target().await.unwrap();
            target.prepare().await.unwrap();
            assert_eq!(rows_of(&*store).await, ["1|a", "2|-"], "{ending} {point}");
            target.join("r.1", &table, &parts).await.unwrap();
            target.finish().await.unwrap();
            assert_eq!(fs_names(dir.path()), [format!("t.{ending}")], "{point}");
        }
    }
    scenario.teardown();
}

fn fs_names(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir.join("out")).unwrap().flatten();
    names.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}
