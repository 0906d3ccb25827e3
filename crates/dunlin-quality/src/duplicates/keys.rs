//! What two records have to share for their pair to be looked at at all: the value itself, its sound, its first part,
//! one of its words. A key is a 32-bit hash; a collision costs a comparison and nothing else.

use super::FieldKind;
use super::compare::{area, email_parts};
use super::intern::{Lists, hash};
use super::values::{Fields, NONE};

/// The most words of a value that are keys: the rarest.
const WORDS_MOST: usize = 5;

/// The most ways: what the bits of [`super::blocking`] hold. Sixteen columns have at most 83.
pub(super) const WAYS_MOST: usize = 128;

/// One way to make keys, and the keys of every record.
pub(super) struct Keys {
    /// The column it looks at. Two ways that look at one column are not joined.
    pub(super) about: usize,
    /// Whether a record may have several keys.
    pub(super) many: bool,
    /// How many records share a key in the mean, roughly: to tell the narrower of two ways.
    pub(super) crowd: f64,
    of: Lists,
}

impl Keys {
    /// The keys of a record, without repeats.
    pub(super) fn of(&self, record: usize) -> &[u32] {
        self.of.get(record)
    }
}

/// A way to make keys: from which columns, and the keys of each of their values.
struct Maker {
    about: usize,
    sources: Vec<(usize, Lists)>,
    many: bool,
}

impl Maker {
    fn keys(&self, fields: &Fields, records: usize) -> Keys {
        let (mut of, mut row) = (Lists::default(), Vec::new());
        let mut seen = vec![0_u8; 1 << 16];
        let (mut all, mut different) = (0_usize, 0_usize);
        for record in 0..records {
            row.clear();
            for (column, keys) in &self.sources {
                let id = fields.columns[*column].ids[record];
                if id != NONE {
                    for key in keys.get(id as usize) {
                        if !row.contains(key) {
                            row.push(*key);
                        }
                    }
                }
            }
            for key in &row {
                all += 1;
                let place = &mut seen[(key >> 3) as usize & 0xffff];
                different += usize::from(*place & (1 << (key & 7)) == 0);
                *place |= 1 << (key & 7);
            }
            of.push(row.iter().copied());
        }
        Keys { about: self.about, many: self.many, crowd: all as f64 / different.max(1) as f64, of }
    }
}

/// The keys of all records, by every way that suits the columns.
pub(super) fn keys(fields: &Fields, records: usize) -> Vec<Keys> {
    let mut makers = makers(fields);
    makers.truncate(WAYS_MOST);
    super::in_parallel(&makers, |maker| maker.keys(fields, records))
}

fn makers(fields: &Fields) -> Vec<Maker> {
    let mut makers = Vec::new();
    let names: Vec<usize> = (0..fields.columns.len()).filter(|c| fields.columns[*c].kind.is_name()).collect();
    if let Some(first) = names.first() {
        let about = *first;
        // All names of a record together, so that names which have changed places meet.
        let each = |make: &dyn Fn(&[u8], u32) -> u64| {
            names.iter().map(|c| (*c, words(fields, *c, make))).collect::<Vec<_>>()
        };
        makers.push(Maker { about, sources: each(&|word, _| hash(word)), many: true });
        makers.push(Maker { about, sources: each(&|_, sound| u64::from(sound)), many: true });
        let tail = |word: &[u8]| hash(&word[word.len().saturating_sub(4)..]);
        makers.push(Maker { about, sources: each(&|word, _| tail(word)), many: true });
    }
    for at in 0..fields.columns.len() {
        let kind = fields.columns[at].kind;
        let mut whole = |make: &dyn Fn(&[u8]) -> Option<u64>| {
            makers.push(Maker { about: at, sources: vec![(at, values(fields, at, make))], many: false });
        };
        match kind {
            FieldKind::GivenName | FieldKind::FamilyName | FieldKind::PersonName => {}
            FieldKind::Word => {
                whole(&|v| Some(hash(v)));
                whole(&|v| (v.len() > 4).then(|| hash(&v[..4])));
                whole(&|v| (v.len() > 4).then(|| hash(&v[v.len() - 4..])));
            }
            FieldKind::Words => {
                whole(&|v| Some(hash(v)));
                let keys = words(fields, at, &|word, _| hash(word));
                makers.push(Maker { about: at, sources: vec![(at, keys)], many: true });
            }
            FieldKind::Date { .. } => {
                whole(&|v| Some(hash(v)));
                whole(&|v| (v.len() == 8).then(|| hash(&v[..6])));
                whole(&|v| (v.len() == 8).then(|| hash(&v[4..])));
                whole(&|v| (v.len() == 8).then(|| hash(&[&v[..4], &v[6..]].concat())));
                whole(&|v| (v.len() == 8).then(|| hash(&v[..4])));
            }
            FieldKind::Email => {
                whole(&|v| Some(hash(v)));
                whole(&|v| Some(hash(email_parts(v).0)));
                whole(&|v| (v.len() > 5).then(|| hash(&v[..5])));
            }
            FieldKind::Phone => {
                whole(&|v| Some(hash(&v[v.len().saturating_sub(7)..])));
                whole(&|v| (v.len() > 4).then(|| hash(&v[v.len() - 4..])));
                whole(&|v| (v.len() > 4).then(|| hash(&v[..v.len() - 4])));
            }
            FieldKind::Postcode => {
                whole(&|v| Some(hash(v)));
                whole(&|v| Some(hash(area(v))));
            }
            FieldKind::Code => {
                whole(&|v| Some(hash(v)));
                whole(&|v| (v.len() >= 4).then(|| hash(&v[..v.len() / 2])));
                whole(&|v| (v.len() >= 4).then(|| hash(&v[v.len() / 2..])));
            }
        }
    }
    makers
}

fn values(fields: &Fields, column: usize, make: &dyn Fn(&[u8]) -> Option<u64>) -> Lists {
    let texts = &fields.pools[fields.columns[column].pool].texts;
    let rows = &fields.columns[column].rows;
    let mut keys = Lists::default();
    for id in 0..texts.len() as u32 {
        // A pool may hold values of other columns.
        let used = rows[id as usize] > 0;
        keys.push(used.then(|| make(texts.get(id))).flatten().map(fold));
    }
    keys
}

fn words(fields: &Fields, column: usize, make: &dyn Fn(&[u8], u32) -> u64) -> Lists {
    let column = &fields.columns[column];
    let pool = &fields.pools[column.pool];
    let mut keys = Lists::default();
    let mut rarest: Vec<u32> = Vec::new();
    for id in 0..pool.texts.len() {
        rarest.clear();
        if column.rows[id] > 0 {
            rarest.extend_from_slice(pool.words.get(id));
            if rarest.len() > WORDS_MOST && column.kind.is_set() {
                rarest.sort_by_key(|w| (column.word_rows[*w as usize], hash(pool.word.get(*w))));
            }
            rarest.truncate(WORDS_MOST);
        }
        let key = |w: &u32| fold(make(pool.word.get(*w), pool.sound[*w as usize]));
        keys.push(rarest.iter().filter(|w| pool.word.get(**w).len() > 1).map(key));
    }
    keys
}

fn fold(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
}
