//! Every operation of the OpenAPI file, asked by every role about itself and about a stranger, by somebody blocked,
//! with an ended session, and by nobody. What is expected stands in one table by action: an operation whose action is
//! not in it fails.

use dunlin_guard::{Action, Reason};
use dunlin_ledger::Actor;
use dunlin_plan::Role;
use reqwest::Method;
use serde_json::Value;

use crate::bench::{Bench, Person};

const ROLES: [Role; 8] = [
    Role::Owner,
    Role::Lead,
    Role::Engineer,
    Role::Steward,
    Role::Writer,
    Role::Approver,
    Role::Auditor,
    Role::Guest,
];

/// Who may do an action: a letter a role, in the order of [`ROLES`] (o l e s w p a g). `/` and more letters: of those,
/// who may do it to himself where that differs.
fn expected(action: &str) -> Option<(&'static str, Option<&'static str>)> {
    let (all, look) = ("oleswpag", "ola");
    Some(match action {
        "self.read" | "self.edit" | "self.credentials" | "self.sessions" | "self.device" | "tokens.issue"
        | "searches.edit" | "policy.read" | "ledger.prove" | "events.read" => (all, None),
        "people.read" | "people.record" | "ledger.read" | "policy.would_see" => ("olpa", None),
        "tokens.read" | "settings.read" => (look, None),
        "tokens.revoke" => ("o", None),
        "people.invite" => ("ol", None),
        "people.authorise" | "people.unblock" => ("o", Some("")),
        "people.block" | "people.limit" => ("ol", Some("")),
        "people.require_mfa" | "people.end_sessions" | "people.note" => ("ol", None),
        "grants.read" => ("olespa", None),
        "grants.open" => ("ol", None),
        "grants.agree" | "grants.close" => ("olp", None),
        "plan.read" | "approvals.read" => ("oleswpa", None),
        "plan.check" => ("olespa", None),
        "plan.edit" => ("olesp", None),
        "data.read" | "run.verify" | "report.read" => ("olespa", None),
        "data.export" => ("oles", None),
        "plan.approve" | "plan.void" | "plan.waive" => ("op", None),
        "run.read" => ("olespa", None),
        "run.start" | "run.pause" | "run.resume" => ("ole", None),
        "quarantine.read" => ("olespa", None),
        "quarantine.decide" => ("oles", None),
        "duplicates.read" => ("olespa", None),
        "duplicates.decide" => ("oles", None),
        "work.read" => (all, None),
        "work.read_all" => ("oleswpa", None),
        "work.take_part" => ("oleswpg", None),
        "work.edit" => ("oleswp", None),
        "work.manage" => ("ol", None),
        "notices.read" => ("oleswpa", None),
        "notices.write" => ("olw", None),
        "notices.approve" | "notices.withdraw" => ("olp", None),
        "requests.read" => ("olswpa", None),
        "requests.write" => ("olsw", None),
        "requests.decide" => ("olp", None),
        "requests.carry_out" => ("ols", None),
        "ledger.export" => ("oa", None),
        "alerts.read" => ("olepa", None),
        "alerts.close" => ("ol", None),
        "presence.read" => ("olespa", None),
        "scim.manage" => ("o", None),
        _ => return None,
    })
}

struct Operation {
    method: Method,
    path: String,
    action: String,
}

/// Operations of the file, not of the router: what is not in it is not there.
fn operations() -> Vec<Operation> {
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json")).unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    let mut found = Vec::new();
    for (path, item) in file["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let action = operation["x-dunlin-action"].as_str();
            let action =
                action.unwrap_or_else(|| panic!("{method} {path} has no x-dunlin-action")).to_owned();
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            found.push(Operation { method, path: path.clone(), action });
        }
    }
    found
}

fn place(path: &str, person: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        parts.push(match part {
            "{person}" => person,
            "{index}" => "0",
            p if p.starts_with('{') => "0190a000-0000-7000-8000-000000000000",
            p => p,
        });
    }
    parts.join("/")
}

