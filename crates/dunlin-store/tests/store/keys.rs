//! Keys: outside the workspace, private, one for each purpose, and readable after rotation.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dunlin_store::{Actor, KeyOptions, Keyring, Purpose, StoreError, Workspace};

use super::Folders;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn folders_and_files_are_private() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    assert_eq!(mode(&workspace.state_dir), 0o700);
    assert_eq!(fs::read_to_string(workspace.state_dir.join(".gitignore")).unwrap(), "*\n");
    assert_eq!(mode(workspace.keys().folder()), 0o700);
    assert_eq!(mode(&workspace.keys().folder().join("keyring.json")), 0o600);
    let again = folders.open().await;
    assert_eq!(again.id, workspace.id);
    fs::set_permissions(&workspace.state_dir, fs::Permissions::from_mode(0o755)).unwrap();
    folders.open().await;
    assert_eq!(mode(&workspace.state_dir), 0o700);
    assert_eq!(again.keys().verifier().unwrap(), workspace.keys().verifier().unwrap());
    assert_eq!(again.keys().key(Purpose::RowHash).unwrap(), workspace.keys().key(Purpose::RowHash).unwrap());
}

#[tokio::test]
async fn each_purpose_has_a_key_of_its_own_and_old_ones_stay() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let keys = workspace.keys();
    let mut all: Vec<[u8; 32]> = Purpose::ALL.iter().map(|p| *keys.key(*p).unwrap()).collect();
    let before = keys.key(Purpose::Tokens).unwrap();
    let id = workspace.rotate_key(Purpose::Tokens, Actor::System).await.unwrap();
    assert_eq!(id, "tokens-2");
    assert_eq!(keys.key_by_id(Purpose::Tokens, "tokens-1").unwrap(), before);
    all.push(*keys.key(Purpose::Tokens).unwrap());
    all.sort();
    all.dedup();
    assert_eq!(all.len(), Purpose::ALL.len() + 1, "one a purpose, and the tokens' second");
    let current: Vec<_> = keys.list().into_iter().filter(|k| k.purpose == Purpose::Tokens).collect();
    assert_eq!(
        current.iter().map(|k| (k.id.as_str(), k.current)).collect::<Vec<_>>(),
        [("tokens-1", false), ("tokens-2", true)]
    );
    assert_eq!(folders.open().await.keys().key_id(Purpose::Tokens).unwrap(), "tokens-2");
    insta::assert_snapshot!(keys.key_by_id(Purpose::Tokens, "row_hash-1").unwrap_err(), @"there is no key `row_hash-1`");
    assert_eq!(workspace.state().ledger_size().await.unwrap(), 2);
}

#[tokio::test]
async fn a_process_finds_the_keys_that_another_has_rotated() {
    let folders = Folders::new();
    let (server, command) = (folders.open().await, folders.open().await);
    let first = command.rotate_key(Purpose::Quarantine, Actor::System).await.unwrap();
    let second = server.rotate_key(Purpose::Quarantine, Actor::System).await.unwrap();
    assert_eq!((first.as_str(), second.as_str()), ("quarantine-2", "quarantine-3"));
    let key = server.keys().key_by_id(Purpose::Quarantine, &first).unwrap();
    assert_eq!(key, command.keys().key(Purpose::Quarantine).unwrap());
    command.keys().key_by_id(Purpose::Quarantine, &second).unwrap();
    assert!(command.keys().key_by_id(Purpose::Quarantine, "quarantine-4").is_err());
}

#[tokio::test]
async fn keys_do_not_lie_beside_the_data() {
    let folders = Folders::new();
    let inside = KeyOptions::at(&folders.work.path().join("keys"));
    let error = Workspace::open(folders.work.path(), &inside).await.err().unwrap();
    assert!(matches!(error, StoreError::KeysBesideData(_)), "{error}");
    let link = folders.keys.path().join("link");
    std::os::unix::fs::symlink(folders.work.path(), &link).unwrap();
    let error = Workspace::open(folders.work.path(), &KeyOptions::at(&link)).await.err().unwrap();
    assert!(matches!(error, StoreError::KeysBesideData(_)), "{error}");
}

#[tokio::test]
async fn lost_exposed_and_foreign_keys_are_refused() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let file = workspace.keys().folder().join("keyring.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let open = async || Workspace::open(folders.work.path(), &folders.options()).await.err().unwrap();
    assert!(matches!(open().await, StoreError::KeysExposed(_)));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"root\"", "\"rot\"")).unwrap();
    assert!(matches!(open().await, StoreError::KeysDamaged(_)));
    fs::write(&file, text.replace(&workspace.id, "00000000-0000-7000-8000-000000000000")).unwrap();
    assert!(matches!(open().await, StoreError::KeysDamaged(_)));
    fs::remove_file(&file).unwrap();
    let error = open().await;
    assert!(matches!(error, StoreError::KeysMissing(_)));
    let seed = text.split("\"root\": \"").nth(1).unwrap()[..64].to_owned();
    assert!(!format!("{error} {error:?}").contains(&seed));
}

#[tokio::test]
async fn exported_keys_come_back() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let copy = folders.keys.path().join("copy.json");
    workspace.keys().export(&copy).unwrap();
    assert_eq!(mode(&copy), 0o600);
    assert!(matches!(workspace.keys().export(&copy), Err(StoreError::KeysPresent(_))));
    let elsewhere = tempfile::tempdir().unwrap();
    let options = KeyOptions::at(elsewhere.path());
    assert_eq!(Keyring::import(&options, &copy).unwrap(), workspace.id);
    assert!(matches!(Keyring::import(&options, &copy), Err(StoreError::KeysPresent(_))));
    let again = Workspace::open(folders.work.path(), &options).await.unwrap();
    assert_eq!(again.keys().verifier().unwrap(), workspace.keys().verifier().unwrap());
    fs::write(&copy, "{\"workspace\": \"../../etc\"}").unwrap();
    assert!(matches!(Keyring::import(&options, &copy), Err(StoreError::KeysDamaged(_))));
}
