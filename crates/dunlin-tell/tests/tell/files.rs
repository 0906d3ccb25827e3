//! The file: what is refused and how it is said; what is written is read back.

use std::collections::BTreeMap;

use dunlin_tell::{
    Claims, FirstLayer, Lang, Locale, Message, Notice, Override, Slot, SlotName, Stream, When, Word, parse,
    print,
};
use jiff::civil::Date;
use proptest::prelude::*;
use proptest::sample::select;

#[test]
fn every_mistake_is_named_with_its_place() {
    let text = r#"+++
notice = "2026 Move"
local = "en"
locale = "eng"
version = 0
headline = ""
stream = "requird"

[first]
chnages = "x"
stays = 3
by = "2026-12-05"

[slot]
controler = "Atlas"
dpo = { not_aplicable = "because" }

[[message]]
when = "befor"
days = -3
subject = "s"

[facts]
too = ["IE"]

[[override]]
rule = "tell-hedge"
+++
Body
"#;
    let findings = parse(text, "notices/2026-move.en.md").unwrap_err();
    insta::assert_snapshot!("mistakes", findings.to_string());
}

#[test]
fn a_file_without_front_matter_or_without_toml_is_refused() {
    let refuse = |text: &str| parse(text, "n.md").unwrap_err().to_string();
    let shown =
        [refuse("# Just text\n"), refuse(""), refuse("+++\na = \"open\n+++\n"), refuse("+++\nnotice = 1\n")];
    insta::assert_snapshot!("refused", shown.join("\n"));
}

#[test]
fn places_are_those_of_the_file() {
    let text = "+++\nnotice = \"a\"\nlocale = \"en\"\nversion = 1\nheadline = \"We move\"\nstream = \"required\"\n\n[first]\nchanges = \"Ä\"\n+++\nBody\n";
    let source = crate::source(text);
    let at = |field| {
        let span = source.place(field);
        &text[span.start..span.end]
    };
    assert_eq!(at("headline"), "\"We move\"");
    assert_eq!(at("first.changes"), "\"Ä\"");
    assert_eq!(source.notice.body, "Body\n");
}

#[test]
fn a_multi_line_text_and_windows_line_ends_are_read() {
    let text = "+++\r\nnotice = \"a\"\r\nlocale = \"en-GB\"\r\nversion = 2\r\nheadline = \"h\"\r\nstream = \"marketing\"\r\n[first]\r\n[slot]\r\nrights = \"\"\"\r\nOne.\r\n\r\nTwo.\"\"\"\r\n+++\r\nBody";
    let notice = crate::source(text).notice;
    assert_eq!(notice.locale.to_string(), "en-GB");
    assert!(notice.slots[&SlotName::Rights].text().ends_with("Two."));
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![".{0,40}", "[a-z\"\\\\'+#\\[\\]\n\t={}]{0,40}", "(?s).{0,20}"]
}

fn some_text() -> impl Strategy<Value = String> {
    any_text().prop_filter("says something", |text| !text.trim().is_empty())
}

fn any_date() -> impl Strategy<Value = Date> {
    (1i16..3000, 1i8..13, 1i8..29).prop_map(|(year, month, day)| Date::new(year, month, day).unwrap())
}

fn any_slot() -> impl Strategy<Value = (SlotName, Slot)> {
    let slot = prop_oneof![any_text().prop_map(Slot::Filled), some_text().prop_map(Slot::NotApplicable)];
    (select(SlotName::ALL), slot)
}

prop_compose! {
    fn any_message()(when in select(When::ALL), days in 0u16..730, subject in some_text(), text in prop::option::of(any_text())) -> Message {
        Message { when, days, subject, text }
    }
}

prop_compose! {
    fn any_claims()(fingerprint in "[0-9a-f]{64}", stated in prop::collection::btree_map(
        select(dunlin_tell::SUBJECTS).prop_map(|(key, _)| key.to_owned()),
        prop::collection::vec(any_text(), 0..3),
        0..4,
    )) -> Claims {
        Claims { fingerprint, stated }
    }
}

prop_compose! {
    fn any_notice()(
        id in "[a-z0-9][a-z0-9-]{4,20}",
        lang in select(Lang::ALL),
        country in prop::option::of("[A-Z]{2}"),
        version in 1u32..1000,
        headline in some_text(),
        stream in select(Stream::ALL),
        audience in prop::option::of(any_text()),
        (changes, stays, you_can, by) in (any_text(), any_text(), any_text(), prop::option::of(any_date())),
        slots in prop::collection::vec(any_slot(), 0..6),
        messages in prop::collection::vec(any_message(), 0..3),
        claims in prop::option::of(any_claims()),
        overrides in prop::collection::vec((some_text(), some_text(), some_text()), 0..2),
        body in any_text(),
    ) -> Notice {
        let overrides = overrides.into_iter().map(|(rule, reason, by)| Override { rule, reason, by }).collect();
        Notice {
            id, locale: Locale { lang, country }, version, headline, stream, audience,
            first: FirstLayer { changes, stays, you_can, by },
            slots: BTreeMap::from_iter(slots), messages, claims, overrides, body,
        }
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(notice in any_notice()) {
        let text = print(&notice);
        match parse(&text, "n.md") {
            Ok(source) => prop_assert_eq!(source.notice, notice),
            Err(findings) => prop_assert!(false, "{}\n{}", findings, text),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,200}", front in "(?s)[a-z\\[\\]=\"' \n.0-9{}]{0,120}") {
        let _ = parse(&text, "n.md").map_err(|findings| findings.to_string());
        let _ = parse(&format!("+++\n{front}\n+++\n{text}"), "n.md").map_err(|findings| findings.to_string());
    }
}
