//! The process dies at each place where something becomes durable; the next run must end as if it had not.

use std::os::unix::process::ExitStatusExt;

use crate::scene::{Kind, Scene, said};

pub const SIGABRT: i32 = 6;

/// Every failpoint of the product.
fn points() -> impl Iterator<Item = &'static str> {
    let below = dunlin_ledger::FAILPOINTS.iter().chain(dunlin_store::FAILPOINTS);
    below.chain(dunlin_connect::FAILPOINTS).chain(dunlin_move::FAILPOINTS).copied()
}

/// The kinds of target at which a place is reached. What knows nothing of targets is tried at one of them.
fn kinds(point: &str) -> &'static [Kind] {
    let below = ["ledger::", "file::", "keys::", "store::integrate"];
    if point.starts_with("connect::sqlite.") || below.iter().any(|b| point.starts_with(b)) {
        &[Kind::Sqlite]
    } else if point.starts_with("connect::postgres.") {
        &[Kind::Postgres]
    } else if point.starts_with("connect::files.") {
        &[Kind::Csv, Kind::Parquet]
    } else {
        // Parquet is written by the same steps as CSV.
        &[Kind::Sqlite, Kind::Csv, Kind::Postgres]
    }
}

/// Places that are reached once a split: tried in the middle of things as well.
fn ordinals(point: &str) -> &'static [u32] {
    let often = ["connect::sqlite.", "connect::postgres.", "connect::files.receipt.", "move::receipt."];
    if often.iter().any(|o| point.starts_with(o)) { &[1, 4] } else { &[1] }
}

/// Dies there in the first run, or in the second: some places are only passed when there is something already.
async fn dies_and_recovers(scene: &Scene, point: &str, at: u32) {
    let what = format!("{:?} {point}@{at}", scene.kind());
    scene.reset().await;
    let died = (0..2).any(|_| {
        let output = scene.run().env("DUNLIN_FAIL", format!("{point}@{at}")).output().unwrap();
        let died = output.status.signal() == Some(SIGABRT);
        assert!(died || output.status.success(), "{what}: {}", said(&output));
        died
    });
    assert!(died, "{what}: the place was not reached");
    scene.must_end_well(&what).await;
}

async fn dies_everywhere(kind: Kind) {
    let Some(scene) = Scene::new(kind).await else { return };
    for point in points().filter(|p| kinds(p).contains(&kind)) {
        for at in ordinals(point) {
            dies_and_recovers(&scene, point, *at).await;
        }
    }
}

#[tokio::test]
async fn crash_sqlite() {
    dies_everywhere(Kind::Sqlite).await;
}

#[tokio::test]
async fn crash_csv() {
    dies_everywhere(Kind::Csv).await;
}

#[tokio::test]
async fn crash_parquet() {
    dies_everywhere(Kind::Parquet).await;
}

#[tokio::test]
async fn crash_postgres() {
    dies_everywhere(Kind::Postgres).await;
}

/// After each single transaction of the state of a whole run.
#[tokio::test]
async fn crash_after_every_state_transaction() {
    let scene = Scene::new(Kind::Sqlite).await.unwrap();
    for at in 2.. {
        scene.reset().await;
        let output = scene.run().env("DUNLIN_FAIL", format!("store::commit.after@{at}")).output().unwrap();
        if output.status.success() {
            assert!(at > 10, "a run has more transactions than {at}");
            return;
        }
        scene.must_end_well(&format!("store::commit.after@{at}")).await;
    }
}

/// A second run, which replaces what has changed and takes over the rest, dies as well.
async fn dies_while_replacing(kind: Kind, commit: &str) {
    let Some(mut scene) = Scene::new(kind).await else { return };
    scene.must_end_well("the first run").await;
    let places = [
        (commit, 1),
        (commit, 3),
        ("move::receipt.before_state", 2),
        ("move::amend.after_commit", 1),
        ("move::finish.before", 1),
    ];
    for (point, at) in places {
        let what = format!("{kind:?} {point}@{at} of a second run");
        scene.change().await;
        let output = scene.run().env("DUNLIN_FAIL", format!("{point}@{at}")).output().unwrap();
        assert_eq!(output.status.signal(), Some(SIGABRT), "{what}: {}", said(&output));
        scene.must_end_well(&what).await;
    }
}

#[tokio::test]
async fn crash_while_replacing_sqlite() {
    dies_while_replacing(Kind::Sqlite, "connect::sqlite.commit.after").await;
}

#[tokio::test]
async fn crash_while_replacing_csv() {
    dies_while_replacing(Kind::Csv, "connect::files.receipt.after_rename").await;
}

#[tokio::test]
async fn crash_while_replacing_postgres() {
    dies_while_replacing(Kind::Postgres, "connect::postgres.commit.after").await;
}

/// While a second run is dead, no person is missing whom both runs know: they are there as they were, or as they are
/// going to be. (Visits are done as a whole: some of them were moved to quarantine after their load.)
async fn replaced_rows_are_never_missing(kind: Kind, commit: &str) {
    let Some(mut scene) = Scene::new(kind).await else { return };
    scene.must_end_well("the first run").await;
    for at in 1..=4 {
        let what = format!("{kind:?} {commit}@{at} of a second run");
        let before = scene.wanted_people();
        scene.change().await;
        let both: Vec<_> = scene.wanted_people().into_iter().filter(|id| before.contains(id)).collect();
        assert!(both.len() > 300, "{what}");
        let output = scene.run().env("DUNLIN_FAIL", format!("{commit}@{at}")).output().unwrap();
        assert_eq!(output.status.signal(), Some(SIGABRT), "{what}: {}", said(&output));
        let there = scene.people().await;
        let missing: Vec<_> = both.iter().filter(|id| !there.contains(*id)).take(5).collect();
        assert!(missing.is_empty(), "{what}: missing {missing:?}");
        scene.must_end_well(&what).await;
    }
}

#[tokio::test]
async fn crash_while_replacing_leaves_no_gap_sqlite() {
    replaced_rows_are_never_missing(Kind::Sqlite, "connect::sqlite.commit.after").await;
}

#[tokio::test]
async fn crash_while_replacing_leaves_no_gap_postgres() {
    replaced_rows_are_never_missing(Kind::Postgres, "connect::postgres.commit.after").await;
}

/// A step that fails instead of dying: the run says so without a panic, and the next one goes on.
#[tokio::test]
async fn crash_as_an_error() {
    let scene = Scene::new(Kind::Sqlite).await.unwrap();
    for point in points().filter(|p| kinds(p).contains(&Kind::Sqlite)) {
        scene.reset().await;
        let output = scene.run().env("FAILPOINTS", format!("{point}=1*return")).output().unwrap();
        assert!(output.status.code().is_some_and(|c| c <= 3), "{point}: {}", said(&output));
        assert!(!said(&output).contains("a defect at"), "{point}: {}", said(&output));
        scene.must_end_well(&format!("{point} as an error")).await;
    }
}
