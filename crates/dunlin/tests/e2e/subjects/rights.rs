//! What else customers ask: corrections, restrictions, copies; and what their receipts prove.

use serde_json::Value;

use super::{KEY, PLANTED, Scene};
use crate::again::files;
use crate::support::Site;

#[test]
fn a_law_keeps_rows_without_the_customer() {
    let scene = Scene::sqlite();
    scene.site.edit_plan(
        "from = \"old.visit\"\nto = \"new.visit\"\n",
        "from = \"old.visit\"\nto = \"new.visit\"\non_erasure = \"anonymise\"\n",
    );
    scene.moved();
    let id = scene.asked("erasure", &[]);
    scene.carry_out(&id).expect(0);
    assert_eq!(scene.count("visit", "true"), 90);
    assert_eq!(scene.site.rows("new.db", "customer_id, said, stars", "visit where id = 42"), ["NULL|NULL|3"]);
    scene.no_file_has_it(&["old.db"], "after it");
    let verified = scene.verified();
    assert_eq!(verified.table("new.visit")["erased"], 1, "the one that waited");
    scene.site.sql("old.db", "update visit set stars = 4 where id = 42");
    scene.moved();
    assert_eq!(scene.site.rows("new.db", "customer_id, said, stars", "visit where id = 42"), ["NULL|NULL|4"]);
    scene.no_file_has_it(&["old.db"], "a run later");
}

/// A correction is in the target, is no difference, and stays when the row is moved again.
fn corrected(scene: &Scene) {
    scene.moved();
    let set = [
        "--set",
        "new.customer.city=Vigo",
        "--set",
        "new.visit.said=pleasant",
        "--unset",
        "new.customer.email",
    ];
    let id = scene.asked("rectification", &set);
    scene.carry_out(&id).expect(0);
    let there = "id = 42 and city = 'Vigo' and email is null and name = 'Zoe zebra-name'";
    assert_eq!(scene.count("customer", there), 1);
    assert_eq!(scene.count("visit", "customer_id = 42 and said = 'pleasant'"), 1);
    assert_eq!(scene.count("purchase", "customer_id = 42"), 2, "children stay");
    scene.verified();
    scene.moved();
    scene
        .site
        .sql("old.db", "update customer set name = 'Zoe zebra-new', city = 'zebra-elsewhere' where id = 42");
    scene.moved();
    let there = "id = 42 and city = 'Vigo' and email is null and name = 'Zoe zebra-new'";
    assert_eq!(scene.count("customer", there), 1, "the correction stays, and what was not corrected follows");
    scene.verified();
    // What was corrected lies sealed.
    let besides = ["old.db", "new.db", "new.db-wal"];
    let vigo = |f: &std::path::PathBuf| {
        let bytes = std::fs::read(f).unwrap_or_default();
        !besides.iter().any(|b| f.ends_with(b)) && bytes.windows(4).any(|w| w == b"Vigo")
    };
    assert_eq!(files(scene.site.folder()).into_iter().find(vigo), None);
}

#[test]
fn corrected_sqlite() {
    corrected(&Scene::sqlite());
}

#[test]
fn corrected_postgres() {
    let Some(scene) = Scene::postgres("subjects_corrected") else { return };
    corrected(&scene);
}

