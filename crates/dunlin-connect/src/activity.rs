//! Who is connected to a store, by the store's own word: dunlin's own sessions and those that do not pass by it.
//!
//! Not here: who those people are, and what is done about them.

use serde::{Deserialize, Serialize};

/// Who is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// The store keeps no list of who uses it, and why.
    NotApplicable(String),
    /// The connections to this database, dunlin's own among them.
    Connections(Vec<Connection>),
}

/// One connection to a store. It holds no statement: its text may hold values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The store's own user.
    pub user: String,
    /// The address it comes from; none for a socket of the same machine, or where the store does not tell us.
    pub client: Option<String>,
    /// What the client calls itself. Anybody may call themselves anything.
    pub application: String,
    /// Since when, in microseconds since 1970 UTC, where the store tells us.
    pub since: Option<i64>,
    /// What it does, in the store's word (`active`, `idle`, `replication`); `hidden` where the store does not tell us.
    pub state: String,
    /// Whether it is dunlin's: it calls itself so and came in as the same user. Whoever does that holds dunlin's own
    /// password.
    pub own: bool,
}

#[cfg(test)]
mod tests {
    use super::Activity;
    use crate::{OpenOptions, open};

    #[tokio::test]
    async fn a_file_says_that_it_keeps_no_list() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("people.csv"), "id\n1\n").unwrap();
        for url in ["sqlite:crm.db", "file:people.csv"] {
            let options = OpenOptions { base: folder.path().to_owned(), ..OpenOptions::default() };
            let store = open("crm", url, &options).await.unwrap();
            let Activity::NotApplicable(why) = store.activity().await.unwrap() else { panic!("{url}") };
            assert!(why.contains("no list"), "{why}");
        }
    }
}
