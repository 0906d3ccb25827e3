//! Notices through the API: written by one, published by another, never against the plan, and never changed again.

use dunlin_plan::Role;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::bench::{Bench, Person, json as read_json, send};

pub const PLAN: &str = include_str!("../../../dunlin/src/demo/plan.toml");
pub const NOTICE: &str = include_str!("../../../dunlin/src/demo/notice.md");
pub const NAME: &str = "2026-move.en.md";

/// A server over the demo's plan and notice.
pub async fn bench(config: &str) -> Bench {
    with_plan(PLAN, config).await
}

async fn with_plan(plan: &str, config: &str) -> Bench {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("w");
    std::fs::create_dir_all(dir.join("notices")).unwrap();
    std::fs::write(dir.join("dunlin.toml"), plan).unwrap();
    std::fs::write(dir.join("notices").join(NAME), NOTICE).unwrap();
    Bench::over(home, config).await
}

pub async fn sha(bench: &Bench, who: &Person, name: &str) -> String {
    let notice = read_json(bench.get(who, &format!("/api/v1/notices/{name}")).await).await;
    notice["sha256"].as_str().unwrap().to_owned()
}

pub async fn submit(bench: &Bench, who: &Person, name: &str) -> Response {
    let body = json!({ "sha256": sha(bench, who, name).await });
    bench.post(who, &format!("/api/v1/notices/{name}/submit"), body).await
}

pub async fn approve(bench: &Bench, who: &Person, version: &Value) -> Response {
    let path = format!("/api/v1/notices/versions/{}/approve", version["id"].as_str().unwrap());
    bench.post(who, &path, json!({ "sha256": version["sha256"] })).await
}

/// Hands in as one and publishes as another.
pub async fn publish(bench: &Bench, name: &str) -> Value {
    let (writer, approver) = (bench.person(Role::Writer).await, bench.person(Role::Approver).await);
    let answer = submit(bench, &writer, name).await;
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    let version = read_json(answer).await;
    let answer = approve(bench, &approver, &version).await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    read_json(answer).await
}

async fn save(bench: &Bench, who: &Person, name: &str, mark: (&str, &str), text: &str) -> Response {
    let request = bench.ask(who, Method::PUT, &format!("/api/v1/notices/{name}"));
    request
        .header(mark.0, mark.1)
        .header("content-type", "text/plain")
        .body(text.to_owned())
        .send()
        .await
        .unwrap()
}

