//! Entries: durable with their change, integrated into tiles once, whatever crashes.

use dunlin_ledger::VerifyError;
use dunlin_store::{Actor, Body, StoreError, Workspace};

use super::{Folders, files};

fn resumed(n: usize) -> Body {
    Body::RunResumed { run: format!("r{n}") }
}

fn runs_in(workspace: &Workspace) -> Vec<String> {
    let log = workspace.ledger().unwrap();
    let entries = log.entries(0).map(|e| dunlin_store::Entry::from_bytes(&e.unwrap()).unwrap().body);
    let run = |body| match body {
        Body::RunResumed { run } => Some(run),
        _ => None,
    };
    entries.filter_map(run).collect()
}

async fn verify(workspace: &Workspace) -> Result<u64, VerifyError> {
    match workspace.verify_ledger(&[]).await {
        Ok(report) => Ok(report.size),
        Err(StoreError::Verify(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn entries_reach_the_tiles_and_leave_the_queue() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    for n in 0..5 {
        workspace.state().enter(Actor::System, resumed(n)).await.unwrap();
    }
    assert_eq!(workspace.state().ledger_size().await.unwrap(), 6);
    let checkpoint = workspace.integrate().await.unwrap();
    assert_eq!(checkpoint.size, 6);
    assert_eq!(workspace.integrate().await.unwrap(), checkpoint, "nothing new, nothing signed");
    assert_eq!(verify(&workspace).await.unwrap(), 6);
    assert_eq!(runs_in(&workspace), ["r0", "r1", "r2", "r3", "r4"]);
    let stray = files(&workspace.ledger_dir()).into_iter().find(|f| {
        let name = f.strip_prefix(workspace.ledger_dir()).unwrap().display().to_string();
        name != "checkpoint" && !name.starts_with("tile/")
    });
    assert_eq!(stray, None, "the ledger's folder holds nothing else");
}

#[tokio::test]
async fn more_entries_than_one_batch_are_integrated_in_order() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let mut tx = workspace.state().begin().await.unwrap();
    for n in 0..5000 {
        let entry = dunlin_store::Entry { at: 1, actor: Actor::System, body: resumed(n) };
        tx.enter(entry).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(workspace.integrate().await.unwrap().size, 5001);
    assert_eq!(verify(&workspace).await.unwrap(), 5001);
    assert!(runs_in(&workspace).iter().enumerate().all(|(n, run)| *run == format!("r{n}")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_writers_and_integrators_share_one_workspace() {
    let folders = Folders::new();
    let first = folders.open().await;
    drop(first);
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..4 {
        // Each opens the workspace on its own, as a command line beside a server does.
        let workspace = folders.open().await;
        tasks.spawn(async move {
            for n in 0..20 {
                workspace.state().enter(Actor::System, resumed(writer * 100 + n)).await.unwrap();
                if n % 5 == 0 {
                    workspace.integrate().await.unwrap();
                }
            }
        });
    }
    tasks.join_all().await;
    let workspace = folders.open().await;
    assert_eq!(workspace.integrate().await.unwrap().size, 81);
    assert_eq!(verify(&workspace).await.unwrap(), 81);
    let mut runs = runs_in(&workspace);
    runs.sort();
    runs.dedup();
    assert_eq!(runs.len(), 80);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_that_open_a_new_workspace_at_once_agree() {
    let folders = Folders::new();
    let (a, b) = tokio::join!(folders.open(), folders.open());
    assert_eq!(a.id, b.id);
    assert_eq!(a.state().ledger_size().await.unwrap(), 1);
}

#[tokio::test]
async fn a_ledger_that_was_cut_is_not_continued() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    workspace.integrate().await.unwrap();
    let old: Vec<_> =
        files(&workspace.ledger_dir()).into_iter().map(|f| (f.clone(), std::fs::read(f).unwrap())).collect();
    for n in 0..3 {
        workspace.state().enter(Actor::System, resumed(n)).await.unwrap();
    }
    workspace.integrate().await.unwrap();
    // An older copy of the folder is put back.
    std::fs::remove_dir_all(workspace.ledger_dir()).unwrap();
    for (file, bytes) in old {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let error = workspace.integrate().await.unwrap_err();
    insta::assert_snapshot!(error, @"the ledger has 1 entries, but the state knows of 4: entries were removed");
    assert_eq!(verify(&workspace).await, Err(VerifyError::Truncated { size: 1, known: 4 }));
    // The whole folder is gone.
    std::fs::remove_dir_all(workspace.ledger_dir()).unwrap();
    assert!(matches!(workspace.integrate().await, Err(StoreError::LedgerBehind { size: 0, known: 4 })));
    assert_eq!(verify(&workspace).await, Err(VerifyError::Removed { known: 4 }));
}

#[tokio::test]
async fn a_new_state_does_not_adopt_an_old_ledger() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    workspace.integrate().await.unwrap();
    workspace.state().close().await;
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(workspace.state_dir.join(name));
    }
    let error = Workspace::open(folders.work.path(), &folders.options()).await.err().unwrap();
    assert!(matches!(error, StoreError::StateLost));
}

#[test]
fn what_tasks_hold_can_move_between_threads() {
    fn send<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    send::<dunlin_store::Tx>();
    send::<dunlin_store::FragmentWriter>();
    send::<dunlin_store::FragmentReader>();
    shared::<dunlin_store::State>();
    shared::<dunlin_store::Fragments>();
    shared::<Workspace>();
}

#[tokio::test]
async fn only_the_newest_checkpoints_are_kept() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    for n in 0..110 {
        workspace.state().enter(Actor::System, resumed(n)).await.unwrap();
        workspace.integrate().await.unwrap();
    }
    let known = workspace.known_checkpoints().await.unwrap();
    assert_eq!((known.len(), known[0].size, known[99].size), (100, 12, 111));
    assert_eq!(verify(&workspace).await.unwrap(), 111);
}

/// Not a test of its own: the process that `a_killed_process…` kills.
#[tokio::test]
async fn child_that_is_killed() {
    let (Ok(work), Ok(keys)) = (std::env::var("DUNLIN_TEST_WORK"), std::env::var("DUNLIN_TEST_KEYS")) else {
        return;
    };
    let options = dunlin_store::KeyOptions::at(std::path::Path::new(&keys));
    let workspace = Workspace::open(std::path::Path::new(&work), &options).await.unwrap();
    let from = workspace.state().ledger_size().await.unwrap() as usize;
    for n in from.. {
        workspace.state().enter(Actor::System, resumed(n)).await.unwrap();
        // Said only once it is durable.
        println!("\nacknowledged r{n}");
        if n % 3 == 0 {
            workspace.integrate().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_killed_process_has_lost_nothing_that_it_acknowledged() {
    use std::io::{BufRead, BufReader};
    let folders = Folders::new();
    drop(folders.open().await);
    let mut acknowledged = Vec::new();
    for round in 0..6 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ledger::child_that_is_killed", "--nocapture"])
            .env("DUNLIN_TEST_WORK", folders.work.path())
            .env("DUNLIN_TEST_KEYS", folders.keys.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said = lines.filter_map(|l| l.strip_prefix("acknowledged ").map(str::to_owned));
        // Killed at another moment each time, in the middle of whatever comes next.
        let mut said = said.inspect(|_| std::thread::sleep(std::time::Duration::from_micros(round * 371)));
        acknowledged.extend(said.by_ref().take(10 + round as usize));
        child.kill().unwrap();
        acknowledged.extend(said);
        child.wait().unwrap();
        let workspace = folders.open().await;
        workspace.integrate().await.unwrap();
        verify(&workspace).await.unwrap();
        let runs = runs_in(&workspace);
        let mut once = runs.clone();
        once.sort();
        once.dedup();
        assert_eq!(runs.len(), once.len(), "nothing is in the ledger twice");
        assert!(acknowledged.iter().all(|r| runs.contains(r)));
        workspace.state().close().await;
    }
    assert!(acknowledged.len() >= 60);
}

#[cfg(feature = "failpoints")]
#[tokio::test]
async fn a_crash_anywhere_loses_nothing_and_doubles_nothing() {
    let scenario = fail::FailScenario::setup();
    let names = dunlin_ledger::FAILPOINTS.iter().chain(dunlin_store::FAILPOINTS);
    for name in names.filter(|n| !n.starts_with("fragment::") && !n.starts_with("keys::")) {
        let mut crashed = false;
        for passed in 0..3 {
            let folders = Folders::new();
            let workspace = folders.open().await;
            workspace.integrate().await.unwrap();
            fail::cfg(*name, &format!("{passed}*off->1*return->off")).unwrap();
            let mut acknowledged = Vec::new();
            for n in 0..3 {
                if workspace.state().enter(Actor::System, resumed(n)).await.is_ok() {
                    acknowledged.push(format!("r{n}"));
                } else {
                    crashed = true;
                }
            }
            crashed |= workspace.integrate().await.is_err();
            fail::remove(*name);
            // Another process comes after the crash.
            drop(workspace);
            let workspace = folders.open().await;
            workspace.integrate().await.unwrap();
            verify(&workspace).await.unwrap();
            let runs = runs_in(&workspace);
            let mut once = runs.clone();
            once.dedup();
            assert_eq!(runs, once, "{name}");
            assert!(acknowledged.iter().all(|r| runs.contains(r)), "{name}: {acknowledged:?} {runs:?}");
        }
        assert!(crashed, "{name} is never passed");
    }
    scenario.teardown();
}

/// The runs that the queue holds, in order.
async fn queued(workspace: &Workspace) -> Vec<String> {
    workspace.integrate().await.unwrap();
    runs_in(workspace)
}

#[cfg(feature = "failpoints")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entries_of_many_tasks_share_transactions_and_each_is_there_once() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let scenario = fail::FailScenario::setup();
    let commits = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = commits.clone();
    let count = move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    };
    fail::cfg_callback("store::commit.after", count).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..100 {
        let state = workspace.state().clone();
        tasks.spawn(async move {
            for n in 0..10 {
                state.enter(Actor::System, resumed(task * 10 + n)).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    scenario.teardown();
    let commits = commits.load(std::sync::atomic::Ordering::SeqCst);
    assert!(commits < 500, "{commits} transactions for 1000 entries");
    let mut runs = queued(&workspace).await;
    assert_eq!(runs.len(), 1000);
    runs.sort();
    runs.dedup();
    assert_eq!(runs.len(), 1000);
    verify(&workspace).await.unwrap();
}

#[tokio::test]
async fn one_task_s_entries_keep_their_order() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    for n in 0..50 {
        workspace.state().enter(Actor::System, resumed(n)).await.unwrap();
    }
    let wanted: Vec<String> = (0..50).map(|n| format!("r{n}")).collect();
    assert_eq!(queued(&workspace).await, wanted);
}

#[tokio::test]
async fn who_gives_up_waiting_takes_nobody_s_entry_along() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    // Somebody writes: all of these wait.
    let tx = workspace.state().begin().await.unwrap();
    let mut tasks = Vec::new();
    for n in 0..20 {
        let state = workspace.state().clone();
        tasks.push(tokio::spawn(async move { state.enter(Actor::System, resumed(n)).await }));
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    for task in tasks.iter().step_by(2) {
        task.abort();
    }
    tx.rollback().await.unwrap();
    for (n, task) in tasks.into_iter().enumerate() {
        if n % 2 == 1 {
            task.await.unwrap().unwrap();
        }
    }
    let runs = queued(&workspace).await;
    assert!((0..20).filter(|n| n % 2 == 1).all(|n| runs.contains(&format!("r{n}"))), "{runs:?}");
}

#[test]
fn a_runtime_that_ends_leaves_the_next_one_free_to_enter() {
    let folders = Folders::new();
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let first = runtime();
    let workspace = first.block_on(folders.open());
    first.block_on(async {
        let _tx = workspace.state().begin().await.unwrap();
        let state = workspace.state().clone();
        let waiting = tokio::spawn(async move { state.enter(Actor::System, resumed(1)).await });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        waiting.abort();
    });
    drop(first);
    let second = runtime();
    second.block_on(async {
        let entered = workspace.state().enter(Actor::System, resumed(2));
        tokio::time::timeout(std::time::Duration::from_secs(20), entered).await.unwrap().unwrap();
    });
}
