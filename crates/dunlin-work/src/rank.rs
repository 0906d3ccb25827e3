//! Texts that sort: between any two there is room for another, so that moving one task changes that task alone.

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Digits that count up and down at the ends, so that a hundred thousand tasks in a row do not make ranks longer.
const WIDTH: usize = 8;

/// A rank after `before` and before `after`; none stands for the ends. Ranks never end in `0`. When the two are not in
/// order, the answer is merely after `before`.
pub fn between(before: Option<&str>, after: Option<&str>) -> String {
    match (before, after.filter(|after| before.is_none_or(|before| before < *after))) {
        (None, None) => counted(MIDDLE),
        (Some(before), None) => {
            count(before).and_then(|n| up(n + 1)).map_or_else(|| middle(before, None), counted)
        }
        (None, Some(after)) => count(after)
            .and_then(|n| down(n.checked_sub(1)?))
            .map_or_else(|| middle("", Some(after)), counted),
        (Some(before), Some(after)) => middle(before, Some(after)),
    }
}

const BASE: u64 = 36;
/// Room for as many before as after.
const MIDDLE: u64 = BASE.pow(WIDTH as u32) / 2 + 1;

/// The first digits of a rank as a number.
fn count(rank: &str) -> Option<u64> {
    let digits = rank.bytes().chain(std::iter::repeat(b'0')).take(WIDTH);
    Some(digits.fold(0, |sum, digit| sum * BASE + value(digit) as u64))
}

/// The next number, from this one on, that does not end in 0.
fn up(n: u64) -> Option<u64> {
    let n = if n.is_multiple_of(BASE) { n + 1 } else { n };
    (n < BASE.pow(WIDTH as u32)).then_some(n)
}

/// The same downwards.
fn down(n: u64) -> Option<u64> {
    let n = if n.is_multiple_of(BASE) { n.checked_sub(1)? } else { n };
    (n > 0).then_some(n)
}

fn counted(mut n: u64) -> String {
    let mut rank = [b'0'; WIDTH];
    for digit in rank.iter_mut().rev() {
        *digit = DIGITS[(n % BASE) as usize];
        n /= BASE;
    }
    String::from_utf8_lossy(&rank).into_owned()
}

/// A rank in the middle of two.
fn middle(low: &str, high: Option<&str>) -> String {
    let low = low.as_bytes();
    let high = high.map(str::as_bytes);
    let mut rank = Vec::with_capacity(low.len() + 1);
    // Once a digit lies below that of `high`, all later digits are free.
    let mut bounded = high.is_some();
    for place in 0.. {
        let floor = low.get(place).map_or(0, |c| value(*c));
        let ceiling = match high {
            Some(high) if bounded => high.get(place).map_or(0, |c| value(*c)),
            _ => 36,
        };
        if ceiling > floor + 1 {
            rank.push(DIGITS[floor + ((ceiling - floor) / 2).max(1)]);
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

    #[test]
    fn many_in_a_row_stay_short_at_either_end() {
        let (mut last, mut first) = (between(None, None), between(None, None));
        for _ in 0..100_000 {
            let (next, before) = (between(Some(&last), None), between(None, Some(&first)));
            assert!(next > last && before < first);
            (last, first) = (next, before);
        }
        assert!(last.len() <= WIDTH && first.len() <= WIDTH, "{last} {first}");
    }

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
