//! The page and the screenful of a made-up report, of a failed one, and of one that attacks its reader.

use super::*;

fn hash_of(seed: u64) -> String {
    (0..4).map(|part| format!("{:016x}", (seed * 4 + part + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect()
}

fn group(group: &str, reason: &str, column: &str, pattern: &str, rows: u64) -> QuarantineGroup {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    QuarantineGroup {
        group: group.into(),
        reason: reason.into(),
        column: some(column),
        pattern: some(pattern),
        rows,
    }
}

fn column(column: &str, made_of: &str, kind: &str, class: &str, protect: &str) -> ColumnFacts {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ColumnFacts {
        column: column.into(),
        made_of: made_of.into(),
        kind: some(kind),
        class: some(class),
        protect: some(protect),
    }
}

fn rule(name: &str, check: &str, otherwise: &str, rows: u64) -> RuleFacts {
    RuleFacts { name: name.into(), check: check.into(), otherwise: otherwise.into(), rows }
}

fn dropped(column: &str, reason: &str) -> DroppedColumn {
    DroppedColumn { column: column.into(), reason: reason.into() }
}

fn exclusion(rule: &str, rows: u64) -> Exclusion {
    Exclusion { rule: rule.into(), rows }
}

/// A table with the five dispositions in their order.
fn table(from: &str, table: &str, seed: u64, rows: [u64; 5]) -> TableFacts {
    let [loaded, merged, quarantined, excluded, erased] = rows;
    TableFacts {
        from: from.into(),
        table: table.into(),
        source_rows: rows.iter().sum(),
        loaded,
        merged,
        quarantined,
        excluded,
        erased,
        target_rows: loaded,
        source_hash: hash_of(seed),
        expected_hash: hash_of(seed + 1),
        target_hash: hash_of(seed + 1),
        reconciled: true,
        seconds: 3.5,
        bytes: rows.iter().sum::<u64>() * 180,
        purpose: Some("dpv:ServiceProvision".into()),
        basis: Some("contract".into()),
        ..TableFacts::default()
    }
}

fn people() -> TableFacts {
    TableFacts {
        retain: Some("closed_at + interval '6 years'".into()),
        quarantine: vec![
            group("q-01", "not an e-mail address", "email", "a…@@a….a…", 200),
            group("q-02", "not a date of the listed formats", "born_on", "9999.99.99", 200),
            group("q-03", "no such day", "born_on", "99/99/9999", 100),
            group("q-04", "not valid UTF-8", "last_name", "", 100),
            group("q-05", "text in a whole-number column", "loyalty_points", "9,999", 100),
            group("q-06", "rule: adults only", "", "", 100),
            group("q-07", "not a telephone number", "phone", "99999", 100),
        ],
        exclusions: vec![exclusion("where status <> 'test'", 200), exclusion("kept too long", 300)],
        dropped: vec![
            dropped("notes", "free text with card numbers in it; the new platform has no use for it"),
            dropped("fax", "the company gave up its fax in 2019"),
        ],
        rules: vec![
            rule("adults only", "born_on <= current_date - interval '18 years'", "quarantine", 100),
            rule(
                "kept too long",
                "closed_on is null or closed_on > current_date - interval '6 years'",
                "exclude",
                300,
            ),
            rule("can be reached", "email is not null or phone is not null", "warn", 31),
        ],
        columns: vec![
            column("person_id", "customer_id", "", "internal", ""),
            column("email", "clean email of email", "email", "personal", ""),
            column("full_name", "trim(first_name) || ' ' || trim(last_name)", "person_name", "personal", ""),
            column("born_on", "clean date of dob", "birth_date", "personal", ""),
            column("tax_id", "nif", "tax_id", "sensitive", "encrypt"),
        ],
        ..table("crm.customers", "atlas.people", 1, [98_100, 500, 900, 500, 0])
    }
}

pub(super) fn sample() -> Report {
    let orders = TableFacts {
        quarantine: vec![
            group("q-08", "parent quarantined", "person_id", "", 3_587),
            group("q-09", "no such customer", "person_id", "", 599),
            group("q-10", "not a number", "amount", "AAA", 400),
            group("q-11", "text in a whole-number column", "items", "9 AAA", 200),
            group("q-12", "rule: an amount that can be true", "", "", 199),
        ],
        exclusions: vec![exclusion("where channel <> 'test'", 791)],
        dropped: vec![dropped("coupon", "campaigns ended before the move")],
        rules: vec![rule("an amount that can be true", "amount between 0 and 100000", "quarantine", 199)],
        columns: vec![column("order_id", "order_id", "", "", "")],
        ..table("crm.orders", "atlas.orders", 3, [394_224, 0, 4_985, 791, 0])
    };
    let accounts = TableFacts {
        quarantine: vec![
            group("q-13", "too few fields", "", "", 116),
            group("q-14", "not valid UTF-8", "branch", "", 107),
        ],
        columns: vec![column("iban", "iban", "iban", "sensitive", "tokenise")],
        ..table("accounts", "atlas.accounts", 5, [59_474, 0, 223, 0, 0])
    };
    let countries = table("crm.countries", "atlas.countries", 7, [7, 0, 0, 0, 0]);
    Report {
        format: FORMAT,
        dunlin: "0.1.0".into(),
        written_at: "2026-12-06T01:20:00Z".into(),
        plan: PlanFacts {
            name: "CRM to Atlas".into(),
            summary: Some("Customers, orders and support tickets leave the CRM of 2011 for the Atlas platform.".into()),
            company: Some("Atlas Ltd".into()),
            fingerprint: hash_of(90),
        },
        run: RunFacts {
            id: "01939a7c-52e0-7a41-9c3e-6f2b8d0e4c11".into(),
            actor: "local:ana".into(),
            started_at: "2026-12-06T01:09:57Z".into(),
            finished_at: Some("2026-12-06T01:14:09Z".into()),
            verified_at: Some("2026-12-06T01:18:30Z".into()),
            seconds: 252.0,
            ..RunFacts::default()
        },
        tables: vec![people(), orders, accounts, countries],
        stores: stores(),
        people: [("Ana Ruiz", "lead", ""), ("Ben Okoye", "engineer", "Partner Ltd"), ("Nadia Farouk", "approver", "")]
            .map(|(name, role, from)| PersonFacts {
                name: name.into(),
                role: role.into(),
                organisation: (!from.is_empty()).then(|| from.into()),
            })
            .to_vec(),
        approvals: vec![Approval {
            by: "Nadia Farouk".into(),
            at: "2026-12-04T16:02:00Z".into(),
            fingerprint: hash_of(90),
        }],
        comply: Some(ComplyFacts {
            packs: vec!["gdpr".into()],
            controller: Some("Atlas Ltd".into()),
            dpia: Some("DPIA-2026-04".into()),
            waivers: vec![WaiverFacts {
                rule: "GDPR-05b".into(),
                reason: "dates of birth stay until the age check of the shop has its own".into(),
                by: "ana@atlas.example".into(),
                until: Some("2027-06-30".into()),
            }],
        }),
        matrix: Vec::new(),
        ledger: LedgerFacts {
            size: 4_433,
            root: hash_of(91),
            verifier: "dunlin.example/crm-to-atlas+1f0c2ab4+AZx0m1Yb3Qv1n6oE1w8R2m0dK5u7T9cXf4H6LkPqS3Ya".into(),
            checkpoint: "dunlin.example/crm-to-atlas\n4433\nq83vEjRWeJAaq83vEjRWeJAaq83vEjRWeJAaq83vEjQ=\n\n— dunlin.example/crm-to-atlas HwwqtLrY0p1mXg…\n".into(),
        },
    }
}

fn stores() -> Vec<StoreFacts> {
    let crm = StoreFacts {
        name: "crm".into(),
        role: "source".into(),
        system: "SQLite 3.50".into(),
        identity: "sqlite:/srv/move/legacy/crm.db".into(),
        region: Some("ES".into()),
        ..StoreFacts::default()
    };
    let accounts = StoreFacts {
        name: "accounts".into(),
        system: "2 files, CSV".into(),
        identity: "file:/srv/move/legacy/accounts/*.csv".into(),
        ..crm.clone()
    };
    let atlas = StoreFacts {
        name: "atlas".into(),
        role: "target".into(),
        system: "PostgreSQL 17.2".into(),
        identity: "postgres:7441096655923884711/atlas".into(),
        region: Some("IE".into()),
        processor: Some("Cloud GmbH".into()),
        protected: true,
    };
    vec![crm, accounts, atlas]
}

fn broken() -> Report {
    let mut report = sample();
    report.tables[0].loaded -= 12;
    report.tables[1].target_hash = hash_of(77);
    report.tables[1].reconciled = false;
    report.tables[1].differences = 3;
    report
}

#[test]
fn headlines_say_the_finding() {
    let mut report = sample();
    insta::assert_snapshot!(report.headline(), @"98.67 % of 559,704 rows moved; 6,108 wait for a person; nothing is missing");
    report.run.rehearsal = true;
    insta::assert_snapshot!(report.headline(), @"98.67 % of 559,704 rows would move; 6,108 wait for a person; nothing is missing");
    report.run.finished_at = None;
    insta::assert_snapshot!(report.headline(), @"The run is not finished; 559,704 rows have been read so far");
    insta::assert_snapshot!(broken().headline(), @"12 rows are not accounted for");
    let mut report = broken();
    report.tables[0].loaded += 12;
    insta::assert_snapshot!(report.headline(), @"atlas.orders does not reconcile: 3 rows differ");
    let mut report = sample();
    report.tables = vec![table("a.b", "c.d", 1, [1, 0, 0, 0, 0])];
    insta::assert_snapshot!(report.headline(), @"All 1 row moved; nothing is missing");
    report.tables.clear();
    insta::assert_snapshot!(report.headline(), @"There was nothing to move, and nothing is missing");
}

#[test]
fn a_claim_that_the_numbers_deny_is_not_repeated() {
    let mut report = sample();
    report.tables[0].target_hash = hash_of(50);
    assert!(report.tables[0].reconciled && !report.proven());
    assert!(report.headline().contains("does not reconcile"));
    assert!(render(&report).contains("Target re-read is not what was expected"));
}

#[test]
fn json_comes_back_as_it_was() {
    let text = serde_json::to_string(&sample()).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), sample());
}

#[test]
fn the_page_needs_nothing_else_and_says_everything() {
    let page = render(&sample());
    for forbidden in ["<script", "http://", "https://", "url(", "<img", "<link", "@import", "javascript:"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for needed in [
        "Content-Security-Policy",
        "98.67 % of 559,704 rows moved",
        "Counts balance",
        "not an e-mail address",
        "the company gave up its fax in 2019",
        "adults only",
        "Nadia Farouk",
        "outside: Partner Ltd",
        "dunlin ledger verify --since",
        "What this does not prove",
        "postgres:7441096655923884711/atlas",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
    for hash in sample().tables.iter().flat_map(|t| [&t.source_hash, &t.expected_hash, &t.target_hash]) {
        assert!(page.contains(hash.as_str()));
    }
    write_for_a_look("report", &page);
    write_for_a_look("report-broken", &render(&broken()));
}

#[test]
fn every_link_on_the_page_leads_somewhere() {
    let page = render(&sample());
    for link in page.split("href=\"#").skip(1) {
        let anchor = link.split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"{anchor}\"")), "{anchor}");
    }
}

