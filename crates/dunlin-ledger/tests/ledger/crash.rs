//! A crash at any step of an append leaves the old log, and the same append mends it.
#![cfg(feature = "failpoints")]

use dunlin_ledger::{FAILPOINTS, Log};

use super::{entries, files, grown, signer, verifier};

#[test]
fn a_crash_anywhere_in_an_append_is_mended_by_the_next() {
    let scenario = fail::FailScenario::setup();
    let whole = tempfile::tempdir().unwrap();
    grown(whole.path(), &[300]);
    for name in FAILPOINTS {
        // The first, the second, … time that the place is passed.
        for passed in 0..40 {
            let dir = tempfile::tempdir().unwrap();
            let known = grown(dir.path(), &[200]);
            fail::cfg(*name, &format!("{passed}*off->1*return->off")).unwrap();
            let mut log = Log::open(dir.path(), &verifier()).unwrap();
            let crashed = log.append(&entries(200, 300), &signer()).is_err();
            fail::remove(*name);
            // What is there is the old log or the new one, and both verify.
            let report = Log::verify(dir.path(), &verifier(), &known).unwrap();
            assert!([200, 300].contains(&report.size), "{name}");
            // Somebody who starts anew appends what is missing.
            let mut log = Log::open(dir.path(), &verifier()).unwrap();
            let from = log.size();
            log.append(&entries(from, 300), &signer()).unwrap();
            Log::verify(dir.path(), &verifier(), &known).unwrap();
            assert_eq!(log.size(), 300);
            assert!(files(dir.path()).len() >= files(whole.path()).len());
            if !crashed {
                assert!(passed > 0, "{name} is never passed");
                break;
            }
        }
    }
    scenario.teardown();
}
