//! The evidence of a run: one value that holds everything a manager or an auditor asks, its page, and its screenful for
//! a terminal. The value is also `report.json`. Nothing is read or decided here, and no customer value is in it.

mod finding;
mod page;
mod parts;
pub(crate) mod profile_page;
pub(crate) mod sets;
mod terminal;
pub(crate) mod text;
pub(crate) mod totals;

use serde::{Deserialize, Serialize};

pub(crate) use page::render;
pub(crate) use terminal::summary;

/// The number of this form of the report; it changes when a field changes its meaning.
pub(crate) const FORMAT: u32 = 1;

/// Everything that is said about a run. Times are RFC 3339 texts in UTC, hashes and fingerprints lower-case hex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// [`FORMAT`] of the dunlin that wrote it.
    pub format: u32,
    /// The version of dunlin.
    pub dunlin: String,
    /// When the report was written.
    pub written_at: String,
    /// The plan that was run.
    pub plan: PlanFacts,
    /// The run.
    pub run: RunFacts,
    /// The tables, in the plan's order.
    pub tables: Vec<TableFacts>,
    /// Where data was read and written.
    pub stores: Vec<StoreFacts>,
    /// Who works with the data, as the plan names them.
    pub people: Vec<PersonFacts>,
    /// Who approved this plan for these stores. Empty when none was needed.
    pub approvals: Vec<Approval>,
    /// The rule packs and what was waived.
    pub comply: Option<ComplyFacts>,
    /// How each rule of the packs ends; empty where the plan names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matrix: Vec<dunlin_quality::packs::Verdict>,
    /// The ledger at the time of the report.
    pub ledger: LedgerFacts,
}

/// The plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanFacts {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub summary: Option<String>,
    /// The company whose customers they are.
    pub company: Option<String>,
    /// What decides the move, as one hash.
    pub fingerprint: String,
}

/// The run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunFacts {
    /// Its id.
    pub id: String,
    /// Whether it was a rehearsal, which loads nothing where it counts.
    pub rehearsal: bool,
    /// Who started it, for example `local:ana`.
    pub actor: String,
    /// When it began.
    pub started_at: String,
    /// When it ended; none while it is unfinished.
    pub finished_at: Option<String>,
    /// When both sides were last read again and compared; none when they were not.
    pub verified_at: Option<String>,
    /// How long it worked.
    pub seconds: f64,
}

/// A table's part in the run. `source_rows` must be the sum of the five dispositions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TableFacts {
    /// The source, for example `crm.customers`.
    pub from: String,
    /// The target, for example `atlas.people`.
    pub table: String,
    /// Rows as read.
    pub source_rows: u64,
    /// Rows that are in the target.
    pub loaded: u64,
    /// Duplicates folded into a survivor.
    pub merged: u64,
    /// Rows that wait for a person.
    pub quarantined: u64,
    /// Rows that the plan leaves out.
    pub excluded: u64,
    /// Rows that customers asked to erase.
    pub erased: u64,
    /// Rows that were in the target before.
    pub preexisting: u64,
    /// Rows of the target as counted when it was re-read.
    pub target_rows: u64,
    /// Keyed multiset hash of the rows as read.
    pub source_hash: String,
    /// Keyed multiset hash of the loaded rows as the target will give them back.
    pub expected_hash: String,
    /// Keyed multiset hash of the rows as re-read.
    pub target_hash: String,
    /// Whether the counts balance and the target is as expected.
    pub reconciled: bool,
    /// Rows that are missing, too many or changed in the target.
    pub differences: u64,
    /// How long it took.
    pub seconds: f64,
    /// Bytes of the rows as read.
    pub bytes: u64,
    /// Why the data is processed, as a W3C DPV term.
    pub purpose: Option<String>,
    /// The lawful basis.
    pub basis: Option<String>,
    /// Until when a row is kept, as the plan writes it.
    pub retain: Option<String>,
    /// The waiting rows, by reason.
    pub quarantine: Vec<QuarantineGroup>,
    /// The rows left out, by rule.
    pub exclusions: Vec<Exclusion>,
    /// The source columns that stayed behind.
    pub dropped: Vec<DroppedColumn>,
    /// The rules and how often each fired.
    pub rules: Vec<RuleFacts>,
    /// How each target column was made.
    pub columns: Vec<ColumnFacts>,
    /// What amounts come to on either side, where the plan asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<dunlin_move::ControlTotals>,
    /// How the rules on all rows together end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<dunlin_move::SetResult>,
}

/// Rows that wait for the same reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct QuarantineGroup {
    /// Its name for `dunlin quarantine show`.
    pub group: String,
    /// Why, in words.
    pub reason: String,
    /// The column, when it is one.
    pub column: Option<String>,
    /// The shape of the values (letters `A`, digits `9`), never a value.
    pub pattern: Option<String>,
    /// How many rows.
    pub rows: u64,
}

/// Rows that the plan leaves out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Exclusion {
    /// The rule's name, or `where` and its text.
    pub rule: String,
    /// How many rows.
    pub rows: u64,
}

/// A source column that stayed behind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct DroppedColumn {
    /// The source column.
    pub column: String,
    /// The plan's reason.
    pub reason: String,
}

/// A rule of the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RuleFacts {
    /// Its name.
    pub name: String,
    /// What must hold.
    pub check: String,
    /// What happens to a row for which it does not: quarantine, exclude, fix, stop, warn.
    pub otherwise: String,
    /// How many rows failed it.
    pub rows: u64,
}

/// A target column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ColumnFacts {
    /// Its name.
    pub column: String,
    /// What it is made of, as the plan writes it.
    pub made_of: String,
    /// What it holds, for example `email`.
    pub kind: Option<String>,
    /// How closely it is kept: public, internal, personal, sensitive, secret.
    pub class: Option<String>,
    /// How it is protected in the target: mask, hash, tokenise, encrypt.
    pub protect: Option<String>,
}

/// A store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoreFacts {
    /// Its name in the plan.
    pub name: String,
    /// `source`, `target` or `both`.
    pub role: String,
    /// What it is, for example `SQLite 3.50`.
    pub system: String,
    /// What an approval is bound to: never an address with a password.
    pub identity: String,
    /// Where its data is, ISO 3166.
    pub region: Option<String>,
    /// Who runs it for the company.
    pub processor: Option<String>,
    /// Whether a run that writes there needs an approval.
    pub protected: bool,
}

/// A person of the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PersonFacts {
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: String,
    /// Their organisation, when it is another one.
    pub organisation: Option<String>,
}

/// Somebody's yes to a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// Of which fingerprint.
    pub fingerprint: String,
}

/// The rule packs of the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ComplyFacts {
    /// Their names.
    pub packs: Vec<String>,
    /// The controller.
    pub controller: Option<String>,
    /// The impact assessment.
    pub dpia: Option<String>,
    /// What was waived.
    pub waivers: Vec<WaiverFacts>,
}

/// A rule of a pack that somebody set aside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct WaiverFacts {
    /// The rule.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub by: String,
    /// Until when.
    pub until: Option<String>,
}

/// The ledger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LedgerFacts {
    /// Entries.
    pub size: u64,
    /// The Merkle root over them.
    pub root: String,
    /// The verifier key, as a C2SP verifier line.
    pub verifier: String,
    /// The signed checkpoint, word for word, so that `dunlin ledger verify --since` can use this report.
    pub checkpoint: String,
}

#[cfg(test)]
mod tests;
