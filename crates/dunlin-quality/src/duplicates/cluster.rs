//! From pairs to clusters. Pairs alone chain: A is like B, B is like C, and a father becomes his son. So inside each
//! group of records that likely pairs connect, *all* pairs are weighed, and records are joined from the surest on for as
//! long as the mean of the weights between the two sides speaks for it (average linkage). Between two sources each
//! record takes at most one partner: the surest pairs first.

use std::collections::HashMap;

/// A likely pair and its bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) bits: f32,
}

/// A group of more records than this is first cut at its weakest pairs.
const GROUP_MOST: usize = 600;
/// Beyond this, more bits are no surer: one pair cannot outweigh many.
const BITS_MOST: f64 = 12.0;
/// A group whose pairs weigh more than this is not cut any further, in bits.
const CUT_MOST: f32 = 256.0;

/// Records that are one.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) records: Vec<u32>,
    /// The mean bits at the weakest of its joins.
    pub(super) bits: f64,
}

/// Sets that grow together.
pub(super) struct Sets {
    parents: Vec<u32>,
}

impl Sets {
    pub(super) fn new(records: usize) -> Self {
        Self { parents: (0..records as u32).collect() }
    }

    pub(super) fn root(&mut self, mut of: u32) -> u32 {
        while self.parents[of as usize] != of {
            self.parents[of as usize] = self.parents[self.parents[of as usize] as usize];
            of = self.parents[of as usize];
        }
        of
    }

    /// The lowest record is the root, whatever the order of joins.
    pub(super) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }
}

/// Groups of records that pairs of at least `bits` connect, each sorted; singles are left out.
fn groups(records: usize, edges: &[Edge], bits: f32) -> Vec<Vec<u32>> {
    let mut sets = Sets::new(records);
    for edge in edges.iter().filter(|e| e.bits >= bits) {
        sets.join(edge.a, edge.b);
    }
    let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
    let touched = edges.iter().filter(|e| e.bits >= bits).flat_map(|e| [e.a, e.b]);
    for record in touched {
        members.entry(sets.root(record)).or_default().push(record);
    }
    let mut groups: Vec<Vec<u32>> = members.into_values().collect();
    for group in &mut groups {
        group.sort_unstable();
        group.dedup();
    }
    groups.sort_unstable();
    groups
}

/// Clusters within one source. `weigh` gives the bits of any pair; a join needs a mean of at least `least` bits.
pub(super) fn within(
    records: usize,
    edges: &[Edge],
    least: f64,
    weigh: &(dyn Fn(u32, u32) -> f64 + Sync),
) -> Vec<Cluster> {
    let mut open = vec![(groups(records, edges, least.min(0.0) as f32), 0.0_f32)];
    let mut ready = Vec::new();
    while let Some((groups_now, bits)) = open.pop() {
        for group in groups_now {
            if group.len() <= GROUP_MOST {
                ready.push(group);
                continue;
            }
            // Cut at the weakest pairs until it falls apart.
            let mut inside: Vec<Edge> = Vec::new();
            for edge in edges {
                if group.binary_search(&edge.a).is_ok() && group.binary_search(&edge.b).is_ok() {
                    inside.push(*edge);
                }
            }
            let next = bits + 2.0;
            let cut = groups(records, &inside, next);
            if cut.is_empty() || next > CUT_MOST {
                // All its pairs weigh the same: it is looked at in pieces rather than not at all.
                ready.extend(group.chunks(GROUP_MOST).map(<[u32]>::to_vec));
            } else {
                open.push((cut, next));
            }
        }
    }
    ready.sort_unstable();
    let clusters = super::in_parallel(&ready, |group| join(group, least, weigh));
    let mut clusters: Vec<Cluster> = clusters.into_iter().flatten().collect();
    clusters.sort_by(|x, y| x.records.cmp(&y.records));
    clusters
}

/// Joins the records of a group from the surest on.
fn join(group: &[u32], least: f64, weigh: &(dyn Fn(u32, u32) -> f64 + Sync)) -> Vec<Cluster> {
    let n = group.len();
    // Sums of bits between clusters; a cluster lives in the row of its first record.
    let mut sums = vec![0.0_f64; n * n];
    for i in 0..n {
        for j in i + 1..n {
            let bits = weigh(group[i], group[j]).clamp(-BITS_MOST, BITS_MOST);
            sums[i * n + j] = bits;
            sums[j * n + i] = bits;
        }
    }
    let mut members: Vec<Vec<u32>> = group.iter().map(|r| vec![*r]).collect();
    let mut lowest = vec![f64::INFINITY; n];
    let mut alive: Vec<usize> = (0..n).collect();
    let mean = |sums: &[f64], members: &[Vec<u32>], i: usize, j: usize| {
        sums[i * n + j] / (members[i].len() * members[j].len()) as f64
    };
    // The best partner of each cluster among those after it.
    let seek = |sums: &[f64], members: &[Vec<u32>], alive: &[usize], i: usize| {
        let mut best = (f64::NEG_INFINITY, usize::MAX);
        for j in alive.iter().copied().filter(|j| *j > i) {
            let bits = mean(sums, members, i, j);
            if bits > best.0 {
                best = (bits, j);
            }
        }
        best
    };
    let mut best: Vec<(f64, usize)> = (0..n).map(|i| seek(&sums, &members, &alive, i)).collect();
    while alive.len() > 1 {
        let mut top = (f64::NEG_INFINITY, usize::MAX);
        for i in alive.iter().copied() {
            if best[i].0 > top.0 {
                top = (best[i].0, i);
            }
        }
        let (bits, i) = top;
        if bits < least || i == usize::MAX {
            break;
        }
        let j = best[i].1;
        let moved = std::mem::take(&mut members[j]);
        members[i].extend(moved);
        lowest[i] = lowest[i].min(lowest[j]).min(bits);
        alive.retain(|k| *k != j);
        for k in alive.iter().copied().filter(|k| *k != i) {
            let sum = sums[i * n + k] + sums[j * n + k];
            sums[i * n + k] = sum;
            sums[k * n + i] = sum;
        }
        for k in alive.clone() {
            if k <= i || best[k].1 == i || best[k].1 == j {
                best[k] = seek(&sums, &members, &alive, k);
            }
        }
    }
    let joined = alive.into_iter().filter(|i| members[*i].len() > 1);
    joined
        .map(|i| {
            let mut records = members[i].clone();
            records.sort_unstable();
            Cluster { records, bits: lowest[i] }
        })
        .collect()
}

/// Partners between two sources: the surest pairs first, each record once. `edges` in the order of their records.
pub(super) fn between(edges: &[Edge], least: f64) -> Vec<Cluster> {
    let mut order: Vec<&Edge> = edges.iter().filter(|e| f64::from(e.bits) >= least).collect();
    order.sort_by(|x, y| y.bits.total_cmp(&x.bits).then((x.a, x.b).cmp(&(y.a, y.b))));
    let mut taken = std::collections::HashSet::new();
    let mut clusters = Vec::new();
    for edge in order {
        if taken.contains(&edge.a) || taken.contains(&edge.b) {
            continue;
        }
        taken.insert(edge.a);
        taken.insert(edge.b);
        clusters.push(Cluster { records: vec![edge.a, edge.b], bits: f64::from(edge.bits) });
    }
    clusters.sort_by(|x, y| x.records.cmp(&y.records));
    clusters
}
