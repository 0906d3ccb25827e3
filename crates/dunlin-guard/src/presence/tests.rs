use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dunlin_gate::{
    AccessLog, Act, Ask, Batch, ColumnInfo, OpenedStream, Refused, Rows, Sealed, SealedStream, SourceFailed,
    Stopped, open, open_stream,
};
use dunlin_ledger::{Actor, Body};
use dunlin_plan::Role;
use futures::{StreamExt, stream};

use super::{Outside, OutsideConnection, Presence, PresenceChange};
use crate::policy::{Action, Authority, GuardPolicy};
use crate::testing::Site;
use crate::{GrantRequest, Reason, Who};

struct House {
    site: Site,
    policy: GuardPolicy,
    presence: Presence,
    ana: Who,
}

impl House {
    /// Ana is an engineer, signed in.
    async fn new() -> House {
        let site = Site::new().await;
        site.person("owner@example.com", Role::Owner).await;
        site.person("ana@example.com", Role::Engineer).await;
        let signed_in = site.sign_in("ana@example.com").await;
        let (_, full) = site.enrol(&signed_in).await;
        let ana = site.who(&full).await;
        let policy = GuardPolicy::new(site.guard.clone(), Authority::built_in().unwrap());
        let presence = Presence::new(site.guard.clone(), &site.workspace);
        House { site, policy, presence, ana }
    }

    fn ask(&self) -> Ask {
        Ask { circumstances: self.ana.circumstances(), ..Ask::masked(self.ana.actor()) }
    }

    fn rows(&self) -> Sealed<Rows> {
        let rows = vec![vec![Some("ana@example.com".into())]; 3];
        Sealed::seal(Rows { store: "atlas".into(), table: "atlas.people".into(), columns: email(), rows })
    }

    /// Two rows, then nothing more and no end.
    async fn stream(&self, ask: &Ask, access: &str) -> OpenedStream {
        let batch = Batch { rows: vec![vec![Some("ana@example.com".into())]; 2], names: Vec::new() };
        let one = stream::iter([Ok::<_, SourceFailed>(Sealed::seal(batch))]);
        let sealed = SealedStream {
            store: "atlas".into(),
            table: "atlas.people".into(),
            columns: email(),
            batches: Box::pin(one.chain(stream::pending())),
        };
        let standing = self.presence.standing(&self.ana, ask.act(), "atlas", "atlas.people").await.unwrap();
        let log = Arc::new(self.presence.clone());
        let opened = open_stream(sealed, &self.policy, log, Arc::new(standing), ask, access).await;
        opened.unwrap_or_else(|refused| panic!("{refused}"))
    }

    /// Why an access ended, as the state has it.
    async fn ended(&self, access: &str) -> Option<String> {
        sqlx::query_scalar("select closed_reason from accesses where id = $1")
            .bind(access)
            .fetch_one(self.site.guard.state().pool())
            .await
            .unwrap()
    }

    /// What the ledger says of accesses.
    async fn said(&self) -> Vec<String> {
        let entry = |body| match body {
            Body::AccessOpened { access, .. } => Some(format!("opened {access}")),
            Body::AccessRows { access, count, .. } => Some(format!("rows {access} {count}")),
            Body::AccessClosed { access, rows } => Some(format!("closed {access} {rows}")),
            Body::AccessDenied { action, reason_code, .. } => Some(format!("denied {action} {reason_code}")),
            Body::OutsideSeen { store, connections } => Some(format!("outside {store} {connections}")),
            _ => None,
        };
        self.site.entries().await.into_iter().filter_map(entry).collect()
    }
}

fn email() -> Vec<ColumnInfo> {
    vec![ColumnInfo { name: "email".into(), kind: Some("email".into()) }]
}

