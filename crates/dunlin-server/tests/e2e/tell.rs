//! What customers meet without signing in: the card in a host app, the page, pictures, and nothing more.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use dunlin_plan::Role;
use reqwest::{Method, Response};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::bench::{Bench, json as read_json, send};
use crate::notices::{NAME, NOTICE, bench, publish, rewrite};

const HOST: &str = "https://shop.atlas.example";

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap()
}

fn config() -> String {
    let key = STANDARD.encode(pair().public_key().as_ref());
    format!(
        "[tell]\nhosts = [\"{HOST}\"]\naudience = \"https://data.atlas.example\"\n[tell.host_keys]\nshop = \"{key}\"\n"
    )
}

fn token(subject: &str, number: u32) -> String {
    let now = dunlin_store::now_us() / 1_000_000;
    let body = json!({ "sub": subject, "aud": "https://data.atlas.example", "iat": now, "exp": now + 120,
                       "jti": format!("{number}") });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "EdDSA", "kid": "shop" })), part(&body));
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(pair().sign(text.as_bytes())))
}

async fn get(bench: &Bench, path: &str) -> Response {
    bench.bare(Method::GET, path).send().await.unwrap()
}

async fn card(bench: &Bench, token: &str) -> Response {
    let request = bench.bare(Method::GET, "/tell/card.json").header("origin", HOST);
    request.header("authorization", format!("Bearer {token}")).send().await.unwrap()
}

#[tokio::test]
async fn the_card_is_what_its_script_expects_for_the_host_apps_alone() {
    let bench = bench(&config()).await;
    assert_eq!(get(&bench, "/tell/card.json").await.status(), 204, "nothing is published");
    publish(&bench, NAME).await;
    let answer = bench.bare(Method::GET, "/tell/card.json?notice=2026-move").header("origin", HOST).send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], HOST);
    assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    assert!(!answer.headers().contains_key("set-cookie"));
    let data = read_json(answer).await;
    assert_eq!(
        (&data["notice"], &data["version"], &data["lang"]),
        (&json!("2026-move"), &json!(1), &json!("en"))
    );
    assert_eq!(data["points"].as_array().unwrap().len(), 3);
    assert_eq!((&data["remember"], &data["seen"]), (&Value::Null, &json!(false)));
    for label in [
        "region", "read", "keep", "settings", "download", "delete", "ask", "close", "reopen", "kept",
        "actions",
    ] {
        assert!(data["labels"][label].is_string(), "{label}");
    }
    for link in ["read", "settings", "download", "delete", "ask"] {
        let to = data["links"][link].as_str().unwrap();
        assert!(to.starts_with("/tell/") || to.starts_with("mailto:privacy@atlas.example"), "{link}: {to}");
    }
    assert_eq!(get(&bench, data["links"]["read"].as_str().unwrap()).await.status(), 200);
    let other = bench.bare(Method::GET, "/tell/card.json").header("origin", "https://evil.example").send();
    assert!(!other.await.unwrap().headers().contains_key("access-control-allow-origin"));
    let asked = bench.bare(Method::OPTIONS, "/tell/card.json").header("origin", HOST).send().await.unwrap();
    assert_eq!(asked.headers()["access-control-allow-headers"], "authorization, content-type");
    let script = get(&bench, "/tell/card.js").await;
    assert_eq!(script.headers()["cross-origin-resource-policy"], "cross-origin");
    assert!(script.headers()["content-type"].to_str().unwrap().starts_with("text/javascript"));
    assert!(script.text().await.unwrap().contains("customElements.define"));
    let pressed = bench.bare(Method::GET, "/tell/card.js").header("accept-encoding", "br, gzip").send();
    let pressed = pressed.await.unwrap();
    assert_eq!(pressed.headers()["content-encoding"], "gzip");
    assert!(pressed.bytes().await.unwrap().len() <= 10_000, "as it travels");
    let inside = get(&bench, "/tell/card.html").await.text().await.unwrap();
    assert!(
        inside.contains("dunlin-card")
            && inside.contains(&format!("{}/tell/2026-move", bench.url.replace("127.0.0.1", "localhost"))),
        "{inside}"
    );
}

