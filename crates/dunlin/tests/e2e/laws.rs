//! The law for each value: it arrives as it is, or it is changed by a rule of the plan and counted, or its row is refused
//! with table, key, column and reason. Here: targets that are narrower than their source, names that a target takes for
//! one another, and rows that are written meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{Site, pg, pg_one, pg_rows, postgres};

/// Source type, target type, the values that arrive, and those that wait with their reason.
type Pair = (&'static str, &'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const WOULD: &str = "would-change";
const RANGE: &str = "out-of-range";
const WRONG: &str = "wrong-type";

const NARROWER: &[Pair] = &[
    ("bigint", "smallint", &["1", "-32768"], &[("40000", RANGE), ("-32769", RANGE)]),
    ("numeric", "integer", &["1", "100"], &[("1.5", WRONG), ("NaN", WRONG), ("3000000000", RANGE)]),
    ("numeric", "numeric(5,2)", &["1.5", "-999.99"], &[("1.505", WOULD), ("1000", RANGE)]),
    ("numeric", "float8", &["0.1", "1e300", "NaN"], &[("12345678901234567890", WOULD), ("1e-400", RANGE)]),
    ("bigint", "float8", &["9007199254740992", "-1"], &[("9007199254740993", WOULD)]),
    ("float8", "real", &["0.1", "1.5", "NaN", "-Infinity"], &[("0.123456789012", WOULD), ("1e300", RANGE)]),
    ("text", "varchar(3)", &["abc", "", "üüü"], &[("abcd", WOULD), ("ab  ", WOULD)]),
    ("text", "char(3)", &["abc", "ab"], &[("abcd", WOULD)]),
    (
        "timestamp",
        "timestamp(0)",
        &["2020-01-01 00:00:00", "infinity", "0044-03-15 00:00:00 BC"],
        &[("2020-01-01 00:00:00.6", WOULD), ("1969-12-31 23:59:59.999999", WOULD)],
    ),
    ("timestamp(6)", "timestamp(3)", &["2020-01-01 00:00:00.123"], &[("2020-01-01 00:00:00.123456", WOULD)]),
    ("timestamptz", "timestamptz(0)", &["2020-01-01 00:00:00+02"], &[("2020-01-01 00:00:00.4+02", WOULD)]),
    ("time", "time(0)", &["10:00:00", "24:00:00"], &[("10:00:00.6", WOULD)]),
    ("json", "jsonb", &["{\"b\": 1}", "[1.10]"], &[("{\"a\":1, \"a\":2}", WOULD)]),
    ("text", "jsonb", &["{\"b\": 1}"], &[("{\"a\":{\"b\":1, \"b\":1}}", WOULD), ("x", WRONG)]),
    ("text", "uuid", &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], &[("x", WRONG)]),
    ("text", "date", &["2020-02-29"], &[("2020-02-30", RANGE), ("03/04/2020", WRONG), ("now", WRONG)]),
    ("integer", "positive", &["1"], &[("-1", "check")]),
    ("text", "mood", &["ok"], &[("OK", WRONG)]),
    ("integer[]", "smallint[]", &["{1,2}"], &[("{1,40000}", RANGE)]),
];

