//! Decides on customer data: which columns a person sees, and how. The gate and "what would this person see?" both ask
//! here, so they cannot differ.
//!
//! Not here: reading the person and the grants from the state, which `gate` does.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::{Entity, EntityUid, RestrictedExpression};
use dunlin_gate::{
    Act, Class, ColumnDecision, ColumnInfo, Decision, Denial, Obligation, Permit, Question, Shown,
};

use super::facts::{Facts, entity};
use super::policies::{Answer, Policies, uid};
use crate::grants::Grant;

/// Seconds that count as a fresh second factor where a policy is searched for what it lacks.
const FRESH_S: i64 = 0;

/// One question to the policies, with everything that it rests on.
pub(super) struct View<'a> {
    pub(super) policies: &'a Policies,
    pub(super) facts: &'a Facts,
    pub(super) question: &'a Question<'a>,
    /// The person's open grants for this act on this table.
    pub(super) grants: &'a [Grant],
}

/// What may differ from one look to the next; the rest is the person and the column.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Conditions {
    purpose: bool,
    grant: bool,
    second_person: bool,
    mfa_age_s: Option<i64>,
}

impl Conditions {
    /// The same with this fulfilled.
    fn with(mut self, obligation: Obligation) -> Conditions {
        match obligation {
            Obligation::Purpose => self.purpose = true,
            Obligation::Task => self.grant = true,
            Obligation::SecondPerson => (self.grant, self.second_person) = (true, true),
            Obligation::FreshMfa => self.mfa_age_s = Some(FRESH_S),
        }
        self
    }
}