#[tokio::test]
async fn a_persons_answer_is_remembered_and_a_token_works_once() {
    let bench = bench(&config()).await;
    publish(&bench, NAME).await;
    let first = token("customer-canary-1", 1);
    let data = read_json(card(&bench, &first).await).await;
    let remember = data["remember"].as_str().unwrap().to_owned();
    assert_eq!(data["seen"], false);
    let again = card(&bench, &first).await;
    assert_eq!(again.headers()["x-dunlin-subject"], "used");
    assert_eq!(read_json(again).await["remember"], Value::Null, "and the notice is shown all the same");
    let answer = |path: String, origin: &'static str, choice: &'static str| {
        let request =
            bench.bare(Method::POST, &path).header("origin", origin).header("sec-fetch-site", "cross-site");
        async move { send(request, &json!({ "choice": choice })).await }
    };
    assert_eq!(answer(remember.clone(), "https://evil.example", "keep").await.status(), 403);
    assert_eq!(answer(remember.clone(), HOST, "sell").await.status(), 422);
    assert_eq!(answer(format!("{remember}x"), HOST, "keep").await.status(), 404);
    let (text, tag) = remember.rsplit_once('.').unwrap();
    assert_eq!(answer(format!("{text}A.{tag}"), HOST, "keep").await.status(), 404);
    let kept = answer(remember.clone(), HOST, "keep").await;
    assert_eq!(kept.status(), 204);
    assert_eq!(kept.headers()["access-control-allow-origin"], HOST);
    assert_eq!(answer(remember, HOST, "keep").await.status(), 204, "the same answer twice is one");
    assert_eq!(read_json(card(&bench, &token("customer-canary-1", 2)).await).await["seen"], true);
    assert_eq!(read_json(card(&bench, &token("customer-canary-2", 3)).await).await["seen"], false);
    let ledger = bench.ledger().await;
    assert_eq!(ledger.iter().filter(|entry| entry.contains("notice_answered")).count(), 1);
    assert!(!ledger.iter().any(|entry| entry.contains("canary")));
    let state = std::fs::read(bench.dir().join(".dunlin/state.db")).unwrap();
    let wal = std::fs::read(bench.dir().join(".dunlin/state.db-wal")).unwrap_or_default();
    for bytes in [state, wal] {
        assert!(!bytes.windows(15).any(|w| w == b"customer-canary"), "the state knows a hash alone");
    }
    let writer = bench.person(Role::Writer).await;
    let list = read_json(bench.get(&writer, "/api/v1/notices").await).await;
    assert_eq!(list["items"][0]["answers"], json!([{ "version": 1, "choice": "keep", "people": 1 }]));
}

#[tokio::test]
async fn a_forged_token_makes_a_stranger() {
    let bench = bench(&config()).await;
    publish(&bench, NAME).await;
    let good = token("customer-1", 1);
    let (text, _) = good.rsplit_once('.').unwrap();
    for bad in [format!("{text}.{}", URL_SAFE_NO_PAD.encode([0u8; 64])), "x".to_owned(), String::new()] {
        let answer = card(&bench, &bad).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().contains_key("x-dunlin-subject"));
        assert_eq!(read_json(answer).await["remember"], Value::Null);
    }
    assert_ne!(
        read_json(card(&bench, &good).await).await["remember"],
        Value::Null,
        "and the good one is not spent"
    );
}

#[tokio::test]
async fn readers_get_their_language() {
    let bench = bench("").await;
    let writer = bench.person(Role::Writer).await;
    let spanish = NOTICE
        .replace("locale = \"en\"", "locale = \"es\"")
        .replace("[facts]", "[[override]]\nrule = \"tell-hard-to-read\"\nreason = \"the text stands in English here\"\nby = \"ana@atlas.example\"\n\n[[override]]\nrule = \"tell-text-date\"\nreason = \"the text stands in English here\"\nby = \"ana@atlas.example\"\n\n[facts]");
    publish(&bench, NAME).await;
    let put = bench.ask(&writer, Method::PUT, "/api/v1/notices/2026-move.es.md");
    let saved = put.header("if-none-match", "*").body(spanish).send().await.unwrap();
    assert_eq!(saved.status(), 200);
    publish(&bench, "2026-move.es.md").await;
    let lang = |path: &'static str, accept: &'static str| {
        let request = bench.bare(Method::GET, path).header("accept-language", accept);
        async move { request.send().await.unwrap().headers()["content-language"].to_str().unwrap().to_owned() }
    };
    assert_eq!(lang("/tell/2026-move", "").await, "en", "the first that was published");
    assert_eq!(lang("/tell/2026-move", "de, es-MX;q=0.7").await, "es");
    assert_eq!(lang("/tell/2026-move?lang=en", "es").await, "en");
    let page = get(&bench, "/tell/2026-move?lang=es").await;
    assert!(page.headers()["vary"].to_str().unwrap().contains("Accept-Language"));
    let page = page.text().await.unwrap();
    assert!(page.contains("<html lang=\"es\">") && page.contains("hreflang=\"en\""), "{page}");
    let card = read_json(get(&bench, "/tell/card.json?lang=es-ES").await).await;
    assert_eq!((&card["lang"], &card["labels"]["keep"]), (&json!("es"), &json!("Dejarlo como está")));
    let nothing = bench.bare(Method::GET, "/tell/none").header("accept-language", "fr").send().await.unwrap();
    assert_eq!(nothing.status(), 404);
    assert!(nothing.text().await.unwrap().contains("Il n’y a rien"));
}

