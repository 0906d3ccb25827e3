//! Attacks on sign-in, as an attacker would run them.

use std::time::Duration;

use dunlin_ledger::{Actor, Body};
use dunlin_plan::Role;

use crate::testing::{OTHER, PASSWORD, START, Site, from, here};
use crate::{Guard, GuardError, GuardSettings, Limits, Origin, Secret};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn guess(guard: &Guard, origin: &Origin, email: &str, number: usize) -> GuardError {
    let password = Secret::new(format!("a wrong guess, number {number}"));
    guard.sign_in(origin, email, &password).await.unwrap_err()
}

/// Guesses that were verified at all.
const VERIFIED: &str = "select count(*) from attempts where outcome = 'refused'";

async fn right(guard: &Guard, origin: &Origin) -> Result<crate::SignedIn, GuardError> {
    guard.sign_in(origin, "ana@example.com", &PASSWORD.into()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_guesses_at_once_ten_are_looked_at() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let guesses = (0..200).map(|n| {
        let guard = site.guard.clone();
        tokio::spawn(async move { guess(&guard, &here(), "ana@example.com", n).await })
    });
    for done in futures::future::join_all(guesses).await {
        let error = done.unwrap();
        assert!(matches!(error, GuardError::SignInRefused | GuardError::Throttled { .. }), "{error}");
    }
    assert_eq!(site.count(VERIFIED).await, 10);
    // The right password is of no use here any more, and the ledger was not flooded.
    assert!(right(&site.guard, &here()).await.is_err());
    let refused =
        site.entries().await.into_iter().filter(|b| matches!(b, Body::SignInRefused { .. })).count();
    assert!((1..=2).contains(&refused), "{refused} entries");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guesses_at_once_from_two_processes_share_one_limit() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let (_workspace, second, _) = site.restarted(START).await;
    let guesses = (0..60).map(|n| {
        let guard = if n % 2 == 0 { site.guard.clone() } else { second.clone() };
        tokio::spawn(async move { guess(&guard, &here(), "ana@example.com", n).await })
    });
    futures::future::join_all(guesses).await;
    assert_eq!(site.count(VERIFIED).await, 10);
}

#[tokio::test]
async fn a_lock_outlives_restarts_and_clocks_that_jump() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    for n in 0..10 {
        guess(&site.guard, &here(), "ana@example.com", n).await;
    }
    assert!(matches!(right(&site.guard, &here()).await, Err(GuardError::SignInRefused)));
    site.time.jump_us(400 * 24 * 3600 * 1_000_000);
    assert!(right(&site.guard, &here()).await.is_err(), "the wall clock was set forth");
    site.time.jump_us(-800 * 24 * 3600 * 1_000_000);
    assert!(right(&site.guard, &here()).await.is_err(), "the wall clock was set back");
    for wall in [START, START + 400 * 24 * 3600 * 1_000_000, 0] {
        let (_workspace, guard, _) = site.restarted(wall).await;
        assert!(right(&guard, &here()).await.is_err(), "a restart at {wall}");
    }
    // Thirty days that were lived through open it.
    site.time.advance(30 * DAY);
    assert!(right(&site.guard, &here()).await.is_ok());
}

#[tokio::test]
async fn another_network_is_not_locked_with_it() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    for n in 0..12 {
        guess(&site.guard, &from("203.0.113.9"), "ana@example.com", n).await;
    }
    assert!(right(&site.guard, &from("203.0.113.9")).await.is_err());
    assert!(right(&site.guard, &here()).await.is_ok());
}

#[tokio::test]
async fn a_botnet_gets_fifty_guesses_and_does_not_lock_the_owner_out() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    right(&site.guard, &here()).await.unwrap();
    for bot in 0..40 {
        for n in 0..3 {
            guess(&site.guard, &from(&format!("203.0.113.{bot}")), "ana@example.com", bot * 3 + n).await;
        }
    }
    assert_eq!(site.count(VERIFIED).await, 50);
    assert!(right(&site.guard, &from("198.51.100.1")).await.is_err(), "a network she never came from");
    assert!(right(&site.guard, &here()).await.is_ok(), "the network she comes from");
}

