//! Whether the notice says what the approved plan says. What it states in `[facts]` is compared subject by subject,
//! and a difference shows both sides. The text itself is searched for countries, days, addresses and lengths of time
//! that the plan does not know: those are guesses over words, and can be set aside with a reason.

use std::sync::LazyLock;

use dunlin_plan::Finding;
use jiff::civil::Date;
use regex::Regex;

use super::passages::Passage;
use crate::country;
use crate::facts::{Facts, SUBJECTS, Unit, say};
use crate::notice::NoticeSource;
use crate::vocabulary::{Lang, SlotName};
use crate::words::{self, Words};

pub(super) fn check(source: &NoticeSource, passages: &[Passage], facts: &Facts, items: &mut Vec<Finding>) {
    claims(source, facts, items);
    for passage in passages {
        for block in passage.blocks() {
            let text = Text { source, passage, block, facts };
            text.countries(items);
            text.dates(items);
            text.addresses(items);
            text.lengths(items);
        }
    }
}

fn claims(source: &NoticeSource, facts: &Facts, items: &mut Vec<Finding>) {
    let now = facts.stated();
    let Some(claims) = &source.notice.claims else {
        let message = "the notice does not say which facts it was written on";
        let help = "take `[facts]` from a new draft (`dunlin notice draft`), then read the text once more";
        items.push(Finding::error("tell-facts-missing", source.place("notice"), message).help(help));
        return;
    };
    if claims.fingerprint == facts.fingerprint().to_string() && claims.stated == now {
        return;
    }
    let before = items.len();
    for (subject, what) in SUBJECTS {
        let (said, is) = (claims.stated.get(*subject), now.get(*subject));
        if said == is {
            continue;
        }
        let list = |values: Option<&Vec<String>>| match values {
            None => "nothing".to_owned(),
            Some(values) => {
                values.iter().map(|value| format!("`{}`", say(subject, value))).collect::<Vec<_>>().join(", ")
            }
        };
        let message = format!("{what}: the notice was written on {}, the plan says {}", list(said), list(is));
        let help =
            "correct the text, then take over the plan's facts; or correct the plan and have it approved";
        let field = if said.is_some() { format!("facts.{subject}") } else { "facts".to_owned() };
        items.push(Finding::error("tell-facts-differ", source.place(&field), message).help(help));
    }
    if items.len() == before || claims.computed().to_string() != claims.fingerprint {
        let message = "[facts] was changed by hand: its fingerprint is not that of its words";
        let help = "let dunlin write it again from the plan";
        items
            .push(Finding::error("tell-facts-edited", source.place("facts.fingerprint"), message).help(help));
    }
}

struct Text<'a> {
    source: &'a NoticeSource,
    passage: &'a Passage,
    block: &'a crate::prose::Block,
    facts: &'a Facts,
}

impl Text<'_> {
    fn lang(&self) -> Lang {
        self.source.notice.locale.lang
    }

    fn say(&self, rule: &'static str, at: std::ops::Range<usize>, message: String, items: &mut Vec<Finding>) {
        let span = self.passage.block_span(self.source, self.block, at.start, at.end);
        let help =
            "correct the text or the plan; if both are right, set it aside with a reason ([[override]])";
        items.push(Finding::error(rule, span, message).help(help));
    }

    fn countries(&self, items: &mut Vec<Finding>) {
        let places = self.facts.from.iter().chain(&self.facts.to);
        let known: Vec<&str> = places.filter_map(|place| place.region.as_deref()).collect();
        if known.is_empty() {
            return;
        }
        for (code, at) in country::mentioned(self.lang(), &self.block.text) {
            if known.contains(&code) {
                continue;
            }
            let named: Vec<&str> = crate::facts::once(known.iter().map(|code| country::name(Lang::En, code)));
            let message = format!(
                "the text names `{}`, the plan only {}",
                &self.block.text[at.clone()],
                named.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            );
            self.say("tell-text-country", at, message, items);
        }
    }

    fn dates(&self, items: &mut Vec<Finding>) {
        let dates = self.facts.dates;
        let facts: Vec<Date> =
            [dates.begins, dates.ends, dates.old_copy_until].into_iter().flatten().collect();
        if facts.is_empty() {
            return;
        }
        for (at, date) in dates_in(&self.block.text, self.lang()) {
            if facts.contains(&date) || self.source.notice.first.by == Some(date) {
                continue;
            }
            let known: Vec<String> =
                facts.iter().map(|date| format!("`{}`", words::date(self.lang(), *date))).collect();
            let message = format!(
                "the text says `{}`, the plan's days are {}",
                &self.block.text[at.clone()],
                crate::facts::once(known).join(", ")
            );
            self.say("tell-text-date", at, message, items);
        }
    }

    fn addresses(&self, items: &mut Vec<Finding>) {
        let Some(contact) = &self.facts.contact else { return };
        for (at, word) in super::sentences::words(&self.block.text) {
            let parts =
                word.split_once('@').filter(|(name, domain)| !name.is_empty() && domain.contains('.'));
            // Another office of the same house is no contradiction.
            let house =
                |address: &str| address.split_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
            if parts.is_some() && house(word) != house(contact) && self.passage.field != "slot.complaint" {
                let message =
                    format!("the text gives the address `{word}`, the plan's contact is `{contact}`");
                self.say("tell-text-address", at..at + word.len(), message, items);
            }
        }
    }

    /// "7 years" in the slot on retention, where the plan says 6.
    fn lengths(&self, items: &mut Vec<Finding>) {
        let known: Vec<(u32, Unit)> = self
            .facts
            .retention
            .iter()
            .filter_map(|kept| kept.length.as_ref().map(|length| (length.count, length.unit)))
            .collect();
        let complete = known.len() == self.facts.retention.len() && !known.is_empty();
        if !complete || self.passage.field != format!("slot.{}", SlotName::Retention) {
            return;
        }
        for (at, length) in lengths_in(&self.block.text, self.lang()) {
            if known.contains(&length) {
                continue;
            }
            let sql = crate::facts::once(self.facts.retention.iter().map(|kept| format!("`{}`", kept.sql)));
            let message = format!(
                "the text says `{}`, the plan keeps it until {}",
                &self.block.text[at.clone()],
                sql.join(", ")
            );
            self.say("tell-text-length", at, message, items);
        }
    }
}

