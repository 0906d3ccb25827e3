//! Processes that die at a step of an erasure, or while a request is taken in.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use serde_json::Value;

use super::{KEY, Scene};
use crate::crash::SIGABRT;

/// The process dies at a step of an erasure; asked again, it ends the same.
fn dies_and_goes_on(scene: &Scene, id: &str, point: &str) {
    let carry = ["request", "carry-out", id, "--format", "json"];
    let died = scene.command(&carry).env("DUNLIN_FAIL", point).output().unwrap();
    assert_eq!(died.status.signal(), Some(SIGABRT), "{point} was not reached: {died:?}");
    let again = scene.carry_out(id);
    // What died after its last step is through.
    assert!(again.code == 0 || (again.code == 2 && again.out.contains("done already")), "{point}: {again:?}");
    scene.target_without(point);
    scene.no_file_has_it(&[], point);
    let verified = scene.verified();
    assert_eq!(verified.table("new.item")["erased"], 4, "{point}");
    assert_eq!(verified.table("new.visit")["quarantined"], 4, "{point}");
    scene.moved();
    scene.target_without(point);
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, to).unwrap();
        }
    }
}

/// Dies at each of these places, each time in the workspace as it was before.
fn dies_everywhere(points: &[&str]) {
    let scene = Scene::sqlite().with_source_erased();
    scene.moved();
    let id = scene.asked("erasure", &[]);
    let kept = tempfile::tempdir().unwrap();
    copy(scene.site.folder(), kept.path());
    for point in points {
        for place in ["work", "keys"] {
            std::fs::remove_dir_all(scene.site.folder().join(place)).unwrap();
            copy(&kept.path().join(place), &scene.site.folder().join(place));
        }
        dies_and_goes_on(&scene, &id, point);
    }
}

/// Every place of an erasure; where a request is taken in has a test of its own.
fn places() -> Vec<&'static str> {
    dunlin_move::FAILPOINTS_SUBJECT.iter().copied().filter(|p| *p != "move::subject.sealed").collect()
}

#[test]
fn crash_in_erasure_sqlite() {
    dies_everywhere(&places()[..places().len() / 2]);
}

#[test]
fn crash_late_in_erasure_sqlite() {
    dies_everywhere(&places()[places().len() / 2..]);
}

#[test]
fn crash_in_the_middle_of_erasure_sqlite() {
    dies_everywhere(&[
        "connect::sqlite.commit.before@2",
        "connect::sqlite.commit.after@3",
        "fragment::rename.after",
        "move::subject.before_commit@4",
        "move::subject.after_commit@2",
        "move::subject.source@3",
    ]);
}

#[test]
fn crash_in_erasure_postgres() {
    let points = [
        "move::subject.marked",
        "move::subject.before_commit@2",
        "move::subject.after_commit@3",
        "connect::postgres.commit.after@2",
        "move::subject.source@2",
        "move::subject.compacted",
        "move::subject.verified",
    ];
    for (n, point) in points.into_iter().enumerate() {
        let Some(scene) = Scene::postgres(&format!("subjects_dies_{n}")) else { return };
        let scene = scene.with_source_erased();
        scene.moved();
        let id = scene.asked("erasure", &[]);
        dies_and_goes_on(&scene, &id, point);
    }
}

/// A request whose process died while it was taken in is no request, and what it had sealed names nobody in the clear.
#[test]
fn crash_while_a_request_is_taken_in() {
    let scene = Scene::sqlite();
    let open = ["request", "open", "--kind", "erasure", "--subject", KEY];
    let died = scene.command(&open).env("DUNLIN_FAIL", "move::subject.sealed").output().unwrap();
    assert_eq!(died.status.signal(), Some(SIGABRT));
    assert_eq!(scene.dunlin(&["request", "list", "--format", "json"]).expect(0).json(), Vec::<Value>::new());
    scene.asked("erasure", &[]);
    let sealed = std::fs::read_dir(scene.site.path(".dunlin/subjects")).unwrap().count();
    assert_eq!(sealed, 1, "what was left over is gone");
}
