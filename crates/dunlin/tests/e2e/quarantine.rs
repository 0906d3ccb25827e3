//! Rows that wait for a person: why they wait, what can be done with them, and that the equation holds after each step.

use serde_json::Value;

use crate::support::{Site, pg, pg_one, pg_rows, postgres};

const PLAN: &str = r#"
[plan]
name = "Dirty"
[store.old]
url = "sqlite:old.db"
[store.new]
url = "sqlite:new.db"

[[table]]
from = "old.customer"
to = "new.customer"
key = ["id"]
[table.columns]
id = "id"
name = { from = "name", kind = "person_name" }
age = "age"
[[table.rule]]
name = "adults"
check = "age >= 18"
otherwise = "quarantine"

[[table]]
from = "old.purchase"
to = "new.purchase"
key = ["id"]
"#;

const DATA: &str = "
    create table customer (id integer primary key, name text, age integer);
    create table purchase (id integer primary key, customer_id integer references customer (id), amount numeric(10,2));
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 100)
        insert into customer select i, 'Name ' || i, 20 + i % 60 from n;
    insert into purchase select id, id, id / 2.0 from customer union all select id + 100, id, 1 from customer;
    update customer set age = 'forty' where id = 10;
    update customer set age = 3 where id = 11;
    update customer set name = cast(x'4a6f73e9' as text) where id = 12;
    insert into purchase values (999, 999, 1);
";

fn dirty() -> Site {
    let site = Site::with_plan(PLAN);
    site.sql("old.db", DATA);
    site.moved();
    site
}

fn group<'a>(groups: &'a [Value], table: &str, reason: &str) -> (&'a str, u64) {
    let found = groups.iter().find(|g| g["table"] == table && g["reason"] == reason);
    let found = found.unwrap_or_else(|| panic!("no {reason} of {table} in {groups:?}"));
    (found["group"].as_str().unwrap(), found["rows"].as_u64().unwrap())
}

#[track_caller]
fn balance(site: &Site) -> [[u64; 5]; 2] {
    let done = site.verify().expect(0);
    done.balanced();
    [done.counts("new.customer"), done.counts("new.purchase")]
}

