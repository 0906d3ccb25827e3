//! What is known about a move when it is held against the packs: the plan, what its columns hold, and what the ledger
//! says was done. Counts, names and codes; never a value of a customer.
//!
//! Everything has a default, so that an example in a pack's file says only what it is about.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::kinds::class_of;

/// Everything that the rules look at.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    /// The day, as `2026-11-22`; waivers and statements end by it.
    pub today: String,
    /// Who decides on the data.
    pub controller: Option<String>,
    /// The number of the impact assessment.
    pub dpia: Option<String>,
    /// Whether the plan says who a customer is.
    pub subject: bool,
    /// Whether an erasure reaches the sources too.
    pub erase_source: bool,
    /// Whether copies are de-identified by Safe Harbor.
    pub safe_harbor: bool,
    /// The fewest rows of such a copy that may look alike.
    pub smallest_group: Option<u64>,
    /// The last day whose postings move.
    pub freeze: Option<String>,
    /// What happens to rows that break a rule, where the plan says another than the pack: by the rule's id.
    pub otherwise: BTreeMap<String, String>,
    /// How many years the evidence is kept.
    pub evidence_years: Option<u16>,
    /// The stores.
    pub stores: Vec<StoreFacts>,
    /// The tables that move.
    pub tables: Vec<TableFacts>,
    /// The notices to customers.
    pub notices: Vec<NoticeFacts>,
    /// What people say.
    pub statements: Vec<StatementFacts>,
    /// What was done, by the ledger and the state; all empty before the first run.
    pub past: Past,
}

/// How a store is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// On this machine: a file, a socket, the loopback.
    Local,
    /// TLS, and the server's certificate is checked against its name.
    Verified,
    /// TLS, but nobody checks whose.
    Unverified,
    /// TLS is not demanded.
    Clear,
    /// Not known.
    #[default]
    Unknown,
}

/// A store.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // as in the plan
pub struct StoreFacts {
    pub name: String,
    pub source: bool,
    pub target: bool,
    pub region: Option<String>,
    pub processor: Option<String>,
    pub agreement: Option<String>,
    pub transfer: Option<String>,
    pub environment: Option<String>,
    pub at_rest: Option<String>,
    pub link: Link,
}

/// A table that moves.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableFacts {
    /// Its label, `store.table`.
    pub name: String,
    /// The store it comes from.
    pub from: String,
    /// The store it goes to.
    pub to: String,
    /// Stores from which its rows are filled up.
    pub enriched_from: Vec<String>,
    /// Whether its rows have a name in the target.
    pub key: bool,
    /// Why the data is processed.
    pub purpose: Option<String>,
    /// What it was collected for, where that is another purpose.
    pub collected_for: Option<String>,
    /// The lawful basis.
    pub basis: Option<String>,
    /// Whether the plan says until when a row is kept.
    pub retain: bool,
    /// Whether its rows lead to a customer.
    pub subject: bool,
    /// Which target column says a fact.
    pub facts: BTreeMap<String, String>,
    /// Source columns that stay behind.
    pub dropped: u64,
    /// The target columns.
    pub columns: Vec<ColumnFacts>,
    /// Columns whose amounts the plan adds up on both sides.
    pub totals: Vec<String>,
    /// What the latest run came to.
    pub run: Option<TableRun>,
}

/// A target column.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColumnFacts {
    /// Its name.
    pub name: String,
    /// What it holds, by the plan or by its values.
    pub kind: Option<String>,
    /// Which of the kind.
    pub detail: Option<String>,
    /// Whether the plan states the kind; else the values say so.
    pub stated: bool,
    /// How the value is protected in the target.
    pub protect: Option<String>,
    /// `text`, `date`, `moment`, `number`, `truth` or `binary`.
    pub ty: String,
    /// Whether its value is a source column's, untouched.
    pub untouched: bool,
    /// Whether it names a row.
    pub key: bool,
    /// Values of the source that were looked at.
    pub sampled: u64,
    /// The share of them that is empty, from 0 to 1.
    pub empty: f64,
    /// The share of them that is different from every other, from 0 to 1.
    pub distinct: f64,
    /// What was found inside texts, by kind: so many cells.
    pub hits: BTreeMap<String, u64>,
}

/// What the latest run of a table came to.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // the five dispositions
pub struct TableRun {
    pub source: u64,
    pub loaded: u64,
    pub merged: u64,
    pub quarantined: u64,
    pub excluded: u64,
    pub erased: u64,
    /// Whether both sides agree.
    pub reconciled: bool,
    /// Rows that each rule ended or noted, by the rule's name.
    pub rules: BTreeMap<String, u64>,
    /// The number of the ledger's entry.
    pub entry: u64,
    /// How the sums of both sides compare, where the plan asks for them.
    pub totals: Option<TotalsRun>,
}

/// How the control totals of a table compare.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TotalsRun {
    /// How many sums: one a column and month.
    pub figures: u64,
    /// How many of them differ.
    pub differ: u64,
    /// Why they cannot be compared.
    pub unknown: Option<String>,
}

/// A notice.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // as in the plan
pub struct NoticeFacts {
    pub file: String,
    pub published: bool,
    pub entry: u64,
}

