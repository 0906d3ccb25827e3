//! `[table.duplicates]` held against the table: columns that are there, a key that names rows, words that are understood.

use dunlin_plan::{Finding, IntoMode, Level, Sql};

use super::{Drafting, nearest_name};
use crate::duplicates::find::{compared, lines};
use crate::duplicates::survivor::{Survivor, words};
use crate::spec::TableSpec;

impl Drafting<'_> {
    /// Whether `survivor` is understood and reads source columns that are there; else that is told, and nothing that only
    /// follows from it.
    pub(super) fn survivor_understood(&mut self) -> bool {
        let Some(sql) = self.given.plan.duplicates.as_ref().and_then(|d| d.survivor.as_ref()) else {
            return true;
        };
        let words = match words(&sql.text) {
            Ok(words) => words,
            Err(wrong) => {
                self.error("move-survivor", sql.span, None, wrong.message, wrong.help);
                return false;
            }
        };
        let names: Vec<&str> = self.given.source.columns.iter().map(|c| c.name.as_str()).collect();
        let missing: Vec<&str> = words.source_columns().filter(|name| !names.contains(name)).collect();
        for name in missing.iter().copied() {
            let message = format!("`survivor` reads the source column `{name}`, which is not there");
            self.error("move-missing-column", sql.span, Some(name), message, nearest_name(name, &names));
        }
        missing.is_empty()
    }

    /// The source columns that `survivor` reads; none where it is not understood.
    pub(super) fn survivor_columns(&self) -> Vec<usize> {
        let plan = self.given.plan.duplicates.as_ref().and_then(|d| d.survivor.as_ref());
        let Some(Ok(words)) = plan.map(|sql| words(&sql.text)) else { return Vec::new() };
        words.source_columns().filter_map(|name| self.given.source.index_of(name)).collect()
    }

    /// Everything that does not fit, told at once.
    pub(super) fn duplicates(&mut self, spec: &TableSpec) {
        let Some(plan) = &self.given.plan.duplicates else { return };
        let names: Vec<&str> = spec.mapping.columns.iter().map(|m| m.target.as_str()).collect();
        for column in lines(&plan.match_).iter().flatten() {
            if !names.contains(&column.as_str()) {
                let message = format!("`match` names `{column}`, which is not mapped");
                let help = nearest_name(column, &names);
                self.error("move-missing-column", plan.span, Some(column), message, help);
            }
        }
        if spec.key.is_empty() {
            let message = "duplicates are merged by the key of their rows, and no key names a row".to_owned();
            let help = "add `key = [\"…\"]` to the [[table]] and map its columns".to_owned();
            self.error("move-duplicates-key", plan.span, None, message, help);
        }
        if plan.within_target() && self.given.plan.into != IntoMode::Append {
            let message = "duplicates are sought among rows that stood in the target before, and this table takes none beside its own"
                .to_owned();
            let help =
                "add `into = \"append\"` to the [[table]], or take \"target\" out of `within`".to_owned();
            self.error("move-duplicates-within", plan.span, None, message, help);
        }
        if let Some(survivor) = &plan.survivor {
            match Survivor::of(&survivor.text, &spec.mapping, &spec.key) {
                Ok(rules) => self.taken_over_amounts(spec, survivor, &rules),
                Err(wrong) => self.error("move-survivor", survivor.span, None, wrong.message, wrong.help),
            }
        }
        if compared(spec).len() == 1 {
            let message =
                "one column alone is compared, and from one column nothing can be learnt: nothing will be \
                           sure enough to be merged"
                    .to_owned();
            let help = "name more columns in `match`, or give columns that say who somebody is their `kind`";
            let finding = Finding::new(Level::Warning, "move-duplicates-thin", message).help(help);
            self.findings.push(finding.in_table(&self.label));
        }
    }
    /// An amount that a survivor takes over from another row is not what its own row of the source has: the sums of both
    /// sides would differ, and nothing would be wrong.
    fn taken_over_amounts(&mut self, spec: &TableSpec, survivor: &Sql, rules: &Survivor) {
        let Some(totals) = &spec.totals else { return };
        for place in totals.columns.iter().map(|c| c.target).chain(totals.period) {
            if rules.column_words(place, &spec.mapping.read_schema).is_none() {
                continue;
            }
            let name = &spec.mapping.columns[place].target;
            let message =
                format!("`survivor` takes `{name}` over from other rows, and [table.totals] adds it up");
            let help = "name the columns that a survivor takes over instead of `*`, without this one; or take it out of \
                        [table.totals]";
            self.error("move-totals", survivor.span, Some(name), message, help.to_owned());
        }
    }
}
