//! What customers' own pages take from the guard: secrets, limits on asking for links, and letters. Customers are no
//! people of the workspace: they have no account here, and nothing here lets anybody into the API.

use dunlin_store::Purpose;

use crate::clock::seconds;
use crate::limit::{Counter, Owner, read_counter, write_counter};
use crate::token::{Secret, new_token, token_hash};
use crate::{Guard, GuardError, Mail, Origin};

/// Links to one address within the guard's window for links; more are not sent, and nobody is told.
const LINKS_PER_ADDRESS: i64 = 5;

impl Guard {
    /// A new token for a customer: 32 random bytes.
    pub fn new_customer_token(&self) -> Result<Secret, GuardError> {
        new_token()
    }

    /// The hash (hex) under which a customer's token is kept; `kind` keeps links and sessions apart.
    pub fn customer_token_hash(&self, kind: &str, token: &Secret) -> String {
        token_hash(&format!("customer.{kind}"), token.expose())
    }

    /// Counts that a network asked for a link to an address. Whether it may be sent: an address that has had enough gets
    /// none, and the answer must not tell.
    ///
    /// # Errors
    /// The network has asked too often, whatever for.
    pub async fn take_customer_turn(&self, origin: &Origin, email: &str) -> Result<bool, GuardError> {
        let folded = email.trim().to_lowercase();
        let name = self.mac(Purpose::Attempt, &[b"customer", folded.as_bytes()])?;
        let (mut tx, now) = self.change().await?;
        self.take_link_turn(&mut tx, now, origin).await?;
        let window = seconds(self.settings().limits.link_window_s);
        let was = read_counter(&mut tx, "customer_links", &name, now.served, window).await?;
        let enough = was.failed >= LINKS_PER_ADDRESS && !self.settings().limits.monitor_only;
        let more = Counter { failed: was.failed + 1, ..was };
        write_counter(&mut tx, "customer_links", &name, more, Owner::default()).await?;
        tx.commit().await?;
        Ok(!enough)
    }

    /// Sends a customer a letter, in the background. Failure is only logged.
    pub fn write_to_customer(&self, letter: Mail) {
        self.send(letter);
    }
}