/// Every text of the report becomes an attack; none may survive on the page or on the terminal.
#[test]
fn nothing_from_outside_becomes_markup() {
    let evil = "\"'><script>alert(1)</script>\u{1b}[2J";
    let mut value = serde_json::to_value(sample()).unwrap();
    poison(&mut value, evil);
    let report: Report = serde_json::from_value(value).unwrap();
    let page = render(&report);
    assert!(!page.contains("<script") && !page.contains('\u{1b}'));
    assert!(!page.contains("'><") && page.contains("&lt;script&gt;"));
    assert!(!summary(&report, false, 100).contains('\u{1b}'));
}

fn poison(value: &mut serde_json::Value, evil: &str) {
    match value {
        serde_json::Value::String(text) => *text = evil.into(),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| poison(item, evil)),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(|field| poison(field, evil)),
        _ => {}
    }
}

#[test]
fn summary_of_a_good_run() {
    insta::assert_snapshot!(summary(&sample(), false, 110), @r"
    CRM to Atlas · run 01939a7c · 4 min 12 s

    98.67 % of 559,704 rows moved; 6,108 wait for a person; nothing is missing

    table               read   loaded  merged  quarantined  excluded  erased   proof
    atlas.people     100,000   98,100     500          900       500       0   ✓ reconciled
    atlas.orders     400,000  394,224       0        4,985       791       0   ✓ reconciled
    atlas.accounts    59,697   59,474       0          223         0       0   ✓ reconciled
    atlas.countries        7        7       0            0         0       0   ✓ reconciled

    559,704 read = 551,805 loaded + 500 merged + 6,108 quarantined + 1,291 excluded + 0 erased

    Waiting for a person
      3,587  parent quarantined                atlas.orders.person_id
        599  no such customer                  atlas.orders.person_id
        400  not a number                      atlas.orders.amount  AAA
        200  not an e-mail address             atlas.people.email  a…@@a….a…
        200  not a date of the listed formats  atlas.people.born_on  9999.99.99
        200  text in a whole-number column     atlas.orders.items  9 AAA
        922  for 8 more reasons

    Next
      dunlin quarantine list    what waits, and what would mend it
      dunlin verify             reads both sides again
      dunlin report --out DIR   the evidence, for people who were not here
    ");
}

#[test]
fn summary_of_a_bad_run_on_a_narrow_terminal() {
    insta::assert_snapshot!(summary(&broken(), false, 60), @r"
    CRM to Atlas · run 01939a7c · 4 min 12 s

    12 rows are not accounted for

    atlas.people  ✗ 12 unaccounted
      read               100,000
      loaded              98,088
      merged                 500
      quarantined            900
      excluded               500
    atlas.orders  ✗ 3 rows differ
      read               400,000
      loaded             394,224
      quarantined          4,985
      excluded               791
    atlas.accounts  ✓ reconciled
      read                59,697
      loaded              59,474
      quarantined            223
    atlas.countries  ✓ reconciled
      read                     7
      loaded                   7

    559,704 read = 551,793 loaded + 500 merged + 6,108
    quarantined + 1,291 excluded + 0 erased

    Waiting for a person
      3,587  parent quarantined    atlas.orders.person_id
        599  no such customer      atlas.orders.person_id
        400  not a number          atlas.orders.amount  AAA
        200  not an e-mail addre…  atlas.people.email  a…@@a….a…
        200  not a date of the l…  atlas.people.born_on  9999.9…
        200  text in a whole-num…  atlas.orders.items  9 AAA
        922  for 8 more reasons

    Next
      dunlin verify             names every key that differs
      dunlin quarantine list    what waits, and what would mend it
      dunlin report --out DIR   the evidence, for people who were not here
    ");
}

#[test]
fn summary_keeps_to_the_width() {
    for width in [40, 72, 80, 100, 120] {
        let text = summary(&sample(), false, width);
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= width.max(70), "{width}: {longest}\n{text}");
    }
    let coloured = summary(&sample(), true, 100);
    assert!(coloured.contains("\u{1b}[32m✓ reconciled\u{1b}[0m"));
}

/// With DUNLIN_LOOK set to a folder, the page is written there, so that a person can look at it.
fn write_for_a_look(name: &str, page: &str) {
    if let Some(dir) = std::env::var_os("DUNLIN_LOOK") {
        std::fs::write(std::path::Path::new(&dir).join(format!("{name}.html")), page).unwrap();
    }
}
