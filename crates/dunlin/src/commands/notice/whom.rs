//! A notice in all its languages, and the audience of it: what `audience` shows and `send` reads.

use std::path::Path;
use std::sync::Arc;

use dunlin_connect::Store;
use dunlin_gate::{Ask, MaskedOnly};
use dunlin_server::ServerConfig;
use dunlin_store::{Actor, Workspace};
use dunlin_tell::send::{Audience, Gathered, Queue, Reading, Recipients, SendError};
use dunlin_tell::{Notice, NoticeSource};

use super::super::OK;
use super::super::quarantine::refused;
use crate::cli::{ClearArgs, Format};
use crate::failure::Failure;
use crate::output::{self, thousands};
use crate::workspace::{PlanFile, open};

/// A notice in all its languages, that of the named file first.
pub struct Languages {
    pub sources: Vec<NoticeSource>,
}

impl Languages {
    /// Reads the file and its other languages beside it.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let first = super::read(file)??;
        let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let mut sources = vec![first];
        let entries = std::fs::read_dir(folder).map_err(|e| Failure::file(folder, &e))?;
        let mut beside = Vec::new();
        for entry in entries {
            let path = entry.map_err(|e| Failure::file(folder, &e))?.path();
            let is_other = path.file_name() != file.file_name();
            if is_other && path.extension().is_some_and(|extension| extension == "md") {
                beside.push(path);
            }
        }
        beside.sort();
        for path in beside {
            // A file of another notice may be as wrong as it likes.
            let Ok(other) = super::read(&path)? else { continue };
            let own = &sources[0].notice;
            if other.notice.id != own.id || other.notice.version != own.version {
                continue;
            }
            alike(own, &other.notice, &other.file)?;
            if sources.iter().any(|known| known.notice.locale == other.notice.locale) {
                let message = format!("{} is in a language that the notice has already", other.file);
                return Err(Failure::usage(message, "give one of the two another name or version"));
            }
            sources.push(other);
        }
        Ok(Self { sources })
    }

    /// The notice of the named file.
    pub fn first(&self) -> &Notice {
        &self.sources[0].notice
    }

    /// All of them.
    pub fn notices(&self) -> Vec<&Notice> {
        self.sources.iter().map(|source| &source.notice).collect()
    }

    /// The language of the letter for somebody who prefers this one.
    pub fn locale_for(&self, wanted: Option<&str>) -> String {
        let known: Vec<String> = self.sources.iter().map(|s| s.notice.locale.to_string()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        dunlin_tell::send::best_locale(&known, wanted).unwrap_or_default().to_owned()
    }
}

/// Languages of one notice go to one audience by one stream.
fn alike(own: &Notice, other: &Notice, file: &str) -> Result<(), Failure> {
    let differs = if other.stream != own.stream {
        "stream"
    } else if other.audience.is_some() && other.audience != own.audience {
        "audience"
    } else {
        return Ok(());
    };
    Err(Failure::usage(
        format!("{file} has another `{differs}` than the notice's other language"),
        "the languages of a notice go to one audience: give them the same, or another name",
    ))
}

/// What reading an audience needs, together.
pub struct Desk {
    pub plan: PlanFile,
    pub workspace: Arc<Workspace>,
    pub config: ServerConfig,
    pub queue: Queue,
}

impl Desk {
    /// Opens the workspace.
    pub async fn open(dir: &Path) -> Result<Self, Failure> {
        let plan = PlanFile::read(dir)?;
        let config = ServerConfig::load(dir).map_err(super::super::serve::misconfigured)?;
        let workspace = Arc::new(open(dir).await?);
        let recipients = Recipients::new(workspace.keys())?;
        let queue = Queue::new(workspace.state().clone(), recipients);
        Ok(Self { plan, workspace, config, queue })
    }

    /// The audience of a notice, and its store.
    async fn audience(&self, languages: &Languages) -> Result<(Audience, Arc<dyn Store>), Failure> {
        let notice = languages.first();
        let audience = Audience::parse(notice.audience.as_deref()).map_err(|e| failed(e.into()))?;
        let store = self.plan.plan.stores.get(audience.store()).ok_or_else(|| {
            let message = format!("the plan has no store `{}`, which the audience names", audience.store());
            Failure::usage(message, "name one of [store.…]")
        })?;
        let store = dunlin_move::open_store(store, &self.plan.dir).await.map_err(|e| self.plan.failure(e))?;
        Ok((audience, store))
    }

