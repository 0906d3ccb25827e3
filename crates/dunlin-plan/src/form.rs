//! The plan file as it is written, for the JSON Schema and the reference: nothing is ever read into these types
//! (`resolve` reads, with a place for each value). A test holds them against the keys that are read.
//! Their doc comments are the words of `docs/plan.md`.
#![allow(dead_code, reason = "only their schema is used")]

use std::collections::BTreeMap;

use schemars::JsonSchema;

use crate::vocabulary::{
    AtRest, Basis, CleanFn, Day, Environment, Fact, FileFormat, IntoMode, Kind, OnErasure, Otherwise, Pack,
    Protect, Role, When, Within,
};

/// A dunlin plan. Paths are relative to the folder the plan stands in. An unknown key anywhere is an error.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct PlanFile {
    /// What the plan is called.
    plan: Head,
    /// How the public pages look.
    company: Option<Company>,
    /// The stores by name; `[store.crm]` names the store `crm`.
    store: BTreeMap<String, Store>,
    /// Who a customer is.
    subject: Option<Subject>,
    /// Who works on the move.
    person: Option<Vec<Person>>,
    /// When data may move; without it, at any time.
    window: Option<Window>,
    /// What the law asks.
    comply: Option<Comply>,
    /// What moves where.
    table: Option<Vec<Table>>,
    /// What customers are told.
    notice: Option<Vec<Notice>>,
    /// Which key the ledger must be signed with.
    ledger: Option<Ledger>,
}

/// What the plan is called. Not part of the fingerprint.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Head {
    /// The name of the move.
    name: String,
    /// One sentence on what moves where.
    summary: Option<String>,
}

/// How the public pages look. It has a fingerprint of its own.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Company {
    /// The company's name.
    name: String,
    /// A picture inside the plan's folder.
    logo: Option<String>,
    /// A colour as `#rrggbb` or `#rgb`.
    colour: Option<String>,
    /// The e-mail address customers write to.
    contact: Option<String>,
}

/// A store that data is read from or written to.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Store {
    /// `sqlite:PATH`, `file:PATH`, `postgres://…`, `mysql://…`, or where the URL is kept: `env:NAME` (a variable of
    /// the environment) or `secret:PATH` (a file). A password in a URL here is an error. A glob after `file:` is one
    /// table; a path that ends in `/` is a folder of tables.
    url: String,
    /// The country the data stands in, as ISO 3166 two letters.
    region: Option<String>,
    /// A run that writes here needs an approved fingerprint. Without it: false.
    protected: Option<bool>,
    /// Who runs the store on the company's behalf.
    processor: Option<String>,
    /// The contract with who runs it: a data processing agreement (GDPR Art. 28) or a business associate agreement
    /// (HIPAA), by its number.
    agreement: Option<String>,
    /// What allows personal data to go to its country (GDPR Art. 46, 47, 49), for example `SCC 2021/914, TIA-7`.
    transfer: Option<String>,
    /// What the store is for. Without it: not said.
    environment: Option<Environment>,
    /// How it keeps data at rest. Without it: not said.
    at_rest: Option<AtRest>,
    /// Files only: the character between two fields. Without it: found by looking.
    delimiter: Option<char>,
    /// Files only: the character around a field. Without it: `"`.
    quote: Option<char>,
    /// Files only: whether the first line names the columns. Without it: true.
    header: Option<bool>,
    /// Files only: the encoding by its WHATWG label, for example `windows-1252`. Without it: `utf-8`.
    encoding: Option<String>,
    /// Files only: the text that means NULL. Without it an unquoted empty field is NULL, a quoted one the empty text.
    null: Option<String>,
    /// Files only: the format. Without it: from the ending of the name.
    format: Option<FileFormat>,
}

/// Who a customer is: one row of this table each. Other tables reach it by foreign key, or by their `subject`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Subject {
    /// The target table, as `store.table`.
    table: String,
    /// Its column that names a customer.
    id: String,
    /// Its e-mail column: by it customers sign in, and to it letters about their requests go.
    email: Option<String>,
    /// Its language column, e.g. `es` or `es-MX`: that of their page and of these letters.
    locale: Option<String>,
    /// Whether an erasure deletes the customer's rows in the sources too. Without it: false.
    erase_source: Option<bool>,
}

/// A person who works on the move. People have a fingerprint of their own.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Person {
    /// The name.
    name: String,
    /// The e-mail address, unique in the plan.
    email: String,
    /// What the person may do.
    role: Role,
    /// Another company than the plan's.
    organisation: Option<String>,
}

/// When data may move. A window belongs to the day it opens on and may cross midnight.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Window {
    /// The days it opens on.
    days: Vec<Day>,
    /// When it opens, as `HH:MM`.
    from: String,
    /// When it closes, as `HH:MM`; on the next day when it is earlier than `from`. `24:00` is the end of the day.
    to: String,
    /// A time zone of the IANA database, for example `Europe/Madrid`.
    zone: String,
    /// `pause above 70% of the busiest hour`, with a number from 1 to 100: readers wait while more sessions are at work in
    /// the sources than this share of the busiest hour that `dunlin serve` has seen, or while a standby is 30 s behind.
    source_load: Option<String>,
}

