//! Duplicates in a run: rows that stand for one person are folded into one, and all that refers to them follows.

use std::os::unix::process::ExitStatusExt;

use serde_json::Value;

use crate::crash::SIGABRT;
use crate::support::{Done, Site, pg, pg_rows, postgres};

/// People who are there once.
pub const PEOPLE: usize = 300;
/// The first so many are there twice, under the id `1000 + n`.
pub const TWICE: usize = 24;

const PLAN: &str = r#"
[plan]
name = "Merging"
[store.old]
url = "sqlite:old.db"
[store.new]
url = "TARGET"

[subject]
table = "new.people"
id = "person_id"
email = "email"

[[table]]
from = "old.customer"
to = "new.people"
key = ["id"]
[table.columns]
person_id = "id"
full_name = { from = "name", kind = "person_name" }
born_on = { clean = "date", from = "born", formats = ["%Y-%m-%d"], kind = "birth_date" }
email = { sql = "lower(trim(email))", kind = "email" }
phone = { sql = "phone", kind = "phone" }
city = "city"
[table.duplicates]
match = ["email", "full_name + born_on", "phone + full_name"]
above = 0.95
review = 0.80
survivor = "latest updated_at; phone: filled; city: longest"

[[table]]
from = "old.orders"
to = "new.orders"
key = ["id"]
"#;

/// People with values of their own. Of those who are there twice the second row has a slip in the name, no telephone and
/// a longer city; who is odd was changed last in the second row.
fn data() -> String {
    let syllables = ["ba", "der", "li", "mo", "ran", "su", "ti", "wen"];
    let word = |n: usize| [n % 8, n / 8 % 8, (n * 5 + 3) % 8, n / 64 % 8].map(|s| syllables[s]).concat();
    let mut sql = String::from(
        "create table customer (id integer primary key, name text, born text, email text, phone text, city text,
            updated_at text);
         create table orders (id integer primary key, customer_id integer not null references customer (id),
            amount integer);",
    );
    let mut orders = Vec::new();
    let mut row = |id: usize, n: usize, second: bool| {
        let (first, last) = (word(n * 7 + 11), word(n * 3 + 100));
        let shown = if second { last.replacen(&last[..1], "q", 1) } else { last.clone() };
        let born = format!("{}-{:02}-{:02}", 1940 + n * 13 % 60, 1 + n * 5 % 12, 1 + n * 11 % 28);
        let email = format!("{first}.{last}{n}@mail.example");
        let email = if second { email.to_uppercase() } else { email };
        let phone = if second { "null".to_owned() } else { format!("'+3460{:07}'", n * 7_919 + 13) };
        let city = if second { "Upper Town" } else { "Town" };
        let year = if second == (n % 2 == 1) { 2024 } else { 2020 };
        sql.push_str(&format!(
            "insert into customer values ({id}, '{first} {shown}', '{born}', '{email}', {phone}, '{city}', '{year}-01-01');"
        ));
        orders.push(format!("insert into orders values ({}, {id}, {n});", id * 10));
        orders.push(format!("insert into orders values ({}, {id}, {n});", id * 10 + 1));
    };
    (1..=PEOPLE).for_each(|n| row(n, n, false));
    (1..=TWICE).for_each(|n| row(1000 + n, n, true));
    sql + &orders.concat()
}

/// Who survives for the n-th person.
fn survivor(n: usize) -> usize {
    if n <= TWICE && n % 2 == 1 { 1000 + n } else { n }
}

/// What must be in the target: people with their city and whether they have a telephone, and whose each order is.
fn expected() -> (Vec<String>, Vec<String>) {
    let mut people: Vec<String> = (1..=PEOPLE)
        .map(|n| format!("{}|{}|+", survivor(n), if n <= TWICE { "Upper Town" } else { "Town" }))
        .collect();
    let mut orders = Vec::new();
    for id in (1..=PEOPLE).chain((1..=TWICE).map(|n| 1000 + n)) {
        let n = if id > 1000 { id - 1000 } else { id };
        orders.extend([id * 10, id * 10 + 1].map(|order| format!("{order}|{}", survivor(n))));
    }
    people.sort();
    orders.sort();
    (people, orders)
}

/// A workspace with the data, and the database it goes to where that is a server.
pub struct Scene {
    pub site: Site,
    pub server: Option<String>,
}

impl Scene {
    pub fn sqlite() -> Self {
        let site = Site::with_plan(&PLAN.replace("TARGET", "sqlite:new.db"));
        site.sql("old.db", &data());
        Self { site, server: None }
    }

