//! "Did you mean": the known word nearest to a mistyped one, by the distance of Damerau and Levenshtein.

/// "did you mean" when a known word is near, otherwise all of them.
pub(crate) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let lower = word.to_lowercase();
    let near = known.clone().into_iter().filter_map(|candidate| {
        let distance = strsim::damerau_levenshtein(&lower, candidate);
        (distance <= (candidate.chars().count() / 3).clamp(1, 4)).then_some((distance, candidate))
    });
    match near.min_by_key(|(distance, _)| *distance) {
        Some((_, near)) => format!("did you mean `{near}`?"),
        None => {
            let known: Vec<String> = known.into_iter().map(|word| format!("`{word}`")).collect();
            format!("known here: {}", known.join(", "))
        }
    }
}