/// What the law asks of this move.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Comply {
    /// The packs that act; none acts unless it is named.
    packs: Option<Vec<Pack>>,
    /// Who decides on the data.
    controller: Option<String>,
    /// The number of the impact assessment.
    dpia: Option<String>,
    /// What `run --rehearse --to URL` writes into a copy is de-identified by HIPAA's Safe Harbor: every column of a kind
    /// that it lists is removed, made coarse or made up, and dates keep only their year. Without it: false.
    safe_harbor: Option<bool>,
    /// The fewest rows of such a copy that may share postcode, year of birth, age, sex and country, as the copy has them.
    #[schemars(range(min = 2, max = 1000))]
    smallest_group: Option<f64>,
    /// How many years reports and ledger are kept, for the rules that ask for it.
    #[schemars(range(min = 1, max = 100))]
    evidence_years: Option<f64>,
    /// The last day whose postings move with the books (SOX), without quotes. Rows that `facts` says were posted later
    /// are held back.
    #[schemars(extend("format" = "date"))]
    freeze: Option<String>,
    /// What happens to rows that break a pack's rule, where it is not what the pack says: `"GDPR-05c" = "warn"`.
    otherwise: Option<BTreeMap<String, Otherwise>>,
    /// What people say about rules that no machine can settle.
    statement: Option<Vec<Statement>>,
    /// Rules that are set aside.
    waiver: Option<Vec<Waiver>>,
}

/// What a person says about a rule of a pack, and answers for. It settles what a machine cannot: a ground, a contract, an
/// assessment.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Statement {
    /// The code that `dunlin check` shows.
    rule: String,
    /// What it is about: a store, a table, or a column as `store.table.column`. Without it: the whole plan.
    about: Option<String>,
    /// For special categories: the ground of GDPR Art. 9(2), a letter from a to j.
    ground: Option<String>,
    /// What is so, and where it is written down.
    says: String,
    /// The e-mail address of who says it; one of the plan's people, when it names any.
    by: String,
    /// The last day it holds, without quotes.
    #[schemars(extend("format" = "date"))]
    until: Option<String>,
}

/// A rule that somebody has set aside, and answers for.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Waiver {
    /// The code that `dunlin check` shows.
    rule: String,
    /// Why, so that an auditor can follow.
    reason: String,
    /// The e-mail address of who decided; one of the plan's people, when it names any.
    by: String,
    /// The last day it holds, without quotes: `until = 2027-06-30`.
    #[schemars(extend("format" = "date"))]
    until: Option<String>,
}

/// A table that moves. In all output it bears the name of its target.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Table {
    /// Where the rows come from: `store.table`, `store.schema.table`, or `store` alone when it is one file or a glob.
    /// Parts may stand in quotes.
    from: String,
    /// Where they go, written alike.
    to: String,
    /// The source columns that tell one row from another. Without it rows have no name, and are compared as a multiset.
    #[schemars(length(min = 1))]
    key: Option<Vec<String>>,
    /// Why the data is processed, as a term of the W3C Data Privacy Vocabulary, for example `dpv:ServiceProvision`.
    purpose: Option<String>,
    /// What the data was collected for, where that is another purpose than `purpose`.
    collected_for: Option<String>,
    /// The lawful basis.
    basis: Option<Basis>,
    /// Which target column says what the rules of packs must know of a row: `consent_at = "agreed_on"`. The words are
    /// those under `Fact`.
    facts: Option<BTreeMap<Fact, String>>,
    /// Until when a row is kept: SQL over source columns that gives a time.
    retain: Option<String>,
    /// Which rows move: an SQL condition over source columns. What it leaves out is counted as excluded.
    r#where: Option<String>,
    /// What the target may hold already. Without it: `empty`.
    into: Option<IntoMode>,
    /// Remove the target's rows that dunlin did not load. Without it: false.
    replace: Option<bool>,
    /// The column that leads to the customer, where no foreign key does.
    subject: Option<String>,
    /// What becomes of a customer's rows when the customer is erased. Without it: `delete`.
    on_erasure: Option<OnErasure>,
    /// How each target column is made: `target = "SQL over source columns"`, or `target = { … }` as in `Column`.
    /// Without it every source column moves to the same name.
    columns: Option<BTreeMap<String, ColumnValue>>,
    /// The source columns that stay behind: `column = "the reason"`.
    drop: Option<BTreeMap<String, String>>,
    /// What must hold of each row.
    rule: Option<Vec<Rule>>,
    /// What must hold of all rows together.
    set: Option<Vec<Set>>,
    /// Amounts that are added up on both sides.
    totals: Option<Totals>,
    /// How rows for the same thing are found and folded.
    duplicates: Option<Duplicates>,
    /// What comes from other tables.
    enrich: Option<Vec<Enrich>>,
}

