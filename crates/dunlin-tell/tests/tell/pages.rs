//! What readers see: page, fragment, card, e-mail, linked data, and what is different from the last time.

use dunlin_tell::render::{Actions, fragment, mail, page};
use dunlin_tell::{Lang, Message, Slot, SlotName, Stream, When, card, diff, json_ld};
use jiff::civil::date;

use crate::{facts, finished};

fn actions() -> Actions {
    Actions {
        read: "https://data.atlas.example/tell/2026-move".into(),
        settings: "https://data.atlas.example/tell/me#use".into(),
        download: "https://data.atlas.example/tell/me#download".into(),
        delete: "https://data.atlas.example/tell/me#delete".into(),
        ask: "mailto:privacy@atlas.example".into(),
    }
}

#[test]
fn the_page_has_its_contents_and_every_slot() {
    let page = page(&finished(Lang::En), "Atlas Ltd", &actions(), "/tell/images/2026-move/").unwrap();
    insta::assert_snapshot!("page_en", page.html);
    let ids = page.contents.iter().all(|entry| page.html.contains(&format!("id=\"{}\"", entry.id)));
    assert!(ids && page.contents.len() == 5);
    assert!(!page.html.contains("style=") && !page.html.contains("<script"), "the pages allow neither");
}

#[test]
fn the_fragment_and_the_data_of_the_card_say_the_same() {
    let (notice, actions) = (finished(Lang::Es), actions());
    insta::assert_snapshot!("fragment_es", fragment(&notice, "Atlas Ltd", &actions).unwrap());
    let data = card::data(&notice, "Atlas Ltd", &actions, Some("/tell/card/4f"), false);
    insta::assert_json_snapshot!("card_es", data);
}

#[test]
fn the_mail_is_whole_as_text_and_as_html() {
    let mut notice = finished(Lang::En);
    notice.first.by = Some(date(2026, 12, 4));
    let text = Some("Hello,\n\nthis is **about** your [account](https://atlas.example/a).".to_owned());
    let message = Message { when: When::Before, days: 30, subject: "We are\nmoving".into(), text };
    let stop = Some("https://data.atlas.example/tell/stop/abc");
    let required =
        mail(&notice, &message, "Atlas Ltd", Some("privacy@atlas.example"), &actions(), stop).unwrap();
    insta::assert_snapshot!(
        "mail_text",
        format!("Subject: {}\n{:?}\n\n{}", required.subject, required.headers, required.text)
    );
    insta::assert_snapshot!("mail_html", required.html);
    assert!(
        !required.html.contains("stop/abc") && !required.text.contains("stop/abc"),
        "nothing silences a required notice"
    );
    assert!(!required.html.contains("<img"), "nothing tells whether it was opened");
    notice.stream = Stream::Marketing;
    let marketing = mail(&notice, &message, "Atlas Ltd", None, &actions(), stop).unwrap();
    let header =
        |name: &str| marketing.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
    assert_eq!(header("List-Unsubscribe"), Some("<https://data.atlas.example/tell/stop/abc>"));
    assert_eq!(header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    assert!(marketing.text.contains("stop/abc") && marketing.html.contains("stop/abc"));
}

#[test]
fn nothing_that_is_typed_becomes_markup() {
    let bad = "<script>alert(1)</script>\"><img src=x onerror=alert(1)>";
    let mut notice = finished(Lang::En);
    notice.headline = bad.into();
    notice.first.changes = bad.into();
    notice.body = format!("## {bad}\n\n{bad}\n");
    notice.slots.insert(SlotName::Dpo, Slot::Filled(bad.into()));
    let message = Message { when: When::After, days: 0, subject: bad.into(), text: Some(bad.into()) };
    let made = [
        page(&notice, bad, &actions(), "/i/").unwrap().html,
        fragment(&notice, bad, &actions()).unwrap(),
        mail(&notice, &message, bad, Some(bad), &actions(), None).unwrap().html,
        diff::to_html(&diff::changes(&finished(Lang::En), &notice), &notice),
    ];
    for html in made {
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    }
}

#[test]
fn linked_data_in_the_terms_of_the_vocabulary() {
    let value = json_ld(&finished(Lang::En), &facts(), "https://data.atlas.example/tell/2026-move");
    insta::assert_json_snapshot!("json_ld", value);
}

#[test]
fn two_versions_in_the_words_of_a_reader() {
    let old = finished(Lang::En);
    let mut new = old.clone();
    new.headline = old.headline.replace("5 December", "12 December");
    new.body = old.body.replace("## When", "## Dates").replace("correct it, ", "");
    new.slots.insert(SlotName::Dpo, Slot::NotApplicable("because we are few".into()));
    new.slots.remove(&SlotName::Obligation);
    insta::assert_snapshot!("diff", diff::to_text(&diff::changes(&old, &new), &new));
    insta::assert_snapshot!("diff_html", diff::to_html(&diff::changes(&old, &new), &new));
    assert_eq!(diff::to_text(&diff::changes(&old, &old), &old), "Nothing has changed.\n");
}

#[test]
fn messages_fall_on_days_around_the_window() {
    let message = |when, days| Message { when, days, subject: "s".into(), text: None };
    let (begins, ends) = (date(2026, 12, 5), date(2026, 12, 6));
    let days = [(When::Before, 30), (When::During, 0), (When::After, 1)]
        .map(|(when, days)| message(when, days).day(begins, ends));
    assert_eq!(days, [Some(date(2026, 11, 5)), Some(date(2026, 12, 5)), Some(date(2026, 12, 7))]);
}
