//! Verification from PostgreSQL to PostgreSQL, where a table that goes over as it is is compared range by range of its key.
//! The other way, row index and source mapped anew, is in `moves.rs`.

use crate::support::{Done, Site, pg, pg_one, postgres};

/// More rows than one range has, and a key that is called otherwise in the target.
const ROWS: &str = "create table people (id bigint primary key, name text, seen timestamptz, owed numeric(10, 2)); \
    insert into people select i, 'Person ' || i, timestamptz '2024-05-01 10:00:00Z', i / 4.0 \
        from generate_series(1, 60000) i; analyze people";

fn moved() -> Option<(Site, String, String)> {
    let (from, to) = (postgres("from")?, postgres("to")?);
    pg(&from, ROWS);
    let site = Site::with_plan(&format!(
        "[plan]\nname = \"Ranges\"\n[store.old]\nurl = \"{from}\"\n[store.new]\nurl = \"{to}\"\n\
         [[table]]\nfrom = \"old.public.people\"\nto = \"new.person\"\nkey = [\"id\"]\n\
         [table.columns]\nperson_id = \"id\"\nname = \"name\"\nseen = \"seen\"\nowed = \"owed\"\n"
    ));
    let done = site.moved();
    assert_eq!(done.counts("new.person"), [60_000, 60_000, 0, 0, 60_000]);
    Some((site, from, to))
}

fn differences(site: &Site) -> Vec<String> {
    let clear = ["verify", "--format", "json", "--clear", "--purpose", "test: planted"];
    let done: Done = site.dunlin(&clear).expect(1);
    assert_eq!(done.table("new.person")["reconciled"], false);
    done.differences("new.person")
}

#[test]
fn each_difference_between_two_postgres_tables_is_named() {
    let Some((site, from, to)) = moved() else { return };
    site.verify().expect(0).balanced();
    pg(
        &to,
        "update person set seen = seen + interval '1 microsecond' where person_id = 11; \
         update person set name = null, owed = owed + 0.01 where person_id = 59999; \
         delete from person where person_id in (13, 60000); \
         insert into person values (-5, 'before the first range', null, null), (70000, 'after the last', null, null)",
    );
    let planted = [
        "changed person_id=11 seen",
        "changed person_id=59999 name,owed",
        "extra person_id=-5",
        "extra person_id=70000",
        "missing person_id=13",
        "missing person_id=60000",
    ];
    assert_eq!(differences(&site), planted);

    // What changes in the source afterwards is named beside it.
    pg(
        &from,
        "update people set name = 'new name' where id = 20; delete from people where id = 21; \
         insert into people values (60001, 'late', null, null)",
    );
    let all = differences(&site);
    for line in ["changed person_id=20 name", "extra person_id=21", "missing person_id=60001"] {
        assert!(all.contains(&line.to_owned()), "{line}: {all:?}");
    }
    assert_eq!(all.len(), planted.len() + 3, "{all:?}");
}

#[test]
fn the_same_change_on_both_sides_is_not_what_was_loaded() {
    let Some((site, from, to)) = moved() else { return };
    pg(&from, "update people set name = 'on both sides' where id = 30");
    pg(&to, "update person set name = 'on both sides' where person_id = 30");
    // No range differs, and still neither side is what the run left there.
    assert_eq!(differences(&site), ["changed person_id=30"]);
}

#[test]
fn a_row_that_only_postgres_can_read_does_not_hide_what_differs() {
    let Some((from, to)) = postgres("from").zip(postgres("to")) else { return };
    pg(
        &from,
        "create table people (id bigint primary key, owed numeric(10, 2)); \
         insert into people select i, i from generate_series(1, 100) i; update people set owed = 'NaN' where id = 7",
    );
    let site = Site::with_plan(&crate::moves::plan(&from, &to, &[("people", "id")]));
    site.moved();
    site.verify().expect(0).balanced();
    assert_eq!(pg_one(&to, "select owed from people where id = 7"), "NaN");
    pg(&to, "update people set owed = 1 where id = 50");
    assert_eq!(site.verify().expect(1).differences("new.people"), ["changed id=5••• owed"]);
}
