//! The judge over a real state: once each, also over restarts, and told to those who should know.

use std::sync::Arc;
use std::time::Duration;

use dunlin_ledger::{Actor, Body, Entry};
use dunlin_store::now_us;

use crate::alerts::{AlertFilter, Alerts, AlertsSettings, Decision, Severity};
use crate::audit::LedgerReader;
use crate::audit::scene::{Scene, who};
use crate::outgoing::outbox::{Carrier, Message, NotCarried, Outbox};

async fn alerts(scene: &Scene) -> (Alerts, Outbox) {
    let workspace = &scene.workspace;
    let outbox = Outbox::new(workspace.state().clone(), workspace.keyring());
    let settings = AlertsSettings {
        mail_to: vec!["security@example.com".into()],
        webhooks: vec!["siem".into()],
        ..AlertsSettings::default()
    };
    let guard = scene.guard().await;
    let reader = LedgerReader::new(workspace).unwrap();
    (Alerts::new(guard, reader, outbox.clone(), settings).unwrap(), outbox)
}

async fn policy_changed(scene: &Scene, n: u8) {
    let fingerprint = hex::encode([n; 32]);
    let actor = Actor::Person { id: scene.person.clone() };
    scene.workspace.state().enter(actor, Body::PolicyChanged { fingerprint }).await.unwrap();
}

/// Writes down what it is given.
#[derive(Default)]
struct Notebook(std::sync::Mutex<Vec<Message>>);

#[async_trait::async_trait]
impl Carrier for Notebook {
    async fn carry(&self, _: &str, message: &Message) -> Result<(), NotCarried> {
        self.0.lock().unwrap().push(message.clone());
        Ok(())
    }
}

#[tokio::test]
async fn an_entry_raises_its_alert_once_and_everybody_is_told() {
    let scene = Scene::new().await;
    let (alerts, outbox) = alerts(&scene).await;
    let mut live = alerts.subscribe();
    policy_changed(&scene, 1).await;
    let raised = alerts.judge_all().await.unwrap();
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert_eq!(live.try_recv().unwrap(), raised[0]);
    assert_eq!(raised[0].what, "Ana Ruiz changed the policies that decide who sees what.");
    assert!(alerts.judge_all().await.unwrap().is_empty(), "nothing twice");
    let listed = alerts.list(&AlertFilter { open: Some(true), ..AlertFilter::default() }, 10).await.unwrap();
    assert_eq!(listed, raised);

    let entered = scene.bodies().await;
    let last = entered.last().unwrap();
    assert!(
        matches!(last, Body::AlertRaised { alert, rule, .. } if *alert == raised[0].id && rule == "policy_changed")
    );

    let notebook = Notebook::default();
    let round = outbox.deliver_due(now_us(), &notebook).await.unwrap();
    assert_eq!((round.sent, round.failed), (2, 0));
    let messages = notebook.0.lock().unwrap();
    let mail = messages.iter().find_map(|m| match m {
        Message::Mail { to, subject, text } => Some((to.clone(), subject.clone(), text.clone())),
        Message::Webhook { .. } => None,
    });
    let (to, subject, text) = mail.unwrap();
    assert_eq!(
        (to.as_str(), subject.as_str()),
        ("security@example.com", "[dunlin high] The policies changed")
    );
    assert!(text.contains(raised[0].todo.as_str()) && text.contains(raised[0].why.as_str()), "{text}");
}

#[tokio::test]
async fn the_same_again_is_counted_until_somebody_has_dealt_with_it() {
    let scene = Scene::new().await;
    let (alerts, _) = alerts(&scene).await;
    policy_changed(&scene, 1).await;
    let first = alerts.judge_all().await.unwrap().remove(0);
    policy_changed(&scene, 2).await;
    assert!(alerts.judge_all().await.unwrap().is_empty());
    let counted = alerts.one(&first.id).await.unwrap();
    assert_eq!((counted.times, counted.evidence.len()), (2, 2));

    let who = who(&scene.person);
    alerts.close(&who, &first.id, Decision::Harmless, "Agreed with Ben.").await.unwrap();
    assert!(alerts.close(&who, &first.id, Decision::Handled, "").await.is_err(), "it is closed already");
    let closed = alerts.one(&first.id).await.unwrap();
    assert_eq!((closed.open, closed.decision.as_deref()), (false, Some("harmless")));
    policy_changed(&scene, 3).await;
    assert_eq!(alerts.judge_all().await.unwrap().len(), 1, "what happens after that is new");
    let text = format!("{:?}", scene.bodies().await);
    assert!(!text.contains("Agreed"), "what people write is not in the ledger");
}