/// SQL over source columns, or a table that says more.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum ColumnValue {
    /// SQL over source columns.
    Sql(String),
    /// With a kind, a protection or a cleaning function.
    Described(Column),
}

/// A target column that says more than its SQL. It has `sql` or `from`, not both.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Column {
    /// SQL over source columns.
    sql: Option<String>,
    /// One source column, by its exact name.
    from: Option<String>,
    /// A function that cleans the value of `from`.
    clean: Option<CleanFn>,
    /// With `clean`: the country whose habits apply, as ISO 3166 two letters.
    region: Option<String>,
    /// With `clean = "date"`: strftime patterns, tried in order. Without it: ISO 8601.
    formats: Option<Vec<String>>,
    /// With `clean = "sentinel"`: the texts that mean "unknown". Without it: a built-in list.
    sentinels: Option<Vec<String>>,
    /// What the column holds.
    kind: Option<Kind>,
    /// How the value is protected in the target.
    protect: Option<Protect>,
}

/// What must hold of a row.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Rule {
    /// A name, unique in the table; reports show it.
    name: String,
    /// An SQL condition over target columns.
    check: String,
    /// What happens to a row that fails.
    otherwise: Otherwise,
    /// With `otherwise = "fix"`: `column = "SQL over target columns"`.
    fix: Option<BTreeMap<String, String>>,
}

/// What must hold of all rows of the target table together, once they are loaded; `verify` looks again. It has `unique`, or
/// `refers` with `to` and `key`, or `sum` with `equals`, or `at_least` and `at_most`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Set {
    /// A name, unique among the rules of the table; reports show it.
    name: String,
    /// Target columns whose values together stand in one row only. Rows in which one is NULL are left out.
    unique: Option<Vec<String>>,
    /// Target columns whose values stand in a row of another table. Rows in which one is NULL are left out.
    refers: Option<Vec<String>>,
    /// With `refers`: the other table, in the same store, as `store.table`.
    to: Option<String>,
    /// With `refers`: its columns, in the same order.
    key: Option<Vec<String>>,
    /// A target column that is added up.
    sum: Option<String>,
    /// With `sum`: what it comes to, as a decimal text.
    equals: Option<String>,
    /// The fewest rows that the table has.
    at_least: Option<f64>,
    /// The most rows that it has.
    at_most: Option<f64>,
    /// `quarantine` (rows that stand against `unique` or `refers` move out), `stop` (the run does not finish, and ends with 1)
    /// or `warn`.
    otherwise: Otherwise,
}

/// Control totals: the amounts of the rows that were loaded, added up exactly in the source and in the target, month by
/// month. A run and `verify` exit 1 where they differ.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Totals {
    /// The target column whose month tells periods apart. Without it the table is one period.
    period: Option<String>,
    /// The target columns that are added up.
    #[schemars(length(min = 1))]
    sum: Vec<String>,
    /// What an amount is in the source, where SQL makes it of more than one column: `amount = "SQL over source columns"`.
    source: Option<BTreeMap<String, String>>,
}

/// How rows for the same thing are found and folded.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Duplicates {
    /// What is compared: each line names target columns joined by `+`, which is AND.
    r#match: Vec<String>,
    /// Rows are merged at or above this probability. Without it: 0.95.
    #[schemars(range(min = 0, max = 1))]
    above: Option<f64>,
    /// From here up to `above` a person decides. Without it: 0.8.
    #[schemars(range(min = 0, max = 1))]
    review: Option<f64>,
    /// Among which rows. Without it: `["source"]`. With `"target"` also against rows that stood in the target before, which
    /// stay as they are; for `into = "append"`.
    within: Option<Vec<Within>>,
    /// Which row stays and what it takes over, for example `latest updated_at; phone: filled`; reads source columns.
    survivor: Option<String>,
}

/// Columns that come from another table.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Enrich {
    /// The other table, written as in `Table`.
    from: String,
    /// `source_column = other_column`.
    on: String,
    /// What is added: `target_column = "other_column"`.
    add: BTreeMap<String, String>,
    /// When it happens. Without it: `during`.
    when: Option<When>,
}

/// A letter to customers. Notices have a fingerprint of their own.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Notice {
    /// The text, a Markdown file inside the plan's folder.
    file: String,
    /// A query for address and language.
    audience: Option<String>,
    /// The day it goes out, without quotes: `publish = 2026-12-01`. No data moves before the notice is published.
    #[schemars(extend("format" = "date"))]
    publish: Option<String>,
}

/// Which key the ledger must be signed with. Not part of the fingerprint.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Ledger {
    /// The verifier key, as `dunlin keys list` shows it: `name+8 hex digits+base64`.
    verifier: String,
}
