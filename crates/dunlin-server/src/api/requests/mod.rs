//! What customers ask for, for those who answer: the queue with its clocks, who asks, the decision, putting off, carrying
//! out, and the receipt. Who the customer is stays sealed: no answer here names one.

mod bodies;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dunlin_guard::Action;
use dunlin_store::{Identity, RequestKind, RequestRecord, RequestState};
use dunlin_tell::{Lang, Word};

use super::{created, items, ok};
use crate::app::App;
use crate::engine::Reason;
use crate::extract::{Json, Path};
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;
use crate::requests::{self, Asked, CustomerKey, Named, OfferedBy, RequestDecision, Via};
use bodies::{
    CarriedOutNow, CopyOffer, CopyOffered, IdentityChecked, NewCustomerCase, ReceiptOf, RequestLine,
    RequestOwner, RequestPutOff, RequestWithdrawn, Ruling,
};

/// The longest time to take something back, in hours.
const UNDO_MAX: u32 = 30 * 24;

fn op(method: Method, path: &'static str, action: Action, id: &str, summary: &str) -> Op {
    Op::new(method, path, Access::May(action, Target::Workspace), id, summary)
}

pub(super) fn routes(routes: Routes) -> Routes {
    use Action::{RequestsCarryOut, RequestsDecide, RequestsRead, RequestsWrite};
    use Method::{Get, Post};
    routes
        .add(
            op(
                Get,
                "/api/v1/requests",
                RequestsRead,
                "requests",
                "What customers ask for, the most urgent first",
            )
            .answers_object("`items`: requests"),
            list,
        )
        .add(
            op(Post, "/api/v1/requests", RequestsWrite, "request_open", "Take a request in")
                .takes::<NewCustomerCase>()
                .creates::<RequestLine>("The request"),
            open,
        )
        .add(
            op(Get, "/api/v1/requests/{request}", RequestsRead, "request", "One request")
                .answers::<RequestLine>("The request"),
            one,
        )
        .add(
            op(
                Post,
                "/api/v1/requests/{request}/identity",
                RequestsWrite,
                "request_identity",
                "Note whether the customer is who they say",
            )
            .takes::<IdentityChecked>()
            .answers::<RequestLine>("The request"),
            identity,
        )
        .add(
            op(
                Post,
                "/api/v1/requests/{request}/assign",
                RequestsWrite,
                "request_assign",
                "Say who deals with it",
            )
            .takes::<RequestOwner>()
            .answers::<RequestLine>("The request"),
            assign,
        )
        .add(
            op(
                Post,
                "/api/v1/requests/{request}/decide",
                RequestsDecide,
                "request_decide",
                "Grant or refuse",
            )
            .takes::<Ruling>()
            .answers::<RequestLine>("The request; the customer is written to"),
            decide,
        )
        .add(
            op(
                Post,
                "/api/v1/requests/{request}/extend",
                RequestsWrite,
                "request_extend",
                "Put it off by the law's extension",
            )
            .takes::<RequestPutOff>()
            .answers::<RequestLine>("The request; the customer is written to"),
            extend,
        )
        .add(
            op(
                Post,
                "/api/v1/requests/{request}/withdraw",
                RequestsWrite,
                "request_withdraw",
                "Take it back in the customer's name",
            )
            .takes::<RequestWithdrawn>()
            .answers::<RequestLine>("The request; the customer is written to"),
            withdraw,
        )
        .add(
            op(
                Post,
                "/api/v1/requests/{request}/copy",
                RequestsCarryOut,
                "request_copy",
                "Make a link to the copy that a granted request asks for",
            )
            .takes::<CopyOffer>()
            .answers::<CopyOffered>(
                "The link; the copy is made when it is fetched, and the request is answered then",
            ),
            copy,
        )
        .add(
            op(
                Post,
                "/api/v1/requests/{request}/carry-out",
                RequestsCarryOut,
                "request_carry_out",
                "Carry a granted request out",
            )
            .answers::<CarriedOutNow>("What was done; it goes on when the client leaves"),
            carry_out,
        )
        .add(
            op(
                Post,
                "/api/v1/requests/{request}/receipt",
                RequestsCarryOut,
                "request_receipt",
                "Search everywhere again and make a receipt",
            )
            .takes::<ReceiptOf>()
            .answers_object("`dunlin-receipt/v1`"),
            receipt,
        )
}

async fn shown(app: &App, record: RequestRecord) -> Result<RequestLine, Problem> {
    let known = requests::details(app).await?;
    let known = known.get(&record.id);
    RequestLine::of(app, record, known).await
}

async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let known = requests::details(&app).await?;
    let all = app.workspace.state().requests().await?;
    let mut lines = Vec::with_capacity(all.len());
    for record in all {
        let details = known.get(&record.id);
        lines.push(RequestLine::of(&app, record, details).await?);
    }
    Ok(items(&lines))
}

async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let record = app.workspace.state().request(&id).await?;
    Ok(ok(&shown(&app, record).await?))
}

fn unfit(title: &str, help: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unfit_body", title).help(help)
}