impl View<'_> {
    /// The answer.
    pub(super) fn decide(&self) -> Decision {
        let act = self.question.ask.act();
        if matches!(act, Act::Update | Act::Export) {
            let conditions = self.conditions(None);
            let answer = self.ask_table(act, conditions);
            if !answer.allowed {
                return self.deny(&answer, &self.missing(|c| self.ask_table(act, c).allowed, conditions));
            }
        }
        let mut missing = BTreeMap::new();
        let columns: Vec<ColumnDecision> =
            self.question.columns.iter().map(|column| self.column(column, &mut missing)).collect();
        if let Some(denial) = self.nothing_shown(&columns) {
            return denial;
        }
        if let Some(denial) = self.nothing_clear(&columns) {
            return denial;
        }
        Decision::Allow(Permit { columns, limit: None })
    }

    /// Clear where clear is asked for and allowed, else masked, else hidden.
    fn column(
        &self,
        column: &ColumnInfo,
        missing: &mut BTreeMap<(Class, Conditions), Vec<Obligation>>,
    ) -> ColumnDecision {
        let conditions = self.conditions(Some(column));
        let decided = |shown, answer: &Answer, sentence: Cow<'static, str>| ColumnDecision {
            shown,
            reason_code: code(answer),
            sentence,
        };
        let mut why_not_clear = None;
        // What is about nobody needs no mask; who asks for masks gets them on all the rest.
        if self.question.ask.clear || column.class() <= Class::Internal {
            let answer = self.ask_column(Act::Read, column, conditions);
            if answer.allowed {
                return decided(Shown::Clear, &answer, self.says(&answer));
            }
            why_not_clear = Some(answer);
        }
        let masked = self.ask_column(Act::ReadMasked, column, conditions);
        let shown = if masked.allowed { Shown::Masked } else { Shown::Hidden };
        let Some(read) = why_not_clear else { return decided(shown, &masked, self.says(&masked)) };
        let lacks = missing
            .entry((column.class(), conditions))
            .or_insert_with(|| self.missing(|c| self.ask_column(Act::Read, column, c).allowed, conditions));
        let (code, sentence) = reason(&read, lacks, self.says(&read));
        if shown == Shown::Hidden && lacks.is_empty() {
            return decided(shown, &masked, self.says(&masked));
        }
        ColumnDecision { shown, reason_code: code, sentence }
    }

    fn nothing_shown(&self, columns: &[ColumnDecision]) -> Option<Decision> {
        let first = columns.first()?;
        if columns.iter().any(|c| c.shown != Shown::Hidden) {
            return None;
        }
        Some(Decision::Deny(Denial {
            reason_code: first.reason_code.clone(),
            reason: first.sentence.clone(),
            help: Cow::Borrowed("ask the lead what you need to see"),
            obligations: Vec::new(),
        }))
    }

    /// Who asks for clear values and would get none that needed asking is refused, and told what is missing; masks are
    /// there for the asking.
    fn nothing_clear(&self, columns: &[ColumnDecision]) -> Option<Decision> {
        if !self.question.ask.clear {
            return None;
        }
        let about_people =
            || self.question.columns.iter().zip(columns).filter(|(c, _)| c.class() > Class::Internal);
        if about_people().any(|(_, decided)| decided.shown == Shown::Clear) {
            return None;
        }
        let (column, _) = about_people().min_by_key(|(c, _)| c.class())?;
        let conditions = self.conditions(Some(column));
        let answer = self.ask_column(Act::Read, column, conditions);
        Some(self.deny(&answer, &self.missing(|c| self.ask_column(Act::Read, column, c).allowed, conditions)))
    }

    fn deny(&self, answer: &Answer, missing: &[Obligation]) -> Decision {
        let (reason_code, reason) = reason(answer, missing, self.says(answer));
        let help = match missing {
            [] => Cow::Borrowed("ask the lead what you need to see, or ask for masked values"),
            some => Cow::Owned(some.iter().map(|o| o.help()).collect::<Vec<_>>().join("; ")),
        };
        Decision::Deny(Denial { reason_code, reason, help, obligations: missing.to_vec() })
    }

    /// The fewest things that would make this allowed; none when nothing would.
    fn missing(&self, allowed: impl Fn(Conditions) -> bool, now: Conditions) -> Vec<Obligation> {
        const ALL: [Obligation; 4] =
            [Obligation::Purpose, Obligation::Task, Obligation::FreshMfa, Obligation::SecondPerson];
        let mut sets: Vec<Vec<Obligation>> = (1u32..16)
            .map(|bits| {
                ALL.into_iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0).map(|(_, o)| o).collect()
            })
            .collect();
        sets.sort_by_key(Vec::len);
        let would = |set: &Vec<Obligation>| allowed(set.iter().fold(now, |c, o| c.with(*o)));
        sets.into_iter().find(would).unwrap_or_default()
    }

    /// The conditions as they are, for a column or (without one) for the table.
    fn conditions(&self, column: Option<&ColumnInfo>) -> Conditions {
        let ask = self.question.ask;
        let reaching = || self.grants.iter().filter(|g| column.is_none_or(|c| g.reaches(&c.name, c.class())));
        Conditions {
            purpose: ask.has_purpose(),
            grant: reaching().next().is_some(),
            second_person: reaching().any(Grant::two_parties),
            mfa_age_s: ask.circumstances.mfa_age_s.map(|s| i64::try_from(s).unwrap_or(i64::MAX)),
        }
    }

    fn ask_table(&self, act: Act, conditions: Conditions) -> Answer {
        let (table, mut entities) = self.table();
        entities.extend(self.facts.entities());
        self.policies.ask(&self.facts.uid(), act.as_str(), &table, entities, self.context(conditions))
    }

    fn ask_column(&self, act: Act, column: &ColumnInfo, conditions: Conditions) -> Answer {
        let (table, mut entities) = self.table();
        let uid = uid("Column", &format!("{}.{}", self.question.table, column.name));
        let attributes = HashMap::from([
            ("label".to_owned(), RestrictedExpression::new_string(self.question.table.to_owned())),
            ("class".to_owned(), RestrictedExpression::new_string(column.class().as_str().to_owned())),
        ]);
        entities.extend(entity(uid.clone(), attributes, HashSet::from([table])));
        entities.extend(self.facts.entities());
        self.policies.ask(&self.facts.uid(), act.as_str(), &uid, entities, self.context(conditions))
    }

    fn table(&self) -> (EntityUid, Vec<Entity>) {
        let store = uid("Store", self.question.store);
        let table = uid("Table", self.question.table);
        let label = RestrictedExpression::new_string(self.question.table.to_owned());
        let attributes = HashMap::from([("label".to_owned(), label)]);
        let entities = entity(table.clone(), attributes, HashSet::from([store.clone()]));
        (table, entities.into_iter().chain([Entity::new_no_attrs(store, HashSet::new())]).collect())
    }

    fn context(&self, conditions: Conditions) -> Vec<(String, RestrictedExpression)> {
        let ask = self.question.ask;
        let text = |s: &str| RestrictedExpression::new_string(s.to_owned());
        let flag = RestrictedExpression::new_bool;
        let mut context = vec![
            ("clear", flag(ask.clear)),
            ("purpose", flag(conditions.purpose)),
            ("purpose_category", text(ask.purpose_category.as_deref().unwrap_or_default())),
            ("grant", flag(conditions.grant)),
            ("second_person", flag(conditions.second_person)),
            ("network", text(&ask.circumstances.network)),
        ];
        if let Some(task) = &ask.circumstances.task {
            context.push(("task", text(task)));
        }
        if let Some(open) = ask.circumstances.in_window {
            context.push(("in_window", flag(open)));
        }
        if let Some(age) = conditions.mfa_age_s {
            context.push(("mfa_age_s", RestrictedExpression::new_long(age)));
        }
        context.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn says(&self, answer: &Answer) -> Cow<'static, str> {
        match answer.by.first() {
            _ if answer.failed => Cow::Borrowed("A policy could not be evaluated, so nothing is shown."),
            Some(id) => Cow::Owned(self.policies.says(id).to_owned()),
            None => {
                Cow::Owned(format!("No policy shows this to a person with the role `{}`.", self.facts.role))
            }
        }
    }
}

