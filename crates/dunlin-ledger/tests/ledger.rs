//! The log as others see it: standard vectors, growth, tampering, crashes, and a second opinion by Go.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::fs;
use std::path::{Path, PathBuf};

use dunlin_ledger::{Checkpoint, Log, Signer, Verifier, VerifyError};
use proptest::prelude::*;

#[path = "ledger/crash.rs"]
mod crash;
#[path = "ledger/fork.rs"]
mod fork;
#[path = "ledger/go.rs"]
mod go;

fn signer() -> Signer {
    Signer::from_seed("dunlin/0193-test", &[7; 32]).unwrap()
}

fn verifier() -> Verifier {
    signer().verifier().unwrap()
}

fn entry(n: u64) -> Vec<u8> {
    format!(r#"{{"at":{n},"body":{{"kind":"run_resumed","run":"r{n}"}}}}"#).into_bytes()
}

fn entries(from: u64, to: u64) -> Vec<Vec<u8>> {
    (from..to).map(entry).collect()
}

/// A log that grew to each of these sizes in turn, with the checkpoint of each.
fn grown(dir: &Path, sizes: &[u64]) -> Vec<Checkpoint> {
    let mut log = Log::open(dir, &verifier()).unwrap();
    let mut checkpoints = Vec::new();
    for size in sizes {
        checkpoints.push(log.append(&entries(log.size(), *size), &signer()).unwrap());
    }
    checkpoints
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()) {
            if file.is_dir() { folders.push(file) } else { found.push(file) }
        }
    }
    found.sort();
    found
}

fn names(dir: &Path) -> Vec<String> {
    files(dir).iter().map(|f| f.strip_prefix(dir).unwrap().display().to_string()).collect()
}

#[test]
fn roots_are_those_of_rfc_6962() {
    let leaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), &verifier()).unwrap();
    for (leaf, root) in leaves.iter().zip(roots) {
        let checkpoint = log.append(&[hex::decode(leaf).unwrap()], &signer()).unwrap();
        assert_eq!(checkpoint.root_hex(), root);
        let all: Vec<Vec<u8>> = log.entries(0).map(Result::unwrap).collect();
        assert_eq!(dunlin_ledger::root_of(&all), root);
    }
}

#[test]
fn the_way_it_grew_leaves_no_trace() {
    let steps = tempfile::tempdir().unwrap();
    let leap = tempfile::tempdir().unwrap();
    grown(steps.path(), &[0, 1, 2, 3, 255, 256, 257, 511, 512, 600, 600, 1025]);
    grown(leap.path(), &[1025]);
    assert_eq!(names(steps.path()), names(leap.path()));
    for (a, b) in files(steps.path()).iter().zip(files(leap.path())) {
        assert_eq!(fs::read(a).unwrap(), fs::read(b).unwrap(), "{}", a.display());
    }
    let report = Log::verify(steps.path(), &verifier(), &[]).unwrap();
    assert_eq!((report.size, report.strays.len()), (1025, 0));
    insta::assert_snapshot!(names(leap.path()).join("\n"), @"
    checkpoint
    tile/0/000
    tile/0/001
    tile/0/002
    tile/0/003
    tile/0/004.p/1
    tile/1/000.p/4
    tile/entries/000
    tile/entries/001
    tile/entries/002
    tile/entries/003
    tile/entries/004.p/1
    ");
}

#[test]
fn entries_come_back_and_export_is_one_line_each() {
    let dir = tempfile::tempdir().unwrap();
    grown(dir.path(), &[10, 300, 700]);
    let log = Log::open(dir.path(), &verifier()).unwrap();
    let back: Vec<_> = log.entries(250).map(Result::unwrap).collect();
    assert_eq!(back, entries(250, 700));
    assert_eq!(log.entry(699).unwrap(), entry(699));
    insta::assert_snapshot!(log.entry(700).unwrap_err(), @"the ledger has 700 entries; 701 is beyond them");
    let mut out = Vec::new();
    assert_eq!(log.export(&mut out).unwrap(), 700);
    let lines: Vec<Vec<u8>> = out.split(|b| *b == b'\n').map(<[u8]>::to_vec).take(700).collect();
    assert_eq!(lines, entries(0, 700));
}

#[test]
fn proofs_hold_and_false_ones_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = [1, 7, 256, 300, 1000];
    let checkpoints = grown(dir.path(), &sizes);
    let log = Log::open(dir.path(), &verifier()).unwrap();
    let newest = checkpoints.last().unwrap();
    for index in [0, 1, 255, 256, 511, 998, 999] {
        let proof = log.prove_inclusion(index).unwrap();
        proof.check(&entry(index), newest).unwrap();
        assert!(proof.check(&entry(index + 1), newest).is_err());
        assert!(proof.check(&entry(index), &checkpoints[3]).is_err());
    }
    for old in &checkpoints {
        for new in checkpoints.iter().filter(|new| new.size >= old.size) {
            let proof = log.prove_consistency(old.size, new.size).unwrap();
            proof.check(old, new).unwrap();
            let mut forked = old.clone();
            forked.root[0] ^= 1;
            assert!(proof.check(&forked, new).is_err());
        }
        assert_eq!(log.root_at(old.size).unwrap(), old.root);
    }
}

