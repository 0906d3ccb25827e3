//! Keys and triggers after the load, where something stands in their way: rows that were left out elsewhere, a table
//! that failed, a connection that broke.

use dunlin_testkit::{Fault, Proxy};

use crate::support::{Site, pg, pg_one, postgres};

/// The foreign keys of a database by name, and whether rows were held against each.
const KEYS: &str = "select coalesce(string_agg(conname || ' ' || convalidated, ',' order by conname), '') \
    from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace";

#[test]
fn cascades_and_triggers_come_once_every_row_has_its_place() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(
        &from,
        "create table house (id integer primary key, live boolean not null); \
         create table flat (id integer primary key, house_id integer not null references house on delete cascade); \
         create table tenant (id integer primary key, flat_id integer not null references flat on delete cascade); \
         create table gone (id integer); \
         create function note() returns trigger language plpgsql as \
            'begin insert into public.gone values (old.id); return old; end'; \
         create trigger noted before delete on tenant for each row execute function note(); \
         insert into house select i, i % 2 = 0 from generate_series(1, 10) i; \
         insert into flat select i, (i + 1) / 2 from generate_series(1, 20) i; \
         insert into tenant select i, (i + 1) / 2 from generate_series(1, 40) i",
    );
    let site = Site::new();
    site.dunlin(&["init", "--from", &from, "--to", &to]).expect(0);
    site.edit_plan("from = \"source.public.house\"", "where = \"live\"\nfrom = \"source.public.house\"");
    let done = site.moved();
    assert_eq!(done.counts("target.house"), [10, 5, 0, 5, 5]);
    assert_eq!(done.counts("target.flat"), [20, 10, 10, 0, 10]);
    assert_eq!(done.counts("target.tenant"), [40, 20, 20, 0, 20]);
    assert_eq!(pg_one(&to, KEYS), "flat_house_id_fkey true,tenant_flat_id_fkey true");
    assert_eq!(pg_one(&to, "select count(*) from gone"), "0", "the trigger saw rows leave");
    assert_eq!(
        pg_one(&to, "select count(*) from pg_trigger where tgname = 'noted' and tgenabled = 'O'"),
        "1"
    );
    site.verify().expect(0).balanced();
}

#[test]
fn children_of_a_table_that_failed_are_loaded_and_their_key_waits() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(
        &from,
        "create table n (id integer primary key); insert into n select generate_series(1, 20); \
         create view parent as select id, 1 / (id - 5) as x from n; \
         create table child (id integer primary key, parent_id integer); insert into child select id, id from n; \
         insert into child values (21, 99)",
    );
    // The target was made by its owner, and holds the reference already.
    pg(
        &to,
        "create table parent (id integer primary key, x integer); \
         create table child (id integer primary key, parent_id integer constraint to_parent references parent)",
    );
    let site = Site::with_plan(&crate::moves::plan(&from, &to, &[("parent", "id"), ("child", "id")]));
    let done = site.dunlin(&["run"]).expect(1);
    assert!(done.err.contains("keys that wait for them: to_parent of new.child"), "{}", done.err);
    assert_eq!(pg_one(&to, "select count(*) from child"), "21", "children wait for nobody");
    assert_eq!(pg_one(&to, KEYS), "", "the key waits");

    // It fails again, and nothing is worse for it.
    site.dunlin(&["run"]).expect(1);
    assert_eq!(pg_one(&to, "select count(*) from child"), "21");

    pg(&from, "create or replace view parent as select id, 1 / (id + 5) as x from n");
    let done = site.moved();
    assert_eq!(done.counts("new.parent"), [20, 20, 0, 0, 20]);
    // A child whose parent is nowhere is told from those whose parents were late.
    assert_eq!(done.counts("new.child"), [21, 20, 1, 0, 20]);
    assert_eq!(pg_one(&to, KEYS), "to_parent true");
    site.verify().expect(0).balanced();
}

