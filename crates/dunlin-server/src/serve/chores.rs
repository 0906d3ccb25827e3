//! What the server does by itself: signing checkpoints, watching sessions of open streams, reading a renewed
//! certificate, passing on what happens, and whatever the guard must do from time to time.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use super::tls::Certificates;
use crate::app::App;

/// The tasks.
pub(super) struct Chores(Vec<JoinHandle<()>>);

/// Starts them.
pub(super) fn start(app: &App, tls: Option<Certificates>) -> Chores {
    let mut tasks = vec![
        tokio::spawn(integrate(app.clone())),
        tokio::spawn(app.watch.clone().run(app.clone())),
        tokio::spawn(runs(app.clone())),
    ];
    if let Some(tls) = tls {
        tasks.push(tokio::spawn(reload(tls)));
    }
    tasks.extend(crate::rights::chores(app));
    Chores(tasks)
}

impl Chores {
    /// Ends them.
    pub(super) async fn stop(self) {
        for task in self.0 {
            task.abort();
            let _ = task.await;
        }
    }
}

/// Each second the queue goes into the tiles, under a signed checkpoint, when there is something in it.
async fn integrate(app: App) {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut integrated = 0;
    loop {
        tick.tick().await;
        let size = match app.workspace.state().ledger_size().await {
            Ok(size) if size != integrated => size,
            Ok(_) => continue,
            Err(error) => {
                tracing::error!(%error, "the ledger's head could not be read");
                continue;
            }
        };
        match app.workspace.integrate().await {
            Ok(checkpoint) => {
                integrated = checkpoint.size;
                app.metrics.ledger_entries.set(i64::try_from(size).unwrap_or(i64::MAX));
            }
            Err(error) => tracing::error!(%error, "the ledger could not be integrated"),
        }
    }
}

async fn runs(app: App) {
    let mut progress = app.engine.watch();
    loop {
        match progress.recv().await {
            Ok(progress) => {
                let data = serde_json::to_value(&progress).unwrap_or_default();
                app.hub.tell("run.progress", dunlin_guard::Action::RunRead, None, data);
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

async fn reload(tls: Certificates) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    loop {
        tick.tick().await;
        match tls.reload() {
            Ok(true) => tracing::info!("a new certificate is in use"),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "the certificate has changed and cannot be used; the old one goes on")
            }
        }
    }
}
