//! How often each text occurs, in a fixed number of places: exact for a column of few different texts, and for one of
//! many a count that is certain for those that are frequent.
//!
//! The first texts met get a place each and are counted exactly from then on. Later ones share a table of slots in which
//! a text loses one for every other that meets it there (Boyer and Moore's majority vote, a slot each): what remains is
//! never more than the text occurred.

use super::hash::hash;

/// Texts that are counted exactly.
const EXACT: usize = 512;
/// A power of two, twice the texts: the probes stay short.
const INDEX: usize = 1_024;
const SLOTS: usize = 512;
/// Longer texts are not kept.
const LONGEST: usize = 256;

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// It is kept and counted; [`Tally::kept`] gives it with its count.
    Kept,
    /// It is not kept: look at it now.
    Passing,
}

#[derive(Clone)]
struct Slot {
    hash: u64,
    count: u64,
    /// UTF-8.
    text: Vec<u8>,
}

impl Slot {
    fn shown(&self) -> (&str, u64) {
        (std::str::from_utf8(&self.text).unwrap_or_default(), self.count)
    }
}

/// The counts.
pub(super) struct Tally {
    index: Vec<u16>,
    kept: Vec<Slot>,
    slots: Vec<Slot>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { index: vec![u16::MAX; INDEX], kept: Vec::new(), slots: Vec::new() }
    }

    /// Counts a text, given with its hash, `times` times.
    pub(super) fn add(&mut self, hash: u64, text: &[u8], times: u64) -> Met {
        if text.len() > LONGEST {
            return Met::Passing;
        }
        let mut at = hash as usize % INDEX;
        loop {
            match self.index[at] {
                u16::MAX => break,
                place => {
                    let slot = &mut self.kept[usize::from(place)];
                    if slot.hash == hash && slot.text == text {
                        slot.count += times;
                        return Met::Kept;
                    }
                }
            }
            at = (at + 1) % INDEX;
        }
        if self.kept.len() < EXACT {
            self.index[at] = self.kept.len() as u16;
            self.kept.push(Slot { hash, count: times, text: text.to_owned() });
            return Met::Kept;
        }
        self.vote(hash, text, times);
        Met::Passing
    }

    fn vote(&mut self, hash: u64, text: &[u8], times: u64) {
        if self.slots.is_empty() {
            self.slots = vec![Slot { hash: 0, count: 0, text: Vec::new() }; SLOTS];
        }
        let slot = &mut self.slots[(hash >> 32) as usize % SLOTS];
        if slot.count > 0 && slot.hash == hash && slot.text == text {
            slot.count += times;
        } else if slot.count >= times {
            slot.count -= times;
        } else {
            slot.hash = hash;
            slot.count = times - slot.count;
            slot.text.clear();
            slot.text.extend_from_slice(text);
        }
    }

    /// The texts that are kept, with their counts.
    pub(super) fn kept(&self) -> impl Iterator<Item = (&str, u64)> {
        self.kept.iter().map(Slot::shown)
    }

    /// At most `most` texts that were seen at least `times` for certain, the most frequent first.
    pub(super) fn top(&self, most: usize, times: u64) -> Vec<(&str, u64)> {
        let voted = self.slots.iter().map(Slot::shown);
        let mut all: Vec<(&str, u64)> =
            self.kept().chain(voted).filter(|(_, count)| *count >= times.max(1)).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.truncate(most);
        all
    }

    /// Takes in the counts of another part of the same stream. Texts that found no place are given to `passing`.
    pub(super) fn merge(&mut self, other: &Tally, mut passing: impl FnMut(&str, u64)) {
        for slot in &other.kept {
            if self.add(slot.hash, &slot.text, slot.count) == Met::Passing {
                let (text, count) = slot.shown();
                passing(text, count);
            }
        }
        // What another part looked at already is only counted.
        for slot in other.slots.iter().filter(|slot| slot.count > 0) {
            match self.kept.iter_mut().find(|kept| kept.hash == slot.hash && kept.text == slot.text) {
                Some(_) => {}
                None => self.vote(slot.hash, &slot.text, slot.count),
            }
        }
    }
}

/// Counts a text by its own hash.
pub(super) fn add(tally: &mut Tally, text: &[u8], times: u64) -> Met {
    tally.add(hash(text), text, times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frequent_survive_a_flood_of_singles() {
        let mut tally = Tally::new();
        for n in 0..50_000 {
            add(&mut tally, format!("single {n}").as_bytes(), 1);
            // Late, so that no exact place is left for them.
            if n >= 1_000 {
                add(&mut tally, if n % 3 == 0 { b"often" } else { b"most!" }, 1);
            }
        }
        let top = tally.top(2, 2);
        assert_eq!(top.iter().map(|t| t.0).collect::<Vec<_>>(), ["most!", "often"]);
        assert!(
            top[0].1 <= 32_667 && top[0].1 > 25_000 && top[1].1 <= 16_334 && top[1].1 > 10_000,
            "{top:?}"
        );
    }

    #[test]
    fn few_texts_are_counted_exactly_in_parts_too() {
        let (mut one, mut two) = (Tally::new(), Tally::new());
        for n in 0..1_000 {
            add(if n % 2 == 0 { &mut one } else { &mut two }, format!("{}", n % 7).as_bytes(), 1);
        }
        one.merge(&two, |text, _| panic!("{text} has a place"));
        assert_eq!(one.kept().map(|(_, count)| count).sum::<u64>(), 1_000);
        assert_eq!(one.top(1, 1), [("0", 143)]);
    }
}
