//! A first version of a notice, out of the facts. Plain sentences that can be published after somebody has read
//! them. What the plan does not say stands as an open question, which the gate does not let through.

mod en;
mod es;

use std::collections::BTreeMap;

use dunlin_plan::{Basis, Plan, Protect};
use jiff::civil::Date;

use crate::country;
use crate::facts::{Category, Facts, Length, Place, category, kind_words, once, purpose_words};
use crate::notice::{FirstLayer, Message, Notice, Slot, question};
use crate::vocabulary::{Lang, Locale, SlotName, Stream, When};
use crate::words;

/// A language has no draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "dunlin writes first drafts in English and Spanish, not in `{0}`; draft in one of these and translate the file"
)]
pub struct NoDraft(pub Lang);

/// The sentences of a draft in one language. Each method states one fact, or asks for it.
pub(crate) trait Phrases {
    fn headline(&self, begins: Option<Date>) -> String;
    /// The first bullet: where the data will be, and who runs the place.
    fn first_changes(&self, from: &[String], to: &[String], processors: &[String]) -> String;
    fn first_stays(&self) -> String;
    fn first_you_can(&self) -> String;
    fn subject(&self, when: When) -> String;
    fn heading(&self, part: Part) -> &'static str;
    fn category(&self, category: Category) -> &'static str;
    fn protected(&self, protect: Protect) -> &'static str;
    fn move_sentence(&self, company: &str, from: &[String], to: &[String]) -> String;
    fn moves_intro(&self) -> &'static str;
    fn left_intro(&self) -> &'static str;
    fn left_item(&self, column: &str, reason: &str) -> String;
    fn left_nothing(&self) -> String;
    fn merged(&self) -> &'static str;
    fn when(&self, begins: Option<Date>, ends: Option<Date>) -> String;
    fn old_copy(&self, until: Option<Date>) -> String;
    fn you_can(&self, contact: Option<&str>) -> String;
    fn ask_unclassified(&self, columns: &str) -> String;
    fn ask_some_rows(&self, table: &str, sql: &str) -> String;
    fn controller(&self, controller: Option<&str>, contact: Option<&str>) -> String;
    fn purposes(&self, known: &[String], unknown: &[String]) -> String;
    fn bases(&self, bases: &[Basis]) -> String;
    fn basis_not(&self, slot: SlotName) -> &'static str;
    fn recipients(&self, processors: &[(String, Option<String>)]) -> String;
    fn transfers_inside(&self, regions: &[String]) -> String;
    fn transfers_outside(&self, regions: &[String]) -> String;
    fn kept(&self, length: &Length, table: &str) -> String;
    fn kept_unread(&self, sql: &str, table: &str) -> String;
    fn rights(&self) -> &'static str;
    fn withdraw(&self) -> &'static str;
    fn categories(&self, kinds: &[String], special: bool) -> String;
    fn source(&self, enriched: bool) -> String;
    /// The question of a slot that no plan answers.
    fn ask(&self, slot: SlotName) -> &'static str;
}

/// The parts of the second layer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Moves,
    Left,
    When,
    YouCan,
}

/// A whole notice file from the facts of a plan.
///
/// # Errors
/// For a language without a draft.
pub fn draft(plan: &Plan, facts: &Facts, id: &str, lang: Lang) -> Result<Notice, NoDraft> {
    let phrases: &dyn Phrases = match lang {
        Lang::En => &en::English,
        Lang::Es => &es::Spanish,
        Lang::De | Lang::Fr => return Err(NoDraft(lang)),
    };
    let draft = Draft { plan, facts, phrases, lang };
    let message = |when, days| Message { when, days, subject: phrases.subject(when), text: None };
    Ok(Notice {
        id: id.to_owned(),
        locale: Locale::from(lang),
        version: 1,
        headline: phrases.headline(facts.dates.begins),
        stream: Stream::Required,
        audience: draft.audience(),
        first: FirstLayer {
            changes: phrases.first_changes(
                &draft.names(&facts.from),
                &draft.names(&facts.to),
                &facts.processors(),
            ),
            stays: phrases.first_stays(),
            you_can: phrases.first_you_can(),
            by: None,
        },
        slots: draft.slots(),
        messages: vec![message(When::Before, 30), message(When::During, 0), message(When::After, 1)],
        claims: Some(facts.claims()),
        overrides: Vec::new(),
        body: draft.body(),
    })
}

