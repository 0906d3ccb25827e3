//! A value that must never show: it is planted wherever something fails, and then looked for in everything that
//! dunlin printed or wrote outside the stores.

use crate::again::files;
use crate::moves::plan;
use crate::support::{Done, Site, pg, postgres};

const CANARY: &str = "zebra-4711-canary";

/// Everything that was printed, and every file of the workspace and its home that is no store and no key.
struct Watch {
    site: Site,
    said: Vec<Done>,
}

impl Watch {
    fn new(site: Site) -> Self {
        Self { site, said: Vec::new() }
    }

    fn run(&mut self, arguments: &[&str]) -> i32 {
        let done = self.site.dunlin(arguments);
        let code = done.code;
        self.said.push(done);
        code
    }

    /// A command whose output is meant to show values; nothing else of it is.
    fn run_clear(&mut self, arguments: &[&str]) {
        let mut done = self.site.dunlin(arguments);
        assert!(done.code <= 1, "{arguments:?}: {}", done.err);
        done.out.clear();
        self.said.push(done);
    }

    /// Tries to mend a group by expressions that fail, each at another step.
    fn fix_in_vain(&mut self, group: &str) {
        let literal = format!("id = cast('{CANARY}' as bigint)");
        for set in [
            "id = cast(name as bigint)",
            "name = id / (id - id)",
            "name = no_such(name)",
            "no_such = name",
            "name = substr(name, 'x')",
            "name = name +",
            "name = (select name from people)",
            literal.as_str(),
        ] {
            for more in [["--dry-run"].as_slice(), &["--format", "json"], &[]] {
                self.run(&[["quarantine", "fix", group, "--set", set].as_slice(), more].concat());
            }
        }
    }

    /// Every command that may show or keep something, after which the canary must be nowhere.
    #[track_caller]
    fn look(mut self, stores: &[&str]) {
        for arguments in [
            ["verify", "--format", "json"].as_slice(),
            &["verify"],
            &["quarantine", "list"],
            &["ledger", "export"],
            &["report"],
            &["profile"],
            &["check"],
            &["doctor"],
        ] {
            self.run(arguments);
        }
        self.run_clear(&["verify", "--clear", "--purpose", "test: clear"]);
        self.run_clear(&["verify", "--clear", "--purpose", "test: clear", "--format", "json"]);
        let list = self.site.dunlin(&["quarantine", "list", "--format", "json"]);
        for group in list.json() {
            if let Some(group) = group["group"].as_str() {
                self.run(&["quarantine", "show", group]);
                self.run(&["quarantine", "show", group, "--format", "json"]);
                self.run_clear(&["quarantine", "show", group, "--clear", "--purpose", "test: clear"]);
                self.fix_in_vain(group);
                self.run(&["quarantine", "release", group]);
            }
        }
        for done in &self.said {
            clean("what was printed", done.out.as_bytes());
            clean("what was printed as an error", done.err.as_bytes());
        }
        let kept = files(self.site.folder());
        assert!(kept.iter().any(|p| p.ends_with("report/report.html")) && kept.len() > 8);
        for path in kept {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let store = path.parent() == Some(&self.site.dir()) && stores.iter().any(|s| name.starts_with(s));
            let bytes = std::fs::read(&path).unwrap();
            if store {
                // What was planted is there to be found.
                assert!(found(&bytes) || !name.starts_with("old.db"));
            } else {
                clean(&path.display().to_string(), &bytes);
            }
        }
    }
}

#[track_caller]
fn clean(place: &str, bytes: &[u8]) {
    assert!(!found(bytes), "the canary is in {place}");
}

/// Whether the canary is in these bytes: in any case, as UTF-16, or as hex.
fn found(bytes: &[u8]) -> bool {
    let narrow: Vec<u8> = bytes.iter().copied().filter(|b| *b != 0).collect();
    let text = String::from_utf8_lossy(&narrow).to_ascii_lowercase();
    text.contains(CANARY) || text.contains(&hex(CANARY))
}

fn hex(text: &str) -> String {
    text.bytes().map(|b| format!("{b:02x}")).collect()
}

const RULES: &str = r#"
[table.columns]
id = "id"
name = { from = "name", kind = "person_name" }
number = "cast(number as bigint)"
day = { clean = "date", from = "day", formats = ["%Y-%m-%d"] }
age = "age"
email = { clean = "email", from = "email", kind = "email" }
[[table.rule]]
name = "short"
check = "length(name) < 30"
otherwise = "quarantine"
"#;

