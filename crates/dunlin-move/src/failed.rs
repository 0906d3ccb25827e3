//! Tables that could not be moved, while others could: what refers to them waits, and the run says so at its end.
//!
//! A row whose parent is missing only because the parent's table failed is in order: it is loaded, and the key that it
//! would stand against waits for the run that mends the parent. Not here: rows whose own parent row was left out
//! ([`crate::settle`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use dunlin_connect::{ForeignKey, System, Target};
use dunlin_store::SplitStatus;

use crate::run::{Event, Run};
use crate::settle::is_parent;
use crate::spec::TableSpec;
use crate::{MoveError, Result};

/// The tables of a run that failed so far.
pub(crate) struct Failed {
    tables: Vec<(Arc<TableSpec>, MoveError)>,
    /// Those of the run whose turn is not now, and whose rows are not all there.
    open: Vec<Arc<TableSpec>>,
}

impl Failed {
    /// None so far. `specs` are the tables of the run.
    pub(crate) async fn of(run: &Run<'_>, id: &str, specs: &[Arc<TableSpec>]) -> Result<Self> {
        let mut open = Vec::new();
        for spec in specs.iter().filter(|s| !run.chosen(s)) {
            let splits = run.workspace.state().splits(id, &spec.label).await?;
            if splits.is_empty() || splits.iter().any(|s| s.status == SplitStatus::Planned) {
                open.push(spec.clone());
            }
        }
        Ok(Self { tables: Vec::new(), open })
    }

    /// One more.
    pub(crate) fn add(&mut self, spec: &Arc<TableSpec>, error: MoveError) {
        self.tables.push((spec.clone(), error));
    }

    /// Puts the foreign keys aside by which a table that was there before refers to one that failed. A server that holds
    /// them already would refuse rows that are in order. They come back when the run is resumed and settles its keys.
    pub(crate) async fn keys_aside(
        &self,
        run: &Run<'_>,
        spec: &Arc<TableSpec>,
        targets: &BTreeMap<String, Arc<dyn Target>>,
    ) -> Result<()> {
        let keys: Vec<ForeignKey> = self.keys(spec).cloned().collect();
        if spec.created || keys.is_empty() || run.target(spec)?.system() != System::Postgres {
            return Ok(());
        }
        for key in &keys {
            let message = format!("{} waits until {} has been moved", named(spec, key), key.parent);
            run.observer.event(Event::Warning { table: &spec.label, message: &message });
        }
        Ok(targets[&spec.plan.to.store].before_load(&[spec.target.as_ref().clone()], &keys).await?)
    }

    /// The foreign keys of a table that lead to one that failed.
    fn keys<'a>(&'a self, spec: &'a TableSpec) -> impl Iterator<Item = &'a ForeignKey> {
        let failed = move |key: &&ForeignKey| {
            self.tables.iter().map(|(parent, _)| parent).chain(&self.open).any(|parent| {
                parent.label != spec.label
                    && parent.plan.to.store == spec.plan.to.store
                    && is_parent(&parent.target.name, &key.parent)
            })
        };
        spec.target.foreign_keys.iter().filter(failed)
    }

    /// Fails when any table did, and when the rows of any table of the run are not all there.
    pub(crate) fn check(mut self, specs: &[Arc<TableSpec>]) -> Result<()> {
        if self.tables.is_empty() && self.open.is_empty() {
            return Ok(());
        }
        if self.tables.len() == specs.len() {
            return Err(self.tables.swap_remove(0).1);
        }
        let mut message = match self.tables.len() {
            0 => format!("{} of {} tables of this run are still to be moved", self.open.len(), specs.len()),
            failed => format!("{failed} of {} tables could not be moved", specs.len()),
        };
        for (spec, error) in &self.tables {
            message += &format!("; {}: {error}", spec.label);
        }
        if !self.open.is_empty() {
            let labels: Vec<&str> = self.open.iter().map(|s| s.label.as_str()).collect();
            message += if self.tables.is_empty() { ": " } else { "; still to be moved: " };
            message += &labels.join(", ");
        }
        let missing = |spec: &TableSpec| {
            self.tables.iter().map(|(s, _)| s).chain(&self.open).any(|s| s.label == spec.label)
        };
        let waiting: Vec<String> = specs
            .iter()
            .filter(|spec| !missing(spec))
            .flat_map(|spec| {
                self.keys(spec).map(move |key| format!("{} of {}", named(spec, key), spec.label))
            })
            .collect();
        if !waiting.is_empty() {
            message += &format!("; keys that wait for them: {}", waiting.join(", "));
        }
        let mend = self.tables.iter().find_map(|(_, error)| error.help()).map(|help| help + "\n");
        let help = mend.unwrap_or_default()
            + if self.tables.is_empty() {
                "run again without `--table`: what is loaded stays as it is, and the keys are added then"
            } else {
                "run again once it is mended: the rows of the other tables stay as they are, and the keys are added then"
            };
        Err(MoveError::Partly { message, help })
    }
}

/// A foreign key by its name, or by its columns.
fn named(spec: &TableSpec, key: &ForeignKey) -> String {
    key.name.clone().unwrap_or_else(|| format!("{}({})", spec.target.name.name, key.columns.join(", ")))
}
