//! What can only be checked once every part of a plan has been read: names that refer to each other.

use crate::finding::Span;
use crate::finding::{Finding, Level, Log, suggestion};
use crate::plan::Plan;
use crate::set::SetRule;
use crate::store::{Scheme, StoreUrl};
use crate::table::TablePlan;
use crate::table_ref::TableRef;
use crate::vocabulary::IntoMode;

pub(crate) fn check(plan: &Plan, log: &mut Log) {
    for table in &plan.tables {
        log.table = Some(table.label());
        check_stores(plan, table, log);
        check_modes(plan, table, log);
        check_columns(table, log);
        check_rules(table, log);
        check_facts(table, log);
        check_totals(table, log);
        check_sets(table, log);
        log.table = None;
    }
    check_people(plan, log);
    check_comply(plan, log);
    check_subject(plan, log);
    // Where a table could not be read, its stores would look unused.
    if !log.items.iter().any(|item| item.level == Level::Error) {
        check_unused(plan, log);
    }
}

fn check_stores(plan: &Plan, table: &TablePlan, log: &mut Log) {
    check_store(plan, &table.from, "from", table.from_span, log);
    check_store(plan, &table.to, "to", table.span, log);
    for enrich in &table.enrich {
        check_store(plan, &enrich.from, "from", enrich.span, log);
    }
    if table.from == table.to {
        let message = format!("table `{}` would move onto itself", table.to);
        log.push(Finding::error("plan-same-table", table.span, message).help("name another `to`"));
    }
}

fn check_store(plan: &Plan, table: &TableRef, key: &str, span: Span, log: &mut Log) {
    if log.refused_stores.contains(&table.store) {
        return;
    }
    let Some(store) = plan.stores.get(&table.store) else {
        let message =
            format!("`{key} = \"{table}\"` names the store `{}`, which the plan does not have", table.store);
        let help = if plan.stores.is_empty() {
            format!("add `[store.{}]` with a `url`", table.store)
        } else {
            suggestion(&table.store, plan.stores.keys().map(String::as_str))
        };
        log.push(Finding::error("plan-unknown-store", span, message).help(help));
        return;
    };
    let StoreUrl::Literal(url) = &store.url else { return };
    let holds_tables = store.url.scheme() != Some(Scheme::File) || url.ends_with('/');
    if holds_tables && table.table.is_none() {
        let message = format!("`{key} = \"{table}\"` names a store of several tables, not a table");
        let help = format!("write `{key} = \"{table}.table\"`");
        log.push(Finding::error("plan-table-name", span, message).help(help));
    } else if !holds_tables && table.table.is_some() {
        let message =
            format!("`{key} = \"{table}\"` names a table in the store `{}`, which is one table", table.store);
        let help = format!(
            "write `{key} = \"{}\"`, or end the store's URL in `/` for a folder of tables",
            table.store
        );
        log.push(Finding::error("plan-table-name", span, message).help(help));
    }
}

fn check_modes(plan: &Plan, table: &TablePlan, log: &mut Log) {
    if table.replace && table.into == IntoMode::Append {
        let message = "`replace = true` and `into = \"append\"` contradict each other";
        log.push(Finding::error("plan-mode", table.span, message).help("keep the one you mean"));
    }
    let earlier = plan.tables.iter().take_while(|other| !std::ptr::eq(*other, table));
    if earlier.into_iter().any(|other| other.to == table.to) && table.into != IntoMode::Append {
        let message = format!("two tables move to `{}`", table.to);
        let help = "give the second one `into = \"append\"`, or another `to`";
        log.push(Finding::error("plan-duplicate-target", table.span, message).help(help));
    }
}