#[test]
fn pg_restore_that_loses_its_connection_is_called_again() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(
        &from,
        "create table parent (id integer primary key, n integer); insert into parent select i, i from generate_series(1, 50) i; \
         create table child (id integer primary key, parent_id integer constraint to_parent references parent); \
         insert into child select i, i from generate_series(1, 50) i; create index by_n on parent (n); \
         create index by_parent on child (parent_id)",
    );
    for said in ["CREATE TABLE public.parent", "CREATE INDEX by_parent", "ADD CONSTRAINT to_parent"] {
        pg(&to, "drop schema public cascade; create schema public; drop schema if exists dunlin cascade");
        let (proxy, through) = Proxy::before(&to);
        let site = Site::new();
        site.dunlin(&["init", "--from", &from, "--to", &through]).expect(0);
        proxy.arm(Fault::CutAt(said.as_bytes().to_vec()));
        let done = site.run(&["--retry", "0"]).expect(3);
        assert_eq!(proxy.struck(), 1, "{said}");
        assert!(done.out.contains("pg_restore"), "{}{}", done.out, done.err);
        site.moved();
        assert_eq!(pg_one(&to, KEYS), "to_parent true", "{said}");
        let indexes = "select count(*) from pg_indexes where schemaname = 'public'";
        assert_eq!(pg_one(&to, indexes), "4", "{said}");
        // By itself, as after any other connection that broke.
        pg(&to, "drop schema public cascade; create schema public; drop schema if exists dunlin cascade");
        let site = Site::new();
        site.dunlin(&["init", "--from", &from, "--to", &through]).expect(0);
        proxy.arm(Fault::CutAt(said.as_bytes().to_vec()));
        site.run(&["--retry", "1"]).expect(0).balanced();
        assert_eq!(proxy.struck(), 2, "{said}");
        assert_eq!(pg_one(&to, KEYS), "to_parent true", "{said}");
    }
}

#[test]
fn rows_that_arrow_cannot_hold_leave_like_any_other() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(
        &from,
        "create table parent (id integer primary key, live boolean not null); \
         insert into parent select i, i % 2 = 0 from generate_series(1, 10) i; \
         create table child (id integer primary key, parent_id integer references parent, n numeric(6, 2), t timestamp); \
         insert into child select i, i, i, '2020-01-01' from generate_series(1, 8) i; \
         insert into child values (9, 9, 'NaN', null), (10, 10, 'NaN', '294276-12-31'), (11, 7, 1, '294276-12-31')",
    );
    let site = Site::new();
    site.dunlin(&["init", "--from", &from, "--to", &to]).expect(0);
    site.edit_plan("from = \"source.public.parent\"", "where = \"live\"\nfrom = \"source.public.parent\"");
    let done = site.moved();
    assert_eq!(done.counts("target.parent"), [10, 5, 0, 5, 5]);
    assert_eq!(done.counts("target.child"), [11, 5, 6, 0, 5]);
    assert_eq!(pg_one(&to, KEYS), "child_parent_id_fkey true");
    assert_eq!(
        pg_one(&to, "select string_agg(id || ' ' || n, ',' order by id) from child where n = 'NaN'"),
        "10 NaN"
    );
    site.verify().expect(0).balanced();
    // Its parent comes after all, and the row goes back as it was.
    pg(&to, "insert into parent values (7, false), (9, false)");
    for group in site.waiting() {
        site.dunlin(&["quarantine", "release", group["group"].as_str().unwrap()]);
    }
    assert_eq!(
        pg_one(
            &to,
            "select string_agg(concat_ws(' ', id, n, t), ',' order by id) from child where id in (7, 9, 11)"
        ),
        "7 7.00 2020-01-01 00:00:00,9 NaN,11 1.00 294276-12-31 00:00:00"
    );
}

