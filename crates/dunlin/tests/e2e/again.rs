//! What comes after the first run, and around it: running again, undoing, finishing, enriching, rehearsing, windows,
//! approvals, the ledger, keys, the report.

use crate::moves::plan;
use crate::support::{Done, Site, pg_one, postgres};

const PEOPLE: &str = "
    create table people (id integer primary key, name varchar(40), email text);
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000)
        insert into people select i, 'Person ' || i, 'p' || i || '@example.com' from n;
";

fn people(to: &str) -> Site {
    let site = Site::with_plan(&plan("sqlite:old.db", to, &[("people", "id")]));
    site.sql("old.db", PEOPLE);
    site
}

/// Runs with splits of a hundred rows.
fn run_in_splits(site: &Site) -> Done {
    let mut command = site.command(&["run", "--format", "json", "--jobs", "2"]);
    command.env("DUNLIN_ROWS_PER_SPLIT", "100");
    let done = Done::of(command).expect(0);
    done.balanced();
    done
}

fn same_people(site: &Site) {
    let rows = |file| site.rows(file, "id, name, email", "people order by id");
    assert_eq!(rows("new.db"), rows("old.db"));
}

#[test]
fn a_second_run_moves_only_what_changed() {
    let site = people("sqlite:new.db");
    run_in_splits(&site);
    let again = run_in_splits(&site);
    assert!(again.err.contains("10 of 10 splits done before"), "{}", again.err);
    site.sql(
        "old.db",
        "update people set name = 'else' where id = 250; delete from people where id in (401, 402); \
        insert into people values (1001, 'new', null), (1002, 'newer', null)",
    );
    let changed = run_in_splits(&site);
    insta::assert_snapshot!(changed.err, @"new.people, about 1,002 rows, 7 of 10 splits done before");
    same_people(&site);
    site.verify().expect(0).balanced();
}

#[test]
fn a_second_run_replaces_in_postgres_and_in_files() {
    let mut targets = vec!["file:out.csv".to_owned(), "file:out.parquet".to_owned()];
    targets.extend(postgres("again"));
    for to in targets {
        let site = people(&to);
        if to.starts_with("file:") {
            site.edit_plan("to = \"new.people\"", "to = \"new\"");
        }
        run_in_splits(&site);
        site.sql(
            "old.db",
            "update people set name = 'else' where id = 250; delete from people where id in (401, 402); \
            insert into people values (1001, 'new', null), (1002, 'newer', null)",
        );
        let changed = run_in_splits(&site);
        let label = if to.starts_with("file:") { "new" } else { "new.people" };
        assert_eq!(changed.counts(label), [1000, 1000, 0, 0, 1000], "{to}");
        site.verify().expect(0).balanced();
        if to.starts_with("postgres") {
            assert_eq!(
                pg_one(&to, "select count(*) from people where name in ('else', 'new', 'newer')"),
                "3"
            );
            assert_eq!(pg_one(&to, "select count(*) from people where id in (401, 402)"), "0");
        }
    }
}

