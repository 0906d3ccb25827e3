//! What columns hold.

use super::super::facts::{ColumnFacts, Facts, GroupFacts, TableFacts};
use super::super::pack::{Concerns, Rule, Selector};
use super::super::safe_harbor::way_out;
use super::super::select::{absent, columns, is_card, place};
use super::super::verdict::Outcome;
use super::{count, said};

/// From this share of empty values on a column carries nothing.
const EMPTY: f64 = 0.99;
/// Fewer values than this say nothing about that.
const SAMPLE_MIN: u64 = 20;

fn places<'a>(found: &[(&'a TableFacts, &'a ColumnFacts)]) -> Vec<String> {
    found.iter().map(|(table, column)| place(table, column)).collect()
}

/// HIPAA Safe Harbor: none of these columns arrives in the copy as it was, and nothing of them was found there.
pub(super) fn safe_harbor(rule: &Rule, of: &Selector, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::SafeHarbor) {
        return Outcome::not_applicable(why);
    }
    let found: Vec<_> = columns(facts, of).collect();
    // A column of which only its values tell that it is a code: no transform is known for it.
    let open: Vec<_> = found.iter().filter(|(_, column)| way_out(column).is_none()).copied().collect();
    if !open.is_empty() {
        let why = format!("{} would go into a copy as they are", count(open.len(), "column"));
        return Outcome::violated(why).at(places(&open)).seen(seen(&found));
    }
    let outcome = match &facts.past.survivors {
        Some(copy) => {
            let left = copy.found.get(&rule.id).copied().unwrap_or_default();
            let seen = format!("{left} of {} values of the copy are such identifiers", copy.cells);
            match left {
                0 => Outcome::satisfied("no such identifier is in the copy").seen(seen).entries([copy.entry]),
                _ => Outcome::violated("such identifiers are in the copy").seen(seen).entries([copy.entry]),
            }
        }
        // What a plan intends is no proof of what stands in a copy.
        None => Outcome::person(
            "the engineer",
            "make the copy: `dunlin run --rehearse --to URL`; it is read again, and what was found is shown here",
        ),
    };
    outcome.at(places(&found)).seen(seen(&found))
}

/// How many rows of the copy look alike; whether that is enough to recognise nobody is a person's to say.
pub(super) fn groups(rule: &Rule, who: &str, what: &str, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::SafeHarbor) {
        return Outcome::not_applicable(why);
    }
    let Some(copy) = &facts.past.survivors else {
        return Outcome::person(
            "the engineer",
            "make the copy: `dunlin run --rehearse --to URL`; how many of its rows look alike is shown here",
        );
    };
    let rows = |groups: &GroupFacts, size: &str| groups.rows.get(size).copied().unwrap_or_default();
    let told = |groups: &GroupFacts| {
        format!(
            "{} by {}: {} rows in groups of 1, {} of 2 to 4, {} of 5 to 10, {} of more; the smallest has {}",
            groups.table,
            groups.columns.join(", "),
            rows(groups, "1"),
            rows(groups, "2-4"),
            rows(groups, "5-10"),
            rows(groups, "more"),
            groups.smallest
        )
    };
    let small = |groups: &&GroupFacts| {
        groups.smallest > 0 && facts.smallest_group.is_some_and(|least| groups.smallest < least)
    };
    let below: Vec<String> = copy.groups.iter().filter(small).map(|groups| groups.table.clone()).collect();
    let outcome = match (below.is_empty(), facts.smallest_group) {
        (false, Some(least)) => Outcome::violated(format!(
            "rows of the copy stand in groups of fewer than {least} that look alike"
        ))
        .at(below),
        _ => said(rule, None, facts).unwrap_or_else(|| Outcome::person(who, what)),
    };
    let entries: Vec<u64> = copy.groups.iter().map(|groups| groups.entry).collect();
    copy.groups.iter().map(told).fold(outcome, Outcome::seen).entries(entries)
}

fn seen(found: &[(&TableFacts, &ColumnFacts)]) -> String {
    let kinds: std::collections::BTreeSet<&str> =
        found.iter().filter_map(|(_, column)| column.kind.as_deref()).collect();
    let kinds: Vec<&str> = kinds.into_iter().collect();
    match kinds.is_empty() {
        true => count(found.len(), "column"),
        false => format!("{}: {}", count(found.len(), "column"), kinds.join(", ")),
    }
}

/// Special categories: each column has a ground that somebody states.
pub(super) fn special(rule: &Rule, of: &Selector, grounds: bool, facts: &Facts) -> Outcome {
    let found: Vec<_> = columns(facts, of).collect();
    if found.is_empty() {
        return Outcome::not_applicable("no column of the plan is of this category");
    }
    let mut open = Vec::new();
    let mut said = Vec::new();
    for (table, column) in &found {
        let here = place(table, column);
        match facts.stated(&rule.id, Some(&here)).filter(|s| !grounds || s.ground.is_some()) {
            Some(s) => {
                let ground = s.ground.as_ref().map(|g| format!(" on ground ({g})")).unwrap_or_default();
                said.push(format!("{here}: {}{ground}: {}", s.by, s.says));
            }
            None => open.push(here),
        }
    }
    let outcome = match open.is_empty() {
        true => Outcome::satisfied("each such column has a ground").at(places(&found)),
        false => Outcome::violated(format!("{} without a ground", count(open.len(), "column"))).at(open),
    };
    said.into_iter().fold(outcome, Outcome::seen)
}

