//! Entries as events of the Open Cybersecurity Schema Framework (<https://schema.ocsf.io>), for the tools of a
//! security team.
//!
//! An event holds what the entry holds and no more: ids, codes, counts, hashes. The entry itself stands in
//! `unmapped`, so that nothing is lost in translation. Addresses are not in the ledger and so not in an event.

use dunlin_ledger::{Actor, Body, Entry};
use serde_json::{Map, Value, json};

/// The version of the schema that the events follow.
pub const OCSF_VERSION: &str = "1.3.0";

/// Who writes the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Version of dunlin.
    pub version: String,
    /// The workspace's id.
    pub workspace: String,
}

/// Kinds of entries, in the order of [`Body`]; a test holds them against it.
pub(super) const KINDS: &[&str] = &[
    "ledger_created",
    "run_started",
    "run_resumed",
    "run_paused",
    "run_finished",
    "run_abandoned",
    "split_loaded",
    "split_amended",
    "table_reconciled",
    "verified",
    "undone",
    "target_finished",
    "enriched",
    "quarantine_decided",
    "plan_approved",
    "window_overridden",
    "keys_rotated",
    "report_written",
    "access_opened",
    "access_rows",
    "access_closed",
    "access_denied",
    "person_added",
    "person_changed",
    "person_blocked",
    "person_unblocked",
    "person_noted",
    "credential_changed",
    "signed_in",
    "sign_in_refused",
    "session_ended",
    "invited",
    "invitation_accepted",
    "invitation_withdrawn",
    "token_issued",
    "token_revoked",
    "grant_opened",
    "grant_agreed",
    "grant_closed",
    "policy_changed",
    "plan_edited",
    "approval_voided",
    "alert_raised",
    "alert_closed",
    "outside_seen",
    "ledger_exported",
    "ledger_read",
    "ledger_key_changed",
    "shredded",
    "work_changed",
    "step_confirmed",
    "step_withdrawn",
    "table_seen",
    "rehearsed",
    "table_profiled",
    "quarantine_seen",
    "server_started",
    "server_stopped",
    "notice_submitted",
    "notice_approved",
    "notice_published",
    "notice_overridden",
    "notice_withdrawn",
    "notice_answered",
    "notice_skipped",
    "request_opened",
    "request_decided",
    "request_identity",
    "subject_marked",
    "subject_erased",
    "subject_exported",
    "subject_verified",
    "request_closed",
    "message_sent",
    "deliveries_settled",
    "definitions_moved",
    "request_copy_offered",
    "rule_waived",
    "waiver_withdrawn",
    "packs_checked",
    "copy_examined",
    "duplicates_matched",
    "duplicate_decided",
    "run_retried",
    "totals_compared",
    "copy_grouped",
];

/// Classes of OCSF that we use, with their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    DetectionFinding = 2004,
    AccountChange = 3001,
    Authentication = 3002,
    EntityManagement = 3004,
    ApiActivity = 6003,
    DatastoreActivity = 6005,
}

impl Class {
    fn uid(self) -> u64 {
        self as u64
    }
}

/// The event of an entry.
pub fn event(index: u64, entry: &Entry, product: &Product) -> Value {
    let (class, activity) = class_of(&entry.body);
    let body = serde_json::to_value(&entry.body).unwrap_or_default();
    let mut event = Map::new();
    let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
    put("category_uid", json!(class.uid() / 1000));
    put("class_uid", json!(class.uid()));
    put("activity_id", json!(activity));
    put("type_uid", json!(class.uid() * 100 + u64::from(activity)));
    put("time", json!(entry.at.div_euclid(1000)));
    put("severity_id", json!(severity(&entry.body)));
    put("status_id", json!(if failed(&entry.body) { 2 } else { 1 }));
    put("metadata", metadata(index, product));
    put("actor", actor(&entry.actor));
    match class {
        Class::Authentication | Class::AccountChange => {
            put("user", user(person_of(&entry.body)));
            put("service", json!({ "name": "dunlin", "uid": product.workspace }));
        }
        Class::EntityManagement => {
            let (kind, uid) = entity(&entry.body);
            put("entity", json!({ "type": kind, "uid": uid, "name": kind }));
        }
        Class::ApiActivity => {
            put("api", json!({ "operation": body["kind"], "service": { "name": "dunlin" } }));
            put("src_endpoint", endpoint());
        }
        Class::DatastoreActivity => {
            put("src_endpoint", endpoint());
            put("database", json!({ "name": store_of(&body), "type_id": 99, "type": "store" }));
            if let Some(table) = body.get("table") {
                put("table", json!({ "name": table }));
            }
        }
        Class::DetectionFinding => {
            put("finding_info", finding(&body));
        }
    }
    put("unmapped", json!({ "entry": body }));
    Value::Object(event)
}

