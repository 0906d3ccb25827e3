//! Requests from their arrival to their answer, whoever enters them: the customer on their page, their browser
//! (`Sec-GPC`), or an operator.

use std::collections::HashMap;
use std::sync::Arc;

use dunlin_guard::Action;
use dunlin_ledger::{Actor, Body, Entry};
use dunlin_store::{CustomerRequest, Identity, RequestKind, RequestRecord, RequestState, StoreError, now_us};
use dunlin_tell::{Lang, Word};
use dunlin_work::{By, Edit, Origin as TaskOrigin};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, Semaphore};

use super::letters::{self, Contact, Letter};
use super::seats::Seats;
use super::{CustomerKey, Customers, Named, NewCustomerRequest, RequestDecision, due};
use crate::app::App;
use crate::config::ServerConfig;
use crate::problem::Problem;
use crate::tell::of_row;

/// Addresses that may wait to be looked for.
const LINKS_WAITING: usize = 64;
/// Corrections of one customer that may wait for an answer.
const CORRECTIONS_OPEN: usize = 10;

/// What is kept at hand for requests.
pub(crate) struct Desk {
    /// Looks at customers' rows.
    pub(crate) seats: Seats,
    /// Addresses that wait to be looked for.
    pub(crate) links: Arc<Semaphore>,
    /// One request is carried out at a time.
    pub(super) carrying: Mutex<()>,
    /// One customer's request is taken in at a time: two windows that ask for the same make one.
    taking: Mutex<()>,
    hours: i64,
}

impl Desk {
    pub(crate) fn new(config: &ServerConfig) -> Desk {
        let hours = i64::from(config.requests.undo_hours);
        Desk {
            seats: Seats::new(),
            links: Arc::new(Semaphore::new(LINKS_WAITING)),
            carrying: Mutex::default(),
            taking: Mutex::default(),
            hours,
        }
    }

    /// How long a kind can be taken back, in microseconds. What is no loss acts at once: it can be asked for again.
    fn undo_us(&self, kind: RequestKind) -> i64 {
        match kind {
            RequestKind::Erasure | RequestKind::Rectification => self.hours * 3_600_000_000,
            _ => 0,
        }
    }
}

/// How a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// The customer's own page: who it is was shown by signing in.
    Page,
    /// The customer's browser said so while they were signed in.
    Gpc,
    /// Somebody entered it.
    Operator,
}

impl Via {
    fn as_str(self) -> &'static str {
        match self {
            Via::Page => "page",
            Via::Gpc => "gpc",
            Via::Operator => "operator",
        }
    }
}

/// What is asked for.
pub(crate) struct Asked {
    pub(crate) kind: RequestKind,
    pub(crate) who: Named,
    pub(crate) purpose: Option<String>,
    pub(crate) set: Vec<(String, String, Option<String>)>,
    pub(crate) via: Via,
    /// The language of letters; without it that of the customer's own row.
    pub(crate) lang: Option<Lang>,
    /// Where letters go.
    pub(crate) email: Option<String>,
    /// When it arrived, in microseconds since 1970 UTC; now without it.
    pub(crate) received_at: Option<i64>,
}

impl App {
    /// Whoever knows customers' rows.
    pub(crate) fn customers(&self) -> Result<Arc<dyn Customers>, Problem> {
        self.engine.customers().ok_or_else(|| Problem::not_found("page"))
    }
}

