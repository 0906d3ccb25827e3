//! Amounts, as the books need them: by hash row by row, and by sums a month.

use super::super::facts::{ColumnFacts, Facts, TableFacts};
use super::super::pack::{Rule, Selector};
use super::super::select::{place, selected};
use super::super::verdict::Outcome;
use super::{count, said};

/// Accuracy of amounts: sums of either side where the plan asks for them, and equal hashes, which are equal amounts one by
/// one.
pub(super) fn amounts(rule: &Rule, of: &Selector, facts: &Facts) -> Outcome {
    // The plan of today may ask for sums that the run did not make.
    let added = |t: &TableFacts, c: &ColumnFacts| {
        t.totals.contains(&c.name) && t.run.as_ref().is_some_and(|run| run.totals.is_some())
    };
    let named = |c: &ColumnFacts| selected(of, c) && matches!(c.ty.as_str(), "number" | "text");
    let money: Vec<_> = facts.columns().filter(|(t, c)| t.totals.contains(&c.name) || named(c)).collect();
    if money.is_empty() {
        return Outcome::not_applicable("no column of the plan looks like an amount");
    }
    let places = money.iter().map(|(t, c)| place(t, c));
    if money.iter().any(|(t, _)| t.run.is_none()) {
        return Outcome::person("the engineer", "no amounts were compared yet: `dunlin run` moves the data")
            .at(places);
    }
    let apart: Vec<String> = money
        .iter()
        .filter(|(t, _)| t.run.as_ref().is_some_and(|run| !run.reconciled))
        .map(|(t, c)| place(t, c))
        .collect();
    if !apart.is_empty() {
        return Outcome::violated("the hash totals of a table with amounts differ").at(apart);
    }
    let seen = format!(
        "{} in tables whose hash totals agree, difference 0 row by row",
        count(money.len(), "column of amounts")
    );
    let sums = sums(facts);
    let told = |outcome: Outcome| {
        sums.iter().map(|(_, said)| said.clone()).fold(outcome.seen(seen.clone()), Outcome::seen)
    };
    let differ: Vec<String> =
        sums.iter().filter(|(totals, _)| totals.differ > 0).map(|(totals, _)| totals.table.clone()).collect();
    if !differ.is_empty() {
        return told(Outcome::violated("the sums of source and target differ").at(differ));
    }
    let open = sums.iter().filter(|(totals, _)| totals.unknown).map(|(totals, _)| totals.table.clone());
    let open: Vec<String> = open.collect();
    if !open.is_empty() {
        return match said(rule, None, facts) {
            Some(outcome) => told(outcome),
            None => told(
                Outcome::person("the owner of the books", "compare the sums that could not be compared")
                    .at(open),
            ),
        };
    }
    let changed: Vec<String> =
        money.iter().filter(|(t, c)| !c.untouched && !added(t, c)).map(|(t, c)| place(t, c)).collect();
    if !changed.is_empty() {
        return match said(rule, None, facts) {
            Some(outcome) => told(outcome),
            None => told(
                Outcome::person(
                    "the owner of the books",
                    "compare the sums of amounts that the plan's SQL makes anew, or have them compared: [table.totals]",
                )
                .at(changed),
            ),
        };
    }
    told(Outcome::satisfied("every amount arrived as it was").at(places))
}

/// What the sums of a table came to.
struct Sums {
    table: String,
    differ: u64,
    unknown: bool,
}

/// The tables whose amounts were added up, each with its line of evidence.
fn sums(facts: &Facts) -> Vec<(Sums, String)> {
    let of = |table: &TableFacts| {
        let totals = table.run.as_ref()?.totals.as_ref()?;
        let said = match &totals.unknown {
            Some(why) => format!("{}: sums not compared: {why}", table.name),
            None => format!(
                "{}: {} of {}: {} by month, source and target: {} differ",
                table.name,
                count(totals.figures as usize, "sum"),
                count(table.totals.len(), "column"),
                table.totals.join(", "),
                totals.differ
            ),
        };
        let sums =
            Sums { table: table.name.clone(), differ: totals.differ, unknown: totals.unknown.is_some() };
        Some((sums, said))
    };
    facts.tables.iter().filter_map(of).collect()
}
