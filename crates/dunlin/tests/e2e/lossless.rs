//! PostgreSQL to PostgreSQL without loss: everything that `pg_dump | psql` would bring over, a run brings over, and the
//! two databases are dumped and compared line by line.

use std::process::Command;

use crate::support::{Site, pg, pg_one, pg_rows, postgres};

/// What makes moving a PostgreSQL database hard, each thing at least once.
pub const NASTY: &str = r##"
    create schema app; create schema "Mixed Case";
    create extension if not exists btree_gist; create extension if not exists citext; create extension if not exists hstore;
    create type app.mood as enum ('sad', 'ok', 'it''s, "fine"');
    create type app.point3 as (x numeric(6,2), y float8, label text);
    create type app.floatrange as range (subtype = float8);
    create domain app.positive as integer check (value > 0);
    create domain app.short as varchar(5) not null default 'none';
    create domain app.email as citext check (value ~ '@');
    create sequence app.tickets start 100 increment 7 minvalue 3 maxvalue 100000 cycle;
    create sequence app.downwards increment -1;
    select nextval('app.tickets'), nextval('app.tickets'), nextval('app.downwards'), nextval('app.downwards');
    create function app.double(i integer) returns integer language sql immutable as 'select $1 * 2';

    create table app.kinds (
        id bigint generated always as identity (start 1000 increment 10) primary key,
        n numeric, n2 numeric(10,2), neg numeric(5,-2), huge numeric, f4 real, f8 float8, m money,
        d date, t time, tz timetz, ts timestamp, tsz timestamptz(3), iv interval, iym interval year to month,
        c char(5), v varchar(3), x text, ch "char", nm name, by bytea, bi bit(3), bv bit varying(8), u uuid, j json, jb jsonb, xm xml,
        ip inet, ci cidr, mac macaddr, mac8 macaddr8, p point, pl polygon, ln line, tv tsvector, tq tsquery,
        r int4range, r8 int8range, nr numrange, tr tstzrange, dr daterange, fr app.floatrange, mr int4multirange, dm datemultirange,
        a int[], a2 text[][], bounds int[], an numeric(4,1)[], mo app.mood, moods app.mood[], comp app.point3, comps app.point3[],
        pos app.positive default 7, s app.short, mail app.email, ct citext, h hstore, rc regclass, ro regtype, o oid, lsn pg_lsn, jp jsonpath,
        doubled integer generated always as (app.double(pos)) stored);
    insert into app.kinds (n, n2, neg, huge, f4, f8, m, d, t, tz, ts, tsz, iv, iym, c, v, x, ch, nm, by, bi, bv, u, j, jb, xm,
        ip, ci, mac, mac8, p, pl, ln, tv, tq, r, r8, nr, tr, dr, fr, mr, dm, a, a2, bounds, an, mo, moods, comp, comps, s, mail, ct, h, rc, ro, o, lsn, jp) values
        ('NaN', 'NaN', 12345, repeat('9', 131072)::numeric, 'NaN', '-Infinity', '12.34', 'infinity', '24:00:00', '12:00:00.123456+05:30', '294276-12-31 23:59:59.999999', '-infinity',
         '1 year -2 mons 3 days -04:05:06.7', '3 years 2 mons', 'ab', 'abc', E'tab\t nl\n "quote" \\N \u200b', 'x', 'a name', '\x00ff10', '101', '1', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
         '{"b":1,  "a": 1.10, "a": 2}', '{"b":1,  "a": 1.10}', '<a b="1">&amp;</a>', '10.1.2.3/8', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
         '(1.5,-2)', '((0,0),(1,1),(1,0))', '{1,2,3}', 'a:1 b:2B', 'a & !b', '[1,5)', 'empty', '(,1.5]', '[2020-01-01 00:00+00,)', '[2020-01-01,2020-02-01)', '[0.5,1.5)', '{[1,3),[5,7)}', '{}',
         array[1,null,3], array[array['a',null],array['b,"c','']], '[-1:1]={1,2,3}', '{1.5,NULL}', 'it''s, "fine"', array['ok',null,'it''s, "fine"']::app.mood[], row(1.50,'NaN','a "b", c'), array[row(null,'-0',''), null]::app.point3[],
         'x', 'A@B.example', 'CaseLess', 'a=>1, "b c"=>NULL', 'app.kinds', 'integer', 4294967295, '16/B374D848', '$.a[*] ? (@ > 1)'),
        ('Infinity', -0.01, -99999, 1e-1000, '-0', '1e-310', '-92233720368547758.08', '4713-01-01 BC', '00:00:00', '00:00:00-15:59', '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999',
         '00:00:00', null, '', '', '', '', '', '', '000', '', '00000000-0000-0000-0000-000000000000', ' null ', 'null', null,
         '::1', '::/0', null, null, null, null, null, '', '', '(,)', '[-9223372036854775808,9223372036854775807)', 'empty', 'empty', '(,)', '(,)', '{(,)}', '{[2020-01-01,infinity)}',
         '{}', '{}', '{}', '{}', 'sad', '{}', row(null,null,null), '{}', '', 'x@y', '', '', null, null, 0, '0/0', '$'),
        (1.10, 1.10, 0, 0, 0, 0, 0, '5874897-12-31', '23:59:59.999999', null, '0001-12-31 BC', '1999-01-01 00:00:00+00', null, null, null, null, null, null, null, null, null, null, null, 'null', 'null', null,
         null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
         null, null, null, null, null, null, null, null, 'y', null, null, null, null, null, null, null, null);

    create table app.parent (a integer, b text collate "C", primary key (a, b) include (extra), extra integer not null default 3) with (fillfactor = 70);
    create table app.child (id serial primary key, a integer, b text, ticket bigint default nextval('app.tickets'), made timestamptz not null default now(),
        code text constraint code_is_long check (length(code) > 1), during tstzrange, room integer,
        constraint no_overlap exclude using gist (room with =, during with &&) where (room > 0),
        constraint to_parent foreign key (a, b) references app.parent match full on update cascade on delete set null deferrable initially deferred,
        constraint uniq unique nulls not distinct (code) deferrable);
    insert into app.parent select i, 'p' || i from generate_series(1, 40) i;
    insert into app.child (a, b, code, during, room) select i, 'p' || i, 'c' || i, tstzrange('2020-01-01', '2020-01-02'), i from generate_series(1, 40) i;
    insert into app.child (a, b, code) values (null, null, null);
    insert into app.child (id, code) values (5000, 'far');
    set constraints all immediate;
    create index by_code_lower on app.child using btree (lower(code) text_pattern_ops desc nulls last) where room > 3;
    create unique index once_each on app.child (code, coalesce(room, 0)) include (made);
    create index children_hash on app.child using hash (code);
    create table app.loose (id integer, parent_a integer, parent_b text, low integer);
    insert into app.loose values (1, 999, 'nobody', -5), (1, 999, 'nobody', -5), (null, null, null, null);
    alter table app.loose add constraint not_valid foreign key (parent_a, parent_b) references app.parent not valid, add constraint not_valid_check check (low > 0) not valid;
    create statistics app.some_stats (dependencies) on parent_a, parent_b from app.loose;

    create table app.events (at date not null, region text, n integer, primary key (at, region, n)) partition by range (at);
    create table app.events_2020 partition of app.events for values from ('2020-01-01') to ('2021-01-01');
    create table app.events_2021 partition of app.events for values from ('2021-01-01') to ('2022-01-01') partition by list (region);
    create table app.events_2021_eu partition of app.events_2021 for values in ('eu', 'uk');
    create table app.events_2021_rest partition of app.events_2021 default;
    create table app.events_rest partition of app.events default;
    create index events_by_region on app.events (region);
    insert into app.events select date '2019-06-01' + i * 10, case i % 3 when 0 then 'eu' when 1 then 'us' else 'asia' end, i from generate_series(1, 150) i;

    create table app.animal (id integer primary key, name text);
    create table app.dog (good boolean default true) inherits (app.animal);
    insert into app.animal values (1, 'cat'); insert into app.dog values (1, 'rex', default), (2, 'bo', null);

    create unlogged table app.scratch (x text); insert into app.scratch values ('kept'), (null);
    create table app.nothing (); insert into app.nothing default values; insert into app.nothing default values;
    create table app.only_computed (c integer generated always as (1 + 1) stored); insert into app.only_computed default values;
    create table app.empty (id integer primary key);

    create table "Mixed Case"."select" ("Order" integer primary key, "a""b" text, "naïve ☃" text, "with space" text default 'it''s');
    insert into "Mixed Case"."select" values (1, 'x', 'y', default), (2, '', null, null);

    create table app.audit (what text); insert into app.audit values ('before');
    create function app.note() returns trigger language plpgsql as $$ begin insert into app.audit values (tg_op); return new; end $$;
    create trigger noting after insert or update on app.child for each row when (new.room is null) execute function app.note();
    create trigger asleep before delete on app.child for each statement execute function app.note();
    alter table app.child disable trigger asleep;
    create rule no_delete as on delete to app.loose do instead nothing;

    create table app.secret (id integer primary key, owner text);
    insert into app.secret values (1, 'ana'), (2, 'ben');
    alter table app.secret enable row level security; alter table app.secret force row level security;
    create policy mine on app.secret for select using (owner = current_user);

    create table app.documents (id integer primary key, body oid);
    insert into app.documents values (1, lo_from_bytea(0, '\x00010203')), (2, lo_from_bytea(0, decode(repeat('ab', 3000000), 'hex'))), (3, 0);
    comment on table app.kinds is 'every kind'; comment on column app.kinds.n is 'it''s a number';
    comment on constraint uniq on app.child is 'once'; comment on index app.by_code_lower is 'partial'; comment on trigger noting on app.child is 'notes';
    create view app.rooms as select room, count(*) as n from app.child group by room;
    create view app.rooms_twice as select * from app.rooms union all select * from app.rooms;
    create materialized view app.filled as select id, code from app.child where room < 5 with data;
    create materialized view app.unfilled as select id from app.child with no data;
    alter table app.child cluster on by_code_lower_is_not; 
