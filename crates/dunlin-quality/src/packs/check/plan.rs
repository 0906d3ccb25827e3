//! What the plan states.

use super::super::facts::{ColumnFacts, Facts, Link, StoreFacts, TableFacts};
use super::super::lists::{Place, adequacy_as_of, place};
use super::super::pack;
use super::super::pack::{Check, Concerns, Rule};
use super::super::select::{absent, concerned, selected};
use super::super::verdict::Outcome;
use super::{count, said};

/// Kinds of special categories. A plan does not say how many people a move concerns: any is taken for large scale.
const SPECIAL: [&str; 2] = ["health_code", "special_category"];

fn names<'a>(tables: impl IntoIterator<Item = &'a TableFacts>) -> Vec<String> {
    tables.into_iter().map(|table| table.name.clone()).collect()
}

/// The stores that data of this kind comes from, goes to or is filled up from.
fn stores(facts: &Facts, concerns: Concerns) -> Vec<&StoreFacts> {
    let with = |store: &&StoreFacts| {
        let touches = |t: &TableFacts| {
            t.from == store.name || t.to == store.name || t.enriched_from.contains(&store.name)
        };
        facts.tables.iter().any(|t| touches(t) && concerned(t, concerns))
    };
    facts.stores.iter().filter(with).collect()
}

/// Contracts with those who run stores.
pub(super) fn agreement(facts: &Facts) -> Outcome {
    let run: Vec<&StoreFacts> =
        stores(facts, Concerns::Personal).into_iter().filter(|store| store.processor.is_some()).collect();
    if run.is_empty() {
        return Outcome::not_applicable("no store with personal data has a `processor`");
    }
    let open: Vec<String> =
        run.iter().filter(|store| store.agreement.is_none()).map(|store| store.name.clone()).collect();
    let evidence = run.iter().filter_map(|store| {
        Some(format!("{}: {} under {}", store.name, store.processor.as_ref()?, store.agreement.as_ref()?))
    });
    let outcome = match open.is_empty() {
        true => Outcome::satisfied("each store that another company runs has a contract"),
        false => Outcome::violated("a store that another company runs has no contract").at(open),
    };
    evidence.fold(outcome, Outcome::seen)
}

/// Transport, and where asked for encryption at rest and a restore.
pub(super) fn link(rule: &Rule, concerns: Concerns, at_rest: bool, restore: bool, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, concerns) {
        return Outcome::not_applicable(why);
    }
    let stores = stores(facts, concerns);
    let weak: Vec<&StoreFacts> =
        stores.iter().filter(|s| matches!(s.link, Link::Unverified | Link::Clear)).copied().collect();
    let way = |store: &&StoreFacts| {
        let way = match store.link {
            Link::Local => "on this machine",
            Link::Verified => "TLS, certificate checked",
            Link::Unverified => "TLS, certificate not checked",
            Link::Clear => "TLS not demanded",
            Link::Unknown => "not known",
        };
        format!("{}: {way}", store.name)
    };
    let seen = |outcome: Outcome| stores.iter().map(way).fold(outcome, Outcome::seen);
    if !weak.is_empty() {
        let at = weak.iter().map(|store| store.name.clone());
        return seen(Outcome::violated("a store is reached without TLS that checks whose it is").at(at));
    }
    let unknown: Vec<String> =
        stores.iter().filter(|s| s.link == Link::Unknown).map(|s| s.name.clone()).collect();
    if !unknown.is_empty() {
        let asked = Outcome::person("the engineer", "say how the store is reached, or let dunlin open it");
        return seen(asked.at(unknown));
    }
    let open: Vec<String> = stores
        .iter()
        .filter(|s| at_rest && s.target && matches!(s.at_rest.as_deref(), None | Some("clear")))
        .map(|s| s.name.clone())
        .collect();
    if !open.is_empty() {
        return seen(Outcome::violated("a target is not said to encrypt at rest").at(open));
    }
    if restore {
        let dirty: u64 = facts.past.scan.iter().flat_map(|scan| scan.values()).sum();
        if dirty > 0 {
            let why = "personal values stand in what dunlin wrote";
            return seen(Outcome::violated(why).seen(format!("{dirty} findings in its own output")));
        }
        return match said(rule, None, facts) {
            Some(outcome) => seen(outcome),
            None => seen(Outcome::person(
                "the lead",
                "say when a restore of the target was tried, and where that is written down",
            )),
        };
    }
    seen(Outcome::satisfied("every store is reached safely"))
}

