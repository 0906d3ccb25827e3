//! The ledger as an auditor meets it.

use dunlin_ledger::{Actor, Body, Counts, CountsDelta, Decision, Entry, Standing, Verifier};
use dunlin_store::now_us;
use serde_json::Value;
use sha2::Digest as _;

use super::scene::{Scene, who};
use super::*;

async fn auditor(scene: &Scene) -> Auditor {
    Auditor::new(scene.workspace.state().clone(), LedgerReader::new(&scene.workspace).unwrap())
}

async fn enter(scene: &Scene, person: &str, bodies: Vec<Body>) {
    let mut tx = scene.workspace.state().begin().await.unwrap();
    for body in bodies {
        let actor = Actor::Person { id: person.to_owned() };
        tx.enter(Entry { at: now_us(), actor, body }).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn opened(store: &str, table: &str) -> Body {
    Body::AccessOpened {
        access: "a1".into(),
        purpose_category: "task".into(),
        purpose_hash: "ab".repeat(32),
        store: store.into(),
        table: table.into(),
        columns: vec!["email".into()],
        masks: [("email".to_owned(), "partial".to_owned())].into(),
        limit: Some(10),
    }
}

fn filter(change: impl FnOnce(&mut Filter)) -> Filter {
    let mut filter = Filter::default();
    change(&mut filter);
    filter
}

#[tokio::test]
async fn filters_find_what_they_say_in_tiles_and_queue() {
    let scene = Scene::new().await;
    let auditor = auditor(&scene).await;
    enter(&scene, "p1", vec![opened("crm", "customers"), Body::RunResumed { run: "r1".into() }]).await;
    scene.workspace.integrate().await.unwrap();
    enter(&scene, "p2", vec![opened("atlas", "people"), Body::Undone { run: "r1".into(), table: "crm.orders".into(), rows: 3 }]).await;
    enter(&scene, "p1", vec![Body::PersonChanged { person: "p2".into(), change: "role:owner".into() }]).await;
    let me = who(&scene.person);
    let found = |f: Filter| {
        let (auditor, me) = (auditor.clone(), me.clone());
        async move {
            let page = auditor.search(&me, &f, None, 100).await.unwrap();
            page.entries.into_iter().map(|e| e.index).collect::<Vec<_>>()
        }
    };
    // 0 is ledger_created; then 1 2 in tiles, 3 4 5 in the queue. The newest come first.
    assert_eq!(found(filter(|f| f.person = Some("p1".into()))).await, [5, 2, 1]);
    assert_eq!(found(filter(|f| f.person = Some("p2".into()))).await, [5, 4, 3], "also whom it is about");
    assert_eq!(found(filter(|f| f.actor = Some("p2".into()))).await, [4, 3]);
    assert_eq!(found(filter(|f| f.kinds = vec!["access_opened".into()])).await, [3, 1]);
    assert_eq!(found(filter(|f| f.store = Some("crm".into()))).await, [4, 1]);
    assert_eq!(found(filter(|f| f.table = Some("crm.orders".into()))).await, [4]);
    assert_eq!(found(filter(|f| f.table = Some("customers".into()))).await, [1]);
    assert_eq!(found(filter(|f| f.table = Some("crm.customers".into()))).await, [1]);
    assert_eq!(found(filter(|f| f.code = Some("r1".into()))).await, [4, 2]);
    assert_eq!(found(filter(|f| f.code = Some("role:owner".into()))).await, [5]);
    assert_eq!(found(filter(|f| f.code = Some("role".into()))).await, [] as [u64; 0], "a code is whole");
    assert_eq!(found(filter(|f| f.to = Some(1))).await, [] as [u64; 0]);
    let mistyped = auditor.search(&me, &filter(|f| f.kinds = vec!["access_open".into()]), None, 10).await;
    assert!(mistyped.is_err(), "a mistyped kind must not look like an empty answer");
}

#[tokio::test]
async fn pages_cover_everything_once() {
    let scene = Scene::new().await;
    let auditor = auditor(&scene).await;
    let many = (0..700).map(|n| Body::RunResumed { run: format!("r{n}") }).collect();
    enter(&scene, "p1", many).await;
    scene.workspace.integrate().await.unwrap();
    enter(&scene, "p1", (700..900).map(|n| Body::RunResumed { run: format!("r{n}") }).collect()).await;
    let me = who(&scene.person);
    let wanted = filter(|f| f.kinds = vec!["run_resumed".into()]);
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = auditor.search(&me, &wanted, before, 37).await.unwrap();
        seen.extend(page.entries.iter().map(|e| e.index));
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=900).rev().collect::<Vec<u64>>());
}

