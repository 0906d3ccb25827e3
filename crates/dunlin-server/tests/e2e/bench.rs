//! A workspace, a server over it, and people who are signed in.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dunlin_guard::{Guard, GuardSettings, Mail, MailFailed, Mailer, NewPerson, Origin, Status};
use dunlin_ledger::Actor;
use dunlin_plan::Role;
use dunlin_server::{Server, ServerConfig, ServerError};
use dunlin_store::{KeyOptions, Workspace};
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::customers::FakeCustomers;
use crate::fake::Fake;

pub const PLAN: &str = r##"# what moves
[plan]
name = "CRM to Atlas"          # the move's name
[company]
name = "Atlas <Ltd>"
[store.crm]
url = "sqlite:crm.db"
[store.atlas]
url = "sqlite:atlas.db"
protected = true
[[table]]
from = "crm.customers"
to = "atlas.people"
key = ["id"]
[table.columns]
id = "id"
email = { sql = "lower(email)", kind = "email" }
pin = { sql = "pin", kind = "credential" }
"##;

/// A server that runs.
pub struct Bench {
    pub home: tempfile::TempDir,
    pub guard: Guard,
    pub workspace: Arc<Workspace>,
    pub url: String,
    pub http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<Result<(), ServerError>>>,
}

/// Keeps mail, to be read by a test.
#[derive(Default)]
pub struct Mails(pub Mutex<Vec<Mail>>);

#[async_trait::async_trait]
impl Mailer for Mails {
    async fn send(&self, mail: Mail) -> Result<(), MailFailed> {
        self.0.lock().unwrap().push(mail);
        Ok(())
    }
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Person {
    pub id: String,
    pub session: String,
    pub cookie: String,
    pub csrf: String,
}

impl Bench {
    pub async fn new() -> Bench {
        Bench::with("").await
    }

    /// With more in `server.toml`.
    pub async fn with(config: &str) -> Bench {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("w");
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("dunlin.toml"), PLAN).unwrap();
        Bench::over(home, config).await
    }

    /// Over a workspace that is there already.
    pub async fn over(home: tempfile::TempDir, config: &str) -> Bench {
        Bench::over_with(home, config, None).await
    }

    /// The same with somebody who sends mail.
    pub async fn over_with(home: tempfile::TempDir, config: &str, mailer: Option<Arc<Mails>>) -> Bench {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = home.path().join("w");
        let keys = KeyOptions::at(&home.path().join("keys"));
        let workspace = Arc::new(Workspace::open(&dir, &keys).await.unwrap());
        let text = format!("listen = \"127.0.0.1:0\"\n{config}");
        let config = ServerConfig::parse(&text, &dir).unwrap();
        let guard = Guard::open(&workspace, GuardSettings::for_tests()).await.unwrap();
        if let Some(mailer) = mailer {
            guard.set_mailer(mailer);
        }
        let mut engine = Fake::new(workspace.state().clone(), PLAN.to_owned());
        engine.customers = Some(Arc::new(FakeCustomers::new(workspace.state().clone())));
        let engine = Arc::new(engine);
        let server = Server::bind(workspace.clone(), config, guard.clone(), engine).await.unwrap();
        let url = format!("http://{}", server.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.serve(async {
            let _ = stopped.await;
        }));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Bench { home, guard, workspace, url, http, stop: Some(stop), running: Some(running) }
    }

    pub fn dir(&self) -> PathBuf {
        self.workspace.dir.clone()
    }

    pub fn plan_file(&self) -> PathBuf {
        self.dir().join("dunlin.toml")
    }

    /// Adds somebody of a role and signs them in with two factors.
    pub async fn person(&self, role: Role) -> Person {
        let number = self.guard.people().await.unwrap().len();
        let email = format!("{}{number}@example.com", role.as_str());
        let new = NewPerson {
            email: &email,
            verified: true,
            name: "Somebody",
            role,
            organisation: None,
            by_hand: true,
            status: Status::Active,
        };
        let person = self.guard.add_person(&Actor::System, new).await.unwrap();
        self.sign_in(&person.id).await
    }

    /// Another session of somebody.
    pub async fn sign_in(&self, person: &str) -> Person {
        let origin = Origin::new([127, 0, 0, 1].into(), "test");
        let signed_in = self.guard.sign_in_federated(&origin, person, "oidc.test", true).await.unwrap();
        Person {
            id: person.to_owned(),
            session: signed_in.session.clone(),
            cookie: format!("dunlin={}", signed_in.token.expose()),
            csrf: self.guard.form_token(&signed_in.token).unwrap(),
        }
    }

    /// A request of somebody, with everything that it needs.
    pub fn ask(&self, who: &Person, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.bare(method, path).header("cookie", &who.cookie).header("x-csrf-token", &who.csrf)
    }

    pub fn bare(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).timeout(Duration::from_secs(20))
    }

    pub async fn get(&self, who: &Person, path: &str) -> Response {
        self.ask(who, Method::GET, path).send().await.unwrap()
    }

    pub async fn post(&self, who: &Person, path: &str, body: Value) -> Response {
        send(self.ask(who, Method::POST, path), &body).await
    }

    /// Every entry of the ledger, queued or integrated, as text.
    pub async fn ledger(&self) -> Vec<String> {
        self.workspace.integrate().await.unwrap();
        let log = self.workspace.ledger().unwrap();
        log.entries(0).map(|entry| String::from_utf8(entry.unwrap()).unwrap()).collect()
    }

    pub fn stop_soon(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Stops it and gives the folder back.
    pub async fn stop(mut self) -> tempfile::TempDir {
        self.stop_soon();
        self.running.take().unwrap().await.unwrap().unwrap();
        self.workspace.state().close().await;
        self.home
    }
}

pub async fn send(request: reqwest::RequestBuilder, body: &Value) -> Response {
    request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()
}

pub async fn json(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
