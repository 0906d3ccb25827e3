//! What is planted of one customer is found nowhere after an erasure, whenever it comes.

use std::os::unix::process::ExitStatusExt;

use serde_json::Value;

use super::Scene;
use crate::crash::SIGABRT;
use crate::support::pg;

/// Erased after a run: gone from the target, quarantine and files; the equation holds, and no run brings it back.
fn erased_after(scene: &Scene) {
    scene.moved();
    let before = scene.verified();
    assert_eq!(before.counts("new.visit"), [95, 90, 5, 0, 90]);
    let id = scene.asked("erasure", &[]);
    let done = scene.carry_out(&id).expect(0);
    let said: Value = done.json()[0].clone();
    assert_eq!(said["rows"]["target:new"], 8, "{said}");
    assert_eq!(said["rows"]["quarantine"], 1, "{said}");
    assert_eq!(said["found"]["target:new"], 0, "{said}");
    assert_eq!(said["found"]["source:old"], 9, "{said}");
    scene.target_without("after it");
    scene.no_file_has_it(&["old.db"], "after it");
    let after = scene.verified();
    assert_eq!(after.table("new.customer")["erased"], 1);
    assert_eq!(after.table("new.item")["erased"], 4);
    assert_eq!(after.table("new.visit")["erased"], 2);
    assert_eq!(after.table("new.visit")["quarantined"], 4);
    assert_eq!(scene.dunlin(&["quarantine", "list", "--format", "json"]).expect(0).json()[0]["rows"], 4);
    // Once unchanged, once with everything read anew.
    scene.moved();
    scene.target_without("a run later");
    scene.site.sql(
        "old.db",
        "update customer set city = 'Elsewhere' where id <> 42; update visit set stars = 2 where id = 7",
    );
    let again = scene.moved();
    assert_eq!(again.table("new.customer")["erased"], 1);
    assert_eq!(again.table("new.visit")["erased"], 2);
    scene.target_without("a changed source later");
    scene.no_file_has_it(&["old.db"], "a changed source later");
    scene.verified();
    scene.carry_out(&id).expect(2);
}

#[test]
fn erased_after_a_run_sqlite() {
    erased_after(&Scene::sqlite());
}

#[test]
fn erased_after_a_run_postgres() {
    let Some(scene) = Scene::postgres("subjects_after") else { return };
    erased_after(&scene);
}

/// With `erase_source` the source is without it as well, and what was read is accounted for all the same.
fn erased_in_the_source_too(scene: &Scene) {
    scene.moved();
    let id = scene.asked("erasure", &[]);
    let said: Value = scene.carry_out(&id).expect(0).json()[0].clone();
    assert_eq!(said["rows"]["source:old"], 9, "{said}");
    assert_eq!(said["found"]["source:old"], 0, "{said}");
    scene.target_without("after it");
    scene.no_file_has_it(&[], "after it");
    let verified = scene.verified();
    assert_eq!(verified.table("new.customer")["source_rows"], 90);
    let again = scene.moved();
    assert_eq!(again.table("new.customer")["source_rows"], 89);
    assert_eq!(again.table("new.customer")["erased"], 0);
    scene.target_without("a run later");
    // Somebody puts the customer back into the source: the mark is still there.
    scene.site.sql("old.db", "insert into customer values (42, 'Zebra', 'zebra@example.com', 'zebra', '')");
    assert_eq!(scene.moved().table("new.customer")["erased"], 1);
    scene.target_without("when somebody puts it back");
}

#[test]
fn erased_in_the_source_too_sqlite() {
    erased_in_the_source_too(&Scene::sqlite().with_source_erased());
}

#[test]
fn erased_in_the_source_too_postgres() {
    let Some(scene) = Scene::postgres("subjects_source") else { return };
    erased_in_the_source_too(&scene.with_source_erased());
}

#[test]
fn erased_before_the_first_run() {
    let scene = Scene::sqlite();
    let id = scene.asked("erasure", &[]);
    scene.carry_out(&id).expect(0);
    let done = scene.moved();
    assert_eq!(done.table("new.customer")["erased"], 1);
    assert_eq!(done.table("new.purchase")["erased"], 2);
    assert_eq!(done.table("new.item")["erased"], 4);
    assert_eq!(done.table("new.visit")["erased"], 2);
    scene.target_without("the first run");
    scene.no_file_has_it(&["old.db"], "the first run");
    scene.verified();
    // Purchases that come later are the customer's as well, and so are their items.
    scene.site.sql(
        "old.db",
        "insert into purchase values (900, 42, 'zebra late', 3); insert into item values (9000, 900, 'zebra late')",
    );
    let again = scene.moved();
    assert_eq!(again.table("new.purchase")["erased"], 3);
    assert_eq!(again.table("new.item")["erased"], 5);
    scene.target_without("a purchase that came later");
    scene.no_file_has_it(&["old.db"], "a purchase that came later");
}

