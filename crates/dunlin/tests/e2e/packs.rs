//! The regulations as rules: the matrix that `check` prints, what no run may load against, rows that a rule holds back,
//! waivers, and a copy in which nobody is left.

use serde_json::Value;

use crate::support::{Done, Site};

const HEAD: &str = r#"
[plan]
name = "Clinic"
[store.old]
url = "sqlite:old.db"
region = "ES"
[store.new]
url = "sqlite:new.db"
region = "IE"
processor = "Cloud GmbH"
[subject]
table = "new.patients"
id = "id"
[[person]]
name = "Ana Ruiz"
email = "ana@example.com"
role = "lead"
"#;

const TABLE: &str = r#"
[[table]]
from = "old.patients"
to = "new.patients"
key = ["id"]
basis = "contract"
[table.columns]
id = "id"
name = { from = "name", kind = "person_name" }
email = { from = "email", kind = "email" }
born_on = { clean = "date", from = "born", kind = "birth_date" }
zip = { from = "zip", kind = "postcode" }
note = { from = "note", kind = "free_text" }
ward = "ward"
"#;

const DATA: &str = "
    create table patients (id integer primary key, name text, email text, born text, zip text, note text, ward text);
    insert into patients values
        (1, 'Xqueltzin Abernackle', 'x.abernackle@example.com', '1980-04-06', '90210', 'came with Ana Ruiz', 'north'),
        (2, 'Ben Okoye', 'ben@example.com', '1921-05-01', '03601', 'paid with 4111 1111 1111 1111', 'south'),
        (3, 'Cleo Marsh', 'cleo@example.com', '2001-12-31', '60601', NULL, 'north');
";

fn clinic(comply: &str) -> Site {
    let site = Site::with_plan(&format!("{HEAD}\n{comply}\n{TABLE}"));
    site.sql("old.db", DATA);
    site
}

/// A rule's line of `check --format json`.
fn rule(check: &Done, id: &str) -> Value {
    let lines = check.json();
    let found = lines.iter().find(|line| line["rule"] == id && line["pack"].is_string());
    found.unwrap_or_else(|| panic!("no {id} in {}", check.out)).clone()
}

fn check(site: &Site) -> Done {
    site.dunlin(&["--format", "json", "check"])
}

#[test]
fn check_shows_every_rule_of_the_packs_and_how_to_mend_what_is_open() {
    let site = clinic("[comply]\npacks = [\"gdpr\"]\n");
    let before = check(&site);
    assert_eq!(before.code, 1, "{}", before.out);
    let rules = before.json().into_iter().filter(|line| line["pack"] == "gdpr").count();
    assert_eq!(rules, 33);
    let agreement = rule(&before, "GDPR-28");
    assert_eq!(agreement["state"], "violated");
    assert_eq!(agreement["where"], serde_json::json!(["new"]));
    assert!(agreement["help"].as_str().unwrap().contains("agreement"));
    assert_eq!(rule(&before, "GDPR-09-3")["state"], "not_applicable");
    assert_eq!(rule(&before, "GDPR-05a")["state"], "violated", "no purpose");
    // What was asked for is done, and the rule holds.
    site.edit_plan("processor = \"Cloud GmbH\"", "processor = \"Cloud GmbH\"\nagreement = \"DPA-7\"");
    site.edit_plan("basis = \"contract\"", "basis = \"contract\"\npurpose = \"dpv:ServiceProvision\"");
    let after = check(&site);
    assert_eq!(rule(&after, "GDPR-28")["state"], "satisfied");
    assert_eq!(rule(&after, "GDPR-05a")["state"], "satisfied");
    let shown = site.dunlin(&["check"]);
    assert!(shown.out.contains("no legal advice"), "{}", shown.out);
    assert!(shown.out.contains("GDPR-13") && shown.out.contains("mend:"), "{}", shown.out);
    for value in ["Abernackle", "ben@example.com", "4111"] {
        assert!(!after.out.contains(value) && !shown.out.contains(value), "{value} is in the output");
    }
}

#[test]
fn without_a_pack_nothing_is_asked() {
    let site = clinic("");
    assert_eq!(check(&site).expect(0).out, "");
    assert!(!site.path(".dunlin").exists(), "a check makes nothing");
}

