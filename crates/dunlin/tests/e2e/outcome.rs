//! What a run is said to have come to, one table that is done again, and a server that goes on by itself.

use serde_json::json;

use crate::serve::{Browser, SERVER, plan_fingerprint, serve, stopped};
use crate::support::{Site, pg, pg_one, pg_rows, postgres, wait};
use dunlin_testkit::{Fault, Proxy};

/// Two tables that move, with a key between them, and two that cannot be read before somebody mends them.
const FROM: &str = "create table parent (id integer primary key, name text); \
    insert into parent select i, 'p' || i from generate_series(1, 30) i; \
    create table child (id integer primary key, parent_id integer constraint to_parent references parent); \
    insert into child select i, i from generate_series(1, 30) i; \
    create view bad as select id, 1 / (id - 5) as x from parent; \
    create view worse as select id, 1 / (id - 7) as x from parent";

const KEYS: &str = "select conname::text from pg_constraint where connamespace = 'public'::regnamespace \
    and contype in ('p', 'f') order by 1";

fn site() -> Option<(Site, String, String)> {
    let (from, to) = (postgres("from")?, postgres("to")?);
    pg(&from, FROM);
    let tables = [("bad", "id"), ("worse", "id"), ("child", "id"), ("parent", "id")];
    let site = Site::with_plan(&crate::moves::plan(&from, &to, &tables));
    Some((site, from, to))
}

fn mend(from: &str, view: &str) {
    let (from, sql) = (
        from.to_owned(),
        format!("create or replace view {view} as select id, 1 / (id + 5) as x from parent"),
    );
    // On a thread of its own, as those who ask may be at work in the runtime that it needs.
    std::thread::spawn(move || pg(&from, &sql)).join().unwrap();
}

#[test]
fn one_table_of_an_unfinished_run_is_done_again_and_the_keys_of_all_come_at_its_end() {
    let Some((site, from, to)) = site() else { return };
    let done = site.dunlin(&["run"]).expect(1);
    assert!(done.err.contains("2 of 4 tables could not be moved"), "{}", done.err);
    // One is mended and done again; the run is not at its end, and says what is missing.
    mend(&from, "bad");
    let done = site.dunlin(&["run", "--table", "new.bad"]).expect(1);
    assert!(done.err.contains("1 of 4 tables of this run are still to be moved: new.worse"), "{}", done.err);
    assert_eq!(pg_one(&to, "select count(*) from bad"), "30");
    assert_eq!(pg_rows(&to, KEYS), Vec::<String>::new(), "keys come once all rows are there");
    // The last one: now everything about all four is settled, though one table alone was asked for.
    mend(&from, "worse");
    let done = site.run(&["--table", "new.worse"]).expect(0);
    done.balanced();
    assert_eq!(done.counts("new.parent"), [30, 30, 0, 0, 30]);
    assert_eq!(pg_rows(&to, KEYS), ["bad_pkey", "child_pkey", "parent_pkey", "to_parent", "worse_pkey"]);
    let verified = site.verify().expect(0);
    assert_eq!(verified.json().iter().filter(|t| t["table"].is_string()).count(), 4, "{}", verified.out);
}

#[test]
fn a_damaged_file_is_mended_and_its_table_is_done_again() {
    let tables = [("people", "id"), ("orders", "id")];
    let made = Site::with_plan(
        &crate::moves::plan("sqlite:old.db", "file:out/", &tables)
            .replace("\"file:out/\"", "\"file:out/\"\nformat = \"parquet\""),
    );
    let rows = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 3000)";
    made.sql(
        "old.db",
        &format!(
            "create table people (id integer primary key, name text); insert into people {rows} select i, 'p' || i from n; \
             create table orders (id integer primary key, what text); insert into orders {rows} select i, hex(randomblob(20)) from n"
        ),
    );
    made.moved();
    let site = Site::with_plan(&crate::moves::plan("file:in/", "sqlite:new.db", &tables));
    let good = std::fs::read(made.path("out/orders.parquet")).unwrap();
    site.write("in/people.parquet", std::fs::read(made.path("out/people.parquet")).unwrap());
    // The pages are damaged; what is said about them at the end of the file is not.
    let mut bad = good.clone();
    bad[4..2_000].fill(0xff);
    site.write("in/orders.parquet", &bad);
    let done = site.dunlin(&["run"]).expect(1);
    assert!(done.err.contains("new.orders"), "{}", done.err);
    assert_eq!(site.one("new.db", "select count(*) from people"), "3000");
    site.write("in/orders.parquet", &good);
    let done = site.run(&["--table", "new.orders"]).expect(0);
    assert_eq!(done.counts("new.orders"), [3000, 3000, 0, 0, 3000]);
    site.verify().expect(0).balanced();
}

