//! A pack as its file spells it: the rules of one regulation, each with what is checked and two examples.
//!
//! Not here: the checks. A rule names one of them and hands it its parameters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::verdict::State;

/// A pack.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Its name in a plan, e.g. `gdpr`.
    pub pack: String,
    /// The regulation's name.
    pub title: String,
    /// Where its text stands.
    pub source: String,
    /// As of which day it was read.
    pub as_of: String,
    /// What it is not.
    pub notice: String,
    /// The rules.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
}

/// At which level a rule is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Each row on the way.
    Row,
    /// What a column holds.
    Column,
    /// What the plan states.
    Plan,
    /// What people did, by the ledger.
    Process,
}

/// A rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id; reports print it.
    pub id: String,
    /// At which levels it is checked.
    pub level: Vec<Level>,
    /// The article.
    pub reference: String,
    /// The rule in one plain sentence.
    pub title: String,
    /// What is checked, in words.
    pub checks: String,
    /// How to mend it.
    pub mend: String,
    /// What is checked.
    pub check: Check,
    /// What is checked of each row.
    #[serde(default)]
    pub row: Option<RowRule>,
    /// Whether no run may load while it is violated.
    #[serde(default)]
    pub blocks: bool,
    /// An example that passes.
    pub pass: Example,
    /// An example that fails.
    pub fail: Example,
}

/// An example: what is known, and perhaps one row of its first table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What is known of the move.
    #[serde(default)]
    pub plan: Facts,
    /// A row of the first table; a column that is left out is NULL.
    #[serde(default)]
    pub row: Option<BTreeMap<String, Cell>>,
    /// What the rule must come to; without it satisfied or violated.
    #[serde(default)]
    pub state: Option<State>,
}

/// A value of an example's row; a date stands as text, and its column says so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
#[allow(missing_docs)] // the types of TOML
pub enum Cell {
    Truth(bool),
    Number(i64),
    Text(String),
}

/// In which moves a rule has something to be about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concerns {
    /// Any move.
    #[default]
    Everything,
    /// A move of personal data.
    Personal,
    /// A move of card numbers.
    Cards,
    /// A move whose copies are de-identified.
    SafeHarbor,
}

/// Which columns a check is about: those of a kind, with a detail, whose name holds one of some words, or of a type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // each is a list of what is looked for
pub struct Selector {
    pub kinds: Vec<String>,
    pub details: Vec<String>,
    pub words: Vec<String>,
    pub types: Vec<String>,
    /// Whether columns that tell nearly every row apart, and are no key, count as well.
    pub unique: bool,
}

