//! Customers ask, and the move acts: what is planted of one customer is found nowhere after an erasure, whenever it comes;
//! a correction stays; restrictions, objections and consent decide what moves next; and the receipt holds without dunlin.
//!
//! Here is the scene that all of them play in: erasures are in [`erased`], their crashes in [`crashes`] and [`soak`], the other
//! rights in [`rights`].

mod crashes;
mod erased;
mod rights;
mod soak;

use std::path::Path;
use std::process::Command;

use crate::again::files;
use crate::support::{Done, Site, pg_one, pg_rows, postgres};

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
