//! Notices from a shell: drafted from the plan, held against it, looked at, compared.

use super::support::Site;

const PLAN: &str = include_str!("../../src/demo/plan.toml");
const NOTICE: &str = include_str!("../../src/demo/notice.md");

/// The demo's plan and its notice.
fn site() -> Site {
    let site = Site::with_plan(PLAN);
    site.write("notices/2026-move.en.md", NOTICE);
    site
}

#[test]
fn the_demos_notice_says_what_its_plan_does_and_may_be_published() {
    let done = site().dunlin(&["notice", "check"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("may be published"), "{done:?}");
}

#[test]
fn a_notice_that_contradicts_the_plan_is_held_and_both_sides_are_shown() {
    let site = site();
    site.plan(&PLAN.replace("region = \"IE\"", "region = \"US\""));
    let done = site.dunlin(&["notice", "check"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.err.contains("tell-facts-differ"), "{done:?}");
    assert!(done.err.contains("Ireland") && done.err.contains("United States"), "{done:?}");
    let lines: Vec<serde_json::Value> = site
        .dunlin(&["--format", "json", "notice", "check"])
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.iter().any(|line| line["rule"] == "tell-facts-differ" && line["line"].is_u64()));
}

#[test]
fn a_draft_asks_what_the_plan_does_not_say_and_is_never_written_over() {
    let site = Site::with_plan(PLAN);
    for lang in ["en", "es"] {
        let done = site.dunlin(&["notice", "draft", "2026-move", "--lang", lang, "--begins", "2026-12-05"]);
        assert_eq!(done.code, 0, "{done:?}");
    }
    let text = site.read("notices/2026-move.es.md");
    assert!(text.contains("5 de diciembre de 2026") && text.contains("[[question:"), "{text}");
    let done = site.dunlin(&["notice", "check"]);
    assert_eq!(done.code, 1, "open questions keep it from being published: {done:?}");
    assert!(done.err.contains("tell-question-open"), "{done:?}");
    let again = site.dunlin(&["notice", "draft", "2026-move"]);
    assert_eq!(again.code, 2, "{again:?}");
    assert_eq!(site.dunlin(&["notice", "draft", "../plan"]).code, 2);
    assert_eq!(site.dunlin(&["notice", "draft", "next", "--lang", "de"]).code, 2);
}

#[test]
fn a_notice_is_seen_as_page_and_mails_and_compared() {
    let site = site();
    let done = site.dunlin(&["notice", "preview", "notices/2026-move.en.md", "--out", "seen"]);
    assert_eq!(done.code, 0, "{done:?}");
    let page = site.read("seen/page.html");
    assert!(page.contains("We are moving your data to a new home") && !page.contains("<script"), "{page}");
    let mail = site.read("seen/mail-1.txt");
    assert!(mail.starts_with("Subject: We are moving your data"), "{mail}");

    let newer = NOTICE.replace("Your orders, points and settings", "Your orders and settings");
    site.write("notices/newer.md", newer);
    let done = site.dunlin(&["notice", "diff", "notices/2026-move.en.md", "notices/newer.md"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("[-") && done.out.contains("points"), "{done:?}");
}
