//! Duplicates through the API of a server: what is listed, what a preview tells and what a merge then does, that it is
//! taken back, and what goes on in the meantime.

use serde_json::{Value, json};

use crate::merging::{Scene, TWICE, keys, waiting};
use crate::serve::{Browser, SERVER, serve, stopped};
use crate::support::wait;

const DECIDE: &str = "/api/v1/duplicates/decide";
const PREVIEW: &str = "/api/v1/duplicates/preview";

/// What the pairs of the n-th person are called, as the shell knows them.
fn named(scene: &Scene) -> impl Fn(usize) -> String {
    let clear = ["duplicates", "list", "--format", "json", "--clear", "--purpose", "steward: test"];
    let listed = scene.dunlin(&clear).expect(0).json();
    move |n| {
        let found = listed.iter().find(|pair| keys(pair) == [n, 1000 + n]);
        found.unwrap_or_else(|| panic!("no pair of {n}"))["pair"].as_str().unwrap().to_owned()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// What one column of a merged row comes from, as a place among the opened rows, and why.
fn comes_from(merged: &Value, names: &Value, column: &str) -> (usize, String) {
    let part = merged["columns"].as_array().unwrap().iter().find(|c| c["column"] == column).unwrap();
    let at = names.as_array().unwrap().iter().position(|name| *name == part["from"]).unwrap();
    (at, text(&part["why"]).to_owned())
}

fn previewed_and_merged(scene: Scene) {
    scene.site.write("server.toml", SERVER);
    scene.run().balanced();
    let untouched = scene.target();
    let pair_of = named(&scene);
    let (three, four, five) = (pair_of(3), pair_of(4), pair_of(5));
    let server = scene.server.clone().unwrap_or_default();
    let mut served = serve(&scene.site, &[("DUNLIN_MERGING", &server)]);
    // It waits for answers of the target, which nobody may do inside a runtime.
    let target = || tokio::task::block_in_place(|| scene.target());
    wait(async {
        let ana = Browser::set_up(&served).await;
        let listed = ana.get("/api/v1/duplicates?state=waits&limit=500").await;
        let items = listed["items"].as_array().unwrap();
        assert!(items.len() >= TWICE, "{listed}");
        assert_eq!(listed["waiting"], items.len(), "{listed}");
        let sure = |pair: &Value| pair["probability"].as_f64().unwrap();
        assert!(items.windows(2).all(|two| sure(&two[0]) >= sure(&two[1])), "the surest first: {listed}");
        let said = listed.to_string();
        assert!(!said.contains("mail.example") && !said.contains("Town"), "no value: {said}");
        let one = items.iter().find(|pair| pair["pair"] == three.as_str()).unwrap();
        assert_eq!((&one["rows"], &one["state"]), (&json!(2), &json!("waits")), "{one}");
        let level = |column: &str| {
            let evidence = one["evidence"].as_array().unwrap();
            let found = evidence.iter().find(|e| e["column"] == column);
            found.unwrap_or_else(|| panic!("{column} is not told: {one}")).clone()
        };
        assert_eq!(level("email")["level"], "same", "{one}");
        assert!(level("email")["bits"].as_f64().unwrap() > 3.0, "{one}");
        assert_ne!(level("full_name")["level"], "same", "{one}");
        let second = ana.get("/api/v1/duplicates?state=waits&limit=1&offset=1").await;
        assert_eq!(second["items"], json!([items[1]]), "a page of it");

        // Beside each other: the rows are masked, and what differs is told although masks may be alike.
        let path = format!("/api/v1/duplicates/{three}/rows");
        let opened = ana.post(&path, json!({})).await;
        assert_eq!(opened["differing"], json!(["person_id", "full_name", "phone", "city"]), "{opened}");
        assert_eq!(opened["keys"], json!(["person_id"]), "{opened}");
        assert_eq!(opened["opened"]["rows"].as_array().unwrap().len(), 2, "{opened}");
        let said = opened.to_string();
        assert!(!said.contains("mail.example") && !said.contains("Upper Town"), "{said}");

        // What it would be: the second row was changed last, the telephone is in the first alone.
        let ask = json!({ "pairs": [three], "decision": "merge" });
        let told = ana.post(PREVIEW, ask.clone()).await;
        let merged = &told["merged"][0];
        assert_eq!(
            (&merged["why"], &merged["rule"]),
            (&json!("rule"), &json!("latest updated_at")),
            "{told}"
        );
        let names = &opened["names"];
        let (stays, why) = comes_from(merged, names, "full_name");
        assert_eq!((names[stays].clone(), why.as_str()), (merged["survivor"].clone(), "own"), "{told}");
        let (other, why) = comes_from(merged, names, "phone");
        assert!(other != stays && why == "only", "{told}");
        assert_eq!(comes_from(merged, names, "city"), (stays, "rule".to_owned()), "{told}");
        assert_eq!(told["effects"]["rows"], json!({ "new.orders": 2, "new.people": 2 }), "{told}");
        assert_eq!(target(), untouched, "a preview changes nothing");

        // Merged, it is that.
        let done = ana.post(DECIDE, ask).await;
        assert_eq!(done["rows"], told["effects"]["rows"], "{done}");
        assert_eq!(done["pairs"][0], json!({ "pair": three, "state": "merged", "acted": true }), "{done}");
        let (people, orders) = target();
        assert!(people.contains(&"1003|Upper Town|+".to_owned()), "{people:?}");
        assert!(orders.contains(&"30|1003".to_owned()) && orders.contains(&"31|1003".to_owned()));
        let decided = ana.get("/api/v1/duplicates?state=decided").await;
        assert_eq!(decided["items"][0]["decided_by"]["type"], "person", "{decided}");
        assert_eq!((&decided["decided"], &decided["total"]), (&json!(1), &json!(1)), "{decided}");

        // Two kinds at a time, each as it was told.
        let ask = json!({ "pairs": [four, five], "decision": "merge" });
        let told = ana.post(PREVIEW, ask.clone()).await;
        let of: Vec<&str> = told["merged"].as_array().unwrap().iter().map(|m| text(&m["pair"])).collect();
        assert_eq!(of, [four.as_str(), five.as_str()], "{told}");
        let done = ana.post(DECIDE, ask).await;
        assert_eq!(done["rows"], json!({ "new.orders": 4, "new.people": 4 }), "{done}");
        assert_eq!(done["rows"], told["effects"]["rows"], "{done}");
        // A merge that is turned into its contrary, and all of it taken back.
        let ask = json!({ "pairs": [five], "decision": "keep" });
        let told = ana.post(PREVIEW, ask.clone()).await;
        assert_eq!(told["merged"], json!([]), "{told}");
        assert_eq!(ana.post(DECIDE, ask).await["rows"], told["effects"]["rows"]);
        let ask = json!({ "pairs": [three, four, five], "decision": "undo" });
        let told = ana.post(PREVIEW, ask.clone()).await;
        let done = ana.post(DECIDE, ask).await;
        assert_eq!(done["rows"], told["effects"]["rows"], "{done}");
        assert!(done["pairs"].as_array().unwrap().iter().all(|p| p["state"] == "waits"), "{done}");
        assert_eq!(target(), untouched, "as if nothing had been decided");
        ana.post(DECIDE, json!({ "pairs": [three], "decision": "merge" })).await;

        // While somebody else has the workspace, nothing is read or decided, and it says why; the list stands.
        let lock = std::fs::OpenOptions::new().write(true).open(scene.site.path(".dunlin/run.lock")).unwrap();
        lock.lock().unwrap();
        for (path, body) in [
            (DECIDE, json!({ "pairs": [four], "decision": "merge" })),
            (PREVIEW, json!({ "pairs": [four], "decision": "merge" })),
            (path.as_str(), json!({})),
        ] {
            let (status, refused) = ana.try_post(path, &body).await.unwrap();
            assert_eq!((status, &refused["code"]), (409, &json!("conflict")), "{path}: {refused}");
            assert!(text(&refused["title"]).contains("run"), "{path}: {refused}");
        }
        assert_eq!(ana.get("/api/v1/duplicates?state=decided").await["decided"], 1);
        drop(lock);
        let unknown = ana.try_post(DECIDE, &json!({ "pairs": ["0000"], "decision": "keep" })).await.unwrap();
        assert_eq!(unknown.0, 404, "{}", unknown.1);
    });
    assert_eq!(stopped(&mut served), Some(0));
    let ledger = scene.dunlin(&["ledger", "export"]).expect(0).out;
    let entries = |kind: &str| ledger.lines().filter(|line| line.contains(kind)).count();
    assert_eq!(entries("\"duplicate_decided\""), 8, "each decision once, by pair: {ledger}");
    let place = |kind: &str| ledger.lines().position(|line| line.contains(kind)).unwrap();
    assert!(place("\"access_opened\"") < place("\"duplicate_decided\""));
    assert!(!ledger.contains("mail.example"));
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
    scene.run().balanced();
    assert!(scene.target().0.contains(&"1003|Upper Town|+".to_owned()), "the next run holds on to it");
}

#[test]
fn what_a_preview_tells_is_what_a_merge_does_sqlite() {
    previewed_and_merged(waiting(Scene::sqlite()));
}

#[test]
fn what_a_preview_tells_is_what_a_merge_does_postgres() {
    if let Some(scene) = Scene::postgres() {
        previewed_and_merged(waiting(scene));
    }
}

/// Rows that the run merged without a person are listed as well, and can be parted and joined again.
#[test]
fn what_a_run_merged_by_itself_can_be_parted() {
    let scene = Scene::sqlite();
    scene.run().balanced();
    let before = scene.target();
    let all = scene.dunlin(&["duplicates", "list", "--all", "--format", "json"]).expect(0).json();
    let sure: Vec<&Value> = all.iter().filter(|pair| pair["decision"] == "sure").collect();
    assert_eq!(sure.len(), TWICE, "{all:?}");
    let pair = text(&sure[0]["pair"]).to_owned();
    let parted = scene.dunlin(&["duplicates", "keep", &pair, "--format", "json"]).expect(0).json().remove(0);
    assert_eq!(parted["pairs"][0]["acted"], true, "{parted}");
    assert_eq!(scene.target().0.len(), before.0.len() + 1);
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
    scene.run().balanced();
    assert_eq!(scene.target().0.len(), before.0.len() + 1, "the next run does not merge them again");
    scene.dunlin(&["duplicates", "undo", &pair]).expect(0);
    assert_eq!(scene.target(), before);
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
}
