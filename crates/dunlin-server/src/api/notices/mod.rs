//! Notices over HTTP: written by one, published by another. Every act is the same as a shell's (`crate::notices`);
//! here it is asked who may, and clients are told.

mod edit;
mod lines;
mod preview;
mod unreachable;
mod versions;

use axum::http::StatusCode;
use dunlin_guard::Action;
use dunlin_plan::{Findings, Plan};
use dunlin_store::NoticeVersion;
use serde_json::{Value, json};

use crate::app::App;
use crate::gate::Caller;
use crate::notices::{FOLDER, Handed, LinksAsked, NoticeError, is_name};
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .with(lines::routes)
        .with(edit::routes)
        .with(preview::routes)
        .with(unreachable::routes)
        .with(versions::routes)
}

fn op(method: Method, path: &'static str, action: Action, id: &str, summary: &str) -> Op {
    let target = if action == Action::NoticesApprove { Target::Notice } else { Target::Workspace };
    Op::new(method, path, Access::May(action, target), id, summary)
}

/// The path of a notice's file by its name.
fn path_of(name: &str) -> Result<String, Problem> {
    if is_name(name) { Ok(format!("{FOLDER}/{name}")) } else { Err(Problem::not_found("notice")) }
}

fn plan_of(app: &App) -> Result<Plan, Problem> {
    super::plan::current(app)
}

fn json_of(findings: &Findings) -> Vec<Value> {
    findings.items.iter().map(|finding| finding.to_json(&findings.file, &findings.text)).collect()
}

/// What an act on a notice is done with.
fn handed<'a>(
    app: &'a App,
    plan: &'a Plan,
    actor: &'a dunlin_ledger::Actor,
    links: Option<&'a LinksAsked>,
) -> Handed<'a> {
    Handed { state: app.workspace.state(), dir: &app.workspace.dir, plan, actor, links }
}

/// Tells live clients; they read again what they may.
fn tell(app: &App, caller: &Caller, change: &str, about: Value) {
    let mut data = about;
    data["change"] = change.into();
    data["person"] = caller.who.person.clone().into();
    app.hub.tell("notice.changed", Action::NoticesRead, None, data);
}

fn tell_version(app: &App, caller: &Caller, change: &str, version: &NoticeVersion) {
    let about = json!({
        "file": version.file, "id": version.id, "notice": version.notice, "locale": version.locale,
        "version": version.version,
    });
    tell(app, caller, change, about);
}

/// Findings that say that the notice and the plan differ.
fn contradicts(findings: &Findings) -> Option<&str> {
    let about_plan =
        ["tell-facts-differ", "tell-text-country", "tell-text-date", "tell-text-address", "tell-text-length"];
    let is_error = |level| level == dunlin_plan::Level::Error;
    let mut found = findings.items.iter().filter(|f| is_error(f.level) && about_plan.contains(&f.rule));
    found.next().map(|finding| finding.message.as_str())
}

impl From<NoticeError> for Problem {
    fn from(error: NoticeError) -> Problem {
        use StatusCode as S;
        let (title, help, code) = (error.to_string(), error.help(), error.code());
        let made = |status| {
            let problem = Problem::new(status, code, title.clone());
            help.clone().map_or(problem.clone(), |help| problem.help(help))
        };
        match error {
            NoticeError::Store(error) => error.into(),
            NoticeError::NoFile => Problem::not_found("notice").help(help.unwrap_or_default()),
            NoticeError::Unreadable(found) => made(S::UNPROCESSABLE_ENTITY).with_findings(json_of(&found)),
            NoticeError::Held(found) => match contradicts(&found) {
                Some(both) => {
                    let title = format!("the notice and the plan contradict each other: {both}");
                    Problem::new(S::UNPROCESSABLE_ENTITY, "notice_contradicts_plan", title)
                        .help("correct the text and take over the plan's facts, or correct the plan and have it approved")
                        .with_findings(json_of(&found))
                }
                None => made(S::UNPROCESSABLE_ENTITY).with_findings(json_of(&found)),
            },
            NoticeError::Picture { .. } => made(S::UNPROCESSABLE_ENTITY),
            NoticeError::File(kind) => {
                tracing::error!(?kind, reference = crate::problem::reference(), "a notice's file failed");
                Problem::internal()
            }
            NoticeError::Undrawn => {
                tracing::error!(reference = crate::problem::reference(), "a notice could not be drawn");
                Problem::internal()
            }
            _ => made(S::CONFLICT),
        }
    }
}
