//! A small move whose end is known row by row, for tests that interrupt it: two tables with rows that cannot be read,
//! rows that the plan leaves out, references that lead nowhere and references to rows that wait, in several splits.
//!
//! Not here: the interrupting (`crash`, `soak`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::read_back::{csv_rows, parquet_rows, sql_into, sqlite_rows};

/// What the rows go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Csv,
    Parquet,
    Postgres,
}

pub const KINDS: [Kind; 4] = [Kind::Sqlite, Kind::Csv, Kind::Parquet, Kind::Postgres];

const PEOPLE: i64 = 600;
const VISITS: i64 = 1200;

/// A workspace, its keys elsewhere, its source, and what must be in the target in the end.
pub struct Scene {
    dir: tempfile::TempDir,
    kind: Kind,
    server: Option<String>,
    source: Source,
    enriched: bool,
}

/// What the source holds, and what of it must arrive.
struct Source {
    version: i64,
    rows: [i64; 2],
    people: Vec<String>,
    visits: Vec<String>,
}

impl Scene {
    /// A scene, or `None` (with the reason on stderr) where there is no PostgreSQL.
    pub async fn new(kind: Kind) -> Option<Scene> {
        let server = match kind {
            Kind::Postgres => Some(dunlin_testkit::postgres().await?.database("e2e").await),
            _ => None,
        };
        let dir = folder();
        let source = write_source(&dir.path().join("source.db"), 0).await;
        let scene = Scene { dir, kind, server, source, enriched: false };
        scene.reset().await;
        Some(scene)
    }

    /// As [`Scene::new`], with a column of visits that `dunlin enrich` fills.
    pub async fn enriched(kind: Kind) -> Option<Scene> {
        let mut scene = Scene::new(kind).await?;
        let sql = "create table places (visit integer primary key, place text);
            with recursive n (i) as (select 1 union all select i + 3 from n where i < 1200)
            insert into places select i, 'place ' || i from n;";
        sql_into(&scene.path("places.db"), sql).await;
        scene.enriched = true;
        scene.reset().await;
        Some(scene)
    }

    /// Keeps everything as it is now, for [`Scene::restore`]; a server's tables cannot be kept.
    pub fn keep(&self) {
        for place in PLACES {
            copy(&self.path(place), &self.path("kept").join(place));
        }
    }

    /// As it was kept.
    pub fn restore(&self) {
        for place in PLACES {
            let _ = std::fs::remove_dir_all(self.path(place));
            copy(&self.path("kept").join(place), &self.path(place));
        }
    }