#[test]
fn what_was_cut_off_or_rewritten_is_seen_from_outside() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let checkpoints = grown(dir.path(), &[200, 300]);
    // An honest, older copy of the folder: only somebody who knows a newer checkpoint can tell.
    grown(other.path(), &[200]);
    assert!(Log::verify(other.path(), &verifier(), &checkpoints[..1]).is_ok());
    let error = Log::verify(other.path(), &verifier(), &checkpoints).unwrap_err();
    insta::assert_snapshot!(error, @"the ledger has 200 entries, but once had 300: the newest were cut off");
    // The keeper of the key signs another history.
    let mut log = Log::open(other.path(), &verifier()).unwrap();
    log.append(&entries(1000, 1200), &signer()).unwrap();
    let error = Log::verify(other.path(), &verifier(), &checkpoints).unwrap_err();
    insta::assert_snapshot!(error, @"the first 300 entries are not those that an earlier checkpoint signed: history was rewritten");
    // Everything is gone.
    let empty = tempfile::tempdir().unwrap();
    assert!(Log::verify(empty.path(), &verifier(), &[]).is_ok());
    let error = Log::verify(empty.path(), &verifier(), &checkpoints).unwrap_err();
    insta::assert_snapshot!(error, @"the ledger has no checkpoint, but one of 300 entries is known: it was removed");
}

#[test]
fn each_file_that_is_removed_is_missed() {
    let dir = tempfile::tempdir().unwrap();
    grown(dir.path(), &[300]);
    for file in files(dir.path()) {
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        assert!(Log::verify(dir.path(), &verifier(), &[]).is_err(), "{}", file.display());
        fs::write(&file, bytes).unwrap();
    }
    Log::verify(dir.path(), &verifier(), &[]).unwrap();
}

#[test]
fn it_says_where_it_was_changed() {
    let dir = tempfile::tempdir().unwrap();
    grown(dir.path(), &[300]);
    let change = |name: &str, at: usize| {
        let path = dir.path().join(name);
        let bytes = fs::read(&path).unwrap();
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        let error = Log::verify(dir.path(), &verifier(), &[]).unwrap_err();
        fs::write(&path, bytes).unwrap();
        error
    };
    let length = 2 + entry(260).len();
    let error = change("tile/entries/001.p/44", 4 * length + 10);
    assert_eq!(error, VerifyError::EntryChanged { index: 260, path: "tile/entries/001.p/44".into() });
    insta::assert_snapshot!(change("tile/entries/001.p/44", 0), @"`tile/entries/001.p/44` does not hold 44 whole entries");
    insta::assert_snapshot!(change("tile/0/000", 5), @"`tile/0/000` was changed; the entries are as signed");
    insta::assert_snapshot!(change("tile/1/000.p/1", 5), @"`tile/1/000.p/1` was changed; the entries are as signed");
    insta::assert_snapshot!(change("checkpoint", 18), @"`checkpoint`: the checkpoint is not signed by the ledger's key");
}

