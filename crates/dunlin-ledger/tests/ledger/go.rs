//! A second opinion: the Go project's own implementation of the log, `golang.org/x/mod/sumdb`, reads our folder,
//! checks the signature, every inclusion and a consistency proof, and refuses an altered entry.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{grown, verifier};

#[test]
fn the_log_verifies_with_go_sumdb() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("verify.go");
    fs::write(&program, include_str!("verify.go")).unwrap();
    let log = dir.path().join("ledger");
    let older = grown(&log, &[3, 200, 700]).remove(1);
    let run = || {
        let mut go = go(&program);
        go.arg(&log).arg(verifier().as_str()).arg("200").arg(older.root_hex());
        go.output()
    };
    let output = match run() {
        Ok(output) => output,
        Err(error) => return skip(&format!("Go cannot be started: {}", error.kind())),
    };
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if stderr.contains("cannot find package") || stderr.contains("no required module") {
        return skip("golang.org/x/mod is not there (apt install golang-golang-x-mod-dev)");
    }
    assert!(output.status.success(), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "700 entries, consistent with 200\n");

    // An entry is altered: Go must refuse it too.
    let bundle = log.join("tile/entries/001");
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[50] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    assert!(!run().unwrap().status.success());
}

fn go(program: &Path) -> Command {
    let mut go = Command::new("go");
    go.arg("run").arg(program).env("GO111MODULE", "off").env("GOFLAGS", "");
    if std::env::var_os("GOPATH").is_none() {
        // Where Debian's package golang-golang-x-mod-dev puts the source.
        go.env("GOPATH", "/usr/share/gocode");
    }
    go
}

fn skip(reason: &str) {
    eprintln!("skipped: the check with Go's x/mod/sumdb did not run: {reason}");
}
