//! The corpora of the fuzz targets, replayed: no decoder panics on any of them, nor on what is left of them when they
//! are cut off or a byte of them is another one.

#[path = "../../../../fuzz/decoders.rs"]
mod decoders;

use std::path::Path;

#[test]
fn fuzz_corpora_are_decoded_without_a_panic() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, decode) in decoders::ALL {
        let found = std::fs::read_dir(corpora.join(name)).unwrap();
        let mut inputs: Vec<_> = found.map(|f| f.unwrap().path()).collect();
        inputs.sort();
        assert!(inputs.len() >= 3, "{name} has a corpus");
        for input in inputs {
            let bytes = std::fs::read(&input).unwrap();
            decode(&bytes);
            for at in 0..bytes.len().min(48) {
                decode(&bytes[..at]);
                let mut other = bytes.clone();
                other[at] ^= 0x55;
                decode(&other);
            }
        }
    }
}