#[test]
fn a_row_that_arrow_cannot_hold_and_the_target_refuses_waits_with_its_key() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(
        &from,
        "create table t (id integer primary key, n numeric(6, 2), at timestamp); \
         insert into t select i, i, '2020-01-01' from generate_series(1, 50) i; \
         insert into t values (51, 'NaN', null), (52, 'NaN', '294276-12-31 23:59:59')",
    );
    pg(
        &to,
        "create table t (id integer primary key, n numeric(6, 2) constraint small check (n < 100), at timestamp)",
    );
    let site = Site::with_plan(&crate::moves::plan(&from, &to, &[("t", "id")]));
    let done = site.moved();
    assert_eq!(done.counts("new.t"), [52, 50, 2, 0, 50]);
    let waiting = site.waiting();
    assert_eq!((&waiting[0]["reason"], &waiting[0]["rows"]), (&"check".into(), &2.into()), "{waiting:?}");
    let group = waiting[0]["group"].as_str().unwrap().to_owned();
    let shown = site.dunlin(&["quarantine", "show", &group, "--clear", "--purpose", "support: a test"]);
    assert!(shown.out.contains("51") && shown.out.contains("NaN"), "{}{}", shown.out, shown.err);
    // As it is, it is refused again; mended, it goes; where the target takes it as it is, it is what it was.
    site.dunlin(&["quarantine", "release", &group]);
    assert_eq!(pg_one(&to, "select count(*) from t"), "50");
    pg(&to, "alter table t drop constraint small");
    site.dunlin(&["quarantine", "release", &group]).expect(0);
    let of = "select string_agg(concat_ws(' ', id, n, at), ',' order by id) from t where id > 50";
    assert_eq!(pg_one(&to, of), "51 NaN,52 NaN 294276-12-31 23:59:59");
    site.verify().expect(0).balanced();
}

#[test]
fn undo_takes_types_functions_and_large_objects_back_and_says_what_stays() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(
        &from,
        "create schema app; create type app.mood as enum ('sad', 'ok'); create type app.pair as (a integer, m app.mood); \
         create domain app.small as integer check (value < 100); create sequence app.tickets; \
         create function app.twice(i integer) returns integer language sql immutable as 'select $1 * 2'; \
         create function app.touch() returns trigger language plpgsql as 'begin return new; end'; \
         create table app.t (id integer primary key, m app.mood, p app.pair, s app.small, o oid, \
            d integer generated always as (app.twice(id)) stored); \
         create trigger touched before update on app.t for each row execute function app.touch(); \
         insert into app.t (id, m, p, s, o) values (1, 'ok', row(1, 'sad'), 5, lo_from_bytea(4711, 'large')), \
            (2, 'sad', null, 6, lo_from_bytea(4712, 'larger'))",
    );
    // Of its own the target has a type, a function and a large object, under the same schema.
    pg(
        &to,
        "create schema app; create type app.own as enum ('x'); select lo_from_bytea(4713, 'its own'); \
         create function app.own() returns integer language sql as 'select 1'",
    );
    const THINGS: &str = "select coalesce(string_agg(x, ',' order by x), '') from ( \
        select 'type ' || typname as x from pg_type where typnamespace = 'app'::regnamespace and typtype <> 'b' and \
            (typrelid = 0 or (select relkind from pg_class where oid = typrelid) = 'c') \
        union all select 'function ' || proname from pg_proc where pronamespace = 'app'::regnamespace \
        union all select 'sequence ' || relname from pg_class where relnamespace = 'app'::regnamespace and relkind = 'S' \
        union all select 'object ' || oid from pg_largeobject_metadata) a";
    let before = pg_one(&to, THINGS);
    let site = Site::new();
    site.dunlin(&["init", "--from", &from, "--to", &to]).expect(0);
    let done = site.moved();
    assert!(pg_one(&to, THINGS).contains("type mood"));
    site.dunlin(&["undo", "--run", &done.run_id()]).expect(0);
    assert_eq!(pg_one(&to, THINGS), before);

    // What somebody uses by then stays, and is named.
    let done = site.moved();
    pg(&to, "create table diary (m app.mood, o oid); insert into diary values ('ok', 4711)");
    let said = site.dunlin(&["undo", "--run", &done.run_id()]).expect(0).err;
    assert!(said.contains("type app.mood") && said.contains("1 large objects"), "{said}");
    assert!(!said.contains("app.pair"), "{said}");
    let own = |kept: &str| before.replace("function own", &format!("function own{kept}"));
    assert_eq!(
        pg_one(&to, THINGS).split(',').map(str::to_owned).collect::<std::collections::BTreeSet<_>>(),
        own(",object 4711,type mood").split(',').map(str::to_owned).collect()
    );
}

