//! Customers who sign in where the company lets its customers sign in: a real provider (`oidc-provider` from npm), and
//! what must not get anybody in.

use dunlin_testkit::OidcProvider;
use reqwest::{Method, Response};
use url::Url;

use crate::bench::Bench;
use crate::customers::CANARY;

const BACK: &str = "https://dunlin.example/tell/me/oidc/back";

async fn bench(provider: &OidcProvider, more: &str) -> Bench {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("w");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("dunlin.toml"), crate::notices::PLAN).unwrap();
    std::fs::write(dir.join("secret"), "test-secret").unwrap();
    let config = format!(
        "[limits]\nper_address = 0\n\
         [alerts]\nallow_private_hosts = [\"127.0.0.1\"]\n\
         [tell.oidc]\nissuer = \"{}\"\nclient_id = \"dunlin\"\nclient_secret = \"secret:secret\"\n{more}",
        provider.issuer
    );
    Bench::over(home, &config).await
}

/// What a cookie jar keeps of an answer.
fn keep(jar: &mut Vec<(String, String)>, answer: &Response) {
    for set in answer.headers().get_all("set-cookie") {
        let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
        jar.retain(|(known, _)| known != name);
        let value = rest.split(';').next().unwrap();
        if !value.is_empty() {
            jar.push((name.to_owned(), value.to_owned()));
        }
    }
}

fn cookies(jar: &[(String, String)]) -> String {
    jar.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("; ")
}

fn place(answer: &Response) -> String {
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// From our button to the provider as `account`, and back to our address with its answer, not yet opened.
async fn away(bench: &Bench, ours: &mut Vec<(String, String)>, account: &str) -> String {
    let begun =
        bench.bare(Method::GET, "/tell/me/oidc").header("cookie", cookies(ours)).send().await.unwrap();
    assert_eq!(begun.status(), 303);
    keep(ours, &begun);
    let mut url = Url::parse(&place(&begun)).unwrap();
    url.query_pairs_mut().append_pair("login_hint", account);
    let mut theirs = Vec::new();
    for _ in 0..10 {
        let answer = bench.http.get(url.clone()).header("cookie", cookies(&theirs)).send().await.unwrap();
        keep(&mut theirs, &answer);
        if !answer.headers().contains_key("location") {
            panic!("{}: {}", answer.status(), answer.text().await.unwrap());
        }
        url = url.join(&place(&answer)).unwrap();
        if url.as_str().starts_with(BACK) {
            return format!("{}?{}", url.path(), url.query().unwrap());
        }
    }
    panic!("the provider sends us in circles");
}

async fn get(bench: &Bench, jar: &mut Vec<(String, String)>, path: &str) -> (u16, String) {
    let asked = bench.bare(Method::GET, path).header("accept-language", "en").header("cookie", cookies(jar));
    let answer = asked.send().await.unwrap();
    keep(jar, &answer);
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn an_address_that_the_provider_vouches_for_signs_in() {
    let Some(provider) = OidcProvider::start(BACK).await else { return };
    let bench = bench(&provider, "label = \"Atlas account\"\n").await;
    let mut jar = Vec::new();
    let form = get(&bench, &mut jar, "/tell/me").await.1;
    assert!(form.contains("href=\"/tell/me/oidc\"") && form.contains("Sign in with Atlas account"), "{form}");
    let back = away(&bench, &mut jar, "customer").await;
    // In another browser the answer is worth nothing, and it is spent.
    let (status, _) = get(&bench, &mut Vec::new(), &back).await;
    assert_eq!(status, 403);
    assert_eq!(get(&bench, &mut jar, &back).await.0, 303);
    let page = get(&bench, &mut jar, "/tell/me").await.1;
    assert!(page.contains(CANARY), "{page}");
    let delete = get(&bench, &mut jar, "/tell/me/delete").await.1;
    assert!(delete.contains("name=\"csrf\""), "a sign-in of now is new enough: {delete}");
    assert_eq!(get(&bench, &mut jar, &back).await.0, 403, "once");

    let mut jar = Vec::new();
    let back = away(&bench, &mut jar, "nobody").await;
    let page = get(&bench, &mut jar, &back).await;
    assert!(page.1.contains("We do not know you by this address"), "{page:?}");
    assert!(get(&bench, &mut jar, "/tell/me").await.1.contains("name=\"email\""), "no session");
    // Who works on the move is not signed in by it.
    assert_eq!(get(&bench, &mut jar, "/api/v1/me").await.0, 401);
    let unvouched = {
        let mut jar = Vec::new();
        let back = away(&bench, &mut jar, "mallory").await;
        get(&bench, &mut jar, &back).await.1
    };
    assert!(unvouched.contains("We do not know you by this address"), "{unvouched}");
}

#[tokio::test]
async fn a_claim_that_is_the_customers_id_signs_in() {
    let Some(provider) = OidcProvider::start(BACK).await else { return };
    let bench =
        bench(&provider, "subject_claim = \"customer_no\"\nscopes = [\"email\", \"profile\"]\n").await;
    let mut jar = Vec::new();
    let back = away(&bench, &mut jar, "customer").await;
    assert_eq!(get(&bench, &mut jar, &back).await.0, 303);
    let page = get(&bench, &mut jar, "/tell/me").await.1;
    assert!(page.contains(CANARY), "{page}");
    let mut jar = Vec::new();
    let back = away(&bench, &mut jar, "mallory").await;
    let page = get(&bench, &mut jar, &back).await.1;
    assert!(page.contains("We do not know you"), "neither the claim nor a vouched address: {page}");
}

#[tokio::test]
async fn whoever_signs_in_again_and_again_has_the_table_read_sixty_times_in_ten_minutes() {
    let Some(provider) = OidcProvider::start(BACK).await else { return };
    let bench = bench(&provider, "").await;
    let mut last = 0;
    for n in 0..61 {
        let mut jar = Vec::new();
        let back = away(&bench, &mut jar, "customer").await;
        last = get(&bench, &mut jar, &back).await.0;
        assert!(last == 303 || n == 60, "{n}: {last}");
    }
    assert_eq!(last, 429);
    // Somebody else comes in.
    let mut jar = Vec::new();
    let back = away(&bench, &mut jar, "nobody").await;
    assert_eq!(get(&bench, &mut jar, &back).await.0, 200);
}
