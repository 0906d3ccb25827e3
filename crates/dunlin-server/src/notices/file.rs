//! The files of notices: `notices/NAME.LANGUAGE.md` in the workspace. Nothing outside that folder is read or written
//! by name, and nothing that a symbolic link leads out of it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use dunlin_store::{State, now_us};
use sha2::{Digest, Sha256};

use super::NoticeError;

/// The folder of notices, beside the plan.
pub const FOLDER: &str = "notices";
/// The longest text that is read, in bytes.
const TEXT_MAX: u64 = 1024 * 1024;

/// A notice's file as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeFile {
    /// Relative to the workspace: `notices/2026-move.en.md`.
    pub path: String,
    /// Word for word.
    pub text: String,
    /// SHA-256 of the text, hex.
    pub sha256: String,
}

/// SHA-256 of a text, hex.
pub(super) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Whether this can be the name of a notice's file: no folder, no hidden file, `.md` at its end.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.len() <= 100 && name.ends_with(".md") && name.chars().all(plain) && !name.starts_with('.')
}

/// The names of the workspace's notices, in their order.
///
/// # Errors
/// The folder is there and cannot be read.
pub fn files(dir: &Path) -> Result<Vec<String>, NoticeError> {
    let mut found = Vec::new();
    match std::fs::read_dir(dir.join(FOLDER)) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(NoticeError::File(error.kind())),
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(|e| NoticeError::File(e.kind()))?;
                found.extend(entry.file_name().to_str().filter(|name| is_name(name)).map(str::to_owned));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a notice by its path in the workspace.
///
/// # Errors
/// It is not there, lies elsewhere, is too long, or is not text.
pub fn read(dir: &Path, path: &str) -> Result<NoticeFile, NoticeError> {
    let place = inside(dir, path)?;
    let about = std::fs::metadata(&place).map_err(failed)?;
    if !about.is_file() || about.len() > TEXT_MAX {
        return Err(NoticeError::NoFile);
    }
    let text = std::fs::read_to_string(&place).map_err(failed)?;
    Ok(NoticeFile { path: path.to_owned(), sha256: hash(&text), text })
}

/// Where a path of the workspace leads, when it stays inside, outside of `.dunlin`.
pub(super) fn inside(dir: &Path, path: &str) -> Result<PathBuf, NoticeError> {
    let root = dir.canonicalize().map_err(failed)?;
    let place = dir.join(path).canonicalize().map_err(failed)?;
    let fits = place.starts_with(&root) && !place.starts_with(root.join(".dunlin"));
    if fits { Ok(place) } else { Err(NoticeError::NoFile) }
}

fn failed(error: std::io::Error) -> NoticeError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => NoticeError::NoFile,
        kind => NoticeError::File(kind),
    }
}

/// Saves a text under a name in the folder. Who saved it is kept before it is written: a crash in between names one
/// author too many, and never one too few.
///
/// # Errors
/// The name is none, or the disk or the state refuses.
pub async fn save(
    state: &State,
    dir: &Path,
    name: &str,
    text: &str,
    author: &str,
) -> Result<NoticeFile, NoticeError> {
    if !is_name(name) {
        return Err(NoticeError::NoFile);
    }
    let folder = dir.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let root = dir.canonicalize().map_err(failed)?;
    if !folder.canonicalize().map_err(failed)?.starts_with(&root) {
        return Err(NoticeError::NoFile);
    }
    let file = NoticeFile { path: format!("{FOLDER}/{name}"), text: text.to_owned(), sha256: hash(text) };
    let mut tx = state.begin().await?;
    tx.insert_notice_edit(&file.path, author, &file.sha256, now_us()).await?;
    tx.commit().await?;
    let (place, bytes) = (folder.join(name), file.text.clone());
    let write = move || dunlin_ledger::replace_file(&place, bytes.as_bytes(), 0o644);
    let written = tokio::task::spawn_blocking(write).await;
    written.unwrap_or_else(|e| Err(std::io::Error::other(e))).map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_folder_are_notices() {
        for good in ["2026-move.en.md", "a.md", "Move_2.en-GB.md"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["../dunlin.toml", ".hidden.md", "a/b.md", "move.txt", "", "a\0.md", "é.md"] {
            assert!(!is_name(bad), "{bad}");
        }
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("w");
        std::fs::create_dir_all(dir.join(FOLDER)).unwrap();
        std::fs::create_dir_all(dir.join(".dunlin")).unwrap();
        std::fs::write(home.path().join("secret.md"), "x").unwrap();
        std::fs::write(dir.join(".dunlin/a.md"), "x").unwrap();
        std::fs::write(dir.join("notices/a.md"), "x").unwrap();
        assert!(read(&dir, "notices/a.md").is_ok());
        assert!(read(&dir, "../secret.md").is_err());
        assert!(read(&dir, ".dunlin/a.md").is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(home.path().join("secret.md"), dir.join("notices/b.md")).unwrap();
            assert!(read(&dir, "notices/b.md").is_err(), "a link leads out");
        }
        assert_eq!(files(&dir).unwrap()[0], "a.md");
    }
}
