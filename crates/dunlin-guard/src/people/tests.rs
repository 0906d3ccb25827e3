//! People, from the first owner to an investigation.

use std::time::Duration;

use dunlin_ledger::{Actor, Body};
use dunlin_plan::Role;

use crate::testing::{OTHER, PASSWORD, Site, from, here};
use crate::{GuardError, Invite, Limit, Reason, Secret, SetUp, Stage, Status};

fn reason() -> Reason {
    Reason { category: "suspected_breach".into(), text: "Ana's laptop was stolen".into() }
}

fn invite(email: &str) -> Invite<'_> {
    Invite { email, name: "Ben Okoye", role: Role::Writer, organisation: Some("Partner Ltd"), life_s: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_set_up_at_once_one_becomes_the_owner() {
    let site = Site::new().await;
    assert!(site.guard.needs_set_up().await.unwrap());
    let void = site.guard.set_up_secret().await.unwrap().unwrap();
    let secret = site.guard.set_up_secret().await.unwrap().unwrap();
    let tries = (0..10).map(|n| {
        let (guard, secret, void) = (site.guard.clone(), secret.clone(), void.clone());
        tokio::spawn(async move {
            let (email, password) = (format!("owner{n}@example.com"), Secret::new(PASSWORD));
            let first = |secret| SetUp { secret, name: "Ana Ruiz", email: &email, password: &password };
            assert!(guard.set_up(&here(), first(&void)).await.is_err());
            guard.set_up(&here(), first(&secret)).await.is_ok()
        })
    });
    let made = futures::future::join_all(tries).await.into_iter().filter(|r| *r.as_ref().unwrap()).count();
    assert_eq!(made, 1);
    assert!(!site.guard.needs_set_up().await.unwrap());
    assert!(site.guard.set_up_secret().await.unwrap().is_none());
    let added = site.entries().await.into_iter().filter(|b| matches!(b, Body::PersonAdded { .. })).count();
    assert_eq!(added, 1);
}

#[tokio::test]
async fn the_last_active_owner_stays() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Owner).await;
    let by = Actor::System;
    assert!(matches!(site.guard.block(&by, &ana.id, &reason()).await, Err(GuardError::LastOwner)));
    assert!(matches!(site.guard.authorise(&by, &ana.id, Role::Guest).await, Err(GuardError::LastOwner)));
    assert!(matches!(site.guard.leave(&by, &ana.id).await, Err(GuardError::LastOwner)));
    let until = Limit { until: Some(0), tables: None };
    assert!(matches!(site.guard.limit(&by, &ana.id, &until).await, Err(GuardError::LastOwner)));
    let ben = site.person("ben@example.com", Role::Owner).await;
    site.guard.block(&by, &ana.id, &reason()).await.unwrap();
    assert!(
        matches!(site.guard.leave(&by, &ben.id).await, Err(GuardError::LastOwner)),
        "the other is blocked"
    );
}

