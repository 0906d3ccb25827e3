//! What the generator promises: the counts it reports are those in the files, and one seed gives one result.

use sqlx::Row;

use super::*;

async fn count(connection: &mut SqliteConnection, sql: &'static str) -> u64 {
    let row = sqlx::query(sql).fetch_one(connection).await.unwrap();
    u64::try_from(row.get::<i64, _>(0)).unwrap()
}

async fn open(dir: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(dir.join("legacy/crm.db")).read_only(true).connect().await.unwrap()
}

#[tokio::test]
async fn what_is_counted_is_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let facts = generate(dir.path(), 4_000, 7).await.unwrap();
    let mut db = open(dir.path()).await;
    let checks = [
        ("select count(*) from customers", facts.customers),
        ("select count(*) from customers where status = 'test'", facts.test_customers),
        ("select count(*) from customers where closed_at is not null", facts.closed_long_ago),
        ("select count(*) from customers where dob like '31/02/%'", facts.impossible_dates),
        ("select count(*) from customers where dob like '____.__.__'", facts.unlisted_date_formats),
        (
            "select count(*) from customers where typeof(loyalty_points) = 'text'",
            facts.text_in_loyalty_points,
        ),
        ("select count(*) from customers where notes like 'paid by card%'", facts.card_numbers_in_notes),
        (
            "select count(*) from customers where email not like '%_@_%._%' or email like '%@@%' or email like '%@ %'",
            facts.broken_emails + facts.email_sentinels,
        ),
        ("select count(*) from orders", facts.orders),
        ("select count(*) from orders where channel = 'test'", facts.test_orders),
        (
            "select count(*) from orders where customer_id not in (select customer_id from customers)",
            facts.orphan_orders,
        ),
        ("select count(*) from orders where amount like '%000000.00'", facts.fat_finger_amounts),
        ("select count(*) from orders where amount glob '[A-Za-z]*'", facts.missing_amounts),
        ("select count(*) from orders where typeof(items) = 'text'", facts.text_in_items),
        ("select count(*) from tickets", facts.tickets),
        ("select count(*) from countries", facts.countries),
    ];
    for (sql, expected) in checks {
        assert_eq!(count(&mut db, sql).await, expected, "{sql}");
        assert!(expected > 0, "nothing planted: {sql}");
    }
}

#[tokio::test]
async fn files_hold_what_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let facts = generate(dir.path(), 4_000, 7).await.unwrap();
    let (mut lines, mut short, mut latin1) = (0, 0, 0);
    for name in ["accounts-1.csv", "accounts-2.csv"] {
        let bytes = fs::read(dir.path().join("legacy/accounts").join(name)).unwrap();
        for line in bytes.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty()) {
            lines += 1;
            short += u64::from(line.iter().filter(|byte| **byte == b',').count() == 1);
            latin1 += u64::from(std::str::from_utf8(line).is_err());
        }
    }
    assert_eq!((lines, short, latin1), (facts.accounts, facts.short_lines, facts.latin1_branches));
    assert!(short > 0 && latin1 > 0);
}

#[tokio::test]
async fn one_seed_gives_one_result_and_another_seed_another() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let mut sums = Vec::new();
    for (dir, seed) in dirs.iter().zip([1, 1, 2]) {
        let facts = generate(dir.path(), 1_500, seed).await.unwrap();
        let accounts = fs::read(dir.path().join("legacy/accounts/accounts-2.csv")).unwrap();
        let mut db = open(dir.path()).await;
        let sql = "select group_concat(email || dob || hex(last_name)) from customers";
        let people: String = sqlx::query(sql).fetch_one(&mut db).await.unwrap().get(0);
        sums.push((facts, accounts, people));
    }
    assert!(sums[0] == sums[1]);
    assert!(sums[0] != sums[2]);
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    generate(dir.path(), 10, 1).await.unwrap();
    assert!(matches!(generate(dir.path(), 10, 1).await, Err(DemoError::Exists(_))));
    write_plan(dir.path()).unwrap();
    assert!(matches!(write_plan(dir.path()), Err(DemoError::Exists(_))));
    assert!(dir.path().join("notices/2026-move.en.md").exists());
}

#[tokio::test]
async fn shares_are_those_of_a_real_system() {
    let dir = tempfile::tempdir().unwrap();
    let facts = generate(dir.path(), 10_000, 2026).await.unwrap();
    assert_eq!(facts.quarantined_customers(), 90);
    assert_eq!(facts.excluded_customers(), 50);
    assert_eq!(facts.orders, 40_000);
    let orders_with_a_fault = facts.quarantined_orders() - facts.orders_of_quarantined;
    assert!((100..=140).contains(&orders_with_a_fault), "{orders_with_a_fault}");
    assert_eq!(facts.quarantined_accounts(), facts.short_lines + facts.latin1_branches);
}

#[test]
fn the_plan_is_one() {
    let plan = dunlin_plan::load(PLAN, "dunlin.toml").unwrap_or_else(|findings| panic!("{findings}"));
    assert_eq!(plan.findings, []);
    assert_eq!(plan.tables.len(), 5);
    assert_eq!(plan.people.len(), 3);
}
