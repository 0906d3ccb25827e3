//! Customers ask, and the move acts: what is planted of one customer is found nowhere after an erasure, whenever it comes;
//! a correction stays; restrictions, objections and consent decide what moves next; and the receipt holds without dunlin.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use crate::again::files;
use crate::crash::SIGABRT;
use crate::support::{Done, Site, pg, pg_one, pg_rows, postgres};

/// In every value of the customer with this key, and in nobody else's.
const PLANTED: &str = "zebra";
const KEY: &str = "42";

const PLAN: &str = r#"
[plan]
name = "Customers"
[store.old]
url = "sqlite:old.db"
[store.new]
url = "TARGET"
[subject]
table = "new.customer"
id = "id"
email = "email"

[[table]]
from = "old.customer"
to = "new.customer"
key = ["id"]
basis = "contract"
[table.columns]
id = "id"
name = { from = "name", kind = "person_name" }
email = { sql = "lower(email)", kind = "email" }
city = { from = "city", kind = "city" }
[table.drop]
notes = "free text that nobody reads"

[[table]]
from = "old.purchase"
to = "new.purchase"
key = ["id"]
basis = "contract"

[[table]]
from = "old.item"
to = "new.item"
key = ["id"]
basis = "contract"

[[table]]
from = "old.visit"
to = "new.visit"
key = ["id"]
basis = "consent"
purpose = "dpv:ServiceOptimisation"
[table.columns]
id = "id"
customer_id = "customer_id"
said = { from = "said", kind = "free_text" }
stars = "stars"
[[table.rule]]
name = "stars"
check = "stars between 1 and 5"
otherwise = "quarantine"
"#;

const DATA: &str = "
    create table customer (id integer primary key, name text, email text, city text, notes text);
    create table purchase (id integer primary key, customer_id integer not null references customer (id), note text,
        amount numeric(10,2));
    create table item (id integer primary key, purchase_id integer not null references purchase (id), what text);
    create table visit (id integer primary key, customer_id integer references customer (id), said text, stars integer);
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 90)
        insert into customer select i, 'Name ' || i, 'A' || i || '@example.com', 'Town', 'none' from n;
    insert into purchase select id, id, 'bought ' || id, id / 2.0 from customer;
    insert into purchase select id + 100, id, 'again ' || id, 1 from customer;
    insert into item select id * 2, id, 'thing ' || id from purchase union all select id * 2 + 1, id, 'more' from purchase;
    insert into visit select id, id, 'fine ' || id, 1 + id % 5 from customer;
    insert into visit select id + 100, id, 'odd ' || id, 9 from customer where id % 20 = 2;
    update customer set name = 'Zoe zebra-name', email = 'Zebra@example.com', city = 'zebra-city', notes = 'zebra-notes'
        where id = 42;
    update purchase set note = 'zebra-note ' || id where customer_id = 42;
    update item set what = 'zebra-thing ' || id where purchase_id in (select id from purchase where customer_id = 42);
    update visit set said = 'zebra-said ' || id where customer_id = 42;
";

pub struct Scene {
    pub site: Site,
    server: Option<String>,
}

impl Scene {
    pub fn sqlite() -> Self {
        let site = Site::with_plan(&PLAN.replace("TARGET", "sqlite:new.db"));
        site.sql("old.db", DATA);
        Self { site, server: None }
    }

    /// `None`, with the reason printed, where there is no PostgreSQL.
    pub fn postgres(name: &str) -> Option<Self> {
        let url = postgres(name)?;
        let site = Site::with_plan(&PLAN.replace("TARGET", "env:SUBJECTS_TARGET"));
        site.sql("old.db", DATA);
        Some(Self { site, server: Some(url) })
    }

    pub fn with_source_erased(self) -> Self {
        self.site.edit_plan("email = \"email\"\n", "email = \"email\"\nerase_source = true\n");
        self
    }

    /// The server's address.
    pub fn server(&self) -> &str {
        self.server.as_deref().unwrap_or_default()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.site.command(arguments);
        command.env("DUNLIN_ROWS_PER_SPLIT", "30");
        if let Some(url) = &self.server {
            command.env("SUBJECTS_TARGET", url);
        }
        command
    }