#[tokio::test]
async fn blocking_ends_sessions_tokens_links_and_device_requests_at_once() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    let session = site.sign_in("ana@example.com").await;
    let who = site.who(&session).await;
    let (_, token) = site.guard.issue_token(&who, "ci", &["run.start".into()], 3600).await.unwrap();
    let device = site.guard.begin_device(&here(), "dunlin on a laptop", &["self.read".into()]).await.unwrap();
    site.guard.decide_device(&who, &here(), &device.user_code, true).await.unwrap();
    site.guard.request_recovery(&here(), "ana@example.com").await.unwrap();
    let link = site.mailed_token().await;

    site.guard.block(&Actor::System, &ana.id, &reason()).await.unwrap();
    assert!(site.guard.who_by_session(&session.token, &here()).await.is_err());
    assert!(site.guard.who_by_token(&token, &here()).await.is_err());
    assert!(!site.guard.still(&who).await.unwrap());
    assert!(matches!(site.guard.poll_device(&device.device_code).await.unwrap(), crate::Poll::Denied));
    assert!(site.guard.recover(&here(), &link, &OTHER.into()).await.is_err());
    assert!(site.guard.sign_in(&here(), "ana@example.com", &PASSWORD.into()).await.is_err());
    assert!(site.guard.sign_in_federated(&here(), &ana.id, "oidc", true).await.is_err());

    let entries = site.entries().await;
    let text = serde_json::to_string(&entries).unwrap();
    assert!(
        text.contains("person_blocked") && text.contains("token_revoked") && text.contains("session_ended")
    );
    assert!(!text.contains("laptop was stolen") && !text.contains("ana@") && !text.contains("192.0.2"));

    let record = site.guard.record(&ana.id).await.unwrap();
    assert_eq!(record.person.status, Status::Blocked);
    assert!(record.sessions.is_empty() && record.tokens.is_empty());
    let case = record.investigation.unwrap();
    assert_eq!(case.reason.as_deref(), Some("Ana's laptop was stolen"));
    assert_eq!(case.attempts[0].reason.as_deref(), Some("blocked"));
    assert_eq!(case.attempts[0].address, "192.0.2.10");

    let back = Reason { category: "cleared".into(), text: "it was found".into() };
    site.guard.unblock(&Actor::System, &ana.id, &back).await.unwrap();
    assert!(site.guard.who_by_session(&session.token, &here()).await.is_err(), "old sessions stay ended");
    assert!(site.guard.who_by_token(&token, &here()).await.is_err());
    assert_eq!(site.sign_in("ana@example.com").await.stage, Stage::Full);
}

#[tokio::test]
async fn a_reason_is_needed_and_its_category_is_a_code() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    for (category, text) in [("", "why"), ("Has Spaces", "why"), ("theft", "  ")] {
        let bad = Reason { category: category.into(), text: text.into() };
        assert!(site.guard.block(&Actor::System, &ana.id, &bad).await.is_err());
    }
}

#[tokio::test]
async fn a_role_change_ends_sessions_and_a_limit_in_time_shuts_the_door() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    let session = site.sign_in("ana@example.com").await;
    site.guard.authorise(&Actor::System, &ana.id, Role::Guest).await.unwrap();
    assert!(site.guard.who_by_session(&session.token, &here()).await.is_err());

    let session = site.sign_in("ana@example.com").await;
    let until = site.guard.now().late + 60_000_000;
    let limit = Limit { tables: Some(vec!["crm.customers".into()]), until: Some(until) };
    site.guard.limit(&Actor::System, &ana.id, &limit).await.unwrap();
    let who = site.who(&session).await;
    assert_eq!(who.tables, Some(vec!["crm.customers".to_owned()]));
    site.time.advance(Duration::from_secs(61));
    assert!(!site.guard.still(&who).await.unwrap());
    assert!(site.guard.who_by_session(&session.token, &here()).await.is_err());
    assert!(site.guard.sign_in(&here(), "ana@example.com", &PASSWORD.into()).await.is_err());
    site.guard.limit(&Actor::System, &ana.id, &Limit::default()).await.unwrap();
    assert_eq!(site.sign_in("ana@example.com").await.stage, Stage::Full);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invitation_is_accepted_once() {
    let site = Site::new().await;
    let (info, token) = site.guard.invite(&Actor::System, invite("Ben@Example.com ")).await.unwrap();
    assert_eq!(info.email, "ben@example.com");
    assert_eq!(site.mailed_token().await, token);
    let before = site.guard.sign_in(&here(), "ben@example.com", &PASSWORD.into()).await;
    assert!(matches!(before, Err(GuardError::SignInRefused)));
    let tries = (0..8).map(|_| {
        let (guard, token) = (site.guard.clone(), token.clone());
        tokio::spawn(async move {
            guard.accept_invitation(&here(), &token, "Ben", &PASSWORD.into()).await.is_ok()
        })
    });
    let accepted =
        futures::future::join_all(tries).await.into_iter().filter(|r| *r.as_ref().unwrap()).count();
    assert_eq!(accepted, 1);
    let ben = site.guard.person(&info.person).await.unwrap();
    assert_eq!((ben.status, ben.organisation.as_deref()), (Status::Active, Some("Partner Ltd")));
    assert!(ben.email_verified_at.is_some());
    assert!(matches!(
        site.guard.invite(&Actor::System, invite("ben@example.com")).await,
        Err(GuardError::Taken(_))
    ));
}