/// Takes a request in: clock, task, letter; and grants it where `server.toml` lets it be done without a person and the
/// customer has signed in.
pub(crate) async fn take_in(app: &App, asked: Asked, actor: Actor) -> Result<RequestRecord, Problem> {
    let by_customer = match &asked.who {
        Named::Key(key) if asked.via != Via::Operator => Some(key.clone()),
        _ => None,
    };
    let _turn = match &by_customer {
        Some(key) => {
            let turn = app.requests.taking.lock().await;
            if let Some(same) = asked_already(app, key, &asked).await? {
                return Ok(same);
            }
            Some(turn)
        }
        None => None,
    };
    let config = &app.config.requests;
    let received_at = asked.received_at.unwrap_or_else(now_us);
    let received = Timestamp::from_microsecond(received_at).map_err(|_| {
        Problem::bad_request("the day of arrival is too far away").help("give microseconds since 1970 UTC")
    })?;
    let counted = due::count(config.law, &config.calendar, asked.kind, received, &app.desk.zone());
    let due = counted.map_err(|error| {
        tracing::error!(%error, "`[requests]` of server.toml gives no deadline");
        Problem::internal()
    })?;
    let owner = match &config.owner {
        Some(email) => {
            let people = app.guard.people().await?;
            people.into_iter().find(|p| p.email.eq_ignore_ascii_case(email)).map(|p| p.id)
        }
        None => None,
    };
    let new = NewCustomerRequest {
        kind: asked.kind,
        law: due.law,
        received_at,
        due_at: due.due_at,
        extended_to: due.extended_to,
        who: asked.who,
        owner: owner.clone(),
        purpose: asked.purpose,
        set: asked.set,
    };
    let mut record = match by_customer {
        Some(_) => {
            let _seat = app.requests.seats.any().await?;
            app.customers()?.open(new, actor.clone()).await?
        }
        None => app.customers()?.open(new, actor.clone()).await?,
    };
    let lang = match asked.lang {
        Some(lang) => lang,
        None if asked.email.is_none() => Lang::En,
        None => row_language(app, &record.id).await,
    };
    let lang = lang.as_str().to_owned();
    let contact = asked.email.map(|email| Contact { email, lang: lang.clone() });
    if let Some(contact) = &contact {
        letters::keep(&app.workspace, &record.id, contact)?;
    }
    let by_itself = asked.via != Via::Operator && config.at_once.contains(&asked.kind);
    let task = bind(app, &record, owner.as_deref()).await;
    let details = CustomerRequest {
        request: record.id.clone(),
        via: asked.via.as_str().to_owned(),
        lang,
        by_itself,
        task,
        extended_at: None,
        failed_at: None,
    };
    put(app, &details).await?;
    letters::send(app, contact, &record, &Letter::Received);
    if asked.via != Via::Operator {
        let decision = RequestDecision {
            identity: Some(Identity::Confirmed),
            state: by_itself.then_some(RequestState::Granted),
            reason_category: "asked_by_customer".to_owned(),
            reason: "The customer asked for it after signing in; server.toml lets it be done at once."
                .to_owned(),
            undo_us: app.requests.undo_us(asked.kind),
            owner: None,
        };
        record = app.customers()?.decide(&record.id, decision, Actor::System).await?;
    }
    tell(app, &record);
    Ok(record)
}

/// The language in the customer's own row; English where it says none that letters are written in.
async fn row_language(app: &App, request: &str) -> Lang {
    let found = async {
        let customers = app.customers()?;
        let Some(key) = customers.whose(request).await? else { return Ok(None) };
        let _seat = app.requests.seats.any().await?;
        Ok::<_, Problem>(customers.reach(&key).await?.locale)
    };
    match found.await {
        Ok(locale) => of_row(locale.as_deref()).unwrap_or(Lang::En),
        Err(problem) => {
            tracing::warn!(code = problem.code, request, "a customer's language could not be read");
            Lang::En
        }
    }
}

