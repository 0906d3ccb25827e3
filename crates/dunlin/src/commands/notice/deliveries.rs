//! `dunlin notice deliveries`: how the messages of a notice fare, in numbers and never by person.

use std::path::Path;

use dunlin_store::Actor;
use dunlin_tell::send::{Figures, MessageRow, Settle};

use super::super::{NOT_RIGHT, OK};
use super::whom::{Desk, failed};
use crate::cli::{Format, SettleWord};
use crate::failure::Failure;
use crate::output::{self, thousands};

/// Shows the figures of each message; before, decides about uncertain letters where that is asked.
pub async fn deliveries(
    dir: &Path,
    file: &Path,
    settle: Option<SettleWord>,
    message: Option<&str>,
    format: Format,
) -> Result<u8, Failure> {
    let notice = super::read(file)??.notice;
    let wanted = message.map(|word| super::send::message_of(&notice, word)).transpose()?;
    let desk = Desk::open(dir).await?;
    let rows = desk.queue.of_notice(&notice.id).await.map_err(failed)?;
    let rows: Vec<MessageRow> =
        rows.into_iter().filter(|row| wanted.as_ref().is_none_or(|wanted| row.message == *wanted)).collect();
    if let Some(word) = settle {
        // Nobody may be sending what is decided about here.
        let _alone = desk.workspace.lock_send()?;
        let how = match word {
            SettleWord::Sent => Settle::Sent,
            SettleWord::Again => Settle::Again,
        };
        let mut settled = 0;
        for row in &rows {
            settled += desk.queue.settle(row, how, &Actor::local()).await.map_err(failed)?;
        }
        output::note(&format!("{} uncertain letters settled", thousands(settled)));
        desk.workspace.integrate().await?;
    }
    if rows.is_empty() && format == Format::Text {
        output::line("no message of this notice was begun");
    }
    let mut uncertain = 0;
    for row in desk.queue.of_notice(&notice.id).await.map_err(failed)? {
        if !rows.iter().any(|known| known.id == row.id) {
            continue;
        }
        let figures = desk.queue.figures(&row).await.map_err(failed)?;
        uncertain += figures.uncertain;
        print(&row, &figures, format);
    }
    Ok(if uncertain > 0 { NOT_RIGHT } else { OK })
}

/// The figures of a message, with the equation that shows that nobody is missing.
pub fn print(row: &MessageRow, figures: &Figures, format: Format) {
    if format == Format::Json {
        let mut value = serde_json::json!({
            "notice": row.notice, "version": row.version, "message": row.message, "stream": row.stream,
            "transport": row.transport, "state": row.state.as_str(), "rows": row.rows_read,
            "duplicates": row.duplicates, "recipients": figures.recipients(),
        });
        if let (Some(value), Ok(serde_json::Value::Object(more))) =
            (value.as_object_mut(), serde_json::to_value(figures))
        {
            value.extend(more);
        }
        output::json(&value);
        return;
    }
    output::line(&format!(
        "{} version {}, {} by {}: {}",
        row.notice,
        row.version,
        row.message,
        row.transport,
        row.state.as_str()
    ));
    let part = |name: &str, count: u64| format!("{} {name}", thousands(count));
    let parts = [
        ("sent", figures.sent),
        ("bounced", figures.bounced),
        ("complained", figures.complained),
        ("failed", figures.failed),
        ("suppressed", figures.suppressed),
        ("uncertain", figures.uncertain),
        ("due", figures.due),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(_, count)| *count > 0).map(|(name, count)| part(name, *count)).collect();
    let parts = if parts.is_empty() { "nobody".to_owned() } else { parts.join(" + ") };
    output::line(&format!("  {} recipients = {parts}", thousands(figures.recipients())));
    output::line(&format!(
        "  {} rows = {} recipients + {} duplicates + {} without a usable address",
        thousands(row.rows_read),
        thousands(figures.recipients()),
        thousands(row.duplicates),
        thousands(figures.invalid)
    ));
    for group in &figures.by_locale {
        output::line(&format!(
            "  {}: {} of {} sent",
            group.locale,
            thousands(group.sent),
            thousands(group.recipients)
        ));
    }
}