#[test]
fn the_server_names_each_table_that_failed_and_does_it_again() {
    let Some((site, from, to)) = site() else { return };
    site.write("server.toml", SERVER);
    let mut served = serve(&site, &[]);
    wait(async {
        let ana = Browser::set_up(&served).await;
        let asked = json!({ "fingerprint": plan_fingerprint(&site) });
        let run = ana.post("/api/v1/runs", asked).await["id"].as_str().unwrap().to_owned();
        let stopped = ana.until(&run, "paused").await;
        let problem = stopped["outcome"]["problem"].as_str().unwrap();
        assert!(problem.contains("2 of 4 tables could not be moved"), "{problem}");
        let path = format!("/api/v1/runs/{run}/tables");
        let tables = ana.get(&path).await["items"].as_array().unwrap().clone();
        let of = |label: &str| tables.iter().find(|t| t["table"] == label).unwrap().clone();
        assert_eq!(of("new.bad")["problem"]["command"], "dunlin run --table new.bad");
        assert!(of("new.bad")["problem"]["problem"].as_str().is_some_and(|p| !p.is_empty()));
        assert!(of("new.parent")["problem"].is_null());

        mend(&from, "bad");
        let again = |table: &str| json!({ "fingerprint": plan_fingerprint(&site), "table": table });
        assert_eq!(ana.post("/api/v1/runs", again("new.bad")).await["id"], json!(run), "the same run");
        ana.until(&run, "paused").await;
        let tables = ana.get(&path).await["items"].as_array().unwrap().clone();
        let failed: Vec<_> = tables.iter().filter(|t| !t["problem"].is_null()).map(|t| &t["table"]).collect();
        assert_eq!(failed, ["new.worse"], "what is the matter with the other is still said");

        mend(&from, "worse");
        ana.post("/api/v1/runs", again("new.worse")).await;
        let done = ana.until(&run, "done").await;
        assert!(done["outcome"]["problem"].is_null() && done["outcome"]["failed"] == json!({}), "{done}");
        let tables = ana.get(&path).await["items"].as_array().unwrap().clone();
        assert!(tables.iter().all(|t| t["reconciled"] == true && t["problem"].is_null()), "{tables:?}");
    });
    assert_eq!(stopped(&mut served), Some(0));
    assert_eq!(pg_rows(&to, KEYS).len(), 5);
}

#[test]
fn a_run_of_the_server_goes_on_by_itself_when_a_store_was_lost_and_each_time_is_entered() {
    for (retry, ends, tries) in [(2, "done", 1), (0, "paused", 0)] {
        let (Some(from), Some(to)) = (postgres("from"), postgres("to")) else { return };
        pg(&from, FROM);
        let (proxy, through) = Proxy::before(&to);
        let tables = [("parent", "id"), ("child", "id")];
        let site = Site::with_plan(&crate::moves::plan(&from, &through, &tables));
        site.write("server.toml", SERVER);
        let mut served = serve(&site, &[]);
        wait(async {
            let ana = Browser::set_up(&served).await;
            let refused = json!({ "fingerprint": plan_fingerprint(&site), "retry": 1000 });
            assert_eq!(ana.try_post("/api/v1/runs", &refused).await.unwrap().0, 422);
            proxy.arm(Fault::CutAt(b"COPY ".to_vec()));
            let asked = json!({ "fingerprint": plan_fingerprint(&site), "retry": retry });
            let run = ana.post("/api/v1/runs", asked).await["id"].as_str().unwrap().to_owned();
            let ended = ana.until(&run, ends).await;
            assert_eq!(ended["outcome"]["tries"].as_array().unwrap().len(), tries, "{ended}");
            assert_eq!(ended["outcome"]["problem"].is_null(), ends == "done", "{ended}");
        });
        assert_eq!(proxy.struck(), 1);
        assert_eq!(stopped(&mut served), Some(0));
        let ledger = site.dunlin(&["ledger", "export"]).expect(0).out;
        assert_eq!(ledger.matches("\"run_retried\"").count(), tries, "{ledger}");
    }
}

#[test]
fn a_verification_after_one_table_was_done_again_is_not_silent_about_the_others() {
    let site =
        Site::with_plan(&crate::moves::plan("sqlite:old.db", "sqlite:new.db", &[("a", "id"), ("b", "id")]));
    site.sql(
        "old.db",
        "create table a (id integer primary key, v text); insert into a values (1, 'x'), (2, 'y'); \
         create table b (id integer primary key, v text); insert into b values (1, 'x')",
    );
    site.moved();
    site.sql("old.db", "update a set v = 'z' where id = 1");
    site.run(&["--table", "new.a"]).expect(0);
    // The run knows of one table alone; what it did not look at is not passed over as good.
    site.sql("new.db", "update b set v = 'changed'");
    let done = site.verify().expect(1);
    assert!((done.out + &done.err).contains("not verified: new.b"));
    let done = site.dunlin(&["finish"]).expect(2);
    assert!(done.err.contains("not verified: new.b"), "{}", done.err);
    site.dunlin(&["verify", "--table", "new.a"]).expect(0);
    site.sql("new.db", "update b set v = 'x'");
    site.moved();
    site.verify().expect(0).balanced();
    site.dunlin(&["finish"]).expect(0);
}