#[test]
fn strays_are_named_and_harmless() {
    let dir = tempfile::tempdir().unwrap();
    grown(dir.path(), &[300]);
    fs::write(dir.path().join("tile/0/.000.tmp"), "half").unwrap();
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    let report = Log::verify(dir.path(), &verifier(), &[]).unwrap();
    assert_eq!(report.strays, ["notes.txt", "tile/0/.000.tmp"]);
}

#[test]
fn another_key_may_not_append() {
    let dir = tempfile::tempdir().unwrap();
    grown(dir.path(), &[3]);
    let thief = Signer::from_seed("dunlin/0193-test", &[8; 32]).unwrap();
    assert!(Log::open(dir.path(), &thief.verifier().unwrap()).is_err());
    let mut log = Log::open(dir.path(), &verifier()).unwrap();
    assert!(log.append(&entries(3, 4), &thief).is_err());
    assert_eq!(Log::verify(dir.path(), &verifier(), &[]).unwrap().size, 3);
}

#[test]
fn an_entry_that_is_too_long_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), &verifier()).unwrap();
    let error = log.append(&[entry(0), vec![b'x'; 65_536]], &signer()).unwrap_err();
    insta::assert_snapshot!(error, @"a ledger entry has 65536 bytes; 65535 is the most");
    assert!(files(dir.path()).is_empty());
    log.append(&[vec![b'x'; 65_535]], &signer()).unwrap();
    Log::verify(dir.path(), &verifier(), &[]).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn any_byte_changed_in_any_file_is_caught(
        size in prop_oneof![1u64..20, 250u64..270, 500u64..530],
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        flip in 1u8..=255,
    ) {
        let dir = tempfile::tempdir().unwrap();
        grown(dir.path(), &[size / 2, size]);
        let files = files(dir.path());
        let path = &files[file.index(files.len())];
        let mut bytes = fs::read(path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        fs::write(path, &bytes).unwrap();
        prop_assert!(Log::verify(dir.path(), &verifier(), &[]).is_err());
        // And it neither panics nor accepts when the file is cut there.
        bytes.truncate(at);
        fs::write(path, &bytes).unwrap();
        prop_assert!(Log::verify(dir.path(), &verifier(), &[]).is_err());
    }

    #[test]
    fn batches_of_any_size_make_the_same_tree(steps in prop::collection::vec(0u64..160, 1..5)) {
        let (dir, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sizes: Vec<u64> = steps.iter().scan(0, |sum, step| { *sum += step; Some(*sum) }).collect();
        let grown_to = grown(dir.path(), &sizes);
        let at_once = grown(whole.path(), &sizes[sizes.len() - 1..]);
        prop_assert_eq!(grown_to.last(), at_once.last());
        let report = Log::verify(dir.path(), &verifier(), &grown_to).unwrap();
        prop_assert_eq!(report.strays, Vec::<String>::new());
    }
}

#[test]
fn who_reads_while_the_log_grows_reads_on() {
    let dir = tempfile::tempdir().unwrap();
    for (before, after) in [(3, 5), (200, 256), (300, 700)] {
        let mut log = Log::open(dir.path(), &verifier()).unwrap();
        log.append(&entries(log.size(), before), &signer()).unwrap();
        // Opened at the older size; then its partial tiles give way to fuller ones.
        let reader = Log::open(dir.path(), &verifier()).unwrap();
        log.append(&entries(before, after), &signer()).unwrap();
        let read: Vec<Vec<u8>> = reader.entries(0).map(Result::unwrap).collect();
        assert_eq!(read, entries(0, before));
        let proof = reader.prove_inclusion(before - 1).unwrap();
        proof.check(&entry(before - 1), reader.checkpoint().unwrap()).unwrap();
    }
}