#[cfg(test)]
impl View<'_> {
    /// The ids of every policy that decides a part of this question.
    pub(super) fn every_answer(&self) -> Vec<String> {
        let table = self.ask_table(Act::Update, self.conditions(None));
        let export = self.ask_table(Act::Export, self.conditions(None));
        let columns = self.question.columns.iter().flat_map(|c| {
            let conditions = self.conditions(Some(c));
            [Act::Read, Act::ReadMasked].map(|act| self.ask_column(act, c, conditions))
        });
        columns.chain([table, export]).flat_map(|a| a.by).collect()
    }
}

fn code(answer: &Answer) -> Cow<'static, str> {
    match answer.by.first() {
        _ if answer.failed => Cow::Borrowed("policy_failed"),
        Some(id) => Cow::Owned(id.clone()),
        None => Cow::Borrowed("no_policy"),
    }
}

/// Why not: what is missing when something would help, else the policy that forbids, else that none allows.
fn reason(
    answer: &Answer,
    missing: &[Obligation],
    says: Cow<'static, str>,
) -> (Cow<'static, str>, Cow<'static, str>) {
    let Some(first) = missing.first() else { return (code(answer), says) };
    let words: Vec<&str> = missing.iter().map(|o| needs(*o)).collect();
    (Cow::Borrowed(first.as_str()), Cow::Owned(format!("Clear values need {}.", words.join(", "))))
}

fn needs(obligation: Obligation) -> &'static str {
    match obligation {
        Obligation::Purpose => "a purpose",
        Obligation::Task => "an open grant that reaches this table for your task",
        Obligation::FreshMfa => "a second factor of the last minutes",
        Obligation::SecondPerson => {
            "a grant that names the column and for which two people of two groups stand"
        }
    }
}
