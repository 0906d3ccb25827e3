//! What tests of several crates need: PostgreSQL servers that start and vanish with the test.
//!
//! [`postgres`] gives the server that `DUNLIN_TEST_POSTGRES` names (a URL whose user may create databases), or a
//! private one shared by the tests of this process. [`start_private`] always starts one, for tests that kill it.
//! Where no PostgreSQL is installed both print why and give `None`, so that the test can return.
//! [`MailSink`] is a mail server that takes letters, [`OidcProvider`] an identity provider, [`Proxy`] a network that
//! breaks.
//! Not for production code: everything here panics when the machine is not as it should be.

mod cluster;
mod oidc;
mod proxy;
mod sink;

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;

pub use cluster::Cluster;
pub use oidc::OidcProvider;
pub use proxy::{Fault, Proxy};
pub use sink::{Answer, MailSink, SinkBehaviour, SunkLetter};

/// A server that tests may create databases in.
#[derive(Clone)]
pub struct TestServer {
    /// A URL without a database, up to and including the last slash.
    base: String,
    /// The parameters behind the question mark.
    query: String,
}

static SHARED: OnceCell<Option<(TestServer, Option<Cluster>)>> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The server for tests, or `None` (with the reason on stderr) where there is none to be had.
pub async fn postgres() -> Option<TestServer> {
    let shared = SHARED
        .get_or_init(|| async {
            if let Ok(url) = std::env::var("DUNLIN_TEST_POSTGRES") {
                return Some((TestServer::at(&url), None));
            }
            let cluster = Cluster::start_shared()?;
            Some((TestServer::at(&cluster.url("postgres")), Some(cluster)))
        })
        .await;
    shared.as_ref().map(|(server, _)| server.clone())
}

/// A server of one's own, that ends when the value is dropped.
pub fn start_private() -> Option<Cluster> {
    Cluster::start()
}

impl TestServer {
    fn at(url: &str) -> Self {
        let (plain, query) = url.split_once('?').unwrap_or((url, ""));
        let cut = plain.rfind('/').expect("a URL with a database") + 1;
        Self { base: plain[..cut].to_owned(), query: query.to_owned() }
    }

    fn url(&self, database: &str) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{}{database}{mark}{}", self.base, self.query)
    }

    /// Makes an empty database whose name starts with `name`, and gives its URL.
    pub async fn database(&self, name: &str) -> String {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}_{}_{number}", std::process::id());
        let admin = connect(&self.url("postgres")).await;
        admin
            .batch_execute(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"))
            .await
            .expect("drop an old database");
        // The C locale, so that what tests see does not depend on the machine.
        let create = format!(
            "CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
        );
        admin.batch_execute(&create).await.expect("create a database");
        self.url(&name)
    }
}

/// A bare connection, to set the scene and to look behind it.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) =
        tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("connect to the test server");
    tokio::spawn(connection);
    client
}
