//! Reserve, then verify, then settle. An attempt takes its place in the limits before anybody looks whether it is
//! right; one that is never settled (a crash) stays counted.
//!
//! Not here: what follows from the outcome (`settle`).

use dunlin_store::{Purpose, Tx, new_id};

use crate::clock::seconds;
use crate::error::db;
use crate::limit::Origin;
use crate::limit::counter::{self, Counter, Owner};
use crate::token::Secret;
use crate::{Guard, GuardError, Moment};

/// One attempt at a credential.
pub(crate) struct Attempt<'a> {
    /// Keyed hash of the address that was given, known or not.
    pub account: String,
    /// Whose it is, when known.
    pub person: Option<&'a str>,
    /// `password`, `totp`, `recovery_code`, ...
    pub credential: &'static str,
    /// Where it comes from.
    pub origin: &'a Origin,
    /// What was guessed, to tell a repetition from a new guess.
    pub guess: Option<&'a Secret>,
}

/// What the limits say to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It may be verified.
    Go,
    /// This credential of this account is locked here: refuse it like a wrong one.
    Locked,
    /// This network gets nothing verified for so many seconds.
    Throttled(u64),
}

/// An attempt that has its place.
pub(crate) struct Reserved {
    pub id: String,
    pub gate: Gate,
    pub pair: String,
    pub account: String,
    pub credential: &'static str,
    pub network: String,
    /// The account-wide counter counts it.
    pub wide: bool,
    /// The network's counter counts it.
    pub counted: bool,
    pub guess: Option<i64>,
}

impl Guard {
    /// The name under which an address is counted.
    pub(crate) fn account_of(&self, email: &str) -> Result<String, GuardError> {
        let folded = email.trim().to_lowercase();
        self.mac(Purpose::Attempt, &[b"account", folded.as_bytes()])
    }

    /// Takes an attempt's place in the limits; commit before verifying.
    pub(crate) async fn reserve(
        &self,
        tx: &mut Tx,
        now: Moment,
        attempt: &Attempt<'_>,
    ) -> Result<Reserved, GuardError> {
        let limits = &self.settings().limits;
        let network = attempt.origin.network();
        let pair = format!("{}|{}|{network}", attempt.credential, attempt.account);
        let account = format!("{}|{}", attempt.credential, attempt.account);
        let guess = self.guess(attempt)?;
        let from_here = now.served.saturating_sub(seconds(limits.network_window_s));
        let counted = !repeated(tx, attempt, &network, guess, from_here).await?;
        let wide = !knows_network(tx, attempt.person, &network).await?;
        let found = self.look(tx, now, attempt, &network, &pair, (wide, &account)).await?;
        let free =
            limits.monitor_only || limits.allow.iter().any(|net| net.contains(&attempt.origin.address));
        let gate = if free { Gate::Go } else { found };
        let mut reserved = Reserved {
            id: new_id(),
            gate,
            pair,
            account,
            credential: attempt.credential,
            network,
            wide: wide && gate == Gate::Go,
            counted,
            guess,
        };
        if let Gate::Throttled(_) = gate {
            // Not even a row: a flood must not fill the state.
            reserved.id.clear();
            return Ok(reserved);
        }
        self.count(tx, now, attempt, &reserved).await?;
        let would = (free && found != Gate::Go).then_some("would_refuse");
        self.note_attempt(tx, now, attempt, &reserved, would).await?;
        Ok(reserved)
    }

    /// What the limits say.
    async fn look(
        &self,
        tx: &mut Tx,
        now: Moment,
        attempt: &Attempt<'_>,
        network: &str,
        pair: &str,
        (wide, account): (bool, &str),
    ) -> Result<Gate, GuardError> {
        let limits = &self.settings().limits;
        let window = seconds(limits.network_window_s);
        let here = counter::read(tx, "network", network, now.served, window).await?;
        let allowed = if wide && self.stuffing(tx, now).await? {
            limits.stuffing_network_tries
        } else {
            limits.network_tries
        };
        let many = accounts_tried(tx, network, here.since.min(now.served), &attempt.account).await?;
        if here.locked.is_some()
            || here.failed >= i64::from(allowed)
            || many > i64::from(limits.network_accounts)
        {
            let from = here.locked.unwrap_or(now.served);
            if here.locked.is_none() {
                let locked = Counter { locked: Some(now.served), ..here };
                let owner = Owner { network: Some(network), ..Owner::default() };
                counter::write(tx, "network", network, locked, owner).await?;
            }
            let left = window.saturating_sub(now.served.saturating_sub(from)).max(0);
            return Ok(Gate::Throttled(u64::try_from(left / 1_000_000).unwrap_or(0) + 1));
        }
        let one = counter::read(tx, "pair", pair, now.served, seconds(limits.lock_s)).await?;
        if one.locked.is_some() || one.failed >= i64::from(limits.tries) {
            return Ok(Gate::Locked);
        }
        if wide {
            let all =
                counter::read(tx, "account", account, now.served, seconds(limits.account_window_s)).await?;
            if all.failed >= i64::from(limits.account_tries) {
                return Ok(Gate::Locked);
            }
        }
        Ok(Gate::Go)
    }

