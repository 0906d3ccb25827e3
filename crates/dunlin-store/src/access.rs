//! The state and the workspace as the gate's access log: an access is durable before the first row leaves. The
//! workspace has the keys, so it also keeps the list of rows.

use dunlin_gate::{AccessLog, LogFailed};
use dunlin_ledger::{Actor, Body};

use crate::{State, StoreError, Workspace};

#[async_trait::async_trait]
impl AccessLog for State {
    async fn keep_text(&self, text: &str) -> Result<String, LogFailed> {
        let kept = async {
            let mut tx = self.begin().await?;
            let hash = tx.keep_text(text).await?;
            tx.commit().await?;
            Ok(hash)
        };
        kept.await.map_err(|_: StoreError| LogFailed)
    }

    async fn enter(&self, actor: &Actor, body: Body) -> Result<(), LogFailed> {
        State::enter(self, actor.clone(), body).await.map_err(|_| LogFailed)
    }
}

#[async_trait::async_trait]
impl AccessLog for Workspace {
    async fn keep_text(&self, text: &str) -> Result<String, LogFailed> {
        AccessLog::keep_text(self.state(), text).await
    }

    async fn keep_rows(&self, access: &str, part: u32, names: &[String]) -> Result<(), LogFailed> {
        let file = if part == 0 { "names".to_owned() } else { format!("names-{part}") };
        let kept = || {
            let mut writer = self.sidecars().create("rows", access, &file)?;
            for name in names {
                writer.push(name.as_bytes())?;
            }
            writer.finish()
        };
        kept().map(|_| ()).map_err(|_: StoreError| LogFailed)
    }

    async fn enter(&self, actor: &Actor, body: Body) -> Result<(), LogFailed> {
        AccessLog::enter(self.state(), actor, body).await
    }
}
