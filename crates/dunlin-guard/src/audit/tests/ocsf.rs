//! Every kind of entry as an event of OCSF.

use dunlin_ledger::{Actor, Body, Counts, CountsDelta, Decision, Entry};
use serde_json::Value;

use super::opened;
use crate::audit::*;

/// The kind of an entry's body.
fn kind_of(body: &Body) -> String {
    serde_json::to_value(body).unwrap()["kind"].as_str().unwrap().to_owned()
}

/// Required by the schema of version 1.3.0 for each class; dotted names are inside objects, and of alternatives
/// one must be there.
const REQUIRED: &[(u64, &[&str])] = &[
    (2004, &["finding_info.title", "finding_info.uid"]),
    (3001, &["user.uid"]),
    (3002, &["user.uid", "service.name|dst_endpoint"]),
    (3004, &["entity.name|entity.uid", "entity.type"]),
    (6003, &["actor", "api.operation", "src_endpoint.svc_name"]),
    (6005, &["actor", "src_endpoint.svc_name", "database.name|table.name", "database.type_id"]),
];
const REQUIRED_OF_ALL: &[&str] = &[
    "activity_id",
    "category_uid",
    "class_uid",
    "type_uid",
    "severity_id",
    "time",
    "metadata.version",
    "metadata.product.vendor_name",
];
/// Activities that each class knows.
const ACTIVITIES: &[(u64, &[u64])] = &[
    (2004, &[0, 1, 2, 3, 99]),
    (3001, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99]),
    (3002, &[0, 1, 2, 3, 4, 5, 6, 99]),
    (3004, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99]),
    (6003, &[0, 1, 2, 3, 4, 99]),
    (6005, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99]),
];

fn field<'a>(event: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(event, |value, part| value.get(part)).filter(|v| !v.is_null() && **v != "")
}

#[test]
fn every_kind_of_entry_becomes_a_valid_event() {
    let product = Product { version: "0.1.0".into(), workspace: "w1".into() };
    let bodies = every_body();
    let names: Vec<String> = bodies.iter().map(kind_of).collect();
    assert_eq!(names, kinds(), "the list of kinds is that of the ledger, in its order");
    for (index, body) in (0..).zip(bodies) {
        let kind = kind_of(&body);
        let entry = Entry { at: 1_796_083_200_123_456, actor: Actor::Person { id: "p1".into() }, body };
        let event = event(index, &entry, &product);
        let class = event["class_uid"].as_u64().unwrap();
        let of_class =
            REQUIRED.iter().find(|(c, _)| *c == class).unwrap_or_else(|| panic!("{kind}: class {class}")).1;
        for wanted in REQUIRED_OF_ALL.iter().chain(of_class) {
            let there = wanted.split('|').any(|path| field(&event, path).is_some());
            assert!(there, "{kind}: {wanted} is missing in {event}");
        }
        let activity = event["activity_id"].as_u64().unwrap();
        let known = ACTIVITIES.iter().find(|(c, _)| *c == class).unwrap().1;
        assert!(known.contains(&activity), "{kind}: activity {activity} of {class}");
        assert_eq!(event["type_uid"].as_u64(), Some(class * 100 + activity), "{kind}");
        assert_eq!(event["category_uid"].as_u64(), Some(class / 1000), "{kind}");
        assert!((1..=5).contains(&event["severity_id"].as_u64().unwrap()), "{kind}");
        assert_eq!(event["time"], 1_796_083_200_123_i64, "{kind}: milliseconds");
        assert_ne!(event.pointer("/entity/uid"), Some(&Value::from("unknown")), "{kind}");
        assert_ne!(event.pointer("/user/uid"), Some(&Value::from("unknown")), "{kind}");
        assert_eq!(event["unmapped"]["entry"]["kind"], kind, "the entry itself is in it");
    }
}

