//! Second factors and passwords, with somebody who cheats.

use std::time::Duration;

use dunlin_plan::Role;
use sha1::{Digest, Sha1};

use crate::testing::{OTHER, PASSWORD, Site, from, here};
use crate::{GuardError, GuardSettings, HashSettings, Secret, Stage};

const STEP: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_counts_once_also_at_the_same_moment() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Engineer).await;
    let (app, _) = site.enrol(&site.sign_in("ana@example.com").await).await;
    let used = site.code(&app);
    let again = site.sign_in("ana@example.com").await;
    let who = site.who(&again).await;
    assert!(site.guard.show_code(&who, &here(), &used).await.is_err(), "the code that set the app up");
    site.time.advance(STEP);
    let code = site.code(&app);
    let tries = (0..8).map(|_| {
        let (guard, code) = (site.guard.clone(), code.clone());
        tokio::spawn(async move {
            let session = guard.sign_in(&here(), "ana@example.com", &PASSWORD.into()).await.unwrap();
            let who = guard.who_by_session(&session.token, &here()).await.unwrap();
            guard.show_code(&who, &here(), &code).await.is_ok()
        })
    });
    let right = futures::future::join_all(tries).await.into_iter().filter(|r| *r.as_ref().unwrap()).count();
    assert_eq!(right, 1);
    // A wall clock set back does not bring an old code to life.
    site.time.jump_us(-30_000_000);
    let who = site.who(&again).await;
    assert!(site.guard.show_code(&who, &here(), &used).await.is_err());
}

#[tokio::test]
async fn codes_cannot_be_guessed_on() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Engineer).await;
    let (app, _) = site.enrol(&site.sign_in("ana@example.com").await).await;
    site.time.advance(STEP);
    let bad = from("203.0.113.8");
    let thief = site.guard.sign_in(&bad, "ana@example.com", &PASSWORD.into()).await.unwrap();
    let who = site.who(&thief).await;
    let right = site.code(&app);
    for n in 0..10 {
        let wrong = format!("{:06}", (right.expose().parse::<u32>().unwrap() + 1 + n) % 1_000_000);
        assert!(site.guard.show_code(&who, &bad, &Secret::new(wrong)).await.is_err());
    }
    assert!(site.guard.show_code(&who, &bad, &right).await.is_err(), "the right one, too late");
    // Signing in anew does not begin a new count.
    let thief = site.guard.sign_in(&bad, "ana@example.com", &PASSWORD.into()).await.unwrap();
    let who = site.who(&thief).await;
    assert!(site.guard.show_code(&who, &bad, &right).await.is_err());
    let ana = site.sign_in("ana@example.com").await;
    assert!(site.guard.show_code(&site.who(&ana).await, &here(), &right).await.is_ok());
}

#[tokio::test]
async fn a_recovery_code_is_good_for_one_sign_in() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Engineer).await;
    let (_, full) = site.enrol(&site.sign_in("ana@example.com").await).await;
    let codes = site.guard.new_recovery_codes(&site.who(&full).await).await.unwrap();
    assert_eq!(codes.len(), 10);
    // The key may be changed meanwhile.
    site.workspace.rotate_key(dunlin_store::Purpose::Credential, dunlin_ledger::Actor::System).await.unwrap();
    let typed = Secret::new(codes[3].expose().to_lowercase().replace('-', " "));
    for right in [true, false] {
        let session = site.sign_in("ana@example.com").await;
        let shown = site.guard.show_code(&site.who(&session).await, &here(), &typed).await;
        assert_eq!(shown.is_ok(), right);
    }
    assert_eq!(site.guard.factors(&ana.id).await.unwrap().recovery_codes, 9);
    let full = site.who(&full).await;
    site.guard.new_recovery_codes(&full).await.unwrap();
    let session = site.sign_in("ana@example.com").await;
    assert!(site.guard.show_code(&site.who(&session).await, &here(), &codes[4]).await.is_err(), "an old set");
}