#[tokio::test]
async fn who_is_in_is_seen_from_before_the_first_row_until_the_end() {
    let house = House::new().await;
    let mut changes = house.presence.changes();
    let opened = open(house.rows(), &house.policy, &house.presence, &house.ask(), "a1").await;
    let opened = opened.unwrap_or_else(|refused| panic!("{refused}"));
    let snapshot = house.presence.snapshot().await.unwrap();
    let [access] = &snapshot.accesses[..] else { panic!("one access") };
    assert_eq!((access.id.as_str(), access.rows, access.class.as_str()), ("a1", 3, "personal"));
    assert_eq!((access.name.as_deref(), access.role.as_deref()), (Some("Ana Ruiz"), Some("engineer")));
    assert_eq!((access.clear_class.as_deref(), access.table.as_str()), (None, "atlas.people"));
    assert_eq!(access.session.as_deref(), Some(house.ana.via.id()));
    assert!(snapshot.sessions.iter().any(|s| s.id == house.ana.via.id() && s.name == "Ana Ruiz"));
    opened.close(&house.presence).await.unwrap();
    let after = house.presence.snapshot().await.unwrap();
    assert!(after.accesses.is_empty() && after.lately.len() == 1 && after.lately[0].id == "a1");
    house.site.time.advance(Duration::from_secs(121));
    assert!(house.presence.snapshot().await.unwrap().lately.is_empty());
    assert_eq!(house.said().await, ["opened a1", "rows a1 3", "closed a1 3"]);
    let mut seen = Vec::new();
    while let Ok(change) = changes.try_recv() {
        seen.push(serde_json::to_value(&change).unwrap()["change"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["opened", "rows", "closed"]);
}

/// How long it takes from the act until the stream has stopped, and why it did.
async fn stops(house: &House, ask: &Ask, access: &str, act: impl Future<Output = ()>) -> (Duration, String) {
    let mut rows = house.stream(ask, access).await;
    assert_eq!(rows.next().await.unwrap().unwrap().len(), 2);
    let (reason, began) = tokio::join!(
        async {
            match rows.next().await {
                Some(Err(Stopped::Ended { reason_code })) => (reason_code, Instant::now()),
                _ => panic!("it did not stop"),
            }
        },
        async {
            act.await;
            Instant::now()
        }
    );
    assert!(rows.next().await.is_none());
    assert_eq!(house.ended(access).await, Some(reason.0.clone()));
    (reason.1.saturating_duration_since(began), reason.0)
}

#[tokio::test]
async fn an_export_stops_within_a_second_of_a_block_a_killed_session_a_new_role_or_a_closed_grant() {
    let house = House::new().await;
    let guard = &house.site.guard;
    let owner = crate::policy::tests::who("owner", Role::Owner);
    let authority = Authority::built_in().unwrap();
    let second = Duration::from_secs(1);

    let request = GrantRequest {
        person: house.ana.person.clone(),
        task: "task-1".into(),
        action: Act::Export,
        store: "atlas".into(),
        table: "atlas.people".into(),
        columns: None,
        until: None,
        purpose_category: "support_case".into(),
        purpose_text: "ticket".into(),
    };
    let grant = guard.open_grant(&owner, &authority, &request).await.unwrap();
    let mut export = Ask::clear(house.ana.actor(), "support_case", "ticket");
    (export.action, export.surface) = (Act::Export, "export".into());
    export.circumstances = house.ana.circumstances();
    let close = async { guard.close_grant(&owner, &authority, &grant.id).await.unwrap() };
    let (took, why) = stops(&house, &export, "a1", close).await;
    assert!(took < second && why == "grant_closed", "{why} {took:?}");

    let demote = async { guard.authorise(&owner.actor(), &house.ana.person, Role::Steward).await.unwrap() };
    let (took, why) = stops(&house, &house.ask(), "a2", demote).await;
    assert!(took < second && ["role_changed", "session_ended"].contains(&why.as_str()), "{why} {took:?}");

    let reason = Reason { category: "suspected_breach".into(), text: "odd".into() };
    let house = House::new().await;
    let guard = &house.site.guard;
    let kill =
        async { guard.end_session(&owner.actor(), house.ana.via.id(), "killed").await.map(|_| ()).unwrap() };
    let (took, why) = stops(&house, &house.ask(), "a3", kill).await;
    assert!(took < second && why == "session_ended", "{why} {took:?}");

    let house = House::new().await;
    let block = async { house.site.guard.block(&owner.actor(), &house.ana.person, &reason).await.unwrap() };
    let (took, why) = stops(&house, &house.ask(), "a4", block).await;
    assert!(took < second && why == "person_blocked", "{why} {took:?}");
    let refused = open(house.rows(), &house.policy, &house.presence, &house.ask(), "a5").await;
    assert!(matches!(refused, Err(Refused::Denied(denial)) if denial.reason_code == "always.active"));
}

#[tokio::test]
async fn a_stream_that_is_dropped_half_way_is_closed_by_itself() {
    let house = House::new().await;
    let mut rows = house.stream(&house.ask(), "a1").await;
    rows.next().await.unwrap().unwrap();
    drop(rows);
    for _ in 0..100 {
        if house.ended("a1").await.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(house.ended("a1").await.as_deref(), Some("dropped"));
    assert_eq!(house.presence.sweep().await.unwrap(), 0);
    assert_eq!(house.said().await, ["opened a1", "rows a1 2", "closed a1 2"], "once");
}

#[tokio::test]
async fn what_a_dead_process_left_open_is_closed_and_what_lives_is_not() {
    let house = House::new().await;
    let mut living = house.stream(&house.ask(), "living").await;
    let shown = open(house.rows(), &house.policy, &house.presence, &house.ask(), "forgotten").await;
    drop(shown.unwrap_or_else(|refused| panic!("{refused}")));
    // Opened by a process that died: no memory here knows it.
    let (workspace, other, _) = house.site.restarted(house.site.guard.now().wall).await;
    let dead = Presence::new(other, &workspace);
    let sealed = SealedStream {
        store: "atlas".into(),
        table: "atlas.people".into(),
        columns: email(),
        batches: Box::pin(stream::pending()),
    };
    let standing = dead.standing(&house.ana, Act::ReadMasked, "atlas", "atlas.people").await.unwrap();
    let log = Arc::new(dead.clone());
    let lost = open_stream(sealed, &house.policy, log, Arc::new(standing), &house.ask(), "dead").await;
    std::mem::forget(lost);
    assert_eq!(house.presence.sweep().await.unwrap(), 0, "it may still live");
    house.site.time.advance(Duration::from_secs(61));
    assert_eq!(house.presence.sweep().await.unwrap(), 2);
    assert_eq!(house.ended("dead").await.as_deref(), Some("lost"));
    assert_eq!(house.ended("forgotten").await.as_deref(), Some("lost"));
    assert_eq!(house.ended("living").await, None);
    assert_eq!(living.next().await.unwrap().unwrap().len(), 2);
    // Another process that sees no sign of life ends it; then no row leaves under it.
    house.presence.closing(&Actor::System, "living", 2, "lost").await.unwrap();
    let body = Body::AccessRows { access: "living".into(), count: 1, root: "00".into() };
    assert!(AccessLog::enter(&house.presence, &house.ana.actor(), body).await.is_err());
}

#[tokio::test]
async fn refusals_are_counted_and_those_of_the_api_cannot_flood_the_ledger() {
    let house = House::new().await;
    let ask = Ask { clear: true, ..house.ask() };
    for n in 0..3 {
        let refused = open(house.rows(), &house.policy, &house.presence, &ask, &format!("a{n}")).await;
        assert!(matches!(refused, Err(Refused::Denied(_))));
    }
    for _ in 0..50 {
        house.presence.refused(&house.ana, Action::PeopleRead, "no_policy").await.unwrap();
    }
    house.presence.refused(&house.ana, Action::SettingsEdit, "no_policy").await.unwrap();
    house.site.time.advance(Duration::from_secs(61));
    house.presence.refused(&house.ana, Action::PeopleRead, "no_policy").await.unwrap();
    let denied = "denied read purpose_needed";
    let api =
        ["denied people.read no_policy", "denied settings.edit no_policy", "denied people.read no_policy"];
    assert_eq!(house.said().await, [&[denied; 3][..], &api[..]].concat());
    let times = house.site.count("select sum(times) from denials where person is not null").await;
    assert_eq!((house.site.count("select count(*) from denials").await, times), (4, 55));
}

struct Stores(Mutex<Vec<OutsideConnection>>);

#[async_trait::async_trait]
impl Outside for Stores {
    async fn connections(&self) -> Vec<OutsideConnection> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn connections_that_pass_the_gate_by_are_seen_and_told_once() {
    let house = House::new().await;
    let connection = |user: &str, own| OutsideConnection {
        store: "atlas".into(),
        user: user.into(),
        client: Some("192.0.2.7".into()),
        application: if own { "dunlin" } else { "psql" }.into(),
        since: Some(1),
        state: "idle".into(),
        own,
    };
    let stores = Arc::new(Stores(Mutex::new(vec![connection("dunlin", true)])));
    house.presence.set_outside(stores.clone());
    let mut changes = house.presence.changes();
    house.presence.look_outside().await.unwrap();
    assert!(house.said().await.is_empty(), "dunlin's own passes by nothing");
    stores.0.lock().unwrap().push(connection("intern", false));
    house.presence.look_outside().await.unwrap();
    house.presence.look_outside().await.unwrap();
    stores.0.lock().unwrap().push(connection("intern", false));
    house.presence.look_outside().await.unwrap();
    stores.0.lock().unwrap().truncate(1);
    house.presence.look_outside().await.unwrap();
    assert_eq!(house.said().await, ["outside atlas 1", "outside atlas 2"]);
    let entries = format!("{:?}", house.site.entries().await);
    assert!(!entries.contains("192.0.2.7") && !entries.contains("intern"), "only the count is entered");
    let mut told = 0;
    while let Ok(change) = changes.try_recv() {
        assert!(matches!(change, PresenceChange::Outside(_)));
        told += 1;
    }
    assert_eq!(told, 4);
    assert_eq!(house.presence.snapshot().await.unwrap().outside, [connection("dunlin", true)]);
}