#[test]
fn readers_wait_while_the_source_is_busier_than_the_plan_allows() {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    pg(&from, "create table t (id integer primary key); insert into t select generate_series(1, 100)");
    let plan = crate::moves::plan(&from, &to, &[("t", "id")]);
    let site = Site::with_plan(&format!(
        "{plan}\n[window]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\nfrom = \"00:00\"\n\
         to = \"24:00\"\nzone = \"UTC\"\nsource_load = \"pause above 50% of the busiest hour\"\n"
    ));
    // Before anybody has watched the source nothing is known, and that is said.
    let done = site.run(&["--rehearse", "--to", "sqlite:copy.db"]).expect(0);
    assert!(done.err.contains("the busiest hour is not known"), "{}", done.err);
    // One session at work was the most that the server has seen.
    site.sql(
        ".dunlin/state.db",
        "insert into settings (name, value) values ('work_load', '[[1.0,1],[0.0,0]]')",
    );
    let busy = std::thread::spawn({
        let from = from.clone();
        move || pg(&from, "select pg_sleep(4)")
    });
    std::thread::sleep(std::time::Duration::from_millis(500));
    let done = site.run(&[]).expect(0);
    busy.join().unwrap();
    done.balanced();
    assert!(done.err.contains("reading waits: 1 sessions are at work"), "{}", done.err);
    assert!(done.err.contains("reading goes on"), "{}", done.err);
    let held = done.json().pop().unwrap()["held_back_seconds"].as_f64().unwrap();
    assert!((1.0..30.0).contains(&held), "{held}");
    // While nobody works nobody waits.
    let done = site.run(&[]).expect(0);
    assert!(done.json().pop().unwrap().get("held_back_seconds").is_none(), "{}", done.out);
}

#[test]
fn readers_wait_while_a_standby_is_far_behind() {
    let Some(primary) = dunlin_testkit::start_private() else { return };
    let Some(standby) = primary.standby() else { return };
    let Some(to) = postgres("to") else { return };
    let (from, copy) = (primary.url("postgres"), standby.url("postgres"));
    pg(
        &from,
        "create table t (id integer primary key); insert into t select generate_series(1, 100); create table beat (at timestamptz)",
    );
    let site = Site::with_plan(&format!(
        "{}\n[window]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\nfrom = \"00:00\"\n\
         to = \"24:00\"\nzone = \"UTC\"\nsource_load = \"pause above 50% of the busiest hour\"\n",
        crate::moves::plan(&from, &to, &[("t", "id")])
    ));
    let beat = || pg(&from, "insert into beat values (now())");
    let wait = || std::thread::sleep(std::time::Duration::from_millis(500));
    // How far behind it is can be told only while something is written.
    pg(&copy, "select pg_wal_replay_pause()");
    let behind = "select coalesce(max(extract(epoch from replay_lag)), 0) > 32 from pg_stat_replication";
    let begun = std::time::Instant::now();
    while pg_one(&from, behind) != "true" {
        assert!(begun.elapsed().as_secs() < 120, "the standby does not fall behind");
        beat();
        wait();
    }
    let over = std::sync::atomic::AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            let begun = std::time::Instant::now();
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                if begun.elapsed().as_secs() == 4 {
                    pg(&copy, "select pg_wal_replay_resume()");
                }
                beat();
                wait();
            }
        });
        let done = site.run(&[]);
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        done
    });
    let done = done.expect(0);
    done.balanced();
    assert!(done.err.contains("reading waits: a standby is 3"), "{}", done.err);
    assert!(done.err.contains("reading goes on"), "{}", done.err);
    let held = done.json().pop().unwrap()["held_back_seconds"].as_f64().unwrap();
    assert!((1.0..60.0).contains(&held), "{held}");
}
