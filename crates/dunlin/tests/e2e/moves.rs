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
    let index = "select count(*) from sqlite_schema where name in ('album_by_artist', 'invoice_by_customer')";
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
    insta::assert_snapshot!(pg_rows(&url, keys).join("\n"), @r"");
    let indexes = "select indexname || ' ' || indexdef from pg_indexes where schemaname = 'public' and indexname not like '%pkey' order by 1";
    insta::assert_snapshot!(pg_rows(&url, indexes).join("\n"), @r"");
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
        let site = Site::with_plan(
            &shop_plan("file:out/").replace("file:out/", &format!("file:out/?format={format}")),
        );
        site.sql("old.db", SHOP);
        let done = site.moved();
        assert_eq!(done.counts("new.invoice"), [1000, 1000, 0, 0, 1000], "{format}");
        site.verify().expect(0).balanced();
    }
}