#[tokio::test]
async fn an_invitation_that_is_old_withdrawn_or_replaced_is_of_no_use() {
    let site = Site::new().await;
    let accept =
        async |token: &Secret| site.guard.accept_invitation(&here(), token, "Ben", &PASSWORD.into()).await;
    let (_, first) = site.guard.invite(&Actor::System, invite("ben@example.com")).await.unwrap();
    let (info, second) = site.guard.invite(&Actor::System, invite("ben@example.com")).await.unwrap();
    assert!(accept(&first).await.is_err());
    site.guard.withdraw_invitation(&Actor::System, &info.id).await.unwrap();
    assert!(accept(&second).await.is_err());
    assert!(site.guard.invitations().await.unwrap().is_empty());
    let (_, third) = site.guard.invite(&Actor::System, invite("cleo@example.com")).await.unwrap();
    site.time.advance(Duration::from_secs(7 * 24 * 3600));
    site.time.jump_us(-7 * 24 * 3600 * 1_000_000);
    assert!(matches!(accept(&third).await, Err(GuardError::LinkSpent)));
}

#[tokio::test]
async fn a_person_of_the_plan_and_an_account_are_one_by_verified_address() {
    let site = Site::new().await;
    let plan = dunlin_plan_people();
    let by = Actor::System;
    let new = |email: &'static str, verified, by_hand| crate::NewPerson {
        email,
        verified,
        name: "x",
        role: Role::Guest,
        organisation: None,
        by_hand,
        status: Status::Active,
    };
    let one = site.guard.add_person(&by, new("BEN@partner.example", true, false)).await.unwrap();
    site.guard.adopt_plan(&plan).await.unwrap();
    let adopted = site.guard.person(&one.id).await.unwrap();
    assert_eq!((adopted.role, adopted.organisation.as_deref()), (Role::Engineer, Some("Partner Ltd")));
    site.guard.authorise(&by, &one.id, Role::Auditor).await.unwrap();
    site.guard.adopt_plan(&plan).await.unwrap();
    assert_eq!(site.guard.person(&one.id).await.unwrap().role, Role::Auditor, "set by hand");

    let other = Site::new().await;
    let claimed = other.guard.add_person(&by, new("ben@partner.example", false, false)).await.unwrap();
    other.guard.adopt_plan(&plan).await.unwrap();
    assert_eq!(other.guard.person(&claimed.id).await.unwrap().role, Role::Guest, "not verified");
}

fn dunlin_plan_people() -> Vec<dunlin_plan::Person> {
    vec![dunlin_plan::Person {
        name: "Ben Okoye".into(),
        email: "ben@Partner.example".into(),
        role: Role::Engineer,
        organisation: Some("Partner Ltd".into()),
        span: Default::default(),
    }]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_recovery_link_works_once_for_a_quarter_of_an_hour_and_does_not_replace_the_second_factor() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Engineer).await;
    let (_, full) = site.enrol(&site.sign_in("ana@example.com").await).await;
    site.guard.request_recovery(&here(), "ANA@example.com").await.unwrap();
    let link = site.mailed_token().await;
    assert_eq!(site.guard.recovery(&link).await.unwrap().email, "ana@example.com");
    let tries = (0..6).map(|_| {
        let (guard, link) = (site.guard.clone(), link.clone());
        tokio::spawn(async move { guard.recover(&here(), &link, &OTHER.into()).await })
    });
    let done = futures::future::join_all(tries).await;
    let mut recovered: Vec<_> = done.into_iter().filter_map(|r| r.unwrap().ok()).collect();
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered.remove(0).stage, Stage::SecondFactor);
    assert!(
        site.guard.who_by_session(&full.token, &here()).await.is_err(),
        "sessions from before have ended"
    );
    assert!(site.guard.sign_in(&here(), "ana@example.com", &OTHER.into()).await.is_ok());

    site.guard.request_recovery(&here(), "ana@example.com").await.unwrap();
    while site.mails().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let link = site.mailed_token().await;
    site.time.advance(Duration::from_secs(15 * 60));
    assert!(matches!(site.guard.recover(&here(), &link, &PASSWORD.into()).await, Err(GuardError::LinkSpent)));
}