#[test]
fn what_a_narrower_table_would_change_waits_with_its_reason() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    let types =
        "create domain positive as integer check (value > 0); create type mood as enum ('sad', 'ok');";
    let (mut source, mut target) = (types.to_owned(), types.to_owned());
    let names: Vec<String> = (0..NARROWER.len()).map(|n| format!("t{n}")).collect();
    for ((wide, narrow, arrive, wait), name) in NARROWER.iter().zip(&names) {
        source += &format!("create table {name} (id integer primary key, v {wide});");
        target += &format!("create table {name} (id integer primary key, v {narrow});");
        let values = arrive.iter().chain(wait.iter().map(|(value, _)| value));
        for (id, value) in values.enumerate() {
            source += &format!("insert into {name} values ({id}, '{value}');");
        }
    }
    pg(&from, &source);
    pg(&to, &target);
    let tables: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), "id")).collect();
    let site = Site::with_plan(&crate::moves::plan(&from, &to, &tables));
    let done = site.run(&[]).expect(0);
    done.balanced();
    for ((wide, narrow, arrive, wait), name) in NARROWER.iter().zip(&names) {
        let what = format!("{wide} into {narrow}");
        let label = format!("new.{name}");
        let there = pg_rows(&to, &format!("select id::text from {name} order by id"));
        assert_eq!(there.len(), arrive.len(), "{what}: {}", done.table(&label));
        for (id, value) in arrive.iter().enumerate() {
            let same = format!("select v = '{value}'::{narrow} from {name} where id = {id}");
            assert_eq!(pg_one(&to, &same), "true", "{what}: {value}");
        }
        let mut waiting: Vec<(u64, String)> = Vec::new();
        for group in site.waiting().iter().filter(|g| g["table"] == label.as_str()) {
            // What the server alone can judge it does not always say the column of.
            let by_server = ["mood", "positive", "smallint[]"].contains(narrow);
            assert!(group["column"] == "v" || by_server, "{what}: {group}");
            let (reason, rows) = (group["reason"].as_str().unwrap(), group["rows"].as_u64().unwrap());
            waiting.push((rows, reason.to_owned()));
        }
        let mut reasons: Vec<&str> = waiting
            .iter()
            .flat_map(|(rows, reason)| std::iter::repeat_n(reason.as_str(), *rows as usize))
            .collect();
        reasons.sort_unstable();
        let mut expected: Vec<&str> = wait.iter().map(|(_, reason)| *reason).collect();
        expected.sort_unstable();
        assert_eq!(reasons, expected, "{what}");
    }
    site.verify().expect(0).balanced();
}

#[test]
fn a_moment_that_gains_or_loses_its_zone_is_told_before_a_row_moves() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(&from, "create table t (id integer primary key, a timestamp, b timestamptz)");
    pg(&to, "create table t (id integer primary key, a timestamptz, b timestamp)");
    let site = Site::with_plan(&crate::moves::plan(&from, &to, &[("t", "id")]));
    let told = site.dunlin(&["check", "--format", "json"]).expect(0).json();
    let columns: Vec<&str> =
        told.iter().filter(|f| f["rule"] == "move-zone").filter_map(|f| f["column"].as_str()).collect();
    assert_eq!(columns, ["a", "b"], "{told:?}");
}

