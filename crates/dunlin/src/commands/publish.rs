//! `dunlin notice submit / publish / withdraw`, and the notices that must precede a run. A shell stands outside the
//! policies: what it hands in or publishes names the machine's user and is marked unauthenticated in the ledger.

use std::path::Path;

use dunlin_plan::Plan;
use dunlin_server::ServerConfig;
use dunlin_server::notices::{
    self, Handed, Judgement, LinksAsked, NotTold, NoticeError, NoticeFile, ask_links, not_told, skipped,
};
use dunlin_store::{Actor, NoticeStatus, NoticeVersion, State, StoreError, Workspace, now_us};

use super::OK;
use crate::cli::Format;
use crate::failure::Failure;
use crate::output;
use crate::workspace::{PlanFile, open};

/// Hands a text in.
pub async fn submit(dir: &Path, file: &Path, ask: bool, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let file = named(&workspace, file)?;
    let links = if ask { Some(links(dir, &plan.plan, &workspace, &file).await?) } else { None };
    let actor = Actor::local();
    let with = handed(&workspace, &plan.plan, &actor, links.as_ref());
    let version = notices::submit(&with, &file).await.map_err(failed)?;
    workspace.integrate().await?;
    said(&version, "handed in", format);
    if format == Format::Text {
        output::note(&format!("somebody else publishes it: dunlin notice publish {}", version.file));
    }
    Ok(OK)
}

/// Publishes what was handed in.
pub async fn publish(dir: &Path, file: &Path, ask: bool, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let file = named(&workspace, file)?;
    let versions = workspace.state().notices_of_file(&file.path).await?;
    let waiting = versions.into_iter().find(|one| one.status() == NoticeStatus::Submitted);
    let waiting = waiting.ok_or_else(|| {
        let help = format!("dunlin notice submit {}", file.path);
        Failure::usage(format!("nothing of `{}` waits for an approval", file.path), help)
    })?;
    let links = if ask { Some(links(dir, &plan.plan, &workspace, &file).await?) } else { None };
    let actor = Actor::local();
    let with = handed(&workspace, &plan.plan, &actor, links.as_ref());
    let approvals = workspace.state().approvals(&plan.plan.fingerprint().to_string()).await?;
    let version = notices::publish(&with, &waiting.id, &file.sha256, !approvals.is_empty());
    let version = version.await.map_err(failed)?;
    workspace.integrate().await?;
    said(&version, "published", format);
    if format == Format::Text {
        output::note(
            "a publication from a shell names the machine's user and is marked unauthenticated in the ledger",
        );
    }
    Ok(OK)
}

/// No longer shows what is published.
pub async fn withdraw(dir: &Path, file: &Path, reason: &str, format: Format) -> Result<u8, Failure> {
    let plan = PlanFile::read(dir)?;
    let workspace = open(dir).await?;
    let file = named(&workspace, file)?;
    let versions = workspace.state().notices_of_file(&file.path).await?;
    let shown = versions.into_iter().filter(|one| one.status() == NoticeStatus::Published);
    let shown = shown.max_by_key(|one| one.version).ok_or_else(|| {
        Failure::usage(format!("nothing of `{}` is published", file.path), "there is nothing to withdraw")
    })?;
    let actor = Actor::local();
    let with = handed(&workspace, &plan.plan, &actor, None);
    let version = notices::withdraw(&with, &shown.id, reason).await.map_err(failed)?;
    workspace.integrate().await?;
    said(&version, "withdrawn", format);
    Ok(OK)
}

fn handed<'a>(
    workspace: &'a Workspace,
    plan: &'a Plan,
    actor: &'a Actor,
    links: Option<&'a LinksAsked>,
) -> Handed<'a> {
    Handed { state: workspace.state(), dir: &workspace.dir, plan, actor, links }
}

/// A notice's file by its path from here, as the workspace names it.
fn named(workspace: &Workspace, file: &Path) -> Result<NoticeFile, Failure> {
    let outside = || {
        let message = format!("{} is no file of this workspace", file.display());
        Failure::usage(message, "notices lie in `notices/` beside the plan")
    };
    let place = file.canonicalize().map_err(|e| Failure::file(file, &e))?;
    let path = place.strip_prefix(&workspace.dir).map_err(|_| outside())?;
    notices::read(&workspace.dir, path.to_str().ok_or_else(outside)?).map_err(failed)
}

