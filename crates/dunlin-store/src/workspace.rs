//! A workspace: the folder with the plan, the state in `.dunlin/` beside it, the keys elsewhere, and the step
//! that moves queued entries into the ledger's tiles.
//!
//! Not here: the plan itself.

use std::fs;
use std::path::{Path, PathBuf};

use dunlin_ledger::{Actor, Body, Checkpoint, Entry, Log, Verifier, VerifyReport, point};

use crate::lock::{RunLock, wait_for};
use crate::{Fragments, KeyOptions, Keyring, Purpose, State, StoreError, new_id, now_us};

/// Entries that are appended under one checkpoint.
const BATCH: u32 = 4096;
const ID_SETTING: &str = "workspace_id";

/// A workspace that is open.
pub struct Workspace {
    /// The folder that has `dunlin.toml`.
    pub dir: PathBuf,
    /// `.dunlin` in it, mode 0700.
    pub state_dir: PathBuf,
    /// The workspace's id, UUIDv7.
    pub id: String,
    state: State,
    keys: std::sync::Arc<Keyring>,
}

impl Workspace {
    /// Opens a workspace; the first time makes `.dunlin/`, the state, the keys and the ledger's first entry.
    pub async fn open(dir: &Path, keys: &KeyOptions) -> Result<Workspace, StoreError> {
        let dir = dir.canonicalize().map_err(StoreError::io(dir))?;
        let state_dir = dir.join(".dunlin");
        make_state_dir(&state_dir)?;
        let state = State::open(&state_dir.join("state.db")).await?;
        let mut tx = state.begin().await?;
        let (id, keyring) = match tx.setting(ID_SETTING).await? {
            Some(id) => {
                keys_outside(keys, &id, &dir)?;
                let keyring = Keyring::open(keys, &id)?;
                tx.rollback().await?;
                (id, keyring)
            }
            None => {
                if state_dir.join("ledger/checkpoint").exists() {
                    return Err(StoreError::StateLost);
                }
                let id = new_id();
                keys_outside(keys, &id, &dir)?;
                let keyring = Keyring::create(keys, &id)?;
                tx.set_setting(ID_SETTING, &id).await?;
                let body = Body::LedgerCreated { workspace: id.clone() };
                tx.enter(Entry { at: now_us(), actor: Actor::local(), body }).await?;
                tx.commit().await?;
                (id, keyring)
            }
        };
        Ok(Workspace { dir, state_dir, id, state, keys: std::sync::Arc::new(keyring) })
    }

    /// The state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The keys.
    pub fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// The keys, to be kept by what outlives this value.
    pub fn keyring(&self) -> std::sync::Arc<Keyring> {
        self.keys.clone()
    }

    /// The quarantine's encrypted fragments.
    pub fn fragments(&self) -> Fragments {
        Fragments::new(&self.state_dir.join("quarantine"), self.keys.clone(), Purpose::Quarantine)
    }

    /// The encrypted lists of rows that somebody saw: run `rows`, table `<access>`, name `names`.
    pub fn sidecars(&self) -> Fragments {
        Fragments::new(&self.state_dir.join("access"), self.keys.clone(), Purpose::Sidecar)
    }

    /// What names customers who asked for something, and what they correct, sealed: run `<request>`.
    pub fn subjects(&self) -> Fragments {
        Fragments::new(&self.state_dir.join("subjects"), self.keys.clone(), Purpose::Quarantine)
    }

    /// Waits until no other process takes a request in; the turn ends when what is given is dropped.
    pub async fn requests_turn(&self) -> Result<fs::File, StoreError> {
        let lock = self.state_dir.join("requests.lock");
        blocking(move || wait_for(&lock)).await
    }

    /// The ledger at its newest checkpoint: to export and to prove.
    pub fn ledger(&self) -> Result<Log, StoreError> {
        Ok(Log::open(&self.ledger_dir(), &self.keys.verifier()?)?)
    }

    /// Checks the whole ledger against every checkpoint that the state knows, and `since`: those that somebody
    /// kept elsewhere (a file, a report, a receipt). Takes turns with integration.
    pub async fn verify_ledger(&self, since: &[Checkpoint]) -> Result<VerifyReport, StoreError> {
        let mut known = self.known_checkpoints().await?;
        known.extend_from_slice(since);
        let (lock, folder) = (self.state_dir.join("integrate.lock"), self.ledger_dir());
        let verifier = self.keys.verifier()?;
        blocking(move || {
            let _turn = wait_for(&lock)?;
            Ok(Log::verify(&folder, &verifier, &known)?)
        })
        .await
    }

    /// The ledger's folder.
    pub fn ledger_dir(&self) -> PathBuf {
        self.state_dir.join("ledger")
    }

    /// Takes the lock of a run, until it is dropped; says which process holds it otherwise.
    pub fn lock_run(&self) -> Result<RunLock, StoreError> {
        RunLock::take(&self.state_dir.join("run.lock"))
    }