"##;

fn nasty() -> String {
    // An index can be clustered on only when it is plain; said here so that the text above stays one list.
    NASTY.replace("cluster on by_code_lower_is_not", "cluster on child_pkey")
}

/// What `pg_dump` says of a database, without dunlin's bookkeeping and what differs from call to call.
pub fn dumped(url: &str, more: &[&str]) -> Vec<String> {
    let output = Command::new("pg_dump")
        .args(["--no-owner", "--exclude-schema=dunlin"])
        .args(more)
        .arg(url)
        .output()
        .expect("pg_dump");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|l| !l.starts_with("\\") && !l.starts_with("--")).map(str::to_owned).collect()
}

/// All rows as INSERT statements, sorted: the order in which rows lie is nobody's promise.
pub fn rows(url: &str) -> Vec<String> {
    let mut lines = dumped(url, &["--data-only", "--column-inserts", "--no-comments"]);
    lines.sort();
    lines
}

/// Moves the way everybody does it.
pub fn by_pg_dump(from: &str, to: &str) {
    let script = "set -e; pg_dump --no-owner \"$0\" | psql -q -X -v ON_ERROR_STOP=1 \"$1\" >/dev/null";
    let output = Command::new("bash").args(["-c", script, from, to]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
pub fn same(what: &str, left: &[String], right: &[String]) {
    let only = |a: &[String], b: &[String]| {
        let b: std::collections::BTreeSet<_> = b.iter().collect();
        a.iter()
            .filter(|l| !b.contains(l))
            .map(|l| l.chars().take(300).collect::<String>())
            .collect::<Vec<_>>()
    };
    // Whole dumps side by side would hide what differs.
    assert!(
        left == right,
        "{what}: only by pg_dump {:#?}, only by dunlin {:#?}",
        only(left, right),
        only(right, left)
    );
}

#[test]
fn everything_about_a_nasty_database_arrives_as_by_pg_dump() {
    let (Some(from), Some(to), Some(by_dump)) = (postgres("from"), postgres("to"), postgres("dump")) else {
        return;
    };
    pg(&from, &nasty());
    by_pg_dump(&from, &by_dump);
    let site = Site::new();
    site.dunlin(&["init", "--from", &from, "--to", &to]).expect(0);
    let done = site.run(&[]);
    let done = done.expect(0);
    done.balanced();
    assert!(
        done.json().iter().filter(|t| t["table"].is_string()).all(|t| t["quarantined"] == 0),
        "{}",
        done.out
    );
    site.verify().expect(0).balanced();
    same("definitions", &dumped(&by_dump, &["--schema-only"]), &dumped(&to, &["--schema-only"]));
    same("rows", &rows(&by_dump), &rows(&to));
    // The rows of a dump hold where each counter stands; what it does not show is that the triggers slept.
    assert_eq!(pg_rows(&to, "select what from app.audit"), pg_rows(&from, "select what from app.audit"));
    let objects =
        "select string_agg(oid || ' ' || md5(lo_get(oid)), ' ' order by oid) from pg_largeobject_metadata";
    assert_eq!(pg_one(&to, objects), pg_one(&from, objects));

    // The whole of it can be taken back and done again.
    site.dunlin(&["undo", "--run", &done.run_id()]).expect(0);
    let left = "select count(*) from pg_class c where relkind in ('r', 'p', 'v', 'm') and relnamespace::regnamespace::text in ('app', '\"Mixed Case\"')";
    assert_eq!(pg_one(&to, left), "0");
    site.moved();
    same("definitions, again", &dumped(&by_dump, &["--schema-only"]), &dumped(&to, &["--schema-only"]));
    same("rows, again", &rows(&by_dump), &rows(&to));

    // A second run finds every row as it was, also those that Arrow could not hold.
    site.moved();
    site.verify().expect(0).balanced();
    // Its counters are those of a table that was there: they never go back behind the largest number.
    let without_counters = |url: &str| -> Vec<String> {
        rows(url).into_iter().filter(|line| !line.starts_with("SELECT pg_catalog.setval")).collect()
    };
    same("rows of a second run", &without_counters(&by_dump), &without_counters(&to));
    same(
        "definitions of a second run",
        &dumped(&by_dump, &["--schema-only"]),
        &dumped(&to, &["--schema-only"]),
    );
}

#[test]
fn rows_that_stand_against_a_key_wait_and_everything_else_arrives() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(
        &from,
        "create table parent (id integer primary key, live boolean); insert into parent select i, i % 2 = 0 from generate_series(1, 10) i; \
         create table child (id integer primary key, parent_id integer, constraint to_parent foreign key (parent_id) references parent on delete cascade); \
         insert into child select i, i from generate_series(1, 10) i; create index by_parent on child (parent_id) where parent_id > 3; \
         comment on constraint to_parent on child is 'named'",
    );
    let site = Site::new();
    site.dunlin(&["init", "--from", &from, "--to", &to]).expect(0);
    site.edit_plan("from = \"source.public.parent\"", "where = \"live\"\nfrom = \"source.public.parent\"");
    let done = site.run(&[]).expect(0);
    assert_eq!(done.counts("target.child"), [10, 5, 5, 0, 5]);
    site.verify().expect(0);
    same("definitions", &dumped(&from, &["--schema-only"]), &dumped(&to, &["--schema-only"]));
}

#[test]
fn without_pg_dump_the_run_says_what_stays_behind() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(
        &from,
        "create table t (id integer primary key, n integer check (n > 0)); insert into t values (1, 2)",
    );
    let site = Site::new();
    site.dunlin(&["init", "--from", &from, "--to", &to]).expect(0);
    let mut command = site.command(&["run"]);
    command.env("DUNLIN_PG_BIN", site.dir());
    let done = crate::support::Done::of(command).expect(0);
    let said = done.out.clone() + &done.err;
    assert!(said.contains("pg_dump") && said.contains("checks") && said.contains("triggers"), "{said}");
    assert_eq!(pg_one(&to, "select count(*) from t"), "1");
    assert_eq!(
        pg_one(&to, "select count(*) from pg_constraint where contype = 'c' and conrelid = 't'::regclass"),
        "0"
    );
}