/// What the network says of the links, through the same client as a server's.
async fn links(
    dir: &Path,
    plan: &Plan,
    workspace: &Workspace,
    file: &NoticeFile,
) -> Result<LinksAsked, Failure> {
    let source = dunlin_tell::parse(&file.text, &file.path)?;
    let against = Judgement { plan, dir: &workspace.dir, previous: None, links: None };
    let found = notices::judge(&source, &against).links;
    if found.is_empty() {
        return Ok(LinksAsked::new());
    }
    let mend = |message: String| Failure::usage(message, "mend server.toml");
    let config = ServerConfig::load(dir).map_err(|e| mend(e.to_string()))?;
    let client = dunlin_server::outgoing(&config).map_err(|e| mend(e.to_string()))?;
    Ok(ask_links(&client, &found).await)
}

fn said(version: &NoticeVersion, what: &str, format: Format) {
    if format == Format::Json {
        output::json(&serde_json::json!({
            "id": version.id, "notice": version.notice, "locale": version.locale, "version": version.version,
            "sha256": version.sha256, "status": version.status().as_str(),
        }));
        return;
    }
    let NoticeVersion { notice, locale, version, sha256, .. } = version;
    output::line(&format!("{what}: {notice} ({locale}), version {version}, sha256 {sha256}"));
}

/// What the press says, for a shell.
pub fn failed(error: NoticeError) -> Failure {
    let help = error.help();
    match error {
        NoticeError::Unreadable(found) | NoticeError::Held(found) => Failure::Findings(found),
        NoticeError::Store(error) => Failure::State(error),
        NoticeError::File(_) => Failure::Refused { message: error.to_string(), help, code: 3 },
        other => Failure::Refused { message: other.to_string(), help, code: 2 },
    }
}

/// The notices that stand before a move of this plan. With a reason (a category and a text) they are passed by, each
/// with an entry; then there are none.
pub async fn before_the_move(
    state: &State,
    dir: &Path,
    plan: &Plan,
    reason: Option<(&str, &str)>,
    actor: &Actor,
) -> Result<Vec<NotTold>, StoreError> {
    let found = not_told(state, dir, plan).await?;
    match reason {
        Some(reason) if !found.is_empty() => {
            skipped(state, plan, &found, reason, actor).await?;
            Ok(Vec::new())
        }
        _ => Ok(found),
    }
}

/// The same for `dunlin run`, as a refusal.
pub async fn told(workspace: &Workspace, plan: &PlanFile, now: Option<&str>) -> Result<(), Failure> {
    let reason = now.map(|text| ("now", text));
    let found =
        before_the_move(workspace.state(), &workspace.dir, &plan.plan, reason, &Actor::local()).await?;
    match found.first() {
        None => Ok(()),
        Some(first) => Err(Failure::Refused { message: first.to_string(), help: Some(mend(first)), code: 2 }),
    }
}

/// How to mend it, at a shell.
pub fn mend(one: &NotTold) -> String {
    let file = &one.file;
    match one.why {
        notices::WhyNot::Unreadable => format!("`dunlin notice check {file}` says what is wrong with it"),
        notices::WhyNot::Unpublished => format!(
            "hand it in (dunlin notice submit {file}) and have somebody publish it, or move without it: \
             dunlin run --now \"the reason\""
        ),
        notices::WhyNot::Differs(_) => format!(
            "correct {file}, give it a higher version and publish that, or correct the plan; or move all the same: \
             dunlin run --now \"the reason\""
        ),
    }
}

/// Publishes the demo's notice: one person has written it, another one stands for it.
pub async fn for_demo(
    workspace: &Workspace,
    plan: &Plan,
    path: &str,
    [writer, approver]: [&str; 2],
) -> Result<NoticeVersion, Failure> {
    let person = |id: &str| Actor::Person { id: id.to_owned() };
    let file = notices::read(&workspace.dir, path).map_err(failed)?;
    let mut tx = workspace.state().begin().await?;
    tx.insert_notice_edit(&file.path, writer, &file.sha256, now_us()).await?;
    tx.commit().await?;
    let (by, other) = (person(writer), person(approver));
    let version = notices::submit(&handed(workspace, plan, &by, None), &file).await.map_err(failed)?;
    let with = handed(workspace, plan, &other, None);
    notices::publish(&with, &version.id, &version.sha256, true).await.map_err(failed)
}
