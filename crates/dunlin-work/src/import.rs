//! Makes the tasks of a file that was read, and finds what its rows say of each other.

use std::collections::{BTreeMap, HashMap};

use dunlin_store::new_id;

use crate::draft::Worker;
use crate::error::{Result, WorkError};
use crate::exchange::{Imported, Leftover, Table};
use crate::model::{Dependency, Origin, Task};
use crate::rank;
use crate::work::{By, Work};

impl Work {
    /// Imports a file: all its rows or none.
    pub async fn import(
        &self,
        by: &By,
        table: &Table,
        mapping: &BTreeMap<String, String>,
        people: &[Worker],
    ) -> Result<Imported> {
        let fields = self.fields();
        let (coming, mut no_home) = table.tasks(mapping, &fields, people);
        let _turn = self.turn().await;
        let mut last = self.board().last_rank();
        let mut tasks: Vec<Task> = Vec::new();
        let mut by_name: HashMap<String, usize> = HashMap::new();
        for (at, one) in coming.iter().enumerate() {
            let place = rank::between(last.as_deref(), None);
            last = Some(place.clone());
            let mut task = Task { id: new_id(), origin: Origin::Imported, rank: place, ..Task::default() };
            for (field, value) in &one.set {
                task.set(field, value)?;
            }
            by_name.extend(one.names.iter().map(|name| (name.clone(), at)));
            // Asana and Airtable name other rows by their titles; of two with one title the first is meant.
            by_name.entry(task.title.clone()).or_insert(at);
            tasks.push(task);
        }
        let ids: Vec<String> = tasks.iter().map(|t| t.id.clone()).collect();
        let find = |name: &str, at: usize| by_name.get(name).copied().filter(|other| *other != at);
        let mut unknown = 0;
        for (at, one) in coming.iter().enumerate() {
            let Some(task) = tasks.get_mut(at) else { continue };
            let mut notes = Vec::new();
            match one.parent.as_deref().map(|name| (name, find(name, at))) {
                Some((_, Some(other))) => task.parent = ids.get(other).cloned(),
                Some((name, None)) => notes.push(format!("part of: {name}")),
                None => {}
            }
            for name in &one.after {
                match find(name, at).and_then(|other| ids.get(other)) {
                    Some(id) if task.depends_on.iter().all(|d| d.task != *id) => {
                        task.depends_on.push(Dependency { task: id.clone(), lag_days: 0 });
                    }
                    Some(_) => {}
                    None => notes.push(format!("waits for: {name}")),
                }
            }
            unknown += usize::from(!notes.is_empty());
            for note in notes {
                task.description.push_str(&format!("\n- {note}"));
            }
        }
        if unknown > 0 {
            let (name, why) =
                ("links to tasks that are not in the file".to_owned(), "unknown_task".to_owned());
            no_home.push(Leftover { name, why, rows: unknown });
        }
        let made = match self.add(by, "import", tasks.clone()).await {
            // Other tools let tasks wait for each other in a circle: the tasks come, those links are said.
            Err(WorkError::Cycle) => {
                let links = tasks.iter().filter(|t| !t.depends_on.is_empty()).count();
                for task in &mut tasks {
                    for before in std::mem::take(&mut task.depends_on) {
                        task.description.push_str(&format!("\n- waits for: {}", before.task));
                    }
                }
                let (name, why) = ("dependencies: they form a circle".to_owned(), "circle".to_owned());
                no_home.push(Leftover { name, why, rows: links });
                self.add(by, "import", tasks).await?
            }
            made => made?,
        };
        Ok(Imported { created: made.tasks.len(), no_home, change: made.change })
    }
}
