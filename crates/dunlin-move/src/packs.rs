//! The plan's packs, as far as rows are concerned: which of their rules act on a table, by what the plan states of it.
//! Not here: how a pack's rules end (`dunlin_quality::packs`), and what a run makes of a row that breaks one.

use std::collections::BTreeMap;

use dunlin_connect::ColumnType;
use dunlin_plan::{Plan, TablePlan};
use dunlin_quality::packs::{ColumnFacts, PackError, RowTable, TableFacts, TableRule, row_rules};

use crate::spec::{Mapped, Value};

/// The packs of a plan and what the plan says about them.
#[derive(Debug, Clone, Default)]
pub struct Packs {
    names: Vec<&'static str>,
    freeze: Option<String>,
    otherwise: BTreeMap<String, String>,
}

impl Packs {
    /// Those that a plan names.
    pub fn of(plan: &Plan) -> Self {
        let Some(comply) = &plan.comply else { return Self::default() };
        let word = |(rule, word): (&String, &dunlin_plan::Otherwise)| (rule.clone(), word.to_string());
        // A rule that is set aside to a day still acts on rows: what it holds back, a person lets go.
        Self {
            names: comply.packs.iter().map(|pack| pack.as_str()).collect(),
            freeze: comply.freeze.map(|day| day.to_string()),
            otherwise: comply.otherwise.iter().map(word).collect(),
        }
    }

    /// The rules that act on the rows of a table.
    ///
    /// # Errors
    /// Where a pack's file cannot be read.
    pub fn rules_of(&self, table: &TableFacts) -> Result<Vec<TableRule>, PackError> {
        row_rules(&self.names, RowTable { table, freeze: self.freeze.as_deref(), otherwise: &self.otherwise })
    }
}

/// A table as the packs see it, by the plan and the types of both sides.
pub fn shape(plan: &TablePlan, mapped: &[Mapped]) -> TableFacts {
    let key: Vec<&str> = plan.key.iter().map(String::as_str).collect();
    let column = |m: &Mapped| {
        let from = plan.column(&m.target).and_then(dunlin_plan::ColumnPlan::source_column);
        ColumnFacts {
            name: m.target.clone(),
            kind: m.kind.map(|kind| kind.to_string()),
            stated: m.kind.is_some(),
            protect: m.protect.map(|protect| protect.to_string()),
            ty: type_word(&m.clear_type).to_owned(),
            untouched: matches!(m.value, Value::Column(_)),
            key: key.contains(&from.as_deref().unwrap_or(&m.target)),
            ..ColumnFacts::default()
        }
    };
    TableFacts {
        name: plan.label(),
        from: plan.from.store.clone(),
        to: plan.to.store.clone(),
        enriched_from: plan.enrich.iter().map(|e| e.from.store.clone()).collect(),
        key: !plan.key.is_empty(),
        purpose: plan.purpose.clone(),
        collected_for: plan.collected_for.clone(),
        basis: plan.basis.map(|basis| basis.to_string()),
        retain: plan.retain.is_some(),
        subject: plan.subject.is_some(),
        facts: plan.facts.iter().map(|(fact, column)| (fact.to_string(), column.clone())).collect(),
        dropped: plan.drop.len() as u64,
        columns: mapped.iter().map(column).collect(),
        totals: plan.totals.iter().flat_map(|totals| totals.sum.iter().cloned()).collect(),
        run: None,
    }
}

/// A type in the packs' words.
fn type_word(ty: &ColumnType) -> &'static str {
    match ty {
        ColumnType::Date => "date",
        ColumnType::Timestamp | ColumnType::TimestampTz => "moment",
        ColumnType::Bool => "truth",
        ColumnType::Binary => "binary",
        ColumnType::Int16
        | ColumnType::Int32
        | ColumnType::Int64
        | ColumnType::Float32
        | ColumnType::Float64
        | ColumnType::Numeric
        | ColumnType::Decimal { .. } => "number",
        _ => "text",
    }
}
