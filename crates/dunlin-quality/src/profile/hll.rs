//! HyperLogLog (Flajolet et al., 2007): how many different values there were, in 4 KiB, within about 2 %.

use super::hash::hash;

const BITS: u32 = 12;
const REGISTERS: usize = 1 << BITS;

/// An estimator of distinct values.
pub(super) struct HyperLogLog {
    registers: Vec<u8>,
}

impl HyperLogLog {
    pub(super) fn new() -> Self {
        Self { registers: vec![0; REGISTERS] }
    }

    pub(super) fn add(&mut self, value: &[u8]) {
        self.add_hash(hash(value));
    }

    /// Takes in a value by its hash.
    pub(super) fn add_hash(&mut self, hash: u64) {
        let register = &mut self.registers[(hash >> (64 - BITS)) as usize];
        // A one behind the last bit bounds the run of zeros.
        let zeros = ((hash << BITS) | (1 << (BITS - 1))).leading_zeros() + 1;
        *register = (*register).max(zeros as u8);
    }

    /// Takes in another part of the same values.
    pub(super) fn merge(&mut self, other: &Self) {
        for (register, theirs) in self.registers.iter_mut().zip(&other.registers) {
            *register = (*register).max(*theirs);
        }
    }

    /// The estimate; small counts by linear counting.
    pub(super) fn estimate(&self) -> u64 {
        let m = REGISTERS as f64;
        let sum: f64 = self.registers.iter().map(|r| 2f64.powi(-i32::from(*r))).sum();
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
        let empty = self.registers.iter().filter(|r| **r == 0).count();
        let estimate = if raw <= 2.5 * m && empty > 0 { m * (m / empty as f64).ln() } else { raw };
        estimate.round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_stay_near_the_truth() {
        for (count, within) in
            [(0u64, 0.0), (1, 0.0), (10, 0.0), (1_000, 0.03), (50_000, 0.06), (300_000, 0.06)]
        {
            let mut sketch = HyperLogLog::new();
            for value in 0..count {
                sketch.add(&value.to_le_bytes());
                sketch.add(&value.to_le_bytes());
            }
            let off = (sketch.estimate() as f64 - count as f64).abs();
            assert!(off <= within * count as f64, "{count}: {}", sketch.estimate());
        }
    }
}
