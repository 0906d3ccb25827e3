//! What work tells outside of the app: mail to whoever is mentioned, and webhooks. Both lie in the outbox of the state until
//! they have arrived, over restarts of the server, for 31 hours at most.
//!
//! A mail names the task and who wrote, and leads there; what was written is read in the app. Between a change and its place
//! in the outbox is a moment: whoever needs every change reads the ledger.

use dunlin_guard::outgoing::Webhook;
use dunlin_guard::outgoing::outbox::{Carrier, Message, NotCarried};
use dunlin_guard::{Secret, Status};
use dunlin_store::now_us;

use crate::app::App;
use crate::problem::Problem;

/// What stands before a webhook's id in the outbox: those of the alerts have names of their own.
const PREFIX: &str = "work:";
/// Messages that may wait. Somebody's webhook that never answers must not fill the state.
const WAITING_MAX: i64 = 10_000;

/// Puts an event into the outbox for each webhook that wants it.
pub(super) async fn tell_hooks(app: &App, event: &str, body: &serde_json::Value) {
    let hooks = app.desk.work.hooks().into_iter().filter(|h| h.events.iter().any(|e| e == event));
    let messages: Vec<Message> = hooks
        .map(|hook| Message::Webhook { name: format!("{PREFIX}{}", hook.id), body: body.to_string() })
        .collect();
    put(app, &messages).await;
}

/// Writes to people who were mentioned in a comment on a task.
pub(super) async fn mail_mentions(app: &App, by: &str, task: &str, people: &[&String]) {
    let Ok(on) = app.desk.work.task(task) else { return };
    let who = app.guard.person(by).await.map(|p| p.name).unwrap_or_else(|_| "Somebody".to_owned());
    let link = format!("{}/work?task={}", app.base_url(), on.id);
    let mut messages = Vec::new();
    for person in people {
        let Ok(person) = app.guard.person(person).await else { continue };
        if person.status != Status::Active {
            continue;
        }
        messages.push(Message::Mail {
            to: person.email,
            subject: format!("{who} mentioned you on T-{}", on.number),
            text: format!("{who} mentioned you on T-{}, {}.\n\n{link}\n", on.number, on.title),
        });
    }
    put(app, &messages).await;
}

async fn put(app: &App, messages: &[Message]) {
    if messages.is_empty() {
        return;
    }
    let kept = async {
        let waiting = app.outbox.waiting(WAITING_MAX).await?;
        if waiting >= WAITING_MAX {
            tracing::warn!(waiting, "the outbox is full: messages about work are dropped");
            return Ok(());
        }
        let mut tx = app.workspace.state().begin().await?;
        for message in messages {
            app.outbox.put(&mut tx, message, None, now_us()).await?;
        }
        tx.commit().await?;
        app.outbox.wake();
        Ok::<(), Problem>(())
    };
    if let Err(problem) = kept.await {
        tracing::error!(code = problem.code, "messages about work could not be kept");
    }
}

/// Carries everything in the outbox: webhooks of work by their own secrets, the rest as the settings say.
pub(crate) struct Messenger(pub(crate) App);

#[async_trait::async_trait]
impl Carrier for Messenger {
    async fn carry(&self, id: &str, message: &Message) -> Result<(), NotCarried> {
        let Message::Webhook { name, body } = message else { return self.0.post.carry(id, message).await };
        let Some(hook) = name.strip_prefix(PREFIX) else { return self.0.post.carry(id, message).await };
        // It was removed: there is nobody to tell.
        let gone = || NotCarried { code: "no_such_webhook", again: false };
        let hook = self.0.desk.work.hooks().into_iter().find(|h| h.id == hook).ok_or_else(gone)?;
        let url = hook.url.parse().map_err(|_| gone())?;
        let secret = super::beside::secret(&self.0, &hook.id);
        let secret = secret.map_err(|_| NotCarried { code: "keys", again: true })?;
        let webhook = Webhook { name: hook.id, url, secret: Secret::new(secret) };
        webhook.post(&self.0.post.client, id, now_us() / 1_000_000, body).await
    }
}
