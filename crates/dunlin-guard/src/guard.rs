//! The guard itself: what every part of this crate works with.
//!
//! Not here: what it does. Each part adds its own `impl Guard`.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use dunlin_ledger::{Actor, Body, Entry};
use dunlin_store::{Keyring, Purpose, State, Tx, Workspace};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use crate::clock::{SystemTime, TimeSource};
use crate::credentials::{Breached, HashPool};
use crate::{Clock, GuardError, GuardSettings, Mail, Mailer, Moment};

/// Identities, sessions, limits. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Guard {
    inner: Arc<Inner>,
}

struct Inner {
    state: State,
    keys: Arc<Keyring>,
    settings: GuardSettings,
    clock: Clock,
    pool: HashPool,
    breached: Option<Breached>,
    webauthn: Option<Webauthn>,
    mailer: OnceLock<Arc<dyn Mailer>>,
}

impl Guard {
    /// Opens the guard of a workspace by the machine's clocks.
    pub async fn open(workspace: &Workspace, settings: GuardSettings) -> Result<Guard, GuardError> {
        Guard::open_at(workspace, settings, Arc::new(SystemTime::default())).await
    }

    /// The same by other clocks.
    pub async fn open_at(
        workspace: &Workspace,
        settings: GuardSettings,
        time: Arc<dyn TimeSource>,
    ) -> Result<Guard, GuardError> {
        let state = workspace.state().clone();
        let clock = Clock::open(&state, time).await?;
        let pool = HashPool::new(&settings.hashing)?;
        let breached = settings.breached_passwords.as_deref().map(Breached::open).transpose()?;
        let webauthn = settings.public_url.as_deref().map(relying_party).transpose()?;
        let inner = Inner {
            state,
            keys: workspace.keyring(),
            settings,
            clock,
            pool,
            breached,
            webauthn,
            mailer: OnceLock::new(),
        };
        Ok(Guard { inner: Arc::new(inner) })
    }

    /// Gives the guard somebody who sends mail; the first one stays.
    pub fn set_mailer(&self, mailer: Arc<dyn Mailer>) {
        let _ = self.inner.mailer.set(mailer);
    }

    /// The state.
    pub fn state(&self) -> &State {
        &self.inner.state
    }

    /// The keys.
    pub fn keys(&self) -> &Keyring {
        &self.inner.keys
    }

    /// What it was told.
    pub fn settings(&self) -> &GuardSettings {
        &self.inner.settings
    }

    /// Its clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Now.
    pub fn now(&self) -> Moment {
        self.inner.clock.now()
    }

    /// The link to a page, e.g. `/recover/…`; needs `public_url`.
    pub fn link(&self, path: &str) -> Result<String, GuardError> {
        let base = self.settings().public_url.as_deref().ok_or(GuardError::NotSetUp("`public_url`"))?;
        Ok(format!("{}{path}", base.trim_end_matches('/')))
    }

    pub(crate) fn pool(&self) -> &HashPool {
        &self.inner.pool
    }

    pub(crate) fn breached(&self) -> Option<&Breached> {
        self.inner.breached.as_ref()
    }

    pub(crate) fn webauthn(&self) -> Result<&Webauthn, GuardError> {
        self.inner.webauthn.as_ref().ok_or(GuardError::NotSetUp("passkeys (`public_url`)"))
    }

    /// Sends a message in the background: how long it takes must not tell whether an account exists.
    pub(crate) fn send(&self, mail: Mail) {
        let Some(mailer) = self.inner.mailer.get().cloned() else {
            tracing::warn!("no mail server is set up: a message was not sent");
            return;
        };
        tokio::spawn(async move {
            if let Err(error) = mailer.send(mail).await {
                tracing::warn!(%error, "a message was not sent");
            }
        });
    }

    /// Begins a change that rests on the clock.
    pub(crate) async fn change(&self) -> Result<(Tx, Moment), GuardError> {
        let mut tx = self.state().begin().await?;
        let now = self.inner.clock.keep(&mut tx).await?;
        Ok((tx, now))
    }

    /// A keyed hash (hex) with the current key of a purpose.
    pub(crate) fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> Result<String, GuardError> {
        let key = self.keys().key(purpose)?;
        Ok(crate::token::keyed_hash(&key, parts).to_hex().to_string())
    }
}

/// Enters one entry in a transaction.
pub(crate) async fn enter(tx: &mut Tx, now: Moment, actor: &Actor, body: Body) -> Result<(), GuardError> {
    Ok(tx.enter(Entry { at: now.wall, actor: actor.clone(), body }).await?)
}

/// The passkeys' relying party: the host of the public address.
fn relying_party(public_url: &str) -> Result<Webauthn, GuardError> {
    let invalid =
        || GuardError::Invalid { what: "`public_url`", help: "an address such as `https://dunlin.example`" };
    let origin = url::Url::parse(public_url).map_err(|_| invalid())?;
    let host = origin.host_str().ok_or_else(invalid)?.to_owned();
    let builder = WebauthnBuilder::new(&host, &origin).map_err(|_| invalid())?;
    builder.rp_name("dunlin").build().map_err(|_| invalid())
}

/// A file that can be read, as a path for messages.
pub(crate) fn readable(path: &Path) -> Result<std::fs::File, GuardError> {
    std::fs::File::open(path).map_err(|e| {
        GuardError::Store(dunlin_store::StoreError::Io { path: path.to_owned(), kind: e.kind() })
    })
}
