//! What a report comes to: the totals, whether they balance, and the one sentence that says it.

use super::text::{count, number, percent};
use super::{QuarantineGroup, Report, TableFacts};

/// The dispositions, in the order in which they are always shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Loaded,
    Merged,
    Quarantined,
    Excluded,
    Erased,
}

impl Part {
    pub(super) const ALL: [Part; 5] =
        [Part::Loaded, Part::Merged, Part::Quarantined, Part::Excluded, Part::Erased];

    pub(super) fn name(self) -> &'static str {
        match self {
            Part::Loaded => "loaded",
            Part::Merged => "merged",
            Part::Quarantined => "quarantined",
            Part::Excluded => "excluded",
            Part::Erased => "erased",
        }
    }

    pub(super) fn rows(self, table: &TableFacts) -> u64 {
        match self {
            Part::Loaded => table.loaded,
            Part::Merged => table.merged,
            Part::Quarantined => table.quarantined,
            Part::Excluded => table.excluded,
            Part::Erased => table.erased,
        }
    }
}

impl TableFacts {
    /// Rows with a disposition.
    pub(super) fn accounted(&self) -> u64 {
        Part::ALL.iter().map(|part| part.rows(self)).fold(0, u64::saturating_add)
    }

    /// Whether each source row has exactly one disposition, by count.
    pub(super) fn balances(&self) -> bool {
        self.accounted() == self.source_rows
    }

    /// Whether the row's mark may be green: what the run said, and what the numbers say.
    pub(super) fn proven(&self) -> bool {
        self.whole() && self.beside().is_none()
    }

    /// What is wrong besides its rows, in few words.
    pub(super) fn beside(&self) -> Option<&'static str> {
        if self.totals.as_ref().is_some_and(|totals| !totals.agree) {
            return Some("control totals differ");
        }
        self.sets.iter().any(dunlin_move::SetResult::stops).then_some("a rule does not hold")
    }

    /// Whether its rows are proven, whatever amounts come to.
    pub(super) fn whole(&self) -> bool {
        self.reconciled && self.balances() && self.expected_hash == self.target_hash && self.differences == 0
    }
}

impl Report {
    pub(super) fn source_rows(&self) -> u64 {
        self.tables.iter().map(|table| table.source_rows).fold(0, u64::saturating_add)
    }

    pub(super) fn total(&self, part: Part) -> u64 {
        self.tables.iter().map(|table| part.rows(table)).fold(0, u64::saturating_add)
    }

    pub(super) fn balances(&self) -> bool {
        self.tables.iter().all(TableFacts::balances)
    }

    /// Whether every table is proven.
    pub fn proven(&self) -> bool {
        self.tables.iter().all(TableFacts::proven)
    }

    /// The groups of all tables, the largest first.
    pub(super) fn quarantine_groups(&self) -> Vec<(&TableFacts, &QuarantineGroup)> {
        let mut groups: Vec<_> = self
            .tables
            .iter()
            .flat_map(|table| table.quarantine.iter().map(move |group| (table, group)))
            .collect();
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.rows));
        groups
    }

    /// The sentence that matters.
    pub(super) fn headline(&self) -> String {
        let source = self.source_rows();
        if self.run.finished_at.is_none() {
            return format!(
                "The run is not finished; {} have been read so far",
                count(source, "row", "rows")
            );
        }
        if let Some(problem) = self.problem() {
            return problem;
        }
        if source == 0 {
            return "There was nothing to move, and nothing is missing".into();
        }
        let moved = self.total(Part::Loaded).saturating_add(self.total(Part::Merged));
        let verb = if self.run.rehearsal { "would move" } else { "moved" };
        let first = if moved == source {
            format!("All {} {verb}", count(source, "row", "rows"))
        } else {
            format!("{} of {} {verb}", percent(moved, source), count(source, "row", "rows"))
        };
        match self.total(Part::Quarantined) {
            0 => format!("{first}; nothing is missing"),
            1 => format!("{first}; 1 waits for a person; nothing is missing"),
            waiting => format!("{first}; {} wait for a person; nothing is missing", number(waiting)),
        }
    }

    /// What is wrong, most serious first.
    fn problem(&self) -> Option<String> {
        let unaccounted: u64 = self.tables.iter().map(|t| t.source_rows.abs_diff(t.accounted())).sum();
        if unaccounted > 0 {
            return Some(format!("{} not accounted for", count(unaccounted, "row is", "rows are")));
        }
        let open: Vec<&TableFacts> = self.tables.iter().filter(|table| !table.proven()).collect();
        let differing: u64 = open.iter().map(|table| table.differences).sum();
        match open.as_slice() {
            [] => None,
            [table] if differing > 0 => Some(format!(
                "{} does not reconcile: {}",
                table.table,
                count(differing, "row differs", "rows differ")
            )),
            [table] if table.whole() => {
                Some(format!("{}: {}", table.table, table.beside().unwrap_or("not proven")))
            }
            [table] => Some(format!("{} does not reconcile", table.table)),
            _ => Some(format!("{} of {} tables do not reconcile", open.len(), self.tables.len())),
        }
    }
}
