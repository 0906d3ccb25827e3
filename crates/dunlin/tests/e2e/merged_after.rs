//! What comes after a merge: a survivor that waits in quarantine, a run of a child table alone, a customer who was folded
//! into another and asks to be erased.

use crate::merging::{PEOPLE, PLAN, Scene, TWICE, data, keys, waiting};
use crate::support::{Site, pg, postgres};

/// A survivor that the target refuses waits, and its orders with it; mended, it goes in with what it takes over from its
/// duplicate, and the orders of both follow.
#[test]
fn a_fix_of_a_survivor_in_quarantine_loads_it_with_what_it_takes_over() {
    let scene = Scene::sqlite();
    scene.site.sql("old.db", "update customer set city = 'Nowhere' where id in (3, 1003)");
    scene.site.sql(
        "new.db",
        "create table people (person_id integer primary key, full_name text, born_on text, email text, phone text,
            city text check (city <> 'Nowhere'));
         create table orders (id integer primary key, customer_id integer not null references people (person_id), amount integer);",
    );
    let done = scene.run();
    done.balanced();
    assert_eq!(done.table("new.people")["quarantined"], 1, "{}", done.out);
    assert_eq!(done.table("new.people")["merged"], TWICE, "its duplicate is folded into it all the same");
    assert_eq!(done.table("new.orders")["quarantined"], 4, "{}", done.out);
    let groups = scene.site.waiting();
    let group = |table: &str| {
        let found = groups.iter().find(|g| g["table"] == table);
        found.unwrap_or_else(|| panic!("nothing of {table} waits: {groups:?}"))["group"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    // Left out it would take its duplicate along: that is refused.
    let refused = scene.dunlin(&["quarantine", "discard", &group("new.people")]).expect(2);
    assert!(refused.err.contains("folded into what is to be discarded"), "{}", refused.err);
    scene.dunlin(&["quarantine", "fix", &group("new.people"), "--set", "city = 'Somewhere'"]).expect(0);
    let (people, _) = scene.target();
    assert!(people.contains(&"1003|Somewhere|+".to_owned()), "with the telephone of the other: {people:?}");
    scene.dunlin(&["quarantine", "release", &group("new.orders")]).expect(0);
    let (people, orders) = scene.target();
    assert_eq!((people.len(), orders.len()), (PEOPLE, 2 * (PEOPLE + TWICE)));
    for order in [30, 31, 10_030, 10_031] {
        assert!(orders.contains(&format!("{order}|1003")), "{orders:?}");
    }
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
}

fn child_alone(scene: Scene, sure: bool) {
    scene.run().balanced();
    if !sure {
        let clear = ["duplicates", "list", "--format", "json", "--clear", "--purpose", "steward: test"];
        let listed = scene.dunlin(&clear).expect(0).json();
        let three = listed.iter().find(|pair| keys(pair) == [3, 1003]).unwrap();
        scene.dunlin(&["duplicates", "merge", three["pair"].as_str().unwrap()]).expect(0);
    }
    // An order of the row that was folded away, and a change that has others loaded anew.
    scene.site.sql(
        "old.db",
        "insert into orders values (99999, 3, 1); update orders set amount = 0 where id % 7 = 0",
    );
    let done = scene.dunlin(&["run", "--table", "new.orders", "--format", "json"]).expect(0);
    done.balanced();
    let (people, orders) = scene.target();
    assert!(orders.contains(&"99999|1003".to_owned()), "{orders:?}");
    assert!(
        orders.contains(&"30|1003".to_owned()) && orders.contains(&"10031|1003".to_owned()),
        "{orders:?}"
    );
    assert!(!people.iter().any(|row| row.starts_with("3|")), "{people:?}");
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
}

#[test]
fn a_run_of_a_child_alone_goes_by_what_the_run_of_its_parent_found() {
    child_alone(Scene::sqlite(), true);
    if let Some(scene) = Scene::postgres() {
        child_alone(scene, true);
    }
}

#[test]
fn a_run_of_a_child_alone_goes_by_what_a_person_decided() {
    child_alone(waiting(Scene::sqlite()), false);
    if let Some(scene) = Scene::postgres() {
        child_alone(waiting(scene), false);
    }
}

/// Whose row was folded into another's and who asks to be erased takes along what is theirs, and no more once a run has
/// looked again: the survivor stays, without what it had from them.
#[test]
fn an_erased_customer_who_was_folded_away_leaves_the_survivor() {
    let scene = Scene::sqlite();
    scene.run().balanced();
    let open = ["request", "open", "--format", "json", "--kind", "erasure", "--subject", "3"];
    let id = scene.dunlin(&open).expect(0).json()[0]["request"].as_str().unwrap().to_owned();
    let reason = "law:they may";
    scene
        .dunlin(&["request", "decide", &id, "--identity", "confirmed", "--grant", "--reason", reason])
        .expect(0);
    scene.dunlin(&["request", "carry-out", &id, "--format", "json"]).expect(0);
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
    // The source has changed, so that everything is read again.
    scene
        .site
        .sql("old.db", "update customer set city = 'Elsewhere' where id = 200; update orders set amount = 0");
    let again = scene.run();
    again.balanced();
    assert_eq!(again.table("new.people")["erased"], 1, "{}", again.out);
    assert_eq!(again.table("new.orders")["erased"], 2, "{}", again.out);
    let (people, orders) = scene.target();
    assert!(!people.iter().any(|row| row.starts_with("3|")), "{people:?}");
    assert!(
        people.contains(&"1003|Upper Town|-".to_owned()),
        "nothing of the other's is left in it: {people:?}"
    );
    assert!(!orders.iter().any(|row| row.starts_with("30|") || row.starts_with("31|")), "{orders:?}");
    assert!(orders.contains(&"10030|1003".to_owned()), "{orders:?}");
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
}

/// An order that travelled in the bytes of its store and that the target refused waits in them. Once customers are merged, the
/// table is looked at row by row: the bytes do not go back past that, and mended values follow it.
#[test]
fn rows_that_wait_in_wire_bytes_do_not_go_past_a_merge() {
    let (Some(from), Some(to)) = (postgres("merged_from"), postgres("merged_to")) else { return };
    pg(&from, &format!("{}insert into orders values (90000, 3, 99999);", data()));
    pg(
        &to,
        "create table people (person_id integer primary key, full_name text, born_on date, email text, phone text, city text);
         create table orders (id integer primary key, customer_id integer not null references people (person_id),
            amount integer constraint small check (amount < 50000));",
    );
    let plan = PLAN.replace("TARGET", "env:DUNLIN_MERGING").replace("sqlite:old.db", &from);
    let scene = waiting(Scene { site: Site::with_plan(&plan), server: Some(to.clone()) });
    let done = scene.run();
    done.balanced();
    assert_eq!(done.table("new.orders")["quarantined"], 1, "{}", done.out);
    let clear = ["duplicates", "list", "--format", "json", "--clear", "--purpose", "steward: test"];
    let listed = scene.dunlin(&clear).expect(0).json();
    let pair_of = |n: usize| {
        listed.iter().find(|pair| keys(pair) == [n, 1000 + n]).unwrap()["pair"].as_str().unwrap().to_owned()
    };
    let merged = scene.dunlin(&["duplicates", "merge", &pair_of(4), "--format", "json"]).expect(0).json();
    assert_eq!(merged[0]["pairs"][0]["acted"], true, "{merged:?}");
    pg(&to, "alter table orders drop constraint small");
    let group =
        scene.site.command(&["quarantine", "list", "--format", "json"]).env("DUNLIN_MERGING", &to).output();
    let group: serde_json::Value = serde_json::from_slice(&group.unwrap().stdout).unwrap();
    let group = group["group"].as_str().unwrap();
    scene.dunlin(&["quarantine", "release", group]);
    let has = |order: &str| scene.target().1.contains(&order.to_owned());
    assert!(!has("90000|3"), "as it is it waits on");
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
    scene.dunlin(&["quarantine", "fix", group, "--set", "amount = 1"]).expect(0);
    assert!(has("90000|3"));
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
    scene.dunlin(&["duplicates", "merge", &pair_of(3)]).expect(0);
    scene.run().balanced();
    assert!(has("90000|1003") && !has("90000|3"), "it follows its customer");
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
}
