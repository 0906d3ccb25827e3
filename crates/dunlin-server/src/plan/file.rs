//! The plan's file: reading it with a mark of its version, and writing an edit so that the file and the ledger agree
//! after a crash at any moment.
//!
//! An edit is decided by one transaction of the state, which holds the new text and its entry. The file follows it;
//! a server that died in between writes it at its next start.

use std::path::Path;

use dunlin_plan::{Findings, Plan};
use dunlin_store::{State, StoreError, Tx};
use sha2::{Digest, Sha256};

/// The plan's name in its folder.
pub(crate) const PLAN_FILE: &str = "dunlin.toml";
const PENDING: &str = "plan_pending";

/// The plan as it stands.
pub(crate) struct PlanFile {
    /// Word for word.
    pub(crate) text: String,
    /// What it means, or what is wrong with it.
    pub(crate) plan: Result<Plan, Findings>,
}

/// Reads the plan; an absent file is an empty text.
pub(crate) fn read(dir: &Path) -> std::io::Result<PlanFile> {
    let text = match std::fs::read_to_string(dir.join(PLAN_FILE)) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let plan = dunlin_plan::load(&text, PLAN_FILE);
    Ok(PlanFile { text, plan })
}

/// The mark of a version of the text, as HTTP writes it.
pub(crate) fn etag(text: &str) -> String {
    format!("\"{}\"", hex::encode(&Sha256::digest(text.as_bytes())[..16]))
}

/// Makes an edit part of a transaction: the file is to become this text.
pub(crate) async fn edited(tx: &mut Tx, text: &str) -> Result<(), StoreError> {
    tx.set_setting(PENDING, text).await
}

/// Writes the file that a committed edit asks for, and forgets that it was asked for. Does nothing when there is
/// none.
pub(crate) async fn finish_pending(state: &State, dir: &Path) -> Result<(), StoreError> {
    let Some(text) = state.setting(PENDING).await?.filter(|text| !text.is_empty()) else { return Ok(()) };
    let path = dir.join(PLAN_FILE);
    let written = {
        let (path, text) = (path.clone(), text.clone());
        let write = move || dunlin_ledger::replace_file(&path, text.as_bytes(), 0o644);
        tokio::task::spawn_blocking(write).await.unwrap_or_else(|e| Err(std::io::Error::other(e)))
    };
    written.map_err(|e| StoreError::Io { path, kind: e.kind() })?;
    let mut tx = state.begin().await?;
    tx.set_setting(PENDING, "").await?;
    tx.commit().await
}
