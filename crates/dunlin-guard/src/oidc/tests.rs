//! Signing in at a real provider (`oidc-provider` from npm), and what must not get anybody in.

use std::sync::Arc;
use std::time::Duration;

use dunlin_ledger::{Actor, Body};
use dunlin_store::now_us;
use dunlin_testkit::OidcProvider;
use serde_json::json;

use super::*;
use crate::audit::scene::Scene;
use crate::outgoing::{AllowList, Call, OutgoingSettings};
use crate::{GuardSettings, HashSettings, ManualTime, Origin, Reason, Secret, SignedIn, Stage, Status};

const REDIRECT: &str = "https://dunlin.test/oidc/test/back";

async fn provider() -> Option<OidcProvider> {
    OidcProvider::start(REDIRECT).await
}

fn settings(issuer: &str) -> ProviderSettings {
    serde_json::from_value(json!({
        "id": "test", "label": "Test", "issuer": issuer, "client_id": "dunlin", "client_secret": "test-secret",
        "scopes": ["email", "profile", "groups"], "groups_claim": "groups", "create": true,
        "roles": [{ "group": "dunlin-leads", "role": "lead" }, { "group": "dunlin-engineers", "role": "engineer" }],
    }))
    .unwrap()
}

fn outgoing() -> Outgoing {
    let allow = AllowList(vec!["127.0.0.1".parse().unwrap()]);
    Outgoing::new(OutgoingSettings { allow, authorities: None }).unwrap()
}

async fn oidc_at(scene: &Scene, settings: ProviderSettings, time: Arc<ManualTime>) -> Oidc {
    let cheap = HashSettings { memory_kib: 8, passes: 1, lanes: 1, at_once: 1, waiting: 8 };
    let guard = GuardSettings {
        hashing: cheap,
        public_url: Some("https://dunlin.test".into()),
        ..GuardSettings::default()
    };
    let guard = Guard::open_at(&scene.workspace, guard, time).await.unwrap();
    Oidc::new(guard, outgoing(), vec![settings]).unwrap()
}

async fn oidc(scene: &Scene, settings: ProviderSettings) -> Oidc {
    oidc_at(scene, settings, ManualTime::new(now_us())).await
}

fn origin() -> Origin {
    Origin::new("192.0.2.7".parse().unwrap(), "Mozilla/5.0 (X11; Linux) Firefox/140.0")
}

/// A browser that signs in at the provider as somebody and comes back with the provider's answer.
async fn visit(begun: &Begun, account: &str) -> Answer {
    let client = outgoing();
    let mut url = begun.url.clone();
    url.query_pairs_mut().append_pair("login_hint", account);
    let mut cookies: Vec<(String, String)> = Vec::new();
    for _ in 0..10 {
        let jar = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("; ");
        let headers = vec![("cookie".to_owned(), jar)];
        let call = Call { method: reqwest::Method::GET, url: url.clone(), headers, body: Vec::new() };
        let answer = client.call(call).await.unwrap();
        for (name, value) in answer.headers.iter().filter(|(n, _)| n == "set-cookie") {
            let (cookie, content) = value.split(';').next().unwrap().split_once('=').unwrap();
            assert_eq!(name, "set-cookie");
            cookies.retain(|(known, _)| known != cookie);
            cookies.push((cookie.to_owned(), content.to_owned()));
        }
        let to = answer.headers.iter().find(|(n, _)| n == "location");
        let (_, to) =
            to.unwrap_or_else(|| panic!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)));
        url = url.join(to).unwrap();
        if url.as_str().starts_with(REDIRECT) || url.path() == "/tell/me/oidc/back" {
            let get = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
            return Answer {
                state: get("state").unwrap(),
                code: get("code").map(Secret::new),
                iss: get("iss"),
                error: get("error"),
            };
        }
    }
    panic!("the provider sends us in circles");
}

async fn sign_in(oidc: &Oidc, account: &str) -> Result<SignedIn, OidcError> {
    let begun = oidc.begin("test").await?;
    let answer = visit(&begun, account).await;
    oidc.finish("test", &origin(), &begun.browser, answer).await
}

