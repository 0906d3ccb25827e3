//! From a plan to a notice: only what the plan says, in two languages; the rest is asked.

use dunlin_tell::{Dates, Facts, Gate, Lang, draft, parse, print};

use crate::{dates, drafted, facts, finished, plan, plan_with};

#[test]
fn the_facts_are_those_of_the_plan() {
    insta::assert_json_snapshot!("facts", facts().stated());
}

#[test]
fn the_fingerprint_changes_with_a_fact_and_with_nothing_else() {
    let now = facts().fingerprint();
    let with = |old: &str, new: &str| Facts::of(&plan_with(&[(old, new)]), dates()).fingerprint();
    for (old, new) in [
        ("region = \"IE\"", "region = \"DE\""),
        ("Cloud GmbH", "Nube SA"),
        ("interval '6 years'", "interval '7 years'"),
        ("protect = \"encrypt\"", "protect = \"hash\""),
        ("free text that the new platform has no use for", "nobody needs it"),
        ("basis = \"contract\"", "basis = \"consent\""),
        ("privacy@atlas.example", "datos@atlas.example"),
    ] {
        assert_ne!(with(old, new), now, "{old} -> {new}");
    }
    for (old, new) in
        [("Ana Ruiz", "Ana Ruiz Sanz"), ("#a8481f", "#112233"), ("adults only", "adults"), ("0.95", "0.96")]
    {
        assert_eq!(with(old, new), now, "{old} -> {new}");
    }
    let later = Dates { old_copy_until: None, ..dates() };
    assert_ne!(Facts::of(&plan(), later).fingerprint(), now);
}

#[test]
fn a_draft_in_english_and_in_spanish() {
    insta::assert_snapshot!("draft_en", print(&drafted(Lang::En)));
    insta::assert_snapshot!("draft_es", print(&drafted(Lang::Es)));
}

#[test]
fn a_draft_of_an_almost_empty_plan_asks_instead_of_inventing() {
    let text = "[plan]\nname = \"x\"\n[store.a]\nurl = \"sqlite:a.db\"\n[store.b]\nurl = \"sqlite:b.db\"\n[[table]]\nfrom = \"a.t\"\nto = \"b.t\"\nsubject = \"person\"\n";
    let plan = dunlin_plan::load(text, "dunlin.toml").unwrap_or_else(|findings| panic!("{findings}"));
    let facts = Facts::of(&plan, Dates::default());
    let notice = draft(&plan, &facts, "x", Lang::En).unwrap();
    insta::assert_snapshot!("draft_empty", print(&notice));
}

#[test]
fn other_languages_say_that_they_have_no_draft() {
    let error = draft(&plan(), &facts(), "x", Lang::De).unwrap_err();
    insta::assert_snapshot!("no_draft", error);
}

#[test]
fn a_draft_is_a_valid_file_that_only_waits_for_answers() {
    for lang in [Lang::En, Lang::Es] {
        let notice = drafted(lang);
        let source = parse(&print(&notice), "n.md").unwrap_or_else(|findings| panic!("{findings}"));
        assert_eq!(source.notice, notice);
        let findings = Gate::new(&facts()).check(&source);
        let rules: Vec<&str> = findings.items.iter().map(|item| item.rule).collect();
        assert!(rules.iter().all(|rule| *rule == "tell-question-open"), "{lang}: {findings}");
        assert!(rules.len() >= 8, "{lang}: {}", rules.len());
    }
}

#[test]
fn once_its_questions_are_answered_a_draft_can_be_published() {
    for lang in [Lang::En, Lang::Es] {
        let source = parse(&print(&finished(lang)), "n.md").unwrap();
        let findings = Gate::new(&facts()).check(&source);
        assert!(findings.items.is_empty(), "{lang}: {findings}");
    }
}
