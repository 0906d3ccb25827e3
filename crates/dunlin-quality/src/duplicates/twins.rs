//! Records that say the same in every compared column. Hundreds of them would fill a block and be skipped with it,
//! thousands would be compared each with each, and their values would count as common because one record was entered
//! often. So only the first few of a kind are compared; the others follow these.

use std::collections::HashMap;

use super::intern::mix;
use super::values::{Fields, NONE};

/// So many of a kind are compared: enough to tell what such pairs weigh.
const KEPT: u32 = 3;

/// Which records are compared, and whom the others follow.
#[derive(Default)]
pub(super) struct Twins {
    /// The records that are compared, in order.
    pub(super) compared: Vec<u32>,
    /// The others, in order, each with the place among `compared` of the first that says the same.
    pub(super) others: Vec<(u32, u32)>,
}

impl Twins {
    /// All records are compared.
    pub(super) fn none(order: Vec<u32>) -> Self {
        Self { compared: order, others: Vec::new() }
    }

    /// Finds them among records in this order. Records that say nothing at all are no twins.
    pub(super) fn find(fields: &Fields, order: &[u32]) -> Self {
        let mut twins = Self::default();
        // By a number of what they say: the first record, its place, and how many there were. Where two kinds have one
        // number, those of the later kind are compared.
        let mut first: HashMap<u64, (u32, u32, u32)> = HashMap::with_capacity(order.len());
        for record in order {
            let ids = |record: u32| fields.columns.iter().map(move |column| column.ids[record as usize]);
            let number = ids(*record).fold(0, |sum, id| mix(sum ^ u64::from(id)));
            let place = twins.compared.len() as u32;
            let (leader, led, seen) = first.entry(number).or_insert((*record, place, 0));
            if *seen >= KEPT && ids(*record).any(|id| id != NONE) && ids(*record).eq(ids(*leader)) {
                twins.others.push((*record, *led));
            } else {
                twins.compared.push(*record);
            }
            *seen += 1;
        }
        twins
    }
}
