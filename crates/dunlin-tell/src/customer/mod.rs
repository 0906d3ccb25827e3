//! The words of the customer's own page and of the letters about what a customer asks for, in each language. `{}` is
//! filled in order by [`filled`]. Nothing here makes a statement about data.

mod de;
mod en;
mod es;
mod fr;

use crate::vocabulary::Lang;

/// The words of one language.
pub struct CustomerWords {
    /// "Your data at {}": the page.
    pub title: &'static str,
    /// Over the form that asks for an address.
    pub sign_in: &'static str,
    /// What the form is for.
    pub sign_in_lead: &'static str,
    /// The way to the company's own sign-in; takes its name.
    pub sign_in_with: &'static str,
    /// That a sign-in there failed.
    pub sign_in_failed: &'static str,
    /// That nobody is known by the address that it vouches for.
    pub unknown: &'static str,
    /// What to do then.
    pub unknown_lead: &'static str,
    /// The field.
    pub address: &'static str,
    /// The button.
    pub send: &'static str,
    /// After the form, known or not.
    pub sent: &'static str,
    /// What happens now.
    pub sent_lead: &'static str,
    /// Before a link is spent.
    pub link_lead: &'static str,
    /// Spends it.
    pub link_go: &'static str,
    /// A link that is spent or over.
    pub spent: &'static str,
    /// What to do then.
    pub spent_lead: &'static str,
    /// Where one address has several customers.
    pub several: &'static str,
    /// What to do then; where there is a contact, it follows.
    pub several_lead: &'static str,
    /// A sign-in that is too long ago for this.
    pub again: &'static str,
    /// Ends the session.
    pub sign_out: &'static str,
    /// There is nothing to show customers now.
    pub closed: &'static str,
    /// Why that may be.
    pub closed_lead: &'static str,
    /// A form that could not be acted on.
    pub wrong: &'static str,
    /// What to do then.
    pub wrong_lead: &'static str,
    /// `Sec-GPC` was heard.
    pub heard: &'static str,
    /// What follows from it.
    pub heard_lead: &'static str,
    /// What can be done.
    pub actions: &'static str,
    /// To the copy of the data.
    pub download: &'static str,
    /// What it is.
    pub download_lead: &'static str,
    /// To corrections.
    pub correct: &'static str,
    /// How they work.
    pub correct_lead: &'static str,
    /// "New value".
    pub new_value: &'static str,
    /// To the deletion.
    pub delete: &'static str,
    /// What it does.
    pub delete_lead: &'static str,
    /// Does it.
    pub delete_go: &'static str,
    /// Does nothing, and leads back.
    pub keep: &'static str,
    /// To what the data is used for.
    pub settings: &'static str,
    /// Over the restriction.
    pub restrict: &'static str,
    /// What it does.
    pub restrict_lead: &'static str,
    /// Over the objection.
    pub object: &'static str,
    /// What it does.
    pub object_lead: &'static str,
    /// Over consent.
    pub consent: &'static str,
    /// What it does.
    pub consent_lead: &'static str,
    /// Takes consent back.
    pub withdraw: &'static str,
    /// Gives it.
    pub give: &'static str,
    /// "{} more": to the rest of a list.
    pub more: &'static str,
    /// What was moved.
    pub moved: &'static str,
    /// "Records: {}."
    pub records: &'static str,
    /// "From {} to {}."
    pub from_to: &'static str,
    /// "Moved on {}."
    pub moved_on: &'static str,
    /// Not moved yet.
    pub not_moved: &'static str,
    /// Of rows in a source after an erasure that left the source alone.
    pub stays_behind: &'static str,
    /// Nobody is known by what was given.
    pub nothing: &'static str,
    /// What stayed behind.
    pub left: &'static str,
    /// "Records that wait until a person has looked at them: {}."
    pub waiting: &'static str,
    /// Nothing stayed behind.
    pub nothing_left: &'static str,
    /// Who looked.
    pub opened: &'static str,
    /// What that means.
    pub opened_lead: &'static str,
    /// Nobody did.
    pub nobody: &'static str,
    /// What was asked for.
    pub asked: &'static str,
    /// Nothing was.
    pub nothing_asked: &'static str,
    /// "We have to answer by {}."
    pub due: &'static str,
    /// "You can take it back until {}."
    pub undo_until: &'static str,
    /// Takes it back.
    pub undo: &'static str,
    /// The receipt.
    pub receipt: &'static str,
    /// What customers ask for, in the order of `RequestKind`: access, portability, rectification, erasure, restriction,
    /// objection, consent withdrawn, consent given.
    pub kinds: [&'static str; 8],
    /// Where it stands: open, granted, acting, done, refused, withdrawn.
    pub states: [&'static str; 6],
    /// Roles: owner, lead, engineer, steward, writer, approver, auditor, guest, and somebody at a console.
    pub roles: [&'static str; 9],
    /// The letters.
    pub letters: LetterWords,
}

/// The words of letters. The company's name stands in the first place of `link` and `greeting`.
pub struct LetterWords {
    /// "Your data at {}: your link".
    pub link_subject: &'static str,
    /// "… Open this link within 15 minutes: {}".
    pub link: &'static str,
    /// "Your request to {}".
    pub subject: &'static str,
    /// "We have your request of {}: {}."
    pub received: &'static str,
    /// "We will answer by {}."
    pub answer_by: &'static str,
    /// It was granted.
    pub granted: &'static str,
    /// It was refused.
    pub refused: &'static str,
    /// "The reason: {}"
    pub reason: &'static str,
    /// Where to go then.
    pub complain: &'static str,
    /// "… We need longer, until {}."
    pub extended: &'static str,
    /// It was taken back in the customer's name.
    pub withdrawn: &'static str,
    /// "Your copy … within 15 minutes: {}".
    pub copy: &'static str,
    /// It was done.
    pub done: &'static str,
    /// Before a receipt.
    pub receipt: &'static str,
    /// "See where it stands: {}"
    pub see: &'static str,
}

impl CustomerWords {
    /// The words of a language.
    pub fn of(lang: Lang) -> &'static CustomerWords {
        match lang {
            Lang::En => &en::WORDS,
            Lang::Es => &es::WORDS,
            Lang::De => &de::WORDS,
            Lang::Fr => &fr::WORDS,
        }
    }
}

/// The text with each `{}` filled, in order. What fills one is not looked at again.
pub fn filled(text: &str, values: &[&str]) -> String {
    let mut parts = text.split("{}");
    let mut out = parts.next().unwrap_or_default().to_owned();
    let mut values = values.iter();
    for part in parts {
        out.push_str(values.next().unwrap_or(&"{}"));
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Word;

    #[test]
    fn every_language_has_a_word_for_everything_and_a_place_for_each_value() {
        for lang in Lang::ALL {
            let words = CustomerWords::of(*lang);
            let lists = words.kinds.iter().chain(&words.states).chain(&words.roles);
            assert!(lists.clone().all(|word| !word.is_empty()), "{lang}");
            let letters = &words.letters;
            let places = [
                (words.title, 1),
                (words.more, 1),
                (words.records, 1),
                (words.from_to, 2),
                (words.moved_on, 1),
                (words.waiting, 1),
                (words.due, 1),
                (words.undo_until, 1),
                (letters.link_subject, 1),
                (letters.link, 2),
                (letters.subject, 1),
                (letters.received, 2),
                (letters.answer_by, 1),
                (letters.reason, 1),
                (letters.extended, 1),
                (letters.see, 1),
                (letters.copy, 1),
            ];
            for (text, count) in places {
                assert_eq!(text.matches("{}").count(), count, "{lang}: {text}");
            }
        }
    }

    #[test]
    fn what_fills_a_place_is_not_a_place() {
        assert_eq!(filled("{} and {}", &["{}", "b"]), "{} and b");
        assert_eq!(filled("plain", &["a"]), "plain");
        assert_eq!(filled("{}", &[]), "{}");
    }
}
