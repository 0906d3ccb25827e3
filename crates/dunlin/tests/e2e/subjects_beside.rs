//! What lies beside the rows of a customer who is erased, and what others do meanwhile: letters that wait, answers on the
//! card, rows in quarantine whose table the plan has lost, and another customer's row in the place of one that was found.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use dunlin_store::{KeyOptions, Workspace};
use dunlin_tell::send::Recipients;

use crate::again::files;
use crate::subjects::Scene;
use crate::support::{Done, pg, pg_one};

/// A request that is carried out slowly: it waits in the place that is named, with everything found.
fn slowly(scene: &Scene, id: &str, place: &str) -> Child {
    let mut command = scene.command(&["request", "carry-out", id, "--format", "json"]);
    command.env("FAILPOINTS", format!("{place}=sleep(5000)"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn waits_for(what: &str, there: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !there() {
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ended(child: Child) -> Done {
    Done::at_its_end(&child.wait_with_output().unwrap())
}

/// The index that an erasure writes right before it waits.
fn is_named(scene: &Scene) -> bool {
    let is = |f: &PathBuf| f.file_name().is_some_and(|n| n.to_string_lossy() == "amend-1-taken.idx");
    files(&scene.site.path(".dunlin")).iter().any(is)
}

#[test]
fn another_row_that_came_to_the_place_of_an_erased_one_stays_sqlite() {
    let scene = Scene::sqlite();
    scene.moved();
    let id = scene.asked("erasure", &[]);
    let child = slowly(&scene, &id, "move::subject.before_commit");
    waits_for("the erasure", || is_named(&scene));
    // Children first: the customer's items are 84, 85, 284 and 285. SQLite hands the number out again.
    scene.site.sql("new.db", "delete from item where id = 84; insert into item values (84, 7, 'of another')");
    let done = ended(child).expect(2);
    assert!(done.out.contains("was written to by somebody else"), "{done:?}");
    assert_eq!(scene.count("item", "id = 84 and what = 'of another'"), 1);
    assert_eq!(scene.count("item", "id = 85"), 1, "nothing of the step was kept");
}

#[test]
fn another_row_that_came_to_the_place_of_an_erased_one_stays_postgres() {
    let Some(scene) = Scene::postgres("subjects_place") else { return };
    scene.moved();
    let url = scene.server().to_owned();
    // Each row goes to the place that its turn gives it, the same every time: no vacuum, no chance.
    let rewritten = |id: &str, purchase: &str, what: &str| {
        pg(&url, "create table item_copy as select *, row_number() over (order by id) as n from item");
        pg(&url, "truncate item");
        pg(&url, &format!("insert into item select {id}, {purchase}, {what} from item_copy order by n"));
        pg(&url, "drop table item_copy");
    };
    rewritten("id", "purchase_id", "what");
    let id = scene.asked("erasure", &[]);
    let child = slowly(&scene, &id, "move::subject.before_commit");
    waits_for("the erasure", || is_named(&scene));
    let place = pg_one(&url, "select ctid::text from item where id = 84");
    let of = |then: &str, name: &str| format!("case id when 84 then {then} else {name} end");
    rewritten(&of("9084", "id"), &of("7", "purchase_id"), &of("'of another'", "what"));
    assert_eq!(pg_one(&url, &format!("select what from item where ctid = '{place}'")), "of another");
    let done = ended(child).expect(2);
    assert!(done.out.contains("was written to by somebody else"), "{done:?}");
    assert_eq!(pg_one(&url, &format!("select what from item where ctid = '{place}'")), "of another");
    assert_eq!(scene.count("item", "id = 85"), 1, "nothing of the step was kept");
}

/// The workspace as a program that is not the command line opens it.
async fn workspace(scene: &Scene) -> Workspace {
    let keys = KeyOptions::at(&scene.site.folder().join("keys"));
    Workspace::open(&scene.site.path("."), &keys).await.unwrap()
}

/// Letters that are due are not sent any more, and neither deliveries nor answers name the customer.
#[test]
fn letters_and_answers_of_an_erased_customer() {
    let scene = Scene::sqlite();
    scene.moved();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (own, other, person) = runtime.block_on(async {
        let workspace = workspace(&scene).await;
        let recipients = Recipients::new(workspace.keys()).unwrap();
        let of = |address: &str| recipients.recipient(&address.parse().unwrap()).hex();
        let person = workspace.keys().subject_name("42").unwrap();
        (of("Zebra@example.com"), of("a43@example.com"), person)
    });
    let letters = [("due", &own), ("sent", &own), ("due", &other)].map(|(state, to)| {
        let sealed = if state == "due" { "x'00'" } else { "null" };
        format!("('m-{state}', x'{to}', 'l-{state}-{to}', 'en', '{state}', 0, 0, {sealed})")
    });
    let sql = format!(
        "insert into tell_messages (id, notice, version, message, stream, transport, state, rows_read, duplicates,
            created_at) values ('m-due', 'n', 1, 'before:30', 'required', 'smtp', 'sending', 2, 0, 0),
            ('m-sent', 'n', 1, 'during:0', 'required', 'smtp', 'done', 1, 0, 0);
         insert into tell_deliveries (message, recipient, letter, locale, state, attempts, next_at, sealed)
            values {};
         insert into notice_answers values ('n', 1, '{person}', 'keep', 0), ('n', 1, 'somebody', 'keep', 0);
         insert into subject_salts (subject, salt) values ('{person}', x'00112233445566778899aabbccddeeff')",
        letters.join(", ")
    );
    scene.site.sql(".dunlin/state.db", &sql);
    let id = scene.asked("erasure", &[]);
    scene.carry_out(&id).expect(0);
    let one = |sql: &str| scene.site.one(".dunlin/state.db", sql);
    assert_eq!(one(&format!("select count(*) from tell_deliveries where recipient = x'{own}'")), "0");
    assert_eq!(
        one("select group_concat(state || coalesce(code, '') || (sealed is null), ' ') from
            (select * from tell_deliveries where message = 'm-due' order by state)"),
        "due0 suppressederased1"
    );
    assert_eq!(one("select state from tell_deliveries where message = 'm-sent'"), "sent", "a figure stays");
    assert_eq!(one(&format!("select count(*) from notice_answers where subject = '{person}'")), "0");
    assert_eq!(one("select count(*) from notice_answers where choice = 'keep'"), "2", "a figure stays");
    assert_eq!(one(&format!("select count(*) from subject_salts where subject = '{person}'")), "0");
}

/// The visits leave the plan; what waits of them in quarantine is the customer's all the same.
#[test]
fn quarantined_rows_of_a_table_that_left_the_plan() {
    let scene = Scene::sqlite();
    scene.moved();
    let text = std::fs::read_to_string(scene.site.path("dunlin.toml")).unwrap();
    let without = text.split("[[table]]\nfrom = \"old.visit\"").next().unwrap().to_owned();
    scene.site.plan(&without);
    scene.dunlin(&["run", "--format", "json"]).expect(0);
    let waiting = |condition: &str| {
        let table = "select count(*) from quarantine where label = 'new.visit' and status = 'waiting'";
        scene.site.one(".dunlin/state.db", &format!("{table} and {condition}"))
    };
    let before: u64 = waiting("true").parse().unwrap();
    assert!(before > 1);
    // The customer's copy has it, with its columns' names, and nobody else's.
    let id = scene.asked("access", &[]);
    scene.dunlin(&["request", "carry-out", &id, "--out", "mine"]).expect(0);
    let all: serde_json::Value = serde_json::from_str(&scene.site.read("mine/data.json")).unwrap();
    let copied = all["tables"].as_array().unwrap().iter().find(|t| t["table"] == "new.visit");
    let copied = copied.unwrap_or_else(|| panic!("not in the copy: {all}"));
    assert_eq!(copied["side"], "quarantine");
    let row = serde_json::json!({ "id": "142", "customer_id": "42", "said": "zebra-said 142", "stars": "9" });
    assert_eq!(copied["rows"], serde_json::json!([row]), "{copied}");
    let sheet = scene.site.read(&format!("mine/{}", copied["file"].as_str().unwrap()));
    assert!(sheet.contains("zebra-said 142"), "{sheet}");
    std::fs::remove_dir_all(scene.site.path("mine")).unwrap();
    let id = scene.asked("erasure", &[]);
    scene.carry_out(&id).expect(0);
    assert_eq!(waiting("true").parse::<u64>().unwrap(), before - 1);
    // Also when the source has lost the table: what its columns were, the run has kept.
    scene.site.sql("old.db", "drop table visit");
    let open = ["request", "open", "--format", "json", "--kind", "erasure", "--subject", "22"];
    let id = scene.dunlin(&open).expect(0).json()[0]["request"].as_str().unwrap().to_owned();
    let grant = ["request", "decide", &id, "--identity", "confirmed", "--grant", "--reason", "law:they may"];
    scene.dunlin(&grant).expect(0);
    scene.carry_out(&id).expect(0);
    assert_eq!(waiting("true").parse::<u64>().unwrap(), before - 2);
}

/// Who asked is forgotten when a request is answered; what a correction says is kept for later runs.
#[test]
fn answered_requests_hold_nobody() {
    let scene = Scene::sqlite();
    scene.moved();
    let sealed = |id: &str| {
        let folder = scene.site.path(".dunlin/subjects").join(id);
        if folder.exists() { files(&folder).len() } else { 0 }
    };
    for kind in ["restriction", "objection", "consent_withdrawn", "consent_given"] {
        let id = scene.asked(kind, &[]);
        assert_eq!(sealed(&id), 1, "{kind}");
        scene.carry_out(&id).expect(0);
        assert_eq!(sealed(&id), 0, "{kind}");
    }
    let id = scene.asked("rectification", &["--set", "new.customer.city=Vigo"]);
    assert_eq!(sealed(&id), 2);
    scene.carry_out(&id).expect(0);
    assert_eq!(sealed(&id), 1, "the correction alone");
}
