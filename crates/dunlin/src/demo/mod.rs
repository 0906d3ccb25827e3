//! The made-up company of `dunlin demo`: an old CRM as dirty as real ones are, the plan that moves it, and a count of
//! every fault that was planted, so that a test can compare. It moves nothing itself.

mod accounts;
mod chance;
mod customers;
mod inserts;
pub(crate) mod office;
mod orders;
mod tickets;
mod words;

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use inserts::Inserts;

/// The plan that moves the demo's data; `dunlin.toml` of the demo folder.
pub(crate) const PLAN: &str = include_str!("plan.toml");

/// The notice that the plan names.
pub(crate) const NOTICE: &str = include_str!("notice.md");

/// How many customers the demo has unless somebody asks for another number.
pub(crate) const CUSTOMERS: u64 = 100_000;

/// What was written and what was planted in it. A row is counted under one fault only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemoFacts {
    /// Rows of `customers`.
    pub customers: u64,
    /// Excluded by the plan's `where`: `status` is `test`.
    pub test_customers: u64,
    /// Excluded by a rule: closed longer ago than the law lets data be kept.
    pub closed_long_ago: u64,
    /// Quarantined: not an e-mail address.
    pub broken_emails: u64,
    /// Quarantined: 31 February.
    pub impossible_dates: u64,
    /// Quarantined: a real date in a format that the plan does not list.
    pub unlisted_date_formats: u64,
    /// Quarantined: a family name that is not UTF-8.
    pub latin1_names: u64,
    /// Quarantined: text in the integer column `loyalty_points`.
    pub text_in_loyalty_points: u64,
    /// Quarantined: not of age.
    pub underage: u64,
    /// Quarantined: not a telephone number.
    pub broken_phones: u64,
    /// Customers who are in there a second time, slightly different.
    pub duplicates: u64,
    /// Mended on the way: "N/A" and its like as e-mail.
    pub email_sentinels: u64,
    /// Mended on the way: "N/A" and its like as telephone number.
    pub phone_sentinels: u64,
    /// Mended on the way: "N/A" and its like as date of birth.
    pub date_sentinels: u64,
    /// Mended on the way: names in capitals, counted by name.
    pub shouted_names: u64,
    /// Mended on the way: values with blanks at the end.
    pub trailing_blanks: u64,
    /// Left behind with their column: card numbers in `notes`.
    pub card_numbers_in_notes: u64,
    /// Rows of `orders`.
    pub orders: u64,
    /// Excluded by the plan's `where`: orders of test accounts.
    pub test_orders: u64,
    /// Quarantined: their customer does not exist.
    pub orphan_orders: u64,
    /// Quarantined by a rule: an amount of a million or more.
    pub fat_finger_amounts: u64,
    /// Quarantined: an amount that is not a number.
    pub missing_amounts: u64,
    /// Quarantined: text in the integer column `items`.
    pub text_in_items: u64,
    /// Nothing wrong with them, but their customer is quarantined, so they wait as well.
    pub orders_of_quarantined: u64,
    /// Rows of `tickets`.
    pub tickets: u64,
    /// Rows of `countries`.
    pub countries: u64,
    /// Lines of both account files, without their headers.
    pub accounts: u64,
    /// Lines with too few fields.
    pub short_lines: u64,
    /// Lines with a branch that is not UTF-8.
    pub latin1_branches: u64,
}

/// What a run of [`PLAN`] must come to, for tests; a run is never told.
#[cfg(test)]
impl DemoFacts {
    /// Customers that wait for a person.
    pub(crate) fn quarantined_customers(&self) -> u64 {
        self.broken_emails
            + self.impossible_dates
            + self.unlisted_date_formats
            + self.latin1_names
            + self.text_in_loyalty_points
            + self.underage
            + self.broken_phones
    }

    /// Customers that the plan leaves out.
    pub(crate) fn excluded_customers(&self) -> u64 {
        self.test_customers + self.closed_long_ago
    }

    /// Orders that wait for a person, those of waiting customers among them.
    pub(crate) fn quarantined_orders(&self) -> u64 {
        self.orphan_orders
            + self.fat_finger_amounts
            + self.missing_amounts
            + self.text_in_items
            + self.orders_of_quarantined
    }