#[test]
fn each_row_waits_with_its_reason() {
    let site = dirty();
    assert_eq!(balance(&site), [[100, 97, 3, 0, 97], [201, 194, 7, 0, 194]]);
    let mut lines: Vec<String> = site
        .waiting()
        .iter()
        .map(|g| format!("{} {} {} {}", g["table"], g["reason"], g["column"], g["rows"]))
        .collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    "new.customer" "invalid-encoding" "name" 1
    "new.customer" "rule:adults" "age" 1
    "new.customer" "wrong-type" "age" 1
    "new.purchase" "foreign-key" "customer_id" 1
    "new.purchase" "parent-quarantined" "customer_id" 6
    "#);
    let groups = site.waiting();
    let (unread, _) = group(&groups, "new.customer", "wrong-type");
    let masked = site.dunlin(&["quarantine", "show", unread]).expect(0);
    insta::assert_snapshot!(site.plain(&masked.out), @r"
    position 10: wrong-type in age
        id                   1•••
        name                 N••• 1•••
        age                  f•••
    ");
    let (latin, _) = group(&groups, "new.customer", "invalid-encoding");
    let clear =
        site.dunlin(&["quarantine", "show", latin, "--clear", "--purpose", "steward: ticket 4711"]).expect(0);
    insta::assert_snapshot!(site.plain(&clear.out), @r"
    position 12: invalid-encoding in name
        id                   12
        name                 Jos�
        age                  32
    ");
    let refused = site.dunlin(&["quarantine", "show", "nothing"]).expect(2);
    insta::assert_snapshot!(site.plain(&refused.err), @r"
    error: no row waits in group `nothing`
      help: `dunlin quarantine list` names the groups
    ");
    site.run(&["--strict"]).expect(1);
}

#[test]
fn a_fix_releases_a_parent_and_then_its_children() {
    let site = dirty();
    let groups = site.waiting();
    let (unread, 1) = group(&groups, "new.customer", "wrong-type") else { panic!("{groups:?}") };
    site.dunlin(&["quarantine", "fix", unread, "--set", "age = 40", "--dry-run"]).expect(0);
    assert_eq!(balance(&site)[0], [100, 97, 3, 0, 97]);
    let wrong = site.dunlin(&["quarantine", "fix", unread, "--set", "agee = 40"]).expect(2);
    insta::assert_snapshot!(site.plain(&wrong.err), @r"
    error: new.customer reads no source column `agee`
      help: did you mean `age`?
    ");
    let fixed = site.dunlin(&["quarantine", "fix", unread, "--set", "age = 40"]).expect(0);
    insta::assert_snapshot!(format!("{}{}", fixed.out, fixed.err), @r"
    new.customer: 1 row looked at; 1 released, 0 left behind
    6 rows of other tables wait for a parent: `dunlin quarantine list`, then release them
    ");
    assert_eq!(site.rows("new.db", "name, age", "customer where id = 10"), ["'Name 10'|40"]);
    assert_eq!(balance(&site), [[100, 98, 2, 0, 98], [201, 194, 7, 0, 194]]);

    let groups = site.waiting();
    let (children, 6) = group(&groups, "new.purchase", "parent-quarantined") else { panic!("{groups:?}") };
    let released = site.dunlin(&["quarantine", "release", children]).expect(0);
    insta::assert_snapshot!(format!("{}{}", released.out, released.err), @"new.purchase: 6 rows looked at; 6 released, 0 left behind");
    assert_eq!(balance(&site), [[100, 98, 2, 0, 98], [201, 196, 5, 0, 196]]);
    assert_eq!(site.one("new.db", "select count(*) from purchase where customer_id = 10"), "2");
    assert_eq!(site.one("new.db", "select count(*) from pragma_foreign_key_check"), "0");
}

#[test]
fn a_fix_can_be_tried_on_all_that_wait_for_one_reason_and_shows_what_the_values_become() {
    let plan = r#"
[plan]
name = "Dirty"
[store.old]
url = "file:people.csv"
[store.new]
url = "sqlite:new.db"
[[table]]
from = "old"
to = "new.people"
key = ["id"]
[table.columns]
id = "id"
born_on = { clean = "date", from = "dob", formats = ["%Y-%m-%d"], kind = "birth_date" }
"#;
    let site = Site::with_plan(plan);
    let rows: String = (1..=20)
        .map(|i| match i {
            1..=4 => format!("{i},1{i}/05/1980\n"),
            5..=6 => format!("{i},see the file\n"),
            _ => format!("{i},1980-05-11\n"),
        })
        .collect();
    std::fs::write(site.path("people.csv"), format!("id,dob\n{rows}")).unwrap();
    site.moved();
    let groups = site.waiting();
    assert_eq!(groups.len(), 2, "{groups:?}");
    let reason = groups[0]["reason"].as_str().unwrap().to_owned();
    let column = groups[0]["column"].as_str().unwrap().to_owned();
    let all = ["--reason", &reason, "--table", "new.people", "--column", &column];
    let turn = "dob = substr(dob, 7, 4) || '-' || substr(dob, 4, 2) || '-' || substr(dob, 1, 2)";
    let fix = |set: &str, more: &[&str]| {
        let args = [&["quarantine", "fix"], all.as_slice(), &["--set", set], more].concat();
        site.dunlin(&args).expect(0)
    };
    let tried = fix(turn, &["--dry-run", "--rows", "1"]);
    insta::assert_snapshot!(tried.out, @r"
    new.people: 6 rows looked at; 4 would be released, 0 would be left behind
      4 rows: dob 99/99/9999 → 9999-99-99
      2 rows: dob A A A → A A- A-A
      2 still wait: wrong-type in born_on
      position 2: dob 1980 → 1980
    ");
    assert!(!tried.out.contains("11/05") && !tried.out.contains("05-11"), "no value is shown");
    let waiting = || site.waiting().iter().map(|g| g["rows"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(waiting(), 6, "nothing has changed");
    fix(turn, &[]);
    assert_eq!(waiting(), 2);
    fix("dob = null", &[]);
    assert_eq!(waiting(), 0);
    assert_eq!(site.rows("new.db", "born_on", "people where id in (1, 5)"), ["'1980-05-11'", "NULL"]);
    site.verify().expect(0).balanced();
    let nothing = site.dunlin(&["quarantine", "release", "--reason", &reason, "--table", "new.people"]);
    insta::assert_snapshot!(site.plain(&nothing.expect(2).err), @r"
    error: no row in quarantine fits
      help: `dunlin quarantine list` names the groups that wait
    ");
}

#[test]
fn what_still_fails_still_waits_and_what_is_discarded_is_excluded() {
    let site = dirty();
    let groups = site.waiting();
    let (minors, _) = group(&groups, "new.customer", "rule:adults");
    let same = site.dunlin(&["quarantine", "release", minors]).expect(0);
    insta::assert_snapshot!(same.out, @r"
    new.customer: 1 row looked at; 0 released, 0 left behind
      1 still waits: rule:adults in age
    ");
    assert_eq!(balance(&site)[0], [100, 97, 3, 0, 97]);
    site.dunlin(&["quarantine", "discard", minors]).expect(0);
    assert_eq!(balance(&site)[0], [100, 97, 2, 1, 97]);
    let (orphan, _) = group(&groups, "new.purchase", "foreign-key");
    site.dunlin(&["quarantine", "discard", orphan]).expect(0);
    assert_eq!(balance(&site)[1], [201, 194, 6, 1, 194]);
    site.dunlin(&["quarantine", "discard", orphan]).expect(2);
    let report = site.dunlin(&["report"]).expect(0);
    assert!(report.code == 0 && site.path("report/report.html").exists());
}

const STRICT: &str = "
    create table customer (id integer primary key, name varchar(10) not null unique, age integer check (age > 30))
";

#[test]
fn rows_that_the_targets_constraints_refuse_wait() {
    let expected = [[100, 90, 10, 0, 90], [100, 90, 10, 0, 90]];
    let data = "create table customer (id integer primary key, name text, age integer);
        with recursive n (i) as (select 1 union all select i + 1 from n where i < 100)
            insert into customer select i, 'Name ' || i, 40 from n;
        update customer set age = 20 where id in (5, 50, 100); update customer set name = null where id in (6, 51);
        update customer set name = 'a name that is too long for it' where id in (7, 52);
        update customer set name = 'Name 1' where id in (8, 53, 99);";
    let plan = PLAN.split("[[table.rule]]").next().unwrap();
    let mut found = Vec::new();
    let site = Site::with_plan(plan);
    site.sql("old.db", data);
    site.sql("new.db", STRICT);
    site.moved();
    let done = site.verify().expect(0);
    done.balanced();
    found.push(done.counts("new.customer"));
    insta::assert_snapshot!(reasons(&site), @r#"
    "check" null 3
    "not-null" "name" 2
    "unique" "name" 3
    "would-change" "name" 2
    "#);
    if let Some(url) = postgres("strict") {
        let site = Site::with_plan(&plan.replace("sqlite:new.db", &url));
        site.sql("old.db", data);
        pg(&url, STRICT);
        site.moved();
        let done = site.verify().expect(0);
        done.balanced();
        found.push(done.counts("new.customer"));
        assert_eq!(pg_one(&url, "select count(*) from customer"), "90");
        insta::assert_snapshot!(reasons(&site), @r#"
    "check" null 3
    "not-null" "name" 2
    "unique" null 3
    "would-change" "name" 2
    "#);
    }
    assert_eq!(found, expected[..found.len()]);
}

/// Between two databases a table that the plan leaves as it is moves in the bytes of the wire. Rows that the target
/// refuses are then found and kept as on any other way, and so is everything that is counted and hashed.
#[test]
fn rows_that_stay_in_the_bytes_of_the_wire_are_refused_and_kept_like_others() {
    let (Some(from), Some(to)) = (postgres("wire_from"), postgres("wire_to")) else { return };
    pg(
        &from,
        "create table customer (id integer primary key, name varchar(40), age integer, credit numeric(12,2),
            born date, seen timestamptz, wish jsonb, token uuid, photo bytea, score double precision);
        insert into customer select i, 'Näme ' || i, 40 + i % 30, i / 3.0, date '1950-01-01' + i,
            timestamptz '2020-01-01' + i * interval '1 minute', jsonb_build_object('n', i), gen_random_uuid(),
            decode(md5(i::text), 'hex'), case when i % 7 = 0 then 'NaN' else sqrt(i) end from generate_series(1, 3000) i;
        update customer set age = 20 where id in (5, 1500, 3000);
        update customer set name = 'Näme 1' where id in (8, 2999);
        update customer set credit = null, born = 'infinity', wish = null where id % 10 = 0;",
    );
    pg(
        &to,
        "create table customer (id integer primary key, name varchar(40) unique, age integer check (age > 30),
            credit numeric(12,2), born date, seen timestamptz, wish jsonb, token uuid, photo bytea,
            score double precision);",
    );
    let table = "[[table]]\nfrom = \"old.customer\"\nto = \"new.customer\"\nkey = [\"id\"]\n";
    let stores = format!("[store.old]\nurl = \"{from}\"\n[store.new]\nurl = \"{to}\"\n");
    let site = Site::with_plan(&format!("[plan]\nname = \"Wire\"\n{stores}{table}"));
    site.moved();
    let done = site.verify().expect(0);
    done.balanced();
    assert_eq!(done.counts("new.customer"), [3000, 2995, 5, 0, 2995]);
    insta::assert_snapshot!(reasons(&site), @r#"
    "check" null 3
    "unique" null 2
    "#);
    assert_eq!(
        pg_rows(&to, "select md5(string_agg(c::text, ',' order by id)) from customer c"),
        pg_rows(
            &from,
            "select md5(string_agg(c::text, ',' order by id)) from customer c where id not in (5, 1500, 3000, 8, 2999)",
        )
    );
    // The rows that wait are whole: what stood against them is mended, and they go, the long way this time.
    pg(&to, "alter table customer drop constraint customer_age_check");
    let groups = site.waiting();
    let (minors, _) = group(&groups, "new.customer", "check");
    site.dunlin(&["quarantine", "release", minors]).expect(0);
    assert_eq!(
        pg_rows(&to, "select c::text from customer c where id = 1500"),
        pg_rows(&from, "select c::text from customer c where id = 1500")
    );
    site.verify().expect(0).balanced();
}

fn reasons(site: &Site) -> String {
    let mut lines: Vec<String> =
        site.waiting().iter().map(|g| format!("{} {} {}", g["reason"], g["column"], g["rows"])).collect();
    lines.sort();
    lines.join("\n")
}

#[test]
fn a_stop_rule_stops_and_the_run_goes_on_when_the_cause_is_mended() {
    let site = Site::with_plan(&PLAN.replace("otherwise = \"quarantine\"", "otherwise = \"stop\""));
    site.sql("old.db", DATA);
    let stopped = site.dunlin(&["run"]).expect(1);
    insta::assert_snapshot!(site.plain(&stopped.err), @r"
    new.customer, about 100 rows
    error: the run stopped: rule `adults` of new.customer failed at source position 11
      help: mend the cause and run again: it goes on where it stopped
    ");
    let again = site.run(&[]).expect(1);
    assert!(again.err.contains("going on with run"), "{}", again.err);
    site.sql("old.db", "update customer set age = 33 where id = 11");
    let done = site.moved();
    assert_eq!(done.counts("new.customer"), [100, 98, 2, 0, 98]);
    site.verify().expect(0).balanced();
}

#[test]
fn too_many_rows_in_quarantine_stop_the_run() {
    let site = Site::with_plan(PLAN);
    site.sql("old.db", DATA);
    let stopped = site.dunlin(&["run", "--max-quarantine", "2"]).expect(1);
    insta::assert_snapshot!(site.plain(&stopped.err), @r"
    new.customer, about 100 rows
    error: the run stopped: more than 2 rows went to quarantine, the limit of --max-quarantine
      help: mend the cause and run again: it goes on where it stopped
    ");
    let done = site.run(&["--max-quarantine", "100"]).expect(0);
    done.balanced();
    assert_eq!(balance(&site), [[100, 97, 3, 0, 97], [201, 194, 7, 0, 194]]);
}

#[test]
fn decisions_outlive_a_second_run() {
    let site = dirty();
    let groups = site.waiting();
    let (unread, _) = group(&groups, "new.customer", "wrong-type");
    site.dunlin(&["quarantine", "fix", unread, "--set", "age = 40"]).expect(0);
    let (minors, _) = group(&groups, "new.customer", "rule:adults");
    site.dunlin(&["quarantine", "discard", minors]).expect(0);
    let (children, _) = group(&groups, "new.purchase", "parent-quarantined");
    site.dunlin(&["quarantine", "release", children]).expect(0);
    let before = balance(&site);
    assert_eq!(before, [[100, 98, 1, 1, 98], [201, 196, 5, 0, 196]]);
    let again = site.moved();
    assert_eq!([again.counts("new.customer"), again.counts("new.purchase")], before);
    assert_eq!(balance(&site), before);
    // When the source changes there, the table is done anew: nothing is lost, and what was wrong waits again.
    site.sql("old.db", "update customer set name = 'Changed' where id = 1");
    let changed = site.moved();
    assert_eq!(changed.counts("new.customer")[0], 100);
    balance(&site);
    assert_eq!(site.one("new.db", "select count(*) from pragma_foreign_key_check"), "0");
    assert_eq!(site.rows("new.db", "name", "customer where id = 1"), ["'Changed'"]);
}
