//! The plan from outside: the example of the design, wrong plans, and the generated documents.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic too")]

mod arbitrary;
mod changes;
mod documents;
mod laws;
mod wrong;

use dunlin_plan::load;

/// The example of the design document, word for word.
pub(crate) const DESIGN: &str = include_str!("../design.toml");

#[test]
fn the_example_of_the_design_is_a_plan_without_a_finding() {
    let plan = load(DESIGN, "dunlin.toml").unwrap_or_else(|findings| panic!("{findings}"));
    assert_eq!(plan.findings, []);
    assert_eq!(plan.tables.len(), 1);
    let table = &plan.tables[0];
    assert_eq!(table.label(), "atlas.people");
    assert_eq!(table.columns.len(), 6);
    assert_eq!(table.enrich[0].from.table, None);
    insta::assert_json_snapshot!("design", plan.canonical_json());
    insta::assert_snapshot!(plan.fingerprint(), @r"c5f0ee1f04cd5f27e3b5a0e7e6c9fba270b0f02266e437f545ddd478de2a1be5");
}

#[test]
fn waivers_end_and_notices_are_late() {
    let plan = load(DESIGN, "dunlin.toml").unwrap();
    assert_eq!(plan.check_at("2026-11-22".parse().unwrap()), []);
    let later: Vec<String> =
        plan.check_at("2027-07-01".parse().unwrap()).into_iter().map(|finding| finding.message).collect();
    insta::assert_snapshot!(later.join("\n"), @r"
    the waiver of `GDPR-05b` ended on 2027-06-30
    the notice `notices/2026-move.md` was to be published on 2026-12-01
    ");
}
