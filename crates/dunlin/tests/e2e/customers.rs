//! A customer at their own page, over a real server and real stores: sees what was moved, takes a copy, corrects, deletes;
//! is found nowhere afterwards; and the receipt holds without dunlin.

use std::io::Read;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::serve::{SERVER, Served, serve, stopped};
use crate::subjects::Scene;
use crate::support::wait;

const AUDIENCE: &str = "https://data.example";

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap()
}

fn config() -> String {
    let key = STANDARD.encode(pair().public_key().as_ref());
    format!(
        "{SERVER}\n[requests]\nundo_hours = 0\nat_once = [\"access\", \"rectification\", \"erasure\"]\n\
         [tell]\naudience = \"{AUDIENCE}\"\n[tell.host_keys]\nshop = \"{key}\"\n"
    )
}

/// What the app of the company signs for who is signed in there.
fn token(subject: &str, number: u32) -> String {
    let now = dunlin_store::now_us() / 1_000_000;
    let body =
        json!({ "sub": subject, "aud": AUDIENCE, "iat": now, "exp": now + 120, "jti": number.to_string() });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "EdDSA", "kid": "shop" })), part(&body));
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(pair().sign(text.as_bytes())))
}

/// A customer's browser, without a script.
struct Customer {
    http: reqwest::Client,
    url: String,
    cookie: String,
}

impl Customer {
    async fn signed_in(served: &Served, subject: &str, number: u32) -> Customer {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let address = format!("{}/tell/me?token={}", served.url, token(subject, number));
        let answer = http.get(address).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Customer { http, url: served.url.clone(), cookie }
    }

    async fn get(&self, path: &str) -> String {
        let asked = self.http.get(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        let answer = asked.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "GET {path}: {status} {text}");
        text
    }

    /// Opens a page and sends its form with this in it.
    async fn send(&self, page: &str, to: &str, more: &[(&str, &str)]) -> Vec<u8> {
        let shown = self.get(page).await;
        let mark = "name=\"csrf\" value=\"";
        let at = shown.find(mark).unwrap_or_else(|| panic!("no form in {shown}"));
        let csrf = shown[at + mark.len()..].split('"').next().unwrap();
        let form: Vec<(&str, &str)> = [("csrf", csrf)].into_iter().chain(more.iter().copied()).collect();
        let asked = self.http.post(format!("{}{to}", self.url)).header("cookie", &self.cookie);
        let answer = asked.header("origin", &self.url).form(&form).send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap();
        assert!(matches!(status, 200 | 303), "{to}: {status} {}", String::from_utf8_lossy(&bytes));
        bytes.to_vec()
    }

    async fn until(&self, is_so: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let page = self.get("/tell/me").await;
            if is_so(&page) {
                return page;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it never came: {page}");
            tokio::time::sleep(Duration::from_millis(1200)).await;
        }
    }
}

fn exact(zip: &[u8]) -> String {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let mut text = String::new();
    archive.by_name("data.json").unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_customer_sees_takes_corrects_and_deletes_what_is_theirs() {
    let scene = Scene::sqlite();
    scene.site.write("server.toml", config());
    scene.moved();
    let mut served = serve(&scene.site, &[]);
    let receipt = wait(async {
        let zoe = Customer::signed_in(&served, "42", 1).await;
        let page = zoe.get("/tell/me").await;
        assert!(page.contains("Zoe zebra-name") && page.contains("zebra-thing"), "{page}");
        assert!(page.contains("free text that nobody reads"), "what was left behind, and why: {page}");
        assert!(!page.contains("Name 41"), "and nobody else's");

        let copy = exact(&zoe.send("/tell/me/download", "/tell/me/download", &[]).await);
        let copy: Value = serde_json::from_str(&copy).unwrap();
        assert!(copy.to_string().contains("zebra-notes"), "also what did not move");
        assert!(!copy.to_string().contains("Name 41"));

        let form = [
            ("kind", "rectification"),
            ("table", "new.customer"),
            ("column", "city"),
            ("value", "zebra-bay"),
        ];
        zoe.send("/tell/me/correct", "/tell/me/ask", &form).await;
        zoe.until(|page| page.contains("zebra-bay")).await;

        zoe.send("/tell/me/delete", "/tell/me/ask", &[("kind", "erasure")]).await;
        // The source keeps its rows: the plan does not say that they go.
        let page = zoe
            .until(|page| page.contains("it does not move") && page.matches("/tell/me/receipt/").count() == 3)
            .await;
        assert!(!page.contains("zebra"), "{page}");
        let at = page.find("/tell/me/receipt/").unwrap();
        let receipt = zoe.get(page[at..].split('"').next().unwrap()).await;
        let stranger = Customer::signed_in(&served, "41", 2).await;
        let page = stranger.get("/tell/me").await;
        assert!(page.contains("Name 41") && !page.contains("/tell/me/receipt/"), "{page}");
        receipt
    });
    assert_eq!(stopped(&mut served), Some(0));
    scene.site.write("receipt.json", receipt);
    let proved =
        scene.dunlin(&["ledger", "prove", "--receipt", "receipt.json", "--format", "json"]).expect(0);
    assert_eq!(proved.json()[0]["found"]["target:new"], 0, "{proved:?}");
    scene.target_without("after it");
    scene.no_file_has_it(&["old.db"], "after it");
    let verified = scene.verified();
    assert_eq!(verified.table("new.customer")["erased"], 1);
    scene.moved();
    scene.target_without("a run later");
    let ledger = scene.dunlin(&["ledger", "export"]).expect(0).out;
    for kind in ["subject_exported", "subject_marked", "subject_erased", "subject_verified"] {
        assert!(ledger.contains(kind), "the ledger says nothing of {kind}");
    }
}

/// By the source's row before the first run, by the target's after it, whatever the browser asks for.
#[test]
fn the_page_speaks_the_language_of_the_customers_own_row() {
    let scene = Scene::sqlite();
    scene.site.write("server.toml", config());
    scene.site.edit_plan("email = \"email\"\n", "email = \"email\"\nlocale = \"city\"\n");
    scene.site.sql("old.db", "update customer set city = 'es_ES' where id = 41");
    let lang = |number: u32| {
        let mut served = serve(&scene.site, &[]);
        let pages = wait(async {
            let spanish = Customer::signed_in(&served, "41", number).await.get("/tell/me/settings").await;
            (spanish, Customer::signed_in(&served, "40", number + 1).await.get("/tell/me/settings").await)
        });
        assert_eq!(stopped(&mut served), Some(0));
        let lang = |page: &str| page.split("<html lang=\"").nth(1).map(|rest| rest[..2].to_owned());
        (lang(&pages.0).unwrap(), lang(&pages.1).unwrap())
    };
    let (es, en) = ("es".to_owned(), "en".to_owned());
    assert_eq!(lang(1), (es.clone(), en.clone()), "on the way");
    scene.moved();
    scene.site.sql("old.db", "update customer set city = 'fr' where id = 41");
    assert_eq!(lang(3), (es, en), "as it is in the target");
}
