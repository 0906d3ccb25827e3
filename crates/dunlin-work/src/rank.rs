//! Texts that sort: between any two there is room for another, so that moving one task changes that task alone.

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A rank after `before` and before `after`; none stands for the ends. Ranks never end in `0`. When the two are not in
/// order, the answer is merely after `before`.
pub fn between(before: Option<&str>, after: Option<&str>) -> String {
    let low = before.unwrap_or_default().as_bytes();
    let high = after.map(str::as_bytes).filter(|high| *high > low);
    let mut rank = Vec::with_capacity(low.len() + 1);
    // Once a digit lies below that of `after`, all later digits are free.
    let mut bounded = high.is_some();
    for place in 0.. {
        let floor = low.get(place).map_or(0, |c| value(*c));
        let ceiling = match high {
            Some(high) if bounded => high.get(place).map_or(0, |c| value(*c)),
            _ => 36,
        };
        if ceiling > floor + 1 {
            let step = if bounded || place < low.len() { (ceiling - floor) / 2 } else { 1 };
            rank.push(DIGITS[floor + step.max(1)]);
            break;
        }
        rank.push(DIGITS[floor]);
        bounded = bounded && ceiling == floor;
    }
    String::from_utf8(rank).unwrap_or_default()
}

fn value(digit: u8) -> usize {
    DIGITS.iter().position(|d| *d == digit).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn there_is_always_room(places in prop::collection::vec(any::<prop::sample::Index>(), 1..200)) {
            let mut ranks: Vec<String> = Vec::new();
            for place in places {
                let at = place.index(ranks.len() + 1);
                let before = at.checked_sub(1).map(|i| ranks[i].clone());
                let new = between(before.as_deref(), ranks.get(at).map(String::as_str));
                prop_assert!(!new.ends_with('0'));
                ranks.insert(at, new);
                prop_assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", ranks);
            }
        }
    }
}