/// The checks, by the name that a pack's file calls them.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    /// In a Safe Harbor copy no such column arrives as it was, and nothing of it was found there.
    SafeHarbor {
        /// Which columns.
        of: Selector,
    },
    /// Each such column has a ground that somebody states.
    Special {
        /// Which columns.
        of: Selector,
        /// Whether the ground is a letter of GDPR Art. 9(2).
        #[serde(default)]
        grounds: bool,
    },
    /// Each personal column has a purpose, and none is empty throughout.
    Purpose,
    /// Each such column is looked at by a person.
    Flagged {
        /// Which columns.
        of: Selector,
        /// Who looks.
        who: String,
        /// At what.
        what: String,
    },
    /// Card numbers are unreadable in the target.
    PanStored,
    /// Every column and store with account data is listed.
    PanScope,
    /// Nothing of a card that must not be kept after authorisation moves.
    SensitiveAuth {
        /// Which columns.
        of: Selector,
    },
    /// Numbers found in other columns than those of cards.
    PanElsewhere,
    /// The detectors find none of these kinds in what dunlin itself writes.
    OwnOutput {
        /// The kinds.
        kinds: Vec<String>,
    },
    /// Each store that another runs has a contract.
    Agreement,
    /// Stores are reached over TLS with a checked certificate.
    Link {
        /// Only where such data moves.
        #[serde(default)]
        concerns: Concerns,
        /// Whether targets must encrypt at rest as well.
        #[serde(default)]
        at_rest: bool,
        /// Whether a restore must have been tried, and dunlin's own output be clean.
        #[serde(default)]
        restore: bool,
    },
    /// What the data is for did not change, or somebody says why it may.
    Compatible,
    /// Each table of persons has a lawful basis.
    Basis,
    /// Where the basis is consent, columns say when and how it was given.
    Consent,
    /// Birth dates are known where consent is the basis.
    Children,
    /// Values are held against their form while they move.
    Accuracy,
    /// Each such table says until when a row is kept.
    Retained {
        /// Which tables.
        concerns: Concerns,
    },
    /// Customers are told.
    Notice,
    /// In a store that is not production such columns are protected.
    Lower {
        /// Which columns.
        concerns: Concerns,
    },
    /// The record of processing is complete.
    Record,
    /// An impact assessment is there where one is due.
    Assessment,
    /// Personal data leaves the EEA only with a safeguard.
    Transfer,
    /// Encryption of the disk alone is not what protects card numbers.
    DiskOnly,
    /// A customer's rows can be found and given out.
    Findable {
        /// The kind of request.
        request: String,
    },
    /// Requests of a kind have been heeded before the sign-off.
    Heeded {
        /// The kind of request.
        request: String,
    },
    /// No request is late.
    Requests,
    /// The ledger holds.
    Chain {
        /// For how many years it must be kept.
        #[serde(default)]
        years: u16,
        /// Whether rows must agree on both sides.
        #[serde(default)]
        rows: bool,
        /// Only where such data moves.
        #[serde(default)]
        concerns: Concerns,
    },
    /// The evidence is kept for so many years.
    Kept {
        /// How many.
        years: u16,
    },
    /// The plan that ran is the plan that was approved.
    Approved,
    /// Who wrote, who approved and who ran are not one person.
    Segregation,
    /// Source = loaded + merged + quarantined + excluded + erased, in each table.
    Totals,
    /// Amounts are equal on both sides.
    Amounts {
        /// Which columns.
        of: Selector,
    },
    /// Each target row traces to one source row.
    Lineage,
    /// Rows after the freeze are held back.
    Cutoff,
    /// No grant is open.
    Grants,
    /// No row waits.
    Exceptions,
    /// Nothing was deleted in a source.
    SourceKept,
    /// Somebody signs the report.
    Certified,
    /// Incidents are told in time.
    Incidents {
        /// Within how many days.
        days: u16,
        /// Who tells.
        who: String,
        /// What and to whom.
        what: String,
    },
    /// What went to another company is in the ledger.
    Disclosures,
    /// Keys lie apart from the data, and their changes are in the ledger.
    Keys,
    /// Rows of a de-identified copy look alike in groups that are large enough, and a person attests that nobody can be
    /// recognised.
    Groups {
        /// Who.
        who: String,
        /// What.
        what: String,
    },
    /// Only a person can say.
    Person {
        /// Who.
        who: String,
        /// What.
        what: String,
        /// Only where such data moves.
        #[serde(default)]
        concerns: Concerns,
    },
}

/// What is asked of each row while it moves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowRule {
    /// What.
    pub check: RowCheck,
    /// What happens to a row that breaks it: `quarantine`, `exclude`, `stop`, `warn`; the plan may say another.
    #[serde(default = "quarantine")]
    pub otherwise: String,
}

fn quarantine() -> String {
    "quarantine".to_owned()
}

/// A condition that joins others; left out where the table does not say what it reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// SQL over target columns; `{fact}` stands for the column that says it, `{kind:birth_date}` for the first column of
    /// a kind, `{freeze}` and `{age_of_consent}` for what their names say.
    pub sql: String,
}

/// The checks of rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub enum RowCheck {
    /// Conditions, all of which must hold; NULL passes.
    Sql {
        /// The conditions.
        all: Vec<Part>,
        /// Only for tables with this basis, or that say a row's.
        #[serde(default)]
        basis: Option<String>,
        /// What is set where it does not hold: facts, and their new values in SQL.
        #[serde(default)]
        set: BTreeMap<String, String>,
    },
    /// Values of these kinds have their form; a birth lies neither ahead nor more than 120 years back; a postcode is of
    /// its row's country.
    Form {
        /// The kinds.
        kinds: Vec<String>,
    },
    /// No full card number in a text that is not of card numbers.
    NoCard,
    /// No track data, and no security code beside a card number, in any text.
    NoTrack,
}