    pub fn postgres() -> Option<Self> {
        let server = postgres("merging")?;
        let site = Site::with_plan(&PLAN.replace("TARGET", "env:DUNLIN_MERGING"));
        site.sql("old.db", &data());
        Some(Self { site, server: Some(server) })
    }

    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.site.command(arguments);
        command.env("DUNLIN_ROWS_PER_SPLIT", "100");
        command.env("DUNLIN_MERGING", self.server.as_deref().unwrap_or_default());
        command
    }

    pub fn dunlin(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments))
    }

    pub fn run(&self) -> Done {
        self.dunlin(&["run", "--format", "json", "--jobs", "2"]).expect(0)
    }

    /// The people and the orders in the target.
    pub fn target(&self) -> (Vec<String>, Vec<String>) {
        let people = "person_id || '|' || city || '|' || case when phone is null then '-' else '+' end";
        let orders = "id || '|' || customer_id";
        let rows = |columns: &str, table: &str| -> Vec<String> {
            let sql = format!("select {columns} from {table}");
            let mut rows = match &self.server {
                Some(url) => pg_rows(url, &sql),
                None => self.site.texts("new.db", &sql),
            };
            rows.sort();
            rows
        };
        (rows(people, "people"), rows(orders, "orders"))
    }

    /// What stood aside for an amendment is back. A `verify` alone does not write, and leaves that to what comes next.
    #[track_caller]
    fn foreign_key_must_stand(&self) {
        let keys = match &self.server {
            Some(url) => {
                pg_rows(url, "select conname::text from pg_constraint where contype = 'f' and convalidated")
            }
            None => self.site.texts("new.db", "select \"table\" from pragma_foreign_key_list('orders')"),
        };
        assert_eq!(keys.len(), 1, "the foreign key stands: {keys:?}");
    }

    /// As it must be when the two rows of the third person are one.
    #[track_caller]
    fn must_hold_three_as_one(&self, listed: usize, pair: &str) {
        let (people, orders) = self.target();
        assert_eq!(people.len(), PEOPLE + TWICE - 1);
        assert!(people.contains(&"1003|Upper Town|+".to_owned()), "{people:?}");
        assert!(!people.iter().any(|row| row.starts_with("3|")), "{people:?}");
        assert!(
            orders.contains(&"30|1003".to_owned()) && orders.contains(&"31|1003".to_owned()),
            "{orders:?}"
        );
        let verified = self.dunlin(&["verify", "--format", "json"]).expect(0);
        verified.balanced();
        assert_eq!(verified.table("new.people")["merged"], 1);
        let all = self.dunlin(&["duplicates", "list", "--all", "--format", "json"]).expect(0).json();
        let found = all.iter().find(|p| p["pair"] == pair).unwrap();
        assert_eq!(found["decision"], "merge", "{found}");
        assert_eq!(found["acted"], true, "{found}");
        let left = self.dunlin(&["duplicates", "list", "--format", "json"]).expect(0).json();
        assert_eq!(left.len(), listed - 2, "what was decided does not wait");
    }

    #[track_caller]
    fn must_be_merged(&self, done: &Done) {
        done.balanced();
        let people = done.table("new.people");
        assert_eq!(people["merged"], TWICE, "{people}");
        assert_eq!(people["loaded"], PEOPLE, "{people}");
        assert_eq!(people["noted"]["duplicates:survivor"], TWICE, "{people}");
        assert_eq!(done.table("new.orders")["loaded"], 2 * (PEOPLE + TWICE));
        assert_eq!(self.target(), expected());
        let verified = self.dunlin(&["verify", "--format", "json"]).expect(0);
        verified.balanced();
    }
}

fn merged_and_kept(scene: &Scene) {
    scene.must_be_merged(&scene.run());
    // A second run finds the same, and takes everything over.
    let before = scene.target();
    scene.must_be_merged(&scene.run());
    assert_eq!(scene.target(), before);
    // A row that changes in the target is named with what should stand there: the settled form of the survivor.
    let sql =
        "update people set city = 'Elsewhere' where person_id = 1001; delete from people where person_id = 2";
    match &scene.server {
        Some(url) => {
            pg(url, "alter table orders disable trigger all; alter table people disable trigger all")
        }
        None => scene.site.sql("new.db", "pragma foreign_keys = off"),
    }
    match &scene.server {
        Some(url) => pg(url, sql),
        None => scene.site.sql("new.db", sql),
    }
    let verified =
        scene.dunlin(&["verify", "--format", "json", "--clear", "--purpose", "audit: test"]).expect(1);
    assert_eq!(verified.differences("new.people"), ["changed person_id=1001 city", "missing person_id=2"]);
}

#[test]
fn duplicates_fold_into_one_and_orders_follow_sqlite() {
    merged_and_kept(&Scene::sqlite());
}

#[test]
fn duplicates_fold_into_one_and_orders_follow_postgres() {
    if let Some(scene) = Scene::postgres() {
        merged_and_kept(&scene);
    }
}

