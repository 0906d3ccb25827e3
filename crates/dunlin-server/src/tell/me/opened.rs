//! Who in the company opened the tables that a customer's rows are in: roles, never names, from the ledger.

use std::collections::{BTreeMap, HashMap};

use dunlin_guard::audit::LedgerReader;
use dunlin_ledger::{Actor, Body};
use dunlin_plan::{Role, Word};
use dunlin_tell::Lang;
use dunlin_tell::customer::CustomerWords;

use crate::app::App;
use crate::problem::Problem;
use crate::requests::day;

/// How many entries of the ledger are looked through, the newest first, and how many at a time.
const ENTRIES: u64 = 50_000;
const BATCH: usize = 2_048;
/// The most lines that are shown.
const LINES: usize = 50;

/// One line: somebody of a role opened a table on a day.
pub(super) struct Line {
    pub(super) role: &'static str,
    pub(super) table: String,
    pub(super) day: String,
}

/// Who opened any of these tables (store and table), the newest first; one line a role, table and day. A customer's own
/// access is none of the company's.
pub(super) async fn lines(app: &App, lang: Lang, tables: &[(String, String)]) -> Result<Vec<Line>, Problem> {
    let words = CustomerWords::of(lang);
    let people: HashMap<String, Role> =
        app.guard.people().await?.into_iter().map(|p| (p.id, p.role)).collect();
    let reader = LedgerReader::new(&app.workspace)?;
    let size = reader.size().await?;
    let mut next = size.saturating_sub(ENTRIES);
    let mut found: BTreeMap<(std::cmp::Reverse<i64>, String, &'static str), Line> = BTreeMap::new();
    let mut seen = std::collections::HashSet::new();
    while next < size {
        let batch = reader.entries(next, BATCH).await?;
        let Some((last, _)) = batch.last() else { break };
        next = last + 1;
        for entry in batch.into_iter().filter_map(|(_, entry)| entry) {
            let Body::AccessOpened { store, table, purpose_category, .. } = &entry.body else { continue };
            let is_here = tables.iter().any(|(s, t)| s == store && t == table);
            if !is_here || purpose_category == "subject-access" {
                continue;
            }
            let role = match &entry.actor {
                Actor::System => continue,
                Actor::Local { .. } => words.roles.last().copied(),
                Actor::Person { id } => {
                    let role = people.get(id).copied().unwrap_or(Role::Guest);
                    Role::ALL.iter().position(|r| *r == role).and_then(|at| words.roles.get(at)).copied()
                }
            };
            let (role, day) = (role.unwrap_or_default(), day(app, lang, entry.at));
            let table = table.rsplit('.').next().unwrap_or_default().to_owned();
            if seen.insert((role, table.clone(), day.clone())) {
                let place = (std::cmp::Reverse(entry.at), table.clone(), role);
                found.insert(place, Line { role, table, day });
            }
        }
    }
    Ok(found.into_values().take(LINES).collect())
}
