//! The resolved plan: what every other part of dunlin reads. Made by [`crate::load`]; holds no secret.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Serialize, Serializer};

use crate::finding::{Finding, Span};
use crate::store::StorePlan;
use crate::table::{Sql, TablePlan};
use crate::table_ref::TableRef;
use crate::vocabulary::{Otherwise, Pack, Role};
use crate::window::Window;

/// A plan that has been resolved and checked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Whose customers they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Company>,
    /// The stores by name.
    pub stores: BTreeMap<String, StorePlan>,
    /// Who a customer is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// Who works on the move.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// When data may move; always, when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// What the law asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comply: Option<Comply>,
    /// The tables that move, in the plan's order.
    pub tables: Vec<TablePlan>,
    /// What customers are told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// Which key the ledger must be signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerPin>,
    /// Warnings; a plan with errors is never made.
    #[serde(skip)]
    pub findings: Vec<Finding>,
}

/// The company, as its public pages show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Company {
    /// Its name.
    pub name: String,
    /// A picture, relative to the plan's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// `#rrggbb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// Where customers write to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// Who a customer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// The target table with one row a customer.
    pub table: TableRef,
    /// Its column that names the customer.
    pub id: String,
    /// Its e-mail column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Its language column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Whether an erasure deletes the customer's rows in the sources too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub erase_source: bool,
    /// Where the plan says so.
    #[serde(skip)]
    pub span: Span,
}

/// A person who works on the move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The address, unique in the plan whatever its case.
    pub email: String,
    /// What the person may do.
    pub role: Role,
    /// Another company than the plan's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Where the plan names the person.
    #[serde(skip)]
    pub span: Span,
}

/// What the law asks of this move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comply {
    /// The packs that act.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<Pack>,
    /// Who decides on the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// The number of the impact assessment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpia: Option<String>,
    /// Whether a rehearsal's copy is de-identified by HIPAA's Safe Harbor.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub safe_harbor: bool,
    /// The fewest rows of such a copy that may share what still tells people apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smallest_group: Option<u16>,
    /// How many years the evidence is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_years: Option<u16>,
    /// The last day whose postings move with the books.
    #[serde(serialize_with = "date_text", skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Date>,
    /// What happens to rows that break a pack's rule, where it is not what the pack says.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub otherwise: BTreeMap<String, Otherwise>,
    /// What people say about rules that no machine can settle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Statement>,
    /// Rules that are set aside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
}

/// What a person says about a rule, and answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The rule's code.
    pub rule: String,
    /// What it is about: a store, a table or a column as `store.table.column`; without it, the whole plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The ground of GDPR Art. 9(2), a letter from a to j.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground: Option<String>,
    /// What is so, and where it is written down.
    pub says: String,
    /// The e-mail of who says it.
    pub by: String,
    /// The last day it holds.
    #[serde(serialize_with = "date_text", skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Where the plan says so.
    #[serde(skip)]
    pub span: Span,
}

/// A rule set aside by somebody who answers for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiver {
    /// The rule's code.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// The e-mail of who decided.
    pub by: String,
    /// The last day it holds.
    #[serde(serialize_with = "date_text", skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Where the plan says so.
    #[serde(skip)]
    pub span: Span,
}

/// A letter to customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The text, relative to the plan's folder.
    pub file: String,
    /// A query for address and language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Sql>,
    /// The day it goes out.
    #[serde(serialize_with = "date_text", skip_serializing_if = "Option::is_none")]
    pub publish: Option<Date>,
    /// Where the plan names it.
    #[serde(skip)]
    pub span: Span,
}

/// The key that the ledger must be signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerPin {
    /// A verifier key in the signed-note form, `name+hash+key`.
    pub verifier: String,
}

fn date_text<S: Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => serializer.collect_str(date),
        None => serializer.serialize_none(),
    }
}

impl Plan {
    /// The table whose target this is.
    pub fn table(&self, label: &str) -> Option<&TablePlan> {
        self.tables.iter().find(|table| table.label() == label)
    }

    /// What depends on the day: waivers that have ended, notices whose day has passed.
    pub fn check_at(&self, today: Date) -> Vec<Finding> {
        let waivers = self.comply.iter().flat_map(|comply| &comply.waivers);
        let ended = waivers.filter_map(|waiver| {
            let until = waiver.until.filter(|until| *until < today)?;
            let message = format!("the waiver of `{}` ended on {until}", waiver.rule);
            let help = "set a later `until`, or remove the waiver and satisfy the rule";
            Some(Finding::warning("plan-waiver-ended", waiver.span, message).help(help))
        });
        let late = self.notices.iter().filter_map(|notice| {
            let publish = notice.publish.filter(|publish| *publish < today)?;
            let message = format!("the notice `{}` was to be published on {publish}", notice.file);
            Some(Finding::warning("plan-notice-late", notice.span, message).help("set a day that is to come"))
        });
        ended.chain(late).collect()
    }
}
