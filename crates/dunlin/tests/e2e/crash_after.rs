//! The process dies at each durable step of what a person asks for after a run: fix, release, discard, enrich, finish,
//! undo. Asked for again, it must end as if it had not died: nothing twice, nothing lost.

use std::os::unix::process::ExitStatusExt;

use crate::crash::SIGABRT;
use crate::scene::{Kind, Scene, said};

/// Where something becomes durable in a target of this kind.
fn places(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Sqlite => &["connect::sqlite.commit.before", "connect::sqlite.commit.after"],
        Kind::Postgres => &["connect::postgres.commit.before", "connect::postgres.commit.after"],
        Kind::Csv | Kind::Parquet => &[
            "connect::files.part.after_fsync",
            "connect::files.receipt.before_rename",
            "connect::files.receipt.after_rename",
            "connect::files.join.before_rename",
            "connect::files.join.after_rename",
        ],
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Fix,
    /// A fix again; but when it dies, the next thing that is asked for is a run.
    FixThenRun,
    /// A fix that is done by its death; what is asked for next is whether everything is right.
    FixThenVerify,
    /// The visits of people who were fixed before.
    Release,
    /// Visits of nobody: they come back to quarantine, whatever happens.
    ReleaseOrphans,
    Discard,
    Enrich,
    Finish,
    Undo,
}

impl Act {
    async fn scene(self, kind: Kind) -> Option<Scene> {
        if self == Act::Enrich { Scene::enriched(kind).await } else { Scene::new(kind).await }
    }

    /// What has to be there before. Gives the run.
    async fn prepare(self, scene: &Scene) -> String {
        let output = scene.run().output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let run = crate::scene::json_lines(&output).pop().unwrap()["run"].as_str().unwrap().to_owned();
        if self == Act::Release {
            let fixed = Act::Fix.command(scene, &run).output().unwrap();
            assert!(fixed.status.success(), "{}", said(&fixed));
        }
        run
    }

    /// The group that is decided on; it is asked for again by its name, also when nothing is left of it.
    fn group(self, scene: &Scene) -> String {
        let group = match self {
            Act::Release => scene.group("new.visits", "parent-quarantined"),
            Act::ReleaseOrphans => scene.group("new.visits", "foreign-key"),
            _ => scene.group("new.people", "wrong-type"),
        };
        group.unwrap_or_else(|| "0000000000000000".to_owned())
    }

    fn command(self, scene: &Scene, run: &str) -> std::process::Command {
        match self {
            Act::Undo => scene.command(&["undo", "--run", run]),
            Act::Enrich => scene.command(&["enrich"]),
            Act::Finish => scene.command(&["finish"]),
            Act::Discard => scene.command(&["quarantine", "discard", &self.group(scene)]),
            Act::Release | Act::ReleaseOrphans => {
                scene.command(&["quarantine", "release", &self.group(scene)])
            }
            Act::Fix | Act::FixThenRun | Act::FixThenVerify => {
                scene.command(&["quarantine", "fix", &self.group(scene), "--set", "age = 50"])
            }
        }
    }

    /// Asks for it again. Where it was through already, there is nothing to be said but that no row fits.
    fn again(self, scene: &Scene, run: &str, what: &str) {
        let again = match self {
            Act::FixThenRun => scene.run().output().unwrap(),
            Act::FixThenVerify => scene.command(&["verify"]).output().unwrap(),
            _ => self.command(scene, run).output().unwrap(),
        };
        let nothing_fits = matches!(self, Act::Fix | Act::Release | Act::ReleaseOrphans | Act::Discard)
            && said(&again).contains("no row in quarantine fits");
        assert!(again.status.success() || nothing_fits, "{what}: {}", said(&again));
    }

    async fn must_end_well(self, scene: &Scene, what: &str) {
        match self {
            Act::Undo => {
                scene.must_end_well(what).await;
            }
            Act::Fix => scene.must_verify_with_fixed(what).await,
            Act::FixThenRun => {
                let verify = scene.command(&["verify"]).output().unwrap();
                assert!(verify.status.success(), "{what}: {}", said(&verify));
            }
            Act::FixThenVerify => {
                Act::Fix.again(scene, "", what);
                scene.must_verify_with_fixed(what).await;
            }
            Act::Release => scene.must_verify_with_released(what).await,
            Act::ReleaseOrphans => scene.must_verify_as_loaded(what).await,
            Act::Discard => {
                assert_eq!(scene.group("new.people", "wrong-type"), None, "{what}");
                scene.must_verify_as_loaded(what).await;
            }
            Act::Enrich => scene.must_verify_enriched(what).await,
            Act::Finish => {
                assert!(!scene.has_bookkeeping().await, "{what}");
                scene.must_verify_as_loaded(what).await;
                assert!(!scene.has_bookkeeping().await, "{what}: verify makes none");
            }
        }
    }
}

