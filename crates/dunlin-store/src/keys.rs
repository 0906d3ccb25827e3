//! The workspace's keys: one 32-byte root from which a key for each purpose is derived, and the ledger's
//! Ed25519 key beside it. They lie outside the workspace, mode 0600 in a folder 0700.
//!
//! Not here: what the keys encrypt or hash. Nothing in this module prints a key.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::RwLock;

use dunlin_ledger::{Signer, Verifier, point, replace_file};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::memory::random;
use crate::{StoreError, now_us};

/// A derived key; wiped from memory when dropped.
pub type Key = Zeroizing<[u8; 32]>;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Multiset hashes of rows.
    RowHash,
    /// Names of single rows in the ledger.
    RowName,
    /// Marks of erased rows.
    Tombstone,
    /// Tokens that stand for values.
    Tokens,
    /// Quarantine fragments.
    Quarantine,
    /// Lists of the rows that somebody saw.
    Sidecar,
    /// Sessions of the web app. A new key ends every session.
    Session,
    /// Second factors and codes of people, sealed or hashed.
    Credential,
    /// Names of accounts, addresses and guesses in the count of failed sign-ins.
    Attempt,
    /// Secrets of webhooks, mail and identity providers.
    Outgoing,
    /// Names of customers whom a host app names, and the addresses that are theirs alone.
    Subject,
    /// Addresses that notices go to: hashed, sealed, and in the links that end a stream. Never rotated: who has
    /// unsubscribed is known by it.
    Recipient,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Purpose; 12] = [
        Purpose::RowHash,
        Purpose::RowName,
        Purpose::Tombstone,
        Purpose::Tokens,
        Purpose::Quarantine,
        Purpose::Sidecar,
        Purpose::Session,
        Purpose::Credential,
        Purpose::Attempt,
        Purpose::Outgoing,
        Purpose::Subject,
        Purpose::Recipient,
    ];

    /// The word on the command line and in key ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::RowHash => "row_hash",
            Purpose::RowName => "row_name",
            Purpose::Tombstone => "tombstone",
            Purpose::Tokens => "tokens",
            Purpose::Quarantine => "quarantine",
            Purpose::Sidecar => "sidecar",
            Purpose::Session => "session",
            Purpose::Credential => "credential",
            Purpose::Attempt => "attempt",
            Purpose::Outgoing => "outgoing",
            Purpose::Subject => "subject",
            Purpose::Recipient => "recipient",
        }
    }

    /// The purpose that this word names.
    pub fn parse(text: &str) -> Option<Purpose> {
        Purpose::ALL.into_iter().find(|p| p.as_str() == text)
    }
}

/// Where keys are kept: a folder with one folder for each workspace.
#[derive(Debug, Clone, Default)]
pub struct KeyOptions {
    /// `None` means `$DUNLIN_KEYS`, or else `~/.config/dunlin/keys`.
    pub folder: Option<PathBuf>,
}

impl KeyOptions {
    /// As the environment says.
    pub fn from_env() -> KeyOptions {
        KeyOptions::default()
    }

    /// In this folder.
    pub fn at(folder: &Path) -> KeyOptions {
        KeyOptions { folder: Some(folder.to_owned()) }
    }

    /// The folder of one workspace's keys.
    pub(crate) fn folder_of(&self, workspace: &str) -> Result<PathBuf, StoreError> {
        let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let folder = self
            .folder
            .clone()
            .or_else(|| set("DUNLIN_KEYS"))
            .or_else(|| set("HOME").map(|home| home.join(".config/dunlin/keys")))
            .ok_or(StoreError::NoKeyFolder)?;
        Ok(folder.join(workspace))
    }
}

/// A key, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// What it is for.
    pub purpose: Purpose,
    /// Its id, e.g. `tokens-2`.
    pub id: String,
    /// When it was made, in microseconds since 1970 UTC.
    pub created_at: i64,
    /// Whether new work uses it.
    pub current: bool,
}

/// The keys of a workspace.
pub struct Keyring {
    folder: PathBuf,
    file: RwLock<KeyFile>,
}

/// The file `keyring.json`.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct KeyFile {
    version: u32,
    workspace: String,
    root: String,
    ledger_seed: String,
    #[zeroize(skip)]
    keys: Vec<KeyLine>,
}

#[derive(Clone, Serialize, Deserialize)]
struct KeyLine {
    purpose: Purpose,
    id: String,
    created_at: i64,
    salt: String,
}

const FILE: &str = "keyring.json";

impl KeyFile {
    fn has(&self, purpose: Purpose, id: &str) -> bool {
        self.keys.iter().any(|k| k.purpose == purpose && k.id == id)
    }

    fn lacks(&self, purpose: Purpose) -> bool {
        !self.keys.iter().any(|k| k.purpose == purpose)
    }
}

