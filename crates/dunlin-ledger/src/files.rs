//! Writing files so that a crash leaves the old one or the new one, never half of either.
//!
//! Not here: what is in the files. The failpoints at each step are named in [`FAILPOINTS`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Failpoints of this crate, for crash tests (feature `failpoints`).
pub const FAILPOINTS: &[&str] = &[
    "ledger::tile.before",
    "ledger::tile.after",
    "ledger::checkpoint.before",
    "ledger::checkpoint.after",
    "ledger::clean.before",
    "file::write.before",
    "file::fsync.before",
    "file::rename.before",
    "file::rename.after",
];

/// A place where a crash test can stop the process or fail the step. Nothing without the feature `failpoints`.
pub fn point(name: &'static str) -> io::Result<()> {
    let _ = name; // unused without the feature
    fail::fail_point!(name, |_| Err(io::Error::other(format!("failpoint {name}"))));
    Ok(())
}

/// Puts `bytes` at `path`: temporary name, fsync, rename, fsync of the folder. The file has mode `mode`.
///
/// Two writers of one path must hold a lock of their own: they would share the temporary name.
pub fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("a file needs a folder"))?;
    let name = path.file_name().ok_or_else(|| io::Error::other("a file needs a name"))?;
    let temporary = folder.join(format!(".{}.tmp", name.to_string_lossy()));
    point("file::write.before")?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    point("file::fsync.before")?;
    file.sync_all()?;
    drop(file);
    point("file::rename.before")?;
    fs::rename(&temporary, path)?;
    point("file::rename.after")?;
    sync_dir(folder)
}

/// Makes renames in a folder durable.
pub fn sync_dir(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