/// Purposes that differ are somebody's decision.
pub(super) fn compatible(rule: &Rule, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Personal) {
        return Outcome::not_applicable(why);
    }
    let personal: Vec<&TableFacts> = facts.tables.iter().filter(|table| table.personal()).collect();
    let without: Vec<String> = names(personal.iter().copied().filter(|table| table.purpose.is_none()));
    if !without.is_empty() {
        return Outcome::violated("a table of persons moves without a purpose").at(without);
    }
    let differing = personal.iter().filter(|t| t.collected_for.is_some() && t.collected_for != t.purpose);
    let differing: Vec<&&TableFacts> = differing.collect();
    let open: Vec<String> = names(
        differing.iter().filter(|t| facts.stated(&rule.id, Some(&t.name)).is_none()).map(|table| **table),
    );
    if !open.is_empty() {
        return Outcome::violated("the target's purpose is not the one the data was collected for").at(open);
    }
    let outcome = Outcome::satisfied("the purpose did not change, or somebody says why it may");
    let said = differing.iter().filter_map(|t| {
        let said = facts.stated(&rule.id, Some(&t.name))?;
        Some(format!("{}: {}: {}", t.name, said.by, said.says))
    });
    said.fold(
        outcome.seen(format!("{} of persons with a purpose", count(personal.len(), "table"))),
        Outcome::seen,
    )
}

/// A lawful basis a table, or a row.
pub(super) fn basis(rule: &Rule, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Personal) {
        return Outcome::not_applicable(why);
    }
    let personal: Vec<&TableFacts> = facts.tables.iter().filter(|table| table.personal()).collect();
    let has = |table: &&TableFacts| table.basis.is_some() || table.fact("basis").is_some();
    let without = names(personal.iter().copied().filter(|table| !has(table)));
    if !without.is_empty() {
        return Outcome::violated("a table of persons moves without a lawful basis").at(without);
    }
    let balanced = |t: &&&TableFacts| t.basis.as_deref() == Some("legitimate_interests");
    let unsaid = personal.iter().filter(balanced).filter(|t| facts.stated(&rule.id, Some(&t.name)).is_none());
    let open = names(unsaid.copied());
    if !open.is_empty() {
        let what = "name the assessment by which legitimate interests were balanced";
        return Outcome::violated(format!("no assessment of legitimate interests is named: {what}")).at(open);
    }
    let mut by_basis = std::collections::BTreeMap::<&str, usize>::new();
    personal
        .iter()
        .for_each(|t| *by_basis.entry(t.basis.as_deref().unwrap_or("row by row")).or_default() += 1);
    let bases: Vec<String> =
        by_basis.iter().map(|(basis, n)| format!("{basis}: {}", count(*n, "table"))).collect();
    bases.into_iter().fold(Outcome::satisfied("each table of persons has a lawful basis"), Outcome::seen)
}

fn by_consent(facts: &Facts) -> Vec<&TableFacts> {
    let consents = |t: &&TableFacts| t.basis.as_deref() == Some("consent") || t.fact("basis").is_some();
    facts.tables.iter().filter(|t| t.personal()).filter(consents).collect()
}

/// Proof of consent is there to be checked.
pub(super) fn consent(facts: &Facts) -> Outcome {
    let mut tables = by_consent(facts);
    // Letters that advertise rest on consent, whatever the rest of the row does.
    let consents: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    let advertises = |t: &&TableFacts| t.fact("marketing").is_some() && !consents.contains(&t.name.as_str());
    let marketing: Vec<&TableFacts> = facts.tables.iter().filter(advertises).collect();
    tables.extend(marketing);
    if tables.is_empty() {
        return Outcome::not_applicable("no table rests on consent");
    }
    let whole = |t: &&TableFacts| {
        t.fact("consent_at").is_some()
            && t.fact("consent_source").is_some()
            && t.fact("consent_text").is_some()
    };
    let open = names(tables.iter().copied().filter(|table| !whole(table)));
    match open.is_empty() {
        true => Outcome::satisfied("when and how a person consented is known of each row"),
        false => {
            Outcome::violated("no column says when, where and to which text a person consented").at(open)
        }
    }
}

