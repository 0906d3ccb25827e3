//! How far the move is, for customers: a share and the window, nothing of what is inside. Only where `server.toml`
//! switches it on.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::Response;
use dunlin_plan::Window;
use dunlin_store::{RunKind, RunStatus, SplitStatus};
use dunlin_tell::words::{Words, fill, list};
use dunlin_tell::{Lang, Word};
use serde::Deserialize;

use super::pages::{Frame, escape};
use super::{Asked, Here, lang};
use crate::app::App;
use crate::extract::Query;
use crate::problem::Problem;

/// How long an answer is given without looking again.
const FRESH: Duration = Duration::from_secs(10);

/// What was found last, and when.
#[derive(Default)]
pub(crate) struct Progress(tokio::sync::Mutex<Option<(Instant, Option<u8>)>>);

/// For whom.
#[derive(Deserialize)]
pub(super) struct Reader {
    lang: Option<String>,
}

/// The share of the newest run that is done, in percent; none before the first.
async fn share(app: &App) -> Result<Option<u8>, Problem> {
    let mut known = app.progress.0.lock().await;
    if let Some((_, share)) = known.filter(|(at, _)| at.elapsed() < FRESH) {
        return Ok(share);
    }
    let state = app.workspace.state();
    let runs = state.runs().await?;
    let counts = |kind, status| kind == RunKind::Load && status != RunStatus::Abandoned;
    let share = match runs.into_iter().find(|run| counts(run.kind, run.status)) {
        None => None,
        Some(run) if run.status == RunStatus::Done => Some(100),
        Some(run) => {
            let (mut done, mut all) = (0, 0);
            for (table, _) in state.tables(&run.id).await? {
                let splits = state.splits(&run.id, &table).await?;
                done += splits.iter().filter(|split| split.status == SplitStatus::Loaded).count();
                // A table that is not cut yet is one that is not done.
                all += splits.len().max(1);
            }
            // Not all before the end of the run: what was loaded is read once more.
            Some(u8::try_from(done * 100 / all.max(1)).unwrap_or(99).min(99))
        }
    };
    *known = Some((Instant::now(), share));
    Ok(share)
}

/// When data may move, in a reader's words; none when it is always.
fn hours(window: &Window, lang: Lang) -> Option<String> {
    let whole_day = window.from == window.to;
    if whole_day && window.days.len() == 7 {
        return None;
    }
    let names = Words::of(lang).site.days;
    let name = |day: &dunlin_plan::Day| {
        let place = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        names.get(place).copied().unwrap_or_default().to_owned()
    };
    let days: Vec<String> = window.days.iter().map(name).collect();
    let clock = |time: jiff::civil::Time| format!("{:02}:{:02}", time.hour(), time.minute());
    let until =
        if window.to == jiff::civil::Time::midnight() { "24:00".to_owned() } else { clock(window.to) };
    Some(format!("{} {}–{until} ({})", list(lang, &days), clock(window.from), window.zone_name()))
}

/// The page.
pub(super) async fn page(
    app: Here,
    Asked(accept): Asked,
    Query(reader): Query<Reader>,
) -> Result<Response, Problem> {
    if !app.config.tell.status_page {
        return Err(Problem::not_found("page"));
    }
    let lang = lang::of_reader(reader.lang.as_deref(), &accept);
    let words = Words::of(lang);
    let brand = app.brands.now();
    let said = match share(&app).await? {
        None => words.site.not_begun.to_owned(),
        Some(100) => words.site.all_moved.to_owned(),
        Some(share) => fill(words.site.moved, &share.to_string()),
    };
    let mut inner = format!(
        "<article class=\"notice\"><h1>{}</h1><p class=\"meta\">{}</p><p>{}</p>",
        escape(words.site.status),
        escape(&brand.move_name),
        escape(&said)
    );
    let window = crate::plan::read(&app.workspace.dir).ok().and_then(|file| file.plan.ok()?.window);
    if let Some(hours) = window.and_then(|window| hours(&window, lang)) {
        let said = fill(words.site.window, &hours);
        inner.push_str(&format!("<p>{}</p>", escape(&said)));
    }
    inner.push_str("</article>");
    Frame::plain(&app, lang.as_str(), words, words.site.status, inner).answer(StatusCode::OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(days: &str, from: &str, to: &str) -> Option<String> {
        let text = format!(
            "[plan]\nname = \"x\"\n[store.a]\nurl = \"sqlite:a.db\"\n[store.b]\nurl = \"sqlite:b.db\"\n[window]\n\
             days = [{days}]\nfrom = \"{from}\"\nto = \"{to}\"\nzone = \"Europe/Madrid\"\n[[table]]\n\
             from = \"a.t\"\nto = \"b.t\"\nkey = [\"id\"]\n"
        );
        hours(&dunlin_plan::load(&text, "x").unwrap().window.unwrap(), Lang::Es)
    }

    #[test]
    fn hours_are_said_as_readers_say_them_and_not_at_all_where_it_is_always() {
        let weekend = said("\"sat\", \"sun\"", "22:00", "06:00").unwrap();
        assert_eq!(weekend, "sábado y domingo 22:00–06:00 (Europe/Madrid)");
        assert!(said("\"mon\"", "00:00", "24:00").unwrap().contains("00:00–24:00"));
        let always = "\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"";
        assert_eq!(said(always, "00:00", "24:00"), None);
    }
}
