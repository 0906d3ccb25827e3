//! Measures how fast entries become durable in the ledger's queue, beside the floor below which nobody gets: what the
//! disk takes for an fsync, and what a bare SQLite takes for one commit of one row. Prints a Markdown table.
//!
//! `cargo run --release -p dunlin-store --example ledger -- FOLDER [SECONDS]`; the folder decides which disk is
//! measured. `bench/ledger.sh` does it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dunlin_store::{Actor, Body, KeyOptions, Workspace};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// Tasks that enter at the same time.
const TASKS: usize = 256;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("name a folder on the disk to measure")?);
    let seconds = arguments.next().map_or(Ok(5), |s| s.parse())?;
    let home = folder.join(format!("dunlin-ledger-{}", std::process::id()));
    std::fs::create_dir_all(home.join("work"))?;
    let measured = measure(&home, Duration::from_secs(seconds)).await;
    std::fs::remove_dir_all(&home)?;
    measured
}

async fn measure(home: &Path, time: Duration) -> Result<(), Failure> {
    println!("| what | a second | median | p99 | worst |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let mut file = std::fs::File::create(home.join("floor"))?;
    let started = Instant::now();
    let mut taken = Vec::new();
    while started.elapsed() < time {
        let one = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        taken.push(one.elapsed());
    }
    row("4 KiB written and fsynced", started, taken);
    bare_sqlite(&home.join("floor.db"), time).await?;

    let keys = KeyOptions { folder: Some(home.join("keys")) };
    let workspace = Workspace::open(&home.join("work"), &keys).await?;
    let before = workspace.state().ledger_size().await?;
    let (started, alone) = entering(&workspace, 1, time).await?;
    let mut entered = alone.len();
    row("one task, one entry at a time", started, alone);
    let (started, together) = entering(&workspace, TASKS, time).await?;
    entered += together.len();
    row(&format!("{TASKS} tasks, one entry at a time each"), started, together);

    let size = workspace.state().ledger_size().await? - before;
    if size != entered as u64 {
        return Err(format!("{entered} entries were answered for, {size} are there").into());
    }
    let started = Instant::now();
    let checkpoint = workspace.integrate().await?;
    let rate = entered as f64 / started.elapsed().as_secs_f64();
    println!(
        "\nAll {entered} are in the queue; moved into tiles at {rate:.0} a second, {} in all.",
        checkpoint.size
    );
    workspace.verify_ledger(&[]).await?;
    Ok(())
}

/// One commit of one row in WAL mode with `synchronous = FULL`, as the state has it, without anything of dunlin.
async fn bare_sqlite(file: &Path, time: Duration) -> Result<(), Failure> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await?;
    sqlx::raw_sql("create table entry (idx integer primary key, entry blob)")
        .execute(&mut connection)
        .await?;
    let started = Instant::now();
    let mut taken = Vec::new();
    while started.elapsed() < time {
        let one = Instant::now();
        let insert = sqlx::query("insert into entry (entry) values ($1)").bind([7u8; 200].as_slice());
        insert.execute(&mut connection).await?;
        taken.push(one.elapsed());
    }
    row("bare SQLite, one row a commit", started, taken);
    Ok(())
}

/// Enters from this many tasks until the time is over; gives how long each entry took to be durable.
async fn entering(
    workspace: &Workspace,
    tasks: usize,
    time: Duration,
) -> Result<(Instant, Vec<Duration>), Failure> {
    let started = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let state = workspace.state().clone();
        running.spawn(async move {
            let mut taken = Vec::new();
            while started.elapsed() < time {
                let one = Instant::now();
                let body = Body::RunResumed { run: dunlin_store::new_id() };
                state.enter(Actor::System, body).await?;
                taken.push(one.elapsed());
            }
            Ok::<_, dunlin_store::StoreError>(taken)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = running.join_next().await {
        all.extend(done??);
    }
    Ok((started, all))
}

fn row(what: &str, started: Instant, mut taken: Vec<Duration>) {
    let rate = taken.len() as f64 / started.elapsed().as_secs_f64();
    taken.sort();
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    println!("| {what} | {rate:.0} | {:.2} ms | {:.2} ms | {:.2} ms |", at(0.5), at(0.99), at(1.0));
}