/// Ages are known where children could consent.
pub(super) fn children(facts: &Facts) -> Outcome {
    let tables = by_consent(facts);
    if tables.is_empty() {
        return Outcome::not_applicable("no table rests on consent");
    }
    let open = names(
        tables
            .iter()
            .copied()
            .filter(|t| t.of_kind("birth_date").is_none() || t.fact("consent_at").is_none()),
    );
    match open.is_empty() {
        true => Outcome::satisfied("who was a child when consenting is known"),
        false => Outcome::person(
            "the privacy officer",
            "say whether children use the service; the rows tell neither a birth nor a time of consent",
        )
        .at(open),
    }
}

/// Until when rows are kept.
pub(super) fn retained(concerns: Concerns, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, concerns) {
        return Outcome::not_applicable(why);
    }
    let tables: Vec<&TableFacts> = facts.tables.iter().filter(|t| concerned(t, concerns)).collect();
    let open = names(
        tables.iter().copied().filter(|table| !table.retain && table.fact("account_data_from").is_none()),
    );
    let excluded: u64 = tables.iter().filter_map(|t| t.run.as_ref()?.rules.get("retain")).sum();
    let outcome = match open.is_empty() {
        true => Outcome::satisfied("each such table says until when a row is kept"),
        false => Outcome::violated("a table does not say until when a row is kept").at(open),
    };
    match tables.iter().any(|t| t.run.is_some()) {
        true => outcome.seen(format!("{excluded} rows past their time did not move")),
        false => outcome.seen(count(tables.len(), "table")),
    }
}

/// Customers hear of it.
pub(super) fn notice(facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Personal) {
        return Outcome::not_applicable(why);
    }
    if facts.notices.is_empty() {
        return Outcome::violated("no notice tells customers of the move");
    }
    let published: Vec<_> = facts.notices.iter().filter(|notice| notice.published).collect();
    let files: Vec<String> = facts.notices.iter().map(|notice| notice.file.clone()).collect();
    let outcome = match published.is_empty() {
        true => {
            Outcome::person("the writer", "publish the notice before data moves: `dunlin notice publish`")
        }
        false => Outcome::satisfied("customers can read the notice"),
    };
    outcome.at(files).entries(published.iter().map(|notice| notice.entry).filter(|entry| *entry > 0))
}

/// Nobody is recognisable in a store that is not production.
pub(super) fn lower(rule: &Rule, concerns: Concerns, facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, concerns) {
        return Outcome::not_applicable(why);
    }
    let is_lower = |name: &str| {
        let environment = facts.store(name).and_then(|store| store.environment.as_deref());
        matches!(environment, Some("staging" | "test" | "development"))
    };
    let tables: Vec<&TableFacts> = facts.tables.iter().filter(|t| is_lower(&t.to)).collect();
    if tables.is_empty() {
        let why = "no target is marked as another environment than production";
        return Outcome::not_applicable(why);
    }
    let matters = |c: &super::super::facts::ColumnFacts| match concerns {
        Concerns::Cards => super::super::select::is_card(c),
        _ => c.personal(),
    };
    let open: Vec<String> = tables
        .iter()
        .flat_map(|t| {
            t.columns
                .iter()
                .filter(|c| matters(c) && c.protect.is_none())
                .map(|c| format!("{}.{}", t.name, c.name))
        })
        .filter(|here| facts.stated(&rule.id, Some(here)).is_none())
        .collect();
    match open.is_empty() {
        true => {
            Outcome::satisfied("nothing of the kind goes clear into a lower environment").at(names(tables))
        }
        false => Outcome::violated("columns go clear into an environment that is not production").at(open),
    }
}

/// The record of processing (Art. 30(1)): every field of it says something.
pub(super) fn record(facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Personal) {
        return Outcome::not_applicable(why);
    }
    let personal: Vec<&TableFacts> = facts.tables.iter().filter(|table| table.personal()).collect();
    let stores = stores(facts, Concerns::Personal);
    let every = |has: fn(&TableFacts) -> bool| personal.iter().all(|table| has(table));
    let fields = [
        ("controller: [comply] controller", facts.controller.is_some()),
        ("purposes: `purpose` of each table", every(|t| t.purpose.is_some())),
        ("categories of people: [subject]", facts.subject),
        ("recipients and transfers: `region` of each store", stores.iter().all(|s| s.region.is_some())),
        ("time limits: `retain` of each table", every(|t| t.retain)),
        (
            "security: `at_rest` of each target",
            stores.iter().filter(|s| s.target).all(|s| s.at_rest.is_some()),
        ),
    ];
    let open: Vec<&str> = fields.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect();
    let evidence = format!("{} of {} fields say something", fields.len() - open.len(), fields.len());
    match open.is_empty() {
        true => Outcome::satisfied("the record of processing is complete").seen(evidence),
        false => {
            Outcome::violated(format!("the record of processing lacks {}", open.join("; "))).seen(evidence)
        }
    }
}