#[test]
fn only_the_plans_tables_are_touched_and_what_needs_others_is_told() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(
        &from,
        "create table wanted (id integer generated always as identity primary key, other_id integer, n integer default 3 check (n > 0)); \
         create table other (id serial primary key); alter table wanted add constraint to_other foreign key (other_id) references other; \
         insert into other default values; insert into wanted (other_id) values (1); create view over_both as select * from wanted, other as o (oid)",
    );
    let site = Site::new();
    site.dunlin(&["init", "--from", &from, "--to", &to]).expect(0);
    let text = site.read("dunlin.toml");
    let (head, rest) = text.split_once("\n[[table]]").unwrap();
    let table = rest.split("\n[[table]]").find(|t| t.contains("source.public.wanted")).unwrap();
    site.plan(&format!("{head}\n[[table]]{table}"));
    let done = site.dunlin(&["run"]).expect(0);
    assert!((done.out + &done.err).contains("constraint to_other stays behind"));
    assert_eq!(
        pg_rows(
            &to,
            "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'S') order by 1"
        ),
        ["wanted", "wanted_id_seq"]
    );
    let check = "select pg_get_constraintdef(oid) from pg_constraint where contype = 'c' and conrelid = 'wanted'::regclass";
    assert_eq!(pg_one(&to, check), "CHECK ((n > 0))");
}