impl Keyring {
    /// Makes new keys for a workspace. Fails where there are some already.
    pub(crate) fn create(options: &KeyOptions, workspace: &str) -> Result<Keyring, StoreError> {
        let folder = options.folder_of(workspace)?;
        if folder.join(FILE).exists() {
            return Err(StoreError::KeysPresent(folder));
        }
        let mut file = KeyFile {
            version: 1,
            workspace: workspace.to_owned(),
            root: hex::encode(*Zeroizing::new(random::<32>()?)),
            ledger_seed: hex::encode(*Zeroizing::new(random::<32>()?)),
            keys: Vec::new(),
        };
        for purpose in Purpose::ALL {
            file.keys.push(new_line(&file.keys, purpose)?);
        }
        write(&folder, &file)?;
        Ok(Keyring { folder, file: RwLock::new(file) })
    }

    /// Reads the keys of a workspace; refuses a file that others can read.
    pub(crate) fn open(options: &KeyOptions, workspace: &str) -> Result<Keyring, StoreError> {
        let folder = options.folder_of(workspace)?;
        let mut file = read_file(&folder)?;
        if file.workspace != workspace {
            return Err(StoreError::KeysDamaged(folder.join(FILE)));
        }
        if Purpose::ALL.iter().any(|p| file.lacks(*p)) {
            file = complete(&folder)?;
        }
        Ok(Keyring { folder, file: RwLock::new(file) })
    }

    /// The folder that holds them.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The current key for a purpose.
    pub fn key(&self, purpose: Purpose) -> Result<Key, StoreError> {
        let id = self.key_id(purpose)?;
        self.key_by_id(purpose, &id)
    }

    /// The id of the current key for a purpose.
    pub fn key_id(&self, purpose: Purpose) -> Result<String, StoreError> {
        let file = self.read();
        let line = file.keys.iter().rev().find(|k| k.purpose == purpose);
        line.map(|k| k.id.clone()).ok_or_else(|| StoreError::NoSuchKey(purpose.as_str().to_owned()))
    }