#[tokio::test]
async fn a_restart_goes_on_where_the_last_round_ended() {
    let scene = Scene::new().await;
    for n in 0..3 {
        let (alerts, _) = alerts(&scene).await;
        let actor = Actor::Person { id: scene.person.clone() };
        let body = Body::OutsideSeen { store: format!("store{n}"), connections: 1 };
        scene.workspace.state().enter(actor, body).await.unwrap();
        if n == 1 {
            // Entries that have reached the tiles are found there.
            scene.workspace.integrate().await.unwrap();
        }
        assert_eq!(alerts.judge_all().await.unwrap().len(), 1, "round {n}");
    }
    let (alerts, _) = alerts(&scene).await;
    assert!(alerts.judge_all().await.unwrap().is_empty());
    assert_eq!(alerts.list(&AlertFilter::default(), 10).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_judges_of_one_workspace_raise_each_alert_once() {
    let scene = Arc::new(Scene::new().await);
    let mut tx = scene.workspace.state().begin().await.unwrap();
    for n in 0..40 {
        let body = Body::OutsideSeen { store: format!("store{n}"), connections: 1 };
        tx.enter(Entry { at: now_us(), actor: Actor::System, body }).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let scene = scene.clone();
        tasks.spawn(async move {
            let (alerts, _) = alerts(&scene).await;
            alerts.judge_all().await.unwrap().len()
        });
    }
    let counts = tasks.join_all().await;
    assert_eq!(counts.iter().sum::<usize>(), 40, "{counts:?}");
}

#[tokio::test]
async fn refused_second_factors_are_read_from_the_attempts() {
    let scene = Scene::new().await;
    let (alerts, _) = alerts(&scene).await;
    let mut tx = scene.workspace.state().begin().await.unwrap();
    for n in 0..6 {
        sqlx::query(
            "insert into attempts (id, at, served, account, person, credential, address, network, device, \
             device_hash, outcome) values ($1, $2, $2, 'acc', $3, 'totp', '192.0.2.1', '192.0.2.1', 'curl', 'd', $4)",
        )
        .bind(format!("attempt{n}"))
        .bind(now_us())
        .bind(&scene.person)
        .bind(if n == 5 { "pending" } else { "refused" })
        .execute(tx.connection())
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    let raised = alerts.judge_all().await.unwrap();
    assert_eq!(raised.iter().map(|a| a.rule.as_str()).collect::<Vec<_>>(), ["mfa_fatigue"]);
    assert_eq!((raised[0].severity, raised[0].person.clone()), (Severity::High, Some(scene.person.clone())));
    assert!(alerts.judge_all().await.unwrap().is_empty(), "one that is pending waits; the others are done");
    let text = serde_json::to_string(&raised[0]).unwrap();
    assert!(!text.contains("192.0.2.1"), "an address is not told: {text}");
}

#[tokio::test]
async fn one_call_blocks_and_closes() {
    let scene = Scene::new().await;
    let (alerts, _) = alerts(&scene).await;
    let ben = "01900000-0000-7000-8000-000000000002";
    scene.add(ben, "ben@example.com", "Ben Okoye", "engineer").await;
    let body = Body::PolicyChanged { fingerprint: "ab".repeat(32) };
    scene.workspace.state().enter(Actor::Person { id: ben.into() }, body).await.unwrap();
    let alert = alerts.judge_all().await.unwrap().remove(0);
    assert_eq!(alert.person.as_deref(), Some(ben));
    alerts.block(&who(&scene.person), &alert.id, "Nobody agreed to this.").await.unwrap();
    let person = scene.guard().await.person(ben).await.unwrap();
    assert_eq!(person.status, crate::Status::Blocked);
    assert_eq!(alerts.one(&alert.id).await.unwrap().decision.as_deref(), Some("blocked"));
    let bodies = scene.bodies().await;
    let blocked = bodies.iter().any(|b| matches!(b, Body::PersonBlocked { reason_category, .. } if reason_category == "alert_policy_changed"));
    assert!(blocked, "{bodies:?}");
}

#[tokio::test]
async fn another_key_of_the_ledger_is_entered_and_alerted_once() {
    let scene = Scene::new().await;
    let (alerts, _) = alerts(&scene).await;
    alerts.check_key().await.unwrap();
    assert!(alerts.judge_all().await.unwrap().is_empty(), "the first key is no change");
    let mut tx = scene.workspace.state().begin().await.unwrap();
    tx.set_setting("alerts_verifier", &"ab".repeat(32)).await.unwrap();
    tx.commit().await.unwrap();
    alerts.check_key().await.unwrap();
    alerts.check_key().await.unwrap();
    let raised = alerts.judge_all().await.unwrap();
    assert_eq!(raised.iter().map(|a| a.rule.as_str()).collect::<Vec<_>>(), ["ledger_key_changed"]);
}

#[tokio::test]
async fn the_judge_runs_until_it_is_told_to_stop() {
    let scene = Scene::new().await;
    let (alerts, _) = alerts(&scene).await;
    let mut live = alerts.subscribe();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn({
        let alerts = alerts.clone();
        async move { alerts.run(stopped).await }
    });
    policy_changed(&scene, 1).await;
    let alert = tokio::time::timeout(Duration::from_secs(10), live.recv()).await.unwrap().unwrap();
    assert_eq!(alert.rule, "policy_changed");
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
}