#[test]
fn one_bad_table_does_not_keep_the_rows_of_others_waiting() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(
        &from,
        "create table good (id integer primary key); insert into good select generate_series(1, 20); \
         create view bad as select id, 1 / (id - 5) as x from good",
    );
    let site = Site::with_plan(&crate::moves::plan(&from, &to, &[("bad", "id"), ("good", "id")]));
    let done = site.dunlin(&["run"]).expect(1);
    assert!(done.err.contains("new.bad") && done.err.contains("the other tables go on"), "{}", done.err);
    assert_eq!(pg_one(&to, "select count(*) from good"), "20");
    // Mended, the run comes to its end, and nothing was loaded twice.
    pg(&from, "create or replace view bad as select id, 1 / (id + 5) as x from good");
    site.moved();
    site.verify().expect(0).balanced();
    assert_eq!(pg_one(&to, "select count(*) from good"), "20");
    assert_eq!(
        pg_one(&to, "select count(*) from pg_index where indrelid = 'good'::regclass and indisprimary"),
        "1"
    );
}

mod any_table {
    //! Tables that nobody thought of: random columns of every type, with random values, constraints and indexes.

    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    use super::{by_pg_dump, dumped, rows, same};
    use crate::support::{Site, pg, postgres};

    /// A type, and SQL that gives a value of it from a number `i` and a random number `k`.
    const TYPES: &[(&str, &str)] = &[
        ("boolean", "(i + k) % 2 = 0"),
        ("smallint", "((i * k) % 65536 - 32768)"),
        ("integer", "((i::bigint * k * 7919) % 4294967296 - 2147483648)"),
        ("bigint", "(i::bigint * k * 1000003 - 5)"),
        ("numeric", "(i::numeric ^ (k % 40)) / 7"),
        ("numeric(12,3)", "case when i % 5 = 0 then 'NaN' else (i * k)::numeric / 8 end"),
        ("real", "case when i % 4 = 0 then '-Infinity' else (i::float4 / (k + 1)) end"),
        ("double precision", "case when i % 4 = 0 then 'NaN' else exp(i % 700) end"),
        ("text", "repeat(chr(1 + (i * k) % 55000), i % 50)"),
        ("varchar(20)", "left(md5((i * k)::text), i % 21)"),
        ("character(7)", "left(md5(k::text), i % 8)"),
        ("bytea", "decode(md5((i + k)::text), 'hex')"),
        (
            "date",
            "case when i % 9 = 0 then 'infinity' else date '2000-01-01' + (i * k) % 200000 - 800000 end",
        ),
        ("time", "time '00:00' + (i * k % 86400) * interval '1 second 3 microseconds'"),
        (
            "timestamp",
            "case when i % 9 = 0 then '294276-12-31 23:59:59' else timestamp '0044-03-15 BC' + i * k * interval '1 hour 7 microseconds' end",
        ),
        ("timestamptz(2)", "timestamptz '1999-12-31 23:59:59.99+05' + i * interval '1 month'"),
        ("interval", "make_interval(years => i % 90, days => -(k % 40), secs => i / 7.0)"),
        ("uuid", "md5((i * k)::text)::uuid"),
        ("json", "('{\"b\":' || i || ',  \"a\": ' || k || '.10}')"),
        ("jsonb", "('{\"b\":' || i || ',  \"a\": [null, ' || k || '.10]}')"),
        ("inet", "('10.0.' || i % 256 || '.' || k % 256 || '/' || 8 + i % 24)"),
        ("int4range", "int4range(i, i + k % 9, case when i % 2 = 0 then '[]' else '()' end)"),
        ("int8multirange", "int8multirange(int8range(i, i + 2), int8range(i + 5, null))"),
        (
            "integer[]",
            "case when i % 3 = 0 then ('[' || i % 4 - 2 || ':' || i % 4 - 1 || ']={1,NULL}') else array[i, k]::text end",
        ),
        ("text[]", "array[[md5(i::text), null], ['', 'a \"b\", {c}']]"),
        ("bit varying(9)", "((i % 512)::bit(9))"),
        ("tsquery", "case when i % 3 = 0 then '' else 'a & !b' || i % 5 end"),
        ("tsvector", "to_tsvector('simple', 'w' || i || ' x' || k)"),
        ("macaddr", "('08:00:2b:00:00:' || lpad(to_hex(i % 256), 2, '0'))"),
        ("point", "point(i, -k)"),
        ("mood", "(array['sad', 'ok', 'it''s'])[1 + i % 3]"),
        ("mood[]", "case when i % 2 = 0 then '{sad,NULL,\"it''s\"}' else '{}' end"),
        ("pair", "'(' || i || ',\"x \"\"y\"\"\")'"),
        ("pair[]", "array[row(i, 'a,b')::pair, null]"),
        ("positive", "1 + i % 9"),
        ("\"char\"", "chr(33 + i % 90)"),
        ("regtype", "'integer'"),
        ("xml", "'<a b=\"' || i || '\"/>'"),
    ];