    /// Reads the audience of a notice by `read`, through the gate.
    pub async fn with_audience<T>(
        &self,
        languages: &Languages,
        read: impl AsyncFnOnce(&Reading<'_>) -> Result<T, SendError>,
    ) -> Result<T, Failure> {
        let notice = languages.first();
        let (audience, store) = self.audience(languages).await?;
        let why = format!("notice {} version {}", notice.id, notice.version);
        let ask = Ask { surface: "notice".to_owned(), ..Ask::clear(Actor::local(), "notice", &why) };
        let reading = Reading {
            audience: &audience,
            store: &*store,
            policy: &MaskedOnly,
            log: self.workspace.clone(),
            ask: &ask,
            locale: &|wanted| languages.locale_for(wanted),
        };
        read(&reading).await.map_err(failed)
    }
}

/// `dunlin notice audience`.
pub async fn audience(dir: &Path, file: &Path, format: Format) -> Result<u8, Failure> {
    let languages = Languages::read(file)?;
    let desk = Desk::open(dir).await?;
    let stream = languages.first().stream;
    let found = desk
        .with_audience(&languages, async |reading| {
            dunlin_tell::send::count(reading, &desk.queue, stream).await
        })
        .await?;
    desk.workspace.integrate().await?;
    print(&found, format);
    if format == Format::Text {
        output::note("`dunlin notice send` asks for the number of recipients before anything leaves");
    }
    Ok(OK)
}

/// The most rows that are listed.
const LISTED: usize = 10_000;

/// `dunlin notice audience --unreachable`: the rows that no letter can go to, through the gate.
pub async fn unreachable(dir: &Path, file: &Path, clear: &ClearArgs, format: Format) -> Result<u8, Failure> {
    let languages = Languages::read(file)?;
    let desk = Desk::open(dir).await?;
    let (audience, store) = desk.audience(&languages).await?;
    let sealed = dunlin_tell::send::unreachable(&audience, &*store, LISTED).await.map_err(failed)?;
    let mut ask = match (&clear.purpose, clear.clear) {
        (Some(why), true) => Ask::clear(Actor::local(), "notice", why),
        _ => Ask::masked(Actor::local()),
    };
    "notice".clone_into(&mut ask.surface);
    let access = dunlin_store::new_id();
    let opened = dunlin_gate::open(sealed, &MaskedOnly, &*desk.workspace, &ask, &access).await;
    let opened = opened.map_err(refused)?;
    let names: Vec<&str> = opened.columns.iter().map(|column| column.name.as_str()).collect();
    for row in &opened.rows {
        match format {
            Format::Json => {
                let fields = names.iter().map(|name| (*name).to_owned());
                let values = row.iter().map(|value| serde_json::json!(value));
                output::json(&fields.zip(values).collect::<serde_json::Map<_, _>>());
            }
            Format::Text => {
                let values = names.iter().zip(row);
                let values =
                    values.map(|(name, value)| format!("{name} {}", value.as_deref().unwrap_or("–")));
                output::line(&values.collect::<Vec<_>>().join("  "));
            }
        }
    }
    if format == Format::Text {
        let rows = output::rows(opened.rows.len() as u64);
        output::note(&format!(
            "{rows} that no letter can go to: correct them, or tell these people another way"
        ));
        if !names.contains(&"key") {
            output::note(
                "give the audience a column `key` (`select email, locale, id as key from …`) to know them by",
            );
        }
    }
    opened.close(&*desk.workspace).await.map_err(refused)?;
    desk.workspace.integrate().await?;
    Ok(OK)
}

/// Shows an audience: numbers, and the rows that are work for somebody, masked.
pub fn print(found: &Gathered, format: Format) {
    if format == Format::Json {
        let samples: Vec<_> = found
            .samples
            .iter()
            .map(|s| serde_json::json!({ "row": s.row, "reason": s.reason, "masked": s.masked }))
            .collect();
        output::json(&serde_json::json!({
            "rows": found.rows, "recipients": found.recipients, "duplicates": found.duplicates,
            "suppressed": found.suppressed, "invalid": found.invalid_rows(), "invalid_by_reason": found.invalid,
            "by_locale": found.by_locale, "invalid_samples": samples,
        }));
        return;
    }
    output::line(&format!(
        "{} recipients = {} rows - {} duplicates - {} without a usable address",
        thousands(found.recipients),
        thousands(found.rows),
        thousands(found.duplicates),
        thousands(found.invalid_rows()),
    ));
    if found.suppressed > 0 {
        output::line(&format!(
            "{} of them get no letter: the stream no longer reaches them",
            thousands(found.suppressed)
        ));
    }
    for (locale, count) in &found.by_locale {
        output::line(&format!("  {locale}  {}", thousands(*count)));
    }
    for (reason, count) in &found.invalid {
        output::line(&format!("  {reason}: {}", output::rows(*count)));
    }
    for sample in &found.samples {
        output::line(&format!("    row {}: {} ({})", sample.row, sample.masked, sample.reason));
    }
    if found.invalid_rows() > 0 {
        output::note("these people cannot be reached by e-mail: correct the rows, or tell them another way");
    }
}

/// An error of sending as a command's failure.
pub fn failed(error: SendError) -> Failure {
    match error {
        SendError::State(error) => Failure::State(error),
        other => Failure::Refused { message: other.to_string(), help: other.help(), code: other.exit_code() },
    }
}