/// The status and, for a problem, its code. A stream is not read.
async fn ask(bench: &Bench, who: Option<&Person>, operation: &Operation, about: &str) -> (u16, String) {
    let path = place(&operation.path, about);
    let request = match who {
        Some(who) => bench.ask(who, operation.method.clone(), &path),
        None => bench.bare(operation.method.clone(), &path),
    };
    // No body fits every operation; one that fits none comes after the gate, which is what is asked here.
    let request = if operation.method == Method::GET {
        request
    } else {
        request
            .header("content-type", "application/json")
            .header("if-match", "\"none\"")
            .body("{\"matrix\":1}")
    };
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type").and_then(|t| t.to_str().ok()).unwrap_or_default();
    let is_problem = kind.contains("problem+json");
    let code = if is_problem {
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        body["code"].as_str().unwrap_or_default().to_owned()
    } else {
        String::new()
    };
    (status, code)
}

/// Refusals by the guard or the engine after the policies have allowed it.
const AFTER: [&str; 4] = ["fresh_factor_needed", "author", "role", "edited"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_asks_for_every_caller() {
    let bench = Bench::with("[limits]\nper_address = 0\nper_person = 0\n").await;
    let mut people = Vec::new();
    for (letter, role) in "oleswpag".chars().zip(ROLES) {
        people.push((letter, role, bench.person(role).await));
    }
    let stranger = bench.person(Role::Guest).await.id;
    let mut wrong = Vec::new();
    for operation in operations().into_iter().filter(|o| o.action != "public") {
        let Some((may, may_self)) = expected(&operation.action) else {
            wrong.push(format!("{} {}: no row for `{}`", operation.method, operation.path, operation.action));
            continue;
        };
        let is_about = operation.path.contains("{person}");
        for (letter, role, who) in &mut people {
            let abouts: &[&str] = if is_about { &["self", "stranger"] } else { &["self"] };
            for about in abouts {
                let target = if *about == "self" { who.id.clone() } else { stranger.clone() };
                let table = if *about == "self" && is_about { may_self.unwrap_or(may) } else { may };
                let (mut status, mut code) = ask(&bench, Some(who), &operation, &target).await;
                if status == 401 {
                    // What was asked before may have ended the session.
                    *who = bench.sign_in(&who.id).await;
                    (status, code) = ask(&bench, Some(who), &operation, &target).await;
                }
                let refused = status == 401 || (status == 403 && !AFTER.contains(&code.as_str()));
                if refused == table.contains(*letter) || status >= 500 {
                    wrong.push(format!(
                        "{} {} as {role}, {about}: {status} {code}",
                        operation.method, operation.path
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_somebody_blocked_and_an_ended_session_get_nothing() {
    let bench = Bench::with("[limits]\nper_address = 0\nper_person = 0\n").await;
    let (blocked, ended) = (bench.person(Role::Owner).await, bench.person(Role::Owner).await);
    let _another_owner = bench.person(Role::Owner).await;
    let reason = Reason { category: "test".into(), text: "test".into() };
    bench.guard.block(&Actor::System, &blocked.id, &reason).await.unwrap();
    bench.guard.end_session(&Actor::System, &ended.session, "test").await.unwrap();
    for operation in operations() {
        for (who, name) in [(None, "nobody"), (Some(&blocked), "blocked"), (Some(&ended), "ended")] {
            let (status, code) = ask(&bench, who, &operation, &ended.id).await;
            if operation.action == "public" {
                assert_ne!(status, 403, "{} {} as {name}: {code}", operation.method, operation.path);
                assert!(status < 500, "{} {} as {name}: {status}", operation.method, operation.path);
            } else {
                assert_eq!(status, 401, "{} {} as {name}: {code}", operation.method, operation.path);
            }
        }
    }
}

#[test]
fn every_action_of_the_file_is_one_of_the_guard() {
    for operation in operations() {
        let known = operation.action == "public" || Action::from_code(&operation.action).is_some();
        assert!(known, "{}", operation.action);
    }
}

/// The committed file is what the server says of itself; `DUNLIN_BLESS=1` writes it anew.
#[test]
fn the_committed_document_is_the_servers() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let mut now = serde_json::to_string_pretty(&dunlin_server::openapi()).unwrap();
    now.push('\n');
    if std::env::var_os("DUNLIN_BLESS").is_some() {
        std::fs::write(path, now).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == now,
        "openapi.json is not what the server says: run with DUNLIN_BLESS=1 and look at the diff"
    );
}