    #[derive(Debug, Clone)]
    struct Shape {
        columns: Vec<(usize, bool, bool)>,
        rows: u32,
        seed: u32,
        key: u8,
        unlogged: bool,
    }

    fn shape() -> impl Strategy<Value = Shape> {
        let column = (0..TYPES.len(), any::<bool>(), any::<bool>());
        let columns = proptest::collection::vec(column, 1..9);
        (columns, 0u32..300, 1u32..1_000, 0u8..4, any::<bool>())
            .prop_map(|(columns, rows, seed, key, unlogged)| Shape { columns, rows, seed, key, unlogged })
    }

    /// The statements that make a table of this shape.
    fn made(name: &str, shape: &Shape) -> String {
        let mut columns = vec!["\"Id\" integer".to_owned()];
        let mut values = vec!["i".to_owned()];
        for (n, (ty, nulls, default)) in shape.columns.iter().enumerate() {
            let (ty, value) = TYPES[*ty];
            let default = if *default { " default null" } else { "" };
            columns.push(format!("c{n} {ty}{default}"));
            let value = format!("({value})::text::{ty}");
            values.push(if *nulls { format!("case when i % 3 <> 1 then {value} end") } else { value });
        }
        let kind = if shape.unlogged { "unlogged table" } else { "table" };
        let key = match shape.key {
            0 => format!("alter table {name} add constraint \"{name} key\" primary key (\"Id\")"),
            1 => format!("create unique index on {name} ((\"Id\" * 2)) where \"Id\" > 3"),
            2 => format!(
                "alter table {name} add check (\"Id\" > 0) not valid, alter \"Id\" add generated always as identity"
            ),
            _ => format!("comment on table {name} is 'none'"),
        };
        let key =
            if shape.key == 2 { format!("alter table {name} alter \"Id\" set not null; {key}") } else { key };
        format!(
            "create {kind} {name} ({}); insert into {name} select {} from generate_series(1, {}) i, (select {} as k) s; {key};",
            columns.join(", "),
            values.join(", "),
            shape.rows,
            shape.seed
        )
    }