    async fn count(
        &self,
        tx: &mut Tx,
        now: Moment,
        attempt: &Attempt<'_>,
        at: &Reserved,
    ) -> Result<(), GuardError> {
        let limits = &self.settings().limits;
        let owner = Owner {
            person: attempt.person,
            credential: Some(attempt.credential),
            network: Some(at.network.as_str()),
        };
        let mut scopes = Vec::with_capacity(3);
        if at.gate == Gate::Go {
            scopes.push(("pair", at.pair.as_str(), limits.lock_s));
        }
        if at.wide {
            scopes.push(("account", at.account.as_str(), limits.account_window_s));
        }
        if at.counted {
            scopes.push(("network", at.network.as_str(), limits.network_window_s));
        }
        for (scope, name, window) in scopes {
            let was = counter::read(tx, scope, name, now.served, seconds(window)).await?;
            counter::write(tx, scope, name, Counter { failed: was.failed + 1, ..was }, owner).await?;
        }
        Ok(())
    }

    async fn note_attempt(
        &self,
        tx: &mut Tx,
        now: Moment,
        attempt: &Attempt<'_>,
        at: &Reserved,
        reason: Option<&str>,
    ) -> Result<(), GuardError> {
        let outcome = if at.gate == Gate::Locked { "locked" } else { "pending" };
        sqlx::query(
            "insert into attempts (id, at, served, account, person, credential, address, network, device, device_hash, \
             outcome, reason, pair) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(&at.id)
        .bind(now.wall)
        .bind(now.served)
        .bind(&attempt.account)
        .bind(attempt.person)
        .bind(attempt.credential)
        .bind(attempt.origin.address.to_string())
        .bind(&at.network)
        .bind(attempt.origin.device())
        .bind(self.device_hash(attempt.person.unwrap_or(&attempt.account), attempt.origin)?)
        .bind(outcome)
        .bind(reason)
        .bind(at.guess)
        .execute(tx.connection())
        .await
        .map_err(db("recording an attempt"))?;
        Ok(())
    }

    /// Whether somebody tries many different pairs of account and password, wherever from.
    async fn stuffing(&self, tx: &mut Tx, now: Moment) -> Result<bool, GuardError> {
        let limits = &self.settings().limits;
        let window = seconds(limits.stuffing_window_s);
        let guesses = counter::read(tx, "guesses", "all", now.served, window).await?.failed;
        let accounts = counter::read(tx, "guessed", "all", now.served, window).await?.failed;
        Ok(guesses >= i64::from(limits.stuffing_pairs) && accounts * 2 >= guesses)
    }

    /// 16 bits of a keyed hash of account and guess: enough to tell a repetition, too few to test guesses against.
    fn guess(&self, attempt: &Attempt<'_>) -> Result<Option<i64>, GuardError> {
        let Some(secret) = attempt.guess else { return Ok(None) };
        let key = self.keys().key(Purpose::Attempt)?;
        let parts: [&[u8]; 3] = [b"guess", attempt.account.as_bytes(), secret.expose().as_bytes()];
        let hash = crate::token::keyed_hash(&key, &parts);
        Ok(Some(i64::from(u16::from_le_bytes([hash.as_bytes()[0], hash.as_bytes()[1]]))))
    }
}

/// Whether this very guess was made from here already: a mail program with an old password is no attack on others.
async fn repeated(
    tx: &mut Tx,
    attempt: &Attempt<'_>,
    network: &str,
    guess: Option<i64>,
    since: i64,
) -> Result<bool, GuardError> {
    let Some(guess) = guess else { return Ok(false) };
    let times: i64 = sqlx::query_scalar(
        "select count(*) from attempts where account = $1 and network = $2 and pair = $3 and credential = $4 \
         and served > $5 and outcome in ('pending', 'refused', 'locked')",
    )
    .bind(&attempt.account)
    .bind(network)
    .bind(guess)
    .bind(attempt.credential)
    .bind(since)
    .fetch_one(tx.connection())
    .await
    .map_err(db("reading attempts"))?;
    Ok(times > 0)
}

async fn knows_network(tx: &mut Tx, person: Option<&str>, network: &str) -> Result<bool, GuardError> {
    let Some(person) = person else { return Ok(false) };
    let times: i64 =
        sqlx::query_scalar("select count(*) from known_networks where person = $1 and network = $2")
            .bind(person)
            .bind(network)
            .fetch_one(tx.connection())
            .await
            .map_err(db("reading known networks"))?;
    Ok(times > 0)
}

/// Different accounts tried in vain from a network, this one among them.
async fn accounts_tried(tx: &mut Tx, network: &str, since: i64, account: &str) -> Result<i64, GuardError> {
    let others: i64 = sqlx::query_scalar(
        "select count(distinct account) from attempts where network = $1 and served >= $2 and account <> $3 \
         and outcome in ('pending', 'refused', 'locked')",
    )
    .bind(network)
    .bind(since)
    .bind(account)
    .fetch_one(tx.connection())
    .await
    .map_err(db("reading attempts"))?;
    Ok(others + 1)
}