    /// Takes the lock of sending notices, until it is dropped: two senders would write to somebody twice.
    pub fn lock_send(&self) -> Result<RunLock, StoreError> {
        RunLock::take(&self.state_dir.join("send.lock")).map_err(|error| match error {
            StoreError::RunLocked { pid } => StoreError::SendLocked { pid },
            other => other,
        })
    }

    /// Gives a purpose a new key and enters that. Returns the new key's id.
    pub async fn rotate_key(&self, purpose: Purpose, actor: Actor) -> Result<String, StoreError> {
        let key_id = self.keys.rotate(purpose)?;
        let body = Body::KeysRotated { purpose: purpose.as_str().to_owned(), key_id: key_id.clone() };
        self.state.enter(actor, body).await?;
        Ok(key_id)
    }

    /// Every checkpoint that the state knows, with signatures checked: what `ledger verify` holds the folder
    /// against.
    pub async fn known_checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        let verifier = self.keys.verifier()?;
        let notes = self.state.checkpoints().await?;
        notes.iter().map(|note| Ok(Checkpoint::parse(note, &verifier)?)).collect()
    }

    /// Moves the ledger's queue into tiles and signs a checkpoint; returns the newest one.
    ///
    /// Processes take turns by `.dunlin/integrate.lock`. Queued entries are forgotten only once a signed
    /// checkpoint that covers them is durable, so a crash anywhere in here is mended by the next call.
    pub async fn integrate(&self) -> Result<Checkpoint, StoreError> {
        let lock = self.state_dir.join("integrate.lock");
        let stopped = |_| StoreError::Database { doing: "integrating", code: "failpoint".to_owned() };
        let _turn = blocking(move || wait_for(&lock)).await?;
        point("store::integrate.before").map_err(stopped)?;
        let verifier = self.keys.verifier()?;
        let known = self.newest_known(&verifier).await?;
        let folder = self.ledger_dir();
        let mut log = blocking(move || Ok(Log::open(&folder, &verifier)?)).await?;
        if log.size() < known {
            return Err(StoreError::LedgerBehind { size: log.size(), known });
        }
        loop {
            log = self.check_overlap(log).await?;
            let from = log.size();
            let queued = self.state.queued(from, BATCH).await?;
            if let Some((index, _)) = queued.iter().zip(from..).find(|((i, _), n)| i != n).map(|(q, _)| q) {
                return Err(StoreError::LedgerBehind { size: from, known: *index });
            }
            let more = queued.len() == BATCH as usize;
            let entries: Vec<Vec<u8>> = queued.into_iter().map(|(_, entry)| entry).collect();
            let signer = self.keys.signer()?;
            let (appended, checkpoint) = blocking(move || {
                let checkpoint = log.append(&entries, &signer)?;
                Ok((log, checkpoint))
            })
            .await?;
            log = appended;
            point("store::integrate.appended").map_err(stopped)?;
            let mut tx = self.state.begin().await?;
            tx.put_checkpoint(&checkpoint).await?;
            tx.commit().await?;
            if !more {
                point("store::integrate.after").map_err(stopped)?;
                return Ok(checkpoint);
            }
        }
    }

    async fn newest_known(&self, verifier: &Verifier) -> Result<u64, StoreError> {
        let notes = self.state.checkpoints().await?;
        notes.last().map_or(Ok(0), |note| Ok(Checkpoint::parse(note, verifier)?.size))
    }

    /// Entries that are in the tiles and still in the queue, after a crash, must be the same.
    async fn check_overlap(&self, log: Log) -> Result<Log, StoreError> {
        let overlap = self.state.queued(0, BATCH).await?;
        blocking(move || {
            for (index, entry) in overlap {
                if index < log.size() && log.entry(index)? != entry {
                    return Err(StoreError::LedgerDiffers { index });
                }
            }
            Ok(log)
        })
        .await
    }
}

/// Runs file work where it does not hold up other tasks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.map_err(|_| StoreError::Damaged("a task that did not end"))?
}

fn make_state_dir(state_dir: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(state_dir).map_err(StoreError::io(state_dir))?;
    // A folder that somebody made beforehand becomes private too.
    #[cfg(unix)]
    {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(state_dir, private).map_err(StoreError::io(state_dir))?;
    }
    let ignore = state_dir.join(".gitignore");
    if !ignore.exists() {
        fs::write(&ignore, "*\n").map_err(StoreError::io(&ignore))?;
    }
    Ok(())
}

/// Refuses keys inside the workspace, also by way of a link.
fn keys_outside(keys: &KeyOptions, id: &str, dir: &Path) -> Result<(), StoreError> {
    let folder = keys.folder_of(id)?;
    let absolute = std::path::absolute(&folder).map_err(StoreError::io(&folder))?;
    let real = absolute.ancestors().find_map(|a| a.canonicalize().ok()).unwrap_or(absolute);
    if real.starts_with(dir) { Err(StoreError::KeysBesideData(folder)) } else { Ok(()) }
}
