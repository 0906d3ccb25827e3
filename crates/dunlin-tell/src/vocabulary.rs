//! The closed vocabularies of a notice: languages, streams, times, and the slots of GDPR Art. 13 and 14.

use std::fmt;

pub use dunlin_plan::Word;
use serde::{Deserialize, Serialize};

// A macro for the same reason as in `dunlin-plan`: spelling and list of all words come from one place.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl Word for $name {
            const WHAT: &'static str = $what;
            const ALL: &'static [$name] = &[$($name::$variant,)+];
            fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// A language that dunlin has words and a readability index for.
    Lang, "language", {
        /// English.
        En = "en",
        /// Spanish.
        Es = "es",
        /// German.
        De = "de",
        /// French.
        Fr = "fr",
    }
}

words! {
    /// Which stream of messages a notice belongs to.
    Stream, "stream", {
        /// The law or the contract asks for it: unsubscribing does not silence it.
        Required = "required",
        /// Anything else: one click ends it (RFC 8058).
        Marketing = "marketing",
    }
}

words! {
    /// When a message goes out, counted from the window of the move.
    When, "time", {
        /// Days before the move begins.
        Before = "before",
        /// Days after the move has begun.
        During = "during",
        /// Days after the move has ended.
        After = "after",
    }
}

words! {
    /// What a notice must say by GDPR Art. 13 and 14, one slot each.
    SlotName, "slot", {
        /// Who the controller is and how to reach it: Art. 13(1)(a), 14(1)(a).
        Controller = "controller",
        /// The controller's representative in the Union: Art. 13(1)(a), 14(1)(a), 27.
        Representative = "representative",
        /// The data protection officer: Art. 13(1)(b), 14(1)(b).
        Dpo = "dpo",
        /// What the data is used for: Art. 13(1)(c), 14(1)(c).
        Purposes = "purposes",
        /// On which legal basis: Art. 13(1)(c), 14(1)(c).
        LegalBasis = "legal_basis",
        /// The legitimate interests, where they are the basis: Art. 13(1)(d), 14(2)(b).
        LegitimateInterests = "legitimate_interests",
        /// The categories of data: Art. 14(1)(d).
        Categories = "categories",
        /// Who receives the data: Art. 13(1)(e), 14(1)(e).
        Recipients = "recipients",
        /// Transfers to third countries and their safeguards: Art. 13(1)(f), 14(1)(f).
        Transfers = "transfers",
        /// How long the data is kept: Art. 13(2)(a), 14(2)(a).
        Retention = "retention",
        /// Access, rectification, erasure, restriction, objection, portability: Art. 13(2)(b), 14(2)(c).
        Rights = "rights",
        /// That consent can be withdrawn: Art. 13(2)(c), 14(2)(d).
        WithdrawConsent = "withdraw_consent",
        /// The complaint to an authority: Art. 13(2)(d), 14(2)(e).
        Complaint = "complaint",
        /// Whether one must give the data, and what follows if not: Art. 13(2)(e).
        Obligation = "obligation",
        /// Where the data comes from, when not from the person: Art. 14(2)(f).
        Source = "source",
        /// Automated decisions and profiling: Art. 13(2)(f), 14(2)(g), 22.
        AutomatedDecisions = "automated_decisions",
        /// A new purpose, before the data is used for it: Art. 13(3), 14(4).
        FurtherPurpose = "further_purpose",
    }
}

impl SlotName {
    /// The articles of the GDPR (Regulation (EU) 2016/679) that ask for it.
    pub fn article(self) -> &'static str {
        match self {
            SlotName::Controller | SlotName::Representative => "Art. 13(1)(a), 14(1)(a)",
            SlotName::Dpo => "Art. 13(1)(b), 14(1)(b)",
            SlotName::Purposes | SlotName::LegalBasis => "Art. 13(1)(c), 14(1)(c)",
            SlotName::LegitimateInterests => "Art. 13(1)(d), 14(2)(b)",
            SlotName::Categories => "Art. 14(1)(d)",
            SlotName::Recipients => "Art. 13(1)(e), 14(1)(e)",
            SlotName::Transfers => "Art. 13(1)(f), 14(1)(f)",
            SlotName::Retention => "Art. 13(2)(a), 14(2)(a)",
            SlotName::Rights => "Art. 13(2)(b), 14(2)(c)",
            SlotName::WithdrawConsent => "Art. 13(2)(c), 14(2)(d)",
            SlotName::Complaint => "Art. 13(2)(d), 14(2)(e)",
            SlotName::Obligation => "Art. 13(2)(e)",
            SlotName::Source => "Art. 14(2)(f)",
            SlotName::AutomatedDecisions => "Art. 13(2)(f), 14(2)(g)",
            SlotName::FurtherPurpose => "Art. 13(3), 14(4)",
        }
    }
}

/// A locale as notices are written in: a language that dunlin has words for, and maybe a country.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locale {
    /// The language.
    pub lang: Lang,
    /// ISO 3166, two capital letters.
    pub country: Option<String>,
}

impl Locale {
    /// Reads `en` or `en-GB` (BCP 47: a language, at most a region after it).
    pub fn from_tag(tag: &str) -> Option<Locale> {
        let (lang, country) = match tag.split_once('-') {
            Some((lang, country)) => (lang, Some(country)),
            None => (tag, None),
        };
        let capital = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if country.is_some_and(|country| !capital(country)) {
            return None;
        }
        Some(Locale { lang: Lang::from_word(lang)?, country: country.map(str::to_owned) })
    }
}

impl From<Lang> for Locale {
    fn from(lang: Lang) -> Locale {
        Locale { lang, country: None }
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.country {
            Some(country) => write!(f, "{}-{country}", self.lang),
            None => write!(f, "{}", self.lang),
        }
    }
}
