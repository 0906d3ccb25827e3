//! Facts as a notice carries them: short lists of words by subject, and a fingerprint over them. A notice keeps the
//! words of the day it was written, so that a contradiction can show both sides.

use std::collections::BTreeMap;

use dunlin_plan::{Fingerprint, Kind};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::kinds::{kind_words, purpose_words};
use super::{Facts, Place, once};
use crate::country;
use crate::notice::Claims;
use crate::vocabulary::{Lang, Word};
use crate::words;

/// The subjects that a notice makes statements about, and what each is called.
pub const SUBJECTS: &[(&str, &str)] = &[
    ("controller", "who is responsible"),
    ("contact", "where customers write to"),
    ("from", "where the data comes from"),
    ("to", "where the data goes"),
    ("processors", "who runs the new place"),
    ("data", "what moves"),
    ("unclassified", "what moves and has no kind yet"),
    ("left_behind", "what stays behind"),
    ("conditions", "which rows move"),
    ("purposes", "what the data is used for"),
    ("retention", "how long it is kept"),
    ("merged", "whose duplicates are merged"),
    ("enriched_from", "what adds to it"),
    ("begins", "when the move begins"),
    ("ends", "when the move ends"),
    ("old_copy_until", "when the old copy is deleted"),
];

/// The word for a place whose country the plan does not say.
const UNKNOWN: &str = "unknown";

impl Facts {
    /// The facts as words by subject; a subject with nothing to say is absent.
    pub fn stated(&self) -> BTreeMap<String, Vec<String>> {
        let regions = |places: &[Place]| {
            once(places.iter().map(|place| place.region.clone().unwrap_or_else(|| UNKNOWN.to_owned())))
        };
        let data = self.data.iter().map(|datum| match datum.protect {
            Some(protect) => format!("{}: {protect}", datum.kind),
            None => datum.kind.to_string(),
        });
        let unclassified = self.unclassified.iter().chain(&self.whole).cloned();
        let left = self.left.iter().map(|left| format!("{}.{}: {}", left.table, left.column, left.reason));
        let purposes = self.purposes.iter().map(|purpose| {
            let basis = purpose.basis.map(|basis| basis.to_string());
            let parts = [purpose.term.clone(), basis];
            parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
        });
        let pairs =
            |pairs: &[(String, String)]| pairs.iter().map(|(table, sql)| format!("{table}: {sql}")).collect();
        let retention = self.retention.iter().map(|kept| format!("{}: {}", kept.table, kept.sql));
        let day = |date: Option<jiff::civil::Date>| date.iter().map(ToString::to_string).collect();
        let all: [(&str, Vec<String>); 16] = [
            ("controller", self.controller.iter().cloned().collect()),
            ("contact", self.contact.iter().cloned().collect()),
            ("from", regions(&self.from)),
            ("to", regions(&self.to)),
            ("processors", self.processors()),
            ("data", data.collect()),
            ("unclassified", unclassified.collect()),
            ("left_behind", left.collect()),
            ("conditions", pairs(&self.some_rows)),
            ("purposes", purposes.collect()),
            ("retention", retention.collect()),
            ("merged", self.merged.clone()),
            ("enriched_from", self.enriched_from.clone()),
            ("begins", day(self.dates.begins)),
            ("ends", day(self.dates.ends)),
            ("old_copy_until", day(self.dates.old_copy_until)),
        ];
        let said = all.into_iter().filter(|(_, values)| !values.is_empty());
        said.map(|(subject, values)| (subject.to_owned(), values)).collect()
    }

    /// The fingerprint: SHA-256 over the RFC 8785 form of [`Facts::stated`].
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.stated())
    }

    /// What a notice written today claims.
    pub fn claims(&self) -> Claims {
        let stated = self.stated();
        Claims { fingerprint: fingerprint(&stated).to_string(), stated }
    }
}

impl Claims {
    /// The fingerprint of what is stated here, whatever `fingerprint` says.
    pub fn computed(&self) -> Fingerprint {
        fingerprint(&self.stated)
    }
}

fn fingerprint(stated: &BTreeMap<String, Vec<String>>) -> Fingerprint {
    let value = json!({ "form": "dunlin-facts/1", "facts": stated });
    // Cannot fail: texts in lists always serialise.
    let canonical = serde_json_canonicalizer::to_vec(&value).unwrap_or_default();
    let hex = hex::encode(Sha256::digest(canonical));
    // Cannot fail: a SHA-256 is 64 hex digits.
    Fingerprint::from_hex(&hex).unwrap_or_else(|| unreachable!("a SHA-256 has 64 hex digits"))
}

/// A value of a subject in words that an operator reads: `IE` is "Ireland", `tax_id: encrypt` "tax number, encrypted".
pub fn say(subject: &str, value: &str) -> String {
    match subject {
        "from" | "to" => match country::name(Lang::En, value) {
            name if name == value => value.to_owned(),
            name => format!("{name} ({value})"),
        },
        "data" => {
            let (kind, protect) =
                value.split_once(": ").map_or((value, None), |(kind, how)| (kind, Some(how)));
            let kind = Kind::from_word(kind).and_then(|kind| kind_words(Lang::En, kind)).unwrap_or(kind);
            protect.map_or(kind.to_owned(), |protect| format!("{kind} ({protect})"))
        }
        "purposes" => {
            let (term, basis) = value.split_once(": ").unwrap_or((value, ""));
            let words = purpose_words(Lang::En, term).unwrap_or(term);
            if basis.is_empty() { words.to_owned() } else { format!("{words} (basis: {basis})") }
        }
        "begins" | "ends" | "old_copy_until" => {
            value.parse().map_or(value.to_owned(), |date| words::date(Lang::En, date))
        }
        _ => value.to_owned(),
    }
}
