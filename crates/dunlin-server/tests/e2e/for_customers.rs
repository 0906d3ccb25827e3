//! What operators do in a customer's stead, and where letters go to customers whose address only their own row knows.

use dunlin_plan::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::bench::{Bench, Person, json as read_json};
use crate::customers::{ANA, ANA_AT, CANARY, TWIN_AT};
use crate::me::{Browser, Scene, mail, scene, unzipped};

/// A request that somebody entered, granted for a customer who was checked; gives its address without the step.
async fn granted(bench: &Bench, lead: &Person, asked: Value) -> String {
    let made = bench.post(lead, "/api/v1/requests", asked).await;
    assert_eq!(made.status(), 201);
    let at = format!("/api/v1/requests/{}", read_json(made).await["request"].as_str().unwrap());
    let reason = json!({ "category": "law", "text": "Art. 15" });
    for (step, body) in [
        ("identity", json!({ "outcome": "confirmed" })),
        ("decide", json!({ "decision": "granted", "reason": reason })),
    ] {
        let answer = bench.post(lead, &format!("{at}/{step}"), body).await;
        assert_eq!(answer.status(), 200, "{step}");
    }
    at
}

fn path_of(scene: &Scene, link: &str) -> String {
    let path = link.strip_prefix(&scene.bench.url).unwrap_or(link);
    path[path.find("/tell/").unwrap()..].split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_copy_is_handed_over_by_a_link_that_works_once() {
    let scene = scene("").await;
    let bench = &scene.bench;
    let lead = bench.person(Role::Lead).await;
    let at = granted(bench, &lead, json!({ "kind": "access", "subject": ANA })).await;
    let by_letter = bench.post(&lead, &format!("{at}/copy"), json!({ "by": "letter" })).await;
    assert_eq!(read_json(by_letter).await["code"], "no_address", "nobody knows where to");
    let offered = bench.post(&lead, &format!("{at}/copy"), json!({ "by": "hand" })).await;
    let offered = read_json(offered).await;
    assert_eq!(offered["request"]["state"], "granted", "it is answered when the copy was fetched");
    assert!(!offered.to_string().contains(ANA), "{offered}");
    let left = offered["until"].as_i64().unwrap() - dunlin_store::now_us();
    assert!((14 * 60_000_000..=15 * 60_000_000).contains(&left), "{left}");
    let link = path_of(&scene, offered["link"].as_str().unwrap());
    let mut customer = Browser::new(bench);
    let (status, _, page) = customer.get(&link).await;
    assert!(status == 200 && page.contains("<form") && !page.contains(CANARY), "{page}");
    let answer = customer.send(&link, &[]).await;
    assert_eq!(answer.headers()["content-type"], "application/zip");
    assert!(!answer.headers().contains_key("set-cookie"), "it signs nobody in");
    assert!(unzipped(&answer.bytes().await.unwrap(), "data.json").contains(CANARY));
    assert_eq!(customer.send(&link, &[]).await.status(), 404, "once");
    let request = read_json(bench.get(&lead, &at).await).await;
    assert_eq!(request["state"], "done");
    let again = bench.post(&lead, &format!("{at}/copy"), json!({ "by": "hand" })).await;
    assert_eq!(read_json(again).await["code"], "not_granted");
    let entries = bench.ledger().await;
    let made = entries.iter().find(|e| e.contains("request_copy_offered")).unwrap();
    assert!(made.contains("\"by\":\"hand\"") && made.contains(&lead.id), "{made}");
    assert!(!entries.iter().any(|e| e.contains("/tell/me/copy") || e.contains(ANA)), "no link, no customer");
}

#[tokio::test]
async fn a_link_to_a_copy_goes_by_letter_and_is_worth_nothing_once_the_request_is_taken_back() {
    let scene = scene("").await;
    let bench = &scene.bench;
    let lead = bench.person(Role::Lead).await;
    let asked = json!({ "kind": "portability", "subject": ANA, "write_to": ANA_AT });
    let at = granted(bench, &lead, asked).await;
    let offered = bench.post(&lead, &format!("{at}/copy"), json!({ "by": "letter" })).await;
    let offered = read_json(offered).await;
    assert!(offered["link"].is_null(), "whoever sends it does not see it: {offered}");
    // Received, granted, and this one.
    let letter = mail(&scene, 2).await;
    assert!(letter.to == ANA_AT && letter.text.contains("The copy of your data is ready"), "{}", letter.text);
    let link = path_of(&scene, &letter.text[letter.text.find("http").unwrap()..]);
    let reason = json!({ "category": "customer_said_so", "text": "canary-words: they wrote again" });
    let withdrawn = bench.post(&lead, &format!("{at}/withdraw"), json!({ "reason": reason })).await;
    assert_eq!(read_json(withdrawn).await["state"], "withdrawn");
    let letter = mail(&scene, 3).await;
    assert!(letter.text.contains("was taken back in your name") && letter.text.contains("canary-words"));
    let mut customer = Browser::new(bench);
    let (status, _, page) = customer.post(&link, &[]).await;
    assert!(status == 404 && !page.contains(CANARY), "{page}");
    let twice = bench.post(&lead, &format!("{at}/withdraw"), json!({ "reason": reason })).await;
    assert_eq!(twice.status(), 422, "what is over is over");
}

#[tokio::test]
async fn a_copy_and_a_withdrawal_ask_for_a_right_a_reason_and_a_decision() {
    let scene = scene("").await;
    let bench = &scene.bench;
    let (lead, approver) = (bench.person(Role::Lead).await, bench.person(Role::Approver).await);
    let at = granted(bench, &lead, json!({ "kind": "access", "subject": ANA })).await;
    let (hand, reason) = (json!({ "by": "hand" }), json!({ "category": "mistake", "text": "entered twice" }));
    assert_eq!(bench.post(&approver, &format!("{at}/copy"), hand.clone()).await.status(), 403);
    let taken_back = json!({ "reason": reason });
    assert_eq!(bench.post(&approver, &format!("{at}/withdraw"), taken_back).await.status(), 403);
    let wordless = json!({ "reason": { "category": "mistake", "text": " " } });
    assert_eq!(bench.post(&lead, &format!("{at}/withdraw"), wordless).await.status(), 422);
    assert_eq!(bench.post(&lead, &format!("{at}/copy"), json!({ "by": "pigeon" })).await.status(), 422);
    let made = bench.post(&lead, "/api/v1/requests", json!({ "kind": "access", "subject": ANA })).await;
    let open = format!("/api/v1/requests/{}/copy", read_json(made).await["request"].as_str().unwrap());
    assert_eq!(read_json(bench.post(&lead, &open, hand.clone()).await).await["code"], "not_granted");
    let other = granted(bench, &lead, json!({ "kind": "restriction", "subject": ANA })).await;
    let refused = bench.post(&lead, &format!("{other}/copy"), hand).await;
    assert_eq!(read_json(refused).await["code"], "no_copy");
    let unknown = bench.bare(Method::POST, "/tell/me/copy/AAAA").header("origin", &bench.url);
    let unknown = unknown.header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    let foreign = bench.bare(Method::POST, "/tell/me/copy/AAAA").header("origin", "https://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn who_comes_by_a_token_is_written_to_as_their_own_row_says() {
    let scene = scene("").await;
    let bench = &scene.bench;
    // This browser asks for English.
    let mut twin = Browser::signed_in(bench, "twin-1", "1").await;
    let (_, _, page) = twin.get("/tell/me").await;
    assert!(page.contains("lang=\"es\"") && page.contains("Sus datos en"), "{page}");
    let (_, _, page) = twin.get("/tell/me?lang=de").await;
    assert!(page.contains("lang=\"de\""), "what the address says goes before the row: {page}");
    let csrf = twin.csrf().await;
    assert_eq!(twin.post("/tell/me/ask", &[("csrf", &csrf), ("kind", "restriction")]).await.0, 303);
    let letter = mail(&scene, 0).await;
    assert_eq!(letter.to, TWIN_AT);
    assert!(letter.text.contains("Hemos recibido"), "{}", letter.text);
    // What stands in the other's column is no address, and no language that we write in.
    let before = scene.mails.0.lock().unwrap().len();
    let mut other = Browser::signed_in(bench, "twin-2", "2").await;
    assert!(other.get("/tell/me").await.2.contains("Your data at"));
    let csrf = other.csrf().await;
    assert_eq!(other.post("/tell/me/ask", &[("csrf", &csrf), ("kind", "objection")]).await.0, 303);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let to: Vec<String> = scene.mails.0.lock().unwrap()[before..].iter().map(|m| m.to.clone()).collect();
    assert!(to.iter().all(|to| to == TWIN_AT), "{to:?}");
    // Letters about what somebody enters are in the language of the row as well, unless they say another.
    let lead = bench.person(Role::Lead).await;
    let number = scene.mails.0.lock().unwrap().len();
    let asked = json!({ "kind": "objection", "subject": "twin-1", "write_to": "post@customer.example" });
    assert_eq!(bench.post(&lead, "/api/v1/requests", asked).await.status(), 201);
    let mut letters = scene.mails.0.lock().unwrap().clone().into_iter().skip(number);
    let letter = letters.find(|m| m.to == "post@customer.example").expect("a letter");
    assert!(letter.text.contains("Hemos recibido"), "{}", letter.text);
}
