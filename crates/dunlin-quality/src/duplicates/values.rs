//! The table as it is compared: columns of numbers, each of which stands for one normalised value, and what is worked
//! out once a value (its words, its sound, its date) instead of once a pair.

use super::FieldKind;
use super::compare::email_parts;
use super::distance::{Sketch, soundex};
use super::intern::{Interner, Lists, hash};
use super::nicknames::Nicknames;
use super::normal::normal;

/// Stands for a missing value.
pub(super) const NONE: u32 = u32::MAX;

/// The most words of a value that are compared.
pub(super) const WORDS_MOST: usize = 12;

/// A column: for each record the number of its value.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: FieldKind,
    /// Where its values are, in [`Fields::pools`].
    pub(super) pool: usize,
    pub(super) ids: Vec<u32>,
    /// The other name column, where a given and a family name may have changed places.
    pub(super) partner: Option<usize>,
    /// How many records have each value.
    pub(super) rows: Vec<u32>,
    /// How many records have each word (sets of words only).
    pub(super) word_rows: Vec<u32>,
    /// Records that have a value.
    pub(super) filled: u32,
}

/// The different values of one or more columns.
#[derive(Default)]
pub(super) struct Pool {
    pub(super) texts: Interner,
    /// The words of each value, in their order.
    pub(super) words: Lists,
    /// The texts of the words.
    pub(super) word: Interner,
    /// How each word sounds.
    pub(super) sound: Vec<u32>,
    /// Under which names of the list of short forms each word stands.
    pub(super) forms: Lists,
    /// A sketch of each value (of an e-mail address: of what stands before the @).
    pub(super) sketch: Vec<Sketch>,
    /// A sketch of each word of each value, in the order of `words`.
    word_sketch: Vec<Sketch>,
}

/// Year, month and day of a normal form, as far as it has them.
pub(super) fn date_parts(text: &[u8]) -> Option<(u32, u32, u32)> {
    let number = |part: &[u8]| part.iter().fold(0, |n, c| n * 10 + u32::from(c - b'0'));
    (text.len() == 8).then(|| (number(&text[..4]), number(&text[4..6]), number(&text[6..])))
}

/// Columns and their values, as they arrive.
pub(super) struct Fields {
    pub(super) columns: Vec<Column>,
    pub(super) pools: Vec<Pool>,
}

impl Fields {
    pub(super) fn new(columns: &[(String, FieldKind)]) -> Self {
        let mut fields = Self { columns: Vec::new(), pools: Vec::new() };
        let mut wordy = None;
        for (name, kind) in columns {
            let pool = match (kind.is_wordy(), wordy) {
                (true, Some(pool)) => pool,
                _ => {
                    fields.pools.push(Pool::default());
                    fields.pools.len() - 1
                }
            };
            if kind.is_wordy() {
                wordy = Some(pool);
            }
            fields.columns.push(Column {
                name: name.clone(),
                kind: *kind,
                pool,
                ids: Vec::new(),
                partner: None,
                rows: Vec::new(),
                word_rows: Vec::new(),
                filled: 0,
            });
        }
        fields
    }

