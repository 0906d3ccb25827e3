//! Rules on all rows of a table together: rows that stand against one leave, a run that may not finish does not, and
//! `verify` looks again.

use serde_json::Value;

use crate::support::{Site, pg, postgres};

const DATA: &str = "
    create table people (id integer primary key, email text);
    insert into people values (1, 'ana@example.com'), (2, 'ben@example.com'), (3, 'ana@example.com'), (4, null), (5, null);
    create table lines (id integer primary key, person bigint, amount text);
    insert into lines values (1, 1, '10.10'), (2, 2, '-10.10'), (3, 77, '0.30'), (4, null, '-0.30'), (5, 3, '0.00');
";

const TABLES: &str = "
    [[table]]\nfrom = \"old.people\"\nto = \"new.people\"\nkey = [\"id\"]\n[table.columns]\nid = \"id\"\nemail = \"email\"\n
    [[table.set]]\nname = \"each address once\"\nunique = [\"email\"]\notherwise = \"quarantine\"\n
    [[table]]\nfrom = \"old.lines\"\nto = \"new.lines\"\nkey = [\"id\"]\n
    [table.columns]\nid = \"id\"\nperson = \"person\"\namount = { clean = \"number\", from = \"amount\" }\n
    [[table.set]]\nname = \"somebody's\"\nrefers = [\"person\"]\nto = \"new.people\"\nkey = [\"id\"]\notherwise = \"quarantine\"\n";

fn plan(old: &str, new: &str, sets: &str) -> String {
    format!(
        "[plan]\nname = \"Sets\"\n[store.old]\nurl = \"{old}\"\n[store.new]\nurl = \"{new}\"\n{}\n{sets}",
        TABLES.replace("    [", "[")
    )
}

fn site(sets: &str) -> Site {
    let site = Site::with_plan(&plan("sqlite:old.db", "sqlite:new.db", sets));
    site.sql("old.db", DATA);
    site
}

fn set(table: &Value, name: &str) -> Value {
    let sets = table["sets"].as_array().unwrap_or_else(|| panic!("no sets in {table}"));
    sets.iter().find(|set| set["name"] == name).unwrap_or_else(|| panic!("no {name} in {table}")).clone()
}

/// Groups that wait, as `table reason rows`.
fn waiting(site: &Site) -> Vec<String> {
    let word = |group: &Value| {
        format!(
            "{} {} {}",
            group["table"].as_str().unwrap(),
            group["reason"].as_str().unwrap(),
            group["rows"]
        )
    };
    let mut waiting: Vec<String> = site.waiting().iter().map(word).collect();
    waiting.sort();
    waiting
}

/// The second Ana leaves, with her line; so does the line of somebody who is not there.
const LEFT: [&str; 3] =
    ["new.lines parent-quarantined 1", "new.lines rule:somebody's 1", "new.people rule:each address once 1"];

#[test]
fn rows_that_stand_against_a_rule_on_all_rows_leave_and_nothing_is_lost() {
    let site = site("");
    let run = site.moved();
    assert_eq!(run.counts("new.people"), [5, 4, 1, 0, 4]);
    assert_eq!(waiting(&site), LEFT);
    assert_eq!(set(&run.table("new.people"), "each address once")["holds"], true);
    let verified = site.verify().expect(0);
    assert_eq!(set(&verified.table("new.lines"), "somebody's")["broken"], 0);
    // What somebody puts there afterwards is seen.
    site.sql("new.db", "update people set email = 'ben@example.com' where id = 1");
    let after = site.verify().expect(1);
    assert_eq!(set(&after.table("new.people"), "each address once")["broken"], 1);
}

#[test]
fn the_same_between_two_postgres_servers() {
    let Some((from, to)) = postgres("from").zip(postgres("to")) else { return };
    pg(&from, &DATA.replace("integer", "bigint"));
    let text = plan(&from, &to, "").replace("old.", "old.public.").replace("\"new.", "\"new.public.");
    let site = Site::with_plan(&text);
    site.moved();
    let left: Vec<String> = waiting(&site).iter().map(|line| line.replace("new.public.", "new.")).collect();
    assert_eq!(left, LEFT);
    site.verify().expect(0).balanced();
}

#[test]
fn a_sum_or_a_count_that_is_not_as_it_should_be_stops_the_run_or_warns() {
    let sets = "[[table.set]]\nname = \"balances\"\nsum = \"amount\"\nequals = \"0\"\notherwise = \"stop\"\n\
                [[table.set]]\nname = \"many\"\nat_least = 100\notherwise = \"warn\"\n";
    let site = site(sets);
    let run = site.run(&[]);
    // The line of nobody waits, so the books do not balance: the run does not finish.
    assert_eq!(run.code, 1, "{run:?}");
    let told = format!("{}{}", run.out, run.err);
    assert!(told.contains("`balances`") && told.contains("something else"), "{told}");
    // It may be one customer's amount, and errors go into logs.
    assert!(!told.contains("-0.30"), "{told}");
    let again = site.run(&[]);
    assert_eq!(again.code, 1, "it goes on from where it was: {again:?}");
}

