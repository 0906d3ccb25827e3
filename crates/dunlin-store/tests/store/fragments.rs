//! Quarantine fragments: encrypted, complete or absent, and honest about damage.

use dunlin_store::{Actor, FragmentError, FragmentRef, Fragments, Purpose, StoreError, Workspace};
use proptest::prelude::*;

use super::{CANARY, Folders, files, says_nothing};

fn write(fragments: &Fragments, name: &str, rows: &[Vec<u8>]) -> dunlin_store::FragmentInfo {
    let mut writer = fragments.create("r1", "crm.customers", name).unwrap();
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(writer.push(row).unwrap(), n as u32);
    }
    writer.finish().unwrap()
}

fn read(fragments: &Fragments, name: &str) -> Result<Vec<Vec<u8>>, StoreError> {
    fragments.open("r1", "crm.customers", name)?.collect()
}

fn place(name: &str) -> FragmentRef {
    FragmentRef { run: "r1".to_owned(), table: "crm.customers".to_owned(), name: name.to_owned() }
}

fn file_of(workspace: &Workspace, name: &str) -> std::path::PathBuf {
    workspace.state_dir.join("quarantine/r1/crm%2ecustomers").join(format!("{name}.dqf"))
}

#[tokio::test]
async fn rows_come_back_and_no_value_lies_on_the_disk() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let fragments = workspace.fragments();
    // Several frames, an empty row, and one row longer than a frame.
    let mut rows: Vec<Vec<u8>> =
        (0..1500).map(|n| format!("{n} {}", CANARY.repeat(40)).into_bytes()).collect();
    rows.push(Vec::new());
    rows.push(vec![b'z'; (1 << 20) + 1]);
    let info = write(&fragments, "00001", &rows);
    assert_eq!(info.rows as usize, rows.len());
    assert_eq!(info.blake3, fragments.blake3(&place("00001")).unwrap());
    assert_eq!(read(&fragments, "00001").unwrap(), rows);
    for file in files(&workspace.state_dir) {
        let bytes = std::fs::read(&file).unwrap();
        let found = String::from_utf8_lossy(&bytes).contains(CANARY);
        assert!(!found, "{}", file.display());
    }
}

#[tokio::test]
async fn old_fragments_stay_readable_after_rotation() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let fragments = workspace.fragments();
    write(&fragments, "old", &[b"a".to_vec()]);
    workspace.rotate_key(Purpose::Quarantine, Actor::System).await.unwrap();
    write(&fragments, "new", &[b"b".to_vec()]);
    let again = folders.open().await.fragments();
    assert_eq!(read(&again, "old").unwrap(), [b"a"]);
    assert_eq!(read(&again, "new").unwrap(), [b"b"]);
}

#[tokio::test]
async fn an_unfinished_fragment_leaves_nothing() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let fragments = workspace.fragments();
    let mut writer = fragments.create("r1", "crm.customers", "00001").unwrap();
    writer.push(b"row").unwrap();
    assert!(fragments.list("r1").unwrap().is_empty());
    drop(writer);
    assert!(files(&workspace.state_dir.join("quarantine")).is_empty());
    // Nor does an empty one fail.
    write(&fragments, "00002", &[]);
    assert_eq!(read(&fragments, "00002").unwrap(), Vec::<Vec<u8>>::new());
}

#[tokio::test]
async fn fragments_are_listed_and_removed() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let fragments = workspace.fragments();
    let tables = ["crm.customers", "CRM.\"Kunden/Ä\" 100%", "../../etc"];
    for table in tables {
        fragments.create("r1", table, "00001").unwrap().finish().unwrap();
    }
    let listed = fragments.list("r1").unwrap();
    let mut seen: Vec<&str> = listed.iter().map(|f| f.table.as_str()).collect();
    seen.sort();
    let mut expected = tables.to_vec();
    expected.sort();
    assert_eq!(seen, expected);
    assert_eq!(files(&workspace.state_dir.join("quarantine")).len(), 3);
    for at in &listed {
        fragments.remove(at).unwrap();
        fragments.remove(at).unwrap();
    }
    assert!(fragments.list("r1").unwrap().is_empty());
    assert!(fragments.list("r2").unwrap().is_empty());
    let error = fragments.create("r1", "t", "../x").err().unwrap();
    insta::assert_snapshot!(error, @"a fragment's name is made of a-z 0-9 - _ and is 1 to 64 characters long");
    let leftover = workspace.state_dir.join("quarantine/r1/crm%2ecustomers/00009.dqf.tmp");
    std::fs::write(leftover, "half").unwrap();
    assert!(fragments.list("r1").unwrap().is_empty());
    assert_eq!(fragments.remove_unfinished("r1").unwrap(), 1);
}