    pub fn dunlin(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments))
    }

    #[track_caller]
    pub fn moved(&self) -> Done {
        let done = self.dunlin(&["run", "--format", "json", "--jobs", "2"]).expect(0);
        done.balanced();
        done
    }

    #[track_caller]
    pub fn verified(&self) -> Done {
        let done = self.dunlin(&["verify", "--format", "json"]).expect(0);
        done.balanced();
        self.dunlin(&["ledger", "verify"]).expect(0);
        done
    }

    /// Takes a request in and grants it; gives its id.
    #[track_caller]
    pub fn asked(&self, kind: &str, more: &[&str]) -> String {
        let mut arguments = vec!["request", "open", "--format", "json", "--kind", kind, "--subject", KEY];
        arguments.extend(more);
        let id = self.dunlin(&arguments).expect(0).json()[0]["request"].as_str().unwrap().to_owned();
        let decide =
            ["request", "decide", &id, "--identity", "confirmed", "--grant", "--reason", "law:they may"];
        self.dunlin(&decide).expect(0);
        id
    }

    pub fn carry_out(&self, id: &str) -> Done {
        self.dunlin(&["request", "carry-out", id, "--format", "json"])
    }

    /// How many rows of a target table there are, by a condition.
    pub fn count(&self, table: &str, condition: &str) -> u64 {
        let sql = format!("select count(*) from {table} where {condition}");
        let text = match &self.server {
            Some(url) => pg_one(url, &sql),
            None => self.site.one("new.db", &sql),
        };
        text.parse().unwrap()
    }

    /// Everything of the customer is gone from the target, and of the others nothing is.
    #[track_caller]
    pub fn target_without(&self, what: &str) {
        assert_eq!(self.count("customer", "id = 42"), 0, "{what}");
        assert_eq!(self.count("customer", "true"), 89, "{what}");
        assert_eq!(self.count("purchase", "true"), 178, "{what}");
        assert_eq!(self.count("item", "true"), 356, "{what}");
        assert_eq!(self.count("visit", "true"), 89, "{what}");
        if let Some(url) = &self.server {
            let tables = "select table_schema || '.' || table_name from information_schema.tables
                where table_schema in ('public', 'dunlin')";
            for table in pg_rows(url, tables) {
                let sql = format!("select count(*) from {table} as t where t::text ilike '%{PLANTED}%'");
                assert_eq!(pg_one(url, &sql), "0", "{what}: {table}");
            }
        }
    }

    /// The planted bytes are in no file of the workspace, its keys or its home, but for those that are left out.
    #[track_caller]
    pub fn no_file_has_it(&self, besides: &[&str], what: &str) {
        let names: Vec<String> = planted_files(self.site.folder())
            .into_iter()
            .filter(|f| !besides.iter().any(|b| f.ends_with(b)))
            .collect();
        assert!(names.is_empty(), "{what}: {names:?}");
    }
}

/// The files under a folder that hold the planted bytes, in whatever case.
fn planted_files(folder: &Path) -> Vec<String> {
    let has = |path: &Path| {
        let bytes = std::fs::read(path).unwrap_or_default().to_ascii_lowercase();
        bytes.windows(PLANTED.len()).any(|w| w == PLANTED.as_bytes())
    };
    files(folder).into_iter().filter(|f| has(f)).map(|f| f.display().to_string()).collect()
}

/// Erased after a run: gone from the target, quarantine and files; the equation holds, and no run brings it back.
fn erased_after(scene: &Scene) {
    scene.moved();
    let before = scene.verified();
    assert_eq!(before.counts("new.visit"), [95, 90, 5, 0, 90]);
    let id = scene.asked("erasure", &[]);
    let done = scene.carry_out(&id).expect(0);
    let said: Value = done.json()[0].clone();
    assert_eq!(said["rows"]["target:new"], 8, "{said}");
    assert_eq!(said["rows"]["quarantine"], 1, "{said}");
    assert_eq!(said["found"]["target:new"], 0, "{said}");
    assert_eq!(said["found"]["source:old"], 9, "{said}");
    scene.target_without("after it");
    scene.no_file_has_it(&["old.db"], "after it");
    let after = scene.verified();
    assert_eq!(after.table("new.customer")["erased"], 1);
    assert_eq!(after.table("new.item")["erased"], 4);
    assert_eq!(after.table("new.visit")["erased"], 2);
    assert_eq!(after.table("new.visit")["quarantined"], 4);
    assert_eq!(scene.dunlin(&["quarantine", "list", "--format", "json"]).expect(0).json()[0]["rows"], 4);
    // Once unchanged, once with everything read anew.
    scene.moved();
    scene.target_without("a run later");
    scene.site.sql(
        "old.db",
        "update customer set city = 'Elsewhere' where id <> 42; update visit set stars = 2 where id = 7",
    );
    let again = scene.moved();
    assert_eq!(again.table("new.customer")["erased"], 1);
    assert_eq!(again.table("new.visit")["erased"], 2);
    scene.target_without("a changed source later");
    scene.no_file_has_it(&["old.db"], "a changed source later");
    scene.verified();
    scene.carry_out(&id).expect(2);
}