#[test]
fn events_say_what_a_security_team_looks_for() {
    let product = Product { version: "0.1.0".into(), workspace: "w1".into() };
    let event = |actor: Actor, body: Body| event(7, &Entry { at: 1_000_000, actor, body }, &product);
    let person = || Actor::Person { id: "p1".into() };
    let refused = event(person(), Body::SignInRefused { person: "p1".into(), reason_code: "wrong".into() });
    assert_eq!(
        (&refused["class_uid"], &refused["activity_id"], &refused["status_id"]),
        (&3002.into(), &1.into(), &2.into())
    );
    let blocked = Body::PersonBlocked {
        person: "p2".into(),
        reason_category: "incident".into(),
        reason_hash: "ab".into(),
    };
    let blocked = event(person(), blocked);
    assert_eq!(
        (&blocked["class_uid"], &blocked["activity_id"], &blocked["user"]["uid"]),
        (&3001.into(), &5.into(), &"p2".into())
    );
    assert_eq!(blocked["actor"]["user"]["uid"], "p1");
    let opened = event(Actor::Local { user: "root".into() }, opened("crm", "customers"));
    assert_eq!(
        (&opened["class_uid"], &opened["database"]["name"], &opened["table"]["name"]),
        (&6005.into(), &"crm".into(), &"customers".into())
    );
    assert_eq!(opened["actor"]["user"]["name"], "root");
    let alert =
        Body::AlertRaised { alert: "x".into(), rule: "sweep".into(), severity: "high".into(), person: None };
    let alert = event(Actor::System, alert);
    assert_eq!((&alert["class_uid"], &alert["severity_id"]), (&2004.into(), &4.into()));
    assert_eq!(alert["finding_info"]["title"], "Row after row of one table");
}

