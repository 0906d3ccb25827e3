//! Wrong input: each message says where, what, and how to mend it; the exit code is right; nothing is touched or lost.

use std::process::Command;

use crate::moves::plan;
use crate::support::{Done, Site, pg};

const DATA: &str = "
    create table people (id integer primary key, name text, age integer);
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000)
        insert into people select i, 'Person ' || i, i % 90 from n;
";

const PLAN: &str = r#"[plan]
name = "Move"

[store.old]
url = "sqlite:old.db"

[store.new]
url = "sqlite:new.db"

[[table]]
from = "old.people"
to = "new.people"
key = ["id"]

[table.columns]
id = "id"
name = "trim(name)"
age = "age"

[[table.rule]]
name = "adults"
check = "age >= 0"
otherwise = "quarantine"
"#;

/// Runs the plan with one thing wrong: nothing may be touched, and this is what is said.
fn wrong(old: &str, new: &str) -> String {
    let site = Site::with_plan(PLAN);
    site.sql("old.db", DATA);
    site.edit_plan(old, new);
    let done = site.dunlin(&["run"]).expect(2);
    assert!(!site.path("new.db").exists(), "something was touched");
    site.plain(&done.err)
}

#[test]
fn what_a_plan_gets_wrong_is_shown_at_its_place() {
    insta::assert_snapshot!(wrong("otherwise = \"quarantine\"", "otherwize = \"quarantine\""), @r#"
    plan-missing-key

      × [[table.rule]] "adults" has no `otherwise`
        ╭─[dunlin.toml:20:1]
     19 │
     20 │ [[table.rule]]
        · ──────────────
     21 │ name = "adults"
        ╰────
      help: add `otherwise = "quarantine"`: what happens to a row that fails
    plan-unknown-key

      × unknown key `otherwize` in [[table.rule]] "adults"
        ╭─[dunlin.toml:23:1]
     22 │ check = "age >= 0"
     23 │ otherwize = "quarantine"
        · ─────────
        ╰────
      help: did you mean `otherwise`?
    "#);
    insta::assert_snapshot!(wrong("key = [\"id\"]", "key = 7"), @r#"
    plan-wrong-type

      × `key` in [[table]] "new.people" is a number
        ╭─[dunlin.toml:13:7]
     12 │ to = "new.people"
     13 │ key = 7
        ·       ─
     14 │
        ╰────
      help: it must be a list of texts
    "#);
    insta::assert_snapshot!(wrong("age = \"age\"", "age = \"agee\""), @r#"
    move-expression

      × there is no column `agee` here
        ╭─[dunlin.toml:18:7]
     17 │ name = "trim(name)"
     18 │ age = "agee"
        ·       ──────
     19 │
        ╰────
      help: did you mean `age`?
    "#);
    insta::assert_snapshot!(wrong("trim(name)", "trim(name"), @r#"
    move-expression

      × Expected: ), found: EOF
        ╭─[dunlin.toml:17:8]
     16 │ id = "id"
     17 │ name = "trim(name"
        ·        ───────────
     18 │ age = "age"
        ╰────
      help: see docs/plan.md, `SQL in a plan`
    "#);
    insta::assert_snapshot!(wrong("trim(name)", "trimm(name)"), @r#"
    move-expression

      × there is no function `trimm`
        ╭─[dunlin.toml:17:8]
     16 │ id = "id"
     17 │ name = "trimm(name)"
        ·        ─────────────
     18 │ age = "age"
        ╰────
      help: did you mean `trim`?
    "#);
    insta::assert_snapshot!(wrong("age >= 0", "age"), @r#"
    move-not-boolean

      × rule `adults` must be true or false, this gives Int64
        ╭─[dunlin.toml:22:9]
     21 │ name = "adults"
     22 │ check = "age"
        ·         ─────
     23 │ otherwise = "quarantine"
        ╰────
      help: write a comparison
    "#);
    insta::assert_snapshot!(wrong("age = \"age\"\n", ""), @r#"
    move-column-without-fate

      × source column `age` has no fate
        ╭─[dunlin.toml:12:6]
     11 │ from = "old.people"
     12 │ to = "new.people"
        ·      ────────────
     13 │ key = ["id"]
        ╰────
      help: map it under [table.columns], or say why it stays behind: [table.drop] age = "reason"
    "#);
    insta::assert_snapshot!(wrong("old.people", "old.peeple"), @r#"
    move-missing-table

      × store `old` has no table `peeple`
        ╭─[dunlin.toml:11:8]
     10 │ [[table]]
     11 │ from = "old.peeple"
        ·        ────────────
     12 │ to = "new.people"
        ╰────
      help: did you mean `people`?
    "#);
    insta::assert_snapshot!(wrong("sqlite:old.db", "env:DUNLIN_NOT_SET"), @r"
    error: store `old`: the environment variable `DUNLIN_NOT_SET` is not set
      help: run: export DUNLIN_NOT_SET='postgres://…'
    ");
}

#[test]
fn a_target_that_cannot_hold_a_value_is_told_before_a_row_moves() {
    let site = Site::with_plan(PLAN);
    site.sql("old.db", DATA);
    site.sql("new.db", "create table people (id integer primary key, nom text)");
    let done = site.dunlin(&["run"]).expect(2);
    insta::assert_snapshot!(site.plain(&done.err), @r#"
    move-missing-column

      × `new.people` has no column `name`
        ╭─[dunlin.toml:17:1]
     16 │ id = "id"
     17 │ name = "trim(name)"
        · ────
     18 │ age = "age"
        ╰────
      help: it has `id`, `nom`
    move-missing-column

      × `new.people` has no column `age`
        ╭─[dunlin.toml:18:1]
     17 │ name = "trim(name)"
     18 │ age = "age"
        · ───
     19 │
        ╰────
      help: it has `id`, `nom`
    "#);
}

#[test]
fn the_command_line_is_checked() {
    let site = Site::new();
    insta::assert_snapshot!(site.plain(&site.dunlin(&["run"]).expect(2).err), @r"
    error: there is no dunlin.toml in .
      help: `dunlin init --from URL --to URL` drafts one; `dunlin demo` shows one at work
    ");
    site.plan(PLAN);
    site.sql("old.db", DATA);
    insta::assert_snapshot!(site.plain(&site.dunlin(&["run", "--table", "new.peeple"]).expect(2).err), @r"
    error: the plan has no table `new.peeple`
      help: its tables are new.people
    ");
    insta::assert_snapshot!(site.plain(&site.dunlin(&["run", "--fingerprint", "00"]).expect(2).err), @r"
    error: the plan's fingerprint is [hash], not the one of --fingerprint
      help: somebody changed the plan since: `dunlin plan diff` says what
    ");
    insta::assert_snapshot!(site.plain(&site.dunlin(&["verify"]).expect(2).err), @r"
    error: this plan has not been run yet
      help: `dunlin run` moves the data; an edited plan is another plan
    ");
    assert_eq!(site.dunlin(&["check", "--format", "json"]).expect(0).out, "");
    site.edit_plan("age >= 0", "agee >= 0");
    let check = site.dunlin(&["check"]);
    assert_eq!(check.code, 1, "a finding of level error: {}{}", check.out, check.err);
}

/// Runs against a store that says no: exit 3, and what is said.
fn unreachable(url: &str) -> String {
    let site = Site::with_plan(&plan("sqlite:old.db", "env:DUNLIN_TARGET", &[("people", "id")]));
    site.sql("old.db", DATA);
    let mut command = site.command(&["run"]);
    command.env("DUNLIN_TARGET", url);
    let done = Done::of(command).expect(3);
    site.plain(&done.err)
}

#[test]
fn a_store_that_does_not_answer_is_named() {
    // Nobody listens there: the port was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let said = unreachable(&format!("postgres://me:hunter2@127.0.0.1:{port}/db"))
        .replace(&port.to_string(), "[port]");
    insta::assert_snapshot!(said, @r"
    error: store `new` could not be reached: nobody answers at 127.0.0.1:[port]
      help: check host, port, firewall, and that the server runs
    ");
    insta::assert_snapshot!(unreachable("sqlite:/dev/null/new.db"), @r"
    error: store `new` could not be reached: the database's path leads through something that is no folder
      help: name a file in a folder: `sqlite:FOLDER/NAME.db`; a relative path starts from the plan's folder
    ");
    let site = Site::with_plan(&plan("sqlite:gone.db", "sqlite:new.db", &[("people", "id")]));
    insta::assert_snapshot!(site.plain(&site.dunlin(&["run"]).expect(3).err), @r"
    error: store `old`: the database file does not exist
      help: check the store's path; a relative one starts from the plan's folder
    ");
    site.write(
        "gone.db",
        "this is a letter, not a database, and long enough to be read as one header of it at least",
    );
    insta::assert_snapshot!(site.plain(&site.dunlin(&["run"]).expect(2).err), @r"
    error: store `old`: a file that is not a SQLite 3 database (or is encrypted) is not supported
      help: check the store's path; an encrypted database must be decrypted first
    ");
}

#[test]
fn a_wrong_password_and_a_missing_permission_are_told() {
    let Some(mut server) = dunlin_testkit::start_private() else { return };
    let url = server.url("postgres");
    pg(
        &url,
        "create role mover login password 'right'; create role reader login password 'right'; \
        create table public.people (id bigint primary key, name text, age bigint); insert into people values (1, 'a', 2); \
        grant create on database postgres to mover; grant usage on schema public to reader",
    );
    let hba = server.folder().join("pg_hba.conf");
    std::fs::write(&hba, "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        .unwrap();
    server.kill();
    server.resume();
    let (_, host) = url.split_once("postgres@").unwrap();
    let port = host.split([':', '/']).nth(1).unwrap().to_owned();
    let plain = |said: String| said.replace(&port, "[port]");
    insta::assert_snapshot!(plain(unreachable(&format!("postgres://mover:wrong-canary@{host}"))), @r"
    error: store `new` refused the login of `mover`
      help: check the user and the password the store's `env:` or `secret:` names
    ");
    insta::assert_snapshot!(plain(unreachable(&format!("postgres://nobody:x@{host}"))), @r"
    error: store `new` refused the login of `nobody`
      help: check the user and the password the store's `env:` or `secret:` names
    ");
    insta::assert_snapshot!(plain(unreachable(&format!("postgres://mover:right@{host}"))), @r#"
    error: store `new`: no permission to read public.people
      help: ask the store's owner to run: GRANT SELECT ON "public"."people" TO "mover";
    "#);

    let site = Site::with_plan(&plan("env:DUNLIN_SOURCE", "sqlite:new.db", &[("people", "id")]));
    let with = |arguments: &[&str]| {
        let mut command: Command = site.command(arguments);
        command.env("DUNLIN_SOURCE", format!("postgres://reader:right@{host}"));
        Done::of(command)
    };
    insta::assert_snapshot!(plain(site.plain(&with(&["run"]).expect(3).err)), @r#"
    error: store `old`: no permission to read public.people
      help: ask the store's owner to run: GRANT SELECT ON "public"."people" TO "reader";
    "#);
    insta::assert_snapshot!(plain(site.plain(&with(&["doctor"]).expect(1).out)), @r#"
    new
      ✓ ok    open: SQLite [version]
      ✓ ok    read people
      ✓ ok    write
    old
      ✓ ok    connect: PostgreSQL [version]
      ! warn  encryption: the connection is in the clear
               add `?sslmode=verify-full` to the store's URL
      ✗ fail  read public.people: a privilege is missing
               GRANT SELECT ON "public"."people" TO "reader";
    "#);
    pg(&url, "grant select on public.people to reader");
    with(&["run"]).expect(0);
}

#[test]
fn a_full_disk_stops_the_run_and_nothing_is_lost() {
    let site = Site::with_plan(&plan("sqlite:old.db", "sqlite:small/new.db", &[("people", "id")]));
    site.sql("old.db", DATA);
    site.sql("old.db", "update people set name = name || hex(randomblob(1000))");
    let small = site.path("small");
    std::fs::create_dir(&small).unwrap();
    let mount = |arguments: &[&str]| {
        let done = Command::new("mount").args(arguments).arg(&small).output();
        done.is_ok_and(|o| o.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) {
        eprintln!("skipped: a small file system cannot be mounted here (it takes root)");
        return;
    }
    let _gone = Unmount(small.clone());
    let full = site.dunlin(&["run"]);
    let said = site.plain(&full.err);
    assert_eq!(full.code, 3, "{said}");
    insta::assert_snapshot!(said, @r"
    new.people, about 1,000 rows
    error: store `new`: no space left to end the load of people
      help: free some space and run again; what was committed is kept
    ");
    assert!(mount(&["-o", "remount,size=64m"]));
    site.moved();
    site.verify().expect(0).balanced();
    for format in ["csv", "jsonl", "parquet"] {
        let name = format!("{format}-full");
        assert!(mount(&["-o", "remount,size=64m"]));
        // Whatever the round before left there: SQLite keeps its journal if the process ends first.
        for left in std::fs::read_dir(&small).unwrap() {
            let left = left.unwrap().path();
            let gone =
                if left.is_dir() { std::fs::remove_dir_all(&left) } else { std::fs::remove_file(&left) };
            gone.unwrap();
        }
        let site = Site::with_plan(&plan(
            "sqlite:old.db",
            &format!("file:{}/", small.join(&name).display()),
            &[("people", "id")],
        ));
        site.edit_plan("/\"\n", &format!("/\"\nformat = \"{format}\"\n"));
        site.sql("old.db", DATA);
        site.sql("old.db", "update people set name = name || hex(randomblob(1000))");
        std::fs::write(small.join("ballast"), vec![0; 62 << 20]).unwrap();
        // What is left is less than the table, and the ballast takes it again whatever was freed.
        assert!(mount(&["-o", "remount,size=63m"]));
        let full = site.dunlin(&["run"]).expect(3);
        assert!(full.err.contains("no space left"), "{format}: {}", full.err);
        std::fs::remove_file(small.join("ballast")).unwrap();
        site.moved();
        site.verify().expect(0).balanced();
    }
}

#[test]
fn a_full_disk_under_dunlin_s_own_folder_stops_the_run_and_nothing_is_lost() {
    let site = Site::with_plan(&plan("sqlite:old.db", "sqlite:new.db", &[("people", "id")]));
    site.edit_plan(
        "key = [\"id\"]",
        "key = [\"id\"]\n[[table.rule]]\nname = \"none\"\ncheck = \"id % 3 = 0\"\notherwise = \"quarantine\"\n",
    );
    site.sql("old.db", DATA);
    site.sql("old.db", "update people set name = name || hex(randomblob(1000))");
    // The folder is made by the first command, and then lies on a small disk.
    site.dunlin(&["check"]).expect(0);
    let own = site.path(".dunlin");
    let kept = site.path("kept");
    if own.exists() {
        std::fs::rename(&own, &kept).unwrap();
    }
    std::fs::create_dir(&own).unwrap();
    let mount = |size: &str, more: &str| {
        let options = format!("{more}size={size},mode=0700");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&own).output();
        done.is_ok_and(|o| o.status.success())
    };
    // Enough for the state, and not for the rows that wait.
    if !mount("1400k", "") {
        eprintln!("skipped: a small file system cannot be mounted here (it takes root)");
        return;
    }
    let _gone = Unmount(own.clone());
    if kept.exists() {
        assert!(Command::new("cp").arg("-a").arg(kept.join(".")).arg(&own).status().unwrap().success());
    }
    let full = site.dunlin(&["run"]);
    assert_eq!(full.code, 3, "{}", full.err);
    assert!(!full.err.contains("a defect"), "{}", full.err);
    insta::assert_snapshot!(site.plain(&full.err), @r"
    new.people, about 1,000 rows
    error: the quarantine fragment `0` could not be read or written: no storage space
      help: free some space where `.dunlin/` lies and run again; what was committed is kept
    ");
    assert!(mount("64m", "remount,"));
    let done = site.moved();
    assert_eq!(done.counts("new.people"), [1000, 333, 667, 0, 333]);
    site.verify().expect(0).balanced();
    site.dunlin(&["ledger", "verify"]).expect(0);
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Two thousand lines on the way to SQLite, in ten splits.
fn lines(n: u32) -> String {
    let lines: String = (1..=n).map(|i| format!("{i},Person {i}\n")).collect();
    format!("id,name\n{lines}")
}

fn from_csv(rest: &str) -> Site {
    let plan = plan("file:in.csv", "sqlite:new.db", &[("people", "id")]);
    let site = Site::with_plan(&(plan.replace("\"old.people\"", "\"old\"") + rest));
    site.write("in.csv", lines(2000));
    site
}

#[test]
fn a_source_that_shrinks_while_it_is_read_is_told_and_nothing_is_lost() {
    let site = from_csv("");
    let mut command = site.command(&["run", "--jobs", "1"]);
    command.env("DUNLIN_ROWS_PER_SPLIT", "200").env("FAILPOINTS", "connect::sqlite.commit.before=sleep(300)");
    let running =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    // Each split takes three tenths of a second once the target is there; two of ten are done when the file is cut.
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::time::Instant::now() < patience && !site.path("new.db").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(700));
    site.write("in.csv", lines(1000));
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!(site.plain(&String::from_utf8(output.stderr).unwrap()), @r"
    new.people
    error: store `old`: in changed while it was read: in.csv had 31794 bytes and has 14794
      help: let the source rest, or run again: nothing was lost
    ");
    site.write("in.csv", lines(2000));
    site.moved();
    assert_eq!(site.one("new.db", "select count(*) from people"), "2000");
    site.verify().expect(0).balanced();
}

#[test]
fn a_file_that_changed_before_a_run_goes_on_is_noticed() {
    let site = from_csv("[[table.rule]]\nname = \"few\"\ncheck = \"id <> '1500'\"\notherwise = \"stop\"\n");
    let run = || {
        let mut command = site.command(&["run", "--jobs", "1"]);
        command.env("DUNLIN_ROWS_PER_SPLIT", "200");
        Done::of(command)
    };
    run().expect(1);
    // Written again but not changed: it goes on to where it stopped.
    site.write("in.csv", lines(2000));
    run().expect(1);
    let loaded = site.one("new.db", "select count(*) from people");
    assert!(loaded != "0" && loaded != "2000", "{loaded}");
    // Of the same size, with another content in a split that is loaded already.
    site.write("in.csv", lines(2000).replace("\n10,Person 10\n", "\n10,Parson 10\n"));
    insta::assert_snapshot!(site.plain(&run().expect(2).err), @r"
    going on with run [id]
    error: the source of new.people changed since run [id] began: in.csv was written to
      help: put it back as it was and run again
      help: or take the run back and begin anew: dunlin undo --run [id]
    ");
    // Of another size: every later split would begin in the middle of a line.
    site.write("in.csv", lines(2000).replace("\n1500,", "\n15000,"));
    let told = run().expect(2).err;
    assert!(told.contains("in.csv had 31794 bytes and has 31795"), "{told}");
    assert_eq!(site.one("new.db", "select count(*) from people"), loaded);
    // The way out that is offered.
    let id = told.rsplit("dunlin undo --run ").next().unwrap().trim().to_owned();
    site.dunlin(&["undo", "--run", &id]).expect(0);
    let done = site.moved();
    assert_eq!(done.counts("new.people"), [2000, 2000, 0, 0, 2000]);
    site.verify().expect(0).balanced();
}

#[test]
fn a_database_that_changed_before_a_run_went_on_is_named_by_verify() {
    let site = Site::with_plan(&plan("sqlite:old.db", "sqlite:new.db", &[("people", "id")]));
    site.edit_plan(
        "key = [\"id\"]",
        "key = [\"id\"]\n[[table.rule]]\nname = \"few\"\ncheck = \"id <> 900\"\notherwise = \"stop\"\n",
    );
    site.sql("old.db", DATA);
    let run = || {
        let mut command = site.command(&["run", "--jobs", "1", "--format", "json"]);
        command.env("DUNLIN_ROWS_PER_SPLIT", "100");
        Done::of(command)
    };
    run().expect(1);
    // Another name in a split that is loaded, and the cause of the stop mended.
    let id = site.one("new.db", "select min(id) from people");
    site.sql(
        "old.db",
        &format!("update people set name = 'else' where id = {id}; delete from people where id = 900"),
    );
    let done = run().expect(0);
    assert_eq!(done.counts("new.people"), [999, 999, 0, 0, 999]);
    let told =
        site.dunlin(&["verify", "--format", "json", "--clear", "--purpose", "test: changed"]).expect(1);
    assert_eq!(told.differences("new.people"), [format!("changed id={id} name")]);
}
