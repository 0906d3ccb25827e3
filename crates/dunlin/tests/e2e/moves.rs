//! What moves where: every kind of store to every other, with keys, indexes and counters, and what `verify` sees.

use crate::support::{Site, pg, pg_one, pg_rows, postgres};

/// A plan of two stores whose tables move as they are.
pub fn plan(from: &str, to: &str, tables: &[(&str, &str)]) -> String {
    let mut text =
        format!("[plan]\nname = \"Move\"\n\n[store.old]\nurl = \"{from}\"\n\n[store.new]\nurl = \"{to}\"\n");
    for (table, key) in tables {
        text += &format!("\n[[table]]\nfrom = \"old.{table}\"\nto = \"new.{table}\"\nkey = [\"{key}\"]\n");
    }
    text
}

/// A shop with what makes moving hard: two levels of parents, a table that refers to itself, indexes and counters.
pub const SHOP: &str = "
    create table artist (artist_id integer primary key autoincrement, name varchar(120) not null);
    create table album (album_id integer primary key autoincrement, title varchar(160) not null,
        artist_id integer not null references artist (artist_id));
    create index album_by_artist on album (artist_id);
    create table employee (employee_id integer primary key, name varchar(40) not null,
        reports_to integer references employee (employee_id), hired timestamp);
    create table customer (customer_id integer primary key, email varchar(60) not null unique,
        support_id integer references employee (employee_id), credit numeric(10,2));
    create table invoice (invoice_id integer primary key, customer_id integer not null references customer (customer_id),
        album_id integer references album (album_id), total numeric(10,2) not null);
    create index invoice_by_customer on invoice (customer_id);
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 60)
        insert into artist select i, 'Artist ' || i from n;
    delete from artist where artist_id > 50;
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 200)
        insert into album select i, 'Álbum ' || i, 1 + i % 50 from n;
    insert into employee values (1, 'Chief', null, '2002-08-14 00:00:00'), (2, 'Second', 1, '2003-05-03 12:30:00.000001'),
        (3, 'Third', 2, null), (4, 'Fourth', 5, null), (5, 'Fifth', 1, null);
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 300)
        insert into customer select i, 'c' || i || '@example.com', 1 + i % 5, i / 4.0 from n;
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000)
        insert into invoice select i, 1 + i % 300, case when i % 7 then 1 + i % 200 end, i % 90 + 0.99 from n;
";

const SHOP_TABLES: [&str; 5] = ["artist", "album", "employee", "customer", "invoice"];

fn shop_plan(to: &str) -> String {
    let key = |t: &'static str| (t, &*Box::leak(format!("{t}_id").into_boxed_str()));
    // Children come first on purpose: the order of the plan is not the order of the load.
    let tables: Vec<(&str, &str)> = SHOP_TABLES.into_iter().rev().map(key).collect();
    plan("sqlite:old.db", to, &tables)
}

fn shop(to: &str) -> Site {
    let site = Site::with_plan(&shop_plan(to));
    site.sql("old.db", SHOP);
    site
}

#[test]
fn a_shop_moves_from_sqlite_to_sqlite_with_keys_and_indexes() {
    let site = shop("sqlite:new.db");
    let done = site.moved();
    assert_eq!(done.counts("new.invoice"), [1000, 1000, 0, 0, 1000]);
    for table in SHOP_TABLES {
        let rest = format!("{table} order by 1");
        let columns =
            site.one("old.db", &format!("select group_concat(name) from pragma_table_info('{table}')"));
        assert_eq!(site.rows("new.db", &columns, &rest), site.rows("old.db", &columns, &rest), "{table}");
        let keys = |file| {
            let list = format!("pragma_foreign_key_list('{table}') order by \"from\"");
            site.rows(file, "\"table\", \"from\", \"to\"", &list)
        };
        assert_eq!(keys("new.db"), keys("old.db"), "{table}");
    }
    assert_eq!(site.one("new.db", "select count(*) from pragma_foreign_key_check"), "0");
    let index =
        "select count(*) from sqlite_schema where name in ('album_artist_id_idx', 'invoice_customer_id_idx')";
    assert_eq!(site.one("new.db", index), "2");
    assert_eq!(
        site.one("new.db", "select count(*) from pragma_index_list('customer') where \"unique\""),
        "1"
    );
    // Ten artists were deleted: their numbers are not given again.
    site.sql("new.db", "insert into artist (name) values ('next')");
    assert_eq!(site.one("new.db", "select max(artist_id) from artist"), "61");
    site.sql("new.db", "delete from artist where artist_id = 61");
    site.verify().expect(0).balanced();
}

