//! The committed schema and reference are what the code says. `DUNLIN_BLESS=1` writes them again.

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