/// The full dates of a text: `2026-12-05`, and as people of the language write them.
fn dates_in(text: &str, lang: Lang) -> Vec<(std::ops::Range<usize>, Date)> {
    static ISO: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b(\d{4})-(\d{2})-(\d{2})\b").ok());
    static WORDS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\b(\d{1,2})(?:er|\.|º)?(?: de)? (\p{L}+)(?: de| del)? (\d{4})\b").ok());
    static AMERICAN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\b(\p{L}+) (\d{1,2}), (\d{4})\b").ok());
    let months = &Words::of(lang).months;
    let month =
        |name: &str| months.iter().position(|month| month.eq_ignore_ascii_case(name)).map(|at| at + 1);
    let mut found = Vec::new();
    let mut add = |regex: &Option<Regex>, order: [usize; 3]| {
        for capture in regex.iter().flat_map(|regex| regex.captures_iter(text)) {
            let group = |at: usize| capture.get(at).map_or("", |part| part.as_str());
            let month = group(order[1]).parse().ok().or_else(|| month(group(order[1])));
            let parts = (
                group(order[0]).parse().ok(),
                month.and_then(|month| i8::try_from(month).ok()),
                group(order[2]).parse().ok(),
            );
            if let (Some(year), Some(month), Some(day)) = parts
                && let Ok(date) = Date::new(year, month, day)
                && let Some(whole) = capture.get(0)
            {
                found.push((whole.range(), date));
            }
        }
    };
    add(&ISO, [1, 2, 3]);
    add(&WORDS, [3, 2, 1]);
    add(&AMERICAN, [3, 1, 2]);
    found
}

/// Lengths of time with a number in digits.
fn lengths_in(text: &str, lang: Lang) -> Vec<(std::ops::Range<usize>, (u32, Unit))> {
    static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b(\d{1,4}) (\p{L}+)").ok());
    let unit = |word: &str| {
        let word = word.to_lowercase();
        let starts = |stems: &[&str]| stems.iter().any(|stem| word.starts_with(stem));
        let stems: [(&[&str], Unit); 4] = match lang {
            Lang::En => [
                (&["year"], Unit::Year),
                (&["month"], Unit::Month),
                (&["week"], Unit::Week),
                (&["day"], Unit::Day),
            ],
            Lang::Es => [
                (&["año"], Unit::Year),
                (&["mes"], Unit::Month),
                (&["semana"], Unit::Week),
                (&["día"], Unit::Day),
            ],
            Lang::De => [
                (&["jahr"], Unit::Year),
                (&["monat"], Unit::Month),
                (&["woche"], Unit::Week),
                (&["tag"], Unit::Day),
            ],
            Lang::Fr => [
                (&["an", "anné"], Unit::Year),
                (&["mois"], Unit::Month),
                (&["semaine"], Unit::Week),
                (&["jour"], Unit::Day),
            ],
        };
        stems.iter().find(|(stems, _)| starts(stems)).map(|(_, unit)| *unit)
    };
    let captures = NUMBER.iter().flat_map(|regex| regex.captures_iter(text));
    captures
        .filter_map(|capture| {
            let (number, word) = (capture.get(1)?.as_str().parse().ok()?, capture.get(2)?.as_str());
            Some((capture.get(0)?.range(), (number, unit(word)?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_people_write_them() {
        let read = |text: &str, lang| {
            dates_in(text, lang).into_iter().map(|(_, date)| date.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            read("on 5 December 2026 or December 6, 2026 or 2026-12-07", Lang::En),
            ["2026-12-07", "2026-12-05", "2026-12-06"]
        );
        assert_eq!(read("el 5 de diciembre de 2026", Lang::Es), ["2026-12-05"]);
        assert_eq!(read("am 5. Dezember 2026", Lang::De), ["2026-12-05"]);
        assert_eq!(read("le 1er décembre 2026", Lang::Fr), ["2026-12-01"]);
        assert_eq!(read("on 31 February 2026, 5 people 2026", Lang::En), Vec::<String>::new());
    }

    #[test]
    fn lengths_are_read_in_digits() {
        let read = |text: &str, lang| {
            lengths_in(text, lang).into_iter().map(|(_, length)| length).collect::<Vec<_>>()
        };
        assert_eq!(read("for 7 years and 30 days", Lang::En), [(7, Unit::Year), (30, Unit::Day)]);
        assert_eq!(read("6 años", Lang::Es), [(6, Unit::Year)]);
        assert_eq!(read("17 orders", Lang::En), []);
    }
}
