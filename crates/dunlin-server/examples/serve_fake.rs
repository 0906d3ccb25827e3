//! A server over an engine in memory, to look at its pages and to load it: `cargo run -p dunlin-server --example
//! serve_fake -- FOLDER [ADDRESS]`. Prints the address and, where nobody is there yet, the secret of the set-up.

// The engine is the tests', which may panic.
#![allow(clippy::unwrap_used)]

#[path = "../tests/e2e/fake.rs"]
mod fake;
#[path = "../tests/e2e/fake_duplicates.rs"]
mod fake_duplicates;

use std::path::PathBuf;
use std::sync::Arc;

use dunlin_guard::Guard;
use dunlin_server::{Server, ServerConfig};
use dunlin_store::{KeyOptions, Workspace};

const PLAN: &str = r##"[plan]
name = "CRM to Atlas"
summary = "Customers and orders leave the 2011 CRM for the Atlas platform."
[company]
name = "Atlas Ltd"
colour = "#a8481f"
contact = "privacy@atlas.example"
[store.crm]
url = "sqlite:crm.db"
[store.atlas]
url = "sqlite:atlas.db"
protected = true
[[table]]
from = "crm.customers"
to = "atlas.people"
key = ["id"]
"##;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init();
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("give a folder")?);
    let dir = folder.join("workspace");
    std::fs::create_dir_all(&dir)?;
    if !dir.join("dunlin.toml").exists() {
        std::fs::write(dir.join("dunlin.toml"), PLAN)?;
    }
    let mut config = ServerConfig::load(&dir)?;
    if let Some(address) = arguments.next() {
        config.listen = address.parse()?;
    }
    let workspace = Arc::new(Workspace::open(&dir, &KeyOptions::at(&folder.join("keys"))).await?);
    let mut settings = config.guard.clone();
    settings.public_url = Some(config.base_url(config.listen));
    let guard = Guard::open(&workspace, settings).await?;
    let secret = guard.set_up_secret().await?;
    let engine = Arc::new(fake::Fake::new(workspace.state().clone(), PLAN.to_owned()));
    let server = Server::bind(workspace, config, guard, engine).await?;
    println!("{}", server.url());
    if let Some(secret) = secret {
        println!("set-up secret: {}", secret.expose());
    }
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    server.serve(stop).await?;
    Ok(())
}
