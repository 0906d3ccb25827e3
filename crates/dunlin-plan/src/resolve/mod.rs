//! From parsed text to a plan: every part is read, every mistake is noted, and only then is it decided whether
//! there is a plan. Nothing here looks outside the text.

mod comply;
mod people;
mod stores;
mod tables;

use toml_edit::Table;

use crate::check;
use crate::finding::{Finding, Log, Span};
use crate::plan::{LedgerPin, Notice, Plan};
use crate::table::Sql;
use crate::walk::{Section, Spanned, Walk};

pub(crate) const ROOT: Section = Section {
    form: "PlanFile",
    keys: &["plan", "company", "store", "subject", "person", "window", "comply", "table", "notice", "ledger"],
};
pub(crate) const HEAD: Section = Section { form: "Head", keys: &["name", "summary"] };
pub(crate) const NOTICE: Section = Section { form: "Notice", keys: &["file", "audience", "publish"] };
pub(crate) const LEDGER: Section = Section { form: "Ledger", keys: &["verifier"] };

/// Every section, for the test that holds them against the schema.
#[cfg(test)]
pub(crate) fn sections() -> Vec<&'static Section> {
    let mut sections = vec![&ROOT, &HEAD, &NOTICE, &LEDGER];
    sections.extend([&people::COMPANY, &people::PERSON, &people::SUBJECT, &people::WINDOW]);
    sections.extend([&comply::COMPLY, &comply::STATEMENT, &comply::WAIVER, &stores::STORE]);
    sections.extend([
        &tables::TABLE,
        &tables::RULE,
        &tables::sets::SET,
        &tables::TOTALS,
        &tables::DUPLICATES,
        &tables::ENRICH,
    ]);
    sections.push(&tables::columns::COLUMN);
    sections
}

/// What could be read of the plan, and everything found; where there is an error the plan is not whole.
pub(crate) fn resolve(document: &Table) -> (Plan, Log) {
    let mut log = Log::default();
    let root = Walk::enter(document, &ROOT, "the plan", Span::default(), &mut log);
    let plan = read(&root, &mut log);
    check::check(&plan, &mut log);
    (plan, log)
}

fn read(root: &Walk<'_>, log: &mut Log) -> Plan {
    let (name, summary) = head(root, log);
    let stores = stores::stores(root, log);
    let tables = tables::tables(root, log);
    Plan {
        name,
        summary,
        company: people::company(root, log),
        stores,
        subject: people::subject(root, log),
        people: people::people(root, log),
        window: people::window(root, log),
        comply: comply::comply(root, log),
        tables,
        notices: notices(root, log),
        ledger: ledger(root, log),
        findings: Vec::new(),
    }
}

fn head(root: &Walk<'_>, log: &mut Log) -> (String, Option<String>) {
    let Some((table, span)) = root.child("plan", log) else {
        if !root.has("plan") {
            root.missing("plan", log, "a table `[plan]` with a `name`");
        }
        return (String::new(), None);
    };
    let walk = Walk::enter(table, &HEAD, "[plan]", span, log);
    let name = walk.required("name", "`name = \"what moves where\"`", log);
    (text(name).unwrap_or_default(), text(walk.words("summary", log)))
}

fn notices(root: &Walk<'_>, log: &mut Log) -> Vec<Notice> {
    let notices = root.children("notice", "[[notice]]", log).into_iter().filter_map(|(table, span)| {
        let walk = Walk::enter(table, &NOTICE, "[[notice]]", span, log);
        let file = relative_path(walk.required("file", "`file = \"notices/name.md\"`", log), log);
        let audience = sql(walk.words("audience", log));
        let publish = walk.date("publish", log).map(|date| date.value);
        Some(Notice { file: file?, audience, publish, span })
    });
    notices.collect()
}

fn ledger(root: &Walk<'_>, log: &mut Log) -> Option<LedgerPin> {
    let (table, span) = root.child("ledger", log)?;
    let walk = Walk::enter(table, &LEDGER, "[ledger]", span, log);
    let verifier = walk.required("verifier", "the key that `dunlin keys list` shows", log)?;
    let parts: Vec<&str> = verifier.value.splitn(3, '+').collect();
    let hash_valid =
        parts.get(1).is_some_and(|hash| hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    if parts.len() != 3 || parts.iter().any(|part| part.is_empty()) || !hash_valid {
        let message = "`verifier` in [ledger] is not a verifier key";
        let help = "it has the form `name+8 hex digits+base64`; `dunlin keys list` shows it";
        log.push(Finding::error("plan-verifier", verifier.span, message).help(help));
        return None;
    }
    Some(LedgerPin { verifier: verifier.value })
}

fn text(spanned: Option<Spanned<String>>) -> Option<String> {
    spanned.map(|spanned| spanned.value)
}

fn sql(spanned: Option<Spanned<String>>) -> Option<Sql> {
    spanned.map(|spanned| Sql { text: spanned.value, span: spanned.span })
}

/// A path inside the plan's folder.
fn relative_path(path: Option<Spanned<String>>, log: &mut Log) -> Option<String> {
    let path = path?;
    let absolute = path.value.starts_with(['/', '\\']) || path.value.chars().nth(1) == Some(':');
    if absolute || path.value.split(['/', '\\']).any(|part| part == "..") {
        let message = format!("the path `{}` leads out of the plan's folder", path.value);
        let help = "put the file beside the plan and give the path from there";
        log.push(Finding::error("plan-path", path.span, message).help(help));
        return None;
    }
    Some(path.value)
}

/// A country by its ISO 3166 two-letter code; whether it exists is not looked up.
fn country(code: Option<Spanned<String>>, log: &mut Log) -> Option<String> {
    let code = code?;
    if code.value.len() == 2 && code.value.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(code.value);
    }
    let message = format!("`{}` is not a country code", code.value);
    let help = "write the two letters of ISO 3166, for example \"ES\"";
    log.push(Finding::error("plan-region", code.span, message).help(help));
    None
}

/// An e-mail address of somebody who works on the move.
fn address(email: Option<Spanned<String>>, log: &mut Log) -> Option<Spanned<String>> {
    let email = email?;
    let options = email_address::Options::default().without_display_text().without_domain_literal();
    if email_address::EmailAddress::parse_with_options(&email.value, options).is_ok() {
        return Some(email);
    }
    let message = format!("`{}` is not an e-mail address", email.value);
    log.push(Finding::error("plan-email", email.span, message).help("write it as name@example.com"));
    None
}