#[tokio::test]
async fn whoever_looks_is_entered_before_anything_is_shown() {
    let scene = Scene::new().await;
    let auditor = auditor(&scene).await;
    let me = who(&scene.person);
    let suspicion = filter(|f| f.person = Some("p-under-suspicion".into()));
    auditor.search(&me, &suspicion, None, 10).await.unwrap();
    auditor.search(&me, &suspicion, Some(1), 10).await.unwrap();
    auditor.search(&me, &Filter::default(), None, 10).await.unwrap();
    let entries = scene.entries().await;
    let looks: Vec<&Entry> = entries.iter().filter(|e| matches!(e.body, Body::LedgerRead { .. })).collect();
    assert_eq!(looks.len(), 2, "turning the page is the same look");
    assert!(looks.iter().all(|e| e.actor == me.actor()));
    assert!(!format!("{entries:?}").contains("suspicion"), "for whom somebody looks is not in the ledger");
    let Body::LedgerRead { filter, .. } = &looks[0].body else { panic!() };
    let text = scene.workspace.state().text(filter).await.unwrap().unwrap();
    assert_eq!(serde_json::from_str::<Filter>(&text).unwrap(), suspicion, "the state can say it");
}

#[tokio::test]
async fn an_export_is_entered_with_its_hash() {
    let scene = Scene::new().await;
    let auditor = auditor(&scene).await;
    enter(&scene, "p1", vec![opened("crm", "customers"), Body::RunResumed { run: "r1".into() }]).await;
    let product = Product { version: "0.1.0".into(), workspace: scene.workspace.id.clone() };
    let all = auditor.export_ocsf(&who(&scene.person), &Filter::default(), &product).await.unwrap();
    assert_eq!((all.entries, all.lines.lines().count()), (3, 3));
    let hash = hex::encode(sha2::Sha256::digest(all.lines.as_bytes()));
    let last = scene.bodies().await.pop().unwrap();
    assert_eq!(last, Body::LedgerExported { sha256: hash, entries: 3 });
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
    "activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time", "metadata.version",
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
    let names: Vec<String> = bodies.iter().map(super::filter::kind_of).collect();
    assert_eq!(names, kinds(), "the list of kinds is that of the ledger, in its order");
    for (index, body) in (0..).zip(bodies) {
        let kind = super::filter::kind_of(&body);
        let entry = Entry { at: 1_796_083_200_123_456, actor: Actor::Person { id: "p1".into() }, body };
        let event = event(index, &entry, &product);
        let class = event["class_uid"].as_u64().unwrap();
        let of_class = REQUIRED.iter().find(|(c, _)| *c == class).unwrap_or_else(|| panic!("{kind}: class {class}")).1;
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
    assert_eq!((&refused["class_uid"], &refused["activity_id"], &refused["status_id"]), (&3002.into(), &1.into(), &2.into()));
    let blocked = Body::PersonBlocked { person: "p2".into(), reason_category: "incident".into(), reason_hash: "ab".into() };
    let blocked = event(person(), blocked);
    assert_eq!((&blocked["class_uid"], &blocked["activity_id"], &blocked["user"]["uid"]), (&3001.into(), &5.into(), &"p2".into()));
    assert_eq!(blocked["actor"]["user"]["uid"], "p1");
    let opened = event(Actor::Local { user: "root".into() }, opened("crm", "customers"));
    assert_eq!((&opened["class_uid"], &opened["database"]["name"], &opened["table"]["name"]), (&6005.into(), &"crm".into(), &"customers".into()));
    assert_eq!(opened["actor"]["user"]["name"], "root");
    let alert = Body::AlertRaised { alert: "x".into(), rule: "sweep".into(), severity: "high".into(), person: None };
    let alert = event(Actor::System, alert);
    assert_eq!((&alert["class_uid"], &alert["severity_id"]), (&2004.into(), &4.into()));
    assert_eq!(alert["finding_info"]["title"], "Row after row of one table");
}

#[tokio::test]
async fn proofs_hold_against_the_pinned_key_alone() {
    let scene = Scene::new().await;
    let auditor = auditor(&scene).await;
    enter(&scene, "p1", (0..5).map(|n| Body::RunResumed { run: format!("r{n}") }).collect()).await;
    assert!(auditor.proof_file(3).await.is_err(), "no checkpoint covers it yet");
    let old = scene.workspace.integrate().await.unwrap();
    enter(&scene, "p1", vec![Body::RunResumed { run: "later".into() }]).await;
    let new = scene.workspace.integrate().await.unwrap();
    let pinned = Verifier::parse(scene.workspace.keys().verifier().unwrap().as_str()).unwrap();
    let (file, bytes) = auditor.proof_file(3).await.unwrap();
    let read = TlogProof::parse(&file.to_text()).unwrap();
    assert_eq!(read.check(&bytes, &pinned).unwrap(), new);
    assert!(read.check(b"{}", &pinned).is_err());
    let proof = auditor.consistency(old.size, new.size).await.unwrap();
    assert_eq!(proof.check(&old, &new), Ok(()));
    assert!(matches!(auditor.standing(&old.note).await.unwrap(), Standing::Consistent(Some(_))));
    assert!(auditor.standing("nonsense").await.is_err());
    let tile = auditor.tile("checkpoint").await.unwrap();
    assert_eq!((tile.kind, tile.bytes), (TileKind::Checkpoint, new.note.clone().into_bytes()));
    assert!(auditor.tile("tile/entries/000.p/7").await.is_ok());
    assert!(auditor.tile("../state.db").await.is_err());
}

#[tokio::test]
async fn a_ledger_rewritten_for_one_auditor_is_proved_by_what_the_other_kept() {
    let scene = Scene::new().await;
    enter(&scene, "p1", vec![opened("crm", "customers")]).await;
    // What the first auditor was shown: the history as it was, signed.
    let honest = scene.workspace.integrate().await.unwrap();
    // Whoever holds folder, state and keys writes another one.
    std::fs::remove_dir_all(scene.workspace.ledger_dir()).unwrap();
    let signer = scene.workspace.keys().signer().unwrap();
    let pinned = signer.verifier().unwrap();
    let mut forged = dunlin_ledger::Log::open(&scene.workspace.ledger_dir(), &pinned).unwrap();
    let entries: Vec<Vec<u8>> = (0..4).map(|n| format!("{{\"forged\":{n}}}").into_bytes()).collect();
    forged.append(&entries, &signer).unwrap();
    let auditor = auditor(&scene).await;
    let Standing::Forked(evidence) = auditor.standing(&honest.note).await.unwrap() else { panic!() };
    assert_eq!(evidence.check(&pinned), Ok(()), "a judge needs the evidence and the key, and nothing else");
}

#[tokio::test]
async fn searches_are_kept_for_each_person_alone() {
    let scene = Scene::new().await;
    let auditor = auditor(&scene).await;
    let (ana, ben) = (who("p-ana"), who("p-ben"));
    let wanted = filter(|f| f.kinds = vec!["access_opened".into()]);
    let saved = auditor.save_search(&ana, " Looks ", &wanted).await.unwrap();
    let again = auditor.save_search(&ana, "Looks", &Filter::default()).await.unwrap();
    assert_eq!(saved.id, again.id, "one of that name is replaced");
    assert_eq!(auditor.saved_searches(&ana).await.unwrap().iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["Looks"]);
    assert!(auditor.saved_searches(&ben).await.unwrap().is_empty());
    assert!(auditor.delete_search(&ben, &saved.id).await.is_err(), "another's search");
    auditor.delete_search(&ana, &saved.id).await.unwrap();
    assert!(auditor.saved_searches(&ana).await.unwrap().is_empty());
    assert!(auditor.save_search(&ana, "", &wanted).await.is_err());
}

#[tokio::test]
async fn what_is_past_its_time_is_gone_and_the_ledger_still_verifies() {
    let scene = Scene::new().await;
    let state = scene.workspace.state();
    let mut tx = state.begin().await.unwrap();
    let old = tx.keep_text("Ana asked because of her mother's illness").await.unwrap();
    let kept = tx.keep_text("a reason that still shows").await.unwrap();
    let body = |hash: &str| Body::PersonNoted { person: scene.person.clone(), note_hash: hash.to_owned() };
    for hash in [&old, &kept] {
        tx.enter(Entry { at: now_us(), actor: Actor::System, body: body(hash) }).await.unwrap();
    }
    // A blocked person's record shows its reason until they are unblocked.
    for sql in ["update people set status = 'blocked', block_reason = $1"] {
        sqlx::query(sql).bind(&kept).execute(tx.connection()).await.unwrap();
    }
    sqlx::query(
        "insert into sessions (id, person, token, method, stage, created_at, created_late, seen_at, seen_late, ends_late, \
         device, device_hash, address, network, ended_at) \
         values ('s1', $1, 't1', 'password', 'full', 1, 1, 1, 1, 1, 'Firefox', 'd', '192.0.2.9', '192.0.2.9', 5), \
         ('s2', $1, 't2', 'password', 'full', 1, 1, 1, 1, 1, 'Firefox', 'd', '192.0.2.10', '192.0.2.10', null)",
    )
    .bind(&scene.person)
    .execute(tx.connection())
    .await
    .unwrap();
    tx.commit().await.unwrap();
    scene.workspace.integrate().await.unwrap();

    let shredder = Shredder::new(state.clone(), Retention::default());
    let soon = shredder.run(now_us() + 86_400_000_000).await.unwrap();
    assert_eq!(soon.classes, [("addresses", 1)], "texts are kept for three years");
    let done = shredder.run(now_us() + 1_100 * 86_400_000_000).await.unwrap();
    assert_eq!(done.classes, [("texts", 1)]);
    assert_eq!(state.text(&old).await.unwrap(), None);
    assert!(state.text(&kept).await.unwrap().is_some(), "it still stands in a record");
    let row = sqlx::query("select group_concat(address) from sessions order by id").fetch_one(state.pool()).await.unwrap();
    let addresses: String = sqlx::Row::try_get(&row, 0).unwrap();
    assert!(!addresses.contains("192.0.2.9") || addresses.contains("192.0.2.10"), "{addresses}");
    assert!(addresses.ends_with("192.0.2.10"), "a live session keeps its address: {addresses}");
    scene.workspace.integrate().await.unwrap();
    let report = scene.workspace.verify_ledger(&[]).await.unwrap();
    assert_eq!(report.kinds.get("shredded"), Some(&2));
    assert!(shredder.run(now_us() + 1_100 * 86_400_000_000).await.unwrap().classes.is_empty(), "once");
}

/// One of each kind, in the order of the ledger's words. The compiler says when one is missing: see `Body`.
fn every_body() -> Vec<Body> {
    let (h, id) = (|| "ab".repeat(32), |t: &str| t.to_owned());
    let counts = Counts::default();
    vec![
        Body::LedgerCreated { workspace: id("w") },
        Body::RunStarted { run: id("r"), plan_fingerprint: h(), rehearse: false, stores: [(id("crm"), id("x"))].into() },
        Body::RunResumed { run: id("r") },
        Body::RunPaused { run: id("r"), reason_code: id("window") },
        Body::RunFinished { run: id("r"), reconciled: true },
        Body::RunAbandoned { run: id("r") },
        Body::SplitLoaded { run: id("r"), table: id("atlas.people"), split: 1, counts, source_hash: h(), loaded_hash: h(), expected_hash: h(), fragment: None },
        Body::SplitAmended { run: id("r"), table: id("atlas.people"), amendment: 1, counts_delta: CountsDelta::default(), fragment: None },
        Body::TableReconciled { run: id("r"), table: id("atlas.people"), counts, source_hash: h(), expected_hash: h(), target_hash: h(), reconciled: false },
        Body::Verified { run: id("r"), table: id("atlas.people"), counts, source_hash: h(), expected_hash: h(), target_hash: h(), reconciled: true },
        Body::Undone { run: id("r"), table: id("atlas.people"), rows: 1 },
        Body::TargetFinished { store: id("atlas") },
        Body::Enriched { run: id("r"), table: id("atlas.people"), rows: 1 },
        Body::QuarantineDecided { run: id("r"), table: id("atlas.people"), decision: Decision::Fixed, rows: 1, root: h() },
        Body::PlanApproved { fingerprint: h(), stores: [(id("crm"), id("x"))].into(), by: id("p") },
        Body::WindowOverridden { run: id("r"), reason_category: id("incident"), reason_hash: h() },
        Body::KeysRotated { purpose: id("tokens"), key_id: id("tokens-2") },
        Body::ReportWritten { sha256: h() },
        opened("crm", "customers"),
        Body::AccessRows { access: id("a"), count: 1, root: h() },
        Body::AccessClosed { access: id("a"), rows: 1 },
        Body::AccessDenied { action: id("read"), store: id("crm"), table: id("customers"), reason_code: id("policy") },
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
        Body::GrantOpened { grant: id("g"), person: id("p"), task: id("t"), action: id("read"), store: id("crm"), table: id("customers"), columns: vec![], until: None, purpose_category: id("task"), purpose_hash: h() },
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
        Body::ServerStarted { version: id("0.1.0") },
        Body::ServerStopped,
    ]
}