#[test]
fn erased_after_a_run_sqlite() {
    erased_after(&Scene::sqlite());
}

#[test]
fn erased_after_a_run_postgres() {
    let Some(scene) = Scene::postgres("subjects_after") else { return };
    erased_after(&scene);
}

/// With `erase_source` the source is without it as well, and what was read is accounted for all the same.
fn erased_in_the_source_too(scene: &Scene) {
    scene.moved();
    let id = scene.asked("erasure", &[]);
    let said: Value = scene.carry_out(&id).expect(0).json()[0].clone();
    assert_eq!(said["rows"]["source:old"], 9, "{said}");
    assert_eq!(said["found"]["source:old"], 0, "{said}");
    scene.target_without("after it");
    scene.no_file_has_it(&[], "after it");
    let verified = scene.verified();
    assert_eq!(verified.table("new.customer")["source_rows"], 90);
    let again = scene.moved();
    assert_eq!(again.table("new.customer")["source_rows"], 89);
    assert_eq!(again.table("new.customer")["erased"], 0);
    scene.target_without("a run later");
    // Somebody puts the customer back into the source: the mark is still there.
    scene.site.sql("old.db", "insert into customer values (42, 'Zebra', 'zebra@example.com', 'zebra', '')");
    assert_eq!(scene.moved().table("new.customer")["erased"], 1);
    scene.target_without("when somebody puts it back");
}

#[test]
fn erased_in_the_source_too_sqlite() {
    erased_in_the_source_too(&Scene::sqlite().with_source_erased());
}

#[test]
fn erased_in_the_source_too_postgres() {
    let Some(scene) = Scene::postgres("subjects_source") else { return };
    erased_in_the_source_too(&scene.with_source_erased());
}

#[test]
fn erased_before_the_first_run() {
    let scene = Scene::sqlite();
    let id = scene.asked("erasure", &[]);
    scene.carry_out(&id).expect(0);
    let done = scene.moved();
    assert_eq!(done.table("new.customer")["erased"], 1);
    assert_eq!(done.table("new.purchase")["erased"], 2);
    assert_eq!(done.table("new.item")["erased"], 4);
    assert_eq!(done.table("new.visit")["erased"], 2);
    scene.target_without("the first run");
    scene.no_file_has_it(&["old.db"], "the first run");
    scene.verified();
    // Purchases that come later are the customer's as well, and so are their items.
    scene.site.sql(
        "old.db",
        "insert into purchase values (900, 42, 'zebra late', 3); insert into item values (9000, 900, 'zebra late')",
    );
    let again = scene.moved();
    assert_eq!(again.table("new.purchase")["erased"], 3);
    assert_eq!(again.table("new.item")["erased"], 5);
    scene.target_without("a purchase that came later");
    scene.no_file_has_it(&["old.db"], "a purchase that came later");
}

/// A run dies in the middle; the request comes; the run goes on and takes out what it had loaded before.
fn erased_while_a_run_is_stopped(scene: &Scene) {
    let run = ["run", "--format", "json", "--jobs", "1"];
    let died = scene.command(&run).env("DUNLIN_FAIL", "move::receipt.after_state@5").output().unwrap();
    assert_eq!(died.status.signal(), Some(SIGABRT));
    assert_eq!(scene.count("customer", "id = 42"), 1, "the row was loaded already");
    let id = scene.asked("erasure", &[]);
    let waits = scene.carry_out(&id).expect(3);
    assert!(waits.out.contains("is not finished"), "{}", waits.out);
    let done = scene.moved();
    assert_eq!(done.table("new.customer")["erased"], 1);
    assert_eq!(done.table("new.item")["erased"], 4);
    scene.target_without("the run that went on");
    scene.carry_out(&id).expect(0);
    scene.target_without("after it");
    scene.no_file_has_it(&["old.db"], "after it");
    scene.verified();
}

#[test]
fn erased_while_a_run_is_stopped_sqlite() {
    erased_while_a_run_is_stopped(&Scene::sqlite());
}

#[test]
fn erased_while_a_run_is_stopped_postgres() {
    let Some(scene) = Scene::postgres("subjects_stopped") else { return };
    erased_while_a_run_is_stopped(&scene);
}

