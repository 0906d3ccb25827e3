//! A quick 64-bit hash for sketches and dictionaries in memory: folded multiplication, as wyhash and foldhash do it. Not
//! for anything that leaves the process, and no defence against texts made to collide: a collision costs accuracy.

const A: u64 = 0x9e37_79b9_7f4a_7c15;
const B: u64 = 0xd6e8_feb8_6659_fd93;

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// The hash of some bytes.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut state = fold(bytes.len() as u64 ^ A, B);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut eight = [0; 8];
        eight.copy_from_slice(chunk);
        state = fold(state ^ u64::from_le_bytes(eight), A);
    }
    let mut last = [0; 8];
    let rest = chunks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    fold(fold(state ^ u64::from_le_bytes(last), A) ^ B, A)
}