#[tokio::test]
async fn walking_through_an_ipv6_network_is_one_network() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    for n in 0..40 {
        guess(&site.guard, &from(&format!("2001:db8:7:7::{n:x}")), "ana@example.com", n).await;
    }
    assert_eq!(site.count(VERIFIED).await, 10);
}

#[tokio::test]
async fn one_network_that_tries_many_accounts_is_throttled_whether_they_exist_or_not() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let bad = from("203.0.113.77");
    let mut throttled = 0;
    for n in 0..60 {
        let error = guess(&site.guard, &bad, &format!("person{n}@example.com"), n).await;
        throttled += usize::from(matches!(error, GuardError::Throttled { .. }));
    }
    assert_eq!(throttled, 30);
    assert!(matches!(right(&site.guard, &bad).await, Err(GuardError::Throttled { .. })));
    assert!(right(&site.guard, &here()).await.is_ok());
    site.time.advance(Duration::from_secs(3601));
    assert!(right(&site.guard, &bad).await.is_ok());
}

#[tokio::test]
async fn stuffing_from_many_networks_leaves_each_new_network_few_tries() {
    let limits = Limits { stuffing_pairs: 40, ..Limits::default() };
    let site = Site::with(GuardSettings { limits, ..GuardSettings::for_tests() }).await;
    site.person("ana@example.com", Role::Writer).await;
    right(&site.guard, &here()).await.unwrap();
    for n in 0..40 {
        guess(&site.guard, &from(&format!("203.0.113.{}", n / 4)), &format!("p{n}@example.com"), n).await;
    }
    let bot = from("198.51.100.5");
    let mut looked_at = 0;
    for n in 0..20 {
        let error = guess(&site.guard, &bot, &format!("q{n}@example.com"), n).await;
        looked_at += usize::from(matches!(error, GuardError::SignInRefused));
    }
    assert_eq!(looked_at, 5);
    assert!(right(&site.guard, &here()).await.is_ok(), "who comes from where they always come from");
}

#[tokio::test]
async fn a_program_with_an_old_password_does_not_lock_its_office_out() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    for _ in 0..150 {
        let old = site.guard.sign_in(&here(), "ben@example.com", &OTHER.into()).await.unwrap_err();
        assert!(matches!(old, GuardError::SignInRefused));
    }
    assert!(right(&site.guard, &here()).await.is_ok());
}

#[tokio::test]
async fn monitoring_counts_and_refuses_nothing() {
    let limits = Limits { monitor_only: true, ..Limits::default() };
    let site = Site::with(GuardSettings { limits, ..GuardSettings::for_tests() }).await;
    site.person("ana@example.com", Role::Writer).await;
    for n in 0..20 {
        guess(&site.guard, &here(), "ana@example.com", n).await;
    }
    assert_eq!(site.count(VERIFIED).await, 20);
    assert!(right(&site.guard, &here()).await.is_ok());
}

#[tokio::test]
async fn an_allowed_network_is_not_limited_and_its_neighbour_is() {
    let limits = Limits { allow: vec!["192.0.2.0/28".parse().unwrap()], ..Limits::default() };
    let site = Site::with(GuardSettings { limits, ..GuardSettings::for_tests() }).await;
    site.person("ana@example.com", Role::Writer).await;
    for n in 0..15 {
        guess(&site.guard, &here(), "ana@example.com", n).await;
        guess(&site.guard, &from("192.0.2.200"), "ana@example.com", n).await;
    }
    assert!(right(&site.guard, &here()).await.is_ok());
    assert!(right(&site.guard, &from("192.0.2.200")).await.is_err());
}

