//! Duplicates between rows that move and rows that stood in the target before: the latter stay as they are, and what is the
//! same folds into them.

use serde_json::json;

use crate::merging::{PEOPLE, Scene, TWICE, keys, waiting};
use crate::support::{pg, pg_rows};

/// So many of those who are there twice stand in the target before, under the id `5000 + n`.
const THERE: usize = 12;

/// The target with people in it, made by somebody else: like the rows of the source, in another town.
fn before(scene: &Scene) {
    let people = "create table people (person_id integer primary key, full_name text, born_on date, email text, phone text,
        city text);";
    let source = scene.site.texts(
        "old.db",
        &format!(
            "select 'insert into people values (' || (5000 + id) || ', ' || quote(name) || ', ' || quote(born) || ', '
                || quote(lower(email)) || ', ' || quote(phone) || ', ''Old Town'');' from customer where id <= {THERE}"
        ),
    );
    let strangers = "insert into people values (7001, 'Somebody Else', '1931-02-03', 'else@there.example', '+34911111111', 'Far');";
    let sql = format!("{people}{}{strangers}", source.concat());
    match &scene.server {
        Some(url) => pg(url, &sql),
        None => scene.site.sql("new.db", &sql),
    }
}

/// A plan that takes rows beside those that are there, and holds them against these.
fn beside(scene: Scene) -> Scene {
    scene.site.edit_plan(
        "to = \"new.people\"\nkey = [\"id\"]",
        "to = \"new.people\"\nkey = [\"id\"]\ninto = \"append\"",
    );
    scene.site.edit_plan("review = 0.80\n", "review = 0.80\nwithin = [\"source\", \"target\"]\n");
    before(&scene);
    scene
}

/// The rows that stood there before, whole.
fn stood(scene: &Scene) -> Vec<String> {
    let columns =
        "person_id || '|' || full_name || '|' || born_on || '|' || email || '|' || phone || '|' || city";
    let sql = format!("select {columns} from people where person_id > 5000 order by person_id");
    match &scene.server {
        Some(url) => pg_rows(url, &sql),
        None => scene.site.texts("new.db", &sql),
    }
}

/// Whose an order of the n-th person, or of the second row of them, is in the end.
fn whose(n: usize) -> usize {
    match n {
        n if n <= THERE => 5000 + n,
        n if n <= TWICE && n % 2 == 1 => 1000 + n,
        n => n,
    }
}

fn folded(scene: Scene) {
    let were = stood(&scene);
    assert_eq!(were.len(), THERE + 1);
    let mut run = String::new();
    for round in ["the first run", "a second that takes everything over"] {
        let done = scene.run();
        done.balanced();
        run = done.run_id();
        let people = done.table("new.people");
        assert_eq!(people["merged"], TWICE + THERE, "{round}: {people}");
        assert_eq!(people["loaded"], PEOPLE - THERE, "{round}: {people}");
        assert_eq!(people["preexisting"], THERE + 1, "{round}: {people}");
        assert_eq!(stood(&scene), were, "{round}: what stood there stays as it was");
        let (people, orders) = scene.target();
        assert_eq!(people.len(), PEOPLE + 1, "{round}");
        for id in (1..=PEOPLE).chain((1..=TWICE).map(|n| 1000 + n)) {
            let n = if id > 1000 { id - 1000 } else { id };
            for order in [id * 10, id * 10 + 1] {
                let expected = format!("{order}|{}", whose(n));
                assert!(orders.contains(&expected), "{round}: {expected} is missing");
            }
        }
        scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
    }
    // What was done is undone, and what stood there is left.
    scene.dunlin(&["undo", "--run", &run]).expect(0);
    assert_eq!(stood(&scene), were);
    assert_eq!(scene.target().0.len(), THERE + 1);
}

#[test]
fn rows_fold_into_those_that_are_there_sqlite() {
    folded(beside(Scene::sqlite()));
}

#[test]
fn rows_fold_into_those_that_are_there_postgres() {
    if let Some(scene) = Scene::postgres() {
        folded(beside(scene));
    }
}

