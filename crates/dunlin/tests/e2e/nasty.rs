//! SQLite and text files at their worst. The law for each value: it arrives as it is, or it is changed by a rule of the
//! plan, or its row is refused with table, key, column and reason.

use serde_json::Value;

use crate::support::Site;

/// What waits: `reason column position`, sorted.
fn refused(site: &Site, table: &str) -> Vec<String> {
    let mut found = Vec::new();
    for group in site.waiting().iter().filter(|g| g["table"] == table) {
        for row in shown(site, group) {
            let word = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
            found.push(format!("{} {} {}", row["position"], word("column"), word("reason")));
        }
    }
    found.sort();
    found
}

fn shown(site: &Site, group: &Value) -> Vec<Value> {
    let group = group["group"].as_str().unwrap();
    site.dunlin(&["quarantine", "show", group, "--format", "json"]).expect(0).json()
}

#[test]
fn sqlite_values_of_another_class_than_their_column_are_refused_and_all_others_arrive() {
    let site = Site::with_plan(&crate::moves::plan(
        "sqlite:old.db",
        "sqlite:new.db",
        &[("typed", "id"), ("keyed", "code"), ("nulls", "id")],
    ));
    site.sql(
        "old.db",
        "create table typed (id integer primary key, n integer, t text, d real, b blob, big integer, \
            twice integer generated always as (n * 2) virtual); \
         insert into typed (id, n, t, d, b, big) values \
            (1, 5, 'five', 1.5, x'00ff', 9007199254740993), (2, 'five', 'a', null, null, 1), (3, 3, x'4142', null, null, 1), \
            (4, 4, 'b', null, 'text', 1), (5, 1.5, 'c', null, null, 1), (6, null, '', 0.1, x'', -9223372036854775808), \
            (7, 7, null, -0.0, null, 9223372036854775807), (8, '8', ' 8 ', '8', x'38', '8'), \
            (9, 9, cast(x'ff41' as text), null, null, 1), (10, 10, 'd', 'much', null, 1), (11, 11, 'e', null, null, 1e300); \
         create table keyed (code text primary key, n integer) without rowid; \
         insert into keyed values ('', 1), ('a', 2), ('A', 3), (' ', 4); \
         create table nulls (id text primary key, v text); \
         insert into nulls values (null, 'x'), (null, 'y'), ('', 'z'), ('k', '')",
    );
    let done = site.moved();
    assert_eq!(done.counts("new.typed"), [11, 4, 7, 0, 4]);
    let columns = "id, n, t, d, b, big";
    let there = site.rows("old.db", columns, "typed where id in (1, 6, 7, 8) order by id");
    assert_eq!(site.rows("new.db", columns, "typed order by id"), there);
    assert_eq!(
        refused(&site, "new.typed"),
        [
            "10 d wrong-type",
            "11 big out-of-range",
            "2 n wrong-type",
            "3 t wrong-type",
            "4 b wrong-type",
            "5 n wrong-type",
            "9 t invalid-encoding",
        ]
    );
    assert_eq!(done.counts("new.keyed"), [4, 4, 0, 0, 4]);
    assert_eq!(
        site.rows("new.db", "code, n", "keyed order by code"),
        site.rows("old.db", "code, n", "keyed order by code")
    );
    let nulls = done.counts("new.nulls");
    let arrived = site.rows("new.db", "id, v", "nulls order by v");
    let all = site.rows("old.db", "id, v", "nulls order by v");
    assert_eq!(nulls[1] + nulls[2], 4, "each row is somewhere");
    assert!(arrived.iter().all(|row| all.contains(row)), "{arrived:?}");
    assert!(arrived.contains(&"''|'z'".to_owned()), "the empty text is a key like any other: {arrived:?}");
    site.verify().expect(0).balanced();
}

#[test]
fn a_record_in_another_encoding_is_refused_by_line_and_byte() {
    let site = Site::with_plan(&crate::moves::plan(
        "file:in/",
        "sqlite:new.db",
        &[("people", "id"), ("notes", "id")],
    ));
    let mut csv = b"id,name\r\n1,\"A\r\nna\"\r\n".to_vec();
    let byte = csv.len();
    csv.extend(b"2,Jos\xe9\r\n3,Zo\xc3\xab\r\n");
    let short = csv.len();
    csv.extend(b"4\r\n5,ok\r\n");
    site.write("in/people.csv", &csv);
    let mut lines = b"{\"id\": 1, \"v\": \"\xc3\xa9\"}\n".to_vec();
    let bad = lines.len();
    lines.extend(b"{\"id\": 2, \"v\": \"\xe9\"}\n{\"id\": 3, \"v\": null}\n");
    site.write("in/notes.jsonl", &lines);
    let done = site.moved();
    assert_eq!(done.counts("new.people"), [5, 3, 2, 0, 3]);
    assert_eq!(done.counts("new.notes"), [3, 2, 1, 0, 2]);
    assert_eq!(
        site.rows("new.db", "id, name", "people order by id"),
        ["'1'|'A\r\nna'", "'3'|'Zoë'", "'5'|'ok'"]
    );
    let mut found: Vec<(String, u64, u64)> = Vec::new();
    for group in site.waiting() {
        for row in shown(&site, &group) {
            let number = |name: &str| row[name].as_u64().unwrap_or(u64::MAX);
            found.push((row["reason"].as_str().unwrap().to_owned(), number("position"), number("byte")));
        }
    }
    found.sort();
    assert_eq!(
        found,
        [
            ("invalid-encoding".to_owned(), 2, bad as u64),
            ("invalid-encoding".to_owned(), 4, byte as u64),
            ("too-few-fields".to_owned(), 6, short as u64),
        ]
    );
    site.verify().expect(0).balanced();
}
