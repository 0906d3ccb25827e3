//! A customer's own page: who comes in and who does not, what is shown, and each action by forms alone.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use dunlin_plan::Role;
use reqwest::{Method, Response};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::bench::{Bench, Mails, json as read_json};
use crate::customers::{ANA, ANA_AT, CANARY, SHARED_AT};
use crate::notices::{NAME, NOTICE, PLAN, publish};

const HOST: &str = "https://shop.atlas.example";

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap()
}

fn token(subject: &str, number: &str) -> String {
    let now = dunlin_store::now_us() / 1_000_000;
    let body = json!({ "sub": subject, "aud": "https://data.atlas.example", "iat": now, "exp": now + 120,
                       "jti": number });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "EdDSA", "kid": "shop" })), part(&body));
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(pair().sign(text.as_bytes())))
}

pub struct Scene {
    pub bench: Bench,
    pub mails: Arc<Mails>,
}

pub async fn scene(more: &str) -> Scene {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("w");
    std::fs::create_dir_all(dir.join("notices")).unwrap();
    std::fs::write(dir.join("dunlin.toml"), PLAN).unwrap();
    std::fs::write(dir.join("notices").join(NAME), NOTICE).unwrap();
    let key = STANDARD.encode(pair().public_key().as_ref());
    let config = format!(
        "[limits]\nper_address = 0\n[tell]\nhosts = [\"{HOST}\"]\naudience = \"https://data.atlas.example\"\n\
         [tell.host_keys]\nshop = \"{key}\"\n{more}"
    );
    let mails = Arc::new(Mails::default());
    let bench = Bench::over_with(home, &config, Some(mails.clone())).await;
    Scene { bench, mails }
}

/// A customer's browser without a script.
pub struct Browser<'a> {
    bench: &'a Bench,
    pub cookie: String,
    gpc: bool,
}