fn decided(scene: Scene) {
    let were = stood(&scene);
    let done = scene.run();
    done.balanced();
    assert_eq!(done.table("new.people")["merged"], 0, "{}", done.out);
    let untouched = scene.target();
    let clear = ["duplicates", "list", "--format", "json", "--clear", "--purpose", "steward: test"];
    let listed = scene.dunlin(&clear).expect(0).json();
    let between = listed.iter().find(|pair| {
        let keys = keys(pair);
        keys[1] == 5000 + keys[0] % 1000
    });
    let between = between.unwrap_or_else(|| panic!("no pair with a row that was there: {listed:?}"));
    assert!(listed.iter().all(|pair| keys(pair)[0] < 5000), "two rows that were there are nobody's to merge");
    let (moving, there) = (keys(between)[0], keys(between)[1]);
    let pair = between["pair"].as_str().unwrap();
    let shown = scene.dunlin(&["duplicates", "show", pair, "--format", "json"]).expect(0).json().remove(0);
    assert_eq!(shown["taken_over"], json!([]), "what was there takes nothing over: {shown}");

    let done = scene.dunlin(&["duplicates", "merge", pair, "--format", "json"]).expect(0).json().remove(0);
    assert_eq!(done["rows"], json!({ "new.orders": 2, "new.people": 1 }), "{done}");
    let (people, orders) = scene.target();
    assert!(!people.iter().any(|row| row.starts_with(&format!("{moving}|"))), "{people:?}");
    assert!(orders.contains(&format!("{}|{there}", moving * 10)), "{orders:?}");
    assert_eq!(stood(&scene), were);
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
    scene.run().balanced();
    assert!(scene.target().1.contains(&format!("{}|{there}", moving * 10)), "the next run holds on to it");
    scene.dunlin(&["duplicates", "undo", pair]).expect(0);
    assert_eq!(scene.target(), untouched);
    assert_eq!(stood(&scene), were);
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
}

#[test]
fn a_row_that_may_be_there_already_waits_and_is_decided_on_sqlite() {
    decided(beside(waiting(Scene::sqlite())));
}

#[test]
fn a_row_that_may_be_there_already_waits_and_is_decided_on_postgres() {
    if let Some(scene) = Scene::postgres() {
        decided(beside(waiting(scene)));
    }
}

/// Writes into the target as somebody else would.
fn by_others(scene: &Scene, sql: &str) {
    match &scene.server {
        Some(url) => pg(url, sql),
        None => scene.site.sql("new.db", sql),
    }
}

/// Somebody else enters a person that the run has loaded, then a decision is made on other people.
fn entered_since(scene: Scene) {
    scene.run().balanced();
    let untouched = scene.target();
    let clear = ["duplicates", "list", "--all", "--format", "json", "--clear", "--purpose", "steward: test"];
    let listed = scene.dunlin(&clear).expect(0).json();
    // Two rows that moved; the one that was folded has no key in the target.
    let moved = |pair: &&serde_json::Value| {
        let mut keys = pair["keys"].as_array().unwrap().iter().filter_map(|key| key.as_str());
        keys.all(|key| key.parse::<usize>().map_or(true, |key| key < 5000))
    };
    let pair = listed.iter().find(moved).unwrap_or_else(|| panic!("no pair: {listed:?}"));
    let pair = pair["pair"].as_str().unwrap();
    let person = PEOPLE - 1;
    let row = scene.site.texts(
        "old.db",
        &format!(
            "select 'insert into people values (9001, ' || quote(name) || ', ' || quote(born) || ', '
                || quote(lower(email)) || ', ' || quote(phone) || ', ''Town'');' from customer where id = {person}"
        ),
    );
    by_others(&scene, &row.concat());
    let kept = scene.dunlin(&["duplicates", "keep", pair, "--format", "json"]).expect(0).json().remove(0);
    assert_eq!(kept["rows"], json!({}), "nothing is done that nobody decided on: {kept}");
    assert!(kept["next_run"].as_str().is_some_and(|why| why.contains("the target has changed")), "{kept}");
    by_others(&scene, "delete from people where person_id = 9001");
    assert_eq!(scene.target(), untouched, "person {person} is still there");
    // Without the new row the same decision is carried out.
    let kept = scene.dunlin(&["duplicates", "keep", pair, "--format", "json"]).expect(0).json().remove(0);
    assert_eq!(kept["next_run"], json!(null), "{kept}");
    assert_ne!(scene.target(), untouched);
}

#[test]
fn a_decision_does_not_act_on_what_others_have_entered_since_sqlite() {
    entered_since(beside(Scene::sqlite()));
}

#[test]
fn a_decision_does_not_act_on_what_others_have_entered_since_postgres() {
    if let Some(scene) = Scene::postgres() {
        entered_since(beside(scene));
    }
}

#[test]
fn rows_that_are_there_are_asked_for_only_where_rows_are_kept() {
    let scene = Scene::sqlite();
    scene.site.edit_plan("review = 0.80\n", "review = 0.80\nwithin = [\"source\", \"target\"]\n");
    let refused = scene.dunlin(&["run"]).expect(2);
    assert!(refused.err.contains("into = \"append\""), "{}", refused.err);
}