    /// As before the first run; the source stays.
    pub async fn reset(&self) {
        for place in PLACES {
            let _ = std::fs::remove_dir_all(self.path(place));
        }
        for place in ["work", "target"] {
            std::fs::create_dir(self.path(place)).unwrap();
        }
        if let Some(url) = &self.server {
            let sql = "drop table if exists visits, people; drop schema if exists dunlin cascade";
            dunlin_testkit::connect(url).await.batch_execute(sql).await.unwrap();
        }
        let target = match self.kind {
            Kind::Sqlite => "url = \"sqlite:../target/new.db\"",
            Kind::Csv => "url = \"file:../target/\"\nformat = \"csv\"",
            Kind::Parquet => "url = \"file:../target/\"\nformat = \"parquet\"",
            Kind::Postgres => "url = \"env:E2E_TARGET\"",
        };
        let mut plan = PLAN.replace("TARGET", target);
        if self.enriched {
            plan.push_str(ENRICH);
        }
        std::fs::write(self.path("work/dunlin.toml"), plan).unwrap();
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The source changes: rows of both tables go, change, and come.
    pub async fn change(&mut self) {
        self.source = write_source(&self.path("source.db"), self.source.version + 1).await;
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `dunlin ARGS` in the workspace.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dunlin"));
        command.args(args).current_dir(self.path("work")).stdin(Stdio::null());
        command.env("DUNLIN_KEYS", self.path("keys")).env("DUNLIN_ROWS_PER_SPLIT", "200");
        command.env("RUST_BACKTRACE", "0").env_remove("DUNLIN_FAIL").env_remove("FAILPOINTS");
        command.env("E2E_TARGET", self.server.as_deref().unwrap_or_default());
        command
    }

    /// `dunlin run`, that prints JSON.
    pub fn run(&self) -> Command {
        self.command(&["run", "--jobs", "2", "--format", "json"])
    }

    /// Runs to the end and holds against what must be: exit code, every count, every row of the target, the ledger.
    /// Gives the run.
    pub async fn must_end_well(&self, what: &str) -> String {
        let output = self.run().output().unwrap();
        assert!(output.status.success(), "{what}: {}", said(&output));
        let lines = json_lines(&output);
        let count = |table: usize, name: &str| lines[table][name].as_i64().unwrap();
        for (table, all, good) in
            [(0, self.source.rows[0], &self.source.people), (1, self.source.rows[1], &self.source.visits)]
        {
            assert_eq!(count(table, "source_rows"), all, "{what}: {}", said(&output));
            assert_eq!(count(table, "loaded"), good.len() as i64, "{what}: {}", said(&output));
            assert_eq!(count(table, "target_rows"), good.len() as i64, "{what}: {}", said(&output));
            let apart = count(table, "quarantined") + count(table, "excluded");
            assert_eq!(apart, all - good.len() as i64, "{what}: {}", said(&output));
            assert_eq!(lines[table]["reconciled"], true, "{what}: {}", said(&output));
        }
        for (table, good) in [("people", &self.source.people), ("visits", &self.source.visits)] {
            same(&self.rows(table).await, good, &format!("{what}: {table}"));
        }
        let ledger = self.command(&["ledger", "verify"]).output().unwrap();
        assert!(ledger.status.success(), "{what}: {}", said(&ledger));
        assert_eq!(self.waiting(), 2, "{what}: quarantined rows of both tables are listed");
        lines.last().and_then(|l| l["run"].as_str()).unwrap_or_default().to_owned()
    }

    /// As it must be when every unreadable age was set to 50: those people are there, and nothing is twice.
    pub async fn must_verify_with_fixed(&self, what: &str) {
        self.must_verify(what);
        let mut good = self.source.people.clone();
        good.extend((1..=PEOPLE).filter(|id| id % 97 == 0).map(|id| match id {
            451.. => format!("{id}|P{id}V0|50"),
            _ => format!("{id}|P{id}|50"),
        }));
        good.sort();
        same(&self.rows("people").await, &good, what);
    }

    /// As it must be when, besides, the visits of those people were released.
    pub async fn must_verify_with_released(&self, what: &str) {
        self.must_verify_with_fixed(what).await;
        let mut good = self.source.visits.clone();
        let visits = (1..=VISITS).filter(|id| id % 211 != 0 && (1 + id % PEOPLE) % 97 == 0);
        good.extend(visits.map(|id| format!("{id}|{}|{}", 1 + id % PEOPLE, amount(id, 0))));
        good.sort();
        same(&self.rows("visits").await, &good, what);
    }

    /// As it must be when nothing was decided on, or rows were left behind: what the run loaded, and it reconciles.
    pub async fn must_verify_as_loaded(&self, what: &str) {
        self.must_verify(what);
        same(&self.rows("people").await, &self.source.people, what);
        same(&self.rows("visits").await, &self.source.visits, what);
    }

    /// As it must be when it is enriched: every third visit has its place.
    pub async fn must_verify_enriched(&self, what: &str) {
        self.must_verify(what);
        let none = match self.kind {
            Kind::Csv => "",
            _ => "∅",
        };
        let place = |row: &String| {
            let id: i64 = row.split('|').next().unwrap().parse().unwrap();
            let place = if id % 3 == 1 { format!("place {id}") } else { none.to_owned() };
            format!("{row}|{place}")
        };
        let good: Vec<String> = self.source.visits.iter().map(place).collect();
        same(&self.rows("visits").await, &good, what);
    }

    /// The key of every person that must be in the target in the end.
    pub fn wanted_people(&self) -> BTreeSet<String> {
        self.source.people.iter().map(key).collect()
    }

    /// The key of every person that is in the target.
    pub async fn people(&self) -> BTreeSet<String> {
        self.rows("people").await.iter().map(key).collect()
    }

    /// Whether dunlin keeps anything in the target.
    pub async fn has_bookkeeping(&self) -> bool {
        match self.kind {
            Kind::Sqlite => {
                let sql = "select name from sqlite_schema where name like '\\_dunlin%' escape '\\'";
                !sqlite_rows(&self.path("target/new.db"), sql.to_owned()).await.is_empty()
            }
            Kind::Postgres => {
                let client = dunlin_testkit::connect(self.server.as_deref().unwrap()).await;
                let sql = "select 1 from pg_namespace where nspname = 'dunlin'";
                !client.query(sql, &[]).await.unwrap().is_empty()
            }
            Kind::Csv | Kind::Parquet => {
                let mut found = std::fs::read_dir(self.path("target")).unwrap();
                found.any(|f| f.unwrap().file_name().to_string_lossy().contains("dunlin-parts"))
            }
        }
    }

    fn must_verify(&self, what: &str) {
        for args in [["verify", "--format", "json"].as_slice(), &["ledger", "verify"]] {
            let output = self.command(args).output().unwrap();
            assert!(output.status.success(), "{what}: {}", said(&output));
        }
    }

    /// The group of quarantined rows of a table that wait for a reason.
    pub fn group(&self, table: &str, reason: &str) -> Option<String> {
        let output = self.command(&["quarantine", "list", "--format", "json"]).output().unwrap();
        let found = json_lines(&output).into_iter().find(|g| g["table"] == table && g["reason"] == reason)?;
        Some(found["group"].as_str()?.to_owned())
    }

    /// How many tables have rows in `dunlin quarantine list`, whose counts must be those of the run.
    fn waiting(&self) -> usize {
        let output = self.command(&["quarantine", "list", "--format", "json"]).output().unwrap();
        let mut tables: Vec<String> =
            json_lines(&output).iter().filter_map(|l| Some(l["table"].as_str()?.to_owned())).collect();
        tables.dedup();
        tables.len()
    }

    /// The rows of a target table as text, sorted.
    async fn rows(&self, table: &str) -> Vec<String> {
        let columns: &[&str] = match table {
            "people" => &["id", "name", "age"],
            _ if self.enriched => &["id", "person_id", "amount", "coalesce(place, '∅')"],
            _ => &["id", "person_id", "amount"],
        };
        let columns: Vec<String> = columns.iter().map(|c| format!("cast({c} as text)")).collect();
        let sql = format!("select {} from {table}", columns.join(" || '|' || "));
        let mut rows = match self.kind {
            Kind::Sqlite => sqlite_rows(&self.path("target/new.db"), sql).await,
            Kind::Postgres => {
                let client = dunlin_testkit::connect(self.server.as_deref().unwrap()).await;
                client.query(&sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
            }
            Kind::Csv => csv_rows(&self.path("target").join(format!("{table}.csv"))),
            Kind::Parquet => parquet_rows(&self.path("target").join(format!("{table}.parquet"))),
        };
        rows.sort();
        rows
    }
}

const PLAN: &str = r#"
[plan]
name = "interrupted"
[store.old]
url = "sqlite:../source.db"
[store.new]
TARGET
[[table]]
from = "old.people"
to = "new.people"
key = ["id"]
where = "id % 10 <> 3"
[table.columns]
id = "id"
name = { sql = "upper(name)" }
age = "age"
[table.drop]
note = "nobody needs it"
[[table.rule]]
name = "adults"
check = "age >= 18"
otherwise = "exclude"
[[table]]
from = "old.visits"
to = "new.visits"
key = ["id"]
[table.columns]
id = "id"
person_id = "person_id"
amount = "amount"
"#;

const ENRICH: &str = r#"
[store.side]
url = "sqlite:../places.db"
[[table.enrich]]
from = "side.places"
on = "id = visit"
add = { place = "place" }
when = "after"
"#;

#[expect(clippy::ptr_arg, reason = "mapped over lists of strings")]
fn key(row: &String) -> String {
    row.split('|').next().unwrap_or_default().to_owned()
}

/// Everything of a scene that a command changes.
const PLACES: [&str; 3] = ["work", "keys", "target"];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// What a visit costs in this version of the source.
fn amount(id: i64, version: i64) -> String {
    if id < 300 { format!("{}.25", id + version) } else { format!("{id}.25") }
}

/// A folder in memory where there is one: what a killed process wrote outlives it there as well, and nobody waits for
/// the disk.
pub fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

/// Writes a version of the source. Of one and the next, a few splits of both tables differ.
async fn write_source(path: &Path, version: i64) -> Source {
    let mut sql = String::from(
        "begin; drop table if exists visits; drop table if exists people;
         create table people (id integer primary key, name text not null, age integer, note text);
         create table visits (id integer primary key, person_id integer not null references people (id),
                              amount numeric(10,2));",
    );
    let (mut people, mut visits, mut rows) = (Vec::new(), Vec::new(), [0, 0]);
    // Some are there in every other version only, so that they vanish and come back.
    let there = |id: i64| version % 2 == 0 || !(100..130).contains(&(id % 600));
    for id in (1..=PEOPLE + 10 * version).filter(|id| there(*id)) {
        let readable = id % 97 != 0;
        let age = if readable { (id % 90).to_string() } else { "'old'".to_owned() };
        let name = if id > 450 { format!("p{id}v{version}") } else { format!("p{id}") };
        sql.push_str(&format!("insert into people values ({id}, '{name}', {age}, 'xxxxxxxxxxxx');"));
        rows[0] += 1;
        if readable && id % 10 != 3 && id % 90 >= 18 {
            people.push((id, format!("{id}|{}|{}", name.to_uppercase(), id % 90)));
        }
    }
    for id in (1..=VISITS + 20 * version).filter(|id| there(*id)) {
        let person = if id % 211 == 0 { 5000 } else { 1 + id % PEOPLE };
        let amount = amount(id, version);
        sql.push_str(&format!("insert into visits values ({id}, {person}, {amount});"));
        rows[1] += 1;
        if people.binary_search_by_key(&person, |p| p.0).is_ok() {
            visits.push(format!("{id}|{person}|{amount}"));
        }
    }
    sql_into(path, &(sql + "commit")).await;
    let mut people: Vec<String> = people.into_iter().map(|(_, row)| row).collect();
    people.sort();
    visits.sort();
    Source { version, rows, people, visits }
}

/// Compares sorted rows, and names a few that differ.
pub fn same(is: &[String], must: &[String], what: &str) {
    if is == must {
        return;
    }
    let missing: Vec<_> = must.iter().filter(|row| is.binary_search(row).is_err()).take(5).collect();
    let extra: Vec<_> = is.iter().filter(|row| must.binary_search(row).is_err()).take(5).collect();
    let (rows, wanted) = (is.len(), must.len());
    panic!(
        "{what}: {rows} rows instead of {wanted}; missing {missing:?}, extra {extra:?} (none of both: twice)"
    );
}

/// What a process said, for a message.
pub fn said(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{}\n{out}\n{err}", output.status)
}

/// Each line of standard output.
pub fn json_lines(output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {}", said(output))))
        .collect()
}