/// The class and activity of a body. Activities are those of each class; 99 is "other".
fn class_of(body: &Body) -> (Class, u8) {
    use Class::*;
    match body {
        Body::SignedIn { .. } | Body::SignInRefused { .. } => (Authentication, 1),
        Body::SessionEnded { .. } => (Authentication, 2),
        Body::PersonAdded { .. } => (AccountChange, 1),
        Body::PersonUnblocked { .. } => (AccountChange, 2),
        Body::PersonBlocked { .. } => (AccountChange, 5),
        Body::PersonChanged { change, .. } if change.starts_with("role:") => (AccountChange, 7),
        Body::PersonChanged { .. } => (AccountChange, 99),
        Body::CredentialChanged { credential, change, .. } => {
            (AccountChange, credential_activity(credential, change))
        }
        Body::PersonNoted { .. }
        | Body::InvitationAccepted { .. }
        | Body::GrantAgreed { .. }
        | Body::PolicyChanged { .. }
        | Body::PlanEdited { .. }
        | Body::KeysRotated { .. }
        | Body::LedgerKeyChanged { .. } => (EntityManagement, 3),
        Body::Invited { .. }
        | Body::TokenIssued { .. }
        | Body::GrantOpened { .. }
        | Body::PlanApproved { .. } => (EntityManagement, 1),
        Body::InvitationWithdrawn { .. }
        | Body::TokenRevoked { .. }
        | Body::GrantClosed { .. }
        | Body::ApprovalVoided { .. } => (EntityManagement, 4),
        Body::AccessOpened { .. } => (DatastoreActivity, 4),
        Body::AccessRows { .. } | Body::AccessClosed { .. } | Body::AccessDenied { .. } => {
            (DatastoreActivity, 1)
        }
        Body::OutsideSeen { .. } => (DatastoreActivity, 3),
        Body::SplitLoaded { .. } => (DatastoreActivity, 5),
        Body::SplitAmended { .. }
        | Body::Enriched { .. }
        | Body::QuarantineDecided { .. }
        | Body::DuplicateDecided { .. } => (DatastoreActivity, 2),
        Body::DuplicatesMatched { .. } => (DatastoreActivity, 1),
        Body::Undone { .. } => (DatastoreActivity, 7),
        Body::TableReconciled { .. } | Body::Verified { .. } => (DatastoreActivity, 1),
        Body::AlertRaised { .. } => (DetectionFinding, 1),
        Body::AlertClosed { .. } => (DetectionFinding, 3),
        Body::LedgerExported { .. } | Body::LedgerRead { .. } => (ApiActivity, 2),
        Body::LedgerCreated { .. } | Body::RunStarted { .. } | Body::ReportWritten { .. } => (ApiActivity, 1),
        Body::RunResumed { .. }
        | Body::RunPaused { .. }
        | Body::RunRetried { .. }
        | Body::RunFinished { .. }
        | Body::WindowOverridden { .. } => (ApiActivity, 3),
        Body::WorkChanged { .. } => (EntityManagement, 3),
        Body::StepConfirmed { .. } => (EntityManagement, 1),
        Body::StepWithdrawn { .. } => (EntityManagement, 4),
        Body::NoticeSubmitted { .. } => (EntityManagement, 1),
        Body::NoticeApproved { .. }
        | Body::NoticePublished { .. }
        | Body::NoticeOverridden { .. }
        | Body::NoticeAnswered { .. } => (EntityManagement, 3),
        Body::NoticeWithdrawn { .. } => (EntityManagement, 4),
        Body::NoticeSkipped { .. } => (ApiActivity, 3),
        Body::RequestOpened { .. } => (EntityManagement, 1),
        Body::RequestDecided { .. }
        | Body::RequestIdentity { .. }
        | Body::RequestClosed { .. }
        | Body::RequestCopyOffered { .. } => (EntityManagement, 3),
        Body::SubjectMarked { .. } => (DatastoreActivity, 2),
        Body::SubjectErased { .. } => (DatastoreActivity, 7),
        Body::SubjectExported { .. } | Body::SubjectVerified { .. } => (DatastoreActivity, 1),
        Body::Rehearsed { .. }
        | Body::TableSeen { .. }
        | Body::TableProfiled { .. }
        | Body::TotalsCompared { .. }
        | Body::CopyGrouped { .. }
        | Body::QuarantineSeen { .. } => (DatastoreActivity, 1),
        Body::RunAbandoned { .. } | Body::TargetFinished { .. } | Body::Shredded { .. } => (ApiActivity, 4),
        Body::ServerStarted { .. }
        | Body::ServerStopped
        | Body::MessageSent { .. }
        | Body::DeliveriesSettled { .. }
        | Body::DefinitionsMoved { .. }
        | Body::RuleWaived { .. }
        | Body::WaiverWithdrawn { .. }
        | Body::PacksChecked { .. }
        | Body::CopyExamined { .. } => (ApiActivity, 99),
    }
}

fn credential_activity(credential: &str, change: &str) -> u8 {
    let gone = change.contains("removed");
    match (credential, gone) {
        ("password", _) if change.contains("reset") => 4,
        ("password", _) => 3,
        ("totp" | "passkey" | "recovery_codes" | "recovery_code", false) => 10,
        ("totp" | "passkey" | "recovery_codes" | "recovery_code", true) => 11,
        _ => 99,
    }
}

