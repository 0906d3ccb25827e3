//! What travels: a request as it is shown, and what is said about one.

use dunlin_store::{CustomerRequest, RequestKind, RequestRecord, now_us};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::engine::Reason;
use crate::problem::Problem;

const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// A request; its times are microseconds since 1970 UTC.
#[derive(Serialize, ToSchema)]
pub(super) struct RequestLine {
    /// Its id.
    pub(super) request: String,
    /// `access`, `portability`, `rectification`, `erasure`, `restriction`, `objection`, `consent_withdrawn`,
    /// `consent_given`.
    pub(super) kind: String,
    /// `open`, `granted`, `acting`, `done`, `refused`, `withdrawn`.
    pub(super) state: String,
    /// Whether it is known who asks: `unchecked`, `confirmed`, `failed`.
    pub(super) identity: String,
    /// Under which law.
    pub(super) law: Option<String>,
    /// When it arrived.
    pub(super) received_at: i64,
    /// The first moment that is too late.
    pub(super) due_at: Option<i64>,
    /// Whole days until then; negative once it is late. None when it is answered.
    pub(super) days_left: Option<i64>,
    /// The same with the law's extension.
    pub(super) extended_to: Option<i64>,
    /// When it was put off.
    pub(super) extended_at: Option<i64>,
    /// Who deals with it.
    pub(super) owner: Option<String>,
    /// `granted`, `refused` or `withdrawn`.
    pub(super) decision: Option<String>,
    /// Why, as a code.
    pub(super) reason_category: Option<String>,
    /// Until when it can be taken back; it is not carried out before.
    pub(super) undo_until: Option<i64>,
    /// For an objection or consent: the purpose; empty for all.
    pub(super) purpose: String,
    /// When it was answered.
    pub(super) ended_at: Option<i64>,
    /// `page`, `gpc` or `operator`; none where it came in at a shell.
    pub(super) via: Option<String>,
    /// Whether it is carried out without a person.
    pub(super) by_itself: bool,
    /// The task that stands for it.
    pub(super) task: Option<String>,
    /// When carrying it out by itself last failed.
    pub(super) failed_at: Option<i64>,
    /// Whether letters about it have somewhere to go.
    pub(super) letters: bool,
    /// The last day on which it is answered in time, in the company's zone, e.g. `2026-12-23`; none when it is answered.
    pub(super) last_day: Option<String>,
    /// Why it was decided so, in the words of whoever decided.
    pub(super) reason: Option<String>,
    /// Of a rectification: the columns that it corrects. What they are to hold stays sealed.
    pub(super) corrects: Vec<CorrectedColumn>,
}

/// A column that a customer wants corrected.
#[derive(Serialize, ToSchema)]
pub(super) struct CorrectedColumn {
    /// The target's table, as the plan calls it.
    pub(super) table: String,
    /// Its column.
    pub(super) column: String,
}

impl RequestLine {
    /// A request with what else is known of it.
    pub(super) async fn of(
        app: &App,
        r: RequestRecord,
        known: Option<&CustomerRequest>,
    ) -> Result<RequestLine, Problem> {
        let due = r.due_at.filter(|_| r.ended_at.is_none());
        let reason = match &r.reason_hash {
            Some(hash) => app.workspace.state().text(hash).await?,
            None => None,
        };
        let mut corrects = Vec::new();
        if r.kind == RequestKind::Rectification {
            let columns = app.customers()?.corrects(&r.id).await?;
            corrects.extend(columns.into_iter().map(|(table, column)| CorrectedColumn { table, column }));
        }
        let last_day = due.and_then(|due| jiff::Timestamp::from_microsecond(due.saturating_sub(1)).ok());
        let last_day = last_day.map(|at| at.to_zoned(app.desk.zone()).date().to_string());
        let letters = crate::requests::has_address(&app.workspace, &r.id);
        Ok(RequestLine {
            last_day,
            reason,
            corrects,
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
            letters,
            purpose: r.purpose,
            ended_at: r.ended_at,
            via: known.map(|k| k.via.clone()),
            by_itself: known.is_some_and(|k| k.by_itself),
            task: known.and_then(|k| k.task.clone()),
            failed_at: known.and_then(|k| k.failed_at),
        })
    }
}

/// What shall stand where.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldCorrection {
    /// The target's table, as the plan calls it.
    pub(super) table: String,
    /// Its column.
    pub(super) column: String,
    /// The value; null empties it.
    pub(super) value: Option<String>,
}

/// A request that came by letter or telephone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCustomerCase {
    /// What for.
    pub(super) kind: String,
    /// The customer, by the id that the plan's `[subject]` names.
    #[serde(default)]
    pub(super) subject: Option<String>,
    /// The customer, by an address that nobody else has.
    #[serde(default)]
    pub(super) email: Option<String>,
    /// For an objection or consent: the purpose; all without it.
    #[serde(default)]
    pub(super) purpose: Option<String>,
    /// For a rectification.
    #[serde(default)]
    pub(super) set: Vec<FieldCorrection>,
    /// Where letters go; kept sealed until the request is answered.
    #[serde(default)]
    pub(super) write_to: Option<String>,
    /// The language of the letters: `en`, `es`, `de`, `fr`; without it that of the customer's own row.
    #[serde(default)]
    pub(super) lang: Option<String>,
    /// When it arrived; now without it.
    #[serde(default)]
    pub(super) received_at: Option<i64>,
}

/// What a look at who asks came to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityChecked {
    /// `confirmed` or `failed`.
    #[schema(pattern = "^(confirmed|failed)$")]
    pub(super) outcome: String,
}

/// A decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ruling {
    /// `granted` or `refused`.
    #[schema(pattern = "^(granted|refused)$")]
    pub(super) decision: String,
    /// Why. The customer reads the words of a refusal.
    pub(super) reason: Reason,
    /// For how many hours a grant can be taken back; it is not carried out before.
    #[serde(default)]
    #[schema(maximum = 720)]
    pub(super) undo_hours: u32,
}

/// Who deals with it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestOwner {
    /// A person's id.
    pub(super) owner: String,
}

/// Why it is put off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestPutOff {
    /// The customer reads the words.
    pub(super) reason: Reason,
}

/// Why it is taken back in the customer's name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestWithdrawn {
    /// The customer reads the words.
    pub(super) reason: Reason,
}

/// How the link to a copy reaches the customer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CopyOffer {
    /// `letter`: to where letters about the request go; `hand`: by you.
    #[schema(pattern = "^(letter|hand)$")]
    pub(super) by: String,
}

/// A link to a copy.
#[derive(Serialize, ToSchema)]
pub(super) struct CopyOffered {
    /// The request as it is; it is answered when the copy was fetched.
    pub(super) request: RequestLine,
    /// The link to hand over, good once; none where it was sent by letter.
    pub(super) link: Option<String>,
    /// Until when it is good, in microseconds since 1970 UTC.
    pub(super) until: i64,
}

/// Of whom a receipt is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptOf {
    /// The customer's id. The receipt names it, so whoever wants the receipt has to know it.
    pub(super) subject: String,
}

/// What was carried out.
#[derive(Serialize, ToSchema)]
pub(super) struct CarriedOutNow {
    /// The request as it is now.
    pub(super) request: RequestLine,
    /// Rows that were changed or deleted, by place.
    pub(super) rows: std::collections::BTreeMap<String, u64>,
    /// What a person should know.
    pub(super) notes: Vec<String>,
}