/// Dies at each of these places, each time it is reached.
async fn dies_at(scene: &Scene, act: Act, points: &[&str]) {
    let mut reached = 0;
    let mut run = act.prepare(scene).await;
    if scene.kind() != Kind::Postgres {
        scene.keep();
    }
    for point in points {
        for at in 1.. {
            if scene.kind() == Kind::Postgres {
                scene.reset().await;
                run = act.prepare(scene).await;
            } else {
                scene.restore();
            }
            let what = format!("{:?} {act:?} {point}@{at}", scene.kind());
            let command = act.command(scene, &run).env("DUNLIN_FAIL", format!("{point}@{at}")).output();
            let output = command.unwrap();
            if output.status.signal() != Some(SIGABRT) {
                assert!(output.status.success(), "{what}: {}", said(&output));
                act.must_end_well(scene, &what).await;
                break;
            }
            reached += 1;
            act.again(scene, &run, &what);
            act.must_end_well(scene, &what).await;
        }
    }
    assert!(reached > 0, "{act:?}: none of {points:?} was reached");
}

async fn dies_everywhere(kind: Kind, act: Act) {
    let Some(scene) = act.scene(kind).await else { return };
    let mut points = places(kind).to_vec();
    match act {
        Act::Finish => points = vec!["move::bookkeeping.before", "move::bookkeeping.after"],
        // In the target there is nothing to be done.
        Act::Discard => points.clear(),
        Act::Undo => points.extend(["move::undo.after_commit", "move::undo.after_drop"]),
        _ => {}
    }
    points.push("store::commit.after");
    dies_at(&scene, act, &points).await;
}

macro_rules! dies {
    ($($name:ident: $kind:ident $act:ident;)*) => {
        $(#[tokio::test]
        async fn $name() {
            dies_everywhere(Kind::$kind, Act::$act).await;
        })*
    };
}

dies! {
    crash_in_fix_sqlite: Sqlite Fix;
    crash_in_fix_csv: Csv Fix;
    crash_in_fix_parquet: Parquet Fix;
    crash_in_fix_postgres: Postgres Fix;
    crash_in_fix_before_a_run: Sqlite FixThenRun;
    crash_in_fix_before_a_run_csv: Csv FixThenRun;
    crash_in_fix_before_verify: Sqlite FixThenVerify;
    crash_in_fix_before_verify_csv: Csv FixThenVerify;
    crash_in_release_sqlite: Sqlite Release;
    crash_in_release_csv: Csv Release;
    crash_in_release_postgres: Postgres Release;
    crash_in_release_of_orphans_sqlite: Sqlite ReleaseOrphans;
    crash_in_release_of_orphans_csv: Csv ReleaseOrphans;
    crash_in_release_of_orphans_postgres: Postgres ReleaseOrphans;
    crash_in_discard_sqlite: Sqlite Discard;
    crash_in_discard_csv: Csv Discard;
    crash_in_discard_postgres: Postgres Discard;
    crash_in_enrich_sqlite: Sqlite Enrich;
    crash_in_enrich_csv: Csv Enrich;
    crash_in_enrich_parquet: Parquet Enrich;
    crash_in_enrich_postgres: Postgres Enrich;
    crash_in_finish_sqlite: Sqlite Finish;
    crash_in_finish_csv: Csv Finish;
    crash_in_finish_postgres: Postgres Finish;
    crash_in_undo_sqlite: Sqlite Undo;
    crash_in_undo_csv: Csv Undo;
    crash_in_undo_parquet: Parquet Undo;
    crash_in_undo_postgres: Postgres Undo;
}

/// Every failpoint of what is done with a finished run is in one of the lists above.
#[test]
fn crash_lists_are_whole() {
    let tried = [
        "move::bookkeeping.before",
        "move::bookkeeping.after",
        "move::undo.after_commit",
        "move::undo.after_drop",
    ];
    assert_eq!(dunlin_move::FAILPOINTS_AFTER, tried);
}
