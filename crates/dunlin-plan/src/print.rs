//! The plan as a plan file. Comments and layout of the file it came from are not kept.

use std::fmt::Display;

use toml_edit::{Key, Value};

use crate::plan::{Company, Comply, Notice, Person, Plan, Subject};
use crate::set::{SetPlan, SetRule};
use crate::store::StorePlan;
use crate::table::{ColumnPlan, ColumnValue, Duplicates, Enrich, RulePlan, Sql, TablePlan, TotalsPlan};
use crate::vocabulary::{IntoMode, OnErasure};
use crate::window::{Window, clock};

impl Plan {
    /// The plan as the text of a plan file; what it reads back as is this plan.
    pub fn to_toml(&self) -> String {
        let mut page = Page::default();
        page.header("[plan]");
        page.text("name", Some(&self.name));
        page.text("summary", self.summary.as_ref());
        self.company.iter().for_each(|company| write_company(&mut page, company));
        self.stores.values().for_each(|store| write_store(&mut page, store));
        if self.stores.is_empty() {
            page.header("[store]");
        }
        self.subject.iter().for_each(|subject| write_subject(&mut page, subject));
        self.people.iter().for_each(|person| write_person(&mut page, person));
        self.window.iter().for_each(|window| write_window(&mut page, window));
        self.comply.iter().for_each(|comply| write_comply(&mut page, comply));
        self.tables.iter().for_each(|table| write_table(&mut page, table));
        self.notices.iter().for_each(|notice| write_notice(&mut page, notice));
        if let Some(ledger) = &self.ledger {
            page.header("[ledger]");
            page.text("verifier", Some(&ledger.verifier));
        }
        page.0
    }
}

/// The text so far.
#[derive(Default)]
struct Page(String);

impl Page {
    fn header(&mut self, header: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(header);
        self.0.push('\n');
    }

    fn pair(&mut self, key: &str, value: impl Display) {
        self.0.push_str(&pair(key, value));
        self.0.push('\n');
    }

    fn text(&mut self, key: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.pair(key, quoted(value.as_ref()));
        }
    }

    fn sql(&mut self, key: &str, sql: Option<&Sql>) {
        self.text(key, sql.map(|sql| &sql.text));
    }

    fn flag(&mut self, key: &str, flag: bool) {
        if flag {
            self.pair(key, true);
        }
    }
}