#[test]
fn a_rule_that_only_warns_is_told_and_the_run_finishes() {
    let sets = "[[table.set]]\nname = \"balances\"\nsum = \"amount\"\nequals = \"-0.30\"\notherwise = \"stop\"\n\
                [[table.set]]\nname = \"many\"\nat_least = 100\notherwise = \"warn\"\n";
    let site = site(sets);
    let lines = site.moved().table("new.lines");
    assert_eq!(
        (&set(&lines, "balances")["holds"], &set(&lines, "balances")["is"]),
        (&true.into(), &"-0.30".into())
    );
    assert_eq!((&set(&lines, "many")["holds"], &set(&lines, "many")["is"]), (&false.into(), &"3".into()));
    let words = site.dunlin(&["verify"]).expect(0);
    assert!(words.out.contains("rule `many` does not hold: at least 100 rows; it is 3"), "{}", words.out);
    site.dunlin(&["report"]).expect(0);
    assert!(site.read("report/report.html").contains("3 of 4 rules on whole tables hold"));
}

#[test]
fn a_rule_that_cannot_be_looked_at_is_told_before_a_row_moves() {
    for (right, wrong, said) in [
        ("unique = [\"email\"]", "unique = [\"mail\"]", "did you mean `email`?"),
        (
            "to = \"new.people\"\nkey = [\"id\"]\notherwise",
            "to = \"new.peoples\"\nkey = [\"id\"]\notherwise",
            "neither the plan nor the store has",
        ),
        ("key = [\"id\"]\notherwise", "key = [\"nid\"]\notherwise", "does not have"),
    ] {
        let site = site("");
        site.edit_plan(right, wrong);
        let check = site.dunlin(&["check"]);
        let told = format!("{}{}", check.out, check.err);
        assert!(check.code != 0 && told.contains(said), "{wrong}: {told}");
        assert!(!site.path("new.db").exists(), "nothing was touched");
    }
}

#[test]
fn rows_of_a_table_that_others_refer_to_in_the_target_are_not_asked_to_leave() {
    let site = site("");
    site.sql(
        "new.db",
        "create table people (id integer primary key, email text); \
         create table cards (id integer primary key, person bigint references people (id) on delete cascade)",
    );
    let check = site.dunlin(&["check"]);
    let told = format!("{}{}", check.out, check.err);
    assert!(check.code == 1 && told.contains("could not leave") && told.contains("cards"), "{told}");
    site.edit_plan(
        "unique = [\"email\"]\notherwise = \"quarantine\"",
        "unique = [\"email\"]\notherwise = \"warn\"",
    );
    let run = site.run(&[]).expect(0);
    assert_eq!(set(&run.table("new.people"), "each address once")["broken"], 1);
}

#[test]
fn a_second_run_is_not_refused_because_the_plans_own_tables_refer_to_each_other() {
    let site = Site::with_plan(&plan("sqlite:old.db", "sqlite:new.db", ""));
    let data = DATA.replace("person bigint,", "person bigint references people (id),");
    site.sql("old.db", &data.replace("(3, 77,", "(3, 2,"));
    site.moved();
    let created = site.one("new.db", "select sql from sqlite_master where name = 'lines'");
    assert!(created.to_lowercase().contains("references"), "the key is there: {created}");
    site.dunlin(&["check"]).expect(0);
    let again = site.moved();
    assert_eq!(again.counts("new.people"), [5, 4, 1, 0, 4]);
    assert_eq!(set(&again.table("new.people"), "each address once")["holds"], true);
}

#[test]
fn a_rule_that_rows_of_others_break_is_not_passed_over() {
    let site = site("");
    site.edit_plan(
        "from = \"old.people\"\nto = \"new.people\"",
        "from = \"old.people\"\nto = \"new.people\"\ninto = \"append\"",
    );
    site.sql(
        "new.db",
        "create table people (id integer primary key, email text); \
         insert into people values (100, 'zoe@example.com'), (101, 'zoe@example.com')",
    );
    let run = site.run(&[]).expect(1);
    let rule = set(&run.table("new.people"), "each address once");
    assert_eq!((&rule["holds"], &rule["broken"], &rule["others"]), (&false.into(), &1.into(), &1.into()));
    let words = site.dunlin(&["verify"]).expect(1);
    assert!(words.out.contains("not its to move"), "{}", words.out);
}