#[tokio::test]
async fn the_page_needs_no_script_and_sets_no_cookie_and_has_its_linked_data() {
    let bench = bench("").await;
    publish(&bench, NAME).await;
    let page = get(&bench, "/tell/2026-move").await;
    assert!(!page.headers().contains_key("set-cookie"));
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let html = page.text().await.unwrap();
    assert!(!html.contains("<script") && html.contains("application/ld+json"), "{html}");
    assert!(html.contains("Art") || html.contains("slot-rights"));
    let linked = get(&bench, "/tell/2026-move.jsonld").await;
    assert_eq!(linked.headers()["content-type"], "application/ld+json");
    let linked = read_json(linked).await;
    assert_eq!(linked["@type"], "dpv:PrivacyNotice");
    assert!(linked["@id"].as_str().unwrap().ends_with("/tell/2026-move"));
    assert!(linked["dpv:hasProcess"]["dpv:hasDataProcessor"][0]["dpv:hasName"] == "Cloud GmbH", "{linked}");
    let gpc = get(&bench, "/.well-known/gpc.json").await;
    assert_eq!(gpc.headers()["content-type"], "application/json");
    assert_eq!(read_json(gpc).await["gpc"], true);
    for path in [
        "/tell/2026-move",
        "/tell/card.js",
        "/tell/notice.css",
        "/.well-known/gpc.json",
        "/tell/2026-move/versions",
    ] {
        assert!(!get(&bench, path).await.headers().contains_key("set-cookie"), "{path}");
    }
}

#[tokio::test]
async fn pictures_are_written_anew_when_they_are_handed_in() {
    let bench = bench("").await;
    let mut original = Vec::new();
    let picture = image::DynamicImage::new_rgb8(40, 20);
    picture.write_to(&mut Cursor::new(&mut original), image::ImageFormat::Png).unwrap();
    original.extend_from_slice(b"GPS canary");
    let file = bench.dir().join("notices/van.png");
    std::fs::write(&file, &original).unwrap();
    let writer = bench.person(Role::Writer).await;
    let with =
        |words: &str| NOTICE.replace("## When\n", &format!("## When\n\n![{words}](notices/van.png)\n"));
    rewrite(&bench, &writer, NAME, &with("")).await;
    let mute = read_json(crate::notices::submit(&bench, &writer, NAME).await).await;
    assert!(mute["findings"].as_array().unwrap().iter().any(|f| f["rule"] == "tell-image-alt"), "{mute}");
    rewrite(&bench, &writer, NAME, &with("A van")).await;
    let listed = read_json(bench.get(&writer, "/api/v1/notices/images").await).await;
    assert_eq!(listed["items"][0]["path"], "notices/van.png");
    let version = publish(&bench, NAME).await;
    std::fs::remove_file(&file).unwrap();
    let page = get(&bench, "/tell/2026-move").await.text().await.unwrap();
    let at = format!("/tell/images/{}/notices/van.png", version["id"].as_str().unwrap());
    assert!(page.contains(&at), "{page}");
    let shown = get(&bench, &at).await;
    assert_eq!(shown.headers()["content-type"], "image/png");
    let bytes = shown.bytes().await.unwrap();
    assert!(!bytes.windows(6).any(|w| w == b"canary"));
    assert_eq!(image::load_from_memory(&bytes).unwrap().width(), 40);
    let other = at.replace("van.png", "other.png");
    assert_eq!(get(&bench, &other).await.status(), 404);
    assert_eq!(get(&bench, "/tell/images/x/dunlin.toml").await.status(), 404);
}

#[tokio::test]
async fn how_far_the_move_is_is_said_only_where_it_is_switched_on() {
    let bench = bench("").await;
    assert_eq!(get(&bench, "/status").await.status(), 404);
    let bench = crate::notices::bench("[tell]\nstatus_page = true\n").await;
    let page = get(&bench, "/status?lang=de").await;
    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    assert!(html.contains("Der Umzug hat noch nicht begonnen"), "{html}");
    for inside in ["crm.db", "sqlite:", "atlas.people", "Ben Okoye"] {
        assert!(!html.contains(inside), "{inside}");
    }
    assert_eq!(get(&bench, "/tell/demo-host").await.status(), 404, "a demo alone has one");
}
