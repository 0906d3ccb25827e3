//! What an erasure asks of the letters: the mover knows none, and the letters know no customer.

use std::collections::BTreeSet;

use dunlin_move::subject::Elsewhere;
use dunlin_store::{StoreError, Tx, Workspace};
use dunlin_tell::send::{Recipients, forget};
use futures::future::BoxFuture;

/// The letters of a workspace.
pub struct WaitingLetters;

impl Elsewhere for WaitingLetters {
    fn forget<'a>(
        &'a self,
        workspace: &'a Workspace,
        tx: &'a mut Tx,
        addresses: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let recipients = Recipients::new(workspace.keys())?;
            forget(tx, &recipients, addresses.iter().map(String::as_str)).await.map(|_| ())
        })
    }
}