/// 1 informational, 2 low, 3 medium, 4 high, 5 critical.
fn severity(body: &Body) -> u8 {
    match body {
        Body::AlertRaised { severity, .. } => match severity.as_str() {
            "critical" => 5,
            "high" => 4,
            "medium" => 3,
            _ => 2,
        },
        Body::LedgerKeyChanged { .. } => 5,
        Body::PersonBlocked { .. } | Body::PolicyChanged { .. } | Body::OutsideSeen { .. } => 3,
        Body::TableReconciled { reconciled: false, .. } | Body::Verified { reconciled: false, .. } => 4,
        Body::RunFinished { reconciled: false, .. } => 4,
        Body::SignInRefused { .. } | Body::AccessDenied { .. } | Body::WindowOverridden { .. } => 2,
        Body::NoticeSkipped { .. } => 2,
        _ => 1,
    }
}

fn failed(body: &Body) -> bool {
    matches!(
        body,
        Body::SignInRefused { .. }
            | Body::AccessDenied { .. }
            | Body::TableReconciled { reconciled: false, .. }
            | Body::Verified { reconciled: false, .. }
            | Body::RunFinished { reconciled: false, .. }
    )
}

fn metadata(index: u64, product: &Product) -> Value {
    json!({
        "version": OCSF_VERSION,
        "product": { "name": "dunlin", "vendor_name": "dunlin", "version": product.version },
        "log_name": "ledger",
        "log_provider": format!("dunlin/{}", product.workspace),
        "uid": format!("{}/{index}", product.workspace),
        "sequence": index,
    })
}

fn actor(actor: &Actor) -> Value {
    match actor {
        Actor::Person { id } => json!({ "user": user(id), "app_name": "dunlin" }),
        Actor::Local { user } => json!({ "user": { "name": user, "type_id": 99, "type": "local" } }),
        Actor::System => json!({ "app_name": "dunlin" }),
    }
}

fn user(id: &str) -> Value {
    json!({ "uid": id, "type_id": 1 })
}

/// No address: the ledger holds none.
fn endpoint() -> Value {
    json!({ "svc_name": "dunlin" })
}

fn person_of(body: &Body) -> &str {
    match body {
        Body::SignedIn { person, .. }
        | Body::SignInRefused { person, .. }
        | Body::SessionEnded { person, .. }
        | Body::PersonAdded { person, .. }
        | Body::PersonChanged { person, .. }
        | Body::PersonBlocked { person, .. }
        | Body::PersonUnblocked { person, .. }
        | Body::CredentialChanged { person, .. } => person,
        _ => "unknown",
    }
}

/// What was managed: its kind and id.
fn entity(body: &Body) -> (&'static str, &str) {
    match body {
        Body::PersonNoted { person, .. } => ("person", person),
        Body::Invited { invitation, .. }
        | Body::InvitationAccepted { invitation, .. }
        | Body::InvitationWithdrawn { invitation } => ("invitation", invitation),
        Body::TokenIssued { token, .. } | Body::TokenRevoked { token, .. } => ("token", token),
        Body::GrantOpened { grant, .. }
        | Body::GrantAgreed { grant, .. }
        | Body::GrantClosed { grant, .. } => ("grant", grant),
        Body::PlanApproved { fingerprint, .. } | Body::ApprovalVoided { fingerprint, .. } => {
            ("approval", fingerprint)
        }
        Body::PolicyChanged { fingerprint } => ("policy", fingerprint),
        Body::PlanEdited { fingerprint, .. } => ("plan", fingerprint),
        Body::KeysRotated { key_id, .. } => ("key", key_id),
        Body::LedgerKeyChanged { verifier, .. } => ("ledger_key", verifier),
        Body::WorkChanged { change, .. } => ("work", change),
        Body::NoticeSubmitted { notice, .. }
        | Body::NoticeApproved { notice, .. }
        | Body::NoticePublished { notice, .. }
        | Body::NoticeOverridden { notice, .. }
        | Body::NoticeWithdrawn { notice, .. }
        | Body::NoticeAnswered { notice, .. } => ("notice", notice),
        Body::StepConfirmed { step, .. } | Body::StepWithdrawn { step, .. } => ("step", step),
        Body::RequestOpened { request, .. }
        | Body::RequestDecided { request, .. }
        | Body::RequestIdentity { request, .. }
        | Body::RequestClosed { request, .. }
        | Body::RequestCopyOffered { request, .. } => ("request", request),
        _ => ("unknown", "unknown"),
    }
}

fn store_of(body: &Value) -> &str {
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    text("store").or_else(|| text("table").and_then(|t| t.split('.').next())).unwrap_or("unknown")
}

fn finding(body: &Value) -> Value {
    let title = body["rule"].as_str().and_then(crate::alerts::Rule::parse).map(|r| r.title());
    json!({ "uid": body["alert"], "title": title.unwrap_or("Alert"), "types": [body["rule"]] })
}
