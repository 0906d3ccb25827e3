//! The closed vocabularies of the plan: every word that a plan may use where the choice is fixed.
//! The doc comments are the reference that people read.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A word of a closed vocabulary.
pub trait Word: Copy + fmt::Display + 'static {
    /// What the vocabulary names, for messages: "role", "kind".
    const WHAT: &'static str;
    /// Every word, in the order of the reference.
    const ALL: &'static [Self];
    /// The word as it is written in a plan.
    fn as_str(self) -> &'static str;
    /// The word of this spelling.
    fn from_word(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.as_str() == text)
    }
}

/// A text is not in the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{word}`")]
pub struct UnknownWord {
    /// What the vocabulary names.
    pub what: &'static str,
    /// The text that was given.
    pub word: String,
}

// A macro, because the spelling, the schema and the list of all words of an enum must come from one place,
// and no function can read an enum's variants.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The word as it is written in a plan.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl Word for $name {
            const WHAT: &'static str = $what;
            const ALL: &'static [$name] = &[$($name::$variant,)+];
            fn as_str(self) -> &'static str {
                $name::as_str(self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<$name, UnknownWord> {
                $name::from_word(text).ok_or_else(|| UnknownWord { what: $what, word: text.to_owned() })
            }
        }
    };
}

words! {
    /// What a person may do.
    Role, "role", {
        /// Owns the workspace: people, stores, everything.
        Owner = "owner",
        /// Answers for the move: plans, assigns, decides.
        Lead = "lead",
        /// Maps, checks and runs.
        Engineer = "engineer",
        /// Looks after the data: quarantine, duplicates, kinds.
        Steward = "steward",
        /// Writes to customers.
        Writer = "writer",
        /// Approves plans and access.
        Approver = "approver",
        /// Reads the ledger and the reports, changes nothing.
        Auditor = "auditor",
        /// Sees what is shown to them, masked.
        Guest = "guest",
    }
}

words! {
    /// The lawful basis of GDPR Art. 6(1).
    Basis, "basis", {
        /// (a) The person has consented.
        Consent = "consent",
        /// (b) A contract with the person.
        Contract = "contract",
        /// (c) A legal obligation.
        LegalObligation = "legal_obligation",
        /// (d) Vital interests of a person.
        VitalInterests = "vital_interests",
        /// (e) A task in the public interest.
        PublicTask = "public_task",
        /// (f) Legitimate interests, balanced against the person's.
        LegitimateInterests = "legitimate_interests",
    }
}

words! {
    /// What becomes of a customer's rows in the target when the customer asks to be erased.
    OnErasure, "way to erase", {
        /// The rows are deleted.
        Delete = "delete",
        /// The rows stay because a law demands it; what is personal in them, and what leads to the customer, is emptied.
        Anonymise = "anonymise",
    }
}

words! {
    /// What happens to a value before it is written to the target.
    Protect, "protection", {
        /// Parts are overwritten; the value cannot be had back.
        Mask = "mask",
        /// A keyed hash: equal values stay equal, none can be had back.
        Hash = "hash",
        /// A token of the same shape; the gate can give the value back.
        Tokenise = "tokenise",
        /// Encrypted under the workspace's keys.
        Encrypt = "encrypt",
        /// A keyed stand-in of the same length and kinds of characters; check digits come out valid.
        Format = "format",
        /// A date moved by a number of days that is the same for all dates of one customer.
        Shift = "shift",
        /// Made coarse: a postcode to its first three digits, a date to its year, ages from 90 on to 90.
        General = "general",
        /// A made-up value of the same kind; equal values get the same one.
        Fake = "fake",
        /// Taken out: NULL, or "removed" where the column must not be NULL.
        Remove = "remove",
    }
}

words! {
    /// What a store is for.
    Environment, "environment", {
        /// Customers are served from it.
        Production = "production",
        /// Stands before production and is built like it.
        Staging = "staging",
        /// For trying things out.
        Test = "test",
        /// For the people who write the software.
        Development = "development",
    }
}

words! {
    /// How a store keeps data at rest.
    AtRest, "encryption at rest", {
        /// Not encrypted.
        Clear = "clear",
        /// The disk or volume is encrypted: open to whoever is on the running machine.
        Disk = "disk",
        /// The database encrypts its files or tables itself.
        Database = "database",
        /// Each field is encrypted before it reaches the store.
        Field = "field",
    }
}

words! {
    /// What a rule of a pack must know of a row, and a target column may say.
    Fact, "fact", {
        /// The lawful basis of the row, as one of the words of `basis`.
        Basis = "basis",
        /// When the person consented.
        ConsentAt = "consent_at",
        /// Where or how the person consented.
        ConsentSource = "consent_source",
        /// Which version of the text the person consented to.
        ConsentText = "consent_text",
        /// When the consent was withdrawn.
        WithdrawnAt = "withdrawn_at",
        /// Whether the person is written to for advertising.
        Marketing = "marketing",
        /// Whether the person objected to advertising.
        Objected = "objected",
        /// Who holds parental responsibility and agreed, or whether somebody did.
        GuardianConsent = "guardian_consent",
        /// Whether the processing of the row is restricted.
        Restricted = "restricted",
        /// When the row was posted to the books.
        PostedOn = "posted_on",
        /// When the account data of the row was last needed.
        AccountDataFrom = "account_data_from",
    }
}