struct Draft<'a> {
    plan: &'a Plan,
    facts: &'a Facts,
    phrases: &'a dyn Phrases,
    lang: Lang,
}

impl Draft<'_> {
    /// The plan's own query, or one made from its subject.
    fn audience(&self) -> Option<String> {
        let planned = self.plan.notices.iter().find_map(|notice| notice.audience.as_ref());
        if let Some(sql) = planned {
            return Some(sql.text.clone());
        }
        let subject = self.plan.subject.as_ref()?;
        let columns = [Some(&subject.id), subject.email.as_ref(), subject.locale.as_ref()];
        let columns: Vec<&str> = columns.into_iter().flatten().map(String::as_str).collect();
        Some(format!("select {} from {}", columns.join(", "), subject.table))
    }

    fn names(&self, places: &[Place]) -> Vec<String> {
        Facts::regions(places).iter().map(|code| country::name(self.lang, code).to_owned()).collect()
    }

    fn list(&self, parts: &[String]) -> String {
        words::list(self.lang, parts)
    }

    fn kinds(&self) -> Vec<String> {
        let kinds = self.facts.data.iter().filter_map(|datum| kind_words(self.lang, datum.kind));
        once(kinds.map(str::to_owned))
    }

    fn body(&self) -> String {
        let (facts, phrases) = (self.facts, self.phrases);
        let company = facts.controller.as_deref().unwrap_or_default();
        let mut parts =
            vec![phrases.move_sentence(company, &self.names(&facts.from), &self.names(&facts.to))];
        let mut section =
            |part: Part, text: String| parts.push(format!("## {}\n\n{text}", phrases.heading(part)));
        section(Part::Moves, self.moves());
        section(Part::Left, self.left());
        let when = phrases.when(facts.dates.begins, facts.dates.ends);
        section(Part::When, format!("{when}\n\n{}", phrases.old_copy(facts.dates.old_copy_until)));
        section(Part::YouCan, phrases.you_can(facts.contact.as_deref()));
        format!("\n{}\n", parts.join("\n\n"))
    }

    fn moves(&self) -> String {
        let mut groups: BTreeMap<Category, Vec<String>> = BTreeMap::new();
        for datum in &self.facts.data {
            let Some((group, kind)) = category(datum.kind).zip(kind_words(self.lang, datum.kind)) else {
                continue;
            };
            let text = match datum.protect {
                Some(protect) => format!("{kind} ({})", self.phrases.protected(protect)),
                None => kind.to_owned(),
            };
            groups.entry(group).or_default().push(text);
        }
        let line = |(group, kinds): (Category, Vec<String>)| {
            format!("- **{}:** {}", self.phrases.category(group), self.list(&kinds))
        };
        let lines: Vec<String> = groups.into_iter().map(line).collect();
        let mut text = Vec::new();
        if !lines.is_empty() {
            text.push(format!("{}\n\n{}", self.phrases.moves_intro(), lines.join("\n")));
        }
        let unclassified: Vec<String> =
            self.facts.unclassified.iter().chain(&self.facts.whole).cloned().collect();
        if !unclassified.is_empty() {
            text.push(question(&self.phrases.ask_unclassified(&unclassified.join(", "))));
        }
        text.extend(
            self.facts.some_rows.iter().map(|(table, sql)| question(&self.phrases.ask_some_rows(table, sql))),
        );
        if !self.facts.merged.is_empty() {
            text.push(self.phrases.merged().to_owned());
        }
        text.join("\n\n")
    }

    fn left(&self) -> String {
        if self.facts.left.is_empty() {
            return self.phrases.left_nothing();
        }
        let item = |left: &crate::facts::Left| {
            format!("- {}", self.phrases.left_item(&left.column.replace('_', " "), &left.reason))
        };
        let items: Vec<String> = self.facts.left.iter().map(item).collect();
        format!("{}\n\n{}", self.phrases.left_intro(), items.join("\n"))
    }

    fn slots(&self) -> BTreeMap<SlotName, Slot> {
        use SlotName as S;
        let (facts, phrases) = (self.facts, self.phrases);
        let ask = |slot: S| Slot::Filled(question(phrases.ask(slot)));
        let bases: Vec<Basis> = once(facts.purposes.iter().filter_map(|purpose| purpose.basis));
        let if_basis = |basis: Basis, slot: S, filled: Slot| match bases.contains(&basis) {
            true => filled,
            // Without any basis in the plan nothing can be said about one.
            false if bases.is_empty() => ask(slot),
            false => Slot::NotApplicable(phrases.basis_not(slot).to_owned()),
        };
        let withdraw = Slot::Filled(phrases.withdraw().to_owned());
        BTreeMap::from([
            (
                S::Controller,
                Slot::Filled(phrases.controller(facts.controller.as_deref(), facts.contact.as_deref())),
            ),
            (S::Representative, ask(S::Representative)),
            (S::Dpo, ask(S::Dpo)),
            (S::Purposes, self.purposes()),
            (
                S::LegalBasis,
                if bases.is_empty() { ask(S::LegalBasis) } else { Slot::Filled(phrases.bases(&bases)) },
            ),
            (
                S::LegitimateInterests,
                if_basis(Basis::LegitimateInterests, S::LegitimateInterests, ask(S::LegitimateInterests)),
            ),
            (S::Categories, self.categories()),
            (S::Recipients, self.recipients()),
            (S::Transfers, self.transfers()),
            (S::Retention, self.retention()),
            (S::Rights, Slot::Filled(phrases.rights().to_owned())),
            (S::WithdrawConsent, if_basis(Basis::Consent, S::WithdrawConsent, withdraw)),
            (S::Complaint, ask(S::Complaint)),
            (S::Obligation, ask(S::Obligation)),
            (S::Source, Slot::Filled(phrases.source(!facts.enriched_from.is_empty()))),
            (S::AutomatedDecisions, ask(S::AutomatedDecisions)),
            (S::FurtherPurpose, ask(S::FurtherPurpose)),
        ])
    }

    fn purposes(&self) -> Slot {
        let terms = once(self.facts.purposes.iter().filter_map(|purpose| purpose.term.clone()));
        if terms.is_empty() {
            return Slot::Filled(question(self.phrases.ask(SlotName::Purposes)));
        }
        let known = terms.iter().filter_map(|term| purpose_words(self.lang, term));
        let known = once(known.map(str::to_owned));
        let unknown: Vec<String> =
            terms.iter().filter(|term| purpose_words(self.lang, term).is_none()).cloned().collect();
        Slot::Filled(self.phrases.purposes(&known, &unknown))
    }

    fn categories(&self) -> Slot {
        let kinds = self.kinds();
        let text = match kinds.is_empty() {
            true => question(self.phrases.ask(SlotName::Categories)),
            false => self.phrases.categories(&kinds, self.facts.has_special_categories()),
        };
        Slot::Filled(text)
    }

    fn recipients(&self) -> Slot {
        let of = |place: &Place| {
            let region = place.region.as_deref().map(|code| country::name(self.lang, code).to_owned());
            place.processor.clone().map(|processor| (processor, region))
        };
        let processors = once(self.facts.to.iter().filter_map(of));
        Slot::Filled(match processors.is_empty() {
            true => question(self.phrases.ask(SlotName::Recipients)),
            false => self.phrases.recipients(&processors),
        })
    }

    fn transfers(&self) -> Slot {
        let codes = Facts::regions(&self.facts.to);
        let says_all = self.facts.to.iter().all(|place| place.region.is_some());
        let names = self.names(&self.facts.to);
        if codes.is_empty() || !says_all {
            Slot::Filled(question(self.phrases.ask(SlotName::Transfers)))
        } else if codes.iter().all(|code| country::in_eea(code)) {
            Slot::NotApplicable(self.phrases.transfers_inside(&names))
        } else {
            Slot::Filled(self.phrases.transfers_outside(&names))
        }
    }

    fn retention(&self) -> Slot {
        if self.facts.retention.is_empty() {
            return Slot::Filled(question(self.phrases.ask(SlotName::Retention)));
        }
        let say = |kept: &crate::facts::Retention| match &kept.length {
            Some(length) => self.phrases.kept(length, &kept.table),
            None => self.phrases.kept_unread(&kept.sql, &kept.table),
        };
        let texts = once(self.facts.retention.iter().map(say));
        Slot::Filled(texts.join("\n\n"))
    }
}