/// One of each kind, in the order of the ledger's words. The compiler says when one is missing: see `Body`.
fn every_body() -> Vec<Body> {
    let (h, id) = (|| "ab".repeat(32), |t: &str| t.to_owned());
    let counts = Counts::default();
    vec![
        Body::LedgerCreated { workspace: id("w") },
        Body::RunStarted {
            run: id("r"),
            plan_fingerprint: h(),
            rehearse: false,
            stores: [(id("crm"), id("x"))].into(),
        },
        Body::RunResumed { run: id("r") },
        Body::RunPaused { run: id("r"), reason_code: id("window") },
        Body::RunFinished { run: id("r"), reconciled: true },
        Body::RunAbandoned { run: id("r") },
        Body::SplitLoaded {
            run: id("r"),
            table: id("atlas.people"),
            split: 1,
            counts,
            source_hash: h(),
            loaded_hash: h(),
            expected_hash: h(),
            fragment: None,
        },
        Body::SplitAmended {
            run: id("r"),
            table: id("atlas.people"),
            amendment: 1,
            counts_delta: CountsDelta::default(),
            fragment: None,
        },
        Body::TableReconciled {
            run: id("r"),
            table: id("atlas.people"),
            counts,
            source_hash: h(),
            expected_hash: h(),
            target_hash: h(),
            reconciled: false,
        },
        Body::Verified {
            run: id("r"),
            table: id("atlas.people"),
            counts,
            source_hash: h(),
            expected_hash: h(),
            target_hash: h(),
            reconciled: true,
        },
        Body::Undone { run: id("r"), table: id("atlas.people"), rows: 1 },
        Body::TargetFinished { store: id("atlas") },
        Body::Enriched { run: id("r"), table: id("atlas.people"), rows: 1 },
        Body::QuarantineDecided {
            run: id("r"),
            table: id("atlas.people"),
            decision: Decision::Fixed,
            rows: 1,
            root: h(),
        },
        Body::PlanApproved { fingerprint: h(), stores: [(id("crm"), id("x"))].into(), by: id("p") },
        Body::WindowOverridden { run: id("r"), reason_category: id("incident"), reason_hash: h() },
        Body::KeysRotated { purpose: id("tokens"), key_id: id("tokens-2") },
        Body::ReportWritten { sha256: h() },
        opened("crm", "customers"),
        Body::AccessRows { access: id("a"), count: 1, root: h() },
        Body::AccessClosed { access: id("a"), rows: 1 },
        Body::AccessDenied {
            action: id("read"),
            store: id("crm"),
            table: id("customers"),
            reason_code: id("policy"),
        },
        Body::PersonAdded { person: id("p"), role: id("engineer"), organisation: id("in-house") },
        Body::PersonChanged { person: id("p"), change: id("role:owner") },
        Body::PersonBlocked { person: id("p"), reason_category: id("incident"), reason_hash: h() },
        Body::PersonUnblocked { person: id("p"), reason_category: id("cleared"), reason_hash: h() },
        Body::PersonNoted { person: id("p"), note_hash: h() },
        Body::CredentialChanged { person: id("p"), credential: id("totp"), change: id("added") },
        Body::SignedIn { person: id("p"), session: id("s"), method: id("password") },
        Body::SignInRefused { person: id("p"), reason_code: id("wrong") },
        Body::SessionEnded { person: id("p"), session: id("s"), reason_code: id("signed_out") },
        Body::Invited { invitation: id("i"), role: id("engineer") },
        Body::InvitationAccepted { invitation: id("i"), person: id("p") },
        Body::InvitationWithdrawn { invitation: id("i") },
        Body::TokenIssued { token: id("t"), person: id("p"), scopes: vec![id("people.read")], until: 1 },
        Body::TokenRevoked { token: id("t"), reason_code: id("revoked") },
        Body::GrantOpened {
            grant: id("g"),
            person: id("p"),
            task: id("t"),
            action: id("read"),
            store: id("crm"),
            table: id("customers"),
            columns: vec![],
            until: None,
            purpose_category: id("task"),
            purpose_hash: h(),
        },
        Body::GrantAgreed { grant: id("g"), group: id("audit") },
        Body::GrantClosed { grant: id("g"), reason_code: id("task_closed") },
        Body::PolicyChanged { fingerprint: h() },
        Body::PlanEdited { fingerprint: h(), previous: h() },
        Body::ApprovalVoided { fingerprint: h(), reason_code: id("edited") },
        Body::AlertRaised { alert: id("x"), rule: id("sweep"), severity: id("high"), person: None },
        Body::AlertClosed { alert: id("x"), decision: id("harmless") },
        Body::OutsideSeen { store: id("crm"), connections: 1 },
        Body::LedgerExported { sha256: h(), entries: 1 },
        Body::LedgerRead { filter: h(), entries: 1 },
        Body::LedgerKeyChanged { previous: h(), verifier: h() },
        Body::Shredded { class: id("texts"), rows: 1 },
        Body::WorkChanged { change: id("c"), tasks: 1, root: h() },
        Body::StepConfirmed { step: id("sign_off"), table: id("atlas.people"), part: String::new() },
        Body::StepWithdrawn { step: id("sign_off"), table: id("atlas.people"), part: String::new() },
        Body::TableSeen {
            table: id("atlas.people"),
            fingerprint: h(),
            mapping: h(),
            schema: h(),
            undecided: vec![id("notes")],
        },
        Body::Rehearsed { table: id("atlas.people"), fingerprint: h(), counts, reconciled: true },
        Body::TableProfiled { table: id("atlas.people"), rows: 1, columns: 1 },
        Body::QuarantineSeen { table: id("atlas.people"), groups: [(id("0123456789ab"), 1)].into() },
        Body::ServerStarted { version: id("0.1.0") },
        Body::ServerStopped,
        Body::NoticeSubmitted {
            notice: id("2026-move"),
            locale: id("en"),
            version: 1,
            sha256: h(),
            facts: h(),
        },
        Body::NoticeApproved {
            notice: id("2026-move"),
            locale: id("en"),
            version: 1,
            sha256: h(),
            fingerprint: h(),
        },
        Body::NoticePublished { notice: id("2026-move"), locale: id("en"), version: 1, sha256: h() },
        Body::NoticeOverridden {
            notice: id("2026-move"),
            locale: id("en"),
            version: 1,
            rule: id("tell-hedge"),
            reason_hash: h(),
        },
        Body::NoticeWithdrawn {
            notice: id("2026-move"),
            locale: id("en"),
            version: 1,
            published: true,
            reason_category: id("mistake"),
            reason_hash: h(),
        },
        Body::NoticeAnswered { notice: id("2026-move"), version: 1, choice: id("keep"), subject: h() },
        Body::NoticeSkipped {
            run: h(),
            notice: id("2026-move"),
            reason_category: id("urgent"),
            reason_hash: h(),
        },
        Body::RequestOpened {
            request: id("r"),
            request_kind: id("erasure"),
            law: Some(id("gdpr")),
            subject: h(),
            due_at: Some(1),
        },
        Body::RequestDecided {
            request: id("r"),
            decision: id("granted"),
            reason_category: id("law"),
            reason_hash: h(),
        },
        Body::RequestIdentity { request: id("r"), outcome: id("confirmed") },
        Body::SubjectMarked { request: id("r"), effect: id("restriction"), rows: 1 },
        Body::SubjectErased {
            request: id("r"),
            subject: h(),
            rows: [(id("target:atlas"), 1)].into(),
            root: h(),
        },
        Body::SubjectExported { request: id("r"), rows: 1 },
        Body::SubjectVerified { request: id("r"), commitment: h(), rows: [(id("source:crm"), 1)].into() },
        Body::RequestClosed { request: id("r"), outcome: id("done") },
        Body::MessageSent {
            notice: id("2026-move"),
            version: 1,
            message: id("before:30"),
            transport: id("smtp"),
            recipients: 4,
            sent: 1,
            failed: 1,
            suppressed: 1,
            uncertain: 1,
            invalid: 1,
            root: h(),
        },
        Body::DeliveriesSettled { change: id("bounced"), count: 1, root: h() },
        Body::DefinitionsMoved {
            run: id("r"),
            store: id("new"),
            tables: 1,
            parts: 9,
            missing: 0,
            objects: 0,
        },
        Body::RequestCopyOffered { request: id("r"), by: id("hand") },
        Body::RuleWaived {
            rule: "gdpr-05b".to_owned(),
            waiver: id("waiver"),
            reason_hash: h(),
            until: Some("2027-06-30".to_owned()),
        },
        Body::WaiverWithdrawn { waiver: id("waiver"), rule: "gdpr-05b".to_owned() },
        Body::PacksChecked {
            fingerprint: h(),
            packs: vec!["gdpr".to_owned()],
            states: std::collections::BTreeMap::from([("satisfied".to_owned(), 3)]),
            sha256: h(),
        },
        Body::CopyExamined {
            run: id("run"),
            values: 4,
            found: std::collections::BTreeMap::from([("hipaa-sh-07".to_owned(), 1)]),
        },
        Body::DuplicatesMatched {
            run: id("r"),
            table: id("atlas.people"),
            clusters: 1,
            merged: 1,
            waiting: 1,
            crosswalk: h(),
        },
        Body::DuplicateDecided { run: id("r"), table: id("atlas.people"), pair: h(), decision: id("merge") },
        Body::RunRetried { run: id("r"), attempt: 1, attempts: 3, wait_seconds: 4 },
        Body::TotalsCompared {
            run: id("r"),
            table: id("atlas.people"),
            figures: 2,
            agree: true,
            sha256: h(),
        },
        Body::CopyGrouped {
            run: id("r"),
            table: id("atlas.people"),
            columns: vec!["zip".to_owned()],
            rows: std::collections::BTreeMap::from([("2-4".to_owned(), 3)]),
            smallest: 3,
        },
    ]
}
