//! People whom a message could not be sent to become a task: one for each message, with their number by reason. It holds
//! no row and no address; whoever deals with it opens the rows through the gate.
//!
//! It is made here, and not where letters are sent from, because the board of tasks is this server's.

use std::fmt::Write;
use std::time::Duration;

use dunlin_tell::send::{SendError, Unreached, unreached, unreached_told};
use dunlin_work::{By, Origin};
use serde_json::{Map, Value, json};

use crate::app::App;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(3);

/// Makes a task of each message that did not reach everybody.
pub(crate) async fn tasks(app: App) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        loop {
            match next(&app).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, "a task about people who cannot be written to could not be made");
                    break;
                }
            }
        }
    }
}

/// Makes one; whether there was one to be made.
async fn next(app: &App) -> Result<bool, SendError> {
    let state = app.workspace.state();
    let Some(of) = unreached(state).await? else { return Ok(false) };
    // Made, and died before that was noted.
    let (sign, mut there) = (sign(&of), None);
    for task in app.desk.work.board().tasks() {
        if task.description.contains(&sign) {
            there = Some(task.id.clone());
        }
    }
    let task = match there {
        Some(task) => Some(task),
        None => {
            let made = app.desk.work.create(&By::dunlin(), Origin::Manual, vec![fields(&of)]).await;
            let made = made.inspect_err(|error| {
                tracing::error!(%error, notice = of.notice, "no task could be made for unreachable people");
            });
            made.ok().and_then(|made| made.tasks.first().map(|task| task.id.clone()))
        }
    };
    let Some(task) = task else { return Ok(false) };
    unreached_told(state, &of, &task).await?;
    Ok(true)
}

/// By what the task of a message is known again.
fn sign(of: &Unreached) -> String {
    format!("Message `{}` of the notice `{}`, version {}.", of.message, of.notice, of.version)
}

fn fields(of: &Unreached) -> Map<String, Value> {
    let rows = of.rows();
    let audience = of.audience.as_deref().unwrap_or(&of.notice);
    let addresses = if rows == 1 { "address" } else { "addresses" };
    let mut says = format!("{}\n\n", sign(of));
    says.push_str("These people got no letter, and none is on its way to them:\n\n");
    for (reason, count) in &of.by_reason {
        // Writing to a text cannot fail.
        let _ = writeln!(says, "- {reason}: {count}");
    }
    says.push_str(
        "\nTell them another way, or correct the rows: `dunlin notice audience FILE --unreachable` lists them, with \
         their `key` where the audience gives one (`select email, locale, id as key from …`), through the gate; so does \
         `POST /api/v1/notices/NAME/unreachable`. A corrected row gets the notice's next message.\n",
    );
    let title = format!("{rows} {addresses} of {audience} cannot be written to");
    let mut fields = Map::new();
    fields.insert("title".to_owned(), json!(title));
    fields.insert("description".to_owned(), json!(says));
    fields.insert("labels".to_owned(), json!(["letters"]));
    fields.insert("priority".to_owned(), json!("high"));
    fields
}
