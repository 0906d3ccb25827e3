//! A fork shown to two auditors is provable, and a proof file needs nothing but the key.

use dunlin_ledger::{
    Checkpoint, ConsistencyProof, ForkEvidence, Log, NoFork, ProofError, Standing, TlogProof, TlogProofError,
};

use super::{entries, entry, grown, signer, verifier};

/// A ledger of five entries that went on in two ways: what each auditor was shown, and the second's folder.
fn forked(first: u64, second: u64) -> (Checkpoint, Checkpoint, tempfile::TempDir) {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    grown(one.path(), &[5]);
    grown(two.path(), &[5]);
    let mut log = Log::open(one.path(), &verifier()).unwrap();
    let shown = log.append(&entries(100, 95 + first), &signer()).unwrap();
    let mut log = Log::open(two.path(), &verifier()).unwrap();
    let other = log.append(&entries(200, 195 + second), &signer()).unwrap();
    (shown, other, two)
}

#[test]
fn two_histories_under_one_key_are_proved_by_their_signatures_alone() {
    for (first, second) in [(7, 7), (7, 9), (6, 300)] {
        let (shown, other, folder) = forked(first, second);
        let log = Log::open(folder.path(), &verifier()).unwrap();
        assert_eq!((shown.size, other.size), (first, second));
        let Standing::Forked(evidence) = log.standing(&shown).unwrap() else { panic!("{first} {second}") };
        // A third person has the evidence as text, and the key.
        let text = serde_json::to_string(&evidence).unwrap();
        let evidence: ForkEvidence = serde_json::from_str(&text).unwrap();
        assert_eq!(evidence.check(&verifier()), Ok(()), "{first} {second}");
        assert_eq!(ForkEvidence::of_equal_size(&shown, &other).is_some(), first == second);
    }
}

#[test]
fn nobody_can_accuse_an_honest_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = grown(folder.path(), &[5, 7, 300]);
    let log = Log::open(folder.path(), &verifier()).unwrap();
    for earlier in &checkpoints {
        let Standing::Consistent(Some(proof)) = log.standing(earlier).unwrap() else { panic!() };
        assert_eq!(proof.check(earlier, &checkpoints[2]), Ok(()));
    }
    let [a, _, b] = &checkpoints[..] else { panic!() };
    let honest = log.prove_consistency(a.size, b.size).unwrap();
    let accuse = |other_root: Option<String>, proof: Option<ConsistencyProof>| {
        ForkEvidence { first: a.note.clone(), second: b.note.clone(), other_root, proof }.check(&verifier())
    };
    assert_eq!(accuse(None, None), Err(NoFork::NoProof));
    assert_eq!(accuse(Some(a.root_hex()), Some(honest.clone())), Err(NoFork::Same));
    assert_eq!(accuse(Some("00".repeat(32)), Some(honest)), Err(NoFork::False(ProofError::False)));
    let same = ForkEvidence { first: b.note.clone(), second: b.note.clone(), other_root: None, proof: None };
    assert_eq!(same.check(&verifier()), Err(NoFork::Same));
    let (shown, other, _) = forked(7, 7);
    let foreign = dunlin_ledger::Signer::from_seed("dunlin/0193-test", &[8; 32]).unwrap().verifier().unwrap();
    let evidence = ForkEvidence::of_equal_size(&shown, &other).unwrap();
    assert!(matches!(evidence.check(&foreign), Err(NoFork::Checkpoint(_))), "another's signatures");
}

#[test]
fn a_ledger_that_was_cut_stands_behind_what_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    grown(folder.path(), &[5]);
    let kept = grown(tempfile::tempdir().unwrap().path(), &[5, 9]).pop().unwrap();
    let log = Log::open(folder.path(), &verifier()).unwrap();
    assert_eq!(log.standing(&kept).unwrap(), Standing::Ahead { size: 5 });
}

#[test]
fn a_proof_file_is_written_as_c2sp_says_and_checked_offline() {
    let folder = tempfile::tempdir().unwrap();
    grown(folder.path(), &[3]);
    let log = Log::open(folder.path(), &verifier()).unwrap();
    let text = log.tlog_proof(2).unwrap().to_text();
    // The hash was computed by Python's hashlib as RFC 6962 says: entry 2 of 3 has one sibling, the node over 0 and 1.
    let hash = "dt2CpQQg5HUktYQRs2DEQakBazOkFwJMaRvSztMeP5k=";
    let note = &log.checkpoint().unwrap().note;
    assert_eq!(text, format!("c2sp.org/tlog-proof@v1\nindex 2\n{hash}\n\n{note}"));
    for size in [1, 2, 255, 256, 257, 600] {
        let folder = tempfile::tempdir().unwrap();
        grown(folder.path(), &[size]);
        let log = Log::open(folder.path(), &verifier()).unwrap();
        for index in [0, size / 2, size - 1] {
            let mut proof = log.tlog_proof(index).unwrap();
            proof.extra = Some(b"seen by an auditor".to_vec());
            let read = TlogProof::parse(&proof.to_text()).unwrap();
            assert_eq!(read, proof);
            assert_eq!(read.check(&entry(index), &verifier()).unwrap().size, size);
            let other = read.check(&entry(size), &verifier());
            assert!(matches!(other, Err(TlogProofError::False(_))), "{index} of {size}");
        }
    }
}

#[test]
fn a_proof_file_with_one_byte_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    grown(folder.path(), &[5]);
    let log = Log::open(folder.path(), &verifier()).unwrap();
    let text = log.tlog_proof(3).unwrap().to_text();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        let checked = TlogProof::parse(&changed).map(|p| p.check(&entry(3), &verifier()));
        assert!(!matches!(checked, Ok(Ok(_))), "byte {at}");
    }
    assert_eq!(TlogProof::parse("index 1\n\nx"), Err(TlogProofError::NotAProof));
    let bad = "c2sp.org/tlog-proof@v1\nindex 01\n\nx\n";
    assert_eq!(TlogProof::parse(bad), Err(TlogProofError::BadLine(2)));
}