#[test]
fn a_shop_moves_from_sqlite_to_postgres_and_back() {
    let Some(url) = postgres("shop") else { return };
    let site = shop(&url);
    site.moved();
    assert_eq!(
        pg_one(&url, "select count(*) from invoice where total > 50"),
        site.one("old.db", "select count(*) from invoice where total > 50")
    );
    assert_eq!(
        pg_one(&url, "select hired from employee where employee_id = 2"),
        "2003-05-03 12:30:00.000001"
    );
    let keys = "select conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint where contype = 'f' \
                and connamespace = 'public'::regnamespace order by 1";
    insta::assert_snapshot!(pg_rows(&url, keys).join("\n"), @r"
    album FOREIGN KEY (artist_id) REFERENCES artist(artist_id)
    customer FOREIGN KEY (support_id) REFERENCES employee(employee_id)
    employee FOREIGN KEY (reports_to) REFERENCES employee(employee_id)
    invoice FOREIGN KEY (album_id) REFERENCES album(album_id)
    invoice FOREIGN KEY (customer_id) REFERENCES customer(customer_id)
    ");
    let indexes = "select indexname || ' ' || indexdef from pg_indexes where schemaname = 'public' and indexname not like '%pkey' order by 1";
    insta::assert_snapshot!(pg_rows(&url, indexes).join("\n"), @r"
    album_artist_id_idx CREATE INDEX album_artist_id_idx ON public.album USING btree (artist_id)
    customer_email_key CREATE UNIQUE INDEX customer_email_key ON public.customer USING btree (email)
    invoice_customer_id_idx CREATE INDEX invoice_customer_id_idx ON public.invoice USING btree (customer_id)
    ");
    pg(&url, "insert into artist (name) values ('next')");
    assert_eq!(pg_one(&url, "select max(artist_id) from artist"), "61");
    pg(&url, "delete from artist where artist_id = 61");
    site.verify().expect(0).balanced();

    // And back: the plan turned round, into a file that is not there yet.
    let back = Site::with_plan(&shop_plan("sqlite:new.db").replace("sqlite:old.db", &url));
    back.moved();
    for table in SHOP_TABLES {
        let columns =
            site.one("old.db", &format!("select group_concat(name) from pragma_table_info('{table}')"));
        let rest = format!("{table} order by 1");
        assert_eq!(back.rows("new.db", &columns, &rest), site.rows("old.db", &columns, &rest), "{table}");
    }
    back.verify().expect(0).balanced();
}

#[test]
fn a_renamed_key_is_followed() {
    let site = Site::with_plan(
        r#"
[plan]
name = "Move"
[store.old]
url = "sqlite:old.db"
[store.new]
url = "sqlite:new.db"

[[table]]
from = "old.customer"
to = "new.people"
key = ["customer_id"]
[table.columns]
person_id = "customer_id"
email = "email"
[table.drop]
support_id = "not wanted"
credit = "not wanted"

[[table]]
from = "old.invoice"
to = "new.bills"
key = ["invoice_id"]
[table.columns]
bill_id = "invoice_id"
person_id = "customer_id"
total = "total"
[table.drop]
album_id = "not wanted"
"#,
    );
    site.sql("old.db", SHOP);
    site.moved();
    let keys = site.rows("new.db", "\"table\", \"from\", \"to\"", "pragma_foreign_key_list('bills')");
    assert_eq!(keys, ["'people'|'person_id'|'person_id'"]);
    assert_eq!(site.one("new.db", "select count(*) from pragma_foreign_key_check"), "0");
    site.verify().expect(0).balanced();
}

#[test]
fn a_shop_moves_into_folders_of_files() {
    for format in ["csv", "jsonl", "parquet"] {
        let site = Site::with_plan(&shop_plan("file:out/"));
        site.edit_plan("\"file:out/\"", &format!("\"file:out/\"\nformat = \"{format}\""));
        site.sql("old.db", SHOP);
        let done = site.moved();
        assert_eq!(done.counts("new.invoice"), [1000, 1000, 0, 0, 1000], "{format}");
        site.verify().expect(0).balanced();
    }
}

/// One row a kind of value that is easily lost, in the spelling that dunlin gives a SQLite file.
pub const TYPES: &str = r#"
    create table every (id integer primary key, yes boolean, small decimal(12,2), large dectext(38,10), free numtext,
        ratio real, short varchar(20), long text, bytes blob, day date, clock time, stamp timestamp, zoned timestamptz,
        uid uuidtext, doc jsontext);
    insert into every values
        (1, 1, 1234.5, '1234567890123456789012345678.0123456789', '123456789012345678901234567890123456789012345.6',
         0.1, 'Zoë', 'two
lines, "quotes", a tab	and 🦆', x'00ff10', '1970-01-01', '23:59:59.999999', '2024-02-29 12:00:00.000001',
         '2024-02-29 12:00:00.000001+00:00', '6f1d5c2e-8f0b-4d6c-9a53-1f6d1e0b7a11', '{"b": [1, 2.50, null], "a": "é"}'),
        (2, 0, -0.01, '-0.0000000001', '-0.5', -1e300, '', '', x'', '0001-01-01', '00:00:00', '1900-01-01 00:00:00',
         '1999-12-31 23:59:59.5+00:00', '00000000-0000-0000-0000-000000000000', '[]'),
        (-9223372036854775807, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
        (9223372036854775807, 1, 9999999999.99, '0.0000000000', '0', 5e-324, 'x', ' padded ', x'ff', '9999-12-31', '12:00:00',
         '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00:00', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'null');
"#;

#[test]
fn every_type_survives_sqlite_postgres_parquet_sqlite() {
    let Some(url) = postgres("types") else { return };
    let first = Site::with_plan(&plan("sqlite:old.db", &url, &[("every", "id")]));
    first.sql("old.db", TYPES);
    first.moved();
    first.verify().expect(0).balanced();

    let second = Site::with_plan(&plan(&url, "file:out/", &[("every", "id")]));
    second.edit_plan("\"file:out/\"", "\"file:out/\"\nformat = \"parquet\"");
    second.moved();
    second.verify().expect(0).balanced();

    let third = Site::with_plan(&plan(
        &format!("file:{}/", second.path("out").display()),
        "sqlite:new.db",
        &[("every", "id")],
    ));
    third.moved();
    third.verify().expect(0).balanced();
    let columns = first.one("old.db", "select group_concat(name) from pragma_table_info('every')");
    let lines = |site: &Site, file| site.rows(file, &columns, "every order by id").join("\n");
    similar_lines(&lines(&third, "new.db"), &lines(&first, "old.db"));
}

#[track_caller]
fn similar_lines(left: &str, right: &str) {
    assert!(left == right, "\n{left}\n\nis not\n\n{right}");
}

#[test]
fn csv_files_of_a_glob_move_as_one_table() {
    let site = Site::with_plan(
        r#"
[plan]
name = "Move"
[store.files]
url = "file:in/*.csv"
[store.new]
url = "sqlite:new.db"
[[table]]
from = "files"
to = "new.accounts"
key = ["no"]
[table.columns]
no = "cast(no as bigint)"
name = "name"
"#,
    );
    site.write("in/a.csv", "no,name\n1,\"Ann, \"\"the first\"\"\"\n2,\"two\nlines\"\n");
    site.write("in/b.csv", "no,name\r\n3,Zoë\r\n4,\r\n");
    let done = site.moved();
    assert_eq!(done.counts("new.accounts"), [4, 4, 0, 0, 4]);
    let rows = site.rows("new.db", "no, name", "accounts order by no");
    assert_eq!(rows, ["1|'Ann, \"the first\"'", "2|'two\nlines'", "3|'Zoë'", "4|NULL"]);
    site.verify().expect(0).balanced();
}

/// Two thousand rows without anything special.
const PEOPLE: &str = "
    create table people (id integer primary key, name varchar(40), seen timestamp);
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 2000)
        insert into people select i, 'Person ' || i, '2024-05-01 10:00:00.000000' from n;
";

fn people() -> Site {
    let site = Site::with_plan(&plan("sqlite:old.db", "sqlite:new.db", &[("people", "id")]));
    site.sql("old.db", PEOPLE);
    site
}

#[test]
fn an_existing_table_is_mapped_into() {
    let site = people();
    site.sql("new.db", "create table people (seen timestamp, id integer primary key, name varchar(100) not null, extra text default 'x')");
    let done = site.moved();
    assert_eq!(done.counts("new.people"), [2000, 2000, 0, 0, 2000]);
    assert_eq!(site.rows("new.db", "id, name, extra", "people where id = 7"), ["7|'Person 7'|'x'"]);
    site.verify().expect(0).balanced();
}

#[test]
fn a_table_that_holds_rows_is_refused_unless_the_plan_says_append_or_replace() {
    let make = || {
        let site = people();
        site.sql(
            "new.db",
            "create table people (id integer primary key, name varchar(40), seen timestamp); \
            insert into people values (-1, 'was here', null), (-2, 'too', null)",
        );
        site
    };
    let site = make();
    let refused = site.dunlin(&["run"]).expect(2);
    insta::assert_snapshot!(site.plain(&refused.err), @r#"
    error: new.people holds 2 rows that dunlin did not load
      help: add `into = "append"` to its [[table]] to keep them, or `replace = true` to delete them first
    "#);
    assert_eq!(site.one("new.db", "select count(*) from people"), "2");

    let append = make();
    append.edit_plan("key = [\"id\"]", "key = [\"id\"]\ninto = \"append\"");
    let done = append.moved();
    assert_eq!(done.table("new.people")["preexisting"], 2);
    assert_eq!(append.one("new.db", "select count(*) from people"), "2002");
    append.verify().expect(0).balanced();

    let replace = make();
    replace.edit_plan("key = [\"id\"]", "key = [\"id\"]\nreplace = true");
    let done = replace.moved();
    assert_eq!(done.counts("new.people"), [2000, 2000, 0, 0, 2000]);
    assert_eq!(replace.one("new.db", "select count(*) from people where id < 0"), "0");
    replace.verify().expect(0).balanced();
}

#[test]
fn verify_names_every_planted_difference() {
    let site = people();
    site.moved();
    site.sql(
        "new.db",
        "update people set seen = '2024-05-01 10:00:00.000001' where id = 11; \
        update people set name = 'else', seen = null where id = 12; delete from people where id in (13, 14); \
        insert into people values (5000, 'nobody', null)",
    );
    let done = site.verify().expect(1);
    assert_eq!(done.table("new.people")["reconciled"], false);
    insta::assert_snapshot!(done.differences("new.people").join("\n"), @r"
    changed id=1••• name,seen
    changed id=1••• seen
    extra id=5•••
    missing id=1•••
    missing id=1•••
    ");
    let clear =
        site.dunlin(&["verify", "--format", "json", "--clear", "--purpose", "test: planted"]).expect(1);
    insta::assert_snapshot!(clear.differences("new.people").join("\n"), @r"
    changed id=11 seen
    changed id=12 name,seen
    extra id=5000
    missing id=13
    missing id=14
    ");
    let text = site.dunlin(&["verify"]).expect(1);
    insta::assert_snapshot!(site.plain(&text.out), @r"
    table       source  loaded  merged  quarantined  excluded  erased  target
    new.people   2,000   2,000       0            0         0       0   1,999  ✗ differs
      new.people: id=1•••: missing from the target
      new.people: id=1•••: missing from the target
      new.people: id=5•••: in the target, and nothing accounts for it
      new.people: id=1•••: changed in name, seen
      new.people: id=1•••: changed in seen
    The sides differ.
    ");
    let entered = site.dunlin(&["ledger", "export"]).expect(0).out;
    assert!(entered.contains("access_opened") && entered.contains("access_closed"));
    assert!(!entered.contains("planted"), "a purpose is entered as a hash");

    // Put back, it reconciles again; and a source that changed is named as well.
    site.sql("new.db", "update people set name = 'Person ' || id, seen = '2024-05-01 10:00:00.000000' where id in (11, 12); \
        insert into people values (13, 'Person 13', '2024-05-01 10:00:00.000000'), (14, 'Person 14', '2024-05-01 10:00:00.000000'); \
        delete from people where id = 5000");
    site.verify().expect(0).balanced();
    site.sql(
        "old.db",
        "update people set name = 'new name' where id = 20; insert into people values (3000, 'late', null); \
        delete from people where id = 21",
    );
    let clear =
        site.dunlin(&["verify", "--format", "json", "--clear", "--purpose", "test: source"]).expect(1);
    insta::assert_snapshot!(clear.differences("new.people").join("\n"), @r"
    changed id=20 name
    extra id=21
    missing id=3000
    ");
}

#[test]
fn a_table_without_a_key_is_a_multiset() {
    let site = Site::with_plan(
        &plan("sqlite:old.db", "sqlite:new.db", &[("log", "x")]).replace("key = [\"x\"]\n", ""),
    );
    site.sql("old.db", "create table log (x integer, t text); insert into log values (1, 'a'), (1, 'a'), (1, 'a'), (2, null), (2, null)");
    let done = site.moved();
    assert_eq!(done.counts("new.log"), [5, 5, 0, 0, 5]);
    site.verify().expect(0).balanced();
    site.sql("new.db", "delete from log where rowid = (select min(rowid) from log where x = 1)");
    let done = site.verify().expect(1);
    assert_eq!(done.differences("new.log"), ["missing"]);
    site.sql("new.db", "insert into log values (1, 'a'), (2, null)");
    assert_eq!(site.verify().expect(1).differences("new.log"), ["extra"]);
}