#[tokio::test]
async fn a_group_makes_an_account_and_a_verified_address_joins_one() {
    let Some(running) = provider().await else { return };
    let scene = Scene::new().await;
    let oidc = oidc(&scene, settings(&running.issuer)).await;

    // Ben is unknown; his second group has a role.
    let first = sign_in(&oidc, "ben").await.unwrap();
    let ben = oidc.guard.person(&first.person).await.unwrap();
    assert_eq!(
        (ben.email.as_str(), ben.name.as_str(), ben.role.as_str()),
        ("ben@partner.example", "Ben Okoye", "engineer")
    );
    assert_eq!(
        first.stage,
        Stage::Enrol,
        "the provider's word on a second factor does not count unless told"
    );
    let again = sign_in(&oidc, "ben").await.unwrap();
    assert_eq!(again.person, first.person, "one account, one person");
    assert_eq!(oidc.guard.people().await.unwrap().len(), 2);

    // Ana has an account by her address; her role was not set by hand and follows her group, but she is the
    // last owner.
    let ana = sign_in(&oidc, "ana").await.unwrap();
    assert_eq!(ana.person, scene.person);
    assert_eq!(oidc.guard.person(&ana.person).await.unwrap().role.as_str(), "owner");

    // Cai's groups have no role.
    assert!(matches!(sign_in(&oidc, "cai").await, Err(OidcError::NoAccount)));
    // Somebody else writes Ana's address into their profile.
    assert!(matches!(sign_in(&oidc, "mallory").await, Err(OidcError::EmailNotVerified)));
    assert_eq!(oidc.guard.people().await.unwrap().len(), 2, "neither left anything behind");

    let bodies = scene.bodies().await;
    let signed_in =
        bodies.iter().filter(|b| matches!(b, Body::SignedIn { method, .. } if method == "oidc")).count();
    assert_eq!(signed_in, 3);
    let reason = Reason { category: "suspected_breach".into(), text: "x".into() };
    oidc.guard.block(&Actor::System, &ben.id, &reason).await.unwrap();
    assert!(matches!(sign_in(&oidc, "ben").await, Err(OidcError::Guard(GuardError::SignInRefused))));
}

#[tokio::test]
async fn an_invited_person_accepts_by_signing_in_and_who_loses_the_group_is_out() {
    let Some(running) = provider().await else { return };
    let scene = Scene::new().await;
    let oidc = oidc(&scene, settings(&running.issuer)).await;
    let cai = "01900000-0000-7000-8000-00000000000c";
    scene.add(cai, "cai@example.com", "Cai", "steward").await;
    let mut tx = scene.workspace.state().begin().await.unwrap();
    sqlx::query("update people set status = 'invited', email_verified_at = null where id = $1")
        .bind(cai)
        .execute(tx.connection())
        .await
        .unwrap();
    sqlx::query("insert into invitations (id, hash, person, role, invited_by, created_at, until_late) values ('i1', 'h', $1, 'steward', 'x', 1, $2)")
        .bind(cai)
        .bind(i64::MAX / 2)
        .execute(tx.connection())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let signed_in = sign_in(&oidc, "cai").await.unwrap();
    assert_eq!(signed_in.person, cai);
    assert_eq!(oidc.guard.person(cai).await.unwrap().status, Status::Active);
    let bodies = scene.bodies().await;
    assert!(
        bodies.iter().any(|b| matches!(b, Body::InvitationAccepted { invitation, .. } if invitation == "i1"))
    );

    let ben = sign_in(&oidc, "ben").await.unwrap().person;
    let mut fewer = settings(&running.issuer);
    fewer.roles.retain(|r| r.group != "dunlin-engineers");
    let later = self::oidc(&scene, fewer).await;
    assert!(matches!(sign_in(&later, "ben").await, Err(OidcError::NoAccount)), "his account was his group's");
    assert!(sign_in(&later, "cai").await.is_ok(), "hers is her own");
    assert_eq!(later.guard.person(&ben).await.unwrap().status, Status::Active);
}