/// The run goes on in another process when the request comes: it sees the mark by itself.
#[test]
fn erased_while_a_run_is_under_way() {
    let scene = Scene::sqlite();
    let id = scene.asked("erasure", &[]);
    let mut child = scene
        .command(&["run", "--format", "json", "--jobs", "1"])
        .env("FAILPOINTS", "move::receipt.after_state=sleep(300)")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Wait until the customer's row is in the target.
    for _ in 0..200 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        if scene.site.path("new.db").exists()
            && scene.site.one("new.db", "select count(*) from sqlite_schema where name = 'customer'") == "1"
            && scene.count("customer", "id = 42") == 1
        {
            break;
        }
    }
    assert_eq!(scene.count("customer", "id = 42"), 1, "the row was loaded before the request");
    let waits = scene.carry_out(&id).expect(3);
    assert!(waits.out.contains("under way"), "{}", waits.out);
    assert!(child.wait().unwrap().success());
    scene.target_without("the run's end");
    scene.carry_out(&id).expect(0);
    scene.no_file_has_it(&["old.db"], "after it");
    let verified = scene.verified();
    assert_eq!(verified.table("new.item")["erased"], 4);
}

/// The process dies at a step of an erasure; asked again, it ends the same.
fn dies_and_goes_on(scene: &Scene, id: &str, point: &str) {
    let carry = ["request", "carry-out", id, "--format", "json"];
    let died = scene.command(&carry).env("DUNLIN_FAIL", point).output().unwrap();
    assert_eq!(died.status.signal(), Some(SIGABRT), "{point} was not reached: {died:?}");
    let again = scene.carry_out(id);
    // What died after its last step is through.
    assert!(again.code == 0 || (again.code == 2 && again.out.contains("done already")), "{point}: {again:?}");
    scene.target_without(point);
    scene.no_file_has_it(&[], point);
    let verified = scene.verified();
    assert_eq!(verified.table("new.item")["erased"], 4, "{point}");
    assert_eq!(verified.table("new.visit")["quarantined"], 4, "{point}");
    scene.moved();
    scene.target_without(point);
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, to).unwrap();
        }
    }
}

/// Dies at each of these places, each time in the workspace as it was before.
fn dies_everywhere(points: &[&str]) {
    let scene = Scene::sqlite().with_source_erased();
    scene.moved();
    let id = scene.asked("erasure", &[]);
    let kept = tempfile::tempdir().unwrap();
    copy(scene.site.folder(), kept.path());
    for point in points {
        for place in ["work", "keys"] {
            std::fs::remove_dir_all(scene.site.folder().join(place)).unwrap();
            copy(&kept.path().join(place), &scene.site.folder().join(place));
        }
        dies_and_goes_on(&scene, &id, point);
    }
}

/// Every place of an erasure; where a request is taken in has a test of its own.
fn places() -> Vec<&'static str> {
    dunlin_move::FAILPOINTS_SUBJECT.iter().copied().filter(|p| *p != "move::subject.sealed").collect()
}

#[test]
fn crash_in_erasure_sqlite() {
    dies_everywhere(&places()[..places().len() / 2]);
}

#[test]
fn crash_late_in_erasure_sqlite() {
    dies_everywhere(&places()[places().len() / 2..]);
}

#[test]
fn crash_in_the_middle_of_erasure_sqlite() {
    dies_everywhere(&[
        "connect::sqlite.commit.before@2",
        "connect::sqlite.commit.after@3",
        "fragment::rename.after",
        "move::subject.before_commit@4",
        "move::subject.after_commit@2",
        "move::subject.source@3",
    ]);
}

#[test]
fn crash_in_erasure_postgres() {
    let points = [
        "move::subject.marked",
        "move::subject.before_commit@2",
        "move::subject.after_commit@3",
        "connect::postgres.commit.after@2",
        "move::subject.source@2",
        "move::subject.compacted",
        "move::subject.verified",
    ];
    for (n, point) in points.into_iter().enumerate() {
        let Some(scene) = Scene::postgres(&format!("subjects_dies_{n}")) else { return };
        let scene = scene.with_source_erased();
        scene.moved();
        let id = scene.asked("erasure", &[]);
        dies_and_goes_on(&scene, &id, point);
    }
}

/// A request whose process died while it was taken in is no request, and what it had sealed names nobody in the clear.
#[test]
fn crash_while_a_request_is_taken_in() {
    let scene = Scene::sqlite();
    let open = ["request", "open", "--kind", "erasure", "--subject", KEY];
    let died = scene.command(&open).env("DUNLIN_FAIL", "move::subject.sealed").output().unwrap();
    assert_eq!(died.status.signal(), Some(SIGABRT));
    assert_eq!(scene.dunlin(&["request", "list", "--format", "json"]).expect(0).json(), Vec::<Value>::new());
    scene.asked("erasure", &[]);
    let sealed = std::fs::read_dir(scene.site.path(".dunlin/subjects")).unwrap().count();
    assert_eq!(sealed, 1, "what was left over is gone");
}

