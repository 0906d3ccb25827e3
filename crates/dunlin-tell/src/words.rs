//! The words that dunlin itself puts around a notice, in each language it speaks. What a company says is in the
//! notice; nothing here makes a statement about data.

mod de;
mod en;
mod es;
mod fr;

use jiff::civil::Date;

use crate::vocabulary::{Lang, SlotName};

/// The words of one language. `{}` in a text is filled by [`fill`].
pub struct Words {
    /// Over the first bullet.
    pub changes: &'static str,
    /// Over the second.
    pub stays: &'static str,
    /// Over the third.
    pub you_can: &'static str,
    /// "By {}.": the last day.
    pub by: &'static str,
    /// Over the table of contents.
    pub contents: &'static str,
    /// Over the slots.
    pub details: &'static str,
    /// Before the reason of a slot that does not apply.
    pub not_applicable: &'static str,
    /// "Version {}".
    pub version: &'static str,
    /// The headings of the slots, in the order of [`SlotName`].
    pub slots: [&'static str; 17],
    /// The words of the card.
    pub card: CardWords,
    /// The words of an e-mail.
    pub mail: MailWords,
    /// The words of a comparison.
    pub diff: DiffWords,
    /// The words around a page.
    pub site: SiteWords,
    /// January to December, inside a date.
    pub months: [&'static str; 12],
    /// Between the last two of a list.
    pub and: &'static str,
}

/// The words on the card.
pub struct CardWords {
    /// "A notice from {} about your data": the region's name for those who do not see it.
    pub region: &'static str,
    /// Leads to the whole text.
    pub read: &'static str,
    /// Closes and remembers.
    pub keep: &'static str,
    /// Leads to the settings.
    pub settings: &'static str,
    /// Leads to the download.
    pub download: &'static str,
    /// Leads to the deletion.
    pub delete: &'static str,
    /// Leads to a person.
    pub ask: &'static str,
    /// The cross.
    pub close: &'static str,
    /// Brings the card back.
    pub reopen: &'static str,
    /// Said after "keep".
    pub kept: &'static str,
    /// The actions' group.
    pub actions: &'static str,
}

/// The words in an e-mail.
pub struct MailWords {
    /// The button.
    pub read: &'static str,
    /// "{} must tell you this, …": under a required message.
    pub required: &'static str,
    /// Under a marketing message, before the link.
    pub marketing: &'static str,
    /// The link that ends the stream.
    pub unsubscribe: &'static str,
    /// "Questions? Write to {}."
    pub questions: &'static str,
}

/// The words of a comparison of two versions.
pub struct DiffWords {
    /// "New", "No longer said", "Changed".
    pub added: &'static str,
    /// Taken away.
    pub removed: &'static str,
    /// Changed.
    pub changed: &'static str,
    /// Before the name of a bullet of the first layer.
    pub short: &'static str,
    /// What the headline is called.
    pub headline: &'static str,
    /// What the text before the first heading is called.
    pub beginning: &'static str,
    /// When both say the same.
    pub nothing: &'static str,
}

/// The words around the public pages.
pub struct SiteWords {
    /// Leads to all versions.
    pub versions: &'static str,
    /// "What has changed since version {}".
    pub since: &'static str,
    /// "Published on {}."
    pub published: &'static str,
    /// Before the other languages.
    pub languages: &'static str,
    /// For those who go by keyboard.
    pub skip: &'static str,
    /// Where there is nothing to compare with.
    pub first_version: &'static str,
    /// The heading of the page that says how far the move is.
    pub status: &'static str,
    /// Nothing has moved.
    pub not_begun: &'static str,
    /// "{} % of the data has moved."
    pub moved: &'static str,
    /// All has moved.
    pub all_moved: &'static str,
    /// "Data moves at these times only: {}."
    pub window: &'static str,
    /// The days of the week, Monday first.
    pub days: [&'static str; 7],
    /// The heading where a page is not there.
    pub nothing_here: &'static str,
    /// Why that may be.
    pub nothing_why: &'static str,
}

impl Words {
    /// The words of a language.
    pub fn of(lang: Lang) -> &'static Words {
        match lang {
            Lang::En => &en::WORDS,
            Lang::Es => &es::WORDS,
            Lang::De => &de::WORDS,
            Lang::Fr => &fr::WORDS,
        }
    }

    /// The heading of a slot.
    pub fn slot(&self, name: SlotName) -> &'static str {
        self.slots.get(name as usize).copied().unwrap_or_default()
    }
}

/// The text with its first `{}` filled.
pub fn fill(text: &str, value: &str) -> String {
    text.replacen("{}", value, 1)
}

/// A date as people of this language write it: "5 December 2026", "5 de diciembre de 2026", "5. Dezember 2026",
/// "1er décembre 2026".
pub fn date(lang: Lang, date: Date) -> String {
    let words = Words::of(lang);
    let month = usize::try_from(date.month() - 1).ok().and_then(|at| words.months.get(at)).copied();
    let (day, month, year) = (date.day(), month.unwrap_or_default(), date.year());
    match lang {
        Lang::En => format!("{day} {month} {year}"),
        Lang::Es => format!("{day} de {month} de {year}"),
        Lang::De => format!("{day}. {month} {year}"),
        Lang::Fr if day == 1 => format!("1er {month} {year}"),
        Lang::Fr => format!("{day} {month} {year}"),
    }
}

/// "a, b and c". Spanish `y` becomes `e` before the sound of i (RAE, Diccionario panhispánico de dudas, "y²").
pub fn list(lang: Lang, parts: &[String]) -> String {
    let Some((last, rest)) = parts.split_last() else { return String::new() };
    if rest.is_empty() {
        return last.clone();
    }
    let lower = last.to_lowercase();
    let sounds_i = (lower.starts_with('i') || lower.starts_with('í') || lower.starts_with("hi"))
        && !lower.starts_with("hie")
        && !lower.starts_with("hia");
    let and = if lang == Lang::Es && sounds_i { "e" } else { Words::of(lang).and };
    format!("{} {and} {last}", rest.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Word;

    #[test]
    fn dates_are_written_as_people_write_them() {
        let day = Date::constant(2026, 12, 1);
        let all: Vec<String> = Lang::ALL.iter().map(|lang| date(*lang, day)).collect();
        assert_eq!(
            all,
            ["1 December 2026", "1 de diciembre de 2026", "1. Dezember 2026", "1er décembre 2026"]
        );
    }

    #[test]
    fn lists_end_in_the_word_for_and() {
        let of =
            |lang, parts: &[&str]| list(lang, &parts.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(of(Lang::En, &["a", "b", "c"]), "a, b and c");
        assert_eq!(of(Lang::Es, &["España", "Irlanda"]), "España e Irlanda");
        assert_eq!(of(Lang::Es, &["agua", "hielo"]), "agua y hielo");
        assert_eq!(of(Lang::De, &["a"]), "a");
        assert_eq!(of(Lang::Fr, &[]), "");
    }

    #[test]
    fn every_language_has_a_word_for_everything() {
        for lang in Lang::ALL {
            let words = Words::of(*lang);
            assert!(words.slots.iter().chain(&words.months).all(|word| !word.is_empty()), "{lang}");
            for text in
                [words.by, words.version, words.card.region, words.mail.required, words.mail.questions]
            {
                assert_eq!(text.matches("{}").count(), 1, "{lang}: {text}");
            }
            let site = &words.site;
            for text in [site.since, site.published, site.moved, site.window] {
                assert_eq!(text.matches("{}").count(), 1, "{lang}: {text}");
            }
        }
        assert_eq!(Words::of(Lang::En).slot(SlotName::FurtherPurpose), "A new purpose");
    }
}
