//! What comes after a merge: a survivor that waits in quarantine, and a run of a child table alone.

use crate::merging::{PEOPLE, Scene, TWICE, keys, waiting};

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
    // That run says nothing of the people; the next one of the whole plan does, and folds them as before.
    let alone = scene.dunlin(&["verify", "--format", "json"]).expect(1);
    assert!(alone.out.contains("not verified: new.people"), "{alone:?}");
    scene.run().balanced();
    assert_eq!(scene.target(), (people, orders));
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