/// A request of the same customer for the same that is not answered: asking twice is asking once.
///
/// # Errors
/// Too many corrections wait already.
async fn asked_already(
    app: &App,
    key: &CustomerKey,
    asked: &Asked,
) -> Result<Option<RequestRecord>, Problem> {
    let purpose = asked.purpose.clone().unwrap_or_default();
    // One whose asker nobody has confirmed is not theirs yet, or was left half-way.
    let theirs = |r: &RequestRecord| r.ended_at.is_none() && r.identity == Identity::Confirmed;
    let open = app.customers()?.asked_by(key).await?.into_iter().filter(theirs);
    let mut same = open.filter(|r| r.kind == asked.kind && r.purpose == purpose);
    if asked.kind != RequestKind::Rectification {
        return Ok(same.next());
    }
    // Each corrects something else.
    if same.count() < CORRECTIONS_OPEN {
        return Ok(None);
    }
    let (status, title) = (axum::http::StatusCode::CONFLICT, "corrections of this customer wait already");
    Err(Problem::new(status, "too_many", title).help("wait until they are answered"))
}

pub(super) async fn put(app: &App, details: &CustomerRequest) -> Result<(), Problem> {
    let mut tx = app.workspace.state().begin().await?;
    tx.put_customer_request(details).await?;
    tx.commit().await?;
    Ok(())
}

/// How requests came in, by request.
pub(crate) async fn details(app: &App) -> Result<HashMap<String, CustomerRequest>, StoreError> {
    let all = app.workspace.state().customer_requests().await?;
    Ok(all.into_iter().map(|one| (one.request.clone(), one)).collect())
}

/// Makes the task that stands for a request. Without one the request goes on all the same.
async fn bind(app: &App, record: &RequestRecord, owner: Option<&str>) -> Option<String> {
    let kind = record.kind.as_str().replace('_', " ");
    let short = record.id.rsplit('-').next().unwrap_or_default();
    let mut fields = Map::new();
    fields.insert("title".to_owned(), json!(format!("Answer a customer's request: {kind} ({short})")));
    fields.insert("description".to_owned(), json!(format!("Request `{}`, under Requests.", record.id)));
    fields.insert("labels".to_owned(), json!(["request"]));
    fields.insert("priority".to_owned(), json!("high"));
    if let Some(owner) = owner {
        fields.insert("owner".to_owned(), json!(owner));
    }
    fields.extend(deadline(app, record.due_at).map(|day| ("deadline".to_owned(), day)));
    match app.desk.work.create(&By::dunlin(), TaskOrigin::Manual, vec![fields]).await {
        Ok(made) => made.tasks.first().map(|task| task.id.clone()),
        Err(error) => {
            tracing::error!(%error, request = record.id, "no task could be made for a request");
            None
        }
    }
}

/// The last day, as tasks have it.
fn deadline(app: &App, due_at: Option<i64>) -> Option<Value> {
    let last = Timestamp::from_microsecond(due_at?.saturating_sub(1)).ok()?;
    Some(json!(last.to_zoned(app.desk.zone()).date().to_string()))
}

/// Brings the task of a request up to where the request stands.
pub(super) async fn follow(app: &App, record: &RequestRecord, task: Option<String>) {
    let Some(id) = task else { return };
    let status = match record.state {
        RequestState::Open => "open",
        RequestState::Granted | RequestState::Acting => "doing",
        _ => "done",
    };
    let mut set = Map::new();
    set.insert("status".to_owned(), json!(status));
    set.extend(deadline(app, record.due_at).map(|day| ("deadline".to_owned(), day)));
    if let Some(owner) = &record.owner
        && app.guard.person(owner).await.is_ok()
    {
        set.insert("owner".to_owned(), json!(owner));
    }
    if let Err(error) = app.desk.work.edit(&By::dunlin(), "edit", vec![Edit { id, set, version: None }]).await
    {
        tracing::warn!(%error, request = record.id, "the task of a request could not follow it");
    }
}

/// Tells live clients; they read again what they may.
pub(super) fn tell(app: &App, record: &RequestRecord) {
    let data = json!({ "request": record.id, "state": record.state.as_str() });
    app.hub.tell("request.changed", Action::RequestsRead, None, data);
}