#[tokio::test]
async fn a_fragment_belongs_to_its_table_and_run() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let fragments = workspace.fragments();
    write(&fragments, "00001", &[CANARY.into()]);
    std::fs::copy(file_of(&workspace, "00001"), file_of(&workspace, "00002")).unwrap();
    let error = read(&fragments, "00002").unwrap_err();
    insta::assert_snapshot!(error, @"the quarantine fragment `00002` was changed or is damaged");
    says_nothing(error);
}

#[tokio::test]
async fn damage_and_truncation_are_caught_everywhere() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let fragments = workspace.fragments();
    // Every byte of a small one, and some of one with several frames.
    let small: Vec<Vec<u8>> = (0..3).map(|n| format!("{n}{CANARY}").into_bytes()).collect();
    let large: Vec<Vec<u8>> = (0..5).map(|n| format!("{n}{}", CANARY.repeat(11_000)).into_bytes()).collect();
    for (rows, samples) in [(&small, usize::MAX), (&large, 4)] {
        write(&fragments, "00001", rows);
        let path = file_of(&workspace, "00001");
        let whole = std::fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by((whole.len() / samples).max(1)) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            says_nothing(read(&fragments, "00001").expect_err("a changed byte"));
            std::fs::write(&path, &whole[..at]).unwrap();
            says_nothing(read(&fragments, "00001").expect_err("a cut file"));
        }
    }
    write(&fragments, "00001", &large);
    let path = file_of(&workspace, "00001");
    let whole = std::fs::read(&path).unwrap();
    assert!(whole.len() > 1 << 20, "more than one frame");
    // Cut between two frames, where every frame that is left is whole.
    let header = 6 + usize::from(u16::from_le_bytes([whole[4], whole[5]]));
    let frame = u32::from_le_bytes(whole[header..header + 4].try_into().unwrap()) as usize;
    std::fs::write(&path, &whole[..header + 4 + frame]).unwrap();
    let error = read(&fragments, "00001").unwrap_err();
    assert!(matches!(error, StoreError::Fragment(FragmentError::Truncated(_))), "{error}");
    // Something was added.
    std::fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert!(read(&fragments, "00001").is_err());
}

#[cfg(feature = "failpoints")]
#[tokio::test]
async fn a_crash_leaves_the_old_fragment_or_the_new_one() {
    let scenario = fail::FailScenario::setup();
    let folders = Folders::new();
    let workspace = folders.open().await;
    let fragments = workspace.fragments();
    for name in dunlin_store::FAILPOINTS.iter().filter(|n| n.starts_with("fragment::")) {
        write(&fragments, "00001", &[b"old".to_vec()]);
        fail::cfg(*name, "return").unwrap();
        let attempt = fragments.create("r1", "crm.customers", "00001").and_then(|mut writer| {
            writer.push(b"new")?;
            writer.finish()
        });
        fail::remove(*name);
        assert!(attempt.is_err(), "{name} is never passed");
        let rows = read(&fragments, "00001").unwrap();
        let new = *name == "fragment::rename.after";
        assert_eq!(rows, [if new { b"new" } else { b"old" }], "{name}");
    }
    scenario.teardown();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_rows_come_back(rows in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..50)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folders = Folders::new();
        let workspace = runtime.block_on(folders.open());
        let fragments = workspace.fragments();
        write(&fragments, "00001", &rows);
        prop_assert_eq!(read(&fragments, "00001").unwrap(), rows);
    }
}
