//! Who is connected to the plan's stores, as the stores themselves list it: dunlin's own connections and the others,
//! which pass the gate by.

use std::sync::Arc;
use std::time::Duration;

use dunlin_connect::Activity;
use dunlin_guard::{Outside, OutsideConnection};
use dunlin_move::Stores;
use dunlin_store::Workspace;

use crate::workspace::PlanFile;

/// How long a store may take to answer: who looks is not to wait for one that is gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the stores of the plan as it is.
pub struct Connections {
    workspace: Arc<Workspace>,
}

impl Connections {
    /// Of this workspace's plan.
    pub fn new(workspace: Arc<Workspace>) -> Connections {
        Connections { workspace }
    }
}

#[async_trait::async_trait]
impl Outside for Connections {
    async fn connections(&self) -> Vec<OutsideConnection> {
        // A plan that is being written, or a store that is down, hides nobody for long: it is asked again in seconds.
        let Ok(plan) = PlanFile::read(&self.workspace.dir) else { return Vec::new() };
        let Ok(Ok(stores)) = tokio::time::timeout(PATIENCE, Stores::open(&plan.plan, &plan.dir)).await else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, store) in stores.iter() {
            let Ok(Ok(Activity::Connections(all))) = tokio::time::timeout(PATIENCE, store.activity()).await
            else {
                continue;
            };
            found.extend(all.into_iter().map(|one| OutsideConnection {
                store: name.clone(),
                user: one.user,
                client: one.client,
                application: one.application,
                since: one.since,
                state: one.state,
                own: one.own,
            }));
        }
        found
    }
}
