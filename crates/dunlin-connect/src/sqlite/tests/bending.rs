//! Whatever is written: it reads back the same, or it was refused.

use std::collections::BTreeSet;

use arrow::array::{Array, ArrayRef, Decimal128Array, Float64Array, StringArray};
use proptest::prelude::*;

use super::*;

/// Loads one column into columns of these declared types, and checks every row that was not refused.
async fn check(declared: &[&str], values: ArrayRef) {
    for declared in declared {
        let fixture = Fixture::with(&format!("CREATE TABLE t (v {declared})")).await;
        let table = fixture.table("t").await;
        let target = fixture.store.target().await.unwrap();
        target.prepare().await.unwrap();
        let mut load = target.begin(spec(&table, "0")).await.unwrap();
        let batch = RecordBatch::try_from_iter_with_nullable([("v", Arc::clone(&values), true)]).unwrap();
        load.write(batch).await.unwrap();
        let refused: BTreeSet<u64> = load.settle().await.unwrap().iter().map(|r| r.ordinal).collect();
        load.commit(&receipt("t", "0", "{}")).await.unwrap();
        let read = fixture.read("t").await;
        assert!(read.bad.is_empty(), "{declared:?}: {}", read.show());
        let kept: Vec<usize> = (0..values.len()).filter(|i| !refused.contains(&(*i as u64))).collect();
        assert_eq!(read.rows(), kept.len(), "{declared:?}");
        let Some(back) = read.batches.first().map(|b| b.column(0)) else { continue };
        for (row, given) in kept.into_iter().enumerate() {
            assert_eq!(back.slice(row, 1).to_data(), values.slice(given, 1).to_data(), "{declared:?}");
        }
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn texts(numbers in prop::collection::vec("[-+]?[0-9]{0,20}[.]?[0-9]{0,4}(e-?[0-9]{1,2})?", 100), any: Vec<String>) {
        let texts: ArrayRef = Arc::new(numbers.into_iter().chain(any).map(Some).collect::<StringArray>());
        run(check(&["", "TEXT", "STRING", "VARCHAR(3)", "POINT"], texts));
    }

    #[test]
    fn numerics(numbers in prop::collection::vec("-?[1-9][0-9]{0,20}([.][0-9]{1,4})?", 100)) {
        let texts: ArrayRef = Arc::new(numbers.into_iter().map(Some).collect::<StringArray>());
        run(check(&["NUMERIC", "NUMTEXT"], texts));
    }

    #[test]
    fn doubles(bits in prop::collection::vec(any::<u64>(), 100), whole: Vec<i32>) {
        let doubles = bits.into_iter().map(f64::from_bits).filter(|v| !v.is_nan());
        let doubles = doubles.chain(whole.into_iter().map(f64::from));
        run(check(&["REAL", "DOUBLE PRECISION"], Arc::new(doubles.map(Some).collect::<Float64Array>())));
    }

    #[test]
    fn decimals(wide in prop::collection::vec(any::<i128>(), 50), narrow: Vec<i32>) {
        let all = wide.into_iter().map(|v| v % 10i128.pow(30)).chain(narrow.into_iter().map(i128::from));
        let all: Decimal128Array = all.map(Some).collect();
        let all = all.with_precision_and_scale(30, 4).unwrap();
        run(check(&["DECIMAL(30,4)", "DECTEXT(30,4)"], Arc::new(all)));
    }
}
