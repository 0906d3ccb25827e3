//! `[comply]`: its packs, statements and waivers.

use std::collections::BTreeMap;

use super::{address, text};
use crate::finding::{Finding, Log};
use crate::plan::{Comply, Statement, Waiver};
use crate::vocabulary::Otherwise;
use crate::walk::{Section, Spanned, Walk, entries_of, item_span, parse_word, wrong_type};

pub(crate) const COMPLY: Section = Section {
    form: "Comply",
    keys: &[
        "packs",
        "controller",
        "dpia",
        "safe_harbor",
        "smallest_group",
        "evidence_years",
        "freeze",
        "otherwise",
        "statement",
        "waiver",
    ],
};
pub(crate) const STATEMENT: Section =
    Section { form: "Statement", keys: &["rule", "about", "ground", "says", "by", "until"] };
pub(crate) const WAIVER: Section = Section { form: "Waiver", keys: &["rule", "reason", "by", "until"] };

pub(super) fn comply(root: &Walk<'_>, log: &mut Log) -> Option<Comply> {
    let (table, span) = root.child("comply", log)?;
    let walk = Walk::enter(table, &COMPLY, "[comply]", span, log);
    let mut packs = walk.word_list("packs", log);
    packs.sort_unstable();
    packs.dedup();
    let controller = text(walk.words("controller", log));
    let dpia = text(walk.words("dpia", log));
    let safe_harbor = walk.truth("safe_harbor", log).unwrap_or(false);
    let smallest_group = smallest_group(&walk, log);
    let evidence_years = evidence_years(&walk, log);
    let freeze = walk.date("freeze", log).map(|date| date.value);
    let otherwise = otherwise(&walk, log);
    let statements = statements(&walk, log);
    let waivers = waivers(&walk, log);
    #[rustfmt::skip]
    let comply = Comply {
        packs, controller, dpia, safe_harbor, smallest_group, evidence_years, freeze, otherwise, statements, waivers,
    };
    Some(comply)
}

fn smallest_group(comply: &Walk<'_>, log: &mut Log) -> Option<u16> {
    let rows = comply.number("smallest_group", log)?;
    if !(2.0..=1000.0).contains(&rows.value) || rows.value.fract() != 0.0 {
        let finding = Finding::error("plan-group", rows.span, "`smallest_group` is no size of a group");
        log.push(finding.help("a whole number from 2 to 1000, for example `smallest_group = 5`"));
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 2 to 1000")]
    let rows = rows.value as u16;
    Some(rows)
}

fn evidence_years(comply: &Walk<'_>, log: &mut Log) -> Option<u16> {
    let years = comply.number("evidence_years", log)?;
    let whole = (1.0..=100.0).contains(&years.value) && years.value.fract() == 0.0;
    if !whole {
        let finding = Finding::error("plan-years", years.span, "`evidence_years` is not a number of years");
        log.push(finding.help("a whole number from 1 to 100, for example `evidence_years = 7`"));
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 100")]
    let years = years.value as u16;
    Some(years)
}

/// `"GDPR-05c" = "warn"`: a pack's rule and what happens to a row that breaks it.
fn otherwise(comply: &Walk<'_>, log: &mut Log) -> BTreeMap<String, Otherwise> {
    let Some((table, span)) = comply.child("otherwise", log) else { return BTreeMap::new() };
    let entries = entries_of(table, span).into_iter().filter_map(|entry| {
        let span = item_span(entry.item, entry.key_span);
        let Some(word) = entry.item.as_str() else {
            let place = format!("`{}` in [comply.otherwise]", entry.key);
            wrong_type(&place, "a consequence as a text, for example \"warn\"", entry.item, span, log);
            return None;
        };
        let otherwise: Otherwise = parse_word(&Spanned { value: word.to_owned(), span }, log)?;
        if otherwise == Otherwise::Fix {
            let message = format!("the rows that break `{}` cannot be fixed by a word", entry.key);
            let help = "write a `[[table.rule]]` with `otherwise = \"fix\"`, or use quarantine, exclude, stop or warn";
            log.push(Finding::error("plan-rule-fix", span, message).help(help));
            return None;
        }
        Some((entry.key.to_owned(), otherwise))
    });
    entries.collect()
}

fn statements(comply: &Walk<'_>, log: &mut Log) -> Vec<Statement> {
    let statements =
        comply.children("statement", "[[comply.statement]]", log).into_iter().filter_map(|(table, span)| {
            let walk = Walk::enter(table, &STATEMENT, "[[comply.statement]]", span, log);
            let rule = walk.required("rule", "`rule = \"GDPR-06\"`, the code that `dunlin check` shows", log);
            let about = text(walk.words("about", log));
            let ground = walk.words("ground", log);
            if let Some(ground) =
                ground.as_ref().filter(|g| !(g.value.len() == 1 && ("a"..="j").contains(&g.value.as_str())))
            {
                let message = "`ground` is no ground of GDPR Art. 9(2)";
                let finding = Finding::error("plan-unknown-word", ground.span, message);
                log.push(finding.help("a letter from a to j, for example `ground = \"h\"`"));
            }
            let says = walk.required("says", "`says`: what is so, and where it is written down", log);
            let by = address(walk.required("by", "`by = \"ana@example.com\"`: who says so", log), log);
            let until = walk.date("until", log).map(|date| date.value);
            let ground = text(ground);
            Some(Statement {
                rule: rule?.value,
                about,
                ground,
                says: says?.value,
                by: by?.value,
                until,
                span,
            })
        });
    statements.collect()
}

fn waivers(comply: &Walk<'_>, log: &mut Log) -> Vec<Waiver> {
    let waivers =
        comply.children("waiver", "[[comply.waiver]]", log).into_iter().filter_map(|(table, span)| {
            let walk = Walk::enter(table, &WAIVER, "[[comply.waiver]]", span, log);
            let rule =
                walk.required("rule", "`rule = \"GDPR-05b\"`, the code that `dunlin check` shows", log);
            let reason = walk.required("reason", "a `reason` that an auditor can follow", log);
            let by = address(walk.required("by", "`by = \"ana@example.com\"`: who decided", log), log);
            let until = walk.date("until", log).map(|date| date.value);
            Some(Waiver { rule: rule?.value, reason: reason?.value, by: by?.value, until, span })
        });
    waivers.collect()
}
