//! Argon2id in a bounded pool: hashing takes memory and time on purpose, so only so many run at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::GuardError;
use crate::settings::HashSettings;
use crate::token::{Secret, random};

/// Hashes and verifies passwords.
pub(crate) struct HashPool {
    params: Params,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    /// A hash that no password has, verified when there is none to verify: equal time for unknown accounts.
    dummy: String,
}

/// What came of a verification.
pub(crate) struct Verified {
    /// The password is right.
    pub right: bool,
    /// The hash was made with other parameters than today's.
    pub stale: bool,
}

impl HashPool {
    /// With these parameters; fails when argon2 does not allow them.
    pub fn new(settings: &HashSettings) -> Result<HashPool, GuardError> {
        let params =
            Params::new(settings.memory_kib, settings.passes, settings.lanes, None).map_err(|_| {
                GuardError::Invalid { what: "`hashing`", help: "argon2 needs 8 KiB a lane, and a pass" }
            })?;
        let dummy = hash(&params, &hex::encode(random::<32>()?))?;
        let turns = Arc::new(Semaphore::new(settings.at_once.max(1)));
        Ok(HashPool { params, turns, waiting: AtomicUsize::new(0), waiting_max: settings.waiting, dummy })
    }

    /// The hash of a new password, as a PHC string.
    pub async fn hash(&self, password: &Secret) -> Result<String, GuardError> {
        let (params, password) = (self.params.clone(), password.clone());
        self.run(move || hash(&params, password.expose())).await
    }

    /// Verifies against a hash, or against none in the same time.
    pub async fn verify(&self, password: &Secret, stored: Option<&str>) -> Result<Verified, GuardError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.dummy).to_owned();
        let (params, password) = (self.params.clone(), password.clone());
        self.run(move || {
            let unreadable = |_| GuardError::Internal("reading a password's hash");
            let parsed = PasswordHash::new(&stored).map_err(unreadable)?;
            // The parameters are those in the hash, not ours.
            let right = Argon2::default().verify_password(password.expose().as_bytes(), &parsed).is_ok();
            let used = Params::try_from(&parsed).map_err(unreadable)?;
            let same = (used.m_cost(), used.t_cost(), used.p_cost())
                == (params.m_cost(), params.t_cost(), params.p_cost());
            Ok(Verified { right: right && known, stale: !same })
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, GuardError> + Send + 'static,
    ) -> Result<T, GuardError> {
        let _waits = Waits::enter(&self.waiting, self.waiting_max)?;
        let closed = |_| GuardError::Internal("waiting for a turn");
        let turn = self.turns.clone().acquire_owned().await.map_err(closed)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a request that goes away must not free a place that is still in use.
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| GuardError::Internal("hashing a password"))?
    }
}

/// Counts who waits, also when the waiting is given up.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn enter(waiting: &'a AtomicUsize, max: usize) -> Result<Waits<'a>, GuardError> {
        if waiting.fetch_add(1, Ordering::SeqCst) >= max {
            waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(GuardError::Overloaded);
        }
        Ok(Waits(waiting))
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn hash(params: &Params, password: &str) -> Result<String, GuardError> {
    let failed = |_| GuardError::Internal("hashing a password");
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(failed)?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    Ok(argon.hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn right_wrong_and_unknown() {
        let pool = HashPool::new(&HashSettings::cheap()).unwrap();
        let stored = pool.hash(&"correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert!(pool.verify(&"correct horse".into(), Some(&stored)).await.unwrap().right);
        assert!(!pool.verify(&"wrong horse".into(), Some(&stored)).await.unwrap().right);
        assert!(!pool.verify(&"correct horse".into(), None).await.unwrap().right);
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_still_verifies_and_says_so() {
        let stored = HashPool::new(&HashSettings::cheap()).unwrap().hash(&"x".into()).await.unwrap();
        let pool = HashPool::new(&HashSettings { passes: 2, ..HashSettings::cheap() }).unwrap();
        let verified = pool.verify(&"x".into(), Some(&stored)).await.unwrap();
        assert!(verified.right && verified.stale);
    }

    #[tokio::test]
    async fn more_than_may_wait_are_refused_and_places_come_back() {
        let settings = HashSettings { waiting: 2, at_once: 1, ..HashSettings::cheap() };
        let pool = HashPool::new(&settings).unwrap();
        let hold = pool.turns.clone().acquire_owned().await.unwrap();
        let secret = Secret::new("x");
        let (a, b) = (pool.hash(&secret), pool.hash(&secret));
        let mut ab = Box::pin(async { futures::join!(a, b) });
        assert!(futures::poll!(&mut ab).is_pending());
        assert!(matches!(pool.hash(&secret).await, Err(GuardError::Overloaded)));
        drop(hold);
        let (a, b) = ab.await;
        assert!(a.is_ok() && b.is_ok() && pool.hash(&secret).await.is_ok());
    }
}
