//! What the gate finds: each with line, column, and a way to mend it.

use dunlin_plan::{Findings, Level};
use dunlin_tell::{Facts, Gate, Images, Lang, LinkCheck, Slot, SlotName, print};

use crate::{dates, facts, finished, plan_with, source};

/// The finished English notice with some of its text replaced, held against the plan.
fn check(changes: &[(&str, &str)]) -> Findings {
    check_with(changes, &facts())
}

fn check_with(changes: &[(&str, &str)], facts: &Facts) -> Findings {
    let mut text = print(&finished(Lang::En));
    for (old, new) in changes {
        assert!(text.contains(old), "the notice has no {old}:\n{text}");
        text = text.replacen(old, new, 1);
    }
    Gate::new(facts).check(&source(&text))
}

fn rules(findings: &Findings) -> Vec<&'static str> {
    findings.items.iter().map(|item| item.rule).collect()
}

#[test]
fn a_fact_that_contradicts_the_plan_shows_both_sides() {
    let moved = plan_with(&[
        ("region = \"IE\"", "region = \"US\""),
        ("interval '6 years'", "interval '10 years'"),
        ("Cloud GmbH", "Nube SA"),
    ]);
    let findings = check_with(&[], &Facts::of(&moved, dates()));
    assert!(findings.has_errors());
    insta::assert_snapshot!("contradiction", findings.to_string());
}

#[test]
fn facts_changed_by_hand_are_found() {
    let findings = check(&[("to = [\"IE\"]", "to = [\"ES\"]")]);
    assert_eq!(rules(&findings), ["tell-facts-edited", "tell-facts-differ"], "{findings}");
    let mut notice = finished(Lang::En);
    notice.claims = None;
    let findings = Gate::new(&facts()).check(&source(&print(&notice)));
    assert_eq!(rules(&findings), ["tell-facts-missing"]);
}

#[test]
fn the_text_itself_is_held_against_the_plan() {
    let findings = check(&[
        (
            "You do not have to do anything.",
            "Your data moves to France on 7 December 2026. Write to help@other.example.",
        ),
        ("We keep it for 6 years.", "We keep it for 7 years."),
    ]);
    insta::assert_snapshot!("text_contradicts", findings.to_string());
}

#[test]
fn what_is_hard_to_read_is_found_where_it_stands() {
    let long = "We may, where it is possible, and to the extent that applicable provisions so require, communicate the \
                aforementioned informational categories to organisations that participate in the administration of \
                infrastructural resources, some of which process them subsequently.";
    let findings = check(&[("You do not have to do anything.", long)]);
    insta::assert_snapshot!("hard_to_read", findings.to_string());
    // The month is no hedge, and neither is "maybe" inside another word.
    assert_eq!(
        rules(&check(&[(
            "You do not have to do anything.",
            "Since 1 Mayor street and May 2020, no one has."
        )])),
        Vec::<&str>::new()
    );
}

#[test]
fn a_text_full_of_long_words_is_held() {
    let heavy = "The organisation's administration communicates informational categories internationally. "
        .repeat(12);
    let findings = check(&[("You do not have to do anything.", &heavy)]);
    let found = findings.items.iter().find(|item| item.rule == "tell-hard-to-read").unwrap();
    assert_eq!(found.level, Level::Error);
    assert!(found.message.starts_with("Flesch "), "{}", found.message);
}

#[test]
fn slots_and_the_first_layer_are_complete_and_short() {
    let mut notice = finished(Lang::En);
    notice.slots.remove(&SlotName::Complaint);
    notice.slots.insert(SlotName::Dpo, Slot::Filled("  ".into()));
    notice.first.stays = String::new();
    notice.first.changes = "word ".repeat(61);
    notice.headline = "word ".repeat(17);
    notice.body = "\n".into();
    let findings = Gate::new(&facts()).check(&source(&print(&notice)));
    insta::assert_snapshot!("incomplete", findings.to_string());
}

#[test]
fn links_and_images_are_checked() {
    struct Network;
    impl LinkCheck for Network {
        fn alive(&self, url: &str) -> Result<(), String> {
            if url.contains("gone") { Err("404".into()) } else { Ok(()) }
        }
    }
    struct Folder;
    impl Images for Folder {
        fn exists(&self, path: &str) -> bool {
            path == "images/van.png"
        }
    }
    let text = print(&finished(Lang::En)).replacen(
        "You do not have to do anything.",
        "[a](https://good.example/a) [b](https://gone.example/b) [c](http://old.example) [](https://good.example/d) [e](javascript:x)\n\n\
         ![A van](images/van.png) ![](images/van.png) ![x](images/none.png) ![y](https://tracker.example/p.png) <b>bold</b>",
        1,
    );
    let facts = facts();
    let gate = Gate { links: Some(&Network), images: Some(&Folder), ..Gate::new(&facts) };
    insta::assert_snapshot!("links", gate.check(&source(&text)).to_string());
}

#[test]
fn style_can_be_set_aside_with_a_reason_and_facts_cannot() {
    let with = |rule: &str, reason: &str| {
        let over = format!(
            "[[override]]\nrule = \"{rule}\"\nreason = \"{reason}\"\nby = \"ana@example.com\"\n\n[facts]"
        );
        check(&[("[facts]", &over), ("You do not have to do anything.", "You may do nothing.")])
    };
    let findings = with("tell-hedge", "here it is a permission, not a doubt");
    assert!(!findings.has_errors(), "{findings}");
    assert!(findings.items[0].message.contains("set aside by ana@example.com"), "{findings}");
    for (rule, reason) in [
        ("tell-facts-differ", "I know better than this"),
        ("tell-hedge", "no"),
        ("tell-image-alt", "the picture says it all"),
    ] {
        assert!(with(rule, reason).has_errors(), "{rule}");
    }
    let unused = with("tell-link-dead", "the page comes on Monday");
    assert!(unused.items.iter().any(|item| item.rule == "tell-override" && item.level == Level::Warning));
}

#[test]
fn a_published_version_never_changes() {
    let facts = facts();
    let published = finished(Lang::En);
    let gate = Gate { previous: Some(&published), ..Gate::new(&facts) };
    assert_eq!(rules(&gate.check(&source(&print(&published)))), Vec::<&str>::new());
    let mut edited = published.clone();
    edited.headline = "We move your data".into();
    assert_eq!(rules(&gate.check(&source(&print(&edited)))), ["tell-version"]);
    edited.version = 2;
    assert_eq!(rules(&gate.check(&source(&print(&edited)))), Vec::<&str>::new());
}