    /// A key that may have been replaced since, e.g. for a fragment that names it.
    pub fn key_by_id(&self, purpose: Purpose, id: &str) -> Result<Key, StoreError> {
        if !self.read().has(purpose, id) {
            // Another process may have rotated since we read the file.
            let fresh = read_file(&self.folder)?;
            *self.file.write().unwrap_or_else(std::sync::PoisonError::into_inner) = fresh;
        }
        let file = self.read();
        let missing = || StoreError::NoSuchKey(id.to_owned());
        let line = file.keys.iter().find(|k| k.purpose == purpose && k.id == id).ok_or_else(missing)?;
        let root = seed(&file.root).ok_or_else(|| StoreError::KeysDamaged(self.folder.join(FILE)))?;
        let info = format!("dunlin/v1/{}/{id}", purpose.as_str());
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(line.salt.as_bytes()), &root[..])
            .expand(info.as_bytes(), &mut key[..])
            .map_err(|_| missing())?;
        Ok(key)
    }

    /// The name (hex) of a single row in the ledger: meaningless once the subject's salt is shredded.
    /// `row` is the row's key in a canonical form.
    pub fn row_name(&self, salt: &[u8; 16], table: &str, row: &[u8]) -> Result<String, StoreError> {
        Ok(keyed(&self.key(Purpose::RowName)?, &[salt, table.as_bytes(), row]))
    }

    /// The mark (hex) of an erased row, by which a later run knows it again.
    pub fn tombstone(&self, table: &str, row: &[u8]) -> Result<String, StoreError> {
        Ok(keyed(&self.key(Purpose::Tombstone)?, &[table.as_bytes(), row]))
    }

    /// A name (hex) under the first key of a purpose: it stays the same when the purpose gets a new key.
    pub(crate) fn named(&self, purpose: Purpose, parts: &[&[u8]]) -> Result<String, StoreError> {
        let first = format!("{}-1", purpose.as_str());
        Ok(keyed(&self.key_by_id(purpose, &first)?, parts))
    }

    /// All keys, the oldest first, without the keys themselves.
    pub fn list(&self) -> Vec<KeyInfo> {
        let file = self.read();
        let newest = |line: &KeyLine| file.keys.iter().rev().find(|k| k.purpose == line.purpose);
        let info = |line: &KeyLine| KeyInfo {
            purpose: line.purpose,
            id: line.id.clone(),
            created_at: line.created_at,
            current: newest(line).is_some_and(|n| n.id == line.id),
        };
        file.keys.iter().map(info).collect()
    }

    /// Gives a purpose a new key; what was made with the older ones stays readable. Returns the new id.
    /// The caller enters `KeysRotated`; [`crate::Workspace::rotate_key`] does both.
    pub fn rotate(&self, purpose: Purpose) -> Result<String, StoreError> {
        // Two processes that rotate take turns, and each starts from what the other has written.
        let _turn = crate::lock::wait_for(&self.folder.join("keyring.lock"))?;
        let mut file = self.file.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut changed = read_file(&self.folder)?;
        let line = new_line(&changed.keys, purpose)?;
        let id = line.id.clone();
        changed.keys.push(line);
        write(&self.folder, &changed)?;
        *file = changed;
        Ok(id)
    }

    /// Copies the keys to a file (0600) that must not exist yet.
    pub fn export(&self, to: &Path) -> Result<(), StoreError> {
        if to.exists() {
            return Err(StoreError::KeysPresent(to.to_owned()));
        }
        let text = text_of(&self.read())?;
        replace_file(to, text.as_bytes(), 0o600).map_err(StoreError::io(to))
    }

    /// Puts exported keys where they belong; refused where there are keys already. Returns the workspace's id.
    pub fn import(options: &KeyOptions, from: &Path) -> Result<String, StoreError> {
        let text = Zeroizing::new(fs::read_to_string(from).map_err(StoreError::io(from))?);
        let file = parse(&text, from)?;
        let folder = options.folder_of(&file.workspace)?;
        if folder.join(FILE).exists() {
            return Err(StoreError::KeysPresent(folder));
        }
        write(&folder, &file)?;
        Ok(file.workspace.clone())
    }

    /// The ledger's private key.
    pub fn signer(&self) -> Result<Signer, StoreError> {
        let file = self.read();
        let seed = seed(&file.ledger_seed).ok_or_else(|| StoreError::KeysDamaged(self.folder.join(FILE)))?;
        Ok(Signer::from_seed(&format!("dunlin/{}", file.workspace), &seed)?)
    }

    /// The ledger's public key; its text is what a plan pins.
    pub fn verifier(&self) -> Result<Verifier, StoreError> {
        Ok(self.signer()?.verifier()?)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, KeyFile> {
        self.file.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Gives keys that an older dunlin made the purposes that have come since.
fn complete(folder: &Path) -> Result<KeyFile, StoreError> {
    let _turn = crate::lock::wait_for(&folder.join("keyring.lock"))?;
    let mut file = read_file(folder)?;
    for purpose in Purpose::ALL {
        if file.lacks(purpose) {
            file.keys.push(new_line(&file.keys, purpose)?);
        }
    }
    write(folder, &file)?;
    Ok(file)
}

/// Keyed BLAKE3, a MAC, over parts that cannot run into each other.
fn keyed(key: &Key, parts: &[&[u8]]) -> String {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().to_hex().to_string()
}

fn new_line(keys: &[KeyLine], purpose: Purpose) -> Result<KeyLine, StoreError> {
    let number = keys.iter().filter(|k| k.purpose == purpose).count() + 1;
    Ok(KeyLine {
        purpose,
        id: format!("{}-{number}", purpose.as_str()),
        created_at: now_us(),
        salt: hex::encode(random::<16>()?),
    })
}

fn seed(hex_text: &str) -> Option<Key> {
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(hex_text, &mut bytes[..]).ok()?;
    Some(bytes)
}

fn parse(text: &str, path: &Path) -> Result<KeyFile, StoreError> {
    let damaged = || StoreError::KeysDamaged(path.to_owned());
    let file: KeyFile = serde_json::from_str(text).map_err(|_| damaged())?;
    // The workspace's id becomes a folder's name.
    let plain = file.workspace.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let whole = file.version == 1 && plain && !file.workspace.is_empty();
    if whole && seed(&file.root).is_some() && seed(&file.ledger_seed).is_some() {
        Ok(file)
    } else {
        Err(damaged())
    }
}

/// Reads the keys in a folder; refuses a file that others can read.
fn read_file(folder: &Path) -> Result<KeyFile, StoreError> {
    let path = folder.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => Zeroizing::new(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::KeysMissing(folder.to_owned()));
        }
        Err(e) => return Err(StoreError::io(&path)(e)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).map_err(StoreError::io(&path))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(StoreError::KeysExposed(path));
        }
    }
    parse(&text, &path)
}

fn text_of(file: &KeyFile) -> Result<Zeroizing<String>, StoreError> {
    let text = serde_json::to_string_pretty(file).map_err(|_| StoreError::Damaged("the keys"))?;
    Ok(Zeroizing::new(text))
}

fn write(folder: &Path, file: &KeyFile) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(StoreError::io(folder))?;
    let path = folder.join(FILE);
    point("keys::write.before").map_err(StoreError::io(&path))?;
    replace_file(&path, text_of(file)?.as_bytes(), 0o600).map_err(StoreError::io(&path))
}
