//! Control totals: amounts added up on both sides, month by month, to the last digit; what differs is told, and so is a
//! decision on a row after the load.

use serde_json::Value;

use crate::support::{Done, Site, pg, postgres};

const HEAD: &str =
    "[plan]\nname = \"Books\"\n[store.old]\nurl = \"sqlite:old.db\"\n[store.new]\nurl = \"sqlite:new.db\"\n";

const TABLE: &str = "[[table]]\nfrom = \"old.postings\"\nto = \"new.postings\"\nkey = [\"id\"]\n\
    [table.columns]\nid = \"id\"\nposted_on = { clean = \"date\", from = \"posted\" }\n\
    amount = \"cast(cents as decimal(18, 2)) / 100\"\nfee = { clean = \"number\", from = \"fee\" }\n\
    [table.totals]\nperiod = \"posted_on\"\nsum = [\"amount\", \"fee\"]\n\
    source = { amount = \"cast(cents as decimal(18, 2)) / 100\" }\n";

/// Two postings of January, two of February of which one has a date that is none, one without amounts.
const DATA: &str = "
    create table postings (id integer primary key, posted text, cents bigint, fee text);
    insert into postings values
        (1, '2026-01-05', 10, '0.10'), (2, '2026-01-31', 20, '0.20'),
        (3, '2026-02-01', -12345, '1.005'), (4, '2026-02-30', 700, '7'),
        (5, '2026-03-01', null, null);
";

fn books(data: &str) -> Site {
    let site = Site::with_plan(&format!("{HEAD}{TABLE}"));
    site.sql("old.db", data);
    site
}

fn totals(done: &Done) -> Value {
    done.table("new.postings")["totals"].clone()
}

/// The line of a column and month.
fn line(totals: &Value, column: &str, month: Option<&str>) -> Value {
    let lines = totals["lines"].as_array().unwrap();
    let found = lines.iter().find(|line| line["column"] == column && line["month"].as_str() == month);
    found.unwrap_or_else(|| panic!("no {column} {month:?} in {totals}")).clone()
}

#[test]
fn the_sums_of_both_sides_are_equal_to_the_last_digit() {
    let site = books(DATA);
    let run = site.moved();
    let sums = totals(&run);
    assert_eq!(sums["agree"], true, "{sums}");
    let january = line(&sums, "fee", Some("2026-01"));
    // A tenth and two tenths, which no binary float adds up to three.
    assert_eq!((&january["loaded"], &january["target"]), (&"0.30".into(), &"0.30".into()));
    assert_eq!((&january["loaded_rows"], &january["difference"]), (&2.into(), &"0.00".into()));
    let february = line(&sums, "fee", Some("2026-02"));
    assert_eq!(february["target"], "1.005");
    // The row whose date is none waits; it was read, and has no month.
    let waiting = line(&sums, "amount", None);
    assert_eq!((&waiting["read_rows"], &waiting["loaded_rows"]), (&1.into(), &0.into()));
    assert!(waiting["read"].as_str().unwrap().starts_with("7.00"), "{waiting}");
    let verified = site.verify().expect(0);
    assert_eq!(totals(&verified)["lines"], sums["lines"]);
    let words = site.dunlin(&["verify"]).expect(0);
    assert!(words.out.contains("control totals agree"), "{}", words.out);
}

#[test]
fn an_amount_that_the_plan_makes_wrong_is_told_and_ends_with_1() {
    let site = books(DATA);
    // Every row arrives as the plan says, so the hashes agree; the books do not.
    site.edit_plan(
        "amount = \"cast(cents as decimal(18, 2)) / 100\"\nfee",
        "amount = \"cast(cents as decimal(18, 2)) / 10\"\nfee",
    );
    let run = site.run(&[]).expect(1);
    assert_eq!(run.table("new.postings")["reconciled"], true);
    let sums = totals(&run);
    assert_eq!(sums["agree"], false);
    let january = line(&sums, "amount", Some("2026-01"));
    let sum = |side: &str| january[side].as_str().unwrap().trim_end_matches('0').to_owned();
    assert_eq!((sum("loaded"), sum("target"), sum("difference")), ("0.3".into(), "3.".into(), "2.7".into()));
    assert_eq!(line(&sums, "fee", Some("2026-01"))["difference"], "0.00");
    let words = site.dunlin(&["verify"]).expect(1);
    assert!(
        words.out.contains("amount 2026-01") && words.out.contains("of 6 control totals differ"),
        "{}",
        words.out
    );
    let report = site.dunlin(&["report"]);
    assert_eq!(report.code, 1, "{report:?}");
    let page = std::fs::read_to_string(site.path("report/report.html")).unwrap();
    assert!(page.contains("Control totals") && page.contains("control totals differ"));
    // The sums are no business of the ledger.
    let ledger = site.dunlin(&["ledger", "export"]).expect(0).out;
    assert!(ledger.contains("totals_compared"), "{ledger}");
    assert!(!ledger.contains("2.70") && !ledger.contains("123.45"), "a sum is in the ledger");
}