#[tokio::test]
async fn the_four_ways_out_of_a_lock() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    let lock = async || {
        for n in 0..10 {
            guess(&site.guard, &here(), "ana@example.com", n).await;
        }
        assert!(right(&site.guard, &here()).await.is_err());
    };
    lock().await;
    assert_eq!(site.guard.locks(&ana.id).await.unwrap().len(), 1);
    site.guard.unlock(&Actor::System, &ana.id).await.unwrap();
    assert!(right(&site.guard, &here()).await.is_ok());

    lock().await;
    let link = site.mailed_token().await;
    site.guard.unlock_by_link(&link).await.unwrap();
    assert!(right(&site.guard, &here()).await.is_ok());
    assert!(matches!(site.guard.unlock_by_link(&link).await, Err(GuardError::LinkSpent)));

    lock().await;
    let elsewhere = right(&site.guard, &from("198.51.100.1")).await.unwrap();
    let who = site.who(&elsewhere).await;
    let elsewhere_place = from("198.51.100.1");
    site.guard.change_password(&who, &elsewhere_place, &PASSWORD.into(), &OTHER.into()).await.unwrap();
    assert!(site.guard.sign_in(&here(), "ana@example.com", &OTHER.into()).await.is_ok());
    // The fourth, thirty days, is shown with the clocks.
}

#[tokio::test]
async fn unknown_wrong_locked_blocked_and_gone_answer_alike() {
    let site = Site::new().await;
    site.person("owner@example.com", Role::Owner).await;
    let ana = site.person("ana@example.com", Role::Writer).await;
    let ben = site.person("ben@example.com", Role::Writer).await;
    let mut answers = Vec::new();
    answers.push(guess(&site.guard, &here(), "nobody@example.com", 1).await.to_string());
    answers.push(guess(&site.guard, &here(), "ana@example.com", 1).await.to_string());
    for n in 0..10 {
        guess(&site.guard, &here(), "ana@example.com", n).await;
    }
    answers.push(right(&site.guard, &here()).await.unwrap_err().to_string());
    let reason = crate::Reason { category: "test".into(), text: "a test".into() };
    site.guard.block(&Actor::System, &ana.id, &reason).await.unwrap();
    answers.push(right(&site.guard, &from("198.51.100.9")).await.unwrap_err().to_string());
    site.guard.leave(&Actor::System, &ben.id).await.unwrap();
    let gone = site.guard.sign_in(&here(), "ben@example.com", &PASSWORD.into()).await.unwrap_err();
    answers.push(gone.to_string());
    answers.dedup();
    assert_eq!(answers, ["that did not sign you in"]);
}

#[tokio::test]
async fn unknown_and_locked_accounts_take_as_long_as_known_ones() {
    let hashing = crate::HashSettings { memory_kib: 512, passes: 2, ..crate::HashSettings::cheap() };
    let site = Site::with(GuardSettings { hashing, ..GuardSettings::for_tests() }).await;
    site.person("ana@example.com", Role::Writer).await;
    site.person("locked@example.com", Role::Writer).await;
    for n in 0..10 {
        guess(&site.guard, &here(), "locked@example.com", n).await;
    }
    // The shortest of nine, taken in turns: what else the machine does only makes one longer.
    let emails = ["ana@example.com", "nobody@example.com", "locked@example.com"];
    let mut shortest = [Duration::MAX; 3];
    for n in 0..9 {
        for (email, best) in emails.iter().zip(&mut shortest) {
            let began = std::time::Instant::now();
            guess(&site.guard, &here(), email, n).await;
            *best = began.elapsed().min(*best);
        }
    }
    let [known, unknown, locked] = shortest;
    for (what, time) in [("unknown", unknown), ("locked", locked)] {
        assert!(time * 2 > known && known * 2 > time, "known {known:?}, {what} {time:?}");
    }
}

#[tokio::test]
async fn neither_passwords_nor_unknown_addresses_are_in_the_state() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Writer).await;
    let canary = "CANARYGUESS";
    for n in 0..12 {
        let password = Secret::new(format!("{canary} {n}"));
        let _ = site.guard.sign_in(&here(), "ana@example.com", &password).await;
        let _ = site.guard.sign_in(&here(), "canary.address@example.com", &password).await;
    }
    let signed_in = right(&site.guard, &from("198.51.100.9")).await.unwrap();
    site.guard.state().close().await;
    let mut all = Vec::new();
    for file in std::fs::read_dir(site.folder.path().join(".dunlin")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            all.extend(std::fs::read(path).unwrap());
        }
    }
    for secret in [canary, "canary.address", PASSWORD, signed_in.token.expose()] {
        assert!(!all.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret} is in the state");
    }
}