    /// Adds values to a column, in the order of the records.
    pub(super) fn push<'a>(&mut self, column: usize, values: impl Iterator<Item = Option<&'a str>>) {
        let column = &mut self.columns[column];
        let pool = &mut self.pools[column.pool];
        let mut text = Vec::new();
        for value in values {
            let id = match value {
                Some(value) if !crate::is_sentinel(value, &[]) => {
                    normal(column.kind, value, &mut text);
                    if text.is_empty() { NONE } else { pool.texts.intern(&text) }
                }
                _ => NONE,
            };
            column.ids.push(id);
        }
    }

    /// Puts the records in this order and works out what is needed once a value.
    pub(super) fn settle(&mut self, order: &[u32]) {
        for column in &mut self.columns {
            column.ids = order.iter().map(|at| column.ids[*at as usize]).collect();
        }
        let nicknames = Nicknames::new();
        for (at, pool) in self.pools.iter_mut().enumerate() {
            let is =
                |kind: &dyn Fn(FieldKind) -> bool| self.columns.iter().any(|c| c.pool == at && kind(c.kind));
            let (wordy, email) = (is(&FieldKind::is_wordy), is(&|kind| kind == FieldKind::Email));
            pool.settle(wordy, email, &nicknames);
        }
        for column in &mut self.columns {
            column.count(&self.pools[column.pool]);
        }
        self.drop_repeats();
        let of = |kind| {
            let mut found = (0..self.columns.len()).filter(|c| self.columns[*c].kind == kind);
            (found.next(), found.next())
        };
        if let ((Some(given), None), (Some(family), None)) =
            (of(FieldKind::GivenName), of(FieldKind::FamilyName))
        {
            self.columns[given].partner = Some(family);
            self.columns[family].partner = Some(given);
        }
    }

    /// Numbers that depend on the texts of a column's values alone, by value. A pool may hold values of other columns as
    /// well.
    pub(super) fn hashes(&self, column: usize) -> Vec<u64> {
        let texts = &self.pools[self.columns[column].pool].texts;
        (0..texts.len() as u32).map(|id| hash(texts.get(id))).collect()
    }

    /// A number that depends on a record's content alone.
    pub(super) fn content(&self, record: usize) -> u64 {
        self.columns.iter().fold(0, |sum, column| {
            let id = column.ids[record];
            let one = if id == NONE { 0 } else { hash(self.pools[column.pool].texts.get(id)) };
            super::intern::mix(sum ^ one)
        })
    }

    /// Leaves out columns that another column says again (a full name beside its parts): two columns that say one
    /// thing would count it twice.
    fn drop_repeats(&mut self) {
        let mut at = self.columns.len();
        while at > 0 {
            at -= 1;
            let repeated = (0..self.columns.len()).any(|other| other != at && self.repeats(at, other));
            if repeated {
                self.columns.remove(at);
            }
        }
    }

    /// Whether nearly every value of `part` is made of words of the same record's value of `whole`.
    fn repeats(&self, part: usize, whole: usize) -> bool {
        const LOOK_AT: usize = 5_000;
        let (part, whole) = (&self.columns[part], &self.columns[whole]);
        if !part.kind.is_wordy() || part.pool != whole.pool {
            return false;
        }
        let words = &self.pools[part.pool].words;
        let step = (part.ids.len() / LOOK_AT).max(1);
        let (mut filled, mut within) = (0_usize, 0_usize);
        for record in (0..part.ids.len()).step_by(step) {
            if part.ids[record] == NONE {
                continue;
            }
            filled += 1;
            if whole.ids[record] != NONE {
                let whole = words.get(whole.ids[record] as usize);
                let all = words.get(part.ids[record] as usize).iter().all(|w| whole.contains(w));
                within += usize::from(all);
            }
        }
        filled > 0 && within * 100 >= filled * 97
    }
}

impl Column {
    fn count(&mut self, pool: &Pool) {
        self.rows = vec![0; pool.texts.len()];
        if self.kind.is_set() {
            self.word_rows = vec![0; pool.word.len()];
        }
        for id in self.ids.iter().filter(|id| **id != NONE) {
            self.filled += 1;
            self.rows[*id as usize] += 1;
            if self.kind.is_set() {
                for word in pool.words.get(*id as usize) {
                    self.word_rows[*word as usize] += 1;
                }
            }
        }
    }
}

impl Pool {
    /// Sketches of the words of a value, in the order of its words.
    pub(super) fn word_sketches(&self, id: u32) -> &[Sketch] {
        &self.word_sketch[self.words.range(id as usize)]
    }

    fn settle(&mut self, wordy: bool, email: bool, nicknames: &Nicknames) {
        self.texts.seal();
        let looked_at = |text| if email { email_parts(text).0 } else { text };
        self.sketch =
            (0..self.texts.len() as u32).map(|id| Sketch::of(looked_at(self.texts.get(id)))).collect();
        if !wordy {
            return;
        }
        let mut row: Vec<u32> = Vec::new();
        for id in 0..self.texts.len() as u32 {
            row.clear();
            for word in self.texts.get(id).split(|c| *c == b' ').take(WORDS_MOST) {
                let word = self.word.intern(word);
                if !row.contains(&word) {
                    row.push(word);
                }
            }
            self.words.push(row.iter().copied());
            self.word_sketch.extend(row.iter().map(|word| Sketch::of(self.word.get(*word))));
        }
        self.word.seal();
        for id in 0..self.word.len() as u32 {
            let word = self.word.get(id);
            self.sound.push(soundex(word));
            self.forms.push(nicknames.lines(word).iter().map(|line| u32::from(*line)));
        }
    }
}