    /// Account lines that wait for a person.
    pub(crate) fn quarantined_accounts(&self) -> u64 {
        self.short_lines + self.latin1_branches
    }
}

/// Why the demo's data could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// There is something already.
    #[error("{} is there already; the demo never overwrites: name another folder with --dir", .0.display())]
    Exists(PathBuf),
    /// A file or a folder could not be written.
    #[error("cannot write {}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("cannot write the demo's database")]
    Database(#[source] sqlx::Error),
}

/// Writes the old system into `dir`: `legacy/crm.db` and two files in `legacy/accounts/`. The same seed gives the same
/// data.
///
/// # Errors
/// When there is an old system in `dir` already, or the disk or SQLite refuses.
pub(crate) async fn generate(dir: &Path, customers: u64, seed: u64) -> Result<DemoFacts, DemoError> {
    let legacy = dir.join("legacy");
    let database = legacy.join("crm.db");
    if database.exists() {
        return Err(DemoError::Exists(database));
    }
    create_dir(&legacy.join("accounts"))?;
    let mut facts = DemoFacts::default();
    // Under another name until it is whole, so that a demo that was stopped can be started again.
    let unfinished = legacy.join("crm.db.unfinished");
    remove_if_there(&unfinished)?;
    let faults = write_database(&unfinished, customers, seed, &mut facts).await?;
    for (name, odd) in [("accounts-1.csv", true), ("accounts-2.csv", false)] {
        let path = legacy.join("accounts").join(name);
        let written = fs::File::create(&path).and_then(|file| {
            let mut out = BufWriter::new(file);
            accounts::write(&mut out, &faults, odd, seed, &mut facts)?;
            out.flush()
        });
        written.map_err(|source| DemoError::Io { path, source })?;
    }
    fs::rename(&unfinished, &database).map_err(|source| DemoError::Io { path: database, source })?;
    Ok(facts)
}

/// Writes the plan and the notice that it names into `dir`, and the folder of the target.
///
/// # Errors
/// When there is a plan in `dir` already, or the disk refuses.
pub(crate) fn write_plan(dir: &Path) -> Result<(), DemoError> {
    let plan = dir.join("dunlin.toml");
    if plan.exists() {
        return Err(DemoError::Exists(plan));
    }
    create_dir(&dir.join("notices"))?;
    create_dir(&dir.join("target"))?;
    write_file(&dir.join("notices").join("2026-move.en.md"), NOTICE)?;
    write_file(&plan, PLAN)
}

async fn write_database(
    path: &Path,
    count: u64,
    seed: u64,
    facts: &mut DemoFacts,
) -> Result<Vec<customers::Fault>, DemoError> {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(false)
        // Nothing is lost if this fails half way: the file is begun again.
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .connect()
        .await
        .map_err(DemoError::Database)?;
    let tables = [customers::TABLE, orders::TABLE, tickets::TABLES].join(";\n");
    execute(&mut connection, format!("begin; {tables}")).await?;
    let faults =
        customers::write(&mut Inserts::new(&mut connection, "customers"), count, seed, facts).await?;
    orders::write(&mut Inserts::new(&mut connection, "orders"), &faults, seed, facts).await?;
    tickets::write(&mut Inserts::new(&mut connection, "tickets"), &faults, seed, facts).await?;
    tickets::write_countries(&mut Inserts::new(&mut connection, "countries"), facts).await?;
    execute(&mut connection, "create index orders_by_customer on orders (customer_id); commit".into())
        .await?;
    connection.close().await.map_err(DemoError::Database)?;
    Ok(faults)
}

async fn execute(connection: &mut SqliteConnection, sql: String) -> Result<(), DemoError> {
    // Safe: the text is made of this module's own words, quoted where they are values.
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(connection).await;
    done.map(|_| ()).map_err(DemoError::Database)
}

fn create_dir(path: &Path) -> Result<(), DemoError> {
    fs::create_dir_all(path).map_err(|source| DemoError::Io { path: path.to_owned(), source })
}

fn write_file(path: &Path, text: &str) -> Result<(), DemoError> {
    fs::write(path, text).map_err(|source| DemoError::Io { path: path.to_owned(), source })
}

fn remove_if_there(path: &Path) -> Result<(), DemoError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(DemoError::Io { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
