//! The ledger as an auditor meets it.

mod ocsf;

use dunlin_ledger::{Actor, Body, Entry, Standing, Verifier};
use dunlin_store::now_us;
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
    enter(
        &scene,
        "p2",
        vec![
            opened("atlas", "people"),
            Body::Undone { run: "r1".into(), table: "crm.orders".into(), rows: 3 },
        ],
    )
    .await;
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
        let page = auditor.search(&me, &wanted, before, 137).await.unwrap();
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
    assert_eq!(
        auditor.saved_searches(&ana).await.unwrap().iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        ["Looks"]
    );
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
    let row = sqlx::query("select group_concat(address) from sessions order by id")
        .fetch_one(state.pool())
        .await
        .unwrap();
    let addresses: String = sqlx::Row::try_get(&row, 0).unwrap();
    assert!(!addresses.contains("192.0.2.9") || addresses.contains("192.0.2.10"), "{addresses}");
    assert!(addresses.ends_with("192.0.2.10"), "a live session keeps its address: {addresses}");
    scene.workspace.integrate().await.unwrap();
    let report = scene.workspace.verify_ledger(&[]).await.unwrap();
    assert_eq!(report.kinds.get("shredded"), Some(&2));
    assert!(shredder.run(now_us() + 1_100 * 86_400_000_000).await.unwrap().classes.is_empty(), "once");
}