fn pair(key: &str, value: impl Display) -> String {
    format!("{} = {value}", Key::new(key).display_repr())
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

fn inline(pairs: impl IntoIterator<Item = String>) -> String {
    let pairs: Vec<String> = pairs.into_iter().collect();
    format!("{{ {} }}", pairs.join(", "))
}

fn write_company(page: &mut Page, company: &Company) {
    page.header("[company]");
    page.text("name", Some(&company.name));
    page.text("logo", company.logo.as_ref());
    page.text("colour", company.colour.as_ref());
    page.text("contact", company.contact.as_ref());
}

fn write_store(page: &mut Page, store: &StorePlan) {
    page.header(&format!("[store.{}]", Key::new(&store.name).display_repr()));
    page.text("url", Some(store.url.to_string()));
    page.text("region", store.region.as_ref());
    page.flag("protected", store.protected);
    page.text("processor", store.processor.as_ref());
    page.text("agreement", store.agreement.as_ref());
    page.text("transfer", store.transfer.as_ref());
    page.text("environment", store.environment.map(|word| word.as_str()));
    page.text("at_rest", store.at_rest.map(|word| word.as_str()));
    let options = &store.options;
    page.text("delimiter", options.delimiter.map(String::from));
    page.text("quote", options.quote.map(String::from));
    if let Some(header) = options.header {
        page.pair("header", header);
    }
    page.text("encoding", options.encoding.as_ref());
    page.text("null", options.null.as_ref());
    page.text("format", options.format.map(|format| format.as_str()));
}

fn write_subject(page: &mut Page, subject: &Subject) {
    page.header("[subject]");
    page.text("table", Some(subject.table.to_string()));
    page.text("id", Some(&subject.id));
    page.text("email", subject.email.as_ref());
    page.text("locale", subject.locale.as_ref());
    page.flag("erase_source", subject.erase_source);
}

fn write_person(page: &mut Page, person: &Person) {
    page.header("[[person]]");
    page.text("name", Some(&person.name));
    page.text("email", Some(&person.email));
    page.text("role", Some(person.role.as_str()));
    page.text("organisation", person.organisation.as_ref());
}

fn write_window(page: &mut Page, window: &Window) {
    page.header("[window]");
    page.pair("days", list(window.days.iter().map(|day| day.as_str())));
    page.text("from", Some(clock(window.from)));
    let to = clock(window.to);
    page.text("to", Some(if to == "00:00" { "24:00" } else { &to }));
    page.text("zone", Some(window.zone_name()));
    page.text("source_load", window.source_load.map(|load| load.to_string()));
}

fn write_comply(page: &mut Page, comply: &Comply) {
    page.header("[comply]");
    if !comply.packs.is_empty() {
        page.pair("packs", list(comply.packs.iter().map(|pack| pack.as_str())));
    }
    page.text("controller", comply.controller.as_ref());
    page.text("dpia", comply.dpia.as_ref());
    page.flag("safe_harbor", comply.safe_harbor);
    if let Some(rows) = comply.smallest_group {
        page.pair("smallest_group", rows);
    }
    if let Some(years) = comply.evidence_years {
        page.pair("evidence_years", years);
    }
    if let Some(freeze) = comply.freeze {
        page.pair("freeze", freeze);
    }
    if !comply.otherwise.is_empty() {
        page.pair(
            "otherwise",
            inline(comply.otherwise.iter().map(|(rule, word)| pair(rule, quoted(word.as_str())))),
        );
    }
    for statement in &comply.statements {
        page.header("[[comply.statement]]");
        page.text("rule", Some(&statement.rule));
        page.text("about", statement.about.as_ref());
        page.text("ground", statement.ground.as_ref());
        page.text("says", Some(&statement.says));
        page.text("by", Some(&statement.by));
        if let Some(until) = statement.until {
            page.pair("until", until);
        }
    }
    for waiver in &comply.waivers {
        page.header("[[comply.waiver]]");
        page.text("rule", Some(&waiver.rule));
        page.text("reason", Some(&waiver.reason));
        page.text("by", Some(&waiver.by));
        if let Some(until) = waiver.until {
            page.pair("until", until);
        }
    }
}

fn write_notice(page: &mut Page, notice: &Notice) {
    page.header("[[notice]]");
    page.text("file", Some(&notice.file));
    page.sql("audience", notice.audience.as_ref());
    if let Some(publish) = notice.publish {
        page.pair("publish", publish);
    }
}

fn write_table(page: &mut Page, table: &TablePlan) {
    page.header("[[table]]");
    page.text("from", Some(table.from.to_string()));
    page.text("to", Some(table.to.to_string()));
    if !table.key.is_empty() {
        page.pair("key", list(&table.key));
    }
    page.text("purpose", table.purpose.as_ref());
    page.text("collected_for", table.collected_for.as_ref());
    page.text("basis", table.basis.map(|basis| basis.as_str()));
    page.sql("retain", table.retain.as_ref());
    page.sql("where", table.where_.as_ref());
    if !table.facts.is_empty() {
        page.pair(
            "facts",
            inline(table.facts.iter().map(|(fact, column)| pair(fact.as_str(), quoted(column)))),
        );
    }
    if table.into != IntoMode::Empty {
        page.text("into", Some(table.into.as_str()));
    }
    page.flag("replace", table.replace);
    page.text("subject", table.subject.as_ref());
    if table.on_erasure != OnErasure::Delete {
        page.text("on_erasure", Some(table.on_erasure.as_str()));
    }
    if !table.columns.is_empty() {
        page.header("[table.columns]");
        table.columns.iter().for_each(|column| page.pair(&column.target, column_text(column)));
    }
    if !table.drop.is_empty() {
        page.header("[table.drop]");
        table.drop.iter().for_each(|drop| page.text(&drop.column, Some(&drop.reason)));
    }
    table.rules.iter().for_each(|rule| write_rule(page, rule));
    table.sets.iter().for_each(|set| write_set(page, set));
    table.totals.iter().for_each(|totals| write_totals(page, totals));
    table.duplicates.iter().for_each(|duplicates| write_duplicates(page, duplicates));
    table.enrich.iter().for_each(|enrich| write_enrich(page, enrich));
}

/// What stands after `column =`.
fn column_text(column: &ColumnPlan) -> String {
    if let (ColumnValue::Sql(sql), None, None) = (&column.value, column.kind, column.protect) {
        return quoted(&sql.text);
    }
    let mut pairs = value_pairs(&column.value);
    pairs.extend(column.kind.map(|kind| pair("kind", quoted(kind.as_str()))));
    pairs.extend(column.protect.map(|protect| pair("protect", quoted(protect.as_str()))));
    inline(pairs)
}

/// How a column's value is made, as it is shown to people: bare SQL, or the cleaning function as in the plan.
pub(crate) fn value_text(value: &ColumnValue) -> String {
    match value {
        ColumnValue::Sql(sql) => sql.text.clone(),
        ColumnValue::Clean { .. } => inline(value_pairs(value)),
    }
}

fn value_pairs(value: &ColumnValue) -> Vec<String> {
    match value {
        ColumnValue::Sql(sql) => vec![pair("sql", quoted(&sql.text))],
        ColumnValue::Clean { function, from, region, formats, sentinels } => {
            let mut pairs = vec![pair("clean", quoted(function.as_str())), pair("from", quoted(from))];
            pairs.extend(region.as_ref().map(|region| pair("region", quoted(region))));
            pairs.extend((!formats.is_empty()).then(|| pair("formats", list(formats))));
            pairs.extend((!sentinels.is_empty()).then(|| pair("sentinels", list(sentinels))));
            pairs
        }
    }
}

fn write_rule(page: &mut Page, rule: &RulePlan) {
    page.header("[[table.rule]]");
    page.text("name", Some(&rule.name));
    page.sql("check", Some(&rule.check));
    page.text("otherwise", Some(rule.otherwise.as_str()));
    if !rule.fix.is_empty() {
        page.pair("fix", inline(rule.fix.iter().map(|fix| pair(&fix.column, quoted(&fix.value.text)))));
    }
}

fn write_set(page: &mut Page, set: &SetPlan) {
    page.header("[[table.set]]");
    page.text("name", Some(&set.name));
    match &set.rule {
        SetRule::Unique { unique } => page.pair("unique", list(unique)),
        SetRule::Refers { refers, to, key } => {
            page.pair("refers", list(refers));
            page.text("to", Some(to.to_string()));
            page.pair("key", list(key));
        }
        SetRule::Sum { sum, equals } => {
            page.text("sum", Some(sum));
            page.text("equals", Some(equals));
        }
        SetRule::Count { at_least, at_most } => {
            at_least.iter().for_each(|rows| page.pair("at_least", rows));
            at_most.iter().for_each(|rows| page.pair("at_most", rows));
        }
    }
    page.text("otherwise", Some(set.otherwise.as_str()));
}

fn write_totals(page: &mut Page, totals: &TotalsPlan) {
    page.header("[table.totals]");
    page.text("period", totals.period.as_ref());
    page.pair("sum", list(&totals.sum));
    if !totals.source.is_empty() {
        page.pair(
            "source",
            inline(totals.source.iter().map(|(column, sql)| pair(column, quoted(&sql.text)))),
        );
    }
}

fn write_duplicates(page: &mut Page, duplicates: &Duplicates) {
    page.header("[table.duplicates]");
    page.pair("match", list(&duplicates.match_));
    page.pair("above", Value::from(duplicates.above));
    page.pair("review", Value::from(duplicates.review));
    if !duplicates.within_source() || duplicates.within_target() {
        page.pair("within", list(duplicates.within.iter().map(|side| side.as_str())));
    }
    page.sql("survivor", duplicates.survivor.as_ref());
}

fn write_enrich(page: &mut Page, enrich: &Enrich) {
    use crate::table::quote_if_needed;
    page.header("[[table.enrich]]");
    page.text("from", Some(enrich.from.to_string()));
    let (source, side) = &enrich.on;
    page.text("on", Some(format!("{} = {}", quote_if_needed(source), quote_if_needed(side))));
    page.pair("add", inline(enrich.add.iter().map(|(target, side)| pair(target, quoted(side)))));
    page.text("when", Some(enrich.when.as_str()));
}
