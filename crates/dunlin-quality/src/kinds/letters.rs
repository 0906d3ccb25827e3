//! What the letters of an unknown word look like: a given name, a family name, a town or an ordinary word. Naive Bayes
//! over trigrams (Cavnar and Trenkle, 1994, for the idea of telling texts by their n-grams), learnt from the word lists
//! when first asked. Weak on one word, useful over a column.

use std::sync::LazyLock;

use super::words;

const BUCKETS: usize = 4_096;

/// How likely a word is each, adding up to one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Likely {
    pub(super) given: f64,
    pub(super) family: f64,
    pub(super) city: f64,
    pub(super) ordinary: f64,
}

type Weights = [f32; 4];

static MODEL: LazyLock<Vec<Weights>> = LazyLock::new(|| {
    let lists = [words::GIVEN_NAMES, words::FAMILY_NAMES, words::CITIES, words::ORDINARY_WORDS];
    let mut counts = vec![[0.4f32; 4]; BUCKETS];
    for (class, list) in lists.into_iter().enumerate() {
        for word in words::words(list) {
            trigrams(&super::value::fold(word), |bucket| counts[bucket][class] += 1.0);
        }
    }
    let mut totals = [0f32; 4];
    counts.iter().for_each(|c| (0..4).for_each(|class| totals[class] += c[class]));
    for bucket in &mut counts {
        for class in 0..4 {
            bucket[class] = (bucket[class] / totals[class]).ln();
        }
    }
    counts
});

fn trigrams(word: &str, mut each: impl FnMut(usize)) {
    let mut last = [b'^', b'^'];
    for next in word.bytes().chain([b'$']) {
        // FNV-1a over the three bytes.
        let hash = [last[0], last[1], next]
            .iter()
            .fold(0x811c_9dc5u32, |h, b| (h ^ u32::from(*b)).wrapping_mul(0x0100_0193));
        each((hash ^ (hash >> 15)) as usize % BUCKETS);
        last = [last[1], next];
    }
}

/// How likely a folded word is each of them.
pub(super) fn likely(folded: &str) -> Likely {
    let mut sums = [0f32; 4];
    trigrams(folded, |bucket| (0..4).for_each(|class| sums[class] += MODEL[bucket][class]));
    let most = sums.iter().copied().fold(f32::MIN, f32::max);
    // Trigrams of a word hang together; taken as independent they would be far too sure.
    let weights = sums.map(|s| f64::from((s - most) * 0.6).exp());
    let all: f64 = weights.iter().sum();
    Likely {
        given: weights[0] / all,
        family: weights[1] / all,
        city: weights[2] / all,
        ordinary: weights[3] / all,
    }
}