#[test]
fn a_correction_must_fit() {
    let scene = Scene::sqlite();
    let open = |set: &str| {
        scene
            .dunlin(&["request", "open", "--kind", "rectification", "--subject", KEY, "--set", set])
            .expect(2)
    };
    insta::assert_snapshot!(open("new.customer.town=x").err, @r#"
    error: new.customer has no column `town`
      help: it has `id`, `name`, `email`, `city`
    "#);
    insta::assert_snapshot!(open("new.visit.stars=zebra").err, @r#"
    error: the new value does not fit `stars` of new.visit: wrong-type
      help: write it as the target does, for example a day as 2024-02-29
    "#);
    insta::assert_snapshot!(open("new.customer.id=7").err, @r#"
    error: `id` names the rows of new.customer and cannot be corrected
      help: correct what the row holds; a row under another key is another row
    "#);
}

#[test]
fn what_is_restricted_objected_to_or_not_consented_to_does_not_move() {
    let scene = Scene::sqlite();
    scene.moved();
    let consent = scene.asked("consent_withdrawn", &["--purpose", "dpv:ServiceOptimisation"]);
    scene.carry_out(&consent).expect(0);
    assert_eq!(scene.count("visit", "customer_id = 42"), 1, "what is there stays until the next run");
    let run = scene.moved();
    assert_eq!(run.table("new.visit")["reasons"]["consent-withdrawn"], 2);
    assert_eq!(run.table("new.customer")["loaded"], 90, "another basis");
    assert_eq!(scene.count("visit", "customer_id = 42"), 0);
    let given = scene.asked("consent_given", &["--purpose", "dpv:ServiceOptimisation"]);
    scene.carry_out(&given).expect(0);
    scene.moved();
    assert_eq!(scene.count("visit", "customer_id = 42"), 1);
    let restricted = scene.asked("restriction", &[]);
    scene.carry_out(&restricted).expect(0);
    let run = scene.moved();
    for (table, rows) in [("new.customer", 1), ("new.purchase", 2), ("new.item", 4), ("new.visit", 2)] {
        assert_eq!(run.table(table)["reasons"]["restriction"], rows, "{table}");
    }
    assert_eq!(scene.count("item", "true"), 356);
    scene.verified();
}

#[test]
fn an_objection_reaches_legitimate_interests() {
    let scene = Scene::sqlite();
    scene.site.edit_plan("basis = \"consent\"", "basis = \"legitimate_interests\"");
    let id = scene.asked("objection", &[]);
    scene.carry_out(&id).expect(0);
    let run = scene.moved();
    assert_eq!(run.table("new.visit")["reasons"]["objection"], 2);
    assert_eq!(run.table("new.purchase")["loaded"], 180);
}

#[test]
fn a_customer_gets_everything_as_files() {
    let scene = Scene::sqlite();
    scene.site.sql("old.db", "update customer set name = '=zebra()' where id = 42");
    scene.moved();
    let id = scene.asked("access", &[]);
    scene.carry_out(&id).expect(2);
    scene.dunlin(&["request", "carry-out", &id, "--out", "mine"]).expect(0);
    let all: Value = serde_json::from_str(&scene.site.read("mine/data.json")).unwrap();
    let tables = all["tables"].as_array().unwrap();
    let of = |side: &str, table: &str| {
        let found = tables.iter().find(|t| t["side"] == side && t["table"] == table);
        found.unwrap_or_else(|| panic!("no {side} {table}"))["rows"].as_array().unwrap().clone()
    };
    assert_eq!(of("target", "new.customer")[0]["name"], "=zebra()");
    assert_eq!(of("source", "old.customer")[0]["notes"], "zebra-notes", "also what does not move");
    assert_eq!(of("source", "old.item").len(), 4);
    assert_eq!(of("quarantine", "new.visit").len(), 1);
    let text = all.to_string();
    assert!(!text.contains("Name 41") && !text.contains("bought 41"), "and nobody else's");
    let csv = scene.site.read("mine/target-new.customer.csv");
    assert!(csv.contains("'=zebra()"), "{csv}");
    let ledger = scene.dunlin(&["ledger", "export"]).expect(0).out;
    assert!(ledger.contains("subject-access") && ledger.contains("subject_exported"), "{ledger}");
    assert!(!ledger.to_lowercase().contains(PLANTED));
    let folders = std::fs::read_dir(scene.site.path(".dunlin/subjects")).into_iter().flatten();
    let sealed: usize = folders.flatten().map(|f| files(&f.path()).len()).sum();
    assert_eq!(sealed, 0, "nothing names the customer any more");
}

#[test]
fn a_receipt_holds_without_dunlin_and_not_when_it_was_changed() {
    let scene = Scene::sqlite();
    scene.moved();
    let id = scene.asked("erasure", &[]);
    scene.dunlin(&["request", "carry-out", &id, "--receipt", "receipt.json"]).expect(0);
    let elsewhere = Site::new();
    let text = scene.site.read("receipt.json");
    elsewhere.write("receipt.json", &text);
    let key = serde_json::from_str::<Value>(&text).unwrap()["verifier"].as_str().unwrap().to_owned();
    let prove = ["ledger", "prove", "--receipt", "receipt.json", "--verifier", &key, "--format", "json"];
    let proven = elsewhere.dunlin(&prove).expect(0).json();
    assert_eq!(proven[0]["found"]["target:new"], 0);
    assert_eq!(proven[0]["verifier_from"], "the command line");
    assert!(!elsewhere.path(".dunlin").exists(), "no workspace is made to check a receipt");
    for (old, new) in
        [("\"source:old\": 9", "\"source:old\": 0"), ("\"subject\": \"42\"", "\"subject\": \"43\"")]
    {
        assert!(text.contains(old), "{text}");
        elsewhere.write("receipt.json", text.replace(old, new));
        elsewhere.dunlin(&prove).expect(1);
    }
    elsewhere.write("receipt.json", text.replace("subject_verified", "subject_verifier"));
    elsewhere.dunlin(&prove).expect(1);
    // Later again, by the key that the customer gives; another customer's key does not fit.
    scene.dunlin(&["request", "receipt", &id, "--out", "later.json", "--subject", "43"]).expect(2);
    scene.dunlin(&["request", "receipt", &id, "--out", "later.json"]).expect(2);
    scene.dunlin(&["request", "receipt", &id, "--out", "later.json", "--subject", KEY]).expect(0);
    scene.dunlin(&["ledger", "prove", "--receipt", "later.json"]).expect(0);
}

#[test]
fn a_request_waits_for_its_decision_the_identity_and_the_time_to_take_it_back() {
    let scene = Scene::sqlite();
    scene.moved();
    let by_email =
        ["request", "open", "--format", "json", "--kind", "erasure", "--email", "zebra@EXAMPLE.com"];
    let opened = scene.dunlin(&by_email).expect(0).json()[0].clone();
    let id = opened["request"].as_str().unwrap();
    assert!(opened["due_at"].as_i64().unwrap() > opened["received_at"].as_i64().unwrap());
    assert!(scene.carry_out(id).expect(2).out.contains("is not decided on"));
    scene.dunlin(&["request", "decide", id, "--grant", "--reason", "law:they may"]).expect(0);
    assert!(scene.carry_out(id).expect(2).out.contains("confirmed"));
    let undo = [
        "request",
        "decide",
        id,
        "--identity",
        "confirmed",
        "--grant",
        "--reason",
        "x",
        "--undo-hours",
        "24",
    ];
    scene.dunlin(&undo).expect(0);
    assert!(scene.carry_out(id).expect(2).out.contains("can still be taken back"));
    scene.dunlin(&["request", "decide", id, "--withdraw", "--reason", "changed their mind"]).expect(0);
    assert!(scene.carry_out(id).expect(2).out.contains("withdrawn already"));
    assert_eq!(scene.count("customer", "id = 42"), 1);
    assert_eq!(scene.dunlin(&["request", "list", "--format", "json"]).expect(0).json().len(), 1);
    scene.no_file_has_it(&["old.db", "new.db", "new.db-wal"], "a request");
}

#[test]
fn nobody_and_several_are_told() {
    let scene = Scene::sqlite();
    scene.site.sql("old.db", "update customer set email = 'zebra@example.com' where id = 7");
    let open = |how: [&str; 2]| {
        let done = scene.dunlin(&["request", "open", "--kind", "erasure", how[0], how[1]]).expect(2);
        done.err
    };
    insta::assert_snapshot!(open(["--subject", "4711"]), @r#"
    error: no customer has this key, neither in the target nor in the source
      help: look it up in the system that the customer knows; nothing was entered
    "#);
    insta::assert_snapshot!(open(["--email", "nobody@example.com"]), @r#"
    error: no customer has this address, neither in the target nor in the source
      help: look it up in the system that the customer knows; nothing was entered
    "#);
    insta::assert_snapshot!(open(["--email", "zebra@example.com"]), @r#"
    error: 2 customers have this address
      help: ask which of them it is, and name the key: --subject KEY
    "#);
    scene.site.edit_plan("[subject]\ntable = \"new.customer\"\nid = \"id\"\nemail = \"email\"\n", "");
    insta::assert_snapshot!(open(["--subject", KEY]), @r#"
    error: the plan does not say who a customer is
      help: add [subject] with `table = "store.table"` and `id = "column"`
    "#);
}
