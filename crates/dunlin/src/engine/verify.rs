//! Verifications for the server: made in the background, remembered for a while, and what differs shown through the
//! gate. Not here: how both sides are compared (`dunlin-move`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dunlin_ledger::Actor;
use dunlin_move::{Differences, Event, MoveError, TableResult, Verified};
use dunlin_server::{EngineError, ShowError, Through, Verification};
use dunlin_store::{Workspace, new_id, now_us};
use serde_json::{Value, json};

use super::moved;
use crate::workspace::PlanFile;

/// How many are remembered.
const KEPT: usize = 10;

/// What was verified since the server began.
#[derive(Default)]
pub(super) struct Verifications {
    kept: Mutex<VecDeque<Kept>>,
}

struct Kept {
    told: Verification,
    differences: BTreeMap<String, Arc<Differences>>,
}

impl Verifications {
    fn now(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Kept)) {
        if let Some(kept) = self.now().iter_mut().find(|k| k.told.id == id) {
            change(kept);
        }
    }

    /// All of them, the newest first.
    pub(super) fn all(&self) -> Vec<Verification> {
        self.now().iter().map(|k| k.told.clone()).collect()
    }

    /// Begins one; refused while another is under way.
    pub(super) fn begin(
        self: &Arc<Self>,
        workspace: Arc<Workspace>,
        plan: PlanFile,
        tables: Vec<String>,
        actor: Actor,
    ) -> Result<String, EngineError> {
        for label in &tables {
            plan.plan.table(label).ok_or(EngineError::Unknown("table"))?;
        }
        let id = new_id();
        let told = Verification {
            id: id.clone(),
            status: "running".to_owned(),
            step: None,
            run: None,
            reconciled: None,
            tables: Vec::new(),
            differing: BTreeMap::new(),
            problem: None,
            started_at: now_us(),
            ended_at: None,
        };
        {
            let mut kept = self.now();
            if let Some(other) = kept.iter().find(|k| k.told.status == "running") {
                return Err(EngineError::Conflict {
                    message: format!("verification {} is under way", other.told.id),
                    help: Some("wait for its end".to_owned()),
                });
            }
            kept.push_front(Kept { told, differences: BTreeMap::new() });
            kept.truncate(KEPT);
        }
        let (all, begun) = (self.clone(), id.clone());
        tokio::spawn(async move {
            let mut options = plan.options(None);
            (options.tables, options.actor) = (tables, actor);
            let (steps, step_of) = (all.clone(), begun.clone());
            let observer = Arc::new(move |event: Event<'_>| {
                if let Event::Step { table, step } = event {
                    let words = table.map_or(step.to_owned(), |table| format!("{table}: {step}"));
                    steps.change(&step_of, |k| k.told.step = Some(words));
                }
            });
            let every = options.tables.is_empty();
            let outcome = dunlin_move::verify(&workspace, &plan.plan, &options, observer).await;
            let left_out = match &outcome {
                Ok(verified) if every => {
                    dunlin_move::left_out(&workspace, &plan.plan, &verified.run).await.map_err(moved)
                }
                _ => Ok(Vec::new()),
            };
            all.change(&begun, |kept| {
                kept.end(outcome);
                match left_out {
                    Ok(left_out) if left_out.is_empty() => {}
                    Ok(left_out) => {
                        let (names, help) = (left_out.join(", "), dunlin_move::TAKE_OVER);
                        kept.wrong(format!("not verified: {names}, which this run left out; {help}"));
                    }
                    // What could not be asked is not in order.
                    Err(error) => kept.wrong(format!(
                        "whether this run left tables out could not be found out: {error}; verify again"
                    )),
                }
            });
        });
        Ok(id)
    }

    /// The rows of a table that differed.
    pub(super) async fn differences(
        &self,
        id: &str,
        table: &str,
        through: Through<'_>,
    ) -> Result<Vec<Value>, ShowError> {
        let found = {
            let kept = self.now();
            let kept = kept.iter().find(|k| k.told.id == id).ok_or(EngineError::Unknown("verification"))?;
            kept.differences.get(table).cloned().ok_or(EngineError::Unknown("difference of this table"))?
        };
        let Through { policy, log, ask } = through;
        let (told, opened) = found.as_ref().clone().open(policy, log, ask).await?;
        let told = told.iter().map(|difference| json!(difference)).collect();
        opened.close(log).await.map_err(dunlin_gate::Refused::from)?;
        Ok(told)
    }
}

impl Kept {
    /// It does not reconcile, for this reason besides those that are known.
    fn wrong(&mut self, why: String) {
        self.told.reconciled = Some(false);
        self.told.problem = Some(match self.told.problem.take() {
            Some(before) => format!("{before}; {why}"),
            None => why,
        });
    }

    fn end(&mut self, outcome: Result<Verified, MoveError>) {
        self.told.ended_at = Some(now_us());
        self.told.step = None;
        match outcome {
            Ok(verified) => {
                self.told.status = "done".to_owned();
                self.told.run = Some(verified.run);
                self.told.reconciled = Some(verified.tables.iter().all(TableResult::in_order));
                let unsound = verified.tables.iter().filter(|table| table.reconciled && !table.in_order());
                let unsound: Vec<&str> = unsound.map(|table| table.table.as_str()).collect();
                if !unsound.is_empty() {
                    let names = unsound.join(", ");
                    self.wrong(format!(
                        "the rows agree, but control totals differ or a rule on all rows is broken in {names}; \
                         `dunlin verify` names the figures and the rules"
                    ));
                }
                self.told.tables = verified.tables.iter().map(|table| json!(table)).collect();
                for differences in verified.differences {
                    let rows = differences.rows.len() as u64;
                    self.told.differing.insert(differences.table.clone(), rows);
                    self.differences.insert(differences.table.clone(), Arc::new(differences));
                }
            }
            Err(error) => {
                self.told.status = "failed".to_owned();
                let help = error.help();
                let why = moved(error).to_string();
                self.told.problem = Some(help.map_or(why.clone(), |help| format!("{why}: {help}")));
            }
        }
    }
}
