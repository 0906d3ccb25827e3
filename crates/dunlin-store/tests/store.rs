//! dunlin's own state as the other crates use it.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::Path;

use dunlin_store::{KeyOptions, Workspace};

#[path = "store/duplicates.rs"]
mod duplicates;
#[path = "store/fragments.rs"]
mod fragments;
#[path = "store/gate.rs"]
mod gate;
#[path = "store/keys.rs"]
mod keys;
#[path = "store/ledger.rs"]
mod ledger;
#[path = "store/quarantine.rs"]
mod quarantine;
#[path = "store/runs.rs"]
mod runs;

/// A value that no error, entry or plain file may ever show.
const CANARY: &str = "Zq7-canary-600123123";

/// Two folders that are gone when this is dropped: the workspace's and the keys'.
struct Folders {
    work: tempfile::TempDir,
    keys: tempfile::TempDir,
}

impl Folders {
    fn new() -> Folders {
        Folders { work: tempfile::tempdir().unwrap(), keys: tempfile::tempdir().unwrap() }
    }

    fn options(&self) -> KeyOptions {
        KeyOptions::at(self.keys.path())
    }

    async fn open(&self) -> Workspace {
        Workspace::open(self.work.path(), &self.options()).await.unwrap()
    }
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().map(|e| e.unwrap().path()) {
        if entry.is_dir() { found.extend(files(&entry)) } else { found.push(entry) }
    }
    found.sort();
    found
}

fn says_nothing(error: impl std::fmt::Display + std::fmt::Debug) {
    let said = format!("{error} {error:?}");
    assert!(!said.contains(CANARY), "{said}");
}
