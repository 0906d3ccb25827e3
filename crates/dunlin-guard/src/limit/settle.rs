//! What follows from the outcome of an attempt: counts taken back, a lock, the sight of stuffing, an entry.

use dunlin_ledger::{Actor, Body};
use dunlin_store::Tx;

use crate::clock::seconds;
use crate::error::db;
use crate::guard::enter;
use crate::limit::counter::{self, Counter, Owner};
use crate::limit::reserve::{Attempt, Gate, Reserved};
use crate::{Guard, GuardError, Moment};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It was right.
    Accepted,
    /// It was wrong, or right and of no use; the code says which.
    Refused(&'static str),
    /// Nobody could look.
    Abandoned,
}

impl Guard {
    /// Says how an attempt ended. `true` when this very attempt has locked the credential.
    pub(crate) async fn settle(
        &self,
        tx: &mut Tx,
        now: Moment,
        attempt: &Attempt<'_>,
        at: &Reserved,
        how: Settled,
    ) -> Result<bool, GuardError> {
        let (outcome, reason) = match how {
            Settled::Accepted => ("accepted", None),
            Settled::Refused(reason) if at.gate == Gate::Go => ("refused", Some(reason)),
            Settled::Refused(_) => ("locked", Some("locked")),
            Settled::Abandoned => ("abandoned", None),
        };
        sqlx::query("update attempts set outcome = $2, reason = coalesce($3, reason) where id = $1")
            .bind(&at.id)
            .bind(outcome)
            .bind(reason)
            .execute(tx.connection())
            .await
            .map_err(db("settling an attempt"))?;
        match how {
            Settled::Accepted | Settled::Abandoned => {
                if how == Settled::Accepted {
                    counter::clear(tx, "pair", &at.pair).await?;
                } else {
                    counter::give_back(tx, "pair", &at.pair).await?;
                }
                if at.wide {
                    counter::give_back(tx, "account", &at.account).await?;
                }
                if at.counted {
                    counter::give_back(tx, "network", &at.network).await?;
                }
                Ok(false)
            }
            Settled::Refused(reason) => self.failed(tx, now, attempt, at, reason).await,
        }
    }

    /// What follows from a failure: the lock, the sight of stuffing, the entry.
    async fn failed(
        &self,
        tx: &mut Tx,
        now: Moment,
        attempt: &Attempt<'_>,
        at: &Reserved,
        reason: &'static str,
    ) -> Result<bool, GuardError> {
        let limits = &self.settings().limits;
        let mut locks = false;
        if at.gate == Gate::Go {
            let one = counter::read(tx, "pair", &at.pair, now.served, seconds(limits.lock_s)).await?;
            if one.failed >= i64::from(limits.tries) && one.locked.is_none() {
                let locked = Counter { locked: Some(now.served), ..one };
                counter::write(tx, "pair", &at.pair, locked, Owner::default()).await?;
                locks = true;
            }
            self.count_guess(tx, now, attempt, at).await?;
        }
        if let Some(person) = attempt.person {
            let code = match (locks, at.gate) {
                (true, _) => "lock_reached",
                (false, Gate::Go) => reason,
                (false, _) => "locked",
            };
            self.refused(tx, now, person, code).await?;
        }
        Ok(locks)
    }

    /// Counts a guess that nobody has made before within the window, over all accounts and networks.
    async fn count_guess(
        &self,
        tx: &mut Tx,
        now: Moment,
        attempt: &Attempt<'_>,
        at: &Reserved,
    ) -> Result<(), GuardError> {
        let Some(guess) = at.guess else { return Ok(()) };
        let window = seconds(self.settings().limits.stuffing_window_s);
        let (same, any): (i64, i64) = sqlx::query_as(
            "select coalesce(sum(case when pair = $2 then 1 else 0 end), 0), count(*) from attempts \
             where account = $1 and served > $3 and id <> $4 and credential = $5",
        )
        .bind(&attempt.account)
        .bind(guess)
        .bind(now.served.saturating_sub(window))
        .bind(&at.id)
        .bind(at.credential)
        .fetch_one(tx.connection())
        .await
        .map_err(db("reading attempts"))?;
        for (scope, new) in [("guesses", same == 0), ("guessed", any == 0)] {
            if new {
                let was = counter::read(tx, scope, "all", now.served, window).await?;
                let more = Counter { failed: was.failed + 1, ..was };
                counter::write(tx, scope, "all", more, Owner::default()).await?;
            }
        }
        Ok(())
    }

    /// Enters that a known person's sign-in was refused: once a minute, so that guesses cannot flood the ledger;
    /// a lock has a minute of its own.
    pub(crate) async fn refused(
        &self,
        tx: &mut Tx,
        now: Moment,
        person: &str,
        reason: &str,
    ) -> Result<(), GuardError> {
        let query = if reason == "lock_reached" {
            "update people set locked_entered_served = $2 where id = $1 \
             and (locked_entered_served is null or locked_entered_served <= $3)"
        } else {
            "update people set refused_entered_served = $2 where id = $1 \
             and (refused_entered_served is null or refused_entered_served <= $3)"
        };
        let due = sqlx::query(query)
            .bind(person)
            .bind(now.served)
            .bind(now.served.saturating_sub(seconds(60)))
            .execute(tx.connection())
            .await
            .map_err(db("noting a refused sign-in"))?;
        if due.rows_affected() == 0 {
            return Ok(());
        }
        let body = Body::SignInRefused { person: person.to_owned(), reason_code: reason.to_owned() };
        enter(tx, now, &Actor::System, body).await
    }
}
