//! Sessions as their owner, an administrator and a thief meet them.

use std::time::Duration;

use dunlin_ledger::{Actor, Body};
use dunlin_plan::Role;

use crate::testing::{PASSWORD, START, Site, from, here};
use crate::{GuardError, Secret, Stage};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_role_that_needs_a_second_factor_may_only_enrol_without() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Engineer).await;
    let first = site.sign_in("ana@example.com").await;
    assert_eq!(first.stage, Stage::Enrol);
    let who = site.who(&first).await;
    assert!(matches!(who.need_full(), Err(GuardError::EnrolmentNeeded)));
    assert!(matches!(
        site.guard.issue_token(&who, "ci", &["run.start".into()], 60).await,
        Err(GuardError::EnrolmentNeeded)
    ));
    let (_, full) = site.enrol(&first).await;
    assert_ne!(full.token, first.token);
    let stale = site.guard.who_by_session(&first.token, &here()).await;
    assert!(matches!(stale, Err(GuardError::NotSignedIn)), "the token from before counts no more");
    assert!(site.who(&full).await.need_fresh_factor(60).is_ok());
}

#[tokio::test]
async fn a_stolen_password_alone_sets_up_nothing() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Engineer).await;
    let first = site.sign_in("ana@example.com").await;
    let (app, _) = site.enrol(&first).await;
    site.time.advance(Duration::from_secs(60));
    let thief = site.guard.sign_in(&from("203.0.113.5"), "ana@example.com", &PASSWORD.into()).await.unwrap();
    assert_eq!(thief.stage, Stage::SecondFactor);
    let who = site.who(&thief).await;
    assert!(site.guard.begin_totp(&who).await.is_err());
    assert!(site.guard.begin_passkey(&who).await.is_err());
    assert!(site.guard.remove_totp(&who).await.is_err());
    assert!(site.guard.new_recovery_codes(&who).await.is_err());
    assert!(
        site.guard
            .change_password(&who, &here(), &PASSWORD.into(), &"some other long words".into())
            .await
            .is_err()
    );
    // And it is not entered as somebody who came in.
    let before = site.entries().await.iter().filter(|b| matches!(b, Body::SignedIn { .. })).count();
    let full = site.guard.show_code(&who, &here(), &site.code(&app)).await.unwrap();
    assert_eq!(full.stage, Stage::Full);
    let entries = site.entries().await;
    let methods: Vec<&str> = entries
        .iter()
        .filter_map(|b| match b {
            Body::SignedIn { method, .. } => Some(method.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(methods.len(), before + 1);
    assert_eq!(methods.last(), Some(&"password.totp"));
}

#[tokio::test]
async fn requiring_a_second_factor_acts_on_open_sessions() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    let session = site.sign_in("ana@example.com").await;
    assert_eq!(session.stage, Stage::Full);
    site.guard.require_mfa(&Actor::System, &ana.id, true).await.unwrap();
    assert_eq!(site.who(&session).await.stage, Stage::Enrol);
    let (_, full) = site.enrol(&session).await;
    assert_eq!(site.who(&full).await.stage, Stage::Full);
}

#[tokio::test]
async fn tokens_rest_while_a_required_second_factor_is_missing() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    let session = site.sign_in("ana@example.com").await;
    let who = site.who(&session).await;
    let (_, token) = site.guard.issue_token(&who, "ci", &["plan.read".into()], 3600).await.unwrap();
    assert!(site.guard.who_by_token(&token, &here()).await.is_ok());
    site.guard.require_mfa(&Actor::System, &ana.id, true).await.unwrap();
    let refused = site.guard.who_by_token(&token, &here()).await;
    assert!(matches!(refused, Err(GuardError::EnrolmentNeeded)), "{refused:?}");
    site.enrol(&session).await;
    assert!(site.guard.who_by_token(&token, &here()).await.is_ok());
}