#[tokio::test]
async fn an_app_that_was_not_confirmed_counts_for_nothing() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    let session = site.sign_in("ana@example.com").await;
    let who = site.who(&session).await;
    let app = site.guard.begin_totp(&who).await.unwrap();
    assert!(app.url.expose().starts_with("otpauth://totp/dunlin:ana%40example.com?"));
    assert!(!site.guard.factors(&ana.id).await.unwrap().any());
    assert!(site.guard.confirm_totp(&who, &here(), &"000000".into()).await.is_err());
    assert_eq!(site.sign_in("ana@example.com").await.stage, Stage::Full);
}

#[tokio::test]
async fn changing_a_password_ends_other_sessions_and_asks_for_the_present_one() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let (mine, other) = (site.sign_in("ana@example.com").await, site.sign_in("ana@example.com").await);
    let who = site.who(&mine).await;
    let wrong = site.guard.change_password(&who, &here(), &OTHER.into(), &OTHER.into()).await;
    assert!(matches!(wrong, Err(GuardError::SignInRefused)));
    let renewed = site.guard.change_password(&who, &here(), &PASSWORD.into(), &OTHER.into()).await.unwrap();
    assert!(site.guard.who_by_session(&other.token, &here()).await.is_err());
    assert!(site.guard.who_by_session(&mine.token, &here()).await.is_err());
    assert!(site.guard.who_by_session(&renewed.token, &here()).await.is_ok());
    assert!(site.guard.sign_in(&here(), "ana@example.com", &PASSWORD.into()).await.is_err());
    assert!(site.guard.sign_in(&here(), "ana@example.com", &OTHER.into()).await.is_ok());
}

#[tokio::test]
async fn weak_own_and_leaked_passwords_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("breached");
    std::fs::write(&list, hex::encode_upper(Sha1::digest(OTHER.as_bytes())) + ":3\n").unwrap();
    let settings = GuardSettings { breached_passwords: Some(list), ..GuardSettings::for_tests() };
    let site = Site::with(settings).await;
    let own = ["Anastasia Ruizgomez", "anastasia.ruizgomez@example.com"];
    for weak in
        ["short", "password1234", "aaaaaaaaaaaaaaaaaaaa", "anastasia ruizgomez", "ruizgomez.anastasia", OTHER]
    {
        let refused = site.guard.check_password(&weak.into(), &own).await;
        assert!(matches!(refused, Err(GuardError::WeakPassword(_))), "{weak}");
    }
    assert!(site.guard.check_password(&PASSWORD.into(), &own).await.is_ok());
    let long = Secret::new("ñandú ".repeat(400));
    assert!(matches!(site.guard.check_password(&long, &own).await, Err(GuardError::WeakPassword(_))));
}

#[tokio::test]
async fn a_hash_of_old_parameters_is_renewed_at_sign_in() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let hashing = HashSettings { passes: 2, ..HashSettings::cheap() };
    let settings = GuardSettings { hashing, ..GuardSettings::for_tests() };
    let dearer = crate::Guard::open_at(&site.workspace, settings, site.time.clone()).await.unwrap();
    for _ in 0..2 {
        dearer.sign_in(&here(), "ana@example.com", &PASSWORD.into()).await.unwrap();
    }
    assert_eq!(site.count("select count(*) from passwords where hash like '%t=2,%'").await, 1);
    let sets = site.entries().await.into_iter().filter(
        |b| matches!(b, dunlin_ledger::Body::CredentialChanged { credential, .. } if credential == "password"),
    );
    assert_eq!(sets.count(), 1, "the same password hashed anew is no change");
}

#[tokio::test]
async fn a_full_session_with_an_old_factor_must_show_it_again() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Engineer).await;
    let (app, full) = site.enrol(&site.sign_in("ana@example.com").await).await;
    site.time.advance(Duration::from_secs(16 * 60));
    let who = site.who(&full).await;
    assert!(matches!(site.guard.remove_totp(&who).await, Err(GuardError::FreshFactorNeeded)));
    assert!(matches!(site.guard.new_recovery_codes(&who).await, Err(GuardError::FreshFactorNeeded)));
    let fresh = site.guard.show_code(&who, &here(), &site.code(&app)).await.unwrap();
    assert!(site.guard.new_recovery_codes(&site.who(&fresh).await).await.is_ok());
}