impl<'a> Browser<'a> {
    pub fn new(bench: &'a Bench) -> Browser<'a> {
        Browser { bench, cookie: String::new(), gpc: false }
    }

    /// Signed in as a host app says.
    pub async fn signed_in(bench: &'a Bench, who: &str, number: &str) -> Browser<'a> {
        let mut browser = Browser::new(bench);
        let answer = browser.get(&format!("/tell/me?token={}", token(who, number))).await;
        assert_eq!((answer.0, answer.1.as_str()), (303, "/tell/me"));
        assert!(!browser.cookie.is_empty());
        browser
    }

    fn with(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let request = if self.gpc { request.header("sec-gpc", "1") } else { request };
        request.header("cookie", &self.cookie).header("accept-language", "en")
    }

    pub async fn raw(&mut self, path: &str) -> Response {
        self.with(self.bench.bare(Method::GET, path)).send().await.unwrap()
    }

    pub async fn get(&mut self, path: &str) -> (u16, String, String) {
        let answer = self.raw(path).await;
        self.read(answer).await
    }

    pub async fn send(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let asked = self.with(self.bench.bare(Method::POST, path));
        let asked = asked.header("origin", &self.bench.url).header("sec-fetch-site", "same-origin");
        let answer = asked.header("content-type", "application/x-www-form-urlencoded").body(body);
        answer.send().await.unwrap()
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> (u16, String, String) {
        let answer = self.send(path, form).await;
        self.read(answer).await
    }

    async fn read(&mut self, answer: Response) -> (u16, String, String) {
        for set in answer.headers().get_all("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(set.starts_with("dunlin-me="), "{set}");
            assert!(set.contains("; Path=/tell; HttpOnly; SameSite=Lax"), "{set}");
            self.cookie = set.split(';').next().unwrap().to_owned();
        }
        let place =
            answer.headers().get("location").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status().as_u16(), place, answer.text().await.unwrap())
    }

    pub async fn csrf(&mut self) -> String {
        field(&self.get("/tell/me").await.2, "csrf")
    }

    /// Until the page says it.
    async fn until(&mut self, words: &str) -> String {
        for _ in 0..40 {
            let page = self.get("/tell/me").await.2;
            if page.contains(words) {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        panic!("`{words}` never came: {}", self.get("/tell/me").await.2);
    }
}

pub fn field(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let at = page.find(&mark).unwrap_or_else(|| panic!("no `{name}` in {page}"));
    page[at + mark.len()..].split('"').next().unwrap().to_owned()
}

pub async fn mail(scene: &Scene, number: usize) -> dunlin_guard::Mail {
    for _ in 0..100 {
        if let Some(mail) = scene.mails.0.lock().unwrap().get(number).cloned() {
            return mail;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no letter number {number}");
}

fn link_of(text: &str) -> String {
    let at = text.find("/tell/me/in/").unwrap_or_else(|| panic!("no link in {text}"));
    text[at..].split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_is_the_same_for_everybody_and_is_spent_by_a_form() {
    let scene = scene("").await;
    let mut browser = Browser::new(&scene.bench);
    let form = browser.get("/tell/me").await;
    assert_eq!(form.0, 200);
    assert!(form.2.contains("name=\"email\"") && !form.2.contains("<script"), "{}", form.2);
    let unknown = browser.post("/tell/me/link", &[("email", "nobody@customer.example")]).await;
    let known = browser.post("/tell/me/link", &[("email", ANA_AT)]).await;
    assert_eq!(unknown, known, "the answer does not tell who is a customer");
    let letter = mail(&scene, 0).await;
    assert_eq!(letter.to, ANA_AT);
    assert!(!letter.text.contains(ANA), "{}", letter.text);
    let link = link_of(&letter.text);
    for _ in 0..2 {
        let seen = browser.raw(&link).await;
        assert_eq!(seen.status(), 200, "a program that looks through mail spends nothing");
        assert_eq!(seen.headers()["referrer-policy"], "no-referrer");
        assert!(!seen.headers().contains_key("set-cookie"));
    }
    let spent = browser.post(&link, &[]).await;
    assert_eq!((spent.0, spent.1.as_str()), (303, "/tell/me?lang=en"));
    assert!(browser.get("/tell/me").await.2.contains(CANARY));
    let mut other = Browser::new(&scene.bench);
    assert_eq!(other.post(&link, &[]).await.0, 404, "once");
    assert_eq!(scene.mails.0.lock().unwrap().len(), 1, "nobody else was written to");
    let csrf = browser.csrf().await;
    let kept = browser.cookie.clone();
    browser.post("/tell/me/out", &[("csrf", &csrf)]).await;
    browser.cookie = kept;
    assert!(browser.get("/tell/me").await.2.contains("name=\"email\""), "the session is over");
}

#[tokio::test]
async fn an_address_of_several_shows_nothing() {
    let scene = scene("").await;
    let mut browser = Browser::new(&scene.bench);
    browser.post("/tell/me/link", &[("email", SHARED_AT)]).await;
    let link = link_of(&mail(&scene, 0).await.text);
    browser.post(&link, &[]).await;
    let page = browser.get("/tell/me").await.2;
    assert!(page.contains("check who you are") && !page.contains(CANARY), "{page}");
    for path in ["/tell/me/download", "/tell/me/correct", "/tell/me/delete", "/tell/me/settings"] {
        let page = browser.get(path).await.2;
        assert!(page.contains("check who you are") && !page.contains("name=\"csrf\""), "{path}: {page}");
    }
}

#[tokio::test]
async fn one_address_gets_five_letters_and_the_answer_stays_the_same() {
    let scene = scene("[guard.limits]\nlinks_per_network = 100\n").await;
    let mut browser = Browser::new(&scene.bench);
    let first = browser.post("/tell/me/link", &[("email", ANA_AT)]).await;
    for _ in 0..7 {
        assert_eq!(browser.post("/tell/me/link", &[("email", " Ana@Customer.example ")]).await, first);
    }
    mail(&scene, 4).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(scene.mails.0.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn a_token_of_the_host_app_signs_in_once_and_its_session_opens_no_other_door() {
    let scene = scene("").await;
    let bench = &scene.bench;
    let first = token(ANA, "1");
    let mut browser = Browser::new(bench);
    assert_eq!(browser.get(&format!("/tell/me?lang=es&token={first}")).await.1, "/tell/me?lang=es");
    let page = browser.get("/tell/me").await.2;
    assert!(page.contains(CANARY) && page.contains("Your data at"), "{page}");
    let spanish = browser.get("/tell/me?lang=es").await.2;
    assert!(spanish.contains("lang=\"es\"") && spanish.contains("Sus datos en"), "{spanish}");
    let mut thief = Browser::new(bench);
    thief.get(&format!("/tell/me?token={first}")).await;
    assert_eq!(thief.cookie, "", "a token works once");
    for path in ["/api/v1/me", "/api/v1/requests", "/api/v1/runs"] {
        let cookie = browser.cookie.clone();
        assert_eq!(browser.raw(path).await.status(), 401, "{path}");
        browser.cookie = cookie.replace("dunlin-me=", "dunlin=");
        assert_eq!(browser.raw(path).await.status(), 401, "{path}, under the people's cookie");
        browser.cookie = cookie;
    }
    let person = bench.person(Role::Owner).await;
    browser.cookie = person.cookie.replace("dunlin=", "dunlin-me=");
    assert!(!browser.get("/tell/me").await.2.contains(CANARY), "nor the other way round");
    let entries = bench.ledger().await;
    let own = entries.iter().find(|e| e.contains("access_opened")).unwrap();
    assert!(own.contains("subject-access"), "{own}");
    assert!(!entries.iter().any(|e| e.contains(ANA) || e.contains(CANARY)), "no value in the ledger");
    let dir = bench.dir().join(".dunlin");
    for file in ["state.db", "state.db-wal"] {
        let bytes = std::fs::read(dir.join(file)).unwrap_or_default();
        let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(!holds(ANA) && !holds(CANARY), "{file} names nobody");
    }
}

#[tokio::test]
async fn from_the_card_every_action_is_two_taps() {
    let scene =
        scene("[requests]\nat_once = [\"access\", \"erasure\", \"restriction\"]\nundo_hours = 0\n").await;
    let bench = &scene.bench;
    publish(bench, NAME).await;
    let request = bench.bare(Method::GET, "/tell/card.json").header("origin", HOST);
    let card = request.header("authorization", format!("Bearer {}", token(ANA, "1"))).send().await.unwrap();
    let links = read_json(card).await["links"].clone();
    let stranger = read_json(bench.bare(Method::GET, "/tell/card.json").send().await.unwrap()).await;
    assert_eq!(stranger["links"]["delete"], "/tell/me/delete?lang=en");
    let mut browser = Browser::new(bench);
    // The first tap.
    let (status, place, _) = browser.get(links["download"].as_str().unwrap()).await;
    assert_eq!((status, place.as_str()), (303, "/tell/me/download?lang=en"));
    let page = browser.get(&place).await.2;
    assert!(!page.contains("checked"), "nothing is ticked beforehand");
    // The second.
    let answer = browser.send("/tell/me/download", &[("csrf", &field(&page, "csrf"))]).await;
    assert_eq!(answer.headers()["content-type"], "application/zip");
    let zip = answer.bytes().await.unwrap();
    let exact = unzipped(&zip, "data.json");
    assert!(exact.contains(CANARY) && exact.contains("\"said\": \"=1+1\""), "{exact}");
    let sheet = unzipped(&zip, "target-atlas.people.csv");
    assert!(sheet.contains("'=1+1"), "a cell that a spreadsheet would run is defused: {sheet}");
    // The ticket is spent; the session goes on.
    let (_, place, _) = browser.get(links["settings"].as_str().unwrap()).await;
    let page = browser.get(&place).await.2;
    let csrf = field(&page, "csrf");
    assert!(page.contains("value=\"restriction\"") && page.contains("Leave everything as it is"), "{page}");
    assert_eq!(browser.post("/tell/me/ask", &[("csrf", &csrf), ("kind", "restriction")]).await.0, 303);
    let mut thief = Browser::new(bench);
    thief.get(links["delete"].as_str().unwrap()).await;
    assert_eq!(thief.cookie, "", "a ticket works once");
    let (_, place, _) = browser.get(links["delete"].as_str().unwrap()).await;
    let page = browser.get(&place).await.2;
    browser.post("/tell/me/ask", &[("csrf", &field(&page, "csrf")), ("kind", "erasure")]).await;
    let page = browser.until("We hold nothing about you.").await;
    assert!(!page.contains(CANARY));
    let at = page.find("/tell/me/receipt/").unwrap();
    let receipt = page[at..].split('"').next().unwrap().to_owned();
    let receipt = browser.raw(&receipt).await;
    assert!(receipt.headers()["content-disposition"].to_str().unwrap().contains("receipt.json"));
    assert_eq!(read_json(receipt).await["format"], "dunlin-receipt/v1");
}

#[tokio::test]
async fn a_form_of_another_site_or_session_does_nothing() {
    let scene = scene("").await;
    let bench = &scene.bench;
    let mut ana = Browser::signed_in(bench, ANA, "1").await;
    let mut twin = Browser::signed_in(bench, "twin-1", "2").await;
    let (own, others) = (ana.csrf().await, twin.csrf().await);
    assert_ne!(own, others);
    for csrf in [others.as_str(), "", "x"] {
        let form = [("csrf", csrf), ("kind", "restriction")];
        assert_eq!(ana.post("/tell/me/ask", &form).await.0, 403, "{csrf}");
    }
    let body = format!("csrf={own}&kind=restriction");
    let foreign = ana.with(bench.bare(Method::POST, "/tell/me/ask"));
    let foreign = foreign.header("origin", "https://evil.example").header("sec-fetch-site", "cross-site");
    let foreign = foreign.header("content-type", "application/x-www-form-urlencoded").body(body);
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    for form in [
        [("csrf", own.as_str()), ("kind", "sell"), ("purpose", "")],
        [("csrf", own.as_str()), ("kind", "objection"), ("purpose", "dpv:NotInThePlan")],
    ] {
        assert_eq!(ana.post("/tell/me/ask", &form).await.0, 422);
    }
    let key =
        [("csrf", own.as_str()), ("kind", "rectification"), ("table", "atlas.people"), ("column", "id")];
    assert_eq!(ana.post("/tell/me/ask", &key).await.0, 422, "a key is not corrected");
    assert!(bench.workspace.state().requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_done_at_once_waits_with_its_deadline_and_can_be_taken_back() {
    let scene = scene("[requests]\nat_once = [\"rectification\"]\nundo_hours = 24\n").await;
    let bench = &scene.bench;
    let mut browser = Browser::signed_in(bench, ANA, "1").await;
    let page = browser.get("/tell/me/correct").await.2;
    assert!(page.contains("value=\"street\"") && !page.contains("value=\"id\""), "{page}");
    let csrf = field(&page, "csrf");
    let form = [
        ("csrf", &*csrf),
        ("kind", "rectification"),
        ("table", "atlas.people"),
        ("column", "street"),
        ("value", "New"),
    ];
    assert_eq!(browser.post("/tell/me/ask", &form).await.0, 303);
    browser.post("/tell/me/ask", &[("csrf", &csrf), ("kind", "erasure")]).await;
    let page = browser.get("/tell/me").await.2;
    assert!(page.contains("You can take it back until") && page.contains("We have to answer by"), "{page}");
    assert!(page.contains("A person looks at it"), "the deletion waits for a person: {page}");
    browser.post("/tell/me/ask", &[("csrf", &csrf), ("kind", "erasure")]).await;
    let all = bench.workspace.state().requests().await.unwrap();
    assert_eq!(all.len(), 2, "asking twice is asking once");
    let lead = bench.person(Role::Lead).await;
    let lines = read_json(bench.get(&lead, "/api/v1/requests").await).await;
    let line = lines["items"].as_array().unwrap().iter().find(|l| l["kind"] == "rectification").unwrap();
    assert_eq!(line["corrects"], json!([{ "table": "atlas.people", "column": "street" }]), "not what to");
    assert!(line["reason"].as_str().is_some_and(|r| r.contains("server.toml")), "{line}");
    let waits = lines["items"].as_array().unwrap().iter().find(|l| l["kind"] == "erasure").unwrap();
    assert!(waits["last_day"].as_str().is_some_and(|d| d.len() == 10), "{waits}");
    for request in &all {
        assert_eq!(browser.post("/tell/me/undo", &[("csrf", &csrf), ("request", &request.id)]).await.0, 303);
    }
    let states = bench.workspace.state().requests().await.unwrap();
    assert!(states.iter().all(|r| r.state.as_str() == "withdrawn"), "{states:?}");
    let mut twin = Browser::signed_in(bench, "twin-1", "2").await;
    let theirs = twin.csrf().await;
    let undone = twin.post("/tell/me/undo", &[("csrf", &theirs), ("request", &all[0].id)]).await;
    assert_eq!(undone.0, 422, "somebody else's request is none of theirs");
}

#[tokio::test]
async fn a_browser_that_objects_is_heard_once() {
    let scene = scene("").await;
    let mut browser = Browser::signed_in(&scene.bench, ANA, "1").await;
    browser.gpc = true;
    for _ in 0..2 {
        let page = browser.get("/tell/me").await.2;
        assert!(page.contains("Global Privacy Control"), "{page}");
    }
    let all = scene.bench.workspace.state().requests().await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].kind.as_str(), all[0].purpose.is_empty()), ("objection", false));
    browser.gpc = false;
    assert!(!browser.get("/tell/me").await.2.contains("Global Privacy Control"));
}

/// Each look reads tables whole: one customer gets so many, and others are not kept waiting.
#[tokio::test]
async fn one_customer_cannot_have_tables_read_for_ever() {
    let scene = scene("").await;
    let mut browser = Browser::signed_in(&scene.bench, ANA, "1").await;
    // The sign-in has read the customers' table once already.
    for n in 0..59 {
        assert_eq!(browser.get("/tell/me").await.0, 200, "{n}");
    }
    assert_eq!(browser.get("/tell/me").await.0, 503);
    let mut twin = Browser::signed_in(&scene.bench, "twin-1", "2").await;
    assert_eq!(twin.get("/tell/me").await.0, 200);
}

/// One file of a zip file.
pub fn unzipped(zip: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}