#[tokio::test]
async fn idle_and_old_sessions_end_and_stay_ended_whatever_the_clock_says() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let idle = site.sign_in("ana@example.com").await;
    let used = site.sign_in("ana@example.com").await;
    for _ in 0..23 {
        site.time.advance(HOUR / 2);
        site.who(&used).await;
    }
    assert!(site.guard.who_by_session(&idle.token, &here()).await.is_err(), "an hour without use");
    site.time.advance(HOUR / 2);
    assert!(site.guard.who_by_session(&used.token, &here()).await.is_err(), "twelve hours");
    site.time.jump_us(-24 * 3600 * 1_000_000);
    assert!(site.guard.who_by_session(&used.token, &here()).await.is_err(), "the wall clock was set back");
    let reasons: Vec<String> = site
        .entries()
        .await
        .into_iter()
        .filter_map(|b| match b {
            Body::SessionEnded { reason_code, .. } => Some(reason_code),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, ["idle", "expired"]);
}

#[tokio::test]
async fn a_session_that_ended_by_time_is_not_revived_by_a_restart_in_the_past() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let session = site.sign_in("ana@example.com").await;
    site.time.advance(13 * HOUR);
    // Nobody asks for this session; what keeps the time is any other change.
    site.guard.sweep().await.unwrap();
    let (_workspace, guard, _) = site.restarted(START).await;
    assert!(guard.who_by_session(&session.token, &here()).await.is_err());
}

#[tokio::test]
async fn a_killed_session_is_over_with_the_next_request_from_any_process() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    let (keep, kill) = (site.sign_in("ana@example.com").await, site.sign_in("ana@example.com").await);
    let who = site.who(&kill).await;
    assert!(site.guard.still(&who).await.unwrap());
    let (_workspace, other, _) = site.restarted(START).await;
    assert_eq!(other.sessions(Some(&ana.id)).await.unwrap().len(), 2);
    assert_eq!(other.end_sessions(&Actor::System, &ana.id, Some(&keep.session)).await.unwrap(), 1);
    assert!(site.guard.who_by_session(&kill.token, &here()).await.is_err());
    assert!(!site.guard.still(&who).await.unwrap());
    assert!(site.guard.who_by_session(&keep.token, &here()).await.is_ok());
    site.guard.sign_out(&keep.token).await.unwrap();
    assert!(site.guard.who_by_session(&keep.token, &here()).await.is_err());
}

#[tokio::test]
async fn a_form_belongs_to_its_session() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let (one, two) = (site.sign_in("ana@example.com").await, site.sign_in("ana@example.com").await);
    let form = site.guard.form_token(&one.token).unwrap();
    assert!(site.guard.check_form_token(&one.token, &form).is_ok());
    assert!(matches!(site.guard.check_form_token(&two.token, &form), Err(GuardError::FormRefused)));
    assert!(site.guard.check_form_token(&one.token, "").is_err());
}

#[tokio::test]
async fn a_token_that_was_never_given_out_opens_nothing() {
    let site = Site::new().await;
    for token in ["", "x", "dnl_", &"A".repeat(43)] {
        assert!(site.guard.who_by_session(&Secret::new(token), &here()).await.is_err());
        assert!(site.guard.who_by_token(&Secret::new(token), &here()).await.is_err());
    }
}

#[tokio::test]
async fn a_new_session_key_ends_every_session() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let session = site.sign_in("ana@example.com").await;
    site.workspace.rotate_key(dunlin_store::Purpose::Session, Actor::System).await.unwrap();
    assert!(site.guard.who_by_session(&session.token, &here()).await.is_err());
}

#[tokio::test]
async fn a_session_is_listed_with_device_and_address() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    let session = site.sign_in("ana@example.com").await;
    site.time.advance(Duration::from_secs(90));
    site.guard.who_by_session(&session.token, &from("198.51.100.3")).await.unwrap();
    let listed = site.guard.sessions(Some(&ana.id)).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].device, "Firefox on Linux");
    assert_eq!(listed[0].address.to_string(), "198.51.100.3");
    assert_eq!(listed[0].seen_at, START + 90_000_000);
}
