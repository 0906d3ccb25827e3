//! `kill -9` at any moment, again and again: a run that was killed goes on, and ends as if it had not been.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::scene::{Kind, Scene};

/// Kills `times` runs, each once or twice, at moments between its beginning and the end of an undisturbed one.
async fn killed(kind: Kind, times: u64) {
    let Some(mut scene) = Scene::new(kind).await else { return };
    let begun = Instant::now();
    scene.must_end_well("undisturbed").await;
    // Reading the target and asking the ledger are part of it, so this is longer than the run: some kills come late.
    let whole = begun.elapsed();
    for seed in 0..times {
        let mut chance = StdRng::seed_from_u64(seed);
        // In turn a first run, and one that replaces what has changed since.
        match seed % 2 {
            0 => scene.reset().await,
            _ => scene.change().await,
        }
        let mut moments = Vec::new();
        for _ in 0..chance.random_range(1..=3) {
            let after = whole.mul_f64(chance.random_range(0.0..0.9));
            let mut child = scene
                .run()
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(after);
            // SIGKILL; a run that is through already is as good.
            let _ = child.kill();
            child.wait().unwrap();
            moments.push(after);
        }
        scene.must_end_well(&format!("{kind:?} seed {seed}, killed after {moments:?} of {whole:?}")).await;
    }
}

/// How often `make soak` wants each kind killed.
fn wanted() -> u64 {
    std::env::var("DUNLIN_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(50)
}

#[tokio::test]
async fn killed_sqlite() {
    killed(Kind::Sqlite, 10).await;
}

#[tokio::test]
async fn killed_csv() {
    killed(Kind::Csv, 10).await;
}

#[tokio::test]
async fn killed_parquet() {
    killed(Kind::Parquet, 10).await;
}

#[tokio::test]
async fn killed_postgres() {
    killed(Kind::Postgres, 10).await;
}

#[tokio::test]
#[ignore = "many minutes: make soak"]
async fn soak() {
    let end = Instant::now() + Duration::from_secs(2200);
    for kind in crate::scene::KINDS {
        let begun = Instant::now();
        killed(kind, wanted()).await;
        eprintln!("{kind:?}: killed {} times, {:?}", wanted(), begun.elapsed());
        assert!(Instant::now() < end, "the soak takes longer than `make soak` gives it");
    }
}