/// The latest run loaded one table only: the others stand in the equation of the run before it.
#[test]
fn erased_after_a_run_of_one_table() {
    let scene = Scene::sqlite();
    scene.moved();
    scene.dunlin(&["run", "--table", "new.visit", "--format", "json"]).expect(0).balanced();
    let id = scene.asked("erasure", &[]);
    scene.carry_out(&id).expect(0);
    scene.target_without("after it");
    scene.no_file_has_it(&["old.db"], "after it");
    scene.site.sql("old.db", "update item set what = 'else' where id = 3");
    let run = scene.moved();
    assert_eq!(run.table("new.item")["erased"], 4);
    scene.target_without("a run later");
    scene.verified();
}

/// A copy that a rehearsal made is found and emptied of the customer, also where it is under tokens.
#[test]
fn erased_in_a_rehearsals_copy() {
    let scene = Scene::sqlite();
    scene.site.edit_plan("id = \"id\"\nname =", "id = { from = \"id\", kind = \"account_number\" }\nname =");
    scene.dunlin(&["run", "--rehearse", "--to", "sqlite:copy.db"]).expect(0);
    scene.moved();
    let copied = scene.site.one("copy.db", "select count(*) from customer");
    let id = scene.asked("erasure", &[]);
    let said: Value = scene.carry_out(&id).expect(0).json()[0].clone();
    let copies: Vec<(&String, &Value)> =
        said["rows"].as_object().unwrap().iter().filter(|(k, _)| k.starts_with("copy:")).collect();
    assert_eq!(copies.len(), 1, "{said}");
    assert!(copies[0].1.as_u64().unwrap() >= 1, "{said}");
    let left: u64 = scene.site.one("copy.db", "select count(*) from customer").parse().unwrap();
    assert_eq!(left + 1, copied.parse::<u64>().unwrap());
    scene.no_file_has_it(&["old.db"], "after it");
}

#[test]
fn a_law_keeps_rows_without_the_customer() {
    let scene = Scene::sqlite();
    scene.site.edit_plan(
        "from = \"old.visit\"\nto = \"new.visit\"\n",
        "from = \"old.visit\"\nto = \"new.visit\"\non_erasure = \"anonymise\"\n",
    );
    scene.moved();
    let id = scene.asked("erasure", &[]);
    scene.carry_out(&id).expect(0);
    assert_eq!(scene.count("visit", "true"), 90);
    assert_eq!(scene.site.rows("new.db", "customer_id, said, stars", "visit where id = 42"), ["NULL|NULL|3"]);
    scene.no_file_has_it(&["old.db"], "after it");
    let verified = scene.verified();
    assert_eq!(verified.table("new.visit")["erased"], 1, "the one that waited");
    scene.site.sql("old.db", "update visit set stars = 4 where id = 42");
    scene.moved();
    assert_eq!(scene.site.rows("new.db", "customer_id, said, stars", "visit where id = 42"), ["NULL|NULL|4"]);
    scene.no_file_has_it(&["old.db"], "a run later");
}

/// A correction is in the target, is no difference, and stays when the row is moved again.
fn corrected(scene: &Scene) {
    scene.moved();
    let set = [
        "--set",
        "new.customer.city=Vigo",
        "--set",
        "new.visit.said=pleasant",
        "--unset",
        "new.customer.email",
    ];
    let id = scene.asked("rectification", &set);
    scene.carry_out(&id).expect(0);
    let there = "id = 42 and city = 'Vigo' and email is null and name = 'Zoe zebra-name'";
    assert_eq!(scene.count("customer", there), 1);
    assert_eq!(scene.count("visit", "customer_id = 42 and said = 'pleasant'"), 1);
    assert_eq!(scene.count("purchase", "customer_id = 42"), 2, "children stay");
    scene.verified();
    scene.moved();
    scene
        .site
        .sql("old.db", "update customer set name = 'Zoe zebra-new', city = 'zebra-elsewhere' where id = 42");
    scene.moved();
    let there = "id = 42 and city = 'Vigo' and email is null and name = 'Zoe zebra-new'";
    assert_eq!(scene.count("customer", there), 1, "the correction stays, and what was not corrected follows");
    scene.verified();
    // What was corrected lies sealed.
    let besides = ["old.db", "new.db", "new.db-wal"];
    let vigo = |f: &std::path::PathBuf| {
        let bytes = std::fs::read(f).unwrap_or_default();
        !besides.iter().any(|b| f.ends_with(b)) && bytes.windows(4).any(|w| w == b"Vigo")
    };
    assert_eq!(files(scene.site.folder()).into_iter().find(vigo), None);
}

