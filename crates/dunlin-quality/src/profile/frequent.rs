//! Space-saving (Metwally et al., 2005): the most frequent texts of a stream in a fixed number of places.

use std::collections::HashMap;

const PLACES: usize = 64;

struct Place {
    count: u64,
    /// What the place had counted for others before: the count is too high by at most this.
    inherited: u64,
}

/// The most frequent texts.
pub(super) struct Frequent {
    places: HashMap<String, Place>,
}

impl Frequent {
    pub(super) fn new() -> Self {
        Self { places: HashMap::with_capacity(PLACES) }
    }

    pub(super) fn add(&mut self, text: &str) {
        if let Some(place) = self.places.get_mut(text) {
            place.count += 1;
            return;
        }
        let mut inherited = 0;
        if self.places.len() == PLACES {
            let least =
                self.places.iter().min_by(|a, b| a.1.count.cmp(&b.1.count).then_with(|| a.0.cmp(b.0)));
            if let Some((text, count)) = least.map(|(text, place)| (text.clone(), place.count)) {
                self.places.remove(&text);
                inherited = count;
            }
        }
        self.places.insert(text.to_owned(), Place { count: inherited + 1, inherited });
    }

    /// At most `most` texts that were seen at least `times` for certain, the most frequent first, with the count that
    /// is certain.
    pub(super) fn top(&self, most: usize, times: u64) -> Vec<(&str, u64)> {
        let sure = self.places.iter().map(|(text, p)| (text.as_str(), p.count - p.inherited));
        let mut all: Vec<(&str, u64)> = sure.filter(|(_, count)| *count >= times).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.truncate(most);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frequent_survive_a_flood_of_singles() {
        let mut frequent = Frequent::new();
        for n in 0..5_000 {
            frequent.add(&format!("single {n}"));
            frequent.add(if n % 3 == 0 { "often" } else { "most" });
        }
        assert_eq!(frequent.top(2, 2), vec![("most", 3_333), ("often", 1_667)]);
        assert!(frequent.places.len() <= PLACES);
    }
}
