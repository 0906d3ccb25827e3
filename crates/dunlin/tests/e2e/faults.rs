//! What goes wrong around a run: servers that die, a network that breaks, a lock that somebody holds, a column that
//! comes, a disk that is full. After each the run ends as if nothing had been, or stops and says why, and the next
//! one goes on: nothing is lost and nothing doubled.
//!
//! `kill -9` of dunlin itself is in `soak`.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use dunlin_testkit::{Fault, Proxy};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::support::{Done, Site, pg, pg_one, postgres};

const ROWS: u32 = 3_000;

/// A table and its child, so that keys are part of every end.
fn fill(url: &str) {
    pg(
        url,
        &format!(
            "create table owner (id integer primary key, name text not null); \
             create table thing (id integer primary key, owner_id integer not null references owner, note text); \
             insert into owner select i, 'owner ' || i from generate_series(1, 100) i; \
             insert into thing select i, 1 + i % 100, repeat('thing ' || i, 1 + i % 9) from generate_series(1, {ROWS}) i; \
             create index thing_by_owner on thing (owner_id)"
        ),
    );
}

/// Everything that must have arrived, in one text.
const CONTENT: &str = "select md5(coalesce((select string_agg(o::text, ',' order by id) from owner o), '') || \
    coalesce((select string_agg(concat_ws('|', id, owner_id, note), ',' order by id) from thing t), '')) \
    || ' ' || (select count(*) from thing) || ' ' || \
    (select string_agg(conname, ',' order by conname) from pg_constraint where contype in ('p', 'f') \
        and connamespace = 'public'::regnamespace)";

fn emptied(url: &str) {
    pg(
        url,
        "drop schema if exists public cascade; drop schema if exists dunlin cascade; create schema public",
    );
}

/// A workspace whose runs cut small.
fn site(from: &str, to: &str) -> Site {
    Site::with_plan(&crate::moves::plan(from, to, &[("owner", "id"), ("thing", "id")]))
}

fn begun(site: &Site, more: &[&str]) -> Child {
    let mut arguments = vec!["run", "--format", "json", "--jobs", "2"];
    arguments.extend(more);
    let mut command = site.command(&arguments);
    command.env("DUNLIN_ROWS_PER_SPLIT", "200").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: Child) -> Done {
    Done::at_its_end(&child.wait_with_output().unwrap())
}

fn said(done: &Done) -> String {
    format!("{}{}", done.out, done.err)
}

/// Whether a run that stopped gives a reason, and not a defect.
fn says_why(done: &Done) -> bool {
    let said = said(done);
    !said.trim().is_empty() && !said.contains("panicked") && !said.contains("defect of dunlin")
}

/// Where it stopped it said why, and going on brings it to its end.
#[track_caller]
fn must_end_well(what: &str, site: &Site, first: Done, from: &str, to: &str) {
    let mut done = first;
    for _ in 0..5 {
        if done.code == 0 {
            break;
        }
        assert!(matches!(done.code, 1..=3), "{what}: exit {}: {}", done.code, said(&done));
        assert!(says_why(&done), "{what}: {}", said(&done));
        done = ended(begun(site, &[]));
    }
    assert_eq!(done.code, 0, "{what}: {}", said(&done));
    done.balanced();
    assert_eq!(pg_one(to, CONTENT), pg_one(from, CONTENT), "{what}");
    site.verify().expect(0).balanced();
}

/// Rounds of each fault: three in every test run, more in `make soak`.
const ROUNDS: u64 = 3;

fn network(rounds: u64) {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    fill(&from);
    for seed in 0..rounds {
        let mut chance = StdRng::seed_from_u64(seed);
        for source_side in [true, false] {
            emptied(&to);
            let (proxy, through) = Proxy::before(if source_side { &from } else { &to });
            let site = if source_side { site(&through, &to) } else { site(&from, &through) };
            let after = chance.random_range(1_000..200_000);
            let fault = match (seed + u64::from(source_side)) % 3 {
                0 => Fault::CutAfter(after),
                1 => Fault::TruncateAfter(after),
                _ => Fault::DelayAfter(after, Duration::from_millis(700)),
            };
            let what = format!("{fault:?} before the {}", if source_side { "source" } else { "target" });
            proxy.arm(fault);
            let done = ended(begun(&site, &[]));
            must_end_well(&what, &site, done, &from, &to);
        }
    }
}

fn servers(rounds: u64) {
    let Some(shared) = postgres("shared") else { return };
    let Some(mut private) = dunlin_testkit::start_private() else { return };
    let url = private.url("postgres");
    for seed in 0..rounds {
        let mut chance = StdRng::seed_from_u64(seed);
        for dies in ["source", "target"] {
            let (from, to) = if dies == "source" { (&url, &shared) } else { (&shared, &url) };
            emptied(from);
            emptied(to);
            fill(from);
            let site = site(from, to);
            let child = begun(&site, &["--retry", "0"]);
            std::thread::sleep(Duration::from_millis(chance.random_range(50..900)));
            private.kill();
            let done = ended(child);
            private.resume();
            assert_eq!(private.url("postgres"), url, "the server came back on another port");
            must_end_well(&format!("the {dies} died, seed {seed}"), &site, done, from, to);
        }
    }
}

