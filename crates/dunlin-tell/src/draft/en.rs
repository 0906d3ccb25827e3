//! The draft in English.

use dunlin_plan::{Basis, Protect};
use jiff::civil::Date;

use super::{Part, Phrases};
use crate::facts::{Category, Length, Unit};
use crate::notice::question;
use crate::vocabulary::{Lang, SlotName, When};
use crate::words;

pub(super) struct English;

fn list(parts: &[String]) -> String {
    words::list(Lang::En, parts)
}

fn day(date: Date) -> String {
    words::date(Lang::En, date)
}

impl Phrases for English {
    fn headline(&self, begins: Option<Date>) -> String {
        match begins {
            Some(date) => format!("We are moving your data to a new home on {}", day(date)),
            None => format!("We are moving your data to a new home {}", question("on which day?")),
        }
    }

    fn first_changes(&self, from: &[String], to: &[String], processors: &[String]) -> String {
        let place = match (from.is_empty(), to.is_empty()) {
            (_, true) => format!("We will keep your data in a new system {}", question("in which country?")),
            (true, false) => format!("We will keep your data in {}", list(to)),
            (false, false) if from == to => {
                format!("We will keep your data in a new system, still in {}", list(to))
            }
            (false, false) => format!("We will keep your data in {} instead of {}", list(to), list(from)),
        };
        match processors {
            [] => format!("{place}."),
            some => format!("{place}. {} will run the servers for us.", list(some)),
        }
    }

    fn first_stays(&self) -> String {
        question(
            "what stays the same for your customers? For example what you use the data for, and who may see it.",
        )
    }

    fn first_you_can(&self) -> String {
        "You can see, correct, download or delete your data, before the move and after it.".to_owned()
    }

    fn subject(&self, when: When) -> String {
        match when {
            When::Before => "We are moving your data: what changes for you",
            When::During => "Today we are moving your data",
            When::After => "Your data has moved",
        }
        .to_owned()
    }

