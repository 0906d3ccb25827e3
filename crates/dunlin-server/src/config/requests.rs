//! `[requests]` of `server.toml`: by which law customers are answered, and what is done without a person.

use dunlin_store::RequestKind;
use dunlin_tell::clock::Law;
use serde::{Deserialize, Deserializer, de::Error};

/// What becomes of what customers ask for.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Requests {
    /// The law whose periods count.
    pub law: Law,
    /// The holidays that count: ES, DE, FR, IE, GB or US.
    pub calendar: String,
    /// What a customer who has signed in gets without a person's decision, as kinds of requests.
    #[serde(deserialize_with = "kinds")]
    pub at_once: Vec<RequestKind>,
    /// For how many hours a deletion or a correction that nobody decides on can be taken back.
    pub undo_hours: u32,
    /// Who deals with requests: the address of a person.
    pub owner: Option<String>,
}

impl Default for Requests {
    /// What can be taken back, and a copy of the data. A deletion waits for a person.
    fn default() -> Requests {
        use RequestKind as K;
        Requests {
            law: Law::Gdpr,
            calendar: "ES".to_owned(),
            at_once: vec![
                K::Access,
                K::Portability,
                K::Restriction,
                K::Objection,
                K::ConsentWithdrawn,
                K::ConsentGiven,
            ],
            undo_hours: 24,
            owner: None,
        }
    }
}

fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RequestKind>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    let read = |word: &String| {
        RequestKind::parse(word).ok_or_else(|| {
            let known: Vec<&str> = RequestKind::ALL.iter().map(|kind| kind.as_str()).collect();
            D::Error::custom(format!("expected kinds of requests: {}", known.join(", ")))
        })
    };
    words.iter().map(read).collect()
}