words! {
    /// A cleaning function.
    CleanFn, "clean function", {
        /// White space at both ends goes; what was nothing else becomes NULL.
        Trim = "trim",
        /// Lower case, no blanks, valid.
        Email = "email",
        /// E.164, read with the region's habits.
        Phone = "phone",
        /// A date, tried against `formats` in order.
        Date = "date",
        /// A person's name: blanks and capitals.
        Name = "name",
        /// ISO 3166 two-letter code, from names and other codes.
        Country = "country",
        /// The region's form of a postcode.
        Postcode = "postcode",
        /// A number, with the region's separators.
        Number = "number",
        /// Stand-ins for "unknown" become NULL.
        Sentinel = "sentinel",
    }
}

words! {
    /// What happens to a row that fails a rule.
    Otherwise, "consequence", {
        /// It waits for a person.
        Quarantine = "quarantine",
        /// It does not move, and is counted.
        Exclude = "exclude",
        /// The columns under `fix` get new values, then the rule is asked again.
        Fix = "fix",
        /// The run stops.
        Stop = "stop",
        /// It moves, and is counted.
        Warn = "warn",
    }
}

words! {
    /// What a target table may hold before the first run.
    IntoMode, "mode", {
        /// Nothing that dunlin did not load.
        Empty = "empty",
        /// Rows of others; they are counted apart as preexisting.
        Append = "append",
    }
}

words! {
    /// When an enrichment happens.
    When, "time", {
        /// While the rows move.
        During = "during",
        /// Later: loaded rows are updated by key, counted, and can be undone.
        After = "after",
    }
}

words! {
    /// Among which rows duplicates are sought.
    Within, "side", {
        /// Among the rows that move.
        Source = "source",
        /// Between them and the rows that stood in the target before; these stay as they are.
        Target = "target",
    }
}

words! {
    /// How a file is written.
    FileFormat, "format", {
        /// Delimited text.
        Csv = "csv",
        /// One JSON object a line.
        Jsonl = "jsonl",
        /// Apache Parquet.
        Parquet = "parquet",
    }
}

words! {
    /// A rule pack.
    Pack, "pack", {
        /// The EU's General Data Protection Regulation.
        Gdpr = "gdpr",
        /// US health data.
        Hipaa = "hipaa",
        /// US financial reporting.
        Sox = "sox",
        /// Payment cards (PCI DSS).
        Pci = "pci",
    }
}

words! {
    /// A day of the week.
    Day, "day", {
        /// Monday.
        Mon = "mon",
        /// Tuesday.
        Tue = "tue",
        /// Wednesday.
        Wed = "wed",
        /// Thursday.
        Thu = "thu",
        /// Friday.
        Fri = "fri",
        /// Saturday.
        Sat = "sat",
        /// Sunday.
        Sun = "sun",
    }
}

words! {
    /// How closely data must be kept.
    Class, "class", {
        /// Anybody may see it.
        Public = "public",
        /// For the company only.
        Internal = "internal",
        /// About a person.
        Personal = "personal",
        /// Harmful to a person when it leaks.
        Sensitive = "sensitive",
        /// Opens doors; shown to nobody.
        Secret = "secret",
    }
}

words! {
    /// What a column holds.
    Kind, "kind", {
        /// A whole name.
        PersonName = "person_name",
        /// A first name.
        GivenName = "given_name",
        /// A surname.
        FamilyName = "family_name",
        /// An e-mail address.
        Email = "email",
        /// A telephone number.
        Phone = "phone",
        /// A street address.
        PostalAddress = "postal_address",
        /// A town.
        City = "city",
        /// A postcode.
        Postcode = "postcode",
        /// A country.
        Country = "country",
        /// A date of birth.
        BirthDate = "birth_date",
        /// An age.
        Age = "age",
        /// A gender or sex.
        Gender = "gender",
        /// A US social security number.
        UsSsn = "us_ssn",
        /// A national identity number.
        NationalId = "national_id",
        /// A tax number.
        TaxId = "tax_id",
        /// A passport number.
        Passport = "passport",
        /// A driving licence number.
        DrivingLicence = "driving_licence",
        /// A payment card number.
        CardNumber = "card_number",
        /// An international bank account number.
        Iban = "iban",
        /// A bank's code.
        Bic = "bic",
        /// A bank or customer account number.
        AccountNumber = "account_number",
        /// An IP address.
        IpAddress = "ip_address",
        /// A hardware address.
        MacAddress = "mac_address",
        /// A web address.
        Url = "url",
        /// A device or advertising id.
        DeviceId = "device_id",
        /// A place on the map.
        Geo = "geo",
        /// A diagnosis, procedure or drug code.
        HealthCode = "health_code",
        /// GDPR Art. 9: health, religion, union, politics, sexuality, genes, biometrics.
        SpecialCategory = "special_category",
        /// A password, key or token.
        Credential = "credential",
        /// Words that a person typed.
        FreeText = "free_text",
        /// Nothing of the above; says that somebody has looked.
        None = "none",
    }
}

impl Kind {
    /// How closely a column of this kind must be kept.
    pub fn class(self) -> Class {
        match self {
            Kind::None | Kind::Bic | Kind::Url | Kind::Country => Class::Internal,
            Kind::PersonName
            | Kind::GivenName
            | Kind::FamilyName
            | Kind::Email
            | Kind::Phone
            | Kind::PostalAddress
            | Kind::City
            | Kind::Postcode
            | Kind::BirthDate
            | Kind::Age
            | Kind::Gender
            | Kind::IpAddress
            | Kind::MacAddress
            | Kind::DeviceId
            | Kind::Geo
            | Kind::FreeText => Class::Personal,
            Kind::UsSsn
            | Kind::NationalId
            | Kind::TaxId
            | Kind::Passport
            | Kind::DrivingLicence
            | Kind::CardNumber
            | Kind::Iban
            | Kind::AccountNumber
            | Kind::HealthCode
            | Kind::SpecialCategory => Class::Sensitive,
            Kind::Credential => Class::Secret,
        }
    }
}