/// Impact assessment.
pub(super) fn assessment(facts: &Facts) -> Outcome {
    let rules = pack("gdpr").map(|pack| pack.rules.as_slice()).unwrap_or_default();
    let special = |column: &ColumnFacts| {
        rules.iter().any(|rule| match &rule.check {
            Check::Special { of, .. } => selected(of, column),
            _ => false,
        })
    };
    let special: Vec<String> = facts
        .columns()
        .filter(|(_, c)| c.kind.as_deref().is_some_and(|k| SPECIAL.contains(&k)) || special(c))
        .map(|(t, c)| format!("{}.{}", t.name, c.name))
        .collect();
    match (&facts.dpia, special.is_empty()) {
        (Some(dpia), _) => Outcome::satisfied("an impact assessment is named").seen(dpia.clone()).at(special),
        (None, true) => Outcome::not_applicable("no column of a special category moves"),
        (None, false) => {
            Outcome::violated("columns of special categories move and no impact assessment is named")
                .at(special)
        }
    }
}

/// Where personal data goes.
pub(super) fn transfer(facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Personal) {
        return Outcome::not_applicable(why);
    }
    let (mut open, mut unknown, mut evidence) = (Vec::new(), Vec::new(), Vec::new());
    for store in stores(facts, Concerns::Personal).into_iter().filter(|store| store.target) {
        let Some(region) = &store.region else {
            unknown.push(store.name.clone());
            continue;
        };
        let place = place(region);
        let safeguard = store.transfer.as_ref();
        let how = match (&place, safeguard) {
            (Place::Inside, _) => "in the EEA".to_owned(),
            (Place::Adequate, _) => "covered by an adequacy decision".to_owned(),
            (Place::Partly(_) | Place::Outside, Some(safeguard)) => safeguard.clone(),
            (Place::Partly(whom), None) => format!("adequate only for {whom}"),
            (Place::Outside, None) => "no adequacy decision and no safeguard".to_owned(),
        };
        evidence.push(format!("{} ({region}): {how}", store.name));
        if safeguard.is_none() && matches!(place, Place::Partly(_) | Place::Outside) {
            open.push(store.name.clone());
        }
    }
    evidence.push(format!("adequacy decisions as of {}", adequacy_as_of()));
    let outcome = if !open.is_empty() {
        Outcome::violated("personal data leaves the EEA without a safeguard").at(open)
    } else if !unknown.is_empty() {
        Outcome::violated("the plan does not say in which country a target stands").at(unknown)
    } else {
        Outcome::satisfied("personal data stays in the EEA or leaves it with a safeguard")
    };
    evidence.into_iter().fold(outcome, Outcome::seen)
}

/// Encryption of a disk does not make numbers unreadable on the running machine.
pub(super) fn disk_only(facts: &Facts) -> Outcome {
    if let Some(why) = absent(facts, Concerns::Cards) {
        return Outcome::not_applicable(why);
    }
    let clear =
        |t: &TableFacts| t.columns.iter().any(|c| super::super::select::is_card(c) && c.protect.is_none());
    let disk = |name: &str| facts.store(name).is_some_and(|s| s.at_rest.as_deref() == Some("disk"));
    let open = names(facts.tables.iter().filter(|t| clear(t) && disk(&t.to)));
    match open.is_empty() {
        true => Outcome::satisfied("no card number relies on an encrypted disk alone"),
        false => Outcome::violated("card numbers rely on the encryption of the disk alone").at(open),
    }
}

/// What was posted after the books were closed.
pub(super) fn cutoff(rule: &Rule, facts: &Facts) -> Outcome {
    let posted = names(facts.tables.iter().filter(|table| table.fact("posted_on").is_some()));
    match (&facts.freeze, posted.is_empty()) {
        (Some(freeze), false) => {
            let why = "rows that were posted later are held back";
            Outcome::satisfied(why).at(posted).seen(format!("freeze {freeze}"))
        }
        (None, false) => Outcome::violated("the plan does not say from which day on postings stay behind").at(posted),
        (_, true) => said(rule, None, facts).unwrap_or_else(|| {
            let what = "name the column of posting dates (`facts = { posted_on = \"…\" }`) and `freeze`, or say that nothing here is posted";
            Outcome::person("the owner of the books", what)
        }),
    }
}
