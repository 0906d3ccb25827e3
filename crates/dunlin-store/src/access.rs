//! The state as the gate's access log: an access is durable before the first row leaves.

use dunlin_gate::{AccessLog, LogFailed};
use dunlin_ledger::{Actor, Body};

use crate::State;

#[async_trait::async_trait]
impl AccessLog for State {
    async fn keep_text(&self, text: &str) -> Result<String, LogFailed> {
        let kept = async {
            let mut tx = self.begin().await?;
            let hash = tx.keep_text(text).await?;
            tx.commit().await?;
            Ok(hash)
        };
        kept.await.map_err(|_: crate::StoreError| LogFailed)
    }

    async fn enter(&self, actor: &Actor, body: Body) -> Result<(), LogFailed> {
        State::enter(self, actor.clone(), body).await.map_err(|_| LogFailed)
    }
}