fn told(site: &Site) -> Vec<String> {
    let found = site.dunlin(&["check", "--format", "json"]).expect(1).json();
    let errors = found.iter().filter(|f| f["level"] == "error");
    errors.map(|f| f["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn names_that_a_target_takes_for_one_another_or_cuts_are_told_before_anything_is_made() {
    // Columns of a file whose names differ by nothing but their case.
    let site = Site::with_plan(&crate::moves::plan("file:in/", "sqlite:new.db", &[("people", "id")]));
    site.write("in/people.csv", "id,name,Name\n1,a,b\n");
    assert_eq!(told(&site), ["SQLite takes `name` and `Name` for one column"]);
    assert!(!site.path("new.db").exists());
    // Too long a name, and one that every PostgreSQL table has.
    if let Some(to) = postgres("to") {
        let long = "a customer's name as it stands on the very first page of the contract";
        let site = Site::with_plan(&crate::moves::plan("file:in/", &to, &[("people", "id")]));
        site.write("in/people.csv", format!("id,xmin,{long}\n1,a,b\n"));
        assert_eq!(
            told(&site),
            [
                "every PostgreSQL table has a column `xmin` of its own".to_owned(),
                format!("PostgreSQL would cut the name of `{long}` after 63 bytes")
            ]
        );
        assert_eq!(pg_one(&to, "select count(*) from pg_class where relname = 'people'"), "0");
    }
    // Tables of PostgreSQL.
    let Some(from) = postgres("from") else { return };
    pg(
        &from,
        "create table \"People\" (id int primary key); create table people (id int primary key); create table bare ()",
    );
    let tables = [("People", "id"), ("people", "id")];
    let plan = crate::moves::plan(&from, "sqlite:new.db", &tables)
        + "\n[[table]]\nfrom = \"old.bare\"\nto = \"new.bare\"\n";
    let site = Site::with_plan(&plan);
    assert_eq!(
        told(&site),
        ["SQLite takes `People` and `people` for one table", "SQLite holds no table without columns"]
    );
}

#[test]
fn a_column_that_takes_its_number_from_a_counter_may_still_hold_null() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(
        &from,
        "create sequence numbers; create table t (id serial primary key, n integer default nextval('numbers')); \
         insert into t (n) values (null), (7), (default)",
    );
    let plan = crate::moves::plan(&from, &to, &[("t", "id")]).replace("new.t", "new.other");
    let site = Site::with_plan(&plan);
    let done = site.moved();
    assert_eq!(done.counts("new.other"), [3, 3, 0, 0, 3]);
    assert_eq!(pg_one(&to, "select count(*) from other where n is null"), "1");
    // What makes its own numbers goes on behind the largest.
    pg(&to, "insert into other (n) values (9)");
    assert_eq!(pg_one(&to, "select max(id) from other"), "4");
}

#[test]
fn rows_that_are_written_meanwhile_do_not_tear_the_view() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    // Money goes from one table to the other, rows come and go in pairs: the sum and the counts of one moment are fixed.
    pg(
        &from,
        "create table a (id integer primary key, n bigint not null, pad text default repeat('x', 200)); \
         create table b (id integer primary key, n bigint not null, pad text default repeat('x', 200)); \
         insert into a (id, n) select i, 100 from generate_series(1, 20000) i; \
         insert into b (id, n) select i, 100 from generate_series(1, 20000) i",
    );
    let over = Arc::new(AtomicBool::new(false));
    let writer = {
        let (from, over) = (from.clone(), over.clone());
        std::thread::spawn(move || {
            let mut round = 0;
            while !over.load(Ordering::Relaxed) {
                let (some, other) = (1 + round * 7919 % 20_000, 1 + round * 104_729 % 20_000);
                pg(
                    &from,
                    &format!(
                        "begin; update a set n = n - 1 where id = {some}; update b set n = n + 1 where id = {other}; \
                         insert into a (id, n) values ({0}, 5); insert into b (id, n) values ({0}, -5); commit; \
                         begin; delete from a where id = {0}; delete from b where id = {0}; commit",
                        100_000 + round
                    ),
                );
                round += 1;
            }
            round
        })
    };
    let site = Site::with_plan(&crate::moves::plan(&from, &to, &[("a", "id"), ("b", "id")]));
    let mut command = site.command(&["run", "--format", "json", "--jobs", "4"]);
    command.env("DUNLIN_ROWS_PER_SPLIT", "1000");
    let done = crate::support::Done::of(command).expect(0);
    over.store(true, Ordering::Relaxed);
    let rounds = writer.join().unwrap();
    assert!(rounds > 3, "only {rounds} rounds were written meanwhile");
    done.balanced();
    assert_eq!(pg_one(&to, "select (select sum(n) from a) + (select sum(n) from b)"), "4000000");
    assert_eq!(pg_one(&to, "select (select count(*) from a) - (select count(*) from b)"), "0");
    // The source has moved on, and is now at rest: a second run brings that over, no row twice and none missing.
    site.moved();
    let content = "select md5(string_agg(id || ' ' || n, ',' order by id)) from (select id, n from a union all select id + 1000000, n from b) x";
    assert_eq!(pg_one(&to, content), pg_one(&from, content));
    site.verify().expect(0).balanced();
}