/// A run dies in the middle; the request comes; the run goes on and takes out what it had loaded before.
fn erased_while_a_run_is_stopped(scene: &Scene) {
    let run = ["run", "--format", "json", "--jobs", "1"];
    let died = scene.command(&run).env("DUNLIN_FAIL", "move::receipt.after_state@5").output().unwrap();
    assert_eq!(died.status.signal(), Some(SIGABRT));
    assert_eq!(scene.count("customer", "id = 42"), 1, "the row was loaded already");
    let id = scene.asked("erasure", &[]);
    let waits = scene.carry_out(&id).expect(3);
    assert!(waits.out.contains("is not finished"), "{}", waits.out);
    let done = scene.moved();
    assert_eq!(done.table("new.customer")["erased"], 1);
    assert_eq!(done.table("new.item")["erased"], 4);
    scene.target_without("the run that went on");
    scene.carry_out(&id).expect(0);
    scene.target_without("after it");
    scene.no_file_has_it(&["old.db"], "after it");
    scene.verified();
}

#[test]
fn erased_while_a_run_is_stopped_sqlite() {
    erased_while_a_run_is_stopped(&Scene::sqlite());
}

#[test]
fn erased_while_a_run_is_stopped_postgres() {
    let Some(scene) = Scene::postgres("subjects_stopped") else { return };
    erased_while_a_run_is_stopped(&scene);
}

/// The run goes on in another process when the request comes: it sees the mark by itself.
#[test]
fn erased_while_a_run_is_under_way() {
    let scene = Scene::sqlite();
    let id = scene.asked("erasure", &[]);
    let mut child = scene
        .command(&["run", "--format", "json", "--jobs", "1"])
        .env("FAILPOINTS", "move::receipt.after_state=sleep(300)")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Wait until the customer's row is in the target.
    for _ in 0..200 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        if scene.site.path("new.db").exists()
            && scene.site.one("new.db", "select count(*) from sqlite_schema where name = 'customer'") == "1"
            && scene.count("customer", "id = 42") == 1
        {
            break;
        }
    }
    assert_eq!(scene.count("customer", "id = 42"), 1, "the row was loaded before the request");
    let waits = scene.carry_out(&id).expect(3);
    assert!(waits.out.contains("under way"), "{}", waits.out);
    assert!(child.wait().unwrap().success());
    scene.target_without("the run's end");
    scene.carry_out(&id).expect(0);
    scene.no_file_has_it(&["old.db"], "after it");
    let verified = scene.verified();
    assert_eq!(verified.table("new.item")["erased"], 4);
}

/// The latest run loaded one table only: the others stand in the equation of the run before it.
#[test]
fn erased_after_a_run_of_one_table() {
    let scene = Scene::sqlite();
    scene.moved();
    scene.dunlin(&["run", "--table", "new.visit", "--format", "json"]).expect(0).balanced();
    let id = scene.asked("erasure", &[]);
    scene.carry_out(&id).expect(0);
    scene.target_without("after it");
    scene.no_file_has_it(&["old.db"], "after it");
    scene.site.sql("old.db", "update item set what = 'else' where id = 3");
    let run = scene.moved();
    assert_eq!(run.table("new.item")["erased"], 4);
    scene.target_without("a run later");
    scene.verified();
}

/// A copy that a rehearsal made is found and emptied of the customer, also where it is under tokens.
#[test]
fn erased_in_a_rehearsals_copy() {
    let scene = Scene::sqlite();
    scene.site.edit_plan("id = \"id\"\nname =", "id = { from = \"id\", kind = \"account_number\" }\nname =");
    scene.dunlin(&["run", "--rehearse", "--to", "sqlite:copy.db"]).expect(0);
    scene.moved();
    let copied = scene.site.one("copy.db", "select count(*) from customer");
    let id = scene.asked("erasure", &[]);
    let said: Value = scene.carry_out(&id).expect(0).json()[0].clone();
    let copies: Vec<(&String, &Value)> =
        said["rows"].as_object().unwrap().iter().filter(|(k, _)| k.starts_with("copy:")).collect();
    assert_eq!(copies.len(), 1, "{said}");
    assert!(copies[0].1.as_u64().unwrap() >= 1, "{said}");
    let left: u64 = scene.site.one("copy.db", "select count(*) from customer").parse().unwrap();
    assert_eq!(left + 1, copied.parse::<u64>().unwrap());
    scene.no_file_has_it(&["old.db"], "after it");
}

/// What stands in the target under an owner's keys leaves children first, and rows of others stay.
#[test]
fn erased_from_tables_that_were_there() {
    let Some(scene) = Scene::postgres("subjects_there") else { return };
    let url = scene.server.clone().unwrap();
    pg(
        &url,
        "create table customer (id bigint primary key, name text, email text, city text);
         create table purchase (id bigint primary key, customer_id bigint not null references customer, note text,
             amount numeric(10,2));
         create table item (id bigint primary key, purchase_id bigint not null references purchase, what text);
         create table visit (id bigint primary key, customer_id bigint references customer, said text, stars bigint);",
    );
    erased_after(&scene);
}
