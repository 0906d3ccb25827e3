//! Measures 100,000 tasks as the server holds them: finding, grouping, sorting, one edit, the schedule. Prints
//! milliseconds, the middle and the 95th of a hundred; `bench/work.sh` runs it.

use std::time::Instant;

use dunlin_store::State;
use dunlin_work::{Ask, By, Edit, Origin, Work};
use serde_json::{Map, Value, json};

const TASKS: usize = 100_000;

fn ask(q: &str, filter: Option<Value>, sort: &[&str], group: Option<&str>) -> Ask {
    let sort = sort.iter().map(|s| (*s).to_owned()).collect();
    let group = group.map(str::to_owned);
    Ask { q: q.to_owned(), filter, sort, group, offset: 0, limit: 200, only_of: None }
}

fn task(n: usize) -> Map<String, Value> {
    let status = ["open", "doing", "blocked", "done"][n % 4];
    let priority = ["low", "normal", "high", "urgent"][n % 4];
    let body = json!({
        "title": format!("Check table {} of store {}", n * 7919 % TASKS, n % 40),
        "description": "Look at what is really in it, and write down what is not as the plan says.",
        "status": status, "owner": format!("person-{}", n % 50), "priority": priority,
        "deadline": format!("2027-{:02}-{:02}", n % 12 + 1, n % 28 + 1), "estimate_hours": n % 16,
        "labels": [format!("label-{}", n % 30)],
    });
    body.as_object().cloned().unwrap_or_default()
}

fn report(name: &str, mut took: Vec<f64>) {
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() as f64 * share) as usize).min(took.len() - 1)];
    println!("{name:<44} {:>8.1} {:>8.1}", at(0.5), at(0.95));
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::temp_dir().join(format!("dunlin-work-{}.db", std::process::id()));
    let state = State::open(&file).await?;
    let work = Work::open(state.clone()).await?;
    let by = By::person("ana");
    for chunk in (0..TASKS).collect::<Vec<_>>().chunks(10_000) {
        work.create(&by, Origin::Manual, chunk.iter().map(|n| task(*n)).collect()).await?;
    }
    println!("{:<44} {:>8} {:>8}", "100,000 tasks, milliseconds", "p50", "p95");
    let cases = [
        ("the first page", ask("", None, &[], None)),
        ("a text", ask("table 4711", None, &[], None)),
        (
            "a filter",
            ask(
                "",
                Some(
                    json!({ "all": [{ "field": "status", "is": ["open"] }, { "field": "deadline", "before": "2027-06-01" }] }),
                ),
                &[],
                None,
            ),
        ),
        ("sorted by deadline, then title", ask("", None, &["deadline", "title"], None)),
        ("grouped by owner", ask("", None, &[], Some("owner"))),
        (
            "filter, group and sort",
            ask(
                "",
                Some(json!({ "field": "priority", "is": ["high", "urgent"] })),
                &["-deadline"],
                Some("status"),
            ),
        ),
    ];
    for (name, ask) in &cases {
        let mut took = Vec::new();
        for _ in 0..100 {
            let begun = Instant::now();
            let found = work.board().find(ask)?;
            took.push(begun.elapsed().as_secs_f64() * 1000.0);
            assert!(found.total > 0);
        }
        report(name, took);
    }
    let ids: Vec<String> = work.board().tasks().take(100).map(|t| t.id.clone()).collect();
    let mut took = Vec::new();
    for id in &ids {
        let set = Map::from_iter([("title".to_owned(), json!("Another title"))]);
        let begun = Instant::now();
        work.edit(&by, "edit", vec![Edit { id: id.clone(), set, version: None }]).await?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    report("one edit, kept and entered", took);
    let mut took = Vec::new();
    for day in 0..5 {
        let begun = Instant::now();
        work.board().plan(20_000 + day);
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    report("the schedule of all, worked out anew", took);
    let begun = Instant::now();
    Work::open(state.clone()).await?;
    report("all read at the server's start", vec![begun.elapsed().as_secs_f64() * 1000.0]);
    state.close().await;
    let _ = std::fs::remove_file(file);
    Ok(())
}
