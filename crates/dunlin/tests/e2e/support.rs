//! A workspace of a test's own, the program run in it as a process, and short ways to set the scene and look behind it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use tempfile::TempDir;

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

/// Waits for a future; the tests themselves are plain functions.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

/// A workspace, and beside it the folder of its keys.
pub struct Site {
    folder: TempDir,
}

/// What a command left: its exit code and what it printed.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Site {
    /// An empty workspace.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("dunlin-e2e-").tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        Self { folder }
    }

    /// A workspace with this plan.
    pub fn with_plan(plan: &str) -> Self {
        let site = Self::new();
        site.plan(plan);
        site
    }

    /// Everything of this test: the workspace, its keys and its home.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The workspace's folder.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// A file of the workspace.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// Writes the plan.
    pub fn plan(&self, text: &str) {
        self.write("dunlin.toml", text);
    }

    /// Changes the plan.
    pub fn edit_plan(&self, old: &str, new: &str) {
        let text = std::fs::read_to_string(self.path("dunlin.toml")).unwrap();
        assert!(text.contains(old), "the plan has no {old:?}");
        self.plan(&text.replace(old, new));
    }

    /// Writes a file of the workspace.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The text of a file of the workspace.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program, set up for this workspace.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dunlin"));
        command.current_dir(self.dir()).args(arguments);
        command
            .env("DUNLIN_KEYS", self.folder.path().join("keys"))
            .env("HOME", self.folder.path().join("home"));
        command.env("NO_COLOR", "1").env("COLUMNS", "120").env_remove("FAILPOINTS").env_remove("DUNLIN_FAIL");
        command
    }

    /// Runs the program.
    pub fn dunlin(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments))
    }

    /// Runs the program for JSON, two splits at a time.
    pub fn run(&self, more: &[&str]) -> Done {
        let mut arguments = vec!["run", "--format", "json", "--jobs", "2"];
        arguments.extend(more);
        self.dunlin(&arguments)
    }

    /// As [`Site::run`], and everything must be accounted for.
    pub fn moved(&self) -> Done {
        let done = self.run(&[]).expect(0);
        done.balanced();
        done
    }

    /// Verifies for JSON.
    pub fn verify(&self) -> Done {
        self.dunlin(&["verify", "--format", "json", "--jobs", "2"])
    }

    /// The groups that wait.
    pub fn waiting(&self) -> Vec<Value> {
        self.dunlin(&["quarantine", "list", "--format", "json"]).expect(0).json()
    }

    /// Runs SQL on a SQLite file of the workspace, which is made if need be.
    pub fn sql(&self, file: &str, sql: &str) {
        wait(async {
            let mut connection = self.open(file).await;
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    /// The rows of a query as SQLite literals, `1|'a'|NULL`, in the order of the query.
    pub fn rows(&self, file: &str, columns: &str, rest: &str) -> Vec<String> {
        let quoted: Vec<String> = columns.split(',').map(|c| format!("quote({})", c.trim())).collect();
        let sql = format!("select {} from {rest}", quoted.join(" || '|' || "));
        wait(async {
            let mut connection = self.open(file).await;
            let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            rows.iter().map(|row| row.get::<String, _>(0)).collect()
        })
    }

    /// The rows of a query on a SQLite file that gives one text a row.
    pub fn texts(&self, file: &str, sql: &str) -> Vec<String> {
        wait(async {
            let mut connection = self.open(file).await;
            let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap();
            rows.iter().map(|row| row.get::<String, _>(0)).collect()
        })
    }

    /// One value of a SQLite file, as text.
    pub fn one(&self, file: &str, sql: &str) -> String {
        let sql = format!("select cast(({sql}) as text)");
        wait(async {
            let mut connection = self.open(file).await;
            let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
            row.get::<Option<String>, _>(0).unwrap_or_default()
        })
    }

    async fn open(&self, file: &str) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path(file)).create_if_missing(true);
        options.foreign_keys(false).connect().await.unwrap()
    }

    /// A text with what differs from run to run put aside: paths, ids, fingerprints, ports, times.
    pub fn plain(&self, text: &str) -> String {
        let text = text.replace(&self.folder.path().display().to_string(), "[site]");
        let text = mask(
            &text,
            |c| c.is_ascii_hexdigit() || c == '-',
            |t| t.len() == 36 && t.matches('-').count() == 4,
            "[id]",
        );
        let text = mask(&text, |c| c.is_ascii_hexdigit(), |t| t.len() == 64, "[hash]");
        let text = without_version(&without_version(&text, "SQLite "), "PostgreSQL ");
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}

fn without_version(text: &str, system: &str) -> String {
    let version = |c: char| c.is_ascii_digit() || c == '.';
    let mut parts = text.split(system);
    let head = parts.next().unwrap_or_default().to_owned();
    parts.fold(head, |out, part| {
        let rest = part.trim_start_matches(version);
        let name = if part.starts_with(|c: char| c.is_ascii_digit()) && !part.starts_with("3 ") {
            "[version]"
        } else {
            ""
        };
        out + system + name + if name.is_empty() { part } else { rest }
    })
}

/// Replaces every longest stretch of such characters that is what is meant.
fn mask(text: &str, part: impl Fn(char) -> bool, meant: impl Fn(&str) -> bool, name: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(&part) {
        let (before, tail) = rest.split_at(at);
        let end = tail.find(|c| !part(c)).unwrap_or(tail.len());
        out.push_str(before);
        out.push_str(if meant(&tail[..end]) { name } else { &tail[..end] });
        rest = &tail[end..];
    }
    out + rest
}

impl Done {
    /// Runs a command to its end.
    pub fn of(mut command: Command) -> Self {
        Self::at_its_end(&command.output().unwrap())
    }

    /// What a command has come to.
    pub fn at_its_end(output: &std::process::Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Demands an exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Each line of the output.
    pub fn json(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|l| serde_json::from_str(l).unwrap_or_else(|_| panic!("not JSON: {l}")))
            .collect()
    }

    /// The line about a table.
    #[track_caller]
    pub fn table(&self, label: &str) -> Value {
        let found = self.json().into_iter().find(|v| v["table"] == label);
        found.unwrap_or_else(|| panic!("no table {label} in {}", self.out))
    }

    /// A table's numbers: source, loaded, quarantined, excluded, target.
    #[track_caller]
    pub fn counts(&self, label: &str) -> [u64; 5] {
        let table = self.table(label);
        ["source_rows", "loaded", "quarantined", "excluded", "target_rows"]
            .map(|name| table[name].as_u64().unwrap())
    }

    /// The run that this output is about.
    pub fn run_id(&self) -> String {
        let last = self.json().pop().expect("a last line");
        last["run"].as_str().expect("a run").to_owned()
    }

    /// The equation, recomputed from what is printed: counts balance and hashes agree, for every table.
    #[track_caller]
    pub fn balanced(&self) {
        for table in self.json().iter().filter(|v| v["table"].is_string()) {
            let n = |name: &str| table[name].as_u64().unwrap_or_else(|| panic!("{name} of {table}"));
            let parts = n("loaded") + n("merged") + n("quarantined") + n("excluded") + n("erased");
            assert_eq!(n("source_rows"), parts, "{table}");
            assert_eq!(n("target_rows"), n("loaded") + n("preexisting"), "{table}");
            assert_eq!(table["expected_hash"], table["target_hash"], "{table}");
            assert_eq!(table["reconciled"], true, "{table}");
        }
    }

    /// The differences that `verify` names, `kind key columns`, sorted.
    #[track_caller]
    pub fn differences(&self, label: &str) -> Vec<String> {
        let table = self.table(label);
        let mut found: Vec<String> = table["differences"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| {
                let key: Vec<String> = d["key"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(c, v)| format!("{c}={}", v.as_str().unwrap()))
                    .collect();
                let columns: Vec<&str> =
                    d["columns"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                [d["kind"].as_str().unwrap(), &key.join(","), &columns.join(",")]
                    .join(" ")
                    .trim_end()
                    .to_owned()
            })
            .collect();
        found.sort();
        found
    }
}

/// The URL of a new database in the PostgreSQL for tests, or `None`, with the reason printed, where there is none.
pub fn postgres(name: &str) -> Option<String> {
    wait(async { Some(dunlin_testkit::postgres().await?.database(name).await) })
}

/// Runs SQL on PostgreSQL.
pub fn pg(url: &str, sql: &str) {
    wait(async { dunlin_testkit::connect(url).await.batch_execute(sql).await.unwrap() });
}

/// One value of PostgreSQL, as text.
pub fn pg_one(url: &str, sql: &str) -> String {
    let sql = format!("select ({sql})::text");
    wait(async {
        let row = dunlin_testkit::connect(url).await.query_one(&sql, &[]).await.unwrap();
        row.get::<_, Option<String>>(0).unwrap_or_default()
    })
}

/// The rows of a query that gives one text a row.
pub fn pg_rows(url: &str, sql: &str) -> Vec<String> {
    wait(async {
        let rows = dunlin_testkit::connect(url).await.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect()
    })
}
