//! Many signed-in clients against a server: each holds a live stream open, and together they ask at a fixed rate.
//! `cargo run --example load -- FOLDER URL PID CLIENTS RATE SECONDS`, where FOLDER is that of `serve_fake`; prints one
//! row of a Markdown table. `bench/server.sh` starts both.
//!
//! The rate is kept whatever the answers take (an open loop): a slow server gets a longer queue, and its times say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dunlin_guard::{Guard, GuardSettings, NewPerson, Origin, Status};
use dunlin_ledger::Actor;
use dunlin_plan::Role;
use dunlin_store::{KeyOptions, Workspace};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What operators' pages ask for.
const PATHS: [&str; 5] =
    ["/api/v1/me", "/api/v1/plan", "/api/v1/runs", "/api/v1/people", "/api/v1/ledger/checkpoint"];

#[tokio::main]
async fn main() -> Fallible<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, url, pid, clients, rate, seconds] = arguments.as_slice() else {
        return Err("give FOLDER URL PID CLIENTS RATE SECONDS".into());
    };
    let (clients, rate, seconds): (usize, u64, u64) = (clients.parse()?, rate.parse()?, seconds.parse()?);
    let cookies = sign_in(std::path::Path::new(folder), clients).await?;
    let http = reqwest::Client::builder().pool_max_idle_per_host(64).build()?;
    let events = Arc::new(AtomicU64::new(0));
    let broken = Arc::new(AtomicU64::new(0));
    let mut streams = JoinSet::new();
    for cookie in &cookies {
        let request = http.get(format!("{url}/api/v1/events")).header("cookie", cookie);
        streams.spawn(follow(request, events.clone(), broken.clone()));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let times = Arc::new(Mutex::new(Vec::new()));
    let mut asked = JoinSet::new();
    let mut tick = tokio::time::interval(Duration::from_nanos(1_000_000_000 / rate));
    let begun = Instant::now();
    for n in 0..(rate * seconds) as usize {
        tick.tick().await;
        let path = PATHS[n % PATHS.len()];
        let request = http.get(format!("{url}{path}")).header("cookie", &cookies[n % cookies.len()]);
        let (times, broken) = (times.clone(), broken.clone());
        asked.spawn(async move {
            let begun = Instant::now();
            let good = match request.timeout(Duration::from_secs(20)).send().await {
                Ok(answer) => answer.status().is_success() && answer.bytes().await.is_ok(),
                Err(_) => false,
            };
            times.lock().await.push(begun.elapsed());
            if !good {
                broken.fetch_add(1, Ordering::Relaxed);
            }
        });
        while asked.try_join_next().is_some() {}
    }
    while asked.join_next().await.is_some() {}
    let took = begun.elapsed().as_secs_f64();
    let mut times = times.lock().await.clone();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "| {clients} streams, {:.0} requests a second, {took:.0} s | {} | {:.1} ms | {:.1} ms | {:.1} ms | {} | {:.0} MB |",
        times.len() as f64 / took,
        broken.load(Ordering::Relaxed),
        at(0.5),
        at(0.99),
        at(1.0),
        events.load(Ordering::Relaxed),
        peak_mb(pid)?,
    );
    Ok(())
}

/// Makes people and sessions through the state, as a second process of the machine may.
async fn sign_in(folder: &std::path::Path, clients: usize) -> Fallible<Vec<String>> {
    let keys = KeyOptions::at(&folder.join("keys"));
    let workspace = Workspace::open(&folder.join("workspace"), &keys).await?;
    let guard = Guard::open(&workspace, GuardSettings::default()).await?;
    let origin = Origin::new([127, 0, 0, 1].into(), "load");
    let mut cookies = Vec::with_capacity(clients);
    for n in 0..clients {
        let email = format!("load{n}-{}@example.com", std::process::id());
        let new = NewPerson {
            email: &email,
            verified: true,
            name: "Somebody",
            role: Role::Owner,
            organisation: None,
            by_hand: true,
            status: Status::Active,
        };
        let person = guard.add_person(&Actor::System, new).await?;
        let signed_in = guard.sign_in_federated(&origin, &person.id, "oidc.load", true).await?;
        cookies.push(format!("dunlin={}", signed_in.token.expose()));
    }
    Ok(cookies)
}

/// Counts the lines of a stream until it ends, which it must not.
async fn follow(request: reqwest::RequestBuilder, events: Arc<AtomicU64>, broken: Arc<AtomicU64>) {
    if let Ok(mut stream) = request.send().await
        && stream.status().is_success()
    {
        while let Ok(Some(_)) = stream.chunk().await {
            events.fetch_add(1, Ordering::Relaxed);
        }
    }
    broken.fetch_add(1, Ordering::Relaxed);
}

/// The most memory that a process held.
fn peak_mb(pid: &str) -> Fallible<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|l| l.starts_with("VmHWM")).ok_or("no such process")?;
    let kib: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kib / 1024.0)
}
