//! Deletions at random moments, for `make soak`.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::Scene;

/// A command that nobody listens to, killed (`kill -9`) after a while where it is to be; whether it was.
fn let_live(mut command: Command, after: Option<Duration>) -> bool {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let Some(after) = after else { return !child.wait().unwrap().success() };
    std::thread::sleep(after);
    let _ = child.kill();
    child.wait().unwrap().signal().is_some()
}

/// A deletion at random moments: in turn before a run, while it goes on, and after it. What carries it out is killed
/// half of the time, up to three times in a row, and so is sometimes the run. In the end the customer is found nowhere.
fn at_random_moments(scene: impl Fn(&str) -> Option<Scene>, times: u64) {
    let begun = Instant::now();
    let Some(first) = scene("subjects_soak") else { return };
    first.moved();
    let whole = begun.elapsed();
    let begun = Instant::now();
    let id = first.asked("erasure", &[]);
    first.carry_out(&id).expect(0);
    let carrying = begun.elapsed();
    let (mut killed, mut runs_killed) = (0, 0);
    for seed in 0..times {
        let mut chance = StdRng::seed_from_u64(seed);
        let Some(scene) = scene(&format!("subjects_soak_{seed}")) else { return };
        let moment = ["before", "during", "after"][seed as usize % 3];
        let what = format!("seed {seed}, {moment} a run");
        let run = || {
            let mut run = scene.command(&["run", "--jobs", "2"]);
            run.env("FAILPOINTS", "move::receipt.after_state=sleep(20)");
            run
        };
        let mut under_way = None;
        match moment {
            "during" => {
                under_way = Some(run().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
                std::thread::sleep(whole.mul_f64(chance.random_range(0.0..1.2)));
            }
            "after" => {
                scene.moved();
            }
            _ => {}
        }
        let id = scene.asked("erasure", &[]);
        for _ in 0..chance.random_range(1..=3) {
            let after = chance.random_bool(0.7).then(|| carrying.mul_f64(chance.random_range(0.0..1.1)));
            killed +=
                u32::from(let_live(scene.command(&["request", "carry-out", &id]), after) && after.is_some());
        }
        if let Some(mut run) = under_way {
            if chance.random_bool(0.5) {
                let _ = run.kill();
            }
            runs_killed += u32::from(run.wait().unwrap().signal().is_some());
        }
        if moment == "before" && chance.random_bool(0.5) {
            let after = whole.mul_f64(chance.random_range(0.0..1.0));
            runs_killed += u32::from(let_live(run(), Some(after)));
        }
        scene.moved();
        let last = scene.carry_out(&id);
        assert!(last.code == 0 || last.out.contains("done already"), "{what}: {last:?}");
        scene.target_without(&what);
        scene.no_file_has_it(&[], &what);
        scene.verified();
        scene.moved();
        scene.target_without(&what);
        scene.no_file_has_it(&[], &what);
    }
    eprintln!(
        "{times} deletions; {killed} times what carries them out was killed, {runs_killed} times a run"
    );
    assert!(
        times < 10 || (killed > 3 && runs_killed > 1),
        "{killed} and {runs_killed}: too few kills to prove much"
    );
}

#[test]
#[ignore = "minutes: make soak"]
fn soak_deletions_sqlite() {
    at_random_moments(|_| Some(Scene::sqlite().with_source_erased()), 30);
}

#[test]
#[ignore = "minutes: make soak"]
fn soak_deletions_postgres() {
    at_random_moments(|name| Some(Scene::postgres(name)?.with_source_erased()), 30);
}
