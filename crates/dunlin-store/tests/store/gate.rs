//! The gate over the state: the entry is durable before a value leaves.

use dunlin_gate::{Ask, ColumnInfo, MaskedOnly, Refused, Rows, Sealed, Shown, open};
use dunlin_ledger::Log;
use dunlin_store::{Actor, Entry, Workspace};

use super::{CANARY, Folders, says_nothing};

fn sealed() -> Sealed<Rows> {
    let column = |name: &str, kind: &str| ColumnInfo { name: name.into(), kind: Some(kind.into()) };
    Sealed::seal(Rows {
        store: "crm".into(),
        table: "crm.customers".into(),
        columns: vec![column("email", "email"), column("notes", "free_text")],
        rows: vec![vec![Some("ana@example.com".into()), Some(CANARY.into())], vec![None, None]],
    })
}

fn ana() -> Actor {
    Actor::Local { user: "ana".into() }
}

async fn ledger(workspace: &Workspace) -> Vec<String> {
    workspace.integrate().await.unwrap();
    let log = Log::open(&workspace.ledger_dir(), &workspace.keys().verifier().unwrap()).unwrap();
    let body = |bytes: Vec<u8>| serde_json::to_string(&Entry::from_bytes(&bytes).unwrap().body).unwrap();
    log.entries(1).map(|e| body(e.unwrap())).collect()
}

#[tokio::test]
async fn masked_rows_are_entered_and_hold_no_values() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let opened = open(sealed(), &MaskedOnly, workspace.state(), &Ask::masked(ana()), "a1").await.unwrap();
    assert_eq!(opened.shown, [Shown::Masked, Shown::Masked]);
    assert_eq!(opened.rows, [vec![Some("a•••@e•••.com".into()), Some("•••".into())], vec![None, None]]);
    opened.close(workspace.state()).await.unwrap();
    insta::assert_snapshot!(ledger(&workspace).await.join("\n"), @r#"
    {"kind":"access_opened","access":"a1","purpose_category":"inspection","purpose_hash":"","store":"crm","table":"crm.customers","columns":["email","notes"],"masks":{"email":"email","notes":"whole"}}
    {"kind":"access_rows","access":"a1","count":2,"root":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    {"kind":"access_closed","access":"a1","rows":2}
    "#);
}

#[tokio::test]
async fn clear_rows_need_a_purpose_which_stays_in_the_state() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let ask = Ask { clear: true, ..Ask::masked(ana()) };
    let Err(refused) = open(sealed(), &MaskedOnly, workspace.state(), &ask, "a1").await else {
        panic!("no purpose, no values");
    };
    says_nothing(&refused);
    insta::assert_snapshot!(refused, @r#"clear values need a purpose; say why: `--purpose CATEGORY:TEXT`, for example `--purpose "support_case:ticket 4711"`"#);
    let stranger = Ask::clear(Actor::Person { id: "p1".into() }, "support_case", "ticket 4711");
    let refused = open(sealed(), &MaskedOnly, workspace.state(), &stranger, "a1").await.err().unwrap();
    assert!(matches!(refused, Refused::Denied { .. }));
    insta::assert_snapshot!(ledger(&workspace).await.join("\n"), @r#"
    {"kind":"access_denied","action":"read","store":"crm","table":"crm.customers","reason_code":"purpose_needed"}
    {"kind":"access_denied","action":"read","store":"crm","table":"crm.customers","reason_code":"shell_only"}
    "#);

    let words = format!("ticket 4711 of {CANARY}");
    let ask = Ask { limit: Some(1), ..Ask::clear(ana(), "support_case", &words) };
    let opened = open(sealed(), &MaskedOnly, workspace.state(), &ask, "a2").await.unwrap();
    assert_eq!(opened.rows, [[Some("ana@example.com".into()), Some(CANARY.into())]]);
    opened.close(workspace.state()).await.unwrap();
    let entries = ledger(&workspace).await;
    assert!(!entries.join("").contains("4711"));
    let opened: serde_json::Value = serde_json::from_str(&entries[2]).unwrap();
    let hash = opened["purpose_hash"].as_str().unwrap();
    assert_eq!(workspace.state().text(hash).await.unwrap(), Some(words));
}

#[tokio::test]
async fn what_cannot_be_entered_is_not_shown() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    // A category that is a sentence is refused by the ledger.
    let ask = Ask::clear(ana(), "because I want to", "x");
    let refused = open(sealed(), &MaskedOnly, workspace.state(), &ask, "a1").await.err().unwrap();
    says_nothing(&refused);
    insta::assert_snapshot!(refused, @"the access could not be entered into the ledger");
}

#[tokio::test]
async fn the_list_of_rows_is_an_encrypted_file_and_the_ledger_holds_its_root() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let mut tx = workspace.state().begin().await.unwrap();
    let salt = tx.subject_salt("s1").await.unwrap();
    tx.commit().await.unwrap();
    let names: Vec<String> = ["1", "2"]
        .iter()
        .map(|key| workspace.keys().row_name(&salt, "crm.customers", key.as_bytes()).unwrap())
        .collect();
    assert_ne!(names[0], names[1]);
    let ask = Ask { row_names: names.clone(), ..Ask::masked(ana()) };
    open(sealed(), &MaskedOnly, &workspace, &ask, "a1").await.unwrap();
    let kept: Result<Vec<Vec<u8>>, _> = workspace.sidecars().open("rows", "a1", "names").unwrap().collect();
    assert_eq!(kept.unwrap(), names.iter().map(|n| n.clone().into_bytes()).collect::<Vec<_>>());
    assert!(ledger(&workspace).await[1].contains(&dunlin_ledger::root_of(&names)));
}

#[tokio::test]
async fn a_table_of_1600_columns_can_be_seen() {
    let folders = Folders::new();
    let workspace = folders.open().await;
    let column = |n: usize| ColumnInfo { name: format!("{n:04}{}", "x".repeat(59)), kind: None };
    let columns: Vec<_> = (0..1600).map(column).collect();
    let rows = vec![vec![Some("v".to_owned()); 1600]];
    let rows = Sealed::seal(Rows { store: "s".into(), table: "t".into(), columns, rows });
    open(rows, &MaskedOnly, &workspace, &Ask::masked(ana()), "a1").await.unwrap();
    let entries = ledger(&workspace).await;
    for n in [0, 800, 1599] {
        assert_eq!(entries.iter().filter(|e| e.contains(&format!("\"{n:04}"))).count(), 1);
    }
}