/// Every way in which a row can fail, each with the canary in the value that fails and in its neighbours.
fn source(site: &Site) {
    site.sql("old.db", &format!(
        "create table people (id integer primary key, name text, number text, day text, age integer, email text);
         insert into people values (1, 'fine', '1', '2020-01-01', 4, 'a@example.com'),
            (2, '{CANARY}', 'x{CANARY}', '2020-01-01', 4, null), (3, '{CANARY}', '1', '{CANARY}', 4, null),
            (4, '{CANARY}', '1', '2020-01-01', '{CANARY}', null), (5, '{CANARY}', '1', '2020-01-01', 4, '{CANARY}'),
            (6, cast(x'ff' || '{CANARY}' as text), '1', '2020-01-01', 4, null),
            (7, '{CANARY} and longer than thirty characters', '1', '2020-01-01', 4, null),
            (8, '{CANARY}', '1', '2020-01-01', -1, null), (9, '{CANARY}', '1', '2020-01-01', 5, null),
            (10, '{CANARY}', '1', '2020-01-01', 5, null)"));
}

const TARGET: &str = "create table people (id bigint primary key, name varchar(200), number bigint, day date, \
    age bigint check (age >= 0), email text, unique (name, age))";

fn scene(to: &str) -> Site {
    let site = Site::with_plan(&(plan("sqlite:old.db", to, &[("people", "id")]) + RULES));
    source(&site);
    site
}

#[test]
fn no_value_shows_when_rows_fail_on_the_way_into_sqlite() {
    let site = scene("sqlite:new.db");
    site.sql("new.db", TARGET);
    let mut watch = Watch::new(site);
    assert_eq!(watch.run(&["run"]), 0, "{:?}", watch.said);
    assert_eq!(watch.run(&["run", "--format", "json"]), 0);
    assert_eq!(watch.run(&["verify"]), 0);
    watch.site.sql("new.db", &format!("update people set name = '{CANARY} changed' where id = 1"));
    assert_eq!(watch.run(&["verify"]), 1);
    watch.look(&["old.db", "new.db"]);
}

#[test]
fn no_value_shows_when_rows_fail_on_the_way_into_postgres() {
    let Some(url) = postgres("canary") else { return };
    let site = scene(&url);
    pg(&url, TARGET);
    let mut watch = Watch::new(site);
    assert_eq!(watch.run(&["run"]), 0, "{:?}", watch.said);
    assert_eq!(watch.run(&["verify"]), 0);
    pg(&url, &format!("update people set name = '{CANARY} changed' where id = 1"));
    assert_eq!(watch.run(&["verify"]), 1);
    watch.look(&["old.db"]);
}

#[test]
fn no_value_shows_when_lines_of_a_file_fail() {
    let site = Site::with_plan(
        &(plan("file:in.csv", "file:out.parquet", &[("people", "id")])
            + "[table.columns]\nid = \"cast(id as bigint)\"\nname = \"name\"\n")
            .replace("\"old.people\"", "\"old\"")
            .replace("\"new.people\"", "\"new\""),
    );
    let mut text = format!("id,name\n1,fine\n2\n3,{CANARY},{CANARY}\n{CANARY},four\n5,").into_bytes();
    text.extend(b"\xff\xfe");
    text.extend(CANARY.as_bytes());
    text.extend(format!("\n6,\"{CANARY}\" and more\n7,\"{CANARY}").into_bytes());
    site.write("in.csv", text);
    let mut watch = Watch::new(site);
    assert_eq!(watch.run(&["run"]), 0, "{:?}", watch.said);
    watch.look(&["in.csv", "out.parquet"]);
}

#[test]
fn no_password_shows() {
    let Some(url) = postgres("password") else { return };
    // This server trusts everybody, so a wrong user stands for a wrong password; the URL holds the canary either way.
    let wrong = url.replacen("postgres@", &format!("nobody:{CANARY}@"), 1);
    let site = Site::with_plan(&plan("sqlite:old.db", "env:DUNLIN_TARGET", &[("people", "id")]));
    site.sql("old.db", "create table people (id integer primary key); insert into people values (1)");
    let mut said = Vec::new();
    for arguments in [["run"].as_slice(), &["check"], &["doctor"], &["run", "--format", "json"], &["profile"]]
    {
        let mut command = site.command(arguments);
        command.env("DUNLIN_TARGET", &wrong).env("RUST_BACKTRACE", "1");
        said.push(Done::of(command));
    }
    for done in said {
        clean("what was printed", format!("{}{}", done.out, done.err).as_bytes());
    }
    for path in files(site.folder()) {
        clean(&path.display().to_string(), &std::fs::read(&path).unwrap());
    }
    let plan = plan("sqlite:old.db", &wrong, &[("people", "id")]);
    site.plan(&plan);
    let refused = site.dunlin(&["run"]).expect(2);
    clean("a plan with a password", format!("{}{}", refused.out, refused.err).as_bytes());
}