#[tokio::test]
async fn the_providers_second_factor_counts_when_the_settings_say_so() {
    let Some(running) = provider().await else { return };
    let scene = Scene::new().await;
    let trusting = ProviderSettings { mfa_amr: vec!["mfa".into()], ..settings(&running.issuer) };
    let oidc = oidc(&scene, trusting).await;
    assert_eq!(sign_in(&oidc, "mfa").await.unwrap().stage, Stage::Full);
    assert_eq!(sign_in(&oidc, "ben").await.unwrap().stage, Stage::Enrol, "he showed a password alone");
}

#[tokio::test]
async fn answers_that_belong_to_another_sign_in_get_nobody_in() {
    let Some(running) = provider().await else { return };
    let scene = Scene::new().await;
    let time = ManualTime::new(now_us());
    let oidc = oidc_at(&scene, settings(&running.issuer), time.clone()).await;
    let finish = |browser: Secret, answer: Answer| {
        let oidc = oidc.clone();
        async move { oidc.finish("test", &origin(), &browser, answer).await.map(|s| s.person) }
    };
    // In another browser: whoever is made to open a link with somebody else's answer.
    let begun = oidc.begin("test").await.unwrap();
    let answer = visit(&begun, "ben").await;
    let stranger = oidc.begin("test").await.unwrap().browser;
    assert!(matches!(finish(stranger, answer.clone()).await, Err(OidcError::Stale)));
    assert!(matches!(finish(begun.browser, answer).await, Err(OidcError::Stale)), "and it is spent");

    // Twice.
    let begun = oidc.begin("test").await.unwrap();
    let answer = visit(&begun, "ben").await;
    assert!(finish(begun.browser.clone(), answer.clone()).await.is_ok());
    assert!(matches!(finish(begun.browser, answer).await, Err(OidcError::Stale)));

    // A stolen code in one's own sign-in: PKCE and nonce do not fit.
    let (victims, mine) = (oidc.begin("test").await.unwrap(), oidc.begin("test").await.unwrap());
    let stolen = visit(&victims, "ana").await.code;
    let own = visit(&mine, "ben").await;
    let injected = finish(mine.browser, Answer { code: stolen, ..own }).await;
    assert!(matches!(injected, Err(OidcError::Exchange)), "{injected:?}");

    // From another provider, with an error, with a state that nobody knows.
    let begun = oidc.begin("test").await.unwrap();
    let answer = visit(&begun, "ben").await;
    let other = Answer { iss: Some("https://evil.example".into()), ..answer };
    assert!(matches!(finish(begun.browser, other).await, Err(OidcError::Declined)));
    let begun = oidc.begin("test").await.unwrap();
    let answer = Answer { error: Some("access_denied".into()), code: None, ..visit(&begun, "ben").await };
    assert!(matches!(finish(begun.browser, answer).await, Err(OidcError::Declined)));
    let begun = oidc.begin("test").await.unwrap();
    assert!(matches!(
        finish(begun.browser, Answer { state: "x".into(), ..Answer::default() }).await,
        Err(OidcError::Stale)
    ));

    // Too late, also when the wall clock is turned back.
    let begun = oidc.begin("test").await.unwrap();
    let answer = visit(&begun, "ben").await;
    time.advance(Duration::from_secs(601));
    time.jump_us(-3_600_000_000);
    assert!(matches!(finish(begun.browser, answer).await, Err(OidcError::Stale)));
}