#[test]
fn corrected_sqlite() {
    corrected(&Scene::sqlite());
}

#[test]
fn corrected_postgres() {
    let Some(scene) = Scene::postgres("subjects_corrected") else { return };
    corrected(&scene);
}

#[test]
fn a_correction_must_fit() {
    let scene = Scene::sqlite();
    let open = |set: &str| {
        scene
            .dunlin(&["request", "open", "--kind", "rectification", "--subject", KEY, "--set", set])
            .expect(2)
    };
    insta::assert_snapshot!(open("new.customer.town=x").err, @r#"
    error: new.customer has no column `town`
      help: it has `id`, `name`, `email`, `city`
    "#);
    insta::assert_snapshot!(open("new.visit.stars=zebra").err, @r#"
    error: the new value does not fit `stars` of new.visit: wrong-type
      help: write it as the target does, for example a day as 2024-02-29
    "#);
    insta::assert_snapshot!(open("new.customer.id=7").err, @r#"
    error: `id` names the rows of new.customer and cannot be corrected
      help: correct what the row holds; a row under another key is another row
    "#);
}

#[test]
fn what_is_restricted_objected_to_or_not_consented_to_does_not_move() {
    let scene = Scene::sqlite();
    scene.moved();
    let consent = scene.asked("consent_withdrawn", &["--purpose", "dpv:ServiceOptimisation"]);
    scene.carry_out(&consent).expect(0);
    assert_eq!(scene.count("visit", "customer_id = 42"), 1, "what is there stays until the next run");
    let run = scene.moved();
    assert_eq!(run.table("new.visit")["reasons"]["consent-withdrawn"], 2);
    assert_eq!(run.table("new.customer")["loaded"], 90, "another basis");
    assert_eq!(scene.count("visit", "customer_id = 42"), 0);
    let given = scene.asked("consent_given", &["--purpose", "dpv:ServiceOptimisation"]);
    scene.carry_out(&given).expect(0);
    scene.moved();
    assert_eq!(scene.count("visit", "customer_id = 42"), 1);
    let restricted = scene.asked("restriction", &[]);
    scene.carry_out(&restricted).expect(0);
    let run = scene.moved();
    for (table, rows) in [("new.customer", 1), ("new.purchase", 2), ("new.item", 4), ("new.visit", 2)] {
        assert_eq!(run.table(table)["reasons"]["restriction"], rows, "{table}");
    }
    assert_eq!(scene.count("item", "true"), 356);
    scene.verified();
}

#[test]
fn an_objection_reaches_legitimate_interests() {
    let scene = Scene::sqlite();
    scene.site.edit_plan("basis = \"consent\"", "basis = \"legitimate_interests\"");
    let id = scene.asked("objection", &[]);
    scene.carry_out(&id).expect(0);
    let run = scene.moved();
    assert_eq!(run.table("new.visit")["reasons"]["objection"], 2);
    assert_eq!(run.table("new.purchase")["loaded"], 180);
}

#[test]
fn a_customer_gets_everything_as_files() {
    let scene = Scene::sqlite();
    scene.site.sql("old.db", "update customer set name = '=zebra()' where id = 42");
    scene.moved();
    let id = scene.asked("access", &[]);
    scene.carry_out(&id).expect(2);
    scene.dunlin(&["request", "carry-out", &id, "--out", "mine"]).expect(0);
    let all: Value = serde_json::from_str(&scene.site.read("mine/data.json")).unwrap();
    let tables = all["tables"].as_array().unwrap();
    let of = |side: &str, table: &str| {
        let found = tables.iter().find(|t| t["side"] == side && t["table"] == table);
        found.unwrap_or_else(|| panic!("no {side} {table}"))["rows"].as_array().unwrap().clone()
    };
    assert_eq!(of("target", "new.customer")[0]["name"], "=zebra()");
    assert_eq!(of("source", "old.customer")[0]["notes"], "zebra-notes", "also what does not move");
    assert_eq!(of("source", "old.item").len(), 4);
    assert_eq!(of("quarantine", "new.visit").len(), 1);
    let text = all.to_string();
    assert!(!text.contains("Name 41") && !text.contains("bought 41"), "and nobody else's");
    let csv = scene.site.read("mine/target-new.customer.csv");
    assert!(csv.contains("'=zebra()"), "{csv}");
    let ledger = scene.dunlin(&["ledger", "export"]).expect(0).out;
    assert!(ledger.contains("subject-access") && ledger.contains("subject_exported"), "{ledger}");
    assert!(!ledger.to_lowercase().contains(PLANTED));
    let folders = std::fs::read_dir(scene.site.path(".dunlin/subjects")).into_iter().flatten();
    let sealed: usize = folders.flatten().map(|f| files(&f.path()).len()).sum();
    assert_eq!(sealed, 0, "nothing names the customer any more");
}

#[test]
fn a_receipt_holds_without_dunlin_and_not_when_it_was_changed() {
    let scene = Scene::sqlite();
    scene.moved();
    let id = scene.asked("erasure", &[]);
    scene.dunlin(&["request", "carry-out", &id, "--receipt", "receipt.json"]).expect(0);
    let elsewhere = Site::new();
    let text = scene.site.read("receipt.json");
    elsewhere.write("receipt.json", &text);
    let key = serde_json::from_str::<Value>(&text).unwrap()["verifier"].as_str().unwrap().to_owned();
    let prove = ["ledger", "prove", "--receipt", "receipt.json", "--verifier", &key, "--format", "json"];
    let proven = elsewhere.dunlin(&prove).expect(0).json();
    assert_eq!(proven[0]["found"]["target:new"], 0);
    assert_eq!(proven[0]["verifier_from"], "the command line");
    assert!(!elsewhere.path(".dunlin").exists(), "no workspace is made to check a receipt");
    for (old, new) in
        [("\"source:old\": 9", "\"source:old\": 0"), ("\"subject\": \"42\"", "\"subject\": \"43\"")]
    {
        assert!(text.contains(old), "{text}");
        elsewhere.write("receipt.json", text.replace(old, new));
        elsewhere.dunlin(&prove).expect(1);
    }
    elsewhere.write("receipt.json", text.replace("subject_verified", "subject_verifier"));
    elsewhere.dunlin(&prove).expect(1);
    // Later again, by the key that the customer gives; another customer's key does not fit.
    scene.dunlin(&["request", "receipt", &id, "--out", "later.json", "--subject", "43"]).expect(2);
    scene.dunlin(&["request", "receipt", &id, "--out", "later.json"]).expect(2);
    scene.dunlin(&["request", "receipt", &id, "--out", "later.json", "--subject", KEY]).expect(0);
    scene.dunlin(&["ledger", "prove", "--receipt", "later.json"]).expect(0);
}

#[test]
fn a_request_waits_for_its_decision_the_identity_and_the_time_to_take_it_back() {
    let scene = Scene::sqlite();
    scene.moved();
    let by_email =
        ["request", "open", "--format", "json", "--kind", "erasure", "--email", "zebra@EXAMPLE.com"];
    let opened = scene.dunlin(&by_email).expect(0).json()[0].clone();
    let id = opened["request"].as_str().unwrap();
    assert!(opened["due_at"].as_i64().unwrap() > opened["received_at"].as_i64().unwrap());
    assert!(scene.carry_out(id).expect(2).out.contains("is not decided on"));
    scene.dunlin(&["request", "decide", id, "--grant", "--reason", "law:they may"]).expect(0);
    assert!(scene.carry_out(id).expect(2).out.contains("confirmed"));
    let undo = [
        "request",
        "decide",
        id,
        "--identity",
        "confirmed",
        "--grant",
        "--reason",
        "x",
        "--undo-hours",
        "24",
    ];
    scene.dunlin(&undo).expect(0);
    assert!(scene.carry_out(id).expect(2).out.contains("can still be taken back"));
    scene.dunlin(&["request", "decide", id, "--withdraw", "--reason", "changed their mind"]).expect(0);
    assert!(scene.carry_out(id).expect(2).out.contains("withdrawn already"));
    assert_eq!(scene.count("customer", "id = 42"), 1);
    assert_eq!(scene.dunlin(&["request", "list", "--format", "json"]).expect(0).json().len(), 1);
    scene.no_file_has_it(&["old.db", "new.db", "new.db-wal"], "a request");
}

#[test]
fn nobody_and_several_are_told() {
    let scene = Scene::sqlite();
    scene.site.sql("old.db", "update customer set email = 'zebra@example.com' where id = 7");
    let open = |how: [&str; 2]| {
        let done = scene.dunlin(&["request", "open", "--kind", "erasure", how[0], how[1]]).expect(2);
        done.err
    };
    insta::assert_snapshot!(open(["--subject", "4711"]), @r#"
    error: no customer has this key, neither in the target nor in the source
      help: look it up in the system that the customer knows; nothing was entered
    "#);
    insta::assert_snapshot!(open(["--email", "nobody@example.com"]), @r#"
    error: no customer has this address, neither in the target nor in the source
      help: look it up in the system that the customer knows; nothing was entered
    "#);
    insta::assert_snapshot!(open(["--email", "zebra@example.com"]), @r#"
    error: 2 customers have this address
      help: ask which of them it is, and name the key: --subject KEY
    "#);
    scene.site.edit_plan("[subject]\ntable = \"new.customer\"\nid = \"id\"\nemail = \"email\"\n", "");
    insta::assert_snapshot!(open(["--subject", KEY]), @r#"
    error: the plan does not say who a customer is
      help: add [subject] with `table = "store.table"` and `id = "column"`
    "#);
}

/// What stands in the target under an owner's keys leaves children first, and rows of others stay.
#[test]
fn erased_from_tables_that_were_there() {
    let Some(scene) = Scene::postgres("subjects_there") else { return };
    let url = scene.server.clone().unwrap();
    pg(
        &url,
        "create table customer (id bigint primary key, name text, email text, city text);
         create table purchase (id bigint primary key, customer_id bigint not null references customer, note text,
             amount numeric(10,2));
         create table item (id bigint primary key, purchase_id bigint not null references purchase, what text);
         create table visit (id bigint primary key, customer_id bigint references customer, said text, stars bigint);",
    );
    erased_after(&scene);
}

/// A command that nobody listens to, killed (`kill -9`) after a while where it is to be; whether it was.
fn let_live(mut command: Command, after: Option<Duration>) -> bool {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let Some(after) = after else { return !child.wait().unwrap().success() };
    std::thread::sleep(after);
    let _ = child.kill();
    child.wait().unwrap().signal().is_some()
}

/// A deletion at random moments: in turn before a run, while it goes on, and after it. What carries it out is killed
/// half of the time, up to three times in a row, and so is sometimes the run. In the end the customer is found nowhere.
fn at_random_moments(scene: impl Fn(&str) -> Option<Scene>, times: u64) {
    let begun = Instant::now();
    let Some(first) = scene("subjects_soak") else { return };
    first.moved();
    let whole = begun.elapsed();
    let begun = Instant::now();
    let id = first.asked("erasure", &[]);
    first.carry_out(&id).expect(0);
    let carrying = begun.elapsed();
    let (mut killed, mut runs_killed) = (0, 0);
    for seed in 0..times {
        let mut chance = StdRng::seed_from_u64(seed);
        let Some(scene) = scene(&format!("subjects_soak_{seed}")) else { return };
        let moment = ["before", "during", "after"][seed as usize % 3];
        let what = format!("seed {seed}, {moment} a run");
        let run = || {
            let mut run = scene.command(&["run", "--jobs", "2"]);
            run.env("FAILPOINTS", "move::receipt.after_state=sleep(20)");
            run
        };
        let mut under_way = None;
        match moment {
            "during" => {
                under_way = Some(run().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
                std::thread::sleep(whole.mul_f64(chance.random_range(0.0..1.2)));
            }
            "after" => {
                scene.moved();
            }
            _ => {}
        }
        let id = scene.asked("erasure", &[]);
        for _ in 0..chance.random_range(1..=3) {
            let after = chance.random_bool(0.7).then(|| carrying.mul_f64(chance.random_range(0.0..1.1)));
            killed +=
                u32::from(let_live(scene.command(&["request", "carry-out", &id]), after) && after.is_some());
        }
        if let Some(mut run) = under_way {
            if chance.random_bool(0.5) {
                let _ = run.kill();
            }
            runs_killed += u32::from(run.wait().unwrap().signal().is_some());
        }
        if moment == "before" && chance.random_bool(0.5) {
            let after = whole.mul_f64(chance.random_range(0.0..1.0));
            runs_killed += u32::from(let_live(run(), Some(after)));
        }
        scene.moved();
        let last = scene.carry_out(&id);
        assert!(last.code == 0 || last.out.contains("done already"), "{what}: {last:?}");
        scene.target_without(&what);
        scene.no_file_has_it(&[], &what);
        scene.verified();
        scene.moved();
        scene.target_without(&what);
        scene.no_file_has_it(&[], &what);
    }
    eprintln!(
        "{times} deletions; {killed} times what carries them out was killed, {runs_killed} times a run"
    );
    assert!(
        times < 10 || (killed > 3 && runs_killed > 1),
        "{killed} and {runs_killed}: too few kills to prove much"
    );
}

#[test]
#[ignore = "minutes: make soak"]
fn soak_deletions_sqlite() {
    at_random_moments(|_| Some(Scene::sqlite().with_source_erased()), 30);
}

#[test]
#[ignore = "minutes: make soak"]
fn soak_deletions_postgres() {
    at_random_moments(|name| Some(Scene::postgres(name)?.with_source_erased()), 30);
}