#[tokio::test]
async fn links_for_addresses_that_nobody_has_answer_alike_and_are_limited() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    for n in 0..8 {
        site.guard.request_recovery(&from("203.0.113.1"), "ana@example.com").await.unwrap();
        site.guard.request_recovery(&from("203.0.113.1"), &format!("nobody{n}@example.com")).await.unwrap();
    }
    assert_eq!(site.count("select count(*) from links").await, 3, "three an hour for one person");
    for _ in 0..4 {
        site.guard.request_recovery(&from("203.0.113.1"), "x@example.com").await.unwrap();
    }
    let many = site.guard.request_recovery(&from("203.0.113.1"), "x@example.com").await;
    assert!(matches!(many, Err(GuardError::Throttled { .. })));
}

#[tokio::test]
async fn tokens_are_scoped_end_and_cannot_make_others() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    let who = site.who(&site.sign_in("ana@example.com").await).await;
    let scopes = ["people.*".to_owned(), "run.start".to_owned()];
    let (info, token) = site.guard.issue_token(&who, "ci", &scopes, 3600).await.unwrap();
    let program = site.guard.who_by_token(&token, &here()).await.unwrap();
    assert_eq!(program.person, ana.id);
    for (action, may) in [
        ("people.block", true),
        ("run.start", true),
        ("run.pause", false),
        ("peoples", false),
        ("people", false),
    ] {
        assert_eq!(program.in_scope(action), may, "{action}");
    }
    assert!(site.guard.issue_token(&program, "more", &scopes, 60).await.is_err());
    assert!(site.guard.begin_totp(&program).await.is_err());
    assert!(site.guard.issue_token(&who, "x", &["*".into()], 60).await.is_err());
    assert!(site.guard.issue_token(&who, "x", &[], 60).await.is_err());
    site.time.advance(Duration::from_secs(3600));
    assert!(site.guard.who_by_token(&token, &here()).await.is_err());
    assert!(!site.guard.still(&program).await.unwrap());
    assert_eq!(site.guard.tokens(None).await.unwrap(), []);
    let (second, token) = site.guard.issue_token(&who, "ci", &scopes, u64::MAX).await.unwrap();
    assert!(second.until < info.until + 366 * 24 * 3600 * 1_000_000, "cut to a year");
    site.guard.revoke_token(&who.actor(), &second.id, "revoked").await.unwrap();
    assert!(site.guard.who_by_token(&token, &here()).await.is_err());
}

