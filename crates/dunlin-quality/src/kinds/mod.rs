//! What a column holds, told from its name and from a sample of its values. A guess with its reasons, for a person to
//! confirm: nothing is masked or refused on its strength alone. The evidence counts values and never shows one.

mod checks;
mod names;
mod sample;
#[cfg(test)]
mod tests;
mod values;

use dunlin_connect::ColumnType;
use serde::Serialize;

pub use sample::sampled_kinds;
pub(crate) use sample::samples;
pub(crate) use values::fits;

/// What a column most likely holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindGuess {
    /// The kind, as the plan spells it, e.g. `email`.
    pub kind: String,
    /// The class of the kind: `internal`, `personal`, `sensitive` or `secret`.
    pub class: &'static str,
    /// From 0 to 1; below 0.5 nothing is guessed.
    pub confidence: f64,
    /// Why, without any value.
    pub evidence: Vec<String>,
}

/// How far a kind's values can be told without the column's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The form or its check digits are proof enough.
    Alone,
    /// The values can support or contradict the name.
    WithName,
    /// Values say nothing; the name must.
    NameOnly,
}

/// One kind: its word, its class and how it shows.
pub(crate) struct Kind {
    pub(crate) word: &'static str,
    pub(crate) class: &'static str,
    pub(crate) proof: Proof,
}

const fn kind(word: &'static str, class: &'static str, proof: Proof) -> Kind {
    Kind { word, class, proof }
}

/// Every kind, the narrower before the wider: among equals the first wins.
pub(crate) const KINDS: [Kind; 31] = [
    kind("credential", "secret", Proof::NameOnly),
    kind("email", "personal", Proof::Alone),
    kind("iban", "sensitive", Proof::Alone),
    kind("card_number", "sensitive", Proof::Alone),
    kind("us_ssn", "sensitive", Proof::Alone),
    kind("ip_address", "personal", Proof::Alone),
    kind("mac_address", "personal", Proof::Alone),
    kind("url", "internal", Proof::Alone),
    kind("national_id", "sensitive", Proof::Alone),
    kind("tax_id", "sensitive", Proof::WithName),
    kind("passport", "sensitive", Proof::WithName),
    kind("driving_licence", "sensitive", Proof::WithName),
    kind("birth_date", "personal", Proof::WithName),
    kind("phone", "personal", Proof::WithName),
    kind("bic", "internal", Proof::WithName),
    kind("account_number", "sensitive", Proof::WithName),
    kind("postcode", "personal", Proof::WithName),
    kind("country", "internal", Proof::WithName),
    kind("given_name", "personal", Proof::WithName),
    kind("family_name", "personal", Proof::WithName),
    kind("person_name", "personal", Proof::WithName),
    kind("city", "personal", Proof::WithName),
    kind("age", "personal", Proof::WithName),
    kind("gender", "personal", Proof::WithName),
    kind("geo", "personal", Proof::WithName),
    kind("postal_address", "personal", Proof::NameOnly),
    kind("device_id", "personal", Proof::NameOnly),
    kind("health_code", "sensitive", Proof::NameOnly),
    kind("special_category", "sensitive", Proof::NameOnly),
    kind("free_text", "personal", Proof::Alone),
    // Kept last: it is only ever told by the plan.
    kind("none", "internal", Proof::NameOnly),
];

/// Fewer values than this prove nothing by themselves.
const VALUES_MIN: usize = 4;
/// Guesses below this are not made.
const CONFIDENCE_MIN: f64 = 0.5;

/// Guesses what a column holds. `sample` are values as text, without NULLs; blanks and stand-ins for "unknown" in it
/// are ignored.
pub fn detect(name: &str, ty: &ColumnType, sample: &[&str]) -> Option<KindGuess> {
    if matches!(ty, ColumnType::Binary | ColumnType::Opaque { .. }) {
        return None;
    }
    let values: Vec<&str> =
        sample.iter().map(|v| v.trim()).filter(|v| !v.is_empty() && !crate::is_sentinel(v, &[])).collect();
    let name = names::Name::new(name);
    let guesses = KINDS.iter().filter_map(|kind| guess(kind, &name, ty, &values));
    guesses.fold(None, |best: Option<KindGuess>, next| match best {
        Some(best) if best.confidence >= next.confidence => Some(best),
        _ => Some(next),
    })
}

fn guess(kind: &Kind, name: &names::Name, ty: &ColumnType, values: &[&str]) -> Option<KindGuess> {
    if !type_allows(kind.word, ty) {
        return None;
    }
    let named = name.says(kind.word);
    let matching = match kind.proof {
        Proof::NameOnly => None,
        _ if values.is_empty() => None,
        _ => Some(values.iter().filter(|v| fits(kind.word, v)).count()),
    };
    let share = matching.map(|n| n as f64 / values.len() as f64);
    let confidence = match (kind.proof, named, share) {
        (Proof::Alone, None, Some(share)) if proves(values) => by_values(share),
        (_, None, _) => return None,
        (_, Some(named), None) => named.strength * 0.9,
        // A name that the values contradict is a name of something else, unless the column is a mess.
        (_, Some(named), Some(share)) => named.strength * (0.25 + 0.75 * share.sqrt()).min(0.99),
    };
    let confidence = (confidence * 100.0).round() / 100.0;
    let evidence = evidence(named.map(|n| n.word), matching, values.len(), kind.word);
    let guess = KindGuess { kind: kind.word.to_owned(), class: kind.class, confidence, evidence };
    (confidence >= CONFIDENCE_MIN).then_some(guess)
}

/// Whether there are enough different values for chance to be out of the question.
fn proves(values: &[&str]) -> bool {
    let mut some: Vec<&str> = values.iter().take(64).copied().collect();
    some.sort_unstable();
    some.dedup();
    some.len() >= VALUES_MIN
}

fn by_values(share: f64) -> f64 {
    match share {
        s if s >= 0.9 => 0.9 + 0.08 * ((s - 0.9) / 0.1),
        // Half of the values and more: a dirty column of the kind.
        s if s >= 0.5 => 0.6 + 0.3 * ((s - 0.5) / 0.4),
        s => s,
    }
}

fn evidence(word: Option<&str>, matching: Option<usize>, of: usize, kind: &str) -> Vec<String> {
    let named = word.map(|w| format!("the name says `{w}`"));
    let valued = matching.map(|n| format!("{n} of {of} sampled values have the form of `{kind}`"));
    named.into_iter().chain(valued).collect()
}

fn type_allows(kind: &str, ty: &ColumnType) -> bool {
    let dated = kind == "birth_date";
    match ty {
        ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampTz => dated,
        ColumnType::Bool => matches!(kind, "special_category" | "gender"),
        ColumnType::Time | ColumnType::Json | ColumnType::Jsonb => false,
        ColumnType::Uuid => kind == "device_id",
        ColumnType::Int16 => matches!(kind, "age" | "gender"),
        ColumnType::Int32 | ColumnType::Int64 | ColumnType::Numeric => {
            const NUMBERS: [&str; 12] = [
                "age",
                "phone",
                "postcode",
                "card_number",
                "us_ssn",
                "national_id",
                "tax_id",
                "account_number",
                "passport",
                "gender",
                "geo",
                "device_id",
            ];
            NUMBERS.contains(&kind)
        }
        ColumnType::Decimal { scale, .. } => {
            (*scale > 0 && kind == "geo") || (*scale == 0 && kind == "phone")
        }
        ColumnType::Float32 | ColumnType::Float64 => kind == "geo",
        _ => true,
    }
}
