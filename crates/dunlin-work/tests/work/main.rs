//! Work as its callers meet it: over a real state, and its arithmetic against restatements of it.
#![allow(clippy::unwrap_used)]

mod change;
mod draft;
mod exchange;
mod fold;
mod schedule;

use std::collections::BTreeMap;

use dunlin_store::State;
use dunlin_work::{By, Edit, Origin, Task, Work};
use serde_json::{Map, Value, json};

/// Work over a state of its own.
pub(crate) struct Bench {
    pub(crate) work: Work,
    pub(crate) state: State,
    _home: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn new() -> Bench {
        let home = tempfile::tempdir().unwrap();
        let state = State::open(&home.path().join("state.db")).await.unwrap();
        Bench { work: Work::open(state.clone()).await.unwrap(), state, _home: home }
    }

    /// Everything read again from the state, as after a restart.
    pub(crate) async fn again(&self) -> Work {
        Work::open(self.state.clone()).await.unwrap()
    }

    pub(crate) async fn task(&self, title: &str) -> Task {
        let made =
            self.work.create(&ana(), Origin::Manual, vec![set(json!({ "title": title }))]).await.unwrap();
        Task::clone(&made.tasks[0])
    }

    pub(crate) async fn edit(
        &self,
        by: &By,
        id: &str,
        value: Value,
        version: Option<u64>,
    ) -> dunlin_work::Result<Option<String>> {
        let edit = Edit { id: id.to_owned(), set: set(value), version };
        self.work.edit(by, "edit", vec![edit]).await.map(|made| made.change)
    }

    /// Lets the ledger's queue be absorbed.
    pub(crate) async fn absorb(&self) {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as("select idx, entry from ledger_queue order by idx")
            .fetch_all(self.state.pool())
            .await
            .unwrap();
        let read =
            |(index, bytes): (i64, Vec<u8>)| (index as u64, dunlin_ledger::Entry::from_bytes(&bytes).ok());
        let next = self.work.next_entry();
        let entries: Vec<_> = rows.into_iter().map(read).filter(|(index, _)| *index >= next).collect();
        self.work.absorb(&entries).await.unwrap();
    }

    pub(crate) async fn ledger(&self) -> String {
        let rows: Vec<(Vec<u8>,)> =
            sqlx::query_as("select entry from ledger_queue").fetch_all(self.state.pool()).await.unwrap();
        rows.into_iter().map(|(bytes,)| String::from_utf8(bytes).unwrap()).collect::<Vec<_>>().join("\n")
    }
}

pub(crate) fn set(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub(crate) fn ana() -> By {
    By::person("ana")
}

pub(crate) fn ben() -> By {
    By::person("ben")
}

/// A task as text, without times and versions: to be compared after an undo.
pub(crate) fn essence(task: &Task) -> BTreeMap<String, Value> {
    dunlin_work::WRITABLE.iter().map(|field| ((*field).to_owned(), task.get(field))).collect()
}