#[test]
fn undo_takes_back_what_a_run_loaded_children_first() {
    let mut targets = vec!["sqlite:new.db".to_owned()];
    targets.extend(postgres("undo"));
    for to in targets {
        let site = Site::with_plan(&plan(
            "sqlite:old.db",
            &to,
            &[("invoice", "invoice_id"), ("customer", "customer_id")],
        ));
        site.sql("old.db", crate::moves::SHOP);
        let run = site.moved().run_id();
        let undone = site.dunlin(&["undo", "--run", &run]).expect(0);
        insta::allow_duplicates!(insta::assert_snapshot!(site.plain(&undone.out), @r"
    new.invoice: 1,000 rows taken back; the table, which the run had made, is gone
    new.customer: 300 rows taken back; the table, which the run had made, is gone
    "));
        let verified = site.dunlin(&["verify"]).expect(2);
        insta::allow_duplicates!(insta::assert_snapshot!(site.plain(&verified.err), @r"
    error: the runs of this plan were taken back or given up
      help: `dunlin run` moves the data again
    "));
        site.moved();
        site.verify().expect(0).balanced();
    }
}

#[test]
fn undo_refuses_rows_that_were_changed_since() {
    let site = people("sqlite:new.db");
    let run = site.moved().run_id();
    site.sql("new.db", "update people set name = 'edited here' where id = 5");
    let refused = site.dunlin(&["undo", "--run", &run]).expect(2);
    insta::assert_snapshot!(site.plain(&refused.err), @r"
    error: 1 row of new.people was changed or removed since run [id] loaded it
      help: `dunlin verify` names them; nothing was taken back
    ");
    assert_eq!(site.one("new.db", "select count(*) from people"), "1000");
    site.dunlin(&["undo", "--run", "no-such-run"]).expect(2);
}

#[test]
fn undo_leaves_rows_that_were_there_before() {
    let site = people("sqlite:new.db");
    site.edit_plan("key = [\"id\"]", "key = [\"id\"]\ninto = \"append\"");
    site.sql(
        "new.db",
        "create table people (id integer primary key, name text, email text); \
        insert into people values (-1, 'here', null)",
    );
    let run = site.moved().run_id();
    site.dunlin(&["undo", "--run", &run]).expect(0);
    assert_eq!(site.rows("new.db", "id, name", "people"), ["-1|'here'"]);
}

#[test]
fn undo_of_a_second_run_takes_back_what_it_carried_on() {
    let site = people("sqlite:new.db");
    let first = run_in_splits(&site).run_id();
    site.sql("old.db", "update people set name = 'else' where id = 250");
    let second = run_in_splits(&site).run_id();
    let refused = site.dunlin(&["undo", "--run", &first]).expect(2);
    insta::assert_snapshot!(site.plain(&refused.err), @r"
    error: run [id] came after it and carries its rows on
      help: take that one back, and its rows go with it: dunlin undo --run [id]
    ");
    site.dunlin(&["undo", "--run", &second]).expect(0);
    assert_eq!(site.one("new.db", "select count(*) from people"), "0");
    for run in [&second, &first] {
        let again = site.dunlin(&["undo", "--run", run]).expect(0);
        assert_eq!(site.plain(&again.err), "run [id] was taken back already");
    }
    site.dunlin(&["verify"]).expect(2);
    let anew = run_in_splits(&site);
    assert!(anew.err.contains(" 0 of 10 splits") || !anew.err.contains("done before"), "{}", anew.err);
    same_people(&site);
    site.verify().expect(0).balanced();
}

#[test]
fn finish_removes_the_bookkeeping_once_verified() {
    let site = people("sqlite:new.db");
    site.moved();
    let kept = "select count(*) from sqlite_schema where name like '\\_dunlin%' escape '\\'";
    assert_ne!(site.one("new.db", kept), "0");
    site.sql("new.db", "update people set name = 'x' where id = 1");
    let refused = site.dunlin(&["finish"]).expect(1);
    insta::assert_snapshot!(site.plain(&refused.err), @r"
    error: nothing was removed: the targets do not reconcile
      help: mend what differs, or `dunlin undo`
    ");
    assert_ne!(site.one("new.db", kept), "0");
    site.sql("new.db", "update people set name = 'Person 1' where id = 1");
    site.dunlin(&["finish"]).expect(0);
    assert_eq!(site.one("new.db", kept), "0");
    if let Some(url) = postgres("finish") {
        let site = people(&url);
        site.moved();
        let schema = "select count(*) from pg_namespace where nspname = 'dunlin'";
        assert_eq!(pg_one(&url, schema), "1");
        site.dunlin(&["finish"]).expect(0);
        assert_eq!(pg_one(&url, schema), "0");
    }
}

#[test]
fn undo_after_finish_leaves_no_bookkeeping() {
    let site = people("sqlite:new.db");
    let run = site.moved().run_id();
    site.dunlin(&["finish"]).expect(0);
    site.dunlin(&["undo", "--run", &run]).expect(0);
    assert_eq!(site.one("new.db", "select count(*) from sqlite_schema where name not like 'sqlite%'"), "0");
    site.moved();
    site.verify().expect(0).balanced();
    if let Some(url) = postgres("unfinish") {
        let site = people(&url);
        let run = site.moved().run_id();
        site.dunlin(&["finish"]).expect(0);
        site.dunlin(&["undo", "--run", &run]).expect(0);
        let left = "select count(*) from pg_namespace n left join pg_class c on c.relnamespace = n.oid \
            where n.nspname = 'dunlin' or c.relname = 'people'";
        assert_eq!(pg_one(&url, left), "0");
    }
    let site = people("file:out.csv");
    site.edit_plan("to = \"new.people\"", "to = \"new\"\ninto = \"append\"");
    site.write("out.csv", "id,name,email\n-1,here,\n");
    let run = site.moved().run_id();
    site.dunlin(&["finish"]).expect(0);
    site.dunlin(&["undo", "--run", &run]).expect(0);
    assert_eq!(site.read("out.csv"), "id,name,email\n-1,here,\n");
    assert!(!site.path("out.csv.dunlin-parts").exists());
}

#[test]
fn undo_of_a_run_of_one_table_takes_that_table_back() {
    let tables = [("invoice", "invoice_id"), ("customer", "customer_id")];
    let site = Site::with_plan(&plan("sqlite:old.db", "sqlite:new.db", &tables));
    site.sql("old.db", crate::moves::SHOP);
    let one = site.run(&["--table", "new.customer"]).expect(0).run_id();
    let undone = site.dunlin(&["undo", "--run", &one]).expect(0);
    insta::assert_snapshot!(site.plain(&undone.out), @"new.customer: 300 rows taken back; the table, which the run had made, is gone");
    // And when the others came after it, by a run of their own.
    site.run(&["--table", "new.customer"]).expect(0);
    let all = site.moved().run_id();
    site.dunlin(&["undo", "--run", &all]).expect(0);
    // The table of the first run stays, as the second had found it there.
    assert_eq!(site.one("new.db", "select count(*) from customer"), "0");
    assert_eq!(site.one("new.db", "select count(*) from sqlite_schema where name = 'invoice'"), "0");
    site.moved();
    site.verify().expect(0).balanced();
}

#[test]
fn a_text_file_keeps_its_types_after_finish() {
    for format in ["csv", "jsonl"] {
        let tables = [("people", "id")];
        let site = Site::with_plan(
            &plan("sqlite:old.db", &format!("file:out.{format}"), &tables)
                .replace("to = \"new.people\"", "to = \"new\""),
        );
        site.sql(
            "old.db",
            "create table people (id integer primary key, born date, seen timestamp, balance numeric(10,2), ok boolean);
             with recursive n (i) as (select 1 union all select i + 1 from n where i < 500)
             insert into people select i, date('2000-01-01', i || ' days'), '2024-05-01 10:00:00.5', i / 4.0, i % 2 from n;",
        );
        run_in_splits(&site);
        site.dunlin(&["finish"]).expect(0);
        assert!(!site.path(&format!("out.{format}.dunlin-parts")).exists());
        site.sql(
            "old.db",
            "update people set balance = 7.5 where id = 250; delete from people where id = 300",
        );
        let again = run_in_splits(&site);
        assert_eq!(again.counts("new"), [499, 499, 0, 0, 499], "{format}");
        site.verify().expect(0).balanced();
        assert_eq!(
            site.read(&format!("out.{format}")).lines().count(),
            if format == "csv" { 500 } else { 499 }
        );
    }
}

#[test]
fn a_file_holds_what_was_fixed_and_can_be_finished() {
    let site = Site::with_plan(
        &(plan("file:in.csv", "file:out.csv", &[("people", "id")])
            + "[table.columns]\nid = \"cast(id as bigint)\"\nage = \"cast(age as bigint)\"\n")
            .replace("\"old.people\"", "\"old\"")
            .replace("\"new.people\"", "\"new\""),
    );
    site.write("in.csv", "id,age\n1,40\n2,x\n3,42\n");
    site.moved();
    let group = site.waiting()[0]["group"].as_str().unwrap().to_owned();
    let fixed = site.dunlin(&["quarantine", "fix", &group, "--set", "age = 41"]).expect(0);
    insta::assert_snapshot!(site.plain(&fixed.out), @"new: 1 row looked at; 1 released, 0 left behind");
    assert_eq!(site.read("out.csv"), "id,age\n1,40\n3,42\n2,41\n");
    site.dunlin(&["finish"]).expect(0);
    assert_eq!(site.read("out.csv"), "id,age\n1,40\n3,42\n2,41\n");
}

#[test]
fn a_decision_is_not_written_into_other_stores() {
    let site = people("env:DUNLIN_TARGET");
    site.edit_plan(
        "key = [\"id\"]",
        "key = [\"id\"]\n[[table.rule]]\nname = \"few\"\ncheck = \"id < 900\"\notherwise = \"quarantine\"\n",
    );
    let with = |file: &str, arguments: &[&str]| {
        let mut command = site.command(arguments);
        command.env("DUNLIN_TARGET", format!("sqlite:{file}"));
        Done::of(command)
    };
    with("new.db", &["run"]).expect(0);
    let group = site.waiting()[0]["group"].as_str().unwrap().to_owned();
    site.sql("other.db", "create table people (id integer primary key, name text, email text)");
    let refused = with("other.db", &["quarantine", "release", &group]).expect(2);
    assert!(refused.err.contains("moved between other stores than these"), "{}", refused.err);
    with("other.db", &["finish"]).expect(1);
    assert_eq!(site.one("other.db", "select count(*) from sqlite_schema"), "1");
    assert_eq!(site.one("other.db", "select count(*) from people"), "0");
}

fn enriched(when: &str) -> Site {
    let mut text = plan("sqlite:old.db", "sqlite:new.db", &[("people", "id")]);
    text += &format!(
        "[[table.enrich]]\nfrom = \"side\"\non = \"id = person\"\nadd = {{ score = \"points\" }}\nwhen = \"{when}\"\n\n\
         [store.side]\nurl = \"file:side.csv\"\n"
    );
    let site = Site::with_plan(&text);
    site.sql("old.db", PEOPLE);
    let lines: String = (1..=500).map(|i| format!("{},p{}\n", i * 2, i)).collect();
    site.write("side.csv", format!("person,points\n{lines}"));
    site
}

#[test]
fn a_table_is_enriched_during_and_after_the_load() {
    let during = enriched("during");
    during.moved();
    let after = enriched("after");
    after.moved();
    let done = after.dunlin(&["enrich", "--format", "json"]).expect(0);
    assert_eq!(done.json()[0]["rows"], 500, "{}", done.out);
    for site in [during, after] {
        assert_eq!(
            site.rows("new.db", "id, score", "people where id in (3, 4) order by id"),
            ["3|NULL", "4|'p2'"]
        );
        assert_eq!(site.one("new.db", "select count(score) from people"), "500");
        site.verify().expect(0).balanced();
    }
}

#[test]
fn a_side_with_a_key_twice_multiplies_no_row() {
    for when in ["during", "after"] {
        let site = enriched(when);
        let text = site.read("side.csv") + "4,twice\n";
        site.write("side.csv", text);
        let done = site.dunlin(&["run"]);
        let done = if when == "after" { site.dunlin(&["enrich"]) } else { done };
        assert_ne!(done.code, 0, "{when}: {}", done.out);
        insta::allow_duplicates!(
            insta::assert_snapshot!(site.plain(&done.err).lines().last().unwrap_or_default(), @"  help: make the key unique there, or enrich from a table that has one row a key")
        );
    }
}

#[test]
fn a_rehearsal_writes_nothing_or_into_a_copy_without_people() {
    let site = people("sqlite:new.db");
    site.edit_plan(
        "key = [\"id\"]",
        "key = [\"id\"]\n[table.columns]\nid = \"id\"\nname = { from = \"name\", kind = \"person_name\" }\n\
        email = { from = \"email\", kind = \"email\" }",
    );
    let nowhere = site.run(&["--rehearse"]).expect(0);
    assert_eq!(nowhere.counts("new.people")[..2], [1000, 1000]);
    assert!(!site.path("new.db").exists());
    let copy = site.run(&["--rehearse", "--to", "sqlite:copy.db"]).expect(0);
    copy.balanced();
    assert!(!site.path("new.db").exists());
    assert_eq!(site.one("copy.db", "select count(*) from people"), "1000");
    assert_eq!(
        site.one(
            "copy.db",
            "select count(*) from people where name like 'Person%' or email like '%@example.com'"
        ),
        "0"
    );
    site.moved();
    same_people(&site);
    site.verify().expect(0).balanced();
}

#[test]
fn a_closed_window_waits_or_is_overridden_with_a_reason() {
    let site = people("sqlite:new.db");
    let day = site.one("old.db", "select strftime('%w', 'now', '+3 days')");
    let day = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"][day.parse::<usize>().unwrap()];
    let text = site.read("dunlin.toml");
    site.plan(&format!(
        "{text}\n[window]\ndays = [\"{day}\"]\nfrom = \"00:00\"\nto = \"24:00\"\nzone = \"UTC\"\n"
    ));
    let closed = site.dunlin(&["run", "--no-wait"]).expect(3);
    assert!(closed.err.contains("the plan's window is closed; it opens"), "{}", closed.err);
    assert!(!site.path("new.db").exists());
    site.run(&["--now", "the old system is switched off"]).expect(0).balanced();
    let entries = site.dunlin(&["ledger", "export"]).expect(0).out;
    assert!(entries.contains("window_overridden") && !entries.contains("switched off"));
}

#[test]
fn a_protected_store_needs_an_approved_plan() {
    let site = people("sqlite:new.db");
    site.edit_plan("url = \"sqlite:new.db\"", "url = \"sqlite:new.db\"\nprotected = true");
    let refused = site.dunlin(&["run"]).expect(2);
    insta::assert_snapshot!(site.plain(&refused.err), @r"
    error: store `new` is protected and this plan is not approved
      help: `dunlin plan approve --fingerprint [hash]` binds the plan to these stores
    ");
    assert!(!site.path("new.db").exists());
    let fingerprint = site.dunlin(&["plan", "fingerprint"]).expect(0).out.trim().to_owned();
    site.dunlin(&["plan", "approve", "--fingerprint", &"0".repeat(64)]).expect(2);
    site.dunlin(&["plan", "approve", "--fingerprint", &fingerprint]).expect(0);
    site.run(&["--fingerprint", &fingerprint]).expect(0).balanced();
    // Another target, or another plan, is not what was approved.
    site.edit_plan("sqlite:new.db", "sqlite:other.db");
    site.dunlin(&["run"]).expect(2);
    site.run(&["--fingerprint", &fingerprint]).expect(2);
    let diff = site.dunlin(&["plan", "diff"]).expect(0);
    insta::assert_snapshot!(site.plain(&diff.out), @r"
    * store new: url: `sqlite:new.db` -> `sqlite:other.db`
    * 1 of 1 changes decide the move: the fingerprint is another one now.
    ");
}

#[test]
fn an_edited_plan_does_not_go_on_with_an_unfinished_run() {
    let site = people("sqlite:new.db");
    let rule = "key = [\"id\"]\n[[table.rule]]\nname = \"few\"\ncheck = \"id < 900\"\notherwise = \"stop\"\n";
    site.edit_plan("key = [\"id\"]", rule);
    site.run(&[]).expect(1);
    site.edit_plan("id < 900", "id < 2000");
    let refused = site.dunlin(&["run"]).expect(2);
    insta::assert_snapshot!(site.plain(&refused.err), @r"
    error: run [id] of an earlier form of this plan is not finished
      help: finish it by the plan it was begun with: dunlin run --resume [id]
      help: or leave it: dunlin run --abandon [id]
    ");
    let run = refused.err.split_whitespace().find(|w| w.len() == 36).unwrap().to_owned();
    site.run(&["--resume", &run]).expect(1);
    site.run(&["--abandon", &run]).expect(0).balanced();
    same_people(&site);
    site.verify().expect(0).balanced();
}

#[test]
fn the_ledger_proves_itself_and_tells_of_a_flipped_byte() {
    let site = people("sqlite:new.db");
    site.moved();
    site.dunlin(&["report"]).expect(0);
    site.dunlin(&["ledger", "verify", "--since", "report/report.json"]).expect(0);
    let entries = site.dunlin(&["ledger", "export"]).expect(0).json();
    assert!(entries.len() > 3);
    site.dunlin(&["ledger", "prove", "--entry", "1", "--format", "json"]).expect(0);
    site.dunlin(&["ledger", "prove", "--from", "1", "--format", "json"]).expect(0);
    let bundle = files(&site.path(".dunlin/ledger"))
        .into_iter()
        .find(|p| p.to_string_lossy().contains("entries"))
        .unwrap();
    let mut bytes = std::fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let told = site.dunlin(&["ledger", "verify"]).expect(1);
    insta::assert_snapshot!(site.plain(&told.err), @r"
    error: the ledger does not verify: entry 2 (in `tile/entries/000.p/6`) was changed
      help: compare with a backup: `dunlin ledger export` of both
    ");
}

/// Every file below a folder.
pub fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn keys_rotate_and_what_was_made_before_stays_readable() {
    let site = people("sqlite:new.db");
    site.sql("old.db", "update people set id = id, name = cast(x'4ae9' as text) where id = 7");
    site.moved();
    for purpose in ["tokens", "quarantine", "row_name", "tombstone"] {
        site.dunlin(&["keys", "rotate", purpose]).expect(0);
    }
    site.dunlin(&["keys", "rotate", "row_hash"]).expect(2);
    site.dunlin(&["keys", "rotate", "nothing"]).expect(2);
    let group = site.waiting()[0]["group"].as_str().unwrap().to_owned();
    site.dunlin(&["quarantine", "show", &group]).expect(0);
    site.dunlin(&["quarantine", "fix", &group, "--set", "name = 'José'"]).expect(0);
    site.verify().expect(0).balanced();
    let list = site.dunlin(&["keys", "list", "--format", "json"]).expect(0).json();
    assert_eq!(list.iter().filter(|k| k["purpose"] == "tokens").count(), 2);
    // Keys are never beside the data they protect.
    let mut beside = site.command(&["keys", "list"]);
    beside.env("DUNLIN_KEYS", site.path("keys"));
    assert_ne!(Done::of(beside).code, 0);
}

#[test]
fn the_report_is_one_page_and_its_json() {
    let site = people("sqlite:new.db");
    let run = site.moved().run_id();
    site.dunlin(&["report", "--out", "evidence"]).expect(0);
    let page = site.read("evidence/report.html");
    assert!(page.contains("Content-Security-Policy") && page.contains(&run) && !page.contains("<script src"));
    assert!(!page.contains("Person 17") && !page.contains("@example.com"));
    let json: serde_json::Value = serde_json::from_str(&site.read("evidence/report.json")).unwrap();
    assert!(json.to_string().contains(&run));
}

#[test]
fn doctor_says_what_each_store_allows() {
    let site = people("sqlite:new.db");
    let fine = site.dunlin(&["doctor"]).expect(0);
    insta::assert_snapshot!(site.plain(&fine.out), @r"
    new
      ✓ ok    write: the database does not exist yet and will be made
    old
      ✓ ok    open: SQLite [version]
      ✓ ok    read people
    ");
    site.edit_plan("sqlite:old.db", "sqlite:nowhere.db");
    let broken = site.dunlin(&["doctor"]).expect(1);
    insta::assert_snapshot!(site.plain(&broken.out), @r"
    new
      ✓ ok    write: the database does not exist yet and will be made
    old
      ✗ fail  open: store `old`: the database file does not exist
               check the store's path; a relative one starts from the plan's folder
      ✗ fail  read people: store `old`: the database file does not exist
               check the store's path; a relative one starts from the plan's folder
    ");
}

#[test]
fn init_drafts_a_plan_that_runs_and_moves_a_password_away() {
    let site = Site::new();
    site.sql("old.db", crate::moves::SHOP);
    site.sql("old.db", "create table note (t text); insert into note values ('a'), ('a')");
    site.dunlin(&["init", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]).expect(0);
    site.dunlin(&["check"]).expect(0);
    site.moved();
    site.verify().expect(0).balanced();
    site.dunlin(&["init", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]).expect(2);

    let Some(url) = postgres("init") else { return };
    let secret = url.replacen("postgres@", "postgres:hunter2-canary@", 1);
    let site = Site::new();
    site.sql("old.db", crate::moves::SHOP);
    let done = site.dunlin(&["init", "--from", "sqlite:old.db", "--to", &secret]).expect(0);
    assert!(!format!("{}{}{}", done.out, done.err, site.read("dunlin.toml")).contains("hunter2"));
    let kept = files(&site.folder().join("home/.config/dunlin/secrets"));
    assert_eq!(kept.len(), 1);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&kept[0]).unwrap().permissions().mode() & 0o777, 0o600);
    site.moved();
    site.verify().expect(0).balanced();
}