/// Data minimisation.
pub(super) fn purpose(facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Personal) {
        return Outcome::not_applicable(why);
    }
    let personal: Vec<_> = facts.columns().filter(|(_, column)| column.personal()).collect();
    let without: Vec<_> = personal.iter().filter(|(table, _)| table.purpose.is_none()).copied().collect();
    let unused: Vec<_> = personal
        .iter()
        .filter(|(_, column)| column.sampled >= SAMPLE_MIN && column.empty > EMPTY)
        .copied()
        .collect();
    let dropped: u64 = facts.tables.iter().map(|table| table.dropped).sum();
    let evidence = format!(
        "{} about a person move with a purpose; {dropped} source columns stay behind",
        count(personal.len() - without.len(), "column")
    );
    let outcome = match (without.is_empty(), unused.is_empty()) {
        (true, true) => return Outcome::satisfied("each personal column has a purpose").seen(evidence),
        (false, _) => Outcome::violated("personal columns move without a purpose"),
        (true, false) => Outcome::violated("personal columns move that are empty in nearly every row"),
    };
    outcome.at(places(&without)).at(places(&unused)).seen(evidence)
}

/// Columns that a person must look at.
pub(super) fn flagged(rule: &Rule, of: &Selector, who: &str, what: &str, facts: &Facts) -> Outcome {
    let found: Vec<_> = columns(facts, of).collect();
    if found.is_empty() {
        return Outcome::not_applicable("no column of the plan looks like this");
    }
    let stated =
        |here: &String| facts.stated(&rule.id, Some(here)).map(|s| format!("{here}: {}: {}", s.by, s.says));
    let here = places(&found);
    let said: Vec<String> = here.iter().filter_map(stated).collect();
    let outcome = match said.len() == here.len() {
        true => Outcome::satisfied("somebody answers for each"),
        false => Outcome::person(who, what),
    };
    said.into_iter().fold(outcome.at(here), Outcome::seen)
}

/// Card numbers are unreadable where they are kept.
pub(super) fn pan_stored(facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Cards) {
        return Outcome::not_applicable(why);
    }
    let cards: Vec<_> = facts.columns().filter(|(_, column)| is_card(column)).collect();
    let clear: Vec<_> = cards
        .iter()
        .filter(|(_, column)| matches!(column.protect.as_deref(), None | Some("shift" | "general")))
        .copied()
        .collect();
    if !clear.is_empty() {
        return Outcome::violated("full card numbers would stand in the target").at(places(&clear));
    }
    // A truncated and a hashed copy of one number together give the number back.
    let beside = |table: &&TableFacts| {
        let has =
            |protect: &str| table.columns.iter().any(|c| is_card(c) && c.protect.as_deref() == Some(protect));
        has("mask") && has("hash")
    };
    let both: Vec<String> = facts.tables.iter().filter(beside).map(|table| table.name.clone()).collect();
    if !both.is_empty() {
        return Outcome::violated("a masked and a hashed copy of card numbers stand side by side").at(both);
    }
    let how = |(_, column): &(&TableFacts, &ColumnFacts)| column.protect.clone().unwrap_or_default();
    let ways: std::collections::BTreeSet<String> = cards.iter().map(how).collect();
    let ways = ways.into_iter().collect::<Vec<_>>().join(", ");
    Outcome::satisfied("card numbers are unreadable in the target")
        .at(places(&cards))
        .seen(format!("{}: {ways}", count(cards.len(), "column")))
}

/// The inventory of account data.
pub(super) fn pan_scope(facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Cards) {
        return Outcome::not_applicable(why);
    }
    let cards: Vec<_> = facts.columns().filter(|(_, column)| is_card(column)).collect();
    let stores: std::collections::BTreeSet<&str> =
        cards.iter().flat_map(|(table, _)| [table.from.as_str(), table.to.as_str()]).collect();
    let stores = stores.into_iter().collect::<Vec<_>>().join(", ");
    Outcome::satisfied("every column and store with account data is listed here")
        .at(places(&cards))
        .seen(format!("stores in scope: {stores}"))
}

/// Security codes, PINs and track data do not move, however they are protected.
pub(super) fn sensitive_auth(of: &Selector, facts: &Facts) -> Outcome {
    let found: Vec<_> = columns(facts, of).filter(|(_, c)| c.protect.as_deref() != Some("remove")).collect();
    match found.is_empty() {
        true => Outcome::satisfied("no column holds security codes, PINs or track data")
            .seen(count(facts.columns().count(), "column")),
        false => Outcome::violated("what a card proves itself by must not be kept after authorisation")
            .at(places(&found)),
    }
}

/// Card numbers found where no column says so.
pub(super) fn pan_elsewhere(facts: &Facts) -> Outcome {
    let found: Vec<_> = facts
        .columns()
        .filter(|(_, c)| !is_card(c) && c.protect.is_none() && c.hits.contains_key("card_number"))
        .collect();
    let looked: u64 = facts.columns().map(|(_, column)| column.sampled).sum();
    if found.is_empty() {
        return Outcome::satisfied("no card number was found outside the columns that hold them")
            .seen(format!("{looked} values of the sources were looked at"));
    }
    let cells: u64 = found.iter().filter_map(|(_, c)| c.hits.get("card_number")).sum();
    Outcome::violated("card numbers stand in columns that are not of card numbers")
        .at(places(&found))
        .seen(format!("{cells} of {looked} values"))
}

/// Columns whose form is checked on the way.
pub(super) fn accuracy(facts: &Facts) -> Outcome {
    match absent(facts, Concerns::Personal) {
        Some(why) => Outcome::not_applicable(why),
        None => Outcome::not_applicable("the plan states no kind whose form is known"),
    }
}