    #[test]
    fn random_tables_arrive_as_by_pg_dump() {
        if postgres("none").is_none() {
            return;
        }
        // Few cases of several tables each: a case costs three databases.
        let config = Config { cases: 2, max_shrink_iters: 6, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new(config);
        let outcome = runner.run(&proptest::collection::vec(shape(), 8), |shapes| {
            let (from, to, dump) =
                (postgres("afrom").unwrap(), postgres("ato").unwrap(), postgres("adump").unwrap());
            pg(
                &from,
                "create type mood as enum ('sad', 'ok', 'it''s'); create type pair as (a integer, b text); \
                 create domain positive as integer check (value > 0)",
            );
            for (n, shape) in shapes.iter().enumerate() {
                pg(&from, &made(&format!("t{n}"), shape));
            }
            by_pg_dump(&from, &dump);
            let site = Site::new();
            site.dunlin(&["init", "--from", &from, "--to", &to]).expect(0);
            site.moved();
            site.verify().expect(0).balanced();
            same("definitions", &dumped(&dump, &["--schema-only"]), &dumped(&to, &["--schema-only"]));
            same("rows", &rows(&dump), &rows(&to));
            Ok(())
        });
        outcome.unwrap();
    }
}

#[test]
fn lineage_is_told_to_a_file_and_to_an_address() {
    use std::io::{Read, Write};
    let site = Site::with_plan(&crate::moves::plan("sqlite:old.db", "sqlite:new.db", &[("t", "id")]));
    site.sql(
        "old.db",
        "create table t (id integer primary key, secret text); insert into t values (1, 'canary')",
    );
    site.dunlin(&["run", "--lineage", "events.jsonl"]).expect(0);
    let events: Vec<serde_json::Value> =
        site.read("events.jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let kinds: Vec<&str> = events.iter().map(|e| e["eventType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["START", "COMPLETE"]);
    assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
    assert_eq!(events[1]["inputs"][0]["name"], "t");
    assert_eq!(events[1]["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"], 1);
    assert!(!site.read("events.jsonl").contains("canary"));

    // An address: refused while nobody allowed it, and the run goes on; told once it is allowed.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/api/v1/lineage", listener.local_addr().unwrap().port());
    let done = site.dunlin(&["run", "--lineage", &url]).expect(0);
    assert!(done.err.contains("START was not told"), "{}", done.err);
    site.write("server.toml", "[alerts]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    let heard = std::thread::spawn(move || {
        let mut heard = String::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut got = Vec::new();
            let mut piece = [0u8; 4096];
            while !got.ends_with(b"}") {
                let n = stream.read(&mut piece).unwrap();
                got.extend(&piece[..n]);
            }
            stream
                .write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            heard += &String::from_utf8(got).unwrap();
        }
        heard
    });
    let done = site.dunlin(&["run", "--lineage", &url]).expect(0);
    assert!(!done.err.contains("was not told"), "{}", done.err);
    let heard = heard.join().unwrap();
    assert!(heard.contains("\"START\"") && heard.contains("\"COMPLETE\""), "{heard}");
}
