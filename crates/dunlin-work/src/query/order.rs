//! Puts a hundred thousand rows in order. Not here: what they are ordered by.

use std::borrow::Cow;

/// What tasks sort by: numbers as bits that compare as they do, or texts in lower case. What is empty has none, and
/// comes last either way.
pub(super) enum Keys<'a> {
    Numbers(Vec<Option<u64>>),
    Texts(Vec<Option<Cow<'a, str>>>),
}

impl Keys<'_> {
    fn is_some(&self, at: u32) -> bool {
        match self {
            Keys::Numbers(keys) => keys[at as usize].is_some(),
            Keys::Texts(keys) => keys[at as usize].is_some(),
        }
    }

    /// Whether two places sort alike.
    pub(super) fn same(&self, a: u32, b: u32) -> bool {
        match self {
            Keys::Numbers(keys) => keys[a as usize] == keys[b as usize],
            Keys::Texts(keys) => keys[a as usize] == keys[b as usize],
        }
    }

    /// The places in order. Equal ones stay as they are.
    pub(super) fn in_order(&self, places: Vec<u32>, down: bool) -> Vec<u32> {
        let (mut places, none): (Vec<u32>, Vec<u32>) = places.into_iter().partition(|at| self.is_some(*at));
        let flip = if down { u64::MAX } else { 0 };
        match self {
            Keys::Numbers(keys) => {
                by_number(&mut places, |at| keys[at as usize].unwrap_or_default() ^ flip);
            }
            Keys::Texts(keys) => {
                let text = |at: u32| keys[at as usize].as_deref().unwrap_or_default().as_bytes();
                by_text(&mut places, &text, 0, flip);
            }
        }
        places.extend(none);
        places
    }
}

/// Sorts places by a number; gives the numbers as they come then.
fn by_number(places: &mut [u32], key: impl Fn(u32) -> u64) -> Vec<u64> {
    let mut pairs: Vec<(u64, u32)> = (0u32..).zip(places.iter()).map(|(i, at)| (key(*at), i)).collect();
    pairs.sort_unstable();
    let before = places.to_vec();
    for (place, (_, i)) in places.iter_mut().zip(&pairs) {
        *place = before[*i as usize];
    }
    pairs.into_iter().map(|(key, _)| key).collect()
}

/// Sorts places by their texts, eight bytes at a time: comparing whole texts fetches two of them from memory for each
/// comparison, which is most of the time; here each is fetched once for every eight bytes that it shares with others.
fn by_text<'a>(places: &mut [u32], text: &impl Fn(u32) -> &'a [u8], from: usize, flip: u64) {
    let chunks = by_number(places, |at| chunk(text(at), from) ^ flip);
    let mut begin = 0;
    while begin < chunks.len() {
        let same = chunks[begin..].iter().take_while(|chunk| **chunk == chunks[begin]).count();
        if same > 1 {
            further(&mut places[begin..begin + same], text, from + 8, flip);
        }
        begin += same;
    }
}

/// Sorts texts that share everything before `from`. Those that end there differ in trailing zero bytes at most, which a
/// chunk does not tell from an end.
fn further<'a>(places: &mut [u32], text: &impl Fn(u32) -> &'a [u8], from: usize, flip: u64) {
    // Long texts that are alike are rare, and one call inside another for each eight bytes of them would not end well.
    if from > 512 {
        places.sort_by(|x, y| if flip == 0 { text(*x).cmp(text(*y)) } else { text(*y).cmp(text(*x)) });
        return;
    }
    let (mut ended, mut longer): (Vec<u32>, Vec<u32>) =
        places.iter().partition(|at| text(**at).len() <= from);
    ended.sort_by_key(|at| text(*at).len() as u64 ^ flip);
    if longer.len() > 1 {
        by_text(&mut longer, text, from, flip);
    }
    let (first, second) = if flip == 0 { (ended, longer) } else { (longer, ended) };
    for (place, at) in places.iter_mut().zip(first.into_iter().chain(second)) {
        *place = at;
    }
}

/// Eight bytes from there on, as a number that compares as they do.
fn chunk(text: &[u8], from: usize) -> u64 {
    let rest = text.get(from..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(whole) => u64::from_be_bytes(*whole),
        None => {
            let mut padded = [0; 8];
            padded[..rest.len()].copy_from_slice(rest);
            u64::from_be_bytes(padded)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places(n: usize) -> Vec<u32> {
        (0..n as u32).collect()
    }

    /// The same by comparing whole texts.
    fn plainly(keys: &[Option<Cow<'_, str>>], down: bool) -> Vec<u32> {
        let mut places: Vec<u32> = (0..keys.len() as u32).collect();
        places.sort_by(|x, y| match (&keys[*x as usize], &keys[*y as usize]) {
            (Some(x), Some(y)) if down => y.cmp(x),
            (Some(x), Some(y)) => x.cmp(y),
            (x, y) => x.is_none().cmp(&y.is_none()),
        });
        places
    }

    proptest! {
        #[test]
        fn texts_come_as_whole_comparisons_put_them(
            texts in prop::collection::vec(prop::option::of("[ab\0é]{0,20}"), 0..60), down: bool,
        ) {
            let keys: Vec<_> = texts.into_iter().map(|t| t.map(Cow::Owned)).collect();
            let (wanted, n) = (plainly(&keys, down), keys.len());
            prop_assert_eq!(Keys::Texts(keys).in_order(places(n), down), wanted);
        }

        #[test]
        fn long_texts_that_are_alike_come_in_order_too(ends in prop::collection::vec("[ab]{0,3}", 0..20), down: bool) {
            let long = "x".repeat(200_000);
            let keys: Vec<_> = ends.iter().map(|end| Some(Cow::Owned(format!("{long}{end}")))).collect();
            let (wanted, n) = (plainly(&keys, down), keys.len());
            prop_assert_eq!(Keys::Texts(keys).in_order(places(n), down), wanted);
        }

        #[test]
        fn numbers_come_in_order_and_equal_ones_stay(
            numbers in prop::collection::vec(prop::option::of(0u64..5), 0..60), down: bool,
        ) {
            let texts: Vec<_> = numbers.iter().map(|n| n.map(|n| Cow::Owned(n.to_string()))).collect();
            prop_assert_eq!(Keys::Numbers(numbers).in_order(places(texts.len()), down), plainly(&texts, down));
        }
    }
}