    fn heading(&self, part: Part) -> &'static str {
        match part {
            Part::Moves => "What moves",
            Part::Left => "What stays behind",
            Part::When => "When",
            Part::YouCan => "What you can do",
        }
    }

    fn category(&self, category: Category) -> &'static str {
        match category {
            Category::Identity => "Who you are",
            Category::Contact => "How we reach you",
            Category::Official => "Official numbers",
            Category::Payment => "Payment",
            Category::Online => "Your devices and your place",
            Category::Special => "Specially protected data",
            Category::Access => "How you sign in",
            Category::Written => "What you wrote to us",
        }
    }

    fn protected(&self, protect: Protect) -> &'static str {
        match protect {
            Protect::Mask => "partly hidden in the new system",
            Protect::Hash => "kept only as a code that cannot be turned back",
            Protect::Tokenise => "replaced by a stand-in in the new system",
            Protect::Encrypt => "encrypted in the new system",
            Protect::Format | Protect::Fake => "replaced by a made-up value in the new system",
            Protect::Shift => "moved by some days in the new system",
            Protect::General => "kept only roughly in the new system",
            Protect::Remove => "not kept in the new system",
        }
    }

    fn move_sentence(&self, company: &str, from: &[String], to: &[String]) -> String {
        let place = match (from.is_empty(), to.is_empty()) {
            (false, false) if from != to => format!(", from {} to {}", list(from), list(to)),
            (_, false) => format!(", in {}", list(to)),
            _ => String::new(),
        };
        let who = match company {
            "" => "We are moving the data of our customers".to_owned(),
            name => format!("{name} is moving the data of its customers"),
        };
        format!("{who} to a new system{place}. This page tells you what that means for you.")
    }

    fn moves_intro(&self) -> &'static str {
        "This is what we move, where we have it from you:"
    }

    fn left_intro(&self) -> &'static str {
        "We do not take this along:"
    }

    fn left_item(&self, column: &str, reason: &str) -> String {
        format!("**{column}:** {}", reason.trim_end_matches('.'))
    }

    fn left_nothing(&self) -> String {
        question("the plan leaves no column of these tables behind; does anything else stay?")
    }

    fn merged(&self) -> &'static str {
        "If we hold your details twice, we put them together into one record."
    }

    fn when(&self, begins: Option<Date>, ends: Option<Date>) -> String {
        match (begins, ends) {
            (Some(begins), Some(ends)) if begins != ends => {
                format!("The move begins on {} and ends on {}.", day(begins), day(ends))
            }
            (Some(begins), _) => format!("The move takes place on {}.", day(begins)),
            (None, _) => question("on which days do you move?"),
        }
    }

    fn old_copy(&self, until: Option<Date>) -> String {
        match until {
            Some(date) => format!("We delete the copy in the old system on {}.", day(date)),
            None => question("on which day do you delete the copy in the old system?"),
        }
    }

    fn you_can(&self, contact: Option<&str>) -> String {
        let first = "You do not have to do anything. If you like, you can see your data, correct it, download it, \
                     delete it, or change what we use it for. Each takes two taps.";
        match contact {
            Some(address) => format!("{first}\n\nYou can also write to a person: {address}."),
            None => format!("{first}\n\n{}", question("which address can customers write to?")),
        }
    }

    fn ask_unclassified(&self, columns: &str) -> String {
        format!(
            "these move and the plan does not say what they hold; name them in your customers' words, or give them a kind: {columns}"
        )
    }

    fn ask_some_rows(&self, table: &str, sql: &str) -> String {
        format!("not every row of {table} moves, only those where {sql}; whom does that leave out?")
    }

    fn controller(&self, controller: Option<&str>, contact: Option<&str>) -> String {
        match (controller, contact) {
            (Some(who), Some(address)) => {
                format!("{who} decides what happens with your data. Write to {address}.")
            }
            (Some(who), None) => {
                format!(
                    "{who} decides what happens with your data. {}",
                    question("how can customers reach you?")
                )
            }
            (None, _) => question("which company decides on the data, and how do customers reach it?"),
        }
    }

    fn purposes(&self, known: &[String], unknown: &[String]) -> String {
        let mut text = match known {
            [] => String::new(),
            some => format!("We use your data {}.", list(some)),
        };
        if !unknown.is_empty() {
            text = format!(
                "{text} {}",
                question(&format!("what is {} in your customers' words?", unknown.join(", ")))
            );
        }
        text.trim().to_owned()
    }

    fn bases(&self, bases: &[Basis]) -> String {
        let say = |basis: &Basis| match basis {
            Basis::Consent => "You have agreed (GDPR Art. 6(1)(a)).",
            Basis::Contract => "We need it for our contract with you (GDPR Art. 6(1)(b)).",
            Basis::LegalObligation => "The law asks it of us (GDPR Art. 6(1)(c)).",
            Basis::VitalInterests => "It protects somebody's life (GDPR Art. 6(1)(d)).",
            Basis::PublicTask => "It is part of a public task (GDPR Art. 6(1)(e)).",
            Basis::LegitimateInterests => "We have a good reason that does not harm you (GDPR Art. 6(1)(f)).",
        };
        bases.iter().map(say).collect::<Vec<_>>().join(" ")
    }

    fn basis_not(&self, slot: SlotName) -> &'static str {
        match slot {
            SlotName::WithdrawConsent => "because nothing here rests on your consent",
            _ => "because nothing here rests on our own interests",
        }
    }

    fn recipients(&self, processors: &[(String, Option<String>)]) -> String {
        let say = |(who, place): &(String, Option<String>)| match place {
            Some(place) => format!("{who} runs our servers in {place}. It works on our orders only."),
            None => format!("{who} runs our servers. It works on our orders only."),
        };
        processors.iter().map(say).collect::<Vec<_>>().join(" ")
    }

    fn transfers_inside(&self, regions: &[String]) -> String {
        format!("because your data stays inside the European Economic Area ({})", regions.join(", "))
    }

    fn transfers_outside(&self, regions: &[String]) -> String {
        let ask = question(
            "what protects the data there (a decision of the Commission, standard clauses), and where can one get a copy?",
        );
        format!("Your data will be in {}. {ask}", list(regions))
    }

    fn kept(&self, length: &Length, table: &str) -> String {
        let unit = match (length.unit, length.count) {
            (Unit::Year, 1) => "year",
            (Unit::Year, _) => "years",
            (Unit::Month, 1) => "month",
            (Unit::Month, _) => "months",
            (Unit::Week, 1) => "week",
            (Unit::Week, _) => "weeks",
            (Unit::Day, 1) => "day",
            (Unit::Day, _) => "days",
        };
        let ask = question(&format!(
            "the plan counts the time of {table} from `{}`: which day is that for your customers?",
            length.from
        ));
        format!("We keep it for {} {unit}. {ask}", length.count)
    }

    fn kept_unread(&self, sql: &str, table: &str) -> String {
        question(&format!(
            "the plan keeps {table} until `{sql}`: how long is that, in your customers' words?"
        ))
    }

    fn rights(&self) -> &'static str {
        "You can ask us to show you your data, to correct it or to delete it. You can ask us to stop using it, or to \
         give it to you or to another company as a file. You can object to what we do with it. It costs nothing."
    }

    fn withdraw(&self) -> &'static str {
        "Where you have agreed, you can change your mind at any time. What we did before stays lawful."
    }

    fn categories(&self, kinds: &[String], special: bool) -> String {
        let text = format!("Your {}.", list(kinds));
        match special {
            false => text,
            true => format!(
                "{text} {}",
                question("some of this is specially protected: which condition of Art. 9(2) allows it?")
            ),
        }
    }

    fn source(&self, enriched: bool) -> String {
        let ask = match enriched {
            true => {
                "the move adds data from other systems: did all of it come from the customers themselves?"
            }
            false => "did all of this data come from the customers themselves? If not, from where?",
        };
        question(ask)
    }

    fn ask(&self, slot: SlotName) -> &'static str {
        match slot {
            SlotName::Controller => "who decides on the data?",
            SlotName::Representative => {
                "do you have a representative in the Union (Art. 27)? If you are established in it, this does not apply."
            }
            SlotName::Dpo => {
                "how do customers reach your data protection officer? If you need none, say why."
            }
            SlotName::Purposes => "what do you use the data for?",
            SlotName::LegalBasis => "on which basis of GDPR Art. 6 do you use it?",
            SlotName::LegitimateInterests => {
                "which interests of yours are these, and why do they not harm the customers?"
            }
            SlotName::Categories => "which data is it? The plan gives no column a kind.",
            SlotName::Recipients => "who else receives the data, or runs systems for you?",
            SlotName::Transfers => {
                "in which countries will the data be? The plan does not say it for every store."
            }
            SlotName::Retention => "how long do you keep the data, or how is that decided?",
            SlotName::Rights => "which rights do customers have, and how do they use them?",
            SlotName::WithdrawConsent => "how do customers take back their consent, where you rely on it?",
            SlotName::Complaint => "which authority can customers complain to, and at which address?",
            SlotName::Obligation => "must customers give you the data, and what follows if they do not?",
            SlotName::Source => "where do you have the data from?",
            SlotName::AutomatedDecisions => {
                "does a machine alone decide something that matters to customers (Art. 22)? If so: by which logic, and with what effect?"
            }
            SlotName::FurtherPurpose => "will you use the data for anything new? If not, say so.",
        }
    }
}