#[tokio::test]
async fn the_device_flow_gives_one_token_to_the_device_that_asked() {
    use crate::Poll;
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let who = site.who(&site.sign_in("ana@example.com").await).await;
    let device = site.guard.begin_device(&here(), "dunlin on tern", &["run.start".into()]).await.unwrap();
    assert!(matches!(site.guard.poll_device(&device.device_code).await.unwrap(), Poll::Pending));
    assert!(matches!(site.guard.poll_device(&device.device_code).await.unwrap(), Poll::SlowDown));
    assert!(site.guard.device_request(&who, &here(), &"AAAA-BBBB".into()).await.is_err());
    let seen = site.guard.device_request(&who, &here(), &device.user_code).await.unwrap();
    assert_eq!((seen.client.as_str(), seen.address.as_str()), ("dunlin on tern", "192.0.2.10"));
    site.guard.decide_device(&who, &here(), &device.user_code, true).await.unwrap();
    assert!(site.guard.decide_device(&who, &here(), &device.user_code, true).await.is_err());
    site.time.advance(Duration::from_secs(11));
    let Poll::Granted(info, token) = site.guard.poll_device(&device.device_code).await.unwrap() else {
        panic!("not granted");
    };
    assert_eq!(info.kind, "device");
    assert!(site.guard.who_by_token(&token, &here()).await.is_ok());
    site.time.advance(Duration::from_secs(11));
    assert!(matches!(site.guard.poll_device(&device.device_code).await.unwrap(), Poll::Expired));

    let late = site.guard.begin_device(&here(), "x", &["run.start".into()]).await.unwrap();
    site.time.advance(Duration::from_secs(600));
    assert!(matches!(site.guard.poll_device(&late.device_code).await.unwrap(), Poll::Expired));
}

#[tokio::test]
async fn user_codes_of_devices_cannot_be_guessed_on() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let who = site.who(&site.sign_in("ana@example.com").await).await;
    let device = site.guard.begin_device(&here(), "x", &["run.start".into()]).await.unwrap();
    for n in 0..10 {
        let wrong = Secret::new(format!("AAAA-BBB{}", n % 8 + 2));
        assert!(site.guard.device_request(&who, &here(), &wrong).await.is_err());
    }
    assert!(site.guard.device_request(&who, &here(), &device.user_code).await.is_err());
}

#[tokio::test]
async fn notes_are_kept_beside_the_ledger() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    assert!(site.guard.record(&ana.id).await.unwrap().investigation.is_none());
    site.guard.note(&Actor::System, &ana.id, "asked her on the telephone").await.unwrap();
    let case = site.guard.record(&ana.id).await.unwrap().investigation.unwrap();
    assert_eq!(case.notes[0].text.as_deref(), Some("asked her on the telephone"));
    assert!(!serde_json::to_string(&site.entries().await).unwrap().contains("telephone"));
}

#[tokio::test]
async fn another_address_counts_once_a_link_that_goes_there_is_used() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    site.person("ben@example.com", Role::Writer).await;
    let session = site.sign_in("ana@example.com").await;
    let by = &Actor::System;
    let taken = site.guard.change_email(by, &ana.id, " BEN@example.com ").await;
    assert!(matches!(taken, Err(GuardError::Taken(_))), "{taken:?}");
    assert!(site.guard.change_email(by, &ana.id, "no address").await.is_err());
    site.guard.who_by_session(&session.token, &here()).await.unwrap();

    site.guard.request_recovery(&here(), "ana@example.com").await.unwrap();
    let old_link = site.mailed_token().await;
    site.guard.change_email(by, &ana.id, "ana.ruiz@example.com").await.unwrap();
    assert!(site.guard.who_by_session(&session.token, &here()).await.is_err(), "sessions end");
    assert!(site.guard.recovery(&old_link).await.is_err(), "links to the old address are void");
    assert!(site.guard.sign_in(&here(), "ana@example.com", &PASSWORD.into()).await.is_err());
    assert_eq!(site.guard.person(&ana.id).await.unwrap().email_verified_at, None);

    let mails = async {
        loop {
            let mails = site.mails();
            if mails.len() == 3 {
                return mails;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let mails = tokio::time::timeout(std::time::Duration::from_secs(5), mails).await.unwrap();
    let to = |address: &str| mails[1..].iter().find(|m| m.to == address).unwrap();
    assert!(!to("ana@example.com").text.contains("ana.ruiz"), "the old mailbox is not told the new one");
    let link = to("ana.ruiz@example.com").text.lines().find(|l| l.starts_with("https://")).unwrap();
    let token = Secret::new(link.rsplit('/').next().unwrap());
    site.guard.recover(&here(), &token, &OTHER.into()).await.unwrap();
    assert!(site.guard.person(&ana.id).await.unwrap().email_verified_at.is_some());
}
