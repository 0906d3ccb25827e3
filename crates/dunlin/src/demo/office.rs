//! The people of the demo and their work: accounts that can sign in, tasks in all states, and something on each page
//! that waits for a decision. It moves nothing, and serves nothing itself.

use std::fs;
use std::path::Path;

use dunlin_guard::{Authority, GrantRequest, Guard, Invite, Origin, Secret, SetUp, SignedIn, Who};
use dunlin_plan::{Plan, Role};
use dunlin_server::CustomerKey;
use dunlin_store::{Actor, CustomerRequest, Workspace};
use dunlin_work::{By, Edit, Origin as TaskOrigin, TableFacts, Work, Worker};
use jiff::{ToSpan, Zoned};
use rand::seq::IndexedRandom;
use serde_json::{Map, Value, json};

use crate::commands::publish::for_demo;
use crate::commands::serve::guarded;
use crate::failure::Failure;
use crate::workspace::PlanFile;

/// The demo's `server.toml`.
const SERVER: &str =
    "# The server of the demo. Its people sign in with a password alone: nothing for real data.
[guard]
mfa_roles = []

# What customers meet: a page of a made-up shop at /tell/demo-host, and how far the move is at /status.
[tell]
status_page = true
demo_host = \"host.html\"
";

/// A page of a made-up shop that shows the card.
const HOST: &str = include_str!("host.html");

/// The people of the demo, signed in, and what they need of the guard.
pub(crate) struct Office {
    guard: Guard,
    accounts: Vec<Account>,
    ana: SignedIn,
    ben: SignedIn,
    nadia: SignedIn,
}

/// Letters and digits that are not mistaken for one another.
const CLEAR: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// Somebody who can sign in.
pub(crate) struct Account {
    /// The name.
    pub(crate) name: &'static str,
    /// What the person does here.
    pub(crate) part: &'static str,
    /// The address.
    pub(crate) email: &'static str,
    /// The password; made for this demo alone.
    pub(crate) password: String,
}

/// Makes the people, and lets one of them publish what another one wrote: customers are told before data moves.
pub(crate) async fn people(dir: &Path, workspace: &Workspace, plan: &Plan) -> Result<Office, Failure> {
    for (name, text) in [("server.toml", SERVER), ("host.html", HOST)] {
        let file = dir.join(name);
        fs::write(&file, text).map_err(|e| Failure::file(&file, &e))?;
    }
    let settings = dunlin_server::ServerConfig::load(dir)
        .map_err(|e| Failure::usage(e.to_string(), "mend server.toml"))?;
    let guard = Guard::open(workspace, settings.guard).await.map_err(guarded)?;
    guard.adopt_plan(&plan.people).await.map_err(guarded)?;
    let accounts = vec![
        account("Ana Ruiz", "owner: leads the migration", "ana@atlas.example"),
        account("Ben Okoye", "engineer, of Partner Ltd", "ben@partner.example"),
        account("Nadia Farouk", "approver", "nadia@atlas.example"),
    ];
    let ana = first(&guard, &accounts[0]).await?;
    let ben = joins(&guard, &accounts[1], Role::Engineer, Some("Partner Ltd")).await?;
    let nadia = joins(&guard, &accounts[2], Role::Approver, None).await?;
    for notice in &plan.notices {
        for_demo(workspace, plan, &notice.file, [&ana.person, &nadia.person]).await?;
    }
    Ok(Office { guard, accounts, ana, ben, nadia })
}

/// Makes their tasks and what waits for them; gives their accounts, and the path where a customer sees what is theirs.
/// Called once, on a demo that was migrated.
pub(crate) async fn open(
    office: Office,
    workspace: &Workspace,
    plan: &PlanFile,
) -> Result<(Vec<Account>, Option<String>), Failure> {
    let Office { guard, accounts, ana, ben, nadia } = office;
    let people = [ana.person.as_str(), &ben.person, &nadia.person];
    let by_hand = tasks(workspace, &guard, &plan.plan, people).await?;
    waiting_grant(&guard, &ana, &ben.person, by_hand).await?;
    for person in [&ana, &ben, &nadia] {
        guard.end_sessions(&Actor::System, &person.person, None).await.map_err(guarded)?;
    }
    let link = customers(&guard, workspace, plan, &ana.person).await?;
    workspace.integrate().await?;
    Ok((accounts, link))
}

/// The customers who are looked at in turn: some of the first ones wait in quarantine.
const FIRST: u32 = 40;

