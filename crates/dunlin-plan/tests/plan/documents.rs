//! The committed schema and reference are what the code says. `DUNLIN_BLESS=1` writes them again.

use std::collections::BTreeSet;
use std::path::Path;

fn compare(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("DUNLIN_BLESS").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "docs/{name} is out of date: run the tests with DUNLIN_BLESS=1");
}

#[test]
fn the_schema_is_committed() {
    compare("plan.schema.json", &format!("{:#}\n", dunlin_plan::schema()));
}

#[test]
fn the_reference_is_committed() {
    compare("plan.md", &dunlin_plan::reference());
}

/// The codes in quotes in a source file.
fn codes_in(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('"').filter(|part| part.starts_with("plan-"));
    quoted.filter(|part| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
}

fn collect_codes(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_codes(&path, codes);
        } else if !path.ends_with("codes.rs") {
            codes.extend(codes_in(&std::fs::read_to_string(&path).unwrap()).map(str::to_owned));
        }
    }
}

#[test]
fn every_code_is_listed_and_used() {
    let mut used = BTreeSet::new();
    collect_codes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
    let listed: Vec<&str> = dunlin_plan::CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(listed, used.iter().map(String::as_str).collect::<Vec<_>>());
}