fn reasoned(reason: &Reason) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.:-".contains(c);
    let code = (1..=64).contains(&reason.category.len()) && reason.category.chars().all(plain);
    let text = (1..=2000).contains(&reason.text.trim().chars().count());
    if code && text {
        return Ok(());
    }
    Err(unfit(
        "a reason is a code and some words",
        "a code of `a-z 0-9 _ . : -`, and at most 2000 characters",
    ))
}

async fn open(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<NewCustomerCase>,
) -> Result<Response, Problem> {
    let kind = RequestKind::parse(&body.kind).ok_or_else(|| {
        let known: Vec<&str> = RequestKind::ALL.iter().map(|kind| kind.as_str()).collect();
        unfit("a request cannot be for that", format!("one of {}", known.join(", ")))
    })?;
    let who = match (body.subject, body.email) {
        (Some(key), None) => Named::Key(CustomerKey(key)),
        (None, Some(email)) => Named::Email(email),
        _ => return Err(unfit("a request names one customer", "give `subject` or `email`, and not both")),
    };
    let unknown = || unfit("letters are not written in that language", "en, es, de or fr");
    let lang = body.lang.as_deref().map(|lang| Lang::from_word(lang).ok_or_else(unknown)).transpose()?;
    let asked = Asked {
        kind,
        who,
        purpose: body.purpose,
        set: body.set.into_iter().map(|one| (one.table, one.column, one.value)).collect(),
        via: Via::Operator,
        lang,
        email: body.write_to,
        received_at: body.received_at,
    };
    let record = requests::take_in(&app, asked, caller.who.actor()).await?;
    Ok(created(&shown(&app, record).await?))
}

async fn identity(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<IdentityChecked>,
) -> Result<Response, Problem> {
    let outcome = match body.outcome.as_str() {
        "confirmed" => Identity::Confirmed,
        "failed" => Identity::Failed,
        _ => return Err(unfit("an identity is confirmed or failed", "`confirmed` or `failed`")),
    };
    let decision = RequestDecision { identity: Some(outcome), ..RequestDecision::default() };
    let record = requests::decide(&app, &id, decision, caller.who.actor()).await?;
    Ok(ok(&shown(&app, record).await?))
}

async fn assign(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<RequestOwner>,
) -> Result<Response, Problem> {
    let person = app.guard.person(&body.owner).await?;
    let decision = RequestDecision { owner: Some(person.id), ..RequestDecision::default() };
    let record = requests::decide(&app, &id, decision, caller.who.actor()).await?;
    Ok(ok(&shown(&app, record).await?))
}

async fn decide(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Ruling>,
) -> Result<Response, Problem> {
    reasoned(&body.reason)?;
    let state = match body.decision.as_str() {
        "granted" => RequestState::Granted,
        "refused" => RequestState::Refused,
        _ => return Err(unfit("a request is granted or refused", "`granted` or `refused`")),
    };
    if body.undo_hours > UNDO_MAX {
        return Err(unfit("a grant can be taken back for a month at most", "give at most 720 hours"));
    }
    let decision = RequestDecision {
        state: Some(state),
        reason_category: body.reason.category,
        reason: body.reason.text,
        undo_us: i64::from(body.undo_hours) * 3_600_000_000,
        ..RequestDecision::default()
    };
    let record = requests::decide(&app, &id, decision, caller.who.actor()).await?;
    Ok(ok(&shown(&app, record).await?))
}

async fn extend(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<RequestPutOff>,
) -> Result<Response, Problem> {
    reasoned(&body.reason)?;
    let reason = (body.reason.category.as_str(), body.reason.text.as_str());
    let record = requests::extend(&app, &id, reason, caller.who.actor()).await?;
    Ok(ok(&shown(&app, record).await?))
}

async fn carry_out(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let record = app.workspace.state().request(&id).await?;
    if matches!(record.kind, RequestKind::Access | RequestKind::Portability) {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "copy",
            "a copy of the data is handed to the customer alone",
        )
        .help(
            "grant it, and the customer downloads it at /tell/me, or by a link: POST /api/v1/requests/ID/copy",
        ));
    }
    let carried = requests::carry(&app, &id, caller.who.actor()).await?;
    let request = shown(&app, carried.request).await?;
    Ok(ok(&CarriedOutNow { request, rows: carried.rows, notes: carried.notes }))
}

async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<RequestWithdrawn>,
) -> Result<Response, Problem> {
    reasoned(&body.reason)?;
    let reason = (body.reason.category.as_str(), body.reason.text.as_str());
    let record = requests::withdraw(&app, &id, reason, caller.who.actor()).await?;
    Ok(ok(&shown(&app, record).await?))
}

async fn copy(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<CopyOffer>,
) -> Result<Response, Problem> {
    let by = match body.by.as_str() {
        "letter" => OfferedBy::Letter,
        "hand" => OfferedBy::Hand,
        _ => return Err(unfit("a link is sent or handed over", "`letter` or `hand`")),
    };
    let offered = requests::offer(&app, &id, by, caller.who.actor()).await?;
    let request = shown(&app, offered.request).await?;
    Ok(ok(&CopyOffered { request, link: offered.link, until: offered.until }))
}

async fn receipt(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<ReceiptOf>,
) -> Result<Response, Problem> {
    let who = CustomerKey(body.subject);
    Ok(ok(&app.customers()?.receipt(&id, Some(&who), caller.who.actor()).await?))
}
