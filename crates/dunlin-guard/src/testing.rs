//! What the tests of this crate stand on: a workspace in a temporary folder, a clock moved by hand, a mailbox.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dunlin_ledger::{Actor, Body, Entry};
use dunlin_plan::Role;
use dunlin_store::{KeyOptions, Workspace};

use crate::{
    Guard, GuardSettings, Mail, MailFailed, Mailer, ManualTime, NewPerson, Origin, Person, Secret, SignedIn,
    Stage, Status, Who,
};

/// A password that passes every rule.
pub(crate) const PASSWORD: &str = "otter canal brass window";
/// Another one.
pub(crate) const OTHER: &str = "velvet harbour nine turnips";
/// When every test begins: Tuesday, 1 December 2026, 09:00 UTC.
pub(crate) const START: i64 = 1_796_115_600_000_000;

#[derive(Default)]
pub(crate) struct Mailbox(Mutex<Vec<Mail>>);

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: Mail) -> Result<(), MailFailed> {
        self.0.lock().unwrap().push(mail);
        Ok(())
    }
}

pub(crate) struct Site {
    pub guard: Guard,
    pub time: Arc<ManualTime>,
    pub workspace: Workspace,
    pub mailbox: Arc<Mailbox>,
    pub folder: tempfile::TempDir,
    settings: GuardSettings,
    keys: tempfile::TempDir,
}

impl Site {
    pub async fn new() -> Site {
        Site::with(GuardSettings::for_tests()).await
    }

    pub async fn with(settings: GuardSettings) -> Site {
        let (folder, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let time = ManualTime::new(START);
        let workspace = Workspace::open(folder.path(), &KeyOptions::at(keys.path())).await.unwrap();
        let guard = Guard::open_at(&workspace, settings.clone(), time.clone()).await.unwrap();
        let mailbox = Arc::new(Mailbox::default());
        guard.set_mailer(mailbox.clone());
        Site { guard, time, workspace, mailbox, folder, settings, keys }
    }

    /// Another process over the same files, by a machine whose wall clock says this.
    pub async fn restarted(&self, wall_us: i64) -> (Workspace, Guard, Arc<ManualTime>) {
        let time = ManualTime::new(wall_us);
        let workspace = Workspace::open(self.folder.path(), &KeyOptions::at(self.keys.path())).await.unwrap();
        let guard = Guard::open_at(&workspace, self.settings.clone(), time.clone()).await.unwrap();
        (workspace, guard, time)
    }

    /// An active person with [`PASSWORD`].
    pub async fn person(&self, email: &str, role: Role) -> Person {
        let new = NewPerson {
            email,
            verified: true,
            name: "Ana Ruiz",
            role,
            organisation: None,
            by_hand: true,
            status: Status::Active,
        };
        let person = self.guard.add_person(&Actor::System, new).await.unwrap();
        let hash = self.guard.pool().hash(&PASSWORD.into()).await.unwrap();
        let (mut tx, now) = self.guard.change().await.unwrap();
        self.guard.put_hash(&mut tx, &person.id, &hash, Some((now, &Actor::System))).await.unwrap();
        tx.commit().await.unwrap();
        person
    }

    /// Signs in from the usual place with [`PASSWORD`].
    pub async fn sign_in(&self, email: &str) -> SignedIn {
        self.guard.sign_in(&here(), email, &PASSWORD.into()).await.unwrap()
    }

    pub async fn who(&self, signed_in: &SignedIn) -> Who {
        self.guard.who_by_session(&signed_in.token, &here()).await.unwrap()
    }

    /// Sets up an app for codes in a session; gives its secret and the session after it.
    pub async fn enrol(&self, signed_in: &SignedIn) -> (Secret, SignedIn) {
        let who = self.who(signed_in).await;
        let app = self.guard.begin_totp(&who).await.unwrap();
        let code = self.code(&app.secret);
        let full = self.guard.confirm_totp(&who, &here(), &code).await.unwrap();
        assert_eq!(full.stage, Stage::Full);
        (app.secret, full)
    }

    /// What an app shows now.
    pub fn code(&self, secret: &Secret) -> Secret {
        let secret = totp_rs::Secret::try_from_base32(secret.expose()).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        let now = u64::try_from(self.guard.now().wall / 1_000_000).unwrap();
        Secret::new(totp.generate(now).to_string())
    }

    /// What the ledger has been told, the oldest first.
    pub async fn entries(&self) -> Vec<Body> {
        let rows: Vec<Vec<u8>> = sqlx::query_scalar("select entry from ledger_queue order by idx")
            .fetch_all(self.guard.state().pool())
            .await
            .unwrap();
        rows.iter().map(|bytes| Entry::from_bytes(bytes).unwrap().body).collect()
    }

    /// How many rows there are.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.guard.state().pool()).await.unwrap()
    }

    /// The token in the link of the latest mail, once it has come.
    pub async fn mailed_token(&self) -> Secret {
        for _ in 0..200 {
            if let Some(mail) = self.mailbox.0.lock().unwrap().last() {
                let link = mail.text.lines().find(|l| l.starts_with("https://")).unwrap();
                return Secret::new(link.rsplit('/').next().unwrap());
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("no mail has come");
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mailbox.0.lock().unwrap().clone()
    }
}

/// From an address, with a browser.
pub(crate) fn from(address: &str) -> Origin {
    Origin::new(address.parse().unwrap(), "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
}

/// The usual place.
pub(crate) fn here() -> Origin {
    from("192.0.2.10")
}
