//! What customers ask for, for those who answer: the queue with its clocks, who asks, the decision, putting off, carrying
//! out, and the receipt. Who the customer is stays sealed: no answer here names one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dunlin_guard::Action;
use dunlin_store::{CustomerRequest, Identity, RequestKind, RequestRecord, RequestState, now_us};
use dunlin_tell::{Lang, Word};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{created, items, ok};
use crate::app::App;
use crate::engine::Reason;
use crate::extract::{Json, Path};
use crate::gate::Caller;
use crate::operation::{Access, Method, Op, Routes, Target};
use crate::problem::Problem;
use crate::requests::{self, Asked, CustomerKey, Named, RequestDecision, Via};

const DAY_US: i64 = 24 * 3600 * 1_000_000;
/// The longest time to take something back, in hours.
const UNDO_MAX: u32 = 30 * 24;

/// A request; its times are microseconds since 1970 UTC.
#[derive(Serialize, ToSchema)]
struct RequestLine {
    /// Its id.
    request: String,
    /// `access`, `portability`, `rectification`, `erasure`, `restriction`, `objection`, `consent_withdrawn`,
    /// `consent_given`.
    kind: String,
    /// `open`, `granted`, `acting`, `done`, `refused`, `withdrawn`.
    state: String,
    /// Whether it is known who asks: `unchecked`, `confirmed`, `failed`.
    identity: String,
    /// Under which law.
    law: Option<String>,
    /// When it arrived.
    received_at: i64,
    /// The first moment that is too late.
    due_at: Option<i64>,
    /// Whole days until then; negative once it is late. None when it is answered.
    days_left: Option<i64>,
    /// The same with the law's extension.
    extended_to: Option<i64>,
    /// When it was put off.
    extended_at: Option<i64>,
    /// Who deals with it.
    owner: Option<String>,
    /// `granted`, `refused` or `withdrawn`.
    decision: Option<String>,
    /// Why, as a code.
    reason_category: Option<String>,
    /// Until when it can be taken back; it is not carried out before.
    undo_until: Option<i64>,
    /// For an objection or consent: the purpose; empty for all.
    purpose: String,
    /// When it was answered.
    ended_at: Option<i64>,
    /// `page`, `gpc` or `operator`; none where it came in at a shell.
    via: Option<String>,
    /// Whether it is carried out without a person.
    by_itself: bool,
    /// The task that stands for it.
    task: Option<String>,
    /// When carrying it out by itself last failed.
    failed_at: Option<i64>,
}

impl RequestLine {
    fn of(r: RequestRecord, known: Option<&CustomerRequest>) -> RequestLine {
        let due = r.due_at.filter(|_| r.ended_at.is_none());
        RequestLine {
            kind: r.kind.as_str().to_owned(),
            state: r.state.as_str().to_owned(),
            identity: r.identity.as_str().to_owned(),
            days_left: due.map(|due| due.saturating_sub(now_us()).div_euclid(DAY_US)),
            request: r.id,
            law: r.law,
            received_at: r.received_at,
            due_at: r.due_at,
            extended_to: r.extended_to,
            extended_at: known.and_then(|k| k.extended_at),
            owner: r.owner,
            decision: r.decision,
            reason_category: r.reason_category,
            undo_until: r.undo_until,
            purpose: r.purpose,
            ended_at: r.ended_at,
            via: known.map(|k| k.via.clone()),
            by_itself: known.is_some_and(|k| k.by_itself),
            task: known.and_then(|k| k.task.clone()),
            failed_at: known.and_then(|k| k.failed_at),
        }
    }
}

/// What shall stand where.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FieldCorrection {
    /// The target's table, as the plan calls it.
    table: String,
    /// Its column.
    column: String,
    /// The value; null empties it.
    value: Option<String>,
}

/// A request that came by letter or telephone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCustomerCase {
    /// What for.
    kind: String,
    /// The customer, by the id that the plan's `[subject]` names.
    #[serde(default)]
    subject: Option<String>,
    /// The customer, by an address that nobody else has.
    #[serde(default)]
    email: Option<String>,
    /// For an objection or consent: the purpose; all without it.
    #[serde(default)]
    purpose: Option<String>,
    /// For a rectification.
    #[serde(default)]
    set: Vec<FieldCorrection>,
    /// Where letters go; kept sealed until the request is answered.
    #[serde(default)]
    write_to: Option<String>,
    /// The language of the letters: `en`, `es`, `de`, `fr`.
    #[serde(default)]
    lang: Option<String>,
    /// When it arrived; now without it.
    #[serde(default)]
    received_at: Option<i64>,
}

/// What a look at who asks came to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IdentityChecked {
    /// `confirmed` or `failed`.
    #[schema(pattern = "^(confirmed|failed)$")]
    outcome: String,
}

/// A decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Ruling {
    /// `granted` or `refused`.
    #[schema(pattern = "^(granted|refused)$")]
    decision: String,
    /// Why. The customer reads the words of a refusal.
    reason: Reason,
    /// For how many hours a grant can be taken back; it is not carried out before.
    #[serde(default)]
    #[schema(maximum = 720)]
    undo_hours: u32,
}

/// Who deals with it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RequestOwner {
    /// A person's id.
    owner: String,
}

/// Why it is put off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RequestPutOff {
    /// The customer reads the words.
    reason: Reason,
}

/// ReceiptOf receipt.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReceiptOf {
    /// The customer's id. The receipt names it, so whoever wants the receipt has to know it.
    subject: String,
}

/// What was carried out.
#[derive(Serialize, ToSchema)]
struct CarriedOutNow {
    /// The request as it is now.
    request: RequestLine,
    /// Rows that were changed or deleted, by place.
    rows: std::collections::BTreeMap<String, u64>,
    /// What a person should know.
    notes: Vec<String>,
}

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
    Ok(RequestLine::of(record, known))
}

async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let known = requests::details(&app).await?;
    let all = app.workspace.state().requests().await?;
    let lines: Vec<RequestLine> = all
        .into_iter()
        .map(|record| {
            let details = known.get(&record.id);
            RequestLine::of(record, details)
        })
        .collect();
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
    let lang = body.lang.as_deref().map_or(Some(Lang::En), Lang::from_word);
    let lang = lang.ok_or_else(|| unfit("letters are not written in that language", "en, es, de or fr"))?;
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
            "grant it, and the customer downloads it at /tell/me; or at a shell: dunlin request carry-out",
        ));
    }
    let carried = requests::carry(&app, &id, caller.who.actor()).await?;
    let request = shown(&app, carried.request).await?;
    Ok(ok(&CarriedOutNow { request, rows: carried.rows, notes: carried.notes }))
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
