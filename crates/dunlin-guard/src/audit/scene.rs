//! A workspace for tests, with an owner in it.

use std::net::{IpAddr, Ipv4Addr};

use dunlin_ledger::{Body, Entry};
use dunlin_plan::Role;
use dunlin_store::{KeyOptions, Workspace, now_us};

use super::LedgerReader;
use crate::{Guard, GuardSettings, HashSettings, Moment, Network, Stage, Via, Who};

pub(crate) struct Scene {
    pub workspace: Workspace,
    pub person: String,
    _folder: tempfile::TempDir,
    _keys: tempfile::TempDir,
}

impl Scene {
    pub async fn new() -> Scene {
        let (folder, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let workspace = Workspace::open(folder.path(), &KeyOptions::at(keys.path())).await.unwrap();
        let person = "01900000-0000-7000-8000-000000000001".to_owned();
        let scene = Scene { workspace, person, _folder: folder, _keys: keys };
        scene.add(&scene.person, "ana@example.com", "Ana Ruiz", "owner").await;
        scene
    }

    /// Puts a person straight into the state.
    pub async fn add(&self, id: &str, email: &str, name: &str, role: &str) {
        let mut tx = self.workspace.state().begin().await.unwrap();
        sqlx::query(
            "insert into people (id, email, email_verified_at, name, role, status, created_at) \
             values ($1, $2, $3, $4, $5, 'active', $3)",
        )
        .bind(id)
        .bind(email)
        .bind(now_us())
        .bind(name)
        .bind(role)
        .execute(tx.connection())
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn guard(&self) -> Guard {
        let cheap = HashSettings { memory_kib: 8, passes: 1, lanes: 1, at_once: 1, waiting: 8 };
        let settings = GuardSettings { hashing: cheap, ..GuardSettings::default() };
        Guard::open(&self.workspace, settings).await.unwrap()
    }

    /// Every entry of the ledger.
    pub async fn entries(&self) -> Vec<Entry> {
        let reader = LedgerReader::new(&self.workspace).unwrap();
        let entries = reader.entries(0, 100_000).await.unwrap();
        entries.into_iter().map(|(_, entry)| entry.unwrap()).collect()
    }

    pub async fn bodies(&self) -> Vec<Body> {
        self.entries().await.into_iter().map(|e| e.body).collect()
    }
}

/// A person who is signed in.
pub(crate) fn who(person: &str) -> Who {
    let now = now_us();
    Who {
        person: person.to_owned(),
        name: "Ana Ruiz".to_owned(),
        email: "ana@example.com".to_owned(),
        role: Role::Owner,
        organisation: None,
        via: Via::Session("s1".to_owned()),
        scopes: None,
        stage: Stage::Full,
        mfa_late: Some(now),
        mfa_age_s: Some(0),
        tables: None,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        network: Network::Loopback,
        at: Moment { wall: now, late: now, served: now },
    }
}