/// Notes who asks, or decides; the customer hears of a decision.
pub(crate) async fn decide(
    app: &App,
    id: &str,
    decision: RequestDecision,
    actor: Actor,
) -> Result<RequestRecord, Problem> {
    let before = app.workspace.state().request(id).await?;
    let contact = letters::contact(&app.workspace, id);
    let (state, reason) = (decision.state, decision.reason.clone());
    let by_person = !matches!(actor, Actor::System);
    let record = app.customers()?.decide(id, decision, actor).await?;
    if before.state != record.state {
        match state {
            Some(RequestState::Granted) => letters::send(app, contact, &record, &Letter::Granted),
            Some(RequestState::Refused) => letters::send(app, contact, &record, &Letter::Refused(&reason)),
            // Customers who take it back themselves know; in their name nothing is taken back without a word.
            Some(RequestState::Withdrawn) if by_person => {
                letters::send(app, contact, &record, &Letter::Withdrawn(&reason));
            }
            _ => {}
        }
    }
    let task = details(app).await?.remove(id).and_then(|one| one.task);
    follow(app, &record, task).await;
    tell(app, &record);
    Ok(record)
}

/// The customer takes a request back.
pub(crate) async fn undo(app: &App, id: &str) -> Result<RequestRecord, Problem> {
    let decision = RequestDecision {
        state: Some(RequestState::Withdrawn),
        reason_category: "taken_back".to_owned(),
        reason: "The customer took it back.".to_owned(),
        ..RequestDecision::default()
    };
    decide(app, id, decision, Actor::System).await
}

/// Somebody takes a request back in the customer's name, and the customer hears of it.
///
/// # Errors
/// It is answered, or being carried out.
pub(crate) async fn withdraw(
    app: &App,
    id: &str,
    (category, reason): (&str, &str),
    actor: Actor,
) -> Result<RequestRecord, Problem> {
    let decision = RequestDecision {
        state: Some(RequestState::Withdrawn),
        reason_category: category.to_owned(),
        reason: reason.to_owned(),
        ..RequestDecision::default()
    };
    decide(app, id, decision, actor).await
}

/// Puts a request off by the law's extension, and tells the customer why.
///
/// # Errors
/// The law has no extension, it was put off already, or the request is answered.
pub(crate) async fn extend(
    app: &App,
    id: &str,
    (category, reason): (&str, &str),
    actor: Actor,
) -> Result<RequestRecord, Problem> {
    let refused = |code: &str, title: &str, help: &str| {
        Problem::new(axum::http::StatusCode::CONFLICT, code, title).help(help)
    };
    let mut tx = app.workspace.state().begin().await?;
    let mut record = app.workspace.state().request(id).await?;
    if record.ended_at.is_some() {
        return Err(refused("request_over", "the request is answered", "there is nothing to put off"));
    }
    if record.due_at.is_some_and(|due| due <= now_us()) {
        return Err(refused(
            "request_late",
            "the request is late already",
            "the law lets it be put off only before its last day: answer it now",
        ));
    }
    let Some(until) = record.extended_to.filter(|until| record.due_at.is_none_or(|due| due < *until)) else {
        return Err(refused(
            "no_extension",
            "the law gives no more time, or it was taken already",
            "answer it by its last day",
        ));
    };
    record.due_at = Some(until);
    let reason_hash = tx.keep_text(reason).await?;
    let body = Body::RequestDecided {
        request: id.to_owned(),
        decision: "extended".to_owned(),
        reason_category: category.to_owned(),
        reason_hash,
    };
    tx.enter(Entry { at: now_us(), actor, body }).await?;
    tx.update_request(&record).await?;
    let known = details(app).await?.remove(id);
    let task = known.as_ref().and_then(|one| one.task.clone());
    if let Some(known) = known {
        tx.put_customer_request(&CustomerRequest { extended_at: Some(now_us()), ..known }).await?;
    }
    tx.commit().await?;
    letters::send(app, letters::contact(&app.workspace, id), &record, &Letter::Extended(reason));
    follow(app, &record, task).await;
    tell(app, &record);
    Ok(record)
}