fn locks(rounds: u64) {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    fill(&from);
    for round in 0..rounds {
        emptied(&to);
        let site = site(&from, &to);
        // The second time the tables are there, so that they can be locked in the target as well.
        must_end_well("undisturbed", &site, ended(begun(&site, &[])), &from, &to);
        pg(&from, &format!("update thing set note = note || {round} where id % 7 = 0"));
        let (url, hold) = if round % 2 == 0 { (&from, "thing") } else { (&to, "thing") };
        let holder = std::thread::spawn({
            let sql =
                format!("begin; lock table {hold} in access exclusive mode; select pg_sleep(1.5); commit");
            let url = url.clone();
            move || pg(&url, &sql)
        });
        std::thread::sleep(Duration::from_millis(300));
        let at = Instant::now();
        let done = ended(begun(&site, &[]));
        holder.join().unwrap();
        assert!(at.elapsed() > Duration::from_secs(1), "it did not wait for the lock");
        must_end_well("a lock", &site, done, &from, &to);
    }
}

fn columns(rounds: u64) {
    let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
    for seed in 0..rounds {
        let mut chance = StdRng::seed_from_u64(seed);
        emptied(&from);
        emptied(&to);
        fill(&from);
        let site = site(&from, &to);
        let child = begun(&site, &[]);
        std::thread::sleep(Duration::from_millis(chance.random_range(50..600)));
        pg(&from, "alter table thing add column late text default 'late'");
        let done = ended(child);
        // What the plan took over is what was there when the run began, and nothing of it is lost.
        let mut done = done;
        for _ in 0..3 {
            if done.code == 0 {
                break;
            }
            assert!(matches!(done.code, 1..=3) && says_why(&done), "{}: {}", done.code, said(&done));
            if pg_one(&to, CONTENT) == pg_one(&from, CONTENT) {
                // Everything arrived but the column, and that is what it says.
                assert!(said(&done).contains("late"), "{}", said(&done));
                break;
            }
            done = ended(begun(&site, &[]));
        }
        assert_eq!(
            pg_one(&to, CONTENT),
            pg_one(&from, CONTENT),
            "a column came, seed {seed}: {}",
            said(&done)
        );
    }
}

fn full_disk(rounds: u64) {
    for seed in 0..rounds {
        let mut chance = StdRng::seed_from_u64(seed);
        let site = Site::with_plan(&crate::moves::plan("sqlite:old.db", "sqlite:new.db", &[("t", "id")]));
        site.sql(
            "old.db",
            "create table t (id integer primary key, v text); \
             with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000) \
             insert into t select i, hex(zeroblob(500)) || i from n",
        );
        // No file may grow beyond this: what a full disk says, one file at a time. The signal is ignored, the error is
        // what the program sees.
        let blocks = chance.random_range(2_000..3_500);
        let program = site.command(&[]).get_program().to_owned();
        let mut command = std::process::Command::new("bash");
        command.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" run --format json"));
        command.arg(program).current_dir(site.dir()).env("DUNLIN_ROWS_PER_SPLIT", "200");
        command.env("DUNLIN_KEYS", site.folder().join("keys")).env("HOME", site.folder().join("home"));
        let done = Done::of(command);
        assert_eq!(done.code, 3, "{}{}", done.out, done.err);
        assert!(says_why(&done), "{}", said(&done));
        let there: u32 = site.one("new.db", "select count(*) from t").parse().unwrap();
        assert!(there < 4_000 && there.is_multiple_of(200), "{there} rows are whole splits");
        site.moved();
        assert_eq!(
            site.rows("new.db", "id, v", "t order by id"),
            site.rows("old.db", "id, v", "t order by id")
        );
        site.verify().expect(0).balanced();
    }
}

#[test]
fn a_network_that_cuts_truncates_or_delays() {
    network(ROUNDS);
}

#[test]
fn a_source_or_a_target_that_dies() {
    servers(ROUNDS);
}

#[test]
fn a_lock_that_somebody_holds() {
    locks(ROUNDS);
}

#[test]
fn a_column_that_comes_while_rows_are_read() {
    columns(ROUNDS);
}

#[test]
fn a_disk_that_is_full() {
    full_disk(ROUNDS);
}

#[test]
#[ignore = "minutes: make soak"]
fn faults_soak() {
    for (what, fault) in [
        ("network", network as fn(u64)),
        ("servers", servers),
        ("locks", locks),
        ("columns", columns),
        ("full disk", full_disk),
    ] {
        let begun = Instant::now();
        fault(20);
        eprintln!("{what}: 20 rounds, {:?}", begun.elapsed());
    }
}
