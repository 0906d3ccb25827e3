//! Which records stand for one person: record linkage without labels.
//!
//! The story, a file each: values are brought into one form ([`normal`]) and become numbers ([`values`]); of records that
//! say the very same only a few are compared ([`twins`]); pairs worth looking at share keys ([`keys`]), by rules that are
//! chosen from the data ([`blocking`]); each pair is compared column by column ([`compare`]); what each agreement weighs is
//! learnt from the pairs themselves ([`model`]), beside what chance does ([`random`]); pairs become clusters that do not
//! chain ([`cluster`]); and each pair can be explained ([`found`]).
//! [`link`] goes through it from end to end.
//!
//! What this is not: it reads no store, and it decides nothing about rows. It says which records belong together, how
//! sure that is, and why. It holds the values of the compared columns in memory, each different value once, and lets
//! none of them out.

mod blocking;
mod cluster;
mod compare;
mod distance;
mod found;
mod intern;
mod keys;
mod kind;
mod link;
mod model;
mod nicknames;
mod normal;
mod parallel;
mod random;
#[cfg(test)]
mod tests;
mod twins;
mod values;

pub use compare::Level;
pub use found::{Agreement, ColumnWeights, Duplicates, Explanation, Group, LevelWeight, ReviewPair};
pub use kind::FieldKind;

use compare::COLUMNS_MOST;
use parallel::in_parallel;
use twins::Twins;
use values::Fields;

/// The records to be compared, as they arrive.
pub struct Records {
    fields: Fields,
    names: Names,
}

/// What records are called.
struct Names {
    keys: Vec<Box<str>>,
    /// Where each record stands in its source.
    rows: Vec<u64>,
    /// The first record of the second source.
    second_from: Option<usize>,
    /// For the records after those that are compared, in order, the compared one that says the same.
    followed: Vec<u32>,
}

impl Records {
    /// The most columns that are compared.
    pub const COLUMNS_MOST: usize = COLUMNS_MOST;

    /// No records yet, of these columns and kinds; of more than [`Self::COLUMNS_MOST`] only the first are compared.
    pub fn new(columns: &[(String, FieldKind)]) -> Self {
        let columns = &columns[..columns.len().min(COLUMNS_MOST)];
        let names = Names { keys: Vec::new(), rows: Vec::new(), second_from: None, followed: Vec::new() };
        Self { fields: Fields::new(columns), names }
    }

    /// Adds the keys of the next records, and where each stands in its source.
    pub fn push_keys<'a>(&mut self, keys: impl Iterator<Item = (&'a str, u64)>) {
        for (key, row) in keys {
            self.names.keys.push(Box::from(key));
            self.names.rows.push(row);
        }
    }

    /// Adds the values of a column, in the order of the keys. Every column takes as many values as there are keys.
    pub fn push_values<'a>(&mut self, column: usize, values: impl Iterator<Item = Option<&'a str>>) {
        if column < self.fields.columns.len() {
            self.fields.push(column, values);
        }
    }

    /// Says that all records from here on are of a second source; pairs are then sought between the two only, and each
    /// record has at most one partner.
    pub fn second_source(&mut self) {
        self.names.second_from = Some(self.names.keys.len());
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.names.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.keys.is_empty()
    }

    /// Finds out which records are the same.
    pub fn link(mut self) -> Duplicates {
        let order = self.order();
        // Between two sources each record has one partner, so it matters who follows whom.
        let twins = match self.names.second_from {
            None => Twins::find(&self.fields, &order),
            Some(_) => Twins::none(order),
        };
        self.fields.settle(&twins.compared);
        let order: Vec<u32> =
            twins.compared.iter().copied().chain(twins.others.iter().map(|(at, _)| *at)).collect();
        self.names.followed = twins.others.iter().map(|(_, led)| *led).collect();
        let mut keys = std::mem::take(&mut self.names.keys);
        self.names.keys = order.iter().map(|at| std::mem::take(&mut keys[*at as usize])).collect();
        self.names.rows = order.iter().map(|at| self.names.rows[*at as usize]).collect();
        link::link(self.fields, self.names)
    }

    /// One order whatever the order of arrival, the first source before the second: by key, then by content. All that
    /// follows depends on it, and so on nothing else.
    fn order(&self) -> Vec<u32> {
        let border = self.names.second_from.unwrap_or(self.len()) as u32;
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        let key = |at: u32| (at >= border, &self.names.keys[at as usize]);
        let content = |at: u32| self.fields.content(at as usize);
        order.sort_by(|x, y| key(*x).cmp(&key(*y)).then_with(|| content(*x).cmp(&content(*y))));
        order
    }
}