async fn etag(bench: &Bench, who: &Person, name: &str) -> String {
    let answer = bench.get(who, &format!("/api/v1/notices/{name}")).await;
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

/// Saves a text over what is there.
pub async fn rewrite(bench: &Bench, who: &Person, name: &str, text: &str) {
    let mark = etag(bench, who, name).await;
    assert_eq!(save(bench, who, name, ("if-match", &mark), text).await.status(), 200);
}

#[tokio::test]
async fn one_hands_in_and_another_publishes_and_each_step_is_entered() {
    let bench = bench("").await;
    let (writer, approver) = (bench.person(Role::Writer).await, bench.person(Role::Approver).await);
    let list = read_json(bench.get(&writer, "/api/v1/notices").await).await;
    let line = &list["items"][0];
    assert_eq!((&line["status"], &line["passes"]), (&json!("draft"), &json!(true)), "{list}");
    assert_eq!((&line["precedes"], &line["publish"]), (&json!(true), &json!("2026-12-01")));
    let version = read_json(submit(&bench, &writer, NAME).await).await;
    assert_eq!(version["status"], "submitted");
    let again = submit(&bench, &writer, NAME).await;
    assert_eq!(read_json(again).await["code"], "notice_waits");
    assert_eq!(bench.bare(Method::GET, "/tell/2026-move").send().await.unwrap().status(), 404, "not yet");
    let published = read_json(approve(&bench, &approver, &version).await).await;
    assert_eq!(published["status"], "published");
    assert_eq!(published["approved_by"], approver.id.as_str());
    let list = read_json(bench.get(&writer, "/api/v1/notices").await).await;
    assert_eq!(list["items"][0]["status"], "published");
    let ledger = bench.ledger().await;
    for kind in ["notice_submitted", "notice_approved", "notice_published"] {
        let entry = ledger.iter().find(|entry| entry.contains(kind)).unwrap_or_else(|| panic!("{kind}"));
        assert!(entry.contains(version["sha256"].as_str().unwrap()), "{entry}");
        assert!(!entry.contains("moving"), "no sentence of the notice: {entry}");
    }
    let twice = approve(&bench, &approver, &version).await;
    assert_eq!(read_json(twice).await["code"], "notice_not_waiting");
}

#[tokio::test]
async fn nobody_publishes_what_they_wrote_or_handed_in() {
    let bench = bench("").await;
    let (owner, lead) = (bench.person(Role::Owner).await, bench.person(Role::Lead).await);
    // The lead wrote it, the owner hands it in: neither publishes it.
    rewrite(&bench, &lead, NAME, &NOTICE.replace("Each takes two taps.", "Each takes just two taps.")).await;
    let version = read_json(submit(&bench, &owner, NAME).await).await;
    assert!(version["authors"].as_array().unwrap().contains(&json!(lead.id)), "{version}");
    for who in [&owner, &lead] {
        let refused = approve(&bench, who, &version).await;
        assert_eq!(refused.status(), 403);
        assert_eq!(read_json(refused).await["code"], "always.own_notice");
    }
    let writer = bench.person(Role::Writer).await;
    assert_eq!(approve(&bench, &writer, &version).await.status(), 403, "writers publish nothing");
    let other = bench.person(Role::Owner).await;
    let stale = json!({ "id": version["id"], "sha256": "0".repeat(64) });
    assert_eq!(read_json(approve(&bench, &other, &stale).await).await["code"], "notice_changed");
    assert_eq!(approve(&bench, &other, &version).await.status(), 200);
}

#[tokio::test]
async fn a_notice_that_contradicts_the_plan_is_not_published_and_both_sides_are_shown() {
    let bench = bench("").await;
    let (writer, approver) = (bench.person(Role::Writer).await, bench.person(Role::Approver).await);
    let version = read_json(submit(&bench, &writer, NAME).await).await;
    // The plan changes after the text was handed in: the whole gate is gone through once more.
    let other = PLAN.replace("region = \"IE\"", "region = \"US\"");
    std::fs::write(bench.plan_file(), &other).unwrap();
    let refused = approve(&bench, &approver, &version).await;
    assert_eq!(refused.status(), 422);
    let problem = read_json(refused).await;
    assert_eq!(problem["code"], "notice_contradicts_plan");
    let title = problem["title"].as_str().unwrap();
    assert!(title.contains("Ireland") && title.contains("United States"), "{title}");
    assert!(problem["findings"].as_array().unwrap().iter().any(|f| f["rule"] == "tell-facts-differ"));
    assert_eq!(bench.bare(Method::GET, "/tell/2026-move").send().await.unwrap().status(), 404);
    let refused = submit(&bench, &writer, NAME).await;
    assert_eq!(read_json(refused).await["code"], "notice_contradicts_plan", "nor is it handed in again");
    // The facts can be taken over; the sentences are still those of a person, and still wrong.
    let mark = etag(&bench, &writer, NAME).await;
    let path = format!("/api/v1/notices/{NAME}/facts");
    let taken = bench.ask(&writer, Method::POST, &path).header("if-match", mark).send().await.unwrap();
    let rules: Vec<String> = read_json(taken).await["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect();
    assert!(!rules.contains(&"tell-facts-differ".to_owned()), "{rules:?}");
    assert!(rules.contains(&"tell-text-country".to_owned()), "{rules:?}");
}

#[tokio::test]
async fn where_a_store_is_protected_only_an_approved_plan_is_told() {
    let plan = PLAN.replace("# protected = true  ", "protected = true  ");
    assert_ne!(plan, PLAN);
    let bench = with_plan(&plan, "").await;
    let (writer, approver) = (bench.person(Role::Writer).await, bench.person(Role::Approver).await);
    let version = read_json(submit(&bench, &writer, NAME).await).await;
    let refused = approve(&bench, &approver, &version).await;
    assert_eq!(read_json(refused).await["code"], "plan_not_approved");
    let now = read_json(bench.get(&approver, "/api/v1/plan").await).await;
    let body = json!({ "fingerprint": now["fingerprint"] });
    assert_eq!(bench.post(&approver, "/api/v1/plan/approve", body).await.status(), 204);
    let published = read_json(approve(&bench, &approver, &version).await).await;
    assert_eq!(published["approved_fingerprint"], now["fingerprint"]);
}

#[tokio::test]
async fn what_was_published_never_changes_and_the_next_version_says_what_did() {
    let bench = bench("").await;
    let first = publish(&bench, NAME).await;
    let writer = bench.person(Role::Writer).await;
    let newer = NOTICE.replace("## What stays behind\n", "## What stays behind\n\nNothing that you need.\n");
    rewrite(&bench, &writer, NAME, &newer).await;
    let page =
        || async { bench.bare(Method::GET, "/tell/2026-move").send().await.unwrap().text().await.unwrap() };
    assert!(!page().await.contains("Nothing that you need"), "the file is not what readers see");
    let refused = read_json(submit(&bench, &writer, NAME).await).await;
    assert!(refused["findings"].as_array().unwrap().iter().any(|f| f["rule"] == "tell-version"), "{refused}");
    rewrite(&bench, &writer, NAME, &newer.replace("version = 1\n", "version = 2\n")).await;
    let second = publish(&bench, NAME).await;
    assert!(page().await.contains("Nothing that you need"));
    let path = format!("/api/v1/notices/versions/{}/diff", second["id"].as_str().unwrap());
    let diff = read_json(bench.get(&writer, &path).await).await;
    assert_eq!(diff["old"]["id"], first["id"]);
    let part = &diff["parts"][0];
    assert_eq!((&part["place"], &part["happened"]), (&json!("What stays behind"), &json!("changed")));
    let words = part["words"].as_array().unwrap();
    assert!(words.iter().any(|w| w["what"] == "added" && w["text"].as_str().unwrap().contains("Nothing")));
    let versions =
        bench.bare(Method::GET, "/tell/2026-move/versions").send().await.unwrap().text().await.unwrap();
    assert!(versions.contains("<ins>") && versions.contains("Nothing that you need"), "{versions}");
    let old =
        bench.bare(Method::GET, "/tell/2026-move?version=1").send().await.unwrap().text().await.unwrap();
    assert!(old.contains("What stays behind") && !old.contains("Nothing that you need"));
}

#[tokio::test]
async fn what_is_withdrawn_is_gone_and_what_waits_can_be_taken_back() {
    let bench = bench("").await;
    let (writer, lead) = (bench.person(Role::Writer).await, bench.person(Role::Lead).await);
    let waiting = read_json(submit(&bench, &writer, NAME).await).await;
    let path = |id: &Value, what: &str| format!("/api/v1/notices/versions/{}/{what}", id.as_str().unwrap());
    let back = bench.post(&writer, &path(&waiting["id"], "take-back"), json!({})).await;
    assert_eq!(read_json(back).await["status"], "taken_back");
    assert_eq!(read_json(approve(&bench, &lead, &waiting).await).await["code"], "notice_not_waiting");
    let shown = publish(&bench, NAME).await;
    let ask = json!({ "reason": "the canary-4711 affair" });
    let refused = bench.post(&writer, &path(&shown["id"], "withdraw"), ask.clone()).await;
    assert_eq!(refused.status(), 403);
    let gone = bench.post(&lead, &path(&shown["id"], "withdraw"), ask).await;
    assert_eq!(read_json(gone).await["status"], "withdrawn");
    assert_eq!(bench.bare(Method::GET, "/tell/2026-move").send().await.unwrap().status(), 404);
    let card = bench.bare(Method::GET, "/tell/card.json").send().await.unwrap();
    assert_eq!(card.status(), 204);
    let ledger = bench.ledger().await.join("\n");
    assert!(ledger.contains("notice_withdrawn") && !ledger.contains("canary"), "the reason is in the state");
    let again = read_json(submit(&bench, &writer, NAME).await).await;
    assert_eq!(again["code"], "notice_published", "the number was used: {again}");
}

#[tokio::test]
async fn a_finding_that_is_set_aside_is_entered_without_its_words() {
    let bench = bench("").await;
    let writer = bench.person(Role::Writer).await;
    let text = NOTICE
        .replace("Each takes two taps.", "Each may take two taps.")
        .replace("[facts]", "[[override]]\nrule = \"tell-hedge\"\nreason = \"canary because it is so\"\nby = \"ana@atlas.example\"\n\n[facts]");
    rewrite(&bench, &writer, NAME, &text).await;
    publish(&bench, NAME).await;
    let ledger = bench.ledger().await;
    let entry = ledger.iter().find(|entry| entry.contains("notice_overridden")).unwrap();
    assert!(entry.contains("tell-hedge") && !entry.contains("canary"), "{entry}");
}

#[tokio::test]
async fn two_writers_do_not_overwrite_one_another() {
    let bench = bench("").await;
    let (ana, eva) = (bench.person(Role::Writer).await, bench.person(Role::Writer).await);
    let mark = etag(&bench, &ana, NAME).await;
    assert_eq!(save(&bench, &eva, NAME, ("if-match", &mark), "not a notice yet").await.status(), 200);
    let late = save(&bench, &ana, NAME, ("if-match", &mark), NOTICE).await;
    assert_eq!(late.status(), 412);
    let list = read_json(bench.get(&ana, "/api/v1/notices").await).await;
    assert_eq!(list["items"][0]["status"], "broken", "an unfinished text is kept: {list}");
    let none =
        bench.ask(&ana, Method::PUT, &format!("/api/v1/notices/{NAME}")).body("x").send().await.unwrap();
    assert_eq!(none.status(), 428);
    let there = save(&bench, &ana, NAME, ("if-none-match", "*"), "x").await;
    assert_eq!(there.status(), 412);
    assert_eq!(save(&bench, &ana, "new.en.md", ("if-none-match", "*"), "x").await.status(), 200);
    for bad in ["..%2Fdunlin.toml", "x.txt", ".x.md"] {
        assert_eq!(save(&bench, &ana, bad, ("if-none-match", "*"), "x").await.status(), 404, "{bad}");
    }
    let engineer = bench.person(Role::Engineer).await;
    let mark = etag(&bench, &engineer, NAME).await;
    assert_eq!(save(&bench, &engineer, NAME, ("if-match", &mark), NOTICE).await.status(), 403);
}

#[tokio::test]
async fn a_draft_asks_what_the_plan_does_not_say_and_cannot_be_handed_in() {
    let bench = bench("").await;
    let writer = bench.person(Role::Writer).await;
    let ask = json!({ "notice": "next", "lang": "es", "begins": "2026-12-05" });
    let made = bench.post(&writer, "/api/v1/notices/draft", ask.clone()).await;
    assert_eq!(made.status(), 201);
    let made = read_json(made).await;
    assert_eq!(made["name"], "next.es.md");
    assert!(made["text"].as_str().unwrap().contains("[[question:"));
    assert_eq!(
        read_json(bench.post(&writer, "/api/v1/notices/draft", ask).await).await["code"],
        "notice_there"
    );
    let refused = read_json(submit(&bench, &writer, "next.es.md").await).await;
    assert_eq!(refused["code"], "notice_findings");
    assert!(refused["findings"].as_array().unwrap().iter().any(|f| f["rule"] == "tell-question-open"));
    for bad in [json!({ "notice": "../x", "lang": "en" }), json!({ "notice": "x", "lang": "xx" })] {
        let answer = send(bench.ask(&writer, Method::POST, "/api/v1/notices/draft"), &bad).await;
        assert_eq!(answer.status(), 422);
    }
}

#[tokio::test]
async fn previews_run_nothing_and_stand_in_our_own_frames_alone() {
    let bench = bench("").await;
    let writer = bench.person(Role::Writer).await;
    for (form, has) in [
        ("page", "<article class=\"notice\""),
        ("fragment", "dunlin-card"),
        ("mail&message=1", "Today we are moving"),
        ("mail_text", "Subject: We are moving your data"),
        ("text", "What you can do\n- Change settings"),
        ("card", "\"points\""),
    ] {
        let path = format!("/api/v1/notices/{NAME}/preview?as={form}");
        let answer = bench.get(&writer, &path).await;
        assert_eq!(answer.status(), 200, "{form}");
        let is_html = answer.headers()["content-type"].to_str().unwrap().starts_with("text/html");
        if is_html {
            let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
            assert!(policy.contains("frame-ancestors 'self'") && !policy.contains("script"), "{policy}");
        }
        let text = answer.text().await.unwrap();
        assert!(text.contains(has), "{form}: {text}");
    }
}

#[tokio::test]
async fn the_days_of_a_notice_stand_in_the_calendar() {
    let bench = bench("").await;
    let writer = bench.person(Role::Writer).await;
    let days = || async {
        let path = "/api/v1/work/calendar?from=2026-11-01&to=2026-12-31";
        read_json(bench.get(&writer, path).await).await["notices"].clone()
    };
    // The plan is read a moment after the server has begun.
    let mut found = days().await;
    for _ in 0..100 {
        if found != json!([]) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        found = days().await;
    }
    let found: Vec<(String, String)> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|day| (day["date"].as_str().unwrap().to_owned(), day["what"].as_str().unwrap().to_owned()))
        .collect();
    for (date, what) in [
        ("2026-12-01", "publish"),
        ("2026-11-05", "before"),
        ("2026-12-05", "during"),
        ("2026-12-07", "after"),
    ] {
        assert!(found.contains(&(date.to_owned(), what.to_owned())), "{date} {what}: {found:?}");
    }
}

#[tokio::test]
async fn links_are_asked_through_the_one_client_which_goes_to_no_private_address() {
    let bench = bench("").await;
    let writer = bench.person(Role::Writer).await;
    let link =
        NOTICE.replace("Each takes two taps.", "Each takes two taps. [Read more](https://127.0.0.1/x).");
    rewrite(&bench, &writer, NAME, &link).await;
    let line = read_json(bench.get(&writer, &format!("/api/v1/notices/{NAME}")).await).await;
    assert_eq!(line["passes"], true, "reading asks nobody: {line}");
    let path = format!("/api/v1/notices/{NAME}/check");
    let checked = read_json(bench.post(&writer, &path, json!({})).await).await;
    assert_eq!(checked["passes"], false);
    let dead = |found: &Value| {
        let found =
            found["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "tell-link-dead").cloned();
        found.unwrap()["message"].as_str().unwrap().to_owned()
    };
    assert!(dead(&checked).contains("which is not called"), "{checked}");
    let refused = submit(&bench, &writer, NAME).await;
    assert_eq!(refused.status(), 422);
    dead(&read_json(refused).await);
}
