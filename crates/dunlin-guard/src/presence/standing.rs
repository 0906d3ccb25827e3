//! Whether somebody may still see what was opened: the session stands, the person is as they were, and the grants are
//! still open.

use std::time::Duration;

use dunlin_gate::{Act, Allowance, Circumstances, Ended};
use dunlin_plan::Role;

use super::Presence;
use crate::{Guard, GuardError, Status, Who};

/// How often it is asked while rows are awaited: an end is noticed well within a second.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// What an open access rests on.
pub struct Standing {
    guard: Guard,
    who: Who,
    role: Role,
    table: String,
    /// The ids of the grants that were open.
    grants: Vec<String>,
}

impl Presence {
    /// What this caller's access to a table rests on from now; for [`dunlin_gate::open_stream`].
    pub async fn standing(
        &self,
        who: &Who,
        act: Act,
        store: &str,
        table: &str,
    ) -> Result<Standing, GuardError> {
        let guard = self.inner.guard.clone();
        let person = guard.person(&who.person).await?;
        let grants = guard.open_grants(&who.person, act, store, table).await?;
        Ok(Standing {
            guard,
            who: who.clone(),
            role: person.role,
            table: table.to_owned(),
            grants: grants.into_iter().map(|g| g.id).collect(),
        })
    }
}

impl Standing {
    async fn reason(&self) -> Result<Option<&'static str>, GuardError> {
        let person = self.guard.person(&self.who.person).await?;
        if person.status != Status::Active {
            return Ok(Some("person_blocked"));
        }
        if !self.guard.still(&self.who).await? {
            return Ok(Some("session_ended"));
        }
        if person.role != self.role {
            return Ok(Some("role_changed"));
        }
        if person.limit_tables.is_some_and(|tables| !tables.contains(&self.table)) {
            return Ok(Some("limited"));
        }
        let late = self.guard.now().late;
        for id in &self.grants {
            if !self.guard.grant(id).await?.holds(late) {
                return Ok(Some("grant_closed"));
            }
        }
        Ok(None)
    }
}

#[async_trait::async_trait]
impl Allowance for Standing {
    async fn check(&self) -> Result<(), Ended> {
        match self.reason().await {
            Ok(None) => Ok(()),
            Ok(Some(reason)) => Err(Ended { reason_code: reason.to_owned() }),
            Err(error) => {
                tracing::error!(%error, "an open access could not be checked and is ended");
                Err(Ended { reason_code: "state_failed".to_owned() })
            }
        }
    }

    async fn ended(&self) -> Ended {
        loop {
            tokio::time::sleep(ASK_EVERY).await;
            if let Err(ended) = self.check().await {
                return ended;
            }
        }
    }
}

impl Who {
    /// The circumstances of a question at the gate, as far as the session tells them.
    pub fn circumstances(&self) -> Circumstances {
        Circumstances {
            task: None,
            in_window: None,
            network: self.network.as_str().to_owned(),
            mfa_age_s: self.mfa_age_s,
            session: Some(self.via.id().to_owned()),
        }
    }
}