fn killed_and_resumed(scene: &Scene, point: &str) {
    let died = scene.command(&["run", "--jobs", "1"]).env("DUNLIN_FAIL", point).output().unwrap();
    assert_eq!(died.status.signal(), Some(SIGABRT), "{point}: {}", String::from_utf8_lossy(&died.stderr));
    scene.must_be_merged(&scene.run());
}

#[test]
fn a_run_that_dies_goes_on_by_what_was_found_sqlite() {
    let points = dunlin_move::FAILPOINTS_DUPLICATES[..2].iter().map(|p| format!("{p}@1"));
    let more =
        ["connect::sqlite.commit.after@2", "connect::sqlite.commit.after@6", "move::receipt.after_state@3"];
    for point in points.chain(more.map(str::to_owned)) {
        killed_and_resumed(&Scene::sqlite(), &point);
    }
}

#[test]
fn a_run_that_dies_goes_on_by_what_was_found_postgres() {
    for point in
        ["move::duplicates.after@1", "connect::postgres.commit.after@2", "connect::postgres.commit.after@6"]
    {
        let Some(scene) = Scene::postgres() else { return };
        killed_and_resumed(&scene, point);
    }
}

/// The same, where nothing is sure enough to be merged without a look: all who are there twice wait for a person.
pub fn waiting(scene: Scene) -> Scene {
    scene.site.edit_plan("above = 0.95", "above = 1.0");
    scene
}

/// The keys of a listed pair, in the clear.
pub fn keys(pair: &Value) -> Vec<usize> {
    let mut keys: Vec<usize> =
        pair["keys"].as_array().unwrap().iter().map(|k| k.as_str().unwrap().parse().unwrap()).collect();
    keys.sort_unstable();
    keys
}

fn decided_and_taken_back(scene: &Scene) {
    let first = scene.run();
    first.balanced();
    assert_eq!(first.table("new.people")["merged"], 0);
    let untouched = scene.target();
    assert_eq!(untouched.0.len(), PEOPLE + TWICE);
    let listed = scene.dunlin(&["duplicates", "list", "--format", "json"]).expect(0);
    assert!(listed.json().len() >= TWICE, "{}", listed.out);
    let masked =
        |pair: &Value| pair["keys"].as_array().unwrap().iter().all(|k| k.as_str().unwrap().contains('•'));
    assert!(listed.json().iter().all(masked), "{}", listed.out);
    let clear = ["duplicates", "list", "--format", "json", "--clear", "--purpose", "steward: test"];
    let listed = scene.dunlin(&clear).expect(0).json();
    let pair_of = |n: usize| {
        let found = listed.iter().find(|pair| keys(pair) == [n, 1000 + n]);
        found.unwrap_or_else(|| panic!("no pair of {n}"))["pair"].as_str().unwrap().to_owned()
    };
    let (three, four) = (pair_of(3), pair_of(4));

    let shown = scene.dunlin(&["duplicates", "show", &three, "--format", "json"]).expect(0).json().remove(0);
    assert_eq!(shown["differing"], serde_json::json!(["full_name", "phone", "city"]), "{shown}");
    // The second row was changed last; the telephone comes from the first.
    assert_eq!(shown["taken_over"], serde_json::json!(["phone"]), "{shown}");
    assert!(!shown.to_string().contains("Upper Town"), "{shown}");

    let unknown = scene.dunlin(&["duplicates", "merge", "0000000000000000"]).expect(2);
    assert!(unknown.err.contains("no pair is called"), "{}", unknown.err);
    let kept = scene.dunlin(&["duplicates", "keep", &four, "--format", "json"]).expect(0).json().remove(0);
    assert_eq!(kept["pairs"][0]["acted"], true, "{kept}");
    assert_eq!(scene.target(), untouched);
    // It dies at each step, and is asked for again, or for something else.
    let steps = [
        ("move::duplicates.decided@1", vec!["duplicates", "merge", &three]),
        ("move::duplicates.amend.before@1", vec!["duplicates", "merge", &three]),
        ("move::duplicates.amend.after@1", vec!["duplicates", "merge", &three]),
        ("move::duplicates.amend.after@1", vec!["verify"]),
        ("move::duplicates.decided@1", vec!["run"]),
    ];
    for (point, again) in &steps {
        let died =
            scene.command(&["duplicates", "merge", &three]).env("DUNLIN_FAIL", *point).output().unwrap();
        let said = String::from_utf8_lossy(&died.stderr).into_owned();
        assert_eq!(died.status.signal(), Some(SIGABRT), "{point}: {said}");
        scene.dunlin(again).expect(0);
        scene.must_hold_three_as_one(listed.len(), &three);
        let undone =
            scene.dunlin(&["duplicates", "undo", &three, "--format", "json"]).expect(0).json().remove(0);
        assert_eq!(
            undone["rows"],
            serde_json::json!({"new.orders": 2, "new.people": 2}),
            "{point}: {undone}"
        );
        assert_eq!(scene.target(), untouched, "{point}: as if nothing had been decided, references included");
        scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
        scene.foreign_key_must_stand();
    }
    let done = scene.dunlin(&["duplicates", "merge", &three, "--format", "json"]).expect(0).json().remove(0);
    assert_eq!(done["rows"], serde_json::json!({"new.orders": 2, "new.people": 2}), "{done}");
    let again = scene.dunlin(&["duplicates", "merge", &three, "--format", "json"]).expect(0).json().remove(0);
    assert_eq!(again["rows"], serde_json::json!({}), "nothing is done twice: {again}");
    scene.must_hold_three_as_one(listed.len(), &three);
    scene.foreign_key_must_stand();
    // A run finds the same by itself, and takes everything over.
    scene.run().balanced();
    scene.must_hold_three_as_one(listed.len(), &three);
    scene.dunlin(&["duplicates", "undo", &three, &four]).expect(0);
    assert_eq!(scene.target(), untouched);
    scene.run().balanced();
    assert_eq!(scene.target(), untouched);
    let ledger = scene.dunlin(&["ledger", "export"]).expect(0).out;
    let entered = ledger.lines().filter(|line| line.contains("duplicate_decided")).count();
    assert_eq!(entered, 2 + 2 * steps.len() + 2, "each decision once: {ledger}");
}

