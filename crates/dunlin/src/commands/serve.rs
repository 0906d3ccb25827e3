//! `dunlin serve`: the API, the pages and live events of this workspace, until somebody stops it.

use std::path::Path;
use std::sync::Arc;

use dunlin_guard::Guard;
use dunlin_server::{ConfigError, Server, ServerConfig, ServerError};

use super::OK;
use crate::cli::{Format, ServeArgs};
use crate::engine::MoveEngine;
use crate::failure::Failure;
use crate::output;
use crate::workspace::{PlanFile, open};

/// Serves until it is told to stop (Ctrl-C or SIGTERM), then lets what is under way come to its end.
pub async fn serve(dir: &Path, args: ServeArgs, format: Format) -> Result<u8, Failure> {
    // A plan that cannot be read is said now, and not by an empty page later.
    PlanFile::read(dir)?;
    let mut config = ServerConfig::load(dir).map_err(misconfigured)?;
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    dunlin_server::start_log(config.log);
    let workspace = Arc::new(open(dir).await?);
    let mut settings = config.guard.clone();
    if settings.public_url.is_none() && config.listen.port() != 0 {
        // Links and passkeys need an address; on this machine it is this one.
        settings.public_url = Some(config.base_url(config.listen));
    }
    let guard = Guard::open(&workspace, settings).await.map_err(guarded)?;
    let engine = MoveEngine::new(workspace.clone());
    let server = Server::bind(workspace, config, guard.clone(), Arc::new(engine.clone()));
    let server = server.await.map_err(failed)?;
    said(&server, &guard, format).await?;
    engine.take_up().await?;
    server.serve(told_to_stop()).await.map_err(failed)?;
    Ok(OK)
}

/// Where it answers and, the first time, how the owner comes in.
async fn said(server: &Server, guard: &Guard, format: Format) -> Result<(), Failure> {
    let url = server.url();
    let secret = guard.set_up_secret().await.map_err(guarded)?;
    let set_up = secret.as_ref().map(dunlin_guard::Secret::expose);
    if format == Format::Json {
        output::json(&serde_json::json!({ "url": url, "set_up": set_up, "host": server.demo_host() }));
        return Ok(());
    }
    output::line(&format!("dunlin answers at {url} (Ctrl-C to stop)"));
    if let Some(host) = server.demo_host() {
        output::line(&format!("A made-up shop shows the notice to its customers: {host}"));
    }
    if let Some(secret) = set_up {
        output::line(&format!(
            "Nobody owns this workspace yet. Open {url}/set-up and give this secret; it works once:"
        ));
        output::line(&format!("  {secret}"));
    }
    Ok(())
}

/// Ctrl-C, or the word of whoever supervises processes.
async fn told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            },
            Err(_) => drop(interrupted.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupted.await);
    output::note("stopping: what is under way comes to its end first");
}

pub(crate) fn misconfigured(error: ConfigError) -> Failure {
    match error {
        ConfigError::Findings(found) => Failure::Findings(found),
        other => Failure::Refused { message: other.to_string(), help: None, code: 2 },
    }
}

fn failed(error: ServerError) -> Failure {
    match error {
        ServerError::Config(error) => misconfigured(error),
        ServerError::Store(error) => Failure::State(error),
        ServerError::Guard(error) => guarded(error),
        other => Failure::Refused { message: other.to_string(), help: None, code: 3 },
    }
}

/// What the guard says, for a shell.
pub fn guarded(error: dunlin_guard::GuardError) -> Failure {
    match error {
        dunlin_guard::GuardError::Store(error) => Failure::State(error),
        other => {
            let help = other.help().map(str::to_owned);
            Failure::Refused { message: other.to_string(), help, code: 2 }
        }
    }
}
