//! The receipt: dunlin searches every store it knows for the customer, commits to what it found in the ledger, and gives
//! the customer what is needed to check that without dunlin: statement, salt, entry and inclusion proof.
//!
//! The entry holds SHA-256(salt ‖ statement in canonical JSON): nobody without the receipt learns from it whom it is about.

use std::collections::BTreeMap;

use dunlin_store::{Body, Workspace};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::run::RunOptions;
use crate::{MoveError, Result};

/// The format of a receipt.
pub const FORMAT: &str = "dunlin-receipt/v1";

/// What dunlin states to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The request.
    pub request: String,
    /// What it asked for.
    pub kind: String,
    /// The customer's key.
    pub subject: String,
    /// When the stores were searched, in microseconds since 1970 UTC.
    pub searched_at: i64,
    /// Rows of the customer that were found, by place: `target:STORE`, `source:STORE`, `quarantine`, `copy:RUN`.
    pub found: BTreeMap<String, u64>,
    /// What a place's number means where it is not plain, by place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
}

/// What a customer is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// `dunlin-receipt/v1`.
    pub format: String,
    /// What is stated.
    pub statement: Statement,
    /// Sixteen random bytes, hex, that are kept nowhere else.
    pub salt: String,
    /// The ledger's entry, byte for byte.
    pub entry: String,
    /// Its proof: a C2SP tlog-proof with the signed checkpoint.
    pub proof: String,
    /// The key that the ledger is signed with. Whoever checks should have it from elsewhere.
    pub verifier: String,
}

/// Why a receipt does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It is of a kind that this version does not know.
    #[error("this is no receipt of the form {FORMAT}")]
    Format,
    /// The statement is not the one that was committed to.
    #[error("the statement is not the one that the ledger's entry commits to")]
    Statement,
}

impl Receipt {
    /// Holds statement and salt against the entry. The proof of the entry is checked by whoever has the ledger's key.
    ///
    /// # Errors
    /// When the form is unknown, or the commitment is to something else.
    pub fn check(&self) -> std::result::Result<(), ReceiptError> {
        if self.format != FORMAT {
            return Err(ReceiptError::Format);
        }
        let entry: dunlin_store::Entry =
            serde_json::from_str(&self.entry).map_err(|_| ReceiptError::Statement)?;
        let salt = hex::decode(&self.salt).map_err(|_| ReceiptError::Statement)?;
        let own = commitment(&salt, &self.statement).ok_or(ReceiptError::Statement)?;
        match entry.body {
            Body::SubjectVerified { request, commitment, .. }
                if commitment == own && request == self.statement.request =>
            {
                Ok(())
            }
            _ => Err(ReceiptError::Statement),
        }
    }
}

fn commitment(salt: &[u8], statement: &Statement) -> Option<String> {
    let bytes = serde_json_canonicalizer::to_vec(statement).ok()?;
    Some(hex::encode(Sha256::new().chain_update(salt).chain_update(bytes).finalize()))
}

/// Enters what was found and makes the receipt.
pub(crate) async fn issue(
    workspace: &Workspace,
    options: &RunOptions,
    statement: Statement,
) -> Result<Receipt> {
    let unmade = || MoveError::Engine { act: "make a receipt".to_owned(), code: "json".to_owned() };
    let salt = dunlin_store::salt()?;
    let commitment = commitment(&salt, &statement).ok_or_else(unmade)?;
    let (request, rows) = (statement.request.clone(), statement.found.clone());
    let body = Body::SubjectVerified { request, commitment: commitment.clone(), rows };
    let from = workspace.state().ledger_size().await?;
    workspace.state().enter(options.actor.clone(), body).await?;
    fail::fail_point!("move::subject.verified", |_| Err(MoveError::failpoint("move::subject.verified")));
    workspace.integrate().await?;
    let log = workspace.ledger()?;
    let ledger = |e| MoveError::State(dunlin_store::StoreError::from(e));
    for index in from..log.size() {
        let bytes = log.entry(index).map_err(ledger)?;
        let text = String::from_utf8(bytes).map_err(|_| unmade())?;
        if text.contains(&commitment) {
            return Ok(Receipt {
                format: FORMAT.to_owned(),
                statement,
                salt: hex::encode(salt),
                entry: text,
                proof: log.tlog_proof(index).map_err(ledger)?.to_text(),
                verifier: workspace.keys().verifier()?.as_str().to_owned(),
            });
        }
    }
    Err(unmade())
}
