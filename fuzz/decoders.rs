//! Everything that reads bytes which somebody else may have written: each takes any bytes and must come back, with an
//! answer or an error, never with a panic. The fuzz targets and the replay of their corpora in `make test` share this
//! file.
//!
//! Not here: what the decoders make of well-formed bytes; their property tests are beside their code.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use dunlin_connect::{OpenOptions, ReadRequest, TableName};
use dunlin_ledger::{Actor, Body, Checkpoint, Entry, Log, Signer, TlogProof, Verifier};
use dunlin_store::{Fragments, KeyOptions, Workspace};
use futures::StreamExt;

/// Reads bytes, whatever they are.
type Decoder = fn(&[u8]);

/// The decoders by the names of their fuzz targets and corpora.
#[allow(dead_code)] // a fuzz target is one of them
pub const ALL: [(&str, Decoder); 9] = [
    ("plan", plan),
    ("entry", entry),
    ("note", note),
    ("proof", proof),
    ("tile", tile),
    ("csv", csv),
    ("jsonl", jsonl),
    ("fragment", fragment),
    ("copy", copy),
];

/// A plan's text.
pub fn plan(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(plan) = dunlin_plan::load(text, "fuzz.toml")
    {
        let _ = plan.fingerprint();
    }
}

/// What a PostgreSQL server sends for a binary COPY.
pub fn copy(bytes: &[u8]) {
    let _ = dunlin_connect::postgres::decode_any(bytes);
}

/// An entry of the ledger. What is read must be written as it was.
pub fn entry(bytes: &[u8]) {
    if let Ok(entry) = Entry::from_bytes(bytes) {
        let again = entry.to_bytes().and_then(|written| Entry::from_bytes(&written));
        assert!(again.is_ok_and(|again| again == entry), "an entry does not survive being written");
    }
}

/// A signed checkpoint, and a key.
pub fn note(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Checkpoint::parse(text, &LEDGER.verifier);
        let _ = Verifier::parse(text);
    }
}

/// A proof that an entry is in the ledger.
pub fn proof(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(proof) = TlogProof::parse(text)
    {
        assert!(proof.check(b"no entry of this ledger", &LEDGER.verifier).is_err());
    }
}

/// A tile of entries in the ledger's folder.
pub fn tile(bytes: &[u8]) {
    // One folder, one writer.
    let _turn = LEDGER.turn.lock();
    let write = |bytes: &[u8]| std::fs::write(&LEDGER.tile, bytes).is_ok();
    if write(bytes)
        && let Ok(log) = Log::open(&LEDGER.folder, &LEDGER.verifier)
    {
        log.entries(0).take(1000).for_each(drop);
    }
    write(&LEDGER.whole);
}

/// A CSV file.
pub fn csv(bytes: &[u8]) {
    file("csv", bytes);
}

/// A file of JSON Lines.
pub fn jsonl(bytes: &[u8]) {
    file("jsonl", bytes);
}

/// A quarantine fragment.
pub fn fragment(bytes: &[u8]) {
    let Some(quarantine) = &*QUARANTINE else { return };
    let _turn = quarantine.turn.lock();
    if std::fs::write(&quarantine.file, bytes).is_ok()
        && let Ok(rows) = quarantine.fragments.open("run", "t", "f")
    {
        rows.take(1000).for_each(drop);
    }
}

struct Ledger {
    folder: PathBuf,
    tile: PathBuf,
    whole: Vec<u8>,
    verifier: Verifier,
    turn: Mutex<()>,
}

/// A small ledger whose key everybody knows.
static LEDGER: LazyLock<Ledger> = LazyLock::new(|| {
    let folder = scratch("ledger");
    let signer = Signer::from_seed("fuzz", &[7; 32]).expect("a name of a ledger");
    let verifier = signer.verifier().expect("the key of a signer");
    let mut log = Log::open(&folder, &verifier).expect("an empty folder");
    let entry = |at| Entry { at, actor: Actor::System, body: Body::RunResumed { run: "r".to_owned() } };
    let entries: Vec<Vec<u8>> = (0..5).map(|at| entry(at).to_bytes().expect("an entry")).collect();
    log.append(&entries, &signer).expect("a disk");
    let tile = find(&folder, "entries").expect("a tile of entries");
    let whole = std::fs::read(&tile).expect("a tile of entries");
    Ledger { folder, tile, whole, verifier, turn: Mutex::default() }
});

struct Quarantine {
    fragments: Fragments,
    file: PathBuf,
    turn: Mutex<()>,
}

static QUARANTINE: LazyLock<Option<Quarantine>> = LazyLock::new(|| {
    let folder = scratch("quarantine");
    std::fs::create_dir(folder.join("work")).ok()?;
    let keys = KeyOptions::at(&folder.join("keys"));
    let workspace = RUNTIME.block_on(Workspace::open(&folder.join("work"), &keys)).ok()?;
    let fragments = workspace.fragments();
    let mut writer = fragments.create("run", "t", "f").ok()?;
    writer.push(b"a row").ok()?;
    writer.finish().ok()?;
    let file = find(&workspace.state_dir.join("quarantine"), "run")?;
    Some(Quarantine { fragments, file, turn: Mutex::default() })
});

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
});

/// Reads a file as a table, by splits and as a whole.
fn file(format: &str, bytes: &[u8]) {
    static TURN: Mutex<()> = Mutex::new(());
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| scratch("files"));
    let _turn = TURN.lock();
    let path = FOLDER.join(format!("t.{format}"));
    if std::fs::write(&path, bytes).is_err() {
        return;
    }
    RUNTIME.block_on(async {
        let options = OpenOptions { base: FOLDER.clone(), ..OpenOptions::default() };
        let Ok(store) = dunlin_connect::open("fuzz", &format!("file:t.{format}"), &options).await else {
            return;
        };
        let Ok(Some(table)) = store.table(&TableName::bare("t")).await else { return };
        let Ok(reader) = store.reader().await else { return };
        let table = std::sync::Arc::new(table);
        let Ok(splits) = reader.splits(&table, 2, &[]).await else { return };
        let mut rows = 0;
        for bounds in splits {
            let Ok(mut stream) = reader.read(ReadRequest::all(table.clone(), bounds)).await else { return };
            while let Some(batch) = stream.next().await {
                let Ok(batch) = batch else { return };
                rows += (batch.rows.num_rows() + batch.bad.len()) as u64;
            }
        }
        if let Ok(count) = reader.count(&table).await {
            assert_eq!(rows, count, "splits do not hold every row once");
        }
    });
}

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("dunlin-fuzz-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

/// The first file whose path holds this word.
fn find(folder: &Path, word: &str) -> Option<PathBuf> {
    for entry in std::fs::read_dir(folder).ok()? {
        let path = entry.ok()?.path();
        let found = match path.is_dir() {
            true => find(&path, word),
            false => path.display().to_string().contains(word).then_some(path),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