fn check_columns(table: &TablePlan, log: &mut Log) {
    for column in &table.columns {
        let source = column.source_column();
        if let Some(drop) = table.drop.iter().find(|drop| Some(&drop.column) == source.as_ref()) {
            let message = format!("column `{}` is dropped, and mapped to `{}`", drop.column, column.target);
            let finding = Finding::error("plan-mapped-and-dropped", drop.span, message);
            log.push(
                finding.help("remove it from [table.drop] or from [table.columns]").in_column(&column.target),
            );
        }
    }
    for (at, enrich) in table.enrich.iter().enumerate() {
        for (target, _) in &enrich.add {
            let mapped = table.column(target).is_some();
            let added =
                table.enrich[..at].iter().any(|other| other.add.iter().any(|(name, _)| name == target));
            if mapped || added {
                let message = format!("column `{target}` is added by [[table.enrich]], but is already there");
                let finding = Finding::error("plan-enrich", enrich.span, message);
                log.push(finding.help("give it another name, or remove one of the two").in_column(target));
            }
        }
    }
}

/// A fact is said by a target column that the table gets.
fn check_facts(table: &TablePlan, log: &mut Log) {
    if table.columns.is_empty() {
        return;
    }
    let added = table.enrich.iter().flat_map(|enrich| &enrich.add).map(|(target, _)| target.as_str());
    let known: Vec<&str> = table.columns.iter().map(|column| column.target.as_str()).chain(added).collect();
    for (fact, column) in table.facts.iter().filter(|(_, column)| !known.contains(&column.as_str())) {
        let message = format!("`{fact}` names the column `{column}`, which `{}` does not get", table.to);
        let finding = Finding::error("plan-fact", table.span, message);
        log.push(finding.help(suggestion(column, known.iter().copied())));
    }
}

/// What is added up is a target column that the table gets, and so is what tells periods apart.
fn check_totals(table: &TablePlan, log: &mut Log) {
    let Some(totals) = table.totals.as_ref().filter(|_| !table.columns.is_empty()) else { return };
    let added = table.enrich.iter().flat_map(|enrich| &enrich.add).map(|(target, _)| target.as_str());
    let known: Vec<&str> = table.columns.iter().map(|column| column.target.as_str()).chain(added).collect();
    for column in totals.sum.iter().chain(&totals.period).filter(|column| !known.contains(&column.as_str())) {
        let message =
            format!("[table.totals] names the column `{column}`, which `{}` does not get", table.to);
        let finding = Finding::error("plan-totals", totals.span, message);
        log.push(finding.help(suggestion(column, known.iter().copied())));
    }
}

/// Rules on all rows together have names of their own, and read columns that the table gets.
fn check_sets(table: &TablePlan, log: &mut Log) {
    let added = table.enrich.iter().flat_map(|enrich| &enrich.add).map(|(target, _)| target.as_str());
    let known: Vec<&str> = table.columns.iter().map(|column| column.target.as_str()).chain(added).collect();
    for (at, set) in table.sets.iter().enumerate() {
        let earlier = table.sets[..at].iter().map(|other| &other.name);
        if table.rules.iter().map(|rule| &rule.name).chain(earlier).any(|name| *name == set.name) {
            let message = format!("two rules of `{}` are named \"{}\"", table.to, set.name);
            let help = "reports tell rules apart by name: give each its own";
            log.push(Finding::error("plan-duplicate-rule", set.span, message).help(help));
        }
        if let SetRule::Refers { to, .. } = &set.rule
            && to.store != table.to.store
        {
            let message =
                format!("\"{}\" refers to `{to}`, which is in another store than `{}`", set.name, table.to);
            let help = "references are looked up where both tables are: name a table of the target";
            log.push(Finding::error("plan-set", set.span, message).help(help));
        }
        // Without a mapping the columns are the source's, which are not known here.
        let strange = set.rule.columns().into_iter().find(|column| !known.contains(column));
        if let Some(column) = strange.filter(|_| !table.columns.is_empty()) {
            let message =
                format!("\"{}\" reads the column `{column}`, which `{}` does not get", set.name, table.to);
            log.push(
                Finding::error("plan-set", set.span, message).help(suggestion(column, known.iter().copied())),
            );
        }
    }
}

fn check_rules(table: &TablePlan, log: &mut Log) {
    for (at, rule) in table.rules.iter().enumerate() {
        if table.rules[..at].iter().any(|other| other.name == rule.name) {
            let message = format!("two rules of `{}` are named \"{}\"", table.to, rule.name);
            let help = "reports tell rules apart by name: give each its own";
            log.push(Finding::error("plan-duplicate-rule", rule.span, message).help(help));
        }
    }
}

