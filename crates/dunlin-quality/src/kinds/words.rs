//! Word lists: names, towns, regions, words of streets, of medicine and of ordinary business. They are far from
//! complete and need not be: a column is judged by its share of known words, and the letters of unknown ones by
//! [`super::letters`].

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::value::fold;

/// Word lists that a word may stand in, as bits.
pub(super) const GIVEN: u8 = 1;
pub(super) const FAMILY: u8 = 2;
pub(super) const CITY: u8 = 4;
pub(super) const REGION: u8 = 8;
pub(super) const ORDINARY: u8 = 16;

/// The lists' texts, for the letters' model.
pub(crate) const GIVEN_NAMES: &str = include_str!("../../data/words/given_names.txt");
pub(crate) const FAMILY_NAMES: &str = include_str!("../../data/words/family_names.txt");
pub(crate) const CITIES: &str = include_str!("../../data/words/cities.txt");
pub(super) const ORDINARY_WORDS: &str = include_str!("../../data/words/ordinary.txt");
const REGIONS: &str = include_str!("../../data/words/regions.txt");
const STREETS: &str = include_str!("../../data/words/streets.txt");
const DRUGS: &str = include_str!("../../data/words/drugs.txt");
const SPECIAL: &str = include_str!("../../data/words/special.txt");

/// The words of a list, as they stand there.
pub(crate) fn words(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|l| !l.starts_with('#')).flat_map(str::split_whitespace)
}

/// The lines of a list that begin with a word, without it.
fn lines(list: &'static str, first: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter_map(move |l| l.strip_prefix(first)).filter_map(|l| l.strip_prefix(' '))
}

static LISTED: LazyLock<HashMap<String, u8>> = LazyLock::new(|| {
    let mut all: HashMap<String, u8> = HashMap::with_capacity(8_192);
    let lists = [(GIVEN_NAMES, GIVEN), (FAMILY_NAMES, FAMILY), (CITIES, CITY), (ORDINARY_WORDS, ORDINARY)];
    for (list, bit) in lists {
        words(list).for_each(|word| *all.entry(fold(word).replace('_', " ")).or_default() |= bit);
    }
    for word in lines(REGIONS, "names").flat_map(str::split_whitespace) {
        *all.entry(fold(word).replace('_', " ")).or_default() |= REGION;
    }
    all
});

/// The lists in which a folded word or phrase stands.
pub(super) fn listed(folded: &str) -> u8 {
    LISTED.get(folded).copied().unwrap_or_default()
}

/// Codes of regions by country, in capitals.
static REGION_CODES: LazyLock<Vec<HashSet<&'static str>>> =
    LazyLock::new(|| lines(REGIONS, "codes").map(|line| line.split_whitespace().skip(1).collect()).collect());

/// The share of these codes that are one country's regions, for the country with most of them.
pub(super) fn region_codes(codes: &[&str]) -> f64 {
    let most = REGION_CODES.iter().map(|set| codes.iter().filter(|c| set.contains(**c)).count()).max();
    most.unwrap_or_default() as f64 / codes.len().max(1) as f64
}

/// Whether a text is a region's code anywhere.
pub(super) fn is_region_code(code: &str) -> bool {
    REGION_CODES.iter().any(|set| set.contains(code))
}

static STREET_WORDS: LazyLock<(HashSet<String>, Vec<String>)> = LazyLock::new(|| {
    let all = || words(STREETS);
    let whole = all().filter(|w| !w.starts_with('-')).map(fold).collect();
    (whole, all().filter_map(|w| w.strip_prefix('-')).map(fold).collect())
});

/// Whether a folded word is one for a way, or ends in one (`Hauptstrasse`, `Dorpsstraat`).
pub(super) fn is_street_word(folded: &str) -> bool {
    let bare = folded.trim_matches([',', ';', '.']);
    let (whole, endings) = &*STREET_WORDS;
    whole.contains(folded)
        || whole.contains(bare)
        || (bare.len() >= 6 && endings.iter().any(|ending| bare.ends_with(ending.trim_end_matches('.'))))
}

struct Drugs {
    endings: Vec<&'static str>,
    names: HashSet<&'static str>,
    salts: HashSet<&'static str>,
}

static DRUG_WORDS: LazyLock<Drugs> = LazyLock::new(|| {
    let of = |first| lines(DRUGS, first).flat_map(str::split_whitespace);
    Drugs { endings: of("endings").collect(), names: of("names").collect(), salts: of("salts").collect() }
});

/// Whether a text names a medicine: one of the frequent ones, a salt, or an INN's ending that no name of a person has.
pub(super) fn is_drug(folded: &str) -> bool {
    let drugs = &*DRUG_WORDS;
    folded.split([' ', '/', '-', ',']).any(|word| {
        drugs.names.contains(word)
            || drugs.salts.contains(word)
            || (word.len() >= 7
                && listed(word) == 0
                && drugs.endings.iter().any(|e| e.len() >= 4 && word.ends_with(e)))
    })
}

static SPECIAL_WORDS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let groups = ["religion", "ethnicity", "orientation", "politics", "blood"];
    let of = |group: &'static str| {
        lines(SPECIAL, group)
            .flat_map(str::split_whitespace)
            .map(move |word| (fold(word).replace('_', " "), group))
    };
    groups.into_iter().flat_map(of).collect()
});

/// What a folded value reveals: `religion`, `ethnicity`, `orientation`, `politics` or `blood`.
pub(super) fn special(folded: &str) -> Option<&'static str> {
    let bare = folded.replace(['-', '_', '\''], " ");
    SPECIAL_WORDS.get(folded).or_else(|| SPECIAL_WORDS.get(bare.trim())).copied()
}