/// What a person says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // as in the plan
pub struct StatementFacts {
    pub rule: String,
    pub about: Option<String>,
    pub ground: Option<String>,
    pub says: String,
    pub by: String,
    pub until: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Past {
    /// The plan's fingerprint now.
    pub fingerprint: String,
    /// How many entries the ledger has.
    pub entries: u64,
    /// Whether the ledger's hashes and signatures hold; `None` where nobody has looked.
    pub verified: Option<bool>,
    /// The day of its first entry.
    pub since: Option<String>,
    /// Who wrote the plan of this fingerprint since a form of it was last approved, by the ledger. None where the chain
    /// of edits does not reach it.
    pub authors: Vec<String>,
    /// Approvals of this fingerprint.
    pub approvals: Vec<Approved>,
    /// Runs that loaded rows, of this fingerprint or not, the latest last.
    pub runs: Vec<RunFacts>,
    /// Entries of rehearsals of this fingerprint.
    pub rehearsals: Vec<u64>,
    /// Rows that wait in quarantine.
    pub waiting: u64,
    /// Entries of waivers, by their ids.
    pub waived: BTreeMap<String, u64>,
    /// Entries of decisions on quarantined rows.
    pub decisions: Vec<u64>,
    /// Entries of reports.
    pub reports: Vec<u64>,
    /// Looks at customers' rows.
    pub accesses: u64,
    /// Grants that are still open.
    pub grants_open: u64,
    /// Grants that were ever given.
    pub grants: u64,
    /// Alerts of high severity: when, which entry, and whether somebody dealt with them.
    pub incidents: Vec<Incident>,
    /// Requests of customers that are open, by kind.
    pub open: BTreeMap<String, u64>,
    /// Requests that were answered, by kind.
    pub answered: BTreeMap<String, u64>,
    /// Open requests whose day has passed.
    pub late: u64,
    /// Rows of erased customers that were found again.
    pub erased_left: u64,
    /// Rows that erasures took out of sources.
    pub source_erased: u64,
    /// Whether the keys lie outside the workspace; `None` where that is not known.
    pub keys_outside: Option<bool>,
    /// Entries of new keys.
    pub key_changes: Vec<u64>,
    /// What the detectors found in dunlin's own output, by kind; `None` where nobody has looked.
    pub scan: Option<BTreeMap<String, u64>>,
    /// What the detectors found in the latest de-identified copy of this fingerprint, by rule; `None` where there is none.
    pub survivors: Option<Survivors>,
}

/// An approval.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // who, and where the ledger says so
pub struct Approved {
    pub by: String,
    pub entry: u64,
    /// The entry from which on it no longer held.
    pub voided: Option<u64>,
}

/// A run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // who ran which plan, and how it ended
pub struct RunFacts {
    pub by: String,
    pub fingerprint: String,
    pub finished: bool,
    pub reconciled: bool,
    pub entry: u64,
}

/// An alert of high severity.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // the day, the entry, and whether it was dealt with
pub struct Incident {
    pub day: String,
    pub entry: u64,
    pub closed: bool,
}

/// What a look over a de-identified copy found.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Survivors {
    /// Values that were looked at.
    pub cells: u64,
    /// Identifiers that survived, by kind.
    pub found: BTreeMap<String, u64>,
    /// How many rows look alike, table by table.
    pub groups: Vec<GroupFacts>,
    /// The ledger's entry.
    pub entry: u64,
}

/// How many rows of a de-identified copy share what still tells people apart.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupFacts {
    /// The table.
    pub table: String,
    /// The columns by which rows look alike.
    pub columns: Vec<String>,
    /// Rows by the size of their group: `1`, `2-4`, `5-10`, `more`.
    pub rows: BTreeMap<String, u64>,
    /// The rows of the smallest group.
    pub smallest: u64,
    /// The ledger's entry.
    pub entry: u64,
}

impl ColumnFacts {
    /// Whether the column is about a person.
    pub fn personal(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| class_of(kind) != "internal")
    }

    /// Whether the column holds a kind.
    pub fn is(&self, kinds: &[String]) -> bool {
        self.kind.as_ref().is_some_and(|kind| kinds.contains(kind))
    }
}

impl TableFacts {
    /// Whether any column is about a person.
    pub fn personal(&self) -> bool {
        self.columns.iter().any(ColumnFacts::personal)
    }

    /// The column that says a fact: the one that the plan names, or else one that is called so.
    pub fn fact(&self, fact: &str) -> Option<&str> {
        let called = || self.columns.iter().find(|c| c.name == fact).map(|c| c.name.as_str());
        self.facts.get(fact).map(String::as_str).or_else(called)
    }

    /// The first column of a kind.
    pub fn of_kind(&self, kind: &str) -> Option<&ColumnFacts> {
        self.columns.iter().find(|c| c.kind.as_deref() == Some(kind))
    }
}

impl Approved {
    /// Whether it held when an entry was made.
    pub fn held_at(&self, entry: u64) -> bool {
        self.entry < entry && self.voided.is_none_or(|voided| voided > entry)
    }
}

impl Facts {
    /// Every column with its table.
    pub fn columns(&self) -> impl Iterator<Item = (&TableFacts, &ColumnFacts)> {
        self.tables.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column)))
    }

    /// The store of this name.
    pub fn store(&self, name: &str) -> Option<&StoreFacts> {
        self.stores.iter().find(|store| store.name == name)
    }

    /// What somebody says about a rule and a place, and that still holds.
    pub fn stated(&self, rule: &str, about: Option<&str>) -> Option<&StatementFacts> {
        self.statements.iter().find(|s| {
            let holds = s.until.as_ref().is_none_or(|until| *until >= self.today);
            let here = match (&s.about, about) {
                (None, _) => true,
                (Some(said), Some(about)) => said == about,
                (Some(_), None) => false,
            };
            s.rule == rule && holds && here
        })
    }
}