fn check_people(plan: &Plan, log: &mut Log) {
    for (at, person) in plan.people.iter().enumerate() {
        let same = |other: &&crate::plan::Person| other.email.eq_ignore_ascii_case(&person.email);
        if let Some(other) = plan.people[..at].iter().find(same) {
            let message =
                format!("{} and {} have the same e-mail `{}`", other.name, person.name, person.email);
            let help = "people are told apart by e-mail: give each their own, or keep one entry";
            log.push(Finding::error("plan-duplicate-person", person.span, message).help(help));
        }
    }
}

fn check_comply(plan: &Plan, log: &mut Log) {
    let known = plan.people.iter().map(|person| person.email.as_str());
    for waiver in plan.comply.iter().flat_map(|comply| &comply.waivers) {
        if !plan.people.is_empty() && !known.clone().any(|email| email.eq_ignore_ascii_case(&waiver.by)) {
            let message =
                format!("the waiver of `{}` is by `{}`, who is not in the plan", waiver.rule, waiver.by);
            let finding = Finding::error("plan-unknown-person", waiver.span, message);
            log.push(finding.help(suggestion(&waiver.by, known.clone())));
        }
        if waiver.until.is_none() {
            let message = format!("the waiver of `{}` has no end", waiver.rule);
            let finding = Finding::warning("plan-waiver-open", waiver.span, message);
            log.push(finding.help("add `until`, for example `until = 2027-06-30`"));
        }
    }
    for statement in plan.comply.iter().flat_map(|comply| &comply.statements) {
        if !plan.people.is_empty() && !known.clone().any(|email| email.eq_ignore_ascii_case(&statement.by)) {
            let message = format!(
                "the statement on `{}` is by `{}`, who is not in the plan",
                statement.rule, statement.by
            );
            let finding = Finding::error("plan-unknown-person", statement.span, message);
            log.push(finding.help(suggestion(&statement.by, known.clone())));
        }
    }
}

fn check_subject(plan: &Plan, log: &mut Log) {
    let Some(subject) = &plan.subject else { return };
    let Some(table) = plan.tables.iter().find(|table| table.to == subject.table) else {
        let labels: Vec<String> = plan.tables.iter().map(TablePlan::label).collect();
        let message = format!("the customers' table `{}` is not the target of any [[table]]", subject.table);
        let finding = Finding::warning("plan-subject", subject.span, message);
        log.push(finding.help(suggestion(&subject.table.to_string(), labels.iter().map(String::as_str))));
        return;
    };
    // Without a mapping the columns are the source's, which are not known here. The other columns of the subject
    // may be the target's own.
    let added = table.enrich.iter().flat_map(|enrich| &enrich.add).map(|(target, _)| target.as_str());
    let known: Vec<&str> = table.columns.iter().map(|column| column.target.as_str()).chain(added).collect();
    if !table.columns.is_empty() && !known.contains(&subject.id.as_str()) {
        let message =
            format!("[subject] names the column `{}`, which `{}` does not get", subject.id, subject.table);
        let finding = Finding::warning("plan-subject", subject.span, message);
        log.push(finding.help(suggestion(&subject.id, known)));
    }
}

fn check_unused(plan: &Plan, log: &mut Log) {
    let used = |name: &str| {
        plan.tables.iter().any(|table| {
            let others = table.enrich.iter().map(|enrich| &enrich.from);
            others.chain([&table.from, &table.to]).any(|reference| reference.store == name)
        })
    };
    if plan.tables.is_empty() {
        let finding = Finding::new(Level::Warning, "plan-no-tables", "the plan moves no table");
        log.push(finding.help("add a `[[table]]` with `from`, `to` and `key`"));
        return;
    }
    for store in plan.stores.values().filter(|store| !used(&store.name)) {
        let message = format!("no table uses the store `{}`", store.name);
        log.push(Finding::warning("plan-unused-store", store.span, message).help("remove it, or use it"));
    }
}
