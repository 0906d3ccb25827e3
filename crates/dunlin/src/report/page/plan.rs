//! What the plan asked for: rules and how often they fired, how each column was made, stores, people, approvals.

use super::super::parts::{cell, code, fact, hash, mark, number_cell, optional_cell, section, table, tag};
use super::super::text::{count, escape, time};
use super::super::{ColumnFacts, ComplyFacts, PersonFacts, Report, StoreFacts, TableFacts};

pub(super) fn rules(report: &Report) -> String {
    let mut rows = String::new();
    let (mut all, mut fired) = (0, 0);
    for facts in &report.tables {
        for rule in &facts.rules {
            all += 1;
            fired += u64::from(rule.rows > 0);
            let class = match rule.otherwise.as_str() {
                "stop" => "x",
                "quarantine" | "warn" => "w",
                _ => "",
            };
            let name = format!(
                "<b class=\"b\">{}</b><span class=\"s\">{}</span>",
                escape(&rule.name),
                escape(&facts.table)
            );
            rows.push_str(&format!(
                "<tr>{}{}{}{}</tr>",
                cell("Rule", "lead", &name),
                cell("Must hold", "", &code(&rule.check)),
                cell("Otherwise", "", &tag(&rule.otherwise, class)),
                number_cell("Rows that failed", rule.rows, None)
            ));
        }
    }
    if all == 0 {
        return section("rules", "The plan has no rules", "", "");
    }
    let title = format!("{} of {} fired", fired, count(all, "rule", "rules"));
    section(
        "rules",
        &title,
        "asked of every row",
        &table("compact", &["Rule", "Must hold", "Otherwise", "#Rows that failed"], &rows, ""),
    )
}

pub(super) fn columns(report: &Report) -> String {
    let all: Vec<&ColumnFacts> = report.tables.iter().flat_map(|facts| &facts.columns).collect();
    let of = |class: &str| all.iter().filter(|column| column.class.as_deref() == Some(class)).count() as u64;
    let protected = all.iter().filter(|column| column.protect.is_some()).count() as u64;
    let closely = of("sensitive") + of("secret");
    let title = format!(
        "{} moved, {} about a person",
        count(all.len() as u64, "column", "columns"),
        of("personal") + closely
    );
    let aside = format!("{closely} sensitive; {protected} protected in the target");
    section("columns", &title, &aside, &report.tables.iter().map(columns_of).collect::<String>())
}

fn columns_of(facts: &TableFacts) -> String {
    let rows: String = facts.columns.iter().map(column_row).collect();
    let mut about = vec![format!("from {}", facts.from)];
    about.extend(facts.purpose.clone());
    about.extend(facts.basis.as_ref().map(|basis| format!("basis {}", basis.replace('_', " "))));
    about.extend(facts.retain.as_ref().map(|until| format!("kept until {until}")));
    format!(
        "<details><summary><span class=\"b\">{}</span> <span class=\"m\">{}; {}</span></summary>{}</details>",
        escape(&facts.table),
        count(facts.columns.len() as u64, "column", "columns"),
        escape(&about.join("; ")),
        table("", &["Column", "Made of", "Holds", "Class", "Protected"], &rows, "")
    )
}

fn column_row(column: &ColumnFacts) -> String {
    let class = column.class.as_deref().map(|class| match class {
        "sensitive" | "secret" => tag(class, "w"),
        _ => escape(class),
    });
    [
        "<tr>".into(),
        cell("Column", "lead", &code(&column.column)),
        cell("Made of", "", &code(&column.made_of)),
        optional_cell("Holds", column.kind.as_ref().map(|kind| escape(&kind.replace('_', " "))), "–"),
        optional_cell("Class", class, "–"),
        optional_cell("Protected", column.protect.as_ref().map(|protect| tag(protect, "o")), "–"),
        "</tr>".to_owned(),
    ]
    .concat()
}

pub(super) fn stores_and_people(report: &Report) -> String {
    let stores: String = report.stores.iter().map(store_row).collect();
    let stores = table("", &["Store", "Where", "What it is"], &stores, "");
    let mut people: String =
        table("compact", &["Person", "Role"], &report.people.iter().map(person_row).collect::<String>(), "");
    people.push_str(&approvals(report));
    people.push_str(&report.comply.as_ref().map(comply).unwrap_or_default());
    format!(
        "<div class=\"cols c11\">{}{}</div>",
        section("stores", "Where the data was and is", "", &stores),
        section("people", "Who answers for it", "", &people)
    )
}

fn store_row(store: &StoreFacts) -> String {
    let name =
        format!("<b class=\"b\">{}</b><span class=\"s\">{}</span>", escape(&store.name), escape(&store.role));
    let mut place = escape(store.region.as_deref().unwrap_or("not said"));
    if let Some(processor) = &store.processor {
        place.push_str(&format!("<span class=\"s\">run by {}</span>", escape(processor)));
    }
    if store.protected {
        place.push_str(&format!("<span class=\"s\">{}</span>", tag("approval needed", "w")));
    }
    let what = format!("{}<span class=\"s mono\">{}</span>", escape(&store.system), escape(&store.identity));
    format!(
        "<tr>{}{}{}</tr>",
        cell("Store", "lead", &name),
        cell("Where", "", &place),
        cell("What it is", "", &what)
    )
}

fn person_row(person: &PersonFacts) -> String {
    let mut name = format!("<b class=\"b\">{}</b>", escape(&person.name));
    if let Some(organisation) = &person.organisation {
        name.push_str(&format!(" {}", tag(&format!("outside: {organisation}"), "w")));
    }
    format!("<tr>{}{}</tr>", cell("Person", "lead", &name), cell("Role", "side", &escape(&person.role)))
}

fn approvals(report: &Report) -> String {
    let mut out = String::from("<h3>Approvals</h3>");
    if report.approvals.is_empty() {
        let needed = report.stores.iter().any(|store| store.protected);
        let words = if needed {
            "None is recorded."
        } else {
            "None was needed: no target of this plan is protected."
        };
        out.push_str(&format!("<p class=\"m\">{words}</p>"));
        return out;
    }
    for approval in &report.approvals {
        let same = approval.fingerprint == report.plan.fingerprint;
        out.push_str(&format!(
            "<p>{} <b class=\"b\">{}</b>, {}: {}</p>",
            mark(same, "this plan", "another plan"),
            escape(&approval.by),
            escape(&time(&approval.at)),
            hash(&approval.fingerprint)
        ));
    }
    out
}

fn comply(facts: &ComplyFacts) -> String {
    let mut out = String::from("<h3>Rule packs</h3><dl class=\"f\">");
    let packs = if facts.packs.is_empty() { "none".into() } else { facts.packs.join(", ").to_uppercase() };
    out.push_str(&fact("Packs", &escape(&packs)));
    for (name, value) in [("Controller", &facts.controller), ("Impact assessment", &facts.dpia)] {
        if let Some(value) = value {
            out.push_str(&fact(name, &escape(value)));
        }
    }
    for waiver in &facts.waivers {
        let until = waiver.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
        let by = format!("waived by {}{until}", waiver.by);
        out.push_str(&fact(
            &waiver.rule,
            &format!("{}<br><span class=\"m s\">{}</span>", escape(&waiver.reason), escape(&by)),
        ));
    }
    out.push_str("</dl>");
    out
}
