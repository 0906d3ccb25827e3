//! Quantiles of a stream of numbers: a merging t-digest (Dunning and Ertl, 2019) with the scale function k1, whose error
//! is smallest at both ends. A few kilobytes whatever the stream's length.

/// More centroids, finer quantiles.
const COMPRESSION: f64 = 200.0;
const BUFFER: usize = 2_048;

#[derive(Debug, Clone, Copy)]
struct Centroid {
    mean: f64,
    weight: f64,
}

/// A digest of numbers.
#[derive(Debug, Default)]
pub(super) struct Digest {
    centroids: Vec<Centroid>,
    buffer: Vec<Centroid>,
    count: f64,
    min: f64,
    max: f64,
}

impl Digest {
    /// Takes in a number `times` times; what is not finite is left out.
    pub(super) fn add(&mut self, number: f64, times: u64) {
        if !number.is_finite() {
            return;
        }
        if self.count == 0.0 {
            (self.min, self.max) = (number, number);
        }
        self.min = self.min.min(number);
        self.max = self.max.max(number);
        self.count += times as f64;
        self.buffer.push(Centroid { mean: number, weight: times as f64 });
        if self.buffer.len() >= BUFFER {
            self.compress();
        }
    }

    /// Takes in another digest.
    pub(super) fn merge(&mut self, other: Digest) {
        if other.count == 0.0 {
            return;
        }
        if self.count == 0.0 {
            *self = other;
            return;
        }
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.buffer.extend(other.centroids);
        self.buffer.extend(other.buffer);
        self.compress();
    }

    fn compress(&mut self) {
        let mut all = std::mem::take(&mut self.buffer);
        all.append(&mut self.centroids);
        all.sort_unstable_by(|a, b| a.mean.total_cmp(&b.mean));
        let total: f64 = all.iter().map(|c| c.weight).sum();
        // k1(q) = d/2π asin(2q-1): a centroid may span one step of it.
        let scale =
            |q: f64| COMPRESSION / (2.0 * std::f64::consts::PI) * (2.0 * q - 1.0).clamp(-1.0, 1.0).asin();
        let back = |k: f64| {
            let angle = (k * 2.0 * std::f64::consts::PI / COMPRESSION).min(std::f64::consts::FRAC_PI_2);
            (angle.sin() + 1.0) / 2.0
        };
        let mut done = 0.0;
        let mut limit = total * back(scale(0.0) + 1.0);
        let mut merged: Vec<Centroid> = Vec::with_capacity(COMPRESSION as usize);
        for next in all {
            match merged.last_mut() {
                Some(last) if done + last.weight + next.weight <= limit => {
                    last.weight += next.weight;
                    last.mean += (next.mean - last.mean) * next.weight / last.weight;
                }
                last => {
                    if let Some(last) = last {
                        done += last.weight;
                        limit = total * back(scale(done / total) + 1.0);
                    }
                    merged.push(next);
                }
            }
        }
        self.centroids = merged;
    }

    /// How many numbers there were.
    pub(super) fn count(&self) -> u64 {
        self.count as u64
    }

    /// The number below which the share `q` of all lies; `None` where there is none.
    pub(super) fn quantile(&mut self, q: f64) -> Option<f64> {
        if !self.buffer.is_empty() {
            self.compress();
        }
        let (first, last) = (self.centroids.first()?, self.centroids.last()?);
        let wanted = q.clamp(0.0, 1.0) * self.count;
        let (mut before, mut left) = (0.0, (0.0, self.min));
        for centroid in &self.centroids {
            let middle = before + centroid.weight / 2.0;
            if wanted <= middle {
                return Some(between(left, (middle, centroid.mean), wanted));
            }
            left = (middle, centroid.mean);
            before += centroid.weight;
        }
        let _ = (first, last);
        Some(between(left, (self.count, self.max), wanted))
    }

    /// The share of the numbers at or below one.
    pub(super) fn share_below(&mut self, number: f64) -> f64 {
        if !self.buffer.is_empty() {
            self.compress();
        }
        if self.count == 0.0 || number < self.min {
            return 0.0;
        }
        if number >= self.max {
            return 1.0;
        }
        let (mut before, mut left) = (0.0, (self.min, 0.0));
        for centroid in &self.centroids {
            let middle = before + centroid.weight / 2.0;
            if number < centroid.mean {
                return between(left, (centroid.mean, middle), number) / self.count;
            }
            left = (centroid.mean, middle);
            before += centroid.weight;
        }
        between(left, (self.max, self.count), number) / self.count
    }
}

/// The straight line through two points, at `x`.
fn between((x0, y0): (f64, f64), (x1, y1): (f64, f64), x: f64) -> f64 {
    if x1 <= x0 { y1 } else { y0 + (y1 - y0) * ((x - x0) / (x1 - x0)).clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_stay_near_the_truth_in_one_part_or_several() {
        let mut whole = Digest::default();
        let mut parts: Vec<Digest> = (0..3).map(|_| Digest::default()).collect();
        // A full period of a congruence: every number below the modulus once.
        let mut state = 1u64;
        for n in 0..100_000usize {
            state = (state * 48_271) % 2_147_483_647;
            let number = (state % 1_000_003) as f64 / 1_000_003.0;
            whole.add(number, 1);
            parts[n % 3].add(number, 1);
        }
        let mut joined = Digest::default();
        parts.into_iter().for_each(|part| joined.merge(part));
        for digest in [&mut whole, &mut joined] {
            for q in [0.001, 0.01, 0.25, 0.5, 0.75, 0.99, 0.999] {
                let found = digest.quantile(q).unwrap();
                assert!((found - q).abs() < 0.01, "{q}: {found}");
                assert!((digest.share_below(q) - q).abs() < 0.01);
            }
            assert!(digest.centroids.len() < 300);
        }
        assert_eq!(Digest::default().quantile(0.5), None);
    }
}