/// A customer's sign-in makes nobody of them here, and says how old it is.
#[tokio::test]
async fn a_customer_signs_in_and_is_no_person() {
    let Some(running) = OidcProvider::start("https://dunlin.test/tell/me/oidc/back").await else { return };
    let scene = Scene::new().await;
    let own = oidc(&scene, settings(&running.issuer)).await;
    let customers =
        Oidc::for_customers(own.guard.clone(), outgoing(), Some(settings(&running.issuer))).unwrap();
    let people = own.guard.people().await.unwrap().len();
    let sign_in = async |account: &str| {
        let begun = customers.begin(CUSTOMERS).await.unwrap();
        assert!(begun.url.query_pairs().any(|(n, v)| n == "max_age" && v == "900"));
        let answer = visit(&begun, account).await;
        customers.finish_customer(&begun.browser, answer).await
    };
    let ben = sign_in("ben").await.unwrap();
    assert_eq!(ben.email.as_deref(), Some("Ben@Partner.example"));
    assert_eq!(ben.claims.claim("sub").as_deref(), Some("ben"));
    let now = now_us() / 1_000_000;
    assert!(ben.signed_in_at.is_some_and(|at| (now - 60..=now + 1).contains(&at)), "{:?}", ben.signed_in_at);
    let mallory = sign_in("mallory").await.unwrap();
    assert_eq!(mallory.email, None, "nobody vouches for it");
    assert_eq!(own.guard.people().await.unwrap().len(), people);
    // What was begun as a customer is no sign-in of somebody who works here.
    let begun = customers.begin(CUSTOMERS).await.unwrap();
    let answer = visit(&begun, "ben").await;
    let crossed = own.finish("test", &origin(), &begun.browser, answer).await.map(|s| s.person);
    assert!(matches!(crossed, Err(OidcError::Stale)), "{crossed:?}");
    let taken = ProviderSettings { id: CUSTOMERS.to_owned(), ..settings(&running.issuer) };
    assert!(Oidc::new(own.guard.clone(), outgoing(), vec![taken]).is_err());
}

#[tokio::test]
async fn what_a_provider_cannot_be_is_refused() {
    let scene = Scene::new().await;
    let refused = |issuer: &str| {
        let settings = settings(issuer);
        let scene = &scene;
        async move { Oidc::new(scene.guard().await, outgoing(), vec![settings]).err() }
    };
    assert!(refused("https://login.microsoftonline.com/common/v2.0").await.is_some(), "everybody's people");
    assert!(refused("nonsense").await.is_some());
    // An issuer in the own network that nobody has allowed.
    let inside = Oidc::new(
        oidc(&scene, settings("http://127.0.0.1:9")).await.guard.clone(),
        Outgoing::new(OutgoingSettings::default()).unwrap(),
        vec![settings("https://169.254.169.254/")],
    );
    let error = inside.unwrap().begin("test").await.unwrap_err();
    assert!(matches!(error, OidcError::Unreachable(crate::outgoing::OutgoingError::Refused(_))), "{error}");
}

#[test]
fn groups_and_vouching_as_each_provider_writes_them() {
    let with = |claim: &str, verified: &str| ProviderSettings {
        groups_claim: Some(claim.to_owned()),
        verified_claim: verified.to_owned(),
        ..settings("https://idp.example")
    };
    let groups = |settings: &ProviderSettings, claims: serde_json::Value| {
        Claims::new(claims, None).groups(settings).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let auth0 = with("https://atlas.example/roles", "email_verified");
    assert_eq!(groups(&auth0, json!({ "https://atlas.example/roles": ["a", "b"] })), ["a", "b"]);
    let keycloak = with("realm_access.roles", "email_verified");
    assert_eq!(groups(&keycloak, json!({ "realm_access": { "roles": ["a"] } })), ["a"]);
    assert_eq!(groups(&keycloak, json!({ "realm_access": "a" })), [] as [String; 0]);
    let entra = with("roles", "xms_edov");
    assert_eq!(groups(&entra, json!({ "roles": "one" })), ["one"]);
    let email = |settings: &ProviderSettings, claims: serde_json::Value| {
        Claims::new(claims, None).verified_email(settings).map(str::to_owned)
    };
    let ana = || Some("ana@example.com".to_owned());
    assert_eq!(email(&auth0, json!({ "email": "ana@example.com", "email_verified": true })), ana());
    assert_eq!(email(&auth0, json!({ "email": "ana@example.com", "email_verified": "false" })), None);
    assert_eq!(email(&auth0, json!({ "email": "ana@example.com" })), None);
    assert_eq!(
        email(&entra, json!({ "email": "ana@example.com", "email_verified": true })),
        None,
        "not Entra's word"
    );
    assert_eq!(email(&entra, json!({ "email": "ana@example.com", "xms_edov": 1 })), ana());
    // The token's word goes before the user-info endpoint's.
    let both = Claims::new(
        json!({ "sub": "1", "email": null }),
        Some(json!({ "sub": "2", "email": "x@example.com" })),
    );
    assert_eq!((both.subject(), both.name()), (Some("1"), None));
}