#[test]
fn rows_that_a_policy_hides_stop_their_table_and_no_smaller_number_passes_for_all() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    let role = format!("dunlin_reader_{}", std::process::id());
    pg(
        &from,
        &format!(
            "create role {role} login password 'x'; create table open (id integer primary key); insert into open values (1); \
             create table hidden (id integer primary key, who text); insert into hidden values (1, 'a'), (2, '{role}'); \
             alter table hidden enable row level security; create policy own on hidden using (who = current_user); \
             grant select on open, hidden to {role}"
        ),
    );
    let (_, place) = from.split_once('@').unwrap();
    let site = Site::with_plan(&crate::moves::plan("env:OLD", &to, &[("hidden", "id"), ("open", "id")]));
    let mut command = site.command(&["run", "--format", "json"]);
    command.env("OLD", format!("postgres://{role}:x@{place}"));
    let done = crate::support::Done::of(command).expect(1);
    assert!((done.out.clone() + &done.err).contains("BYPASSRLS"), "{}{}", done.out, done.err);
    assert_eq!(pg_one(&to, "select count(*) from hidden"), "0");
    assert_eq!(pg_one(&to, "select count(*) from open"), "1", "the other table goes on");
    pg(&from, &format!("drop owned by {role}; drop role {role}"));
}

#[test]
fn what_one_kind_of_store_cannot_hold_waits_and_the_rest_comes_back_the_same() {
    let (Some(there), Some(back)) = (postgres("there"), postgres("back")) else { return };
    let site = Site::with_plan(&crate::moves::plan("sqlite:old.db", &there, &[("t", "id")]));
    site.sql(
        "old.db",
        "create table t (id integer primary key, v text, x real); \
         insert into t values (1, 'whole', 1e999), (2, 'cut' || char(0) || 'here', 1), (3, '', -1e999), (4, null, null), \
            (5, char(128054) || char(0x200d), -0.5), (6, ' ', 5e-324)",
    );
    let done = site.moved();
    assert_eq!(done.counts("new.t"), [6, 5, 1, 0, 5]);
    let waiting = site.waiting();
    assert_eq!((&waiting[0]["reason"], &waiting[0]["column"]), (&"nul-byte".into(), &"v".into()));
    let all = "select id || ' ' || coalesce('<' || v || '>', 'null') || ' ' || coalesce(x::text, 'null') from t order by id";
    assert_eq!(
        pg_rows(&there, all),
        ["1 <whole> Infinity", "3 <> -Infinity", "4 null null", "5 <\u{1f436}\u{200d}> -0.5", "6 < > 5e-324"]
    );
    pg(
        &there,
        "insert into t values (7, 'not a number', 'NaN'); create view wide as select id, v, x, 'infinity'::timestamp as at, 'NaN'::numeric as n, repeat('9', 200)::numeric as big from t",
    );
    // Through a file of each kind, and back: empty text and NULL stay apart, NaN stays NaN.
    for format in ["csv", "jsonl", "parquet"] {
        pg(&back, "drop schema public cascade; create schema public; drop schema if exists dunlin cascade");
        let out = Site::with_plan(
            &crate::moves::plan(&there, "file:out/", &[("wide", "id")])
                .replace("\"file:out/\"", &format!("\"file:out/\"\nformat = \"{format}\"")),
        );
        assert_eq!(out.moved().counts("new.wide"), [6, 6, 0, 0, 6], "{format}");
        pg(
            &back,
            "create table wide (id bigint primary key, v text, x float8, at timestamp, n numeric, big numeric)",
        );
        let again = Site::with_plan(&crate::moves::plan("file:in/", &back, &[("wide", "id")]));
        again.write(
            &format!("in/wide.{format}"),
            std::fs::read(out.path(&format!("out/wide.{format}"))).unwrap(),
        );
        assert_eq!(again.moved().counts("new.wide"), [6, 6, 0, 0, 6], "{format}");
        let all = all.replace("from t", "|| at || n || big from wide");
        assert_eq!(pg_rows(&back, &all), pg_rows(&there, &all), "{format}");
    }
}
