//! More databases that are hard to move, each about one thing: what they are named, how they are cut into partitions, what
//! types they hold, by what keys they hold together, and what else is said about them. Each is moved once by
//! `pg_dump | psql` and once by dunlin, and then dumped and compared; once more under other names, where dunlin makes the
//! tables from its own words and every value has to come through its own form.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::lossless::{by_pg_dump, dumped, rows, same};
use crate::support::{Done, Site, pg_rows, postgres};

const NAMES: &str = include_str!("databases/names.sql");
const PARTITIONS: &str = include_str!("databases/dropped.sql");
const TYPES: &str = include_str!("databases/types.sql");
const KEYS: &str = include_str!("databases/keys.sql");
const OBJECTS: &str = include_str!("databases/objects.sql");

fn whole(run: &Done) {
    run.balanced();
    for table in run.json().iter().filter(|t| t["table"].is_string()) {
        assert_eq!(table["loaded"], table["source_rows"], "{table}");
    }
}

/// A statement at a time: a new value of an enum can be used only once it is committed.
fn by_psql(url: &str, sql: &str) {
    let mut psql = Command::new("psql")
        .args(["-q", "-X", "-v", "ON_ERROR_STOP=1", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("psql");
    psql.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    assert!(psql.wait().unwrap().success(), "the database could not be made");
}

/// As `pg_dump | psql`, then under other names.
fn arrives(sql: &str) {
    let (Some(from), Some(to), Some(by_dump), Some(renamed)) =
        (postgres("from"), postgres("to"), postgres("dump"), postgres("renamed"))
    else {
        return;
    };
    by_psql(&from, sql);
    by_pg_dump(&from, &by_dump);
    let site = Site::new();
    site.dunlin(&["init", "--from", &from, "--to", &to]).expect(0);
    whole(&site.run(&[]).expect(0));
    site.verify().expect(0).balanced();
    same("definitions", &dumped(&by_dump, &["--schema-only"]), &dumped(&to, &["--schema-only"]));
    same("rows", &rows(&by_dump), &rows(&to));

    let site = Site::new();
    site.dunlin(&["init", "--from", &from, "--to", &renamed]).expect(0);
    let plan: Vec<String> = site.read("dunlin.toml").lines().map(other_name).collect();
    site.plan(&plan.join("\n"));
    whole(&site.run(&[]).expect(0));
    site.verify().expect(0).balanced();
    for table in pg_rows(&from, TABLES) {
        let columns = pg_rows(&renamed, &columns_of(&format!("{table}_x")));
        assert!(!columns.is_empty(), "{table}_x is not there, or has no columns");
        // By the output function of each type: a cast to text shows what PostgreSQL itself forgets when it sends it.
        let text = |c: &String| format!("case when {c} is null then '<null>' else format('%s', {c}) end");
        let texts: Vec<String> = columns.iter().map(text).collect();
        let (schema, name) = table.split_once('\n').unwrap();
        let all = |suffix: &str| {
            let row = texts.join(" || '|' || ");
            format!("select {row} from only {} order by 1", quoted(schema, &format!("{name}{suffix}")))
        };
        assert_eq!(pg_rows(&renamed, &all("_x")), pg_rows(&from, &all("")), "{table}");
    }
}

/// Ordinary tables and partitioned ones as `schema`, a line break, `name`; without columns there is nothing to compare.
const TABLES: &str = "select distinct n.nspname || E'\\n' || c.relname from pg_class c join pg_namespace n on n.oid = relnamespace \
    join pg_attribute a on attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '' \
    where relkind = 'r' and not relispartition and nspname !~ '^(pg_|information_schema|dunlin)' and relname !~ E'\\n' \
    and octet_length(relname) < 62";

/// The columns of a table that was made, quoted.
fn columns_of(table: &str) -> String {
    let (schema, name) = table.split_once('\n').unwrap();
    let text = |t: &str| t.replace('\'', "''");
    format!(
        "select quote_ident(attname) from pg_attribute a join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace \
         where nspname = '{}' and relname = '{}' and attnum > 0 and not attisdropped order by attnum",
        text(schema),
        text(name)
    )
}

fn quoted(schema: &str, name: &str) -> String {
    let one = |t: &str| format!("\"{}\"", t.replace('"', "\"\""));
    format!("{}.{}", one(schema), one(name))
}

/// The line with another name for its target: `_x` behind it.
fn other_name(line: &str) -> String {
    let Some(name) = line.strip_prefix("to = ") else { return line.to_owned() };
    // A name of 63 bytes has no room for more.
    if name.len() > 70 {
        return line.to_owned();
    }
    let (open, close) = (&name[..1], &name[name.len() - 1..]);
    let inner = &name[1..name.len() - 1];
    // A quoted last part ends in a quote of its own.
    let inner = match inner.strip_suffix("\\\"") {
        Some(rest) => format!("{rest}_x\\\""),
        None => match inner.strip_suffix('"').filter(|_| open == "'") {
            Some(rest) => format!("{rest}_x\""),
            None => format!("{inner}_x"),
        },
    };
    format!("to = {open}{inner}{close}")
}

#[test]
fn names_of_every_kind_arrive() {
    arrives(NAMES);
}

#[test]
fn partitions_of_partitions_and_columns_that_were_dropped_arrive() {
    arrives(PARTITIONS);
}

#[test]
fn types_of_every_kind_arrive() {
    arrives(TYPES);
}

#[test]
fn keys_counters_and_indexes_of_every_kind_arrive() {
    arrives(KEYS);
}

#[test]
fn views_functions_policies_and_comments_arrive() {
    arrives(OBJECTS);
}
