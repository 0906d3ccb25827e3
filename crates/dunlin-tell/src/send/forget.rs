//! Customers who are erased: letters to them that wait are not sent, and nothing that is kept of letters names them.
//!
//! Not here: that nobody writes to them again. They are in no audience any more; who unsubscribed stays unsubscribed.

use dunlin_store::{StoreError, Tx, database_error, now_us};

use super::address::{Address, Recipients};

/// Forgets the receivers with these addresses. Deliveries stay as numbers under a name that is nobody's: what was due is
/// `suppressed` with the word `erased`; what was on its way cannot be called back and is counted likewise, and what nobody knows the end of
/// counts as `sent`. Gives how many deliveries that were.
///
/// # Errors
/// The state.
pub async fn forget(
    tx: &mut Tx,
    recipients: &Recipients,
    addresses: impl IntoIterator<Item = &str>,
) -> Result<u64, StoreError> {
    let mut count = 0;
    for address in addresses {
        // To what is no address nothing was ever sent.
        let Ok(address) = address.parse::<Address>() else { continue };
        let nobody = [dunlin_store::salt()?, dunlin_store::salt()?].concat();
        let done = sqlx::query(
            "update tell_deliveries set recipient = $1, sealed = null, ended_at = coalesce(ended_at, $2), \
             code = case when state in ('due', 'sending') then 'erased' else code end, \
             state = case when state in ('due', 'sending') then 'suppressed' \
                          when state = 'uncertain' then 'sent' else state end \
             where recipient = $3",
        )
        .bind(nobody)
        .bind(now_us())
        .bind(&recipients.recipient(&address).0[..])
        .execute(tx.connection())
        .await
        .map_err(|error| database_error("forgetting to whom letters went", &error))?;
        count += done.rows_affected();
    }
    Ok(count)
}