/// One customer who can see what is theirs, by the path that is given back, and one who wants to be deleted.
async fn customers(
    guard: &Guard,
    workspace: &Workspace,
    plan: &PlanFile,
    owner: &str,
) -> Result<Option<String>, Failure> {
    let mut there = Vec::new();
    for key in (1..=FIRST).map(|number| number.to_string()) {
        let silent = std::sync::Arc::new(|_: dunlin_move::Event<'_>| {});
        let found =
            dunlin_move::subject::look(workspace, &plan.plan, &plan.options(None), silent, &key).await;
        if found.map_err(|e| plan.failure(e))?.iter().any(|part| part.side == "target") {
            there.push(key);
        }
        if there.len() == 2 {
            break;
        }
    }
    let [sees, leaves] = there.as_slice() else { return Ok(None) };
    let request = crate::commands::request::for_demo(workspace, plan, leaves, owner).await?;
    let work = Work::open(workspace.state().clone()).await.map_err(worked)?;
    let due = request.due_at.and_then(|due| jiff::Timestamp::from_microsecond(due - 1).ok());
    let deadline = due.map(|due| due.to_zoned(jiff::tz::TimeZone::UTC).date().to_string());
    let fields =
        task(json!({ "title": "Answer a customer's request: erasure", "owner": owner, "priority": "high",
        "deadline": deadline, "labels": ["request"],
        "description": format!("Request `{}`, under Requests.", request.id) }));
    let made = work.create(&By::dunlin(), TaskOrigin::Manual, vec![fields]).await.map_err(worked)?;
    let details = CustomerRequest {
        request: request.id,
        via: "operator".to_owned(),
        lang: "en".to_owned(),
        by_itself: false,
        task: made.tasks.first().map(|task| task.id.clone()),
        extended_at: None,
        failed_at: None,
    };
    let mut tx = workspace.state().begin().await?;
    tx.put_customer_request(&details).await?;
    tx.commit().await?;
    let link = dunlin_server::customer_link(workspace, guard, &CustomerKey(sees.clone())).await;
    link.map(Some).map_err(|problem| Failure::usage(problem.title, "this is a defect of dunlin"))
}

fn account(name: &'static str, part: &'static str, email: &'static str) -> Account {
    let mut chance = rand::rng();
    let mut word =
        || -> String { (0..4).map(|_| char::from(*CLEAR.choose(&mut chance).unwrap_or(&b'x'))).collect() };
    let password = format!("{}-{}-{}-{}", word(), word(), word(), word());
    Account { name, part, email, password }
}

fn here() -> Origin {
    Origin::new([127, 0, 0, 1].into(), "dunlin demo")
}

async fn first(guard: &Guard, account: &Account) -> Result<SignedIn, Failure> {
    let secret = guard.set_up_secret().await.map_err(guarded)?;
    let secret = secret
        .ok_or_else(|| Failure::usage("this demo has an owner already", "name another folder with --dir"))?;
    let password = Secret::new(account.password.clone());
    let set_up = SetUp { secret: &secret, name: account.name, email: account.email, password: &password };
    guard.set_up(&here(), set_up).await.map_err(guarded)
}

async fn joins(
    guard: &Guard,
    account: &Account,
    role: Role,
    organisation: Option<&str>,
) -> Result<SignedIn, Failure> {
    let invite = Invite { email: account.email, name: account.name, role, organisation, life_s: None };
    let (_, token) = guard.invite(&Actor::System, invite).await.map_err(guarded)?;
    let password = Secret::new(account.password.clone());
    guard.accept_invitation(&here(), &token, account.name, &password).await.map_err(guarded)
}

/// A grant for what Ben's task needs, which waits for the second person.
async fn waiting_grant(guard: &Guard, ana: &SignedIn, ben: &str, task: u64) -> Result<(), Failure> {
    let authority =
        Authority::built_in().map_err(|e| Failure::usage(e.to_string(), "this is a defect of dunlin"))?;
    let who: Who = guard.who_by_session(&ana.token, &here()).await.map_err(guarded)?;
    let request = GrantRequest {
        person: ben.to_owned(),
        task: format!("T-{task}"),
        action: dunlin_gate::Act::Read,
        store: "atlas".to_owned(),
        table: "atlas.people".to_owned(),
        columns: Some(vec!["tax_id".to_owned()]),
        until: None,
        purpose_category: "check".to_owned(),
        purpose_text: "Ten tax numbers are compared with the old system's by hand.".to_owned(),
    };
    guard
        .open_grant(&who, &authority, &request)
        .await
        .map(|_| ())
        .map_err(|e| Failure::usage(e.to_string(), "this is a defect of dunlin"))
}

/// Drafts the tasks of the plan and makes the people's own; gives the number of the one that needs a grant.
async fn tasks(
    workspace: &Workspace,
    guard: &Guard,
    plan: &Plan,
    [ana, ben, nadia]: [&str; 3],
) -> Result<u64, Failure> {
    let work = Work::open(workspace.state().clone()).await.map_err(worked)?;
    let workers: Vec<Worker> = guard
        .people()
        .await
        .map_err(guarded)?
        .into_iter()
        .map(|p| Worker {
            id: p.id,
            name: p.name,
            email: p.email,
            role: p.role,
            organisation: p.organisation,
        })
        .collect();
    let facts: Vec<TableFacts> = plan.tables.iter().map(TableFacts::of).collect();
    work.draft(&By::dunlin(), plan, &facts, &workers).await.map_err(worked)?;
    confirm(&work, ana).await?;
    let today = Zoned::now().date();
    let day = |days: i64| today.checked_add(days.days()).unwrap_or(today).to_string();
    let by = By::person(ana);
    let own = vec![
        task(
            json!({ "title": "Tell the shops about the new customer numbers", "owner": ana, "priority": "high",
            "deadline": day(-2), "estimate_hours": 3.0, "labels": ["shops"],
            "description": "The tills print the old number until the next paper roll. A letter is enough." }),
        ),
        task(json!({ "title": "Compare ten tax numbers by hand", "owner": ben, "deadline": day(1),
            "estimate_hours": 2.0, "labels": ["quality"],
            "description": "Needs a grant for `tax_id`; Nadia stands for it as the second." })),
        task(json!({ "title": "Old reports that still read the CRM", "owner": ben, "deadline": day(6),
            "estimate_hours": 12.0, "labels": ["reports"] })),
        task(json!({ "title": "Support team trained on Atlas", "owner": ana, "deadline": day(4),
            "estimate_hours": 8.0, "labels": ["people"] })),
        task(json!({ "title": "Contract with Cloud GmbH signed", "owner": nadia, "estimate_hours": 1.0,
            "labels": ["legal"] })),
        task(
            json!({ "title": "Switch-over weekend", "kind": "milestone", "deadline": day(12), "owner": ana }),
        ),
    ];
    let made = work.create(&by, TaskOrigin::Manual, own).await.map_err(worked)?;
    let question = dunlin_work::question_fields(
        "May orders of customers who closed their account before 2015 stay behind?",
        "4,996 orders wait for it. The law asks for ten years; the plan says six.",
    );
    let asked = work.create(&by, TaskOrigin::OpenQuestion, vec![question]).await.map_err(worked)?;
    let to = |id: &str, set: Value| Edit { id: id.to_owned(), set: task(set), version: None };
    let ids: Vec<String> = made.tasks.iter().map(|t| t.id.clone()).collect();
    let mut edits = Vec::new();
    for (place, status) in [(2, "doing"), (3, "blocked"), (4, "done")] {
        if let Some(id) = ids.get(place) {
            edits.push(to(id, json!({ "status": status })));
        }
    }
    for question in &asked.tasks {
        edits.push(to(&question.id, json!({ "owner": nadia, "deadline": day(2), "priority": "urgent" })));
    }
    work.edit(&by, "edit", edits).await.map_err(worked)?;
    if let Some(blocked) = ids.get(3) {
        work.say(&by, blocked, "The training room is booked until Thursday; the date follows.")
            .await
            .map_err(worked)?;
    }
    Ok(made.tasks.get(1).map_or(0, |task| task.number))
}

/// The steps that somebody stood for before the data moved.
const CONFIRMED: [&str; 5] = ["kickoff", "roles", "windows", "profile", "rules"];

async fn confirm(work: &Work, ana: &str) -> Result<(), Failure> {
    let is_done = |task: &&std::sync::Arc<dunlin_work::Task>| {
        let step = task.binding.as_ref().map(|b| b.step);
        step.is_some_and(|step| step.is_confirmed() && CONFIRMED.contains(&step.as_str()))
    };
    let done: Vec<String> = work.board().tasks().filter(is_done).map(|task| task.id.clone()).collect();
    for task in done {
        work.confirm(&By::person(ana), &task, true).await.map_err(worked)?;
    }
    Ok(())
}

fn task(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn worked(error: dunlin_work::WorkError) -> Failure {
    Failure::usage(error.to_string(), "this is a defect of dunlin")
}
