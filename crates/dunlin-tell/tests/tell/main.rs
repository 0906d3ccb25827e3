//! Notices from outside: written, drafted from the plan of the design, held against it, shown, compared; and the
//! clocks of requests.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic too")]

mod clock;
mod drafts;
mod files;
mod gate;
mod pages;
mod sending;

use dunlin_plan::{Plan, load};
use dunlin_tell::{Dates, Facts, Lang, Notice, NoticeSource, draft, parse, print, questions};
use jiff::civil::date;

/// The plan of the design document.
pub(crate) const DESIGN: &str = include_str!("../../../dunlin-plan/tests/design.toml");

pub(crate) fn plan() -> Plan {
    plan_with(&[])
}

/// The plan with some of its text replaced.
pub(crate) fn plan_with(changes: &[(&str, &str)]) -> Plan {
    let mut text = DESIGN.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "the plan has no {old}");
        text = text.replace(old, new);
    }
    load(&text, "dunlin.toml").unwrap_or_else(|findings| panic!("{findings}"))
}

pub(crate) fn dates() -> Dates {
    Dates {
        begins: Some(date(2026, 12, 5)),
        ends: Some(date(2026, 12, 6)),
        old_copy_until: Some(date(2027, 3, 1)),
    }
}

pub(crate) fn facts() -> Facts {
    Facts::of(&plan(), dates())
}

pub(crate) fn drafted(lang: Lang) -> Notice {
    draft(&plan(), &facts(), "2026-move", lang).unwrap()
}

/// The draft with every question answered as a writer might.
pub(crate) fn finished(lang: Lang) -> Notice {
    let text = print(&drafted(lang));
    let answer = match lang {
        Lang::Es => "Es lo mismo que hasta hoy.",
        _ => "It is the same as today.",
    };
    let mut out = text.clone();
    for (place, _) in questions(&text).into_iter().rev() {
        out.replace_range(place, answer);
    }
    source(&out).notice
}

pub(crate) fn source(text: &str) -> NoticeSource {
    parse(text, "notices/2026-move.en.md").unwrap_or_else(|findings| panic!("{findings}"))
}
