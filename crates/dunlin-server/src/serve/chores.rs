//! What the server does by itself: signing checkpoints, watching sessions of open streams, reading a renewed
//! certificate, passing on what happens, and whatever the guard must do from time to time.

use std::time::Duration;

use dunlin_guard::audit::Shredder;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::tls::Certificates;
use crate::api::work::Messenger;
use crate::app::App;

/// The tasks.
pub(super) struct Chores {
    tasks: Vec<JoinHandle<()>>,
    /// Those that come to a good place by themselves.
    polite: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

/// Starts them.
pub(super) fn start(app: &App, tls: Option<Certificates>) -> Chores {
    let mut tasks = vec![
        tokio::spawn(integrate(app.clone())),
        tokio::spawn(app.watch.clone().run(app.clone())),
        tokio::spawn(runs(app.clone())),
        tokio::spawn(presence(app.clone())),
        tokio::spawn(alerts(app.clone())),
    ];
    if let Some(tls) = tls {
        tasks.push(tokio::spawn(reload(tls)));
    }
    tasks.push(tokio::spawn(sweep(app.clone())));
    let stop = watch::Sender::new(false);
    let (judge, judging) = (app.alerts.clone(), stop.subscribe());
    let (mail, mailing) = (app.clone(), stop.subscribe());
    let (keeper, plan) = (app.clone(), app.clone());
    tasks.push(tokio::spawn(async move { keeper.presence.keep().await }));
    tasks.push(tokio::spawn(adopt(plan)));
    tasks.push(tokio::spawn(retain(app.clone())));
    tasks.push(tokio::spawn(crate::requests::carry_due(app.clone())));
    tasks.push(tokio::spawn(crate::notices::unreached_tasks(app.clone())));
    tasks.extend(crate::api::work::start(app));
    let polite = vec![
        tokio::spawn(async move { judge.run(judging).await }),
        tokio::spawn(async move { mail.outbox.run(&Messenger(mail.clone()), mailing).await }),
    ];
    Chores { tasks, polite, stop }
}

impl Chores {
    /// Ends them.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.polite {
            let abort = task.abort_handle();
            if tokio::time::timeout(Duration::from_secs(3), task).await.is_err() {
                abort.abort();
            }
        }
        for task in self.tasks {
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

/// Ends in the state the sessions whose time is over, and takes up policies that were edited. An ended
/// session counts for nothing, swept or not.
async fn sweep(app: App) {
    let mut tick = tokio::time::interval(Duration::from_secs(10));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let swept = async { app.guard.sweep().await };
        if let Err(error) = swept.await {
            tracing::error!(%error, "what has ended could not be swept");
        }
        match app.authority.reload() {
            Ok(true) => {
                if let Err(error) =
                    app.authority.record(app.workspace.state(), &dunlin_ledger::Actor::System).await
                {
                    tracing::error!(%error, "the change of the policies could not be entered");
                }
                app.hub.tell("policy.changed", dunlin_guard::Action::PolicyRead, None, serde_json::json!({}));
            }
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "the policies were edited and cannot be used; the old ones go on")
            }
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

/// Each hour what has been kept for long enough is shredded.
async fn retain(app: App) {
    let shredder = Shredder::new(app.workspace.state().clone(), app.config.retention.clone());
    let mut tick = tokio::time::interval(Duration::from_secs(60 * 60));
    loop {
        tick.tick().await;
        if let Err(error) = shredder.run(app.guard.now().wall).await {
            tracing::error!(%error, "what was kept for long enough could not be shredded");
        }
    }
}

/// People of the plan and accounts are one by their address: whenever the plan is written, it is told to the guard.
async fn adopt(app: App) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known = None;
    loop {
        tick.tick().await;
        let Ok(file) = crate::plan::read(&app.workspace.dir) else { continue };
        let mark = crate::plan::etag(&file.text);
        let (Ok(plan), true) = (&file.plan, known.as_ref() != Some(&mark)) else { continue };
        match app.guard.adopt_plan(&plan.people).await {
            Ok(()) => known = Some(mark),
            Err(error) => tracing::error!(%error, "the plan's people could not be told to the guard"),
        }
    }
}

async fn presence(app: App) {
    let mut changes = app.presence.changes();
    loop {
        match changes.recv().await {
            Ok(change) => {
                let data = serde_json::to_value(&change).unwrap_or_default();
                app.hub.tell("presence.changed", dunlin_guard::Action::PresenceRead, None, data);
            }
            Err(RecvError::Lagged(_)) => {
                // Readers take a snapshot again.
                app.hub.tell(
                    "presence.reset",
                    dunlin_guard::Action::PresenceRead,
                    None,
                    serde_json::json!({}),
                );
            }
            Err(RecvError::Closed) => return,
        }
    }
}

async fn alerts(app: App) {
    let mut raised = app.alerts.subscribe();
    loop {
        match raised.recv().await {
            Ok(alert) => {
                let data = serde_json::to_value(&alert).unwrap_or_default();
                app.hub.tell("alert.raised", dunlin_guard::Action::AlertsRead, None, data);
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