#[test]
fn a_row_that_somebody_lets_in_later_or_changes_behind_our_back_is_in_the_sums() {
    let site = books(DATA);
    site.moved();
    let group = site.waiting()[0]["group"].as_str().unwrap().to_owned();
    site.dunlin(&["quarantine", "fix", &group, "--set", "posted = '2026-02-28'"]).expect(0);
    let after = totals(&site.verify().expect(0));
    assert_eq!(after["agree"], true, "{after}");
    let february = line(&after, "amount", Some("2026-02"));
    assert_eq!(february["loaded_rows"], 2, "{after}");
    site.sql("new.db", "update postings set fee = '0.11' where id = 1");
    let spoiled = totals(&site.verify().expect(1));
    let january = line(&spoiled, "fee", Some("2026-01"));
    assert_eq!((&january["difference"], &january["target"]), (&"0.01".into(), &"0.31".into()));
}

#[test]
fn a_second_run_keeps_the_sums_of_what_it_does_not_load_again() {
    let site = books(DATA);
    site.moved();
    site.sql("old.db", "insert into postings values (6, '2026-04-02', 100, '0.01')");
    let again = totals(&site.moved());
    assert_eq!(again["agree"], true, "{again}");
    assert_eq!(line(&again, "fee", Some("2026-01"))["target"], "0.30");
    assert_eq!(line(&again, "fee", Some("2026-04"))["target"], "0.01");
}

#[test]
fn what_cannot_be_added_up_is_told_before_a_row_moves() {
    let site = books(DATA);
    site.edit_plan("sum = [\"amount\", \"fee\"]", "sum = [\"amount\", \"posted_on\"]");
    let check = site.dunlin(&["check", "--format", "json"]);
    assert_eq!(check.code, 1, "{check:?}");
    assert!(check.out.contains("move-totals") && check.out.contains("cannot be added up"), "{}", check.out);
    let site = books(DATA);
    site.edit_plan("\nsource = { amount = \"cast(cents as decimal(18, 2)) / 100\" }", "");
    let check = site.dunlin(&["check", "--format", "json"]);
    assert!(check.out.contains("source = { amount"), "says how to mend it: {}", check.out);
    let site = books(DATA);
    site.edit_plan("sum = [\"amount\", \"fee\"]", "sum = [\"amount\", \"fees\"]");
    let wrong = site.dunlin(&["check"]);
    assert!(
        wrong.err.contains("did you mean `fee`?") || wrong.out.contains("did you mean `fee`?"),
        "{wrong:?}"
    );
}

#[test]
fn rows_that_were_there_before_are_not_counted_as_ours() {
    let site = books(DATA);
    site.edit_plan("key = [\"id\"]", "key = [\"id\"]\ninto = \"append\"");
    site.sql(
        "new.db",
        "create table postings (id integer primary key, posted_on text, amount text, fee text); \
         insert into postings values (900, '2026-01-01', 5, '99.99')",
    );
    let sums = totals(&site.run(&[]).expect(0));
    assert_eq!(sums["agree"], true, "{sums}");
    assert_eq!(line(&sums, "fee", Some("2026-01"))["target"], "0.30");
}

