//! Work over HTTP: what a lead, an engineer, a guest and a calendar program would notice.

use std::time::{Duration, Instant};

use dunlin_ledger::{Actor, Body, Counts};
use dunlin_plan::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::bench::{Bench, Person, json as read_json, send};

const TASKS: &str = "/api/v1/work/tasks";

async fn make(bench: &Bench, who: &Person, body: Value) -> Value {
    let answer = bench.post(who, TASKS, body).await;
    let status = answer.status();
    let task = read_json(answer).await;
    assert_eq!(status, 201, "{task}");
    task
}

async fn patch(bench: &Bench, who: &Person, task: &Value, body: Value) -> (u16, Value) {
    let path = format!("{TASKS}/{}", task["id"].as_str().unwrap());
    let answer = send(bench.ask(who, Method::PATCH, &path), &body).await;
    (answer.status().as_u16(), read_json(answer).await)
}

async fn find(bench: &Bench, who: &Person, query: &str) -> Value {
    read_json(bench.get(who, &format!("{TASKS}?{query}")).await).await
}

async fn get(bench: &Bench, who: &Person, path: &str) -> Value {
    read_json(bench.get(who, &format!("/api/v1/work/{path}")).await).await
}

/// Drafts the plan's tasks once the server has read the plan.
async fn draft(bench: &Bench, lead: &Person) -> Value {
    let begun = Instant::now();
    loop {
        let answer = bench.post(lead, "/api/v1/work/draft", json!({})).await;
        if answer.status() == 200 {
            return read_json(answer).await;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", answer.status());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The drafted task of a step, once it has a status.
async fn step(bench: &Bench, who: &Person, step: &str, status: &str) -> Value {
    let begun = Instant::now();
    loop {
        let filter = json!({ "all": [{ "field": "step", "is": [step] }] }).to_string();
        let page = find(bench, who, &format!("filter={}", encoded(&filter))).await;
        let task = page["rows"][0].clone();
        if task["status"] == status {
            return task;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{step} is not {status}: {task}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_close_themselves_when_what_they_stand_for_has_happened() {
    let bench = Bench::new().await;
    let (lead, engineer) = (bench.person(Role::Lead).await, bench.person(Role::Engineer).await);
    assert_eq!(bench.post(&engineer, "/api/v1/work/draft", json!({})).await.status(), 403);
    let drafted = draft(&bench, &lead).await;
    assert_eq!(drafted["added"].as_array().unwrap().len(), 1 + 11 + 1 + 8);
    let load = step(&bench, &lead, "load", "open").await;
    assert_eq!(load["owner"], engineer.id.as_str(), "the engineer loads");
    let (status, refused) = patch(&bench, &lead, &load, json!({ "status": "done" })).await;
    assert_eq!((status, refused["code"].as_str()), (403, Some("bound_status")), "{refused}");
    let (status, _) = patch(&bench, &lead, &load, json!({ "description": "At night, please." })).await;
    assert_eq!(status, 200, "notes are everybody's");
    let state = bench.workspace.state();
    let plan = read_json(bench.get(&lead, "/api/v1/plan").await).await;
    let fingerprint = plan["fingerprint"].as_str().unwrap().to_owned();
    let counts = Counts { source_rows: 10, loaded: 10, ..Counts::default() };
    let (run, table, hash) = (|| "r1".to_owned(), || "atlas.people".to_owned(), || "ab".repeat(32));
    let begun = Body::RunStarted {
        run: run(),
        plan_fingerprint: fingerprint,
        rehearse: false,
        stores: Default::default(),
    };
    state.enter(Actor::System, begun).await.unwrap();
    let split = Body::SplitLoaded {
        run: run(),
        table: table(),
        split: 0,
        counts,
        source_hash: hash(),
        loaded_hash: hash(),
        expected_hash: hash(),
        fragment: None,
    };
    state.enter(Actor::System, split).await.unwrap();
    step(&bench, &lead, "load", "doing").await;
    let done = Body::TableReconciled {
        run: run(),
        table: table(),
        counts,
        source_hash: hash(),
        expected_hash: hash(),
        target_hash: hash(),
        reconciled: true,
    };
    state.enter(Actor::System, done).await.unwrap();
    let load = step(&bench, &lead, "load", "done").await;
    let evidence = load["evidence"].as_array().unwrap().last().unwrap();
    assert!(evidence["text"].as_str().unwrap().contains("10 loaded"), "{evidence}");
    // The evidence names an entry of the ledger, which is there.
    let entry = get_entry(&bench, evidence["entry"].as_u64().unwrap()).await;
    assert!(entry.contains("table_reconciled"), "{entry}");
    // An edit of the plan makes it stale, without anybody's doing.
    let text = crate::bench::read(&bench.plan_file());
    std::fs::write(bench.plan_file(), text.replace("lower(email)", "upper(email)")).unwrap();
    let stale = step(&bench, &lead, "load", "stale").await;
    assert_eq!(stale["stale_because"], "mapping", "{stale}");
    assert_eq!(stale["description"], "At night, please.");
}

async fn get_entry(bench: &Bench, index: u64) -> String {
    bench.ledger().await[usize::try_from(index).unwrap()].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_stands_for_what_dunlin_cannot_see() {
    let bench = Bench::new().await;
    let (lead, steward) = (bench.person(Role::Lead).await, bench.person(Role::Steward).await);
    draft(&bench, &lead).await;
    let rules = step(&bench, &lead, "rules", "open").await;
    assert_eq!(
        (rules["confirmable"].as_bool(), rules["owner"].as_str()),
        (Some(true), Some(steward.id.as_str()))
    );
    let path = format!("{TASKS}/{}/confirm", rules["id"].as_str().unwrap());
    let engineer = bench.person(Role::Engineer).await;
    assert_eq!(bench.post(&engineer, &path, json!({ "done": true })).await.status(), 403);
    let done = read_json(bench.post(&steward, &path, json!({ "done": true })).await).await;
    assert_eq!(done["status"], "done", "{done}");
    assert!(bench.ledger().await.iter().any(|e| e.contains("step_confirmed") && e.contains(&steward.id)));
    let back = read_json(bench.post(&steward, &path, json!({ "done": false })).await).await;
    assert_eq!(back["status"], "open");
    let sign = step(&bench, &lead, "sign_off", "open").await;
    let path = format!("{TASKS}/{}/confirm", sign["id"].as_str().unwrap());
    let early = read_json(bench.post(&lead, &path, json!({ "done": true })).await).await;
    assert_eq!(early["code"], "not_verified");
}

#[tokio::test]
async fn two_people_edit_one_task_and_neither_loses_a_word() {
    let bench = Bench::new().await;
    let (ana, ben) = (bench.person(Role::Lead).await, bench.person(Role::Engineer).await);
    let task = make(&bench, &ana, json!({ "title": "Kick-off", "labels": ["a"] })).await;
    let (_, first) =
        patch(&bench, &ana, &task, json!({ "title": "Kick-off on Monday", "version": task["version"] }))
            .await;
    assert_eq!(first["title"], "Kick-off on Monday");
    let (status, merged) =
        patch(&bench, &ben, &task, json!({ "priority": "high", "version": task["version"] })).await;
    assert_eq!((status, merged["title"].as_str()), (200, Some("Kick-off on Monday")));
    let (status, clash) =
        patch(&bench, &ben, &task, json!({ "title": "Kick-off on Friday", "version": task["version"] }))
            .await;
    assert_eq!(
        (status, clash["code"].as_str(), clash["field"].as_str()),
        (409, Some("changed_meanwhile"), Some("title"))
    );
    assert_eq!(clash["current"]["title"], "Kick-off on Monday");
    let id = task["id"].as_str().unwrap();
    let batch = json!({ "changes": [{ "id": id, "set": { "deadline": "2027-01-05" } }, { "id": "0190a", "set": { "title": "x" } }] });
    assert_eq!(bench.post(&ben, "/api/v1/work/tasks/batch", batch).await.status(), 404, "all or nothing");
    let batch =
        json!({ "changes": [{ "id": id, "set": { "deadline": "2027-01-05", "estimate_hours": 4 } }] });
    let made = read_json(bench.post(&ben, "/api/v1/work/tasks/batch", batch).await).await;
    assert_eq!(made["tasks"][0]["deadline"], "2027-01-05");
    let undo = format!("/api/v1/work/changes/{}/undo", made["change"].as_str().unwrap());
    let undone = read_json(bench.post(&ana, &undo, json!({})).await).await;
    assert_eq!(
        (&undone["tasks"][0]["deadline"], &undone["tasks"][0]["estimate_hours"]),
        (&Value::Null, &Value::Null)
    );
    let history = get(&bench, &ana, &format!("tasks/{id}/history")).await;
    let fields: Vec<&str> =
        history["items"].as_array().unwrap().iter().map(|i| i["field"].as_str().unwrap()).collect();
    assert!(fields.contains(&"title") && fields.contains(&"deadline") && fields.contains(&""), "{fields:?}");
    let (status, circle) = patch(&bench, &ana, &task, json!({ "depends_on": [{ "task": id }] })).await;
    assert_eq!((status, circle["code"].as_str()), (409, Some("circle")));
}

#[tokio::test]
async fn a_guest_sees_what_concerns_them_and_nothing_else() {
    let bench = Bench::new().await;
    let (lead, guest) = (bench.person(Role::Lead).await, bench.person(Role::Guest).await);
    let own = make(&bench, &lead, json!({ "title": "Ask the partner", "owner": guest.id })).await;
    let other = make(&bench, &lead, json!({ "title": "canary of the house" })).await;
    let question =
        json!({ "title": "Which country code?", "question": true, "raci": { "consulted": [guest.id] } });
    let question = make(&bench, &lead, question).await;
    let page = find(&bench, &guest, "limit=100").await;
    assert_eq!(page["total"], 2, "{page}");
    let other_id = other["id"].as_str().unwrap();
    for path in [
        format!("tasks/{other_id}"),
        format!("tasks/{other_id}/comments"),
        format!("tasks/{other_id}/history"),
    ] {
        assert_eq!(bench.get(&guest, &format!("/api/v1/work/{path}")).await.status(), 404, "{path}");
    }
    for path in [
        "timeline",
        "calendar?from=2026-01-01&to=2026-12-31",
        "questions",
        "mine",
        "views",
        "tasks?q=canary",
        "tasks?group=title",
    ] {
        let text = bench.get(&guest, &format!("/api/v1/work/{path}")).await.text().await.unwrap();
        assert!(!text.contains("canary"), "{path}: {text}");
    }
    for path in ["forecast", "export", "windows", "templates", "presence"] {
        assert_eq!(bench.get(&guest, &format!("/api/v1/work/{path}")).await.status(), 403, "{path}");
    }
    assert_eq!(patch(&bench, &guest, &own, json!({ "status": "done" })).await.1["status"], "done");
    assert_eq!(patch(&bench, &guest, &own, json!({ "title": "mine" })).await.0, 403);
    assert_eq!(patch(&bench, &guest, &question, json!({ "status": "done" })).await.0, 403, "not the owner");
    assert_eq!(bench.post(&guest, TASKS, json!({ "title": "x" })).await.status(), 403);
    let path = format!("/api/v1/work/questions/{}/answer", question["id"].as_str().unwrap());
    assert_eq!(bench.post(&guest, &path, json!({ "answer": "It is +34." })).await.status(), 201);
    let asked = get(&bench, &lead, "questions").await;
    assert_eq!(asked["items"][0]["task"]["status"], "done");
    assert!(asked["items"][0]["answers"][0]["html"].as_str().unwrap().contains("+34"));
}

#[tokio::test]
async fn comments_are_safe_mentions_are_told_and_files_are_only_saved() {
    let bench = Bench::new().await;
    let (ana, ben) = (bench.person(Role::Lead).await, bench.person(Role::Engineer).await);
    let task = make(&bench, &ana, json!({ "title": "Talk" })).await;
    let id = task["id"].as_str().unwrap();
    let text = format!("See <script>alert(1)</script> @[Ben](person:{}) **now**", ben.id);
    let comment =
        read_json(bench.post(&ana, &format!("{TASKS}/{id}/comments"), json!({ "text": text })).await).await;
    let html = comment["html"].as_str().unwrap();
    assert!(!html.contains("<script") && html.contains("<strong>now</strong>"), "{html}");
    let one = format!("/api/v1/work/comments/{}", comment["id"].as_str().unwrap());
    let others = send(bench.ask(&ben, Method::PATCH, &one), &json!({ "text": "mine now" })).await;
    assert_eq!(others.status(), 403);
    let task = get(&bench, &ben, &format!("tasks/{id}")).await;
    assert_eq!((task["comments"].as_u64(), &task["watchers"][0]), (Some(1), &json!(ben.id)));
    let put = bench.ask(&ana, Method::POST, &format!("{TASKS}/{id}/attachments"));
    let put = put.header("x-file-name", "../evil%20%22name.svg").header("content-type", "image/svg+xml");
    let file = read_json(put.body("<svg onload=alert(1)>").send().await.unwrap()).await;
    assert_eq!(file["name"], "evil name.svg", "{file}");
    let path = format!("/api/v1/work/attachments/{}", file["id"].as_str().unwrap());
    let back = bench.get(&ben, &path).await;
    let header = |name: &str| back.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-disposition").starts_with("attachment;"));
    assert_eq!(
        (header("content-type").as_str(), header("x-content-type-options").as_str()),
        ("application/octet-stream", "nosniff")
    );
    assert!(header("content-security-policy").contains("sandbox"));
    assert_eq!(back.text().await.unwrap(), "<svg onload=alert(1)>");
    let large =
        bench.ask(&ana, Method::POST, &format!("{TASKS}/{id}/attachments")).header("x-file-name", "a.bin");
    assert_eq!(large.body(vec![0u8; 10 * 1024 * 1024 + 1]).send().await.unwrap().status(), 413);
    let ledger = bench.ledger().await.join("\n");
    assert!(!ledger.contains("evil") && !ledger.contains("See "), "texts stay out of the ledger");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schedule_the_forecast_and_the_calendar_agree() {
    let bench = Bench::new().await;
    let lead = bench.person(Role::Lead).await;
    let first = make(&bench, &lead, json!({ "title": "First", "estimate_hours": 40 })).await;
    let link = json!([{ "task": first["id"], "lag_days": 1 }]);
    let second = make(
        &bench,
        &lead,
        json!({ "title": "Second", "estimate_hours": 8, "depends_on": link, "deadline": "2026-01-01" }),
    )
    .await;
    let side = make(&bench, &lead, json!({ "title": "Aside", "estimate_hours": 8 })).await;
    let timeline = get(&bench, &lead, "timeline").await;
    let bar = |title: &str| {
        timeline["tasks"].as_array().unwrap().iter().find(|t| t["title"] == title).unwrap().clone()
    };
    assert_eq!(
        (bar("First")["critical"].as_bool(), bar("Second")["critical"].as_bool()),
        (Some(true), Some(true))
    );
    assert_eq!(
        (bar("Aside")["critical"].as_bool(), bar("Aside")["slack_days"].as_i64()),
        (Some(false), Some(6))
    );
    assert_eq!(timeline["links"][0], json!({ "from": first["id"], "to": second["id"], "lag_days": 1 }));
    assert_eq!(timeline["finish"], bar("Second")["finish"]);
    let forecast = get(&bench, &lead, "forecast").await;
    assert_eq!(forecast["basis"]["tasks_left"], 3);
    assert!(forecast["finish_p50"].as_str().unwrap() <= forecast["finish_p90"].as_str().unwrap());
    assert_eq!(forecast["deadlines"][0]["risk"], 1.0, "a deadline that has passed is missed");
    assert!(forecast["basis"]["assumed"].as_array().unwrap().contains(&json!("people")), "{forecast}");
    assert_eq!(bench.post(&lead, "/api/v1/work/baseline", json!({})).await.status(), 200);
    patch(&bench, &lead, &side, json!({ "estimate_hours": 400 })).await;
    let later = get(&bench, &lead, "timeline").await;
    let aside = later["tasks"].as_array().unwrap().iter().find(|t| t["title"] == "Aside").unwrap().clone();
    assert!(aside["finish"].as_str() > aside["baseline_finish"].as_str(), "{aside}");
    let today = later["today"].as_str().unwrap().to_owned();
    let blackout = json!({ "date": today, "why": "the fair" });
    assert_eq!(bench.post(&lead, "/api/v1/work/blackouts", blackout).await.status(), 201);
    let page = get(&bench, &lead, &format!("calendar?from={today}&to={today}")).await;
    assert_eq!(page["blackouts"][0]["why"], "the fair");
    let moved = get(&bench, &lead, "timeline").await;
    assert!(moved["tasks"][0]["start"].as_str().unwrap() > today.as_str(), "nobody works on a blackout day");
    let ask = json!({ "window": { "days": ["sat"], "from": "22:00", "to": "06:00", "zone": "Europe/Madrid" }, "jobs": 4 });
    let compared = read_json(bench.post(&lead, "/api/v1/work/what-if", ask).await).await;
    assert_eq!(compared["forecast"]["basis"]["window_hours_week"], 8.0, "{compared}");
    let bad =
        json!({ "window": { "days": ["someday"], "from": "22:00", "to": "06:00", "zone": "Europe/Madrid" } });
    assert_eq!(bench.post(&lead, "/api/v1/work/what-if", bad).await.status(), 400);
    let windows = get(&bench, &lead, "windows").await;
    assert!(
        windows["load"].is_null()
            && windows["proposals"][0]["reason"].as_str().unwrap().contains("not known")
    );
}

#[tokio::test]
async fn a_calendar_address_is_ones_own_and_ends_with_its_person() {
    let bench = Bench::new().await;
    let (lead, engineer) = (bench.person(Role::Lead).await, bench.person(Role::Engineer).await);
    make(&bench, &lead, json!({ "title": "For Ben", "owner": engineer.id, "deadline": "2027-01-05" })).await;
    make(&bench, &lead, json!({ "title": "canary", "deadline": "2027-01-05" })).await;
    let feed = read_json(bench.post(&engineer, "/api/v1/work/feed", json!({})).await).await;
    let url = feed["url"].as_str().unwrap().to_owned();
    let path = url[url.find("/work/feed").unwrap()..].to_owned();
    let answer = bench.bare(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/calendar; charset=utf-8");
    let text = answer.text().await.unwrap();
    assert!(
        text.contains("For Ben") && !text.contains("canary") && text.starts_with("BEGIN:VCALENDAR"),
        "{text}"
    );
    let newer = read_json(bench.post(&engineer, "/api/v1/work/feed", json!({})).await).await;
    assert_ne!(newer["url"], feed["url"]);
    assert_eq!(
        bench.bare(Method::GET, &path).send().await.unwrap().status(),
        404,
        "the one before has ended"
    );
    let url = newer["url"].as_str().unwrap().to_owned();
    let path = url[url.find("/work/feed").unwrap()..].to_owned();
    assert!(get(&bench, &engineer, "feed").await["url"].is_null(), "it is shown once");
    let reason = dunlin_guard::Reason { category: "test".into(), text: "test".into() };
    bench.guard.block(&Actor::System, &engineer.id, &reason).await.unwrap();
    assert_eq!(bench.bare(Method::GET, &path).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn views_fields_and_files_go_in_and_out() {
    let bench = Bench::new().await;
    let (lead, engineer) = (bench.person(Role::Lead).await, bench.person(Role::Engineer).await);
    let field = json!({ "name": "Cost", "type": "number" });
    assert_eq!(bench.post(&engineer, "/api/v1/work/fields", field.clone()).await.status(), 403);
    let field = read_json(bench.post(&lead, "/api/v1/work/fields", field).await).await;
    let id = field["id"].as_str().unwrap();
    for (title, cost, status) in [("a", 3, "open"), ("b", 4, "doing"), ("c", 5, "doing")] {
        let body = json!({ "title": title, "status": status, "fields": { (id): cost } });
        make(&bench, &engineer, body).await;
    }
    let page = find(&bench, &engineer, &format!("group=status&sort=-{id}&limit=2")).await;
    assert_eq!((page["total"].as_u64(), page["rows"].as_array().unwrap().len()), (Some(3), 2));
    assert_eq!(
        page["groups"][1],
        json!({ "value": "doing", "count": 2, "sums": { (id): 9.0 } }),
        "{}",
        page["groups"]
    );
    assert_eq!((&page["rows"][1]["title"], &page["summaries"][id]["sum"]), (&json!("c"), &json!(12.0)));
    let filter =
        json!({ "any": [{ "field": id, "at_least": 5 }, { "field": "title", "contains": "A" }] }).to_string();
    assert_eq!(find(&bench, &engineer, &format!("filter={}", encoded(&filter))).await["total"], 2);
    let bad = json!({ "all": [{ "field": "canary", "is": 1 }] }).to_string();
    let refused = find(&bench, &engineer, &format!("filter={}", encoded(&bad))).await;
    assert!(refused["status"] == 422 && !refused.to_string().contains("canary"), "{refused}");
    let view = json!({ "name": "Money", "layout": "grid", "shared": "locked", "settings": { "sort": [id] } });
    let view = read_json(bench.post(&lead, "/api/v1/work/views", view).await).await;
    let path = format!("/api/v1/work/views/{}", view["id"].as_str().unwrap());
    assert_eq!(
        send(bench.ask(&engineer, Method::PATCH, &path), &json!({ "name": "Mine" })).await.status(),
        403
    );
    assert_eq!(get(&bench, &engineer, "views").await["items"][0]["settings"]["sort"][0], id);
    let csv = bench.get(&engineer, "/api/v1/work/export?format=csv").await.text().await.unwrap();
    assert!(csv.lines().count() == 4 && csv.contains("Cost"), "{csv}");
    let preview = bench
        .ask(&engineer, Method::POST, "/api/v1/work/import/preview")
        .header("content-type", "text/plain");
    let preview = read_json(preview.body("Name,Cost,Weather\nx,7,rain\n").send().await.unwrap()).await;
    assert_eq!((preview["format"].as_str(), &preview["no_home"]), (Some("airtable"), &json!(["Weather"])));
    assert_eq!(preview["columns"][1]["proposed"], format!("fields.{id}"));
    let import = json!({ "text": "Name,Cost,Weather\nx,7,rain\n" });
    let imported = read_json(bench.post(&engineer, "/api/v1/work/import", import).await).await;
    assert_eq!((imported["created"].as_u64(), &imported["no_home"][0]["name"]), (Some(1), &json!("Weather")));
    let page = find(&bench, &engineer, "q=rain").await;
    assert_eq!((&page["rows"][0]["title"], &page["rows"][0]["fields"][id]), (&json!("x"), &json!(7.0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_heard_live_and_guests_hear_of_their_own() {
    let bench = Bench::new().await;
    let (lead, engineer, guest) =
        (bench.person(Role::Lead).await, bench.person(Role::Engineer).await, bench.person(Role::Guest).await);
    let mut heard = Vec::new();
    for who in [&engineer, &guest] {
        let asked = bench.ask(who, Method::GET, "/api/v1/events").timeout(Duration::from_secs(60));
        heard.push((asked.send().await.unwrap(), String::new()));
    }
    let own = make(&bench, &lead, json!({ "title": "Yours", "owner": guest.id })).await;
    let other = make(&bench, &lead, json!({ "title": "Ours" })).await;
    let at = json!({ "task": own["id"], "field": "title" });
    assert_eq!(bench.post(&lead, "/api/v1/work/presence/at", at).await.status(), 204);
    assert_eq!(get(&bench, &engineer, "presence").await["items"][0]["task"], own["id"]);
    for (response, text) in &mut heard {
        let begun = Instant::now();
        while !text.contains("event: here") && begun.elapsed() < Duration::from_secs(5) {
            if let Ok(Ok(Some(chunk))) = tokio::time::timeout(Duration::from_secs(1), response.chunk()).await
            {
                text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        }
    }
    let (own, other) = (own["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    let (engineers, guests) = (&heard[0].1, &heard[1].1);
    assert!(
        engineers.contains(own) && engineers.contains(other) && engineers.contains("event: here"),
        "{engineers}"
    );
    assert!(guests.contains(own) && guests.contains("event: here") && !guests.contains(other), "{guests}");
    assert!(!engineers.contains("Yours"), "titles are read where rights are asked for");
}

/// A receiver of webhooks on this address that takes one call and gives its text.
async fn received(listener: tokio::net::TcpListener) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut call, _) = listener.accept().await.unwrap();
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = call.read(&mut buffer).await.unwrap();
        text.extend_from_slice(&buffer[..read]);
        if read == 0 || text.ends_with(b"}") {
            break;
        }
    }
    call.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
    String::from_utf8(text).unwrap()
}

/// Whoever is mentioned gets a mail that leads to the task; a webhook that was down hears of it after a restart.
#[tokio::test]
async fn a_mention_is_mailed_and_a_webhook_is_told_over_a_restart() {
    let sink = dunlin_testkit::MailSink::start(dunlin_testkit::SinkBehaviour::default());
    let config = format!(
        "[smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nfrom = \"dunlin@example.com\"\n\
         [alerts]\nallow_private_hosts = [\"127.0.0.1\"]\n",
        sink.port()
    );
    let bench = Bench::with(&config).await;
    let lead = bench.person(Role::Lead).await;
    let engineer = bench.person(Role::Engineer).await;
    let reserved = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let hook = json!({ "url": format!("http://{address}/told"), "events": ["comment"] });
    assert_eq!(bench.post(&lead, "/api/v1/work/webhooks", hook).await.status(), 201);
    let task = make(&bench, &lead, json!({ "title": "Ask about zebra", "description": "" })).await;
    let path = format!("{TASKS}/{}/comments", task["id"].as_str().unwrap());
    let text = format!("Please look, @[Eve](person:{}): secret words", engineer.id);
    assert_eq!(bench.post(&lead, &path, json!({ "text": text })).await.status(), 201);
    let begun = Instant::now();
    while sink.letters().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "no mail");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let letters = sink.letters();
    let letter = letters.iter().find(|l| l.to.starts_with("engineer")).expect("to whom was mentioned");
    let mail = String::from_utf8_lossy(&letter.data).into_owned();
    assert!(mail.contains("Ask about zebra") && mail.contains("/work?task"), "{mail}");
    assert!(!mail.contains("secret words"), "what was written stays in the app: {mail}");
    let waits =
        "select count(*) from outbox where status = 'waiting' and channel = 'webhook' and attempts > 0";
    let count = async |bench: &Bench| -> i64 {
        sqlx::query_scalar(waits).fetch_one(bench.workspace.state().pool()).await.unwrap()
    };
    let begun = Instant::now();
    while count(&bench).await == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the webhook was not tried");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Its pause is over by the time the server is there again, and so is the receiver.
    sqlx::query("update outbox set next_at = 0").execute(bench.workspace.state().pool()).await.unwrap();
    let home = bench.stop().await;
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let receiver = tokio::spawn(received(listener));
    let _bench = Bench::over(home, &config).await;
    let told = tokio::time::timeout(Duration::from_secs(30), receiver).await.expect("it is told").unwrap();
    assert!(told.contains("\"event\":\"comment\"") && told.contains("dunlin-delivery"), "{told}");
    assert!(!told.contains("secret words"), "{told}");
}
