//! `dunlin profile` besides the columns: references that lead nowhere, what changed since, and how busy the source is.

use serde_json::Value;

use crate::support::{Done, Site, pg, postgres};

const DATA: &str = "
    create table people (person_id integer primary key, email text);
    create table orders (order_id integer primary key, person_id integer references people (person_id), agent_id integer, note text);
    create table agents (agent_id integer primary key, name text);
    insert into people select value, 'p' || value || '@example.com' from generate_series(1, 100);
    insert into agents values (1, 'north'), (2, 'south');
    insert into orders select value, value, 1 + value % 2, 'fine' from generate_series(1, 98);
    insert into orders values (99, 7777, 3, 'canary-5521'), (100, null, null, null);
";

const PLAN: &str = "[plan]\nname = \"Shop\"\n[store.old]\nurl = \"sqlite:old.db\"\n[store.new]\nurl = \"sqlite:new.db\"\n\
    [[table]]\nfrom = \"old.people\"\nto = \"new.people\"\nkey = [\"person_id\"]\n[table.columns]\nperson_id = \"person_id\"\n\
    email = { sql = \"lower(email)\", kind = \"email\" }\n";

/// SQLite has no such function built in everywhere: a recursive query counts instead.
fn data() -> String {
    let series = |to: u32| {
        format!(
            "(with recursive n(value) as (select 1 union all select value + 1 from n where value < {to}) select value from n)"
        )
    };
    DATA.replace("generate_series(1, 100)", &series(100)).replace("generate_series(1, 98)", &series(98))
}

fn lines(done: &Done, key: &str) -> Vec<Value> {
    done.json().into_iter().filter(|line| !line[key].is_null()).collect()
}

fn profile(site: &Site) -> Done {
    site.dunlin(&["--format", "json", "profile"]).expect(0)
}

#[test]
fn references_that_lead_nowhere_are_counted_declared_ones_and_guesses() {
    let site = Site::new();
    site.sql("shop.db", &data());
    let done = site.dunlin(&["--format", "json", "profile", "sqlite:shop.db"]).expect(0);
    let found: Vec<String> = lines(&done, "broken")
        .iter()
        .map(|r| format!("{} {} {} {} {}", r["columns"][0], r["to"], r["declared"], r["rows"], r["broken"]))
        .collect();
    assert_eq!(found, ["\"person_id\" \"people\" true 99 1", "\"agent_id\" \"agents\" false 99 1"]);
    assert!(!done.out.contains("7777") && !done.out.contains("5521"), "a value is shown: {}", done.out);
    let words = site.dunlin(&["profile", "sqlite:shop.db"]).expect(0);
    assert!(words.out.contains("person_id → people(person_id): 1 lead nowhere"), "{}", words.out);
    assert!(words.out.contains("guessed by its name"), "{}", words.out);
}

#[test]
fn what_changed_since_the_last_look_and_what_the_plan_misses_is_told() {
    let site = Site::with_plan(PLAN);
    site.sql("old.db", &data());
    assert_eq!(lines(&profile(&site), "drift"), Vec::<Value>::new(), "nothing to compare with");
    assert_eq!(lines(&profile(&site), "drift"), Vec::<Value>::new(), "nothing changed");
    site.sql(
        "old.db",
        "alter table people add column vip text; update people set email = null where person_id <= 30",
    );
    let drift: Vec<String> = lines(&profile(&site), "drift")
        .iter()
        .map(|d| format!("{} {}", d["column"].as_str().unwrap(), d["drift"].as_str().unwrap()))
        .collect();
    assert_eq!(drift, ["vip plan-column-without-fate", "email share-moved", "vip column-new"]);
    let words = site.dunlin(&["profile"]).expect(0);
    assert!(words.out.contains("! email: empty: 0.0 % of the rows before, 30.0 % now"), "{}", words.out);
    // A run is a new beginning: what it found is what later looks are held against.
    site.edit_plan("email = {", "vip = \"vip\"\nemail = {");
    profile(&site);
    site.moved();
    assert_eq!(lines(&profile(&site), "drift"), Vec::<Value>::new());
    let html = site.path("profile.html");
    site.dunlin(&["profile", "--html", html.to_str().unwrap()]).expect(0);
    assert!(std::fs::read_to_string(html).unwrap().contains("<h2>people</h2>"));
}

#[test]
fn how_busy_a_source_is_can_be_watched_where_it_can_tell() {
    let site = Site::with_plan(PLAN);
    site.sql("old.db", &data());
    let refused = site.dunlin(&["profile", "--watch", "1s"]);
    assert_eq!(refused.code, 2, "a file does not tell: {refused:?}");
    let Some(from) = postgres("from") else { return };
    pg(
        &from,
        "create table people (person_id bigint primary key, email text); insert into people values (1, 'a@b.example')",
    );
    let site =
        Site::with_plan(&PLAN.replace("sqlite:old.db", &from).replace("old.people", "old.public.people"));
    let watched = site.dunlin(&["--format", "json", "profile", "--watch", "1s"]).expect(0).json();
    assert_eq!(watched[0]["hours_known"].as_u64().map(|n| n >= 1), Some(true), "{watched:?}");
    assert_eq!(watched[0]["load_by_hour"].as_array().map(Vec::len), Some(168));
    let shown = site.dunlin(&["profile"]).expect(0);
    assert!(shown.out.contains("of 168 hours of the week measured"), "{}", shown.out);
}