#[test]
fn a_merge_that_a_person_decided_is_undone_without_a_trace_sqlite() {
    decided_and_taken_back(&waiting(Scene::sqlite()));
}

#[test]
fn a_merge_that_a_person_decided_is_undone_without_a_trace_postgres() {
    if let Some(scene) = Scene::postgres() {
        decided_and_taken_back(&waiting(scene));
    }
}

#[test]
fn what_does_not_fit_is_told_before_anything_is_touched() {
    let scene = Scene::sqlite();
    scene.site.edit_plan("survivor = \"latest updated_at;", "survivor = \"newest updated_at;");
    let refused = scene.dunlin(&["run"]).expect(2);
    assert!(refused.err.contains("does not say who survives"), "{}", refused.err);
    scene.site.edit_plan("survivor = \"newest updated_at;", "survivor = \"latest updatd_at;");
    let refused = scene.dunlin(&["run"]).expect(2);
    assert!(refused.err.contains("did you mean `updated_at`?"), "{}", refused.err);
    scene.site.edit_plan("latest updatd_at;", "latest updated_at;");
    scene.site.edit_plan("\"full_name + born_on\"", "\"full_name + born\"");
    let refused = scene.dunlin(&["run"]).expect(2);
    assert!(refused.err.contains("did you mean `born_on`?"), "{}", refused.err);
    assert!(!scene.site.path("new.db").exists());
}

/// What the customer of a survivor asks for reaches the rows that were folded into theirs, and they do not come back as
/// somebody of their own.
#[test]
fn an_erased_survivor_takes_its_duplicates_along() {
    let scene = Scene::sqlite();
    scene.must_be_merged(&scene.run());
    let open = ["request", "open", "--format", "json", "--kind", "erasure", "--subject", "1003"];
    let id = scene.dunlin(&open).expect(0).json()[0]["request"].as_str().unwrap().to_owned();
    let reason = "law:they may";
    scene
        .dunlin(&["request", "decide", &id, "--identity", "confirmed", "--grant", "--reason", reason])
        .expect(0);
    scene.dunlin(&["request", "carry-out", &id, "--format", "json"]).expect(0);
    let gone = |scene: &Scene| {
        let (people, orders) = scene.target();
        assert_eq!((people.len(), orders.len()), (PEOPLE - 1, 2 * (PEOPLE + TWICE) - 4));
        assert!(!people.iter().any(|row| row.starts_with("3|") || row.starts_with("1003|")), "{people:?}");
    };
    gone(&scene);
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
    scene.run().balanced();
    gone(&scene);
    // The source still has both rows; when it changes they are read again, and neither comes back.
    let sql = "update customer set city = 'Elsewhere' where id = 200; update orders set amount = 0";
    scene.site.sql("old.db", sql);
    let again = scene.run();
    again.balanced();
    assert_eq!(again.table("new.people")["erased"], 2, "{}", again.out);
    assert_eq!(again.table("new.orders")["erased"], 4, "{}", again.out);
    gone(&scene);
    scene.dunlin(&["verify", "--format", "json"]).expect(0).balanced();
}
