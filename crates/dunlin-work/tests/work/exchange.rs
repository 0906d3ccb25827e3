//! Files of other tools: every word of them comes in, and what has no home is said.

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_plan::Role;
use dunlin_work::{Ask, Format, Priority, Status, Table, Task, Worker, export};

use crate::{Bench, ana};

fn people() -> Vec<Worker> {
    let one = |id: &str, name: &str| Worker {
        id: id.into(),
        name: name.into(),
        email: format!("{id}@x.example"),
        role: Role::Engineer,
        organisation: None,
    };
    vec![one("ana", "Ana Ruiz"), one("ben", "Ben Okoye")]
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

async fn imported(name: &str, format: Format) -> (Bench, Vec<Arc<Task>>, Vec<(String, String)>) {
    let bench = Bench::new().await;
    let table = Table::read(&fixture(name), None).unwrap();
    assert_eq!(table.preview(&[]).format, format, "the format is guessed");
    let done = bench.work.import(&ana(), &table, &BTreeMap::new(), &people()).await.unwrap();
    let tasks = bench.work.board().find(&Ask { limit: 1000, ..Ask::default() }).unwrap().rows;
    assert_eq!(done.created, tasks.len());
    let left = done.no_home.into_iter().map(|l| (l.name, l.why)).collect();
    (bench, tasks, left)
}

/// Every cell of a file stands in some field of some task, in its own words or as what they mean.
fn nothing_lost(tasks: &[Arc<Task>], words: &[&str]) {
    let all: String = tasks.iter().map(|t| serde_json::to_string(&**t).unwrap()).collect();
    for word in words {
        assert!(all.contains(word), "`{word}` was lost");
    }
}

fn by_title<'a>(tasks: &'a [Arc<Task>], title: &str) -> &'a Task {
    tasks.iter().find(|t| t.title == title).unwrap_or_else(|| panic!("no task `{title}`"))
}

#[tokio::test]
async fn airtable_comes_in_whole() {
    let (_bench, tasks, left) = imported("airtable.csv", Format::Airtable).await;
    assert_eq!(tasks.len(), 3);
    let first = by_title(&tasks, "Kick-off, all teams");
    assert_eq!(
        (first.owner.as_deref(), first.deadline.unwrap().to_string().as_str()),
        (Some("ana"), "2026-11-23")
    );
    assert_eq!((first.labels.len(), first.estimate_hours), (2, Some(4.0)));
    nothing_lost(&tasks, &["second line", "Nobody Known", "Somewhere", "Budget: 1200", "Budget: 7"]);
    let has = |name: &str, why: &str| left.contains(&(name.to_owned(), why.to_owned()));
    assert!(
        has("Budget", "no_field") && has("Assignee", "unknown_person") && has("Status", "unknown_value"),
        "{left:?}"
    );
}

#[tokio::test]
async fn asana_comes_in_with_its_links() {
    let (_bench, tasks, _) = imported("asana.csv", Format::Asana).await;
    let (kick_off, map, load) =
        (by_title(&tasks, "Kick-off"), by_title(&tasks, "Map"), by_title(&tasks, "Load"));
    assert_eq!((kick_off.status, map.status, load.status), (Status::Done, Status::Doing, Status::Open));
    assert_eq!(
        (map.depends_on[0].task.as_str(), load.depends_on[0].task.as_str()),
        (kick_off.id.as_str(), map.id.as_str())
    );
    assert_eq!(by_title(&tasks, "Map customers").parent.as_deref(), Some(map.id.as_str()));
    assert_eq!((map.owner.as_deref(), kick_off.owner.as_deref()), (Some("ben"), Some("ana")));
    nothing_lost(&tasks, &["2026-10-12", "CRM to Atlas", "Everybody knows"]);
}

#[tokio::test]
async fn jira_comes_in_with_its_repeated_headings() {
    let (_bench, tasks, left) = imported("jira.csv", Format::Jira).await;
    let (epic, load, map) = (
        by_title(&tasks, "Move customers"),
        by_title(&tasks, "Load customers"),
        by_title(&tasks, "Map customers"),
    );
    assert_eq!(epic.labels, ["move", "data"]);
    assert_eq!(load.parent.as_deref(), Some(epic.id.as_str()));
    assert_eq!(load.depends_on[0].task, map.id);
    assert_eq!((load.estimate_hours, load.priority, map.status), (Some(8.0), Priority::Urgent, Status::Done));
    assert_eq!(epic.deadline.unwrap().to_string(), "2026-11-20");
    nothing_lost(
        &tasks,
        &["Looks fine", "Indeed", "Custom field (Story Points): 5", "Sprint 7", "Issue Type: Epic"],
    );
    assert!(left.iter().any(|(name, _)| name == "Custom field (Story Points)"), "{left:?}");
}

#[tokio::test]
async fn trello_comes_in_with_what_hangs_on_its_cards() {
    let (_bench, tasks, _) = imported("trello.json", Format::Trello).await;
    let (kick_off, map, old) =
        (by_title(&tasks, "Kick-off"), by_title(&tasks, "Map customers"), by_title(&tasks, "Old idea"));
    assert_eq!((kick_off.status, map.status, old.status), (Status::Done, Status::Doing, Status::Done));
    assert_eq!(kick_off.owner.as_deref(), Some("ana"));
    nothing_lost(
        &tasks,
        &["[x] Room", "[ ] Invite", "Who comes?", "agenda.pdf", "Somebody Else", "Parked", "red", "c/c3"],
    );
}

#[tokio::test]
async fn what_goes_out_comes_back_and_runs_in_no_spreadsheet() {
    let (bench, tasks, _) = imported("airtable.csv", Format::Airtable).await;
    let evil = by_title(&tasks, "=HYPERLINK(\"http://x\")").title.clone();
    for format in [Format::Csv, Format::Airtable, Format::Asana, Format::Jira, Format::Trello] {
        let (_, text) = export(format, &tasks, &bench.work.fields(), &people());
        if format != Format::Trello {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            for record in reader.records() {
                let record = record.unwrap();
                assert!(
                    !record.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r'])),
                    "{text}"
                );
            }
        }
        let other = Bench::new().await;
        let table = Table::read(&text, Some(format)).unwrap();
        other.work.import(&ana(), &table, &BTreeMap::new(), &people()).await.unwrap();
        let back = other.work.board().find(&Ask { limit: 1000, ..Ask::default() }).unwrap().rows;
        assert_eq!(back.len(), tasks.len(), "{format:?}");
        assert!(back.iter().any(|t| t.title == evil), "{format:?}");
        let first = by_title(&back, "Kick-off, all teams");
        assert_eq!(
            (first.owner.as_deref(), first.deadline),
            (Some("ana"), by_title(&tasks, "Kick-off, all teams").deadline)
        );
    }
}
