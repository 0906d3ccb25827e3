//! Notices from a shell: drafted from the plan, held against it, looked at, compared, published; and a move that waits
//! for its notice.

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

/// A small demo that has moved once, after its notice was published by two of its people.
fn moved_demo() -> Site {
    let site = Site::new();
    let done =
        site.dunlin(&["--dir", "demo", "--format", "json", "demo", "--no-serve", "--customers", "120"]);
    assert_eq!(done.code, 0, "{done:?}");
    site
}

fn entries(site: &Site) -> String {
    site.dunlin(&["--dir", "demo", "ledger", "export"]).expect(0).out
}

const FILE: &str = "demo/notices/2026-move.en.md";

#[test]
fn no_data_moves_while_its_notice_is_not_published() {
    let site = moved_demo();
    let before = entries(&site);
    let published = before.find("notice_published").expect("the demo publishes its notice");
    assert!(published < before.find("run_started").unwrap(), "and does so before it moves");
    let gone = site.dunlin(&[
        "--dir",
        "demo",
        "notice",
        "withdraw",
        FILE,
        "--reason",
        "canary-4711: an error in it",
    ]);
    assert_eq!(gone.code, 0, "{gone:?}");
    let refused = site.dunlin(&["--dir", "demo", "run"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("must be published before data moves"), "{refused:?}");
    assert!(refused.err.contains("dunlin notice submit"), "{refused:?}");
    let rehearsed = site.dunlin(&["--dir", "demo", "run", "--rehearse"]);
    assert_eq!(rehearsed.code, 0, "a rehearsal moves nothing: {rehearsed:?}");
    let forced = site.dunlin(&["--dir", "demo", "run", "--now", "canary-4711 the court has ordered it"]);
    assert_eq!(forced.code, 0, "{forced:?}");
    let after = entries(&site);
    assert!(after.contains("notice_skipped") && after.contains("notice_withdrawn"));
    assert!(!after.contains("canary"), "reasons are in the state");
}

#[test]
fn a_shell_hands_in_and_publishes_under_its_own_name() {
    let site = moved_demo();
    let text = site.read(FILE).replace("version = 1\n", "version = 2\n");
    site.write(FILE, text.replace("You do not have to do anything.", "You have to do nothing."));
    let none = site.dunlin(&["--dir", "demo", "notice", "publish", FILE]);
    assert_eq!(none.code, 2, "nothing waits: {none:?}");
    assert_eq!(site.dunlin(&["--dir", "demo", "notice", "submit", FILE]).code, 0);
    let done = site.dunlin(&["--dir", "demo", "--format", "json", "notice", "publish", FILE]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("\"version\":2"), "{done:?}");
    let entered = entries(&site);
    let last = entered.lines().rfind(|line| line.contains("notice_published")).unwrap();
    assert!(last.contains("local"), "{last}");
    assert_eq!(site.dunlin(&["--dir", "demo", "run"]).code, 0);
    // What was promised and what would be done differ: nothing moves, and both sides are said.
    let plan = site.read("demo/dunlin.toml");
    site.write("demo/dunlin.toml", plan.replace("region = \"IE\"", "region = \"US\""));
    let refused = site.dunlin(&["--dir", "demo", "run"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("Ireland") && refused.err.contains("United States"), "{refused:?}");
    let held = site.dunlin(&["--dir", "demo", "notice", "submit", FILE]);
    assert_eq!(held.code, 2, "{held:?}");
}