#[test]
fn a_special_category_lets_nothing_load_until_somebody_names_the_ground() {
    let site = clinic("[comply]\npacks = [\"gdpr\"]\ndpia = \"DPIA-1\"\n");
    site.edit_plan("ward = \"ward\"", "religion = \"ward\"");
    let refused = site.dunlin(&["run"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.err.contains("GDPR-09-3") && refused.err.contains("new.patients.religion"),
        "{}",
        refused.err
    );
    assert!(!site.path("new.db").exists(), "nothing was touched");
    // A rehearsal writes nothing and is no load.
    site.dunlin(&["run", "--rehearse"]).expect(0);
    let statement = "[[comply.statement]]\nrule = \"GDPR-09-3\"\nabout = \"new.patients.religion\"\nground = \"d\"\n\
                     says = \"members of the order only\"\nby = \"ana@example.com\"\n";
    site.edit_plan("dpia = \"DPIA-1\"\n", &format!("dpia = \"DPIA-1\"\n{statement}"));
    site.dunlin(&["run"]).expect(0);
}

#[test]
fn a_row_that_breaks_a_rule_waits_under_its_id_and_the_plan_may_let_it_pass() {
    let site = clinic("[comply]\npacks = [\"pci\"]\n");
    site.run(&[]).expect(0).balanced();
    let waiting = site.waiting();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!((&waiting[0]["reason"], &waiting[0]["rows"]), (&"rule:PCI-LUHN".into(), &1.into()));
    assert_eq!(waiting[0]["column"], "note");
    let seen = rule(&check(&site), "PCI-LUHN");
    assert!(seen["evidence"].to_string().contains("1 rows did not hold"), "{seen}");
    let lenient = clinic("[comply]\npacks = [\"pci\"]\notherwise = { PCI-LUHN = \"warn\" }\n");
    lenient.moved();
    assert_eq!(lenient.one("new.db", "select count(*) from patients"), "3");
}

#[test]
fn a_waiver_sets_a_rule_aside_until_its_day_and_stands_in_the_ledger() {
    let site = clinic("[comply]\npacks = [\"gdpr\"]\n");
    let unknown = site.dunlin(&["waive", "GDPR-99", "--reason", "x", "--until", "2999-01-01"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    let past = site.dunlin(&["waive", "GDPR-28", "--reason", "x", "--until", "2001-01-01"]);
    assert_eq!(past.code, 2, "{past:?}");
    let reason = "canary-8812 the contract is being signed";
    let given =
        site.dunlin(&["--format", "json", "waive", "GDPR-28", "--reason", reason, "--until", "2999-01-01"]);
    let id = given.expect(0).json()[0]["waiver"].as_str().unwrap().to_owned();
    let waived = rule(&check(&site), "GDPR-28");
    assert_eq!(waived["state"], "waived");
    assert_eq!(waived["waiver"]["without"], "violated");
    assert_eq!(waived["waiver"]["reason"], reason);
    let ledger = site.dunlin(&["ledger", "export"]).expect(0).out;
    assert!(ledger.contains("rule_waived") && !ledger.contains("canary-8812"));
    site.dunlin(&["waive", "--withdraw", &id]).expect(0);
    assert_eq!(rule(&check(&site), "GDPR-28")["state"], "violated");
    // A rule that holds is not shown as waived, and one of the plan is entered when it runs.
    site.edit_plan("processor = \"Cloud GmbH\"", "processor = \"Cloud GmbH\"\nagreement = \"DPA-7\"");
    let waiver = "[[comply.waiver]]\nrule = \"GDPR-28\"\nreason = \"no need\"\nby = \"ana@example.com\"\nuntil = 2999-01-01\n";
    site.edit_plan("packs = [\"gdpr\"]\n", &format!("packs = [\"gdpr\"]\n{waiver}"));
    assert_eq!(rule(&check(&site), "GDPR-28")["state"], "satisfied");
    site.dunlin(&["run"]).expect(0);
    let ledger = site.dunlin(&["ledger", "export"]).expect(0).out;
    assert_eq!(ledger.matches("\"kind\":\"rule_waived\"").count(), 2, "{ledger}");
}

#[test]
fn the_report_holds_the_matrix_with_its_evidence() {
    let site = clinic("[comply]\npacks = [\"sox\"]\nevidence_years = 7\n");
    site.dunlin(&["run"]).expect(0);
    site.dunlin(&["report"]).expect(0);
    let report: Value = serde_json::from_str(&site.read("report/report.json")).unwrap();
    let rules = report["matrix"].as_array().unwrap();
    assert_eq!(rules.len(), 11);
    let totals = rules.iter().find(|rule| rule["rule"] == "SOX-404-03").unwrap();
    assert_eq!(totals["state"], "satisfied", "{totals}");
    assert!(totals["entries"][0].is_number(), "{totals}");
    assert!(site.read("report/report.html").contains("SOX-404-03"));
    // Nobody approved it: that is said, not passed over.
    let approved = rules.iter().find(|rule| rule["rule"] == "SOX-404-01").unwrap();
    assert_eq!(approved["state"], "violated", "{approved}");
    let ledger = site.dunlin(&["ledger", "export"]).expect(0).out;
    assert!(ledger.contains("packs_checked"));
}

#[test]
fn nobody_is_left_in_a_safe_harbor_copy_and_what_is_left_is_found() {
    let site = clinic("[comply]\npacks = [\"hipaa\"]\nsafe_harbor = true\n");
    let copy = site.run(&["--rehearse", "--to", "sqlite:copy.db"]).expect(0);
    let last = copy.json().pop().unwrap();
    assert_eq!(last["copy"]["found"], serde_json::json!({}), "{last}");
    assert_eq!(last["copy"]["values"].as_u64().map(|n| n > 6), Some(true));
    let rows = site.rows("copy.db", "id, email, born_on, zip, note, ward", "patients order by id");
    assert_eq!(
        rows,
        [
            "1|NULL|'1980-01-01'|'902'|NULL|'north'",
            &format!("2|NULL|'{}-01-01'|'000'|NULL|'south'", jiff::Zoned::now().year() - 90),
            "3|NULL|'2001-01-01'|'606'|NULL|'north'",
        ]
    );
    let names = site.rows("copy.db", "name", "patients order by id");
    for name in ["Abernackle", "Okoye", "Marsh"] {
        assert!(!names.join(" ").contains(name), "{names:?}");
    }
    let state = |id: &str| rule(&check(&site), id)["state"].clone();
    assert_eq!((state("HIPAA-SH-01"), state("HIPAA-SH-06")), ("satisfied".into(), "satisfied".into()));
    // Three people of three places and years: each row of the copy is alone with what it says.
    let groups = &last["copy"]["groups"][0];
    assert_eq!((&groups["alone"], &groups["smallest"]), (&3.into(), &1.into()), "{groups}");
    assert_eq!(groups["columns"], serde_json::json!(["born_on", "zip"]));
    let alike = rule(&check(&site), "HIPAA-SH-19");
    assert_eq!(alike["state"], "needs_person", "{alike}");
    assert!(alike["evidence"].to_string().contains("3 rows in groups of 1"), "{alike}");
    let strict = clinic("[comply]\npacks = [\"hipaa\"]\nsafe_harbor = true\nsmallest_group = 2\n");
    strict.run(&["--rehearse", "--to", "sqlite:copy.db"]).expect(0);
    assert_eq!(rule(&check(&strict), "HIPAA-SH-19")["state"], "violated");
    // Somebody has said that a column holds nothing of the kind, and it does.
    let wrong = clinic("[comply]\npacks = [\"hipaa\"]\nsafe_harbor = true\n");
    wrong.sql("old.db", "update patients set ward = 'bed of xqueltzin ABERNACKLE' where id = 3");
    wrong.edit_plan("ward = \"ward\"", "ward = { from = \"ward\", kind = \"none\" }");
    let copy = wrong.run(&["--rehearse", "--to", "sqlite:copy.db"]);
    assert_eq!(copy.code, 1, "{copy:?}");
    let last = copy.json().pop().unwrap();
    assert_eq!(last["copy"]["found"]["HIPAA-SH-01"], 1, "{last}");
    assert_eq!(last["copy"]["places"], serde_json::json!(["new.patients.ward"]));
    let violated = rule(&check(&wrong), "HIPAA-SH-01");
    assert_eq!(violated["state"], "violated", "{violated}");
}

#[test]
fn a_key_that_is_an_identifier_makes_no_safe_harbor_copy() {
    let site = clinic("[comply]\npacks = [\"hipaa\"]\nsafe_harbor = true\n");
    site.edit_plan("key = [\"id\"]", "key = [\"email\"]");
    site.edit_plan("id = \"id\"\nname", "number = \"id\"\nname");
    site.edit_plan("[subject]\ntable = \"new.patients\"\nid = \"id\"\n", "");
    let refused = site.run(&["--rehearse", "--to", "sqlite:copy.db"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.out.contains("email") || refused.err.contains("email"), "{refused:?}");
}

#[test]
fn protected_columns_arrive_as_the_plan_says_and_verify_agrees() {
    let site = clinic("");
    site.edit_plan("kind = \"email\" }", "kind = \"email\", protect = \"fake\" }");
    site.edit_plan("kind = \"person_name\" }", "kind = \"person_name\", protect = \"fake\" }");
    site.edit_plan("kind = \"birth_date\" }", "kind = \"birth_date\", protect = \"shift\" }");
    site.edit_plan("zip = { from = \"zip\", kind = \"postcode\" }", "zip = { from = \"zip\", kind = \"postcode\", protect = \"general\" }\nzip_code = { from = \"zip\", protect = \"format\" }");
    site.moved();
    let rows =
        site.rows("new.db", "zip, length(zip_code), email like '%@example.org'", "patients order by id");
    assert_eq!(rows, ["'902'|5|1", "'000'|5|1", "'606'|5|1"]);
    let born = site.rows("new.db", "born_on", "patients order by id");
    assert!(born[0] != "'1980-04-06'" && born[0].len() == 12, "{born:?}");
    assert_ne!(site.one("new.db", "select zip_code from patients where id = 1"), "90210");
    site.verify().expect(0);
}

#[test]
fn dates_move_by_the_customer_to_whom_a_row_leads_over_its_references() {
    let text = format!(
        "{HEAD}\n[[table]]\nfrom = \"old.patients\"\nto = \"new.patients\"\nkey = [\"id\"]\n[table.columns]\nid = \"id\"\n\
         born_on = {{ clean = \"date\", from = \"born\", protect = \"shift\" }}\n\
         [[table]]\nfrom = \"old.visits\"\nto = \"new.visits\"\nkey = [\"visit\"]\n[table.columns]\nvisit = \"visit\"\npatient = \"patient\"\n\
         came_on = {{ clean = \"date\", from = \"came\", protect = \"shift\" }}\n\
         [[table]]\nfrom = \"old.doses\"\nto = \"new.doses\"\nkey = [\"dose\"]\n[table.columns]\ndose = \"dose\"\nvisit = \"visit\"\n\
         given_on = {{ clean = \"date\", from = \"given\", protect = \"shift\" }}\n"
    );
    let site = Site::with_plan(&text);
    site.sql(
        "old.db",
        "create table patients (id integer primary key, born text);
         create table visits (visit integer primary key, patient integer references patients (id), came text);
         create table doses (dose integer primary key, visit integer references visits (visit), given text);
         insert into patients values (1, '1980-04-06'), (2, '1980-04-06');
         insert into visits values (10, 1, '2024-01-10'), (11, 2, '2024-01-10'), (12, null, '2024-01-10');
         insert into doses values (100, 10, '2024-01-12'), (101, 11, '2024-01-12'), (102, 12, '2024-01-12');",
    );
    site.moved();
    // By how many days each date of a customer was moved is the same in all three tables, and another for another.
    let days = |sql: &str| site.texts("new.db", sql);
    let by = |id: u8| {
        let moved = |column: &str, was: &str, rest: &str| {
            days(&format!(
                "select cast(cast(julianday({column}) - julianday('{was}') as integer) as text) from {rest}"
            ))
        };
        let born = moved("born_on", "1980-04-06", &format!("patients where id = {id}"));
        let came = moved("came_on", "2024-01-10", &format!("visits where patient = {id}"));
        let given = moved("given_on", "2024-01-12", &format!("doses where dose = {}", 99 + u32::from(id)));
        assert_eq!((&born, &born), (&came, &given), "customer {id}");
        born
    };
    assert_ne!(by(1), by(2));
    // Who leads to nobody has no date.
    assert_eq!(site.one("new.db", "select count(*) from doses where given_on is null"), "1");
    site.verify().expect(0);
}