#[test]
fn the_sums_of_postgres_numerics_agree_and_satisfy_the_books_rule() {
    let Some((from, to)) = postgres("from").zip(postgres("to")) else { return };
    pg(
        &from,
        "create table postings (id bigint primary key, posted_at timestamptz, amount numeric(20, 4), rate numeric); \
         insert into postings select i, timestamptz '2025-12-31 23:00:00Z' + i * interval '6 hours', i / 3.0, i / 7.0 \
             from generate_series(1, 5000) i",
    );
    let site = Site::with_plan(&format!(
        "[plan]\nname = \"Books\"\n[store.old]\nurl = \"{from}\"\n[store.new]\nurl = \"{to}\"\n\
         [comply]\npacks = [\"sox\"]\n[[table]]\nfrom = \"old.public.postings\"\nto = \"new.public.postings\"\n\
         key = [\"id\"]\n[table.totals]\nperiod = \"posted_at\"\nsum = [\"amount\", \"rate\"]\n"
    ));
    let sums = site.moved().table("new.public.postings")["totals"].clone();
    assert_eq!(sums["agree"], true, "{sums}");
    assert!(sums["lines"].as_array().unwrap().len() > 60, "{sums}");
    let matrix = site.dunlin(&["check", "--format", "json"]).json();
    let rule = matrix.iter().find(|line| line["rule"] == "SOX-404-04").unwrap();
    assert_eq!(rule["state"], "satisfied", "{rule}");
    assert!(rule["evidence"].to_string().contains("source and target: 0 differ"), "{rule}");
    pg(&to, "update postings set amount = amount + 0.0001 where id = 17");
    site.verify().expect(1);
    let matrix = site.dunlin(&["check", "--format", "json"]).json();
    let rule = matrix.iter().find(|line| line["rule"] == "SOX-404-04").unwrap();
    assert_eq!(rule["state"], "violated", "{rule}");
}

const ACCOUNTS: &str = "[subject]\ntable = \"new.account\"\nid = \"id\"\nemail = \"email\"\n\
    [[table]]\nfrom = \"old.account\"\nto = \"new.account\"\nkey = [\"id\"]\nbasis = \"contract\"\n\
    [table.columns]\nid = \"id\"\nemail = { from = \"email\", kind = \"email\" }\n\
    balance = { clean = \"number\", from = \"balance\" }\n[table.totals]\nsum = [\"balance\"]\n";

#[test]
fn a_customer_who_is_erased_leaves_the_sums_of_both_sides_and_a_correction_may_not_make_them_differ() {
    let site = Site::with_plan(&format!("{HEAD}{ACCOUNTS}"));
    site.sql(
        "old.db",
        "create table account (id integer primary key, email text, balance text);
         insert into account values (1, 'ana@example.com', '10.10'), (2, 'ben@example.com', '5.05'),
            (3, 'cyd@example.com', '0.30');",
    );
    site.moved();
    let sum = |done: &Done| {
        let totals = done.table("new.account")["totals"].clone();
        assert_eq!(totals["agree"], true, "{totals}");
        line(&totals, "balance", None)["target"].as_str().unwrap().to_owned()
    };
    assert_eq!(sum(&site.verify().expect(0)), "15.45");
    let open = |kind: &str, more: &[&str]| {
        let mut words = vec!["request", "open", "--format", "json", "--kind", kind, "--subject", "2"];
        words.extend(more);
        site.dunlin(&words)
    };
    let correction = open("rectification", &["--set", "new.account.balance=7"]);
    let told = format!("{}{}", correction.out, correction.err);
    assert!(correction.code != 0 && told.contains("added up"), "{told}");
    let id = open("erasure", &[]).expect(0).json()[0]["request"].as_str().unwrap().to_owned();
    let grant = ["request", "decide", &id, "--identity", "confirmed", "--grant", "--reason", "law:they may"];
    site.dunlin(&grant).expect(0);
    site.dunlin(&["request", "carry-out", &id, "--format", "json"]).expect(0);
    assert_eq!(sum(&site.verify().expect(0)), "10.40");
    // Once unchanged, once with everything read anew.
    assert_eq!(sum(&site.moved()), "10.40");
    site.sql("old.db", "update account set balance = '0.31' where id = 3");
    assert_eq!(sum(&site.moved()), "10.41");
    assert_eq!(sum(&site.verify().expect(0)), "10.41");
}

#[test]
fn a_survivor_may_not_take_over_what_is_added_up() {
    for (words, refused) in [("most complete; *: filled", true), ("most complete; memo: filled", false)] {
        let site =
            books(&DATA.replace("fee text);", "fee text, memo text);").replace(
                "insert into postings values",
                "insert into postings (id, posted, cents, fee) values",
            ));
        site.edit_plan(
            "amount = \"cast(cents as decimal(18, 2)) / 100\"\nfee",
            "memo = \"memo\"\namount = \"cast(cents as decimal(18, 2)) / 100\"\nfee",
        );
        site.edit_plan(
            "[table.totals]",
            &format!(
                "[table.duplicates]\nmatch = [\"posted_on + memo\"]\nsurvivor = \"{words}\"\n[table.totals]"
            ),
        );
        let check = site.dunlin(&["check", "--format", "json"]);
        let told = format!("{}{}", check.out, check.err);
        assert_eq!(told.contains("takes `amount` over"), refused, "{words}: {told}");
        assert!(check.code == 1 || !refused, "{words}: {told}");
    }
}
